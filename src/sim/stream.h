/* SPDX-License-Identifier: MIT */
/*
 * Byte streams between users. Which bytes a stream consists of follows from the world's seed, the
 * two endpoints and the sender's ISS, so what arrives can be checked without having been stored,
 * and an old incarnation's bytes are never right in a new one.
 *
 * A stream is remembered while the world lives, because its two ends come and go independently.
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include "sim/host.h"

#include <parley/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_stream {
	struct sim_stream *next;
	uint64_t key;
	uint64_t sent;	   /* bytes that the engine took from the sender */
	bool finished;	   /* the sender closed after them */
	uint64_t received; /* bytes that were delivered */
	bool ended;	   /* and then the end of the stream was told */
};

/* The stream from src to dst that began with iss. NULL when the arena is full: the world failed. */
struct sim_stream *sim_stream_get(struct sim_world *world, const struct parley_endpoint *src,
				  const struct parley_endpoint *dst, uint32_t iss);

/* The bytes of a stream from an offset on. */
void sim_stream_fill(uint64_t key, uint64_t offset, uint8_t *buf, size_t len);

/* These bytes were delivered next; they are judged, and failures reported as the host's. */
void sim_stream_deliver(struct sim_stream *stream, const struct sim_host *host,
			const uint8_t *bytes, size_t len);

/* The end was told, without an error. */
void sim_stream_end(struct sim_stream *stream, const struct sim_host *host);

#endif
