/* SPDX-License-Identifier: MIT */
/*
 * Long pieces go by blocks of four vectors of two 64-bit words. Each word is split into its 32-bit
 * halves, and both are added to a 64-bit sum: no carry to look after, and nothing waits for
 * anything else. Written with vector types, because not every compiler finds them by itself; where
 * the machine has none they become plain words. A sum gains less than 2^35 a block, so it cannot
 * overflow before 2^29 blocks: 32 GiB.
 */
#include "base/checksum.h"

typedef uint64_t pair __attribute__((vector_size(16)));

#define BLOCK (4 * sizeof(pair))

static inline pair get_pair(const uint8_t *p)
{
	pair v;

	__builtin_memcpy(&v, p, sizeof v);
	return v;
}

static inline void put_pair(uint8_t *p, pair v)
{
	__builtin_memcpy(p, &v, sizeof v);
}

static inline pair halves(pair v)
{
	const pair low = {0xffffffff, 0xffffffff};

	return (v & low) + (v >> 32);
}

static inline uint64_t get_halves(const uint8_t *p)
{
	uint64_t word = get_ne64(p);

	return (word & 0xffffffff) + (word >> 32);
}

/* The sum of less than a block: too little to overflow. Each step is at an even distance. */
static uint64_t rest(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (; len >= 8; len -= 8, p += 8)
		sum += get_halves(p);
	if (len & 4) {
		sum += get_ne32(p);
		p += 4;
	}
	if (len & 2) {
		sum += get_ne16(p);
		p += 2;
	}
	if (len & 1)
		sum += get_ne16((const uint8_t[2]){p[0], 0});
	return sum;
}

static void copy_rest(uint8_t *to, const uint8_t *from, size_t len)
{
	for (; len >= 8; len -= 8, from += 8, to += 8)
		put_ne64(to, get_ne64(from));
	for (size_t i = 0; i < len; i++)
		to[i] = from[i];
}

uint64_t checksum_sum(const void *data, size_t len)
{
	const uint8_t *p = data;
	pair a = {0}, b = {0};

	for (; len >= BLOCK; len -= BLOCK, p += BLOCK) {
		a += halves(get_pair(p)) + halves(get_pair(p + 16));
		b += halves(get_pair(p + 32)) + halves(get_pair(p + 48));
	}
	a += b;
	return checksum_combine(checksum_combine(a[0], a[1]), rest(p, len));
}

uint64_t checksum_copy_sum(void *dst, const void *src, size_t len)
{
	const uint8_t *from = src;
	uint8_t *to = dst;
	pair a = {0}, b = {0};

	for (; len >= BLOCK; len -= BLOCK, from += BLOCK, to += BLOCK) {
		pair v0 = get_pair(from), v1 = get_pair(from + 16);
		pair v2 = get_pair(from + 32), v3 = get_pair(from + 48);

		put_pair(to, v0);
		put_pair(to + 16, v1);
		put_pair(to + 32, v2);
		put_pair(to + 48, v3);
		a += halves(v0) + halves(v1);
		b += halves(v2) + halves(v3);
	}
	a += b;
	copy_rest(to, from, len);
	return checksum_combine(checksum_combine(a[0], a[1]), rest(from, len));
}
