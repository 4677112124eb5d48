/* SPDX-License-Identifier: MIT */
/* What ICMP errors do to connections (RFC 9293 3.9.2.2, RFC 5927, RFC 1191). */
#include "peer.h"

#include "tcp/icmp.h"
#include "tcp/secret.h"

/* An ICMP error that quotes a packet of 1040 bytes with this relative number arrives. */
static bool icmp(struct peer *p, enum icmp_kind kind, uint32_t mtu, uint32_t seq)
{
	struct icmp_error error = {
		.tuple = p->tuple,
		.ifindex = 1,
		.kind = kind,
		.mtu = mtu,
		.packet_len = 1040,
		.seq = seq_add(p->iss, seq),
	};
	bool known = tcp_icmp(&p->tcp, &error);

	peer_step(p);
	return known;
}

static uint64_t counter(const struct peer *p, enum parley_counter counter)
{
	return p->tcp.counters[counter];
}

static const struct {
	enum icmp_kind kind;
	int error;
	bool hard;
} meanings[] = {
	{ICMP_KIND_NET_UNREACHABLE, PARLEY_ENETUNREACH, false},
	{ICMP_KIND_HOST_UNREACHABLE, PARLEY_EHOSTUNREACH, false},
	{ICMP_KIND_TIME_EXCEEDED, PARLEY_EHOSTUNREACH, false},
	{ICMP_KIND_PARAMETER_PROBLEM, PARLEY_ENOPROTOOPT, false},
	{ICMP_KIND_PROTOCOL_UNREACHABLE, PARLEY_ENOPROTOOPT, true},
	{ICMP_KIND_PORT_UNREACHABLE, PARLEY_ECONNREFUSED, true},
	{ICMP_KIND_PROHIBITED, PARLEY_EHOSTUNREACH, true},
};

enum { MEANINGS = sizeof meanings / sizeof *meanings };

/* MUST-54, MUST-56, UNL-8: only hard errors end a connection attempt. */
static void test_syn_sent(void **unused)
{
	(void)unused;
	for (int i = 0; i < MEANINGS; i++) {
		struct peer p;
		uint32_t bits;
		int error;

		peer_init(&p);
		peer_connect(&p);
		expect(&p, "S", 0, 0, 0);
		assert_true(icmp(&p, meanings[i].kind, 0, 0));
		bits = peer_events(&p, p.conn, &error);
		assert_int_equal(error, meanings[i].error);
		if (meanings[i].hard) {
			expect_state(&p, CLOSED);
			assert_true(bits & PARLEY_DEAD);
		} else {
			expect_state(&p, SYN_SENT);
			assert_int_equal(bits, PARLEY_SOFT_ERROR);
		}
		expect_none(&p);
		peer_done(&p);
	}
}

/* What the network said is the reason when the attempt is given up at last. */
static void test_soft_error_is_the_reason(void **unused)
{
	struct peer p;
	int error;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SYN_RETRIES, 1);
	peer_connect(&p);
	icmp(&p, ICMP_KIND_HOST_UNREACHABLE, 0, 0);
	peer_wait(&p, SEC(10));
	expect_state(&p, CLOSED);
	assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
	assert_int_equal(error, PARLEY_EHOSTUNREACH);
	peer_forget(&p);
	peer_done(&p);
}

/* But not of what comes after, when a passive OPEN listens again. */
static void test_soft_error_ends_with_its_peer(void **unused)
{
	struct peer p;
	int error;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SYNACK_RETRIES, 1);
	peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
	icmp(&p, ICMP_KIND_HOST_UNREACHABLE, 0, 0);
	assert_int_equal(peer_events(&p, p.conn, &error), PARLEY_SOFT_ERROR);
	assert_int_equal(error, PARLEY_EHOSTUNREACH);
	peer_wait(&p, SEC(10));
	peer_forget(&p);
	expect_state(&p, LISTEN);
	assert_int_equal(user_close(&p.tcp, p.conn), 0);
	assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
	assert_int_equal(error, 0);
	peer_done(&p);
}

/*
 * MUST-47, MUST-56, SHLD-25, RFC 5927 5.2: once synchronized nothing that ICMP says ends a
 * connection.
 */
