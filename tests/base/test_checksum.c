/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/checksum.h"
#include "base/rng.h"

#include <string.h>

#define MAX 2000

/* RFC 1071 by the letter: 16-bit words in network order, one carry at a time. */
static uint16_t naive(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		if (sum > 0xffff)
			sum = sum - 0x10000 + 1;
	}
	return (uint16_t)~sum;
}

/* Random, or full of the bytes that make carries. */
static void fill(struct rng *r, uint8_t *p, size_t len)
{
	uint64_t kind = rng_below(r, 4);

	for (size_t i = 0; i < len; i++)
		p[i] = kind == 0 ? 0 : kind == 1 ? 0xff : (uint8_t)rng_next(r);
}

/* RFC 1071 section 3: the words 0001 f203 f4f5 f6f7 sum to ddf2. */
static void test_rfc_example(void **state)
{
	const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(checksum_fold(checksum_sum(data, 8)), 0xffff - 0xddf2);
	assert_int_equal(checksum_fold(checksum_sum(data, 0)), 0xffff);
	assert_int_equal(checksum_fold(checksum_sum(data + 1, 1)), 0xffff - 0x0100);
}

static void test_every_length(void **state)
{
	struct rng r = rng(20, 0);
	uint8_t data[MAX + 8];

	(void)state;
	for (size_t len = 0; len <= MAX; len++) {
		const uint8_t *p = data + rng_below(&r, 8);

		fill(&r, data, sizeof data);
		assert_int_equal(checksum_fold(checksum_sum(p, len)), naive(p, len));
	}
}

static void test_copy(void **state)
{
	struct rng r = rng(21, 0);
	uint8_t data[MAX + 8], copy[MAX + 16], want[MAX + 16];

	(void)state;
	for (size_t len = 0; len <= MAX; len++) {
		const uint8_t *p = data + rng_below(&r, 8);
		size_t at = rng_below(&r, 8);
		uint64_t sum;

		fill(&r, data, sizeof data);
		memset(copy, 0x5a, sizeof copy);
		memset(want, 0x5a, sizeof want);
		memcpy(want + at, p, len);
		sum = checksum_copy_sum(copy + at, p, len);
		assert_int_equal(checksum_fold(sum), naive(p, len));
		assert_memory_equal(copy, want, sizeof copy);
	}
}

/* However the data is cut, in whatever order the pieces are added, with either routine. */
static void test_pieces(void **state)
{
	struct rng r = rng(22, 0);
	uint8_t data[MAX], copy[MAX];
	size_t cut[MAX + 1];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t len = rng_below(&r, MAX), n = 0;
		uint64_t forward = 0, backward = 0;

		fill(&r, data, len);
		for (cut[0] = 0; cut[n] < len; n++) {
			cut[n + 1] = cut[n] + 1 + rng_below(&r, len - cut[n]);
			forward = checksum_add_at(forward, data + cut[n], cut[n + 1] - cut[n],
						  cut[n]);
		}
		while (n-- > 0) {
			size_t at = cut[n];
			uint64_t part = checksum_copy_sum(copy + at, data + at, cut[n + 1] - at);

			backward = checksum_combine_at(backward, part, at);
		}
		assert_int_equal(checksum_fold(forward), naive(data, len));
		assert_int_equal(checksum_fold(backward), naive(data, len));
		assert_memory_equal(copy, data, len);
	}
}

/* checksum_add() is for pieces that begin at even offsets. */
static void test_even_pieces(void **state)
{
	uint8_t data[101];
	struct rng r = rng(26, 0);

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)rng_next(&r);
	for (size_t at = 0; at < sizeof data; at += 2) {
		uint64_t sum = checksum_add(0, data, at);

		sum = checksum_add(sum, data + at, sizeof data - at);
		assert_int_equal(checksum_fold(sum), naive(data, sizeof data));
	}
}

/* A sum of 64 bits that overflows keeps its carry. */
static void test_carry(void **state)
{
	uint64_t sum = 0;
	uint32_t naive_sum = 0;
	struct rng r = rng(23, 0);

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t part = rng_next(&r);

		sum = checksum_combine(sum, part);
		for (int k = 0; k < 64; k += 16) {
			naive_sum += (uint32_t)(part >> k & 0xffff);
			naive_sum = (naive_sum & 0xffff) + (naive_sum >> 16);
		}
	}
	/* In the machine's order: both are brought to the network's the same way. */
	assert_int_equal(checksum_fold(sum), checksum_fold(naive_sum));
	assert_int_equal(checksum_fold(UINT64_MAX), 0);
	assert_int_equal(checksum_combine(UINT64_MAX, UINT64_MAX), UINT64_MAX);
	assert_int_equal(checksum_combine(UINT64_MAX, 1), 1);
}

static void test_words(void **state)
{
	struct rng r = rng(24, 0);

	(void)state;
	for (int round = 0; round < 1000; round++) {
		uint32_t v = (uint32_t)rng_next(&r);
		uint8_t b[6];
		uint64_t sum = checksum_combine(checksum_word32(v), checksum_word16((uint16_t)v));

		put_be32(b, v);
		put_be16(b + 4, (uint16_t)v);
		assert_int_equal(checksum_fold(sum), naive(b, 6));
	}
}

/* As in a packet: stored, then verified; any one damaged bit is seen. */
static void test_verify(void **state)
{
	struct rng r = rng(25, 0);
	uint8_t p[61];

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t len = 20 + rng_below(&r, 42);

		fill(&r, p, len);
		put_be16(p, 0x4500); /* no header is all zeros */
		put_be16(p + 16, 0);
		put_be16(p + 16, checksum_fold(checksum_sum(p, len)));
		assert_int_equal(checksum_fold(checksum_sum(p, len)), 0);
		for (size_t bit = 0; bit < len * 8; bit++) {
			p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_not_equal(checksum_fold(checksum_sum(p, len)), 0);
			p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_example), cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_copy),	    cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_even_pieces), cmocka_unit_test(test_carry),
		cmocka_unit_test(test_words),	    cmocka_unit_test(test_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
