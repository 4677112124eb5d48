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
	uint64_t urgent;   /* bytes up to the last that the sender called urgent */
	bool finished;	   /* the sender closed after them */
	uint64_t received; /* bytes that were delivered */
	uint64_t told;	   /* bytes up to the last that the receiver was told to be urgent */
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

/*
 * Before bytes are taken: so many behind those delivered are urgent. The mark only moves forward,
 * and never beyond the sender's; nobody reads past it without having been told.
 */
void sim_stream_urgent(struct sim_stream *stream, const struct sim_host *host, int64_t left);

/* The end was told, without an error. */
void sim_stream_end(struct sim_stream *stream, const struct sim_host *host);

#endif
