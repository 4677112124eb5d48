/* SPDX-License-Identifier: MIT */
/*
 * A host that does what it is told: the calls of <parley/conn.h> that the socket layer uses, over
 * connections whose every change is made by the test. What the network does is out of the way here,
 * so that what the layer makes of it can be seen. To be included by one file of a program.
 */
#ifndef FAKE_PARLEY_H
#define FAKE_PARLEY_H

#include <assert.h>
#include <parley/parley.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_CONNS 512
#define FAKE_BYTES 8192

struct fake_conn {
	bool used, owned, listener, closed, aborted, shut;
	struct parley_open open;
	enum parley_state state;
	/* PARLEY_DEAD, _CONNECTED: the levels that are not worked out from the rest. */
	uint32_t levels;
	uint32_t events;
	int error;
	uint8_t in[FAKE_BYTES], out[FAKE_BYTES];
	size_t in_from, in_to, out_len;
	/* The octet after urgent data, in `in`. */
	size_t up;
	/* Bytes that send will still take. */
	size_t room;
	bool fin;
	unsigned last_flags;
	/* A listener: what waits, oldest first. */
	parley_conn queue[16];
	int queued;
	int64_t set[PARLEY_SETTING_COUNT];
	bool was_set[PARLEY_SETTING_COUNT];
};

static struct fake {
	struct fake_conn conn[FAKE_CONNS];
	int64_t set[PARLEY_SETTING_COUNT];
	/* What the next connect or listen answers, if not 0. */
	int refuse;
	/* The next port that it chooses; 0: there is none left. */
	uint16_t port;
	uint64_t now;
	/* Slabs in use; how many more there are to be had. */
	int slabs, slabs_left;
} fake;

static const struct parley_setting_info fake_settings[] = {
#define PARLEY_X(name, key, type, scope, min, max, def, rfc, text) \
	{key, text, PARLEY_TYPE_##type, PARLEY_SCOPE_##scope, min, max, def, rfc},
	PARLEY_SETTINGS(PARLEY_X)
#undef PARLEY_X
};

/* 192.0.2.1 is the host's only address. */
static inline struct parley_endpoint end4(unsigned a, unsigned b, unsigned c, unsigned d,
					  uint16_t port)
{
	struct parley_endpoint end = {.addr.b = {[10] = 0xff, [11] = 0xff}, .port = port};

	end.addr.b[12] = (uint8_t)a;
	end.addr.b[13] = (uint8_t)b;
	end.addr.b[14] = (uint8_t)c;
	end.addr.b[15] = (uint8_t)d;
	return end;
}

static inline struct parley_host *fake_host(void)
{
	size_t i;

	memset(&fake, 0, sizeof(fake));
	for (i = 0; i < PARLEY_SETTING_COUNT; i++)
		fake.set[i] = fake_settings[i].initial;
	fake.port = 40000;
	fake.slabs_left = 1000;
	return (struct parley_host *)&fake;
}

static void *fake_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	assert(size == PARLEY_SLAB && align == PARLEY_SLAB);
	if (fake.slabs_left == 0)
		return NULL;
	fake.slabs_left--;
	fake.slabs++;
	return aligned_alloc(align, size);
}

static void fake_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	assert(size == PARLEY_SLAB);
	fake.slabs--;
	free(p);
}

static inline struct fake_conn *fake_at(parley_conn conn)
{
	assert(conn > 0 && conn < FAKE_CONNS && fake.conn[conn].used);
	return &fake.conn[conn];
}

/* Handles are never used twice. */
static parley_conn fake_new(const struct parley_open *open, enum parley_state state)
{
	parley_conn conn = 1;
	struct fake_conn *c;

	while (fake.conn[conn].used)
		conn++;
	assert(conn + 1 < FAKE_CONNS);
	c = &fake.conn[conn];
	c->used = true;
	c->owned = true;
	c->open = *open;
	c->state = state;
	c->room = 4096;
	memcpy(c->set, fake.set, sizeof(c->set));
	return conn;
}

/* ---- what the test does ---- */

static inline void fake_establish(parley_conn conn)
{
	fake_at(conn)->state = PARLEY_ESTABLISHED;
	fake_at(conn)->events |= PARLEY_CONNECTED | PARLEY_WRITABLE;
}

static inline void fake_deliver(parley_conn conn, const char *text)
{
	struct fake_conn *c = fake_at(conn);
	size_t len = strlen(text);

	assert(c->in_to + len <= FAKE_BYTES);
	memcpy(c->in + c->in_to, text, len);
	c->in_to += len;
	c->events |= PARLEY_READABLE;
}

