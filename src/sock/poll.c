/* SPDX-License-Identifier: MIT */
/*
 * What happened in the host: events become the state of sockets, levels of readiness are worked out
 * as Linux's tcp_poll() does, and sock_poll() tells whoever waits or watches.
 */

#include "sock/layer.h"

#define EVENTS 32

void sock_mark(struct sock_layer *layer, struct sock *s)
{
	if (s->dirty)
		return;
	s->dirty = true;
	s->dirty_next = NULL;
	if (layer->dirty)
		layer->dirty_tail->dirty_next = s;
	else
		layer->dirty = s;
	layer->dirty_tail = s;
}

void sock_touch(struct sock_layer *layer, struct sock *s)
{
	s->generation++;
	sock_mark(layer, s);
}

void sock_died(struct sock_layer *layer, struct sock *s, int error)
{
	if (s->state != SOCK_STATE_CONNECTING && s->state != SOCK_STATE_CONNECTED)
		return;
	/* FreeBSD makes no difference. */
	if (error == PARLEY_EPIPE && layer->bsd)
		error = PARLEY_ECONNRESET;
	/* A reset behind the peer's FIN while we could still send is a broken pipe to Linux. */
	if (error == PARLEY_ECONNRESET && s->fin && !(s->shut & SOCK_WR) && !layer->bsd)
		error = PARLEY_EPIPE;
	s->error = error;
	/* A connection that never was has no bytes to keep. */
	if (s->state == SOCK_STATE_CONNECTING)
		sock_let_go(layer, s, false);
	s->state = SOCK_STATE_CLOSED;
	s->shut = SOCK_RD | SOCK_WR;
	sock_name_release(s, false);
}

static void take_event(struct sock_layer *layer, const struct parley_event *event)
{
	struct sock *s;

	/* User words are descriptors + 1. */
	if (event->user == 0 || event->user > SOCK_LIMIT)
		return;
	s = sock_slot(layer, (int)(event->user - 1));
	if ((!s || s->conn != event->conn) && (event->bits & PARLEY_ACCEPT))
		s = sock_share_heir(layer, event->conn);
	if (!s || s->slot == SOCK_SLOT_FREE || s->conn != event->conn)
		return;
	if (s->sharer) {
		sock_share_deal(layer, s);
		return;
	}
	sock_touch(layer, s);
	if ((event->bits & PARLEY_CONNECTED) && s->state == SOCK_STATE_CONNECTING)
		s->state = SOCK_STATE_CONNECTED;
	if (event->bits & PARLEY_PEER_CLOSED)
		s->fin = true;
	if (event->bits & PARLEY_URGENT)
		sock_urgent_moved(layer, s);
	if (event->bits & PARLEY_DEAD)
		sock_died(layer, s, event->error);
	else if (event->bits & PARLEY_SOFT_ERROR)
		s->soft_error = event->error; /* SHLD-20 */
}

void sock_sync(struct sock_layer *layer)
{
	struct parley_event events[EVENTS];
	int i, n;

	do {
		n = parley_events(layer->host, events, EVENTS);
		for (i = 0; i < n; i++)
			take_event(layer, &events[i]);
	} while (n == EVENTS);
}

/* Does the peer wait for what is there to be read? As Linux has it, before the last segment. */
static bool window_is_spent(const struct sock_layer *layer, const struct sock *s)
{
	struct parley_tcp_info info = {.size = sizeof(info)};

	return parley_tcp_info(layer->host, s->conn, &info) >= 0 && info.rcv_wnd <= info.rcv_mss;
}

/*
 * Are there `least` bytes to read, or by SO_RCVLOWAT as many as can come? The host knows about one
 * byte without counting.
 */
static bool readable(const struct sock_layer *layer, const struct sock *s, size_t least,
		     uint32_t ready)
{
	/* What is stepped over cannot be read. */
	size_t hole = sock_urgent_out_of_line(s) && s->mark == 0;
	size_t wanted = hole + (least ? least : (size_t)sock_value(s, SOCK_VALUE_RCVLOWAT));
	struct parley_status status;

	if (!(ready & PARLEY_READABLE) || wanted <= 1)
		return (ready & PARLEY_READABLE) != 0;
	if (!sock_status(layer, s->conn, &status))
		return false;
	return status.receive_queue >= wanted ||
	       (!least && status.receive_queue > hole && window_is_spent(layer, s));
}

