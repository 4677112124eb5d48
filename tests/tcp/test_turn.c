/* SPDX-License-Identifier: MIT */
/* A timer fires, a segment comes or the user calls, and only then output has its turn. */
#include "peer.h"

#include "tcp/status.h"

static void established(struct peer *p)
{
	peer_init_at(p, 0xfffffff0, 0x7fffffe0);
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
}

/* Text or a FIN arrives, and output has no turn yet. */
static void comes(struct peer *p, const char *flags, uint32_t seq, uint32_t len)
{
	static const uint8_t text[1000];
	struct arrival arrival = {.tuple = p->tuple, .ifindex = 1, .at = p->tcp.now};
	struct segment seg = {
		.seq = seq_add(p->irs, seq),
		.ack = peer_tcb(p)->snd.nxt,
		.flags = peer_flags(flags),
		.wnd = 50000,
		.text = text,
		.text_len = len,
	};

	seg.len = len + !!(seg.flags & TCP_FIN);
	tcp_arrives(&p->tcp, &arrival, &seg);
}

/*
 * RFC 5681 4.2: what came in another order within a batch is acknowledged once: nothing is missing
 * behind the number that the duplicates would repeat.
 */
static void test_order_restored_within_a_batch(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	for (uint32_t i = 1; i < 5; i++)
		comes(&p, ".", 1 + 1000 * i, 1000);
	comes(&p, ".", 1, 1000);
	peer_step(&p);
	expect(&p, ".", 1, 5001, 0);
	expect_none(&p);
	/* With a FIN, too. */
	comes(&p, "F.", 7001, 0);
	comes(&p, ".", 6001, 1000);
	comes(&p, ".", 5001, 1000);
	peer_step(&p);
	expect(&p, ".", 1, 7002, 0);
	expect_none(&p);
	expect_state(&p, CLOSE_WAIT);
	peer_done(&p);
}

/*
 * RFC 5681 4.2: three behind a gap make three duplicates, also when what came before the gap in the
 * same batch is still to be acknowledged.
 */
static void test_duplicates_behind_what_is_new(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	comes(&p, ".", 1, 1000);
	comes(&p, ".", 1001, 1000);
	for (uint32_t i = 3; i < 6; i++)
		comes(&p, ".", 1 + 1000 * i, 1000);
	peer_step(&p);
	assert_int_equal(expect(&p, ".", 1, 2001, 0).why, PARLEY_WHY_ACK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(expect(&p, ".", 1, 2001, 0).why, PARLEY_WHY_DUPLICATE);
	expect_none(&p);
	peer_done(&p);
}

/* A bare ACK arrives with a window, and output has no turn yet. */
static void ack_comes(struct peer *p, struct seq ack, uint16_t wnd)
{
	struct arrival arrival = {.tuple = p->tuple, .ifindex = 1, .at = p->tcp.now};
	struct segment seg = {
		.seq = peer_tcb(p)->rcv.nxt, .ack = ack, .flags = TCP_ACK, .wnd = wnd};

	tcp_arrives(&p->tcp, &arrival, &seg);
}

/* The next timer fires, and output has no turn yet. */
static void timer_fires(struct peer *p)
{
	do {
		tcp_set_now(&p->tcp, tcp_deadline(&p->tcp));
	} while (!tcp_expire(&p->tcp));
}

/* A probe that is due when the window opens is none any more: what waits goes. */
static void test_window_opens_before_the_probe(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	p.wnd = 0;
	recv(&p, ".", 1, 1, 0);
	user_sends(&p, 2000);
	expect_none(&p);
	timer_fires(&p);
	ack_comes(&p, peer_tcb(&p)->snd.una, 50000);
	peer_step(&p);
	expect(&p, ".", 1, 1, 1000);
	expect(&p, "P.", 1001, 1, 1000);
	expect_none(&p);
	peer_done(&p);
}

/* And what timed out behind a closed window is sent again whole. */
static void test_window_opens_on_what_timed_out(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	user_sends(&p, 1000);
	expect(&p, "P.", 1, 1, 1000);
	p.wnd = 0;
	recv(&p, ".", 1, 1, 0);
	timer_fires(&p);
	ack_comes(&p, peer_tcb(&p)->snd.una, 50000);
	peer_step(&p);
	assert_int_equal(expect(&p, "P.", 1, 1, 1000).why, PARLEY_WHY_RTO);
	expect_none(&p);
	peer_done(&p);
}

/* What has left the network and what is lost are not more than what is under way. */
static void test_window_opens_after_duplicates(void **unused)
{
	(void)unused;
	for (int probed = 0; probed < 2; probed++) {
		struct peer p;

		established(&p);
		user_sends(&p, 2000);
		recv(&p, ".", 1, 1, 0);
		recv(&p, ".", 1, 1, 0);
		p.wnd = 0;
		recv(&p, ".", 1, 1, 0);
		timer_fires(&p);
		if (probed)
			peer_step(&p);
		peer_forget(&p);
		ack_comes(&p, peer_tcb(&p)->snd.una, 50000);
		assert_null(tcp_check(&p.tcp));
		peer_step(&p);
		expect(&p, ".", 1, 1, probed ? 1 : 1000);
		peer_done(&p);
	}
}

/* Idle for as long as "keepalive-idle" says; the probe is due, and output has no turn yet. */
static void keepalive_is_due(struct peer *p)
{
	established(p);
	peer_set(p, PARLEY_SET_KEEPALIVE, 1);
	timer_fires(p);
	assert_int_equal(peer_tcb(p)->probes, 1);
}

/* MUST-26: no keep-alive probe beside text that is under way, nor when the peer was just heard. */
static void test_keepalive_out_of_date(void **unused)
{
	struct peer p;

	(void)unused;
	keepalive_is_due(&p);
	user_sends(&p, 10);
	expect(&p, "P.", 1, 1, 10);
	expect_none(&p);
	peer_done(&p);

	keepalive_is_due(&p);
	ack_comes(&p, peer_tcb(&p)->snd.una, 50000);
	peer_step(&p);
	expect_none(&p);
	peer_wait(&p, SEC(7200) - 1);
	expect_none(&p);
	peer_wait(&p, SEC(1));
	assert_int_equal(next_sent(&p).why, PARLEY_WHY_KEEPALIVE);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_restored_within_a_batch),
		cmocka_unit_test(test_duplicates_behind_what_is_new),
		cmocka_unit_test(test_window_opens_before_the_probe),
		cmocka_unit_test(test_window_opens_on_what_timed_out),
		cmocka_unit_test(test_window_opens_after_duplicates),
		cmocka_unit_test(test_keepalive_out_of_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
