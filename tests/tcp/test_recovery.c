/* SPDX-License-Identifier: MIT */
/*
 * Congestion control and loss recovery without SACK (RFC 5681, 6582, 3042, 3465). Segments are of
 * 1000 bytes, so cwnd reads in segments.
 */
#include "peer.h"

/* A connection whose user has sent `n` segments, of which cwnd lets ten go. */
static void sending(struct peer *p, uint32_t n)
{
	peer_init_at(p, 0xfffffffe, 5);
	peer_set(p, PARLEY_SET_SEND_BUFFER, 1 << 20);
	p->wscale = 4;
	p->wnd = 65535;
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	p->wnd = 500000;
	recv(p, ".", 1, 1, 0);
	user_sends(p, 1000 * n);
}

/* Takes what was sent: so many segments, the first at `seq`. */
static void expect_segments(struct peer *p, uint32_t seq, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct sent sent = next_sent(p);

		assert_int_equal(sent.seq, seq + 1000 * i);
		assert_int_equal(sent.len, 1000);
	}
	expect_none(p);
}

/* The lost segment at `seq`, and then so many new ones from `from` on. */
static void expect_segments_of_recovery(struct peer *p, uint32_t seq, uint32_t from, uint32_t n)
{
	expect(p, ".", seq, 1, 1000);
	expect_segments(p, from, n);
}

static uint32_t cwnd(struct peer *p)
{
	return peer_tcb(p)->cwnd;
}

/*
 * MUST-19: slow start: a segment more for each that is acknowledged, eight at most for one ACK.
 */
static void test_slow_start(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 100);
	expect_segments(&p, 1, 10);
	assert_int_equal(cwnd(&p), 10000);
	recv(&p, ".", 1, 1001, 0);
	assert_int_equal(cwnd(&p), 11000);
	expect_segments(&p, 10001, 2);
	recv(&p, ".", 1, 10001, 0);
	assert_int_equal(cwnd(&p), 19000);
	expect_segments(&p, 12001, 17);
	recv(&p, ".", 1, 10501, 0);
	assert_int_equal(cwnd(&p), 19500);
	peer_done(&p);
}

/* The same by RFC 3465's number: two at most. */
static void test_slow_start_by_two(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 100);
	peer_set(&p, PARLEY_SET_SLOW_START_LIMIT, 2);
	expect_segments(&p, 1, 10);
	assert_int_equal(cwnd(&p), 10000);
	recv(&p, ".", 1, 1001, 0);
	assert_int_equal(cwnd(&p), 11000);
	expect_segments(&p, 10001, 2);
	recv(&p, ".", 1, 6001, 0);
	assert_int_equal(cwnd(&p), 13000);
	expect_segments(&p, 12001, 7);
	recv(&p, ".", 1, 6501, 0);
	assert_int_equal(cwnd(&p), 13500);
	peer_done(&p);
}

/* What counts is the most that was under way in the round trip: eight of ten, in several ACKs. */
static void test_slow_start_by_height(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 8);
	expect_segments(&p, 1, 8);
	for (uint32_t acked = 2001; acked <= 8001; acked += 2000)
		recv(&p, ".", 1, acked, 0);
	/* To twice of it: then no more than half is used. */
	assert_int_equal(cwnd(&p), 16000);
	user_sends(&p, 3000);
	expect_segments(&p, 8001, 3);
	recv(&p, ".", 1, 10001, 0);
	recv(&p, ".", 1, 11001, 0);
	assert_int_equal(cwnd(&p), 16000);
	peer_done(&p);
}

/* Just half of the window is not enough. */
static void test_half_used(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 5);
	expect_segments(&p, 1, 5);
	recv(&p, ".", 1, 5001, 0);
	assert_int_equal(cwnd(&p), 10000);
	peer_done(&p);
}

