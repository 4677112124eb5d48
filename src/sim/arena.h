/* SPDX-License-Identifier: MIT */
/*
 * The memory of a virtual world: one region at a fixed base, which the caller lends. Everything
 * that the world and its hosts own lies in it, so that a copy of its used part is a snapshot, and
 * all pointers in it stay right when the copy is put back.
 *
 * Sizes are rounded up to a power of two, and each block is aligned to its size. Freed blocks wait
 * in a list for each size, last in, first out; a larger one is cut when there is none of the size,
 * but none that could hold a slab, and nothing is joined again. What a sequence of calls returns
 * depends on nothing but the sequence.
 */
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* The base is aligned to this, and no block needs more. */
#define SIM_ARENA_ALIGN ((size_t)65536)

#define SIM_ARENA_CLASSES 40

struct sim_arena {
	uint8_t *base;
	size_t size;	/* bytes lent */
	size_t used;	/* bytes from the base up to which anything was ever handed out */
	size_t in_use;	/* bytes handed out now, as rounded */
	uint32_t fails; /* requests that found no room */
	void *free[SIM_ARENA_CLASSES];
};

/*
 * Makes an arena of size bytes at base; its own head lies there too. NULL when base is not
 * aligned to SIM_ARENA_ALIGN or size is below it.
 */
struct sim_arena *sim_arena_init(void *base, size_t size);

/*
 * A block of at least size bytes, aligned to align: a power of two up to SIM_ARENA_ALIGN and not
 * above size as rounded up. Its contents are undefined. NULL when there is no room.
 */
void *sim_alloc(struct sim_arena *arena, size_t size, size_t align);

/* As sim_alloc(), filled with zeros and aligned for any type. */
void *sim_zalloc(struct sim_arena *arena, size_t size);

/* Gives a block back; size is what was asked for. NULL is allowed. */
void sim_free(struct sim_arena *arena, void *ptr, size_t size);

#endif
