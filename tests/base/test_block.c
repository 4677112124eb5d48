/* SPDX-License-Identifier: MIT */
/* The naive model is an array of blocks with the number of references to each. */
#include "slabs.h"

#include "base/block.h"
#include "base/rng.h"

#define BLOCKS 700

struct held {
	uint8_t *block;
	uint32_t refs;
	uint32_t bytes;
};

static void get(struct memory *m, struct held *h, struct rng *r, uint8_t mark)
{
	enum block_size size = rng_chance(r, 800000) ? BLOCK_SMALL : BLOCK_PAGE;

	h->bytes = size == BLOCK_SMALL ? BLOCK_SMALL_BYTES : BLOCK_PAGE_BYTES;
	h->block = block_get(m, size);
	assert_non_null(h->block);
	assert_int_equal((uintptr_t)h->block % h->bytes, 0);
	h->refs = 1;
	memset(h->block, mark, h->bytes);
}

static void expect_mark(const struct held *h, uint8_t mark)
{
	for (uint32_t i = 0; i < h->bytes; i++)
		assert_int_equal(h->block[i], mark);
}

/* Any address in a block will do for counting; the bytes stay until the last reference goes. */
static void test_against_model(void **state)
{
	struct rng r = rng(3, 0);
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;
	static struct held held[BLOCKS];
	uint64_t sum = 0;

	(void)state;
	memory_init(&m, &allocator, UINT64_C(64) << 20);
	for (uint32_t round = 0; round < 100000; round++) {
		uint32_t i = (uint32_t)rng_below(&r, BLOCKS);
		struct held *h = &held[i];
		uint64_t into = rng_next(&r);

		if (!h->refs) {
			get(&m, h, &r, (uint8_t)i);
			sum += h->bytes;
		} else if (rng_chance(&r, 400000)) {
			block_ref(h->block + into % h->bytes);
			h->refs++;
		} else {
			if (h->refs == 1) {
				expect_mark(h, (uint8_t)i);
				sum -= h->bytes;
			}
			block_unref(h->block + into % h->bytes);
			h->refs--;
		}
		if (h->refs)
			assert_int_equal(block_refs(h->block + into % h->bytes), h->refs);
		assert_int_equal(m.charged, sum);
	}
	assert_true(memory_check(&m));
	for (uint32_t i = 0; i < BLOCKS; i++) {
		if (held[i].refs)
			expect_mark(&held[i], (uint8_t)i);
		while (held[i].refs--)
			block_unref(held[i].block);
	}
	assert_true(memory_is_empty(&m));
	memory_close(&m);
	assert_int_equal(slabs.out, 0);
}

/* A slab is filled to the last place without the counts and the data touching. */
static void full_slab(enum block_size size, uint32_t bytes)
{
	struct slabs slabs;
	struct parley_allocator allocator = slabs_allocator(&slabs);
	struct memory m;
	uint8_t *blocks[256];
	uint32_t n = 0;

	memory_init(&m, &allocator, 1 << 20);
	slabs.limit = 1;
	while ((blocks[n] = block_get(&m, size)))
		memset(blocks[n++], 0xff, bytes);
	assert_int_equal(n, m.blocks[size].per_slab);
	assert_true(n * bytes >= SLAB_SIZE - 4096);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(block_refs(blocks[i]), 1);
		block_unref(blocks[i] + bytes - 1);
	}
	assert_true(memory_is_empty(&m));
	memory_close(&m);
}

static void test_full_slabs(void **state)
{
	(void)state;
	full_slab(BLOCK_SMALL, BLOCK_SMALL_BYTES);
	full_slab(BLOCK_PAGE, BLOCK_PAGE_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_full_slabs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
