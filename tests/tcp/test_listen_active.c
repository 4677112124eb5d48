/* SPDX-License-Identifier: MIT */
/* LISTEN to SYN-SENT (RFC 9293 3.10.1, 3.10.2): a passive OPEN that becomes active. */
#include "peer.h"

#include "tcp/remnant.h"
#include "tcp/status.h"

/* The user opens to the peer what is in LISTEN; returns the call's answer. */
static int open_active(struct peer *p)
{
	struct parley_open open;
	int error = user_listening(&p->tcp, p->conn, &open);

	if (error)
		return error;
	open.local = (struct parley_endpoint){p->tuple.local, p->tuple.local_port};
	open.remote = (struct parley_endpoint){p->tuple.remote, p->tuple.remote_port};
	error = user_open_active(&p->tcp, p->conn, &open, 1);
	peer_step(p);
	return error;
}

static void test_opens(void **unused)
{
	struct peer p;
	struct sent syn;

	(void)unused;
	peer_init(&p);
	p.wscale = 3;
	peer_reach(&p, PEER_PASSIVE, PARLEY_LISTEN);
	assert_int_equal(open_active(&p), 0);
	/* edge LISTEN SYN-SENT */
	expect_state(&p, SYN_SENT);
	syn = expect(&p, "S", 0, 0, 0);
	assert_int_equal(syn.mss, 1460);
	assert_true(syn.wscale >= 0);
	expect_none(&p);
	recv(&p, "S.", 0, 1, 0);
	p.snd_shift = 3;
	expect(&p, ".", 1, 1, 0);
	expect_state(&p, ESTABLISHED);
	assert_true(peer_events(&p, p.conn, NULL) & PARLEY_CONNECTED);
	user_sends(&p, 10);
	expect(&p, "P.", 1, 1, 10);
	recv(&p, "P.", 1, 11, 20);
	user_receives(&p, 20);
	assert_int_equal(p.tcp.listeners.used, 0);
	peer_done(&p);
}

/* It listens no more: another's SYN finds nothing, and its port is free to listen on. */
static void test_listens_no_more(void **unused)
{
	struct peer p;
	parley_conn first;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_LISTEN);
	assert_int_equal(open_active(&p), 0);
	expect(&p, "S", 0, 0, 0);
	p.tuple.remote_port++;
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(next_sent(&p).flags, TCP_RST | TCP_ACK);
	first = p.conn;
	peer_open_passive(&p);
	assert_int_not_equal(p.conn, first);
	peer_done(&p);
}

/* SEND before the handshake is queued (3.10.2), and follows it. */
static void test_text_waits(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_LISTEN);
	assert_int_equal(open_active(&p), 0);
	user_sends(&p, 1500);
	expect(&p, "S", 0, 0, 0);
	expect_none(&p);
	recv(&p, "S.", 0, 1, 0);
	expect(&p, ".", 1, 1, 1000);
	recv(&p, ".", 1, 1001, 0);
	expect(&p, "P.", 1001, 1, 500);
	peer_done(&p);
}

/* MUST-11: it came from SYN-SENT, so what ends the handshake ends it: no return to LISTEN. */
static void test_is_active(void **unused)
{
	struct peer p;
	int error;

	(void)unused;
	for (int how = 0; how < 3; how++) {
		peer_init(&p);
		peer_reach(&p, PEER_PASSIVE, PARLEY_LISTEN);
		assert_int_equal(open_active(&p), 0);
		expect(&p, "S", 0, 0, 0);
		if (how == 0) {
			recv(&p, "R.", 0, 1, 0);
		} else if (how == 1) {
			peer_wait(&p, SEC(600));
			peer_forget(&p);
		} else {
			/* Both open at once, then the peer refuses after all. */
			recv(&p, "S", 0, 0, 0);
			expect(&p, "S.", 0, 1, 0);
			expect_state(&p, SYN_RECEIVED);
			recv(&p, "R", 1, 0, 0);
		}
		expect_state(&p, CLOSED);
		assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
		assert_int_equal(error, how == 1 ? PARLEY_ETIMEDOUT : PARLEY_ECONNREFUSED);
		peer_done(&p);
	}
}

