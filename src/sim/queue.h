/* SPDX-License-Identifier: MIT */
/*
 * What is still to happen in a world, ordered by time and, where times are equal, by the order in
 * which it was put there: a total order, so a run can be repeated to the byte.
 *
 * A binary heap of pointers to events that lie inside what they are about (a frame under way, a
 * host's next deadline, a sleeping user). An event knows its place, so it can be moved and taken
 * out. Times in virtual ns.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "sim/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum sim_event_kind {
	SIM_EVENT_FRAME,  /* a frame arrives: owner is a struct sim_frame */
	SIM_EVENT_WAKE,	  /* a host's deadline: struct sim_host */
	SIM_EVENT_SLEEP,  /* a user slept long enough: struct sim_user */
	SIM_EVENT_PACE,	  /* a slow reader may read again: struct sim_user */
	SIM_EVENT_CHANGE, /* something is done to the world: struct sim_change */
	SIM_EVENT_DONE,	  /* a device gives an output frame back: struct sim_held */
	SIM_EVENT_TURN,	  /* a host that puts things off comes to its turn: struct sim_host */
};

struct sim_event {
	uint64_t at;
	uint64_t order; /* counts insertions */
	uint32_t place; /* 1.. in the heap, 0: not queued */
	enum sim_event_kind kind;
	void *owner;
};

struct sim_queue {
	struct sim_arena *arena;
	struct sim_event **v; /* v[1] is the first */
	uint32_t n, cap;
	uint64_t order; /* of the last insertion */
};

/* False when the arena is full. */
bool sim_queue_init(struct sim_queue *queue, struct sim_arena *arena);

/*
 * Puts an event at a time, or moves one that is there already. One that stands at that very time
 * keeps its order. False when the arena is full; the event is then not queued.
 */
bool sim_queue_put(struct sim_queue *queue, struct sim_event *event, uint64_t at);

/* Takes an event out; nothing happens when it is not queued. */
void sim_queue_remove(struct sim_queue *queue, struct sim_event *event);

/* The next event, which stays; NULL when there is none. */
static inline struct sim_event *sim_queue_first(const struct sim_queue *queue)
{
	return queue->n ? queue->v[1] : NULL;
}

#endif
