/* SPDX-License-Identifier: MIT */
/* The timers (RFC 9293 3.10.8, 3.8): retransmission, persist, keep-alive, FIN-WAIT-2. */
#include "peer.h"

#include "tcp/status.h"

static void established(struct peer *p)
{
	peer_init_at(p, 0xfffffffa, 0x7ffffff6);
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
}

/*
 * UNL-18, MUST-18: the RTT of the handshake was 0: the RTO is the least there is, 200 ms; it
 * doubles each time.
 */
static void test_retransmission_backs_off(void **unused)
{
	struct peer p;
	uint64_t begin, at = 200;

	(void)unused;
	established(&p);
	user_sends(&p, 10);
	begin = expect(&p, "P.", 1, 1, 10).at;
	peer_wait(&p, SEC(100));
	for (uint64_t rto = 200; at < 100000; rto *= 2, at += rto) {
		struct sent sent = expect(&p, "P.", 1, 1, 10);

		assert_int_equal(sent.at - begin, MS(at));
		assert_int_equal(sent.why, PARLEY_WHY_RTO);
	}
	expect_none(&p);
	/* Karn: the ACK of a retransmission is no sample, so the RTO stays as it is. */
	at = peer_tcb(&p)->rto;
	recv(&p, ".", 1, 11, 0);
	assert_int_equal(peer_tcb(&p)->rto, at);
	user_sends(&p, 10);
	peer_wait(&p, MS(50));
	recv(&p, ".", 1, 21, 0);
	assert_true(peer_tcb(&p)->rto < at);
	peer_done(&p);
}

/* MUST-20, SHLD-9, SHLD-10, UNL-8: the user hears at R1; at R2 the connection is given up. */
static void test_r1_and_r2(void **unused)
{
	struct peer p;
	int error;

	(void)unused;
	established(&p);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(100));
	user_sends(&p, 10);
	peer_events(&p, p.conn, NULL);
	peer_wait(&p, MS(200 + 400));
	assert_int_equal(peer_events(&p, p.conn, NULL), 0);
	assert_false(peer_tcb(&p)->flags & TCB_PAST_R1);
	peer_wait(&p, MS(800));
	assert_int_equal(peer_events(&p, p.conn, NULL), PARLEY_SOFT_ERROR);
	assert_true(peer_tcb(&p)->flags & TCB_PAST_R1); /* for the next hop: net/departure.c */
	peer_wait(&p, SEC(98));
	expect_state(&p, ESTABLISHED);
	peer_wait(&p, SEC(30));
	expect_state(&p, CLOSED);
	assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
	assert_int_equal(error, PARLEY_ETIMEDOUT);
	peer_done(&p);
}

/*
 * The last timer before R2 stands at R2, not at the RTO. Where R2 is put off meanwhile nothing goes
 * again before its RTO (RFC 6298 5): neither text nor a SYN.
 */
static void test_r2_put_off(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(1));
	user_sends(&p, 10);
	peer_wait(&p, MS(610));
	peer_forget(&p);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(100));
	peer_wait(&p, MS(780)); /* sent at 0, 200 and 600, due at 1400 */
	expect_none(&p);
	peer_wait(&p, MS(20));
	expect(&p, "P.", 1, 1, 10);
	assert_int_equal(peer_tcb(&p)->retransmits, 3);
	peer_done(&p);

	peer_init(&p);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(4));
	peer_connect(&p);
	peer_wait(&p, MS(3100));
	peer_forget(&p);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(100));
	peer_wait(&p, MS(3800)); /* at 0, 1 and 3 s, due at 7 s */
	expect_none(&p);
	peer_wait(&p, MS(200));
	expect(&p, "S", 0, 0, 0);
	peer_done(&p);
}

/* R2 counts from our first SYN,ACK, also if the peer made us repeat it before the timer did. */
static void test_r2_of_a_repeated_syn(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(3));
	peer_open_passive(&p);
	recv(&p, "S", 0, 0, 0);
	peer_wait(&p, MS(900));
	recv(&p, "S", 0, 0, 0);
	peer_forget(&p);
	peer_wait(&p, MS(2050));
	expect(&p, "S.", 0, 1, 0);
	expect_state(&p, SYN_RECEIVED);
	peer_wait(&p, MS(50));
	expect_none(&p);
	expect_state(&p, LISTEN);
	peer_done(&p);
}

