/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include "base/bytes.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"

/* A TCP packet of 1500 bytes from 192.0.2.1 port 1000 to 192.0.2.2 port 80, seq 0xfffffff0. */
static const uint8_t quoted[28] = {
	0x45, 0x00, 0x05, 0xdc, 0x12, 0x34, 0x40, 0x00, 0x3f, 0x06, 0x00, 0x00, 192,  0,
	2,    1,    192,  0,	2,    2,    0x03, 0xe8, 0x00, 0x50, 0xff, 0xff, 0xff, 0xf0,
};

static void repair(uint8_t *bytes, size_t len)
{
	put_be16(bytes + 2, 0);
	put_be16(bytes + 2, (uint16_t)~naive_sum(0, bytes, len));
}

static void test_echo_golden(void **state)
{
	static const uint8_t ping[] = {0x08, 0x00, 0x21, 0x68, 0x12, 0x34,
				       0x00, 0x01, 'a',	 'b',  'c'};
	static const uint8_t pong[] = {0x00, 0x00, 0x29, 0x68, 0x12, 0x34,
				       0x00, 0x01, 'a',	 'b',  'c'};
	struct icmp_message message;
	uint8_t out[sizeof pong];

	(void)state;
	/* By hand: 0000 + 1234 + 0001 + 6162 + 6300 = d697, whose complement is 2968. */
	assert_int_equal(icmp_parse(&message, pong, sizeof pong), WIRE_OK);
	assert_int_equal(icmp_parse(&message, ping, sizeof ping), WIRE_OK);
	assert_int_equal(message.type, ICMP_ECHO);
	assert_false(message.is_error);
	assert_false(message.has_quote);
	assert_int_equal(message.id, 0x1234);
	assert_int_equal(message.number, 1);
	assert_int_equal(message.data_len, 3);
	assert_memory_equal(message.data, "abc", 3);
	message.type = ICMP_ECHO_REPLY;
	memset(out, 0xa5, sizeof out);
	assert_int_equal(icmp_emit_echo(out, &message), sizeof pong);
	assert_memory_equal(out, pong, sizeof pong);
}

/* A reply may be written over the request that it answers. */
static void test_echo_in_place(void **state)
{
	uint8_t bytes[64] = {8, 0, 0, 0, 1, 2, 3, 4};
	struct icmp_message message;

	(void)state;
	for (size_t len = 8; len <= sizeof bytes; len++) {
		uint8_t before[64];

		bytes[0] = 8;
		bytes[len - 1] = (uint8_t)len;
		repair(bytes, len);
		memcpy(before, bytes, len);
		assert_int_equal(icmp_parse(&message, bytes, len), WIRE_OK);
		message.type = ICMP_ECHO_REPLY;
		assert_int_equal(icmp_emit_echo(bytes, &message), len);
		assert_int_equal(icmp_parse(&message, bytes, len), WIRE_OK);
		assert_memory_equal(bytes + 4, before + 4, len - 4);
		assert_int_equal(bytes[0], 0);
	}
}

