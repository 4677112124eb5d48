/* SPDX-License-Identifier: MIT */
/*
 * One interface of a host: what it is, its addresses, its neighbours, and what is owed through it.
 * It takes one slab, so that its size does not depend on what it has seen.
 */
#ifndef NET_INTERFACE_H
#define NET_INTERFACE_H

#include "net/echo.h"
#include "net/neighbour.h"
#include "net/resolution.h"
#include "tcp/egress.h"

#include <parley/frame.h>
#include <parley/host.h>

enum { INTERFACE_ADDRESSES = 8 };

struct interface_address {
	struct parley_addr addr;
	uint8_t prefix;
};

struct interface {
	struct egress egress;
	int index; /* 1..EGRESS_MAX-1 */
	enum parley_link link;
	struct eth_addr mac;
	char name[16];
	uint32_t address_count;
	struct interface_address address[INTERFACE_ADDRESSES];
	/* The connection whose turn it is (for comparison only), and bytes left of the turn. */
	const struct tcb *turn_of;
	uint32_t turn_left;
	struct neighbours neighbours;
	struct resolutions resolutions;
	struct echoes echoes;
};

/* The interface, or NULL. */
struct interface *interface_at(const struct parley_host *host, int ifindex);

/* The one that has this address, `first` being asked first; NULL: not ours. */
struct interface *interface_of_address(const struct parley_host *host, struct interface *first,
				       const struct parley_addr *addr);

/* The address from which a packet to this next hop is to come; NULL: none of that family. */
const struct parley_addr *interface_source(const struct interface *interface,
					   const struct parley_addr *hop);

/* Is it the broadcast address of one of the interface's subnets? */
bool interface_is_broadcast(const struct interface *interface, const struct parley_addr *addr);

/* Frees it: its connections, neighbours, routes and what it owes. */
void interface_free(struct parley_host *host, struct interface *interface);

/*
 * Begins a frame: no spans, and the link's header to `to` if the link has one. Returns the length
 * of the header so far.
 */
size_t interface_frame(const struct interface *interface, struct parley_frame *frame,
		       struct eth_addr to, uint16_t type);

#endif
