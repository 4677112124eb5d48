/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "wire/ip.h"
#include "wire/tcp.h"

/* A SYN as Linux sends it: port 40000 to 80, seq 0xfffffffe, window 64240. */
static const uint8_t linux_syn[40] = {
	0x9c, 0x40, 0x00, 0x50, 0xff, 0xff, 0xff, 0xfe, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02,
	0xfa, 0xf0, 0x00, 0x00, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a,
	0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07,
};

/* MUST-4, MUST-64 */
static void test_linux_syn(void **state)
{
	struct segment segment;
	uint8_t out[TCP_HEADER_MAX];

	(void)state;
	assert_int_equal(tcp_parse(&segment, linux_syn, sizeof linux_syn), WIRE_OK);
	assert_int_equal(segment.src_port, 40000);
	assert_int_equal(segment.dst_port, 80);
	assert_int_equal(segment.seq.v, 0xfffffffe);
	assert_int_equal(segment.ack.v, 0);
	assert_int_equal(segment.flags, TCP_SYN);
	assert_int_equal(segment.wnd, 64240);
	assert_int_equal(segment.up, 0);
	assert_int_equal(segment.header_len, 40);
	assert_int_equal(segment.text_len, 0);
	assert_int_equal(segment.len, 1);
	assert_int_equal(segment.options.present, TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED |
							  TCP_HAS_TIMESTAMPS | TCP_HAS_WSCALE);
	assert_int_equal(segment.options.mss, 1460);
	assert_int_equal(segment.options.wscale, 7);
	assert_int_equal(segment.options.ts_val, 0x01020304);
	assert_int_equal(segment.options.ts_ecr, 0);
	assert_false(segment.options.malformed || segment.options.wscale_too_large);
	assert_int_equal(segment.options.unknown + segment.options.ignored, 0);
	assert_int_equal(tcp_options_len(&segment.options), 20);
	memset(out, 0xee, sizeof out);
	assert_int_equal(tcp_emit(out, &segment), 40);
	assert_memory_equal(out, linux_syn, 40);
	assert_int_equal(out[40], 0xee);
}

static void test_fields_and_text(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0xff, 0xff, 0x80, 0x00, 0x00, 0x01,
					0x7f, 0xff, 0xff, 0xff, 0x50, 0x39, 0x12, 0x34,
					0xab, 0xcd, 0x00, 0x02, 'a',  'b',  'c'};
	struct segment segment;

	(void)state;
	assert_int_equal(tcp_parse(&segment, bytes, sizeof bytes), WIRE_OK);
	assert_int_equal(segment.src_port, 1);
	assert_int_equal(segment.dst_port, 65535);
	assert_int_equal(segment.seq.v, 0x80000001);
	assert_int_equal(segment.ack.v, 0x7fffffff);
	assert_int_equal(segment.flags, TCP_FIN | TCP_PSH | TCP_ACK | TCP_URG);
	assert_int_equal(segment.wnd, 0x1234);
	assert_int_equal(segment.up, 2);
	assert_int_equal(segment.header_len, 20);
	assert_ptr_equal(segment.text, bytes + 20);
	assert_int_equal(segment.text_len, 3);
	assert_int_equal(segment.len, 4);
	assert_int_equal(segment.options.present, 0);
}

/* UNL-1: every combination of the nine flags; the three reserved bits are not flags. */
static void test_flags_and_len(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 4096; bits++) {
		uint8_t bytes[25] = {[12] = (uint8_t)(0x50 | bits >> 8), [13] = (uint8_t)bits};
		struct segment segment;

		assert_int_equal(tcp_parse(&segment, bytes, sizeof bytes), WIRE_OK);
		assert_int_equal(segment.flags, bits & 0x1ff);
		assert_int_equal(segment.len, 5 + (bits & 1) + (bits >> 1 & 1));
	}
}

