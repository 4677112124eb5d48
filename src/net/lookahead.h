/* SPDX-License-Identifier: MIT */
/*
 * Looking ahead in a batch of frames: where there are many connections, what belongs to one is
 * rarely in a near cache, and waiting for memory costs more than the protocol. So before a batch is
 * taken frame by frame, the headers are glanced at and memory is asked for all of it at once.
 *
 * Nothing is decided here: a glance that finds no TCP, or is deceived, costs a little time.
 */
#ifndef NET_LOOKAHEAD_H
#define NET_LOOKAHEAD_H

#include <parley/host.h>

/* Frames that are looked at together. */
enum { LOOKAHEAD = 32 };

/* Asks for what n (at most LOOKAHEAD) frames will need. */
void lookahead(const struct parley_host *host, const struct parley_rx *frames, int n);

#endif
