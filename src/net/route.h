/* SPDX-License-Identifier: MIT */
/*
 * Routes of a host: where a destination's next hop is (RFC 1122 3.3.1). The longest prefix wins,
 * then the oldest route. There are few of them, so they stand in one array, longest prefix first.
 *
 * A connected route comes with an address of an interface and goes with it; two addresses in one
 * subnet have one each. An advertised one is what a router said (RFC 4861 6.3.4).
 */
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include <parley/types.h>

enum {
	ROUTES_ADDED = 256,	/* by parley_route_add(), at most */
	ROUTES_CONNECTED = 512, /* 64 interfaces of 8 addresses */
	ROUTES_ADVERTISED = 64, /* by routers, all interfaces together */
};

enum route_kind { ROUTE_ADDED, ROUTE_CONNECTED, ROUTE_ADVERTISED, ROUTE_KINDS };

struct route {
	struct parley_addr dst;	    /* bits behind the prefix are 0 */
	struct parley_addr gateway; /* unspecified: the destination is on the link */
	uint8_t prefix;
	uint8_t ifindex;
	uint8_t kind;
};

struct routes {
	uint32_t count;
	uint32_t of_kind[ROUTE_KINDS];
	struct route route[ROUTES_ADDED + ROUTES_CONNECTED + ROUTES_ADVERTISED];
};

/* Is `prefix` a length that addresses of this family can have? */
bool route_prefix_fits(const struct parley_addr *addr, unsigned prefix);

/*
 * Adds a route; `route->dst` may have bits behind the prefix. Errors: -PARLEY_EEXIST (this
 * interface has one to the same prefix; connected ones do not count), -PARLEY_ENOBUFS.
 */
int routes_add(struct routes *routes, const struct route *route);

/* Removes the one with the same destination, interface and kind; -PARLEY_ENOENT. */
int routes_remove(struct routes *routes, const struct route *route);

/* Removes all routes through an interface. */
void routes_forget(struct routes *routes, int ifindex);

/* The best route to dst; through `ifindex` alone unless that is 0. NULL: there is none. */
const struct route *routes_find(const struct routes *routes, int ifindex,
				const struct parley_addr *dst);

/* The station on the link that a packet to dst is handed to: the gateway, or dst itself. */
struct parley_addr route_next_hop(const struct route *route, const struct parley_addr *dst);

/* Whether the table is in order, for parley_check(). */
bool routes_check(const struct routes *routes);

#endif
