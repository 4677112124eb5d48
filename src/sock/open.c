/* SPDX-License-Identifier: MIT */
/*
 * Opening: listen(), accept(), connect(), and the way back to a socket that was never connected.
 *
 * The host takes the local end when it opens, so what bind() reserved is handed over here. Options
 * go to the new connection at once: nothing is sent before the host's door out is run.
 */
#include <string.h>

#include "sock/layer.h"
#include "wire/ip.h"

static void open_from(const struct sock *s, struct parley_open *open)
{
	memset(open, 0, sizeof(*open));
	open->size = sizeof(*open);
	open->local.addr = s->local.addr;
	open->local.port = s->port_held ? s->local.port : 0;
	open->user = (uint64_t)s->fd + 1;
}

/* The ends as the host has them. */
static void learn_ends(struct sock_layer *layer, struct sock *s)
{
	struct parley_status status;

	if (!sock_status(layer, s->conn, &status))
		return;
	s->local = status.local;
	s->remote = status.remote;
	s->port_held = true;
}

/* The host counts all that wait; Linux lets one more wait than listen() says. */
static uint32_t listen_backlog(struct sock_layer *layer, int backlog)
{
	int64_t most = 4096;

	(void)parley_get(layer->host, PARLEY_NO_CONN, PARLEY_SET_SOMAXCONN, &most);
	if (backlog >= 0 && backlog < most)
		most = backlog;
	return (uint32_t)most + 1;
}

int sock_listen(struct sock_layer *layer, int fd, int backlog)
{
	struct sock *s = sock_enter(layer, fd);
	struct parley_open open;
	int error = 0;

	if (!s)
		return -PARLEY_EBADF;
	if (s->user != SOCK_USER_UNCONNECTED)
		return -PARLEY_EINVAL;
	if (s->state == SOCK_STATE_LISTENING)
		return parley_set(layer->host, layer->now, s->conn, PARLEY_SET_BACKLOG,
				  listen_backlog(layer, backlog));
	if (!s->port_held)
		error = sock_name_auto(layer, s);
	else if (sock_name_taken(layer, s, &s->local))
		error = -PARLEY_EADDRINUSE;
	if (error)
		return error;
	open_from(s, &open);
	open.backlog = listen_backlog(layer, backlog);
	open.flags = sock_value(s, SOCK_VALUE_V6ONLY) ? PARLEY_OPEN_V6ONLY : 0;
	if (!sock_share_join(layer, s))
		error = parley_listen(layer->host, layer->now, &open, &s->conn);
	if (error < 0) {
		s->conn = PARLEY_NO_CONN;
		sock_name_release(s, false);
		return error;
	}
	s->state = SOCK_STATE_LISTENING;
	sock_options_apply(layer, s);
	sock_touch(layer, s);
	return 0;
}

/* What was given back and is still there; or NULL. */
static struct sock *accept_returned(struct sock *listener)
{
	struct sock *s = listener->returned;

	if (s) {
		listener->returned = s->returned_next;
		s->returned_next = NULL;
		s->slot = SOCK_SLOT_OPEN;
	}
	return s;
}

static struct sock *accept_new(struct sock_layer *layer, struct sock *listener, int *error)
{
	struct sock *s;

	/* Before a descriptor is looked for: EAGAIN comes first. */
	if (!(sock_levels(layer, listener, 0) & SOCK_POLLIN)) {
		*error = -PARLEY_EAGAIN;
		return NULL;
	}
	s = sock_new(layer, listener->domain, error);
	if (!s)
		return NULL;
	*error = parley_accept(layer->host, layer->now, listener->conn, (uint64_t)s->fd + 1,
			       &s->conn);
	if (listener->sharer)
		listener->dealt--;
	if (*error < 0) {
		s->conn = PARLEY_NO_CONN;
		sock_free(layer, s);
		return NULL;
	}
	s->state = SOCK_STATE_CONNECTED;
	s->user = SOCK_USER_CONNECTED;
	s->options = listener->options;
	s->port_locked = listener->port_locked;
	s->addr_locked = listener->addr_locked;
	learn_ends(layer, s);
	/* The host has given it those of whoever set some last. */
	if (listener->has_shared)
		sock_options_replace(layer, s);
	return s;
}

/* What happened to a connection before it was accepted. */
static void accept_catch_up(struct sock_layer *layer, struct sock *s)
{
	uint32_t ready = parley_ready(layer->host, s->conn);
	struct parley_status status;

	s->fin = s->fin || (ready & PARLEY_PEER_CLOSED);
	if (ready & PARLEY_URGENT)
		sock_urgent_moved(layer, s);
	if ((ready & PARLEY_DEAD) && sock_status(layer, s->conn, &status))
		sock_died(layer, s, status.error);
}

int sock_accept(struct sock_layer *layer, int fd, bool nonblock, struct parley_endpoint *remote)
{
	struct sock *listener = sock_enter(layer, fd);
	struct sock *s;
	int error;

	if (!listener)
		return -PARLEY_EBADF;
	if (listener->state != SOCK_STATE_LISTENING)
		return -PARLEY_EINVAL;
	s = accept_returned(listener);
	if (!s) {
		s = accept_new(layer, listener, &error);
		if (!s && error == -PARLEY_EAGAIN && !listener->nonblock &&
		    listener->options.rcv_timeout)
			return SOCK_WAIT;
		if (!s)
			return error;
		accept_catch_up(layer, s);
	}
	s->nonblock = nonblock;
	if (remote)
		*remote = s->remote;
	sock_touch(layer, s);
	return s->fd;
}

