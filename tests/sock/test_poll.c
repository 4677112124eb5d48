/* SPDX-License-Identifier: MIT */
/* Waits, deadlines, watches and levels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sock/sock.h"

#include "fake_parley.h"

#define S UINT64_C(1000000000)

/* A wait that remembers how it was resumed. */
struct waiter {
	struct sock_wait wait;
	int resumed;
	/* Closed, or another's wait cancelled, when resumed. */
	int close_fd;
	struct sock_wait *cancel;
};

static void resumed(struct sock_wait *wait, void *context)
{
	struct waiter *w = context;

	assert_ptr_equal(wait, &w->wait);
	w->resumed++;
	if (w->close_fd >= 0)
		assert_int_equal(sock_close(layer, w->close_fd), 0);
	if (w->cancel)
		sock_wait_cancel(w->cancel);
}

static void waiter_init(struct waiter *w, uint32_t wanted)
{
	memset(w, 0, sizeof(*w));
	w->wait.resume = resumed;
	w->wait.context = w;
	w->wait.wanted = wanted;
	w->close_fd = -1;
}

static void set_timeout(int fd, int name, int64_t sec, int64_t usec)
{
	struct sock_timeval tv = {sec, usec};

	assert_int_equal(sock_setsockopt(layer, fd, SOCK_SOL_SOCKET, name, &tv, sizeof(tv)), 0);
}

static void resumed_once(void **state)
{
	char byte;
	struct parley_buffer buffer = {&byte, 1};
	int fd = fake_connected(false);
	struct waiter w;

	(void)state;
	waiter_init(&w, 0);
	sock_poll(layer, 2000);
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, 0, NULL), SOCK_WAIT);
	assert_int_equal(sock_wait_for(layer, fd, SOCK_OP_RECV, &w.wait), 0);
	assert_int_equal(sock_wait_for(layer, fd, SOCK_OP_RECV, &w.wait), -PARLEY_EALREADY);
	assert_true(sock_deadline(layer) == SOCK_NEVER);
	/* What is no reason resumes nobody. */
	fake_room(sock_conn(layer, fd), 5000);
	assert_int_equal(sock_poll(layer, 3000), 0);
	fake_deliver(sock_conn(layer, fd), "x");
	assert_int_equal(sock_poll(layer, 4000), 1);
	assert_int_equal(w.resumed, 1);
	assert_int_equal(w.wait.why, SOCK_READY);
	assert_int_equal(sock_poll(layer, 5000), 0);
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, 0, NULL), 1);
}

static void what_holds_is_told_next(void **state)
{
	int fd = fake_connected(false);
	struct waiter w;

	(void)state;
	sock_poll(layer, 2000);
	waiter_init(&w, SOCK_POLLOUT);
	assert_int_equal(sock_wait_add(layer, fd, &w.wait), 0);
	assert_int_equal(w.resumed, 0);
	assert_true(sock_deadline(layer) == 2000);
	assert_int_equal(sock_poll(layer, 2000), 1);
	assert_int_equal(w.resumed, 1);
}

static void errors_are_always_waited_for(void **state)
{
	int fd = fake_connected(false);
	struct waiter w;

	(void)state;
	waiter_init(&w, SOCK_POLLPRI);
	assert_int_equal(sock_wait_add(layer, fd, &w.wait), 0);
	assert_int_equal(sock_poll(layer, 2000), 0);
	fake_die(sock_conn(layer, fd), PARLEY_ETIMEDOUT);
	assert_int_equal(sock_poll(layer, 2000), 1);
	assert_int_equal(sock_error(layer, fd), PARLEY_ETIMEDOUT);
}

