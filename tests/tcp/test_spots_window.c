/* SPDX-License-Identifier: MIT */
/*
 * Subtle spots (docs/decisions/015-subtle-spots.md) of acknowledgements and windows, under both
 * profiles. Numbers in front of the tests are the spots'.
 */
#include "peer.h"

enum { WINDOW = 1000, EDGE = WINDOW + 1 };

static bool letter(int profile)
{
	return profile == PARLEY_PROFILE_RFC;
}

/* ESTABLISHED, with a window of 1000 bytes: 1..1000. */
static void small(struct peer *p, int profile)
{
	peer_init(p);
	p->where = parley_profile_name(profile);
	peer_profile(p, (enum parley_profile)profile);
	peer_set(p, PARLEY_SET_RECEIVE_BUFFER, WINDOW);
	peer_set(p, PARLEY_SET_WINDOW_SCALE, 0);
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
}

/* The same with the window full. */
static void full(struct peer *p, int profile)
{
	small(p, profile);
	recv(p, "P.", 1, 1, WINDOW);
	peer_wait(p, MS(40));
	assert_int_equal(expect(p, ".", 1, EDGE, 0).wnd, 0);
}

static uint32_t una(struct peer *p)
{
	return peer_tcb(p)->snd.una.v - p->iss.v;
}

/* 2: it acknowledges what was not sent: an ACK, not too often, and the text is not taken. */
static void test_ack_of_what_was_not_sent(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		small(&p, profile);
		recv(&p, "P.", 1, 2, 10);
		assert_int_equal(expect(&p, ".", 1, 1, 0).why, PARLEY_WHY_CHALLENGE);
		recv(&p, "P.", 1, 2, 10);
		expect_none(&p);
		assert_int_equal(user_ready(&p.tcp, p.conn) & PARLEY_READABLE, 0);
		assert_int_equal(p.tcp.drops[PARLEY_DROP_ACK_UNSENT], 2);
		peer_wait(&p, MS(500));
		recv(&p, "P.", 1, 2, 10);
		expect(&p, ".", 1, 1, 0);
		peer_done(&p);
	}
}

/* RFC 5961 4.2: a SYN left of the window is challenged, and what follows it is not taken. */
static void test_syn_left_of_the_window(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		small(&p, profile);
		recv(&p, "P.", 1, 1, 20);
		user_receives(&p, 20);
		peer_forget(&p);
		recv(&p, "SF.", 10, 1, 100);
		assert_int_equal(expect(&p, ".", 1, 21, 0).why, PARLEY_WHY_CHALLENGE);
		assert_int_equal(p.tcp.drops[PARLEY_DROP_SYN_CHALLENGED], 1);
		expect_state(&p, ESTABLISHED);
		assert_int_equal(user_ready(&p.tcp, p.conn) & PARLEY_READABLE, 0);
		peer_done(&p);
	}
}

/* 3: an old ACK with text; of bytes that never were, and older than any window. */
static void test_old_ack_with_text(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		small(&p, profile);
		recv(&p, "P.", 1, 0u - 60000, 10);
		assert_int_equal(expect(&p, ".", 1, 1, 0).why, PARLEY_WHY_CHALLENGE);
		peer_wait(&p, MS(500));
		recv(&p, "P.", 1, 0u - 100, 10);
		if (letter(profile)) {
			user_receives(&p, 10);
		} else {
			assert_int_equal(expect(&p, ".", 1, 1, 0).why, PARLEY_WHY_CHALLENGE);
			assert_int_equal(p.tcp.drops[PARLEY_DROP_ACK_TOO_OLD], 2);
			/* The SYN was sent: its number is old, but real. */
			recv(&p, "P.", 1, 0, 10);
			user_receives(&p, 10);
		}
		peer_done(&p);
	}
}

/* 4: an empty segment at the right edge. Is its ACK seen? */
static void test_empty_segment_at_the_right_edge(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		small(&p, profile);
		user_sends(&p, 10);
		expect(&p, "P.", 1, 1, 10);
		recv(&p, ".", EDGE - 1, 6, 0);
		assert_int_equal(una(&p), 6);
		recv(&p, ".", EDGE, 11, 0);
		assert_int_equal(una(&p), letter(profile) ? 6 : 11);
		if (letter(profile))
			expect(&p, ".", 11, 1, 0);
		expect_none(&p);
		peer_wait(&p, MS(600));
		peer_forget(&p);
		recv(&p, ".", EDGE + 1, 11, 0);
		expect(&p, ".", 11, 1, 0);
		peer_done(&p);
	}
}

/* 4: and one between the last ACK that was sent and RCV.NXT. */
static void test_empty_segment_behind_the_last_ack(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		small(&p, profile);
		user_sends(&p, 10);
		expect(&p, "P.", 1, 1, 10);
		recv(&p, "P.", 1, 1, 10); /* the ACK of it is delayed */
		recv(&p, ".", 5, 11, 0);
		assert_int_equal(una(&p), letter(profile) ? 1 : 11);
		if (letter(profile))
			expect(&p, ".", 11, 11, 0);
		expect_none(&p);
		peer_done(&p);
	}
}

