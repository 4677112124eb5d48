/* SPDX-License-Identifier: MIT */
/*
 * The filter of system calls under which a program runs: which of its calls are put before the
 * supervisor (seccomp_unotify(2)), which are refused, and that all others are left alone.
 *
 * Put before the supervisor: socket() for stream sockets of the two internet families, and connect,
 * bind, listen, accept, accept4, getsockname, getpeername, setsockopt, getsockopt, shutdown on any
 * descriptor. Refused: io_uring_setup (ENOSYS), since what goes through a ring passes no filter.
 * A call through another ABI than the native one is put before the supervisor as well: which
 * refuses the program.
 *
 * x86-64 and aarch64.
 */
#ifndef RUN_FILTER_H
#define RUN_FILTER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Puts the calling process under the filter, for ever, and all that it starts, and gives up the
 * hope of more privilege (no_new_privs). Returns the descriptor on which calls are reported
 * (close-on-exec), or a negative errno: -EBUSY when there is such a filter already (a program that
 * is run over Parley cannot run another one so), -ENOSYS or -EINVAL where the kernel is too old.
 *
 * Until a supervisor reads from that descriptor, calls of the list above wait.
 */
int filter_install(void);

/* Whether a call reported with this architecture and number came through the native ABI. */
bool filter_native(uint32_t arch, int nr);

#endif
