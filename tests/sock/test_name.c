/* SPDX-License-Identifier: MIT */
/* bind() and its rules, names of both ends, struct sockaddr. Facts as observed on Linux. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "sock/sock.h"

#include "fake_parley.h"

static const struct parley_endpoint any6;

static int fresh(int domain)
{
	return sock_socket(layer, domain, true);
}

static int reusing(int domain)
{
	int fd = fresh(domain);

	assert_int_equal(sock_set_int(layer, fd, SOCK_SOL_SOCKET, SOCK_SO_REUSEADDR, 1), 0);
	return fd;
}

static int bind_to(int fd, struct parley_endpoint end)
{
	return sock_bind(layer, fd, &end);
}

static void errors_in_order(void **state)
{
	struct parley_endpoint ipv6 = {.addr.b = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 80};
	int fd = fresh(SOCK_AF_INET);

	(void)state;
	assert_int_equal(bind_to(fd, ipv6), -PARLEY_EAFNOSUPPORT);
	assert_int_equal(bind_to(fd, end4(203, 0, 113, 9, 80)), -PARLEY_EADDRNOTAVAIL);
	assert_int_equal(bind_to(fd, end4(192, 0, 2, 1, 80)), 0);
	assert_int_equal(bind_to(fd, end4(203, 0, 113, 9, 80)), -PARLEY_EADDRNOTAVAIL);
	assert_int_equal(bind_to(fd, end4(192, 0, 2, 1, 81)), -PARLEY_EINVAL);
	fd = fresh(SOCK_AF_INET6);
	assert_int_equal(sock_set_int(layer, fd, SOCK_IPPROTO_IPV6, SOCK_IPV6_V6ONLY, 1), 0);
	assert_int_equal(bind_to(fd, end4(192, 0, 2, 1, 82)), -PARLEY_EINVAL);
	assert_int_equal(bind_to(fd, any6), 0);
	assert_int_equal(sock_set_int(layer, fd, SOCK_IPPROTO_IPV6, SOCK_IPV6_V6ONLY, 0),
			 -PARLEY_EINVAL);
}

/* Who names a port needs none of those that are chosen. */
static void no_port_left_to_choose(void **state)
{
	int fd = fresh(SOCK_AF_INET);

	(void)state;
	fake.port = 0;
	assert_int_equal(bind_to(fd, end4(203, 0, 113, 9, 80)), -PARLEY_EADDRNOTAVAIL);
	assert_int_equal(bind_to(fd, end4(192, 0, 2, 1, 80)), 0);
}

static void port_in_use(void **state)
{
	int a = fresh(SOCK_AF_INET), b = fresh(SOCK_AF_INET), c = fresh(SOCK_AF_INET6);

	(void)state;
	assert_int_equal(bind_to(a, end4(192, 0, 2, 1, 80)), 0);
	assert_int_equal(bind_to(b, end4(192, 0, 2, 1, 80)), -PARLEY_EADDRINUSE);
	assert_int_equal(bind_to(b, end4(0, 0, 0, 0, 80)), -PARLEY_EADDRINUSE);
	assert_int_equal(bind_to(c, (struct parley_endpoint){.port = 80}), -PARLEY_EADDRINUSE);
	assert_int_equal(sock_set_int(layer, c, SOCK_IPPROTO_IPV6, SOCK_IPV6_V6ONLY, 1), 0);
	assert_int_equal(bind_to(c, (struct parley_endpoint){.port = 80}), 0);
	assert_int_equal(sock_close(layer, a), 0);
	assert_int_equal(bind_to(b, end4(0, 0, 0, 0, 80)), 0);
}

static void reuse_needs_both(void **state)
{
	int a = reusing(SOCK_AF_INET), b = reusing(SOCK_AF_INET), c = fresh(SOCK_AF_INET);
	struct parley_endpoint end = end4(192, 0, 2, 1, 80);

	(void)state;
	assert_int_equal(bind_to(a, end), 0);
	assert_int_equal(bind_to(c, end), -PARLEY_EADDRINUSE);
	assert_int_equal(bind_to(b, end), 0);
	/* Only one of them may listen, and then nobody binds. */
	assert_int_equal(sock_listen(layer, a, 1), 0);
	assert_int_equal(sock_listen(layer, b, 1), -PARLEY_EADDRINUSE);
	assert_int_equal(bind_to(reusing(SOCK_AF_INET), end), -PARLEY_EADDRINUSE);
}

