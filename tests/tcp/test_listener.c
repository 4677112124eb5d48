/* SPDX-License-Identifier: MIT */
/* Listeners: which one a SYN finds, the two queues, and what closing does to what waits. */
#include "peer.h"

#include "tcp/demux.h"

/* A client more: the same peer from another port. */
static void client(struct peer *p, uint16_t port, bool whole)
{
	p->tuple.remote_port = port;
	p->edge_known = false;
	recv(p, "S", 0, 0, 0);
	if (!p->sent_count)
		return;
	p->iss = seq_add(p->iss, next_sent(p).seq);
	if (whole)
		recv(p, ".", 1, 1, 0);
}

static int accept_one(struct peer *p)
{
	return user_accept(&p->tcp, p->listener, 7, &p->conn);
}

static uint16_t accepted_port(struct peer *p)
{
	return peer_tcb(p)->tuple.remote_port;
}

static void test_accepts_in_order(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 3);
	assert_int_equal(accept_one(&p), -PARLEY_EAGAIN);
	for (uint16_t port = 1; port <= 3; port++)
		client(&p, port, true);
	assert_int_equal(peer_events(&p, p.listener, NULL), PARLEY_ACCEPT);
	assert_int_equal(user_ready(&p.tcp, p.listener), PARLEY_ACCEPT);
	for (uint16_t port = 1; port <= 3; port++) {
		assert_int_equal(accept_one(&p), 0);
		assert_int_equal(accepted_port(&p), port);
	}
	assert_int_equal(accept_one(&p), -PARLEY_EAGAIN);
	assert_int_equal(user_ready(&p.tcp, p.listener), 0);
	peer_done(&p);
}

/* Full: SYNs and third ACKs are dropped and counted; the client's retransmission gets in later. */
static void test_accept_queue_full(void **unused)
{
	struct peer p;
	uint64_t *drops;

	(void)unused;
	peer_init(&p);
	drops = p.tcp.drops;
	peer_listen(&p, 2);
	client(&p, 1, true);
	client(&p, 2, false);
	client(&p, 3, true);
	/* The queue is full now, port 2 is half open. */
	client(&p, 4, true);
	expect_none(&p);
	assert_int_equal(drops[PARLEY_DROP_ACCEPT_QUEUE_FULL], 1);
	assert_int_equal(p.tcp.syns.used, 1);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_LISTEN_OVERFLOWS], 1);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_LISTEN_DROPS], 1);
	assert_int_equal(accept_one(&p), 0);
	client(&p, 4, true);
	assert_int_equal(p.tcp.syns.used, 1);
	assert_int_equal(accept_one(&p), 0);
	assert_int_equal(accept_one(&p), 0);
	assert_int_equal(accepted_port(&p), 4);
	peer_done(&p);
}

/* The third ACK found no room: dropped, and the SYN,ACK that is sent again brings it back. */
static void test_third_ack_finds_no_room(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 1);
	client(&p, 2, false);
	p.tuple.remote_port = 1;
	p.edge_free = true;
	recv(&p, "S", 0, 0, 0);
	{
		struct seq waiting = p.iss;

		p.iss = seq_add(p.iss, next_sent(&p).seq);
		recv(&p, ".", 1, 1, 0);
		p.tuple.remote_port = 2;
		p.iss = waiting;
	}
	recv(&p, "P.", 1, 1, 10);
	expect_none(&p);
	expect_state(&p, SYN_RECEIVED);
	assert_int_equal(accept_one(&p), 0);
	peer_wait(&p, SEC(1));
	expect(&p, "S.", 0, 1, 0);
	recv(&p, "P.", 1, 1, 10);
	assert_int_equal(accept_one(&p), 0);
	assert_int_equal(accepted_port(&p), 2);
	user_receives(&p, 10);
	peer_done(&p);
}

/*
 * The setting "abort-on-overflow": the peer that has done its part is told at once. Also with text
 * and FIN on the third step, where the RST is SEG.ACK all the same.
 */
static void test_abort_on_overflow(void **unused)
{
	static const char *const third[] = {".", "P.", "F."};

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		struct peer p;
		struct seq waiting;

		peer_init(&p);
		peer_set(&p, PARLEY_SET_ABORT_ON_OVERFLOW, 1);
		peer_listen(&p, 1);
		client(&p, 2, false);
		waiting = p.iss;
		client(&p, 1, true);
		p.edge_free = true;
		p.tuple.remote_port = 2;
		p.iss = waiting;
		/* A SYN is dropped as ever: it is only the third step that is answered. */
		client(&p, 3, false);
		expect_none(&p);
		p.tuple.remote_port = 2;
		recv(&p, third[i], 1, 1, i ? 10 : 0);
		expect(&p, "R", 1, 0, 0);
		expect_none(&p);
		assert_int_equal(peer_find(&p), PARLEY_NO_CONN);
		assert_int_equal(p.tcp.syns.used, 0);
		assert_true(p.edges[PARLEY_SYN_RECEIVED] & 1u << PARLEY_CLOSED);
		assert_int_equal(p.tcp.counters[PARLEY_COUNTER_LISTEN_OVERFLOWS], 2);
		assert_int_equal(p.tcp.counters[PARLEY_COUNTER_LISTEN_DROPS], 2);
		assert_int_equal(p.tcp.counters[PARLEY_COUNTER_ATTEMPT_FAILS], 1);
		assert_int_equal(accept_one(&p), 0);
		assert_int_equal(accepted_port(&p), 1);
		/* With room it is as if nothing had been. */
		client(&p, 2, true);
		assert_int_equal(accept_one(&p), 0);
		peer_done(&p);
	}
}