static void test_every_length_and_offset(void **state)
{
	(void)state;
	for (unsigned offset = 0; offset < 16; offset++) {
		for (size_t len = 0; len <= 64; len++) {
			uint8_t noise[64] = {[12] = (uint8_t)(offset << 4)};
			uint8_t *bytes = exact_copy(noise, len);
			enum wire_error expected = len < 20 ? WIRE_TRUNCATED
						   : offset < 5 || offset * 4 > len
							   ? WIRE_BAD_HEADER_LENGTH
							   : WIRE_OK;
			struct segment segment;

			assert_int_equal(tcp_parse(&segment, bytes, len), expected);
			if (expected == WIRE_OK)
				assert_int_equal(segment.text_len, len - offset * 4);
			free(bytes);
		}
	}
}

/* A segment cut off at each length never reads behind its end, options or not. */
static void test_every_truncation_of_a_syn(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof linux_syn; len++) {
		uint8_t *bytes = exact_copy(linux_syn, len);
		struct segment segment;

		assert_int_equal(tcp_parse(&segment, bytes, len),
				 len < 20 ? WIRE_TRUNCATED : WIRE_BAD_HEADER_LENGTH);
		if (len >= 20) {
			/* The same with a data offset that fits: options cut off in the middle. */
			bytes[12] = (uint8_t)(len / 4 << 4);
			assert_int_equal(tcp_parse(&segment, bytes, len), WIRE_OK);
			assert_int_equal(segment.header_len, len / 4 * 4);
			assert_int_equal(segment.options.malformed, len / 4 == 7 || len / 4 == 8);
		}
		free(bytes);
	}
}

/* Parses a segment with these option bytes, padded to a multiple of 4 with `pad`. */
static struct tcp_options parse_padded(uint16_t flags, const uint8_t *options, size_t len,
				       uint8_t pad)
{
	uint8_t bytes[TCP_HEADER_MAX] = {0};
	size_t header_len = 20 + (len + 3) / 4 * 4;
	struct segment segment;
	uint8_t *copy;

	assert_true(header_len <= sizeof bytes);
	memset(bytes + 20, pad, 40);
	memcpy(bytes + 20, options, len);
	put_be16(bytes + 12, (uint16_t)(header_len / 4 << 12 | flags));
	copy = exact_copy(bytes, header_len);
	assert_int_equal(tcp_parse(&segment, copy, header_len), WIRE_OK);
	assert_int_equal(segment.header_len, header_len);
	assert_int_equal(segment.text_len, 0);
	free(copy);
	return segment.options;
}

static struct tcp_options parse_options(uint16_t flags, const uint8_t *options, size_t len)
{
	return parse_padded(flags, options, len, TCP_OPTION_END);
}

