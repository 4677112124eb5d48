/* SPDX-License-Identifier: MIT */
/*
 * Watches which pages of a virtual world are written to, so that snapshots need copy no others
 * (sim/delta.h): its memory is protected, and the first write to a page is caught and told. One
 * world at a time.
 */
#ifndef TOOL_WATCH_H
#define TOOL_WATCH_H

#include "sim/delta.h"

/* Memory that can be watched, zeroed; NULL: none. Freed by watch_free(). */
void *watch_alloc(size_t size);
void watch_free(void *base, size_t size);

/* Begins to watch; without a word it stays as it is when the system does not allow it. */
void watch_begin(struct delta *delta);
void watch_end(void);

#endif
