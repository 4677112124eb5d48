/* SPDX-License-Identifier: MIT */
/* The hosts that run on this machine for this user, as each `parley run` reports them. */
#ifndef TOOL_HOSTS_H
#define TOOL_HOSTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "run/report_text.h"
#include "tool/option.h"

struct host_report {
	pid_t run, program; /* processes: of `parley run`, of what it started */
	char *name;	    /* the program, without its path */
	char *argv;	    /* its words, separated by spaces */
	char *addresses;    /* "10.0.0.1/24 fd00::1/64" */
	char *device;
	char *version;
	uint64_t uptime, memory; /* ns, bytes */
	uint64_t counters[PARLEY_COUNTER_COUNT];
	uint64_t drops[PARLEY_DROP_COUNT];
	struct report_conn *conns;
	size_t count, room;
};

struct hosts {
	struct host_report *host; /* by process */
	size_t count, room;
};

/*
 * Asks all of them, or those whose process (of the program or of its `parley run`) is in `only`
 * unless that is empty. Sockets that somebody left behind are removed. A host that does not answer
 * is named on standard error and left out. Returns EXIT_OK, EXIT_USAGE (`only` is no list of
 * numbers) or EXIT_FAILED (one of `only` is not there).
 */
int hosts_read(struct hosts *hosts, const struct command *command, const struct option_list *only);

/* Takes one line of a report. False when it is none. The first line makes the host. */
bool hosts_add_line(struct hosts *hosts, const char *line, bool *ended);

void hosts_free(struct hosts *hosts);

#endif
