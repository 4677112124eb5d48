/* SPDX-License-Identifier: MIT */
/*
 * A `parley run` answers questions about its host: whoever connects to its socket in the user's
 * directory (run/report_dir.h) gets a report (run/report_text.h) and the end of the stream. The
 * loop serves it: nothing blocks, and what is told of is read as it is told, so that a report costs
 * the same memory whether there are ten connections or a million. A connection that comes or goes
 * meanwhile may be missing, none is told of twice.
 *
 * Only the user's own processes, and root's, are answered. At most REPORT_CLIENTS at a time: one
 * more, and the oldest is cut short.
 */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include <sys/types.h>

#include "run/run.h"
#include "run/supervisor.h"

#define REPORT_CLIENTS 8

struct report;

/*
 * Begins to answer, for the program `pid`. Everything is borrowed until report_close(). NULL when
 * it cannot: said on standard error, and nothing else is the worse for it.
 */
struct report *report_open(struct supervisor *supervisor, const struct run_options *options,
			   pid_t pid);

/* Removes the socket. NULL is none. */
void report_close(struct report *report);

#endif
