/* SPDX-License-Identifier: MIT */
/*
 * One scenario, run from its beginning to its end: what `parley sim` does over and over.
 *
 * Worlds lie at a fixed base, so that even addresses are the same in each run. A process can hold
 * one world at a time.
 */
#ifndef TOOL_TRIAL_H
#define TOOL_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/coverage.h"
#include "sim/failure.h"
#include "sim/scenario.h"
#include "sim/stage.h"

/* How a world ended. */
struct trial {
	bool failed;
	int signal; /* that ended the process of trial_apart(); 0: none */
	/* The rule that was broken, and the words for it; with a signal there is no rule. */
	enum sim_rule rule;
	char text[SIM_FAILURE_TEXT];
	uint64_t event; /* in which it failed, or how many there were */
	uint64_t now;	/* ns */
	uint64_t digest;
	struct sim_coverage coverage;
};

/* CPU seconds after which a world that still runs is ended by SIGVTALRM. */
#define TRIAL_PATIENCE 10

/* Maps the room for worlds. False, with errno set, when there is none. */
bool trial_open(void);

/* Runs a scenario in this process; hooks may be NULL. */
void trial_run(const struct sim_scenario *scenario, const struct sim_hooks *hooks,
	       struct trial *trial);

/* Runs it in a process of its own, which may crash. False when there can be none. */
bool trial_apart(const struct sim_scenario *scenario, struct trial *trial);

/* Whether two trials failed in the same way. */
bool trial_same(const struct trial *a, const struct trial *b);

/* Arms the alarm for a world in this process, or, with false, disarms it. */
void trial_alarm(bool on);

#endif
