/* SPDX-License-Identifier: MIT */
/* Next hops: asked for, answered, given up, trusted, asked again (RFC 826, RFC 1122 2.3.2). */
#include "station.h"

#include "net/host.h"
#include "net/neighbour.h"
#include "net/resolution.h"
#include "wire/text.h"

static const struct eth_addr other = {{2, 0, 0, 0, 0, 9}};

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

static void expect_request(struct station *s, struct eth_addr to, const char *target)
{
	struct arp_packet packet = station_expect_arp(s, to, ARP_REQUEST);
	struct parley_addr ours = station_addr("192.0.2.1"), asked = station_addr(target);

	assert_true(ip_equal(&packet.sender, &ours));
	assert_true(ip_equal(&packet.target, &asked));
}

static void expect_dead(struct station *s, parley_conn conn, int error)
{
	struct parley_event event;

	assert_int_equal(parley_events(s->host, &event, 1), 1);
	assert_int_equal(event.conn, conn);
	assert_true(event.bits & PARLEY_DEAD);
	assert_int_equal(event.error, error);
}

static void test_resolved(void **state)
{
	struct station *s = *state;

	station_connect(s, "192.0.2.2", 80);
	expect_request(s, station_all, "192.0.2.2");
	station_expect_nothing(s);
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", station_peer, "192.0.2.1");
	assert_int_equal(station_expect_tcp(s, station_peer).flags, TCP_SYN);
	station_expect_nothing(s);
	/* Known now: the next SYN goes at once. */
	station_connect(s, "192.0.2.2", 81);
	assert_int_equal(station_expect_tcp(s, station_peer).dst_port, 81);
}

static void test_unanswered(void **state)
{
	struct station *s = *state;
	uint64_t begin = s->now;
	parley_conn conn = station_connect(s, "192.0.2.2", 80);

	for (uint64_t i = 1; i <= NEIGHBOUR_TRIES; i++) {
		expect_request(s, station_all, "192.0.2.2");
		station_expect_nothing(s);
		assert_int_equal(parley_deadline(s->host), begin + i * NEIGHBOUR_ASK_AGAIN);
		/* Not before. */
		s->now = begin + i * NEIGHBOUR_ASK_AGAIN - 1;
		parley_expire(s->host, s->now);
		station_expect_nothing(s);
		station_wait(s, 1);
	}
	expect_dead(s, conn, PARLEY_EHOSTUNREACH);
	station_expect_nothing(s);
	assert_int_equal(parley_release_conn(s->host, s->now, conn), 0);
	/* Nothing is remembered of it: another try asks again. */
	station_connect(s, "192.0.2.2", 80);
	expect_request(s, station_all, "192.0.2.2");
}

static void test_many_wait(void **state)
{
	struct station *s = *state;

	for (uint16_t i = 0; i < 300; i++)
		station_connect(s, "192.0.2.2", (uint16_t)(1000 + i));
	expect_request(s, station_all, "192.0.2.2");
	station_expect_nothing(s);
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", station_peer, "192.0.2.1");
	for (uint16_t i = 0; i < 300; i++)
		assert_int_equal(station_expect_tcp(s, station_peer).dst_port, 1000 + i);
	station_expect_nothing(s);
}

static void test_many_fail_in_portions(void **state)
{
	struct station *s = *state;
	struct parley_event events[1000];
	int told = 0, calls = 0;

	for (uint16_t i = 0; i < 600; i++)
		station_connect(s, "192.0.2.2", (uint16_t)(1000 + i));
	for (int i = 0; i < NEIGHBOUR_TRIES; i++) {
		expect_request(s, station_all, "192.0.2.2");
		station_expect_nothing(s);
		s->now += NEIGHBOUR_ASK_AGAIN;
		if (i < NEIGHBOUR_TRIES - 1)
			parley_expire(s->host, s->now);
	}
	while (parley_deadline(s->host) <= s->now) {
		int n;

		parley_expire(s->host, s->now);
		n = parley_events(s->host, events, 1000);
		assert_in_range(n, 0, 256);
		told += n;
		calls++;
		assert_null(parley_check(s->host));
	}
	assert_int_equal(told, 600);
	assert_int_equal(calls, 3);
}

