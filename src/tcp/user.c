/* SPDX-License-Identifier: MIT */
/*
 * The calls that open and close (RFC 9293 3.10.1, 3.10.4, 3.10.5), in the RFC's order; SEND and
 * RECEIVE are in transfer.c. Each call that depends on the state is a switch over all eleven.
 */
#include "tcp/user.h"

#include "tcp/demux.h"
#include "tcp/half_open.h"
#include "tcp/listener.h"
#include "tcp/observe.h"
#include "tcp/open.h"
#include "tcp/output.h"
#include "tcp/remnant.h"
#include "tcp/secret.h"

struct tcb *user_tcb(const struct tcp *tcp, parley_conn conn)
{
	struct tcb *tcb = slot_object(&tcp->slots, conn, ENTRY_TCB);

	return tcb && tcb->flags & TCB_OWNED ? tcb : NULL;
}

static struct listener *user_listener(const struct tcp *tcp, parley_conn conn)
{
	return slot_object(&tcp->slots, conn, ENTRY_LISTENER);
}

/* OPEN, active (3.10.1): the four-tuple, with a port chosen if need be. */
static int choose_tuple(struct tcp *tcp, const struct parley_open *open, struct tuple *tuple)
{
	*tuple = (struct tuple){
		.local = open->local.addr,
		.remote = open->remote.addr,
		.local_port = open->local.port,
		.remote_port = open->remote.port,
	};
	if (!tuple->remote_port)
		return -PARLEY_EINVAL;
	if (!tuple->local_port) {
		tuple->local_port = secret_port(tcp, tuple);
		return tuple->local_port ? 0 : -PARLEY_EADDRNOTAVAIL;
	}
	return 0;
}

/*
 * The four-tuple may be that of a connection in TIME-WAIT, which the new one ends (RFC 6191 by
 * analogy); any other has it for itself. Gives the slot of the one to end, or SLOT_NONE, and the
 * first ISS that lies beyond the old numbers.
 */
static int may_take_over(const struct tcp *tcp, const struct tuple *tuple, uint32_t *old,
			 struct seq *iss)
{
	const struct slot *slot;
	const struct tcb *tcb;

	*old = demux_find(tcp, tuple);
	if (*old == SLOT_NONE)
		return 0;
	if (!tcp->settings->v[PARLEY_SET_TIME_WAIT_REUSE])
		return -PARLEY_EADDRINUSE; /* by 3.10.1 it exists, in TIME-WAIT as elsewhere */
	slot = slot_at(&tcp->slots, *old);
	tcb = slot->object;
	if (slot->kind == ENTRY_REMNANT)
		*iss = seq_max(*iss,
			       seq_add(((const struct remnant *)slot->object)->snd_nxt, 65537));
	else if (slot->kind == ENTRY_TCB && tcb->state == PARLEY_TIME_WAIT)
		*iss = seq_max(*iss, seq_add(tcb->snd.nxt, 65537));
	else
		return -PARLEY_EADDRINUSE;
	return 0;
}

/* Ends what was in TIME-WAIT there. */
static void take_over(struct tcp *tcp, uint32_t old)
{
	struct slot *slot;

	if (old == SLOT_NONE)
		return;
	slot = slot_at(&tcp->slots, old);
	count(tcp, PARLEY_COUNTER_TIME_WAIT_RECYCLED);
	if (slot->kind == ENTRY_TCB)
		tcb_end(tcp, slot->object, 0, PARLEY_CAUSE_CALL);
	else
		remnant_end(tcp, slot->object, PARLEY_CAUSE_CALL);
}

/* Into SYN-SENT: the TCB stands in the table, the SYN is owed. */
static void send_first_syn(struct tcp *tcp, struct tcb *tcb, struct seq iss)
{
	tcb->iss = iss;
	open_prepare(tcp, tcb);
	open_sent_syn(tcb);
	tcb_set_state(tcp, tcb, PARLEY_SYN_SENT, PARLEY_CAUSE_CALL);
	tcb->main_why = PARLEY_WHY_NEW;
	tcb_owe(tcp, tcb, OWE_SYN);
}

