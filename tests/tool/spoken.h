/* SPDX-License-Identifier: MIT */
/* What the code under test prints, caught. */
#ifndef TESTS_TOOL_SPOKEN_H
#define TESTS_TOOL_SPOKEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SPOKEN_MAX (1 << 16)

/* From now on standard output and standard error go into files of their own. */
void spoken_begin(void);

/* They are what they were; the answers are what was printed, valid until the next begin. */
void spoken_end(const char **out, const char **err);

#endif
