/* SPDX-License-Identifier: MIT */
/*
 * The naive model is an array: entry i has reference i + 1, a hash, and is in the table or not.
 * Hashes are drawn to be even, to collide whole, to crowd in a few lines, and to crowd at the end
 * of the table, where probing goes round.
 */
#include "slabs.h"

#include "base/rng.h"
#include "base/table.h"

struct entry {
	uint32_t hash;
	bool in;
	/* Met by the iteration under way, and in the table since it began. */
	bool met;
	bool throughout;
};

struct world {
	struct slabs slabs;
	struct memory memory;
	struct table table;
	struct entry *entries;
	uint32_t n;
	uint32_t in;
	struct rng rng;
};

static void world_make(struct world *w, uint32_t n, uint64_t seed, uint64_t cap)
{
	struct parley_allocator allocator = slabs_allocator(&w->slabs);

	memory_init(&w->memory, &allocator, cap);
	table_init(&w->table, &w->memory);
	w->entries = calloc(n, sizeof(*w->entries));
	assert_non_null(w->entries);
	w->n = n;
	w->in = 0;
	w->rng = rng(seed, n);
}

/* All that was in the table must be out, and with the last entry and some steps all memory is. */
static void world_free(struct world *w)
{
	assert_int_equal(w->in, 0);
	while (table_step(&w->table))
		;
	assert_int_equal(w->memory.charged, 0);
	assert_true(memory_is_empty(&w->memory));
	table_free(&w->table);
	memory_close(&w->memory);
	assert_int_equal(w->slabs.out, 0);
	free(w->entries);
}

enum spread { EVEN, WHOLE, CROWDED, AT_END, SPREADS };

static uint32_t random_hash(struct rng *r, enum spread spread)
{
	uint32_t x = (uint32_t)rng_next(r);

	switch (spread) {
	case EVEN:
		return x;
	case WHOLE:
		return x % 5 * 0x33333333u;
	case CROWDED:
		return x & 0x300000ffu;
	default:
		return x | (x & 1 ? 0xfff00000u : 0);
	}
}

/* Each reference is found under its hash if it is in, and nothing is found that is not. */
static void expect_found(struct world *w, uint32_t i)
{
	struct table_cursor c = {0};
	uint32_t ref, found = 0;

	table_prefetch(&w->table, w->entries[i].hash);
	while ((ref = table_find(&w->table, w->entries[i].hash, &c))) {
		assert_true(ref <= w->n);
		assert_true(w->entries[ref - 1].in);
		assert_int_equal(w->entries[ref - 1].hash, w->entries[i].hash);
		found += ref == i + 1;
	}
	assert_int_equal(found, w->entries[i].in);
	assert_int_equal(table_find(&w->table, w->entries[i].hash, &c), 0);
}

static uint32_t naive_same(const struct world *w, uint32_t hash)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->n; i++)
		n += w->entries[i].in && w->entries[i].hash == hash;
	return n;
}

/* As many candidates as the model has. */
static void expect_all_candidates(struct world *w, uint32_t hash)
{
	struct table_cursor c = {0};
	uint32_t n = 0;

	while (table_find(&w->table, hash, &c))
		n++;
	assert_int_equal(n, naive_same(w, hash));
}

/* A call moves at most 64 slots and takes at most 64 KiB. */
static void expect_bounded(const struct world *w, const struct table *before, uint64_t charged)
{
	if (before->old.chunks && w->table.old.chunks == before->old.chunks && w->table.old.used)
		assert_true(w->table.old.start - before->old.start <= TABLE_STEP);
	if (w->memory.charged > charged)
		assert_true(w->memory.charged - charged <= SLAB_SIZE);
}

static void toggle(struct world *w, uint32_t i, enum spread spread)
{
	struct entry *e = &w->entries[i];
	struct table before = w->table;
	uint64_t charged = w->memory.charged;

	if (e->in) {
		assert_true(table_remove(&w->table, e->hash, i + 1));
		assert_false(table_remove(&w->table, e->hash, i + 1));
		e->in = e->throughout = false;
		w->in--;
	} else {
		e->hash = random_hash(&w->rng, spread);
		e->in = table_insert(&w->table, e->hash, i + 1);
		e->met = false;
		assert_true(e->in);
		w->in++;
		expect_bounded(w, &before, charged);
	}
	assert_int_equal(table_count(&w->table), w->in);
	if (w->in == 0 && w->table.now.bits <= TABLE_CHUNK_BITS)
		assert_int_equal(w->memory.charged, 0);
	expect_found(w, i);
}

/* A reference moves to another number, whose entry is out. */
static void replace(struct world *w, uint32_t i, uint32_t j)
{
	struct entry *from = &w->entries[i], *to = &w->entries[j];

	if (!from->in || to->in) {
		assert_int_equal(table_replace(&w->table, from->hash, i + 1, i + 1), from->in);
		return;
	}
	assert_true(table_replace(&w->table, from->hash, i + 1, j + 1));
	*to = (struct entry){.hash = from->hash, .in = true};
	from->in = from->throughout = false;
	expect_found(w, i);
	expect_found(w, j);
}

