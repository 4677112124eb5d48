/* SPDX-License-Identifier: MIT */
/*
 * The memory of one host: slabs from the user's allocator, the budget that bounds them, and arrays.
 *
 * Everything that a host allocates is charged here in bytes: objects by their pool's kind, arrays
 * by their class. A charge that would pass `cap` fails. Because slabs are shared by objects of one
 * kind only, more may be held than is charged; that too is bounded, by `held_cap`.
 *
 * Every allocation may fail. A failure changes nothing, is counted in `failures`, and is told to
 * the caller as NULL. memory_fail_at() makes a chosen one fail, for tests.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include "base/pool.h"
#include <parley/memory.h>

/* Arrays of 64, 128, ... 16384 bytes come from pools; larger ones are a slab of their own. */
#define MEMORY_CLASSES	 9
#define MEMORY_ARRAY_MAX SLAB_SIZE

struct memory {
	struct parley_allocator allocator;
	/* Most that may be charged, and what is, and the highest that it has been; bytes. */
	uint64_t cap;
	uint64_t charged;
	uint64_t peak;
	/* The same for the slabs that are held. */
	uint64_t held_cap;
	uint64_t held;
	uint64_t held_peak;
	/* Allocations that failed, for whatever reason. */
	uint64_t failures;
	/* Unless 0: the how many-th allocation from now is to fail. */
	uint64_t fail_at;
	/*
	 * Slabs that no pool holds, kept for the next that wants one, linked through their first
	 * bytes: up to a quarter of the cap, so that a stream whose window fills and empties does
	 * not go to the allocator and back each time.
	 */
	void *reserve;
	uint32_t reserved, reserve_limit;
	/* All pools on this memory. */
	struct pool *pools;
	/* Bytes of arrays that are slabs of their own. */
	uint64_t direct;
	struct pool arrays[MEMORY_CLASSES];
	/* Data blocks of 256 bytes and of 4 KiB (base/block.h). */
	struct pool blocks[2];
};

/*
 * A memory that holds nothing yet and may be charged with at most `cap` bytes. At most twice that
 * and 4 MiB will be held in slabs. Must not move until memory_close.
 */
void memory_init(struct memory *m, const struct parley_allocator *allocator, uint64_t cap);

/*
 * Gives everything back. All arrays must be given back, the pools of others closed; blocks that
 * frames still hold go too.
 */
void memory_close(struct memory *m);

/*
 * An array of at least `size` bytes (1 to MEMORY_ARRAY_MAX) at a multiple of 64, contents
 * undefined; NULL if there is no memory. Charged with memory_array_charge(size).
 */
void *memory_alloc(struct memory *m, size_t size);

/* Gives an array of memory_alloc back, with the size that was asked for. NULL is allowed. */
void memory_free(struct memory *m, void *array, size_t size);

/* What an array of `size` bytes is charged with: the next power of two from 64, 64 KiB above 16. */
uint32_t memory_array_charge(size_t size);

/* For tests: the n-th allocation from now (1 is the next) fails; 0 turns it off. */
void memory_fail_at(struct memory *m, uint64_t n);

/* Whether the books balance: charges and slabs add up over all pools and arrays. */
bool memory_check(const struct memory *m);

/* Whether nothing at all is in use (spare slabs may be held). */
bool memory_is_empty(const struct memory *m);

/* For pools: whether `bytes` more may be charged; if not, a failure is counted. */
bool memory_allows(struct memory *m, uint32_t bytes);

/* For pools: charges them, after memory_allows, and takes the charge back. */
void memory_charge(struct memory *m, uint32_t bytes);
void memory_uncharge(struct memory *m, uint32_t bytes);

/* For pools: one slab, or NULL with a failure counted. */
void *slab_get(struct memory *m);
void slab_put(struct memory *m, void *slab);

#endif
