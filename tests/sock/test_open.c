/* SPDX-License-Identifier: MIT */
/* connect(), listen(), accept() and the way back; the sequences are those observed on Linux. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sock/sock.h"

#include "fake_parley.h"

#define REFUSED (SOCK_POLLIN | SOCK_POLLOUT | SOCK_POLLHUP | SOCK_POLLRDHUP)

static const struct parley_endpoint any6;

static struct parley_endpoint peer(void)
{
	return end4(198, 51, 100, 2, 80);
}

static int connecting(bool nonblock)
{
	struct parley_endpoint to = peer();
	int fd = sock_socket(layer, SOCK_AF_INET, nonblock);

	assert_int_equal(sock_connect(layer, fd, &to), nonblock ? -PARLEY_EINPROGRESS : SOCK_WAIT);
	return fd;
}

static int listening(int backlog)
{
	struct parley_endpoint at = end4(192, 0, 2, 1, 80);
	int fd = sock_socket(layer, SOCK_AF_INET, true);

	assert_int_equal(sock_bind(layer, fd, &at), 0);
	assert_int_equal(sock_listen(layer, fd, backlog), 0);
	return fd;
}

static void connect_succeeds(void **state)
{
	struct parley_endpoint to = peer();
	int fd = connecting(true);

	(void)state;
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_EALREADY);
	assert_int_equal(sock_ready(layer, fd), 0);
	assert_int_equal(sock_bind(layer, fd, &to), -PARLEY_EADDRNOTAVAIL);
	assert_int_equal(sock_listen(layer, fd, 1), -PARLEY_EINVAL);
	fake_establish(sock_conn(layer, fd));
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLOUT);
	assert_int_equal(sock_error(layer, fd), 0);
	assert_int_equal(sock_connect(layer, fd, &to), 0);
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_EISCONN);
	assert_int_equal(sock_listen(layer, fd, 1), -PARLEY_EINVAL);
	assert_int_equal(sock_accept(layer, fd, true, NULL), -PARLEY_EINVAL);
}

static void connect_blocks(void **state)
{
	struct parley_endpoint to = peer();
	int fd = connecting(false);

	(void)state;
	assert_int_equal(sock_connect(layer, fd, &to), SOCK_WAIT);
	fake_establish(sock_conn(layer, fd));
	assert_int_equal(sock_connect(layer, fd, &to), 0);
	fd = connecting(false);
	fake_die(sock_conn(layer, fd), PARLEY_ETIMEDOUT);
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_ETIMEDOUT);
	assert_int_equal(sock_connect(layer, fd, &to), SOCK_WAIT);
}

static void refused_told_by_so_error(void **state)
{
	struct parley_endpoint to = peer(), name;
	int fd = connecting(true);
	parley_conn conn = sock_conn(layer, fd);

	(void)state;
	fake_die(conn, PARLEY_ECONNREFUSED);
	assert_int_equal(sock_ready(layer, fd), REFUSED | SOCK_POLLERR);
	assert_false(fake_at(conn)->owned);
	assert_int_equal(sock_getpeername(layer, fd, &name), -PARLEY_ENOTCONN);
	assert_int_equal(sock_error(layer, fd), PARLEY_ECONNREFUSED);
	assert_int_equal(sock_error(layer, fd), 0);
	assert_int_equal(sock_ready(layer, fd), REFUSED);
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_ECONNABORTED);
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLOUT | SOCK_POLLHUP);
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_EINPROGRESS);
	assert_true(sock_conn(layer, fd) != conn);
}

static void refused_told_by_others(void **state)
{
	struct parley_endpoint to = peer();
	uint8_t byte = 0;
	struct parley_span span = {&byte, 1};
	struct parley_buffer buffer = {&byte, 1};
	int fd = connecting(true);

	(void)state;
	fake_die(sock_conn(layer, fd), PARLEY_ECONNREFUSED);
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_ECONNREFUSED);
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_EINPROGRESS);

	fake_die(sock_conn(layer, fd), PARLEY_ECONNREFUSED);
	assert_int_equal(sock_send(layer, fd, &span, 1, 0, NULL), -PARLEY_ECONNREFUSED);
	assert_int_equal(sock_send(layer, fd, &span, 1, 0, NULL), -PARLEY_EPIPE);
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, 0, NULL), 0);

	fd = connecting(true);
	fake_die(sock_conn(layer, fd), PARLEY_ECONNREFUSED);
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, 0, NULL), -PARLEY_ECONNREFUSED);
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, 0, NULL), 0);
	assert_int_equal(sock_send(layer, fd, &span, 1, 0, NULL), -PARLEY_EPIPE);
	assert_int_equal(sock_listen(layer, fd, 1), -PARLEY_EINVAL);

	fd = connecting(true);
	fake_die(sock_conn(layer, fd), PARLEY_ECONNREFUSED);
	assert_int_equal(sock_shutdown(layer, fd, SOCK_SHUT_RDWR), -PARLEY_ENOTCONN);
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_EINVAL);
}

/* What shutdown() did to one attempt is not told of the next. */
static void connect_after_shutdown(void **state)
{
	struct parley_endpoint to = peer();
	int fd = connecting(true);

	(void)state;
	assert_int_equal(sock_shutdown(layer, fd, SOCK_SHUT_WR), 0);
	assert_int_equal(sock_ready(layer, fd) & SOCK_POLLERR, SOCK_POLLERR);
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_EINPROGRESS);
	assert_int_equal(sock_ready(layer, fd), 0);
	assert_int_equal(sock_error(layer, fd), 0);
}

