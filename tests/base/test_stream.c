/* SPDX-License-Identifier: MIT */
/*
 * The naive model is a flat array of the bytes in a window, which of them are valid, and which
 * pages and which small block should be there. Programs run at offsets where 32-bit numbers and
 * page numbers wrap, with windows for each form of the directory.
 */
#include "slabs.h"

#include "base/rng.h"
#include "base/stream.h"

#define PAGE	  4096u
#define SMALL	  256u
#define SPANS	  32
#define LEAF	  (UINT64_C(512) * PAGE)
#define MAX_WRITE 70000u

struct model {
	/* The lowest valid offset, and the bytes from there rounded down to a page. */
	uint64_t base;
	uint64_t origin;
	uint64_t window;
	uint8_t *bytes;
	bool *valid;
	bool *pages;
	bool has_small;
	uint64_t small_at;
};

struct world {
	struct slabs slabs;
	struct memory memory;
	struct stream stream;
	struct model model;
	struct rng rng;
};

static void world_make(struct world *w, uint64_t base, uint64_t window, uint64_t seed)
{
	struct parley_allocator allocator = slabs_allocator(&w->slabs);
	uint64_t size = window + 2 * PAGE;

	memory_init(&w->memory, &allocator, UINT64_C(64) << 20);
	stream_init(&w->stream);
	w->model = (struct model){
		.base = base,
		.origin = base & ~(uint64_t)(PAGE - 1),
		.window = window,
		.bytes = calloc(size, 1),
		.valid = calloc(size, 1),
		.pages = calloc(size / PAGE, 1),
	};
	assert_true(w->model.bytes && w->model.valid && w->model.pages);
	w->rng = rng(seed, base ^ window);
}

static void world_free(struct world *w)
{
	stream_free(&w->stream, &w->memory);
	assert_true(stream_is_empty(&w->stream));
	assert_true(stream_check(&w->stream));
	assert_true(memory_is_empty(&w->memory));
	assert_true(memory_check(&w->memory));
	memory_close(&w->memory);
	assert_int_equal(w->slabs.out, 0);
	free(w->model.bytes);
	free(w->model.valid);
	free(w->model.pages);
}

static uint64_t pages_in(const struct model *m)
{
	return (m->window + 2 * PAGE) / PAGE;
}

static uint64_t naive_pages(const struct model *m)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < pages_in(m); i++)
		n += m->pages[i];
	return n;
}

/* What a write makes be there: byte by byte, each in the small block's range or in a page. */
static void naive_provide(struct model *m, uint64_t offset, uint64_t len)
{
	if (!m->has_small && !naive_pages(m) && offset / SMALL == (offset + len - 1) / SMALL) {
		m->has_small = true;
		m->small_at = offset / SMALL * SMALL;
	}
	for (uint64_t o = offset; o < offset + len; o++) {
		if (!m->has_small || o / SMALL != m->small_at / SMALL)
			m->pages[(o - m->origin) / PAGE] = true;
	}
}

static void naive_write(struct model *m, uint64_t offset, const uint8_t *data, uint64_t len)
{
	naive_provide(m, offset, len);
	memcpy(m->bytes + (offset - m->origin), data, len);
	memset(m->valid + (offset - m->origin), true, len);
}

static void naive_drop_from(struct model *m, uint64_t offset)
{
	uint64_t from = offset - m->origin, size = m->window + 2 * PAGE;

	memset(m->valid + from, false, size - from);
	for (uint64_t i = (from + PAGE - 1) / PAGE; i < pages_in(m); i++)
		m->pages[i] = false;
	if (m->has_small && m->small_at >= offset)
		m->has_small = false;
}

static void naive_drop_below(struct model *m, uint64_t offset)
{
	uint64_t size = m->window + 2 * PAGE, shift = (offset / PAGE) * PAGE - m->origin;

	m->base = offset;
	m->origin += shift;
	memmove(m->bytes, m->bytes + shift, size - shift);
	memmove(m->valid, m->valid + shift, size - shift);
	memset(m->valid + size - shift, false, shift);
	memset(m->valid, false, offset - m->origin);
	memmove(m->pages, m->pages + shift / PAGE, pages_in(m) - shift / PAGE);
	memset(m->pages + pages_in(m) - shift / PAGE, false, shift / PAGE);
	if (m->has_small && m->small_at + SMALL <= offset)
		m->has_small = false;
}

