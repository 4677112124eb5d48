/* SPDX-License-Identifier: MIT */
/* User calls in each state (RFC 9293 3.10.1-3.10.5), and who owns a connection when it ends. */
#include "peer.h"

#include "tcp/status.h"

#include <string.h>

static int64_t send_one(struct peer *p)
{
	uint8_t byte = pattern(p->written);
	struct parley_span span = {&byte, 1};
	int64_t n = user_send(&p->tcp, p->conn, &span, 1, 0);

	if (n > 0)
		p->written++;
	peer_step(p);
	return n;
}

/* In place there is the same to see before, and nothing of it is taken. */
static int64_t receive_one(struct peer *p)
{
	struct parley_span span;
	int before = user_peek(&p->tcp, p->conn, 0, &span, 1);
	uint8_t byte;
	int64_t got = user_receive(&p->tcp, p->conn, &byte, 1);

	assert_int_equal(before, got);
	return got;
}

/* What each call says or does, by hand from 3.10; errors are positive, 0 is success. */
static const struct {
	enum parley_state state;
	int send, receive, shutdown;
	enum parley_state after_close; /* of the user's CLOSE: the state at once */
	const char *close_sends;       /* NULL: nothing */
	const char *abort_sends;
} calls[] = {
	{PARLEY_LISTEN, PARLEY_EDESTADDRREQ, PARLEY_ENOTCONN, PARLEY_ENOTCONN, PARLEY_CLOSED, NULL,
	 NULL},
	{PARLEY_SYN_SENT, 0, PARLEY_EAGAIN, PARLEY_ENOTCONN, PARLEY_CLOSED, NULL, NULL},
	{PARLEY_SYN_RECEIVED, 0, PARLEY_EAGAIN, 0, PARLEY_SYN_RECEIVED, NULL, "R."},
	{PARLEY_ESTABLISHED, 0, PARLEY_EAGAIN, 0, PARLEY_FIN_WAIT_1, "F.", "R."},
	{PARLEY_FIN_WAIT_1, PARLEY_EPIPE, PARLEY_EAGAIN, 0, PARLEY_FIN_WAIT_1, NULL, "R."},
	{PARLEY_FIN_WAIT_2, PARLEY_EPIPE, PARLEY_EAGAIN, 0, PARLEY_FIN_WAIT_2, NULL, "R."},
	{PARLEY_CLOSE_WAIT, 0, 0, 0, PARLEY_LAST_ACK, "F.", "R."},
	{PARLEY_CLOSING, PARLEY_EPIPE, 0, 0, PARLEY_CLOSING, NULL, NULL},
	{PARLEY_LAST_ACK, PARLEY_EPIPE, 0, 0, PARLEY_LAST_ACK, NULL, NULL},
	{PARLEY_TIME_WAIT, PARLEY_EPIPE, 0, 0, PARLEY_TIME_WAIT, NULL, NULL},
};

enum { CELLS = sizeof calls / sizeof *calls };

static enum peer_how how_to(enum parley_state state)
{
	return state == PARLEY_LISTEN ? PEER_PASSIVE : PEER_ACTIVE;
}

static void reach(struct peer *p, enum parley_profile profile, enum parley_state state)
{
	peer_init(p);
	peer_profile(p, profile);
	peer_reach(p, how_to(state), state);
	p->where = parley_state_name((int)state);
}

