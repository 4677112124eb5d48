/* SPDX-License-Identifier: MIT */
/* docs/trace.md has every event, field and value that there is, and none that there is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <parley/trace.h>

static char *text;

static int load(void **state)
{
	const char *source = getenv("PARLEY_SOURCE");
	char path[4096];
	size_t len;
	FILE *file;

	(void)state;
	snprintf(path, sizeof path, "%s/docs/trace.md", source ? source : ".");
	file = fopen(path, "rb");
	text = calloc(1, 1 << 20);
	if (!file || !text)
		return -1;
	len = fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	return len ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	free(text);
	return 0;
}

/* The next row of the table behind `at` that has a name in backquotes; NULL at the next heading. */
static const char *next_row(const char *at)
{
	while ((at = strchr(at, '\n'))) {
		at++;
		if (*at == '#')
			return NULL;
		if (!strncmp(at, "| `", 3))
			return at;
	}
	return NULL;
}

/* Does a row begin with "| `name` | second |"? */
static void check_row(const char *row, const char *name, const char *second)
{
	char expected[256];

	snprintf(expected, sizeof expected, "| `%s` | %s |", name, second);
	if (!row || strncmp(row, expected, strlen(expected)))
		fail_msg("expected %s, found %.60s", expected, row ? row : "nothing");
}

static const char *type_name(enum parley_field_type type)
{
	static const char *const names[] = {
		[PARLEY_FIELD_NUMBER] = "number", [PARLEY_FIELD_SEQ] = "sequence number",
		[PARLEY_FIELD_NS] = "ns",	  [PARLEY_FIELD_FLAGS] = "flags",
		[PARLEY_FIELD_STATE] = "state",	  [PARLEY_FIELD_DROP] = "reason",
		[PARLEY_FIELD_TIMER] = "timer",	  [PARLEY_FIELD_WHY] = "why",
		[PARLEY_FIELD_CAUSE] = "cause",	  [PARLEY_FIELD_CALL] = "call",
		[PARLEY_FIELD_ERROR] = "error",
	};

	return names[type];
}

static void test_events(void **state)
{
	static const char *const meanings[] = {
#define PARLEY_F(type, name)
#define PARLEY_X(n, t, m, fields) m,
		PARLEY_EVENTS_TABLE(PARLEY_X, PARLEY_F)
#undef PARLEY_X
#undef PARLEY_F
	};
	size_t headings = 0;

	(void)state;
	for (int kind = 0; kind < PARLEY_TRACE_COUNT; kind++) {
		const struct parley_field *field = parley_event_fields(kind);
		char heading[256];
		const char *row;

		snprintf(heading, sizeof heading, "\n### `%s`: %s\n", parley_event_name(kind),
			 meanings[kind]);
		row = strstr(text, heading);
		if (!row)
			fail_msg("no heading%s", heading);
		row++;
		while (field->name) {
			row = next_row(row);
			check_row(row, field->name, type_name(field->type));
			field++;
		}
		assert_null(next_row(row));
	}
	for (const char *at = text; (at = strstr(at, "\n### `")); at++)
		headings++;
	assert_int_equal(headings, PARLEY_TRACE_COUNT);
}

static void check_values(const char *heading, const char *const (*values)[2], size_t n)
{
	const char *row = strstr(text, heading);

	assert_non_null(row);
	row++;
	for (size_t i = 0; i < n; i++) {
		row = next_row(row);
		check_row(row, values[i][0], values[i][1]);
	}
	assert_null(next_row(row));
}

#define VALUES(heading, table)                                                 \
	do {                                                                   \
		static const char *const values[][2] = {table(PARLEY_X)};      \
		check_values(heading, values, sizeof values / sizeof *values); \
	} while (0)

static void test_values(void **state)
{
#define PARLEY_X(n, t, m) {t, m},
	(void)state;
	VALUES("\n### reason\n", PARLEY_DROPS);
	VALUES("\n### timer\n", PARLEY_TIMERS);
	VALUES("\n### why\n", PARLEY_WHYS);
	VALUES("\n### cause\n", PARLEY_CAUSES);
#undef PARLEY_X
}

static void test_calls(void **state)
{
	(void)state;
	for (int call = 0; call < PARLEY_CALL_COUNT; call++)
		assert_non_null(strstr(strstr(text, "| `call` |"), parley_call_name(call)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_calls),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
