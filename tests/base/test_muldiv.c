/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/muldiv.h"
#include "base/rng.h"

/* The model may use what the engine may not. */
__extension__ typedef unsigned __int128 wide;

static uint64_t naive(uint64_t a, uint64_t b, uint64_t c, bool up)
{
	wide product = (wide)a * b;
	wide q;

	if (c == 0)
		return UINT64_MAX;
	q = product / c + (up && product % c != 0);
	return q > UINT64_MAX ? UINT64_MAX : (uint64_t)q;
}

static void check(uint64_t a, uint64_t b, uint64_t c)
{
	assert_int_equal(muldiv_u64(a, b, c), naive(a, b, c, false));
	assert_int_equal(muldiv_up_u64(a, b, c), naive(a, b, c, true));
}

/* Values around powers of two are where digits carry. */
static uint64_t value(struct rng *r)
{
	uint64_t v = rng_next(r) >> rng_below(r, 64);

	switch (rng_below(r, 4)) {
	case 0:
		return (1ull << rng_below(r, 64)) + rng_below(r, 5) - 2;
	case 1:
		return UINT64_MAX - (v >> rng_below(r, 64));
	case 2:
		return v & 0xffffffff00000000;
	default:
		return v;
	}
}

static void test_random(void **state)
{
	struct rng r = rng(7, 0);

	(void)state;
	for (int round = 0; round < 300000; round++) {
		uint64_t a = value(&r), b = value(&r), c = value(&r);

		check(a, b, c);
	}
}

/* A divisor just above the product's upper half keeps the quotient at the full 64 bits. */
static void test_large_quotients(void **state)
{
	struct rng r = rng(8, 0);

	(void)state;
	for (int round = 0; round < 300000; round++) {
		uint64_t a = value(&r), b = value(&r);
		uint64_t hi = (uint64_t)((wide)a * b >> 64);

		check(a, b, hi + rng_below(&r, 4));
	}
}

static void test_edges(void **state)
{
	const uint64_t v[] = {
		0,
		1,
		2,
		3,
		UINT32_MAX - 1,
		UINT32_MAX,
		1ull << 32,
		1ull << 63,
		(1ull << 63) - 1,
		(1ull << 32) + 1,
		1ull << 31,
		UINT64_MAX,
		UINT64_MAX - 1,
		0xffffffff00000000,
		0xfffffffe00000001,
	};
	size_t n = sizeof v / sizeof v[0];

	(void)state;
	for (size_t i = 0; i < n * n * n; i++)
		check(v[i / n / n], v[i / n % n], v[i % n]);
}

static void test_meaning(void **state)
{
	(void)state;
	assert_int_equal(muldiv_u64(10, 10, 3), 33);
	assert_int_equal(muldiv_up_u64(10, 10, 3), 34);
	assert_int_equal(muldiv_up_u64(10, 9, 3), 30);
	assert_int_equal(muldiv_u64(UINT64_MAX, UINT64_MAX, UINT64_MAX), UINT64_MAX);
	assert_int_equal(muldiv_u64(UINT64_MAX, 2, 1), UINT64_MAX);
	assert_int_equal(muldiv_u64(0, 0, 0), UINT64_MAX);
	/* Rounding up may not wrap: the quotient is UINT64_MAX and something over. */
	assert_int_equal(muldiv_up_u64(UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 1), UINT64_MAX);
	assert_int_equal(muldiv_up_u64(0xfffffffffffffffe, 0x8000000000000001, 1ull << 63),
			 UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_large_quotients),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
