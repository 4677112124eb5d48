/* SPDX-License-Identifier: MIT */
/* Both sides at once: simultaneous open and close, and one that connects to itself. */
#include "pair.h"

static bool edge_seen(const struct pair *pair, enum parley_state from, enum parley_state to)
{
	return pair->edges[from] >> to & 1;
}

static void all_delivered(const struct pair *pair, int users)
{
	for (int i = 0; i < users; i++) {
		assert_int_equal(pair->user[i].error, 0);
		assert_int_equal(pair->user[i].sent, pair->user[i].total);
		assert_int_equal(pair->user[i].read, pair->user[users == 1 ? i : !i].total);
		assert_true(pair->user[i].released);
	}
}

/* A pair whose ends have profiles, by the bits of `profiles`; four combinations. */
static void pair_under(struct pair *pair, int profiles)
{
	pair_init(pair);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			user_profile(&pair->tcp[i], (enum parley_profile)(profiles >> i & 1)), 0);
}

/* MUST-10 */
static void test_simultaneous_open(void **unused)
{
	struct pair pair;

	(void)unused;
	for (int profiles = 0; profiles < 4; profiles++) {
		pair_under(&pair, profiles);
		pair.both_connect = true;
		pair.user[0] = (struct user){.connects = true, .total = 100000};
		pair.user[1] = (struct user){.connects = true, .total = 50000, .eager = true};
		pair_run(&pair);
		all_delivered(&pair, 2);
		assert_true(edge_seen(&pair, PARLEY_SYN_SENT, PARLEY_SYN_RECEIVED));
		assert_false(edge_seen(&pair, PARLEY_SYN_SENT, PARLEY_ESTABLISHED));
		pair_done(&pair);
	}
}

static void test_simultaneous_close(void **unused)
{
	struct pair pair;

	(void)unused;
	for (int profiles = 0; profiles < 4; profiles += 3) { /* both the same */
		pair_under(&pair, profiles);
		pair.both_connect = true; /* so that both do everything at the same time */
		pair.user[0] = (struct user){.connects = true, .total = 10000, .eager = true};
		pair.user[1] = (struct user){.connects = true, .total = 10000, .eager = true};
		pair_run(&pair);
		all_delivered(&pair, 2);
		assert_true(edge_seen(&pair, PARLEY_FIN_WAIT_1, PARLEY_CLOSING));
		assert_true(edge_seen(&pair, PARLEY_CLOSING, PARLEY_TIME_WAIT));
		assert_false(edge_seen(&pair, PARLEY_ESTABLISHED, PARLEY_CLOSE_WAIT));
		pair_done(&pair);
	}
}

/* Urgent data moves the other's mark to where it ends, and never beyond. */
static void told_no_more_than_sent(struct pair *pair)
{
	for (int i = 0; i < 2; i++)
		assert_true(pair->user[i].told <= pair->user[!i].mark);
}

static void test_urgent_both_ways(void **unused)
{
	struct pair pair;

	(void)unused;
	pair_init(&pair);
	pair.each_step = told_no_more_than_sent;
	pair.user[0] = (struct user){
		.connects = true, .total = 3000000, .urgent = true, .eager = true};
	pair.user[1] = (struct user){.listens = true, .total = 100000, .urgent = true};
	pair_run(&pair);
	all_delivered(&pair, 2);
	for (int i = 0; i < 2; i++) {
		assert_true(pair.user[i].mark > 0);
		assert_int_equal(pair.user[i].mark, pair.user[!i].told);
	}
	pair_done(&pair);
}

/* One way after the other: every edge of an orderly life. */
static void test_one_after_the_other(void **unused)
{
	struct pair pair;

	(void)unused;
	for (int profiles = 0; profiles < 4; profiles++) {
		pair_under(&pair, profiles);
		pair.user[0] = (struct user){.connects = true, .total = 70000, .eager = true};
		pair.user[1] = (struct user){.listens = true, .total = 300000};
		pair_run(&pair);
		all_delivered(&pair, 2);
		assert_true(edge_seen(&pair, PARLEY_FIN_WAIT_2, PARLEY_TIME_WAIT));
		assert_true(edge_seen(&pair, PARLEY_LAST_ACK, PARLEY_CLOSED));
		assert_int_equal(pair.tcp[0].counters[PARLEY_COUNTER_TIMEOUTS], 0);
		assert_int_equal(pair.tcp[1].counters[PARLEY_COUNTER_TIMEOUTS], 0);
		pair_done(&pair);
	}
}

/* A connection to itself is a simultaneous open with one TCB. */
static void test_self_connect(void **unused)
{
	struct pair pair;

	(void)unused;
	for (int profiles = 0; profiles < 2; profiles++) {
		pair_under(&pair, profiles);
		pair.loop = true;
		pair.user[0] = (struct user){.connects = true, .total = 50000, .eager = true};
		pair_run(&pair);
		all_delivered(&pair, 1);
		assert_true(edge_seen(&pair, PARLEY_SYN_SENT, PARLEY_SYN_RECEIVED));
		assert_true(edge_seen(&pair, PARLEY_CLOSING, PARLEY_TIME_WAIT));
		pair_done(&pair);
	}
}

/* Nothing to send at all. */
static void test_open_and_close(void **unused)
{
	struct pair pair;

	(void)unused;
	for (int profiles = 0; profiles < 4; profiles++) {
		pair_under(&pair, profiles);
		pair.user[0] = (struct user){.connects = true, .eager = true};
		pair.user[1] = (struct user){.listens = true};
		pair_run(&pair);
		all_delivered(&pair, 2);
		pair_done(&pair);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simultaneous_open),
		cmocka_unit_test(test_simultaneous_close),
		cmocka_unit_test(test_urgent_both_ways),
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_self_connect),
		cmocka_unit_test(test_open_and_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
