/* SPDX-License-Identifier: MIT */
/*
 * Subtle spots (docs/decisions/015-subtle-spots.md) of urgent data, options, timers, ICMP and
 * challenges, under both profiles. Numbers in front of the tests are the spots'.
 */
#include "peer.h"

#include "tcp/icmp.h"

static bool letter(int profile)
{
	return profile == PARLEY_PROFILE_RFC;
}

static void established(struct peer *p, int profile)
{
	peer_under(p, profile, PEER_ACTIVE, PARLEY_ESTABLISHED);
}

static uint32_t events(struct peer *p)
{
	return peer_events(p, p->conn, NULL);
}

/* 29: the pointer is of the octet behind what is urgent, in line, and never goes back. */
static void test_urgent_pointer(void **unused)
{
	const struct extra ten = {.up = 10}, three = {.up = 3};
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		established(&p, profile);
		events(&p);
		peer_recv(&p, "PU.", 1, 1, 20, &ten);
		assert_true(events(&p) & PARLEY_URGENT);
		user_receives(&p, 9);
		assert_true(user_ready(&p.tcp, p.conn) & PARLEY_URGENT);
		user_receives(&p, 1);
		assert_false(user_ready(&p.tcp, p.conn) & PARLEY_URGENT);
		user_receives(&p, 10);
		/* A pointer at what was consumed already: the same segment again. */
		peer_recv(&p, "PU.", 1, 1, 20, &three);
		peer_recv(&p, "PU.", 15, 1, 6, &three);
		assert_false(events(&p) & PARLEY_URGENT);
		peer_done(&p);
	}
}

/*
 * 30 to 33: timestamps are not offered, so nothing that comes with or without them, however old,
 * says anything (RFC 7323 3.2), and none are sent.
 */
static void test_timestamps_are_not_negotiated(void **unused)
{
	const struct tcp_options young = {.present = TCP_HAS_TIMESTAMPS, .ts_val = 1000};
	const struct tcp_options old = {.present = TCP_HAS_TIMESTAMPS, .ts_val = 0xf0000000};
	const struct extra first = {.options = &young}, then = {.options = &old};
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_PASSIVE, PARLEY_LISTEN);
		peer_recv(&p, "S", 0, 0, 0, &first);
		assert_int_equal(expect(&p, "S.", 0, 1, 0).options & TCP_HAS_TIMESTAMPS, 0);
		peer_recv(&p, ".", 1, 1, 0, &first);
		expect_state(&p, ESTABLISHED);
		peer_recv(&p, "P.", 1, 1, 10, &then);
		recv(&p, "P.", 11, 1, 10);
		user_receives(&p, 20);
		peer_wait(&p, MS(40));
		assert_int_equal(expect(&p, ".", 1, 21, 0).options, 0);
		peer_recv(&p, "S", 500, 0, 0, &then);
		assert_int_equal(expect(&p, ".", 1, 21, 0).why, PARLEY_WHY_CHALLENGE);
		peer_recv(&p, "R", 21, 0, 0, &then);
		expect_state(&p, CLOSED);
		peer_done(&p);
	}
}

/* 36: the lower bound of the RTO, on a path that takes no time. */
static void test_lower_bound_of_the_rto(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		uint64_t begin;

		established(&p, profile);
		begin = p.tcp.now;
		user_sends(&p, 10);
		expect(&p, "P.", 1, 1, 10);
		peer_wait(&p, MS(1100));
		assert_int_equal(expect(&p, "P.", 1, 1, 10).at - begin,
				 letter(profile) ? SEC(1) : MS(200));
		peer_done(&p);
	}
}

/* 37: how long an ACK may wait, and what does not let it wait. */
static void test_delayed_acks(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		uint64_t begin;

		established(&p, profile);
		begin = p.tcp.now;
		recv(&p, "P.", 1, 1, 10);
		expect_none(&p);
		peer_wait(&p, MS(499));
		assert_int_equal(expect(&p, ".", 1, 11, 0).at - begin, MS(40));
		recv(&p, ".", 11, 1, 1000);
		recv(&p, ".", 1011, 1, 1000);
		expect(&p, ".", 1, 2011, 0); /* the second full segment */
		recv(&p, ".", 2021, 1, 1000);
		expect(&p, ".", 1, 2011, 0); /* a gap */
		recv(&p, ".", 2011, 1, 10);
		expect(&p, ".", 1, 3021, 0); /* filled */
		recv(&p, "F.", 3021, 1, 0);
		expect(&p, ".", 1, 3022, 0);
		expect_none(&p);
		peer_done(&p);
	}
}

static void icmp(struct peer *p, enum icmp_kind kind, uint32_t seq)
{
	struct icmp_error error = {
		.tuple = p->tuple,
		.ifindex = 1,
		.kind = kind,
		.packet_len = 1040,
		.seq = seq_add(p->iss, seq),
	};

	assert_true(tcp_icmp(&p->tcp, &error));
	peer_step(p);
}

