/* SPDX-License-Identifier: MIT */
#include "run/pump.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "run/calls.h"
#include "run/supervisor.h"

/* Pieces and bytes that one system call moves at most. */
#define PIECES 64
#define CHUNK  (256 * 1024)

static struct sock_layer *layer_of(const struct object *object)
{
	return object->supervisor->layer;
}

static bool is_not_now(int64_t result)
{
	return result == -PARLEY_EAGAIN || result == SOCK_WAIT;
}

/*
 * Whether the program has closed its last descriptor. When both ways are shut our end hangs up as
 * well, and a close cannot be seen any more.
 */
static bool is_closed(const struct object *object)
{
	bool shut = object->shut_wr && (object->shut_rd || object->passed_all);

	return object->hung_up && !shut;
}

/* The program's bytes at our end. */
static size_t bytes_to_send(const struct object *object)
{
	size_t unread = pair_unread(object->ours);

	return unread > object->planted ? unread - object->planted : 0;
}

/*
 * Reads up to `len` bytes into the send buffer; false when there is no room, or no more to read.
 * So many are there already, so an urgent byte that the program sends just now lies behind them.
 */
static bool send_some(struct object *object, size_t len)
{
	struct parley_buffer room[PIECES];
	struct iovec iov[PIECES];
	bool urgent = pair_at_mark(object->ours);

	if (urgent)
		len = 1;
	int n = sock_reserve(layer_of(object), object->sock, len < CHUNK ? len : CHUNK, room,
			     PIECES);

	if (n <= 0) {
		/* A dead connection takes no more; what the program still writes is lost. */
		if (!is_not_now(n))
			object->error = -n;
		return false;
	}
	for (int i = 0; i < n; i++)
		iov[i] = (struct iovec){.iov_base = room[i].data, .iov_len = room[i].len};
	ssize_t got = readv(object->ours, iov, n);
	if (got > 0)
		sock_commit(layer_of(object), object->sock, (size_t)got, urgent ? SOCK_MSG_OOB : 0);
	else
		object->may_read = false;
	return got > 0;
}

/* Behind the last byte; a close says it by itself. */
static void finish_sending(struct object *object)
{
	if (!is_closed(object))
		sock_shutdown(layer_of(object), object->sock, SOCK_SHUT_WR);
	object->sent_all = true;
}

static void send_bytes(struct object *object)
{
	while (object->may_read && !object->sent_all) {
		/* Once this holds the program cannot add to what is counted below. */
		bool last = object->half_shut || object->hung_up;
		size_t len = bytes_to_send(object);
		if (len > 0) {
			if (!send_some(object, len))
				return;
			continue;
		}
		object->may_read = false;
		if (last)
			finish_sending(object);
	}
}

/* Nobody will read it. Returns whether there was anything. */
static bool discard(struct object *object)
{
	struct parley_span spans[PIECES];
	bool any = false;
	int n;

	while ((n = sock_peek(layer_of(object), object->sock, spans, PIECES)) > 0) {
		size_t len = 0;
		for (int i = 0; i < n; i++)
			len += spans[i].len;
		if (sock_consume(layer_of(object), object->sock, len) < 0)
			break;
		any = true;
	}
	return any;
}

/*
 * Takes what comes though the program has shut its reading way. If it has shut both, it has closed
 * as far as the peer can tell: what still comes then is answered by a reset, as in Linux, or the
 * peer would go on for ever (RFC 1122 4.2.2.13).
 */
static void turn_away(struct object *object)
{
	bool any = discard(object);

	if (any && object->deaf && object->shut_wr)
		sock_disconnect(layer_of(object), object->sock);
	object->deaf = true;
}

static void pass_some(struct object *object, const struct parley_span *spans, int n)
{
	struct iovec iov[PIECES];
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = (size_t)n};

	for (int i = 0; i < n; i++)
		iov[i] = (struct iovec){.iov_base = (void *)(uintptr_t)spans[i].data,
					.iov_len = spans[i].len};
	ssize_t taken = sendmsg(object->ours, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (taken > 0)
		sock_consume(layer_of(object), object->sock, (size_t)taken);
	else
		object->may_write = false;
}

static void pass_urgent(struct object *object, uint8_t byte)
{
	if (pair_pass_urgent(object->ours, byte))
		sock_consume(layer_of(object), object->sock, 1);
	else
		object->may_write = false;
}

