/* SPDX-License-Identifier: MIT */
/* Bytes: by threads and processes, through duplicates, by every call that moves them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest.h"

#define THREADS	    4
#define CONNECTIONS 3 /* of each thread or process */
#define SIZE	    100000

/* ---- threads: all accept from one listener; all connect at once ---- */

static void *serve_some(void *listener)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = accept(*(int *)listener, NULL, NULL);
		EXPECT(fd >= 0);
		echo(fd);
	}
	return NULL;
}

static void *connect_some(void *none)
{
	(void)none;
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = tcp_connect();
		/* Little enough for both buffers: nobody reads before all is written. */
		write_pattern(fd, 0, SIZE);
		EXPECT(shutdown(fd, SHUT_WR) == 0);
		read_pattern(fd, 0, SIZE);
		read_end(fd);
		close(fd);
	}
	return NULL;
}

static void run_threads(void *(*run)(void *), void *argument)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_create(&threads[i], NULL, run, argument) == 0);
	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_join(threads[i], NULL) == 0);
}

static void threads_server(void)
{
	int listener = tcp_listen(PORT, 0);

	run_threads(serve_some, &listener);
}

static void threads_client(void)
{
	run_threads(connect_some, NULL);
}

/* ---- processes: the same with fork, and with a listener that does not block ---- */

static void accept_and_serve(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0) {
		EXPECT(errno == EAGAIN);
		wait_for(listener, POLLIN);
	}
	EXPECT(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	EXPECT((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
	echo(fd);
}

static void processes_server(void)
{
	int listener = tcp_listen(PORT, SOCK_NONBLOCK);
	pid_t pids[THREADS];

	for (int i = 0; i < THREADS; i++) {
		pids[i] = fork();
		EXPECT(pids[i] >= 0);
		if (pids[i] > 0)
			continue;
		for (int k = 0; k < CONNECTIONS; k++)
			accept_and_serve(listener);
		_exit(0);
	}
	for (int i = 0; i < THREADS; i++)
		wait_child(pids[i]);
}

static void processes_client(void)
{
	pid_t pids[THREADS];

	for (int i = 0; i < THREADS; i++) {
		pids[i] = fork();
		EXPECT(pids[i] >= 0);
		if (pids[i] == 0) {
			connect_some(NULL);
			_exit(0);
		}
	}
	for (int i = 0; i < THREADS; i++)
		wait_child(pids[i]);
}

/* ---- duplicates: the connection ends with the last of them ---- */

static void duplicates_server(void)
{
	echo(tcp_accept_one());
}

static void duplicates_client(void)
{
	int fd = tcp_connect();
	int twin = dup(fd);
	int far = dup2(fd, 200);

	EXPECT(twin >= 0 && far == 200);
	close(fd);
	pid_t pid = fork();
	if (pid == 0) {
		close(twin);
		write_pattern(far, 0, SIZE);
		_exit(0);
	}
	close(far);
	wait_child(pid);
	write_pattern(twin, SIZE, SIZE);
	EXPECT(shutdown(twin, SHUT_WR) == 0);
	read_pattern(twin, 0, (size_t)2 * SIZE);
	read_end(twin);
}

/* ---- a descriptor handed over: by exec, and by a message ---- */

static void exec_server(void)
{
	int listener = tcp_listen(PORT, 0);
	int fd = accept(listener, NULL, NULL);
	char name[] = "guest", part[] = "exec-cat";
	char *argv[] = {name, part, NULL};

	EXPECT(fd >= 0);
	close(listener);
	EXPECT(dup2(fd, STDIN_FILENO) == STDIN_FILENO && dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
	close(fd);
	execv("/proc/self/exe", argv);
	EXPECT(false);
}

static void exec_cat(void)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	EXPECT(getpeername(STDIN_FILENO, (struct sockaddr *)&peer, &len) == 0);
	EXPECT(peer.sin_addr.s_addr == name_of(CLIENT, 0).sin_addr.s_addr);
	EXPECT(dup2(STDIN_FILENO, STDOUT_FILENO) == STDOUT_FILENO);
	echo(STDIN_FILENO);
}

static void send_descriptor(int channel, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	EXPECT(sendmsg(channel, &msg, 0) == 1);
}

static int receive_descriptor(int channel)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	int fd;

	EXPECT(recvmsg(channel, &msg, 0) == 1);
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static void message_client(void)
{
	int channel[2];

	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, channel) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		send_descriptor(channel[1], tcp_connect());
		_exit(0);
	}
	int fd = receive_descriptor(channel[0]);
	wait_child(pid);
	write_pattern(fd, 0, SIZE);
	EXPECT(shutdown(fd, SHUT_WR) == 0);
	read_pattern(fd, 0, SIZE);
	read_end(fd);
}

/* ---- epoll, edge-triggered, on both sides ---- */

static void edge_add(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd};

	EXPECT(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static int edge_wait(int epoll)
{
	struct epoll_event event;

	EXPECT(epoll_wait(epoll, &event, 1, -1) == 1);
	return event.data.fd;
}

/* Takes all that there is, answers it; true at the end. */
static bool edge_echo(int fd)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		write_all(fd, bytes, (size_t)n);
	EXPECT(n == 0 || errno == EAGAIN);
	if (n == 0)
		close(fd);
	return n == 0;
}

