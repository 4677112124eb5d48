/* SPDX-License-Identifier: MIT */
/*
 * 10 MiB over networks that lose up to 30 % each way, duplicate, reorder and damage. With R2 off
 * every byte arrives. With R2 as it is every byte arrives too, or both users are told of the end,
 * and nobody gives up before R2: there every second seed also cuts the TCP segments off for a
 * while or for ever, since no chance does that for so long.
 *
 * A few seeds are run; PARLEY_SEEDS=A..B runs others instead.
 */
#include "scene.h"

#include "base/rng.h"
#include "base/seq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define BYTES	(10u << 20)
#define PERCENT 10000u
#define R2	(900 * S)

static struct scene scene;
static unsigned long first = 1, last = 20;
static unsigned delivered, given_up; /* streams with R2 as it is */

static struct path_config draw_path(struct rng *r)
{
	return (struct path_config){
		.delay_ns = rng_below(r, 50 * MS),
		.jitter_ns = rng_below(r, 2) * rng_below(r, 10 * MS),
		.loss = (uint32_t)rng_below(r, 30 * PERCENT + 1),
		.duplicate = (uint32_t)rng_below(r, 5 * PERCENT),
		.reorder = (uint32_t)rng_below(r, 10 * PERCENT),
		.corrupt = (uint32_t)rng_below(r, 3 * PERCENT),
	};
}

/* A world with the seed's paths, and the seed's workload in it. */
static struct sim_workload begin(uint64_t seed, struct sim_workload_users *users)
{
	struct sim_pair_config config = scene_config(seed);
	struct rng r = rng(seed, 2);
	struct sim_workload w = {.client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = BYTES,
				 .retries = 100};

	config.world.check_every = 64;
	config.to_server = draw_path(&r);
	config.to_client = draw_path(&r);
	w.kind = (enum sim_workload_kind)rng_below(&r, SIM_BOTH_WAYS + 1);
	w.in_place = rng_below(&r, 2);
	w.urgent = (uint32_t)(rng_below(&r, 2) * (1 + rng_below(&r, 1000)));
	scene_begin(&scene, &config);
	/* How long a handshake goes on is another matter. */
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_SYN_RETRIES, 255), 0);
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_SYNACK_RETRIES, 255), 0);
	assert_int_equal(sim_workload_add(scene.world, &w, users), 0);
	return w;
}

/* Whether every byte that was to come came, at whoever was to read. */
static bool all_came(const struct sim_workload *w, const struct sim_user *client,
		     const struct sim_user *server)
{
	return (w->kind == SIM_UPLOAD || client->received == BYTES) &&
	       (w->kind == SIM_DOWNLOAD || server->received == BYTES);
}

static void every_byte_arrives(void **state)
{
	(void)state;
	for (unsigned long seed = first; seed <= last; seed++) {
		struct sim_workload_users users;
		struct sim_workload w = begin(seed, &users);

		assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_R2, 0), 0);
		scene_finish(&scene, 1000000);
		if (!all_came(&w, scene.world->user[users.client],
			      scene_accepted(&scene, users.listener, 0)))
			fail_msg("seed %lu: not every byte arrived", seed);
	}
}

/* Every second seed: no TCP segment passes from then on, for up to an hour or for ever. */
static void draw_cut(uint64_t seed)
{
	struct rng r = rng(seed, 3);
	struct sim_fault fault = {.since = 2 * S + rng_below(&r, 60 * S)};

	if (seed % 2)
		return;
	fault.until = fault.since + rng_below(&r, 3600 * S);
	if (rng_below(&r, 3) == 0)
		fault.until = 0;
	scene_fault(&scene, fault);
}

#define NOTES_MAX 65536

/* How far a side had sent, second by second, while that changed; and what is acknowledged. */
struct progress {
	struct seq una;
	uint32_t count;
	struct note {
		struct seq nxt;
		uint64_t at;
	} note[NOTES_MAX];
};

static struct progress progress[2];

static void note_progress(struct progress *p, const struct sim_user *user)
{
	struct parley_status s = {.size = sizeof s};
	struct note *last_note = p->count ? &p->note[p->count - 1] : NULL;

	if (!user || user->conn == PARLEY_NO_CONN ||
	    parley_status(user->host->engine, user->conn, &s))
		return;
	p->una = seq(s.snd_una);
	if (last_note && seq_leq(seq(s.snd_nxt), last_note->nxt))
		return;
	assert_true(p->count < NOTES_MAX);
	p->note[p->count++] = (struct note){seq(s.snd_nxt), scene.world->now};
}

/* When the first number that was never acknowledged, or else the last, was seen to be sent. */
static uint64_t head_sent_at(const struct progress *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (seq_gt(p->note[i].nxt, p->una))
			return p->note[i].at;
	return p->count ? p->note[p->count - 1].at : 0;
}

/* Looks each second, until the users are done, at how far each side is. */
static void watch(const struct sim_workload_users *users)
{
	struct sim_world *world = scene.world;

	progress[0].count = progress[1].count = 0;
	while (world->users_running) {
		assert_true(world->now < 1000000 * S);
		if (sim_run_until(world, world->now + S) == SIM_FAILED)
			break;
		note_progress(&progress[0], world->user[users->client]);
		note_progress(&progress[1], sim_workload_server(world, users->listener, 0));
	}
	scene_finish(&scene, 100000);
}

/* A user whose stream was cut short knows it; returns whether it gave up by itself. */
static bool gave_up(unsigned long seed, const struct sim_user *user, const struct progress *p)
{
	if (user->error == PARLEY_ECONNRESET)
		return false;
	if (user->error != PARLEY_ETIMEDOUT)
		fail_msg("seed %lu: %s", seed, parley_error_name(user->error));
	/* It may have been sent a second before that was seen. */
	if (user->dead_at + S < head_sent_at(p) + R2)
		fail_msg("seed %lu: gave up at %llu ms what was sent at %llu ms", seed,
			 (unsigned long long)(user->dead_at / MS),
			 (unsigned long long)(head_sent_at(p) / MS));
	return true;
}

static void all_or_an_error_to_both(void **state)
{
	(void)state;
	for (unsigned long seed = first; seed <= last; seed++) {
		struct sim_workload_users users;
		struct sim_workload w = begin(seed, &users);
		const struct sim_user *client, *server;
		int quitters;

		/* So that the side that only reads hears of it too. */
		assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_KEEPALIVE, 1), 0);
		draw_cut(seed);
		watch(&users);
		client = scene.world->user[users.client];
		server = scene_accepted(&scene, users.listener, 0);
		if (all_came(&w, client, server)) {
			delivered++;
			continue;
		}
		quitters = gave_up(seed, client, &progress[0]);
		quitters += gave_up(seed, server, &progress[1]);
		assert_true(quitters > 0);
		given_up++;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_arrives),
		cmocka_unit_test(all_or_an_error_to_both),
	};
	const char *seeds = getenv("PARLEY_SEEDS");
	int failed;

	if (seeds && sscanf(seeds, "%lu..%lu", &first, &last) != 2)
		return 2;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	printf("seeds %lu..%lu, R2 as it is: %u delivered, %u given up by both\n", first, last,
	       delivered, given_up);
	scene_end(&scene);
	return failed;
}
