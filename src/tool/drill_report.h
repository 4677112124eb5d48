/* SPDX-License-Identifier: MIT */
/* What `parley drill` prints: failures, notes, the summary; and all of it as JSON. */
#ifndef TOOL_DRILL_REPORT_H
#define TOOL_DRILL_REPORT_H

#include <stdio.h>

#include "drill/run.h"

/* One script that was to be run. */
struct drill_case {
	struct drill_case *next;
	const char *path;
	struct drill_script *script; /* NULL when it could not be read */
	struct drill_verdict verdict;
	bool ran; /* and not only read */
};

struct drill_totals {
	unsigned scripts, passed, failed, broken;
	unsigned forgiven_options, forgiven_pushes;
};

/* "FILE:LINE: failed: ...", the line, expected and sent, and the last events. */
void drill_report_failure(FILE *out, const struct drill_case *one);

/* "FILE:LINE: note: ..." for each; the same text of many lines once. */
void drill_report_notes(FILE *out, const struct drill_case *one);

void drill_report_totals(FILE *out, const struct drill_totals *totals);

/* One object: {"scripts":[...],"passed":N,"failed":N,"broken":N} */
void drill_report_json(FILE *out, const struct drill_case *all, const struct drill_totals *totals);

#endif
