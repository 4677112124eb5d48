/* SPDX-License-Identifier: MIT */
/*
 * SEGMENT ARRIVES (RFC 9293 3.10.7), what a cell of state, kind of segment and place does not show
 * (test_cells_segments.c has those). What is expected was written by hand from the RFC, with RFC
 * 5961 and appendix A.2 where they say more.
 *
 * The window is 1000 bytes: 1..1000, or 2..1001 where the peer's FIN has been received.
 */
#include "peer.h"

enum { EDGE = 1001 }; /* the right edge: the first number outside */

/* The states of 3.10.7.4. */
static const enum parley_state columns[] = {
	PARLEY_SYN_RECEIVED, PARLEY_ESTABLISHED, PARLEY_FIN_WAIT_1, PARLEY_FIN_WAIT_2,
	PARLEY_CLOSE_WAIT,   PARLEY_CLOSING,	 PARLEY_LAST_ACK,   PARLEY_TIME_WAIT,
};

enum { COLUMNS = sizeof columns / sizeof *columns };

static const struct {
	uint32_t iss, irs;
} numbers[] = {
	{1000, 300000},
	{0xffffffff, 0xfffffff0},
	{0x7ffffffe, 0x7fffff00},
	{0xfffffc00, 0x7ffffffc},
};

static bool fin_sent(enum parley_state state)
{
	return state == PARLEY_FIN_WAIT_1 || state == PARLEY_FIN_WAIT_2 ||
	       state == PARLEY_CLOSING || state == PARLEY_LAST_ACK || state == PARLEY_TIME_WAIT;
}

static bool fin_received(enum parley_state state)
{
	return state == PARLEY_CLOSE_WAIT || state == PARLEY_CLOSING || state == PARLEY_LAST_ACK ||
	       state == PARLEY_TIME_WAIT;
}

static void open_small(struct peer *p, unsigned i, enum peer_how how, enum parley_state state)
{
	peer_init_at(p, numbers[i % 4].iss, numbers[i % 4].irs);
	peer_set(p, PARLEY_SET_RECEIVE_BUFFER, EDGE - 1);
	peer_set(p, PARLEY_SET_WINDOW_SCALE, 0);
	peer_reach(p, how, state);
}

/* UNL-15, fifth: an ACK of what was not sent, and one that is too old (RFC 5961 5.2). */
static void test_unacceptable_ack(void **unused)
{
	(void)unused;
	for (unsigned c = 0; c < COLUMNS; c++)
		for (unsigned i = 0; i < 8; i++) {
			uint32_t nxt = fin_received(columns[c]) ? 2 : 1;
			uint32_t snd = fin_sent(columns[c]) ? 2 : 1;
			bool old = i >= 4;
			struct peer p;

			open_small(&p, i, PEER_ACTIVE, columns[c]);
			recv(&p, ".", nxt, old ? snd - 60000 : snd + 1, 0);
			if (columns[c] == PARLEY_SYN_RECEIVED)
				expect(&p, "R", old ? snd - 60000 : snd + 1, 0, 0);
			else
				assert_int_equal(expect(&p, ".", snd, nxt, 0).why,
						 PARLEY_WHY_CHALLENGE);
			expect_none(&p);
			assert_int_equal(peer_state(&p), columns[c]);
			peer_done(&p);
		}
}

/* A text that comes with an unacceptable ACK is not taken. */
static void test_text_with_unacceptable_ack(void **unused)
{
	struct peer p;

	(void)unused;
	open_small(&p, 0, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "P.", 1, 2, 10);
	expect(&p, ".", 1, 1, 0);
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(user_ready(&p.tcp, p.conn) & PARLEY_READABLE, 0);
	/* RFC 5961 7: the next challenge comes not before the interval has passed. */
	recv(&p, ".", 1, 2, 0);
	expect_none(&p);
	peer_wait(&p, MS(500));
	recv(&p, ".", 1, 2, 0);
	expect(&p, ".", 1, 1, 0);
	peer_done(&p);
}