static void random_program(enum spread spread, uint64_t seed, uint32_t n)
{
	struct world w;

	world_make(&w, n, seed, UINT64_C(64) << 20);
	for (uint32_t round = 0; round < 12 * n; round++) {
		uint32_t i = (uint32_t)rng_below(&w.rng, n);
		bool fills = round / (3 * n) % 2 == 0;

		if (rng_chance(&w.rng, w.entries[i].in == fills ? 200000 : 900000))
			toggle(&w, i, spread);
		expect_found(&w, (uint32_t)rng_below(&w.rng, n));
		if (rng_chance(&w.rng, 100000))
			replace(&w, i, (uint32_t)rng_below(&w.rng, n));
		if (rng_chance(&w.rng, 50000))
			table_step(&w.table);
		if (n < 1000 || round % 4096 == 0) {
			expect_all_candidates(&w, w.entries[i].hash);
			assert_true(table_check(&w.table));
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		if (w.entries[i].in)
			toggle(&w, i, spread);
	}
	world_free(&w);
}

static void test_against_model(void **state)
{
	(void)state;
	for (uint32_t spread = 0; spread < SPREADS; spread++) {
		for (uint64_t seed = 0; seed < 6; seed++)
			random_program((enum spread)spread, seed, 30 + 100 * (uint32_t)seed);
	}
}

/* Over several chunks, up and down again. */
static void test_many(void **state)
{
	(void)state;
	random_program(EVEN, 7, 30000);
}

/* No memory before the first entry, little with one, none after the last. */
static void test_small(void **state)
{
	struct world w;

	(void)state;
	world_make(&w, 40, 1, 1 << 20);
	assert_int_equal(w.memory.charged, 0);
	expect_found(&w, 0);
	assert_false(table_remove(&w.table, 1, 1));
	assert_false(table_replace(&w.table, 1, 1, 2));
	for (uint32_t i = 0; i < w.n; i++)
		toggle(&w, i, EVEN);
	assert_int_equal(w.memory.charged, 64 + 512);
	for (uint32_t i = 0; i < w.n; i++)
		toggle(&w, i, EVEN);
	assert_int_equal(w.memory.charged, 0);
	world_free(&w);
}

/* Most hits are in the first line that is looked at, at the worst load. */
static void test_one_line(void **state)
{
	struct world w;
	uint32_t first = 0;

	(void)state;
	world_make(&w, 23551, 5, UINT64_C(64) << 20);
	for (uint32_t i = 0; i < w.n; i++)
		toggle(&w, i, EVEN);
	while (table_step(&w.table))
		;
	assert_int_equal(w.table.now.bits, 15);
	for (uint32_t i = 0; i < w.n; i++) {
		uint32_t home = table_home(&w.table.now, w.entries[i].hash);
		const struct table_slot *line = w.table.now.chunks[home >> TABLE_CHUNK_BITS];

		line += home % (1u << TABLE_CHUNK_BITS);
		assert_int_equal((uintptr_t)line % 64, 0);
		for (uint32_t k = 0; k < TABLE_LINE; k++)
			first += line[k].ref == i + 1;
	}
	assert_true(first > w.n / 100 * 85);
	for (uint32_t i = 0; i < w.n; i++)
		toggle(&w, i, EVEN);
	world_free(&w);
}

/* An iteration during which the table grows, shrinks and changes meets what it promises. */
static void iterate(struct world *w, uint32_t add_ppm, uint32_t changes)
{
	struct table_place place = {0}, last = {0};

	for (uint32_t i = 0; i < w->n; i++) {
		w->entries[i].throughout = w->entries[i].in;
		w->entries[i].met = false;
	}
	while (table_each(&w->table, &place)) {
		struct entry *e = &w->entries[place.ref - 1];

		assert_true(e->in && !e->met);
		assert_int_equal(e->hash, place.hash);
		assert_true(place.hash > last.hash ||
			    (place.hash == last.hash && place.ref > last.ref));
		e->met = true;
		last = place;
		for (uint32_t k = 0; k < changes; k++) {
			uint32_t i = (uint32_t)rng_below(&w->rng, w->n);

			if (w->entries[i].in != rng_chance(&w->rng, add_ppm))
				toggle(w, i, (enum spread)rng_below(&w->rng, SPREADS));
		}
	}
	for (uint32_t i = 0; i < w->n; i++)
		assert_true(w->entries[i].met || !w->entries[i].throughout);
}

static void test_each(void **state)
{
	struct table_place place = {0};
	struct world w;

	(void)state;
	world_make(&w, 3000, 2, UINT64_C(64) << 20);
	assert_false(table_each(&w.table, &place));
	for (uint32_t i = 0; i < 40; i++)
		toggle(&w, i, (enum spread)(i % SPREADS));
	for (uint32_t round = 0; round < 6; round++) {
		iterate(&w, 1000000, 2);
		iterate(&w, 500000, 0);
		iterate(&w, 0, 3);
		iterate(&w, 500000, 2);
	}
	for (uint32_t i = 0; i < w.n; i++) {
		if (w.entries[i].in)
			toggle(&w, i, EVEN);
	}
	world_free(&w);
}

/* The same at each moment of growing and of shrinking. */
static void test_each_while_moving(void **state)
{
	uint32_t grown = 0, shrunk = 0;
	struct world w;

	(void)state;
	world_make(&w, 3000, 8, UINT64_C(64) << 20);
	for (uint32_t k = 0; k < 2 * w.n; k++) {
		toggle(&w, k % w.n, EVEN);
		if (!w.table.old.chunks)
			continue;
		iterate(&w, 0, 0);
		grown += w.table.now.bits > w.table.old.bits;
		shrunk += w.table.now.bits < w.table.old.bits;
	}
	assert_true(grown > 50 && shrunk > 50);
	world_free(&w);
}

/* The n-th allocation fails, for each n: an insert is refused and all else goes on. */
static bool fail_at(uint64_t n)
{
	struct world w;
	bool failed;

	world_make(&w, 2000, 3, UINT64_C(64) << 20);
	memory_fail_at(&w.memory, n);
	for (uint32_t i = 0; i < w.n; i++) {
		struct entry *e = &w.entries[i];
		uint64_t failures = w.memory.failures, charged = w.memory.charged;

		e->hash = random_hash(&w.rng, i % 8 ? EVEN : AT_END);
		e->in = table_insert(&w.table, e->hash, i + 1);
		assert_true(e->in || (w.memory.failures > failures && w.memory.charged == charged));
		w.in += e->in;
		assert_int_equal(table_count(&w.table), w.in);
		if (w.memory.failures > failures)
			assert_true(table_check(&w.table));
		expect_found(&w, i);
	}
	assert_true(w.in + 1 >= w.n);
	for (uint32_t i = 0; i < w.n; i++) {
		if (w.entries[i].in)
			toggle(&w, i, EVEN);
	}
	failed = w.memory.failures > 0;
	world_free(&w);
	return failed;
}

static void test_failures(void **state)
{
	uint64_t n = 1;

	(void)state;
	while (fail_at(n))
		n++;
	assert_true(n > 10);
}

/* With no memory at all left, growing stands still; with memory again, or empty, it goes on. */
static void stall(bool helped)
{
	struct world w;
	uint32_t i = 0;

	world_make(&w, 4000, 4, 20000);
	for (; i < w.n; i++) {
		struct entry *e = &w.entries[i];

		e->hash = random_hash(&w.rng, EVEN);
		e->in = table_insert(&w.table, e->hash, i + 1);
		w.in += e->in;
		expect_found(&w, i);
	}
	assert_true(table_check(&w.table));
	assert_true(w.in >= 500 && w.in < w.n);
	assert_true(w.memory.failures > 0);
	for (i = 0; i < w.n; i++)
		expect_found(&w, i);
	assert_non_null(w.table.old.chunks);
	w.memory.cap = helped ? 1 << 20 : w.memory.cap;
	for (i = 0; i < w.n && helped; i++) {
		if (!w.entries[i].in)
			toggle(&w, i, EVEN);
	}
	for (i = 0; i < w.n; i++) {
		if (w.entries[i].in)
			toggle(&w, i, EVEN);
	}
	world_free(&w);
}

static void test_stall(void **state)
{
	(void)state;
	stall(true);
	stall(false);
}

/* Growing failed until the table was full: with memory again it takes entries again. */
static void test_takes_entries_after_failed_growth(void **state)
{
	uint32_t refused = 0;
	struct world w;

	(void)state;
	world_make(&w, 3000, 5, 1 << 20);
	for (uint32_t i = 0; i < w.n; i++) {
		w.entries[i].hash = random_hash(&w.rng, EVEN);
		memory_fail_at(&w.memory, 1);
		if (!table_insert(&w.table, w.entries[i].hash, i + 1)) {
			refused++;
			memory_fail_at(&w.memory, 0);
			assert_true(table_insert(&w.table, w.entries[i].hash, i + 1));
		}
		w.entries[i].in = true;
		w.in++;
		expect_found(&w, i);
	}
	memory_fail_at(&w.memory, 0);
	assert_true(refused > 0);
	assert_true(table_check(&w.table));
	for (uint32_t i = 0; i < w.n; i++)
		toggle(&w, i, EVEN);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_each_while_moving),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_takes_entries_after_failed_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
