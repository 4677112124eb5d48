/* SPDX-License-Identifier: MIT */
#include "tcp/passive.h"

#include "tcp/demux.h"
#include "tcp/held.h"
#include "tcp/observe.h"
#include "tcp/open.h"
#include "tcp/syn_text.h"

/*
 * 3.10.7.2, third: the SYN makes the TCB of a connection in LISTEN, here or on the stack, know
 * its peer. Only the SYN is acknowledged.
 */
static void receive_syn(struct tcp *tcp, struct tcb *tcb, const struct segment *seg, struct seq iss)
{
	tcb->iss = iss;
	open_prepare(tcp, tcb);
	open_sent_syn(tcb);
	open_peer_syn(tcb, seg);
	tcb->flags |= TCB_PASSIVE;
}

bool passive_welcome(struct tcp *tcp, const struct tuple *tuple)
{
	const struct slot *slot = demux_listening(tcp, tuple);

	return slot && (slot->kind != ENTRY_LISTENER || (!listener_accept_full(tcp, slot->object) &&
							 !listener_syn_full(tcp, slot->object)));
}

void passive_tcb(struct tcp *tcp, struct tcb *tcb, const struct arrival *arrival,
		 const struct segment *seg, struct seq iss)
{
	struct tuple listened = tcb->tuple;

	tcb->tuple = arrival->tuple;
	if (!demux_add(tcp, tcb)) {
		tcb->tuple = listened;
		observe_drop(tcp, arrival, seg, PARLEY_NO_CONN, PARLEY_DROP_MEMORY);
		return;
	}
	tcb->ifindex = (uint8_t)arrival->ifindex;
	list_remove(&tcb->listening->link); /* its SYN has come: for now it listens no more */
	receive_syn(tcp, tcb, seg, iss);
	syn_text_hold(tcp, tcb, seg);
	tcb->stalled_since = tcp->now;
	tcb_set_state(tcp, tcb, PARLEY_SYN_RECEIVED, PARLEY_CAUSE_SEGMENT);
	tcb->main_why = PARLEY_WHY_NEW;
	tcb_owe(tcp, tcb, OWE_SYN);
}

void passive_entry(struct tcp *tcp, struct listener *listener, const struct arrival *arrival,
		   const struct segment *seg, struct seq iss)
{
	enum parley_drop reason = PARLEY_DROP_MEMORY;
	struct syn_entry *entry;
	struct tcb tcb;

	if (listener_accept_full(tcp, listener)) {
		count(tcp, PARLEY_COUNTER_LISTEN_OVERFLOWS);
		reason = PARLEY_DROP_ACCEPT_QUEUE_FULL;
	} else if (listener_syn_full(tcp, listener)) {
		count(tcp, PARLEY_COUNTER_REQ_Q_FULL_DROP);
		reason = PARLEY_DROP_SYN_QUEUE_FULL;
	} else {
		tcb_init(tcp, &tcb, &arrival->tuple, arrival->ifindex, listener->settings);
		tcb.flags = TCB_EPHEMERAL;
		tcb.state = PARLEY_LISTEN;
		receive_syn(tcp, &tcb, seg, iss);
		entry = half_open_new(tcp, &tcb, listener);
		if (entry && listener->decides)
			held_begin(tcp, entry, listener);
		else if (entry)
			half_open_answer(tcp, entry, &tcb, listener);
		if (entry)
			return;
	}
	count(tcp, PARLEY_COUNTER_LISTEN_DROPS);
	observe_drop(tcp, arrival, seg, PARLEY_NO_CONN, reason);
}
