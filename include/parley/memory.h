/* SPDX-License-Identifier: MIT */
/*
 * Where a host gets its memory from.
 *
 * A host asks its allocator only for slabs: pieces of PARLEY_SLAB bytes that begin at a multiple
 * of PARLEY_SLAB. Everything smaller is pooled inside. One call into the host first touches at
 * most one slab's worth of new memory.
 */
#ifndef PARLEY_MEMORY_H
#define PARLEY_MEMORY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PARLEY_SLAB 65536

struct parley_allocator {
	/* `size` bytes at a multiple of `align` (both PARLEY_SLAB), or NULL. Need not be zeroed. */
	void *(*alloc)(void *ctx, size_t size, size_t align);
	/* Gives back what alloc returned, with the same size. */
	void (*free)(void *ctx, void *p, size_t size);
	/* Handed to both. */
	void *ctx;
};

#ifdef __cplusplus
}
#endif

#endif
