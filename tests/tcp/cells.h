/* SPDX-License-Identifier: MIT */
/* Tests that are the cells of a table: one function, a name for each cell. */
#ifndef TESTS_TCP_CELLS_H
#define TESTS_TCP_CELLS_H

#include "peer.h"

struct cells {
	struct CMUnitTest *tests;
	size_t count, room;
};

/* One test more: `function` gets a copy of the cell, `size` bytes, in *state; then its name. */
void cells_add(struct cells *cells, CMUnitTestFunction function, const void *cell, size_t size,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Runs them all and frees them; returns how many failed. */
int cells_run(struct cells *cells, const char *group);

#endif
