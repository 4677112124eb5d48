/* SPDX-License-Identifier: MIT */
/* SEND and RECEIVE (RFC 9293 3.10.2, 3.10.3), and the calls around them. */
#include "tcp/buffer.h"
#include "tcp/listener.h"
#include "tcp/observe.h"
#include "tcp/open.h"
#include "tcp/reassembly.h"
#include "tcp/sending.h"
#include "tcp/user.h"
#include "tcp/window.h"

/* The error that ended the connection, until it is told; after that what a closed socket says. */
static int untold(const struct tcb *tcb, int afterwards)
{
	return tcb->flags & TCB_ERROR_TOLD || !tcb->notice.error ? afterwards : -tcb->notice.error;
}

static int tell(struct tcb *tcb, int answer)
{
	if (answer == -tcb->notice.error && tcb->notice.error)
		tcb->flags |= TCB_ERROR_TOLD;
	return answer;
}

/* May the user SEND in this state? 0, or the error. */
static int may_send(struct tcb *tcb)
{
	switch ((enum parley_state)tcb->state) {
	case PARLEY_CLOSED:
		return tell(tcb, untold(tcb, -PARLEY_EPIPE));
	case PARLEY_LISTEN:
		/* To a peer that is known it becomes active first: the net layer finds the way. */
		return -PARLEY_EDESTADDRREQ;
	case PARLEY_SYN_SENT:
	case PARLEY_SYN_RECEIVED:
	case PARLEY_ESTABLISHED:
	case PARLEY_CLOSE_WAIT:
		return tcb->flags & (TCB_CLOSED_BY_USER | TCB_DETACHED) ? -PARLEY_EPIPE : 0;
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
	case PARLEY_TIME_WAIT:
		break;
	}
	return -PARLEY_EPIPE;
}

/* Where the bytes wait that nothing has acknowledged: not before the stream begins. */
static uint64_t send_base(const struct tcb *tcb)
{
	return tcb->snd_off == UINT64_MAX ? 0 : tcb->snd_off;
}

static uint64_t buffer_room(const struct tcp *tcp, const struct tcb *tcb)
{
	uint64_t buffer = buffer_send(tcp, tcb);
	uint64_t waiting = tcb->snd_end - send_base(tcb);

	return waiting < buffer ? buffer - waiting : 0;
}

static uint64_t send_room(const struct tcp *tcp, const struct tcb *tcb)
{
	uint64_t room = buffer_room(tcp, tcb);
	uint64_t memory = pressure_left_to_send(tcp->memory);

	return room < memory ? room : memory;
}

/* A send was cut short: WRITABLE follows, from an ACK or, where none will come, from the timer. */
static void wait_for_room(struct tcp *tcp, struct tcb *tcb)
{
	tcb->flags |= TCB_WANTS_WRITABLE;
	if (buffer_room(tcp, tcb) && tcb->main_at == TCB_NEVER)
		tcb_arm(tcp, tcb, PARLEY_TIMER_MEMORY, tcp->now + tcb->rto);
}

static struct tcb *sender(const struct tcp *tcp, parley_conn conn, int *error)
{
	uint32_t index = slot_find(&tcp->slots, conn);
	struct tcb *tcb;

	/* Who says something first may not have been looked at for long. */
	if (index != SLOT_NONE)
		slot_prefetch(slot_at(&tcp->slots, index));
	tcb = user_tcb(tcp, conn);
	*error = tcb ? may_send(tcb) : -PARLEY_EBADF;
	return *error ? NULL : tcb;
}

/*
 * 3.10.2: SND.UP names the octet after the last one that was taken (MUST-62). The peer is told at
 * once, whatever holds the text back.
 */
static void mark_urgent(struct tcb *tcb)
{
	tcb->snd.up = seq_from_offset(tcb->snd_end, tcb->snd.una, tcb->snd_off); /* MUST-30 */
	tcb->owed |= OWE_URGENT;
}

/* `len` bytes more stand in the send stream: out with them. */
static void queued(struct tcp *tcp, struct tcb *tcb, uint64_t len, unsigned flags)
{
	tcb->snd_end += len;
	if (flags & PARLEY_SEND_URGENT && len)
		mark_urgent(tcb);
	/* What is urgent is not held back. */
	if (flags & PARLEY_SEND_MORE && !(flags & PARLEY_SEND_URGENT))
		tcb->flags |= TCB_MORE | TCB_HELD;
	else
		tcb->flags &= ~(uint32_t)(TCB_MORE | TCB_HELD);
	if (tcb->state >= PARLEY_ESTABLISHED)
		tcb_owe(tcp, tcb, 0);
}

