/* SPDX-License-Identifier: MIT */
#include "sim/coverage.h"

#include "sim/mix.h"
#include "tcp/tcb.h"

#define EXACT	   16 /* spread[] holds each number below, then eight steps an octave */
#define STEP_SHIFT 3

static const char *const fates[] = {
#define SIM_X(name, text, meaning) text,
	SIM_FATES(SIM_X)
#undef SIM_X
};

static const char *const mishaps[] = {
#define SIM_X(name, text, meaning) text,
	SIM_MISHAPS(SIM_X)
#undef SIM_X
};

_Static_assert(PARLEY_STATES *PARLEY_STATES <= SIM_COVER_ITEMS, "an item for each edge");
_Static_assert(PARLEY_DROP_COUNT <= SIM_COVER_ITEMS, "an item for each reason");

static bool edge_item(uint32_t i, struct sim_text *name)
{
	enum parley_state from = (enum parley_state)(i / PARLEY_STATES);
	enum parley_state to = (enum parley_state)(i % PARLEY_STATES);

	sim_text_put(name, parley_state_name((int)from));
	sim_text_put(name, ">");
	sim_text_put(name, parley_state_name((int)to));
	return tcb_edge(from, to);
}

static bool drop_item(uint32_t i, struct sim_text *name)
{
	sim_text_put(name, parley_drop_name((int)i));
	return true;
}

/* The first stands for no timer. */
static bool timer_item(uint32_t i, struct sim_text *name)
{
	sim_text_put(name, parley_timer_name((int)i));
	return i != PARLEY_TIMER_NONE;
}

static bool fate_item(uint32_t i, struct sim_text *name)
{
	sim_text_put(name, fates[i]);
	return true;
}

static bool mishap_item(uint32_t i, struct sim_text *name)
{
	sim_text_put(name, mishaps[i]);
	return true;
}

static bool forge_item(uint32_t i, struct sim_text *name)
{
	sim_text_put(name, sim_forgery_name((int)i));
	return true;
}

static bool work_item(uint32_t i, struct sim_text *name)
{
	sim_text_put(name, sim_workload_name((int)i));
	return true;
}

static const struct sim_cover_group groups[SIM_COVER_GROUPS] = {
	{"edge", PARLEY_STATES *PARLEY_STATES, edge_item},
	{"drop", PARLEY_DROP_COUNT, drop_item},
	{"timer", PARLEY_TIMER_COUNT, timer_item},
	{"fate", SIM_FATE_COUNT, fate_item},
	{"fault", SIM_MISHAP_COUNT, mishap_item},
	{"forgery", SIM_FORGERY_COUNT, forge_item},
	{"work", SIM_WORKLOADS, work_item},
};

const struct sim_cover_group *sim_cover_group(uint32_t group)
{
	return group < SIM_COVER_GROUPS ? &groups[group] : NULL;
}

/* Where a number of segments stands in the spread, and the least that stands there. */
static uint32_t place_of(uint64_t segments)
{
	unsigned shift = 0;

	if (segments < EXACT)
		return (uint32_t)segments;
	while (segments >> shift >= EXACT)
		shift++;
	return EXACT + (shift - 1) * (1 << STEP_SHIFT) +
	       ((uint32_t)(segments >> shift) - (1 << STEP_SHIFT));
}

static uint64_t least_at(uint32_t place)
{
	uint32_t step = place - EXACT;

	if (place < EXACT)
		return place;
	return (uint64_t)((1 << STEP_SHIFT) + step % (1 << STEP_SHIFT))
	       << (step / (1 << STEP_SHIFT) + 1);
}

void sim_tally_add(struct sim_tally *tally, const struct sim_coverage *coverage, uint64_t seed,
		   uint64_t digest, uint64_t events)
{
	const uint32_t *of[SIM_COVER_GROUPS] = {
		&coverage->edge[0][0], coverage->drop,	 coverage->timer, coverage->fate,
		coverage->mishap,      coverage->forged, coverage->work,
	};

	tally->worlds++;
	tally->digest += mix64(mix_word(digest, seed));
	tally->events += events;
	tally->segments += coverage->segments;
	tally->spread[place_of(coverage->segments)]++;
	for (uint32_t g = 0; g < SIM_COVER_GROUPS; g++)
		for (uint32_t i = 0; i < groups[g].n; i++)
			tally->count[g][i] += of[g][i];
}

void sim_tally_join(struct sim_tally *tally, const struct sim_tally *more)
{
	tally->worlds += more->worlds;
	tally->digest += more->digest;
	tally->events += more->events;
	tally->segments += more->segments;
	for (uint32_t i = 0; i < sizeof tally->spread / sizeof *tally->spread; i++)
		tally->spread[i] += more->spread[i];
	for (uint32_t g = 0; g < SIM_COVER_GROUPS; g++)
		for (uint32_t i = 0; i < SIM_COVER_ITEMS; i++)
			tally->count[g][i] += more->count[g][i];
}

uint64_t sim_tally_median(const struct sim_tally *tally)
{
	uint64_t above = 0;
	uint32_t i = sizeof tally->spread / sizeof *tally->spread;

	while (i > 0 && 2 * above < tally->worlds)
		above += tally->spread[--i];
	return above ? least_at(i) : 0;
}