static void times_out(void **state)
{
	char byte;
	struct parley_buffer buffer = {&byte, 1};
	struct parley_endpoint peer = end4(198, 51, 100, 2, 80);
	int fd = fake_connected(false), other = sock_socket(layer, SOCK_AF_INET, false);
	struct waiter w, c;

	(void)state;
	sock_poll(layer, 1 * S);
	set_timeout(fd, SOCK_SO_RCVTIMEO, 2, 500000);
	set_timeout(other, SOCK_SO_SNDTIMEO, 1, 0);
	waiter_init(&w, 0);
	waiter_init(&c, 0);
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, 0, NULL), SOCK_WAIT);
	assert_int_equal(sock_wait_for(layer, fd, SOCK_OP_RECV, &w.wait), 0);
	assert_true(sock_deadline(layer) == 3 * S + S / 2);
	assert_int_equal(sock_connect(layer, other, &peer), SOCK_WAIT);
	assert_int_equal(sock_wait_for(layer, other, SOCK_OP_CONNECT, &c.wait), 0);
	sock_poll(layer, 1 * S);
	assert_true(sock_deadline(layer) == 2 * S);
	assert_int_equal(sock_poll(layer, 2 * S), 1);
	assert_int_equal(c.wait.why, SOCK_TIMEOUT);
	assert_int_equal(sock_timeout_result(SOCK_OP_CONNECT, 0), -PARLEY_EINPROGRESS);
	assert_int_equal(sock_connect(layer, other, &peer), SOCK_WAIT);
	/* Woken for nothing, the deadline stays what it was. */
	fake_deliver(sock_conn(layer, fd), "x");
	assert_int_equal(sock_poll(layer, 3 * S), 1);
	assert_int_equal(w.wait.why, SOCK_READY);
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, 0, NULL), 1);
	assert_int_equal(sock_wait_for(layer, fd, SOCK_OP_RECV, &w.wait), 0);
	assert_int_equal(sock_poll(layer, 3 * S + S / 2 - 1), 0);
	assert_int_equal(sock_poll(layer, 3 * S + S / 2), 1);
	assert_int_equal(w.wait.why, SOCK_TIMEOUT);
	assert_true(sock_deadline(layer) == SOCK_NEVER);
	assert_int_equal(sock_timeout_result(SOCK_OP_RECV, 0), -PARLEY_EAGAIN);
	assert_int_equal(sock_timeout_result(SOCK_OP_SEND, 7), 7);
}

static void no_time_at_all(void **state)
{
	char byte;
	struct parley_buffer buffer = {&byte, 1};
	int fd = fake_connected(false);

	(void)state;
	set_timeout(fd, SOCK_SO_RCVTIMEO, -1, 0);
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, 0, NULL), -PARLEY_EAGAIN);
	set_timeout(fd, SOCK_SO_RCVTIMEO, 0, 0);
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, 0, NULL), SOCK_WAIT);
}

static void deadlines_in_order(void **state)
{
	static const uint64_t at[] = {50, 20, 40, 20, 60, 10, 30};
	struct waiter w[7];
	int fd = sock_socket(layer, SOCK_AF_INET, false), i, left = 7;
	struct parley_endpoint peer = end4(198, 51, 100, 2, 80);
	uint64_t now;

	(void)state;
	assert_int_equal(sock_connect(layer, fd, &peer), SOCK_WAIT);
	for (i = 0; i < 7; i++) {
		waiter_init(&w[i], SOCK_POLLIN);
		w[i].wait.deadline = at[i] * S;
		assert_int_equal(sock_wait_add(layer, fd, &w[i].wait), 0);
	}
	sock_wait_cancel(&w[2].wait);
	sock_wait_cancel(&w[2].wait);
	left--;
	sock_poll(layer, 1 * S);
	for (now = 10; now <= 60; now += 10) {
		int due = 0;

		for (i = 0; i < 7; i++)
			due += i != 2 && at[i] == now;
		if (due)
			assert_true(sock_deadline(layer) == now * S);
		assert_int_equal(sock_poll(layer, now * S), due);
		left -= due;
	}
	assert_int_equal(left, 0);
	assert_int_equal(w[2].resumed, 0);
}

static void peeking_at_all(void **state)
{
	char text[8];
	struct parley_buffer buffer = {text, 6};
	unsigned flags = SOCK_MSG_PEEK | SOCK_MSG_WAITALL;
	int fd = fake_connected(false);
	struct waiter w;

	(void)state;
	waiter_init(&w, 0);
	fake_deliver(sock_conn(layer, fd), "abc");
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, flags, NULL), SOCK_WAIT);
	assert_int_equal(sock_wait_for(layer, fd, SOCK_OP_RECV, &w.wait), 0);
	/* What lies there already does not wake it again and again. */
	assert_int_equal(sock_poll(layer, 2000), 0);
	fake_deliver(sock_conn(layer, fd), "de");
	assert_int_equal(sock_poll(layer, 2000), 0);
	fake_deliver(sock_conn(layer, fd), "fg");
	assert_int_equal(sock_poll(layer, 2000), 1);
	assert_int_equal(sock_recv(layer, fd, &buffer, 1, flags, NULL), 6);
	assert_memory_equal(text, "abcdef", 6);
	assert_int_equal(sock_inq(layer, fd), 7);
}

