/* SPDX-License-Identifier: MIT */
/* The byte out of band: MSG_OOB, SO_OOBINLINE, the mark; as observed on Linux. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

#define assert_get(fd, flags, what)                                                   \
	do {                                                                          \
		assert_int_equal(get(fd, sizeof(text) - 1, flags), sizeof(what) - 1); \
		assert_string_equal(text, what);                                      \
	} while (0)

/* The peer sends text whose last byte is urgent. */
static void urgent(int fd, const char *what)
{
	fake_urgent(sock_conn(layer, fd), strlen(what));
	fake_deliver(sock_conn(layer, fd), what);
}

static void ordinary(int fd, const char *what)
{
	fake_deliver(sock_conn(layer, fd), what);
}

/* POLLIN and POLLPRI, at the mark, SIOCINQ: "IP@3" says all of them. */
static const char *state_of(int fd)
{
	static char state[32];
	uint32_t ready = sock_ready(layer, fd);

	snprintf(state, sizeof(state), "%s%s%s%d", ready & SOCK_POLLIN ? "I" : "",
		 ready & SOCK_POLLPRI ? "P" : "", sock_atmark(layer, fd) ? "@" : "",
		 (int)sock_inq(layer, fd));
	return state;
}

static void inline_mode(int fd)
{
	assert_int_equal(sock_set_int(layer, fd, SOCK_SOL_SOCKET, SOCK_SO_OOBINLINE, 1), 0);
}

static void taken_out_of_the_stream(void **state)
{
	int fd = fake_connected(true);

	(void)state;
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB), -PARLEY_EINVAL);
	urgent(fd, "abc!");
	ordinary(fd, "def");
	assert_string_equal(state_of(fd), "IP3");
	assert_get(fd, 0, "abc"); /* no farther than the mark */
	assert_string_equal(state_of(fd), "IP@0");
	assert_get(fd, SOCK_MSG_OOB | SOCK_MSG_PEEK, "!");
	assert_get(fd, SOCK_MSG_OOB, "!");
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB), -PARLEY_EINVAL);
	assert_string_equal(state_of(fd), "I@0");
	assert_get(fd, SOCK_MSG_PEEK, "def");
	assert_string_equal(state_of(fd), "I@0");
	assert_get(fd, 0, "def");
	assert_string_equal(state_of(fd), "0");
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB), -PARLEY_EINVAL);
}

/* Reading steps over it, and it is gone. */
static void lost_when_read_past(void **state)
{
	int fd = fake_connected(true);

	(void)state;
	urgent(fd, "!");
	assert_string_equal(state_of(fd), "P@0");
	assert_int_equal(get(fd, 1, 0), -PARLEY_EAGAIN);
	assert_string_equal(state_of(fd), "0");
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB), -PARLEY_EINVAL);
	urgent(fd, "abc!");
	fake_fin(sock_conn(layer, fd));
	assert_get(fd, 0, "abc");
	assert_int_equal(get(fd, 1, 0), 0);
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB), -PARLEY_EINVAL);
}

static void nothing_behind_the_byte(void **state)
{
	int fd = fake_connected(true);

	(void)state;
	urgent(fd, "!");
	assert_get(fd, SOCK_MSG_OOB, "!");
	assert_string_equal(state_of(fd), "@0");
	assert_int_equal(get(fd, 1, SOCK_MSG_PEEK), -PARLEY_EAGAIN);
	ordinary(fd, "x");
	assert_string_equal(state_of(fd), "I@0");
	assert_get(fd, 0, "x");
	assert_string_equal(state_of(fd), "0");
}

