/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include "sim/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LAST_WORDS   4000
#define LINE_MAX_LEN 256

static void write_text(struct scene *scene, const char *format, ...)
{
	va_list args;
	int n;

	if (SCENE_TEXT - scene->len < LINE_MAX_LEN) {
		scene->len -= SCENE_TEXT / 2;
		memmove(scene->text, scene->text + SCENE_TEXT / 2, scene->len);
	}
	va_start(args, format);
	n = vsnprintf(scene->text + scene->len, SCENE_TEXT - scene->len, format, args);
	va_end(args);
	if (n > 0 && scene->len + (size_t)n < SCENE_TEXT)
		scene->len += (size_t)n;
}

static uint32_t relative(struct scene *scene, int side, uint32_t number)
{
	return scene->has_iss[side] ? number - scene->iss[side] : number;
}

static void write_segment(struct scene *scene, const struct sim_sight *sight,
			  const struct segment *segment)
{
	static const char *const names[] = {"client", "server"};
	char flags[TCP_FLAGS_TEXT_MAX];
	int side = sight->from;

	if (segment->flags & TCP_SYN) {
		scene->has_iss[side] = true;
		scene->iss[side] = segment->seq.v;
	}
	if (scene->unit)
		write_text(scene, "%llu ", (unsigned long long)(sight->at / scene->unit));
	write_text(scene, "%s [%s] seq %u", names[side], tcp_flags_text(flags, segment->flags),
		   relative(scene, side, segment->seq.v));
	if (segment->flags & TCP_ACK)
		write_text(scene, " ack %u", relative(scene, !side, segment->ack.v));
	if (segment->text_len)
		write_text(scene, " len %u", segment->text_len);
	write_text(scene, "\n");
	scene->last_number = sight->number;
}

static void on_frame(void *context, const struct sim_sight *sight)
{
	struct scene *scene = context;
	struct sim_packet packet;

	if (sight->fate == SIM_DELIVERED || sight->from < 0 || sight->from > 1)
		return;
	sim_packet_read(&packet, PARLEY_LINK_ETHERNET, sight->bytes, sight->len);
	if (packet.kind != SIM_PACKET_TCP)
		return;
	if (sight->fate == SIM_SENT) {
		write_segment(scene, sight, &packet.segment);
	} else if (scene->len && sight->number == scene->last_number) {
		scene->len--;
		write_text(scene, " lost\n");
	}
}

static void on_trace(void *context, int host, const struct parley_trace_event *event)
{
	struct scene *scene = context;

	if (event->kind != PARLEY_TRACE_STATE)
		return;
	scene->states[host] |= 1u << event->value[0] | 1u << event->value[1];
}

struct sim_pair_config scene_config(uint64_t seed)
{
	return (struct sim_pair_config){
		.world = {.seed = seed, .check_every = 1},
		.to_server = {.delay_ns = 10 * MS},
		.to_client = {.delay_ns = 10 * MS},
	};
}

void scene_begin(struct scene *scene, const struct sim_pair_config *config)
{
	struct sim_pair_config c = *config;
	void *base = scene->base;

	if (!base)
		base = aligned_alloc(SIM_ARENA_ALIGN, SCENE_ARENA);
	assert_non_null(base);
	memset(scene, 0, sizeof *scene);
	scene->base = base;
	c.world.hooks = (struct sim_hooks){scene, on_trace, on_frame};
	scene->world = sim_pair_new(base, SCENE_ARENA, &c);
	assert_non_null(scene->world);
}

void scene_end(struct scene *scene)
{
	free(scene->base);
	scene->base = NULL;
}

static void list_users(const struct sim_world *world)
{
	for (uint32_t i = 0; i < world->user_count; i++) {
		const struct sim_user *u = world->user[i];

		if (u->over)
			continue;
		fprintf(stderr,
			"user %u on %s waits at op %u of %u, %llu sent, %llu read, %s%s%s\n", i,
			u->host->name, u->at, u->program->n, (unsigned long long)u->sent,
			(unsigned long long)u->received, parley_error_name(u->error),
			u->eof ? ", eof" : "", u->dead ? ", dead" : "");
	}
}

static void list_connections(const struct sim_world *world)
{
	for (uint32_t i = 0; i < world->host_count; i++) {
		struct parley_status s = {.size = sizeof s};
		uint64_t cursor = 0;

		while (parley_each(world->host[i]->engine, &cursor, &s) > 0)
			fprintf(stderr,
				"%s %u-%u %s una %u nxt %u wnd %u, rcv nxt %u wnd %u, "
				"queues %llu %llu, %s at %.3f s\n",
				world->host[i]->name, s.local.port, s.remote.port,
				parley_state_name((int)s.state), s.snd_una - s.iss,
				s.snd_nxt - s.iss, s.snd_wnd, s.rcv_nxt - s.irs, s.rcv_wnd,
				(unsigned long long)s.send_queue,
				(unsigned long long)s.receive_queue,
				parley_timer_name((int)s.timer), (double)s.timer_due / 1e9);
	}
}

/* What failed, the end of the transcript, and who still waits for what. */
static void complain(const struct scene *scene)
{
	const struct sim_failure *f = &scene->world->failure;
	size_t from = scene->len > LAST_WORDS ? scene->len - LAST_WORDS : 0;

	fprintf(stderr, "seed %llu, event %llu, %.6f s: %s\n", (unsigned long long)f->seed,
		(unsigned long long)f->event, (double)f->now / 1e9, f->text);
	fprintf(stderr, "%s", scene->text + from);
	list_users(scene->world);
	list_connections(scene->world);
}

void scene_finish(struct scene *scene, unsigned seconds)
{
	uint64_t limit = scene->world->now + (uint64_t)seconds * S;

	if (sim_finish(scene->world, limit) == SIM_SETTLED)
		return;
	complain(scene);
	fail();
}

void scene_fails(struct scene *scene, unsigned seconds, enum sim_rule rule)
{
	uint64_t limit = scene->world->now + (uint64_t)seconds * S;

	assert_int_equal(sim_finish(scene->world, limit), SIM_FAILED);
	if (scene->world->failure.rule == rule)
		return;
	complain(scene);
	fail_msg("expected: %s", sim_rule_text((int)rule));
}

int scene_program(struct scene *scene, const struct sim_op *ops, size_t n)
{
	int program = sim_program_add(scene->world, ops, (uint32_t)n);

	assert_true(program >= 0);
	return program;
}

int scene_user(struct scene *scene, int host, const struct sim_op *ops, size_t n)
{
	int user = sim_user_add(scene->world, host, scene_program(scene, ops, n));

	assert_true(user >= 0);
	return user;
}

struct sim_user *scene_accepted(struct scene *scene, int listener, unsigned n)
{
	struct sim_user *user = sim_workload_server(scene->world, listener, n);

	assert_non_null(user);
	return user;
}

struct sim_fault_state *scene_fault(struct scene *scene, struct sim_fault fault)
{
	struct sim_fault_state *state = sim_fault_add(scene->world, &fault);

	assert_non_null(state);
	return state;
}

unsigned scene_count(const struct scene *scene, const char *part)
{
	const char *line = scene->text;
	unsigned n = 0;

	while (*line) {
		const char *end = strchr(line, '\n');
		const char *at = strstr(line, part);

		if (!end)
			break;
		n += at && at < end;
		line = end + 1;
	}
	return n;
}
