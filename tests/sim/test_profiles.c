/* SPDX-License-Identifier: MIT */
/*
 * Hosts by the letter of RFC 9293 (the profile rfc), with each other and with hosts of today. Every
 * connection opens, carries its bytes and closes, whichever profiles its two ends have.
 */
#include "scene.h"

#include "wire/tcp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PERCENT 10000u

static struct scene scene;

/* The combination's bits: whether the client, whether the server goes by the letter. */
static struct sim_pair_config config_of(unsigned combination, uint64_t seed)
{
	struct sim_pair_config config = scene_config(seed);

	config.profile[SIM_CLIENT] = (enum parley_profile)(combination & 1);
	config.profile[SIM_SERVER] = (enum parley_profile)(combination >> 1);
	return config;
}

/* A client that gives up at once, and a server whose SYN,ACKs are all lost. */
static unsigned count_syn_acks(unsigned combination)
{
	struct sim_pair_config config = config_of(combination, 1);
	const struct sim_op accepted[] = {SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_SLEEP(500 * MS),
					SIM_ABORT()};

	scene_begin(&scene, &config);
	{
		const struct sim_op server[] = {
			SIM_LISTEN(80, 5), SIM_ACCEPT_BY(SCENE_PROGRAM(&scene, accepted), 600 * S)};

		SCENE_USER(&scene, SIM_SERVER, server);
	}
	SCENE_USER(&scene, SIM_CLIENT, client);
	scene_fault(&scene, (struct sim_fault){.set = TCP_SYN | TCP_ACK});
	scene.unit = S;
	scene_finish(&scene, 1200);
	return scene_count(&scene, "server [S.] seq 0 ack 1 lost");
}

/* MUST-23 for a SYN,ACK too; and the five repetitions of a host of today. */
static void syn_ack_is_repeated_for_three_minutes(void **state)
{
	(void)state;
	for (unsigned combination = 0; combination < 4; combination++) {
		bool letter = combination >> 1;

		assert_int_equal(count_syn_acks(combination), letter ? 8 : 6);
		assert_int_equal(scene_count(&scene, "63 server [S.]"), letter);
		assert_int_equal(scene_count(&scene, "127 server [S.]"), letter);
		/* It waits for an answer to the last one, too: until 247 s. */
		assert_int_equal(scene.world->coverage.edge[PARLEY_SYN_RECEIVED][PARLEY_LISTEN], 1);
	}
}

static void every_workload(unsigned combination, uint64_t seed, uint32_t loss)
{
	for (int kind = 0; kind < SIM_WORKLOADS; kind++) {
		struct sim_pair_config config = config_of(combination, seed);
		struct sim_workload w = {
			.kind = (enum sim_workload_kind)kind,
			.client = SIM_CLIENT,
			.server = SIM_SERVER,
			.port = 80,
			.bytes = 20000,
			.count = 5,
			.retries = 100,
			.start = 100 * MS,
			.pause = 20 * S,
			.patience = 1000 * S,
		};
		struct sim_workload_users users;

		config.to_server.loss = config.to_client.loss = loss;
		config.to_server.reorder = config.to_client.reorder = loss;
		scene_begin(&scene, &config);
		assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
		scene_finish(&scene, 100000);
	}
}

/* All workloads, both at once among them, on a good network: nothing is lost, nobody waits. */
static void every_combination_works(void **state)
{
	(void)state;
	for (unsigned combination = 0; combination < 4; combination++) {
		every_workload(combination, 1, 0);
		assert_int_equal(scene.world->coverage.timer[PARLEY_TIMER_RETRANSMIT], 0);
	}
}

/* And on bad ones. */
static void every_combination_works_on_a_bad_network(void **state)
{
	(void)state;
	for (unsigned combination = 0; combination < 4; combination++)
		for (uint64_t seed = 1; seed <= 5; seed++)
			every_workload(combination, seed, 10 * PERCENT);
}

/* Both open at once: by the letter with ACKs instead of the SYN,ACKs that are too old. */
static void both_open_by_the_letter(void **state)
{
	struct sim_pair_config config = config_of(3, 1);
	struct sim_workload w = {.kind = SIM_OPEN_TOGETHER,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = 100,
				 .start = 100 * MS};
	struct sim_workload_users users;

	(void)state;
	scene_begin(&scene, &config);
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	scene_finish(&scene, 1000);
	assert_int_equal(scene_count(&scene, "[S] seq 0"), 2);
	assert_int_equal(scene_count(&scene, "[S.] seq 0 ack 1"), 2);
	assert_int_equal(scene_count(&scene, "[.] seq 1 ack 1\n"), 2);
	assert_int_equal(scene.world->coverage.timer[PARLEY_TIMER_RETRANSMIT], 0);
}

