/* SPDX-License-Identifier: MIT */
/* The canonical form of what is no TCB, of a TCB's parts, and when the first timer is due. */
#include "form.h"

#include "tcp/half_open.h"
#include "tcp/listener.h"
#include "tcp/remnant.h"
#include "tcp/secret.h"
#include "tcp/sending.h"
#include "tcp/sent.h"

#define CHANGED(object, field, other) FORM_CHANGED(forms, &n, &p.tcp, object, field, other)

static struct form forms[128];

/* A listener, a SYN entry, a remnant: each differs by what it has to tell. */
static void test_other_entries(void **unused)
{
	struct form form[6];
	struct peer p;
	int n = 0;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	peer_listen(&p, 4);
	form_of(&form[n++], &p.tcp);
	assert_int_equal(user_set(&p.tcp, p.listener, PARLEY_SET_BACKLOG, 5), 0);
	form_of(&form[n++], &p.tcp);
	recv(&p, "S", 0, 0, 0);
	form_of(&form[n++], &p.tcp);
	peer_wait(&p, MS(1));
	form_of(&form[n++], &p.tcp);
	recv(&p, ".", 1, 1, 0);
	form_of(&form[n++], &p.tcp);
	assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
	form_of(&form[n++], &p.tcp);
	for (int i = 1; i < n; i++)
		for (int k = 0; k < i; k++)
			assert_false(form_same(&form[i], &form[k]));
	peer_forget(&p);
	peer_done(&p);
}

/* SYN entries: the same for two peers' numbers, another once the SYN,ACK went again. */
static void test_syn_entry(void **unused)
{
	struct form first, second, later;
	struct peer p;

	(void)unused;
	for (int i = 0; i < 2; i++) {
		peer_init_at(&p, 1000u + (unsigned)i * 5000, 77u << i);
		peer_listen(&p, 4);
		recv(&p, "S", 0, 0, 0);
		form_of(i ? &second : &first, &p.tcp);
		assert_true(tcp_first_timer(&p.tcp) > p.tcp.now);
		peer_wait(&p, SEC(1));
		form_of(&later, &p.tcp);
		assert_false(form_same(&first, &later));
		peer_forget(&p);
		peer_done(&p);
	}
	assert_true(form_same(&first, &second));
}

/* When the next timer is due, whichever that is. */
static void test_first_timer(void **unused)
{
	struct peer p;
	struct tcb *tcb;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	assert_int_equal(tcp_first_timer(&p.tcp), TCB_NEVER);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	assert_int_equal(tcp_first_timer(&p.tcp), TCB_NEVER);
	tcb = peer_tcb(&p);
	tcb->keepalive_at = 300;
	assert_int_equal(tcp_first_timer(&p.tcp), 300);
	tcb->ack_at = 200;
	assert_int_equal(tcp_first_timer(&p.tcp), 200);
	tcb->main_at = 100;
	assert_int_equal(tcp_first_timer(&p.tcp), 100);
	tcb->ack_at = tcb->keepalive_at = TCB_NEVER;
	assert_int_equal(tcp_first_timer(&p.tcp), 100);
	tcb->main_at = TCB_NEVER;
	p.tuple.remote_port++;
	peer_listen(&p, 4);
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(tcp_first_timer(&p.tcp), p.tcp.now + SEC(1));
	peer_forget(&p);
	peer_done(&p);
	/* A remnant's, which other entries' are compared with. */
	peer_init_at(&p, 1000, 2000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_TIME_WAIT);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	assert_int_equal(tcp_first_timer(&p.tcp), remnant_deadline(&p.tcp));
	peer_done(&p);
}

