/* SPDX-License-Identifier: MIT */
/*
 * Each half is a hash table by linear probing in a ring of slots: an entry stands at its home or
 * behind it, with no empty slot between. For the old half the ring is what has not been moved,
 * [start, slots): an entry whose home has been moved has its home at `start`. Moving the slot at
 * `start` and shortening the ring by it keeps that true, because what stood behind it stands behind
 * the new start in the same order.
 *
 * Removing closes the gap by moving back what may stand there, so there are no tombstones.
 */
#include "base/table.h"

#include "base/mem.h"
#include "base/must.h"

#define CHUNK_SLOTS (1u << TABLE_CHUNK_BITS)
#define NOWHERE	    UINT32_MAX
/* Chunks freed in one step when there is nothing in them. */
#define STEP_CHUNKS 64u

static uint32_t slots_of(const struct table_half *h)
{
	return 1u << h->bits;
}

static uint32_t chunks_of(const struct table_half *h)
{
	return h->bits > TABLE_CHUNK_BITS ? 1u << (h->bits - TABLE_CHUNK_BITS) : 1;
}

static size_t chunk_bytes(const struct table_half *h)
{
	uint32_t slots = h->bits > TABLE_CHUNK_BITS ? CHUNK_SLOTS : slots_of(h);

	return slots * sizeof(struct table_slot);
}

/* The pointers to chunks, counted as 8 bytes on all targets, so that they are charged the same. */
static size_t directory_bytes(const struct table_half *h)
{
	return (size_t)chunks_of(h) * sizeof(uint64_t);
}

/* Slot i, or NULL if its chunk is not there. */
static struct table_slot *slot_at(const struct table_half *h, uint32_t i)
{
	struct table_slot *chunk = h->chunks[i >> TABLE_CHUNK_BITS];

	return chunk ? &chunk[i & (CHUNK_SLOTS - 1)] : NULL;
}

/* The entry in slot i, or NULL if it is empty. */
static struct table_slot *entry_at(const struct table_half *h, uint32_t i)
{
	struct table_slot *s = slot_at(h, i);

	return s && s->ref ? s : NULL;
}

static uint32_t ring_size(const struct table_half *h)
{
	return slots_of(h) - h->start;
}

static uint32_t ring_next(const struct table_half *h, uint32_t i)
{
	return i + 1 == slots_of(h) ? h->start : i + 1;
}

/* How far b is behind a, going round. */
static uint32_t ring_distance(const struct table_half *h, uint32_t a, uint32_t b)
{
	return b >= a ? b - a : b + ring_size(h) - a;
}

static bool half_make(struct table_half *h, struct memory *m, uint32_t bits)
{
	struct table_half half = {.bits = bits};

	half.chunks = memory_alloc(m, directory_bytes(&half));
	if (!half.chunks)
		return false;
	memset(half.chunks, 0, directory_bytes(&half));
	*h = half;
	return true;
}

static void half_free(struct table_half *h, struct memory *m)
{
	if (!h->chunks)
		return;
	for (uint32_t i = 0; i < chunks_of(h); i++)
		memory_free(m, h->chunks[i], chunk_bytes(h));
	memory_free(m, h->chunks, directory_bytes(h));
	*h = (struct table_half){0};
}

void table_init(struct table *t, struct memory *m)
{
	*t = (struct table){.memory = m};
}

void table_free(struct table *t)
{
	half_free(&t->old, t->memory);
	half_free(&t->now, t->memory);
}

/* The other half than table_likely(). */
static const struct table_half *unlikely_half(const struct table *t, const struct table_half *h)
{
	return h == &t->now ? &t->old : &t->now;
}

/* Begins the search of the next half, or ends it. */
static void cursor_turn(const struct table *t, uint32_t hash, struct table_cursor *c)
{
	const struct table_half *h = table_likely(t, hash);

	c->phase++;
	if (c->phase == 2)
		h = unlikely_half(t, h);
	if (c->phase > 2 || !h->chunks) {
		c->phase = 3;
		c->left = 0;
		return;
	}
	c->at = table_home(h, hash);
	c->left = ring_size(h);
}

uint32_t table_find(const struct table *t, uint32_t hash, struct table_cursor *c)
{
	if (c->phase == 0)
		cursor_turn(t, hash, c);
	while (c->phase < 3) {
		const struct table_half *h = table_likely(t, hash);

		if (c->phase == 2)
			h = unlikely_half(t, h);
		while (c->left) {
			const struct table_slot *s = entry_at(h, c->at);

			if (!s)
				break;
			c->at = ring_next(h, c->at);
			c->left--;
			if (s->hash == hash)
				return s->ref;
		}
		cursor_turn(t, hash, c);
	}
	return 0;
}

