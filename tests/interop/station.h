/* SPDX-License-Identifier: MIT */
/*
 * A Parley host on a TUN or TAP device in real time, with its connections ("ends") and what these
 * do by themselves: send the pattern, take or echo what arrives.
 */
#ifndef TESTS_INTEROP_STATION_H
#define TESTS_INTEROP_STATION_H

#include <stdbool.h>
#include <stdint.h>

#include <parley/parley.h>

#include "dev/device.h"

#define STATION_FRAMES 32

/* What an end does with what arrives. */
enum mode {
	MODE_HOLD, /* leaves it where it is */
	MODE_SINK, /* takes it, and compares it with the pattern */
	MODE_ECHO, /* sends it back, and closes when the peer has */
};

struct end {
	parley_conn conn; /* PARLEY_NO_CONN: waits for its turn to be opened, or is released */
	struct parley_open open;
	bool listener, manual; /* manual: accepts only when told so */
	enum mode mode;
	uint64_t to_send; /* of the pattern, not yet handed over */
	unsigned flags;	  /* of these sends */
	uint64_t sent, received, wrong;
	bool eof, connected, dead, urgent;
	bool closing, shutting; /* to be done when all has been handed over */
	int error;		/* why it is dead, or what a call answered */
};

struct station {
	struct parley_host *host;
	struct device *device;
	bool netem; /* the device is a network that can be made bad */
	int ifindex;
	uint64_t now;
	struct end *ends;
	uint32_t count, room; /* of ends: number n is ends[n - 1] */
	/* Ends from `unopened` on are still to be opened, a few at a time. */
	uint32_t unopened, opening;
	struct parley_frame kept[STATION_FRAMES];
	int kept_count;
	bool gone; /* the device */
};

struct station_config {
	struct device *device; /* the station's from now on */
	bool netem;
	struct parley_addr addr;
	unsigned prefix;
};

/* 0, or the negative error of the engine that does not want it. */
int station_init(struct station *station, const struct station_config *config);
void station_free(struct station *station);

/* A new end, zero; its number, or 0 without memory. */
uint32_t station_add(struct station *station);

/* NULL: there is none of that number. */
struct end *station_end(struct station *station, uint32_t number);

/* The end sends and receives as far as it can; to be called when something about it changed. */
void station_pump(struct station *station, struct end *end);

/* Takes one connection from a listener; the new end's number, or a negative error. */
int station_accept(struct station *station, uint32_t listener);

/* What is owed goes out, what has come is taken in, until nothing is left to be done now. */
void station_turn(struct station *station);

/* When the next turn must be, ns. */
uint64_t station_deadline(const struct station *station);

#endif