static void test_short_and_damaged(void **state)
{
	uint8_t bytes[16] = {8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	struct icmp_message message;

	(void)state;
	for (size_t len = 0; len <= sizeof bytes; len++) {
		uint8_t *copy = exact_copy(bytes, len);

		if (len >= 4)
			repair(copy, len);
		assert_int_equal(icmp_parse(&message, copy, len),
				 len < 8 ? WIRE_TRUNCATED : WIRE_OK);
		for (unsigned bit = 0; len >= 8 && bit < 8 * len; bit++) {
			copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(icmp_parse(&message, copy, len), WIRE_BAD_CHECKSUM);
			copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		free(copy);
	}
}

static void test_error_golden(void **state)
{
	uint8_t bytes[36] = {ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, 0, 0, 0, 0, 0x05, 0x14};
	struct icmp_message message;

	(void)state;
	memcpy(bytes + 8, quoted, sizeof quoted);
	repair(bytes, sizeof bytes);
	assert_int_equal(icmp_parse(&message, bytes, sizeof bytes), WIRE_OK);
	assert_true(message.is_error && message.has_quote);
	assert_int_equal(message.mtu, 1300);
	assert_int_equal(ip_to_v4(&message.quote.src), 0xc0000201);
	assert_int_equal(ip_to_v4(&message.quote.dst), 0xc0000202);
	assert_int_equal(message.quote.protocol, IP_TCP);
	assert_int_equal(message.quote.packet_len, 1500);
	assert_true(message.quote.has_ports);
	assert_int_equal(message.quote.src_port, 1000);
	assert_int_equal(message.quote.dst_port, 80);
	assert_int_equal(message.quote.seq, 0xfffffff0);
	bytes[1] = ICMP_PORT_UNREACHABLE;
	repair(bytes, sizeof bytes);
	assert_int_equal(icmp_parse(&message, bytes, sizeof bytes), WIRE_OK);
	assert_int_equal(message.mtu, 0); /* those bytes mean nothing then */
}

/* A quotation cut off anywhere is read as far as it can be believed. */
static void test_error_of_every_length(void **state)
{
	uint8_t bytes[8 + 32] = {ICMP_TIME_EXCEEDED};
	struct icmp_message message;

	(void)state;
	memcpy(bytes + 8, quoted, sizeof quoted);
	for (size_t len = 8; len <= sizeof bytes; len++) {
		uint8_t *copy = exact_copy(bytes, len);

		repair(copy, len);
		assert_int_equal(icmp_parse(&message, copy, len), WIRE_OK);
		assert_true(message.is_error);
		assert_int_equal(message.has_quote, len >= 8 + 20);
		assert_int_equal(message.quote.has_ports, len >= 8 + 28);
		free(copy);
	}
}

static enum wire_error parse_quote_with(struct icmp_message *message, size_t at, uint8_t value)
{
	uint8_t bytes[8 + sizeof quoted] = {ICMP_UNREACHABLE};

	memcpy(bytes + 8, quoted, sizeof quoted);
	bytes[8 + at] = value;
	repair(bytes, sizeof bytes);
	return icmp_parse(message, bytes, sizeof bytes);
}

static void test_forged_quotes(void **state)
{
	struct icmp_message message;

	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		unsigned words = first & 15;

		assert_int_equal(parse_quote_with(&message, 0, (uint8_t)first), WIRE_OK);
		assert_int_equal(message.has_quote, first >> 4 == 4 && words >= 5 && words <= 7);
		assert_int_equal(message.quote.has_ports, first == 0x45);
	}
	assert_int_equal(parse_quote_with(&message, 6, 0x20), WIRE_OK); /* a first fragment */
	assert_true(message.quote.has_ports);
	assert_int_equal(parse_quote_with(&message, 7, 1), WIRE_OK); /* a later one */
	assert_true(message.has_quote);
	assert_false(message.quote.has_ports);
}

static void test_which_types_quote(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		uint8_t bytes[8 + sizeof quoted] = {(uint8_t)type};
		bool error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
		struct icmp_message message;

		memcpy(bytes + 8, quoted, sizeof quoted);
		repair(bytes, sizeof bytes);
		assert_int_equal(icmp_parse(&message, bytes, sizeof bytes), WIRE_OK);
		assert_int_equal(message.is_error, error);
		assert_int_equal(message.has_quote, error);
	}
}

/* An IPv4 packet of so many bytes behind a plain header, parsed; free() the result. */
static uint8_t *packet_of(struct ip_packet *packet, size_t payload_len, uint8_t protocol)
{
	uint8_t *bytes = calloc(1, 20 + payload_len);
	struct ip_packet header = {
		.src = ip_from_v4(0xc0000201),
		.dst = ip_from_v4(0xc0000202),
		.protocol = protocol,
		.ttl = 64,
		.payload_len = payload_len,
	};

	assert_non_null(bytes);
	ipv4_emit(bytes, &header);
	for (size_t i = 0; i < payload_len; i++)
		bytes[20 + i] = (uint8_t)(i * 7);
	assert_int_equal(ipv4_parse(packet, bytes, 20 + payload_len), WIRE_OK);
	return bytes;
}