/* The last of `ahead` bytes that are still to come is urgent. */
static inline void fake_urgent(parley_conn conn, size_t ahead)
{
	struct fake_conn *c = fake_at(conn);

	c->up = c->in_to + ahead;
	c->events |= PARLEY_URGENT;
}

static inline void fake_fin(parley_conn conn)
{
	struct fake_conn *c = fake_at(conn);

	c->fin = true;
	c->state = c->state == PARLEY_ESTABLISHED ? PARLEY_CLOSE_WAIT : PARLEY_TIME_WAIT;
	c->events |= PARLEY_READABLE | PARLEY_PEER_CLOSED;
}

static inline void fake_die(parley_conn conn, int error)
{
	struct fake_conn *c = fake_at(conn);

	c->state = PARLEY_CLOSED;
	c->error = error;
	c->levels |= PARLEY_DEAD;
	c->events |= PARLEY_DEAD;
	if (error == PARLEY_ECONNRESET)
		c->in_from = c->in_to;
}

static inline void fake_room(parley_conn conn, size_t room)
{
	fake_at(conn)->room = room;
	if (room)
		fake_at(conn)->events |= PARLEY_WRITABLE;
}

/* An established connection joins the listener's queue. */
static inline parley_conn fake_arrive(parley_conn listener, struct parley_endpoint remote)
{
	struct fake_conn *l = fake_at(listener);
	struct parley_open open = l->open;
	parley_conn conn;

	open.remote = remote;
	open.local = end4(192, 0, 2, 1, l->open.local.port);
	open.user = 0;
	conn = fake_new(&open, PARLEY_ESTABLISHED);
	fake_at(conn)->owned = false;
	memcpy(fake_at(conn)->set, l->set, sizeof(l->set));
	l->queue[l->queued++] = conn;
	l->events |= PARLEY_ACCEPT;
	return conn;
}

/* ---- what the layer calls ---- */

static int fake_open(const struct parley_open *open, enum parley_state state, parley_conn *out)
{
	struct parley_open full = *open;
	struct parley_endpoint ours = end4(192, 0, 2, 1, 0), any = end4(0, 0, 0, 0, 0);
	struct parley_addr zero = {{0}};

	assert(open->size == sizeof(*open));
	if (fake.refuse)
		return fake.refuse;
	if (memcmp(&full.local.addr, &zero, sizeof(zero)) != 0 &&
	    memcmp(&full.local.addr, &any.addr, sizeof(zero)) != 0 &&
	    memcmp(&full.local.addr, &ours.addr, sizeof(zero)) != 0)
		return -PARLEY_EADDRNOTAVAIL;
	if (full.local.port == 0 && fake.port == 0)
		return -PARLEY_EADDRNOTAVAIL;
	if (full.local.port == 0)
		full.local.port = fake.port++;
	if (state == PARLEY_SYN_SENT)
		full.local.addr = ours.addr;
	*out = fake_new(&full, state);
	return 0;
}

int parley_connect(struct parley_host *host, uint64_t now, const struct parley_open *open,
		   parley_conn *out)
{
	(void)host;
	fake.now = now;
	return fake_open(open, PARLEY_SYN_SENT, out);
}

int parley_listen(struct parley_host *host, uint64_t now, const struct parley_open *open,
		  parley_conn *out)
{
	int error = fake_open(open, PARLEY_LISTEN, out);

	(void)host;
	fake.now = now;
	if (!error)
		fake_at(*out)->listener = true;
	return error;
}

int parley_accept(struct parley_host *host, uint64_t now, parley_conn listener, uint64_t user,
		  parley_conn *out)
{
	struct fake_conn *l = fake_at(listener);

	(void)host;
	(void)now;
	if (l->queued == 0)
		return -PARLEY_EAGAIN;
	*out = l->queue[0];
	memmove(l->queue, l->queue + 1, sizeof(l->queue) - sizeof(l->queue[0]));
	l->queued--;
	fake_at(*out)->owned = true;
	fake_at(*out)->open.user = user;
	return 0;
}

int64_t parley_send(struct parley_host *host, uint64_t now, parley_conn conn,
		    const struct parley_span *spans, int n, unsigned flags)
{
	struct fake_conn *c = fake_at(conn);
	size_t taken = 0;
	int i;

	(void)host;
	(void)now;
	c->last_flags = flags;
	for (i = 0; i < n; i++) {
		size_t part = spans[i].len < c->room ? spans[i].len : c->room;

		memcpy(c->out + c->out_len, spans[i].data, part);
		c->out_len += part;
		c->room -= part;
		taken += part;
	}
	return taken ? (int64_t)taken : -PARLEY_EAGAIN;
}

