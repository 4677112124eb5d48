/* SPDX-License-Identifier: MIT */
/*
 * The urgent pointer (RFC 9293 3.8.5): what arrives, and what stays off the wire. What is sent is
 * in test_urgent_send.c.
 */
#include "peer.h"

#include "tcp/status.h"

static void urgent(struct peer *p, uint32_t seq, uint32_t len, uint16_t up)
{
	const struct extra extra = {.up = up};

	peer_recv(p, "U.", seq, 1, len, &extra);
	peer_forget(p);
}

static uint32_t up(struct peer *p)
{
	return peer_tcb(p)->rcv.up.v - p->irs.v;
}

static bool told(struct peer *p)
{
	return peer_events(p, p->conn, NULL) & PARLEY_URGENT;
}

static bool is_urgent(struct peer *p)
{
	return user_ready(&p->tcp, p->conn) & PARLEY_URGENT;
}

/* Bytes up to the end of the urgent data. */
static int64_t left(struct peer *p)
{
	return user_urgent(&p->tcp, p->conn);
}

/*
 * MUST-30, MUST-31, MUST-32, MUST-33, UNL-8: any length of urgent data; the user is told once for
 * one run of it.
 */
static void test_told_until_consumed(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 0xffffff00, 0xfffffff8);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_events(&p, p.conn, NULL);
	assert_false(is_urgent(&p));
	urgent(&p, 1, 10, 500); /* MUST-62: the pointer may be ahead of the text */
	assert_int_equal(up(&p), 501);
	assert_true(told(&p));
	urgent(&p, 11, 10, 490);
	assert_false(told(&p));
	urgent(&p, 21, 480, 480);
	assert_false(told(&p));
	assert_int_equal(up(&p), 501);
	assert_int_equal(left(&p), 500);
	user_receives(&p, 499);
	assert_true(is_urgent(&p));
	assert_int_equal(left(&p), 1);
	user_receives(&p, 1);
	assert_false(is_urgent(&p));
	assert_int_equal(left(&p), 0);
	urgent(&p, 501, 10, 3); /* the next run of it */
	assert_true(told(&p));
	assert_int_equal(left(&p), 3);
	urgent(&p, 511, 10, 1); /* MUST-32: it advances */
	assert_true(told(&p));
	assert_int_equal(left(&p), 11);
	peer_done(&p);
}

/* It never moves back, and a segment that is not acceptable does not move it. */
static void test_never_back(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 5, 0x7ffffff0);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	urgent(&p, 1, 10, 100);
	urgent(&p, 11, 10, 5);
	assert_int_equal(up(&p), 101);
	urgent(&p, 0x40000000, 10, 100);
	assert_int_equal(up(&p), 101);
	peer_done(&p);
}

/* Counted from SEG.SEQ, also when the front of the segment is old; 0 means nothing is ahead. */
static void test_counts_from_the_segment(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 5, 0xffffffff);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "P.", 1, 1, 100);
	peer_events(&p, p.conn, NULL);
	urgent(&p, 51, 100, 80);
	assert_int_equal(up(&p), 131);
	assert_true(told(&p));
	user_receives(&p, 150);
	urgent(&p, 101, 60, 20); /* all of it before the new text */
	assert_false(told(&p));
	user_receives(&p, 10);
	urgent(&p, 161, 10, 0);
	assert_false(told(&p));
	assert_false(is_urgent(&p));
	peer_done(&p);
}

/*
 * The pointer of a segment whose front was old used to be set to the segment's new front when it
 * lay in what was cut off, so that urgent data seemed to go on.
 */
static void test_cut_off_pointer_does_not_advance(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 5, 0x7fffffd0);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	urgent(&p, 1, 100, 20);
	assert_true(told(&p));
	urgent(&p, 1, 150, 20);
	assert_int_equal(up(&p), 21);
	assert_false(told(&p));
	assert_int_equal(left(&p), 20);
	peer_done(&p);
}