int user_connect(struct tcp *tcp, const struct parley_open *open, int ifindex, parley_conn *out)
{
	struct tuple tuple;
	struct tcb *tcb;
	struct seq iss;
	uint32_t old;
	int error = choose_tuple(tcp, open, &tuple);

	if (error)
		return error;
	iss = secret_isn(tcp, &tuple);
	error = may_take_over(tcp, &tuple, &old, &iss);
	if (error)
		return error;
	tcb = tcb_new(tcp, &tuple, ifindex, tcp->settings);
	if (!tcb)
		return -PARLEY_ENOBUFS;
	take_over(tcp, old);
	if (!demux_add(tcp, tcb)) {
		tcb_free(tcp, tcb);
		return -PARLEY_ENOBUFS;
	}
	tcb->flags |= TCB_OWNED;
	tcb->notice.user = open->user;
	observe_call(tcp, tcb, PARLEY_CALL_CONNECT, 0, 0);
	send_first_syn(tcp, tcb, iss);
	*out = slot_handle(&tcp->slots, tcb->slot);
	return 0;
}

/* The local end of a passive OPEN: a port is chosen if it has none. */
static int choose_local(struct tcp *tcp, struct parley_open *open)
{
	struct tuple tuple = {.local = open->local.addr, .remote = open->remote.addr};

	if (!open->local.port)
		open->local.port = secret_port(tcp, &tuple);
	if (!open->local.port)
		return -PARLEY_EADDRNOTAVAIL;
	/* MUST-41, MUST-42 */
	if (demux_is_listening(tcp, &open->local, open->flags & PARLEY_OPEN_V6ONLY))
		return -PARLEY_EADDRINUSE;
	return 0;
}

int user_listen(struct tcp *tcp, const struct parley_open *open, parley_conn *out)
{
	struct parley_open chosen = *open;
	struct listener *listener;
	int error = choose_local(tcp, &chosen);

	if (error)
		return error;
	listener = listener_new(tcp, &chosen);
	if (!listener)
		return -PARLEY_ENOBUFS;
	*out = slot_handle(&tcp->slots, listener->listening.slot);
	return 0;
}

int user_open_passive(struct tcp *tcp, const struct parley_open *open, parley_conn *out)
{
	struct parley_open chosen = *open;
	struct tuple tuple = {0};
	struct tcb *tcb;
	int error = choose_local(tcp, &chosen);

	if (error)
		return error;
	tuple.local = chosen.local.addr;
	tuple.local_port = chosen.local.port;
	tuple.remote = chosen.remote.addr;
	tuple.remote_port = chosen.remote.port;
	tcb = tcb_new(tcp, &tuple, 0, tcp->settings);
	if (!tcb)
		return -PARLEY_ENOBUFS;
	if (!listening_add(tcp, tcb, &chosen)) {
		tcb_free(tcp, tcb);
		return -PARLEY_ENOBUFS;
	}
	tcb->flags |= TCB_OWNED | TCB_PASSIVE;
	tcb->notice.user = open->user;
	observe_call(tcp, tcb, PARLEY_CALL_OPEN_PASSIVE, 0, 0);
	tcb_set_state(tcp, tcb, PARLEY_LISTEN, PARLEY_CAUSE_CALL);
	*out = slot_handle(&tcp->slots, tcb->slot);
	return 0;
}

/* OPEN by state (3.10.1): only a connection in LISTEN can be opened once more. */
static int may_open(const struct tcb *tcb)
{
	switch ((enum parley_state)tcb->state) {
	case PARLEY_CLOSED:
		return -PARLEY_ENOTCONN;
	case PARLEY_LISTEN:
		return 0;
	case PARLEY_SYN_SENT:
	case PARLEY_SYN_RECEIVED:
	case PARLEY_ESTABLISHED:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
	case PARLEY_CLOSE_WAIT:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
	case PARLEY_TIME_WAIT:
		break;
	}
	return -PARLEY_EISCONN;
}

