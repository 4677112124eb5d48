/* SPDX-License-Identifier: MIT */
/*
 * Ready-made users: one that listens on a host, and one that connects to it from another. Each
 * ends by itself when the network lets it.
 */
#ifndef SIM_WORKLOAD_H
#define SIM_WORKLOAD_H

#include "sim/user.h"

#include <stdint.h>

enum sim_workload_kind {
	SIM_DOWNLOAD,	/* the server sends bytes and closes; then the client closes */
	SIM_UPLOAD,	/* the client sends bytes and closes; then the server closes */
	SIM_BOTH_WAYS,	/* both send bytes at once, shut down, and read to the end */
	SIM_PING_PONG,	/* bytes there, bytes back, count times */
	SIM_SHORT,	/* count connections, one after the other, bytes each way */
	SIM_HALF_CLOSE, /* the client sends and shuts down; the server reads all, then answers */
	SIM_CLOSE_TOGETHER, /* both send bytes, and close at the same time, `pause` after start */
	SIM_OPEN_TOGETHER,  /* both connect to each other at the same time, then as BOTH_WAYS */
	SIM_SLOW_READER,    /* a download to a client that first reads nothing for `pause` */
	SIM_CLIENT_ABORTS,  /* a download that the client aborts when it has read half */
	SIM_SERVER_ABORTS,  /* an upload that the server aborts when it has read half */
	SIM_WORKLOADS,
};

struct sim_workload {
	enum sim_workload_kind kind;
	int client, server; /* hosts' numbers */
	uint16_t port;	    /* of the server */
	bool in_place;	    /* users copy nothing */
	uint32_t urgent;    /* one in so many sends is urgent; 0: none */
	uint64_t bytes;
	uint32_t count;
	uint32_t retries;  /* so often the client connects again when it failed */
	uint64_t start;	   /* when the client begins; the server is there at once; ns */
	uint64_t pause;	   /* ns */
	uint64_t patience; /* when the server accepts no more, ns; 0: it waits for ever */
};

/* Numbers of the users, to be found in world->user. */
struct sim_workload_users {
	int client;
	int listener; /* the user who accepts; for OPEN_TOGETHER the other one who connects */
};

/* Adds the users. 0, or -PARLEY_ENOMEM, -PARLEY_EINVAL (unknown kind). */
int sim_workload_add(struct sim_world *world, const struct sim_workload *workload,
		     struct sim_workload_users *users);

/* The user who was given the n-th connection (from 0) of a listener; NULL when there is none. */
struct sim_user *sim_workload_server(const struct sim_world *world, int listener, uint32_t n);

#endif