#define PARSE(flags, ...) \
	parse_options(flags, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void assert_counts(const struct tcp_options *o, unsigned present, bool malformed,
			  unsigned unknown, unsigned ignored)
{
	assert_int_equal(o->present, present);
	assert_int_equal(o->malformed, malformed);
	assert_int_equal(o->unknown, unknown);
	assert_int_equal(o->ignored, ignored);
}

/* The right length of a kind, 0 where every length from 2 on will do. */
static unsigned length_of(unsigned kind)
{
	switch (kind) {
	case 2:
		return 4;
	case 3:
		return 3;
	case 4:
		return 2;
	case 8:
		return 10;
	default:
		return 0;
	}
}

/*
 * MUST-5, MUST-6, MUST-68: every kind with every length, on a SYN and off it: ends, inside its
 * bytes, correctly judged.
 */
static void test_every_kind_and_length(void **state)
{
	(void)state;
	for (unsigned kind = 2; kind < 256; kind++) {
		for (unsigned len = 0; len < 256; len++) {
			uint8_t bytes[40] = {(uint8_t)kind, (uint8_t)len, 9, 9};
			bool walkable = len >= 2 && len <= 40;
			bool known = length_of(kind) != 0 || kind == 5;
			bool right = kind == 5 ? len >= 10 && len % 8 == 2 : len == length_of(kind);
			struct tcp_options o;

			for (unsigned i = len; walkable && i < 40; i++)
				bytes[i] = TCP_OPTION_NOP;
			o = parse_options(TCP_SYN, bytes, 40);
			assert_int_equal(o.malformed, !walkable || (known && !right));
			assert_int_equal(o.unknown, walkable && !known);
			assert_int_equal(o.present != 0, walkable && known && right);
			o = parse_options(TCP_ACK, bytes, 40);
			assert_int_equal(o.malformed, !walkable || (known && !right));
			assert_int_equal(o.present != 0,
					 walkable && right && (kind == 5 || kind == 8));
		}
	}
}

/* MUST-7 */
static void test_length_0_and_1_stop_the_walk(void **state)
{
	struct tcp_options o;

	(void)state;
	/* What stands before counts, what stands behind does not. */
	o = PARSE(TCP_SYN, 2, 4, 1, 0, 99, 0, 3, 3, 5);
	assert_counts(&o, TCP_HAS_MSS, true, 0, 0);
	assert_int_equal(o.mss, 256);
	o = PARSE(TCP_SYN, 2, 4, 1, 0, 99, 1, 3, 3, 5);
	assert_counts(&o, TCP_HAS_MSS, true, 0, 0);
	o = PARSE(TCP_SYN, 2, 4, 1, 0, 99, 2, 3, 3, 5);
	assert_counts(&o, TCP_HAS_MSS | TCP_HAS_WSCALE, false, 1, 0);
	o = PARSE(TCP_SYN, 0, 2, 4, 1, 0);
	assert_counts(&o, 0, false, 0, 0);
	o = PARSE(TCP_SYN, 1, 1, 1, 1, 1, 1, 1, 2); /* a kind without a length byte */
	assert_counts(&o, 0, true, 0, 0);
	o = PARSE(TCP_SYN, 1, 1, 1, 1, 1, 1, 1, 0);
	assert_counts(&o, 0, false, 0, 0);
}

/* MUST-7 */
static void test_option_past_the_end(void **state)
{
	struct tcp_options o;

	(void)state;
	o = PARSE(TCP_SYN, 1, 2, 4, 5); /* one byte short */
	assert_counts(&o, 0, true, 0, 0);
	o = PARSE(TCP_SYN, 3, 3, 7, 8, 10, 0, 0, 0);
	assert_counts(&o, TCP_HAS_WSCALE, true, 0, 0);
	o = PARSE(TCP_SYN, 254, 255, 0, 0);
	assert_counts(&o, 0, true, 0, 0);
}

static void test_wrong_length_of_a_known_kind_is_skipped(void **state)
{
	struct tcp_options o;

	(void)state;
	o = PARSE(TCP_SYN, 2, 3, 5, 3, 3, 7); /* MSS of one byte, then a good window scale */
	assert_counts(&o, TCP_HAS_WSCALE, true, 0, 0);
	o = PARSE(TCP_SYN, 19, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2);
	assert_counts(&o, TCP_HAS_SACK_PERMITTED, false, 1, 0); /* MD5: unknown here */
	o = PARSE(TCP_SYN, 19, 3, 0, 29, 2, 4, 2);		/* MD5 and AO of absurd lengths */
	assert_counts(&o, TCP_HAS_SACK_PERMITTED, false, 2, 0);
}

/* MUST-4, MUST-14 */
static void test_mss(void **state)
{
	static const uint16_t values[] = {1, 8, 48, 536, 1460, 32768, 65535};
	struct tcp_options o;

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		o = PARSE(TCP_SYN, 2, 4, (uint8_t)(values[i] >> 8), (uint8_t)values[i]);
		assert_counts(&o, TCP_HAS_MSS, false, 0, 0);
		assert_int_equal(o.mss, values[i]);
	}
	o = PARSE(TCP_SYN, 2, 4, 0, 0);
	assert_counts(&o, 0, false, 0, 1);
	o = PARSE(TCP_SYN, 2, 4, 0, 0, 2, 4, 5, 0xb4); /* 0 is as if it were not there */
	assert_counts(&o, TCP_HAS_MSS, false, 0, 1);
	assert_int_equal(o.mss, 1460);
}

static void test_window_scale_is_clamped(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 256; shift++) {
		struct tcp_options o = PARSE(TCP_SYN, 3, 3, (uint8_t)shift);

		assert_counts(&o, TCP_HAS_WSCALE, false, 0, 0);
		assert_int_equal(o.wscale, shift > 14 ? 14 : shift);
		assert_int_equal(o.wscale_too_large, shift > 14);
	}
}

