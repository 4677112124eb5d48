/* SPDX-License-Identifier: MIT */
/* `parley stat`: the counters of all hosts that run, as netstat -s would show them. */
#include <stdio.h>

#include "tool/commands.h"
#include "tool/hosts.h"
#include "tool/hosts_json.h"
#include "tool/stat_words.h"

#define WIDTH 80

struct line {
	bool drops, zeros, each, json;
	struct option_list hosts;
};

#define PLACE(member) offsetof(struct line, member), 0, 0

static const struct option options[] = {
	{"drops", 0, NULL, OPTION_FLAG, PLACE(drops),
	 "only why segments and frames were dropped, each reason with its meaning"},
	{"zeros", 'z', NULL, OPTION_FLAG, PLACE(zeros), "also what is 0"},
	{"each", 0, NULL, OPTION_FLAG, PLACE(each), "every host by itself, not their sum"},
	{"host", 0, "PID", OPTION_LIST, PLACE(hosts),
	 "only the host of this 'parley run' or its program; may be given again"},
	{"json", 0, NULL, OPTION_FLAG, PLACE(json), "as JSON: every host, and the sum"},
	{0},
};

static void add(struct host_report *total, const struct host_report *host)
{
	for (int i = 0; i < PARLEY_COUNTER_COUNT; i++)
		total->counters[i] += host->counters[i];
	for (int i = 0; i < PARLEY_DROP_COUNT; i++)
		total->drops[i] += host->drops[i];
}

static bool has_drops(const struct host_report *host)
{
	for (int i = 0; i < PARLEY_DROP_COUNT; i++)
		if (host->drops[i])
			return true;
	return false;
}

static void print(const struct line *line, const struct host_report *host)
{
	if (!line->drops)
		stat_sections(host, line->zeros);
	if (line->drops || line->zeros || has_drops(host))
		stat_drops(host, line->zeros);
	if (!line->drops)
		stat_hints(host, WIDTH);
}

static void print_each(const struct line *line, const struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++) {
		const struct host_report *host = &hosts->host[i];

		printf("%sHost %d: %s (%s)\n", i ? "\n" : "", (int)host->run, host->argv,
		       host->addresses);
		print(line, host);
	}
}

static int run(int argc, char **argv)
{
	struct host_report total = {0};
	struct line line = {0};
	struct hosts hosts;
	int operands;
	int status = option_parse(&command_stat, argc, argv, &line, &operands);

	if (status != OPTION_GO_ON)
		return status;
	status = hosts_read(&hosts, &command_stat, &line.hosts);
	if (status == EXIT_OK && !hosts.count)
		fprintf(stderr, "parley stat: no 'parley run' of this user is running\n");
	for (size_t i = 0; i < hosts.count; i++)
		add(&total, &hosts.host[i]);
	if (status != EXIT_OK)
		;
	else if (line.json)
		hosts_json_counters(stdout, &hosts, &total);
	else if (line.each)
		print_each(&line, &hosts);
	else
		print(&line, &total);
	hosts_free(&hosts);
	return status;
}

const struct command command_stat = {
	.name = "stat",
	.operands = "",
	.summary = "counters and drop reasons of all hosts that run, as netstat -s",
	.about = "Adds up the counters of every 'parley run' of this user, in the words and "
		 "sections of 'netstat -s', says why segments were dropped, and what is worth a "
		 "look.",
	.options = options,
	.operands_min = 0,
	.operands_max = 0,
	.run = run,
};
