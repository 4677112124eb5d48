/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own TCP over loopback, on one core, in a network namespace of its own where that is
 * allowed: one byte there and back, connect and close, memory of an idle connection. Congestion
 * control is set to cubic, whatever the machine's default; TCP_NODELAY is on.
 *
 * "two": client and server are two processes that block, as programs do, and the scheduler changes
 * between them. "one": one process does both, so that there is nothing but system calls and TCP.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"

static void loopback_up(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		die("loopback interface", errno);
	close(fd);
}

bool kernel_own_network(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	loopback_up();
	return true;
}

int kernel_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		die("socket", errno);
	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) < 0)
		setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

int kernel_listen(uint32_t addr, uint16_t port)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET, .sin_addr = {htonl(addr)}, .sin_port = htons(port)};
	int fd = kernel_socket(), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0 || listen(fd, 1024) < 0)
		die("listening socket", errno);
	return fd;
}

int kernel_connect(uint32_t addr, uint16_t port)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET, .sin_addr = {htonl(addr)}, .sin_port = htons(port)};
	int fd = kernel_socket();

	if (connect(fd, (struct sockaddr *)&name, sizeof name) < 0)
		die("connection of the kernel", errno);
	return fd;
}

static int take(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		die("accept of the kernel", errno);
	return fd;
}

/* The port that a listener was given. */
static uint16_t port_of(int listener)
{
	struct sockaddr_in name;
	socklen_t len = sizeof name;

	if (getsockname(listener, (struct sockaddr *)&name, &len) < 0)
		die("name of a socket", errno);
	return ntohs(name.sin_port);
}

static void say(int fd)
{
	if (send(fd, "x", 1, 0) != 1)
		die("send of the kernel", errno);
}

static bool hear(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) == 1;
}

static double trip_one(void)
{
	size_t n = few(50000, 100);
	int listener, client, server;
	uint64_t start = 0;

	kernel_own_network();
	listener = kernel_listen(INADDR_LOOPBACK, 0);
	client = kernel_connect(INADDR_LOOPBACK, port_of(listener));
	server = take(listener);
	for (size_t i = 0; i < n + n / 10; i++) {
		if (i == n / 10)
			start = cpu_now();
		say(client);
		hear(server);
		say(server);
		hear(client);
	}
	return seconds_since(start) * 1e9 / (double)n;
}

/* ns of the core that this process and another one have had together. */
static uint64_t cpu_of_both(pid_t other)
{
	clockid_t clock;

	if (clock_getcpuclockid(other, &clock))
		die("clock of a process", errno);
	return cpu_now() + clock_read(clock);
}

static double trip_two(void)
{
	size_t n = few(50000, 100);
	int listener, client;
	uint64_t start = 0;
	pid_t pid;

	kernel_own_network();
	listener = kernel_listen(INADDR_LOOPBACK, 0);
	pid = fork();
	if (pid == 0) {
		int server = take(listener);

		while (hear(server))
			say(server);
		_exit(0);
	}
	client = kernel_connect(INADDR_LOOPBACK, port_of(listener));
	for (size_t i = 0; i < n + n / 10; i++) {
		if (i == n / 10)
			start = cpu_of_both(pid);
		say(client);
		hear(client);
	}
	start = cpu_of_both(pid) - start;
	close(client);
	waitpid(pid, NULL, 0);
	return (double)start / (double)n;
}

/* Addresses of loopback in turn, so that no port is wanted again while it is in TIME-WAIT. */
static uint32_t target(size_t i)
{
	return INADDR_LOOPBACK + (uint32_t)(i % 16);
}

static double connect_one(void)
{
	size_t n = few(10000, 50);
	int listener;
	uint16_t port;
	uint64_t start = 0;

	kernel_own_network();
	listener = kernel_listen(INADDR_ANY, 0);
	port = port_of(listener);
	for (size_t i = 0; i < n + n / 10; i++) {
		int client, server;

		if (i == n / 10)
			start = cpu_now();
		client = kernel_connect(target(i), port);
		server = take(listener);
		close(client);
		hear(server);
		close(server);
	}
	return (double)n / seconds_since(start) / 1e3;
}

static double connect_two(void)
{
	size_t n = few(10000, 50);
	int listener;
	uint16_t port;
	uint64_t start = 0;
	pid_t pid;

	kernel_own_network();
	listener = kernel_listen(INADDR_ANY, 0);
	port = port_of(listener);
	pid = fork();
	if (pid == 0)
		for (;;) {
			int server = take(listener);

			hear(server);
			close(server);
		}
	for (size_t i = 0; i < n + n / 10; i++) {
		if (i == n / 10)
			start = cpu_of_both(pid);
		close(kernel_connect(target(i), port));
	}
	start = cpu_of_both(pid) - start;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return (double)n / ((double)start / 1e9) / 1e3;
}

/* Bytes in the kernel's slabs. */
static double slabs(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	double kib = NAN;

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "Slab: %lf", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib * 1024;
}

/* As many as the limit of descriptors allows, up to 9,000 connections. */
static double idle(void)
{
	long limit = sysconf(_SC_OPEN_MAX);
	size_t n = few(9000, 50);
	int listener;
	uint16_t port;
	double before;

	if (limit > 0 && n > (size_t)(limit - 32) / 2)
		n = (size_t)(limit - 32) / 2;
	kernel_own_network();
	listener = kernel_listen(INADDR_ANY, 0);
	port = port_of(listener);
	for (size_t i = 0; i < 50; i++) {
		close(kernel_connect(target(i), port));
		close(take(listener));
	}
	before = slabs();
	for (size_t i = 0; i < n; i++) {
		kernel_connect(target(i), port);
		take(listener);
	}
	before = slabs() - before;
	return before > 0 ? before / (double)(2 * n) : NAN;
}

const struct child kernel_children[] = {
	{"kernel-trip-one", trip_one},
	{"kernel-trip-two", trip_two},
	{"kernel-connect-one", connect_one},
	{"kernel-connect-two", connect_two},
	{"kernel-idle", idle},
	{NULL, NULL},
};
