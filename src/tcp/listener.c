/* SPDX-License-Identifier: MIT */
#include "tcp/listener.h"

#include "base/mem.h"
#include "tcp/demux.h"
#include "tcp/observe.h"
#include "tcp/output.h"

/* A listener has no TCB, but it is in LISTEN as one would be. */
static void tell_state(struct tcp *tcp, const struct listener *listener, enum parley_state from,
		       enum parley_state to)
{
	const struct parley_endpoint *local = &listener->listening.local;
	struct tuple tuple = {.local = local->addr, .local_port = local->port};
	const int64_t values[] = {from, to, PARLEY_CAUSE_CALL};

	observe_tuple(tcp, slot_handle(&tcp->slots, listener->listening.slot), &tuple, 0,
		      PARLEY_TRACE_STATE, values, 3);
}

struct listener *listener_new(struct tcp *tcp, const struct parley_open *open)
{
	struct listener *listener = pool_get_zero(&tcp->listeners);
	uint32_t slot;

	if (!listener)
		return NULL;
	slot = slot_take(&tcp->slots, ENTRY_LISTENER, listener);
	if (slot == SLOT_NONE) {
		pool_put(&tcp->listeners, listener);
		return NULL;
	}
	listener->listening.local = open->local;
	listener->listening.remote = open->remote;
	listener->listening.slot = slot;
	listener->listening.v6_only = open->flags & PARLEY_OPEN_V6ONLY;
	notice_init(&listener->notice, slot, open->user);
	listener->settings = settings_ref(tcp->settings);
	list_init(&listener->queue);
	listener->backlog = open->backlog;
	listener->held_first = SLOT_NONE;
	listener->held_last = SLOT_NONE;
	listener->decides = open->flags & PARLEY_OPEN_DECIDE;
	list_link_init(&listener->listening.link);
	list_push_back(demux_port(tcp, open->local.port), &listener->listening.link);
	tell_state(tcp, listener, PARLEY_CLOSED, PARLEY_LISTEN);
	return listener;
}

void listener_free(struct tcp *tcp, struct listener *listener)
{
	struct tcb *tcb;

	while ((tcb = listener_dequeue(listener))) {
		if (tcb->state == PARLEY_CLOSED) {
			tcb_free(tcp, tcb);
			continue;
		}
		output_reset(tcp, tcb);
		tcb_end(tcp, tcb, PARLEY_ECONNABORTED, PARLEY_CAUSE_ABORT);
	}
	tell_state(tcp, listener, PARLEY_LISTEN, PARLEY_CLOSED);
	list_remove(&listener->listening.link);
	notice_drop(&listener->notice);
	slot_give(&tcp->slots, listener->listening.slot);
	settings_put(&tcp->settings_blocks, listener->settings);
	pool_put(&tcp->listeners, listener);
}

bool listener_accept_full(const struct tcp *tcp, const struct listener *listener)
{
	uint32_t limit = (uint32_t)tcp->settings->v[PARLEY_SET_SOMAXCONN];

	if (listener->backlog < limit)
		limit = listener->backlog ? listener->backlog : 1;
	return listener->queued >= limit;
}

bool listener_syn_full(const struct tcp *tcp, const struct listener *listener)
{
	return listener->half_open >= (uint32_t)tcp->settings->v[PARLEY_SET_SYN_BACKLOG];
}

void listener_enqueue(struct tcp *tcp, struct listener *listener, struct tcb *tcb)
{
	tcb->flags |= TCB_QUEUED;
	list_push_back(&listener->queue, &tcb->notice.link);
	listener->queued++;
	notice_raise(tcp, &listener->notice, PARLEY_ACCEPT);
}

struct tcb *listener_dequeue(struct listener *listener)
{
	struct list_link *link = list_pop_front(&listener->queue);
	struct tcb *tcb;

	if (!link)
		return NULL;
	tcb = list_entry(link, struct tcb, notice.link);
	tcb->flags &= ~(uint32_t)TCB_QUEUED;
	listener->queued--;
	return tcb;
}

bool listening_add(struct tcp *tcp, struct tcb *tcb, const struct parley_open *open)
{
	struct listening *listening = memory_alloc(tcp->memory, sizeof *listening);

	if (!listening)
		return false;
	listening->local = open->local;
	listening->remote = open->remote;
	listening->slot = tcb->slot;
	listening->v6_only = open->flags & PARLEY_OPEN_V6ONLY;
	list_link_init(&listening->link);
	list_push_back(demux_port(tcp, open->local.port), &listening->link);
	tcb->listening = listening;
	return true;
}

void listening_remove(struct tcp *tcp, struct tcb *tcb)
{
	if (!tcb->listening)
		return;
	list_remove(&tcb->listening->link);
	memory_free(tcp->memory, tcb->listening, sizeof *tcb->listening);
	tcb->listening = NULL;
}
