/* SPDX-License-Identifier: MIT */
/* Listeners that ask the user: SYNs are held, and accepted, refused, dropped, or held on. */
#include "peer.h"

#include "tcp/half_open.h"
#include "tcp/held.h"
#include "tcp/icmp.h"
#include "tcp/listener.h"
#include "tcp/status.h"

static void listen_deciding(struct peer *p, uint32_t backlog)
{
	struct parley_open open = {
		.size = sizeof open,
		.local = {p->tuple.local, p->tuple.local_port},
		.backlog = backlog,
		.flags = PARLEY_OPEN_DECIDE,
		.user = 3,
	};

	p->how = PEER_LISTENER;
	assert_int_equal(user_listen(&p->tcp, &open, &p->listener), 0);
	peer_step(p);
}

static void begin(struct peer *p)
{
	peer_init(p);
	listen_deciding(p, 5);
}

static int next(struct peer *p, struct parley_syn *syn)
{
	int error;

	*syn = (struct parley_syn){.size = sizeof *syn};
	error = held_next(&p->tcp, p->listener, syn);
	peer_step(p);
	return error;
}

static int decide(struct peer *p, parley_conn conn, enum parley_decision decision)
{
	int error = held_decide(&p->tcp, conn, decision);

	peer_step(p);
	return error;
}

/* A SYN arrives and is fetched. */
static struct parley_syn fetch(struct peer *p)
{
	struct parley_syn syn;

	recv(p, "S", 0, 0, 0);
	expect_none(p);
	assert_int_equal(next(p, &syn), 0);
	return syn;
}

static void expect_gone(struct peer *p, parley_conn conn)
{
	struct parley_syn syn;

	assert_int_equal(p->tcp.syns.used, 0);
	assert_int_equal(peer_find(p), PARLEY_NO_CONN);
	assert_int_equal(next(p, &syn), -PARLEY_EAGAIN);
	assert_int_equal(decide(p, conn, PARLEY_DECIDE_ACCEPT), -PARLEY_EBADF);
	expect_none(p);
}

static void test_is_held_and_told(void **unused)
{
	struct parley_status status = {.size = sizeof status};
	struct parley_syn syn;
	struct peer p;
	uint64_t before;

	(void)unused;
	begin(&p);
	assert_int_equal(next(&p, &syn), -PARLEY_EAGAIN);
	recv(&p, "S", 0, 0, 0);
	p.tuple.remote_port++;
	before = p.memory.charged;
	recv(&p, "S", 0, 0, 0);
	/* Nothing is answered, and it costs an entry and no more. */
	expect_none(&p);
	assert_int_equal(p.memory.charged, before + 96);
	assert_int_equal(p.tcp.tcbs.used, 0);
	p.tuple.remote_port--;
	assert_int_equal(peer_events(&p, p.listener, NULL), PARLEY_DECIDE);
	assert_int_equal(user_ready(&p.tcp, p.listener), PARLEY_DECIDE);
	assert_int_equal(next(&p, &syn), 0);
	assert_int_equal(syn.conn, peer_find(&p));
	assert_memory_equal(&syn.local.addr, &p.tuple.local, 16);
	assert_memory_equal(&syn.remote.addr, &p.tuple.remote, 16);
	assert_int_equal(syn.local.port, p.tuple.local_port);
	assert_int_equal(syn.remote.port, p.tuple.remote_port);
	assert_int_equal(syn.ifindex, 1);
	assert_int_equal(syn.until, p.tcp.now + SEC(30));
	assert_int_equal(status_get(&p.tcp, syn.conn, &status), 0);
	assert_int_equal(status.entry, PARLEY_ENTRY_SYN);
	assert_int_equal(status.state, PARLEY_LISTEN);
	assert_int_equal(status.timer, PARLEY_TIMER_DECIDE);
	assert_int_equal(status.timer_due, syn.until);
	assert_int_equal(status.irs, p.irs.v);
	assert_false(status.owned);
	/* Each is fetched once, the oldest first. */
	assert_int_equal(user_ready(&p.tcp, p.listener), PARLEY_DECIDE);
	assert_int_equal(next(&p, &syn), 0);
	assert_int_equal(syn.remote.port, p.tuple.remote_port + 1);
	assert_int_equal(next(&p, &syn), -PARLEY_EAGAIN);
	assert_int_equal(user_ready(&p.tcp, p.listener), 0);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_PASSIVE_OPENS], 0);
	peer_done(&p);
}

