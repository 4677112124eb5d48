/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include "wire/arp.h"
#include "wire/ip.h"

/* 192.0.2.1 at 02:00:5e:10:00:01 asks for 192.0.2.2. */
static const uint8_t request[ARP_LEN] = {
	0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,	      /* Ethernet, IPv4, request */
	0x02, 0x00, 0x5e, 0x10, 0x00, 0x01, 192,  0,	2, 1, /* sender */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192,  0,	2, 2, /* target */
};

static void test_golden(void **state)
{
	struct arp_packet packet;
	uint8_t out[ARP_LEN];

	(void)state;
	assert_int_equal(arp_parse(&packet, request, sizeof request), WIRE_OK);
	assert_int_equal(packet.operation, ARP_REQUEST);
	assert_true(eth_equal(packet.sender_hw, (struct eth_addr){{2, 0, 0x5e, 0x10, 0, 1}}));
	assert_true(eth_equal(packet.target_hw, (struct eth_addr){{0}}));
	assert_true(ip_is_v4(&packet.sender) && ip_is_v4(&packet.target));
	assert_int_equal(ip_to_v4(&packet.sender), 0xc0000201);
	assert_int_equal(ip_to_v4(&packet.target), 0xc0000202);
	memset(out, 0xa5, sizeof out);
	assert_int_equal(arp_emit(out, &packet), ARP_LEN);
	assert_memory_equal(out, request, ARP_LEN);
}

static void test_every_length(void **state)
{
	uint8_t padded[46] = {0};
	struct arp_packet packet;

	(void)state;
	memcpy(padded, request, sizeof request);
	for (size_t len = 0; len <= sizeof padded; len++) {
		uint8_t *bytes = exact_copy(padded, len);

		assert_int_equal(arp_parse(&packet, bytes, len),
				 len < ARP_LEN ? WIRE_TRUNCATED : WIRE_OK);
		free(bytes);
	}
}

static enum wire_error parse_with(size_t at, uint8_t value)
{
	struct arp_packet packet;
	uint8_t bytes[ARP_LEN];

	memcpy(bytes, request, sizeof bytes);
	bytes[at] = value;
	return arp_parse(&packet, bytes, sizeof bytes);
}

static void test_only_ipv4_over_ethernet(void **state)
{
	(void)state;
	assert_int_equal(parse_with(1, 6), WIRE_BAD_TYPE); /* IEEE 802 */
	assert_int_equal(parse_with(0, 1), WIRE_BAD_TYPE);
	assert_int_equal(parse_with(2, 0x86), WIRE_BAD_TYPE); /* not IPv4 */
	assert_int_equal(parse_with(3, 1), WIRE_BAD_TYPE);
	assert_int_equal(parse_with(4, 0), WIRE_BAD_TYPE);
	assert_int_equal(parse_with(4, 255), WIRE_BAD_TYPE);
	assert_int_equal(parse_with(5, 16), WIRE_BAD_TYPE);
	assert_int_equal(parse_with(5, 0), WIRE_BAD_TYPE);
	assert_int_equal(parse_with(7, 0), WIRE_BAD_TYPE);
	assert_int_equal(parse_with(7, ARP_REPLY), WIRE_OK);
	assert_int_equal(parse_with(7, 3), WIRE_BAD_TYPE); /* RARP */
	assert_int_equal(parse_with(6, 1), WIRE_BAD_TYPE);
}

static void test_sender_is_one_host(void **state)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};
	struct arp_packet packet;
	uint8_t bytes[ARP_LEN];

	(void)state;
	assert_int_equal(parse_with(8, 0x03), WIRE_BAD_SOURCE); /* group bit */
	assert_int_equal(parse_with(14, 224), WIRE_BAD_SOURCE); /* multicast */
	memcpy(bytes, request, sizeof bytes);
	memcpy(bytes + 14, broadcast, 4);
	assert_int_equal(arp_parse(&packet, bytes, sizeof bytes), WIRE_BAD_SOURCE);
	memset(bytes + 14, 0, 4); /* a probe */
	assert_int_equal(arp_parse(&packet, bytes, sizeof bytes), WIRE_OK);
	assert_true(ip_is_unspecified(&packet.sender));
	memset(bytes + 8, 0, 6);
	assert_int_equal(arp_parse(&packet, bytes, sizeof bytes), WIRE_BAD_SOURCE);
}

static void test_round_trip(void **state)
{
	struct rng r = rng(2, 0);
	unsigned accepted = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint8_t bytes[ARP_LEN], out[ARP_LEN];
		struct arp_packet packet;

		fill_random(&r, bytes, sizeof bytes);
		if (i % 2 == 0) {
			memcpy(bytes, request, 8);
			bytes[7] = (uint8_t)(1 + (i / 2) % 2);
		}
		if (arp_parse(&packet, bytes, sizeof bytes) != WIRE_OK)
			continue;
		accepted++;
		arp_emit(out, &packet);
		assert_memory_equal(out, bytes, sizeof bytes);
	}
	assert_true(accepted > 20000); /* half of the good heads have a group for a sender */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_only_ipv4_over_ethernet),
		cmocka_unit_test(test_sender_is_one_host),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
