/* SPDX-License-Identifier: MIT */
/* Small worlds visited exhaustively: nothing is wrong, and what is planted is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/explore.h"
#include "sim/fault.h"

static void *base;
static struct explore explore;

static int set_up(void **state)
{
	(void)state;
	base = aligned_alloc(SIM_ARENA_ALIGN, SMALL_ARENA);
	return base ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	explore_free(&explore);
	free(base);
	return 0;
}

static struct small *begin(enum small_scenario scenario, unsigned faults)
{
	const struct small_config config = {.scenario = scenario, .faults = faults};
	struct small *small = small_new(base, &config);

	assert_non_null(small);
	assert_true(explore_begin(&explore, small));
	return small;
}

static void expect_done(enum small_scenario scenario, unsigned faults)
{
	begin(scenario, faults);
	if (explore_run(&explore, 0) != EXPLORE_DONE)
		fail_msg("%s: %s", small_scenario_name(scenario), explore.text);
	assert_true(explore.ends > 0);
	assert_int_equal(explore.cut, 0);
}

static void without_faults_all_is_well(void **state)
{
	(void)state;
	for (int i = 0; i < SMALL_SCENARIOS; i++) {
		expect_done((enum small_scenario)i, 0);
		explore_free(&explore);
	}
}

static void half_close_with_a_fault(void **state)
{
	(void)state;
	expect_done(SMALL_HALF_CLOSE, 1);
	assert_true(explore.pair[PARLEY_FIN_WAIT_2][PARLEY_CLOSE_WAIT] > 0);
	assert_int_equal(explore.pair[PARLEY_CLOSING][PARLEY_CLOSING], 0);
}

static void simultaneous_close_meets_in_closing(void **state)
{
	(void)state;
	expect_done(SMALL_SIMULTANEOUS_CLOSE, 0);
	assert_true(explore.pair[PARLEY_CLOSING][PARLEY_CLOSING] > 0);
}

static void states_go_together_or_not(void **state)
{
	static const struct {
		enum parley_state a, b;
		bool sound, with_abort;
	} pairs[] = {
		{PARLEY_SYN_SENT, PARLEY_CLOSED, true, true},
		{PARLEY_SYN_SENT, PARLEY_ESTABLISHED, false, false},
		{PARLEY_ESTABLISHED, PARLEY_SYN_RECEIVED, true, true},
		{PARLEY_ESTABLISHED, PARLEY_SYN_SENT, false, false},
		{PARLEY_FIN_WAIT_2, PARLEY_ESTABLISHED, false, false},
		{PARLEY_FIN_WAIT_2, PARLEY_CLOSE_WAIT, true, true},
		{PARLEY_FIN_WAIT_2, PARLEY_FIN_WAIT_2, false, false},
		{PARLEY_CLOSE_WAIT, PARLEY_CLOSE_WAIT, false, false},
		{PARLEY_CLOSING, PARLEY_CLOSING, true, true},
		{PARLEY_LAST_ACK, PARLEY_TIME_WAIT, true, true},
		{PARLEY_LAST_ACK, PARLEY_LAST_ACK, false, false},
		{PARLEY_LAST_ACK, PARLEY_CLOSING, false, false},
		{PARLEY_ESTABLISHED, PARLEY_CLOSED, false, true},
		{PARLEY_TIME_WAIT, PARLEY_CLOSED, true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct small_pair pair = {{pairs[i].a, pairs[i].b}};
		struct small_pair turned = {{pairs[i].b, pairs[i].a}};

		assert_int_equal(small_pair_is_sound(pair, false), pairs[i].sound);
		assert_int_equal(small_pair_is_sound(turned, false), pairs[i].sound);
		assert_int_equal(small_pair_is_sound(pair, true), pairs[i].with_abort);
	}
}

/* The same numbers each time: nothing depends on what was visited before. */
static void is_the_same_each_time(void **state)
{
	uint32_t states;
	uint64_t edges;

	(void)state;
	expect_done(SMALL_HALF_CLOSE, 0);
	states = explore.visited.n;
	edges = explore.edges;
	explore_free(&explore);
	expect_done(SMALL_HALF_CLOSE, 0);
	assert_int_equal(explore.visited.n, states);
	assert_int_equal(explore.edges, edges);
}

