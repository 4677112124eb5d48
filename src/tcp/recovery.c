/* SPDX-License-Identifier: MIT */
#include "tcp/recovery.h"

#include "tcp/congestion.h"
#include "tcp/observe.h"
#include "tcp/sent.h"

#define DUP_THRESHOLD 3

static void tell_cwnd(struct tcp *tcp, const struct tcb *tcb, enum parley_cause cause)
{
	OBSERVE(tcp, tcb, PARLEY_TRACE_CWND, cause, tcb->cwnd, tcb->ssthresh, tcb_flight(tcb));
}

/* What is lost has not arrived: the count of what has left the network is at most the rest. */
static void bound_departed(struct tcb *tcb)
{
	uint32_t most = tcb_flight(tcb) - tcb->lost_bytes;

	if (tcb->sacked_bytes > most)
		tcb->sacked_bytes = most;
}

void recovery_lose(struct tcb *tcb, struct record *record)
{
	sent_mark_lost(tcb, record);
	bound_departed(tcb);
}

/* The first segment under way is lost: only that much of its record. */
static void lose_first(struct tcp *tcp, struct tcb *tcb, enum parley_why why)
{
	struct record *first = sent_first(tcb);

	if (!first)
		return;
	if (sent_text(tcb, first) > first->size && !sent_split(tcp, first, first->size))
		return; /* no memory: the retransmission timer will see to it */
	recovery_lose(tcb, first);
	tcb->main_why = (uint8_t)why;
	tcb_owe(tcp, tcb, OWE_REXMIT);
}

static void enter(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t flight = tcb_flight(tcb);

	/* What limited transmit sent beyond cwnd does not count (RFC 5681 3.2, step 2). */
	if (flight > tcb->cwnd)
		flight = tcb->cwnd;
	tcb->flags |= TCB_RECOVERY;
	tcb->flags &= ~(uint32_t)TCB_PARTIAL_SEEN;
	tcb->recover = tcb->snd.nxt;
	tcb->ssthresh = congestion_of(tcb)->ssthresh(tcb, flight);
	tcb->cwnd = tcb->ssthresh;
	tcb->prior_cwnd_acked = 0;
	count(tcp, PARLEY_COUNTER_RENO_RECOVERY);
	count(tcp, PARLEY_COUNTER_FAST_RETRANS);
	tell_cwnd(tcp, tcb, PARLEY_CAUSE_RECOVERY);
	lose_first(tcp, tcb, PARLEY_WHY_FAST);
	if (tcb_setting(tcb, PARLEY_SET_STEADY_RECOVERY))
		tcb_arm(tcp, tcb, PARLEY_TIMER_RETRANSMIT, tcp->now + tcb->rto);
}

/* One more segment has left the network. */
static void count_departed(struct tcb *tcb)
{
	tcb->sacked_bytes += tcb->mss;
	bound_departed(tcb);
}

void recovery_duplicate(struct tcp *tcp, struct tcb *tcb)
{
	count(tcp, PARLEY_COUNTER_DUP_ACKS);
	if (tcb->dupacks < UINT8_MAX)
		tcb->dupacks++;
	if (tcb->flags & TCB_RECOVERY) {
		count_departed(tcb);
		tcb_owe(tcp, tcb, 0);
		return;
	}
	/*
	 * RFC 6582 3.2 step 1: after a timeout, duplicates of what was sent before it say nothing
	 * about a new loss.
	 */
	if (tcb->flags & TCB_AFTER_RTO)
		return;
	if (tcb->dupacks < DUP_THRESHOLD) {
		if (tcb_setting(tcb, PARLEY_SET_LIMITED_TRANSMIT)) {
			count_departed(tcb);
			tcb_owe(tcp, tcb, 0);
		}
		return;
	}
	/* Step 2: what covers no more than `recover` may come from what went again without need. */
	if (tcb->dupacks == DUP_THRESHOLD && !(tcb->flags & TCB_AT_RECOVER)) {
		/* Two before this one, also where limited transmit did not count them. */
		tcb->sacked_bytes = 3u * tcb->mss;
		bound_departed(tcb);
		enter(tcp, tcb);
	}
}