static void test_first_of_several_counts(void **state)
{
	struct tcp_options o;

	(void)state;
	o = PARSE(TCP_SYN, 2, 4, 5, 0xb4, 2, 4, 0, 1, 3, 3, 2, 3, 3, 200, 4, 2, 4, 2);
	assert_counts(&o, TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_SACK_PERMITTED, false, 0, 3);
	assert_int_equal(o.mss, 1460);
	assert_int_equal(o.wscale, 2);
	assert_false(o.wscale_too_large);
	o = PARSE(TCP_ACK, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4);
	assert_counts(&o, TCP_HAS_TIMESTAMPS, false, 0, 1);
	assert_int_equal(o.ts_val, 1);
	assert_int_equal(o.ts_ecr, 2);
	o = PARSE(TCP_ACK, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 5, 10, 0, 0, 0, 3, 0, 0, 0, 4);
	assert_counts(&o, TCP_HAS_SACK, false, 0, 1);
	assert_int_equal(o.sack_count, 1);
	assert_int_equal(o.sack[0].left.v, 1);
}

/* MUST-65 */
static void test_syn_options_off_a_syn(void **state)
{
	struct tcp_options o;

	(void)state;
	o = PARSE(TCP_ACK, 2, 4, 5, 0xb4, 3, 3, 7, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);
	assert_counts(&o, TCP_HAS_TIMESTAMPS, false, 0, 3);
	o = PARSE(TCP_SYN | TCP_ACK, 2, 4, 5, 0xb4, 3, 3, 7, 4, 2);
	assert_counts(&o, TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_SACK_PERMITTED, false, 0, 0);
	o = PARSE(TCP_RST, 2, 4, 5, 0xb4);
	assert_counts(&o, 0, false, 0, 1);
}

static void test_sack(void **state)
{
	uint8_t four[34] = {5, 34};
	struct tcp_options o;

	(void)state;
	for (uint8_t i = 0; i < 8; i++)
		put_be32(four + 2 + 4 * i, 0xfffffffc + i);
	o = parse_options(TCP_ACK, four, sizeof four);
	assert_counts(&o, TCP_HAS_SACK, false, 0, 0);
	assert_int_equal(o.sack_count, 4);
	for (uint8_t i = 0; i < 4; i++) {
		assert_int_equal(o.sack[i].left.v, 0xfffffffc + 2 * i);
		assert_int_equal(o.sack[i].right.v, 0xfffffffd + 2 * i);
	}
	/* An inverted and an empty block are the transport's to judge. */
	o = PARSE(TCP_ACK, 5, 18, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 5);
	assert_int_equal(o.sack_count, 2);
	assert_int_equal(o.sack[0].left.v, 9);
	assert_int_equal(o.sack[0].right.v, 1);
	o = PARSE(TCP_ACK, 5, 2);
	assert_counts(&o, 0, true, 0, 0);
	o = PARSE(TCP_ACK, 5, 6, 0, 0, 0, 9, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);
	assert_counts(&o, TCP_HAS_TIMESTAMPS, true, 0, 0);
	four[1] = 42; /* five blocks, which no header has room for */
	o = parse_padded(TCP_ACK, four, sizeof four, TCP_OPTION_NOP);
	assert_counts(&o, 0, true, 0, 0);
}

