/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <parley/parley.h>

#include "dev/fastsum.h"
#include "median.h"

static double least(const double *values, int n)
{
	double low = values[0];

	for (int i = 1; i < n; i++)
		low = values[i] < low ? values[i] : low;
	return low;
}

static double most(const double *values, int n)
{
	double high = values[0];

	for (int i = 1; i < n; i++)
		high = values[i] > high ? values[i] : high;
	return high;
}

static const struct sample *find(const struct result *result, const char *name)
{
	for (size_t i = 0; i < result->group->measure_count; i++)
		if (!strcmp(result->samples[i].measure->name, name))
			return &result->samples[i];
	die(name, 0);
}

static double ratio(const struct result *result, const struct figure *figure)
{
	const struct sample *subject = find(result, figure->subject);
	const struct sample *reference = find(result, figure->reference);
	double ratios[MAX_ROUNDS];

	for (int i = 0; i < result->rounds; i++)
		ratios[i] = subject->value[i] / reference->value[i];
	return median(ratios, result->rounds);
}

/* Judged as it is told, to three digits: finer than that nothing here can be measured. */
static bool is_met(const struct figure *figure, double value)
{
	char told[16];

	snprintf(told, sizeof told, "%.3g", value);
	value = strtod(told, NULL);
	return figure->goal == AT_MOST ? value <= figure->bound : value >= figure->bound;
}

/* Three digits that mean something. */
static void put_number(char *out, size_t size, double value)
{
	if (isnan(value))
		snprintf(out, size, "-");
	else
		snprintf(out, size, "%.*f", value < 10 ? 2 : value < 100 ? 1 : 0, value);
}

static void put_machine(FILE *file, char *model, size_t size)
{
	char line[256];

	snprintf(model, size, "unknown");
	while (file && fgets(line, sizeof line, file)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !colon)
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(model, size, "%s", colon + 2);
		break;
	}
	if (file)
		fclose(file);
}

struct facts {
	char model[128], date[32], compiler[64];
	struct utsname system;
	long cores;
};

static struct facts gather_facts(void)
{
	struct facts facts;
	time_t now = time(NULL);
	struct tm utc;

	put_machine(fopen("/proc/cpuinfo", "r"), facts.model, sizeof facts.model);
	gmtime_r(&now, &utc);
	strftime(facts.date, sizeof facts.date, "%Y-%m-%d", &utc);
	snprintf(facts.compiler, sizeof facts.compiler, "%.63s", __VERSION__);
	uname(&facts.system);
	facts.cores = sysconf(_SC_NPROCESSORS_ONLN);
	return facts;
}

static void text_figure(FILE *file, const struct result *result, const struct figure *figure)
{
	const struct sample *subject = find(result, figure->subject);
	const struct sample *reference = find(result, figure->reference);
	double value = ratio(result, figure);
	char left[16], right[16], goal[32] = "", times[16];

	put_number(left, sizeof left, median(subject->value, result->rounds));
	put_number(right, sizeof right, median(reference->value, result->rounds));
	snprintf(times, sizeof times, isnan(value) ? "-" : "%.3g", value);
	if (figure->goal != NO_GOAL)
		snprintf(goal, sizeof goal, "  %s %-4g %s",
			 figure->goal == AT_MOST ? "<=" : ">=", figure->bound,
			 isnan(value)		 ? "?"
			 : is_met(figure, value) ? "met"
						 : "no");
	fprintf(file, "%-31s %6s %-4s %6s %-9s %5s%s\n", figure->name, left, subject->measure->unit,
		right, figure->against, times, goal);
}

static void text_sample(FILE *file, const struct sample *sample, int rounds)
{
	char middle[16], low[16], high[16];

	put_number(middle, sizeof middle, median(sample->value, rounds));
	put_number(low, sizeof low, least(sample->value, rounds));
	put_number(high, sizeof high, most(sample->value, rounds));
	fprintf(file, "  %-30s %7s %-4s  %7s .. %s\n", sample->measure->name, middle,
		sample->measure->unit, low, high);
}

