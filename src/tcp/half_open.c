/* SPDX-License-Identifier: MIT */
#include "tcp/half_open.h"

#include "tcp/arrives.h"
#include "tcp/demux.h"
#include "tcp/held.h"
#include "tcp/listener.h"
#include "tcp/observe.h"
#include "tcp/open.h"
#include "tcp/output.h"
#include "tcp/rtt.h"

_Static_assert(sizeof(struct syn_entry) <= 96, "a SYN entry is at most 96 bytes");
_Static_assert(offsetof(struct syn_entry, kind) == offsetof(struct tcb, kind),
	       "the wheel tells entries apart by kind");

/* The listener, unless it has been closed since. */
static struct listener *listener_of(const struct tcp *tcp, const struct syn_entry *entry)
{
	return slot_object(&tcp->slots, entry->listener, ENTRY_LISTENER);
}

static void send_syn_ack(struct tcp *tcp, struct tcb *tcb, enum parley_why why)
{
	tcb->main_why = (uint8_t)why;
	tcb->owed |= OWE_SYN;
	output_reply(tcp, tcb);
}

static uint64_t timeout(const struct tcp *tcp, const struct settings *settings,
			const struct syn_entry *entry)
{
	return tcp->now + rtt_syn_waits(settings, entry->retransmits);
}

void half_open_learn(struct syn_entry *entry, const struct tcb *tcb)
{
	entry->snd_shift = SYN_NO_SCALING;
	if (tcb->flags & TCB_SCALING)
		entry->snd_shift = (unsigned)tcb->snd_shift & 0xf;
	entry->rcv_shift = (unsigned)tcb->rcv_shift & 0xf;
	entry->irs = tcb->irs;
	entry->wnd = (uint16_t)tcb->snd.wnd;
	entry->mss = tcb->peer_mss;
}

struct syn_entry *half_open_new(struct tcp *tcp, const struct tcb *tcb, struct listener *listener)
{
	struct syn_entry *entry = pool_get_zero(&tcp->syns);
	uint32_t slot;

	if (!entry)
		return NULL;
	slot = slot_take(&tcp->slots, ENTRY_SYN, entry);
	if (slot == SLOT_NONE) {
		pool_put(&tcp->syns, entry);
		return NULL;
	}
	entry->slot = slot & (SLOT_MAX - 1);
	entry->kind = ENTRY_SYN;
	entry->ifindex = tcb->ifindex;
	entry->listener = slot_handle(&tcp->slots, listener->listening.slot);
	entry->tuple = tcb->tuple;
	entry->iss = tcb->iss;
	half_open_learn(entry, tcb);
	if (!demux_insert(tcp, &entry->tuple, entry->slot)) {
		slot_give(&tcp->slots, entry->slot);
		pool_put(&tcp->syns, entry);
		return NULL;
	}
	if (!listener->half_open++)
		listener->offered = 0;
	if (listener->offered < tcb->rcv.wnd)
		listener->offered = (uint16_t)tcb->rcv.wnd;
	return entry;
}

void half_open_answer(struct tcp *tcp, struct syn_entry *entry, struct tcb *tcb,
		      const struct listener *listener)
{
	uint64_t due = timeout(tcp, listener->settings, entry);

	entry->held = SYN_ANSWERED;
	entry->wait = (due - tcp->now) & SYN_WAIT_MAX;
	entry->challenged = 0;
	tcb->slot = entry->slot;
	tcb_set_state(tcp, tcb, PARLEY_SYN_RECEIVED, PARLEY_CAUSE_SEGMENT);
	send_syn_ack(tcp, tcb, PARLEY_WHY_NEW);
	wheel_schedule(&tcp->wheel, &entry->timer, due);
}

void half_open_free(struct tcp *tcp, struct syn_entry *entry)
{
	struct listener *listener = listener_of(tcp, entry);

	if (listener) {
		held_unlink(tcp, entry, listener);
		listener->half_open--;
	}
	wheel_cancel(&tcp->wheel, &entry->timer);
	demux_forget(tcp, &entry->tuple, entry->slot);
	slot_give(&tcp->slots, entry->slot);
	pool_put(&tcp->syns, entry);
}

void half_open_abort(struct tcp *tcp, struct syn_entry *entry)
{
	struct tcb tcb;

	half_open_expand(tcp, entry, &tcb);
	if (!entry->held)
		tcb_set_state(tcp, &tcb, PARLEY_CLOSED, PARLEY_CAUSE_ABORT);
	half_open_free(tcp, entry);
}