/* The short way for a lone timestamps option takes exactly what the long way takes. */
static void test_timestamps_both_ways(void **state)
{
	struct tcp_options o;

	(void)state;
	o = PARSE(TCP_ACK, 1, 1, 8, 10, 0xff, 2, 3, 4, 5, 6, 7, 0xff);
	assert_counts(&o, TCP_HAS_TIMESTAMPS, false, 0, 0);
	assert_int_equal(o.ts_val, 0xff020304);
	assert_int_equal(o.ts_ecr, 0x050607ff);
	o = PARSE(TCP_ACK, 8, 10, 0xff, 2, 3, 4, 5, 6, 7, 0xff, 1, 1);
	assert_counts(&o, TCP_HAS_TIMESTAMPS, false, 0, 0);
	assert_int_equal(o.ts_val, 0xff020304);
	assert_int_equal(o.ts_ecr, 0x050607ff);
	o = PARSE(TCP_ACK, 1, 1, 8, 11, 0xff, 2, 3, 4, 5, 6, 7, 0xff);
	assert_counts(&o, 0, true, 0, 0);
	o = PARSE(TCP_ACK, 1, 1, 8, 9, 0xff, 2, 3, 4, 5, 6, 7, 0); /* one short, then the end */
	assert_counts(&o, 0, true, 0, 0);
}

static struct tcp_options random_options(struct rng *r)
{
	struct tcp_options o = {
		.present = (uint8_t)rng_below(r, 32),
		.wscale = (uint8_t)rng_below(r, 15),
		.mss = (uint16_t)(1 + rng_below(r, 65535)),
		.sack_count = (uint8_t)(1 + rng_below(r, 4)),
		.ts_val = (uint32_t)rng_next(r),
		.ts_ecr = (uint32_t)rng_next(r),
	};

	for (unsigned i = 0; i < TCP_SACK_BLOCKS_MAX; i++) {
		o.sack[i].left.v = (uint32_t)rng_next(r);
		o.sack[i].right.v = (uint32_t)rng_next(r);
	}
	return o;
}

static void assert_same_options(const struct tcp_options *in, const struct tcp_options *out)
{
	assert_counts(out, in->present, false, 0, 0);
	if (in->present & TCP_HAS_MSS)
		assert_int_equal(out->mss, in->mss);
	if (in->present & TCP_HAS_WSCALE)
		assert_int_equal(out->wscale, in->wscale);
	if (in->present & TCP_HAS_TIMESTAMPS) {
		assert_int_equal(out->ts_val, in->ts_val);
		assert_int_equal(out->ts_ecr, in->ts_ecr);
	}
	if (!(in->present & TCP_HAS_SACK))
		return;
	for (unsigned i = 0; i < out->sack_count; i++) {
		assert_int_equal(out->sack[i].left.v, in->sack[i].left.v);
		assert_int_equal(out->sack[i].right.v, in->sack[i].right.v);
	}
}

/* What is emitted is read back, whatever options stand together. */
static void test_round_trip(void **state)
{
	struct rng r = rng(8, 0);

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint8_t bytes[TCP_HEADER_MAX + 9];
		struct segment in = {
			.src_port = (uint16_t)rng_next(&r),
			.dst_port = (uint16_t)rng_next(&r),
			.seq = {(uint32_t)rng_next(&r)},
			.ack = {(uint32_t)rng_next(&r)},
			.flags = (uint16_t)(rng_next(&r) & 0x1ff),
			.wnd = (uint16_t)rng_next(&r),
			.up = (uint16_t)rng_next(&r),
			.options = random_options(&r),
		};
		struct segment out;
		size_t text_len = (size_t)rng_below(&r, 10), len;

		if (!(in.flags & TCP_SYN))
			in.options.present &= TCP_HAS_TIMESTAMPS | TCP_HAS_SACK;
		memset(bytes, 0xee, sizeof bytes);
		len = tcp_emit(bytes, &in);
		assert_int_equal(len, 20 + tcp_options_len(&in.options));
		assert_true(len <= TCP_HEADER_MAX && len % 4 == 0);
		assert_int_equal(bytes[len], 0xee);
		assert_int_equal(tcp_parse(&out, bytes, len + text_len), WIRE_OK);
		assert_int_equal(out.src_port, in.src_port);
		assert_int_equal(out.dst_port, in.dst_port);
		assert_int_equal(out.seq.v, in.seq.v);
		assert_int_equal(out.ack.v, in.ack.v);
		assert_int_equal(out.flags, in.flags);
		assert_int_equal(out.wnd, in.wnd);
		assert_int_equal(out.up, in.up);
		assert_int_equal(out.header_len, len);
		assert_ptr_equal(out.text, bytes + len);
		assert_int_equal(out.text_len, text_len);
		assert_same_options(&in.options, &out.options);
	}
}

