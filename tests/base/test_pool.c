/* SPDX-License-Identifier: MIT */
/*
 * The naive model is the list of objects in use; each is filled with its own number, so that two
 * which overlap, or one that is written to while in use, are noticed.
 */
#include "slabs.h"

#include "base/rng.h"
#include "base/slab.h"

#define OBJECTS 4000
#define CAP	(UINT64_C(64) << 20)

static void fill(uint8_t *object, uint32_t size, uint32_t number)
{
	for (uint32_t i = 0; i < size; i++)
		object[i] = (uint8_t)(number + i);
}

static void expect_filled(const uint8_t *object, uint32_t size, uint32_t number)
{
	for (uint32_t i = 0; i < size; i++)
		assert_int_equal(object[i], (uint8_t)(number + i));
}

static void random_program(const struct pool_kind *kind, uint64_t seed, uint32_t max)
{
	static uint8_t *objects[OBJECTS];
	struct rng r = rng(seed, 1);
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;
	struct pool p;
	uint32_t used = 0;

	memset(objects, 0, sizeof(objects));
	memory_init(&m, &allocator, CAP);
	pool_init(&p, &m, kind);
	for (uint32_t round = 0; round < 8 * max; round++) {
		uint32_t i = (uint32_t)rng_below(&r, max);
		/* Mostly filling, then mostly emptying. */
		bool fills = (round / (2 * max)) % 2 == 0;

		if (!objects[i] && rng_chance(&r, fills ? 900000 : 200000)) {
			objects[i] = pool_get(&p);
			assert_non_null(objects[i]);
			assert_int_equal((uintptr_t)objects[i] % kind->align, 0);
			assert_ptr_equal(slab_of(objects[i] + kind->size - 1)->pool, &p);
			fill(objects[i], kind->size, i);
			used++;
		} else if (objects[i] && rng_chance(&r, fills ? 200000 : 900000)) {
			expect_filled(objects[i], kind->size, i);
			pool_put(&p, objects[i]);
			objects[i] = NULL;
			used--;
		}
		assert_int_equal(m.charged, (uint64_t)used * kind->charge);
		if (round % 64 == 0)
			assert_true(memory_check(&m));
	}
	for (uint32_t i = 0; i < max; i++) {
		if (objects[i])
			expect_filled(objects[i], kind->size, i);
		pool_put(&p, objects[i]);
	}
	assert_true(memory_check(&m));
	assert_true(memory_is_empty(&m));
	assert_true(slabs.out <= 1 + m.reserve_limit);
	pool_close(&p);
	memory_close(&m);
	assert_int_equal(slabs.out, 0);
}

