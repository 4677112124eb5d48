/* SPDX-License-Identifier: MIT */
/* What the user's calls find in the network: interface and source address, or an error. */
#include "station.h"

#include "wire/ip.h"

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

static int connect_from(struct station *s, const char *local, const char *remote, parley_conn *conn)
{
	struct parley_open open = {.size = sizeof open, .remote.port = 80};

	if (local)
		open.local.addr = station_addr(local);
	open.remote.addr = station_addr(remote);
	return parley_connect(s->host, s->now, &open, conn);
}

static void expect_source(struct station *s, const char *local, const char *remote,
			  const char *source, int ifindex)
{
	struct parley_status status = {.size = sizeof status};
	struct parley_addr wanted = station_addr(source);
	parley_conn conn;

	assert_int_equal(connect_from(s, local, remote, &conn), 0);
	assert_int_equal(parley_status(s->host, conn, &status), 0);
	assert_true(ip_equal(&status.local.addr, &wanted));
	assert_int_equal(status.ifindex, ifindex);
	assert_true(status.local.port != 0);
	assert_int_equal(status.state, PARLEY_SYN_SENT);
}

static void test_refused(void **state)
{
	static const struct {
		const char *local, *remote;
		int error;
	} cases[] = {
		{NULL, "0.0.0.0", PARLEY_EINVAL},
		{NULL, "::", PARLEY_EINVAL},
		/* MUST-46 */
		{NULL, "224.0.0.1", PARLEY_EINVAL},
		{NULL, "255.255.255.255", PARLEY_EINVAL},
		{NULL, "192.0.2.255", PARLEY_EINVAL},
		{"2001:db8::1", "192.0.2.2", PARLEY_EINVAL},
		{"192.0.2.9", "192.0.2.2", PARLEY_EADDRNOTAVAIL},
		{NULL, "198.51.100.1", PARLEY_ENETUNREACH},
		{NULL, "2001:db8::2", PARLEY_ENETUNREACH},
		{"127.0.0.1", "192.0.2.2", PARLEY_EINVAL},
		{"2001:db8::1", "127.0.0.1", PARLEY_EINVAL},
		{"192.0.2.1", "198.51.100.1", PARLEY_ENETUNREACH},
	};
	struct station *s = *state;
	parley_conn conn = 77;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(connect_from(s, cases[i].local, cases[i].remote, &conn),
				 -cases[i].error);
	assert_int_equal(conn, 77);
	station_expect_nothing(s);
}

static void test_sizes(void **state)
{
	struct station *s = *state;
	struct parley_open open = {.size = sizeof open - 1, .local.port = 80};
	struct parley_status status = {.size = sizeof status - 1};
	struct parley_tcp_info info = {.size = 0};
	uint64_t cursor = 0;
	parley_conn conn;

	open.remote.addr = station_addr("192.0.2.2");
	open.remote.port = 80;
	assert_int_equal(parley_connect(s->host, s->now, &open, &conn), -PARLEY_EINVAL);
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), -PARLEY_EINVAL);
	assert_int_equal(parley_open_passive(s->host, s->now, &open, &conn), -PARLEY_EINVAL);
	open.size = sizeof open + 16;
	assert_int_equal(parley_connect(s->host, s->now, &open, &conn), 0);
	assert_int_equal(parley_status(s->host, conn, &status), -PARLEY_EINVAL);
	assert_int_equal(parley_tcp_info(s->host, conn, &info), -PARLEY_EINVAL);
	assert_int_equal(parley_each(s->host, &cursor, &status), -PARLEY_EINVAL);
	info.size = sizeof info;
	assert_int_equal(parley_tcp_info(s->host, conn, &info), 0);
	assert_int_equal(info.state, PARLEY_SYN_SENT);
	status.size = sizeof status;
	assert_int_equal(parley_each(s->host, &cursor, &status), 1);
	assert_int_equal(status.conn, conn);
	assert_int_equal(parley_each(s->host, &cursor, &status), 0);
	assert_int_equal(parley_status(s->host, conn + 1, &status), -PARLEY_EBADF);
}