static void closing_ends_waits(void **state)
{
	int fd = fake_connected(false);
	struct waiter w;

	(void)state;
	sock_poll(layer, 2000);
	waiter_init(&w, SOCK_POLLIN);
	w.wait.deadline = 10 * S;
	assert_int_equal(sock_wait_add(layer, fd, &w.wait), 0);
	assert_int_equal(sock_close(layer, fd), 0);
	assert_int_equal(w.resumed, 0);
	assert_true(sock_deadline(layer) == 2000);
	assert_int_equal(sock_poll(layer, 2000), 1);
	assert_int_equal(w.wait.why, SOCK_CLOSED);
	assert_true(sock_deadline(layer) == SOCK_NEVER);
	assert_int_equal(sock_wait_add(layer, fd, &w.wait), -PARLEY_EBADF);
}

static void lingering_is_waited_for(void **state)
{
	struct sock_linger linger = {1, 5};
	int fd = fake_connected(false), other = fake_connected(false);
	struct waiter w, o;

	(void)state;
	sock_poll(layer, 1 * S);
	sock_setsockopt(layer, fd, SOCK_SOL_SOCKET, SOCK_SO_LINGER, &linger, sizeof(linger));
	sock_setsockopt(layer, other, SOCK_SOL_SOCKET, SOCK_SO_LINGER, &linger, sizeof(linger));
	waiter_init(&w, 0);
	waiter_init(&o, 0);
	assert_int_equal(sock_wait_for(layer, fd, SOCK_OP_CLOSE, &w.wait), -PARLEY_EBADF);
	assert_int_equal(sock_close(layer, fd), SOCK_WAIT);
	assert_int_equal(sock_close(layer, other), SOCK_WAIT);
	assert_int_equal(sock_wait_for(layer, fd, SOCK_OP_CLOSE, &w.wait), 0);
	assert_int_equal(sock_wait_for(layer, other, SOCK_OP_CLOSE, &o.wait), 0);
	assert_true(sock_deadline(layer) == 6 * S);
	assert_int_equal(sock_poll(layer, 2 * S), 0);
	fake_die(1, 0);
	assert_int_equal(sock_poll(layer, 3 * S), 1);
	assert_int_equal(w.resumed, 1);
	assert_int_equal(sock_close(layer, fd), 0);
	assert_int_equal(sock_poll(layer, 6 * S), 1);
	assert_int_equal(o.wait.why, SOCK_TIMEOUT);
	assert_int_equal(sock_close(layer, other), 0);
}

/* Whoever is resumed may close the socket and cancel whoever would be next. */
static void resumed_acts(void **state)
{
	int fd = fake_connected(false), other = fake_connected(false);
	struct waiter first, second, third, last;

	(void)state;
	waiter_init(&first, SOCK_POLLIN);
	waiter_init(&second, SOCK_POLLIN);
	waiter_init(&third, SOCK_POLLPRI);
	waiter_init(&last, SOCK_POLLIN);
	assert_int_equal(sock_wait_add(layer, fd, &first.wait), 0);
	assert_int_equal(sock_wait_add(layer, fd, &second.wait), 0);
	assert_int_equal(sock_wait_add(layer, fd, &third.wait), 0);
	assert_int_equal(sock_wait_add(layer, other, &last.wait), 0);
	first.close_fd = fd;
	first.cancel = &second.wait;
	fake_deliver(sock_conn(layer, fd), "x");
	fake_deliver(sock_conn(layer, other), "x");
	assert_int_equal(sock_poll(layer, 2000), 3);
	assert_int_equal(first.resumed, 1);
	assert_int_equal(second.resumed, 0);
	assert_int_equal(third.wait.why, SOCK_CLOSED);
	assert_int_equal(last.resumed, 1);
}

/* A wait that is always satisfied and always renewed does not keep sock_poll() busy for ever. */
static void renew(struct sock_wait *wait, void *context)
{
	++*(int *)context;
	assert_int_equal(sock_wait_add(layer, wait->fd, wait), 0);
}

