/* SPDX-License-Identifier: MIT */
/* What `parley sim` says to people: a world that failed, one alone, and the sum over many. */
#ifndef TOOL_SIM_WORDS_H
#define TOOL_SIM_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/coverage.h"
#include "sim/scenario.h"
#include "tool/trial.h"

#define SIM_PATH_MAX 4096
/* Below so many occurrences a thing is marked in the table, when there were worlds enough. */
#define SIM_COVER_LEAST	 100
#define SIM_COVER_WORLDS 100000

/* A world that was run. */
struct sim_case {
	uint64_t seed;
	bool alone; /* the only one */
	struct trial trial;
	const struct sim_scenario *scenario; /* of one that failed: saved, and made smaller */
	char path[SIM_PATH_MAX];	     /* where */
	uint32_t tries;			     /* worlds that it took to make it smaller */
};

/* What a run over seeds adds up to. */
struct sim_sum {
	uint64_t first, last, shard, shards;
	uint32_t failed;
	double seconds;
	const struct sim_tally *tally;
};

void sim_words_failure(const struct sim_case *told);
void sim_words_one(const struct sim_case *told);
void sim_words_sum(const struct sim_sum *sum);

#endif
