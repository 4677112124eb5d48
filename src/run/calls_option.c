/* SPDX-License-Identifier: MIT */
/* Names and options of sockets. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "run/calls.h"
#include "run/pump.h"
#include "run/request.h"
#include "run/supervisor.h"

/* No option of a TCP socket is longer. */
#define OPTION_MAX 1024

int64_t call_getsockname(struct request *request)
{
	struct object *object = request->object;
	struct parley_endpoint local;
	int err = sock_getsockname(request->supervisor->layer, object->sock, &local);

	if (err)
		return err;
	return request_write_name(request, object->sock, &local, request->call.args[1],
				  request->call.args[2]);
}

int64_t call_getpeername(struct request *request)
{
	struct object *object = request->object;
	struct parley_endpoint remote;
	int err = sock_getpeername(request->supervisor->layer, object->sock, &remote);

	if (err)
		return err;
	return request_write_name(request, object->sock, &remote, request->call.args[1],
				  request->call.args[2]);
}

/* Reading and writing happen at the pair, without us: what rules them must be set there too. */
static bool rules_pair(int level, int name)
{
	if (level != SOL_SOCKET)
		return false;
	switch (name) {
	case SOCK_SO_OOBINLINE:
	case SOCK_SO_RCVLOWAT:
	case SOCK_SO_RCVTIMEO:
	case SOCK_SO_SNDTIMEO:
	case SOCK_SO_RCVTIMEO_NEW:
	case SOCK_SO_SNDTIMEO_NEW:
		return true;
	default:
		return false;
	}
}

/* Those of them that an accepted socket has from its listener, unless they are as in any socket. */
void call_inherit_options(struct sock_layer *layer, int sock, int theirs)
{
	static const struct {
		int name, usual;
	} options[] = {{SO_RCVTIMEO, 0}, {SO_SNDTIMEO, 0}, {SO_RCVLOWAT, 1}, {SO_OOBINLINE, 0}};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct timeval value = {0}, usual = {0};
		size_t len = sizeof(value);

		memcpy(&usual, &options[i].usual, sizeof(options[i].usual));
		if (sock_getsockopt(layer, sock, SOL_SOCKET, options[i].name, &value, &len) == 0 &&
		    memcmp(&value, &usual, sizeof(value)) != 0)
			setsockopt(theirs, SOL_SOCKET, options[i].name, &value, (socklen_t)len);
	}
}

static bool moves_bytes(int level, int name)
{
	return level == IPPROTO_TCP && (name == TCP_NODELAY || name == TCP_CORK);
}

int64_t call_setsockopt(struct request *request)
{
	struct object *object = request->object;
	int level = (int)request->call.args[1], name = (int)request->call.args[2];
	int len = (int)request->call.args[4];
	char value[OPTION_MAX];

	if (len < 0 || (size_t)len > sizeof(value))
		return -EINVAL;
	int err = request_read(request, request->call.args[3], value, (size_t)len);
	if (err)
		return err;
	/* It counts for what is written from now on, not for what lies in the pair. */
	if (moves_bytes(level, name))
		pump(object);
	err = sock_setsockopt(request->supervisor->layer, object->sock, level, name, value,
			      (size_t)len);
	if (err == 0 && rules_pair(level, name))
		setsockopt(request->theirs, level, name, value, (socklen_t)len);
	return err;
}

/*
 * The error of a connection that has ended, told once: by the program's own end, which does not
 * tell it any more when a read already did.
 */
static int ended_error(const struct request *request)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(request->theirs, SOL_SOCKET, SO_ERROR, &error, &len) || !error)
		return 0;
	return request->object->error ? request->object->error : error;
}

static int get_option(const struct request *request, void *value, size_t *len)
{
	const struct object *object = request->object;
	int level = (int)request->call.args[1], name = (int)request->call.args[2];

	if (object->phase == OBJECT_ENDED && level == SOL_SOCKET && name == SO_ERROR) {
		int error = ended_error(request);
		*len = *len < sizeof(error) ? *len : sizeof(error);
		memcpy(value, &error, *len);
		return 0;
	}
	return sock_getsockopt(request->supervisor->layer, object->sock, level, name, value, len);
}

int64_t call_getsockopt(struct request *request)
{
	uint64_t value_addr = request->call.args[3], len_addr = request->call.args[4];
	char value[OPTION_MAX];
	int room;
	int err = request_read(request, len_addr, &room, sizeof(room));

	if (err)
		return err;
	if (room < 0)
		return -EINVAL;
	size_t len = (size_t)room < sizeof(value) ? (size_t)room : sizeof(value);
	err = get_option(request, value, &len);
	if (err)
		return err;
	room = (int)len;
	err = request_write(request, value_addr, value, len);
	if (err)
		return err;
	return request_write(request, len_addr, &room, sizeof(room));
}
