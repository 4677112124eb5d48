/* SPDX-License-Identifier: MIT */
/* Neighbour discovery, duplicate address detection and what routers say, frame by frame. */
#include "station.h"

#include "base/bytes.h"
#include "net/autoconf.h"
#include "net/host.h"
#include "wire/icmpv6.h"
#include "wire/nd.h"

static const struct eth_addr other = {{2, 0, 0, 0, 0, 9}};

static int setup(void **state)
{
	struct station *s = malloc(sizeof *s);

	assert_non_null(s);
	station_init(s, PARLEY_LINK_ETHERNET, 1500);
	*state = s;
	return 0;
}

static int setup_v6(void **state)
{
	setup(state);
	station_add_v6(*state);
	return 0;
}

static int teardown(void **state)
{
	station_free(*state);
	free(*state);
	return 0;
}

static struct interface *eth0(const struct station *s)
{
	return interface_at(s->host, s->ifindex);
}

/* A discovery message arrives. */
static void hear(struct station *s, const char *src, const char *dst,
		 const struct nd_message *message)
{
	struct parley_addr from = station_addr(src), to = station_addr(dst);
	uint8_t bytes[ND_MAX], frame[256];
	size_t len = nd_emit(bytes, message, &from, &to);

	len = station_ip(frame, src, dst, IP_ICMPV6, bytes, len);
	frame[ETH_HEADER_LEN + 7] = ND_HOP_LIMIT;
	station_in(s, frame, len);
}

static struct nd_message about(uint8_t type, const char *target, const struct eth_addr *mac)
{
	struct nd_message message = {.type = type, .has_mac = mac};

	if (mac)
		message.mac = *mac;
	if (target)
		message.target = station_addr(target);
	return message;
}

static void hear_solicitation(struct station *s, const char *src, const char *target)
{
	struct nd_message message = about(ICMPV6_NEIGHBOUR_SOLICITATION, target, &station_peer);

	hear(s, src, "ff02::1:ff00:1", &message);
}

static void hear_advertisement(struct station *s, const char *target, struct eth_addr mac,
			       bool solicited, bool override)
{
	struct nd_message message = about(ICMPV6_NEIGHBOUR_ADVERTISEMENT, target, &mac);

	message.solicited = solicited;
	message.override = override;
	hear(s, target, "2001:db8::1", &message);
}

/* The next frame is this discovery message, to this station or the group's. */
static struct ip_packet expect(struct station *s, struct eth_addr to, uint8_t type,
			       struct nd_message *message)
{
	struct ip_packet packet = station_expect_ip(s, to);
	struct icmp_message icmp;

	assert_int_equal(packet.protocol, IP_ICMPV6);
	assert_int_equal(icmpv6_parse(&icmp, &packet), WIRE_OK);
	assert_int_equal(nd_parse(message, &packet), WIRE_OK);
	assert_int_equal(message->type, type);
	return packet;
}

static const struct eth_addr group_2 = {{0x33, 0x33, 0xff, 0, 0, 2}};
static const struct eth_addr all_nodes = {{0x33, 0x33, 0, 0, 0, 1}};

static struct nd_message expect_solicitation(struct station *s, struct eth_addr to,
					     const char *target)
{
	struct parley_addr asked = station_addr(target), ours = station_addr("2001:db8::1");
	struct nd_message message;
	struct ip_packet packet = expect(s, to, ICMPV6_NEIGHBOUR_SOLICITATION, &message);

	assert_true(ip_equal(&message.target, &asked));
	assert_true(ip_equal(&packet.src, &ours));
	assert_true(message.has_mac && eth_equal(message.mac, station_mac));
	return message;
}

static enum neighbour_state state_of(struct station *s, const char *addr)
{
	struct parley_addr wanted = station_addr(addr);
	struct neighbour *neighbour = neighbour_find(s->host, eth0(s), &wanted);

	return neighbour ? neighbour->state : NEIGHBOUR_FREE;
}

