/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/path.h"

#include <string.h>

#define MS	    1000000ull
#define SECOND	    1000000000ull
#define LINK_HEADER 14
#define FRAMES	    4000

__extension__ typedef unsigned __int128 wide;

static struct path_verdict offer(struct path *p, uint64_t now, size_t len)
{
	struct path_verdict v;

	memset(&v, 0xee, sizeof v);
	path_offer(p, now, len, LINK_HEADER, &v);
	return v;
}

static void test_perfect_wire(void **state)
{
	struct path_config c = {.delay_ns = 20 * MS, .seed = 1};
	struct path p;

	(void)state;
	path_init(&p, &c, NULL);
	for (uint64_t now = 0; now < 1000; now += 7) {
		struct path_verdict v = offer(&p, now, 1514);

		assert_int_equal(v.fate, PATH_DELIVERED);
		assert_int_equal(v.copies, 1);
		assert_int_equal(v.copy[0].at, now + 20 * MS);
		assert_false(v.copy[0].corrupted || v.copy[0].reordered);
	}
}

/* The naive link: every frame ever accepted, and when it leaves, by exact fractions. */
struct naive {
	uint64_t rate;
	uint32_t queue;
	uint64_t leaves[FRAMES];
	uint32_t n;
	uint64_t busy_since;
	wide bits; /* sent since then */
};

static bool naive_offer(struct naive *m, uint64_t now, size_t len, uint64_t *leaves)
{
	uint32_t waiting = 0;

	for (uint32_t i = 0; i < m->n; i++)
		waiting += m->leaves[i] > now;
	if (m->queue && waiting >= m->queue)
		return false;
	if (m->n == 0 || m->leaves[m->n - 1] < now) {
		m->busy_since = now;
		m->bits = 0;
	}
	m->bits += len * 8;
	*leaves = m->busy_since + (uint64_t)(m->bits * SECOND / m->rate);
	m->leaves[m->n++] = *leaves;
	return true;
}

static void run_queue(uint64_t rate, uint32_t queue, uint64_t start, uint64_t seed)
{
	struct path_config c = {.delay_ns = 5, .rate_bps = rate, .queue = queue, .seed = seed};
	static struct naive m;
	uint64_t slots[64], now = start, leaves;
	struct rng r = rng(seed, 99);
	/* From an idle link to one that is always too slow. */
	uint64_t pause = 8 * 700 * SECOND / rate * (1 + seed % 4) / 2 + 1;
	struct path p;

	memset(&m, 0, sizeof m);
	m.rate = rate;
	m.queue = queue;
	path_init(&p, &c, queue ? slots : NULL);
	for (int i = 0; i < FRAMES / 4; i++) {
		size_t len = 14 + rng_below(&r, 1500);
		struct path_verdict v = offer(&p, now, len);

		if (naive_offer(&m, now, len, &leaves)) {
			assert_int_equal(v.fate, PATH_DELIVERED);
			assert_int_equal(v.copy[0].at, leaves + 5);
		} else {
			assert_int_equal(v.fate, PATH_QUEUE_FULL);
			assert_int_equal(v.copies, 0);
		}
		if (rng_chance(&r, 700000))
			now += rng_below(&r, 2 * pause);
	}
	assert_int_equal(p.counts.offered, FRAMES / 4);
	assert_int_equal(p.counts.queue_full, FRAMES / 4 - m.n);
}

static void test_rate_and_queue(void **state)
{
	const uint64_t rates[] = {9600, 1000003, 100 * MS, 7 * SECOND, 400 * SECOND};
	const uint32_t queues[] = {0, 1, 2, 17, 64};

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		run_queue(rates[i % 5], queues[i / 5 % 5], i % 2 ? UINT32_MAX - 1000 : 0, i);
}

/* A full queue takes exactly one more as soon as one has left. */
static void test_tail_drop(void **state)
{
	/* 1250 bytes at 1 Mbit/s: 10 ms each. */
	struct path_config c = {.rate_bps = 1000000, .queue = 3, .seed = 1};
	uint64_t slots[3];
	struct path p;

	(void)state;
	path_init(&p, &c, slots);
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(offer(&p, 0, 1250).copy[0].at, i * 10 * MS);
	assert_int_equal(offer(&p, 0, 1250).fate, PATH_QUEUE_FULL);
	assert_int_equal(offer(&p, 10 * MS - 1, 1250).fate, PATH_QUEUE_FULL);
	assert_int_equal(offer(&p, 10 * MS, 1250).copy[0].at, 40 * MS);
	assert_int_equal(offer(&p, 10 * MS, 1250).fate, PATH_QUEUE_FULL);
	assert_int_equal(p.counts.queue_full, 3);
}

