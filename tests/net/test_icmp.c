/* SPDX-License-Identifier: MIT */
/* Echo requests are answered byte for byte, whatever their size (RFC 1122 3.2.2.6). */
#include "station.h"

#include "base/bytes.h"
#include "net/host.h"
#include "net/icmp.h"

static size_t ping(uint8_t *out, const char *dst, const uint8_t *data, size_t len, uint16_t number)
{
	static uint8_t message[65536];
	struct icmp_message echo = {
		.type = ICMP_ECHO,
		.id = 0xbeef,
		.number = number,
		.data = data,
		.data_len = len,
	};

	return station_ip(out, "192.0.2.2", dst, IP_ICMP, message, icmp_emit_echo(message, &echo));
}

static void expect_pong(struct station *s, const uint8_t *data, size_t len, uint16_t number)
{
	struct parley_addr ours = station_addr("192.0.2.1"), asker = station_addr("192.0.2.2");
	struct ip_packet packet;
	struct icmp_message message;

	assert_true(station_out(s));
	assert_memory_equal(s->out, station_peer.b, 6);
	assert_int_equal(get_be16(s->out + 12), ETH_IPV4);
	assert_int_equal(ipv4_parse(&packet, s->out + 14, s->out_len - 14), WIRE_OK);
	assert_int_equal(packet.header_len + packet.payload_len, s->out_len - 14);
	assert_true(ip_equal(&packet.src, &ours));
	assert_true(ip_equal(&packet.dst, &asker));
	assert_int_equal(icmp_parse(&message, packet.payload, packet.payload_len), WIRE_OK);
	assert_int_equal(message.type, ICMP_ECHO_REPLY);
	assert_int_equal(message.code, 0);
	assert_int_equal(message.id, 0xbeef);
	assert_int_equal(message.number, number);
	assert_int_equal(message.data_len, len);
	assert_memory_equal(message.data, data, len);
}

static void test_sizes(void **state)
{
	static const size_t sizes[] = {0,    1,	   2,	 56,   255,  256,  257,
				       1472, 4095, 4096, 4097, 9001, 65507};
	static uint8_t data[65536], frame[STATION_FRAME_MAX];
	static struct station s;
	uint64_t charged;

	(void)state;
	station_init(&s, PARLEY_LINK_ETHERNET, 65535);
	charged = parley_memory_charged(s.host);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t len = ping(frame, "192.0.2.1", data, sizes[i], (uint16_t)i);

		station_in(&s, frame, len);
		assert_true(parley_output_pending(s.host, s.ifindex));
		expect_pong(&s, data, sizes[i], (uint16_t)i);
		station_expect_nothing(&s);
	}
	assert_int_equal(parley_counter(s.host, PARLEY_COUNTER_ECHO_REPLIES),
			 sizeof sizes / sizeof *sizes);
	assert_int_equal(parley_memory_charged(s.host), charged);
	assert_int_equal(s.dropped, 0);
	station_free(&s);
}

/* An answer that would need fragmenting is none. */
static void test_larger_than_mtu(void **state)
{
	static uint8_t data[2000], frame[2100];
	static struct station s;

	(void)state;
	station_init(&s, PARLEY_LINK_ETHERNET, 1500);
	station_in(&s, frame, ping(frame, "192.0.2.1", data, 1473, 1));
	station_expect_nothing(&s);
	assert_int_equal(s.dropped, 1);
	station_in(&s, frame, ping(frame, "192.0.2.1", data, 1472, 1));
	expect_pong(&s, data, 1472, 1);
	station_free(&s);
}

static void test_flood(void **state)
{
	static uint8_t frame[2000];
	static struct station s;
	uint8_t data[100] = "flood";
	uint64_t charged;

	(void)state;
	station_init(&s, PARLEY_LINK_ETHERNET, 1500);
	charged = parley_memory_charged(s.host);
	for (uint16_t round = 0; round < 3; round++) {
		for (uint16_t i = 0; i < 3 * ECHOES; i++)
			station_in(&s, frame, ping(frame, "192.0.2.1", data, sizeof data, i));
		for (uint16_t i = 0; i < ECHOES; i++)
			expect_pong(&s, data, sizeof data, i);
		station_expect_nothing(&s);
	}
	assert_int_equal(parley_drops(s.host, PARLEY_DROP_REPLY_RING_FULL), 6 * ECHOES);
	assert_int_equal(parley_memory_charged(s.host), charged);
	/* And what is owed when the host goes, goes with it. */
	station_in(&s, frame, ping(frame, "192.0.2.1", data, sizeof data, 1));
	station_free(&s);
}

