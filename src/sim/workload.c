/* SPDX-License-Identifier: MIT */
#include "sim/workload.h"

#include "sim/world.h"

#define BACKLOG 128
#define OPS_MAX 24

static const char *const names[] = {
#define SIM_X(name, text, meaning) [SIM_##name] = text,
	SIM_WORKLOAD_KINDS(SIM_X)
#undef SIM_X
};

const char *sim_workload_name(int kind)
{
	return kind >= 0 && kind < SIM_WORKLOADS ? names[kind] : "?";
}

/* A program as it is put together. */
struct script {
	struct sim_op op[OPS_MAX];
	uint32_t n;
};

/* The three parts that differ: who connects, and who was accepted. */
struct roles {
	struct script client, server;
};

static void add(struct script *s, struct sim_op op)
{
	s->op[s->n++] = op;
}

static void add_send(struct script *s, uint64_t bytes)
{
	add(s, SIM_SEND(bytes));
	add(s, SIM_WAIT(SIM_UNTIL_SENT));
}

static void add_read(struct script *s, uint64_t bytes)
{
	add(s, SIM_READ(bytes));
	add(s, SIM_WAIT(SIM_UNTIL_READ));
}

static void add_read_all(struct script *s)
{
	add(s, SIM_READ(SIM_ALL));
	add(s, SIM_WAIT(SIM_UNTIL_EOF));
}

static void add_close(struct script *s)
{
	add(s, SIM_CLOSE());
	add(s, SIM_WAIT(SIM_UNTIL_DEAD));
}

/* Ends sending; who has sent nothing may not be connected yet. */
static void add_end(struct script *s)
{
	add(s, SIM_WAIT(SIM_UNTIL_CONNECTED));
	add(s, SIM_SHUTDOWN(PARLEY_SHUT_WR));
}

static void sender(struct script *s, const struct sim_workload *w)
{
	add_send(s, w->bytes);
	add_end(s);
	/* Reading to the end first, so that close does not reset. */
	add_read_all(s);
	add_close(s);
}

static void reader(struct script *s)
{
	add_read_all(s);
	add_close(s);
}

static void both_ways(struct script *s, const struct sim_workload *w)
{
	add(s, SIM_SEND(w->bytes));
	add(s, SIM_READ(SIM_ALL));
	add(s, SIM_WAIT(SIM_UNTIL_SENT));
	add_end(s);
	add(s, SIM_WAIT(SIM_UNTIL_EOF));
	add_close(s);
}

static void ping_pong(struct roles *r, const struct sim_workload *w)
{
	uint32_t first = r->client.n;
	uint32_t times = w->count ? w->count - 1 : 0;

	add_send(&r->client, w->bytes);
	add_read(&r->client, w->bytes);
	add(&r->client, SIM_REPEAT(first, times));
	reader(&r->client);
	first = r->server.n;
	add_read(&r->server, w->bytes);
	add_send(&r->server, w->bytes);
	add(&r->server, SIM_REPEAT(first, times));
	add(&r->server, SIM_SHUTDOWN(PARLEY_SHUT_WR));
	reader(&r->server);
}

static void half_close(struct roles *r, const struct sim_workload *w)
{
	sender(&r->client, w);
	add_read_all(&r->server);
	add_send(&r->server, w->bytes);
	add_close(&r->server);
}

/* Both read what the other sends, and nothing is left when they close. */
static void close_together(struct script *s, const struct sim_workload *w)
{
	add(s, SIM_SEND(w->bytes));
	add(s, SIM_READ(w->bytes));
	add(s, SIM_WAIT(SIM_UNTIL_SENT));
	add(s, SIM_WAIT(SIM_UNTIL_READ));
	add(s, SIM_AT(w->start + w->pause));
	add_close(s);
}

/* Reads nothing, and closes with all of it unread, which is a reset (RFC 9293 3.6.1). */
static void ignorer(struct script *s, const struct sim_workload *w)
{
	add(s, SIM_SLEEP(w->pause));
	add_close(s);
}

/* Closes first, without a word, and so has the TIME-WAIT. */
static void closer(struct script *s, const struct sim_workload *w)
{
	add_send(s, w->bytes);
	add(s, SIM_SHUTDOWN(PARLEY_SHUT_WR));
	reader(s);
}

/* Has nothing to say for a while. */
static void idler(struct script *s, const struct sim_workload *w)
{
	add(s, SIM_WAIT(SIM_UNTIL_CONNECTED));
	add(s, SIM_SLEEP(w->pause));
	add_close(s);
}

