/* SPDX-License-Identifier: MIT */
/*
 * Two TCPs joined by a link without loss, in virtual time, each with one user who sends the pattern
 * of peer.h, reads what comes, and closes when it has sent and read everything. Or one TCP whose
 * link leads back to itself. Every step checks the invariants of both.
 */
#ifndef TESTS_TCP_PAIR_H
#define TESTS_TCP_PAIR_H

#include "peer.h"

#define PAIR_DELAY MS(10)

/* A user: opens, sends `total` bytes, reads to the end, releases. Zeroed but for the first part. */
struct user {
	bool connects, listens; /* both for a simultaneous open: neither listens then */
	bool eager;		/* shuts its sending side when all is sent, without waiting */
	bool urgent;		/* every third send is urgent, up to 3000 bytes */
	uint32_t total;		/* bytes to send */

	parley_conn listener, conn;
	bool opened, shut, ended, released;
	int error; /* that ended the connection, positive */
	uint32_t sent, read, sends;
	uint32_t mark; /* how far what it sent was urgent */
	uint32_t told; /* how far it was told that the other's is */
};

struct flying {
	struct flying *next;
	uint64_t at;
	int to;
	struct tuple tuple;
	struct segment segment;
	uint8_t text[];
};

struct pair {
	struct memory memory[2];
	struct tcp tcp[2];
	struct egress egress[2];
	struct user user[2];
	struct flying *first, **last;
	uint64_t now;
	bool loop;		       /* one TCP: what 0 sends arrives at 0 */
	bool both_connect;	       /* the same four-tuple from both sides */
	uint32_t edges[PARLEY_STATES]; /* transitions seen anywhere */
	void (*each_step)(struct pair *pair);
	uint64_t cap; /* of memory, bytes */
};

void pair_init(struct pair *pair);

/* Runs until nothing is left to happen. Fails the test after an hour of virtual time. */
void pair_run(struct pair *pair);

/* Both TCPs are ended, nothing is left in their memory. */
void pair_done(struct pair *pair);

#endif
