/* SPDX-License-Identifier: MIT */
#include "sim/small.h"

#include "base/mem.h"
#include "net/host.h"
#include "sim/host.h"
#include "sim/oracle.h"
#include "tcp/canonical.h"

#include <stdalign.h>

static const char *const scenario_names[SMALL_SCENARIOS] = {
	[SMALL_OPEN_SEND_CLOSE] = "open-send-close",
	[SMALL_SIMULTANEOUS_OPEN] = "simultaneous-open",
	[SMALL_SIMULTANEOUS_CLOSE] = "simultaneous-close",
	[SMALL_HALF_CLOSE] = "half-close",
	[SMALL_ABORT] = "abort",
};

static const char *const kind_names[SMALL_KINDS] = {
	[SMALL_DELIVER] = "deliver", [SMALL_LOSE] = "lose",	[SMALL_DOUBLE] = "double",
	[SMALL_HOLD] = "hold",	     [SMALL_STRAY] = "stray",	[SMALL_CALL] = "call",
	[SMALL_TIME] = "time",	     [SMALL_EXPIRE] = "expire",
};

/* What has happened before all choices. */
static const enum {
	OPEN_NOTHING,
	OPEN_SYNS,
	OPEN_ALL
} opened[SMALL_SCENARIOS] = {
	[SMALL_SIMULTANEOUS_OPEN] = OPEN_SYNS,
	[SMALL_SIMULTANEOUS_CLOSE] = OPEN_ALL,
};

const char *small_scenario_name(int scenario)
{
	return (unsigned)scenario < SMALL_SCENARIOS ? scenario_names[scenario] : NULL;
}

const char *small_kind_name(int kind)
{
	return (unsigned)kind < SMALL_KINDS ? kind_names[kind] : NULL;
}

static bool strays(const struct small *small, const struct sim_frame *frame)
{
	for (unsigned i = 0; i < small->strays; i++)
		if (small->stray[i] == frame)
			return true;
	return false;
}

/* The queue is no order of anything here; a frame's place in its direction is when it was sent. */
struct sim_frame *small_frame(const struct small *small, uint32_t host, unsigned i)
{
	const struct sim_queue *queue = &small->world->queue;
	struct sim_frame *found = NULL;
	uint64_t behind = 0;

	for (unsigned round = 0; round <= i; round++) {
		found = NULL;
		for (uint32_t k = 1; k <= queue->n; k++) {
			struct sim_frame *frame = queue->v[k]->owner;

			if (queue->v[k]->kind != SIM_EVENT_FRAME || frame->from != (int)host ||
			    queue->v[k]->order <= behind || strays(small, frame))
				continue;
			if (!found || frame->event.order < found->event.order)
				found = frame;
		}
		if (!found)
			return NULL;
		behind = found->event.order;
	}
	return found;
}

static struct sim_frame *oldest(const struct small *small, uint32_t host)
{
	return small_frame(small, host, 0);
}

static bool connection(const struct sim_host *host, struct parley_status *status)
{
	uint64_t cursor = 0;

	*status = (struct parley_status){.size = sizeof *status};
	while (parley_each(host->engine, &cursor, status) > 0)
		if (status->entry != PARLEY_ENTRY_LISTENER)
			return true;
	return false;
}

struct small_pair small_pair(const struct small *small)
{
	struct small_pair pair;
	struct parley_status status;

	for (int i = 0; i < 2; i++)
		pair.end[i] = connection(small->world->host[i], &status) ? status.state
									 : PARLEY_CLOSED;
	return pair;
}

/* May time go on to `at`, as far as the frames are concerned that arrive in order? */
static bool in_time(const struct small *small, uint64_t at)
{
	const struct sim_queue *queue = &small->world->queue;

	for (uint32_t k = 1; k <= queue->n; k++) {
		const struct sim_event *event = queue->v[k];

		if (event->kind == SIM_EVENT_FRAME && !strays(small, event->owner) &&
		    event->at + small->config.transit < at)
			return false;
	}
	return true;
}

static uint64_t deadline(const struct sim_host *host)
{
	return tcp_first_timer(&host->engine->tcp);
}

static uint64_t expiry(const struct sim_frame *stray)
{
	return stray->event.at + SMALL_LIFETIME;
}

/* The first time at which anything happens by itself. */
static uint64_t next_time(const struct small *small)
{
	uint64_t at = UINT64_MAX;

	for (uint32_t i = 0; i < small->world->host_count; i++)
		if (deadline(small->world->host[i]) < at)
			at = deadline(small->world->host[i]);
	for (unsigned i = 0; i < small->strays; i++)
		if (expiry(small->stray[i]) < at)
			at = expiry(small->stray[i]);
	return at;
}