static void test_synchronized(void **unused)
{
	static const enum parley_state states[] = {
		PARLEY_ESTABLISHED, PARLEY_FIN_WAIT_1, PARLEY_CLOSE_WAIT,
		PARLEY_CLOSING,	    PARLEY_LAST_ACK,
	};

	(void)unused;
	for (size_t k = 0; k < sizeof states / sizeof *states; k++) {
		for (int i = 0; i < MEANINGS; i++) {
			struct parley_status status = {.size = sizeof status};
			struct peer p;
			struct tcb *tcb;
			uint32_t una;

			peer_init(&p);
			peer_reach(&p, PEER_ACTIVE, states[k]);
			if (states[k] == PARLEY_ESTABLISHED || states[k] == PARLEY_CLOSE_WAIT)
				user_sends(&p, 10);
			tcb = peer_tcb(&p);
			una = tcb->snd.una.v - p.iss.v;
			assert_true(icmp(&p, meanings[i].kind, 0, una));
			assert_int_equal(peer_state(&p), states[k]);
			assert_int_equal(tcb->notice.soft, meanings[i].error);
			assert_int_equal(counter(&p, PARLEY_COUNTER_ICMP_IN), 1);
			peer_forget(&p);
			peer_done(&p);
		}
	}
}

/* MUST-54, RFC 5927 4.1: a number that is not under way is a forgery, or too late. */
static void test_quoted_number(void **unused)
{
	static const struct {
		uint32_t seq;
		bool believed;
	} cases[] = {
		{100, false}, /* acknowledged */
		{101, true},  {150, true}, {200, true}, {201, false}, {0x80000000, false},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;
		uint32_t bits;
		int error;

		peer_init_at(&p, 0xffffff80, 5);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		user_sends(&p, 100);
		recv(&p, ".", 1, 101, 0);
		user_sends(&p, 100);
		peer_events(&p, p.conn, &error);
		assert_true(icmp(&p, ICMP_KIND_HOST_UNREACHABLE, 0, cases[i].seq));
		bits = peer_events(&p, p.conn, &error);
		assert_int_equal(bits & PARLEY_SOFT_ERROR,
				 cases[i].believed ? PARLEY_SOFT_ERROR : 0);
		assert_int_equal(counter(&p, PARLEY_COUNTER_ICMP_OUT_OF_WINDOW),
				 !cases[i].believed);
		/* An acknowledgement contradicts it. */
		recv(&p, ".", 1, 201, 0);
		assert_int_equal(peer_tcb(&p)->notice.soft, 0);
		peer_forget(&p);
		peer_done(&p);
	}
}

/* MUST-54 */
static void test_nobody(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	assert_false(icmp(&p, ICMP_KIND_PORT_UNREACHABLE, 0, 0));
	peer_listen(&p, 5);
	assert_false(icmp(&p, ICMP_KIND_PORT_UNREACHABLE, 0, 0));
	peer_done(&p);
}