/* As without asking, only later: options, numbers, RTT sample and retransmissions. */
static void test_accept(void **unused)
{
	struct parley_syn syn;
	struct peer p;
	struct sent sent;

	(void)unused;
	peer_init(&p);
	p.mss = 700;
	p.wscale = 6;
	p.wnd = 12345;
	listen_deciding(&p, 5);
	syn = fetch(&p);
	peer_wait(&p, SEC(3));
	assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_ACCEPT), 0);
	/* The number is one of now. */
	sent = next_sent(&p);
	p.iss = seq_add(p.iss, sent.seq);
	assert_int_equal(sent.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(sent.seq, SEC(3) / 4000);
	assert_int_equal(sent.ack, 1);
	assert_int_equal(sent.mss, 1460);
	assert_int_not_equal(sent.wscale, -1);
	assert_int_equal(sent.why, PARLEY_WHY_NEW);
	expect_none(&p);
	expect_state(&p, SYN_RECEIVED);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_PASSIVE_OPENS], 1);
	peer_wait(&p, MS(80));
	p.snd_shift = 6;
	p.wnd = 64000;
	recv(&p, ".", 1, 1, 0);
	assert_true(peer_events(&p, p.listener, NULL) & PARLEY_ACCEPT);
	assert_int_equal(user_accept(&p.tcp, p.listener, 9, &p.conn), 0);
	assert_int_equal(p.conn, syn.conn); /* the same handle */
	assert_int_equal(peer_tcb(&p)->mss, 700);
	assert_int_equal(peer_tcb(&p)->snd_shift, 6);
	assert_int_equal(peer_tcb(&p)->snd.wnd, 64000);
	assert_int_equal(peer_tcb(&p)->srtt, MS(80));
	user_sends(&p, 500);
	expect(&p, "P.", 1, 1, 500);
	peer_done(&p);
}

static void test_accepted_is_repeated(void **unused)
{
	struct parley_syn syn;
	struct peer p;

	(void)unused;
	begin(&p);
	syn = fetch(&p);
	assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_ACCEPT), 0);
	expect(&p, "S.", 0, 1, 0);
	recv(&p, "S", 0, 0, 0);
	expect(&p, "S.", 0, 1, 0);
	peer_wait(&p, SEC(1));
	assert_int_equal(expect(&p, "S.", 0, 1, 0).why, PARLEY_WHY_RTO);
	peer_wait(&p, SEC(62));
	assert_int_equal(p.sent_count, 4);
	peer_forget(&p);
	expect_gone(&p, syn.conn);
	peer_done(&p);
}

static void test_refuse(void **unused)
{
	struct parley_syn syn;
	struct peer p;

	(void)unused;
	begin(&p);
	syn = fetch(&p);
	assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_REFUSE), 0);
	expect(&p, "R.", 0u - p.iss.v, 1, 0);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_SYN_REFUSED], 1);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_LISTEN_DROPS], 0);
	expect_gone(&p, syn.conn);
	/* The peer may try again, and is asked about again. */
	syn = fetch(&p);
	assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_ACCEPT), 0);
	expect(&p, "S.", 0, 1, 0);
	peer_done(&p);
}

static void test_drop(void **unused)
{
	struct parley_syn syn;
	struct peer p;

	(void)unused;
	begin(&p);
	syn = fetch(&p);
	assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_DROP), 0);
	expect_none(&p);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_SYN_UNWANTED], 1);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_LISTEN_DROPS], 1);
	expect_gone(&p, syn.conn);
	assert_true(fetch(&p).conn != syn.conn);
	peer_done(&p);
}

