/* SPDX-License-Identifier: MIT */
/*
 * Settings of a host (include/parley/setting.h) as they are written on the command line:
 * "key=value", times with a unit ("200ms"), sizes also with K, M, G, switches as on and off.
 */
#ifndef TOOL_SETTING_H
#define TOOL_SETTING_H

#include <parley/setting.h>

#include "tool/option.h"

/*
 * Reads one. Returns OPTION_GO_ON, or EXIT_USAGE after a message that begins with the option's
 * name `option`.
 */
int setting_read(const struct command *command, const char *option, const char *text,
		 enum parley_setting *setting, int64_t *value);

/*
 * Reads the name of a profile; of NULL nothing, so that *profile stays. Returns OPTION_GO_ON, or
 * EXIT_USAGE after a message.
 */
int setting_read_profile(const struct command *command, const char *option, const char *text,
			 enum parley_profile *profile);

/* Prints a list of all settings, with range, values and meaning, for a help. */
void setting_help(void);

#endif