static void test_resolved(void **state)
{
	struct station *s = *state;

	station_connect(s, "2001:db8::2", 80);
	expect_solicitation(s, group_2, "2001:db8::2");
	station_expect_nothing(s);
	assert_int_equal(state_of(s, "2001:db8::2"), NEIGHBOUR_INCOMPLETE);
	hear_advertisement(s, "2001:db8::2", station_peer, true, true);
	assert_int_equal(state_of(s, "2001:db8::2"), NEIGHBOUR_REACHABLE);
	assert_int_equal(station_expect_tcp(s, station_peer).options.mss, 1440);
	station_expect_nothing(s);
}

static void test_unanswered(void **state)
{
	struct station *s = *state;
	struct parley_event event;

	station_connect(s, "2001:db8::2", 80);
	for (int i = 0; i < NEIGHBOUR_TRIES; i++) {
		expect_solicitation(s, group_2, "2001:db8::2");
		station_wait(s, NEIGHBOUR_ASK_AGAIN);
	}
	station_expect_nothing(s);
	assert_int_equal(parley_events(s->host, &event, 1), 1);
	assert_int_equal(event.error, PARLEY_EHOSTUNREACH);
	assert_int_equal(state_of(s, "2001:db8::2"), NEIGHBOUR_FREE);
}

/* INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, and gone (RFC 4861 7.3.2). */
static void test_states(void **state)
{
	struct station *s = *state;

	station_connect(s, "2001:db8::2", 80);
	expect_solicitation(s, group_2, "2001:db8::2");
	hear_advertisement(s, "2001:db8::2", station_peer, true, true);
	station_expect_tcp(s, station_peer);
	s->now += eth0(s)->neighbours.reachable;
	station_connect(s, "2001:db8::2", 81);
	while (station_out(s))
		continue;
	assert_int_equal(state_of(s, "2001:db8::2"), NEIGHBOUR_DELAY);
	s->now += NEIGHBOUR_DELAY_TIME;
	parley_expire(s->host, s->now);
	assert_int_equal(state_of(s, "2001:db8::2"), NEIGHBOUR_PROBE);
	for (int i = 0; i < NEIGHBOUR_TRIES; i++) {
		expect_solicitation(s, station_peer, "2001:db8::2");
		while (station_out(s))
			continue;
		s->now += NEIGHBOUR_ASK_AGAIN;
		parley_expire(s->host, s->now);
	}
	while (station_out(s))
		assert_memory_equal(s->out, group_2.b, 6);
}

/* The table of RFC 4861 7.2.5 and appendix C for advertisements. */
static void test_advertisements(void **state)
{
	static const struct {
		bool solicited, override, same;
		enum neighbour_state then;
		bool changed;
	} cases[] = {
		{true, true, false, NEIGHBOUR_REACHABLE, true},
		{true, false, true, NEIGHBOUR_REACHABLE, false},
		{true, false, false, NEIGHBOUR_STALE, false},
		{false, false, false, NEIGHBOUR_STALE, false},
		{false, false, true, NEIGHBOUR_REACHABLE, false},
		{false, true, true, NEIGHBOUR_REACHABLE, false},
		{false, true, false, NEIGHBOUR_STALE, true},
	};
	struct station *s = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct parley_addr addr = station_addr("2001:db8::2");
		struct neighbour *neighbour;

		if (i == 0) {
			station_connect(s, "2001:db8::2", 80);
			expect_solicitation(s, group_2, "2001:db8::2");
		}
		hear_advertisement(s, "2001:db8::2", station_peer, true, true);
		hear_advertisement(s, "2001:db8::2", cases[i].same ? station_peer : other,
				   cases[i].solicited, cases[i].override);
		neighbour = neighbour_find(s->host, eth0(s), &addr);
		assert_int_equal(neighbour->state, cases[i].then);
		assert_int_equal(eth_equal(neighbour->mac, other), cases[i].changed);
	}
	/* One that nobody asked for makes no entry. */
	hear_advertisement(s, "2001:db8::77", other, true, true);
	station_expect_drop(s, PARLEY_DROP_NOT_OURS);
	assert_int_equal(state_of(s, "2001:db8::77"), NEIGHBOUR_FREE);
}

