/* SPDX-License-Identifier: MIT */
#include "tcp/congestion.h"

const struct congestion *congestion_of(const struct tcb *tcb)
{
	static const struct congestion *const table[] = {&congestion_newreno};

	return table[tcb->congestion];
}

uint32_t congestion_initial_window(const struct tcb *tcb)
{
	uint32_t segments = (uint32_t)tcb_setting(tcb, PARLEY_SET_INITIAL_WINDOW);
	uint32_t bytes;

	if (tcb->flags & TCB_SYN_LOST)
		return tcb->mss;
	if (!segments) /* RFC 5681 3.1 */
		segments = 2u + (tcb->mss <= 2190) + (tcb->mss <= 1095);
	bytes = segments * tcb->mss;
	/* RFC 6928 2: ten segments, but of large ones fewer. */
	if (segments == 10 && bytes > 14600)
		bytes = 2u * tcb->mss > 14600 ? 2u * tcb->mss : 14600;
	return bytes;
}

void congestion_restart(struct tcb *tcb)
{
	uint32_t window = congestion_initial_window(tcb);

	if (tcb->cwnd <= window)
		return;
	tcb->cwnd = window;
	tcb->prior_cwnd_acked = 0;
}