/* A second interface, with two subnets, and a gateway behind each. */
static void add_second(struct station *s)
{
	struct parley_interface interface = {
		.size = sizeof interface,
		.link = PARLEY_LINK_ETHERNET,
		.mac = {2, 0, 0, 0, 1, 1},
		.mtu = 1500,
	};
	struct parley_addr any = station_addr("0.0.0.0"), a = station_addr("10.0.0.1"),
			   b = station_addr("10.1.0.1"), near = station_addr("192.0.2.254"),
			   far = station_addr("10.1.0.254"), net = station_addr("172.16.0.0");

	assert_int_equal(parley_interface_add(s->host, s->now, &interface), 2);
	assert_int_equal(parley_address_add(s->host, s->now, 2, &a, 16), 0);
	assert_int_equal(parley_address_add(s->host, s->now, 2, &b, 16), 0);
	assert_int_equal(parley_route_add(s->host, s->now, 1, &any, 0, &near), 0);
	assert_int_equal(parley_route_add(s->host, s->now, 2, &net, 12, &far), 0);
}

/* MUST-43, MUST-44 */
static void test_source(void **state)
{
	struct station *s = *state;

	add_second(s);
	expect_source(s, NULL, "192.0.2.7", "192.0.2.1", 1);
	expect_source(s, NULL, "10.0.9.9", "10.0.0.1", 2);
	expect_source(s, NULL, "10.1.9.9", "10.1.0.1", 2);
	/* The address on the subnet of the gateway. */
	expect_source(s, NULL, "172.16.5.5", "10.1.0.1", 2);
	expect_source(s, NULL, "203.0.113.5", "192.0.2.1", 1);
	/* The user's choice, through the interface that has it if that leads there... */
	expect_source(s, "10.0.0.1", "10.1.9.9", "10.0.0.1", 2);
	expect_source(s, "10.0.0.1", "172.16.5.5", "10.0.0.1", 2);
	/* ...and else the way that there is. */
	expect_source(s, "10.0.0.1", "203.0.113.5", "10.0.0.1", 1);
}

/* A packet for any of our addresses is ours, whichever interface it comes to. */
static void test_weak_model(void **state)
{
	struct station *s = *state;
	struct segment syn = {.src_port = 1000, .dst_port = 80, .flags = TCP_SYN, .wnd = 100};
	uint8_t frame[128];

	add_second(s);
	station_in(s, frame, station_tcp(frame, "192.0.2.2", "10.0.0.1", &syn, NULL));
	station_expect_drop(s, PARLEY_DROP_NO_CONNECTION);
	station_expect_arp(s, station_all, ARP_REQUEST);
}

static void test_listen(void **state)
{
	struct station *s = *state;
	struct parley_open open = {.size = sizeof open, .local.port = 80, .backlog = 5};
	struct parley_syn syn = {.size = sizeof syn - 1};
	parley_conn conn;

	open.local.addr = station_addr("192.0.2.9");
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), -PARLEY_EADDRNOTAVAIL);
	assert_int_equal(parley_open_passive(s->host, s->now, &open, &conn), -PARLEY_EADDRNOTAVAIL);
	open.local.addr = station_addr("0.0.0.0");
	open.flags = PARLEY_OPEN_V6ONLY << 1;
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), -PARLEY_EINVAL);
	open.flags = PARLEY_OPEN_DECIDE;
	assert_int_equal(parley_open_passive(s->host, s->now, &open, &conn), -PARLEY_EINVAL);
	assert_int_equal(parley_connect(s->host, s->now, &open, &conn), -PARLEY_EINVAL);
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), 0);
	assert_int_equal(parley_next_syn(s->host, conn, NULL), -PARLEY_EINVAL);
	assert_int_equal(parley_next_syn(s->host, conn, &syn), -PARLEY_EINVAL);
	syn.size = sizeof syn;
	assert_int_equal(parley_next_syn(s->host, conn, &syn), -PARLEY_EAGAIN);
	assert_int_equal(parley_next_syn(s->host, conn + 1, &syn), -PARLEY_EBADF);
	assert_int_equal(parley_decide(s->host, s->now, conn, PARLEY_DECIDE_DROP), -PARLEY_EINVAL);
	assert_int_equal(parley_decide(s->host, s->now, conn + 1, PARLEY_DECIDE_DROP),
			 -PARLEY_EBADF);
	open.flags = 0;
	open.local.addr = station_addr("192.0.2.1");
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), -PARLEY_EADDRINUSE);
	open.local.port = 81;
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), 0);
	open.local.port = 82;
	open.flags = 1u << 31;
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), -PARLEY_EINVAL);
	open.flags = 0;
	open.remote.addr = station_addr("224.0.0.1");
	assert_int_equal(parley_open_passive(s->host, s->now, &open, &conn), -PARLEY_EINVAL);
}

