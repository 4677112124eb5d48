/* SPDX-License-Identifier: MIT */
#include "tcp/remnant.h"

#include "tcp/arrives.h"
#include "tcp/demux.h"
#include "tcp/observe.h"
#include "tcp/output.h"

_Static_assert(sizeof(struct remnant) <= 64, "a remnant is at most 64 bytes");
_Static_assert(SLOT_NONE < 1u << 25 && EGRESS_MAX <= 1 << 7, "its bits hold slots and interfaces");

static struct remnant *at(const struct tcp *tcp, uint32_t slot)
{
	return slot == SLOT_NONE ? NULL : slot_at(&tcp->slots, slot)->object;
}

/* More ticks than the longest 2 MSL, 480 s, has. */
#define AHEAD_MAX (1u << 19)

/* When this one ends, ns. What seems to lie ahead farther than any does is over, however long. */
static uint64_t ends_at(const struct tcp *tcp, const struct remnant *remnant)
{
	uint64_t now = tcp->now / REMNANT_TICK;
	uint32_t ahead = remnant->ends - (uint32_t)now;
	uint32_t behind = (uint32_t)now - remnant->ends;

	return (ahead <= AHEAD_MAX ? now + ahead : now - behind) * REMNANT_TICK;
}

static void unlink(struct tcp *tcp, struct remnant *remnant)
{
	struct remnant *next = at(tcp, remnant->next), *prev = at(tcp, remnant->prev);

	if (prev)
		prev->next = remnant->next;
	else
		tcp->time_wait.first = remnant->next;
	if (next)
		next->prev = remnant->prev;
	else
		tcp->time_wait.last = remnant->prev;
	tcp->time_wait.count--;
}

/* To the end of the line, with 2 MSL from now, or what its predecessor has if that is longer. */
static void append(struct tcp *tcp, struct remnant *remnant, uint64_t ends)
{
	struct remnant *last = at(tcp, tcp->time_wait.last);

	remnant->ends = (uint32_t)((ends + REMNANT_TICK - 1) / REMNANT_TICK);
	remnant->next = SLOT_NONE;
	remnant->prev = tcp->time_wait.last & (2 * SLOT_MAX - 1);
	if (last) {
		if (ends_at(tcp, last) > ends)
			remnant->ends = last->ends;
		last->next = remnant->slot;
	} else {
		tcp->time_wait.first = remnant->slot;
	}
	tcp->time_wait.last = remnant->slot;
	tcp->time_wait.count++;
}

void remnant_free(struct tcp *tcp, struct remnant *remnant)
{
	unlink(tcp, remnant);
	demux_forget(tcp, &remnant->tuple, remnant->slot);
	slot_give(&tcp->slots, remnant->slot);
	pool_put(&tcp->remnants, remnant);
}

void remnant_end(struct tcp *tcp, struct remnant *remnant, enum parley_cause cause)
{
	struct tcb tcb;

	remnant_expand(tcp, remnant, &tcb);
	if (cause == PARLEY_CAUSE_TIMEOUT)
		OBSERVE(tcp, &tcb, PARLEY_TRACE_TIMER, PARLEY_TIMER_TIME_WAIT, 1, 0);
	tcb_set_state(tcp, &tcb, PARLEY_CLOSED, cause);
	remnant_free(tcp, remnant);
}

/* The oldest goes when there are too many; with a limit of 0, that is each at once. */
static void keep_limit(struct tcp *tcp)
{
	while (tcp->time_wait.count > (uint32_t)tcp->settings->v[PARLEY_SET_TIME_WAIT_LIMIT]) {
		count(tcp, PARLEY_COUNTER_TIME_WAIT_OVERFLOW);
		remnant_end(tcp, at(tcp, tcp->time_wait.first), PARLEY_CAUSE_ABORT);
	}
}