/* UNL-4, 3.10.7.1: the RST takes its numbers from the segment. */
static void test_closed(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 0xfffffff0, 0xfffffff0);
	recv(&p, "S", 0, 0, 0);
	expect(&p, "R.", 0 - p.iss.v, 1, 0);
	recv(&p, "S", 5, 0, 100);
	expect(&p, "R.", 0 - p.iss.v, 106, 0);
	recv(&p, ".", 5, 77, 3);
	expect(&p, "R", 77, 0, 0);
	recv(&p, "F.", 5, 78, 3);
	expect(&p, "R", 78, 0, 0);
	recv(&p, "S.", 5, 79, 0);
	expect(&p, "R", 79, 0, 0);
	recv(&p, "R", 5, 0, 0);
	recv(&p, "R.", 5, 77, 0);
	recv(&p, "-", 5, 0, 10);
	recv(&p, "F", 5, 0, 10);
	expect_none(&p);
	peer_done(&p);
}

/* 3.10.7.2, for a listener and for a TCB in LISTEN. */
static void test_listen(void **unused)
{
	(void)unused;
	for (int how = PEER_PASSIVE; how <= PEER_LISTENER; how++) {
		struct peer p;

		open_small(&p, 1, (enum peer_how)how, PARLEY_LISTEN);
		recv(&p, "R", 0, 0, 0);
		recv(&p, "R.", 0, 3, 0);
		recv(&p, "SR", 0, 0, 0);
		expect_none(&p);
		recv(&p, ".", 0, 5, 0);
		expect(&p, "R", 5, 0, 0);
		recv(&p, "S.", 0, 6, 0);
		expect(&p, "R", 6, 0, 0);
		recv(&p, "F.", 0, 7, 1);
		expect(&p, "R", 7, 0, 0);
		recv(&p, "-", 0, 0, 1);
		recv(&p, "SF", 0, 0, 0);
		expect_none(&p);
		expect_state(&p, LISTEN);
		/* 3.10.7.2: text on the SYN is not taken, so only the SYN is acknowledged. */
		recv(&p, "S", 0, 0, 100);
		expect(&p, "S.", 0, 1, 0);
		/* edge LISTEN SYN-RECEIVED */
		expect_state(&p, SYN_RECEIVED);
		recv(&p, "P.", 1, 1, 100);
		expect_none(&p);
		/* edge SYN-RECEIVED ESTABLISHED */
		expect_state(&p, ESTABLISHED);
		if (how == PEER_LISTENER)
			assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
		user_receives(&p, 100);
		peer_done(&p);
	}
}

/* UNL-9, UNL-16, 3.10.7.3: what the ACK and the RST must be, and what else is dropped. */
static void test_syn_sent(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		struct peer p;

		open_small(&p, i, PEER_ACTIVE, PARLEY_SYN_SENT);
		recv(&p, ".", 0, 0, 0);
		expect(&p, "R", 0, 0, 0);
		recv(&p, "S.", 0, 2, 0);
		expect(&p, "R", 2, 0, 0);
		recv(&p, "S.", 0, 0, 0);
		expect(&p, "R", 0, 0, 0);
		recv(&p, "R.", 0, 2, 0);
		recv(&p, "R.", 0, 0, 0);
		recv(&p, "R", 0, 0, 0);
		recv(&p, "R", 0, 1, 0);
		/* Fifth: not even an acceptable ACK helps without SYN or RST; nor does FIN. */
		recv(&p, ".", 0, 1, 10);
		recv(&p, "F.", 0, 1, 0);
		expect_none(&p);
		expect_state(&p, SYN_SENT);
		recv(&p, "R.", 12345, 1, 0);
		expect_none(&p);
		/* edge SYN-SENT CLOSED */
		expect_state(&p, CLOSED);
		peer_done(&p);
	}
}

static void test_refused_is_told(void **unused)
{
	struct peer p;
	int error;

	(void)unused;
	open_small(&p, 0, PEER_ACTIVE, PARLEY_SYN_SENT);
	recv(&p, "R.", 0, 1, 0);
	assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
	assert_int_equal(error, PARLEY_ECONNREFUSED);
	assert_int_equal(user_receive(&p.tcp, p.conn, &error, 1), -PARLEY_ECONNREFUSED);
	assert_int_equal(user_receive(&p.tcp, p.conn, &error, 1), 0);
	peer_done(&p);
}

