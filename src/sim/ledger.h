/* SPDX-License-Identifier: MIT */
/*
 * What a host owes its peers, and what it says without being asked: by what its trace tells of the
 * segments that came for a connection and that it handed out, one ledger for each side of a flow.
 * The network is no part of it: here a segment is handed out when the engine hands it out.
 */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "base/seq.h"

#include <parley/conn.h>
#include <parley/trace.h>

#include <stdbool.h>
#include <stdint.h>

struct sim_host;

/* Of a connection, from the state behind LISTEN or CLOSED on. */
struct sim_ledger {
	bool begun;	     /* its SYN has gone */
	bool spoke;	     /* it has acknowledged something: acked, wnd and expected are known */
	bool owes;	     /* after a turn RCV.NXT was not acknowledged: */
	struct seq owed;     /* that number, */
	uint64_t owed_since; /* and since when, ns, the world's */
	uint64_t patience;   /* the longest "delayed-ack" that it had meanwhile, ns */
	struct seq acked;    /* by the last segment with an ACK that it handed out */
	uint32_t wnd;	     /* and what that had as its window, */
	bool from_syn;	     /* it was a SYN */
	struct seq edge;     /* the furthest right edge of its window */
	struct seq expected; /* behind what came in order */
	struct seq una;	     /* the furthest number that the peer acknowledged */
	struct seq end;	     /* behind the last number that it used */
	uint32_t longest;    /* text of a segment that came, bytes */
	uint32_t widest;     /* window that the peer offered, bytes */
	uint32_t mss;	     /* its own, after the last turn */
	uint64_t room;	     /* the largest receive buffer that it had or offered, bytes */
	bool mute;	     /* after a turn it could not speak, and what it owed may be lost: */
	struct seq lost;     /* up to this number */
	bool fin;	     /* the peer's has come, or a forged one */
	bool overridden;     /* text may go that is short: a timer says so */
	bool retransmits;    /* after a turn it was sending again, since: */
	uint64_t since;	     /* ns, the world's; */
	uint64_t r2;	     /* the setting "r2" then, ns */
	/* Since the last turn: a short segment with text under way (bytes; 0: none), */
	uint32_t small;
	uint32_t step;	   /* and the smallest step that its window's edge made (bytes; 0: none) */
	uint32_t in_order; /* segments that came in order and were not acknowledged, */
	uint32_t odd;	   /* and others that ask for an ACK and got none */
};

/* An event of the host's trace. */
void sim_ledger_trace(struct sim_host *host, const struct parley_trace_event *event);

/* After a turn in which all was handed out, about one connection. */
void sim_ledger_turn(struct sim_host *host, const struct parley_status *status);

#endif
