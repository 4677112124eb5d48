/* SPDX-License-Identifier: MIT */
/*
 * The directory has one of three forms, by `order`:
 *
 *	0		`pages` is the only page itself
 *	up to 9		`pages` is a ring of 2^order cells; page n stands in cell n mod 2^order
 *	above 9		`pages` is a ring of 2^(order-9) cells for leaves, each of 512 cells
 *			for the pages n with the same n / 512; without pages it may be missing
 *
 * All pages present lie in [first, first + span), and the first and the last of these are present.
 * The directory grows with the span and goes when the last page does.
 *
 * What a write needs is first gathered (blocks, leaves, a new directory) and then put in place,
 * which cannot fail: so a failure leaves no trace.
 */
#include "base/stream.h"

#include "base/mem.h"
#include "base/must.h"

_Static_assert(sizeof(struct stream) <= 40, "an empty stream is small");

#define PAGE	   BLOCK_PAGE_BYTES
#define PAGE_SHIFT 12
#define LEAF_ORDER 9
#define LEAF_PAGES (UINT64_C(1) << LEAF_ORDER)
/* The smallest ring, 64 bytes. */
#define RING_ORDER 3
#define SPAN_MAX   (UINT64_C(1) << 20)

/* Of a directory; 8 bytes on all targets, so that it is charged the same. */
union cell {
	void *p;
	uint64_t wide;
};

/* A block or leaf that is gathered but not yet in place. */
struct spare {
	struct spare *next;
};

/* What a write needs. */
struct need {
	/* The pages to be there; those among [lo, hi) that are not come from `blocks`. */
	uint64_t lo;
	uint64_t hi;
	/* The window and directory that will then be. */
	uint64_t first;
	uint64_t end;
	uint32_t order;
	union cell *directory;
	struct spare *blocks;
	struct spare *leaves;
};

void stream_init(struct stream *s)
{
	*s = (struct stream){0};
}

static uint64_t end_of(const struct stream *s)
{
	return s->first + s->span;
}

/* Cells of the ring of an order. */
static uint64_t ring_cells(uint32_t order)
{
	return UINT64_C(1) << (order > LEAF_ORDER ? order - LEAF_ORDER : order);
}

static size_t ring_bytes(uint32_t order)
{
	return (size_t)ring_cells(order) * sizeof(union cell);
}

/* The cell of leaf `group` in a directory of two levels. */
static union cell *leaf_cell(void *root, uint32_t order, uint64_t group)
{
	return (union cell *)root + (group & (ring_cells(order) - 1));
}

/* The cell of page n in a directory of cells; NULL if its leaf is not there. */
static union cell *page_cell(const struct stream *s, uint64_t n)
{
	union cell *leaf;

	if (s->order <= LEAF_ORDER)
		return (union cell *)s->pages + (n & (ring_cells(s->order) - 1));
	leaf = leaf_cell(s->pages, s->order, n >> LEAF_ORDER)->p;
	return leaf ? &leaf[n & (LEAF_PAGES - 1)] : NULL;
}

/* Page n, or NULL. */
static uint8_t *page_at(const struct stream *s, uint64_t n)
{
	const union cell *cell;

	if (n - s->first >= s->span)
		return NULL;
	if (s->order == 0)
		return s->pages;
	cell = page_cell(s, n);
	return cell ? cell->p : NULL;
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
	page = page_at(s, offset >> PAGE_SHIFT);
	return page ? page + (offset & (PAGE - 1)) : NULL;
}

static void spare_push(struct spare **list, void *p)
{
	struct spare *spare = p;

	spare->next = *list;
	*list = spare;
}

static void *spare_pop(struct spare **list)
{
	struct spare *spare = *list;

	if (must_hold(spare))
		*list = spare->next;
	return spare;
}

static void need_free(struct need *need, struct memory *m)
{
	while (need->blocks)
		block_unref(spare_pop(&need->blocks));
	while (need->leaves)
		memory_free(m, spare_pop(&need->leaves), LEAF_PAGES * sizeof(union cell));
	memory_free(m, need->directory, ring_bytes(need->order));
}

/* The order of directory for the pages [first, end), at least the present one. */
static uint32_t order_for(const struct stream *s, uint64_t first, uint64_t end)
{
	uint64_t groups = ((end - 1) >> LEAF_ORDER) - (first >> LEAF_ORDER) + 1;
	uint32_t order = s->order;

	if (end - first == 1 && order == 0)
		return 0;
	if (order < RING_ORDER)
		order = RING_ORDER;
	while (order <= LEAF_ORDER && ring_cells(order) < end - first)
		order++;
	if (order <= LEAF_ORDER)
		return order;
	if (order < LEAF_ORDER + RING_ORDER)
		order = LEAF_ORDER + RING_ORDER;
	while (ring_cells(order) < groups)
		order++;
	return order;
}

static bool gather_blocks(const struct stream *s, struct memory *m, struct need *need)
{
	for (uint64_t n = need->lo; n < need->hi; n++) {
		void *block;

		if (page_at(s, n))
			continue;
		block = block_get(m, BLOCK_PAGE);
		if (!block)
			return false;
		spare_push(&need->blocks, block);
	}
	return true;
}

