/* SPDX-License-Identifier: MIT */
/*
 * SEGMENT ARRIVES, to be read beside RFC 9293 3.10.7.
 *
 *	arrives_closed		3.10.7.1
 *	arrives_listen		3.10.7.2
 *	arrives_syn_sent	3.10.7.3
 *	arrives_other_states	3.10.7.4, whose eight steps are eight functions
 *
 * A step changes the state, calls the arithmetic (acknowledge.c, reassembly.c, recovery.c) and
 * records what is owed; it never transmits. A step that ends the processing of the segment returns
 * false; after that the TCB may be gone. Every switch over states names all eleven.
 */
#include "tcp/arrives.h"

#include "tcp/acknowledge.h"
#include "tcp/challenge.h"
#include "tcp/judge.h"
#include "tcp/listener.h"
#include "tcp/observe.h"
#include "tcp/open.h"
#include "tcp/output.h"
#include "tcp/passive.h"
#include "tcp/reassembly.h"
#include "tcp/syn_text.h"
#include "tcp/text.h"
#include "tcp/user.h"
#include "tcp/window.h"

/* A segment on its way through the steps. Its text is trimmed as they go. */
struct step {
	const struct arrival *arrival;
	struct segment seg;
	struct seq up; /* SEG.UP, from where the segment began before it was trimmed */
	bool unscaled; /* it came with a SYN, which is trimmed now: so its window has no scale */
	bool bare;     /* it came without text, SYN and FIN */
};

static struct step step_of(const struct arrival *arrival, const struct segment *segment)
{
	return (struct step){.arrival = arrival,
			     .seg = *segment,
			     .up = seq_add(segment->seq, segment->up), /* MUST-62 */
			     .bare = !segment->len};
}

static bool drop(struct tcp *tcp, const struct tcb *tcb, const struct step *s,
		 enum parley_drop reason)
{
	observe_drop(tcp, s->arrival, &s->seg, slot_handle(&tcp->slots, tcb->slot), reason);
	return false;
}

/* 3.10.7.1: all data is discarded, and everything but a RST is answered by one. */
void arrives_closed(struct tcp *tcp, const struct arrival *arrival, const struct segment *segment)
{
	if (segment->flags & TCP_RST) { /* UNL-4 */
		observe_drop(tcp, arrival, segment, PARLEY_NO_CONN, PARLEY_DROP_RST_CLOSED);
		return;
	}
	observe_drop(tcp, arrival, segment, PARLEY_NO_CONN, PARLEY_DROP_NO_CONNECTION);
	output_refuse(tcp, arrival, segment); /* UNL-4 */
}

/* 3.10.7.2 */
void arrives_listen(struct tcp *tcp, struct slot *slot, const struct arrival *arrival,
		    const struct segment *seg, struct seq iss)
{
	/* First, a RST: what it could be about has never been. */
	if (seg->flags & TCP_RST) {
		observe_drop(tcp, arrival, seg, PARLEY_NO_CONN, PARLEY_DROP_LISTEN_RST);
		return;
	}
	/* Second, an ACK: whatever it acknowledges was not sent from here. */
	if (seg->flags & TCP_ACK) {
		observe_drop(tcp, arrival, seg, PARLEY_NO_CONN, PARLEY_DROP_LISTEN_ACK);
		output_refuse(tcp, arrival, seg);
		return;
	}
	/* Third, a SYN; security and compartment are not used (appendix A.1.2). */
	if (seg->flags & TCP_SYN && !judge_syn_fin(slot, seg)) {
		observe_drop(tcp, arrival, seg, PARLEY_NO_CONN, PARLEY_DROP_LISTEN_SYN_FIN);
		return;
	}
	if (seg->flags & TCP_SYN && seg->options.malformed && judge_bad_syn_options(slot)) {
		observe_drop(tcp, arrival, seg, PARLEY_NO_CONN, PARLEY_DROP_OPTION_LENGTH);
		output_refuse(tcp, arrival, seg);
		return;
	}
	if (seg->flags & TCP_SYN) {
		if (slot->kind == ENTRY_LISTENER)
			passive_entry(tcp, slot->object, arrival, seg, iss);
		else
			passive_tcb(tcp, slot->object, arrival, seg, iss);
		return;
	}
	/* Fourth, anything else. */
	observe_drop(tcp, arrival, seg, PARLEY_NO_CONN, PARLEY_DROP_LISTEN_OTHER);
}

