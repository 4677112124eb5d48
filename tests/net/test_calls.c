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
	parley_conn conn;

	open.local.addr = station_addr("192.0.2.9");
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), -PARLEY_EADDRNOTAVAIL);
	assert_int_equal(parley_open_passive(s->host, s->now, &open, &conn), -PARLEY_EADDRNOTAVAIL);
	open.local.addr = station_addr("0.0.0.0");
	assert_int_equal(parley_listen(s->host, s->now, &open, &conn), 0);
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
	assert_int_equal(parley_peek(s->host, conn, &span, 1), 0);
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
		CASE(test_refused), CASE(test_sizes),	 CASE(test_source), CASE(test_weak_model),
		CASE(test_listen),  CASE(test_settings), CASE(test_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
