/* SPDX-License-Identifier: MIT */
/* Words written and read without a C library. */
#include "sim/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct sim_word word(const char *text)
{
	return (struct sim_word){text, strlen(text)};
}

static void numbers_are_written(void **state)
{
	char buf[128];
	struct sim_text text;

	(void)state;
	sim_text_init(&text, buf, sizeof buf);
	sim_text_number(&text, UINT64_MAX);
	sim_text_put(&text, " ");
	sim_text_signed(&text, INT64_MIN);
	assert_string_equal(buf, "18446744073709551615 -9223372036854775808");
	assert_false(text.cut);
}

static void what_finds_no_room_is_cut(void **state)
{
	char buf[6];
	struct sim_text text;

	(void)state;
	sim_text_init(&text, buf, sizeof buf);
	sim_text_put(&text, "12345");
	assert_false(text.cut);
	sim_text_put(&text, "6");
	assert_true(text.cut);
	assert_string_equal(buf, "12345");
}

static void times_have_the_largest_unit_that_divides_them(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {{0, "0s"},
		     {1, "1ns"},
		     {1500, "1500ns"},
		     {2000, "2us"},
		     {1500000000, "1500ms"},
		     {3600000000000, "3600s"},
		     {UINT64_MAX, "18446744073709551615ns"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char buf[32];
		struct sim_text text;
		uint64_t ns = 7;

		sim_text_init(&text, buf, sizeof buf);
		sim_text_time(&text, cases[i].ns);
		assert_string_equal(buf, cases[i].text);
		assert_true(sim_word_time(word(buf), &ns));
		assert_true(ns == cases[i].ns);
	}
}

static void chances_have_four_decimals(void **state)
{
	static const struct {
		uint32_t ppm;
		const char *text;
	} cases[] = {{0, "0%"},		{1, "0.0001%"},	   {500, "0.05%"},
		     {125000, "12.5%"}, {1000000, "100%"}, {10203, "1.0203%"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char buf[32];
		struct sim_text text;
		uint32_t ppm = 7;

		sim_text_init(&text, buf, sizeof buf);
		sim_text_chance(&text, cases[i].ppm);
		assert_string_equal(buf, cases[i].text);
		assert_true(sim_word_chance(word(buf), &ppm));
		assert_int_equal(ppm, cases[i].ppm);
	}
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const times[] = {"",
					    "s",
					    "1",
					    "-1s",
					    "1.5s",
					    "1m",
					    "1 s",
					    "99999999999999999999s",
					    "18446744073710s"};
	static const char *const chances[] = {"", "%", "1", "101%", "100.0001%", "1.00001%", "-1%"};
	static const char *const counts[] = {"", "-1", "1x", "0x1", "18446744073709551616"};
	uint64_t n;
	uint32_t ppm;
	int64_t s;

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		assert_false(sim_word_time(word(times[i]), &n));
	for (size_t i = 0; i < sizeof chances / sizeof *chances; i++)
		assert_false(sim_word_chance(word(chances[i]), &ppm));
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		assert_false(sim_word_number(word(counts[i]), &n));
	assert_false(sim_word_signed(word("9223372036854775808"), &s));
	assert_true(sim_word_signed(word("-5"), &s));
	assert_int_equal(s, -5);
}

static void words_stand_between_spaces_up_to_a_comment(void **state)
{
	const char *line = " host \tann=1 # the first";
	const char *at = line, *end = line + strlen(line);
	struct sim_word w, key, value;

	(void)state;
	assert_true(sim_word_next(&at, end, &w));
	assert_true(sim_word_is(w, "host"));
	assert_false(sim_word_is(w, "hos"));
	assert_false(sim_word_is(w, "hosts"));
	assert_false(sim_word_split(w, &key, &value));
	assert_true(sim_word_next(&at, end, &w));
	assert_true(sim_word_split(w, &key, &value));
	assert_true(sim_word_is(key, "ann"));
	assert_true(sim_word_is(value, "1"));
	assert_false(sim_word_next(&at, end, &w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written),
		cmocka_unit_test(what_finds_no_room_is_cut),
		cmocka_unit_test(times_have_the_largest_unit_that_divides_them),
		cmocka_unit_test(chances_have_four_decimals),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(words_stand_between_spaces_up_to_a_comment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
