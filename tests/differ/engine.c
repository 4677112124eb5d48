/* SPDX-License-Identifier: MIT */
/*
 * Parley's end: the socket layer over a host in memory, one host for each sequence. Its time goes
 * on by a little with each step, so that no timer comes to fire, as none does in the kernel.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "side.h"
#include "sock/sock.h"
#include "wire/ip.h"

#define STEP_NS 20000
#define FRAMES	32
#define MTU	1500
#define MEMORY	(UINT64_C(64) << 20)

struct engine {
	struct side side;
	struct parley_host *host;
	struct sock_layer *layer;
	int ifindex, listener, fd;
	uint64_t now;
};

static struct engine *of(struct side *side)
{
	return (struct engine *)side;
}

static void must_be(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "differ: %s\n", what);
	exit(1);
}

static void *allocate_slab(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return aligned_alloc(align, size);
}

static void free_slab(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static struct parley_endpoint endpoint(uint32_t addr, uint16_t port)
{
	return (struct parley_endpoint){.addr = ip_from_v4(addr), .port = port};
}

/* As `run` sets up the kernel: see docs/differences.md. */
static const struct {
	enum parley_setting setting;
	int64_t value;
} settings[] = {
	{PARLEY_SET_DELAYED_ACK, 0},
	{PARLEY_SET_CHALLENGE_INTERVAL, 0},
	{PARLEY_SET_SEND_BUFFER, 4 << 20},
};

static void set_up(struct engine *e, uint64_t seed)
{
	const struct parley_allocator allocator = {.alloc = allocate_slab, .free = free_slab};
	struct parley_config config = {
		.size = sizeof config,
		.allocator = allocator,
		.memory_limit = MEMORY,
	};
	struct parley_interface interface = {
		.size = sizeof interface,
		.name = "differ",
		.link = PARLEY_LINK_IP,
		.mtu = MTU,
	};
	struct sock_config sock = {.allocator = allocator, .seed = seed};
	const struct parley_addr here = ip_from_v4(VIEW_HERE);

	put_be64(config.secret, seed);
	e->now = UINT64_C(1000000000) + seed % 1000000007;
	must_be(!parley_host_new(&config, e->now, &e->host), "no host");
	e->ifindex = parley_interface_add(e->host, e->now, &interface);
	must_be(e->ifindex > 0, "no interface");
	must_be(!parley_address_add(e->host, e->now, e->ifindex, &here, 24), "no address");
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		must_be(!parley_set(e->host, e->now, PARLEY_NO_CONN, settings[i].setting,
				    settings[i].value),
			"no setting");
	sock.host = e->host;
	must_be(!sock_layer_new(&sock, e->now, &e->layer), "no socket layer");
}

static void begin(struct side *side, const struct sequence *sequence)
{
	struct engine *e = of(side);
	const struct parley_endpoint here = endpoint(VIEW_HERE, side->view.port);
	int fd;

	set_up(e, sequence->seed);
	e->listener = e->fd = -1;
	fd = sock_socket(e->layer, SOCK_AF_INET, true);
	must_be(fd >= 0, "no socket");
	sock_set_int(e->layer, fd, SOCK_SOL_SOCKET, SOCK_SO_REUSEADDR, 1);
	sock_set_int(e->layer, fd, SOCK_IPPROTO_TCP, SOCK_TCP_NODELAY, sequence->nodelay);
	must_be(!sock_bind(e->layer, fd, &here), "no port");
	if (sequence->active) {
		e->fd = fd;
		return;
	}
	must_be(!sock_listen(e->layer, fd, 8), "no listener");
	e->listener = fd;
}

static int64_t close_it(struct engine *e, bool abortive)
{
	const struct sock_linger linger = {.onoff = 1};
	int fd = e->fd;

	if (fd < 0)
		return -PARLEY_EBADF;
	e->fd = -1;
	if (abortive)
		sock_setsockopt(e->layer, fd, SOCK_SOL_SOCKET, SOCK_SO_LINGER, &linger,
				sizeof linger);
	return sock_close(e->layer, fd);
}

static int64_t accept_it(struct engine *e)
{
	int fd;

	if (e->fd >= 0 || e->listener < 0)
		return -PARLEY_EBADF;
	fd = sock_accept(e->layer, e->listener, true, NULL);
	if (fd < 0)
		return fd;
	e->fd = fd;
	return 0;
}

static int64_t connect_it(struct engine *e)
{
	const struct parley_endpoint there = endpoint(VIEW_THERE, e->side.view.peer_port);

	return sock_connect(e->layer, e->fd, &there);
}

static int64_t send_it(struct engine *e, const struct step *step, unsigned flags)
{
	static uint8_t text[SIDE_TEXT_MAX];
	const struct parley_span span = {text, step->size};
	int64_t n;

	side_text(&e->side, text, step->size);
	n = sock_send(e->layer, e->fd, &span, 1, flags, NULL);
	if (n > 0)
		e->side.written += (uint32_t)n;
	return n;
}

