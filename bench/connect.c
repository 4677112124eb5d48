/* SPDX-License-Identifier: MIT */
/*
 * Connect and close: handshake, FIN from the client and FIN from the server, both handles given
 * back, one after the other, against the kernel's over loopback on one core. The client's end
 * stays in TIME-WAIT: 2 MSL is chosen such that there are always either one or 200,000 remnants,
 * so that each connection makes one and sees one expire, however many there are.
 */
#include "bench.h"
#include "pair.h"

#define PORTS	  16
#define PACE	  300000 /* ns of virtual time a connection */
#define REMNANTS  200000
#define FEW_SAVED 400

static struct pair *pairs[2];
static parley_conn listeners[2][PORTS];
static uint64_t made[2];

/* One server: takes what waits, and closes when the client has. */
static void serve(struct pair *pair)
{
	struct parley_host *host = pair->host[1];
	struct parley_event events[8];
	parley_conn conn;
	int n = parley_events(host, events, 8);

	for (int i = 0; i < n; i++) {
		if (events[i].bits & PARLEY_ACCEPT)
			while (!parley_accept(host, pair->now, events[i].conn, 0, &conn))
				;
		if (events[i].bits & PARLEY_PEER_CLOSED)
			parley_release_conn(host, pair->now, events[i].conn);
	}
}

static void once(int which)
{
	struct pair *pair = pairs[which];
	struct parley_host *host = pair->host[0];
	struct parley_event event;
	parley_conn conn = pair_connect(pair, (uint16_t)(80 + made[which] % PORTS), 0);

	pair_carry(pair, 0);
	pair_carry(pair, 1);
	if (parley_events(host, &event, 1) != 1 || !(event.bits & PARLEY_CONNECTED))
		die("a connection to be made", 0);
	pair_carry(pair, 0);
	serve(pair);
	parley_close(host, pair->now, conn);
	parley_release_conn(host, pair->now, conn);
	pair_carry(pair, 0);
	serve(pair);
	pair_settle(pair);
	serve(pair);
	pair_wait(pair, PACE);
	made[which]++;
}

static void open_pair(int which, uint64_t remnants)
{
	struct pair_config config = {.fastsum = fastsum_best(), .memory_limit = 1u << 30};
	struct pair *pair = pair_open(&config);

	pairs[which] = pair;
	made[which] = 0;
	for (int i = 0; i < 2; i++)
		parley_set(pair->host[i], pair->now, PARLEY_NO_CONN, PARLEY_SET_MSL,
			   (int64_t)(remnants * PACE / 2));
	for (uint16_t i = 0; i < PORTS; i++)
		listeners[which][i] = pair_listen(pair, (uint16_t)(80 + i));
}

static bool begin(void)
{
	size_t remnants = few(REMNANTS, FEW_SAVED);

	open_pair(0, 1);
	open_pair(1, remnants);
	for (size_t i = 0; i < few(1000, 10); i++)
		once(0);
	for (size_t i = 0; i < remnants + remnants / 10; i++)
		once(1);
	return true;
}

static void end(void)
{
	pair_close(pairs[0]);
	pair_close(pairs[1]);
}

static double run(const struct measure *measure)
{
	size_t n = few(20000, 100);
	uint64_t start = cpu_now();

	for (size_t i = 0; i < n; i++)
		once(measure->arg);
	return (double)n / seconds_since(start) / 1e3;
}

static const struct measure measures[] = {
	{"no remnants", "k/s", run, 0, NULL},
	{"200,000 remnants", "k/s", run, 1, NULL},
	{"kernel, two processes", "k/s", run_child, 0, "kernel-connect-two"},
	{"kernel, one process", "k/s", run_child, 0, "kernel-connect-one"},
};

static const struct figure figures[] = {
	{"connect+close", "no remnants", "kernel, two processes", "kernel", AT_LEAST, 8},
	{"the same, kernel in one process", "no remnants", "kernel, one process", "kernel", NO_GOAL,
	 0},
	{"the same, 200,000 in TIME-WAIT", "200,000 remnants", "no remnants", "with none", AT_LEAST,
	 0.8},
};

const struct group connect_group = {
	.name = "connect",
	.what = "connections made and closed; the kernel over loopback on one core",
	.begin = begin,
	.end = end,
	.measures = measures,
	.measure_count = sizeof measures / sizeof measures[0],
	.figures = figures,
	.figure_count = sizeof figures / sizeof figures[0],
};
