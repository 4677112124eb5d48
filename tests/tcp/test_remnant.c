/* SPDX-License-Identifier: MIT */
/* TIME-WAIT, held by a user or as a remnant: 2 MSL, what restarts it, what ends it early. */
#include "peer.h"

#include "tcp/demux.h"
#include "tcp/remnant.h"
#include "tcp/secret.h"
#include "tcp/status.h"

#define TWO_MSL SEC(60)

/* Owned: the user still holds the handle, so it is a TCB. */
static void time_wait(struct peer *p, bool owned)
{
	peer_init_at(p, 0xfffffffe, 0x7ffffffe);
	peer_reach(p, PEER_ACTIVE, PARLEY_TIME_WAIT);
	if (!owned)
		assert_int_equal(user_release(&p->tcp, p->conn), 0);
	peer_step(p);
	assert_int_equal(p->tcp.remnants.used, !owned);
	assert_int_equal(p->tcp.tcbs.used, owned);
}

static void test_is_small_and_seen(void **unused)
{
	struct parley_status status = {.size = sizeof status};
	struct peer p;

	(void)unused;
	assert_true(sizeof(struct remnant) <= 64);
	time_wait(&p, false);
	assert_int_equal(status_get(&p.tcp, peer_find(&p), &status), 0);
	assert_int_equal(status.entry, PARLEY_ENTRY_TIME_WAIT);
	assert_int_equal(status.state, PARLEY_TIME_WAIT);
	assert_int_equal(status.snd_nxt, 0);
	assert_int_equal(status.rcv_nxt, 0x80000000);
	assert_int_equal(status.timer, PARLEY_TIMER_TIME_WAIT);
	assert_int_equal(status.receive_queue, 0);
	assert_int_equal(status.send_queue, 0);
	assert_in_range(status.timer_due - p.tcp.now, TWO_MSL, TWO_MSL + REMNANT_TICK);
	peer_done(&p);
}

/* MUST-13, UNL-18: 2 MSL in TIME-WAIT. A remnant may stay for a tick more, never less. */
static void test_two_msl(void **unused)
{
	struct peer p;

	(void)unused;
	for (int owned = 0; owned < 2; owned++) {
		time_wait(&p, owned);
		peer_wait(&p, TWO_MSL - 1);
		expect_state(&p, TIME_WAIT);
		peer_wait(&p, REMNANT_TICK + 1);
		/* edge TIME-WAIT CLOSED */
		expect_state(&p, CLOSED);
		expect_none(&p);
		peer_done(&p);
	}
}

/* Time that passes by the month, more than half of what the ticks count, ends it, too. */
static void test_ends_after_months(void **unused)
{
	struct peer p;

	(void)unused;
	for (uint64_t days = 1; days < 200; days++) {
		time_wait(&p, false);
		tcp_set_now(&p.tcp, p.tcp.now + days * SEC(86400));
		assert_true(tcp_deadline(&p.tcp) <= p.tcp.now);
		assert_int_equal(tcp_expire(&p.tcp), 1);
		expect_state(&p, CLOSED);
		peer_done(&p);
	}
}

/* Nor does one that ended months ago, and was not told yet, change what the next one gets. */
static void test_begins_after_months(void **unused)
{
	struct peer p;

	(void)unused;
	for (uint64_t days = 1; days < 200; days++) {
		time_wait(&p, false);
		tcp_set_now(&p.tcp, p.tcp.now + days * SEC(86400));
		p.tuple.remote_port++;
		p.iss = secret_isn(&p.tcp, &p.tuple);
		p.edge_known = false;
		peer_reach(&p, PEER_ACTIVE, PARLEY_TIME_WAIT);
		assert_int_equal(user_release(&p.tcp, p.conn), 0);
		assert_int_equal(tcp_expire(&p.tcp), 1);
		peer_wait(&p, TWO_MSL - 1);
		expect_state(&p, TIME_WAIT);
		peer_wait(&p, REMNANT_TICK + 1);
		expect_state(&p, CLOSED);
		peer_done(&p);
	}
}

/* Each FIN that the peer repeats is acknowledged, and begins 2 MSL anew. Nothing else does. */
static void test_repeated_fin_restarts(void **unused)
{
	struct peer p;

	(void)unused;
	for (int owned = 0; owned < 2; owned++) {
		time_wait(&p, owned);
		for (int i = 0; i < 3; i++) {
			peer_wait(&p, SEC(50));
			recv(&p, "F.", 1, 2, 0);
			expect(&p, ".", 2, 2, 0);
		}
		peer_wait(&p, SEC(50));
		expect_state(&p, TIME_WAIT);
		recv(&p, ".", 2, 2, 0);	     /* in order, nothing */
		recv(&p, ".", 1, 2, 0);	     /* old */
		recv(&p, "F.", 70000, 2, 0); /* a FIN of something else */
		recv(&p, "P.", 1, 2, 1);
		recv(&p, "S", 0, 0, 0);
		peer_wait(&p, SEC(11));
		expect_state(&p, CLOSED);
		peer_done(&p);
	}
}

