/* SPDX-License-Identifier: MIT */
/*
 * Draws a scenario from a seed: hosts, links, settings, users, and what happens to them. Links heal
 * at some time, and from then on everything must come to an end by itself, before the limit.
 *
 * Settings are drawn from the engine's own table: a switch is on or off, a number lies between its
 * minimum and twice its default; only those that need it have bounds of their own here.
 */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H

#include "sim/scenario.h"

#include <stdint.h>

void sim_draw(struct sim_scenario *scenario, uint64_t seed);

#endif