static bool sixth_check_urg(struct tcp *tcp, struct tcb *tcb, struct step *s);
static bool seventh_process_text(struct tcp *tcp, struct tcb *tcb, struct step *s);
static bool eighth_check_fin(struct tcp *tcp, struct tcb *tcb, struct step *s);

/* 3.10.7.3, fourth: the SYN, with or without the acknowledgement of ours. */
static void syn_sent_syn(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	open_peer_syn(tcb, &s->seg);
	tcb->retransmits = 0;
	if (!(s->seg.flags & TCP_ACK)) {
		/* Simultaneous open: text and FIN have to wait, or to come again. */
		tcb->rto = (uint64_t)tcb_setting(tcb, PARLEY_SET_INITIAL_RTO);
		syn_text_hold(tcp, tcb, &s->seg);
		tcb_set_state(tcp, tcb, PARLEY_SYN_RECEIVED, PARLEY_CAUSE_SEGMENT); /* MUST-10 */
		tcb->flags |= TCB_SYN_AGAIN;
		tcb->main_why = PARLEY_WHY_NEW;
		tcb_owe(tcp, tcb, OWE_SYN);
		return;
	}
	tcb->snd.una = s->seg.ack;
	tcb->snd_off = 0;
	tcb->snd.wl2 = s->seg.ack;
	open_established(tcp, tcb);
	tcb_owe(tcp, tcb, OWE_ACK); /* UNL-10 */
	/* What else the segment carries begins behind its SYN. */
	window_trim(tcb, &s->seg);
	if (sixth_check_urg(tcp, tcb, s) && seventh_process_text(tcp, tcb, s))
		eighth_check_fin(tcp, tcb, s);
}

/* 3.10.7.3 */
void arrives_syn_sent(struct tcp *tcp, struct tcb *tcb, const struct arrival *arrival,
		      const struct segment *segment)
{
	struct step step = step_of(arrival, segment), *s = &step;
	bool acceptable = false;

	/* First, the ACK bit. */
	if (s->seg.flags & TCP_ACK) {
		acceptable = seq_gt(s->seg.ack, tcb->iss) && seq_leq(s->seg.ack, tcb->snd.nxt);
		if (!acceptable) {
			if (!(s->seg.flags & TCP_RST))
				output_refuse(tcp, s->arrival, &s->seg);
			drop(tcp, tcb, s, PARLEY_DROP_SYN_SENT_ACK);
			return;
		}
	}
	/* Second, the RST bit: only with an acceptable ACK does it answer our SYN. */
	if (s->seg.flags & TCP_RST) {
		if (acceptable) /* UNL-9 */
			tcb_end(tcp, tcb, PARLEY_ECONNREFUSED, PARLEY_CAUSE_RESET);
		else
			drop(tcp, tcb, s, PARLEY_DROP_SYN_SENT_RST);
		return;
	}
	/* Third, security: not used. Fourth, the SYN bit. */
	if (acceptable && s->seg.options.malformed && judge_bad_options(tcb)) {
		drop(tcp, tcb, s, PARLEY_DROP_OPTION_LENGTH);
		output_refuse(tcp, s->arrival, &s->seg);
		tcb_end(tcp, tcb, PARLEY_ECONNRESET, PARLEY_CAUSE_ABORT);
		return;
	}
	if (s->seg.flags & TCP_SYN) {
		syn_sent_syn(tcp, tcb, s);
		return;
	}
	/* Fifth, neither SYN nor RST. */
	drop(tcp, tcb, s, PARLEY_DROP_SYN_SENT_OTHER); /* UNL-16 */
}

/* An unacceptable segment gets an ACK, from some states more (3.10.7.4, first). */
static bool not_acceptable(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	if (tcb->state == PARLEY_SYN_RECEIVED && judge_known_syn(tcb, &s->seg)) {
		/* The peer's SYN again: our SYN,ACK was lost. */
		tcb->flags |= TCB_SYN_AGAIN;
		tcb->main_why = PARLEY_WHY_DUPLICATE;
		tcb_owe(tcp, tcb, OWE_SYN);
	} else if (s->seg.len && !(s->seg.flags & TCP_SYN)) {
		tcb_owe(tcp, tcb, OWE_ACK); /* UNL-5 */
	} else {
		challenge(tcp, tcb);
	}
	/* TIME-WAIT begins again with each FIN that the peer repeats, and with nothing else. */
	if (tcb->state == PARLEY_TIME_WAIT && s->seg.flags & TCP_FIN &&
	    seq_eq(seq_add(s->seg.seq, s->seg.len), tcb->rcv.nxt))
		tcb_arm(tcp, tcb, PARLEY_TIMER_TIME_WAIT,
			tcp->now + 2 * (uint64_t)tcp->settings->v[PARLEY_SET_MSL]);
	return drop(tcp, tcb, s, PARLEY_DROP_OUT_OF_WINDOW);
}

