/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include "wire/eth.h"

static void test_golden(void **state)
{
	static const uint8_t bytes[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00,
					0x5e, 0x10, 0x00, 0x01, 0x08, 0x06, 0xaa, 0xbb};
	uint8_t out[ETH_HEADER_LEN];
	struct eth_frame frame;

	(void)state;
	assert_int_equal(eth_parse(&frame, bytes, sizeof bytes), WIRE_OK);
	assert_true(eth_is_broadcast(frame.dst));
	assert_true(eth_equal(frame.src, (struct eth_addr){{2, 0, 0x5e, 0x10, 0, 1}}));
	assert_int_equal(frame.type, ETH_ARP);
	assert_ptr_equal(frame.payload, bytes + 14);
	assert_int_equal(frame.payload_len, 2);
	memset(out, 0xa5, sizeof out);
	assert_int_equal(eth_emit(out, &frame), ETH_HEADER_LEN);
	assert_memory_equal(out, bytes, ETH_HEADER_LEN);
}

static void test_every_length(void **state)
{
	static const uint8_t zeros[20];
	struct eth_frame frame;

	(void)state;
	for (size_t len = 0; len <= sizeof zeros; len++) {
		uint8_t *bytes = exact_copy(zeros, len);
		enum wire_error error = eth_parse(&frame, bytes, len);

		assert_int_equal(error, len < 14 ? WIRE_TRUNCATED : WIRE_OK);
		if (error == WIRE_OK)
			assert_int_equal(frame.payload_len, len - 14);
		free(bytes);
	}
}

static void test_round_trip(void **state)
{
	struct rng r = rng(1, 0);
	uint8_t bytes[ETH_HEADER_LEN], out[ETH_HEADER_LEN];
	struct eth_frame frame;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		fill_random(&r, bytes, sizeof bytes);
		assert_int_equal(eth_parse(&frame, bytes, sizeof bytes), WIRE_OK);
		eth_emit(out, &frame);
		assert_memory_equal(out, bytes, sizeof bytes);
	}
}

static void test_kinds_of_address(void **state)
{
	static const struct {
		struct eth_addr addr;
		bool broadcast, multicast, unicast;
	} cases[] = {
		{{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, true, true, false},
		{{{0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}}, false, true, false},
		{{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}}, false, true, false},
		{{{0x33, 0x33, 0x00, 0x00, 0x00, 0x01}}, false, true, false},
		{{{0x02, 0x00, 0x00, 0x00, 0x00, 0x01}}, false, false, true},
		{{{0x00, 0x00, 0x00, 0x00, 0x00, 0x01}}, false, false, true},
		{{{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff}}, false, false, true},
		{{{0x00, 0x00, 0x00, 0x00, 0x00, 0x00}}, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(eth_is_broadcast(cases[i].addr), cases[i].broadcast);
		assert_int_equal(eth_is_multicast(cases[i].addr), cases[i].multicast);
		assert_int_equal(eth_is_unicast(cases[i].addr), cases[i].unicast);
		for (size_t j = 0; j < sizeof cases / sizeof cases[0]; j++)
			assert_int_equal(eth_equal(cases[i].addr, cases[j].addr), i == j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_kinds_of_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