/* Takes as much of one span as there is room and memory for. */
static uint64_t take(struct tcp *tcp, struct tcb *tcb, const struct parley_span *span, uint64_t at,
		     uint64_t room)
{
	uint64_t len = span->len < room ? span->len : room;
	struct sending *sending = sending_get(tcp, tcb);

	if (!sending)
		return 0;
	if (stream_write(&sending->stream, tcp->memory, at, span->data, (size_t)len))
		return len;
	/* All is too much: as much as fits into one small block, if that is to be had. */
	len = len < BLOCK_SMALL_BYTES ? len : BLOCK_SMALL_BYTES;
	if (!stream_write(&sending->stream, tcp->memory, at, span->data, (size_t)len))
		return 0;
	return len;
}

int64_t user_send(struct tcp *tcp, parley_conn conn, const struct parley_span *spans, int n,
		  unsigned flags)
{
	uint64_t taken = 0, asked = 0, room;
	struct tcb *tcb;
	int error;

	tcb = sender(tcp, conn, &error);
	if (!tcb)
		return error;
	room = send_room(tcp, tcb);
	if (tcb->sending)
		tcb->sending->reserved = 0;
	for (int i = 0; i < n; i++)
		asked += spans[i].len;
	for (int i = 0; i < n && taken < room; i++) {
		uint64_t len = take(tcp, tcb, &spans[i], tcb->snd_end + taken, room - taken);

		taken += len;
		if (len < spans[i].len)
			break;
	}
	if (taken < asked)
		tcb->flags |= TCB_WANTS_WRITABLE;
	if (!taken && asked) {
		sending_settle(tcp, tcb);
		wait_for_room(tcp, tcb);
		return observe_call(tcp, tcb, PARLEY_CALL_SEND, (int64_t)asked, -PARLEY_EAGAIN);
	}
	queued(tcp, tcb, taken, flags);
	return observe_call(tcp, tcb, PARLEY_CALL_SEND, (int64_t)asked, (int64_t)taken);
}

int user_reserve(struct tcp *tcp, parley_conn conn, size_t len, struct parley_buffer *buffers,
		 int n)
{
	uint64_t room;
	struct tcb *tcb;
	uint32_t filled = 0;
	int error;

	tcb = sender(tcp, conn, &error);
	if (!tcb)
		return error;
	room = send_room(tcp, tcb);
	if (len > room)
		len = (size_t)room;
	if (n > 0 && len && sending_get(tcp, tcb))
		filled = stream_reserve(&tcb->sending->stream, tcp->memory, tcb->snd_end, len,
					buffers, (uint32_t)n);
	if (!filled) {
		sending_settle(tcp, tcb);
		wait_for_room(tcp, tcb);
		return -PARLEY_EAGAIN;
	}
	tcb->sending->reserved = 0;
	for (uint32_t i = 0; i < filled; i++)
		tcb->sending->reserved += (uint32_t)buffers[i].len;
	return (int)filled;
}

int64_t user_commit(struct tcp *tcp, parley_conn conn, size_t len, unsigned flags)
{
	struct tcb *tcb;
	int error;

	tcb = sender(tcp, conn, &error);
	if (!tcb)
		return error;
	if (len > sending_reserved(tcb))
		return -PARLEY_EINVAL;
	if (tcb->sending)
		tcb->sending->reserved = 0;
	queued(tcp, tcb, len, flags);
	sending_settle(tcp, tcb);
	return observe_call(tcp, tcb, PARLEY_CALL_SEND, (int64_t)len, (int64_t)len);
}

/* What RECEIVE says when there are no bytes. */
static int nothing_to_receive(const struct tcb *tcb)
{
	/*
	 * The stream was whole, whatever came after it; but a reset of ours took unread bytes, and
	 * one that finds both sides closed is told here.
	 */
	if (tcb->flags & TCB_FIN_RECEIVED && tcb->notice.error != PARLEY_ECONNRESET)
		return 0;
	if (tcb->flags & (TCB_FIN_RECEIVED | TCB_READ_SHUT))
		return tcb->state == PARLEY_CLOSED ? untold(tcb, 0) : 0;
	switch ((enum parley_state)tcb->state) {
	case PARLEY_CLOSED:
		return untold(tcb, 0);
	case PARLEY_LISTEN:
		return -PARLEY_ENOTCONN;
	case PARLEY_SYN_SENT:
	case PARLEY_SYN_RECEIVED:
	case PARLEY_ESTABLISHED:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
		return tcb->flags & TCB_DETACHED ? 0 : -PARLEY_EAGAIN;
	case PARLEY_CLOSE_WAIT:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
	case PARLEY_TIME_WAIT:
		break;
	}
	return 0;
}

