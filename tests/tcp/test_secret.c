/* SPDX-License-Identifier: MIT */
/* Initial sequence numbers and ephemeral ports. */
#include "peer.h"

#include "tcp/demux.h"
#include "tcp/secret.h"

/* MUST-8: a clock of about 4 microseconds a tick, round and round. */
static void test_isn_follows_the_clock(void **unused)
{
	struct peer p;
	struct seq before;

	(void)unused;
	peer_init(&p);
	before = secret_isn(&p.tcp, &p.tuple);
	for (int i = 0; i < 30; i++) {
		struct seq now;

		tcp_set_now(&p.tcp, p.tcp.now + SEC(1000));
		now = secret_isn(&p.tcp, &p.tuple);
		assert_int_equal(now.v - before.v, 250000000);
		before = now;
	}
	peer_done(&p);
}

/* MUST-9, SHLD-1: another connection, another place, which nothing outside tells. */
static void test_isn_differs(void **unused)
{
	struct peer p;
	uint32_t seen[200];

	(void)unused;
	peer_init(&p);
	for (uint16_t i = 0; i < 200; i++) {
		p.tuple.remote_port = i;
		seen[i] = secret_isn(&p.tcp, &p.tuple).v;
		for (uint16_t k = 0; k < i; k++)
			assert_int_not_equal(seen[i], seen[k]);
	}
	peer_done(&p);
}

/* Purposes, tuples and counters do not shift each other's draws; the same again is the same. */
static void test_draws(void **unused)
{
	struct peer p;
	struct tuple other;
	uint64_t draw;

	(void)unused;
	peer_init(&p);
	other = p.tuple;
	other.local_port++;
	draw = secret_draw(&p.tcp, SECRET_PORT, &p.tuple, 5);
	assert_int_equal(secret_draw(&p.tcp, SECRET_PORT, &p.tuple, 5), draw);
	assert_int_not_equal(secret_draw(&p.tcp, SECRET_PORT, &p.tuple, 6), draw);
	assert_int_not_equal(secret_draw(&p.tcp, SECRET_NET, &p.tuple, 5), draw);
	assert_int_not_equal(secret_draw(&p.tcp, SECRET_PORT, &other, 5), draw);
	peer_done(&p);
}

/* RFC 6056: anywhere in the range, never one that is taken, until none is left. */
static void test_ports(void **unused)
{
	struct parley_open open = {.size = sizeof open};
	struct peer p;
	bool seen[100] = {false};
	parley_conn conn;
	int jumps = 0;
	uint16_t before = 0;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_PORT_FIRST, 500);
	peer_set(&p, PARLEY_SET_PORT_LAST, 599);
	open.local.addr = p.tuple.local;
	open.local.port = 550;
	assert_int_equal(user_listen(&p.tcp, &open, &conn), 0);
	open.remote = (struct parley_endpoint){p.tuple.remote, 80};
	open.local.port = 0;
	for (int i = 0; i < 99; i++) {
		uint16_t port;

		assert_int_equal(user_connect(&p.tcp, &open, 1, &conn), 0);
		port = ((struct tcb *)slot_object(&p.tcp.slots, conn, ENTRY_TCB))->tuple.local_port;
		assert_in_range(port, 500, 599);
		assert_int_not_equal(port, 550);
		assert_false(seen[port - 500]);
		seen[port - 500] = true;
		jumps += port != before + 1;
		before = port;
	}
	assert_true(jumps > 40);
	assert_int_equal(user_connect(&p.tcp, &open, 1, &conn), -PARLEY_EADDRNOTAVAIL);
	/* To somebody else all are free again. */
	open.remote.port = 81;
	assert_int_equal(user_connect(&p.tcp, &open, 1, &conn), 0);
	peer_done(&p);
}

static void test_one_port(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_PORT_LAST, 65535);
	peer_set(&p, PARLEY_SET_PORT_FIRST, 65535);
	assert_int_equal(secret_port(&p.tcp, &p.tuple), 65535);
	peer_done(&p);
}

/* Who looks for a free port does not ask what it is that has the others. */
static void test_taken(void **unused)
{
	struct peer p;
	struct tuple other;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	other = p.tuple;
	other.local_port++;
	assert_true(demux_is_taken(&p.tcp, &p.tuple));
	assert_false(demux_is_taken(&p.tcp, &other));
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_isn_follows_the_clock),
		cmocka_unit_test(test_isn_differs),
		cmocka_unit_test(test_draws),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_one_port),
		cmocka_unit_test(test_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
