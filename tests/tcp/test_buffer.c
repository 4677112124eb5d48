/* SPDX-License-Identifier: MIT */
/*
 * How large buffers are: what they begin with, how they grow with what is consumed and with cwnd,
 * where they stop, and what scarce memory does to them.
 */
#include "peer.h"

#include "tcp/buffer.h"
#include "tcp/status.h"

#define RTT   MS(100)
#define FIRST ((uint64_t)PARLEY_BUFFER_INITIAL)

static struct parley_tcp_info info_of(struct peer *p)
{
	struct parley_tcp_info info = {.size = sizeof info};

	assert_int_equal(status_info(&p->tcp, p->conn, &info), 0);
	return info;
}

/* ESTABLISHED, with a handshake that took a round trip; a lost SYN leaves it without a sample. */
static void open_slowly(struct peer *p, bool lost)
{
	p->wscale = 7;
	peer_connect(p);
	expect(p, "S", 0, 0, 0);
	if (lost) {
		peer_wait(p, SEC(1));
		expect(p, "S", 0, 0, 0);
	}
	peer_wait(p, RTT);
	recv(p, "S.", 0, 1, 0);
	expect(p, ".", 1, 1, 0);
}

/* The peer sends `n` bytes at once, as far as the window goes; the user has them a moment later. */
static uint32_t burst(struct peer *p, uint32_t n, bool reads)
{
	uint32_t edge = p->edge.v - p->irs.v, from = peer_tcb(p)->rcv.nxt.v - p->irs.v;

	if (n > edge - from)
		n = edge - from;
	for (uint32_t at = 0, len; at < n; at += len) {
		len = n - at < 1460 ? n - at : 1460;
		recv(p, ".", from + at, 1, len);
		if (reads)
			user_receives(p, len);
		peer_forget(p);
	}
	return n;
}

/* Only what the SYN could say, and a scale for what may come. */
static void test_first_window(void **unused)
{
	static const struct {
		int64_t most;
		int shift;
		uint32_t then;
	} cases[] = {{1 << 16, 1, 1 << 16},
		     {6 << 20, 7, 1 << 16},
		     {16 << 20, 9, 1 << 16},
		     {1 << 30, 14, 1 << 16}};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer p;
		struct sent syn;

		peer_init(&p);
		peer_set(&p, PARLEY_SET_RECEIVE_BUFFER_MAX, cases[i].most);
		p.wscale = 3;
		peer_connect(&p);
		syn = expect(&p, "S", 0, 0, 0);
		assert_int_equal(syn.wscale, cases[i].shift);
		assert_int_equal(syn.wnd, 65535);
		recv(&p, "S.", 0, 1, 0);
		assert_int_equal(expect(&p, ".", 1, 1, 0).wnd, cases[i].then);
		peer_done(&p);
	}
}

/* A sender in slow start is never held back; the buffer stops at two to four windows of it. */
static void test_grows_with_the_sender(void **unused)
{
	struct peer p;
	uint32_t n = 14600;

	(void)unused;
	peer_init(&p);
	open_slowly(&p, false);
	for (; n < 400000; n *= 2) {
		assert_int_equal(burst(&p, n, true), n);
		peer_wait(&p, RTT);
		peer_forget(&p);
	}
	n /= 2;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(burst(&p, n, true), n);
		peer_wait(&p, RTT);
		peer_forget(&p);
	}
	assert_in_range(info_of(&p).receive_buffer, 2 * n, 4 * n + FIRST);
	assert_in_range(info_of(&p).rcv_space, n, n + n / 10);
	assert_int_equal(info_of(&p).rcv_rtt, RTT);
	peer_done(&p);
}

/* Each growth is told: to more than before, for what was consumed, in the round trip. */
static struct {
	parley_trace_fn others;
	void *context;
	int64_t size;
} told;

