/* SPDX-License-Identifier: MIT */
/* Urgent data: out of band and in line, the mark, POLLPRI and SIGURG. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"

#define ROUNDS 200
#define PART   1000

static volatile sig_atomic_t signals;

static void count_signal(int signal)
{
	(void)signal;
	signals++;
}

static void send_urgent(int fd, const char *text)
{
	EXPECT(send(fd, text, strlen(text), MSG_OOB) == (ssize_t)strlen(text));
}

/* A read ends at the mark. */
static void read_to_mark(int fd, const char *text)
{
	char bytes[64];

	EXPECT(read(fd, bytes, sizeof(bytes)) == (ssize_t)strlen(text));
	EXPECT(memcmp(bytes, text, strlen(text)) == 0);
	EXPECT(sockatmark(fd) == 1);
}

static void expect_text(int fd, const char *text)
{
	char bytes[64];

	read_all(fd, bytes, strlen(text));
	EXPECT(memcmp(bytes, text, strlen(text)) == 0);
}

static void set_inline(int fd)
{
	int one = 1, value = 0;
	socklen_t len = sizeof(value);

	EXPECT(getsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &value, &len) == 0 && value == 0);
	EXPECT(setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one)) == 0);
	EXPECT(getsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &value, &len) == 0 && value == 1);
}

static void urgent_server(void)
{
	int fd = tcp_accept_one();
	char byte;

	EXPECT(signal(SIGURG, count_signal) != SIG_ERR);
	EXPECT(fcntl(fd, F_SETOWN, getpid()) == 0);
	EXPECT_ERROR(EINVAL, recv(fd, &byte, 1, MSG_OOB));
	write_all(fd, "1", 1);
	EXPECT(wait_for(fd, POLLPRI) & POLLPRI);
	EXPECT(signals == 1);
	read_to_mark(fd, "abc");
	EXPECT(recv(fd, &byte, 1, MSG_OOB) == 1 && byte == '!');
	EXPECT_ERROR(EINVAL, recv(fd, &byte, 1, MSG_OOB));
	expect_text(fd, "def");
	EXPECT(sockatmark(fd) == 0);
	send_urgent(fd, "xy?");
	set_inline(fd);
	write_all(fd, "2", 1);
	EXPECT(wait_for(fd, POLLPRI) & POLLPRI);
	read_to_mark(fd, "ghi");
	EXPECT_ERROR(EINVAL, recv(fd, &byte, 1, MSG_OOB));
	expect_text(fd, "!jk");
	close(fd);
}

static void urgent_client(void)
{
	int fd = tcp_connect();
	char byte;

	expect_text(fd, "1");
	send_urgent(fd, "abc!");
	write_all(fd, "def", 3);
	EXPECT(wait_for(fd, POLLPRI) & POLLPRI);
	read_to_mark(fd, "xy");
	EXPECT(recv(fd, &byte, 1, MSG_OOB | MSG_PEEK) == 1 && byte == '?');
	EXPECT(recv(fd, &byte, 1, MSG_OOB) == 1 && byte == '?');
	expect_text(fd, "2");
	send_urgent(fd, "ghi!");
	write_all(fd, "jk", 2);
	read_end(fd);
}

/* Nobody asks for the byte: reading steps over it, and over none of the others. */
static void unasked_server(void)
{
	int fd = tcp_accept_one();

	EXPECT(wait_for(fd, POLLPRI) & POLLPRI);
	read_to_mark(fd, "abc");
	expect_text(fd, "def");
	read_end(fd);
}

static void unasked_client(void)
{
	int fd = tcp_connect();

	send_urgent(fd, "abc!");
	write_all(fd, "def", 3);
	close(fd);
}

/* Much of it, in line by the listener's option: every byte comes, in its place. */
static void stream_server(void)
{
	int listener = tcp_socket(0);
	struct sockaddr_in name = name_of("0.0.0.0", PORT);
	uint8_t byte;

	EXPECT(bind(listener, (struct sockaddr *)&name, sizeof(name)) == 0);
	EXPECT(listen(listener, 1) == 0);
	set_inline(listener);
	say("ready");
	int fd = accept(listener, NULL, NULL);
	EXPECT(fd >= 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		read_pattern(fd, i, PART);
		read_all(fd, &byte, 1);
		EXPECT(byte == (uint8_t)i);
	}
	read_end(fd);
	send_urgent(fd, "done");
}

static void stream_client(void)
{
	int fd = tcp_connect();
	char byte;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t round = (uint8_t)i;

		write_pattern(fd, i, PART);
		EXPECT(send(fd, &round, 1, MSG_OOB) == 1);
	}
	EXPECT(shutdown(fd, SHUT_WR) == 0);
	EXPECT(wait_for(fd, POLLPRI) & POLLPRI);
	EXPECT(recv(fd, &byte, 1, MSG_OOB) == 1 && byte == 'e');
	expect_text(fd, "don");
	read_end(fd);
}

const struct part urgent_parts[] = {
	{"urgent-server", urgent_server},
	{"urgent-client", urgent_client},
	{"unasked-server", unasked_server},
	{"unasked-client", unasked_client},
	{"urgent-stream-server", stream_server},
	{"urgent-stream-client", stream_client},
	{0},
};
