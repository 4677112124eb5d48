/* SPDX-License-Identifier: MIT */
/* A host that talks to itself: its own addresses, 127.0.0.0/8, ::1, and one port to itself. */
#include "station.h"

#include "net/loopback.h"

static int setup(void **state)
{
	struct station *s = malloc(sizeof *s);

	assert_non_null(s);
	station_init(s, PARLEY_LINK_ETHERNET, 1500);
	station_add_v6(s);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	station_free(*state);
	free(*state);
	return 0;
}

/* What waits is handed on; nothing of it may leave. */
static void run(struct station *s)
{
	int calls = 0;

	while (parley_deadline(s->host) <= s->now) {
		parley_expire(s->host, s->now); /* 0 when the deadline was early */
		assert_null(parley_check(s->host));
		assert_in_range(++calls, 1, 1000);
	}
	station_expect_nothing(s);
}

static parley_conn listen_at(struct station *s, const char *local)
{
	struct parley_open open = {.size = sizeof open, .local.port = 80, .backlog = 5};
	parley_conn listener;

	if (local)
		open.local.addr = station_addr(local);
	assert_int_equal(parley_listen(s->host, s->now, &open, &listener), 0);
	return listener;
}

static const char *const ours[] = {"127.0.0.1", "127.1.2.3", "::1", "192.0.2.1", "2001:db8::1"};

static void test_connect(void **state)
{
	struct station *s = *state;
	parley_conn listener = listen_at(s, NULL);

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		struct parley_span span = {"hello", 5};
		parley_conn client = station_connect(s, ours[i], 80), server;
		struct parley_status status = {.size = sizeof status};
		struct parley_addr to = station_addr(ours[i]);
		char bytes[8];

		assert_int_equal(parley_deadline(s->host), s->now);
		run(s);
		assert_int_equal(parley_accept(s->host, s->now, listener, 0, &server), 0);
		assert_int_equal(parley_status(s->host, server, &status), 0);
		assert_int_equal(status.state, PARLEY_ESTABLISHED);
		assert_int_equal(status.ifindex, LOOPBACK_INDEX);
		assert_true(ip_equal(&status.local.addr, &to));
		assert_int_equal(parley_send(s->host, s->now, client, &span, 1, 0), 5);
		run(s);
		assert_int_equal(parley_receive(s->host, s->now, server, bytes, 8), 5);
		assert_memory_equal(bytes, "hello", 5);
		assert_int_equal(parley_close(s->host, s->now, client), 0);
		run(s);
		assert_int_equal(parley_receive(s->host, s->now, server, bytes, 8), 0);
		assert_int_equal(parley_release_conn(s->host, s->now, server), 0);
		assert_int_equal(parley_release_conn(s->host, s->now, client), 0);
		run(s);
	}
}

/* Two listeners at one port, as nginx and asyncio have them: each gets what is for its family. */
static void test_listeners_by_family(void **state)
{
	struct station *s = *state;
	struct parley_open open = {.size = sizeof open, .local.port = 80, .backlog = 5};
	parley_conn v4 = listen_at(s, "0.0.0.0"), v6, conn;

	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), -PARLEY_EADDRINUSE);
	open.local.addr = station_addr("127.0.0.1");
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), -PARLEY_EADDRINUSE);
	open.local.addr = station_addr("::");
	open.flags = PARLEY_OPEN_V6ONLY;
	/* Nobody listens for it yet. */
	station_connect(s, "::1", 80);
	run(s);
	assert_int_equal(parley_accept(s->host, s->now, v4, 0, &conn), -PARLEY_EAGAIN);
	assert_int_equal(parley_listen(s->host, s->now, &open, &v6), 0);
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), -PARLEY_EADDRINUSE);
	open.local.addr = station_addr("::1");
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), -PARLEY_EADDRINUSE);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		bool is_v6 = strchr(ours[i], ':');

		station_connect(s, ours[i], 80);
		run(s);
		assert_int_equal(parley_accept(s->host, s->now, is_v6 ? v4 : v6, 0, &conn),
				 -PARLEY_EAGAIN);
		assert_int_equal(parley_accept(s->host, s->now, is_v6 ? v6 : v4, 0, &conn), 0);
	}
	/* With IPv4 given up, IPv6 alone is not reached by it. */
	assert_int_equal(parley_close(s->host, s->now, v4), 0);
	station_connect(s, "192.0.2.1", 80);
	run(s);
	assert_int_equal(parley_accept(s->host, s->now, v6, 0, &conn), -PARLEY_EAGAIN);
}

static void test_listener_on_loopback_only(void **state)
{
	struct station *s = *state;
	parley_conn listener = listen_at(s, "127.0.0.1"), conn;
	uint8_t frame[128];
	struct segment syn = {.src_port = 9, .dst_port = 80, .flags = TCP_SYN};
	size_t len;

	station_connect(s, "127.0.0.1", 80);
	run(s);
	assert_int_equal(parley_accept(s->host, s->now, listener, 0, &conn), 0);
	/* From the wire nothing can be for it (RFC 1122 3.2.1.3 g). */
	len = station_tcp(frame, "192.0.2.2", "127.0.0.1", &syn, NULL);
	station_in(s, frame, len);
	station_expect_drop(s, PARLEY_DROP_NOT_OURS);
	len = station_tcp(frame, "127.0.0.1", "192.0.2.1", &syn, NULL);
	station_in(s, frame, len);
	station_expect_drop(s, PARLEY_DROP_IP_SOURCE);
	len = station_tcp(frame, "::1", "2001:db8::1", &syn, NULL);
	station_in(s, frame, len);
	station_expect_drop(s, PARLEY_DROP_IP_SOURCE);
	station_expect_nothing(s);
}

