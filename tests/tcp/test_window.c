/* SPDX-License-Identifier: MIT */
/* The window that the TCP offers: what it holds, when it opens, how it is rounded. */
#include "peer.h"

#include "tcp/window.h"

#include "base/rng.h"

static void open_with(struct peer *p, int64_t buffer, int scale)
{
	peer_init_at(p, 0x7ffffff0, 0xfffff000);
	p->wscale = scale;
	peer_set(p, PARLEY_SET_RECEIVE_BUFFER, buffer);
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
}

/*
 * SHLD-5, MAY-3: both SYNs carry their window unscaled; the shift is the least that lets the buffer
 * be offered.
 */
static void test_scale_offered(void **unused)
{
	static const struct {
		int64_t buffer;
		int shift;
		uint32_t wnd, then;
	} cases[] = {
		{1, 0, 1, 1},
		{65535, 0, 65535, 65535},
		{65536, 1, 65535, 65536},
		{131071, 1, 65535, 131070},
		{1 << 20, 5, 65535, 1 << 20},
		{1 << 30, 14, 65535, 65535u << 14},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;
		struct sent syn;

		peer_init(&p);
		p.wscale = 3;
		peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, cases[i].buffer);
		peer_connect(&p);
		syn = expect(&p, "S", 0, 0, 0);
		assert_int_equal(syn.wscale, cases[i].shift);
		assert_int_equal(syn.wnd, cases[i].wnd);
		assert_int_equal(syn.mss, 1460); /* MUST-14, MUST-67 */
		recv(&p, "S.", 0, 1, 0);
		/* Now scaled, and as much as the buffer holds in whole units. */
		assert_int_equal(expect(&p, ".", 1, 1, 0).wnd, cases[i].then);
		peer_done(&p);
	}
}

/* RFC 7323 2.2: only if both sides offer it; a SYN,ACK carries it only then. */
static void test_scale_needs_both(void **unused)
{
	struct peer p;

	(void)unused;
	open_with(&p, 1 << 20, -1);
	assert_int_equal(peer_tcb(&p)->rcv_shift, 0);
	assert_int_equal(peer_tcb(&p)->snd_shift, 0);
	peer_done(&p);
	for (int wscale = -1; wscale <= 14; wscale += 5) {
		peer_init(&p);
		p.wscale = wscale;
		peer_listen(&p, 1);
		recv(&p, "S", 0, 0, 0);
		assert_int_equal(expect(&p, "S.", 0, 1, 0).wscale, wscale < 0 ? -1 : 9);
		peer_done(&p);
	}
}

/* The ACK of a half-open connection carries its window scaled: it is no SYN. */
static void test_half_open_ack_is_scaled(void **unused)
{
	struct peer p;

	(void)unused;
	for (int how = PEER_PASSIVE; how <= PEER_LISTENER; how++) {
		peer_init(&p);
		p.wscale = 2;
		peer_reach(&p, (enum peer_how)how, PARLEY_SYN_RECEIVED);
		recv(&p, "P.", 70000, 1, 10); /* not acceptable */
		assert_in_range(expect(&p, ".", 1, 1, 0).wnd, 65535 - 31, 1 << 20);
		/* What it said then is not taken back. */
		recv(&p, "P.", 1, 1, 10);
		peer_wait(&p, MS(40));
		expect(&p, ".", 1, 11, 0);
		peer_done(&p);
	}
}

/* The scale is what the SYN,ACK said, though the listener is set otherwise before the last ACK. */
static void test_scale_outlives_the_setting(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.wscale = 2;
	peer_listen(&p, 1);
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(expect(&p, "S.", 0, 1, 0).wscale, 9);
	assert_int_equal(user_set(&p.tcp, p.listener, PARLEY_SET_RECEIVE_BUFFER, 4000), 0);
	recv(&p, "P.", 1, 1, 10);
	assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
	assert_int_equal(peer_tcb(&p)->rcv_shift, 9);
	assert_int_equal(peer_tcb(&p)->snd_shift, 2);
	peer_forget(&p);
	peer_done(&p);
}

