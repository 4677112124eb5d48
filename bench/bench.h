/* SPDX-License-Identifier: MIT */
/*
 * What a benchmark is made of.
 *
 * A *measure* is one number with a unit, taken anew in each round. A *figure* sets one measure
 * against another of the same round, and perhaps names a goal: what is told of it is the median of
 * the rounds' ratios. A *group* is what shares its preparation; its measures are taken in turn,
 * round by round, so that whatever disturbs the machine disturbs all of them.
 *
 * NAN stands for what cannot be measured here (no privilege, no such device).
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/clock.h"

#define MAX_ROUNDS 99

struct measure {
	const char *name; /* also in JSON; at most 40 bytes */
	const char *unit;
	double (*run)(const struct measure *measure);
	int arg; /* the run's own */
	const char *child;
};

enum goal { NO_GOAL, AT_MOST, AT_LEAST };

struct figure {
	const char *name;    /* at most 31 bytes */
	const char *subject; /* names of measures of the same group */
	const char *reference;
	const char *against; /* what the reference is, in a word or two */
	enum goal goal;
	double bound;
};

struct group {
	const char *name;
	const char *what;
	bool (*begin)(void); /* may be NULL, as end */
	void (*end)(void);
	const struct measure *measures;
	size_t measure_count;
	const struct figure *figures;
	size_t figure_count;
};

/* A number that needs a process of its own: `parley-bench --child NAME` prints it. */
struct child {
	const char *name;
	double (*run)(void);
};

struct sample {
	const struct measure *measure;
	double value[MAX_ROUNDS];
};

/* All of one group. */
struct result {
	const struct group *group;
	struct sample *samples;
	int rounds;
};

/* Few of everything: shows that it works, measures nothing. */
extern bool quick;

extern const struct group bulk_group, trip_group, connect_group, idle_group, many_group, tun_group;
extern const struct child kernel_children[], idle_children[], tun_children[];

/* The measure's child, run on the bench's core. */
double run_child(const struct measure *measure);

/* Keeps the calling thread on one core: 0 the first that we may use, 1 the second, if any. */
void pin(unsigned which);

static inline size_t few(size_t full, size_t some)
{
	return quick ? some : full;
}

/*
 * ns of the core that the calling thread has had. Where one thread does everything this is the
 * time that it would take on an idle machine, whoever else wants the core.
 */
static inline uint64_t cpu_now(void)
{
	return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

static inline double seconds_since(uint64_t start)
{
	return (double)(cpu_now() - start) / 1e9;
}

/* The program cannot go on: says why. */
_Noreturn void die(const char *what, int error);

#endif