int user_listening(const struct tcp *tcp, parley_conn conn, struct parley_open *open)
{
	const struct tcb *tcb = user_tcb(tcp, conn);
	int error;

	if (!tcb)
		return user_listener(tcp, conn) ? -PARLEY_EOPNOTSUPP : -PARLEY_EBADF;
	error = may_open(tcb);
	if (error)
		return error;
	*open = (struct parley_open){
		.size = sizeof *open,
		.local = tcb->listening->local,
		.remote = tcb->listening->remote,
		.user = tcb->notice.user,
	};
	return 0;
}

int user_open_active(struct tcp *tcp, parley_conn conn, const struct parley_open *open, int ifindex)
{
	struct tcb *tcb = user_tcb(tcp, conn);
	struct tuple tuple, listened;
	struct seq iss;
	uint32_t old;
	int error = choose_tuple(tcp, open, &tuple);

	if (error)
		return error;
	iss = secret_isn(tcp, &tuple);
	error = may_take_over(tcp, &tuple, &old, &iss);
	if (error)
		return error;
	take_over(tcp, old);
	listened = tcb->tuple;
	tcb->tuple = tuple;
	if (!demux_add(tcp, tcb)) {
		tcb->tuple = listened;
		return -PARLEY_ENOBUFS;
	}
	listening_remove(tcp, tcb);
	tcb->ifindex = (uint8_t)ifindex;
	tcb->flags &= ~(uint32_t)TCB_PASSIVE; /* MUST-11: a reset ends it now */
	tcb->rto = (uint64_t)tcb_setting(tcb, PARLEY_SET_INITIAL_RTO);
	tcb->notice.soft = 0;
	observe_call(tcp, tcb, PARLEY_CALL_OPEN_ACTIVE, 0, 0);
	send_first_syn(tcp, tcb, iss);
	return 0;
}

void user_relisten(struct tcp *tcp, struct tcb *tcb, enum parley_cause cause)
{
	struct listening *listening = tcb->listening;

	/* A CLOSE that was queued (3.10.4) has its turn now: in LISTEN it ends the connection. */
	if (tcb->flags & TCB_CLOSED_BY_USER) {
		tcb_end(tcp, tcb, 0, cause);
		return;
	}
	tcb_set_state(tcp, tcb, PARLEY_LISTEN, cause);
	if (tcb->flags & TCB_EPHEMERAL)
		return;
	demux_remove(tcp, tcb);
	list_remove(&tcb->ready);
	tcb_drop_buffers(tcp, tcb);
	tcb->owed = 0;
	tcb->retransmits = 0;
	tcb->snd_off = 0;
	tcb->snd_end = 0;
	tcb->rto = (uint64_t)tcb_setting(tcb, PARLEY_SET_INITIAL_RTO);
	tcb->flags &= TCB_OWNED | TCB_PASSIVE;
	tcb->notice.soft = 0; /* it was about a peer that is gone */
	tcb->tuple = (struct tuple){
		.local = listening->local.addr,
		.remote = listening->remote.addr,
		.local_port = listening->local.port,
		.remote_port = listening->remote.port,
	};
	list_push_back(demux_port(tcp, listening->local.port), &listening->link);
}

