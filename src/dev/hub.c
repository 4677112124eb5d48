/* SPDX-License-Identifier: MIT */
#include "dev/hub.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "dev/clock.h"
#include "dev/flight.h"
#include "dev/pcapfile.h"
#include "dev/switch.h"
#include "wire/eth.h"

#define MEMORY_DEFAULT ((size_t)64 << 20)
/* The longest frame: an IP packet of the largest size, and room to see that one is longer. */
#define FRAME_MAX (ETH_HEADER_LEN + 65535)
/* Frames read from one station before the others have their turn. */
#define TURN 32
/* What the kernel may hold for a station that is about to read; it allows as much as it likes. */
#define SEND_BUFFER (4 << 20)

/* What an epoll event is about; smaller numbers are ports. */
enum { LISTENER = HUB_STATIONS_MAX, TIMER, SIGNALS };

/* A station's socket and the way to it. */
struct port {
	int fd;	      /* -1: free */
	bool blocked; /* its socket is full: what is due waits until it is writable */
	struct path path;
	uint64_t *leaves;
	struct flight flight;
};

struct hub {
	struct hub_config config;
	struct sockaddr_un name;
	dev_t device; /* the socket's file, to know it again */
	ino_t inode;
	int epoll, listener, timer, signals;
	int signal;	  /* that came; 0: none yet */
	size_t under_way; /* bytes in all flights */
	struct pcapfile *pcap;
	struct hub_counts counts;
	struct port ports[HUB_STATIONS_MAX];
	struct switch_table table;
	uint8_t frame[FRAME_MAX + 1];
};

static int watch(struct hub *hub, int op, int fd, uint32_t events, uint32_t what)
{
	struct epoll_event event = {.events = events, .data.u32 = what};

	return epoll_ctl(hub->epoll, op, fd, &event) ? -errno : 0;
}

/* Does somebody listen at the name? */
static bool is_alive(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive;

	if (fd < 0)
		return true;
	alive = connect(fd, (const struct sockaddr *)name, sizeof *name) == 0 ||
		errno != ECONNREFUSED;
	close(fd);
	return alive;
}

static int bind_name(struct hub *hub)
{
	const struct sockaddr *name = (const struct sockaddr *)&hub->name;
	const char *path = hub->name.sun_path;
	struct stat status;

	if (lstat(path, &status) == 0) {
		if (!S_ISSOCK(status.st_mode))
			return -ENOTSOCK;
		if (is_alive(&hub->name))
			return -EADDRINUSE;
		if (unlink(path) && errno != ENOENT)
			return -errno;
	}
	if (bind(hub->listener, name, sizeof hub->name))
		return -errno;
	if (lstat(path, &status) == 0) {
		hub->device = status.st_dev;
		hub->inode = status.st_ino;
	}
	return listen(hub->listener, HUB_STATIONS_MAX) ? -errno : 0;
}

static int set_up(struct hub *hub)
{
	int error;

	hub->epoll = epoll_create1(EPOLL_CLOEXEC);
	hub->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	hub->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (hub->epoll < 0 || hub->listener < 0 || hub->timer < 0)
		return -errno;
	error = bind_name(hub);
	if (!error)
		error = watch(hub, EPOLL_CTL_ADD, hub->listener, EPOLLIN, LISTENER);
	if (!error)
		error = watch(hub, EPOLL_CTL_ADD, hub->timer, EPOLLIN, TIMER);
	return error;
}

static int open_capture(struct hub *hub)
{
	char about[256];
	const struct path_config *link = &hub->config.link;

	if (!hub->config.pcap)
		return 0;
	snprintf(about, sizeof about,
		 "parley lan, seen as frames come in; each way: delay %" PRIu64 " us, loss %" PRIu32
		 " ppm, seed %" PRIu64,
		 link->delay_ns / 1000, link->loss, link->seed);
	return pcapfile_open(&hub->pcap, hub->config.pcap, about, "lan", PARLEY_LINK_ETHERNET,
			     clock_epoch());
}

