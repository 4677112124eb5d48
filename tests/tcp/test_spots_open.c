/* SPDX-License-Identifier: MIT */
/*
 * Subtle spots (docs/decisions/015-subtle-spots.md) between LISTEN and ESTABLISHED, under both
 * profiles. Numbers in front of the tests are the spots'.
 */
#include "peer.h"

static bool letter(int profile)
{
	return profile == PARLEY_PROFILE_RFC;
}

/* An ACK as a challenge: <SND.NXT, RCV.NXT>, after the SYNs. */
#define expect_challenge(p) assert_int_equal(expect(p, ".", 1, 1, 0).why, PARLEY_WHY_CHALLENGE)

/* 1: the handshake's ACK is wrong. The state stays; RFC 5961's range is asked for by the letter. */
static void test_wrong_ack_in_syn_received(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int how = PEER_ACTIVE; how <= PEER_LISTENER; how++) {
			peer_under(&p, profile, (enum peer_how)how, PARLEY_SYN_RECEIVED);
			/* SND.UNA, in the range of RFC 5961, but not acceptable. */
			recv(&p, ".", 1, 0, 0);
			expect(&p, "R", 0, 0, 0);
			recv(&p, ".", 1, 2, 0);
			letter(profile) ? (void)expect_challenge(&p)
					: (void)expect(&p, "R", 2, 0, 0);
			peer_wait(&p, MS(600));
			recv(&p, "P.", 1, 0u - 60000, 10);
			letter(profile) ? (void)expect_challenge(&p)
					: (void)expect(&p, "R", 0u - 60000, 0, 0);
			expect_none(&p);
			expect_state(&p, SYN_RECEIVED);
			recv(&p, ".", 1, 1, 0);
			expect_state(&p, ESTABLISHED);
			peer_done(&p);
		}
}

/* 12: both opened at once, and the SYN,ACK comes. */
static void test_syn_ack_of_a_simultaneous_open(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_SYN_RECEIVED);
		recv(&p, "S.", 0, 1, 0);
		if (letter(profile)) {
			expect_challenge(&p);
			expect_state(&p, SYN_RECEIVED);
			/* The peer is ESTABLISHED by that, and its own such ACK ends it here. */
			recv(&p, ".", 1, 1, 0);
		}
		expect_none(&p);
		expect_state(&p, ESTABLISHED);
		/* A plain repetition is answered. */
		peer_wait(&p, MS(600));
		recv(&p, "S.", 0, 1, 0);
		expect_challenge(&p);
		expect_state(&p, ESTABLISHED);
		peer_done(&p);
	}
}

/* 13, UNL-3: text on a SYN is not acknowledged, not delivered, and taken when it comes again. */
static void test_text_on_a_syn_comes_again(void **unused)
{
	static const enum parley_state before[] = {PARLEY_SYN_SENT, PARLEY_LISTEN, PARLEY_LISTEN};
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int how = PEER_ACTIVE; how <= PEER_LISTENER; how++) {
			peer_under(&p, profile, (enum peer_how)how, before[how]);
			recv(&p, "S", 0, 0, 10);
			expect(&p, "S.", 0, 1, 0);
			expect_state(&p, SYN_RECEIVED);
			assert_int_equal(user_ready(&p.tcp, p.conn) & PARLEY_READABLE, 0);
			recv(&p, "P.", 1, 1, 10);
			expect_state(&p, ESTABLISHED);
			if (how == PEER_LISTENER)
				assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
			user_receives(&p, 10);
			peer_done(&p);
		}
}

/* 13, UNL-3: by the letter text and FIN wait for ESTABLISHED where there is a TCB to wait in. */
static void test_text_on_a_syn_waits(void **unused)
{
	static const enum parley_state before[] = {PARLEY_SYN_SENT, PARLEY_LISTEN, PARLEY_LISTEN};
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int how = PEER_ACTIVE; how <= PEER_LISTENER; how++) {
			bool waits = letter(profile) && how != PEER_LISTENER;

			peer_under(&p, profile, (enum peer_how)how, before[how]);
			recv(&p, "S", 0, 0, 10);
			expect(&p, "S.", 0, 1, 0);
			assert_int_equal(user_ready(&p.tcp, p.conn) & PARLEY_READABLE, 0);
			peer_events(&p, p.conn, NULL);
			recv(&p, ".", 11, 1, 0);
			expect_state(&p, ESTABLISHED);
			if (how == PEER_LISTENER)
				assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
			assert_int_equal(peer_events(&p, p.conn, NULL) & PARLEY_READABLE,
					 waits ? PARLEY_READABLE : 0);
			if (waits)
				expect(&p, ".", 1, 11, 0);
			else
				recv(&p, "P.", 1, 1, 10);
			expect_none(&p);
			user_receives(&p, 10);
			peer_done(&p);
		}
}

