/* SPDX-License-Identifier: MIT */
/*
 * What became of a script: passed or not, where and why, and what led to it.
 */
#ifndef DRILL_VERDICT_H
#define DRILL_VERDICT_H

#include "drill/notation.h"

enum drill_outcome {
	DRILL_PASSED,
	DRILL_FAILED,
	/* It cannot be read: a mistake of the script's. */
	DRILL_BROKEN,
};

#define DRILL_WHAT_MAX	640
#define DRILL_LOG_LINES 12
#define DRILL_LOG_WIDTH 256

/* Something to be told although nothing failed; a list. */
struct drill_note {
	struct drill_note *next;
	int line;
	char text[DRILL_WHAT_MAX];
};

struct drill_verdict {
	enum drill_outcome outcome;
	struct drill_place at;
	char what[DRILL_WHAT_MAX]; /* of a failure: what is wrong */
	/* Both written as the script writes packets; "" when it is not about a packet. */
	char expected[DRILL_WHAT_MAX], actual[DRILL_WHAT_MAX];
	/* Bits of enum drill_field: what differs. */
	uint32_t differs;
	unsigned events; /* that were run */
	uint64_t time;	 /* of the script's clock at the end, ns */
	/* What was not compared. */
	unsigned forgiven_options, forgiven_pushes;
	struct drill_note *notes, **notes_tail;
	/* The last events, oldest first, as a ring. */
	char log[DRILL_LOG_LINES][DRILL_LOG_WIDTH];
	unsigned log_count; /* of all that were ever there */
	/* Called with each line of the log at once; may be NULL. */
	void (*trace)(void *context, const char *line);
	void *trace_context;
};

void drill_verdict_begin(struct drill_verdict *verdict);
void drill_verdict_end(struct drill_verdict *verdict);

/* The first failure counts. Always false. */
bool drill_verdict_fail(struct drill_verdict *verdict, struct drill_place at, const char *format,
			...) __attribute__((format(printf, 3, 4)));

void drill_verdict_note(struct drill_verdict *verdict, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "  0.100000 < S 0:0(0) win 1000" */
void drill_verdict_log(struct drill_verdict *verdict, uint64_t time, const char *text);

#endif