static void leap(struct peer *p, uint64_t ns)
{
	tcp_set_now(&p->tcp, p->tcp.now + ns);
	tcp_expire(&p->tcp);
	peer_step(p);
}

/*
 * SHLD-11: a host that slept has tried nothing in that time: it goes on trying for what is left of
 * R2, with text, a probe, and a SYN. Before, the first timeout after it gave up.
 */
static void test_r2_after_sleep(void **unused)
{
	struct peer p;

	(void)unused;
	for (unsigned tries = 0; tries < 3; tries++) {
		established(&p);
		peer_set(&p, PARLEY_SET_R2, PARLEY_S(100));
		user_sends(&p, 10);
		peer_wait(&p, MS(200 * ((1u << tries) - 1u) + 100)); /* as many tries, and a rest */
		peer_forget(&p);
		leap(&p, SEC(86400));
		expect(&p, "P.", 1, 1, 10);
		expect_none(&p);
		peer_wait(&p, SEC(98));
		expect_state(&p, ESTABLISHED);
		peer_wait(&p, SEC(2));
		expect_state(&p, CLOSED);
		peer_done(&p);
	}

	established(&p);
	p.wnd = 0;
	recv(&p, ".", 1, 1, 0);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(100));
	user_sends(&p, 10);
	peer_wait(&p, MS(300));
	peer_forget(&p);
	leap(&p, SEC(86400));
	assert_int_equal(next_sent(&p).why, PARLEY_WHY_PROBE);
	expect_state(&p, ESTABLISHED);
	peer_done(&p);

	peer_init(&p);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(100));
	peer_connect(&p);
	peer_forget(&p);
	leap(&p, SEC(86400));
	expect(&p, "S", 0, 0, 0);
	expect_state(&p, SYN_SENT);
	peer_done(&p);
}

/* MUST-21: R2 of 0 means for ever. */
static void test_r2_off(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	peer_set(&p, PARLEY_SET_R2, 0);
	user_sends(&p, 10);
	peer_wait(&p, SEC(30000));
	expect_state(&p, ESTABLISHED);
	peer_forget(&p);
	recv(&p, ".", 1, 11, 0);
	peer_done(&p);
}

/* MUST-23, MUST-22: a SYN is repeated for at least three minutes. */
static void test_syn_gives_up(void **unused)
{
	static const uint64_t after[] = {1, 3, 7, 15, 31, 63, 127};
	struct peer p;
	uint64_t begin;
	int error;

	(void)unused;
	peer_init(&p);
	peer_connect(&p);
	begin = expect(&p, "S", 0, 0, 0).at;
	peer_wait(&p, SEC(180));
	expect_state(&p, SYN_SENT);
	for (int i = 0; i < 7; i++)
		assert_int_equal(expect(&p, "S", 0, 0, 0).at - begin, SEC(after[i]));
	expect_none(&p);
	peer_wait(&p, SEC(70));
	expect_state(&p, CLOSED);
	expect_none(&p);
	assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
	assert_int_equal(error, PARLEY_ETIMEDOUT);
	peer_done(&p);
}

/* The most retries that can be set are not "for ever". */
static void test_most_syn_retries_end(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SYN_RETRIES, 255);
	peer_set(&p, PARLEY_SET_MAX_RTO, PARLEY_S(1));
	peer_connect(&p);
	peer_wait(&p, SEC(300));
	expect_state(&p, CLOSED);
	peer_done(&p);
}

/* A SYN,ACK of a TCB: given up, a passive OPEN listens again, an active one ends. */
static void test_syn_ack_gives_up(void **unused)
{
	struct peer p;
	int error;

	(void)unused;
	for (int how = PEER_ACTIVE; how <= PEER_PASSIVE; how++) {
		peer_init(&p);
		peer_reach(&p, (enum peer_how)how, PARLEY_SYN_RECEIVED);
		peer_wait(&p, SEC(400));
		for (int i = how == PEER_PASSIVE ? 5 : 7; i; i--)
			expect(&p, "S.", 0, 1, 0);
		expect_none(&p);
		if (how == PEER_PASSIVE) {
			expect_state(&p, LISTEN);
		} else {
			expect_state(&p, CLOSED);
			peer_events(&p, p.conn, &error);
			assert_int_equal(error, PARLEY_ETIMEDOUT);
		}
		peer_done(&p);
	}
}

