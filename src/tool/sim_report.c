/* SPDX-License-Identifier: MIT */
#include "tool/sim_report.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario_text.h"

#define ITEM_TEXT 48

static void print_line(cJSON *object)
{
	char *text = cJSON_PrintUnformatted(object);

	if (text)
		puts(text);
	cJSON_free(text);
	cJSON_Delete(object);
}

/* A 64-bit number, which a JSON number may round. */
static void add_exact(cJSON *object, const char *key, uint64_t n, const char *format)
{
	char text[32];

	snprintf(text, sizeof text, format, n);
	cJSON_AddStringToObject(object, key, text);
}

static void add_end(cJSON *object, const struct trial *t)
{
	cJSON_AddBoolToObject(object, "failed", t->failed);
	cJSON_AddNumberToObject(object, "event", (double)t->event);
	add_exact(object, "ns", t->now, "%" PRIu64);
	if (t->signal)
		cJSON_AddNumberToObject(object, "signal", t->signal);
	if (t->failed)
		cJSON_AddStringToObject(object, "text", t->text);
}

void sim_report_failure_json(const struct sim_case *told)
{
	static char buf[SIM_SCENARIO_TEXT_MAX];
	cJSON *object = cJSON_CreateObject();
	struct sim_text text;

	sim_text_init(&text, buf, sizeof buf);
	sim_scenario_write(told->scenario, &text);
	cJSON_AddStringToObject(object, "sim", "failure");
	add_exact(object, "seed", told->seed, "%" PRIu64);
	add_end(object, &told->trial);
	cJSON_AddNumberToObject(object, "tries", told->tries);
	cJSON_AddStringToObject(object, "path", told->path);
	cJSON_AddStringToObject(object, "scenario", buf);
	print_line(object);
}

void sim_report_one_json(const struct sim_case *told)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "sim", "world");
	add_exact(object, "seed", told->seed, "%" PRIu64);
	add_end(object, &told->trial);
	cJSON_AddNumberToObject(object, "segments", (double)told->trial.coverage.segments);
	add_exact(object, "digest", told->trial.digest, "%016" PRIx64);
	print_line(object);
}

static void add_group(cJSON *object, const struct sim_tally *tally, uint32_t g)
{
	const struct sim_cover_group *group = sim_cover_group(g);
	cJSON *items = cJSON_AddObjectToObject(object, group->name);

	for (uint32_t i = 0; i < group->n; i++) {
		char name[ITEM_TEXT];
		struct sim_text text;

		sim_text_init(&text, name, sizeof name);
		if (group->item(i, &text))
			cJSON_AddNumberToObject(items, name, (double)tally->count[g][i]);
	}
}

/* How many worlds stand at each place of the spread, those places that have some. */
static void add_spread(cJSON *object, const struct sim_tally *tally)
{
	cJSON *spread = cJSON_AddObjectToObject(object, "spread");

	for (size_t i = 0; i < sizeof tally->spread / sizeof *tally->spread; i++) {
		char place[16];

		snprintf(place, sizeof place, "%zu", i);
		if (tally->spread[i])
			cJSON_AddNumberToObject(spread, place, (double)tally->spread[i]);
	}
}

void sim_report_sum_json(const struct sim_sum *sum)
{
	const struct sim_tally *t = sum->tally;
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "sim", "sum");
	add_exact(object, "first", sum->first, "%" PRIu64);
	add_exact(object, "last", sum->last, "%" PRIu64);
	cJSON_AddNumberToObject(object, "shard", (double)sum->shard);
	cJSON_AddNumberToObject(object, "shards", (double)sum->shards);
	cJSON_AddNumberToObject(object, "worlds", (double)t->worlds);
	cJSON_AddNumberToObject(object, "failed", sum->failed);
	cJSON_AddNumberToObject(object, "seconds", sum->seconds);
	cJSON_AddNumberToObject(object, "events", (double)t->events);
	cJSON_AddNumberToObject(object, "segments", (double)t->segments);
	cJSON_AddNumberToObject(object, "median", (double)sim_tally_median(t));
	add_exact(object, "digest", t->digest, "%016" PRIx64);
	for (uint32_t g = 0; g < SIM_COVER_GROUPS; g++)
		add_group(object, t, g);
	add_spread(object, t);
	print_line(object);
}

