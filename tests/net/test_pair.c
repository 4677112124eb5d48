/* SPDX-License-Identifier: MIT */
/* Whole hosts, back to back: a connection over every kind of interface. */
#include "pair.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "wire/icmpv6.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

static void test_hello(void **state)
{
	struct pair pair;
	parley_conn client, server;

	(void)state;
	pair_init(&pair, NULL);
	pair_connect(&pair, 80, &client, &server);
	pair_send(&pair, 0, client, "hello");
	pair_run(&pair, PAIR_MS(100));
	pair_expect(&pair, 1, server, "hello");
	pair_send(&pair, 1, server, "and to you");
	pair_run(&pair, PAIR_MS(100));
	pair_expect(&pair, 0, client, "and to you");
	pair_free(&pair);
}

static void test_close(void **state)
{
	struct pair pair;
	parley_conn client, server;

	(void)state;
	pair_init(&pair, NULL);
	pair_connect(&pair, 80, &client, &server);
	assert_int_equal(parley_close(pair.end[0].host, pair.now, client), 0);
	pair_run(&pair, PAIR_MS(100));
	assert_int_equal(pair_state(&pair, 0, client), PARLEY_FIN_WAIT_2);
	assert_int_equal(pair_state(&pair, 1, server), PARLEY_CLOSE_WAIT);
	pair_expect(&pair, 1, server, "");
	assert_int_equal(parley_close(pair.end[1].host, pair.now, server), 0);
	pair_run(&pair, PAIR_MS(100));
	assert_int_equal(pair_state(&pair, 0, client), PARLEY_TIME_WAIT);
	assert_int_equal(pair_state(&pair, 1, server), PARLEY_CLOSED);
	pair_run(&pair, PAIR_S(61));
	assert_int_equal(pair_state(&pair, 0, client), PARLEY_CLOSED);
	pair_free(&pair);
}

static void test_refused(void **state)
{
	struct pair pair;
	struct parley_event event;
	parley_conn client;

	(void)state;
	pair_init(&pair, NULL);
	client = pair_open(&pair, 81);
	pair_run(&pair, PAIR_MS(100));
	assert_int_equal(pair_state(&pair, 0, client), PARLEY_CLOSED);
	assert_int_equal(parley_events(pair.end[0].host, &event, 1), 1);
	assert_int_equal(event.error, PARLEY_ECONNREFUSED);
	assert_int_equal(parley_counter(pair.end[1].host, PARLEY_COUNTER_OUT_RSTS), 1);
	assert_int_equal(parley_drops(pair.end[1].host, PARLEY_DROP_NO_CONNECTION), 1);
	pair_free(&pair);
}

/* Host 1 listens and is asked; host 0 connects. */
static parley_conn open_to_decide(struct pair *pair, parley_conn *client)
{
	struct parley_open open = {
		.size = sizeof open,
		.local.port = 80,
		.backlog = 1,
		.flags = PARLEY_OPEN_DECIDE,
	};
	parley_conn listener;

	pair_init(pair, NULL);
	assert_int_equal(parley_listen(pair->end[1].host, pair->now, &open, &listener), 0);
	*client = pair_open(pair, 80);
	pair_run(pair, PAIR_MS(100));
	assert_int_equal(pair_state(pair, 0, *client), PARLEY_SYN_SENT);
	return listener;
}

static parley_conn next_syn(struct pair *pair, parley_conn listener)
{
	struct parley_syn syn = {.size = sizeof syn};
	struct parley_event event;

	assert_int_equal(parley_events(pair->end[1].host, &event, 1), 1);
	assert_int_equal(event.conn, listener);
	assert_int_equal(event.bits, PARLEY_DECIDE);
	assert_int_equal(parley_next_syn(pair->end[1].host, listener, &syn), 0);
	assert_memory_equal(&syn.local.addr, &pair->end[1].addr, sizeof syn.local.addr);
	assert_memory_equal(&syn.remote.addr, &pair->end[0].addr, sizeof syn.remote.addr);
	assert_int_equal(syn.local.port, 80);
	assert_int_equal(syn.ifindex, pair->end[1].ifindex);
	return syn.conn;
}

