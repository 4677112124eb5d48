/* SPDX-License-Identifier: MIT */
/*
 * The canonical form of protocol state: what decides how a connection goes on, as a row of words
 * that is the same wherever the connection began in sequence space and in time. Two connections
 * with the same form do the same from here on, when the same happens to them; so the form is a
 * state's identity for who visits states exhaustively (sim/small.h).
 *
 * Sequence numbers are counted from ISS and IRS, deadlines from now, and what lies in the past is
 * so long ago. Text stands as its length and a hash. Left out are counters and statistics, what
 * only the trace shows, handles, places in memory, and times that no rule looks at any more. As
 * settings are taken to stay what they are, so is a time that only a rule which is off would ask
 * for: keep-alive's last arrival.
 */
#ifndef TCP_CANONICAL_H
#define TCP_CANONICAL_H

#include "tcp/tcp.h"

/* Where the words go. `n` counts also those that found no room: then it is above `cap`. */
struct canonical {
	uint64_t *word;
	uint32_t n, cap;
};

/* Appends the form of one TCB, which is not queued for output. */
void tcb_canonical(const struct tcp *tcp, const struct tcb *tcb, struct canonical *out);

/*
 * Appends the forms of all that the connection table and the listeners hold, in the order of their
 * slots. Without any, nothing is appended.
 */
void tcp_canonical(const struct tcp *tcp, struct canonical *out);

/*
 * When the first timer of all connections fires, ns, or TCB_NEVER. tcp_deadline() may be earlier:
 * then only the wheel is to be turned, and nothing happens that could be seen.
 */
uint64_t tcp_first_timer(const struct tcp *tcp);

#endif