/* LATER begins the time anew; without it, or after it, the SYN is forgotten. */
static void test_later_and_forgotten(void **unused)
{
	struct parley_syn syn, none;
	struct peer p;

	(void)unused;
	for (int later = 0; later < 3; later++) {
		begin(&p);
		assert_int_equal(
			user_set(&p.tcp, p.listener, PARLEY_SET_DECIDE_TIMEOUT, PARLEY_S(10)), 0);
		syn = fetch(&p);
		for (int i = 0; i < later; i++) {
			peer_wait(&p, SEC(9));
			assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_LATER), 0);
		}
		/* Reported it was once. */
		assert_int_equal(peer_events(&p, p.listener, NULL), PARLEY_DECIDE);
		assert_int_equal(next(&p, &none), -PARLEY_EAGAIN);
		peer_wait(&p, SEC(10) - 1);
		assert_int_equal(p.tcp.syns.used, 1);
		peer_wait(&p, 1);
		assert_int_equal(p.tcp.drops[PARLEY_DROP_SYN_UNDECIDED], 1);
		assert_int_equal(p.tcp.counters[PARLEY_COUNTER_LISTEN_DROPS], 1);
		expect_gone(&p, syn.conn);
		peer_done(&p);
	}
}

/* One that nobody has fetched is forgotten, too: from each place of the line. */
static void test_forgotten_unfetched(void **unused)
{
	(void)unused;
	for (int first = 0; first < 3; first++) {
		struct parley_syn syn;
		struct peer p;
		parley_conn conn[3];

		begin(&p);
		for (int i = 0; i < 3; i++) {
			p.tuple.remote_port = (uint16_t)(1 + i);
			recv(&p, "S", 0, 0, 0);
			conn[i] = peer_find(&p);
		}
		/* LATER takes it out of the line, as everything that is decided on. */
		assert_int_equal(decide(&p, conn[first], PARLEY_DECIDE_LATER), 0);
		for (int i = 0; i < 3; i++)
			if (i != first) {
				assert_int_equal(next(&p, &syn), 0);
				assert_int_equal(syn.conn, conn[i]);
			}
		assert_int_equal(next(&p, &syn), -PARLEY_EAGAIN);
		p.tuple.remote_port = 9;
		recv(&p, "S", 0, 0, 0);
		recv(&p, "R", 1, 0, 0);
		p.tuple.remote_port = 10;
		recv(&p, "S", 0, 0, 0);
		peer_wait(&p, SEC(30));
		expect_none(&p);
		assert_int_equal(p.tcp.drops[PARLEY_DROP_SYN_UNDECIDED], 4);
		assert_int_equal(p.tcp.syns.used, 0);
		peer_done(&p);
	}
}

/* The peer's repetitions change nothing, whether it was fetched or not. */
static void test_repeated_syn(void **unused)
{
	struct parley_syn syn;
	struct peer p;

	(void)unused;
	for (int fetched = 0; fetched < 2; fetched++) {
		begin(&p);
		recv(&p, "S", 0, 0, 0);
		peer_events(&p, p.listener, NULL);
		if (fetched)
			assert_int_equal(next(&p, &syn), 0);
		for (int i = 0; i < 3; i++) {
			peer_wait(&p, SEC(1 << i));
			recv(&p, "S", 0, 0, 0);
		}
		expect_none(&p);
		assert_int_equal(p.tcp.drops[PARLEY_DROP_SYN_HELD], 3);
		assert_int_equal(p.tcp.syns.used, 1);
		assert_int_equal(peer_events(&p, p.listener, NULL), 0);
		if (!fetched)
			assert_int_equal(next(&p, &syn), 0);
		assert_int_equal(next(&p, &syn), -PARLEY_EAGAIN);
		/* Nor does it hold it for longer. */
		peer_wait(&p, SEC(23));
		assert_int_equal(p.tcp.syns.used, 0);
		peer_done(&p);
	}
}

