/* SPDX-License-Identifier: MIT */
/* Waiting in vain: for a SYN's answer, for an acknowledgement, for a neighbour. */
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

static struct sim_user *connect_to(struct sim_op connect)
{
	const struct sim_op program[] = {connect, SIM_WAIT(SIM_UNTIL_DEAD)};
	int user = SCENE_USER(&scene, SIM_CLIENT, program);

	return scene.world->user[user];
}

/* RFC 9293 MUST-23: a SYN is repeated for at least three minutes. */
static void nobody_answers(void **state)
{
	struct sim_user *user = connect_to(SIM_CONNECT(SIM_SERVER, 80));

	(void)state;
	scene_fault(&scene, (struct sim_fault){.set = TCP_SYN});
	scene_finish(&scene, 600);
	assert_int_equal(user->error, PARLEY_ETIMEDOUT);
	assert_int_equal(scene_count(&scene, "client [S] seq 0 lost"), 8);
	assert_int_equal(scene_count(&scene, "["), 8);
	assert_true(user->dead_at >= 180 * S);
}

/* Each wait is twice the one before (RFC 6298 5.5), from 1 s on. */
static void waits_double(void **state)
{
	static const char expected[] = "0 client [S] seq 0 lost\n"
				       "1 client [S] seq 0 lost\n"
				       "3 client [S] seq 0 lost\n"
				       "7 client [S] seq 0 lost\n";
	struct sim_pair_config config = scene_config(1);

	(void)state;
	config.to_server.delay_ns = config.to_client.delay_ns = 0;
	scene_begin(&scene, &config);
	scene.unit = S;
	connect_to(SIM_CONNECT(SIM_SERVER, 80));
	scene_fault(&scene, (struct sim_fault){.set = TCP_SYN});
	assert_int_equal(sim_run_until(scene.world, 8 * S), SIM_RAN);
	assert_string_equal(scene.text, expected);
}

/* No host has the address: ARP finds nobody. */
static void nobody_is_there(void **state)
{
	struct sim_user *user = connect_to(SIM_CONNECT_V4(0xc0000263, 80));

	(void)state;
	scene_finish(&scene, 600);
	assert_true(user->error == PARLEY_EHOSTUNREACH || user->error == PARLEY_ETIMEDOUT);
	assert_int_equal(scene_count(&scene, "["), 0);
}

/* A handshake is forgotten by the server, too, when its SYN,ACK is never answered. */
static void nobody_takes_the_third_step(void **state)
{
	const struct sim_op server[] = {SIM_LISTEN(80, 5), SIM_AT(400 * S)};

	(void)state;
	SCENE_USER(&scene, SIM_SERVER, server);
	connect_to(SIM_CONNECT(SIM_SERVER, 80));
	scene_fault(&scene, (struct sim_fault){.from = 2});
	scene_finish(&scene, 600);
	assert_true(scene_count(&scene, "server [S.] seq 0 ack 1 lost") >= 6);
	assert_int_equal(scene.world->user[0]->accepted, 0);
}

/* R2 (RFC 9293 3.8.3): text that is never acknowledged ends the connection, not before. */
static void text_is_given_up_after_r2(void **state)
{
	struct sim_workload w = {.kind = SIM_UPLOAD,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = 1000};
	struct sim_workload_users users;
	struct sim_user *user;

	(void)state;
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_R2, 120 * S), 0);
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	scene_fault(&scene, (struct sim_fault){.from = 1, .text = true});
	assert_int_not_equal(sim_run_until(scene.world, 600 * S), SIM_FAILED);
	user = scene.world->user[users.client];
	assert_int_equal(user->error, PARLEY_ETIMEDOUT);
	assert_true(user->dead_at >= 120 * S);
	assert_true(user->dead_at <= 300 * S);
}

/* With R2 off it is repeated for ever, and heals however late. */
static void text_is_never_given_up_without_r2(void **state)
{
	struct sim_workload w = {.kind = SIM_UPLOAD,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = 1000};
	struct sim_workload_users users;

	(void)state;
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_R2, 0), 0);
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	scene_fault(&scene, (struct sim_fault){.from = 1, .text = true, .until = 3000 * S});
	scene_finish(&scene, 4000);
	assert_int_equal(scene.world->user[users.client]->error, 0);
	assert_int_equal(scene_accepted(&scene, users.listener, 0)->received, 1000);
}

/* The link is down when it begins, and comes back: nothing is lost but time. */
static void a_cut_heals(void **state)
{
	struct sim_workload w = {.kind = SIM_DOWNLOAD,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = 50000,
				 .start = S};
	struct sim_workload_users users;

	(void)state;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	assert_int_equal(sim_cut(sim_pair_port(scene.world, SIM_CLIENT), 0, 2 * S), 0);
	assert_int_equal(sim_cut(sim_pair_port(scene.world, SIM_SERVER), 4 * S, 9 * S), 0);
	scene_finish(&scene, 300);
	assert_int_equal(scene.world->user[users.client]->received, 50000);
	assert_int_equal(scene.world->user[users.client]->error, 0);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_answers),
		TEST(waits_double),
		TEST(nobody_is_there),
		TEST(nobody_takes_the_third_step),
		TEST(text_is_given_up_after_r2),
		TEST(text_is_never_given_up_without_r2),
		TEST(a_cut_heals),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
