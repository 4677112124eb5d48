/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

/* Published first outputs of SplitMix64 from the seed 1234567. */
static void test_reference(void **state)
{
	const uint64_t want[] = {
		6457827717110365317u, 3203168211198807973u,  9817491932198370423u,
		4593380528125082431u, 16408922859458223821u,
	};
	struct rng r = rng(1234567, 0);

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(rng_next(&r), want[i]);
}

static void test_repeats(void **state)
{
	struct rng a = rng(5, 6), b = rng(5, 6);

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(rng_next(&a), rng_next(&b));
}

/* Neighbouring seeds and streams have nothing to do with each other: half of the bits differ. */
static void test_streams_differ(void **state)
{
	uint64_t bits = 0;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		struct rng a = rng(i / 10, i % 10), b = rng(i / 10, i % 10 + 1);
		struct rng c = rng(i / 10 + 1, i % 10);
		uint64_t x = rng_next(&a);

		bits += (uint64_t)__builtin_popcountll(x ^ rng_next(&b));
		bits += (uint64_t)__builtin_popcountll(x ^ rng_next(&c));
	}
	assert_in_range(bits, 63000, 65000);
}

/* Each value comes as often as the others: 6 standard deviations of room. */
static void test_below(void **state)
{
	struct rng r = rng(10, 1);
	uint32_t seen[7] = {0};

	(void)state;
	for (int i = 0; i < 70000; i++) {
		uint64_t x = rng_below(&r, 7);

		assert_true(x < 7);
		seen[x]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 10000 - 556, 10000 + 556);
	assert_int_equal(rng_below(&r, 0), 0);
	assert_int_equal(rng_below(&r, 1), 0);
}

/* A plain remainder would put a third more into the lower part of 3 * 2^62. */
static void test_below_is_unbiased(void **state)
{
	struct rng r = rng(11, 1);
	uint64_t n = 3ull << 62;
	uint32_t low = 0;

	(void)state;
	for (int i = 0; i < 30000; i++)
		low += rng_below(&r, n) < 1ull << 62;
	assert_in_range(low, 10000 - 490, 10000 + 490);
}

static void test_chance(void **state)
{
	struct rng r = rng(12, 1), twin = r;
	uint32_t hits = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		assert_false(rng_chance(&r, 0));
		assert_true(rng_chance(&r, RNG_PPM));
		hits += rng_chance(&r, 10000);
	}
	assert_in_range(hits, 1000 - 190, 1000 + 190);
	/* One draw each, whatever the chance. */
	for (int i = 0; i < 300000; i++)
		rng_next(&twin);
	assert_int_equal(rng_next(&r), rng_next(&twin));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference),	  cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_streams_differ),	  cmocka_unit_test(test_below),
		cmocka_unit_test(test_below_is_unbiased), cmocka_unit_test(test_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