/* SHLD-14: nor is what the SYN,ACK offered taken back, whatever the listener's buffer becomes. */
static void test_offer_outlives_the_setting(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.wscale = -1;
	peer_listen(&p, 1);
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(expect(&p, "S.", 0, 1, 0).wnd, 65535);
	assert_int_equal(user_set(&p.tcp, p.listener, PARLEY_SET_RECEIVE_BUFFER, 1000), 0);
	peer_wait(&p, SEC(1));
	assert_int_equal(expect(&p, "S.", 0, 1, 0).wnd, 65535);
	recv(&p, "P.", 1, 1, 1460);
	peer_wait(&p, MS(40));
	assert_int_equal(expect(&p, ".", 1, 1461, 0).wnd, 65535 - 1460);
	assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
	user_receives(&p, 1460);
	/* The next to come are offered what the buffer is then. */
	p.tuple.remote_port++;
	p.edge_known = false;
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(next_sent(&p).wnd, 1000);
	peer_done(&p);
}

/* The last ACKs of a remnant offer what its connection had offered. */
static void test_remnant_offers_the_same(void **unused)
{
	struct peer p;
	uint32_t wnd;

	(void)unused;
	peer_init(&p);
	p.wscale = 2;
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 4000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_FIN_WAIT_2);
	recv(&p, "F.", 1, 2, 0);
	wnd = expect(&p, ".", 2, 2, 0).wnd;
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	recv(&p, "F.", 1, 2, 0);
	assert_int_equal(expect(&p, ".", 2, 2, 0).wnd, wnd);
	peer_done(&p);
}

/* MAY-8: closes as it fills; with no room left it is zero, and what comes is not taken. */
static void test_fills_and_closes(void **unused)
{
	struct peer p;

	(void)unused;
	open_with(&p, 5000, -1);
	for (uint32_t i = 0; i < 5; i++)
		recv(&p, ".", 1 + 1000 * i, 1, 1000);
	while (p.sent_count > 1)
		next_sent(&p);
	peer_wait(&p, MS(40));
	while (p.sent_count > 1)
		next_sent(&p);
	assert_int_equal(expect(&p, ".", 1, 5001, 0).wnd, 0);
	recv(&p, ".", 5001, 1, 1);
	assert_int_equal(expect(&p, ".", 1, 5001, 0).wnd, 0);
	/* MUST-39: it opens by a segment or half the buffer, not by a few bytes. */
	user_receives(&p, 500);
	expect_none(&p);
	recv(&p, ".", 5001, 1, 1);
	assert_int_equal(expect(&p, ".", 1, 5001, 0).wnd, 0);
	user_receives(&p, 960);
	assert_int_equal(expect(&p, ".", 1, 5001, 0).wnd, 1460);
	peer_done(&p);
}

/* MUST-39: with a buffer smaller than two segments half of it is enough (Fr = 1/2). */
static void test_small_buffer_opens_by_half(void **unused)
{
	static const uint32_t cases[][2] = {{1000, 500},  {2000, 1000}, {2918, 1459},
					    {2920, 1460}, {2922, 1460}, {4000, 1460}};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint32_t buffer = cases[i][0], least = cases[i][1];
		struct peer p;

		open_with(&p, buffer, -1);
		recv(&p, ".", 1, 1, buffer);
		peer_wait(&p, MS(40));
		assert_int_equal(expect(&p, ".", 1, 1 + buffer, 0).wnd, 0);
		user_receives(&p, least - 1);
		expect_none(&p);
		user_receives(&p, 1);
		assert_int_equal(expect(&p, ".", 1, 1 + buffer, 0).wnd, least);
		peer_done(&p);
	}
}

/* SHLD-14: a smaller buffer does not take back what was offered. */
static void test_smaller_buffer_does_not_shrink(void **unused)
{
	struct peer p;

	(void)unused;
	open_with(&p, 20000, -1);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 1000);
	recv(&p, ".", 1, 1, 1000);
	recv(&p, ".", 1001, 1, 1000);
	assert_int_equal(expect(&p, ".", 1, 2001, 0).wnd, 18000);
	peer_done(&p);
}