static void naive_clear(struct model *m)
{
	naive_drop_from(m, m->origin);
	m->has_small = false;
}

/* The blocks are those of the model, and the directory costs what it should at most. */
static void compare_blocks(const struct world *w)
{
	const struct model *m = &w->model;
	uint64_t held = naive_pages(m) * PAGE + (m->has_small ? SMALL : 0);
	/* 8 bytes for each page of the window in a power of two, and leaves of 4 KiB. */
	uint64_t directory = m->window / PAGE > 500 ? m->window / PAGE * 16 + 3 * 4096 + 256 : 8192;

	assert_int_equal(stream_held(&w->stream), held);
	assert_int_equal(stream_is_empty(&w->stream), held == 0);
	assert_true(w->memory.charged >= held);
	assert_true(w->memory.charged - held <= directory);
	if (naive_pages(m) <= 1 && w->stream.pages.order == 0)
		assert_int_equal(w->memory.charged, held);
	if (held == 0)
		assert_int_equal(w->memory.charged, 0);
	assert_true(stream_check(&w->stream));
}

/* Valid bytes of [offset, offset + len) read back, whole and through spans. */
static void compare_bytes(const struct world *w, uint64_t offset, uint64_t len)
{
	const struct model *m = &w->model;
	const uint8_t *expected = m->bytes + (offset - m->origin);
	static uint8_t copy[MAX_WRITE];
	struct parley_span spans[SPANS];
	struct stream_span blocks[SPANS];
	uint64_t done = 0;
	uint32_t n;

	stream_read(&w->stream, offset, copy, len);
	assert_memory_equal(copy, expected, len);
	n = stream_spans(&w->stream, offset, len, spans, SPANS);
	assert_int_equal(stream_block_spans(&w->stream, offset, len, blocks, SPANS), n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t size = i < n && blocks[i].block == w->stream.small ? SMALL : PAGE;

		assert_true(spans[i].len > 0);
		assert_memory_equal(spans[i].data, expected + done, spans[i].len);
		assert_ptr_equal(blocks[i].data, spans[i].data);
		assert_int_equal(blocks[i].len, spans[i].len);
		assert_int_equal((uintptr_t)blocks[i].block % size, 0);
		assert_true(blocks[i].data >= (uint8_t *)blocks[i].block);
		assert_true(blocks[i].data + blocks[i].len <= (uint8_t *)blocks[i].block + size);
		done += spans[i].len;
	}
	assert_int_equal(done, len);
	/* One span a page, and two more where the small block stands. */
	assert_true(n <= len / PAGE + 2 + 2);
}

/* Some stretch of valid bytes, if there is one where we look. */
static uint64_t valid_stretch(struct world *w, uint64_t *offset)
{
	const struct model *m = &w->model;
	uint64_t at = m->base - m->origin + rng_below(&w->rng, m->window), len = 0;

	*offset = m->origin + at;
	while (len < MAX_WRITE && at + len < m->base - m->origin + m->window && m->valid[at + len])
		len++;
	return len;
}

static void look(struct world *w)
{
	uint64_t offset, len = valid_stretch(w, &offset);

	if (len) {
		assert_true(stream_has(&w->stream, offset));
		compare_bytes(w, offset, len);
	}
}

static uint64_t random_len(struct rng *r, uint64_t most)
{
	uint64_t len = 1 + rng_below(r, UINT64_C(1) << (2 + rng_below(r, 16)));

	len = rng_chance(r, 300000) ? 1460 : len;
	len = len > MAX_WRITE ? MAX_WRITE : len;
	return len > most ? most : len;
}