/* 13: what comes again beside what has waited is there once. */
static void test_text_on_a_syn_is_taken_once(void **unused)
{
	static const enum parley_state before[] = {PARLEY_SYN_SENT, PARLEY_LISTEN};
	struct peer p;

	(void)unused;
	for (int how = PEER_ACTIVE; how <= PEER_PASSIVE; how++)
		for (uint32_t len = 0; len < 30; len += 5) {
			peer_under(&p, PARLEY_PROFILE_RFC, (enum peer_how)how, before[how]);
			recv(&p, "SF", 0, 0, 20);
			expect(&p, "S.", 0, 1, 0);
			recv(&p, len < 20 ? "P." : "F.", 1, 1, len < 20 ? len : 20);
			expect(&p, ".", 1, 22, 0);
			expect_none(&p);
			expect_state(&p, CLOSE_WAIT);
			user_receives(&p, 20);
			peer_done(&p);
		}
}

/* 13: no more than the window, and nothing that outlives the handshake that it belongs to. */
static void test_text_on_a_syn_is_bounded(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_profile(&p, PARLEY_PROFILE_RFC);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 5);
	peer_reach(&p, PEER_PASSIVE, PARLEY_LISTEN);
	recv(&p, "SF", 0, 0, 20);
	assert_int_equal(expect(&p, "S.", 0, 1, 0).wnd, 5);
	recv(&p, "R", 1, 0, 0);
	expect_state(&p, LISTEN);
	p.edge_known = false;
	recv(&p, "S", 0, 0, 3);
	p.iss = seq_add(p.iss, next_sent(&p).seq);
	recv(&p, ".", 4, 1, 0);
	expect(&p, ".", 1, 4, 0);
	expect_state(&p, ESTABLISHED);
	user_receives(&p, 3);
	peer_done(&p);
}

/* 15: a SYN with a FIN, in LISTEN. The FIN waits, or comes again. */
static void test_fin_on_a_syn(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int how = PEER_PASSIVE; how <= PEER_LISTENER; how++) {
			peer_under(&p, profile, (enum peer_how)how, PARLEY_LISTEN);
			recv(&p, "SF", 0, 0, 0);
			if (!letter(profile)) {
				expect_none(&p);
				expect_state(&p, LISTEN);
				assert_int_equal(p.tcp.drops[PARLEY_DROP_LISTEN_SYN_FIN], 1);
				peer_done(&p);
				continue;
			}
			expect(&p, "S.", 0, 1, 0);
			expect_state(&p, SYN_RECEIVED);
			if (how == PEER_LISTENER)
				recv(&p, "F.", 1, 1, 0);
			else
				recv(&p, ".", 2, 1, 0);
			expect(&p, ".", 1, 2, 0);
			expect_state(&p, CLOSE_WAIT);
			peer_done(&p);
		}
}

/* 15: on a SYN,ACK the FIN is processed once ESTABLISHED. */
static void test_fin_on_a_syn_ack(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_SYN_SENT);
		recv(&p, "SF.", 0, 1, 0);
		expect(&p, ".", 1, 2, 0);
		expect_state(&p, CLOSE_WAIT);
		peer_done(&p);
	}
}

/* 16: the SYN again: its SYN,ACK was lost. By the letter its number is too old. */
static void test_same_syn_in_syn_received(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int how = PEER_PASSIVE; how <= PEER_LISTENER; how++) {
			peer_under(&p, profile, (enum peer_how)how, PARLEY_SYN_RECEIVED);
			recv(&p, "S", 0, 0, 0);
			letter(profile) ? (void)expect_challenge(&p)
					: (void)expect(&p, "S.", 0, 1, 0);
			expect_none(&p);
			/* The retransmission of the SYN,ACK is what helps there. */
			peer_wait(&p, MS(1100));
			expect(&p, "S.", 0, 1, 0);
			expect_state(&p, SYN_RECEIVED);
			peer_done(&p);
		}
}

