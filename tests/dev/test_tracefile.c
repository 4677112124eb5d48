/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>

#include "dev/tracefile.h"

static char text[1 << 16];

/* The records' texts as RFC 7464 has them: between RS and LF. Returns how many. */
static size_t read_records(const char *path, cJSON **records, size_t max)
{
	FILE *file = fopen(path, "rb");
	size_t n = 0, len;

	assert_non_null(file);
	len = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[len] = 0;
	for (char *at = text; *at;) {
		char *end = strchr(at, '\n');

		assert_int_equal(*at, 0x1e);
		assert_non_null(end);
		*end = 0;
		assert_true(n < max);
		records[n] = cJSON_Parse(at + 1);
		assert_non_null(records[n++]);
		at = end + 1;
	}
	return n;
}

static const char *string(const cJSON *record, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, name));
}

static const struct tracefile_about about = {
	.host = "a \"quoted\\name\"\n",
	.address = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}},
	.prefix = 24,
};

static void test_records(void **state)
{
	struct parley_trace_event event = {
		.now = 123456789,
		.kind = PARLEY_TRACE_STATE,
		.conn = 7,
		.ifindex = 1,
		.local = {about.address, 1000},
		.value = {PARLEY_CLOSED, PARLEY_SYN_SENT, PARLEY_CAUSE_CALL},
	};
	cJSON *records[8];
	struct tracefile *file;

	(void)state;
	frames_directory();
	assert_int_equal(tracefile_open(&file, frames_path("t"), &about), 0);
	tracefile_event(file, &event);
	/* A change of state can be read at once. */
	assert_int_equal(read_records(frames_path("t"), records, 8), 2);
	assert_int_equal(cJSON_GetObjectItem(records[0], "trace")->valueint, 1);
	assert_string_equal(string(records[0], "parley"), parley_version());
	assert_string_equal(string(records[0], "host"), about.host);
	assert_string_equal(string(records[0], "address"), "10.0.0.1/24");
	assert_string_equal(string(records[0], "clock"), "monotonic");
	assert_int_equal(strlen(string(records[0], "zero")),
			 strlen("2025-01-31T12:34:56.123456789Z"));
	assert_string_equal(string(records[1], "event"), "state");
	assert_string_equal(string(records[1], "local"), "10.0.0.1:1000");
	assert_string_equal(string(records[1], "to"), "SYN-SENT");
	assert_int_equal(cJSON_GetObjectItem(records[1], "t")->valueint, 123456789);
	cJSON_Delete(records[0]);
	cJSON_Delete(records[1]);

	event.kind = PARLEY_TRACE_RTT;
	tracefile_event(file, &event);
	assert_int_equal(tracefile_close(file), 0);
	assert_int_equal(read_records(frames_path("t"), records, 8), 3);
	for (int i = 0; i < 3; i++)
		cJSON_Delete(records[i]);
	frames_clean();
}

static void test_virtual_clock(void **state)
{
	struct tracefile_about virtual = about;
	cJSON *records[2];
	struct tracefile *file;

	(void)state;
	frames_directory();
	virtual.virtual_clock = true;
	assert_int_equal(tracefile_open(&file, frames_path("t"), &virtual), 0);
	assert_int_equal(tracefile_close(file), 0);
	assert_int_equal(read_records(frames_path("t"), records, 2), 1);
	assert_string_equal(string(records[0], "clock"), "virtual");
	assert_null(string(records[0], "zero"));
	cJSON_Delete(records[0]);
	frames_clean();
}

/* Every kind of event fits a record, with the largest values that there are. */
static void test_all_kinds(void **state)
{
	struct parley_trace_event event = {.now = UINT64_MAX, .conn = UINT64_MAX, .ifindex = 64};
	cJSON *records[PARLEY_TRACE_COUNT + 1];
	struct tracefile *file;

	(void)state;
	memset(&event.local, 0xff, sizeof event.local);
	memset(&event.remote, 0xff, sizeof event.remote);
	for (int i = 0; i < PARLEY_TRACE_FIELDS; i++)
		event.value[i] = INT64_MIN;
	frames_directory();
	assert_int_equal(tracefile_open(&file, frames_path("t"), &about), 0);
	for (int kind = 0; kind < PARLEY_TRACE_COUNT; kind++) {
		event.kind = (enum parley_trace_kind)kind;
		tracefile_event(file, &event);
	}
	assert_int_equal(tracefile_close(file), 0);
	assert_int_equal(read_records(frames_path("t"), records, PARLEY_TRACE_COUNT + 1),
			 PARLEY_TRACE_COUNT + 1);
	for (int i = 0; i <= PARLEY_TRACE_COUNT; i++)
		cJSON_Delete(records[i]);
	frames_clean();
}

static void test_errors(void **state)
{
	struct tracefile *file;

	(void)state;
	assert_int_equal(tracefile_open(&file, "/nowhere/at/all", &about), -ENOENT);
	assert_int_equal(tracefile_open(&file, "/dev/full", &about), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_virtual_clock),
		cmocka_unit_test(test_all_kinds),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