/* 3.10.7.4, first: sequence number. Trims the segment to the window. */
static bool first_check_sequence(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	if (tcb->state == PARLEY_TIME_WAIT && judge_reopens(tcp, tcb, &s->seg)) {
		tcb->flags |= TCB_REOPEN; /* whoever called the steps does it */
		return false;
	}
	/* Of a RST only the number counts, not where its text ends. */
	if (s->seg.flags & TCP_RST)
		return judge_exact_rst(tcb, &s->seg) ||				/* SHLD-2 */
		       seq_in_window(s->seg.seq, tcb->rcv.nxt, tcb->rcv.wnd) || /* UNL-11 */
		       drop(tcp, tcb, s, PARLEY_DROP_RST_OUT_OF_WINDOW);
	/*
	 * The SYN,ACK of a simultaneous open repeats a SYN that we have: its ACK is what counts.
	 */
	if (tcb->state == PARLEY_SYN_RECEIVED && !(tcb->flags & TCB_PASSIVE) &&
	    s->seg.flags & TCP_ACK && judge_known_syn(tcb, &s->seg) &&
	    seq_eq(s->seg.ack, tcb->snd.nxt)) {
		s->unscaled = true; /* RFC 7323 2.2 */
		if (tcb_setting(tcb, PARLEY_SET_ANSWER_SYN_ACK))
			tcb_owe(tcp, tcb, OWE_ACK);
		window_trim(tcb, &s->seg);
		return true;
	}
	if (!window_acceptable(tcb, &s->seg)) { /* UNL-2, UNL-5 */
		/* With a zero window ACKs and URGs still count (MUST-66). */
		if (tcb->rcv.wnd || !seq_eq(s->seg.seq, tcb->rcv.nxt))
			return not_acceptable(tcp, tcb, s);
		tcb_owe(tcp, tcb, OWE_ACK); /* UNL-7 */
	}
	/* RFC 5961 4.2: a SYN is challenged wherever it stands, so do not trim it away. */
	if (s->seg.flags & TCP_SYN && tcb->state != PARLEY_SYN_RECEIVED) {
		challenge(tcp, tcb); /* UNL-14 */
		return drop(tcp, tcb, s, PARLEY_DROP_SYN_CHALLENGED);
	}
	window_trim(tcb, &s->seg);
	return true;
}

/* 3.10.7.4, second: the RST bit, as RFC 5961 3.2 narrows it. */
static bool second_check_rst(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	if (!(s->seg.flags & TCP_RST))
		return true;
	if (!judge_exact_rst(tcb, &s->seg)) { /* UNL-12 */
		challenge(tcp, tcb);	      /* UNL-13 */
		return drop(tcp, tcb, s, PARLEY_DROP_RST_CHALLENGED);
	}
	switch ((enum parley_state)tcb->state) {
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
	case PARLEY_SYN_SENT:
		break;
	case PARLEY_SYN_RECEIVED:
		if (tcb->flags & TCB_PASSIVE) /* MUST-11 */
			user_relisten(tcp, tcb, PARLEY_CAUSE_RESET);
		else
			tcb_end(tcp, tcb, PARLEY_ECONNREFUSED, PARLEY_CAUSE_RESET);
		break;
	case PARLEY_ESTABLISHED:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
		tcb_end(tcp, tcb, PARLEY_ECONNRESET, PARLEY_CAUSE_RESET); /* MUST-12 */
		break;
	case PARLEY_CLOSE_WAIT:
		tcb_end(tcp, tcb, PARLEY_EPIPE, PARLEY_CAUSE_RESET);
		break;
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
		tcb_end(tcp, tcb, PARLEY_ECONNRESET, PARLEY_CAUSE_RESET);
		break;
	case PARLEY_TIME_WAIT:
		if (!tcp->settings->v[PARLEY_SET_RST_KILLS_TIME_WAIT])
			return drop(tcp, tcb, s, PARLEY_DROP_RST_IGNORED);
		tcb_end(tcp, tcb, 0, PARLEY_CAUSE_RESET);
		break;
	}
	return false;
}

/* 3.10.7.4, third: security and compartment are not used (appendix A.1.2). */
static bool third_check_security(void)
{
	return true;
}

