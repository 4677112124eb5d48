/* SPDX-License-Identifier: MIT */
/*
 * Listeners: what a passive OPEN leaves. A listener only makes connections: half-open ones are SYN
 * entries (half_open.h), complete ones wait in its accept queue. A TCB in LISTEN (a passive OPEN
 * without a listener) has a `struct listening` too, through which its SYN finds it.
 */
#ifndef TCP_LISTENER_H
#define TCP_LISTENER_H

#include "tcp/tcp.h"

/* Among those that listen on a port; `slot` is the listener's or the TCB's. */
struct listening {
	struct list_link link;
	struct parley_endpoint local;
	struct parley_endpoint remote; /* unspecified, 0: anyone */
	uint32_t slot;
	bool v6_only;
};

struct listener {
	struct listening listening;
	struct notice notice;
	const struct settings *settings;
	struct list queue; /* TCBs to be accepted, by their notices' links */
	uint32_t queued;
	uint32_t backlog;
	uint32_t half_open; /* SYN entries */
	/* Held SYNs that the user has not fetched yet, oldest first: slots (held.h). */
	uint32_t held_first, held_last;
	uint16_t offered; /* the largest window that any of them was offered, bytes */
	bool decides;	  /* the user decides on each SYN */
};

/* For a listener: all but the slot is set from `open`. NULL without memory. */
struct listener *listener_new(struct tcp *tcp, const struct parley_open *open);

/* Resets what waits in the accept queue, and frees the listener. Its SYN entries time out or are
 * answered by RST when their ACK comes. */
void listener_free(struct tcp *tcp, struct listener *listener);

/* Is there no room in the accept queue, or among the half-open connections? */
bool listener_accept_full(const struct tcp *tcp, const struct listener *listener);
bool listener_syn_full(const struct tcp *tcp, const struct listener *listener);

/* An established connection joins the accept queue. */
void listener_enqueue(struct tcp *tcp, struct listener *listener, struct tcb *tcb);

/* The oldest connection leaves it; NULL when there is none. */
struct tcb *listener_dequeue(struct listener *listener);

/* For a TCB in LISTEN: registers it under its local and remote end. False without memory. */
bool listening_add(struct tcp *tcp, struct tcb *tcb, const struct parley_open *open);
void listening_remove(struct tcp *tcp, struct tcb *tcb);

#endif
