/* SPDX-License-Identifier: MIT */
/*
 * Another process's memory and descriptors, as far as serving its calls needs them. The caller must
 * be allowed to trace the process: it is a descendant of the same user, and dumpable.
 *
 * A thread stands for its process. What was read is known to be the caller's own only when
 * its call is still valid afterwards (notify_valid): a thread's number may have been given away.
 */
#ifndef RUN_REMOTE_H
#define RUN_REMOTE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All of `len` bytes or none that counts: 0, -EFAULT, -EPERM (not dumpable), -ESRCH. */
int remote_read(pid_t tid, uint64_t addr, void *buf, size_t len);
int remote_write(pid_t tid, uint64_t addr, const void *buf, size_t len);

/* The process to which a thread belongs (Tgid of proc(5)), or -ESRCH. */
pid_t remote_process(pid_t tid);

/*
 * A duplicate of the thread's descriptor `fd`, close-on-exec, the caller's to close, soon: as long
 * as it is open, nobody sees the program's last close. -EBADF, -EPERM, -ESRCH, -EMFILE.
 */
int remote_duplicate(pid_t tid, int fd);

/*
 * The same without the kernel's knowledge of single threads (before Linux 6.9): through the
 * process, which is told apart only for threads that share no descriptors with it.
 */
int remote_duplicate_by_process(pid_t tid, int fd);

/*
 * A duplicate of the socket with this inode, from whichever descendant of the calling process holds
 * it, or -ENOENT. Slow: looks at every descriptor of every descendant.
 */
int remote_find(ino_t inode);

#endif