/* A window that is not used does not grow. */
static void test_no_growth_when_not_limited(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 3);
	expect_segments(&p, 1, 3);
	for (uint32_t i = 0; i < 20; i++) {
		recv(&p, ".", 1, 1001 + 1000 * i, 0);
		user_sends(&p, 1000);
	}
	assert_int_equal(cwnd(&p), 10000);
	peer_done(&p);
}

/* Three duplicates: the first segment at once, half the window, and new text as they go on. */
static void test_fast_retransmit(void **unused)
{
	struct peer p;
	struct sent sent;

	(void)unused;
	sending(&p, 100);
	expect_segments(&p, 1, 10);
	recv(&p, ".", 1, 1, 0);
	expect_segments(&p, 10001, 1); /* limited transmit (RFC 3042) */
	recv(&p, ".", 1, 1, 0);
	expect_segments(&p, 11001, 1);
	recv(&p, ".", 1, 1, 0);
	sent = next_sent(&p);
	assert_int_equal(sent.seq, 1);
	assert_int_equal(sent.why, PARLEY_WHY_FAST);
	expect_none(&p);
	/* FlightSize without what limited transmit sent, halved. */
	assert_int_equal(peer_tcb(&p)->ssthresh, 5000);
	assert_int_equal(cwnd(&p), 5000);
	/* cwnd of RFC 5681 would be 5 + 3 and 12 are out: four more before anything may go. */
	for (int i = 0; i < 4; i++)
		recv(&p, ".", 1, 1, 0);
	expect_none(&p);
	recv(&p, ".", 1, 1, 0);
	expect_segments(&p, 12001, 1);
	peer_done(&p);
}

static void test_without_limited_transmit(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_LIMITED_TRANSMIT, 0);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 50000);
	expect_segments(&p, 1, 10);
	recv(&p, ".", 1, 1, 0);
	recv(&p, ".", 1, 1, 0);
	expect_none(&p);
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(next_sent(&p).seq, 1);
	expect_none(&p);
	peer_done(&p);
}

/* RFC 5681 2: what is no duplicate. */
static void test_not_a_duplicate(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 100);
	expect_segments(&p, 1, 10);
	for (uint32_t i = 0; i < 5; i++)
		recv(&p, "P.", 1 + i, 1, 1); /* it has text */
	for (uint32_t i = 0; i < 5; i++) {
		p.wnd += 1600; /* it changes the window */
		recv(&p, ".", 6, 1, 0);
	}
	peer_forget(&p);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_DUP_ACKS], 0);
	assert_int_equal(cwnd(&p), 10000);
	/* Nothing is under way. */
	recv(&p, ".", 6, 10001, 0);
	peer_done(&p);
}

/* Segments 1, 3 and 5 of ten are lost: a partial ACK retransmits the next hole at once. */
static void test_partial_and_full_ack(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 10);
	expect_segments(&p, 1, 10);
	for (int i = 0; i < 7; i++)
		recv(&p, ".", 1, 1, 0);
	expect_segments(&p, 1, 1);
	recv(&p, ".", 1, 2001, 0);
	assert_int_equal(p.sent[p.sent_first].why, PARLEY_WHY_PARTIAL);
	expect_segments(&p, 2001, 1);
	recv(&p, ".", 1, 4001, 0);
	expect_segments(&p, 4001, 1);
	assert_true(peer_tcb(&p)->flags & TCB_RECOVERY);
	recv(&p, ".", 1, 10001, 0);
	expect_none(&p);
	/* Full: min(ssthresh, max(FlightSize, SMSS) + SMSS). */
	assert_false(peer_tcb(&p)->flags & TCB_RECOVERY);
	assert_int_equal(peer_tcb(&p)->ssthresh, 5000);
	assert_int_equal(cwnd(&p), 2000);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_RENO_RECOVERY], 1);
	peer_done(&p);
}

