/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "sim/user.h"
#include "sim/world.h"
#include "wire/ip.h"

#include <stdalign.h>

/* The last byte of an address that no host of a scenario has. */
#define NOBODY 250

int sim_program_add(struct sim_world *world, const struct sim_op *ops, uint32_t n)
{
	struct sim_program *program = sim_alloc(world->arena, sizeof *program + n * sizeof *ops,
						alignof(struct sim_program));

	if (!program)
		return -PARLEY_ENOMEM;
	*program = (struct sim_program){world->programs, world->program_count, n};
	memcpy(program->op, ops, n * sizeof *ops);
	world->programs = program;
	return (int)world->program_count++;
}

static const struct sim_program *find_program(const struct sim_world *world, int64_t number)
{
	const struct sim_program *program = world->programs;

	while (program && program->number != number)
		program = program->next;
	return program;
}

int sim_user_add(struct sim_world *world, int host, int number)
{
	const struct sim_program *program = find_program(world, number);
	struct sim_user *user;

	if (!program)
		return -PARLEY_EINVAL;
	user = sim_user_spawn(world->host[host], program);
	if (!user || !sim_queue_put(&world->queue, &user->sleep, world->now))
		return -PARLEY_ENOMEM;
	return (int)user->number;
}

/* What an OPEN of this user's asks for. */
static struct parley_open open_of(const struct sim_user *user, int64_t local_port)
{
	return (struct parley_open){
		.size = sizeof(struct parley_open),
		.local.port = (uint16_t)local_port,
		.user = (uint64_t)user->number + 1,
	};
}

/* A user who connects again has a new connection and a new record. */
static void forget_connection(struct sim_user *user)
{
	if (user->conn != PARLEY_NO_CONN)
		sim_user_called(user, parley_release_conn(user->host->engine,
							  sim_host_now(user->host), user->conn));
	user->conn = PARLEY_NO_CONN;
	user->failed += user->error != 0;
	user->closed = user->shut_out = false;
	user->connected = user->eof = user->peer_closed = user->dead = false;
	user->awaits = 0;
	user->drained = true;
	user->out = user->in = NULL;
	user->to_send = user->to_read = 0;
	user->sent = user->received = 0;
	user->error = 0;
	user->opened++;
}

static void do_connect(struct sim_user *user, const struct parley_addr *addr,
		       const struct sim_op *op)
{
	struct parley_open open = open_of(user, op->c);

	forget_connection(user);

	open.remote.addr = *addr;
	open.remote.port = (uint16_t)op->b;
	sim_user_called(user, parley_connect(user->host->engine, sim_host_now(user->host), &open,
					     &user->conn));
}

/* A host's address on the first LAN that both are on, or else its first. */
static const struct parley_addr *address_of(const struct sim_host *host, const struct sim_host *to)
{
	for (uint32_t i = 0; i < to->port_count; i++)
		for (uint32_t k = 0; k < host->port_count; k++)
			if (to->port[i]->lan == host->port[k]->lan)
				return &to->port[i]->addr;
	return &to->port[0]->addr;
}

static void connect_host(struct sim_user *user, const struct sim_op *op)
{
	const struct sim_world *world = user->host->world;

	do_connect(user, address_of(user->host, world->host[op->a]), op);
}

static void connect_v4(struct sim_user *user, const struct sim_op *op)
{
	struct parley_addr addr = ip_from_v4((uint32_t)op->a);

	do_connect(user, &addr, op);
}

static void connect_nobody(struct sim_user *user, const struct sim_op *op)
{
	const struct sim_world *world = user->host->world;
	struct parley_addr addr = *address_of(user->host, world->host[op->a]);

	addr.b[15] = NOBODY;
	do_connect(user, &addr, op);
}

static void do_listen(struct sim_user *user, const struct sim_op *op)
{
	struct parley_open open = open_of(user, op->a);

	open.backlog = (uint32_t)op->b;
	open.flags = op->c ? PARLEY_OPEN_DECIDE : 0;
	user->listening = sim_user_called(
		user,
		parley_listen(user->host->engine, sim_host_now(user->host), &open, &user->conn));
}

static void do_active(struct sim_user *user, const struct sim_op *op)
{
	const struct sim_world *world = user->host->world;
	struct parley_endpoint remote = {*address_of(user->host, world->host[op->a]),
					 (uint16_t)op->b};

	sim_user_called(user, parley_open_active(user->host->engine, sim_host_now(user->host),
						 user->conn, &remote));
}

