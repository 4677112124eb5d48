/* SPDX-License-Identifier: MIT */
/* IPv6 packets on their way up: each reason for dropping one, and what its sender is told. */
#include "station.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/rng.h"
#include "net/icmp.h"
#include "wire/icmpv6.h"
#include "wire/nd.h"

enum { IP_AT = ETH_HEADER_LEN, NEXT_AT = IP_AT + IPV6_HEADER_LEN };

static const char peer[] = "2001:db8::2", ours[] = "2001:db8::1";

static const struct segment syn = {.src_port = 1000, .dst_port = 80, .flags = TCP_SYN};

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

static size_t good(uint8_t *frame)
{
	return station_tcp(frame, peer, ours, &syn, NULL);
}

static void expect(struct station *s, const uint8_t *frame, size_t len, enum parley_drop reason)
{
	station_in(s, frame, len);
	station_expect_drop(s, reason);
}

/* A header of n bytes between the IPv6 header and what follows it. */
static size_t with_header(uint8_t *frame, uint8_t type, const uint8_t *header, size_t n)
{
	size_t len = good(frame);

	memmove(frame + NEXT_AT + n, frame + NEXT_AT, len - NEXT_AT);
	memcpy(frame + NEXT_AT, header, n);
	frame[NEXT_AT] = frame[IP_AT + 6];
	frame[IP_AT + 6] = type;
	put_be16(frame + IP_AT + 4, (uint16_t)(len + n - NEXT_AT));
	return len + n;
}

/* The next frame tells the peer about the frame that was sent in. */
static struct icmp_message expect_told(struct station *s, const uint8_t *frame, uint8_t type,
				       uint8_t code)
{
	struct parley_addr from = station_addr(ours), to = station_addr(peer);
	struct ip_packet packet = station_expect_ip(s, station_peer);
	struct icmp_message message;

	assert_int_equal(packet.protocol, IP_ICMPV6);
	assert_true(ip_equal(&packet.src, &from) && ip_equal(&packet.dst, &to));
	assert_int_equal(icmpv6_parse(&message, &packet), WIRE_OK);
	assert_int_equal(message.type, type);
	assert_int_equal(message.code, code);
	assert_memory_equal(message.data, frame + IP_AT, message.data_len);
	station_expect_nothing(s);
	return message;
}

static void test_header(void **state)
{
	struct station *s = *state;
	uint8_t frame[128];
	size_t len = good(frame);

	expect(s, frame, IP_AT + 39, PARLEY_DROP_TRUNCATED);
	expect(s, frame, len - 1, PARLEY_DROP_TRUNCATED);
	frame[IP_AT] = 0x45;
	expect(s, frame, len, PARLEY_DROP_IP_HEADER);
	station_expect_nothing(s);
}

static void test_sources(void **state)
{
	static const char *const bad[] = {"::1", "ff02::1", "::", "2001:db8::1"};
	struct station *s = *state;
	uint8_t frame[128];
	size_t len;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect(s, frame, station_tcp(frame, bad[i], ours, &syn, NULL),
		       PARLEY_DROP_IP_SOURCE);
	/* IPv4 in disguise, either way. */
	len = good(frame);
	memcpy(frame + IP_AT + 8, station_addr("192.0.2.2").b, 16);
	expect(s, frame, len, PARLEY_DROP_IP_SOURCE);
	len = good(frame);
	memcpy(frame + IP_AT + 24, station_addr("192.0.2.1").b, 16);
	expect(s, frame, len, PARLEY_DROP_IP_SOURCE);
	station_expect_nothing(s);
}

static void test_destinations(void **state)
{
	struct station *s = *state;
	uint8_t frame[128];
	size_t len;

	expect(s, frame, station_tcp(frame, peer, "ff02::1", &syn, NULL),
	       PARLEY_DROP_TCP_DESTINATION);
	expect(s, frame, station_tcp(frame, peer, "2001:db8::3", &syn, NULL), PARLEY_DROP_NOT_OURS);
	expect(s, frame, station_tcp(frame, peer, "::1", &syn, NULL), PARLEY_DROP_NOT_OURS);
	len = good(frame);
	memcpy(frame, station_all.b, 6);
	expect(s, frame, len, PARLEY_DROP_TCP_DESTINATION);
	station_expect_nothing(s);
}

