/* SPDX-License-Identifier: MIT */
/*
 * TIME-WAIT remnants: a connection in TIME-WAIT that no user holds, as small as it can be. A
 * segment for it expands it into a TCB on the stack, runs the steps of arrives.c, and writes back
 * or frees: TIME-WAIT has no second implementation.
 *
 * Remnants end in the order in which they began (or last saw a FIN), so they stand in one line and
 * need no timers of their own; the setting "msl" changed meanwhile moves none before another.
 */
#ifndef TCP_REMNANT_H
#define TCP_REMNANT_H

#include "tcp/tcp.h"

/* At most 64 bytes, to the bit. */
struct remnant {
	struct tuple tuple;
	uint32_t ends; /* 2 MSL from then, in REMNANT_TICKs, modulo 2^32 */
	struct seq snd_nxt, rcv_nxt;
	/* Slots: its own; in the line, SLOT_NONE at the ends. */
	uint64_t slot : 24, next : 25;
	uint64_t ifindex : 7;
	uint64_t ttl : 8;
	uint64_t prev : 25;
	uint64_t wnd : 16; /* as it goes on the wire */
	uint64_t challenged : ENTRY_CHALLENGE_BITS;
};

/* A tick of about a millisecond, ns. */
#define REMNANT_TICK ENTRY_TICK

/*
 * Replaces a TCB in TIME-WAIT by a remnant in the same slot (the handle goes on naming it), and
 * frees the TCB. Without memory the TCB is left as it is. Beyond the setting "time-wait-limit" the
 * oldest remnant ends, which may be this one.
 */
void remnant_replace(struct tcp *tcp, struct tcb *tcb);

/* SEGMENT ARRIVES for a remnant. */
void remnant_arrives(struct tcp *tcp, struct remnant *remnant, const struct arrival *arrival,
		     const struct segment *segment);

/* Ends those whose time is over, `budget` at most; returns how many. */
int remnant_expire(struct tcp *tcp, uint32_t budget);

/* When the first one ends, ns, or TCB_NEVER. */
uint64_t remnant_deadline(const struct tcp *tcp);

/* To CLOSED, for all to see, and forgotten. */
void remnant_end(struct tcp *tcp, struct remnant *remnant, enum parley_cause cause);

/* Forgets it. */
void remnant_free(struct tcp *tcp, struct remnant *remnant);

/* The TCB that a remnant stands for. */
void remnant_expand(struct tcp *tcp, const struct remnant *remnant, struct tcb *tcb);

#endif
