/* SPDX-License-Identifier: MIT */
/*
 * Sent records: what is under way, one record for each transmission of a (super-)segment. The only
 * scoreboard: retransmission, RTT samples and recovery read it.
 *
 * Records stand in two orders: by sequence without gaps or overlaps from SND.UNA (or from where
 * the last acknowledgement cut one) to SND.NXT, and by time of transmission. The SYN has none: its
 * retransmission is a matter of state. A record marked lost counts in tcb->lost_bytes until it has
 * been sent again.
 */
#ifndef TCP_SENT_H
#define TCP_SENT_H

#include "tcp/tcp.h"

enum sent_mark {
	SENT_LOST = 1,	 /* believed lost, to be sent again */
	SENT_REXMIT = 2, /* has been sent more than once: no RTT sample (Karn) */
	SENT_PROBE = 4,	 /* a zero-window probe */
};

struct record {
	struct list_link by_seq, by_time;
	uint64_t at; /* of the last transmission, ns */
	struct seq lo;
	uint32_t len;  /* bytes; a FIN counts one */
	uint16_t size; /* bytes of text a segment */
	uint8_t marks; /* enum sent_mark */
	uint8_t again; /* how often it was sent again, saturating */
};

/* Records a first transmission at the end. False without memory. */
bool sent_add(struct tcp *tcp, struct tcb *tcb, struct seq lo, uint32_t len, uint8_t marks);

/*
 * Everything before `una` is acknowledged. Returns when the newest of the records that
 * were acknowledged whole went out: an RTT sample (RFC 6298 3). TCB_NEVER when there is none, or
 * when one of them was sent more than once (Karn).
 */
uint64_t sent_acked(struct tcp *tcp, struct tcb *tcb, struct seq una);

/* The first record that is marked lost, or NULL. */
struct record *sent_first_lost(struct tcb *tcb);

/* The first record by sequence, and the one after `record`; NULL at the end. */
struct record *sent_first(const struct tcb *tcb);
struct record *sent_next(const struct tcb *tcb, const struct record *record);

/* Bytes of a record without the FIN. */
uint32_t sent_text(const struct tcb *tcb, const struct record *record);

void sent_mark_lost(struct tcb *tcb, struct record *record);
void sent_mark_all_lost(struct tcb *tcb);

/* The record has just been sent again. */
void sent_again(struct tcp *tcp, struct tcb *tcb, struct record *record);

/* Cuts a record in two behind its first `len` bytes. False without memory: it is as it was. */
bool sent_split(struct tcp *tcp, struct record *record, uint32_t len);

/* Forgets all records. */
void sent_clear(struct tcp *tcp, struct tcb *tcb);

/* Bytes that are believed to be in the network: what cwnd bounds. */
uint32_t sent_pipe(const struct tcb *tcb);

/* NULL, or the invariant that is broken. */
const char *sent_check(const struct tcb *tcb);

#endif
