/* SPDX-License-Identifier: MIT */
/*
 * A wrapper around a device that writes what passes into a capture (dev/pcapfile.h): frames as
 * they are handed out and as they come in, each once.
 *
 * When it is also given the host's trace events, the comments say the state in which a segment was
 * sent, and why, as the host itself knows it; otherwise they say what can be inferred.
 */
#ifndef DEV_CAPTURE_H
#define DEV_CAPTURE_H

#include <parley/trace.h>

#include "dev/device.h"

/*
 * Wraps `inner`, which then belongs to the wrapper. `about` is a comment for the whole file, NULL
 * for none. Returns 0 and sets *wrapper, or a negative errno about `path`, and inner is still the
 * caller's.
 */
int capture_open(struct device **wrapper, struct device *inner, const char *path,
		 const char *about);

/* A trace event of the host behind the device. Others than segment_out do not matter here. */
void capture_event(struct device *wrapper, const struct parley_trace_event *event);

/* The error that ended the writing, a negative errno; 0 while all is well. */
int capture_error(const struct device *wrapper);

#endif