static void edges_server(void)
{
	int listener = tcp_listen(PORT, SOCK_NONBLOCK);
	int epoll = epoll_create1(0);
	int left = THREADS * CONNECTIONS;

	edge_add(epoll, listener);
	while (left > 0) {
		int fd = edge_wait(epoll);
		if (fd != listener) {
			left -= edge_echo(fd);
			continue;
		}
		while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
			edge_add(epoll, fd);
		EXPECT(errno == EAGAIN);
	}
}

/* ---- every way to write and to read ---- */

static int make_file(size_t len)
{
	int fd = memfd_create("pattern", 0);

	EXPECT(fd >= 0);
	write_pattern(fd, 0, len);
	EXPECT(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static void send_by_pieces(int fd, size_t at)
{
	uint8_t bytes[1000];
	struct iovec iov[10];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)((at + i) % 251);
	for (size_t i = 0; i < 10; i++)
		iov[i] = (struct iovec){.iov_base = bytes + i * 100, .iov_len = 100};
	EXPECT(writev(fd, iov, 10) == 1000);
}

static void writes_server(void)
{
	int fd = tcp_accept_one();
	int file = make_file(SIZE);
	int pipes[2];
	size_t sent = 0;

	while (sent < SIZE) {
		ssize_t n = sendfile(fd, file, NULL, SIZE - sent);
		EXPECT(n > 0);
		sent += (size_t)n;
	}
	send_by_pieces(fd, SIZE);
	EXPECT(pipe(pipes) == 0);
	write_pattern(pipes[1], SIZE + 1000, 4000);
	close(pipes[1]);
	while (splice(pipes[0], NULL, fd, NULL, 4000, SPLICE_F_MORE) > 0)
		;
	read_pattern(fd, 0, 5000);
	read_end(fd);
}

static void writes_client(void)
{
	int fd = tcp_connect();
	int pipes[2];

	read_pattern(fd, 0, SIZE + 5000);
	write_pattern(fd, 0, 4000);
	EXPECT(pipe(pipes) == 0);
	write_pattern(pipes[1], 4000, 1000);
	close(pipes[1]);
	EXPECT(splice(pipes[0], NULL, fd, NULL, 1000, 0) == 1000);
	EXPECT(shutdown(fd, SHUT_WR) == 0);
	read_end(fd);
}

static void reads_server(void)
{
	int fd = tcp_accept_one();
	char byte;

	write_all(fd, "hello", 5);
	read_all(fd, &byte, 1);
	write_all(fd, "rest", 4);
	read_all(fd, &byte, 1);
	write_all(fd, "more", 4);
	read_end(fd);
}

static void expect_timeout(int fd)
{
	struct timeval timeout = {.tv_usec = 50000};
	char byte;

	EXPECT(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0);
	EXPECT_ERROR(EAGAIN, recv(fd, &byte, 1, 0));
	timeout = (struct timeval){.tv_sec = 0};
	EXPECT(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0);
}

static void reads_client(void)
{
	int fd = tcp_connect();
	char bytes[16], tail[16];
	struct iovec iov[2] = {{.iov_base = bytes, .iov_len = 2},
			       {.iov_base = tail, .iov_len = 16}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	int count;

	EXPECT(recv(fd, bytes, 2, MSG_PEEK | MSG_WAITALL) == 2 && memcmp(bytes, "he", 2) == 0);
	EXPECT(recv(fd, bytes, 5, MSG_WAITALL) == 5 && memcmp(bytes, "hello", 5) == 0);
	EXPECT_ERROR(EAGAIN, recv(fd, bytes, 1, MSG_DONTWAIT));
	expect_timeout(fd);
	write_all(fd, "1", 1);
	EXPECT(wait_for(fd, POLLIN) == POLLIN);
	EXPECT(ioctl(fd, FIONREAD, &count) == 0 && count == 4);
	EXPECT(recvmsg(fd, &msg, 0) == 4);
	EXPECT(memcmp(bytes, "re", 2) == 0 && memcmp(tail, "st", 2) == 0);
	EXPECT(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	EXPECT_ERROR(EAGAIN, read(fd, bytes, 1));
	write_all(fd, "2", 1);
	EXPECT(wait_for(fd, POLLIN) == POLLIN);
	EXPECT(readv(fd, iov, 2) == 4);
	EXPECT(look_for(fd, POLLIN | POLLOUT) == POLLOUT);
}

/* ---- more than the buffers hold, both ways at once ---- */

static void *write_much(void *fd)
{
	write_pattern(*(int *)fd, 0, (size_t)20 * SIZE);
	EXPECT(shutdown(*(int *)fd, SHUT_WR) == 0);
	return NULL;
}

static void both_ways(int fd)
{
	pthread_t writer;

	EXPECT(pthread_create(&writer, NULL, write_much, &fd) == 0);
	read_pattern(fd, 0, (size_t)20 * SIZE);
	read_end(fd);
	EXPECT(pthread_join(writer, NULL) == 0);
}

static void both_server(void)
{
	both_ways(tcp_accept_one());
}

static void both_client(void)
{
	both_ways(tcp_connect());
}

const struct part stream_parts[] = {
	{"threads-server", threads_server},
	{"threads-client", threads_client},
	{"processes-server", processes_server},
	{"processes-client", processes_client},
	{"duplicates-server", duplicates_server},
	{"duplicates-client", duplicates_client},
	{"exec-server", exec_server},
	{"exec-cat", exec_cat},
	{"message-client", message_client},
	{"edges-server", edges_server},
	{"writes-server", writes_server},
	{"writes-client", writes_client},
	{"reads-server", reads_server},
	{"reads-client", reads_client},
	{"both-server", both_server},
	{"both-client", both_client},
	{0},
};
