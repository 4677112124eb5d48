/* SPDX-License-Identifier: MIT */
/*
 * Text that has been received in order: what follows from it, for the user and for the peer.
 */
#ifndef TCP_TEXT_H
#define TCP_TEXT_H

#include "tcp/tcp.h"

/*
 * RCV.NXT has moved over `len` bytes of text, which came in segments of `segment`: the user is
 * told, and an ACK is owed, at once or later (MUST-58). One that fills a gap, or leaves one behind
 * it, is acknowledged at once (RFC 5681 4.2).
 */
void text_in_order(struct tcp *tcp, struct tcb *tcb, uint32_t len, uint32_t segment,
		   bool filled_gap);

#endif
