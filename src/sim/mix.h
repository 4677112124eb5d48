/* SPDX-License-Identifier: MIT */
/*
 * Mixing of numbers, for the digest of a run, for hash tables of the simulator and for the bytes
 * that users send. Not for secrets. The same on all machines.
 */
#ifndef SIM_MIX_H
#define SIM_MIX_H

#include "base/bytes.h"

#include <parley/types.h>

#include <stddef.h>
#include <stdint.h>

/* Every bit of v comes to bear on every bit of the result (the finaliser of SplitMix64). */
static inline uint64_t mix64(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
	v = (v ^ v >> 27) * 0x94d049bb133111ebu;
	return v ^ v >> 31;
}

/* Joins one number to a digest; order matters. */
static inline uint64_t mix_word(uint64_t digest, uint64_t v)
{
	digest = (digest ^ v) * 0x9fb21c651e98df25u;
	return digest ^ digest >> 32;
}

static inline uint64_t mix_bytes(uint64_t digest, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8)
		digest = mix_word(digest, get_le64(p));
	for (; left; left--, p++)
		digest = mix_word(digest, *p);
	return mix_word(digest, len);
}

static inline uint64_t mix_endpoint(uint64_t digest, const struct parley_endpoint *e)
{
	return mix_word(mix_bytes(digest, e->addr.b, sizeof e->addr.b), e->port);
}

#endif