/* 3.1, MUST-7: an option of impossible length, if the user wants a RST for it. */
static bool check_options(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	if (!s->seg.options.malformed || !judge_bad_options(tcb))
		return true;
	drop(tcp, tcb, s, PARLEY_DROP_OPTION_LENGTH);
	output_reset(tcp, tcb);
	if (tcb->state == PARLEY_SYN_RECEIVED && tcb->flags & TCB_PASSIVE)
		user_relisten(tcp, tcb, PARLEY_CAUSE_SEGMENT);
	else
		tcb_end(tcp, tcb, PARLEY_ECONNRESET, PARLEY_CAUSE_ABORT);
	return false;
}

/* 3.10.7.4, fourth: the SYN bit, as RFC 5961 4.2 has it. */
static bool fourth_check_syn(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	if (!(s->seg.flags & TCP_SYN))
		return true;
	switch ((enum parley_state)tcb->state) {
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
	case PARLEY_SYN_SENT:
		break;
	case PARLEY_SYN_RECEIVED:
		if (tcb->flags & TCB_PASSIVE && tcb_setting(tcb, PARLEY_SET_SYN_RELISTENS)) {
			user_relisten(tcp, tcb, PARLEY_CAUSE_SEGMENT);
			return false;
		}
		challenge(tcp, tcb);
		break;
	case PARLEY_ESTABLISHED:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
	case PARLEY_CLOSE_WAIT:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
	case PARLEY_TIME_WAIT:
		challenge(tcp, tcb);
		break;
	}
	return drop(tcp, tcb, s, PARLEY_DROP_SYN_CHALLENGED);
}

/* Does this segment's FIN follow at once on what has been received? */
static bool fin_is_next(const struct tcb *tcb, const struct segment *seg)
{
	return seg->flags & TCP_FIN && seq_eq(seg->seq, tcb->rcv.nxt);
}

/* What came with the SYN has its turn. This segment may bring it once more. */
static void text_of_syn(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	uint32_t len = syn_text_release(tcp, tcb); /* UNL-3 */

	if (!len)
		return;
	text_in_order(tcp, tcb, len, len, true);
	window_trim(tcb, &s->seg);
}

static void take_ack(struct tcp *tcp, struct tcb *tcb, const struct step *s)
{
	acknowledge(tcp, tcb, &s->seg, s->bare, s->arrival->at);
}

/* 3.10.7.4, fifth, in SYN-RECEIVED: the third step of the handshake, or nothing of the kind. */
static bool synchronize(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	uint8_t shift = tcb->snd_shift;

	if (seq_leq(s->seg.ack, tcb->snd.una) || seq_gt(s->seg.ack, tcb->snd.nxt)) {
		output_refuse(tcp, s->arrival, &s->seg);
		return drop(tcp, tcb, s, PARLEY_DROP_SYN_RECEIVED_ACK);
	}
	listening_remove(tcp, tcb);
	open_established(tcp, tcb);
	text_of_syn(tcp, tcb, s);
	/* It acknowledges the SYN, so its window counts, whatever its number: the first scaled. */
	tcb->snd_shift = s->unscaled ? 0 : shift;
	take_ack(tcp, tcb, s);
	tcb->snd_shift = shift;
	return true;
}

/* 3.10.7.4, fifth: the ACK field. */
static bool fifth_check_ack(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	if (!(s->seg.flags & TCP_ACK))
		return drop(tcp, tcb, s, PARLEY_DROP_NO_ACK); /* UNL-16 */
	if ((tcb->state != PARLEY_SYN_RECEIVED || !tcb_setting(tcb, PARLEY_SET_NARROW_ACK_RANGE)) &&
	    !acknowledge_in_range(tcb, s->seg.ack)) { /* UNL-15, MAY-12 */
		challenge(tcp, tcb);
		return drop(tcp, tcb, s,
			    seq_gt(s->seg.ack, tcb->snd.nxt) ? PARLEY_DROP_ACK_UNSENT
							     : PARLEY_DROP_ACK_TOO_OLD);
	}
	tcb->last_received = tcp->now;
	switch ((enum parley_state)tcb->state) {
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
	case PARLEY_SYN_SENT:
		return false;
	case PARLEY_SYN_RECEIVED:
		return synchronize(tcp, tcb, s);
	case PARLEY_ESTABLISHED:
	case PARLEY_FIN_WAIT_2:
	case PARLEY_CLOSE_WAIT:
		take_ack(tcp, tcb, s);
		return true;
	case PARLEY_FIN_WAIT_1:
		take_ack(tcp, tcb, s);
		/* With the peer's FIN in the same segment: straight to TIME-WAIT, in the eighth. */
		if (tcb_fin_acked(tcb) && !fin_is_next(tcb, &s->seg))
			tcb_set_state(tcp, tcb, PARLEY_FIN_WAIT_2, PARLEY_CAUSE_SEGMENT);
		return true;
	case PARLEY_CLOSING:
		take_ack(tcp, tcb, s);
		if (!tcb_fin_acked(tcb))
			return drop(tcp, tcb, s, PARLEY_DROP_CLOSING_ACK);
		tcb_set_state(tcp, tcb, PARLEY_TIME_WAIT, PARLEY_CAUSE_SEGMENT);
		return true;
	case PARLEY_LAST_ACK:
		take_ack(tcp, tcb, s);
		if (!tcb_fin_acked(tcb))
			return true;
		tcb_end(tcp, tcb, 0, PARLEY_CAUSE_SEGMENT);
		return false;
	case PARLEY_TIME_WAIT:
		/* A FIN that the peer repeats is not acceptable: the first step has answered it. */
		return true;
	}
	return true;
}

