/* SPDX-License-Identifier: MIT */
/*
 * Makes a scenario smaller while it still fails: elements are taken out, many at once first and
 * then one by one, and numbers become zero or smaller. What is left is needed, as far as one
 * change shows.
 */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "sim/scenario.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_shrinking {
	/* Whether a scenario, which has passed sim_scenario_check(), fails in the same way. */
	bool (*fails)(void *context, const struct sim_scenario *scenario);
	void *context;
	uint32_t tries_max; /* calls of it, at most */
	uint32_t tries;	    /* made so far */
};

/* The scenario is changed in place. It must fail to begin with. */
void sim_shrink(struct sim_shrinking *shrinking, struct sim_scenario *scenario);

#endif
