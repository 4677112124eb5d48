/* SPDX-License-Identifier: MIT */
/*
 * A hierarchical timing wheel: for each owner one entry, which says when to look at the owner.
 *
 * Times are 64-bit nanoseconds. Level l has 64 slots of 64^l ns; an entry stands at the level of
 * the highest base-64 digit in which its time differs from the wheel's clock, in the slot of that
 * digit. Eleven levels hold every 64-bit time, so nothing is out of range and nothing is rounded.
 *
 * An entry's `deadline` is a hint: the time of the next visit. The truth is the owner's. Moving the
 * truth later does not touch the wheel; the visit finds nothing due and the owner schedules again.
 * No visit comes early, so an owner that schedules its earliest deadline fires nothing early and
 * misses nothing.
 *
 * Visits and the moving of entries to finer levels are counted against a budget, so that a call is
 * bounded however many entries are due and however far time has jumped.
 *
 * The wheel links entries and owns none. An entry must not move while scheduled.
 */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_DIGIT  6
#define WHEEL_SLOTS  64
#define WHEEL_LEVELS 11

/* An entry stands at the beginning of its owner, of which so many lines are fetched beforehand. */
#define WHEEL_OWNER_LINES 6

/* The answer of wheel_next() when nothing is scheduled. */
#define WHEEL_NEVER UINT64_MAX

/* All zero is an entry that is not scheduled. */
struct wheel_entry {
	struct wheel_entry *next;
	/* What points to this entry; NULL while it is not scheduled. */
	struct wheel_entry **link;
	/* When the visit comes; meaningful while scheduled. */
	uint64_t deadline;
};

struct wheel {
	/* No slot that begins before this has entries, except the one that is being emptied. */
	uint64_t clock;
	/* The level of that slot, which is the one that the clock points to; 0 if there is none. */
	uint32_t emptying;
	/* Entries scheduled. */
	uint32_t count;
	/* Levels that have entries, and for each level the slots that have. */
	uint32_t levels;
	uint64_t occupied[WHEEL_LEVELS];
	struct wheel_entry *slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

/* An empty wheel whose clock shows `now`. */
void wheel_init(struct wheel *w, uint64_t now);

/*
 * Lets the entry be visited at `deadline` at the latest: if it is scheduled for then or earlier
 * nothing happens, else it is put (or moved) there. A deadline in the past is due at once.
 */
void wheel_schedule(struct wheel *w, struct wheel_entry *e, uint64_t deadline);

/* Takes the entry out, if it is scheduled. Seldom needed: see above. */
void wheel_cancel(struct wheel *w, struct wheel_entry *e);

/*
 * Tells the wheel the time, where no visit is wanted. Keeps entries that are scheduled after a
 * long silence from standing at a coarser level than they need.
 */
void wheel_advance(struct wheel *w, uint64_t now);

/*
 * The next entry that is due at `now`, no longer scheduled; NULL if there is none or the budget is
 * used up. Each entry returned or moved to a finer level takes one from `budget`. The order is that
 * of deadlines only roughly. `now` should not go back.
 */
struct wheel_entry *wheel_pop(struct wheel *w, uint64_t now, uint32_t *budget);

/*
 * When wheel_pop() has something to do, not before `now`: never later than the earliest deadline,
 * but perhaps earlier. WHEEL_NEVER if nothing is scheduled.
 */
uint64_t wheel_next(const struct wheel *w, uint64_t now);

/* Whether the wheel is sound, for tests; takes time in proportion to its entries. */
bool wheel_check(const struct wheel *w);

static inline bool wheel_is_scheduled(const struct wheel_entry *e)
{
	return e->link;
}

#endif