/* Text and FIN on the SYN,ACK are processed at once (3.10.7.3, fourth). */
static void test_syn_ack_with_text_and_fin(void **unused)
{
	struct peer p;

	(void)unused;
	open_small(&p, 1, PEER_ACTIVE, PARLEY_SYN_SENT);
	recv(&p, "SF.", 0, 1, 20);
	expect(&p, ".", 1, 22, 0);
	expect_none(&p);
	expect_state(&p, CLOSE_WAIT);
	user_receives(&p, 20);
	assert_int_equal(user_receive(&p.tcp, p.conn, &p, 1), 0);
	peer_done(&p);
}

/*
 * MUST-11: a listener's and a passive OPEN's SYN-RECEIVED return to LISTEN (second, SYN-RECEIVED).
 */
static void test_reset_returns_to_listen(void **unused)
{
	(void)unused;
	for (int how = PEER_PASSIVE; how <= PEER_LISTENER; how++)
		for (unsigned i = 0; i < 4; i++) {
			struct peer p;

			open_small(&p, i, (enum peer_how)how, PARLEY_SYN_RECEIVED);
			recv(&p, "R", 0, 0, 0);
			recv(&p, "R", EDGE, 0, 0);
			expect_none(&p);
			recv(&p, "R", 500, 0, 0);
			expect(&p, ".", 1, 1, 0);
			expect_state(&p, SYN_RECEIVED);
			recv(&p, "R", 1, 0, 0);
			expect_none(&p);
			/* edge SYN-RECEIVED LISTEN */
			expect_state(&p, LISTEN);
			assert_int_equal(peer_events(&p, p.conn, NULL), 0);
			p.edge_known = false;
			recv(&p, "S", 0, 0, 0);
			p.iss = seq_add(p.iss, p.sent[p.sent_first].seq);
			peer_next(&p, __FILE__, __LINE__);
			recv(&p, ".", 1, 1, 0);
			expect_state(&p, ESTABLISHED);
			peer_done(&p);
		}
}

static void break_off(struct peer *p, unsigned way)
{
	if (way == 0)
		recv(p, "R", 1, 0, 0);
	else if (way == 1)
		recv(p, "S", 1, 0, 0); /* "syn-relistens" */
	else
		peer_wait(p, SEC(600));
	expect_state(p, LISTEN);
	peer_forget(p);
}

/* Another peer's handshake, from LISTEN. */
static void another_peer(struct peer *p)
{
	p->tuple.remote_port++;
	p->edge_known = false;
	p->irs = seq(p->irs.v + 1000000);
	recv(p, "S", 0, 0, 0);
	p->iss = peer_tcb(p)->iss;
	peer_forget(p);
	recv(p, ".", 1, 1, 0);
	expect_state(p, ESTABLISHED);
}

/*
 * What the user of a passive OPEN has sent, or reserved, for a handshake that breaks off does not
 * reach whoever comes next: that stream begins with what is sent from then on.
 */
static void test_text_for_a_broken_handshake_is_gone(void **unused)
{
	(void)unused;
	for (unsigned way = 0; way < 3; way++) {
		struct parley_buffer buffer;
		struct peer p;

		peer_init(&p);
		peer_set(&p, PARLEY_SET_SYN_RELISTENS, 1);
		peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
		user_sends(&p, 3000);
		assert_int_equal(user_reserve(&p.tcp, p.conn, 100, &buffer, 1), 1);
		break_off(&p, way);
		assert_int_equal(user_commit(&p.tcp, p.conn, 1, 0), -PARLEY_EDESTADDRREQ);
		p.written = 0;
		another_peer(&p);
		expect_none(&p);
		assert_int_equal(user_commit(&p.tcp, p.conn, 1, 0), -PARLEY_EINVAL);
		user_sends(&p, 10);
		expect(&p, "P.", 1, 1, 10);
		expect_none(&p);
		peer_done(&p);
	}
}

