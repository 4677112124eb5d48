/* SPDX-License-Identifier: MIT */
#include "tool/users.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/option.h"

static bool read_number(const char *text, uint64_t *number)
{
	const char *end;

	return option_decimal(text, 0, number, &end) && !*end;
}

static void read_name(pid_t pid, char name[static 16])
{
	char path[64];
	FILE *file;

	*name = 0;
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(name, 16, file))
		*name = 0;
	name[strcspn(name, "\n")] = 0;
	fclose(file);
}

static void add(struct users *users, const struct user *user)
{
	if (users->count == users->room) {
		size_t room = users->room ? users->room * 2 : 64;
		struct user *more = realloc(users->user, room * sizeof *more);

		if (!more)
			return;
		users->user = more;
		users->room = room;
	}
	users->user[users->count++] = *user;
}

/* "socket:[1234]" */
static bool read_socket(int dir, const char *fd, uint64_t *inode)
{
	char link[64];
	ssize_t n = readlinkat(dir, fd, link, sizeof link - 1);
	const char *end;

	if (n < 0)
		return false;
	link[n] = 0;
	return !strncmp(link, "socket:[", 8) && option_decimal(link + 8, 0, inode, &end) &&
	       !strcmp(end, "]");
}

static void read_process(struct users *users, pid_t pid)
{
	struct user user = {.pid = pid};
	struct dirent *entry;
	char path[64];
	uint64_t fd;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!read_number(entry->d_name, &fd) ||
		    !read_socket(dirfd(dir), entry->d_name, &user.inode))
			continue;
		if (!*user.name)
			read_name(pid, user.name);
		user.fd = (int)fd;
		add(users, &user);
	}
	closedir(dir);
}

static int by_inode(const void *a, const void *b)
{
	const struct user *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

void users_read(struct users *users)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	uint64_t pid;

	*users = (struct users){0};
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (read_number(entry->d_name, &pid))
			read_process(users, (pid_t)pid);
	closedir(dir);
	if (users->count)
		qsort(users->user, users->count, sizeof *users->user, by_inode);
}

void users_free(struct users *users)
{
	free(users->user);
}

const struct user *users_of(const struct users *users, uint64_t inode, size_t *count)
{
	size_t low = 0, high = users->count;

	*count = 0;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (users->user[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	if (!inode)
		return NULL;
	while (low + *count < users->count && users->user[low + *count].inode == inode)
		++*count;
	return *count ? &users->user[low] : NULL;
}
