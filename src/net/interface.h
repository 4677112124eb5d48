/* SPDX-License-Identifier: MIT */
/*
 * One interface of a host: what it is, its addresses, its neighbours, and what is owed through it.
 * It takes one slab, so that its size does not depend on what it has seen.
 */
#ifndef NET_INTERFACE_H
#define NET_INTERFACE_H

#include "net/address.h"
#include "net/autoconf.h"
#include "net/icmp.h"
#include "net/neighbour.h"
#include "net/resolution.h"
#include "tcp/egress.h"

#include <parley/frame.h>
#include <parley/host.h>

struct interface {
	struct egress egress;
	int index; /* 1..EGRESS_MAX-1 */
	enum parley_link link;
	struct eth_addr mac;
	char name[16];
	struct addresses addresses;
	struct autoconf autoconf;
	/* The ends of the last packet that could be believed and was for us, and host's addressing
	 * then: while that has not changed, the next one between them is so, too. */
	struct parley_addr believed_src, believed_dst;
	uint32_t believed_as_of;
	/* The connection whose turn it is (for comparison only), and bytes left of the turn. */
	const struct tcb *turn_of;
	uint32_t turn_left;
	struct neighbours neighbours;
	struct resolutions resolutions;
	struct icmp_ring icmp;
};

/* The interface, or NULL. */
struct interface *interface_at(const struct parley_host *host, int ifindex);

/* The one that may use this address, `first` being asked first; NULL: not ours. */
struct interface *interface_of_address(const struct parley_host *host, struct interface *first,
				       const struct parley_addr *addr);

/* Is it the broadcast address of one of the interface's subnets? */
bool interface_is_broadcast(const struct interface *interface, const struct parley_addr *addr);

/* Makes the interface of this index, which is free; NULL without memory. */
struct interface *interface_new(struct parley_host *host, int index,
				const struct parley_interface *config);

/* Frees it: its connections, neighbours, routes and what it owes. */
void interface_free(struct parley_host *host, struct interface *interface);

/* A frame without headers, spans or a connection. */
void interface_blank(const struct interface *interface, struct parley_frame *frame);

/*
 * Begins a frame: no spans, and the link's header to `to` if the link has one. Returns the length
 * of the header so far.
 */
size_t interface_frame(const struct interface *interface, struct parley_frame *frame,
		       struct eth_addr to, uint16_t type);

struct ip_packet;

/* The same with an IP header of either family behind it. */
size_t interface_packet(const struct interface *interface, struct parley_frame *frame,
			struct eth_addr to, const struct ip_packet *packet);

#endif