/* A passive OPEN; the parts that are NULL or 0 stay unspecified. */
static parley_conn open_passive(struct station *s, const char *local, const char *remote,
				uint16_t remote_port)
{
	struct parley_open open = {.size = sizeof open, .local.port = 80, .user = 9};
	parley_conn conn;

	if (local)
		open.local.addr = station_addr(local);
	if (remote)
		open.remote.addr = station_addr(remote);
	open.remote.port = remote_port;
	assert_int_equal(parley_open_passive(s->host, s->now, &open, &conn), 0);
	return conn;
}

static enum parley_state state_of(struct station *s, parley_conn conn)
{
	struct parley_status status = {.size = sizeof status};

	assert_int_equal(parley_status(s->host, conn, &status), 0);
	return status.state;
}

static void expect_syn(struct station *s)
{
	struct segment seg;

	station_expect_arp(s, station_all, ARP_REQUEST);
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", station_peer, "192.0.2.1");
	seg = station_expect_tcp(s, station_peer);
	assert_int_equal(seg.flags, TCP_SYN);
	assert_int_equal(seg.src_port, 80);
	assert_int_equal(seg.dst_port, 7);
	station_expect_nothing(s);
}

/* 3.10.1: OPEN in LISTEN, with the remote socket from either of the two OPENs, or from both. */
static void test_open_active(void **state)
{
	static const struct {
		const char *local;
		const char *passive;
		uint16_t passive_port;
		const char *active;
		uint16_t active_port;
	} cases[] = {
		{NULL, NULL, 0, "192.0.2.2", 7},	{NULL, "192.0.2.2", 7, NULL, 0},
		{NULL, "192.0.2.2", 0, NULL, 7},	{NULL, NULL, 7, "192.0.2.2", 0},
		{"0.0.0.0", NULL, 7, "192.0.2.2", 0},	{"192.0.2.1", NULL, 0, "192.0.2.2", 7},
		{NULL, "192.0.2.9", 9, "192.0.2.2", 7},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct parley_status status = {.size = sizeof status};
		struct parley_endpoint remote = {.port = cases[i].active_port};
		struct station *s = *state;
		struct parley_addr source = station_addr("192.0.2.1");
		parley_conn conn;

		station_free(s);
		station_init(s, PARLEY_LINK_ETHERNET, 1500);
		conn = open_passive(s, cases[i].local, cases[i].passive, cases[i].passive_port);
		if (cases[i].active)
			remote.addr = station_addr(cases[i].active);
		assert_int_equal(
			parley_open_active(s->host, s->now, conn,
					   cases[i].active || remote.port ? &remote : NULL),
			0);
		assert_int_equal(parley_status(s->host, conn, &status), 0);
		assert_int_equal(status.state, PARLEY_SYN_SENT);
		assert_int_equal(status.user, 9);
		assert_int_equal(status.ifindex, 1);
		assert_true(ip_equal(&status.local.addr, &source));
		expect_syn(s);
	}
}

/* What the second OPEN cannot do leaves the first as it was. */
static void test_open_active_refused(void **state)
{
	static const struct {
		const char *local, *remote;
		uint16_t port;
		int error;
	} cases[] = {
		{NULL, NULL, 0, PARLEY_EDESTADDRREQ},
		{NULL, NULL, 7, PARLEY_EDESTADDRREQ},
		{NULL, "0.0.0.0", 7, PARLEY_EDESTADDRREQ},
		{NULL, "192.0.2.2", 0, PARLEY_EDESTADDRREQ},
		{NULL, "224.0.0.1", 7, PARLEY_EINVAL},
		{NULL, "192.0.2.255", 7, PARLEY_EINVAL},
		{"192.0.2.1", "2001:db8::2", 7, PARLEY_EINVAL},
		{"192.0.2.1", "198.51.100.1", 7, PARLEY_ENETUNREACH},
		{NULL, "198.51.100.1", 7, PARLEY_ENETUNREACH},
		{NULL, "2001:db8::2", 7, PARLEY_ENETUNREACH},
		{"127.0.0.1", "192.0.2.2", 7, PARLEY_EINVAL},
	};
	struct station *s = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		parley_conn conn = open_passive(s, cases[i].local, NULL, 0);
		struct parley_endpoint remote = {.port = cases[i].port};

		if (cases[i].remote)
			remote.addr = station_addr(cases[i].remote);
		assert_int_equal(parley_open_active(s->host, s->now, conn, &remote),
				 -cases[i].error);
		assert_int_equal(state_of(s, conn), PARLEY_LISTEN);
		station_expect_nothing(s);
		assert_int_equal(parley_release_conn(s->host, s->now, conn), 0);
	}
	assert_int_equal(parley_open_active(s->host, s->now, 12345, NULL), -PARLEY_EBADF);
}

