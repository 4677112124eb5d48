/* SPDX-License-Identifier: MIT */
/*
 * Slots: where a handle leads. A handle is the index of a slot (24 bits) and its generation
 * (29 bits); giving a slot back ends the generation, so that old handles are recognised. Slots are
 * used again first-in-first-out; one whose generations are spent is never used again.
 *
 * The connection table refers to entries by the index of their slot, plus one.
 */
#ifndef TCP_SLOT_H
#define TCP_SLOT_H

#include "base/prefetch.h"
#include "base/slab.h"
#include "base/wheel.h"
#include "tcp/entry.h"

#include <parley/types.h>

#define SLOT_LEAF_BITS	8
#define SLOT_MID_BITS	8
#define SLOT_TOP_BITS	8
#define SLOT_MAX	(1u << 24)
#define SLOT_NONE	SLOT_MAX /* no index: 25 bits are enough for one or none */
#define SLOT_GENERATION ((1u << 29) - 1)

struct slot {
	void *object;		  /* NULL while free */
	uint32_t generation : 29; /* of the next or present use, from 1 */
	uint32_t kind : 3;	  /* enum entry_kind */
	uint32_t next : 25;	  /* while free: the next free one */
	uint32_t share : 7; /* of the leaf's first two: how many of it are used, in two halves */
};

struct slots {
	struct memory *memory;
	struct slot **top[1u << SLOT_TOP_BITS];
	uint32_t cut; /* slots ever used */
	uint32_t first_free, last_free;
	uint32_t used;
};

/*
 * No slots in use; false without memory for the first leaf. Leaves stay until slots_free(), for the
 * generations in them must outlive the handles.
 */
bool slots_init(struct slots *slots, struct memory *memory);
void slots_free(struct slots *slots);

/* What the leaves are charged with, bytes: as much as most slots at once have ever needed. */
uint64_t slots_charge(const struct slots *slots);

/* Takes a slot for an object; its index, or SLOT_NONE without memory. */
uint32_t slot_take(struct slots *slots, enum entry_kind kind, void *object);

/* Gives it back: handles to it are stale from now on. */
void slot_give(struct slots *slots, uint32_t index);

/* The same slot now leads to another object (a SYN entry became a TCB); handles stay valid. */
void slot_change(struct slots *slots, uint32_t index, enum entry_kind kind, void *object);

static inline struct slot *slot_at(const struct slots *slots, uint32_t index)
{
	struct slot **mid = slots->top[index >> (SLOT_MID_BITS + SLOT_LEAF_BITS)];
	struct slot *leaf = mid[index >> SLOT_LEAF_BITS & ((1u << SLOT_MID_BITS) - 1)];

	return &leaf[index & ((1u << SLOT_LEAF_BITS) - 1)];
}

/* Asks for the lines that a segment touches of what stands in a slot, all at once. */
static inline void slot_prefetch(const struct slot *slot)
{
	if (slot->object)
		prefetch_lines(slot->object, WHEEL_OWNER_LINES);
}

/*
 * The first slot in use from `index` on, or SLOT_NONE: for walks over all of them. Leaves without
 * any are passed as a whole, so that many free slots cost little.
 */
uint32_t slot_next_used(const struct slots *slots, uint32_t index);

/* The handle of a slot in use. */
parley_conn slot_handle(const struct slots *slots, uint32_t index);

/* The index a handle leads to, or SLOT_NONE if it is stale. */
uint32_t slot_find(const struct slots *slots, parley_conn handle);

/* What the handle leads to if it is of that kind, else NULL. */
void *slot_object(const struct slots *slots, parley_conn handle, enum entry_kind kind);

#endif
