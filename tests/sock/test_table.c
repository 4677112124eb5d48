/* SPDX-License-Identifier: MIT */
/* Descriptors: the lowest free one, limits, memory that is not to be had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sock/sock.h"

#include "fake_parley.h"

static void lowest_is_given(void **state)
{
	int fd;

	(void)state;
	for (fd = 0; fd < 300; fd++)
		assert_int_equal(sock_socket(layer, SOCK_AF_INET, true), fd);
	assert_int_equal(sock_close(layer, 200), 0);
	assert_int_equal(sock_close(layer, 3), 0);
	assert_int_equal(sock_close(layer, 130), 0);
	assert_int_equal(sock_count(layer), 297);
	assert_int_equal(sock_socket(layer, SOCK_AF_INET, true), 3);
	assert_int_equal(sock_socket(layer, SOCK_AF_INET6, true), 130);
	assert_int_equal(sock_socket(layer, SOCK_AF_INET, true), 200);
	assert_int_equal(sock_socket(layer, SOCK_AF_INET, true), 300);
}

static void closed_is_bad(void **state)
{
	struct parley_endpoint end = end4(192, 0, 2, 1, 1);
	int fds[] = {-1, 0, 1, 127, 128, 1 << 30}, value;
	size_t i;

	(void)state;
	assert_int_equal(sock_socket(layer, SOCK_AF_INET, true), 0);
	assert_int_equal(sock_close(layer, 0), 0);
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		assert_int_equal(sock_close(layer, fds[i]), -PARLEY_EBADF);
		assert_int_equal(sock_bind(layer, fds[i], &end), -PARLEY_EBADF);
		assert_int_equal(sock_connect(layer, fds[i], &end), -PARLEY_EBADF);
		assert_int_equal(sock_listen(layer, fds[i], 1), -PARLEY_EBADF);
		assert_int_equal(sock_accept(layer, fds[i], true, NULL), -PARLEY_EBADF);
		assert_int_equal(sock_send(layer, fds[i], NULL, 0, 0, NULL), -PARLEY_EBADF);
		assert_int_equal(sock_recv(layer, fds[i], NULL, 0, 0, NULL), -PARLEY_EBADF);
		assert_int_equal(sock_shutdown(layer, fds[i], 0), -PARLEY_EBADF);
		assert_int_equal(sock_error(layer, fds[i]), -PARLEY_EBADF);
		assert_int_equal(sock_get_int(layer, fds[i], 1, 3, &value), -PARLEY_EBADF);
		assert_int_equal(sock_ready(layer, fds[i]), 0);
	}
}

static void families(void **state)
{
	(void)state;
	assert_int_equal(sock_socket(layer, SOCK_AF_UNSPEC, true), -PARLEY_EAFNOSUPPORT);
	assert_int_equal(sock_socket(layer, 1, true), -PARLEY_EAFNOSUPPORT);
}

static void memory_runs_out(void **state)
{
	struct sock_config config = {.host = sock_host(layer)};
	struct sock_layer *other = NULL;
	int fd;

	(void)state;
	assert_int_equal(sock_layer_new(&config, 0, &other), -PARLEY_EINVAL);
	config.allocator.alloc = fake_alloc;
	config.allocator.free = fake_free;
	fake.slabs_left = 0;
	assert_int_equal(sock_layer_new(&config, 0, &other), -PARLEY_ENOMEM);
	assert_null(other);
	assert_int_equal(sock_socket(layer, SOCK_AF_INET, true), -PARLEY_ENOMEM);
	fake.slabs_left = 1;
	for (fd = 0; fd < 128; fd++)
		assert_int_equal(sock_socket(layer, SOCK_AF_INET, true), fd);
	assert_int_equal(sock_socket(layer, SOCK_AF_INET, true), -PARLEY_ENOMEM);
	assert_int_equal(sock_close(layer, 9), 0);
	assert_int_equal(sock_socket(layer, SOCK_AF_INET, true), 9);
}

static void limit_holds(void **state)
{
	struct sock_config config = {.host = sock_host(layer), .limit = 2};
	struct sock_layer *other;

	(void)state;
	config.allocator.alloc = fake_alloc;
	config.allocator.free = fake_free;
	assert_int_equal(sock_layer_new(&config, 0, &other), 0);
	assert_int_equal(sock_socket(other, SOCK_AF_INET, true), 0);
	assert_int_equal(sock_socket(other, SOCK_AF_INET, true), 1);
	assert_int_equal(sock_socket(other, SOCK_AF_INET, true), -SOCK_EMFILE);
	assert_int_equal(sock_close(other, 0), 0);
	assert_int_equal(sock_socket(other, SOCK_AF_INET, true), 0);
	sock_layer_free(other);
}

static void freeing_closes(void **state)
{
	struct sock_config config = {.host = sock_host(layer)};
	struct parley_endpoint peer = end4(198, 51, 100, 2, 80);
	struct sock_layer *other;
	parley_conn conn;
	int fd;

	(void)state;
	config.allocator.alloc = fake_alloc;
	config.allocator.free = fake_free;
	assert_int_equal(sock_layer_new(&config, 0, &other), 0);
	fd = sock_socket(other, SOCK_AF_INET, true);
	assert_int_equal(sock_connect(other, fd, &peer), -PARLEY_EINPROGRESS);
	conn = sock_conn(other, fd);
	sock_layer_free(other);
	assert_true(fake_at(conn)->closed);
	assert_false(fake_at(conn)->aborted);
	assert_false(fake_at(conn)->owned);
}

static void nonblocking_flag(void **state)
{
	int fd = sock_socket(layer, SOCK_AF_INET, false);

	(void)state;
	assert_int_equal(sock_get_nonblock(layer, fd), 0);
	assert_int_equal(sock_set_nonblock(layer, fd, true), 0);
	assert_int_equal(sock_get_nonblock(layer, fd), 1);
	assert_int_equal(sock_get_nonblock(layer, fd + 1), -PARLEY_EBADF);
}

#define T(name) cmocka_unit_test_setup_teardown(name, layer_setup, layer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(lowest_is_given), T(closed_is_bad),  T(families),	    T(memory_runs_out),
		T(limit_holds),	    T(freeing_closes), T(nonblocking_flag),
	};

	return cmocka_run_group_tests_name("sock table", tests, NULL, NULL);
}