static void test_extensions(void **state)
{
	static const uint8_t pad[8] = {0, 0, 1, 4}, fragment[8] = {0, 0, 0, 1, 0, 0, 0, 9};
	static const uint8_t atomic[8] = {0, 0, 0, 0, 0, 0, 0, 9}, routing[8] = {0, 0, 0, 1};
	struct station *s = *state;
	uint8_t frame[256];

	expect(s, frame, with_header(frame, 60, pad, 8), PARLEY_DROP_NO_CONNECTION);
	expect(s, frame, with_header(frame, 44, atomic, 8), PARLEY_DROP_NO_CONNECTION);
	expect(s, frame, with_header(frame, 44, fragment, 8), PARLEY_DROP_IP_FRAGMENT);
	while (station_out(s))
		continue; /* one question for the way of the RSTs */
	s->dropped = 0;	  /* of the two RSTs one is kept */
	expect(s, frame, with_header(frame, 43, routing, 8), PARLEY_DROP_IP_SOURCE_ROUTE);
	assert_int_equal(get_be32(expect_told(s, frame, ICMPV6_PARAMETER_PROBLEM, 0).data - 4),
			 IPV6_HEADER_LEN + 2);
}

static void test_options(void **state)
{
	struct station *s = *state;
	uint8_t frame[256], header[8] = {0, 0, 0, 0, 2};
	size_t len;

	for (unsigned action = 1; action < 4; action++) {
		header[3] = (uint8_t)(action << 6 | 0x1e);
		expect(s, frame, with_header(frame, 60, header, 8), PARLEY_DROP_IP_HEADER);
		if (action == 1) {
			station_expect_nothing(s);
			continue;
		}
		assert_int_equal(
			get_be32(expect_told(s, frame, ICMPV6_PARAMETER_PROBLEM, 2).data - 4),
			IPV6_HEADER_LEN + 3);
	}
	/* To a group: only if the option wants even that told. */
	for (unsigned action = 2; action < 4; action++) {
		header[3] = (uint8_t)(action << 6 | 0x1e);
		len = with_header(frame, 60, header, 8);
		memcpy(frame + IP_AT + 24, station_addr("ff02::1").b, 16);
		put_be16(frame, 0x3333);
		put_be32(frame + 2, 1);
		expect(s, frame, len, PARLEY_DROP_IP_HEADER);
		if (action == 2)
			expect_told(s, frame, ICMPV6_PARAMETER_PROBLEM, 2);
		station_expect_nothing(s);
	}
}

static void test_protocols(void **state)
{
	struct station *s = *state;
	uint8_t frame[128];
	size_t len = station_ip(frame, peer, ours, IP_UDP, "12345678", 8);

	expect(s, frame, len, PARLEY_DROP_UNKNOWN_PROTOCOL);
	expect_told(s, frame, ICMPV6_UNREACHABLE, ICMPV6_PORT_UNREACHABLE);
	len = station_ip(frame, peer, ours, 132, "12345678", 8);
	expect(s, frame, len, PARLEY_DROP_UNKNOWN_PROTOCOL);
	assert_int_equal(get_be32(expect_told(s, frame, ICMPV6_PARAMETER_PROBLEM, 1).data - 4), 6);
	/* IPv4's ICMP is none here; and with no next header there is nothing to tell. */
	len = station_ip(frame, peer, ours, IP_ICMP, "\x08\0\0\0\0\0\0\0", 8);
	expect(s, frame, len, PARLEY_DROP_UNKNOWN_PROTOCOL);
	expect_told(s, frame, ICMPV6_PARAMETER_PROBLEM, 1);
	len = station_ip(frame, peer, ours, IP_NO_NEXT, "", 0);
	expect(s, frame, len, PARLEY_DROP_UNKNOWN_PROTOCOL);
	station_expect_nothing(s);
	/* Nor is anybody told about UDP to all. */
	len = station_ip(frame, peer, "ff02::1", IP_UDP, "12345678", 8);
	expect(s, frame, len, PARLEY_DROP_NOT_OURS);
	station_expect_nothing(s);
}

/* Errors are few, however many packets ask for them (RFC 4443 2.4 f). */
static void test_rate(void **state)
{
	struct station *s = *state;
	uint8_t frame[128];
	size_t len = station_ip(frame, peer, ours, IP_UDP, "12345678", 8);
	int told = 0;

	for (int i = 0; i < 100; i++) {
		station_in(s, frame, len);
		told += station_out(s);
	}
	assert_int_equal(told, 10);
	for (int i = 0; i < 100; i++) {
		s->now += ICMP_INTERVAL / 2;
		station_in(s, frame, len);
		told += station_out(s);
	}
	assert_int_equal(told, 10 + 50);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_ICMP_OUT), 60);
}

