/* SPDX-License-Identifier: MIT */
/*
 * Neighbour discovery (RFC 4861, RFC 4862 5.4) as resolution.h does it for ARP: solicitations and
 * advertisements of neighbours change the same table and are answered from the same ring.
 */
#ifndef NET_DISCOVERY_H
#define NET_DISCOVERY_H

#include "net/neighbour.h"
#include "wire/ip.h"
#include "wire/nd.h"

#include <parley/frame.h>

struct parley_host;
struct interface;
struct resolution;

/* An ICMPv6 message of discovery arrived, its checksum found right; `from` sent the frame. */
void discovery_arrives(struct parley_host *host, struct interface *interface,
		       const struct ip_packet *packet, struct eth_addr from);

/* A frame with this message from src to a group. */
void discovery_fill(const struct interface *interface, struct parley_frame *frame,
		    const struct parley_addr *src, const struct parley_addr *dst,
		    const struct nd_message *message);

/* The solicitation that is owed for a neighbour, and the advertisement that answers one. */
void discovery_fill_request(const struct parley_host *host, const struct interface *interface,
			    struct parley_frame *frame, const struct neighbour *neighbour);
void discovery_fill_reply(const struct interface *interface, struct parley_frame *frame,
			  const struct resolution *reply);

#endif
