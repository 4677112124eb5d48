/* SPDX-License-Identifier: MIT */
/*
 * Turns that connections take seldom: calls that another thread ends, sockets taken back, both ways
 * shut, and no descriptors left. Both ends are here, over the host's loopback.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "guest.h"

#define LOOPBACK "127.0.0.1"
#define NOBODY	 "10.0.0.99"

static int listen_at(unsigned port, int flags)
{
	struct sockaddr_in name = name_of("0.0.0.0", port);
	int fd = tcp_socket(flags);
	int one = 1;

	EXPECT(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
	EXPECT(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	EXPECT(listen(fd, 64) == 0);
	return fd;
}

static int connect_to(int fd, const char *address, unsigned port)
{
	struct sockaddr_in name = name_of(address, port);

	return connect(fd, (struct sockaddr *)&name, sizeof(name));
}

static int take_back(int fd)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	return connect(fd, &none, sizeof(none));
}

/* The two ends of a connection over loopback: ends[0] was made by connect(). */
static void connect_ends(int ends[2])
{
	int listener = listen_at(PORT, 0);

	ends[0] = tcp_socket(0);
	EXPECT(connect_to(ends[0], LOOPBACK, PORT) == 0);
	ends[1] = accept(listener, NULL, NULL);
	EXPECT(ends[1] >= 0);
	close(listener);
}