static void test_each_field_of_a_syn_entry(void **unused)
{
	struct syn_entry *entry;
	struct peer p;
	int n = 0;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	p.wscale = 3;
	peer_reach(&p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
	entry = slot_object(&p.tcp.slots, peer_find(&p), ENTRY_SYN);
	form_new(forms, &n, &p.tcp);
	CHANGED(entry, ifindex, 2);
	CHANGED(entry, snd_shift, 4);
	CHANGED(entry, rcv_shift, 4);
	CHANGED(entry, held, SYN_FETCHED);
	CHANGED(entry, retransmits, 1);
	CHANGED(entry, tuple.remote_port, 1);
	CHANGED(entry, wnd, entry->wnd - 1);
	CHANGED(entry, mss, entry->mss - 1);
	CHANGED(entry, wait, entry->wait - 1);
	CHANGED(entry, challenged, entry_challenged(p.tcp.now) & ENTRY_CHALLENGE_MAX);
	CHANGED(entry, timer.deadline, entry->timer.deadline - 1);
	peer_done(&p);
}

static void test_each_field_of_a_remnant(void **unused)
{
	struct remnant *remnant;
	struct peer p;
	int n = 0;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_TIME_WAIT);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	remnant = slot_object(&p.tcp.slots, peer_find(&p), ENTRY_REMNANT);
	form_new(forms, &n, &p.tcp);
	CHANGED(remnant, ifindex, 2);
	CHANGED(remnant, ttl, 2);
	CHANGED(remnant, wnd, 2);
	CHANGED(remnant, ends, remnant->ends - 1);
	CHANGED(remnant, challenged, entry_challenged(p.tcp.now) & ENTRY_CHALLENGE_MAX);
	CHANGED(remnant, tuple.remote_port, 1);
	CHANGED(remnant, tuple.local.b[0], 1);
	peer_done(&p);
}

static void test_each_field_of_a_listener(void **unused)
{
	struct listener *listener;
	struct peer p;
	int n = 0;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 4);
	listener = slot_object(&p.tcp.slots, p.listener, ENTRY_LISTENER);
	form_new(forms, &n, &p.tcp);
	CHANGED(listener, queued, 1);
	CHANGED(listener, half_open, 1);
	listener->half_open = 1; /* what they were offered counts while there are any */
	CHANGED(listener, offered, 1);
	listener->half_open = 0;
	CHANGED(listener, backlog, 5);
	CHANGED(listener, decides, true);
	CHANGED(listener, listening.local.port, 81);
	CHANGED(listener, notice.bits, 1);
	CHANGED(listener, notice.error, 1);
	CHANGED(listener, notice.soft, 1);
	assert_int_equal(user_set(&p.tcp, p.listener, PARLEY_SET_TTL, 5), 0);
	form_new(forms, &n, &p.tcp);
	peer_done(&p);
}

/* Of what was sent at the same time, the order counts: losses are found in it. */
static void test_order_of_transmission(void **unused)
{
	struct form before, after;
	struct peer p;
	struct record *first;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 2000);
	peer_forget(&p);
	form_of(&before, &p.tcp);
	first = sent_first(peer_tcb(&p));
	list_remove(&first->by_time);
	list_push_back(&peer_tcb(&p)->sending->by_time, &first->by_time);
	form_of(&after, &p.tcp);
	assert_false(form_same(&before, &after));
	peer_done(&p);
}

/* Two remnants that differ in one end alone, and what was acknowledged of each. */
static void test_ends_of_remnants(void **unused)
{
	int n = 0;

	(void)unused;
	for (uint16_t port = 40000; port < 40003; port++) {
		struct peer p;

		peer_init(&p);
		p.tuple.remote_port = port;
		p.iss = secret_isn(&p.tcp, &p.tuple);
		peer_reach(&p, PEER_ACTIVE, PARLEY_TIME_WAIT);
		assert_int_equal(user_release(&p.tcp, p.conn), 0);
		form_new(forms, &n, &p.tcp);
		peer_done(&p);
	}
}

/* What is under way counts with its numbers, marks and times, and so does what else is sent of. */
static void test_each_field_of_a_record(void **unused)
{
	struct sending *sending;
	struct record *record;
	struct peer p;
	int n = 0;

	(void)unused;
	form_busy(&p, 1000, 2000);
	sending = peer_tcb(&p)->sending;
	record = sent_first(peer_tcb(&p));
	form_new(forms, &n, &p.tcp);
	for (int bit = 0; bit < 32; bit++) {
		CHANGED(record, lo.v, record->lo.v ^ 1u << bit);
		CHANGED(record, len, record->len ^ 1u << bit);
	}
	for (int bit = 0; bit < 16; bit++)
		CHANGED(record, size, record->size ^ (uint16_t)(1u << bit));
	for (int bit = 0; bit < 8; bit++) {
		CHANGED(record, marks, record->marks ^ (uint8_t)(1u << bit));
		CHANGED(record, again, record->again ^ (uint8_t)(1u << bit));
	}
	CHANGED(record, at, record->at - 1);
	CHANGED(sending, reserved, 1);
	CHANGED(sending, flight_max, sending->flight_max + 1000);
	CHANGED(sending, flight_end.v, sending->flight_end.v + 1);
	peer_done(&p);
}