/* Writes at once, or into what was reserved. False if there was no memory. */
static bool write_bytes(struct world *w, uint64_t offset, const uint8_t *data, uint64_t len,
			bool reserve)
{
	struct parley_buffer buffers[SPANS];
	uint64_t done = 0;
	uint32_t n;

	if (!reserve) {
		return stream_write(&w->stream, &w->memory, offset, data, len);
	}
	n = stream_reserve(&w->stream, &w->memory, offset, len, buffers, SPANS);
	for (uint32_t i = 0; i < n; i++) {
		memcpy(buffers[i].data, data + done, buffers[i].len);
		done += buffers[i].len;
	}
	assert_int_equal(done, n ? len : 0);
	return n;
}

/* Where TCP would write: mostly behind what is there, sometimes anywhere in the window. */
static uint64_t random_offset(struct world *w)
{
	const struct model *m = &w->model;
	uint64_t at = m->base - m->origin;
	uint64_t edge = (m->base | (LEAF - 1)) + 1 +
			LEAF * rng_below(&w->rng, m->window / LEAF + 1);

	/* Leaves of the directory begin at multiples of 2 MiB. */
	if (edge < m->base + m->window && rng_chance(&w->rng, 150000))
		return edge;
	if (rng_chance(&w->rng, 300000))
		return m->base + rng_below(&w->rng, m->window);
	while (at + 1 < m->base - m->origin + m->window && m->valid[at])
		at++;
	return m->origin + at;
}

/* One write; with some chance an allocation in it fails, and then nothing has changed. */
static void write_some(struct world *w, uint32_t fail_ppm)
{
	struct model *m = &w->model;
	static uint8_t data[MAX_WRITE];
	uint64_t offset = random_offset(w);
	uint64_t len = random_len(&w->rng, m->base + m->window - offset);
	struct stream before = w->stream;
	uint64_t charged = w->memory.charged, failures = w->memory.failures;
	bool reserve = rng_chance(&w->rng, 300000);
	uint8_t first = (uint8_t)rng_next(&w->rng);

	for (uint64_t i = 0; i < len; i++)
		data[i] = (uint8_t)(first + i * 7 + i / 256);
	if (rng_chance(&w->rng, fail_ppm))
		memory_fail_at(&w->memory, 1 + rng_below(&w->rng, 4 + len / PAGE));
	if (write_bytes(w, offset, data, len, reserve)) {
		assert_int_equal(w->memory.failures, failures);
		naive_write(m, offset, data, len);
		compare_bytes(w, offset, len);
	} else {
		assert_int_equal(w->memory.failures, failures + 1);
		assert_int_equal(w->memory.charged, charged);
		assert_memory_equal(&w->stream, &before, sizeof(before));
	}
	memory_fail_at(&w->memory, 0);
}

/* A frame under way keeps its bytes through a drop, and its block goes with it. */
static void drop_under_frame(struct world *w)
{
	uint64_t offset, len = valid_stretch(w, &offset), held;
	static uint8_t copy[MAX_WRITE];
	struct stream_span spans[SPANS];
	uint32_t n, at = 0;

	if (!len)
		return;
	n = stream_block_spans(&w->stream, offset, len, spans, SPANS);
	stream_read(&w->stream, offset, copy, len);
	for (uint32_t i = 0; i < n; i++)
		block_ref(spans[i].block);
	stream_free(&w->stream, &w->memory);
	naive_clear(&w->model);
	assert_true(w->memory.charged > 0);
	write_some(w, 0);
	for (uint32_t i = 0; i < n; at += spans[i++].len)
		assert_memory_equal(spans[i].data, copy + at, spans[i].len);
	held = w->memory.charged;
	for (uint32_t i = 0; i < n; i++)
		block_unref(spans[i].data);
	assert_true(w->memory.charged < held);
}

