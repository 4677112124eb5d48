/* SPDX-License-Identifier: MIT */
/* Which processes hold which sockets, by the sockets' inodes, as far as /proc lets us look. */
#ifndef TOOL_USERS_H
#define TOOL_USERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct user {
	uint64_t inode;
	pid_t pid;
	int fd;
	char name[16]; /* of the program, as the kernel has it */
};

struct users {
	struct user *user; /* by inode, process, descriptor */
	size_t count, room;
};

/* Looks at every process once. */
void users_read(struct users *users);

void users_free(struct users *users);

/* Those of a socket: the first, and how many. NULL: nobody. */
const struct user *users_of(const struct users *users, uint64_t inode, size_t *count);

#endif
