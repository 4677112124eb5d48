/* SPDX-License-Identifier: MIT */
#include "tcp/acknowledge.h"

#include "tcp/buffer.h"
#include "tcp/recovery.h"
#include "tcp/rtt.h"
#include "tcp/sending.h"
#include "tcp/sent.h"

bool acknowledge_in_range(const struct tcb *tcb, struct seq ack)
{
	uint64_t back = tcb->snd.max_wnd;

	/* Bytes that were never sent cannot be acknowledged, however large the window. */
	if (tcb->snd_off + 1 < back && tcb_setting(tcb, PARLEY_SET_NARROW_ACK_RANGE))
		back = tcb->snd_off + 1;
	/* UNL-15, MAY-12 */
	return seq_diff(ack, tcb->snd.una) >= -(int64_t)back && seq_leq(ack, tcb->snd.nxt);
}

/* Tells the user of room in the send buffer, and frees what need not be sent again. */
static void free_acknowledged(struct tcp *tcp, struct tcb *tcb)
{
	uint64_t buffer = buffer_send(tcp, tcb);
	uint64_t waiting = tcb->snd_end > tcb->snd_off ? tcb->snd_end - tcb->snd_off : 0;

	sending_settle(tcp, tcb);
	if (!(tcb->flags & TCB_OWNED))
		return;
	if (tcb->flags & TCB_WANTS_WRITABLE && waiting < buffer &&
	    buffer_is_writable(buffer, buffer - waiting)) {
		tcb->flags &= ~(uint32_t)TCB_WANTS_WRITABLE;
		notice_raise(tcp, &tcb->notice, PARLEY_WRITABLE);
	}
	if (!waiting)
		notice_raise(tcp, &tcb->notice, PARLEY_DRAINED);
}

/* (i) of RFC 9293 3.10.7.4: SND.UNA < SEG.ACK =< SND.NXT. */
static void advance(struct tcp *tcp, struct tcb *tcb, struct seq ack, uint64_t at)
{
	uint32_t flight = tcb_flight(tcb);
	uint32_t bytes = ack.v - tcb->snd.una.v;
	uint64_t sent_at = sent_acked(tcp, tcb, ack);
	bool first_partial = false;

	tcb->snd_off += bytes;
	tcb->snd.una = ack;
	tcb->flags &= ~(uint32_t)TCB_HELD;
	tcb->snd.up = seq_max(tcb->snd.up, ack); /* left behind by 2^31 it would seem ahead */
	if (sent_at != TCB_NEVER && at >= sent_at)
		rtt_sample(tcp, tcb, at - sent_at);
	recovery_advance(tcp, tcb, bytes, flight);
	tcb->retransmits = 0;
	if (tcb->flags & TCB_RECOVERY) {
		first_partial = !(tcb->flags & TCB_PARTIAL_SEEN);
		tcb->flags |= TCB_PARTIAL_SEEN;
	}
	/* RFC 6298 5.2, 5.3; in recovery only the first partial ACK restarts (RFC 6582 4). */
	if (!tcb_flight(tcb))
		tcb_disarm(tcb);
	else if (!(tcb->flags & TCB_RECOVERY) || first_partial ||
		 tcb_setting(tcb, PARLEY_SET_STEADY_RECOVERY))
		tcb_arm(tcp, tcb, PARLEY_TIMER_RETRANSMIT, tcp->now + tcb->rto);
	free_acknowledged(tcp, tcb);
	tcb_owe(tcp, tcb, 0);
}

/*
 * A probe's byte that found the window closed goes again at once when it opens, and so does what is
 * due for a probe, which now is none.
 */
static void window_opened(struct tcp *tcp, struct tcb *tcb)
{
	struct record *first = sent_first(tcb);

	tcb->retransmits = 0;
	tcb->stalled_since = tcp->now;
	if (tcb->main_timer == PARLEY_TIMER_PERSIST)
		tcb_disarm(tcb);
	if (first && (first->marks & SENT_PROBE || tcb->owed & OWE_PROBE)) {
		recovery_lose(tcb, first);
		tcb->main_why = first->marks & SENT_PROBE ? PARLEY_WHY_PROBE : PARLEY_WHY_RTO;
		tcb_owe(tcp, tcb, OWE_REXMIT);
	}
	tcb->owed &= (uint16_t)~OWE_PROBE;
	if (tcb_flight(tcb) && tcb->main_at == TCB_NEVER)
		tcb_arm(tcp, tcb, PARLEY_TIMER_RETRANSMIT, tcp->now + tcb->rto);
}

/*
 * (iv): the window of a segment that is not older than the last that gave one (UNL-17). One
 * that acknowledges something new is not, though it may be a retransmission with an old number:
 * leaving SND.WND as it is would move the right edge by what was acknowledged.
 */
static void take_window(struct tcp *tcp, struct tcb *tcb, const struct segment *segment,
			bool advances)
{
	uint32_t wnd = (uint32_t)segment->wnd << tcb->snd_shift; /* MUST-1, REC-1 */
	uint32_t before = tcb->snd.wnd;

	if (!advances && seq_gt(tcb->snd.wl1, segment->seq))
		return;
	if (seq_eq(tcb->snd.wl1, segment->seq) && seq_gt(tcb->snd.wl2, segment->ack))
		return;
	tcb->snd.wnd = wnd;
	tcb->snd.wl1 = seq_max(tcb->snd.wl1, segment->seq);
	tcb->snd.wl2 = segment->ack;
	if (wnd > tcb->snd.max_wnd)
		tcb->snd.max_wnd = wnd;
	if (!before && wnd)
		window_opened(tcp, tcb);
	if (wnd != before)
		tcb_owe(tcp, tcb, 0);
}

/* RFC 5681 2: (a) outstanding data, (b) no text, (c) no SYN or FIN, (d) ACK and (e) window same. */
static bool is_duplicate(const struct tcb *tcb, const struct segment *segment, bool bare)
{
	return tcb_flight(tcb) && bare && seq_eq(segment->ack, tcb->snd.una) &&
	       (uint32_t)segment->wnd << tcb->snd_shift == tcb->snd.wnd && tcb->snd.wnd;
}

void acknowledge(struct tcp *tcp, struct tcb *tcb, const struct segment *segment, bool bare,
		 uint64_t at)
{
	bool duplicate = is_duplicate(tcb, segment, bare);
	bool advances = seq_gt(segment->ack, tcb->snd.una);

	if (advances)
		advance(tcp, tcb, segment->ack, at);
	/* (ii): an older ACK is ignored, but not its window, which the rule (iv) judges. */
	if (seq_geq(segment->ack, tcb->snd.una))
		take_window(tcp, tcb, segment, advances);
	if (duplicate)
		recovery_duplicate(tcp, tcb);
	/* An answer, whatever it says: the peer lives (MUST-37). */
	tcb->probes = 0;
	tcb->owed &= (uint16_t)~OWE_KEEPALIVE; /* MUST-26 */
	if (!tcb->snd.wnd)
		tcb->stalled_since = TCB_NEVER; /* MUST-37, SHLD-17 */
}