void half_open_reset(struct tcp *tcp, struct syn_entry *entry)
{
	struct tcb tcb;

	half_open_expand(tcp, entry, &tcb);
	if (!entry->held)
		output_reset(tcp, &tcb);
	half_open_abort(tcp, entry);
}

/* Was the SYN,ACK sent again before it was answered? Timeouts that pass after that lose nothing. */
static bool was_lost(const struct syn_entry *entry)
{
	return entry->retransmits && !(entry->acked && entry->wait);
}

void half_open_expand(struct tcp *tcp, const struct syn_entry *entry, struct tcb *tcb)
{
	const struct listener *listener = listener_of(tcp, entry);
	const struct settings *settings = listener ? listener->settings : tcp->settings;

	tcb_init(tcp, tcb, &entry->tuple, entry->ifindex, settings);
	tcb->flags = TCB_EPHEMERAL | TCB_PASSIVE;
	tcb->slot = entry->slot;
	tcb->notice.slot = entry->slot;
	tcb->state = (uint8_t)half_open_state(entry);
	tcb->retransmits = entry->retransmits;
	if (was_lost(entry))
		tcb->flags |= TCB_SYN_LOST;
	if (!entry->held && !entry->wait)
		tcb->flags |= TCB_SYN_AGAIN;
	tcb->iss = entry->iss;
	if (!entry->held) {
		/* For the RTT sample, which a retransmission forbids. */
		tcb->stalled_since = (entry->acked ? tcp->now : entry->timer.deadline) -
				     entry->wait;
		tcb->last_challenge = entry_last_challenge(tcp->now, entry->challenged);
	}
	open_prepare(tcp, tcb);
	open_sent_syn(tcb);
	open_peer(tcb, entry->irs, entry->mss, -1, entry->wnd);
	/* Nor is what was offered taken back (SHLD-14); the entry has no room for its window. */
	if (listener && tcb->rcv.wnd < listener->offered)
		tcb->rcv.wnd = listener->offered;
	/* As the SYNs have agreed, whatever the listener's settings have become (RFC 7323 2.2). */
	if (entry->snd_shift != SYN_NO_SCALING) {
		tcb->flags |= TCB_SCALING;
		tcb->snd_shift = entry->snd_shift;
		tcb->rcv_shift = entry->rcv_shift;
	}
}

/* The handshake is complete: the TCB on the stack becomes a real one in the entry's slot. */
static void promote(struct tcp *tcp, struct syn_entry *entry, struct tcb *on_stack, struct tcb *tcb,
		    struct listener *listener)
{
	uint32_t slot = entry->slot;

	wheel_cancel(&tcp->wheel, &entry->timer);
	listener->half_open--;
	pool_put(&tcp->syns, entry);

	*tcb = *on_stack;
	tcb->flags &= ~(uint32_t)TCB_EPHEMERAL;
	tcb->flags |= TCB_IN_TABLE;
	list_link_init(&tcb->ready);
	notice_init(&tcb->notice, slot, 0);
	settings_ref(tcb->settings);
	slot_change(&tcp->slots, slot, ENTRY_TCB, tcb);
	tcb_schedule(tcp, tcb);
	tcb_owe(tcp, tcb, 0);
	listener_enqueue(tcp, listener, tcb);
}

/* The entry goes on, or goes: whatever the steps made of it short of a connection. */
static void write_back(struct tcp *tcp, struct syn_entry *entry, struct tcb *tcb)
{
	tcb_drop_buffers(tcp, tcb);
	if (tcb->state != PARLEY_SYN_RECEIVED) {
		half_open_free(tcp, entry);
		return;
	}
	output_reply(tcp, tcb);
	if (tcb->flags & TCB_SYN_AGAIN && !entry->acked)
		entry->wait = 0;
	entry->challenged = entry_challenged(tcb->last_challenge) & ENTRY_CHALLENGE_MAX;
}

/*
 * The handshake is complete, and the accept queue is full: the ACK is dropped, and the SYN,ACK goes
 * again until there is room; or, if so set, the peer is told at once.
 */
static void overflow(struct tcp *tcp, struct syn_entry *entry, const struct arrival *arrival,
		     const struct segment *segment)
{
	count(tcp, PARLEY_COUNTER_LISTEN_OVERFLOWS);
	count(tcp, PARLEY_COUNTER_LISTEN_DROPS);
	observe_drop(tcp, arrival, segment, slot_handle(&tcp->slots, entry->slot),
		     PARLEY_DROP_ACCEPT_QUEUE_FULL);
	if (!tcp->settings->v[PARLEY_SET_ABORT_ON_OVERFLOW])
		return;
	output_refuse(tcp, arrival, segment);
	half_open_abort(tcp, entry);
}

