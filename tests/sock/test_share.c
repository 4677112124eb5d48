/* SPDX-License-Identifier: MIT */
/* Listeners that share a port by SO_REUSEPORT: who gets which connection, and who goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sock/sock.h"

#include "fake_parley.h"

#define NEITHER 0

static int sharing_at(struct parley_endpoint at)
{
	int fd = sock_socket(layer, SOCK_AF_INET, true);

	assert_int_equal(sock_set_int(layer, fd, SOCK_SOL_SOCKET, SOCK_SO_REUSEPORT, 1), 0);
	assert_int_equal(sock_bind(layer, fd, &at), 0);
	return fd;
}

static int sharing(void)
{
	int fd = sharing_at(end4(192, 0, 2, 1, 80));

	assert_int_equal(sock_listen(layer, fd, 10), 0);
	return fd;
}

/* `n` connections reach the port of the listener. */
static void arrive(int fd, int n)
{
	static uint16_t port = 1000;

	for (int i = 0; i < n; i++)
		fake_arrive(sock_conn(layer, fd), end4(198, 51, 100, 2, port++));
}

static void assert_waiting(int fd, int n)
{
	assert_int_equal(sock_waiting(layer, fd), n);
	assert_int_equal(sock_ready(layer, fd), n ? SOCK_POLLIN : NEITHER);
}

static void dealt_in_turn(void **state)
{
	int a = sharing(), b = sharing(), c = sharing();

	(void)state;
	assert_true(sock_conn(layer, a) == sock_conn(layer, b));
	arrive(a, 1);
	assert_int_equal(sock_waiting(layer, a) + sock_waiting(layer, b) + sock_waiting(layer, c),
			 1);
	arrive(a, 5);
	assert_waiting(a, 2);
	assert_waiting(b, 2);
	assert_waiting(c, 2);
	for (int i = 0; i < 2; i++)
		assert_true(sock_accept(layer, b, true, NULL) >= 0);
	assert_int_equal(sock_accept(layer, b, true, NULL), -PARLEY_EAGAIN);
	assert_waiting(a, 2);
	assert_waiting(c, 2);
	/* Who has accepted all of his gets no more than his turn. */
	arrive(a, 3);
	assert_waiting(a, 3);
	assert_waiting(b, 1);
	assert_waiting(c, 3);
}

/* An edge for those alone that have got one. */
static void told_to_one(void **state)
{
	int fd[2] = {sharing(), sharing()};
	uint64_t before[2] = {sock_generation(layer, fd[0]), sock_generation(layer, fd[1])};
	int told = 0;

	(void)state;
	arrive(fd[0], 1);
	for (int i = 0; i < 2; i++)
		told += sock_generation(layer, fd[i]) != before[i];
	assert_int_equal(told, 1);
}

static void one_who_comes_later(void **state)
{
	int a = sharing(), b, c;

	(void)state;
	arrive(a, 4);
	b = sharing();
	/* What waited already was for the first. */
	assert_waiting(a, 4);
	assert_waiting(b, 0);
	arrive(a, 2);
	assert_waiting(a, 5);
	assert_waiting(b, 1);
	/* He need not make up for the turns that were before him. */
	c = sharing();
	arrive(a, 3);
	assert_waiting(a, 6);
	assert_waiting(b, 2);
	assert_waiting(c, 1);
}

static void one_who_leaves(void **state)
{
	int a = sharing(), b = sharing(), c = sharing();
	parley_conn listener = sock_conn(layer, a);

	(void)state;
	arrive(a, 6);
	assert_waiting(a, 2);
	/* It was he who asked the host to listen. */
	assert_int_equal(sock_close(layer, a), 0);
	assert_true(fake_at(listener)->owned);
	assert_waiting(b, 3);
	assert_waiting(c, 3);
	/* His number belongs to somebody else now. */
	assert_int_equal(sock_socket(layer, SOCK_AF_INET, true), a);
	arrive(b, 2);
	assert_waiting(b, 4);
	assert_waiting(c, 4);
	assert_int_equal(sock_shutdown(layer, b, SOCK_SHUT_RD), 0);
	assert_int_equal(sock_accept(layer, b, true, NULL), -PARLEY_EINVAL);
	assert_waiting(c, 8);
	assert_true(sock_accept(layer, c, true, NULL) >= 0);
	arrive(c, 1);
	assert_waiting(c, 8);
	assert_int_equal(sock_close(layer, c), 0);
	assert_false(fake_at(listener)->owned);
	assert_true(sock_listen(layer, b, 1) == 0 && sock_conn(layer, b) != listener);
}