static void test_solicited(void **state)
{
	struct parley_addr ours = station_addr("2001:db8::1");
	struct station *s = *state;
	struct nd_message message;
	struct ip_packet packet;

	hear_solicitation(s, "2001:db8::2", "2001:db8::1");
	packet = expect(s, station_peer, ICMPV6_NEIGHBOUR_ADVERTISEMENT, &message);
	assert_true(message.solicited && message.override && !message.from_router);
	assert_true(ip_equal(&packet.src, &ours) && ip_equal(&message.target, &ours));
	assert_int_equal(state_of(s, "2001:db8::2"), NEIGHBOUR_STALE);
	station_connect(s, "2001:db8::2", 80);
	station_expect_tcp(s, station_peer);
	/* About somebody else it is not for us, though the group is the same. */
	hear_solicitation(s, "2001:db8::2", "2001:db8:1::1");
	station_expect_drop(s, PARLEY_DROP_NOT_OURS);
	station_expect_nothing(s);
}

/* Somebody probes for an address that we use: all are told (RFC 4861 7.2.4). */
static void test_defended(void **state)
{
	struct nd_message message = about(ICMPV6_NEIGHBOUR_SOLICITATION, "2001:db8::1", NULL);
	struct station *s = *state;
	struct ip_packet packet;

	hear(s, "::", "ff02::1:ff00:1", &message);
	packet = expect(s, all_nodes, ICMPV6_NEIGHBOUR_ADVERTISEMENT, &message);
	assert_true(ip_equal(&packet.dst, &ip_all_nodes));
	assert_false(message.solicited);
	assert_true(message.has_mac && eth_equal(message.mac, station_mac));
}

/* Progress of a connection keeps a neighbour REACHABLE without a question (RFC 4861 7.3.1). */
static void test_progress_confirms(void **state)
{
	struct segment syn_ack = {.src_port = 80, .flags = TCP_SYN | TCP_ACK, .wnd = 1000};
	struct station *s = *state;
	struct segment syn;
	uint8_t frame[128];

	hear_solicitation(s, "2001:db8::2", "2001:db8::1");
	assert_true(station_out(s));
	station_connect(s, "2001:db8::2", 80);
	syn = station_expect_tcp(s, station_peer);
	assert_int_equal(state_of(s, "2001:db8::2"), NEIGHBOUR_DELAY);
	syn_ack.dst_port = syn.src_port;
	syn_ack.ack = seq_add(syn.seq, 1);
	station_in(s, frame, station_tcp(frame, "2001:db8::2", "2001:db8::1", &syn_ack, NULL));
	station_expect_tcp(s, station_peer);
	assert_int_equal(state_of(s, "2001:db8::2"), NEIGHBOUR_REACHABLE);
}

static void test_malformed(void **state)
{
	struct nd_message message = about(ICMPV6_NEIGHBOUR_SOLICITATION, "2001:db8::1", NULL);
	struct parley_addr from = station_addr("2001:db8::2"), to = station_addr("2001:db8::1");
	struct station *s = *state;
	uint8_t bytes[ND_MAX], frame[256];
	size_t len = nd_emit(bytes, &message, &from, &to);

	/* A hop limit below 255: it comes through a router. */
	len = station_ip(frame, "2001:db8::2", "2001:db8::1", IP_ICMPV6, bytes, len);
	station_in(s, frame, len);
	station_expect_drop(s, PARLEY_DROP_ICMP_MALFORMED);
	frame[len - 1] ^= 1;
	station_in(s, frame, len);
	station_expect_drop(s, PARLEY_DROP_ICMP_MALFORMED);
	message.type = ICMPV6_ROUTER_SOLICITATION;
	hear(s, "2001:db8::2", "2001:db8::1", &message);
	station_expect_drop(s, PARLEY_DROP_ICMP_IGNORED);
	/* Not in our groups. */
	message = about(ICMPV6_NEIGHBOUR_SOLICITATION, "2001:db8::7", NULL);
	hear(s, "2001:db8::2", "ff02::1:ff00:7", &message);
	station_expect_drop(s, PARLEY_DROP_NOT_OURS);
	station_expect_nothing(s);
}