int parley_reserve(struct parley_host *host, uint64_t now, parley_conn conn, size_t len,
		   struct parley_buffer *buffers, int n)
{
	struct fake_conn *c = fake_at(conn);

	(void)host;
	(void)now;
	if (n < 1 || c->room == 0)
		return 0;
	buffers[0].data = c->out + c->out_len;
	buffers[0].len = len < c->room ? len : c->room;
	return 1;
}

int64_t parley_commit(struct parley_host *host, uint64_t now, parley_conn conn, size_t len,
		      unsigned flags)
{
	struct fake_conn *c = fake_at(conn);

	(void)host;
	(void)now;
	c->last_flags = flags;
	c->out_len += len;
	c->room -= len;
	return (int64_t)len;
}

/* In two spans, so that whoever copies out of spans is seen to do it. */
int parley_peek_at(const struct parley_host *host, parley_conn conn, uint64_t skip,
		   struct parley_span *spans, int n)
{
	struct fake_conn *c = fake_at(conn);
	size_t from = c->in_from + skip, len, half;

	(void)host;
	if (from >= c->in_to || n == 0)
		return 0;
	len = c->in_to - from;
	half = (len + 1) / 2;
	spans[0].data = c->in + from;
	spans[0].len = half;
	if (n == 1 || len == half)
		return 1;
	spans[1].data = c->in + from + half;
	spans[1].len = len - half;
	return 2;
}

int parley_peek(const struct parley_host *host, parley_conn conn, struct parley_span *spans, int n)
{
	return parley_peek_at(host, conn, 0, spans, n);
}

int64_t parley_urgent(const struct parley_host *host, parley_conn conn)
{
	const struct fake_conn *c = fake_at(conn);

	(void)host;
	return c->up > c->in_from ? (int64_t)(c->up - c->in_from) : 0;
}

int parley_consume(struct parley_host *host, uint64_t now, parley_conn conn, size_t len)
{
	struct fake_conn *c = fake_at(conn);

	(void)host;
	(void)now;
	if (len > c->in_to - c->in_from)
		return -PARLEY_EINVAL;
	c->in_from += len;
	return 0;
}

int64_t parley_receive(struct parley_host *host, uint64_t now, parley_conn conn, void *buf,
		       size_t len)
{
	struct fake_conn *c = fake_at(conn);
	size_t there = c->in_to - c->in_from;

	(void)host;
	(void)now;
	if (there == 0 && c->error)
		return -c->error;
	if (there == 0)
		return c->fin ? 0 : -PARLEY_EAGAIN;
	if (len > there)
		len = there;
	memcpy(buf, c->in + c->in_from, len);
	c->in_from += len;
	return (int64_t)len;
}

int parley_shutdown(struct parley_host *host, uint64_t now, parley_conn conn, unsigned how)
{
	struct fake_conn *c = fake_at(conn);

	(void)host;
	(void)now;
	assert(how == PARLEY_SHUT_WR);
	c->shut = true;
	c->state = c->fin ? PARLEY_LAST_ACK : PARLEY_FIN_WAIT_1;
	return 0;
}

int parley_close(struct parley_host *host, uint64_t now, parley_conn conn)
{
	struct fake_conn *c = fake_at(conn);

	(void)host;
	(void)now;
	c->closed = true;
	if (c->state == PARLEY_ESTABLISHED)
		c->state = PARLEY_FIN_WAIT_1;
	else if (c->state == PARLEY_CLOSE_WAIT)
		c->state = PARLEY_LAST_ACK;
	return 0;
}

int parley_abort(struct parley_host *host, uint64_t now, parley_conn conn)
{
	(void)host;
	(void)now;
	fake_at(conn)->aborted = true;
	fake_at(conn)->state = PARLEY_CLOSED;
	return 0;
}

int parley_release_conn(struct parley_host *host, uint64_t now, parley_conn conn)
{
	if (!fake_at(conn)->closed && !fake_at(conn)->aborted)
		(void)parley_close(host, now, conn);
	assert(fake_at(conn)->owned);
	fake_at(conn)->owned = false;
	return 0;
}

int parley_events(struct parley_host *host, struct parley_event *events, int n)
{
	int i, count = 0;

	(void)host;
	for (i = 0; i < FAKE_CONNS && count < n; i++) {
		struct fake_conn *c = &fake.conn[i];

		if (!c->used || !c->owned || !c->events)
			continue;
		events[count].conn = (parley_conn)i;
		events[count].user = c->open.user;
		events[count].bits = c->events;
		events[count].error = c->error;
		c->events = 0;
		count++;
	}
	return count;
}