/* Given back, it is his who gave it. */
static void given_back(void **state)
{
	int a = sharing(), b = sharing(), got, other;

	(void)state;
	arrive(a, 2);
	got = sock_accept(layer, a, true, NULL);
	assert_true(got >= 0);
	assert_waiting(a, 0);
	assert_int_equal(sock_unaccept(layer, a, got), 0);
	assert_waiting(a, 1);
	assert_waiting(b, 1);
	other = sock_accept(layer, b, true, NULL);
	assert_true(other >= 0 && other != got);
	assert_int_equal(sock_accept(layer, a, true, NULL), got);
}

static void each_with_his_options(void **state)
{
	int a = sharing(), b = sharing(), fd[2], value;

	(void)state;
	assert_int_equal(sock_set_int(layer, a, SOCK_IPPROTO_TCP, SOCK_TCP_NODELAY, 1), 0);
	assert_int_equal(sock_set_int(layer, b, SOCK_IPPROTO_TCP, SOCK_TCP_NODELAY, 0), 0);
	arrive(a, 2);
	fd[0] = sock_accept(layer, a, true, NULL);
	fd[1] = sock_accept(layer, b, true, NULL);
	for (int i = 0; i < 2; i++) {
		parley_conn conn = sock_conn(layer, fd[i]);

		assert_int_equal(
			sock_get_int(layer, fd[i], SOCK_IPPROTO_TCP, SOCK_TCP_NODELAY, &value), 0);
		assert_int_equal(value, i == 0);
		assert_int_equal(fake_at(conn)->set[PARLEY_SET_NODELAY], i == 0);
	}
}

static int64_t nodelay_of(int fd)
{
	return fake_at(sock_conn(layer, fd))->set[PARLEY_SET_NODELAY];
}

/* What the other one has set is not for those who set nothing. */
static void without_the_options_of_another(void **state)
{
	int a = sharing(), b = sharing();

	(void)state;
	assert_int_equal(sock_set_int(layer, b, SOCK_IPPROTO_TCP, SOCK_TCP_NODELAY, 1), 0);
	arrive(a, 4);
	assert_int_equal(nodelay_of(sock_accept(layer, a, true, NULL)), 0);
	assert_int_equal(nodelay_of(sock_accept(layer, b, true, NULL)), 1);
	/* Nor when he is gone: neither for those that wait, nor for those that come. */
	assert_int_equal(sock_close(layer, b), 0);
	arrive(a, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(nodelay_of(sock_accept(layer, a, true, NULL)), 0);
	assert_int_equal(nodelay_of(a), 0);
}

static void only_at_the_same_place(void **state)
{
	int a = sharing(), b = sharing_at(end4(192, 0, 2, 1, 81)), c, d;

	(void)state;
	assert_int_equal(sock_listen(layer, b, 1), 0);
	assert_true(sock_conn(layer, a) != sock_conn(layer, b));
	c = sharing_at(end4(0, 0, 0, 0, 80));
	assert_int_equal(sock_listen(layer, c, 1), 0);
	assert_true(sock_conn(layer, a) != sock_conn(layer, c));
	/* And only when both want it. */
	d = sharing_at(end4(192, 0, 2, 1, 81));
	assert_int_equal(sock_set_int(layer, d, SOCK_SOL_SOCKET, SOCK_SO_REUSEPORT, 0), 0);
	assert_int_equal(sock_listen(layer, d, 1), -PARLEY_EADDRINUSE);
}

/* A connection that the host has lost was dealt to nobody. */
static void lost_from_the_queue(void **state)
{
	int a = sharing(), b = sharing();

	(void)state;
	arrive(a, 2);
	assert_waiting(a, 1);
	assert_waiting(b, 1);
	fake_at(sock_conn(layer, a))->queued = 0;
	assert_int_equal(sock_accept(layer, a, true, NULL), -PARLEY_EAGAIN);
	assert_int_equal(sock_accept(layer, b, true, NULL), -PARLEY_EAGAIN);
	assert_waiting(a, 0);
	assert_waiting(b, 0);
	arrive(a, 2);
	assert_waiting(a, 1);
	assert_waiting(b, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, layer_setup, layer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(dealt_in_turn),
		T(told_to_one),
		T(one_who_comes_later),
		T(one_who_leaves),
		T(given_back),
		T(each_with_his_options),
		T(without_the_options_of_another),
		T(only_at_the_same_place),
		T(lost_from_the_queue),
	};

	return cmocka_run_group_tests_name("sock share", tests, NULL, NULL);
}