/* Adds an address with detection on, and takes the probe for it. */
static void add_tentative(struct station *s, struct nd_message *probe)
{
	struct parley_addr addr = station_addr("2001:db8::1");
	struct ip_packet packet;

	parley_set(s->host, s->now, PARLEY_NO_CONN, PARLEY_SET_AUTOCONF, 0);
	assert_int_equal(parley_address_add(s->host, s->now, s->ifindex, &addr, 64), 0);
	packet = expect(s, (struct eth_addr){{0x33, 0x33, 0xff, 0, 0, 1}},
			ICMPV6_NEIGHBOUR_SOLICITATION, probe);
	assert_true(ip_is_unspecified(&packet.src) && !probe->has_mac);
	assert_true(ip_equal(&probe->target, &addr));
	station_expect_nothing(s);
}

static int try_connect(struct station *s)
{
	struct parley_open open = {.size = sizeof open, .remote.port = 80};
	parley_conn conn;

	open.remote.addr = station_addr("2001:db8::2");
	return parley_connect(s->host, s->now, &open, &conn);
}

static void test_detection(void **state)
{
	struct station *s = *state;
	struct nd_message probe;

	add_tentative(s, &probe);
	assert_int_equal(try_connect(s), -PARLEY_EADDRNOTAVAIL);
	/* Who only asks for it gets no answer yet. */
	hear_solicitation(s, "2001:db8::2", "2001:db8::1");
	station_expect_drop(s, PARLEY_DROP_NOT_OURS);
	station_wait(s, AUTOCONF_DETECT - 1);
	assert_int_equal(try_connect(s), -PARLEY_EADDRNOTAVAIL);
	station_wait(s, 1);
	station_expect_nothing(s);
	assert_int_equal(try_connect(s), 0);
	expect_solicitation(s, group_2, "2001:db8::2");
}

/* Another one has it, or wants it at the same time: then we do not. */
static void test_conflict(void **state)
{
	struct station *s = *state;
	struct nd_message message;

	add_tentative(s, &message);
	hear(s, "::", "ff02::1:ff00:1", &message);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_DUPLICATE_ADDRESSES), 1);
	station_wait(s, 10 * AUTOCONF_DETECT);
	assert_int_equal(try_connect(s), -PARLEY_EADDRNOTAVAIL);
	hear_solicitation(s, "2001:db8::2", "2001:db8::1");
	station_expect_nothing(s);
}

static void test_conflict_by_advertisement(void **state)
{
	struct station *s = *state;
	struct nd_message message;

	add_tentative(s, &message);
	message = about(ICMPV6_NEIGHBOUR_ADVERTISEMENT, "2001:db8::1", &other);
	hear(s, "2001:db8::1", "ff02::1", &message);
	assert_int_equal(parley_counter(s->host, PARLEY_COUNTER_DUPLICATE_ADDRESSES), 1);
	station_wait(s, 2 * AUTOCONF_DETECT);
	assert_int_equal(try_connect(s), -PARLEY_EADDRNOTAVAIL);
}

/* The first IPv6 address brings a link-local one, and routers are asked for, three times. */
static void test_autoconf(void **state)
{
	struct parley_addr addr = station_addr("2001:db8::1"), local;
	struct station *s = *state;
	struct nd_message message;
	struct ip_packet packet;

	assert_int_equal(parley_address_add(s->host, s->now, s->ifindex, &addr, 64), 0);
	assert_int_equal(eth0(s)->addresses.count, 3);
	local = eth0(s)->addresses.entry[2].addr;
	assert_true(ip_is_link_local(&local));
	s->now += 300000000;			       /* the device was slow to ask for them: */
	assert_true(station_out(s) && station_out(s)); /* a probe for each */
	for (int i = 0; i < AUTOCONF_SOLICITATIONS; i++) {
		uint64_t asked = s->now;

		while (!parley_output_pending(s->host, s->ifindex))
			station_wait(s, AUTOCONF_SOLICIT_AGAIN);
		assert_int_equal(s->now - asked, i ? AUTOCONF_SOLICIT_AGAIN : AUTOCONF_DETECT);
		packet = expect(s, (struct eth_addr){{0x33, 0x33, 0, 0, 0, 2}},
				ICMPV6_ROUTER_SOLICITATION, &message);
		assert_true(ip_equal(&packet.src, &local));
		assert_true(eth_equal(message.mac, station_mac));
	}
	assert_int_equal(parley_deadline(s->host), UINT64_MAX);
}

