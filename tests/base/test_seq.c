/* SPDX-License-Identifier: MIT */
/*
 * The naive model is a stream of absolute 64-bit offsets, whose sequence numbers are their low 32
 * bits: comparing offsets with < is what comparing sequence numbers has to agree with, wherever
 * the stream stands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/seq.h"

/* Where the programs start: each near one of the places where numbers wrap. */
static const uint64_t starts[] = {
	1ull << 40,
	(1ull << 40) + INT32_MAX,
	(1ull << 40) + UINT32_MAX,
	(1ull << 40) + (3ull << 30),
	(1ull << 63) + 12345,
};

#define STARTS (sizeof starts / sizeof starts[0])

/* A distance of less than 2^31, often small, often nearly that. */
static int64_t distance(struct rng *r)
{
	int64_t n = (int64_t)rng_below(r, 1ull << 31);

	if (rng_chance(r, 300000))
		n = n % 5;
	else if (rng_chance(r, 300000))
		n = INT32_MAX - n % 5;
	return rng_chance(r, 500000) ? n : -n;
}

static struct seq number(uint64_t offset)
{
	return seq((uint32_t)offset);
}

static void compare(uint64_t x, uint64_t y)
{
	struct seq a = number(x), b = number(y);

	assert_int_equal(seq_diff(a, b), (int64_t)(x - y));
	assert_int_equal(seq_eq(a, b), x == y);
	assert_int_equal(seq_lt(a, b), x < y);
	assert_int_equal(seq_leq(a, b), x <= y);
	assert_int_equal(seq_gt(a, b), x > y);
	assert_int_equal(seq_geq(a, b), x >= y);
	assert_int_equal(seq_max(a, b).v, (uint32_t)(x > y ? x : y));
	assert_int_equal(seq_min(a, b).v, (uint32_t)(x < y ? x : y));
}

static void test_compare(void **state)
{
	struct rng r = rng(3, 0);

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint64_t x = starts[(size_t)round % STARTS] + (uint64_t)distance(&r) % 7;

		compare(x, x + (uint64_t)distance(&r));
	}
}

static void test_add_sub(void **state)
{
	struct rng r = rng(4, 0);

	(void)state;
	assert_int_equal(seq_add(seq(UINT32_MAX), 1).v, 0);
	assert_int_equal(seq_sub(seq(0), 1).v, UINT32_MAX);
	assert_int_equal(seq_add(seq(INT32_MAX), 1).v, 0x80000000u);
	for (int round = 0; round < 20000; round++) {
		uint64_t x = starts[(size_t)round % STARTS];
		uint32_t n = (uint32_t)rng_next(&r);

		assert_int_equal(seq_add(number(x), n).v, (uint32_t)(x + n));
		assert_int_equal(seq_sub(number(x), n).v, (uint32_t)(x - n));
	}
}

/* Windows of any size up to 2^32 - 1: wider than what the order of two numbers can span. */
static void test_between(void **state)
{
	struct rng r = rng(5, 0);

	(void)state;
	for (int round = 0; round < 40000; round++) {
		uint64_t left = starts[(size_t)round % STARTS] - rng_below(&r, 4);
		uint32_t wnd = (uint32_t)(rng_next(&r) >> rng_below(&r, 64));
		uint64_t x = left + (uint32_t)(rng_next(&r) >> rng_below(&r, 64));
		bool in;

		if (rng_chance(&r, 300000))
			x = left + wnd - 1 + rng_below(&r, 3);
		/* The offset that x can only mean: the first from left on with its number. */
		in = (x - left) % (1ull << 32) < wnd;
		assert_int_equal(seq_in_window(number(x), number(left), wnd), in);
		assert_int_equal(seq_between(number(left), number(x), number(left + wnd)), in);
	}
}

static void test_empty_window(void **state)
{
	(void)state;
	assert_false(seq_in_window(seq(7), seq(7), 0));
	assert_false(seq_between(seq(7), seq(7), seq(7)));
	assert_true(seq_in_window(seq(UINT32_MAX), seq(UINT32_MAX), 1));
	assert_false(seq_in_window(seq(0), seq(UINT32_MAX), 1));
	assert_false(seq_in_window(seq(UINT32_MAX), seq(0), 10));
}

static void test_offsets(void **state)
{
	struct rng r = rng(6, 0);
	uint32_t iss = 0xfffffff0;

	(void)state;
	for (int round = 0; round < 40000; round++) {
		uint64_t ref = starts[(size_t)round % STARTS];
		uint64_t x = ref + (uint64_t)distance(&r);
		struct seq ref_seq = seq((uint32_t)ref + iss), s = seq((uint32_t)x + iss);

		assert_int_equal(seq_to_offset(s, ref_seq, ref), x);
		assert_int_equal(seq_from_offset(x, ref_seq, ref).v, s.v);
		/* The way back holds for any distance. */
		x = rng_next(&r);
		assert_int_equal(seq_from_offset(x, ref_seq, ref).v, (uint32_t)x + iss);
	}
	/* Before the start of the stream. */
	assert_int_equal(seq_to_offset(seq(99), seq(100), 0), UINT64_MAX);
	/* 2^31 apart counts as before. */
	assert_int_equal(seq_to_offset(seq(0x80000000), seq(0), 1ull << 32), 1ull << 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare), cmocka_unit_test(test_add_sub),
		cmocka_unit_test(test_between), cmocka_unit_test(test_empty_window),
		cmocka_unit_test(test_offsets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
