/* SPDX-License-Identifier: MIT */
/*
 * A byte stream addressed by absolute 64-bit offset, backed by blocks where there are bytes.
 *
 * Bytes are placed at their offset and never move until they are dropped. A page of 4 KiB stands
 * at each multiple of 4 KiB that has bytes. A stream that holds nothing takes its first few bytes
 * into one block of 256 bytes, if they fit into the 256-aligned range around them; that block goes
 * on serving its range when pages come. One page is held without a directory, up to 512 in a ring
 * of pointers, more in a ring of such rings.
 *
 * The stream does not know which bytes are valid: the caller does, from its ranges or sequence
 * numbers. The caller also says what goes: below an offset (consumed, acknowledged), from an offset
 * (given up), or all, which it should do whenever no valid byte is left. Blocks are shared with
 * frames under way by reference (base/block.h); dropping one lets go of the stream's reference.
 *
 * Offsets plus lengths stay below 2^64. All blocks of a stream lie within 2^32 - 4 KiB bytes.
 */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H

#include "base/pages.h"
#include <parley/types.h>

struct stream {
	/* Numbered by offset / 4096. */
	struct pages pages;
	/* The block of 256 bytes, or NULL, and its offset. */
	uint8_t *small;
	uint64_t small_at;
};

/* Bytes of a stream, with the block that they lie in, for block_ref(). */
struct stream_span {
	const uint8_t *data;
	void *block;
	uint32_t len;
};

/* An empty stream, without memory; all zero is the same. */
void stream_init(struct stream *s);

/* Drops everything. The stream is empty and may be used again, or forgotten. */
void stream_free(struct stream *s, struct memory *m);

/*
 * Places `len` bytes at `offset`. False if there is no memory: then
 * nothing has changed. Bytes already in that range are overwritten.
 */
bool stream_write(struct stream *s, struct memory *m, uint64_t offset, const void *data,
		  size_t len);

/*
 * Provides blocks for `len` bytes (> 0) at `offset` and fills in at most `max` (> 0) buffers to
 * write them through, in order. Returns how many; they cover less than `len` only if there are
 * `max`. 0 if there is no memory: then nothing has changed.
 */
uint32_t stream_reserve(struct stream *s, struct memory *m, uint64_t offset, size_t len,
			struct parley_buffer *out, uint32_t max);

/* Copies out `len` bytes at `offset`, all of which must have been placed or reserved. */
void stream_read(const struct stream *s, uint64_t offset, void *dst, size_t len);

/*
 * Fills in at most `max` spans that hold the `len` bytes at `offset`, in order; returns how many.
 * They cover less than `len` only if there are `max`. The bytes must have been placed or reserved.
 * Spans are valid until their bytes are dropped, whatever is written meanwhile.
 */
uint32_t stream_spans(const struct stream *s, uint64_t offset, size_t len, struct parley_span *out,
		      uint32_t max);

/* The same with blocks; takes no references. */
uint32_t stream_block_spans(const struct stream *s, uint64_t offset, size_t len,
			    struct stream_span *out, uint32_t max);

/* Drops the blocks that lie wholly below `offset`. */
void stream_drop_below(struct stream *s, struct memory *m, uint64_t offset);

/* Drops the blocks that lie wholly at or behind `offset`. */
void stream_drop_from(struct stream *s, struct memory *m, uint64_t offset);

/* The offset at which the rightmost block begins. The stream must not be empty. */
uint64_t stream_last_block(const struct stream *s);

/* Whether the stream holds a block for the byte at `offset`. */
bool stream_has(const struct stream *s, uint64_t offset);

/* Whether the stream is sound, for tests. */
bool stream_check(const struct stream *s);

/* Whether it holds no block. */
static inline bool stream_is_empty(const struct stream *s)
{
	return !s->small && !s->pages.count;
}

/* Bytes of the blocks that it holds. */
static inline uint64_t stream_held(const struct stream *s)
{
	return (uint64_t)s->pages.count * BLOCK_PAGE_BYTES + (s->small ? BLOCK_SMALL_BYTES : 0);
}

#endif