static void drop_some(struct world *w)
{
	struct model *m = &w->model;
	uint64_t offset = m->base + rng_below(&w->rng, m->window / 2);

	switch (rng_below(&w->rng, 8)) {
	case 0:
		offset = m->base + rng_below(&w->rng, m->window);
		stream_drop_from(&w->stream, &w->memory, offset);
		naive_drop_from(m, offset);
		break;
	case 1:
		drop_under_frame(w);
		break;
	case 2:
		stream_free(&w->stream, &w->memory);
		naive_clear(m);
		break;
	case 3:
		if (stream_is_empty(&w->stream))
			break;
		offset = stream_last_block(&w->stream);
		stream_drop_from(&w->stream, &w->memory, offset);
		if (offset < m->base)
			naive_clear(m);
		else
			naive_drop_from(m, offset);
		break;
	default:
		if (rng_chance(&w->rng, 600000))
			offset = m->base + rng_below(&w->rng, 3000);
		if (rng_chance(&w->rng, 200000))
			offset = (offset | (SMALL - 1)) + 1;
		stream_drop_below(&w->stream, &w->memory, offset);
		naive_drop_below(m, offset);
	}
}

static void random_program(uint64_t base, uint64_t window, uint64_t seed, uint32_t rounds)
{
	struct world w;

	world_make(&w, base, window, seed);
	for (uint32_t round = 0; round < rounds; round++) {
		if (rng_chance(&w.rng, 600000))
			write_some(&w, 200000);
		else
			drop_some(&w);
		look(&w);
		compare_blocks(&w);
	}
	assert_true(memory_check(&w.memory));
	world_free(&w);
}

static const uint64_t bases[] = {
	0,
	(UINT64_C(1) << 31) - 3000,
	(UINT64_C(1) << 32) - 100,
	(UINT64_C(1) << 44) - 70000,
	(UINT64_C(1) << 63) - 5000,
};