/* After a SYN that came to nothing it is back in LISTEN, and can still become active. */
static void test_after_a_reset_handshake(void **unused)
{
	struct peer p;
	uint32_t iss;

	(void)unused;
	peer_init(&p);
	p.wscale = 2;
	peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
	p.snd_shift = 0;
	user_sends(&p, 10);
	peer_wait(&p, SEC(1));
	expect(&p, "S.", 0, 1, 0);
	recv(&p, "R", 1, 0, 0);
	expect_state(&p, LISTEN);
	p.written = 0;
	p.wscale = -1;
	p.edge_known = false;
	assert_int_equal(open_active(&p), 0);
	iss = next_sent(&p).seq; /* a new number, from the clock */
	p.iss = seq_add(p.iss, iss);
	assert_true(iss > 0 && iss < 1000000);
	user_sends(&p, 100);
	recv(&p, "S.", 0, 1, 0);
	expect(&p, "P.", 1, 1, 100);
	assert_int_equal(peer_tcb(&p)->snd_shift, 0);
	peer_done(&p);
}

/* OPEN in each state (notes on 3.10.1): only LISTEN takes it, and nothing else changes. */
static void test_open_by_state(void **unused)
{
	(void)unused;
	for (int state = PARLEY_SYN_SENT; state < PARLEY_STATES; state++) {
		struct peer p;

		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, (enum parley_state)state);
		p.where = parley_state_name(state);
		assert_int_equal(open_active(&p), -PARLEY_EISCONN);
		assert_int_equal(peer_state(&p), state);
		expect_none(&p);
		assert_int_equal(user_abort(&p.tcp, p.conn), 0);
		assert_int_equal(open_active(&p), -PARLEY_ENOTCONN);
		assert_int_equal(user_release(&p.tcp, p.conn), 0);
		assert_int_equal(open_active(&p), -PARLEY_EBADF);
		peer_done(&p);
	}
}

static void test_a_listener_stays_one(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 3);
	p.conn = p.listener;
	assert_int_equal(open_active(&p), -PARLEY_EOPNOTSUPP);
	peer_done(&p);
}

/* The passive one becomes active to a four-tuple that another has: it goes on listening. */
static void test_taken(void **unused)
{
	struct peer p;
	parley_conn active;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	active = p.conn;
	peer_open_passive(&p);
	assert_int_equal(open_active(&p), -PARLEY_EADDRINUSE);
	expect_none(&p);
	assert_int_equal(peer_tcb(&p)->state, PARLEY_LISTEN);
	p.tuple.remote_port++;
	p.edge_known = false;
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(next_sent(&p).flags, TCP_SYN | TCP_ACK);
	assert_int_equal(peer_tcb(&p)->state, PARLEY_SYN_RECEIVED);
	assert_int_equal(user_release(&p.tcp, active), 0);
	peer_done(&p);
}

/* A half-open connection of a listener beside it has the four-tuple, too. */
static void test_taken_by_a_half_open(void **unused)
{
	struct parley_open any = {.size = sizeof any, .backlog = 1};
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
	assert_int_equal(user_close(&p.tcp, p.listener), 0);
	any.local.port = p.tuple.local_port;
	assert_int_equal(user_open_passive(&p.tcp, &any, &p.conn), 0);
	assert_int_equal(open_active(&p), -PARLEY_EADDRINUSE);
	assert_int_equal(peer_tcb(&p)->state, PARLEY_LISTEN);
	peer_done(&p);
}

