/* SPDX-License-Identifier: MIT */
#include "drill/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/command.h"
#include "drill/live.h"

#define FIRST_PORT 40000
#define PPM	   1000000
/* Nobody may go on stepping for ever. */
#define STEPS_MAX 1000000

/* ---- the clock ---- */

bool drill_step(struct drill_run *run, uint64_t time)
{
	uint64_t until = time < UINT64_MAX - DRILL_EPOCH ? time + DRILL_EPOCH : UINT64_MAX;
	struct drill_call *call = &run->pending;
	bool early = call->active && call->deadline <= until;
	bool due = drill_stack_step(&run->stack, early ? call->deadline : until);

	if (call->active)
		drill_call_retry(call);
	return due || early;
}

void drill_advance(struct drill_run *run, uint64_t time)
{
	for (int steps = 0; steps < STEPS_MAX && drill_step(run, time); steps++)
		;
}

char *drill_when_text(char out[static DRILL_WHEN_MAX], const struct drill_run *run)
{
	char from[DRILL_TIME_MAX], to[DRILL_TIME_MAX];
	enum drill_time kind = run->event->time_kind;

	drill_time_text(from, run->time);
	drill_time_text(to, run->until);
	if (kind == DRILL_ANY_TIME)
		snprintf(out, DRILL_WHEN_MAX, "*");
	else if (kind == DRILL_ABSOLUTE_RANGE || kind == DRILL_RELATIVE_RANGE)
		snprintf(out, DRILL_WHEN_MAX, "%s~%s", from, to);
	else
		snprintf(out, DRILL_WHEN_MAX, "%s", from);
	return out;
}

bool drill_on_time(struct drill_run *run, enum drill_time kind, uint64_t time, uint64_t until,
		   uint64_t last, uint64_t actual)
{
	uint64_t tolerance = run->config->tolerance, relative = 0;

	if (kind == DRILL_ANY_TIME)
		return true;
	if (last != UINT64_MAX && time > last)
		relative = (time - last) / 1000 * run->config->tolerance_ppm / (PPM / 1000);
	if (relative > tolerance)
		tolerance = relative;
	if (kind == DRILL_ABSOLUTE || kind == DRILL_RELATIVE)
		until = time;
	return actual + tolerance >= time && actual <= until + tolerance;
}

/* An absolute time of the script for the event, from what it says. */
static void resolve_time(struct drill_run *run, const struct drill_event *event)
{
	bool inbound = event->kind == DRILL_PACKET && !event->packet->outbound;
	uint64_t offset = 0;

	if (event->time_kind != DRILL_ABSOLUTE && event->time_kind != DRILL_ABSOLUTE_RANGE)
		offset = inbound && run->last_inbound ? run->last_time : drill_now(run);
	run->time = event->time + offset;
	run->until = event->until + offset;
	run->event = event;
}

/* Waits for the event's time. */
static bool wait_for(struct drill_run *run, const struct drill_event *event)
{
	char is[DRILL_TIME_MAX], due[DRILL_TIME_MAX];

	drill_advance(run, run->time);
	if (drill_on_time(run, event->time_kind, run->time, run->time, run->last_time,
			  drill_now(run)))
		return true;
	return drill_verdict_fail(
		run->verdict, event->at, "this is for %s, but the clock shows %s already",
		drill_time_text(due, run->time), drill_time_text(is, drill_now(run)));
}

/* ---- connections and descriptors ---- */

struct drill_flow *drill_flow_new(struct drill_run *run)
{
	struct drill_flow *flow = calloc(1, sizeof *flow);

	if (!flow)
		abort();
	flow->local.addr = run->config->local;
	flow->local.port = run->config->bind_port;
	flow->remote.addr = run->config->remote;
	flow->remote.port = run->next_port++;
	flow->next = run->flows;
	run->flows = flow;
	return flow;
}

struct drill_fd *drill_fd_find(const struct drill_run *run, int64_t script)
{
	for (struct drill_fd *fd = run->fds; fd; fd = fd->next)
		if (fd->script == script)
			return fd;
	return NULL;
}

/* ---- before the run ---- */

static const struct drill_packet *first_syn(const struct drill_script *script)
{
	for (const struct drill_event *event = script->events; event; event = event->next) {
		const struct drill_packet *packet = event->packet;

		if (event->kind == DRILL_PACKET && packet->protocol == DRILL_TCP &&
		    packet->outbound && packet->flags & TCP_SYN)
			return packet;
	}
	return NULL;
}

static void give(struct drill_stack_config *stack, enum parley_setting setting, int64_t value)
{
	if (stack->given[setting])
		return;
	stack->given[setting] = true;
	stack->setting[setting] = value;
}

/* The engine offers what its largest buffer needs: this one needs just this shift. */
static void give_wscale(struct drill_stack_config *stack, int shift)
{
	int64_t most = (int64_t)UINT16_MAX << shift;

	if (shift == 0)
		give(stack, PARLEY_SET_RECEIVE_BUFFER, most);
	else
		give(stack, PARLEY_SET_RECEIVE_BUFFER_MAX, most);
}