/* The user takes five seconds, the SYN comes three times, and one connection comes of it. */
static void test_decides_to_accept(void **state)
{
	struct pair pair;
	parley_conn client, server, listener, syn;

	(void)state;
	listener = open_to_decide(&pair, &client);
	syn = next_syn(&pair, listener);
	pair_run(&pair, PAIR_S(5));
	assert_int_equal(parley_drops(pair.end[1].host, PARLEY_DROP_SYN_HELD), 2);
	assert_int_equal(parley_decide(pair.end[1].host, pair.now, syn, PARLEY_DECIDE_ACCEPT), 0);
	pair_run(&pair, PAIR_MS(100));
	assert_int_equal(parley_accept(pair.end[1].host, pair.now, listener, 0, &server), 0);
	assert_int_equal(server, syn);
	pair_send(&pair, 0, client, "hello");
	pair_run(&pair, PAIR_MS(100));
	pair_expect(&pair, 1, server, "hello");
	pair_free(&pair);
}

static void test_decides_to_refuse(void **state)
{
	struct pair pair;
	struct parley_event event;
	parley_conn client, syn;

	(void)state;
	syn = next_syn(&pair, open_to_decide(&pair, &client));
	assert_int_equal(parley_decide(pair.end[1].host, pair.now, syn, PARLEY_DECIDE_REFUSE), 0);
	pair_run(&pair, PAIR_MS(100));
	assert_int_equal(parley_events(pair.end[0].host, &event, 1), 1);
	assert_int_equal(event.error, PARLEY_ECONNREFUSED);
	pair_free(&pair);
}

/* Dropped, the SYN comes again and is a new one: dropped each time, the peer gives up. */
static void test_decides_to_drop(void **state)
{
	struct pair pair;
	struct parley_event event;
	struct parley_syn syn = {.size = sizeof syn};
	parley_conn client, listener;
	unsigned n = 0;

	(void)state;
	listener = open_to_decide(&pair, &client);
	for (int i = 0; i < 400; i++) {
		while (parley_next_syn(pair.end[1].host, listener, &syn) == 0) {
			n++;
			assert_int_equal(parley_decide(pair.end[1].host, pair.now, syn.conn,
						       PARLEY_DECIDE_DROP),
					 0);
		}
		pair_run(&pair, PAIR_S(1));
	}
	assert_int_equal(n, 8);
	assert_int_equal(parley_drops(pair.end[1].host, PARLEY_DROP_SYN_UNWANTED), 8);
	assert_int_equal(parley_events(pair.end[0].host, &event, 1), 1);
	assert_int_equal(event.error, PARLEY_ETIMEDOUT);
	pair_free(&pair);
}

enum { CHUNK = 8192 };

/* The byte that belongs at an offset: no period that a cut could hide behind. */
static uint8_t byte_at(uint64_t offset)
{
	uint64_t x = (offset + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint8_t)(x >> 56);
}

static uint64_t send_some(struct pair *pair, parley_conn conn, uint64_t from, uint64_t total)
{
	uint8_t bytes[CHUNK];
	struct parley_span span = {bytes, total - from < CHUNK ? total - from : CHUNK};
	int64_t n;

	for (size_t i = 0; i < span.len; i++)
		bytes[i] = byte_at(from + i);
	n = parley_send(pair->end[0].host, pair->now, conn, &span, 1, 0);
	if (n == -PARLEY_EAGAIN)
		return 0;
	assert_in_range(n, 1, span.len);
	return (uint64_t)n;
}

static uint64_t receive_some(struct pair *pair, parley_conn conn, uint64_t from)
{
	uint8_t bytes[CHUNK];
	int64_t n = parley_receive(pair->end[1].host, pair->now, conn, bytes, CHUNK);

	if (n == -PARLEY_EAGAIN)
		return 0;
	assert_in_range(n, 1, CHUNK);
	for (int64_t i = 0; i < n; i++)
		if (bytes[i] != byte_at(from + (uint64_t)i))
			fail_msg("byte %llu is wrong", (unsigned long long)(from + (uint64_t)i));
	return (uint64_t)n;
}

