/* SPDX-License-Identifier: MIT */
/*
 * The pages of a stream: blocks of 4 KiB found by number, in a directory that grows with the
 * distance between the lowest and the highest and goes with the last of them.
 */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include "base/block.h"

struct pages {
	/* The only page, or the directory, as `order` says. */
	void *at;
	/* The lowest page that there is, and how many numbers there are to the highest. */
	uint64_t first;
	uint32_t span;
	/* Pages present, and log2 of the pages that the directory has room for. */
	uint32_t count : 24;
	uint32_t order : 8;
};

/* Behind the highest page. */
static inline uint64_t pages_end(const struct pages *p)
{
	return p->first + p->span;
}

/* For pages_at: page n, which lies in the span, in a directory of cells. */
uint8_t *pages_look(const struct pages *p, uint64_t n);

/* Page n, or NULL. */
static inline uint8_t *pages_at(const struct pages *p, uint64_t n)
{
	if (n - p->first >= p->span)
		return NULL;
	return p->order == 0 ? p->at : pages_look(p, n);
}

/* Makes the pages [lo, hi) be there; false without memory: then nothing has changed. */
bool pages_provide(struct pages *p, struct memory *m, uint64_t lo, uint64_t hi);

/* Lets go of the pages outside [lo, hi), and of what the directory then holds too much. */
void pages_keep(struct pages *p, struct memory *m, uint64_t lo, uint64_t hi);

/* Whether all is sound, for tests; takes time in proportion to the span. */
bool pages_check(const struct pages *p);

#endif
