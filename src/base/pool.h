/* SPDX-License-Identifier: MIT */
/*
 * Pools of objects of one size, cut from slabs.
 *
 * A slab (64 KiB at a multiple of 64 KiB) begins with its struct slab, so the slab of an object,
 * and with it the pool, is found by masking the object's address. Taking and giving back are
 * O(1). A slab is cut up only as far as it has been used, so a fresh one is not touched whole.
 * A pool keeps at most one empty slab; others go into the memory's reserve.
 *
 * The last few objects given back are taken again first, without a look at their slabs, whose heads
 * are rarely in a near cache. Until pool_settle() they keep their slabs from being empty.
 *
 * Each object in use is charged to the host's memory with the number of bytes in the pool's kind,
 * which is the same on all targets, whatever sizeof says there.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_SIZE 65536u

/* Objects that a pool holds ready beside its slabs. */
#define POOL_NEAR 32u

struct memory;
struct pool;

/* The head of each slab that a pool has cut up. */
struct slab {
	struct pool *pool;
	/* Among the pool's slabs with room, or among the full ones; unset for the spare. */
	struct slab *next;
	struct slab *prev;
	/* Objects given back, linked through their first bytes. */
	void *free;
	/* Objects in use. */
	uint16_t used;
	/* Objects cut so far; those behind have never been touched. */
	uint16_t cut;
};

/* What the objects of a pool are. */
struct pool_kind {
	/* sizeof the object, at least that of a pointer. */
	uint32_t size;
	/* Its alignment, a power of two up to 4096. */
	uint32_t align;
	/* Bytes charged for one, at least `size` on every target. */
	uint32_t charge;
	/* Bytes kept behind struct slab for the owner's own notes about the objects, usually 0. */
	uint32_t notes;
};

struct pool {
	struct memory *memory;
	/* The next pool of the same memory. */
	struct pool *next;
	/* Slabs with room and at least one object in use. */
	struct slab *room;
	/* Slabs whose objects are all in use. */
	struct slab *full;
	/* One slab without any, or NULL. */
	struct slab *spare;
	/* The last objects given back, linked through their first bytes, and how many. */
	void *near;
	uint32_t near_count;
	/* Distance of objects in a slab, and where the first stands. */
	uint32_t stride;
	uint32_t first;
	/* Objects a slab. */
	uint32_t per_slab;
	uint32_t charge;
	/* Objects in use, and slabs held. */
	uint32_t used;
	uint32_t slabs;
};

/* An empty pool, which holds no memory. The pool must not move until pool_close. */
void pool_init(struct pool *p, struct memory *m, const struct pool_kind *kind);

/* Gives the spare slab back and leaves the memory. The pool must be empty. */
void pool_close(struct pool *p);

/* The same for a pool whose objects may still be in use: nobody may touch them any more. */
void pool_abandon(struct pool *p);

/* An object with undefined contents; NULL (counted) at the cap or if the allocator fails. */
void *pool_get(struct pool *p);

/* As pool_get, zeroed. */
void *pool_get_zero(struct pool *p);

/* Gives `object` of this pool back. NULL is allowed. */
void pool_put(struct pool *p, void *object);

/* Gives the last objects back to their slabs, and with them those that become empty. */
void pool_settle(struct pool *p);

/* The slab in which `p`, an address inside an object of some pool, stands. */
static inline struct slab *slab_of(const void *p)
{
	return (struct slab *)((uintptr_t)p & ~(uintptr_t)(SLAB_SIZE - 1));
}

#endif
