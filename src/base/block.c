/* SPDX-License-Identifier: MIT */
/*
 * The counts of a slab's blocks are its notes, indexed by the block's offset in the slab divided
 * by its size; those of the places that the head itself takes are never used.
 */
#include "base/block.h"

#include "base/must.h"

#define SMALL_SHIFT 8
#define PAGE_SHIFT  12

_Static_assert(1u << SMALL_SHIFT == BLOCK_SMALL_BYTES, "SMALL_SHIFT");
_Static_assert(1u << PAGE_SHIFT == BLOCK_PAGE_BYTES, "PAGE_SHIFT");
_Static_assert(sizeof(struct slab) % sizeof(uint32_t) == 0, "the counts stand behind the head");

#define SLAB_COUNTS(shift) ((uint32_t)sizeof(uint32_t) * (SLAB_SIZE >> (shift)))

static const struct pool_kind block_kinds[] = {
	[BLOCK_SMALL] =
		{
			.size = BLOCK_SMALL_BYTES,
			.align = BLOCK_SMALL_BYTES,
			.charge = BLOCK_SMALL_BYTES,
			.notes = SLAB_COUNTS(SMALL_SHIFT),
		},
	[BLOCK_PAGE] =
		{
			.size = BLOCK_PAGE_BYTES,
			.align = BLOCK_PAGE_BYTES,
			.charge = BLOCK_PAGE_BYTES,
			.notes = SLAB_COUNTS(PAGE_SHIFT),
		},
};

void block_pools_init(struct memory *m)
{
	pool_init(&m->blocks[BLOCK_SMALL], m, &block_kinds[BLOCK_SMALL]);
	pool_init(&m->blocks[BLOCK_PAGE], m, &block_kinds[BLOCK_PAGE]);
}

static uint32_t *count_of(const void *p)
{
	struct slab *s = slab_of(p);
	uint32_t offset = (uint32_t)((uintptr_t)p & (SLAB_SIZE - 1));
	uint32_t shift = s->pool->stride == BLOCK_SMALL_BYTES ? SMALL_SHIFT : PAGE_SHIFT;

	return (uint32_t *)(void *)(s + 1) + (offset >> shift);
}

uint8_t *block_get(struct memory *m, enum block_size size)
{
	uint8_t *block = pool_get(&m->blocks[size]);

	if (block)
		*count_of(block) = 1;
	return block;
}

void block_ref(const void *p)
{
	uint32_t *count = count_of(p);

	must(*count > 0);
	++*count;
}

void block_unref(const void *p)
{
	struct pool *pool = slab_of(p)->pool;
	uint32_t *count = count_of(p);

	if (!must_hold(*count > 0) || --*count > 0)
		return;
	pool_put(pool, (void *)((uintptr_t)p & ~(uintptr_t)(pool->stride - 1)));
}

uint32_t block_refs(const void *p)
{
	return *count_of(p);
}
