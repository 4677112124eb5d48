/* SPDX-License-Identifier: MIT */
/*
 * A bad network between a host and its device: a wrapper that puts a path (base/path.h) into each
 * direction, with delay, loss, duplication, reordering, corruption and rate as configured.
 */
#ifndef DEV_NETEM_H
#define DEV_NETEM_H

#include "base/path.h"
#include "dev/device.h"

/*
 * Wraps `inner`, which then belongs to the wrapper. `out` and `in` are the two directions; give
 * them different seeds. Returns 0 and sets *wrapper, or -ENOMEM, and inner is still the caller's.
 */
int netem_open(struct device **wrapper, struct device *inner, const struct path_config *out,
	       const struct path_config *in);

#endif
