/* SPDX-License-Identifier: MIT */
/*
 * Oracles: rules that hold at all times, whatever the network does. They judge what the engine
 * says (its trace), what it sends, and its invariants; what users are told is judged where it is
 * told (user.c, stream.c). A rule that is broken is reported by sim_fail().
 */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include "sim/flow.h"
#include "sim/host.h"
#include "sim/packet.h"

#include <parley/trace.h>

#include <stdbool.h>

/*
 * The edges between states that RFC 9293 knows: figure 5, and what the text of 3.10 adds (RST,
 * ABORT and time-outs to CLOSED; MAY-2, a new SYN in TIME-WAIT).
 */
bool sim_edge_is_legal(enum parley_state from, enum parley_state to);

/* An event of the host's trace. */
void sim_oracle_trace(struct sim_host *host, const struct parley_trace_event *event);

/* A host is about to put a TCP segment on the wire; the flow does not know of it yet. */
void sim_oracle_sent(struct sim_host *host, const struct sim_flow *flow, unsigned way,
		     const struct sim_packet *packet);

/* After a turn of the host, when all events were told. */
void sim_oracle_turn(struct sim_host *host);

/* After an event that concerned the host. */
void sim_oracle_host(struct sim_host *host);

/* At the end, when all is settled: nothing may be left. */
void sim_oracle_end(struct sim_host *host);

#endif
