/* SPDX-License-Identifier: MIT */
#include "tcp/tcb.h"

#include "base/mem.h"
#include "base/must.h"
#include "tcp/congestion.h"
#include "tcp/demux.h"
#include "tcp/listener.h"
#include "tcp/observe.h"
#include "tcp/reassembly.h"
#include "tcp/sending.h"

_Static_assert(offsetof(struct tcb, last_sent) <= 256, "the hot part is four cache lines");
_Static_assert(offsetof(struct tcb, notice.error) <= 320, "what only text touches is the fifth");
_Static_assert(offsetof(struct tcb, listening) <= 384, "what is cold is the seventh");

#define BIT(state) (1u << PARLEY_##state)

/* Row: from; bits: to. In the RFC's order. */
static const uint16_t edges[PARLEY_STATES] = {
	[PARLEY_CLOSED] = BIT(LISTEN) | BIT(SYN_SENT),
	[PARLEY_LISTEN] = BIT(SYN_RECEIVED) | BIT(SYN_SENT) | BIT(CLOSED),
	[PARLEY_SYN_SENT] = BIT(SYN_RECEIVED) | BIT(ESTABLISHED) | BIT(CLOSED),
	[PARLEY_SYN_RECEIVED] = BIT(ESTABLISHED) | BIT(LISTEN) | BIT(CLOSED),
	[PARLEY_ESTABLISHED] = BIT(FIN_WAIT_1) | BIT(CLOSE_WAIT) | BIT(CLOSED),
	[PARLEY_FIN_WAIT_1] = BIT(FIN_WAIT_2) | BIT(CLOSING) | BIT(TIME_WAIT) | BIT(CLOSED),
	[PARLEY_FIN_WAIT_2] = BIT(TIME_WAIT) | BIT(CLOSED),
	[PARLEY_CLOSE_WAIT] = BIT(LAST_ACK) | BIT(CLOSED),
	[PARLEY_CLOSING] = BIT(TIME_WAIT) | BIT(CLOSED),
	[PARLEY_LAST_ACK] = BIT(CLOSED),
	[PARLEY_TIME_WAIT] = BIT(CLOSED),
};

bool tcb_edge(enum parley_state from, enum parley_state to)
{
	return edges[from] >> to & 1;
}

static bool counts_as_established(unsigned state)
{
	return state == PARLEY_ESTABLISHED || state == PARLEY_CLOSE_WAIT;
}

static void count_edge(struct tcp *tcp, enum parley_state from, enum parley_state to)
{
	if (from == PARLEY_CLOSED && to == PARLEY_SYN_SENT)
		count(tcp, PARLEY_COUNTER_ACTIVE_OPENS);
	if (from == PARLEY_LISTEN && to == PARLEY_SYN_RECEIVED)
		count(tcp, PARLEY_COUNTER_PASSIVE_OPENS);
	if ((from == PARLEY_SYN_SENT || from == PARLEY_SYN_RECEIVED) &&
	    (to == PARLEY_CLOSED || to == PARLEY_LISTEN))
		count(tcp, PARLEY_COUNTER_ATTEMPT_FAILS);
	if (counts_as_established(from) && to == PARLEY_CLOSED)
		count(tcp, PARLEY_COUNTER_ESTAB_RESETS);
	if (to == PARLEY_TIME_WAIT)
		count(tcp, PARLEY_COUNTER_TIME_WAITS);
	if (counts_as_established(to) && !counts_as_established(from))
		tcp->counters[PARLEY_COUNTER_CURR_ESTAB]++;
	if (counts_as_established(from) && !counts_as_established(to))
		tcp->counters[PARLEY_COUNTER_CURR_ESTAB]--;
}

/* What the new state wants of the timers. */
static void set_timers(struct tcp *tcp, struct tcb *tcb)
{
	switch ((enum parley_state)tcb->state) {
	case PARLEY_FIN_WAIT_2:
		if (tcb->flags & TCB_DETACHED && tcb_setting(tcb, PARLEY_SET_FIN_WAIT_2))
			tcb_arm(tcp, tcb, PARLEY_TIMER_FIN_WAIT_2,
				tcp->now + (uint64_t)tcb_setting(tcb, PARLEY_SET_FIN_WAIT_2));
		break;
	case PARLEY_TIME_WAIT:
		tcb->ack_at = TCB_NEVER;
		tcb->keepalive_at = TCB_NEVER;
		tcb_arm(tcp, tcb, PARLEY_TIMER_TIME_WAIT,
			tcp->now + 2 * (uint64_t)tcp->settings->v[PARLEY_SET_MSL]); /* MUST-13 */
		break;
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
		tcb->ack_at = TCB_NEVER;
		tcb->keepalive_at = TCB_NEVER;
		tcb_disarm(tcb);
		break;
	case PARLEY_ESTABLISHED:
		if (tcb_setting(tcb, PARLEY_SET_KEEPALIVE)) /* MUST-24 */
			tcb->keepalive_at = tcp->now +
					    (uint64_t)tcb_setting(tcb, PARLEY_SET_KEEPALIVE_IDLE);
		tcb_schedule(tcp, tcb);
		break;
	case PARLEY_SYN_SENT:
	case PARLEY_SYN_RECEIVED:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_CLOSE_WAIT:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
		break;
	}
}

void tcb_set_state(struct tcp *tcp, struct tcb *tcb, enum parley_state to, enum parley_cause cause)
{
	enum parley_state from = tcb->state;

	if (!must_hold(tcb_edge(from, to)))
		count(tcp, PARLEY_COUNTER_MUST_FAILED);
	tcb->state = (uint8_t)to;
	count_edge(tcp, from, to);
	OBSERVE(tcp, tcb, PARLEY_TRACE_STATE, from, to, cause);
	set_timers(tcp, tcb);
	if (to == PARLEY_TIME_WAIT && tcb->flags & TCB_OWNED)
		notice_raise(tcp, &tcb->notice, PARLEY_DEAD);
}

