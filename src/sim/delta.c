/* SPDX-License-Identifier: MIT */
#include "sim/delta.h"

#include "base/mem.h"

#include <stdlib.h>

bool delta_begin(struct delta *delta, struct sim_world *world)
{
	size_t size = world->arena->size;

	*delta = (struct delta){.world = world, .base = world->arena->base, .size = size};
	delta->first = malloc(size);
	delta->page = malloc((size / DELTA_PAGE + 1) * sizeof *delta->page);
	if (!delta->first || !delta->page)
		return false;
	/* Behind the used part nothing has a meaning yet. */
	memset(delta->first, 0, size);
	memcpy(delta->first, delta->base, world->arena->used);
	return true;
}

void delta_end(struct delta *delta)
{
	free(delta->first);
	free(delta->page);
	*delta = (struct delta){0};
}

void delta_watched(struct delta *delta)
{
	delta->watched = true;
}

void delta_touch(struct delta *delta, uint32_t page)
{
	delta->page[delta->n++] = page;
}

/* Without a watcher: every page in use, for good. */
static void touch_used(struct delta *delta)
{
	while (!delta->watched && delta->n * DELTA_PAGE < delta->world->arena->used)
		delta_touch(delta, delta->n);
}

bool delta_take(struct delta *delta, struct delta_copy *copy)
{
	touch_used(delta);
	if (copy->cap < delta->n * DELTA_PAGE) {
		uint8_t *bytes = realloc(copy->bytes, delta->n * DELTA_PAGE);

		if (!bytes)
			return false;
		copy->bytes = bytes;
		copy->cap = delta->n * DELTA_PAGE;
	}
	copy->n = delta->n;
	for (uint32_t i = 0; i < copy->n; i++)
		memcpy(copy->bytes + i * DELTA_PAGE, delta->base + delta->page[i] * DELTA_PAGE,
		       DELTA_PAGE);
	return true;
}

/* Pages touched since the copy were then as in the beginning. */
void delta_restore(struct delta *delta, const struct delta_copy *copy)
{
	touch_used(delta);
	for (uint32_t i = 0; i < delta->n; i++) {
		size_t at = delta->page[i] * DELTA_PAGE;

		memcpy(delta->base + at,
		       i < copy->n ? copy->bytes + i * DELTA_PAGE : delta->first + at, DELTA_PAGE);
	}
}
