/* SPDX-License-Identifier: MIT */
/*
 * Which states have been visited: a set of 128-bit digests, each with a number, in the order in
 * which they came, and how it was reached first. Two states that differ are taken for one with a
 * chance of about n * n / 2^129 for n states, which is nothing to fear below 2^32 of them.
 *
 * Memory is the C library's; 32 bytes a state, and a table of 4 bytes an entry, half empty.
 */
#ifndef SIM_VISITED_H
#define SIM_VISITED_H

#include "sim/small.h"

#include <stdbool.h>
#include <stdint.h>

#define VISITED_NONE UINT32_MAX

struct visit {
	struct small_digest digest;
	uint32_t parent; /* from which it was reached first; VISITED_NONE: the beginning */
	uint32_t depth;	 /* actions from the beginning, the fewest seen */
	struct small_action action; /* by which it was */
	uint8_t end[2];		    /* enum parley_state of both hosts */
	bool over;		    /* nothing is left to happen, as it should be */
	bool open;		    /* its actions were not all taken, for it lay too deep */
};

struct visited {
	struct visit *visit;
	uint32_t n, cap;
	uint32_t *table; /* numbers plus one */
	uint32_t size;	 /* of the table, a power of two */
};

/* An empty set is all zero. Frees what it holds; it is empty again. */
void visited_free(struct visited *visited);

/*
 * The number of the state with this digest. *fresh: it was not there; then the rest of its visit is
 * the caller's to fill in. VISITED_NONE without memory.
 */
uint32_t visited_add(struct visited *visited, struct small_digest digest, bool *fresh);

#endif