void tcb_init(struct tcp *tcp, struct tcb *tcb, const struct tuple *tuple, int ifindex,
	      const struct settings *settings)
{
	memset(tcb, 0, sizeof *tcb);
	tcb->kind = ENTRY_TCB;
	tcb->state = PARLEY_CLOSED;
	tcb->ifindex = (uint8_t)ifindex;
	tcb->slot = SLOT_NONE;
	tcb->tuple = *tuple;
	tcb->settings = settings;
	tcb->congestion = (uint8_t)settings->v[PARLEY_SET_CONGESTION];
	tcb->main_at = TCB_NEVER;
	tcb->ack_at = TCB_NEVER;
	tcb->keepalive_at = TCB_NEVER;
	tcb->rto = (uint64_t)settings->v[PARLEY_SET_INITIAL_RTO];
	tcb->min_rtt = UINT64_MAX;
	tcb->ssthresh = UINT32_MAX;
	tcb->last_challenge = UINT64_MAX;
	tcb->last_sent = tcp->now;
	tcb->last_received = tcp->now;
	list_link_init(&tcb->ready);
	notice_init(&tcb->notice, SLOT_NONE, 0);
}

struct tcb *tcb_new(struct tcp *tcp, const struct tuple *tuple, int ifindex,
		    const struct settings *settings)
{
	struct tcb *tcb = pool_get(&tcp->tcbs);
	uint32_t slot;

	if (!tcb)
		return NULL;
	slot = slot_take(&tcp->slots, ENTRY_TCB, tcb);
	if (slot == SLOT_NONE) {
		pool_put(&tcp->tcbs, tcb);
		return NULL;
	}
	tcb_init(tcp, tcb, tuple, ifindex, settings_ref(settings));
	tcb->slot = slot;
	tcb->notice.slot = slot;
	return tcb;
}

void tcb_drop_buffers(struct tcp *tcp, struct tcb *tcb)
{
	sending_free(tcp, tcb);
	reassembly_free(tcp, tcb);
	tcb->rcv_off = tcb->read_off;
	tcb->snd_end = tcb->snd_off;
}

void tcb_forget_unread(struct tcp *tcp, struct tcb *tcb)
{
	reassembly_free(tcp, tcb);
	tcb->read_off += tcb_readable(tcb);
}

/* What was not read goes (3.10.7.4, second), but not from a stream that had come to its end. */
static bool reset_takes_text(const struct tcb *tcb, int error, enum parley_cause cause)
{
	return error == PARLEY_ECONNRESET &&
	       !(cause == PARLEY_CAUSE_RESET && tcb->flags & TCB_FIN_RECEIVED);
}

void tcb_end(struct tcp *tcp, struct tcb *tcb, int error, enum parley_cause cause)
{
	tcb_set_state(tcp, tcb, PARLEY_CLOSED, cause);
	if (tcb->flags & TCB_EPHEMERAL)
		return;
	demux_remove(tcp, tcb);
	listening_remove(tcp, tcb);
	list_remove(&tcb->ready);
	wheel_cancel(&tcp->wheel, &tcb->timer);
	tcb->owed = 0;
	tcb->dup_acks_owed = 0;
	sending_free(tcp, tcb);
	reassembly_give_up(tcp, tcb);
	if (reset_takes_text(tcb, error, cause) || tcb->flags & TCB_DETACHED || !tcb_readable(tcb))
		tcb_forget_unread(tcp, tcb);
	tcb->notice.error = error;
	if (error)
		OBSERVE(tcp, tcb, PARLEY_TRACE_ERROR, error);
	if (tcb->flags & TCB_OWNED)
		notice_raise(tcp, &tcb->notice, PARLEY_DEAD | PARLEY_READABLE | PARLEY_WRITABLE);
	else if (!(tcb->flags & TCB_QUEUED))
		tcb_free(tcp, tcb);
}

void tcb_free(struct tcp *tcp, struct tcb *tcb)
{
	must(tcb->state == PARLEY_CLOSED);
	tcb_drop_buffers(tcp, tcb);
	notice_drop(&tcb->notice);
	slot_give(&tcp->slots, tcb->slot);
	settings_put(&tcp->settings_blocks, tcb->settings);
	pool_put(&tcp->tcbs, tcb);
}

void tcb_arm(struct tcp *tcp, struct tcb *tcb, enum parley_timer kind, uint64_t at)
{
	tcb->main_timer = (uint8_t)kind;
	tcb->main_at = at;
	tcb_schedule(tcp, tcb);
}

void tcb_disarm(struct tcb *tcb)
{
	tcb->main_timer = PARLEY_TIMER_NONE;
	tcb->main_at = TCB_NEVER;
}

void tcb_schedule(struct tcp *tcp, struct tcb *tcb)
{
	uint64_t at = tcb->main_at;

	if (tcb->ack_at < at)
		at = tcb->ack_at;
	if (tcb->keepalive_at < at)
		at = tcb->keepalive_at;
	if (at != TCB_NEVER && !(tcb->flags & TCB_EPHEMERAL))
		wheel_schedule(&tcp->wheel, &tcb->timer, at);
}

void tcb_owe(struct tcp *tcp, struct tcb *tcb, uint16_t owed)
{
	struct egress *egress = tcp->egress[tcb->ifindex];

	tcb->owed |= owed; /* MUST-59 */
	if (egress && !(tcb->flags & TCB_EPHEMERAL))
		egress_push(egress, tcb);
}

int64_t tcb_setting(const struct tcb *tcb, enum parley_setting setting)
{
	return tcb->settings->v[setting];
}
