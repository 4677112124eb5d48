/* SPDX-License-Identifier: MIT */
/*
 * Small worlds drawn from a seed: paths, cuts, settings down to one-byte buffers, scarce memory,
 * several workloads at once. Whatever happens, no oracle breaks, and when the links have healed
 * everything ends and all memory is given back. PARLEY_SEEDS=A..B runs other seeds.
 */
#include "scene.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PERCENT	  10000u
#define HEALED_AT (300 * S)
/* When links have been whole for so long, everything has ended. */
#define LIMIT	  4000u
#define BYTES_MAX 200000u
#define ROUNDS	  300u

static struct scene scene;
static unsigned long first = 1, last = 600;

static bool one_in(struct rng *r, uint64_t n)
{
	return rng_below(r, n) == 0;
}

static struct path_config draw_path(struct rng *r)
{
	struct path_config path = {
		.delay_ns = rng_below(r, 100 * MS),
		.jitter_ns = one_in(r, 2) ? rng_below(r, 20 * MS) : 0,
		.rate_bps = one_in(r, 3) ? 100000 + rng_below(r, 10000000) : 0,
		.queue = one_in(r, 2) ? 2 + (uint32_t)rng_below(r, 50) : 0,
	};

	if (one_in(r, 4))
		return path;
	path.loss = (uint32_t)rng_below(r, 25 * PERCENT);
	path.duplicate = one_in(r, 2) ? (uint32_t)rng_below(r, 20 * PERCENT) : 0;
	path.reorder = one_in(r, 2) ? (uint32_t)rng_below(r, 30 * PERCENT) : 0;
	path.corrupt = one_in(r, 2) ? (uint32_t)rng_below(r, 10 * PERCENT) : 0;
	return path;
}

/* A number of up to `most`, small ones as likely as large ones. */
static uint64_t draw_size(struct rng *r, uint64_t most)
{
	uint64_t limit = (uint64_t)1 << rng_below(r, 21);

	return 1 + rng_below(r, limit < most ? limit : most);
}

static void set(struct sim_host *host, enum parley_setting setting, int64_t value)
{
	assert_int_equal(
		parley_set(host->engine, sim_host_now(host), PARLEY_NO_CONN, setting, value), 0);
}

/* Returns the size of the smaller buffer. With even seeds most buffers grow by demand. */
static uint64_t draw_settings(struct rng *r, struct sim_host *host)
{
	uint64_t most = host->world->config.seed % 2 ? 1 << 20 : 0;
	uint64_t receive = one_in(r, 3) ? draw_size(r, 1 << 20) : most;
	uint64_t send = one_in(r, 3) ? draw_size(r, 1 << 20) : most;

	set(host, PARLEY_SET_R2, 0);
	/* So that who only waits learns that the other is gone. */
	set(host, PARLEY_SET_KEEPALIVE, 1);
	set(host, PARLEY_SET_KEEPALIVE_IDLE, 1000 * S);
	set(host, PARLEY_SET_RECEIVE_BUFFER, (int64_t)receive);
	set(host, PARLEY_SET_SEND_BUFFER, (int64_t)send);
	set(host, PARLEY_SET_WINDOW_SCALE, !one_in(r, 4));
	set(host, PARLEY_SET_NODELAY, one_in(r, 3));
	set(host, PARLEY_SET_LIMITED_TRANSMIT, !one_in(r, 4));
	if (one_in(r, 3))
		set(host, PARLEY_SET_DELAYED_ACK, (int64_t)rng_below(r, 200 * MS));
	if (one_in(r, 4))
		set(host, PARLEY_SET_MSS, 48 + (int64_t)rng_below(r, 1412));
	if (one_in(r, 4))
		set(host, PARLEY_SET_INITIAL_WINDOW, 1 + (int64_t)rng_below(r, 20));
	if (one_in(r, 4))
		set(host, PARLEY_SET_MSL, (int64_t)rng_below(r, 30 * S));
	if (one_in(r, 8))
		set(host, PARLEY_SET_TIME_WAIT_LIMIT, (int64_t)rng_below(r, 3));
	receive = receive ? receive : PARLEY_BUFFER_INITIAL;
	send = send ? send : PARLEY_BUFFER_INITIAL;
	return receive < send ? receive : send;
}

