/* SPDX-License-Identifier: MIT */
/*
 * What a `parley run` reports, as text: JSON objects, one a line. The first tells of the host, then
 * there is one for each connection, and the last is {"end":N} with their number; where it is
 * missing the report was cut short. docs/ss.md lists the members.
 *
 * Numbers that are 0 and flags that are false are left out. Times are ns.
 */
#ifndef RUN_REPORT_TEXT_H
#define RUN_REPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <parley/parley.h>

/* Of the form described here. */
#define REPORT_VERSION 1

/* No line is longer, with its line end. */
#define REPORT_LINE_MAX 32768

/* A connection. */
struct report_conn {
	/*
	 * timer_due is how long it still has to run; 0 without one. The queues count what
	 * lies between host and program, too; a listener's send_queue is what listen() was told.
	 */
	struct parley_status status;
	/* All 0 unless has_info: a listener, half-open, or in TIME-WAIT. */
	struct parley_tcp_info info;
	bool has_info;
	/* The congestion control in force; empty when nobody could say. */
	char congestion[16];
	uint64_t receive_buffer, send_buffer; /* bytes, at most */
	/* Of the descriptor that programs hold; 0: none does. */
	uint64_t inode;
	bool v6_only;
};

/* A number of a connection: where it is, and its name. The table ends without a name. */
struct report_field {
	const char *name;
	size_t offset, size; /* 1, 2, 4 or 8 bytes */
	bool flag;	     /* a bool: true or false */
	bool info;	     /* of tcp_info: there only with has_info */
};

extern const struct report_field report_fields[];

/* "tcb", "listener", "syn", "time-wait": what the host keeps of the connection. */
#define REPORT_ENTRIES 4
const char *report_entry_name(int entry);

uint64_t report_field_get(const struct report_conn *conn, const struct report_field *field);
void report_field_set(struct report_conn *conn, const struct report_field *field, uint64_t value);

/* What does not change while the host is there. Borrowed. */
struct report_about {
	pid_t run, program; /* processes: of `parley run`, and of what it started */
	char *const *argv;  /* ended by NULL */
	const char *device;
	const struct parley_addr *addresses;
	const unsigned *prefixes;
	size_t address_count;
	uint64_t started; /* CLOCK_MONOTONIC */
};

/* The lines, into `buf` of REPORT_LINE_MAX bytes. They return their length. */
size_t report_host_text(char buf[static REPORT_LINE_MAX], const struct report_about *about,
			const struct parley_host *host, uint64_t now);
size_t report_conn_text(char buf[static REPORT_LINE_MAX], const struct report_conn *conn);
size_t report_end_text(char buf[static REPORT_LINE_MAX], uint64_t count);

#endif
