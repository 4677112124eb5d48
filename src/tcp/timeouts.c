/* SPDX-License-Identifier: MIT */
/*
 * Timeouts (RFC 9293 3.10.8). All the timers of a connection:
 *
 *	main_at		one at a time, main_timer says which:
 *	  RETRANSMIT	something is under way (RFC 6298; SYN and FIN too); gives up after R2
 *	  PERSIST	something waits, the window is zero (3.8.6.1); never while it is answered
 *	  OVERRIDE	something waits that the silly-window rule holds back (3.8.6.2.1)
 *	  MEMORY	something waits for memory
 *	  FIN_WAIT_2	nobody reads any more, and the peer does not close
 *	  TIME_WAIT	2 MSL (3.10.8); without an owner a remnant keeps it instead
 *	ack_at		an acknowledgement is owed by then (3.8.6.3)
 *	keepalive_at	the next keep-alive probe (3.8.4)
 *
 * SYN entries have their own in the wheel (half_open.c), remnants stand in a line (remnant.c). The
 * USER TIMEOUT is R2, the setting "r2".
 */
#include "tcp/buffer.h"
#include "tcp/half_open.h"
#include "tcp/observe.h"
#include "tcp/output.h"
#include "tcp/recovery.h"
#include "tcp/remnant.h"
#include "tcp/rtt.h"
#include "tcp/sent.h"
#include "tcp/user.h"

/* Timers handled, remnants ended, and entries moved on the wheel, in one call. */
#define BUDGET 256

static void tell_timer(struct tcp *tcp, const struct tcb *tcb, enum parley_timer timer,
		       unsigned times)
{
	OBSERVE(tcp, tcb, PARLEY_TRACE_TIMER, timer, times, (int64_t)tcb->rto);
}

static void give_up(struct tcp *tcp, struct tcb *tcb)
{
	count(tcp, PARLEY_COUNTER_ABORT_ON_TIMEOUT);
	/* What the network said about it is the better reason (RFC 9293 3.9.2.2). */
	tcb_end(tcp, tcb, tcb->notice.soft ? tcb->notice.soft : PARLEY_ETIMEDOUT, /* UNL-18 */
		PARLEY_CAUSE_TIMEOUT);
}

/* The next time at which the timer is to fire: R2 is kept to the point, not to the next RTO. */
static uint64_t next_try(const struct tcp *tcp, struct tcb *tcb, uint64_t after)
{
	uint64_t r2 = (uint64_t)tcb_setting(tcb, PARLEY_SET_R2);
	uint64_t at = tcp->now + after;

	tcb->flags &= ~(uint32_t)TCB_UNTIL_R2;
	if (r2 && tcb->stalled_since != TCB_NEVER && tcb->stalled_since + r2 < at) {
		at = tcb->stalled_since + r2;
		tcb->flags |= TCB_UNTIL_R2;
	}
	return at;
}

/* Has it gone on for R2 (MUST-20)? */
static bool past_r2(const struct tcp *tcp, const struct tcb *tcb)
{
	uint64_t r2 = (uint64_t)tcb_setting(tcb, PARLEY_SET_R2);

	return r2 && tcp->now - tcb->stalled_since >= r2; /* MUST-20, MUST-21 */
}

/* When what was sent last has waited for `after`, ns. Of a SYN only the first time is known. */
static uint64_t try_due(const struct tcb *tcb, uint64_t after)
{
	const struct record *first = sent_first(tcb);

	if (first)
		return first->at + after;
	if (tcb_synchronized(tcb)) /* an empty probe's is not known */
		return 0;
	return tcb->stalled_since + rtt_syn_waited(tcb->settings, tcb->retransmits + 1u);
}

/*
 * The timer stood at R2, and R2 has been put off since: the user has raised it, or the peer has
 * answered a probe. Nothing goes again before `after`, ns, has passed since it went (RFC 6298 5).
 */
static bool r2_put_off(struct tcp *tcp, struct tcb *tcb, enum parley_timer timer, uint64_t after)
{
	uint64_t due;

	if (!(tcb->flags & TCB_UNTIL_R2) || !tcb->retransmits)
		return false;
	due = try_due(tcb, after);
	if (due <= tcp->now || (tcb->stalled_since != TCB_NEVER && past_r2(tcp, tcb)))
		return false;
	tcb_arm(tcp, tcb, timer, next_try(tcp, tcb, due - tcp->now));
	return true;
}

