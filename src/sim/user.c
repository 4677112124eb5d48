/* SPDX-License-Identifier: MIT */
#include "sim/user.h"

#include "base/mem.h"
#include "sim/mix.h"
#include "sim/world.h"

#include <stdalign.h>

#define CHUNK	    4096
#define SPANS	    8
#define FIRST_USERS 16

static bool grow_users(struct sim_world *world)
{
	uint32_t cap = world->user_cap ? 2 * world->user_cap : FIRST_USERS;
	size_t old = world->user_cap * sizeof *world->user;
	struct sim_user **users = sim_alloc(world->arena, cap * sizeof *users,
					    alignof(struct sim_user *));

	if (!users)
		return false;
	if (old)
		memcpy(users, world->user, old);
	sim_free(world->arena, world->user, old);
	world->user = users;
	world->user_cap = cap;
	return true;
}

struct sim_user *sim_user_spawn(struct sim_host *host, const struct sim_program *program)
{
	struct sim_world *world = host->world;
	struct sim_user *user;

	if (world->user_count == world->user_cap && !grow_users(world))
		return NULL;
	user = sim_zalloc(world->arena, sizeof *user);
	if (!user)
		return NULL;
	user->host = host;
	user->number = world->user_count;
	user->program = program;
	user->sleep = (struct sim_event){.kind = SIM_EVENT_SLEEP, .owner = user};
	user->pace = (struct sim_event){.kind = SIM_EVENT_PACE, .owner = user};
	user->drained = true;
	world->user[world->user_count++] = user;
	world->users_running++;
	return user;
}

static void note_error(struct sim_user *user, int error)
{
	if (!user->error)
		user->error = error;
}

bool sim_user_called(struct sim_user *user, int64_t result)
{
	if (result >= 0)
		return true;
	user->refusal = (int)result;
	user->refusals++;
	return false;
}

void sim_user_streams(struct sim_user *user)
{
	struct sim_world *world = user->host->world;
	struct parley_status s = {.size = sizeof s};
	int error = parley_status(user->host->engine, user->conn, &s);

	if (error) {
		sim_fail(world, user->host, SIM_RULE_CALL, "status", (uint64_t)-error, user->conn);
		return;
	}
	if (!s.remote.port)
		return;
	user->out = sim_stream_get(world, &s.local, &s.remote, s.iss);
	if (user->connected)
		user->in = sim_stream_get(world, &s.remote, &s.local, s.irs);
}

static void note_connected(struct sim_user *user)
{
	if (user->connected)
		return;
	user->connected = true;
	user->connected_at = user->host->world->now;
	sim_user_streams(user);
}

/* What the next send says of its bytes. */
static unsigned send_flags(const struct sim_user *user)
{
	bool urgent = user->urgent_every && user->sends % user->urgent_every == 0;

	return urgent ? PARLEY_SEND_URGENT : 0;
}

static int64_t send_copied(struct sim_user *user, size_t want)
{
	uint8_t buf[CHUNK];
	struct parley_span span = {buf, want < CHUNK ? want : CHUNK};

	sim_stream_fill(user->out->key, user->sent, buf, span.len);
	return parley_send(user->host->engine, sim_host_now(user->host), user->conn, &span, 1,
			   send_flags(user));
}

/* The same through the door that copies nothing. */
static int64_t send_in_place(struct sim_user *user, size_t want)
{
	struct parley_host *engine = user->host->engine;
	uint64_t now = sim_host_now(user->host);
	struct parley_buffer buffers[SPANS];
	size_t len = 0;
	int n = parley_reserve(engine, now, user->conn, want < CHUNK ? want : CHUNK, buffers,
			       SPANS);

	if (n <= 0)
		return n ? n : -PARLEY_EAGAIN;
	for (int i = 0; i < n; i++) {
		sim_stream_fill(user->out->key, user->sent + len, buffers[i].data, buffers[i].len);
		len += buffers[i].len;
	}
	return parley_commit(engine, now, user->conn, len, send_flags(user));
}

