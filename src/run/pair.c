/* SPDX-License-Identifier: MIT */
#include "run/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 32768

int pair_open(struct pair *pair, bool nonblock)
{
	struct stat st;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		return -errno;
	if (fstat(ends[1], &st) || (!nonblock && fcntl(ends[1], F_SETFL, O_RDWR))) {
		int err = errno;
		close(ends[0]);
		close(ends[1]);
		return -err;
	}
	pair_set_inline(ends[0], true);
	pair->ours = ends[0];
	pair->theirs = ends[1];
	pair->inode = st.st_ino;
	return 0;
}

ino_t pair_inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) ? st.st_ino : 0;
}

bool pair_nonblocking(int theirs)
{
	int flags = fcntl(theirs, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK);
}

size_t pair_fill(int theirs)
{
	static const char nothing[CHUNK];
	size_t total = 0;

	for (size_t len = CHUNK; len > 0; len /= 2) {
		ssize_t n;
		while ((n = send(theirs, nothing, len, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
			total += (size_t)n;
	}
	return total;
}

size_t pair_drain(int ours, size_t len)
{
	char nothing[CHUNK];
	size_t total = 0;

	while (total < len) {
		size_t want = len - total < CHUNK ? len - total : CHUNK;
		ssize_t n = recv(ours, nothing, want, MSG_DONTWAIT);
		if (n <= 0)
			break;
		total += (size_t)n;
	}
	return total;
}

bool pair_plant(int theirs)
{
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	int size;
	socklen_t len = sizeof(size);

	if (send(theirs, "", 1, flags) == 1)
		return true;
	/* Full: a larger buffer takes one more. The kernel doubles what it is given. */
	if (errno != EAGAIN || getsockopt(theirs, SOL_SOCKET, SO_SNDBUF, &size, &len))
		return false;
	setsockopt(theirs, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	bool planted = send(theirs, "", 1, flags) == 1;
	size /= 2;
	setsockopt(theirs, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return planted;
}

static size_t queue(int fd, unsigned long request)
{
	int n = 0;

	return ioctl(fd, request, &n) == 0 && n > 0 ? (size_t)n : 0;
}

size_t pair_unread(int ours)
{
	return queue(ours, SIOCINQ);
}

bool pair_at_mark(int ours)
{
	int at_mark = 0;

	return ioctl(ours, SIOCATMARK, &at_mark) == 0 && at_mark;
}

bool pair_pass_urgent(int ours, uint8_t byte)
{
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	ssize_t n = send(ours, &byte, 1, flags | MSG_OOB);

	if (n < 0 && errno == EOPNOTSUPP)
		n = send(ours, &byte, 1, flags);
	return n == 1;
}

void pair_set_inline(int theirs, bool is_inline)
{
	int value = is_inline;

	setsockopt(theirs, SOL_SOCKET, SO_OOBINLINE, &value, sizeof(value));
}

bool pair_undelivered(int ours)
{
	return queue(ours, SIOCOUTQ) > 0;
}

bool pair_signal(int ours)
{
	return send(ours, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

bool pair_unsignal(int theirs)
{
	char byte;

	return recv(theirs, &byte, 1, MSG_DONTWAIT) == 1;
}
