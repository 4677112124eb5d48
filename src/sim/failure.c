/* SPDX-License-Identifier: MIT */
#include "sim/failure.h"

#include "sim/host.h"
#include "sim/text.h"
#include "sim/world.h"

static const char *const texts[] = {
#define SIM_X(name, text) [SIM_RULE_##name] = text,
	SIM_RULES(SIM_X)
#undef SIM_X
};

const char *sim_rule_text(int rule)
{
	return rule >= 0 && rule < SIM_RULE_COUNT ? texts[rule] : "?";
}

void sim_fail(struct sim_world *world, const struct sim_host *host, enum sim_rule rule,
	      const char *more, uint64_t a, uint64_t b)
{
	struct sim_failure *f = &world->failure;
	struct sim_text text;

	if (f->failed || (world->config.excused >> rule & 1))
		return;
	f->failed = true;
	f->rule = rule;
	f->host = host ? (int)host->number : -1;
	f->seed = world->config.seed;
	f->event = world->events;
	f->now = world->now;
	sim_text_init(&text, f->text, sizeof f->text);
	if (host) {
		sim_text_put(&text, host->name);
		sim_text_put(&text, ": ");
	}
	sim_text_put(&text, texts[rule]);
	if (more) {
		sim_text_put(&text, ": ");
		sim_text_put(&text, more);
	}
	sim_text_put(&text, " (");
	sim_text_number(&text, a);
	sim_text_put(&text, ", ");
	sim_text_number(&text, b);
	sim_text_put(&text, ")");
}
