/* SPDX-License-Identifier: MIT */
/*
 * ICMP and ICMPv6 for one interface: echo requests to us are answered (RFC 1122 3.2.2.6, RFC 4443
 * 4.2), errors are handed to TCP, discovery to discovery.h, everything else is counted; and what
 * we cannot use is told to its sender, within a limit for the whole host (RFC 4443 2.4 f).
 *
 * A message that is owed keeps its data (what was asked back, or the packet that it is about) in
 * data blocks; there are few of them, so that a flood costs no more than that. It goes back to the
 * station that handed us the cause, whichever route leads to the asker: that station can reach him,
 * and nothing needs to be resolved first.
 */
#ifndef NET_ICMP_H
#define NET_ICMP_H

#include "base/stream.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <parley/frame.h>

enum { ECHOES = 8 };

/* Errors: one each 100 ms, ten at once; ns. */
#define ICMP_INTERVAL UINT64_C(100000000)
#define ICMP_BURST    UINT64_C(900000000)

struct parley_host;
struct interface;

struct icmp_owed {
	struct parley_addr ours, asker;
	struct eth_addr back; /* the station that the cause came from */
	uint8_t tos;
	bool df;
	uint8_t type, code;
	uint32_t rest; /* the second word of the header: id and number, MTU, pointer */
	uint32_t len;
	struct stream data;
};

struct icmp_ring {
	uint32_t first, count;
	struct icmp_owed ring[ECHOES];
};

/* What is wrong with a packet that arrived, in words of both families. */
enum icmp_report { REPORT_PROTOCOL, REPORT_PORT, REPORT_PROBLEM };

/* A message arrived for us, or (ICMPv6) for a group that we are in; `from` sent the frame. */
void icmp_arrives(struct parley_host *host, struct interface *interface,
		  const struct ip_packet *packet, struct eth_addr from);

/* Tells the sender of a packet about it, if that is allowed and not too often. */
void icmp_tell(struct parley_host *host, struct interface *interface, const struct ip_packet *cause,
	       struct eth_addr from, enum icmp_report report);

/* Fills in the next message that is owed; false when there is none. */
bool icmp_output(struct parley_host *host, struct interface *interface, struct parley_frame *frame);

/* Forgets all that are owed. */
void icmp_clear(struct parley_host *host, struct interface *interface);

#endif
