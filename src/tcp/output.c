/* SPDX-License-Identifier: MIT */
/*
 * What may be sent now? One segment (or super-segment) a call, in this order:
 *
 *	the SYN or SYN,ACK		SYN-SENT, SYN-RECEIVED
 *	duplicate ACKs			each stands for a segment that came out of order
 *	what was lost			within cwnd; the first of it whatever cwnd says
 *	new text, and the FIN		within cwnd and the peer's window, by Nagle's and the
 *					silly-window rule (RFC 9293 3.7.4, 3.8.6.2.1)
 *	a probe of a zero window
 *	word of urgent data whose text cannot go yet
 *	an acknowledgement alone
 *
 * Every segment but the first SYN carries an acknowledgement and pays whatever ACK is owed.
 */
#include "tcp/output.h"

#include "base/block.h"
#include "base/mem.h"
#include "tcp/congestion.h"
#include "tcp/icmp.h"
#include "tcp/observe.h"
#include "tcp/sent.h"
#include "tcp/window.h"

/* A super-segment at most: what the spans of a frame are sure to hold. */
#define SUPER_MAX 65535u

/* The override timeout is between 0.1 and 1 s (RFC 9293 3.8.6.2.1); an RTO may be longer. */
#define OVERRIDE_MAX UINT64_C(1000000000)

static void start_segment(const struct tcp *tcp, const struct tcb *tcb, struct tcp_out *out,
			  struct seq seq)
{
	out->segment = (struct segment){
		.src_port = tcb->tuple.local_port,
		.dst_port = tcb->tuple.remote_port,
		.seq = seq,
		.flags = TCP_ACK,
		.ack = tcb->rcv.nxt,
	};
	out->tuple = tcb->tuple; /* MUST-45 */
	out->conn = slot_handle(&tcp->slots, tcb->slot);
	out->ttl = (uint8_t)tcb_setting(tcb, PARLEY_SET_TTL); /* MUST-49 */
	/* MUST-48, SHLD-21, SHLD-23 */
	out->diffserv = (uint8_t)tcb_setting(tcb, PARLEY_SET_DIFFSERV);
	out->segment_size = 0;
	out->span_count = 0;
}

static bool is_retransmission(unsigned why)
{
	return why == PARLEY_WHY_RTO || why == PARLEY_WHY_FAST || why == PARLEY_WHY_PARTIAL ||
	       why == PARLEY_WHY_PATH_MTU;
}

/*
 * 3.8.5: as long as SND.UP is ahead every segment says so. The field holds 16 bits: what lies
 * farther ahead is told in steps (MUST-31). Before the connection stands nothing can be urgent.
 */
static void point_at_urgent(struct tcb *tcb, struct segment *seg)
{
	uint32_t up = tcb->snd.up.v - seg->seq.v;

	if (tcb->state < PARLEY_ESTABLISHED)
		return;
	tcb->owed &= (uint16_t)~OWE_URGENT;
	/* A probe begins below SND.UNA, where nothing is urgent any more. */
	if (seq_leq(tcb->snd.up, seg->seq) || seq_leq(tcb->snd.up, tcb->snd.una)) /* SHLD-13 */
		return;
	seg->flags |= TCP_URG;
	seg->up = (uint16_t)(up < UINT16_MAX ? up : UINT16_MAX); /* MUST-62 */
}

/* The segment is complete: takes what it acknowledges off the debt. */
static bool finish_segment(const struct tcp *tcp, struct tcb *tcb, struct tcp_out *out,
			   enum parley_why why)
{
	struct segment *seg = &out->segment;

	seg->len = seg->text_len + !!(seg->flags & TCP_SYN) + !!(seg->flags & TCP_FIN);
	point_at_urgent(tcb, seg);
	if (seg->flags & TCP_SYN)
		seg->wnd = (uint16_t)(tcb->rcv.wnd < UINT16_MAX ? tcb->rcv.wnd : UINT16_MAX);
	else
		seg->wnd = window_advertise(tcp, tcb);
	if (seg->flags & TCP_ACK) {
		tcb->rcv.acked = tcb->rcv.nxt;
		tcb->rcv_unacked = 0;
		tcb->ack_at = TCB_NEVER;
		tcb->owed &= (uint16_t) ~(OWE_ACK | OWE_DELAYED | OWE_WINDOW | OWE_CHALLENGE);
	}
	tcb->segs_out++;
	if (is_retransmission(why)) {
		tcb->total_retrans++;
		tcb->bytes_retrans += seg->text_len;
	}
	out->state = tcb->state;
	out->why = (uint8_t)why;
	return true;
}