/* 16: another SYN, in the window and outside of it. */
static void test_another_syn_in_syn_received(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int how = PEER_PASSIVE; how <= PEER_LISTENER; how++) {
			peer_under(&p, profile, (enum peer_how)how, PARLEY_SYN_RECEIVED);
			recv(&p, "S", 70000, 0, 0);
			expect_challenge(&p);
			expect_state(&p, SYN_RECEIVED);
			peer_wait(&p, MS(600));
			recv(&p, "S", 500, 0, 0);
			if (letter(profile)) {
				expect_none(&p);
				expect_state(&p, LISTEN);
				assert_int_equal(p.tcp.syns.used, 0);
			} else {
				expect_challenge(&p);
				expect_state(&p, SYN_RECEIVED);
				/* A peer that begins anew answers that with a RST. */
				recv(&p, "R", 1, 0, 0);
				expect_state(&p, LISTEN);
			}
			peer_done(&p);
		}
}

/* 16: after an active OPEN there is no LISTEN to return to. */
static void test_another_syn_after_an_active_open(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_SYN_RECEIVED);
		recv(&p, "S", 500, 0, 0);
		expect_challenge(&p);
		expect_state(&p, SYN_RECEIVED);
		peer_done(&p);
	}
}

/* 17: only the exact RST counts. */
static void test_rst_in_syn_received(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int how = PEER_ACTIVE; how <= PEER_LISTENER; how++) {
			peer_under(&p, profile, (enum peer_how)how, PARLEY_SYN_RECEIVED);
			recv(&p, "R", 0, 0, 0);
			recv(&p, "R", 70000000, 0, 0);
			expect_none(&p);
			recv(&p, "R", 500, 0, 0);
			expect_challenge(&p);
			expect_state(&p, SYN_RECEIVED);
			recv(&p, "R", 1, 0, 0);
			expect_none(&p);
			assert_int_equal(peer_state(&p),
					 how == PEER_ACTIVE ? PARLEY_CLOSED : PARLEY_LISTEN);
			peer_done(&p);
		}
}

/* 35: how long a SYN and a SYN,ACK are repeated (MUST-23). */
static void test_syns_are_repeated_for_three_minutes(void **unused)
{
	static const enum parley_state states[] = {PARLEY_SYN_SENT, PARLEY_SYN_RECEIVED,
						   PARLEY_SYN_RECEIVED, PARLEY_SYN_RECEIVED};
	static const enum peer_how hows[] = {PEER_ACTIVE, PEER_ACTIVE, PEER_PASSIVE, PEER_LISTENER};

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int i = 0; i < 4; i++) {
			bool longer = letter(profile) || hows[i] == PEER_ACTIVE;
			struct peer p;

			peer_under(&p, profile, hows[i], states[i]);
			peer_wait(&p, SEC(180));
			assert_int_equal(p.sent_count, longer ? 7 : 5);
			assert_int_equal(peer_state(&p) == states[i], longer);
			peer_wait(&p, SEC(100));
			assert_int_equal(peer_state(&p),
					 hows[i] == PEER_ACTIVE ? PARLEY_CLOSED : PARLEY_LISTEN);
			peer_done(&p);
		}
}

/* 40: the accept queue is full when the third step comes: the SYN,ACK brings it back later. */
static void test_no_room_for_the_third_step(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		struct seq first;

		peer_under(&p, profile, PEER_LISTENER, PARLEY_SYN_RECEIVED);
		p.tcp.settings->v[PARLEY_SET_SOMAXCONN] = 1;
		first = p.iss;
		p.tuple.remote_port++; /* another client takes the only place */
		p.edge_free = true;
		recv(&p, "S", 0, 0, 0);
		p.iss = seq_add(p.iss, next_sent(&p).seq);
		recv(&p, ".", 1, 1, 0);
		p.tuple.remote_port--;
		p.iss = first;
		recv(&p, "P.", 1, 1, 10);
		expect_none(&p);
		expect_state(&p, SYN_RECEIVED);
		assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
		peer_wait(&p, SEC(1));
		expect(&p, "S.", 0, 1, 0);
		recv(&p, "P.", 1, 1, 10);
		assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
		user_receives(&p, 10);
		peer_done(&p);
	}
}

