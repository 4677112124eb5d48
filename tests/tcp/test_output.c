/* SPDX-License-Identifier: MIT */
/* What may be sent now: Nagle, cork, silly windows, PSH, acknowledgements and what carries them. */
#include "peer.h"

#include "tcp/status.h"

static void established(struct peer *p)
{
	peer_init_at(p, 0xfffffff0, 0x7fffffe0);
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
}

static int64_t send_more(struct peer *p, uint32_t n)
{
	uint8_t bytes[2000];
	struct parley_span span = {bytes, n};
	int64_t taken;

	for (uint32_t i = 0; i < n; i++)
		bytes[i] = pattern(p->written + i);
	taken = user_send(&p->tcp, p->conn, &span, 1, PARLEY_SEND_MORE);
	p->written += n;
	peer_step(p);
	return taken;
}

/* SHLD-7, SHLD-27: while something is under way, only full segments; the rest goes with the ACK. */
static void test_nagle(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	user_sends(&p, 10);
	expect(&p, "P.", 1, 1, 10);
	user_sends(&p, 10);
	user_sends(&p, 10);
	expect_none(&p);
	user_sends(&p, 1000);
	expect(&p, ".", 11, 1, 1000);
	expect_none(&p);
	recv(&p, ".", 1, 1011, 0);
	expect(&p, "P.", 1011, 1, 20);
	peer_done(&p);
}

/* MUST-17: and the user can switch it off. */
static void test_nodelay(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	user_sends(&p, 10);
	user_sends(&p, 10);
	expect(&p, "P.", 1, 1, 10);
	expect_none(&p);
	peer_set(&p, PARLEY_SET_NODELAY, 1);
	expect(&p, "P.", 11, 1, 10);
	user_sends(&p, 1);
	expect(&p, "P.", 21, 1, 1);
	peer_done(&p);
}

/* MAY-16 */
static void test_cork_and_more(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	peer_set(&p, PARLEY_SET_CORK, 1);
	user_sends(&p, 600);
	expect_none(&p);
	user_sends(&p, 600);
	expect(&p, ".", 1, 1, 1000);
	expect_none(&p);
	recv(&p, ".", 1, 1001, 0);
	expect_none(&p);
	peer_set(&p, PARLEY_SET_CORK, 0);
	expect(&p, "P.", 1001, 1, 200);
	recv(&p, ".", 1, 1201, 0);
	assert_int_equal(send_more(&p, 100), 100);
	expect_none(&p);
	user_sends(&p, 100);
	expect(&p, "P.", 1201, 1, 200);
	peer_done(&p);
}

/* MAY-16: what is not pushed waits for an ACK of new data, and goes without PSH. */
static void test_more_is_not_pushed(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	assert_int_equal(send_more(&p, 1300), 1300);
	expect(&p, ".", 1, 1, 1000);
	expect_none(&p);
	recv(&p, ".", 1, 1001, 0);
	expect(&p, ".", 1001, 1, 300);
	recv(&p, ".", 1, 1301, 0);
	/* MUST-60: nothing is under way, so that no ACK will come; it has been long enough. */
	assert_int_equal(send_more(&p, 100), 100);
	expect_none(&p);
	peer_wait(&p, SEC(1));
	expect(&p, "P.", 1301, 1, 100);
	peer_done(&p);
}

/* MUST-60: a cork that is forgotten does not hold back for ever, and close takes it out. */
static void test_cork_ends(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	peer_set(&p, PARLEY_SET_CORK, 1);
	user_sends(&p, 10);
	peer_wait(&p, MS(200));
	expect(&p, "P.", 1, 1, 10);
	recv(&p, ".", 1, 11, 0);
	user_sends(&p, 10);
	expect_none(&p);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
	peer_step(&p);
	expect(&p, "FP.", 11, 1, 10);
	peer_done(&p);
}

/* MUST-60, MUST-61: the last segment of what was sent carries PSH, no other. */
static void test_push(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	user_sends(&p, 2500);
	expect(&p, ".", 1, 1, 1000);
	expect(&p, ".", 1001, 1, 1000);
	expect_none(&p);
	recv(&p, ".", 1, 2001, 0);
	expect(&p, "P.", 2001, 1, 500);
	peer_done(&p);
}