/* Another SYN from the same port: the peer has begun anew, so that one counts. */
static void test_another_syn(void **unused)
{
	struct parley_syn syn;
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.wscale = 7;
	listen_deciding(&p, 5);
	syn = fetch(&p);
	p.wscale = -1;
	p.mss = 600;
	p.wnd = 1000;
	recv(&p, "S", 7000, 0, 0);
	expect_none(&p);
	assert_int_equal(p.tcp.syns.used, 1);
	assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_ACCEPT), 0);
	assert_int_equal(expect(&p, "S.", 0, 7001, 0).wscale, -1);
	recv(&p, ".", 7001, 1, 0);
	assert_int_equal(user_accept(&p.tcp, p.listener, 9, &p.conn), 0);
	assert_int_equal(peer_tcb(&p)->mss, 600);
	assert_int_equal(peer_tcb(&p)->snd.wnd, 1000);
	assert_int_equal(peer_tcb(&p)->flags & TCB_SCALING, 0);
	peer_done(&p);
}

/* Held, it is in LISTEN: a RST is ignored but the exact one, an ACK is answered by one. */
static void test_other_segments(void **unused)
{
	struct parley_syn syn;
	struct peer p;

	(void)unused;
	begin(&p);
	syn = fetch(&p);
	recv(&p, "R", 0, 0, 0);
	recv(&p, "R", 2, 0, 0);
	expect_none(&p);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_LISTEN_RST], 2);
	recv(&p, ".", 1, 1, 0);
	expect(&p, "R", 1, 0, 0);
	recv(&p, "S.", 0, 1, 0);
	expect(&p, "R", 1, 0, 0);
	recv(&p, "SF", 0, 0, 0);
	expect_none(&p);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_LISTEN_SYN_FIN], 1);
	assert_int_equal(p.tcp.syns.used, 1);
	recv(&p, "R.", 1, 0, 0);
	expect_gone(&p, syn.conn);
	peer_done(&p);
}

/* With "syn-fin" that is a SYN again, too: it makes no second entry of the same four-tuple. */
static void test_repeated_with_fin(void **unused)
{
	struct parley_syn syn, other;
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SYN_FIN, 1);
	listen_deciding(&p, 5);
	syn = fetch(&p);
	recv(&p, "SF", 0, 0, 0);
	expect_none(&p);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_SYN_HELD], 1);
	assert_int_equal(p.tcp.syns.used, 1);
	assert_int_equal(next(&p, &other), -PARLEY_EAGAIN);
	assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_DROP), 0);
	expect_gone(&p, syn.conn);
	peer_done(&p);
}

/* Nothing has been sent that an ICMP error could be about. */
static void test_icmp(void **unused)
{
	struct icmp_error error = {.kind = ICMP_KIND_PORT_UNREACHABLE};
	struct peer p;

	(void)unused;
	begin(&p);
	fetch(&p);
	error.tuple = p.tuple;
	error.seq = p.iss;
	assert_true(tcp_icmp(&p.tcp, &error));
	assert_int_equal(p.tcp.syns.used, 1);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_ICMP_OUT_OF_WINDOW], 1);
	peer_done(&p);
}

/* Closed while it held SYNs, fetched and not: answers are stale, the next SYN finds CLOSED. */
static void test_listener_closed(void **unused)
{
	(void)unused;
	for (int how = 0; how < 4; how++) {
		parley_conn old, other;
		struct parley_syn syn;
		struct peer p;

		begin(&p);
		syn = fetch(&p);
		p.tuple.remote_port++;
		recv(&p, "S", 0, 0, 0);
		other = peer_find(&p);
		old = p.listener;
		assert_int_equal(user_close(&p.tcp, p.listener), 0);
		peer_step(&p);
		expect_none(&p);
		if (how == 1) { /* another listens there now: the old one's are not his */
			listen_deciding(&p, 5);
			assert_true(p.listener != old);
			assert_int_equal(next(&p, &syn), -PARLEY_EAGAIN);
			recv(&p, "S", 0, 0, 0);
			assert_int_equal(next(&p, &syn), 0);
			assert_int_equal(decide(&p, other, PARLEY_DECIDE_ACCEPT), -PARLEY_EBADF);
			expect_none(&p);
			assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_ACCEPT), 0);
			assert_int_equal(next_sent(&p).flags, TCP_SYN | TCP_ACK);
		} else if (how == 2) {
			recv(&p, "S", 0, 0, 0);
			expect(&p, "R.", 0u - p.iss.v, 1, 0);
			p.tuple.remote_port--;
			recv(&p, ".", 1, 1, 0);
			expect(&p, "R", 1, 0, 0);
			assert_int_equal(p.tcp.syns.used, 0);
		} else if (how == 3) {
			peer_wait(&p, SEC(30));
			expect_none(&p);
			assert_int_equal(p.tcp.syns.used, 0);
		} else {
			assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_ACCEPT), -PARLEY_EBADF);
			assert_int_equal(decide(&p, other, PARLEY_DECIDE_REFUSE), -PARLEY_EBADF);
			expect_none(&p);
			assert_int_equal(p.tcp.syns.used, 0);
			assert_int_equal(held_next(&p.tcp, old, &syn), -PARLEY_EBADF);
		}
		peer_done(&p);
	}
}

