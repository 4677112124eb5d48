/* SPDX-License-Identifier: MIT */
/* The commands of `parley`: each has its own file, cmd_<name>.c. */
#ifndef TOOL_COMMANDS_H
#define TOOL_COMMANDS_H

#include "tool/option.h"

extern const struct command command_check;
extern const struct command command_demo;
extern const struct command command_drill;
extern const struct command command_ladder;
extern const struct command command_lan;
extern const struct command command_run;
extern const struct command command_sim;
extern const struct command command_ss;
extern const struct command command_stat;

#endif
