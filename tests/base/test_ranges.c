/* SPDX-License-Identifier: MIT */
/*
 * The naive model is one bool an offset, over a small space laid at places where numbers wrap,
 * and a plain list of the ranges touched last.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ranges.h"
#include "base/rng.h"

#include <string.h>

#define SPACE 160
#define CAP   48

struct model {
	uint64_t base; /* the offset that has[0] stands for */
	bool has[SPACE];
	struct range recent[RANGES_RECENT];
	uint32_t recent_n;
};

/* The ranges of the model from below. Returns how many. */
static uint32_t naive_list(const struct model *m, struct range *out)
{
	uint32_t n = 0;

	for (uint64_t i = 0; i < SPACE; i++) {
		if (!m->has[i])
			continue;
		if (i == 0 || !m->has[i - 1])
			out[n++].lo = m->base + i;
		out[n - 1].hi = m->base + i + 1;
	}
	return n;
}

static uint32_t naive_count(const struct model *m, uint64_t lo, uint64_t hi)
{
	uint32_t n = 0;

	for (uint64_t i = lo; i < hi; i++)
		n += m->has[i - m->base];
	return n;
}

static void naive_set(struct model *m, uint64_t lo, uint64_t hi, bool value)
{
	for (uint64_t i = lo; i < hi; i++)
		m->has[i - m->base] = value;
}

/* [lo, hi) was added: what it is part of now comes first, in place of the parts listed so far. */
static void naive_touch(struct model *m, uint64_t lo, uint64_t hi)
{
	struct range list[RANGES_RECENT + 1];
	uint32_t n = 1;

	while (lo > m->base && m->has[lo - 1 - m->base])
		lo--;
	while (hi < m->base + SPACE && m->has[hi - m->base])
		hi++;
	list[0] = (struct range){lo, hi};
	for (uint32_t i = 0; i < m->recent_n; i++) {
		if (m->recent[i].hi < lo || m->recent[i].lo > hi)
			list[n++] = m->recent[i];
	}
	m->recent_n = n < RANGES_RECENT ? n : RANGES_RECENT;
	memcpy(m->recent, list, m->recent_n * sizeof list[0]);
}

/* Only [lo, hi) is left. */
static void naive_cut(struct model *m, uint64_t lo, uint64_t hi)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->recent_n; i++) {
		struct range one = m->recent[i];

		one.lo = one.lo > lo ? one.lo : lo;
		one.hi = one.hi < hi ? one.hi : hi;
		if (one.lo < one.hi)
			m->recent[n++] = one;
	}
	m->recent_n = n;
}

static void same(const struct range *a, const struct range *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(a[i].lo, b[i].lo);
		assert_int_equal(a[i].hi, b[i].hi);
	}
}

static void check_members(const struct ranges *r, const struct model *m)
{
	struct range want[SPACE], got[RANGES_RECENT];
	uint32_t n = naive_list(m, want);

	assert_int_equal(r->n, n);
	assert_int_equal(r->bytes, naive_count(m, m->base, m->base + SPACE));
	for (uint32_t i = 0; i < n; i++)
		same(&(struct range){ranges_at(r, i).lo, ranges_at(r, i).hi}, &want[i], 1);
	assert_int_equal(ranges_recent(r, got, RANGES_RECENT), m->recent_n);
	same(got, m->recent, m->recent_n);
	assert_int_equal(ranges_recent(r, got, 3), m->recent_n < 3 ? m->recent_n : 3);
}

static void check_questions(const struct ranges *r, const struct model *m, uint64_t lo, uint64_t hi)
{
	uint64_t at = lo, x = lo;
	struct range gap;
	bool all = true;

	while (x < m->base + SPACE && m->has[x - m->base])
		x++;
	assert_int_equal(ranges_first_gap(r, lo), x);
	for (uint64_t i = lo; i < hi; i++)
		all = all && m->has[i - m->base];
	assert_int_equal(ranges_contains(r, lo, hi), all);
	/* The gaps are exactly what is missing, and each is as long as it can be. */
	x = lo;
	while (ranges_next_gap(r, &at, hi, &gap)) {
		assert_true(gap.lo >= x && gap.lo < gap.hi && gap.hi <= hi);
		assert_int_equal(naive_count(m, x, gap.lo), gap.lo - x);
		assert_int_equal(naive_count(m, gap.lo, gap.hi), 0);
		assert_true(gap.hi == hi || m->has[gap.hi - m->base]);
		assert_int_equal(at, gap.hi);
		x = gap.hi;
	}
	if (x < hi)
		assert_int_equal(naive_count(m, x, hi), hi - x);
}

