/* SPDX-License-Identifier: MIT */
#include "run/remote.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* pidfd_open(2): the number is a thread's. Newer than the headers of Debian 12. */
#define PIDFD_OF_THREAD O_EXCL

#define PATH_ROOM 64

/* Descendants that remote_find() looks through, at most. */
#define FIND_LIMIT 4096

int remote_read(pid_t tid, uint64_t addr, void *buf, size_t len)
{
	struct iovec here = {.iov_base = buf, .iov_len = len};
	struct iovec there = {.iov_base = (void *)(uintptr_t)addr, .iov_len = len};

	if (len == 0)
		return 0;
	ssize_t n = process_vm_readv(tid, &here, 1, &there, 1, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EFAULT;
}

int remote_write(pid_t tid, uint64_t addr, const void *buf, size_t len)
{
	struct iovec here = {.iov_base = (void *)(uintptr_t)buf, .iov_len = len};
	struct iovec there = {.iov_base = (void *)(uintptr_t)addr, .iov_len = len};

	if (len == 0)
		return 0;
	ssize_t n = process_vm_writev(tid, &here, 1, &there, 1, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EFAULT;
}

/* Reads the start of a file of proc(5) as text. */
static int read_text(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, text, room - 1);
	close(fd);
	if (n < 0)
		return -ESRCH;
	text[n] = '\0';
	return 0;
}

pid_t remote_process(pid_t tid)
{
	char path[PATH_ROOM], text[512];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	if (read_text(path, text, sizeof(text)))
		return -ESRCH;
	const char *line = strstr(text, "\nTgid:");
	long tgid = line ? strtol(line + strlen("\nTgid:"), NULL, 10) : 0;
	return tgid > 0 ? (pid_t)tgid : -ESRCH;
}

static int duplicate(pid_t pid, unsigned flags, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, flags);
	if (pidfd < 0)
		return -errno;
	int dup = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	int err = errno;
	close(pidfd);
	return dup < 0 ? -err : dup;
}

int remote_duplicate_by_process(pid_t tid, int fd)
{
	pid_t pid = remote_process(tid);

	return pid < 0 ? pid : duplicate(pid, 0, fd);
}

int remote_duplicate(pid_t tid, int fd)
{
	int dup = duplicate(tid, PIDFD_OF_THREAD, fd);

	return dup == -EINVAL ? remote_duplicate_by_process(tid, fd) : dup;
}

/* The descriptor of `pid` that is the socket, or -1. */
static int find_descriptor(pid_t pid, const char *socket)
{
	char path[PATH_ROOM], target[PATH_ROOM];
	int found = -1;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	if (!dir)
		return -1;
	for (struct dirent *entry; found < 0 && (entry = readdir(dir));) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (strcmp(target, socket) == 0)
			found = (int)strtol(entry->d_name, NULL, 10);
	}
	closedir(dir);
	return found;
}

struct pids {
	pid_t pid[FIND_LIMIT];
	size_t count;
};

static void add_children_of_thread(struct pids *pids, pid_t pid, const char *tid)
{
	char path[PATH_ROOM];
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", (int)pid, tid);
	FILE *file = fopen(path, "re");
	if (!file)
		return;
	while (pids->count < FIND_LIMIT && fscanf(file, "%d", &child) == 1)
		pids->pid[pids->count++] = child;
	fclose(file);
}

static void add_children(struct pids *pids, pid_t pid)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *dir = opendir(path);
	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] != '.')
			add_children_of_thread(pids, pid, entry->d_name);
	}
	closedir(dir);
}

static bool is_socket(int fd, ino_t inode)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_ino == inode;
}

static int duplicate_if(pid_t pid, const char *socket, ino_t inode)
{
	int fd = find_descriptor(pid, socket);
	int dup = fd < 0 ? -ENOENT : remote_duplicate(pid, fd);

	/* It may have been closed and its number used again meanwhile. */
	if (dup >= 0 && !is_socket(dup, inode)) {
		close(dup);
		dup = -ENOENT;
	}
	return dup;
}

int remote_find(ino_t inode)
{
	char socket[PATH_ROOM];
	int dup = -ENOENT;
	struct pids *pids = malloc(sizeof(*pids));

	if (!pids)
		return -ENOMEM;
	pids->count = 0;
	snprintf(socket, sizeof(socket), "socket:[%ju]", (uintmax_t)inode);
	add_children(pids, getpid());
	for (size_t i = 0; i < pids->count && dup < 0; i++) {
		dup = duplicate_if(pids->pid[i], socket, inode);
		add_children(pids, pids->pid[i]);
	}
	free(pids);
	return dup < 0 ? -ENOENT : dup;
}
