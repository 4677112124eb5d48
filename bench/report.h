/* SPDX-License-Identifier: MIT */
/* What came out: as a table of 80 columns, and as JSON. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdio.h>

#include "bench.h"

void report_text(FILE *file, const struct result *results, size_t n);
void report_json(FILE *file, const struct result *results, size_t n);

#endif