static void aborter(struct script *s, const struct sim_workload *w)
{
	add_read(s, w->bytes / 2);
	add(s, SIM_ABORT());
}

/* Of what the client gets: the kinds whose server sends bytes and closes. */
static void write_download(struct roles *r, const struct sim_workload *w)
{
	switch (w->kind) {
	case SIM_SLOW_READER:
		add(&r->client, SIM_SLEEP(w->pause));
		reader(&r->client);
		break;
	case SIM_PACED:
		add(&r->client, SIM_PACE(w->count ? w->count : 1, w->pause));
		reader(&r->client);
		break;
	case SIM_NOT_READ:
		ignorer(&r->client, w);
		break;
	case SIM_CLIENT_ABORTS:
		aborter(&r->client, w);
		break;
	default:
		reader(&r->client);
		break;
	}
	sender(&r->server, w);
}

static void shorts(struct roles *r, const struct sim_workload *w)
{
	add_send(&r->client, w->bytes);
	add_read(&r->client, w->bytes);
	reader(&r->client);
	add_read(&r->server, w->bytes);
	sender(&r->server, w);
}

/* What the two do once they are connected. False: unknown. */
static bool write_roles(struct roles *r, const struct sim_workload *w)
{
	switch (w->kind) {
	case SIM_DOWNLOAD:
	case SIM_SLOW_READER:
	case SIM_PACED:
	case SIM_NOT_READ:
	case SIM_CLIENT_ABORTS:
		write_download(r, w);
		return true;
	case SIM_UPLOAD:
	case SIM_NOT_ACCEPTED:
		sender(&r->client, w);
		reader(&r->server);
		return true;
	case SIM_BOTH_WAYS:
		both_ways(&r->client, w);
		both_ways(&r->server, w);
		return true;
	case SIM_PING_PONG:
		ping_pong(r, w);
		return true;
	case SIM_SHORT:
		shorts(r, w);
		return true;
	case SIM_HALF_CLOSE:
		half_close(r, w);
		return true;
	case SIM_CLOSE_TOGETHER:
		close_together(&r->client, w);
		close_together(&r->server, w);
		return true;
	case SIM_REUSE:
		reader(&r->client);
		closer(&r->server, w);
		return true;
	case SIM_IDLE:
		idler(&r->client, w);
		reader(&r->server);
		return true;
	case SIM_SERVER_ABORTS:
		sender(&r->client, w);
		aborter(&r->server, w);
		return true;
	case SIM_OPEN_TOGETHER:
	case SIM_PASSIVE:
	case SIM_TURNED:
	case SIM_REFUSED:
	case SIM_NOBODY:
	case SIM_WORKLOADS:
		break;
	}
	return false;
}

static int add_user(struct sim_world *world, int host, const struct script *s)
{
	int program = sim_program_add(world, s->op, s->n);

	return program < 0 ? program : sim_user_add(world, host, program);
}

static uint32_t connections(const struct sim_workload *w)
{
	bool several = w->kind == SIM_SHORT || w->kind == SIM_NOT_ACCEPTED || w->kind == SIM_REUSE;

	return several && w->count ? w->count : 1;
}

/* The user who listens and accepts, each connection for a user of its own. */
static int add_listener(struct sim_world *world, const struct sim_workload *w,
			const struct script *server)
{
	int program = sim_program_add(world, server->op, server->n);
	struct script s = {.n = 0};

	if (program < 0)
		return program;
	if (w->ask)
		add(&s, SIM_LISTEN_ASKING(w->port, w->backlog ? w->backlog : BACKLOG));
	else
		add(&s, SIM_LISTEN(w->port, w->backlog ? w->backlog : BACKLOG));
	if (w->kind == SIM_NOT_ACCEPTED)
		add(&s, SIM_AT(w->start + w->pause));
	add(&s, SIM_ACCEPT_BY(program, w->patience));
	add(&s, SIM_REPEAT(s.n - 1, connections(w) - 1));
	return add_user(world, w->server, &s);
}

static struct script opening(const struct sim_workload *w)
{
	struct script s = {.n = 0};

	if (w->start)
		add(&s, SIM_AT(w->start));
	if (w->in_place)
		add(&s, SIM_IN_PLACE());
	if (w->urgent)
		add(&s, SIM_URGENT(w->urgent));
	return s;
}

static int open_together(struct sim_world *world, const struct sim_workload *w,
			 struct sim_workload_users *users)
{
	struct script there = opening(w), back = opening(w);

