/* SPDX-License-Identifier: MIT */
#include "sim/failure.h"

#include "sim/host.h"
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

/* Appends to a text of SIM_FAILURE_TEXT bytes, which stays terminated and is cut when full. */
static unsigned put(char *text, unsigned at, const char *more)
{
	while (*more && at < SIM_FAILURE_TEXT - 1)
		text[at++] = *more++;
	text[at] = '\0';
	return at;
}

static unsigned put_number(char *text, unsigned at, uint64_t n)
{
	char digits[21];
	unsigned i = sizeof digits - 1;

	digits[i] = '\0';
	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	return put(text, at, digits + i);
}

void sim_fail(struct sim_world *world, const struct sim_host *host, enum sim_rule rule,
	      const char *more, uint64_t a, uint64_t b)
{
	struct sim_failure *f = &world->failure;
	unsigned at = 0;

	if (f->failed || (world->config.excused >> rule & 1))
		return;
	f->failed = true;
	f->rule = rule;
	f->host = host ? (int)host->number : -1;
	f->seed = world->config.seed;
	f->event = world->events;
	f->now = world->now;
	if (host) {
		at = put(f->text, at, host->name);
		at = put(f->text, at, ": ");
	}
	at = put(f->text, at, texts[rule]);
	if (more) {
		at = put(f->text, at, ": ");
		at = put(f->text, at, more);
	}
	at = put(f->text, at, " (");
	at = put_number(f->text, at, a);
	at = put(f->text, at, ", ");
	at = put_number(f->text, at, b);
	put(f->text, at, ")");
}
