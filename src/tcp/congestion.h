/* SPDX-License-Identifier: MIT */
/*
 * Congestion control: how cwnd grows, and to what it falls. A table of functions per algorithm.
 * Which segments are lost is not its business (recovery.h).
 */
#ifndef TCP_CONGESTION_H
#define TCP_CONGESTION_H

#include "tcp/tcb.h"

struct congestion {
	const char *name;
	/* The connection is established: sets cwnd and ssthresh. */
	void (*start)(struct tcb *tcb);
	/*
	 * `bytes` of new data were acknowledged outside of fast recovery, while `flight` bytes had
	 * been under way.
	 */
	void (*acked)(struct tcb *tcb, uint32_t bytes, uint32_t flight);
	/* Loss was found with `flight` bytes under way: the new ssthresh. */
	uint32_t (*ssthresh)(const struct tcb *tcb, uint32_t flight);
};

/* The algorithm of a connection, by the number that the setting "congestion" had. */
const struct congestion *congestion_of(const struct tcb *tcb);

/* The initial window in bytes (RFC 6928), one segment if the SYN was lost (RFC 5681 3.1). */
uint32_t congestion_initial_window(const struct tcb *tcb);

/* Nothing has been sent for longer than the RTO: the restart window (RFC 5681 4.1). */
void congestion_restart(struct tcb *tcb);

extern const struct congestion congestion_newreno;

#endif