/* Text and FIN are cut exactly at the right edge. */
static void test_cut_at_the_right_edge(void **unused)
{
	struct peer p;

	(void)unused;
	open_with(&p, 1000, -1);
	recv(&p, "F.", 1, 1, 1001);
	peer_wait(&p, MS(40));
	expect(&p, ".", 1, 1001, 0);
	expect_state(&p, ESTABLISHED);
	user_receives(&p, 1000);
	expect(&p, ".", 1, 1001, 0);
	recv(&p, "F.", 1001, 1, 1000);
	expect(&p, ".", 1, 2002, 0);
	expect_state(&p, CLOSE_WAIT);
	peer_done(&p);
}

/* A reader and a sender of random sizes, scaled or not: peer.c watches the right edge. */
static void test_right_edge_never_moves_left(void **unused)
{
	(void)unused;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct rng r = rng(seed, 1);
		uint32_t seq = 1, unread = 0;
		struct peer p;

		open_with(&p, 1 + (int64_t)rng_below(&r, seed % 2 ? 1 << 22 : 9000),
			  seed % 3 ? 7 : -1);
		for (int i = 0; i < 300; i++) {
			uint32_t room = p.edge.v - seq_add(p.irs, seq).v;
			uint32_t n = (uint32_t)rng_below(&r, rng_chance(&r, 300000) ? 4 : 4000);

			n = n < room ? n : room;
			if (n && rng_chance(&r, 600000)) {
				recv(&p, ".", seq, 1, n);
				seq += n;
				unread += n;
			}
			n = (uint32_t)rng_below(&r, 3000);
			if (n && unread && rng_chance(&r, 500000)) {
				n = n < unread ? n : unread;
				user_receives(&p, n);
				unread -= n;
			}
			if (rng_chance(&r, 200000))
				peer_wait(&p, MS(41));
			peer_forget(&p);
		}
		peer_done(&p);
	}
}

/* An update for each quarter of the buffer that becomes free, at least for two segments. */
static void test_update_by_a_quarter(void **unused)
{
	static const uint32_t cases[][2] = {
		{40000, 10000}, {12000, 3000}, {10000, 2920}, {8000, 2920}};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint32_t half = cases[i][0] / 2, step = cases[i][1];
		struct peer p;

		open_with(&p, cases[i][0], -1);
		for (uint32_t at = 0; at < half; at += 1000)
			recv(&p, ".", 1 + at, 1, 1000);
		peer_wait(&p, MS(40));
		peer_forget(&p);
		user_receives(&p, step - 1);
		expect_none(&p);
		user_receives(&p, 1);
		assert_int_equal(expect(&p, ".", 1, 1 + half, 0).wnd, half + step);
		peer_done(&p);
	}
}

/* Without scaling no more than 65535 can be told, so what is free beyond that is no news. */
static void test_no_update_beyond_the_field(void **unused)
{
	struct peer p;

	(void)unused;
	open_with(&p, 1 << 20, -1);
	recv(&p, ".", 1, 1, 1000);
	recv(&p, ".", 1001, 1, 1000);
	assert_int_equal(expect(&p, ".", 1, 2001, 0).wnd, 65535);
	user_receives(&p, 2000);
	expect_none(&p);
	/* Bytes at a time, as long as the peer's ACKs have room. */
	recv(&p, ".", 2001, 1, 1000);
	user_receives(&p, 1000);
	expect_none(&p);
	peer_done(&p);
}

/*
 * With scaling the window opens by whole units: until one is free that makes it worth while, a user
 * who reads byte by byte has nothing to tell. An ACK that says nothing is a duplicate to the peer.
 */
static void test_no_update_that_opens_nothing(void **unused)
{
	struct peer p;

	(void)unused;
	open_with(&p, 0, 7); /* 64 KiB, in units of 512 */
	for (uint32_t i = 0; i < 64; i++)
		recv(&p, ".", 1 + 1024 * i, 1, 1024);
	peer_wait(&p, MS(40));
	peer_forget(&p);
	assert_int_equal(peer_tcb(&p)->rcv.wnd, 0);
	user_receives(&p, 1460);
	for (int i = 1460; i < 1535; i++)
		user_receives(&p, 1);
	expect_none(&p);
	user_receives(&p, 1);
	assert_int_equal(expect(&p, ".", 1, 65537, 0).wnd, 1536);
	peer_done(&p);
}

