/* SPDX-License-Identifier: MIT */
#include "spoken.h"

#include "tool/option.h"
#include "tool/words.h"

struct values {
	bool flag, other;
	const char *text;
	struct option_list list;
	uint64_t count, percent, ms, s, mbit, bytes;
};

#define PLACE(field) offsetof(struct values, field)

static const struct option options[] = {
	{"flag", 'f', NULL, OPTION_FLAG, PLACE(flag), 0, 0, "a switch"},
	{"other", 'g', NULL, OPTION_FLAG, PLACE(other), 0, 0, "another"},
	{"text", 't', "WORD", OPTION_TEXT, PLACE(text), 0, 0, "some text"},
	{"list", 'l', "WORD", OPTION_LIST, PLACE(list), 0, 0, "many times"},
	{"count", 0, "N", OPTION_COUNT, PLACE(count), 2, 100, "a number"},
	{"loss", 0, "PCT", OPTION_PERCENT, PLACE(percent), 0, 1000000, "a percentage"},
	{"delay", 0, "MS", OPTION_MS, PLACE(ms), 0, 60000000000, "milliseconds"},
	{"linger", 0, "S", OPTION_S, PLACE(s), 0, 0, "seconds"},
	{"rate", 0, "MBIT", OPTION_MBIT, PLACE(mbit), 1000, 1000000000, "a rate"},
	{"an-option-with-a-long-name", 0, "BYTES", OPTION_BYTES, PLACE(bytes), 1, 1 << 30,
	 "a size, with a help that is so long that it must go on in the next line, where it "
	 "begins in the same column"},
	{0},
};

static const struct command command = {
	.name = "test",
	.operands = "A [B]",
	.summary = "",
	.about = "About.",
	.options = options,
	.operands_min = 1,
	.operands_max = 2,
};

static const struct command runner = {
	.name = "run",
	.operands = "PROGRAM [ARG]...",
	.summary = "",
	.about = "",
	.options = options,
	.operands_min = 1,
	.operands_max = -1,
	.program = true,
};

#define WORDS_MAX 16

struct parsed {
	int status, operands;
	struct values values;
	char *argv[WORDS_MAX];
	const char *out, *err;
};

/* Words are divided by single spaces. */
static struct parsed parse(const struct command *c, const char *line)
{
	static char copy[512];
	struct parsed p = {.values = {.count = 7}};
	int argc = 1;

	p.argv[0] = copy;
	snprintf(copy, sizeof copy, "test %s", line);
	for (char *at = copy; (at = strchr(at, ' '));) {
		*at++ = 0;
		if (*at)
			p.argv[argc++] = at;
	}
	spoken_begin();
	p.status = option_parse(c, argc, p.argv, &p.values, &p.operands);
	spoken_end(&p.out, &p.err);
	return p;
}

static void test_values(void **state)
{
	struct parsed p = parse(&command, "--flag a --text=x=y --count 100 --loss 0.5 --delay "
					  "20.25 --linger=1.5 --rate 2.5 b");

	(void)state;
	assert_int_equal(p.status, OPTION_GO_ON);
	assert_string_equal(p.err, "");
	assert_int_equal(p.operands, 2);
	assert_string_equal(p.argv[0], "a");
	assert_string_equal(p.argv[1], "b");
	assert_null(p.argv[2]);
	assert_true(p.values.flag);
	assert_string_equal(p.values.text, "x=y");
	assert_int_equal(p.values.count, 100);
	assert_int_equal(p.values.percent, 5000);
	assert_int_equal(p.values.ms, 20250000);
	assert_int_equal(p.values.s, 1500000000);
	assert_int_equal(p.values.mbit, 2500000);

	p = parse(&command, "a");
	assert_int_equal(p.values.count, 7);
	assert_false(p.values.flag);
	p = parse(&command, "a -lx -l y --list=z -t w");
	assert_int_equal(p.values.list.n, 3);
	assert_string_equal(p.values.list.text[0], "x");
	assert_string_equal(p.values.list.text[1], "y");
	assert_string_equal(p.values.list.text[2], "z");
	assert_string_equal(p.values.text, "w");
}

