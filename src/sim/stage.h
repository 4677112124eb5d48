/* SPDX-License-Identifier: MIT */
/*
 * A scenario staged as a world: hosts, links and users are made, and what is to be done to them
 * later happens at its time. All of it lies in the world's arena, a copy of the scenario too.
 *
 *	world = sim_stage_new(base, size, &scenario, &hooks, &wrong);
 *	if (sim_stage_run(world) == SIM_FAILED)
 *		... world->failure ...
 */
#ifndef SIM_STAGE_H
#define SIM_STAGE_H

#include "sim/queue.h"
#include "sim/scenario.h"
#include "sim/world.h"

#include <stddef.h>

/* A scenario needs no more room; most need a quarter of it. */
#define SIM_STAGE_ARENA ((size_t)256 << 20)

struct sim_stage;

/* Something that is done to a world from outside: event SIM_EVENT_CHANGE. */
struct sim_change {
	struct sim_event event;
	struct sim_stage *stage;
	enum sim_list list; /* what it is; SIM_LISTS: the links heal */
	uint32_t number;    /* in its list */
	parley_conn conn;   /* that an act or a tune is about */
	bool back;	    /* what was changed comes back; of a tune, this value */
	int64_t value;
};

/*
 * Makes the world at base (as sim_world_new()). The scenario must have passed sim_scenario_check();
 * it is copied. NULL, with *wrong saying why, when something in it is refused, or the room is too
 * small.
 */
struct sim_world *sim_stage_new(void *base, size_t size, const struct sim_scenario *scenario,
				const struct sim_hooks *hooks, const char **wrong);

/*
 * Runs the world to its end and judges what can only be judged there. SIM_SETTLED or SIM_FAILED.
 * world->coverage is complete then.
 */
enum sim_result sim_stage_run(struct sim_world *world);

/*
 * The address of a host on a LAN, and the bits of its prefix: 198.18.(lan + 1).(host + 1)/24, or
 * 2001:db8:0:(lan + 1)::(host + 1)/64.
 */
struct parley_addr sim_stage_address(const struct sim_scenario *scenario,
				     const struct sim_of_port *port, unsigned *prefix);

/* Event SIM_EVENT_CHANGE. */
void sim_stage_change(struct sim_change *change);

#endif