static void hear(void *context, const struct parley_trace_event *event)
{
	(void)context;
	told.others(told.context, event);
	if (event->kind != PARLEY_TRACE_BUFFER)
		return;
	assert_true(event->value[0] > told.size);
	assert_in_range(event->value[1], event->value[0] / 8, event->value[0] / 2);
	assert_int_equal(event->value[2], RTT);
	told.size = event->value[0];
}

/* Who sends all that it may is soon allowed the most: the window doubles each round trip. */
static void test_grows_to_the_most(void **unused)
{
	struct peer p;
	int rounds = 0;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER_MAX, 1 << 20);
	open_slowly(&p, false);
	told.size = FIRST;
	told.others = p.tcp.trace;
	told.context = p.tcp.trace_context;
	p.tcp.trace = hear;
	while (info_of(&p).receive_buffer < 1 << 20) {
		assert_true(++rounds < 10);
		burst(&p, UINT32_MAX, true);
		peer_wait(&p, RTT);
		peer_forget(&p);
	}
	for (int i = 0; i < 5; i++) {
		burst(&p, UINT32_MAX, true);
		peer_wait(&p, RTT);
		peer_forget(&p);
	}
	assert_int_equal(info_of(&p).receive_buffer, 1 << 20);
	assert_int_equal(told.size, 1 << 20);
	peer_done(&p);
}

/* An eighth of the memory is for one buffer, whatever the setting says. */
static void test_grows_to_an_eighth(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.memory.cap = 4 << 20;
	open_slowly(&p, false);
	for (int i = 0; i < 20; i++) {
		burst(&p, UINT32_MAX, true);
		peer_wait(&p, RTT);
		peer_forget(&p);
	}
	assert_int_equal(info_of(&p).receive_buffer, 512 << 10);
	peer_done(&p);
}

/* Without scaling there is no more to offer than fits into the field. */
static void test_without_scaling(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_WINDOW_SCALE, 0);
	open_slowly(&p, false);
	for (int i = 0; i < 20; i++) {
		burst(&p, UINT32_MAX, true);
		peer_wait(&p, RTT);
		peer_forget(&p);
	}
	assert_int_equal(info_of(&p).receive_buffer, FIRST);
	peer_done(&p);
}

/* A whole buffer now and then is little in a round trip; so is nothing at all. */
static void test_idle_or_slow_reader(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	open_slowly(&p, false);
	for (uint32_t i = 0; i < 50; i++) {
		uint32_t n = burst(&p, UINT32_MAX, false);

		peer_wait(&p, SEC(2));
		user_receives(&p, n);
		peer_forget(&p);
	}
	assert_int_equal(info_of(&p).receive_buffer, FIRST);
	assert_int_equal(info_of(&p).rcv_space, 14600);
	for (uint32_t i = 0; i < 300; i++) {
		burst(&p, 1000, true);
		peer_wait(&p, MS(10));
	}
	peer_wait(&p, SEC(3600));
	peer_forget(&p);
	assert_int_equal(info_of(&p).receive_buffer, FIRST);
	peer_done(&p);
}

/*
 * The SYN was lost, so the handshake says nothing (Karn): the round trip shows when more comes than
 * had been offered.
 */
static void test_round_trip_from_the_window(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	open_slowly(&p, true);
	assert_int_equal(info_of(&p).rtt, 0);
	assert_int_equal(info_of(&p).rcv_rtt, 0);
	burst(&p, UINT32_MAX, true);
	peer_wait(&p, RTT);
	peer_forget(&p);
	assert_int_equal(info_of(&p).rcv_rtt, 0);
	burst(&p, UINT32_MAX, true);
	assert_in_range(info_of(&p).rcv_rtt, RTT, RTT + MS(1));
	peer_wait(&p, RTT / 2); /* a longer way is found, or a longer queue: no matter */
	burst(&p, UINT32_MAX, true);
	assert_in_range(info_of(&p).rcv_rtt, RTT / 2, RTT + MS(1));
	assert_true(info_of(&p).receive_buffer > FIRST);
	peer_done(&p);
}