/* A sender of single bytes fills the buffer and what rounding up has added, and then no more. */
static void test_single_bytes_come_to_an_end(void **unused)
{
	struct peer p;
	uint32_t seq = 1;

	(void)unused;
	open_with(&p, 0, 7); /* 64 KiB, in units of 512 */
	for (uint32_t i = 0; i < 63; i++, seq += 1024)
		recv(&p, ".", seq, 1, 1024);
	for (uint32_t i = 0; i < 4096 && peer_tcb(&p)->rcv.wnd; i++, seq++) {
		recv(&p, ".", seq, 1, 1);
		peer_wait(&p, MS(40));
		peer_forget(&p);
	}
	assert_int_equal(peer_tcb(&p)->rcv.wnd, 0);
	assert_true(tcb_readable(peer_tcb(&p)) <= 65536 + 512);
	peer_done(&p);
}

/*
 * A buffer that has become smaller than a unit of the window scale: it closes when it is full, and
 * opens by a unit when it is not, or nothing could ever come again.
 */
static void test_buffer_of_less_than_a_unit(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.wscale = 7;
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER_MAX, 1 << 30); /* in units of 16384 */
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 10000);
	for (uint32_t i = 0; i < 64; i++) {
		recv(&p, ".", 1 + 1024 * i, 1, 1024);
		if (i < 50)
			user_receives(&p, 1024);
	}
	peer_wait(&p, MS(40));
	while (p.sent_count > 1)
		next_sent(&p);
	assert_int_equal(expect(&p, ".", 1, 65537, 0).wnd, 0);
	/* 14336 bytes wait: until a segment's worth of the buffer is free it stays closed. */
	user_receives(&p, 5795);
	expect_none(&p);
	user_receives(&p, 1);
	assert_int_equal(expect(&p, ".", 1, 65537, 0).wnd, 16384);
	user_receives(&p, 8540);
	expect_none(&p);
	/* It is filled to the last byte. */
	for (uint32_t i = 0; i < 16; i++)
		recv(&p, ".", 65537 + 1024 * i, 1, 1024);
	peer_wait(&p, MS(40));
	while (p.sent_count > 1)
		next_sent(&p);
	assert_int_equal(expect(&p, ".", 1, 81921, 0).wnd, 0);
	user_receives(&p, 16384);
	assert_int_equal(expect(&p, ".", 1, 81921, 0).wnd, 16384);
	peer_done(&p);
}

/*
 * A FIN needs no room: at a closed window it is acceptable, so an ACK of what was not sent that
 * comes with it is challenged and answered no more often than that.
 */
static void test_fin_at_a_closed_window_is_acceptable(void **unused)
{
	struct peer p;

	(void)unused;
	open_with(&p, 1000, -1);
	recv(&p, ".", 1, 1, 1000);
	peer_wait(&p, MS(40));
	assert_int_equal(expect(&p, ".", 1, 1001, 0).wnd, 0);
	recv(&p, "F.", 1001, 7, 0);
	assert_int_equal(expect(&p, ".", 1, 1001, 0).why, PARLEY_WHY_CHALLENGE);
	recv(&p, "F.", 1001, 7, 0);
	expect_none(&p);
	/* Text is not, and neither is a SYN, nor a FIN that stands elsewhere. */
	recv(&p, "F.", 1001, 7, 1);
	expect(&p, ".", 1, 1001, 0);
	recv(&p, ".", 1001, 7, 1);
	expect(&p, ".", 1, 1001, 0);
	recv(&p, "F.", 1002, 7, 0);
	expect(&p, ".", 1, 1001, 0);
	recv(&p, "F.", 1001, 1, 0);
	expect(&p, ".", 1, 1002, 0);
	expect_state(&p, CLOSE_WAIT);
	peer_done(&p);
}

