/* SPDX-License-Identifier: MIT */
/* All eleven states are reached, and each edge between them, in scenarios that ask for it. */
#include "scene.h"

#include "sim/oracle.h"
#include "wire/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct scene scene;
static uint32_t edge[PARLEY_STATES][PARLEY_STATES];

/* Runs what was set up to its end, and adds the edges that were seen to all those before. */
static void finish(void)
{
	scene_finish(&scene, 4000);
	for (int from = 0; from < PARLEY_STATES; from++)
		for (int to = 0; to < PARLEY_STATES; to++)
			edge[from][to] += scene.world->coverage.edge[from][to];
}

static bool seen(enum parley_state from, enum parley_state to)
{
	return scene.world->coverage.edge[from][to] > 0;
}

static int set_up(void **state)
{
	struct sim_pair_config config = scene_config(1);

	(void)state;
	scene_begin(&scene, &config);
	return 0;
}

static struct sim_workload_users add(enum sim_workload_kind kind)
{
	struct sim_workload w = {.kind = kind,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = 30000,
				 .count = 1,
				 .start = S,
				 .pause = S};
	struct sim_workload_users users;

	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	return users;
}

/* One passive connection, without a listener, that the other connects to and closes. */
static void a_passive_open(void **state)
{
	const struct sim_op server[] = {SIM_OPEN(80), SIM_WAIT(SIM_UNTIL_PEER_CLOSED), SIM_CLOSE(),
					SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_WAIT(SIM_UNTIL_CONNECTED),
					SIM_CLOSE(), SIM_WAIT(SIM_UNTIL_DEAD)};

	(void)state;
	SCENE_USER(&scene, SIM_SERVER, server);
	SCENE_USER(&scene, SIM_CLIENT, client);
	finish();
	assert_true(seen(PARLEY_CLOSED, PARLEY_LISTEN));
	assert_true(seen(PARLEY_LISTEN, PARLEY_SYN_RECEIVED));
	assert_true(seen(PARLEY_LAST_ACK, PARLEY_CLOSED));
}

static void a_listener_closed(void **state)
{
	const struct sim_op program[] = {SIM_LISTEN(80, 5), SIM_SLEEP(S), SIM_CLOSE()};

	(void)state;
	SCENE_USER(&scene, SIM_SERVER, program);
	finish();
	assert_true(seen(PARLEY_CLOSED, PARLEY_LISTEN));
	assert_true(seen(PARLEY_LISTEN, PARLEY_CLOSED));
}

static void four_ways_to_close(void **state)
{
	(void)state;
	add(SIM_HALF_CLOSE);
	finish();
	assert_true(seen(PARLEY_FIN_WAIT_1, PARLEY_FIN_WAIT_2));
	assert_true(seen(PARLEY_FIN_WAIT_2, PARLEY_TIME_WAIT));
	assert_true(seen(PARLEY_TIME_WAIT, PARLEY_CLOSED));
}

static void both_close(void **state)
{
	(void)state;
	add(SIM_CLOSE_TOGETHER);
	finish();
	assert_true(seen(PARLEY_FIN_WAIT_1, PARLEY_CLOSING));
	assert_true(seen(PARLEY_CLOSING, PARLEY_TIME_WAIT));
}

static void three_segments(void **state)
{
	const struct sim_op accepted[] = {SIM_WAIT(SIM_UNTIL_PEER_CLOSED), SIM_CLOSE(),
					  SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(80, 5),
					SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted))};
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_WAIT(SIM_UNTIL_CONNECTED),
					SIM_SLEEP(S), SIM_CLOSE(), SIM_WAIT(SIM_UNTIL_DEAD)};

	(void)state;
	SCENE_USER(&scene, SIM_SERVER, server);
	SCENE_USER(&scene, SIM_CLIENT, client);
	finish();
	assert_true(seen(PARLEY_CLOSED, PARLEY_SYN_SENT));
	assert_true(seen(PARLEY_SYN_SENT, PARLEY_ESTABLISHED));
	assert_true(seen(PARLEY_SYN_RECEIVED, PARLEY_ESTABLISHED));
	assert_true(seen(PARLEY_ESTABLISHED, PARLEY_FIN_WAIT_1));
	assert_true(seen(PARLEY_FIN_WAIT_1, PARLEY_TIME_WAIT));
	assert_true(seen(PARLEY_ESTABLISHED, PARLEY_CLOSE_WAIT));
	assert_true(seen(PARLEY_CLOSE_WAIT, PARLEY_LAST_ACK));
	assert_true(seen(PARLEY_LAST_ACK, PARLEY_CLOSED));
}

