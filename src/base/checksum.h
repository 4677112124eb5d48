/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071), in parts that add up.
 *
 * A *sum* is 64 bits, unfolded, of the bytes as the machine reads them: its value modulo 65535 is
 * the one's complement sum of the data's 16-bit words in the machine's own byte order, the last
 * odd byte padded with a zero behind it. Which of the congruent values it is, is not defined, but
 * only a sum of nothing but zero bytes is 0. Sums of pieces are joined with checksum_combine()
 * (never with +, which may lose a carry). Byte order becomes visible only in checksum_fold() and
 * checksum_word16()/32(), and these give the same on every machine.
 *
 *	uint64_t sum = checksum_combine(pseudo_header, checksum_sum(header, header_len));
 *	sum = checksum_add_at(sum, payload, len, header_len & 1);
 *	put_be16(header + 16, checksum_fold(sum));
 *
 * To verify: the sum over everything, the stored checksum included, folds to 0.
 *
 * checksum_sum() is what a host uses when its config brings no faster routine; that has the same
 * signature and the same meaning. Any alignment, any length.
 */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include "base/bytes.h"

#include <stddef.h>
#include <stdint.h>

/* The sum of len bytes. */
uint64_t checksum_sum(const void *data, size_t len);

/* Copies len bytes and gives their sum, in one pass. The two do not overlap. */
uint64_t checksum_copy_sum(void *dst, const void *src, size_t len);

/* The sum of a header: `len` bytes, a multiple of 4 and at least 20, few enough for 64 bits. */
static inline uint64_t checksum_header(const uint8_t *header, size_t len)
{
	uint64_t sum = (uint64_t)get_ne32(header) + get_ne32(header + 4) + get_ne32(header + 8) +
		       get_ne32(header + 12) + get_ne32(header + 16);

	for (size_t i = 20; i < len; i += 4)
		sum += get_ne32(header + i);
	return sum;
}

/* Two sums as one, the carry of the 64 bits added in again. */
static inline uint64_t checksum_combine(uint64_t a, uint64_t b)
{
	uint64_t s = a + b;

	return s + (s < a);
}

/*
 * As checksum_combine(), where the piece that gave part begins behind offset bytes of the whole.
 * Only whether offset is odd matters: each of the piece's bytes then lies in the other half of its
 * word, which multiplies the piece's sum by 256 modulo 65535. A rotation by 8 bits does that.
 */
static inline uint64_t checksum_combine_at(uint64_t sum, uint64_t part, size_t offset)
{
	if (offset & 1)
		part = part << 8 | part >> 56;
	return checksum_combine(sum, part);
}

/* Adds a piece that begins at an even offset of the whole. */
static inline uint64_t checksum_add(uint64_t sum, const void *data, size_t len)
{
	return checksum_combine(sum, checksum_sum(data, len));
}

/* Adds a piece that begins behind offset bytes of the whole. */
static inline uint64_t checksum_add_at(uint64_t sum, const void *data, size_t len, size_t offset)
{
	return checksum_combine_at(sum, checksum_sum(data, len), offset);
}

/* The sum of a number in host order as it would stand on the wire in 2 bytes. */
static inline uint64_t checksum_word16(uint16_t v)
{
	uint8_t b[2];

	put_be16(b, v);
	return get_ne16(b);
}

/* The same for 4 bytes. */
static inline uint64_t checksum_word32(uint32_t v)
{
	uint8_t b[4];

	put_be32(b, v);
	return get_ne32(b);
}

/*
 * The checksum that belongs into the packet: the complement of the folded sum, as a number in host
 * order, to be stored with put_be16(). 0 when the sum covers a correct checksum.
 */
static inline uint16_t checksum_fold(uint64_t sum)
{
	uint8_t b[2];
	uint16_t native;

	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	native = (uint16_t)~sum;
	__builtin_memcpy(b, &native, sizeof b);
	return get_be16(b);
}

#endif
