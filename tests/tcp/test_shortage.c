/* SPDX-License-Identifier: MIT */
/*
 * Memory fails: at each allocation of a whole life (handshake, 60 KB each way, close), at every
 * few, and for a while altogether. Each time everything is delivered, and nothing is left.
 */
#include "pair.h"

static enum parley_profile profile; /* of the TCP in trouble */
static uint64_t period;		    /* every how many-th allocation fails; 0: as it was set */
static uint64_t dark_from, dark_to; /* no memory but what is in use then */

static void make_trouble(struct pair *pair)
{
	struct memory *memory = &pair->memory[0];

	if (period && !memory->fail_at)
		memory_fail_at(memory, period);
	memory->cap = pair->cap;
	if (pair->now >= dark_from && pair->now < dark_to)
		memory->cap = memory->charged;
}

/* A life; the TCP in trouble is the first, which connects or listens. True if all went well. */
static void live(uint64_t fail_at, bool listens, uint64_t *failures)
{
	struct pair pair;

	pair_init(&pair);
	assert_int_equal(user_profile(&pair.tcp[0], profile), 0);
	pair.each_step = make_trouble;
	pair.user[0].connects = !listens;
	pair.user[0].listens = listens;
	pair.user[1].connects = listens;
	pair.user[1].listens = !listens;
	pair.both_connect = listens;
	for (int i = 0; i < 2; i++) {
		pair.user[i].total = 60000;
		pair.user[i].eager = i == 0;
		assert_int_equal(
			user_set(&pair.tcp[i], PARLEY_NO_CONN, PARLEY_SET_SEND_BUFFER, 20000), 0);
	}
	memory_fail_at(&pair.memory[0], fail_at);
	make_trouble(&pair);
	pair_run(&pair);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pair.user[i].error, 0);
		assert_int_equal(pair.user[i].sent, 60000);
		assert_int_equal(pair.user[i].read, 60000);
	}
	*failures = pair.memory[0].failures;
	pair_done(&pair);
}

static void reset(void)
{
	profile = PARLEY_PROFILE_DEFAULT;
	period = 0;
	dark_from = 0;
	dark_to = 0;
}

static void test_each_allocation_fails_once(void **unused)
{
	uint64_t failures;

	(void)unused;
	reset();
	for (int i = 0; i < 4; i++) {
		uint64_t n = 1;
		bool listens = i % 2;

		profile = (enum parley_profile)(i / 2);
		do {
			live(n++, listens, &failures);
		} while (failures);
		assert_true(n > 20);
	}
}

static void test_every_few_allocations_fail(void **unused)
{
	uint64_t failures;

	(void)unused;
	reset();
	for (int listens = 0; listens < 2; listens++)
		for (period = 5; period < 15; period++) {
			live(period, listens, &failures);
			assert_true(failures > 0);
		}
}

/* Not a byte more than is in use, for two seconds, from each 5 ms of the life on. */
static void test_no_memory_for_a_while(void **unused)
{
	uint64_t failures;

	(void)unused;
	reset();
	for (int listens = 0; listens < 2; listens++)
		for (dark_from = SEC(1); dark_from < SEC(1) + MS(400); dark_from += MS(5)) {
			dark_to = dark_from + SEC(2);
			live(0, listens, &failures);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation_fails_once),
		cmocka_unit_test(test_every_few_allocations_fail),
		cmocka_unit_test(test_no_memory_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
