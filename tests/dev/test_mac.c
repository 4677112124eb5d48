/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dev/mac.h"

static void test_drawn(void **state)
{
	uint8_t secret[16] = {0}, mac[6], again[6], other[6];

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		secret[3] = (uint8_t)i;
		mac_draw(mac, secret, "one");
		/* One station's, and given by nobody. */
		assert_int_equal(mac[0] & 3, 2);
		mac_draw(again, secret, "one");
		assert_memory_equal(mac, again, sizeof mac);
		mac_draw(other, secret, "two");
		assert_memory_not_equal(mac, other, sizeof mac);
		secret[3] ^= 1;
		mac_draw(other, secret, "one");
		assert_memory_not_equal(mac, other, sizeof mac);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
