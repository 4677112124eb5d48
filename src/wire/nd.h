/* SPDX-License-Identifier: MIT */
/*
 * Neighbour discovery (RFC 4861): solicitations and advertisements of routers and neighbours, with
 * their options, over Ethernet. Redirects are not read.
 */
#ifndef WIRE_ND_H
#define WIRE_ND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/reason.h"

enum {
	ND_HOP_LIMIT = 255, /* of every packet: nothing that a router forwarded is believed */
	ND_PREFIXES = 8,    /* of one advertisement; those behind them are not read */
	ND_MAX = 64,	    /* longest message that nd_emit() writes */
};

struct nd_prefix {
	struct parley_addr prefix;
	uint8_t len; /* bits, 0..128 */
	bool on_link, autonomous;
	uint32_t valid, preferred; /* s; UINT32_MAX: for ever */
};

/* Each field has a meaning for the types that carry it, and is 0 otherwise. */
struct nd_message {
	uint8_t type; /* ICMPV6_ROUTER_SOLICITATION ... ICMPV6_NEIGHBOUR_ADVERTISEMENT */
	bool has_mac; /* the source's of solicitations and routers, the target's of an NA */
	struct eth_addr mac;
	/* Neighbours. */
	struct parley_addr target;
	bool from_router, solicited, override;
	/* Router advertisements; 0: unspecified. */
	uint8_t hop_limit;
	uint16_t lifetime; /* as a default router, s */
	uint32_t reachable_ms, retransmit_ms;
	uint32_t mtu;
	uint32_t prefix_count;
	struct nd_prefix prefix[ND_PREFIXES];
};

/*
 * Reads an ICMPv6 message whose checksum is right, the whole payload of packet. Refuses with
 * WIRE_BAD_TYPE (none of the four types), WIRE_TRUNCATED, WIRE_BAD_OPTION (length 0 or past the
 * end), or WIRE_BAD_SOURCE (what RFC 4861 6.1 and 7.1 demand of hop limit, code, addresses and
 * flags does not hold). Unknown options are skipped, options of a wrong length for their type
 * ignored.
 */
enum wire_error nd_parse(struct nd_message *message, const struct ip_packet *packet);

/*
 * Writes a message from src to dst, at most ND_MAX bytes, with its checksum; at most one prefix.
 * Returns its length.
 */
size_t nd_emit(uint8_t *out, const struct nd_message *message, const struct parley_addr *src,
	       const struct parley_addr *dst);

#endif