static void test_against_model(void **state)
{
	const struct pool_kind kinds[] = {
		{.size = 1, .align = 1, .charge = 1},
		{.size = 24, .align = 8, .charge = 40},
		{.size = 96, .align = 32, .charge = 96, .notes = 100},
		{.size = 448, .align = 64, .charge = 480},
		{.size = 4096, .align = 4096, .charge = 4096, .notes = 64},
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		random_program(&kinds[i], i, kinds[i].size > 1000 ? 100 : 1000);
}

/* One empty slab stays, the second goes; full slabs are found again through their objects. */
static void test_spare(void **state)
{
	const struct pool_kind kind = {.size = 4096, .align = 64, .charge = 4096};
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;
	struct pool p;
	void *objects[46];

	(void)state;
	memory_init(&m, &allocator, CAP);
	m.reserve_limit = 0;
	pool_init(&p, &m, &kind);
	assert_int_equal(p.per_slab, 15);
	for (uint32_t i = 0; i < 46; i++)
		objects[i] = pool_get(&p);
	assert_int_equal(slabs.out, 4);
	for (uint32_t i = 0; i < 15; i++)
		pool_put(&p, objects[i]);
	pool_settle(&p);
	assert_int_equal(slabs.out, 4);
	for (uint32_t i = 15; i < 30; i++)
		pool_put(&p, objects[i]);
	assert_int_equal(slabs.out, 4);
	pool_settle(&p);
	assert_int_equal(slabs.out, 3);
	assert_int_equal(m.held, 3 * SLAB_SIZE);
	assert_true(memory_check(&m));
	/* The slab with one object has room for 14, the spare for 15. */
	for (uint32_t i = 0; i < 29; i++)
		objects[i] = pool_get(&p);
	assert_int_equal(slabs.out, 3);
	objects[29] = pool_get(&p);
	assert_int_equal(slabs.out, 4);
	for (uint32_t i = 0; i < 46; i++)
		pool_put(&p, objects[i]);
	pool_settle(&p);
	assert_int_equal(slabs.out, 1);
	pool_close(&p);
	assert_int_equal(slabs.out, 0);
	memory_close(&m);
	assert_int_equal(m.held_peak, 4 * SLAB_SIZE);
}

/* What was given back last is taken again first, as many as are held ready. */
static void test_last_comes_first(void **state)
{
	const struct pool_kind kind = {.size = 64, .align = 64, .charge = 64};
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;
	struct pool p;
	void *objects[POOL_NEAR + 8];

	(void)state;
	memory_init(&m, &allocator, CAP);
	pool_init(&p, &m, &kind);
	for (uint32_t i = 0; i < POOL_NEAR + 8; i++)
		objects[i] = pool_get(&p);
	for (uint32_t i = 0; i < POOL_NEAR + 8; i++)
		pool_put(&p, objects[i]);
	assert_int_equal(p.near_count, POOL_NEAR);
	assert_int_equal(m.charged, 0);
	assert_true(memory_check(&m));
	for (uint32_t i = POOL_NEAR; i-- > 0;)
		assert_ptr_equal(pool_get(&p), objects[i]);
	assert_int_equal(p.near_count, 0);
	assert_true(memory_check(&m));
	for (uint32_t i = 0; i < POOL_NEAR; i++)
		pool_put(&p, objects[i]);
	pool_close(&p);
	memory_close(&m);
	assert_int_equal(slabs.out, 0);
}

static void test_zero(void **state)
{
	const struct pool_kind kind = {.size = 100, .align = 4, .charge = 100};
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;
	struct pool p;
	uint8_t *object;

	(void)state;
	memory_init(&m, &allocator, CAP);
	pool_init(&p, &m, &kind);
	for (uint32_t round = 0; round < 3; round++) {
		object = pool_get_zero(&p);
		for (uint32_t i = 0; i < kind.size; i++)
			assert_int_equal(object[i], 0);
		memset(object, 0xff, kind.size);
		pool_put(&p, object);
	}
	memory_fail_at(&m, 1);
	assert_null(pool_get_zero(&p));
	pool_close(&p);
	memory_close(&m);
}

/* Cap, allocator and the hook for tests make a get fail, which is counted and changes nothing. */
static void test_failures(void **state)
{
	const struct pool_kind kind = {.size = 1000, .align = 8, .charge = 1024};
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;
	struct pool p;
	void *objects[100];

	(void)state;
	memory_init(&m, &allocator, 100 * 1024);
	pool_init(&p, &m, &kind);
	memory_fail_at(&m, 3);
	objects[0] = pool_get(&p);
	objects[1] = pool_get(&p);
	assert_null(pool_get(&p));
	assert_int_equal(m.failures, 1);
	slabs.limit = 1;
	for (uint32_t i = 2; i < p.per_slab; i++)
		objects[i] = pool_get(&p);
	assert_null(pool_get(&p));
	assert_int_equal(m.failures, 2);
	assert_int_equal(m.peak, p.per_slab * 1024);
	slabs.limit = 9;
	for (uint32_t i = p.per_slab; i < 100; i++)
		objects[i] = pool_get(&p);
	assert_null(pool_get(&p));
	assert_int_equal(m.failures, 3);
	assert_int_equal(m.charged, m.cap);
	assert_int_equal(slabs.out, 2);
	assert_true(memory_check(&m));
	for (uint32_t i = 0; i < 100; i++) {
		assert_non_null(objects[i]);
		pool_put(&p, objects[i]);
	}
	assert_int_equal(m.charged, 0);
	assert_int_equal(m.peak, m.cap);
	pool_close(&p);
	memory_close(&m);
	assert_int_equal(slabs.out, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model),	 cmocka_unit_test(test_spare),
		cmocka_unit_test(test_last_comes_first), cmocka_unit_test(test_zero),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
