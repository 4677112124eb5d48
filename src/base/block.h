/* SPDX-License-Identifier: MIT */
/*
 * Data blocks: where the bytes of streams lie. Two sizes, each aligned to its own size.
 *
 * A block is shared by counting references: a stream holds one, and so does each frame under way
 * that has a span in it. The last one to let go gives the block back. The counts stand at the
 * head of the block's slab, away from the data, and are found by masking an address.
 */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include "base/slab.h"

enum block_size { BLOCK_SMALL, BLOCK_PAGE };

#define BLOCK_SMALL_BYTES 256u
#define BLOCK_PAGE_BYTES  4096u

/* For memory_init alone: sets up the two pools. */
void block_pools_init(struct memory *m);

/* A block with one reference and undefined contents; NULL if there is no memory. */
uint8_t *block_get(struct memory *m, enum block_size size);

/* One more reference to the block that `p` points into. */
void block_ref(const void *p);

/* One reference less; with the last the block is given back to its memory. */
void block_unref(const void *p);

/* References held to the block that `p` points into. */
uint32_t block_refs(const void *p);

#endif