/* What a TCB has only at times: a gap, the FIN's place, a listener, since when it waits. */
static void test_parts_of_a_connection(void **unused)
{
	static struct listening listening;
	struct range *range;
	uint64_t main_at;
	struct tcb *tcb;
	struct peer p;
	int n = 0;

	(void)unused;
	form_busy(&p, 1000, 2000);
	tcb = peer_tcb(&p);
	main_at = tcb->main_at;
	form_new(forms, &n, &p.tcp);
	range = &tcb->receiving->ranges.v[0];
	assert_int_equal(ranges_at(&tcb->receiving->ranges, 0).lo, range->lo);
	CHANGED(range, lo, range->lo + 1);
	CHANGED(range, hi, range->hi - 1);
	CHANGED(tcb, listening, &listening);
	tcb->main_at = tcb->ack_at = tcb->keepalive_at = TCB_NEVER;
	CHANGED(tcb, main_at, p.tcp.now + 1);
	CHANGED(tcb, ack_at, p.tcp.now + 1);
	CHANGED(tcb, keepalive_at, p.tcp.now + 1);
	CHANGED(tcb, path_until, p.tcp.now + 1);
	tcb->main_at = main_at;
	CHANGED(tcb, rcv_off, tcb->rcv_off - 1);
	CHANGED(tcb, read_off, tcb->read_off + 1);
	CHANGED(tcb, snd_end, tcb->snd_end - 1);
	tcb->retransmits = 1;
	CHANGED(tcb, stalled_since, p.tcp.now - 1);
	CHANGED(tcb, stalled_since, p.tcp.now - 2);
	CHANGED(tcb, stalled_since, TCB_NEVER);
	tcb->retransmits = 0;
	tcb->flags |= TCB_FIN_SEEN;
	CHANGED(tcb, fin_off, 700);
	CHANGED(tcb, fin_off, 800);
	tcb->flags &= ~(uint32_t)TCB_FIN_SEEN;
	form_of(&forms[n], &p.tcp);
	assert_true(form_same(&forms[0], &forms[n]));
	peer_done(&p);
}

/* Output has its turn before the end comes, or has none: what was owed does not count after it. */
static void test_debts_end_with_the_connection(void **unused)
{
	static const struct {
		enum peer_how how;
		enum parley_state from, to;
		uint16_t flags;
		uint32_t seq, len;
	} cases[] = {
		{PEER_ACTIVE, PARLEY_ESTABLISHED, PARLEY_CLOSED, TCP_ACK, 101, 100},
		{PEER_ACTIVE, PARLEY_ESTABLISHED, PARLEY_CLOSED, TCP_SYN | TCP_ACK, 1, 0},
		{PEER_PASSIVE, PARLEY_SYN_RECEIVED, PARLEY_LISTEN, TCP_ACK, 70001, 1},
	};
	static const uint8_t text[100];

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (int turn = 0; turn < 2; turn++) {
			struct arrival arrival = {.ifindex = 1};
			struct segment seg = {
				.flags = cases[i].flags,
				.text = text,
				.text_len = cases[i].len,
				.len = cases[i].len + !!(cases[i].flags & TCP_SYN),
				.wnd = 50000,
			};
			struct peer p;

			peer_init_at(&p, 1000, 2000);
			peer_reach(&p, cases[i].how, cases[i].from);
			seg.seq = seq_add(p.irs, cases[i].seq);
			seg.ack = peer_tcb(&p)->snd.nxt;
			arrival.tuple = p.tuple;
			arrival.at = p.tcp.now;
			tcp_arrives(&p.tcp, &arrival, &seg);
			assert_true(peer_tcb(&p)->owed || peer_tcb(&p)->dup_acks_owed);
			if (turn)
				peer_step(&p);
			recv(&p, "R", 1, 0, 0);
			assert_int_equal(peer_state(&p), cases[i].to);
			form_of(&forms[turn], &p.tcp);
			peer_forget(&p);
			peer_done(&p);
		}
		assert_true(form_same(&forms[0], &forms[1]));
	}
}

