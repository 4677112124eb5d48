/* SPDX-License-Identifier: MIT */
/* Neighbour discovery messages: written and read back, and every check of RFC 4861 6.1 and 7.1. */
#include "bytes.h"

#include "base/bytes.h"
#include "wire/icmpv6.h"
#include "wire/nd.h"
#include "wire/text.h"

static const struct eth_addr mac = {{2, 0, 0, 0, 0, 9}};

static struct parley_addr addr(const char *text)
{
	struct parley_addr a;

	assert_true(text_read_addr(&a, text));
	return a;
}

struct sample {
	struct ip_packet packet;
	uint8_t bytes[128];
	struct nd_message message;
};

static void make(struct sample *s, const char *src, const char *dst,
		 const struct nd_message *message)
{
	s->packet = (struct ip_packet){
		.version = 6, .protocol = IP_ICMPV6, .ttl = 255, .payload = s->bytes};
	s->packet.src = addr(src);
	s->packet.dst = addr(dst);
	s->packet.payload_len = nd_emit(s->bytes, message, &s->packet.src, &s->packet.dst);
}

static enum wire_error parse(struct sample *s)
{
	struct ip_packet packet = s->packet;
	uint8_t *copy = exact_copy(s->bytes, packet.payload_len);
	enum wire_error error;

	packet.payload = copy;
	error = nd_parse(&s->message, &packet);
	free(copy);
	return error;
}

static struct nd_message solicitation(void)
{
	return (struct nd_message){
		.type = ICMPV6_NEIGHBOUR_SOLICITATION,
		.has_mac = true,
		.mac = mac,
		.target = addr("2001:db8::1"),
	};
}

static void test_neighbour_solicitation(void **state)
{
	struct nd_message m = solicitation();
	struct icmp_message icmp;
	struct sample s;

	(void)state;
	make(&s, "2001:db8::9", "ff02::1:ff00:1", &m);
	assert_int_equal(s.packet.payload_len, 32);
	assert_int_equal(icmpv6_parse(&icmp, &s.packet), WIRE_OK);
	assert_int_equal(icmp.kind, ICMP_KIND_DISCOVERY);
	assert_int_equal(parse(&s), WIRE_OK);
	assert_true(s.message.has_mac && eth_equal(s.message.mac, mac));
	assert_true(ip_equal(&s.message.target, &m.target));
}

static void test_advertisement_flags(void **state)
{
	struct sample s;

	(void)state;
	for (unsigned bits = 0; bits < 8; bits++) {
		struct nd_message m = solicitation();

		m.type = ICMPV6_NEIGHBOUR_ADVERTISEMENT;
		m.from_router = bits & 4;
		m.solicited = bits & 2;
		m.override = bits & 1;
		make(&s, "2001:db8::1", "2001:db8::9", &m);
		assert_int_equal(s.bytes[4], bits << 5);
		assert_int_equal(parse(&s), WIRE_OK);
		assert_int_equal(s.message.from_router, m.from_router);
		assert_int_equal(s.message.solicited, m.solicited);
		assert_int_equal(s.message.override, m.override);
	}
}

static struct nd_message advertisement(void)
{
	struct nd_message m = {
		.type = ICMPV6_ROUTER_ADVERTISEMENT,
		.has_mac = true,
		.mac = mac,
		.hop_limit = 63,
		.lifetime = 1800,
		.reachable_ms = 20000,
		.retransmit_ms = 500,
		.mtu = 1400,
		.prefix_count = 1,
		.prefix = {{.len = 64, .on_link = true, .valid = 86400, .preferred = UINT32_MAX}},
	};

	m.prefix[0].prefix = addr("2001:db8:5::");
	return m;
}

static void test_router_advertisement(void **state)
{
	struct nd_message m = advertisement();
	struct sample s;

	(void)state;
	make(&s, "fe80::9", "ff02::1", &m);
	assert_int_equal(s.packet.payload_len, 64);
	assert_int_equal(parse(&s), WIRE_OK);
	assert_int_equal(s.message.hop_limit, 63);
	assert_int_equal(s.message.lifetime, 1800);
	assert_int_equal(s.message.reachable_ms, 20000);
	assert_int_equal(s.message.retransmit_ms, 500);
	assert_int_equal(s.message.mtu, 1400);
	assert_int_equal(s.message.prefix_count, 1);
	assert_int_equal(s.message.prefix[0].len, 64);
	assert_true(s.message.prefix[0].on_link && !s.message.prefix[0].autonomous);
	assert_int_equal(s.message.prefix[0].valid, 86400);
	assert_int_equal(s.message.prefix[0].preferred, UINT32_MAX);
	assert_true(ip_equal(&s.message.prefix[0].prefix, &m.prefix[0].prefix));
	/* Only a router on the link itself. */
	make(&s, "2001:db8::9", "ff02::1", &m);
	assert_int_equal(parse(&s), WIRE_BAD_SOURCE);
}