/*
 * All that was sent before the loss was found has been acknowledged. Whether anything more has is
 * known from now on by a flag: `recover` itself would seem to be ahead 2^31 bytes later.
 */
static void recovered(struct tcb *tcb)
{
	if (seq_eq(tcb->snd.una, tcb->recover))
		tcb->flags |= TCB_AT_RECOVER;
}

/* RFC 6582 3.2 step 3, full acknowledgement. */
static void leave(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t flight = tcb_flight(tcb);
	uint32_t window = (flight > tcb->mss ? flight : tcb->mss) + tcb->mss;

	if (tcb_setting(tcb, PARLEY_SET_DEFLATE_TO_SSTHRESH))
		window = tcb->ssthresh;
	tcb->cwnd = window < tcb->ssthresh ? window : tcb->ssthresh;
	tcb->flags &= ~(uint32_t)(TCB_RECOVERY | TCB_PARTIAL_SEEN);
	tcb->sacked_bytes = 0;
	tell_cwnd(tcp, tcb, PARLEY_CAUSE_RECOVERED);
	recovered(tcb);
}

/* RFC 6582 3.2 step 3, partial acknowledgement: the next hole is at the new SND.UNA. */
static void partial(struct tcp *tcp, struct tcb *tcb, uint32_t bytes)
{
	uint32_t deflate = bytes >= tcb->mss ? bytes - tcb->mss : bytes;

	tcb->sacked_bytes = tcb->sacked_bytes > deflate ? tcb->sacked_bytes - deflate : 0;
	bound_departed(tcb);
	lose_first(tcp, tcb, PARLEY_WHY_PARTIAL);
}

void recovery_advance(struct tcp *tcp, struct tcb *tcb, uint32_t bytes, uint32_t flight)
{
	tcb->dupacks = 0;
	tcb->flags &= ~(uint32_t)TCB_AT_RECOVER;
	if (tcb->flags & TCB_RECOVERY) {
		if (seq_geq(tcb->snd.una, tcb->recover))
			leave(tcp, tcb);
		else
			partial(tcp, tcb, bytes);
		return;
	}
	/* For what duplicate ACKs announced, limited transmit has sent new data already. */
	bytes -= tcb->sacked_bytes < bytes ? tcb->sacked_bytes : bytes;
	tcb->sacked_bytes = 0;
	congestion_of(tcb)->acked(tcb, bytes, flight);
	tcb->flags &= ~(uint32_t)TCB_CWND_LIMITED;
	if (tcb->flags & TCB_AFTER_RTO && seq_geq(tcb->snd.una, tcb->recover)) {
		tcb->flags &= ~(uint32_t)TCB_AFTER_RTO;
		recovered(tcb);
	}
}

void recovery_timeout(struct tcp *tcp, struct tcb *tcb)
{
	/* RFC 5681 3.1: ssthresh is not cut again when the same segment times out again. */
	if (tcb->retransmits <= 1)
		tcb->ssthresh = congestion_of(tcb)->ssthresh(tcb, tcb_flight(tcb));
	tcb->cwnd = tcb->mss;
	tcb->prior_cwnd_acked = 0;
	tcb->recover = tcb->snd.nxt;
	tcb->dupacks = 0;
	tcb->sacked_bytes = 0;
	tcb->flags |= TCB_AFTER_RTO;
	tcb->flags &= ~(uint32_t)(TCB_RECOVERY | TCB_PARTIAL_SEEN);
	sent_mark_all_lost(tcb);
	tcb->main_why = PARLEY_WHY_RTO;
	tell_cwnd(tcp, tcb, PARLEY_CAUSE_TIMEOUT);
	tcb_owe(tcp, tcb, OWE_REXMIT);
}