/* TIME-WAIT lasts four minutes, and no other connection takes its place before. */
static void time_wait_lasts_four_minutes(void **state)
{
	struct sim_pair_config config = config_of(3, 1);
	const struct sim_op accepted[] = {SIM_READ(SIM_ALL), SIM_WAIT(SIM_UNTIL_EOF), SIM_CLOSE(),
					  SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op client[] = {SIM_CONNECT_FROM(SIM_SERVER, 80, 5000),
					SIM_WAIT(SIM_UNTIL_CONNECTED),
					SIM_CLOSE(),
					SIM_SLEEP(10 * S),
					SIM_CONNECT_FROM(SIM_SERVER, 80, 5000), /* refused */
					SIM_SLEEP(240 * S),
					SIM_CONNECT_FROM(SIM_SERVER, 80, 5000),
					SIM_WAIT(SIM_UNTIL_CONNECTED),
					SIM_SLEEP(S),
					SIM_ABORT()};
	int user;

	(void)state;
	scene_begin(&scene, &config);
	{
		const struct sim_op server[] = {
			SIM_LISTEN(80, 5), SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted)),
			SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted)), SIM_AT(600 * S)};

		SCENE_USER(&scene, SIM_SERVER, server);
	}
	user = SCENE_USER(&scene, SIM_CLIENT, client);
	scene_finish(&scene, 1000);
	assert_int_equal(scene.world->user[user]->refusals, 1);
	assert_int_equal(scene.world->user[user]->refusal, -PARLEY_EADDRINUSE);
	assert_int_equal(scene_count(&scene, "client [S] "), 2);
}

/*
 * The client forgets the connection (its RST is lost) and opens it anew, from the same port: the
 * server, still ESTABLISHED, challenges; the client's RST answers that; the SYN, repeated, opens
 * (RFC 9293 3.5.1, RFC 5961 4).
 */
static void a_forgotten_connection_is_opened_anew(void **state)
{
	const struct sim_op accepted[] = {SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op client[] = {SIM_CONNECT_FROM(SIM_SERVER, 80, 5000),
					SIM_WAIT(SIM_UNTIL_CONNECTED),
					SIM_SEND(100),
					SIM_WAIT(SIM_UNTIL_DRAINED),
					SIM_AT(5 * S),
					SIM_ABORT(),
					SIM_SLEEP(10 * S),
					SIM_CONNECT_FROM(SIM_SERVER, 80, 5000),
					SIM_WAIT(SIM_UNTIL_CONNECTED),
					SIM_SEND(100),
					SIM_WAIT(SIM_UNTIL_DRAINED),
					SIM_ABORT()};

	(void)state;
	for (unsigned combination = 0; combination < 4; combination++) {
		struct sim_pair_config config = config_of(combination, 1);
		int listener;

		scene_begin(&scene, &config);
		{
			const struct sim_op server[] = {
				SIM_LISTEN(80, 5), SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted)),
				SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted)), SIM_AT(60 * S)};

			listener = SCENE_USER(&scene, SIM_SERVER, server);
		}
		SCENE_USER(&scene, SIM_CLIENT, client);
		scene_fault(&scene, (struct sim_fault){.set = TCP_RST, .until = 6 * S});
		scene_finish(&scene, 1000);
		assert_int_equal(scene_accepted(&scene, listener, 0)->error, PARLEY_ECONNRESET);
		assert_int_equal(scene_accepted(&scene, listener, 1)->received, 0);
		assert_int_equal(scene.world->user[listener]->accepted, 2);
		assert_int_equal(scene_count(&scene, "client [S] "), 3);
	}
}

static int tear_down(void **state)
{
	(void)state;
	scene_end(&scene);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn_ack_is_repeated_for_three_minutes),
		cmocka_unit_test(every_combination_works),
		cmocka_unit_test(every_combination_works_on_a_bad_network),
		cmocka_unit_test(both_open_by_the_letter),
		cmocka_unit_test(time_wait_lasts_four_minutes),
		cmocka_unit_test(a_forgotten_connection_is_opened_anew),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
