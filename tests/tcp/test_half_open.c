/* SPDX-License-Identifier: MIT */
/* SYN entries: SYN-RECEIVED without a TCB. */
#include "peer.h"

#include "tcp/demux.h"
#include "tcp/half_open.h"
#include "tcp/status.h"

static void half_open(struct peer *p)
{
	peer_init_at(p, 0xffffffff, 0x7fffffff);
	peer_reach(p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
}

/* What a flood costs: 96 bytes each, no TCB. */
static void test_is_small(void **unused)
{
	struct peer p;
	uint64_t before;

	(void)unused;
	half_open(&p);
	assert_true(sizeof(struct syn_entry) <= 96);
	assert_int_equal(p.tcp.tcbs.used, 0);
	before = p.memory.charged;
	p.tuple.remote_port++;
	p.edge_known = false;
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(p.memory.charged, before + 96);
	peer_done(&p);
}

/* It is shown as a connection. */
static void test_is_seen(void **unused)
{
	struct parley_status status = {.size = sizeof status};
	struct peer p;

	(void)unused;
	half_open(&p);
	assert_int_equal(status_get(&p.tcp, peer_find(&p), &status), 0);
	assert_int_equal(status.entry, PARLEY_ENTRY_SYN);
	assert_int_equal(status.state, PARLEY_SYN_RECEIVED);
	assert_int_equal(status.iss, 0xffffffff);
	assert_int_equal(status.snd_una, 0xffffffff);
	assert_int_equal(status.snd_nxt, 0);
	assert_int_equal(status.irs, 0x7fffffff);
	assert_int_equal(status.rcv_nxt, 0x80000000);
	assert_int_equal(status.timer, PARLEY_TIMER_RETRANSMIT);
	assert_int_equal(status.timer_due, p.tcp.now + SEC(1));
	assert_false(status.owned);
	peer_done(&p);
}

/* "defer-accept": before its time an ACK alone ends no handshake, but stops the SYN,ACKs. */
static void test_waits_for_text(void **unused)
{
	struct sent sent;
	struct peer p;
	uint64_t begin;

	(void)unused;
	peer_init_at(&p, 0xffffffff, 0x7fffffff);
	p.tcp.settings->v[PARLEY_SET_DEFER_ACCEPT] = (int64_t)SEC(3);
	peer_reach(&p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
	begin = p.tcp.now;
	recv(&p, ".", 1, 1, 0);
	expect_none(&p);
	expect_state(&p, SYN_RECEIVED);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_ACCEPT_DEFERRED], 1);
	peer_wait(&p, SEC(3));
	sent = expect(&p, "S.", 0, 1, 0);
	assert_int_equal(sent.at - begin, SEC(3));
	expect_none(&p);
	recv(&p, ".", 1, 1, 0);
	expect_state(&p, ESTABLISHED);
	peer_done(&p);
}