/* 3.10.1, 3.10.7.2, 3.10.7.3: SYN from SYN-SENT, SYN,ACK from SYN-RECEIVED. */
static bool send_syn(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	uint64_t again = tcp->now + tcb->rto;

	start_segment(tcp, tcb, out, tcb->iss);
	out->segment.flags = TCP_SYN;
	if (tcb->state == PARLEY_SYN_RECEIVED) {
		out->segment.flags |= TCP_ACK;
	} else {
		out->segment.ack = seq(0);
	}
	out->segment.options.present = TCP_HAS_MSS; /* MAY-3, MUST-14, SHLD-5 */
	out->segment.options.mss = tcb->local_mss;
	if (tcb->flags &
	    (uint32_t)(tcb->state == PARLEY_SYN_SENT ? TCB_SCALE_OFFER : TCB_SCALING)) {
		out->segment.options.present |= TCP_HAS_WSCALE;
		out->segment.options.wscale = tcb->rcv_shift;
	}
	tcb->owed &= (uint16_t)~OWE_SYN;
	if (tcb->main_why == PARLEY_WHY_NEW)
		tcb->stalled_since = tcp->now;
	if (tcb->main_timer != PARLEY_TIMER_RETRANSMIT || tcb->main_at <= tcp->now)
		tcb_arm(tcp, tcb, PARLEY_TIMER_RETRANSMIT, again);
	return finish_segment(tcp, tcb, out, tcb->main_why);
}

static bool send_ack(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out, enum parley_why why)
{
	start_segment(tcp, tcb, out, tcb_acceptable_seq(tcb));
	return finish_segment(tcp, tcb, out, why);
}

/* Hands out the text [offset, offset + len) as spans, and marks PSH and FIN where they belong. */
static void attach_text(struct tcb *tcb, struct tcp_out *out, uint64_t offset, uint32_t len)
{
	uint64_t end = offset + len;

	if (end > tcb->snd_end) {
		out->segment.flags |= TCP_FIN;
		len--;
	}
	out->span_count = 0;
	if (len)
		out->span_count = stream_block_spans(&tcb->sending->stream, offset, len, out->spans,
						     PARLEY_FRAME_SPANS);
	for (uint32_t i = 0; i < out->span_count; i++)
		block_ref(out->spans[i].block);
	out->segment.text_len = len;
	/*
	 * MUST-60, MUST-61: the last of what was sent, unless SEND said that more follows (MAY-16),
	 * which CLOSE takes back.
	 */
	if (len && end >= tcb->snd_end &&
	    (!(tcb->flags & TCB_MORE) || tcb->flags & TCB_CLOSED_BY_USER))
		out->segment.flags |= TCP_PSH; /* SHLD-27 */
	if (len > tcb->mss)
		out->segment_size = tcb->mss;
}

/* RFC 6298 5.1: the timer runs while anything is under way. */
static void start_timer(struct tcp *tcp, struct tcb *tcb)
{
	if (tcb->main_timer != PARLEY_TIMER_RETRANSMIT)
		tcb_arm(tcp, tcb, PARLEY_TIMER_RETRANSMIT, tcp->now + tcb->rto);
}

/*
 * SHLD-16: the window was taken back: what is outside must wait. A record that its edge cuts goes
 * as far as that, if no ACK will move it. Is all of the record inside?
 */
static bool cut_at_window(struct tcp *tcp, struct tcb *tcb, struct record *record, bool may_cut)
{
	int32_t inside = seq_diff(seq_add(tcb->snd.una, tcb->snd.wnd), record->lo);

	if (inside >= (int32_t)record->len)
		return true;
	return may_cut && inside > 0 && sent_split(tcp, record, (uint32_t)inside);
}

static bool send_again(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	struct record *record = sent_first_lost(tcb);
	uint32_t pipe = sent_pipe(tcb);
	enum parley_why why = tcb->main_why;
	bool forced = tcb->owed & OWE_REXMIT;

	if (!record) {
		tcb->owed &= (uint16_t)~OWE_REXMIT;
		return false;
	}
	/* A record may be longer than one segment; without memory the timer tries again. */
	if (sent_text(tcb, record) > tcb->mss && !sent_split(tcp, record, tcb->mss))
		return false;
	if (!forced && pipe + record->len > tcb->cwnd && pipe)
		return false;
	if (!cut_at_window(tcp, tcb, record, forced || !pipe) && !forced)
		return false;
	tcb->owed &= (uint16_t)~OWE_REXMIT;
	sent_again(tcp, tcb, record);
	start_segment(tcp, tcb, out, record->lo);
	attach_text(tcb, out, tcb_snd_offset(tcb, record->lo), record->len);
	tcb->data_segs_out++;
	finish_segment(tcp, tcb, out, why);
	start_timer(tcp, tcb);
	return true;
}