/* A half-open connection of a listener goes by a hard error, and only by one about its SYN,ACK. */
static void test_half_open(void **unused)
{
	(void)unused;
	for (int i = 0; i < MEANINGS; i++) {
		struct peer p;

		peer_init(&p);
		peer_reach(&p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
		assert_true(icmp(&p, meanings[i].kind, 0, 1));
		expect_state(&p, SYN_RECEIVED);
		assert_true(icmp(&p, meanings[i].kind, 0, 0));
		assert_int_equal(peer_find(&p) != PARLEY_NO_CONN, !meanings[i].hard);
		peer_forget(&p);
		peer_done(&p);
	}
}

/* A passive OPEN goes back to LISTEN. */
static void test_passive(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
	assert_true(icmp(&p, ICMP_KIND_PORT_UNREACHABLE, 0, 0));
	expect_state(&p, LISTEN);
	peer_forget(&p);
	peer_done(&p);
}

static void expect_whole(struct peer *p, const uint32_t *lens, int n, enum parley_why why)
{
	uint32_t at = 1;

	for (int i = 0; i < n; i++) {
		struct sent sent = next_sent(p);

		assert_int_equal(sent.seq, at);
		assert_int_equal(sent.len, lens[i]);
		assert_int_equal(sent.why, why);
		at += lens[i];
	}
	expect_none(p);
}

/* RFC 1191: what was too long goes again at once, in pieces, and cwnd stays. */
static void test_path_mtu(void **unused)
{
	static const uint32_t whole[] = {1000, 1000, 1000, 100};
	static const uint32_t pieces[] = {600, 400, 600, 400, 600, 400};
	struct peer p;
	struct tcb *tcb;
	uint32_t cwnd;

	(void)unused;
	peer_init_at(&p, 0xfffffa00, 7);
	peer_set(&p, PARLEY_SET_NODELAY, 1);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	tcb = peer_tcb(&p);
	user_sends(&p, 3100);
	expect_whole(&p, whole, 4, PARLEY_WHY_NEW);
	cwnd = tcb->cwnd;
	/* Nothing that would not shorten anything counts. */
	icmp(&p, ICMP_KIND_TOO_BIG, 1500, 1);
	icmp(&p, ICMP_KIND_TOO_BIG, 9000, 1);
	icmp(&p, ICMP_KIND_TOO_BIG, 640, 3101);
	assert_int_equal(tcb->mss, 1000);
	expect_none(&p);
	icmp(&p, ICMP_KIND_TOO_BIG, 640, 1);
	assert_int_equal(tcb->mss, 600);
	assert_int_equal(tcb->cwnd, cwnd);
	assert_int_equal(counter(&p, PARLEY_COUNTER_PATH_MTU_LOWERED), 1);
	/* The short one may have got through: it waits for its ACK or the timer. */
	expect_whole(&p, pieces, 6, PARLEY_WHY_PATH_MTU);
	recv(&p, ".", 1, 3101, 0);
	assert_int_equal(tcb->cwnd >= cwnd, true);
	user_sends(&p, 1200);
	assert_int_equal(next_sent(&p).len, 600);
	assert_int_equal(next_sent(&p).len, 600);
	recv(&p, ".", 1, 4301, 0);
	/* Ten minutes later the interface's MTU is tried again. */
	peer_wait(&p, ICMP_PATH_LASTS - 1);
	user_sends(&p, 1000);
	assert_int_equal(next_sent(&p).len, 600);
	assert_int_equal(next_sent(&p).len, 400);
	recv(&p, ".", 1, 5301, 0);
	peer_wait(&p, 1);
	user_sends(&p, 1000);
	assert_int_equal(next_sent(&p).len, 1000);
	peer_done(&p);
}

/* One byte less, with the FIN behind it: a record of one segment has to be cut all the same. */
static void test_path_mtu_by_one(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 1000);
	assert_int_equal(next_sent(&p).len, 1000);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
	peer_step(&p);
	expect(&p, "F.", 1001, 1, 0);
	icmp(&p, ICMP_KIND_TOO_BIG, 1039, 1);
	expect(&p, ".", 1, 1, 999);
	expect(&p, "P.", 1000, 1, 1);
	expect_none(&p);
	recv(&p, ".", 1, 1002, 0);
	expect_state(&p, FIN_WAIT_2);
	peer_done(&p);
}

/* A router that says nothing means the next plateau; none goes below the floor. */
static void test_plateaus(void **unused)
{
	static const struct {
		uint32_t mtu, path;
	} cases[] = {{0, 1006}, {1, 552}, {68, 552}, {551, 552}, {552, 552}, {553, 553}};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;

		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		user_sends(&p, 1000);
		icmp(&p, ICMP_KIND_TOO_BIG, cases[i].mtu, 1);
		assert_int_equal(peer_tcb(&p)->local_mtu, cases[i].path);
		assert_int_equal(peer_tcb(&p)->mss, cases[i].path - 40);
		peer_forget(&p);
		peer_done(&p);
	}
}

/* Lost segments and a smaller path at once: recovery goes on, and all arrives. */
static void test_path_mtu_in_recovery(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 8000);
	peer_forget(&p);
	for (int i = 0; i < 3; i++)
		recv(&p, ".", 1, 1001, 0);
	recv(&p, ".", 1, 1001, 0);
	peer_forget(&p);
	icmp(&p, ICMP_KIND_TOO_BIG, 600, 1001);
	assert_true(p.sent_count > 0);
	peer_forget(&p);
	peer_wait(&p, SEC(5));
	recv(&p, ".", 1, 4321, 0);
	peer_wait(&p, SEC(5));
	recv(&p, ".", 1, 8001, 0);
	assert_int_equal(peer_tcb(&p)->lost_bytes, 0);
	peer_forget(&p);
	peer_done(&p);
}