/* Who has answered is not given up for want of retries before "defer-accept" is over. */
static void test_outlives_retries(void **unused)
{
	struct sent sent;
	struct peer p;
	uint64_t begin;

	(void)unused;
	peer_init_at(&p, 0xffffffff, 0x7fffffff);
	p.tcp.settings->v[PARLEY_SET_DEFER_ACCEPT] = (int64_t)SEC(10);
	peer_set(&p, PARLEY_SET_SYNACK_RETRIES, 1);
	peer_reach(&p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
	begin = p.tcp.now;
	recv(&p, ".", 1, 1, 0);
	peer_wait(&p, SEC(15));
	sent = expect(&p, "S.", 0, 1, 0);
	assert_int_equal(sent.at - begin, SEC(15));
	expect_none(&p);
	peer_wait(&p, SEC(16) - 1);
	expect_none(&p);
	expect_state(&p, SYN_RECEIVED);
	peer_wait(&p, 1);
	expect_state(&p, LISTEN);
	peer_done(&p);
}

/* More timeouts than can be counted end the waiting, too: the SYN,ACK goes a last time. */
static void test_defers_as_long_as_it_counts(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 0xffffffff, 0x7fffffff);
	p.tcp.settings->v[PARLEY_SET_DEFER_ACCEPT] = (int64_t)SEC(3600);
	peer_set(&p, PARLEY_SET_MAX_RTO, PARLEY_S(1));
	peer_reach(&p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
	recv(&p, ".", 1, 1, 0);
	peer_wait(&p, SEC(255) - 1);
	expect_none(&p);
	peer_wait(&p, 1);
	expect(&p, "S.", 0, 1, 0);
	recv(&p, ".", 1, 1, 0);
	expect_state(&p, ESTABLISHED);
	peer_done(&p);
}

/*
 * How long the peer thinks before it says something is no round trip, and the timeouts that pass
 * meanwhile are no losses.
 */
static void test_waiting_is_not_measured(void **unused)
{
	static const uint64_t thinks[] = {MS(500), SEC(2)};

	(void)unused;
	for (size_t i = 0; i < sizeof thinks / sizeof *thinks; i++) {
		struct parley_tcp_info info = {.size = sizeof info};
		struct peer p;

		peer_init_at(&p, 0xffffffff, 0x7fffffff);
		p.tcp.settings->v[PARLEY_SET_DEFER_ACCEPT] = (int64_t)SEC(10);
		peer_reach(&p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
		peer_wait(&p, MS(30));
		recv(&p, ".", 1, 1, 0);
		peer_wait(&p, thinks[i]);
		recv(&p, "P.", 1, 1, 10);
		expect_state(&p, ESTABLISHED);
		assert_int_equal(user_accept(&p.tcp, p.listener, 0, &p.conn), 0);
		assert_int_equal(status_info(&p.tcp, p.conn, &info), 0);
		assert_int_equal(info.rtt, MS(30));
		assert_int_equal(info.snd_cwnd, 10 * PEER_MSS);
		peer_forget(&p);
		peer_done(&p);
	}
}

/* MUST-18: a SYN,ACK that the peer's second SYN asked for makes the sample ambiguous. */
static void test_karn_second_syn(void **unused)
{
	static const enum peer_how how[] = {PEER_LISTENER, PEER_PASSIVE};

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		struct parley_tcp_info info = {.size = sizeof info};
		struct peer p;

		peer_init_at(&p, 0xffffffff, 0x7fffffff);
		peer_reach(&p, how[i], PARLEY_SYN_RECEIVED);
		peer_wait(&p, MS(500));
		recv(&p, "S", 0, 0, 0);
		expect(&p, "S.", 0, 1, 0);
		peer_wait(&p, MS(1));
		recv(&p, ".", 1, 1, 0);
		expect_state(&p, ESTABLISHED);
		if (how[i] == PEER_LISTENER)
			assert_int_equal(user_accept(&p.tcp, p.listener, 0, &p.conn), 0);
		assert_int_equal(status_info(&p.tcp, p.conn, &info), 0);
		assert_int_equal(info.rtt, 0);
		assert_int_equal(info.rto, SEC(1));
		assert_int_equal(info.snd_cwnd, 10 * PEER_MSS);
		peer_done(&p);
	}
}

/* What the SYNs have agreed on stands, whatever the listener's settings become. */
static void test_scaling_stands(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 0xffffffff, 0x7fffffff);
	p.wscale = 7;
	peer_listen(&p, 8);
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(expect(&p, "S.", 0, 1, 0).wscale, 9);
	assert_int_equal(user_set(&p.tcp, p.listener, PARLEY_SET_WINDOW_SCALE, 0), 0);
	p.snd_shift = 7;
	p.wnd = 1 << 20;
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(user_accept(&p.tcp, p.listener, 9, &p.conn), 0);
	assert_int_equal(peer_tcb(&p)->snd.wnd, 1 << 20);
	assert_int_equal(peer_tcb(&p)->rcv_shift, 9);
	recv(&p, "P.", 1, 1, 10);
	peer_wait(&p, MS(40));
	assert_in_range(expect(&p, ".", 1, 11, 0).wnd, 65024, 1 << 16);
	peer_done(&p);
}

/* Text, or a FIN, is what it waits for. */
static void test_text_ends_waiting(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 0xffffffff, 0x7fffffff);
	p.tcp.settings->v[PARLEY_SET_DEFER_ACCEPT] = (int64_t)SEC(3);
	peer_reach(&p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
	recv(&p, ".", 1, 1, 0);
	recv(&p, "P.", 1, 1, 10);
	expect_state(&p, ESTABLISHED);
	peer_done(&p);
}

/* The SYN,ACK five times more, at 1, 2, 4, 8, 16 s, and the end after 32 more. */
static void test_retransmits_and_gives_up(void **unused)
{
	static const uint64_t after[] = {1, 3, 7, 15, 31};
	struct peer p;
	uint64_t begin;

	(void)unused;
	half_open(&p);
	begin = p.tcp.now;
	peer_wait(&p, SEC(63) - 1);
	for (int i = 0; i < 5; i++) {
		struct sent sent = expect(&p, "S.", 0, 1, 0);

		assert_int_equal(sent.at - begin, SEC(after[i]));
		assert_int_equal(sent.why, PARLEY_WHY_RTO);
	}
	expect_none(&p);
	expect_state(&p, SYN_RECEIVED);
	peer_wait(&p, 1);
	expect_state(&p, LISTEN);
	assert_int_equal(p.tcp.syns.used, 0);
	peer_done(&p);
}

