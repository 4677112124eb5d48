/* SPDX-License-Identifier: MIT */
/*
 * The program that runs under the filter: its start and its end.
 *
 * Standard input, output and error, every other descriptor that is not close-on-exec, the
 * environment, the working directory and the process group are the caller's.
 */
#ifndef RUN_PROGRAM_H
#define RUN_PROGRAM_H

#include <signal.h>
#include <sys/types.h>

/* What shells answer for a program that is not there, or is not to be run. */
#define PROGRAM_NOT_FOUND      127
#define PROGRAM_NOT_EXECUTABLE 126

struct program {
	pid_t pid;
	int notify; /* its calls: see run/notify.h; close-on-exec, the caller's to close */
};

/*
 * Starts argv[0] (found through PATH) under the filter, with `mask` as its blocked signals. Returns
 * 0 once it runs. Otherwise says on standard error what is wrong and returns the exit status for
 * it: PROGRAM_NOT_FOUND, PROGRAM_NOT_EXECUTABLE, or 1 when the system refuses. No process is left
 * then. The calling process must have a single thread.
 */
int program_start(struct program *program, char *const argv[], const sigset_t *mask);

/* The exit status that a shell would give for a status of waitpid(2): 128 + n for signal n. */
int program_status(int wait_status);

#endif
