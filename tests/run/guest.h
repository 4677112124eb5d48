/* SPDX-License-Identifier: MIT */
/*
 * A test program that is run over Parley: static, so that nothing but system calls can be
 * intercepted. It plays the part that its first argument names, mostly one of a pair: the server
 * says "ready" when it listens, and the client is started then. A part ends with status 0 when all
 * went as on a kernel's TCP, else it says what did not.
 *
 * The server is 10.0.0.1, port 80; the client 10.0.0.2.
 */
#ifndef TESTS_RUN_GUEST_H
#define TESTS_RUN_GUEST_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVER "10.0.0.1"
#define CLIENT "10.0.0.2"
#define PORT   80

struct part {
	const char *name;
	void (*play)(void);
};

/* Ended by a part without a name. */
extern const struct part stream_parts[], open_parts[], error_parts[], close_parts[], urgent_parts[];
extern const struct part turn_parts[];

#define EXPECT(x)                                           \
	do {                                                \
		if (!(x))                                   \
			guest_fail(__FILE__, __LINE__, #x); \
	} while (0)
_Noreturn void guest_fail(const char *file, int line, const char *what);

/* The call fails with this errno. */
#define EXPECT_ERROR(error, call)                                          \
	do {                                                               \
		errno = 0;                                                 \
		if ((call) != -1 || errno != (error))                      \
			guest_fail(__FILE__, __LINE__, #call ": " #error); \
	} while (0)

/* Tells the test a line. */
void say(const char *line);

struct sockaddr_in name_of(const char *address, unsigned port);

/* A socket; `flags` as SOCK_NONBLOCK. */
int tcp_socket(int flags);

/* A listener on the port, of which "ready" was said. */
int tcp_listen(unsigned port, int flags);

/* One connection of tcp_listen(PORT), which listens no more. */
int tcp_accept_one(void);

/* connect() to the server. */
int tcp_connect(void);

void write_all(int fd, const void *bytes, size_t len);

/* Exactly `len` bytes come. */
void read_all(int fd, void *bytes, size_t len);

/* The end of the stream comes. */
void read_end(int fd);

/* A stream of bytes which tells where it is: from offset `at` on. */
void write_pattern(int fd, size_t at, size_t len);
void read_pattern(int fd, size_t at, size_t len);

int socket_error(int fd);

/* Waits for all of `events` and returns what poll() says. */
short wait_for(int fd, short events);

/* poll() at once. */
short look_for(int fd, short events);

/* Waits for a child and expects that all went well there. */
void wait_child(pid_t pid);

/* Echoes until the end, then closes. */
void echo(int fd);

#endif