static void test_reset(void **unused)
{
	struct peer p;

	(void)unused;
	for (int owned = 0; owned < 2; owned++) {
		time_wait(&p, owned);
		recv(&p, "R", 1, 0, 0);
		recv(&p, "R", 70000, 0, 0);
		expect_none(&p);
		recv(&p, "R", 5, 0, 0);
		expect(&p, ".", 2, 2, 0);
		expect_state(&p, TIME_WAIT);
		recv(&p, "R", 2, 0, 0);
		expect_none(&p);
		expect_state(&p, CLOSED);
		peer_done(&p);
	}
}

/*
 * MAY-2: a SYN beyond the last number opens anew, with an ISS beyond the last one; without a
 * listener, or when it is older, it is a SYN like any other.
 */
static void test_newer_syn_opens_anew(void **unused)
{
	struct peer p;
	struct sent sent;

	(void)unused;
	for (int owned = 0; owned < 2; owned++) {
		time_wait(&p, owned);
		recv(&p, "S", 3, 0, 0);
		expect(&p, ".", 2, 2, 0);
		expect_state(&p, TIME_WAIT);
		peer_listen(&p, 5);
		peer_wait(&p, MS(600));
		recv(&p, "S", 2, 0, 0);
		expect(&p, ".", 2, 2, 0);
		recv(&p, "S.", 3, 2, 0);
		recv(&p, "SF", 3, 0, 0);
		peer_forget(&p);
		expect_state(&p, TIME_WAIT);
		p.edge_known = false;
		recv(&p, "S", 3, 0, 0);
		sent = next_sent(&p);
		assert_int_equal(sent.flags, TCP_SYN | TCP_ACK);
		assert_int_equal(sent.ack, 4);
		assert_true((int32_t)(sent.seq - 2) >= 65537);
		expect_state(&p, SYN_RECEIVED);
		assert_int_equal(p.tcp.remnants.used, 0);
		recv(&p, ".", 4, sent.seq + 1, 0);
		assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
		expect_state(&p, ESTABLISHED);
		peer_done(&p);
	}
}

/* RFC 5961 7, held by a user or not, and across the change from one to the other. */
static void test_challenges_are_limited(void **unused)
{
	(void)unused;
	for (int owned = 0; owned < 2; owned++) {
		uint64_t *held;
		struct peer p;

		time_wait(&p, owned);
		held = &p.tcp.drops[PARLEY_DROP_CHALLENGE_LIMIT];
		for (int round = 0; round < 3; round++) {
			recv(&p, "R", 5, 0, 0);
			expect(&p, ".", 2, 2, 0);
			recv(&p, "R", 5, 0, 0);
			recv(&p, "S", 0, 0, 0);
			recv(&p, ".", 1, 2, 0);
			recv(&p, ".", 2, 70000, 0);
			expect_none(&p);
			peer_wait(&p, MS(499));
			recv(&p, "S", 0, 0, 0);
			expect_none(&p);
			assert_int_equal(*held, 5 * (round + 1));
			/* The FIN again is not challenged: it gets its ACK. */
			recv(&p, "F.", 1, 2, 0);
			expect(&p, ".", 2, 2, 0);
			peer_wait(&p, MS(1) + REMNANT_TICK);
		}
		recv(&p, "R", 5, 0, 0);
		expect(&p, ".", 2, 2, 0);
		if (owned)
			assert_int_equal(user_release(&p.tcp, p.conn), 0);
		assert_int_equal(p.tcp.remnants.used, 1);
		recv(&p, "R", 5, 0, 0);
		expect_none(&p);
		peer_wait(&p, MS(500) + REMNANT_TICK);
		recv(&p, "R", 5, 0, 0);
		expect(&p, ".", 2, 2, 0);
		peer_done(&p);
	}
}

/* A SYN that finds no room at the listener leaves TIME-WAIT as it is. */
static void test_no_room_no_reopening(void **unused)
{
	struct peer p;

	(void)unused;
	for (int owned = 0; owned < 2; owned++) {
		time_wait(&p, owned);
		p.tcp.settings->v[PARLEY_SET_SYN_BACKLOG] = 0;
		peer_listen(&p, 5);
		recv(&p, "S", 3, 0, 0);
		expect(&p, ".", 2, 2, 0);
		expect_state(&p, TIME_WAIT);
		peer_done(&p);
	}
}

