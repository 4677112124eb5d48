/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/rng.h"

#include <string.h>

/* The naive way: the n bytes as digits of base 256. */
static uint64_t digits(const uint8_t *p, int n, bool big)
{
	uint64_t v = 0;

	for (int i = 0; i < n; i++)
		v = v * 256 + p[big ? i : n - 1 - i];
	return v;
}

static void test_get(void **state)
{
	struct rng r = rng(1, 0);
	uint8_t b[16];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		const uint8_t *p = b + round % 8;

		for (int i = 0; i < 16; i++)
			b[i] = (uint8_t)rng_next(&r);
		assert_int_equal(get_be8(p), digits(p, 1, true));
		assert_int_equal(get_be16(p), digits(p, 2, true));
		assert_int_equal(get_be24(p), digits(p, 3, true));
		assert_int_equal(get_be32(p), digits(p, 4, true));
		assert_int_equal(get_be64(p), digits(p, 8, true));
		assert_int_equal(get_le16(p), digits(p, 2, false));
		assert_int_equal(get_le24(p), digits(p, 3, false));
		assert_int_equal(get_le32(p), digits(p, 4, false));
		assert_int_equal(get_le64(p), digits(p, 8, false));
	}
}

static void test_known_bytes(void **state)
{
	const uint8_t b[8] = {0xf1, 2, 3, 4, 5, 6, 7, 0xf8};

	(void)state;
	assert_int_equal(get_be16(b), 0xf102);
	assert_int_equal(get_be24(b), 0xf10203);
	assert_int_equal(get_be32(b), 0xf1020304);
	assert_int_equal(get_be64(b), 0xf1020304050607f8);
	assert_int_equal(get_le16(b), 0x02f1);
	assert_int_equal(get_le64(b), 0xf8070605040302f1);
}

/* What put writes get reads, and the bytes on both sides are left alone. */
#define CHECK_PUT(name, bits, value)                                     \
	do {                                                             \
		uint8_t b[12];                                           \
		uint64_t want = (value) & (UINT64_MAX >> (64 - (bits))); \
		memset(b, 0xa5, sizeof b);                               \
		put_##name(b + 1, (value));                              \
		assert_int_equal(get_##name(b + 1), want);               \
		assert_int_equal(b[0], 0xa5);                            \
		for (size_t i = 1 + (bits) / 8; i < sizeof b; i++)       \
			assert_int_equal(b[i], 0xa5);                    \
	} while (0)

static void test_put(void **state)
{
	struct rng r = rng(2, 0);

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint64_t v = rng_next(&r);

		CHECK_PUT(be8, 8, (uint8_t)v);
		CHECK_PUT(be16, 16, (uint16_t)v);
		CHECK_PUT(be24, 24, (uint32_t)v);
		CHECK_PUT(be32, 32, (uint32_t)v);
		CHECK_PUT(be64, 64, v);
		CHECK_PUT(le16, 16, (uint16_t)v);
		CHECK_PUT(le24, 24, (uint32_t)v);
		CHECK_PUT(le32, 32, (uint32_t)v);
		CHECK_PUT(le64, 64, v);
		CHECK_PUT(ne64, 64, v);
	}
}

/* The machine's order is one of the two. */
static void test_native(void **state)
{
	const uint8_t b[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
	const uint16_t one = 1;
	bool big = *(const uint8_t *)&one == 0;

	(void)state;
	assert_int_equal(get_ne16(b + 1), digits(b + 1, 2, big));
	assert_int_equal(get_ne32(b + 1), digits(b + 1, 4, big));
	assert_int_equal(get_ne64(b + 1), digits(b + 1, 8, big));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_known_bytes),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_native),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
