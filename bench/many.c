/* SPDX-License-Identifier: MIT */
/*
 * Many connections: one byte there and back on one after the other, in random order; ns a segment,
 * both ends. Virtual time moves by 1 us a round trip, so with 100,000 connections or more the
 * client's delayed acknowledgement comes 40 ms later as a segment of its own, and is counted.
 *
 * First one at a time, then 32 at a time, as a device with traffic hands them in.
 */
#include "many.h"
#include "bench.h"

#include <stdlib.h>

#define PER_PORT 20000
#define MAX_PORT 64
#define TRIP	 1000 /* ns */

static uint64_t random_state = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

static void shuffle(parley_conn *conns, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = draw(i);
		parley_conn swap = conns[i - 1];

		conns[i - 1] = conns[k];
		conns[k] = swap;
	}
}

static void forget_events(struct pair *pair)
{
	struct parley_event events[BATCH];

	for (int i = 0; i < 2; i++)
		while (parley_events(pair->host[i], events, BATCH) > 0)
			;
}

static void make_some(struct many *many, size_t from, size_t n, const parley_conn *listeners)
{
	struct pair *pair = many->pair;
	size_t port = from / PER_PORT;
	parley_conn server;

	for (size_t i = from; i < from + n; i++)
		many->clients[i] = pair_connect(pair, (uint16_t)(1000 + port), 0);
	pair_settle(pair);
	for (size_t i = 0; i < n; i++)
		if (parley_accept(pair->host[1], pair->now, listeners[port], 0, &server))
			die("an accept", 0);
	forget_events(pair);
	pair_wait(pair, BATCH * TRIP);
}

void many_open(struct many *many, size_t count, bool small_pages)
{
	struct pair_config config = {
		.fastsum = fastsum_best(),
		.memory_limit = (64u << 20) + 2048ull * count,
		.small_pages = small_pages,
	};
	parley_conn listeners[MAX_PORT];
	uint64_t start;
	size_t n;

	*many = (struct many){.count = count};
	many->clients = malloc(count * sizeof *many->clients);
	if (!many->clients)
		die("memory", -PARLEY_ENOMEM);
	many->pair = pair_open(&config);
	for (uint16_t i = 0; i < MAX_PORT; i++)
		listeners[i] = pair_listen(many->pair, (uint16_t)(1000 + i));
	start = cpu_now();
	for (size_t i = 0; i < count; i += n) {
		n = count - i < BATCH ? count - i : BATCH;
		if (i % PER_PORT + n > PER_PORT)
			n = PER_PORT - i % PER_PORT;
		make_some(many, i, n, listeners);
	}
	many->setup_ns = seconds_since(start) * 1e9 / (double)count;
	shuffle(many->clients, count);
}

void many_close(struct many *many)
{
	pair_close(many->pair);
	free(many->clients);
	*many = (struct many){0};
}

static void say(struct pair *pair, int i, parley_conn conn)
{
	struct parley_span span = {"x", 1};

	if (parley_send(pair->host[i], pair->now, conn, &span, 1, 0) != 1)
		die("a byte to be sent", 0);
}

/* Reads the byte of each connection that has one, and perhaps answers; how many had. */
static int hear(struct pair *pair, int i, bool answer)
{
	struct parley_event events[BATCH];
	int n = parley_events(pair->host[i], events, BATCH), heard = 0;
	char byte;

	for (int k = 0; k < n; k++) {
		if (!(events[k].bits & PARLEY_READABLE))
			continue;
		if (parley_receive(pair->host[i], pair->now, events[k].conn, &byte, 1) != 1)
			die("a byte to be received", 0);
		if (answer)
			say(pair, i, events[k].conn);
		heard++;
	}
	return heard;
}

/* `width` round trips at a time, n in all. */
static void trips(struct many *many, size_t n, size_t width)
{
	struct pair *pair = many->pair;

	for (size_t done = 0; done < n; done += width) {
		size_t heard = 0, asked = 0, idle = 0;

		pair_wait(pair, TRIP * width);
		for (size_t i = 0; i < width; i++) {
			say(pair, 0, many->clients[many->next]);
			many->next = many->next + 1 < many->count ? many->next + 1 : 0;
		}
		while (heard < width) {
			pair_carry(pair, 0);
			asked += (size_t)hear(pair, 1, true);
			pair_carry(pair, 1);
			heard += (size_t)hear(pair, 0, false);
			if (asked > width || idle++ > 1000)
				die("answer to each question", 0);
		}
	}
}

static const size_t counts[] = {1, 1000, 100000, 1000000};

#define KINDS (sizeof counts / sizeof counts[0])

static struct many kinds[KINDS];

static bool begin(void)
{
	for (size_t i = 0; i < KINDS; i++) {
		size_t n = few(counts[i], i < 1 ? 1 : 100 * i);

		many_open(&kinds[i], n, false);
		trips(&kinds[i], n, n < BATCH ? n : 20);
	}
	return true;
}

static void end(void)
{
	for (size_t i = 0; i < KINDS; i++)
		many_close(&kinds[i]);
}

enum { TOGETHER = 8 };

static double run(const struct measure *measure)
{
	struct many *many = &kinds[measure->arg & 7];
	size_t width = measure->arg & TOGETHER ? BATCH : 1, n = few(102400, 320);
	uint64_t start, frames;

	trips(many, n / 10, width);
	frames = many->pair->frames;
	start = cpu_now();
	trips(many, n, width);
	return seconds_since(start) * 1e9 / (double)(many->pair->frames - frames);
}

static double run_setup(const struct measure *measure)
{
	return kinds[measure->arg].setup_ns;
}

static const struct measure measures[] = {
	{"1", "ns", run, 0, NULL},
	{"1,000", "ns", run, 1, NULL},
	{"100,000", "ns", run, 2, NULL},
	{"1,000,000", "ns", run, 3, NULL},
	{"1,000, 32 at a time", "ns", run, TOGETHER | 1, NULL},
	{"100,000, 32 at a time", "ns", run, TOGETHER | 2, NULL},
	{"1,000,000, 32 at a time", "ns", run, TOGETHER | 3, NULL},
	{"setup, 1,000", "ns", run_setup, 1, NULL},
	{"setup, 100,000", "ns", run_setup, 2, NULL},
	{"setup, 1,000,000", "ns", run_setup, 3, NULL},
};

static const struct figure figures[] = {
	{"segment at 1,000", "1,000", "1", "at 1", NO_GOAL, 0},
	{"segment at 100,000", "100,000", "1", "at 1", AT_MOST, 2.5},
	{"segment at 1,000,000", "1,000,000", "1", "at 1", AT_MOST, 4},
	{"32 at a time, 100,000", "100,000, 32 at a time", "1,000, 32 at a time", "at 1,000",
	 NO_GOAL, 0},
	{"32 at a time, 1,000,000", "1,000,000, 32 at a time", "1,000, 32 at a time", "at 1,000",
	 NO_GOAL, 0},
	{"setup of one of 100,000", "setup, 100,000", "setup, 1,000", "of 1,000", NO_GOAL, 0},
	{"setup of one of 1,000,000", "setup, 1,000,000", "setup, 1,000", "of 1,000", NO_GOAL, 0},
};

const struct group many_group = {
	.name = "many",
	.what = "a segment among many connections, in random order, both ends",
	.begin = begin,
	.end = end,
	.measures = measures,
	.measure_count = sizeof measures / sizeof measures[0],
	.figures = figures,
	.figure_count = sizeof figures / sizeof figures[0],
};
