/* SPDX-License-Identifier: MIT */
#include "dev/flight.h"

#include <stdlib.h>
#include <string.h>

void flight_init(struct flight *flight, size_t limit)
{
	memset(flight, 0, sizeof *flight);
	flight->limit = limit;
}

void flight_clear(struct flight *flight)
{
	for (size_t i = 0; i < flight->n; i++)
		free(flight->heap[i]);
	free(flight->heap);
	flight_init(flight, flight->limit);
}

static bool earlier(const struct flight_frame *a, const struct flight_frame *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static bool grow(struct flight *flight)
{
	size_t room = flight->room ? flight->room * 2 : 64;
	struct flight_frame **heap = reallocarray(flight->heap, room, sizeof *heap);

	if (!heap)
		return false;
	flight->heap = heap;
	flight->room = room;
	return true;
}

struct flight_frame *flight_push(struct flight *flight, uint64_t at, const void *bytes, size_t len)
{
	struct flight_frame *frame;
	size_t i;

	if (len > flight->limit - flight->bytes)
		return NULL;
	if (flight->n == flight->room && !grow(flight))
		return NULL;
	frame = malloc(sizeof *frame + len);
	if (!frame)
		return NULL;
	frame->at = at;
	frame->order = flight->order++;
	frame->len = len;
	memcpy(frame->bytes, bytes, len);
	flight->bytes += len;

	/* A binary heap: up from the end, past all that arrive later. */
	for (i = flight->n++; i > 0 && earlier(frame, flight->heap[(i - 1) / 2]); i = (i - 1) / 2)
		flight->heap[i] = flight->heap[(i - 1) / 2];
	flight->heap[i] = frame;
	return frame;
}

struct flight_frame *flight_first(const struct flight *flight)
{
	return flight->n ? flight->heap[0] : NULL;
}

struct flight_frame *flight_pop(struct flight *flight)
{
	struct flight_frame *first = flight_first(flight), *last;
	size_t i, child;

	if (!first)
		return NULL;
	flight->bytes -= first->len;
	last = flight->heap[--flight->n];
	/* The last one goes down from the top, past all that arrive earlier. */
	for (i = 0; (child = 2 * i + 1) < flight->n; i = child) {
		if (child + 1 < flight->n && earlier(flight->heap[child + 1], flight->heap[child]))
			child++;
		if (!earlier(flight->heap[child], last))
			break;
		flight->heap[i] = flight->heap[child];
	}
	if (flight->n)
		flight->heap[i] = last;
	return first;
}
