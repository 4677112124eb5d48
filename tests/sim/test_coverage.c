/* SPDX-License-Identifier: MIT */
/* What worlds covered, added up. */
#include "sim/coverage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct sim_tally tally, other;
static struct sim_coverage coverage;

static void add(struct sim_tally *to, uint64_t segments, uint64_t seed)
{
	memset(&coverage, 0, sizeof coverage);
	coverage.segments = segments;
	coverage.edge[PARLEY_ESTABLISHED][PARLEY_CLOSE_WAIT] = 2;
	coverage.drop[PARLEY_DROP_MEMORY] = 3;
	sim_tally_add(to, &coverage, seed, seed * 7, 10);
}

static int set_up(void **state)
{
	(void)state;
	memset(&tally, 0, sizeof tally);
	memset(&other, 0, sizeof other);
	return 0;
}

static void the_median_is_rounded_down_by_less_than_an_eighth(void **state)
{
	(void)state;
	assert_int_equal(sim_tally_median(&tally), 0);
	for (uint64_t n = 1; n < 3000000; n = n * 5 / 4 + 1) {
		uint64_t median;

		set_up(NULL);
		add(&tally, 0, 1);
		add(&tally, n, 2);
		add(&tally, n * 9, 3);
		median = sim_tally_median(&tally);
		assert_true(median <= n && median * 8 + 7 >= n * 7);
		if (n < 16)
			assert_int_equal(median, n);
	}
}

static void parts_add_up_to_the_whole_in_any_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 9; seed++)
		add(&tally, seed * 100, seed);
	for (uint64_t seed = 9; seed >= 5; seed--)
		add(&other, seed * 100, seed);
	{
		static struct sim_tally rest;

		for (uint64_t seed = 1; seed <= 4; seed++)
			add(&rest, seed * 100, seed);
		sim_tally_join(&other, &rest);
	}
	assert_memory_equal(&tally, &other, sizeof tally);
	assert_int_equal(tally.worlds, 9);
	assert_int_equal(tally.events, 90);
	assert_int_equal(tally.segments, 4500);
	assert_int_equal(tally.count[0][PARLEY_ESTABLISHED * PARLEY_STATES + PARLEY_CLOSE_WAIT],
			 18);
	assert_int_equal(tally.count[1][PARLEY_DROP_MEMORY], 27);
}

static void the_digest_tells_who_ended_how(void **state)
{
	(void)state;
	memset(&coverage, 0, sizeof coverage);
	sim_tally_add(&tally, &coverage, 1, 10, 0);
	sim_tally_add(&tally, &coverage, 2, 20, 0);
	sim_tally_add(&other, &coverage, 1, 20, 0);
	sim_tally_add(&other, &coverage, 2, 10, 0);
	assert_true(tally.digest != other.digest);
}

/* 26 edges that the engine has (docs/states.md), and each item of all groups has a name. */
static void every_item_has_a_name(void **state)
{
	unsigned edges = 0;

	(void)state;
	for (uint32_t g = 0; g < SIM_COVER_GROUPS; g++) {
		const struct sim_cover_group *group = sim_cover_group(g);

		assert_true(group->n <= SIM_COVER_ITEMS);
		for (uint32_t i = 0; i < group->n; i++) {
			char name[48];
			struct sim_text text;

			sim_text_init(&text, name, sizeof name);
			if (!group->item(i, &text))
				continue;
			edges += g == 0;
			assert_true(*name && !strchr(name, '?') && !text.cut);
		}
	}
	assert_int_equal(edges, 26);
	assert_null(sim_cover_group(SIM_COVER_GROUPS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_median_is_rounded_down_by_less_than_an_eighth, set_up),
		cmocka_unit_test_setup(parts_add_up_to_the_whole_in_any_order, set_up),
		cmocka_unit_test_setup(the_digest_tells_who_ended_how, set_up),
		cmocka_unit_test_setup(every_item_has_a_name, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