/* Fills the peer's window of 1000 bytes, and more waits. */
static void closed_window(struct peer *p)
{
	peer_init_at(p, 0x7ffffff0, 0xfffffff0);
	p->wnd = 1000;
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(p, 2000);
	expect(p, ".", 1, 1, 1000);
	p->wnd = 0;
	recv(p, ".", 1, 1001, 0);
	expect_none(p);
}

/* MUST-35, MUST-36, SHLD-29, SHLD-30: probes of one byte, at growing intervals. */
static void test_zero_window_probes(void **unused)
{
	struct peer p;
	uint64_t begin, at = 200;

	(void)unused;
	closed_window(&p);
	begin = p.tcp.now;
	for (uint64_t rto = 200; rto < 10000; rto *= 2, at += rto) {
		struct sent sent;

		while (!p.sent_count)
			peer_wait(&p, MS(10));
		sent = expect(&p, ".", 1001, 1, 1);
		assert_int_equal(sent.at - begin, MS(at));
		assert_int_equal(sent.why, PARLEY_WHY_PROBE);
		recv(&p, ".", 1, 1001, 0);
		expect_none(&p);
	}
	/* It opens: the probe's byte goes at once, and all else (behind Nagle). */
	p.wnd = 5000;
	recv(&p, ".", 1, 1001, 0);
	expect(&p, ".", 1001, 1, 1);
	expect_none(&p);
	recv(&p, ".", 1, 1002, 0);
	expect(&p, "P.", 1002, 1, 999);
	recv(&p, ".", 1, 2001, 0);
	expect_none(&p);
	peer_done(&p);
}

/* How long the window was closed says nothing about the round trip. */
static void test_persist_leaves_the_rto_alone(void **unused)
{
	struct peer p;

	(void)unused;
	closed_window(&p);
	for (int i = 0; i < 20; i++) {
		peer_wait(&p, SEC(20));
		peer_forget(&p);
		recv(&p, ".", 1, 1001, 0);
	}
	p.wnd = 5000;
	recv(&p, ".", 1, 1001, 0);
	peer_forget(&p);
	peer_wait(&p, MS(250));
	assert_int_equal(next_sent(&p).why, PARLEY_WHY_RTO);
	peer_done(&p);
}

/* MUST-37: for as long as they are answered; and not longer than R2 when they are not. */
static void test_persist_lives_while_answered(void **unused)
{
	struct peer p;

	(void)unused;
	closed_window(&p);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(300));
	for (int i = 0; i < 200; i++) {
		peer_wait(&p, SEC(60));
		if (p.sent_count)
			recv(&p, ".", 1, 1001, 0);
		peer_forget(&p);
	}
	expect_state(&p, ESTABLISHED);
	peer_wait(&p, SEC(600));
	expect_state(&p, CLOSED);
	peer_done(&p);
}

/* The same where a probe is answered just before R2: the next one keeps its interval (SHLD-30). */
static void test_probe_answered_before_r2(void **unused)
{
	struct peer p;

	(void)unused;
	closed_window(&p);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(1));
	peer_wait(&p, MS(1100)); /* probes at 200 and 600; R2 would be over at 1200 */
	peer_forget(&p);
	recv(&p, ".", 1, 1001, 0);
	peer_wait(&p, MS(290));
	expect_none(&p);
	peer_wait(&p, MS(10));
	expect(&p, ".", 1001, 1, 1);
	peer_done(&p);
}

/* A probe that the peer takes: the window is still closed, so the next one probes. */
static void test_probe_is_taken(void **unused)
{
	struct peer p;

	(void)unused;
	closed_window(&p);
	for (uint32_t i = 0; i < 5; i++) {
		while (!p.sent_count)
			peer_wait(&p, MS(10));
		expect(&p, ".", 1001 + i, 1, 1);
		recv(&p, ".", 1, 1002 + i, 0);
		expect_none(&p);
	}
	peer_done(&p);
}

/* The FIN, when nothing else is left: it is the probe. */
static void test_fin_at_zero_window(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.wnd = 1000;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 1000);
	expect(&p, "P.", 1, 1, 1000);
	p.wnd = 0;
	recv(&p, ".", 1, 1001, 0);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	peer_step(&p);
	expect_none(&p);
	peer_wait(&p, MS(200));
	expect(&p, "F.", 1001, 1, 0);
	peer_wait(&p, MS(400));
	expect(&p, "F.", 1001, 1, 0);
	p.wnd = 10;
	recv(&p, ".", 1, 1001, 0);
	expect(&p, "F.", 1001, 1, 0);
	recv(&p, ".", 1, 1002, 0);
	expect_state(&p, FIN_WAIT_2);
	peer_done(&p);
}

