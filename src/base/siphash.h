/* SPDX-License-Identifier: MIT */
/*
 * SipHash-2-4 with 64 bits of result (Aumasson, Bernstein: "SipHash: a fast short-input PRF"):
 * a hash that nobody can steer without the 128-bit key. ISNs, ports, cookies and every other
 * draw of a host come from it; tables use SipHash-1-3, below.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

/* The key from its 16 bytes, as the reference reads them. */
struct siphash_key siphash_key(const uint8_t bytes[16]);

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

/*
 * The same for n 64-bit words: what siphash() gives for the 8 * n bytes of the words in
 * little-endian order, on every machine.
 */
uint64_t siphash_words(const struct siphash_key *key, const uint64_t *words, size_t n);

/*
 * SipHash-1-3 of n words: half the work, for hash tables, whose values nobody outside ever sees.
 * Not for anything that leaves the host.
 */
uint64_t siphash13_words(const struct siphash_key *key, const uint64_t *words, size_t n);

#endif
