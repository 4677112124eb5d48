/* SPDX-License-Identifier: MIT */
/* Hosts that put their turns off: what they send, take in and let expire waits, and no longer. */
#include "sim/host.h"
#include "sim/lan.h"
#include "sim/scenario_text.h"
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARENA ((size_t)64 << 20)
#define EVERY PARLEY_MS(7)
#define BOB   1

/* What bob was seen to do on his grid, and off it. */
struct seen {
	unsigned sent, sent_off, came, came_off, fired, fired_off;
	uint64_t sent_at; /* and how often at one time, now and at most */
	unsigned at_once, most_at_once;
};

static void *base;
static struct sim_scenario scenario;
static struct sim_world *world;
static struct seen seen;

static int set_up(void **state)
{
	(void)state;
	base = aligned_alloc(SIM_ARENA_ALIGN, ARENA);
	return base ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(base);
	return 0;
}

static void on_frame(void *context, const struct sim_sight *sight)
{
	(void)context;
	if (sight->fate != SIM_SENT || sight->from != BOB)
		return;
	seen.sent++;
	seen.sent_off += sight->at % EVERY != 0;
	seen.at_once = sight->at == seen.sent_at ? seen.at_once + 1 : 1;
	seen.sent_at = sight->at;
	if (seen.at_once > seen.most_at_once)
		seen.most_at_once = seen.at_once;
}

static void on_trace(void *context, int host, const struct parley_trace_event *event)
{
	bool off = event->now % EVERY != 0;

	(void)context;
	if (host != BOB)
		return;
	seen.came += event->kind == PARLEY_TRACE_SEGMENT_IN;
	seen.came_off += event->kind == PARLEY_TRACE_SEGMENT_IN && off;
	seen.fired += event->kind == PARLEY_TRACE_TIMER;
	seen.fired_off += event->kind == PARLEY_TRACE_TIMER && off;
}

/* Bob sends 480000 bytes over a bad link, and what is said of him beside. */
static void run(const char *bob)
{
	const struct sim_hooks hooks = {NULL, on_trace, on_frame};
	struct sim_complaint complaint;
	const char *wrong;
	char text[512];

	snprintf(text, sizeof text,
		 "seed 3\nheal 100s\nlimit 1000s\ncheck 1\nhost ann\nhost bob %s\nlan\n"
		 "port ann 1 delay=10ms jitter=2ms loss=3%%\nport bob 1 delay=10ms loss=3%%\n"
		 "work ping-pong ann bob port=1 bytes=40000 count=12\n",
		 bob);
	memset(&seen, 0, sizeof seen);
	if (!sim_scenario_read(&scenario, text, strlen(text), &complaint))
		fail_msg("line %u: %s", complaint.line, complaint.text);
	world = sim_stage_new(base, ARENA, &scenario, &hooks, &wrong);
	if (!world)
		fail_msg("%s", wrong);
	if (sim_stage_run(world) != SIM_SETTLED)
		fail_msg("%s", world->failure.text);
	assert_true(seen.sent > 100 && seen.came > 100 && seen.fired > 5);
}

static void without_a_grid_nothing_waits(void **state)
{
	(void)state;
	run("batch=4 takes=1 ring=1 late-timers=1");
	assert_true(seen.sent_off > 100 && seen.came_off > 100 && seen.fired_off > 5);
	assert_true(seen.most_at_once > 2);
	assert_int_equal(world->coverage.mishap[SIM_MISHAP_LATE_TURN], 0);
}

static void what_is_sent_waits_for_the_turn(void **state)
{
	(void)state;
	run("turn=7ms");
	assert_int_equal(seen.sent_off, 0);
	assert_true(seen.came_off > 100 && seen.fired_off > 5);
	assert_true(world->coverage.mishap[SIM_MISHAP_LATE_TURN] > 10);
	assert_int_equal(world->coverage.mishap[SIM_MISHAP_BATCH], 0);
	assert_int_equal(world->coverage.mishap[SIM_MISHAP_CHOKED], 0);
}

static void enough_that_happens_brings_the_turn_on(void **state)
{
	(void)state;
	run("turn=7ms batch=3");
	assert_true(seen.sent_off > 10 && seen.sent_off < seen.sent);
}

static void frames_in_the_ring_go_in_together(void **state)
{
	(void)state;
	run("turn=7ms ring=1");
	assert_int_equal(seen.came_off, 0);
	assert_true(seen.fired_off > 5);
	assert_true(world->coverage.mishap[SIM_MISHAP_BATCH] > 10);
}

static void late_timers_wait_for_the_turn(void **state)
{
	(void)state;
	run("turn=7ms late-timers=1");
	assert_int_equal(seen.fired_off, 0);
	assert_true(seen.came_off > 100);
}

static void a_port_takes_no_more_than_it_can(void **state)
{
	(void)state;
	run("turn=7ms takes=2");
	assert_int_equal(seen.sent_off, 0);
	assert_int_equal(seen.most_at_once, 2);
	assert_true(world->coverage.mishap[SIM_MISHAP_CHOKED] > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_grid_nothing_waits),
		cmocka_unit_test(what_is_sent_waits_for_the_turn),
		cmocka_unit_test(enough_that_happens_brings_the_turn_on),
		cmocka_unit_test(frames_in_the_ring_go_in_together),
		cmocka_unit_test(late_timers_wait_for_the_turn),
		cmocka_unit_test(a_port_takes_no_more_than_it_can),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
