/* SPDX-License-Identifier: MIT */
/*
 * The four functions of the C library that the engine uses. Whoever links the engine provides
 * them; their prototypes and behaviour are those of C11 7.24, so a file may include this header
 * and <string.h> both.
 *
 * Loads and stores of a fixed small size belong to base/bytes.h, which needs no call.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