static void test_calls_by_state(void **unused)
{
	(void)unused;
	for (size_t k = 0; k < 2 * CELLS; k++) {
		enum parley_profile profile = (enum parley_profile)(k / CELLS);
		size_t i = k % CELLS;
		enum parley_state state = calls[i].state;
		struct peer p;

		reach(&p, profile, state);
		assert_int_equal(receive_one(&p), -calls[i].receive);
		assert_int_equal(send_one(&p), calls[i].send ? -calls[i].send : 1);
		peer_forget(&p);
		assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), -calls[i].shutdown);
		peer_step(&p);
		peer_done(&p);

		reach(&p, profile, state);
		assert_int_equal(user_close(&p.tcp, p.conn), 0);
		peer_step(&p);
		if (calls[i].close_sends)
			assert_int_equal(next_sent(&p).flags, peer_flags(calls[i].close_sends));
		expect_none(&p);
		/* edge LISTEN CLOSED */
		/* edge SYN-SENT CLOSED */
		/* edge ESTABLISHED FIN-WAIT-1 */
		/* edge CLOSE-WAIT LAST-ACK */
		assert_int_equal(peer_state(&p), calls[i].after_close);
		peer_done(&p);

		reach(&p, profile, state);
		assert_int_equal(user_abort(&p.tcp, p.conn), 0);
		peer_step(&p);
		if (calls[i].abort_sends)
			assert_int_equal(next_sent(&p).flags, peer_flags(calls[i].abort_sends));
		expect_none(&p);
		/* edge SYN-RECEIVED CLOSED */
		/* edge ESTABLISHED CLOSED */
		/* edge FIN-WAIT-1 CLOSED */
		/* edge FIN-WAIT-2 CLOSED */
		/* edge CLOSE-WAIT CLOSED */
		/* edge CLOSING CLOSED */
		/* edge LAST-ACK CLOSED */
		/* edge TIME-WAIT CLOSED */
		expect_state(&p, CLOSED);
		assert_int_equal(send_one(&p), -PARLEY_ECONNABORTED);
		assert_int_equal(send_one(&p), -PARLEY_EPIPE);
		assert_int_equal(receive_one(&p), 0);
		peer_done(&p);
	}
}

static void open_active(struct peer *p)
{
	struct parley_open open;

	if (user_listening(&p->tcp, p->conn, &open))
		return;
	open.local = (struct parley_endpoint){p->tuple.local, p->tuple.local_port};
	open.remote = (struct parley_endpoint){p->tuple.remote, p->tuple.remote_port};
	assert_int_equal(user_open_active(&p->tcp, p->conn, &open, 1), 0);
}

/* Each call, or a segment of the peer. */
static void call(struct peer *p, int which)
{
	struct parley_buffer buffer;
	struct parley_span span;

	switch (which) {
	case 0:
		send_one(p);
		break;
	case 1:
		receive_one(p);
		break;
	case 2:
		user_shutdown(&p->tcp, p->conn, PARLEY_SHUT_WR);
		break;
	case 3:
		user_shutdown(&p->tcp, p->conn, PARLEY_SHUT_RD);
		break;
	case 4:
		user_close(&p->tcp, p->conn);
		break;
	case 5:
		user_abort(&p->tcp, p->conn);
		break;
	case 6:
		user_release(&p->tcp, p->conn);
		break;
	case 7:
		if (user_reserve(&p->tcp, p->conn, 1, &buffer, 1) == 1)
			*(uint8_t *)buffer.data = pattern(p->written);
		break;
	case 8:
		if (user_commit(&p->tcp, p->conn, 1, 0) == 1)
			p->written++;
		break;
	case 9:
		if (user_peek(&p->tcp, p->conn, 0, &span, 1) == 1)
			assert_int_equal(user_consume(&p->tcp, p->conn, span.len), 0);
		break;
	case 10:
		recv(p, "P.", 1, 1, 20);
		break;
	case 11:
		recv(p, "R", 1, 0, 0);
		break;
	case 12:
		recv(p, "F.", 1, 1, 20);
		break;
	case 13:
		recv(p, "R", 22, 0, 0);
		break;
	default:
		open_active(p);
		break;
	}
	user_ready(&p->tcp, p->conn);
	peer_step(p);
}

enum { CALLS = 15, TRIPLES = CALLS * CALLS * CALLS };

/*
 * An eleventh of all sequences of three, each pair among them, under each profile; also on handles
 * given back.
 */
static void test_any_three_calls_in_any_state(void **unused)
{
	(void)unused;
	for (int state = PARLEY_LISTEN; state < PARLEY_STATES; state++)
		for (int k = 0; k < 2 * TRIPLES; k += 11) {
			int i = k % TRIPLES;
			struct peer p;

			reach(&p, (enum parley_profile)(k / TRIPLES), (enum parley_state)state);
			p.plain = true; /* a reservation that is void sends what it likes */
			p.edge_free = true;
			call(&p, i % CALLS);
			call(&p, i / CALLS % CALLS);
			call(&p, i / CALLS / CALLS);
			receive_one(&p);
			peer_wait(&p, MS(300));
			peer_done(&p);
		}
}

