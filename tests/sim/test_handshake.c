/* SPDX-License-Identifier: MIT */
/* The three-way handshake, step by step, and with each step lost. */
#include "scene.h"

#include "base/checksum.h"
#include "base/mem.h"
#include "sim/packet.h"
#include "wire/eth.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct scene scene;

/* A server that accepts and waits for the end, a client that connects and waits, then aborts. */
static int listener, client;

static void add_users(void)
{
	const struct sim_op accepted[] = {SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {
		SIM_LISTEN(80, 5), SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted)), SIM_AT(30 * S)};
	const struct sim_op program[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_WAIT(SIM_UNTIL_CONNECTED),
					 SIM_AT(30 * S), SIM_ABORT()};

	listener = SCENE_USER(&scene, SIM_SERVER, server);
	client = SCENE_USER(&scene, SIM_CLIENT, program);
}

static int set_up(void **state)
{
	struct sim_pair_config config = scene_config(1);

	(void)state;
	scene_begin(&scene, &config);
	add_users();
	return 0;
}

static struct parley_status status_of(const struct sim_user *user)
{
	struct parley_status status = {.size = sizeof status};

	assert_int_equal(parley_status(user->host->engine, user->conn, &status), 0);
	return status;
}

/* Both ends are ESTABLISHED and agree about all numbers. */
static void both_established(void)
{
	struct parley_status c = status_of(scene.world->user[client]);
	struct parley_status s = status_of(scene_accepted(&scene, listener, 0));

	assert_int_equal(c.state, PARLEY_ESTABLISHED);
	assert_int_equal(s.state, PARLEY_ESTABLISHED);
	assert_int_equal(c.iss, s.irs);
	assert_int_equal(s.iss, c.irs);
	assert_int_equal(c.snd_una, c.iss + 1);
	assert_int_equal(c.snd_nxt, c.iss + 1);
	assert_int_equal(c.rcv_nxt, c.irs + 1);
	assert_int_equal(s.snd_una, s.iss + 1);
	assert_int_equal(s.snd_nxt, s.iss + 1);
	assert_int_equal(s.rcv_nxt, s.irs + 1);
	assert_int_equal(c.remote.port, 80);
	assert_int_equal(s.remote.port, c.local.port);
}

static void run_to(uint64_t time)
{
	if (sim_run_until(scene.world, time) == SIM_FAILED)
		fail_msg("%s", scene.world->failure.text);
}

static void takes_three_segments(void **state)
{
	(void)state;
	run_to(29 * S);
	assert_string_equal(scene.text, "client [S] seq 0\n"
					"server [S.] seq 0 ack 1\n"
					"client [.] seq 1 ack 1\n");
	both_established();
	assert_true(scene.world->user[client]->connected);
	/* One round trip for ARP, one for the handshake. */
	assert_int_equal(scene.world->user[client]->connected_at, 40 * MS);
	assert_int_equal(scene_accepted(&scene, listener, 0)->connected_at, 50 * MS);
	scene_finish(&scene, 200);
}

/* Each state of both sides is seen on the way. */
static void goes_through_the_states(void **state)
{
	(void)state;
	run_to(29 * S);
	assert_int_equal(scene.states[SIM_CLIENT],
			 1u << PARLEY_CLOSED | 1u << PARLEY_SYN_SENT | 1u << PARLEY_ESTABLISHED);
	assert_int_equal(scene.states[SIM_SERVER], 1u << PARLEY_CLOSED | 1u << PARLEY_LISTEN |
							   1u << PARLEY_SYN_RECEIVED |
							   1u << PARLEY_ESTABLISHED);
}

static void repeats_a_lost_syn(void **state)
{
	(void)state;
	scene_fault(&scene, (struct sim_fault){.set = TCP_SYN, .clear = TCP_ACK, .nth = {1, 2}});
	run_to(29 * S);
	assert_string_equal(scene.text, "client [S] seq 0 lost\n"
					"client [S] seq 0 lost\n"
					"client [S] seq 0\n"
					"server [S.] seq 0 ack 1\n"
					"client [.] seq 1 ack 1\n");
	both_established();
	/* RFC 6298: after 1 s, and then after twice that. */
	assert_int_equal(scene.world->user[client]->connected_at, 3040 * MS);
	scene_finish(&scene, 200);
}

static void repeats_a_lost_syn_ack(void **state)
{
	struct sim_fault_state *fault;

	(void)state;
	fault = scene_fault(&scene, (struct sim_fault){.set = TCP_SYN | TCP_ACK, .nth = {1}});
	run_to(29 * S);
	assert_int_equal(fault->acted, 1);
	assert_true(fault->seen >= 2);
	assert_int_equal(scene_count(&scene, "client [S] seq 0"), 2);
	both_established();
	scene_finish(&scene, 200);
}

