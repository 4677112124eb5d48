/* SPDX-License-Identifier: MIT */
/*
 * Bytes: send() and recv() in all their forms.
 *
 * The host tells the error that ended a connection once, and so does the socket: the socket's is
 * the one that counts, taken from the event, so that SO_ERROR and the calls share it.
 */
#include <string.h>

#include "sock/layer.h"

#define SPANS 64

static bool never_waits(const struct sock *s, unsigned flags, uint64_t timeout)
{
	return s->nonblock || (flags & SOCK_MSG_DONTWAIT) || timeout == 0;
}

/* Why nothing can be sent: 0 when it can. */
static int send_check(struct sock *s)
{
	int error;

	if (s->state == SOCK_STATE_CONNECTED && !(s->shut & SOCK_WR))
		return 0;
	if (s->state == SOCK_STATE_CONNECTING)
		return -PARLEY_EAGAIN;
	error = sock_take_error(s);
	return error ? -error : -PARLEY_EPIPE;
}

/* Up to SPANS spans of what is left behind the first `skip` bytes; *more when there are others. */
static int spans_from(const struct parley_span *spans, int n, size_t skip, struct parley_span *out,
		      bool *more)
{
	int i, count = 0;

	*more = false;
	for (i = 0; i < n; i++) {
		if (skip >= spans[i].len) {
			skip -= spans[i].len;
			continue;
		}
		if (count == SPANS) {
			*more = true;
			break;
		}
		out[count].data = (const uint8_t *)spans[i].data + skip;
		out[count].len = spans[i].len - skip;
		skip = 0;
		count++;
	}
	return count;
}

static unsigned parley_flags(unsigned flags)
{
	return (flags & SOCK_MSG_MORE ? PARLEY_SEND_MORE : 0) |
	       (flags & SOCK_MSG_OOB ? PARLEY_SEND_URGENT : 0);
}

/* Hands over as much as the host takes; moves *at. Returns 0, or why it takes no more. */
static int send_some(struct sock_layer *layer, struct sock *s, const struct parley_span *spans,
		     int n, unsigned flags, size_t *at)
{
	struct parley_span part[SPANS];
	int64_t taken;
	bool more;
	int count;

	while ((count = spans_from(spans, n, *at, part, &more)) > 0) {
		unsigned parley = parley_flags(more ? flags | SOCK_MSG_MORE : flags);

		taken = parley_send(layer->host, layer->now, s->conn, part, count, parley);
		if (taken < 0)
			return (int)taken;
		if (taken == 0)
			return -PARLEY_EAGAIN;
		*at += (size_t)taken;
	}
	return 0;
}

int64_t sock_send(struct sock_layer *layer, int fd, const struct parley_span *spans, int n,
		  unsigned flags, size_t *done)
{
	struct sock *s = sock_enter(layer, fd);
	size_t at = done ? *done : 0;
	int error;

	if (!s)
		return -PARLEY_EBADF;
	/* What has been sent before an error counts; the error is for the next call. */
	if (at && s->state != SOCK_STATE_CONNECTED)
		return (int64_t)at;
	error = send_check(s);
	if (!error)
		error = send_some(layer, s, spans, n, flags, &at);
	if (done)
		*done = at;
	if (!error)
		return (int64_t)at;
	if (error == -PARLEY_EAGAIN) {
		if (never_waits(s, flags, s->options.snd_timeout))
			return at ? (int64_t)at : error;
		return at && !done ? (int64_t)at : SOCK_WAIT;
	}
	return at ? (int64_t)at : error;
}

/* Copies `len` bytes of the receive queue from `offset` on, without taking them; how many. */
static size_t peek_copy(struct sock_layer *layer, struct sock *s, size_t offset, uint8_t *out,
			size_t len)
{
	struct parley_span spans[SPANS];
	size_t copied = 0;
	int i, n;

	while (copied < len &&
	       (n = parley_peek_at(layer->host, s->conn, offset + copied, spans, SPANS)) > 0) {
		for (i = 0; i < n && copied < len; i++) {
			size_t part = spans[i].len;

			if (part > len - copied)
				part = len - copied;
			memcpy(out + copied, spans[i].data, part);
			copied += part;
		}
	}
	return copied;
}

