/* SPDX-License-Identifier: MIT */
/* SEND with URGENT (RFC 9293 3.8.5, 3.10.2): what goes on the wire, and until when. */
#include "peer.h"

#include <stdlib.h>

/* What the user sends is the pattern; returns what was taken. */
static int64_t sends(struct peer *p, uint32_t n, unsigned flags)
{
	uint8_t *bytes = malloc(n ? n : 1);
	struct parley_span span = {bytes, n};
	int64_t taken;

	assert_non_null(bytes);
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = pattern(p->written + i);
	taken = user_send(&p->tcp, p->conn, &span, 1, flags);
	free(bytes);
	if (taken > 0)
		p->written += (uint64_t)taken;
	peer_step(p);
	return taken;
}

static void urgent(struct peer *p, uint32_t n)
{
	assert_int_equal(sends(p, n, PARLEY_SEND_URGENT), n);
}

static uint32_t up(struct peer *p)
{
	return peer_tcb(p)->snd.up.v - p->iss.v;
}

/* A segment whose pointer names `mark`, a relative number. */
#define expect_urgent(p, f, s, a, l, mark)                    \
	do {                                                  \
		struct sent sent_ = expect(p, f, s, a, l);    \
		assert_int_equal(sent_.seq + sent_.up, mark); \
	} while (0)

static void established(struct peer *p)
{
	peer_init(p);
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
}

/* MUST-30, MUST-62, SHLD-13: the pointer names the octet after the urgent data; then it is over. */
static void test_one_byte(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	user_sends(&p, 10);
	expect(&p, "P.", 1, 1, 10);
	recv(&p, ".", 1, 11, 0);
	urgent(&p, 1);
	expect_urgent(&p, "UP.", 11, 1, 1, 12);
	recv(&p, ".", 1, 12, 0);
	user_sends(&p, 10);
	assert_int_equal(expect(&p, "P.", 12, 1, 10).up, 0);
	expect_none(&p);
	peer_done(&p);
}

/* UNL-10: before there is a connection it is queued; a SYN does not carry it. */
static void test_before_the_handshake_is_over(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_SYN_SENT);
	urgent(&p, 5);
	peer_wait(&p, SEC(1));
	expect(&p, "S", 0, 0, 0);
	recv(&p, "S.", 0, 1, 0);
	expect_urgent(&p, "UP.", 1, 1, 5, 6);
	expect_none(&p);
	peer_done(&p);

	for (int how = PEER_ACTIVE; how <= PEER_PASSIVE; how++) {
		peer_init(&p);
		peer_reach(&p, (enum peer_how)how, PARLEY_SYN_RECEIVED);
		urgent(&p, 5);
		expect_none(&p);
		recv(&p, ".", 1, 1, 0);
		expect_urgent(&p, "UP.", 1, 1, 5, 6);
		peer_done(&p);
	}
}

/* CLOSE-WAIT may send, and what stands before a FIN stays urgent in every state after it. */
static void test_with_closing(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_CLOSE_WAIT);
	urgent(&p, 3);
	expect_urgent(&p, "UP.", 1, 2, 3, 4);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
	peer_step(&p);
	expect(&p, "F.", 4, 2, 0); /* nothing behind it is urgent */
	peer_wait(&p, MS(250));
	expect_state(&p, LAST_ACK);
	expect_urgent(&p, "UP.", 1, 2, 3, 4);
	peer_done(&p);

	established(&p);
	p.wnd = 0;
	recv(&p, ".", 1, 1, 0);
	urgent(&p, 3);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
	expect_urgent(&p, "U.", 1, 1, 0, 4);
	expect_state(&p, FIN_WAIT_1);
	recv(&p, "F.", 1, 1, 0);
	expect_state(&p, CLOSING);
	expect_urgent(&p, "U.", 1, 2, 0, 4);
	p.wnd = 100;
	recv(&p, ".", 2, 1, 0);
	expect_urgent(&p, "UFP.", 1, 2, 3, 4);
	peer_done(&p);
}

/* The states that may not send refuse it, and the pointer stays. */
static void test_refused(void **unused)
{
	static const enum parley_state states[] = {
		PARLEY_FIN_WAIT_1, PARLEY_FIN_WAIT_2, PARLEY_CLOSING,
		PARLEY_LAST_ACK,   PARLEY_TIME_WAIT,
	};
	struct peer p;

	(void)unused;
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		uint32_t before;

		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, states[i]);
		before = up(&p);
		assert_int_equal(sends(&p, 1, PARLEY_SEND_URGENT), -PARLEY_EPIPE);
		assert_int_equal(up(&p), before);
		expect_none(&p);
		peer_done(&p);
	}
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_LISTEN);
	assert_int_equal(sends(&p, 1, PARLEY_SEND_URGENT), -PARLEY_EDESTADDRREQ);
	peer_done(&p);
}