/* Released, each state runs to its end by itself and leaves nothing behind. */
static void test_released_connections_end(void **unused)
{
	(void)unused;
	for (int state = PARLEY_LISTEN; state < PARLEY_STATES; state++)
		for (int how = PEER_ACTIVE; how <= PEER_PASSIVE; how++) {
			struct peer p;

			if ((how == PEER_ACTIVE && state == PARLEY_LISTEN) ||
			    (how == PEER_PASSIVE && state == PARLEY_SYN_SENT))
				continue;
			peer_init(&p);
			peer_reach(&p, (enum peer_how)how, (enum parley_state)state);
			assert_int_equal(user_release(&p.tcp, p.conn), 0);
			peer_step(&p);
			assert_int_equal(user_release(&p.tcp, p.conn), -PARLEY_EBADF);
			peer_wait(&p, SEC(3600));
			expect_state(&p, CLOSED);
			assert_int_equal(p.tcp.slots.used, 0);
			assert_int_equal(p.tcp.tcbs.used + p.tcp.remnants.used, 0);
			peer_done(&p);
		}
}

/* CLOSE queued in SYN-RECEIVED (3.10.4): the FIN follows the data once ESTABLISHED. */
static void test_close_in_syn_received_is_queued(void **unused)
{
	(void)unused;
	for (int how = PEER_ACTIVE; how <= PEER_PASSIVE; how++) {
		struct peer p;

		peer_init(&p);
		peer_reach(&p, (enum peer_how)how, PARLEY_SYN_RECEIVED);
		user_sends(&p, 10);
		assert_int_equal(user_release(&p.tcp, p.conn), 0);
		peer_step(&p);
		expect_none(&p);
		recv(&p, ".", 1, 1, 0);
		expect(&p, "FP.", 1, 1, 10);
		recv(&p, "F.", 1, 12, 0);
		expect(&p, ".", 12, 2, 0);
		expect_state(&p, TIME_WAIT);
		peer_done(&p);
	}
}

/* It had been closed when the handshake failed: back in LISTEN nobody would ever close it. */
static void test_passive_open_released_in_syn_received_does_not_listen_again(void **unused)
{
	(void)unused;
	for (int reset = 0; reset < 2; reset++) {
		struct peer p;

		peer_init(&p);
		peer_reach(&p, PEER_PASSIVE, PARLEY_SYN_RECEIVED);
		assert_int_equal(user_release(&p.tcp, p.conn), 0);
		if (reset)
			recv(&p, "R", 1, 0, 0);
		else
			peer_wait(&p, SEC(1000));
		expect_state(&p, CLOSED);
		assert_int_equal(p.tcp.slots.used, 0);
		peer_forget(&p);
		recv(&p, "S", 0, 0, 0);
		assert_int_equal(next_sent(&p).flags, TCP_RST | TCP_ACK);
		peer_done(&p);
	}
}

/* An interface that goes ends what went through it, except one that returns to LISTEN. */
static void test_detach_ends_everything(void **unused)
{
	(void)unused;
	for (int state = PARLEY_SYN_SENT; state < PARLEY_STATES; state++)
		for (int how = PEER_ACTIVE; how <= PEER_LISTENER; how++) {
			struct peer p;
			int error;

			if (how != PEER_ACTIVE && state == PARLEY_SYN_SENT)
				continue;
			if (how == PEER_PASSIVE && state == PARLEY_SYN_RECEIVED)
				continue;
			peer_init(&p);
			peer_reach(&p, (enum peer_how)how, (enum parley_state)state);
			tcp_detach(&p.tcp, 1);
			assert_null(tcp_check(&p.tcp));
			assert_int_equal(peer_find(&p), PARLEY_NO_CONN);
			if (p.conn) {
				assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
				assert_int_equal(error, PARLEY_ENETUNREACH);
				assert_int_equal(user_release(&p.tcp, p.conn), 0);
			}
			if (p.listener)
				assert_int_equal(user_close(&p.tcp, p.listener), 0);
			assert_int_equal(p.tcp.slots.used, 0);
			peer_done(&p);
		}
}

/* SHLD-3: CLOSE with unread data resets; afterwards there is nothing to read. */
static void test_close_with_unread_data_resets(void **unused)
{
	(void)unused;
	for (int fin = 0; fin < 2; fin++) {
		struct peer p;

		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		recv(&p, fin ? "F." : "P.", 1, 1, 20);
		peer_forget(&p);
		assert_int_equal(user_close(&p.tcp, p.conn), 0);
		peer_step(&p);
		expect(&p, "R.", 1, fin ? 22 : 21, 0);
		expect_state(&p, CLOSED);
		assert_int_equal(receive_one(&p), -PARLEY_ECONNRESET);
		assert_int_equal(receive_one(&p), 0);
		peer_done(&p);
	}
}