/* Through a buffer of a byte, a byte takes a round trip and a delayed ACK. */
static void draw_workload(struct rng *r, uint16_t port, uint64_t buffer)
{
	uint64_t most = buffer * ROUNDS < BYTES_MAX ? buffer * ROUNDS : BYTES_MAX;

	struct sim_workload w = {
		.kind = (enum sim_workload_kind)rng_below(r, SIM_SERVER_ABORTS + 1),
		.client = (int)rng_below(r, 2),
		.port = port,
		.in_place = one_in(r, 2),
		.bytes = draw_size(r, most),
		.count = 1 + (uint32_t)rng_below(r, 6),
		.retries = 1000,
		.start = rng_below(r, 20 * S),
		.pause = rng_below(r, 20 * S),
		.patience = 2 * HEALED_AT,
	};
	struct sim_workload_users users;

	w.server = !w.client;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
}

/* Links that break, and are whole from HEALED_AT on. */
static void draw_cuts(struct rng *r)
{
	for (uint64_t n = rng_below(r, 4); n; n--) {
		uint64_t since = rng_below(r, 60 * S);
		int host = (int)rng_below(r, 2);

		assert_int_equal(sim_cut(sim_pair_port(scene.world, host), since,
					 since + rng_below(r, 30 * S)),
				 0);
	}
}

static void heal(void)
{
	const struct path_config whole = {.delay_ns = MS};

	for (int host = 0; host < 2; host++)
		sim_path_set(sim_pair_port(scene.world, host), &whole);
}

/* A keep-alive probe may end what is half dead; it must not be needed to bring anything to life. */
static void only_the_dead_were_probed(void)
{
	const struct sim_world *world = scene.world;

	if (!world->coverage.timer[PARLEY_TIMER_KEEPALIVE])
		return;
	for (uint32_t i = 0; i < world->user_count; i++)
		if (world->user[i]->error || world->user[i]->failed)
			return;
	fail_msg("seed %llu: keep-alive revived a connection",
		 (unsigned long long)world->config.seed);
}

static void run(uint64_t seed)
{
	struct sim_pair_config config = scene_config(seed);
	struct rng r = rng(seed, 7);
	uint64_t buffer = UINT32_MAX;

	config.to_server = draw_path(&r);
	config.to_client = draw_path(&r);
	config.lan.mtu = one_in(&r, 3) ? 576 + (uint32_t)rng_below(&r, 8000) : 0;
	config.lan.hold_ns = one_in(&r, 3) ? rng_below(&r, 5 * MS) : 0;
	config.memory_limit = one_in(&r, 4) ? PARLEY_SLAB * (5 + rng_below(&r, 6)) : 0;
	scene_begin(&scene, &config);
	for (int host = 0; host < 2; host++) {
		uint64_t size = draw_settings(&r, scene.world->host[host]);

		buffer = size < buffer ? size : buffer;
	}
	for (uint64_t n = 1 + rng_below(&r, 4); n; n--)
		draw_workload(&r, (uint16_t)(80 + n), buffer);
	draw_cuts(&r);
	if (sim_run_idle(scene.world, HEALED_AT) == SIM_LATE)
		heal();
	scene_finish(&scene, LIMIT);
	only_the_dead_were_probed();
}

static void nothing_breaks(void **state)
{
	(void)state;
	for (unsigned long seed = first; seed <= last; seed++)
		run(seed);
}

/* Send buffers on both hosts took all memory, and neither could place the byte that was next. */
static void send_buffers_leave_memory_to_receive(void **state)
{
	(void)state;
	run(1833);
	run(3725);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_breaks),
		cmocka_unit_test(send_buffers_leave_memory_to_receive),
	};
	const char *seeds = getenv("PARLEY_SEEDS");
	int failed;

	if (seeds && sscanf(seeds, "%lu..%lu", &first, &last) != 2)
		return 2;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	scene_end(&scene);
	return failed;
}
