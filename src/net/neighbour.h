/* SPDX-License-Identifier: MIT */
/*
 * The neighbours of an Ethernet interface, of both families: which hardware address a next hop has,
 * whether it is there, and what waits until that is known. The states are those of RFC 4861 7.3,
 * for ARP (RFC 826, RFC 1122 2.3.2.1) too; resolution.h and discovery.h speak the protocols.
 *
 *	INCOMPLETE	asked for by broadcast or multicast, three times; then what waits is told
 *			that the next hop is unreachable, and the entry goes
 *	REACHABLE	it has answered, or TCP has made progress through it, not long ago
 *	STALE		it was there once; used as it is
 *	DELAY		used while STALE: if nothing confirms it in five seconds,
 *	PROBE		it is asked by unicast, three times; then the entry goes
 *
 * An entry is made when a packet wants to go there, or when the neighbour itself asks for us.
 *
 * Connections that wait stand in the entry's `parked` list by their `ready` link, as they would in
 * the egress queue; of replies (tcp/egress.h) the latest is kept. Both go when the answer comes.
 *
 * The table is bounded. When it is full the known entry longest unused gives way; what waits is
 * never thrown out for something else. Replies, which strangers can provoke, may not start asking
 * when half of the table is being asked for: that bounds the broadcasts, too.
 */
#ifndef NET_NEIGHBOUR_H
#define NET_NEIGHBOUR_H

#include "base/list.h"
#include "tcp/egress.h"
#include "wire/eth.h"

enum { NEIGHBOURS = 256, NEIGHBOUR_TRIES = 3 };

/* RFC 4861 10: RETRANS_TIMER, REACHABLE_TIME (times 0.5 to 1.5), DELAY_FIRST_PROBE_TIME; ns. */
#define NEIGHBOUR_ASK_AGAIN	 UINT64_C(1000000000)
#define NEIGHBOUR_REACHABLE_TIME UINT64_C(30000000000)
#define NEIGHBOUR_DELAY_TIME	 UINT64_C(5000000000)

enum neighbour_state {
	NEIGHBOUR_FREE,
	NEIGHBOUR_INCOMPLETE,
	NEIGHBOUR_REACHABLE,
	NEIGHBOUR_STALE,
	NEIGHBOUR_DELAY,
	NEIGHBOUR_PROBE,
};

struct neighbour {
	struct list_link link; /* in one of the lists of struct neighbours */
	struct list parked;
	uint64_t until; /* REACHABLE, DELAY; asked: when to ask again or give up; ns */
	struct parley_addr addr;
	struct eth_addr mac; /* unless INCOMPLETE */
	uint8_t state;
	uint8_t tries; /* requests sent without an answer */
	uint16_t next; /* in its bucket: index + 1 */
	bool has_reply;
	struct reply reply;
};

struct neighbours {
	struct list unused;
	struct list known;	     /* REACHABLE and STALE, longest unused first */
	struct list delayed;	     /* DELAY, the one due first in front */
	struct list wanted;	     /* a request is owed */
	struct list asked;	     /* a request is under way, the one due first in front */
	uint32_t asking;	     /* entries in wanted and asked */
	uint16_t last;		     /* index of the entry found last */
	uint64_t reachable;	     /* how long REACHABLE lasts, ns */
	uint64_t ask_again;	     /* between two requests, ns */
	uint16_t bucket[NEIGHBOURS]; /* index + 1 of the first, 0: none */
	struct neighbour entry[NEIGHBOURS];
};

struct parley_host;
struct interface;

void neighbours_init(struct parley_host *host, struct interface *interface);

/* The entry of an address, or NULL. */
struct neighbour *neighbour_find(struct parley_host *host, struct interface *interface,
				 const struct parley_addr *addr);

/*
 * The entry of a next hop that something is to be sent to, asked for if need be. NULL when the
 * table is full. `for_reply`: a reply wants to go there, and no connection.
 */
struct neighbour *neighbour_use(struct parley_host *host, struct interface *interface,
				const struct parley_addr *addr, bool for_reply);

/* May its mac be used now? Otherwise what is to be sent must wait. */
static inline bool neighbour_is_known(const struct neighbour *neighbour)
{
	return neighbour->state != NEIGHBOUR_INCOMPLETE;
}

/* A connection in no queue waits for the answer. */
void neighbour_park(struct neighbour *neighbour, struct tcb *tcb);

/* A reply waits in place of the one that did before. */
void neighbour_keep(struct parley_host *host, struct interface *interface,
		    struct neighbour *neighbour, const struct reply *reply);

/* It has answered us: REACHABLE, and what waits goes back into the egress. */
void neighbour_answered(struct parley_host *host, struct interface *interface,
			struct neighbour *neighbour, struct eth_addr mac);

/*
 * It has told its hardware address without being asked: that says nothing about the way there, so
 * a new address is STALE; what waits for it goes back into the egress.
 */
void neighbour_heard(struct parley_host *host, struct interface *interface,
		     struct neighbour *neighbour, struct eth_addr mac);

/* Something above has got an answer through it (RFC 4861 7.3.1). */
void neighbour_confirm(struct parley_host *host, struct interface *interface,
		       struct neighbour *neighbour);

/* It contradicts what we know, without being sure: to be verified when it is used next. */
void neighbour_doubt(struct interface *interface, struct neighbour *neighbour);

/* One who spoke to us first; keeps its hardware address if there is room. */
void neighbour_learn(struct parley_host *host, struct interface *interface,
		     const struct parley_addr *addr, struct eth_addr mac);

/* What routers say about reachability (RFC 4861 6.3.4), ns; 0: no change. */
void neighbours_tune(struct parley_host *host, struct interface *interface, uint64_t reachable,
		     uint64_t ask_again);

/* The next entry for which a request is owed, or NULL; the request is taken as sent. */
struct neighbour *neighbour_ask(struct parley_host *host, struct interface *interface);

/* Asks again and gives up, in bounded portions; returns how many entries were due. */
int neighbour_expire(struct parley_host *host, struct interface *interface);

/* When that is to be called next; UINT64_MAX: never. */
uint64_t neighbour_deadline(const struct interface *interface);

/* Whether the table is sound, for parley_check(). */
bool neighbours_check(const struct neighbours *neighbours);

#endif