static void test_connection_leaves_while_waiting(void **state)
{
	struct station *s = *state;
	parley_conn first = station_connect(s, "192.0.2.2", 80);

	station_connect(s, "192.0.2.2", 81);
	expect_request(s, station_all, "192.0.2.2");
	station_expect_nothing(s);
	assert_int_equal(parley_release_conn(s->host, s->now, first), 0);
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", station_peer, "192.0.2.1");
	assert_int_equal(station_expect_tcp(s, station_peer).dst_port, 81);
	station_expect_nothing(s);
}

static void test_reply_waits(void **state)
{
	struct station *s = *state;

	/* Two RSTs for an unknown neighbour: the latest is kept (RFC 1122 2.3.2.2). */
	station_hear_syn(s, "192.0.2.2", 1000, 80);
	station_hear_syn(s, "192.0.2.2", 1001, 80);
	expect_request(s, station_all, "192.0.2.2");
	station_expect_nothing(s);
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", station_peer, "192.0.2.1");
	assert_int_equal(station_expect_tcp(s, station_peer).dst_port, 1001);
	station_expect_nothing(s);
	assert_int_equal(parley_drops(s->host, PARLEY_DROP_REPLY_RING_FULL), 1);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_OUT_RSTS), 1);
}

static void test_reply_given_up(void **state)
{
	struct station *s = *state;

	station_hear_syn(s, "192.0.2.2", 1000, 80);
	for (int i = 0; i < NEIGHBOUR_TRIES; i++) {
		expect_request(s, station_all, "192.0.2.2");
		station_wait(s, NEIGHBOUR_ASK_AGAIN);
	}
	station_expect_nothing(s);
	assert_int_equal(parley_drops(s->host, PARLEY_DROP_NEIGHBOUR_FAILED), 1);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_OUT_RSTS), 0);
	assert_int_equal(parley_deadline(s->host), UINT64_MAX);
}

static void test_request_for_us(void **state)
{
	struct station *s = *state;
	struct parley_addr ours = station_addr("192.0.2.1"), asker = station_addr("192.0.2.2");
	struct arp_packet packet;

	station_hear_arp(s, ARP_REQUEST, "192.0.2.2", station_peer, "192.0.2.1");
	packet = station_expect_arp(s, station_peer, ARP_REPLY);
	assert_true(ip_equal(&packet.sender, &ours));
	assert_true(ip_equal(&packet.target, &asker));
	assert_true(eth_equal(packet.target_hw, station_peer));
	station_expect_nothing(s);
	/* And who asked is known. */
	station_connect(s, "192.0.2.2", 80);
	station_expect_tcp(s, station_peer);
}

static void test_probe_for_us(void **state)
{
	struct station *s = *state;

	/* RFC 5227 2.1.1: answered, and nothing learned. */
	station_hear_arp(s, ARP_REQUEST, "0.0.0.0", station_peer, "192.0.2.1");
	station_expect_arp(s, station_peer, ARP_REPLY);
	station_expect_nothing(s);
	assert_int_equal(s->dropped, 0);
}

static void test_asker_beyond_the_link(void **state)
{
	struct station *s = *state;

	station_hear_arp(s, ARP_REQUEST, "198.51.100.1", station_peer, "192.0.2.1");
	station_expect_arp(s, station_peer, ARP_REPLY);
	assert_int_equal(parley_route_add(s->host, s->now, s->ifindex,
					  &(struct parley_addr){{[10] = 0xff, 0xff}}, 0, NULL),
			 0);
	station_connect(s, "198.51.100.1", 80);
	expect_request(s, station_all, "198.51.100.1");
}

