/* SPDX-License-Identifier: MIT */
#include "base/slab.h"

#include "base/block.h"
#include "base/must.h"

_Static_assert(SLAB_SIZE == PARLEY_SLAB, "the allocator is asked for slabs");

/* Beside twice the cap: room for one slab a kind of object, in use or spare. */
#define HELD_SLACK (UINT64_C(64) * SLAB_SIZE)

/* Of the cap, the part that may lie in reserve, and slabs of reserve at most. */
#define RESERVE_PART 4
#define RESERVE_MAX  1024

/* The smallest array, and the largest that comes from a pool. */
#define ARRAY_MIN    64u
#define ARRAY_POOLED (ARRAY_MIN << (MEMORY_CLASSES - 1))

void memory_init(struct memory *m, const struct parley_allocator *allocator, uint64_t cap)
{
	bool unbounded = cap > (UINT64_MAX - HELD_SLACK) / 2;

	*m = (struct memory){.allocator = *allocator, .cap = cap};
	m->held_cap = unbounded ? UINT64_MAX : 2 * cap + HELD_SLACK;
	m->reserve_limit = RESERVE_MAX;
	if (cap / RESERVE_PART / SLAB_SIZE < RESERVE_MAX)
		m->reserve_limit = (uint32_t)(cap / RESERVE_PART / SLAB_SIZE);
	for (uint32_t i = 0; i < MEMORY_CLASSES; i++) {
		uint32_t size = ARRAY_MIN << i;
		struct pool_kind kind = {.size = size, .align = ARRAY_MIN, .charge = size};

		pool_init(&m->arrays[i], m, &kind);
	}
	block_pools_init(m);
}

static void *reserve_take(struct memory *m)
{
	void *slab = m->reserve;

	if (slab) {
		m->reserve = *(void **)slab;
		m->reserved--;
	}
	return slab;
}

/* Back to where it came from. */
static void slab_return(struct memory *m, void *slab)
{
	must(m->held >= SLAB_SIZE);
	m->held -= SLAB_SIZE;
	m->allocator.free(m->allocator.ctx, slab, SLAB_SIZE);
}

void memory_close(struct memory *m)
{
	for (uint32_t i = 0; i < MEMORY_CLASSES; i++)
		pool_close(&m->arrays[i]);
	pool_abandon(&m->blocks[BLOCK_SMALL]);
	pool_abandon(&m->blocks[BLOCK_PAGE]);
	while (m->reserve)
		slab_return(m, reserve_take(m));
	must(m->charged == 0 && m->held == 0);
}

bool memory_allows(struct memory *m, uint32_t bytes)
{
	bool chosen = m->fail_at && --m->fail_at == 0;

	if (!chosen && bytes <= m->cap - m->charged)
		return true;
	m->failures++;
	return false;
}

void memory_charge(struct memory *m, uint32_t bytes)
{
	m->charged += bytes;
	if (m->peak < m->charged)
		m->peak = m->charged;
}

void memory_uncharge(struct memory *m, uint32_t bytes)
{
	must(m->charged >= bytes);
	m->charged -= bytes;
}

void memory_fail_at(struct memory *m, uint64_t n)
{
	m->fail_at = n;
}

/* Gives back the spare slabs of all pools; whether there were any. */
static bool give_spares(struct memory *m)
{
	bool any = false;

	for (struct pool *p = m->pools; p; p = p->next) {
		pool_settle(p);
		if (!p->spare)
			continue;
		slab_return(m, p->spare);
		p->spare = NULL;
		p->slabs--;
		any = true;
	}
	return any;
}

static void *slab_try(struct memory *m)
{
	if (m->held_cap - m->held < SLAB_SIZE)
		return NULL;
	return m->allocator.alloc(m->allocator.ctx, SLAB_SIZE, SLAB_SIZE);
}

void *slab_get(struct memory *m)
{
	void *slab = reserve_take(m);

	if (slab)
		return slab;
	slab = slab_try(m);
	if (!slab && give_spares(m))
		slab = slab_try(m);
	if (!slab) {
		m->failures++;
		return NULL;
	}
	m->held += SLAB_SIZE;
	if (m->held_peak < m->held)
		m->held_peak = m->held;
	return slab;
}

void slab_put(struct memory *m, void *slab)
{
	if (m->reserved >= m->reserve_limit) {
		slab_return(m, slab);
		return;
	}
	*(void **)slab = m->reserve;
	m->reserve = slab;
	m->reserved++;
}

/* The class of an array that comes from a pool. */
static uint32_t array_class(size_t size)
{
	if (size <= ARRAY_MIN)
		return 0;
	return 26 - (uint32_t)__builtin_clz((uint32_t)size - 1);
}

uint32_t memory_array_charge(size_t size)
{
	return size > ARRAY_POOLED ? SLAB_SIZE : ARRAY_MIN << array_class(size);
}

void *memory_alloc(struct memory *m, size_t size)
{
	void *slab;

	if (!must_hold(size > 0 && size <= MEMORY_ARRAY_MAX))
		return NULL;
	if (size <= ARRAY_POOLED)
		return pool_get(&m->arrays[array_class(size)]);
	if (!memory_allows(m, SLAB_SIZE))
		return NULL;
	slab = slab_get(m);
	if (slab) {
		m->direct += SLAB_SIZE;
		memory_charge(m, SLAB_SIZE);
	}
	return slab;
}

void memory_free(struct memory *m, void *array, size_t size)
{
	if (!array)
		return;
	if (size <= ARRAY_POOLED) {
		pool_put(&m->arrays[array_class(size)], array);
		return;
	}
	must(m->direct >= SLAB_SIZE);
	m->direct -= SLAB_SIZE;
	memory_uncharge(m, SLAB_SIZE);
	slab_put(m, array);
}

/* Counts a list of a pool's slabs, whose objects in use are added up; -1 if one is not in order. */
static int64_t count_slabs(const struct pool *p, const struct slab *s, bool full, uint64_t *used)
{
	const struct slab *prev = NULL;
	int64_t n = 0;

	for (; s; prev = s, s = s->next, n++) {
		if (s->pool != p || s->prev != prev || s->used == 0 || s->cut > p->per_slab)
			return -1;
		if (s->cut < s->used || (s->used == p->per_slab) != full)
			return -1;
		*used += s->used;
	}
	return n;
}

/* Whether a pool's slabs are where they belong. */
static bool pool_check(const struct pool *p)
{
	uint64_t used = 0;
	int64_t room = count_slabs(p, p->room, false, &used);
	int64_t full = count_slabs(p, p->full, true, &used);

	if (room < 0 || full < 0)
		return false;
	if (p->spare && (p->spare->used || p->spare->pool != p))
		return false;
	return room + full + (p->spare ? 1 : 0) == p->slabs && used == p->used + p->near_count;
}

bool memory_check(const struct memory *m)
{
	uint64_t charged = m->direct, held = m->direct + (uint64_t)m->reserved * SLAB_SIZE;

	for (const struct pool *p = m->pools; p; p = p->next) {
		if (p->memory != m || !pool_check(p))
			return false;
		charged += (uint64_t)p->used * p->charge;
		held += (uint64_t)p->slabs * SLAB_SIZE;
	}
	return charged == m->charged && held == m->held && m->charged <= m->cap &&
	       m->held <= m->held_cap && m->charged <= m->peak && m->held <= m->held_peak;
}

bool memory_is_empty(const struct memory *m)
{
	for (const struct pool *p = m->pools; p; p = p->next) {
		if (p->used)
			return false;
	}
	return m->charged == 0;
}
