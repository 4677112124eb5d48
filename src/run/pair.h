/* SPDX-License-Identifier: MIT */
/*
 * The pair of Unix stream sockets that stands for one TCP socket: `theirs` is what the program
 * has as its descriptor, `ours` is the supervisor's end. What the program does to its end without
 * asking (read, write, poll, close, ...) and sees of it is settled here.
 *
 * Functions on `theirs` take any descriptor of that end: the one of pair_open(), before it is
 * handed over, or a short-lived duplicate (run/remote.h). None of them blocks.
 */
#ifndef RUN_PAIR_H
#define RUN_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pair {
	int ours;
	int theirs;
	ino_t inode; /* of theirs: by it the program's descriptor is known again */
};

/*
 * Makes a pair, both ends close-on-exec, ours non-blocking, theirs as `nonblock` says.
 * -EMFILE, -ENFILE, -ENOMEM, -ENOBUFS.
 */
int pair_open(struct pair *pair, bool nonblock);

/* The inode of a descriptor if it is a socket, else 0. */
ino_t pair_inode(int fd);

/* Whether the program set O_NONBLOCK on its end. */
bool pair_nonblocking(int theirs);

/*
 * Fills the way from theirs to ours, so that the program's end is not writable. Returns the bytes
 * written, which ours must take back in order before any of the program's.
 */
size_t pair_fill(int theirs);

/* Takes back at most `len` bytes that pair_fill() wrote; returns how many. */
size_t pair_drain(int ours, size_t len);

/*
 * Writes one byte on the program's end behind all that it wrote, even when the way is full. Closing
 * ours while a byte is unread makes the program's reads fail with ECONNRESET. True on success.
 */
bool pair_plant(int theirs);

/* How many bytes lie unread at our end. */
size_t pair_unread(int ours);

/*
 * Whether the next byte at our end is one that the program sent with MSG_OOB. It stands in line
 * there (SO_OOBINLINE), and a read that begins before it stops at it.
 */
bool pair_at_mark(int ours);

/*
 * Writes one byte with MSG_OOB, so that the program sees urgent data as on a TCP socket; without
 * where the kernel's Unix sockets have no such thing (before Linux 5.15). False: there is no room.
 */
bool pair_pass_urgent(int ours, uint8_t byte);

/* Whether the program's end is to leave such bytes in line, as its socket's SO_OOBINLINE says. */
void pair_set_inline(int theirs, bool is_inline);

/* Whether any byte that we wrote is still unread by the program. */
bool pair_undelivered(int ours);

/*
 * Makes a listener's end readable: a byte for each connection that waits, of which the end takes
 * only some hundred. Returns whether the byte went in.
 */
bool pair_signal(int ours);

/* Takes such a byte back. False when there was none. */
bool pair_unsignal(int theirs);

#endif