static void test_how_many_sack_blocks_fit(void **state)
{
	static const struct {
		uint8_t present;
		size_t blocks;
	} cases[] = {
		{0, 4},
		{TCP_HAS_TIMESTAMPS, 3},
		{TCP_HAS_MSS | TCP_HAS_TIMESTAMPS | TCP_HAS_WSCALE, 2},
		{TCP_HAS_MSS | TCP_HAS_WSCALE, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct tcp_options o = {.present = cases[i].present};
		size_t without = tcp_options_len(&o);

		o.present |= TCP_HAS_SACK;
		for (uint8_t count = 1; count <= 4; count++) {
			size_t blocks = count < cases[i].blocks ? count : cases[i].blocks;

			o.sack_count = count;
			assert_int_equal(tcp_options_len(&o), without + 4 + 8 * blocks);
		}
		o.sack_count = 0;
		assert_int_equal(tcp_options_len(&o), without);
	}
}

/*
 * MUST-68, MUST-69: Linux's order for each set of options that a SYN or another segment may carry.
 */
static void test_golden_orders(void **state)
{
	static const struct {
		uint8_t present, len;
		uint8_t bytes[24];
	} cases[] = {
		{0, 0, {0}},
		{TCP_HAS_MSS, 4, {2, 4, 5, 0xb4}},
		{TCP_HAS_MSS | TCP_HAS_WSCALE, 8, {2, 4, 5, 0xb4, 1, 3, 3, 9}},
		{TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED, 8, {2, 4, 5, 0xb4, 1, 1, 4, 2}},
		{TCP_HAS_MSS | TCP_HAS_TIMESTAMPS | TCP_HAS_WSCALE,
		 20,
		 {2, 4, 5, 0xb4, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 9}},
		{TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_WSCALE,
		 12,
		 {2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 9}},
		{TCP_HAS_TIMESTAMPS, 12, {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
		{TCP_HAS_TIMESTAMPS | TCP_HAS_SACK, 24, {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2,
							 1, 1, 5, 10, 0, 0, 0, 3, 0, 0, 0, 4}},
		{TCP_HAS_SACK, 12, {1, 1, 5, 10, 0, 0, 0, 3, 0, 0, 0, 4}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct segment segment = {
			.options = {.present = cases[i].present,
				    .mss = 1460,
				    .wscale = 9,
				    .sack_count = 1,
				    .ts_val = 1,
				    .ts_ecr = 2,
				    .sack = {{{3}, {4}}}},
		};
		uint8_t out[TCP_HEADER_MAX];

		memset(out, 0xa5, sizeof out);
		assert_int_equal(tcp_emit(out, &segment), 20 + cases[i].len);
		assert_int_equal(out[12] >> 4, 5 + cases[i].len / 4);
		assert_memory_equal(out + 20, cases[i].bytes, cases[i].len);
	}
}

/* The checksum of a whole segment, the pseudo-header spelled out. */
static uint16_t naive_checksum(const struct parley_addr *src, const struct parley_addr *dst,
			       const uint8_t *bytes, size_t len)
{
	size_t n = ip_is_v4(src) ? 4 : 16;
	uint16_t sum = naive_sum(IP_TCP + (uint32_t)len, src->b + 16 - n, n);

	return naive_sum(naive_sum(sum, dst->b + 16 - n, n), bytes, len);
}

/* MUST-2 */
static void test_checksum(void **state)
{
	struct rng r = rng(9, 0);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		uint8_t bytes[TCP_HEADER_MAX + 100];
		size_t text_len = (size_t)rng_below(&r, 101), len, header_len;
		struct segment segment = {.options = random_options(&r)};
		struct parley_addr src, dst;
		unsigned bit;

		fill_random(&r, src.b, 16);
		fill_random(&r, dst.b, 16);
		if (i % 2 == 0) {
			src = ip_from_v4((uint32_t)rng_next(&r));
			dst = ip_from_v4((uint32_t)rng_next(&r));
		}
		header_len = tcp_emit(bytes, &segment);
		len = header_len + text_len;
		fill_random(&r, bytes + header_len, text_len);
		tcp_finish_checksum(bytes, header_len,
				    ip_pseudo_sum(&src, &dst, IP_TCP, (uint32_t)len),
				    checksum_sum(bytes + header_len, text_len));
		assert_int_equal(naive_checksum(&src, &dst, bytes, len), 0xffff);
		assert_int_equal(tcp_verify_checksum(&src, &dst, bytes, len, checksum_sum),
				 WIRE_OK);
		bit = (unsigned)rng_below(&r, 8 * len);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(tcp_verify_checksum(&src, &dst, bytes, len, checksum_sum),
				 WIRE_BAD_CHECKSUM);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		src.b[12 + i % 4] ^= 1; /* for another address it is wrong too (MUST-2) */
		assert_int_equal(tcp_verify_checksum(&src, &dst, bytes, len, checksum_sum),
				 WIRE_BAD_CHECKSUM);
	}
}

static uint64_t no_sum(const void *data, size_t len)
{
	(void)data;
	(void)len;
	return 0;
}

static void test_checksum_of_short_bytes_and_other_routines(void **state)
{
	struct parley_addr a = ip_from_v4(0xc0000201);

	(void)state;
	for (size_t len = 0; len < 20; len++) {
		uint8_t *bytes = exact_copy(linux_syn, len);

		assert_int_equal(tcp_verify_checksum(&a, &a, bytes, len, checksum_sum),
				 WIRE_TRUNCATED);
		free(bytes);
	}
	/* The routine given is the one that is asked. */
	assert_int_equal(tcp_verify_checksum(&a, &a, linux_syn, 40, no_sum), WIRE_BAD_CHECKSUM);
}

static void test_checksum_golden(void **state)
{
	/* 192.0.2.1 to 192.0.2.2, a RST from port 1 to port 2. */
	struct parley_addr src = ip_from_v4(0xc0000201), dst = ip_from_v4(0xc0000202);
	struct segment segment = {.src_port = 1, .dst_port = 2, .flags = TCP_RST};
	uint8_t out[TCP_HEADER_MAX];

	(void)state;
	/* By hand: c000+0201+c000+0202+0006+0014 = 1841d; +0001+0002+5004 = 1d424; folded d425. */
	assert_int_equal(tcp_emit(out, &segment), 20);
	tcp_finish_checksum(out, 20, ip_pseudo_sum(&src, &dst, IP_TCP, 20), 0);
	assert_int_equal(get_be16(out + 16), (uint16_t)~0xd425);
}

static void test_flags_text(void **state)
{
	static const struct {
		uint16_t flags;
		const char *text;
	} cases[] = {
		{0, "none"},
		{TCP_SYN, "S"},
		{TCP_SYN | TCP_ACK, "S."},
		{TCP_ACK, "."},
		{TCP_PSH | TCP_ACK, "P."},
		{TCP_FIN | TCP_ACK, "F."},
		{TCP_FIN | TCP_PSH | TCP_ACK, "FP."},
		{TCP_RST, "R"},
		{TCP_RST | TCP_ACK, "R."},
		{TCP_PSH | TCP_ACK | TCP_URG, "P.U"},
		{TCP_SYN | TCP_ECE | TCP_CWR, "SEW"},
		{TCP_SYN | TCP_ECE | TCP_CWR | TCP_AE, "SEWe"},
		{TCP_SYN | TCP_ACK | TCP_ECE, "S.E"},
		{0x1ff, "FSRP.UEWe"},
		{0xfe00, "none"},
	};
	char out[TCP_FLAGS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(tcp_flags_text(out, cases[i].flags), cases[i].text);
}

/* Walks options with a cursor of its own, to say what must be found. */
static void naive_walk(const uint8_t *at, size_t len, bool syn, struct tcp_options *o)
{
	size_t i = 0;

	memset(o, 0, sizeof *o);
	while (i < len && at[i] != 0) {
		size_t n = at[i] == 1 ? 1 : i + 1 < len ? at[i + 1] : 0;
		unsigned kind = at[i], right = length_of(kind);

		if (n == 0 || (n == 1 && kind != 1) || i + n > len) {
			o->malformed = true;
			return;
		}
		if (kind > 1 && right == 0 && kind != 5)
			o->unknown++;
		else if (kind > 1 && (kind == 5 ? n < 10 || n % 8 != 2 : n != right))
			o->malformed = true;
		else if (kind == 2 && syn && (at[i + 2] | at[i + 3]) != 0 && o->mss == 0)
			o->mss = (uint16_t)(at[i + 2] << 8 | at[i + 3]);
		else if (kind == 8 && !(o->present & TCP_HAS_TIMESTAMPS)) {
			o->present |= TCP_HAS_TIMESTAMPS;
			o->ts_val = get_be32(at + i + 2);
			o->ts_ecr = get_be32(at + i + 6);
		}
		i += n;
	}
}

/* MUST-64, MUST-69 */
static void test_random_bytes(void **state)
{
	static const uint8_t kinds[] = {0, 1, 1, 2, 3, 4, 5, 8, 19, 34};
	static const uint8_t lens[] = {2, 4, 10, 18, 26, 34, 1, 0};
	struct rng r = rng(10, 0);
	unsigned accepted = 0, timestamps = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint8_t noise[80];
		size_t len = (size_t)rng_below(&r, sizeof noise + 1);
		struct segment segment;
		struct tcp_options o;
		uint8_t *bytes;

		fill_random(&r, noise, sizeof noise);
		for (size_t j = 20; i % 2 == 0 && j < 58; j += noise[j] < 2 ? 1 : noise[j + 1]) {
			noise[j] = kinds[rng_below(&r, sizeof kinds)];
			noise[j + 1] = (uint8_t)length_of(noise[j]);
			if (noise[j + 1] == 0 || rng_below(&r, 8) == 0)
				noise[j + 1] = lens[rng_below(&r, sizeof lens)];
			if (noise[j + 1] == 0)
				break;
		}
		bytes = exact_copy(noise, len);
		if (tcp_parse(&segment, bytes, len) == WIRE_OK) {
			accepted++;
			assert_ptr_equal(segment.text, bytes + segment.header_len);
			assert_int_equal(segment.header_len + segment.text_len, len);
			naive_walk(bytes + 20, segment.header_len - 20u,
				   (segment.flags & TCP_SYN) != 0, &o);
			assert_int_equal(segment.options.malformed, o.malformed);
			assert_int_equal(segment.options.unknown, o.unknown);
			assert_int_equal(segment.options.mss, o.mss);
			assert_int_equal(segment.options.present & TCP_HAS_TIMESTAMPS, o.present);
			assert_int_equal(segment.options.ts_val, o.ts_val);
			assert_int_equal(segment.options.ts_ecr, o.ts_ecr);
			assert_true(segment.options.sack_count <= 4);
			assert_true(segment.options.wscale <= 14);
			timestamps += o.present != 0;
		}
		free(bytes);
	}
	assert_true(accepted > 20000);
	assert_true(timestamps > 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linux_syn),
		cmocka_unit_test(test_fields_and_text),
		cmocka_unit_test(test_flags_and_len),
		cmocka_unit_test(test_every_length_and_offset),
		cmocka_unit_test(test_every_truncation_of_a_syn),
		cmocka_unit_test(test_every_kind_and_length),
		cmocka_unit_test(test_length_0_and_1_stop_the_walk),
		cmocka_unit_test(test_option_past_the_end),
		cmocka_unit_test(test_wrong_length_of_a_known_kind_is_skipped),
		cmocka_unit_test(test_mss),
		cmocka_unit_test(test_window_scale_is_clamped),
		cmocka_unit_test(test_first_of_several_counts),
		cmocka_unit_test(test_syn_options_off_a_syn),
		cmocka_unit_test(test_sack),
		cmocka_unit_test(test_timestamps_both_ways),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_how_many_sack_blocks_fit),
		cmocka_unit_test(test_golden_orders),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_checksum_of_short_bytes_and_other_routines),
		cmocka_unit_test(test_checksum_golden),
		cmocka_unit_test(test_flags_text),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
