/* SPDX-License-Identifier: MIT */
/*
 * Faults matched by what a segment means: "the second FIN from the client", "the first SYN,ACK",
 * "the first segment whose text covers offset 5000". A fault sees each TCP segment that it asks
 * for when it is sent, counts it, and acts on those whose count is in its list.
 *
 * Segments that a path loses by chance are seen and counted too. When several faults act on one
 * segment, a drop wins, delays add up, and each duplicate is made.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "sim/flow.h"
#include "sim/packet.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_world;

enum sim_action {
	SIM_DROP,
	SIM_DELAY,     /* arrives `ns` later */
	SIM_DUPLICATE, /* once more, `ns` behind the first */
	SIM_CORRUPT,   /* bit `bit` behind the link header is inverted (modulo its length) */
};

/* Whether what the segment carries was sent before. */
enum sim_again { SIM_ANY_TIME, SIM_FIRST_TIME, SIM_SENT_AGAIN };

#define SIM_NTH_MAX 8

/* A field of zero asks for nothing, with the exceptions named. */
struct sim_fault {
	int from;	 /* the sending host's number plus 1; 0: any */
	uint16_t set;	 /* flags that it must have */
	uint16_t clear;	 /* and must not have */
	bool text;	 /* it must carry text */
	bool empty;	 /* it must occupy no sequence number */
	bool covers;	 /* its text must cover `offset` of the sender's stream */
	uint64_t offset; /* 0 is the first byte */
	uint16_t port;	 /* one of its ports */
	enum sim_again again;
	uint64_t since; /* ns */
	uint64_t until; /* ns; 0: for ever */
	/* Which of the matches are meant, counted from 1; all zero: each. */
	uint32_t nth[SIM_NTH_MAX];
	uint32_t every; /* not 0: of those each so-manieth */
	enum sim_action action;
	uint64_t ns;
	uint32_t bit;
};

struct sim_fault_state {
	struct sim_fault_state *next;
	struct sim_fault fault;
	uint32_t seen;	/* segments that matched */
	uint32_t acted; /* and that were meant */
};

/* What all faults together want done to a segment. */
struct sim_verdict {
	bool drop;
	bool corrupt;
	uint32_t bit; /* behind the link header */
	uint64_t delay_ns;
	unsigned duplicates;
	uint64_t behind_ns[2]; /* how far behind the first each duplicate comes */
};

/*
 * Adds a fault, which is copied. Returns its state, to look at the counts; NULL when the arena is
 * full.
 */
struct sim_fault_state *sim_fault_add(struct sim_world *world, const struct sim_fault *fault);

/* Asks all faults about a TCP segment that is being sent, before its flow knows of it. */
void sim_fault_judge(struct sim_world *world, int from, const struct sim_flow *flow, unsigned way,
		     const struct sim_packet *packet, struct sim_verdict *verdict);

#endif
