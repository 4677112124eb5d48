/* SPDX-License-Identifier: MIT */
/* send() and recv(): whole and in parts, flags, what is told when; as observed on Linux. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sock/sock.h"

#include "fake_parley.h"

static char text[64];

static int64_t get(int fd, size_t len, unsigned flags)
{
	struct parley_buffer buffer = {text, len};

	memset(text, 0, sizeof(text));
	return sock_recv(layer, fd, &buffer, 1, flags, NULL);
}

static int64_t put(int fd, const char *what, unsigned flags)
{
	struct parley_span span = {what, strlen(what)};

	return sock_send(layer, fd, &span, 1, flags, NULL);
}

static void fresh_socket(void **state)
{
	int fd = sock_socket(layer, SOCK_AF_INET, false);

	(void)state;
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLOUT | SOCK_POLLHUP);
	assert_int_equal(put(fd, "x", 0), -PARLEY_EPIPE);
	assert_int_equal(get(fd, 1, 0), -PARLEY_ENOTCONN);
	assert_int_equal(sock_shutdown(layer, fd, SOCK_SHUT_RDWR), -PARLEY_ENOTCONN);
	assert_int_equal(sock_ready(layer, fd),
			 SOCK_POLLIN | SOCK_POLLOUT | SOCK_POLLHUP | SOCK_POLLRDHUP);
	assert_int_equal(get(fd, 1, 0), 0);
	assert_int_equal(sock_inq(layer, fd), 0);
	assert_int_equal(sock_consume(layer, fd, 0), -PARLEY_ENOTCONN);
}

static void while_connecting(void **state)
{
	struct parley_endpoint peer = end4(198, 51, 100, 2, 80);
	int fd = sock_socket(layer, SOCK_AF_INET, true);

	(void)state;
	assert_int_equal(sock_connect(layer, fd, &peer), -PARLEY_EINPROGRESS);
	assert_int_equal(put(fd, "x", 0), -PARLEY_EAGAIN);
	assert_int_equal(get(fd, 1, 0), -PARLEY_EAGAIN);
	assert_int_equal(sock_set_nonblock(layer, fd, false), 0);
	assert_int_equal(put(fd, "x", 0), SOCK_WAIT);
	assert_int_equal(put(fd, "x", SOCK_MSG_DONTWAIT), -PARLEY_EAGAIN);
	assert_int_equal(get(fd, 1, 0), SOCK_WAIT);
}

static void sends_in_parts(void **state)
{
	struct parley_span spans[] = {{"abc", 3}, {"", 0}, {"defgh", 5}, {"ij", 2}};
	int fd = fake_connected(false);
	struct fake_conn *c = fake_of(fd);
	size_t done = 0;

	(void)state;
	c->room = 4;
	assert_int_equal(sock_send(layer, fd, spans, 4, 0, &done), SOCK_WAIT);
	assert_int_equal(done, 4);
	assert_int_equal(sock_send(layer, fd, spans, 4, 0, &done), SOCK_WAIT);
	c->room = 5;
	assert_int_equal(sock_send(layer, fd, spans, 4, 0, &done), SOCK_WAIT);
	c->room = 5;
	assert_int_equal(sock_send(layer, fd, spans, 4, 0, &done), 10);
	assert_int_equal(c->out_len, 10);
	assert_memory_equal(c->out, "abcdefghij", 10);
}

static void sends_what_fits(void **state)
{
	int fd = fake_connected(true);

	(void)state;
	fake_of(fd)->room = 3;
	assert_int_equal(put(fd, "abcdef", 0), 3);
	assert_int_equal(put(fd, "def", 0), -PARLEY_EAGAIN);
	assert_int_equal(sock_ready(layer, fd), 0);
	fake_room(sock_conn(layer, fd), 10);
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLOUT);
	/* A blocking one without a place for its progress, too. */
	assert_int_equal(sock_set_nonblock(layer, fd, false), 0);
	fake_of(fd)->room = 2;
	assert_int_equal(put(fd, "def", 0), 2);
	assert_int_equal(put(fd, "f", 0), SOCK_WAIT);
	assert_int_equal(put(fd, "", 0), 0);
}

