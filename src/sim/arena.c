/* SPDX-License-Identifier: MIT */
#include "sim/arena.h"

#include "base/mem.h"
#include "base/must.h"

#include <stdalign.h>

#define LEAST_SHIFT 4
#define SLAB_SHIFT  16

/* A free block begins with the next one's address. */
struct block {
	struct block *next;
};

struct sim_arena *sim_arena_init(void *base, size_t size)
{
	struct sim_arena *arena = base;

	if ((uintptr_t)base % SIM_ARENA_ALIGN || size < SIM_ARENA_ALIGN)
		return NULL;
	*arena = (struct sim_arena){.base = base, .size = size, .used = sizeof *arena};
	/* So that the gap in front of the first block is whole blocks. */
	arena->used += -arena->used & (((size_t)1 << LEAST_SHIFT) - 1);
	return arena;
}

/* The power of two that serves size. */
static unsigned class_of(size_t size)
{
	unsigned shift = LEAST_SHIFT;

	while (((size_t)1 << shift) < size)
		shift++;
	return shift;
}

static void put_free(struct sim_arena *arena, void *ptr, unsigned shift)
{
	struct block *block = ptr;

	block->next = arena->free[shift];
	arena->free[shift] = block;
}

/* What lies between the end of the used part and the next multiple of 2^shift becomes blocks. */
static void fill_gap(struct sim_arena *arena, size_t upto)
{
	while (arena->used < upto) {
		unsigned shift = LEAST_SHIFT;

		while (!(arena->used >> shift & 1))
			shift++;
		put_free(arena, arena->base + arena->used, shift);
		arena->used += (size_t)1 << shift;
	}
}

static void *take_new(struct sim_arena *arena, unsigned shift)
{
	size_t size = (size_t)1 << shift;
	size_t at = (arena->used + size - 1) & ~(size - 1);

	if (at > arena->size || arena->size - at < size) {
		arena->fails++;
		return NULL;
	}
	fill_gap(arena, at);
	arena->used = at + size;
	return arena->base + at;
}

/* Cuts the smallest larger free block that there is, unless it could serve as a slab. */
static void *take_split(struct sim_arena *arena, unsigned shift)
{
	unsigned from = shift + 1;
	struct block *block;

	while (from < SLAB_SHIFT && !arena->free[from])
		from++;
	if (from >= SLAB_SHIFT)
		return NULL;
	block = arena->free[from];
	arena->free[from] = block->next;
	while (from-- > shift)
		put_free(arena, (uint8_t *)block + ((size_t)1 << from), from);
	return block;
}

static void *take(struct sim_arena *arena, unsigned shift)
{
	struct block *block = arena->free[shift];
	void *ptr;

	if (block) {
		arena->free[shift] = block->next;
		return block;
	}
	ptr = take_split(arena, shift);
	return ptr ? ptr : take_new(arena, shift);
}

void *sim_alloc(struct sim_arena *arena, size_t size, size_t align)
{
	unsigned shift;
	void *ptr;

	if (size > arena->size) {
		arena->fails++;
		return NULL;
	}
	shift = class_of(size);
	must(shift < SIM_ARENA_CLASSES && align <= (size_t)1 << shift && align <= SIM_ARENA_ALIGN);
	ptr = take(arena, shift);
	if (ptr)
		arena->in_use += (size_t)1 << shift;
	return ptr;
}

void *sim_zalloc(struct sim_arena *arena, size_t size)
{
	void *ptr = sim_alloc(arena, size, alignof(max_align_t));

	if (ptr)
		memset(ptr, 0, size);
	return ptr;
}

void sim_free(struct sim_arena *arena, void *ptr, size_t size)
{
	unsigned shift = class_of(size);

	if (!ptr)
		return;
	must((uint8_t *)ptr > arena->base && (uint8_t *)ptr < arena->base + arena->used);
	must(((uintptr_t)ptr & (((size_t)1 << shift) - 1)) == 0);
	put_free(arena, ptr, shift);
	arena->in_use -= (size_t)1 << shift;
}