struct choice {
	struct small_action *action;
	unsigned n;
};

static void offer(struct choice *choice, enum small_kind kind, uint32_t which)
{
	if (choice->n < SMALL_ACTIONS_MAX)
		choice->action[choice->n++] = (struct small_action){(uint8_t)kind, (uint8_t)which};
}

static void offer_time(const struct small *small, struct choice *choice)
{
	uint64_t at = next_time(small);

	if (at == UINT64_MAX || !in_time(small, at))
		return;
	for (uint32_t i = 0; i < small->world->host_count; i++)
		if (deadline(small->world->host[i]) == at)
			offer(choice, SMALL_TIME, i);
	for (unsigned i = 0; i < small->strays; i++)
		if (expiry(small->stray[i]) == at)
			offer(choice, SMALL_EXPIRE, i);
}

unsigned small_actions(const struct small *small, struct small_action *actions)
{
	const struct sim_world *world = small->world;
	struct choice choice = {actions, 0};

	for (uint32_t i = 0; i < world->host_count; i++) {
		if (!oldest(small, i))
			continue;
		offer(&choice, SMALL_DELIVER, i);
		for (int kind = SMALL_LOSE; kind <= SMALL_HOLD; kind++)
			if (small->faults < small->config.faults)
				offer(&choice, kind, i);
	}
	for (unsigned i = 0; i < small->strays; i++)
		offer(&choice, SMALL_STRAY, i);
	for (uint32_t i = 0; i < world->user_count; i++)
		if (world->user[i]->sleep.place)
			offer(&choice, SMALL_CALL, i);
	offer_time(small, &choice);
	return choice.n;
}

static void forget_stray(struct small *small, unsigned i)
{
	small->strays--;
	for (; i < small->strays; i++)
		small->stray[i] = small->stray[i + 1];
}

static void deliver(struct small *small, struct sim_frame *frame)
{
	sim_queue_remove(&small->world->queue, &frame->event);
	sim_host_arrival(frame);
}

static void discard(struct small *small, struct sim_frame *frame)
{
	struct sim_world *world = small->world;

	sim_queue_remove(&world->queue, &frame->event);
	world->frames_under_way--;
	sim_free(world->arena, frame, sizeof *frame + frame->len);
}

/* A copy of a frame, which strays. */
static void copy(struct small *small, const struct sim_frame *frame)
{
	struct sim_world *world = small->world;
	size_t size = sizeof *frame + frame->len;
	struct sim_frame *twin = sim_alloc(world->arena, size, alignof(struct sim_frame));

	if (twin) {
		memcpy(twin, frame, size);
		twin->copy++;
		twin->event = (struct sim_event){.kind = SIM_EVENT_FRAME, .owner = twin};
	}
	if (!twin || !sim_queue_put(&world->queue, &twin->event, frame->event.at)) {
		sim_fail(world, NULL, SIM_RULE_WORLD, "for a copy", world->arena->used, 0);
		return;
	}
	world->frames_under_way++;
	small->stray[small->strays++] = twin;
}

static void pass_time(struct small *small, uint64_t at)
{
	if (small->world->now < at)
		small->world->now = at;
}

static void on_frame(struct small *small, enum small_kind kind, struct sim_frame *frame)
{
	small->faults += kind != SMALL_DELIVER;
	if (kind == SMALL_HOLD) {
		small->stray[small->strays++] = frame;
		return;
	}
	if (kind == SMALL_DOUBLE)
		copy(small, frame);
	if (kind == SMALL_LOSE)
		discard(small, frame);
	else
		deliver(small, frame);
}

static void on_stray(struct small *small, enum small_kind kind, unsigned i)
{
	struct sim_frame *frame = small->stray[i];

	forget_stray(small, i);
	if (kind == SMALL_STRAY) {
		deliver(small, frame);
		return;
	}
	pass_time(small, expiry(frame));
	discard(small, frame);
}

static void on_call(struct small *small, struct sim_user *user)
{
	sim_queue_remove(&small->world->queue, &user->sleep);
	sim_user_wake(user);
}

/* On the way the host may have to be woken to no effect, for its wheel to turn. */
static void on_time(struct small *small, struct sim_host *host)
{
	uint64_t at = deadline(host);

	while (host->wake.place && host->wake.at <= at && !small->world->failure.failed) {
		pass_time(small, host->wake.at);
		sim_queue_remove(&small->world->queue, &host->wake);
		sim_host_wake(host);
	}
}

