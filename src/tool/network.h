/* SPDX-License-Identifier: MIT */
/* The options that describe a network, for every command that has one, and their path. */
#ifndef TOOL_NETWORK_H
#define TOOL_NETWORK_H

#include <stdint.h>

#include "base/path.h"
#include "tool/option.h"

struct network_options {
	uint64_t delay, jitter;			    /* ns */
	uint64_t loss, duplicate, reorder, corrupt; /* ppm */
	uint64_t rate;				    /* bits a second */
	uint64_t queue;				    /* frames */
	uint64_t seed;				    /* UINT64_MAX: one that nobody chose */
};

#define NETWORK_DEFAULTS                                        \
	{                                                       \
		.queue = PATH_QUEUE_DEFAULT, .seed = UINT64_MAX \
	}

/* clang-format off */
#define NETWORK_PLACE(type, member, field) \
	(offsetof(type, member) + offsetof(struct network_options, field))

/* Rows of a table of options whose struct `type` has a network_options named `member`. */
#define NETWORK_OPTIONS(type, member) \
	{"delay", 0, "MS", OPTION_MS, NETWORK_PLACE(type, member, delay), 0, 60000000000, \
	 "how long each frame is under way, one way (milliseconds, such as 20 or 0.5)"}, \
	{"jitter", 0, "MS", OPTION_MS, NETWORK_PLACE(type, member, jitter), 0, 60000000000, \
	 "up to so much longer, by chance; never reorders by itself"}, \
	{"loss", 0, "PCT", OPTION_PERCENT, NETWORK_PLACE(type, member, loss), 0, 1000000, \
	 "chance that a frame is lost (percent, such as 1 or 0.05)"}, \
	{"dup", 0, "PCT", OPTION_PERCENT, NETWORK_PLACE(type, member, duplicate), 0, 1000000, \
	 "chance that a frame arrives twice"}, \
	{"reorder", 0, "PCT", OPTION_PERCENT, NETWORK_PLACE(type, member, reorder), 0, 1000000, \
	 "chance that a frame is held back, so that later ones overtake it"}, \
	{"corrupt", 0, "PCT", OPTION_PERCENT, NETWORK_PLACE(type, member, corrupt), 0, 1000000, \
	 "chance that one bit of a frame is inverted"}, \
	{"rate", 0, "MBIT", OPTION_MBIT, NETWORK_PLACE(type, member, rate), 1000, \
	 1000000000000, "capacity of each way (Mbit/s); without it, unlimited"}, \
	{"queue", 0, "PACKETS", OPTION_COUNT, NETWORK_PLACE(type, member, queue), 1, 1000000, \
	 "how many frames may wait for --rate, 1000 by default; the next is dropped"}, \
	{"seed", 0, "N", OPTION_COUNT, NETWORK_PLACE(type, member, seed), 0, UINT64_MAX - 1, \
	 "begin the chances here, to have the same ones again"}
/* clang-format on */

/* Without --seed, one is drawn. */
void network_path(const struct network_options *options, struct path_config *path);

#endif