static void step_add(struct ranges *r, struct model *m, uint64_t lo, uint64_t hi)
{
	struct model before = *m;
	struct range list[SPACE];
	int64_t fresh = (int64_t)(hi - lo) - naive_count(m, lo, hi);

	naive_set(m, lo, hi, true);
	if (naive_list(m, list) > r->cap) {
		assert_int_equal(ranges_add(r, lo, hi), -1);
		*m = before;
		return;
	}
	assert_int_equal(ranges_add(r, lo, hi), fresh);
	if (lo < hi)
		naive_touch(m, lo, hi);
}

static void step_remove(struct ranges *r, struct model *m, uint64_t x, bool below)
{
	uint64_t end = m->base + SPACE;
	uint64_t removed;

	if (below) {
		removed = naive_count(m, m->base, x);
		assert_int_equal(ranges_remove_below(r, x), removed);
		naive_set(m, m->base, x, false);
		naive_cut(m, x, end);
	} else {
		removed = naive_count(m, x, end);
		assert_int_equal(ranges_remove_above(r, x), removed);
		naive_set(m, x, end, false);
		naive_cut(m, m->base, x);
	}
}

/* Between two arrays: whatever is in the set moves along. */
static void step_move(struct ranges *r, struct rng *rng, struct range arrays[2][CAP])
{
	struct range *old = r->v, *next = old == arrays[0] ? arrays[1] : arrays[0];
	uint32_t cap = r->n + (uint32_t)rng_below(rng, CAP + 1 - r->n);

	assert_ptr_equal(ranges_move(r, next, cap), old);
	assert_ptr_equal(r->v, next);
	memset(old, 0xee, sizeof arrays[0]);
}

static void run_program(uint64_t base, uint64_t seed)
{
	struct rng g = rng(seed, 0);
	struct model m = {.base = base};
	struct range arrays[2][CAP];
	struct ranges r;
	uint32_t longest = seed % 3 == 0 ? SPACE / 2 : 4;

	ranges_init(&r, arrays[0], (uint32_t)rng_below(&g, CAP + 1));
	for (int step = 0; step < 500; step++) {
		uint64_t lo = base + rng_below(&g, SPACE);
		uint64_t room = base + SPACE - lo, len = rng_below(&g, longest);
		uint64_t hi = lo + (len < room ? len : room);
		uint64_t kind = rng_below(&g, 100);

		if (kind < 88)
			step_add(&r, &m, lo, hi);
		else if (kind < 92)
			step_remove(&r, &m, base + rng_below(&g, SPACE / 8), true);
		else if (kind < 96)
			step_remove(&r, &m, base + SPACE - rng_below(&g, SPACE / 8), false);
		else if (kind < 97)
			step_remove(&r, &m, lo, kind & 1);
		else
			step_move(&r, &g, arrays);
		check_members(&r, &m);
		check_questions(&r, &m, lo, hi);
		check_questions(&r, &m, base, base + SPACE);
	}
}

static void test_programs(void **state)
{
	const uint64_t bases[] = {
		0,
		1,
		(1ull << 31) - SPACE / 2,
		(1ull << 32) - SPACE / 2,
		(1ull << 63) - SPACE / 2,
		UINT64_MAX - SPACE,
	};

	(void)state;
	for (uint64_t seed = 0; seed < 120; seed++)
		run_program(bases[seed % 6], seed);
}

/* Ends of every kind at the lowest and the highest offset that there is. */
static void test_ends_of_the_space(void **state)
{
	struct range v[2];
	struct ranges r;

	(void)state;
	ranges_init(&r, v, 2);
	assert_int_equal(ranges_add(&r, 0, 1), 1);
	assert_int_equal(ranges_add(&r, UINT64_MAX - 1, UINT64_MAX), 1);
	assert_int_equal(ranges_first_gap(&r, 0), 1);
	assert_int_equal(ranges_first_gap(&r, UINT64_MAX - 1), UINT64_MAX);
	assert_true(ranges_contains(&r, 0, 1));
	assert_int_equal(ranges_remove_above(&r, 0), 2);
	assert_int_equal(r.n, 0);
	assert_int_equal(ranges_add(&r, 0, 5), 5);
	assert_int_equal(ranges_remove_below(&r, UINT64_MAX), 5);
	assert_int_equal(r.n + r.recent_n, 0);
}

