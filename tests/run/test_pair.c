/* SPDX-License-Identifier: MIT */
/* What the kernel does with a pair of Unix sockets, as far as run/pair.h stands on it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act.h"
#include "run/pair.h"

static short levels(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	assert_true(poll(&poll_fd, 1, 0) >= 0);
	return poll_fd.revents;
}

static int open_pair(void **state)
{
	struct pair *pair = malloc(sizeof(*pair));

	if (!pair || pair_open(pair, false))
		return -1;
	*state = pair;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *pair = *state;

	close(pair->ours);
	close(pair->theirs);
	free(pair);
	return 0;
}

static void test_open(void **state)
{
	struct pair *pair = *state, other;
	int dup_of_theirs = dup(pair->theirs);

	assert_false(pair_nonblocking(pair->theirs));
	assert_true(pair_nonblocking(pair->ours));
	assert_int_equal(pair_inode(dup_of_theirs), pair->inode);
	assert_true(pair_inode(pair->ours) != pair->inode);
	close(dup_of_theirs);
	assert_int_equal(pair_inode(dup_of_theirs), 0);
	assert_int_equal(pair_open(&other, true), 0);
	assert_true(pair_nonblocking(other.theirs));
	assert_true(other.inode != pair->inode);
	close(other.ours);
	close(other.theirs);
}

static void assert_edge(int epoll, uint32_t bits)
{
	struct epoll_event event;

	assert_int_equal(epoll_wait(epoll, &event, 1, 0), bits ? 1 : 0);
	if (bits)
		assert_true(event.events & bits);
}

static int watch_edges(int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
	int epoll = epoll_create1(0);

	assert_true(epoll >= 0);
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
	return epoll;
}

/* Reading at our end stops at the byte out of band, which stands in line there. */
static void test_mark(void **state)
{
	struct pair *pair = *state;
	char bytes[8];

	assert_false(pair_at_mark(pair->ours));
	assert_int_equal(send(pair->theirs, "abc!", 4, MSG_OOB), 4);
	assert_int_equal(send(pair->theirs, "de", 2, 0), 2);
	assert_int_equal(pair_unread(pair->ours), 6);
	assert_false(pair_at_mark(pair->ours));
	assert_int_equal(read(pair->ours, bytes, sizeof(bytes)), 3);
	assert_true(pair_at_mark(pair->ours));
	assert_int_equal(pair_unread(pair->ours), 3);
	assert_int_equal(read(pair->ours, bytes, 1), 1);
	assert_int_equal(bytes[0], '!');
	assert_false(pair_at_mark(pair->ours));
	assert_int_equal(read(pair->ours, bytes, sizeof(bytes)), 2);
	/* The last one is marked; the one before is like others. */
	assert_int_equal(send(pair->theirs, "1", 1, MSG_OOB), 1);
	assert_int_equal(send(pair->theirs, "2", 1, MSG_OOB), 1);
	assert_false(pair_at_mark(pair->ours));
	assert_int_equal(read(pair->ours, bytes, sizeof(bytes)), 1);
	assert_true(pair_at_mark(pair->ours));
	assert_int_equal(read(pair->ours, bytes, 1), 1);
	assert_int_equal(bytes[0], '2');
	assert_int_equal(pair_unread(pair->ours), 0);
}

/* And the other way the program has it out of line, or in line when it asks for that. */
static void test_urgent_to_the_program(void **state)
{
	struct pair *pair = *state;
	char bytes[8];

	assert_int_equal(write(pair->ours, "ab", 2), 2);
	assert_true(pair_pass_urgent(pair->ours, '!'));
	assert_int_equal(write(pair->ours, "cd", 2), 2);
	assert_int_equal(read(pair->theirs, bytes, sizeof(bytes)), 2);
	assert_int_equal(recv(pair->theirs, bytes, 1, MSG_OOB), 1);
	assert_int_equal(bytes[0], '!');
	assert_int_equal(read(pair->theirs, bytes, sizeof(bytes)), 2);
	pair_set_inline(pair->theirs, true);
	assert_true(pair_pass_urgent(pair->ours, '!'));
	assert_int_equal(read(pair->theirs, bytes, sizeof(bytes)), 1);
	assert_int_equal(bytes[0], '!');
}

