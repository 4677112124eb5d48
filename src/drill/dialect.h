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
 * stay with Linux's, but for what their packets tell:
 *
 *	delay-fin-ack	on, if they wait for an ACK of a FIN
 *	answer-syn-ack	on, if they wait for one of the SYN,ACK of a simultaneous open
 *	quick-acks	0, if the first text's ACK is delayed
 *	empty-probes	off, if a window probe has text
 *	min-rto, min-rto-spread		as the first retransmission after a timeout is due
 *	timeout-limit	as what follows that shows
 *	syn-retries	Linux's six, if there are seven SYNs
 *
 * NULL: nothing is known of the script.
 */
void drill_dialect_choose(struct drill_config *config, const struct drill_script *script);

/*
 * Does the script expect PSH on a segment that ends before `end`, counted from the initial sequence
 * number? NULL: no.
 */
bool drill_dialect_pushes(const struct drill_script *script, uint32_t end);

#endif