/* The window bounds what is sent, to the byte; the FIN takes a place in it too. */
static void test_peer_window(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 0x7fffff00, 5);
	p.wnd = 2500;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_set(&p, PARLEY_SET_NODELAY, 1);
	user_sends(&p, 5000);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
	peer_step(&p);
	expect(&p, ".", 1, 1, 1000);
	expect(&p, ".", 1001, 1, 1000);
	expect_none(&p); /* 500 are less than half of the largest window */
	recv(&p, ".", 1, 1001, 0);
	expect(&p, ".", 2001, 1, 1000);
	p.wnd = 3000;
	recv(&p, ".", 1, 2001, 0);
	expect(&p, ".", 3001, 1, 1000);
	expect(&p, "P.", 4001, 1, 1000); /* no place for the FIN */
	expect_none(&p);
	recv(&p, ".", 1, 3001, 0);
	expect(&p, "F.", 5001, 1, 0);
	peer_done(&p);
}

/* MUST-38: at least half of the largest window ever, or a full segment, or all there is. */
static void test_silly_window(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.wnd = 600;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 5000);
	expect(&p, ".", 1, 1, 600);
	p.wnd = 299;
	recv(&p, ".", 1, 601, 0);
	expect_none(&p);
	p.wnd = 300;
	recv(&p, ".", 1, 601, 0);
	expect(&p, ".", 601, 1, 300);
	/* Not for ever: the override goes with what there is (3.8.6.2.1). */
	p.wnd = 10;
	recv(&p, ".", 1, 901, 0);
	expect_none(&p);
	peer_wait(&p, SEC(1));
	expect(&p, ".", 901, 1, 10);
	peer_done(&p);
}

/*
 * MUST-34, SHLD-15, SHLD-16: a window that is taken back: nothing new, and what is outside is not
 * sent again.
 */
static void test_window_taken_back(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	user_sends(&p, 4000);
	peer_forget(&p);
	p.wnd = 1500;
	recv(&p, ".", 1, 1001, 0);
	expect_none(&p);
	peer_wait(&p, MS(250));
	expect(&p, ".", 1001, 1, 1000);
	expect_none(&p);
	p.wnd = 500;
	recv(&p, ".", 1, 2001, 0);
	expect(&p, ".", 2001, 1, 500); /* as far as it reaches */
	expect_none(&p);
	p.wnd = 50000;
	recv(&p, ".", 1, 2001, 0);
	expect(&p, ".", 2501, 1, 500);
	expect(&p, "P.", 3001, 1, 1000);
	expect_none(&p);
	peer_done(&p);
}

/* MUST-40, SHLD-18: an ACK is delayed, by less than 500 ms. */
static void test_delayed_ack(void **unused)
{
	struct peer p;
	uint64_t begin;

	(void)unused;
	established(&p);
	begin = p.tcp.now;
	recv(&p, "P.", 1, 1, 10);
	expect_none(&p);
	peer_wait(&p, SEC(1));
	assert_int_equal(expect(&p, ".", 1, 11, 0).at - begin, MS(40));
	expect_none(&p);
	peer_set(&p, PARLEY_SET_DELAYED_ACK, 0);
	recv(&p, "P.", 11, 1, 10);
	expect(&p, ".", 1, 21, 0);
	peer_done(&p);
}

/* SHLD-19: at least each second full-sized segment. */
static void test_every_second_segment(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	for (uint32_t i = 0; i < 20; i++) {
		recv(&p, ".", 1 + 1000 * i, 1, 1000);
		if (i % 2)
			expect(&p, ".", 1, 1001 + 1000 * i, 0);
	}
	expect_none(&p);
	peer_done(&p);
}

/* Text that goes out carries the acknowledgement. */
static void test_piggyback(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	recv(&p, "P.", 1, 1, 10);
	user_sends(&p, 10);
	expect(&p, "P.", 1, 11, 10);
	peer_wait(&p, MS(100));
	expect_none(&p);
	peer_done(&p);
}