static void connect_errors_at_once(void **state)
{
	struct parley_endpoint to = peer(), ipv6 = {.addr.b = {0x20, [15] = 1}, .port = 80};
	int fd = sock_socket(layer, SOCK_AF_INET, true);

	(void)state;
	assert_int_equal(sock_connect(layer, fd, &ipv6), -PARLEY_EAFNOSUPPORT);
	fake.refuse = -PARLEY_EADDRINUSE;
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_EADDRNOTAVAIL);
	fake.refuse = -PARLEY_ENETUNREACH;
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_ENETUNREACH);
	fake.refuse = 0;
	to.port = 0;
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_ECONNREFUSED);
	to.port = 80;
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_EINPROGRESS);
	fd = sock_socket(layer, SOCK_AF_INET6, true);
	assert_int_equal(sock_set_int(layer, fd, SOCK_IPPROTO_IPV6, SOCK_IPV6_V6ONLY, 1), 0);
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_ENETUNREACH);
}

static void bound_port_is_used(void **state)
{
	struct parley_endpoint to = peer(), at = end4(0, 0, 0, 0, 1234), name;
	int fd = sock_socket(layer, SOCK_AF_INET, true);

	(void)state;
	assert_int_equal(sock_bind(layer, fd, &at), 0);
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_EINPROGRESS);
	assert_int_equal(fake_of(fd)->open.local.port, 1234);
	assert_int_equal(sock_getsockname(layer, fd, &name), 0);
	assert_int_equal(name.port, 1234);
	assert_int_equal(name.addr.b[12], 192);
	/* Reset, it is bound as bind() left it. */
	assert_int_equal(sock_disconnect(layer, fd), 0);
	assert_int_equal(sock_getsockname(layer, fd, &name), 0);
	assert_memory_equal(&name, &at, sizeof(at));
	assert_int_equal(sock_bind(layer, fd, &at), -PARLEY_EINVAL);
}

static void disconnecting_resets(void **state)
{
	struct parley_endpoint to = peer();
	int fd = fake_connected(true);
	parley_conn conn = sock_conn(layer, fd);

	(void)state;
	assert_int_equal(sock_disconnect(layer, fd), 0);
	assert_true(fake_at(conn)->aborted);
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLOUT | SOCK_POLLERR | SOCK_POLLHUP);
	assert_int_equal(sock_error(layer, fd), PARLEY_ECONNRESET);
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLOUT | SOCK_POLLHUP);
	assert_int_equal(sock_connect(layer, fd, &to), -PARLEY_EINPROGRESS);
}

