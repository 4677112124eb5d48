/* SPDX-License-Identifier: MIT */
/* Opening: connect that does not wait, calls that signals interrupt, names and options. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "guest.h"

static int connect_to(int fd, const char *address, unsigned port)
{
	struct sockaddr_in name = name_of(address, port);

	return connect(fd, (struct sockaddr *)&name, sizeof(name));
}

/* ---- a server for all of these: echoes on any number of connections, by turns ---- */

static void echo_server(void)
{
	int listener = tcp_listen(PORT, 0);
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0)
		echo(fd);
}

static void expect_echo(int fd)
{
	write_pattern(fd, 0, 1000);
	read_pattern(fd, 0, 1000);
}

/* ---- connect() that does not wait ---- */

static void nonblocking_client(void)
{
	int fd = tcp_socket(SOCK_NONBLOCK);
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	EXPECT_ERROR(EINPROGRESS, connect_to(fd, SERVER, PORT));
	EXPECT(look_for(fd, POLLIN | POLLOUT) == 0);
	EXPECT_ERROR(EALREADY, connect_to(fd, SERVER, PORT));
	EXPECT_ERROR(ENOTCONN, getpeername(fd, (struct sockaddr *)&peer, &len));
	EXPECT_ERROR(EAGAIN, write(fd, "early", 5));
	EXPECT(wait_for(fd, POLLOUT) == POLLOUT);
	EXPECT(socket_error(fd) == 0);
	EXPECT(connect_to(fd, SERVER, PORT) == 0);
	EXPECT_ERROR(EISCONN, connect_to(fd, SERVER, PORT));
	EXPECT(getpeername(fd, (struct sockaddr *)&peer, &len) == 0);
	EXPECT(len == sizeof(peer) && peer.sin_port == htons(PORT));
	expect_echo(fd);
}

/* Edges for the connection, then for the answer, then for the end. */
static void edge_client(void)
{
	int fd = tcp_socket(SOCK_NONBLOCK);
	int epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};

	EXPECT_ERROR(EINPROGRESS, connect_to(fd, SERVER, PORT));
	EXPECT(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
	EXPECT(epoll_wait(epoll, &event, 1, -1) == 1 && event.events == EPOLLOUT);
	/* There may be more of that kind, as there may be in Linux, and of no other. */
	while (epoll_wait(epoll, &event, 1, 0) == 1)
		EXPECT(event.events == EPOLLOUT);
	write_all(fd, "x", 1);
	do {
		EXPECT(epoll_wait(epoll, &event, 1, -1) == 1);
	} while (!(event.events & EPOLLIN));
	EXPECT((event.events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) == 0);
	EXPECT(shutdown(fd, SHUT_WR) == 0);
	while (!(event.events & EPOLLRDHUP))
		EXPECT(epoll_wait(epoll, &event, 1, -1) == 1);
	EXPECT(event.events & EPOLLHUP);
}

/* ---- signals ---- */

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
	(void)number;
	signals++;
}

/* A signal every 50 ms, which restarts calls or does not, until stop_alarms(). */
static void start_alarms(int flags)
{
	struct sigaction action = {.sa_handler = count_signal, .sa_flags = flags};
	struct itimerval every = {{.tv_usec = 50000}, {.tv_usec = 50000}};

	signals = 0;
	EXPECT(sigaction(SIGALRM, &action, NULL) == 0);
	EXPECT(setitimer(ITIMER_REAL, &every, NULL) == 0);
}

