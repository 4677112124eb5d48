/* SPDX-License-Identifier: MIT */
/* The ACK field (RFC 9293 3.10.7.4, fifth): SND.UNA, the send window, and who may update it. */
#include "peer.h"

#include "tcp/acknowledge.h"

static void established(struct peer *p, uint32_t iss)
{
	peer_init_at(p, iss, 0xfffffffd);
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
}

static uint32_t una(struct peer *p)
{
	return peer_tcb(p)->snd.una.v - p->iss.v;
}

/* UNL-15, MAY-12: every number from long before SND.UNA to behind SND.NXT. */
static void test_range(void **unused)
{
	static const uint32_t numbers[] = {0xfffffffe, 0x7fffffff, 500};

	(void)unused;
	for (int i = 0; i < 3; i++)
		for (int32_t ack = -10; ack < 110; ack++) {
			struct peer p;

			established(&p, numbers[i]);
			peer_set(&p, PARLEY_SET_NODELAY, 1);
			user_sends(&p, 50);
			user_sends(&p, 50);
			peer_forget(&p);
			recv(&p, ".", 1, (uint32_t)ack, 0);
			/* Nothing before the SYN was ever sent, whatever MAX.SND.WND says. */
			if (ack < 0 || ack > 101)
				assert_int_equal(next_sent(&p).why, PARLEY_WHY_CHALLENGE);
			expect_none(&p);
			assert_int_equal(una(&p), ack > 1 && ack <= 101 ? ack : 1);
			peer_done(&p);
		}
}

/* UNL-15, MAY-12, RFC 5961 5.2: as far back as the largest window that the peer ever offered. */
static void test_too_old(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 0xfffffff0, 1);
	p.wnd = 5000;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	for (uint32_t i = 0; i < 10; i++) {
		user_sends(&p, 1000);
		recv(&p, ".", 1, 1001 + 1000 * i, 0);
	}
	peer_forget(&p);
	recv(&p, ".", 1, 5001, 0);
	expect_none(&p);
	recv(&p, ".", 1, 5000, 0);
	expect(&p, ".", 10001, 1, 0);
	peer_done(&p);
}

/* The opposite end of the number space is as unacceptable as any. */
static void test_far_away(void **unused)
{
	struct peer p;

	(void)unused;
	for (uint32_t i = 0; i < 3; i++) {
		established(&p, 77);
		user_sends(&p, 10);
		peer_forget(&p);
		recv(&p, ".", 1, 0x80000000u + i, 0);
		expect(&p, ".", 11, 1, 0);
		assert_int_equal(una(&p), 1);
		peer_done(&p);
	}
}

/* UNL-17: SND.WL1, SND.WL2: an older segment does not bring back its window. */
static void test_old_segments_do_not_update_the_window(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p, 0xffffffff);
	user_sends(&p, 3000);
	recv(&p, "P.", 1, 1001, 100);
	p.wnd = 700;
	recv(&p, "P.", 201, 1001, 100); /* newer, out of order */
	assert_int_equal(peer_tcb(&p)->snd.wnd, 700);
	p.wnd = 9000;
	recv(&p, "P.", 101, 1001, 100); /* sent before that */
	assert_int_equal(peer_tcb(&p)->snd.wnd, 700);
	recv(&p, ".", 301, 1, 0); /* newer, but its ACK is old */
	assert_int_equal(peer_tcb(&p)->snd.wnd, 700);
	recv(&p, ".", 301, 1001, 0); /* newer */
	assert_int_equal(peer_tcb(&p)->snd.wnd, 9000);
	assert_int_equal(peer_tcb(&p)->snd.max_wnd, 50000);
	peer_done(&p);
}

/* A duplicate ACK updates the window too (trap (d)); a window of 0 is one. */
static void test_duplicate_updates_the_window(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p, 0x80000000);
	p.wnd = 0;
	recv(&p, ".", 1, 1, 0);
	user_sends(&p, 10);
	expect_none(&p);
	p.wnd = 10;
	recv(&p, ".", 1, 1, 0);
	expect(&p, "P.", 1, 1, 10);
	peer_done(&p);
}

/* MUST-1, REC-1: the window of a SYN is not scaled, all later ones are. */
static void test_scaled_windows(void **unused)
{
	struct peer p;

	(void)unused;
	for (int how = PEER_ACTIVE; how <= PEER_LISTENER; how++) {
		peer_init(&p);
		p.wscale = 3;
		p.wnd = 8000;
		peer_reach(&p, (enum peer_how)how, PARLEY_ESTABLISHED);
		assert_int_equal(peer_tcb(&p)->snd.wnd, 8000);
		p.wnd = 400000;
		recv(&p, ".", 1, 1, 0);
		assert_int_equal(peer_tcb(&p)->snd.wnd, 400000);
		peer_done(&p);
	}
}

