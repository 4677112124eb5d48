/* SPDX-License-Identifier: MIT */
/*
 * The story of each connection, made from what one or two witnesses saw (tool/witness.h).
 *
 * What a trace says of its own end is certain. With a witness at each end it is also certain which
 * segments arrived: a segment that was sent and never received is lost. Of an end without a trace
 * everything is inferred from its segments (dev/narrator.h) and marked as not sure.
 *
 * End 0 is the one that opened the connection, or, where that was not seen, spoke first. Times are
 * ns on the first witness's clock.
 */
#ifndef TOOL_STORY_H
#define TOOL_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/narrator.h"
#include "tool/witness.h"

#define STORY_UNKNOWN UINT64_MAX

/* A change of state at one end. */
struct story_change {
	bool changed; /* otherwise nothing else here counts */
	bool sure;
	enum parley_state state;
	enum parley_state before; /* only where it is sure */
};

enum story_fate {
	STORY_ASSUMED, /* nobody knows whether it arrived */
	STORY_ARRIVED,
	STORY_LOST,
	STORY_DAMAGED, /* it arrived with a wrong checksum */
};

struct story_segment {
	struct segment segment;
	int from;
	uint64_t sent, received; /* STORY_UNKNOWN where nobody saw it; one of them is known */
	enum story_fate fate;
	int why;	  /* enum parley_why, or -1 */
	uint64_t rto;	  /* of a retransmission by timer: the timeout that was over; 0: unknown */
	int dropped;	  /* enum parley_drop: arrived, but the receiver dropped it; or -1 */
	bool state_known; /* the sender's state, from itself */
	enum parley_state state;
	bool doubled; /* a second copy that the network made; when it left is unknown */
	bool joined;  /* for tool/pairing.c: it is part of another one now */
	size_t order; /* in which it was read */
	struct narration narration;
	struct story_change at_sender, at_receiver; /* what came with it */
};

/* A change of state that no segment brought, such as by a call or a timer. */
struct story_event {
	uint64_t time;
	int end;
	int cause; /* enum parley_cause, or -1 */
	enum parley_state from;
	struct story_change change;
	size_t order; /* in which it was read */
};

struct story_end {
	struct parley_endpoint endpoint;
	char name[64];	/* of the host, "" when unknown */
	bool watched;	/* a witness was there */
	bool traced;	/* with a trace, so its states are certain */
	uint64_t until; /* how long the witness was there */
	bool began;	/* `initial` has a meaning: the beginning was seen */
	struct story_change initial;
	/* Round trips measured by the end itself. */
	uint64_t rtt_n, rtt_sum, rtt_min, rtt_max;
};

/* One connection. Segments are in order of when they were sent, as far as known. */
struct story {
	struct story_end end[2];
	struct story_segment *segments;
	size_t n, room;
	struct story_event *events;
	size_t event_n, event_room;
	uint64_t begin; /* the earliest time in it */
	struct narrator_conn narrator;
};

struct stories {
	struct story **v;
	size_t n, room;
};

/* When a segment was first seen anywhere. */
static inline uint64_t story_time(const struct story_segment *segment)
{
	return segment->sent != STORY_UNKNOWN ? segment->sent : segment->received;
}

/*
 * Makes the stories of all connections that the witnesses saw, in the order in which these began.
 * `second` may be NULL. False when memory is out, or when two witnesses stood at the same place:
 * `error` says which.
 */
bool stories_make(struct stories *stories, const struct witness *first,
		  const struct witness *second, char error[static WITNESS_ERROR_MAX]);

void stories_free(struct stories *stories);

#endif
