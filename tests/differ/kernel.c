/* SPDX-License-Identifier: MIT */
/*
 * The kernel's end. A packet written to the TUN device is processed before write() returns, and
 * what it answers waits to be read; an echo request behind it, and its reply, prove it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "side.h"
#include "wire/ip.h"
#include "wire/ipv4.h"

#define PROTOCOL_ICMP 1
#define PATIENCE_MS   20000
#define ASK_MS	      20
#define SYN_RECV_NEW  12 /* a request that is no socket yet, as inet_diag counts */

struct kernel {
	struct side side;
	int tun, diag;
	int listener, fd; /* -1: there is none */
	uint16_t echo;	  /* the last request's number */
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct kernel *of(struct side *side)
{
	return (struct kernel *)side;
}

static struct sockaddr_in name_of(uint32_t addr, uint16_t port)
{
	struct sockaddr_in name = {.sin_family = AF_INET};

	name.sin_addr.s_addr = htonl(addr);
	name.sin_port = htons(port);
	return name;
}

static int new_socket(const struct view *view)
{
	struct sockaddr_in name = name_of(VIEW_HERE, view->port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    bind(fd, (struct sockaddr *)&name, sizeof name))
		die("a socket of the kernel");
	return fd;
}

static void begin(struct side *side, const struct sequence *sequence)
{
	struct kernel *k = of(side);
	int fd = new_socket(&side->view), on = sequence->nodelay;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on))
		die("TCP_NODELAY");
	k->listener = k->fd = -1;
	if (sequence->active) {
		k->fd = fd;
		return;
	}
	if (listen(fd, 8))
		die("listen");
	k->listener = fd;
}

static int64_t close_it(struct kernel *k, bool abortive)
{
	struct linger linger = {.l_onoff = 1};
	int fd = k->fd;

	if (fd < 0)
		return -EBADF;
	k->fd = -1;
	if (abortive)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	return close(fd) ? -errno : 0;
}

static int64_t accept_it(struct kernel *k)
{
	if (k->fd >= 0 || k->listener < 0)
		return -EBADF;
	k->fd = accept4(k->listener, NULL, NULL, SOCK_NONBLOCK);
	return k->fd < 0 ? -errno : 0;
}

static int64_t connect_it(struct kernel *k)
{
	struct sockaddr_in name = name_of(VIEW_THERE, k->side.view.peer_port);

	return connect(k->fd, (struct sockaddr *)&name, sizeof name) ? -errno : 0;
}

static int64_t send_it(struct kernel *k, const struct step *step, int flags)
{
	static uint8_t text[SIDE_TEXT_MAX];
	ssize_t n;

	side_text(&k->side, text, step->size);
	n = send(k->fd, text, step->size, flags | MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	k->side.written += (uint32_t)n;
	return n;
}

static int64_t receive_it(struct kernel *k, const struct step *step, int flags,
			  struct outcome *outcome)
{
	static uint8_t text[SIDE_TEXT_MAX];
	ssize_t n = recv(k->fd, text, step->size, flags);

	if (n < 0)
		return -errno;
	outcome->bytes = view_hash(0, text, (size_t)n);
	return n;
}

static int64_t pending_error(struct kernel *k)
{
	int error = 0;
	socklen_t len = sizeof error;

	return getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &error, &len) ? -errno : error;
}

static int64_t set_it(struct kernel *k, int name, int value)
{
	return setsockopt(k->fd, IPPROTO_TCP, name, &value, sizeof value) ? -errno : 0;
}

static int64_t shut_it(struct kernel *k, int how)
{
	return shutdown(k->fd, how) ? -errno : 0;
}

static int64_t result_of(struct kernel *k, const struct step *step, struct outcome *outcome)
{
	switch (step->call) {
	case CALL_ACCEPT:
		return accept_it(k);
	case CALL_CONNECT:
		return connect_it(k);
	case CALL_SEND:
		return send_it(k, step, 0);
	case CALL_SEND_MORE:
		return send_it(k, step, MSG_MORE);
	case CALL_SEND_URGENT:
		return send_it(k, step, MSG_OOB);
	case CALL_RECEIVE:
		return receive_it(k, step, 0, outcome);
	case CALL_RECEIVE_URGENT:
		return receive_it(k, step, MSG_OOB, outcome);
	case CALL_SHUT_RD:
		return shut_it(k, SHUT_RD);
	case CALL_SHUT_WR:
		return shut_it(k, SHUT_WR);
	case CALL_SHUT_RDWR:
		return shut_it(k, SHUT_RDWR);
	case CALL_CLOSE:
		return close_it(k, false);
	case CALL_ABORT:
		return close_it(k, true);
	case CALL_ERROR:
		return pending_error(k);
	case CALL_NODELAY:
		return set_it(k, TCP_NODELAY, 1);
	case CALL_CORK:
		return set_it(k, TCP_CORK, 1);
	case CALL_UNCORK:
		return set_it(k, TCP_CORK, 0);
	case CALL_NONE:
	case CALL_COUNT:
		break;
	}
	return 0;
}

static void call(struct side *side, const struct step *step, struct outcome *outcome)
{
	outcome->result = result_of(of(side), step, outcome);
}

static void inject(struct side *side, const uint8_t *bytes, size_t len)
{
	if (write(of(side)->tun, bytes, len) != (ssize_t)len)
		die("write to the device");
}

