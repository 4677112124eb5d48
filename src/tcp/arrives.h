/* SPDX-License-Identifier: MIT */
/*
 * SEGMENT ARRIVES (RFC 9293 3.10.7), in the RFC's order. tcp_arrives() finds out which of the four
 * entries it is for; these are the entries.
 */
#ifndef TCP_ARRIVES_H
#define TCP_ARRIVES_H

#include "tcp/tcp.h"

/* There is no connection with this four-tuple: to whoever listens, or to CLOSED. */
void arrives_unknown(struct tcp *tcp, const struct arrival *arrival, const struct segment *segment);

/* 3.10.7.1: there is no connection. */
void arrives_closed(struct tcp *tcp, const struct arrival *arrival, const struct segment *segment);

/*
 * 3.10.7.2: `slot` is that of a listener or of a TCB in LISTEN; `iss` is what a connection that
 * comes of it starts with.
 */
void arrives_listen(struct tcp *tcp, struct slot *slot, const struct arrival *arrival,
		    const struct segment *segment, struct seq iss);

/* 3.10.7.3. The TCB may be gone afterwards. */
void arrives_syn_sent(struct tcp *tcp, struct tcb *tcb, const struct arrival *arrival,
		      const struct segment *segment);

/*
 * 3.10.7.4: SYN-RECEIVED and the synchronized states. The TCB may be gone afterwards. With
 * TCB_REOPEN set it was in TIME-WAIT and the segment is a SYN that begins anew: the caller ends
 * the connection and calls arrives_reopened().
 */
void arrives_other_states(struct tcp *tcp, struct tcb *tcb, const struct arrival *arrival,
			  const struct segment *segment);

/*
 * The SYN goes to whoever listens; the new connection's sequence numbers begin beyond `old_nxt`,
 * the old one's SND.NXT.
 */
void arrives_reopened(struct tcp *tcp, struct seq old_nxt, const struct arrival *arrival,
		      const struct segment *segment);

#endif
