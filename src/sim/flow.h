/* SPDX-License-Identifier: MIT */
/*
 * Connections as they look from the wire: for each pair of endpoints what each side has sent and
 * offered, kept while the world lives. Faults and oracles work from this, not from what an engine
 * says about itself.
 *
 * A SYN with another initial sequence number than before begins a new incarnation.
 *
 * A forgery may be believed: then its receiver acknowledges numbers that the side which it pretends
 * to be from has never used. What forgeries that arrived have covered is kept, and a segment that
 * acknowledges it talks to nobody: it is no part of the flow.
 */
#ifndef SIM_FLOW_H
#define SIM_FLOW_H

#include "base/seq.h"
#include "sim/ledger.h"
#include "sim/packet.h"

#include <parley/types.h>

#include <stdbool.h>
#include <stdint.h>

struct sim_world;

/* Of so many forgeries a flow knows what they covered; then the oldest is forgotten. */
#define SIM_FORGED_MAX 16

/* Numbers that a forgery used before the side did that it pretended to be from: from..to - 1. */
struct sim_forged {
	unsigned way; /* that side */
	struct seq from, to;
};

/* One side. "Its" is what it sent itself. */
struct sim_way {
	bool syn;     /* its SYN was sent, with number iss */
	bool fin;     /* its FIN was sent, with number fin_at */
	bool wants;   /* its SYN offered window scaling, by wscale */
	bool met;     /* the other side's SYN is known to it, and so whether windows are scaled */
	bool scaled;  /* its own are */
	bool sent;    /* it sent a segment that was no RST, in any incarnation: end is known */
	bool offered; /* it offered a window: edge is known */
	bool limited; /* an offer of the other side reached it: limit is known */
	uint8_t wscale;
	struct seq iss;
	struct seq fin_at;
	struct seq end;		 /* behind the last number that it used */
	struct seq acked;	 /* the furthest number that it acknowledged, with offered */
	struct seq edge;	 /* the furthest right edge that it offered */
	struct seq limit;	 /* the furthest right edge of the other side's that reached it */
	enum parley_state state; /* as its host's trace had it last */
	uint64_t waits_since;	 /* when it went to TIME-WAIT last, by its host's clock */
};

struct sim_flow {
	struct sim_flow *next;
	struct parley_endpoint end[2]; /* in a fixed order; way[i] is what end[i] does */
	struct sim_way way[2];
	struct sim_ledger ledger[2];
	uint32_t incarnation;	   /* from 1 */
	uint32_t forgeries;	   /* that covered something, so far */
	struct sim_forged *forged; /* the last of them, in a ring; NULL before the first */
};

/*
 * The flow between two endpoints, in whichever order, and in *way the side of `src`. NULL when the
 * arena is full (the world then has failed).
 */
struct sim_flow *sim_flow_get(struct sim_world *world, const struct parley_endpoint *src,
			      const struct parley_endpoint *dst, unsigned *way);

/*
 * In what a side's windows are counted: 1, or a power of two when both SYNs offered scaling. The
 * other side's is the one that it has taken, which may be a forged one.
 */
uint32_t sim_flow_unit(const struct sim_flow *flow, unsigned way);

/* What a window field means: RFC 7323 2.2, never scaled on a SYN. */
uint32_t sim_flow_window(const struct sim_flow *flow, unsigned way, const struct segment *segment);

/* The side has sent all numbers before this one, or more. */
bool sim_flow_has_sent(const struct sim_flow *flow, unsigned way, struct seq number);

/* It acknowledges what the other side has not sent, but a forgery towards this side did. */
bool sim_flow_answers_forgery(const struct sim_flow *flow, unsigned way,
			      const struct segment *segment);

/* Begins a new incarnation when the segment is a SYN that says so. To be called first. */
void sim_flow_begin(struct sim_flow *flow, unsigned way, const struct segment *segment);

/* The segment was sent. */
void sim_flow_sent(struct sim_flow *flow, unsigned way, const struct segment *segment);

/* It arrived, undamaged, at the other side, having been sent in this incarnation. */
void sim_flow_arrived(struct sim_flow *flow, unsigned way, const struct segment *segment);

/*
 * A forgery that pretends to be from this side arrived, undamaged, at the other. The world fails
 * when the arena is full.
 */
void sim_flow_forged(struct sim_world *world, struct sim_flow *flow, unsigned way,
		     const struct segment *segment);

/* Its text lies wholly in what was sent before. */
bool sim_flow_again(const struct sim_flow *flow, unsigned way, const struct segment *segment);

/* Its text covers the byte of this offset in the stream (0 is the first). */
bool sim_flow_covers(const struct sim_flow *flow, unsigned way, const struct segment *segment,
		     uint64_t offset);

#endif
