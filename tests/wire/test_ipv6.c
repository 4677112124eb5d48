/* SPDX-License-Identifier: MIT */
/* IPv6 packets and their extension headers, well formed and hostile (RFC 8200, 5095, 6946). */
#include "bytes.h"

#include "base/bytes.h"
#include "wire/ipv6.h"
#include "wire/text.h"

enum { HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60, ESP = 50 };

static struct parley_addr addr(const char *text)
{
	struct parley_addr a;

	assert_true(text_read_addr(&a, text));
	return a;
}

/* A packet being put together. */
struct build {
	uint8_t bytes[4096];
	size_t len;
	size_t next_at; /* where the last "next header" stands */
};

static void begin(struct build *b)
{
	struct ip_packet packet = {.ttl = 64, .protocol = IP_TCP};

	packet.src = addr("2001:db8::1");
	packet.dst = addr("2001:db8::2");
	b->len = ipv6_emit(b->bytes, &packet);
	b->next_at = 6;
}

/* Adds a header of n bytes; its first byte will say what follows. */
static void add(struct build *b, uint8_t type, const void *bytes, size_t n)
{
	b->bytes[b->next_at] = type;
	b->next_at = b->len;
	memcpy(b->bytes + b->len, bytes, n);
	b->bytes[b->next_at] = IP_TCP;
	b->len += n;
}

static enum wire_error parse(struct build *b, struct ip_packet *packet)
{
	uint8_t *copy;
	enum wire_error error;

	put_be16(b->bytes + 4, (uint16_t)(b->len - 40));
	copy = exact_copy(b->bytes, b->len);
	error = ipv6_parse(packet, copy, b->len);
	packet->header = b->bytes;
	free(copy);
	return error;
}

static enum wire_error with_one(uint8_t type, const void *bytes, size_t n, struct ip_packet *packet)
{
	static struct build b;

	begin(&b);
	add(&b, type, bytes, n);
	memcpy(b.bytes + b.len, "payload!", 8);
	b.len += 8;
	return parse(&b, packet);
}

static void test_golden(void **state)
{
	static const uint8_t golden[44] = {0x62, 0xe0, 0,    0, 0,    4,    6, 64,  0x20, 1,   0x0d,
					   0xb8, 0,    0,    0, 0,    0,    0, 0,   0,	  0,   0,
					   0,	 1,    0x20, 1, 0x0d, 0xb8, 0, 0,   0,	  0,   0,
					   0,	 0,    0,    0, 0,    0,    2, 'a', 'b',  'c', 'd'};
	struct parley_addr src = addr("2001:db8::1"), dst = addr("2001:db8::2");
	struct ip_packet packet;
	uint8_t out[40];

	(void)state;
	memset(&packet, 0xff, sizeof packet);
	assert_int_equal(ipv6_parse(&packet, golden, sizeof golden), WIRE_OK);
	assert_int_equal(packet.version, 6);
	assert_int_equal(packet.tos, 0x2e);
	assert_int_equal(packet.ttl, 64);
	assert_int_equal(packet.protocol, IP_TCP);
	assert_int_equal(packet.protocol_at, 6);
	assert_int_equal(packet.id, 0);
	assert_true(packet.df && !packet.source_routed && !packet.problem.owed);
	assert_true(ip_equal(&packet.src, &src) && ip_equal(&packet.dst, &dst));
	assert_int_equal(packet.header_len, 40);
	assert_int_equal(packet.payload_len, 4);
	assert_memory_equal(packet.payload, "abcd", 4);
	memset(out, 0xa5, sizeof out);
	assert_int_equal(ipv6_emit(out, &packet), IPV6_HEADER_LEN);
	assert_memory_equal(out, golden, sizeof out);
}

