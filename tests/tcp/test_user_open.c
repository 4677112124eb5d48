/* SPDX-License-Identifier: MIT */
/*
 * OPEN (RFC 9293 3.10.1) and what belongs to it: ports, settings, LISTEN entered again; and calls
 * with handles that are stale or closed.
 */
#include "peer.h"

#include "tcp/status.h"

/* Back in LISTEN it is no interface's: one that goes leaves it alone. */
static void test_detach_leaves_what_listens(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
	recv(&p, "R", 1, 0, 0);
	expect_state(&p, LISTEN);
	tcp_detach(&p.tcp, 1);
	expect_state(&p, LISTEN);
	peer_done(&p);
}

/* What was half open goes back there, as when its peer resets (3.10.7.4), and hears others. */
static void test_detach_returns_to_listen(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
	tcp_detach(&p.tcp, 1);
	assert_null(tcp_check(&p.tcp));
	expect_state(&p, LISTEN);
	tcp_attach(&p.tcp, 1, &p.egress);
	peer_forget(&p);
	recv(&p, "S", 0, 0, 0);
	expect(&p, "S.", 0, 1, 0);
	expect_state(&p, SYN_RECEIVED);
	peer_done(&p);
}

/* What a SYN announces is settled once it has gone. */
static void test_setting_after_the_syn(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.mss = 1400;
	assert_int_equal(user_connect(&p.tcp,
				      &(struct parley_open){
					      .size = sizeof(struct parley_open),
					      .local = {p.tuple.local, p.tuple.local_port},
					      .remote = {p.tuple.remote, p.tuple.remote_port},
				      },
				      1, &p.conn),
			 0);
	assert_int_equal(user_set(&p.tcp, p.conn, PARLEY_SET_MSS, 700), 0);
	peer_step(&p);
	assert_int_equal(expect(&p, "S", 0, 0, 0).mss, 700);
	peer_set(&p, PARLEY_SET_MSS, 500);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 9000);
	peer_wait(&p, SEC(1));
	assert_int_equal(next_sent(&p).mss, 700);
	recv(&p, "S.", 0, 1, 0);
	peer_forget(&p);
	user_sends(&p, 2000);
	expect(&p, ".", 1, 1, 700);
	assert_int_equal(peer_tcb(&p)->local_mss, 700);
	peer_forget(&p);
	peer_done(&p);
}

/* A passive OPEN, of either kind, without a port: one is chosen; none is left. */
static void test_passive_open_without_a_port(void **unused)
{
	struct parley_open open = {.size = sizeof open, .backlog = 1};
	parley_conn first, second;
	struct peer p;

	(void)unused;
	for (int listener = 0; listener < 2; listener++) {
		peer_init(&p);
		peer_set(&p, PARLEY_SET_PORT_FIRST, 500);
		peer_set(&p, PARLEY_SET_PORT_LAST, 500);
		open.local.addr = p.tuple.local;
		if (listener) {
			assert_int_equal(user_listen(&p.tcp, &open, &first), 0);
			assert_int_equal(user_listen(&p.tcp, &open, &second),
					 -PARLEY_EADDRNOTAVAIL);
		} else {
			assert_int_equal(user_open_passive(&p.tcp, &open, &first), 0);
			assert_int_equal(user_open_passive(&p.tcp, &open, &second),
					 -PARLEY_EADDRNOTAVAIL);
		}
		p.tuple.local_port = 500;
		recv(&p, "S", 0, 0, 0);
		assert_int_equal(next_sent(&p).flags, TCP_SYN | TCP_ACK);
		peer_forget(&p);
		peer_done(&p);
	}
}

/* After a handshake that failed nothing of the last attempt is left to be sent or counted. */
static void test_listens_again_as_new(void **unused)
{
	struct parley_status status = {.size = sizeof status};
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
	user_sends(&p, 100);
	peer_wait(&p, SEC(1));
	peer_tcb(&p)->owed |= OWE_CHALLENGE;
	recv(&p, "R", 1, 0, 0);
	peer_forget(&p);
	expect_state(&p, LISTEN);
	assert_int_equal(status_get(&p.tcp, p.conn, &status), 0);
	assert_int_equal(status.send_queue, 0);
	assert_int_equal(peer_tcb(&p)->owed, 0);
	assert_int_equal(peer_tcb(&p)->snd_off, 0);
	assert_int_equal(peer_tcb(&p)->snd_end, 0);
	assert_int_equal(peer_tcb(&p)->sacked_bytes, 0);
	assert_int_equal(status.retransmits, 0);
	assert_int_equal(status.remote.port, 0);
	assert_int_equal(status.timer, PARLEY_TIMER_NONE);
	assert_int_equal(user_ready(&p.tcp, p.conn), PARLEY_DRAINED);
	/* The next SYN gets one answer, and again after the first timeout. */
	p.tuple.remote_port++;
	p.edge_known = false;
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(next_sent(&p).flags, TCP_SYN | TCP_ACK);
	expect_none(&p);
	peer_wait(&p, SEC(1) - 1);
	expect_none(&p);
	peer_wait(&p, 1);
	assert_int_equal(next_sent(&p).flags, TCP_SYN | TCP_ACK);
	p.iss = peer_tcb(&p)->iss;
	recv(&p, ".", 1, 1, 0);
	expect_state(&p, ESTABLISHED);
	expect_none(&p);
	peer_done(&p);
}

