/* SPDX-License-Identifier: MIT */
/*
 * One direction of a link: what becomes of each frame that is offered to it, and when. The
 * simulator and the real-time hub share this model. It holds no frames: whoever drives it keeps
 * them in order of the delivery times given here (and, where these are equal, in the order given).
 *
 * A frame takes these steps, in this order:
 *
 *	queue		in front of the link wait at most `queue` frames, the one in transmission
 *			counted; the next one is dropped (tail drop)
 *	rate		frames leave one after the other, each taking its length's time; without a
 *			rate at once, and then nothing ever waits
 *	loss		a frame is lost on the wire: it took its time on the link all the same
 *	delay, jitter	arrival is delay behind leaving, plus an even draw of 0..jitter, but never
 *			before the frame ahead: jitter alone does not reorder
 *	duplication	a second copy arrives at the same time, right behind the first
 *	reordering	for each copy by itself: it is held back further by an even draw of
 *			1..reorder_ns, while those behind it are not
 *	corruption	for each copy by itself: exactly one bit behind the link header is inverted
 *			(a 16-bit checksum promises to catch that, and no more)
 *
 * Each purpose draws from a stream of its own, and each frame makes the same draws whatever
 * becomes of it: changing one probability does not change what the others do to which frame.
 * Two directions, or two links, are given different seeds.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A queue that a user did not size: netem's default. */
#define PATH_QUEUE_DEFAULT 1000

/* Probabilities are in parts per million (RNG_PPM). All zero is a perfect wire. */
struct path_config {
	uint64_t delay_ns;
	uint64_t jitter_ns;
	uint64_t rate_bps;   /* bits a second; 0: no limit */
	uint32_t queue;	     /* frames; 0: no limit */
	uint32_t loss;	     /* ppm */
	uint32_t duplicate;  /* ppm */
	uint32_t reorder;    /* ppm */
	uint32_t corrupt;    /* ppm */
	uint64_t reorder_ns; /* how far at most; 0: delay + jitter, but at least 1 ms */
	uint64_t seed;
};

enum path_fate {
	PATH_DELIVERED,
	PATH_LOST,
	PATH_QUEUE_FULL,
};

struct path_copy {
	uint64_t at;	/* when it arrives */
	bool reordered; /* it was held back */
	bool corrupted; /* path_flip(frame, bit) is to be done to it */
	uint32_t bit;	/* counted from the frame's first byte */
};

struct path_verdict {
	enum path_fate fate;
	unsigned copies; /* 1 or 2 when delivered, else 0 */
	struct path_copy copy[2];
};

/* What happened so far, in frames (the last two: in copies). */
struct path_counts {
	uint64_t offered;
	uint64_t queue_full;
	uint64_t lost;
	uint64_t duplicated;
	uint64_t reordered;
	uint64_t corrupted;
};

struct path {
	struct path_config config;
	struct path_counts counts;
	uint64_t *leaves;    /* ring: when each of the last config.queue frames leaves */
	uint32_t next;	     /* the oldest in it, and the next to be overwritten */
	uint64_t busy_until; /* when the last frame accepted so far leaves */
	uint64_t part;	     /* and by how many 1/rate_bps ns later it does */
	uint64_t last_at;    /* when the last frame delivered so far arrives, unless reordered */
	struct rng loss, jitter, duplicate, reorder, corrupt;
};

/*
 * leaves: an array of config->queue numbers, the caller's for as long as the path lives; NULL when
 * queue is 0.
 */
void path_init(struct path *p, const struct path_config *config, uint64_t *leaves);

/* Changes all but queue and seed, from the next frame on. Frames under way are not called back. */
void path_set(struct path *p, const struct path_config *config);

/*
 * A frame of len bytes (at most 2^28) enters at time now, which never goes back. Of its bytes
 * link_header_len (14 for Ethernet) are never corrupted.
 */
void path_offer(struct path *p, uint64_t now, size_t len, unsigned link_header_len,
		struct path_verdict *verdict);

/* Inverts one bit of a frame: bit 0 is the highest of byte 0. */
static inline void path_flip(uint8_t *frame, uint32_t bit)
{
	frame[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
}

#endif
