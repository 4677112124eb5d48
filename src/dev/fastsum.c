/* SPDX-License-Identifier: MIT */
/*
 * The sum of 16-bit words is that of the even bytes plus 256 times that of the odd ones (or the
 * other way round, on a machine that reads its words from the other end; these are all x86).
 *
 * AVX-512 VNNI: one instruction multiplies bytes by weights and adds four neighbours to a 32-bit
 * lane; with the weights 1 0 1 0 and 0 1 0 1 it gives both sums. A lane gains at most 510 a block,
 * so it cannot overflow in less than 2^23 blocks; the data is cut into runs of 2^20. What is left
 * at the end is read with a mask that leaves bytes behind it untouched.
 *
 * AVX2: as base/checksum.c, with vectors of four 64-bit words. A lane gains less than 2^33 a
 * vector, and so cannot overflow in 2^31 vectors.
 */
#include "dev/fastsum.h"

#include "base/checksum.h"

#include <stdbool.h>

static bool always(void)
{
	return true;
}

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2   __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

/* Below this a call of the portable routine costs less than setting vectors up. */
#define AVX2_LEAST 64
#define RUN	   ((size_t)64 << 20)

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vnni");
}

AVX2 static inline __m256i halves(__m256i v)
{
	const __m256i low = _mm256_set1_epi64x(0xffffffff);

	return _mm256_add_epi64(_mm256_and_si256(v, low), _mm256_srli_epi64(v, 32));
}

AVX2 static inline uint64_t join(__m256i a, __m256i b)
{
	__m256i all = _mm256_add_epi64(a, b);
	__m128i pair = _mm_add_epi64(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));

	return checksum_combine((uint64_t)_mm_extract_epi64(pair, 0),
				(uint64_t)_mm_extract_epi64(pair, 1));
}

AVX2 static inline __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static inline void store(uint8_t *p, __m256i v)
{
	_mm256_storeu_si256((__m256i *)(void *)p, v);
}

AVX2 static uint64_t avx2_sum(const void *data, size_t len)
{
	const uint8_t *p = data;
	__m256i a = _mm256_setzero_si256(), b = a;

	if (len < AVX2_LEAST)
		return checksum_sum(p, len);
	for (; len >= 128; len -= 128, p += 128) {
		a = _mm256_add_epi64(a, _mm256_add_epi64(halves(load(p)), halves(load(p + 32))));
		b = _mm256_add_epi64(b,
				     _mm256_add_epi64(halves(load(p + 64)), halves(load(p + 96))));
	}
	for (; len >= 32; len -= 32, p += 32)
		a = _mm256_add_epi64(a, halves(load(p)));
	return checksum_combine(join(a, b), checksum_sum(p, len));
}

AVX2 static uint64_t avx2_copy_sum(void *dst, const void *src, size_t len)
{
	const uint8_t *p = src;
	uint8_t *to = dst;
	__m256i a = _mm256_setzero_si256(), b = a;

	if (len < AVX2_LEAST)
		return checksum_copy_sum(to, p, len);
	for (; len >= 64; len -= 64, p += 64, to += 64) {
		__m256i v = load(p), w = load(p + 32);

		store(to, v);
		store(to + 32, w);
		a = _mm256_add_epi64(a, halves(v));
		b = _mm256_add_epi64(b, halves(w));
	}
	return checksum_combine(join(a, b), checksum_copy_sum(to, p, len));
}

/* Both sums as one number. */
AVX512 static inline uint64_t weigh(__m512i even, __m512i odd)
{
	__m512i low = _mm512_set1_epi64(0xffffffff);
	__m512i wide_even = _mm512_add_epi64(_mm512_and_si512(even, low),
					     _mm512_srli_epi64(even, 32));
	__m512i wide_odd = _mm512_add_epi64(_mm512_and_si512(odd, low), _mm512_srli_epi64(odd, 32));

	return (uint64_t)_mm512_reduce_add_epi64(
		_mm512_add_epi64(wide_even, _mm512_slli_epi64(wide_odd, 8)));
}