static void wait_state(int fd, uint8_t state)
{
	struct tcp_info info = {0};

	while (info.tcpi_state != state) {
		socklen_t len = sizeof(info);
		EXPECT(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
	}
}

/* ---- what an accepted socket has from its listener holds for read() and write() as well ---- */

static void inherited(void)
{
	struct timeval timeout = {.tv_usec = 10000};
	static char much[65536];
	int listener = listen_at(PORT, 0);
	int client = tcp_socket(0);
	ssize_t n;

	EXPECT(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0);
	EXPECT(setsockopt(listener, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0);
	EXPECT(connect_to(client, LOOPBACK, PORT) == 0);
	wait_for(listener, POLLIN);
	int fd = accept(listener, NULL, NULL);
	EXPECT(fd >= 0);
	EXPECT_ERROR(EAGAIN, read(fd, much, 1));
	while ((n = write(fd, much, sizeof(much))) > 0)
		;
	EXPECT(n == -1 && errno == EAGAIN);
}

/* ---- connect() that is cut short, and fails later ---- */

static pthread_t connecting;

static void note_signal(int number)
{
	(void)number;
}

/* A signal before anything was begun would be another matter. */
static void *interrupt(void *socket)
{
	wait_state(*(int *)socket, TCP_SYN_SENT);
	EXPECT(pthread_kill(connecting, SIGALRM) == 0);
	return NULL;
}

static void interrupted_failure(void)
{
	struct sigaction action = {.sa_handler = note_signal};
	int fd = tcp_socket(0);
	pthread_t thread;

	EXPECT(sigaction(SIGALRM, &action, NULL) == 0);
	connecting = pthread_self();
	EXPECT(pthread_create(&thread, NULL, interrupt, &fd) == 0);
	EXPECT_ERROR(EINTR, connect_to(fd, NOBODY, PORT));
	EXPECT(pthread_join(thread, NULL) == 0);
	EXPECT(wait_for(fd, POLLOUT) & POLLOUT);
	EXPECT(socket_error(fd) == EHOSTUNREACH);
}

/* ---- connect() that another thread gives up ---- */

static void *connect_in_thread(void *socket)
{
	static int error;

	error = connect_to(*(int *)socket, NOBODY, PORT) ? errno : 0;
	return &error;
}

static void give_up(int (*how)(int fd))
{
	int fd = tcp_socket(0);
	pthread_t thread;
	void *error;

	EXPECT(pthread_create(&thread, NULL, connect_in_thread, &fd) == 0);
	wait_state(fd, TCP_SYN_SENT);
	EXPECT(how(fd) == 0);
	EXPECT(pthread_join(thread, &error) == 0);
	/* Linux says the one before version 6.7, the other since then. */
	EXPECT(*(int *)error == ECONNRESET || *(int *)error == EPIPE);
	close(fd);
}

static int shut_both(int fd)
{
	return shutdown(fd, SHUT_RDWR);
}

static void given_up(void)
{
	give_up(shut_both);
	give_up(take_back);
}

/* ---- both ways shut ---- */

/* Whoever goes on sending is told by a reset that nobody reads it. */
static void write_in_vain(int fd)
{
	static char much[65536];
	size_t most = (size_t)64 << 20;
	ssize_t n = 1;

	signal(SIGPIPE, SIG_IGN);
	for (size_t sent = 0; n > 0; sent += (size_t)n) {
		EXPECT(sent < most);
		n = write(fd, much, sizeof(much));
	}
	EXPECT(n == -1 && (errno == ECONNRESET || errno == EPIPE));
}

static void sent_in_vain(void)
{
	int ends[2];

	connect_ends(ends);
	EXPECT(shutdown(ends[1], SHUT_RDWR) == 0);
	read_end(ends[0]);
	write_in_vain(ends[0]);
}

/* The same when it was closed as well. */
static void sent_to_closed(void)
{
	int ends[2];

	connect_ends(ends);
	EXPECT(shutdown(ends[1], SHUT_RDWR) == 0);
	close(ends[1]);
	read_end(ends[0]);
	write_in_vain(ends[0]);
}

/* A second shutdown() is as good as the first, as long as the peer has not closed. */
static void shut_twice(void)
{
	int ends[2];

	connect_ends(ends);
	EXPECT(shutdown(ends[1], SHUT_RDWR) == 0);
	wait_state(ends[1], TCP_FIN_WAIT2);
	EXPECT(shutdown(ends[1], SHUT_RDWR) == 0);
	EXPECT(shutdown(ends[1], SHUT_WR) == 0);
	EXPECT_ERROR(EINVAL, shutdown(ends[1], 3));
	close(ends[0]);
	wait_state(ends[1], TCP_CLOSE);
	EXPECT_ERROR(ENOTCONN, shutdown(ends[1], SHUT_RDWR));
}

/* ---- connect() to no family ---- */

/* A socket whose connection has ended can be taken back, and does not harm others. */
static void ended_and_taken_back(void)
{
	struct linger force = {.l_onoff = 1, .l_linger = 0};
	int ends[2];
	char byte;

	connect_ends(ends);
	EXPECT(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &force, sizeof(force)) == 0);
	close(ends[1]);
	EXPECT_ERROR(ECONNRESET, read(ends[0], &byte, 1));
	EXPECT(take_back(ends[0]) == 0);
	EXPECT(take_back(ends[0]) == 0);
	/* In Linux it is as good as new; here it is none any more. */
	EXPECT_ERROR(EISCONN, connect_to(ends[0], LOOPBACK, PORT));
	EXPECT_ERROR(EINVAL, listen(ends[0], 1));
	close(ends[0]);
	connect_ends(ends);
	write_pattern(ends[0], 0, 1000);
	read_pattern(ends[1], 0, 1000);
}

/* What announced connections to a listener is not read from the connection that it becomes. */
static void listener_taken_back(void)
{
	int other = listen_at(81, 0), fd = listen_at(PORT, 0), client = tcp_socket(0);

	EXPECT(connect_to(client, LOOPBACK, PORT) == 0);
	EXPECT(wait_for(fd, POLLIN) == POLLIN);
	EXPECT(take_back(fd) == 0);
	EXPECT(connect_to(fd, LOOPBACK, 81) == 0);
	int end = accept(other, NULL, NULL);
	EXPECT(end >= 0);
	write_pattern(end, 1, 1000);
	read_pattern(fd, 1, 1000);
}

/* ---- a listener that pauses ---- */

/* shutdown() wakes who polls, and listen() or connect() makes it of use again. */
static void paused_listener(void)
{
	int fd = listen_at(PORT, SOCK_NONBLOCK), client = tcp_socket(0);

	EXPECT(shutdown(fd, SHUT_RDWR) == 0);
	EXPECT(wait_for(fd, POLLIN) != 0);
	EXPECT_ERROR(EINVAL, accept(fd, NULL, NULL));
	EXPECT_ERROR(ECONNREFUSED, connect_to(client, LOOPBACK, PORT));
	EXPECT(listen(fd, 64) == 0);
	EXPECT(look_for(fd, POLLIN) == 0);
	EXPECT(connect_to(client, LOOPBACK, PORT) == 0);
	EXPECT(wait_for(fd, POLLIN) == POLLIN);
	int end = accept(fd, NULL, NULL);
	EXPECT(end >= 0);
	close(client);
	read_end(end);
	EXPECT(shutdown(fd, SHUT_RD) == 0);
	int other = listen_at(81, 0);
	EXPECT_ERROR(EINPROGRESS, connect_to(fd, LOOPBACK, 81));
	end = accept(other, NULL, NULL);
	EXPECT(end >= 0);
	EXPECT(wait_for(fd, POLLOUT) == POLLOUT);
	write_pattern(fd, 1, 1000);
	read_pattern(end, 1, 1000);
	write_pattern(end, 1, 1000);
	read_pattern(fd, 1, 1000);
}

/* ---- no descriptors left, neither here nor at the supervisor's ---- */

static void expect_names(int listener)
{
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	EXPECT(getsockname(listener, (struct sockaddr *)&name, &len) == 0);
	EXPECT(name.sin_family == AF_INET && name.sin_port == htons(PORT));
}

static void exhausted(void)
{
	int listener = listen_at(PORT, SOCK_NONBLOCK), client = tcp_socket(SOCK_NONBLOCK);
	int last, more;

	EXPECT_ERROR(EINPROGRESS, connect_to(client, LOOPBACK, PORT));
	EXPECT(wait_for(listener, POLLIN) == POLLIN);
	last = tcp_socket(0);
	while ((more = socket(AF_INET, SOCK_STREAM, 0)) >= 0)
		last = more;
	EXPECT(errno == EMFILE);
	expect_names(listener);
	EXPECT_ERROR(EMFILE, accept(listener, NULL, NULL));
	EXPECT(look_for(listener, POLLIN) == POLLIN);
	EXPECT(wait_for(client, POLLOUT) == POLLOUT && socket_error(client) == 0);
	close(last);
	int fd;
	while ((fd = accept(listener, NULL, NULL)) < 0)
		EXPECT(errno == EMFILE); /* until the supervisor has seen it closed */
	write_pattern(client, 0, 1000);
	read_pattern(fd, 0, 1000);
}

const struct part turn_parts[] = {
	{"inherited", inherited},
	{"interrupted-failure", interrupted_failure},
	{"given-up", given_up},
	{"sent-in-vain", sent_in_vain},
	{"sent-to-closed", sent_to_closed},
	{"shut-twice", shut_twice},
	{"ended-and-taken-back", ended_and_taken_back},
	{"listener-taken-back", listener_taken_back},
	{"paused-listener", paused_listener},
	{"exhausted", exhausted},
	{0},
};