/* The peer takes no text, but must take the pointer (MUST-66): it is told at once. */
static void test_zero_window(void **unused)
{
	struct peer p;
	struct sent sent;

	(void)unused;
	established(&p);
	p.wnd = 0;
	recv(&p, ".", 1, 1, 0);
	user_sends(&p, 5);
	expect_none(&p);
	urgent(&p, 3);
	sent = expect(&p, "U.", 1, 1, 0);
	assert_int_equal(sent.up, 8);
	assert_int_equal(sent.why, PARLEY_WHY_URGENT);
	expect_none(&p);
	/* If that was lost the probes tell it. */
	peer_wait(&p, MS(200));
	expect_urgent(&p, "U.", 1, 1, 1, 9);
	recv(&p, ".", 1, 1, 0);
	urgent(&p, 2); /* with the probe's byte under way: where the peer still takes it */
	expect_urgent(&p, "U.", 1, 1, 0, 11);
	p.wnd = 5000;
	recv(&p, ".", 1, 1, 0);
	expect_urgent(&p, "U.", 1, 1, 1, 11);
	expect_urgent(&p, "UP.", 2, 1, 9, 11);
	recv(&p, ".", 1, 11, 0);
	user_sends(&p, 5);
	expect(&p, "P.", 11, 1, 5);
	peer_done(&p);
}

/* The same when cwnd or the silly-window rule holds the text back. */
static void test_text_held_back(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	user_sends(&p, 20000);
	while (p.sent_count > 1)
		next_sent(&p);
	expect(&p, ".", 9001, 1, 1000); /* the initial window is used up */
	urgent(&p, 1);
	expect_urgent(&p, "U.", 10001, 1, 0, 20002);
	recv(&p, ".", 1, 2001, 0);
	expect_urgent(&p, "U.", 10001, 1, 1000, 20002);
	peer_done(&p);

	established(&p);
	user_sends(&p, 3000);
	peer_forget(&p);
	p.wnd = 10;
	recv(&p, ".", 1, 3001, 0);
	urgent(&p, 30); /* 10 bytes of room are not worth a segment */
	expect_urgent(&p, "U.", 3001, 1, 0, 3031);
	expect_none(&p);
	peer_done(&p);
}

/* Each segment before the mark carries it, acknowledgements too. */
static void test_acknowledgements_carry_it(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	p.wnd = 0;
	recv(&p, ".", 1, 1, 0);
	urgent(&p, 3);
	expect_urgent(&p, "U.", 1, 1, 0, 4);
	recv(&p, "P.", 1, 1, 10);
	peer_wait(&p, MS(50));
	expect_urgent(&p, "U.", 1, 11, 0, 4);
	peer_done(&p);
}

/*
 * MUST-31: of any length. The field reaches 65535 octets ahead, and the last segments say where the
 * end is; none before it is without a pointer, none points beyond it. Across 2^31 and 2^32.
 */
static void test_longer_than_the_pointer(void **unused)
{
	static const uint32_t iss[] = {1000, 0x7fff0000, 0xffff0000};
	const uint32_t len = 200000, mark = len + 1;
	struct peer p;

	(void)unused;
	for (size_t i = 0; i < sizeof iss / sizeof *iss; i++) {
		uint32_t seen = 1, last = 0;

		peer_init_at(&p, iss[i], 77);
		p.wnd = 60000;
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		peer_set(&p, PARLEY_SET_SEND_BUFFER, 1 << 20);
		urgent(&p, len);
		assert_int_equal(up(&p), mark);
		user_sends(&p, 5000);
		while (seen < mark + 5000) {
			struct sent sent = next_sent(&p);
			uint32_t ahead = sent.seq < mark ? mark - sent.seq : 0;

			assert_int_equal(sent.seq, seen);
			assert_int_equal(!!(sent.flags & TCP_URG), ahead > 0);
			assert_int_equal(sent.up, ahead < 65535 ? ahead : 65535);
			assert_true(!ahead || sent.seq + sent.up >= last);
			last = ahead ? sent.seq + sent.up : last;
			seen += sent.len;
			if (!p.sent_count)
				recv(&p, ".", 1, seen, 0);
		}
		assert_int_equal(last, mark);
		peer_done(&p);
	}
}

/* More of it moves the pointer forward, in what is sent again too. */
static void test_moves_forward(void **unused)
{
	static const uint32_t iss[] = {1000, 0x7ffffffd, 0xfffffffd};
	struct peer p;

	(void)unused;
	for (size_t i = 0; i < sizeof iss / sizeof *iss; i++) {
		peer_init_at(&p, iss[i], 77);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		urgent(&p, 2);
		expect_urgent(&p, "UP.", 1, 1, 2, 3);
		user_sends(&p, 1000);
		expect(&p, "P.", 3, 1, 1000);
		urgent(&p, 2);
		expect_urgent(&p, "UP.", 1003, 1, 2, 1005);
		peer_wait(&p, MS(250));
		expect_urgent(&p, "U.", 1, 1, 2, 1005);
		recv(&p, ".", 1, 3, 0);
		expect_urgent(&p, "U.", 3, 1, 1000, 1005);
		peer_forget(&p);
		recv(&p, ".", 1, 1005, 0);
		user_sends(&p, 10);
		expect(&p, "P.", 1005, 1, 10);
		peer_done(&p);
	}
}