static void pump_out(struct sim_user *user)
{
	while (user->to_send > 0 && user->out && !(user->awaits & PARLEY_WRITABLE)) {
		size_t want = (size_t)user->to_send;
		int64_t n = user->in_place ? send_in_place(user, want) : send_copied(user, want);

		if (n == -PARLEY_EAGAIN)
			user->awaits |= PARLEY_WRITABLE;
		if (n == -PARLEY_EAGAIN || n == 0)
			return;
		if (n < 0) {
			note_error(user, (int)-n);
			user->to_send = 0;
			return;
		}
		user->drained = false;
		user->sent += (uint64_t)n;
		user->out->sent = user->sent;
		if (send_flags(user))
			user->out->urgent = user->sent;
		user->sends++;
		if (user->to_send != SIM_ALL)
			user->to_send -= n;
	}
}

static void deliver(struct sim_user *user, const void *bytes, size_t len)
{
	sim_stream_deliver(user->in, user->host, bytes, len);
	user->received += len;
}

static int64_t read_copied(struct sim_user *user, size_t want)
{
	uint8_t buf[CHUNK];
	int64_t n = parley_receive(user->host->engine, sim_host_now(user->host), user->conn, buf,
				   want < CHUNK ? want : CHUNK);

	if (n > 0)
		deliver(user, buf, (size_t)n);
	return n;
}

/* The same without copying; the end and errors are told by receive alone. */
static int64_t read_in_place(struct sim_user *user, size_t want)
{
	struct parley_host *engine = user->host->engine;
	struct parley_span spans[SPANS];
	size_t len = 0;
	int n = parley_peek(engine, user->conn, spans, SPANS);
	int error;

	if (n <= 0)
		return read_copied(user, want);
	for (int i = 0; i < n && len < want; i++) {
		size_t part = spans[i].len < want - len ? spans[i].len : want - len;

		deliver(user, spans[i].data, part);
		len += part;
	}
	error = parley_consume(engine, sim_host_now(user->host), user->conn, len);
	return error ? error : (int64_t)len;
}

/* Nothing more will come. */
static void end_reading(struct sim_user *user, int64_t result)
{
	struct sim_host *host = user->host;

	user->to_read = 0;
	if (result == -PARLEY_EAGAIN)
		sim_fail(host->world, host, SIM_RULE_CALL, "a dead connection lets wait",
			 user->number, user->received);
	if (result < 0) {
		note_error(user, (int)-result);
		return;
	}
	if (user->eof || user->error || user->closed)
		return;
	user->eof = true;
	user->eof_at = host->world->now;
	sim_stream_end(user->in, host);
}

/* How much may be read now; 0 arms the alarm of a slow reader. */
static size_t allowance(struct sim_user *user)
{
	struct sim_world *world = user->host->world;

	if (!user->pace_bytes)
		return (size_t)user->to_read;
	if (user->pace_left > 0)
		return (size_t)(user->to_read < user->pace_left ? user->to_read : user->pace_left);
	if (!user->pace.place &&
	    !sim_queue_put(&world->queue, &user->pace, world->now + (uint64_t)user->pace_ns))
		sim_fail(world, user->host, SIM_RULE_WORLD, "for an event", world->arena->used, 0);
	return 0;
}

static void pump_in(struct sim_user *user)
{
	while (user->to_read > 0 && user->in && !(user->awaits & PARLEY_READABLE)) {
		size_t want = allowance(user);
		int64_t n;

		if (!want)
			return;
		sim_stream_urgent(user->in, user->host,
				  parley_urgent(user->host->engine, user->conn));
		n = user->in_place ? read_in_place(user, want) : read_copied(user, want);
		if (n == -PARLEY_EAGAIN && !user->dead) {
			user->awaits |= PARLEY_READABLE;
			return;
		}
		if (n <= 0) {
			end_reading(user, n);
			return;
		}
		if (user->to_read != SIM_ALL)
			user->to_read -= n;
		user->pace_left -= user->pace_bytes ? n : 0;
	}
}

