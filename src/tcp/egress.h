/* SPDX-License-Identifier: MIT */
/*
 * The way out of one interface, as TCP sees it: the queue of connections that have something to
 * send, and the ring of replies that belong to no TCB (a RST from CLOSED, the RST of an ABORT, the
 * SYN,ACK of a SYN entry, the ACK of a TIME-WAIT remnant). The net layer owns it and drains it.
 */
#ifndef TCP_EGRESS_H
#define TCP_EGRESS_H

#include "base/list.h"
#include "tcp/entry.h"
#include "wire/tcp.h"

#include <parley/types.h>

/* Interface indices are 1..EGRESS_MAX-1; the last one is the host's way to itself. */
#define EGRESS_MAX     66
#define EGRESS_REPLIES 256

struct tcb;

/* A segment without text that answers for no TCB. */
struct reply {
	struct tuple tuple; /* local: the source */
	parley_conn conn;
	struct seq seq, ack;
	uint16_t flags, wnd;
	uint16_t mss;	/* 0: no option */
	uint8_t wscale; /* only with has_wscale */
	bool has_wscale;
	uint8_t ttl, diffserv;
	uint8_t state; /* for the trace: enum parley_state of the sender */
	uint8_t why;   /* enum parley_why */
};

struct egress {
	struct list ready; /* TCBs, by their `ready` link */
	uint32_t mtu;	   /* of IP packets, bytes */
	uint32_t mtu_v6;   /* of IPv6 packets: routers may ask for less */
	bool offload_checksum, offload_segment;
	uint32_t first, count; /* of the ring */
	struct reply replies[EGRESS_REPLIES];
};

void egress_init(struct egress *egress, uint32_t mtu);

/* The MTU of packets of this address's family. */
uint32_t egress_mtu(const struct egress *egress, const struct parley_addr *addr);

/* Queues a reply at the end; false when the ring is full. */
bool egress_reply(struct egress *egress, const struct reply *reply);

/* Takes the oldest reply; false when there is none. */
bool egress_pop_reply(struct egress *egress, struct reply *reply);

/* Puts a connection at the end of the queue, unless it stands in some queue already. */
void egress_push(struct egress *egress, struct tcb *tcb);

/* Takes the first connection of the queue out of it, or NULL. */
struct tcb *egress_pop(struct egress *egress);

/* The segment that a reply is. */
void reply_segment(const struct reply *reply, struct segment *segment);

#endif