/* At the limit: what needs another range is refused, what does not is taken. */
static void test_limit(void **state)
{
	struct range v[3], recent[8];
	struct ranges r;

	(void)state;
	ranges_init(&r, v, 3);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(ranges_add(&r, 10 * i, 10 * i + 5), 5);
	assert_int_equal(ranges_add(&r, 7, 8), -1);
	assert_int_equal(ranges_add(&r, 100, 101), -1);
	assert_int_equal(r.bytes, 15);
	assert_int_equal(ranges_add(&r, 5, 6), 1);
	assert_int_equal(ranges_add(&r, 25, 30), 5);
	assert_int_equal(ranges_add(&r, 3, 12), 4);
	assert_int_equal(r.n, 2);
	assert_int_equal(ranges_add(&r, 50, 51), 1);
	assert_int_equal(ranges_recent(&r, recent, 8), 3);
	same(recent, (struct range[]){{50, 51}, {0, 15}, {20, 30}}, 3);

	ranges_init(&r, NULL, 0);
	assert_int_equal(ranges_add(&r, 1, 2), -1);
	assert_int_equal(ranges_add(&r, 2, 2), 0);
	assert_false(ranges_contains(&r, 1, 2));
}

/* RFC 2018 section 4: first the block that the newest segment is in, then the latest others. */
static void test_recent_order(void **state)
{
	struct range v[16], recent[8];
	struct ranges r;

	(void)state;
	ranges_init(&r, v, 16);
	for (uint64_t i = 0; i < 10; i++)
		ranges_add(&r, 100 * i, 100 * i + 10);
	assert_int_equal(ranges_recent(&r, recent, 8), 8);
	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(recent[i].lo, 900 - 100 * i);
	/* A repetition counts as touched; so does one that the list had forgotten. */
	assert_int_equal(ranges_add(&r, 302, 305), 0);
	assert_int_equal(ranges_add(&r, 0, 1), 0);
	assert_int_equal(ranges_recent(&r, recent, 4), 4);
	same(recent, (struct range[]){{0, 10}, {300, 310}, {900, 910}, {800, 810}}, 4);
}

/* The ring turns over: a set that grows above and shrinks below, many times round. */
static void test_ring(void **state)
{
	struct range v[5];
	struct ranges r;

	(void)state;
	ranges_init(&r, v, 5);
	for (uint64_t i = 0; i < 1000; i++) {
		if (r.n == 5)
			assert_int_equal(ranges_remove_below(&r, 3 * (i - 4)), 2);
		assert_int_equal(ranges_add(&r, 3 * i, 3 * i + 2), 2);
		assert_int_equal(ranges_at(&r, r.n - 1).lo, 3 * i);
	}
	for (uint64_t i = 900; i > 0; i--) {
		if (r.n == 5)
			ranges_remove_above(&r, ranges_at(&r, 4).lo);
		assert_int_equal(ranges_add(&r, 3 * i, 3 * i + 2), 2);
		assert_int_equal(ranges_at(&r, 0).lo, 3 * i);
	}
}

static uint32_t moved(const struct range *a, const struct range *b, uint32_t n)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++)
		count += a[i].lo != b[i].lo || a[i].hi != b[i].hi;
	return count;
}

/* At the ends nothing moves but what is added; elsewhere the shorter side does. */
static void test_cost(void **state)
{
	struct range v[100] = {{0, 0}}, before[100];
	struct ranges r;

	(void)state;
	ranges_init(&r, v, 100);
	for (uint64_t i = 10; i < 90; i++)
		ranges_add(&r, 10 * i, 10 * i + 5);
	memcpy(before, v, sizeof v);
	ranges_add(&r, 10, 15);
	ranges_add(&r, 5000, 5005);
	assert_int_equal(moved(v, before, 100), 2);
	memcpy(before, v, sizeof v);
	ranges_remove_below(&r, 110);
	ranges_remove_above(&r, 890);
	assert_int_equal(moved(v, before, 100), 0);
	assert_int_equal(r.n, 78);
	/* 3 ranges stand below, then 4 above. */
	ranges_add(&r, 138, 139);
	assert_int_equal(moved(v, before, 100), 4);
	memcpy(before, v, sizeof v);
	ranges_add(&r, 848, 849);
	assert_int_equal(moved(v, before, 100), 5);
	/* Joining the third and the fourth: the joint one and the 2 below it move up by one. */
	memcpy(before, v, sizeof v);
	ranges_add(&r, 135, 138);
	assert_int_equal(moved(v, before, 100), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs), cmocka_unit_test(test_ends_of_the_space),
		cmocka_unit_test(test_limit),	 cmocka_unit_test(test_recent_order),
		cmocka_unit_test(test_ring),	 cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