int sock_unaccept(struct sock_layer *layer, int listener, int fd)
{
	struct sock *l = sock_enter(layer, listener);
	struct sock *s = sock_get(layer, fd);
	struct sock **at;

	if (!l || !s)
		return -PARLEY_EBADF;
	if (l->state != SOCK_STATE_LISTENING || s->user != SOCK_USER_CONNECTED)
		return -PARLEY_EINVAL;
	sock_wait_close(layer, s);
	s->watch = NULL;
	s->slot = SOCK_SLOT_RETURNED;
	for (at = &l->returned; *at; at = &(*at)->returned_next)
		;
	*at = s;
	sock_touch(layer, l);
	return 0;
}

int sock_waiting(struct sock_layer *layer, int fd)
{
	struct sock *s = sock_enter(layer, fd);
	struct parley_status status;
	const struct sock *r;
	int n = 0;

	if (!s)
		return -PARLEY_EBADF;
	if (s->state != SOCK_STATE_LISTENING)
		return -PARLEY_EINVAL;
	for (r = s->returned; r; r = r->returned_next)
		n++;
	if (s->sharer)
		return n + (int)s->dealt;
	if (sock_status(layer, s->conn, &status))
		n += (int)status.receive_queue;
	return n;
}

/* Sends the SYN. */
static int connect_start(struct sock_layer *layer, struct sock *s,
			 const struct parley_endpoint *remote)
{
	struct parley_open open;
	int error;

	if (s->domain == SOCK_AF_INET && !sock_addr_is_v4(&remote->addr) &&
	    !sock_addr_is_any(&remote->addr))
		return -PARLEY_EAFNOSUPPORT;
	if (sock_value(s, SOCK_VALUE_V6ONLY) && sock_addr_is_v4(&remote->addr))
		return -PARLEY_ENETUNREACH;
	/* Linux sends a SYN there; nobody can listen. */
	if (remote->port == 0)
		return -PARLEY_ECONNREFUSED;
	open_from(s, &open);
	if (sock_addr_is_any(&open.local.addr))
		memset(&open.local.addr, 0, sizeof(open.local.addr));
	open.remote = *remote;
	error = parley_connect(layer->host, layer->now, &open, &s->conn);
	if (error < 0) {
		s->conn = PARLEY_NO_CONN;
		/* What Linux says of a group, and of a four-tuple that is taken. */
		if (error == -PARLEY_EINVAL && !ip_is_unicast(&remote->addr))
			return -PARLEY_ENETUNREACH;
		return error == -PARLEY_EADDRINUSE ? -PARLEY_EADDRNOTAVAIL : error;
	}
	s->state = SOCK_STATE_CONNECTING;
	s->user = SOCK_USER_CONNECTING;
	s->shut = 0;
	s->fin = false;
	s->urgent = SOCK_URGENT_NONE;
	learn_ends(layer, s);
	sock_options_apply(layer, s);
	sock_touch(layer, s);
	return 0;
}

int sock_connect(struct sock_layer *layer, int fd, const struct parley_endpoint *remote)
{
	struct sock *s = sock_enter(layer, fd);
	int error = -PARLEY_EALREADY;

	if (!s)
		return -PARLEY_EBADF;
	if (s->user == SOCK_USER_CONNECTED)
		return -PARLEY_EISCONN;
	if (s->user == SOCK_USER_DISCONNECTING)
		return -PARLEY_EINVAL;
	if (s->user == SOCK_USER_UNCONNECTED) {
		if (s->state != SOCK_STATE_CLOSED)
			return -PARLEY_EISCONN;
		error = connect_start(layer, s, remote);
		if (error)
			return error;
		s->error = 0; /* of the one before */
		error = -PARLEY_EINPROGRESS;
	}
	if (s->state == SOCK_STATE_CONNECTING)
		return s->nonblock || !s->options.snd_timeout ? error : SOCK_WAIT;
	if (s->state == SOCK_STATE_CLOSED) {
		error = sock_take_error(s);
		sock_reset(layer, s);
		return error ? -error : -PARLEY_ECONNABORTED;
	}
	s->user = SOCK_USER_CONNECTED;
	return 0;
}

static void stop_listener(struct sock_layer *layer, struct sock *s)
{
	struct sock *r;

	while ((r = accept_returned(s))) {
		sock_let_go(layer, r, true);
		sock_free(layer, r);
	}
	sock_let_go(layer, s, false);
}

void sock_reset(struct sock_layer *layer, struct sock *s)
{
	if (s->state == SOCK_STATE_LISTENING) {
		stop_listener(layer, s);
	} else {
		if (s->state != SOCK_STATE_CLOSED)
			s->error = PARLEY_ECONNRESET;
		sock_let_go(layer, s, true);
	}
	s->state = SOCK_STATE_CLOSED;
	s->user = SOCK_USER_UNCONNECTED;
	s->shut = 0;
	s->fin = false;
	s->soft_error = 0;
	sock_name_release(s, true);
	sock_touch(layer, s);
}

int sock_disconnect(struct sock_layer *layer, int fd)
{
	struct sock *s = sock_enter(layer, fd);

	if (!s)
		return -PARLEY_EBADF;
	sock_reset(layer, s);
	return 0;
}