static size_t ping(uint8_t *frame, const char *dst, const uint8_t *data, size_t len)
{
	static uint8_t bytes[65536];
	struct parley_addr from = station_addr(peer), to = station_addr(dst);

	memset(bytes, 0, 8);
	bytes[0] = ICMPV6_ECHO;
	put_be32(bytes + 4, 0xbeef0007);
	memcpy(bytes + 8, data, len);
	icmpv6_finish(bytes, 8 + len, &from, &to);
	return station_ip(frame, peer, dst, IP_ICMPV6, bytes, 8 + len);
}

static void test_echo(void **state)
{
	static const size_t sizes[] = {0, 1, 56, 257, 1452};
	struct station *s = *state;
	uint8_t data[2000], frame[2100];
	size_t len;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct ip_packet packet;
		struct icmp_message message;

		station_in(s, frame, ping(frame, ours, data, sizes[i]));
		packet = station_expect_ip(s, station_peer);
		assert_int_equal(icmpv6_parse(&message, &packet), WIRE_OK);
		assert_int_equal(message.type, ICMPV6_ECHO_REPLY);
		assert_int_equal(message.id, 0xbeef);
		assert_int_equal(message.number, 7);
		assert_int_equal(message.data_len, sizes[i]);
		assert_memory_equal(message.data, data, sizes[i]);
		station_expect_nothing(s);
	}
	expect(s, frame, ping(frame, ours, data, 1453), PARLEY_DROP_REPLY_RING_FULL);
	expect(s, frame, ping(frame, "ff02::1", data, 10), PARLEY_DROP_ICMP_IGNORED);
	len = ping(frame, ours, data, 10);
	frame[len - 1] ^= 1;
	expect(s, frame, len, PARLEY_DROP_ICMP_MALFORMED);
}

/* A port nobody listens on, asked by ICMP: our own SYN is refused (RFC 1122 4.2.3.9). */
static void test_error_to_connection(void **state)
{
	struct station *s = *state;
	struct parley_event event;
	struct parley_addr from = station_addr(peer), to = station_addr(ours);
	uint8_t frame[256], bytes[128] = {ICMPV6_UNREACHABLE, ICMPV6_PORT_UNREACHABLE};
	struct nd_message message = {.type = ICMPV6_NEIGHBOUR_SOLICITATION, .has_mac = true};
	size_t len;

	message.target = to;
	message.mac = station_peer;
	len = nd_emit(bytes + 64, &message, &from, &to);
	len = station_ip(frame, peer, ours, IP_ICMPV6, bytes + 64, len);
	frame[IP_AT + 7] = ND_HOP_LIMIT;
	station_in(s, frame, len);
	assert_true(station_out(s));
	station_connect(s, peer, 80);
	station_expect_tcp(s, station_peer);
	memcpy(bytes + 8, s->out + IP_AT, 60);
	icmpv6_finish(bytes, 68, &from, &to);
	/* With another number it says nothing. */
	bytes[8 + 40 + 4] ^= 1;
	icmpv6_finish(bytes, 68, &from, &to);
	station_in(s, frame, station_ip(frame, peer, ours, IP_ICMPV6, bytes, 68));
	assert_int_equal(parley_events(s->host, &event, 1), 0);
	bytes[8 + 40 + 4] ^= 1;
	icmpv6_finish(bytes, 68, &from, &to);
	station_in(s, frame, station_ip(frame, peer, ours, IP_ICMPV6, bytes, 68));
	assert_int_equal(parley_events(s->host, &event, 1), 1);
	assert_true(event.bits & PARLEY_DEAD);
	assert_int_equal(event.error, PARLEY_ECONNREFUSED);
	/* About no connection it is ignored, and never answered. */
	station_in(s, frame, station_ip(frame, peer, ours, IP_ICMPV6, bytes, 68));
	station_expect_drop(s, PARLEY_DROP_ICMP_IGNORED);
	station_expect_nothing(s);
}

