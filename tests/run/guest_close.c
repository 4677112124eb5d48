/* SPDX-License-Identifier: MIT */
/* Closing: one way, both ways, with bytes unread, by force. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"

#define SIZE 300000

static void ignore_pipe(void)
{
	signal(SIGPIPE, SIG_IGN);
}

/* ---- half closed: the answer comes after the end of the question ---- */

static void half_server(void)
{
	int fd = tcp_accept_one();

	read_pattern(fd, 0, 1000);
	read_end(fd);
	EXPECT(look_for(fd, POLLRDHUP | POLLOUT) == (POLLRDHUP | POLLOUT));
	write_pattern(fd, 0, SIZE);
	close(fd);
}

static void half_client(void)
{
	int fd = tcp_connect();

	ignore_pipe();
	write_pattern(fd, 0, 1000);
	EXPECT(shutdown(fd, SHUT_WR) == 0);
	EXPECT_ERROR(EPIPE, write(fd, "x", 1));
	read_pattern(fd, 0, SIZE);
	read_end(fd);
	read_end(fd);
}

/* ---- the reading way alone ---- */

static void deaf_client(void)
{
	int fd = tcp_connect();

	EXPECT(shutdown(fd, SHUT_RD) == 0);
	read_end(fd);
	write_pattern(fd, 0, 1000);
	EXPECT(shutdown(fd, SHUT_WR) == 0);
	close(fd);
}

static void one_way_server(void)
{
	int fd = tcp_accept_one();

	read_pattern(fd, 0, 1000);
	read_end(fd);
}

/* ---- resets ---- */

static void by_force(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	EXPECT(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
	close(fd);
}

/* Reads what the peer wrote, then meets its reset. */
static void reset_server(void)
{
	int fd = tcp_accept_one();
	char byte;

	ignore_pipe();
	read_all(fd, &byte, 1);
	write_all(fd, "x", 1);
	EXPECT_ERROR(ECONNRESET, read(fd, &byte, 1));
	EXPECT(read(fd, &byte, 1) == 0);
	EXPECT_ERROR(EPIPE, write(fd, "x", 1));
}

static void force_client(void)
{
	int fd = tcp_connect();
	char byte;

	write_all(fd, "x", 1);
	read_all(fd, &byte, 1);
	by_force(fd);
}

/* Closed while what the server wrote is unread. */
static void unread_client(void)
{
	int fd = tcp_connect();

	write_all(fd, "x", 1);
	EXPECT(wait_for(fd, POLLIN) == POLLIN);
	close(fd);
}

/* Killed: the kernel closes, with bytes unread. */
static void killed_client(void)
{
	int fd = tcp_connect();

	write_all(fd, "x", 1);
	EXPECT(wait_for(fd, POLLIN) == POLLIN);
	raise(SIGKILL);
}

/* poll() and SO_ERROR tell of the reset as well, without a read. */
static void polled_reset_server(void)
{
	int fd = tcp_accept_one();
	char byte;

	read_all(fd, &byte, 1);
	write_all(fd, "x", 1);
	short events = wait_for(fd, POLLIN);
	EXPECT((events & (POLLIN | POLLHUP)) == (POLLIN | POLLHUP));
	EXPECT(socket_error(fd) == ECONNRESET);
	EXPECT(socket_error(fd) == 0);
}

/* A reset wakes whoever waits for room to write. */
static void writing_server(void)
{
	int fd = tcp_accept_one();
	static char much[65536];
	ssize_t n;

	ignore_pipe();
	say("writing");
	while ((n = write(fd, much, sizeof(much))) > 0)
		;
	EXPECT(n < 0 && (errno == ECONNRESET || errno == EPIPE));
}

static void wait_and_force_client(void)
{
	int fd = tcp_connect();
	char byte;

	read_all(fd, &byte, 1);
	by_force(fd);
}

/* ---- both at once; an end while the other still writes ---- */

static void close_at_once(void)
{
	close(tcp_connect());
}

static void closing_server(void)
{
	close(tcp_accept_one());
}

/* What was written before close() arrives, though the program has ended. */
static void leaving_server(void)
{
	int fd = tcp_accept_one();

	write_pattern(fd, 0, SIZE);
}

static void staying_client(void)
{
	int fd = tcp_connect();

	read_pattern(fd, 0, SIZE);
	read_end(fd);
	EXPECT(look_for(fd, POLLIN | POLLRDHUP) == (POLLIN | POLLRDHUP));
}

/* ---- a listener that ends ---- */

static void ended_listener(void)
{
	int fd = tcp_listen(PORT, SOCK_NONBLOCK);

	EXPECT(look_for(fd, POLLIN) == 0);
	EXPECT(shutdown(fd, SHUT_RDWR) == 0);
	EXPECT_ERROR(EINVAL, accept(fd, NULL, NULL));
}

const struct part close_parts[] = {
	{"half-server", half_server},
	{"half-client", half_client},
	{"deaf-client", deaf_client},
	{"one-way-server", one_way_server},
	{"reset-server", reset_server},
	{"force-client", force_client},
	{"unread-client", unread_client},
	{"killed-client", killed_client},
	{"polled-reset-server", polled_reset_server},
	{"writing-server", writing_server},
	{"wait-and-force-client", wait_and_force_client},
	{"close-at-once", close_at_once},
	{"closing-server", closing_server},
	{"leaving-server", leaving_server},
	{"staying-client", staying_client},
	{"ended-listener", ended_listener},
	{0},
};