static int64_t receive_it(struct engine *e, const struct step *step, unsigned flags,
			  struct outcome *outcome)
{
	static uint8_t text[SIDE_TEXT_MAX];
	const struct parley_buffer buffer = {text, step->size};
	int64_t n = sock_recv(e->layer, e->fd, &buffer, 1, flags, NULL);

	if (n >= 0)
		outcome->bytes = view_hash(0, text, (size_t)n);
	return n;
}

static int64_t set_it(struct engine *e, int name, int value)
{
	return sock_set_int(e->layer, e->fd, SOCK_IPPROTO_TCP, name, value);
}

static int64_t result_of(struct engine *e, const struct step *step, struct outcome *outcome)
{
	switch (step->call) {
	case CALL_ACCEPT:
		return accept_it(e);
	case CALL_CONNECT:
		return connect_it(e);
	case CALL_SEND:
		return send_it(e, step, 0);
	case CALL_SEND_MORE:
		return send_it(e, step, SOCK_MSG_MORE);
	case CALL_SEND_URGENT:
		return send_it(e, step, SOCK_MSG_OOB);
	case CALL_RECEIVE:
		return receive_it(e, step, 0, outcome);
	case CALL_RECEIVE_URGENT:
		return receive_it(e, step, SOCK_MSG_OOB, outcome);
	case CALL_SHUT_RD:
		return sock_shutdown(e->layer, e->fd, SOCK_SHUT_RD);
	case CALL_SHUT_WR:
		return sock_shutdown(e->layer, e->fd, SOCK_SHUT_WR);
	case CALL_SHUT_RDWR:
		return sock_shutdown(e->layer, e->fd, SOCK_SHUT_RDWR);
	case CALL_CLOSE:
		return close_it(e, false);
	case CALL_ABORT:
		return close_it(e, true);
	case CALL_ERROR:
		return sock_error(e->layer, e->fd);
	case CALL_NODELAY:
		return set_it(e, SOCK_TCP_NODELAY, 1);
	case CALL_CORK:
		return set_it(e, SOCK_TCP_CORK, 1);
	case CALL_UNCORK:
		return set_it(e, SOCK_TCP_CORK, 0);
	case CALL_NONE:
	case CALL_COUNT:
		break;
	}
	return 0;
}

static void tick(struct engine *e)
{
	e->now += STEP_NS;
	sock_set_now(e->layer, e->now);
}

static void call(struct side *side, const struct step *step, struct outcome *outcome)
{
	struct engine *e = of(side);

	tick(e);
	outcome->result = result_of(e, step, outcome);
}

static void inject(struct side *side, const uint8_t *bytes, size_t len)
{
	struct engine *e = of(side);
	const struct parley_rx frame = {.data = bytes, .len = len, .ifindex = e->ifindex};

	tick(e);
	parley_input(e->host, e->now, &frame, 1);
}

static void take(struct engine *e, struct outcome *outcome, const struct parley_frame *frame)
{
	uint8_t packet[VIEW_PACKET];
	int len = parley_frame_flatten(frame, 0, packet, sizeof packet);

	must_be(len > 0, "a frame that does not become a packet");
	side_take(&e->side, outcome, packet, (size_t)len);
}

static void drain(struct engine *e, struct outcome *outcome)
{
	struct parley_frame frames[FRAMES];
	int n;

	do {
		if (parley_deadline(e->host) <= e->now)
			parley_expire(e->host, e->now);
		sock_poll(e->layer, e->now);
		n = parley_output(e->host, e->ifindex, e->now, frames, FRAMES);
		for (int i = 0; i < n; i++)
			take(e, outcome, &frames[i]);
		parley_release(e->host, frames, n > 0 ? n : 0);
	} while (n > 0);
}

static enum parley_state state_of(const struct engine *e)
{
	struct parley_status status = {.size = sizeof status};
	uint64_t cursor = 0;

	while (parley_each(e->host, &cursor, &status) > 0)
		if (status.entry != PARLEY_ENTRY_LISTENER &&
		    status.remote.port == e->side.view.peer_port && status.state != PARLEY_CLOSED)
			return status.state;
	return PARLEY_CLOSED;
}

static void look(struct side *side, struct outcome *outcome)
{
	struct engine *e = of(side);
	const char *broken;

	drain(e, outcome);
	outcome->state = state_of(e);
	outcome->ready = e->fd < 0 ? 0 : sock_ready(e->layer, e->fd);
	outcome->waiting = e->listener < 0 ? 0 : sock_ready(e->layer, e->listener);
	broken = parley_check(e->host);
	must_be(!broken, broken);
}

static void end(struct side *side)
{
	struct engine *e = of(side);

	sock_layer_free(e->layer);
	parley_host_free(e->host);
}

struct side *parley_side(void)
{
	static const struct side_ops ops = {begin, call, inject, look, end};
	static struct engine engine;

	engine = (struct engine){.side = {.ops = &ops}};
	return &engine.side;
}