/* More prefixes than there is room for: the first ones count. */
static void test_many_prefixes(void **state)
{
	struct nd_message m = advertisement();
	static struct sample s;
	static uint8_t bytes[1500];
	size_t len;

	(void)state;
	make(&s, "fe80::9", "ff02::1", &m);
	len = s.packet.payload_len;
	memcpy(bytes, s.bytes, len);
	for (; len + 32 <= sizeof bytes; len += 32)
		memcpy(bytes + len, s.bytes + 32, 32);
	s.packet.payload = bytes;
	s.packet.payload_len = len;
	assert_int_equal(nd_parse(&s.message, &s.packet), WIRE_OK);
	assert_int_equal(s.message.prefix_count, ND_PREFIXES);
}

static void test_checks(void **state)
{
	struct nd_message m = solicitation();
	struct sample s;

	(void)state;
	make(&s, "2001:db8::9", "ff02::1:ff00:1", &m);
	s.packet.ttl = 254;
	assert_int_equal(parse(&s), WIRE_BAD_SOURCE);
	s.packet.ttl = 255;
	s.bytes[1] = 1;
	assert_int_equal(parse(&s), WIRE_BAD_SOURCE);
	s.bytes[1] = 0;
	s.bytes[8] = 0xff; /* a group as target */
	assert_int_equal(parse(&s), WIRE_BAD_SOURCE);
	m.target = addr("192.0.2.1");
	make(&s, "2001:db8::9", "ff02::1:ff00:1", &m);
	assert_int_equal(parse(&s), WIRE_BAD_SOURCE);
	s.bytes[0] = ICMPV6_REDIRECT;
	assert_int_equal(parse(&s), WIRE_BAD_TYPE);
	s.packet.payload_len = 0;
	assert_int_equal(parse(&s), WIRE_BAD_TYPE);
}

/* A probe for a duplicate address: from nobody, to the group, without hardware address. */
static void test_probe(void **state)
{
	struct nd_message m = solicitation();
	struct sample s;

	(void)state;
	m.has_mac = false;
	make(&s, "::", "ff02::1:ff00:1", &m);
	assert_int_equal(parse(&s), WIRE_OK);
	make(&s, "::", "2001:db8::1", &m);
	assert_int_equal(parse(&s), WIRE_BAD_SOURCE);
	m.has_mac = true;
	make(&s, "::", "ff02::1:ff00:1", &m);
	assert_int_equal(parse(&s), WIRE_BAD_SOURCE);
	m.type = ICMPV6_ROUTER_SOLICITATION;
	make(&s, "::", "ff02::2", &m);
	assert_int_equal(parse(&s), WIRE_BAD_SOURCE);
	m.has_mac = false;
	make(&s, "::", "ff02::2", &m);
	assert_int_equal(parse(&s), WIRE_OK);
	m.type = ICMPV6_NEIGHBOUR_ADVERTISEMENT;
	make(&s, "::", "ff02::1", &m);
	assert_int_equal(parse(&s), WIRE_BAD_SOURCE);
	m.solicited = true;
	make(&s, "2001:db8::1", "ff02::1", &m);
	assert_int_equal(parse(&s), WIRE_BAD_SOURCE);
}

static void test_lengths(void **state)
{
	struct nd_message messages[] = {solicitation(), advertisement()};
	struct sample s;

	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t fixed = i ? 16 : 24, whole;

		make(&s, "fe80::9", "ff02::1", &messages[i]);
		whole = s.packet.payload_len;
		for (size_t len = 1; len < whole; len++) {
			enum wire_error expected = WIRE_BAD_OPTION;

			if (len < fixed)
				expected = WIRE_TRUNCATED;
			else if ((len - fixed) % 8 == 0 && (i == 0 || len <= 32))
				expected = WIRE_OK;
			s.packet.payload_len = len;
			assert_int_equal(parse(&s), expected);
		}
		/* An option of length 0 would never end. */
		s.packet.payload_len = whole;
		s.bytes[fixed + 1] = 0;
		assert_int_equal(parse(&s), WIRE_BAD_OPTION);
		s.bytes[fixed + 1] = 255;
		assert_int_equal(parse(&s), WIRE_BAD_OPTION);
	}
}

static void test_odd_options(void **state)
{
	struct nd_message m = solicitation();
	struct sample s;

	(void)state;
	make(&s, "2001:db8::9", "ff02::1:ff00:1", &m);
	s.bytes[24] = 99; /* unknown */
	assert_int_equal(parse(&s), WIRE_OK);
	assert_false(s.message.has_mac);
	s.bytes[24] = 2; /* the target's does not belong into a solicitation */
	assert_int_equal(parse(&s), WIRE_OK);
	assert_false(s.message.has_mac);
	s.bytes[24] = 1;
	s.bytes[26] = 3; /* a group is no station */
	assert_int_equal(parse(&s), WIRE_OK);
	assert_false(s.message.has_mac);
}