/* The FIN's acknowledgement: (b) of the traps, and that it may come with the peer's FIN. */
static void test_ack_of_our_fin(void **unused)
{
	static const struct {
		enum parley_state from;
		const char *flags;
		uint32_t len;
		enum parley_state to;
	} steps[] = {
		{PARLEY_FIN_WAIT_1, ".", 0, PARLEY_FIN_WAIT_2},
		{PARLEY_FIN_WAIT_1, "P.", 10, PARLEY_FIN_WAIT_2},
		{PARLEY_FIN_WAIT_1, "F.", 0, PARLEY_TIME_WAIT},
		{PARLEY_FIN_WAIT_1, "F.", 10, PARLEY_TIME_WAIT},
		{PARLEY_CLOSING, ".", 0, PARLEY_TIME_WAIT},
		{PARLEY_LAST_ACK, ".", 0, PARLEY_CLOSED},
	};

	(void)unused;
	for (unsigned k = 0; k < sizeof steps / sizeof *steps; k++)
		for (unsigned i = 0; i < 4; i++) {
			struct peer p;
			uint32_t nxt = fin_received(steps[k].from) ? 2 : 1;

			open_small(&p, i, PEER_ACTIVE, steps[k].from);
			recv(&p, steps[k].flags, nxt, 2, steps[k].len);
			if (steps[k].to == PARLEY_TIME_WAIT && steps[k].from == PARLEY_FIN_WAIT_1)
				expect(&p, ".", 2, nxt + steps[k].len + 1, 0);
			expect_none(&p);
			/* edge FIN-WAIT-1 FIN-WAIT-2 */
			/* edge FIN-WAIT-1 TIME-WAIT */
			/* edge CLOSING TIME-WAIT */
			/* edge LAST-ACK CLOSED */
			assert_int_equal(peer_state(&p), steps[k].to);
			peer_done(&p);
		}
}

/* A FIN that comes before its turn waits for what is missing; what lies behind it is dropped. */
static void test_fin_out_of_order(void **unused)
{
	struct peer p;

	(void)unused;
	open_small(&p, 1, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "F.", 11, 1, 10);
	expect(&p, ".", 1, 1, 0);
	recv(&p, "P.", 22, 1, 10);
	expect_none(&p);
	recv(&p, "P.", 1, 1, 10);
	expect(&p, ".", 1, 22, 0);
	expect_none(&p);
	expect_state(&p, CLOSE_WAIT);
	user_receives(&p, 20);
	peer_done(&p);
}

/*
 * Text that a contradictory peer sent behind its own FIN, before the FIN was known: the stream
 * still ends at the FIN.
 */
static void test_text_held_beyond_a_fin_does_not_hide_it(void **unused)
{
	struct peer p;

	(void)unused;
	open_small(&p, 2, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "P.", 11, 1, 50);
	recv(&p, "F.", 11, 1, 0);
	peer_forget(&p);
	recv(&p, "P.", 1, 1, 10);
	expect(&p, ".", 1, 12, 0);
	expect_state(&p, CLOSE_WAIT);
	user_receives(&p, 10);
	peer_done(&p);
}

/* MUST-66: with a zero window ACK, RST and URG of a segment at RCV.NXT count, its text does not. */
static void test_zero_window(void **unused)
{
	static const enum parley_state states[] = {PARLEY_ESTABLISHED, PARLEY_FIN_WAIT_1,
						   PARLEY_FIN_WAIT_2};

	(void)unused;
	for (unsigned k = 0; k < 3; k++)
		for (unsigned i = 0; i < 4; i++) {
			uint32_t snd = k ? 2 : 1, una = k == 2 ? 2 : 1;
			struct peer p;

			open_small(&p, i, PEER_ACTIVE, states[k]);
			recv(&p, "P.", 1, una, 1000);
			peer_wait(&p, MS(40));
			assert_int_equal(expect(&p, ".", snd, EDGE, 0).wnd, 0);
			recv(&p, "P.", EDGE, una, 10);
			assert_int_equal(expect(&p, ".", snd, EDGE, 0).wnd, 0);
			recv(&p, "R", EDGE + 1, 0, 0);
			recv(&p, "R", EDGE - 1, 0, 0);
			expect_none(&p);
			/* The ACK of a probe: here it acknowledges our FIN. */
			recv(&p, "P.", EDGE, snd, 10);
			expect(&p, ".", snd, EDGE, 0);
			assert_int_equal(peer_state(&p), k == 1 ? PARLEY_FIN_WAIT_2 : states[k]);
			/* A bare FIN needs no room. */
			recv(&p, "F.", EDGE, snd, 0);
			expect(&p, ".", snd, EDGE + 1, 0);
			expect_none(&p);
			assert_int_equal(peer_state(&p), k ? PARLEY_TIME_WAIT : PARLEY_CLOSE_WAIT);
			user_receives(&p, 1000);
			peer_done(&p);
		}
}