/*
 * Is there room to send? If not, the host is asked for room for nothing: it tells of room only to
 * those whom it refused some, and who polls may never have been.
 */
static bool writable(const struct sock_layer *layer, const struct sock *s, uint32_t ready)
{
	if (!(ready & PARLEY_WRITABLE) && s->conn != PARLEY_NO_CONN)
		(void)parley_reserve(layer->host, layer->now, s->conn, 0, NULL, 0);
	return (ready & PARLEY_WRITABLE) != 0;
}

uint32_t sock_levels(const struct sock_layer *layer, const struct sock *s, size_t least)
{
	uint32_t ready = s->conn == PARLEY_NO_CONN ? 0 : parley_ready(layer->host, s->conn);
	bool accept = s->sharer ? s->dealt > 0 : (ready & PARLEY_ACCEPT) != 0;
	bool closed = s->state == SOCK_STATE_CLOSED;
	uint32_t levels = 0;

	if (s->state == SOCK_STATE_LISTENING)
		return accept || s->returned ? SOCK_POLLIN : 0;
	if (closed || (sock_read_shut(s) && (s->shut & SOCK_WR)))
		levels |= SOCK_POLLHUP;
	if (sock_read_shut(s))
		levels |= SOCK_POLLIN | SOCK_POLLRDHUP;
	if (s->error)
		levels |= SOCK_POLLERR;
	if (s->state == SOCK_STATE_CONNECTING)
		return levels;
	if (!closed && readable(layer, s, least, ready))
		levels |= SOCK_POLLIN;
	if (closed || (s->shut & SOCK_WR) || writable(layer, s, ready))
		levels |= SOCK_POLLOUT;
	if (sock_urgent_waits(layer, s))
		levels |= SOCK_POLLPRI;
	return levels;
}

uint32_t sock_ready(struct sock_layer *layer, int fd)
{
	struct sock *s = sock_enter(layer, fd);

	return s ? sock_levels(layer, s, 0) : 0;
}

uint64_t sock_generation(struct sock_layer *layer, int fd)
{
	struct sock *s = sock_enter(layer, fd);

	return s ? s->generation : 0;
}

/* What ICMP said, unless the connection has made progress since. */
static int take_soft_error(const struct sock_layer *layer, struct sock *s)
{
	struct parley_status status;
	int error = s->soft_error;

	s->soft_error = 0;
	if (error && sock_status(layer, s->conn, &status) && !status.error)
		return 0;
	return error;
}

int sock_error(struct sock_layer *layer, int fd)
{
	struct sock *s = sock_enter(layer, fd);
	int error;

	if (!s)
		return -PARLEY_EBADF;
	error = sock_take_error(s);
	return error ? error : take_soft_error(layer, s);
}

int sock_watch_set(struct sock_layer *layer, int fd, struct sock_watch *watch)
{
	struct sock *s = sock_enter(layer, fd);

	if (!s)
		return -PARLEY_EBADF;
	s->watch = watch;
	if (watch)
		sock_mark(layer, s);
	return 0;
}

/* Tells the watch and resumes the waits of one socket; how many. */
static int tell(struct sock_layer *layer, struct sock *s)
{
	struct sock_watch *watch = s->watch;
	int called = 0;

	sock_wait_collect(layer, s);
	if (watch && s->slot == SOCK_SLOT_OPEN) {
		called++;
		watch->event(watch, s->fd, sock_levels(layer, s, 0));
	}
	return called + sock_wait_fire(layer);
}

int sock_poll(struct sock_layer *layer, uint64_t now)
{
	struct sock *s, *last;
	int called;
	bool end;

	sock_set_now(layer, now);
	sock_sync(layer);
	called = sock_wait_fire(layer);
	last = layer->dirty_tail;
	for (end = !layer->dirty; !end;) {
		s = layer->dirty;
		end = s == last;
		layer->dirty = s->dirty_next;
		s->dirty = false;
		called += tell(layer, s);
	}
	sock_wait_expire(layer);
	return called + sock_wait_fire(layer);
}

uint64_t sock_deadline(const struct sock_layer *layer)
{
	if (layer->dirty || layer->firing)
		return layer->now;
	return layer->due ? layer->due->deadline : SOCK_NEVER;
}