static void test_others_business(void **state)
{
	struct station *s = *state;

	/* Gratuitous, a request for somebody else, a reply that nobody asked for. */
	station_hear_arp(s, ARP_REQUEST, "192.0.2.2", other, "192.0.2.2");
	station_expect_drop(s, PARLEY_DROP_NOT_OURS);
	station_hear_arp(s, ARP_REQUEST, "192.0.2.2", other, "192.0.2.3");
	station_expect_drop(s, PARLEY_DROP_NOT_OURS);
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", other, "192.0.2.1");
	station_expect_drop(s, PARLEY_DROP_NOT_OURS);
	station_expect_nothing(s);
	station_connect(s, "192.0.2.2", 80);
	expect_request(s, station_all, "192.0.2.2");
}

static void test_gratuitous_updates(void **state)
{
	struct station *s = *state;

	station_hear_arp(s, ARP_REQUEST, "192.0.2.2", station_peer, "192.0.2.1");
	station_expect_arp(s, station_peer, ARP_REPLY);
	station_hear_arp(s, ARP_REQUEST, "192.0.2.2", other, "192.0.2.2");
	station_expect_nothing(s);
	station_connect(s, "192.0.2.2", 80);
	station_expect_tcp(s, other);
}

static void test_address_conflict(void **state)
{
	struct station *s = *state;

	station_hear_arp(s, ARP_REQUEST, "192.0.2.1", other, "192.0.2.1");
	station_expect_drop(s, PARLEY_DROP_IP_SOURCE);
	station_expect_nothing(s);
}

static void test_malformed(void **state)
{
	struct arp_packet packet = {.operation = 3, .sender_hw = station_peer};
	struct station *s = *state;
	uint8_t bytes[64];
	size_t len;

	packet.sender = station_addr("192.0.2.2");
	packet.target = station_addr("192.0.2.1");
	len = station_arp(bytes, station_all, &packet);
	station_in(s, bytes, len);
	station_expect_drop(s, PARLEY_DROP_ARP_MALFORMED);
	station_in(s, bytes, len - 1);
	station_expect_drop(s, PARLEY_DROP_TRUNCATED);
	station_expect_nothing(s);
}

/* Takes what is owed; returns how many of the frames were ARP. */
static int drain(struct station *s)
{
	int requests = 0;

	parley_expire(s->host, s->now);
	while (station_out(s))
		requests += s->out[13] == (ETH_ARP & 0xff);
	return requests;
}

/* One of whom we have only heard is asked, by unicast, five seconds after it was used. */
static void test_revalidated(void **state)
{
	struct station *s = *state;

	station_hear_arp(s, ARP_REQUEST, "192.0.2.2", station_peer, "192.0.2.1");
	station_expect_arp(s, station_peer, ARP_REPLY);
	s->now += 10 * NEIGHBOUR_REACHABLE_TIME;
	station_connect(s, "192.0.2.2", 80);
	station_expect_tcp(s, station_peer);
	station_expect_nothing(s);
	s->now += NEIGHBOUR_DELAY_TIME - 1;
	assert_int_equal(drain(s), 0);
	s->now += 1;
	parley_expire(s->host, s->now);
	expect_request(s, station_peer, "192.0.2.2");
	station_connect(s, "192.0.2.2", 81);
	assert_int_equal(station_expect_tcp(s, station_peer).dst_port, 81);
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", other, "192.0.2.1");
	station_connect(s, "192.0.2.2", 82);
	station_expect_tcp(s, other);
	station_expect_nothing(s);
}

/* One who has answered is trusted for its time, then used for five seconds more. */
static void test_reachable(void **state)
{
	struct station *s = *state;
	uint64_t trusted;

	station_connect(s, "192.0.2.2", 80);
	expect_request(s, station_all, "192.0.2.2");
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", station_peer, "192.0.2.1");
	trusted = interface_at(s->host, s->ifindex)->neighbours.reachable;
	assert_in_range(trusted, NEIGHBOUR_REACHABLE_TIME / 2, NEIGHBOUR_REACHABLE_TIME * 3 / 2);
	s->now += trusted - 1;
	assert_int_equal(drain(s), 0);
	s->now += 1;
	station_connect(s, "192.0.2.2", 81); /* used while STALE */
	assert_int_equal(drain(s), 0);
	s->now += NEIGHBOUR_DELAY_TIME;
	assert_int_equal(drain(s), 1);
}

