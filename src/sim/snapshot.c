/* SPDX-License-Identifier: MIT */
#include "sim/snapshot.h"

#include "base/mem.h"

size_t sim_snapshot_size(const struct sim_world *world)
{
	return world->arena->used;
}

size_t sim_snapshot(const struct sim_world *world, void *buf, size_t size)
{
	size_t used = world->arena->used;

	if (size < used)
		return 0;
	memcpy(buf, world->arena->base, used);
	return used;
}

bool sim_restore(struct sim_world *world, const void *buf, size_t size)
{
	struct sim_arena *arena = world->arena;
	struct sim_arena head;

	if (size < sizeof head)
		return false;
	memcpy(&head, buf, sizeof head);
	if (head.base != arena->base || head.size != arena->size || head.used != size)
		return false;
	memcpy(arena->base, buf, size);
	return true;
}
