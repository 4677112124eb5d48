/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PERIOD 251 /* of the pattern: no power of two, so that no block size hides a slip */
#define CHUNK  16384

void guest_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s does not hold (errno: %s)\n", file, line, what, strerror(errno));
	_exit(1);
}

void say(const char *line)
{
	printf("%s\n", line);
	fflush(stdout);
}

struct sockaddr_in name_of(const char *address, unsigned port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	EXPECT(inet_pton(AF_INET, address, &name.sin_addr) == 1);
	return name;
}

int tcp_socket(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	EXPECT(fd >= 0);
	return fd;
}

int tcp_listen(unsigned port, int flags)
{
	struct sockaddr_in name = name_of("0.0.0.0", port);
	int fd = tcp_socket(flags);
	int one = 1;

	EXPECT(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
	EXPECT(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	EXPECT(listen(fd, 64) == 0);
	say("ready");
	return fd;
}

int tcp_accept_one(void)
{
	int listener = tcp_listen(PORT, 0);
	int fd = accept(listener, NULL, NULL);

	EXPECT(fd >= 0);
	close(listener);
	return fd;
}

int tcp_connect(void)
{
	struct sockaddr_in name = name_of(SERVER, PORT);
	int fd = tcp_socket(0);

	EXPECT(connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	return fd;
}

void write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			wait_for(fd, POLLOUT);
			continue;
		}
		EXPECT(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

void read_all(int fd, void *bytes, size_t len)
{
	char *at = bytes;

	while (len > 0) {
		ssize_t n = read(fd, at, len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			wait_for(fd, POLLIN);
			continue;
		}
		EXPECT(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

void read_end(int fd)
{
	char byte;

	EXPECT(read(fd, &byte, 1) == 0);
}

static void fill(uint8_t *bytes, size_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)((at + i) % PERIOD);
}

void write_pattern(int fd, size_t at, size_t len)
{
	uint8_t bytes[CHUNK];

	for (size_t part; len > 0; at += part, len -= part) {
		part = len < CHUNK ? len : CHUNK;
		fill(bytes, at, part);
		write_all(fd, bytes, part);
	}
}

void read_pattern(int fd, size_t at, size_t len)
{
	uint8_t bytes[CHUNK], wanted[CHUNK];

	for (size_t part; len > 0; at += part, len -= part) {
		part = len < CHUNK ? len : CHUNK;
		fill(wanted, at, part);
		read_all(fd, bytes, part);
		EXPECT(memcmp(bytes, wanted, part) == 0);
	}
}

int socket_error(int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	EXPECT(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0);
	return error;
}

short wait_for(int fd, short events)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	while (poll(&poll_fd, 1, -1) < 0)
		EXPECT(errno == EINTR);
	return poll_fd.revents;
}

short look_for(int fd, short events)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	EXPECT(poll(&poll_fd, 1, 0) >= 0);
	return poll_fd.revents;
}

void wait_child(pid_t pid)
{
	int status;

	EXPECT(waitpid(pid, &status, 0) == pid);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void echo(int fd)
{
	char bytes[CHUNK];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		write_all(fd, bytes, (size_t)n);
	EXPECT(n == 0);
	close(fd);
}

static const struct part *find(const char *name)
{
	const struct part *const all[] = {
		stream_parts, open_parts, error_parts, close_parts, urgent_parts, turn_parts,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (const struct part *part = all[i]; part->name; part++) {
			if (strcmp(part->name, name) == 0)
				return part;
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct part *part = argc > 1 ? find(argv[1]) : NULL;

	if (!part) {
		fprintf(stderr, "guest: no such part\n");
		return 2;
	}
	part->play();
	return 0;
}
