/* SPDX-License-Identifier: MIT */
/*
 * The naive model is an array of deadlines: what is due at a time is found by looking at each. All
 * programs are run from clocks at which low and high digits wrap.
 */
#include "slabs.h"

#include "base/rng.h"
#include "base/wheel.h"

#define OWNERS 200
#define SECOND UINT64_C(1000000000)
#define DAY    (86400 * SECOND)

struct owner {
	struct wheel_entry entry;
	uint64_t deadline;
	bool scheduled;
};

struct world {
	struct wheel wheel;
	struct owner owners[OWNERS];
	uint64_t now;
	struct rng rng;
};

static const uint64_t starts[] = {
	0,
	1,
	(UINT64_C(1) << 32) - 5,
	UINT64_C(1700000000) * SECOND,
	(UINT64_C(1) << 60) - SECOND,
	(UINT64_C(1) << 63) - DAY,
	UINT64_MAX - 3000 * DAY,
};

#define STARTS (sizeof(starts) / sizeof(starts[0]))

static struct world *world_new(uint64_t start, uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	wheel_init(&w->wheel, start);
	w->now = start;
	w->rng = rng(seed, start);
	return w;
}

static uint64_t naive_earliest(const struct world *w)
{
	uint64_t least = WHEEL_NEVER;

	for (uint32_t i = 0; i < OWNERS; i++) {
		if (w->owners[i].scheduled && w->owners[i].deadline < least)
			least = w->owners[i].deadline;
	}
	return least;
}

static uint32_t naive_due(const struct world *w)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < OWNERS; i++)
		n += w->owners[i].scheduled && w->owners[i].deadline <= w->now;
	return n;
}

static uint64_t random_span(struct rng *r)
{
	/* As often below a microsecond as of days: 2^0 to 2^52 ns. */
	return rng_next(r) >> (12 + rng_below(r, 52));
}

static void schedule(struct world *w, uint32_t i)
{
	struct owner *o = &w->owners[i];
	uint64_t deadline = w->now + random_span(&w->rng);

	if (rng_chance(&w->rng, 30000))
		deadline = w->now - random_span(&w->rng) % (w->now + 1);
	if (!o->scheduled || deadline < o->deadline)
		o->deadline = deadline;
	o->scheduled = true;
	wheel_schedule(&w->wheel, &o->entry, deadline);
	assert_int_equal(o->entry.deadline, o->deadline);
}

/* Pops in portions until nothing is due; who is popped must be due, and all who are due come. */
static void expire(struct world *w)
{
	uint32_t due = naive_due(w), portion = 1 + (uint32_t)rng_below(&w->rng, 40);
	/* No entry is visited more than once a level. */
	uint32_t portions = OWNERS * WHEEL_LEVELS / portion + 2;
	bool done = false;

	while (!done) {
		uint32_t budget = portion, popped = 0;
		struct wheel_entry *e;

		assert_true(portions-- > 0);
		while ((e = wheel_pop(&w->wheel, w->now, &budget))) {
			struct owner *o = (struct owner *)(void *)e;

			assert_true(o->scheduled && o->deadline <= w->now);
			assert_false(wheel_is_scheduled(e));
			o->scheduled = false;
			due--;
			popped++;
		}
		assert_true(popped + budget <= portion);
		done = budget > 0;
		if (!done && due > 0)
			assert_int_equal(wheel_next(&w->wheel, w->now), w->now);
		assert_true(wheel_check(&w->wheel));
	}
	assert_int_equal(due, 0);
}

static void expect_next(const struct world *w)
{
	uint64_t next = wheel_next(&w->wheel, w->now), earliest = naive_earliest(w);

	if (earliest == WHEEL_NEVER) {
		assert_true(next == WHEEL_NEVER);
		return;
	}
	assert_true(next >= w->now);
	assert_true(next <= (earliest < w->now ? w->now : earliest));
}

static uint64_t random_step(struct world *w)
{
	uint64_t next = wheel_next(&w->wheel, w->now);

	switch (rng_below(&w->rng, 4)) {
	case 0:
		return 0;
	case 1:
		return next == WHEEL_NEVER ? 1 : next - w->now;
	case 2:
		return rng_below(&w->rng, SECOND);
	default:
		return rng_next(&w->rng) >> (16 + rng_below(&w->rng, 46));
	}
}

static void random_program(uint64_t start, uint64_t seed)
{
	struct world *w = world_new(start, seed);

	for (uint32_t round = 0; round < 3000; round++) {
		uint32_t i = (uint32_t)rng_below(&w->rng, OWNERS);
		uint64_t step;

		switch (rng_below(&w->rng, 8)) {
		case 0:
			wheel_cancel(&w->wheel, &w->owners[i].entry);
			w->owners[i].scheduled = false;
			break;
		case 1:
			step = random_step(w);
			w->now += step < UINT64_MAX - w->now ? step : 0;
			if (rng_chance(&w->rng, 500000))
				wheel_advance(&w->wheel, w->now);
			else
				expire(w);
			break;
		default:
			schedule(w, i);
		}
		assert_int_equal(wheel_is_scheduled(&w->owners[i].entry), w->owners[i].scheduled);
		assert_true(wheel_check(&w->wheel));
		expect_next(w);
	}
	w->now = UINT64_MAX;
	expire(w);
	assert_int_equal(w->wheel.count, 0);
	assert_true(wheel_next(&w->wheel, w->now) == WHEEL_NEVER);
	free(w);
}

