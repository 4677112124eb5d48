/* SPDX-License-Identifier: MIT */
/* ICMPv6 (RFC 4443): checksums, echo, errors and what can be read of their quotations. */
#include "bytes.h"

#include "base/bytes.h"
#include "wire/icmpv6.h"
#include "wire/ipv6.h"
#include "wire/text.h"

static struct parley_addr addr(const char *text)
{
	struct parley_addr a;

	assert_true(text_read_addr(&a, text));
	return a;
}

/* An ICMPv6 message of `len` bytes as the payload of a packet. */
static struct ip_packet carry(const uint8_t *bytes, size_t len)
{
	return (struct ip_packet){
		.src = addr("2001:db8::9"),
		.dst = addr("2001:db8::1"),
		.version = 6,
		.protocol = IP_ICMPV6,
		.ttl = 64,
		.payload = bytes,
		.payload_len = len,
	};
}

static enum wire_error finish_and_parse(struct icmp_message *message, uint8_t *bytes, size_t len)
{
	struct ip_packet packet = carry(bytes, len);
	uint8_t *copy;
	enum wire_error error;

	icmpv6_finish(bytes, len, &packet.src, &packet.dst);
	copy = exact_copy(bytes, len);
	packet.payload = copy;
	error = icmpv6_parse(message, &packet);
	free(copy);
	return error;
}

static void test_echo(void **state)
{
	uint8_t bytes[] = {128, 0, 0, 0, 0x12, 0x34, 0, 7, 'a', 'b', 'c'};
	struct icmp_message message;

	(void)state;
	assert_int_equal(finish_and_parse(&message, bytes, sizeof bytes), WIRE_OK);
	assert_int_equal(message.kind, ICMP_KIND_ECHO);
	assert_int_equal(message.id, 0x1234);
	assert_int_equal(message.number, 7);
	assert_int_equal(message.data_len, 3);
	assert_false(message.is_error);
}

