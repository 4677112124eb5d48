/* SPDX-License-Identifier: MIT */
/* Scenarios as files, and what is done with one alone: run with traces, and made smaller. */
#ifndef TOOL_REPLAY_H
#define TOOL_REPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/scenario_text.h"
#include "tool/trial.h"

/*
 * Makes a scenario smaller as long as it fails in the way that `failed` did; *trial becomes the
 * last failure, *tries how many worlds that took. False, with errno set, when there is no process
 * for it.
 */
bool replay_shrink(struct sim_scenario *scenario, const struct trial *failed, struct trial *trial,
		   uint32_t *tries);

/* Writes a scenario into a file. False with errno set. */
bool replay_save(const struct sim_scenario *scenario, const char *path);

void replay_print(const struct sim_scenario *scenario, FILE *out);

/*
 * Reads one. 0 or a negative errno; when it is no scenario, 0, and complaint->text says why, which
 * is "" otherwise.
 */
int replay_load(struct sim_scenario *scenario, const char *path, struct sim_complaint *complaint);

/*
 * Runs one in this process. With `dir`, which is made if need be, each host NAME leaves NAME.trace
 * and NAME.pcapng there. 0, or a negative errno and in *what the file that it is about.
 */
int replay_run(const struct sim_scenario *scenario, const char *dir, struct trial *trial,
	       const char **what);

#endif
