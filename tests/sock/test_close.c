/* SPDX-License-Identifier: MIT */
/* close() with and without lingering, shutdown() while a connection is being made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sock/sock.h"

#include "fake_parley.h"

#define S UINT64_C(1000000000)

static void linger(int fd, int onoff, int seconds)
{
	struct sock_linger value = {onoff, seconds};

	assert_int_equal(
		sock_setsockopt(layer, fd, SOCK_SOL_SOCKET, SOCK_SO_LINGER, &value, sizeof(value)),
		0);
}

static void orderly(void **state)
{
	int fd = fake_connected(false);
	parley_conn conn = sock_conn(layer, fd);

	(void)state;
	assert_int_equal(sock_close(layer, fd), 0);
	assert_true(fake_at(conn)->closed);
	assert_false(fake_at(conn)->aborted);
	assert_false(fake_at(conn)->owned);
	assert_int_equal(sock_close(layer, fd), -PARLEY_EBADF);
	assert_int_equal(sock_count(layer), 0);
}

static void linger_0_resets(void **state)
{
	int fd = fake_connected(true), other = fake_connected(true);
	parley_conn conn = sock_conn(layer, fd), second = sock_conn(layer, other);

	(void)state;
	linger(fd, 1, 0);
	assert_int_equal(sock_close(layer, fd), 0);
	assert_true(fake_at(conn)->aborted);
	linger(other, 1, 0);
	assert_int_equal(sock_close_now(layer, other), 0);
	assert_true(fake_at(second)->aborted);
}

/* Also a non-blocking socket waits. */
static void lingers_until_acknowledged(void **state)
{
	int fd = fake_connected(true), value;
	parley_conn conn = sock_conn(layer, fd);

	(void)state;
	linger(fd, 1, 5);
	assert_int_equal(sock_close(layer, fd), SOCK_WAIT);
	assert_true(fake_at(conn)->closed);
	assert_true(fake_at(conn)->owned);
	assert_int_equal(sock_get_int(layer, fd, 1, 3, &value), -PARLEY_EBADF);
	assert_int_equal(sock_ready(layer, fd), 0);
	assert_int_equal(sock_close(layer, fd), SOCK_WAIT);
	fake_at(conn)->state = PARLEY_FIN_WAIT_2;
	assert_int_equal(sock_close(layer, fd), 0);
	assert_false(fake_at(conn)->owned);
	assert_false(fake_at(conn)->aborted);
}

static void lingers_no_longer_than_said(void **state)
{
	int fd = fake_connected(false), other = fake_connected(false);
	parley_conn conn = sock_conn(layer, fd);

	(void)state;
	linger(fd, 1, 5);
	linger(other, 1, 5);
	assert_int_equal(sock_close(layer, fd), SOCK_WAIT);
	assert_int_equal(sock_close(layer, other), SOCK_WAIT);
	sock_set_now(layer, 1000 + 5 * S - 1);
	assert_int_equal(sock_close(layer, fd), SOCK_WAIT);
	/* Whoever has no time goes before. */
	assert_int_equal(sock_close_now(layer, other), 0);
	sock_set_now(layer, 1000 + 5 * S);
	assert_int_equal(sock_close(layer, fd), 0);
	assert_false(fake_at(conn)->aborted);
}

static void nothing_to_linger_for(void **state)
{
	struct parley_endpoint peer = end4(198, 51, 100, 2, 80);
	int fd = sock_socket(layer, SOCK_AF_INET, false);

	(void)state;
	linger(fd, 1, 5);
	assert_int_equal(sock_close(layer, fd), 0);
	fd = sock_socket(layer, SOCK_AF_INET, true);
	linger(fd, 1, 5);
	assert_int_equal(sock_connect(layer, fd, &peer), -PARLEY_EINPROGRESS);
	assert_int_equal(sock_close(layer, fd), 0);
	fd = fake_connected(false);
	linger(fd, 1, 5);
	fake_die(sock_conn(layer, fd), PARLEY_ECONNRESET);
	assert_int_equal(sock_close(layer, fd), 0);
	fd = fake_connected(false);
	linger(fd, 1, 5);
	linger(fd, 0, 5);
	assert_int_equal(sock_close(layer, fd), 0);
}

static void closed_ports_are_free(void **state)
{
	struct parley_endpoint end = end4(192, 0, 2, 1, 80);
	int fd = sock_socket(layer, SOCK_AF_INET, false);

	(void)state;
	assert_int_equal(sock_bind(layer, fd, &end), 0);
	assert_int_equal(sock_listen(layer, fd, 1), 0);
	assert_int_equal(sock_close(layer, fd), 0);
	fd = sock_socket(layer, SOCK_AF_INET, false);
	assert_int_equal(sock_bind(layer, fd, &end), 0);
}

static void shutdown_gives_up_connecting(void **state)
{
	struct parley_endpoint peer = end4(198, 51, 100, 2, 80);
	int fd = sock_socket(layer, SOCK_AF_INET, true), how;

	(void)state;
	for (how = SOCK_SHUT_RD; how <= SOCK_SHUT_RDWR; how++) {
		parley_conn conn;

		assert_int_equal(sock_connect(layer, fd, &peer), -PARLEY_EINPROGRESS);
		conn = sock_conn(layer, fd);
		assert_int_equal(sock_shutdown(layer, fd, how), 0);
		assert_true(fake_at(conn)->aborted);
		assert_int_equal(sock_ready(layer, fd), SOCK_POLLOUT | SOCK_POLLERR | SOCK_POLLHUP);
		assert_int_equal(sock_error(layer, fd), PARLEY_ECONNRESET);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, layer_setup, layer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(orderly),
		T(linger_0_resets),
		T(lingers_until_acknowledged),
		T(lingers_no_longer_than_said),
		T(nothing_to_linger_for),
		T(closed_ports_are_free),
		T(shutdown_gives_up_connecting),
	};

	return cmocka_run_group_tests_name("sock close", tests, NULL, NULL);
}