/* 38: SHLD-26 wants a connection to end for what RFC 5927 tells not to believe. */
static void test_hard_errors_of_icmp(void **unused)
{
	static const enum parley_state states[] = {
		PARLEY_ESTABLISHED, PARLEY_FIN_WAIT_1, PARLEY_CLOSE_WAIT,
		PARLEY_CLOSING,	    PARLEY_LAST_ACK,
	};
	static const struct {
		enum icmp_kind kind;
		int error;
		bool hard;
	} kinds[] = {
		{ICMP_KIND_PORT_UNREACHABLE, PARLEY_ECONNREFUSED, true},
		{ICMP_KIND_PROTOCOL_UNREACHABLE, PARLEY_ENOPROTOOPT, true},
		{ICMP_KIND_HOST_UNREACHABLE, PARLEY_EHOSTUNREACH, false},
		{ICMP_KIND_TIME_EXCEEDED, PARLEY_EHOSTUNREACH, false},
		{ICMP_KIND_PROHIBITED, PARLEY_EHOSTUNREACH, false},
	};

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int i = 0; i < 25; i++) {
			bool ends = letter(profile) && kinds[i % 5].hard;
			enum parley_state state = states[i / 5];
			struct peer p;
			int error;

			peer_under(&p, profile, PEER_ACTIVE, state);
			if (state == PARLEY_ESTABLISHED || state == PARLEY_CLOSE_WAIT)
				user_sends(&p, 10);
			peer_forget(&p);
			peer_events(&p, p.conn, &error);
			icmp(&p, kinds[i % 5].kind, 500); /* of nothing that is under way */
			assert_int_equal(peer_state(&p), state);
			icmp(&p, kinds[i % 5].kind, 1);
			assert_int_equal(peer_state(&p), ends ? PARLEY_CLOSED : state);
			assert_int_equal(peer_events(&p, p.conn, &error) & PARLEY_DEAD,
					 ends ? PARLEY_DEAD : 0);
			assert_int_equal(error, kinds[i % 5].error);
			expect_none(&p);
			peer_done(&p);
		}
}

/* 39: at most ten challenges in any five seconds (RFC 5961 7), each connection for itself. */
static void test_challenges_are_rationed(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		established(&p, profile);
		for (int i = 0; i < 500; i++) {
			recv(&p, "R", 100, 0, 0);
			peer_wait(&p, MS(10));
		}
		assert_int_equal(p.sent_count, 10);
		assert_int_equal(p.tcp.counters[PARLEY_COUNTER_CHALLENGE_ACKS], 10);
		assert_int_equal(p.tcp.drops[PARLEY_DROP_CHALLENGE_LIMIT], 490);
		peer_forget(&p);

		/* Another connection has spent nothing of its own. */
		recv(&p, "R", 100, 0, 0);
		p.tuple.remote_port++;
		p.edge_free = true;
		peer_connect(&p);
		p.iss = seq_add(p.iss, p.sent[(p.sent_first + p.sent_count - 1) % PEER_SENT].seq);
		peer_forget(&p);
		recv(&p, "S.", 0, 1, 0);
		expect(&p, ".", 1, 1, 0);
		recv(&p, "R", 100, 0, 0);
		assert_int_equal(expect(&p, ".", 1, 1, 0).why, PARLEY_WHY_CHALLENGE);
		peer_done(&p);
	}
}

/*
 * 42, MUST-7: an option of impossible length on a segment that is acceptable, and on one that is
 * not.
 */
static void test_bad_options(void **unused)
{
	const struct tcp_options options = {.malformed = true};
	const struct extra bad = {.options = &options};

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int state = PARLEY_SYN_RECEIVED; state < PARLEY_TIME_WAIT; state++) {
			struct peer p;
			uint32_t snd, nxt;
			int error;

			peer_under(&p, profile, PEER_ACTIVE, (enum parley_state)state);
			snd = peer_tcb(&p)->snd.nxt.v - p.iss.v;
			nxt = peer_tcb(&p)->rcv.nxt.v - p.irs.v;
			peer_recv(&p, ".", 700000000, 1, 0, &bad);
			expect(&p, ".", snd, nxt, 0);
			assert_int_equal(peer_state(&p), state);
			peer_recv(&p, ".", nxt, snd, 0, &bad);
			assert_int_equal(p.tcp.counters[PARLEY_COUNTER_OPTIONS_MALFORMED], 2);
			peer_events(&p, p.conn, &error);
			assert_int_equal(error, letter(profile) ? PARLEY_ECONNRESET : 0);
			if (letter(profile)) {
				expect(&p, "R.", snd, nxt, 0);
				expect_state(&p, CLOSED);
				assert_int_equal(p.tcp.drops[PARLEY_DROP_OPTION_LENGTH], 1);
			}
			expect_none(&p);
			peer_done(&p);
		}
}