/* Without a rate nothing waits, so the queue never fills. */
static void test_queue_without_rate(void **state)
{
	struct path_config c = {.delay_ns = SECOND, .queue = 1, .seed = 1};
	uint64_t slot;
	struct path p;

	(void)state;
	path_init(&p, &c, &slot);
	for (int i = 0; i < 100; i++)
		assert_int_equal(offer(&p, 5, 100).fate, PATH_DELIVERED);
}

static void test_jitter_keeps_order(void **state)
{
	struct path_config c = {.delay_ns = 3 * MS, .jitter_ns = 10 * MS, .seed = 7};
	uint64_t last = 0, now = 0, lowest = UINT64_MAX, highest = 0;
	struct rng r = rng(30, 0);
	struct path p;

	(void)state;
	path_init(&p, &c, NULL);
	for (int i = 0; i < 20000; i++) {
		uint64_t at = offer(&p, now, 100).copy[0].at;

		assert_true(at >= last);
		assert_in_range(at - now, 3 * MS, 13 * MS);
		lowest = at - now < lowest ? at - now : lowest;
		highest = at - now > highest ? at - now : highest;
		last = at;
		now += rng_below(&r, 40 * MS);
	}
	/* Both ends of the interval are nearly reached. */
	assert_in_range(lowest, 3 * MS, 3 * MS + MS / 100);
	assert_in_range(highest, 13 * MS - MS / 100, 13 * MS);
}

/* Only who was chosen arrives late, by at most the limit, and holds up nobody. */
static void check_reordering(struct path_config c, uint64_t limit)
{
	uint64_t last = 0, late = 0, overtaken = 0;
	struct path p;

	c.reorder = 100000;
	path_init(&p, &c, NULL);
	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t now = i * 1000;
		struct path_copy copy = offer(&p, now, 100).copy[0];
		uint64_t in_order = now + c.delay_ns;

		if (copy.reordered) {
			assert_in_range(copy.at - in_order, 1, limit + c.jitter_ns);
			overtaken += copy.at > in_order + 1000;
			late++;
			continue;
		}
		assert_in_range(copy.at, in_order, in_order + c.jitter_ns);
		assert_true(copy.at >= last);
		last = copy.at;
	}
	assert_in_range(late, 2000 - 255, 2000 + 255);
	assert_int_equal(p.counts.reordered, late);
	assert_true(overtaken > late / 2);
}

static void test_reordering(void **state)
{
	(void)state;
	check_reordering((struct path_config){.seed = 1}, MS);
	check_reordering((struct path_config){.delay_ns = 9 * MS, .jitter_ns = MS, .seed = 2},
			 10 * MS);
	check_reordering((struct path_config){.delay_ns = MS, .reorder_ns = 5000, .seed = 3}, 5000);
}

static void test_duplication(void **state)
{
	struct path_config c = {.delay_ns = MS, .jitter_ns = MS, .duplicate = 200000, .seed = 4};
	uint64_t doubled = 0;
	struct path p;

	(void)state;
	path_init(&p, &c, NULL);
	for (uint64_t i = 0; i < 20000; i++) {
		struct path_verdict v = offer(&p, i * 1000, 60);

		assert_in_range(v.copies, 1, 2);
		if (v.copies == 2)
			assert_int_equal(v.copy[1].at, v.copy[0].at);
		doubled += v.copies == 2;
	}
	assert_in_range(doubled, 4000 - 340, 4000 + 340);
	assert_int_equal(p.counts.duplicated, doubled);
}

/* One bit, never in the link header, and every other bit is hit. */
static void test_corruption(void **state)
{
	struct path_config c = {.corrupt = RNG_PPM, .seed = 5};
	uint8_t clean[40] = {0}, damaged[40], ever[40] = {0};
	struct path p;

	(void)state;
	path_init(&p, &c, NULL);
	for (int i = 0; i < 5000; i++) {
		struct path_copy copy = offer(&p, 0, sizeof clean).copy[0];
		int ones = 0;

		assert_true(copy.corrupted);
		memcpy(damaged, clean, sizeof clean);
		path_flip(damaged, copy.bit);
		for (size_t k = 0; k < sizeof damaged; k++) {
			ones += __builtin_popcount(damaged[k]);
			ever[k] |= damaged[k];
		}
		assert_int_equal(ones, 1);
	}
	for (size_t k = 0; k < sizeof ever; k++)
		assert_int_equal(ever[k], k < LINK_HEADER ? 0 : 0xff);
	/* Nothing to damage. */
	assert_false(offer(&p, 0, LINK_HEADER).copy[0].corrupted);
	assert_false(offer(&p, 0, 3).copy[0].corrupted);
}

