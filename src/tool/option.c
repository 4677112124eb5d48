/* SPDX-License-Identifier: MIT */
#include "tool/option.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tool/words.h"

#define WIDTH 80

/* What each type's values are. */
static const struct {
	unsigned scale;	  /* decimals that it may have */
	const char *unit; /* in messages */
} types[] = {
	[OPTION_COUNT] = {0, ""},
	[OPTION_PERCENT] = {4, " (percent)"},
	[OPTION_MS] = {6, " (milliseconds)"},
	[OPTION_S] = {9, " (seconds)"},
	[OPTION_MBIT] = {6, " (Mbit/s)"},
	[OPTION_BYTES] = {0, " (bytes)"},
};

static void complain(const struct command *command, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void complain(const struct command *command, const char *format, va_list args)
{
	fprintf(stderr, "parley %s: ", command->name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int option_refuse(const struct command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(command, format, args);
	va_end(args);
	return EXIT_USAGE;
}

int option_fail(const struct command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(command, format, args);
	va_end(args);
	return EXIT_FAILED;
}

bool option_decimal(const char *text, unsigned scale, uint64_t *number, const char **end)
{
	uint64_t value = 0;
	unsigned decimals = 0, digits = 0;
	bool fraction = false;

	for (;; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (*text == '.' && !fraction) {
			fraction = true;
			continue;
		}
		if (digit > 9)
			break;
		/* Zeros behind the last decimal that counts say nothing. */
		if (fraction && decimals == scale) {
			if (digit)
				return false;
			continue;
		}
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
		digits++;
		decimals += fraction;
	}
	if (!digits)
		return false;
	for (; decimals < scale; decimals++) {
		if (value > UINT64_MAX / 10)
			return false;
		value *= 10;
	}
	*number = value;
	*end = text;
	return true;
}

static bool read_size_suffix(const char **text, uint64_t *value)
{
	static const char letters[] = "KMG";
	const char *letter = **text ? strchr(letters, **text & ~0x20) : NULL;
	unsigned shift;

	if (!letter)
		return true;
	shift = 10 * (unsigned)(letter - letters + 1);
	if (*value > UINT64_MAX >> shift)
		return false;
	*value <<= shift;
	++*text;
	/* KiB and KB are what people write for it, too. */
	if (**text == 'i')
		++*text;
	if (**text == 'B')
		++*text;
	return true;
}

/* A stored number as its unit's decimal fraction. */
static void print_number(char *out, size_t cap, uint64_t value, unsigned scale)
{
	uint64_t unit = 1;
	size_t len;

	for (unsigned i = 0; i < scale; i++)
		unit *= 10;
	if (value % unit == 0) {
		snprintf(out, cap, "%" PRIu64, value / unit);
		return;
	}
	snprintf(out, cap, "%" PRIu64 ".%0*" PRIu64, value / unit, (int)scale, value % unit);
	for (len = strlen(out); out[len - 1] == '0'; len--)
		out[len - 1] = 0;
}

static int read_number(const struct command *command, const struct option *option, const char *text,
		       uint64_t *place)
{
	unsigned scale = types[option->type].scale;
	const char *unit = types[option->type].unit, *end = text;
	char low[32], high[32];
	uint64_t value = 0;
	bool good = option_decimal(text, scale, &value, &end);

	if (good && option->type == OPTION_BYTES)
		good = read_size_suffix(&end, &value);
	if (!good || *end)
		return option_refuse(command, "--%s: '%s' is not a %s%s", option->name, text,
				     option_decimal(text, 18, &value, &end) && !*end && !scale
					     ? "whole number"
					     : "number",
				     unit);
	if ((option->minimum || option->maximum) &&
	    (value < option->minimum || value > option->maximum)) {
		print_number(low, sizeof low, option->minimum, scale);
		print_number(high, sizeof high, option->maximum, scale);
		return option_refuse(command, "--%s: '%s' is not between %s and %s%s", option->name,
				     text, low, high, unit);
	}
	*place = value;
	return OPTION_GO_ON;
}

static int store(const struct command *command, const struct option *option, const char *text,
		 void *into)
{
	void *place = (char *)into + option->offset;
	struct option_list *list = place;

	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)place = true;
		return OPTION_GO_ON;
	case OPTION_TEXT:
		*(const char **)place = text;
		return OPTION_GO_ON;
	case OPTION_LIST:
		if (list->n == OPTION_LIST_MAX)
			return option_refuse(command, "--%s: given more than %d times",
					     option->name, OPTION_LIST_MAX);
		list->text[list->n++] = text;
		return OPTION_GO_ON;
	default:
		return read_number(command, option, text, place);
	}
}

/* The option that a word names ("--loss", "--loss=5"); NULL when there is none. */
static const struct option *find(const struct command *command, const char *word,
				 const char **value)
{
	const struct option *option;
	size_t len = strcspn(word, "=");

	*value = word[len] ? word + len + 1 : NULL;
	for (option = command->options; option->name; option++) {
		if (strlen(option->name) == len - 2 && !strncmp(option->name, word + 2, len - 2))
			return option;
	}
	return NULL;
}

static const struct option *find_letter(const struct command *command, char letter)
{
	const struct option *option;

	for (option = command->options; option->name; option++) {
		if (option->letter && option->letter == letter)
			return option;
	}
	return NULL;
}

static int unknown(const struct command *command, const char *word)
{
	const char *best = NULL;
	unsigned least = 3; /* further away it would be no help */

	for (const struct option *option = command->options; option->name; option++) {
		unsigned distance = words_distance(word + 2, option->name);

		if (word[1] == '-' && distance < least) {
			least = distance;
			best = option->name;
		}
	}
	if (best)
		return option_refuse(command, "no option '%s'; is it '--%s'?", word, best);
	return option_refuse(command, "no option '%s'; 'parley %s --help' lists them", word,
			     command->name);
}

static void help(const struct command *command);

/* The value of an option, if it is not in the same word: in the next, to which *at moves. */
static int take_value(const struct command *command, const struct option *option, const char *value,
		      int argc, char **argv, int *at, void *into)
{
	if (!value && option->type != OPTION_FLAG) {
		if (++*at == argc)
			return option_refuse(command, "--%s needs a value: %s", option->name,
					     option->value);
		value = argv[*at];
	}
	return store(command, option, value, into);
}

/* "-o", "-o key=1", "-okey=1"; and flags, of which several may share a dash: "-tan". */
static int take_letters(const struct command *command, int argc, char **argv, int *at, void *into)
{
	const char *word = argv[*at];
	int status = OPTION_GO_ON;

	for (const char *letter = word + 1; *letter && status == OPTION_GO_ON; letter++) {
		const struct option *option = find_letter(command, *letter);

		if (*letter == 'h') {
			help(command);
			return EXIT_OK;
		}
		if (!option && letter > word + 1)
			return option_refuse(command,
					     "no option '-%c' in '%s'; 'parley %s --help' lists "
					     "them",
					     *letter, word, command->name);
		if (!option)
			return unknown(command, word);
		if (option->type != OPTION_FLAG)
			return take_value(command, option, letter[1] ? letter + 1 : NULL, argc,
					  argv, at, into);
		status = store(command, option, NULL, into);
	}
	return status;
}

/* Handles argv[*at] as an option and moves *at to its last word. */
static int take(const struct command *command, int argc, char **argv, int *at, void *into)
{
	const char *word = argv[*at], *value;
	const struct option *option;

	if (word[1] != '-')
		return take_letters(command, argc, argv, at, into);
	if (!strcmp(word, "--help")) {
		help(command);
		return EXIT_OK;
	}
	option = find(command, word, &value);
	if (!option)
		return unknown(command, word);
	if (option->type == OPTION_FLAG && value)
		return option_refuse(command, "--%s takes no value", option->name);
	return take_value(command, option, value, argc, argv, at, into);
}

int option_parse(const struct command *command, int argc, char **argv, void *into, int *operands)
{
	bool options = true;
	int n = 0;

	for (int i = 1; i < argc; i++) {
		char *word = argv[i];

		if (options && !strcmp(word, "--")) {
			options = false;
		} else if (options && word[0] == '-' && word[1]) {
			int status = take(command, argc, argv, &i, into);

			if (status != OPTION_GO_ON)
				return status;
		} else {
			argv[n++] = word;
			if (command->program)
				options = false;
		}
	}
	argv[n] = NULL;
	*operands = n;
	if (n < command->operands_min)
		return option_refuse(command, "missing %s; 'parley %s --help' shows how",
				     command->operands, command->name);
	if (command->operands_max >= 0 && n > command->operands_max)
		return option_refuse(command, "'%s' is one too many; 'parley %s --help' shows how",
				     argv[command->operands_max], command->name);
	return OPTION_GO_ON;
}

/* "-o, --option KEY=VALUE" */
static int option_words(char *out, size_t cap, const struct option *option)
{
	char letter[8] = "";

	if (option->letter)
		snprintf(letter, sizeof letter, "-%c, ", option->letter);
	return snprintf(out, cap, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
			option->value ? option->value : "");
}

static void help_option(const struct option *option, int column)
{
	char words[64];
	int len = option_words(words, sizeof words, option);

	printf("  %s", words);
	if (len + 4 > column) {
		putchar('\n');
		len = -2;
	}
	words_fill(option->help, len + 2, column, WIDTH);
}

static void help(const struct command *command)
{
	static const struct option itself = {"help", 'h', NULL, OPTION_FLAG, 0, 0, 0, "show this"};
	int column = 0;
	char words[64];

	printf("Usage: parley %s [OPTION]...%s%s%s\n\n", command->name,
	       *command->operands ? " " : "", command->program ? "-- " : "", command->operands);
	words_fill(command->about, 0, 0, WIDTH);
	printf("\nOptions:\n");
	for (const struct option *option = command->options; option->name; option++) {
		int len = option_words(words, sizeof words, option) + 4;

		if (len > column)
			column = len;
	}
	if (column > 26)
		column = 26;
	for (const struct option *option = command->options; option->name; option++)
		help_option(option, column);
	help_option(&itself, column);
	if (command->more_help)
		command->more_help();
}