/* 41: an MSS of next to nothing is raised to 64; one that is no SYN's says nothing. */
static void test_tiny_mss(void **unused)
{
	const struct extra late = {.syn_options = true};
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_init(&p);
		peer_profile(&p, (enum parley_profile)profile);
		p.mss = 1;
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		user_sends(&p, 100);
		expect(&p, ".", 1, 1, 64);
		p.mss = 100;
		peer_recv(&p, ".", 1, 65, 0, &late);
		expect(&p, "P.", 65, 1, 36);
		assert_int_equal(peer_tcb(&p)->mss, 64);
		peer_done(&p);

		/* Without one it is 536; wire/tcp.c reads an MSS of 0 so (MUST-15). */
		peer_init(&p);
		peer_profile(&p, (enum parley_profile)profile);
		p.mss = 0;
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		user_sends(&p, 1000);
		expect(&p, ".", 1, 1, 536);
		peer_done(&p);
	}
}

/* 42, MUST-7: a SYN, and a SYN,ACK, whose options cannot be. */
static void test_bad_options_of_a_syn(void **unused)
{
	const struct tcp_options options = {.malformed = true};
	const struct extra bad = {.options = &options};
	struct peer p;
	int error;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		for (int how = PEER_PASSIVE; how <= PEER_LISTENER; how++) {
			peer_under(&p, profile, (enum peer_how)how, PARLEY_LISTEN);
			peer_recv(&p, "S", 0, 0, 0, &bad);
			letter(profile) ? expect(&p, "R.", 0u - p.iss.v, 1, 0)
					: expect(&p, "S.", 0, 1, 0);
			assert_int_equal(peer_state(&p),
					 letter(profile) ? PARLEY_LISTEN : PARLEY_SYN_RECEIVED);
			peer_done(&p);
		}
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_SYN_SENT);
		peer_recv(&p, "S.", 0, 1, 0, &bad);
		assert_int_equal(p.tcp.counters[PARLEY_COUNTER_OPTIONS_MALFORMED], 1);
		letter(profile) ? expect(&p, "R", 1, 0, 0) : expect(&p, ".", 1, 1, 0);
		peer_events(&p, p.conn, &error);
		assert_int_equal(error, letter(profile) ? PARLEY_ECONNRESET : 0);
		peer_done(&p);
	}
}

/* 43: neither SYN nor ACK nor RST, before there is a connection. */
static void test_bare_segment_without_a_connection(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_PASSIVE, PARLEY_LISTEN);
		recv(&p, "P", 5, 0, 10);
		expect_none(&p);
		expect_state(&p, LISTEN);
		peer_done(&p);

		peer_under(&p, profile, PEER_ACTIVE, PARLEY_SYN_SENT);
		recv(&p, "F", 5, 0, 10);
		expect_none(&p);
		expect_state(&p, SYN_SENT);
		peer_done(&p);

		/* CLOSED answers whatever is no RST. */
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_CLOSED);
		recv(&p, "F", 5, 0, 10);
		if (letter(profile))
			expect(&p, "R.", 0u - p.iss.v, 16, 0);
		expect_none(&p);
		peer_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_ack_in_syn_received),
		cmocka_unit_test(test_syn_ack_of_a_simultaneous_open),
		cmocka_unit_test(test_text_on_a_syn_comes_again),
		cmocka_unit_test(test_text_on_a_syn_waits),
		cmocka_unit_test(test_text_on_a_syn_is_taken_once),
		cmocka_unit_test(test_text_on_a_syn_is_bounded),
		cmocka_unit_test(test_fin_on_a_syn),
		cmocka_unit_test(test_fin_on_a_syn_ack),
		cmocka_unit_test(test_same_syn_in_syn_received),
		cmocka_unit_test(test_another_syn_in_syn_received),
		cmocka_unit_test(test_another_syn_after_an_active_open),
		cmocka_unit_test(test_rst_in_syn_received),
		cmocka_unit_test(test_syns_are_repeated_for_three_minutes),
		cmocka_unit_test(test_no_room_for_the_third_step),
		cmocka_unit_test(test_tiny_mss),
		cmocka_unit_test(test_bad_options_of_a_syn),
		cmocka_unit_test(test_bare_segment_without_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