/* All codes of an unreachable destination (RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1). */
static void test_codes_of_unreachable(void **state)
{
	static const enum icmp_kind kinds[] = {
		ICMP_KIND_NET_UNREACHABLE,
		ICMP_KIND_HOST_UNREACHABLE,
		ICMP_KIND_PROTOCOL_UNREACHABLE,
		ICMP_KIND_PORT_UNREACHABLE,
		ICMP_KIND_TOO_BIG,
		ICMP_KIND_NET_UNREACHABLE,
		ICMP_KIND_NET_UNREACHABLE,
		ICMP_KIND_HOST_UNREACHABLE,
		ICMP_KIND_HOST_UNREACHABLE,
		ICMP_KIND_PROHIBITED,
		ICMP_KIND_PROHIBITED,
		ICMP_KIND_NET_UNREACHABLE,
		ICMP_KIND_HOST_UNREACHABLE,
		ICMP_KIND_PROHIBITED,
		ICMP_KIND_PROHIBITED,
		ICMP_KIND_PROHIBITED,
	};
	struct icmp_message message;
	struct ip_packet cause;
	uint8_t *bytes = packet_of(&cause, 8, IP_TCP);
	uint8_t out[ICMP_ERROR_MAX];

	(void)state;
	for (uint8_t code = 0; code < sizeof kinds / sizeof kinds[0]; code++) {
		size_t len = icmp_emit_error(memset(out, 0xa5, sizeof out), ICMP_UNREACHABLE, code,
					     0, &cause);

		assert_int_equal(icmp_parse(&message, out, len), WIRE_OK);
		assert_int_equal(message.kind, kinds[code]);
	}
	free(bytes);
}

static void test_emitted_errors(void **state)
{
	static const size_t lens[] = {0, 1, 8, 100, 527, 528, 529, 1480, 65515};
	uint8_t out[ICMP_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		size_t expected = lens[i] < 528 ? 28 + lens[i] : ICMP_ERROR_MAX;
		struct icmp_message message;
		struct ip_packet cause;
		uint8_t *bytes = packet_of(&cause, lens[i], IP_UDP);
		size_t len = icmp_emit_error(memset(out, 0xa5, sizeof out), ICMP_UNREACHABLE,
					     ICMP_FRAGMENTATION_NEEDED, 1280, &cause);

		assert_int_equal(len, expected);
		assert_memory_equal(out + 8, bytes, len - 8);
		assert_int_equal(icmp_parse(&message, out, len), WIRE_OK);
		assert_int_equal(message.code, ICMP_FRAGMENTATION_NEEDED);
		assert_int_equal(message.mtu, 1280);
		assert_true(message.has_quote);
		assert_true(ip_equal(&message.quote.src, &cause.src));
		assert_int_equal(message.quote.packet_len, 20 + lens[i]);
		free(bytes);
	}
}

static void test_what_may_be_reported(void **state)
{
	struct ip_packet cause;
	uint8_t *bytes = packet_of(&cause, 8, IP_TCP);
	uint8_t *icmp, *tiny;

	(void)state;
	assert_true(icmp_may_report(&cause));
	cause.dst = ip_from_v4(0xffffffff);
	assert_false(icmp_may_report(&cause));
	cause.dst = ip_from_v4(0xe0000001);
	assert_false(icmp_may_report(&cause));
	cause.dst = ip_from_v4(0xc0000202);
	cause.src = ip_from_v4(0);
	assert_false(icmp_may_report(&cause));
	free(bytes);
	icmp = packet_of(&cause, 8, IP_ICMP);
	for (unsigned type = 0; type < 256; type++) {
		icmp[20] = (uint8_t)type;
		assert_int_equal(icmp_may_report(&cause), type == 0 || type == 8);
	}
	free(icmp);
	tiny = packet_of(&cause, 0, IP_ICMP);
	assert_false(icmp_may_report(&cause));
	free(tiny);
}

static void test_random_bytes(void **state)
{
	struct rng r = rng(7, 0);
	unsigned quotes = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint8_t noise[80];
		size_t len = (size_t)rng_below(&r, sizeof noise + 1);
		struct icmp_message message;
		enum wire_error error;
		uint8_t *bytes;

		fill_random(&r, noise, sizeof noise);
		noise[0] &= 15;
		noise[8] = (uint8_t)(noise[8] % 128);
		bytes = exact_copy(noise, len);
		if (len >= 8 && i % 8 != 0)
			repair(bytes, len);
		error = icmp_parse(&message, bytes, len);
		if (error == WIRE_OK) {
			assert_ptr_equal(message.data, bytes + 8);
			assert_int_equal(message.data_len, len - 8);
			quotes += message.has_quote;
		}
		free(bytes);
	}
	assert_true(quotes > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo_golden),
		cmocka_unit_test(test_echo_in_place),
		cmocka_unit_test(test_short_and_damaged),
		cmocka_unit_test(test_error_golden),
		cmocka_unit_test(test_error_of_every_length),
		cmocka_unit_test(test_forged_quotes),
		cmocka_unit_test(test_which_types_quote),
		cmocka_unit_test(test_emitted_errors),
		cmocka_unit_test(test_codes_of_unreachable),
		cmocka_unit_test(test_what_may_be_reported),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