void sim_user_pump(struct sim_user *user)
{
	if (user->conn == PARLEY_NO_CONN || user->listening)
		return;
	pump_out(user);
	pump_in(user);
}

/* Of eight SYNs one is refused, one dropped, one put off, one forgotten, and the rest accepted. */
static void decide(struct sim_user *user)
{
	static const enum parley_decision decisions[] = {PARLEY_DECIDE_REFUSE, PARLEY_DECIDE_DROP,
							 PARLEY_DECIDE_LATER};
	struct parley_host *engine = user->host->engine;
	struct parley_syn syn = {.size = sizeof syn};

	while (!parley_next_syn(engine, user->conn, &syn)) {
		uint64_t draw = mix_word(user->host->world->config.seed, user->number);
		uint64_t choice = mix64(mix_word(draw, ++user->decided)) % 8;

		if (choice == 3)
			continue;
		sim_user_called(
			user, parley_decide(engine, sim_host_now(user->host), syn.conn,
					    choice < 3 ? decisions[choice] : PARLEY_DECIDE_ACCEPT));
	}
}

static void note_event(struct sim_user *user, const struct parley_event *event)
{
	user->bits |= event->bits;
	user->awaits &= ~event->bits;
	if (event->bits & PARLEY_DEAD)
		user->awaits = 0;
	if (event->bits & PARLEY_DRAINED)
		user->drained = true;
	if (event->bits & PARLEY_DECIDE)
		decide(user);
	if (event->bits & PARLEY_CONNECTED)
		note_connected(user);
	if (event->bits & PARLEY_PEER_CLOSED)
		user->peer_closed = true;
	if (event->bits & PARLEY_SOFT_ERROR)
		user->soft_error = event->error;
	if (event->bits & PARLEY_DEAD && !user->dead) {
		user->dead = true;
		user->dead_at = user->host->world->now;
		if (event->error)
			note_error(user, event->error);
	}
}

void sim_user_accepted(struct sim_user *user, parley_conn conn)
{
	struct parley_host *engine = user->host->engine;
	struct parley_status s = {.size = sizeof s};
	struct parley_event event = {.conn = conn};

	user->conn = conn;
	event.bits = parley_ready(engine, conn) | PARLEY_CONNECTED;
	if (!parley_status(engine, conn, &s))
		event.error = s.error;
	note_event(user, &event);
}

uint32_t sim_user_untold(const struct sim_user *user)
{
	uint32_t ready = parley_ready(user->host->engine, user->conn);
	uint32_t told = 0;

	if (user->over || user->conn == PARLEY_NO_CONN)
		return 0;
	if (user->connected)
		told |= PARLEY_CONNECTED;
	if (user->peer_closed)
		told |= PARLEY_PEER_CLOSED;
	if (user->dead)
		told |= PARLEY_DEAD;
	if (user->drained)
		told |= PARLEY_DRAINED;
	return ready & ~told &
	       (user->awaits | PARLEY_CONNECTED | PARLEY_PEER_CLOSED | PARLEY_DEAD |
		PARLEY_DRAINED);
}

void sim_user_told(struct sim_host *host, const struct parley_event *event)
{
	struct sim_world *world = host->world;
	struct sim_user *user = NULL;

	/* Nobody has accepted it yet. */
	if (!event->user)
		return;
	if (event->user <= world->user_count)
		user = world->user[event->user - 1];
	if (!user || user->host != host || user->conn != event->conn) {
		sim_fail(world, host, SIM_RULE_EVENT, NULL, event->conn, event->user);
		return;
	}
	note_event(user, event);
	sim_program_go(user);
}

void sim_user_wake(struct sim_user *user)
{
	user->awake = true;
	sim_program_go(user);
	sim_host_settle(user->host);
}

void sim_user_pace(struct sim_user *user)
{
	user->pace_left = user->pace_bytes;
	sim_program_go(user);
	sim_host_settle(user->host);
}