static void many_spans(void **state)
{
	struct parley_span spans[200];
	uint8_t bytes[200];
	int fd = fake_connected(true), i;

	(void)state;
	for (i = 0; i < 200; i++) {
		bytes[i] = (uint8_t)(i * 7);
		spans[i].data = &bytes[i];
		spans[i].len = 1;
	}
	assert_int_equal(sock_send(layer, fd, spans, 200, 0, NULL), 200);
	assert_memory_equal(fake_of(fd)->out, bytes, 200);
	assert_int_equal(fake_of(fd)->last_flags, 0);
	assert_int_equal(sock_send(layer, fd, spans, 1, SOCK_MSG_MORE, NULL), 1);
	assert_int_equal(fake_of(fd)->last_flags, PARLEY_SEND_MORE);
	assert_int_equal(sock_send(layer, fd, spans, 200, SOCK_MSG_OOB, NULL), 200);
	assert_int_equal(fake_of(fd)->last_flags, PARLEY_SEND_URGENT);
	assert_int_equal(sock_commit(layer, fd, 1, SOCK_MSG_OOB), 1);
	assert_int_equal(fake_of(fd)->last_flags, PARLEY_SEND_URGENT);
}

/* The bytes that were taken count; the error waits for the next call. */
static void dies_while_sending(void **state)
{
	struct parley_span span = {"abcdef", 6};
	int fd = fake_connected(false);
	size_t done = 0;

	(void)state;
	fake_of(fd)->room = 4;
	assert_int_equal(sock_send(layer, fd, &span, 1, 0, &done), SOCK_WAIT);
	fake_die(sock_conn(layer, fd), PARLEY_ECONNRESET);
	assert_int_equal(sock_send(layer, fd, &span, 1, 0, &done), 4);
	done = 0;
	assert_int_equal(sock_send(layer, fd, &span, 1, 0, &done), -PARLEY_ECONNRESET);
	assert_int_equal(sock_send(layer, fd, &span, 1, 0, &done), -PARLEY_EPIPE);
	assert_int_equal(get(fd, 1, 0), 0);
}

static void receives(void **state)
{
	int fd = fake_connected(true);

	(void)state;
	assert_int_equal(get(fd, 5, 0), -PARLEY_EAGAIN);
	fake_deliver(sock_conn(layer, fd), "hello world");
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLIN | SOCK_POLLOUT);
	assert_int_equal(sock_inq(layer, fd), 11);
	assert_int_equal(get(fd, 5, 0), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(get(fd, 3, SOCK_MSG_PEEK), 3);
	assert_string_equal(text, " wo");
	assert_int_equal(get(fd, 3, SOCK_MSG_TRUNC), 3);
	assert_string_equal(text, "");
	assert_int_equal(get(fd, 50, 0), 3);
	assert_string_equal(text, "rld");
	fake_fin(sock_conn(layer, fd));
	assert_int_equal(get(fd, 50, 0), 0);
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLIN | SOCK_POLLRDHUP | SOCK_POLLOUT);
	assert_int_equal(get(fd, 50, 0), 0);
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB), -PARLEY_EINVAL);
}