/* A size that is set is kept to; 0 goes on growing from where it was. */
static void test_fixed_size(void **unused)
{
	struct peer p;
	uint64_t grown;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 100000);
	open_slowly(&p, false);
	for (int i = 0; i < 5; i++) {
		burst(&p, UINT32_MAX, true);
		peer_wait(&p, RTT);
		peer_forget(&p);
	}
	assert_int_equal(info_of(&p).receive_buffer, 100000);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 0);
	grown = info_of(&p).receive_buffer;
	assert_true(grown >= FIRST && grown % FIRST == 0);
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 70000);
	assert_int_equal(info_of(&p).receive_buffer, 70000);
	peer_set(&p, PARLEY_SET_SEND_BUFFER, 5000);
	assert_int_equal(info_of(&p).send_buffer, 5000);
	user_sends(&p, 5000);
	assert_int_equal(info_of(&p).send_buffer, 5000);
	peer_done(&p);
}

/* What SEND takes at once. */
static int64_t takes(struct peer *p)
{
	static uint8_t bytes[1 << 20];
	struct parley_span span = {bytes, sizeof bytes};
	int64_t n = user_send(&p->tcp, p->conn, &span, 1, 0);

	peer_step(p);
	return n;
}

static void test_send_buffer_follows_cwnd(void **unused)
{
	struct peer p;
	uint32_t acked = 1;

	(void)unused;
	peer_init(&p);
	p.plain = true;
	p.wscale = 7;
	peer_set(&p, PARLEY_SET_SEND_BUFFER_MAX, 200000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	p.wnd = 1 << 20;
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(takes(&p), FIRST);
	assert_int_equal(takes(&p), -PARLEY_EAGAIN);
	for (int i = 0; i < 200; i++) {
		uint64_t cwnd, wanted;

		acked += p.sent_count ? next_sent(&p).len : 0;
		recv(&p, ".", 1, acked, 0);
		cwnd = info_of(&p).snd_cwnd;
		wanted = 2 * cwnd < FIRST ? FIRST : 2 * cwnd;
		assert_int_equal(info_of(&p).send_buffer, wanted < 200000 ? wanted : 200000);
		takes(&p);
		assert_int_equal(info_of(&p).send_queue, info_of(&p).send_buffer);
	}
	assert_int_equal(info_of(&p).send_buffer, 200000);
	peer_forget(&p);
	peer_done(&p);
}

static void test_thresholds(void **unused)
{
	static const struct {
		uint64_t charged;
		enum pressure pressure;
		uint64_t left;
	} cases[] = {
		{0, PRESSURE_NONE, 600},    {399, PRESSURE_NONE, 201},	{400, PRESSURE_GROWTH, 200},
		{599, PRESSURE_GROWTH, 1},  {600, PRESSURE_SENDS, 0},	{699, PRESSURE_SENDS, 0},
		{700, PRESSURE_WINDOWS, 0}, {800, PRESSURE_WINDOWS, 0},
	};
	struct memory memory = {.cap = 800};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		memory.charged = cases[i].charged;
		assert_int_equal(pressure_of(&memory), cases[i].pressure);
		assert_int_equal(pressure_left_to_send(&memory), cases[i].left);
	}
	memory = (struct memory){.cap = UINT64_MAX, .charged = UINT64_MAX / 2};
	assert_int_equal(pressure_of(&memory), PRESSURE_GROWTH);
}

/* So much that a connection's own part is small beside it. */
static void *ballast[12];

static void load(struct peer *p)
{
	for (size_t i = 0; i < sizeof ballast / sizeof *ballast; i++) {
		ballast[i] = memory_alloc(&p->memory, MEMORY_ARRAY_MAX);
		assert_non_null(ballast[i]);
	}
}

static void unload(struct peer *p)
{
	for (size_t i = 0; i < sizeof ballast / sizeof *ballast; i++)
		memory_free(&p->memory, ballast[i], MEMORY_ARRAY_MAX);
}

/* Makes what is charged so many eighths of the cap. */
static void press(struct peer *p, uint64_t eighths)
{
	p->memory.cap = p->memory.charged * 8 / eighths;
}