static void test_refused(void **state)
{
	struct station *s = *state;
	struct parley_event event;

	station_connect(s, "::1", 81);
	run(s);
	assert_int_equal(parley_events(s->host, &event, 1), 1);
	assert_true(event.bits & PARLEY_DEAD);
	assert_int_equal(event.error, PARLEY_ECONNREFUSED);
}

/* MUST-10 and RFC 9293 3.5: one that opens to itself is a simultaneous open. */
static void test_self_connect(void **state)
{
	static const char *const self[] = {"127.0.0.1", "::1", "192.0.2.1"};
	struct station *s = *state;

	for (size_t i = 0; i < 3; i++) {
		struct parley_open open = {.size = sizeof open};
		struct parley_span span = {"echo", 4};
		struct parley_status status = {.size = sizeof status};
		parley_conn conn;
		char bytes[8];

		open.local.addr = open.remote.addr = station_addr(self[i]);
		open.local.port = open.remote.port = 7777;
		assert_int_equal(parley_connect(s->host, s->now, &open, &conn), 0);
		run(s);
		assert_int_equal(parley_status(s->host, conn, &status), 0);
		assert_int_equal(status.state, PARLEY_ESTABLISHED);
		assert_int_equal(parley_send(s->host, s->now, conn, &span, 1, 0), 4);
		run(s);
		assert_int_equal(parley_receive(s->host, s->now, conn, bytes, 8), 4);
		assert_memory_equal(bytes, "echo", 4);
		assert_int_equal(parley_release_conn(s->host, s->now, conn), 0);
		run(s);
	}
}

/* Much at once goes in large packets, in portions, and never through the wire. */
static void test_bulk(void **state)
{
	static uint8_t out[1 << 20], in[1 << 20];
	struct station *s = *state;
	parley_conn listener = listen_at(s, NULL), client = station_connect(s, "::1", 80), server;
	uint64_t frames, taken = 0, got = 0;
	int64_t n;

	run(s);
	assert_int_equal(parley_accept(s->host, s->now, listener, 0, &server), 0);
	for (size_t i = 0; i < sizeof out; i++)
		out[i] = (uint8_t)(i * 13 + i / 253);
	frames = parley_counter(s->host, PARLEY_COUNTER_FRAMES_OUT);
	while (got < sizeof in) {
		struct parley_span span = {out + taken, sizeof out - taken};

		n = taken < sizeof out ? parley_send(s->host, s->now, client, &span, 1, 0) : 0;
		taken += n > 0 ? (uint64_t)n : 0;
		run(s);
		while ((n = parley_receive(s->host, s->now, server, in + got, sizeof in - got)) > 0)
			got += (uint64_t)n;
		run(s);
		station_wait(s, 50000000); /* an acknowledgement may be delayed */
	}
	assert_memory_equal(in, out, sizeof in);
	frames = parley_counter(s->host, PARLEY_COUNTER_FRAMES_OUT) - frames;
	assert_in_range(frames, 17, 80);
}

/* Without memory for the way to itself a connection fails, and the next one may not. */
static void test_no_memory(void **state)
{
	struct parley_open open = {.size = sizeof open, .remote.port = 80};
	struct station *s = *state;
	parley_conn conn;

	open.remote.addr = station_addr("127.0.0.1");
	s->slabs.limit = s->slabs.out;
	assert_int_equal(parley_connect(s->host, s->now, &open, &conn), -PARLEY_ENOBUFS);
	s->slabs.limit = s->slabs.out + 1;
	assert_int_equal(parley_connect(s->host, s->now, &open, &conn), -PARLEY_ENOBUFS);
	assert_null(parley_check(s->host));
	s->slabs.limit = UINT32_MAX;
	assert_int_equal(parley_connect(s->host, s->now, &open, &conn), 0);
	run(s);
	/* It is not the user's to change. */
	assert_int_equal(parley_interface_remove(s->host, s->now, LOOPBACK_INDEX), -PARLEY_ENODEV);
	assert_int_equal(
		parley_route_add(s->host, s->now, LOOPBACK_INDEX, &open.remote.addr, 32, NULL),
		-PARLEY_ENODEV);
	open.remote.addr = station_addr("10.0.0.1");
	assert_int_equal(parley_address_add(s->host, s->now, LOOPBACK_INDEX, &open.remote.addr, 32),
			 -PARLEY_ENODEV);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_connect),
		CASE(test_listeners_by_family),
		CASE(test_listener_on_loopback_only),
		CASE(test_refused),
		CASE(test_self_connect),
		CASE(test_bulk),
		CASE(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
