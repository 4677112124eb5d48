/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include "base/bytes.h"
#include "wire/ipv4.h"

/* 172.16.10.99 to 172.16.10.12, TCP, 40 bytes of payload: a header whose checksum is known. */
static const uint8_t golden[IPV4_HEADER_LEN] = {
	0x45, 0x00, 0x00, 0x3c, 0x1c, 0x46, 0x40, 0x00, 0x40, 0x06,
	0xb1, 0xe6, 0xac, 0x10, 0x0a, 0x63, 0xac, 0x10, 0x0a, 0x0c,
};

/* Makes the header checksum right again. */
static void repair(uint8_t *bytes, size_t header_len)
{
	put_be16(bytes + 10, 0);
	put_be16(bytes + 10, (uint16_t)~naive_sum(0, bytes, header_len));
}

static void test_golden(void **state)
{
	uint8_t bytes[60] = {0}, out[IPV4_HEADER_LEN];
	struct ip_packet packet;

	(void)state;
	memcpy(bytes, golden, sizeof golden);
	assert_int_equal(ipv4_parse(&packet, bytes, sizeof bytes), WIRE_OK);
	assert_int_equal(packet.version, 4);
	assert_int_equal(ip_to_v4(&packet.src), 0xac100a63);
	assert_int_equal(ip_to_v4(&packet.dst), 0xac100a0c);
	assert_int_equal(packet.protocol, IP_TCP);
	assert_int_equal(packet.ttl, 64);
	assert_int_equal(packet.tos, 0);
	assert_int_equal(packet.id, 0x1c46);
	assert_true(packet.df);
	assert_false(packet.source_routed);
	assert_ptr_equal(packet.header, bytes);
	assert_int_equal(packet.header_len, 20);
	assert_ptr_equal(packet.payload, bytes + 20);
	assert_int_equal(packet.payload_len, 40);
	assert_int_equal(ipv4_emit(out, &packet), IPV4_HEADER_LEN);
	assert_memory_equal(out, golden, sizeof golden);
}

static void test_every_length(void **state)
{
	uint8_t bytes[80] = {0};
	struct ip_packet packet;

	(void)state;
	memcpy(bytes, golden, sizeof golden);
	for (size_t len = 0; len <= sizeof bytes; len++) {
		uint8_t *copy = exact_copy(bytes, len);
		enum wire_error error = ipv4_parse(&packet, copy, len);

		assert_int_equal(error, len < 20   ? WIRE_TRUNCATED
					: len < 60 ? WIRE_BAD_TOTAL_LENGTH
						   : WIRE_OK);
		/* What follows the total length is the link's padding. */
		if (error == WIRE_OK)
			assert_int_equal(packet.payload_len, 40);
		free(copy);
	}
}

/* Parses the golden header with one byte changed and the checksum right, behind it 40 bytes. */
static enum wire_error parse_with(struct ip_packet *packet, size_t at, uint8_t value)
{
	uint8_t bytes[60] = {0};
	size_t header_len;

	memcpy(bytes, golden, sizeof golden);
	bytes[at] = value;
	header_len = (bytes[0] & 15u) * 4;
	repair(bytes, header_len < 20 ? 20 : header_len);
	return ipv4_parse(packet, bytes, sizeof bytes);
}

static void test_version_and_header_length(void **state)
{
	struct ip_packet packet;

	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		enum wire_error expected = first >> 4 != 4    ? WIRE_BAD_VERSION
					   : (first & 15) < 5 ? WIRE_BAD_HEADER_LENGTH
							      : WIRE_OK;

		assert_int_equal(parse_with(&packet, 0, (uint8_t)first), expected);
		if (expected == WIRE_OK)
			assert_int_equal(packet.payload_len, 60 - (first & 15) * 4);
	}
}

static void test_header_longer_than_packet(void **state)
{
	uint8_t bytes[24] = {0};
	struct ip_packet packet;

	(void)state;
	memcpy(bytes, golden, sizeof golden);
	bytes[0] = 0x47;
	bytes[3] = 24;
	repair(bytes, 24);
	assert_int_equal(ipv4_parse(&packet, bytes, sizeof bytes), WIRE_BAD_HEADER_LENGTH);
	bytes[0] = 0x46;
	bytes[3] = 23; /* total length inside the header */
	repair(bytes, 24);
	assert_int_equal(ipv4_parse(&packet, bytes, sizeof bytes), WIRE_BAD_TOTAL_LENGTH);
	bytes[3] = 24;
	repair(bytes, 24);
	assert_int_equal(ipv4_parse(&packet, bytes, sizeof bytes), WIRE_OK);
	assert_int_equal(packet.payload_len, 0);
}

static void test_total_length(void **state)
{
	struct ip_packet packet;

	(void)state;
	for (unsigned len = 0; len < 256; len++) {
		enum wire_error error = parse_with(&packet, 3, (uint8_t)len);

		assert_int_equal(error, len < 20 || len > 60 ? WIRE_BAD_TOTAL_LENGTH : WIRE_OK);
		if (error == WIRE_OK)
			assert_int_equal(packet.payload_len, len - 20);
	}
}

