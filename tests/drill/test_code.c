/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "drill/code.h"

#define VARIABLES 8

static struct {
	char name[32];
	struct drill_number value;
} variables[VARIABLES];

static bool look_up(void *context, const char *name, struct drill_number *value)
{
	(void)context;
	*value = (struct drill_number){.whole = 7};
	if (!strcmp(name, "seven"))
		return true;
	for (int i = 0; i < VARIABLES; i++) {
		if (strcmp(variables[i].name, name) || !variables[i].name[0])
			continue;
		*value = variables[i].value;
		return true;
	}
	return false;
}

static void assign(void *context, const char *name, const struct drill_number *value)
{
	int i = 0;

	(void)context;
	while (variables[i].name[0] && strcmp(variables[i].name, name))
		i++;
	strncpy(variables[i].name, name, sizeof variables[i].name - 1);
	variables[i].value = *value;
}

static const struct drill_names names = {NULL, look_up, assign};

static enum drill_code_result eval(const char *text, struct drill_error *error)
{
	memset(variables, 0, sizeof variables);
	error->text[0] = 0;
	return drill_code_eval(text, (struct drill_place){1, 1}, &names, error);
}

static const struct {
	const char *text;
	enum drill_code_result result;
} cases[] = {
	{"assert seven == 7", DRILL_CODE_FINE},
	{"assert seven == 8", DRILL_CODE_FALSE},
	{"assert seven != 8 and seven < 8 and seven <= 7 and seven > 6", DRILL_CODE_FINE},
	{"assert not seven", DRILL_CODE_FALSE},
	{"assert not seven == 8", DRILL_CODE_FINE},
	{"assert seven == 8 or seven == 7", DRILL_CODE_FINE},
	{"assert 1 or 0 and 0", DRILL_CODE_FINE},
	{"assert (1 or 0) and 0", DRILL_CODE_FALSE},
	{"assert 5 < seven < 9", DRILL_CODE_FINE},
	{"assert 5 < seven < 7", DRILL_CODE_FALSE},
	{"assert 2 + 3 * 4 == 14 and (2 + 3) * 4 == 20", DRILL_CODE_FINE},
	{"assert 10 - 2 - 3 == 5", DRILL_CODE_FINE},
	{"assert -7 // 2 == -4 and -7 % 3 == 2 and 7 // -2 == -4", DRILL_CODE_FINE},
	{"assert 7 / 2 == 3.5 and 1.5e3 == 1500", DRILL_CODE_FINE},
	{"assert 0x10 | 1 == 17", DRILL_CODE_FINE},
	{"assert (6 & 3) == 2 and (6 ^ 3) == 5 and 1 << 4 == 16 and ~0 == -1", DRILL_CODE_FINE},
	{"assert abs(-3) == 3 and min(4, 2) == 2 and max(4, 2) == 4 and int(3.9) == 3",
	 DRILL_CODE_FINE},
	{"assert True and not False", DRILL_CODE_FINE},
	{"assert seven == 7, 'seven is %d' % seven", DRILL_CODE_FINE},
	{"assert seven == 7, 'a message'", DRILL_CODE_FINE},
	{"assert seven == 7, f'seven is {seven}, {nothing(1, 2)}'", DRILL_CODE_FINE},
	{"assert seven == 7, 'seven is {}, {}'.format(\nseven, str(8))", DRILL_CODE_FINE},
	{"assert seven == 8, (seven, 8)", DRILL_CODE_FALSE},
	{"assert (seven == 7 and\n 1), [seven]; assert 0", DRILL_CODE_FALSE},
	{"assert seven in (6, 7)", DRILL_CODE_FINE},
	{"assert seven in [6, 8], seven", DRILL_CODE_FALSE},
	{"assert seven not in (\n6,\n8)", DRILL_CODE_FINE},
	{"assert seven not in (7,)", DRILL_CODE_FALSE},
	{"assert seven in (7, 8) and not seven in [8]", DRILL_CODE_FINE},
	{"assert seven in seven", DRILL_CODE_ERROR},
	{"assert seven not 7", DRILL_CODE_ERROR},
	{"assert seven in (7", DRILL_CODE_ERROR},
	{"assert 0 if seven else 1", DRILL_CODE_ERROR},
	{"assert seven == 7, (seven", DRILL_CODE_ERROR},
	{"assert round(6.6) == seven and round(-6.6) == -7", DRILL_CODE_FINE},
	{"print('%d %d' % (seven, 8)); print(f'{seven}'); assert 0", DRILL_CODE_FALSE},
	{"assert seven == 7, seven", DRILL_CODE_FINE},
	{"x = seven * 2\nassert x == 14", DRILL_CODE_FINE},
	{"x = 1; x = x + 1; assert x == 2", DRILL_CODE_FINE},
	{"print(seven, 'text')\nassert 1", DRILL_CODE_FINE},
	{"pass", DRILL_CODE_FINE},
	{"", DRILL_CODE_FINE},
	{"# only a comment\n\n", DRILL_CODE_FINE},
	{"assert (seven ==\n  7)", DRILL_CODE_FINE},
	{"assert seven == \\\n 7", DRILL_CODE_FINE},
	{"assert nobody == 7", DRILL_CODE_ERROR},
	{"assert seven ==", DRILL_CODE_ERROR},
	{"assert (seven", DRILL_CODE_ERROR},
	{"assert seven 7", DRILL_CODE_ERROR},
	{"import os", DRILL_CODE_ERROR},
	{"for x in y: pass", DRILL_CODE_ERROR},
	{"assert foo(3)", DRILL_CODE_ERROR},
	{"assert 1 / 0", DRILL_CODE_ERROR},
	{"assert 1 << 99", DRILL_CODE_ERROR},
	{"assert 1.5 | 1", DRILL_CODE_ERROR},
	{"7", DRILL_CODE_ERROR},
};

static void test_statements(void **unused)
{
	struct drill_error error;

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum drill_code_result result = eval(cases[i].text, &error);

		if (result != cases[i].result)
			fail_msg("'%s': %d, %s", cases[i].text, (int)result, error.text);
	}
}

static void test_what_is_told(void **unused)
{
	struct drill_error error;

	(void)unused;
	assert_int_equal(eval("x = 3\nassert x == 4 and seven == 7, 'no'", &error),
			 DRILL_CODE_FALSE);
	assert_int_equal(error.at.line, 2);
	assert_string_equal(error.text, "x == 4 and seven == 7 does not hold: x is 3, seven is 7");
	assert_int_equal(eval("assert 1\n  assert nobody", &error), DRILL_CODE_ERROR);
	assert_int_equal(error.at.line, 2);
	assert_int_equal(error.at.column, 10);
	assert_string_equal(error.text, "no name 'nobody'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_what_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