/*
 * MUST-20: what was sent R1 times in vain may have gone to a wrong hardware address. Whoever was
 * trusted is asked then, and when nothing answers, everybody.
 */
static void test_doubted_at_r1(void **state)
{
	struct station *s = *state;

	station_connect(s, "192.0.2.2", 80);
	expect_request(s, station_all, "192.0.2.2");
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", other, "192.0.2.1");
	station_expect_tcp(s, other);
	for (int n = 0; n < 3; n++) {
		station_wait(s, PARLEY_S(1) << n);
		station_expect_tcp(s, other);
		station_expect_nothing(s);
	}
	station_wait(s, NEIGHBOUR_DELAY_TIME);
	for (int n = 0; n < NEIGHBOUR_TRIES; n++) {
		expect_request(s, other, "192.0.2.2");
		station_expect_nothing(s);
		if (n < NEIGHBOUR_TRIES - 1)
			station_wait(s, NEIGHBOUR_ASK_AGAIN);
	}
	station_wait(s, PARLEY_S(18));
	expect_request(s, station_all, "192.0.2.2");
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", station_peer, "192.0.2.1");
	assert_int_equal(station_expect_tcp(s, station_peer).flags, TCP_SYN);
}

static void test_not_revalidated(void **state)
{
	struct station *s = *state;
	int requests = 0;

	station_hear_arp(s, ARP_REQUEST, "192.0.2.2", station_peer, "192.0.2.1");
	station_expect_arp(s, station_peer, ARP_REPLY);
	station_connect(s, "192.0.2.2", 80);
	assert_int_equal(drain(s), 0);
	s->now += NEIGHBOUR_DELAY_TIME;
	for (int i = 0; i < NEIGHBOUR_TRIES; i++) {
		requests += drain(s);
		s->now += NEIGHBOUR_ASK_AGAIN;
	}
	assert_int_equal(requests, NEIGHBOUR_TRIES);
	parley_expire(s->host, s->now);
	/* Nothing is known any more. */
	station_connect(s, "192.0.2.2", 81);
	expect_request(s, station_all, "192.0.2.2");
}

static void test_gateway(void **state)
{
	struct station *s = *state;
	struct parley_addr any = station_addr("0.0.0.0"), gateway = station_addr("192.0.2.254");

	assert_int_equal(parley_route_add(s->host, s->now, s->ifindex, &any, 0, &gateway), 0);
	station_connect(s, "198.51.100.1", 80);
	expect_request(s, station_all, "192.0.2.254");
	station_hear_arp(s, ARP_REPLY, "192.0.2.254", other, "192.0.2.1");
	assert_int_equal(station_expect_tcp(s, other).dst_port, 80);
	station_connect(s, "198.51.100.2", 80);
	station_expect_tcp(s, other);
}

#define FAR_NET 0xc6330000u /* 198.51.0.0 */

static void numbered(char out[static TEXT_ADDR_MAX], uint32_t v4)
{
	struct parley_addr addr = ip_from_v4(v4);

	text_addr(out, &addr);
}

/* Strangers who make us ask leave half of the table to our own connections. */
static void test_strangers_are_bounded(void **state)
{
	struct station *s = *state;
	char address[TEXT_ADDR_MAX];
	int requests = 0;

	for (uint32_t i = 0; i < 200; i++) {
		numbered(address, 0xc000020a + i); /* 192.0.2.10 */
		station_hear_syn(s, address, 1000, 80);
	}
	while (station_out(s))
		requests++;
	assert_int_equal(requests, NEIGHBOURS / 2);
	assert_int_equal(parley_drops(s->host, PARLEY_DROP_NEIGHBOUR_FAILED), 200 - NEIGHBOURS / 2);
	station_connect(s, "192.0.2.2", 80);
	expect_request(s, station_all, "192.0.2.2");
}

