/* SPDX-License-Identifier: MIT */
#include "sim/fault.h"

#include "sim/world.h"

#define DUPLICATES_MAX 2

struct sim_fault_state *sim_fault_add(struct sim_world *world, const struct sim_fault *fault)
{
	struct sim_fault_state *state = sim_zalloc(world->arena, sizeof *state);
	struct sim_fault_state **last = &world->faults;

	if (!state)
		return NULL;
	state->fault = *fault;
	while (*last)
		last = &(*last)->next;
	*last = state;
	return state;
}

static bool time_matches(const struct sim_fault *f, uint64_t now)
{
	return now >= f->since && (!f->until || now < f->until);
}

static bool kind_matches(const struct sim_fault *f, const struct segment *segment)
{
	if ((segment->flags & f->set) != f->set || segment->flags & f->clear)
		return false;
	if (f->text && !segment->text_len)
		return false;
	if (f->empty && segment->len)
		return false;
	return !f->port || segment->src_port == f->port || segment->dst_port == f->port;
}

static bool place_matches(const struct sim_fault *f, const struct sim_flow *flow, unsigned way,
			  const struct segment *segment)
{
	bool again;

	if (f->covers && !sim_flow_covers(flow, way, segment, f->offset))
		return false;
	if (f->again == SIM_ANY_TIME)
		return true;
	again = sim_flow_again(flow, way, segment);
	return again == (f->again == SIM_SENT_AGAIN);
}

static bool is_meant(const struct sim_fault *f, uint32_t count)
{
	if (f->every && count % f->every)
		return false;
	if (!f->nth[0])
		return true;
	for (int i = 0; i < SIM_NTH_MAX; i++)
		if (f->nth[i] == count)
			return true;
	return false;
}

static void act(const struct sim_fault *f, struct sim_verdict *verdict)
{
	switch (f->action) {
	case SIM_DROP:
		verdict->drop = true;
		break;
	case SIM_DELAY:
		verdict->delay_ns += f->ns;
		break;
	case SIM_DUPLICATE:
		if (verdict->duplicates < DUPLICATES_MAX)
			verdict->behind_ns[verdict->duplicates++] = f->ns;
		break;
	case SIM_CORRUPT:
		verdict->corrupt = true;
		verdict->bit = f->bit;
		break;
	}
}

void sim_fault_judge(struct sim_world *world, int from, const struct sim_flow *flow, unsigned way,
		     const struct sim_packet *packet, struct sim_verdict *verdict)
{
	const struct segment *segment = &packet->segment;
	struct sim_fault_state *state;

	for (state = world->faults; state; state = state->next) {
		const struct sim_fault *f = &state->fault;

		if (f->from && f->from != from + 1)
			continue;
		if (!time_matches(f, world->now) || !kind_matches(f, segment) ||
		    !place_matches(f, flow, way, segment))
			continue;
		state->seen++;
		if (!is_meant(f, state->seen))
			continue;
		state->acted++;
		act(f, verdict);
	}
}