static void reuseport_needs_both(void **state)
{
	int a = fresh(SOCK_AF_INET), b = fresh(SOCK_AF_INET);
	struct parley_endpoint end = end4(192, 0, 2, 1, 80);

	(void)state;
	assert_int_equal(sock_set_int(layer, a, SOCK_SOL_SOCKET, SOCK_SO_REUSEPORT, 1), 0);
	assert_int_equal(bind_to(a, end), 0);
	assert_int_equal(bind_to(b, end), -PARLEY_EADDRINUSE);
	assert_int_equal(sock_set_int(layer, b, SOCK_SOL_SOCKET, SOCK_SO_REUSEPORT, 1), 0);
	assert_int_equal(bind_to(b, end), 0);
}

/* A server that comes back finds its old connections in TIME-WAIT. */
static void over_time_wait(void **state)
{
	struct parley_endpoint end = end4(192, 0, 2, 1, 80), peer;
	int a = fresh(SOCK_AF_INET), b, c;
	parley_conn conn;

	(void)state;
	assert_int_equal(bind_to(a, end), 0);
	assert_int_equal(sock_listen(layer, a, 5), 0);
	conn = fake_arrive(sock_conn(layer, a), end4(198, 51, 100, 2, 5555));
	b = sock_accept(layer, a, true, &peer);
	assert_true(b >= 0);
	assert_int_equal(peer.port, 5555);
	assert_int_equal(sock_close(layer, a), 0);
	assert_int_equal(sock_close(layer, b), 0);
	fake_at(conn)->state = PARLEY_TIME_WAIT;
	c = fresh(SOCK_AF_INET);
	assert_int_equal(bind_to(c, end), -PARLEY_EADDRINUSE);
	assert_int_equal(sock_set_int(layer, c, SOCK_SOL_SOCKET, SOCK_SO_REUSEADDR, 1), 0);
	assert_int_equal(bind_to(c, end), 0);
	assert_int_equal(sock_listen(layer, c, 5), 0);
}

static void port_0_is_chosen_at_once(void **state)
{
	struct parley_endpoint name;
	uint16_t ports[40];
	int i, k, other;

	(void)state;
	fake.set[PARLEY_SET_PORT_FIRST] = 50000;
	fake.set[PARLEY_SET_PORT_LAST] = 50039;
	for (i = 0; i < 40; i++) {
		int fd = fresh(SOCK_AF_INET);

		assert_int_equal(bind_to(fd, end4(0, 0, 0, 0, 0)), 0);
		assert_int_equal(sock_getsockname(layer, fd, &name), 0);
		assert_in_range(name.port, 50000, 50039);
		ports[i] = name.port;
		for (k = 0; k < i; k++)
			assert_int_not_equal(ports[k], ports[i]);
	}
	/* Not one after the other. */
	for (i = 1; i < 40 && ports[i] == ports[i - 1] + 1; i++)
		;
	assert_true(i < 40);
	other = fresh(SOCK_AF_INET);
	assert_int_equal(bind_to(other, end4(0, 0, 0, 0, 0)), -PARLEY_EADDRINUSE);
	assert_int_equal(sock_close(layer, 7), 0);
	assert_int_equal(bind_to(other, end4(0, 0, 0, 0, 0)), 0);
	assert_int_equal(sock_getsockname(layer, other, &name), 0);
	assert_int_equal(name.port, ports[7]);
}

static void bind_without_port(void **state)
{
	struct parley_endpoint name, peer = end4(198, 51, 100, 2, 80);
	int fd = fresh(SOCK_AF_INET);

	(void)state;
	assert_int_equal(sock_set_int(layer, fd, SOCK_IPPROTO_IP, SOCK_IP_BIND_ADDRESS_NO_PORT, 1),
			 0);
	assert_int_equal(bind_to(fd, end4(192, 0, 2, 1, 0)), 0);
	assert_int_equal(sock_getsockname(layer, fd, &name), 0);
	assert_int_equal(name.port, 0);
	assert_int_equal(sock_connect(layer, fd, &peer), -PARLEY_EINPROGRESS);
	assert_int_equal(sock_getsockname(layer, fd, &name), 0);
	assert_int_not_equal(name.port, 0);
}

