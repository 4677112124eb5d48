/* SPDX-License-Identifier: MIT */
/*
 * Where the running hosts of a user are found: a directory that is the user's alone, with a socket
 * for each `parley run`, named by its process id. See run/report.h for what the sockets answer.
 *
 * The places are, first that works: "parley" in $XDG_RUNTIME_DIR, "parley" in /run/user/UID, and
 * /tmp/parley-UID. Whoever looks for hosts looks in all of them, for a program may have been
 * started with another environment.
 */
#ifndef RUN_REPORT_DIR_H
#define RUN_REPORT_DIR_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#define REPORT_PLACES 3

/* A directory's path, which leaves room for a name in the address of a socket. */
#define REPORT_DIR_MAX 92

/* The place `i` of REPORT_PLACES; false when there is none here, or it is the same as another. */
bool report_dir_place(unsigned i, char path[static REPORT_DIR_MAX]);

/* Whether it is a directory of our own that is closed to everybody else. */
bool report_dir_is_safe(const char *path);

/* The first place that is safe, made when needed. Returns 0 or a negative errno. */
int report_dir_make(char path[static REPORT_DIR_MAX]);

/* The address of a process's socket; `hidden`: while it is not ready. */
void report_dir_address(struct sockaddr_un *addr, const char *dir, pid_t pid, bool hidden);

/*
 * Connects to a socket there. The descriptor, close-on-exec and non-blocking, is the caller's to
 * close. -ECONNREFUSED when whoever made the socket is gone, -EAGAIN when it has not answered
 * others for long.
 */
int report_dir_connect(const struct sockaddr_un *addr);

#endif
