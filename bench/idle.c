/* SPDX-License-Identifier: MIT */
/*
 * What an idle established connection costs, one end: what a host charges for it, what really
 * became resident, and what the kernel's slabs grow by.
 */
#include "bench.h"
#include "many.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define COUNT 10000

static uint64_t charged(const struct pair *pair)
{
	return parley_memory_charged(pair->host[0]) + parley_memory_charged(pair->host[1]);
}

static double resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long all, here;
	bool read = file && fscanf(file, "%lu %lu", &all, &here) == 2;

	if (file)
		fclose(file);
	return read ? (double)here * (double)sysconf(_SC_PAGESIZE) : NAN;
}

static size_t count(void)
{
	return few(COUNT, 100);
}

/* Against hosts that have carried a few, so that what a host holds once is not counted. */
static double idle_charged(void)
{
	struct many some, many;
	double more;

	many_open(&some, 2, true);
	many_open(&many, count() + 2, true);
	more = (double)(charged(many.pair) - charged(some.pair));
	many_close(&some);
	many_close(&many);
	return more / (double)(2 * count());
}

static double idle_resident(void)
{
	struct many some, many;
	double before, more;

	many_open(&some, 2, true);
	before = resident();
	many_open(&many, count(), true);
	more = resident() - before - (double)(count() * sizeof *many.clients);
	many_close(&some);
	many_close(&many);
	return more / (double)(2 * count());
}

const struct child idle_children[] = {
	{"idle-charged", idle_charged},
	{"idle-resident", idle_resident},
	{NULL, NULL},
};

static const struct measure measures[] = {
	{"charged", "B", run_child, 0, "idle-charged"},
	{"resident", "B", run_child, 0, "idle-resident"},
	{"budget", "B", NULL, 512, NULL},
	{"kernel", "B", run_child, 0, "kernel-idle"},
};

static const struct figure figures[] = {
	{"idle connection, charged", "charged", "budget", "budget", AT_MOST, 1},
	{"idle connection, resident", "resident", "budget", "budget", NO_GOAL, 0},
	{"charged against the kernel", "charged", "kernel", "kernel", NO_GOAL, 0},
};

const struct group idle_group = {
	.name = "idle",
	.what = "memory of an idle established connection, one end, of 10,000",
	.measures = measures,
	.measure_count = sizeof measures / sizeof measures[0],
	.figures = figures,
	.figure_count = sizeof figures / sizeof figures[0],
};