void report_text(FILE *file, const struct result *results, size_t n)
{
	struct facts facts = gather_facts();

	fprintf(file, "Parley %s, %s, %d rounds, medians%s\n", parley_version(), facts.date,
		results[0].rounds, quick ? " (QUICK: nothing here means anything)" : "");
	fprintf(file, "%s, %ld cores, Linux %.20s, compiler %.20s\nchecksums: %s\n\n", facts.model,
		facts.cores, facts.system.release, facts.compiler, fastsum_best()->name);
	fprintf(file, "%-31s %11s %-16s %5s  %s\n", "figure", "measured", "    against", "ratio",
		"goal");
	for (size_t i = 0; i < n; i++) {
		fprintf(file, "\n%s: %s\n", results[i].group->name, results[i].group->what);
		for (size_t k = 0; k < results[i].group->figure_count; k++)
			text_figure(file, &results[i], &results[i].group->figures[k]);
	}
	fprintf(file, "\nAll measures: median, least and most of the rounds\n");
	for (size_t i = 0; i < n; i++) {
		fprintf(file, "\n%s\n", results[i].group->name);
		for (size_t k = 0; k < results[i].group->measure_count; k++)
			text_sample(file, &results[i].samples[k], results[i].rounds);
	}
}

/* JSON has no NAN. */
static void json_number(FILE *file, double value)
{
	if (isnan(value))
		fputs("null", file);
	else
		fprintf(file, "%.6g", value);
}

/* Names here hold nothing that would need more care than this. */
static void json_string(FILE *file, const char *key, const char *value)
{
	fprintf(file, "\"%s\": \"", key);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', file);
		if ((unsigned char)*value >= ' ')
			fputc(*value, file);
	}
	fputc('"', file);
}

static void json_sample(FILE *file, const struct sample *sample, int rounds, bool last)
{
	fputs("      {", file);
	json_string(file, "name", sample->measure->name);
	fputs(", ", file);
	json_string(file, "unit", sample->measure->unit);
	fputs(", \"median\": ", file);
	json_number(file, median(sample->value, rounds));
	fputs(", \"rounds\": [", file);
	for (int i = 0; i < rounds; i++) {
		fputs(i ? ", " : "", file);
		json_number(file, sample->value[i]);
	}
	fprintf(file, "]}%s\n", last ? "" : ",");
}

static void json_figure(FILE *file, const struct result *result, const struct figure *figure,
			bool last)
{
	double value = ratio(result, figure);

	fputs("      {", file);
	json_string(file, "name", figure->name);
	fputs(", ", file);
	json_string(file, "subject", figure->subject);
	fputs(", ", file);
	json_string(file, "reference", figure->reference);
	fputs(", \"ratio\": ", file);
	json_number(file, value);
	if (figure->goal != NO_GOAL) {
		fprintf(file, ", \"%s\": %g", figure->goal == AT_MOST ? "at_most" : "at_least",
			figure->bound);
		if (!isnan(value))
			fprintf(file, ", \"met\": %s", is_met(figure, value) ? "true" : "false");
	}
	fprintf(file, "}%s\n", last ? "" : ",");
}

static void json_group(FILE *file, const struct result *result, bool last)
{
	const struct group *group = result->group;

	fputs("    {", file);
	json_string(file, "name", group->name);
	fputs(", ", file);
	json_string(file, "what", group->what);
	fputs(",\n     \"figures\": [\n", file);
	for (size_t i = 0; i < group->figure_count; i++)
		json_figure(file, result, &group->figures[i], i + 1 == group->figure_count);
	fputs("     ],\n     \"measures\": [\n", file);
	for (size_t i = 0; i < group->measure_count; i++)
		json_sample(file, &result->samples[i], result->rounds,
			    i + 1 == group->measure_count);
	fprintf(file, "     ]}%s\n", last ? "" : ",");
}

void report_json(FILE *file, const struct result *results, size_t n)
{
	struct facts facts = gather_facts();

	fputs("{\n  ", file);
	json_string(file, "version", parley_version());
	fputs(",\n  ", file);
	json_string(file, "date", facts.date);
	fputs(",\n  \"machine\": {", file);
	json_string(file, "model", facts.model);
	fprintf(file, ", \"cores\": %ld, ", facts.cores);
	json_string(file, "system", facts.system.release);
	fputs(", ", file);
	json_string(file, "compiler", facts.compiler);
	fputs(", ", file);
	json_string(file, "checksums", fastsum_best()->name);
	fprintf(file, "},\n  \"rounds\": %d,\n  \"quick\": %s,\n  \"groups\": [\n",
		results[0].rounds, quick ? "true" : "false");
	for (size_t i = 0; i < n; i++)
		json_group(file, &results[i], i + 1 == n);
	fputs("  ]\n}\n", file);
}
