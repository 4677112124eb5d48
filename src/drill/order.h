/* SPDX-License-Identifier: MIT */
/*
 * The options of a SYN in the order in which another stack writes them, and PSH where it sets it.
 * What they say is the same, and so is their length; peers must not care (RFC 9293 3.1), but
 * scripts compare.
 *
 *	Linux	mss, sackOK, TS, wscale; NOPs before, so that fields stand on four-byte boundaries
 *	BSD	mss, wscale, sackOK, TS; NOPs before, and zeros at the end
 */
#ifndef DRILL_ORDER_H
#define DRILL_ORDER_H

#include "drill/config.h"

/*
 * Rewrites a packet's options in place, and its checksum, if it is a SYN with options that are
 * known and not in this order. False when it was left as it is.
 */
bool drill_order(uint8_t *bytes, size_t len, enum drill_order order);

/* Sets PSH on a TCP segment, in place, and its checksum. */
void drill_push(uint8_t *bytes, size_t len);

#endif