/* Where the streams stand counts in all its bits: numbers of 32 do not tell it. */
static void test_places_beyond_4_gib(void **unused)
{
	const uint64_t far = UINT64_C(1) << 32;
	struct tcb *tcb;
	struct peer p;
	int n = 0;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	tcb = peer_tcb(&p);
	assert_null(tcb->sending);
	assert_null(tcb->receiving);
	form_new(forms, &n, &p.tcp);
	CHANGED(tcb, snd_off, tcb->snd_off + far);
	CHANGED(tcb, snd_end, tcb->snd_end + far);
	CHANGED(tcb, rcv_off, tcb->rcv_off + far);
	CHANGED(tcb, read_off, tcb->read_off + far);
	peer_done(&p);
}

/* The same bytes out of order, but in another place; and once more, in two pieces. */
static void test_place_of_a_gap(void **unused)
{
	static const uint8_t text[200];
	const struct extra zeros = {.text = text};
	static const uint32_t gaps[][4] = {{301, 100, 501, 100},
					   {302, 100, 501, 100},
					   {301, 100, 502, 100},
					   {301, 100, 301, 100}};
	int n = 0;

	(void)unused;
	for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
		struct peer p;

		peer_init_at(&p, 1000, 2000);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		peer_recv(&p, ".", gaps[i][0], 1, gaps[i][1], &zeros);
		peer_recv(&p, ".", gaps[i][2], 1, gaps[i][3], &zeros);
		peer_recv(&p, ".", 701, 1, 1, &zeros); /* the last that gave a window */
		peer_forget(&p);
		form_new(forms, &n, &p.tcp);
		peer_done(&p);
	}
}

/* Since when the head waits, the place of a FIN, and the most under way, where nobody asks. */
static void test_what_decides_nothing(void **unused)
{
	static const struct {
		uint32_t cwnd, ssthresh, mss, flight;
		bool counts; /* the most that was under way does */
	} cases[] = {
		{10000, UINT32_MAX, 1000, 501, true},  {10000, UINT32_MAX, 1000, 500, false},
		{10000, UINT32_MAX, 1001, 500, false}, {1499, 1499, 1000, 500, true},
		{1499, 1500, 1000, 500, false},	       {1500, 1500, 1000, 500, false},
		{1500, 1000, 1000, 400, false},	       {1399, 1000, 1000, 400, true},
	};
	struct sending *sending;
	struct tcb *tcb;
	struct peer p;

	(void)unused;
	form_busy(&p, 1000, 2000);
	tcb = peer_tcb(&p);
	sending = tcb->sending;
	form_of(&forms[0], &p.tcp);
	tcb->fin_off = 900;
	tcb->stalled_since = p.tcp.now - 5;
	form_of(&forms[1], &p.tcp);
	assert_true(form_same(&forms[0], &forms[1]));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		tcb->cwnd = cases[i].cwnd;
		tcb->ssthresh = cases[i].ssthresh;
		tcb->mss = (uint16_t)cases[i].mss;
		sending->flight_max = cases[i].flight;
		form_of(&forms[0], &p.tcp);
		sending->flight_end = seq_add(sending->flight_end, 1);
		form_of(&forms[1], &p.tcp);
		assert_int_equal(form_same(&forms[0], &forms[1]), !cases[i].counts);
	}
	peer_done(&p);
	/* Of a SYN it is asked for. */
	peer_init_at(&p, 1000, 2000);
	peer_connect(&p);
	form_of(&forms[0], &p.tcp);
	peer_tcb(&p)->stalled_since--;
	form_of(&forms[1], &p.tcp);
	assert_false(form_same(&forms[0], &forms[1]));
	peer_forget(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_entries),
		cmocka_unit_test(test_syn_entry),
		cmocka_unit_test(test_first_timer),
		cmocka_unit_test(test_each_field_of_a_syn_entry),
		cmocka_unit_test(test_each_field_of_a_remnant),
		cmocka_unit_test(test_each_field_of_a_listener),
		cmocka_unit_test(test_order_of_transmission),
		cmocka_unit_test(test_ends_of_remnants),
		cmocka_unit_test(test_each_field_of_a_record),
		cmocka_unit_test(test_parts_of_a_connection),
		cmocka_unit_test(test_debts_end_with_the_connection),
		cmocka_unit_test(test_places_beyond_4_gib),
		cmocka_unit_test(test_place_of_a_gap),
		cmocka_unit_test(test_what_decides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
