/* SPDX-License-Identifier: MIT */
/*
 * The addresses of an interface. An IPv6 address on an Ethernet is TENTATIVE until nobody has
 * objected to it for a second (RFC 4862 5.4), unless the setting "dad" is off; until then, and for
 * ever if somebody has, nothing is sent from it and nothing for it is taken.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <parley/types.h>

enum { ADDRESSES = 8, ADDRESS_PROBES = 1 };

enum address_state { ADDRESS_TENTATIVE, ADDRESS_USABLE, ADDRESS_DUPLICATE };

/* Who gave it to us. */
enum address_origin { ADDRESS_USER, ADDRESS_LINK_LOCAL, ADDRESS_ADVERTISED };

struct address {
	struct parley_addr addr;
	uint8_t prefix;
	uint8_t state, origin;
	uint8_t probes_owed;
	uint8_t conflicts;  /* how often it was made anew because somebody had it */
	uint64_t usable_at; /* TENTATIVE, probes sent: when it becomes usable, ns */
	uint64_t preferred_until, valid_until; /* ns; UINT64_MAX: for ever */
};

struct addresses {
	uint32_t count;
	struct address entry[ADDRESSES];
};

struct parley_host;
struct interface;

/* The entry with this address, whatever its state, or NULL. */
struct address *address_find(struct interface *interface, const struct parley_addr *addr);

/* Is this usable address the interface's? */
bool address_is_usable(const struct interface *interface, const struct parley_addr *addr);

/*
 * Adds an address (its state and probes are set here) with a connected route if `connected`.
 * -PARLEY_ENOBUFS when there is no room.
 */
int address_add(struct parley_host *host, struct interface *interface,
		const struct address *address, bool connected);

/* Its state becomes another: what the host believed of packets' ends is to be judged again. */
void address_turns(struct parley_host *host, struct address *address, enum address_state state);

/* Removes it, and its connected route if it has one. */
void address_remove(struct parley_host *host, struct interface *interface, struct address *address);

/* A TENTATIVE address is somebody else's (RFC 4862 5.4.5). */
void address_conflicts(struct parley_host *host, struct interface *interface,
		       struct address *address);

/* Has a packet to this group a reader here: ff02::1, or the solicited-node group of an address? */
bool address_has_group(const struct interface *interface, const struct parley_addr *group);

/* An address of IPv6, in whatever state? */
bool address_any_v6(const struct interface *interface);

/*
 * The address from which a packet to dst by way of hop is to come; NULL: none of that family.
 * IPv4: one in the next hop's subnet, else the first. IPv6 (RFC 6724 5, rules 2, 3 and 8): one of
 * the destination's scope, not deprecated, with the longest prefix in common.
 */
const struct parley_addr *address_source(const struct parley_host *host,
					 const struct interface *interface,
					 const struct parley_addr *dst,
					 const struct parley_addr *hop);

#endif