AVX512 static inline __mmask64 first(size_t len)
{
	return (__mmask64)(UINT64_MAX >> (64 - len));
}

/* At most RUN bytes. */
AVX512 static uint64_t avx512_run(const uint8_t *p, size_t len)
{
	const __m512i even = _mm512_set1_epi16(0x0001), odd = _mm512_set1_epi16(0x0100);
	__m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;

	for (; len >= 128; len -= 128, p += 128) {
		__m512i v = _mm512_loadu_si512(p), w = _mm512_loadu_si512(p + 64);

		a = _mm512_dpbusd_epi32(a, v, even);
		b = _mm512_dpbusd_epi32(b, v, odd);
		c = _mm512_dpbusd_epi32(c, w, even);
		d = _mm512_dpbusd_epi32(d, w, odd);
	}
	if (len >= 64) {
		__m512i v = _mm512_loadu_si512(p);

		a = _mm512_dpbusd_epi32(a, v, even);
		b = _mm512_dpbusd_epi32(b, v, odd);
		len -= 64;
		p += 64;
	}
	if (len) {
		__m512i v = _mm512_maskz_loadu_epi8(first(len), p);

		c = _mm512_dpbusd_epi32(c, v, even);
		d = _mm512_dpbusd_epi32(d, v, odd);
	}
	return weigh(_mm512_add_epi32(a, c), _mm512_add_epi32(b, d));
}

AVX512 static uint64_t avx512_copy_run(uint8_t *to, const uint8_t *p, size_t len)
{
	const __m512i even = _mm512_set1_epi16(0x0001), odd = _mm512_set1_epi16(0x0100);
	__m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;

	for (; len >= 128; len -= 128, p += 128, to += 128) {
		__m512i v = _mm512_loadu_si512(p), w = _mm512_loadu_si512(p + 64);

		_mm512_storeu_si512(to, v);
		_mm512_storeu_si512(to + 64, w);
		a = _mm512_dpbusd_epi32(a, v, even);
		b = _mm512_dpbusd_epi32(b, v, odd);
		c = _mm512_dpbusd_epi32(c, w, even);
		d = _mm512_dpbusd_epi32(d, w, odd);
	}
	while (len) {
		size_t n = len < 64 ? len : 64;
		__m512i v = _mm512_maskz_loadu_epi8(first(n), p);

		_mm512_mask_storeu_epi8(to, first(n), v);
		a = _mm512_dpbusd_epi32(a, v, even);
		b = _mm512_dpbusd_epi32(b, v, odd);
		len -= n;
		p += n;
		to += n;
	}
	return weigh(_mm512_add_epi32(a, c), _mm512_add_epi32(b, d));
}

static uint64_t avx512_sum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t sum = 0;

	for (; len > RUN; len -= RUN, p += RUN)
		sum = checksum_combine(sum, avx512_run(p, RUN));
	return checksum_combine(sum, avx512_run(p, len));
}

static uint64_t avx512_copy_sum(void *dst, const void *src, size_t len)
{
	const uint8_t *p = src;
	uint8_t *to = dst;
	uint64_t sum = 0;

	for (; len > RUN; len -= RUN, p += RUN, to += RUN)
		sum = checksum_combine(sum, avx512_copy_run(to, p, RUN));
	return checksum_combine(sum, avx512_copy_run(to, p, len));
}

#endif

static const struct variant {
	struct fastsum fastsum;
	bool (*runs_here)(void);
} variants[] = {
#if defined(__x86_64__)
	{{"avx512-vnni", avx512_sum, avx512_copy_sum}, has_avx512},
	{{"avx2", avx2_sum, avx2_copy_sum}, has_avx2},
#endif
	{{"portable", checksum_sum, checksum_copy_sum}, always},
};

const struct fastsum *fastsum_at(unsigned index)
{
	for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++)
		if (variants[i].runs_here() && index-- == 0)
			return &variants[i].fastsum;
	return NULL;
}

const struct fastsum *fastsum_best(void)
{
	return fastsum_at(0);
}