static void test_against_model(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < STARTS; i++) {
		for (uint64_t seed = 0; seed < 4; seed++)
			random_program(starts[i], seed);
	}
}

/* Waking only when wheel_next() says so, each entry comes at its very nanosecond. */
static void follow(uint64_t start, uint64_t seed)
{
	struct world *w = world_new(start, seed);
	uint32_t left = OWNERS, wakes = 0;

	for (uint32_t i = 0; i < OWNERS; i++) {
		w->owners[i].deadline = w->now + random_span(&w->rng);
		w->owners[i].scheduled = true;
		wheel_schedule(&w->wheel, &w->owners[i].entry, w->owners[i].deadline);
	}
	while (left) {
		uint64_t next = wheel_next(&w->wheel, w->now);
		uint32_t budget = 256;
		struct wheel_entry *e;

		assert_true(next != WHEEL_NEVER);
		assert_true(next > w->now || wakes == 0);
		w->now = next;
		wakes++;
		while ((e = wheel_pop(&w->wheel, w->now, &budget))) {
			assert_int_equal(e->deadline, w->now);
			left--;
		}
	}
	assert_true(wakes <= OWNERS * WHEEL_LEVELS);
	free(w);
}

static void test_following_next(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < STARTS; i++)
		follow(starts[i], i);
}

/* A lone entry is waited for in one sleep, however far it is. */
static void test_one_sleep(void **state)
{
	struct world *w = world_new(12345, 0);
	struct wheel_entry *e = &w->owners[0].entry;
	uint32_t budget = 1;

	(void)state;
	wheel_schedule(&w->wheel, e, 12345 + 40 * DAY);
	assert_int_equal(wheel_next(&w->wheel, 12345), 12345 + 40 * DAY);
	assert_null(wheel_pop(&w->wheel, 12344 + 40 * DAY, &budget));
	budget = 4;
	assert_ptr_equal(wheel_pop(&w->wheel, 12345 + 40 * DAY, &budget), e);
	free(w);
}

/* Moving later leaves the entry where it is; the visit comes at the old time. */
static void test_later_is_free(void **state)
{
	struct world *w = world_new(SECOND, 0);
	struct wheel_entry *e = &w->owners[0].entry;
	uint32_t budget = 256;

	(void)state;
	wheel_schedule(&w->wheel, e, 2 * SECOND);
	for (uint64_t t = 3; t < 100; t++) {
		struct wheel before = w->wheel;

		wheel_schedule(&w->wheel, e, t * SECOND);
		assert_memory_equal(&before, &w->wheel, sizeof(before));
		assert_int_equal(e->deadline, 2 * SECOND);
	}
	assert_ptr_equal(wheel_pop(&w->wheel, 2 * SECOND, &budget), e);
	wheel_schedule(&w->wheel, e, 99 * SECOND);
	assert_null(wheel_pop(&w->wheel, 99 * SECOND - 1, &budget));
	assert_ptr_equal(wheel_pop(&w->wheel, 99 * SECOND, &budget), e);
	free(w);
}

/* While a slot is half emptied, what was moved out of it counts for the next visit too. */
static void test_half_emptied(void **state)
{
	const uint64_t begin = UINT64_C(5) << 18;
	struct world *w = world_new(0, 0);
	uint32_t budget = 1;

	(void)state;
	wheel_schedule(&w->wheel, &w->owners[0].entry, begin + 300);
	wheel_schedule(&w->wheel, &w->owners[1].entry, begin + 200);
	assert_null(wheel_pop(&w->wheel, begin + 100, &budget));
	assert_int_equal(budget, 0);
	assert_int_equal(wheel_next(&w->wheel, begin + 100), begin + 100);
	budget = 4;
	assert_null(wheel_pop(&w->wheel, begin + 100, &budget));
	assert_int_equal(wheel_next(&w->wheel, begin + 100), begin + 200);
	assert_ptr_equal(wheel_pop(&w->wheel, begin + 200, &budget), &w->owners[1].entry);
	free(w);
}

/* A jump over days with everything due costs each call its budget and no more. */
static void test_jump(void **state)
{
	enum { ENTRIES = 20000 };
	struct wheel *w = calloc(1, sizeof(*w));
	struct wheel_entry *entries = calloc(ENTRIES, sizeof(*entries));
	struct rng r = rng(9, 9);
	uint64_t now = 40 * DAY;
	uint32_t seen = 0, calls = 0;

	(void)state;
	assert_non_null(w);
	assert_non_null(entries);
	wheel_init(w, 0);
	for (uint32_t i = 0; i < ENTRIES; i++)
		wheel_schedule(w, &entries[i], rng_below(&r, i % 10 ? now : 50 * DAY));
	while (wheel_next(w, now) <= now) {
		uint32_t budget = 256, visits = 0;

		while (wheel_pop(w, now, &budget))
			visits++;
		assert_true(visits <= 256);
		seen += visits;
		calls++;
	}
	assert_int_equal(seen + w->count, ENTRIES);
	assert_true(calls <= (seen + w->count * WHEEL_LEVELS) / 256 + 1);
	for (uint32_t i = 0; i < ENTRIES; i++)
		assert_int_equal(wheel_is_scheduled(&entries[i]), entries[i].deadline > now);
	free(entries);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model), cmocka_unit_test(test_following_next),
		cmocka_unit_test(test_one_sleep),     cmocka_unit_test(test_half_emptied),
		cmocka_unit_test(test_later_is_free), cmocka_unit_test(test_jump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