/* From R1 on output tells the IP layer that the next hop is to be doubted (MUST-20). */
static void advise_ip(struct tcb *tcb)
{
	if (tcb->retransmits >= tcb_setting(tcb, PARLEY_SET_R1))
		tcb->flags |= TCB_PAST_R1;
}

/* A SYN or SYN,ACK was not answered. */
static void retransmit_syn(struct tcp *tcp, struct tcb *tcb)
{
	bool active = tcb->state == PARLEY_SYN_SENT || !(tcb->flags & TCB_PASSIVE);
	int64_t limit = tcb_setting(tcb,
				    active ? PARLEY_SET_SYN_RETRIES : PARLEY_SET_SYNACK_RETRIES);

	/* The count saturates: the largest limit is one less than it says. */
	if (tcb->retransmits > limit || tcb->retransmits == UINT8_MAX || /* MUST-22 */
	    past_r2(tcp, tcb)) {
		if (tcb->listening)
			user_relisten(tcp, tcb, PARLEY_CAUSE_TIMEOUT);
		else
			give_up(tcp, tcb);
		return;
	}
	advise_ip(tcb);
	tcb->flags |= TCB_SYN_LOST;
	tcb->main_why = PARLEY_WHY_RTO;
	rtt_backoff(tcb);
	tcb_arm(tcp, tcb, PARLEY_TIMER_RETRANSMIT, next_try(tcp, tcb, tcb->rto));
	tcb_owe(tcp, tcb, OWE_SYN);
}

/* R1 is told on the way, once to the user (SHLD-9). */
static void tell_r1(struct tcp *tcp, struct tcb *tcb)
{
	advise_ip(tcb);
	if (tcb->retransmits == tcb_setting(tcb, PARLEY_SET_R1) && tcb->flags & TCB_OWNED)
		notice_raise(tcp, &tcb->notice, PARLEY_SOFT_ERROR); /* SHLD-9, UNL-8 */
}

/*
 * Another time unanswered. The timer fired `late`: a host that slept a day has asked nobody in that
 * time, so it says nothing of the peer, and R2 goes on from where it was. What stood at R2 itself
 * had no other try to make.
 */
static void bump(struct tcp *tcp, struct tcb *tcb, uint64_t late)
{
	const struct record *first = sent_first(tcb);
	uint64_t since;

	if (tcb->stalled_since == TCB_NEVER) /* the last probe was answered, however long ago */
		tcb->stalled_since = tcp->now;
	else if (!tcb->retransmits && tcb_synchronized(tcb)) /* a SYN's is known (output.c) */
		tcb->stalled_since = first ? first->at : tcp->now;
	since = tcp->now - tcb->stalled_since;
	if (!(tcb->flags & TCB_UNTIL_R2))
		tcb->stalled_since += late < since ? late : since;
	if (tcb->retransmits < UINT8_MAX)
		tcb->retransmits++;
}

/*
 * Nobody holds the connection any more, what was left behind finds no taker, and the host's memory
 * is all but gone: RFC 6429 4 lets it go, even where the peer answers and only keeps its window
 * shut, with which a few peers could tie up all of it for ever.
 */
static bool is_a_burden(const struct tcp *tcp, const struct tcb *tcb)
{
	return !(tcb->flags & (TCB_OWNED | TCB_QUEUED)) &&
	       tcb->retransmits >= tcb_setting(tcb, PARLEY_SET_R1) &&
	       pressure_of(tcp->memory) >= PRESSURE_WINDOWS;
}

static void give_up_for_memory(struct tcp *tcp, struct tcb *tcb)
{
	count(tcp, PARLEY_COUNTER_ABORT_ON_MEMORY);
	output_reset(tcp, tcb);
	tcb_end(tcp, tcb, PARLEY_ENOBUFS, PARLEY_CAUSE_ABORT);
}

