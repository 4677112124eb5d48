/* SPDX-License-Identifier: MIT */
#include "median.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(const double *values, int n)
{
	double sorted[MEDIAN_MAX];

	for (int i = 0; i < n; i++) {
		if (isnan(values[i]))
			return NAN;
		sorted[i] = values[i];
	}
	qsort(sorted, (size_t)n, sizeof *sorted, compare);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}