/* The slot of an entry in one half, or NOWHERE. */
static uint32_t half_locate(const struct table_half *h, uint32_t hash, uint32_t ref)
{
	const struct table_slot *s;
	uint32_t i, left;

	if (!h->chunks)
		return NOWHERE;
	i = table_home(h, hash);
	for (left = ring_size(h); left && (s = entry_at(h, i)); left--) {
		if (s->hash == hash && s->ref == ref)
			return i;
		i = ring_next(h, i);
	}
	return NOWHERE;
}

/* The half and slot of an entry, or NULL. */
static struct table_half *locate(struct table *t, uint32_t hash, uint32_t ref, uint32_t *at)
{
	*at = half_locate(&t->now, hash, ref);
	if (*at != NOWHERE)
		return &t->now;
	*at = half_locate(&t->old, hash, ref);
	return *at != NOWHERE ? &t->old : NULL;
}

/*
 * Puts an entry into the half that is filled. Makes the chunk that it falls into if that is missing
 * and *made is not set yet, and sets it; false if it may not or there is no memory.
 */
static bool put(struct table *t, struct table_slot entry, bool *made)
{
	struct table_half *h = &t->now;
	uint32_t i = table_home(h, entry.hash);

	while (entry_at(h, i))
		i = ring_next(h, i);
	if (!slot_at(h, i)) {
		struct table_slot *chunk = *made ? NULL : memory_alloc(t->memory, chunk_bytes(h));

		if (!chunk)
			return false;
		memset(chunk, 0, chunk_bytes(h));
		h->chunks[i >> TABLE_CHUNK_BITS] = chunk;
		*made = true;
	}
	*slot_at(h, i) = entry;
	h->used++;
	return true;
}

/* Empties slot i and moves back what then may stand nearer to its home. */
static void take(struct table_half *h, uint32_t i)
{
	uint32_t gap = i, at = i;
	struct table_slot *s;

	for (uint32_t left = ring_size(h) - 1; left; left--) {
		at = ring_next(h, at);
		s = entry_at(h, at);
		if (!s)
			break;
		if (ring_distance(h, table_home(h, s->hash), at) < ring_distance(h, gap, at))
			continue;
		*slot_at(h, gap) = *s;
		gap = at;
	}
	*slot_at(h, gap) = (struct table_slot){0};
	h->used--;
}

/* Gives back the chunk of the old half whose last slot is the one before `start`. */
static void leave_chunk(struct table *t)
{
	uint32_t i = (t->old.start - 1) >> TABLE_CHUNK_BITS;

	memory_free(t->memory, t->old.chunks[i], chunk_bytes(&t->old));
	t->old.chunks[i] = NULL;
}

/* Moves one slot over; false if there is no memory for that, or only in the next call. */
static bool move_slot(struct table *t, bool *made)
{
	struct table_half *old = &t->old;
	struct table_slot *s = slot_at(old, old->start);

	if (!s) {
		old->start = (old->start | (CHUNK_SLOTS - 1)) + 1;
		return true;
	}
	if (s->ref) {
		if (!put(t, *s, made))
			return false;
		*s = (struct table_slot){0};
		old->used--;
	}
	old->start++;
	if (old->start % CHUNK_SLOTS == 0)
		leave_chunk(t);
	return true;
}

/* Goes on moving; whether anything was done. */
static bool move(struct table *t, bool *made)
{
	struct table_half *old = &t->old;
	uint32_t start = old->start, slots = slots_of(old);

	if (old->used == 0) {
		for (uint32_t i = 0; i < STEP_CHUNKS && old->start < slots; i++) {
			old->start = (old->start | (CHUNK_SLOTS - 1)) + 1;
			leave_chunk(t);
		}
	}
	for (uint32_t i = 0; i < TABLE_STEP && old->start < slots; i++) {
		if (!move_slot(t, made))
			break;
	}
	if (old->start >= slots) {
		half_free(old, t->memory);
		return true;
	}
	return old->start != start;
}

/* Replaces the half by one of another size, to be filled. */
static bool begin(struct table *t, uint32_t bits)
{
	struct table_half half;

	if (!half_make(&half, t->memory, bits))
		return false;
	t->old = t->now;
	t->now = half;
	return true;
}

