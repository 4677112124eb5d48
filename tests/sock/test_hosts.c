/* SPDX-License-Identifier: MIT */
/*
 * Sockets over the engine itself: two hosts, joined by a link in memory that takes 5 ms one way and
 * loses what a test tells it to lose. Time is virtual.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sock/sock.h"

#define MS    UINT64_C(1000000)
#define S     UINT64_C(1000000000)
#define DELAY (5 * MS)

#define FRAMES 4096
#define MTU    1500

struct end {
	struct parley_host *host;
	struct sock_layer *sock;
	int ifindex;
	int slabs;
};

struct frame {
	uint64_t at;
	int to;
	size_t len;
	uint8_t data[MTU + 14];
};

static struct end client, server;
static uint64_t now;
/* A ring: the delay is the same for all, so what was sent first arrives first. */
static struct frame ring[FRAMES];
static unsigned head, tail;
/* Every so many-th frame is lost; 1: all. 0: none. */
static unsigned lose, sent;
static uint8_t last_ttl;

static void *slab_alloc(void *ctx, size_t size, size_t align)
{
	++*(int *)ctx;
	return aligned_alloc(align, size);
}

static void slab_free(void *ctx, void *p, size_t size)
{
	(void)size;
	--*(int *)ctx;
	free(p);
}

static struct parley_endpoint end4(unsigned last, uint16_t port)
{
	struct parley_endpoint end = {.addr.b = {[10] = 0xff, [11] = 0xff, [12] = 10},
				      .port = port};

	end.addr.b[15] = (uint8_t)last;
	return end;
}

static void end_new(struct end *end, unsigned last)
{
	struct parley_config config = {.size = sizeof(config), .secret = {(uint8_t)last}};
	struct parley_interface interface = {.size = sizeof(interface), .name = "lan0", .mtu = MTU};
	struct sock_config sock = {.seed = last};
	struct parley_endpoint at = end4(last, 0);

	end->slabs = 0;
	config.allocator.alloc = slab_alloc;
	config.allocator.free = slab_free;
	config.allocator.ctx = &end->slabs;
	assert_int_equal(parley_host_new(&config, now, &end->host), 0);
	interface.link = PARLEY_LINK_ETHERNET;
	memcpy(interface.mac, (const uint8_t[]){2, 0, 0, 0, 0, (uint8_t)last}, 6);
	end->ifindex = parley_interface_add(end->host, now, &interface);
	assert_true(end->ifindex > 0);
	assert_int_equal(parley_address_add(end->host, now, end->ifindex, &at.addr, 24), 0);
	sock.host = end->host;
	sock.allocator = config.allocator;
	assert_int_equal(sock_layer_new(&sock, now, &end->sock), 0);
}

static void put_on_link(const struct parley_frame *frame, int to)
{
	struct frame *f = &ring[tail % FRAMES];
	int len = parley_frame_flatten(frame, 0, f->data, sizeof(f->data));

	assert_true(len > 0);
	if (f->data[12] == 8 && f->data[13] == 0)
		last_ttl = f->data[14 + 8];
	sent++;
	if (lose && sent % lose == 0)
		return;
	f->len = (size_t)len;
	f->at = now + DELAY;
	f->to = to;
	tail++;
	assert_true(tail - head < FRAMES);
}

static void end_output(struct end *end, int to)
{
	struct parley_frame frames[16];
	int i, n;

	while ((n = parley_output(end->host, end->ifindex, now, frames, 16)) > 0) {
		for (i = 0; i < n; i++)
			put_on_link(&frames[i], to);
		parley_release(end->host, frames, n);
	}
	assert_null(parley_check(end->host));
}

static uint64_t end_deadline(const struct end *end)
{
	uint64_t a = parley_deadline(end->host), b = sock_deadline(end->sock);

	return a < b ? a : b;
}

static void end_work(struct end *end)
{
	if (parley_deadline(end->host) <= now)
		parley_expire(end->host, now);
	sock_poll(end->sock, now);
}

static void deliver(void)
{
	while (head != tail && ring[head % FRAMES].at <= now) {
		struct frame *f = &ring[head++ % FRAMES];
		struct end *end = f->to ? &server : &client;
		struct parley_rx rx = {.data = f->data, .len = f->len, .ifindex = end->ifindex};

		assert_int_equal(parley_input(end->host, now, &rx, 1), 0);
	}
}