static void both_connect(void **state)
{
	struct sim_workload_users users = add(SIM_OPEN_TOGETHER);

	(void)state;
	finish();
	assert_true(seen(PARLEY_SYN_SENT, PARLEY_SYN_RECEIVED));
	assert_true(seen(PARLEY_SYN_RECEIVED, PARLEY_ESTABLISHED));
	assert_int_equal(scene.world->user[users.client]->received, 30000);
	assert_int_equal(scene.world->user[users.listener]->received, 30000);
}

/* A passive OPEN that becomes active, to one that listens, after a second. */
static void a_passive_open_becomes_active(void **state)
{
	const struct sim_op passive[] = {SIM_OPEN(80), SIM_WAIT(SIM_UNTIL_CONNECTED), SIM_CLOSE(),
					 SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op accepted[] = {SIM_WAIT(SIM_UNTIL_PEER_CLOSED), SIM_CLOSE(),
					  SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(81, 5),
					SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted))};
	struct parley_endpoint remote = {.port = 81};
	struct sim_host *host = scene.world->host[SIM_CLIENT];

	(void)state;
	SCENE_USER(&scene, SIM_SERVER, server);
	SCENE_USER(&scene, SIM_CLIENT, passive);
	assert_int_equal(sim_run_until(scene.world, S), SIM_RAN);
	remote.addr = scene.world->host[SIM_SERVER]->port[0]->addr;
	assert_int_equal(parley_open_active(host->engine, sim_host_now(host),
					    scene.world->user[1]->conn, &remote),
			 0);
	sim_host_settle(host);
	finish();
	assert_true(seen(PARLEY_LISTEN, PARLEY_SYN_SENT));
	assert_true(seen(PARLEY_SYN_SENT, PARLEY_ESTABLISHED));
}

/* The user closes before the third step has come; the FIN follows the handshake. */
static void close_in_syn_received(void **state)
{
	const struct sim_op server[] = {SIM_OPEN(80), SIM_AT(S), SIM_CLOSE(),
					SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_READ(SIM_ALL),
					SIM_WAIT(SIM_UNTIL_EOF), SIM_CLOSE(),
					SIM_WAIT(SIM_UNTIL_DEAD)};

	(void)state;
	SCENE_USER(&scene, SIM_SERVER, server);
	SCENE_USER(&scene, SIM_CLIENT, client);
	scene_fault(&scene, (struct sim_fault){.from = 2, .until = 1500 * MS});
	finish();
	assert_int_equal(scene.world->user[0]->error, 0);
	assert_int_equal(scene.world->user[1]->error, 0);
	assert_true(scene.world->user[1]->eof);
}

static void close_in_syn_sent(void **state)
{
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_SLEEP(S), SIM_CLOSE()};

	(void)state;
	SCENE_USER(&scene, SIM_CLIENT, client);
	scene_fault(&scene, (struct sim_fault){.from = 1});
	finish();
	assert_true(seen(PARLEY_SYN_SENT, PARLEY_CLOSED));
}

/* What a connection does that is aborted when both ends have come to a state. */
static void abort_in(enum sim_workload_kind kind, uint64_t at, enum parley_state state)
{
	struct sim_workload_users users = add(kind);
	struct sim_world *world = scene.world;
	struct sim_user *user;
	struct sim_host *host;

	assert_int_equal(sim_run_until(world, at), SIM_RAN);
	user = sim_workload_server(world, users.listener, 0);
	host = world->host[SIM_SERVER];
	assert_non_null(user);
	assert_int_equal(parley_abort(host->engine, sim_host_now(host), user->conn), 0);
	user->closed = true;
	sim_host_settle(host);
	finish();
	assert_true(seen(state, PARLEY_CLOSED));
}