static void test_without_memory(void **state)
{
	static uint8_t data[1000], frame[2000];
	static struct station s;
	size_t len = ping(frame, "192.0.2.1", data, sizeof data, 1);

	(void)state;
	station_init(&s, PARLEY_LINK_ETHERNET, 1500);
	memory_fail_at(&s.host->memory, 1);
	station_in(&s, frame, len);
	station_expect_drop(&s, PARLEY_DROP_MEMORY);
	station_expect_nothing(&s);
	station_in(&s, frame, len);
	expect_pong(&s, data, sizeof data, 1);
	station_free(&s);
}

static void test_not_answered(void **state)
{
	static uint8_t frame[2000];
	static struct station s;
	uint8_t data[9] = "unwanted", message[100];
	struct icmp_message reply = {.type = ICMP_ECHO_REPLY, .data = data, .data_len = 9};
	struct ip_packet cause;
	size_t len;

	(void)state;
	station_init(&s, PARLEY_LINK_ETHERNET, 1500);
	/* To all, by IP or by Ethernet. */
	station_in(&s, frame, ping(frame, "192.0.2.255", data, 9, 1));
	station_expect_drop(&s, PARLEY_DROP_NOT_OURS);
	station_in(&s, frame, ping(frame, "255.255.255.255", data, 9, 1));
	station_expect_drop(&s, PARLEY_DROP_NOT_OURS);
	len = ping(frame, "192.0.2.1", data, 9, 1);
	memcpy(frame, station_all.b, 6);
	station_in(&s, frame, len);
	station_expect_drop(&s, PARLEY_DROP_NOT_OURS);
	/* Damaged. */
	len = ping(frame, "192.0.2.1", data, 9, 1);
	frame[len - 1] ^= 1;
	station_in(&s, frame, len);
	station_expect_drop(&s, PARLEY_DROP_ICMP_MALFORMED);
	station_in(&s, frame, station_ip(frame, "192.0.2.2", "192.0.2.1", IP_ICMP, message, 7));
	station_expect_drop(&s, PARLEY_DROP_ICMP_MALFORMED);
	/* Replies and errors. */
	len = icmp_emit_echo(message, &reply);
	station_in(&s, frame, station_ip(frame, "192.0.2.2", "192.0.2.1", IP_ICMP, message, len));
	station_expect_drop(&s, PARLEY_DROP_ICMP_IGNORED);
	len = ping(frame, "192.0.2.1", data, 9, 1);
	assert_int_equal(ipv4_parse(&cause, frame + 14, len - 14), WIRE_OK);
	len = icmp_emit_error(message, ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0, &cause);
	station_in(&s, frame, station_ip(frame, "192.0.2.2", "192.0.2.1", IP_ICMP, message, len));
	station_expect_drop(&s, PARLEY_DROP_ICMP_IGNORED);
	station_expect_nothing(&s);
	station_free(&s);
}

/* What we cannot use is told to its sender, but never about a packet to many. */
static void test_unreachable(void **state)
{
	static const struct {
		uint8_t protocol, code;
		const char *dst;
		bool told;
	} cases[] = {
		{IP_UDP, ICMP_PORT_UNREACHABLE, "192.0.2.1", true},
		{132, ICMP_PROTOCOL_UNREACHABLE, "192.0.2.1", true},
		{IP_ICMPV6, ICMP_PROTOCOL_UNREACHABLE, "192.0.2.1", true},
		{IP_UDP, 0, "192.0.2.255", false},
		{IP_UDP, 0, "255.255.255.255", false},
		{IP_UDP, 0, "224.0.0.1", false},
		{IP_UDP, 0, "192.0.2.9", false},
	};
	static struct station s;

	(void)state;
	station_init(&s, PARLEY_LINK_ETHERNET, 1500);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct icmp_message message;
		struct ip_packet packet;
		uint8_t frame[2000], data[1000] = "datagram";
		size_t len = station_ip(frame, "192.0.2.2", cases[i].dst, cases[i].protocol, data,
					sizeof data);

		station_in(&s, frame, len);
		if (!cases[i].told) {
			station_expect_nothing(&s);
			continue;
		}
		packet = station_expect_ip(&s, station_peer);
		assert_int_equal(icmp_parse(&message, packet.payload, packet.payload_len), WIRE_OK);
		assert_int_equal(message.type, ICMP_UNREACHABLE);
		assert_int_equal(message.code, cases[i].code);
		assert_int_equal(packet.payload_len, ICMP_ERROR_MAX);
		assert_memory_equal(message.data, frame + ETH_HEADER_LEN, message.data_len);
		/* The error comes back: it is not answered. */
		len = station_ip(frame, "192.0.2.2", "192.0.2.1", IP_ICMP, packet.payload,
				 packet.payload_len);
		station_in(&s, frame, len);
		station_expect_nothing(&s);
	}
	station_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_larger_than_mtu), cmocka_unit_test(test_flood),
		cmocka_unit_test(test_without_memory),	cmocka_unit_test(test_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