/* Text arrives, and output has no turn yet. */
static void text_comes(struct peer *p, uint32_t seq, uint32_t len)
{
	static const uint8_t text[1000];
	struct arrival arrival = {.tuple = p->tuple, .ifindex = 1, .at = p->tcp.now};
	struct segment seg = {
		.seq = seq_add(p->irs, seq),
		.ack = peer_tcb(p)->snd.nxt,
		.flags = TCP_ACK,
		.wnd = 5000,
		.text = text,
		.text_len = len,
		.len = len,
	};

	tcp_arrives(&p->tcp, &arrival, &seg);
}

/* The user sends, and output has no turn yet. */
static void user_queues(struct peer *p, uint32_t len)
{
	uint8_t bytes[1000];
	struct parley_span span = {bytes, len};

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = pattern(p->written + i);
	assert_int_equal(user_send(&p->tcp, p->conn, &span, 1, 0), len);
	p->written += len;
}

/* A question whose answer follows at once is acknowledged by it: no timer hears of the delay. */
static void test_answered_in_time(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	text_comes(&p, 1, 10);
	user_sends(&p, 1);
	expect(&p, "P.", 1, 11, 1);
	assert_true(wheel_is_scheduled(&peer_tcb(&p)->timer));
	assert_int_equal(peer_tcb(&p)->timer.deadline, peer_tcb(&p)->main_at);
	/* And one whose answer does not come is acknowledged in time. */
	text_comes(&p, 11, 10);
	peer_step(&p);
	expect_none(&p);
	assert_int_equal(peer_tcb(&p)->timer.deadline, p.tcp.now + MS(40));
	peer_wait(&p, MS(40));
	expect(&p, ".", 2, 21, 0);
	peer_done(&p);
}

/* Nor is it forgotten when the connection waited for a next hop that does not answer. */
static void test_unreachable_with_an_ack_owed(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	text_comes(&p, 1, 10);
	assert_ptr_equal(egress_pop(&p.egress), peer_tcb(&p));
	tcp_unreachable(&p.tcp, peer_tcb(&p));
	assert_null(tcp_check(&p.tcp));
	peer_wait(&p, MS(40));
	expect(&p, ".", 1, 11, 0);
	peer_done(&p);
}

/* MUST-40: an ACK that is due stays due, although more text comes before output has its turn. */
static void test_text_does_not_put_off_an_ack(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	recv(&p, "P.", 1, 1, 10);
	expect_none(&p);
	tcp_set_now(&p.tcp, p.tcp.now + MS(40));
	assert_int_equal(tcp_expire(&p.tcp), 1);
	text_comes(&p, 11, 10);
	peer_step(&p);
	assert_int_equal(expect(&p, ".", 1, 21, 0).why, PARLEY_WHY_DELAYED);
	peer_wait(&p, MS(100));
	expect_none(&p);
	peer_done(&p);
}

/*
 * Duplicate ACKs are owed, and text waits, when there is no way: the ACKs are lost, and so is the
 * text, which the timer sends again.
 */
static void test_unreachable_with_duplicate_acks_owed(void **unused)
{
	struct peer p;
	struct sent sent;
	uint64_t begin;

	(void)unused;
	established(&p);
	begin = p.tcp.now;
	text_comes(&p, 1001, 1000);
	text_comes(&p, 2001, 1000);
	user_queues(&p, 10);
	assert_ptr_equal(egress_pop(&p.egress), peer_tcb(&p));
	tcp_unreachable(&p.tcp, peer_tcb(&p));
	assert_null(tcp_check(&p.tcp));
	peer_wait(&p, SEC(1));
	sent = expect(&p, "P.", 1, 1, 10);
	assert_int_equal(sent.why, PARLEY_WHY_RTO);
	assert_true(sent.at - begin <= SEC(1));
	peer_done(&p);
}

/* MUST-58, MUST-59: a batch is processed whole before ACKs go; one for all that came in order. */
static void test_one_ack_for_a_batch(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	for (uint32_t i = 0; i < 10; i++)
		text_comes(&p, 1 + 1000 * i, 1000);
	peer_step(&p);
	expect(&p, ".", 1, 10001, 0);
	expect_none(&p);
	peer_done(&p);
}

