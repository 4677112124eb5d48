/* SPDX-License-Identifier: MIT */
/*
 * What the net layer tells: a segment arrived (for which connection, by which of the entries of
 * arrives.c?), or a next hop cannot be reached.
 */
#include "tcp/arrives.h"
#include "tcp/demux.h"
#include "tcp/half_open.h"
#include "tcp/observe.h"
#include "tcp/output.h"
#include "tcp/remnant.h"
#include "tcp/secret.h"
#include "tcp/user.h"

/* Does the slot still hold this TCB? A step may have ended it. */
static bool still_there(const struct tcp *tcp, uint32_t index, const struct tcb *tcb)
{
	const struct slot *slot = slot_at(&tcp->slots, index);

	return slot->kind == ENTRY_TCB && slot->object == tcb;
}

static void to_tcb(struct tcp *tcp, struct tcb *tcb, const struct arrival *arrival,
		   const struct segment *segment)
{
	uint32_t index = tcb->slot;
	struct seq una = tcb->snd.una, nxt = tcb->snd.nxt;

	tcb->segs_in++;
	if (tcb->state == PARLEY_SYN_SENT)
		arrives_syn_sent(tcp, tcb, arrival, segment);
	else
		arrives_other_states(tcp, tcb, arrival, segment);
	if (!still_there(tcp, index, tcb))
		return;
	if (tcb->flags & TCB_REOPEN) {
		tcb->flags &= ~(uint32_t)TCB_REOPEN;
		tcb_end(tcp, tcb, 0, PARLEY_CAUSE_SEGMENT);
		arrives_reopened(tcp, nxt, arrival, segment);
		return;
	}
	if (seq_gt(tcb->snd.una, una)) {
		/* The way there works, whatever was said about it. */
		tcb->flags |= TCB_PROGRESS;
		tcb->notice.soft = 0;
	}
	user_settle(tcp, tcb);
}

static enum parley_state state_of(const struct slot *slot)
{
	if (slot->kind == ENTRY_TCB)
		return ((const struct tcb *)slot->object)->state;
	return slot->kind == ENTRY_SYN ? half_open_state(slot->object) : PARLEY_TIME_WAIT;
}

void arrives_unknown(struct tcp *tcp, const struct arrival *arrival, const struct segment *segment)
{
	struct slot *slot = demux_listening(tcp, &arrival->tuple);

	observe_arrival(tcp, SLOT_NONE, arrival, segment, slot ? PARLEY_LISTEN : PARLEY_CLOSED);
	if (slot)
		arrives_listen(tcp, slot, arrival, segment, secret_isn(tcp, &arrival->tuple));
	else
		arrives_closed(tcp, arrival, segment);
}

void arrives_reopened(struct tcp *tcp, struct seq old_nxt, const struct arrival *arrival,
		      const struct segment *segment)
{
	struct slot *slot = demux_listening(tcp, &arrival->tuple);
	struct seq iss = secret_isn(tcp, &arrival->tuple);

	count(tcp, PARLEY_COUNTER_TIME_WAIT_RECYCLED);
	if (slot)
		arrives_listen(tcp, slot, arrival, segment, seq_max(iss, seq_add(old_nxt, 65537)));
}

void tcp_arrives(struct tcp *tcp, const struct arrival *arrival, const struct segment *segment)
{
	uint32_t index = demux_arrived(tcp, &arrival->tuple);
	struct slot *slot;

	count(tcp, PARLEY_COUNTER_IN_SEGS);
	if (segment->options.malformed)
		count(tcp, PARLEY_COUNTER_OPTIONS_MALFORMED);
	if (!(segment->flags & (TCP_ACK | TCP_SYN | TCP_RST)) &&
	    !tcp->settings->v[PARLEY_SET_BARE_SEGMENTS]) {
		observe_drop(tcp, arrival, segment, PARLEY_NO_CONN, PARLEY_DROP_NO_FLAGS);
		return;
	}
	if (index == SLOT_NONE) {
		arrives_unknown(tcp, arrival, segment);
		return;
	}
	slot = slot_at(&tcp->slots, index);
	observe_arrival(tcp, index, arrival, segment, state_of(slot));
	switch ((enum entry_kind)slot->kind) {
	case ENTRY_TCB:
		to_tcb(tcp, slot->object, arrival, segment);
		break;
	case ENTRY_SYN:
		half_open_arrives(tcp, slot->object, arrival, segment);
		break;
	case ENTRY_REMNANT:
		remnant_arrives(tcp, slot->object, arrival, segment);
		break;
	case ENTRY_FREE:
	case ENTRY_LISTENER:
		break;
	}
}

void tcp_unreachable(struct tcp *tcp, struct tcb *tcb)
{
	if (tcb->state == PARLEY_SYN_SENT) {
		tcb_end(tcp, tcb, PARLEY_EHOSTUNREACH, PARLEY_CAUSE_TIMEOUT);
		return;
	}
	tcp->drops[PARLEY_DROP_NEIGHBOUR_FAILED]++;
	(void)output_lose(tcp, tcb);
}
