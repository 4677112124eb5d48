/* SPDX-License-Identifier: MIT */
/* socket, bind, listen, connect, accept, shutdown: what makes a connection, and its end. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/calls.h"
#include "run/pump.h"
#include "run/remote.h"
#include "run/request.h"
#include "run/supervisor.h"

/* Bytes at a listener's end at most: so many fit for certain, and nobody counts them. */
#define SIGNALS_MAX 128

int64_t call_socket(struct request *request)
{
	struct supervisor *supervisor = request->supervisor;
	int domain = (int)request->call.args[0], type = (int)request->call.args[1];
	int protocol = (int)request->call.args[2];
	int theirs;

	/* Programs that prefer multipath TCP take this for a kernel without it. */
	if (protocol == IPPROTO_MPTCP)
		return -EPROTONOSUPPORT;
	if (protocol != IPPROTO_IP && protocol != IPPROTO_TCP)
		return CALL_CONTINUE;
	int sock = sock_socket(supervisor->layer, domain, type & SOCK_NONBLOCK);
	if (sock < 0)
		return sock;
	struct object *object = object_new(supervisor, type & SOCK_NONBLOCK, &theirs);
	if (!object) {
		sock_close_now(supervisor->layer, sock);
		return theirs;
	}
	object->filled = pair_fill(theirs);
	int fd = notify_install(supervisor->notify, request->call.id, theirs, type & SOCK_CLOEXEC);
	close(theirs);
	object_adopt(object, sock, request->call.tid, fd);
	if (fd >= 0)
		return CALL_DONE;
	object_free(object);
	return fd == -ENOENT ? CALL_DONE : fd;
}

int64_t call_bind(struct request *request)
{
	struct parley_endpoint local;
	int family = request_name(request, false, &local);

	if (family < 0)
		return family;
	return sock_bind(request->supervisor->layer, request->object->sock, &local);
}

/* What announced connections at a listener's end is not for what it becomes. */
static void unsignal_all(const struct request *request)
{
	struct object *object = request->object;

	while (object->signalled > 0 && pair_unsignal(request->theirs))
		object->signalled--;
}

int64_t call_listen(struct request *request)
{
	struct object *object = request->object;
	int result = -EINVAL;

	/* The pair of what has ended cannot announce connections. */
	if (object->phase != OBJECT_ENDED)
		result = sock_listen(request->supervisor->layer, object->sock,
				     (int)request->call.args[1]);
	if (result == 0 && object->phase != OBJECT_LISTENING) {
		unsignal_all(request);
		object->phase = OBJECT_LISTENING;
	}
	return result;
}

/*
 * A connect() that another thread waits in was given up, and is told so: repeating it, as when it
 * has come to its end by itself, would begin anew.
 */
static void give_up_connect(struct object *object)
{
	if (!supervisor_awaited(object))
		return;
	supervisor_forget(object, -ECONNRESET);
	sock_error(object->supervisor->layer, object->sock);
}

/*
 * connect() to no family at all takes a connection back. What was connected has ended then, and
 * stays so: its pair is of no more use.
 */
static int64_t disconnect(struct request *request)
{
	struct object *object = request->object;
	int result = sock_disconnect(object->supervisor->layer, object->sock);

	if (result)
		return result;
	if (object->phase == OBJECT_CONNECTING)
		give_up_connect(object);
	unsignal_all(request);
	if (object->phase == OBJECT_CONNECTED)
		object_end(object);
	else if (object->phase != OBJECT_ENDED)
		object->phase = OBJECT_IDLE;
	return 0;
}

static int64_t try_connect(struct request *request)
{
	struct object *object = request->object;
	struct sock_layer *layer = request->supervisor->layer;
	bool nonblock = !request->held && pair_nonblocking(request->theirs);

	sock_set_nonblock(layer, object->sock, nonblock);
	int result = sock_connect(layer, object->sock, &request->remote);
	if (object->phase != OBJECT_IDLE && object->phase != OBJECT_CONNECTING)
		return result;
	if (result == 0)
		pump_connected(object);
	else if (result == SOCK_WAIT || result == -EINPROGRESS || result == -EALREADY)
		object->phase = OBJECT_CONNECTING;
	else
		object->phase = OBJECT_IDLE;
	return result;
}

int64_t call_connect(struct request *request)
{
	struct object *object = request->object;

	if (request->held)
		return try_connect(request);
	int family = request_name(request, true, &request->remote);
	if (family < 0)
		return family;
	if (family == SOCK_AF_UNSPEC)
		return disconnect(request);
	if (object->phase == OBJECT_ENDED)
		return -EISCONN;
	request->again = object->phase == OBJECT_CONNECTING;
	if (object->phase == OBJECT_IDLE)
		unsignal_all(request);
	/* A connect() that failed has left the program's end writable. */
	if (object->phase == OBJECT_IDLE && object->filled == 0)
		object->filled = pair_fill(request->theirs);
	return try_connect(request);
}