/* MUST-19: avoidance: a segment for each window acknowledged; slow start ends where it begins. */
static void test_congestion_avoidance(void **unused)
{
	struct peer p;
	uint32_t ack = 8001;

	(void)unused;
	sending(&p, 900);
	peer_tcb(&p)->ssthresh = 12000;
	recv(&p, ".", 1, ack, 0);
	assert_int_equal(cwnd(&p), 12000);
	peer_tcb(&p)->prior_cwnd_acked = 0;
	peer_tcb(&p)->cwnd = peer_tcb(&p)->ssthresh = 10000;
	peer_forget(&p);
	for (uint32_t window = 10; window < 20; window++)
		for (uint32_t i = 0; i < window; i++) {
			assert_int_equal(cwnd(&p), window * 1000);
			recv(&p, ".", 1, ack += 1000, 0);
			peer_forget(&p);
		}
	assert_int_equal(cwnd(&p), 20000);
	peer_done(&p);
}

/* A timeout: one segment, then slow start over what is believed lost, up to half the window. */
static void test_timeout(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 12);
	expect_segments(&p, 1, 10);
	peer_wait(&p, MS(200));
	assert_int_equal(p.sent[p.sent_first].why, PARLEY_WHY_RTO);
	expect_segments(&p, 1, 1);
	assert_int_equal(cwnd(&p), 1000);
	assert_int_equal(peer_tcb(&p)->ssthresh, 5000);
	recv(&p, ".", 1, 1001, 0);
	expect_segments(&p, 1001, 2);
	recv(&p, ".", 1, 3001, 0);
	assert_int_equal(cwnd(&p), 3000); /* RFC 3465: L is one segment now */
	expect_segments(&p, 3001, 3);
	/* Duplicates of what was sent before it do not start a recovery (RFC 6582 3.2). */
	for (int i = 0; i < 5; i++)
		recv(&p, ".", 1, 3001, 0);
	expect_none(&p);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_FAST_RETRANS], 0);
	recv(&p, ".", 1, 10001, 0);
	expect_segments(&p, 10001, 2);
	peer_done(&p);
}

/* The same segment again: ssthresh is not cut twice (RFC 5681 3.1). */
static void test_timeout_again(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 100);
	peer_forget(&p);
	peer_wait(&p, MS(200 + 400 + 800));
	for (int i = 0; i < 3; i++)
		expect(&p, ".", 1, 1, 1000);
	expect_none(&p);
	assert_int_equal(peer_tcb(&p)->ssthresh, 5000);
	assert_int_equal(cwnd(&p), 1000);
	peer_done(&p);
}

/* In recovery, a timeout ends it. */
static void test_timeout_in_recovery(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 10);
	peer_forget(&p);
	for (int i = 0; i < 3; i++)
		recv(&p, ".", 1, 1, 0);
	expect_segments(&p, 1, 1);
	peer_wait(&p, MS(200));
	expect_segments(&p, 1, 1);
	assert_false(peer_tcb(&p)->flags & TCB_RECOVERY);
	assert_int_equal(cwnd(&p), 1000);
	recv(&p, ".", 1, 10001, 0);
	expect_none(&p);
	peer_done(&p);
}

/*
 * The first partial ACK restarts the timer (RFC 6582 4, impatient), with "steady-recovery" the fast
 * retransmission and each partial ACK.
 */
static void test_restarts_of_the_timer(void **unused)
{
	(void)unused;
	for (int steady = 0; steady <= 1; steady++) {
		struct peer p;

		sending(&p, 10);
		peer_set(&p, PARLEY_SET_STEADY_RECOVERY, steady);
		peer_forget(&p);
		peer_wait(&p, MS(100));
		for (int i = 0; i < 9; i++)
			recv(&p, ".", 1, 1, 0);
		peer_wait(&p, steady ? MS(150) : 0);
		recv(&p, ".", 1, 2001, 0);
		peer_wait(&p, MS(150));
		recv(&p, ".", 1, 4001, 0);
		peer_forget(&p);
		peer_wait(&p, steady ? MS(199) : MS(49));
		expect_none(&p);
		peer_wait(&p, MS(1));
		assert_int_equal(next_sent(&p).why, PARLEY_WHY_RTO);
		peer_done(&p);
	}
}