/* One option behind the fixed part of a message: does anything of it count? */
static bool option_counts(uint8_t type, uint8_t option, uint8_t units)
{
	struct nd_message m = {.type = type, .target = addr("2001:db8::1")};
	struct sample s;
	size_t at;

	make(&s, "fe80::9", "ff02::1:ff00:1", &m);
	at = s.packet.payload_len;
	memset(s.bytes + at, 2, 8u * units);
	s.bytes[at] = option;
	s.bytes[at + 1] = units;
	s.packet.payload_len = at + 8u * units;
	assert_int_equal(parse(&s), WIRE_OK);
	return s.message.has_mac || s.message.mtu || s.message.prefix_count;
}

/* RFC 4861 4.2 to 4.4: each option means something in its messages and at its length alone. */
static void test_options_where_they_belong(void **state)
{
	static const uint8_t types[] = {ICMPV6_ROUTER_SOLICITATION, ICMPV6_ROUTER_ADVERTISEMENT,
					ICMPV6_NEIGHBOUR_SOLICITATION,
					ICMPV6_NEIGHBOUR_ADVERTISEMENT};

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		for (unsigned option = 0; option < 256; option++) {
			for (unsigned units = 1; units < 6; units++) {
				bool from_router = types[i] == ICMPV6_ROUTER_ADVERTISEMENT;
				bool told = types[i] == ICMPV6_NEIGHBOUR_ADVERTISEMENT;
				bool counts = (option == (told ? 2 : 1) && units == 1) ||
					      (from_router && option == 3 && units == 4) ||
					      (from_router && option == 5 && units == 1);

				assert_int_equal(
					option_counts(types[i], (uint8_t)option, (uint8_t)units),
					counts);
			}
		}
	}
}

static void test_random(void **state)
{
	struct rng r = rng(4861, 0);
	struct sample s;

	(void)state;
	make(&s, "fe80::9", "ff02::1", &(struct nd_message){.type = ICMPV6_ROUTER_SOLICITATION});
	for (int i = 0; i < 100000; i++) {
		s.packet.payload_len = rng_below(&r, sizeof s.bytes + 1);
		fill_random(&r, s.bytes, sizeof s.bytes);
		s.bytes[0] = (uint8_t)(133 + rng_below(&r, 4));
		s.bytes[1] = 0;
		for (size_t at = 16; at < sizeof s.bytes; at += 8) {
			s.bytes[at] = (uint8_t)rng_below(&r, 6);
			s.bytes[at + 1] = (uint8_t)(1 + rng_below(&r, 4));
		}
		if (parse(&s) == WIRE_OK)
			assert_in_range(s.message.prefix_count, 0, 4);
	}
}

/* Byte for byte, each flag by itself; RFC 4861 4.2, 4.6.1, 4.6.2, 4.6.4. */
static void test_router_advertisement_bytes(void **state)
{
	struct nd_message m = advertisement();
	struct sample s;

	(void)state;
	for (int flags = 0; flags < 4; flags++) {
		const uint8_t golden[] = {
			134, 0, 0, 0, 63, 0, 0x07, 0x08, 0, 0, 0x4e, 0x20, 0, 0, 0x01, 0xf4,
			/* source link-layer address */
			1, 1, 2, 0, 0, 0, 0, 9,
			/* MTU */
			5, 1, 0, 0, 0, 0, 0x05, 0x78,
			/* prefix */
			3, 4, 64, (uint8_t)((flags & 1 ? 0x80 : 0) | (flags & 2 ? 0x40 : 0)), 0, 1,
			0x51, 0x80, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8, 0,
			5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

		memset(&s, 0xa5, sizeof s);
		m.has_mac = true;
		m.mac = mac;
		m.prefix[0].on_link = flags & 1;
		m.prefix[0].autonomous = flags & 2;
		make(&s, "fe80::9", "ff02::1", &m);
		assert_int_equal(s.packet.payload_len, sizeof golden);
		s.bytes[2] = s.bytes[3] = 0; /* the checksum */
		assert_memory_equal(s.bytes, golden, sizeof golden);
	}
}

/* A prefix has at most 128 bits; what says more is passed over, and what follows it counts. */
static void test_lengths_of_prefixes(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 256; bits++) {
		struct nd_message m = advertisement();
		struct sample s;

		m.prefix[0].len = (uint8_t)bits;
		make(&s, "fe80::9", "ff02::1", &m);
		memcpy(s.bytes + 64, s.bytes + 32, 32);
		s.bytes[64 + 2] = 48;
		s.packet.payload_len = 96;
		assert_int_equal(parse(&s), WIRE_OK);
		assert_int_equal(s.message.prefix_count, bits > 128 ? 1 : 2);
		assert_int_equal(s.message.prefix[0].len, bits > 128 ? 48 : bits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neighbour_solicitation),
		cmocka_unit_test(test_advertisement_flags),
		cmocka_unit_test(test_router_advertisement),
		cmocka_unit_test(test_many_prefixes),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_odd_options),
		cmocka_unit_test(test_options_where_they_belong),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_router_advertisement_bytes),
		cmocka_unit_test(test_lengths_of_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