/* CVE-2019-12255: 0 ends the urgent data before the segment; nothing is counted below it. */
static void test_pointer_zero(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 5, 0xffffffff);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_events(&p, p.conn, NULL);
	urgent(&p, 1, 10, 0);
	assert_false(told(&p));
	assert_int_equal(left(&p), 0);
	urgent(&p, 11, 0, 0);
	assert_int_equal(left(&p), 10); /* what came before and was not read */
	user_receives(&p, 10);
	assert_int_equal(left(&p), 0);
	peer_done(&p);
}

/* CVE-2020-17437, CVE-2021-31400: it may point beyond all text, and the FIN may come first. */
static void test_pointer_beyond_the_end(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 5, 0x7fffffff);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	urgent(&p, 1, 10, 65535);
	assert_true(told(&p));
	assert_int_equal(left(&p), 65535);
	recv(&p, "F.", 11, 1, 5);
	expect_state(&p, CLOSE_WAIT);
	assert_int_equal(left(&p), 15);
	user_receives(&p, 15);
	assert_int_equal(left(&p), 0);
	assert_false(is_urgent(&p));
	assert_int_equal(user_abort(&p.tcp, p.conn), 0);
	assert_int_equal(left(&p), 0);
	peer_done(&p);
}

/* The pointer of a segment that is out of order counts; so does that of a FIN that is. */
static void test_out_of_order(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 5, 0xffffff80);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	urgent(&p, 101, 100, 50);
	assert_true(told(&p));
	assert_int_equal(left(&p), 150);
	peer_recv(&p, "UF.", 201, 1, 10, &(struct extra){.up = 10});
	assert_true(told(&p));
	expect_state(&p, ESTABLISHED);
	assert_int_equal(left(&p), 210);
	peer_forget(&p);
	urgent(&p, 1, 100, 100);
	expect_state(&p, CLOSE_WAIT);
	assert_int_equal(up(&p), 211);
	user_receives(&p, 210);
	assert_false(is_urgent(&p));
	peer_done(&p);
}

/* Who accepts later is told as well. */
static void test_told_by_accept(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.how = PEER_LISTENER;
	peer_listen(&p, 8);
	recv(&p, "S", 0, 0, 0);
	recv(&p, ".", 1, 1, 0);
	urgent(&p, 1, 10, 10);
	assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
	assert_true(told(&p));
	assert_int_equal(left(&p), 10);
	peer_done(&p);
}

/* CVE-2019-12261, CVE-2019-12263: a connection in the same TCB begins without. */
static void test_gone_when_opened_again(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_LISTEN);
	peer_recv(&p, "SU", 0, 0, 0, &(struct extra){.up = 60000});
	peer_recv(&p, "U.", 1, 7, 10, &(struct extra){.up = 60000}); /* acknowledges nothing */
	assert_int_equal(left(&p), 0);
	recv(&p, "R", 1, 0, 0);
	expect_state(&p, LISTEN);
	assert_int_equal(left(&p), 0);
	peer_forget(&p);
	p.edge_known = false;
	p.irs = seq(p.irs.v - 30000);
	recv(&p, "S", 0, 0, 0);
	p.iss = peer_tcb(&p)->iss;
	peer_forget(&p);
	recv(&p, ".", 1, 1, 0);
	expect_state(&p, ESTABLISHED);
	assert_int_equal(up(&p), 1);
	assert_false(told(&p));
	urgent(&p, 1, 10, 5);
	assert_int_equal(left(&p), 5);
	peer_done(&p);
}

/* Nor does a SYN bring it along: through a listener, and out of TIME-WAIT. */
static void test_not_of_a_syn(void **unused)
{
	struct parley_status status = {.size = sizeof status};
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_LISTENER, PARLEY_TIME_WAIT);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	p.irs = seq(p.irs.v + 40000);
	p.edge_known = false;
	peer_recv(&p, "SU", 0, 0, 10, &(struct extra){.up = 60000});
	p.iss = seq_add(p.iss, next_sent(&p).seq);
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
	assert_false(told(&p));
	assert_int_equal(up(&p), 1);
	assert_int_equal(left(&p), 0);
	peer_recv(&p, "U.", 1, 1, 10, &(struct extra){.up = 10});
	assert_int_equal(status_get(&p.tcp, p.conn, &status), 0);
	assert_int_equal(status.rcv_up - status.irs, 11);
	assert_int_equal(status.snd_up, status.iss + 1);
	peer_done(&p);
}