static void do_open(struct sim_user *user, const struct sim_op *op)
{
	struct parley_open open = open_of(user, op->a);

	sim_user_called(user, parley_open_passive(user->host->engine, sim_host_now(user->host),
						  &open, &user->conn));
}

/* True when a connection was there, or none will ever be. */
static bool try_accept(struct sim_user *user, const struct sim_op *op)
{
	struct sim_world *world = user->host->world;
	const struct sim_program *program = find_program(world, op->a);
	uint64_t next = (uint64_t)world->user_count + 1;
	struct sim_user *child;
	parley_conn conn;
	int result;

	if (user->awaits & PARLEY_ACCEPT)
		return false;
	result = parley_accept(user->host->engine, sim_host_now(user->host), user->conn, next,
			       &conn);
	if (result == -PARLEY_EAGAIN) {
		user->awaits |= PARLEY_ACCEPT;
		return false;
	}
	if (!sim_user_called(user, result))
		return true;
	user->accepted++;
	child = program ? sim_user_spawn(user->host, program) : NULL;
	if (!child) {
		sim_fail(world, user->host, SIM_RULE_WORLD, "for a user", world->arena->used, 0);
		return true;
	}
	child->parent = user->number + 1;
	sim_user_accepted(child, conn);
	sim_program_go(child);
	return true;
}

/* After a close or shutdown the stream is complete, unless the connection is reset. */
static void end_sending(struct sim_user *user)
{
	user->shut_out = true;
	user->to_send = 0;
	/* Close may come before the handshake is over: there is a FIN all the same. */
	if (!user->out && !user->listening && user->conn != PARLEY_NO_CONN)
		sim_user_streams(user);
	if (user->out)
		user->out->finished = true;
}

static void do_shutdown(struct sim_user *user, const struct sim_op *op)
{
	unsigned how = (unsigned)op->a;
	int result = parley_shutdown(user->host->engine, sim_host_now(user->host), user->conn, how);

	/* Refused before there is a connection: then all goes on as it was. */
	if (!sim_user_called(user, result))
		return;
	if (how & PARLEY_SHUT_WR)
		end_sending(user);
	if (how & PARLEY_SHUT_RD) {
		user->to_read = 0;
		user->closed |= user->shut_out;
	}
}

static void do_close(struct sim_user *user)
{
	end_sending(user);
	user->to_read = 0;
	user->closed = true;
	sim_user_called(user,
			parley_close(user->host->engine, sim_host_now(user->host), user->conn));
}

static void do_abort(struct sim_user *user)
{
	user->to_send = 0;
	user->to_read = 0;
	user->closed = true;
	sim_user_called(user,
			parley_abort(user->host->engine, sim_host_now(user->host), user->conn));
}

static void do_set(struct sim_user *user, const struct sim_op *op)
{
	sim_user_called(user, parley_set(user->host->engine, sim_host_now(user->host), user->conn,
					 (enum parley_setting)op->a, op->b));
}

/* Begins to sleep, or looks whether it is over. */
static bool has_slept(struct sim_user *user, uint64_t until)
{
	struct sim_world *world = user->host->world;

	if (user->begun)
		return user->awake;
	if (until <= world->now)
		return true;
	user->awake = false;
	if (!sim_queue_put(&world->queue, &user->sleep, until))
		sim_fail(world, user->host, SIM_RULE_WORLD, "for an event", world->arena->used, 0);
	return false;
}

/* All that was handed over is acknowledged. */
static bool is_drained(const struct sim_user *user)
{
	return user->to_send == 0 && user->drained;
}

static bool has_come(const struct sim_user *user, enum sim_until until)
{
	bool ended = user->dead || user->error || user->conn == PARLEY_NO_CONN;

	switch (until) {
	case SIM_UNTIL_CONNECTED:
		return user->connected || ended;
	case SIM_UNTIL_SENT:
		return user->to_send == 0 || ended;
	case SIM_UNTIL_DRAINED:
		return ended || is_drained(user);
	case SIM_UNTIL_READ:
		/* A connection that ended may hold bytes still; pumping finds their end. */
		return user->to_read == 0 || user->error || user->closed ||
		       user->conn == PARLEY_NO_CONN;
	case SIM_UNTIL_EOF:
		return user->eof || user->error || user->closed || user->conn == PARLEY_NO_CONN;
	case SIM_UNTIL_PEER_CLOSED:
		return user->peer_closed || ended;
	case SIM_UNTIL_DEAD:
		return user->dead || user->conn == PARLEY_NO_CONN;
	}
	return true;
}

