/* SPDX-License-Identifier: MIT */
#include "tcp/held.h"

#include "tcp/arrives.h"
#include "tcp/judge.h"
#include "tcp/listener.h"
#include "tcp/observe.h"
#include "tcp/open.h"
#include "tcp/output.h"
#include "tcp/secret.h"

static struct syn_entry *at(const struct tcp *tcp, uint32_t slot)
{
	return slot == SLOT_NONE ? NULL : slot_at(&tcp->slots, slot)->object;
}

static void append(const struct tcp *tcp, struct syn_entry *entry, struct listener *listener)
{
	struct syn_entry *last = at(tcp, listener->held_last);

	entry->held = SYN_UNFETCHED;
	entry->next = SLOT_NONE;
	entry->prev = listener->held_last;
	if (last)
		last->next = entry->slot;
	else
		listener->held_first = entry->slot;
	listener->held_last = entry->slot;
}

void held_unlink(struct tcp *tcp, struct syn_entry *entry, struct listener *listener)
{
	struct syn_entry *next, *prev;

	if (entry->held != SYN_UNFETCHED)
		return;
	next = at(tcp, entry->next);
	prev = at(tcp, entry->prev);
	if (prev)
		prev->next = entry->next;
	else
		listener->held_first = entry->next;
	if (next)
		next->prev = entry->prev;
	else
		listener->held_last = entry->prev;
	entry->held = SYN_FETCHED;
}

const char *held_check(const struct tcp *tcp, const struct listener *listener)
{
	uint32_t slot = listener->held_first, prev = SLOT_NONE, n = 0;

	while (slot != SLOT_NONE) {
		const struct slot *s = slot_at(&tcp->slots, slot);
		const struct syn_entry *entry = s->object;

		if (s->kind != ENTRY_SYN || entry->held != SYN_UNFETCHED || entry->prev != prev ||
		    slot_object(&tcp->slots, entry->listener, ENTRY_LISTENER) != listener)
			return "what is no held SYN stands in a listener's line";
		prev = slot;
		slot = entry->next;
		if (++n > listener->half_open)
			return "a listener's line of held SYNs has no end";
	}
	return prev == listener->held_last ? NULL : "a listener's line of held SYNs is torn";
}

/* For how long it is held from now on. */
static void set_timer(struct tcp *tcp, struct syn_entry *entry, const struct listener *listener)
{
	uint64_t timeout = (uint64_t)listener->settings->v[PARLEY_SET_DECIDE_TIMEOUT];

	wheel_cancel(&tcp->wheel, &entry->timer);
	wheel_schedule(&tcp->wheel, &entry->timer, tcp->now + timeout);
}

void held_begin(struct tcp *tcp, struct syn_entry *entry, struct listener *listener)
{
	append(tcp, entry, listener);
	set_timer(tcp, entry, listener);
	notice_raise(tcp, &listener->notice, PARLEY_DECIDE);
}

/* The SYN as it came, without its text: for answers and for the trace. */
static struct segment syn_of(const struct syn_entry *entry, struct arrival *arrival)
{
	*arrival = (struct arrival){.tuple = entry->tuple, .ifindex = entry->ifindex};
	return (struct segment){
		.src_port = entry->tuple.remote_port,
		.dst_port = entry->tuple.local_port,
		.seq = entry->irs,
		.flags = TCP_SYN,
		.wnd = entry->wnd,
		.len = 1,
	};
}

/* Nothing comes of it: the reason is counted and told, and the entry goes. */
static void forget(struct tcp *tcp, struct syn_entry *entry, enum parley_drop reason)
{
	struct arrival arrival;
	struct segment segment = syn_of(entry, &arrival);

	observe_drop(tcp, &arrival, &segment, slot_handle(&tcp->slots, entry->slot), reason);
	if (reason == PARLEY_DROP_SYN_REFUSED)
		output_refuse(tcp, &arrival, &segment);
	else
		count(tcp, PARLEY_COUNTER_LISTEN_DROPS);
	half_open_free(tcp, entry);
}

void held_timeout(struct tcp *tcp, struct syn_entry *entry)
{
	struct tcb tcb;

	half_open_expand(tcp, entry, &tcb);
	OBSERVE(tcp, &tcb, PARLEY_TRACE_TIMER, PARLEY_TIMER_DECIDE, 1, 0);
	forget(tcp, entry, PARLEY_DROP_SYN_UNDECIDED);
}