/* A window that closes and opens while duplicates are counted: the counts stay true. */
static void test_window_closes_after_duplicates(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 2);
	peer_forget(&p);
	recv(&p, ".", 1, 1, 0);
	recv(&p, ".", 1, 1, 0);
	p.wnd = 0;
	recv(&p, ".", 1, 1, 0);
	peer_wait(&p, MS(200)); /* what is under way probes */
	peer_forget(&p);
	p.wnd = 50000;
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(next_sent(&p).seq, 1);
	for (int i = 0; i < 4; i++)
		recv(&p, ".", 1, 1, 0);
	recv(&p, ".", 1, 2001, 0);
	peer_done(&p);
}

/* ACKs of bytes never sent, and ever smaller ones, gain nothing (ACK division). */
static void test_ack_division(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 100);
	peer_forget(&p);
	for (uint32_t i = 1; i <= 1000; i++)
		recv(&p, ".", 1, 1 + i, 0);
	assert_int_equal(cwnd(&p), 11000);
	peer_done(&p);
}

/* An ACK arrives, and nothing is pulled yet: more of the batch may follow. */
static void arrives_ack(struct peer *p, uint32_t ack)
{
	struct arrival arrival = {.tuple = p->tuple, .ifindex = 1, .at = p->tcp.now};
	struct segment seg = {
		.src_port = p->tuple.remote_port,
		.dst_port = p->tuple.local_port,
		.seq = seq_add(p->irs, 1),
		.ack = seq_add(p->iss, ack),
		.flags = TCP_ACK,
		.wnd = (uint16_t)(p->wnd >> p->snd_shift),
		.header_len = TCP_HEADER_LEN,
	};

	tcp_arrives(&p->tcp, &arrival, &seg);
}

/* The third duplicate ACK asks for a retransmission; an ACK in the same batch makes it needless. */
static void test_retransmission_overtaken_by_ack(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 10);
	expect_segments(&p, 1, 10);
	for (int i = 0; i < 3; i++)
		arrives_ack(&p, 1);
	assert_true(peer_tcb(&p)->owed & OWE_REXMIT);
	arrives_ack(&p, 10001);
	peer_step(&p);
	expect_none(&p);
	/* Nor may it be kept, to force the first loss of another day past cwnd and the window. */
	assert_false(peer_tcb(&p)->owed & OWE_REXMIT);
	peer_done(&p);
}

/*
 * RFC 6582 3.2 step 3: a partial ACK takes what it acknowledges out of the inflated window and
 * puts one segment back.
 */
static void test_partial_ack_deflates(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 40);
	expect_segments(&p, 1, 10);
	for (int i = 0; i < 9; i++)
		recv(&p, ".", 1, 1, 0);
	expect(&p, ".", 10001, 1, 1000); /* limited transmit */
	expect(&p, ".", 11001, 1, 1000);
	expect_segments_of_recovery(&p, 1, 12001, 2);
	/* 14 under way, 9 of them arrived. Three acknowledged: 11 and 7, and the fourth again. */
	recv(&p, ".", 1, 3001, 0);
	expect_segments_of_recovery(&p, 3001, 14001, 1);
	/* Less than a segment puts nothing back. */
	recv(&p, ".", 1, 3501, 0);
	expect(&p, ".", 3501, 1, 500);
	expect_none(&p);
	peer_done(&p);
}

/*
 * Once more than all that was sent before a timeout is acknowledged, duplicates tell of a new loss,
 * and slow start goes by its own limit again. Not a byte before that (RFC 6582 3.2 step 2, 4):
 * duplicates of just the end of it come from what was sent again without need.
 */
