/* SPDX-License-Identifier: MIT */
/*
 * The loop that drives one host in real time: the only part of the program that waits, and the
 * only one that reads a clock (CLOCK_MONOTONIC, dev/clock.h; ns).
 *
 * A turn: frames that came go into the host, what is due is done, descriptors that are ready are
 * told to their watches, the socket layer calls who waits, and what the host owes goes out. Then it
 * sleeps until a descriptor is ready or something is due, and not at all when more is to be done.
 */
#ifndef RUN_LOOP_H
#define RUN_LOOP_H

#include <stdint.h>

#include "dev/device.h"
#include "sock/sock.h"

struct loop;

/* No deadline. */
#define LOOP_NEVER UINT64_MAX

/* A descriptor that is watched: the caller's memory, which must stay until loop_remove(). */
struct loop_watch {
	int fd;
	/* `events` as of epoll_wait(2). May add and remove watches, itself as well. */
	void (*ready)(struct loop_watch *watch, uint32_t events);
	void *context;
};

/* Called at the end of each turn; may set the deadline of the next call and stop the loop. */
struct loop_hook {
	void (*turned)(struct loop_hook *hook, uint64_t now);
	void *context;
	uint64_t deadline; /* the next turn begins by then at the latest; LOOP_NEVER */
};

/*
 * The layer, and the host that it belongs to, are borrowed and must outlive the loop. `hook` may be
 * NULL. Returns 0 and sets *out, or a negative errno.
 */
int loop_new(struct loop **out, struct sock_layer *layer, struct loop_hook *hook);

/* Devices and watches stay what they are: the caller's. */
void loop_free(struct loop *loop);

/*
 * Lets the device carry the frames of an interface. It is borrowed. When it fails, the loop says so
 * on standard error and takes the interface away from the host. -ENOMEM, -ENOSPC (too many).
 */
int loop_attach(struct loop *loop, struct device *device, int ifindex);

/* `events` as for epoll_ctl(2). Returns 0 or a negative errno. */
int loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events);
void loop_remove(struct loop *loop, struct loop_watch *watch);

/* Runs until somebody calls loop_stop(). Returns 0, or a negative errno when it cannot go on. */
int loop_run(struct loop *loop);

/* Ends loop_run() at the end of the turn, with the output of what the hook did then. */
void loop_stop(struct loop *loop);

/* Whether the devices have taken all that the host owed, and passed it on. */
bool loop_quiet(const struct loop *loop);

/* When the current turn began. */
uint64_t loop_now(const struct loop *loop);

#endif
