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
 * them different seeds. Each packet takes the path by itself, so `inner` must do no offloads: a
 * TUN is to be plain. Returns 0 and sets *wrapper, or -EOPNOTSUPP or -ENOMEM, and inner is still
 * the caller's.
 */
int netem_open(struct device **wrapper, struct device *inner, const struct path_config *out,
	       const struct path_config *in);

/* Changes both paths, but not their queues and seeds, for the frames that come from now on. */
void netem_set(struct device *wrapper, const struct path_config *out, const struct path_config *in);

#endif
