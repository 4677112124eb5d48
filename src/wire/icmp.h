/* SPDX-License-Identifier: MIT */
/*
 * ICMP for IPv4 (RFC 792, RFC 1122 3.2.2, RFC 1191): echo, and errors with the header they quote.
 */
#ifndef WIRE_ICMP_H
#define WIRE_ICMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/ip.h"
#include "wire/reason.h"

enum {
	ICMP_HEADER_LEN = 8,
	ICMP_ERROR_MAX = 576 - 20, /* longest error we send: fits the smallest host (RFC 1812) */
};

enum icmp_type {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_SOURCE_QUENCH = 4, /* deprecated by RFC 6633: to be ignored */
	ICMP_REDIRECT = 5,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER_PROBLEM = 12,
};

/* Codes of ICMP_UNREACHABLE. */
enum icmp_unreachable {
	ICMP_NET_UNREACHABLE = 0,
	ICMP_HOST_UNREACHABLE = 1,
	ICMP_PROTOCOL_UNREACHABLE = 2,
	ICMP_PORT_UNREACHABLE = 3,
	ICMP_FRAGMENTATION_NEEDED = 4,
	ICMP_SOURCE_ROUTE_FAILED = 5,
	ICMP_ADMIN_PROHIBITED = 13,
};

/* What a message says, whichever family it is of. */
enum icmp_kind {
	ICMP_KIND_OTHER,
	ICMP_KIND_ECHO,
	ICMP_KIND_ECHO_REPLY,
	ICMP_KIND_DISCOVERY, /* neighbour discovery: wire/nd.h */
	ICMP_KIND_NET_UNREACHABLE,
	ICMP_KIND_HOST_UNREACHABLE,
	ICMP_KIND_PROTOCOL_UNREACHABLE,
	ICMP_KIND_PORT_UNREACHABLE,
	ICMP_KIND_TOO_BIG,
	ICMP_KIND_PROHIBITED,
	ICMP_KIND_TIME_EXCEEDED,
	ICMP_KIND_PARAMETER_PROBLEM,
};

struct icmp_message {
	enum icmp_kind kind;
	uint8_t type; /* enum icmp_type or icmpv6_type, or one unknown to us */
	uint8_t code;
	bool is_error;	 /* of a type that quotes a packet */
	bool has_quote;	 /* an error whose quotation could be read into quote */
	uint16_t id;	 /* echo */
	uint16_t number; /* echo: sequence number */
	uint32_t mtu;	 /* too big: next hop's MTU, 0 from an old router */
	struct ip_quote quote;
	const uint8_t *data; /* behind the eight bytes of header, inside the parsed bytes */
	size_t data_len;
};

/*
 * Reads a message of len bytes (an IPv4 payload). Refuses with WIRE_TRUNCATED (below 8 bytes) or
 * WIRE_BAD_CHECKSUM. An error with an unreadable quotation is no refusal: has_quote is false.
 */
enum wire_error icmp_parse(struct icmp_message *message, const uint8_t *bytes, size_t len);

/*
 * Writes an echo request or reply (type ICMP_ECHO or ICMP_ECHO_REPLY): type, id, number and data
 * are taken from message. Returns its length, 8 + data_len, for which out must have room.
 */
size_t icmp_emit_echo(uint8_t *out, const struct icmp_message *message);

/*
 * Writes an error of the given type and code about cause, quoting its header and as much of its
 * payload as ICMP_ERROR_MAX allows; rest is the second word of the header (the MTU for
 * fragmentation needed, otherwise 0). Returns its length, at most ICMP_ERROR_MAX, for which out
 * must have room.
 */
size_t icmp_emit_error(uint8_t *out, uint8_t type, uint8_t code, uint32_t rest,
		       const struct ip_packet *cause);

/*
 * May an ICMP error be sent about cause at all? Not about an ICMP error (or an ICMP message that
 * is too short or unknown), nor when either address is no single host's (RFC 1122 3.2.2). That
 * the frame was not a link broadcast, the caller must see to.
 */
bool icmp_may_report(const struct ip_packet *cause);

#endif