/* As the script's first outbound SYN has it: a shift, none, or whatever pleases. */
static bool give_expected_wscale(struct drill_stack_config *stack, const struct drill_packet *syn)
{
	for (unsigned i = 0; i < syn->option_count; i++) {
		const struct drill_option *option = &syn->option[i];

		if (option->bytes[0] != TCP_OPTION_WSCALE)
			continue;
		if (option->bytes[2] <= TCP_WSCALE_MAX)
			give_wscale(stack, option->bytes[2]);
		return true;
	}
	if (!syn->any_options && !syn->more_options)
		give(stack, PARLEY_SET_WINDOW_SCALE, 0);
	return false;
}

bool drill_choose_wscale(struct drill_stack_config *stack,
			 const struct drill_personality *personality,
			 const struct drill_script *script)
{
	const struct drill_packet *syn = script ? first_syn(script) : NULL;

	if (personality->wscale >= 0)
		give_wscale(stack, personality->wscale);
	else if (personality->wscale != DRILL_WSCALE_AUTO || !syn)
		return false;
	else
		return give_expected_wscale(stack, syn);
	return true;
}

static bool begin_stack(struct drill_run *run, const struct drill_watcher *watcher)
{
	const struct drill_personality *personality = &run->config->personality;
	struct drill_stack_config stack = {
		.local = run->config->local,
		.prefix = run->config->prefix,
		.mtu = run->config->mtu,
		.mss = run->config->mss,
		.order = personality->order,
		.bsd = personality->bsd,
	};
	const char *what;
	int error;

	memcpy(stack.given, personality->given, sizeof stack.given);
	memcpy(stack.setting, personality->setting, sizeof stack.setting);
	run->wscale_fixed = drill_choose_wscale(&stack, personality, run->script);
	if (watcher)
		stack.watcher = *watcher;
	error = drill_stack_begin(&run->stack, &stack, &what);
	if (!error)
		return true;
	return drill_verdict_fail(run->verdict, run->script->events->at, "cannot make %s: %s", what,
				  parley_error_name(error));
}

static void end_run(struct drill_run *run)
{
	drill_call_forget(&run->pending);
	while (run->fds) {
		struct drill_fd *next = run->fds->next;

		free(run->fds->epoll);
		free(run->fds);
		run->fds = next;
	}
	while (run->flows) {
		struct drill_flow *next = run->flows->next;

		free(run->flows);
		run->flows = next;
	}
	drill_code_free(run);
	drill_stack_end(&run->stack);
}

/* ---- the events ---- */

static bool run_event(struct drill_run *run, const struct drill_event *event)
{
	bool outbound = event->kind == DRILL_PACKET && event->packet->outbound;

	resolve_time(run, event);
	if (outbound)
		return drill_expect(run, event);
	if (!wait_for(run, event))
		return false;
	switch (event->kind) {
	case DRILL_PACKET:
		return drill_inject(run, event);
	case DRILL_SYSCALL:
		return drill_call(run, event);
	case DRILL_COMMAND:
		return drill_command(run, event);
	case DRILL_CODE:
		break;
	}
	return drill_code_run(run, event);
}

static bool run_events(struct drill_run *run)
{
	for (const struct drill_event *event = run->script->events; event; event = event->next) {
		if (!run_event(run, event) || run->verdict->outcome != DRILL_PASSED)
			return false;
		run->verdict->events++;
		run->last_time = run->time;
		run->last_inbound = event->kind == DRILL_PACKET && !event->packet->outbound;
	}
	return true;
}

/* With --strict nothing may have been sent that the script does not speak of. */
static bool check_left_over(struct drill_run *run)
{
	const struct drill_event *last = run->event;
	struct drill_actual actual;
	struct drill_live live;

	if (!run->config->strict)
		return true;
	for (const struct drill_sent *sent = run->stack.sent; sent; sent = sent->next) {
		if (!run->current || !drill_live_read(&live, sent->bytes, sent->len) ||
		    !drill_live_is_from(&live, run->current))
			continue;
		drill_live_translate(&actual, &live, run->current);
		drill_packet_text(run->verdict->actual, &actual.packet);
		return drill_verdict_fail(run->verdict, last->at,
					  "this was sent beside what the script expects");
	}
	return true;
}

bool drill_run(const struct drill_script *script, const struct drill_config *config,
	       const struct drill_watcher *watcher, struct drill_verdict *verdict)
{
	struct drill_run run = {
		.script = script,
		.config = config,
		.verdict = verdict,
		.next_port = FIRST_PORT,
		.last_time = UINT64_MAX,
	};
	bool passed = begin_stack(&run, watcher) && run_events(&run) &&
		      (!run.pending.active || drill_call_finish(&run, run.pending.until)) &&
		      check_left_over(&run) && verdict->outcome == DRILL_PASSED;

	verdict->time = run.stack.host ? drill_now(&run) : 0;
	end_run(&run);
	return passed;
}