/* 5: text across the right edge is cut there, to the byte. */
static void test_text_across_the_right_edge(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		small(&p, profile);
		recv(&p, "FP.", 1, 1, WINDOW + 100);
		peer_wait(&p, MS(40));
		assert_int_equal(expect(&p, ".", 1, EDGE, 0).wnd, 0);
		user_receives(&p, WINDOW);
		assert_int_equal(user_ready(&p.tcp, p.conn) & PARLEY_READABLE, 0);
		expect_state(&p, ESTABLISHED);
		peer_done(&p);
	}
}

/* 6: a full window: text is dropped, its ACK and its window are not (MUST-66). */
static void test_text_at_zero_window(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		full(&p, profile);
		user_sends(&p, 10);
		expect(&p, "P.", 1, EDGE, 10);
		p.wnd = 777;
		recv(&p, "P.", EDGE, 11, 10);
		assert_int_equal(expect(&p, ".", 11, EDGE, 0).wnd, 0);
		expect_none(&p);
		assert_int_equal(una(&p), 11);
		assert_int_equal(peer_tcb(&p)->snd.wnd, 777);
		user_receives(&p, WINDOW);
		assert_int_equal(user_ready(&p.tcp, p.conn) & PARLEY_READABLE, 0);
		peer_done(&p);
	}
}

/* 7: a FIN when there is no room: by the letter it comes again once there is. */
static void test_fin_at_zero_window(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		full(&p, profile);
		recv(&p, "F.", EDGE, 1, 0);
		expect(&p, ".", 1, letter(profile) ? EDGE : EDGE + 1, 0);
		expect_none(&p);
		assert_int_equal(peer_state(&p),
				 letter(profile) ? PARLEY_ESTABLISHED : PARLEY_CLOSE_WAIT);
		user_receives(&p, WINDOW);
		peer_forget(&p);
		recv(&p, "F.", EDGE, 1, 0);
		expect(&p, ".", 1, EDGE + 1, 0);
		expect_state(&p, CLOSE_WAIT);
		peer_done(&p);
	}
}

/* 7: the same of a FIN behind text that fills the window to its last byte. */
static void test_fin_right_behind_a_window_of_text(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		small(&p, profile);
		recv(&p, "F.", 1, 1, WINDOW);
		peer_wait(&p, MS(40));
		expect(&p, ".", 1, letter(profile) ? EDGE : EDGE + 1, 0);
		assert_int_equal(peer_state(&p),
				 letter(profile) ? PARLEY_ESTABLISHED : PARLEY_CLOSE_WAIT);
		peer_done(&p);
	}
}

/* 8, UNL-7: our probe is an octet of new data; both forms of the peer's are answered. */
static void test_both_forms_of_probes(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		full(&p, profile);
		recv(&p, ".", EDGE, 1, 1);
		expect(&p, ".", 1, EDGE, 0);
		recv(&p, ".", EDGE - 1, 1, 0);
		expect(&p, ".", 1, EDGE, 0);
		p.wnd = 0;
		recv(&p, ".", EDGE, 1, 0);
		user_sends(&p, 10);
		expect_none(&p);
		peer_wait(&p, SEC(1));
		expect(&p, ".", 1, EDGE, 1);
		peer_done(&p);
	}
}

/* For `seconds` of time every probe is answered: the window is still shut at `ack`. */
static void answer_probes(struct peer *p, uint32_t ack, int seconds)
{
	for (int i = 0; i < seconds; i++) {
		peer_wait(p, SEC(1));
		if (!p->sent_count)
			continue;
		peer_forget(p);
		recv(p, ".", 1, ack, 0);
	}
}

/* 9: probing goes on for as long as it is answered (MUST-37), and R2 longer. */
static void test_answered_probes_have_no_end(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_ESTABLISHED);
		p.wnd = 0;
		recv(&p, ".", 1, 1, 0);
		user_sends(&p, 10);
		answer_probes(&p, 1, 2000);
		expect_state(&p, ESTABLISHED);
		/* The last answer may be as old as two probes are apart. */
		peer_wait(&p, (uint64_t)p.tcp.settings->v[PARLEY_SET_R2] - SEC(125));
		expect_state(&p, ESTABLISHED);
		peer_wait(&p, SEC(400));
		expect_state(&p, CLOSED);
		peer_done(&p);
	}
}

/* 9: probes that are further apart than R2 say nothing of an answer to the last one. */
static void test_answered_probes_further_apart_than_r2(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int under_way = 0; under_way < 2; under_way++) {
			peer_under(&p, profile, PEER_ACTIVE, PARLEY_ESTABLISHED);
			peer_set(&p, PARLEY_SET_R2, PARLEY_S(20));
			if (under_way)
				user_sends(&p, 10);
			p.wnd = 0;
			recv(&p, ".", 1, 1, 0);
			if (!under_way)
				user_sends(&p, 10);
			answer_probes(&p, 1, 1000);
			expect_state(&p, ESTABLISHED);
			/* The next probe, and the one after it: unanswered for more than R2. */
			peer_wait(&p, SEC(300));
			expect_state(&p, CLOSED);
			peer_done(&p);
		}
}