/* RETRANSMISSION TIMEOUT: the head of the queue again, and a doubled timeout (RFC 6298 5.4-5.6). */
static void retransmission_timeout(struct tcp *tcp, struct tcb *tcb, uint64_t late)
{
	if (r2_put_off(tcp, tcb, PARLEY_TIMER_RETRANSMIT, tcb->rto))
		return;
	bump(tcp, tcb, late);
	tell_timer(tcp, tcb, PARLEY_TIMER_RETRANSMIT, tcb->retransmits);
	count(tcp, PARLEY_COUNTER_TIMEOUTS);
	if (tcb->state < PARLEY_ESTABLISHED) {
		retransmit_syn(tcp, tcb);
		return;
	}
	tell_r1(tcp, tcb);
	if (past_r2(tcp, tcb)) {
		give_up(tcp, tcb);
		return;
	}
	if (is_a_burden(tcp, tcb)) {
		give_up_for_memory(tcp, tcb);
		return;
	}
	rtt_backoff(tcb);
	tcb_arm(tcp, tcb, PARLEY_TIMER_RETRANSMIT, next_try(tcp, tcb, tcb->rto));
	recovery_timeout(tcp, tcb); /* UNL-18 */
	if (tcb->snd.wnd)
		return;
	/* The window was shut on what is under way: probes, and all of it again once it opens. */
	tcb->owed &= (uint16_t)~OWE_REXMIT;
	tcb_owe(tcp, tcb, OWE_PROBE); /* MUST-35 */
}

/*
 * MUST-35, MUST-36, MUST-37: probing goes on for as long as the probes are answered, at growing
 * intervals; with each answer acknowledge() sets stalled_since back.
 */
static void persist_timeout(struct tcp *tcp, struct tcb *tcb, uint64_t late)
{
	if (r2_put_off(tcp, tcb, PARLEY_TIMER_PERSIST, rtt_backed_off(tcb, tcb->retransmits)))
		return;
	bump(tcp, tcb, late);
	tell_timer(tcp, tcb, PARLEY_TIMER_PERSIST, tcb->retransmits);
	tell_r1(tcp, tcb);
	if (past_r2(tcp, tcb)) {
		give_up(tcp, tcb);
		return;
	}
	if (is_a_burden(tcp, tcb)) {
		give_up_for_memory(tcp, tcb);
		return;
	}
	/* The RTO stays as it is: a window that was shut for long says nothing of the path. */
	/* SHLD-30 */
	tcb_arm(tcp, tcb, PARLEY_TIMER_PERSIST,
		next_try(tcp, tcb, rtt_backed_off(tcb, tcb->retransmits)));
	tcb_owe(tcp, tcb, OWE_PROBE); /* MUST-36 */
}

static void memory_timeout(struct tcp *tcp, struct tcb *tcb)
{
	tell_timer(tcp, tcb, PARLEY_TIMER_MEMORY, 1);
	tcb_owe(tcp, tcb, 0);
	if (tcb->flags & TCB_WANTS_WRITABLE && tcb->flags & TCB_OWNED) {
		tcb->flags &= ~(uint32_t)TCB_WANTS_WRITABLE;
		notice_raise(tcp, &tcb->notice, PARLEY_WRITABLE);
	}
}

static void main_timeout(struct tcp *tcp, struct tcb *tcb)
{
	enum parley_timer timer = tcb->main_timer;
	uint64_t late = tcp->now - tcb->main_at;

	tcb_disarm(tcb);
	switch (timer) {
	case PARLEY_TIMER_RETRANSMIT:
		retransmission_timeout(tcp, tcb, late);
		break;
	case PARLEY_TIMER_PERSIST:
		persist_timeout(tcp, tcb, late);
		break;
	case PARLEY_TIMER_OVERRIDE:
		tell_timer(tcp, tcb, timer, 1);
		tcb->flags &= ~(uint32_t)TCB_MORE; /* what did not come by now is not waited for */
		tcb_owe(tcp, tcb, OWE_OVERRIDE);
		break;
	case PARLEY_TIMER_MEMORY:
		memory_timeout(tcp, tcb);
		break;
	case PARLEY_TIMER_FIN_WAIT_2:
		tell_timer(tcp, tcb, timer, 1);
		tcb_end(tcp, tcb, 0, PARLEY_CAUSE_TIMEOUT);
		break;
	case PARLEY_TIMER_TIME_WAIT:
		tell_timer(tcp, tcb, timer, 1);
		tcb_end(tcp, tcb, 0, PARLEY_CAUSE_TIMEOUT); /* UNL-18 */
		break;
	case PARLEY_TIMER_NONE:
	case PARLEY_TIMER_DELAYED_ACK:
	case PARLEY_TIMER_KEEPALIVE:
	case PARLEY_TIMER_DECIDE: /* of a SYN entry */
	case PARLEY_TIMER_COUNT:
		break;
	}
}