static void test_each_flipped_bit_breaks_the_checksum(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 160; bit++) {
		uint8_t bytes[60] = {0};
		struct ip_packet packet;
		enum wire_error error;

		memcpy(bytes, golden, sizeof golden);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		error = ipv4_parse(&packet, bytes, sizeof bytes);
		assert_int_not_equal(error, WIRE_OK);
		if (bit / 8 > 3)
			assert_int_equal(error, WIRE_BAD_CHECKSUM);
	}
}

static void test_fragments(void **state)
{
	struct ip_packet packet;

	(void)state;
	assert_int_equal(parse_with(&packet, 6, 0x20), WIRE_FRAGMENT); /* more to come */
	assert_int_equal(parse_with(&packet, 6, 0x60), WIRE_FRAGMENT); /* with DF: absurd */
	assert_int_equal(parse_with(&packet, 7, 0x01), WIRE_FRAGMENT); /* the last one */
	assert_int_equal(parse_with(&packet, 6, 0x1f), WIRE_FRAGMENT);
	assert_int_equal(packet.protocol, IP_TCP); /* filled all the same */
	assert_int_equal(parse_with(&packet, 6, 0x00), WIRE_OK);
	assert_false(packet.df);
	assert_int_equal(parse_with(&packet, 6, 0x80), WIRE_OK); /* the reserved bit is nothing */
}

static void test_sources(void **state)
{
	static const struct {
		uint32_t src;
		enum wire_error error;
	} cases[] = {
		{0x00000000, WIRE_BAD_SOURCE}, {0xe0000001, WIRE_BAD_SOURCE},
		{0xefffffff, WIRE_BAD_SOURCE}, {0xffffffff, WIRE_BAD_SOURCE},
		{0x7f000001, WIRE_OK},	       {0xdfffffff, WIRE_OK},
		{0xf0000001, WIRE_OK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t bytes[60] = {0};
		struct ip_packet packet;

		memcpy(bytes, golden, sizeof golden);
		put_be32(bytes + 12, cases[i].src);
		repair(bytes, 20);
		assert_int_equal(ipv4_parse(&packet, bytes, sizeof bytes), cases[i].error);
		assert_int_equal(ip_to_v4(&packet.src), cases[i].src);
	}
}

/* Parses a header with these options (a multiple of 4 bytes) and no payload. */
static enum wire_error parse_options(struct ip_packet *packet, const uint8_t *options, size_t len)
{
	uint8_t bytes[IPV4_HEADER_MAX];
	uint8_t *copy;
	enum wire_error error;

	memcpy(bytes, golden, sizeof golden);
	memcpy(bytes + 20, options, len);
	bytes[0] = (uint8_t)(0x40 | (20 + len) / 4);
	bytes[3] = (uint8_t)(20 + len);
	repair(bytes, 20 + len);
	copy = exact_copy(bytes, 20 + len);
	error = ipv4_parse(packet, copy, 20 + len);
	free(copy);
	return error;
}

static void test_options(void **state)
{
	static const struct {
		uint8_t options[8];
		enum wire_error error;
		bool source_routed;
	} cases[] = {
		{{0, 0, 0, 0, 0, 0, 0, 0}, WIRE_OK, false},
		{{1, 1, 1, 1, 1, 1, 1, 1}, WIRE_OK, false},
		{{148, 4, 0, 0, 0, 0, 0, 0}, WIRE_OK, false}, /* router alert */
		{{7, 7, 4, 0, 0, 0, 0, 0}, WIRE_OK, false},   /* record route */
		/* What is not known is stepped over by its length, whatever its type. */
		{{148, 4, 0, 0, 131, 3, 4, 0}, WIRE_OK, true},
		{{2, 4, 131, 3, 137, 3, 4, 0}, WIRE_OK, true},
		{{2, 6, 131, 3, 4, 0, 1, 0}, WIRE_OK, false},
		{{148, 4, 0, 0, 131, 5, 4, 0}, WIRE_BAD_OPTION, false},
		{{131, 7, 4, 192, 0, 2, 9, 0}, WIRE_OK, true},
		{{137, 7, 4, 192, 0, 2, 9, 0}, WIRE_OK, true},
		{{1, 131, 7, 4, 192, 0, 2, 9}, WIRE_OK, true},
		{{0, 131, 7, 4, 192, 0, 2, 9}, WIRE_OK, false},	 /* behind the end */
		{{131, 7, 200, 192, 0, 2, 9, 0}, WIRE_OK, true}, /* pointer past the end */
		{{131, 8, 4, 192, 0, 2, 9, 0}, WIRE_OK, true},
		{{131, 9, 4, 192, 0, 2, 9, 0}, WIRE_BAD_OPTION, false},
		{{131, 255, 4, 192, 0, 2, 9, 0}, WIRE_BAD_OPTION, false},
		{{131, 0, 0, 0, 0, 0, 0, 0}, WIRE_BAD_OPTION, false},
		{{131, 1, 0, 0, 0, 0, 0, 0}, WIRE_BAD_OPTION, false},
		{{131, 2, 0, 0, 0, 0, 0, 0}, WIRE_OK, true},
		{{99, 0, 0, 0, 0, 0, 0, 0}, WIRE_BAD_OPTION, false},
		{{99, 1, 0, 0, 0, 0, 0, 0}, WIRE_BAD_OPTION, false},
		{{99, 8, 0, 0, 0, 0, 0, 0}, WIRE_OK, false},
		{{1, 1, 1, 1, 1, 1, 1, 99}, WIRE_BAD_OPTION, false}, /* no length byte */
		{{1, 1, 1, 1, 1, 1, 99, 2}, WIRE_OK, false},
		{{1, 1, 1, 1, 1, 1, 99, 3}, WIRE_BAD_OPTION, false},
	};
	struct ip_packet packet;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(parse_options(&packet, cases[i].options, 8), cases[i].error);
		if (cases[i].error == WIRE_OK)
			assert_int_equal(packet.source_routed, cases[i].source_routed);
	}
}