/* A way, but no address of its own for it; and no memory for the way to itself. */
static void test_open_active_without_source_or_memory(void **state)
{
	struct station *s = *state;
	struct parley_addr net = station_addr("2001:db8::");
	parley_conn far = open_passive(s, NULL, "2001:db8::2", 7);
	parley_conn self;

	assert_int_equal(parley_route_add(s->host, s->now, 1, &net, 32, NULL), 0);
	assert_int_equal(parley_open_active(s->host, s->now, far, NULL), -PARLEY_EADDRNOTAVAIL);
	assert_int_equal(state_of(s, far), PARLEY_LISTEN);
	assert_int_equal(parley_release_conn(s->host, s->now, far), 0);
	self = open_passive(s, NULL, "127.0.0.1", 80);
	s->slabs.limit = s->slabs.out;
	assert_int_equal(parley_open_active(s->host, s->now, self, NULL), -PARLEY_ENOBUFS);
	assert_int_equal(state_of(s, self), PARLEY_LISTEN);
	s->slabs.limit = UINT32_MAX;
	assert_int_equal(parley_open_active(s->host, s->now, self, NULL), 0);
}

/* The address that the passive OPEN named has been taken away meanwhile. */
static void test_open_active_without_its_address(void **state)
{
	struct station *s = *state;
	struct parley_addr addr = station_addr("192.0.2.1"), other = station_addr("192.0.2.3");
	parley_conn named = open_passive(s, "192.0.2.1", "192.0.2.2", 7);

	assert_int_equal(parley_address_remove(s->host, s->now, 1, &addr), 0);
	assert_int_equal(parley_open_active(s->host, s->now, named, NULL), -PARLEY_EADDRNOTAVAIL);
	assert_int_equal(parley_address_add(s->host, s->now, 1, &other, 24), 0);
	assert_int_equal(parley_open_active(s->host, s->now, named, NULL), -PARLEY_EADDRNOTAVAIL);
	assert_int_equal(state_of(s, named), PARLEY_LISTEN);
}

/* 3.10.2: SEND in LISTEN makes it active when the peer is known; the bytes follow the handshake. */
static void test_send_in_listen(void **state)
{
	struct parley_span span = {"hello", 5};
	struct parley_buffer buffer;
	struct parley_status status = {.size = sizeof status};

	for (int reserve = 0; reserve < 2; reserve++) {
		struct station *s = *state;
		parley_conn conn;

		station_free(s);
		station_init(s, PARLEY_LINK_ETHERNET, 1500);
		conn = open_passive(s, NULL, "192.0.2.2", 7);
		if (reserve) {
			assert_int_equal(parley_commit(s->host, s->now, conn, 0, 0),
					 -PARLEY_EDESTADDRREQ);
			assert_int_equal(state_of(s, conn), PARLEY_LISTEN);
			assert_int_equal(parley_reserve(s->host, s->now, conn, 5, &buffer, 1), 1);
			memcpy(buffer.data, "hello", 5);
			assert_int_equal(parley_commit(s->host, s->now, conn, 5, 0), 5);
		} else {
			assert_int_equal(parley_send(s->host, s->now, conn, &span, 1, 0), 5);
		}
		assert_int_equal(parley_status(s->host, conn, &status), 0);
		assert_int_equal(status.state, PARLEY_SYN_SENT);
		assert_int_equal(status.send_queue, 5);
		expect_syn(s);
		assert_int_equal(parley_send(s->host, s->now, conn, &span, 1, 0), 5);
	}
}