/* The user is done with `len` bytes: their blocks go, and the window may open. */
static void consumed(struct tcp *tcp, struct tcb *tcb, uint64_t len)
{
	tcb->read_off += len;
	/* RCV.UP keeps up: left behind by 2^31 it would seem to lie ahead. */
	if (tcb_rcv_offset(tcb, tcb->rcv.up) < tcb->read_off)
		tcb->rcv.up = seq_from_offset(tcb->read_off, tcb->rcv.nxt, tcb->rcv_off);
	buffer_consumed(tcp, tcb);
	reassembly_settle(tcp, tcb);
	if (tcb->state >= PARLEY_ESTABLISHED && !(tcb->flags & TCB_FIN_RECEIVED) &&
	    window_worth_telling(tcp, tcb))
		tcb_owe(tcp, tcb, OWE_WINDOW);
}

void user_discard(struct tcp *tcp, struct tcb *tcb)
{
	if (tcb_readable(tcb))
		consumed(tcp, tcb, tcb_readable(tcb));
}

int64_t user_receive(struct tcp *tcp, parley_conn conn, void *buf, size_t len)
{
	struct tcb *tcb = user_tcb(tcp, conn);
	uint64_t there;

	if (!tcb)
		return -PARLEY_EBADF;
	there = tcb_readable(tcb);
	if (!there)
		return tell(tcb, nothing_to_receive(tcb));
	if (len > there)
		len = (size_t)there;
	stream_read(&tcb->receiving->stream, tcb->read_off, buf, len);
	consumed(tcp, tcb, len);
	return observe_call(tcp, tcb, PARLEY_CALL_RECEIVE, (int64_t)len, (int64_t)len);
}

int64_t user_urgent(const struct tcp *tcp, parley_conn conn)
{
	const struct tcb *tcb = user_tcb(tcp, conn);

	return tcb ? (int64_t)tcb_urgent(tcb) : -PARLEY_EBADF; /* MUST-33 */
}

int user_peek(const struct tcp *tcp, parley_conn conn, uint64_t skip, struct parley_span *spans,
	      int n)
{
	const struct tcb *tcb = user_tcb(tcp, conn);
	uint64_t there;

	if (!tcb)
		return -PARLEY_EBADF;
	there = tcb_readable(tcb);
	if (there <= skip)
		return nothing_to_receive(tcb);
	if (n <= 0)
		return -PARLEY_EINVAL;
	return (int)stream_spans(&tcb->receiving->stream, tcb->read_off + skip,
				 (size_t)(there - skip), spans, (uint32_t)n);
}

int user_consume(struct tcp *tcp, parley_conn conn, size_t len)
{
	struct tcb *tcb = user_tcb(tcp, conn);

	if (!tcb)
		return -PARLEY_EBADF;
	if (len > tcb_readable(tcb))
		return -PARLEY_EINVAL;
	consumed(tcp, tcb, len);
	observe_call(tcp, tcb, PARLEY_CALL_RECEIVE, (int64_t)len, (int64_t)len);
	return 0;
}

/* A changed setting takes effect at once where it can. */
static void apply(struct tcp *tcp, struct tcb *tcb, enum parley_setting setting)
{
	if (setting == PARLEY_SET_NODELAY || setting == PARLEY_SET_CORK) {
		/* Switching Nagle off sends what waits, also against a cork, as Linux has it. */
		bool push = setting == PARLEY_SET_NODELAY && tcb_setting(tcb, setting) &&
			    tcb_nxt_off(tcb) < tcb->snd_end;

		tcb->flags &= ~(uint32_t)TCB_HELD;
		if (tcb->state >= PARLEY_ESTABLISHED)
			tcb_owe(tcp, tcb, push ? OWE_OVERRIDE : 0);
	}
	if (setting == PARLEY_SET_SEND_BUFFER && tcb->flags & TCB_WANTS_WRITABLE) {
		tcb->flags &= ~(uint32_t)TCB_WANTS_WRITABLE;
		notice_raise(tcp, &tcb->notice, PARLEY_WRITABLE);
	}
	/* What a SYN announces can be changed until it has gone. */
	if (tcb->state == PARLEY_SYN_SENT && tcb->owed & OWE_SYN && !tcb->retransmits)
		open_prepare(tcp, tcb);
	if ((setting == PARLEY_SET_KEEPALIVE || setting == PARLEY_SET_KEEPALIVE_IDLE) &&
	    tcb->state >= PARLEY_ESTABLISHED && tcb->state != PARLEY_TIME_WAIT) {
		tcb->keepalive_at = TCB_NEVER;
		if (tcb_setting(tcb, PARLEY_SET_KEEPALIVE)) /* MUST-24 */
			tcb->keepalive_at = tcp->now +
					    (uint64_t)tcb_setting(tcb, PARLEY_SET_KEEPALIVE_IDLE);
		tcb_schedule(tcp, tcb);
	}
}

