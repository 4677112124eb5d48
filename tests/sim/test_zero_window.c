/* SPDX-License-Identifier: MIT */
/* Readers that do not read: the window closes, is probed, and opens again. */
#include "scene.h"

#include "wire/tcp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct scene scene;

static int set_up(void **state)
{
	struct sim_pair_config config = scene_config(1);

	(void)state;
	scene_begin(&scene, &config);
	return 0;
}

static struct sim_workload_users add(uint64_t bytes, uint64_t pause)
{
	struct sim_workload w = {.kind = SIM_SLOW_READER,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = bytes,
				 .pause = pause};
	struct sim_workload_users users;

	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	return users;
}

static uint64_t probes(void)
{
	return parley_counter(scene.world->host[SIM_SERVER]->engine, PARLEY_COUNTER_WINDOW_PROBES);
}

static void a_paused_reader_gets_all(void **state)
{
	struct sim_workload_users users;

	(void)state;
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_RECEIVE_BUFFER, 20000), 0);
	users = add(200000, 30 * S);
	scene_finish(&scene, 300);
	assert_int_equal(scene.world->user[users.client]->received, 200000);
	assert_true(probes() >= 3);
}

/* RFC 9293 MUST-37: answered probes keep a connection alive for ever. */
static void an_hour_of_zero_window(void **state)
{
	struct sim_workload_users users;

	(void)state;
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_RECEIVE_BUFFER, 20000), 0);
	users = add(100000, 3600 * S);
	scene_finish(&scene, 4000);
	assert_int_equal(scene.world->user[users.client]->received, 100000);
	assert_int_equal(scene.world->user[users.client]->error, 0);
	assert_int_equal(scene_accepted(&scene, users.listener, 0)->error, 0);
}

/* Without probes this would stand still for ever: the update that opens the window is lost. */
static void a_lost_window_update_is_made_good(void **state)
{
	struct sim_workload_users users;

	(void)state;
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_RECEIVE_BUFFER, 20000), 0);
	users = add(200000, 10 * S);
	scene_fault(&scene,
		    (struct sim_fault){.from = 1, .since = 10 * S, .until = 10 * S + 500 * MS});
	scene_finish(&scene, 300);
	assert_int_equal(scene.world->user[users.client]->received, 200000);
}

/* A reader of 1000 bytes each 100 ms: no silly windows (RFC 9293 MUST-38, MUST-39). */
static void a_slow_reader_gets_no_silly_segments(void **state)
{
	const struct sim_op accepted[] = {SIM_SEND(100000), SIM_WAIT(SIM_UNTIL_SENT), SIM_CLOSE(),
					  SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(80, 5),
					SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted))};
	const struct sim_op client[] = {SIM_SET(PARLEY_SET_RECEIVE_BUFFER, 16384),
					SIM_CONNECT(SIM_SERVER, 80),
					SIM_PACE(1000, 100 * MS),
					SIM_READ(SIM_ALL),
					SIM_WAIT(SIM_UNTIL_EOF),
					SIM_CLOSE(),
					SIM_WAIT(SIM_UNTIL_DEAD)};
	int user;

	(void)state;
	SCENE_USER(&scene, SIM_SERVER, server);
	user = SCENE_USER(&scene, SIM_CLIENT, client);
	scene_finish(&scene, 300);
	assert_int_equal(scene.world->user[user]->received, 100000);
	/* 69 full segments; small ones only at the edges of the window. */
	assert_true(scene_count(&scene, "server [") < 160);
}

/* The smallest buffer there is: one byte at a time, and still every byte. */
static void a_buffer_of_one_byte(void **state)
{
	struct sim_workload_users users;

	(void)state;
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_RECEIVE_BUFFER, 1), 0);
	users = add(50, 0);
	scene_finish(&scene, 2000);
	assert_int_equal(scene.world->user[users.client]->received, 50);
}

/* Whoever aborts in front of a closed window is obeyed all the same. */
static void abort_with_a_closed_window(void **state)
{
	const struct sim_op accepted[] = {SIM_SEND(100000), SIM_AT(20 * S), SIM_ABORT()};
	const struct sim_op server[] = {SIM_LISTEN(80, 5),
					SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted))};
	const struct sim_op client[] = {SIM_SET(PARLEY_SET_RECEIVE_BUFFER, 5000),
					SIM_CONNECT(SIM_SERVER, 80), SIM_WAIT(SIM_UNTIL_DEAD)};
	int user;

	(void)state;
	SCENE_USER(&scene, SIM_SERVER, server);
	user = SCENE_USER(&scene, SIM_CLIENT, client);
	scene_finish(&scene, 300);
	assert_int_equal(scene.world->user[user]->error, PARLEY_ECONNRESET);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_paused_reader_gets_all),
		TEST(an_hour_of_zero_window),
		TEST(a_lost_window_update_is_made_good),
		TEST(a_slow_reader_gets_no_silly_segments),
		TEST(a_buffer_of_one_byte),
		TEST(abort_with_a_closed_window),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