/* Where nobody aborts, faults so few end no connection with an error. */
static void judge_users(struct small *small)
{
	struct sim_world *world = small->world;

	for (uint32_t i = 0; i < world->user_count; i++) {
		const struct sim_user *user = world->user[i];

		if (user->refusals && user->refusal != -PARLEY_EAGAIN && !user->error &&
		    small->config.scenario != SMALL_ABORT)
			sim_fail(world, user->host, SIM_RULE_CALL, "a call was refused",
				 (uint64_t)-user->refusal, user->number);
		if (user->error && small->config.scenario != SMALL_ABORT)
			sim_fail(world, user->host, SIM_RULE_CALL, "an error was told",
				 (uint64_t)user->error, user->number);
	}
}

static void judge_pair(struct small *small)
{
	struct small_pair pair = small_pair(small);

	if (!small_pair_is_sound(pair, small->config.scenario == SMALL_ABORT))
		sim_fail(small->world, NULL, SIM_RULE_PAIR, parley_state_name((int)pair.end[0]),
			 pair.end[0], pair.end[1]);
}

bool small_act(struct small *small, struct small_action action)
{
	struct sim_world *world = small->world;

	world->events++;
	switch ((enum small_kind)action.kind) {
	case SMALL_DELIVER:
	case SMALL_LOSE:
	case SMALL_DOUBLE:
	case SMALL_HOLD:
		on_frame(small, action.kind, oldest(small, action.which));
		break;
	case SMALL_STRAY:
	case SMALL_EXPIRE:
		on_stray(small, action.kind, action.which);
		break;
	case SMALL_CALL:
		on_call(small, world->user[action.which]);
		break;
	case SMALL_TIME:
		on_time(small, world->host[action.which]);
		break;
	case SMALL_KINDS:
		break;
	}
	judge_users(small);
	judge_pair(small);
	return !world->failure.failed;
}

bool small_is_over(const struct small *small)
{
	const struct sim_world *world = small->world;
	struct parley_status status;

	if (world->frames_under_way)
		return false;
	for (uint32_t i = 0; i < world->user_count; i++)
		if (!world->user[i]->over && !world->user[i]->listening)
			return false;
	for (uint32_t i = 0; i < world->host_count; i++)
		if (connection(world->host[i], &status))
			return false;
	return true;
}

/* Each stream came whole, with its end, or the user who read it knows that it did not. */
static void judge_stream(struct small *small, const struct sim_user *user)
{
	const struct sim_stream *in = user->in;

	if (user->error || user->closed || user->listening)
		return;
	if (!in || !user->eof || in->received != in->sent)
		sim_fail(small->world, user->host, SIM_RULE_STUCK, "bytes read, sent",
			 in ? in->received : 0, in ? in->sent : 0);
}

bool small_judge_end(struct small *small)
{
	struct sim_world *world = small->world;

	for (uint32_t i = 0; i < world->user_count; i++)
		if (!world->user[i]->accepted)
			judge_stream(small, world->user[i]);
	for (uint32_t i = 0; i < world->host_count; i++)
		if (!world->users_running)
			sim_oracle_end(world->host[i]);
	return !world->failure.failed;
}

/* The users. Who listens does so before all choices. */
static bool add_users(struct small *small)
{
	struct sim_world *world = small->world;

	if (!small_script(world, small->config.scenario))
		return false;
	if (small->config.scenario != SMALL_SIMULTANEOUS_OPEN)
		on_call(small, world->user[0]);
	return true;
}

static bool deliver_all(struct small *small)
{
	struct sim_frame *frame;

	while ((frame = oldest(small, SIM_CLIENT)) || (frame = oldest(small, SIM_SERVER)))
		deliver(small, frame);
	return !small->world->failure.failed;
}

/* Whoever connects has done so; and if that is wanted, the connection is established. */
static bool begin(struct small *small)
{
	struct sim_world *world = small->world;

	if (opened[small->config.scenario] == OPEN_NOTHING)
		return true;
	for (uint32_t i = 0; i < world->user_count; i++)
		if (world->user[i]->sleep.place)
			on_call(small, world->user[i]);
	return opened[small->config.scenario] == OPEN_SYNS || deliver_all(small);
}

struct small *small_new(void *base, const struct small_config *config)
{
	struct sim_pair_config pair = {
		.world = {.seed = 1, .check_every = 1, .unfilled = true, .hooks = config->hooks},
		.lan = {.link = PARLEY_LINK_IP},
	};
	struct sim_world *world = sim_pair_new(base, SMALL_ARENA, &pair);
	struct small *small = world ? sim_zalloc(world->arena, sizeof *small) : NULL;

	if (!small)
		return NULL;
	small->world = world;
	small->config = *config;
	return add_users(small) && begin(small) ? small : NULL;
}