/* RFC 4443 2.3: pseudo-header of 16 + 16 + 4 + 4 bytes, one bit wrong anywhere is noticed. */
static void test_checksum(void **state)
{
	uint8_t bytes[] = {129, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	struct ip_packet packet = carry(bytes, sizeof bytes);
	struct icmp_message message;
	uint32_t sum;

	(void)state;
	icmpv6_finish(bytes, sizeof bytes, &packet.src, &packet.dst);
	sum = naive_sum(0, packet.src.b, 16);
	sum = naive_sum(sum, packet.dst.b, 16);
	sum = naive_sum(sum + sizeof bytes + IP_ICMPV6, bytes, sizeof bytes);
	assert_int_equal(sum, 0xffff);
	for (size_t i = 0; i < sizeof bytes * 8; i++) {
		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(icmpv6_parse(&message, &packet), WIRE_BAD_CHECKSUM);
		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	packet.dst.b[15] ^= 1;
	assert_int_equal(icmpv6_parse(&message, &packet), WIRE_BAD_CHECKSUM);
	packet.payload_len = 7;
	assert_int_equal(icmpv6_parse(&message, &packet), WIRE_TRUNCATED);
}

static void test_kinds(void **state)
{
	static const struct {
		uint8_t type, code;
		enum icmp_kind kind;
	} cases[] = {
		{1, 0, ICMP_KIND_NET_UNREACHABLE},
		{1, 1, ICMP_KIND_PROHIBITED},
		{1, 2, ICMP_KIND_HOST_UNREACHABLE},
		{1, 3, ICMP_KIND_HOST_UNREACHABLE},
		{1, 4, ICMP_KIND_PORT_UNREACHABLE},
		{1, 5, ICMP_KIND_PROHIBITED},
		{1, 6, ICMP_KIND_PROHIBITED},
		{2, 0, ICMP_KIND_TOO_BIG},
		{3, 0, ICMP_KIND_TIME_EXCEEDED},
		{4, 0, ICMP_KIND_PARAMETER_PROBLEM},
		{4, 1, ICMP_KIND_PROTOCOL_UNREACHABLE},
		{4, 2, ICMP_KIND_PARAMETER_PROBLEM},
		{129, 0, ICMP_KIND_ECHO_REPLY},
		{133, 0, ICMP_KIND_DISCOVERY},
		{137, 0, ICMP_KIND_DISCOVERY},
		{100, 0, ICMP_KIND_OTHER},
		{200, 0, ICMP_KIND_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t bytes[8] = {cases[i].type, cases[i].code, 0, 0, 1, 2, 3, 4};
		bool echo = cases[i].kind == ICMP_KIND_ECHO_REPLY;
		struct icmp_message message;

		assert_int_equal(finish_and_parse(&message, bytes, 8), WIRE_OK);
		assert_int_equal(message.kind, cases[i].kind);
		assert_int_equal(message.id, echo ? 0x0102 : 0);
		assert_int_equal(message.number, echo ? 0x0304 : 0);
		assert_int_equal(message.mtu, cases[i].kind == ICMP_KIND_TOO_BIG ? 0x01020304 : 0);
		assert_int_equal(message.is_error, cases[i].type < 128);
		assert_false(message.has_quote);
	}
}

/* An error of this type about a TCP packet, behind `hops` destination options headers. */
static size_t error_about(uint8_t *out, uint8_t type, int hops)
{
	struct ip_packet quoted = {.protocol = IP_TCP, .ttl = 3, .payload_len = 1400};
	size_t at = 8 + IPV6_HEADER_LEN;

	quoted.src = addr("2001:db8::1");
	quoted.dst = addr("2001:db8:1::2");
	memset(out, 0, 8);
	out[0] = type;
	put_be32(out + 4, 1300);
	ipv6_emit(out + 8, &quoted);
	for (int i = 0; i < hops; i++, at += 8) {
		out[i ? at - 8 : 8 + 6] = 60;
		memcpy(out + at, (const uint8_t[]){6, 0, 1, 4, 0, 0, 0, 0}, 8);
	}
	put_be16(out + at, 1000);
	put_be16(out + at + 2, 80);
	put_be32(out + at + 4, 0xfffffff0);
	return at + 8;
}

static void test_quote(void **state)
{
	struct parley_addr src = addr("2001:db8::1"), dst = addr("2001:db8:1::2");

	(void)state;
	for (int hops = 0; hops < 3; hops++) {
		struct icmp_message message;
		uint8_t bytes[128];
		size_t len = error_about(bytes, ICMPV6_TOO_BIG, hops);

		assert_int_equal(finish_and_parse(&message, bytes, len), WIRE_OK);
		assert_true(message.has_quote && message.quote.has_ports);
		assert_int_equal(message.mtu, 1300);
		assert_true(ip_equal(&message.quote.src, &src));
		assert_true(ip_equal(&message.quote.dst, &dst));
		assert_int_equal(message.quote.protocol, IP_TCP);
		assert_int_equal(message.quote.src_port, 1000);
		assert_int_equal(message.quote.dst_port, 80);
		assert_int_equal(message.quote.seq, 0xfffffff0);
		assert_int_equal(message.quote.packet_len, 1440);
		/* Cut anywhere before its end it has no ports, and is read no further. */
		for (size_t cut = 8; cut < len; cut++) {
			assert_int_equal(finish_and_parse(&message, bytes, cut), WIRE_OK);
			assert_int_equal(message.has_quote, cut >= 48);
			assert_false(message.has_quote && message.quote.has_ports);
			assert_int_equal(message.quote.src_port, 0);
			assert_int_equal(message.quote.dst_port, 0);
			assert_int_equal(message.quote.seq, 0);
		}
	}
}

static void test_quoted_fragment(void **state)
{
	struct icmp_message message;
	uint8_t bytes[128];
	size_t len = error_about(bytes, ICMPV6_TIME_EXCEEDED, 1);

	(void)state;
	bytes[8 + 6] = 44;
	put_be16(bytes + 8 + 42, 8); /* not the first */
	assert_int_equal(finish_and_parse(&message, bytes, len), WIRE_OK);
	assert_true(message.has_quote);
	assert_false(message.quote.has_ports);
}

static void test_may_report(void **state)
{
	uint8_t bytes[8] = {ICMPV6_ECHO};
	struct ip_packet cause = carry(bytes, 8);

	(void)state;
	assert_true(icmpv6_may_report(&cause, false));
	bytes[0] = ICMPV6_UNREACHABLE;
	assert_false(icmpv6_may_report(&cause, false));
	bytes[0] = ICMPV6_REDIRECT;
	assert_false(icmpv6_may_report(&cause, true));
	cause.protocol = IP_UDP;
	assert_true(icmpv6_may_report(&cause, false));
	cause.dst = addr("ff02::1");
	assert_false(icmpv6_may_report(&cause, false));
	assert_true(icmpv6_may_report(&cause, true));
	cause.src = addr("::");
	assert_false(icmpv6_may_report(&cause, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_quoted_fragment),
		cmocka_unit_test(test_may_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