/* Throws up to `len` bytes of the receive queue away; how many. */
static size_t skip_bytes(struct sock_layer *layer, struct sock *s, size_t len)
{
	struct parley_span spans[SPANS];
	size_t skipped = 0;
	int i, n;

	while (skipped < len && (n = parley_peek(layer->host, s->conn, spans, SPANS)) > 0) {
		size_t part = 0;

		for (i = 0; i < n; i++)
			part += spans[i].len;
		if (part > len - skipped)
			part = len - skipped;
		if (parley_consume(layer->host, layer->now, s->conn, part) < 0)
			break;
		sock_urgent_read(s, part);
		skipped += part;
	}
	return skipped;
}

/* One buffer's part of recv(): how many bytes, fewer than `len` when no more are there. */
static size_t take(struct sock_layer *layer, struct sock *s, uint8_t *out, size_t len,
		   unsigned flags, size_t offset)
{
	size_t copied = 0;

	if (flags & SOCK_MSG_PEEK)
		return flags & SOCK_MSG_TRUNC ? 0 : peek_copy(layer, s, offset, out, len);
	if (flags & SOCK_MSG_TRUNC)
		return skip_bytes(layer, s, len);
	while (copied < len) {
		int64_t n = parley_receive(layer->host, layer->now, s->conn, out + copied,
					   len - copied);

		if (n <= 0)
			break;
		sock_urgent_read(s, (size_t)n);
		copied += (size_t)n;
	}
	return copied;
}

/*
 * How many bytes recv() may return, of `total` that fit and with `at` of them there already: it
 * stops at the mark. From the mark on it steps over the urgent byte: *hole is one when that is to
 * be left out of what is looked at.
 */
static size_t recv_end(struct sock_layer *layer, struct sock *s, unsigned flags, size_t at,
		       size_t total, size_t *hole)
{
	*hole = 0;
	if (s->urgent == SOCK_URGENT_NONE || s->conn == PARLEY_NO_CONN || total == 0)
		return total;
	if (at || s->mark)
		return s->mark < total - at ? at + (size_t)s->mark : total;
	if (!sock_urgent_out_of_line(s))
		return total;
	if (flags & SOCK_MSG_PEEK)
		*hole = 1;
	else
		(void)skip_bytes(layer, s, 1);
	return total;
}

/* Fills the buffers behind the first `at` bytes, up to `end`; returns the new `at`. */
static size_t recv_some(struct sock_layer *layer, struct sock *s,
			const struct parley_buffer *buffers, int n, unsigned flags, size_t at,
			size_t end, size_t hole)
{
	size_t skip = at;
	int i;

	for (i = 0; i < n && at < end && s->conn != PARLEY_NO_CONN; i++) {
		size_t room, got;

		if (skip >= buffers[i].len) {
			skip -= buffers[i].len;
			continue;
		}
		room = buffers[i].len - skip;
		if (room > end - at)
			room = end - at;
		got = take(layer, s, (uint8_t *)buffers[i].data + skip, room, flags, at + hole);
		at += got;
		skip = 0;
		if (got < room)
			break;
	}
	return at;
}

/* What recv() says without a byte; SOCK_WAIT and -PARLEY_EAGAIN are the same here. */
static int recv_empty(struct sock *s)
{
	if (s->fin)
		return 0;
	if (s->error)
		return -sock_take_error(s);
	if (s->shut & SOCK_RD)
		return 0;
	if (s->state == SOCK_STATE_CLOSED)
		return -PARLEY_ENOTCONN;
	return -PARLEY_EAGAIN;
}

/* How many bytes make recv() return, of `total` that fit. */
static size_t recv_target(const struct sock *s, unsigned flags, size_t total)
{
	size_t target = (size_t)sock_value(s, SOCK_VALUE_RCVLOWAT);

	if ((flags & SOCK_MSG_WAITALL) || target > total)
		target = total;
	return target ? target : 1;
}

static bool has_bytes(struct sock_layer *layer, const struct sock *s)
{
	struct parley_span span;

	return s->conn != PARLEY_NO_CONN && parley_peek(layer->host, s->conn, &span, 1) > 0;
}

/* The receive or the send queue of a connection; 0 without one. */
static int64_t queue_length(struct sock_layer *layer, int fd, bool out)
{
	struct sock *s = sock_enter(layer, fd);
	struct parley_status status;

	if (!s)
		return -PARLEY_EBADF;
	if (s->state == SOCK_STATE_LISTENING)
		return -PARLEY_EINVAL;
	if (!sock_status(layer, s->conn, &status))
		return 0;
	if (!out && sock_urgent_out_of_line(s) && s->mark < status.receive_queue)
		return (int64_t)s->mark;
	return (int64_t)(out ? status.send_queue : status.receive_queue);
}

