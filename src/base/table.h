/* SPDX-License-Identifier: MIT */
/*
 * A hash table from 32-bit hashes to references, for finding connections.
 *
 * A slot holds a hash and a reference, an opaque nonzero number; the owner resolves candidates and
 * compares keys. Hashes must come from a keyed function (SipHash), or an attacker chooses them. The
 * same hash may stand for many references, but a pair of hash and reference is in the table once.
 *
 * Slots stand in chunks of at most 64 KiB. The high bits of a hash name a line of 8 slots, where
 * probing begins and most hits end. The load is at most 3/4. To grow (and to shrink) a second
 * table is made beside the first and filled from it, 64 slots a call at most; chunks are made when
 * first needed, at most one a call. While both exist, the old one is the ring of the slots that
 * have not been moved yet, and takes no new entries.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/slab.h"

#define TABLE_LINE	 8u
#define TABLE_CHUNK_BITS 13
#define TABLE_BITS_MIN	 6
#define TABLE_BITS_MAX	 25
/* Slots moved in one call. */
#define TABLE_STEP 64u

struct table_slot {
	uint32_t hash;
	/* 0: the slot is empty. */
	uint32_t ref;
};

/* One array of slots. */
struct table_half {
	/* Chunks; NULL in it stands for 8192 empty slots. NULL itself: no array. */
	struct table_slot **chunks;
	/* The first slot of the ring: those before it have been moved. 0 but for the old half. */
	uint32_t start;
	/* Slots in use. */
	uint32_t used;
	/* log2 of the slots. */
	uint32_t bits;
};

struct table {
	struct memory *memory;
	/* Where entries go, and what is being emptied. */
	struct table_half now;
	struct table_half old;
};

/* Where table_find() has got to; begins all zero. */
struct table_cursor {
	uint32_t at;
	/* Slots of the ring not yet looked at. */
	uint32_t left;
	/* 0 before the first half, 1 in it, 2 in the second, 3 at the end. */
	uint32_t phase;
};

/* How far table_each() has got; begins all zero. */
struct table_place {
	uint32_t hash;
	uint32_t ref;
};

/* An empty table, which holds no memory. */
void table_init(struct table *t, struct memory *m);

/* Gives all its memory back. */
void table_free(struct table *t);

/* Adds an entry; false if there is no memory for it: then nothing has changed. */
bool table_insert(struct table *t, uint32_t hash, uint32_t ref);

/* Removes the entry; false if it is not there. */
bool table_remove(struct table *t, uint32_t hash, uint32_t ref);

/* Lets the entry refer to `to` from now on; false if it is not there. Never needs memory. */
bool table_replace(struct table *t, uint32_t hash, uint32_t ref, uint32_t to);

/*
 * One reference after another that stands for `hash`; 0 at the end. The table must not change
 * between the calls of one search.
 */
uint32_t table_find(const struct table *t, uint32_t hash, struct table_cursor *c);

/*
 * One entry after another, in order of hash and reference; false at the end. The table may change
 * between calls: an entry that is there throughout is met exactly once, one that comes or goes
 * meanwhile at most once. A call takes time in proportion to the empty slots that it passes.
 */
bool table_each(const struct table *t, struct table_place *place);

/*
 * Does a bounded part of what growing or shrinking still needs; false if there is nothing to do or
 * no memory to do it with. Inserting and removing call it too; idle time may as well.
 */
bool table_step(struct table *t);

/* Entries. */
static inline uint32_t table_count(const struct table *t)
{
	return t->now.used + t->old.used;
}

/* Whether the table is sound, for tests; takes time in proportion to its slots. */
bool table_check(const struct table *t);

/* The slot at which probing for `hash` begins. */
static inline uint32_t table_home(const struct table_half *h, uint32_t hash)
{
	uint32_t home = hash >> (32 - h->bits) & ~(TABLE_LINE - 1);

	return home < h->start ? h->start : home;
}

/* Where table_find() looks first: in growing, the half that is likelier to have the hash. */
static inline const struct table_half *table_likely(const struct table *t, uint32_t hash)
{
	bool unmoved = t->old.chunks && hash >> (32 - t->old.bits) >= t->old.start;

	return unmoved ? &t->old : &t->now;
}

/* Asks for the line at which table_find() begins. */
static inline void table_prefetch(const struct table *t, uint32_t hash)
{
	const struct table_half *h = table_likely(t, hash);
	const struct table_slot *chunk;
	uint32_t home;

	if (!h->chunks)
		return;
	home = table_home(h, hash);
	chunk = h->chunks[home >> TABLE_CHUNK_BITS];
	if (chunk)
		__builtin_prefetch(&chunk[home & ((1u << TABLE_CHUNK_BITS) - 1)]);
}

#endif