/* Whether a leaf for `group` is to be made: for new pages, or for old ones that had none. */
static bool leaf_needed(const struct stream *s, const struct need *need, uint64_t group)
{
	bool is_new = group >= need->lo >> LEAF_ORDER && group <= (need->hi - 1) >> LEAF_ORDER;

	if (!s->count)
		return is_new;
	if (group < s->first >> LEAF_ORDER || group > (end_of(s) - 1) >> LEAF_ORDER)
		return is_new;
	if (s->order <= LEAF_ORDER)
		return true;
	return is_new && !leaf_cell(s->pages, s->order, group)->p;
}

static bool gather_leaves(const struct stream *s, struct memory *m, struct need *need)
{
	/* Once there are two levels, only the new pages can lack a leaf. */
	bool all = s->order <= LEAF_ORDER;
	uint64_t from = all ? need->first : need->lo;
	uint64_t to = all ? need->end : need->hi;

	for (uint64_t g = from >> LEAF_ORDER; g <= (to - 1) >> LEAF_ORDER; g++) {
		void *leaf;

		if (!leaf_needed(s, need, g))
			continue;
		leaf = memory_alloc(m, LEAF_PAGES * sizeof(union cell));
		if (!leaf)
			return false;
		spare_push(&need->leaves, leaf);
	}
	return true;
}

static bool gather(const struct stream *s, struct memory *m, struct need *need)
{
	need->first = s->count && s->first < need->lo ? s->first : need->lo;
	need->end = s->count && end_of(s) > need->hi ? end_of(s) : need->hi;
	if (need->end - need->first > SPAN_MAX)
		return false;
	need->order = order_for(s, need->first, need->end);
	if (!gather_blocks(s, m, need))
		return false;
	if (need->order > LEAF_ORDER && !gather_leaves(s, m, need))
		return false;
	if (need->order == s->order)
		return true;
	need->directory = memory_alloc(m, ring_bytes(need->order));
	if (need->directory)
		memset(need->directory, 0, ring_bytes(need->order));
	return need->directory;
}

/* Puts `block` in place as page n, with a leaf from `leaves` if it lacks one. */
static void place(struct stream *s, uint64_t n, void *block, struct spare **leaves)
{
	if (s->order == 0) {
		s->pages = block;
		return;
	}
	if (s->order > LEAF_ORDER) {
		union cell *cell = leaf_cell(s->pages, s->order, n >> LEAF_ORDER);

		if (!cell->p) {
			cell->p = spare_pop(leaves);
			if (!must_hold(cell->p))
				return;
			memset(cell->p, 0, LEAF_PAGES * sizeof(union cell));
		}
	}
	page_cell(s, n)->p = block;
}

/* Moves what is there into the new directory. */
static void change_directory(struct stream *s, struct memory *m, struct need *need)
{
	struct stream old = *s;

	s->pages = need->directory;
	s->order = need->order & 0xff;
	need->directory = NULL;
	if (old.order > LEAF_ORDER) {
		for (uint64_t g = old.first >> LEAF_ORDER; g <= (end_of(&old) - 1) >> LEAF_ORDER;
		     g++)
			leaf_cell(s->pages, s->order, g)->p = leaf_cell(old.pages, old.order, g)->p;
	} else {
		for (uint64_t n = old.first; n < end_of(&old); n++) {
			uint8_t *page = page_at(&old, n);

			if (page)
				place(s, n, page, &need->leaves);
		}
	}
	if (old.order > 0)
		memory_free(m, old.pages, ring_bytes(old.order));
}

/* Makes the pages [lo, hi) be there, or changes nothing. */
static bool provide_pages(struct stream *s, struct memory *m, uint64_t lo, uint64_t hi)
{
	struct need need = {.lo = lo, .hi = hi};

	if (!gather(s, m, &need)) {
		need_free(&need, m);
		return false;
	}
	if (need.directory)
		change_directory(s, m, &need);
	for (uint64_t n = lo; n < hi; n++) {
		if (page_at(s, n))
			continue;
		place(s, n, spare_pop(&need.blocks), &need.leaves);
		s->count++;
	}
	s->first = need.first;
	s->span = (uint32_t)(need.end - need.first);
	must(!need.blocks && !need.leaves);
	return true;
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
	while (lo < hi && page_at(s, lo))
		lo++;
	return lo == hi || provide_pages(s, m, lo, hi);
}

/* Where `len` bytes at `offset` stand in one page that is there, beside no small block; or NULL. */
static uint8_t *one_piece(const struct stream *s, uint64_t offset, size_t len)
{
	size_t into = (size_t)(offset & (PAGE - 1));
	uint8_t *page;

	if (s->small || len > PAGE - into)
		return NULL;
	page = page_at(s, offset >> PAGE_SHIFT);
	return page ? page + into : NULL;
}