/* The client believes itself connected; the server repeats its SYN,ACK until an ACK comes. */
static void repeats_when_the_third_step_is_lost(void **state)
{
	(void)state;
	scene_fault(&scene, (struct sim_fault){.from = 1, .empty = true, .nth = {1}});
	run_to(29 * S);
	assert_string_equal(scene.text, "client [S] seq 0\n"
					"server [S.] seq 0 ack 1\n"
					"client [.] seq 1 ack 1 lost\n"
					"server [S.] seq 0 ack 1\n"
					"client [.] seq 1 ack 1\n");
	both_established();
	assert_int_equal(scene.world->user[client]->connected_at, 40 * MS);
	scene_finish(&scene, 200);
}

/* A SYN as the client's host would have sent it long ago, from a port that is not in use now. */
static size_t old_syn(uint8_t *out)
{
	struct sim_port *from = sim_pair_port(scene.world, SIM_CLIENT);
	struct sim_port *to = sim_pair_port(scene.world, SIM_SERVER);
	struct segment segment = {
		.src_port = 1234, .dst_port = 80, .seq = seq(77), .flags = TCP_SYN, .wnd = 1000};
	struct ip_packet ip = {.src = from->addr, .dst = to->addr, .protocol = IP_TCP, .ttl = 64};
	struct eth_frame eth = {.dst = to->mac, .src = from->mac, .type = ETH_IPV4};
	size_t at = eth_emit(out, &eth);
	size_t tcp = at + IPV4_HEADER_LEN;
	size_t len = tcp_emit(out + tcp, &segment);

	ip.payload_len = len;
	ipv4_emit(out + at, &ip);
	tcp_finish_checksum(out + tcp, len, ip_pseudo_sum(&ip.src, &ip.dst, IP_TCP, (uint32_t)len),
			    0);
	return tcp + len;
}

/* What the third step is for (RFC 9293 3.5, figure 9): an old SYN opens nothing. */
static void an_old_duplicate_opens_nothing(void **state)
{
	uint8_t bytes[128];
	size_t len = old_syn(bytes);

	(void)state;
	run_to(5 * S);
	scene.len = 0;
	assert_int_equal(sim_inject(sim_pair_port(scene.world, SIM_SERVER), 6 * S, bytes, len), 0);
	run_to(20 * S);
	assert_int_equal(scene_count(&scene, "server [S.]"), 1);
	assert_int_equal(scene_count(&scene, "client [R]"), 1);
	assert_int_equal(scene_count(&scene, "["), 2);
	assert_int_equal(scene.world->user[listener]->accepted, 1);
	both_established();
	scene_finish(&scene, 200);
}

/* Who reads a capture must not be able to tell the next connection's number from the last one's. */
static void numbers_and_ports_differ(void **state)
{
	uint32_t iss;
	uint16_t port;

	run_to(29 * S);
	iss = status_of(scene.world->user[client]).iss;
	port = status_of(scene.world->user[client]).local.port;
	for (uint64_t seed = 2; seed < 5; seed++) {
		struct sim_pair_config config = scene_config(seed);

		scene_begin(&scene, &config);
		add_users();
		run_to(29 * S);
		assert_int_not_equal(status_of(scene.world->user[client]).iss, iss);
		assert_int_not_equal(status_of(scene.world->user[client]).local.port, port);
	}
	(void)state;
}

static void the_first_data_may_come_with_the_third_step(void **state)
{
	struct sim_pair_config config = scene_config(1);
	struct sim_workload workload = {.kind = SIM_UPLOAD,
					.client = SIM_CLIENT,
					.server = SIM_SERVER,
					.port = 80,
					.bytes = 100};
	struct sim_workload_users users;

	(void)state;
	scene_begin(&scene, &config);
	assert_int_equal(sim_workload_add(scene.world, &workload, &users), 0);
	/* The bare third ACK is lost; what carries the text acknowledges as well. */
	scene_fault(&scene, (struct sim_fault){.from = 1, .empty = true, .nth = {1}});
	scene_finish(&scene, 200);
	assert_int_equal(scene_accepted(&scene, users.listener, 0)->received, 100);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_three_segments),
		TEST(goes_through_the_states),
		TEST(repeats_a_lost_syn),
		TEST(repeats_a_lost_syn_ack),
		TEST(repeats_when_the_third_step_is_lost),
		TEST(an_old_duplicate_opens_nothing),
		TEST(numbers_and_ports_differ),
		TEST(the_first_data_may_come_with_the_third_step),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