static void test_no_growth_under_pressure(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.plain = true;
	open_slowly(&p, false);
	p.wnd = 65535;
	burst(&p, 30000, false);
	user_sends(&p, 60000);
	peer_tcb(&p)->cwnd = 100000;
	assert_int_equal(info_of(&p).send_buffer, 200000);
	press(&p, 5);
	assert_int_equal(pressure_of(&p.memory), PRESSURE_GROWTH);
	assert_int_equal(info_of(&p).send_buffer, FIRST);
	user_receives(&p, 30000);
	peer_wait(&p, RTT);
	for (int i = 0; i < 5; i++) {
		press(&p, 5);
		burst(&p, UINT32_MAX, true);
		peer_wait(&p, RTT);
		peer_forget(&p);
	}
	assert_int_equal(info_of(&p).receive_buffer, FIRST);
	p.memory.cap = PEER_LIMIT;
	for (int i = 0; i < 3; i++) {
		burst(&p, UINT32_MAX, true);
		peer_wait(&p, RTT);
		peer_forget(&p);
	}
	assert_true(info_of(&p).receive_buffer > FIRST);
	peer_done(&p);
}

/*
 * The window closes as text comes, but its edge stays (peer.c checks that), and whoever reads is
 * offered four segments; when there is memory again, all of the buffer.
 */
static void test_windows_under_pressure(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	load(&p);
	open_slowly(&p, false);
	for (uint32_t i = 0; i < 30; i++) {
		burst(&p, 1460, true);
		press(&p, 7);
		peer_wait(&p, MS(40));
		peer_forget(&p);
	}
	assert_int_equal(pressure_of(&p.memory), PRESSURE_WINDOWS);
	assert_int_equal(info_of(&p).receive_buffer, 4 * 1460);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(burst(&p, 1460, true), 1460);
		press(&p, 7);
		peer_wait(&p, MS(40));
		peer_forget(&p);
		press(&p, 7);
	}
	assert_in_range(info_of(&p).rcv_wnd, 1460, 4 * 1460);
	p.memory.cap = PEER_LIMIT;
	burst(&p, 1460, true);
	peer_wait(&p, MS(40));
	assert_int_equal(info_of(&p).rcv_wnd, FIRST);
	unload(&p);
	peer_forget(&p);
	peer_done(&p);
}

/* What the SYN,ACK offered stands but for the rounding, though memory is scarce by the last ACK. */
static void test_pressure_during_the_handshake(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	load(&p);
	p.wscale = 3;
	peer_listen(&p, 1);
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(expect(&p, "S.", 0, 1, 0).wnd, 65535);
	press(&p, 7);
	recv(&p, "P.", 1, 1, 1000);
	peer_wait(&p, MS(40));
	assert_in_range(expect(&p, ".", 1, 1001, 0).wnd, 65535 - 1000 - 511, FIRST);
	assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
	unload(&p);
	peer_done(&p);
}

/* A connection in front of a closed window; the peer answers each probe. */
static void probed(struct peer *p, bool owned, uint64_t eighths, int rounds)
{
	peer_init(p);
	load(p);
	p->wnd = 1000;
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(p, 20000);
	next_sent(p);
	if (!owned)
		assert_int_equal(user_release(&p->tcp, p->conn), 0);
	p->wnd = 0;
	recv(p, ".", 1, 1001, 0);
	for (int i = 0; i < rounds && peer_state(p) != PARLEY_CLOSED; i++) {
		peer_forget(p);
		press(p, eighths);
		peer_wait(p, SEC(i < 6 ? 1 << i : 60));
		if (peer_state(p) != PARLEY_CLOSED)
			recv(p, ".", 1, 1001, 0);
	}
	unload(p);
}

