/* SPDX-License-Identifier: MIT */
/* Errors, as a kernel gives them. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"

static int connect_to(int fd, const char *address)
{
	struct sockaddr_in name = name_of(address, PORT);

	return connect(fd, (struct sockaddr *)&name, sizeof(name));
}

static int bind_to(int fd, const char *address, unsigned port)
{
	struct sockaddr_in name = name_of(address, port);

	return bind(fd, (struct sockaddr *)&name, sizeof(name));
}

/* A connect that waits fails with it, and the socket is good for another. */
static void expect_blocking(const char *address, int error)
{
	int fd = tcp_socket(0);

	EXPECT_ERROR(error, connect_to(fd, address));
	EXPECT(socket_error(fd) == 0);
	EXPECT_ERROR(error, connect_to(fd, address));
	close(fd);
}

/* One that does not wait tells it once: by SO_ERROR, or by another connect. */
static void expect_nonblocking(const char *address, int error)
{
	int first = tcp_socket(SOCK_NONBLOCK), second = tcp_socket(SOCK_NONBLOCK);

	EXPECT_ERROR(EINPROGRESS, connect_to(first, address));
	EXPECT_ERROR(EINPROGRESS, connect_to(second, address));
	EXPECT(wait_for(first, POLLOUT) & POLLOUT);
	EXPECT(socket_error(first) == error);
	EXPECT(socket_error(first) == 0);
	EXPECT(wait_for(second, POLLOUT) & POLLOUT);
	EXPECT_ERROR(error, connect_to(second, address));
	close(first);
	close(second);
}

/* Somebody is there, who does not listen. */
static void refused(void)
{
	expect_blocking(SERVER, ECONNREFUSED);
	expect_nonblocking(SERVER, ECONNREFUSED);
}

/* Nobody is there: ARP goes unanswered. */
static void no_host(void)
{
	pid_t pid = fork();

	EXPECT(pid >= 0);
	if (pid == 0) {
		expect_nonblocking("10.0.0.99", EHOSTUNREACH);
		_exit(0);
	}
	expect_blocking("10.0.0.99", EHOSTUNREACH);
	wait_child(pid);
}

/* No route leads there: known at once. */
static void no_network(void)
{
	int fd = tcp_socket(SOCK_NONBLOCK);

	EXPECT_ERROR(ENETUNREACH, connect_to(fd, "192.0.2.1"));
	EXPECT(socket_error(fd) == 0);
	expect_blocking("192.0.2.1", ENETUNREACH);
}

static void binding(void)
{
	int first = tcp_socket(0), second = tcp_socket(0);
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	EXPECT_ERROR(EADDRNOTAVAIL, bind_to(first, "10.0.0.99", 4000));
	EXPECT_ERROR(EAFNOSUPPORT, bind(first, &(struct sockaddr){.sa_family = AF_INET6}, 16));
	EXPECT_ERROR(EINVAL, bind(first, (struct sockaddr *)&name, 3));
	EXPECT_ERROR(EFAULT, bind(first, (struct sockaddr *)8, sizeof(name)));
	EXPECT(bind_to(first, "0.0.0.0", 4000) == 0);
	EXPECT_ERROR(EADDRINUSE, bind_to(second, "0.0.0.0", 4000));
	EXPECT_ERROR(EADDRINUSE, bind_to(second, CLIENT, 4000));
	EXPECT(bind_to(second, "0.0.0.0", 0) == 0);
	EXPECT(getsockname(second, (struct sockaddr *)&name, &len) == 0 && name.sin_port != 0);
	EXPECT(listen(first, 1) == 0);
	close(first);
	first = tcp_socket(0);
	EXPECT(bind_to(first, "0.0.0.0", 4000) == 0);
}

/* Calls in states that they do not fit. */
static void states(void)
{
	int fd = tcp_socket(0);
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	EXPECT_ERROR(EINVAL, accept(fd, NULL, NULL));
	EXPECT_ERROR(ENOTCONN, getpeername(fd, (struct sockaddr *)&name, &len));
	EXPECT_ERROR(ENOTCONN, shutdown(fd, SHUT_RDWR));
	EXPECT(bind_to(fd, "0.0.0.0", 4000) == 0);
	EXPECT(listen(fd, 1) == 0);
	EXPECT_ERROR(EISCONN, connect_to(fd, SERVER));
	EXPECT_ERROR(ENOTCONN, getpeername(fd, (struct sockaddr *)&name, &len));
	EXPECT_ERROR(EINVAL, accept4(fd, NULL, NULL, 1));
	EXPECT_ERROR(EAFNOSUPPORT, connect(tcp_socket(0), &(struct sockaddr){.sa_family = 77}, 16));
}

/* What is written before there is a connection goes nowhere. */
static void early(void)
{
	int fd = tcp_socket(SOCK_NONBLOCK);

	signal(SIGPIPE, SIG_IGN);
	EXPECT(write(fd, "x", 1) == -1);
	EXPECT(connect_to(fd, SERVER) == -1 && errno == EINPROGRESS);
	wait_for(fd, POLLOUT);
	EXPECT(socket_error(fd) == 0);
	write_all(fd, "y", 1);
	char byte;
	read_all(fd, &byte, 1);
	EXPECT(byte == 'y');
}

/* accept() has no descriptor left: the connection waits until there is one. */
static void full_server(void)
{
	int listener = tcp_listen(PORT, 0);
	int spare[1024], n = 0;

	while (n < 1024 && (spare[n] = dup(listener)) >= 0)
		n++;
	EXPECT(n < 1024);
	wait_for(listener, POLLIN);
	EXPECT_ERROR(EMFILE, accept(listener, NULL, NULL));
	EXPECT_ERROR(EMFILE, accept(listener, NULL, NULL));
	EXPECT_ERROR(EMFILE, socket(AF_INET, SOCK_STREAM, 0));
	EXPECT(look_for(listener, POLLIN) == POLLIN);
	while (n > 0)
		close(spare[--n]);
	int fd = accept(listener, NULL, NULL);
	EXPECT(fd >= 0);
	echo(fd);
}

const struct part error_parts[] = {
	{"refused", refused},	      {"no-host", no_host},
	{"no-network", no_network},   {"binding", binding},
	{"states", states},	      {"early", early},
	{"full-server", full_server}, {0},
};
