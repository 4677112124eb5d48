/* SPDX-License-Identifier: MIT */
/* Frames that are not what they should be: each is dropped for its own reason, and nothing else. */
#include "station.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/rng.h"

enum { IP_AT = ETH_HEADER_LEN, TCP_AT = IP_AT + IPV4_HEADER_LEN };

static const struct segment syn = {
	.src_port = 1000,
	.dst_port = 80,
	.seq = {0xfffffffe},
	.flags = TCP_SYN,
	.wnd = 65535,
	.options = {.present = TCP_HAS_MSS | TCP_HAS_WSCALE, .mss = 1460, .wscale = 7},
};

static int setup(void **state)
{
	struct station *s = malloc(sizeof *s);

	assert_non_null(s);
	station_init(s, PARLEY_LINK_ETHERNET, 1500);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	station_free(*state);
	free(*state);
	return 0;
}

static void fix_ip_sum(uint8_t *frame)
{
	size_t len = (size_t)(frame[IP_AT] & 15) * 4;

	put_be16(frame + IP_AT + 10, 0);
	put_be16(frame + IP_AT + 10, checksum_fold(checksum_sum(frame + IP_AT, len)));
}

static void expect(struct station *s, const uint8_t *frame, size_t len, enum parley_drop reason)
{
	station_in(s, frame, len);
	station_expect_drop(s, reason);
	station_expect_nothing(s);
}

static size_t good(uint8_t *frame)
{
	return station_tcp(frame, "192.0.2.2", "192.0.2.1", &syn, NULL);
}

static void test_ethernet(void **state)
{
	struct station *s = *state;
	uint8_t frame[128];
	size_t len = good(frame);

	expect(s, frame, ETH_HEADER_LEN - 1, PARLEY_DROP_TRUNCATED);
	expect(s, frame, 0, PARLEY_DROP_TRUNCATED);
	frame[5] ^= 4;
	expect(s, frame, len, PARLEY_DROP_NOT_OURS);
	len = good(frame);
	put_be16(frame + 12, 0x88cc);
	expect(s, frame, len, PARLEY_DROP_UNKNOWN_PROTOCOL);
}

static void test_interface(void **state)
{
	struct station *s = *state;
	uint8_t frame[128];
	size_t len = good(frame);
	struct parley_rx rx = {.data = frame, .len = len, .ifindex = 9};

	assert_int_equal(parley_input(s->host, s->now, &rx, 1), 0);
	station_expect_drop(s, PARLEY_DROP_NOT_OURS);
	assert_int_equal(parley_input(s->host, s->now, &rx, -1), -PARLEY_EINVAL);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_FRAMES_IN), 1);
}

static void test_ip_header(void **state)
{
	struct station *s = *state;
	uint8_t frame[128];
	size_t len = good(frame);

	expect(s, frame, IP_AT + 19, PARLEY_DROP_TRUNCATED);
	expect(s, frame, len - 1, PARLEY_DROP_TRUNCATED);
	frame[IP_AT] = 0x55;
	expect(s, frame, len, PARLEY_DROP_IP_HEADER);
	frame[IP_AT] = 0x44;
	expect(s, frame, len, PARLEY_DROP_IP_HEADER);
	len = good(frame);
	frame[IP_AT + 8]++;
	expect(s, frame, len, PARLEY_DROP_IP_CHECKSUM);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_IN_SEGS), 0);
}

static void test_fragments(void **state)
{
	struct station *s = *state;
	uint8_t frame[128];
	size_t len = good(frame);

	put_be16(frame + IP_AT + 6, 0x2000);
	fix_ip_sum(frame);
	expect(s, frame, len, PARLEY_DROP_IP_FRAGMENT);
	put_be16(frame + IP_AT + 6, 0x0001);
	fix_ip_sum(frame);
	expect(s, frame, len, PARLEY_DROP_IP_FRAGMENT);
}

/* Puts `options` (a multiple of 4 bytes) into the IP header. */
static size_t with_options(uint8_t *frame, const uint8_t *options, size_t n)
{
	size_t len = good(frame);

	memmove(frame + TCP_AT + n, frame + TCP_AT, len - TCP_AT);
	memcpy(frame + TCP_AT, options, n);
	frame[IP_AT] = (uint8_t)(0x45 + n / 4);
	put_be16(frame + IP_AT + 2, (uint16_t)(len + n - IP_AT));
	fix_ip_sum(frame);
	return len + n;
}

