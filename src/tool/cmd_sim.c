/* SPDX-License-Identifier: MIT */
/* `parley sim`: options, and what is done with a scenario or with many seeds. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dev/clock.h"
#include "sim/draw.h"
#include "tool/campaign.h"
#include "tool/commands.h"
#include "tool/replay.h"
#include "tool/sim_report.h"
#include "tool/sim_words.h"

#define SEEDS_USUAL 1000
/* What a seed nobody chose is drawn below: easy to type again. */
#define SEED_BITS 40

struct line {
	uint64_t seed; /* UINT64_MAX: not given */
	const char *seeds, *scenario, *shard, *trace, *save;
	uint64_t jobs, time, failures;
	bool json, print, merge, quick;
};

#define PLACE(member) offsetof(struct line, member)

static const struct option options[] = {
	{"seed", 0, "N", OPTION_COUNT, PLACE(seed), 0, UINT64_MAX - 1,
	 "run the world of this seed"},
	{"seeds", 0, "A..B", OPTION_TEXT, PLACE(seeds), 0, 0,
	 "run the worlds of these seeds; 1..1000 by default"},
	{"scenario", 0, "FILE", OPTION_TEXT, PLACE(scenario), 0, 0,
	 "run the world that this file describes"},
	{"jobs", 0, "N", OPTION_COUNT, PLACE(jobs), 1, CAMPAIGN_JOBS_MAX,
	 "run so many worlds at a time, each in a process of its own; 1 by default"},
	{"shard", 0, "I/N", OPTION_TEXT, PLACE(shard), 0, 0,
	 "run the I-th of N parts of the seeds, I from 0 on"},
	{"time", 0, "S", OPTION_S, PLACE(time), 1000000000, UINT64_C(86400000000000) * 365,
	 "begin no world after so many seconds; without --seeds, run seeds that nobody chose"},
	{"failures", 0, "N", OPTION_COUNT, PLACE(failures), 0, CAMPAIGN_FAILURES_MAX,
	 "stop after so many worlds that failed, 3 by default; 0: run all"},
	{"save", 0, "DIR", OPTION_TEXT, PLACE(save), 0, 0,
	 "put the scenarios of worlds that failed into DIR instead of the working directory"},
	{"quick", 0, NULL, OPTION_FLAG, PLACE(quick), 0, 0,
	 "do not make the scenarios of worlds that failed smaller"},
	{"trace", 0, "DIR", OPTION_TEXT, PLACE(trace), 0, 0,
	 "put a trace and a capture of each host into DIR (one world only)"},
	{"print", 0, NULL, OPTION_FLAG, PLACE(print), 0, 0,
	 "print the scenario of --seed, and do not run it"},
	{"merge", 0, NULL, OPTION_FLAG, PLACE(merge), 0, 0,
	 "add up what runs with --json have printed into FILE..., and print that"},
	{"json", 0, NULL, OPTION_FLAG, PLACE(json), 0, 0,
	 "print a JSON object a line: each failure, and then the sum"},
	{0},
};

/* A whole number, to which "..", that would be a decimal point, does not belong. */
static bool read_whole(const char *text, uint64_t *n, char **end)
{
	errno = 0;
	*n = strtoull(text, end, 10);
	return *text >= '0' && *text <= '9' && !errno;
}

/* "A..B", or one number. */
static bool read_seeds(const char *text, struct campaign *c)
{
	char *end;

	if (!read_whole(text, &c->first, &end))
		return false;
	c->last = c->first;
	if (!*end)
		return true;
	return !strncmp(end, "..", 2) && read_whole(end + 2, &c->last, &end) && !*end &&
	       c->first <= c->last;
}

static bool read_shard(const char *text, struct campaign *c)
{
	char *end;

	return read_whole(text, &c->shard, &end) && *end == '/' &&
	       read_whole(end + 1, &c->shards, &end) && !*end && c->shard < c->shards;
}

/* Seeds that nobody chose, for as long as there is time. */
static void draw_seeds(struct campaign *c)
{
	uint64_t draw;

	if (getrandom(&draw, sizeof draw, 0) != (ssize_t)sizeof draw)
		draw = clock_now();
	c->first = draw >> (64 - SEED_BITS);
	c->last = UINT64_MAX - 1;
}

static int read_campaign(const struct line *line, struct campaign *c)
{
	*c = (struct campaign){.first = 1,
			       .last = SEEDS_USUAL,
			       .shards = 1,
			       .jobs = (unsigned)line->jobs,
			       .until = line->time ? clock_now() + line->time : UINT64_MAX,
			       .failures = (uint32_t)line->failures};
	if (line->seeds && !read_seeds(line->seeds, c))
		return option_refuse(&command_sim, "--seeds: '%s' is not of the form A..B",
				     line->seeds);
	if (!line->seeds && line->time)
		draw_seeds(c);
	if (line->shard && !read_shard(line->shard, c))
		return option_refuse(&command_sim,
				     "--shard: '%s' is not of the form I/N, I from 0 to N-1",
				     line->shard);
	return OPTION_GO_ON;
}

