/* SPDX-License-Identifier: MIT */
/*
 * Address resolution: ARP (RFC 826, RFC 1122 2.3.2) in and out, and neighbour discovery out, whose
 * messages discovery.h knows. Requests stand in the neighbours that they ask for; replies are small
 * records in a ring here, dropped and counted when it is full.
 *
 * A packet changes what is known about a neighbour that we already know or are asking for, also
 * when it is gratuitous or meant for others (RFC 826). Only a request for one of our addresses
 * makes a new entry.
 */
#ifndef NET_RESOLUTION_H
#define NET_RESOLUTION_H

#include "wire/arp.h"

#include <parley/frame.h>

enum { RESOLUTIONS = 32 };

struct parley_host;
struct interface;

/* An answer that is owed: to an ARP request or to a neighbour solicitation. */
struct resolution {
	struct parley_addr ours, asker; /* asker unspecified: a probe for a duplicate */
	struct eth_addr asker_mac;
};

struct resolutions {
	uint32_t first, count;
	struct resolution ring[RESOLUTIONS];
};

/* An ARP packet arrived: the payload of a frame. */
void resolution_arrives(struct parley_host *host, struct interface *interface, const uint8_t *bytes,
			size_t len);

/* Owes an answer; without room it is dropped and counted. */
void resolution_owe(struct parley_host *host, struct interface *interface,
		    const struct resolution *reply);

/* Is a frame owed? */
bool resolution_pending(const struct interface *interface);

/* Fills in the next frame that is owed; false when there is none. */
bool resolution_output(struct parley_host *host, struct interface *interface,
		       struct parley_frame *frame);

#endif