/* Over a remnant it begins beyond the old numbers, as any active OPEN. */
static void test_over_a_remnant(void **unused)
{
	struct peer p;
	struct sent sent;

	(void)unused;
	peer_init_at(&p, 0xfffffffe, 0x7ffffffe);
	peer_reach(&p, PEER_ACTIVE, PARLEY_TIME_WAIT);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	assert_int_equal(p.tcp.remnants.used, 1);
	peer_open_passive(&p);
	assert_int_equal(open_active(&p), 0);
	sent = next_sent(&p);
	assert_int_equal(sent.flags, TCP_SYN);
	assert_true((int32_t)(sent.seq - 2) >= 65537);
	assert_int_equal(p.tcp.remnants.used, 0);
	expect_state(&p, SYN_SENT);
	peer_done(&p);
}

/* No memory for the table's next part: it listens on, and the next try succeeds. */
static void test_no_memory(void **unused)
{
	struct peer p;
	int failed = 0;

	(void)unused;
	peer_init(&p);
	for (uint16_t port = 1; port <= 600; port++) {
		parley_conn before;

		p.tuple.local_port = port;
		peer_open_passive(&p);
		before = p.conn;
		memory_fail_at(&p.memory, 1);
		if (open_active(&p)) {
			failed++;
			assert_int_equal(peer_tcb(&p)->state, PARLEY_LISTEN);
			assert_int_equal(peer_find(&p), PARLEY_NO_CONN);
			memory_fail_at(&p.memory, 0);
			assert_int_equal(open_active(&p), 0);
		}
		memory_fail_at(&p.memory, 0);
		assert_int_equal(peer_find(&p), before);
		peer_forget(&p);
		p.edge_free = true;
	}
	assert_true(failed > 0);
	peer_done(&p);
}

/* A SYN that has not gone says what was set last, though others went before it. */
static void test_setting_before_the_second_syn(void **unused)
{
	struct parley_open open;
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
	recv(&p, "R", 1, 0, 0);
	expect_state(&p, LISTEN);
	assert_int_equal(user_listening(&p.tcp, p.conn, &open), 0);
	open.local = (struct parley_endpoint){p.tuple.local, p.tuple.local_port};
	open.remote = (struct parley_endpoint){p.tuple.remote, p.tuple.remote_port};
	assert_int_equal(user_open_active(&p.tcp, p.conn, &open, 1), 0);
	assert_int_equal(user_set(&p.tcp, p.conn, PARLEY_SET_MSS, 700), 0);
	p.edge_free = true;
	peer_step(&p);
	assert_int_equal(next_sent(&p).mss, 700);
	peer_wait(&p, SEC(1));
	assert_int_equal(user_set(&p.tcp, p.conn, PARLEY_SET_MSS, 600), 0);
	peer_wait(&p, SEC(2));
	assert_int_equal(next_sent(&p).mss, 700);
	peer_forget(&p);
	peer_done(&p);
}

/* A SYN for which there is no memory leaves no trace of its sender. */
static void test_syn_without_memory(void **unused)
{
	struct parley_status status = {.size = sizeof status};
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_LISTEN);
	memory_fail_at(&p.memory, 1);
	recv(&p, "S", 0, 0, 0);
	expect_none(&p);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_MEMORY], 1);
	assert_int_equal(status_get(&p.tcp, p.conn, &status), 0);
	assert_int_equal(status.state, PARLEY_LISTEN);
	assert_int_equal(status.remote.port, 0);
	assert_int_equal(status.ifindex, 0);
	memory_fail_at(&p.memory, 0);
	recv(&p, "S", 0, 0, 0);
	expect(&p, "S.", 0, 1, 0);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens),
		cmocka_unit_test(test_listens_no_more),
		cmocka_unit_test(test_text_waits),
		cmocka_unit_test(test_is_active),
		cmocka_unit_test(test_after_a_reset_handshake),
		cmocka_unit_test(test_open_by_state),
		cmocka_unit_test(test_a_listener_stays_one),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_taken_by_a_half_open),
		cmocka_unit_test(test_over_a_remnant),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_setting_before_the_second_syn),
		cmocka_unit_test(test_syn_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
