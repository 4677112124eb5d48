/* SPDX-License-Identifier: MIT */
#include "tcp/judge.h"

#include "tcp/listener.h"
#include "tcp/passive.h"

bool judge_reopens(struct tcp *tcp, const struct tcb *tcb, const struct segment *segment)
{
	return segment->flags & TCP_SYN && !(segment->flags & (TCP_ACK | TCP_RST | TCP_FIN)) &&
	       /* MAY-2 */
	       seq_gt(segment->seq, tcb->rcv.nxt) && tcp->settings->v[PARLEY_SET_TIME_WAIT_REUSE] &&
	       passive_welcome(tcp, &tcb->tuple);
}

bool judge_known_syn(const struct tcb *tcb, const struct segment *segment)
{
	return segment->flags & TCP_SYN && seq_eq(segment->seq, tcb->irs) &&
	       tcb_setting(tcb, PARLEY_SET_KNOWN_SYN);
}

bool judge_exact_rst(const struct tcb *tcb, const struct segment *segment)
{
	bool after_fin = tcb->state == PARLEY_CLOSE_WAIT || tcb->state == PARLEY_CLOSING ||
			 tcb->state == PARLEY_LAST_ACK;

	return seq_eq(segment->seq, tcb->rcv.nxt) ||
	       (after_fin && seq_eq(segment->seq, seq_sub(tcb->rcv.nxt, 1)) &&
		tcb_setting(tcb, PARLEY_SET_RST_AFTER_FIN));
}

bool judge_bad_options(const struct tcb *tcb)
{
	return tcb->state != PARLEY_TIME_WAIT && tcb_setting(tcb, PARLEY_SET_OPTION_RESET);
}

/* A setting of what listens. */
static int64_t setting_of(const struct slot *slot, enum parley_setting setting)
{
	if (slot->kind == ENTRY_LISTENER)
		return ((const struct listener *)slot->object)->settings->v[setting];
	return tcb_setting(slot->object, setting);
}

bool judge_bad_syn_options(const struct slot *slot)
{
	return setting_of(slot, PARLEY_SET_OPTION_RESET);
}

bool judge_syn_fin(const struct slot *slot, const struct segment *segment)
{
	return !(segment->flags & TCP_FIN) || setting_of(slot, PARLEY_SET_SYN_FIN);
}
