/* SPDX-License-Identifier: MIT */
/* The end of a connection: four segments, three, half-closed, both at once, and with losses. */
#include "scene.h"

#include "wire/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Timers are never early, and at most so much late. */
#define TICK (2 * MS)

#define BIT(state) (1u << PARLEY_##state)

static struct scene scene;
static int listener, client;

static int set_up(void **state)
{
	struct sim_pair_config config = scene_config(1);

	(void)state;
	scene_begin(&scene, &config);
	return 0;
}

static void run_to(uint64_t time)
{
	if (sim_run_until(scene.world, time) == SIM_FAILED)
		fail_msg("%s", scene.world->failure.text);
}

/* The client closes 1 s after it began; the server does what `accepted` says. */
static void begin(const struct sim_op *accepted, size_t n)
{
	const struct sim_op server[] = {SIM_LISTEN(80, 5),
					SIM_ACCEPT(scene_program(&scene, accepted, n))};
	const struct sim_op program[] = {SIM_CONNECT(SIM_SERVER, 80),
					 SIM_WAIT(SIM_UNTIL_CONNECTED),
					 SIM_AT(1 * S),
					 SIM_SHUTDOWN(PARLEY_SHUT_WR),
					 SIM_READ(SIM_ALL),
					 SIM_WAIT(SIM_UNTIL_EOF),
					 SIM_CLOSE(),
					 SIM_WAIT(SIM_UNTIL_DEAD)};

	listener = SCENE_USER(&scene, SIM_SERVER, server);
	client = SCENE_USER(&scene, SIM_CLIENT, program);
	run_to(999 * MS);
	scene.len = 0;
	scene.text[0] = '\0';
}

#define BEGIN(ops) begin(ops, sizeof(ops) / sizeof *(ops))

/* Closes a second after the client did. */
static const struct sim_op closes_later[] = {
	{SIM_OP_WAIT, SIM_UNTIL_PEER_CLOSED, 0, 0},
	{SIM_OP_SLEEP, S, 0, 0},
	{SIM_OP_CLOSE, 0, 0, 0},
	{SIM_OP_WAIT, SIM_UNTIL_DEAD, 0, 0},
};

/* Closes as soon as it hears of the client's FIN. */
static const struct sim_op closes_at_once[] = {
	{SIM_OP_WAIT, SIM_UNTIL_PEER_CLOSED, 0, 0},
	{SIM_OP_CLOSE, 0, 0, 0},
	{SIM_OP_WAIT, SIM_UNTIL_DEAD, 0, 0},
};

/* Sends 300 bytes after the client's FIN, and then closes. */
static const struct sim_op answers_and_closes[] = {
	{SIM_OP_READ, SIM_ALL, 0, 0},
	{SIM_OP_WAIT, SIM_UNTIL_EOF, 0, 0},
	{SIM_OP_SLEEP, S, 0, 0},
	{SIM_OP_SEND, 300, 0, 0},
	{SIM_OP_WAIT, SIM_UNTIL_DRAINED, 0, 0},
	{SIM_OP_CLOSE, 0, 0, 0},
	{SIM_OP_WAIT, SIM_UNTIL_DEAD, 0, 0},
};

static void no_errors(void)
{
	for (uint32_t i = 0; i < scene.world->user_count; i++) {
		assert_int_equal(scene.world->user[i]->error, 0);
		assert_int_equal(scene.world->user[i]->refusals, 0);
	}
}

static void takes_four_segments(void **state)
{
	(void)state;
	BEGIN(closes_later);
	scene_finish(&scene, 200);
	assert_string_equal(scene.text, "client [F.] seq 1 ack 1\n"
					"server [.] seq 1 ack 2\n"
					"server [F.] seq 1 ack 2\n"
					"client [.] seq 2 ack 2\n");
	assert_int_equal(scene.states[SIM_CLIENT], BIT(CLOSED) | BIT(SYN_SENT) | BIT(ESTABLISHED) |
							   BIT(FIN_WAIT_1) | BIT(FIN_WAIT_2) |
							   BIT(TIME_WAIT));
	assert_int_equal(scene.states[SIM_SERVER], BIT(CLOSED) | BIT(LISTEN) | BIT(SYN_RECEIVED) |
							   BIT(ESTABLISHED) | BIT(CLOSE_WAIT) |
							   BIT(LAST_ACK));
	no_errors();
}

