/* SPDX-License-Identifier: MIT */
#include "base/siphash.h"

#include "base/bytes.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

/* The constants spell "somepseudorandomlygeneratedbytes". */
static inline struct sip sip_start(const struct siphash_key *key)
{
	return (struct sip){
		.v0 = key->k0 ^ 0x736f6d6570736575,
		.v1 = key->k1 ^ 0x646f72616e646f6d,
		.v2 = key->k0 ^ 0x6c7967656e657261,
		.v3 = key->k1 ^ 0x7465646279746573,
	};
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

/* The last word: up to 7 bytes that are left over, below the length modulo 256. */
static inline uint64_t sip_finish(struct sip *s, uint64_t rest, size_t len)
{
	sip_word(s, rest | (uint64_t)len << 56);
	s->v2 ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

struct siphash_key siphash_key(const uint8_t bytes[16])
{
	return (struct siphash_key){get_le64(bytes), get_le64(bytes + 8)};
}

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len)
{
	struct sip s = sip_start(key);
	const uint8_t *p = data;
	uint64_t rest = 0;
	size_t i;

	for (i = 0; i < len / 8; i++, p += 8)
		sip_word(&s, get_le64(p));
	for (i = 0; i < len % 8; i++)
		rest |= (uint64_t)p[i] << 8 * i;
	return sip_finish(&s, rest, len);
}

uint64_t siphash13_words(const struct siphash_key *key, const uint64_t *words, size_t n)
{
	struct sip s = sip_start(key);

	for (size_t i = 0; i <= n; i++) {
		uint64_t word = i < n ? words[i] : (uint64_t)n * 8 << 56;

		s.v3 ^= word;
		sip_round(&s);
		s.v0 ^= word;
	}
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash_words(const struct siphash_key *key, const uint64_t *words, size_t n)
{
	struct sip s = sip_start(key);

	for (size_t i = 0; i < n; i++)
		sip_word(&s, words[i]);
	return sip_finish(&s, 0, n * 8);
}