static void test_against_model(void **state)
{
	const uint64_t windows[] = {300, 1000, 5000, 65536, 700000};

	(void)state;
	for (uint32_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
		for (uint32_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
			random_program(bases[b], windows[i], i, windows[i] > 100000 ? 300 : 1500);
	}
}

/* Two levels of directory, and the ways from one form to the next. */
static void test_wide(void **state)
{
	(void)state;
	random_program(bases[2], 6000000, 1, 500);
	random_program(bases[3], 20000000, 2, 200);
}

/* Spans once given stay where they are until their bytes are dropped, whatever is written. */
static void test_spans_stay(void **state)
{
	struct world w;
	struct parley_span first[SPANS], now[SPANS];
	uint8_t data[5000];
	uint32_t n;

	(void)state;
	world_make(&w, 4000, 30000000, 3);
	memset(data, 1, sizeof(data));
	assert_true(stream_write(&w.stream, &w.memory, 4000, data, 90));
	assert_int_equal(w.memory.charged, SMALL);
	n = stream_spans(&w.stream, 4000, 90, first, SPANS);
	assert_int_equal(n, 1);
	for (uint64_t at = 4090; at < 25000000; at = at * 5 / 4) {
		assert_true(stream_write(&w.stream, &w.memory, at, data, 5000));
		assert_int_equal(stream_spans(&w.stream, 4000, 90, now, SPANS), 1);
		assert_memory_equal(now, first, sizeof(first[0]));
	}
	assert_int_equal(w.stream.pages.order, 9 + 4);
	n = stream_spans(&w.stream, 4090, 1000, first, SPANS);
	stream_drop_below(&w.stream, &w.memory, 4090);
	assert_int_equal(stream_spans(&w.stream, 4090, 1000, now, SPANS), n);
	assert_memory_equal(now, first, n * sizeof(first[0]));
	world_free(&w);
}

/* A frame of 64 KiB that begins in a small block needs 18 spans, which is what frames have. */
static void test_eighteen_spans(void **state)
{
	struct world w;
	struct parley_span spans[SPANS];
	static uint8_t data[65536];
	uint32_t most = 0;

	(void)state;
	for (uint64_t base = 0; base < 2 * PAGE; base++) {
		uint32_t n;

		world_make(&w, base, 200000, 4);
		assert_true(stream_write(&w.stream, &w.memory, base, data, 1));
		assert_true(stream_write(&w.stream, &w.memory, base + 1, data, sizeof(data) - 1));
		n = stream_spans(&w.stream, base, sizeof(data), spans, SPANS);
		most = most < n ? n : most;
		world_free(&w);
	}
	assert_int_equal(most, 18);
}

/* No more than `max` spans are given, and they are the first ones. */
static void test_few_spans(void **state)
{
	struct world w;
	struct parley_buffer buffers[2];
	struct parley_span spans[2];
	struct stream_span blocks[2];

	(void)state;
	world_make(&w, 100, 200000, 5);
	assert_int_equal(stream_reserve(&w.stream, &w.memory, 100, 20000, buffers, 2), 2);
	assert_int_equal(buffers[0].len, PAGE - 100);
	assert_int_equal(buffers[1].len, PAGE);
	assert_int_equal(stream_held(&w.stream), 5 * PAGE);
	assert_int_equal(stream_spans(&w.stream, 100, 20000, spans, 2), 2);
	assert_ptr_equal(spans[1].data, buffers[1].data);
	assert_int_equal(stream_block_spans(&w.stream, 100, 20000, blocks, 1), 1);
	assert_ptr_equal(blocks[0].data, buffers[0].data);
	world_free(&w);
}

/* The n-th allocation of one write fails, for each n, in each form of the directory. */
static void fail_each(uint64_t before_len, uint64_t gap, uint64_t len)
{
	static uint8_t data[3000000];
	uint64_t at = 5000 + before_len + gap;
	bool done = false;

	for (uint64_t n = 1; !done; n++) {
		struct stream before;
		uint64_t charged;
		struct world w;

		world_make(&w, 5000, 30000, n);
		if (before_len)
			assert_true(stream_write(&w.stream, &w.memory, 5000, data, before_len));
		before = w.stream;
		charged = w.memory.charged;
		memory_fail_at(&w.memory, n);
		done = stream_write(&w.stream, &w.memory, at, data, len);
		assert_int_equal(w.memory.failures, !done);
		memory_fail_at(&w.memory, 0);
		if (!done) {
			assert_memory_equal(&before, &w.stream, sizeof(before));
			assert_int_equal(w.memory.charged, charged);
			assert_true(stream_write(&w.stream, &w.memory, at, data, len));
		}
		assert_true(stream_check(&w.stream));
		world_free(&w);
	}
}

static void test_failures(void **state)
{
	(void)state;
	fail_each(0, 0, 1);
	fail_each(0, 0, 3000);
	fail_each(10, 0, 5000);
	fail_each(5000, 100000, 20000);
	fail_each(50000, 2500000, 20000);
	fail_each(50000, 30000000, 5000);
	fail_each(2800000, 30000000, 5000);
	fail_each(0, 0, 2200000);
}

/* The widest window: 4 GiB with a block at each end. */
static void test_widest(void **state)
{
	const uint64_t far = (UINT64_C(1) << 32) - PAGE;
	struct world w;
	uint64_t charged;
	uint8_t byte = 7, back = 0;

	(void)state;
	world_make(&w, 0, 30000, 6);
	assert_true(stream_write(&w.stream, &w.memory, 1, &byte, 1));
	assert_true(stream_write(&w.stream, &w.memory, 300, &byte, 1));
	charged = w.memory.charged;
	assert_false(stream_write(&w.stream, &w.memory, far + PAGE, &byte, 1));
	assert_int_equal(w.memory.charged, charged);
	assert_true(stream_write(&w.stream, &w.memory, far, &byte, 1));
	assert_true(stream_check(&w.stream));
	assert_int_equal(stream_held(&w.stream), 2 * PAGE + SMALL);
	assert_int_equal(stream_last_block(&w.stream), far);
	assert_false(stream_has(&w.stream, far - 1));
	stream_read(&w.stream, far, &back, 1);
	assert_int_equal(back, 7);
	stream_drop_below(&w.stream, &w.memory, far);
	assert_int_equal(w.stream.pages.span, 1);
	stream_drop_from(&w.stream, &w.memory, far);
	assert_int_equal(w.memory.charged, 0);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model), cmocka_unit_test(test_wide),
		cmocka_unit_test(test_spans_stay),    cmocka_unit_test(test_eighteen_spans),
		cmocka_unit_test(test_few_spans),     cmocka_unit_test(test_failures),
		cmocka_unit_test(test_widest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