/* 3.10.7.4, sixth: the URG bit. */
static bool sixth_check_urg(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	switch ((enum parley_state)tcb->state) {
	case PARLEY_ESTABLISHED:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
		if (!(s->seg.flags & TCP_URG) || seq_leq(s->up, tcb->rcv.up))
			return true;
		tcb->rcv.up = s->up;			       /* MUST-30 */
		if (tcb->flags & TCB_OWNED && tcb_urgent(tcb)) /* MUST-32 */
			notice_raise(tcp, &tcb->notice, PARLEY_URGENT);
		return true;
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
	case PARLEY_SYN_SENT:
	case PARLEY_SYN_RECEIVED:
	case PARLEY_CLOSE_WAIT:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
	case PARLEY_TIME_WAIT:
		break;
	}
	return true;
}

/*
 * Nobody will ever read it: the peer must learn that (RFC 9293 3.6.1, SHLD-3). Its own ACK is the
 * number that it takes for exact (RFC 5961 3.2), also when our FIN has not come to it.
 */
static bool text_after_close(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	count(tcp, PARLEY_COUNTER_ABORT_ON_DATA);
	drop(tcp, tcb, s, PARLEY_DROP_TEXT_AFTER_CLOSE);
	output_refuse(tcp, s->arrival, &s->seg);
	tcb_end(tcp, tcb, PARLEY_ECONNRESET, PARLEY_CAUSE_ABORT);
	return false;
}

/* The peer has to send it again, and the FIN behind it. */
static void text_not_kept(struct tcp *tcp, struct tcb *tcb, struct step *s, enum parley_drop reason)
{
	window_duplicate_ack(tcp, tcb);
	drop(tcp, tcb, s, reason);
	s->seg.flags &= (uint16_t)~TCP_FIN;
}

/* Text of ESTABLISHED, FIN-WAIT-1 and FIN-WAIT-2, already trimmed to the window. */
static bool receive_text(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	uint64_t offset = tcb_rcv_offset(tcb, s->seg.seq);
	bool gap = reassembly_waits(tcb);
	uint32_t len = s->seg.text_len, segment = len;

	if (tcb->flags & TCB_DETACHED)
		return text_after_close(tcp, tcb, s);
	if (tcb->flags & TCB_FIN_SEEN && offset + len > tcb->fin_off) {
		drop(tcp, tcb, s, PARLEY_DROP_TEXT_AFTER_FIN);
		if (offset >= tcb->fin_off)
			return true;
		len = (uint32_t)(tcb->fin_off - offset);
	}
	if (s->arrival->segment_size && s->arrival->segment_size < segment)
		segment = s->arrival->segment_size;
	tcb->data_segs_in++;
	switch (reassembly_place(tcp, tcb, offset, s->seg.text, len)) {
	case PLACED_IN_ORDER:
		text_in_order(tcp, tcb, len, segment, gap);
		break;
	case PLACED_BEYOND:
		window_duplicate_ack(tcp, tcb); /* MAY-13 */
		break;
	case PLACED_NOTHING:
		window_duplicate_ack(tcp, tcb);
		drop(tcp, tcb, s, PARLEY_DROP_DUPLICATE_TEXT);
		break;
	case PLACED_NO_ROOM:
		text_not_kept(tcp, tcb, s, PARLEY_DROP_RANGES_FULL);
		break;
	case PLACED_NO_MEMORY:
		text_not_kept(tcp, tcb, s, PARLEY_DROP_RECEIVE_MEMORY);
		break;
	}
	return true;
}

