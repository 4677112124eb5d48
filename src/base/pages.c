/* SPDX-License-Identifier: MIT */
/*
 * The directory has one of three forms, by `order`:
 *
 *	0		`at` is the only page itself
 *	up to 9		`at` is a ring of 2^order cells; page n stands in cell n mod 2^order
 *	above 9		`at` is a ring of 2^(order-9) cells for leaves, each of 512 cells
 *			for the pages n with the same n / 512; without pages it may be missing
 *
 * All pages present lie in [first, first + span), and the first and the last of these are present.
 * The directory grows with the span and goes when the last page does.
 *
 * What a write needs is first gathered (blocks, leaves, a new directory) and then put in place,
 * which cannot fail: so a failure leaves no trace.
 */
#include "base/pages.h"

#include "base/block.h"
#include "base/mem.h"
#include "base/must.h"

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
static union cell *page_cell(const struct pages *p, uint64_t n)
{
	union cell *leaf;

	if (p->order <= LEAF_ORDER)
		return (union cell *)p->at + (n & (ring_cells(p->order) - 1));
	leaf = leaf_cell(p->at, p->order, n >> LEAF_ORDER)->p;
	return leaf ? &leaf[n & (LEAF_PAGES - 1)] : NULL;
}

uint8_t *pages_look(const struct pages *p, uint64_t n)
{
	const union cell *cell = page_cell(p, n);

	return cell ? cell->p : NULL;
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
static uint32_t order_for(const struct pages *p, uint64_t first, uint64_t end)
{
	uint64_t groups = ((end - 1) >> LEAF_ORDER) - (first >> LEAF_ORDER) + 1;
	uint32_t order = p->order;

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

static bool gather_blocks(const struct pages *p, struct memory *m, struct need *need)
{
	for (uint64_t n = need->lo; n < need->hi; n++) {
		void *block;

		if (pages_at(p, n))
			continue;
		block = block_get(m, BLOCK_PAGE);
		if (!block)
			return false;
		spare_push(&need->blocks, block);
	}
	return true;
}

/* Whether a leaf for `group` is to be made: for new pages, or for old ones that had none. */
static bool leaf_needed(const struct pages *p, const struct need *need, uint64_t group)
{
	bool is_new = group >= need->lo >> LEAF_ORDER && group <= (need->hi - 1) >> LEAF_ORDER;

	if (!p->count)
		return is_new;
	if (group < p->first >> LEAF_ORDER || group > (pages_end(p) - 1) >> LEAF_ORDER)
		return is_new;
	if (p->order <= LEAF_ORDER)
		return true;
	return is_new && !leaf_cell(p->at, p->order, group)->p;
}

static bool gather_leaves(const struct pages *p, struct memory *m, struct need *need)
{
	/* Once there are two levels, only the new pages can lack a leaf. */
	bool all = p->order <= LEAF_ORDER;
	uint64_t from = all ? need->first : need->lo;
	uint64_t to = all ? need->end : need->hi;

	for (uint64_t g = from >> LEAF_ORDER; g <= (to - 1) >> LEAF_ORDER; g++) {
		void *leaf;

		if (!leaf_needed(p, need, g))
			continue;
		leaf = memory_alloc(m, LEAF_PAGES * sizeof(union cell));
		if (!leaf)
			return false;
		spare_push(&need->leaves, leaf);
	}
	return true;
}

static bool gather(const struct pages *p, struct memory *m, struct need *need)
{
	need->first = p->count && p->first < need->lo ? p->first : need->lo;
	need->end = p->count && pages_end(p) > need->hi ? pages_end(p) : need->hi;
	if (need->end - need->first > SPAN_MAX)
		return false;
	need->order = order_for(p, need->first, need->end);
	if (!gather_blocks(p, m, need))
		return false;
	if (need->order > LEAF_ORDER && !gather_leaves(p, m, need))
		return false;
	if (need->order == p->order)
		return true;
	need->directory = memory_alloc(m, ring_bytes(need->order));
	if (need->directory)
		memset(need->directory, 0, ring_bytes(need->order));
	return need->directory;
}

/* Puts `block` in place as page n, with a leaf from `leaves` if it lacks one. */
static void place(struct pages *p, uint64_t n, void *block, struct spare **leaves)
{
	if (p->order == 0) {
		p->at = block;
		return;
	}
	if (p->order > LEAF_ORDER) {
		union cell *cell = leaf_cell(p->at, p->order, n >> LEAF_ORDER);

		if (!cell->p) {
			cell->p = spare_pop(leaves);
			if (!must_hold(cell->p))
				return;
			memset(cell->p, 0, LEAF_PAGES * sizeof(union cell));
		}
	}
	page_cell(p, n)->p = block;
}

/* Moves what is there into the new directory. */
static void change_directory(struct pages *p, struct memory *m, struct need *need)
{
	struct pages old = *p;

	p->at = need->directory;
	p->order = need->order & 0xff;
	need->directory = NULL;
	if (old.order > LEAF_ORDER) {
		for (uint64_t g = old.first >> LEAF_ORDER; g <= (pages_end(&old) - 1) >> LEAF_ORDER;
		     g++)
			leaf_cell(p->at, p->order, g)->p = leaf_cell(old.at, old.order, g)->p;
	} else {
		for (uint64_t n = old.first; n < pages_end(&old); n++) {
			uint8_t *page = pages_at(&old, n);

			if (page)
				place(p, n, page, &need->leaves);
		}
	}
	if (old.order > 0)
		memory_free(m, old.at, ring_bytes(old.order));
}

bool pages_provide(struct pages *p, struct memory *m, uint64_t lo, uint64_t hi)
{
	struct need need = {.lo = lo, .hi = hi};

	if (!gather(p, m, &need)) {
		need_free(&need, m);
		return false;
	}
	if (need.directory)
		change_directory(p, m, &need);
	for (uint64_t n = lo; n < hi; n++) {
		if (pages_at(p, n))
			continue;
		place(p, n, spare_pop(&need.blocks), &need.leaves);
		p->count++;
	}
	p->first = need.first;
	p->span = (uint32_t)(need.end - need.first);
	must(!need.blocks && !need.leaves);
	return true;
}

/* The page behind n, or if the leaf of n is not there, the first one behind that leaf. */
static uint64_t step_up(const struct pages *p, uint64_t n)
{
	bool leafless = p->order > LEAF_ORDER && !page_cell(p, n);

	return leafless ? (n | (LEAF_PAGES - 1)) + 1 : n + 1;
}

/* The same the other way: where pages end if n - 1 is not there. */
static uint64_t step_down(const struct pages *p, uint64_t n)
{
	bool leafless = p->order > LEAF_ORDER && !page_cell(p, n - 1);

	return leafless ? (n - 1) & ~(LEAF_PAGES - 1) : n - 1;
}

/* Lets go of the pages in [lo, hi), which lie in the window. */
static void drop_pages(struct pages *p, uint64_t lo, uint64_t hi)
{
	for (uint64_t n = lo; n < hi; n = step_up(p, n)) {
		uint8_t *page = pages_at(p, n);

		if (!page)
			continue;
		block_unref(page);
		if (p->order == 0)
			p->at = NULL;
		else
			page_cell(p, n)->p = NULL;
		p->count--;
	}
}

/* Gives back the leaves of the groups [from, to). */
static void free_leaves(struct pages *p, struct memory *m, uint64_t from, uint64_t to)
{
	for (uint64_t g = from; g < to; g++) {
		union cell *cell = leaf_cell(p->at, p->order, g);

		memory_free(m, cell->p, LEAF_PAGES * sizeof(union cell));
		cell->p = NULL;
	}
}

void pages_keep(struct pages *p, struct memory *m, uint64_t lo, uint64_t hi)
{
	uint64_t was = p->first, end = pages_end(p);

	if (!p->count)
		return;
	lo = lo < was ? was : lo > end ? end : lo;
	hi = hi > end ? end : hi < lo ? lo : hi;
	drop_pages(p, was, lo);
	drop_pages(p, hi, end);
	if (!p->count)
		lo = hi = end;
	while (lo < hi && !pages_at(p, lo))
		lo = step_up(p, lo);
	while (lo < hi && !pages_at(p, hi - 1))
		hi = step_down(p, hi);
	if (p->order > LEAF_ORDER) {
		uint64_t last = ((end - 1) >> LEAF_ORDER) + 1;

		free_leaves(p, m, was >> LEAF_ORDER, p->count ? lo >> LEAF_ORDER : last);
		if (p->count)
			free_leaves(p, m, ((hi - 1) >> LEAF_ORDER) + 1, last);
	}
	p->first = lo;
	p->span = (uint32_t)(hi - lo);
	if (p->count)
		return;
	if (p->order > 0)
		memory_free(m, p->at, ring_bytes(p->order));
	p->at = NULL;
	p->order = 0;
	p->first = 0;
}

bool pages_check(const struct pages *p)
{
	uint32_t count = 0;

	if (!p->count)
		return !p->at && !p->order && !p->span;
	if (!p->at || !pages_at(p, p->first) || !pages_at(p, pages_end(p) - 1))
		return false;
	for (uint64_t n = p->first; n < pages_end(p); n++) {
		const uint8_t *page = pages_at(p, n);

		if (page && !block_refs(page))
			return false;
		count += page ? 1 : 0;
	}
	return count == p->count && order_for(p, p->first, pages_end(p)) == p->order;
}
