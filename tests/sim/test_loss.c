/* SPDX-License-Identifier: MIT */
/* 1 MiB over links that lose, duplicate, reorder and damage, by chance and by design. */
#include "scene.h"

#include "wire/tcp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MIB	(1u << 20)
#define PERCENT 10000u

static struct scene scene;

/* Moves the bytes through a path like this in both directions, and demands all of them. */
static void move(struct sim_pair_config *config, enum sim_workload_kind kind, bool in_place)
{
	struct sim_workload w = {.kind = kind,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = MIB,
				 .in_place = in_place};
	struct sim_workload_users users;

	scene_begin(&scene, config);
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_R2, 0), 0);
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	scene_finish(&scene, 20000);
	if (kind != SIM_UPLOAD)
		assert_int_equal(scene.world->user[users.client]->received, MIB);
	if (kind != SIM_DOWNLOAD)
		assert_int_equal(scene_accepted(&scene, users.listener, 0)->received, MIB);
}

static struct sim_pair_config lossy(uint64_t seed, uint32_t percent)
{
	struct sim_pair_config config = scene_config(seed);

	config.world.check_every = 16;
	config.to_server.loss = percent * PERCENT;
	config.to_client = config.to_server;
	return config;
}

static void nothing_lost(void **state)
{
	struct sim_pair_config config = lossy(1, 0);

	(void)state;
	move(&config, SIM_DOWNLOAD, false);
	assert_int_equal(
		parley_counter(scene.world->host[SIM_SERVER]->engine, PARLEY_COUNTER_RETRANS_SEGS),
		0);
}

static void five_percent(void **state)
{
	struct sim_pair_config config = lossy(2, 5);

	(void)state;
	move(&config, SIM_DOWNLOAD, true);
}

static void ten_percent(void **state)
{
	struct sim_pair_config config = lossy(3, 10);

	(void)state;
	move(&config, SIM_BOTH_WAYS, false);
}

static void twenty_percent(void **state)
{
	struct sim_pair_config config = lossy(4, 20);

	(void)state;
	move(&config, SIM_UPLOAD, false);
}

static void duplicated(void **state)
{
	struct sim_pair_config config = lossy(5, 0);

	(void)state;
	config.to_server.duplicate = config.to_client.duplicate = 20 * PERCENT;
	move(&config, SIM_BOTH_WAYS, true);
}

static void reordered(void **state)
{
	struct sim_pair_config config = lossy(6, 0);

	(void)state;
	config.to_server.reorder = config.to_client.reorder = 20 * PERCENT;
	config.to_server.jitter_ns = config.to_client.jitter_ns = 5 * MS;
	move(&config, SIM_BOTH_WAYS, false);
}

static void damaged(void **state)
{
	struct sim_pair_config config = lossy(7, 0);

	(void)state;
	config.to_server.corrupt = config.to_client.corrupt = 10 * PERCENT;
	move(&config, SIM_BOTH_WAYS, false);
	assert_true(parley_drops(scene.world->host[0]->engine, PARLEY_DROP_TCP_CHECKSUM) > 10);
}

static void all_of_it(void **state)
{
	struct sim_pair_config config = lossy(8, 5);

	(void)state;
	config.to_server.duplicate = 5 * PERCENT;
	config.to_server.reorder = 5 * PERCENT;
	config.to_server.corrupt = 5 * PERCENT;
	config.to_server.jitter_ns = 20 * MS;
	config.to_client = config.to_server;
	move(&config, SIM_BOTH_WAYS, true);
}

static void a_narrow_link(void **state)
{
	struct sim_pair_config config = lossy(9, 1);

	(void)state;
	config.to_server.rate_bps = config.to_client.rate_bps = 2000000;
	config.to_server.queue = config.to_client.queue = 20;
	move(&config, SIM_BOTH_WAYS, false);
	/* 1 MiB at 2 Mbit/s cannot take less than 4 s. */
	assert_true(scene.world->now > 4 * S);
}

/* Devices that give frames back late see the same bytes all the time. */
static void a_slow_device(void **state)
{
	struct sim_pair_config config = lossy(10, 3);

	(void)state;
	config.lan.hold_ns = 15 * MS;
	move(&config, SIM_BOTH_WAYS, false);
}

/* One lost segment in the middle is repaired by three duplicate ACKs, without a time-out. */
static void one_loss_is_repaired_fast(void **state)
{
	struct sim_pair_config config = lossy(11, 0);
	struct sim_workload w = {.kind = SIM_DOWNLOAD,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = MIB};
	struct sim_workload_users users;
	struct parley_host *server;

	(void)state;
	scene_begin(&scene, &config);
	scene_fault(&scene,
		    (struct sim_fault){.from = 2, .covers = true, .offset = 300000, .nth = {1}});
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	scene_finish(&scene, 300);
	server = scene.world->host[SIM_SERVER]->engine;
	assert_int_equal(parley_counter(server, PARLEY_COUNTER_FAST_RETRANS), 1);
	assert_int_equal(parley_counter(server, PARLEY_COUNTER_RETRANS_SEGS), 1);
	assert_int_equal(parley_counter(server, PARLEY_COUNTER_TIMEOUTS), 0);
}

/* The last segment has nobody behind it: a time-out, and one segment. */
static void a_lost_tail_takes_a_timeout(void **state)
{
	struct sim_pair_config config = lossy(12, 0);
	struct sim_workload w = {.kind = SIM_DOWNLOAD,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = 10000};
	struct sim_workload_users users;
	struct parley_host *server;

	(void)state;
	scene_begin(&scene, &config);
	scene_fault(&scene,
		    (struct sim_fault){.from = 2, .covers = true, .offset = 9999, .nth = {1}});
	scene_fault(&scene, (struct sim_fault){.from = 2, .set = TCP_FIN, .nth = {1}});
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	scene_finish(&scene, 300);
	server = scene.world->host[SIM_SERVER]->engine;
	assert_true(parley_counter(server, PARLEY_COUNTER_TIMEOUTS) >= 1);
	assert_int_equal(scene.world->user[users.client]->received, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_lost),
		cmocka_unit_test(five_percent),
		cmocka_unit_test(ten_percent),
		cmocka_unit_test(twenty_percent),
		cmocka_unit_test(duplicated),
		cmocka_unit_test(reordered),
		cmocka_unit_test(damaged),
		cmocka_unit_test(all_of_it),
		cmocka_unit_test(a_narrow_link),
		cmocka_unit_test(a_slow_device),
		cmocka_unit_test(one_loss_is_repaired_fast),
		cmocka_unit_test(a_lost_tail_takes_a_timeout),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