/* 42: of a passive OPEN the handshake ends; TIME-WAIT stays; a RST is a RST. */
static void test_bad_options_at_the_ends(void **unused)
{
	const struct tcp_options options = {.malformed = true};
	const struct extra bad = {.options = &options};
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		for (int how = PEER_PASSIVE; how <= PEER_LISTENER; how++) {
			peer_under(&p, profile, (enum peer_how)how, PARLEY_SYN_RECEIVED);
			peer_recv(&p, ".", 1, 1, 0, &bad);
			if (letter(profile))
				expect(&p, "R.", 1, 1, 0);
			expect_none(&p);
			assert_int_equal(peer_state(&p),
					 letter(profile) ? PARLEY_LISTEN : PARLEY_ESTABLISHED);
			peer_done(&p);
		}
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_TIME_WAIT);
		peer_recv(&p, ".", 2, 2, 0, &bad);
		expect_none(&p);
		expect_state(&p, TIME_WAIT);
		peer_recv(&p, "R", 2, 0, 0, &bad);
		expect_none(&p);
		expect_state(&p, CLOSED);
		peer_done(&p);
	}
}

/* 43: neither SYN nor ACK nor RST: the text is not taken; test_cells_segments.c has every cell. */
static void test_bare_segment(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		established(&p, profile);
		recv(&p, "P", 1, 0, 10);
		expect_none(&p);
		recv(&p, "P", 700000000, 0, 10);
		if (letter(profile))
			expect(&p, ".", 1, 1, 0);
		expect_none(&p);
		assert_int_equal(
			p.tcp.drops[letter(profile) ? PARLEY_DROP_NO_ACK : PARLEY_DROP_NO_FLAGS],
			letter(profile) ? 1 : 2);
		assert_int_equal(user_ready(&p.tcp, p.conn) & PARLEY_READABLE, 0);
		peer_done(&p);
	}
}

/* 44: the peer has forgotten the connection and opens anew; tests/sim has both ends of it. */
static void test_syn_after_the_peer_forgot(void **unused)
{
	struct peer p;
	int error;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		established(&p, profile);
		recv(&p, "S", 123456789, 0, 0);
		assert_int_equal(expect(&p, ".", 1, 1, 0).why, PARLEY_WHY_CHALLENGE);
		expect_state(&p, ESTABLISHED);
		recv(&p, "R", 1, 0, 0);
		expect_none(&p);
		expect_state(&p, CLOSED);
		peer_events(&p, p.conn, &error);
		assert_int_equal(error, PARLEY_ECONNRESET);
		peer_done(&p);
	}
}

/* RFC 5681 3.1 instead of RFC 6928: two to four segments, by their size. */
static void test_initial_window(void **unused)
{
	static const struct {
		uint16_t mss;
		uint32_t segments[PARLEY_PROFILE_COUNT];
	} cases[] = {{1460, {10, 3}}, {1096, {10, 3}}, {1095, {10, 4}}, {536, {10, 4}}};

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int i = 0; i < 4; i++) {
			struct peer p;

			peer_init(&p);
			peer_profile(&p, (enum parley_profile)profile);
			p.mss = cases[i].mss;
			peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
			user_sends(&p, 40000);
			assert_int_equal(p.sent_count, cases[i].segments[profile]);
			assert_int_equal(next_sent(&p).len, cases[i].mss);
			peer_done(&p);
		}
}

/*
 * SHLD-11, UNL-18: how long text is sent again: R2, by the letter the five minutes of OPEN
 * (3.10.1).
 */
static void test_user_timeout(void **unused)
{
	static const uint64_t r2[PARLEY_PROFILE_COUNT] = {SEC(900), SEC(300)};
	struct peer p;
	int error;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		established(&p, profile);
		user_sends(&p, 10);
		peer_wait(&p, r2[profile] - 1);
		expect_state(&p, ESTABLISHED);
		peer_wait(&p, SEC(120) + 1); /* the last of the doubled waits */
		expect_state(&p, CLOSED);
		peer_events(&p, p.conn, &error);
		assert_int_equal(error, PARLEY_ETIMEDOUT);
		peer_done(&p);
	}
}

/* What the silly-window rule holds back goes within a second, however long the RTO. */
static void test_override_timeout(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_SYN_SENT);
		peer_wait(&p, MS(900));
		recv(&p, "S.", 0, 1, 0);
		expect(&p, ".", 1, 1, 0);
		assert_true(peer_tcb(&p)->rto > SEC(2));
		p.wnd = 100;
		recv(&p, ".", 1, 1, 0);
		user_sends(&p, 1000);
		expect_none(&p);
		peer_wait(&p, MS(999));
		expect_none(&p);
		peer_wait(&p, MS(1));
		expect(&p, ".", 1, 1, 100);
		peer_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urgent_pointer),
		cmocka_unit_test(test_timestamps_are_not_negotiated),
		cmocka_unit_test(test_lower_bound_of_the_rto),
		cmocka_unit_test(test_delayed_acks),
		cmocka_unit_test(test_hard_errors_of_icmp),
		cmocka_unit_test(test_challenges_are_rationed),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_bad_options_at_the_ends),
		cmocka_unit_test(test_bare_segment),
		cmocka_unit_test(test_syn_after_the_peer_forgot),
		cmocka_unit_test(test_initial_window),
		cmocka_unit_test(test_user_timeout),
		cmocka_unit_test(test_override_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
