/* SPDX-License-Identifier: MIT */
/*
 * A small deterministic generator (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom
 * number generators", 2014), for the path model, the simulator and tests. Not for secrets: what a
 * host draws comes from base/siphash.h.
 *
 * Each purpose draws from a stream of its own, so that what one draws never shifts another.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdbool.h>
#include <stdint.h>

#define RNG_PPM 1000000u

struct rng {
	uint64_t state;
};

/* A generator of stream number stream of seed. Same two, same draws. */
struct rng rng(uint64_t seed, uint64_t stream);

/* The next 64 bits. */
uint64_t rng_next(struct rng *r);

/* The next number below n, each as likely as any other; 0 when n is 0. */
uint64_t rng_below(struct rng *r, uint64_t n);

/* True ppm times in a million; always from 1,000,000 on. Draws in every case. */
bool rng_chance(struct rng *r, uint32_t ppm);

#endif
