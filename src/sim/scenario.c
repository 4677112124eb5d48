/* SPDX-License-Identifier: MIT */
#include "sim/scenario.h"

#include "base/mem.h"
#include "sim/field.h"

static const struct sim_list_info lists[SIM_LISTS] = {
#define SIM_X(type, list, kind, most) \
	[SIM_LIST_##list] = {kind, offsetof(struct sim_scenario, list), sizeof(type), most},
	SIM_SCENARIO_LISTS(SIM_X)
#undef SIM_X
};

const struct sim_list_info *sim_list_info(enum sim_list list)
{
	return &lists[list];
}

void *sim_list_at(struct sim_scenario *scenario, enum sim_list list, uint32_t n)
{
	return (uint8_t *)scenario + lists[list].offset + n * lists[list].size;
}

void *sim_list_add(struct sim_scenario *scenario, enum sim_list list)
{
	void *element;

	if (scenario->count[list] == lists[list].most)
		return NULL;
	element = sim_list_at(scenario, list, scenario->count[list]++);
	memset(element, 0, lists[list].size);
	return element;
}

static void take_out(struct sim_scenario *scenario, enum sim_list list, uint32_t from, uint32_t n)
{
	uint32_t behind = scenario->count[list] - from - n;

	memmove(sim_list_at(scenario, list, from), sim_list_at(scenario, list, from + n),
		behind * lists[list].size);
	scenario->count[list] -= n;
	memset(sim_list_at(scenario, list, scenario->count[list]), 0, n * lists[list].size);
}

/*
 * An element names hosts or LANs from..from+n-1, which are going: true when it must go too. Names
 * behind them are counted down.
 */
static bool renumber(void *element, enum sim_list list, enum sim_field_type gone, uint32_t from,
		     uint32_t n)
{
	for (const struct sim_field *f = sim_fields(list); f->type; f++) {
		uint32_t number = sim_field_u32(element, f);
		bool any = f->type == SIM_FIELD_FROM;

		if (f->type != gone && !(any && gone == SIM_FIELD_HOST))
			continue;
		if (any && !number)
			continue;
		if (number - any >= from && number - any < from + n)
			return true;
		if (number - any >= from + n)
			sim_field_put_u32(element, f, number - n);
	}
	return false;
}

static void forget_names(struct sim_scenario *scenario, enum sim_field_type gone, uint32_t from,
			 uint32_t n)
{
	for (int list = 0; list < SIM_LISTS; list++) {
		uint32_t i = 0;

		while (i < scenario->count[list]) {
			void *element = sim_list_at(scenario, (enum sim_list)list, i);

			if (renumber(element, (enum sim_list)list, gone, from, n))
				take_out(scenario, (enum sim_list)list, i, 1);
			else
				i++;
		}
	}
}

void sim_list_cut(struct sim_scenario *scenario, enum sim_list list, uint32_t from, uint32_t n)
{
	take_out(scenario, list, from, n);
	if (list == SIM_LIST_hosts)
		forget_names(scenario, SIM_FIELD_HOST, from, n);
	if (list == SIM_LIST_lans)
		forget_names(scenario, SIM_FIELD_LAN, from, n);
}

/* The port of a host on a LAN: its index in ports, or -1. */
static int port_of(const struct sim_scenario *scenario, uint32_t host, uint32_t lan)
{
	for (uint32_t i = 0; i < scenario->count[SIM_LIST_ports]; i++)
		if (scenario->ports[i].host == host && scenario->ports[i].lan == lan)
			return (int)i;
	return -1;
}

static bool share_a_lan(const struct sim_scenario *s, uint32_t a, uint32_t b)
{
	for (uint32_t lan = 0; lan < s->count[SIM_LIST_lans]; lan++)
		if (port_of(s, a, lan) >= 0 && port_of(s, b, lan) >= 0)
			return true;
	return false;
}

static const char *check_works(const struct sim_scenario *s)
{
	for (uint32_t i = 0; i < s->count[SIM_LIST_works]; i++) {
		const struct sim_workload *w = &s->works[i];

		if (w->client == w->server)
			return "a work between a host and itself";
		if (!share_a_lan(s, (uint32_t)w->client, (uint32_t)w->server))
			return "a work between two hosts that share no LAN";
		if (!w->port)
			return "a work without a port";
	}
	return NULL;
}

static bool is_mtu(uint32_t mtu)
{
	return !mtu || (mtu >= 68 && mtu <= 65535);
}

static const char *check_port_changes(const struct sim_scenario *s)
{
	for (uint32_t i = 0; i < s->count[SIM_LIST_resizes]; i++) {
		if (port_of(s, s->resizes[i].host, s->resizes[i].lan) < 0)
			return "a resize of a port that there is not";
		if (!is_mtu(s->resizes[i].mtu))
			return "an MTU that is not between 68 and 65535";
	}
	for (uint32_t i = 0; i < s->count[SIM_LIST_absences]; i++) {
		if (port_of(s, s->absences[i].host, s->absences[i].lan) < 0)
			return "an absence from a port that there is not";
		if (s->absences[i].until <= s->absences[i].since)
			return "an absence that ends before it begins";
	}
	return NULL;
}

static const char *check_ports(const struct sim_scenario *s)
{
	for (uint32_t i = 0; i < s->count[SIM_LIST_ports]; i++) {
		const struct sim_of_port *p = &s->ports[i];

		if (port_of(s, p->host, p->lan) != (int)i)
			return "two ports of one host on one LAN";
		if (!is_mtu(p->mtu))
			return "an MTU that is not between 68 and 65535";
	}
	for (uint32_t i = 0; i < s->count[SIM_LIST_cuts]; i++)
		if (port_of(s, s->cuts[i].host, s->cuts[i].lan) < 0)
			return "a cut of a port that there is not";
	for (uint32_t i = 0; i < s->count[SIM_LIST_routes]; i++)
		if (port_of(s, s->routes[i].host, s->routes[i].lan) < 0)
			return "a route of a port that there is not";
	for (uint32_t i = 0; i < s->count[SIM_LIST_narrows]; i++)
		if (port_of(s, s->narrows[i].host, s->narrows[i].lan) < 0)
			return "a narrow way of a port that there is not";
	return check_port_changes(s);
}

static bool is_in_range(const struct sim_of_set *set)
{
	const struct parley_setting_info *info = parley_setting_info((int)set->setting);

	return set->value >= info->minimum && set->value <= info->maximum;
}

static const char *check_sets(const struct sim_scenario *s)
{
	for (uint32_t i = 0; i < s->count[SIM_LIST_sets]; i++)
		if (!is_in_range(&s->sets[i]))
			return "a setting outside its range";
	for (uint32_t i = 0; i < s->count[SIM_LIST_tunes]; i++) {
		const struct sim_of_tune *tune = &s->tunes[i];

		if (!is_in_range(&tune->set))
			return "a setting outside its range";
		if (tune->set.setting == PARLEY_SET_CORK && tune->set.value &&
		    (!tune->lasts || tune->state <= PARLEY_LISTEN))
			return "a cork that nobody takes out";
	}
	return NULL;
}

const char *sim_scenario_check(const struct sim_scenario *s)
{
	const char *wrong;

	if (!s->count[SIM_LIST_hosts])
		return "no host";
	if (!s->limit)
		return "no limit";
	wrong = check_ports(s);
	if (!wrong)
		wrong = check_works(s);
	return wrong ? wrong : check_sets(s);
}
