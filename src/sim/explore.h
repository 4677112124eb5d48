/* SPDX-License-Identifier: MIT */
/*
 * Visits all states of a small world that can be reached, depth first: every action of a state is
 * taken from a snapshot of it, and a state that was visited before is not entered again.
 *
 * What must hold of each state, after each action: no oracle is broken (oracle.h, parley_check(),
 * small.h), something can happen unless all is over, and, looking back from all ends when every
 * state is known, an end can be reached. A cycle without a way out is found by that.
 *
 * What it takes for granted: the oracles that remember (what was sent, offered, delivered) judge a
 * state by the way on which it was reached first.
 */
#ifndef SIM_EXPLORE_H
#define SIM_EXPLORE_H

#include "sim/delta.h"
#include "sim/visited.h"

#include <parley/conn.h>

/* Actions on one way, at most. */
#define EXPLORE_DEPTH_MAX 1000

enum explore_result {
	EXPLORE_DONE,	/* all was visited (or all above the depth), and nothing is wrong */
	EXPLORE_BROKEN, /* a rule is broken: explore->text */
	EXPLORE_STUCK,	/* nothing can happen, and it is not over */
	EXPLORE_NO_END, /* no end can be reached from here */
	EXPLORE_NO_MEMORY,
};

struct explore_level;

struct explore {
	struct small *small;
	uint32_t depth_max;
	struct visited visited;
	/* Edges: from, to. */
	uint32_t (*edge)[2];
	uint64_t edges, edges_cap;
	uint32_t ends;	  /* states in which all is over */
	uint32_t cut;	  /* states whose actions were not taken, for they lay too deep */
	uint32_t deepest; /* actions on the longest way */
	/* States by what the two ends were in. */
	uint32_t pair[PARLEY_STATES][PARLEY_STATES];
	/* With a result other than DONE: the way to what is wrong. */
	struct small_action path[EXPLORE_DEPTH_MAX];
	uint32_t path_len;
	char text[SIM_FAILURE_TEXT];
	struct explore_level *level;
	struct delta delta;
};

/*
 * Makes ready to visit all from where the world stands now. False without memory. Whoever watches
 * the world's pages begins then (delta_watched()). To be freed whatever comes.
 */
bool explore_begin(struct explore *explore, struct small *small);

/* Visits all. depth_max: no way is longer, 0: EXPLORE_DEPTH_MAX. The world then stands anywhere. */
enum explore_result explore_run(struct explore *explore, uint32_t depth_max);

void explore_free(struct explore *explore);

#endif
