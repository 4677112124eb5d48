/* SPDX-License-Identifier: MIT */
/*
 * 100 seeds of 1 MiB over bad networks, between hosts of both profiles, R2 off: every byte arrives,
 * and the same seed twice gives the same trace events and the same frames. PARLEY_SEEDS=A..B runs
 * others instead.
 */
#include "scene.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MIB	(1u << 20)
#define PERCENT 10000u

static struct scene scene;
static unsigned long first = 1, last = 100;

static struct path_config draw_path(struct rng *r)
{
	return (struct path_config){
		.delay_ns = rng_below(r, 50 * MS),
		.jitter_ns = rng_below(r, 2) * rng_below(r, 10 * MS),
		.rate_bps = rng_below(r, 2) * (1000000 + rng_below(r, 100000000)),
		.queue = rng_below(r, 2) ? 10 + (uint32_t)rng_below(r, 90) : 0,
		.loss = (uint32_t)rng_below(r, 20 * PERCENT + 1),
		.duplicate = (uint32_t)rng_below(r, 5 * PERCENT),
		.reorder = (uint32_t)rng_below(r, 10 * PERCENT),
		.corrupt = (uint32_t)rng_below(r, 3 * PERCENT),
	};
}

/* One world; returns its digest. */
static uint64_t run(uint64_t seed)
{
	struct sim_pair_config config = scene_config(seed);
	struct rng r = rng(seed, 1);
	struct sim_workload w = {.client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = MIB,
				 .retries = 100};
	struct sim_workload_users users;

	config.world.check_every = 32;
	config.to_server = draw_path(&r);
	config.to_client = draw_path(&r);
	config.profile[SIM_CLIENT] = (enum parley_profile)(seed % 2);
	config.profile[SIM_SERVER] = (enum parley_profile)(seed / 2 % 2);
	w.kind = (enum sim_workload_kind)rng_below(&r, SIM_BOTH_WAYS + 1);
	w.in_place = rng_below(&r, 2);
	scene_begin(&scene, &config);
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_R2, 0), 0);
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	scene_finish(&scene, 100000);
	if (w.kind != SIM_UPLOAD)
		assert_int_equal(scene.world->user[users.client]->received, MIB);
	if (w.kind != SIM_DOWNLOAD)
		assert_int_equal(scene_accepted(&scene, users.listener, 0)->received, MIB);
	return scene.world->digest;
}

static void every_byte_arrives_twice_the_same(void **state)
{
	(void)state;
	for (unsigned long seed = first; seed <= last; seed++) {
		uint64_t digest = run(seed);

		if (run(seed) != digest)
			fail_msg("seed %lu: two runs differ", seed);
	}
}

static void seeds_differ(void **state)
{
	(void)state;
	assert_true(run(first) != run(first + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_arrives_twice_the_same),
		cmocka_unit_test(seeds_differ),
	};
	const char *seeds = getenv("PARLEY_SEEDS");
	int failed;

	if (seeds && sscanf(seeds, "%lu..%lu", &first, &last) != 2)
		return 2;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	scene_end(&scene);
	return failed;
}