static void test_lengths(void **state)
{
	struct build b;
	struct ip_packet packet;

	(void)state;
	begin(&b);
	for (size_t len = 0; len < 40; len++)
		assert_int_equal(ipv6_parse(&packet, b.bytes, len), WIRE_TRUNCATED);
	put_be16(b.bytes + 4, 1);
	assert_int_equal(ipv6_parse(&packet, b.bytes, 40), WIRE_BAD_TOTAL_LENGTH);
	/* A quotation may be shorter than the packet was. */
	assert_int_equal(ipv6_parse_quote(&packet, b.bytes, 40), WIRE_OK);
	assert_int_equal(packet.payload_len, 0);
	assert_int_equal(ipv6_parse(&packet, b.bytes, 60), WIRE_OK);
	assert_int_equal(packet.payload_len, 1); /* the rest is padding */
	b.bytes[0] = 0x45;
	assert_int_equal(ipv6_parse(&packet, b.bytes, 60), WIRE_BAD_VERSION);
}

/* Mapped addresses are IPv4's inside a host: from a wire they are a trick. */
static void test_addresses(void **state)
{
	static const struct {
		const char *src, *dst;
		enum wire_error error;
	} cases[] = {
		{"2001:db8::1", "2001:db8::2", WIRE_OK},
		{"::", "ff02::1", WIRE_OK},
		{"ff02::1", "2001:db8::2", WIRE_BAD_SOURCE},
		{"::ffff:192.0.2.1", "2001:db8::2", WIRE_BAD_SOURCE},
		{"2001:db8::1", "::ffff:192.0.2.1", WIRE_BAD_SOURCE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ip_packet packet = {.src = addr(cases[i].src), .dst = addr(cases[i].dst)};
		uint8_t bytes[40];

		packet.protocol = IP_TCP;
		ipv6_emit(bytes, &packet);
		assert_int_equal(ipv6_parse(&packet, bytes, 40), cases[i].error);
	}
}

static void test_all_headers(void **state)
{
	static const uint8_t pad[] = {0, 0, 1, 4, 0, 0, 0, 0}, atomic[] = {0, 9, 0, 6, 1, 2, 3, 4};
	static const uint8_t ones[16] = {0, 1}; /* Pad1, fourteen times */
	static const uint8_t at_end[] = {0, 0, 0, 0, 0, 0, 0, 0};
	struct ip_packet packet;
	struct build b;

	(void)state;
	begin(&b);
	add(&b, HOP, pad, sizeof pad);
	add(&b, DESTINATION, ones, sizeof ones);
	add(&b, ROUTING, at_end, sizeof at_end); /* type 0, but nothing left to visit */
	add(&b, FRAGMENT, atomic, sizeof atomic);
	add(&b, DESTINATION, pad, sizeof pad);
	memcpy(b.bytes + b.len, "payload!", 8);
	b.len += 8;
	assert_int_equal(parse(&b, &packet), WIRE_OK);
	assert_int_equal(packet.protocol, IP_TCP);
	assert_int_equal(packet.protocol_at, b.next_at);
	assert_int_equal(packet.header_len, 40 + 8 + 16 + 8 + 8 + 8);
	assert_int_equal(packet.payload_len, 8);
	assert_false(packet.source_routed);
}

static void test_limit(void **state)
{
	static const uint8_t pad[] = {0, 0, 1, 4, 0, 0, 0, 0};
	struct ip_packet packet;
	struct build b;

	(void)state;
	begin(&b);
	for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++)
		add(&b, DESTINATION, pad, sizeof pad);
	assert_int_equal(parse(&b, &packet), WIRE_OK);
	add(&b, DESTINATION, pad, sizeof pad);
	assert_int_equal(parse(&b, &packet), WIRE_BAD_HEADER_LENGTH);
}

/* What the two upper bits of an unknown option ask for (RFC 8200 4.2). */
static void test_option_actions(void **state)
{
	static const struct {
		uint8_t type;
		enum wire_error error;
		bool owed, to_group;
	} cases[] = {
		{0x1e, WIRE_OK, false, false},	      {0x5e, WIRE_BAD_OPTION, false, false},
		{0x9e, WIRE_BAD_OPTION, true, true},  {0xde, WIRE_BAD_OPTION, true, false},
		{0xc2, WIRE_BAD_OPTION, true, false}, /* a jumbogram, which we do not know */
	};
	struct ip_packet packet;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t header[8] = {0, 0, 0, cases[i].type, 3, 1, 2, 3};

		for (int type = HOP; type <= DESTINATION; type += DESTINATION) {
			assert_int_equal(with_one((uint8_t)type, header, 8, &packet),
					 cases[i].error);
			assert_int_equal(packet.problem.owed, cases[i].owed);
			if (!cases[i].owed)
				continue;
			assert_int_equal(packet.problem.to_group, cases[i].to_group);
			assert_int_equal(packet.problem.code, IPV6_UNKNOWN_OPTION);
			assert_int_equal(packet.problem.at, 43);
		}
	}
}