/* All of it acknowledged: nothing is kept, no timer runs. */
static void test_all_acknowledged(void **unused)
{
	struct peer p;
	uint64_t before;

	(void)unused;
	established(&p, 0xffffff00);
	before = p.memory.charged;
	user_sends(&p, 9000);
	peer_forget(&p);
	recv(&p, ".", 1, 5001, 0);
	assert_int_not_equal(peer_tcb(&p)->main_at, TCB_NEVER);
	recv(&p, ".", 1, 9001, 0);
	assert_int_equal(peer_tcb(&p)->main_at, TCB_NEVER);
	assert_int_equal(p.memory.charged, before);
	peer_wait(&p, SEC(1000));
	expect_none(&p);
	peer_done(&p);
}

/* WRITABLE is told once for each send that was cut short, DRAINED when nothing is left. */
static void test_writable_is_told_once(void **unused)
{
	uint8_t bytes[9000] = {0};
	struct parley_span span = {bytes, sizeof bytes};
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.plain = true;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_set(&p, PARLEY_SET_SEND_BUFFER, 6000);
	peer_events(&p, p.conn, NULL);
	assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), 6000);
	peer_step(&p);
	peer_forget(&p);
	recv(&p, ".", 1, 2000, 0);
	assert_int_equal(peer_events(&p, p.conn, NULL), 0);
	recv(&p, ".", 1, 2001, 0); /* a third is free */
	assert_int_equal(peer_events(&p, p.conn, NULL), PARLEY_WRITABLE);
	recv(&p, ".", 1, 4001, 0);
	assert_int_equal(peer_events(&p, p.conn, NULL), 0);
	recv(&p, ".", 1, 6001, 0);
	assert_int_equal(peer_events(&p, p.conn, NULL), PARLEY_DRAINED);
	peer_done(&p);
}

/*
 * RFC 5681 2: what carries text is no duplicate ACK, also where our window is closed and all of the
 * text is cut off: the peer probes.
 */
static void test_probes_are_no_duplicates(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 1000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "P.", 1, 1, 1000);
	user_sends(&p, 5000);
	peer_forget(&p);
	assert_int_equal(peer_tcb(&p)->rcv.wnd, 0);
	for (int i = 0; i < 5; i++) {
		recv(&p, ".", 1001, 1, 1);
		expect(&p, ".", 5001, 1001, 0);
		expect_none(&p);
	}
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_DUP_ACKS], 0);
	peer_done(&p);
}

/* The timer has fired, and before output has its turn the ACK comes: nothing goes again. */
static void test_acknowledged_before_it_goes_again(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 10);
	expect(&p, "P.", 1, 1, 10);
	tcp_set_now(&p.tcp, peer_tcb(&p)->main_at);
	assert_int_equal(tcp_expire(&p.tcp), 1);
	recv(&p, ".", 1, 11, 0);
	expect_none(&p);
	peer_done(&p);
}

/* RFC 5961 5.2: as old as the largest window, and with "narrow-ack-range" not before the SYN. */
static void test_range_of_old_acks(void **unused)
{
	struct peer p;
	struct tcb *tcb;

	(void)unused;
	peer_init_at(&p, UINT32_MAX - 2, 5); /* numbers wrap */
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 6);
	recv(&p, ".", 1, 5, 0);
	for (int narrow = 0; narrow < 2; narrow++) {
		peer_set(&p, PARLEY_SET_NARROW_ACK_RANGE, narrow);
		tcb = peer_tcb(&p);
		for (uint32_t i = 0; i < 10 * 16; i++) {
			int ack = (int)(i % 16) - 6; /* from our ISN on; SND.UNA is 5, SND.NXT 7 */

			tcb->snd.max_wnd = i / 16;
			assert_int_equal(acknowledge_in_range(tcb, seq_add(p.iss, (uint32_t)ack)),
					 ack <= 7 && ack >= 5 - (int)tcb->snd.max_wnd &&
						 (ack >= 0 || !narrow));
		}
	}
	peer_forget(&p);
	peer_done(&p);
}

/* The same at a shut window: all has come through, so there is nothing to probe with. */
static void test_acknowledged_before_it_is_probed(void **unused)
{
	(void)unused;
	for (uint32_t fin = 0; fin < 2; fin++) {
		struct peer p;

		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		user_sends(&p, 10);
		if (fin)
			assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
		peer_step(&p);
		peer_forget(&p);
		p.wnd = 0;
		recv(&p, ".", 1, 1, 0);
		expect_none(&p);
		tcp_set_now(&p.tcp, peer_tcb(&p)->main_at);
		assert_int_equal(tcp_expire(&p.tcp), 1);
		assert_true(peer_tcb(&p)->owed & OWE_PROBE);
		recv(&p, ".", 1, 11 + fin, 0);
		expect_none(&p);
		peer_wait(&p, SEC(10));
		expect_none(&p);
		peer_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_too_old),
		cmocka_unit_test(test_far_away),
		cmocka_unit_test(test_old_segments_do_not_update_the_window),
		cmocka_unit_test(test_duplicate_updates_the_window),
		cmocka_unit_test(test_scaled_windows),
		cmocka_unit_test(test_all_acknowledged),
		cmocka_unit_test(test_writable_is_told_once),
		cmocka_unit_test(test_probes_are_no_duplicates),
		cmocka_unit_test(test_acknowledged_before_it_goes_again),
		cmocka_unit_test(test_range_of_old_acks),
		cmocka_unit_test(test_acknowledged_before_it_is_probed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
