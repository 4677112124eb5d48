/* SPDX-License-Identifier: MIT */
#include "sim/queue.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIZE  ((size_t)1 << 20)
#define COUNT 500

static void *base;

static int set_up(void **state)
{
	(void)state;
	base = aligned_alloc(SIM_ARENA_ALIGN, SIZE);
	return base ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(base);
	return 0;
}

static struct sim_queue new_queue(void)
{
	struct sim_queue queue;

	assert_true(sim_queue_init(&queue, sim_arena_init(base, SIZE)));
	return queue;
}

static struct sim_event *take(struct sim_queue *queue)
{
	struct sim_event *event = sim_queue_first(queue);

	sim_queue_remove(queue, event);
	return event;
}

static void keeps_insertion_order_at_one_time(void **state)
{
	struct sim_queue queue = new_queue();
	struct sim_event events[COUNT] = {0};

	(void)state;
	for (int i = 0; i < COUNT; i++)
		assert_true(sim_queue_put(&queue, &events[i], 7));
	for (int i = 0; i < COUNT; i++)
		assert_ptr_equal(take(&queue), &events[i]);
	assert_null(sim_queue_first(&queue));
}

static void moving_puts_behind_those_of_the_time(void **state)
{
	struct sim_queue queue = new_queue();
	struct sim_event a = {0}, b = {0}, c = {0};

	(void)state;
	sim_queue_put(&queue, &a, 1);
	sim_queue_put(&queue, &b, 2);
	sim_queue_put(&queue, &c, 2);
	sim_queue_put(&queue, &a, 2);
	/* No move at all: the order stays. */
	sim_queue_put(&queue, &b, 2);
	assert_ptr_equal(take(&queue), &b);
	assert_ptr_equal(take(&queue), &c);
	assert_ptr_equal(take(&queue), &a);
}

/* The first of a plain array of events, searched from the start. */
static struct sim_event *naive_first(struct sim_event *events, const bool *queued)
{
	struct sim_event *best = NULL;

	for (int i = 0; i < COUNT; i++) {
		struct sim_event *e = &events[i];

		if (!queued[i])
			continue;
		if (!best || e->at < best->at || (e->at == best->at && e->order < best->order))
			best = e;
	}
	return best;
}

static void agrees_with_a_naive_model(void **state)
{
	struct sim_queue queue = new_queue();
	struct sim_event events[COUNT] = {0};
	bool queued[COUNT] = {0};
	struct rng r = rng(3, 1);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t k = rng_below(&r, COUNT);
		struct sim_event *first;

		if (rng_below(&r, 4) == 0) {
			sim_queue_remove(&queue, &events[k]);
			queued[k] = false;
		} else {
			assert_true(sim_queue_put(&queue, &events[k], rng_below(&r, 50)));
			queued[k] = true;
		}
		first = sim_queue_first(&queue);
		assert_ptr_equal(first, naive_first(events, queued));
		if (first && rng_below(&r, 3) == 0) {
			sim_queue_remove(&queue, first);
			queued[first - events] = false;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_insertion_order_at_one_time),
		cmocka_unit_test(moving_puts_behind_those_of_the_time),
		cmocka_unit_test(agrees_with_a_naive_model),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