static void ask_for_echo(struct kernel *k)
{
	struct ip_packet ip = {
		.src = ip_from_v4(VIEW_THERE),
		.dst = ip_from_v4(VIEW_HERE),
		.version = 4,
		.protocol = PROTOCOL_ICMP,
		.ttl = 64,
		.payload_len = 8,
	};
	uint8_t packet[64];
	size_t at = ipv4_emit(packet, &ip);

	memset(packet + at, 0, 8);
	packet[at] = 8;
	put_be16(packet + at + 6, ++k->echo);
	put_be16(packet + at + 2, checksum_fold(checksum_sum(packet + at, 8)));
	inject(&k->side, packet, at + 8);
}

static bool is_echo(const struct kernel *k, const uint8_t *bytes, size_t len)
{
	struct ip_packet ip;

	return ipv4_parse(&ip, bytes, len) == WIRE_OK && ip.protocol == PROTOCOL_ICMP &&
	       ip.payload_len >= 8 && ip.payload[0] == 0 && get_be16(ip.payload + 6) == k->echo;
}

static void drain(struct kernel *k, struct outcome *outcome)
{
	uint8_t packet[2048];

	ask_for_echo(k);
	for (;;) {
		struct pollfd wait = {.fd = k->tun, .events = POLLIN};
		ssize_t n;

		if (poll(&wait, 1, PATIENCE_MS) != 1) {
			errno = ETIMEDOUT;
			die("no echo from the kernel");
		}
		n = read(k->tun, packet, sizeof packet);
		if (n < 0)
			die("read from the device");
		if (is_echo(k, packet, (size_t)n))
			return;
		side_take(&k->side, outcome, packet, (size_t)n);
	}
}

static enum parley_state translate(unsigned state)
{
	static const enum parley_state states[] = {
		[TCP_ESTABLISHED] = PARLEY_ESTABLISHED,
		[TCP_SYN_SENT] = PARLEY_SYN_SENT,
		[TCP_SYN_RECV] = PARLEY_SYN_RECEIVED,
		[TCP_FIN_WAIT1] = PARLEY_FIN_WAIT_1,
		[TCP_FIN_WAIT2] = PARLEY_FIN_WAIT_2,
		[TCP_TIME_WAIT] = PARLEY_TIME_WAIT,
		[TCP_CLOSE] = PARLEY_CLOSED,
		[TCP_CLOSE_WAIT] = PARLEY_CLOSE_WAIT,
		[TCP_LAST_ACK] = PARLEY_LAST_ACK,
		[TCP_LISTEN] = PARLEY_CLOSED,
		[TCP_CLOSING] = PARLEY_CLOSING,
		[SYN_RECV_NEW] = PARLEY_SYN_RECEIVED,
	};

	return state < sizeof states / sizeof *states ? states[state] : PARLEY_CLOSED;
}

/* As ss does it: what the kernel has of this four-tuple. A listener is nothing. */
static enum parley_state state_of(struct kernel *k)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = {
		.header = {.nlmsg_len = sizeof request,
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST},
		.body = {.sdiag_family = AF_INET,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = UINT32_MAX},
	};
	struct inet_diag_sockid *id = &request.body.id;
	union {
		struct nlmsghdr header;
		uint8_t bytes[8192];
	} reply;
	const struct inet_diag_msg *message = NLMSG_DATA(&reply.header);

	id->idiag_sport = htons(k->side.view.port);
	id->idiag_dport = htons(k->side.view.peer_port);
	id->idiag_src[0] = htonl(VIEW_HERE);
	id->idiag_dst[0] = htonl(VIEW_THERE);
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	if (send(k->diag, &request, sizeof request, 0) < 0 ||
	    recv(k->diag, &reply, sizeof reply, 0) < (ssize_t)sizeof reply.header)
		die("inet_diag");
	if (reply.header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return PARLEY_CLOSED;
	return translate(message->idiag_state);
}

static uint32_t poll_it(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP};

	if (fd < 0 || poll(&poll_fd, 1, 0) < 0)
		return 0;
	return (uint32_t)poll_fd.revents;
}

static void look(struct side *side, struct outcome *outcome)
{
	struct kernel *k = of(side);

	drain(k, outcome);
	outcome->state = state_of(k);
	outcome->ready = poll_it(k->fd);
	outcome->waiting = poll_it(k->listener);
}

static void end(struct side *side)
{
	struct kernel *k = of(side);
	struct outcome rest = {0};
	uint8_t packet[VIEW_PACKET];

	close_it(k, true);
	if (k->listener >= 0)
		close(k->listener);
	drain(k, &rest);
	inject(side, packet, view_last_reset(&side->view, packet));
	drain(k, &rest);
}

static int open_tun(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		die("the TUN device");
	return fd;
}

/* What is sent before the kernel has noticed that somebody holds the device is lost. */
static void wait_for_device(struct kernel *k)
{
	struct pollfd wait = {.fd = k->tun, .events = POLLIN};
	struct outcome nothing = {0};

	for (int i = 0; i < PATIENCE_MS / ASK_MS; i++) {
		ask_for_echo(k);
		if (poll(&wait, 1, ASK_MS) == 1) {
			drain(k, &nothing);
			return;
		}
	}
	errno = ETIMEDOUT;
	die("the TUN device");
}

struct side *kernel_side(const char *device)
{
	static const struct side_ops ops = {begin, call, inject, look, end};
	static struct kernel kernel;

	kernel = (struct kernel){.side = {.ops = &ops}, .listener = -1, .fd = -1};
	kernel.tun = open_tun(device);
	kernel.diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (kernel.diag < 0)
		die("a socket for inet_diag");
	wait_for_device(&kernel);
	return &kernel.side;
}