/* The server is done 2 MSL before the client: it is CLOSED upon the last ACK. */
static void the_other_side_is_closed_first(void **state)
{
	struct sim_user *server;

	(void)state;
	BEGIN(closes_later);
	scene_finish(&scene, 200);
	server = scene_accepted(&scene, listener, 0);
	/* FIN at 1.000 s, there at 1.010; the server's FIN at 2.010, its ACK is back at 2.030. */
	assert_int_equal(server->dead_at, 2030 * MS);
	assert_in_range(scene.world->now, 2020 * MS + 60 * S, 2020 * MS + 60 * S + TICK);
}

static void three_segments_are_enough(void **state)
{
	(void)state;
	BEGIN(closes_at_once);
	scene_finish(&scene, 200);
	assert_string_equal(scene.text, "client [F.] seq 1 ack 1\n"
					"server [F.] seq 1 ack 2\n"
					"client [.] seq 2 ack 2\n");
	/* From FIN-WAIT-1 straight to TIME-WAIT. */
	assert_int_equal(scene.states[SIM_CLIENT] & (BIT(FIN_WAIT_2) | BIT(CLOSING)), 0);
	assert_int_not_equal(scene.states[SIM_CLIENT] & BIT(TIME_WAIT), 0);
	no_errors();
}

static void half_closed_still_receives(void **state)
{
	(void)state;
	BEGIN(answers_and_closes);
	scene_finish(&scene, 200);
	assert_int_equal(scene.world->user[client]->received, 300);
	assert_true(scene.world->user[client]->eof);
	assert_true(scene_accepted(&scene, listener, 0)->eof);
	assert_int_equal(scene_count(&scene, "server [P.] seq 1 ack 2 len 300"), 1);
	no_errors();
}

static void both_at_once(void **state)
{
	struct sim_workload w = {.kind = SIM_CLOSE_TOGETHER,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = 10,
				 .pause = 2 * S};
	struct sim_workload_users users;

	(void)state;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	run_to(1999 * MS);
	scene.len = 0;
	scene_finish(&scene, 200);
	assert_int_equal(scene_count(&scene, "client [F.] seq 11 ack 11"), 1);
	assert_int_equal(scene_count(&scene, "server [F.] seq 11 ack 11"), 1);
	assert_int_equal(scene_count(&scene, "client [.] seq 12 ack 12"), 1);
	assert_int_equal(scene_count(&scene, "server [.] seq 12 ack 12"), 1);
	assert_int_equal(scene_count(&scene, "["), 4);
	for (int side = 0; side < 2; side++) {
		assert_int_not_equal(scene.states[side] & BIT(CLOSING), 0);
		assert_int_not_equal(scene.states[side] & BIT(TIME_WAIT), 0);
		assert_int_equal(scene.states[side] & (BIT(FIN_WAIT_2) | BIT(CLOSE_WAIT)), 0);
	}
	no_errors();
}

static void a_lost_fin_is_repeated(void **state)
{
	(void)state;
	BEGIN(closes_at_once);
	scene_fault(&scene, (struct sim_fault){.from = 1, .set = TCP_FIN, .nth = {1, 2}});
	scene_finish(&scene, 200);
	assert_string_equal(scene.text, "client [F.] seq 1 ack 1 lost\n"
					"client [F.] seq 1 ack 1 lost\n"
					"client [F.] seq 1 ack 1\n"
					"server [F.] seq 1 ack 2\n"
					"client [.] seq 2 ack 2\n");
	no_errors();
}

static void the_other_lost_fin_is_repeated(void **state)
{
	(void)state;
	BEGIN(closes_later);
	scene_fault(&scene, (struct sim_fault){.from = 2, .set = TCP_FIN, .nth = {1}});
	scene_finish(&scene, 200);
	assert_string_equal(scene.text, "client [F.] seq 1 ack 1\n"
					"server [.] seq 1 ack 2\n"
					"server [F.] seq 1 ack 2 lost\n"
					"server [F.] seq 1 ack 2\n"
					"client [.] seq 2 ack 2\n");
	no_errors();
}

