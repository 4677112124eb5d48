/* SPDX-License-Identifier: MIT */
/*
 * Held SYNs: a listener that was opened with PARLEY_OPEN_DECIDE keeps each SYN in its entry,
 * answers nothing, and asks the user. As long as it is held the connection is in LISTEN, for
 * nothing has been sent; segments for it are what RFC 9293 3.10.7.2 makes of them.
 *
 * Those that the user has not fetched yet stand in a line of the listener, by their slots.
 */
#ifndef TCP_HELD_H
#define TCP_HELD_H

#include "tcp/half_open.h"

/* Begins to hold an entry that half_open_new() has made, and tells the user. */
void held_begin(struct tcp *tcp, struct syn_entry *entry, struct listener *listener);

/* SEGMENT ARRIVES for a held entry; it may be gone afterwards. */
void held_arrives(struct tcp *tcp, struct syn_entry *entry, struct listener *listener,
		  const struct arrival *arrival, const struct segment *segment);

/* The setting "decide-timeout" is over: the SYN is forgotten. */
void held_timeout(struct tcp *tcp, struct syn_entry *entry);

/* Takes a held entry out of its listener's line, if it stands there. */
void held_unlink(struct tcp *tcp, struct syn_entry *entry, struct listener *listener);

/* Whether a listener's line is sound: NULL, or what is broken. */
const char *held_check(const struct tcp *tcp, const struct listener *listener);

/* parley_next_syn() and parley_decide(). */
int held_next(struct tcp *tcp, parley_conn listener, struct parley_syn *syn);
int held_decide(struct tcp *tcp, parley_conn conn, enum parley_decision decision);

#endif