static void test_send_in_listen_to_nobody(void **state)
{
	static const struct {
		const char *remote;
		uint16_t port;
		int error;
	} cases[] = {
		{NULL, 0, PARLEY_EDESTADDRREQ},
		{NULL, 7, PARLEY_EDESTADDRREQ},
		{"192.0.2.2", 0, PARLEY_EDESTADDRREQ},
		{"198.51.100.1", 7, PARLEY_ENETUNREACH},
	};
	struct station *s = *state;
	struct parley_span span = {"hello", 5};
	struct parley_buffer buffer;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		parley_conn conn = open_passive(s, NULL, cases[i].remote, cases[i].port);

		assert_int_equal(parley_send(s->host, s->now, conn, &span, 1, 0), -cases[i].error);
		assert_int_equal(parley_reserve(s->host, s->now, conn, 5, &buffer, 1),
				 -cases[i].error);
		assert_int_equal(state_of(s, conn), PARLEY_LISTEN);
		assert_int_equal(parley_release_conn(s->host, s->now, conn), 0);
	}
	station_expect_nothing(s);
}

/* No memory for the bytes: the connection is active all the same, and takes them when it can. */
static void test_send_in_listen_without_memory(void **state)
{
	struct station *s = *state;
	struct parley_span span = {"hello", 5};
	parley_conn other = station_connect(s, "192.0.2.2", 9);
	parley_conn conn = open_passive(s, NULL, "192.0.2.2", 7);

	s->slabs.limit = s->slabs.out;
	while (parley_send(s->host, s->now, other, &span, 1, 0) > 0)
		;
	assert_int_equal(parley_send(s->host, s->now, conn, &span, 1, 0), -PARLEY_EAGAIN);
	assert_int_equal(state_of(s, conn), PARLEY_SYN_SENT);
	s->slabs.limit = UINT32_MAX;
	assert_int_equal(parley_send(s->host, s->now, conn, &span, 1, 0), 5);
}

/* To itself: its own port, by a simultaneous open with nobody else. */
static void test_open_active_to_itself(void **state)
{
	struct station *s = *state;
	parley_conn conn = open_passive(s, NULL, "127.0.0.1", 80);
	struct parley_span span = {"hello", 5};
	char bytes[8];

	assert_int_equal(parley_send(s->host, s->now, conn, &span, 1, 0), 5);
	station_wait(s, STATION_S(1));
	assert_int_equal(state_of(s, conn), PARLEY_ESTABLISHED);
	assert_int_equal(parley_receive(s->host, s->now, conn, bytes, 8), 5);
	assert_memory_equal(bytes, "hello", 5);
}

/* MUST-49 */
static void test_settings(void **state)
{
	struct station *s = *state;
	parley_conn conn = station_connect(s, "192.0.2.2", 80);
	int64_t value;

	assert_int_equal(parley_set(s->host, s->now, PARLEY_NO_CONN, PARLEY_SET_TTL, 17), 0);
	assert_int_equal(parley_get(s->host, PARLEY_NO_CONN, PARLEY_SET_TTL, &value), 0);
	assert_int_equal(value, 17);
	assert_int_equal(parley_get(s->host, conn, PARLEY_SET_TTL, &value), 0);
	assert_int_equal(value, 64);
	assert_int_equal(parley_set(s->host, s->now, conn, PARLEY_SET_MSL, 1), -PARLEY_ENOPROTOOPT);
	assert_int_equal(parley_set(s->host, s->now, conn, PARLEY_SET_TTL, 256), -PARLEY_EINVAL);
	assert_int_equal(parley_set(s->host, s->now, conn, PARLEY_SETTING_COUNT, 0),
			 -PARLEY_ENOPROTOOPT);
	assert_int_equal(parley_get(s->host, conn + 1, PARLEY_SET_TTL, &value), -PARLEY_EBADF);
	/* And the packets show it. */
	station_connect(s, "192.0.2.2", 81);
	station_expect_arp(s, station_all, ARP_REQUEST);
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", station_peer, "192.0.2.1");
	station_expect_tcp(s, station_peer);
	assert_int_equal(s->out[ETH_HEADER_LEN + 8], 64);
	station_expect_tcp(s, station_peer);
	assert_int_equal(s->out[ETH_HEADER_LEN + 8], 17);
}

