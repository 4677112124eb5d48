/* SPDX-License-Identifier: MIT */
#include "tool/drill_report.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "drill/compare.h"

/* ---- text ---- */

static void print_excerpt(FILE *out, const struct drill_case *one)
{
	int line = one->verdict.at.line;
	size_t len;
	const char *text = drill_line(one->script, line, &len);

	fprintf(out, "%6d | %.*s\n", line, (int)len, text);
}

/* A caret below the place, tabs kept so that it stands right. */
static void print_caret(FILE *out, const struct drill_case *one)
{
	size_t len;
	const char *text = drill_line(one->script, one->verdict.at.line, &len);

	fprintf(out, "       | ");
	for (int i = 1; i < one->verdict.at.column && (size_t)i <= len; i++)
		fputc(text[i - 1] == '\t' ? '\t' : ' ', out);
	fprintf(out, "^\n");
}

/* The length of the word at `text`, and of the blanks behind it. */
static size_t word_at(const char *text, size_t *blanks)
{
	size_t len = strcspn(text, " ");

	*blanks = strspn(text + len, " ");
	return len;
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && !strncmp(text, word, len);
}

/*
 * Marks the words of `actual` that are not those of `expected` at the same place, but not what the
 * script does not ask for: a window, and any options.
 */
static void print_marks(FILE *out, const char *expected, const char *actual)
{
	size_t gap, unasked = 0;

	while (*actual) {
		size_t len = word_at(actual, &gap), other_gap;
		size_t other = word_at(expected, &other_gap);
		bool same = len == other && !strncmp(actual, expected, len);

		if (is_word(actual, len, "win") && !is_word(expected, other, "win"))
			unasked = 2;
		else if (is_word(expected, other, "<...>") && *actual == '<')
			unasked = SIZE_MAX;
		for (size_t i = 0; i < len; i++)
			fputc(same || unasked ? ' ' : '^', out);
		for (size_t i = 0; i < gap; i++)
			fputc(' ', out);
		actual += len + gap;
		if (unasked)
			unasked--;
		else
			expected += other + other_gap;
	}
	fputc('\n', out);
}

static void print_log(FILE *out, const struct drill_verdict *verdict)
{
	unsigned count = verdict->log_count;
	unsigned from = count > DRILL_LOG_LINES ? count - DRILL_LOG_LINES : 0;

	if (count)
		fprintf(out, "  the last events:\n");
	for (; from < count; from++)
		fprintf(out, "  %s\n", verdict->log[from % DRILL_LOG_LINES]);
}

void drill_report_failure(FILE *out, const struct drill_case *one)
{
	const struct drill_verdict *verdict = &one->verdict;
	bool broken = verdict->outcome == DRILL_BROKEN;

	fprintf(out, "%s:%d:", one->path, verdict->at.line);
	if (broken)
		fprintf(out, "%d:", verdict->at.column);
	fprintf(out, " %s: %s\n", broken ? "error" : "failed", verdict->what);
	if (!one->script)
		return;
	print_excerpt(out, one);
	if (broken) {
		print_caret(out, one);
		return;
	}
	if (verdict->expected[0])
		fprintf(out, "  expected %s\n", verdict->expected);
	if (verdict->actual[0])
		fprintf(out, "  sent     %s\n", verdict->actual);
	if (verdict->expected[0] && verdict->actual[0]) {
		fprintf(out, "           ");
		print_marks(out, verdict->expected, verdict->actual);
	}
	print_log(out, verdict);
}

void drill_report_notes(FILE *out, const struct drill_case *one)
{
	for (const struct drill_note *note = one->verdict.notes; note; note = note->next)
		fprintf(out, "%s:%d: note: %s\n", one->path, note->line, note->text);
}

