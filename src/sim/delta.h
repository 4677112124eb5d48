/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of a world of which little changes: an image of its arena at the beginning, and copies
 * of those pages only that may have changed since. Whoever can watch memory says which these are
 * (delta_touch()); without a watcher they are all that is in use.
 */
#ifndef SIM_DELTA_H
#define SIM_DELTA_H

#include "sim/world.h"

#include <stddef.h>

#define DELTA_PAGE ((size_t)4096)

struct delta {
	struct sim_world *world;
	uint8_t *base; /* the arena's, */
	size_t size;   /* and its bytes */
	uint8_t *first;
	/* Pages that may have changed, in the order in which that was found out. */
	uint32_t *page;
	uint32_t n;
	bool watched;
};

/* A copy of the pages that may have changed; all zero: none yet. */
struct delta_copy {
	uint8_t *bytes;
	size_t cap;
	uint32_t n; /* the first n in the order of the delta */
};

/* Takes the image. False without memory (the C library's). */
bool delta_begin(struct delta *delta, struct sim_world *world);
void delta_end(struct delta *delta);

/*
 * From now on only pages that were named by delta_touch() change; each may be named once, and may
 * be just before it is written to, from a signal handler. Call at once after delta_begin().
 */
void delta_watched(struct delta *delta);
void delta_touch(struct delta *delta, uint32_t page);

/* Copies what the world is now; the buffer is used again. False without memory. */
bool delta_take(struct delta *delta, struct delta_copy *copy);

/* Makes the world again what it was then. */
void delta_restore(struct delta *delta, const struct delta_copy *copy);

#endif