/* Each option by its own length: what looks like one inside another's data is none. */
static void test_options_one_after_another(void **state)
{
	/* Unknown, to be skipped, 4 bytes long; then one to be told of. */
	static const uint8_t told[] = {0, 1, 0x1e, 4, 0, 0, 0, 0, 0xde, 6, 0, 0, 0, 0, 0, 0};
	/* The same bytes inside the data of an option of 12. */
	static const uint8_t hidden[] = {0, 1, 0x1e, 12, 0, 0, 0, 0, 0xde, 6, 0, 0, 0, 0, 0, 0};
	/* Pad1 between them, and PadN that reaches to the end. */
	static const uint8_t padded[] = {0, 1, 0, 0, 0x1e, 1, 0, 0, 1, 6, 0xde, 6, 0, 0, 0, 0};
	struct ip_packet packet;

	(void)state;
	assert_int_equal(with_one(DESTINATION, told, 16, &packet), WIRE_BAD_OPTION);
	assert_true(packet.problem.owed);
	assert_int_equal(packet.problem.at, 48);
	assert_int_equal(with_one(DESTINATION, hidden, 16, &packet), WIRE_OK);
	assert_int_equal(with_one(DESTINATION, padded, 16, &packet), WIRE_OK);
}

static void test_broken_options(void **state)
{
	static const uint8_t past[] = {0, 0, 1, 5, 0, 0, 0, 0}, last[] = {0, 0, 1, 3, 0, 0, 0, 7};
	static const uint8_t too_long[] = {0, 2, 1, 4, 0, 0, 0, 0};
	static const uint8_t longest[] = {0, 255, 1, 4, 0, 0, 0, 0};
	struct ip_packet packet;
	struct build b;

	(void)state;
	assert_int_equal(with_one(DESTINATION, past, 8, &packet), WIRE_BAD_OPTION);
	assert_int_equal(with_one(DESTINATION, last, 8, &packet), WIRE_BAD_OPTION);
	assert_false(packet.problem.owed);
	assert_int_equal(with_one(DESTINATION, too_long, 8, &packet), WIRE_BAD_HEADER_LENGTH);
	assert_int_equal(with_one(HOP, longest, 8, &packet), WIRE_BAD_HEADER_LENGTH);
	for (size_t n = 0; n < 8; n++) {
		begin(&b);
		add(&b, DESTINATION, too_long, 8);
		b.len -= 8 - n;
		assert_int_equal(parse(&b, &packet), WIRE_BAD_HEADER_LENGTH);
	}
}

static void test_hop_by_hop_elsewhere(void **state)
{
	static const uint8_t pad[] = {0, 0, 1, 4, 0, 0, 0, 0};
	struct ip_packet packet;
	struct build b;

	(void)state;
	begin(&b);
	add(&b, DESTINATION, pad, sizeof pad);
	add(&b, HOP, pad, sizeof pad);
	assert_int_equal(parse(&b, &packet), WIRE_BAD_OPTION);
	assert_true(packet.problem.owed);
	assert_int_equal(packet.problem.code, IPV6_UNKNOWN_NEXT_HEADER);
	assert_int_equal(packet.problem.at, 40);
}