/* MUST-50 */
static void test_options(void **state)
{
	static const uint8_t loose[] = {131, 7, 4, 198, 51, 100, 1, 0};
	static const uint8_t broken[] = {7, 1, 0, 0};
	static const uint8_t harmless[] = {1, 148, 4, 0, 0, 0, 0, 0};
	struct station *s = *state;
	uint8_t frame[128];

	expect(s, frame, with_options(frame, loose, sizeof loose), PARLEY_DROP_IP_SOURCE_ROUTE);
	expect(s, frame, with_options(frame, broken, sizeof broken), PARLEY_DROP_IP_HEADER);
	station_in(s, frame, with_options(frame, harmless, sizeof harmless));
	station_expect_drop(s, PARLEY_DROP_NO_CONNECTION);
}

/* MUST-63 */
static void test_sources(void **state)
{
	static const char *const bad[] = {
		"192.0.2.1", /* our own, from outside */
		"192.0.2.255", "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0",
	};
	struct station *s = *state;
	uint8_t frame[128];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect(s, frame, station_tcp(frame, bad[i], "192.0.2.1", &syn, NULL),
		       PARLEY_DROP_IP_SOURCE);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_IN_SEGS), 0);
}

/* MUST-57 */
static void test_destinations(void **state)
{
	static const char *const many[] = {"192.0.2.255", "255.255.255.255", "224.0.0.1"};
	struct station *s = *state;
	uint8_t frame[128];
	size_t len;

	for (size_t i = 0; i < sizeof many / sizeof *many; i++)
		expect(s, frame, station_tcp(frame, "192.0.2.2", many[i], &syn, NULL),
		       PARLEY_DROP_TCP_DESTINATION);
	len = good(frame);
	memcpy(frame, station_all.b, 6);
	expect(s, frame, len, PARLEY_DROP_TCP_DESTINATION);
	expect(s, frame, station_tcp(frame, "192.0.2.2", "192.0.2.3", &syn, NULL),
	       PARLEY_DROP_NOT_OURS);
}

/* What was believed of two ends counts only as long as nobody's addresses change. */
static void test_addresses_change(void **state)
{
	struct station *s = *state;
	struct parley_addr own = station_addr("192.0.2.1"), other = station_addr("192.0.2.2");
	uint8_t frame[128];
	size_t len = good(frame);

	station_hear_arp(s, ARP_REQUEST, "192.0.2.2", station_peer, "192.0.2.1");
	for (int i = 0; i < 3; i++) {
		station_in(s, frame, len);
		station_expect_drop(s, PARLEY_DROP_NO_CONNECTION);
	}
	while (station_out(s))
		;
	/* Its sender's address becomes our own. */
	assert_int_equal(parley_address_add(s->host, s->now, s->ifindex, &other, 24), 0);
	expect(s, frame, len, PARLEY_DROP_IP_SOURCE);
	assert_int_equal(parley_address_remove(s->host, s->now, s->ifindex, &other), 0);
	station_in(s, frame, len);
	station_expect_drop(s, PARLEY_DROP_NO_CONNECTION);
	while (station_out(s))
		;
	assert_int_equal(parley_address_remove(s->host, s->now, s->ifindex, &own), 0);
	expect(s, frame, len, PARLEY_DROP_NOT_OURS);
}

static void test_protocol(void **state)
{
	struct station *s = *state;
	uint8_t frame[128];
	size_t len = station_ip(frame, "192.0.2.2", "192.0.2.1", IP_UDP, "12345678", 8);

	station_in(s, frame, len);
	station_expect_drop(s, PARLEY_DROP_UNKNOWN_PROTOCOL);
	assert_true(station_out(s)); /* which its sender is told */
	station_expect_nothing(s);
}

static void test_tcp_header(void **state)
{
	struct station *s = *state;
	struct parley_addr src = station_addr("192.0.2.2"), dst = station_addr("192.0.2.1");
	uint8_t frame[128], tcp[60];
	size_t len = tcp_emit(tcp, &syn);

	expect(s, frame, station_ip(frame, "192.0.2.2", "192.0.2.1", IP_TCP, tcp, 19),
	       PARLEY_DROP_TCP_HEADER);
	tcp[12] = 0x40;
	tcp_finish_checksum(tcp, len, ip_pseudo_sum(&src, &dst, IP_TCP, (uint32_t)len), 0);
	expect(s, frame, station_ip(frame, "192.0.2.2", "192.0.2.1", IP_TCP, tcp, len),
	       PARLEY_DROP_TCP_HEADER);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_IN_SEGS), 2);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_IN_ERRS), 2);
}