/* Makes a failure's scenario smaller, saves it, and tells all of it. */
static int tell_failure(const struct line *line, const struct campaign_failure *failure)
{
	static struct sim_scenario scenario;
	struct sim_case told = {.seed = failure->seed, .trial = failure->trial};

	sim_draw(&scenario, failure->seed);
	if (!line->quick && !replay_shrink(&scenario, &failure->trial, &told.trial, &told.tries))
		return option_fail(&command_sim, "no process: %s", strerror(errno));
	snprintf(told.path, sizeof told.path, "%s/parley-sim-%" PRIu64 ".scenario",
		 line->save ? line->save : ".", failure->seed);
	if (!replay_save(&scenario, told.path))
		return option_fail(&command_sim, "'%s': %s", told.path, strerror(errno));
	told.scenario = &scenario;
	if (line->json)
		sim_report_failure_json(&told);
	else
		sim_words_failure(&told);
	return EXIT_FAILED;
}

static int run_seeds(const struct line *line, const struct campaign *c)
{
	struct campaign_result *result = malloc(sizeof *result);
	uint64_t start = clock_now();
	struct sim_sum sum = {
		.first = c->first, .last = c->last, .shard = c->shard, .shards = c->shards};
	int status = EXIT_OK, error;

	if (!result)
		return option_fail(&command_sim, "%s", strerror(ENOMEM));
	if (!line->json && line->time && !line->seeds)
		printf("seeds from %" PRIu64 " on\n", c->first);
	error = campaign_run(c, result);
	for (uint32_t i = 0; i < result->kept; i++)
		if (!line->failures || i < line->failures)
			status = tell_failure(line, &result->failure[i]);
	sum.failed = result->failed;
	sum.tally = &result->tally;
	sum.seconds = (double)(clock_now() - start) / 1e9;
	if (line->json)
		sim_report_sum_json(&sum);
	else
		sim_words_sum(&sum);
	free(result);
	if (error)
		return option_fail(&command_sim, "%s", strerror(-error));
	return sum.failed ? EXIT_FAILED : status;
}

/* One world, in this process, so that a debugger finds it here. */
static int run_one(const struct line *line, const struct sim_scenario *scenario)
{
	struct sim_case told = {.seed = scenario->seed, .alone = true};
	const char *wrong = NULL;
	int error = replay_run(scenario, line->trace, &told.trial, &wrong);

	if (error)
		return option_fail(&command_sim, "%s: %s", wrong, strerror(-error));
	if (line->json)
		sim_report_one_json(&told);
	else
		sim_words_one(&told);
	return told.trial.failed ? EXIT_FAILED : EXIT_OK;
}

static int run_file(const struct line *line)
{
	static struct sim_scenario scenario;
	struct sim_complaint complaint;
	int error = replay_load(&scenario, line->scenario, &complaint);

	if (error)
		return option_fail(&command_sim, "'%s': %s", line->scenario, strerror(-error));
	if (complaint.line)
		return option_refuse(&command_sim, "%s:%" PRIu32 ": %s", line->scenario,
				     complaint.line, complaint.text);
	if (*complaint.text)
		return option_refuse(&command_sim, "%s: %s", line->scenario, complaint.text);
	return run_one(line, &scenario);
}

static int run_seed(const struct line *line)
{
	static struct sim_scenario scenario;

	sim_draw(&scenario, line->seed);
	if (!line->print)
		return run_one(line, &scenario);
	replay_print(&scenario, stdout);
	return EXIT_OK;
}

static int refuse_mixed(const struct line *line, int operands)
{
	bool one = line->seed != UINT64_MAX || line->scenario;

	if ((line->seed != UINT64_MAX) + !!line->seeds + !!line->scenario + line->merge > 1)
		return option_refuse(&command_sim,
				     "--seed, --seeds, --scenario and --merge exclude each other");
	if (line->trace && !one)
		return option_refuse(&command_sim, "--trace: only with --seed or --scenario");
	if (line->print && line->seed == UINT64_MAX)
		return option_refuse(&command_sim, "--print: only with --seed");
	if (operands && !line->merge)
		return option_refuse(&command_sim, "files are for --merge");
	return OPTION_GO_ON;
}

static int run(int argc, char **argv)
{
	struct line line = {.seed = UINT64_MAX, .jobs = 1, .failures = 3};
	struct campaign campaign;
	int operands;
	int status = option_parse(&command_sim, argc, argv, &line, &operands);

	if (status == OPTION_GO_ON)
		status = refuse_mixed(&line, operands);
	if (status != OPTION_GO_ON)
		return status;
	if (line.merge)
		return sim_report_merge(&command_sim, argv, operands, line.json);
	if (line.scenario)
		return run_file(&line);
	if (line.seed != UINT64_MAX)
		return run_seed(&line);
	status = read_campaign(&line, &campaign);
	return status == OPTION_GO_ON ? run_seeds(&line, &campaign) : status;
}

const struct command command_sim = {
	.name = "sim",
	.operands = "[FILE]...",
	.summary = "random worlds in virtual time, checked after every event",
	.about =
		"Draws a world from each seed: hosts with settings of their own, links that lose, "
		"reorder, damage, break and change, forged segments, scarce memory, and users of "
		"many kinds. Rules that always hold are checked after every event, and at the end "
		"that everything came to one.\n\n"
		"A world that breaks a rule is made as small as it can be, and saved as a scenario "
		"with the command that runs it again, to the byte. At the end stands what all "
		"worlds together have covered.",
	.options = options,
	.operands_min = 0,
	.operands_max = -1,
	.run = run,
};
