/* SPDX-License-Identifier: MIT */
/* The plug-in's socket calls: the tool's descriptors and structs here, sock there. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "drill/plugin.h"

#define SPANS_MAX   64
#define NS_PER_MS   1000000
#define CC_INFO	    26 /* TCP_CC_INFO */
#define MEMORY_INFO 55 /* SO_MEMINFO */

/* ---- descriptors ---- */

static struct plugin_fd *find(struct plugin *plugin, int fd)
{
	if (fd < 0 || fd >= PLUGIN_FDS || !plugin->fds[fd].open) {
		errno = EBADF;
		return NULL;
	}
	return &plugin->fds[fd];
}

/* The socket's own descriptor, or -1 and EBADF. */
static int find_sock(struct plugin *plugin, int fd)
{
	struct plugin_fd *entry = find(plugin, fd);

	return entry ? entry->sock : -1;
}

/* A real descriptor that stands for ours. */
static int make(struct plugin *plugin, int sock)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fd >= PLUGIN_FDS) {
		close(fd);
		errno = EMFILE;
		return -1;
	}
	plugin->fds[fd] = (struct plugin_fd){.open = true, .sock = sock};
	return fd;
}

/* A result of sock as the system gives it. */
static int64_t answer(int64_t result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

static struct sock_layer *layer(const struct plugin *plugin)
{
	return plugin->stack.layer;
}

/* ---- opening ---- */

static int on_socket(void *userdata, int domain, int type, int protocol)
{
	struct plugin *plugin = userdata;
	int sock, fd = -1;

	plugin_enter(plugin);
	if ((type & 0xf) != SOCK_STREAM || (protocol && protocol != SOCK_PROTOCOL_TCP)) {
		errno = EPROTONOSUPPORT;
	} else {
		sock = sock_socket(layer(plugin), domain, (type & SOCK_NONBLOCK) != 0);
		fd = sock < 0 ? (int)answer(sock) : make(plugin, sock);
	}
	plugin_leave(plugin);
	return fd;
}

static int on_bind(void *userdata, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct plugin *plugin = userdata;
	struct parley_endpoint end;
	int sock, result = -1;

	plugin_enter(plugin);
	sock = find_sock(plugin, fd);
	if (sock >= 0) {
		result = sock_name_read(layer(plugin), sock, addr, len, false, &end);
		if (result >= 0) {
			plugin_add_address(plugin, &end.addr);
			result = sock_bind(layer(plugin), sock, &end);
		}
		result = (int)answer(result);
	}
	plugin_leave(plugin);
	return result;
}

static int on_listen(void *userdata, int fd, int backlog)
{
	struct plugin *plugin = userdata;
	int sock, result = -1;

	plugin_enter(plugin);
	sock = find_sock(plugin, fd);
	if (sock >= 0)
		result = (int)answer(sock_listen(layer(plugin), sock, backlog));
	plugin_leave(plugin);
	return result;
}

static int64_t try_accept(struct plugin *plugin, struct plugin_op *op)
{
	return sock_accept(layer(plugin), op->sock, false, op->data);
}

static int on_accept(void *userdata, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct plugin *plugin = userdata;
	struct parley_endpoint remote;
	struct plugin_op op = {
		.attempt = try_accept,
		.waits_for_socket = true,
		.operation = SOCK_OP_ACCEPT,
		.data = &remote,
	};
	int64_t sock = -1;
	int result = -1;

	plugin_enter(plugin);
	op.sock = find_sock(plugin, fd);
	if (op.sock >= 0) {
		sock = plugin_run(plugin, &op);
		result = sock < 0 ? (int)answer(sock) : make(plugin, (int)sock);
	}
	if (result >= 0 && addr && len)
		*len = (socklen_t)sock_name_write(layer(plugin), (int)sock, &remote, addr, *len);
	plugin_leave(plugin);
	return result;
}

static int64_t try_connect(struct plugin *plugin, struct plugin_op *op)
{
	return sock_connect(layer(plugin), op->sock, op->end);
}

static int on_connect(void *userdata, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct plugin *plugin = userdata;
	struct parley_endpoint end;
	struct plugin_op op = {
		.attempt = try_connect,
		.waits_for_socket = true,
		.operation = SOCK_OP_CONNECT,
		.end = &end,
	};
	int64_t result = -1;

	plugin_enter(plugin);
	op.sock = find_sock(plugin, fd);
	if (op.sock >= 0) {
		result = sock_name_read(layer(plugin), op.sock, addr, len, true, &end);
		if (result == SOCK_AF_UNSPEC)
			result = sock_disconnect(layer(plugin), op.sock);
		else if (result > 0)
			result = plugin_run(plugin, &op);
		result = answer(result);
	}
	plugin_leave(plugin);
	return (int)result;
}

static int64_t try_close(struct plugin *plugin, struct plugin_op *op)
{
	return sock_close(layer(plugin), op->sock);
}

static int on_close(void *userdata, int fd)
{
	struct plugin *plugin = userdata;
	struct plugin_op op = {
		.attempt = try_close,
		.waits_for_socket = true,
		.operation = SOCK_OP_CLOSE,
	};
	struct plugin_fd *entry;
	int64_t result = 0;

	plugin_enter(plugin);
	entry = find(plugin, fd);
	if (!entry) {
		result = -1;
	} else {
		op.sock = entry->sock;
		for (int i = 0; i < PLUGIN_FDS; i++)
			if (plugin->fds[i].epoll && !entry->epoll)
				drill_epoll_forget(plugin->fds[i].epoll, entry->sock);
		if (!entry->epoll)
			result = answer(plugin_run(plugin, &op));
		free(entry->epoll);
		*entry = (struct plugin_fd){.open = false};
		close(fd);
	}
	plugin_leave(plugin);
	return (int)result;
}

static int on_shutdown(void *userdata, int fd, int how)
{
	struct plugin *plugin = userdata;
	int sock, result = -1;

	plugin_enter(plugin);
	sock = find_sock(plugin, fd);
	if (sock >= 0)
		result = (int)answer(sock_shutdown(layer(plugin), sock, how));
	plugin_leave(plugin);
	return result;
}

/* ---- bytes ---- */

static int64_t try_send(struct plugin *plugin, struct plugin_op *op)
{
	return sock_send(layer(plugin), op->sock, op->data, op->count, op->flags, &op->progress);
}

static int64_t try_receive(struct plugin *plugin, struct plugin_op *op)
{
	return sock_recv(layer(plugin), op->sock, op->data, op->count, op->flags, &op->progress);
}

/* The system's vector is laid out as ours: a pointer, then a length. */
_Static_assert(sizeof(struct iovec) == sizeof(struct parley_span) &&
		       offsetof(struct iovec, iov_len) == offsetof(struct parley_span, len) &&
		       offsetof(struct iovec, iov_len) == offsetof(struct parley_buffer, len),
	       "an iovec is a span");

static ssize_t transfer(struct plugin *plugin, int fd, const struct iovec *iov, int count,
			int flags, bool out)
{
	struct iovec copy[SPANS_MAX];
	struct plugin_op op = {
		.attempt = out ? try_send : try_receive,
		.waits_for_socket = true,
		.operation = out ? SOCK_OP_SEND : SOCK_OP_RECV,
		.data = copy,
		.count = count,
		.flags = (unsigned)flags,
	};
	int64_t result = -1;

	if (count < 0 || count > SPANS_MAX) {
		errno = EINVAL;
		return -1;
	}
	memcpy(copy, iov, (size_t)count * sizeof *iov);
	plugin_enter(plugin);
	op.sock = find_sock(plugin, fd);
	if (op.sock >= 0)
		result = answer(plugin_run(plugin, &op));
	plugin_leave(plugin);
	return (ssize_t)result;
}

static ssize_t on_readv(void *userdata, int fd, const struct iovec *iov, int count)
{
	return transfer(userdata, fd, iov, count, 0, false);
}

static ssize_t on_recv(void *userdata, int fd, void *buf, size_t len, int flags)
{
	struct iovec iov = {buf, len};

	return transfer(userdata, fd, &iov, 1, flags, false);
}

static ssize_t on_read(void *userdata, int fd, void *buf, size_t count)
{
	return on_recv(userdata, fd, buf, count, 0);
}

static ssize_t on_recvfrom(void *userdata, int fd, void *buf, size_t len, int flags,
			   struct sockaddr *src, socklen_t *src_len)
{
	(void)src;
	if (src_len)
		*src_len = 0;
	return on_recv(userdata, fd, buf, len, flags);
}

static ssize_t on_recvmsg(void *userdata, int fd, struct msghdr *msg, int flags)
{
	ssize_t result = transfer(userdata, fd, msg->msg_iov, (int)msg->msg_iovlen, flags, false);

	msg->msg_flags = 0;
	msg->msg_namelen = 0;
	msg->msg_controllen = 0;
	return result;
}

static ssize_t on_writev(void *userdata, int fd, const struct iovec *iov, int count)
{
	return transfer(userdata, fd, iov, count, 0, true);
}

static ssize_t on_send(void *userdata, int fd, const void *buf, size_t len, int flags)
{
	struct iovec iov = {(void *)buf, len};

	return transfer(userdata, fd, &iov, 1, flags, true);
}

static ssize_t on_write(void *userdata, int fd, const void *buf, size_t count)
{
	return on_send(userdata, fd, buf, count, 0);
}

static ssize_t on_sendto(void *userdata, int fd, const void *buf, size_t len, int flags,
			 const struct sockaddr *dest, socklen_t dest_len)
{
	(void)dest;
	(void)dest_len;
	return on_send(userdata, fd, buf, len, flags);
}

static ssize_t on_sendmsg(void *userdata, int fd, const struct msghdr *msg, int flags)
{
	return transfer(userdata, fd, msg->msg_iov, (int)msg->msg_iovlen, flags, true);
}

/* ---- options ---- */

static int on_fcntl(void *userdata, int fd, int cmd, ...)
{
	struct plugin *plugin = userdata;
	int sock, flags, result = -1;
	va_list arguments;

	va_start(arguments, cmd);
	flags = va_arg(arguments, int);
	va_end(arguments);
	plugin_enter(plugin);
	sock = find_sock(plugin, fd);
	if (sock < 0)
		;
	else if (cmd == F_SETFL)
		result = (int)answer(
			sock_set_nonblock(layer(plugin), sock, (flags & O_NONBLOCK) != 0));
	else if (cmd == F_GETFL)
		result = O_RDWR |
			 (sock_get_nonblock(layer(plugin), sock) > 0 ? (int)O_NONBLOCK : 0);
	else if (cmd == F_SETFD || cmd == F_GETFD)
		result = 0;
	else
		errno = EINVAL;
	plugin_leave(plugin);
	return result;
}

static int on_ioctl(void *userdata, int fd, unsigned long request, ...)
{
	struct plugin *plugin = userdata;
	int64_t result = -1;
	va_list arguments;
	int sock, *value;

	va_start(arguments, request);
	value = va_arg(arguments, int *);
	va_end(arguments);
	plugin_enter(plugin);
	sock = find_sock(plugin, fd);
	if (sock >= 0) {
		result = -ENOTTY;
		if (request == SIOCINQ)
			result = sock_inq(layer(plugin), sock);
		else if (request == SIOCOUTQ)
			result = sock_outq(layer(plugin), sock);
		else if (request == FIONBIO)
			result = sock_set_nonblock(layer(plugin), sock, *value != 0);
		if (result >= 0 && request != FIONBIO)
			*value = (int)result;
		result = answer(result < 0 ? result : 0);
	}
	plugin_leave(plugin);
	return (int)result;
}

static int on_setsockopt(void *userdata, int fd, int level, int name, const void *value,
			 socklen_t len)
{
	struct plugin *plugin = userdata;
	int sock, result = -1;

	plugin_enter(plugin);
	sock = find_sock(plugin, fd);
	if (sock >= 0)
		result = (int)answer(sock_setsockopt(layer(plugin), sock, level, name, value, len));
	plugin_leave(plugin);
	return result;
}

bool plugin_getsockopt(struct plugin *plugin, int fd, int level, int name, void *value,
		       socklen_t *len, int *result)
{
	size_t room = *len;
	int sock;

	if (fd < 0 || fd >= PLUGIN_FDS || !plugin->fds[fd].open)
		return false;
	plugin_enter(plugin);
	sock = plugin->fds[fd].sock;
	/* What the tool's code asks for beside TCP_INFO: there is nothing to tell. */
	if ((level == SOCK_IPPROTO_TCP && name == CC_INFO) ||
	    (level == SOCK_SOL_SOCKET && name == MEMORY_INFO)) {
		memset(value, 0, *len);
		*result = 0;
	} else {
		/* The tool's struct may be longer than ours. */
		memset(value, 0, *len);
		*result = (int)answer(
			sock_getsockopt(layer(plugin), sock, level, name, value, &room));
		*len = (socklen_t)room;
	}
	plugin_leave(plugin);
	return true;
}

static int on_getsockopt(void *userdata, int fd, int level, int name, void *value, socklen_t *len)
{
	int result;

	if (plugin_getsockopt(userdata, fd, level, name, value, len, &result))
		return result;
	errno = EBADF;
	return -1;
}

/* ---- readiness ---- */

static int64_t try_poll(struct plugin *plugin, struct plugin_op *op)
{
	struct pollfd *fds = op->data;
	int64_t ready = 0;

	for (int i = 0; i < op->count; i++) {
		uint32_t wanted = (uint16_t)fds[i].events | POLLERR | POLLHUP;
		bool ours = fds[i].fd >= 0 && fds[i].fd < PLUGIN_FDS && plugin->fds[fds[i].fd].open;

		if (ours)
			fds[i].revents = (short)(sock_ready(layer(plugin),
							    plugin->fds[fds[i].fd].sock) &
						 wanted);
		else
			fds[i].revents = fds[i].fd < 0 ? 0 : POLLNVAL;
		ready += fds[i].revents != 0;
	}
	return ready ? ready : SOCK_WAIT;
}

/* ns; a timeout of 0 is over at once, a negative one never. */
static uint64_t deadline(const struct plugin *plugin, int timeout)
{
	return timeout < 0 ? UINT64_MAX : plugin->stack.now + (uint64_t)timeout * NS_PER_MS;
}

static int on_poll(void *userdata, struct pollfd *fds, nfds_t count, int timeout)
{
	struct plugin *plugin = userdata;
	struct plugin_op op = {.attempt = try_poll, .data = fds, .count = (int)count};
	int64_t result;

	plugin_enter(plugin);
	op.deadline = deadline(plugin, timeout);
	result = answer(plugin_run(plugin, &op));
	plugin_leave(plugin);
	return (int)result;
}

static int on_epoll_create(void *userdata, int size)
{
	struct plugin *plugin = userdata;
	int fd;

	(void)size;
	plugin_enter(plugin);
	fd = make(plugin, -1);
	if (fd >= 0 && !(plugin->fds[fd].epoll = calloc(1, sizeof(struct drill_epoll))))
		abort();
	plugin_leave(plugin);
	return fd;
}

static int on_epoll_ctl(void *userdata, int epfd, int operation, int fd, struct epoll_event *event)
{
	struct plugin *plugin = userdata;
	struct plugin_fd *epoll, *sock;
	int result = -1;

	plugin_enter(plugin);
	epoll = find(plugin, epfd);
	sock = find(plugin, fd);
	if (epoll && sock && !epoll->epoll)
		errno = EINVAL;
	else if (epoll && sock)
		result = (int)answer(drill_epoll_ctl(epoll->epoll, operation, sock->sock,
						     event ? event->events : 0,
						     event ? event->data.u64 : 0));
	plugin_leave(plugin);
	return result;
}

/* What epoll_wait() fills in, and the instance that it asks. */
struct epoll_call {
	struct drill_epoll *epoll;
	struct drill_epoll_event found[DRILL_EPOLL_MAX];
	int n;
};

/* What was found once stays found: an edge is told only once. */
static int64_t try_epoll_wait(struct plugin *plugin, struct plugin_op *op)
{
	struct epoll_call *call = op->data;

	if (!call->n)
		call->n = drill_epoll_collect(call->epoll, layer(plugin), call->found, op->count);
	return call->n ? call->n : SOCK_WAIT;
}

static int on_epoll_wait(void *userdata, int epfd, struct epoll_event *events, int max, int timeout)
{
	struct plugin *plugin = userdata;
	struct epoll_call call = {.n = 0};
	struct plugin_op op = {
		.attempt = try_epoll_wait,
		.data = &call,
		.count = max < DRILL_EPOLL_MAX ? max : DRILL_EPOLL_MAX,
	};
	struct plugin_fd *entry;
	int64_t result = -1;

	plugin_enter(plugin);
	entry = find(plugin, epfd);
	if (entry && (!entry->epoll || max <= 0)) {
		errno = EINVAL;
	} else if (entry) {
		call.epoll = entry->epoll;
		op.deadline = deadline(plugin, timeout);
		result = answer(plugin_run(plugin, &op));
	}
	for (int i = 0; i < result; i++) {
		events[i].events = call.found[i].events;
		events[i].data.u64 = call.found[i].data;
	}
	plugin_leave(plugin);
	return (int)result;
}

static int on_pipe(void *userdata, int fds[2])
{
	(void)userdata;
	(void)fds;
	errno = ENOSYS;
	return -1;
}

static int on_splice(void *userdata, int in, loff_t *in_off, int out, loff_t *out_off, size_t len,
		     unsigned flags)
{
	(void)userdata;
	(void)in;
	(void)in_off;
	(void)out;
	(void)out_off;
	(void)len;
	(void)flags;
	errno = ENOSYS;
	return -1;
}

void plugin_calls(struct packetdrill_interface *interface)
{
	interface->socket = on_socket;
	interface->bind = on_bind;
	interface->listen = on_listen;
	interface->accept = on_accept;
	interface->connect = on_connect;
	interface->read = on_read;
	interface->readv = on_readv;
	interface->recv = on_recv;
	interface->recvfrom = on_recvfrom;
	interface->recvmsg = on_recvmsg;
	interface->write = on_write;
	interface->writev = on_writev;
	interface->send = on_send;
	interface->sendto = on_sendto;
	interface->sendmsg = on_sendmsg;
	interface->fcntl = on_fcntl;
	interface->ioctl = on_ioctl;
	interface->close = on_close;
	interface->shutdown = on_shutdown;
	interface->getsockopt = on_getsockopt;
	interface->setsockopt = on_setsockopt;
	interface->poll = on_poll;
	interface->epoll_create = on_epoll_create;
	interface->epoll_ctl = on_epoll_ctl;
	interface->epoll_wait = on_epoll_wait;
	interface->pipe = on_pipe;
	interface->splice = on_splice;
}