/* Goes on to what happens next, not beyond `limit`; false when nothing does until then. */
static bool step(uint64_t limit)
{
	uint64_t next, other;

	end_output(&client, 1);
	end_output(&server, 0);
	next = end_deadline(&client);
	other = end_deadline(&server);
	next = other < next ? other : next;
	if (head != tail && ring[head % FRAMES].at < next)
		next = ring[head % FRAMES].at;
	if (next > limit)
		return false;
	now = next > now ? next : now;
	deliver();
	end_work(&client);
	end_work(&server);
	return true;
}

static void run_for(uint64_t time)
{
	uint64_t limit = now + time;

	while (step(limit))
		;
	now = limit;
	sock_set_now(client.sock, now);
	sock_set_now(server.sock, now);
}

static int setup(void **state)
{
	(void)state;
	now = 1 * S;
	head = tail = lose = sent = 0;
	end_new(&client, 1);
	end_new(&server, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sock_layer_free(client.sock);
	sock_layer_free(server.sock);
	/* What is still under way ends by itself, and no connection is left. */
	lose = 0;
	now += 1;
	for (int i = 0; i < 100000 && now < 2000 * S; i++) {
		uint64_t next;

		end_output(&client, 1);
		end_output(&server, 0);
		next = parley_deadline(client.host);
		if (parley_deadline(server.host) < next)
			next = parley_deadline(server.host);
		if (head != tail && ring[head % FRAMES].at < next)
			next = ring[head % FRAMES].at;
		if (next == UINT64_MAX)
			break;
		now = next > now ? next : now;
		deliver();
		parley_expire(client.host, now);
		parley_expire(server.host, now);
	}
	for (struct end *end = &client;; end = &server) {
		struct parley_status status = {.size = sizeof(status)};
		uint64_t cursor = 0;

		if (parley_each(end->host, &cursor, &status))
			return 1;
		parley_host_free(end->host);
		if (end->slabs)
			return 1;
		if (end == &server)
			return 0;
	}
}

static int listening(struct sock_layer *sock, struct parley_endpoint at, int backlog)
{
	int fd = sock_socket(sock, SOCK_AF_INET, true);

	assert_int_equal(sock_set_int(sock, fd, SOCK_SOL_SOCKET, SOCK_SO_REUSEADDR, 1), 0);
	assert_int_equal(sock_bind(sock, fd, &at), 0);
	assert_int_equal(sock_listen(sock, fd, backlog), 0);
	return fd;
}

static int connecting(void)
{
	struct parley_endpoint to = end4(2, 80);
	int fd = sock_socket(client.sock, SOCK_AF_INET, true);

	assert_int_equal(sock_connect(client.sock, fd, &to), -PARLEY_EINPROGRESS);
	return fd;
}

/* A connection: c on the client, s on the server. */
static void connected(int *c, int *s)
{
	int l = listening(server.sock, end4(2, 80), 5);

	*c = connecting();
	run_for(100 * MS);
	*s = sock_accept(server.sock, l, true, NULL);
	assert_true(*s >= 0);
	assert_int_equal(sock_close(server.sock, l), 0);
}

static int64_t put(struct sock_layer *sock, int fd, const char *text)
{
	struct parley_span span = {text, strlen(text)};

	return sock_send(sock, fd, &span, 1, 0, NULL);
}

static char got[64];

static int64_t get(struct sock_layer *sock, int fd)
{
	struct parley_buffer buffer = {got, sizeof(got) - 1};

	memset(got, 0, sizeof(got));
	return sock_recv(sock, fd, &buffer, 1, 0, NULL);
}

#define IN     SOCK_POLLIN
#define OUT    SOCK_POLLOUT
#define HUP    SOCK_POLLHUP
#define RDHUP  SOCK_POLLRDHUP
#define FAILED SOCK_POLLERR

static void life_of_a_connection(void **state)
{
	struct parley_endpoint to = end4(2, 80), any = {.port = 80}, name, peer;
	int l = listening(server.sock, any, 5), c = connecting(), s;

	(void)state;
	assert_int_equal(sock_ready(client.sock, c), 0);
	assert_int_equal(sock_getsockname(client.sock, c, &name), 0);
	assert_int_equal(name.addr.b[15], 1);
	assert_in_range(name.port, 32768, 60999);
	assert_int_equal(sock_connect(client.sock, c, &to), -PARLEY_EALREADY);
	run_for(100 * MS);
	assert_int_equal(sock_ready(client.sock, c), OUT);
	assert_int_equal(sock_connect(client.sock, c, &to), 0);
	assert_int_equal(sock_ready(server.sock, l), IN);
	s = sock_accept(server.sock, l, true, &peer);
	assert_true(s >= 0);
	assert_memory_equal(&peer, &name, sizeof(name));
	assert_int_equal(sock_getsockname(server.sock, s, &name), 0);
	assert_memory_equal(&name, &to, sizeof(name));

	assert_int_equal(put(client.sock, c, "question"), 8);
	run_for(100 * MS);
	assert_int_equal(sock_ready(server.sock, s), IN | OUT);
	assert_int_equal(get(server.sock, s), 8);
	assert_string_equal(got, "question");
	assert_int_equal(sock_shutdown(client.sock, c, SOCK_SHUT_WR), 0);
	run_for(100 * MS);
	assert_int_equal(sock_ready(server.sock, s), IN | OUT | RDHUP);
	assert_int_equal(get(server.sock, s), 0);
	assert_int_equal(put(server.sock, s, "answer"), 6);
	assert_int_equal(sock_close(server.sock, s), 0);
	run_for(100 * MS);
	assert_int_equal(get(client.sock, c), 6);
	assert_string_equal(got, "answer");
	assert_int_equal(get(client.sock, c), 0);
	assert_int_equal(sock_ready(client.sock, c), IN | OUT | HUP | RDHUP);
	assert_int_equal(sock_error(client.sock, c), 0);
	assert_int_equal(sock_getpeername(client.sock, c, &peer), -PARLEY_ENOTCONN);
	assert_int_equal(sock_close(client.sock, c), 0);
}

/* The urgent byte overtakes nothing but is told of, also when its way is blocked. */
static void urgent_both_ways(void **state)
{
	struct parley_span span = {"ab!", 3};
	struct parley_buffer byte = {got, 1};
	int c, s;

	(void)state;
	for (struct end *end = &client;; end = &server) {
		const parley_conn none = PARLEY_NO_CONN;

		assert_int_equal(parley_set(end->host, now, none, PARLEY_SET_SEND_BUFFER, 1 << 20),
				 0);
		assert_int_equal(
			parley_set(end->host, now, none, PARLEY_SET_RECEIVE_BUFFER, 1 << 20), 0);
		if (end == &server)
			break;
	}
	connected(&c, &s);
	assert_int_equal(sock_send(client.sock, c, &span, 1, SOCK_MSG_OOB, NULL), 3);
	assert_int_equal(put(client.sock, c, "cd"), 2);
	assert_int_equal(sock_send(server.sock, s, &span, 1, SOCK_MSG_OOB, NULL), 3);
	run_for(100 * MS);
	assert_int_equal(sock_ready(client.sock, c), IN | OUT | SOCK_POLLPRI);
	assert_int_equal(sock_ready(server.sock, s), IN | OUT | SOCK_POLLPRI);
	assert_int_equal(get(server.sock, s), 2);
	assert_int_equal(sock_atmark(server.sock, s), 1);
	assert_int_equal(sock_recv(server.sock, s, &byte, 1, SOCK_MSG_OOB, NULL), 1);
	assert_int_equal(got[0], '!');
	assert_int_equal(sock_ready(server.sock, s), IN | OUT);
	assert_int_equal(get(server.sock, s), 2);
	assert_string_equal(got, "cd");
	assert_int_equal(get(client.sock, c), 2);
	assert_int_equal(sock_recv(client.sock, c, &byte, 1, SOCK_MSG_OOB, NULL), 1);
	/* With a closed window the pointer comes, and the byte when there is room. */
	static uint8_t much[1 << 20];
	struct parley_span all = {much, sizeof(much)};
	size_t read = 0;
	int64_t n;

	assert_int_equal(sock_send(server.sock, s, &all, 1, 0, NULL), sizeof(much));
	run_for(10 * S);
	all.len /= 2;
	assert_int_equal(sock_send(server.sock, s, &all, 1, 0, NULL), sizeof(much) / 2);
	run_for(10 * S);
	assert_int_equal(sock_send(server.sock, s, &span, 1, SOCK_MSG_OOB, NULL), 3);
	run_for(100 * MS);
	assert_int_equal(sock_recv(client.sock, c, &byte, 1, SOCK_MSG_OOB, NULL), -PARLEY_EAGAIN);
	for (int i = 0; i < 100000 && !sock_atmark(client.sock, c); i++) {
		n = get(client.sock, c);
		read += n > 0 ? (size_t)n : 0;
		if (n < 0)
			run_for(100 * MS);
	}
	assert_int_equal(read, sizeof(much) / 2 * 3 + 2);
	run_for(1 * S);
	assert_int_equal(sock_recv(client.sock, c, &byte, 1, SOCK_MSG_OOB, NULL), 1);
	assert_int_equal(got[0], '!');
}

static void refused(void **state)
{
	struct parley_endpoint to = end4(2, 80);
	int c = connecting();

	(void)state;
	run_for(100 * MS);
	assert_int_equal(sock_ready(client.sock, c), IN | OUT | HUP | RDHUP | FAILED);
	assert_int_equal(sock_connect(client.sock, c, &to), -PARLEY_ECONNREFUSED);
	listening(server.sock, to, 1);
	assert_int_equal(sock_connect(client.sock, c, &to), -PARLEY_EINPROGRESS);
	run_for(100 * MS);
	assert_int_equal(sock_connect(client.sock, c, &to), 0);
}

static void nobody_answers(void **state)
{
	struct parley_endpoint to = end4(2, 80);
	int c = sock_socket(client.sock, SOCK_AF_INET, true);

	(void)state;
	/* The neighbour must be known, or the host is what cannot be reached. */
	assert_int_equal(sock_connect(client.sock, c, &to), -PARLEY_EINPROGRESS);
	run_for(100 * MS);
	assert_int_equal(sock_error(client.sock, c), PARLEY_ECONNREFUSED);
	assert_int_equal(sock_connect(client.sock, c, &to), -PARLEY_ECONNABORTED);
	lose = 1;
	assert_int_equal(sock_set_int(client.sock, c, SOCK_IPPROTO_TCP, SOCK_TCP_SYNCNT, 2), 0);
	assert_int_equal(sock_connect(client.sock, c, &to), -PARLEY_EINPROGRESS);
	run_for(6900 * MS);
	assert_int_equal(sock_ready(client.sock, c), 0);
	run_for(200 * MS);
	assert_int_equal(sock_error(client.sock, c), PARLEY_ETIMEDOUT);
}

static void no_such_host(void **state)
{
	struct parley_endpoint to = end4(9, 80), far = end4(9, 80);
	int c = sock_socket(client.sock, SOCK_AF_INET, true);

	(void)state;
	far.addr.b[12] = 192;
	assert_int_equal(sock_connect(client.sock, c, &far), -PARLEY_ENETUNREACH);
	assert_int_equal(sock_connect(client.sock, c, &to), -PARLEY_EINPROGRESS);
	run_for(60 * S);
	assert_int_equal(sock_error(client.sock, c), PARLEY_EHOSTUNREACH);
}

/* ---- blocking users ---- */

#define BYTES (1 << 20)

struct user {
	struct sock_layer *sock;
	int fd;
	struct sock_wait wait;
	size_t done;
	bool ended;
	uint8_t data[BYTES];
};

static struct user sender, reader;

static void send_on(struct sock_wait *wait, void *context)
{
	struct user *u = context;
	struct parley_span span = {u->data, BYTES};
	int64_t n = sock_send(u->sock, u->fd, &span, 1, 0, &u->done);

	if (n == SOCK_WAIT) {
		assert_int_equal(sock_wait_for(u->sock, u->fd, SOCK_OP_SEND, wait), 0);
		return;
	}
	assert_int_equal(n, BYTES);
	assert_int_equal(sock_close(u->sock, u->fd), 0);
	u->ended = true;
}

static void read_on(struct sock_wait *wait, void *context)
{
	struct user *u = context;

	while (!u->ended) {
		size_t room = BYTES - u->done < 5000 ? BYTES - u->done + 1 : 5000;
		uint8_t part[5001];
		struct parley_buffer buffer = {part, room};
		int64_t n = sock_recv(u->sock, u->fd, &buffer, 1, 0, NULL);

		if (n == SOCK_WAIT) {
			assert_int_equal(sock_wait_for(u->sock, u->fd, SOCK_OP_RECV, wait), 0);
			return;
		}
		if (n < 0 || (size_t)n > BYTES - u->done)
			fail();
		else
			memcpy(u->data + u->done, part, (size_t)n);
		u->done += (size_t)n;
		u->ended = n == 0;
	}
}

static void user_init(struct user *u, struct sock_layer *sock, int fd,
		      void (*resume)(struct sock_wait *, void *))
{
	memset(u, 0, sizeof(*u));
	u->sock = sock;
	u->fd = fd;
	u->wait.resume = resume;
	u->wait.context = u;
	assert_int_equal(sock_set_nonblock(sock, fd, false), 0);
}

static void transfer(unsigned loss)
{
	int c, s;
	size_t i;

	connected(&c, &s);
	user_init(&sender, client.sock, c, send_on);
	user_init(&reader, server.sock, s, read_on);
	for (i = 0; i < BYTES; i++)
		sender.data[i] = (uint8_t)(i * 2654435761u >> 24);
	lose = loss;
	read_on(&reader.wait, &reader);
	send_on(&sender.wait, &sender);
	assert_false(sender.ended);
	for (i = 0; i < 300 && !reader.ended; i++)
		run_for(1 * S);
	assert_true(sender.ended);
	assert_true(reader.ended);
	assert_int_equal(reader.done, BYTES);
	assert_memory_equal(sender.data, reader.data, BYTES);
}

static void transfer_clean(void **state)
{
	(void)state;
	assert_int_equal(
		parley_set(client.host, now, PARLEY_NO_CONN, PARLEY_SET_SEND_BUFFER, 40000), 0);
	transfer(0);
}

static void transfer_lossy(void **state)
{
	(void)state;
	assert_int_equal(
		parley_set(client.host, now, PARLEY_NO_CONN, PARLEY_SET_SEND_BUFFER, 40000), 0);
	transfer(29);
}

/* ---- ends ---- */

static void unread_bytes_reset(void **state)
{
	int c, s;

	(void)state;
	connected(&c, &s);
	assert_int_equal(put(client.sock, c, "unread"), 6);
	run_for(100 * MS);
	assert_int_equal(sock_close(server.sock, s), 0);
	run_for(100 * MS);
	assert_int_equal(sock_ready(client.sock, c), IN | OUT | HUP | RDHUP | FAILED);
	assert_int_equal(get(client.sock, c), -PARLEY_ECONNRESET);
	assert_int_equal(get(client.sock, c), 0);
	assert_int_equal(put(client.sock, c, "x"), -PARLEY_EPIPE);
}

static void set_linger(struct sock_layer *sock, int fd, int seconds)
{
	struct sock_linger linger = {1, seconds};

	assert_int_equal(
		sock_setsockopt(sock, fd, SOCK_SOL_SOCKET, SOCK_SO_LINGER, &linger, sizeof(linger)),
		0);
}

static void linger_0(void **state)
{
	int c, s;

	(void)state;
	connected(&c, &s);
	set_linger(client.sock, c, 0);
	assert_int_equal(sock_close(client.sock, c), 0);
	run_for(100 * MS);
	assert_int_equal(sock_error(server.sock, s), PARLEY_ECONNRESET);
}

static void closed(struct sock_wait *wait, void *context)
{
	uint64_t *when = context;

	*when = now;
	assert_int_equal(sock_close(client.sock, wait->fd), 0);
}

/* As long as it takes the FIN to be acknowledged, though the peer does not close. */
static void lingers(void **state)
{
	uint64_t start, when = 0;
	struct sock_wait wait = {.resume = closed, .context = &when};
	int c, s;

	(void)state;
	connected(&c, &s);
	set_linger(client.sock, c, 30);
	start = now;
	assert_int_equal(put(client.sock, c, "last"), 4);
	assert_int_equal(sock_close(client.sock, c), SOCK_WAIT);
	assert_int_equal(sock_wait_for(client.sock, c, SOCK_OP_CLOSE, &wait), 0);
	run_for(1 * S);
	assert_true(when >= start + 2 * DELAY && when < start + 100 * MS);
	assert_int_equal(get(server.sock, s), 4);
	assert_int_equal(get(server.sock, s), 0);
}

static void lingers_in_vain(void **state)
{
	uint64_t start, when = 0;
	struct sock_wait wait = {.resume = closed, .context = &when};
	int c, s;

	(void)state;
	connected(&c, &s);
	set_linger(client.sock, c, 3);
	lose = 1;
	start = now;
	assert_int_equal(sock_close(client.sock, c), SOCK_WAIT);
	assert_int_equal(sock_wait_for(client.sock, c, SOCK_OP_CLOSE, &wait), 0);
	run_for(10 * S);
	assert_true(when == start + 3 * S);
}

static void bind_over_time_wait(void **state)
{
	struct parley_endpoint at = end4(2, 80), no = end4(7, 80);
	int c, s, fd = sock_socket(server.sock, SOCK_AF_INET, true);

	(void)state;
	connected(&c, &s);
	assert_int_equal(sock_close(server.sock, s), 0);
	run_for(100 * MS);
	assert_int_equal(sock_close(client.sock, c), 0);
	run_for(100 * MS);
	assert_int_equal(sock_bind(server.sock, fd, &no), -PARLEY_EADDRNOTAVAIL);
	assert_int_equal(sock_bind(server.sock, fd, &at), -PARLEY_EADDRINUSE);
	assert_int_equal(sock_set_int(server.sock, fd, SOCK_SOL_SOCKET, SOCK_SO_REUSEADDR, 1), 0);
	assert_int_equal(sock_bind(server.sock, fd, &at), 0);
	assert_int_equal(sock_listen(server.sock, fd, 1), 0);
}

static void same_four_tuple(void **state)
{
	struct parley_endpoint to = end4(2, 80), name;
	int c, s, fd = sock_socket(client.sock, SOCK_AF_INET, true);

	(void)state;
	connected(&c, &s);
	assert_int_equal(sock_set_int(client.sock, c, SOCK_SOL_SOCKET, SOCK_SO_REUSEADDR, 1), 0);
	assert_int_equal(sock_set_int(client.sock, fd, SOCK_SOL_SOCKET, SOCK_SO_REUSEADDR, 1), 0);
	assert_int_equal(sock_getsockname(client.sock, c, &name), 0);
	assert_int_equal(sock_bind(client.sock, fd, &name), 0);
	assert_int_equal(sock_connect(client.sock, fd, &to), -PARLEY_EADDRNOTAVAIL);
}

/* One more than listen() was told. */
static void backlog(void **state)
{
	int l = listening(server.sock, end4(2, 80), 1), i, fds[4], n = 0;

	(void)state;
	for (i = 0; i < 4; i++)
		fds[i] = connecting();
	run_for(500 * MS);
	assert_int_equal(sock_waiting(server.sock, l), 2);
	/* A second listen() makes room: the SYNs that found none come again. */
	assert_int_equal(sock_listen(server.sock, l, 5), 0);
	run_for(8000 * MS);
	assert_int_equal(sock_waiting(server.sock, l), 4);
	while (sock_accept(server.sock, l, true, NULL) >= 0)
		n++;
	assert_int_equal(n, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(sock_close(client.sock, fds[i]), 0);
}

static void both_families(void **state)
{
	struct parley_endpoint any = {.port = 80}, peer;
	int l = sock_socket(server.sock, SOCK_AF_INET6, true), s;

	(void)state;
	assert_int_equal(sock_bind(server.sock, l, &any), 0);
	assert_int_equal(sock_listen(server.sock, l, 1), 0);
	connecting();
	run_for(100 * MS);
	s = sock_accept(server.sock, l, true, &peer);
	assert_true(s >= 0);
	assert_int_equal(peer.addr.b[10], 0xff);
	assert_int_equal(peer.addr.b[15], 1);
}

static void options_take_effect(void **state)
{
	struct sock_tcp_info info;
	size_t len = sizeof(info);
	int c, s, value;

	(void)state;
	connected(&c, &s);
	assert_int_equal(
		sock_getsockopt(client.sock, c, SOCK_IPPROTO_TCP, SOCK_TCP_INFO, &info, &len), 0);
	assert_int_equal(info.state, SOCK_TCP_ESTABLISHED);
	assert_int_equal(info.snd_mss, MTU - 40);
	assert_int_equal(info.pmtu, MTU);
	assert_in_range(info.rtt, 10000, 20000);
	assert_int_equal(info.snd_cwnd, 10);
	assert_int_equal(sock_get_int(client.sock, c, SOCK_IPPROTO_TCP, SOCK_TCP_MAXSEG, &value),
			 0);
	assert_int_equal(value, MTU - 40);
	assert_int_equal(last_ttl, 64);
	assert_int_equal(sock_set_int(client.sock, c, SOCK_IPPROTO_IP, SOCK_IP_TTL, 3), 0);
	assert_int_equal(put(client.sock, c, "near"), 4);
	end_output(&client, 1);
	assert_int_equal(last_ttl, 3);
	/* Nagle holds the second back; told not to, it lets go. */
	assert_int_equal(put(client.sock, c, "by"), 2);
	end_output(&client, 1);
	assert_int_equal(sock_outq(client.sock, c), 6);
	value = (int)sent;
	assert_int_equal(sock_set_int(client.sock, c, SOCK_IPPROTO_TCP, SOCK_TCP_NODELAY, 1), 0);
	end_output(&client, 1);
	assert_int_equal(sent, value + 1);
}

static const char big[65000];

static void count_resumed(struct sock_wait *wait, void *context)
{
	(void)wait;
	++*(int *)context;
}

/* Nothing was cut short, so the host has not promised to tell of room: the layer sees to it. */
static void room_is_told_without_a_short_send(void **state)
{
	struct parley_span span = {big, 60000};
	int l = listening(server.sock, end4(2, 80), 5), c;
	struct sock_wait wait = {.wanted = SOCK_POLLOUT, .resume = count_resumed};
	int resumed = 0;

	(void)state;
	assert_int_equal(sock_set_int(server.sock, l, SOCK_SOL_SOCKET, SOCK_SO_RCVBUF, 20000), 0);
	c = connecting();
	run_for(100 * MS);
	/* The send buffer is nearly full, and of this a third is acknowledged: nobody reads. */
	assert_int_equal(sock_send(client.sock, c, &span, 1, 0, NULL), 60000);
	assert_int_equal(sock_ready(client.sock, c), 0);
	wait.context = &resumed;
	assert_int_equal(sock_wait_add(client.sock, c, &wait), 0);
	run_for(1 * S);
	assert_int_equal(sock_outq(client.sock, c), 40000);
	assert_int_equal(sock_ready(client.sock, c), OUT);
	assert_int_equal(resumed, 1);
}

/* No more than the buffer holds can come: whoever wants to be woken for more is woken for that. */
static void low_water_above_the_buffer(void **state)
{
	struct parley_span span = {big, 65000};
	int c, s;

	(void)state;
	connected(&c, &s);
	assert_int_equal(sock_set_int(server.sock, s, SOCK_SOL_SOCKET, SOCK_SO_RCVLOWAT, 30000), 0);
	assert_int_equal(sock_set_int(server.sock, s, SOCK_SOL_SOCKET, SOCK_SO_RCVBUF, 4000), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sock_send(client.sock, c, &span, 1, 0, NULL), span.len);
		run_for(10 * S);
		assert_int_equal(sock_ready(server.sock, s), IN | OUT);
		while (get(server.sock, s) > 0)
			continue;
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(life_of_a_connection),
		T(urgent_both_ways),
		T(refused),
		T(nobody_answers),
		T(no_such_host),
		T(transfer_clean),
		T(transfer_lossy),
		T(unread_bytes_reset),
		T(linger_0),
		T(lingers),
		T(lingers_in_vain),
		T(bind_over_time_wait),
		T(same_four_tuple),
		T(backlog),
		T(both_families),
		T(options_take_effect),
		T(room_is_told_without_a_short_send),
		T(low_water_above_the_buffer),
	};

	return cmocka_run_group_tests_name("sock hosts", tests, NULL, NULL);
}
