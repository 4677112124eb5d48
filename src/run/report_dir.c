/* SPDX-License-Identifier: MIT */
#include "run/report_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fits(int len)
{
	return len > 0 && len < REPORT_DIR_MAX;
}

static bool session_place(char path[static REPORT_DIR_MAX])
{
	const char *session = getenv("XDG_RUNTIME_DIR");

	return session && *session == '/' &&
	       fits(snprintf(path, REPORT_DIR_MAX, "%s/parley", session));
}

bool report_dir_place(unsigned i, char path[static REPORT_DIR_MAX])
{
	unsigned uid = (unsigned)geteuid();
	char other[REPORT_DIR_MAX];

	switch (i) {
	case 0:
		return session_place(path);
	case 1:
		snprintf(path, REPORT_DIR_MAX, "/run/user/%u/parley", uid);
		return !session_place(other) || strcmp(path, other);
	case 2:
		snprintf(path, REPORT_DIR_MAX, "/tmp/parley-%u", uid);
		return true;
	default:
		return false;
	}
}

bool report_dir_is_safe(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & 077) == 0;
}

int report_dir_make(char path[static REPORT_DIR_MAX])
{
	int err = -ENOENT;

	for (unsigned i = 0; i < REPORT_PLACES; i++) {
		if (!report_dir_place(i, path))
			continue;
		if (mkdir(path, 0700) && errno != EEXIST)
			err = -errno;
		else if (report_dir_is_safe(path))
			return 0;
		else
			err = -EPERM;
	}
	return err;
}

void report_dir_address(struct sockaddr_un *addr, const char *dir, pid_t pid, bool hidden)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(addr->sun_path, sizeof(addr->sun_path), "%s/%s%d", dir, hidden ? "." : "",
		 (int)pid);
}

int report_dir_connect(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
		return fd;
	int err = -errno;
	close(fd);
	return err;
}
