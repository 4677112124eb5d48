/* SPDX-License-Identifier: MIT */
#include "tool/network.h"

#include <sys/random.h>

#include "dev/clock.h"

void network_path(const struct network_options *o, struct path_config *path)
{
	*path = (struct path_config){
		.delay_ns = o->delay,
		.jitter_ns = o->jitter,
		.rate_bps = o->rate,
		.queue = (uint32_t)o->queue,
		.loss = (uint32_t)o->loss,
		.duplicate = (uint32_t)o->duplicate,
		.reorder = (uint32_t)o->reorder,
		.corrupt = (uint32_t)o->corrupt,
		.seed = o->seed,
	};
	if (o->seed != UINT64_MAX)
		return;
	if (getrandom(&path->seed, sizeof path->seed, 0) != (ssize_t)sizeof path->seed)
		path->seed = clock_now();
}