static void test_after_a_timeout(void **unused)
{
	(void)unused;
	for (uint32_t missing = 0; missing < 3; missing++) {
		struct peer p;

		sending(&p, 100);
		peer_forget(&p);
		peer_wait(&p, MS(200));
		peer_forget(&p);
		recv(&p, ".", 1, 10001 - missing / 2, 0);
		peer_forget(&p);
		assert_int_equal(cwnd(&p), 2000);
		if (!missing)
			recv(&p, ".", 1, 10002, 0);
		peer_forget(&p);
		for (int i = 0; i < 9; i++)
			recv(&p, ".", 1, missing ? 10001 - missing / 2 : 10002, 0);
		assert_int_equal(p.tcp.counters[PARLEY_COUNTER_FAST_RETRANS], !missing);
		peer_forget(&p);
		peer_done(&p);
	}
}

/*
 * RFC 6582 3.2 step 2: behind a recovery, too: duplicates that cover no more than what it recovered
 * halve nothing once more; limited transmit (RFC 3042) goes on. What lies beyond is a new loss.
 */
static void test_duplicates_of_what_was_recovered(void **unused)
{
	(void)unused;
	for (uint32_t more = 0; more < 2; more++) {
		struct peer p;
		uint32_t ack = 10001 + 1000 * more;

		sending(&p, 100);
		expect_segments(&p, 1, 10);
		peer_set(&p, PARLEY_SET_LIMITED_TRANSMIT, 0);
		for (int i = 0; i < 3; i++)
			recv(&p, ".", 1, 1, 0);
		peer_set(&p, PARLEY_SET_LIMITED_TRANSMIT, 1);
		expect_segments(&p, 1, 1);
		recv(&p, ".", 1, 10001, 0);
		expect_segments(&p, 10001, 2);
		recv(&p, ".", 1, ack, 0);
		peer_forget(&p);
		recv(&p, ".", 1, ack, 0);
		recv(&p, ".", 1, ack, 0);
		assert_int_equal(p.sent_count, more + 1);
		for (int i = 0; i < 3; i++)
			recv(&p, ".", 1, ack, 0);
		assert_int_equal(p.tcp.counters[PARLEY_COUNTER_FAST_RETRANS], 1 + more);
		peer_forget(&p);
		peer_done(&p);
	}
}

/* RFC 7661 4.1: half of cwnd under way is use in slow start, all but a segment in avoidance. */
static void test_growth_by_use(void **unused)
{
	static const struct {
		uint32_t segments, ssthresh, cwnd;
	} cases[] = {
		{5, UINT32_MAX, 10000}, {6, UINT32_MAX, 11000}, {9, UINT32_MAX, 11000},
		{9, 10000, 10000},	{10, 10000, 11000},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;

		sending(&p, cases[i].segments);
		expect_segments(&p, 1, cases[i].segments);
		peer_tcb(&p)->ssthresh = cases[i].ssthresh;
		peer_tcb(&p)->prior_cwnd_acked = 9000;
		recv(&p, ".", 1, 1001, 0);
		assert_int_equal(cwnd(&p), cases[i].cwnd);
		peer_forget(&p);
		peer_done(&p);
	}
}

/* After a timeout avoidance begins to count from nothing: not a byte early. */
static void test_avoidance_after_a_timeout(void **unused)
{
	(void)unused;
	for (uint32_t missing = 0; missing < 2; missing++) {
		struct peer p;

		sending(&p, 100);
		peer_forget(&p);
		peer_tcb(&p)->prior_cwnd_acked = 5000;
		peer_wait(&p, MS(200));
		assert_int_equal(peer_tcb(&p)->prior_cwnd_acked, 0);
		peer_forget(&p);
		recv(&p, ".", 1, 10001, 0);
		peer_forget(&p);
		peer_tcb(&p)->ssthresh = 2000;
		assert_int_equal(cwnd(&p), 2000);
		recv(&p, ".", 1, 12001 - missing, 0);
		assert_int_equal(cwnd(&p), missing ? 2000 : 3000);
		peer_forget(&p);
		peer_done(&p);
	}
}