/* MUST-3: no bit of the segment, nor of the pseudo-header, may be wrong. */
static void test_tcp_checksum(void **state)
{
	struct station *s = *state;
	struct segment segment = syn;
	uint8_t frame[128];
	size_t len;
	unsigned bad = 0;

	segment.text_len = 5;
	len = station_tcp(frame, "192.0.2.2", "192.0.2.1", &segment, "hello");
	for (size_t i = TCP_AT; i < len; i++) {
		for (int bit = 0; bit < 8; bit++, bad++) {
			frame[i] ^= (uint8_t)(1 << bit);
			expect(s, frame, len, PARLEY_DROP_TCP_CHECKSUM);
			frame[i] ^= (uint8_t)(1 << bit);
		}
	}
	frame[IP_AT + 15] ^= 1;
	fix_ip_sum(frame);
	expect(s, frame, len, PARLEY_DROP_TCP_CHECKSUM);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_IN_ERRS), bad + 1);
	assert_int_equal(s->drop.remote.port, 1000);
	assert_int_equal(s->drop.value[1], TCP_SYN);
	/* One that the device has verified is not verified again. */
	struct parley_rx rx = {
		.data = frame,
		.len = len,
		.ifindex = s->ifindex,
		.checksum_verified = true,
	};
	assert_int_equal(parley_input(s->host, s->now, &rx, 1), 0);
	station_expect_drop(s, PARLEY_DROP_NO_CONNECTION);
}

/* What follows the packet in a frame is Ethernet's padding. */
static void test_padding(void **state)
{
	struct station *s = *state;
	uint8_t frame[128];
	size_t len = good(frame);

	memset(frame + len, 0xee, sizeof frame - len);
	station_in(s, frame, sizeof frame);
	station_expect_drop(s, PARLEY_DROP_NO_CONNECTION);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_IN_ERRS), 0);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_IN_SEGS), 1);
}

static void test_malformed_options(void **state)
{
	struct station *s = *state;
	struct parley_addr src = station_addr("192.0.2.2"), dst = station_addr("192.0.2.1");
	uint8_t frame[128], tcp[60];
	size_t len = tcp_emit(tcp, &syn);

	tcp[TCP_HEADER_LEN + 1] = 0;
	tcp_finish_checksum(tcp, len, ip_pseudo_sum(&src, &dst, IP_TCP, (uint32_t)len), 0);
	station_in(s, frame, station_ip(frame, "192.0.2.2", "192.0.2.1", IP_TCP, tcp, len));
	station_expect_drop(s, PARLEY_DROP_NO_CONNECTION);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_OPTIONS_MALFORMED), 1);
}

static void test_raw_ip(void **state)
{
	static struct station s;
	uint8_t frame[128];
	size_t len = good(frame);

	(void)state;
	station_init(&s, PARLEY_LINK_IP, 1500);
	station_in(&s, frame + IP_AT, len - IP_AT);
	station_expect_drop(&s, PARLEY_DROP_NO_CONNECTION);
	assert_true(station_out(&s)); /* the RST, at once: there is no next hop to find */
	assert_int_equal(s.out_len, IPV4_HEADER_LEN + TCP_HEADER_LEN);
	station_in(&s, frame, 0);
	station_expect_drop(&s, PARLEY_DROP_TRUNCATED);
	/* By its version it is IPv6, and too short for that. */
	frame[IP_AT] = 0x60;
	station_in(&s, frame + IP_AT, IPV6_HEADER_LEN - 1);
	station_expect_drop(&s, PARLEY_DROP_TRUNCATED);
	frame[IP_AT] = 0x30;
	station_in(&s, frame + IP_AT, len - IP_AT);
	station_expect_drop(&s, PARLEY_DROP_IP_HEADER);
	station_free(&s);
}

/* An answer for which there is no route, or no room, is counted. */
static void test_no_way_back(void **state)
{
	struct station *s = *state;
	uint8_t frame[128];

	station_in(s, frame, station_tcp(frame, "198.51.100.1", "192.0.2.1", &syn, NULL));
	station_expect_drop(s, PARLEY_DROP_NO_CONNECTION);
	station_expect_nothing(s);
	station_expect_drop(s, PARLEY_DROP_NO_ROUTE);
}

