/* SPDX-License-Identifier: MIT */
#include "cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LEN = 120 };

static void *must_have(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void cells_add(struct cells *cells, CMUnitTestFunction function, const void *cell, size_t size,
	       const char *format, ...)
{
	char *name = must_have(malloc(NAME_MAX_LEN));
	void *copy = must_have(malloc(size));
	va_list args;

	va_start(args, format);
	vsnprintf(name, NAME_MAX_LEN, format, args);
	va_end(args);
	memcpy(copy, cell, size);
	if (cells->count == cells->room) {
		cells->room = cells->room ? 2 * cells->room : 64;
		cells->tests = must_have(realloc(cells->tests, cells->room * sizeof *cells->tests));
	}
	cells->tests[cells->count++] = (struct CMUnitTest){
		.name = name,
		.test_func = function,
		.initial_state = copy,
	};
}

int cells_run(struct cells *cells, const char *group)
{
	int failed = _cmocka_run_group_tests(group, cells->tests, cells->count, NULL, NULL);

	for (size_t i = 0; i < cells->count; i++) {
		free((char *)(uintptr_t)cells->tests[i].name);
		free(cells->tests[i].initial_state);
	}
	free(cells->tests);
	return failed;
}
