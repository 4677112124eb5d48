/* SPDX-License-Identifier: MIT */
/*
 * ICMPv6 (RFC 4443): echo, and errors with the header they quote, into the same struct as ICMP's.
 */
#ifndef WIRE_ICMPV6_H
#define WIRE_ICMPV6_H

#include "wire/icmp.h"

enum {
	ICMPV6_ERROR_MAX = 1280 - 40, /* longest error we send: fits the smallest link */
	ICMPV6_CHECKSUM_AT = 2,
};

enum icmpv6_type {
	ICMPV6_UNREACHABLE = 1,
	ICMPV6_TOO_BIG = 2,
	ICMPV6_TIME_EXCEEDED = 3,
	ICMPV6_PARAMETER_PROBLEM = 4,
	ICMPV6_ECHO = 128,
	ICMPV6_ECHO_REPLY = 129,
	ICMPV6_ROUTER_SOLICITATION = 133,
	ICMPV6_ROUTER_ADVERTISEMENT = 134,
	ICMPV6_NEIGHBOUR_SOLICITATION = 135,
	ICMPV6_NEIGHBOUR_ADVERTISEMENT = 136,
	ICMPV6_REDIRECT = 137,
};

/* Codes of ICMPV6_UNREACHABLE. */
enum icmpv6_unreachable {
	ICMPV6_NO_ROUTE = 0,
	ICMPV6_PROHIBITED = 1,
	ICMPV6_BEYOND_SCOPE = 2,
	ICMPV6_ADDRESS_UNREACHABLE = 3,
	ICMPV6_PORT_UNREACHABLE = 4,
	ICMPV6_FAILED_POLICY = 5,
	ICMPV6_REJECT_ROUTE = 6,
};

/*
 * Reads the payload of packet, whose addresses its checksum covers. Refuses with WIRE_TRUNCATED
 * (below 8 bytes) or WIRE_BAD_CHECKSUM. An error with an unreadable quotation is no refusal:
 * has_quote is false. Types below 128 are errors, also unknown ones.
 */
enum wire_error icmpv6_parse(struct icmp_message *message, const struct ip_packet *packet);

/* Puts the checksum into a message of len bytes, 8 at least, from src to dst. */
void icmpv6_finish(uint8_t *message, size_t len, const struct parley_addr *src,
		   const struct parley_addr *dst);

/*
 * May an error be sent about cause at all (RFC 4443 2.4 e)? Not about errors and redirects, nor
 * to a source that is no single host's. One to a group may only be told what to_group says.
 */
bool icmpv6_may_report(const struct ip_packet *cause, bool to_group);

#endif