/* A partial ACK, and no memory to cut the next segment out of its record: the counts stay true. */
static void test_partial_ack_without_memory(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.egress.offload_segment = true;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 4000);
	expect(&p, "P.", 1, 1, 4000);
	for (int i = 0; i < 6; i++)
		recv(&p, ".", 1, 1, 0);
	expect(&p, ".", 1, 1, 1000);
	assert_int_equal(peer_tcb(&p)->sacked_bytes, 4000);
	memory_fail_at(&p.memory, 1);
	recv(&p, ".", 1, 1001, 0);
	assert_int_equal(p.memory.failures, 1);
	assert_int_equal(peer_tcb(&p)->sacked_bytes, 3000);
	memory_fail_at(&p.memory, 0);
	/* The timer sees to it. */
	peer_forget(&p);
	peer_wait(&p, SEC(1));
	expect(&p, ".", 1001, 1, 1000);
	peer_forget(&p);
	peer_done(&p);
}

/* The third duplicate, of two segments in one record that cannot be cut: the same. */
static void test_recovery_without_memory(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.egress.offload_segment = true;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 2000);
	expect(&p, "P.", 1, 1, 2000);
	recv(&p, ".", 1, 1, 0);
	recv(&p, ".", 1, 1, 0);
	memory_fail_at(&p.memory, 1);
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(p.memory.failures, 1);
	assert_int_equal(peer_tcb(&p)->sacked_bytes, 2000);
	expect_none(&p);
	peer_wait(&p, MS(200));
	expect(&p, ".", 1, 1, 1000);
	peer_done(&p);
}

/*
 * What was acknowledged towards the next segment of a large window is nothing towards that of the
 * small one that a recovery leaves: it would grow with each ACK (RFC 5681 3.1: one a round trip).
 */
static void test_avoidance_after_a_recovery(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 5);
	expect_segments(&p, 1, 5);
	peer_tcb(&p)->cwnd = 40000;
	peer_tcb(&p)->ssthresh = 20000;
	peer_tcb(&p)->prior_cwnd_acked = 39000;
	for (int i = 0; i < 4; i++)
		recv(&p, ".", 1, 1, 0);
	peer_forget(&p);
	recv(&p, ".", 1, 5001, 0);
	assert_int_equal(cwnd(&p), 2000);
	peer_tcb(&p)->cwnd = peer_tcb(&p)->ssthresh;
	assert_int_equal(cwnd(&p), 2500);
	user_sends(&p, 40000);
	for (uint32_t i = 0; i < 2; i++)
		recv(&p, ".", 1, 6001 + 1000 * i, 0);
	assert_int_equal(cwnd(&p), 2500);
	recv(&p, ".", 1, 8001, 0);
	assert_int_equal(cwnd(&p), 3500);
	peer_forget(&p);
	peer_done(&p);
}

/* The same where the window falls because nothing was sent for long (RFC 5681 4.1). */
static void test_avoidance_after_a_pause(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 1);
	recv(&p, ".", 1, 1001, 0);
	peer_forget(&p);
	peer_tcb(&p)->cwnd = 100000;
	peer_tcb(&p)->ssthresh = 5000;
	peer_tcb(&p)->prior_cwnd_acked = 90000;
	peer_wait(&p, SEC(10));
	user_sends(&p, 40000);
	expect_segments(&p, 1001, 10);
	recv(&p, ".", 1, 2001, 0);
	recv(&p, ".", 1, 3001, 0);
	assert_int_equal(cwnd(&p), 10000);
	peer_forget(&p);
	peer_done(&p);
}

/*
 * RFC 6582 3.2 step 3: a partial ACK of less than a segment takes its bytes out of the window and
 * puts nothing back: what may be under way falls by as much as is.
 */
