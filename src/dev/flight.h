/* SPDX-License-Identifier: MIT */
/*
 * Frames under way: each is kept from the moment it is sent until the time at which it arrives
 * (base/path.h says when). They come out in order of that time, and where times are equal in the
 * order they went in.
 *
 * Frames are copied in and belong to the flight until popped. Memory is bounded by the limit given
 * at the start, counted in bytes of frames.
 */
#ifndef DEV_FLIGHT_H
#define DEV_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flight_frame {
	uint64_t at;	/* when it arrives, ns */
	uint64_t order; /* of going in */
	size_t len;
	uint8_t bytes[];
};

struct flight {
	struct flight_frame **heap;
	size_t n, room;
	size_t bytes, limit;
	uint64_t order;
};

void flight_init(struct flight *flight, size_t limit);

/* Frees all frames that are still under way. */
void flight_clear(struct flight *flight);

/* Copies a frame in. NULL when the limit or memory does not allow it. */
struct flight_frame *flight_push(struct flight *flight, uint64_t at, const void *bytes, size_t len);

/* The frame that arrives first, or NULL. It stays under way. */
struct flight_frame *flight_first(const struct flight *flight);

/* Takes the first one out: now the caller's, to free(). NULL when there is none. */
struct flight_frame *flight_pop(struct flight *flight);

#endif