static void abort_in_fin_wait_2(void **state)
{
	(void)state;
	/* edge FIN-WAIT-2 CLOSED */
	abort_in(SIM_SLOW_READER, 1500 * MS, PARLEY_FIN_WAIT_2);
}

/* A server that dies in its FIN's way: nothing it sends arrives. */
static void given_up(enum sim_workload_kind kind, struct sim_fault fault, enum parley_state state)
{
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_R2, 100 * S), 0);
	/* So that the other side, who only waits, ends as well. */
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_KEEPALIVE, 1), 0);
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_KEEPALIVE_IDLE, 60 * S), 0);
	add(kind);
	scene_fault(&scene, fault);
	finish();
	assert_true(seen(state, PARLEY_CLOSED));
}

/* From 1.05 s on, the connection being established at 1.04 s, nothing comes from the server. */
static void given_up_in_established(void **state)
{
	(void)state;
	/* edge ESTABLISHED CLOSED */
	given_up(SIM_PING_PONG, (struct sim_fault){.since = 1050 * MS}, PARLEY_ESTABLISHED);
}

static void given_up_in_fin_wait_1(void **state)
{
	(void)state;
	/* edge FIN-WAIT-1 CLOSED */
	given_up(SIM_UPLOAD, (struct sim_fault){.from = 2, .since = 1050 * MS}, PARLEY_FIN_WAIT_1);
}

/* The server's FIN never arrives; the client's host forgets FIN-WAIT-2 when nobody reads. */
static void given_up_in_last_ack(void **state)
{
	const struct sim_op accepted[] = {SIM_WAIT(SIM_UNTIL_PEER_CLOSED), SIM_SLEEP(S),
					  SIM_CLOSE(), SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(80, 5),
					SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted))};
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_WAIT(SIM_UNTIL_CONNECTED),
					SIM_CLOSE(), SIM_WAIT(SIM_UNTIL_DEAD)};

	(void)state;
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_R2, 100 * S), 0);
	SCENE_USER(&scene, SIM_SERVER, server);
	SCENE_USER(&scene, SIM_CLIENT, client);
	scene_fault(&scene, (struct sim_fault){.from = 2, .set = TCP_FIN});
	finish();
	assert_true(seen(PARLEY_LAST_ACK, PARLEY_CLOSED));
	assert_true(seen(PARLEY_FIN_WAIT_2, PARLEY_CLOSED));
}

static void given_up_in_closing(void **state)
{
	(void)state;
	/* edge CLOSING CLOSED */
	given_up(SIM_CLOSE_TOGETHER, (struct sim_fault){.empty = true, .since = 2005 * MS},
		 PARLEY_CLOSING);
}

/* Over all of the above: every state, and every edge but those named. */
static void nothing_is_missing(void **state)
{
	(void)state;
	for (int s = 0; s < PARLEY_STATES; s++) {
		unsigned in = 0, out = 0;

		for (int other = 0; other < PARLEY_STATES; other++) {
			in += edge[other][s];
			out += edge[s][other];
		}
		assert_true(in > 0);
		assert_true(out > 0);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_passive_open),
		TEST(a_listener_closed),
		TEST(four_ways_to_close),
		TEST(both_close),
		TEST(three_segments),
		TEST(both_connect),
		TEST(a_passive_open_becomes_active),
		TEST(close_in_syn_received),
		TEST(close_in_syn_sent),
		TEST(abort_in_fin_wait_2),
		TEST(given_up_in_established),
		TEST(given_up_in_fin_wait_1),
		TEST(given_up_in_last_ack),
		TEST(given_up_in_closing),
		cmocka_unit_test(nothing_is_missing),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
