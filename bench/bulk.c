/* SPDX-License-Identifier: MIT */
/*
 * Bulk: what one segment of 1460 bytes costs, both ends together, from the user's buffer to where
 * the other user reads it, against what touching its bytes four times must cost. The sender keeps
 * its buffer as full as it may; the receiver reads in place what has come after each batch. The
 * receive buffer, and so the window, has a fixed size; the send buffer grows by demand, as it does
 * for any user, or has the window's size, and then holds so much that waits.
 */
#include "bench.h"
#include "median.h"
#include "pair.h"
#include "take.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MSS 1460
#define KIB 1024u
#define MIB (1024u * KIB)

enum { IN_PLACE = 0, COPIED = 16 };

static const uint32_t windows[] = {64 * KIB, MIB, 16 * MIB};

#define WINDOWS (sizeof windows / sizeof windows[0])

/*
 * One stream for each window, first with the portable routine, then with the fast one, then with a
 * fixed send buffer, too.
 */
enum { PORTABLE = 0, FAST = WINDOWS, FIXED = 2 * WINDOWS };

static struct flow {
	struct pair *pair;
	parley_conn ends[2];
	uint64_t written, received;
	bool copied; /* parley_receive() instead of parley_peek() */
} flows[3 * WINDOWS];

/* Two with other windows between the same hosts. */
static struct flow twins[2];

static uint8_t source[64 * KIB], sink[64 * KIB];

static void fill_up(struct flow *flow)
{
	struct parley_span span = {source, sizeof source};
	int64_t n;

	while ((n = parley_send(flow->pair->host[0], flow->pair->now, flow->ends[0], &span, 1, 0)) >
	       0)
		flow->written += (uint64_t)n;
}

static void read_copied(struct flow *flow)
{
	int64_t n;

	while ((n = parley_receive(flow->pair->host[1], flow->pair->now, flow->ends[1], sink,
				   sizeof sink)) > 0)
		flow->received += (uint64_t)n;
}

static uint32_t heard(struct flow *flow, int i)
{
	struct parley_event events[4];
	uint32_t bits = 0;
	int n = parley_events(flow->pair->host[i], events, 4);

	for (int k = 0; k < n; k++)
		bits |= events[k].bits;
	return bits;
}

/* Until so much has come in all; refilled, the send buffer stays full. */
static void move_until(struct flow *flow, uint64_t until, bool refilled)
{
	uint64_t idle = 0;

	while (flow->received < until) {
		uint64_t before = flow->received;

		pair_wait(flow->pair, 1000);
		pair_carry(flow->pair, 0);
		if (heard(flow, 1) & PARLEY_READABLE) {
			if (flow->copied)
				read_copied(flow);
			else
				flow->received += take_in_place(flow->pair->host[1],
								flow->pair->now, flow->ends[1]);
		}
		pair_carry(flow->pair, 1);
		if (heard(flow, 0) & PARLEY_WRITABLE && refilled)
			fill_up(flow);
		idle = flow->received == before ? idle + 1 : 0;
		if (idle > 10000000)
			die("a stream that stands still", 0);
	}
}

static void move(struct flow *flow, uint64_t bytes)
{
	move_until(flow, flow->received + bytes, true);
}

static void open_flow(struct flow *flow, uint32_t window, const struct fastsum *fastsum, bool fixed)
{
	struct pair_config config = {
		.fastsum = fastsum,
		.memory_limit = 1u << 30,
		.window = window,
		.fixed = fixed,
	};

	flow->pair = pair_open(&config);
	pair_establish(flow->pair, 80, pair_listen(flow->pair, 80), flow->ends);
	flow->written = flow->received = 0;
	fill_up(flow);
	/* Until the congestion window has opened. */
	move(flow, few(8ull * window + 4 * MIB, MIB));
}

/*
 * Two windows by turns, between the same hosts and so in the same memory: what one costs against the
 * other is less than what a minute differs from the next, or one page from another. At the end of
 * its turn a flow has nothing under way.
 */
enum { TURNS = MEDIAN_MAX, FIRST = 0, SECOND = 1 };

static double take_turn(struct flow *flow, uint64_t bytes)
{
	uint64_t first = flow->received, start = cpu_now();

	fill_up(flow);
	move(flow, bytes);
	move_until(flow, flow->written, false);
	return seconds_since(start) * 1e9 * MSS / (double)(flow->received - first);
}