/* The frame's bytes repaired as far as chance wants, so that the layers above get their share. */
static void repair(struct rng *r, uint8_t *frame, size_t len)
{
	struct ip_packet packet;

	if (len < TCP_AT || get_be16(frame + 12) != ETH_IPV4)
		return;
	if ((size_t)(frame[IP_AT] & 15) * 4 > len - IP_AT)
		return;
	if (rng_chance(r, 900000))
		put_be16(frame + IP_AT + 2, (uint16_t)(len - IP_AT));
	if (rng_chance(r, 950000))
		fix_ip_sum(frame);
	if (ipv4_parse(&packet, frame + IP_AT, len - IP_AT) != WIRE_OK)
		return;
	if (packet.protocol == IP_TCP && packet.payload_len >= TCP_HEADER_LEN) {
		uint64_t sum = ip_pseudo_sum(&packet.src, &packet.dst, IP_TCP,
					     (uint32_t)packet.payload_len);
		uint8_t *tcp = frame + IP_AT + packet.header_len;

		put_be16(tcp + 16, 0);
		sum = checksum_combine(sum, checksum_sum(tcp, packet.payload_len));
		put_be16(tcp + 16, checksum_fold(sum));
	}
}

static size_t random_frame(struct rng *r, uint8_t *frame)
{
	struct segment segment = {
		.src_port = (uint16_t)(1000 + rng_below(r, 4)),
		.dst_port = (uint16_t)(80 + rng_below(r, 3)),
		.seq = seq((uint32_t)(0xffffff00 + rng_below(r, 512))),
		.ack = seq((uint32_t)rng_next(r)),
		.flags = (uint16_t)rng_below(r, 512),
		.wnd = (uint16_t)rng_next(r),
		.text_len = (uint32_t)rng_below(r, 64),
	};
	uint8_t text[64] = "text";
	size_t len;

	if (rng_chance(r, 50000)) {
		struct arp_packet packet = {
			.operation = (uint16_t)(1 + rng_below(r, 2)),
			.sender_hw = station_peer,
			.sender = ip_from_v4(0xc0000200 + (uint32_t)rng_below(r, 8)),
			.target = ip_from_v4(0xc0000200 + (uint32_t)rng_below(r, 8)),
		};

		len = station_arp(frame, station_all, &packet);
	} else {
		len = station_tcp(frame, "192.0.2.2", "192.0.2.1", &segment, text);
	}
	if (rng_chance(r, 500000)) {
		for (uint64_t n = rng_below(r, 4); n > 0; n--)
			frame[rng_below(r, len)] = (uint8_t)rng_next(r);
		if (rng_chance(r, 200000))
			len = rng_below(r, len + 1);
		repair(r, frame, len);
	}
	return len;
}

static void drain(struct station *s)
{
	struct parley_frame frames[16];
	struct parley_event events[16];
	int n;

	while ((n = parley_output(s->host, s->ifindex, s->now, frames, 16)) > 0)
		parley_release(s->host, frames, n);
	while (parley_events(s->host, events, 16) > 0)
		continue;
}

/* Whatever comes, all invariants hold, and memory stays bounded. */
static void test_random(void **state)
{
	enum { FRAMES = 100000, BATCH = 64 };
	struct station *s = *state;
	struct parley_open open = {.size = sizeof open, .local.port = 80, .backlog = 4};
	struct parley_addr peer = station_addr("192.0.2.2");
	struct rng r = rng(1, 1);
	static uint8_t bytes[BATCH][256];
	parley_conn conn;

	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), 0);
	open.local.port = 81;
	assert_int_equal(parley_open_passive(s->host, s->now, &open, &conn), 0);
	open.local.port = 82;
	open.remote.addr = peer;
	open.remote.port = 1000;
	assert_int_equal(parley_connect(s->host, s->now, &open, &conn), 0);
	for (int i = 0; i < FRAMES; i += BATCH) {
		struct parley_rx rx[BATCH];
		const char *broken;

		for (int k = 0; k < BATCH; k++) {
			size_t len = random_frame(&r, bytes[k]);

			rx[k] = (struct parley_rx){
				.data = bytes[k], .len = len, .ifindex = s->ifindex};
		}
		assert_int_equal(parley_input(s->host, s->now, rx, BATCH), 0);
		s->now += rng_below(&r, STATION_S(1));
		parley_expire(s->host, s->now);
		drain(s);
		broken = parley_check(s->host);
		if (broken)
			fail_msg("after frame %d: %s", i, broken);
	}
	assert_in_range(parley_memory_charged(s->host), 0, 4 << 20);
	assert_true(parley_counter(s->host, PARLEY_COUNTER_PASSIVE_OPENS) > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_ethernet),	       CASE(test_interface),	    CASE(test_ip_header),
		CASE(test_fragments),	       CASE(test_options),	    CASE(test_sources),
		CASE(test_destinations),       CASE(test_addresses_change), CASE(test_protocol),
		CASE(test_tcp_header),	       CASE(test_tcp_checksum),	    CASE(test_padding),
		CASE(test_malformed_options),  CASE(test_no_way_back),	    CASE(test_random),
		cmocka_unit_test(test_raw_ip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