/*
 * 10, MUST-34, MUST-35, SHLD-15, SHLD-17: the peer takes its window back; nothing new goes, and
 * nothing is given up for that.
 */
static void test_peer_shrinks_its_window(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_ESTABLISHED);
		peer_set(&p, PARLEY_SET_R2, PARLEY_S(20));
		user_sends(&p, 3000);
		peer_forget(&p);
		p.wnd = 500;
		recv(&p, ".", 1, 1, 0);
		user_sends(&p, 1000);
		expect_none(&p);
		peer_wait(&p, SEC(1));
		assert_true(p.sent_count > 0);
		while (p.sent_count) /* what is inside the window goes again, and nothing else */
			assert_int_equal(next_sent(&p).seq, 1);
		p.wnd = 0;
		recv(&p, ".", 1, 501, 0);
		answer_probes(&p, 501, 100);
		expect_state(&p, ESTABLISHED);
		p.wnd = 50000;
		recv(&p, ".", 1, 501, 0);
		assert_int_equal(next_sent(&p).seq, 501);
		peer_done(&p);
	}
}

/* 10: we do not, whatever becomes of the buffer. peer.c watches the edge. */
static void test_own_window_never_shrinks(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_ESTABLISHED);
		peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 2000);
		for (uint32_t i = 0; i < 10; i++)
			recv(&p, "P.", 1 + 1000 * i, 1, 1000);
		peer_wait(&p, MS(40));
		user_receives(&p, 10000);
		peer_done(&p);
	}
}

/* 11: nor by what scaling rounds off: never by a unit, and not beyond the buffer for ever. */
static void test_rounding_of_a_scaled_window(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		uint32_t at = 1;

		peer_init(&p);
		peer_profile(&p, (enum parley_profile)profile);
		p.wscale = 7;
		peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 1 << 20);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		assert_int_equal(p.rcv_shift, 5);
		for (uint32_t i = 1; i < 400; i++) {
			recv(&p, "P.", at, 1, i % 40 + 1);
			at += i % 40 + 1;
			peer_wait(&p, MS(40));
			assert_true(seq_leq(p.edge, seq_add(p.irs, 1 + (1u << 20) + 32)));
			peer_forget(&p);
		}
		peer_done(&p);
	}
}

/* 19: a RST at the right edge of what is held out of order is in the window, not exact. */
static void test_rst_behind_text_out_of_order(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		small(&p, profile);
		recv(&p, "P.", 11, 1, 10);
		expect(&p, ".", 1, 1, 0);
		recv(&p, "R", 21, 0, 0);
		assert_int_equal(expect(&p, ".", 1, 1, 0).why, PARLEY_WHY_CHALLENGE);
		expect_state(&p, ESTABLISHED);
		peer_done(&p);
	}
}

/* 34: numbers around 2^31 and 2^32, and ACKs half the space away, which are in no range. */
static void test_half_the_number_space_away(void **unused)
{
	static const uint32_t isses[] = {0x7ffffff0, 0x80000000, 0xfffffff0, 0};
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int i = 0; i < 4; i++) {
			peer_init_at(&p, isses[i], ~isses[i]);
			peer_profile(&p, (enum parley_profile)profile);
			peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
			for (uint32_t off = 0; off < 3; off++) {
				recv(&p, "P.", 1, 0x80000000 + off, 10);
				expect(&p, ".", 1, 1, 0);
				expect_none(&p);
				peer_wait(&p, MS(500));
			}
			assert_int_equal(una(&p), 1);
			user_sends(&p, 100);
			expect(&p, "P.", 1, 1, 100);
			recv(&p, "P.", 1, 101, 100);
			user_receives(&p, 100);
			assert_int_equal(una(&p), 101);
			peer_done(&p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ack_of_what_was_not_sent),
		cmocka_unit_test(test_syn_left_of_the_window),
		cmocka_unit_test(test_old_ack_with_text),
		cmocka_unit_test(test_empty_segment_at_the_right_edge),
		cmocka_unit_test(test_empty_segment_behind_the_last_ack),
		cmocka_unit_test(test_text_across_the_right_edge),
		cmocka_unit_test(test_text_at_zero_window),
		cmocka_unit_test(test_fin_at_zero_window),
		cmocka_unit_test(test_fin_right_behind_a_window_of_text),
		cmocka_unit_test(test_both_forms_of_probes),
		cmocka_unit_test(test_answered_probes_have_no_end),
		cmocka_unit_test(test_answered_probes_further_apart_than_r2),
		cmocka_unit_test(test_peer_shrinks_its_window),
		cmocka_unit_test(test_own_window_never_shrinks),
		cmocka_unit_test(test_rounding_of_a_scaled_window),
		cmocka_unit_test(test_rst_behind_text_out_of_order),
		cmocka_unit_test(test_half_the_number_space_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