/* The medians of all turns: whoever takes the core away for a moment is in none of them. */
static double run_in_turns(const struct measure *measure)
{
	static double took[2][TURNS];
	size_t turns = few(TURNS, 3);

	if (measure->arg == SECOND)
		return median(took[SECOND], (int)turns);
	for (size_t i = 0; i < turns; i++)
		for (size_t k = 0; k < 2; k++)
			took[(i + k) % 2][i] = take_turn(&twins[(i + k) % 2], few(MIB, 64 * KIB));
	return median(took[FIRST], (int)turns);
}

static void open_twins(void)
{
	struct pair_config config = {.fastsum = fastsum_best(), .memory_limit = 1u << 30};
	struct pair *pair = pair_open(&config);

	for (uint16_t i = 0; i < 2; i++) {
		twins[i] = (struct flow){.pair = pair};
		for (int host = 0; host < 2; host++)
			parley_set(pair->host[host], pair->now, PARLEY_NO_CONN,
				   PARLEY_SET_RECEIVE_BUFFER, windows[i]);
		pair_establish(pair, 80 + i, pair_listen(pair, 80 + i), twins[i].ends);
		take_turn(&twins[i], few(12 * MIB, MIB));
	}
}

static bool begin(void)
{
	for (size_t i = 0; i < sizeof source; i++)
		source[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < WINDOWS; i++) {
		open_flow(&flows[PORTABLE + i], windows[i], NULL, false);
		open_flow(&flows[FAST + i], windows[i], fastsum_best(), false);
		open_flow(&flows[FIXED + i], windows[i], fastsum_best(), true);
	}
	open_twins();
	return true;
}

static void end(void)
{
	pair_close(twins[0].pair);
	for (size_t i = 0; i < 3 * WINDOWS; i++) {
		pair_close(flows[i].pair);
		flows[i].pair = NULL;
	}
}

static double run_flow(const struct measure *measure)
{
	struct flow *flow = &flows[measure->arg & 15];
	uint64_t bytes = few(128 * MIB, 2 * MIB), first = flow->received, start;

	flow->copied = measure->arg & COPIED;
	move(flow, few(4 * MIB, 64 * KIB));
	first = flow->received;
	start = cpu_now();
	move(flow, bytes);
	return seconds_since(start) * 1e9 * MSS / (double)(flow->received - first);
}

/*
 * The floor. Hot: one segment's bytes are touched four times while they are in the nearest cache,
 * each pass by itself, so that nothing waits for anything else: what no code can beat. By batches:
 * 32 segments a pass through buffers of 64 KiB, the order in which they really go.
 */
static struct {
	_Alignas(4096) uint8_t app[64 * KIB];
	/* No two at the same distance from a page: loads would wait for stores elsewhere. */
	uint8_t skew_1[1024];
	uint8_t send[64 * KIB];
	uint8_t skew_2[1024];
	uint8_t wire[BATCH][WIRE_ROOM];
	uint8_t skew_3[1024];
	uint8_t receive[64 * KIB];
} ground;

static volatile uint64_t taken;

static uint64_t copied_and_summed(const struct fastsum *fast, uint8_t *to, const uint8_t *from)
{
	return fast->copy_sum(to, from, MSS);
}

/* Some machines are faster with the C library's copy and a sum after it. */
static uint64_t copied_then_summed(const struct fastsum *fast, uint8_t *to, const uint8_t *from)
{
	memcpy(to, from, MSS);
	return fast->sum(to, MSS);
}

typedef uint64_t (*transmit_fn)(const struct fastsum *fast, uint8_t *to, const uint8_t *from);
typedef void (*touch_fn)(const struct fastsum *fast, transmit_fn transmit, size_t from);

static void touch_hot(const struct fastsum *fast, transmit_fn transmit, size_t from)
{
	uint64_t sum = 0;

	(void)from;
	for (size_t k = 0; k < BATCH; k++)
		sum += transmit(fast, ground.send, ground.app);
	for (size_t k = 0; k < BATCH; k++)
		memcpy(ground.wire[0] + 40, ground.send, MSS);
	for (size_t k = 0; k < BATCH; k++)
		sum += fast->sum(ground.wire[0] + 20, MSS + 20);
	for (size_t k = 0; k < BATCH; k++)
		memcpy(ground.receive, ground.wire[0] + 40, MSS);
	taken += sum;
}