/* Passes on what the peer has sent. Returns whether that was all, for now or for ever. */
static bool pass_bytes(struct object *object)
{
	struct parley_span spans[PIECES];

	if (object->shut_rd)
		turn_away(object);
	while (!object->passed_all && !object->shut_rd && !is_closed(object)) {
		if (!object->may_write)
			return false;
		int n = sock_peek(layer_of(object), object->sock, spans, PIECES);
		if (n > 0) {
			if (sock_atmark(layer_of(object), object->sock) > 0)
				pass_urgent(object, *(const uint8_t *)spans[0].data);
			else
				pass_some(object, spans, n);
			continue;
		}
		if (n == 0 && !object->error) {
			object->passed_all = true;
			shutdown(object->ours, SHUT_WR);
		} else if (n < 0 && !is_not_now(n) && !object->error) {
			object->error = -n;
		}
		return true;
	}
	return true;
}

/* The connection is dead: closing our end tells the program, by an error if it may still read. */
static void reset_program(struct object *object)
{
	if (object->passed_all) {
		pair_drain(object->ours, SIZE_MAX);
	} else if (pair_unread(object->ours) == 0) {
		int theirs = object_duplicate(object);
		if (theirs >= 0) {
			pair_plant(theirs);
			close(theirs);
		}
	}
	object_end(object);
}

static bool lingers(const struct object *object, struct sock_linger *linger)
{
	size_t len = sizeof(*linger);

	return sock_getsockopt(layer_of(object), object->sock, SOCK_SOL_SOCKET, SOCK_SO_LINGER,
			       linger, &len) == 0 &&
	       linger->onoff;
}

/*
 * The program has closed. Linux resets the peer when anything is left unread, or when the user
 * wants no lingering at all; otherwise what the program wrote goes first.
 */
static void settle_closed(struct object *object)
{
	struct sock_linger linger;
	bool at_once = lingers(object, &linger) && linger.seconds == 0;

	if (object->unread || sock_inq(layer_of(object), object->sock) > 0) {
		linger = (struct sock_linger){.onoff = 1, .seconds = 0};
		sock_setsockopt(layer_of(object), object->sock, SOCK_SOL_SOCKET, SOCK_SO_LINGER,
				&linger, sizeof(linger));
		at_once = true;
	}
	if (at_once || object->sent_all || object->error)
		object_free(object);
}

void pump(struct object *object)
{
	if (object->phase != OBJECT_CONNECTED)
		return;
	bool passed = pass_bytes(object);
	send_bytes(object);
	if (is_closed(object)) {
		settle_closed(object);
		return;
	}
	/* When nobody asks for bytes any more, nobody meets the error. */
	if ((object->passed_all || object->shut_rd) && !object->error &&
	    (sock_ready(layer_of(object), object->sock) & SOCK_POLLERR))
		object->error = sock_error(layer_of(object), object->sock);
	if (object->error && passed) {
		reset_program(object);
	} else if (object->sent_all && (object->passed_all || object->shut_rd)) {
		pair_drain(object->ours, object->planted);
		object_end(object);
	}
}

void pump_connected(struct object *object)
{
	object->phase = OBJECT_CONNECTED;
	pair_drain(object->ours, object->filled);
	object->filled = 0;
	object->may_read = true;
	object->may_write = true;
	pump(object);
}

/* Back to where connect() is possible. */
static void become_idle(struct object *object)
{
	object->phase = OBJECT_IDLE;
	pair_drain(object->ours, object->filled);
	object->filled = 0;
}

/* A connect() has come to its end: getpeername() knows how without taking the error away. */
static void settle_connect(struct object *object)
{
	struct parley_endpoint remote;

	if (sock_getpeername(layer_of(object), object->sock, &remote) == 0)
		pump_connected(object);
	else if (supervisor_awaited(object))
		object->phase = OBJECT_IDLE;
	else
		become_idle(object);
}

void pump_pair_ready(struct loop_watch *watch, uint32_t events)
{
	struct object *object = watch->context;

	object->may_read |= (events & ~(uint32_t)EPOLLOUT) != 0;
	object->may_write |= (events & EPOLLOUT) != 0;
	object->half_shut |= (events & EPOLLRDHUP) != 0;
	object->hung_up |= (events & EPOLLHUP) != 0;
	object->unread |= (events & EPOLLERR) != 0;
	if (object->phase == OBJECT_CONNECTED)
		pump(object);
	else if (object->hung_up)
		object_free(object);
}

void pump_sock_event(struct sock_watch *watch, int sock, uint32_t ready)
{
	struct object *object = watch->context;

	(void)sock;
	switch (object->phase) {
	case OBJECT_IDLE:
		break;
	case OBJECT_LISTENING:
		call_signal_listener(object);
		break;
	case OBJECT_CONNECTING:
		if (ready & (SOCK_POLLOUT | SOCK_POLLERR | SOCK_POLLHUP))
			settle_connect(object);
		break;
	case OBJECT_CONNECTED:
		pump(object);
		break;
	case OBJECT_ENDED:
		if (object->shut_rd)
			turn_away(object);
		else
			discard(object);
		break;
	}
}