static struct nd_message advertisement(uint16_t lifetime, uint32_t valid, uint32_t preferred)
{
	struct nd_message message = {
		.type = ICMPV6_ROUTER_ADVERTISEMENT,
		.has_mac = true,
		.mac = other,
		.lifetime = lifetime,
		.mtu = 1400,
		.prefix_count = 1,
		.prefix = {{.len = 64, .on_link = true, .autonomous = true}},
	};

	message.prefix[0].valid = valid;
	message.prefix[0].preferred = preferred;
	message.prefix[0].prefix = station_addr("2001:db8:5::");
	return message;
}

static bool solicits(struct station *s, uint64_t within)
{
	struct nd_message message;

	station_wait(s, within);
	if (!parley_output_pending(s->host, s->ifindex))
		return false;
	expect(s, (struct eth_addr){{0x33, 0x33, 0, 0, 0, 2}}, ICMPV6_ROUTER_SOLICITATION,
	       &message);
	return true;
}

/*
 * RFC 4861 6.3.7: routers are asked for once at least, also when one has spoken before, and until
 * one has that is a default router.
 */
static void test_solicits_until_answered(void **state)
{
	struct nd_message message = advertisement(1800, 7200, 7200);
	struct station *s = *state;

	parley_set(s->host, s->now, PARLEY_NO_CONN, PARLEY_SET_AUTOCONF, AUTOCONF_ALWAYS);
	assert_true(station_out(s));
	hear(s, "fe80::9", "ff02::1", &message);
	assert_true(station_out(s)); /* the address in its prefix is probed for, too */
	station_wait(s, AUTOCONF_DETECT);
	hear(s, "fe80::9", "ff02::1", &message); /* just before the question goes */
	assert_true(solicits(s, 0));
	message.lifetime = 0;
	hear(s, "fe80::9", "ff02::1", &message);
	assert_true(solicits(s, AUTOCONF_SOLICIT_AGAIN));
	message.lifetime = 1800;
	hear(s, "fe80::9", "ff02::1", &message);
	assert_false(solicits(s, AUTOCONF_SOLICIT_AGAIN));
}

/* A conflict about a generated address leads to another, three times (RFC 7217 6). */
static void test_generated_conflict(void **state)
{
	struct station *s = *state;
	struct nd_message message;
	struct parley_addr last = {{0}};

	assert_int_equal(
		parley_set(s->host, s->now, PARLEY_NO_CONN, PARLEY_SET_AUTOCONF, AUTOCONF_ALWAYS),
		0);
	for (int i = 0; i <= AUTOCONF_CONFLICTS; i++) {
		struct eth_addr group = {{0x33, 0x33, 0xff}};
		struct parley_addr target = eth0(s)->addresses.entry[1].addr;

		memcpy(group.b + 3, target.b + 13, 3);
		expect(s, group, ICMPV6_NEIGHBOUR_SOLICITATION, &message);
		assert_false(ip_equal(&target, &last));
		last = target;
		message.type = ICMPV6_NEIGHBOUR_ADVERTISEMENT;
		message.override = true;
		hear(s, "fe80::9", "ff02::1", &message);
	}
	station_expect_nothing(s);
	assert_int_equal(eth0(s)->addresses.entry[1].state, ADDRESS_DUPLICATE);
}

static void begin_autoconf(struct station *s)
{
	parley_set(s->host, s->now, PARLEY_NO_CONN, PARLEY_SET_DAD, 0);
	parley_set(s->host, s->now, PARLEY_NO_CONN, PARLEY_SET_AUTOCONF, AUTOCONF_ALWAYS);
	parley_expire(s->host, s->now);
	while (station_out(s))
		continue;
}

static int connect_to(struct station *s, const char *remote)
{
	struct parley_open open = {.size = sizeof open, .remote.port = 80};
	parley_conn conn;

	open.remote.addr = station_addr(remote);
	return parley_connect(s->host, s->now, &open, &conn);
}

/*
 * SHLD-6: default route, on-link prefix, address and MTU come with one advertisement, and go in
 * time.
 */
