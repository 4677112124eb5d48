/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include "dev/switch.h"

static struct eth_addr mac(uint32_t number)
{
	return (struct eth_addr){{2, 0, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
				  (uint8_t)(number >> 8), (uint8_t)number}};
}

static void test_learning(void **state)
{
	static struct switch_table table;

	(void)state;
	assert_int_equal(switch_port(&table, mac(1)), SWITCH_FLOOD);
	switch_learn(&table, mac(1), 5);
	switch_learn(&table, mac(2), 6);
	assert_int_equal(switch_port(&table, mac(1)), 5);
	assert_int_equal(switch_port(&table, mac(2)), 6);
	/* A station that moves is where it was heard last. */
	switch_learn(&table, mac(1), 7);
	assert_int_equal(switch_port(&table, mac(1)), 7);
	switch_forget(&table, 7);
	assert_int_equal(switch_port(&table, mac(1)), SWITCH_FLOOD);
	assert_int_equal(switch_port(&table, mac(2)), 6);
}

static void test_groups(void **state)
{
	static struct switch_table table;
	struct eth_addr all = {{255, 255, 255, 255, 255, 255}}, some = {{1, 0, 0x5e, 0, 0, 1}};
	struct eth_addr none = {{0}};

	(void)state;
	switch_learn(&table, all, 1);
	switch_learn(&table, some, 1);
	switch_learn(&table, none, 1);
	assert_int_equal(switch_port(&table, all), SWITCH_FLOOD);
	assert_int_equal(switch_port(&table, some), SWITCH_FLOOD);
	assert_int_equal(switch_port(&table, none), SWITCH_FLOOD);
}

/* However many addresses are forged, a station that speaks now and then is still found. */
static void test_flood_of_addresses(void **state)
{
	static struct switch_table table;
	size_t known = 0;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		switch_learn(&table, mac(1000 + i), 1);
		if (i % 50 == 0) {
			switch_learn(&table, mac(7), 2);
			assert_int_equal(switch_port(&table, mac(7)), 2);
		}
	}
	for (uint32_t i = 0; i < 100000; i++)
		known += switch_port(&table, mac(1000 + i)) == 1;
	assert_in_range(known, SWITCH_STATIONS * 9 / 10, SWITCH_STATIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learning),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_flood_of_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