/* Sets right what would otherwise end the parsing early. */
static void repair(uint8_t *frame, size_t len)
{
	struct parley_addr src, dst;
	uint64_t pseudo;
	size_t n = len - NEXT_AT;

	put_be16(frame + IP_AT + 4, (uint16_t)n);
	memcpy(src.b, frame + IP_AT + 8, 16);
	memcpy(dst.b, frame + IP_AT + 24, 16);
	if (frame[IP_AT + 6] == IP_ICMPV6 && n >= 8)
		icmpv6_finish(frame + NEXT_AT, n, &src, &dst);
	if (frame[IP_AT + 6] != IP_TCP || n < TCP_HEADER_LEN)
		return;
	pseudo = ip_pseudo_sum(&src, &dst, IP_TCP, (uint32_t)n);
	put_be16(frame + NEXT_AT + 16, 0);
	put_be16(frame + NEXT_AT + 16,
		 checksum_fold(checksum_combine(pseudo, checksum_sum(frame + NEXT_AT, n))));
}

static size_t random_frame(struct rng *r, uint8_t *frame)
{
	static const uint8_t types[] = {0, 6, 17, 43, 44, 58, 58, 58, 59, 60};
	static const uint8_t kinds[] = {1, 2, 3, 4, 128, 129, 133, 134, 135, 136, 137};
	static const char *const groups[] = {"ff02::1", "ff02::1:ff00:1"};
	size_t len = NEXT_AT + 8 + rng_below(r, 120);
	uint8_t *next = frame + NEXT_AT;

	good(frame);
	for (uint8_t *at = next; at < frame + len; at++)
		*at = rng_chance(r, 300000) ? (uint8_t)rng_next(r) : (uint8_t)rng_below(r, 4);
	frame[IP_AT + 6] = types[rng_below(r, sizeof types)];
	frame[IP_AT + 7] = rng_chance(r, 800000) ? 255 : 64;
	if (rng_chance(r, 300000)) {
		memcpy(frame + IP_AT + 24, station_addr(groups[rng_below(r, 2)]).b, 16);
		put_be16(frame, 0x3333);
	}
	if (rng_chance(r, 200000))
		memcpy(frame + IP_AT + 8, station_addr(rng_chance(r, 500000) ? "::" : "fe80::9").b,
		       16);
	if (frame[IP_AT + 6] == IP_ICMPV6) {
		next[0] = kinds[rng_below(r, sizeof kinds)];
		next[1] = (uint8_t)rng_below(r, 2);
		if (rng_chance(r, 500000) && len > NEXT_AT + 24)
			memcpy(next + 8, station_addr(rng_chance(r, 500000) ? ours : peer).b, 16);
		if (next[0] < 5 && len > NEXT_AT + 60) {
			good(next); /* something like a quotation */
			memmove(next + 8, next + IP_AT, 60);
		}
	}
	repair(frame, len);
	return rng_chance(r, 50000) ? rng_below(r, len + 1) : len;
}

/* 100,000 frames of all kinds, and time passing: the invariants hold, and nothing is kept. */
static void test_random(void **state)
{
	enum { FRAMES = 100000 };
	struct station *s = *state;
	struct parley_open open = {.size = sizeof open, .local.port = 80, .backlog = 4};
	struct rng r = rng(8200, 1);
	uint8_t frame[512];
	parley_conn conn;
	uint64_t charged;

	parley_set(s->host, s->now, PARLEY_NO_CONN, PARLEY_SET_AUTOCONF, 2);
	parley_set(s->host, s->now, PARLEY_NO_CONN, PARLEY_SET_DAD, 1);
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), 0);
	charged = parley_memory_charged(s->host);
	for (int i = 0; i < FRAMES; i++) {
		struct parley_rx rx = {.ifindex = s->ifindex, .len = random_frame(&r, frame)};
		void *copy = malloc(rx.len ? rx.len : 1);

		assert_non_null(copy);
		memcpy(copy, frame, rx.len);
		rx.data = copy;
		assert_int_equal(parley_input(s->host, s->now, &rx, 1), 0);
		free(copy);
		if (i % 64)
			continue;
		assert_null(parley_check(s->host));
		while (station_out(s))
			continue;
		s->now += 10000000;
		parley_expire(s->host, s->now);
	}
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_MUST_FAILED), 0);
	assert_true(parley_memory_charged(s->host) < charged + (1u << 20));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_header),     CASE(test_sources), CASE(test_destinations),
		CASE(test_extensions), CASE(test_options), CASE(test_protocols),
		CASE(test_rate),       CASE(test_echo),	   CASE(test_error_to_connection),
		CASE(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