static void test_router(void **state)
{
	struct nd_message message = advertisement(1800, 7200, 3600);
	struct parley_addr prefix = station_addr("2001:db8:5::");
	struct station *s = *state;
	struct segment syn;

	begin_autoconf(s);
	assert_int_equal(connect_to(s, "2001:db8:9::1"), -PARLEY_ENETUNREACH);
	hear(s, "fe80::9", "ff02::1", &message);
	assert_int_equal(eth0(s)->addresses.count, 3);
	assert_true(ip_in_prefix(&eth0(s)->addresses.entry[2].addr, &prefix, 64));
	assert_int_equal(connect_to(s, "2001:db8:9::1"), 0);
	syn = station_expect_tcp(s, other); /* the router's station, from its advertisement */
	assert_int_equal(syn.options.mss, 1400 - 60);
	assert_int_equal(connect_to(s, "2001:db8:5::77"), 0);
	assert_true(station_out(s)); /* on the link: asked for itself */
	assert_int_equal(get_be16(s->out), 0x3333);
	/* Its time as a router ends first, then that of the prefix and of the address. */
	s->now += STATION_S(1800);
	parley_expire(s->host, s->now);
	assert_int_equal(connect_to(s, "2001:db8:9::1"), -PARLEY_ENETUNREACH);
	assert_int_equal(connect_to(s, "2001:db8:5::78"), 0);
	s->now += STATION_S(5400);
	parley_expire(s->host, s->now);
	assert_int_equal(connect_to(s, "2001:db8:5::79"), -PARLEY_ENETUNREACH);
	assert_int_equal(eth0(s)->addresses.count, 2);
	assert_null(parley_check(s->host));
}

/* RFC 4862 5.5.3: lifetimes are not cut below two hours; of the router's own nothing is kept. */
static void test_lifetimes(void **state)
{
	struct nd_message message = advertisement(1800, 100000, 100000);
	struct station *s = *state;
	const struct address *address = &eth0(s)->addresses.entry[2];

	begin_autoconf(s);
	hear(s, "fe80::9", "ff02::1", &message);
	assert_int_equal(address->valid_until, s->now + STATION_S(100000));
	message = advertisement(0, 1, 1);
	hear(s, "fe80::9", "ff02::1", &message);
	assert_int_equal(address->valid_until, s->now + STATION_S(7200));
	assert_int_equal(connect_to(s, "2001:db8:9::1"), -PARLEY_ENETUNREACH);
	message = advertisement(1800, UINT32_MAX, UINT32_MAX);
	hear(s, "fe80::9", "ff02::1", &message);
	assert_int_equal(address->valid_until, UINT64_MAX);
	assert_int_equal(eth0(s)->addresses.count, 3);
}

/* More routers and prefixes than there is room for change nothing. */
static void test_bounds(void **state)
{
	struct station *s = *state;

	begin_autoconf(s);
	for (unsigned i = 0; i < 40; i++) {
		struct nd_message message = advertisement(1800, 7200, 7200);
		char router[] = "fe80::9xx";

		message.prefix[0].prefix.b[7] = (uint8_t)i;
		router[7] = "0123456789abcdef"[i / 16];
		router[8] = "0123456789abcdef"[i % 16];
		hear(s, router, "ff02::1", &message);
		assert_null(parley_check(s->host));
	}
	assert_int_equal(eth0(s)->autoconf.router_count, AUTOCONF_ROUTERS);
	assert_int_equal(eth0(s)->autoconf.prefix_count, AUTOCONF_PREFIXES);
	assert_int_equal(eth0(s)->addresses.count, ADDRESSES);
}

static void set_interface(struct station *s, uint32_t mtu)
{
	struct parley_interface config = {
		.size = sizeof config,
		.link = PARLEY_LINK_ETHERNET,
		.mtu = mtu,
	};

	memcpy(config.mac, station_mac.b, sizeof config.mac);
	assert_int_equal(parley_interface_set(s->host, s->now, s->ifindex, &config), 0);
}

/* The MTU that routers say is kept when an interface is set without a new one. */
static void test_mtu_of_the_link(void **state)
{
	struct nd_message message = advertisement(1800, 7200, 3600);
	struct station *s = *state;

	begin_autoconf(s);
	hear(s, "fe80::9", "ff02::1", &message);
	set_interface(s, 1500);
	assert_int_equal(connect_to(s, "2001:db8:9::1"), 0);
	assert_int_equal(station_expect_tcp(s, other).options.mss, 1400 - 60);
	set_interface(s, 1300);
	assert_int_equal(connect_to(s, "2001:db8:9::1"), 0);
	assert_int_equal(station_expect_tcp(s, other).options.mss, 1300 - 60);
}

