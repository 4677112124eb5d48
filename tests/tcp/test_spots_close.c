/* SPDX-License-Identifier: MIT */
/*
 * Subtle spots (docs/decisions/015-subtle-spots.md) from the first FIN to the end of TIME-WAIT,
 * under both profiles. Numbers in front of the tests are the spots'.
 */
#include "peer.h"

#include "tcp/remnant.h"

static const uint64_t two_msl[PARLEY_PROFILE_COUNT] = {SEC(60), SEC(240)};

static bool letter(int profile)
{
	return profile == PARLEY_PROFILE_RFC;
}

/* TIME-WAIT, as a TCB or, when the user has let go of it, as a remnant. */
static void time_wait(struct peer *p, int profile, bool owned)
{
	peer_under(p, profile, PEER_ACTIVE, PARLEY_TIME_WAIT);
	if (!owned)
		assert_int_equal(user_release(&p->tcp, p->conn), 0);
	peer_step(p);
	assert_int_equal(p->tcp.remnants.used, !owned);
}

/* 18: a RST with the number of the FIN that came before it. */
static void test_rst_with_the_number_of_the_fin(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int state = PARLEY_ESTABLISHED; state < PARLEY_STATES; state++) {
			bool ends = state == PARLEY_CLOSE_WAIT || state == PARLEY_CLOSING ||
				    state == PARLEY_LAST_ACK;
			bool fin = ends || state == PARLEY_TIME_WAIT;

			peer_under(&p, profile, PEER_ACTIVE, (enum parley_state)state);
			recv(&p, "R", fin ? 1 : 0, 0, 0);
			expect_none(&p);
			assert_int_equal(peer_state(&p), ends && !letter(profile)
								 ? PARLEY_CLOSED
								 : (enum parley_state)state);
			peer_done(&p);
		}
}

/* 20: an exact RST ends TIME-WAIT, unless RFC 1337 is asked for; no other does. */
static void test_rst_in_time_wait(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int i = 0; i < 4; i++) {
			time_wait(&p, profile, i & 1);
			assert_int_equal(user_set(&p.tcp, PARLEY_NO_CONN,
						  PARLEY_SET_RST_KILLS_TIME_WAIT, i >> 1),
					 0);
			recv(&p, "R", 3, 0, 0);
			expect(&p, ".", 2, 2, 0);
			expect_state(&p, TIME_WAIT);
			recv(&p, "R", 2, 0, 0);
			expect_none(&p);
			assert_int_equal(peer_state(&p), i >> 1 ? PARLEY_CLOSED : PARLEY_TIME_WAIT);
			peer_done(&p);
		}
}

/* 21: a newer SYN for a listener; an older one. */
static void test_syn_in_time_wait(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int owned = 0; owned < 2; owned++) {
			struct sent sent;

			time_wait(&p, profile, owned);
			peer_listen(&p, 5);
			recv(&p, "S", 1, 0, 0);
			expect(&p, ".", 2, 2, 0);
			expect_state(&p, TIME_WAIT);
			peer_wait(&p, MS(600));
			p.edge_known = false;
			recv(&p, "S", 3, 0, 0);
			sent = next_sent(&p);
			if (letter(profile)) {
				assert_int_equal(sent.flags, TCP_ACK);
				assert_int_equal(sent.ack, 2);
				expect_state(&p, TIME_WAIT);
			} else {
				assert_int_equal(sent.flags, TCP_SYN | TCP_ACK);
				assert_int_equal(sent.ack, 4);
				assert_true((int32_t)(sent.seq - 2) >= 65537);
				expect_state(&p, SYN_RECEIVED);
			}
			peer_done(&p);
		}
}

/* 21: our own active OPEN; by the letter the connection exists until 2 MSL are over. */
static void test_connect_in_time_wait(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int owned = 0; owned < 2; owned++) {
			struct parley_open open = {.size = sizeof open};
			parley_conn conn;

			time_wait(&p, profile, owned);
			open.local = (struct parley_endpoint){p.tuple.local, p.tuple.local_port};
			open.remote = (struct parley_endpoint){p.tuple.remote, p.tuple.remote_port};
			p.edge_known = false;
			assert_int_equal(user_connect(&p.tcp, &open, 1, &conn),
					 letter(profile) ? -PARLEY_EADDRINUSE : 0);
			peer_step(&p);
			if (letter(profile)) {
				expect_none(&p);
				expect_state(&p, TIME_WAIT);
				peer_wait(&p, two_msl[profile] + REMNANT_TICK);
				assert_int_equal(user_connect(&p.tcp, &open, 1, &conn), 0);
				peer_step(&p);
			}
			assert_int_equal(next_sent(&p).flags, TCP_SYN);
			peer_done(&p);
		}
}

