/* SPDX-License-Identifier: MIT */
/*
 * IPv4 (RFC 791, RFC 1122 3.2.1): parse and emit the header.
 */
#ifndef WIRE_IPV4_H
#define WIRE_IPV4_H

#include <stddef.h>
#include <stdint.h>

#include "wire/ip.h"
#include "wire/reason.h"

enum { IPV4_HEADER_LEN = 20, IPV4_HEADER_MAX = 60, IPV4_MAX_LEN = 65535, IPV4_MIN_MTU = 68 };

/*
 * Reads a packet whose header starts at bytes. What follows the total length is link padding and
 * not part of it. Refuses, in this order, with WIRE_TRUNCATED, WIRE_BAD_VERSION,
 * WIRE_BAD_HEADER_LENGTH, WIRE_BAD_TOTAL_LENGTH, WIRE_BAD_CHECKSUM, WIRE_BAD_OPTION,
 * WIRE_FRAGMENT, WIRE_BAD_SOURCE (multicast, 255.255.255.255 or 0.0.0.0).
 *
 * From WIRE_BAD_CHECKSUM on the packet is filled all the same, for those who only want to show
 * it: except that after WIRE_BAD_OPTION source_routed is what was seen up to there.
 *
 * The destination is not judged: whether it is ours only the host knows. Options other than
 * source routes are skipped (RFC 1122 3.2.1.8).
 */
enum wire_error ipv4_parse(struct ip_packet *packet, const uint8_t *bytes, size_t len);

/*
 * Writes a header of 20 bytes with its checksum, and returns IPV4_HEADER_LEN. Taken from packet:
 * src, dst, protocol, ttl, tos, id, df, and payload_len (at most 65515), the length of what the
 * caller puts behind.
 */
size_t ipv4_emit(uint8_t *out, const struct ip_packet *packet);

#endif