int hub_open(struct hub **out, const struct hub_config *config, const char **culprit)
{
	struct hub *hub;
	int error;

	*culprit = config->path;
	if (!*config->path)
		return -ENOENT;
	if (strlen(config->path) >= sizeof hub->name.sun_path)
		return -ENAMETOOLONG;
	hub = calloc(1, sizeof *hub);
	if (!hub)
		return -ENOMEM;
	hub->config = *config;
	if (!hub->config.memory)
		hub->config.memory = MEMORY_DEFAULT;
	hub->name.sun_family = AF_UNIX;
	memcpy(hub->name.sun_path, config->path, strlen(config->path) + 1);
	hub->epoll = hub->listener = hub->timer = hub->signals = -1;
	for (int i = 0; i < HUB_STATIONS_MAX; i++)
		hub->ports[i].fd = -1;
	error = set_up(hub);
	if (!error) {
		error = open_capture(hub);
		if (error)
			*culprit = config->pcap;
	}
	if (error)
		hub_close(hub);
	else
		*out = hub;
	return error;
}

static int free_port(const struct hub *hub)
{
	int i = 0;

	while (i < HUB_STATIONS_MAX && hub->ports[i].fd >= 0)
		i++;
	return i;
}

static void port_open(struct hub *hub, int number, int fd)
{
	struct port *port = &hub->ports[number];
	struct path_config link = hub->config.link;
	int size = SEND_BUFFER;

	link.seed += hub->counts.stations * 0x9e3779b97f4a7c15u;
	port->leaves = link.queue ? calloc(link.queue, sizeof *port->leaves) : NULL;
	if (watch(hub, EPOLL_CTL_ADD, fd, EPOLLIN, (uint32_t)number) ||
	    (link.queue && !port->leaves)) {
		free(port->leaves);
		port->leaves = NULL;
		close(fd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	port->fd = fd;
	port->blocked = false;
	path_init(&port->path, &link, port->leaves);
	flight_init(&port->flight, hub->config.memory);
	hub->counts.stations++;
}

static void add_counts(struct path_counts *sum, const struct path_counts *part)
{
	sum->offered += part->offered;
	sum->queue_full += part->queue_full;
	sum->lost += part->lost;
	sum->duplicated += part->duplicated;
	sum->reordered += part->reordered;
	sum->corrupted += part->corrupted;
}

static void port_close(struct hub *hub, int number)
{
	struct port *port = &hub->ports[number];

	close(port->fd);
	port->fd = -1;
	hub->counts.gone += port->flight.n;
	hub->under_way -= port->flight.bytes;
	flight_clear(&port->flight);
	add_counts(&hub->counts.links, &port->path.counts);
	free(port->leaves);
	port->leaves = NULL;
	switch_forget(&hub->table, number);
}

static void welcome(struct hub *hub)
{
	for (;;) {
		int fd = accept4(hub->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		int number = free_port(hub);

		if (fd < 0)
			return;
		if (number < HUB_STATIONS_MAX)
			port_open(hub, number, fd);
		else
			close(fd);
	}
}

/*
 * A station may have as much under way as is free for all: if any number of them do not read, there
 * still is something left for the others.
 */
static bool has_room(const struct hub *hub, const struct port *port, size_t len)
{
	return port->flight.bytes + len <= hub->config.memory - hub->under_way;
}

/* Sends a frame on its way to one station, and says what becomes of it. */
static void dispatch(struct hub *hub, struct port *port, uint64_t now, size_t len,
		     struct path_verdict *verdict)
{
	path_offer(&port->path, now, len, ETH_HEADER_LEN, verdict);
	for (unsigned i = 0; i < verdict->copies; i++) {
		const struct path_copy *copy = &verdict->copy[i];
		struct flight_frame *frame = NULL;

		if (has_room(hub, port, len))
			frame = flight_push(&port->flight, copy->at, hub->frame, len);
		if (!frame) {
			hub->counts.memory++;
			continue;
		}
		hub->under_way += len;
		if (copy->corrupted)
			path_flip(frame->bytes, copy->bit);
	}
}

/* What the path did to a frame, in words. */
static void describe(char *text, size_t size, uint64_t now, const struct path_verdict *verdict)
{
	const struct path_copy *copy = &verdict->copy[0];
	uint64_t us = copy->at > now ? (copy->at - now) / 1000 : 0;
	char damage[40] = "";

	if (verdict->fate == PATH_LOST) {
		snprintf(text, size, "path: lost");
		return;
	}
	if (verdict->fate == PATH_QUEUE_FULL) {
		snprintf(text, size, "path: lost, its queue is full");
		return;
	}
	if (copy->corrupted)
		snprintf(damage, sizeof damage, ", bit %" PRIu32 " inverted", copy->bit);
	snprintf(text, size, "path: %" PRIu64 ".%03u ms%s%s%s", us / 1000, (unsigned)(us % 1000),
		 copy->reordered ? ", held back" : "", damage,
		 verdict->copies > 1 ? ", doubled" : "");
}

/* Puts a frame into the capture. receivers: how many it was meant for; verdict: of the last. */
static void record(struct hub *hub, uint64_t now, size_t len, int receivers,
		   const struct path_verdict *verdict)
{
	char comment[NARRATION_COMMENT_MAX + 100] = "";
	char fate[100];
	struct pcapfile_tcp tcp;
	struct narration narration;
	bool lost = receivers == 1 && verdict->fate != PATH_DELIVERED;
	size_t used;

	if (!hub->pcap)
		return;
	if (pcapfile_tcp(&tcp, PARLEY_LINK_ETHERNET, hub->frame, len)) {
		pcapfile_narrate(hub->pcap, &tcp, lost, &narration);
		narration_comment(comment, &narration);
	} else {
		pcapfile_other(comment, PARLEY_LINK_ETHERNET, hub->frame, len);
	}
	if (receivers == 1)
		describe(fate, sizeof fate, now, verdict);
	else
		snprintf(fate, sizeof fate, receivers ? "to %d stations" : "nobody to hear it",
			 receivers);
	used = strlen(comment);
	snprintf(comment + used, sizeof comment - used, "%s%s", used ? "; " : "", fate);
	pcapfile_packet(hub->pcap, now, PCAPNG_UNKNOWN, hub->frame, len, comment);
}

static void forward(struct hub *hub, int from, uint64_t now, size_t len)
{
	struct path_verdict verdict = {0};
	struct eth_frame eth;
	int to, receivers = 0;

	if (len > FRAME_MAX || eth_parse(&eth, hub->frame, len) != WIRE_OK) {
		hub->counts.malformed++;
		return;
	}
	hub->counts.in++;
	switch_learn(&hub->table, eth.src, from);
	to = switch_port(&hub->table, eth.dst);
	for (int i = 0; i < HUB_STATIONS_MAX; i++) {
		if (i == from || hub->ports[i].fd < 0 || (to != SWITCH_FLOOD && to != i))
			continue;
		dispatch(hub, &hub->ports[i], now, len, &verdict);
		receivers++;
	}
	record(hub, now, len, receivers, &verdict);
}

static void port_read(struct hub *hub, int number, uint64_t now)
{
	for (int i = 0; i < TURN; i++) {
		ssize_t n = recv(hub->ports[number].fd, hub->frame, sizeof hub->frame,
				 MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			port_close(hub, number);
			return;
		}
		forward(hub, number, now, (size_t)n);
	}
}

/* Hands a station all that has arrived by now. */
static void port_deliver(struct hub *hub, int number, uint64_t now)
{
	struct port *port = &hub->ports[number];
	struct flight_frame *frame;

	while ((frame = flight_first(&port->flight)) && frame->at <= now) {
		if (send(port->fd, frame->bytes, frame->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			if (errno == EAGAIN || errno == ENOBUFS) {
				port->blocked = true;
				watch(hub, EPOLL_CTL_MOD, port->fd, EPOLLIN | EPOLLOUT,
				      (uint32_t)number);
			} else if (errno != EINTR) {
				port_close(hub, number);
			}
			return;
		}
		hub->counts.out++;
		hub->under_way -= frame->len;
		free(flight_pop(&port->flight));
	}
}

static void unblock(struct hub *hub, int number)
{
	hub->ports[number].blocked = false;
	watch(hub, EPOLL_CTL_MOD, hub->ports[number].fd, EPOLLIN, (uint32_t)number);
}

/* Delivers what is due, and sets the timer for what is due next. */
static void deliver(struct hub *hub)
{
	uint64_t now = clock_now(), next = UINT64_MAX;
	struct itimerspec at = {0};

	for (int i = 0; i < HUB_STATIONS_MAX; i++) {
		struct port *port = &hub->ports[i];
		struct flight_frame *first;

		if (port->fd >= 0 && !port->blocked)
			port_deliver(hub, i, now);
		first = port->fd >= 0 && !port->blocked ? flight_first(&port->flight) : NULL;
		if (first && first->at < next)
			next = first->at;
	}
	if (next != UINT64_MAX) {
		at.it_value.tv_sec = (time_t)(next / 1000000000);
		at.it_value.tv_nsec = (long)(next % 1000000000);
	}
	timerfd_settime(hub->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void take_signal(struct hub *hub)
{
	struct signalfd_siginfo info;

	if (read(hub->signals, &info, sizeof info) == (ssize_t)sizeof info)
		hub->signal = (int)info.ssi_signo;
}

static void handle(struct hub *hub, uint32_t what, uint32_t events, uint64_t now)
{
	uint64_t expirations;

	if (what == LISTENER) {
		welcome(hub);
	} else if (what == SIGNALS) {
		take_signal(hub);
	} else if (what == TIMER) {
		/* Which frames are due is seen from the clock; this only silences the timer. */
		if (read(hub->timer, &expirations, sizeof expirations) < 0)
			return;
	} else if (hub->ports[what].fd >= 0) {
		if (events & EPOLLOUT)
			unblock(hub, (int)what);
		if (events & ~(uint32_t)EPOLLOUT)
			port_read(hub, (int)what, now);
	}
}

int hub_step(struct hub *hub, int timeout_ms)
{
	struct epoll_event events[16];
	int n = epoll_wait(hub->epoll, events, 16, timeout_ms);
	uint64_t now = clock_now();

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++)
		handle(hub, events[i].data.u32, events[i].events, now);
	deliver(hub);
	return 0;
}

int hub_run(struct hub *hub, int signals)
{
	int error;

	hub->signals = signals;
	error = watch(hub, EPOLL_CTL_ADD, signals, EPOLLIN, SIGNALS);
	while (!error && !hub->signal)
		error = hub_step(hub, -1);
	return error ? error : hub->signal;
}

void hub_counts(const struct hub *hub, struct hub_counts *counts)
{
	*counts = hub->counts;
	for (int i = 0; i < HUB_STATIONS_MAX; i++)
		if (hub->ports[i].fd >= 0)
			add_counts(&counts->links, &hub->ports[i].path.counts);
}

static void remove_name(const struct hub *hub)
{
	struct stat status;

	if (!hub->inode || lstat(hub->name.sun_path, &status))
		return;
	if (status.st_dev == hub->device && status.st_ino == hub->inode)
		unlink(hub->name.sun_path);
}

int hub_close(struct hub *hub)
{
	int error;

	remove_name(hub);
	for (int i = 0; i < HUB_STATIONS_MAX; i++)
		if (hub->ports[i].fd >= 0)
			port_close(hub, i);
	if (hub->listener >= 0)
		close(hub->listener);
	if (hub->timer >= 0)
		close(hub->timer);
	if (hub->epoll >= 0)
		close(hub->epoll);
	error = hub->pcap ? pcapfile_close(hub->pcap) : 0;
	free(hub);
	return error;
}
