/* SPDX-License-Identifier: MIT */
/*
 * IPv6 (RFC 8200): parse a packet behind its extension headers, and emit the header.
 */
#ifndef WIRE_IPV6_H
#define WIRE_IPV6_H

#include <stddef.h>
#include <stdint.h>

#include "wire/ip.h"
#include "wire/reason.h"

enum {
	IPV6_HEADER_LEN = 40,
	IPV6_MIN_MTU = 1280,
	IPV6_EXTENSIONS_MAX = 8, /* more headers in one packet are refused (RFC 8504 5.3) */
};

/* Codes of a Parameter Problem (RFC 4443 3.4). */
enum ipv6_problem {
	IPV6_ERRONEOUS_FIELD = 0,
	IPV6_UNKNOWN_NEXT_HEADER = 1,
	IPV6_UNKNOWN_OPTION = 2,
};

/*
 * Reads a packet whose header starts at bytes; what follows its length is link padding. Hop-by-hop
 * options (first only), destination options, routing headers and atomic fragments (RFC 6946) are
 * walked over; `protocol` is what stands behind them, which may also be an extension header that
 * we do not know. Options that we do not know are skipped or refused as their upper bits say.
 *
 * Refuses, in this order, with WIRE_TRUNCATED, WIRE_BAD_VERSION, WIRE_BAD_TOTAL_LENGTH,
 * WIRE_BAD_SOURCE (either address is IPv4 mapped, or the source a group); then along the headers
 * WIRE_BAD_HEADER_LENGTH (one reaches past the end, or there are too many), WIRE_BAD_OPTION
 * (packet->problem says whether that is to be told, and how) or WIRE_FRAGMENT.
 *
 * A routing header of any type with segments left makes source_routed true and ends the walk: such
 * a packet is for a router (RFC 5095 for type 0), and problem is what it is to be told. A routing
 * header at its end is skipped, whatever its type.
 *
 * From WIRE_BAD_SOURCE on the packet is filled all the same, with what stands behind the last
 * header that could be read as its payload. The unspecified source is let through: neighbour
 * discovery has a use for it, and the host judges the rest.
 */
enum wire_error ipv6_parse(struct ip_packet *packet, const uint8_t *bytes, size_t len);

/*
 * The same for the beginning of a packet, as an ICMPv6 error quotes it: the length field may say
 * more than there is, and the payload is what is left of it.
 */
enum wire_error ipv6_parse_quote(struct ip_packet *packet, const uint8_t *bytes, size_t len);

/*
 * Writes a header of 40 bytes, and returns IPV6_HEADER_LEN. Taken from packet: src, dst, protocol,
 * ttl, tos, and payload_len (at most 65535), the length of what the caller puts behind.
 */
size_t ipv6_emit(uint8_t *out, const struct ip_packet *packet);

#endif