/* What was sent before the user knew that it is urgent is sent again with the pointer. */
static void test_retransmission_carries_it(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	user_sends(&p, 1000);
	expect(&p, "P.", 1, 1, 1000);
	urgent(&p, 1);
	expect_urgent(&p, "UP.", 1001, 1, 1, 1002);
	user_sends(&p, 3000);
	expect(&p, ".", 1002, 1, 1000);
	expect(&p, ".", 2002, 1, 1000);
	expect(&p, "P.", 3002, 1, 1000);
	for (int i = 0; i < 3; i++)
		recv(&p, ".", 1, 1, 0);
	expect_urgent(&p, "U.", 1, 1, 1000, 1002);
	peer_done(&p);
}

/* Neither Nagle's algorithm nor the user's own wish to wait holds it back; others they do. */
static void test_not_nagled(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	user_sends(&p, 10);
	expect(&p, "P.", 1, 1, 10);
	user_sends(&p, 10);
	expect_none(&p);
	urgent(&p, 1);
	expect_urgent(&p, "UP.", 11, 1, 11, 22);
	user_sends(&p, 10);
	expect_none(&p);
	recv(&p, ".", 1, 22, 0);
	expect(&p, "P.", 22, 1, 10);
	recv(&p, ".", 1, 32, 0);
	peer_set(&p, PARLEY_SET_CORK, 1);
	assert_int_equal(sends(&p, 1, PARLEY_SEND_URGENT | PARLEY_SEND_MORE), 1);
	expect_urgent(&p, "UP.", 32, 1, 1, 33);
	user_sends(&p, 1);
	expect_none(&p);
	peer_done(&p);
}

/* What did not fit is not urgent yet; nothing is not urgent at all. */
static void test_only_what_was_taken(void **unused)
{
	struct parley_buffer buffer;
	struct peer p;

	(void)unused;
	established(&p);
	peer_set(&p, PARLEY_SET_SEND_BUFFER, 100);
	assert_int_equal(sends(&p, 0, PARLEY_SEND_URGENT), 0);
	expect_none(&p);
	assert_int_equal(sends(&p, 150, PARLEY_SEND_URGENT), 100);
	expect_urgent(&p, "UP.", 1, 1, 100, 101);
	assert_int_equal(sends(&p, 50, PARLEY_SEND_URGENT), -PARLEY_EAGAIN);
	assert_int_equal(up(&p), 101);
	recv(&p, ".", 1, 101, 0);
	assert_int_equal(user_reserve(&p.tcp, p.conn, 1, &buffer, 1), 1);
	*(uint8_t *)buffer.data = pattern(p.written);
	assert_int_equal(user_commit(&p.tcp, p.conn, 1, PARLEY_SEND_URGENT), 1);
	peer_step(&p);
	expect_urgent(&p, "UP.", 101, 1, 1, 102);
	peer_done(&p);
}

/* A device that cuts super-segments copies the pointer instead of counting it down. */
static void test_no_super_segment(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.egress.offload_segment = true;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	urgent(&p, 3000);
	expect_urgent(&p, "U.", 1, 1, 1000, 3001);
	expect_urgent(&p, "U.", 1001, 1, 1000, 3001);
	expect_urgent(&p, "UP.", 2001, 1, 1000, 3001);
	recv(&p, ".", 1, 3001, 0);
	user_sends(&p, 3000);
	expect(&p, "P.", 3001, 1, 3000);
	peer_done(&p);
}

/* A passive OPEN that returns to LISTEN begins anew. */
static void test_nothing_left_after_relisten(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
	urgent(&p, 100);
	recv(&p, "R", 1, 0, 0);
	expect_state(&p, LISTEN);
	p.written = 0;
	p.tuple.remote_port++;
	p.edge_known = false;
	p.irs = seq(p.irs.v + 1000000);
	recv(&p, "S", 0, 0, 0);
	p.iss = peer_tcb(&p)->iss;
	peer_forget(&p);
	recv(&p, ".", 1, 1, 0);
	expect_none(&p);
	user_sends(&p, 10);
	expect(&p, "P.", 1, 1, 10);
	peer_done(&p);
}

/* With the urgent text gone the rest waits as ever while it is under way (SHLD-7). */
static void test_text_behind_waits(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	urgent(&p, 1);
	expect_urgent(&p, "UP.", 1, 1, 1, 2);
	user_sends(&p, 10);
	expect_none(&p);
	recv(&p, ".", 1, 2, 0);
	expect(&p, "P.", 2, 1, 10);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_byte),
		cmocka_unit_test(test_before_the_handshake_is_over),
		cmocka_unit_test(test_with_closing),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_zero_window),
		cmocka_unit_test(test_text_held_back),
		cmocka_unit_test(test_acknowledgements_carry_it),
		cmocka_unit_test(test_longer_than_the_pointer),
		cmocka_unit_test(test_moves_forward),
		cmocka_unit_test(test_retransmission_carries_it),
		cmocka_unit_test(test_not_nagled),
		cmocka_unit_test(test_only_what_was_taken),
		cmocka_unit_test(test_no_super_segment),
		cmocka_unit_test(test_nothing_left_after_relisten),
		cmocka_unit_test(test_text_behind_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
