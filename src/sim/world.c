/* SPDX-License-Identifier: MIT */
#include "sim/world.h"

#include "sim/host.h"
#include "sim/lan.h"
#include "sim/oracle.h"
#include "sim/stage.h"
#include "sim/user.h"

#include <stdalign.h>

struct sim_world *sim_world_new(void *base, size_t size, const struct sim_config *config)
{
	struct sim_arena *arena = sim_arena_init(base, size);
	struct sim_world *world;

	if (!arena)
		return NULL;
	world = sim_zalloc(arena, sizeof *world);
	if (!world)
		return NULL;
	world->arena = arena;
	world->config = *config;
	world->now = config->start;
	world->scratch = sim_alloc(arena, SIM_FRAME_MAX, 1);
	if (!world->scratch || !sim_queue_init(&world->queue, arena))
		return NULL;
	return world;
}

static void handle(struct sim_event *event)
{
	switch (event->kind) {
	case SIM_EVENT_FRAME:
		sim_host_arrival(event->owner);
		break;
	case SIM_EVENT_WAKE:
		sim_host_wake(event->owner);
		break;
	case SIM_EVENT_SLEEP:
		sim_user_wake(event->owner);
		break;
	case SIM_EVENT_PACE:
		sim_user_pace(event->owner);
		break;
	case SIM_EVENT_CHANGE:
		sim_stage_change(event->owner);
		break;
	case SIM_EVENT_DONE:
		sim_host_release(event->owner);
		break;
	case SIM_EVENT_TURN:
		sim_host_turn(event->owner);
		break;
	}
}

enum sim_result sim_step(struct sim_world *world)
{
	struct sim_event *event = sim_queue_first(&world->queue);

	if (world->failure.failed)
		return SIM_FAILED;
	if (!event)
		return sim_settled(world) ? SIM_SETTLED : SIM_STUCK;
	sim_queue_remove(&world->queue, event);
	world->now = event->at;
	world->events++;
	handle(event);
	return world->failure.failed ? SIM_FAILED : SIM_RAN;
}

enum sim_result sim_run_until(struct sim_world *world, uint64_t time)
{
	const struct sim_event *first;

	while ((first = sim_queue_first(&world->queue)) && first->at <= time)
		if (sim_step(world) == SIM_FAILED)
			return SIM_FAILED;
	if (world->now < time)
		world->now = time;
	return world->failure.failed ? SIM_FAILED : SIM_RAN;
}

/* A connection, listeners apart, or a turn or an address that is still to come. */
static bool is_busy(const struct sim_host *host)
{
	struct parley_status status = {.size = sizeof status};
	uint64_t cursor = 0;

	if (host->turn.place)
		return true;
	for (uint32_t i = 0; i < host->port_count; i++)
		if (host->port[i]->absent)
			return true;
	while (parley_each(host->engine, &cursor, &status) > 0)
		if (status.entry != PARLEY_ENTRY_LISTENER)
			return true;
	return false;
}

bool sim_settled(const struct sim_world *world)
{
	if (world->users_running || world->frames_under_way || world->frames_held)
		return false;
	for (uint32_t i = 0; i < world->host_count; i++)
		if (is_busy(world->host[i]))
			return false;
	return true;
}

enum sim_result sim_run_idle(struct sim_world *world, uint64_t limit)
{
	while (!sim_settled(world)) {
		const struct sim_event *first = sim_queue_first(&world->queue);
		enum sim_result result;

		if (first && first->at > limit)
			return SIM_LATE;
		result = sim_step(world);
		if (result != SIM_RAN)
			return result;
	}
	return world->failure.failed ? SIM_FAILED : SIM_SETTLED;
}

enum sim_result sim_finish(struct sim_world *world, uint64_t limit)
{
	enum sim_result result = sim_run_idle(world, limit);

	if (result == SIM_LATE)
		sim_fail(world, NULL, SIM_RULE_LATE, "running users, limit", world->users_running,
			 limit);
	if (result == SIM_STUCK)
		sim_fail(world, NULL, SIM_RULE_STUCK, "running users, connections",
			 world->users_running, 0);
	if (result == SIM_SETTLED)
		for (uint32_t i = 0; i < world->host_count; i++)
			sim_oracle_end(world->host[i]);
	return world->failure.failed ? SIM_FAILED : result;
}
