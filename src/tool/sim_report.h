/* SPDX-License-Identifier: MIT */
/*
 * What `parley sim --json` prints, an object a line, and the sum over the output of many runs:
 * docs/campaigns.md. Outputs are merged by concatenation.
 */
#ifndef TOOL_SIM_REPORT_H
#define TOOL_SIM_REPORT_H

#include <stdbool.h>

#include "tool/option.h"
#include "tool/sim_words.h"

void sim_report_failure_json(const struct sim_case *told);
void sim_report_one_json(const struct sim_case *told);
void sim_report_sum_json(const struct sim_sum *sum);

/*
 * Adds up the lines of n files ("-": standard input) and prints the sum, in words or as JSON.
 * EXIT_OK, EXIT_FAILED when a world failed or a file cannot be read, or EXIT_USAGE.
 */
int sim_report_merge(const struct command *command, char **files, int n, bool json);

#endif
