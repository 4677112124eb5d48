/* SPDX-License-Identifier: MIT */
#include "sim/shrink.h"

#include "sim/field.h"

/* Lists in the order in which they are tried: what happens before to whom it happens. */
static const enum sim_list order[] = {
	SIM_LIST_forges, SIM_LIST_faults,  SIM_LIST_works,    SIM_LIST_acts,
	SIM_LIST_tunes,	 SIM_LIST_resizes, SIM_LIST_absences, SIM_LIST_cuts,
	SIM_LIST_routes, SIM_LIST_narrows, SIM_LIST_jumps,    SIM_LIST_fails,
	SIM_LIST_sets,	 SIM_LIST_hosts,   SIM_LIST_ports,    SIM_LIST_lans,
};

static bool may_try(const struct sim_shrinking *shrinking)
{
	return shrinking->tries < shrinking->tries_max;
}

/* Takes the candidate over when it fails too. */
static bool try(struct sim_shrinking *shrinking, struct sim_scenario *scenario,
		const struct sim_scenario *candidate)
{
	if (!may_try(shrinking) || sim_scenario_check(candidate))
		return false;
	shrinking->tries++;
	if (!shrinking->fails(shrinking->context, candidate))
		return false;
	*scenario = *candidate;
	return true;
}

/* Takes out as many as go, portions of half the list first. True when any went. */
static bool thin(struct sim_shrinking *shrinking, struct sim_scenario *scenario, enum sim_list list)
{
	bool any = false;

	for (uint32_t n = scenario->count[list]; n && may_try(shrinking); n /= 2) {
		uint32_t at = 0;

		while (at + n <= scenario->count[list] && may_try(shrinking)) {
			struct sim_scenario candidate = *scenario;

			sim_list_cut(&candidate, list, at, n);
			if (try(shrinking, scenario, &candidate))
				any = true;
			else
				at += n;
		}
	}
	return any;
}

static bool thin_all(struct sim_shrinking *shrinking, struct sim_scenario *scenario)
{
	bool any = false;

	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		any |= thin(shrinking, scenario, order[i]);
	return any;
}

/* Numbers that may become smaller: names and values of settings may not. */
static bool is_amount(const struct sim_field *f)
{
	switch (f->type) {
	case SIM_FIELD_COUNT:
	case SIM_FIELD_COUNT16:
	case SIM_FIELD_COUNT64:
	case SIM_FIELD_TIME:
	case SIM_FIELD_CHANCE:
	case SIM_FIELD_BOOL:
		return true;
	default:
		return false;
	}
}

/* One number: 0, or half as often as that goes. */
static bool lessen(struct sim_shrinking *shrinking, struct sim_scenario *scenario,
		   enum sim_list list, uint32_t n, const struct sim_field *f)
{
	bool any = false, zero = true;
	uint64_t was;

	while ((was = sim_field_get(sim_list_at(scenario, list, n), f)) != 0) {
		struct sim_scenario candidate = *scenario;

		sim_field_put(sim_list_at(&candidate, list, n), f, zero ? 0 : was / 2);
		if (try(shrinking, scenario, &candidate))
			any = true;
		else if (!zero)
			break;
		zero = false;
		if (was == 1)
			break;
	}
	return any;
}

static bool lessen_all(struct sim_shrinking *shrinking, struct sim_scenario *scenario)
{
	bool any = false;

	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		for (uint32_t n = 0; n < scenario->count[order[i]]; n++)
			for (const struct sim_field *f = sim_fields(order[i]); f->type; f++)
				if (is_amount(f))
					any |= lessen(shrinking, scenario, order[i], n, f);
	return any;
}

void sim_shrink(struct sim_shrinking *shrinking, struct sim_scenario *scenario)
{
	bool more = true;

	while (more && may_try(shrinking)) {
		thin_all(shrinking, scenario);
		more = lessen_all(shrinking, scenario);
	}
}