/* As many retries as can be set: the interval stops growing, and the count ends. */
static void test_most_retries(void **unused)
{
	struct peer p;
	int n = 0;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SYNACK_RETRIES, 255);
	peer_set(&p, PARLEY_SET_INITIAL_RTO, PARLEY_S(60));
	peer_reach(&p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
	for (int i = 0; i < 300 && peer_state(&p) == PARLEY_SYN_RECEIVED; i++) {
		peer_wait(&p, SEC(120));
		for (; p.sent_count; n++)
			expect(&p, "S.", 0, 1, 0);
	}
	assert_int_equal(n, 255);
	expect_state(&p, LISTEN);
	peer_done(&p);
}

/* The peer's SYN again: our SYN,ACK was lost. Another SYN is challenged (RFC 5961 4.2). */
static void test_duplicate_syn(void **unused)
{
	struct peer p;

	(void)unused;
	half_open(&p);
	recv(&p, "S", 0, 0, 0);
	expect(&p, "S.", 0, 1, 0);
	recv(&p, "S", 5, 0, 0);
	expect(&p, ".", 1, 1, 0);
	peer_wait(&p, MS(501));
	recv(&p, "S", 100000, 0, 0);
	expect(&p, ".", 1, 1, 0);
	expect_none(&p);
	expect_state(&p, SYN_RECEIVED);
	peer_done(&p);
}

/* RFC 5961 7: one challenge ACK in each interval, whatever asks for it, as from a TCB. */
static void test_challenges_are_limited(void **unused)
{
	static const struct {
		const char *flags;
		uint32_t seq;
	} bad[] = {{"S", 5}, {"S", 100000}, {"R", 5}, {".", 900000000}};

	(void)unused;
	for (int i = 0; i < 4; i++) {
		uint64_t *held, *sent;
		struct peer p;

		peer_init_at(&p, 0xffffffff, 0x7fffffff);
		peer_listen(&p, 5);
		assert_int_equal(user_set(&p.tcp, p.listener, PARLEY_SET_INITIAL_RTO, PARLEY_S(20)),
				 0);
		assert_int_equal(
			user_set(&p.tcp, p.listener, PARLEY_SET_CHALLENGE_INTERVAL, PARLEY_S(2)),
			0);
		recv(&p, "S", 0, 0, 0);
		expect(&p, "S.", 0, 1, 0);
		held = &p.tcp.drops[PARLEY_DROP_CHALLENGE_LIMIT];
		sent = &p.tcp.counters[PARLEY_COUNTER_CHALLENGE_ACKS];
		for (int round = 0; round < 3; round++) {
			recv(&p, bad[i].flags, bad[i].seq, 1, 0);
			expect(&p, ".", 1, 1, 0);
			for (int again = 0; again < 4; again++) {
				recv(&p, bad[again].flags, bad[again].seq, 1, 0);
				expect_none(&p);
			}
			peer_wait(&p, SEC(2) - MS(1));
			recv(&p, bad[i].flags, bad[i].seq, 1, 0);
			expect_none(&p);
			assert_int_equal(*held, 5 * (round + 1));
			assert_int_equal(*sent, round + 1);
			/* The SYN again is not challenged: it gets its SYN,ACK. */
			recv(&p, "S", 0, 0, 0);
			expect(&p, "S.", 0, 1, 0);
			peer_wait(&p, MS(3));
		}
		/* What the entry knows of it goes on with the connection. */
		recv(&p, bad[i].flags, bad[i].seq, 1, 0);
		expect(&p, ".", 1, 1, 0);
		recv(&p, ".", 1, 1, 0);
		assert_int_equal(user_accept(&p.tcp, p.listener, 9, &p.conn), 0);
		recv(&p, "S", 5, 0, 0);
		expect_none(&p);
		expect_state(&p, ESTABLISHED);
		peer_done(&p);
	}
}

/* A SYN,ACK does not complete a passive handshake, and does not end it either. */
static void test_syn_ack_does_not_complete(void **unused)
{
	struct peer p;

	(void)unused;
	half_open(&p);
	recv(&p, "S.", 0, 1, 0);
	expect(&p, "S.", 0, 1, 0);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_CURR_ESTAB], 0);
	expect_state(&p, SYN_RECEIVED);
	recv(&p, ".", 1, 1, 0);
	expect_state(&p, ESTABLISHED);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_CURR_ESTAB], 1);
	peer_done(&p);
}