int64_t sock_recv(struct sock_layer *layer, int fd, const struct parley_buffer *buffers, int n,
		  unsigned flags, size_t *done)
{
	struct sock *s = sock_enter(layer, fd);
	bool peek = (flags & SOCK_MSG_PEEK) != 0;
	size_t at = done && !peek ? *done : 0;
	size_t total = 0, target, end, hole;
	int i, empty;

	if (!s)
		return -PARLEY_EBADF;
	if (s->state == SOCK_STATE_LISTENING)
		return -PARLEY_ENOTCONN;
	if (flags & SOCK_MSG_OOB)
		return sock_urgent_recv(layer, s, buffers, n, flags);
	for (i = 0; i < n; i++)
		total += buffers[i].len;
	target = recv_target(s, flags, total);
	end = recv_end(layer, s, flags, at, total, &hole);
	at = recv_some(layer, s, buffers, n, flags, at, end, hole);
	/* The bytes may have brought their connection's end along. */
	sock_sync(layer);
	if (done && !peek)
		*done = at;
	if (at >= target || (at && at == end) || (total == 0 && has_bytes(layer, s)))
		return (int64_t)at;
	if (at && (s->error || s->state == SOCK_STATE_CLOSED || sock_read_shut(s)))
		return (int64_t)at;
	if (at && (never_waits(s, flags, s->options.rcv_timeout) || (!done && !peek)))
		return (int64_t)at;
	empty = at ? -PARLEY_EAGAIN : recv_empty(s);
	if (empty != -PARLEY_EAGAIN || never_waits(s, flags, s->options.rcv_timeout))
		return empty;
	s->least = peek ? target : 1;
	return SOCK_WAIT;
}

/* Cuts spans off at the mark of urgent data, unless they begin there; how many are left. */
static int up_to_mark(const struct sock *s, struct parley_span *spans, int n)
{
	uint64_t left = s->mark;

	if (s->urgent == SOCK_URGENT_NONE || !s->mark)
		return n;
	for (int i = 0; i < n; i++) {
		if (left <= spans[i].len) {
			spans[i].len = (size_t)left;
			return i + 1;
		}
		left -= spans[i].len;
	}
	return n;
}

int sock_peek(struct sock_layer *layer, int fd, struct parley_span *spans, int n)
{
	struct sock *s = sock_enter(layer, fd);
	int count = 0;

	if (!s)
		return -PARLEY_EBADF;
	if (s->state == SOCK_STATE_LISTENING)
		return -PARLEY_ENOTCONN;
	if (s->conn != PARLEY_NO_CONN)
		count = parley_peek(layer->host, s->conn, spans, n);
	if (count > 0)
		return up_to_mark(s, spans, count);
	count = recv_empty(s);
	if (count != -PARLEY_EAGAIN || never_waits(s, 0, s->options.rcv_timeout))
		return count;
	s->least = 1;
	return SOCK_WAIT;
}

int sock_consume(struct sock_layer *layer, int fd, size_t len)
{
	struct sock *s = sock_enter(layer, fd);

	if (!s)
		return -PARLEY_EBADF;
	if (s->conn == PARLEY_NO_CONN || s->state == SOCK_STATE_LISTENING)
		return -PARLEY_ENOTCONN;
	int error = parley_consume(layer->host, layer->now, s->conn, len);
	if (!error)
		sock_urgent_read(s, len);
	return error;
}

int sock_reserve(struct sock_layer *layer, int fd, size_t len, struct parley_buffer *buffers, int n)
{
	struct sock *s = sock_enter(layer, fd);
	int result;

	if (!s)
		return -PARLEY_EBADF;
	result = send_check(s);
	if (result == 0)
		result = parley_reserve(layer->host, layer->now, s->conn, len, buffers, n);
	if (result != 0 && result != -PARLEY_EAGAIN)
		return result;
	return never_waits(s, 0, s->options.snd_timeout) ? -PARLEY_EAGAIN : SOCK_WAIT;
}

int64_t sock_commit(struct sock_layer *layer, int fd, size_t len, unsigned flags)
{
	struct sock *s = sock_enter(layer, fd);
	int error;

	if (!s)
		return -PARLEY_EBADF;
	error = send_check(s);
	if (error)
		return error;
	return parley_commit(layer->host, layer->now, s->conn, len, parley_flags(flags));
}

int64_t sock_inq(struct sock_layer *layer, int fd)
{
	return queue_length(layer, fd, false);
}

int64_t sock_outq(struct sock_layer *layer, int fd)
{
	return queue_length(layer, fd, true);
}
