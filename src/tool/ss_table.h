/* SPDX-License-Identifier: MIT */
/*
 * The table of ss: each column as wide as its widest cell, and on a terminal the room that is left
 * spread between them. Where it has not room for the last column too, that goes below the row, and
 * what stands there anyway is broken at spaces.
 */
#ifndef TOOL_SS_TABLE_H
#define TOOL_SS_TABLE_H

#include "tool/ss_text.h"

/* `width` of the terminal in columns; 0: no terminal, and any width will do. */
void ss_table(FILE *out, int width, bool header, const struct ss_view *view,
	      const struct ss_row *rows, size_t n);

#endif
