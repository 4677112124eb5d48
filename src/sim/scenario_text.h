/* SPDX-License-Identifier: MIT */
/*
 * A scenario as a text, one element a line; docs/sim.md describes it. What is written is read back
 * as the same scenario, and scenarios that are the same are written the same.
 */
#ifndef SIM_SCENARIO_TEXT_H
#define SIM_SCENARIO_TEXT_H

#include "sim/scenario.h"
#include "sim/text.h"

#include <stddef.h>
#include <stdint.h>

/* The longest text that a scenario can have. */
#define SIM_SCENARIO_TEXT_MAX ((size_t)128 << 10)

#define SIM_COMPLAINT_MAX 160

/* What is wrong with a text, and in which line, from 1; line 0: with the whole. */
struct sim_complaint {
	uint32_t line;
	char text[SIM_COMPLAINT_MAX];
};

/* Writes it; fields that are zero are left out. */
void sim_scenario_write(const struct sim_scenario *scenario, struct sim_text *text);

/*
 * Reads a text of len bytes. False, and *complaint is filled, when it is not a scenario or
 * sim_scenario_check() finds fault with it.
 */
bool sim_scenario_read(struct sim_scenario *scenario, const char *text, size_t len,
		       struct sim_complaint *complaint);

#endif
