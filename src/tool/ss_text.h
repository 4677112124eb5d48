/* SPDX-License-Identifier: MIT */
/*
 * A connection in the words of ss(8): states, queues, addresses, timers, the line of -i; and beyond
 * ss the RFC's variables and what a state means.
 */
#ifndef TOOL_SS_TEXT_H
#define TOOL_SS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tool/hosts.h"
#include "tool/users.h"

/* What is shown of each connection. */
struct ss_view {
	bool numeric; /* ports by number, rates without k, M, G */
	bool state;   /* the column State */
	bool timer, extended, processes;
	bool memory, info, rfc, why;
	const struct users *users; /* for `processes` */
};

struct ss_row {
	const struct host_report *host;
	const struct report_conn *conn;
};

enum ss_column {
	SS_STATE_COLUMN,
	SS_RECV_Q,
	SS_SEND_Q,
	SS_LOCAL,
	SS_LOCAL_PORT,
	SS_PEER,
	SS_PEER_PORT,
	SS_PROCESS,
	SS_COLUMNS
};

#define SS_CELL	       64
#define SS_PROCESS_MAX 2048

struct ss_cells {
	char text[SS_PROCESS][SS_CELL];
	char process[SS_PROCESS_MAX]; /* begins with a space unless empty */
};

/* "ESTAB": as ss has it. */
const char *ss_state_name(enum parley_state state);

void ss_cells(struct ss_cells *cells, const struct ss_row *row, const struct ss_view *view);

/* What stands below a row: each line begins with a tab. Nothing when there is nothing to say. */
void ss_print_below(FILE *out, const struct ss_row *row, const struct ss_view *view);

/* "59sec", "1.500ms", "2min5sec": a duration as ss writes it in timer:(...); ns. */
void ss_duration(char *out, size_t cap, uint64_t ns);

#endif
