/* SPDX-License-Identifier: MIT */
#include "drill/order.h"

#include <string.h>

#include "base/checksum.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"

#define KINDS 16

/* Where each known option stands in a segment: its bytes and its length, by kind. */
struct found {
	const uint8_t *at[KINDS];
	uint8_t len[KINDS];
};

/* False when there is one that has no place in the other order. */
static bool find(struct found *found, const uint8_t *options, size_t len)
{
	size_t at = 0;

	memset(found, 0, sizeof *found);
	while (at < len && options[at] != TCP_OPTION_END) {
		uint8_t kind = options[at];

		if (kind == TCP_OPTION_NOP) {
			at++;
			continue;
		}
		if (kind >= KINDS || at + 1 >= len || options[at + 1] < 2 ||
		    at + options[at + 1] > len || found->at[kind])
			return false;
		found->at[kind] = options + at;
		found->len[kind] = options[at + 1];
		at += options[at + 1];
	}
	return true;
}

/* Puts an option, if it is there, at a place with `place` % 4 of the list; NOPs lead to it. */
static size_t put(uint8_t *out, size_t at, const struct found *found, uint8_t kind, size_t place)
{
	if (!found->at[kind])
		return at;
	while (at % 4 != place)
		out[at++] = TCP_OPTION_NOP;
	memcpy(out + at, found->at[kind], found->len[kind]);
	return at + found->len[kind];
}

static size_t write_bsd(uint8_t *out, const struct found *found)
{
	size_t at = put(out, 0, found, TCP_OPTION_MSS, 0);

	at = put(out, at, found, TCP_OPTION_WSCALE, 1);
	if (found->at[TCP_OPTION_SACK_PERMITTED])
		at = put(out, at, found, TCP_OPTION_SACK_PERMITTED, at % 4 / 2 * 2);
	at = put(out, at, found, TCP_OPTION_TIMESTAMPS, 2);
	while (at % 4)
		out[at++] = TCP_OPTION_END;
	return at;
}

static size_t write_linux(uint8_t *out, const struct found *found)
{
	size_t at = put(out, 0, found, TCP_OPTION_MSS, 0);
	bool stamps = found->at[TCP_OPTION_TIMESTAMPS] != NULL;

	/* SACK-permitted fills the two bytes before a timestamp. */
	at = put(out, at, found, TCP_OPTION_SACK_PERMITTED, stamps ? 0 : 2);
	at = put(out, at, found, TCP_OPTION_TIMESTAMPS, 2);
	at = put(out, at, found, TCP_OPTION_WSCALE, 1);
	return at;
}

static void finish(uint8_t *tcp, const struct ip_packet *ip)
{
	uint64_t sum = ip_pseudo_sum(&ip->src, &ip->dst, IP_TCP, (uint32_t)ip->payload_len);

	put_be16(tcp + 16, 0);
	put_be16(tcp + 16, checksum_fold(checksum_add(sum, tcp, ip->payload_len)));
}

/* True, and the TCP header, when it is a sound TCP segment. */
static bool find_tcp(uint8_t *bytes, size_t len, struct ip_packet *ip, struct segment *segment,
		     uint8_t **tcp)
{
	enum wire_error error = bytes[0] >> 4 == 6 ? ipv6_parse(ip, bytes, len)
						   : ipv4_parse(ip, bytes, len);

	if (error != WIRE_OK || ip->protocol != IP_TCP ||
	    tcp_parse(segment, ip->payload, ip->payload_len) != WIRE_OK)
		return false;
	*tcp = bytes + (ip->payload - bytes);
	return true;
}

void drill_push(uint8_t *bytes, size_t len)
{
	struct segment segment;
	struct ip_packet ip;
	uint8_t *tcp;

	if (!len || !find_tcp(bytes, len, &ip, &segment, &tcp))
		return;
	tcp[13] |= TCP_PSH;
	finish(tcp, &ip);
}

bool drill_order(uint8_t *bytes, size_t len, enum drill_order order)
{
	uint8_t written[TCP_OPTIONS_MAX + 16];
	struct ip_packet ip;
	struct segment segment;
	struct found found;
	size_t options, n;
	uint8_t *tcp;

	if (order == DRILL_ORDER_PARLEY || !len)
		return false;
	if (!find_tcp(bytes, len, &ip, &segment, &tcp) || !(segment.flags & TCP_SYN))
		return false;
	options = segment.header_len - (size_t)TCP_HEADER_LEN;
	if (!find(&found, tcp + TCP_HEADER_LEN, options))
		return false;
	n = order == DRILL_ORDER_BSD ? write_bsd(written, &found) : write_linux(written, &found);
	if (n != options || !memcmp(written, tcp + TCP_HEADER_LEN, n))
		return false;
	memcpy(tcp + TCP_HEADER_LEN, written, n);
	finish(tcp, &ip);
	return true;
}
