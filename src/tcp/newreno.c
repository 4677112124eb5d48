/* SPDX-License-Identifier: MIT */
/*
 * Slow start and congestion avoidance of RFC 5681, counting bytes (RFC 3465).
 */
#include "tcp/congestion.h"

/* RFC 5681 3.1 caps nothing; a window beyond what RFC 7323 can offer has no use. */
#define CWND_MAX (1u << 30)

static void start(struct tcb *tcb)
{
	tcb->cwnd = congestion_initial_window(tcb);
	tcb->ssthresh = UINT32_MAX;
	tcb->prior_cwnd_acked = 0;
}

/*
 * A window that was not used says nothing about the path: it does not grow (RFC 7661 4.1). In slow
 * start more than half of it is enough. It counts what was under way at any time of the round trip:
 * what an application writes at once comes back in several ACKs, and several ACKs may come before
 * output has its turn.
 */
static bool window_was_used(const struct tcb *tcb, uint32_t flight)
{
	if (tcb->flags & TCB_CWND_LIMITED)
		return true;
	if (tcb->sending && flight < tcb->sending->flight_max)
		flight = tcb->sending->flight_max;
	if (tcb->cwnd >= tcb->ssthresh)
		return flight + tcb->mss > tcb->cwnd;
	return flight > tcb->cwnd / 2;
}

/* By how much of `bytes` cwnd grows: slow start ends at ssthresh, whatever one ACK covers. */
static uint32_t slow_start(const struct tcb *tcb, uint32_t bytes)
{
	uint32_t room = tcb->ssthresh - tcb->cwnd;

	if (room < tcb->mss)
		room = tcb->mss;
	return bytes < room ? bytes : room;
}

static void acked(struct tcb *tcb, uint32_t bytes, uint32_t flight)
{
	/*
	 * L of RFC 3465 2.3: one segment while going back over what a timeout lost. Receivers that
	 * take segments by the batch acknowledge many at once, so two would be few.
	 */
	uint32_t segments = (uint32_t)tcb_setting(tcb, tcb->flags & TCB_AFTER_RTO
							       ? PARLEY_SET_TIMEOUT_LIMIT
							       : PARLEY_SET_SLOW_START_LIMIT);
	uint32_t limit = segments * tcb->mss;

	if (!window_was_used(tcb, flight) || tcb->cwnd >= CWND_MAX)
		return;
	if (tcb->cwnd < tcb->ssthresh) {
		uint32_t more = slow_start(tcb, bytes < limit ? bytes : limit);

		tcb->cwnd += more; /* MUST-19 */
		if (tcb->cwnd < tcb->ssthresh)
			return;
		bytes -= more;
	}
	tcb->prior_cwnd_acked += bytes;
	if (tcb->prior_cwnd_acked >= tcb->cwnd) {
		tcb->prior_cwnd_acked -= tcb->cwnd;
		tcb->cwnd += tcb->mss; /* MUST-19 */
	}
}

/* RFC 5681 equation 4. */
static uint32_t ssthresh(const struct tcb *tcb, uint32_t flight)
{
	uint32_t least = 2u * tcb->mss;

	return flight / 2 > least ? flight / 2 : least;
}

const struct congestion congestion_newreno = {
	.name = "newreno",
	.start = start,
	.acked = acked,
	.ssthresh = ssthresh,
};