/* Counts, and goes back. False when it was often enough, or is not wanted. */
static bool jump_back(struct sim_user *user, const struct sim_op *op)
{
	bool retry = op->kind == SIM_OP_RETRY;
	int64_t *times = retry ? &user->retries : &user->repeats;

	if (*times >= op->b || (retry && !user->error)) {
		*times = 0;
		return false;
	}
	++*times;
	user->at = (uint32_t)op->a;
	user->begun = false;
	return true;
}

/* Ops that are done at once. */
static void do_now(struct sim_user *user, const struct sim_op *op)
{
	switch (op->kind) {
	case SIM_OP_CONNECT:
		connect_host(user, op);
		break;
	case SIM_OP_NOBODY:
		connect_nobody(user, op);
		break;
	case SIM_OP_CONNECT_V4:
		connect_v4(user, op);
		break;
	case SIM_OP_LISTEN:
		do_listen(user, op);
		break;
	case SIM_OP_OPEN:
		do_open(user, op);
		break;
	case SIM_OP_ACTIVE:
		do_active(user, op);
		break;
	case SIM_OP_SEND:
		user->to_send = op->a == SIM_ALL ? SIM_ALL : user->to_send + op->a;
		break;
	case SIM_OP_READ:
		user->to_read = op->a == SIM_ALL ? SIM_ALL : user->to_read + op->a;
		break;
	case SIM_OP_PACE:
		user->pace_bytes = user->pace_left = op->a;
		user->pace_ns = op->b;
		break;
	case SIM_OP_IN_PLACE:
		user->in_place = true;
		break;
	case SIM_OP_URGENT:
		user->urgent_every = op->a;
		break;
	case SIM_OP_SHUTDOWN:
		do_shutdown(user, op);
		break;
	case SIM_OP_CLOSE:
		do_close(user);
		break;
	case SIM_OP_ABORT:
		do_abort(user);
		break;
	case SIM_OP_SET:
		do_set(user, op);
		break;
	case SIM_OP_ACCEPT:
	case SIM_OP_SLEEP:
	case SIM_OP_AT:
	case SIM_OP_WAIT:
	case SIM_OP_NEED:
	case SIM_OP_REPEAT:
	case SIM_OP_RETRY:
		break;
	}
}

/* True when the op is done; otherwise it has begun and waits. */
static bool try_op(struct sim_user *user, const struct sim_op *op)
{
	uint64_t now = user->host->world->now;

	switch (op->kind) {
	case SIM_OP_ACCEPT:
		return !user->listening || try_accept(user, op) ||
		       (op->b && has_slept(user, (uint64_t)op->b));
	case SIM_OP_SLEEP:
		return has_slept(user, now + (uint64_t)op->a);
	case SIM_OP_AT:
		return has_slept(user, (uint64_t)op->a);
	case SIM_OP_WAIT:
		return has_come(user, (enum sim_until)op->a) ||
		       (op->b && has_slept(user, (uint64_t)op->b));
	default:
		do_now(user, op);
		return true;
	}
}

static void finish(struct sim_user *user)
{
	struct sim_world *world = user->host->world;

	user->over = true;
	user->to_read = 0;
	if (!user->closed)
		end_sending(user);
	if (user->conn != PARLEY_NO_CONN)
		sim_user_called(user, parley_release_conn(user->host->engine,
							  sim_host_now(user->host), user->conn));
	user->conn = PARLEY_NO_CONN;
	sim_queue_remove(&world->queue, &user->pace);
	world->users_running--;
}

void sim_program_go(struct sim_user *user)
{
	while (!user->over) {
		const struct sim_op *op = &user->program->op[user->at];

		sim_user_pump(user);
		if (user->at == user->program->n || (op->kind == SIM_OP_NEED && !user->connected)) {
			finish(user);
			return;
		}
		if ((op->kind == SIM_OP_REPEAT || op->kind == SIM_OP_RETRY) && jump_back(user, op))
			continue;
		if (!try_op(user, op)) {
			user->begun = true;
			return;
		}
		user->at++;
		user->begun = false;
	}
}

void sim_program_interrupt(struct sim_user *user, const struct sim_op *op)
{
	if (op)
		do_now(user, op);
	else
		finish(user);
	sim_program_go(user);
}