/* The last one wins; what was urgent before it is read like all else. */
static void the_last_wins(void **state)
{
	int fd = fake_connected(true);

	(void)state;
	urgent(fd, "ab1");
	urgent(fd, "cd2");
	assert_string_equal(state_of(fd), "IP5");
	assert_get(fd, 0, "ab1cd");
	assert_get(fd, SOCK_MSG_OOB, "2");
	assert_int_equal(get(fd, 1, 0), -PARLEY_EAGAIN);
	/* Even when it had been taken. */
	fd = fake_connected(true);
	urgent(fd, "ab1");
	assert_get(fd, SOCK_MSG_OOB, "1");
	urgent(fd, "cd2");
	assert_string_equal(state_of(fd), "IP5");
	assert_get(fd, 0, "ab1cd");
	assert_string_equal(state_of(fd), "P@0");
	/* But when it is the next byte to be read it is dropped. */
	fd = fake_connected(true);
	urgent(fd, "ab1");
	assert_get(fd, 0, "ab");
	urgent(fd, "cd2");
	assert_string_equal(state_of(fd), "IP2");
	assert_get(fd, 0, "cd");
	assert_get(fd, SOCK_MSG_OOB, "2");
}

static void in_line(void **state)
{
	int fd = fake_connected(true);

	(void)state;
	inline_mode(fd);
	urgent(fd, "abc!");
	ordinary(fd, "def");
	assert_string_equal(state_of(fd), "IP7");
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB), -PARLEY_EINVAL);
	assert_get(fd, 0, "abc");
	assert_string_equal(state_of(fd), "IP@4");
	assert_get(fd, SOCK_MSG_PEEK, "!def");
	assert_get(fd, 0, "!def");
	assert_string_equal(state_of(fd), "0");
	urgent(fd, "!");
	assert_string_equal(state_of(fd), "IP@1");
	assert_get(fd, 0, "!");
}

/* Told of before it comes, across FIN and RST. */
static void told_of_early(void **state)
{
	int fd = fake_connected(true);

	(void)state;
	fake_urgent(sock_conn(layer, fd), 3);
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB), -PARLEY_EAGAIN);
	assert_string_equal(state_of(fd), "0");
	ordinary(fd, "ab");
	assert_string_equal(state_of(fd), "I2");
	assert_get(fd, 0, "ab");
	assert_string_equal(state_of(fd), "@0");
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB), -PARLEY_EAGAIN);
	assert_int_equal(get(fd, 1, 0), -PARLEY_EAGAIN);
	ordinary(fd, "!");
	assert_get(fd, SOCK_MSG_OOB, "!");
	/* The pointer lay beyond the end. */
	fake_urgent(sock_conn(layer, fd), 5);
	fake_fin(sock_conn(layer, fd));
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB), 0);
	fd = fake_connected(true);
	urgent(fd, "abc!");
	assert_string_equal(state_of(fd), "IP3");
	fake_die(sock_conn(layer, fd), PARLEY_ECONNRESET);
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB), -PARLEY_ENOTCONN);
}

/* A read that waits for more ends at the mark, when it was begun before it. */
static void waiting_ends_at_the_mark(void **state)
{
	struct parley_buffer buffer = {text, 6};
	int fd = fake_connected(false);
	size_t done = 0;

	(void)state;
	ordinary(fd, "ab");
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, SOCK_MSG_WAITALL, &done), SOCK_WAIT);
	assert_int_equal(done, 2);
	urgent(fd, "c!");
	ordinary(fd, "defghij");
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, SOCK_MSG_WAITALL, &done), 3);
	assert_memory_equal(text, "abc", 3);
	done = 0;
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, SOCK_MSG_WAITALL, &done), 6);
	assert_memory_equal(text, "defghi", 6);
	/* The mark may come when the bytes before it have been taken. */
	done = 0;
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, SOCK_MSG_WAITALL, &done), SOCK_WAIT);
	assert_int_equal(done, 1);
	urgent(fd, "!");
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, SOCK_MSG_WAITALL, &done), 1);
	assert_get(fd, SOCK_MSG_OOB, "!");
}