/* By the letter of table 6 a FIN needs its place in the window, as text does. */
static void test_fin_at_the_edge_by_the_letter(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_WINDOW_EDGES, 0);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 1000);
	peer_set(&p, PARLEY_SET_WINDOW_SCALE, 0);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "F.", 1, 1, 1000);
	expect_state(&p, ESTABLISHED);
	assert_int_equal(tcb_readable(peer_tcb(&p)), 1000);
	peer_forget(&p);
	user_receives(&p, 1000);
	peer_forget(&p);
	recv(&p, "F.", 1001, 1, 999);
	expect_state(&p, CLOSE_WAIT);
	peer_forget(&p);
	peer_done(&p);
}

/* RFC 7323 2.4: with unread bytes the field is rounded up to a unit, so that the edge stays. */
static void test_rounded_up(void **unused)
{
	static const struct {
		uint32_t unread, wnd;
	} cases[] = {{1, 65536},   {511, 65536},  {512, 65024},	 {513, 65024},
		     {600, 65024}, {1023, 65024}, {1024, 64512}, {1400, 64512}};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;

		peer_init(&p);
		p.wscale = 0;
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		assert_int_equal(peer_tcb(&p)->rcv_shift, 9);
		recv(&p, "P.", 1, 1, cases[i].unread);
		peer_wait(&p, MS(40));
		assert_int_equal(expect(&p, ".", 1, 1 + cases[i].unread, 0).wnd, cases[i].wnd);
		assert_int_equal(peer_tcb(&p)->rcv.wnd, cases[i].wnd);
		peer_done(&p);
	}
}

/* RFC 7323 2.2: what our SYN has said of scaling stands, whatever the setting becomes. */
static void test_offer_stands(void **unused)
{
	(void)unused;
	for (int offered = 0; offered < 2; offered++) {
		struct peer p;

		peer_init(&p);
		p.wscale = 7;
		peer_set(&p, PARLEY_SET_WINDOW_SCALE, offered);
		peer_connect(&p);
		assert_int_equal(expect(&p, "S", 0, 0, 0).wscale, offered ? 9 : -1);
		peer_set(&p, PARLEY_SET_WINDOW_SCALE, !offered);
		peer_wait(&p, SEC(1));
		assert_int_equal(expect(&p, "S", 0, 0, 0).wscale, offered ? 9 : -1);
		recv(&p, "S", 0, 0, 0);
		assert_int_equal(expect(&p, "S.", 0, 1, 0).wscale, offered ? 9 : -1);
		p.snd_shift = offered ? 7 : 0;
		p.wnd = offered ? 1 << 20 : 50000;
		recv(&p, ".", 1, 1, 0);
		expect_state(&p, ESTABLISHED);
		assert_int_equal(peer_tcb(&p)->snd.wnd, p.wnd);
		assert_int_equal(peer_tcb(&p)->rcv_shift, offered ? 9 : 0);
		peer_done(&p);
	}
}

/* "quick-acks": the first so many segments' worth of text is acknowledged at once. */
static void test_quick_acks(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_set(&p, PARLEY_SET_QUICK_ACKS, 2);
	recv(&p, "P.", 1, 1, 536);
	expect(&p, ".", 1, 537, 0);
	recv(&p, "P.", 537, 1, 535);
	expect(&p, ".", 1, 1072, 0);
	recv(&p, "P.", 1072, 1, 1);
	expect(&p, ".", 1, 1073, 0);
	recv(&p, "P.", 1073, 1, 1);
	expect_none(&p);
	peer_wait(&p, MS(40));
	expect(&p, ".", 1, 1074, 0);
	/* Counted in the largest that came. */
	recv(&p, "P.", 1074, 1, 1460);
	expect(&p, ".", 1, 2534, 0);
	peer_done(&p);
}

/* But not once we are seen to answer: text that follows before an ACK would have carries it. */
static void test_no_quick_acks_for_who_answers(void **unused)
{
	static const struct {
		uint64_t after;
		bool answer;
	} cases[] = {{0, true}, {MS(40) - 1, true}, {MS(40), false}, {MS(40) + 1, false}};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;

		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		peer_set(&p, PARLEY_SET_QUICK_ACKS, 16);
		user_sends(&p, 10); /* before anything came: no answer */
		expect(&p, "P.", 1, 1, 10);
		recv(&p, "P.", 1, 11, 10);
		expect(&p, ".", 11, 11, 0);
		peer_wait(&p, cases[i].after);
		user_sends(&p, 10);
		expect(&p, "P.", 11, 11, 10);
		recv(&p, "P.", 11, 21, 10);
		if (!cases[i].answer)
			expect(&p, ".", 21, 21, 0);
		expect_none(&p);
		peer_forget(&p);
		peer_done(&p);
	}
}

