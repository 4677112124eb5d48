/* SPDX-License-Identifier: MIT */
/* Closing: close() with its lingering, and shutdown(). */

#include "sock/layer.h"

#define NS_PER_S 1000000000u

void sock_let_go(struct sock_layer *layer, struct sock *s, bool abort)
{
	if (s->conn == PARLEY_NO_CONN)
		return;
	if (sock_share_leave(layer, s)) {
		s->conn = PARLEY_NO_CONN;
		return;
	}
	if (abort)
		(void)parley_abort(layer->host, layer->now, s->conn);
	(void)parley_release_conn(layer->host, layer->now, s->conn);
	s->conn = PARLEY_NO_CONN;
}

bool sock_fin_pending(const struct sock_layer *layer, const struct sock *s)
{
	struct parley_status status;

	if (!sock_status(layer, s->conn, &status))
		return false;
	switch (status.state) {
	/* The FIN may still wait behind text. */
	case PARLEY_SYN_RECEIVED:
	case PARLEY_ESTABLISHED:
	case PARLEY_CLOSE_WAIT:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
		return true;
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
	case PARLEY_SYN_SENT:
	case PARLEY_FIN_WAIT_2:
	case PARLEY_TIME_WAIT:
		break;
	}
	return false;
}

static void drop(struct sock_layer *layer, struct sock *s, bool abort)
{
	if (s->state == SOCK_STATE_LISTENING)
		sock_reset(layer, s);
	else
		sock_let_go(layer, s, abort);
	sock_free(layer, s);
}

/* Begins a close that waits; false when there is nothing to wait for. */
static bool linger_begin(struct sock_layer *layer, struct sock *s)
{
	if (s->state != SOCK_STATE_CONNECTED || !s->options.linger.onoff)
		return false;
	if (parley_close(layer->host, layer->now, s->conn) < 0 || !sock_fin_pending(layer, s))
		return false;
	sock_wait_close(layer, s);
	s->watch = NULL;
	s->slot = SOCK_SLOT_LINGERING;
	s->linger_until = layer->now + (uint64_t)s->options.linger.seconds * NS_PER_S;
	return true;
}

int sock_close(struct sock_layer *layer, int fd)
{
	struct sock *s;

	sock_sync(layer);
	s = sock_slot(layer, fd);
	if (!s || s->slot == SOCK_SLOT_FREE || s->slot == SOCK_SLOT_RETURNED)
		return -PARLEY_EBADF;
	if (s->slot == SOCK_SLOT_LINGERING) {
		if (sock_fin_pending(layer, s) && layer->now < s->linger_until)
			return SOCK_WAIT;
	} else if (s->options.linger.onoff && s->options.linger.seconds == 0) {
		drop(layer, s, true);
		return 0;
	} else if (linger_begin(layer, s)) {
		return SOCK_WAIT;
	}
	drop(layer, s, false);
	return 0;
}

int sock_close_now(struct sock_layer *layer, int fd)
{
	struct sock *s;

	sock_sync(layer);
	s = sock_slot(layer, fd);
	if (!s || s->slot == SOCK_SLOT_FREE || s->slot == SOCK_SLOT_RETURNED)
		return -PARLEY_EBADF;
	drop(layer, s,
	     s->slot == SOCK_SLOT_OPEN && s->options.linger.onoff &&
		     s->options.linger.seconds == 0);
	return 0;
}

int sock_shutdown(struct sock_layer *layer, int fd, int how)
{
	struct sock *s = sock_enter(layer, fd);
	/* RD, WR, RDWR are 0, 1, 2; the ways are bits. */
	unsigned ways = (unsigned)how + 1;
	int result = 0;

	if (!s)
		return -PARLEY_EBADF;
	if (how < SOCK_SHUT_RD || how > SOCK_SHUT_RDWR)
		return -PARLEY_EINVAL;
	if (s->user == SOCK_USER_CONNECTING)
		s->user = s->state == SOCK_STATE_CONNECTED ? SOCK_USER_CONNECTED
							   : SOCK_USER_DISCONNECTING;
	switch (s->state) {
	case SOCK_STATE_LISTENING:
		if (ways & SOCK_RD)
			sock_reset(layer, s);
		break;
	case SOCK_STATE_CONNECTING:
		sock_reset(layer, s);
		break;
	case SOCK_STATE_CLOSED:
		result = -PARLEY_ENOTCONN;
		s->shut |= (uint8_t)ways;
		break;
	case SOCK_STATE_CONNECTED:
		/* Reading ends here alone, as in Linux: what comes can still be read. */
		if ((ways & SOCK_RD) && layer->bsd)
			(void)parley_shutdown(layer->host, layer->now, s->conn, PARLEY_SHUT_RD);
		if ((ways & SOCK_WR) && !(s->shut & SOCK_WR))
			(void)parley_shutdown(layer->host, layer->now, s->conn, PARLEY_SHUT_WR);
		s->shut |= (uint8_t)ways;
		break;
	}
	sock_touch(layer, s);
	return result;
}