uint32_t parley_ready(const struct parley_host *host, parley_conn conn)
{
	struct fake_conn *c = fake_at(conn);
	uint32_t ready = c->levels;

	(void)host;
	if (c->listener)
		return c->queued ? PARLEY_ACCEPT : 0;
	if (c->in_to > c->in_from || c->fin || c->error)
		ready |= PARLEY_READABLE;
	if (c->fin)
		ready |= PARLEY_PEER_CLOSED;
	if (c->up > c->in_from)
		ready |= PARLEY_URGENT;
	if (c->room && c->state != PARLEY_SYN_SENT)
		ready |= PARLEY_WRITABLE;
	return ready;
}

int parley_status(const struct parley_host *host, parley_conn conn, struct parley_status *status)
{
	struct fake_conn *c = fake_at(conn);

	(void)host;
	assert(status->size == sizeof(*status));
	status->conn = conn;
	status->state = c->state;
	status->local = c->open.local;
	status->remote = c->open.remote;
	status->receive_queue = c->listener ? (uint64_t)c->queued : c->in_to - c->in_from;
	status->send_queue = c->listener ? c->open.backlog : c->out_len;
	status->error = c->error;
	status->owned = c->owned;
	return 0;
}

int parley_tcp_info(const struct parley_host *host, parley_conn conn, struct parley_tcp_info *info)
{
	struct fake_conn *c = fake_at(conn);

	(void)host;
	info->state = c->state;
	info->snd_mss = 1000;
	info->rcv_mss = 1000;
	info->rcv_wnd = (uint32_t)(FAKE_BYTES - (c->in_to - c->in_from));
	info->snd_cwnd = 10999;
	info->snd_ssthresh = UINT32_MAX;
	info->rtt = 20000000;
	info->last_data_sent = 3000000;
	info->pmtu = 1500;
	info->has_sack = true;
	info->has_wscale = true;
	info->snd_wscale = 7;
	info->rcv_wscale = 9;
	info->bytes_acked = UINT64_C(1) << 33;
	info->segs_in = UINT64_C(1) << 33;
	info->send_buffer = 300000;
	info->receive_buffer = 200000;
	return 0;
}

int parley_each(const struct parley_host *host, uint64_t *cursor, struct parley_status *status)
{
	while (++*cursor < FAKE_CONNS) {
		struct fake_conn *c = &fake.conn[*cursor];

		if (c->used && (c->owned || c->state != PARLEY_CLOSED) &&
		    !(c->listener && !c->owned))
			return parley_status(host, *cursor, status) + 1;
	}
	return 0;
}

int parley_set(struct parley_host *host, uint64_t now, parley_conn conn,
	       enum parley_setting setting, int64_t value)
{
	(void)host;
	(void)now;
	if (value < fake_settings[setting].minimum || value > fake_settings[setting].maximum)
		return -PARLEY_EINVAL;
	fake_at(conn)->set[setting] = value;
	fake_at(conn)->was_set[setting] = true;
	return 0;
}

int parley_get(const struct parley_host *host, parley_conn conn, enum parley_setting setting,
	       int64_t *value)
{
	(void)host;
	*value = conn == PARLEY_NO_CONN ? fake.set[setting] : fake_at(conn)->set[setting];
	return 0;
}

const struct parley_setting_info *parley_setting_info(int setting)
{
	return setting >= 0 && setting < PARLEY_SETTING_COUNT ? &fake_settings[setting] : NULL;
}

/* ---- a layer over it ---- */

static struct sock_layer *layer;

static inline int layer_setup(void **state)
{
	struct sock_config config;

	(void)state;
	memset(&config, 0, sizeof(config));
	config.host = fake_host();
	config.allocator.alloc = fake_alloc;
	config.allocator.free = fake_free;
	config.seed = 7;
	return sock_layer_new(&config, 1000, &layer);
}

/* Nothing may be left behind. */
static inline int layer_teardown(void **state)
{
	int i;

	(void)state;
	sock_layer_free(layer);
	for (i = 0; i < FAKE_CONNS; i++) {
		if (fake.conn[i].used && fake.conn[i].owned)
			return 1;
	}
	return fake.slabs;
}

static inline struct fake_conn *fake_of(int fd)
{
	return fake_at(sock_conn(layer, fd));
}

/* A connected socket, through connect(). */
static inline int fake_connected(bool nonblock)
{
	struct parley_endpoint peer = end4(198, 51, 100, 2, 80);
	int fd = sock_socket(layer, 2, nonblock);

	(void)sock_connect(layer, fd, &peer);
	fake_establish(sock_conn(layer, fd));
	if (sock_connect(layer, fd, &peer) != 0)
		abort();
	return fd;
}

#endif