/* The limits are those of half-open connections and of the accept queue. */
static void test_limits(void **unused)
{
	struct parley_syn syn;
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SYN_BACKLOG, 20);
	listen_deciding(&p, 1);
	for (uint16_t port = 1; port <= 100; port++) {
		p.tuple.remote_port = port;
		recv(&p, "S", 0, 0, 0);
	}
	expect_none(&p);
	assert_int_equal(p.tcp.syns.used, 20);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_SYN_QUEUE_FULL], 80);
	for (uint16_t port = 1; port <= 20; port++) {
		assert_int_equal(next(&p, &syn), 0);
		assert_int_equal(syn.remote.port, port);
		if (port > 1)
			assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_DROP), 0);
		else
			assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_ACCEPT), 0);
	}
	/* One is in the accept queue, and fills it: nobody is asked about more. */
	p.tuple.remote_port = 1;
	p.iss = seq_add(p.iss, next_sent(&p).seq);
	recv(&p, ".", 1, 1, 0);
	p.tuple.remote_port = 2;
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(next(&p, &syn), -PARLEY_EAGAIN);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_ACCEPT_QUEUE_FULL], 1);
	expect_none(&p);
	peer_done(&p);
}

/* Decided on twice, never held, no such answer, no SYN at all: errors, and nothing else. */
static void test_wrong_answers(void **unused)
{
	struct parley_syn syn, none;
	struct peer p;

	(void)unused;
	begin(&p);
	syn = fetch(&p);
	assert_int_equal(decide(&p, syn.conn, (enum parley_decision)4), -PARLEY_EINVAL);
	assert_int_equal(decide(&p, syn.conn, (enum parley_decision) - 1), -PARLEY_EINVAL);
	assert_int_equal(decide(&p, p.listener, PARLEY_DECIDE_ACCEPT), -PARLEY_EINVAL);
	assert_int_equal(decide(&p, PARLEY_NO_CONN, PARLEY_DECIDE_ACCEPT), -PARLEY_EBADF);
	assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_ACCEPT), 0);
	expect(&p, "S.", 0, 1, 0);
	for (int d = 0; d < 4; d++)
		assert_int_equal(decide(&p, syn.conn, (enum parley_decision)d), -PARLEY_EINVAL);
	recv(&p, ".", 1, 1, 0);
	for (int d = 0; d < 4; d++)
		assert_int_equal(decide(&p, syn.conn, (enum parley_decision)d), -PARLEY_EINVAL);
	/* The user does not hold it before accept(). */
	assert_int_equal(user_close(&p.tcp, syn.conn), -PARLEY_EBADF);
	assert_int_equal(user_accept(&p.tcp, p.listener, 9, &p.conn), 0);
	assert_int_equal(held_next(&p.tcp, p.conn, &none), -PARLEY_EINVAL);
	expect_state(&p, ESTABLISHED);
	peer_done(&p);
}

/* A slot used again: the answer to the old SYN does not reach the new one. */
static void test_stale_answer(void **unused)
{
	struct parley_syn old, new;
	struct peer p;

	(void)unused;
	begin(&p);
	old = fetch(&p);
	assert_int_equal(decide(&p, old.conn, PARLEY_DECIDE_DROP), 0);
	for (int i = 0; i < 2000; i++) {
		p.tuple.remote_port = (uint16_t)(1000 + i);
		new = fetch(&p);
		assert_true(new.conn != old.conn);
		assert_int_equal(decide(&p, old.conn, PARLEY_DECIDE_ACCEPT), -PARLEY_EBADF);
		expect_none(&p);
		assert_int_equal(decide(&p, new.conn, PARLEY_DECIDE_DROP), 0);
	}
	peer_done(&p);
}