/* MAY-13: one duplicate ACK for each segment out of order, and an ACK at once when a gap closes. */
static void test_duplicate_acks(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	for (uint32_t i = 1; i < 6; i++) {
		recv(&p, ".", 1 + 1000 * i, 1, 1000);
		assert_int_equal(expect(&p, ".", 1, 1, 0).why, PARLEY_WHY_DUPLICATE);
	}
	recv(&p, ".", 1, 1, 500);
	expect(&p, ".", 1, 501, 0);
	recv(&p, ".", 501, 1, 500);
	expect(&p, ".", 1, 6001, 0);
	expect_none(&p);
	peer_done(&p);
}

/*
 * MUST-16, MUST-14: the smaller of the peer's option and what the interface takes; 536 without
 * option.
 */
static void test_segment_size(void **unused)
{
	static const struct {
		uint16_t option;
		uint32_t size;
	} cases[] = {{0, 536}, {1, 64}, {64, 64}, {536, 536}, {1460, 1460}, {9000, 1460}};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;

		peer_init(&p);
		p.mss = cases[i].option;
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		user_sends(&p, 3000);
		expect(&p, ".", 1, 1, cases[i].size);
		peer_done(&p);
	}
}

/* SHLD-28: the initial window (RFC 6928), one segment when the SYN was lost. */
static void test_initial_window(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	user_sends(&p, 50000);
	for (uint32_t i = 0; i < 10; i++)
		expect(&p, ".", 1 + 1000 * i, 1, 1000);
	expect_none(&p);
	peer_done(&p);

	peer_init(&p);
	peer_connect(&p);
	peer_wait(&p, SEC(1));
	recv(&p, "S.", 0, 1, 0);
	peer_forget(&p);
	user_sends(&p, 50000);
	expect(&p, ".", 1, 1, 1000);
	expect_none(&p);
	peer_done(&p);
}

/* RFC 5681 4.1: after an idle time of an RTO, the restart window. */
static void test_restart_after_idle(void **unused)
{
	struct peer p;
	uint32_t n = 0;

	(void)unused;
	established(&p);
	p.wnd = 65535;
	user_sends(&p, 40000);
	for (uint32_t acked = 1; acked < 40001; n = 0) {
		while (p.sent_count) {
			n += next_sent(&p).len;
			recv(&p, ".", 1, acked += 1000, 0);
		}
	}
	assert_true(peer_tcb(&p)->cwnd > 20000);
	peer_wait(&p, SEC(1));
	user_sends(&p, 40000);
	while (p.sent_count)
		n += next_sent(&p).len;
	assert_int_equal(n, 10000);
	peer_done(&p);
}

/* RFC 5681 4.1 speaks of sending: what cannot go ends nothing; and it can be switched off. */
static void test_no_restart(void **unused)
{
	struct peer p;

	(void)unused;
	established(&p);
	p.wnd = 65535;
	user_sends(&p, 10000);
	while (p.sent_count)
		next_sent(&p);
	p.wnd = 0;
	recv(&p, ".", 1, 10001, 0);
	assert_int_equal(peer_tcb(&p)->cwnd, 18000);
	user_sends(&p, 1000);
	peer_wait(&p, SEC(1));
	assert_int_equal(peer_tcb(&p)->cwnd, 18000);
	peer_set(&p, PARLEY_SET_IDLE_RESTART, 0);
	p.wnd = 65535;
	recv(&p, ".", 1, 10001, 0);
	assert_int_equal(peer_tcb(&p)->cwnd, 18000);
	peer_done(&p);
}

/* A super-segment for an interface that cuts: a multiple of the MSS, within the windows. */
static void test_super_segment(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.egress.offload_segment = true;
	p.wnd = 4500;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 50000);
	expect(&p, ".", 1, 1, 4000);
	expect_none(&p);
	p.wnd = 60000;
	recv(&p, ".", 1, 4001, 0);
	assert_int_equal(next_sent(&p).len % 1000, 0);
	/* What is lost of it goes again one segment at a time. */
	peer_forget(&p);
	peer_wait(&p, MS(250));
	expect(&p, ".", 4001, 1, 1000);
	peer_done(&p);
}

/* No memory for the record of a transmission: another try without being asked. */
static void test_no_memory_for_a_record(void **unused)
{
	uint8_t byte = pattern(0);
	struct parley_span span = {&byte, 1};
	struct peer p;

	(void)unused;
	established(&p);
	assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), 1);
	memory_fail_at(&p.memory, 1);
	peer_step(&p);
	assert_int_equal(p.memory.failures, 1);
	expect_none(&p);
	peer_wait(&p, MS(200));
	expect(&p, "P.", 1, 1, 1);
	peer_done(&p);
}

