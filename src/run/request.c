/* SPDX-License-Identifier: MIT */
#include "run/request.h"

#include <errno.h>
#include <sys/socket.h>

#include "run/remote.h"
#include "run/supervisor.h"

static bool has_vanished(const struct request *request)
{
	return !notify_valid(request->supervisor->notify, request->call.id);
}

int request_read(const struct request *request, uint64_t addr, void *buf, size_t len)
{
	int err = remote_read(request->call.tid, addr, buf, len);

	/* Only now is it known that it was this program's memory, not a later one's. */
	if (has_vanished(request))
		return CALL_DONE;
	return err;
}

int request_write(const struct request *request, uint64_t addr, const void *buf, size_t len)
{
	if (has_vanished(request))
		return CALL_DONE;
	return remote_write(request->call.tid, addr, buf, len);
}

int request_name(const struct request *request, bool connecting, struct parley_endpoint *out)
{
	struct sockaddr_storage name;
	int len = (int)request->call.args[2];

	if (len < 0 || (size_t)len > sizeof(name))
		return -EINVAL;
	int err = request_read(request, request->call.args[1], &name, (size_t)len);
	if (err)
		return err;
	return sock_name_read(request->supervisor->layer, request->object->sock, &name, (size_t)len,
			      connecting, out);
}

int request_write_name(const struct request *request, int sock, const struct parley_endpoint *end,
		       uint64_t addr, uint64_t len_addr)
{
	struct sockaddr_storage name;
	int room;
	int err = request_read(request, len_addr, &room, sizeof(room));

	if (err)
		return err;
	if (room < 0)
		return -EINVAL;
	int len = sock_name_write(request->supervisor->layer, sock, end, &name, sizeof(name));
	if (len < 0)
		return len;
	err = request_write(request, addr, &name, (size_t)(room < len ? room : len));
	if (err)
		return err;
	return request_write(request, len_addr, &len, sizeof(len));
}