static void test_routing(void **state)
{
	struct ip_packet packet;

	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		uint8_t header[8] = {0, 0, (uint8_t)type, 1};

		assert_int_equal(with_one(ROUTING, header, 8, &packet), WIRE_OK);
		assert_true(packet.source_routed && packet.problem.owed);
		assert_int_equal(packet.problem.code, IPV6_ERRONEOUS_FIELD);
		assert_int_equal(packet.problem.at, 42);
		header[3] = 0;
		assert_int_equal(with_one(ROUTING, header, 8, &packet), WIRE_OK);
		assert_false(packet.source_routed);
		assert_int_equal(packet.protocol, IP_TCP);
	}
}

/* Cut short behind Segments Left, it still says that this is not the end of the way. */
static void test_routing_cut_short(void **state)
{
	static const uint8_t header[8] = {IP_TCP, 0, 0, 1, 0, 0, 0, 0};

	(void)state;
	for (size_t len = 0; len <= sizeof header; len++) {
		struct ip_packet packet;
		struct build b;

		begin(&b);
		add(&b, ROUTING, header, len);
		assert_int_equal(parse(&b, &packet), len < 4 ? WIRE_BAD_HEADER_LENGTH : WIRE_OK);
		assert_int_equal(packet.source_routed, len >= 4);
		assert_int_equal(packet.problem.owed, len >= 4);
	}
}

static void test_fragments(void **state)
{
	uint8_t header[8] = {0, 0, 0, 0, 0, 0, 0, 1};
	struct ip_packet packet;

	(void)state;
	assert_int_equal(with_one(FRAGMENT, header, 8, &packet), WIRE_OK);
	put_be16(header + 2, 1); /* more follow */
	assert_int_equal(with_one(FRAGMENT, header, 8, &packet), WIRE_FRAGMENT);
	for (unsigned bit = 3; bit < 16; bit++) {
		put_be16(header + 2, (uint16_t)(1u << bit));
		assert_int_equal(with_one(FRAGMENT, header, 8, &packet), WIRE_FRAGMENT);
	}
	put_be16(header + 2, 6); /* reserved bits */
	assert_int_equal(with_one(FRAGMENT, header, 8, &packet), WIRE_OK);
}

/* What we do not know is left to the host, which says so. */
static void test_unknown(void **state)
{
	static const uint8_t pad[] = {0, 0, 1, 4, 0, 0, 0, 0};
	struct ip_packet packet;
	struct build b;

	(void)state;
	begin(&b);
	add(&b, DESTINATION, pad, sizeof pad);
	b.bytes[40] = ESP;
	assert_int_equal(parse(&b, &packet), WIRE_OK);
	assert_int_equal(packet.protocol, ESP);
	assert_int_equal(packet.protocol_at, 40);
}

/* Whatever the bytes, what the parser says lies inside them. */
static void test_random(void **state)
{
	static const uint8_t likely[] = {0, 6, 43, 44, 58, 60};
	struct rng r = rng(8200, 0);

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint8_t bytes[160];
		size_t len = 40 + rng_below(&r, 121);
		struct ip_packet packet;
		enum wire_error error;
		uint8_t *copy;

		fill_random(&r, bytes, len);
		for (size_t at = 40; at + 8 <= len; at += 8) {
			bytes[at] = likely[rng_below(&r, 6)];
			bytes[at + 1] = (uint8_t)rng_below(&r, 3);
		}
		bytes[0] = 0x60;
		bytes[6] = likely[rng_below(&r, 6)];
		put_be16(bytes + 4, (uint16_t)(len - 40));
		copy = exact_copy(bytes, len);
		error = ipv6_parse(&packet, copy, len);
		if (error == WIRE_OK) {
			assert_ptr_equal(packet.payload, copy + packet.header_len);
			assert_int_equal(packet.header_len + packet.payload_len, len);
		}
		if (error == WIRE_OK || error == WIRE_BAD_OPTION) {
			assert_in_range(packet.protocol_at, 6, len - 1);
			assert_true(packet.problem.at < len);
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_all_headers),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_option_actions),
		cmocka_unit_test(test_options_one_after_another),
		cmocka_unit_test(test_broken_options),
		cmocka_unit_test(test_hop_by_hop_elsewhere),
		cmocka_unit_test(test_routing),
		cmocka_unit_test(test_routing_cut_short),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
