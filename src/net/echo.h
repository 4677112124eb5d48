/* SPDX-License-Identifier: MIT */
/*
 * ICMP for one interface: echo requests to us are answered (RFC 1122 3.2.2.6), everything else is
 * counted. A reply that is owed keeps its payload in data blocks; there are few of them, so that a
 * flood of requests costs no more than that.
 *
 * A reply goes back to the station that handed us the request, whichever route leads to the
 * asker: that station can reach him, and nothing needs to be resolved first.
 */
#ifndef NET_ECHO_H
#define NET_ECHO_H

#include "base/stream.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <parley/frame.h>

enum { ECHOES = 8 };

struct parley_host;
struct interface;

struct echo {
	struct parley_addr ours, asker;
	struct eth_addr back; /* the station that the request came from */
	uint8_t tos;
	bool df;
	uint16_t id, number;
	uint32_t len;
	struct stream data;
};

struct echoes {
	uint32_t first, count;
	struct echo ring[ECHOES];
};

/* An ICMP message arrived for us, from this station. */
void echo_arrives(struct parley_host *host, struct interface *interface,
		  const struct ip_packet *packet, struct eth_addr from);

/* Fills in the next reply that is owed; false when there is none. */
bool echo_output(struct parley_host *host, struct interface *interface, struct parley_frame *frame);

/* Forgets all that are owed. */
void echo_clear(struct parley_host *host, struct interface *interface);

#endif
