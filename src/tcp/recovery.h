/* SPDX-License-Identifier: MIT */
/*
 * Loss detection and recovery without SACK: duplicate ACKs, fast retransmit and fast recovery
 * (RFC 5681 3.2, RFC 6582), limited transmit (RFC 3042), and what a retransmission timeout does.
 *
 * Where the RFC inflates cwnd by a segment for each duplicate ACK, we count that segment as having
 * left the network (tcb->sacked_bytes): the same arithmetic on the other side of the comparison.
 */
#ifndef TCP_RECOVERY_H
#define TCP_RECOVERY_H

#include "tcp/tcp.h"

/* A duplicate ACK by RFC 5681's definition arrived. */
void recovery_duplicate(struct tcp *tcp, struct tcb *tcb);

/*
 * SND.UNA has advanced by `bytes`, which sent_acked() has taken off; before that `flight` bytes
 * had been under way.
 */
void recovery_advance(struct tcp *tcp, struct tcb *tcb, uint32_t bytes, uint32_t flight);

/* A record under way is lost: the counts of what has left the network stay within what was sent. */
void recovery_lose(struct tcb *tcb, struct record *record);

/* RETRANSMISSION TIMEOUT: everything under way counts as lost, and cwnd falls to one segment. */
void recovery_timeout(struct tcp *tcp, struct tcb *tcb);

#endif