/* From persist to retransmission and back: there is always a timer (peer.c checks that). */
static void test_persist_and_retransmission(void **unused)
{
	struct peer p;

	(void)unused;
	closed_window(&p);
	peer_wait(&p, MS(200));
	expect(&p, ".", 1001, 1, 1);
	p.wnd = 500;
	recv(&p, ".", 1, 1001, 0);
	peer_forget(&p);
	peer_wait(&p, MS(500));
	assert_true(p.sent_count > 0);
	assert_int_equal(next_sent(&p).seq, 1001);
	peer_forget(&p);
	p.wnd = 0;
	recv(&p, ".", 1, 1001, 0);
	expect_none(&p);
	for (int i = 0; i < 10; i++) {
		peer_wait(&p, SEC(120));
		assert_int_equal(next_sent(&p).seq, 1001);
		peer_forget(&p);
		recv(&p, ".", 1, 1001, 0);
	}
	p.wnd = 5000;
	recv(&p, ".", 1, 1001, 0);
	assert_int_equal(next_sent(&p).seq, 1001);
	peer_done(&p);
}

/*
 * Both windows closed, each side with a probe under way: an ACK of ours must stand where the peer
 * accepts it, or it would never hear that our window has opened.
 */
static void test_ack_while_a_probe_is_under_way(void **unused)
{
	struct peer p;

	(void)unused;
	closed_window(&p);
	peer_wait(&p, MS(200));
	expect(&p, ".", 1001, 1, 1);
	recv(&p, "P.", 1, 1001, 2000);
	peer_wait(&p, MS(40));
	expect(&p, ".", 1001, 2001, 0);
	peer_done(&p);
}

/* MUST-24, MUST-25, MUST-27, MUST-28, MUST-29, MAY-5, SHLD-12: off by default; idle, count. */
static void test_keepalive(void **unused)
{
	struct peer p;
	uint64_t begin;
	int error;

	(void)unused;
	established(&p);
	peer_wait(&p, SEC(20000));
	expect_none(&p);
	peer_set(&p, PARLEY_SET_KEEPALIVE, 1);
	begin = p.tcp.now;
	peer_wait(&p, SEC(7201));
	assert_int_equal(expect(&p, ".", 0, 1, 0).at - begin, SEC(7200));
	recv(&p, ".", 1, 1, 0);
	peer_wait(&p, SEC(7199));
	expect_none(&p);
	begin = p.tcp.now;
	peer_wait(&p, SEC(9 * 75));
	for (uint64_t i = 0; i < 9; i++)
		expect(&p, ".", 0, 1, 0);
	expect_none(&p);
	expect_state(&p, ESTABLISHED);
	peer_wait(&p, SEC(75));
	expect(&p, "R.", 1, 1, 0);
	expect_state(&p, CLOSED);
	peer_events(&p, p.conn, &error);
	assert_int_equal(error, PARLEY_ETIMEDOUT);
	peer_done(&p);
}

/* Without an owner FIN-WAIT-2 ends; with one it does not. */
static void test_fin_wait_2(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_FIN_WAIT_2);
	peer_wait(&p, SEC(10000));
	expect_state(&p, FIN_WAIT_2);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	peer_wait(&p, SEC(60) - 1);
	expect_state(&p, FIN_WAIT_2);
	peer_wait(&p, 1);
	/* edge FIN-WAIT-2 CLOSED */
	expect_state(&p, CLOSED);
	assert_int_equal(p.tcp.tcbs.used, 0);
	peer_done(&p);

	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	peer_step(&p);
	recv(&p, ".", 1, 2, 0);
	peer_wait(&p, SEC(60));
	expect_state(&p, CLOSED);
	peer_done(&p);
}

/* Our FIN is repeated in FIN-WAIT-1, CLOSING and LAST-ACK, always with the same number. */
static void test_fin_is_retransmitted(void **unused)
{
	static const enum parley_state states[] = {PARLEY_FIN_WAIT_1, PARLEY_CLOSING,
						   PARLEY_LAST_ACK};
	struct peer p;

	(void)unused;
	for (int i = 0; i < 3; i++) {
		uint32_t nxt = i ? 2 : 1;

		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, states[i]);
		peer_wait(&p, MS(200 + 400));
		expect(&p, "F.", 1, nxt, 0);
		expect(&p, "F.", 1, nxt, 0);
		expect_none(&p);
		peer_wait(&p, SEC(1100));
		expect_state(&p, CLOSED);
		peer_done(&p);
	}
}