static void listen_and_accept(void **state)
{
	struct parley_endpoint from = peer(), name, end = end4(192, 0, 2, 1, 80);
	int l = listening(5), a, b;

	(void)state;
	assert_int_equal(fake_of(l)->open.backlog, 6);
	assert_int_equal(sock_ready(layer, l), 0);
	assert_int_equal(sock_accept(layer, l, true, NULL), -PARLEY_EAGAIN);
	assert_int_equal(sock_waiting(layer, l), 0);
	fake_arrive(sock_conn(layer, l), from);
	from.port = 81;
	fake_arrive(sock_conn(layer, l), from);
	assert_int_equal(sock_ready(layer, l), SOCK_POLLIN);
	assert_int_equal(sock_waiting(layer, l), 2);
	a = sock_accept(layer, l, true, &from);
	assert_true(a > l);
	assert_int_equal(from.port, 80);
	b = sock_accept(layer, l, false, NULL);
	assert_int_equal(sock_get_nonblock(layer, a), 1);
	assert_int_equal(sock_get_nonblock(layer, b), 0);
	assert_int_equal(sock_ready(layer, l), 0);
	assert_int_equal(sock_ready(layer, b), SOCK_POLLOUT);
	assert_int_equal(sock_getpeername(layer, b, &name), 0);
	assert_int_equal(name.port, 81);
	assert_int_equal(sock_getsockname(layer, b, &name), 0);
	assert_memory_equal(&name, &end, sizeof(name));
	assert_int_equal(sock_connect(layer, a, &from), -PARLEY_EISCONN);
}

static void a_listener_is_not_connected(void **state)
{
	struct parley_endpoint to = peer();
	uint8_t byte = 0;
	struct parley_span span = {&byte, 1};
	struct parley_buffer buffer = {&byte, 1};
	int l = listening(1);

	(void)state;
	assert_int_equal(sock_connect(layer, l, &to), -PARLEY_EISCONN);
	assert_int_equal(sock_send(layer, l, &span, 1, 0, NULL), -PARLEY_EPIPE);
	assert_int_equal(sock_recv(layer, l, &buffer, 1, 0, NULL), -PARLEY_ENOTCONN);
	assert_int_equal(sock_getpeername(layer, l, &to), -PARLEY_ENOTCONN);
	assert_int_equal(sock_inq(layer, l), -PARLEY_EINVAL);
	assert_int_equal(sock_listen(layer, l, 7), 0);
	to = end4(192, 0, 2, 1, 80);
	assert_int_equal(sock_bind(layer, l, &to), -PARLEY_EINVAL);
}

static void listening_without_bind(void **state)
{
	struct parley_endpoint name, again;
	int fd = sock_socket(layer, SOCK_AF_INET6, true);

	(void)state;
	assert_int_equal(sock_listen(layer, fd, -1), 0);
	assert_int_equal(fake_of(fd)->open.backlog, 4097);
	assert_int_equal(sock_getsockname(layer, fd, &name), 0);
	assert_in_range(name.port, 32768, 60999);
	assert_memory_equal(&name.addr, &any6.addr, sizeof(any6.addr));
	/* Stopped and started, it gets another port. */
	assert_int_equal(sock_shutdown(layer, fd, SOCK_SHUT_WR), 0);
	assert_int_equal(sock_ready(layer, fd), 0);
	assert_int_equal(sock_shutdown(layer, fd, SOCK_SHUT_RD), 0);
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLOUT | SOCK_POLLHUP);
	assert_int_equal(sock_error(layer, fd), 0);
	assert_int_equal(sock_accept(layer, fd, true, NULL), -PARLEY_EINVAL);
	assert_int_equal(sock_listen(layer, fd, 0), 0);
	assert_int_equal(sock_getsockname(layer, fd, &again), 0);
	assert_int_not_equal(again.port, name.port);
}

