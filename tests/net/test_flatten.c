/* SPDX-License-Identifier: MIT */
/*
 * Flattened frames: what a super-segment is cut into, and sums that were left undone, against
 * segments built one by one.
 */
#include "station.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/rng.h"

enum { TEXT_MAX = 64000, CHECKSUM_AT = 16 };

static uint8_t text[TEXT_MAX];

/* A segment that is to be sent: all that its frames can differ in. */
struct sample {
	bool ethernet;
	struct segment segment;
	uint32_t text_len;
	uint16_t segment_size;
	bool partial;
};

static struct parley_addr source, target;

static size_t put_headers(const struct sample *sample, const struct segment *segment, size_t len,
			  uint8_t *out)
{
	struct eth_frame eth = {.dst = station_peer, .src = station_mac, .type = ETH_IPV4};
	struct ip_packet packet = {
		.src = source,
		.dst = target,
		.protocol = IP_TCP,
		.ttl = 61,
		.df = true,
		.payload_len = TCP_HEADER_LEN + tcp_options_len(&segment->options) + len,
	};
	size_t at = sample->ethernet ? eth_emit(out, &eth) : 0;

	at += ipv4_emit(out + at, &packet);
	tcp_emit(out + at, segment);
	return at;
}

static void fill(const struct sample *sample, struct parley_frame *frame, struct rng *r)
{
	size_t at = put_headers(sample, &sample->segment, sample->text_len, frame->header);
	size_t tcp_len = TCP_HEADER_LEN + tcp_options_len(&sample->segment.options);
	uint32_t left = sample->text_len;
	const uint8_t *next = text;
	uint64_t pseudo;

	frame->header_len = (uint32_t)(at + tcp_len);
	frame->len = frame->header_len + sample->text_len;
	frame->span_count = 0;
	while (left) {
		bool last = frame->span_count == PARLEY_FRAME_SPANS - 1;
		uint32_t n = last ? left : 1 + (uint32_t)rng_below(r, left);

		frame->spans[frame->span_count++] = (struct parley_span){next, n};
		next += n;
		left -= n;
	}
	frame->segment_size = sample->segment_size;
	frame->checksum_partial = sample->partial;
	frame->checksum_start = (uint16_t)at;
	frame->checksum_offset = CHECKSUM_AT;
	pseudo = ip_pseudo_sum(&source, &target, IP_TCP, (uint32_t)(frame->len - at));
	if (sample->partial)
		put_be16(frame->header + at + CHECKSUM_AT, (uint16_t)~checksum_fold(pseudo));
	else
		tcp_finish_checksum(frame->header + at, tcp_len, pseudo,
				    checksum_sum(text, sample->text_len));
}

/* The index-th packet as it would be built alone. */
static size_t build(const struct sample *sample, unsigned index, uint8_t *out)
{
	uint32_t size = sample->segment_size ? sample->segment_size : sample->text_len;
	uint32_t first = index * size;
	uint32_t len = sample->text_len - first < size ? sample->text_len - first : size;
	struct segment segment = sample->segment;
	size_t at, tcp_len;

	segment.seq = seq_add(segment.seq, first);
	if (first + len < sample->text_len)
		segment.flags &= (uint16_t) ~(TCP_PSH | TCP_FIN);
	if (index)
		segment.flags &= (uint16_t)~TCP_CWR;
	at = put_headers(sample, &segment, len, out);
	tcp_len = TCP_HEADER_LEN + tcp_options_len(&segment.options);
	memcpy(out + at + tcp_len, text + first, len);
	tcp_finish_checksum(out + at, tcp_len,
			    ip_pseudo_sum(&source, &target, IP_TCP, (uint32_t)(tcp_len + len)),
			    checksum_sum(text + first, len));
	return at + tcp_len + len;
}

static void compare(const struct sample *sample, struct rng *r)
{
	static uint8_t got[PARLEY_HEADER_MAX + TEXT_MAX], wanted[PARLEY_HEADER_MAX + TEXT_MAX];
	struct parley_frame frame;
	unsigned packets = 1;

	fill(sample, &frame, r);
	if (sample->segment_size && sample->text_len)
		packets = (sample->text_len + sample->segment_size - 1u) / sample->segment_size;
	for (unsigned i = 0; i < packets; i++) {
		size_t len = build(sample, i, wanted);

		assert_int_equal(parley_frame_flatten(&frame, i, got, len - 1), -PARLEY_EMSGSIZE);
		assert_int_equal(parley_frame_flatten(&frame, i, got, len), len);
		assert_memory_equal(got, wanted, len);
	}
	assert_int_equal(parley_frame_flatten(&frame, packets, got, sizeof got), 0);
}

static int setup(void **state)
{
	struct rng r = rng(5, 1);

	(void)state;
	source = station_addr("192.0.2.1");
	target = station_addr("203.0.113.77");
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)rng_next(&r);
	return 0;
}

static void test_plain(void **state)
{
	struct rng r = rng(6, 1);
	struct sample sample = {
		.segment = {.src_port = 1, .dst_port = 2, .flags = TCP_ACK | TCP_PSH, .wnd = 9},
	};

	(void)state;
	for (uint32_t len = 0; len < 1500; len += 1 + len / 7) {
		sample.text_len = len;
		sample.ethernet = len % 2;
		sample.partial = len % 3 == 0;
		compare(&sample, &r);
	}
}

static void test_cut(void **state)
{
	struct rng r = rng(6, 2);
	struct sample sample = {
		.ethernet = true,
		.segment = {.src_port = 1000,
			    .dst_port = 80,
			    .seq = {0xffffff00},
			    .flags = TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR,
			    .wnd = 9},
		.text_len = 3 * 1460 + 1,
		.segment_size = 1460,
		.partial = true,
	};

	(void)state;
	compare(&sample, &r);
	sample.text_len = 3 * 1460;
	compare(&sample, &r);
	sample.segment_size = 1;
	sample.text_len = 300;
	compare(&sample, &r);
}

/* The pointer stays as it is: segments that have one come alone. */
static void test_urgent(void **state)
{
	static const uint16_t pointers[] = {1, 999, 1000, 1001, 60000};
	struct rng r = rng(6, 3);
	struct sample sample = {
		.segment = {.flags = TCP_ACK | TCP_URG},
		.text_len = 1000,
		.partial = true,
	};

	(void)state;
	for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
		sample.segment.up = pointers[i];
		compare(&sample, &r);
	}
}

static void test_random(void **state)
{
	struct rng r = rng(6, 4);

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct sample sample = {
			.ethernet = rng_chance(&r, 500000),
			.segment = {.src_port = (uint16_t)rng_next(&r),
				    .dst_port = (uint16_t)rng_next(&r),
				    .seq = seq((uint32_t)rng_next(&r)),
				    .ack = seq((uint32_t)rng_next(&r)),
				    .flags = (uint16_t)(rng_next(&r) & 0x1df), /* no URG */
				    .wnd = (uint16_t)rng_next(&r)},
			.text_len = (uint32_t)rng_below(&r,
							rng_chance(&r, 100000) ? TEXT_MAX : 4000),
			.segment_size = (uint16_t)(rng_chance(&r, 300000)
							   ? 0
							   : 300 + rng_below(&r, 1200)),
		};

		if (rng_chance(&r, 500000))
			sample.segment.options = (struct tcp_options){
				.present = TCP_HAS_TIMESTAMPS,
				.ts_val = (uint32_t)rng_next(&r),
				.ts_ecr = (uint32_t)rng_next(&r),
			};
		sample.partial = sample.segment_size || rng_chance(&r, 500000);
		compare(&sample, &r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_urgent),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