static void test_short_partial_ack_deflates(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 40);
	expect_segments(&p, 1, 10);
	for (int i = 0; i < 8; i++)
		recv(&p, ".", 1, 1, 0);
	peer_forget(&p);
	recv(&p, ".", 1, 501, 0);
	expect(&p, ".", 501, 1, 500);
	expect_none(&p);
	recv(&p, ".", 1, 1001, 0);
	expect(&p, ".", 1001, 1, 1000);
	/* 13 under way, 8 of them said to have arrived, cwnd 5: full, as it was before. */
	expect_none(&p);
	peer_done(&p);
}

/* A FIN that was lost with the text before it goes again with it, not a round trip later. */
static void test_fin_goes_again_with_its_text(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 10);
	expect_segments(&p, 1, 10);
	user_sends(&p, 1000);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
	for (int i = 0; i < 3; i++)
		recv(&p, ".", 1, 1, 0);
	expect(&p, "FP.", 10001, 1, 1000);
	expect(&p, ".", 1, 1, 1000);
	recv(&p, ".", 1, 10001, 0);
	expect(&p, "FP.", 10001, 1, 1000);
	recv(&p, ".", 1, 11002, 0);
	peer_done(&p);
}

/*
 * In avoidance a window that was full counts as used for all ACKs of it, also when several come
 * before output has its turn.
 */
static void test_avoidance_by_the_batch(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 100);
	peer_tcb(&p)->ssthresh = 10000;
	expect_segments(&p, 1, 10);
	for (uint32_t i = 1; i <= 10; i++)
		arrives_ack(&p, 1 + 1000 * i);
	peer_step(&p);
	assert_int_equal(cwnd(&p), 11000);
	expect_segments(&p, 10001, 11);
	peer_done(&p);
}

/*
 * SHLD-16: the window was taken back to less than a segment: what was lost goes again as far as the
 * window reaches, with each ACK, not a piece of it with each timeout.
 */
static void test_lost_in_a_small_window(void **unused)
{
	struct peer p;

	(void)unused;
	sending(&p, 3);
	expect_segments(&p, 1, 3);
	p.wnd = 640;
	recv(&p, ".", 1, 1, 0);
	peer_wait(&p, MS(200));
	for (uint32_t una = 1; una < 3001;) {
		struct sent sent = next_sent(&p);

		assert_int_equal(sent.seq, una);
		assert_int_equal(sent.len, una % 1000 == 1 ? 640 : 360);
		expect_none(&p);
		una += sent.len;
		recv(&p, ".", 1, una, 0);
	}
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_lost_in_a_small_window),
		cmocka_unit_test(test_slow_start_by_two),
		cmocka_unit_test(test_slow_start_by_height),
		cmocka_unit_test(test_half_used),
		cmocka_unit_test(test_no_growth_when_not_limited),
		cmocka_unit_test(test_fast_retransmit),
		cmocka_unit_test(test_without_limited_transmit),
		cmocka_unit_test(test_not_a_duplicate),
		cmocka_unit_test(test_partial_and_full_ack),
		cmocka_unit_test(test_congestion_avoidance),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_timeout_again),
		cmocka_unit_test(test_timeout_in_recovery),
		cmocka_unit_test(test_restarts_of_the_timer),
		cmocka_unit_test(test_window_closes_after_duplicates),
		cmocka_unit_test(test_ack_division),
		cmocka_unit_test(test_retransmission_overtaken_by_ack),
		cmocka_unit_test(test_partial_ack_deflates),
		cmocka_unit_test(test_after_a_timeout),
		cmocka_unit_test(test_growth_by_use),
		cmocka_unit_test(test_avoidance_after_a_timeout),
		cmocka_unit_test(test_partial_ack_without_memory),
		cmocka_unit_test(test_recovery_without_memory),
		cmocka_unit_test(test_duplicates_of_what_was_recovered),
		cmocka_unit_test(test_avoidance_after_a_recovery),
		cmocka_unit_test(test_avoidance_after_a_pause),
		cmocka_unit_test(test_short_partial_ack_deflates),
		cmocka_unit_test(test_fin_goes_again_with_its_text),
		cmocka_unit_test(test_avoidance_by_the_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
