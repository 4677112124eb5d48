/* SPDX-License-Identifier: MIT */
/*
 * An account of what a TCP tells of itself: each event of the trace as one line, and at the end a
 * line for each counter and each reason for dropping that is not 0. A test compares it whole, so
 * that no field of an event can be wrong unnoticed.
 *
 *	0 a1t segment_out S seq 0 ack 0 len 0 wnd 65535 mss 1460 wscale 9 SYN-SENT new
 *
 * First the time, ms since it began. Then the handle, a letter in the order of first appearance
 * ("-" is none); the interface; and the ends: "t" is the peer's four-tuple, "l" its local end
 * alone, "-" neither. Then the kind and the fields in the table's order, but for "up 0", "mss 0"
 * and "wscale -1". Numbers are relative as in peer.h, times are in ms.
 */
#ifndef TESTS_TCP_ACCOUNT_H
#define TESTS_TCP_ACCOUNT_H

#include "peer.h"

#define ACCOUNT_LINES	128
#define ACCOUNT_LINE	160
#define ACCOUNT_HANDLES 8

struct account {
	struct peer *peer;
	uint64_t began;
	parley_conn handles[ACCOUNT_HANDLES];
	int known;
	int count;
	char lines[ACCOUNT_LINES][ACCOUNT_LINE];
};

/* A TCP whose account begins at once. */
void account_open(struct account *account, struct peer *peer);

/* A TCP with a connection in a state; what came before is not told. */
void account_open_in(struct account *account, struct peer *peer, enum peer_how how,
		     enum parley_state state);

/* The user gives the handle back. */
void account_release(struct peer *peer);

/* The end of the peer, whatever it still has to tell. */
void account_end(struct peer *peer);

/* From now on what the peer's TCP tells is written down, and counted from 0. */
void account_begin(struct account *account, struct peer *peer);

/* Ends it, with the counters; the whole must be these lines. */
void account_compare(struct account *account, const char *const *lines, int n, const char *file,
		     int line);

#define account_is(account, lines) \
	account_compare(account, lines, sizeof(lines) / sizeof *(lines), __FILE__, __LINE__)

#endif