/* Host 0 sends, host 1 receives and compares, until all has arrived or a minute is over. */
static void transfer(const struct pair_config *config, uint64_t total)
{
	struct pair pair;
	uint64_t sent = 0, received = 0, n;
	parley_conn client, server;

	pair_init(&pair, config);
	pair_connect(&pair, 80, &client, &server);
	for (int i = 0; i < 60000 && received < total; i++) {
		while (sent < total && (n = send_some(&pair, client, sent, total)) > 0)
			sent += n;
		pair_run(&pair, PAIR_MS(1));
		while ((n = receive_some(&pair, server, received)) > 0)
			received += n;
	}
	assert_int_equal(received, total);
	assert_int_equal(parley_drops(pair.end[1].host, PARLEY_DROP_TCP_CHECKSUM), 0);
	assert_int_equal(parley_drops(pair.end[1].host, PARLEY_DROP_IP_CHECKSUM), 0);
	pair_free(&pair);
}

static void test_transfer(void **state)
{
	const struct pair_config configs[] = {
		{.link = PARLEY_LINK_ETHERNET, .delay = PAIR_MS(5)},
		{.link = PARLEY_LINK_IP, .delay = PAIR_MS(5)},
		{.link = PARLEY_LINK_ETHERNET, .offload = PARLEY_OFFLOAD_CHECKSUM},
		{.link = PARLEY_LINK_ETHERNET, .offload = PARLEY_OFFLOAD_SEGMENT},
		{.link = PARLEY_LINK_IP, .offload = PARLEY_OFFLOAD_SEGMENT, .coalesced = true},
		{.link = PARLEY_LINK_IP, .mtu = 68, .delay = 1000},
		{.link = PARLEY_LINK_IP, .mtu = 65535, .delay = 1000},
		/* An odd MSS, so that sums of spans meet at odd offsets. */
		{.link = PARLEY_LINK_ETHERNET, .mtu = 1491, .delay = 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
		struct pair_config config = configs[i];

		transfer(&config, 200001);
		config.v6 = true;
		if (config.mtu != 68)
			transfer(&config, 200001);
	}
}

/* Loses every ninth frame, once the handshake is over. */
static bool lose_ninth(void *context, int from, uint8_t *bytes, size_t *len)
{
	unsigned *count = context;

	(void)from;
	(void)bytes;
	(void)len;
	return ++*count < 8 || *count % 9 != 0;
}

static void test_loss(void **state)
{
	unsigned count = 0;
	struct pair_config config = {.delay = PAIR_MS(1), .hook = lose_ninth, .context = &count};

	(void)state;
	transfer(&config, 100000);
	assert_in_range(count, 70, 100000);
	config.v6 = true;
	count = 0;
	transfer(&config, 100000);
	assert_in_range(count, 70, 100000);
}

/* A router on the way that takes packets of `mtu` bytes, and says so. */
struct router {
	struct pair *pair;
	uint32_t mtu;
	bool silent; /* about how much it takes */
	unsigned told;
};

static void tell_sender(struct router *router, int to, const uint8_t *packet)
{
	struct pair *pair = router->pair;
	bool v6 = packet[0] >> 4 == 6;
	size_t header = v6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN, quoted = header + 8;
	struct ip_packet ip = {
		.ttl = 60,
		.protocol = v6 ? IP_ICMPV6 : IP_ICMP,
		.payload_len = ICMP_HEADER_LEN + quoted,
	};
	uint8_t out[128], *icmp = out + header;
	struct parley_rx rx = {.data = out, .ifindex = pair->end[to].ifindex};

	ip.src = pair->end[!to].addr;
	ip.dst = pair->end[to].addr;
	rx.len = header + ip.payload_len;
	v6 ? ipv6_emit(out, &ip) : ipv4_emit(out, &ip);
	memset(icmp, 0, ICMP_HEADER_LEN);
	icmp[0] = v6 ? ICMPV6_TOO_BIG : ICMP_UNREACHABLE;
	icmp[1] = v6 ? 0 : ICMP_FRAGMENTATION_NEEDED;
	put_be32(icmp + 4, router->silent ? 0 : router->mtu);
	memcpy(icmp + ICMP_HEADER_LEN, packet, quoted);
	if (v6)
		icmpv6_finish(icmp, ip.payload_len, &ip.src, &ip.dst);
	else
		put_be16(icmp + 2, checksum_fold(checksum_sum(icmp, ip.payload_len)));
	assert_int_equal(parley_input(pair->end[to].host, pair->now, &rx, 1), 0);
	router->told++;
}

static bool route(void *context, int from, uint8_t *bytes, size_t *len)
{
	struct router *router = context;

	if (*len <= router->mtu)
		return true;
	tell_sender(router, from, bytes);
	return false;
}

/* The path shrinks under a transfer: everything arrives, without a timeout, and no loss counts. */
static void test_path_mtu(void **state)
{
	static const struct {
		bool v6, silent;
		uint32_t mtu, path;
	} cases[] = {
		{false, false, 1400, 1400}, {false, false, 600, 600},  {false, true, 1100, 1006},
		{true, false, 1400, 1400},  {true, false, 1280, 1280},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct router router = {.mtu = 9000, .silent = cases[i].silent};
		struct pair_config config = {
			.link = PARLEY_LINK_IP,
			.v6 = cases[i].v6,
			.delay = PAIR_MS(5),
			.hook = route,
			.context = &router,
		};
		struct parley_tcp_info info = {.size = sizeof info};
		uint64_t sent = 0, received = 0, total = 300000, n;
		parley_conn client, server;
		struct pair pair;

		router.pair = &pair;
		pair_init(&pair, &config);
		pair_connect(&pair, 80, &client, &server);
		for (int k = 0; k < 60000 && received < total; k++) {
			if (received > 50000)
				router.mtu = cases[i].mtu;
			while (sent < total && (n = send_some(&pair, client, sent, total)) > 0)
				sent += n;
			pair_run(&pair, PAIR_MS(1));
			while ((n = receive_some(&pair, server, received)) > 0)
				received += n;
		}
		assert_int_equal(received, total);
		assert_int_equal(parley_tcp_info(pair.end[0].host, client, &info), 0);
		assert_int_equal(info.pmtu, cases[i].path);
		assert_true(router.told > 0);
		assert_int_equal(parley_counter(pair.end[0].host, PARLEY_COUNTER_TIMEOUTS), 0);
		assert_int_equal(parley_counter(pair.end[0].host, PARLEY_COUNTER_PATH_MTU_LOWERED),
				 /* 1492 is the plateau on the way to 1006. */
				 cases[i].silent ? 2 : 1);
		pair_free(&pair);
	}
}

/* Two connections with much to send take turns of 64 KiB, however few frames a call asks for. */
static void test_turns(void **state)
{
	const struct pair_config config = {.delay = PAIR_MS(1)};
	struct parley_frame frame;
	struct pair pair;
	parley_conn client[2], server, turn = PARLEY_NO_CONN;
	uint64_t run = 0, total[2] = {0, 0};
	unsigned turns = 0;

	(void)state;
	pair_init(&pair, &config);
	assert_int_equal(parley_set(pair.end[0].host, pair.now, PARLEY_NO_CONN,
				    PARLEY_SET_INITIAL_WINDOW, 1000),
			 0);
	assert_int_equal(parley_set(pair.end[0].host, pair.now, PARLEY_NO_CONN,
				    PARLEY_SET_SEND_BUFFER, 1 << 20),
			 0);
	assert_int_equal(parley_set(pair.end[1].host, pair.now, PARLEY_NO_CONN,
				    PARLEY_SET_RECEIVE_BUFFER, 1 << 20),
			 0);
	for (int i = 0; i < 2; i++) {
		/* A few bytes first, so that the whole window is known. */
		pair_connect(&pair, (uint16_t)(80 + i), &client[i], &server);
		pair_send(&pair, 0, client[i], "well?");
		pair_run(&pair, PAIR_MS(200));
	}
	for (uint64_t at = 0; at < 40 * CHUNK; at += CHUNK)
		for (int i = 0; i < 2; i++)
			assert_int_equal(send_some(&pair, client[i], at, 40 * CHUNK), CHUNK);
	while (parley_output(pair.end[0].host, pair.end[0].ifindex, pair.now, &frame, 1) == 1) {
		if (frame.conn != turn) {
			assert_in_range(run, turn ? 65536 : 0, 65536 + 1514);
			turns++;
			run = 0;
		}
		turn = frame.conn;
		run += frame.len;
		total[turn == client[1]] += frame.len;
		parley_release(pair.end[0].host, &frame, 1);
		if (total[0] > 4 * 65536 && total[1] > 4 * 65536)
			break;
	}
	assert_in_range(turns, 8, 10);
	pair_free(&pair);
}

/* What is out when a host goes takes nothing with it: pair_free() counts the slabs. */
static void test_free_with_frames_out(void **state)
{
	struct parley_frame frames[64];
	struct pair pair;
	parley_conn client, server;
	int n;

	(void)state;
	pair_init(&pair, NULL);
	pair_connect(&pair, 80, &client, &server);
	assert_true(send_some(&pair, client, 0, CHUNK) > 0);
	n = parley_output(pair.end[0].host, pair.end[0].ifindex, pair.now, frames, 64);
	assert_in_range(n, 2, 64);
	pair_free(&pair);
}

/* The spans of a frame stay as they are when its connection is reset and gone. */
static void test_frame_outlives_connection(void **state)
{
	struct parley_frame frame;
	uint8_t bytes[2000];
	struct pair pair;
	parley_conn client, server;
	uint64_t charged;

	(void)state;
	pair_init(&pair, NULL);
	charged = parley_memory_charged(pair.end[0].host);
	pair_connect(&pair, 80, &client, &server);
	pair_send(&pair, 0, client, "to be kept");
	assert_int_equal(parley_output(pair.end[0].host, pair.end[0].ifindex, pair.now, &frame, 1),
			 1);
	assert_int_equal(parley_abort(pair.end[0].host, pair.now, client), 0);
	assert_int_equal(parley_release_conn(pair.end[0].host, pair.now, client), 0);
	assert_int_equal(parley_frame_flatten(&frame, 0, bytes, sizeof bytes), 14 + 20 + 20 + 10);
	assert_memory_equal(bytes + 54, "to be kept", 10);
	assert_true(parley_memory_charged(pair.end[0].host) > charged);
	parley_release(pair.end[0].host, &frame, 1);
	pair_run(&pair, PAIR_MS(10));
	assert_int_equal(parley_memory_charged(pair.end[0].host), charged);
	assert_int_equal(pair_state(&pair, 1, server), PARLEY_CLOSED);
	pair_free(&pair);
}

/* A link that takes packets of 600 bytes from now on, and loses longer ones. */
static bool narrow(void *context, int from, uint8_t *bytes, size_t *len)
{
	unsigned *lost = context;

	(void)from;
	(void)bytes;
	if (*len <= 14 + 600)
		return true;
	++*lost;
	return false;
}

/* MUST-16: an interface's MTU that falls is kept by connections that stand, too. */
static void test_mtu_falls(void **state)
{
	struct parley_interface narrower = {
		.size = sizeof narrower, .link = PARLEY_LINK_ETHERNET, .mac = {2}, .mtu = 600};
	char text[3001] = {0};
	unsigned lost = 0;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	/* Before the text is sent, and while it is under way. */
	for (unsigned under_way = 0; under_way < 2; under_way++) {
		struct pair_config config = {.hook = narrow, .context = &lost};
		struct pair pair;
		parley_conn client, server;

		lost = 0;
		pair_init(&pair, &config);
		pair_connect(&pair, 80, &client, &server);
		if (under_way) {
			pair_send(&pair, 0, client, text);
			pair_flush(&pair);
			assert_int_equal(lost, 2);
		}
		assert_int_equal(parley_interface_set(pair.end[0].host, pair.now,
						      pair.end[0].ifindex, &narrower),
				 0);
		if (!under_way)
			pair_send(&pair, 0, client, text);
		pair_run(&pair, PAIR_S(20));
		assert_int_equal(lost, 2 * under_way);
		pair_expect(&pair, 1, server, text);
		pair_free(&pair);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mtu_falls),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_decides_to_accept),
		cmocka_unit_test(test_decides_to_refuse),
		cmocka_unit_test(test_decides_to_drop),
		cmocka_unit_test(test_transfer),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_path_mtu),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_free_with_frames_out),
		cmocka_unit_test(test_frame_outlives_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
