/* SPDX-License-Identifier: MIT */
/*
 * The hub of a LAN, in real time: `parley lan`. Stations join at a Unix socket (dev/lan.h). It
 * learns where each station is, so that a frame for a known one goes there alone; all others go to
 * everybody but the sender. On the way to each station lies a path (base/path.h) of its own, with
 * the delay and the faults that were asked for: so the delay is one way.
 *
 * Frames under way are kept in bounded memory; a station that does not read its socket loses
 * frames, and nobody else does.
 */
#ifndef DEV_HUB_H
#define DEV_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/path.h"

#define HUB_STATIONS_MAX 64

struct hub_config {
	const char *path; /* of the socket; at most 107 bytes */
	const char *pcap; /* a capture of all that comes in; NULL: none */
	/* The way to each station. Its seed is mixed with the station's number. */
	struct path_config link;
	size_t memory; /* frames under way, bytes, to one station at most half; 0: 64 MiB */
};

struct hub_counts {
	uint64_t stations;	  /* that ever joined */
	uint64_t in;		  /* frames that came in */
	uint64_t out;		  /* frames handed to stations; flooding makes several of one */
	uint64_t malformed;	  /* came in too short or too long */
	uint64_t memory;	  /* dropped: too much under way */
	uint64_t gone;		  /* dropped: the station left */
	struct path_counts links; /* of all paths together */
};

struct hub;

/*
 * Makes the socket and begins to listen. A socket that a dead hub left behind is replaced.
 * Returns 0 and sets *out, or a negative errno: -EADDRINUSE when a living hub has the path,
 * -ENOTSOCK when something else does, and *culprit the path (of socket or capture) that it is
 * about.
 */
int hub_open(struct hub **out, const struct hub_config *config, const char **culprit);

/*
 * Waits for at most `timeout_ms` (-1: for ever) for something to do, and does it. Returns 0, or a
 * negative errno when it cannot go on.
 */
int hub_step(struct hub *hub, int timeout_ms);

/* Steps until a signal comes on `signals` (signalfd(2)); returns its number, or as hub_step(). */
int hub_run(struct hub *hub, int signals);

void hub_counts(const struct hub *hub, struct hub_counts *counts);

/*
 * Ends all, removes the socket unless somebody else has put another in its place. Returns 0, or
 * the negative errno that spoilt the capture.
 */
int hub_close(struct hub *hub);

#endif