int user_set(struct tcp *tcp, parley_conn conn, enum parley_setting setting, int64_t value)
{
	const struct parley_setting_info *info = parley_setting_info((int)setting);
	struct listener *listener = slot_object(&tcp->slots, conn, ENTRY_LISTENER);
	struct tcb *tcb = user_tcb(tcp, conn);
	int error;

	if (!info)
		return -PARLEY_ENOPROTOOPT;
	if (conn == PARLEY_NO_CONN)
		return settings_set(&tcp->settings_blocks, (const struct settings **)&tcp->settings,
				    (int)setting, value);
	if (info->scope != PARLEY_SCOPE_CONN)
		return -PARLEY_ENOPROTOOPT;
	if (listener) {
		error = settings_set(&tcp->settings_blocks, &listener->settings, (int)setting,
				     value);
		if (!error && setting == PARLEY_SET_BACKLOG)
			listener->backlog = (uint32_t)value;
		return error;
	}
	if (!tcb)
		return -PARLEY_EBADF;
	error = settings_set(&tcp->settings_blocks, &tcb->settings, (int)setting, value);
	if (!error)
		apply(tcp, tcb, setting);
	return error;
}

int user_profile(struct tcp *tcp, enum parley_profile profile)
{
	struct settings *settings;

	if (profile >= PARLEY_PROFILE_COUNT)
		return -PARLEY_EINVAL;
	settings = settings_new(&tcp->settings_blocks, profile);
	if (!settings)
		return -PARLEY_ENOBUFS;
	settings_put(&tcp->settings_blocks, tcp->settings);
	tcp->settings = settings;
	return 0;
}

int user_get(const struct tcp *tcp, parley_conn conn, enum parley_setting setting, int64_t *value)
{
	const struct listener *listener = slot_object(&tcp->slots, conn, ENTRY_LISTENER);
	const struct tcb *tcb = user_tcb(tcp, conn);

	if (!parley_setting_info((int)setting))
		return -PARLEY_ENOPROTOOPT;
	if (conn == PARLEY_NO_CONN)
		*value = tcp->settings->v[setting];
	else if (listener)
		*value = setting == PARLEY_SET_BACKLOG ? (int64_t)listener->backlog
						       : listener->settings->v[setting];
	else if (tcb)
		*value = tcb->settings->v[setting];
	else
		return -PARLEY_EBADF;
	return 0;
}

uint32_t user_ready(const struct tcp *tcp, parley_conn conn)
{
	const struct listener *listener = slot_object(&tcp->slots, conn, ENTRY_LISTENER);
	const struct tcb *tcb = user_tcb(tcp, conn);
	uint32_t bits = 0;

	if (listener && listener->queued)
		bits |= PARLEY_ACCEPT;
	if (listener && listener->held_first != SLOT_NONE)
		bits |= PARLEY_DECIDE;
	if (!tcb)
		return bits;
	if (tcb->state >= PARLEY_ESTABLISHED)
		bits |= PARLEY_CONNECTED;
	if (tcb_readable(tcb) || tcb->flags & (TCB_FIN_RECEIVED | TCB_READ_SHUT))
		bits |= PARLEY_READABLE;
	if (tcb->flags & TCB_FIN_RECEIVED)
		bits |= PARLEY_PEER_CLOSED;
	if (tcb->state == PARLEY_CLOSED || tcb->state == PARLEY_TIME_WAIT)
		bits |= PARLEY_DEAD;
	if (tcb->state == PARLEY_CLOSED)
		bits |= PARLEY_READABLE | PARLEY_WRITABLE;
	else if ((tcb->state == PARLEY_ESTABLISHED || tcb->state == PARLEY_CLOSE_WAIT) &&
		 buffer_is_writable(buffer_send(tcp, tcb), send_room(tcp, tcb)))
		bits |= PARLEY_WRITABLE;
	if (tcb->snd_end == send_base(tcb) || tcb->snd_off > tcb->snd_end)
		bits |= PARLEY_DRAINED;
	if (tcb_urgent(tcb))
		bits |= PARLEY_URGENT;
	return bits;
}