/* No memory for the entry: the SYN is dropped and counted; once held, decisions need none. */
static void test_no_memory(void **unused)
{
	uint64_t failed = 0;

	(void)unused;
	for (uint64_t n = 1; n < 20; n++) {
		struct parley_syn syn;
		struct peer p;

		begin(&p);
		memory_fail_at(&p.memory, n);
		recv(&p, "S", 0, 0, 0);
		if (p.memory.failures) {
			failed++;
			assert_int_equal(p.tcp.drops[PARLEY_DROP_MEMORY], 1);
			assert_int_equal(p.tcp.syns.used, 0);
			assert_int_equal(next(&p, &syn), -PARLEY_EAGAIN);
			recv(&p, "S", 0, 0, 0);
		}
		assert_int_equal(next(&p, &syn), 0);
		p.memory.cap = p.memory.charged;
		assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_LATER), 0);
		assert_int_equal(decide(&p, syn.conn, (enum parley_decision)(n % 3)), 0);
		peer_forget(&p);
		p.memory.cap = PEER_LIMIT;
		peer_done(&p);
	}
	assert_true(failed > 0);
}

/* The interface goes while a SYN is held. */
static void test_detach(void **unused)
{
	struct parley_syn syn;
	struct peer p;

	(void)unused;
	begin(&p);
	syn = fetch(&p);
	p.tuple.remote_port++;
	recv(&p, "S", 0, 0, 0);
	tcp_detach(&p.tcp, 1);
	assert_null(tcp_check(&p.tcp));
	expect_gone(&p, syn.conn);
	peer_done(&p);
}

/* A newer SYN ends TIME-WAIT; accepted, it begins beyond the old numbers (RFC 6191). */
static void test_over_a_remnant(void **unused)
{
	struct parley_syn syn;
	struct peer p;
	struct sent sent;

	(void)unused;
	peer_init_at(&p, 0xfffffffe, 0x7ffffffe);
	peer_reach(&p, PEER_ACTIVE, PARLEY_TIME_WAIT);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	listen_deciding(&p, 5);
	recv(&p, "S", 5, 0, 0);
	expect_none(&p);
	assert_int_equal(next(&p, &syn), 0);
	assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_ACCEPT), 0);
	p.edge_free = true;
	sent = next_sent(&p);
	assert_int_equal(sent.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(sent.ack, 6);
	assert_true((int32_t)(sent.seq - 2) >= 65537);
	peer_done(&p);
}

/* The four-tuple is taken while it is held. */
static void test_connect_over_it(void **unused)
{
	struct parley_open open = {.size = sizeof open};
	parley_conn conn;
	struct peer p;

	(void)unused;
	begin(&p);
	fetch(&p);
	open.local = (struct parley_endpoint){p.tuple.local, p.tuple.local_port};
	open.remote = (struct parley_endpoint){p.tuple.remote, p.tuple.remote_port};
	assert_int_equal(user_connect(&p.tcp, &open, 1, &conn), -PARLEY_EADDRINUSE);
	peer_done(&p);
}

/*
 * Anything in any order, by chance: SYNs, answers, resets, time. The books balance (peer_step), and
 * what is counted is what has happened.
 */