/* 22: 2 MSL begin anew with a repeated FIN and with nothing else; each is acknowledged. */
static void test_what_restarts_time_wait(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int owned = 0; owned < 2; owned++) {
			time_wait(&p, profile, owned);
			peer_wait(&p, two_msl[profile] - SEC(10));
			recv(&p, "F.", 1, 2, 0);
			expect(&p, ".", 2, 2, 0);
			peer_wait(&p, two_msl[profile] - SEC(10));
			expect_state(&p, TIME_WAIT);
			recv(&p, ".", 2, 2, 0);
			expect_none(&p);
			recv(&p, "P.", 1, 2, 1);
			expect(&p, ".", 2, 2, 0);
			recv(&p, "S", 0, 0, 0);
			expect(&p, ".", 2, 2, 0);
			recv(&p, "F.", 70000, 2, 0);
			peer_forget(&p);
			peer_wait(&p, SEC(10) + REMNANT_TICK);
			expect_state(&p, CLOSED);
			peer_done(&p);
		}
}

/* 23: how long TIME-WAIT lasts. */
static void test_two_msl(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int owned = 0; owned < 2; owned++) {
			time_wait(&p, profile, owned);
			peer_wait(&p, two_msl[profile] - 1);
			expect_state(&p, TIME_WAIT);
			peer_wait(&p, REMNANT_TICK + 1);
			expect_state(&p, CLOSED);
			peer_done(&p);
		}
}

/* 23: FIN-WAIT-2 is limited when nobody reads any more; by the letter never. */
static void test_fin_wait_2(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int reader = 0; reader < 2; reader++) {
			peer_under(&p, profile, PEER_ACTIVE, PARLEY_FIN_WAIT_2);
			if (!reader)
				assert_int_equal(user_release(&p.tcp, p.conn), 0);
			peer_wait(&p, SEC(59));
			expect_state(&p, FIN_WAIT_2);
			peer_wait(&p, SEC(86400));
			assert_int_equal(peer_state(&p), reader || letter(profile)
								 ? PARLEY_FIN_WAIT_2
								 : PARLEY_CLOSED);
			expect_none(&p);
			peer_done(&p);
		}
}

/* 24: CLOSE with unread data (SHLD-3). */
static void test_close_with_unread_data(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int fin = 0; fin < 2; fin++) {
			peer_under(&p, profile, PEER_ACTIVE, PARLEY_ESTABLISHED);
			recv(&p, fin ? "F." : "P.", 1, 1, 20);
			peer_forget(&p);
			assert_int_equal(user_close(&p.tcp, p.conn), 0);
			peer_step(&p);
			expect(&p, "R.", 1, fin ? 22 : 21, 0);
			expect_state(&p, CLOSED);
			peer_done(&p);
		}
}

/* 24: also when our FIN is on its way: the peer may never get it from a TCB that is gone. */
static void test_close_with_unread_data_behind_our_fin(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int closing = 0; closing < 2; closing++) {
			peer_under(&p, profile, PEER_ACTIVE, PARLEY_ESTABLISHED);
			recv(&p, closing ? "P." : "F.", 1, 1, 20);
			assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
			peer_step(&p);
			if (closing)
				recv(&p, "F.", 21, 1, 0);
			assert_int_equal(peer_tcb(&p)->state,
					 closing ? PARLEY_CLOSING : PARLEY_LAST_ACK);
			peer_forget(&p);
			assert_int_equal(user_close(&p.tcp, p.conn), 0);
			peer_step(&p);
			expect(&p, "R.", 2, 22, 0);
			expect_state(&p, CLOSED);
			peer_done(&p);
		}
}

/* 25: data after CLOSE is answered by RST; after a shutdown of sending alone it is received. */
static void test_text_after_close(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int state = PARLEY_FIN_WAIT_1; state <= PARLEY_FIN_WAIT_2; state++) {
			uint32_t ack = state == PARLEY_FIN_WAIT_1 ? 1 : 2;

			peer_under(&p, profile, PEER_ACTIVE, (enum parley_state)state);
			recv(&p, "P.", 1, ack, 20);
			user_receives(&p, 20);
			assert_int_equal(user_close(&p.tcp, p.conn), 0);
			peer_step(&p);
			expect_none(&p);
			recv(&p, "P.", 21, ack, 20);
			assert_int_equal(next_sent(&p).flags, TCP_RST);
			expect_state(&p, CLOSED);
			peer_done(&p);
		}
}