/* The smaller of backlog and somaxconn; a backlog of nothing means one. */
static void test_limits(void **unused)
{
	static const struct {
		uint32_t backlog;
		int64_t somaxconn;
		uint64_t most;
	} cases[] = {{0, 4096, 1}, {3, 4096, 3}, {100, 4, 4}};

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		struct peer p;

		peer_init(&p);
		peer_set(&p, PARLEY_SET_SOMAXCONN, cases[i].somaxconn);
		peer_listen(&p, cases[i].backlog);
		for (uint16_t port = 1; port <= 10; port++)
			client(&p, port, true);
		assert_int_equal(p.tcp.tcbs.used, cases[i].most);
		peer_done(&p);
	}
}

/* A flood fills the SYN queue and no more; what times out makes room. */
static void test_syn_queue_full(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SYN_BACKLOG, 20);
	peer_listen(&p, 5);
	for (uint16_t port = 1; port <= 1000; port++)
		client(&p, port, false);
	assert_int_equal(p.tcp.syns.used, 20);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_SYN_QUEUE_FULL], 980);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_REQ_Q_FULL_DROP], 980);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_LISTEN_DROPS], 980);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_LISTEN_OVERFLOWS], 0);
	peer_wait(&p, SEC(100));
	peer_forget(&p);
	assert_int_equal(p.tcp.syns.used, 0);
	client(&p, 1001, true);
	assert_int_equal(accept_one(&p), 0);
	peer_done(&p);
}

/* Closing resets what waits, and takes the half-open ones when their ACK comes. */
static void test_close_with_waiting_connections(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 5);
	client(&p, 1, true);
	client(&p, 2, true);
	assert_int_equal(user_close(&p.tcp, p.listener), 0);
	peer_step(&p);
	assert_int_equal(next_sent(&p).flags, TCP_RST | TCP_ACK);
	assert_int_equal(next_sent(&p).flags, TCP_RST | TCP_ACK);
	expect_none(&p);
	assert_int_equal(p.tcp.tcbs.used, 0);
	assert_int_equal(accept_one(&p), -PARLEY_EBADF);
	peer_done(&p);
}

/* MUST-12: one that was reset while it waited is still handed out, and says so at once. */
static void test_dead_before_accept(void **unused)
{
	struct peer p;
	int error;

	(void)unused;
	for (int closed = 0; closed < 2; closed++) {
		peer_init(&p);
		peer_listen(&p, 5);
		client(&p, 1, true);
		recv(&p, "R", 1, 0, 0);
		if (closed) {
			assert_int_equal(user_close(&p.tcp, p.listener), 0);
			assert_int_equal(p.tcp.tcbs.used, 0);
			peer_done(&p);
			continue;
		}
		assert_int_equal(accept_one(&p), 0);
		assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
		assert_int_equal(error, PARLEY_ECONNRESET);
		assert_int_equal(user_receive(&p.tcp, p.conn, &error, 1), -PARLEY_ECONNRESET);
		assert_int_equal(user_release(&p.tcp, p.conn), 0);
		assert_int_equal(p.tcp.tcbs.used, 0);
		peer_done(&p);
	}
}

/* Bytes and a FIN that came before accept are told of at accept. */
static void test_text_and_fin_before_accept(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 5);
	client(&p, 1, true);
	recv(&p, "F.", 1, 1, 10);
	assert_int_equal(accept_one(&p), 0);
	assert_int_equal(peer_events(&p, p.conn, NULL), PARLEY_READABLE | PARLEY_PEER_CLOSED);
	user_receives(&p, 10);
	peer_done(&p);
}

/* MUST-43: one bound to the very address before one bound to any. */
static void test_the_closest_fit(void **unused)
{
	struct parley_open any = {.size = sizeof any, .backlog = 1};
	parley_conn listener;
	struct peer p;

	(void)unused;
	peer_init(&p);
	any.local.port = p.tuple.local_port + TCP_LISTENER_BUCKETS;
	assert_int_equal(user_listen(&p.tcp, &any, &listener), 0);
	client(&p, 1, false); /* the same bucket is not the same port */
	assert_int_equal(p.tcp.syns.used, 0);
	any.local.port = p.tuple.local_port;
	assert_int_equal(user_listen(&p.tcp, &any, &listener), 0);
	client(&p, 2, true);
	assert_int_equal(user_accept(&p.tcp, listener, 7, &p.conn), 0);
	assert_int_equal(accepted_port(&p), 2);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts_in_order),
		cmocka_unit_test(test_accept_queue_full),
		cmocka_unit_test(test_third_ack_finds_no_room),
		cmocka_unit_test(test_abort_on_overflow),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_syn_queue_full),
		cmocka_unit_test(test_close_with_waiting_connections),
		cmocka_unit_test(test_dead_before_accept),
		cmocka_unit_test(test_text_and_fin_before_accept),
		cmocka_unit_test(test_the_closest_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
