/* SPDX-License-Identifier: MIT */
/*
 * The host: one TCP and the network below it. It lives in one slab of the user's allocator; what
 * else it needs comes from its memory.
 */
#ifndef NET_HOST_H
#define NET_HOST_H

#include "net/interface.h"
#include "net/route.h"
#include "tcp/tcp.h"

#include <parley/host.h>

struct parley_host {
	struct tcp tcp;
	struct memory memory;
	struct interface *interfaces[EGRESS_MAX]; /* by index, NULL where there is none */
	struct interface *present[EGRESS_MAX];	  /* those that there are, without gaps */
	uint32_t present_count;
	uint32_t addressing; /* how often addresses have changed, on any interface */
	struct routes routes;
	uint64_t ids;		  /* IP identifications drawn so far */
	uint64_t icmp_busy_until; /* errors told so far, spread over time; ns */
	uint8_t *loopback;	  /* a packet on its way to ourselves */
};

struct ip_packet;

/*
 * Counts and tells a drop of what was no segment: addresses as far as known, without ports.
 * `packet` may be NULL.
 */
void host_drop(struct parley_host *host, int ifindex, const struct ip_packet *packet,
	       enum parley_drop reason);

/* The same for a reply that could not be sent. */
void host_drop_reply(struct parley_host *host, const struct interface *interface,
		     const struct reply *reply, enum parley_drop reason);

#endif
