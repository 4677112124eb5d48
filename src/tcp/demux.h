/* SPDX-License-Identifier: MIT */
/*
 * Finding the connection that a segment belongs to, and the listener for one that has none.
 */
#ifndef TCP_DEMUX_H
#define TCP_DEMUX_H

#include "tcp/tcp.h"

/* The slot index of the entry with exactly this four-tuple, or SLOT_NONE. */
uint32_t demux_find(const struct tcp *tcp, const struct tuple *tuple);

/*
 * Whether there may be such an entry: looks at nothing but the table, where one in 2^32 has the
 * same hash by chance. For those who only look for a four-tuple that is free.
 */
bool demux_is_taken(const struct tcp *tcp, const struct tuple *tuple);

/* The same for a segment that arrived: most are for the connection that the last one was for. */
uint32_t demux_arrived(struct tcp *tcp, const struct tuple *tuple);

/* A search that is only to have memory asked for what it will look at, in three steps. */
struct demux_ahead {
	uint32_t hash;
	uint32_t slot; /* plus one; 0: nothing there */
};

/* Asks for the table's line; then, when that has come, for the slot; then for the entry. */
void demux_ahead_begin(const struct tcp *tcp, const struct tuple *tuple, struct demux_ahead *ahead);
void demux_ahead_slot(const struct tcp *tcp, struct demux_ahead *ahead);
void demux_ahead_entry(const struct tcp *tcp, const struct demux_ahead *ahead);

/* Puts an entry's slot into the table under its four-tuple. False without memory. */
bool demux_insert(struct tcp *tcp, const struct tuple *tuple, uint32_t slot);

/* Takes it out again. */
void demux_forget(struct tcp *tcp, const struct tuple *tuple, uint32_t slot);

/* The same for a TCB, which remembers whether it is in the table. */
bool demux_add(struct tcp *tcp, struct tcb *tcb);
void demux_remove(struct tcp *tcp, struct tcb *tcb);

/*
 * What listens for a SYN to this local end: a listener or a TCB in LISTEN, one bound to the very
 * address before one bound to any. NULL when nothing does.
 */
struct slot *demux_listening(struct tcp *tcp, const struct tuple *tuple);

/* The list of what listens on a port. */
struct list *demux_port(struct tcp *tcp, uint16_t port);

/* Is this local end, or at :: with v6_only that of IPv6 alone, taken by something that listens? */
bool demux_is_listening(struct tcp *tcp, const struct parley_endpoint *local, bool v6_only);

#endif