/*
 * TCP_DEFER_ACCEPT: the user wants connections on which there is something to read. Its time is
 * counted in timeouts, and over when their count is at its end.
 */
static bool defers(const struct listener *listener, const struct syn_entry *entry)
{
	return entry->retransmits < UINT8_MAX &&
	       rtt_syn_waited(listener->settings, entry->retransmits) <
		       (uint64_t)listener->settings->v[PARLEY_SET_DEFER_ACCEPT];
}

static bool waits_for_text(const struct listener *listener, const struct syn_entry *entry,
			   const struct segment *segment)
{
	return !segment->text_len && !(segment->flags & TCP_FIN) &&
	       seq_eq(segment->seq, seq_add(entry->irs, 1)) && defers(listener, entry);
}

/* The ACK has come, and is as good as none but for what it says about the round trip. */
static void note_ack(const struct tcp *tcp, struct syn_entry *entry)
{
	uint64_t sent = entry->timer.deadline - entry->wait;
	uint64_t trip = tcp->now > sent ? tcp->now - sent : 1;

	if (entry->acked)
		return;
	entry->acked = true;
	if (entry->retransmits)
		entry->wait = 0;
	if (entry->wait)
		entry->wait = trip < SYN_WAIT_MAX ? trip & SYN_WAIT_MAX : SYN_WAIT_MAX;
}

void half_open_arrives(struct tcp *tcp, struct syn_entry *entry, const struct arrival *arrival,
		       const struct segment *segment)
{
	struct listener *listener = listener_of(tcp, entry);
	bool completes = segment->flags & TCP_ACK && seq_eq(segment->ack, seq_add(entry->iss, 1)) &&
			 !(segment->flags & (TCP_RST | TCP_SYN));
	parley_conn conn = slot_handle(&tcp->slots, entry->slot);
	struct tcb *promoted = NULL;
	struct tcb tcb;

	if (!listener) {
		half_open_free(tcp, entry); /* another may listen there now */
		arrives_unknown(tcp, arrival, segment);
		return;
	}
	if (entry->held) {
		held_arrives(tcp, entry, listener, arrival, segment);
		return;
	}
	if (completes && waits_for_text(listener, entry, segment)) {
		note_ack(tcp, entry);
		observe_drop(tcp, arrival, segment, conn, PARLEY_DROP_ACCEPT_DEFERRED);
		return;
	}
	if (completes && listener_accept_full(tcp, listener)) {
		overflow(tcp, entry, arrival, segment);
		return;
	}
	if (completes && !(promoted = pool_get(&tcp->tcbs))) {
		observe_drop(tcp, arrival, segment, conn, PARLEY_DROP_MEMORY);
		return;
	}
	half_open_expand(tcp, entry, &tcb);
	arrives_other_states(tcp, &tcb, arrival, segment);
	if (tcb.state >= PARLEY_ESTABLISHED && promoted) {
		promote(tcp, entry, &tcb, promoted, listener);
		return;
	}
	pool_put(&tcp->tcbs, promoted);
	write_back(tcp, entry, &tcb);
}

void half_open_timeout(struct tcp *tcp, struct syn_entry *entry)
{
	const struct listener *listener = listener_of(tcp, entry);
	struct tcb tcb;

	if (!listener) {
		half_open_free(tcp, entry);
		return;
	}
	if (entry->held) {
		held_timeout(tcp, entry);
		return;
	}
	half_open_expand(tcp, entry, &tcb);
	OBSERVE(tcp, &tcb, PARLEY_TRACE_TIMER, PARLEY_TIMER_RETRANSMIT, entry->retransmits + 1,
		(int64_t)(timeout(tcp, listener->settings, entry) - tcp->now));
	count(tcp, PARLEY_COUNTER_TIMEOUTS);
	/* Who has answered is not given up before the time is over. */
	if (entry->retransmits >= tcb_setting(&tcb, PARLEY_SET_SYNACK_RETRIES) &&
	    !(entry->acked && defers(listener, entry))) {
		tcb_set_state(tcp, &tcb, PARLEY_LISTEN, PARLEY_CAUSE_TIMEOUT);
		half_open_free(tcp, entry);
		return;
	}
	entry->retransmits++;
	/* Then he is asked again, and an ACK will do. */
	if (!(entry->acked && defers(listener, entry)))
		send_syn_ack(tcp, &tcb, PARLEY_WHY_RTO);
	wheel_schedule(&tcp->wheel, &entry->timer, timeout(tcp, listener->settings, entry));
}