static void test_flip_is_network_order(void **state)
{
	uint8_t b[2] = {0, 0};

	(void)state;
	path_flip(b, 0);
	path_flip(b, 15);
	assert_int_equal(b[0], 0x80);
	assert_int_equal(b[1], 0x01);
}

static void test_loss(void **state)
{
	struct path_config c = {.loss = 50000, .rate_bps = 8 * SECOND, .seed = 6};
	uint64_t lost = 0;
	struct path p;

	(void)state;
	path_init(&p, &c, NULL);
	for (uint64_t i = 1; i <= 20000; i++) {
		struct path_verdict v = offer(&p, 0, 10);

		/* 10 ns a frame, the lost ones included. */
		if (v.fate == PATH_DELIVERED)
			assert_int_equal(v.copy[0].at, 10 * i);
		else
			assert_int_equal(v.copies, 0);
		lost += v.fate == PATH_LOST;
	}
	assert_in_range(lost, 1000 - 185, 1000 + 185);
	assert_int_equal(p.counts.lost, lost);
}

static bool same_copy(struct path_copy a, struct path_copy b)
{
	return a.at == b.at && a.reordered == b.reordered && a.corrupted == b.corrupted &&
	       a.bit == b.bit;
}

static struct path_config everything(void)
{
	return (struct path_config){
		.delay_ns = 10 * MS,
		.jitter_ns = 2 * MS,
		.rate_bps = 100 * MS,
		.loss = 50000,
		.duplicate = 50000,
		.reorder = 50000,
		.corrupt = 50000,
		.seed = 42,
	};
}

/* The same seed and offers give the same verdicts; another seed, others. */
static void test_repeats(void **state)
{
	struct path_config c = everything(), other = c;
	uint64_t differ = 0;
	struct path a, b, d;

	(void)state;
	other.seed++;
	path_init(&a, &c, NULL);
	path_init(&b, &c, NULL);
	path_init(&d, &other, NULL);
	for (uint64_t i = 0; i < FRAMES; i++) {
		struct path_verdict x = offer(&a, i * 50000, 500);
		struct path_verdict y = offer(&b, i * 50000, 500);

		assert_memory_equal(&x, &y, sizeof x);
		y = offer(&d, i * 50000, 500);
		differ += x.fate != y.fate || !same_copy(x.copy[0], y.copy[0]);
	}
	assert_true(differ > FRAMES / 2);
}

/* Switching one fault leaves what the others do to each frame as it was. */
static void test_draws_are_independent(void **state)
{
	struct path_config c = everything(), without = c;
	uint64_t extra = 0;
	struct path a, b;

	(void)state;
	/* Not the waiting behind a frame whose jitter was seen only where it arrived. */
	c.jitter_ns = without.jitter_ns = 0;
	without.loss = 0;
	path_init(&a, &c, NULL);
	path_init(&b, &without, NULL);
	for (uint64_t i = 0; i < FRAMES; i++) {
		struct path_verdict x = offer(&a, i * 50000, 500);
		struct path_verdict y = offer(&b, i * 50000, 500);

		assert_int_equal(y.fate, PATH_DELIVERED);
		extra += x.fate == PATH_LOST;
		if (x.fate == PATH_DELIVERED)
			assert_memory_equal(&x, &y, sizeof x);
	}
	assert_true(extra > FRAMES / 40);
}

/* Every value from the first to the last is drawn, and none beside them. */
static void test_ranges_of_draws(void **state)
{
	struct path_config c = {.jitter_ns = 1,
				.reorder = RNG_PPM,
				.reorder_ns = 2,
				.duplicate = RNG_PPM,
				.seed = 10};
	uint32_t jitter[2] = {0}, held_back[3] = {0};
	struct path p, q;

	(void)state;
	path_init(&p, &c, NULL);
	c.reorder = 0;
	path_init(&q, &c, NULL);
	for (uint64_t now = 10; now < 10000; now += 10) {
		struct path_verdict v = offer(&p, now, 100);
		uint64_t in_order = offer(&q, now, 100).copy[0].at;

		assert_in_range(in_order - now, 0, 1);
		jitter[in_order - now]++;
		for (int i = 0; i < 2; i++) {
			assert_true(v.copy[i].reordered);
			assert_in_range(v.copy[i].at - in_order, 1, 2);
			held_back[v.copy[i].at - in_order]++;
		}
	}
	assert_true(jitter[0] > 400 && jitter[1] > 400);
	assert_true(held_back[1] > 800 && held_back[2] > 800);
}

