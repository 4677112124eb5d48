/* SPDX-License-Identifier: MIT */
/*
 * Plays a sequence to both ends at once, step by step, and compares.
 */
#ifndef TESTS_DIFFER_PLAY_H
#define TESTS_DIFFER_PLAY_H

#include "compare.h"

struct verdict {
	bool failed;
	struct difference difference; /* the first that is not in the list */
	size_t at;		      /* the step where it ended, or the number of steps */
	uint64_t states;	      /* a bit for each state that the kernel's end was in */
	uint32_t segments;	      /* of the kernel's end, compared */
	uint32_t used[ACCEPTED_MAX];  /* entries of the list */
	bool stalled;		      /* it took so long that a timer may have fired */
};

struct player {
	struct side *kernel, *parley;
	uint32_t played; /* connections: each has ports of its own */
	uint64_t stalls;
};

/* Plays it once; with `verbose`, says what happens. */
void play_once(struct player *player, const struct sequence *sequence, bool verbose,
	       struct verdict *verdict);

/* Plays it, again when it stalled. */
void play(struct player *player, const struct sequence *sequence, struct verdict *verdict);

/* Drops steps while it still fails in the same field. */
void minimise(struct player *player, struct sequence *sequence, size_t numbers[static STEPS_MAX]);

#endif