/* An active OPEN over a remnant begins beyond it too. */
static void test_connect_over_a_remnant(void **unused)
{
	struct peer p;
	struct sent sent;

	(void)unused;
	time_wait(&p, false);
	peer_connect(&p);
	sent = next_sent(&p);
	assert_int_equal(sent.flags, TCP_SYN);
	assert_true((int32_t)(sent.seq - 2) >= 65537);
	expect_state(&p, SYN_SENT);
	assert_int_equal(p.tcp.remnants.used, 0);
	peer_done(&p);
}

static void another(struct peer *p, uint16_t port)
{
	p->tuple.remote_port = port;
	p->edge_free = true;
	peer_connect(p);
	p->iss = seq_add(p->iss, next_sent(p).seq);
	recv(p, "S.", 0, 1, 0);
	assert_int_equal(user_release(&p->tcp, p->conn), 0);
	peer_step(p);
	recv(p, "F.", 1, 2, 0);
	peer_forget(p);
	assert_int_equal(user_release(&p->tcp, p->conn), -PARLEY_EBADF);
}

/* The oldest goes when there are too many; 0 means none at all. */
static void test_limit(void **unused)
{
	struct peer p;

	(void)unused;
	for (uint16_t limit = 0; limit < 4; limit++) {
		peer_init(&p);
		peer_set(&p, PARLEY_SET_TIME_WAIT_LIMIT, limit);
		for (uint16_t port = 1; port <= 10; port++) {
			another(&p, port);
			peer_wait(&p, MS(10));
		}
		assert_int_equal(p.tcp.remnants.used, limit);
		assert_int_equal(p.tcp.counters[PARLEY_COUNTER_TIME_WAIT_OVERFLOW], 10 - limit);
		for (uint16_t port = 1; port <= 10; port++) {
			p.tuple.remote_port = port;
			p.conn = PARLEY_NO_CONN;
			assert_int_equal(peer_state(&p),
					 port > 10 - limit ? PARLEY_TIME_WAIT : PARLEY_CLOSED);
		}
		peer_done(&p);
	}
}

/* They end in the order in which they began, however the line was changed meanwhile. */
static void test_order(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	for (uint16_t port = 1; port <= 3; port++) {
		another(&p, port);
		peer_wait(&p, SEC(1));
	}
	p.conn = PARLEY_NO_CONN;
	p.tuple.remote_port = 3; /* p.iss is that of 3 */
	recv(&p, "F.", 1, 2, 0);
	peer_wait(&p, SEC(57) + REMNANT_TICK);
	assert_int_equal(p.tcp.remnants.used, 2);
	peer_wait(&p, SEC(1));
	assert_int_equal(p.tcp.remnants.used, 1);
	expect_state(&p, TIME_WAIT);
	peer_wait(&p, SEC(2));
	assert_int_equal(p.tcp.remnants.used, 0);
	peer_done(&p);
}

/* A long time: the ticks of remnants are 32 bits wide. */
static void test_after_months(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	tcp_set_now(&p.tcp, SEC(86400 * 52) - SEC(20));
	another(&p, 1);
	p.conn = PARLEY_NO_CONN;
	peer_wait(&p, TWO_MSL - SEC(1));
	expect_state(&p, TIME_WAIT);
	peer_wait(&p, SEC(2));
	expect_state(&p, CLOSED);
	peer_done(&p);
}

/* An expiry says how many timers fired, remnants' as others'. */
static void test_expiry_counts(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	for (int i = 0; i < 3; i++) {
		peer_reach(&p, PEER_ACTIVE, PARLEY_TIME_WAIT);
		assert_int_equal(user_release(&p.tcp, p.conn), 0);
		p.conn = PARLEY_NO_CONN;
		p.tuple.remote_port++;
		p.edge_known = false;
		p.iss = secret_isn(&p.tcp, &p.tuple);
	}
	peer_listen(&p, 8);
	tcp_set_now(&p.tcp, p.tcp.now + TWO_MSL - SEC(1));
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(tcp_expire(&p.tcp), 0);
	tcp_set_now(&p.tcp, p.tcp.now + SEC(1));
	assert_int_equal(tcp_expire(&p.tcp), 1);
	tcp_set_now(&p.tcp, p.tcp.now + REMNANT_TICK);
	assert_int_equal(tcp_expire(&p.tcp), 3);
	assert_int_equal(tcp_expire(&p.tcp), 0);
	peer_forget(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_small_and_seen),
		cmocka_unit_test(test_two_msl),
		cmocka_unit_test(test_ends_after_months),
		cmocka_unit_test(test_begins_after_months),
		cmocka_unit_test(test_repeated_fin_restarts),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_newer_syn_opens_anew),
		cmocka_unit_test(test_challenges_are_limited),
		cmocka_unit_test(test_no_room_no_reopening),
		cmocka_unit_test(test_connect_over_a_remnant),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_after_months),
		cmocka_unit_test(test_expiry_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