/* RFC 8201 4: what IPv6 says is believed from 1280 on, and nothing is guessed. */
static void test_path_mtu_of_ipv6(void **unused)
{
	static const struct {
		uint32_t said, mtu;
	} cases[] = {{0, 1500},	   {500, 1500},	 {1279, 1500},
		     {1280, 1280}, {1400, 1400}, {1500, 1500}};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;

		peer_init(&p);
		p.tuple.local = (struct parley_addr){{0x20, 1, 0xd, 0xb8, [15] = 1}};
		p.tuple.remote = (struct parley_addr){{0x20, 1, 0xd, 0xb8, [15] = 2}};
		p.iss = secret_isn(&p.tcp, &p.tuple);
		p.mss = 1440;
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		user_sends(&p, 1440);
		expect(&p, "P.", 1, 1, 1440);
		icmp(&p, ICMP_KIND_TOO_BIG, cases[i].said, 1);
		assert_int_equal(peer_tcb(&p)->local_mtu, cases[i].mtu);
		assert_int_equal(peer_tcb(&p)->mss, cases[i].mtu - 60);
		peer_forget(&p);
		peer_done(&p);
	}
}

/* When the smaller path is over, segments are as long as the peer takes them, and no longer. */
static void test_path_over_keeps_to_the_peer(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.mss = 1000;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 1000);
	icmp(&p, ICMP_KIND_TOO_BIG, 840, 1);
	assert_int_equal(peer_tcb(&p)->mss, 800);
	peer_forget(&p);
	recv(&p, ".", 1, 1001, 0);
	peer_wait(&p, ICMP_PATH_LASTS);
	user_sends(&p, 3000);
	assert_int_equal(peer_tcb(&p)->local_mtu, 1500);
	assert_int_equal(peer_tcb(&p)->mss, 1000);
	expect(&p, ".", 1001, 1, 1000);
	peer_forget(&p);
	peer_done(&p);
}

/* What has no meaning for a connection leaves one that is half open alone, too. */
static void test_half_open_outlives_what_says_nothing(void **unused)
{
	static const enum icmp_kind kinds[] = {ICMP_KIND_OTHER,	     ICMP_KIND_ECHO,
					       ICMP_KIND_ECHO_REPLY, ICMP_KIND_DISCOVERY,
					       ICMP_KIND_TOO_BIG,    ICMP_KIND_HOST_UNREACHABLE};

	(void)unused;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct peer p;

		peer_init(&p);
		peer_reach(&p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
		assert_true(icmp(&p, kinds[i], 1000, 0));
		expect_state(&p, SYN_RECEIVED);
		expect_none(&p);
		recv(&p, ".", 1, 1, 0);
		assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
		expect_state(&p, ESTABLISHED);
		peer_done(&p);
	}
}

/* From the last plateau on a router that says nothing means the floor, and then nothing more. */
static void test_plateaus_end(void **unused)
{
	struct icmp_error error = {.ifindex = 1, .kind = ICMP_KIND_TOO_BIG};
	static const uint32_t lens[][2] = {{1040, 1006}, {1007, 1006}, {1006, 552}, {552, 552}};
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 1000);
	error.tuple = p.tuple;
	error.seq = seq_add(p.iss, 1);
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		error.packet_len = lens[i][0];
		assert_true(tcp_icmp(&p.tcp, &error));
		assert_int_equal(peer_tcb(&p)->local_mtu, lens[i][1]);
		peer_step(&p);
	}
	peer_forget(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syn_sent),
		cmocka_unit_test(test_soft_error_is_the_reason),
		cmocka_unit_test(test_soft_error_ends_with_its_peer),
		cmocka_unit_test(test_synchronized),
		cmocka_unit_test(test_quoted_number),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_half_open),
		cmocka_unit_test(test_passive),
		cmocka_unit_test(test_path_mtu),
		cmocka_unit_test(test_path_mtu_by_one),
		cmocka_unit_test(test_plateaus),
		cmocka_unit_test(test_path_mtu_in_recovery),
		cmocka_unit_test(test_path_mtu_of_ipv6),
		cmocka_unit_test(test_path_over_keeps_to_the_peer),
		cmocka_unit_test(test_half_open_outlives_what_says_nothing),
		cmocka_unit_test(test_plateaus_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