/* 27: a FIN before its turn waits; what lies behind it is dropped. */
static void test_fin_out_of_order(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_ESTABLISHED);
		recv(&p, "F.", 11, 1, 10);
		expect(&p, ".", 1, 1, 0);
		recv(&p, "P.", 22, 1, 10);
		expect_state(&p, ESTABLISHED);
		assert_int_equal(p.tcp.drops[PARLEY_DROP_TEXT_AFTER_FIN], 1);
		recv(&p, "P.", 1, 1, 10);
		expect(&p, ".", 1, 22, 0);
		expect_state(&p, CLOSE_WAIT);
		user_receives(&p, 20);
		peer_done(&p);
	}
}

/*
 * A RST behind both FINs is told to the user, who may have lost what he sent, but takes nothing
 * from the stream that had come whole.
 */
static void test_rst_behind_both_fins(void **unused)
{
	(void)unused;
	for (int i = 0; i < 2 * PARLEY_PROFILE_COUNT; i++) {
		enum parley_state state = i & 1 ? PARLEY_LAST_ACK : PARLEY_CLOSING;
		struct peer p;
		char byte;
		int error;

		peer_under(&p, i / 2, PEER_ACTIVE, PARLEY_ESTABLISHED);
		if (state == PARLEY_CLOSING)
			assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
		peer_step(&p);
		recv(&p, "F.", 1, 1, 10);
		if (state == PARLEY_LAST_ACK)
			assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
		peer_step(&p);
		assert_int_equal(peer_state(&p), state);
		peer_forget(&p);
		recv(&p, "R", 12, 0, 0);
		expect_none(&p);
		expect_state(&p, CLOSED);
		assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
		assert_int_equal(error, PARLEY_ECONNRESET);
		user_receives(&p, 10);
		assert_int_equal(user_receive(&p.tcp, p.conn, &byte, 1), -PARLEY_ECONNRESET);
		assert_int_equal(user_receive(&p.tcp, p.conn, &byte, 1), 0);
		peer_done(&p);
	}
}

/* 28, UNL-6: our FIN is sent again in each state that waits for its ACK. */
static void test_own_fin_is_repeated(void **unused)
{
	static const enum parley_state states[] = {PARLEY_FIN_WAIT_1, PARLEY_CLOSING,
						   PARLEY_LAST_ACK};
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int i = 0; i < 3; i++) {
			uint32_t nxt = i ? 2 : 1;

			peer_under(&p, profile, PEER_ACTIVE, states[i]);
			peer_wait(&p, SEC(7));
			for (int n = 0; n < (letter(profile) ? 3 : 5); n++)
				expect(&p, "F.", 1, nxt, 0);
			expect_none(&p);
			assert_int_equal(peer_state(&p), states[i]);
			peer_done(&p);
		}
}

/* 28: the peer's, repeated, gets its ACK each time, in each state that has received it. */
static void test_repeated_fin_is_acknowledged(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int state = PARLEY_CLOSE_WAIT; state < PARLEY_STATES; state++) {
			uint32_t nxt = state == PARLEY_CLOSE_WAIT ? 1 : 2;

			peer_under(&p, profile, PEER_ACTIVE, (enum parley_state)state);
			for (int n = 0; n < 5; n++) {
				recv(&p, "F.", 1, 1, 0);
				expect(&p, ".", nxt, 2, 0);
				expect_none(&p);
			}
			assert_int_equal(peer_state(&p), state);
			peer_done(&p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rst_with_the_number_of_the_fin),
		cmocka_unit_test(test_rst_in_time_wait),
		cmocka_unit_test(test_syn_in_time_wait),
		cmocka_unit_test(test_connect_in_time_wait),
		cmocka_unit_test(test_what_restarts_time_wait),
		cmocka_unit_test(test_two_msl),
		cmocka_unit_test(test_fin_wait_2),
		cmocka_unit_test(test_close_with_unread_data),
		cmocka_unit_test(test_close_with_unread_data_behind_our_fin),
		cmocka_unit_test(test_text_after_close),
		cmocka_unit_test(test_fin_out_of_order),
		cmocka_unit_test(test_rst_behind_both_fins),
		cmocka_unit_test(test_own_fin_is_repeated),
		cmocka_unit_test(test_repeated_fin_is_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