/* A passive OPEN that names its peer: STATUS says so, and nobody else gets in. */
static void test_passive_open_to_one_peer(void **unused)
{
	struct parley_status status = {.size = sizeof status};
	struct parley_open open = {.size = sizeof open};
	struct peer p;

	(void)unused;
	peer_init(&p);
	open.local = (struct parley_endpoint){p.tuple.local, p.tuple.local_port};
	open.remote = (struct parley_endpoint){p.tuple.remote, p.tuple.remote_port};
	assert_int_equal(user_open_passive(&p.tcp, &open, &p.conn), 0);
	assert_int_equal(status_get(&p.tcp, p.conn, &status), 0);
	assert_memory_equal(&status.remote.addr, &p.tuple.remote, 16);
	assert_int_equal(status.remote.port, p.tuple.remote_port);
	p.tuple.remote_port++;
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(next_sent(&p).flags, TCP_RST | TCP_ACK);
	p.tuple.remote_port--;
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(next_sent(&p).flags, TCP_SYN | TCP_ACK);
	/* Also after a handshake that failed. */
	recv(&p, "R", 1, 0, 0);
	peer_forget(&p);
	assert_int_equal(status_get(&p.tcp, p.conn, &status), 0);
	assert_int_equal(status.state, PARLEY_LISTEN);
	assert_int_equal(status.remote.port, p.tuple.remote_port);
	peer_done(&p);
}

/* Calls with a handle that names nothing any more. */
static void test_stale_handle(void **unused)
{
	struct parley_buffer buffer;
	struct parley_span span = {"x", 1};
	parley_conn out;
	int64_t value;
	struct peer p;
	char byte;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	assert_int_equal(user_abort(&p.tcp, p.conn), 0);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), -PARLEY_EBADF);
	assert_int_equal(user_reserve(&p.tcp, p.conn, 1, &buffer, 1), -PARLEY_EBADF);
	assert_int_equal(user_commit(&p.tcp, p.conn, 1, 0), -PARLEY_EBADF);
	assert_int_equal(user_receive(&p.tcp, p.conn, &byte, 1), -PARLEY_EBADF);
	assert_int_equal(user_peek(&p.tcp, p.conn, 0, &span, 1), -PARLEY_EBADF);
	assert_int_equal(user_consume(&p.tcp, p.conn, 0), -PARLEY_EBADF);
	assert_int_equal(user_urgent(&p.tcp, p.conn), -PARLEY_EBADF);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), -PARLEY_EBADF);
	assert_int_equal(user_close(&p.tcp, p.conn), -PARLEY_EBADF);
	assert_int_equal(user_abort(&p.tcp, p.conn), -PARLEY_EBADF);
	assert_int_equal(user_release(&p.tcp, p.conn), -PARLEY_EBADF);
	assert_int_equal(user_accept(&p.tcp, p.conn, 0, &out), -PARLEY_EBADF);
	assert_int_equal(user_listening(&p.tcp, p.conn, &(struct parley_open){0}), -PARLEY_EBADF);
	assert_int_equal(user_set(&p.tcp, p.conn, PARLEY_SET_TTL, 1), -PARLEY_EBADF);
	assert_int_equal(user_get(&p.tcp, p.conn, PARLEY_SET_TTL, &value), -PARLEY_EBADF);
	assert_int_equal(user_ready(&p.tcp, p.conn), 0);
	peer_forget(&p);
	peer_done(&p);
}

/* Closed once more: nothing begins anew, neither the timer nor the count of resets. */
static void test_closed_twice(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_FIN_WAIT_2);
	assert_int_equal(user_close(&p.tcp, p.conn), 0);
	peer_wait(&p, SEC(30));
	assert_int_equal(user_close(&p.tcp, p.conn), 0);
	peer_wait(&p, SEC(30) - 1);
	expect_state(&p, FIN_WAIT_2);
	peer_wait(&p, 1);
	expect_state(&p, CLOSED);
	assert_int_equal(user_close(&p.tcp, p.conn), 0);
	expect_none(&p);
	peer_done(&p);
	/* With unread text that has outlived its connection. */
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "FP.", 1, 1, 10);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
	peer_step(&p);
	recv(&p, ".", 12, 2, 0);
	expect_state(&p, CLOSED);
	peer_forget(&p);
	assert_int_equal(user_close(&p.tcp, p.conn), 0);
	peer_step(&p);
	expect_none(&p);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_ABORT_ON_CLOSE], 0);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_detach_leaves_what_listens),
		cmocka_unit_test(test_detach_returns_to_listen),
		cmocka_unit_test(test_setting_after_the_syn),
		cmocka_unit_test(test_passive_open_without_a_port),
		cmocka_unit_test(test_listens_again_as_new),
		cmocka_unit_test(test_passive_open_to_one_peer),
		cmocka_unit_test(test_stale_handle),
		cmocka_unit_test(test_closed_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