static void test_reset_at_zero_window(void **unused)
{
	struct peer p;
	int error;

	(void)unused;
	open_small(&p, 0, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "P.", 1, 1, 1000);
	peer_wait(&p, MS(40));
	peer_forget(&p);
	recv(&p, "R", EDGE, 0, 0);
	expect_none(&p);
	expect_state(&p, CLOSED);
	assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
	assert_int_equal(error, PARLEY_ECONNRESET);
	peer_done(&p);
}

/* A RST in TIME-WAIT, with the setting that ignores it (RFC 1337): nothing answers a RST. */
static void test_reset_in_time_wait_ignored(void **unused)
{
	(void)unused;
	for (int owned = 0; owned < 2; owned++) {
		struct peer p;

		open_small(&p, 0, PEER_ACTIVE, PARLEY_TIME_WAIT);
		assert_int_equal(
			user_set(&p.tcp, PARLEY_NO_CONN, PARLEY_SET_RST_KILLS_TIME_WAIT, 0), 0);
		if (!owned)
			assert_int_equal(user_release(&p.tcp, p.conn), 0);
		recv(&p, "R", 2, 0, 0);
		expect_none(&p);
		expect_state(&p, TIME_WAIT);
		peer_done(&p);
	}
}

/* Data, FIN or both on the third ACK (trap (c)). */
static void test_third_ack_with_text_and_fin(void **unused)
{
	(void)unused;
	for (int how = PEER_PASSIVE; how <= PEER_LISTENER; how++) {
		struct peer p;

		open_small(&p, 2, (enum peer_how)how, PARLEY_SYN_RECEIVED);
		recv(&p, "F.", 1, 1, 30);
		expect(&p, ".", 1, 32, 0);
		expect_none(&p);
		expect_state(&p, CLOSE_WAIT);
		if (how == PEER_LISTENER)
			assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
		user_receives(&p, 30);
		assert_true(user_ready(&p.tcp, p.conn) & PARLEY_PEER_CLOSED);
		peer_done(&p);
	}
}

/* A FIN that came early ends the text, though a segment with more is filled in before it. */
static void test_text_reaches_beyond_an_early_fin(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "F.", 101, 1, 0);
	expect(&p, ".", 1, 1, 0);
	recv(&p, ".", 51, 1, 100);
	expect(&p, ".", 1, 1, 0);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_TEXT_AFTER_FIN], 1);
	recv(&p, ".", 1, 1, 50);
	expect(&p, ".", 1, 102, 0);
	expect_state(&p, CLOSE_WAIT);
	user_receives(&p, 100);
	assert_int_equal(user_receive(&p.tcp, p.conn, &(uint8_t){0}, 1), 0);
	peer_done(&p);
}

/* Text at and behind an early FIN is dropped whole. */
static void test_text_behind_an_early_fin(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "F.", 101, 1, 0);
	recv(&p, ".", 101, 1, 100);
	recv(&p, ".", 102, 1, 100);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_TEXT_AFTER_FIN], 2);
	assert_null(peer_tcb(&p)->receiving);
	peer_forget(&p);
	recv(&p, ".", 1, 1, 100);
	expect(&p, ".", 1, 102, 0);
	user_receives(&p, 100);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_TEXT_AFTER_FIN], 2);
	peer_done(&p);
}

