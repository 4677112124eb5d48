/* SPDX-License-Identifier: MIT */
/*
 * Many seeds, spread over processes. What comes out does not depend on how many there are, as long
 * as all seeds are run: sums, and failures in the order of their seeds.
 */
#ifndef TOOL_CAMPAIGN_H
#define TOOL_CAMPAIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/coverage.h"
#include "tool/trial.h"

struct campaign {
	uint64_t first, last;	/* seeds, both included */
	uint64_t shard, shards; /* of these each `shards`-th, from first + shard on */
	unsigned jobs;
	uint64_t until;	   /* dev/clock.h: no seed begins later; UINT64_MAX: all are run */
	uint32_t failures; /* stop after so many; 0: never */
};

#define CAMPAIGN_JOBS_MAX     256
#define CAMPAIGN_FAILURES_MAX 256

struct campaign_failure {
	uint64_t seed;
	struct trial trial;
};

struct campaign_result {
	struct sim_tally tally; /* of all worlds, failed ones too unless they crashed */
	uint32_t failed;	/* worlds */
	uint32_t kept;		/* of them, in failure[], by seed */
	struct campaign_failure failure[CAMPAIGN_FAILURES_MAX];
};

/*
 * Runs it, and fills the result, which is large. 0 or a negative errno. SIGINT and SIGTERM let it
 * end early, with what it has.
 */
int campaign_run(const struct campaign *campaign, struct campaign_result *result);

#endif