/* Nothing more comes behind a FIN: the edge rests, however much is read. */
static void test_edge_rests_behind_the_fin(void **unused)
{
	struct peer p;

	(void)unused;
	open_with(&p, 1000, -1);
	recv(&p, "F.", 1, 1, 600);
	assert_int_equal(expect(&p, ".", 1, 602, 0).wnd, 400);
	user_receives(&p, 600);
	expect_none(&p);
	user_sends(&p, 1);
	assert_int_equal(expect(&p, "P.", 1, 602, 1).wnd, 400);
	peer_done(&p);
}

/* "delay-fin-ack": behind text that was not acknowledged yet a FIN may wait as long as that. */
static void test_ack_of_a_fin(void **unused)
{
	static const struct {
		int64_t delays;
		enum parley_state state;
		uint32_t text, with; /* before the FIN, and in its segment */
		bool waits;
	} cases[] = {
		{0, PARLEY_ESTABLISHED, 10, 0, false},	{1, PARLEY_ESTABLISHED, 10, 0, true},
		{1, PARLEY_ESTABLISHED, 0, 10, true},	{1, PARLEY_ESTABLISHED, 0, 1, true},
		{1, PARLEY_ESTABLISHED, 0, 0, false}, /* there was no text at all */
		{1, PARLEY_ESTABLISHED, 10, 525, true}, {1, PARLEY_ESTABLISHED, 10, 526, false},
		{1, PARLEY_FIN_WAIT_2, 10, 0, false},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint32_t una, fin = 1 + cases[i].text;
		uint64_t begin;
		struct sent sent;
		struct peer p;

		peer_init(&p);
		peer_set(&p, PARLEY_SET_DELAY_FIN_ACK, cases[i].delays);
		peer_reach(&p, PEER_ACTIVE, cases[i].state);
		una = peer_tcb(&p)->snd.una.v - p.iss.v;
		if (cases[i].text)
			recv(&p, "P.", 1, una, cases[i].text);
		expect_none(&p);
		begin = p.tcp.now;
		recv(&p, "F.", fin, una, cases[i].with);
		peer_wait(&p, MS(40));
		sent = expect(&p, ".", una, fin + cases[i].with + 1, 0);
		assert_int_equal(sent.at - begin, cases[i].waits ? MS(40) : 0);
		expect_none(&p);
		peer_done(&p);
	}
}

/* "update-when-doubled": when twice as much is free as the peer was left with, and not before. */
static void test_update_when_doubled(void **unused)
{
	struct peer p;

	(void)unused;
	open_with(&p, 8000, -1);
	peer_set(&p, PARLEY_SET_UPDATE_WHEN_DOUBLED, 1);
	for (uint32_t i = 0; i < 4; i++)
		recv(&p, ".", 1 + 1000 * i, 1, 1000);
	peer_wait(&p, MS(40));
	peer_forget(&p);
	user_receives(&p, 3999);
	expect_none(&p);
	user_receives(&p, 1);
	assert_int_equal(expect(&p, ".", 1, 4001, 0).wnd, 8000);
	peer_done(&p);
}

/* Who is left with less than a segment is told of one segment more; who has one, of two. */
static void test_update_below_a_segment(void **unused)
{
	(void)unused;
	for (uint32_t over = 0; over < 2; over++) {
		struct peer p;

		open_with(&p, 8000, -1);
		for (uint32_t i = 0; i < 6; i++)
			recv(&p, ".", 1 + 1000 * i, 1, 1000);
		recv(&p, ".", 6001, 1, 540 + over);
		peer_wait(&p, MS(40));
		peer_forget(&p);
		user_receives(&p, 1459);
		expect_none(&p);
		user_receives(&p, 1);
		if (over)
			assert_int_equal(expect(&p, ".", 1, 6542, 0).wnd, 2919);
		expect_none(&p);
		peer_done(&p);
	}
}

