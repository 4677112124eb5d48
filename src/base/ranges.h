/* SPDX-License-Identifier: MIT */
/*
 * An ordered set of half-open ranges [lo, hi) of 64-bit offsets, for reassembly: which bytes
 * beyond the first gap have arrived. Ranges that touch or overlap are one, so there is always at
 * least one missing offset between two. Beside it stand the most recently touched ranges, in the
 * order in which SACK blocks are to be reported (RFC 2018 section 4).
 *
 * Storage is an array of the caller's, of cap ranges: cap is the limit, and an add that would
 * exceed it changes nothing. To raise it, ranges_move() to a larger array. The array is used as a
 * ring, so that both ends grow and shrink in O(1). Elsewhere a change costs a binary search and
 * one move of the shorter side: at most cap / 2 ranges of 16 bytes, in memory order.
 *
 * Offsets up to UINT64_MAX - 1 can be members. Nothing here allocates or owns memory.
 */
#ifndef BASE_RANGES_H
#define BASE_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#define RANGES_RECENT 8

struct range {
	uint64_t lo; /* first offset in the range */
	uint64_t hi; /* first offset behind it */
};

struct ranges {
	struct range *v;		/* the ring, the caller's */
	uint32_t cap;			/* its size */
	uint32_t head;			/* where the lowest range stands in it */
	uint32_t n;			/* how many ranges there are */
	uint32_t recent_n;		/* how many of recent[] are in use */
	uint64_t bytes;			/* how many offsets are members */
	uint64_t recent[RANGES_RECENT]; /* the first offset of each */
};

/* An empty set. storage (cap ranges) stays the caller's; cap 0 with NULL takes nothing. */
void ranges_init(struct ranges *r, struct range *storage, uint32_t cap);

/*
 * Moves the set to other storage, of at least r->n ranges, larger or smaller. Gives back the
 * storage that is no longer used, for the caller to free (or to reuse): the former one.
 */
struct range *ranges_move(struct ranges *r, struct range *storage, uint32_t cap);

/*
 * Adds [lo, hi) and makes the range that it is now in the most recent, even when every byte was
 * there before. Returns how many offsets are new; 0 for an empty range, which changes nothing;
 * -1 when one range more would be needed than there is room for: nothing has changed.
 */
int64_t ranges_add(struct ranges *r, uint64_t lo, uint64_t hi);

/* Removes every offset below x, or from x on. Returns how many were members. */
uint64_t ranges_remove_below(struct ranges *r, uint64_t x);
uint64_t ranges_remove_above(struct ranges *r, uint64_t x);

/* Is all of [lo, hi) in the set? An empty one is. */
bool ranges_contains(const struct ranges *r, uint64_t lo, uint64_t hi);

/* The lowest offset from x on that is not in the set. */
uint64_t ranges_first_gap(const struct ranges *r, uint64_t x);

/*
 * The gaps inside [*at, hi), lowest first, cut to it: fills *gap, moves *at behind it, and returns
 * true; false when there is no more. The set may be changed between calls.
 *
 *	uint64_t at = lo;
 *	while (ranges_next_gap(r, &at, hi, &gap))
 *		...
 */
bool ranges_next_gap(const struct ranges *r, uint64_t *at, uint64_t hi, struct range *gap);

/*
 * The up to max (and up to RANGES_RECENT) most recently touched ranges, as they are now, most
 * recent first. Returns how many. A range not touched for eight others is forgotten here, though
 * it stays in the set.
 */
uint32_t ranges_recent(const struct ranges *r, struct range *out, uint32_t max);

/* The i-th range from below, i < r->n. */
static inline struct range ranges_at(const struct ranges *r, uint32_t i)
{
	uint32_t k = r->head + i;

	return r->v[k < r->cap ? k : k - r->cap];
}

#endif