/*
 * MUST-45: a connection keeps its address, though a better one comes, and even though its own goes.
 * MAY-4: one segment is like the other to IP, whether it is sent again or not.
 */
static void test_address_for_life(void **state)
{
	struct station *s = *state;
	struct parley_addr ours = station_addr("192.0.2.1"), other = station_addr("192.0.2.3");
	struct parley_addr net = station_addr("192.0.2.0");
	struct ip_packet packet;

	station_connect(s, "192.0.2.2", 80);
	station_expect_arp(s, station_all, ARP_REQUEST);
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", station_peer, "192.0.2.1");
	station_expect_tcp(s, station_peer);
	assert_int_equal(parley_address_add(s->host, s->now, 1, &other, 24), 0);
	station_wait(s, STATION_S(1));
	packet = station_expect_ip(s, station_peer);
	assert_true(ip_equal(&packet.src, &ours));
	assert_int_equal(packet.id, 0);
	assert_int_equal(parley_address_remove(s->host, s->now, 1, &ours), 0);
	(void)parley_route_add(s->host, s->now, 1, &net, 24, NULL);
	station_wait(s, STATION_S(2));
	packet = station_expect_ip(s, station_peer);
	assert_true(ip_equal(&packet.src, &ours));
	assert_int_equal(packet.id, 0);
}

/* MUST-48, SHLD-21, SHLD-22, SHLD-23: the Diffserv field is the user's, also while it stands. */
static void test_diffserv(void **state)
{
	static const int64_t fields[] = {0, 0xb8, 0xb8, 0x20};
	struct station *s = *state;
	parley_conn conn = station_connect(s, "192.0.2.2", 80);

	/* SYNs alone: no doubt about the next hop. */
	assert_int_equal(parley_set(s->host, s->now, conn, PARLEY_SET_R1, 255), 0);
	station_expect_arp(s, station_all, ARP_REQUEST);
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", station_peer, "192.0.2.1");
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		assert_int_equal(parley_set(s->host, s->now, conn, PARLEY_SET_DIFFSERV, fields[i]),
				 0);
		assert_int_equal(station_expect_ip(s, station_peer).tos, fields[i]);
		station_wait(s, STATION_S(1u << i));
	}
	/* The two bits of ECN are not the user's. */
	assert_int_equal(parley_set(s->host, s->now, conn, PARLEY_SET_DIFFSERV, 0x2b), 0);
	assert_int_equal(station_expect_ip(s, station_peer).tos, 0x28);
	assert_int_equal(parley_set(s->host, s->now, conn, PARLEY_SET_DIFFSERV, 253),
			 -PARLEY_EINVAL);
}

/* MUST-48: of what answers a SYN, the listener's. */
static void test_diffserv_of_a_listener(void **state)
{
	struct station *s = *state;
	struct parley_open open = {.size = sizeof open, .local.port = 80, .backlog = 5};
	parley_conn conn;

	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), 0);
	assert_int_equal(parley_set(s->host, s->now, conn, PARLEY_SET_DIFFSERV, 0x48), 0);
	station_hear_arp(s, ARP_REQUEST, "192.0.2.2", station_peer, "192.0.2.1");
	station_expect_arp(s, station_peer, ARP_REPLY);
	station_hear_syn(s, "192.0.2.2", 1000, 80);
	assert_int_equal(station_expect_ip(s, station_peer).tos, 0x48);
}

/* MUST-55: source quench changes nothing and tells nobody; another error about the same does. */
static void test_source_quench(void **state)
{
	struct station *s = *state;
	parley_conn conn = station_connect(s, "192.0.2.2", 80);
	struct parley_tcp_info before = {.size = sizeof before}, after = {.size = sizeof after};
	uint8_t frame[ICMP_ERROR_MAX + 64], message[ICMP_ERROR_MAX];
	struct parley_event event;
	struct ip_packet packet;
	size_t len;

	station_expect_arp(s, station_all, ARP_REQUEST);
	station_hear_arp(s, ARP_REPLY, "192.0.2.2", station_peer, "192.0.2.1");
	packet = station_expect_ip(s, station_peer);
	assert_int_equal(parley_tcp_info(s->host, conn, &before), 0);
	assert_int_equal(parley_events(s->host, &event, 1), 0);
	len = icmp_emit_error(message, ICMP_SOURCE_QUENCH, 0, 0, &packet);
	station_in(s, frame, station_ip(frame, "192.0.2.2", "192.0.2.1", IP_ICMP, message, len));
	station_expect_nothing(s);
	assert_int_equal(parley_events(s->host, &event, 1), 0);
	assert_int_equal(parley_tcp_info(s->host, conn, &after), 0);
	assert_memory_equal(&before, &after, sizeof before);
	len = icmp_emit_error(message, ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0, &packet);
	station_in(s, frame, station_ip(frame, "192.0.2.2", "192.0.2.1", IP_ICMP, message, len));
	assert_int_equal(parley_events(s->host, &event, 1), 1);
	assert_int_equal(event.bits, PARLEY_SOFT_ERROR);
}

