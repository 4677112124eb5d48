/* SPDX-License-Identifier: MIT */
/*
 * What was seen to happen in a world, and the sum over many, so that a set of worlds can show what
 * it covered.
 */
#ifndef SIM_COVERAGE_H
#define SIM_COVERAGE_H

#include "sim/forge.h"
#include "sim/text.h"
#include "sim/workload.h"

#include <parley/trace.h>
#include <parley/types.h>

#include <stdint.h>

/* What becomes of a frame, step by step, as it is told to the hook. X(NAME, "name", "meaning") */
/* clang-format off */
#define SIM_FATES(X) \
	X(SENT, "sent", "left its host; then, now or later, some of the others") \
	X(DELIVERED, "delivered", "a copy arrived at a host") \
	X(LOST, "lost", "lost by the path") \
	X(QUEUE_FULL, "queue-full", "no room in front of the path") \
	X(FAULTED, "dropped", "dropped by a fault") \
	X(CUT, "cut", "sent or arriving while the link was down") \
	X(BAD_FCS, "bad-fcs", "damaged, and the device would have noticed") \
	X(TOO_BIG, "too-big", "longer than the way carries")

/* What else is done to a world. */
#define SIM_MISHAPS(X) \
	X(DUPLICATED, "duplicated", "frames that arrive twice") \
	X(REORDERED, "reordered", "frames held back, so that later ones overtake them") \
	X(CORRUPTED, "corrupted", "frames with one bit inverted") \
	X(DELAYED, "delayed", "segments delayed by a fault") \
	X(ROUTE, "route-change", "changes of a path while it is in use") \
	X(NARROWED, "narrowed", "changes of what a way carries") \
	X(CLOCK_JUMP, "clock-jump", "clocks set forward") \
	X(ALLOCATION, "allocation", "allocations that failed") \
	X(ACT, "act", "closes and aborts at a chosen state") \
	X(TUNE, "tune", "settings changed in the midst of things") \
	X(RESIZE, "resize", "changes of an interface's MTU while it is in use") \
	X(ABSENCE, "absence", "addresses and interfaces taken away and given back") \
	X(LATE_TURN, "late-turn", "turns for several things that happened since the last") \
	X(BATCH, "batch", "frames that went into an engine together, each batch once") \
	X(CHOKED, "choked", "turns in which a device did not take all that was owed")
/* clang-format on */

enum sim_fate {
#define SIM_X(name, text, meaning) SIM_##name,
	SIM_FATES(SIM_X)
#undef SIM_X
		SIM_FATE_COUNT
};

enum sim_mishap {
#define SIM_X(name, text, meaning) SIM_MISHAP_##name,
	SIM_MISHAPS(SIM_X)
#undef SIM_X
		SIM_MISHAP_COUNT
};

/* Each number counts occurrences. */
struct sim_coverage {
	uint64_t segments; /* TCP segments that arrived at a host undamaged */
	uint32_t edge[PARLEY_STATES][PARLEY_STATES];
	uint32_t timer[PARLEY_TIMER_COUNT];
	uint32_t drop[PARLEY_DROP_COUNT];
	uint32_t fate[SIM_FATE_COUNT];
	uint32_t mishap[SIM_MISHAP_COUNT];
	uint32_t forged[SIM_FORGERY_COUNT];
	uint32_t work[SIM_WORKLOADS];
};

/* A group of things that a world may show. */
struct sim_cover_group {
	const char *name; /* "edge" */
	uint32_t n;
	/* Writes the name of one, "ESTABLISHED>CLOSE-WAIT". False: it cannot happen. */
	bool (*item)(uint32_t i, struct sim_text *name);
};

#define SIM_COVER_GROUPS 7

const struct sim_cover_group *sim_cover_group(uint32_t group);

#define SIM_COVER_ITEMS 128

/* Sums over worlds. */
struct sim_tally {
	uint64_t worlds;
	uint64_t digest; /* of the worlds' digests, whatever their order */
	uint64_t events;
	uint64_t segments;
	uint64_t count[SIM_COVER_GROUPS][SIM_COVER_ITEMS];
	/* Worlds by the segments that were delivered in them, in steps of 2^(1/8). */
	uint64_t spread[512];
};

/* Adds a world: what it covered, its digest and the events it took. */
void sim_tally_add(struct sim_tally *tally, const struct sim_coverage *coverage, uint64_t seed,
		   uint64_t digest, uint64_t events);

/* Adds another tally. */
void sim_tally_join(struct sim_tally *tally, const struct sim_tally *more);

/*
 * At least half of the worlds delivered so many segments: exact below 16, then rounded down by less
 * than an eighth. 0 without worlds.
 */
uint64_t sim_tally_median(const struct sim_tally *tally);

#endif
