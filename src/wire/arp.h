/* SPDX-License-Identifier: MIT */
/*
 * ARP (RFC 826) for IPv4 over Ethernet, the only combination in use: 28 bytes of Ethernet payload.
 */
#ifndef WIRE_ARP_H
#define WIRE_ARP_H

#include <stddef.h>
#include <stdint.h>

#include <parley/types.h>

#include "wire/eth.h"
#include "wire/reason.h"

enum { ARP_LEN = 28 };

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_packet {
	uint16_t operation; /* enum arp_operation */
	struct eth_addr sender_hw;
	struct eth_addr target_hw;
	struct parley_addr sender; /* IPv4, mapped; 0.0.0.0 in a probe (RFC 5227) */
	struct parley_addr target;
};

/*
 * Reads a packet; bytes after the 28th are padding. Refuses with WIRE_TRUNCATED, WIRE_BAD_TYPE
 * (hardware not Ethernet, protocol not IPv4, lengths not 6 and 4, an operation other than request
 * and reply) or WIRE_BAD_SOURCE (a sender that is a group, in hardware or protocol).
 */
enum wire_error arp_parse(struct arp_packet *packet, const uint8_t *bytes, size_t len);

/* Writes ARP_LEN bytes and returns ARP_LEN. Both protocol addresses must be IPv4. */
size_t arp_emit(uint8_t *out, const struct arp_packet *packet);

#endif