/* What TIME-WAIT is for: the last ACK is lost, and there is still somebody to repeat it. */
static void a_lost_last_ack_is_repeated(void **state)
{
	uint64_t told;

	(void)state;
	BEGIN(closes_later);
	scene_fault(&scene, (struct sim_fault){.from = 1, .empty = true, .nth = {1}});
	scene_finish(&scene, 200);
	assert_string_equal(scene.text, "client [F.] seq 1 ack 1\n"
					"server [.] seq 1 ack 2\n"
					"server [F.] seq 1 ack 2\n"
					"client [.] seq 2 ack 2 lost\n"
					"server [F.] seq 1 ack 2\n"
					"client [.] seq 2 ack 2\n");
	/* 2 MSL begin anew with the second ACK, which takes 10 ms to the server. */
	told = scene_accepted(&scene, listener, 0)->dead_at;
	assert_true(told > 2030 * MS);
	told += 60 * S - 10 * MS;
	assert_in_range(scene.world->now, told, told + TICK);
	no_errors();
}

/* UNL-6: text that was sent before close comes before the FIN, also when it is lost. */
static void close_loses_no_text(void **state)
{
	const struct sim_op reads[] = {SIM_READ(SIM_ALL), SIM_WAIT(SIM_UNTIL_EOF), SIM_CLOSE(),
				       SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(80, 5),
					SIM_ACCEPT(SCENE_PROGRAM(&scene, reads))};
	const struct sim_op program[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_SEND(5000),
					 SIM_WAIT(SIM_UNTIL_SENT), SIM_CLOSE(),
					 SIM_WAIT(SIM_UNTIL_DEAD)};

	(void)state;
	listener = SCENE_USER(&scene, SIM_SERVER, server);
	client = SCENE_USER(&scene, SIM_CLIENT, program);
	scene_fault(&scene, (struct sim_fault){.covers = true, .offset = 4000, .nth = {1, 2}});
	scene_finish(&scene, 200);
	assert_int_equal(scene_accepted(&scene, listener, 0)->received, 5000);
	assert_true(scene_accepted(&scene, listener, 0)->eof);
	no_errors();
}

/* RFC 2525 2.17: who closes without having read everything resets. */
static void close_with_unread_text_resets(void **state)
{
	const struct sim_op closes[] = {SIM_SLEEP(S), SIM_CLOSE(), SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(80, 5),
					SIM_ACCEPT(SCENE_PROGRAM(&scene, closes))};
	const struct sim_op program[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_SEND(500),
					 SIM_WAIT(SIM_UNTIL_DEAD)};

	(void)state;
	listener = SCENE_USER(&scene, SIM_SERVER, server);
	client = SCENE_USER(&scene, SIM_CLIENT, program);
	scene_finish(&scene, 200);
	assert_int_equal(scene.world->user[client]->error, PARLEY_ECONNRESET);
	assert_int_equal(scene_count(&scene, "server [R"), 1);
	assert_int_equal(scene_count(&scene, "server [F"), 0);
}

static void abort_resets(void **state)
{
	struct sim_workload w = {.kind = SIM_SERVER_ABORTS,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = 100000};
	struct sim_workload_users users;

	(void)state;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	scene_finish(&scene, 200);
	assert_int_equal(scene.world->user[users.client]->error, PARLEY_ECONNRESET);
	assert_true(scene_count(&scene, "server [R") >= 1);
	assert_int_equal(scene_count(&scene, "client [R"), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_four_segments),
		TEST(the_other_side_is_closed_first),
		TEST(three_segments_are_enough),
		TEST(half_closed_still_receives),
		TEST(both_at_once),
		TEST(a_lost_fin_is_repeated),
		TEST(the_other_lost_fin_is_repeated),
		TEST(a_lost_last_ack_is_repeated),
		TEST(close_loses_no_text),
		TEST(close_with_unread_text_resets),
		TEST(abort_resets),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