/* A window that opens while the user is gone: data, then FIN, then the end; nothing stays. */
static void test_released_behind_a_closed_window(void **unused)
{
	struct peer p;

	(void)unused;
	closed_window(&p);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	peer_wait(&p, SEC(100));
	peer_forget(&p);
	p.wnd = 5000;
	recv(&p, ".", 1, 1001, 0);
	expect(&p, ".", 1001, 1, 1);
	expect(&p, "FP.", 1002, 1, 999);
	recv(&p, "F.", 1, 2002, 0);
	expect_state(&p, TIME_WAIT);
	peer_wait(&p, SEC(61));
	assert_int_equal(p.tcp.slots.used, 0);
	peer_done(&p);
}

/* As Linux probes: no text, and a number that the peer has acknowledged. */
static void test_empty_probes(void **unused)
{
	struct peer p;

	(void)unused;
	closed_window(&p);
	peer_set(&p, PARLEY_SET_EMPTY_PROBES, 1);
	for (int i = 0; i < 3; i++) {
		while (!p.sent_count)
			peer_wait(&p, MS(10));
		assert_int_equal(expect(&p, ".", 1000, 1, 0).why, PARLEY_WHY_PROBE);
		recv(&p, ".", 1, 1001, 0);
		expect_none(&p);
	}
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_WINDOW_PROBES], 3);
	p.wnd = 5000;
	recv(&p, ".", 1, 1001, 0);
	expect(&p, "P.", 1001, 1, 1000);
	peer_done(&p);
}

/* A window that is taken back over text under way, and given again: that text is not repeated. */
static void test_window_that_opens_on_text_under_way(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 2000);
	expect(&p, ".", 1, 1, 1000);
	expect(&p, "P.", 1001, 1, 1000);
	p.wnd = 0;
	recv(&p, ".", 1, 1, 0);
	p.wnd = 5000;
	recv(&p, ".", 1, 1, 0);
	expect_none(&p);
	peer_done(&p);
}

/*
 * The window was shut on what is under way, and opens after long probing: what the peer has thrown
 * away meanwhile is not waited for by a timer that has backed off for minutes.
 */
static void test_window_shut_on_text_under_way(void **unused)
{
	(void)unused;
	for (uint32_t taken = 0; taken < 2; taken++) {
		struct peer p;

		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		user_sends(&p, 5000);
		peer_forget(&p);
		p.wnd = 0;
		recv(&p, ".", 1, 1, 0);
		for (int i = 0; i < 9; i++) {
			while (!p.sent_count)
				peer_wait(&p, MS(100));
			assert_int_equal(expect(&p, ".", 1, 1, 1).why, PARLEY_WHY_PROBE);
			expect_none(&p);
			recv(&p, ".", 1, 1, 0);
			expect_none(&p);
		}
		p.wnd = 50000;
		recv(&p, ".", 1, 1 + taken, 0);
		for (uint32_t una = 1 + taken; una < 5001;) {
			struct sent sent = next_sent(&p);

			assert_int_equal(sent.seq, una);
			una += sent.len;
			recv(&p, ".", 1, una, 0);
		}
		peer_done(&p);
	}
}

/* A device that takes nothing: the SYN's timer goes on, and the attempt ends in its time. */
static void test_syn_that_no_device_takes(void **unused)
{
	struct peer p;
	int error, fired = 0;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SYN_RETRIES, 2);
	peer_connect(&p);
	for (uint64_t rto = 1; rto <= 4; rto *= 2) {
		assert_int_equal(tcp_deadline(&p.tcp), p.tcp.now + SEC(rto));
		tcp_set_now(&p.tcp, p.tcp.now + SEC(rto));
		fired += tcp_expire(&p.tcp);
	}
	assert_int_equal(fired, 3);
	expect_state(&p, CLOSED);
	peer_events(&p, p.conn, &error);
	assert_int_equal(error, PARLEY_ETIMEDOUT);
	peer_forget(&p);
	peer_done(&p);
}

