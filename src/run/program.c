/* SPDX-License-Identifier: MIT */
#include "run/program.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/filter.h"

/*
 * The child tells its parent in up to two messages: first the notification descriptor, or why
 * there is none; then, only if exec fails, why. The end of file after the first is success.
 */
struct report {
	enum { INSTALLED, NO_FILTER, NO_EXEC } what;
	int err;
};

static int send_report(int channel, const struct report *report, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = (void *)report, .iov_len = sizeof(*report)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(channel, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Returns 1 with a report, 0 at the end. *fd is a descriptor that came with it, or -1. */
static int receive_report(int channel, struct report *report, int *fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = report, .iov_len = sizeof(*report)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	*fd = -1;
	do {
		n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(*report))
		return 0;
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return 1;
}

/* From the filter on, none of the calls that it reports may be made before exec. */
static void become_program(int channel, char *const argv[], const sigset_t *mask)
{
	struct report report = {.what = INSTALLED};
	int notify = filter_install();

	if (notify < 0) {
		report.what = NO_FILTER;
		report.err = -notify;
		send_report(channel, &report, -1);
		_exit(1);
	}
	if (send_report(channel, &report, notify))
		_exit(1);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	report.what = NO_EXEC;
	report.err = errno;
	send_report(channel, &report, -1);
	_exit(1);
}

static int explain_no_filter(int err)
{
	const char *why = strerror(err);

	if (err == EBUSY)
		why = "already under such a supervisor (parley run within parley run?)";
	else if (err == ENOSYS || err == EINVAL)
		why = "this kernel or sandbox lacks seccomp user notification";
	fprintf(stderr, "parley run: cannot watch the program's calls: %s\n", why);
	return 1;
}

/* Whether PATH leads to a file of that name, executable or not. */
static bool is_in_path(const char *name)
{
	const char *path = getenv("PATH");
	char file[PATH_MAX];

	for (const char *end; path; path = end ? end + 1 : NULL) {
		end = strchr(path, ':');
		int len = end ? (int)(end - path) : (int)strlen(path);
		int n = snprintf(file, sizeof(file), "%.*s/%s", len, path, name);
		if (n > 0 && (size_t)n < sizeof(file) && access(file, F_OK) == 0)
			return true;
	}
	return false;
}

static int explain_no_exec(const char *name, int err)
{
	/* A directory on the way that may not be searched hides that there is no such file. */
	if (err == EACCES && !strchr(name, '/') && !is_in_path(name))
		err = ENOENT;
	if (err == ENOENT && !strchr(name, '/')) {
		fprintf(stderr, "parley run: %s: no such program\n", name);
		return PROGRAM_NOT_FOUND;
	}
	fprintf(stderr, "parley run: %s: %s\n", name, strerror(err));
	return err == ENOENT || err == ENOTDIR ? PROGRAM_NOT_FOUND : PROGRAM_NOT_EXECUTABLE;
}

/* Follows the child until it runs the program or has said why not. */
static int follow(struct program *program, int channel, const char *name)
{
	struct report report;
	int none;

	if (!receive_report(channel, &report, &program->notify)) {
		fprintf(stderr, "parley run: %s: ended before it began\n", name);
		return 1;
	}
	if (report.what == NO_FILTER)
		return explain_no_filter(report.err);
	if (program->notify < 0) {
		fprintf(stderr, "parley run: %s: too many open files\n", name);
		return 1;
	}
	if (receive_report(channel, &report, &none))
		return explain_no_exec(name, report.err);
	return 0;
}

int program_start(struct program *program, char *const argv[], const sigset_t *mask)
{
	int channel[2];

	program->notify = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel)) {
		fprintf(stderr, "parley run: socketpair: %s\n", strerror(errno));
		return 1;
	}
	program->pid = fork();
	if (program->pid == 0)
		become_program(channel[1], argv, mask);
	close(channel[1]);
	if (program->pid < 0) {
		fprintf(stderr, "parley run: fork: %s\n", strerror(errno));
		close(channel[0]);
		return 1;
	}
	int status = follow(program, channel[0], argv[0]);
	close(channel[0]);
	if (status) {
		if (program->notify >= 0)
			close(program->notify);
		program->notify = -1;
		kill(program->pid, SIGKILL);
		waitpid(program->pid, NULL, 0);
	}
	return status;
}

int program_status(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}