/*
 * A byte that came with the SYN fills a buffer of one; the same byte again with the ACK, and one
 * more that finds no room, change nothing.
 */
static void test_text_of_the_syn_again_at_a_full_window(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SYN_TEXT, 1);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 1);
	peer_set(&p, PARLEY_SET_WINDOW_SCALE, 0);
	peer_open_passive(&p);
	recv(&p, "S", 0, 0, 1);
	expect(&p, "S.", 0, 1, 0);
	recv(&p, ".", 1, 1, 2);
	expect_state(&p, ESTABLISHED);
	peer_wait(&p, MS(40));
	expect(&p, ".", 1, 2, 0);
	expect_none(&p);
	user_receives(&p, 1);
	assert_int_equal(user_receive(&p.tcp, p.conn, &(uint8_t){0}, 1), -PARLEY_EAGAIN);
	peer_forget(&p);
	recv(&p, ".", 2, 1, 1);
	user_receives(&p, 1);
	peer_forget(&p);
	peer_done(&p);
}

/* The last ACK repeats a part of what came with the SYN: nothing of it is new. */
static void test_part_of_the_text_of_the_syn_again(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SYN_TEXT, 1);
	peer_open_passive(&p);
	recv(&p, "S", 0, 0, 10);
	expect(&p, "S.", 0, 1, 0);
	recv(&p, ".", 1, 1, 4);
	expect_state(&p, ESTABLISHED);
	assert_int_equal(tcb_readable(peer_tcb(&p)), 10);
	assert_int_equal(p.memory.failures, 0);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_RECEIVE_MEMORY], 0);
	peer_wait(&p, MS(40));
	expect(&p, ".", 1, 11, 0);
	expect_none(&p);
	/* And one that goes on behind it. */
	recv(&p, ".", 5, 1, 16);
	assert_int_equal(tcb_readable(peer_tcb(&p)), 20);
	user_receives(&p, 20);
	peer_forget(&p);
	peer_done(&p);
}

/* The peer's second SYN is answered at the moment at which the SYN,ACK was to go again: once. */
static void test_syn_ack_asked_for_when_it_is_due(void **unused)
{
	(void)unused;
	for (uint64_t late = 0; late < 2; late++) {
		struct peer p;

		peer_init(&p);
		peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
		tcp_set_now(&p.tcp, peer_tcb(&p)->main_at + late);
		recv(&p, "S", 0, 0, 0);
		expect(&p, "S.", 0, 1, 0);
		tcp_expire(&p.tcp);
		peer_step(&p);
		expect_none(&p);
		peer_wait(&p, SEC(1) - 1);
		expect_none(&p);
		peer_wait(&p, 1);
		expect(&p, "S.", 0, 1, 0);
		peer_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unacceptable_ack),
		cmocka_unit_test(test_text_with_unacceptable_ack),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_syn_sent),
		cmocka_unit_test(test_refused_is_told),
		cmocka_unit_test(test_syn_ack_with_text_and_fin),
		cmocka_unit_test(test_reset_returns_to_listen),
		cmocka_unit_test(test_text_for_a_broken_handshake_is_gone),
		cmocka_unit_test(test_ack_of_our_fin),
		cmocka_unit_test(test_fin_out_of_order),
		cmocka_unit_test(test_text_held_beyond_a_fin_does_not_hide_it),
		cmocka_unit_test(test_zero_window),
		cmocka_unit_test(test_reset_at_zero_window),
		cmocka_unit_test(test_reset_in_time_wait_ignored),
		cmocka_unit_test(test_third_ack_with_text_and_fin),
		cmocka_unit_test(test_text_reaches_beyond_an_early_fin),
		cmocka_unit_test(test_text_behind_an_early_fin),
		cmocka_unit_test(test_text_of_the_syn_again_at_a_full_window),
		cmocka_unit_test(test_part_of_the_text_of_the_syn_again),
		cmocka_unit_test(test_syn_ack_asked_for_when_it_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
