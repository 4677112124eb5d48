/* SPDX-License-Identifier: MIT */
#include "sim/queue.h"

#include "base/mem.h"
#include "base/must.h"

#include <stdalign.h>

#define FIRST_CAP 64

bool sim_queue_init(struct sim_queue *queue, struct sim_arena *arena)
{
	*queue = (struct sim_queue){.arena = arena, .cap = FIRST_CAP};
	queue->v = sim_alloc(arena, FIRST_CAP * sizeof *queue->v, alignof(struct sim_event *));
	return queue->v != NULL;
}

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void place(struct sim_queue *queue, struct sim_event *event, uint32_t i)
{
	queue->v[i] = event;
	event->place = i;
}

static void sift_up(struct sim_queue *queue, struct sim_event *event, uint32_t i)
{
	while (i > 1 && before(event, queue->v[i / 2])) {
		place(queue, queue->v[i / 2], i);
		i /= 2;
	}
	place(queue, event, i);
}

static void sift_down(struct sim_queue *queue, struct sim_event *event, uint32_t i)
{
	for (;;) {
		uint32_t child = i * 2;

		if (child < queue->n && before(queue->v[child + 1], queue->v[child]))
			child++;
		if (child > queue->n || !before(queue->v[child], event))
			break;
		place(queue, queue->v[child], i);
		i = child;
	}
	place(queue, event, i);
}

static void settle(struct sim_queue *queue, struct sim_event *event, uint32_t i)
{
	if (i > 1 && before(event, queue->v[i / 2]))
		sift_up(queue, event, i);
	else
		sift_down(queue, event, i);
}

static bool grow(struct sim_queue *queue)
{
	size_t size = queue->cap * sizeof *queue->v;
	struct sim_event **v = sim_alloc(queue->arena, 2 * size, alignof(struct sim_event *));

	if (!v)
		return false;
	memcpy(v, queue->v, size);
	sim_free(queue->arena, queue->v, size);
	queue->v = v;
	queue->cap *= 2;
	return true;
}

bool sim_queue_put(struct sim_queue *queue, struct sim_event *event, uint64_t at)
{
	if (event->place) {
		if (event->at == at)
			return true;
		event->at = at;
		event->order = ++queue->order;
		settle(queue, event, event->place);
		return true;
	}
	/* v[0] is not used, so the last place is n + 1. */
	if (queue->n + 1 == queue->cap && !grow(queue))
		return false;
	event->at = at;
	event->order = ++queue->order;
	queue->n++;
	sift_up(queue, event, queue->n);
	return true;
}

void sim_queue_remove(struct sim_queue *queue, struct sim_event *event)
{
	uint32_t i = event->place;
	struct sim_event *last;

	if (!i)
		return;
	must(i <= queue->n && queue->v[i] == event);
	event->place = 0;
	last = queue->v[queue->n--];
	if (last != event)
		settle(queue, last, i);
}
