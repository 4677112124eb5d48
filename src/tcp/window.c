/* SPDX-License-Identifier: MIT */
#include "tcp/window.h"

#include "tcp/buffer.h"

#define DUP_ACKS_MAX 16

/* A segment without text that begins outside of the window, but not by much. */
static bool empty_at_an_edge(const struct tcb *tcb, const struct segment *segment)
{
	if (!tcb_setting(tcb, PARLEY_SET_WINDOW_EDGES)) /* table 6, the first two rows */
		return !tcb->rcv.wnd && seq_eq(segment->seq, tcb->rcv.nxt);
	return seq_leq(tcb->rcv.acked, segment->seq) &&
	       seq_leq(segment->seq, seq_add(tcb->rcv.nxt, tcb->rcv.wnd));
}

bool window_acceptable(const struct tcb *tcb, const struct segment *segment)
{
	struct seq last = seq_add(segment->seq, segment->len - 1);
	bool first_in = seq_in_window(segment->seq, tcb->rcv.nxt, tcb->rcv.wnd);

	if (!segment->len)
		return first_in || empty_at_an_edge(tcb, segment);
	if (!tcb->rcv.wnd)
		return segment->len == 1 && segment->flags & TCP_FIN &&
		       seq_eq(segment->seq, tcb->rcv.nxt) &&
		       tcb_setting(tcb, PARLEY_SET_WINDOW_EDGES);
	return first_in || seq_in_window(last, tcb->rcv.nxt, tcb->rcv.wnd); /* UNL-2 */
}

/* Of a segment whose text may reach to the window's right edge, `beyond` bytes too far. */
static void trim_right(const struct tcb *tcb, struct segment *segment, int32_t beyond)
{
	uint32_t cut = beyond > 0 ? (uint32_t)beyond : 0;

	if (cut > segment->text_len)
		cut = segment->text_len;
	segment->text_len -= cut;
	segment->len -= cut;
	/* A FIN right at the edge needs no room. */
	if (segment->flags & TCP_FIN && (cut || !tcb_setting(tcb, PARLEY_SET_WINDOW_EDGES))) {
		segment->flags &= (uint16_t)~TCP_FIN;
		segment->len--;
	}
}

void window_trim(const struct tcb *tcb, struct segment *segment)
{
	int32_t before = seq_diff(tcb->rcv.nxt, segment->seq);
	int32_t beyond;

	if (before > 0 && segment->len) {
		uint32_t cut = (uint32_t)before;

		if (segment->flags & TCP_SYN) {
			segment->flags &= (uint16_t)~TCP_SYN;
			segment->seq = seq_add(segment->seq, 1);
			segment->len--;
			cut--;
		}
		if (cut > segment->text_len)
			cut = segment->text_len;
		segment->text += cut;
		segment->text_len -= cut;
		segment->len -= cut;
		segment->seq = seq_add(segment->seq, cut);
	}
	beyond = seq_diff(seq_add(segment->seq, segment->text_len),
			  seq_add(tcb->rcv.nxt, tcb->rcv.wnd));
	if (beyond >= 0)
		trim_right(tcb, segment, beyond);
}

/* How far behind RCV.NXT the buffer reaches. */
static uint64_t room(const struct tcb *tcb, uint64_t buffer)
{
	uint64_t waiting = tcb_readable(tcb);

	return waiting < buffer ? buffer - waiting : 0; /* MAY-8 */
}

/* Fr * RCV.BUFF with Fr = 1/2, or a segment: the least by which the edge moves (MUST-39). */
static uint64_t worthwhile(const struct tcb *tcb, uint64_t buffer)
{
	return buffer / 2 < tcb->local_mss ? buffer / 2 : tcb->local_mss;
}

/*
 * How much of what is free the field can say, in whole units. A buffer that holds less than one can
 * be told by a whole one alone.
 */
static uint64_t offerable(const struct tcb *tcb, uint64_t buffer)
{
	uint64_t most = (uint64_t)UINT16_MAX << tcb->rcv_shift;
	uint64_t unit = (uint64_t)1 << tcb->rcv_shift;
	uint64_t free = room(tcb, buffer);

	if (buffer < unit)
		return free && free >= worthwhile(tcb, buffer) ? unit : 0;
	return (free < most ? free : most) & ~(unit - 1);
}

