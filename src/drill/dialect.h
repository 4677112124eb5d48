/* SPDX-License-Identifier: MIT */
/*
 * Which stack a script was written for: it expects that stack's way where the RFCs leave a choice.
 */
#ifndef DRILL_DIALECT_H
#define DRILL_DIALECT_H

#include "drill/config.h"
#include "drill/script.h"

/*
 * To be called behind drill_config_init(), before options: a script that sets FreeBSD's sysctls, or
 * expects FreeBSD's order of options on a SYN, begins with the personality `stack=bsd`. All others
 * stay with Linux's. NULL: nothing is known of the script.
 */
void drill_dialect_choose(struct drill_config *config, const struct drill_script *script);

/*
 * Is PSH to be set on the last of several segments that go at once? As the personality says, or for
 * `psh=auto` as the script has it: when none of the segments that it expects longer than one MSS
 * goes without. NULL: not.
 */
bool drill_dialect_pushes(const struct drill_personality *personality,
			  const struct drill_script *script);

#endif