/* A window that opens by less than is worth sending: not a probe, but what fits, when it is due. */
static void test_persist_becomes_override(void **unused)
{
	struct peer p;
	struct sent sent;
	uint64_t begin;

	(void)unused;
	closed_window(&p);
	peer_wait(&p, MS(100));
	begin = p.tcp.now;
	p.wnd = 300;
	recv(&p, ".", 1, 1001, 0);
	expect_none(&p);
	peer_wait(&p, MS(300));
	sent = expect(&p, ".", 1001, 1, 300);
	assert_int_equal(sent.at - begin, MS(200));
	assert_int_equal(sent.why, PARLEY_WHY_NEW);
	peer_forget(&p);
	peer_done(&p);
}

/* RFC 6298 5.3: each ACK of something new starts the timer anew; 5.2: the last one stops it. */
static void test_each_ack_restarts_the_timer(void **unused)
{
	struct peer p;
	struct sent sent;
	uint64_t acked;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 3000);
	peer_forget(&p);
	peer_wait(&p, MS(1));
	recv(&p, ".", 1, 1001, 0);
	peer_wait(&p, MS(150));
	acked = p.tcp.now;
	recv(&p, ".", 1, 2001, 0);
	peer_wait(&p, MS(500));
	sent = next_sent(&p);
	assert_int_equal(sent.seq, 2001);
	assert_int_equal(sent.why, PARLEY_WHY_RTO);
	assert_true(sent.at >= acked + MS(200) && sent.at < acked + MS(300));
	peer_forget(&p);
	recv(&p, ".", 1, 3001, 0);
	peer_wait(&p, SEC(100));
	expect_none(&p);
	peer_done(&p);
}

/* SHLD-9: what was probed in vain does not count against the text that goes when it opens. */
static void test_probes_are_forgotten_when_the_window_opens(void **unused)
{
	struct parley_status status = {.size = sizeof status};
	struct peer p;

	(void)unused;
	closed_window(&p);
	for (int i = 0; i < 2; i++) {
		while (!p.sent_count)
			peer_wait(&p, MS(10));
		peer_forget(&p);
		recv(&p, ".", 1, 1001, 0);
	}
	assert_int_equal(status_get(&p.tcp, p.conn, &status), 0);
	assert_int_equal(status.retransmits, 2);
	p.wnd = 5000;
	recv(&p, ".", 1, 1001, 0);
	assert_int_equal(status_get(&p.tcp, p.conn, &status), 0);
	assert_int_equal(status.retransmits, 0);
	peer_events(&p, p.conn, NULL);
	for (unsigned i = 1; i < 4; i++) {
		peer_forget(&p);
		while (!p.sent_count)
			peer_wait(&p, MS(10));
		assert_int_equal(status_get(&p.tcp, p.conn, &status), 0);
		assert_int_equal(status.retransmits, i);
		assert_int_equal(peer_events(&p, p.conn, NULL), i == 3 ? PARLEY_SOFT_ERROR : 0);
	}
	peer_forget(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retransmission_backs_off),
		cmocka_unit_test(test_r1_and_r2),
		cmocka_unit_test(test_r2_put_off),
		cmocka_unit_test(test_r2_of_a_repeated_syn),
		cmocka_unit_test(test_r2_after_sleep),
		cmocka_unit_test(test_r2_off),
		cmocka_unit_test(test_probe_answered_before_r2),
		cmocka_unit_test(test_syn_gives_up),
		cmocka_unit_test(test_most_syn_retries_end),
		cmocka_unit_test(test_syn_ack_gives_up),
		cmocka_unit_test(test_zero_window_probes),
		cmocka_unit_test(test_persist_leaves_the_rto_alone),
		cmocka_unit_test(test_persist_lives_while_answered),
		cmocka_unit_test(test_probe_is_taken),
		cmocka_unit_test(test_fin_at_zero_window),
		cmocka_unit_test(test_persist_and_retransmission),
		cmocka_unit_test(test_ack_while_a_probe_is_under_way),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_fin_wait_2),
		cmocka_unit_test(test_fin_is_retransmitted),
		cmocka_unit_test(test_released_behind_a_closed_window),
		cmocka_unit_test(test_empty_probes),
		cmocka_unit_test(test_window_that_opens_on_text_under_way),
		cmocka_unit_test(test_window_shut_on_text_under_way),
		cmocka_unit_test(test_syn_that_no_device_takes),
		cmocka_unit_test(test_persist_becomes_override),
		cmocka_unit_test(test_each_ack_restarts_the_timer),
		cmocka_unit_test(test_probes_are_forgotten_when_the_window_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
