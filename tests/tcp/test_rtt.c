/* SPDX-License-Identifier: MIT */
/* The retransmission timeout (RFC 6298): the arithmetic by hand, which segments give samples. */
#include "peer.h"

#include "tcp/rtt.h"

static void expect_estimate(const struct tcb *tcb, uint64_t srtt, uint64_t rttvar, uint64_t rto)
{
	assert_int_equal(tcb->srtt, srtt);
	assert_int_equal(tcb->rttvar, rttvar);
	assert_int_equal(tcb->rto, rto);
}

static void established_after(struct peer *p, uint64_t rtt)
{
	peer_init(p);
	peer_connect(p);
	peer_wait(p, rtt);
	recv(p, "S.", 0, 1, 0);
	peer_forget(p);
}

/* MUST-18, RFC 6298 2.2, 2.3. */
static void test_arithmetic(void **unused)
{
	struct peer p;
	struct tcb *tcb;

	(void)unused;
	established_after(&p, MS(400));
	tcb = peer_tcb(&p);
	expect_estimate(tcb, MS(400), MS(200), MS(1200));
	rtt_sample(&p.tcp, tcb, MS(800));
	/* 3/4 * 200 + 1/4 * 400 = 250; 7/8 * 400 + 1/8 * 800 = 450; 450 + 4 * 250 */
	expect_estimate(tcb, MS(450), MS(250), MS(1450));
	rtt_sample(&p.tcp, tcb, MS(50));
	/* 3/4 * 250 + 1/4 * 400 = 287.5; 7/8 * 450 + 1/8 * 50 = 400 */
	expect_estimate(tcb, MS(400), 287500000, MS(1550));
	assert_int_equal(tcb->min_rtt, MS(50));
	peer_done(&p);
}

/* 2.4, 2.5: the bounds are settings. */
static void test_bounds(void **unused)
{
	struct peer p;
	struct tcb *tcb;

	(void)unused;
	established_after(&p, MS(1));
	tcb = peer_tcb(&p);
	assert_int_equal(tcb->rto, MS(200));
	peer_set(&p, PARLEY_SET_MIN_RTO, PARLEY_S(1));
	tcb = peer_tcb(&p);
	rtt_sample(&p.tcp, tcb, MS(1));
	assert_int_equal(tcb->rto, SEC(1));
	rtt_sample(&p.tcp, tcb, SEC(1000));
	assert_int_equal(tcb->rto, SEC(120));
	peer_done(&p);
}

/* However short the round trips: there is an estimate, and the clock's granularity in the RTO. */
static void test_no_round_trip(void **unused)
{
	struct peer p;
	struct tcb *tcb;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_MIN_RTO, PARLEY_MS(1));
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	tcb = peer_tcb(&p);
	for (int i = 0; i < 100; i++)
		rtt_sample(&p.tcp, tcb, 0);
	assert_int_equal(tcb->srtt, 1);
	assert_in_range(tcb->rto, MS(1), MS(1) + 10);
	peer_done(&p);
}

/* MUST-19, 5.5: doubled, up to the bound. */
static void test_backoff(void **unused)
{
	struct peer p;
	struct tcb *tcb;

	(void)unused;
	established_after(&p, MS(100));
	tcb = peer_tcb(&p);
	for (uint64_t rto = MS(300); rto < SEC(120); rto *= 2) {
		assert_int_equal(tcb->rto, rto);
		rtt_backoff(tcb);
	}
	assert_int_equal(tcb->rto, SEC(120));
	rtt_backoff(tcb);
	assert_int_equal(tcb->rto, SEC(120));
	assert_int_equal(rtt_backed_off(tcb, 255), SEC(120));
	peer_done(&p);
}

/* Karn's algorithm (MUST-18): neither a retransmission nor what an ACK of one covers besides. */
static void test_ambiguous(void **unused)
{
	struct peer p;
	uint64_t srtt;

	(void)unused;
	established_after(&p, MS(100));
	srtt = peer_tcb(&p)->srtt;
	user_sends(&p, 3000);
	peer_wait(&p, MS(300));
	peer_wait(&p, MS(50));
	recv(&p, ".", 1, 3001, 0);
	assert_int_equal(peer_tcb(&p)->srtt, srtt);
	user_sends(&p, 1000);
	peer_wait(&p, MS(180));
	recv(&p, ".", 1, 4001, 0);
	assert_int_equal(peer_tcb(&p)->srtt, MS(110));
	peer_done(&p);
}

