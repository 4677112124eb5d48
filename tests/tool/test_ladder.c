/* SPDX-License-Identifier: MIT */
/*
 * Ladders against golden/NAME.txt, which is what a reader is to see of golden/NAME.play. With
 * PARLEY_GOLDEN=write in the environment the files are written instead: look at what changed.
 */
#include "play.h"

#include "tool/ladder.h"

#define TEXT_MAX (1 << 18)

static const char *golden_path(const char *name, const char *suffix)
{
	static char path[4096];
	const char *source = getenv("PARLEY_SOURCE");

	snprintf(path, sizeof path, "%s/tests/tool/golden/%s.%s", source ? source : ".", name,
		 suffix);
	return path;
}

/* To be freed. */
static char *load(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = calloc(1, TEXT_MAX);

	assert_non_null(text);
	if (file) {
		assert_true(fread(text, 1, TEXT_MAX - 1, file) < TEXT_MAX - 1);
		fclose(file);
	}
	return text;
}

/* No line is wider than promised; a character of UTF-8 is a column. */
static void check_width(const char *text, int width)
{
	int column = 0;

	for (; *text; text++) {
		if (*text == '\n')
			column = 0;
		else if ((*text & 0xc0) != 0x80)
			column++;
		assert_true(column <= width);
	}
}

struct view {
	const char *title;
	const char *first, *second;
	int width;
	bool ascii;
	size_t data;
};

static const struct view views[] = {
	{"both traces", "client.trace", "server.trace", 80, false, ROWS_ALL},
	{"the client's trace alone, in ASCII", "client.trace", NULL, 80, true, ROWS_ALL},
	{"the server's trace alone", "server.trace", NULL, 72, false, ROWS_ALL},
	{"wide, and folded", "client.trace", "server.trace", 110, false, 3},
};

static void draw_view(FILE *out, const struct view *view)
{
	struct term term = {.out = out, .ascii = view->ascii, .width = view->width};
	struct play_stories read;
	char *text = NULL;
	size_t len;

	fprintf(out, "== %s\n\n", view->title);
	play_read(&read, view->first, view->second);
	assert_int_equal(read.stories.n, 1);
	term.out = open_memstream(&text, &len);
	assert_non_null(term.out);
	assert_true(ladder_draw(&term, read.stories.v[0], view->data));
	fclose(term.out);
	check_width(text, view->width);
	fprintf(out, "%s\n", text);
	free(text);
	play_forget(&read);
}

static void check_golden(const char *name)
{
	const char *mode = getenv("PARLEY_GOLDEN");
	char *play = load(golden_path(name, "play")), *expected, *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_true(*play);
	play_directory();
	play_perform(play);
	for (size_t i = 0; i < sizeof views / sizeof *views; i++)
		draw_view(out, &views[i]);
	fclose(out);
	play_clean();
	if (mode && !strcmp(mode, "write")) {
		FILE *file = fopen(golden_path(name, "txt"), "wb");

		assert_non_null(file);
		fwrite(text, 1, len, file);
		fclose(file);
	}
	expected = load(golden_path(name, "txt"));
	for (const char *a = text, *b = expected; strcmp(a, b);) {
		size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");

		if (n != m || memcmp(a, b, n))
			fail_msg("%s:\nnow: %.*s\nwas: %.*s", name, (int)n, a, (int)m, b);
		a += n + 1;
		b += m + 1;
	}
	free(expected);
	free(play);
	free(text);
}

static void test_whole_life(void **state)
{
	(void)state;
	check_golden("whole-life");
}

static void test_lost_fin(void **state)
{
	(void)state;
	check_golden("lost-fin");
}

static void test_simultaneous_close(void **state)
{
	(void)state;
	check_golden("simultaneous-close");
}

static void test_refused(void **state)
{
	(void)state;
	check_golden("refused");
}

static void test_recovery(void **state)
{
	(void)state;
	check_golden("recovery");
}

/* However narrow and whatever the numbers, lines keep within the width. */
static void test_widths(void **state)
{
	char *play = load(golden_path("lost-fin", "play"));

	(void)state;
	play_directory();
	play_perform(play);
	for (int width = LADDER_WIDTH_MIN; width <= 140; width++) {
		struct view view = views[width % 3];
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		assert_non_null(out);
		view.width = width;
		draw_view(out, &view);
		fclose(out);
		free(text);
	}
	play_clean();
	free(play);
}

static void test_colour(void **state)
{
	char *play = load(golden_path("refused", "play")), *text = NULL;
	struct term term = {.colour = true, .width = 80};
	struct play_stories read;
	size_t len;

	(void)state;
	play_directory();
	play_perform(play);
	play_read(&read, "client.trace", "server.trace");
	term.out = open_memstream(&text, &len);
	assert_true(ladder_draw(&term, read.stories.v[0], ROWS_ALL));
	fclose(term.out);
	/* Lost is red, and no line leaves a colour behind. */
	assert_non_null(strstr(text, "\033[0;1;31m"));
	for (char *line = text; *line;) {
		char *end = strchr(line, '\n');
		const char *last;

		*end = 0;
		last = strrchr(line, '\033');
		if (last)
			assert_int_equal(strncmp(last, "\033[0m", 4), 0);
		line = end + 1;
	}
	play_forget(&read);
	play_clean();
	free(play);
	free(text);
}

static void test_texts(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} durations[] = {
		{0, "0 ns"},
		{999, "999 ns"},
		{1000, "1 us"},
		{40512345, "40.5 ms"},
		{200000000, "200 ms"},
		{1500000000, "1.5 s"},
		{1234567890, "1.23 s"},
		{120000000000, "120 s"},
	};
	char out[LADDER_NUMBER_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
		assert_string_equal(ladder_duration(out, durations[i].ns), durations[i].text);
	assert_string_equal(ladder_number(out, 0), "0");
	assert_string_equal(ladder_number(out, 999), "999");
	assert_string_equal(ladder_number(out, 1000), "1,000");
	assert_string_equal(ladder_number(out, 1048576), "1,048,576");
	assert_string_equal(ladder_number(out, UINT64_MAX), "18,446,744,073,709,551,615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_life),
		cmocka_unit_test(test_lost_fin),
		cmocka_unit_test(test_simultaneous_close),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_colour),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
