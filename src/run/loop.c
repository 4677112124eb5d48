/* SPDX-License-Identifier: MIT */
#include "run/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "dev/clock.h"

#define PORTS  8  /* devices of one host, at most */
#define FRAMES 32 /* of one batch, in or out */
#define READY  64 /* descriptors of one epoll_wait */

/* What one turn does at most before it looks at the clock and at the descriptors again. */
#define ROUNDS 16
/* Of input fewer: the peer is to get its ACKs often enough to go on steadily. */
#define INPUT_ROUNDS 2

/* A device with its interface. */
struct port {
	struct device *device; /* NULL: lost */
	int ifindex;
	struct loop_watch watch;
	uint32_t watched; /* the events that epoll knows; 0: not registered */
	bool readable;	  /* receive() may have something */
	bool writable;	  /* was full, and has room again */
	/* What the device had no room for, to be handed to it first. */
	struct parley_frame kept[FRAMES];
	int kept_count;
};

struct loop {
	struct parley_host *host;
	struct sock_layer *layer;
	struct loop_hook *hook;
	int epoll;
	struct loop_watch timer;
	uint64_t armed; /* when the timer fires: never later than the deadline, maybe earlier */
	uint64_t now;
	bool stop;
	bool busy; /* more is to be done at once */
	struct port *ports[PORTS];
	int port_count;
	/* What epoll_wait has told and has not been passed on yet. */
	struct epoll_event ready[READY];
	int ready_count, ready_next;
};

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void timer_ready(struct loop_watch *watch, uint32_t events)
{
	struct loop *loop = watch->context;
	uint64_t expirations;

	(void)events;
	if (read(watch->fd, &expirations, sizeof(expirations)) > 0)
		loop->armed = LOOP_NEVER;
}

static int open_descriptors(struct loop *loop)
{
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		return -errno;
	loop->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->timer.fd < 0)
		return -errno;
	return loop_add(loop, &loop->timer, EPOLLIN);
}

int loop_new(struct loop **out, struct sock_layer *layer, struct loop_hook *hook)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	loop->host = sock_host(layer);
	loop->layer = layer;
	loop->hook = hook;
	loop->armed = LOOP_NEVER;
	loop->now = clock_now();
	loop->epoll = -1;
	loop->timer = (struct loop_watch){.fd = -1, .ready = timer_ready, .context = loop};
	int err = open_descriptors(loop);
	if (err) {
		loop_free(loop);
		return err;
	}
	*out = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	for (int i = 0; i < loop->port_count; i++) {
		struct port *port = loop->ports[i];
		parley_release(loop->host, port->kept, port->kept_count);
		free(port);
	}
	if (loop->timer.fd >= 0)
		close(loop->timer.fd);
	if (loop->epoll >= 0)
		close(loop->epoll);
	free(loop);
}

int loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) ? -errno : 0;
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	/* What was told of it already must not reach it any more. */
	for (int i = loop->ready_next; i < loop->ready_count; i++) {
		if (loop->ready[i].data.ptr == watch)
			loop->ready[i].data.ptr = NULL;
	}
}

static void port_ready(struct loop_watch *watch, uint32_t events)
{
	struct port *port = watch->context;

	port->readable |= (events & ~(uint32_t)EPOLLOUT) != 0;
	port->writable |= (events & EPOLLOUT) != 0;
}

int loop_attach(struct loop *loop, struct device *device, int ifindex)
{
	if (loop->port_count == PORTS)
		return -ENOSPC;
	struct port *port = calloc(1, sizeof(*port));
	if (!port)
		return -ENOMEM;
	port->device = device;
	port->ifindex = ifindex;
	port->watch = (struct loop_watch){.fd = -1, .ready = port_ready, .context = port};
	port->readable = true;
	loop->ports[loop->port_count++] = port;
	return 0;
}

static void unwatch_port(struct loop *loop, struct port *port)
{
	if (port->watched)
		loop_remove(loop, &port->watch);
	port->watched = 0;
}

static void lose_port(struct loop *loop, struct port *port, int err)
{
	fprintf(stderr, "parley: the network at %s is gone: %s\n", port->device->name,
		err == -EPIPE ? "the other side has left" : strerror(-err));
	unwatch_port(loop, port);
	port->device = NULL;
	parley_release(loop->host, port->kept, port->kept_count);
	port->kept_count = 0;
	parley_interface_remove(loop->host, loop->now, port->ifindex);
}

/* Brings epoll up to date with what the device wants now. */
static void watch_port(struct loop *loop, struct port *port)
{
	uint32_t wanted = EPOLLIN | (port->device->want_write ? (uint32_t)EPOLLOUT : 0);

	if (port->device->fd == port->watch.fd && wanted == port->watched)
		return;
	unwatch_port(loop, port);
	port->watch.fd = port->device->fd;
	if (port->watch.fd < 0)
		return;
	int err = loop_add(loop, &port->watch, wanted);
	if (err)
		lose_port(loop, port, err);
	else
		port->watched = wanted;
}

static void receive(struct loop *loop, struct port *port)
{
	struct parley_rx frames[FRAMES];
	int n = FRAMES;

	for (int i = 0; i < INPUT_ROUNDS && n == FRAMES; i++) {
		memset(frames, 0, sizeof(frames));
		n = device_receive(port->device, frames, FRAMES);
		if (n < 0) {
			lose_port(loop, port, n);
			return;
		}
		for (int k = 0; k < n; k++)
			frames[k].ifindex = port->ifindex;
		parley_input(loop->host, loop->now, frames, n);
	}
	port->readable = n == FRAMES;
	loop->busy |= port->readable;
}