	add(&there, SIM_CONNECT_FROM(w->server, w->port, w->port));
	both_ways(&there, w);
	add(&back, SIM_CONNECT_FROM(w->client, w->port, w->port));
	both_ways(&back, w);
	users->client = add_user(world, w->client, &there);
	users->listener = add_user(world, w->server, &back);
	return users->client < 0 ? users->client : users->listener;
}

/* Goes on only when somebody connects in time. */
static void add_need(struct script *s, const struct sim_workload *w)
{
	add(s, SIM_WAIT_BY(SIM_UNTIL_CONNECTED, w->patience));
	add(s, SIM_NEED());
}

/* One TCB in LISTEN, which becomes the connection. */
static int open_passive(struct sim_world *world, const struct sim_workload *w,
			struct sim_workload_users *users)
{
	struct script server = {.n = 0}, client = opening(w);

	add(&server, SIM_OPEN(w->port));
	add_need(&server, w);
	both_ways(&server, w);
	if (w->kind == SIM_TURNED) {
		add(&client, SIM_OPEN(w->port));
		add(&client, SIM_SLEEP(w->pause));
		add(&client, SIM_ACTIVE(w->server, w->port));
		add_need(&client, w);
	} else {
		add(&client, SIM_CONNECT(w->server, w->port));
	}
	both_ways(&client, w);
	users->listener = add_user(world, w->server, &server);
	users->client = add_user(world, w->client, &client);
	return users->client < 0 ? users->client : users->listener;
}

/* A connection that cannot come to be. */
static int in_vain(struct sim_world *world, const struct sim_workload *w,
		   struct sim_workload_users *users)
{
	struct script s = opening(w);

	if (w->kind == SIM_NOBODY)
		add(&s, SIM_CONNECT_NOBODY(w->server, w->port));
	else
		add(&s, SIM_CONNECT(w->server, w->port));
	add(&s, SIM_WAIT(SIM_UNTIL_DEAD));
	users->client = users->listener = add_user(world, w->client, &s);
	return users->client;
}

/* How the client begins: where it connects to, and again when that fails. */
static void begin_client(struct script *s, const struct sim_workload *w)
{
	uint32_t again = s->n;

	if (w->kind == SIM_REUSE)
		add(s, SIM_CONNECT_FROM(w->server, w->port, w->port));
	else
		add(s, SIM_CONNECT(w->server, w->port));
	if (!w->retries)
		return;
	add(s, SIM_WAIT(SIM_UNTIL_CONNECTED));
	add(s, SIM_RETRY(again, w->retries));
}

/* The client, or several when nobody accepts. */
static int add_clients(struct sim_world *world, const struct sim_workload *w,
		       const struct script *client)
{
	uint32_t n = w->kind == SIM_NOT_ACCEPTED ? connections(w) : 1;
	int first = add_user(world, w->client, client);

	for (uint32_t i = 1; i < n && first >= 0; i++) {
		int more = add_user(world, w->client, client);

		if (more < 0)
			return more;
	}
	return first;
}

/* 0 for the number of a user. */
static int no_number(int result)
{
	return result < 0 ? result : 0;
}

int sim_workload_add(struct sim_world *world, const struct sim_workload *w,
		     struct sim_workload_users *users)
{
	struct roles r = {.client = opening(w)};
	uint32_t again = r.client.n;

	if (w->kind == SIM_OPEN_TOGETHER)
		return no_number(open_together(world, w, users));
	if (w->kind == SIM_PASSIVE || w->kind == SIM_TURNED)
		return no_number(open_passive(world, w, users));
	if (w->kind == SIM_REFUSED || w->kind == SIM_NOBODY)
		return no_number(in_vain(world, w, users));
	if (w->in_place)
		add(&r.server, SIM_IN_PLACE());
	if (w->urgent)
		add(&r.server, SIM_URGENT(w->urgent));
	begin_client(&r.client, w);
	if (!write_roles(&r, w))
		return -PARLEY_EINVAL;
	if (w->kind == SIM_REUSE)
		add(&r.client, SIM_SLEEP(w->pause));
	if (w->kind == SIM_SHORT || w->kind == SIM_REUSE)
		add(&r.client, SIM_REPEAT(again, connections(w) - 1));
	users->listener = add_listener(world, w, &r.server);
	if (users->listener < 0)
		return users->listener;
	users->client = add_clients(world, w, &r.client);
	return no_number(users->client);
}

struct sim_user *sim_workload_server(const struct sim_world *world, int listener, uint32_t n)
{
	for (uint32_t i = 0; i < world->user_count; i++)
		if (world->user[i]->parent == (uint32_t)listener + 1 && n-- == 0)
			return world->user[i];
	return NULL;
}
