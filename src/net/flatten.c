/* SPDX-License-Identifier: MIT */
/*
 * Frames as one run of bytes, for devices that want that: super-segments are cut, and checksums
 * computed, as the device would have done.
 *
 * All that is needed stands in the frame. A super-segment always has its checksum still to be
 * computed, so checksum_start says where TCP begins, and that tells link and IP version: 20 bytes
 * of IPv4 or 40 of IPv6, behind 0 or 14 bytes of Ethernet.
 */
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mem.h"
#include "wire/eth.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"

#include <parley/frame.h>

enum {
	/* In the IP header: */
	V4_LENGTH_AT = 2,
	V4_CHECKSUM_AT = 10,
	V6_LENGTH_AT = 4,
	/* In the TCP header: */
	SEQ_AT = 4,
	FLAGS_AT = 12,
	CHECKSUM_AT = 16,
};

/* The part of a frame's text that one packet takes. */
struct cut {
	size_t first, len;
	bool is_first, is_last;
};

/* False when there is no such packet. */
static bool find_cut(const struct parley_frame *frame, unsigned index, struct cut *cut)
{
	size_t text = frame->len - frame->header_len;
	size_t size = frame->segment_size;

	if (!size) {
		*cut = (struct cut){0, text, true, true};
		return index == 0;
	}
	cut->first = index * size;
	if (index > 0 && cut->first >= text)
		return false;
	cut->len = text - cut->first < size ? text - cut->first : size;
	cut->is_first = index == 0;
	cut->is_last = cut->first + cut->len == text;
	return true;
}

static void gather(const struct parley_frame *frame, size_t first, size_t len, uint8_t *out)
{
	for (uint32_t i = 0; i < frame->span_count && len > 0; i++) {
		const struct parley_span *span = &frame->spans[i];
		size_t n;

		if (first >= span->len) {
			first -= span->len;
			continue;
		}
		n = span->len - first < len ? span->len - first : len;
		memcpy(out, (const uint8_t *)span->data + first, n);
		out += n;
		len -= n;
		first = 0;
	}
}

/* The IP header of a packet whose IP payload is `len` bytes. */
static void fix_ip(uint8_t *packet, size_t tcp_at, size_t len)
{
	size_t ip_at = tcp_at == ETH_HEADER_LEN + IPV4_HEADER_LEN ||
				       tcp_at == ETH_HEADER_LEN + IPV6_HEADER_LEN
			       ? ETH_HEADER_LEN
			       : 0;
	uint8_t *ip = packet + ip_at;

	if (tcp_at - ip_at == IPV6_HEADER_LEN) {
		put_be16(ip + V6_LENGTH_AT, (uint16_t)len);
		return;
	}
	put_be16(ip + V4_LENGTH_AT, (uint16_t)(IPV4_HEADER_LEN + len));
	put_be16(ip + V4_CHECKSUM_AT, 0);
	put_be16(ip + V4_CHECKSUM_AT, checksum_fold(checksum_sum(ip, IPV4_HEADER_LEN)));
}

/*
 * PSH and FIN belong to the last segment, CWR to the first (RFC 3168 6.1.2). Urgent text comes one
 * segment at a time (output.c).
 */
static void fix_tcp(uint8_t *tcp, const struct cut *cut)
{
	uint16_t word = get_be16(tcp + FLAGS_AT);

	if (!cut->is_last)
		word &= (uint16_t) ~(TCP_PSH | TCP_FIN);
	if (!cut->is_first)
		word &= (uint16_t)~TCP_CWR;
	put_be32(tcp + SEQ_AT, get_be32(tcp + SEQ_AT) + (uint32_t)cut->first);
	put_be16(tcp + FLAGS_AT, word);
}

/* The sum of the pseudo-header, which lies in the checksum's place, is that of another length. */
static void fix_pseudo(uint8_t *field, size_t from, size_t to)
{
	uint64_t sum = (uint64_t)get_ne16(field) + checksum_word16((uint16_t)~from) +
		       checksum_word16((uint16_t)to);

	put_be16(field, (uint16_t)~checksum_fold(sum));
}

static void fix_segment(const struct parley_frame *frame, const struct cut *cut, uint8_t *packet)
{
	size_t at = frame->checksum_start;
	size_t tcp_len = frame->header_len - at + cut->len;

	fix_ip(packet, at, tcp_len);
	fix_tcp(packet + at, cut);
	fix_pseudo(packet + at + CHECKSUM_AT, frame->len - at, tcp_len);
}

int parley_frame_flatten(const struct parley_frame *frame, unsigned index, void *buf,
			 size_t capacity)
{
	uint8_t *packet = buf;
	struct cut cut;
	size_t len;

	if (!find_cut(frame, index, &cut))
		return 0;
	len = frame->header_len + cut.len;
	if (len > capacity)
		return -PARLEY_EMSGSIZE;
	memcpy(packet, frame->header, frame->header_len);
	gather(frame, cut.first, cut.len, packet + frame->header_len);
	if (frame->segment_size)
		fix_segment(frame, &cut, packet);
	if (frame->checksum_partial) {
		size_t at = frame->checksum_start;
		uint16_t sum = checksum_fold(checksum_sum(packet + at, len - at));

		put_be16(packet + at + frame->checksum_offset, sum);
	}
	return (int)len;
}
