/* SPDX-License-Identifier: MIT */
/*
 * epoll over the sockets of one layer: level- and edge-triggered, one shot. Sockets are named by
 * their descriptors; one that was closed drops out by itself.
 */
#ifndef DRILL_EPOLL_H
#define DRILL_EPOLL_H

#include "sock/sock.h"

#define DRILL_EPOLL_MAX 64

struct drill_epoll_item {
	int fd;
	uint32_t events; /* EPOLL* as asked for, with EPOLLET and EPOLLONESHOT */
	uint64_t data;
	bool disarmed; /* one shot, and told */
	bool told;     /* edge: of `generation` */
	uint64_t generation;
};

struct drill_epoll {
	struct drill_epoll_item item[DRILL_EPOLL_MAX];
	int count;
	int next; /* where the next wait begins: each gets its turn */
};

struct drill_epoll_event {
	uint32_t events;
	uint64_t data;
	int fd;
};

/* epoll_ctl(): 0 or a negative errno (EEXIST, ENOENT, EINVAL, ENOSPC as ENOMEM). */
int drill_epoll_ctl(struct drill_epoll *epoll, int operation, int fd, uint32_t events,
		    uint64_t data);

/* What epoll_wait() would return now: how many, 0 when none. */
int drill_epoll_collect(struct drill_epoll *epoll, struct sock_layer *layer,
			struct drill_epoll_event *events, int max);

/* A descriptor was closed. */
void drill_epoll_forget(struct drill_epoll *epoll, int fd);

#endif
