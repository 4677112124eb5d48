/* SPDX-License-Identifier: MIT */
/*
 * The bytes that both sides of an interop test send: known at each offset, from 0 on, in either
 * direction. Their period is a prime, so that no block or segment size hides a shift. The same
 * stands in kernel.py.
 */
#ifndef TESTS_INTEROP_PATTERN_H
#define TESTS_INTEROP_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <parley/types.h>

/* Where the bytes from `offset` on lie, at most `len` of them in one piece, at least one. */
struct parley_span pattern_at(uint64_t offset, size_t len);

/* How many of the bytes are not those that belong there. */
uint64_t pattern_wrong(uint64_t offset, const void *data, size_t len);

#endif
