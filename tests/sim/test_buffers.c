/* SPDX-License-Identifier: MIT */
/*
 * Buffers that grow by demand: a long fast path is filled as well as with large fixed ones, and who
 * reads little, late, or in a crowded host gets no more than the buffers begin with.
 */
#include "scene.h"

#include "net/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define KIB 1024
#define MIB (1024 * KIB)

static struct scene scene;

static void begin(uint64_t delay, uint64_t rate, uint64_t memory_limit)
{
	struct sim_pair_config config = scene_config(1);

	config.to_server = (struct path_config){.delay_ns = delay, .rate_bps = rate};
	config.to_client = config.to_server;
	config.memory_limit = memory_limit;
	scene_begin(&scene, &config);
}

static void set(enum parley_setting setting, int64_t value)
{
	assert_int_equal(sim_pair_set(scene.world, setting, value), 0);
}

static struct sim_workload_users download(enum sim_workload_kind kind, uint64_t bytes,
					  uint64_t pause)
{
	struct sim_workload w = {.kind = kind,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = bytes,
				 .pause = pause};
	struct sim_workload_users users;

	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	return users;
}

/* Virtual time from the handshake to the last byte, ns. */
static uint64_t finish(struct sim_workload_users users, uint64_t bytes)
{
	const struct sim_user *client;

	scene_finish(&scene, 400);
	client = scene.world->user[users.client];
	assert_int_equal(client->received, bytes);
	return client->eof_at - client->connected_at;
}

static uint64_t time_of(uint64_t delay, uint64_t bytes, int64_t buffer)
{
	uint64_t took;

	begin(delay, 0, 0);
	set(PARLEY_SET_SEND_BUFFER, buffer);
	set(PARLEY_SET_RECEIVE_BUFFER, buffer);
	took = finish(download(SIM_DOWNLOAD, bytes, 0), bytes);
	return took;
}

static void a_long_path_is_filled(void **state)
{
	uint64_t fixed = time_of(100 * MS, 10 * MIB, 16 * MIB);
	uint64_t grown = time_of(100 * MS, 10 * MIB, 0);
	uint64_t small = time_of(100 * MS, 10 * MIB, 64 * KIB);

	(void)state;
	printf("10 MiB, 200 ms: %.3f s fixed, %.3f s grown, %.3f s at 64 KiB\n",
	       (double)fixed / 1e9, (double)grown / 1e9, (double)small / 1e9);
	assert_true(grown * 8 <= fixed * 10);
	assert_true(small > 4 * grown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_path_is_filled),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