/*
 * RFC 9293 3.8.6.2.1 (MUST-38) and Nagle's algorithm, 3.7.4 (SHLD-7): may `len` bytes of new text,
 * with `unsent` waiting and a usable window of `usable`, go now?
 */
static bool worth_sending(const struct tcb *tcb, uint32_t len, uint64_t unsent, uint32_t usable)
{
	bool idle = !tcb_flight(tcb);
	bool nagle = !tcb_setting(tcb, PARLEY_SET_NODELAY) && !idle; /* MUST-17 */

	if (len >= tcb->mss || tcb->owed & OWE_OVERRIDE)
		return true;
	if (unsent <= usable) {
		if (tcb->flags & TCB_CLOSED_BY_USER || seq_gt(tcb->snd.up, tcb->snd.nxt))
			return true;
		if (tcb_setting(tcb, PARLEY_SET_CORK) || tcb->flags & TCB_HELD) /* MAY-16 */
			return false;
		return !nagle;
	}
	return !nagle && len >= tcb->snd.max_wnd / 2;
}

/* What is left to send cannot go: the timer that will see to it, unless an ACK will. */
static void wait_for_window(struct tcp *tcp, struct tcb *tcb, uint32_t usable)
{
	/* A user who waits for memory must not keep what he has sent from going. */
	if (tcb_flight(tcb) ||
	    (tcb->main_at != TCB_NEVER && tcb->main_timer != PARLEY_TIMER_MEMORY))
		return;
	if (usable)
		tcb_arm(tcp, tcb, PARLEY_TIMER_OVERRIDE, /* MUST-60 */
			tcp->now + (tcb->rto < OVERRIDE_MAX ? tcb->rto : OVERRIDE_MAX));
	else
		tcb_arm(tcp, tcb, PARLEY_TIMER_PERSIST, tcp->now + tcb->rto); /* SHLD-29, MUST-36 */
}

/* How many bytes of new text (and the FIN, which counts one) may go now; 0: none. */
static uint32_t sendable(struct tcp *tcp, struct tcb *tcb)
{
	uint64_t nxt = tcb_nxt_off(tcb);
	uint64_t unsent = nxt < tcb->snd_end ? tcb->snd_end - nxt : 0;
	bool fin = tcb->flags & TCB_CLOSED_BY_USER && nxt <= tcb->snd_end;
	uint32_t flight = tcb_flight(tcb), pipe = sent_pipe(tcb);
	uint32_t usable = flight < tcb->snd.wnd ? tcb->snd.wnd - flight : 0; /* MUST-34, SHLD-15 */
	uint32_t len;

	if (!unsent && !fin)
		return 0;
	if (!usable) {
		wait_for_window(tcp, tcb, 0);
		return 0;
	}
	len = unsent < tcb->mss ? (uint32_t)unsent : tcb->mss; /* SHLD-28 */
	if (len > usable)
		len = usable;
	if (pipe && pipe + len > tcb->cwnd) {
		tcb->flags |= TCB_CWND_LIMITED;
		return 0;
	}
	if (!worth_sending(tcb, len, unsent + fin, usable)) {
		wait_for_window(tcp, tcb, usable);
		return 0;
	}
	return len + (fin && len == unsent && len < usable);
}

/* Extends a full segment to as many as cwnd, window and the interface take in one frame. */
static uint32_t super_segment(const struct tcp *tcp, const struct tcb *tcb, uint32_t len)
{
	const struct egress *egress = tcp->egress[tcb->ifindex];
	uint64_t nxt = tcb_nxt_off(tcb);
	uint64_t most = tcb->snd_end - nxt;
	uint32_t flight = tcb_flight(tcb), pipe = sent_pipe(tcb);

	if (!egress->offload_segment || len != tcb->mss)
		return len;
	/* Devices do not count the urgent pointer down from segment to segment. */
	if (seq_gt(tcb->snd.up, tcb->snd.nxt))
		return len;
	if (most > tcb->snd.wnd - flight)
		most = tcb->snd.wnd - flight;
	if (tcb->cwnd > pipe && most > tcb->cwnd - pipe)
		most = tcb->cwnd - pipe;
	if (most > SUPER_MAX - PARLEY_HEADER_MAX)
		most = SUPER_MAX - PARLEY_HEADER_MAX;
	most -= most % tcb->mss;
	return most > len ? (uint32_t)most : len;
}