bool stream_write(struct stream *s, struct memory *m, uint64_t offset, const void *data, size_t len,
		  stream_copy *copy, void *ctx)
{
	const uint8_t *src = data;
	uint8_t *at = one_piece(s, offset, len);

	if (len == 0)
		return true;
	if (at && !copy) {
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
		if (copy)
			copy(ctx, dst, src, n);
		else
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
	uint32_t i = 0;

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

/* The page behind n, or if the leaf of n is not there, the first one behind that leaf. */
static uint64_t step_up(const struct stream *s, uint64_t n)
{
	bool leafless = s->order > LEAF_ORDER && !page_cell(s, n);

	return leafless ? (n | (LEAF_PAGES - 1)) + 1 : n + 1;
}

/* The same the other way: where pages end if n - 1 is not there. */
static uint64_t step_down(const struct stream *s, uint64_t n)
{
	bool leafless = s->order > LEAF_ORDER && !page_cell(s, n - 1);

	return leafless ? (n - 1) & ~(LEAF_PAGES - 1) : n - 1;
}

/* Lets go of the pages in [lo, hi), which lie in the window. */
static void drop_pages(struct stream *s, uint64_t lo, uint64_t hi)
{
	for (uint64_t n = lo; n < hi; n = step_up(s, n)) {
		uint8_t *page = page_at(s, n);

		if (!page)
			continue;
		block_unref(page);
		if (s->order == 0)
			s->pages = NULL;
		else
			page_cell(s, n)->p = NULL;
		s->count--;
	}
}

/* Gives back the leaves of the groups [from, to). */
static void free_leaves(struct stream *s, struct memory *m, uint64_t from, uint64_t to)
{
	for (uint64_t g = from; g < to; g++) {
		union cell *cell = leaf_cell(s->pages, s->order, g);

		memory_free(m, cell->p, LEAF_PAGES * sizeof(union cell));
		cell->p = NULL;
	}
}

/* Drops the pages outside [lo, hi), and what the directory then holds too much. */
static void keep_pages(struct stream *s, struct memory *m, uint64_t lo, uint64_t hi)
{
	uint64_t was = s->first, end = end_of(s);

	if (!s->count)
		return;
	lo = lo < was ? was : lo > end ? end : lo;
	hi = hi > end ? end : hi < lo ? lo : hi;
	drop_pages(s, was, lo);
	drop_pages(s, hi, end);
	if (!s->count)
		lo = hi = end;
	while (lo < hi && !page_at(s, lo))
		lo = step_up(s, lo);
	while (lo < hi && !page_at(s, hi - 1))
		hi = step_down(s, hi);
	if (s->order > LEAF_ORDER) {
		uint64_t last = ((end - 1) >> LEAF_ORDER) + 1;

		free_leaves(s, m, was >> LEAF_ORDER, s->count ? lo >> LEAF_ORDER : last);
		if (s->count)
			free_leaves(s, m, ((hi - 1) >> LEAF_ORDER) + 1, last);
	}
	s->first = lo;
	s->span = (uint32_t)(hi - lo);
	if (s->count)
		return;
	if (s->order > 0)
		memory_free(m, s->pages, ring_bytes(s->order));
	s->pages = NULL;
	s->order = 0;
	s->first = 0;
}

void stream_drop_below(struct stream *s, struct memory *m, uint64_t offset)
{
	if (s->small && s->small_at + BLOCK_SMALL_BYTES <= offset)
		drop_small(s);
	keep_pages(s, m, offset >> PAGE_SHIFT, UINT64_MAX);
}

void stream_drop_from(struct stream *s, struct memory *m, uint64_t offset)
{
	if (s->small && s->small_at >= offset)
		drop_small(s);
	keep_pages(s, m, 0, (offset >> PAGE_SHIFT) + (offset % PAGE ? 1 : 0));
}

void stream_free(struct stream *s, struct memory *m)
{
	drop_small(s);
	keep_pages(s, m, 0, 0);
}

uint64_t stream_last_block(const struct stream *s)
{
	uint64_t page = s->count ? (end_of(s) - 1) << PAGE_SHIFT : 0;

	return s->small && s->small_at > page + PAGE - 1 ? s->small_at
	       : s->count				 ? page
							 : s->small_at;
}

bool stream_has(const struct stream *s, uint64_t offset)
{
	size_t n = 1;

	return piece(s, offset, &n);
}

bool stream_check(const struct stream *s)
{
	uint32_t count = 0;

	if (s->small && (s->small_at % BLOCK_SMALL_BYTES || !block_refs(s->small)))
		return false;
	if (!s->count)
		return !s->pages && !s->order && !s->span && (s->small || !s->small_at);
	if (!s->pages || !page_at(s, s->first) || !page_at(s, end_of(s) - 1))
		return false;
	for (uint64_t n = s->first; n < end_of(s); n++) {
		const uint8_t *page = page_at(s, n);

		if (page && !block_refs(page))
			return false;
		count += page ? 1 : 0;
	}
	return count == s->count && order_for(s, s->first, end_of(s)) == s->order;
}
