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

static void begin(uint64_t delay, uint64_t rate)
{
	struct sim_pair_config config = scene_config(1);

	config.to_server = (struct path_config){.delay_ns = delay, .rate_bps = rate};
	config.to_client = config.to_server;
	scene_begin(&scene, &config);
}

/* 10 ms each way. */
static int set_up(void **state)
{
	(void)state;
	begin(10 * MS, 0);
	return 0;
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

	begin(delay, 0);
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

static struct parley_tcp_info info_of(int host, parley_conn conn)
{
	struct parley_tcp_info info = {.size = sizeof info};

	assert_int_equal(parley_tcp_info(scene.world->host[host]->engine, conn, &info), 0);
	return info;
}

/* Runs so far, and asks for the reader's end. */
static struct parley_tcp_info reader_at(const struct sim_workload_users *users, uint64_t time)
{
	assert_int_equal(sim_run_idle(scene.world, time), SIM_LATE);
	return info_of(SIM_CLIENT, scene.world->user[users->client]->conn);
}

/* 100 Mbit/s over 100 ms hold 1.25 MB: filled, and not asked for much more than twice that. */
static void the_buffer_fits_the_path(void **state)
{
	const uint64_t holds = 1250000;
	struct sim_workload_users users;
	struct parley_tcp_info info;
	uint64_t from;

	(void)state;
	begin(50 * MS, 100000000);
	users = download(SIM_DOWNLOAD, 100 * MIB, 0);
	from = reader_at(&users, 3 * S).bytes_received;
	info = reader_at(&users, 5 * S);
	printf("100 Mbit/s, 100 ms: %.1f Mbit/s, buffer %llu, consumed %u in %.1f ms\n",
	       (double)(info.bytes_received - from) * 8 / 2e6,
	       (unsigned long long)info.receive_buffer, info.rcv_space, (double)info.rcv_rtt / 1e6);
	assert_in_range(info.receive_buffer, 2 * holds, 5 * holds);
	assert_true(info.bytes_received - from > 2 * 10 * holds * 8 / 10);
}

/* 20 KB a second, 2000 bytes at a time, of what would come a hundred times as fast. */
static void a_slow_reader_gets_no_more(void **state)
{
	const struct sim_op accepted[] = {SIM_SEND(400000), SIM_WAIT(SIM_UNTIL_SENT), SIM_CLOSE(),
					  SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(80, 5),
					SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted))};
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80),
					SIM_PACE(2000, 100 * MS),
					SIM_READ(SIM_ALL),
					SIM_WAIT(SIM_UNTIL_EOF),
					SIM_CLOSE(),
					SIM_WAIT(SIM_UNTIL_DEAD)};
	struct sim_workload_users users = {.client = 1};

	(void)state;
	SCENE_USER(&scene, SIM_SERVER, server);
	users.client = SCENE_USER(&scene, SIM_CLIENT, client);
	for (uint64_t at = 1; at < 18; at++)
		assert_int_equal(reader_at(&users, at * S).receive_buffer, PARLEY_BUFFER_INITIAL);
	scene_finish(&scene, 300);
	assert_int_equal(scene.world->user[users.client]->received, 400000);
}

/* What grew in a busy second serves the quiet ones after it, and does not grow in them. */
static void an_idle_connection_does_not_grow(void **state)
{
	const struct sim_op accepted[] = {SIM_SEND(4 * MIB), SIM_SLEEP(3600 * S),
					  SIM_SEND(1000),    SIM_WAIT(SIM_UNTIL_SENT),
					  SIM_CLOSE(),	     SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(80, 5),
					SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted))};
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_READ(SIM_ALL),
					SIM_WAIT(SIM_UNTIL_EOF), SIM_CLOSE(),
					SIM_WAIT(SIM_UNTIL_DEAD)};
	struct sim_workload_users users = {.client = 1};
	uint64_t grown;

	(void)state;
	SCENE_USER(&scene, SIM_SERVER, server);
	users.client = SCENE_USER(&scene, SIM_CLIENT, client);
	grown = reader_at(&users, 60 * S).receive_buffer;
	assert_true(grown > PARLEY_BUFFER_INITIAL);
	assert_int_equal(reader_at(&users, 3500 * S).receive_buffer, grown);
	scene_finish(&scene, 4000);
}

/*
 * Twelve readers who sleep would fill the memory with what they were offered, and nothing could be
 * placed for the one who reads. Their windows stop instead; in the end all get everything.
 */
static void a_crowded_host(void **state)
{
	struct sim_workload_users sleepers[12], reader;
	const struct memory *memory;

	(void)state;
	sim_pair_set(scene.world, PARLEY_SET_MSL, 0);
	memory = &scene.world->host[SIM_CLIENT]->engine->memory;
	scene.world->host[SIM_CLIENT]->engine->memory.cap = 900 * KIB;
	for (size_t i = 0; i < 12; i++) {
		struct sim_workload w = {.kind = SIM_SLOW_READER,
					 .client = SIM_CLIENT,
					 .server = SIM_SERVER,
					 .port = (uint16_t)(1000 + i),
					 .bytes = 300 * KIB,
					 .pause = 60 * S};

		assert_int_equal(sim_workload_add(scene.world, &w, &sleepers[i]), 0);
	}
	reader = download(SIM_DOWNLOAD, 2 * MIB, 0);
	assert_int_equal(sim_run_idle(scene.world, 50 * S), SIM_LATE);
	printf("crowded: %llu of %llu KiB charged, the reader has %llu KiB\n",
	       (unsigned long long)memory->charged / KIB, (unsigned long long)memory->cap / KIB,
	       (unsigned long long)scene.world->user[reader.client]->received / KIB);
	assert_int_equal(scene.world->user[reader.client]->received, 2 * MIB);
	for (size_t i = 0; i < 12; i++)
		assert_true(reader_at(&sleepers[i], 50 * S).receive_buffer <=
			    PARLEY_BUFFER_INITIAL);
	scene_finish(&scene, 1000);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(scene.world->user[sleepers[i].client]->received, 300 * KIB);
	assert_true(memory->peak <= 900 * KIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_path_is_filled),
		cmocka_unit_test(the_buffer_fits_the_path),
		cmocka_unit_test_setup(a_slow_reader_gets_no_more, set_up),
		cmocka_unit_test_setup(an_idle_connection_does_not_grow, set_up),
		cmocka_unit_test_setup(a_crowded_host, set_up),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
