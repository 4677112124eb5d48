/* SPDX-License-Identifier: MIT */
#include "base/rng.h"

#define GAMMA 0x9e3779b97f4a7c15 /* 2^64 / golden ratio, odd: the state visits all 2^64 values */

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/*
 * All streams run through the same cycle, so they must start far apart on it: where, is scattered
 * by mixing both numbers. Stream 0 of a seed is SplitMix64 itself, from that seed.
 */
struct rng rng(uint64_t seed, uint64_t stream)
{
	return (struct rng){stream ? mix(mix(seed) + stream * GAMMA) : seed};
}

uint64_t rng_next(struct rng *r)
{
	r->state += GAMMA;
	return mix(r->state);
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
	uint64_t x, uneven;

	if (n == 0) {
		rng_next(r);
		return 0;
	}
	/* The lowest 2^64 % n values would be one too many: draw again. */
	uneven = (0 - n) % n;
	do
		x = rng_next(r);
	while (x < uneven);
	return x % n;
}

bool rng_chance(struct rng *r, uint32_t ppm)
{
	return rng_below(r, RNG_PPM) < ppm;
}
