/* SPDX-License-Identifier: MIT */
#include "sim/arena.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE ((size_t)4 << 20)
#define LIVE 200

static void *base;

static int set_up(void **state)
{
	(void)state;
	base = aligned_alloc(SIM_ARENA_ALIGN, SIZE);
	return base ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(base);
	return 0;
}

static void refuses_a_bad_region(void **state)
{
	(void)state;
	assert_null(sim_arena_init((uint8_t *)base + 4096, SIZE - 4096));
	assert_null(sim_arena_init(base, SIM_ARENA_ALIGN - 1));
	assert_non_null(sim_arena_init(base, SIM_ARENA_ALIGN));
}

static void aligns_to_the_size(void **state)
{
	struct sim_arena *arena = sim_arena_init(base, SIZE);

	(void)state;
	for (size_t size = 1; size <= SIM_ARENA_ALIGN; size *= 2) {
		void *p = sim_alloc(arena, size, size);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % size, 0);
	}
}

/* Blocks that are alive never overlap: each is filled with its own byte, and keeps it. */
static void keeps_blocks_apart(void **state)
{
	struct sim_arena *arena = sim_arena_init(base, SIZE);
	struct {
		uint8_t *p;
		size_t size;
	} live[LIVE] = {0};
	struct rng r = rng(1, 1);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t k = rng_below(&r, LIVE);

		if (live[k].p) {
			for (size_t b = 0; b < live[k].size; b++)
				assert_int_equal(live[k].p[b], (uint8_t)k);
			sim_free(arena, live[k].p, live[k].size);
			live[k].p = NULL;
			continue;
		}
		live[k].size = 1 + rng_below(&r, (size_t)1 << rng_below(&r, 13));
		live[k].p = sim_alloc(arena, live[k].size, 1);
		assert_non_null(live[k].p);
		memset(live[k].p, (int)k, live[k].size);
	}
	for (size_t k = 0; k < LIVE; k++)
		sim_free(arena, live[k].p, live[k].size);
	assert_int_equal(arena->in_use, 0);
	assert_int_equal(arena->fails, 0);
}

static void uses_freed_blocks_again(void **state)
{
	struct sim_arena *arena = sim_arena_init(base, SIZE);
	void *a = sim_alloc(arena, 1000, 8);
	void *b = sim_alloc(arena, 600, 8);
	size_t used = arena->used;

	(void)state;
	sim_free(arena, a, 1000);
	sim_free(arena, b, 600);
	assert_ptr_equal(sim_alloc(arena, 1024, 8), b);
	assert_ptr_equal(sim_alloc(arena, 513, 8), a);
	assert_int_equal(arena->used, used);
}

/* What alignment skips is handed out later: small blocks come from the gap before a large one. */
static void wastes_no_gap(void **state)
{
	struct sim_arena *arena = sim_arena_init(base, SIZE);
	uint8_t *large = sim_alloc(arena, SIM_ARENA_ALIGN, SIM_ARENA_ALIGN);
	uint8_t *small = sim_alloc(arena, 4096, 1);

	(void)state;
	assert_non_null(large);
	assert_true(small < large);
}

static void says_when_it_is_full(void **state)
{
	struct sim_arena *arena = sim_arena_init(base, SIZE);
	size_t n = 0;

	(void)state;
	while (sim_alloc(arena, SIM_ARENA_ALIGN, SIM_ARENA_ALIGN))
		n++;
	assert_int_equal(n, SIZE / SIM_ARENA_ALIGN - 1);
	assert_int_equal(arena->fails, 1);
	assert_null(sim_alloc(arena, SIZE + 1, 1));
	assert_int_equal(arena->fails, 2);
	assert_non_null(sim_alloc(arena, 64, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_a_bad_region), cmocka_unit_test(aligns_to_the_size),
		cmocka_unit_test(keeps_blocks_apart),	cmocka_unit_test(uses_freed_blocks_again),
		cmocka_unit_test(wastes_no_gap),	cmocka_unit_test(says_when_it_is_full),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