/* A profile is all settings; what interfaces do by themselves begins anew with it. */
static void test_profile(void **state)
{
	struct station *s = *state;
	int64_t value;

	assert_int_equal(parley_set(s->host, s->now, PARLEY_NO_CONN, PARLEY_SET_TTL, 17), 0);
	assert_int_equal(parley_profile(s->host, s->now, PARLEY_PROFILE_RFC), 0);
	assert_int_equal(parley_get(s->host, PARLEY_NO_CONN, PARLEY_SET_MSL, &value), 0);
	assert_int_equal(value, PARLEY_S(120));
	assert_int_equal(parley_get(s->host, PARLEY_NO_CONN, PARLEY_SET_TTL, &value), 0);
	assert_int_equal(value, 64);
	assert_int_equal(parley_profile(s->host, s->now, PARLEY_PROFILE_COUNT), -PARLEY_EINVAL);
	assert_int_equal(parley_profile(s->host, s->now, PARLEY_PROFILE_DEFAULT), 0);
	assert_int_equal(parley_get(s->host, PARLEY_NO_CONN, PARLEY_SET_MSL, &value), 0);
	assert_int_equal(value, PARLEY_S(30));
	assert_null(parley_check(s->host));
}

static void test_stale(void **state)
{
	struct station *s = *state;
	parley_conn conn = station_connect(s, "192.0.2.2", 80), other;
	struct parley_span span = {"x", 1};
	struct parley_buffer buffer;
	char byte;

	assert_int_equal(parley_release_conn(s->host, s->now, conn), 0);
	assert_int_equal(parley_release_conn(s->host, s->now, conn), -PARLEY_EBADF);
	assert_int_equal(parley_send(s->host, s->now, conn, &span, 1, 0), -PARLEY_EBADF);
	assert_int_equal(parley_reserve(s->host, s->now, conn, 1, &buffer, 1), -PARLEY_EBADF);
	assert_int_equal(parley_commit(s->host, s->now, conn, 1, 0), -PARLEY_EBADF);
	assert_int_equal(parley_receive(s->host, s->now, conn, &byte, 1), -PARLEY_EBADF);
	assert_int_equal(parley_consume(s->host, s->now, conn, 1), -PARLEY_EBADF);
	assert_int_equal(parley_peek(s->host, conn, &span, 1), -PARLEY_EBADF);
	assert_int_equal(parley_shutdown(s->host, s->now, conn, PARLEY_SHUT_WR), -PARLEY_EBADF);
	assert_int_equal(parley_close(s->host, s->now, conn), -PARLEY_EBADF);
	assert_int_equal(parley_abort(s->host, s->now, conn), -PARLEY_EBADF);
	assert_int_equal(parley_accept(s->host, s->now, conn, 0, &other), -PARLEY_EBADF);
	assert_int_equal(parley_ready(s->host, conn), 0);
	assert_int_equal(parley_events(s->host, NULL, 0), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_refused),
		CASE(test_sizes),
		CASE(test_source),
		CASE(test_weak_model),
		CASE(test_listen),
		CASE(test_settings),
		CASE(test_address_for_life),
		CASE(test_diffserv),
		CASE(test_diffserv_of_a_listener),
		CASE(test_source_quench),
		CASE(test_profile),
		CASE(test_stale),
		CASE(test_open_active),
		CASE(test_open_active_refused),
		CASE(test_open_active_without_its_address),
		CASE(test_open_active_without_source_or_memory),
		CASE(test_open_active_to_itself),
		CASE(test_send_in_listen),
		CASE(test_send_in_listen_to_nobody),
		CASE(test_send_in_listen_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
