/* SPDX-License-Identifier: MIT */
/*
 * The only place where segments are built. tcp_output() (tcp.h) answers, one segment a call, what a
 * connection may send now; what has no TCB to wait in goes into the reply ring through here.
 */
#ifndef TCP_OUTPUT_H
#define TCP_OUTPUT_H

#include "tcp/tcp.h"

/*
 * The RST that answers a segment for which there is no connection, or none that it fits (RFC 9293
 * 3.10.7.1): takes its numbers from the segment. Never called for a RST.
 */
void output_refuse(struct tcp *tcp, const struct arrival *arrival, const struct segment *segment);

/* The RST of a connection that is about to be deleted: ABORT (RFC 9293 3.10.5). */
void output_reset(struct tcp *tcp, const struct tcb *tcb);

/*
 * As tcp_output(), but the segment is lost on the spot: nobody is told that it was sent. False when
 * there was none.
 */
bool output_lose(struct tcp *tcp, struct tcb *tcb);

/*
 * What a TCB without text owes now (a SYN,ACK, an ACK, a challenge ACK), as replies: for a TCB on
 * the stack, and for one that is about to become a remnant.
 */
void output_reply(struct tcp *tcp, struct tcb *tcb);

#endif
