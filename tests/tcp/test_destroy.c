/* SPDX-License-Identifier: MIT */
/* ABORT by whoever administers the host: by the handle that parley_each() tells. */
#include "peer.h"

#include "tcp/status.h"

/* 3.10.5: the states whose ABORT sends a RST. */
static bool sends_reset(int state)
{
	return state != PARLEY_SYN_SENT && state != PARLEY_CLOSING && state != PARLEY_LAST_ACK &&
	       state != PARLEY_TIME_WAIT;
}

static void destroy(struct peer *p, parley_conn conn, bool reset)
{
	peer_forget(p);
	assert_int_equal(user_destroy(&p->tcp, conn), 0);
	peer_step(p);
	if (reset)
		assert_true(next_sent(p).flags & TCP_RST);
	expect_none(p);
	assert_null(tcp_check(&p->tcp));
}

/* Who holds it is told; the handle is good for that, and for nothing else. */
static void test_held_by_a_user(void **unused)
{
	(void)unused;
	for (int state = PARLEY_SYN_SENT; state < PARLEY_STATES; state++) {
		struct peer p;
		int error;

		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, (enum parley_state)state);
		destroy(&p, p.conn, sends_reset(state));
		expect_state(&p, CLOSED);
		assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
		assert_int_equal(error, PARLEY_ECONNABORTED);
		assert_int_equal(user_destroy(&p.tcp, p.conn), 0); /* it is CLOSED already */
		assert_int_equal(user_release(&p.tcp, p.conn), 0);
		assert_int_equal(user_destroy(&p.tcp, p.conn), -PARLEY_EBADF);
		assert_int_equal(p.tcp.slots.used, 0);
		peer_done(&p);
	}
}

/* What its user has released cannot be aborted any more, but destroyed; TIME-WAIT is a remnant. */
static void test_held_by_nobody(void **unused)
{
	(void)unused;
	for (int state = PARLEY_ESTABLISHED; state < PARLEY_STATES; state++) {
		struct parley_status status = {.size = sizeof status};
		uint64_t cursor = 0;
		struct peer p;

		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, (enum parley_state)state);
		assert_int_equal(user_release(&p.tcp, p.conn), 0);
		peer_step(&p);
		assert_int_equal(user_abort(&p.tcp, p.conn), -PARLEY_EBADF);
		assert_int_equal(status_each(&p.tcp, &cursor, &status), 1);
		destroy(&p, status.conn, sends_reset((int)status.state));
		assert_int_equal(p.tcp.slots.used, 0);
		assert_int_equal(user_destroy(&p.tcp, status.conn), -PARLEY_EBADF);
		peer_done(&p);
	}
}

/* Half open it is an entry; its peer is told, and the listener has room again. */
static void test_half_open(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 1);
	recv(&p, "S", 0, 0, 0);
	expect(&p, "S.", 0, 1, 0);
	destroy(&p, peer_find(&p), true);
	assert_int_equal(peer_find(&p), PARLEY_NO_CONN);
	recv(&p, "S", 0, 0, 0);
	expect(&p, "S.", 0, 1, 0);
	destroy(&p, peer_find(&p), true);
	destroy(&p, p.listener, false);
	assert_int_equal(p.tcp.slots.used, 0);
	peer_done(&p);
}

/* What waits to be accepted is accepted dead. */
static void test_in_the_accept_queue(void **unused)
{
	parley_conn conn;
	struct peer p;
	int error;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 1);
	recv(&p, "S", 0, 0, 0);
	peer_forget(&p);
	recv(&p, ".", 1, 1, 0);
	destroy(&p, peer_find(&p), true);
	assert_int_equal(user_accept(&p.tcp, p.listener, 1, &conn), 0);
	assert_true(peer_events(&p, conn, &error) & PARLEY_DEAD);
	assert_int_equal(error, PARLEY_ECONNABORTED);
	assert_int_equal(user_release(&p.tcp, conn), 0);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_by_a_user),
		cmocka_unit_test(test_held_by_nobody),
		cmocka_unit_test(test_half_open),
		cmocka_unit_test(test_in_the_accept_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
