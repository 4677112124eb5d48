/* SPDX-License-Identifier: MIT */
/*
 * The rows of a ladder: a story put into lines that can be read from top to bottom at each end.
 *
 * A segment is one row, at the time when it was sent, unless it changes its receiver's state and
 * the receiver did something while it was under way: then its departure and its arrival are two
 * rows, with what crossed it between them.
 */
#ifndef TOOL_ROWS_H
#define TOOL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tool/story.h"

enum row_kind {
	ROW_BEGIN, /* the states before everything */
	ROW_SEGMENT,
	ROW_DEPARTURE,
	ROW_ARRIVAL,
	ROW_EVENT,
	ROW_FOLD,
};

/* What a fold hides, by sending end. */
struct row_fold {
	size_t segments[2];
	uint64_t bytes[2];
	size_t retransmitted, lost;
};

struct row {
	enum row_kind kind;
	uint64_t time;
	const struct story_segment *segment; /* SEGMENT, DEPARTURE, ARRIVAL */
	const struct story_event *event;     /* EVENT */
	struct story_change state[2];	     /* what changes here at each end */
	struct row_fold fold;
	size_t order;
};

struct rows {
	struct row *v;
	size_t n;
};

/* Where no fold was asked for, longer ladders than this are folded to as much. */
#define ROWS_LONG    200
#define ROWS_DEFAULT 40
#define ROWS_ALL     SIZE_MAX

/*
 * Makes the rows. At most `data` of them are of the data phase, folds counted; the handshake, the
 * close, resets and changes of state are always there, and losses and retransmissions as long as
 * a third of the rows is enough for them. False when memory is out.
 */
bool rows_make(struct rows *rows, const struct story *story, size_t data);

void rows_free(struct rows *rows);

#endif
