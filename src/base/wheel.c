/* SPDX-License-Identifier: MIT */
/*
 * Why the slots are in order: an entry at level l agrees with the clock in all digits above l and
 * has the greater digit at l. So every entry of a level lies before every entry of the levels
 * above, and within a level slots lie in order of their number: the lowest slot of the lowest level
 * that has any is the next to begin. The clock may move on freely up to that beginning without
 * changing any of this.
 *
 * When a slot above level 0 begins, the clock is set to its beginning and its entries are taken out
 * one by one: due ones are returned, the others agree with the clock in one more digit and so go to
 * a lower level. Until it is empty that slot comes first.
 */
#include "base/wheel.h"

#include "base/must.h"
#include "base/prefetch.h"

#include <stddef.h>

/* wheel_next() looks at up to this many entries to be exact. */
#define GLANCE 4

/* An entry that comes to one of these levels is visited within 64^SOON ns. */
#define SOON 2

void wheel_init(struct wheel *w, uint64_t now)
{
	*w = (struct wheel){.clock = now};
}

static uint32_t digit(uint64_t t, uint32_t level)
{
	return (uint32_t)(t >> (WHEEL_DIGIT * level)) & (WHEEL_SLOTS - 1);
}

static uint32_t lowest(uint64_t bits)
{
	return (uint32_t)__builtin_ctzll(bits);
}

/* When a slot begins. The shifts are in two parts because the topmost would be of 66 bits. */
static uint64_t begins(const struct wheel *w, uint32_t level, uint32_t slot)
{
	uint32_t shift = WHEEL_DIGIT * level;

	return w->clock >> shift >> WHEEL_DIGIT << WHEEL_DIGIT << shift | (uint64_t)slot << shift;
}

/* Whether there is a slot that has begun above level 0 and is not empty yet. */
static bool is_emptying(const struct wheel *w)
{
	uint32_t level = w->emptying;

	return level && w->occupied[level] >> digit(w->clock, level) & 1;
}

/* The level and slot to visit next; the wheel has entries. Returns when the slot begins. */
static uint64_t first_slot(const struct wheel *w, uint32_t *level, uint32_t *slot)
{
	if (is_emptying(w)) {
		*level = w->emptying;
		*slot = digit(w->clock, *level);
	} else {
		*level = lowest(w->levels);
		*slot = lowest(w->occupied[*level]);
	}
	return begins(w, *level, *slot);
}

/* Its owner was last looked at when it scheduled this; the entry itself is in the first line. */
static void fetch_owner(const struct wheel_entry *e)
{
	if (e)
		prefetch_lines((const uint8_t *)e + CACHE_LINE, WHEEL_OWNER_LINES - 1);
}

/* Returns the level. */
static uint32_t link_entry(struct wheel *w, struct wheel_entry *e)
{
	uint64_t t = e->deadline < w->clock ? w->clock : e->deadline;
	uint64_t differs = t ^ w->clock;
	uint32_t level = differs ? (63 - (uint32_t)__builtin_clzll(differs)) / WHEEL_DIGIT : 0;
	uint32_t slot = digit(t, level);
	struct wheel_entry **head = &w->slots[level][slot];

	e->next = *head;
	e->link = head;
	if (e->next)
		e->next->link = &e->next;
	*head = e;
	w->occupied[level] |= UINT64_C(1) << slot;
	w->levels |= 1u << level;
	w->count++;
	return level;
}

/* The slot whose head is `link` has become empty, if it is a head. */
static void slot_emptied(struct wheel *w, struct wheel_entry **link)
{
	uintptr_t at = (uintptr_t)link - (uintptr_t)w->slots;
	uint32_t index = (uint32_t)(at / sizeof(*link));
	uint32_t level = index / WHEEL_SLOTS;

	if (at >= sizeof(w->slots))
		return;
	w->occupied[level] &= ~(UINT64_C(1) << index % WHEEL_SLOTS);
	if (!w->occupied[level])
		w->levels &= ~(1u << level);
}

static void unlink_entry(struct wheel *w, struct wheel_entry *e)
{
	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
	else
		slot_emptied(w, e->link);
	e->next = NULL;
	e->link = NULL;
	w->count--;
}

void wheel_schedule(struct wheel *w, struct wheel_entry *e, uint64_t deadline)
{
	if (e->link) {
		if (e->deadline <= deadline)
			return;
		unlink_entry(w, e);
	}
	e->deadline = deadline;
	link_entry(w, e);
}

void wheel_cancel(struct wheel *w, struct wheel_entry *e)
{
	if (e->link)
		unlink_entry(w, e);
}

void wheel_advance(struct wheel *w, uint64_t now)
{
	uint32_t level, slot;

	if (now > w->clock && (!w->levels || first_slot(w, &level, &slot) > now))
		w->clock = now;
}

struct wheel_entry *wheel_pop(struct wheel *w, uint64_t now, uint32_t *budget)
{
	while (w->levels) {
		uint32_t level, slot;
		uint64_t begin = first_slot(w, &level, &slot);
		struct wheel_entry *e = w->slots[level][slot], *next;

		if (begin > now || !*budget || !must_hold(e))
			break;
		--*budget;
		if (w->clock < begin)
			w->clock = begin;
		w->emptying = level;
		next = e->next;
		unlink_entry(w, e);
		if (e->deadline <= now) {
			fetch_owner(next);
			return e;
		}
		if (link_entry(w, e) < SOON)
			fetch_owner(e);
	}
	wheel_advance(w, now);
	return NULL;
}

uint64_t wheel_next(const struct wheel *w, uint64_t now)
{
	const struct wheel_entry *e;
	uint64_t begin, least = WHEEL_NEVER;
	uint32_t level, slot, seen = 0;

	if (!w->levels)
		return WHEEL_NEVER;
	if (is_emptying(w))
		return now;
	begin = first_slot(w, &level, &slot);
	for (e = w->slots[level][slot]; e && seen < GLANCE; e = e->next, seen++)
		least = e->deadline < least ? e->deadline : least;
	if (e)
		least = begin;
	return least < now ? now : least;
}

/* Whether the entries of one slot belong there; adds them to `count`. */
static bool check_slot(const struct wheel *w, uint32_t level, uint32_t slot, uint32_t *count)
{
	struct wheel_entry *const *link = &w->slots[level][slot];
	uint32_t at = digit(w->clock, level);
	uint64_t last;

	if ((w->occupied[level] >> slot & 1) != (*link != NULL))
		return false;
	if (!*link)
		return true;
	last = (UINT64_C(1) << WHEEL_DIGIT * level) - 1 + begins(w, level, slot);
	if ((slot < at || (slot == at && level && level != w->emptying)))
		return false;
	for (const struct wheel_entry *e = *link; e; link = &e->next, e = e->next) {
		uint64_t t = !level && e->deadline < w->clock ? w->clock : e->deadline;

		if (e->link != link || t < begins(w, level, slot) || t > last)
			return false;
		++*count;
	}
	return true;
}

bool wheel_check(const struct wheel *w)
{
	uint32_t count = 0;

	for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
		uint32_t slots = level == WHEEL_LEVELS - 1 ? 16 : WHEEL_SLOTS;

		if ((w->levels >> level & 1) != (w->occupied[level] != 0))
			return false;
		for (uint32_t slot = 0; slot < slots; slot++) {
			if (!check_slot(w, level, slot, &count))
				return false;
		}
	}
	return count == w->count;
}