/* The end of a closed connection leaves nothing to read, however it ended. */
static void test_receive_after_the_last_ack(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_CLOSE_WAIT);
	assert_int_equal(user_close(&p.tcp, p.conn), 0);
	peer_step(&p);
	recv(&p, ".", 2, 2, 0);
	expect_state(&p, CLOSED);
	assert_int_equal(receive_one(&p), 0);
	assert_int_equal(user_peek(&p.tcp, p.conn, 0, NULL, 0), 0);
	peer_done(&p);
}

/* Closed in TIME-WAIT with unread data: what was not read is gone, and so is its memory. */
static void test_close_in_time_wait_with_unread_data(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_FIN_WAIT_2);
	recv(&p, "F.", 1, 2, 20);
	expect(&p, ".", 2, 22, 0);
	expect_state(&p, TIME_WAIT);
	assert_int_equal(user_close(&p.tcp, p.conn), 0);
	peer_step(&p);
	expect_none(&p);
	assert_int_equal(receive_one(&p), 0);
	expect_state(&p, TIME_WAIT);
	peer_done(&p);
}

/* What came before the end may still be read, unless a reset took it. */
static void test_unread_data_outlives_the_connection(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_MSL, 1);
	peer_reach(&p, PEER_ACTIVE, PARLEY_FIN_WAIT_2);
	recv(&p, "F.", 1, 2, 20);
	peer_wait(&p, SEC(1));
	expect_state(&p, CLOSED);
	assert_true(user_ready(&p.tcp, p.conn) & PARLEY_READABLE);
	user_receives(&p, 20);
	assert_int_equal(receive_one(&p), 0);
	peer_done(&p);

	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, "P.", 1, 1, 20);
	recv(&p, "R", 21, 0, 0);
	assert_int_equal(receive_one(&p), -PARLEY_ECONNRESET);
	peer_done(&p);
}

/*
 * SHLD-3, MAY-1: text that arrives after CLOSE is answered by a RST; shutdown alone goes on
 * receiving.
 */
static void test_text_after_close(void **unused)
{
	struct sent rst;
	struct peer p;

	(void)unused;
	for (int state = PARLEY_FIN_WAIT_1; state <= PARLEY_FIN_WAIT_2; state++) {
		uint32_t una = state == PARLEY_FIN_WAIT_1 ? 1 : 2;

		peer_init(&p);
		peer_reach(&p, PEER_ACTIVE, (enum parley_state)state);
		recv(&p, "P.", 1, una, 20);
		expect_none(&p);
		user_receives(&p, 20);
		assert_int_equal(user_release(&p.tcp, p.conn), 0);
		recv(&p, ".", 21, una, 0);
		expect_none(&p);
		/* With the number that the peer takes for exact: what it has acknowledged. */
		recv(&p, "P.", 21, una, 20);
		rst = next_sent(&p);
		assert_int_equal(rst.flags, TCP_RST);
		assert_int_equal(rst.seq, una);
		expect_state(&p, CLOSED);
		peer_done(&p);
	}
}

/* A send that was cut short is told when there is room; one that was not is not (WRITABLE). */
static void test_writable_follows_a_short_send(void **unused)
{
	static uint8_t bytes[5000];
	struct parley_span span = {bytes, sizeof bytes};
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SEND_BUFFER, 3000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	p.plain = true;
	peer_events(&p, p.conn, NULL);
	assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), 3000);
	assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), -PARLEY_EAGAIN);
	peer_step(&p);
	assert_int_equal(user_ready(&p.tcp, p.conn) & PARLEY_WRITABLE, 0);
	recv(&p, ".", 1, 501, 0);
	assert_int_equal(peer_events(&p, p.conn, NULL) & PARLEY_WRITABLE, 0);
	recv(&p, ".", 1, 1001, 0);
	assert_int_equal(peer_events(&p, p.conn, NULL), PARLEY_WRITABLE);
	assert_true(user_ready(&p.tcp, p.conn) & PARLEY_WRITABLE);
	recv(&p, ".", 1, 3001, 0);
	assert_int_equal(peer_events(&p, p.conn, NULL), PARLEY_DRAINED);
	assert_true(user_ready(&p.tcp, p.conn) & PARLEY_DRAINED);
	peer_done(&p);
}

