/* SPDX-License-Identifier: MIT */
/*
 * Ready-made users: one that listens on a host, and one that connects to it from another. Each
 * ends by itself when the network lets it.
 */
#ifndef SIM_WORKLOAD_H
#define SIM_WORKLOAD_H

#include "sim/user.h"

#include <stdint.h>

/* X(NAME, "name", "what happens") */
/* clang-format off */
#define SIM_WORKLOAD_KINDS(X) \
	X(DOWNLOAD, "download", "the server sends bytes and closes; then the client closes") \
	X(UPLOAD, "upload", "the client sends bytes and closes; then the server closes") \
	X(BOTH_WAYS, "both-ways", "both send bytes at once, shut down, and read to the end") \
	X(PING_PONG, "ping-pong", "bytes there, bytes back, count times") \
	X(SHORT, "short", "count connections, one after the other, bytes each way") \
	X(HALF_CLOSE, "half-close", "the client sends and shuts down; then the server answers") \
	X(CLOSE_TOGETHER, "close-together", \
	  "both send bytes, and close at the same time, `pause` after start") \
	X(OPEN_TOGETHER, "open-together", \
	  "both connect to each other at the same time, then as both-ways") \
	X(SLOW_READER, "slow-reader", \
	  "a download to a client that first reads nothing for `pause`") \
	X(CLIENT_ABORTS, "client-aborts", \
	  "a download that the client aborts when it has read half") \
	X(SERVER_ABORTS, "server-aborts", \
	  "an upload that the server aborts when it has read half") \
	X(PACED, "paced", "a download to a client that reads `count` bytes every `pause`") \
	X(NOT_READ, "not-read", \
	  "a download that the client never reads: it closes after `pause`") \
	X(NOT_ACCEPTED, "not-accepted", \
	  "count clients send bytes to a listener that accepts none before `pause`") \
	X(PASSIVE, "passive", "one passive OPEN without a listener, then as both-ways") \
	X(TURNED, "turned", \
	  "two passive OPENs; the client's becomes active after `pause`, then as both-ways") \
	X(REUSE, "reuse", \
	  "count connections from the same port, `pause` apart, which the server closes") \
	X(REFUSED, "refused", "a client connects to a port where nobody listens") \
	X(NOBODY, "nobody", "a client connects to an address that nobody has") \
	X(IDLE, "idle", "connected, both do nothing for `pause`; then the client closes")
/* clang-format on */

enum sim_workload_kind {
#define SIM_X(name, text, meaning) SIM_##name,
	SIM_WORKLOAD_KINDS(SIM_X)
#undef SIM_X
		SIM_WORKLOADS,
};

struct sim_workload {
	enum sim_workload_kind kind;
	int client, server; /* hosts' numbers */
	uint16_t port;	    /* of the server */
	bool in_place;	    /* users copy nothing */
	uint32_t urgent;    /* one in so many sends is urgent; 0: none */
	bool ask;	    /* the listener asks of each SYN, and refuses or drops some */
	uint64_t bytes;
	uint32_t count;
	uint32_t backlog;  /* of the listener; 0: 128 */
	uint32_t retries;  /* so often the client connects again when it failed */
	uint64_t start;	   /* when the client begins; the server is there at once; ns */
	uint64_t pause;	   /* ns */
	uint64_t patience; /* when the server accepts no more, ns; 0: it waits for ever */
};

/* Numbers of the users, to be found in world->user. */
struct sim_workload_users {
	int client;   /* of several the first */
	int listener; /* the user who accepts; for OPEN_TOGETHER the other one who connects */
};

/* Adds the users. 0, or -PARLEY_ENOMEM, -PARLEY_EINVAL (unknown kind). */
int sim_workload_add(struct sim_world *world, const struct sim_workload *workload,
		     struct sim_workload_users *users);

/* The name of a kind; "?" outside the table. */
const char *sim_workload_name(int kind);

/* The user who was given the n-th connection (from 0) of a listener; NULL when there is none. */
struct sim_user *sim_workload_server(const struct sim_world *world, int listener, uint32_t n);

#endif
