/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/siphash.h"

/*
 * The hashes of the first n bytes of 00 01 02 .. 3e for n = 0 .. 63, under the key 00 01 .. 0f:
 * the messages of the reference's own test. The one for n = 15 is printed in the paper, appendix A.
 */
static const uint64_t reference[64] = {
	0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
	0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
	0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
	0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
	0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
	0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
	0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
	0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
	0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
	0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
	0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
	0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
	0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
	0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
	0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
	0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};

static struct siphash_key counting_key(void)
{
	uint8_t bytes[16];

	for (int i = 0; i < 16; i++)
		bytes[i] = (uint8_t)i;
	return siphash_key(bytes);
}

static void test_reference(void **state)
{
	struct siphash_key key = counting_key();
	uint8_t data[65];

	(void)state;
	for (int i = 0; i < 64; i++)
		data[i + 1] = (uint8_t)i;
	for (size_t n = 0; n < 64; n++)
		assert_int_equal(siphash(&key, data + 1, n), reference[n]);
	assert_int_equal(reference[15], 0xa129ca6149be45e5);
}

static void test_words(void **state)
{
	struct siphash_key key = counting_key();
	struct rng r = rng(9, 0);
	uint64_t words[40];
	uint8_t bytes[sizeof words];

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		words[i] = rng_next(&r);
		put_le64(bytes + 8 * i, words[i]);
	}
	/* Past 32 words the length no longer fits its byte. */
	for (size_t n = 0; n <= 40; n++)
		assert_int_equal(siphash_words(&key, words, n), siphash(&key, bytes, 8 * n));
}

static void test_key_matters(void **state)
{
	struct siphash_key a = {1, 2}, b = {1, 3}, c = {2, 2};

	(void)state;
	assert_int_not_equal(siphash(&a, "x", 1), siphash(&b, "x", 1));
	assert_int_not_equal(siphash(&a, "x", 1), siphash(&c, "x", 1));
}

/* SipHash-c-d as its paper puts it, one step after the other. */
static uint64_t naive(const struct siphash_key *key, const uint64_t *words, size_t n, int c, int d)
{
	uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575, key->k1 ^ 0x646f72616e646f6d,
			 key->k0 ^ 0x6c7967656e657261, key->k1 ^ 0x7465646279746573};

	for (size_t i = 0; i <= n + 1; i++) {
		uint64_t m = i < n ? words[i] : i == n ? (uint64_t)(8 * n) << 56 : 0;

		if (i <= n)
			v[3] ^= m;
		else
			v[2] ^= 0xff;
		for (int r = 0; r < (i <= n ? c : d); r++) {
			v[0] += v[1];
			v[1] = (v[1] << 13 | v[1] >> 51) ^ v[0];
			v[0] = v[0] << 32 | v[0] >> 32;
			v[2] += v[3];
			v[3] = (v[3] << 16 | v[3] >> 48) ^ v[2];
			v[0] += v[3];
			v[3] = (v[3] << 21 | v[3] >> 43) ^ v[0];
			v[2] += v[1];
			v[1] = (v[1] << 17 | v[1] >> 47) ^ v[2];
			v[2] = v[2] << 32 | v[2] >> 32;
		}
		if (i <= n)
			v[0] ^= m;
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void test_naive(void **state)
{
	struct rng r = rng(13, 0);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct siphash_key key = {rng_next(&r), rng_next(&r)};
		uint64_t words[8];
		size_t n = (size_t)rng_below(&r, 9);

		for (size_t k = 0; k < n; k++)
			words[k] = rng_next(&r);
		assert_true(siphash_words(&key, words, n) == naive(&key, words, n, 2, 4));
		assert_true(siphash13_words(&key, words, n) == naive(&key, words, n, 1, 3));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_key_matters),
		cmocka_unit_test(test_naive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