/* No memory for the bytes, and nothing under way whose ACK would tell: the timer tells. */
static void test_no_memory_for_a_send(void **unused)
{
	uint8_t bytes[100] = {0};
	struct parley_span span = {bytes, sizeof bytes};
	struct parley_buffer buffer;
	struct peer p;

	(void)unused;
	for (int reserve = 0; reserve < 2; reserve++) {
		established(&p);
		peer_events(&p, p.conn, NULL);
		p.memory.cap = p.memory.charged;
		if (reserve)
			assert_int_equal(user_reserve(&p.tcp, p.conn, 100, &buffer, 1),
					 -PARLEY_EAGAIN);
		else
			assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), -PARLEY_EAGAIN);
		p.memory.cap = PEER_LIMIT;
		assert_int_equal(peer_events(&p, p.conn, NULL), 0);
		peer_wait(&p, MS(200));
		assert_int_equal(peer_events(&p, p.conn, NULL), PARLEY_WRITABLE);
		peer_done(&p);
	}
}

/* It fits a frame: 64 KiB without room for the headers, and only whole segments of it. */
static void test_super_segment_fits_a_frame(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.egress.offload_segment = true;
	p.mss = 64;
	p.wscale = 7;
	peer_set(&p, PARLEY_SET_INITIAL_WINDOW, 1000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_tcb(&p)->cwnd = 1 << 20;
	p.wnd = 1 << 20;
	recv(&p, ".", 1, 1, 0);
	user_sends(&p, 65536);
	assert_int_equal(next_sent(&p).len, (65535 - PARLEY_HEADER_MAX) / 64 * 64);
	assert_int_equal(next_sent(&p).len, 65536 - (65535 - PARLEY_HEADER_MAX) / 64 * 64);
	expect_none(&p);
	peer_done(&p);
}

/* Neither window is passed, with something under way already. */
static void test_super_segment_within_both_windows(void **unused)
{
	static const struct {
		uint32_t cwnd, wnd, len;
	} cases[] = {{9000, 50000, 7000}, {9999, 50000, 7000}, {50000, 9000, 7000},
		     {50000, 9999, 7000}, {2000, 50000, 0},    {50000, 2000, 0}};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;

		peer_init(&p);
		p.egress.offload_segment = true;
		p.wnd = cases[i].wnd;
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		peer_tcb(&p)->cwnd = cases[i].cwnd;
		user_sends(&p, 2000);
		expect(&p, "P.", 1, 1, 2000);
		user_sends(&p, 20000);
		if (cases[i].len)
			expect(&p, ".", 2001, 1, cases[i].len);
		expect_none(&p);
		peer_done(&p);
	}
}

/* RFC 6928 2, and RFC 5681 3.1 without it: the initial window by the size of segments. */
static void test_initial_window_by_segment_size(void **unused)
{
	static const struct {
		int64_t segments;
		uint16_t mss;
		uint32_t cwnd;
	} cases[] = {
		{10, 536, 5360},   {10, 1460, 14600}, {10, 1461, 14600}, {10, 4867, 14600},
		{10, 6000, 14600}, {10, 7300, 14600}, {10, 7301, 14602}, {10, 8900, 17800},
		{11, 8000, 88000}, {9, 8000, 72000},  {1, 536, 536},	 {0, 1095, 4380},
		{0, 1096, 3288},   {0, 2190, 6570},   {0, 2191, 4382},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;

		peer_init(&p);
		egress_init(&p.egress, 9000);
		p.mss = cases[i].mss;
		peer_set(&p, PARLEY_SET_INITIAL_WINDOW, cases[i].segments);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		assert_int_equal(peer_tcb(&p)->cwnd, cases[i].cwnd);
		peer_done(&p);
	}
}

