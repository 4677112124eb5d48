/* SPDX-License-Identifier: MIT */
#ifndef BENCH_MEDIAN_H
#define BENCH_MEDIAN_H

/* The middle one of `n` values, or between the middle two; at most MEDIAN_MAX. NAN if any is. */
double median(const double *values, int n);

#define MEDIAN_MAX 255

#endif
