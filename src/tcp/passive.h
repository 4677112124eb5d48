/* SPDX-License-Identifier: MIT */
/*
 * A SYN reaches what listens (RFC 9293 3.10.7.2, third). `iss` is the new connection's ISS.
 */
#ifndef TCP_PASSIVE_H
#define TCP_PASSIVE_H

#include "tcp/listener.h"

/* Does anything listen for this local end that has room for one more connection? */
bool passive_welcome(struct tcp *tcp, const struct tuple *tuple);

/* A TCB in LISTEN becomes the connection itself. */
void passive_tcb(struct tcp *tcp, struct tcb *tcb, const struct arrival *arrival,
		 const struct segment *seg, struct seq iss);

/* A listener makes a connection: a SYN entry, unless one of its queues is full. */
void passive_entry(struct tcp *tcp, struct listener *listener, const struct arrival *arrival,
		   const struct segment *seg, struct seq iss);

#endif