static void names_of_a_connection(void **state)
{
	struct parley_endpoint name, peer = end4(198, 51, 100, 2, 80), ours;
	int fd = fresh(SOCK_AF_INET);

	(void)state;
	assert_int_equal(sock_getsockname(layer, fd, &name), 0);
	ours = end4(0, 0, 0, 0, 0);
	assert_memory_equal(&name, &ours, sizeof(name));
	assert_int_equal(sock_getpeername(layer, fd, &name), -PARLEY_ENOTCONN);
	assert_int_equal(sock_connect(layer, fd, &peer), -PARLEY_EINPROGRESS);
	assert_int_equal(sock_getpeername(layer, fd, &name), -PARLEY_ENOTCONN);
	assert_int_equal(sock_getsockname(layer, fd, &name), 0);
	ours = end4(192, 0, 2, 1, 40000);
	assert_memory_equal(&name, &ours, sizeof(name));
	fake_establish(sock_conn(layer, fd));
	assert_int_equal(sock_getpeername(layer, fd, &name), 0);
	assert_memory_equal(&name, &peer, sizeof(name));
	fake_die(sock_conn(layer, fd), PARLEY_ECONNRESET);
	assert_int_equal(sock_getpeername(layer, fd, &name), -PARLEY_ENOTCONN);
	assert_int_equal(sock_getsockname(layer, fd, &name), 0);
	assert_memory_equal(&name, &ours, sizeof(name));
	/* The port that was chosen is free again, so it can be bound anew. */
	assert_int_equal(bind_to(fresh(SOCK_AF_INET), ours), 0);
}

static void sockaddr_in(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)}, back;
	struct parley_endpoint end, want = end4(192, 0, 2, 1, 80);
	int fd = fresh(SOCK_AF_INET);

	(void)state;
	in.sin_addr.s_addr = htonl(0xc0000201);
	assert_int_equal(sock_name_read(layer, fd, &in, sizeof(in), true, &end), AF_INET);
	assert_memory_equal(&end, &want, sizeof(end));
	assert_int_equal(sock_name_write(layer, fd, &end, &back, sizeof(back)), sizeof(back));
	assert_memory_equal(&in, &back, sizeof(in));
	memset(&back, 0x55, sizeof(back));
	assert_int_equal(sock_name_write(layer, fd, &end, &back, 4), sizeof(back));
	assert_memory_equal(&in, &back, 4);
	assert_int_equal(((uint8_t *)&back)[4], 0x55);

	assert_int_equal(sock_name_read(layer, fd, &in, 1, true, &end), -PARLEY_EINVAL);
	assert_int_equal(sock_name_read(layer, fd, &in, 15, false, &end), -PARLEY_EINVAL);
	in.sin_family = AF_INET6;
	assert_int_equal(sock_name_read(layer, fd, &in, 16, false, &end), -PARLEY_EAFNOSUPPORT);
	in.sin_family = AF_UNSPEC;
	assert_int_equal(sock_name_read(layer, fd, &in, 2, true, &end), AF_UNSPEC);
	assert_int_equal(sock_name_read(layer, fd, &in, 16, false, &end), -PARLEY_EAFNOSUPPORT);
	in.sin_addr.s_addr = 0;
	assert_int_equal(sock_name_read(layer, fd, &in, 16, false, &end), AF_INET);
}

static void sockaddr_in6(void **state)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)}, back;
	struct parley_endpoint end;
	int fd = fresh(SOCK_AF_INET6);

	(void)state;
	in6.sin6_addr.s6_addr[0] = 0x20;
	in6.sin6_addr.s6_addr[15] = 9;
	assert_int_equal(sock_name_read(layer, fd, &in6, sizeof(in6), true, &end), AF_INET6);
	assert_int_equal(end.port, 80);
	assert_memory_equal(end.addr.b, in6.sin6_addr.s6_addr, 16);
	assert_int_equal(sock_name_write(layer, fd, &end, &back, sizeof(back)), sizeof(back));
	assert_memory_equal(&in6, &back, sizeof(in6));
	assert_int_equal(sock_name_read(layer, fd, &in6, 24, true, &end), AF_INET6);
	assert_int_equal(sock_name_read(layer, fd, &in6, 23, true, &end), -PARLEY_EINVAL);
	in6.sin6_family = AF_INET;
	assert_int_equal(sock_name_read(layer, fd, &in6, 28, true, &end), -PARLEY_EAFNOSUPPORT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, layer_setup, layer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(errors_in_order),
		T(no_port_left_to_choose),
		T(port_in_use),
		T(reuse_needs_both),
		T(reuseport_needs_both),
		T(over_time_wait),
		T(port_0_is_chosen_at_once),
		T(bind_without_port),
		T(names_of_a_connection),
		T(sockaddr_in),
		T(sockaddr_in6),
	};

	return cmocka_run_group_tests_name("sock name", tests, NULL, NULL);
}