static uint64_t number(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(item) ? (uint64_t)item->valuedouble : 0;
}

static uint64_t exact(const cJSON *object, const char *key, int base)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return text ? strtoull(text, NULL, base) : 0;
}

static void take_group(struct sim_tally *tally, uint32_t g, const cJSON *object)
{
	const struct sim_cover_group *group = sim_cover_group(g);
	const cJSON *items = cJSON_GetObjectItemCaseSensitive(object, group->name);

	for (uint32_t i = 0; i < group->n; i++) {
		char name[ITEM_TEXT];
		struct sim_text text;

		sim_text_init(&text, name, sizeof name);
		if (group->item(i, &text))
			tally->count[g][i] = number(items, name);
	}
}

static void take_spread(struct sim_tally *tally, const cJSON *object)
{
	const cJSON *spread = cJSON_GetObjectItemCaseSensitive(object, "spread");

	for (size_t i = 0; i < sizeof tally->spread / sizeof *tally->spread; i++) {
		char place[16];

		snprintf(place, sizeof place, "%zu", i);
		tally->spread[i] = number(spread, place);
	}
}

/* A sum that is being added up, and the first seed and the last of all its parts. */
struct merging {
	struct sim_tally tally;
	struct sim_sum sum;
};

static void take_sum(struct merging *m, const cJSON *object)
{
	static struct sim_tally one;
	uint64_t first = exact(object, "first", 10), last = exact(object, "last", 10);

	memset(&one, 0, sizeof one);
	one.worlds = number(object, "worlds");
	one.events = number(object, "events");
	one.segments = number(object, "segments");
	one.digest = exact(object, "digest", 16);
	for (uint32_t g = 0; g < SIM_COVER_GROUPS; g++)
		take_group(&one, g, object);
	take_spread(&one, object);
	sim_tally_join(&m->tally, &one);
	m->sum.failed += (uint32_t)number(object, "failed");
	m->sum.seconds += cJSON_GetNumberValue(cJSON_GetObjectItem(object, "seconds"));
	if (first < m->sum.first)
		m->sum.first = first;
	if (last > m->sum.last)
		m->sum.last = last;
}

/* False when the line is no object of ours. */
static bool take_line(struct merging *m, const char *line, bool json)
{
	cJSON *object = cJSON_Parse(line);
	const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "sim"));
	bool known = kind != NULL;

	if (kind && !strcmp(kind, "sum"))
		take_sum(m, object);
	else if (kind && !strcmp(kind, "failure") && json)
		fputs(line, stdout);
	else if (kind && !strcmp(kind, "failure"))
		printf("seed %s failed: %s\n",
		       cJSON_GetStringValue(cJSON_GetObjectItem(object, "seed")),
		       cJSON_GetStringValue(cJSON_GetObjectItem(object, "text")));
	cJSON_Delete(object);
	return known;
}

static int merge_file(const struct command *command, struct merging *m, const char *path, bool json)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	int status = EXIT_OK;
	unsigned n = 0;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return option_fail(command, "'%s': %s", path, strerror(errno));
	while (status == EXIT_OK && getline(&line, &size, file) > 0) {
		n++;
		if (!take_line(m, line, json))
			status = option_fail(command, "%s:%u: not a line of 'parley sim --json'",
					     path, n);
	}
	free(line);
	if (file != stdin)
		fclose(file);
	return status;
}

int sim_report_merge(const struct command *command, char **files, int n, bool json)
{
	static struct merging m;

	m.sum = (struct sim_sum){.first = UINT64_MAX, .shards = 1, .tally = &m.tally};
	if (!n)
		return option_refuse(command, "--merge: missing FILE");
	for (int i = 0; i < n; i++) {
		int status = merge_file(command, &m, files[i], json);

		if (status != EXIT_OK)
			return status;
	}
	if (json)
		sim_report_sum_json(&m.sum);
	else
		sim_words_sum(&m.sum);
	return m.sum.failed ? EXIT_FAILED : EXIT_OK;
}
