/* SPDX-License-Identifier: MIT */
/* The naive model of the books is a list of arrays with their sizes, and a sum. */
#include "slabs.h"

#include "base/rng.h"
#include "base/slab.h"

#define ARRAYS 300

static uint32_t naive_charge(size_t size)
{
	uint32_t charge = 64;

	while (charge < size)
		charge *= 2;
	return charge > 16384 ? 65536 : charge;
}

static void test_charge(void **state)
{
	(void)state;
	for (size_t size = 1; size <= MEMORY_ARRAY_MAX; size++)
		assert_int_equal(memory_array_charge(size), naive_charge(size));
}

struct array {
	uint8_t *p;
	size_t size;
};

static void array_free(struct memory *m, struct array *a, uint8_t mark)
{
	assert_int_equal(a->p[0], mark);
	assert_int_equal(a->p[a->size - 1], mark);
	memory_free(m, a->p, a->size);
	a->p = NULL;
}

/* Random arrays under a cap: one is refused exactly when the sum would pass the cap. */
static void test_against_model(void **state)
{
	struct rng r = rng(2, 0);
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;
	static struct array arrays[ARRAYS];
	uint64_t sum = 0, peak = 0, failures = 0;

	(void)state;
	memory_init(&m, &allocator, 1000000);
	for (uint32_t round = 0; round < 20000; round++) {
		uint32_t i = (uint32_t)rng_below(&r, ARRAYS);
		struct array *a = &arrays[i];

		if (a->p) {
			sum -= naive_charge(a->size);
			array_free(&m, a, (uint8_t)i);
		} else {
			a->size = 1 + rng_below(&r, UINT64_C(1) << (4 + rng_below(&r, 13)));
			a->p = memory_alloc(&m, a->size);
			assert_int_equal(a->p != NULL, sum + naive_charge(a->size) <= m.cap);
			failures += a->p ? 0 : 1;
			sum += a->p ? naive_charge(a->size) : 0;
			peak = peak < sum ? sum : peak;
			if (a->p)
				memset(a->p, (uint8_t)i, a->size);
			assert_int_equal((uintptr_t)a->p % 64, 0);
		}
		assert_int_equal(m.charged, sum);
		assert_int_equal(m.peak, peak);
		assert_int_equal(m.failures, failures);
		assert_int_equal(m.held, (uint64_t)slabs.out * SLAB_SIZE);
		assert_true(memory_check(&m));
	}
	assert_true(failures > 0);
	for (uint32_t i = 0; i < ARRAYS; i++) {
		if (arrays[i].p)
			array_free(&m, &arrays[i], (uint8_t)i);
	}
	assert_true(memory_is_empty(&m));
	memory_close(&m);
	assert_int_equal(slabs.out, 0);
}

/* When the allocator has nothing more, spare slabs of other kinds are given up for a new one. */
static void test_spares_are_given_up(void **state)
{
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;
	void *a, *b, *c;

	(void)state;
	memory_init(&m, &allocator, 1 << 20);
	slabs.limit = 2;
	a = memory_alloc(&m, 64);
	b = memory_alloc(&m, 128);
	memory_free(&m, a, 64);
	assert_int_equal(slabs.out, 2);
	c = memory_alloc(&m, 65536);
	assert_non_null(c);
	assert_int_equal(slabs.out, 2);
	assert_int_equal(m.failures, 0);
	assert_null(memory_alloc(&m, 64));
	assert_int_equal(m.failures, 1);
	assert_int_equal(m.charged, 65536 + 128);
	assert_true(memory_check(&m));
	memory_free(&m, b, 128);
	memory_free(&m, c, 65536);
	memory_close(&m);
	assert_int_equal(slabs.out, 0);
}

/* One object left in each slab of one kind after another: what is held stays bounded. */
static void test_held_is_bounded(void **state)
{
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;
	static void *v[16384];
	uint32_t kept = 0, n;
	static struct array keep[16384];

	(void)state;
	memory_init(&m, &allocator, 1 << 20);
	m.held_cap = 3 << 20;
	for (uint32_t size = 64; size <= 1024; size *= 2) {
		for (n = 0; n < 16384 && (v[n] = memory_alloc(&m, size)); n++)
			;
		for (uint32_t i = 0; i < n; i++) {
			bool last = i + 1 == n || slab_of(v[i]) != slab_of(v[i + 1]);

			if (last)
				keep[kept++] = (struct array){.p = v[i], .size = size};
			else
				memory_free(&m, v[i], size);
		}
		assert_true(memory_check(&m));
		assert_true(m.held <= m.held_cap);
	}
	assert_int_equal(m.held, m.held_cap);
	assert_true(m.failures > 0);
	for (uint32_t i = 0; i < kept; i++)
		memory_free(&m, keep[i].p, keep[i].size);
	memory_close(&m);
	assert_int_equal(slabs.out, 0);
}

/* Slabs that nobody holds are kept for the next, of whatever kind, up to a quarter of the cap. */
static void test_reserve(void **state)
{
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;
	void *v[12];

	(void)state;
	memory_init(&m, &allocator, 16 * SLAB_SIZE);
	assert_int_equal(m.reserve_limit, 4);
	for (uint32_t i = 0; i < 12; i++)
		v[i] = memory_alloc(&m, SLAB_SIZE);
	assert_int_equal(slabs.out, 12);
	for (uint32_t i = 0; i < 12; i++)
		memory_free(&m, v[i], SLAB_SIZE);
	assert_int_equal(slabs.out, 4);
	assert_true(memory_check(&m));
	slabs.limit = 0;
	v[0] = memory_alloc(&m, 64);
	assert_non_null(v[0]);
	assert_int_equal(slabs.out, 4);
	assert_int_equal(m.reserved, 3);
	memory_free(&m, v[0], 64);
	assert_true(memory_is_empty(&m));
	memory_close(&m);
	assert_int_equal(slabs.out, 0);
}

static void test_fail_at(void **state)
{
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;

	(void)state;
	memory_init(&m, &allocator, UINT64_MAX);
	assert_int_equal(m.held_cap, UINT64_MAX);
	for (uint32_t n = 1; n < 20; n++) {
		void *v[20];

		memory_fail_at(&m, n);
		for (uint32_t i = 1; i < 20; i++) {
			v[i] = memory_alloc(&m, 3000 * i);
			assert_int_equal(v[i] == NULL, i == n);
		}
		assert_int_equal(m.failures, n);
		assert_int_equal(m.fail_at, 0);
		for (uint32_t i = 1; i < 20; i++)
			memory_free(&m, v[i], 3000 * i);
		assert_true(memory_is_empty(&m));
	}
	memory_fail_at(&m, 1);
	memory_fail_at(&m, 0);
	memory_free(&m, memory_alloc(&m, 1), 1);
	assert_int_equal(m.failures, 19);
	memory_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_charge),
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_spares_are_given_up),
		cmocka_unit_test(test_held_is_bounded),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_fail_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