/* A third of a buffer of two bytes is less than a byte, and no room. */
static void test_a_full_small_buffer_is_not_writable(void **unused)
{
	static uint8_t bytes[3];

	(void)unused;
	for (int64_t buffer = 1; buffer <= 2; buffer++) {
		struct parley_span span = {bytes, sizeof bytes};
		struct peer p;

		peer_init(&p);
		peer_set(&p, PARLEY_SET_SEND_BUFFER, buffer);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		p.plain = true;
		peer_events(&p, p.conn, NULL);
		assert_true(user_ready(&p.tcp, p.conn) & PARLEY_WRITABLE);
		assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), buffer);
		assert_int_equal(user_ready(&p.tcp, p.conn) & PARLEY_WRITABLE, 0);
		peer_step(&p);
		/* It says nothing new. */
		recv(&p, ".", 1, 1, 0);
		assert_int_equal(peer_events(&p, p.conn, NULL) & PARLEY_WRITABLE, 0);
		recv(&p, ".", 1, 2, 0);
		assert_true(peer_events(&p, p.conn, NULL) & PARLEY_WRITABLE);
		assert_true(user_ready(&p.tcp, p.conn) & PARLEY_WRITABLE);
		peer_done(&p);
	}
}

/* A larger buffer is room too. */
static void test_larger_send_buffer_is_told(void **unused)
{
	static uint8_t bytes[3000];
	struct parley_span span = {bytes, sizeof bytes};
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_SEND_BUFFER, 1000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	p.plain = true;
	assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), 1000);
	peer_events(&p, p.conn, NULL);
	peer_set(&p, PARLEY_SET_SEND_BUFFER, 100000);
	assert_true(peer_events(&p, p.conn, NULL) & PARLEY_WRITABLE);
	peer_done(&p);
}

/* reserve, commit: in place, void after another send, alive across acknowledgements. */
static void test_reserve_and_commit(void **unused)
{
	struct parley_buffer buffers[4];
	struct peer p;
	int n;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 100);
	expect(&p, "P.", 1, 1, 100);
	n = user_reserve(&p.tcp, p.conn, 5000, buffers, 4);
	assert_true(n > 0);
	recv(&p, ".", 1, 101, 0); /* all is acknowledged: the reservation stays */
	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < buffers[i].len; k++)
			((uint8_t *)buffers[i].data)[k] = pattern(p.written++);
	assert_int_equal(user_commit(&p.tcp, p.conn, 5001, 0), -PARLEY_EINVAL);
	assert_int_equal(user_commit(&p.tcp, p.conn, 5000, 0), 5000);
	peer_step(&p);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(next_sent(&p).len, 1000);
	expect_none(&p);
	recv(&p, ".", 1, 5101, 0);
	assert_true(user_reserve(&p.tcp, p.conn, 10, buffers, 4) > 0);
	user_sends(&p, 10);
	assert_int_equal(user_commit(&p.tcp, p.conn, 10, 0), -PARLEY_EINVAL);
	peer_done(&p);
}

/* A reset behind the peer's FIN does not take back that the stream was whole. */
static void test_reset_after_the_fin_reads_as_the_end(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_CLOSE_WAIT);
	recv(&p, "R", 2, 0, 0);
	expect_state(&p, CLOSED);
	assert_int_equal(receive_one(&p), 0);
	assert_int_equal(receive_one(&p), 0);
	peer_done(&p);
}

/* What is not acceptable says nothing about the peer: the keep-alive clock goes on. */
static void test_refused_segments_do_not_postpone_keepalive(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_set(&p, PARLEY_SET_KEEPALIVE_IDLE, PARLEY_S(10));
	peer_set(&p, PARLEY_SET_KEEPALIVE, 1);
	peer_wait(&p, SEC(9));
	recv(&p, ".", 1, 4000, 0);	 /* acknowledges what was not sent */
	recv(&p, "P.", 900000000, 1, 5); /* far outside of the window */
	peer_forget(&p);
	peer_wait(&p, SEC(2));
	expect(&p, ".", 0, 1, 0);
	peer_done(&p);
}

