/* SPDX-License-Identifier: MIT */
#include "base/stream.h"

#include "base/mem.h"
#include "base/must.h"

_Static_assert(sizeof(struct stream) <= 40, "an empty stream is small");

#define PAGE	   BLOCK_PAGE_BYTES
#define PAGE_SHIFT 12

void stream_init(struct stream *s)
{
	*s = (struct stream){0};
}

/*
 * Where the byte at `offset` stands, or NULL; *len (> 0) is cut to what follows it contiguously.
 */
static uint8_t *piece(const struct stream *s, uint64_t offset, size_t *len)
{
	size_t room = PAGE - (size_t)(offset & (PAGE - 1));
	uint8_t *page;

	if (s->small) {
		uint64_t into = offset - s->small_at;

		if (into < BLOCK_SMALL_BYTES) {
			room = BLOCK_SMALL_BYTES - (size_t)into;
			*len = *len < room ? *len : room;
			return s->small + into;
		}
		/* The distance to a small block behind `offset` wraps and is huge. */
		if (0 - into < room)
			room = (size_t)(0 - into);
	}
	*len = *len < room ? *len : room;
	page = pages_at(&s->pages, offset >> PAGE_SHIFT);
	return page ? page + (offset & (PAGE - 1)) : NULL;
}

/* Where `len` bytes at `offset` stand in one page that is there, beside no small block; or NULL. */
static uint8_t *one_piece(const struct stream *s, uint64_t offset, size_t len)
{
	size_t into = (size_t)(offset & (PAGE - 1));
	uint8_t *page;

	if (s->small || len > PAGE - into)
		return NULL;
	page = pages_at(&s->pages, offset >> PAGE_SHIFT);
	return page ? page + into : NULL;
}

/* Whether [from, to) lies in the range of the small block. */
static bool in_small(const struct stream *s, uint64_t from, uint64_t to)
{
	return s->small && from >= s->small_at && to <= s->small_at + BLOCK_SMALL_BYTES;
}

/* Makes there be blocks for [from, to), or changes nothing. */
static bool provide(struct stream *s, struct memory *m, uint64_t from, uint64_t to)
{
	uint64_t lo = from >> PAGE_SHIFT, hi = ((to - 1) >> PAGE_SHIFT) + 1;
	uint64_t behind_lo = (lo + 1) << PAGE_SHIFT, at_last = (hi - 1) << PAGE_SHIFT;

	if (!must_hold(from < to))
		return false;
	if (stream_is_empty(s) && (from ^ (to - 1)) < BLOCK_SMALL_BYTES) {
		s->small = block_get(m, BLOCK_SMALL);
		if (s->small)
			s->small_at = from & ~(uint64_t)(BLOCK_SMALL_BYTES - 1);
		return s->small;
	}
	/* The first and the last page are not needed for what the small block takes. */
	if (in_small(s, from, to < behind_lo ? to : behind_lo))
		lo++;
	if (lo < hi && in_small(s, from > at_last ? from : at_last, to))
		hi--;
	while (lo < hi && pages_at(&s->pages, lo))
		lo++;
	return lo == hi || pages_provide(&s->pages, m, lo, hi);
}

bool stream_write(struct stream *s, struct memory *m, uint64_t offset, const void *data, size_t len)
{
	const uint8_t *src = data;
	uint8_t *at = one_piece(s, offset, len);

	if (len == 0)
		return true;
	if (at) {
		memcpy(at, src, len);
		return true;
	}
	if (!provide(s, m, offset, offset + len))
		return false;
	while (len > 0) {
		size_t n = len;
		uint8_t *dst = piece(s, offset, &n);

		if (!must_hold(dst))
			return false;
		memcpy(dst, src, n);
		offset += n;
		src += n;
		len -= n;
	}
	return true;
}

uint32_t stream_reserve(struct stream *s, struct memory *m, uint64_t offset, size_t len,
			struct parley_buffer *out, uint32_t max)
{
	uint32_t i = 0;

	if (!provide(s, m, offset, offset + len))
		return 0;
	for (; len > 0 && i < max; i++) {
		size_t n = len;

		out[i].data = piece(s, offset, &n);
		out[i].len = n;
		if (!must_hold(out[i].data))
			break;
		offset += n;
		len -= n;
	}
	return i;
}

void stream_read(const struct stream *s, uint64_t offset, void *dst, size_t len)
{
	uint8_t *to = dst;

	while (len > 0) {
		size_t n = len;
		const uint8_t *src = piece(s, offset, &n);

		if (!must_hold(src))
			return;
		memcpy(to, src, n);
		offset += n;
		to += n;
		len -= n;
	}
}

uint32_t stream_spans(const struct stream *s, uint64_t offset, size_t len, struct parley_span *out,
		      uint32_t max)
{
	uint32_t i = 0;

	for (; len > 0 && i < max; i++) {
		size_t n = len;

		out[i].data = piece(s, offset, &n);
		out[i].len = n;
		if (!must_hold(out[i].data))
			break;
		offset += n;
		len -= n;
	}
	return i;
}

uint32_t stream_block_spans(const struct stream *s, uint64_t offset, size_t len,
			    struct stream_span *out, uint32_t max)
{
	uint8_t *whole = one_piece(s, offset, len);
	uint32_t i = 0;

	if (whole && len > 0) {
		out[0] = (struct stream_span){
			.data = whole,
			.block = whole - (offset & (PAGE - 1)),
			.len = (uint32_t)len,
		};
		return 1;
	}
	for (; len > 0 && i < max; i++) {
		size_t n = len;
		uint8_t *at = piece(s, offset, &n);
		bool small = s->small && offset - s->small_at < BLOCK_SMALL_BYTES;
		size_t into = (size_t)(offset & (small ? BLOCK_SMALL_BYTES - 1 : PAGE - 1));

		if (!must_hold(at))
			break;
		out[i] = (struct stream_span){.data = at, .block = at - into, .len = (uint32_t)n};
		offset += n;
		len -= n;
	}
	return i;
}

static void drop_small(struct stream *s)
{
	if (s->small)
		block_unref(s->small);
	s->small = NULL;
	s->small_at = 0;
}

void stream_drop_below(struct stream *s, struct memory *m, uint64_t offset)
{
	if (s->small && s->small_at + BLOCK_SMALL_BYTES <= offset)
		drop_small(s);
	pages_keep(&s->pages, m, offset >> PAGE_SHIFT, UINT64_MAX);
}

void stream_drop_from(struct stream *s, struct memory *m, uint64_t offset)
{
	if (s->small && s->small_at >= offset)
		drop_small(s);
	pages_keep(&s->pages, m, 0, (offset >> PAGE_SHIFT) + (offset % PAGE ? 1 : 0));
}

void stream_free(struct stream *s, struct memory *m)
{
	drop_small(s);
	pages_keep(&s->pages, m, 0, 0);
}

uint64_t stream_last_block(const struct stream *s)
{
	uint64_t page = s->pages.count ? (pages_end(&s->pages) - 1) << PAGE_SHIFT : 0;

	return s->small && s->small_at > page + PAGE - 1 ? s->small_at
	       : s->pages.count				 ? page
							 : s->small_at;
}

bool stream_has(const struct stream *s, uint64_t offset)
{
	size_t n = 1;

	return piece(s, offset, &n);
}

bool stream_check(const struct stream *s)
{
	if (s->small && (s->small_at % BLOCK_SMALL_BYTES || !block_refs(s->small)))
		return false;
	return (s->small || !s->small_at) && pages_check(&s->pages);
}