uint16_t window_advertise(const struct tcp *tcp, struct tcb *tcb)
{
	uint64_t buffer = buffer_receive(tcp, tcb);
	uint64_t most = (uint64_t)UINT16_MAX << tcb->rcv_shift;
	uint64_t unit = (uint64_t)1 << tcb->rcv_shift;
	uint64_t free = offerable(tcb, buffer), wnd = tcb->rcv.wnd;

	/* The edge rests when nothing more comes, and where nobody would remember that it moved. */
	if (!(tcb->flags & (TCB_FIN_RECEIVED | TCB_EPHEMERAL)) &&
	    free >= wnd + worthwhile(tcb, buffer))
		wnd = free;
	/*
	 * The field counts in units: to keep the right edge where it is, round up; but a sender of
	 * single bytes must not creep beyond the buffer by that for ever (RFC 7323 2.4).
	 */
	if (wnd & (unit - 1)) {
		uint64_t up = (wnd + unit - 1) & ~(unit - 1);

		wnd = tcb_readable(tcb) + up <= buffer + unit && up <= most ? up
									    : wnd & ~(unit - 1);
	}
	if (wnd > tcb->rcv.wnd) /* SHLD-14 */
		tcb->rcv.wnd = (uint32_t)wnd;
	return (uint16_t)(wnd >> tcb->rcv_shift);
}

bool window_worth_telling(const struct tcp *tcp, const struct tcb *tcb)
{
	uint64_t buffer = buffer_receive(tcp, tcb);
	uint64_t free = offerable(tcb, buffer);
	uint64_t step = 2 * worthwhile(tcb, buffer);

	if (buffer >> tcb->rcv_shift == 0) /* it is open or closed */
		return free > tcb->rcv.wnd;
	if (tcb->rcv.wnd < tcb->local_mss)
		return free >= tcb->rcv.wnd + worthwhile(tcb, buffer);
	if (tcb_setting(tcb, PARLEY_SET_UPDATE_WHEN_DOUBLED))
		return free / 2 >= tcb->rcv.wnd;
	if (step < buffer / 4)
		step = buffer / 4;
	return free >= tcb->rcv.wnd + step;
}

/*
 * The peer is probably in slow start, and nothing of ours will carry the ACK: we have not yet been
 * seen to answer what came.
 */
static bool quick(const struct tcb *tcb)
{
	uint64_t most = (uint64_t)tcb_setting(tcb, PARLEY_SET_QUICK_ACKS) * tcb->rcv_mss;

	return tcb->rcv_off <= most && !(tcb->flags & TCB_INTERACTIVE);
}

void window_delay_ack(struct tcp *tcp, struct tcb *tcb)
{
	uint64_t delay = (uint64_t)tcb_setting(tcb, PARLEY_SET_DELAYED_ACK);

	if (!delay || quick(tcb)) {
		tcb_owe(tcp, tcb, OWE_ACK);
		return;
	}
	/* What is owed already has its time, or its time has come. */
	if (!(tcb->owed & OWE_DELAYED))
		tcb->ack_at = tcp->now + delay; /* MUST-40, SHLD-18 */
	/* Mostly an answer carries it: tcp_output() tells the wheel, if it finds none. */
	tcb_owe(tcp, tcb, OWE_DELAYED);
}

void window_acknowledge_fin(struct tcp *tcp, struct tcb *tcb)
{
	bool delays = tcb->state == PARLEY_ESTABLISHED && tcb->rcv_off > 1 &&
		      tcb->rcv_unacked < tcb->rcv_mss;

	if (!delays || !tcb_setting(tcb, PARLEY_SET_DELAY_FIN_ACK)) {
		tcb_owe(tcp, tcb, OWE_ACK);
		return;
	}
	/* What Linux does: from now on nothing is quick. */
	tcb->flags |= TCB_INTERACTIVE;
	window_delay_ack(tcp, tcb);
}

void window_duplicate_ack(struct tcp *tcp, struct tcb *tcb)
{
	if (tcb->dup_acks_owed < DUP_ACKS_MAX)
		tcb->dup_acks_owed++;
	tcb_owe(tcp, tcb, 0);
}
