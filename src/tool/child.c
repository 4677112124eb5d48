/* SPDX-License-Identifier: MIT */
#include "tool/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dev/clock.h"

/* How long is left, for poll(2). */
static int left_ms(uint64_t deadline)
{
	uint64_t now = clock_now();

	if (now >= deadline)
		return 0;
	return (deadline - now) / 1000000 >= 3600000 ? 3600000
						     : (int)((deadline - now) / 1000000) + 1;
}

static _Noreturn void become(const char *const argv[], const char *log, int out, pid_t parent)
{
	int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* The parent may have died before that took effect. */
	if (getppid() != parent || file < 0 || null < 0)
		_exit(127);
	if (dup2(null, 0) < 0 || dup2(out < 0 ? file : out, 1) < 0 || dup2(file, 2) < 0)
		_exit(127);
	/* exec does not change the strings; the cast is what its old prototype demands. */
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int child_start(struct child *child, const char *const argv[], const char *log, bool piped)
{
	int pipes[2] = {-1, -1}, error = 0;
	pid_t parent = getpid();

	*child = (struct child){.pidfd = -1, .out = -1};
	if (piped && pipe2(pipes, O_CLOEXEC))
		return -errno;
	child->pid = fork();
	if (child->pid == 0)
		become(argv, log, pipes[1], parent);
	if (child->pid < 0)
		error = errno;
	if (piped)
		close(pipes[1]);
	if (!error) {
		child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
		child->out = pipes[0];
		return 0;
	}
	if (piped)
		close(pipes[0]);
	child->pid = 0;
	return -error;
}

bool child_line(struct child *child, uint64_t deadline, char *line, size_t size)
{
	struct pollfd fd = {.fd = child->out, .events = POLLIN};
	size_t used = 0;

	while (used + 1 < size && poll(&fd, 1, left_ms(deadline)) > 0) {
		ssize_t n = read(child->out, line + used, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (line[used] == '\n') {
			line[used] = 0;
			return true;
		}
		used++;
	}
	line[used] = 0;
	return false;
}

static void forget(struct child *child)
{
	if (child->pidfd >= 0)
		close(child->pidfd);
	if (child->out >= 0)
		close(child->out);
	*child = (struct child){.pidfd = -1, .out = -1};
}

int child_wait(struct child *child, uint64_t deadline)
{
	struct pollfd fd = {.fd = child->pidfd, .events = POLLIN};
	int status;

	if (!child->pid)
		return CHILD_RUNNING;
	while (poll(&fd, 1, left_ms(deadline)) < 0 && errno == EINTR)
		;
	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return CHILD_RUNNING;
	forget(child);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int child_end(struct child *child, uint64_t patience)
{
	int status;

	if (!child->pid)
		return CHILD_RUNNING;
	kill(child->pid, SIGTERM);
	status = child_wait(child, clock_now() + patience);
	if (status != CHILD_RUNNING)
		return status;
	kill(child->pid, SIGKILL);
	return child_wait(child, UINT64_MAX);
}