/* Hands frames to the device and keeps what it has no room for. False when it is full or lost. */
static bool transmit(struct loop *loop, struct port *port)
{
	int taken = device_transmit(port->device, port->kept, port->kept_count);

	port->writable = false;
	if (taken < 0) {
		lose_port(loop, port, taken);
		return false;
	}
	parley_release(loop->host, port->kept, taken);
	port->kept_count -= taken;
	if (port->kept_count == 0)
		return true;
	memmove(port->kept, port->kept + taken, (size_t)port->kept_count * sizeof(port->kept[0]));
	return false;
}

static void output(struct loop *loop, struct port *port)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (port->kept_count == 0)
			port->kept_count = parley_output(loop->host, port->ifindex, loop->now,
							 port->kept, FRAMES);
		/* A device that has room again may have something of its own to go on with. */
		bool last = port->kept_count < FRAMES;
		if (port->kept_count == 0 && !port->writable)
			return;
		if (!transmit(loop, port) || last)
			return;
	}
	loop->busy = true;
}

static void arm(struct loop *loop, uint64_t deadline)
{
	struct itimerspec spec = {
		.it_value.tv_sec = (time_t)(deadline / 1000000000),
		.it_value.tv_nsec = (long)(deadline % 1000000000),
	};

	/* An earlier alarm than needed costs one turn; moving it each time would cost more. */
	if (deadline >= loop->armed)
		return;
	if (timerfd_settime(loop->timer.fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0)
		loop->armed = deadline;
}

/* When the next turn must begin at the latest. */
static uint64_t next_deadline(const struct loop *loop)
{
	uint64_t deadline = earlier(parley_deadline(loop->host), sock_deadline(loop->layer));

	if (loop->hook)
		deadline = earlier(deadline, loop->hook->deadline);
	for (int i = 0; i < loop->port_count; i++) {
		if (loop->ports[i]->device)
			deadline = earlier(deadline, loop->ports[i]->device->deadline);
	}
	return deadline;
}

/* Whether something can go out although nothing has happened: what the hook brought about. */
static bool owes(const struct loop *loop)
{
	for (int i = 0; i < loop->port_count; i++) {
		const struct port *port = loop->ports[i];
		if (port->device && port->kept_count == 0 &&
		    parley_output_pending(loop->host, port->ifindex))
			return true;
	}
	return false;
}

static int wait_until_ready(struct loop *loop)
{
	uint64_t deadline = next_deadline(loop);
	bool sleep = !loop->busy && deadline > loop->now && !owes(loop);

	if (sleep && deadline != LOOP_NEVER)
		arm(loop, deadline);
	int n = epoll_wait(loop->epoll, loop->ready, READY, sleep ? -1 : 0);
	loop->ready_next = 0;
	loop->ready_count = n > 0 ? n : 0;
	if (n < 0 && errno != EINTR)
		return -errno;
	loop->now = clock_now();
	loop->busy = false;
	return 0;
}

static void tell_watches(struct loop *loop)
{
	while (loop->ready_next < loop->ready_count) {
		struct epoll_event *event = &loop->ready[loop->ready_next++];
		struct loop_watch *watch = event->data.ptr;
		if (watch)
			watch->ready(watch, event->events);
	}
}

static void receive_all(struct loop *loop)
{
	for (int i = 0; i < loop->port_count; i++) {
		struct port *port = loop->ports[i];
		if (port->device && (port->readable || port->device->deadline <= loop->now))
			receive(loop, port);
	}
}

static void output_all(struct loop *loop)
{
	for (int i = 0; i < loop->port_count; i++) {
		struct port *port = loop->ports[i];
		if (port->device)
			output(loop, port);
		if (port->device)
			watch_port(loop, port);
	}
}

static void turn(struct loop *loop)
{
	int rounds = 0;

	sock_set_now(loop->layer, loop->now);
	tell_watches(loop);
	receive_all(loop);
	if (parley_deadline(loop->host) <= loop->now)
		parley_expire(loop->host, loop->now);
	while (sock_poll(loop->layer, loop->now) > 0 && ++rounds < ROUNDS)
		;
	loop->busy |= rounds == ROUNDS;
	output_all(loop);
	/* Output may have found a connection lost. */
	loop->busy |= sock_poll(loop->layer, loop->now) > 0;
	if (loop->hook)
		loop->hook->turned(loop->hook, loop->now);
}

int loop_run(struct loop *loop)
{
	int err = 0;

	loop->stop = false;
	loop->busy = true;
	while (!loop->stop && !err) {
		err = wait_until_ready(loop);
		if (!err)
			turn(loop);
	}
	output_all(loop); /* whoever stopped it may have left words to be told */
	return err;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}

bool loop_quiet(const struct loop *loop)
{
	for (int i = 0; i < loop->port_count; i++) {
		const struct port *port = loop->ports[i];
		if (port->kept_count > 0)
			return false;
		/* A device with a deadline still has frames on their way. */
		if (port->device &&
		    (port->device->want_write || port->device->deadline != DEVICE_NEVER))
			return false;
	}
	return !owes(loop);
}

uint64_t loop_now(const struct loop *loop)
{
	return loop->now;
}