/* Every kind with every length, in a full header: it ends, and inside its bytes. */
static void test_options_of_every_kind_and_length(void **state)
{
	uint8_t options[40];
	struct ip_packet packet;

	(void)state;
	for (unsigned kind = 0; kind < 256; kind++) {
		for (unsigned len = 0; len < 256; len++) {
			bool walkable = kind < 2 || (len >= 2 && len <= 40);

			memset(options, 1, sizeof options);
			options[0] = (uint8_t)kind;
			options[1] = (uint8_t)len;
			if (kind == 1)
				options[1] = 1;
			assert_int_equal(parse_options(&packet, options, sizeof options),
					 walkable ? WIRE_OK : WIRE_BAD_OPTION);
		}
	}
}

static void test_round_trip(void **state)
{
	struct rng r = rng(5, 0);

	(void)state;
	for (int i = 0; i < 2000; i++) {
		size_t len = (size_t)rng_below(&r, i % 10 == 0 ? 65516 : 100);
		uint8_t *bytes = calloc(1, 20 + len);
		struct ip_packet in = {
			.src = ip_from_v4((uint32_t)rng_next(&r) >> 1 | 1),
			.dst = ip_from_v4((uint32_t)rng_next(&r)),
			.protocol = (uint8_t)rng_next(&r),
			.ttl = (uint8_t)rng_next(&r),
			.tos = (uint8_t)rng_next(&r),
			.id = (uint16_t)rng_next(&r),
			.df = i % 2 == 0,
			.payload_len = len,
		};
		struct ip_packet out;

		assert_non_null(bytes);
		assert_int_equal(ipv4_emit(bytes, &in), IPV4_HEADER_LEN);
		assert_int_equal(naive_sum(0, bytes, 20), 0xffff);
		assert_int_equal(ipv4_parse(&out, bytes, 20 + len), WIRE_OK);
		assert_true(ip_equal(&out.src, &in.src) && ip_equal(&out.dst, &in.dst));
		assert_int_equal(out.protocol, in.protocol);
		assert_int_equal(out.ttl, in.ttl);
		assert_int_equal(out.tos, in.tos);
		assert_int_equal(out.id, in.id);
		assert_int_equal(out.df, in.df);
		assert_int_equal(out.payload_len, len);
		free(bytes);
	}
}

/* Whatever comes, what is accepted lies inside what was given. */
static void test_random_bytes(void **state)
{
	struct rng r = rng(6, 0);
	unsigned accepted = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint8_t noise[96];
		size_t len = (size_t)rng_below(&r, sizeof noise + 1);
		struct ip_packet packet;
		uint8_t *bytes;

		fill_random(&r, noise, sizeof noise);
		noise[0] = (uint8_t)(0x40 | (i % 4 == 0 ? 5 : noise[0] & 15));
		if (i % 2 == 0) {
			noise[2] = 0;
			noise[6] = 0;
			noise[7] = 0;
			repair(noise, (noise[0] & 15u) * 4);
		}
		bytes = exact_copy(noise, len);
		if (ipv4_parse(&packet, bytes, len) == WIRE_OK) {
			accepted++;
			assert_ptr_equal(packet.header, bytes);
			assert_ptr_equal(packet.payload, bytes + packet.header_len);
			assert_true(packet.header_len + packet.payload_len <= len);
		}
		free(bytes);
	}
	assert_true(accepted > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_version_and_header_length),
		cmocka_unit_test(test_header_longer_than_packet),
		cmocka_unit_test(test_total_length),
		cmocka_unit_test(test_each_flipped_bit_breaks_the_checksum),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_options_of_every_kind_and_length),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