static void delayed_ack_timeout(struct tcp *tcp, struct tcb *tcb)
{
	tell_timer(tcp, tcb, PARLEY_TIMER_DELAYED_ACK, 1);
	count(tcp, PARLEY_COUNTER_DELAYED_ACKS);
	tcb_owe(tcp, tcb, 0); /* OWE_DELAYED stands, and its time has come */
}

/* RFC 9293 3.8.4, RFC 1122 4.2.3.6: an idle peer is asked; one that never answers is gone. */
static void keepalive_timeout(struct tcp *tcp, struct tcb *tcb)
{
	uint64_t idle = (uint64_t)tcb_setting(tcb, PARLEY_SET_KEEPALIVE_IDLE); /* MUST-27 */
	uint64_t quiet = tcp->now - tcb->last_received;

	tcb->keepalive_at = TCB_NEVER;
	if (tcb->state == PARLEY_TIME_WAIT)
		return;
	if (!tcb->probes && quiet < idle) { /* MUST-26 */
		tcb->keepalive_at = tcp->now + (idle - quiet);
		return;
	}
	if (tcb_flight(tcb)) { /* MUST-26: the retransmission timer watches the peer already */
		tcb->keepalive_at = tcp->now + idle;
		return;
	}
	tell_timer(tcp, tcb, PARLEY_TIMER_KEEPALIVE, tcb->probes + 1u);
	if (tcb->probes >= tcb_setting(tcb, PARLEY_SET_KEEPALIVE_COUNT)) { /* MUST-29 */
		output_reset(tcp, tcb);
		give_up(tcp, tcb);
		return;
	}
	tcb->probes++;
	tcb->keepalive_at = tcp->now + (uint64_t)tcb_setting(tcb, PARLEY_SET_KEEPALIVE_INTERVAL);
	tcb_owe(tcp, tcb, OWE_KEEPALIVE);
}

/* A visit of the wheel: whatever of this connection is due. Returns how many timers that were. */
static int visit(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t slot = tcb->slot;
	int fired = 0;

	if (tcb->ack_at <= tcp->now) {
		tcb->ack_at = TCB_NEVER;
		delayed_ack_timeout(tcp, tcb);
		fired++;
	}
	if (tcb->keepalive_at <= tcp->now) {
		keepalive_timeout(tcp, tcb);
		fired++;
		if (slot_at(&tcp->slots, slot)->object != tcb)
			return fired;
	}
	if (tcb->main_at <= tcp->now) {
		main_timeout(tcp, tcb);
		fired++;
		if (slot_at(&tcp->slots, slot)->object != tcb)
			return fired;
	}
	tcb_schedule(tcp, tcb);
	return fired;
}

int tcp_expire(struct tcp *tcp)
{
	uint32_t budget = BUDGET;
	struct wheel_entry *due;
	int fired = 0;

	while ((due = wheel_pop(&tcp->wheel, tcp->now, &budget))) {
		struct tcb *tcb = (struct tcb *)(void *)due;

		if (tcb->kind == ENTRY_SYN) {
			half_open_timeout(tcp, (struct syn_entry *)(void *)due);
			fired++;
		} else {
			fired += visit(tcp, tcb);
		}
	}
	return fired + remnant_expire(tcp, budget);
}

uint64_t tcp_deadline(const struct tcp *tcp)
{
	uint64_t wheel = wheel_next(&tcp->wheel, tcp->now);
	uint64_t remnant = remnant_deadline(tcp);

	if (remnant < tcp->now)
		remnant = tcp->now;
	return wheel < remnant ? wheel : remnant;
}