static void test_addresses(void **unused)
{
	struct parley_open open = {.size = sizeof open};
	parley_conn conn, second;
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 1);
	open.local = (struct parley_endpoint){p.tuple.local, p.tuple.local_port};
	assert_int_equal(user_listen(&p.tcp, &open, &conn), -PARLEY_EADDRINUSE); /* MUST-41 */
	open.local.addr = (struct parley_addr){{0}};
	assert_int_equal(user_open_passive(&p.tcp, &open, &conn), -PARLEY_EADDRINUSE);
	open.local.addr = p.tuple.local;
	open.local.port = 0;
	open.remote = (struct parley_endpoint){p.tuple.remote, 0};
	assert_int_equal(user_connect(&p.tcp, &open, 1, &conn), -PARLEY_EINVAL);
	open.remote.port = 9;
	open.local.port = 5;
	assert_int_equal(user_connect(&p.tcp, &open, 1, &conn), 0);
	assert_int_equal(user_connect(&p.tcp, &open, 1, &second), -PARLEY_EADDRINUSE);
	/* MUST-42: a connection on its way does not keep a listener from the same port. */
	assert_int_equal(user_listen(&p.tcp, &open, &second), 0);
	peer_done(&p);
}

/* SHUT_RD: what waits is thrown away, what comes too, and the window says so. */
static void test_reading_shut(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 4000);
	peer_set(&p, PARLEY_SET_WINDOW_SCALE, 0);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, ".", 1, 1, 2000);
	recv(&p, ".", 2001, 1, 2000);
	peer_wait(&p, MS(40));
	peer_forget(&p);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_RD), 0);
	peer_step(&p);
	assert_int_equal(expect(&p, ".", 1, 4001, 0).wnd, 4000);
	assert_int_equal(receive_one(&p), 0);
	assert_null(peer_tcb(&p)->receiving);
	assert_true(user_ready(&p.tcp, p.conn) & PARLEY_READABLE);
	/* The connection goes on: text is taken, and what is sent goes out. */
	recv(&p, ".", 4001, 1, 1000);
	assert_int_equal(receive_one(&p), 0);
	assert_int_equal(send_one(&p), 1);
	expect(&p, "P.", 1, 5001, 1);
	expect_state(&p, ESTABLISHED);
	peer_done(&p);
}

/* With nothing to throw away it tells the peer nothing, not even of a buffer that has grown. */
static void test_reading_shut_with_nothing_to_read(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 4000);
	peer_set(&p, PARLEY_SET_WINDOW_SCALE, 0);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 60000);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_RD), 0);
	peer_step(&p);
	expect_none(&p);
	peer_done(&p);
}

/* What a handle is ready for, in each state. */
static void test_ready_by_state(void **unused)
{
	enum {
		C = PARLEY_CONNECTED,
		R = PARLEY_READABLE,
		W = PARLEY_WRITABLE,
		D = PARLEY_DRAINED,
		P = PARLEY_PEER_CLOSED,
		X = PARLEY_DEAD,
	};
	static const struct {
		enum parley_state state;
		uint32_t bits;
	} cases[] = {
		{PARLEY_LISTEN, D},
		{PARLEY_SYN_SENT, D},
		{PARLEY_SYN_RECEIVED, D},
		{PARLEY_ESTABLISHED, C | W | D},
		{PARLEY_FIN_WAIT_1, C | D},
		{PARLEY_FIN_WAIT_2, C | D},
		{PARLEY_CLOSE_WAIT, C | R | W | D | P},
		{PARLEY_CLOSING, C | R | D | P},
		{PARLEY_LAST_ACK, C | R | D | P},
		{PARLEY_TIME_WAIT, C | R | D | P | X},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;

		reach(&p, PARLEY_PROFILE_DEFAULT, cases[i].state);
		if (user_ready(&p.tcp, p.conn) != cases[i].bits)
			fail_msg("%s: %x", p.where, user_ready(&p.tcp, p.conn));
		/* Ended by the user, it is ready for whoever still asks. */
		assert_int_equal(user_abort(&p.tcp, p.conn), 0);
		assert_int_equal(user_ready(&p.tcp, p.conn) & (C | R | W | X), R | W | X);
		peer_step(&p);
		peer_forget(&p);
		peer_done(&p);
	}
}