static void into_many_buffers(void **state)
{
	struct parley_buffer buffers[] = {{text, 2}, {text + 2, 0}, {text + 2, 9}};
	int fd = fake_connected(true);

	(void)state;
	urgent(fd, "abc!");
	ordinary(fd, "def");
	assert_int_equal(sock_recv(layer, fd, buffers, 3, SOCK_MSG_PEEK, NULL), 3);
	assert_int_equal(sock_recv(layer, fd, buffers, 3, 0, NULL), 3);
	assert_memory_equal(text, "abc", 3);
	assert_int_equal(sock_recv(layer, fd, buffers, 3, SOCK_MSG_PEEK, NULL), 3);
	assert_memory_equal(text, "def", 3);
	assert_int_equal(sock_recv(layer, fd, buffers + 1, 2, SOCK_MSG_OOB, NULL), 1);
	assert_int_equal(text[2], '!');
	/* Nothing asked for, nothing stepped over. */
	assert_int_equal(sock_recv(layer, fd, buffers + 1, 1, 0, NULL), 0);
	assert_int_equal(sock_atmark(layer, fd), 1);
	/* Thrown away like others; up to the mark. */
	urgent(fd, "gh!");
	assert_int_equal(get(fd, 20, SOCK_MSG_TRUNC), 5);
	assert_string_equal(state_of(fd), "P@0");
	assert_int_equal(get(fd, 1, SOCK_MSG_OOB | SOCK_MSG_TRUNC), 1);
}

/* In place the byte stands in line, so that whoever passes the stream on finds it. */
static void in_place(void **state)
{
	struct parley_span spans[4];
	int fd = fake_connected(true);

	(void)state;
	urgent(fd, "abcdef!");
	ordinary(fd, "gh");
	assert_int_equal(sock_peek(layer, fd, spans, 4), 2);
	assert_int_equal(spans[0].len + spans[1].len, 6);
	assert_int_equal(sock_consume(layer, fd, 5), 0);
	assert_int_equal(sock_peek(layer, fd, spans, 4), 1);
	assert_int_equal(spans[0].len, 1);
	assert_int_equal(sock_atmark(layer, fd), 0);
	assert_int_equal(sock_consume(layer, fd, 1), 0);
	assert_int_equal(sock_atmark(layer, fd), 1);
	assert_int_equal(sock_peek(layer, fd, spans, 4), 2);
	assert_int_equal(spans[0].len + spans[1].len, 3);
	assert_memory_equal(spans[0].data, "!", 1);
	assert_int_equal(sock_consume(layer, fd, 1), 0);
	assert_int_equal(sock_atmark(layer, fd), 0);
	assert_string_equal(state_of(fd), "I2");
}

/* What came before accept(), and a socket that is used again. */
static void accepted_and_opened_again(void **state)
{
	struct parley_endpoint local = end4(0, 0, 0, 0, 80), peer = end4(198, 51, 100, 2, 80);
	int l = sock_socket(layer, SOCK_AF_INET, true), fd;
	parley_conn conn;

	(void)state;
	assert_int_equal(sock_bind(layer, l, &local), 0);
	assert_int_equal(sock_listen(layer, l, 4), 0);
	inline_mode(l);
	conn = fake_arrive(sock_conn(layer, l), end4(198, 51, 100, 2, 4000));
	fake_urgent(conn, 2);
	fake_at(conn)->events = 0;
	fake_deliver(conn, "a!");
	fd = sock_accept(layer, l, true, NULL);
	assert_true(fd >= 0);
	assert_string_equal(state_of(fd), "IP2");
	assert_get(fd, 0, "a");
	assert_string_equal(state_of(fd), "IP@1");
	assert_int_equal(sock_disconnect(layer, fd), 0);
	assert_int_equal(sock_connect(layer, fd, &peer), -PARLEY_EINPROGRESS);
	fake_establish(sock_conn(layer, fd));
	assert_int_equal(sock_atmark(layer, fd), 0);
	ordinary(fd, "b");
	assert_string_equal(state_of(fd), "I1");
	assert_int_equal(sock_atmark(layer, 99), -PARLEY_EBADF);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, layer_setup, layer_teardown)
	const struct CMUnitTest tests[] = {
		T(taken_out_of_the_stream),
		T(lost_when_read_past),
		T(nothing_behind_the_byte),
		T(the_last_wins),
		T(in_line),
		T(told_of_early),
		T(waiting_ends_at_the_mark),
		T(into_many_buffers),
		T(in_place),
		T(accepted_and_opened_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
