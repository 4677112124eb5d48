/* SPDX-License-Identifier: MIT */
/*
 * Socket objects: what stands between a descriptor of the program and a socket of the layer. An
 * object is made by socket() and accept(), and is found by the inode of the program's end of the
 * pair, which every duplicate of the descriptor in every process shares: dup, fork, exec and
 * passing descriptors need no attention.
 *
 * It lives until the program has closed its last descriptor, which shows at our end of the pair,
 * and all its bytes have been taken over. Where that cannot show, because both ways were shut or
 * our end was closed to pass on a reset, the object has ended: its socket still answers calls, and
 * only the latest OBJECT_ENDED_MAX of them are kept.
 */
#ifndef RUN_OBJECT_H
#define RUN_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "run/loop.h"
#include "run/notify.h"
#include "run/pair.h"
#include "sock/sock.h"

#define OBJECT_ENDED_MAX 256

/*
 * Descriptors of ours that are not for objects, but for devices and files, and for a moment for
 * each call: without any, calls on the sockets that there are would fail, and say what is not so.
 */
#define OBJECT_SPARE 32

enum object_phase {
	OBJECT_IDLE, /* not connected, or not any more, and fit for connect() */
	OBJECT_LISTENING,
	OBJECT_CONNECTING,
	OBJECT_CONNECTED,
	OBJECT_ENDED,
};

struct supervisor;
struct request;

/* A result that did not reach its call: the same call, repeated, gets it. */
struct undelivered {
	bool is;
	struct call call;
	int64_t result;
};

struct object {
	struct supervisor *supervisor;
	enum object_phase phase;
	ino_t inode;
	int ours; /* our end of the pair; -1: closed */
	int sock; /* the layer's descriptor */
	/* Who was last seen to have it, and under which number. */
	pid_t holder;
	int holder_fd;
	size_t filled;	/* bytes of pair_fill() at our end */
	int signalled;	/* a listener: bytes of pair_signal() at the program's end */
	bool may_read;	/* our end was readable, and has not been read empty since */
	bool may_write; /* our end was writable, and has not been full since */
	bool hung_up;	/* the program's end is closed, or both ways are shut */
	bool unread;	/* and was closed before all was read: a reset */
	bool half_shut; /* the program's end sends no more */
	/* What shutdown() was asked for. */
	bool shut_rd, shut_wr;
	bool deaf; /* shut_rd, and what had come before was thrown away */
	/* All of the program's bytes and its end were sent; all of the peer's were passed on. */
	bool sent_all, passed_all;
	bool planted; /* the last byte at our end is one of pair_plant() */
	int error;    /* what ended the connection while bytes were still to be passed on */
	struct undelivered undelivered;
	struct request *held; /* calls that wait for it, oldest first */
	struct loop_watch watch;
	struct sock_watch sock_watch;
	struct object *chain;		/* of the same bucket */
	struct object *earlier, *later; /* among all objects, or among those that have ended */
};

struct object_list {
	struct object *first, *last;
	size_t count;
};

/* By inode; and in two lists by age. */
struct object_table {
	struct object **buckets;
	size_t size; /* a power of two */
	struct object_list alive, ended;
	size_t most_alive; /* each has a descriptor of ours */
};

/* The limit of descriptors is to be set before. -ENOMEM. */
int object_table_init(struct object_table *table);

/* Frees all objects, and the table's memory. */
void object_table_clear(struct object_table *table);

struct object *object_find(const struct object_table *table, ino_t inode);

/*
 * A new object with its pair, in the table and watched, without a socket. *theirs is the end for
 * the program, the caller's to close. Returns NULL with a negative errno in *theirs.
 */
struct object *object_new(struct supervisor *supervisor, bool nonblock, int *theirs);

/* Gives it its socket, and tells who has its descriptor. */
void object_adopt(struct object *object, int sock, pid_t holder, int holder_fd);

/*
 * A short-lived duplicate of the program's end from whoever was last seen to have it, or else
 * from whoever has it; a negative errno when nobody has.
 */
int object_duplicate(struct object *object);

/* Closes our end; the object has ended. Frees the oldest of those when they are too many. */
void object_end(struct object *object);

/* Closes what is open, and forgets the calls that wait. */
void object_free(struct object *object);

#endif