static void stop_alarms(void)
{
	struct itimerval never = {{0}, {0}};

	EXPECT(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

/* A blocked accept() is interrupted; once restarted, it goes on and loses nothing. */
static void signals_server(void)
{
	int listener = tcp_listen(PORT, 0);

	start_alarms(0);
	EXPECT_ERROR(EINTR, accept(listener, NULL, NULL));
	EXPECT(signals > 0);
	start_alarms(SA_RESTART);
	say("interrupted");
	for (int i = 0; i < 20; i++) {
		int fd = accept(listener, NULL, NULL);
		EXPECT(fd >= 0);
		echo(fd);
	}
	stop_alarms();
}

static void signals_client(void)
{
	start_alarms(SA_RESTART);
	for (int i = 0; i < 20; i++) {
		int fd = tcp_connect();
		expect_echo(fd);
		close(fd);
	}
	stop_alarms();
}

/* A connect() that a signal ends: they go on coming, for the first may come before the call. */
static int interrupted_connect(void)
{
	int fd = tcp_socket(0);

	start_alarms(0);
	EXPECT_ERROR(EINTR, connect_to(fd, SERVER, PORT));
	stop_alarms();
	return fd;
}

/* Interrupted without restart the connection is made all the same, in the background. */
static void interrupted_client(void)
{
	int fd = interrupted_connect();

	EXPECT(wait_for(fd, POLLOUT) == POLLOUT);
	EXPECT(socket_error(fd) == 0);
	expect_echo(fd);
	close(fd);
	fd = interrupted_connect();
	EXPECT(connect_to(fd, SERVER, PORT) == 0);
	EXPECT_ERROR(EISCONN, connect_to(fd, SERVER, PORT));
	expect_echo(fd);
}

/* ---- time-outs ---- */

static void timeouts(void)
{
	struct timeval timeout = {.tv_usec = 100000};
	int listener = tcp_listen(PORT, 0);
	int fd = tcp_socket(0);

	EXPECT(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0);
	EXPECT_ERROR(EAGAIN, accept(listener, NULL, NULL));
	EXPECT(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0);
	EXPECT_ERROR(EINPROGRESS, connect_to(fd, "10.0.0.99", PORT));
	EXPECT_ERROR(EALREADY, connect_to(fd, "10.0.0.99", PORT));
}

/* ---- names ---- */

static void expect_name(const struct sockaddr_in *name, socklen_t len, const char *address)
{
	EXPECT(len == sizeof(*name) && name->sin_family == AF_INET);
	EXPECT(name->sin_addr.s_addr == name_of(address, 0).sin_addr.s_addr);
}

static void names_server(void)
{
	int listener = tcp_listen(PORT, 0);
	struct sockaddr_in name;
	socklen_t len = sizeof(name);
	int fd = accept(listener, (struct sockaddr *)&name, &len);

	EXPECT(fd >= 0);
	expect_name(&name, len, CLIENT);
	EXPECT(name.sin_port == htons(4321));
	EXPECT(getsockname(fd, (struct sockaddr *)&name, &len) == 0);
	expect_name(&name, len, SERVER);
	EXPECT(name.sin_port == htons(PORT));
	len = 4; /* as much as there is room for, and the whole length */
	memset(&name, 0xff, sizeof(name));
	EXPECT(getpeername(fd, (struct sockaddr *)&name, &len) == 0);
	EXPECT(len == sizeof(name) && name.sin_port == htons(4321));
	EXPECT(name.sin_addr.s_addr == 0xffffffff);
	EXPECT(getsockname(listener, (struct sockaddr *)&name, &len) == 0);
	expect_name(&name, len, "0.0.0.0");
	echo(fd);
}

static void names_client(void)
{
	struct sockaddr_in name = name_of(CLIENT, 4321);
	socklen_t len = sizeof(name);
	int fd = tcp_socket(0);

	EXPECT(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	EXPECT_ERROR(EINVAL, bind(fd, (struct sockaddr *)&name, sizeof(name)));
	EXPECT(connect_to(fd, SERVER, PORT) == 0);
	EXPECT(getsockname(fd, (struct sockaddr *)&name, &len) == 0);
	expect_name(&name, len, CLIENT);
	EXPECT(name.sin_port == htons(4321));
	EXPECT(getpeername(fd, (struct sockaddr *)&name, &len) == 0);
	expect_name(&name, len, SERVER);
	expect_echo(fd);
}

/* ---- options ---- */

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	EXPECT(getsockopt(fd, level, name, &value, &len) == 0 && len == sizeof(value));
	return value;
}

static void set_option(int fd, int level, int name, int value)
{
	EXPECT(setsockopt(fd, level, name, &value, sizeof(value)) == 0);
}

static void expect_tcp_info(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	EXPECT(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
	EXPECT(info.tcpi_state == TCP_ESTABLISHED);
	EXPECT(info.tcpi_snd_mss > 500 && info.tcpi_snd_mss <= 1460);
	EXPECT(info.tcpi_rtt > 0);
}

static void options_client(void)
{
	int listener = tcp_listen(81, 0);
	int fd = tcp_socket(0);

	EXPECT(option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET);
	EXPECT(option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
	EXPECT(option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP);
	EXPECT(option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 0);
	EXPECT(option(listener, SOL_SOCKET, SO_ACCEPTCONN) == 1);
	EXPECT(option(fd, IPPROTO_TCP, TCP_NODELAY) == 0);
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, SOL_SOCKET, SO_RCVBUF, 30000);
	EXPECT(connect_to(fd, SERVER, PORT) == 0);
	EXPECT(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
	EXPECT(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
	EXPECT(option(fd, SOL_SOCKET, SO_RCVBUF) == 60000);
	EXPECT(option(fd, IPPROTO_TCP, TCP_MAXSEG) > 500);
	expect_echo(fd);
	expect_tcp_info(fd);
	EXPECT_ERROR(ENOPROTOOPT, setsockopt(fd, IPPROTO_TCP, 9999, &fd, sizeof(fd)));
	EXPECT_ERROR(EFAULT, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, (void *)8, sizeof(int)));
}

/* ---- what is no TCP socket stays the kernel's ---- */

static void others(void)
{
	struct sockaddr_un_like {
		sa_family_t family;
		char path[20];
	} name = {.family = AF_UNIX, .path = "\0parley-guest"};
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	int fd;
	socklen_t len = sizeof(name);

	EXPECT(udp >= 0 && option(udp, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM);
	EXPECT(bind(server, (struct sockaddr *)&name, sizeof(sa_family_t)) == 0);
	EXPECT(getsockname(server, (struct sockaddr *)&name, &len) == 0);
	EXPECT(listen(server, 1) == 0);
	EXPECT(connect(client, (struct sockaddr *)&name, len) == 0);
	fd = accept(server, NULL, NULL);
	EXPECT(fd >= 0);
	write_all(client, "x", 1);
	EXPECT(shutdown(client, SHUT_WR) == 0);
	char byte;
	read_all(fd, &byte, 1);
	read_end(fd);
	EXPECT_ERROR(EBADF, listen(999, 1));
	EXPECT_ERROR(ENOTSOCK, listen(STDIN_FILENO, 1));
}

const struct part open_parts[] = {
	{"echo-server", echo_server},
	{"nonblocking-client", nonblocking_client},
	{"edge-client", edge_client},
	{"signals-server", signals_server},
	{"signals-client", signals_client},
	{"interrupted-client", interrupted_client},
	{"timeouts", timeouts},
	{"names-server", names_server},
	{"names-client", names_client},
	{"options-client", options_client},
	{"others", others},
	{0},
};
