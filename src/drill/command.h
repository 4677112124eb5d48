/* SPDX-License-Identifier: MIT */
/* Commands of a script, where nobody runs it: the plug-in. */
#ifndef DRILL_COMMAND_H
#define DRILL_COMMAND_H

#include "drill/config.h"
#include "drill/script.h"
#include "drill/stack.h"

/*
 * Applies the commands that stand before the first event to the stack. What was asked for by the
 * config stays, and so does the shift of the window when `wscale_fixed`.
 */
void drill_command_first(const struct drill_script *script, const struct drill_config *config,
			 struct drill_stack *stack, bool wscale_fixed);

/*
 * Chooses the window's shift (struct drill_personality). `script` may be NULL. True when a shift is
 * chosen, and not left to the buffer.
 */
bool drill_choose_wscale(struct drill_stack_config *stack,
			 const struct drill_personality *personality,
			 const struct drill_script *script);

#endif