/* No memory for the record of a transmission: an ACK or the timer will bring us back. */
static bool try_later(struct tcp *tcp, struct tcb *tcb)
{
	if (tcb->main_at == TCB_NEVER)
		tcb_arm(tcp, tcb, PARLEY_TIMER_MEMORY, tcp->now + tcb->rto);
	return false;
}

/* Text that follows what came by less than the delay of an ACK would have carried that ACK. */
static void note_answer(const struct tcp *tcp, struct tcb *tcb)
{
	uint64_t delay = (uint64_t)tcb_setting(tcb, PARLEY_SET_DELAYED_ACK);

	if (tcb_setting(tcb, PARLEY_SET_QUICK_ACKS) && tcp->now - tcb->last_received < delay)
		tcb->flags |= TCB_INTERACTIVE;
}

/* The most that was under way in this round trip says whether the window is used (newreno.c). */
static void note_flight(struct tcb *tcb)
{
	struct sending *sending = tcb->sending;
	uint32_t flight = tcb_flight(tcb);

	if (flight <= sending->flight_max && seq_lt(tcb->snd.una, sending->flight_end))
		return;
	sending->flight_max = flight;
	sending->flight_end = tcb->snd.nxt;
}

static bool send_new(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	uint64_t offset = tcb_nxt_off(tcb);
	uint32_t len;

	len = sendable(tcp, tcb);
	if (!len)
		return false;
	/* RFC 5681 4.1 */
	if (!tcb_flight(tcb) && tcp->now - tcb->last_sent > tcb->rto &&
	    tcb_setting(tcb, PARLEY_SET_IDLE_RESTART))
		congestion_restart(tcb);
	len = super_segment(tcp, tcb, len);
	if (!sent_add(tcp, tcb, tcb->snd.nxt, len, 0))
		return try_later(tcp, tcb);
	start_segment(tcp, tcb, out, tcb->snd.nxt);
	attach_text(tcb, out, offset, len);
	tcb->snd.nxt = seq_add(tcb->snd.nxt, len);
	note_flight(tcb);
	if (tcb->rcv_off && !(tcb->flags & TCB_INTERACTIVE))
		note_answer(tcp, tcb);
	tcb->owed &= (uint16_t)~OWE_OVERRIDE;
	tcb->last_sent = tcp->now;
	tcb->data_segs_out++;
	/* First the debt is paid: the wheel need not hear of an ACK that was owed. */
	finish_segment(tcp, tcb, out, PARLEY_WHY_NEW);
	start_timer(tcp, tcb);
	return true;
}

/* What is new is acknowledged by itself: told by a duplicate, that would be one too few. */
static bool send_duplicate_ack(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	if (tcb->owed & OWE_ACK && !seq_eq(tcb->rcv.acked, tcb->rcv.nxt))
		return send_ack(tcp, tcb, out, PARLEY_WHY_ACK);
	tcb->dup_acks_owed--;
	return send_ack(tcp, tcb, out, PARLEY_WHY_DUPLICATE);
}

/* As Linux probes: below the window and without text, which must be answered, too. */
static bool send_empty_probe(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	start_segment(tcp, tcb, out, seq_sub(tcb->snd.una, 1));
	count(tcp, PARLEY_COUNTER_WINDOW_PROBES);
	return finish_segment(tcp, tcb, out, PARLEY_WHY_PROBE);
}

/*
 * RFC 9293 3.8.6.1: one octet of new data into the closed window (or the FIN), or the first of
 * what was sent already. It counts as sent: when the window opens it goes again at once.
 */
static bool send_probe(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	struct record *record = sent_first(tcb);
	uint64_t offset = tcb_nxt_off(tcb);

	tcb->owed &= (uint16_t)~OWE_PROBE;
	if (!record && tcb_setting(tcb, PARLEY_SET_EMPTY_PROBES))
		return send_empty_probe(tcp, tcb, out);
	if (!record) {
		if (offset > tcb->snd_end ||
		    (offset == tcb->snd_end && !(tcb->flags & TCB_CLOSED_BY_USER)))
			return false;
		if (!sent_add(tcp, tcb, tcb->snd.nxt, 1, SENT_PROBE))
			return false;
		tcb->snd.nxt = seq_add(tcb->snd.nxt, 1);
		record = sent_first(tcb);
	} else {
		if (record->len > 1 && !sent_split(tcp, record, 1))
			return false;
		record->marks |= SENT_PROBE;
	}
	sent_again(tcp, tcb, record);
	start_segment(tcp, tcb, out, record->lo);
	attach_text(tcb, out, tcb_snd_offset(tcb, record->lo), record->len);
	count(tcp, PARLEY_COUNTER_WINDOW_PROBES);
	return finish_segment(tcp, tcb, out, PARLEY_WHY_PROBE);
}

