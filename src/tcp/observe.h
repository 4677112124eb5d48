/* SPDX-License-Identifier: MIT */
/*
 * Telling the observer, and counting. With the hook unset, each of these costs one branch.
 */
#ifndef TCP_OBSERVE_H
#define TCP_OBSERVE_H

#include "tcp/tcp.h"

static inline void count(struct tcp *tcp, enum parley_counter counter)
{
	tcp->counters[counter]++;
}

/* An event of a connection; values in the order of the table, up to PARLEY_TRACE_FIELDS. */
void observe(struct tcp *tcp, const struct tcb *tcb, enum parley_trace_kind kind,
	     const int64_t *values, int n);

/* The same where there is only a four-tuple, perhaps with a handle. */
void observe_tuple(struct tcp *tcp, parley_conn conn, const struct tuple *tuple, int ifindex,
		   enum parley_trace_kind kind, const int64_t *values, int n);

/* A segment that arrived (SEGMENT_IN) for the connection in a slot (SLOT_NONE: none) in `state`. */
void observe_arrival_now(struct tcp *tcp, uint32_t slot, const struct arrival *arrival,
			 const struct segment *segment, enum parley_state state);

static inline void observe_arrival(struct tcp *tcp, uint32_t slot, const struct arrival *arrival,
				   const struct segment *segment, enum parley_state state)
{
	if (tcp->trace)
		observe_arrival_now(tcp, slot, arrival, segment, state);
}

/* A segment that goes out (SEGMENT_OUT). */
void observe_departure_now(struct tcp *tcp, parley_conn conn, const struct tuple *tuple,
			   int ifindex, const struct segment *segment, enum parley_state state,
			   enum parley_why why);

static inline void observe_departure(struct tcp *tcp, parley_conn conn, const struct tuple *tuple,
				     int ifindex, const struct segment *segment,
				     enum parley_state state, enum parley_why why)
{
	if (tcp->trace)
		observe_departure_now(tcp, conn, tuple, ifindex, segment, state, why);
}

/* Counts and tells a dropped segment. */
void observe_drop(struct tcp *tcp, const struct arrival *arrival, const struct segment *segment,
		  parley_conn conn, enum parley_drop reason);

/* Tells a call of the user and its result; returns the result. */
int64_t observe_call(struct tcp *tcp, const struct tcb *tcb, enum parley_call call, int64_t size,
		     int64_t result);

#define OBSERVE(tcp, tcb, kind, ...)                                                               \
	do {                                                                                       \
		if ((tcp)->trace) {                                                                \
			const int64_t values_[] = {__VA_ARGS__};                                   \
			observe(tcp, tcb, kind, values_, (int)(sizeof values_ / sizeof *values_)); \
		}                                                                                  \
	} while (0)

#endif
