/* SPDX-License-Identifier: MIT */
/*
 * What a TCB learns on its way to ESTABLISHED: from the interface, from sending its SYN, from the
 * peer's.
 */
#ifndef TCP_OPEN_H
#define TCP_OPEN_H

#include "tcp/tcp.h"

/* From the interface and the settings: MSS to announce, window scale to offer, first window. */
void open_prepare(struct tcp *tcp, struct tcb *tcb);

/* Bytes of text in a packet of `mtu` bytes without options, not below our floor. */
uint32_t open_text(const struct tuple *tuple, uint32_t mtu);

/* SND.UNA = ISS, SND.NXT = ISS + 1; the stream begins behind the SYN. */
void open_sent_syn(struct tcb *tcb);

/*
 * The peer's SYN: IRS, RCV.NXT, its MSS, its window scale (-1: no option; then none is used either
 * way), and its window, which is never scaled on a SYN (RFC 7323 2.2).
 */
void open_peer(struct tcb *tcb, struct seq irs, uint16_t mss, int wscale, uint16_t wnd);

/*
 * The same from the SYN itself: without the option its MSS is the default of its family (MUST-15),
 * and it is never below our floor.
 */
void open_peer_syn(struct tcb *tcb, const struct segment *syn);

/* SYN-SENT or SYN-RECEIVED to ESTABLISHED, and CLOSE if that was called meanwhile. */
void open_established(struct tcp *tcp, struct tcb *tcb);

#endif