/* RFC 9293 3.8.4: a segment that the peer cannot but answer: SEG.SEQ = SND.NXT - 1, no text. */
static bool send_keepalive(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	tcb->owed &= (uint16_t)~OWE_KEEPALIVE;
	/* Text that went meanwhile asks the same. */
	if (tcb_flight(tcb)) /* MUST-26 */
		return false;
	count(tcp, PARLEY_COUNTER_KEEPALIVE_PROBES);
	start_segment(tcp, tcb, out, seq_sub(tcb->snd.nxt, 1)); /* MAY-5, SHLD-12 */
	return finish_segment(tcp, tcb, out, PARLEY_WHY_KEEPALIVE);
}

/* Acknowledgements that no text carried. */
static bool send_owed_ack(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	/* The timer that fired is off: what is still owed then is due. */
	bool due = tcb->owed & OWE_DELAYED && (tcb->ack_at == TCB_NEVER || tcb->ack_at <= tcp->now);

	if (tcb->owed & OWE_CHALLENGE)
		return send_ack(tcp, tcb, out, PARLEY_WHY_CHALLENGE);
	if (tcb->owed & OWE_ACK) /* MUST-58 */
		return send_ack(tcp, tcb, out, PARLEY_WHY_ACK);
	if (tcb->owed & OWE_WINDOW)
		return send_ack(tcp, tcb, out, PARLEY_WHY_WINDOW);
	return due && send_ack(tcp, tcb, out, PARLEY_WHY_DELAYED);
}

static bool output_synchronized(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	if (tcb->path_until && tcp->now >= tcb->path_until)
		icmp_path_over(tcp, tcb);
	if (tcb->dup_acks_owed)
		return send_duplicate_ack(tcp, tcb, out);
	if (tcb->lost_bytes || tcb->owed & OWE_REXMIT) {
		if (send_again(tcp, tcb, out))
			return true;
	}
	if (!tcb->lost_bytes && send_new(tcp, tcb, out))
		return true;
	if (tcb->owed & OWE_PROBE && send_probe(tcp, tcb, out))
		return true;
	if (tcb->owed & OWE_URGENT)
		return send_ack(tcp, tcb, out, PARLEY_WHY_URGENT);
	if (tcb->owed & OWE_KEEPALIVE && send_keepalive(tcp, tcb, out))
		return true;
	return send_owed_ack(tcp, tcb, out);
}

static bool what_is_owed(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	switch ((enum parley_state)tcb->state) {
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
		return false;
	case PARLEY_SYN_SENT:
	case PARLEY_SYN_RECEIVED:
		if (tcb->owed & OWE_SYN)
			return send_syn(tcp, tcb, out);
		return tcb->state == PARLEY_SYN_RECEIVED && send_owed_ack(tcp, tcb, out);
	case PARLEY_ESTABLISHED:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
	case PARLEY_CLOSE_WAIT:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
	case PARLEY_TIME_WAIT:
		return output_synchronized(tcp, tcb, out);
	}
	return false;
}

/* An acknowledgement that may wait, and that nothing carries now, is for the wheel to remember. */
static bool next_segment(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	if (what_is_owed(tcp, tcb, out))
		return true;
	if (tcb->ack_at != TCB_NEVER)
		tcb_schedule(tcp, tcb);
	return false;
}

bool tcp_output(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out)
{
	if (!next_segment(tcp, tcb, out))
		return false;
	count(tcp,
	      is_retransmission(out->why) ? PARLEY_COUNTER_RETRANS_SEGS : PARLEY_COUNTER_OUT_SEGS);
	observe_departure(tcp, out->conn, &out->tuple, tcb->ifindex, &out->segment, out->state,
			  out->why);
	return true;
}

bool output_lose(struct tcp *tcp, struct tcb *tcb)
{
	struct tcp_out lost;

	/* No timer asks for these again, and they would stand before what has one. */
	tcb->dup_acks_owed = 0;
	if (!next_segment(tcp, tcb, &lost))
		return false;
	for (uint32_t i = 0; i < lost.span_count; i++)
		tcp_release_block(lost.spans[i].block);
	return true;
}

void tcp_release_block(void *block)
{
	block_unref(block);
}