static void into_several_buffers(void **state)
{
	char a[3] = "", b[4] = "", c[9] = "";
	struct parley_buffer buffers[] = {{a, 2}, {NULL, 0}, {b, 3}, {c, 8}};
	int fd = fake_connected(false);
	size_t done = 0;

	(void)state;
	fake_deliver(sock_conn(layer, fd), "abc");
	assert_int_equal(sock_recv(layer, fd, buffers, 4, SOCK_MSG_PEEK, NULL), 3);
	assert_string_equal(a, "ab");
	assert_string_equal(b, "c");
	assert_int_equal(sock_recv(layer, fd, buffers, 4, SOCK_MSG_WAITALL, &done), SOCK_WAIT);
	assert_int_equal(done, 3);
	fake_deliver(sock_conn(layer, fd), "defghij");
	assert_int_equal(sock_recv(layer, fd, buffers, 4, SOCK_MSG_WAITALL, &done), SOCK_WAIT);
	fake_deliver(sock_conn(layer, fd), "klmnop");
	assert_int_equal(sock_recv(layer, fd, buffers, 4, SOCK_MSG_WAITALL, &done), 13);
	assert_string_equal(b, "cde");
	assert_string_equal(c, "fghijklm");
	assert_int_equal(sock_inq(layer, fd), 3);
}

static void waitall_ends_with_the_stream(void **state)
{
	struct parley_buffer buffer = {text, 20};
	int fd = fake_connected(false);
	size_t done = 0;

	(void)state;
	fake_deliver(sock_conn(layer, fd), "abc");
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, SOCK_MSG_WAITALL, &done), SOCK_WAIT);
	fake_fin(sock_conn(layer, fd));
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, SOCK_MSG_WAITALL, &done), 3);
	done = 0;
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, SOCK_MSG_WAITALL, &done), 0);
}

static void low_water_mark(void **state)
{
	struct parley_buffer buffer = {text, 20};
	int fd = fake_connected(false);
	size_t done = 0;

	(void)state;
	assert_int_equal(sock_set_int(layer, fd, SOCK_SOL_SOCKET, SOCK_SO_RCVLOWAT, 4), 0);
	fake_deliver(sock_conn(layer, fd), "abc");
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLOUT);
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, 0, &done), SOCK_WAIT);
	fake_deliver(sock_conn(layer, fd), "d");
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, 0, &done), 4);
	fake_deliver(sock_conn(layer, fd), "efgh");
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLIN | SOCK_POLLOUT);
	/* Fewer are enough for a small buffer. */
	assert_int_equal(get(fd, 2, 0), 2);
	assert_int_equal(get(fd, 2, 0), 2);
}

static void reset_behind_a_fin(void **state)
{
	int fd = fake_connected(true);

	(void)state;
	fake_fin(sock_conn(layer, fd));
	fake_die(sock_conn(layer, fd), PARLEY_ECONNRESET);
	assert_int_equal(sock_ready(layer, fd),
			 SOCK_POLLIN | SOCK_POLLOUT | SOCK_POLLERR | SOCK_POLLHUP | SOCK_POLLRDHUP);
	assert_int_equal(sock_error(layer, fd), PARLEY_EPIPE);
	assert_int_equal(get(fd, 1, 0), 0);
	assert_int_equal(put(fd, "x", 0), -PARLEY_EPIPE);
	assert_int_equal(sock_shutdown(layer, fd, SOCK_SHUT_WR), -PARLEY_ENOTCONN);
}

/* What the host keeps of a dead connection is read first. */
static void bytes_before_the_error(void **state)
{
	int fd = fake_connected(true);

	(void)state;
	fake_deliver(sock_conn(layer, fd), "last words");
	fake_die(sock_conn(layer, fd), PARLEY_ETIMEDOUT);
	assert_int_equal(get(fd, 5, 0), 5);
	assert_int_equal(get(fd, 50, 0), 5);
	assert_int_equal(get(fd, 50, 0), -PARLEY_ETIMEDOUT);
	assert_int_equal(get(fd, 50, 0), 0);
	assert_int_equal(sock_error(layer, fd), 0);
}

static void shut_for_reading(void **state)
{
	int fd = fake_connected(false);

	(void)state;
	assert_int_equal(sock_shutdown(layer, fd, SOCK_SHUT_RD), 0);
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLIN | SOCK_POLLOUT | SOCK_POLLRDHUP);
	assert_int_equal(get(fd, 1, 0), 0);
	fake_deliver(sock_conn(layer, fd), "x");
	assert_int_equal(get(fd, 1, 0), 1);
	assert_int_equal(get(fd, 1, 0), 0);
	assert_int_equal(put(fd, "y", 0), 1);
}

