/* SPDX-License-Identifier: MIT */
/* Events: whoever holds a connection is told, and nobody else. */
#include "peer.h"

#include "tcp/icmp.h"

static void expect_nothing_told(struct peer *p)
{
	struct parley_event event;

	assert_int_equal(notice_drain(&p->tcp, &event, 1), 0);
}

/* A soft error, R1, urgent data, the last ACK, the peer's FIN: all that there is to tell. */
static void everything_happens(struct peer *p, uint32_t text, void (*after_each)(struct peer *))
{
	struct icmp_error error = {
		.tuple = p->tuple,
		.ifindex = 1,
		.kind = ICMP_KIND_HOST_UNREACHABLE,
		.seq = peer_tcb(p)->snd.una,
	};

	assert_true(tcp_icmp(&p->tcp, &error));
	assert_int_equal(p->tcp.counters[PARLEY_COUNTER_ICMP_IN], 1);
	after_each(p);
	peer_wait(p, SEC(10));
	after_each(p);
	peer_recv(p, "U.", 1, 1, text, &(struct extra){.up = 5});
	after_each(p);
	recv(p, ".", 1 + text, 102, 0);
	after_each(p);
	recv(p, "F.", 1 + text, 102, 0);
	after_each(p);
	peer_forget(p);
	expect_state(p, TIME_WAIT);
}

static void nothing(struct peer *p)
{
	(void)p;
}

static void test_holder_is_told(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	assert_int_equal(peer_events(&p, p.conn, NULL), PARLEY_CONNECTED | PARLEY_WRITABLE);
	user_sends(&p, 100);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
	peer_step(&p);
	expect_nothing_told(&p);
	everything_happens(&p, 10, nothing);
	assert_int_equal(peer_events(&p, p.conn, NULL), PARLEY_SOFT_ERROR | PARLEY_READABLE |
								PARLEY_URGENT | PARLEY_DRAINED |
								PARLEY_PEER_CLOSED | PARLEY_DEAD);
	peer_done(&p);
}

/* Whoever has let go of it is not told, although it goes on until TIME-WAIT is over. */
static void test_released_is_told_nothing(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 100);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	peer_step(&p);
	expect_nothing_told(&p);
	everything_happens(&p, 0, expect_nothing_told);
	peer_wait(&p, SEC(61));
	expect_state(&p, CLOSED);
	expect_nothing_told(&p);
	peer_done(&p);
}

/* Nor is who let go before the handshake was over, or before a reset. */
static void test_released_early_is_told_nothing(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	peer_step(&p);
	recv(&p, ".", 1, 1, 0);
	expect(&p, "F.", 1, 1, 0);
	expect_state(&p, FIN_WAIT_1);
	expect_nothing_told(&p);
	recv(&p, "R", 1, 0, 0);
	expect_state(&p, CLOSED);
	expect_nothing_told(&p);
	peer_done(&p);
}

/* While it waits to be accepted only the listener's holder is told, and then once of each. */
static void test_accepted_is_told_what_came(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 8);
	recv(&p, "S", 0, 0, 0);
	recv(&p, ".", 1, 1, 0);
	peer_recv(&p, "PU.", 1, 1, 10, &(struct extra){.up = 5});
	recv(&p, "F.", 11, 1, 0);
	assert_int_equal(peer_events(&p, p.listener, NULL), PARLEY_ACCEPT);
	assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
	assert_int_equal(peer_events(&p, p.conn, NULL),
			 PARLEY_READABLE | PARLEY_URGENT | PARLEY_PEER_CLOSED);
	expect_nothing_told(&p);
	peer_forget(&p);
	peer_done(&p);
}

/* Who let go of a connection that waited for memory is told nothing more of it; it goes on. */
static void test_released_without_memory_is_told_nothing(void **unused)
{
	uint8_t bytes[100] = {0};
	struct parley_span span = {bytes, sizeof bytes};
	struct parley_event event;
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	p.memory.cap = p.memory.charged;
	assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), -PARLEY_EAGAIN);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	peer_step(&p);
	expect_none(&p);
	p.memory.cap = PEER_LIMIT;
	peer_wait(&p, MS(200));
	expect(&p, "F.", 1, 1, 0);
	assert_int_equal(notice_drain(&p.tcp, &event, 1), 0);
	peer_done(&p);
}

/* Nor of a FIN that crosses ours, or of a TIME-WAIT that finds no memory for a remnant. */
static void test_released_is_not_told_of_the_end(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	peer_step(&p);
	expect_nothing_told(&p);
	recv(&p, "F.", 1, 1, 0);
	expect_state(&p, CLOSING);
	expect_nothing_told(&p);
	memory_fail_at(&p.memory, 1);
	recv(&p, ".", 2, 2, 0);
	assert_int_equal(p.memory.failures, 1);
	expect_state(&p, TIME_WAIT);
	assert_int_equal(peer_tcb(&p)->state, PARLEY_TIME_WAIT);
	expect_nothing_told(&p);
	peer_forget(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holder_is_told),
		cmocka_unit_test(test_released_is_told_nothing),
		cmocka_unit_test(test_released_early_is_told_nothing),
		cmocka_unit_test(test_accepted_is_told_what_came),
		cmocka_unit_test(test_released_without_memory_is_told_nothing),
		cmocka_unit_test(test_released_is_not_told_of_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