/* A connection that is being made is not writable; then it is, and not a byte is lost. */
static void test_fill(void **state)
{
	struct pair *pair = *state;
	char byte;
	size_t filled = pair_fill(pair->theirs);
	int epoll = watch_edges(pair->theirs);

	assert_true(filled > 0);
	assert_edge(epoll, 0);
	assert_int_equal(levels(pair->theirs), 0);
	assert_int_equal(send(pair->theirs, "x", 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(pair_fill(pair->theirs), 0);

	assert_int_equal(pair_drain(pair->ours, filled - 1), filled - 1);
	assert_edge(epoll, EPOLLOUT);
	assert_int_equal(levels(pair->theirs), POLLOUT);
	assert_int_equal(send(pair->theirs, "x", 1, MSG_DONTWAIT), 1);
	assert_int_equal(pair_drain(pair->ours, 1), 1);
	assert_int_equal(pair_unread(pair->ours), 1);
	assert_int_equal(recv(pair->ours, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(pair_drain(pair->ours, 10), 0);
	close(epoll);
}

static void test_half_close(void **state)
{
	struct pair *pair = *state;
	char byte;
	int epoll = watch_edges(pair->ours);

	assert_edge(epoll, EPOLLOUT);
	assert_int_equal(send(pair->theirs, "x", 1, 0), 1);
	assert_int_equal(shutdown(pair->theirs, SHUT_WR), 0);
	assert_edge(epoll, EPOLLRDHUP);
	assert_int_equal(levels(pair->ours), POLLIN | POLLOUT | POLLRDHUP);
	assert_int_equal(recv(pair->ours, &byte, 1, 0), 1);
	assert_int_equal(recv(pair->ours, &byte, 1, 0), 0);
	assert_int_equal(send(pair->ours, "y", 1, 0), 1);
	assert_int_equal(levels(pair->theirs), POLLIN | POLLOUT);
	assert_int_equal(recv(pair->theirs, &byte, 1, 0), 1);
	assert_int_equal(byte, 'y');
	/* Both ways are closed: it looks as if the program had closed its end. */
	assert_int_equal(shutdown(pair->ours, SHUT_WR), 0);
	assert_edge(epoll, EPOLLHUP);
	assert_true(levels(pair->theirs) & POLLHUP);
	close(epoll);
}

static void test_close(void **state)
{
	struct pair *pair = *state;
	char byte;

	assert_int_equal(send(pair->theirs, "x", 1, 0), 1);
	close(pair->theirs);
	pair->theirs = -1;
	assert_int_equal(levels(pair->ours), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	assert_int_equal(recv(pair->ours, &byte, 1, 0), 1);
	assert_int_equal(recv(pair->ours, &byte, 1, 0), 0);
	assert_int_equal(send(pair->ours, "y", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
}

static void test_close_with_unread(void **state)
{
	struct pair *pair = *state;

	assert_false(pair_undelivered(pair->ours));
	assert_int_equal(send(pair->ours, "x", 1, 0), 1);
	assert_true(pair_undelivered(pair->ours));
	close(pair->theirs);
	pair->theirs = -1;
	assert_true(levels(pair->ours) & POLLERR);
	assert_false(pair_undelivered(pair->ours));
}

static void close_ours(struct pair *pair)
{
	close(pair->ours);
	pair->ours = -1;
}

static void assert_reset(struct pair *pair)
{
	char byte;

	close_ours(pair);
	assert_true(levels(pair->theirs) & POLLERR);
	assert_int_equal(recv(pair->theirs, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(recv(pair->theirs, &byte, 1, 0), 0);
}

static void test_plant(void **state)
{
	struct pair *pair = *state;

	assert_true(pair_plant(pair->theirs));
	assert_int_equal(pair_unread(pair->ours), 1);
	assert_reset(pair);
}

static void test_plant_before_half_close(void **state)
{
	struct pair *pair = *state;

	assert_true(pair_plant(pair->theirs));
	assert_int_equal(shutdown(pair->theirs, SHUT_WR), 0);
	assert_false(pair_plant(pair->theirs));
	assert_reset(pair);
}

/* A full way takes the byte as well, and as much as before afterwards. */
static void test_plant_when_full(void **state)
{
	struct pair *pair = *state;
	size_t filled = pair_fill(pair->theirs);

	for (int i = 0; i < 3; i++) {
		assert_true(pair_plant(pair->theirs));
		assert_int_equal(pair_unread(pair->ours), ++filled);
	}
	assert_int_equal(send(pair->theirs, "x", 1, MSG_DONTWAIT), -1);
	assert_int_equal(pair_drain(pair->ours, filled), filled);
	filled = pair_fill(pair->theirs);
	assert_int_equal(pair_drain(pair->ours, filled), filled);
	assert_true(filled < 300000);
	assert_true(pair_plant(pair->theirs));
	assert_reset(pair);
}

/* Taken back in time, the planted byte does no harm: an end, and no error. */
static void test_plant_taken_back(void **state)
{
	struct pair *pair = *state;
	char byte;

	assert_true(pair_plant(pair->theirs));
	assert_int_equal(shutdown(pair->theirs, SHUT_WR), 0);
	assert_int_equal(pair_drain(pair->ours, 1), 1);
	close_ours(pair);
	assert_int_equal(recv(pair->theirs, &byte, 1, 0), 0);
}

static void test_signal(void **state)
{
	struct pair *pair = *state;
	int epoll = watch_edges(pair->theirs), count = 0;

	assert_edge(epoll, EPOLLOUT);
	for (int i = 0; i < 3; i++) {
		assert_true(pair_signal(pair->ours));
		assert_edge(epoll, EPOLLIN);
		assert_edge(epoll, 0);
	}
	for (int i = 0; i < 3; i++) {
		assert_true(levels(pair->theirs) & POLLIN);
		assert_true(pair_unsignal(pair->theirs));
	}
	assert_false(levels(pair->theirs) & POLLIN);
	assert_false(pair_unsignal(pair->theirs));
	while (pair_signal(pair->ours))
		count++;
	assert_in_range(count, 100, 10000);
	close(epoll);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_mark, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_urgent_to_the_program, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_fill, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_half_close, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_close, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_close_with_unread, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_plant, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_plant_before_half_close, open_pair,
						close_pair),
		cmocka_unit_test_setup_teardown(test_plant_when_full, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_plant_taken_back, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_signal, open_pair, close_pair),
	};

	return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
