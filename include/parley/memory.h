/* SPDX-License-Identifier: MIT */
/* Where a host's memory comes from. */
#ifndef PARLEY_MEMORY_H
#define PARLEY_MEMORY_H

#include <parley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An allocator of slabs: sizes and alignments are powers of two up to 64 KiB. `alloc` may answer
 * NULL at any time; the contents need not be zero. `free` gets back what `alloc` gave, with the
 * size that was asked for. Both get `context` back.
 */
struct parley_allocator {
	void *(*alloc)(void *context, size_t size, size_t align);
	void (*free)(void *context, void *ptr, size_t size);
	void *context;
};

#ifdef __cplusplus
}
#endif

#endif