static bool step(struct table *t, bool *made)
{
	uint32_t bits = t->now.bits, used = t->now.used;

	if (t->old.chunks) {
		bool moved = move(t, made);

		if (t->old.chunks || table_count(t) > 0)
			return moved;
	}
	if (!t->now.chunks)
		return false;
	if (used == 0 && bits <= TABLE_CHUNK_BITS) {
		half_free(&t->now, t->memory);
		return true;
	}
	/* The directory of a new half counts as a chunk. */
	if (*made)
		return false;
	if (used >= (slots_of(&t->now) >> 5) * 23)
		return bits < TABLE_BITS_MAX && begin(t, bits + 1);
	if (used < slots_of(&t->now) >> 3 && bits > TABLE_BITS_MIN)
		return begin(t, bits < TABLE_BITS_MIN + 2 ? TABLE_BITS_MIN : bits - 2);
	return false;
}

bool table_step(struct table *t)
{
	bool made = false;

	return step(t, &made);
}

static bool is_full(const struct table *t)
{
	return table_count(t) >= (slots_of(&t->now) >> 2) * 3;
}

bool table_insert(struct table *t, uint32_t hash, uint32_t ref)
{
	bool fresh = !t->now.chunks, made = false;

	if (!must_hold(ref != 0))
		return false;
	if (fresh && !half_make(&t->now, t->memory, TABLE_BITS_MIN))
		return false;
	/* Full it is only when there was no memory to grow; perhaps there is now. */
	if (is_full(t))
		step(t, &made);
	if (is_full(t))
		return false;
	if (!put(t, (struct table_slot){.hash = hash, .ref = ref}, &made)) {
		if (fresh)
			half_free(&t->now, t->memory);
		return false;
	}
	step(t, &made);
	return true;
}

bool table_remove(struct table *t, uint32_t hash, uint32_t ref)
{
	bool made = false;
	uint32_t at;
	struct table_half *h = locate(t, hash, ref, &at);

	if (!h)
		return false;
	take(h, at);
	step(t, &made);
	return true;
}

bool table_replace(struct table *t, uint32_t hash, uint32_t ref, uint32_t to)
{
	uint32_t at;
	const struct table_half *h = locate(t, hash, ref, &at);

	if (!h || !must_hold(to != 0))
		return false;
	slot_at(h, at)->ref = to;
	return true;
}

static bool before(struct table_place a, struct table_place b)
{
	return a.hash != b.hash ? a.hash < b.hash : a.ref < b.ref;
}

/* Lowers *best to the least entry of a line (hash >> shift) in one half that is behind `after`. */
static void least_of_line(const struct table_half *h, uint32_t line, uint32_t shift,
			  struct table_place after, struct table_place *best)
{
	const struct table_slot *s;
	uint32_t i, left;

	if (!h->chunks)
		return;
	i = table_home(h, line << shift);
	for (left = ring_size(h); left && (s = entry_at(h, i)); left--) {
		struct table_place p = {.hash = s->hash, .ref = s->ref};

		if (p.hash >> shift == line && before(after, p) && (!best->ref || before(p, *best)))
			*best = p;
		i = ring_next(h, i);
	}
}

/*
 * Entries are met by their hash, not by where they stand, so moving does not matter. The lines of
 * the larger half are gone through; each lies within one line of the smaller.
 */
bool table_each(const struct table *t, struct table_place *place)
{
	uint32_t bits = t->now.bits > t->old.bits ? t->now.bits : t->old.bits;
	uint32_t shift = 35 - bits;

	if (!t->now.chunks)
		return false;
	for (uint32_t line = place->hash >> shift; line < 1u << (bits - 3); line++) {
		struct table_place best = {0};

		least_of_line(&t->now, line, shift, *place, &best);
		least_of_line(&t->old, line, shift, *place, &best);
		if (best.ref) {
			*place = best;
			return true;
		}
	}
	return false;
}

static bool half_check(const struct table_half *h)
{
	uint32_t used = 0;

	if (!h->chunks)
		return h->used == 0 && h->start == 0;
	if (h->bits < TABLE_BITS_MIN || h->bits > TABLE_BITS_MAX || h->start >= slots_of(h))
		return false;
	for (uint32_t i = 0; i < h->start >> TABLE_CHUNK_BITS; i++) {
		if (h->chunks[i])
			return false;
	}
	for (uint32_t i = 0; i < slots_of(h); i++) {
		const struct table_slot *s = entry_at(h, i);

		if (!s)
			continue;
		if (i < h->start || half_locate(h, s->hash, s->ref) != i)
			return false;
		used++;
	}
	return used == h->used;
}

bool table_check(const struct table *t)
{
	if (!t->now.chunks)
		return !t->old.chunks && half_check(&t->now);
	return half_check(&t->now) && half_check(&t->old) &&
	       table_count(t) <= (slots_of(&t->now) >> 2) * 3 && t->now.start == 0;
}
