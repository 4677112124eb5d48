/* SPDX-License-Identifier: MIT */
/*
 * Stateless autoconfiguration (RFC 4862) of an Ethernet interface, and what routers advertise
 * (RFC 4861 6.3): a link-local address, default routers, prefixes on the link, addresses in them,
 * the link's MTU. It begins with the first IPv6 address of the interface, or with the interface
 * itself, as the setting "autoconf" says, and lasts as long as the interface.
 *
 * An address that is made here has as its lower half a keyed hash of prefix and interface (RFC
 * 7217), stable for one secret and different in each network. A hop limit that routers advertise
 * is not used: the setting "ttl" rules. Multicast listener reports are not sent.
 */
#ifndef NET_AUTOCONF_H
#define NET_AUTOCONF_H

#include "net/address.h"
#include "wire/nd.h"

#include <parley/frame.h>

enum {
	AUTOCONF_ROUTERS = 4,
	AUTOCONF_PREFIXES = 8,
	AUTOCONF_SOLICITATIONS = 3, /* MAX_RTR_SOLICITATIONS */
	AUTOCONF_CONFLICTS = 3,	    /* IDGEN_RETRIES of RFC 7217 */
};

/* RTR_SOLICITATION_INTERVAL and the time that duplicate address detection waits; ns. */
#define AUTOCONF_SOLICIT_AGAIN UINT64_C(4000000000)
#define AUTOCONF_DETECT	       UINT64_C(1000000000)

/* Values of the setting "autoconf". */
enum autoconf_mode { AUTOCONF_OFF, AUTOCONF_WITH_ADDRESS, AUTOCONF_ALWAYS };

struct autoconf_router {
	struct parley_addr addr;
	uint64_t until; /* ns */
};

struct autoconf_prefix {
	struct parley_addr prefix;
	uint8_t len;
	uint64_t until; /* ns; UINT64_MAX: for ever */
};

struct autoconf {
	bool running;
	uint8_t solicitations; /* still to be sent */
	bool solicit_owed;
	uint64_t solicit_at;
	uint64_t next; /* when autoconf_expire() has something to do, ns */
	uint32_t router_count, prefix_count;
	struct autoconf_router router[AUTOCONF_ROUTERS]; /* the one in use in front */
	struct autoconf_prefix prefix[AUTOCONF_PREFIXES];
};

struct parley_host;
struct interface;

void autoconf_init(struct autoconf *autoconf);

/* Begins if the setting is at least `mode`: ALWAYS for any interface, WITH_ADDRESS has IPv6. */
void autoconf_begin(struct parley_host *host, struct interface *interface, enum autoconf_mode mode);

/* A router advertisement that nd_parse() has let through. */
void autoconf_advertised(struct parley_host *host, struct interface *interface,
			 const struct ip_packet *packet, const struct nd_message *message);

/* A neighbour does not answer: if it is the default router, the next one takes over. */
void autoconf_router_failed(struct parley_host *host, struct interface *interface,
			    const struct parley_addr *addr);

/* It says of itself that it is no router (RFC 4861 7.2.5): as one it is forgotten. */
void autoconf_router_stopped(struct parley_host *host, struct interface *interface,
			     const struct parley_addr *addr);

/* Somebody has this generated address: another one in its place; false: no more tries. */
bool autoconf_choose_again(struct parley_host *host, struct interface *interface,
			   struct address *address);

/* Is a frame owed, and the next one: probes for duplicates, router solicitations. */
bool autoconf_pending(const struct interface *interface);
bool autoconf_output(struct parley_host *host, struct interface *interface,
		     struct parley_frame *frame);

/* Handles what is due; returns how much that was. */
int autoconf_expire(struct parley_host *host, struct interface *interface);

/* Finds out anew when that is to be called next, after an address has changed. */
void autoconf_plan(struct parley_host *host, struct interface *interface);

#endif