/* What the handshake learned is there in the TCB: MSS, scale, window, round trip. */
static void test_promotion(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.mss = 700;
	p.wscale = 6;
	p.wnd = 12345;
	peer_listen(&p, 5);
	recv(&p, "S", 0, 0, 0);
	expect(&p, "S.", 0, 1, 0);
	peer_wait(&p, MS(80));
	p.snd_shift = 6;
	p.wnd = 64000;
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(user_accept(&p.tcp, p.listener, 9, &p.conn), 0);
	assert_int_equal(peer_tcb(&p)->mss, 700);
	assert_int_equal(peer_tcb(&p)->snd_shift, 6);
	assert_int_equal(peer_tcb(&p)->snd.wnd, 64000);
	assert_int_equal(peer_tcb(&p)->srtt, MS(80));
	user_sends(&p, 1500);
	expect(&p, ".", 1, 1, 700);
	expect(&p, ".", 701, 1, 700);
	expect_none(&p); /* Nagle */
	peer_done(&p);
}

/* A SYN,ACK that was sent again gives no sample (Karn), and one segment to begin with. */
static void test_promotion_after_retransmission(void **unused)
{
	struct peer p;

	(void)unused;
	half_open(&p);
	peer_wait(&p, SEC(1));
	expect(&p, "S.", 0, 1, 0);
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(user_accept(&p.tcp, p.listener, 9, &p.conn), 0);
	assert_int_equal(peer_tcb(&p)->srtt, 0);
	assert_int_equal(peer_tcb(&p)->cwnd, PEER_MSS);
	assert_int_equal(peer_tcb(&p)->rto, SEC(3)); /* RFC 6298 5.7 */
	peer_done(&p);
}

/* Its listener was closed meanwhile: nobody would take the connection. */
static void test_listener_closed(void **unused)
{
	struct peer p;

	(void)unused;
	half_open(&p);
	assert_int_equal(user_close(&p.tcp, p.listener), 0);
	recv(&p, ".", 1, 1, 0);
	expect(&p, "R", 1, 0, 0);
	assert_int_equal(p.tcp.syns.used, 0);
	peer_done(&p);

	half_open(&p);
	assert_int_equal(user_close(&p.tcp, p.listener), 0);
	peer_wait(&p, SEC(2));
	expect_none(&p);
	assert_int_equal(p.tcp.syns.used, 0);
	peer_done(&p);
}

/* An active OPEN of the same four-tuple must wait. */
static void test_connect_over_it(void **unused)
{
	struct parley_open open = {.size = sizeof open};
	parley_conn conn;
	struct peer p;

	(void)unused;
	half_open(&p);
	open.local = (struct parley_endpoint){p.tuple.local, p.tuple.local_port};
	open.remote = (struct parley_endpoint){p.tuple.remote, p.tuple.remote_port};
	assert_int_equal(user_connect(&p.tcp, &open, 1, &conn), -PARLEY_EADDRINUSE);
	peer_done(&p);
}

/* The SYN,ACK that was sent again before the ACK came was lost, however long text is waited for. */
static void test_loss_before_the_ack_is_one(void **unused)
{
	struct parley_tcp_info info = {.size = sizeof info};
	struct peer p;

	(void)unused;
	peer_init_at(&p, 0xffffffff, 0x7fffffff);
	p.tcp.settings->v[PARLEY_SET_DEFER_ACCEPT] = (int64_t)SEC(10);
	peer_reach(&p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
	peer_wait(&p, SEC(1));
	expect(&p, "S.", 0, 1, 0);
	peer_wait(&p, MS(30));
	recv(&p, ".", 1, 1, 0);
	peer_wait(&p, MS(500));
	recv(&p, "P.", 1, 1, 10);
	expect_state(&p, ESTABLISHED);
	assert_int_equal(user_accept(&p.tcp, p.listener, 0, &p.conn), 0);
	assert_int_equal(status_info(&p.tcp, p.conn, &info), 0);
	assert_int_equal(info.rtt, 0);
	assert_int_equal(info.rto, SEC(3)); /* RFC 6298 5.7 */
	assert_int_equal(info.snd_cwnd, PEER_MSS);
	peer_forget(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_small),
		cmocka_unit_test(test_is_seen),
		cmocka_unit_test(test_waits_for_text),
		cmocka_unit_test(test_outlives_retries),
		cmocka_unit_test(test_defers_as_long_as_it_counts),
		cmocka_unit_test(test_waiting_is_not_measured),
		cmocka_unit_test(test_karn_second_syn),
		cmocka_unit_test(test_scaling_stands),
		cmocka_unit_test(test_text_ends_waiting),
		cmocka_unit_test(test_retransmits_and_gives_up),
		cmocka_unit_test(test_most_retries),
		cmocka_unit_test(test_duplicate_syn),
		cmocka_unit_test(test_challenges_are_limited),
		cmocka_unit_test(test_syn_ack_does_not_complete),
		cmocka_unit_test(test_promotion),
		cmocka_unit_test(test_promotion_after_retransmission),
		cmocka_unit_test(test_listener_closed),
		cmocka_unit_test(test_connect_over_it),
		cmocka_unit_test(test_loss_before_the_ack_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
