/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "dev/outfile.h"

#define MS 1000000u

static size_t size_of(const char *name)
{
	struct stat status;

	assert_int_equal(stat(frames_path(name), &status), 0);
	return (size_t)status.st_size;
}

static void put(struct outfile *file, uint64_t now, size_t len)
{
	uint8_t *room = outfile_reserve(file, len);

	assert_non_null(room);
	memset(room, 'x', len);
	outfile_commit(file, now, len);
}

static void test_pieces(void **state)
{
	struct outfile file;

	(void)state;
	frames_directory();
	assert_int_equal(outfile_open(&file, frames_path("a")), 0);
	put(&file, 1000 * MS, 10);
	put(&file, 1099 * MS, 10);
	assert_int_equal(size_of("a"), 0);
	/* What waits longest has waited for 100 ms. */
	put(&file, 1100 * MS, 10);
	assert_int_equal(size_of("a"), 30);
	put(&file, 1200 * MS, 5);
	assert_non_null(outfile_reserve(&file, 100));
	outfile_commit(&file, 1200 * MS, 0);
	outfile_flush(&file);
	assert_int_equal(size_of("a"), 35);
	put(&file, 1300 * MS, 1);
	assert_int_equal(outfile_close(&file), 0);
	assert_int_equal(size_of("a"), 36);
	frames_clean();
}

/* More than the buffer holds. */
static void test_much(void **state)
{
	struct outfile file;
	size_t sum = 0;

	(void)state;
	frames_directory();
	assert_int_equal(outfile_open(&file, frames_path("a")), 0);
	for (size_t len = 1; sum < 3000000; len = (len * 3 + 1) % OUTFILE_PIECE_MAX) {
		put(&file, 0, len);
		sum += len;
	}
	put(&file, 0, OUTFILE_PIECE_MAX);
	assert_int_equal(outfile_close(&file), 0);
	assert_int_equal(size_of("a"), sum + OUTFILE_PIECE_MAX);
	frames_clean();
}

static void test_errors(void **state)
{
	struct outfile file;

	(void)state;
	assert_int_equal(outfile_open(&file, "/nowhere/at/all"), -ENOENT);
	/* A full disk: the first error stays, later pieces find no room. */
	assert_int_equal(outfile_open(&file, "/dev/full"), 0);
	put(&file, 0, 10);
	outfile_flush(&file);
	assert_int_equal(file.error, ENOSPC);
	assert_null(outfile_reserve(&file, 10));
	assert_int_equal(outfile_close(&file), -ENOSPC);

	assert_int_equal(outfile_open(&file, "/dev/null"), 0);
	assert_null(outfile_reserve(&file, OUTFILE_PIECE_MAX + 1));
	assert_int_equal(outfile_close(&file), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_much),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
