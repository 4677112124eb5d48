/* SPDX-License-Identifier: MIT */
/*
 * A trace being written: JSON text sequences (RFC 7464), one event of a host a record, in the form
 * of parley_trace_json(). docs/trace.md describes it. The first record says whose trace it is.
 *
 * State changes are on the disk (as far as other programs can see) when tracefile_event() returns,
 * so that a trace can be followed; other events within a moment.
 */
#ifndef DEV_TRACEFILE_H
#define DEV_TRACEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <parley/trace.h>

struct tracefile;

struct tracefile_about {
	const char *host; /* a name for the host, such as its program's */
	struct parley_addr address;
	unsigned prefix;
	bool virtual_clock; /* `now` is not CLOCK_MONOTONIC but begins with the world */
};

/* Makes the file, or empties it. Returns 0 and sets *out, or a negative errno. */
int tracefile_open(struct tracefile **out, const char *path, const struct tracefile_about *about);

/* A parley_trace_fn; the context is the struct tracefile. */
void tracefile_event(void *file, const struct parley_trace_event *event);

/* Writes what is left. Returns 0, or the negative errno of the first error ever. */
int tracefile_close(struct tracefile *file);

#endif
