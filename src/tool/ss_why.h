/* SPDX-License-Identifier: MIT */
/* What a connection's state means when it lasts, and what many in one state mean: --why of ss. */
#ifndef TOOL_SS_WHY_H
#define TOOL_SS_WHY_H

#include <stdbool.h>
#include <stdio.h>

#include "tool/ss_text.h"

#define WHY_MAX 512

/* A sentence or two about the connection; false when all is as it should be. */
bool ss_why(char out[static WHY_MAX], const struct ss_row *row);

/* The same about all of them: counts by state. Filled to `width` columns. */
void ss_why_piles(const size_t counts[static PARLEY_STATES], int width);

#endif