/* Flags may share a dash, and the last may be an option with a value. */
static void test_letters(void **state)
{
	struct parsed p = parse(&command, "-gf a");

	(void)state;
	assert_int_equal(p.status, OPTION_GO_ON);
	assert_true(p.values.flag && p.values.other);
	p = parse(&command, "a -gt word -f");
	assert_int_equal(p.status, OPTION_GO_ON);
	assert_true(p.values.flag && p.values.other);
	assert_string_equal(p.values.text, "word");
	p = parse(&command, "a -gtfl");
	assert_false(p.values.flag);
	assert_string_equal(p.values.text, "fl");
	assert_int_equal(parse(&command, "a -gh").status, EXIT_OK);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {{"1", 1}, {"4k", 4096}, {"4K", 4096}, {"3MiB", 3 << 20}, {"1G", 1 << 30}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char line[80];
		struct parsed p;

		snprintf(line, sizeof line, "a --an-option-with-a-long-name %s", cases[i].text);
		p = parse(&command, line);
		assert_int_equal(p.status, OPTION_GO_ON);
		assert_int_equal(p.values.bytes, cases[i].bytes);
	}
}

static void test_refusals(void **state)
{
	static const char *const cases[][2] = {
		{"a --loss 120", "--loss: '120' is not between 0 and 100 (percent)"},
		{"a --loss -1", "--loss: '-1' is not a number (percent)"},
		{"a --loss 1.00001", "--loss: '1.00001' is not a number (percent)"},
		{"a --loss 5%", "--loss: '5%' is not a number (percent)"},
		{"a --loss=", "--loss: '' is not a number (percent)"},
		{"a --loss .", "--loss: '.' is not a number (percent)"},
		{"a --count 1", "--count: '1' is not between 2 and 100"},
		{"a --count 2.5", "--count: '2.5' is not a whole number"},
		{"a --delay 60000.1",
		 "--delay: '60000.1' is not between 0 and 60000 (milliseconds)"},
		{"a --rate 0.0001", "--rate: '0.0001' is not between 0.001 and 1000 (Mbit/s)"},
		{"a --delay 99999999999999999999",
		 "--delay: '99999999999999999999' is not a number (milliseconds)"},
		{"a --count", "--count needs a value: N"},
		{"a --flag=1", "--flag takes no value"},
		{"a --lsos 1", "no option '--lsos'; is it '--loss'?"},
		{"a --nothing-like-it",
		 "no option '--nothing-like-it'; 'parley test --help' lists them"},
		{"a -x", "no option '-x'; 'parley test --help' lists them"},
		{"a -fx", "no option '-x' in '-fx'; 'parley test --help' lists them"},
		{"a -fgt", "--text needs a value: WORD"},
		{"", "missing A [B]; 'parley test --help' shows how"},
		{"a b c", "'c' is one too many; 'parley test --help' shows how"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct parsed p = parse(&command, cases[i][0]);
		char expected[200];

		snprintf(expected, sizeof expected, "parley test: %s\n", cases[i][1]);
		assert_string_equal(p.err, expected);
		assert_string_equal(p.out, "");
		assert_int_equal(p.status, EXIT_USAGE);
	}
}

static void test_list_limit(void **state)
{
	struct values values = {0};
	char *argv[OPTION_LIST_MAX + 3];
	const char *out, *err;
	int operands, status;

	(void)state;
	for (int i = 0; i < OPTION_LIST_MAX + 2; i++)
		argv[i] = (char *)"-lx";
	argv[OPTION_LIST_MAX + 2] = NULL;
	spoken_begin();
	status = option_parse(&command, OPTION_LIST_MAX + 2, argv, &values, &operands);
	spoken_end(&out, &err);
	assert_int_equal(status, EXIT_USAGE);
	assert_string_equal(err, "parley test: --list: given more than 64 times\n");
	assert_int_equal(values.list.n, OPTION_LIST_MAX);
}

static void test_where_options_end(void **state)
{
	struct parsed p = parse(&command, "-- --flag");

	(void)state;
	assert_int_equal(p.status, OPTION_GO_ON);
	assert_false(p.values.flag);
	assert_string_equal(p.argv[0], "--flag");
	/* "-" alone is no option. */
	p = parse(&command, "-");
	assert_string_equal(p.argv[0], "-");
	/* What a program is given is the program's. */
	p = parse(&runner, "--flag -- prog --text -- x");
	assert_true(p.values.flag);
	assert_null(p.values.text);
	assert_int_equal(p.operands, 4);
	assert_string_equal(p.argv[0], "prog");
	assert_string_equal(p.argv[1], "--text");
	assert_string_equal(p.argv[2], "--");
	assert_string_equal(p.argv[3], "x");
	p = parse(&runner, "prog --help");
	assert_int_equal(p.status, OPTION_GO_ON);
	assert_int_equal(p.operands, 2);
}

static void test_help(void **state)
{
	struct parsed p = parse(&command, "--help");
	int column = 0;

	(void)state;
	assert_int_equal(p.status, EXIT_OK);
	assert_string_equal(p.err, "");
	assert_non_null(strstr(p.out, "Usage: parley test [OPTION]... A [B]\n\nAbout.\n"));
	assert_non_null(strstr(p.out, "\n  -f, --flag              a switch\n"));
	assert_non_null(strstr(p.out, "\n  -t, --text WORD         some text\n"));
	assert_non_null(strstr(p.out, "\n  --an-option-with-a-long-name BYTES\n"
				      "                          a size, with a help"));
	assert_non_null(strstr(p.out, "\n  -h, --help              show this\n"));
	for (const char *at = p.out; *at; at++) {
		column = *at == '\n' ? 0 : column + 1;
		assert_true(column <= 80);
	}
	assert_int_equal(parse(&command, "-h").status, EXIT_OK);
	/* The line is read from left to right. */
	assert_int_equal(parse(&command, "--bad --help").status, EXIT_USAGE);
	p = parse(&runner, "--help");
	assert_non_null(strstr(p.out, "Usage: parley run [OPTION]... -- PROGRAM [ARG]...\n"));
}

static void test_decimals(void **state)
{
	static const struct {
		const char *text;
		unsigned scale;
		uint64_t number;
		const char *rest; /* NULL: refused */
	} cases[] = {
		{"0", 0, 0, ""},
		{"12", 3, 12000, ""},
		{"1.5", 3, 1500, ""},
		{".5", 3, 500, ""},
		{"5.", 3, 5000, ""},
		{"1.2345", 3, 0, NULL},
		{"1.2340000", 3, 1234, ""},
		{"1.5ms", 3, 1500, "ms"},
		{"1.2.3", 3, 1200, ".3"},
		{"18446744073709551615", 0, UINT64_MAX, ""},
		{"18446744073709551616", 0, 0, NULL},
		{"18446744073709.551615", 6, UINT64_MAX, ""},
		{"18446744073709.551616", 6, 0, NULL},
		{"99999999999999999999999", 0, 0, NULL},
		{"", 0, 0, NULL},
		{"x", 0, 0, NULL},
		{"+1", 0, 0, NULL},
		{" 1", 0, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t number = 0;
		const char *end = "";

		assert_int_equal(option_decimal(cases[i].text, cases[i].scale, &number, &end),
				 cases[i].rest != NULL);
		if (!cases[i].rest)
			continue;
		assert_true(number == cases[i].number);
		assert_string_equal(end, cases[i].rest);
	}
}

static void test_distance(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} cases[] = {
		{"", "", 0},	  {"abc", "abc", 0},   {"abc", "abd", 1},
		{"abc", "ab", 1}, {"abc", "xabc", 1},  {"abc", "acb", 1},
		{"abc", "", 3},	  {"loss", "lsos", 1}, {"kitten", "sitting", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(words_distance(cases[i].a, cases[i].b), cases[i].distance);
		assert_int_equal(words_distance(cases[i].b, cases[i].a), cases[i].distance);
	}
}

static void test_filling(void **state)
{
	const char *out, *err;

	(void)state;
	spoken_begin();
	words_fill("one two three four\nfive", 0, 2, 10);
	words_fill("averyveryverylongword x", 4, 4, 10);
	words_fill("", 0, 2, 10);
	spoken_end(&out, &err);
	assert_string_equal(out, "  one two\n  three\n  four\n  five\n"
				 "averyveryverylongword\n    x\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	   cmocka_unit_test(test_letters),
		cmocka_unit_test(test_sizes),	   cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_list_limit), cmocka_unit_test(test_where_options_end),
		cmocka_unit_test(test_help),	   cmocka_unit_test(test_decimals),
		cmocka_unit_test(test_distance),   cmocka_unit_test(test_filling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