/* The smallest buffer there is: closed while its byte is unread, open again after. */
static void test_buffer_of_a_byte(void **unused)
{
	struct peer p;

	(void)unused;
	open_with(&p, 1, -1);
	for (uint32_t i = 1; i < 4; i++) {
		recv(&p, "P.", i, 1, 1);
		peer_wait(&p, MS(40));
		assert_int_equal(expect(&p, ".", 1, i + 1, 0).wnd, 0);
		user_receives(&p, 1);
		assert_int_equal(expect(&p, ".", 1, i + 1, 0).wnd, 1);
	}
	peer_done(&p);
}

/* And where all text was acknowledged already: from then on nothing is quick. */
static void test_fin_behind_text_that_was_acknowledged(void **unused)
{
	(void)unused;
	for (int quick = 0; quick < 2; quick++) {
		struct peer p;

		peer_init(&p);
		peer_set(&p, PARLEY_SET_DELAY_FIN_ACK, 1);
		peer_set(&p, PARLEY_SET_QUICK_ACKS, quick ? 16 : 0);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		recv(&p, "P.", 1, 1, 10);
		if (!quick)
			peer_wait(&p, MS(40));
		expect(&p, ".", 1, 11, 0);
		recv(&p, "F.", 11, 1, 0);
		expect_none(&p);
		peer_wait(&p, MS(40));
		expect(&p, ".", 1, 12, 0);
		peer_done(&p);
	}
}

/* Up to the most that the field can say, and until the edge is a unit beyond the buffer. */
static void test_rounded_up_to_the_most(void **unused)
{
	static const uint32_t wnds[] = {131070, 131070, 131070, 131068};
	struct peer p;

	(void)unused;
	open_with(&p, 131071, 3);
	assert_int_equal(p.rcv_shift, 1);
	for (uint32_t i = 0; i < 4; i++) {
		recv(&p, "P.", 1 + i, 1, 1);
		peer_wait(&p, MS(40));
		assert_int_equal(expect(&p, ".", 1, 2 + i, 0).wnd, wnds[i]);
	}
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offer_stands),
		cmocka_unit_test(test_scale_offered),
		cmocka_unit_test(test_scale_needs_both),
		cmocka_unit_test(test_half_open_ack_is_scaled),
		cmocka_unit_test(test_scale_outlives_the_setting),
		cmocka_unit_test(test_offer_outlives_the_setting),
		cmocka_unit_test(test_remnant_offers_the_same),
		cmocka_unit_test(test_fills_and_closes),
		cmocka_unit_test(test_small_buffer_opens_by_half),
		cmocka_unit_test(test_smaller_buffer_does_not_shrink),
		cmocka_unit_test(test_cut_at_the_right_edge),
		cmocka_unit_test(test_right_edge_never_moves_left),
		cmocka_unit_test(test_update_by_a_quarter),
		cmocka_unit_test(test_no_update_beyond_the_field),
		cmocka_unit_test(test_no_update_that_opens_nothing),
		cmocka_unit_test(test_single_bytes_come_to_an_end),
		cmocka_unit_test(test_buffer_of_less_than_a_unit),
		cmocka_unit_test(test_fin_at_a_closed_window_is_acceptable),
		cmocka_unit_test(test_fin_at_the_edge_by_the_letter),
		cmocka_unit_test(test_rounded_up),
		cmocka_unit_test(test_quick_acks),
		cmocka_unit_test(test_no_quick_acks_for_who_answers),
		cmocka_unit_test(test_edge_rests_behind_the_fin),
		cmocka_unit_test(test_ack_of_a_fin),
		cmocka_unit_test(test_update_when_doubled),
		cmocka_unit_test(test_update_below_a_segment),
		cmocka_unit_test(test_buffer_of_a_byte),
		cmocka_unit_test(test_fin_behind_text_that_was_acknowledged),
		cmocka_unit_test(test_rounded_up_to_the_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
