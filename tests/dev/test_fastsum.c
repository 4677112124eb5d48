/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/rng.h"
#include "dev/fastsum.h"

#define MAX 2100

/* Random, or full of the bytes that make carries. */
static void fill(struct rng *r, uint8_t *p, size_t len)
{
	uint64_t kind = rng_below(r, 4);

	for (size_t i = 0; i < len; i++)
		p[i] = kind == 0 ? 0 : kind == 1 ? 0xff : (uint8_t)rng_next(r);
}

static void test_choice(void **state)
{
	const struct fastsum *fast = fastsum_best(), *last = fast;
	unsigned n = 0;

	(void)state;
	assert_ptr_equal(fast, fastsum_at(0));
	for (; fastsum_at(n); n++)
		last = fastsum_at(n);
	assert_true(n >= 1);
	assert_string_equal(last->name, "portable");
	assert_ptr_equal(last->sum, checksum_sum);
}

static void test_every_length(void **state)
{
	const struct fastsum *fast;
	struct rng r = rng(40, 0);
	uint8_t data[MAX + 64];

	(void)state;
	for (unsigned i = 0; (fast = fastsum_at(i)); i++)
		for (size_t len = 0; len <= MAX; len++) {
			const uint8_t *p = data + rng_below(&r, 64);

			fill(&r, data, sizeof data);
			assert_int_equal(checksum_fold(fast->sum(p, len)),
					 checksum_fold(checksum_sum(p, len)));
		}
}

static void test_copy(void **state)
{
	const struct fastsum *fast;
	struct rng r = rng(41, 0);
	uint8_t data[MAX + 64], copy[MAX + 128], want[MAX + 128];

	(void)state;
	for (unsigned i = 0; (fast = fastsum_at(i)); i++)
		for (size_t len = 0; len <= MAX; len++) {
			const uint8_t *p = data + rng_below(&r, 64);
			size_t at = rng_below(&r, 64);

			fill(&r, data, sizeof data);
			memset(copy, 0x5a, sizeof copy);
			memset(want, 0x5a, sizeof want);
			memcpy(want + at, p, len);
			assert_int_equal(checksum_fold(fast->copy_sum(copy + at, p, len)),
					 checksum_fold(checksum_sum(p, len)));
			assert_memory_equal(copy, want, sizeof copy);
		}
}

/* Only a sum of nothing but zero bytes is 0, wherever the one other byte stands. */
static void test_zero(void **state)
{
	const struct fastsum *fast;
	uint8_t data[300] = {0}, copy[300];

	(void)state;
	for (unsigned i = 0; (fast = fastsum_at(i)); i++) {
		assert_true(fast->sum(data, sizeof data) == 0);
		for (size_t at = 0; at < sizeof data; at++) {
			data[at] = 1;
			assert_true(fast->sum(data, sizeof data) != 0);
			assert_true(fast->copy_sum(copy, data, sizeof data) != 0);
			data[at] = 0;
		}
	}
}

/* Nothing outside the data is touched: behind it begins memory that must not be. */
static void test_edge(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *map = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
	const struct fastsum *fast;

	(void)state;
	assert_true(map != MAP_FAILED);
	memset(map, 0xa5, 4 * page);
	assert_int_equal(mprotect(map + page, page, PROT_NONE), 0);
	assert_int_equal(mprotect(map + 3 * page, page, PROT_NONE), 0);
	for (unsigned i = 0; (fast = fastsum_at(i)); i++)
		for (size_t len = 1; len < 300; len++) {
			const uint8_t *p = map + page - len;
			uint8_t *to = map + 3 * page - len;
			uint16_t want = checksum_fold(checksum_sum(p, len));

			assert_int_equal(checksum_fold(fast->sum(p, len)), want);
			assert_int_equal(checksum_fold(fast->copy_sum(to, p, len)), want);
			p = map + 2 * page;
			want = checksum_fold(checksum_sum(p, len));
			assert_int_equal(checksum_fold(fast->sum(p, len)), want);
		}
	munmap(map, 4 * page);
}

/* More than 64 MiB of the largest bytes: no lane overflows. */
static void test_long(void **state)
{
	size_t len = ((size_t)64 << 20) + 65 * 1024 + 7;
	uint8_t *data = malloc(len), *copy = malloc(len);
	const struct fastsum *fast;
	uint16_t want;

	(void)state;
	assert_non_null(data);
	assert_non_null(copy);
	memset(data, 0xff, len);
	data[12345] = 0x3c;
	want = checksum_fold(checksum_sum(data, len));
	for (unsigned i = 0; (fast = fastsum_at(i)); i++) {
		assert_int_equal(checksum_fold(fast->sum(data, len)), want);
		assert_int_equal(checksum_fold(fast->copy_sum(copy, data, len)), want);
		assert_memory_equal(data, copy, len);
	}
	free(data);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice), cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_copy),   cmocka_unit_test(test_zero),
		cmocka_unit_test(test_edge),   cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