/*
 * The peer's SYN again. With another number it has given up the first and begun anew, and as that
 * has not been answered, the new one takes its place: what the user decides on are the two ends.
 */
static void repeated(struct tcp *tcp, struct syn_entry *entry, const struct arrival *arrival,
		     const struct segment *segment)
{
	struct tcb tcb;

	if (!seq_eq(segment->seq, entry->irs)) {
		half_open_expand(tcp, entry, &tcb);
		tcb.flags &= ~(uint32_t)TCB_SCALING;
		open_prepare(tcp, &tcb);
		open_peer_syn(&tcb, segment);
		half_open_learn(entry, &tcb);
	}
	observe_drop(tcp, arrival, segment, slot_handle(&tcp->slots, entry->slot),
		     PARLEY_DROP_SYN_HELD);
}

void held_arrives(struct tcp *tcp, struct syn_entry *entry, struct listener *listener,
		  const struct arrival *arrival, const struct segment *segment)
{
	struct slot *slot = slot_at(&tcp->slots, listener->listening.slot);

	/* Only the peer knows this number: it wants the connection no more. */
	if (segment->flags & TCP_RST && seq_eq(segment->seq, seq_add(entry->irs, 1)))
		half_open_free(tcp, entry);
	else if ((segment->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
		 judge_syn_fin(slot, segment))
		repeated(tcp, entry, arrival, segment);
	else
		arrives_listen(tcp, slot, arrival, segment, entry->iss);
}

int held_next(struct tcp *tcp, parley_conn conn, struct parley_syn *syn)
{
	struct listener *listener = slot_object(&tcp->slots, conn, ENTRY_LISTENER);
	struct syn_entry *entry;

	if (!listener)
		return slot_find(&tcp->slots, conn) == SLOT_NONE ? -PARLEY_EBADF : -PARLEY_EINVAL;
	entry = at(tcp, listener->held_first);
	if (!entry)
		return -PARLEY_EAGAIN;
	held_unlink(tcp, entry, listener);
	*syn = (struct parley_syn){
		.size = syn->size,
		.conn = slot_handle(&tcp->slots, entry->slot),
		.local = {entry->tuple.local, entry->tuple.local_port},
		.remote = {entry->tuple.remote, entry->tuple.remote_port},
		.ifindex = entry->ifindex,
		.until = entry->timer.deadline,
	};
	return 0;
}

/* Into SYN-RECEIVED, with a number of now, but beyond those that the four-tuple had (RFC 6191). */
static void take(struct tcp *tcp, struct syn_entry *entry, struct listener *listener)
{
	struct tcb tcb;

	held_unlink(tcp, entry, listener);
	wheel_cancel(&tcp->wheel, &entry->timer);
	entry->iss = seq_max(secret_isn(tcp, &entry->tuple), entry->iss);
	half_open_expand(tcp, entry, &tcb);
	half_open_answer(tcp, entry, &tcb, listener);
}

int held_decide(struct tcp *tcp, parley_conn conn, enum parley_decision decision)
{
	struct syn_entry *entry = slot_object(&tcp->slots, conn, ENTRY_SYN);
	struct listener *listener;
	struct tcb tcb;

	if (slot_find(&tcp->slots, conn) == SLOT_NONE)
		return -PARLEY_EBADF;
	if (!entry || !entry->held || (unsigned)decision > PARLEY_DECIDE_LATER)
		return -PARLEY_EINVAL;
	listener = slot_object(&tcp->slots, entry->listener, ENTRY_LISTENER);
	if (!listener) { /* closed meanwhile, and with it all that it held */
		half_open_free(tcp, entry);
		return -PARLEY_EBADF;
	}
	half_open_expand(tcp, entry, &tcb);
	observe_call(tcp, &tcb, PARLEY_CALL_DECIDE, decision, 0);
	switch (decision) {
	case PARLEY_DECIDE_ACCEPT:
		take(tcp, entry, listener);
		break;
	case PARLEY_DECIDE_REFUSE:
		forget(tcp, entry, PARLEY_DROP_SYN_REFUSED);
		break;
	case PARLEY_DECIDE_DROP:
		forget(tcp, entry, PARLEY_DROP_SYN_UNWANTED);
		break;
	case PARLEY_DECIDE_LATER:
		held_unlink(tcp, entry, listener);
		set_timer(tcp, entry, listener);
		break;
	}
	return 0;
}