/* When both open at once the SYN goes twice: what is acknowledged may be either. */
static void test_simultaneous_open_is_ambiguous(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_connect(&p);
	peer_wait(&p, MS(50));
	recv(&p, "S", 0, 0, 0);
	peer_wait(&p, MS(50));
	recv(&p, "S.", 0, 1, 0);
	expect_state(&p, ESTABLISHED);
	assert_int_equal(peer_tcb(&p)->srtt, 0);
	assert_int_equal(peer_tcb(&p)->rto, SEC(1));
	peer_done(&p);
}

/* An ACK of several segments: the newest of them says how long the way is. */
static void test_newest_segment(void **unused)
{
	struct peer p;

	(void)unused;
	established_after(&p, MS(100));
	peer_set(&p, PARLEY_SET_NODELAY, 1);
	user_sends(&p, 10);
	peer_wait(&p, MS(80));
	user_sends(&p, 10);
	peer_wait(&p, MS(20));
	recv(&p, ".", 1, 21, 0);
	assert_int_equal(peer_tcb(&p)->min_rtt, MS(20));
	peer_done(&p);
}

/* 5.7: a lost SYN, and data begins with 3 s. */
static void test_after_a_lost_syn(void **unused)
{
	struct peer p;

	(void)unused;
	established_after(&p, SEC(4));
	assert_int_equal(peer_tcb(&p)->srtt, 0);
	assert_int_equal(peer_tcb(&p)->rto, SEC(3));
	user_sends(&p, 10);
	expect(&p, "P.", 1, 1, 10);
	peer_wait(&p, SEC(3) - 1);
	expect_none(&p);
	peer_wait(&p, 1);
	expect(&p, "P.", 1, 1, 10);
	peer_done(&p);
}

/* MUST-19: what a SYN waits, and how long it has waited when it was sent again so many times. */
static void test_waits_of_a_syn(void **unused)
{
	static const uint64_t waits[] = {1, 2, 4, 8, 16, 32, 64, 120, 120};
	uint64_t sum = 0;
	struct peer p;

	(void)unused;
	peer_init(&p);
	for (unsigned i = 0; i < sizeof waits / sizeof *waits; i++) {
		assert_int_equal(rtt_syn_waits(p.tcp.settings, i), SEC(waits[i]));
		assert_int_equal(rtt_syn_waited(p.tcp.settings, i), SEC(sum));
		sum += waits[i];
	}
	peer_done(&p);
}

/* "min-rto-spread": the RTO stays so far above SRTT, and never nearer than the clock's G (2.3). */
static void test_least_spread(void **unused)
{
	static const uint64_t spreads[][2] = {
		{0, MS(1)},	{1000, MS(1)},		{MS(1) - 1, MS(1)},
		{MS(1), MS(1)}, {MS(1) + 1, MS(1) + 1}, {MS(200), MS(200)}};

	(void)unused;
	for (size_t i = 0; i < sizeof spreads / sizeof *spreads; i++) {
		struct peer p;
		struct tcb *tcb;

		established_after(&p, MS(100));
		peer_set(&p, PARLEY_SET_MIN_RTO, PARLEY_MS(1));
		peer_set(&p, PARLEY_SET_MIN_RTO_SPREAD, (int64_t)spreads[i][0]);
		tcb = peer_tcb(&p);
		/* What varies more than that counts as it is. */
		rtt_sample(&p.tcp, tcb, SEC(5));
		assert_int_equal(tcb->rto, tcb->srtt + 4 * tcb->rttvar);
		for (int k = 0; k < 400; k++)
			rtt_sample(&p.tcp, tcb, MS(100));
		assert_in_range(tcb->srtt, MS(100), MS(100) + 10);
		assert_int_equal(tcb->rto, tcb->srtt + spreads[i][1]);
		peer_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_no_round_trip),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_simultaneous_open_is_ambiguous),
		cmocka_unit_test(test_newest_segment),
		cmocka_unit_test(test_after_a_lost_syn),
		cmocka_unit_test(test_waits_of_a_syn),
		cmocka_unit_test(test_least_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