int user_accept(struct tcp *tcp, parley_conn conn, uint64_t user, parley_conn *out)
{
	struct listener *listener = user_listener(tcp, conn);
	struct tcb *tcb;

	if (!listener)
		return user_tcb(tcp, conn) ? -PARLEY_EINVAL : -PARLEY_EBADF;
	tcb = listener_dequeue(listener);
	if (!tcb)
		return -PARLEY_EAGAIN;
	tcb->flags |= TCB_OWNED;
	tcb->notice.user = user;
	if (tcb->state == PARLEY_CLOSED)
		notice_raise(tcp, &tcb->notice, PARLEY_DEAD | PARLEY_READABLE);
	else if (tcb_readable(tcb) || tcb->flags & TCB_FIN_RECEIVED)
		notice_raise(tcp, &tcb->notice, PARLEY_READABLE);
	if (tcb->flags & TCB_FIN_RECEIVED)
		notice_raise(tcp, &tcb->notice, PARLEY_PEER_CLOSED);
	if (tcb_urgent(tcb))
		notice_raise(tcp, &tcb->notice, PARLEY_URGENT);
	observe_call(tcp, tcb, PARLEY_CALL_ACCEPT, 0, 0);
	*out = slot_handle(&tcp->slots, tcb->slot);
	return 0;
}

/* CLOSE (3.10.4) of the sending side: a FIN is owed behind the last byte (UNL-6). */
static int close_sending(struct tcp *tcp, struct tcb *tcb)
{
	switch ((enum parley_state)tcb->state) {
	case PARLEY_CLOSED:
		return -PARLEY_ENOTCONN;
	case PARLEY_LISTEN:
	case PARLEY_SYN_SENT:
		tcb_end(tcp, tcb, 0, PARLEY_CAUSE_CALL);
		return 0;
	case PARLEY_SYN_RECEIVED:
		/* Queued until ESTABLISHED. */
		tcb->flags |= TCB_CLOSED_BY_USER;
		return 0;
	case PARLEY_ESTABLISHED:
		tcb->flags |= TCB_CLOSED_BY_USER;
		tcb_set_state(tcp, tcb, PARLEY_FIN_WAIT_1, PARLEY_CAUSE_CALL);
		tcb_owe(tcp, tcb, 0);
		return 0;
	case PARLEY_CLOSE_WAIT:
		tcb->flags |= TCB_CLOSED_BY_USER;
		tcb_set_state(tcp, tcb, PARLEY_LAST_ACK, PARLEY_CAUSE_CALL);
		tcb_owe(tcp, tcb, 0);
		return 0;
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
	case PARLEY_TIME_WAIT:
		break;
	}
	return 0;
}

int user_shutdown(struct tcp *tcp, parley_conn conn, unsigned how)
{
	struct tcb *tcb = user_tcb(tcp, conn);
	int result = 0;

	if (!tcb)
		return -PARLEY_EBADF;
	if (tcb->state < PARLEY_SYN_RECEIVED)
		return observe_call(tcp, tcb, PARLEY_CALL_SHUTDOWN, how, -PARLEY_ENOTCONN),
		       -PARLEY_ENOTCONN;
	observe_call(tcp, tcb, PARLEY_CALL_SHUTDOWN, how, 0);
	if (how & PARLEY_SHUT_RD) {
		tcb->flags |= TCB_READ_SHUT;
		user_discard(tcp, tcb);
	}
	if (how & PARLEY_SHUT_WR)
		result = close_sending(tcp, tcb);
	return result;
}

/* RFC 9293 3.10.5, and CLOSE with unread data (MAY-1, SHLD-3): a RST, from states that have one. */
static void abort_tcb(struct tcp *tcp, struct tcb *tcb, int error)
{
	switch ((enum parley_state)tcb->state) {
	case PARLEY_CLOSED:
		return;
	case PARLEY_LISTEN:
	case PARLEY_SYN_SENT:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
	case PARLEY_TIME_WAIT:
		break;
	case PARLEY_SYN_RECEIVED:
	case PARLEY_ESTABLISHED:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
	case PARLEY_CLOSE_WAIT:
		output_reset(tcp, tcb);
		break;
	}
	tcb_end(tcp, tcb, error, PARLEY_CAUSE_ABORT);
}