/* On a SYN,ACK the SYN counts too. */
static void test_on_the_syn_ack(void **unused)
{
	const struct extra extra = {.up = 6};
	struct peer p;

	(void)unused;
	peer_init_at(&p, 5, 0xfffffffe);
	peer_reach(&p, PEER_ACTIVE, PARLEY_SYN_SENT);
	peer_recv(&p, "SU.", 0, 1, 10, &extra);
	assert_int_equal(up(&p), 6);
	peer_done(&p);
}

/* States behind the peer's FIN ignore it (3.10.7.4, sixth). */
static void test_ignored_after_fin(void **unused)
{
	struct peer p;
	uint32_t before;

	(void)unused;
	for (int state = PARLEY_CLOSE_WAIT; state < PARLEY_STATES; state++) {
		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, (enum parley_state)state);
		peer_events(&p, p.conn, NULL);
		before = up(&p);
		peer_recv(&p, "U.", 2, state == PARLEY_TIME_WAIT ? 2 : 1, 0,
			  &(struct extra){.up = 100});
		assert_int_equal(up(&p), before);
		assert_false(told(&p));
		peer_done(&p);
	}
}

/* With a zero window too (MUST-66). */
static void test_at_zero_window(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 100);
	peer_set(&p, PARLEY_SET_WINDOW_SCALE, 0);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "P.", 1, 1, 100);
	peer_events(&p, p.conn, NULL);
	urgent(&p, 101, 1, 1);
	assert_int_equal(up(&p), 102);
	assert_true(told(&p));
	/* With text and a FIN, of which neither is taken. */
	peer_recv(&p, "UF.", 101, 1, 20, &(struct extra){.up = 20});
	assert_int_equal(up(&p), 121);
	assert_true(told(&p));
	expect_state(&p, ESTABLISHED);
	assert_int_equal(left(&p), 120);
	peer_done(&p);
}

/*
 * Neither pointer may be left behind: 2 GiB later it would seem to lie ahead. The stream is moved
 * on in strides instead of byte by byte.
 */
static void test_two_gigabytes_later(void **unused)
{
	static uint8_t chunk[60000];
	struct peer p;
	uint32_t seq = 1, ack = 1;

	(void)unused;
	peer_init_at(&p, 0xfffffff0, 0x7ffffff0);
	p.wnd = 65535;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	p.plain = true;
	for (int i = 0; i < 36000; i++) {
		const struct extra extra = {.text = chunk};

		peer_recv(&p, "P.", seq, ack, sizeof chunk, &extra);
		seq += sizeof chunk;
		assert_int_equal(user_receive(&p.tcp, p.conn, chunk, sizeof chunk), sizeof chunk);
		peer_step(&p);
		peer_forget(&p);
	}
	assert_false(is_urgent(&p));
	peer_events(&p, p.conn, NULL);
	urgent(&p, seq, 10, 10);
	assert_true(told(&p));
	for (int i = 0; i < 36000; i++) {
		struct parley_span span = {chunk, sizeof chunk};

		assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), sizeof chunk);
		peer_step(&p);
		while (p.sent_count) {
			struct sent sent = next_sent(&p);

			assert_false(sent.flags & TCP_URG);
			ack += sent.len;
			if (!p.sent_count)
				recv(&p, ".", seq + 10, ack, 0);
		}
	}
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told_until_consumed),
		cmocka_unit_test(test_never_back),
		cmocka_unit_test(test_counts_from_the_segment),
		cmocka_unit_test(test_cut_off_pointer_does_not_advance),
		cmocka_unit_test(test_pointer_zero),
		cmocka_unit_test(test_pointer_beyond_the_end),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_told_by_accept),
		cmocka_unit_test(test_gone_when_opened_again),
		cmocka_unit_test(test_not_of_a_syn),
		cmocka_unit_test(test_on_the_syn_ack),
		cmocka_unit_test(test_ignored_after_fin),
		cmocka_unit_test(test_at_zero_window),
		cmocka_unit_test(test_two_gigabytes_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
