/* SPDX-License-Identifier: MIT */
/*
 * SYN entries: a connection in SYN-RECEIVED that a listener made, as small as it can be (RFC 4987
 * 3.4). There is no second implementation of SYN-RECEIVED: a segment for an entry expands it into
 * a TCB on the stack, runs the steps of arrives.c on it, and writes back, promotes to a real TCB,
 * or frees. Before it is answered it may be held for the user's decision (held.h).
 */
#ifndef TCP_HALF_OPEN_H
#define TCP_HALF_OPEN_H

#include "tcp/tcp.h"

/* Bits that hold the largest "initial-rto", 60 s, ns. */
#define SYN_WAIT_BITS 36
#define SYN_WAIT_MAX  (((uint64_t)1 << SYN_WAIT_BITS) - 1)

/* Is it held for the user's decision, and has he fetched it? */
enum syn_held {
	SYN_ANSWERED,
	SYN_UNFETCHED,
	SYN_FETCHED,
};

/*
 * At most 96 bytes. `timer`'s deadline is the truth: the next SYN,ACK, or when a SYN that is held
 * is forgotten.
 */
struct syn_entry {
	struct wheel_entry timer;
	uint8_t kind; /* ENTRY_SYN, at the same place as in struct tcb */
	uint8_t ifindex;
	uint8_t snd_shift : 4; /* of the peer's window, or SYN_NO_SCALING */
	uint8_t held : 2;      /* enum syn_held */
	uint8_t retransmits;
	uint32_t slot : 24;
	uint32_t
		rcv_shift : 4; /* of ours, as announced; without meaning when there is no scaling */
	uint32_t acked : 1;    /* the ACK has come, but no text: "defer-accept" */
	parley_conn listener;
	struct tuple tuple;
	struct seq iss, irs;
	uint16_t wnd; /* the peer's, unscaled */
	uint16_t mss; /* the peer's option, or the default */
	union {
		struct {
			/*
			 * Between the first SYN,ACK and the timer's first deadline, ns; with
			 * `acked`, and the ACK. 0: the SYN,ACK was sent again before it was
			 * answered, so there is nothing to measure.
			 */
			uint64_t wait : SYN_WAIT_BITS;
			uint64_t challenged : ENTRY_CHALLENGE_BITS;
		};
		/* Held and not fetched: slots in the listener's line, SLOT_NONE at its ends. */
		struct {
			uint32_t next, prev;
		};
	};
};

#define SYN_NO_SCALING 15

static inline enum parley_state half_open_state(const struct syn_entry *entry)
{
	return entry->held ? PARLEY_LISTEN : PARLEY_SYN_RECEIVED;
}

/*
 * A listener's new connection: `tcb` is one on the stack in LISTEN that knows its peer's SYN
 * (passive.c). Keeps it as an entry, to be answered or held. NULL without memory.
 */
struct syn_entry *half_open_new(struct tcp *tcp, const struct tcb *tcb, struct listener *listener);

/* To SYN-RECEIVED, and the SYN,ACK goes; `tcb` is what the entry stands for. */
void half_open_answer(struct tcp *tcp, struct syn_entry *entry, struct tcb *tcb,
		      const struct listener *listener);

/* Takes over what the peer's SYN has told the TCB. */
void half_open_learn(struct syn_entry *entry, const struct tcb *tcb);

/* SEGMENT ARRIVES for an entry. */
void half_open_arrives(struct tcp *tcp, struct syn_entry *entry, const struct arrival *arrival,
		       const struct segment *segment);

/* Its timer is due: the SYN,ACK again, or the end. */
void half_open_timeout(struct tcp *tcp, struct syn_entry *entry);

/* Forgets an entry; nobody is told. */
void half_open_free(struct tcp *tcp, struct syn_entry *entry);

/* The same, and who looks on is told that it is CLOSED, unless it was still in LISTEN. */
void half_open_abort(struct tcp *tcp, struct syn_entry *entry);

/* The same, and its peer is told as well. */
void half_open_reset(struct tcp *tcp, struct syn_entry *entry);

/* The TCB that an entry stands for, for those who want to look at it. */
void half_open_expand(struct tcp *tcp, const struct syn_entry *entry, struct tcb *tcb);

#endif