/* When every entry is being asked for, the next connection is told at once. */
static void test_table_full(void **state)
{
	struct station *s = *state;
	struct parley_addr any = station_addr("0.0.0.0");
	char address[TEXT_ADDR_MAX];
	parley_conn last = PARLEY_NO_CONN;

	assert_int_equal(parley_route_add(s->host, s->now, s->ifindex, &any, 0, NULL), 0);
	for (uint32_t i = 0; i <= NEIGHBOURS; i++) {
		numbered(address, FAR_NET + i);
		last = station_connect(s, address, 80);
	}
	for (int i = 0; i < NEIGHBOURS; i++)
		station_expect_arp(s, station_all, ARP_REQUEST);
	station_expect_nothing(s);
	expect_dead(s, last, PARLEY_EHOSTUNREACH);
	/* Answered ones make room: the one longest unused gives way. */
	for (uint32_t i = 0; i < NEIGHBOURS; i++) {
		numbered(address, FAR_NET + i);
		station_hear_arp(s, ARP_REPLY, address, station_peer, "192.0.2.1");
	}
	for (int i = 0; i < NEIGHBOURS; i++)
		station_expect_tcp(s, station_peer);
	station_connect(s, "203.0.113.1", 80);
	expect_request(s, station_all, "203.0.113.1");
	station_connect(s, "198.51.0.255", 81);
	station_expect_tcp(s, station_peer);
	station_connect(s, "198.51.0.0", 81);
	expect_request(s, station_all, "198.51.0.0");
}

static void test_interface_removed_while_waiting(void **state)
{
	struct station *s = *state;
	parley_conn conn = station_connect(s, "192.0.2.2", 80);

	expect_request(s, station_all, "192.0.2.2");
	station_expect_nothing(s);
	assert_int_equal(parley_interface_remove(s->host, s->now, s->ifindex), 0);
	expect_dead(s, conn, PARLEY_ENETUNREACH);
	assert_null(parley_check(s->host));
	assert_int_equal(parley_deadline(s->host), UINT64_MAX);
}

/* Requests are answered from a ring that is bounded. */
static void test_reply_ring(void **state)
{
	struct station *s = *state;
	int replies = 0;

	for (int i = 0; i < 40; i++)
		station_hear_arp(s, ARP_REQUEST, "192.0.2.2", station_peer, "192.0.2.1");
	while (station_out(s))
		replies++;
	assert_int_equal(replies, RESOLUTIONS);
	assert_int_equal(parley_drops(s->host, PARLEY_DROP_REPLY_RING_FULL), 40 - RESOLUTIONS);
}

/* Who asks for an address just before it is taken away must not be told that we have it. */
static void test_answer_for_an_address_removed(void **state)
{
	struct parley_addr ours = station_addr("192.0.2.1"), second = station_addr("192.0.2.7");
	struct station *s = *state;
	struct arp_packet packet;

	assert_int_equal(parley_address_add(s->host, s->now, s->ifindex, &second, 24), 0);
	station_hear_arp(s, ARP_REQUEST, "192.0.2.2", station_peer, "192.0.2.1");
	station_hear_arp(s, ARP_REQUEST, "192.0.2.2", station_peer, "192.0.2.7");
	assert_int_equal(parley_address_remove(s->host, s->now, s->ifindex, &ours), 0);
	packet = station_expect_arp(s, station_peer, ARP_REPLY);
	assert_true(ip_equal(&packet.sender, &second));
	station_expect_nothing(s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_resolved),
		CASE(test_unanswered),
		CASE(test_many_wait),
		CASE(test_many_fail_in_portions),
		CASE(test_connection_leaves_while_waiting),
		CASE(test_reply_waits),
		CASE(test_reply_given_up),
		CASE(test_request_for_us),
		CASE(test_probe_for_us),
		CASE(test_asker_beyond_the_link),
		CASE(test_others_business),
		CASE(test_gratuitous_updates),
		CASE(test_address_conflict),
		CASE(test_malformed),
		CASE(test_revalidated),
		CASE(test_reachable),
		CASE(test_doubted_at_r1),
		CASE(test_not_revalidated),
		CASE(test_gateway),
		CASE(test_strangers_are_bounded),
		CASE(test_table_full),
		CASE(test_interface_removed_while_waiting),
		CASE(test_answer_for_an_address_removed),
		CASE(test_reply_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
