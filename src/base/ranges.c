/* SPDX-License-Identifier: MIT */
/*
 * Ranges are counted from the lowest (0) to the highest (n - 1); slot() knows where in the ring
 * each stands.
 */
#include "base/ranges.h"

#include "base/mem.h"
#include "base/must.h"

void ranges_init(struct ranges *r, struct range *storage, uint32_t cap)
{
	*r = (struct ranges){.v = storage, .cap = cap};
}

static uint32_t place(const struct ranges *r, uint32_t i)
{
	uint32_t k = r->head + i;

	return k < r->cap ? k : k - r->cap;
}

static struct range *slot(struct ranges *r, uint32_t i)
{
	return &r->v[place(r, i)];
}

struct range *ranges_move(struct ranges *r, struct range *storage, uint32_t cap)
{
	struct range *old = r->v;

	if (!must_hold(cap >= r->n))
		return storage;
	for (uint32_t i = 0; i < r->n; i++)
		storage[i] = ranges_at(r, i);
	r->v = storage;
	r->cap = cap;
	r->head = 0;
	return old;
}

/* The first range that ends behind x (and so either holds x or lies behind it); n if none does. */
static uint32_t find(const struct ranges *r, uint64_t x)
{
	uint32_t lo = 0, hi = r->n;

	/* The ends first: that is where streams grow and shrink. */
	if (hi == 0 || ranges_at(r, hi - 1).hi <= x)
		return hi;
	if (hi == 1 || ranges_at(r, hi - 2).hi <= x)
		return hi - 1;
	if (ranges_at(r, 0).hi > x)
		return 0;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (ranges_at(r, mid).hi > x)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static uint32_t least(uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Moves `count` ranges from `from` on downwards, in the at most three pieces that lie together. */
static void move_down(struct ranges *r, uint32_t to, uint32_t from, uint32_t count)
{
	while (count > 0) {
		uint32_t src = place(r, from), dst = place(r, to);
		uint32_t some = least(count, r->cap - src, r->cap - dst);

		memmove(&r->v[dst], &r->v[src], some * sizeof *r->v);
		from += some;
		to += some;
		count -= some;
	}
}

/* Upwards: the highest pieces first, since they lie where the others go. */
static void move_up(struct ranges *r, uint32_t to, uint32_t from, uint32_t count)
{
	while (count > 0) {
		uint32_t src = place(r, from + count - 1), dst = place(r, to + count - 1);
		uint32_t some = least(count, src + 1, dst + 1);

		memmove(&r->v[dst + 1 - some], &r->v[src + 1 - some], some * sizeof *r->v);
		count -= some;
	}
}

/* Makes room for one range at i: the caller has seen that there is some. */
static void insert(struct ranges *r, uint32_t i, struct range range)
{
	if (i < r->n - i) {
		r->head = r->head ? r->head - 1 : r->cap - 1;
		move_down(r, 0, 1, i);
	} else {
		move_up(r, i + 1, i, r->n - i);
	}
	r->n++;
	*slot(r, i) = range;
}

/* Takes out k ranges from i on. */
static void discard(struct ranges *r, uint32_t i, uint32_t k)
{
	uint32_t behind = r->n - i - k;

	if (k == 0)
		return;
	if (i < behind) {
		move_up(r, k, 0, i);
		r->head = place(r, k);
	} else {
		move_down(r, i, i + k, behind);
	}
	r->n -= k;
}

/* Forgets the recent ranges that are now part of `range`, which becomes the first. */
static void touch(struct ranges *r, struct range range)
{
	uint64_t kept[RANGES_RECENT];
	uint32_t n = 0;

	kept[n++] = range.lo;
	for (uint32_t i = 0; i < r->recent_n && n < RANGES_RECENT; i++) {
		if (r->recent[i] < range.lo || r->recent[i] >= range.hi)
			kept[n++] = r->recent[i];
	}
	memcpy(r->recent, kept, n * sizeof kept[0]);
	r->recent_n = n;
}

int64_t ranges_add(struct ranges *r, uint64_t lo, uint64_t hi)
{
	struct range whole = {lo, hi};
	uint64_t there = 0;
	uint32_t i, end;

	if (lo >= hi)
		return 0;
	/* [i, end): the ranges that overlap this one or touch it. */
	i = find(r, lo ? lo - 1 : 0);
	for (end = i; end < r->n && ranges_at(r, end).lo <= hi; end++) {
		struct range one = ranges_at(r, end);

		there += one.hi - one.lo;
		whole.lo = one.lo < whole.lo ? one.lo : whole.lo;
		whole.hi = one.hi > whole.hi ? one.hi : whole.hi;
	}
	if (i == end) {
		if (r->n == r->cap)
			return -1;
		insert(r, i, whole);
	} else {
		*slot(r, i) = whole;
		discard(r, i + 1, end - i - 1);
	}
	touch(r, whole);
	r->bytes += whole.hi - whole.lo - there;
	return (int64_t)(whole.hi - whole.lo - there);
}

uint64_t ranges_remove_below(struct ranges *r, uint64_t x)
{
	uint64_t removed = 0, cut = x;
	uint32_t k, n = 0;

	for (k = 0; k < r->n && ranges_at(r, k).hi <= x; k++)
		removed += ranges_at(r, k).hi - ranges_at(r, k).lo;
	discard(r, 0, k);
	if (r->n > 0 && ranges_at(r, 0).lo < x) {
		cut = ranges_at(r, 0).lo;
		removed += x - cut;
		slot(r, 0)->lo = x;
	}
	r->bytes -= removed;
	/* The range that lost a part only is still known, by its new start. */
	for (uint32_t i = 0; i < r->recent_n; i++) {
		if (r->recent[i] >= cut)
			r->recent[n++] = r->recent[i] < x ? x : r->recent[i];
	}
	r->recent_n = n;
	return removed;
}

uint64_t ranges_remove_above(struct ranges *r, uint64_t x)
{
	uint64_t removed = 0;
	uint32_t k, n = 0;

	for (k = r->n; k > 0 && ranges_at(r, k - 1).lo >= x; k--)
		removed += ranges_at(r, k - 1).hi - ranges_at(r, k - 1).lo;
	discard(r, k, r->n - k);
	if (k > 0 && ranges_at(r, k - 1).hi > x) {
		removed += ranges_at(r, k - 1).hi - x;
		slot(r, k - 1)->hi = x;
	}
	r->bytes -= removed;
	for (uint32_t i = 0; i < r->recent_n; i++) {
		if (r->recent[i] < x)
			r->recent[n++] = r->recent[i];
	}
	r->recent_n = n;
	return removed;
}

bool ranges_contains(const struct ranges *r, uint64_t lo, uint64_t hi)
{
	uint32_t i;

	if (lo >= hi)
		return true;
	i = find(r, lo);
	return i < r->n && ranges_at(r, i).lo <= lo && hi <= ranges_at(r, i).hi;
}

uint64_t ranges_first_gap(const struct ranges *r, uint64_t x)
{
	uint32_t i = find(r, x);

	return i < r->n && ranges_at(r, i).lo <= x ? ranges_at(r, i).hi : x;
}

bool ranges_next_gap(const struct ranges *r, uint64_t *at, uint64_t hi, struct range *gap)
{
	uint32_t i = find(r, *at);

	if (i < r->n && ranges_at(r, i).lo <= *at)
		*at = ranges_at(r, i++).hi;
	if (*at >= hi)
		return false;
	*gap = (struct range){*at, hi};
	if (i < r->n && ranges_at(r, i).lo < hi)
		gap->hi = ranges_at(r, i).lo;
	*at = gap->hi;
	return true;
}

uint32_t ranges_recent(const struct ranges *r, struct range *out, uint32_t max)
{
	uint32_t n = r->recent_n < max ? r->recent_n : max;

	for (uint32_t i = 0; i < n; i++)
		out[i] = ranges_at(r, find(r, r->recent[i]));
	return n;
}
