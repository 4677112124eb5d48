/* SPDX-License-Identifier: MIT */
/*
 * A slab is in one of three places: among those with room (some objects in use, not all), among
 * the full ones (all in use), or the spare (none in use). Objects are
 * taken from the slab at the front of the room list, and a slab that gets room again goes to the
 * front, so that the others have time to empty.
 */
#include "base/pool.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/slab.h"

static uint32_t round_up(uint32_t n, uint32_t align)
{
	return (n + align - 1) & ~(align - 1);
}

void pool_init(struct pool *p, struct memory *m, const struct pool_kind *kind)
{
	uint32_t align = kind->align < sizeof(void *) ? (uint32_t)sizeof(void *) : kind->align;
	uint32_t size = kind->size < sizeof(void *) ? (uint32_t)sizeof(void *) : kind->size;

	must((align & (align - 1)) == 0);
	must(kind->charge >= kind->size);
	*p = (struct pool){.memory = m, .charge = kind->charge};
	p->stride = round_up(size, align);
	p->first = round_up((uint32_t)sizeof(struct slab) + kind->notes, align);
	p->per_slab = (SLAB_SIZE - p->first) / p->stride;
	must(p->first < SLAB_SIZE && p->per_slab > 0);
	p->next = m->pools;
	m->pools = p;
}

static void slab_link(struct slab **list, struct slab *s)
{
	s->prev = NULL;
	s->next = *list;
	if (s->next)
		s->next->prev = s;
	*list = s;
}

static void slab_unlink(struct slab **list, struct slab *s)
{
	if (s->next)
		s->next->prev = s->prev;
	if (s->prev)
		s->prev->next = s->next;
	else
		*list = s->next;
}

/* A slab with room, at the front of the list, or NULL. */
static struct slab *room_get(struct pool *p)
{
	struct slab *s = p->room;

	if (s)
		return s;
	s = p->spare;
	if (s) {
		p->spare = NULL;
	} else {
		s = slab_get(p->memory);
		if (!s)
			return NULL;
		*s = (struct slab){.pool = p};
		p->slabs++;
	}
	slab_link(&p->room, s);
	return s;
}

/* An object from a slab with room, or NULL. */
static void *cut_object(struct pool *p)
{
	struct slab *s = room_get(p);
	void *object;

	if (!s)
		return NULL;
	object = s->free;
	if (object)
		s->free = *(void **)object;
	else
		object = (uint8_t *)s + p->first + p->stride * s->cut++;
	if (++s->used == p->per_slab) {
		slab_unlink(&p->room, s);
		slab_link(&p->full, s);
	}
	return object;
}

void *pool_get(struct pool *p)
{
	void *object = p->near;

	if (!memory_allows(p->memory, p->charge))
		return NULL;
	if (object) {
		p->near = *(void **)object;
		p->near_count--;
	} else {
		object = cut_object(p);
		if (!object)
			return NULL;
	}
	p->used++;
	memory_charge(p->memory, p->charge);
	return object;
}

void *pool_get_zero(struct pool *p)
{
	void *object = pool_get(p);

	if (object)
		memset(object, 0, p->stride);
	return object;
}

/* The slab's last object has been given back. */
static void slab_emptied(struct pool *p, struct slab *s)
{
	slab_unlink(&p->room, s);
	if (!p->spare) {
		p->spare = s;
		return;
	}
	p->slabs--;
	slab_put(p->memory, s);
}

static void give_to_slab(struct pool *p, void *object)
{
	struct slab *s = slab_of(object);

	if (!must_hold(s->pool == p && s->used > 0))
		return;
	*(void **)object = s->free;
	s->free = object;
	if (s->used == p->per_slab) {
		slab_unlink(&p->full, s);
		slab_link(&p->room, s);
	}
	if (--s->used == 0)
		slab_emptied(p, s);
}

void pool_put(struct pool *p, void *object)
{
	if (!object)
		return;
	must(p->used > 0);
	p->used--;
	memory_uncharge(p->memory, p->charge);
	if (p->near_count == POOL_NEAR) {
		give_to_slab(p, object);
		return;
	}
	*(void **)object = p->near;
	p->near = object;
	p->near_count++;
}

void pool_settle(struct pool *p)
{
	while (p->near) {
		void *object = p->near;

		p->near = *(void **)object;
		give_to_slab(p, object);
	}
	p->near_count = 0;
}

static void leave_memory(struct pool *p)
{
	struct pool **at = &p->memory->pools;

	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
}

void pool_close(struct pool *p)
{
	must(p->used == 0);
	pool_settle(p);
	if (p->spare)
		slab_put(p->memory, p->spare);
	p->spare = NULL;
	leave_memory(p);
}

static void put_all(struct pool *p, struct slab **list)
{
	while (*list) {
		struct slab *s = *list;

		*list = s->next;
		p->used -= s->used;
		memory_uncharge(p->memory, s->used * p->charge);
		p->slabs--;
		slab_put(p->memory, s);
	}
}

void pool_abandon(struct pool *p)
{
	pool_settle(p);
	put_all(p, &p->room);
	put_all(p, &p->full);
	pool_close(p);
}