/* 3.10.7.4, seventh: the segment text. */
static bool seventh_process_text(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	if (!s->seg.text_len)
		return true;
	switch ((enum parley_state)tcb->state) {
	case PARLEY_ESTABLISHED:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
		return receive_text(tcp, tcb, s);
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
	case PARLEY_SYN_SENT:
	case PARLEY_SYN_RECEIVED:
	case PARLEY_CLOSE_WAIT:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
	case PARLEY_TIME_WAIT:
		break;
	}
	return drop(tcp, tcb, s, PARLEY_DROP_TEXT_AFTER_FIN);
}

/*
 * RCV.NXT stands before the peer's FIN: over it, and to the state that it leads to. RCV.WND stays,
 * since a FIN takes no room in the buffer.
 */
static void receive_fin(struct tcp *tcp, struct tcb *tcb)
{
	tcb->flags |= TCB_FIN_RECEIVED;
	tcb->rcv.nxt = seq_add(tcb->rcv.nxt, 1);
	tcb->rcv_off++;
	reassembly_give_up(tcp, tcb);
	window_acknowledge_fin(tcp, tcb);
	if (tcb->flags & TCB_OWNED)
		notice_raise(tcp, &tcb->notice, PARLEY_PEER_CLOSED | PARLEY_READABLE); /* MUST-12 */
	switch ((enum parley_state)tcb->state) {
	case PARLEY_ESTABLISHED:
		tcb_set_state(tcp, tcb, PARLEY_CLOSE_WAIT, PARLEY_CAUSE_SEGMENT);
		break;
	case PARLEY_FIN_WAIT_1:
		tcb_set_state(tcp, tcb, tcb_fin_acked(tcb) ? PARLEY_TIME_WAIT : PARLEY_CLOSING,
			      PARLEY_CAUSE_SEGMENT);
		break;
	case PARLEY_FIN_WAIT_2:
		tcb_set_state(tcp, tcb, PARLEY_TIME_WAIT, PARLEY_CAUSE_SEGMENT);
		break;
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
	case PARLEY_SYN_SENT:
	case PARLEY_SYN_RECEIVED:
	case PARLEY_CLOSE_WAIT:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
	case PARLEY_TIME_WAIT:
		break;
	}
}

/* 3.10.7.4, eighth: the FIN bit, this segment's or one that came before its turn. */
static bool eighth_check_fin(struct tcp *tcp, struct tcb *tcb, struct step *s)
{
	if (s->seg.flags & TCP_FIN && !(tcb->flags & TCB_FIN_SEEN)) {
		uint64_t fin_off = tcb_rcv_offset(tcb, seq_add(s->seg.seq, s->seg.text_len));

		if (fin_off >= tcb->rcv_off) {
			tcb->flags |= TCB_FIN_SEEN;
			tcb->fin_off = fin_off;
		}
		reassembly_cut(tcp, tcb, fin_off);
	}
	if (tcb->flags & TCB_FIN_SEEN && !(tcb->flags & TCB_FIN_RECEIVED) &&
	    tcb->rcv_off == tcb->fin_off)
		receive_fin(tcp, tcb);
	else if (s->seg.flags & TCP_FIN && !s->seg.text_len)
		window_duplicate_ack(tcp, tcb); /* it came before its turn */
	/* The fifth step left this to us, but the FIN could not be taken after all. */
	if (tcb->state == PARLEY_FIN_WAIT_1 && tcb_fin_acked(tcb))
		tcb_set_state(tcp, tcb, PARLEY_FIN_WAIT_2, PARLEY_CAUSE_SEGMENT);
	return true;
}

/* 3.10.7.4 */
void arrives_other_states(struct tcp *tcp, struct tcb *tcb, const struct arrival *arrival,
			  const struct segment *segment)
{
	struct step s = step_of(arrival, segment);

	(void)(first_check_sequence(tcp, tcb, &s) && second_check_rst(tcp, tcb, &s) &&
	       check_options(tcp, tcb, &s) && third_check_security() &&
	       fourth_check_syn(tcp, tcb, &s) && fifth_check_ack(tcp, tcb, &s) &&
	       sixth_check_urg(tcp, tcb, &s) && seventh_process_text(tcp, tcb, &s) &&
	       eighth_check_fin(tcp, tcb, &s));
}