static void detach(struct tcp *tcp, struct tcb *tcb)
{
	uint64_t timeout = (uint64_t)tcb_setting(tcb, PARLEY_SET_FIN_WAIT_2);

	tcb->flags |= TCB_DETACHED; /* MAY-1 */
	tcb_forget_unread(tcp, tcb);
	if (tcb->state == PARLEY_FIN_WAIT_2 && timeout)
		tcb_arm(tcp, tcb, PARLEY_TIMER_FIN_WAIT_2, tcp->now + timeout);
}

static void close_tcb(struct tcp *tcp, struct tcb *tcb)
{
	if (tcb->state == PARLEY_CLOSED || tcb->flags & TCB_DETACHED)
		return;
	if (tcb_readable(tcb) && tcb->state != PARLEY_TIME_WAIT) { /* SHLD-3 */
		count(tcp, PARLEY_COUNTER_ABORT_ON_CLOSE);
		/* From these an ABORT has none, but the peer may still wait for our FIN. */
		if (tcb->state == PARLEY_CLOSING || tcb->state == PARLEY_LAST_ACK)
			output_reset(tcp, tcb);
		abort_tcb(tcp, tcb, PARLEY_ECONNRESET);
		return;
	}
	if (tcb->state >= PARLEY_SYN_RECEIVED)
		detach(tcp, tcb);
	close_sending(tcp, tcb);
}

int user_close(struct tcp *tcp, parley_conn conn)
{
	struct listener *listener = user_listener(tcp, conn);
	struct tcb *tcb = user_tcb(tcp, conn);

	if (listener) {
		listener_free(tcp, listener);
		return 0;
	}
	if (!tcb)
		return -PARLEY_EBADF;
	observe_call(tcp, tcb, PARLEY_CALL_CLOSE, 0, 0);
	close_tcb(tcp, tcb);
	return 0;
}

int user_abort(struct tcp *tcp, parley_conn conn)
{
	struct tcb *tcb = user_tcb(tcp, conn);

	if (!tcb)
		return -PARLEY_EBADF;
	observe_call(tcp, tcb, PARLEY_CALL_ABORT, 0, 0);
	abort_tcb(tcp, tcb, PARLEY_ECONNABORTED);
	return 0;
}

int user_destroy(struct tcp *tcp, parley_conn conn)
{
	struct tcb *tcb = slot_object(&tcp->slots, conn, ENTRY_TCB);
	struct syn_entry *entry = slot_object(&tcp->slots, conn, ENTRY_SYN);
	struct remnant *remnant = slot_object(&tcp->slots, conn, ENTRY_REMNANT);

	if (entry) {
		half_open_reset(tcp, entry);
	} else if (remnant) {
		remnant_end(tcp, remnant, PARLEY_CAUSE_ABORT);
	} else if (tcb) {
		observe_call(tcp, tcb, PARLEY_CALL_ABORT, 0, 0);
		abort_tcb(tcp, tcb, PARLEY_ECONNABORTED);
	} else {
		return user_close(tcp, conn);
	}
	return 0;
}

void user_settle(struct tcp *tcp, struct tcb *tcb)
{
	if (tcb->flags & (TCB_OWNED | TCB_QUEUED))
		return;
	if (tcb->state == PARLEY_CLOSED)
		tcb_free(tcp, tcb);
	else if (tcb->state == PARLEY_TIME_WAIT)
		remnant_replace(tcp, tcb); /* without memory the TCB sees 2 MSL out itself */
}

int user_release(struct tcp *tcp, parley_conn conn)
{
	struct tcb *tcb = user_tcb(tcp, conn);

	if (user_listener(tcp, conn))
		return user_close(tcp, conn);
	if (!tcb)
		return -PARLEY_EBADF;
	observe_call(tcp, tcb, PARLEY_CALL_RELEASE, 0, 0);
	close_tcb(tcp, tcb);
	tcb->flags &= ~(uint32_t)TCB_OWNED;
	notice_drop(&tcb->notice);
	user_settle(tcp, tcb);
	return 0;
}