static void touch_batch(const struct fastsum *fast, transmit_fn transmit, size_t from)
{
	uint64_t sum = 0;

	for (size_t k = 0; k < BATCH; k++)
		sum += transmit(fast, ground.send + from + k * MSS, ground.app + from + k * MSS);
	for (size_t k = 0; k < BATCH; k++)
		memcpy(ground.wire[k] + 40, ground.send + from + k * MSS, MSS);
	for (size_t k = 0; k < BATCH; k++) {
		sum += fast->sum(ground.wire[k] + 20, MSS + 20);
		memcpy(ground.receive + from + k * MSS, ground.wire[k] + 40, MSS);
	}
	taken += sum;
}

static double touch(const struct fastsum *fast, transmit_fn transmit, touch_fn one, size_t batches)
{
	uint64_t start = cpu_now();
	size_t from = 0;

	for (size_t i = 0; i < batches; i++) {
		one(fast, transmit, from);
		from = from + 2 * BATCH * MSS > sizeof source ? 0 : from + 8 * MSS;
	}
	return seconds_since(start) * 1e9 / (double)(batches * BATCH);
}

static double run_floor(const struct measure *measure)
{
	touch_fn one = measure->arg ? touch_batch : touch_hot;
	const struct fastsum *fast;
	double best = INFINITY;

	for (unsigned i = 0; (fast = fastsum_at(i)); i++)
		for (int k = 0; k < 2; k++) {
			transmit_fn transmit = k ? copied_then_summed : copied_and_summed;
			double ns;

			touch(fast, transmit, one, few(100, 1));
			ns = touch(fast, transmit, one, few(5000, 10));
			best = ns < best ? ns : best;
		}
	return best;
}

static const struct measure measures[] = {
	{"floor", "ns", run_floor, 0, NULL},
	{"floor, by batches", "ns", run_floor, 1, NULL},
	{"64 KiB, portable", "ns", run_flow, PORTABLE, NULL},
	{"1 MiB, portable", "ns", run_flow, PORTABLE + 1, NULL},
	{"16 MiB, portable", "ns", run_flow, PORTABLE + 2, NULL},
	{"64 KiB", "ns", run_flow, FAST, NULL},
	{"1 MiB", "ns", run_flow, FAST + 1, NULL},
	{"16 MiB", "ns", run_flow, FAST + 2, NULL},
	{"64 KiB, fixed", "ns", run_flow, FIXED, NULL},
	{"1 MiB, fixed", "ns", run_flow, FIXED + 1, NULL},
	{"16 MiB, fixed", "ns", run_flow, FIXED + 2, NULL},
	{"64 KiB, in turns", "ns", run_in_turns, FIRST, NULL},
	{"1 MiB, in turns", "ns", run_in_turns, SECOND, NULL},
	{"1 MiB, copied out", "ns", run_flow, COPIED | (FAST + 1), NULL},
};

static const struct figure figures[] = {
	{"segment, window 64 KiB", "64 KiB", "floor", "floor", AT_MOST, 4},
	{"segment, window 1 MiB", "1 MiB", "floor", "floor", AT_MOST, 4},
	{"segment, window 16 MiB", "16 MiB", "floor", "floor", AT_MOST, 4},
	{"the same, portable, 64 KiB", "64 KiB, portable", "floor", "floor", NO_GOAL, 0},
	{"the same, portable, 1 MiB", "1 MiB, portable", "floor", "floor", NO_GOAL, 0},
	{"the same, portable, 16 MiB", "16 MiB, portable", "floor", "floor", NO_GOAL, 0},
	{"send buffer fixed, 64 KiB", "64 KiB, fixed", "floor", "floor", NO_GOAL, 0},
	{"send buffer fixed, 1 MiB", "1 MiB, fixed", "floor", "floor", NO_GOAL, 0},
	{"send buffer fixed, 16 MiB", "16 MiB, fixed", "floor", "floor", NO_GOAL, 0},
	{"1 MiB, floor not hot", "1 MiB", "floor, by batches", "floor", NO_GOAL, 0},
	{"1 MiB, copied out to the user", "1 MiB, copied out", "floor", "floor", NO_GOAL, 0},
	{"1 MiB against 64 KiB", "1 MiB, in turns", "64 KiB, in turns", "64 KiB", AT_MOST, 1},
};

const struct group bulk_group = {
	.name = "bulk",
	.what = "a segment of 1460 bytes, both ends, in memory",
	.begin = begin,
	.end = end,
	.measures = measures,
	.measure_count = sizeof measures / sizeof measures[0],
	.figures = figures,
	.figure_count = sizeof figures / sizeof figures[0],
};
