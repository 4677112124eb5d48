/* SPDX-License-Identifier: MIT */
/*
 * Urgent data as sockets have it: of all that the peer calls urgent the last byte alone, which is
 * taken out of the stream and kept aside until MSG_OOB asks for it, or, with SO_OOBINLINE, stays
 * where it is. Its place is the mark, at which reading stops in either case.
 *
 * The host leaves the byte in the stream (RFC 6093 4). So what is kept here is where it stands,
 * `mark` bytes behind the first that was not read, and whether it has been taken: a read that
 * passes the mark steps over it.
 */
#include <string.h>

#include "sock/layer.h"

static uint64_t queued(const struct sock_layer *layer, const struct sock *s)
{
	struct parley_status status;

	if (!sock_status(layer, s->conn, &status))
		return 0;
	return status.receive_queue;
}

bool sock_urgent_out_of_line(const struct sock *s)
{
	return s->urgent != SOCK_URGENT_NONE && !sock_value(s, SOCK_VALUE_OOBINLINE);
}

bool sock_urgent_waits(const struct sock_layer *layer, const struct sock *s)
{
	return s->urgent == SOCK_URGENT_AHEAD && queued(layer, s) > s->mark;
}

/*
 * The mark has moved forward. The byte at the old one is an ordinary byte again, unless it is the
 * very next to be read: Linux drops that one.
 */
void sock_urgent_moved(struct sock_layer *layer, struct sock *s)
{
	int64_t left = parley_urgent(layer->host, s->conn);

	if (left <= 0 || (s->urgent != SOCK_URGENT_NONE && s->mark == (uint64_t)left - 1))
		return;
	if (sock_urgent_out_of_line(s) && s->mark == 0 &&
	    parley_consume(layer->host, layer->now, s->conn, 1) == 0)
		left--;
	s->urgent = SOCK_URGENT_AHEAD;
	s->mark = (uint64_t)left - 1;
}

void sock_urgent_read(struct sock *s, size_t n)
{
	if (s->urgent == SOCK_URGENT_NONE)
		return;
	if (n > s->mark)
		s->urgent = SOCK_URGENT_NONE;
	else
		s->mark -= n;
}

int64_t sock_urgent_recv(struct sock_layer *layer, struct sock *s,
			 const struct parley_buffer *buffers, int n, unsigned flags)
{
	struct parley_span span;

	if (!sock_urgent_out_of_line(s) || s->urgent == SOCK_URGENT_TAKEN)
		return -PARLEY_EINVAL;
	if (s->state == SOCK_STATE_CLOSED && !s->fin)
		return -PARLEY_ENOTCONN;
	if (s->urgent != SOCK_URGENT_AHEAD ||
	    parley_peek_at(layer->host, s->conn, s->mark, &span, 1) <= 0)
		return sock_read_shut(s) ? 0 : -PARLEY_EAGAIN;
	if (!(flags & SOCK_MSG_PEEK))
		s->urgent = SOCK_URGENT_TAKEN;
	for (int i = 0; i < n; i++) {
		if (buffers[i].len == 0)
			continue;
		if (!(flags & SOCK_MSG_TRUNC))
			memcpy(buffers[i].data, span.data, 1);
		return 1;
	}
	return 0;
}

int sock_atmark(struct sock_layer *layer, int fd)
{
	struct sock *s = sock_enter(layer, fd);

	if (!s)
		return -PARLEY_EBADF;
	return s->urgent != SOCK_URGENT_NONE && s->mark == 0;
}