static void renewed_for_ever(void **state)
{
	int fd = fake_connected(false), other = fake_connected(false), calls = 0;
	struct sock_wait wait = {.wanted = SOCK_POLLOUT, .resume = renew, .context = &calls};
	struct sock_wait second = wait;

	(void)state;
	assert_int_equal(sock_wait_add(layer, fd, &wait), 0);
	assert_int_equal(sock_wait_add(layer, other, &second), 0);
	assert_int_equal(sock_poll(layer, 2000), 2);
	assert_true(sock_deadline(layer) == 2000);
	assert_int_equal(sock_poll(layer, 2000), 2);
	assert_int_equal(calls, 4);
	sock_wait_cancel(&wait);
	sock_wait_cancel(&second);
	assert_int_equal(sock_poll(layer, 2000), 0);
}

struct seen {
	int count, fd;
	uint32_t ready;
};

static void watched(struct sock_watch *watch, int fd, uint32_t ready)
{
	struct seen *seen = watch->context;

	seen->count++;
	seen->fd = fd;
	seen->ready = ready;
}

static void watch_sees_edges(void **state)
{
	int fd = fake_connected(true);
	struct seen seen = {0, -1, 0};
	struct sock_watch watch = {watched, &seen};
	uint64_t generation;

	(void)state;
	assert_int_equal(sock_watch_set(layer, fd, &watch), 0);
	assert_int_equal(sock_poll(layer, 2000), 1);
	assert_int_equal(seen.ready, SOCK_POLLOUT);
	assert_int_equal(seen.fd, fd);
	generation = sock_generation(layer, fd);
	assert_int_equal(sock_poll(layer, 2000), 0);
	assert_true(sock_generation(layer, fd) == generation);
	/* Each arrival is an edge, though the level holds already. */
	fake_deliver(sock_conn(layer, fd), "a");
	assert_int_equal(sock_poll(layer, 2000), 1);
	fake_deliver(sock_conn(layer, fd), "b");
	assert_true(sock_generation(layer, fd) > generation);
	assert_int_equal(sock_poll(layer, 2000), 1);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.ready, SOCK_POLLIN | SOCK_POLLOUT);
	assert_int_equal(sock_shutdown(layer, fd, SOCK_SHUT_WR), 0);
	fake_fin(sock_conn(layer, fd));
	assert_int_equal(sock_poll(layer, 2000), 1);
	assert_int_equal(seen.ready, SOCK_POLLIN | SOCK_POLLOUT | SOCK_POLLHUP | SOCK_POLLRDHUP);
	assert_int_equal(sock_watch_set(layer, fd, NULL), 0);
	fake_die(sock_conn(layer, fd), 0);
	assert_int_equal(sock_poll(layer, 2000), 0);
}

/* SHLD-20 */
static void urgent_and_soft(void **state)
{
	int fd = fake_connected(true);

	(void)state;
	fake_urgent(sock_conn(layer, fd), 1);
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLOUT);
	fake_deliver(sock_conn(layer, fd), "!");
	assert_int_equal(sock_ready(layer, fd), SOCK_POLLPRI | SOCK_POLLOUT);
	/* What is not fatal is told only to those who ask, once. */
	fake_of(fd)->events |= PARLEY_SOFT_ERROR;
	fake_of(fd)->error = PARLEY_EHOSTUNREACH;
	assert_false(sock_ready(layer, fd) & SOCK_POLLERR);
	assert_int_equal(sock_error(layer, fd), PARLEY_EHOSTUNREACH);
	assert_int_equal(sock_error(layer, fd), 0);
}

/* An event for an earlier owner of the descriptor concerns nobody. */
static void stale_events(void **state)
{
	int fd = fake_connected(true), again;
	parley_conn conn = sock_conn(layer, fd);

	(void)state;
	assert_int_equal(sock_close(layer, fd), 0);
	again = fake_connected(true);
	assert_int_equal(again, fd);
	fake_at(conn)->owned = true;
	fake_die(conn, PARLEY_ECONNRESET);
	assert_int_equal(sock_error(layer, again), 0);
	assert_int_equal(sock_ready(layer, again), SOCK_POLLOUT);
	fake_at(conn)->owned = false;
}

#define T(name) cmocka_unit_test_setup_teardown(name, layer_setup, layer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(resumed_once),
		T(what_holds_is_told_next),
		T(errors_are_always_waited_for),
		T(times_out),
		T(no_time_at_all),
		T(deadlines_in_order),
		T(peeking_at_all),
		T(closing_ends_waits),
		T(lingering_is_waited_for),
		T(resumed_acts),
		T(renewed_for_ever),
		T(watch_sees_edges),
		T(urgent_and_soft),
		T(stale_events),
	};

	return cmocka_run_group_tests_name("sock poll", tests, NULL, NULL);
}
