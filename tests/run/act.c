/* SPDX-License-Identifier: MIT */
#include "act.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORDINARY_USER 65534

void act_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: in the program: %s does not hold (errno: %s)\n", file, line, what,
		strerror(errno));
	_exit(1);
}

void act_play(int argc, char **argv, const struct act *acts)
{
	if (argc < 2)
		return;
	for (; acts->name; acts++) {
		if (strcmp(acts->name, argv[1]) == 0)
			_exit(acts->play());
	}
	fprintf(stderr, "no act %s\n", argv[1]);
	_exit(2);
}

void act_start(struct program *program, const char *name)
{
	char self[] = "/proc/self/exe", act[32];
	char *argv[] = {self, act, NULL};
	sigset_t none;

	snprintf(act, sizeof(act), "%s", name);
	sigemptyset(&none);
	assert_int_equal(program_start(program, argv, &none), 0);
}

bool act_call(const struct program *program, struct call *call)
{
	struct pollfd poll_fd = {.fd = program->notify, .events = POLLIN};

	for (;;) {
		if (poll(&poll_fd, 1, -1) < 0)
			continue;
		if (!(poll_fd.revents & POLLIN))
			return false;
		int err = notify_receive(program->notify, call);
		if (err == 0)
			return true;
		assert_int_equal(err, -ENOENT);
	}
}

int act_end(struct program *program)
{
	int status;

	assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
	close(program->notify);
	return program_status(status);
}

int act_run_twice(int (*group)(void))
{
	int failed = group();

	if (geteuid() != 0)
		return failed;
	fprintf(stderr, "once more, as user %d\n", ORDINARY_USER);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (setgid(ORDINARY_USER) || setuid(ORDINARY_USER))
			_exit(77);
		_exit(group() != 0);
	}
	int status = 1;
	waitpid(pid, &status, 0);
	return failed || status != 0;
}