/* Text and FIN as one segment: of full size they go again as one. */
static void test_full_segment_with_a_fin_again(void **unused)
{
	uint8_t bytes[1000];
	struct parley_span span = {bytes, sizeof bytes};
	struct peer p;

	(void)unused;
	established(&p);
	for (uint32_t i = 0; i < sizeof bytes; i++)
		bytes[i] = pattern(i);
	assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), 1000);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
	peer_step(&p);
	expect(&p, "FP.", 1, 1, 1000);
	peer_wait(&p, MS(200));
	expect(&p, "FP.", 1, 1, 1000);
	expect_none(&p);
	peer_done(&p);
}

/* Nothing of a FIN that found no memory for its record stays allocated. */
static void test_no_memory_for_the_record_of_a_fin(void **unused)
{
	struct peer p;
	uint64_t before;

	(void)unused;
	established(&p);
	before = p.memory.charged;
	memory_fail_at(&p.memory, 2); /* the second: the first is of the part that sends */
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
	peer_step(&p);
	expect_none(&p);
	assert_null(peer_tcb(&p)->sending);
	memory_fail_at(&p.memory, 0);
	assert_true(p.memory.charged >= before);
	peer_wait(&p, SEC(1));
	expect(&p, "F.", 1, 1, 0);
	peer_forget(&p);
	peer_done(&p);
}

/* The time of a delayed ACK has come, and something else asks for output before its timer does. */
static void test_delayed_ack_is_due(void **unused)
{
	(void)unused;
	for (int due = 0; due < 2; due++) {
		struct peer p;

		established(&p);
		recv(&p, "P.", 1, 1, 10);
		tcp_set_now(&p.tcp, p.tcp.now + MS(40) - !due);
		tcb_owe(&p.tcp, peer_tcb(&p), 0);
		peer_step(&p);
		if (due)
			assert_int_equal(expect(&p, ".", 1, 11, 0).why, PARLEY_WHY_DELAYED);
		expect_none(&p);
		peer_done(&p);
	}
}

/* Of a batch that is out of order no more than 16 segments are answered one by one. */
static void test_many_duplicate_acks(void **unused)
{
	static const uint32_t cases[][2] = {{15, 15}, {16, 16}, {17, 16}, {40, 16}};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;

		established(&p);
		for (uint32_t k = 0; k < cases[i][0]; k++)
			text_comes(&p, 1001 + 1000 * k, 1000);
		peer_step(&p);
		for (uint32_t k = 0; k < cases[i][1]; k++)
			assert_int_equal(expect(&p, ".", 1, 1, 0).why, PARLEY_WHY_DUPLICATE);
		expect_none(&p);
		peer_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nagle),
		cmocka_unit_test(test_nodelay),
		cmocka_unit_test(test_cork_and_more),
		cmocka_unit_test(test_more_is_not_pushed),
		cmocka_unit_test(test_cork_ends),
		cmocka_unit_test(test_push),
		cmocka_unit_test(test_peer_window),
		cmocka_unit_test(test_silly_window),
		cmocka_unit_test(test_window_taken_back),
		cmocka_unit_test(test_delayed_ack),
		cmocka_unit_test(test_every_second_segment),
		cmocka_unit_test(test_piggyback),
		cmocka_unit_test(test_answered_in_time),
		cmocka_unit_test(test_unreachable_with_an_ack_owed),
		cmocka_unit_test(test_text_does_not_put_off_an_ack),
		cmocka_unit_test(test_unreachable_with_duplicate_acks_owed),
		cmocka_unit_test(test_one_ack_for_a_batch),
		cmocka_unit_test(test_duplicate_acks),
		cmocka_unit_test(test_segment_size),
		cmocka_unit_test(test_initial_window),
		cmocka_unit_test(test_restart_after_idle),
		cmocka_unit_test(test_no_restart),
		cmocka_unit_test(test_super_segment),
		cmocka_unit_test(test_no_memory_for_a_record),
		cmocka_unit_test(test_no_memory_for_a_send),
		cmocka_unit_test(test_super_segment_fits_a_frame),
		cmocka_unit_test(test_super_segment_within_both_windows),
		cmocka_unit_test(test_initial_window_by_segment_size),
		cmocka_unit_test(test_full_segment_with_a_fin_again),
		cmocka_unit_test(test_no_memory_for_the_record_of_a_fin),
		cmocka_unit_test(test_delayed_ack_is_due),
		cmocka_unit_test(test_many_duplicate_acks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