/* IPv6 begins on a link that was too short for it when the MTU grows. */
static void test_mtu_grows(void **state)
{
	struct station *s = *state;

	set_interface(s, 1000);
	begin_autoconf(s);
	assert_false(eth0(s)->autoconf.running);
	set_interface(s, 1500);
	assert_true(eth0(s)->autoconf.running);
	assert_true(address_any_v6(eth0(s)));
}

/* A router that does not answer gives way to the next. */
static void test_router_fails(void **state)
{
	struct nd_message message = advertisement(1800, 7200, 7200);
	struct station *s = *state;
	const struct parley_addr second = station_addr("fe80::a");

	begin_autoconf(s);
	message.has_mac = false;
	hear(s, "fe80::9", "ff02::1", &message);
	hear(s, "fe80::a", "ff02::1", &message);
	assert_int_equal(connect_to(s, "2001:db8:9::1"), 0);
	for (int i = 0; i < NEIGHBOUR_TRIES; i++) {
		while (station_out(s))
			continue;
		s->now += NEIGHBOUR_ASK_AGAIN;
		parley_expire(s->host, s->now);
	}
	assert_true(ip_equal(&eth0(s)->autoconf.router[0].addr, &second));
	assert_null(parley_check(s->host));
}

/* RFC 4861 7.2.5: a default router that says it is none any more is used no more. */
static void test_router_stops(void **state)
{
	struct nd_message router = advertisement(1800, 7200, 7200);
	struct nd_message message = about(ICMPV6_NEIGHBOUR_ADVERTISEMENT, "fe80::9", &other);
	const struct parley_addr second = station_addr("fe80::a");
	struct station *s = *state;

	begin_autoconf(s);
	hear(s, "fe80::9", "ff02::1", &router);
	hear(s, "fe80::a", "ff02::1", &router);
	message.from_router = true;
	hear(s, "fe80::9", "ff02::1", &message);
	/* What only makes us doubt changes nothing else. */
	message.from_router = false;
	message.mac = station_peer;
	hear(s, "fe80::9", "ff02::1", &message);
	assert_int_equal(eth0(s)->autoconf.router_count, 2);
	message.mac = other;
	hear(s, "fe80::9", "ff02::1", &message);
	assert_int_equal(eth0(s)->autoconf.router_count, 1);
	assert_true(ip_equal(&eth0(s)->autoconf.router[0].addr, &second));
	assert_int_equal(connect_to(s, "2001:db8:9::1"), 0);
	message.target = second;
	hear(s, "fe80::a", "ff02::1", &message);
	assert_int_equal(connect_to(s, "2001:db8:9::1"), -PARLEY_ENETUNREACH);
	assert_null(parley_check(s->host));
}

/* Without autoconfiguration nobody tells us where to send. */
static void test_not_listening(void **state)
{
	struct nd_message message = advertisement(1800, 7200, 7200);
	struct station *s = *state;

	hear(s, "fe80::9", "ff02::1", &message);
	station_expect_drop(s, PARLEY_DROP_ICMP_IGNORED);
	assert_int_equal(eth0(s)->autoconf.router_count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_v6, teardown)
#define BARE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_resolved),
		CASE(test_unanswered),
		CASE(test_states),
		CASE(test_advertisements),
		CASE(test_solicited),
		CASE(test_defended),
		CASE(test_progress_confirms),
		CASE(test_malformed),
		BARE(test_detection),
		BARE(test_conflict),
		BARE(test_conflict_by_advertisement),
		BARE(test_autoconf),
		BARE(test_solicits_until_answered),
		BARE(test_generated_conflict),
		BARE(test_router),
		BARE(test_lifetimes),
		BARE(test_bounds),
		BARE(test_mtu_of_the_link),
		BARE(test_mtu_grows),
		BARE(test_router_fails),
		BARE(test_router_stops),
		CASE(test_not_listening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
