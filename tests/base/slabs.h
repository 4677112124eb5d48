/* SPDX-License-Identifier: MIT */
/*
 * An allocator of slabs for tests: counts what is out, fills what it hands out with junk, and can
 * be told to have nothing more.
 */
#ifndef TESTS_BASE_SLABS_H
#define TESTS_BASE_SLABS_H

#include <parley/memory.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct slabs {
	/* Slabs handed out and not given back. */
	uint32_t out;
	/* How many there may be. */
	uint32_t limit;
};

static void *slabs_alloc(void *ctx, size_t size, size_t align)
{
	struct slabs *slabs = ctx;
	void *p;

	assert_int_equal(size, PARLEY_SLAB);
	assert_int_equal(align, PARLEY_SLAB);
	if (slabs->out >= slabs->limit)
		return NULL;
	p = aligned_alloc(align, size);
	assert_non_null(p);
	memset(p, 0xa5, size);
	slabs->out++;
	return p;
}

static void slabs_free(void *ctx, void *p, size_t size)
{
	struct slabs *slabs = ctx;

	assert_non_null(p);
	assert_int_equal(size, PARLEY_SLAB);
	assert_true(slabs->out > 0);
	slabs->out--;
	free(p);
}

static inline struct parley_allocator slabs_allocator(struct slabs *slabs)
{
	*slabs = (struct slabs){.limit = UINT32_MAX};
	return (struct parley_allocator){.alloc = slabs_alloc, .free = slabs_free, .ctx = slabs};
}

#endif
