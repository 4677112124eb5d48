/* SPDX-License-Identifier: MIT */
/*
 * Placing the text of segments into the receive stream, in order or not (RFC 9293 3.10.7.4,
 * seventh). Bytes are written once, at their final offset: where there is a gap. The first copy of
 * a byte wins.
 */
#ifndef TCP_REASSEMBLY_H
#define TCP_REASSEMBLY_H

#include "tcp/tcp.h"

enum placed {
	PLACED_IN_ORDER, /* RCV.NXT has advanced */
	PLACED_BEYOND,	 /* kept behind a gap */
	PLACED_NOTHING,	 /* every byte was here already */
	PLACED_NO_ROOM,	 /* too many gaps */
	PLACED_NO_MEMORY,
};

/*
 * Places `len` bytes at `offset`, which the window check has trimmed: not below rcv_off, not beyond
 * the right edge. On PLACED_IN_ORDER, rcv.nxt, rcv.wnd and rcv_off stand behind the new bytes and
 * whatever was waiting for them.
 */
enum placed reassembly_place(struct tcp *tcp, struct tcb *tcb, uint64_t offset, const uint8_t *text,
			     uint32_t len);

/*
 * Keeps `len` bytes at rcv_off, where nothing lies yet, as if a gap were before them, until
 * reassembly_join() is called. False without memory.
 */
bool reassembly_hold(struct tcp *tcp, struct tcb *tcb, const uint8_t *text, uint32_t len);

/* RCV.NXT moves over what waits without a gap before it. */
void reassembly_join(struct tcp *tcp, struct tcb *tcb);

/* Bytes that wait out of order. */
uint64_t reassembly_bytes(const struct tcb *tcb);

/* Gives up what lies out of order at `offset` or behind: a FIN stands there. */
void reassembly_cut(struct tcp *tcp, struct tcb *tcb, uint64_t offset);

/* Is there any? */
bool reassembly_waits(const struct tcb *tcb);

/* Gives up everything out of order. */
void reassembly_give_up(struct tcp *tcp, struct tcb *tcb);

/* Frees what the user has consumed: all of it when nothing is left. */
void reassembly_settle(struct tcp *tcp, struct tcb *tcb);

/* Drops everything, also what waits for the user. */
void reassembly_free(struct tcp *tcp, struct tcb *tcb);

#endif