/* What happened to a frame, a bit each, on two links without and two with loss, of two seeds. */
static uint32_t happened(struct path links[4], uint64_t now)
{
	uint32_t bits = 0;

	for (unsigned k = 0; k < 2; k++) {
		struct path_verdict v = offer(&links[k], now, 100);
		struct path_verdict w = offer(&links[2 + k], now, 100);
		struct path_copy c = v.copy[0];
		uint64_t late = c.at - now;

		bits = bits << 5 | (w.fate == PATH_LOST) << 4 | (v.copies == 2) << 3 |
		       c.corrupted << 2 | c.reordered << 1;
		/* Held back is always 1 here, so what is over is jitter: 0 or 1. */
		bits |= (uint32_t)(late - c.reordered);
	}
	return bits;
}

/* No purpose shares its draws with another, and no seed with another. */
static void test_draws_are_unrelated(void **state)
{
	struct path_config c = {.jitter_ns = 1, .duplicate = RNG_PPM / 2, .corrupt = RNG_PPM / 2};
	uint32_t agree[10][10] = {{0}};
	struct path links[4];

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		c.seed = k % 2;
		c.reorder = RNG_PPM / 2;
		c.reorder_ns = 1;
		c.loss = k < 2 ? 0 : RNG_PPM / 2;
		path_init(&links[k], &c, NULL);
	}
	for (uint64_t i = 1; i <= 10000; i++) {
		uint32_t bits = happened(links, 10 * i);

		for (int a = 0; a < 10; a++) {
			for (int b = 0; b < a; b++)
				agree[a][b] += (bits >> a & 1) == (bits >> b & 1);
		}
	}
	for (int a = 0; a < 10; a++) {
		for (int b = 0; b < a; b++)
			assert_in_range(agree[a][b], 5000 - 250, 5000 + 250);
	}
}

/* Streams that make different numbers of draws a frame share none either. */
static void test_streams_start_apart(void **state)
{
	struct path_config c = everything();
	uint64_t start[5];
	struct path p;

	(void)state;
	path_init(&p, &c, NULL);
	start[0] = p.loss.state;
	start[1] = p.jitter.state;
	start[2] = p.duplicate.state;
	start[3] = p.reorder.state;
	start[4] = p.corrupt.state;
	for (int a = 0; a < 5; a++) {
		for (int b = 0; b < a; b++)
			assert_int_not_equal(start[a], start[b]);
	}
}

/* From one configuration to another in flight: a partition and its end. */
static void test_set(void **state)
{
	struct path_config c = {.delay_ns = MS, .rate_bps = 8 * SECOND, .queue = 2, .seed = 8};
	struct path_config cut = c, slow = c;
	uint64_t slots[2];
	struct path p;

	(void)state;
	cut.loss = RNG_PPM;
	cut.queue = 1000;
	cut.seed = 9;
	slow.rate_bps = 8000;
	path_init(&p, &c, slots);
	assert_int_equal(offer(&p, 0, 1000).copy[0].at, MS + 1000);
	path_set(&p, &cut);
	assert_int_equal(offer(&p, 0, 1000).fate, PATH_LOST);
	assert_int_equal(offer(&p, 0, 1000).fate, PATH_QUEUE_FULL);
	assert_int_equal(p.config.queue, 2);
	assert_int_equal(p.config.seed, 8);
	path_set(&p, &slow);
	assert_int_equal(offer(&p, 1000, 1).copy[0].at, MS + 2000 + MS);
	/* A shorter delay does not let later frames overtake. */
	c.delay_ns = 0;
	path_set(&p, &c);
	assert_int_equal(offer(&p, MS + 2000, 1).copy[0].at, 2 * MS + 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_perfect_wire),
		cmocka_unit_test(test_rate_and_queue),
		cmocka_unit_test(test_tail_drop),
		cmocka_unit_test(test_queue_without_rate),
		cmocka_unit_test(test_jitter_keeps_order),
		cmocka_unit_test(test_reordering),
		cmocka_unit_test(test_duplication),
		cmocka_unit_test(test_corruption),
		cmocka_unit_test(test_flip_is_network_order),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_draws_are_independent),
		cmocka_unit_test(test_ranges_of_draws),
		cmocka_unit_test(test_draws_are_unrelated),
		cmocka_unit_test(test_streams_start_apart),
		cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
