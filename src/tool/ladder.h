/* SPDX-License-Identifier: MIT */
/*
 * The ladder: a story drawn with an end on each side and a row for each segment. From left to
 * right: the time, the left end's state where it changes, the lane with the arrow, the right end's
 * state, and a note that says which step this is and why it was sent again.
 */
#ifndef TOOL_LADDER_H
#define TOOL_LADDER_H

#include "tool/rows.h"
#include "tool/story.h"
#include "tool/term.h"

/* The narrowest that it can be, columns. */
#define LADDER_WIDTH_MIN 72
#define LADDER_WIDTH_MAX 250

/* Draws one story. `data` as in rows_make(). False when memory is out. */
bool ladder_draw(const struct term *term, const struct story *story, size_t data);

/* "200 ms", "1.5 s": a duration of some ns, in at most four digits. */
#define LADDER_DURATION_MAX 24
char *ladder_duration(char out[static LADDER_DURATION_MAX], uint64_t ns);

/* "1,048,576" */
#define LADDER_NUMBER_MAX 32
char *ladder_number(char out[static LADDER_NUMBER_MAX], uint64_t number);

#endif
