/* SPDX-License-Identifier: MIT */
/*
 * a * b / c without losing the product's upper half, for rates and times (bytes * ns / ns).
 *
 * The product is computed in 128 bits. What does not fit the result is UINT64_MAX; so is anything
 * divided by zero (0 / 0 too), since a rate over no time has no bound. No 128-bit type is used:
 * on some targets dividing one is a call into the compiler's library.
 */
#ifndef BASE_MULDIV_H
#define BASE_MULDIV_H

#include <stdint.h>

/* Rounded down. */
uint64_t muldiv_u64(uint64_t a, uint64_t b, uint64_t c);

/* Rounded up. */
uint64_t muldiv_up_u64(uint64_t a, uint64_t b, uint64_t c);

#endif