/* And what bytes change of it. */
static void test_ready_by_bytes(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, ".", 1, 1, 10);
	assert_int_equal(user_ready(&p.tcp, p.conn),
			 PARLEY_CONNECTED | PARLEY_READABLE | PARLEY_WRITABLE | PARLEY_DRAINED);
	user_receives(&p, 10);
	peer_set(&p, PARLEY_SET_SEND_BUFFER, 3000);
	user_sends(&p, 2000);
	assert_int_equal(user_ready(&p.tcp, p.conn), PARLEY_CONNECTED | PARLEY_WRITABLE);
	user_sends(&p, 1);
	assert_int_equal(user_ready(&p.tcp, p.conn), PARLEY_CONNECTED);
	/* The FIN is no byte: with all text acknowledged nothing is left, though it may be lost. */
	peer_set(&p, PARLEY_SET_NODELAY, 1);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), 0);
	peer_step(&p);
	peer_forget(&p);
	recv(&p, ".", 11, 2002, 0);
	assert_int_equal(user_ready(&p.tcp, p.conn), PARLEY_CONNECTED | PARLEY_DRAINED);
	recv(&p, ".", 11, 2003, 0);
	assert_int_equal(user_ready(&p.tcp, p.conn), PARLEY_CONNECTED | PARLEY_DRAINED);
	peer_forget(&p);
	peer_done(&p);
}

/* What was reserved can be committed once, by one call; what is not is let go of. */
static void test_commit_ends_the_reservation(void **unused)
{
	struct parley_buffer buffer;
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	p.plain = true;
	assert_int_equal(user_commit(&p.tcp, p.conn, 1, 0), -PARLEY_EINVAL);
	assert_int_equal(user_reserve(&p.tcp, p.conn, 40, &buffer, 1), 1);
	memset(buffer.data, 0, buffer.len);
	assert_int_equal(user_commit(&p.tcp, p.conn, buffer.len + 1, 0), -PARLEY_EINVAL);
	assert_int_equal(user_commit(&p.tcp, p.conn, 30, 0), 30);
	assert_int_equal(user_commit(&p.tcp, p.conn, 1, 0), -PARLEY_EINVAL);
	peer_step(&p);
	expect(&p, "P.", 1, 1, 30);
	recv(&p, ".", 1, 31, 0);
	assert_null(peer_tcb(&p)->sending);
	/* Nothing of it at all. */
	assert_int_equal(user_reserve(&p.tcp, p.conn, 40, &buffer, 1), 1);
	assert_int_equal(user_commit(&p.tcp, p.conn, 0, 0), 0);
	assert_null(peer_tcb(&p)->sending);
	peer_step(&p);
	expect_none(&p);
	peer_done(&p);
}

/* The peer's FIN was in: that our own text was never acknowledged does not make it an error. */
static void test_whole_stream_ends_whatever_comes_after(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(1));
	peer_reach(&p, PEER_ACTIVE, PARLEY_CLOSE_WAIT);
	user_sends(&p, 10);
	peer_wait(&p, SEC(2));
	expect_state(&p, CLOSED);
	assert_int_equal(peer_tcb(&p)->notice.error, PARLEY_ETIMEDOUT);
	assert_int_equal(receive_one(&p), 0);
	assert_int_equal(receive_one(&p), 0);
	peer_forget(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_by_state),
		cmocka_unit_test(test_any_three_calls_in_any_state),
		cmocka_unit_test(test_released_connections_end),
		cmocka_unit_test(test_close_in_syn_received_is_queued),
		cmocka_unit_test(test_passive_open_released_in_syn_received_does_not_listen_again),
		cmocka_unit_test(test_detach_ends_everything),
		cmocka_unit_test(test_close_with_unread_data_resets),
		cmocka_unit_test(test_receive_after_the_last_ack),
		cmocka_unit_test(test_close_in_time_wait_with_unread_data),
		cmocka_unit_test(test_unread_data_outlives_the_connection),
		cmocka_unit_test(test_text_after_close),
		cmocka_unit_test(test_writable_follows_a_short_send),
		cmocka_unit_test(test_a_full_small_buffer_is_not_writable),
		cmocka_unit_test(test_larger_send_buffer_is_told),
		cmocka_unit_test(test_reserve_and_commit),
		cmocka_unit_test(test_reset_after_the_fin_reads_as_the_end),
		cmocka_unit_test(test_refused_segments_do_not_postpone_keepalive),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_reading_shut),
		cmocka_unit_test(test_reading_shut_with_nothing_to_read),
		cmocka_unit_test(test_ready_by_state),
		cmocka_unit_test(test_ready_by_bytes),
		cmocka_unit_test(test_commit_ends_the_reservation),
		cmocka_unit_test(test_whole_stream_ends_whatever_comes_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
