/* SPDX-License-Identifier: MIT */
/*
 * What the tests of parsers share: bytes that end where the allocation ends, so that a sanitizer
 * sees a read behind them; random bytes; and a checksum computed the slow way.
 */
#ifndef TESTS_WIRE_BYTES_H
#define TESTS_WIRE_BYTES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

/* A copy with nothing behind it; free() it. */
static inline uint8_t *exact_copy(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	if (len == 0)
		return copy;
	memcpy(copy, bytes, len);
	return copy;
}

static inline void fill_random(struct rng *r, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)rng_next(r);
}

/* The sum of big-endian words, one by one; 0xffff over anything that holds its own checksum. */
static inline uint16_t naive_sum(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)sum;
}

#endif
