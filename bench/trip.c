/* SPDX-License-Identifier: MIT */
/*
 * Round trip: one byte there and one byte back, both ends, against the kernel's over loopback on
 * one core.
 */
#include "bench.h"
#include "pair.h"

static struct pair *pair;
static parley_conn ends[2];

static bool begin(void)
{
	struct pair_config config = {.fastsum = fastsum_best()};

	pair = pair_open(&config);
	pair_establish(pair, 80, pair_listen(pair, 80), ends);
	return true;
}

static void end(void)
{
	pair_close(pair);
}

static void say(int i)
{
	struct parley_span span = {"x", 1};

	if (parley_send(pair->host[i], pair->now, ends[i], &span, 1, 0) != 1)
		die("a byte to be sent", 0);
}

/* The byte has come: the event tells, as it would in a loop. */
static void hear(int i)
{
	struct parley_event event;
	char byte;

	if (parley_events(pair->host[i], &event, 1) != 1 || !(event.bits & PARLEY_READABLE) ||
	    parley_receive(pair->host[i], pair->now, event.conn, &byte, 1) != 1)
		die("a byte to be received", 0);
}

static void trips(size_t n)
{
	struct parley_event event;

	while (parley_events(pair->host[0], &event, 1) + parley_events(pair->host[1], &event, 1))
		;
	for (size_t i = 0; i < n; i++) {
		pair_wait(pair, 1000);
		say(0);
		pair_carry(pair, 0);
		hear(1);
		say(1);
		pair_carry(pair, 1);
		hear(0);
	}
}

static double run(const struct measure *measure)
{
	size_t n = few(200000, 200);
	uint64_t start;

	(void)measure;
	trips(n / 20);
	start = cpu_now();
	trips(n);
	return seconds_since(start) * 1e9 / (double)n;
}

static const struct measure measures[] = {
	{"parley", "ns", run, 0, NULL},
	{"kernel, two processes", "ns", run_child, 0, "kernel-trip-two"},
	{"kernel, one process", "ns", run_child, 0, "kernel-trip-one"},
};

static const struct figure figures[] = {
	{"round trip of one byte", "parley", "kernel, two processes", "kernel", AT_MOST, 0.1},
	{"the same, kernel in one process", "parley", "kernel, one process", "kernel", NO_GOAL, 0},
};

const struct group trip_group = {
	.name = "trip",
	.what = "one byte there and back; the kernel over loopback on one core",
	.begin = begin,
	.end = end,
	.measures = measures,
	.measure_count = sizeof measures / sizeof measures[0],
	.figures = figures,
	.figure_count = sizeof figures / sizeof figures[0],
};
