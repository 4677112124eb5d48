/* SPDX-License-Identifier: MIT */
/*
 * Ethernet II frames (RFC 894): parse, emit, and tests on addresses. The frame check sequence is
 * the device's business and never seen here. A VLAN tag is an EtherType like any other.
 */
#ifndef WIRE_ETH_H
#define WIRE_ETH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/reason.h"

enum { ETH_ADDR_LEN = 6, ETH_HEADER_LEN = 14 };

enum eth_type { ETH_IPV4 = 0x0800, ETH_ARP = 0x0806, ETH_IPV6 = 0x86dd };

/* A hardware address as it is on the wire. */
struct eth_addr {
	uint8_t b[ETH_ADDR_LEN];
};

struct eth_frame {
	struct eth_addr dst, src;
	uint16_t type;		/* below 0x0600 an IEEE 802.3 length, of no use to IP */
	const uint8_t *payload; /* inside the parsed bytes; may end in padding */
	size_t payload_len;
};

/*
 * Reads the header. The payload points into bytes and lives as long as they do. Refuses with
 * WIRE_TRUNCATED only.
 */
enum wire_error eth_parse(struct eth_frame *frame, const uint8_t *bytes, size_t len);

/*
 * Writes the 14 bytes of header (payload is not looked at) and returns ETH_HEADER_LEN. The frame
 * is not padded to Ethernet's minimum: devices do that.
 */
size_t eth_emit(uint8_t *out, const struct eth_frame *frame);

bool eth_equal(struct eth_addr a, struct eth_addr b);
bool eth_is_broadcast(struct eth_addr addr);

/* True for every group address, the broadcast address included. */
bool eth_is_multicast(struct eth_addr addr);

/* True for an address that one station can have: not a group, not all zero. */
bool eth_is_unicast(struct eth_addr addr);

#endif