static void shut_for_writing(void **state)
{
	struct parley_endpoint name;
	int fd = fake_connected(true);

	(void)state;
	assert_int_equal(sock_shutdown(layer, fd, 3), -PARLEY_EINVAL);
	assert_int_equal(sock_shutdown(layer, fd, -1), -PARLEY_EINVAL);
	assert_int_equal(sock_shutdown(layer, fd, SOCK_SHUT_WR), 0);
	assert_true(fake_of(fd)->shut);
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLOUT);
	assert_int_equal(put(fd, "x", 0), -PARLEY_EPIPE);
	assert_int_equal(sock_shutdown(layer, fd, SOCK_SHUT_WR), 0);
	assert_int_equal(sock_getpeername(layer, fd, &name), 0);
	fake_deliver(sock_conn(layer, fd), "x");
	assert_int_equal(get(fd, 1, 0), 1);
	fake_fin(sock_conn(layer, fd));
	assert_int_equal(sock_ready(layer, fd),
			 SOCK_POLLIN | SOCK_POLLOUT | SOCK_POLLHUP | SOCK_POLLRDHUP);
	fake_die(sock_conn(layer, fd), 0);
	assert_int_equal(get(fd, 1, 0), 0);
	assert_int_equal(sock_getpeername(layer, fd, &name), -PARLEY_ENOTCONN);
}

static void in_place(void **state)
{
	struct parley_span spans[4];
	struct parley_buffer buffers[4];
	int fd = fake_connected(false);

	(void)state;
	assert_int_equal(sock_peek(layer, fd, spans, 4), SOCK_WAIT);
	fake_deliver(sock_conn(layer, fd), "abcd");
	assert_int_equal(sock_peek(layer, fd, spans, 4), 2);
	assert_memory_equal(spans[1].data, "cd", 2);
	assert_int_equal(sock_consume(layer, fd, 5), -PARLEY_EINVAL);
	assert_int_equal(sock_consume(layer, fd, 4), 0);
	fake_fin(sock_conn(layer, fd));
	assert_int_equal(sock_peek(layer, fd, spans, 4), 0);

	assert_int_equal(sock_reserve(layer, fd, 3, buffers, 4), 1);
	memcpy(buffers[0].data, "xyz", 3);
	assert_int_equal(sock_commit(layer, fd, 3, SOCK_MSG_MORE), 3);
	assert_memory_equal(fake_of(fd)->out, "xyz", 3);
	assert_int_equal(fake_of(fd)->last_flags, PARLEY_SEND_MORE);
	fake_of(fd)->room = 0;
	assert_int_equal(sock_reserve(layer, fd, 3, buffers, 4), SOCK_WAIT);
	assert_int_equal(sock_outq(layer, fd), 3);
	assert_int_equal(sock_shutdown(layer, fd, SOCK_SHUT_WR), 0);
	assert_int_equal(sock_reserve(layer, fd, 3, buffers, 4), -PARLEY_EPIPE);
	assert_int_equal(sock_commit(layer, fd, 3, 0), -PARLEY_EPIPE);
	assert_int_equal(sock_set_nonblock(layer, fd, true), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, layer_setup, layer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(fresh_socket),     T(while_connecting),     T(sends_in_parts),
		T(sends_what_fits),  T(many_spans),	      T(dies_while_sending),
		T(receives),	     T(into_several_buffers), T(waitall_ends_with_the_stream),
		T(low_water_mark),   T(reset_behind_a_fin),   T(bytes_before_the_error),
		T(shut_for_reading), T(shut_for_writing),     T(in_place),
	};

	return cmocka_run_group_tests_name("sock stream", tests, NULL, NULL);
}
