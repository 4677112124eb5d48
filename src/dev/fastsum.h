/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071) with the vector instructions of the machine that runs the
 * program: what a host's config takes as `checksum`. The sums are those of
 * base/checksum.h, and so are the rules: any alignment, any length, no overlap when copying.
 *
 *	const struct fastsum *fast = fastsum_best();
 *
 *	config.checksum = fast->sum;
 *
 * The choice is made by what the processor says it can do, not when compiling; the tables are
 * constant, so any thread may ask at any time.
 */
#ifndef DEV_FASTSUM_H
#define DEV_FASTSUM_H

#include <stddef.h>
#include <stdint.h>

struct fastsum {
	/* "portable", "avx2", "avx512-vnni" */
	const char *name;
	uint64_t (*sum)(const void *data, size_t len);
	/* Copies len bytes and gives their sum. */
	uint64_t (*copy_sum)(void *dst, const void *src, size_t len);
};

/* The fastest that runs here; never NULL, at worst the engine's own. */
const struct fastsum *fastsum_best(void);

/* The index-th that runs here, from the fastest on (the last is "portable"); NULL behind it. */
const struct fastsum *fastsum_at(unsigned index);

#endif
