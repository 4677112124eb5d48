/* SPDX-License-Identifier: MIT */
/*
 * Calls that wait for the supervisor's answer: the notifications of seccomp_unotify(2).
 *
 * A call is named by its id, which is never used again. It may vanish at any time, because a
 * signal interrupted it (then it may come again, under a new id) or its thread ended; every
 * function answers -ENOENT then, and nothing has happened.
 *
 * `fd` is what filter_install() returned.
 */
#ifndef RUN_NOTIFY_H
#define RUN_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct call {
	uint64_t id;
	pid_t tid; /* the thread that calls */
	int nr;
	uint32_t arch;
	uint64_t args[6];
};

/* Takes the oldest call: 0, or -ENOENT when it has vanished. Blocks unless fd is readable. */
int notify_receive(int fd, struct call *call);

/* Whether the call still waits: what was read from its process until now is its own. */
bool notify_valid(int fd, uint64_t id);

/* Ends the call with a result, or with an error (negative errno). */
int notify_answer(int fd, uint64_t id, int64_t result);

/* Lets the kernel do the call as if there were no filter. */
int notify_continue(int fd, uint64_t id);

/*
 * Installs a duplicate of `srcfd` in the process and ends the call with its number, in one step.
 * Returns the number; on error (-ENOENT, -EMFILE, ...) nothing was installed and, but for
 * -ENOENT, the call still waits.
 */
int notify_install(int fd, uint64_t id, int srcfd, bool cloexec);

#endif