/* The way to a violation leads there again. */
static void expect_way(enum small_scenario scenario, const struct sim_fault *fault)
{
	const struct small_config config = {.scenario = scenario};
	struct small *small = small_new(base, &config);

	assert_non_null(small);
	assert_non_null(sim_fault_add(small->world, fault));
	assert_true(explore.path_len > 0);
	for (uint32_t i = 0; i + 1 < explore.path_len; i++)
		assert_true(small_act(small, explore.path[i]));
	assert_false(small_act(small, explore.path[explore.path_len - 1]));
	assert_string_equal(small->world->failure.text, explore.text);
}

/* As if a FIN were never sent, or never again: the users are told that it failed. */
static void a_fin_that_never_comes_is_found(void **state)
{
	const struct sim_fault fault = {.set = TCP_FIN, .action = SIM_DROP};
	struct small *small = begin(SMALL_HALF_CLOSE, 0);

	(void)state;
	assert_non_null(sim_fault_add(small->world, &fault));
	/* The image must hold the fault too. */
	explore_free(&explore);
	assert_true(explore_begin(&explore, small));
	assert_int_equal(explore_run(&explore, 0), EXPLORE_BROKEN);
	expect_way(SMALL_HALF_CLOSE, &fault);
}

/* As if nobody acknowledged. */
static void acks_that_never_come_are_found(void **state)
{
	const struct sim_fault fault = {
		.from = SIM_SERVER + 1, .set = TCP_ACK, .clear = TCP_SYN, .action = SIM_DROP};
	struct small *small = begin(SMALL_OPEN_SEND_CLOSE, 0);

	(void)state;
	assert_non_null(sim_fault_add(small->world, &fault));
	explore_free(&explore);
	assert_true(explore_begin(&explore, small));
	assert_int_equal(explore_run(&explore, 0), EXPLORE_BROKEN);
	expect_way(SMALL_OPEN_SEND_CLOSE, &fault);
}

/* A frame that is gone without a trace, as a timer would be that was never set. */
static void a_world_without_a_way_out_is_found(void **state)
{
	struct small *small = begin(SMALL_SIMULTANEOUS_CLOSE, 0);
	struct sim_user *user = small->world->user[small->world->user_count - 1];

	(void)state;
	/* The user's next call is never made. */
	sim_queue_remove(&small->world->queue, &user->sleep);
	explore_free(&explore);
	assert_true(explore_begin(&explore, small));
	assert_int_equal(explore_run(&explore, 0), EXPLORE_STUCK);
}

/* With a limit, states beyond it are counted and not taken for stuck. */
static void depth_is_a_limit(void **state)
{
	uint32_t whole;

	(void)state;
	expect_done(SMALL_HALF_CLOSE, 0);
	whole = explore.visited.n;
	explore_free(&explore);
	begin(SMALL_HALF_CLOSE, 0);
	assert_int_equal(explore_run(&explore, 5), EXPLORE_DONE);
	assert_true(explore.cut > 0);
	assert_int_equal(explore.deepest, 5);
	assert_true(explore.visited.n < whole);
	explore_free(&explore);
	begin(SMALL_HALF_CLOSE, 0);
	assert_int_equal(explore_run(&explore, 100), EXPLORE_DONE);
	assert_int_equal(explore.visited.n, whole);
	assert_int_equal(explore.cut, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_faults_all_is_well),
		TEST(half_close_with_a_fault),
		TEST(simultaneous_close_meets_in_closing),
		TEST(is_the_same_each_time),
		TEST(states_go_together_or_not),
		TEST(a_fin_that_never_comes_is_found),
		TEST(acks_that_never_come_are_found),
		TEST(a_world_without_a_way_out_is_found),
		TEST(depth_is_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