/* Makes a descriptor of an accepted socket; returns its number, or why there is none. */
static int hand_over(struct request *request, int sock, int flags)
{
	struct supervisor *supervisor = request->supervisor;
	int theirs;
	struct object *object = object_new(supervisor, flags & SOCK_NONBLOCK, &theirs);

	if (!object)
		return theirs;
	call_inherit_options(supervisor->layer, sock, theirs);
	int fd = notify_install(supervisor->notify, request->call.id, theirs, flags & SOCK_CLOEXEC);
	close(theirs);
	if (fd < 0) {
		object_free(object);
		return fd;
	}
	object_adopt(object, sock, request->call.tid, fd);
	pump_connected(object);
	return fd;
}

static int deliver(struct request *request, int sock, const struct parley_endpoint *remote,
		   int flags)
{
	uint64_t addr = request->call.args[1];

	if (addr) {
		int err = request_write_name(request, sock, remote, addr, request->call.args[2]);
		if (err)
			return err;
	}
	return hand_over(request, sock, flags);
}

void call_signal_listener(struct object *object)
{
	int wanted = sock_waiting(object->supervisor->layer, object->sock);

	for (const struct request *held = object->held; held && wanted > 0; held = held->next) {
		if (notify_valid(held->supervisor->notify, held->call.id))
			wanted--;
	}
	if (wanted > SIGNALS_MAX)
		wanted = SIGNALS_MAX;
	while (object->signalled < wanted && pair_signal(object->ours))
		object->signalled++;
}

/* Takes back what announced connections that do not wait any more. */
static void unsignal_listener(struct request *request)
{
	struct object *object = request->object;
	int waiting = sock_waiting(object->supervisor->layer, object->sock);

	if (waiting < 0 || object->signalled <= waiting)
		return;
	if (request->theirs < 0)
		request->theirs = object_duplicate(object);
	while (object->signalled > waiting && pair_unsignal(request->theirs))
		object->signalled--;
}

static int64_t accept_one(struct request *request, int flags)
{
	struct object *listener = request->object;
	struct sock_layer *layer = request->supervisor->layer;
	struct parley_endpoint remote;
	bool nonblock = !request->held && pair_nonblocking(request->theirs);

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	sock_set_nonblock(layer, listener->sock, nonblock);
	int64_t result = sock_accept(layer, listener->sock, flags & SOCK_NONBLOCK, &remote);
	if (result >= 0) {
		int sock = (int)result;
		result = deliver(request, sock, &remote, flags);
		if (result < 0 && sock_unaccept(layer, listener->sock, sock) < 0)
			sock_close_now(layer, sock);
		if (result >= 0 || result == -ENOENT)
			result = CALL_DONE;
	}
	unsignal_listener(request);
	call_signal_listener(listener);
	return result;
}

int64_t call_accept(struct request *request)
{
	return accept_one(request, 0);
}

int64_t call_accept4(struct request *request)
{
	return accept_one(request, (int)request->call.args[3]);
}

/*
 * Whoever polls a listener learns by one more byte that it listens no more: accept() says EINVAL
 * then. The pair stays whole, because the socket may listen again, or connect.
 */
static void stop_listening(struct object *object)
{
	object->phase = OBJECT_IDLE;
	if (pair_signal(object->ours))
		object->signalled++;
}

/*
 * The kernel's shutdown() of the program's end is done here, through the duplicate: the planted
 * byte must be the last one, and a call that is continued may be taken back by a signal.
 */
int64_t call_shutdown(struct request *request)
{
	struct object *object = request->object;
	int how = (int)request->call.args[1];
	enum object_phase phase = object->phase;

	if (phase != OBJECT_CONNECTED || how < SHUT_RD || how > SHUT_RDWR) {
		int result = sock_shutdown(request->supervisor->layer, object->sock, how);
		if (result == 0 && phase == OBJECT_LISTENING && how != SHUT_WR)
			stop_listening(object);
		if (result == 0 && phase == OBJECT_CONNECTING)
			give_up_connect(object);
		return result;
	}
	if (how != SHUT_RD && !object->shut_wr) {
		pump(object);
		if (object->phase == OBJECT_ENDED)
			return 0;
		object->planted = !object->passed_all && pair_plant(request->theirs);
		object->shut_wr = true;
	}
	if (how != SHUT_WR) {
		object->shut_rd = true;
		sock_shutdown(request->supervisor->layer, object->sock, SHUT_RD);
	}
	shutdown(request->theirs, how);
	return 0;
}