/* RFC 6429 4: left behind, without a taker, and the memory is needed. */
static void test_orphans_are_given_up(void **unused)
{
	struct peer p;

	(void)unused;
	probed(&p, false, 7, 20);
	expect_state(&p, CLOSED);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_ABORT_ON_MEMORY], 1);
	while (p.sent_count > 1)
		next_sent(&p);
	assert_true(next_sent(&p).flags & TCP_RST);
	peer_done(&p);
	/* Not the first few times, not while there is memory, not while somebody holds it. */
	probed(&p, false, 7, 1);
	expect_state(&p, FIN_WAIT_1);
	peer_done(&p);
	probed(&p, false, 6, 12);
	expect_state(&p, FIN_WAIT_1);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_ABORT_ON_MEMORY], 0);
	peer_done(&p);
	probed(&p, true, 7, 12);
	expect_state(&p, ESTABLISHED);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_ABORT_ON_MEMORY], 0);
	peer_done(&p);
}

/* The same for one that does not answer at all: long before R2. */
static void test_silent_orphans_are_given_up(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 5000);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	press(&p, 7);
	peer_wait(&p, SEC(10));
	expect_state(&p, CLOSED);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_ABORT_ON_MEMORY], 1);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_ABORT_ON_TIMEOUT], 0);
	peer_forget(&p);
	peer_done(&p);
}

/* Only what the peer could not have sent at once shows a round trip: by a unit of the window. */
static void test_a_window_and_a_unit_show_nothing(void **unused)
{
	struct peer p;
	uint32_t came;

	(void)unused;
	peer_init(&p);
	open_slowly(&p, true);
	for (came = 0; came < FIRST + 512; came += 512) {
		recv(&p, ".", 1 + came, 1, 512);
		user_receives(&p, 512);
		peer_forget(&p);
	}
	assert_int_equal(peer_tcb(&p)->rcv_shift, 9);
	assert_int_equal(peer_tcb(&p)->rcv_rtt, 0);
	recv(&p, ".", 1 + came, 1, 1);
	user_receives(&p, 1);
	assert_int_not_equal(peer_tcb(&p)->rcv_rtt, 0);
	peer_forget(&p);
	peer_done(&p);
}

/* Though an eighth of the memory would be far more than the buffer has. */
static void test_pressure_alone_stops_growth(void **unused)
{
	uint64_t small;
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.plain = true;
	open_slowly(&p, false);
	load(&p);
	press(&p, 5);
	small = p.memory.cap;
	assert_true(small / 8 >= 2 * FIRST);
	for (int i = 0; i < 5; i++) {
		p.memory.cap = p.memory.charged * 8 / 5;
		assert_int_equal(pressure_of(&p.memory), PRESSURE_GROWTH);
		burst(&p, UINT32_MAX, true);
		peer_wait(&p, RTT);
		peer_forget(&p);
	}
	assert_int_equal(info_of(&p).receive_buffer, FIRST);
	p.memory.cap = 2 * small;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(pressure_of(&p.memory), PRESSURE_NONE);
		burst(&p, UINT32_MAX, true);
		peer_wait(&p, RTT);
		peer_forget(&p);
	}
	assert_true(info_of(&p).receive_buffer > FIRST);
	unload(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_window),
		cmocka_unit_test(test_grows_with_the_sender),
		cmocka_unit_test(test_grows_to_the_most),
		cmocka_unit_test(test_grows_to_an_eighth),
		cmocka_unit_test(test_without_scaling),
		cmocka_unit_test(test_idle_or_slow_reader),
		cmocka_unit_test(test_round_trip_from_the_window),
		cmocka_unit_test(test_fixed_size),
		cmocka_unit_test(test_send_buffer_follows_cwnd),
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_no_growth_under_pressure),
		cmocka_unit_test(test_windows_under_pressure),
		cmocka_unit_test(test_pressure_during_the_handshake),
		cmocka_unit_test(test_orphans_are_given_up),
		cmocka_unit_test(test_silent_orphans_are_given_up),
		cmocka_unit_test(test_a_window_and_a_unit_show_nothing),
		cmocka_unit_test(test_pressure_alone_stops_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