void remnant_replace(struct tcp *tcp, struct tcb *tcb)
{
	struct remnant *remnant = pool_get(&tcp->remnants);
	uint64_t ends = tcb->main_at;

	if (!remnant)
		return;
	*remnant = (struct remnant){
		.tuple = tcb->tuple,
		.slot = tcb->slot & (SLOT_MAX - 1),
		.snd_nxt = tcb->snd.nxt,
		.rcv_nxt = tcb->rcv.nxt,
		.ifindex = (unsigned)tcb->ifindex & 0x7f,
		.challenged = entry_challenged(tcb->last_challenge) & ENTRY_CHALLENGE_MAX,
		.ttl = (uint8_t)tcb_setting(tcb, PARLEY_SET_TTL),
	};
	/* What the TCB still owes, it owes no longer once it is gone. */
	output_reply(tcp, tcb);
	remnant->wnd = (uint16_t)(tcb->rcv.wnd >> tcb->rcv_shift); /* as it was just told */
	tcb_drop_buffers(tcp, tcb);
	notice_drop(&tcb->notice);
	list_remove(&tcb->ready);
	wheel_cancel(&tcp->wheel, &tcb->timer);
	settings_put(&tcp->settings_blocks, tcb->settings);
	slot_change(&tcp->slots, tcb->slot, ENTRY_REMNANT, remnant);
	pool_put(&tcp->tcbs, tcb);
	append(tcp, remnant, ends);
	keep_limit(tcp);
}

void remnant_expand(struct tcp *tcp, const struct remnant *remnant, struct tcb *tcb)
{
	tcb_init(tcp, tcb, &remnant->tuple, remnant->ifindex, tcp->settings);
	tcb->flags = TCB_EPHEMERAL | TCB_DETACHED | TCB_CLOSED_BY_USER | TCB_FIN_SEEN |
		     TCB_FIN_RECEIVED;
	tcb->rcv_off = 1; /* behind the FIN, at offset 0 */
	tcb->slot = remnant->slot;
	tcb->notice.slot = remnant->slot;
	tcb->state = PARLEY_TIME_WAIT;
	tcb->snd.una = tcb->snd.nxt = remnant->snd_nxt;
	tcb->iss = seq_sub(remnant->snd_nxt, 2);
	tcb->snd_off = 1;
	tcb->rcv.nxt = tcb->rcv.acked = remnant->rcv_nxt;
	tcb->rcv.wnd = remnant->wnd;
	tcb->last_challenge = entry_last_challenge(tcp->now, remnant->challenged);
	tcb->main_timer = PARLEY_TIMER_TIME_WAIT;
	tcb->main_at = ends_at(tcp, remnant);
}

void remnant_arrives(struct tcp *tcp, struct remnant *remnant, const struct arrival *arrival,
		     const struct segment *segment)
{
	struct tcb tcb;
	uint64_t ends;

	remnant_expand(tcp, remnant, &tcb);
	ends = tcb.main_at;
	arrives_other_states(tcp, &tcb, arrival, segment);
	if (tcb.flags & TCB_REOPEN) {
		remnant_end(tcp, remnant, PARLEY_CAUSE_SEGMENT);
		arrives_reopened(tcp, tcb.snd.nxt, arrival, segment);
		return;
	}
	if (tcb.state != PARLEY_TIME_WAIT) {
		remnant_free(tcp, remnant);
		return;
	}
	output_reply(tcp, &tcb);
	remnant->challenged = entry_challenged(tcb.last_challenge) & ENTRY_CHALLENGE_MAX;
	if (tcb.main_at != ends) {
		unlink(tcp, remnant);
		append(tcp, remnant, tcb.main_at);
	}
}

uint64_t remnant_deadline(const struct tcp *tcp)
{
	const struct remnant *first = at(tcp, tcp->time_wait.first);

	return first ? ends_at(tcp, first) : TCB_NEVER;
}

/*
 * What ends next was last looked at 2 MSL ago: its place in the table is asked for in time, and the
 * one behind it.
 */
static void look_ahead(const struct tcp *tcp)
{
	const struct remnant *first = at(tcp, tcp->time_wait.first);
	struct demux_ahead ahead;

	if (!first)
		return;
	demux_ahead_begin(tcp, &first->tuple, &ahead);
	if (first->next != SLOT_NONE)
		__builtin_prefetch(slot_at(&tcp->slots, first->next)->object);
}

int remnant_expire(struct tcp *tcp, uint32_t budget)
{
	struct remnant *first;
	int n = 0;

	while (budget-- && (first = at(tcp, tcp->time_wait.first)) &&
	       ends_at(tcp, first) <= tcp->now) {
		remnant_end(tcp, first, PARLEY_CAUSE_TIMEOUT);
		look_ahead(tcp);
		n++;
	}
	return n;
}
