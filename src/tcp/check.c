/* SPDX-License-Identifier: MIT */
/* The invariants, for tests, fuzzers and simulators. */
#include "tcp/demux.h"
#include "tcp/held.h"
#include "tcp/listener.h"
#include "tcp/sent.h"
#include "tcp/status.h"

static const char *check_sending(const struct tcb *tcb)
{
	uint64_t nxt = tcb_nxt_off(tcb);

	if (seq_gt(tcb->snd.una, tcb->snd.nxt))
		return "SND.UNA is beyond SND.NXT";
	if (nxt > tcb->snd_end + 1)
		return "SND.NXT is beyond the end of the stream";
	if (nxt == tcb->snd_end + 1 && !(tcb->flags & TCB_CLOSED_BY_USER))
		return "a FIN was sent that nobody asked for";
	if ((int64_t)(tcb_snd_offset(tcb, tcb->snd.up) - tcb->snd_end) > 1)
		return "SND.UP is beyond the end of the stream";
	if (tcb->lost_bytes + tcb->sacked_bytes > tcb_flight(tcb))
		return "more has left the network than was sent";
	if (tcb->cwnd < tcb->mss)
		return "cwnd is below one segment";
	if (tcb_flight(tcb) && tcb->main_at == TCB_NEVER && tcb->state != PARLEY_TIME_WAIT)
		return "something is under way, and no timer watches it";
	if (tcb_flight(tcb) && !sent_first(tcb))
		return "something is under way without a record";
	return sent_check(tcb);
}

static const char *check_receiving(const struct tcb *tcb)
{
	const struct receiving *r = tcb->receiving;

	if (tcb->read_off + !!(tcb->flags & TCB_FIN_RECEIVED) > tcb->rcv_off)
		return "more was read than has come";
	if (tcb->flags & TCB_FIN_RECEIVED && tcb->rcv_off != tcb->fin_off + 1)
		return "RCV.NXT does not stand behind the FIN";
	if (r && r->ranges.n && ranges_at(&r->ranges, 0).lo <= tcb->rcv_off)
		return "out-of-order text begins at or before RCV.NXT";
	if ((r && !stream_check(&r->stream)) ||
	    (tcb->sending && !stream_check(&tcb->sending->stream)))
		return "a stream is unsound";
	return NULL;
}

/* Does the state agree with what was sent and received? */
static const char *check_state(const struct tcb *tcb)
{
	bool fin_received = tcb->flags & TCB_FIN_RECEIVED;
	bool closed = tcb->flags & TCB_CLOSED_BY_USER;

	switch ((enum parley_state)tcb->state) {
	case PARLEY_CLOSED:
		return NULL; /* what came before the end stays for the user to see */
	case PARLEY_LISTEN:
	case PARLEY_SYN_SENT:
	case PARLEY_SYN_RECEIVED:
		return fin_received ? "a FIN was received before ESTABLISHED" : NULL;
	case PARLEY_ESTABLISHED:
		return fin_received || closed ? "ESTABLISHED, but one side has closed" : NULL;
	case PARLEY_FIN_WAIT_1:
		return fin_received || !closed ? "FIN-WAIT-1 without our close alone" : NULL;
	case PARLEY_FIN_WAIT_2:
		return fin_received || !tcb_fin_acked(tcb) ? "FIN-WAIT-2 without our FIN" : NULL;
	case PARLEY_CLOSE_WAIT:
		return !fin_received || closed ? "CLOSE-WAIT without the peer's FIN alone" : NULL;
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
		return !fin_received || !closed || tcb_fin_acked(tcb)
			       ? "CLOSING or LAST-ACK, but not waiting for the last ACK"
			       : NULL;
	case PARLEY_TIME_WAIT:
		return !fin_received || !tcb_fin_acked(tcb) ? "TIME-WAIT without both FINs" : NULL;
	}
	return "a state outside of the eleven";
}

/* The invariants of one TCB: NULL, or the first that is broken. */
static const char *check_tcb(const struct tcp *tcp, const struct tcb *tcb)
{
	const char *broken = check_state(tcb);

	if (!broken && tcb->state >= PARLEY_ESTABLISHED)
		broken = check_sending(tcb);
	if (!broken && tcb->state >= PARLEY_ESTABLISHED)
		broken = check_receiving(tcb);
	if (broken)
		return broken;
	if (tcb->state == PARLEY_CLOSED || tcb->state == PARLEY_LISTEN)
		return tcb->flags & TCB_IN_TABLE ? "in the table without a connection" : NULL;
	if (!(tcb->flags & TCB_IN_TABLE) || demux_find(tcp, &tcb->tuple) != tcb->slot)
		return "a connection cannot be found by its four-tuple";
	if (tcb->main_at != TCB_NEVER &&
	    (!wheel_is_scheduled(&tcb->timer) || tcb->timer.deadline > tcb->main_at))
		return "the wheel will visit too late";
	if (tcb->ack_at != TCB_NEVER && !list_is_linked(&tcb->ready) &&
	    (!wheel_is_scheduled(&tcb->timer) || tcb->timer.deadline > tcb->ack_at))
		return "the wheel will acknowledge too late";
	return NULL;
}

static const char *check_listener(const struct tcp *tcp, const struct listener *listener)
{
	uint32_t queued = 0;

	for (struct list_link *link = list_first(&listener->queue); link;
	     link = list_next(&listener->queue, link))
		queued++;
	if (queued != listener->queued)
		return "an accept queue is miscounted";
	return held_check(tcp, listener);
}

const char *tcp_check(struct tcp *tcp)
{
	uint32_t remnants = 0;

	for (uint32_t i = 0; i < tcp->slots.cut; i++) {
		const struct slot *slot = slot_at(&tcp->slots, i);
		const char *broken = NULL;

		if (slot->kind == ENTRY_TCB)
			broken = check_tcb(tcp, slot->object);
		else if (slot->kind == ENTRY_LISTENER)
			broken = check_listener(tcp, slot->object);
		else if (slot->kind == ENTRY_REMNANT)
			remnants++;
		if (broken)
			return broken;
	}
	if (remnants != tcp->time_wait.count)
		return "remnants are miscounted";
	if (!table_check(&tcp->table) || !wheel_check(&tcp->wheel))
		return "the connection table or the wheel is unsound";
	return memory_check(tcp->memory) ? NULL : "the books of memory do not balance";
}
