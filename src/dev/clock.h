/* SPDX-License-Identifier: MIT */
/*
 * The real clocks, in nanoseconds. Everything is measured on CLOCK_MONOTONIC; what people want to
 * read as a date is that plus an offset, taken once.
 */
#ifndef DEV_CLOCK_H
#define DEV_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

/* What is to be added to clock_now() to get nanoseconds since 1970 (UTC), as of this moment. */
static inline uint64_t clock_epoch(void)
{
	return clock_read(CLOCK_REALTIME) - clock_now();
}

#endif