void drill_report_totals(FILE *out, const struct drill_totals *totals)
{
	fprintf(out, "%u script%s: %u passed, %u failed", totals->scripts,
		totals->scripts == 1 ? "" : "s", totals->passed, totals->failed);
	if (totals->broken)
		fprintf(out, ", %u cannot be read", totals->broken);
	fputc('\n', out);
	if (totals->forgiven_options)
		fprintf(out,
			"%u TCP options were not compared, since the stack does not speak them "
			"(--strict does)\n",
			totals->forgiven_options);
	if (totals->forgiven_pushes)
		fprintf(out, "PSH inside a burst was not compared %u time%s (--strict does)\n",
			totals->forgiven_pushes, totals->forgiven_pushes == 1 ? "" : "s");
}

/* ---- JSON ---- */

static void add_text(cJSON *object, const char *name, const char *text)
{
	if (text[0])
		cJSON_AddStringToObject(object, name, text);
}

static void add_notes(cJSON *object, const struct drill_verdict *verdict)
{
	cJSON *list;

	if (!verdict->notes)
		return;
	list = cJSON_AddArrayToObject(object, "notes");
	for (const struct drill_note *note = verdict->notes; note; note = note->next) {
		cJSON *item = cJSON_CreateObject();

		cJSON_AddNumberToObject(item, "line", note->line);
		cJSON_AddStringToObject(item, "text", note->text);
		cJSON_AddItemToArray(list, item);
	}
}

static void add_failure(cJSON *object, const struct drill_verdict *verdict)
{
	cJSON *fields, *log;

	cJSON_AddNumberToObject(object, "line", verdict->at.line);
	cJSON_AddNumberToObject(object, "column", verdict->at.column);
	cJSON_AddStringToObject(object, "what", verdict->what);
	add_text(object, "expected", verdict->expected);
	add_text(object, "sent", verdict->actual);
	fields = cJSON_AddArrayToObject(object, "differs");
	for (int i = 0; i < DRILL_FIELD_COUNT; i++)
		if (verdict->differs >> i & 1)
			cJSON_AddItemToArray(
				fields, cJSON_CreateString(drill_field_name((enum drill_field)i)));
	log = cJSON_AddArrayToObject(object, "log");
	for (unsigned i = verdict->log_count > DRILL_LOG_LINES
				  ? verdict->log_count - DRILL_LOG_LINES
				  : 0;
	     i < verdict->log_count; i++)
		cJSON_AddItemToArray(log, cJSON_CreateString(verdict->log[i % DRILL_LOG_LINES]));
}

static cJSON *case_json(const struct drill_case *one)
{
	static const char *const outcomes[] = {
		[DRILL_PASSED] = "passed",
		[DRILL_FAILED] = "failed",
		[DRILL_BROKEN] = "broken",
	};
	const struct drill_verdict *verdict = &one->verdict;
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "file", one->path);
	cJSON_AddStringToObject(object, "outcome", outcomes[verdict->outcome]);
	cJSON_AddNumberToObject(object, "events", verdict->events);
	cJSON_AddNumberToObject(object, "time", (double)verdict->time / 1e9);
	cJSON_AddNumberToObject(object, "options_not_compared", verdict->forgiven_options);
	cJSON_AddNumberToObject(object, "pushes_not_compared", verdict->forgiven_pushes);
	if (verdict->outcome != DRILL_PASSED)
		add_failure(object, verdict);
	add_notes(object, verdict);
	return object;
}

void drill_report_json(FILE *out, const struct drill_case *all, const struct drill_totals *totals)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(object, "scripts");
	char *text;

	for (const struct drill_case *one = all; one; one = one->next)
		cJSON_AddItemToArray(list, case_json(one));
	cJSON_AddNumberToObject(object, "passed", totals->passed);
	cJSON_AddNumberToObject(object, "failed", totals->failed);
	cJSON_AddNumberToObject(object, "broken", totals->broken);
	text = cJSON_Print(object);
	fprintf(out, "%s\n", text ? text : "{}");
	free(text);
	cJSON_Delete(object);
}
