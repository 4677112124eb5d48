/* SPDX-License-Identifier: MIT */
/* The time of the last challenge ACK in 23 bits: never too early, at most a tick too late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tcp/entry.h"

static void test_none(void **unused)
{
	(void)unused;
	assert_int_equal(entry_challenged(UINT64_MAX), 0);
	for (uint64_t now = 0; now < UINT64_MAX / 2; now = now * 3 + 1)
		assert_int_equal(entry_last_challenge(now, 0), UINT64_MAX);
}

/* Around the places where ticks begin, and where 23 bits of them wrap. */
static void test_never_early(void **unused)
{
	const uint64_t wrap = (uint64_t)ENTRY_TICK * ENTRY_CHALLENGE_MAX;
	const uint64_t near[] = {
		0,    1,	ENTRY_TICK - 1,	   ENTRY_TICK, ENTRY_TICK + 1,	wrap - 1,
		wrap, wrap + 1, wrap - ENTRY_TICK, 5 * wrap,   7 * wrap + 12345};
	const uint64_t after[] = {0,	     1,		  ENTRY_TICK / 2,	ENTRY_TICK,
				  500000000, 60000000000, wrap - 3 * ENTRY_TICK};

	(void)unused;
	for (size_t i = 0; i < sizeof near / sizeof *near; i++)
		for (size_t k = 0; k < sizeof after / sizeof *after; k++) {
			uint64_t at = near[i], now = at + after[k];
			uint32_t ticks = entry_challenged(at);
			uint64_t last = entry_last_challenge(now, ticks);

			assert_in_range(ticks, 1, ENTRY_CHALLENGE_MAX);
			assert_true(last >= at && last <= now);
			assert_true(last - at < ENTRY_TICK);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_never_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
