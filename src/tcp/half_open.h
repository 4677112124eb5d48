/* SPDX-License-Identifier: MIT */
/*
 * SYN entries: a connection in SYN-RECEIVED that a listener made, as small as it can be (RFC 4987
 * 3.4). There is no second implementation of SYN-RECEIVED: a segment for an entry expands it into
 * a TCB on the stack, runs the steps of arrives.c on it, and writes back, promotes to a real TCB,
 * or frees.
 */
#ifndef TCP_HALF_OPEN_H
#define TCP_HALF_OPEN_H

#include "tcp/tcp.h"

/* Bits that hold the largest "initial-rto", 60 s, ns. */
#define SYN_WAIT_BITS 36
#define SYN_WAIT_MAX  (((uint64_t)1 << SYN_WAIT_BITS) - 1)

/* At most 96 bytes. `timer`'s deadline is the truth: the next SYN,ACK. */
struct syn_entry {
	struct wheel_entry timer;
	uint8_t kind; /* ENTRY_SYN, at the same place as in struct tcb */
	uint8_t ifindex;
	uint8_t snd_shift; /* of the peer's window, or SYN_NO_SCALING */
	uint8_t retransmits;
	uint32_t slot;
	parley_conn listener;
	struct tuple tuple;
	struct seq iss, irs;
	uint16_t wnd; /* the peer's, unscaled */
	uint16_t mss; /* the peer's option, or the default */
	/* From the first SYN,ACK to when its timer is due, ns; before the first retransmission. */
	uint64_t wait : SYN_WAIT_BITS;
	uint64_t challenged : ENTRY_CHALLENGE_BITS;
};

#define SYN_NO_SCALING 0xff

/*
 * A listener's new connection: `tcb` is one on the stack in SYN-RECEIVED, as made by
 * arrives_listen(). Keeps it as an entry and sends the SYN,ACK. False without memory.
 */
bool half_open_new(struct tcp *tcp, const struct tcb *tcb, struct listener *listener);

/* SEGMENT ARRIVES for an entry. */
void half_open_arrives(struct tcp *tcp, struct syn_entry *entry, const struct arrival *arrival,
		       const struct segment *segment);

/* Its timer is due: the SYN,ACK again, or the end. */
void half_open_timeout(struct tcp *tcp, struct syn_entry *entry);

/* Forgets an entry; nobody is told. */
void half_open_free(struct tcp *tcp, struct syn_entry *entry);

/* The TCB that an entry stands for, for those who want to look at it. */
void half_open_expand(struct tcp *tcp, const struct syn_entry *entry, struct tcb *tcb);

#endif
