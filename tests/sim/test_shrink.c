/* SPDX-License-Identifier: MIT */
/* Scenarios become as small as what makes them fail, and no smaller. */
#include "sim/draw.h"
#include "sim/scenario_text.h"
#include "sim/shrink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct sim_scenario scenario, before;

/* Two elements far apart, and a number that must not be too small. */
static bool needs_two(void *context, const struct sim_scenario *s)
{
	bool forged = false, worked = false;

	++*(unsigned *)context;
	for (uint32_t i = 0; i < s->count[SIM_LIST_forges]; i++)
		forged |= s->forges[i].kind == SIM_FORGE_OPTIONS;
	for (uint32_t i = 0; i < s->count[SIM_LIST_works]; i++)
		worked |= s->works[i].bytes >= 100;
	return forged && worked;
}

static uint64_t find_seed(void)
{
	unsigned calls = 0;

	for (uint64_t seed = 1;; seed++) {
		sim_draw(&scenario, seed);
		if (needs_two(&calls, &scenario))
			return seed;
	}
}

static void what_is_left_is_needed(void **state)
{
	unsigned calls = 0;
	struct sim_shrinking shrinking = {needs_two, &calls, 3000, 0};

	(void)state;
	find_seed();
	sim_shrink(&shrinking, &scenario);
	assert_true(needs_two(&calls, &scenario));
	assert_null(sim_scenario_check(&scenario));
	assert_int_equal(scenario.count[SIM_LIST_forges], 1);
	assert_int_equal(scenario.count[SIM_LIST_works], 1);
	assert_int_equal(scenario.count[SIM_LIST_hosts], 2);
	assert_int_equal(scenario.count[SIM_LIST_lans], 1);
	assert_int_equal(scenario.count[SIM_LIST_ports], 2);
	assert_int_equal(scenario.count[SIM_LIST_sets], 0);
	assert_int_equal(scenario.count[SIM_LIST_faults], 0);
	assert_true(scenario.works[0].bytes >= 100 && scenario.works[0].bytes < 200);
	assert_true(scenario.ports[0].path.loss == 0);
	assert_true(scenario.works[0].start == 0);
	for (uint32_t i = 0; i < 2; i++)
		assert_true(scenario.hosts[i].turns.every_ns == 0);
	assert_true(calls - 1 == shrinking.tries);
}

static void tries_are_counted_and_limited(void **state)
{
	unsigned calls = 0;
	struct sim_shrinking shrinking = {needs_two, &calls, 5, 0};

	(void)state;
	find_seed();
	sim_shrink(&shrinking, &scenario);
	assert_int_equal(calls, 5);
	assert_true(needs_two(&calls, &scenario));
}

static bool never(void *context, const struct sim_scenario *s)
{
	(void)context;
	(void)s;
	return false;
}

static void what_needs_all_of_it_stays(void **state)
{
	struct sim_shrinking shrinking = {never, NULL, 100000, 0};

	(void)state;
	sim_draw(&scenario, 1);
	before = scenario;
	sim_shrink(&shrinking, &scenario);
	assert_memory_equal(&before, &scenario, sizeof before);
	assert_true(shrinking.tries > 50 && shrinking.tries < 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_is_needed),
		cmocka_unit_test(tries_are_counted_and_limited),
		cmocka_unit_test(what_needs_all_of_it_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