static void test_anything(void **unused)
{
	uint32_t x = 1;

	(void)unused;
	for (int world = 0; world < 20; world++) {
		struct peer p;
		parley_conn held[8] = {0};
		unsigned fetched = 0;

		peer_init(&p);
		p.edge_free = true;
		peer_set(&p, PARLEY_SET_SYN_BACKLOG, 6);
		listen_deciding(&p, 5);
		for (int i = 0; i < 2000; i++) {
			struct parley_syn syn;
			uint32_t r;

			x = x * 1664525 + 1013904223;
			r = x >> 8;
			p.tuple.remote_port = (uint16_t)(1 + r % 9);
			switch (r / 16 % 8) {
			case 0:
			case 1:
				recv(&p, "S", r / 128 % 2 * 100000, 0, 0);
				break;
			case 2:
				recv(&p, "R", 1, 0, 0);
				break;
			case 3:
			case 4:
				if (next(&p, &syn) == 0)
					held[fetched++ % 8] = syn.conn;
				break;
			case 5:
				peer_wait(&p, SEC(r / 128 % 16));
				break;
			default:
				decide(&p, held[r / 128 % 8], (enum parley_decision)(r / 1024 % 4));
				break;
			}
			assert_true(p.tcp.syns.used <= 6);
			peer_forget(&p);
		}
		assert_true(fetched > 50);
		peer_wait(&p, SEC(200));
		peer_forget(&p);
		assert_int_equal(p.tcp.syns.used, 0);
		peer_done(&p);
	}
}

/* The time to decide may be shorter than the SYN,ACK's timer: it does not count any more then. */
static void test_short_time_to_decide(void **unused)
{
	struct parley_syn syn;
	struct peer p;

	(void)unused;
	begin(&p);
	assert_int_equal(user_set(&p.tcp, p.listener, PARLEY_SET_DECIDE_TIMEOUT, (int64_t)MS(300)),
			 0);
	syn = fetch(&p);
	assert_int_equal(decide(&p, syn.conn, PARLEY_DECIDE_ACCEPT), 0);
	assert_int_equal(next_sent(&p).flags, TCP_SYN | TCP_ACK);
	peer_wait(&p, SEC(1) - 1);
	expect_none(&p);
	peer_wait(&p, 1);
	assert_int_equal(next_sent(&p).flags, TCP_SYN | TCP_ACK);
	peer_forget(&p);
	peer_done(&p);
}

/* The check of a listener's line finds each way in which it may be wrong. */
static void test_torn_lines_are_found(void **unused)
{
	struct listener *listener;
	struct syn_entry *first, *second;
	uint32_t old;
	struct peer p;

	(void)unused;
	begin(&p);
	recv(&p, "S", 0, 0, 0);
	p.tuple.remote_port++;
	recv(&p, "S", 0, 0, 0);
	listener = slot_object(&p.tcp.slots, p.listener, ENTRY_LISTENER);
	first = slot_at(&p.tcp.slots, listener->held_first)->object;
	second = slot_at(&p.tcp.slots, listener->held_last)->object;
	assert_null(held_check(&p.tcp, listener));
	first->held = SYN_FETCHED;
	assert_non_null(held_check(&p.tcp, listener));
	first->held = SYN_UNFETCHED;
	second->prev = SLOT_NONE;
	assert_non_null(held_check(&p.tcp, listener));
	second->prev = first->slot;
	first->listener++;
	assert_non_null(held_check(&p.tcp, listener));
	first->listener--;
	second->next = first->slot;
	first->prev = second->slot;
	assert_non_null(held_check(&p.tcp, listener));
	first->prev = SLOT_NONE;
	second->next = SLOT_NONE;
	old = listener->held_last;
	listener->held_last = first->slot;
	assert_non_null(held_check(&p.tcp, listener));
	listener->held_last = old;
	old = listener->held_first;
	listener->held_first = listener->listening.slot; /* no SYN at all */
	assert_non_null(held_check(&p.tcp, listener));
	listener->held_first = old;
	listener->half_open = 1;
	assert_non_null(held_check(&p.tcp, listener));
	listener->half_open = 2;
	assert_null(held_check(&p.tcp, listener));
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_held_and_told),
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_accepted_is_repeated),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_later_and_forgotten),
		cmocka_unit_test(test_forgotten_unfetched),
		cmocka_unit_test(test_repeated_syn),
		cmocka_unit_test(test_another_syn),
		cmocka_unit_test(test_other_segments),
		cmocka_unit_test(test_repeated_with_fin),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_listener_closed),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_wrong_answers),
		cmocka_unit_test(test_stale_answer),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_detach),
		cmocka_unit_test(test_over_a_remnant),
		cmocka_unit_test(test_connect_over_it),
		cmocka_unit_test(test_anything),
		cmocka_unit_test(test_short_time_to_decide),
		cmocka_unit_test(test_torn_lines_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