static void accepted_has_the_options(void **state)
{
	struct sock_linger linger = {1, 9};
	int l = listening(1), a, value;
	size_t len = sizeof(linger);

	(void)state;
	assert_int_equal(sock_set_int(layer, l, SOCK_IPPROTO_TCP, SOCK_TCP_NODELAY, 1), 0);
	assert_int_equal(sock_set_int(layer, l, SOCK_SOL_SOCKET, SOCK_SO_REUSEADDR, 1), 0);
	assert_int_equal(sock_setsockopt(layer, l, SOCK_SOL_SOCKET, SOCK_SO_LINGER, &linger, len),
			 0);
	fake_arrive(sock_conn(layer, l), peer());
	a = sock_accept(layer, l, true, NULL);
	memset(&linger, 0, sizeof(linger));
	assert_int_equal(sock_get_int(layer, a, SOCK_IPPROTO_TCP, SOCK_TCP_NODELAY, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(sock_get_int(layer, a, SOCK_SOL_SOCKET, SOCK_SO_REUSEADDR, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(sock_getsockopt(layer, a, SOCK_SOL_SOCKET, SOCK_SO_LINGER, &linger, &len),
			 0);
	assert_int_equal(linger.onoff, 1);
	assert_int_equal(linger.seconds, 9);
}

/* Reset before it was accepted: accepted all the same, and then it tells. */
static void accepted_dead(void **state)
{
	uint8_t byte;
	struct parley_buffer buffer = {&byte, 1};
	int l = listening(1), a;
	parley_conn conn = fake_arrive(sock_conn(layer, l), peer());

	(void)state;
	fake_die(conn, PARLEY_ECONNRESET);
	a = sock_accept(layer, l, true, NULL);
	assert_true(a >= 0);
	assert_int_equal(sock_ready(layer, a), REFUSED | SOCK_POLLERR);
	assert_int_equal(sock_recv(layer, a, &buffer, 1, 0, NULL), -PARLEY_ECONNRESET);
	assert_int_equal(sock_recv(layer, a, &buffer, 1, 0, NULL), 0);
	assert_int_equal(sock_error(layer, a), 0);

	/* No event tells what had happened before there was somebody to tell. */
	conn = fake_arrive(sock_conn(layer, l), peer());
	fake_die(conn, PARLEY_ETIMEDOUT);
	fake_at(conn)->events = 0;
	a = sock_accept(layer, l, true, NULL);
	assert_int_equal(sock_error(layer, a), PARLEY_ETIMEDOUT);
	conn = fake_arrive(sock_conn(layer, l), peer());
	fake_fin(conn);
	fake_at(conn)->events = 0;
	a = sock_accept(layer, l, true, NULL);
	assert_int_equal(sock_ready(layer, a), SOCK_POLLIN | SOCK_POLLOUT | SOCK_POLLRDHUP);
}

static void given_back(void **state)
{
	struct parley_endpoint from = peer(), name;
	int l = listening(5), a, b;

	(void)state;
	fake_arrive(sock_conn(layer, l), from);
	from.port = 81;
	fake_arrive(sock_conn(layer, l), from);
	a = sock_accept(layer, l, true, NULL);
	assert_int_equal(sock_unaccept(layer, l, a), 0);
	assert_int_equal(sock_close(layer, a), -PARLEY_EBADF);
	assert_int_equal(sock_waiting(layer, l), 2);
	assert_int_equal(sock_ready(layer, l), SOCK_POLLIN);
	b = sock_accept(layer, l, true, &name);
	assert_int_equal(name.port, 80);
	assert_int_equal(sock_accept(layer, l, true, &name) >= 0, 1);
	assert_int_equal(name.port, 81);
	assert_int_equal(sock_unaccept(layer, a + 100, b), -PARLEY_EBADF);
	assert_int_equal(sock_unaccept(layer, b, l), -PARLEY_EINVAL);
}

static void closed_listener_resets(void **state)
{
	int l = listening(5), a;
	parley_conn conn = fake_arrive(sock_conn(layer, l), peer());

	(void)state;
	a = sock_accept(layer, l, true, NULL);
	assert_int_equal(sock_unaccept(layer, l, a), 0);
	assert_int_equal(sock_count(layer), 2);
	assert_int_equal(sock_close(layer, l), 0);
	assert_int_equal(sock_count(layer), 0);
	assert_true(fake_at(conn)->aborted);
}

#define T(name) cmocka_unit_test_setup_teardown(name, layer_setup, layer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(connect_succeeds),
		T(connect_blocks),
		T(refused_told_by_so_error),
		T(refused_told_by_others),
		T(connect_after_shutdown),
		T(connect_errors_at_once),
		T(bound_port_is_used),
		T(disconnecting_resets),
		T(listen_and_accept),
		T(a_listener_is_not_connected),
		T(listening_without_bind),
		T(accepted_has_the_options),
		T(accepted_dead),
		T(given_back),
		T(closed_listener_resets),
	};

	return cmocka_run_group_tests_name("sock open", tests, NULL, NULL);
}
