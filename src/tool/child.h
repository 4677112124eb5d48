/* SPDX-License-Identifier: MIT */
/*
 * Child processes of the command: started, waited for with a deadline, ended. Only what was started
 * here is ever signalled. A child ends with SIGTERM when the command itself dies.
 */
#ifndef TOOL_CHILD_H
#define TOOL_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: not running */
	int pidfd;
	int out; /* its standard output, to be read; -1 when that goes to a file */
};

/* No status: it is still running, or was never started. */
#define CHILD_RUNNING (-1)

/*
 * Starts argv[0], found through PATH ("/proc/self/exe" for the command itself). Its standard error
 * goes to the file `log`, added at the end, and so does its standard output, unless `piped`.
 * Returns 0 or a negative errno; a program that cannot be started ends with status 127.
 */
int child_start(struct child *child, const char *const argv[], const char *log, bool piped);

/*
 * Reads from its standard output up to the end of a line, or until `deadline` (dev/clock.h). False
 * when no line came.
 */
bool child_line(struct child *child, uint64_t deadline, char *line, size_t size);

/*
 * Waits for its end. Returns its exit status, 128 + n when signal n ended it, or CHILD_RUNNING at
 * the deadline.
 */
int child_wait(struct child *child, uint64_t deadline);

/* Asks it to end (SIGTERM), and makes it (SIGKILL) after `patience` ns. As child_wait(). */
int child_end(struct child *child, uint64_t patience);

#endif
