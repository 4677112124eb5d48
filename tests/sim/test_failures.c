/* SPDX-License-Identifier: MIT */
/*
 * Over the main scenarios of a connection's life each allocation of either host fails once, one
 * world for each. No oracle breaks and all memory comes back. A call that was refused for want of
 * memory ends what its user wanted; when no call was, all goes on as if nothing had failed.
 */
#include "scene.h"

#include "net/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define USERS_MAX 64

static struct scene scene;

/* What became of the users of a world. */
struct outcome {
	uint32_t users;
	struct {
		int error;
		uint64_t received;
		bool eof;
	} user[USERS_MAX];
};

static void add(enum sim_workload_kind kind, uint64_t bytes, uint32_t count)
{
	struct sim_workload w = {.kind = kind,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = bytes,
				 .count = count,
				 .pause = 2 * S,
				 .patience = 600 * S};
	struct sim_workload_users users;

	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
}

static void handshake(void)
{
	add(SIM_DOWNLOAD, 0, 1);
}

static void both_ways(void)
{
	add(SIM_BOTH_WAYS, 200000, 1);
}

static void half_close(void)
{
	add(SIM_HALF_CLOSE, 30000, 1);
}

static void close_together(void)
{
	add(SIM_CLOSE_TOGETHER, 20000, 1);
}

static void client_aborts(void)
{
	add(SIM_CLIENT_ABORTS, 40000, 1);
}

static void zero_window(void)
{
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_RECEIVE_BUFFER, 8000), 0);
	add(SIM_SLOW_READER, 60000, 1);
}

static void recovery(void)
{
	const uint64_t offsets[] = {3000, 20000, 21500, 50000, 99000};

	for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
		scene_fault(&scene, (struct sim_fault){
					    .from = SIM_SERVER + 1,
					    .covers = true,
					    .offset = offsets[i],
					    .nth = {1},
				    });
	add(SIM_DOWNLOAD, 100000, 1);
}

static void many(void)
{
	const struct sim_op served[] = {
		SIM_SEND(2000),		 SIM_WAIT(SIM_UNTIL_SENT), SIM_SHUTDOWN(PARLEY_SHUT_WR),
		SIM_READ(SIM_ALL),	 SIM_WAIT(SIM_UNTIL_EOF),  SIM_CLOSE(),
		SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(80, 20),
					SIM_ACCEPT_BY(SCENE_PROGRAM(&scene, served), 600 * S),
					SIM_REPEAT(1, 19)};
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_READ(SIM_ALL),
					SIM_WAIT(SIM_UNTIL_EOF), SIM_CLOSE(),
					SIM_WAIT(SIM_UNTIL_DEAD)};

	SCENE_USER(&scene, SIM_SERVER, server);
	for (int i = 0; i < 20; i++)
		SCENE_USER(&scene, SIM_CLIENT, client);
}

static void refused(void)
{
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 81), SIM_WAIT(SIM_UNTIL_DEAD)};

	SCENE_USER(&scene, SIM_CLIENT, client);
}

/* The server closes first, and the client comes again from the same port within 2 MSL. */
static void reuse(void)
{
	const struct sim_op served[] = {
		SIM_SEND(2000),		 SIM_WAIT(SIM_UNTIL_DRAINED), SIM_SHUTDOWN(PARLEY_SHUT_WR),
		SIM_READ(SIM_ALL),	 SIM_WAIT(SIM_UNTIL_EOF),     SIM_CLOSE(),
		SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(80, 20),
					SIM_ACCEPT_BY(SCENE_PROGRAM(&scene, served), 600 * S),
					SIM_REPEAT(1, 1)};
	const struct sim_op client[] = {SIM_CONNECT_FROM(SIM_SERVER, 80, 4000), SIM_READ(SIM_ALL),
					SIM_WAIT(SIM_UNTIL_EOF), SIM_CLOSE(),
					SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op again[] = {SIM_AT(4 * S),	  SIM_CONNECT_FROM(SIM_SERVER, 80, 4000),
				       SIM_READ(SIM_ALL), SIM_WAIT(SIM_UNTIL_EOF),
				       SIM_CLOSE(),	  SIM_WAIT(SIM_UNTIL_DEAD)};

	SCENE_USER(&scene, SIM_SERVER, server);
	SCENE_USER(&scene, SIM_CLIENT, client);
	SCENE_USER(&scene, SIM_CLIENT, again);
}

static void open_together(void)
{
	add(SIM_OPEN_TOGETHER, 20000, 1);
}

/* Each has an edge and a counter that show, when nothing fails, that it is what it says. */
static const struct scenario {
	const char *name;
	void (*set_up)(void);
	enum parley_state from, to;
	enum parley_counter counter;
} scenarios[] = {
	{"handshake", handshake, PARLEY_SYN_SENT, PARLEY_ESTABLISHED, PARLEY_COUNTER_ACTIVE_OPENS},
	{"bulk both ways", both_ways, PARLEY_ESTABLISHED, PARLEY_FIN_WAIT_1,
	 PARLEY_COUNTER_OUT_SEGS},
	{"half-close", half_close, PARLEY_FIN_WAIT_1, PARLEY_FIN_WAIT_2, PARLEY_COUNTER_TIME_WAITS},
	{"simultaneous close", close_together, PARLEY_FIN_WAIT_1, PARLEY_CLOSING,
	 PARLEY_COUNTER_TIME_WAITS},
	{"abort", client_aborts, PARLEY_ESTABLISHED, PARLEY_CLOSED, PARLEY_COUNTER_OUT_RSTS},
	{"zero window", zero_window, PARLEY_ESTABLISHED, PARLEY_CLOSE_WAIT,
	 PARLEY_COUNTER_WINDOW_PROBES},
	{"loss recovery", recovery, PARLEY_CLOSE_WAIT, PARLEY_LAST_ACK,
	 PARLEY_COUNTER_FAST_RETRANS},
	{"many connections", many, PARLEY_LISTEN, PARLEY_SYN_RECEIVED,
	 PARLEY_COUNTER_PASSIVE_OPENS},
	{"refused", refused, PARLEY_SYN_SENT, PARLEY_CLOSED, PARLEY_COUNTER_ATTEMPT_FAILS},
	{"TIME-WAIT reuse", reuse, PARLEY_TIME_WAIT, PARLEY_CLOSED,
	 PARLEY_COUNTER_TIME_WAIT_RECYCLED},
	{"simultaneous open", open_together, PARLEY_SYN_SENT, PARLEY_SYN_RECEIVED,
	 PARLEY_COUNTER_ACTIVE_OPENS},
};

/* Runs a world in which the n-th allocation of a host fails, or none; whether one did. */
static bool run(const struct scenario *scenario, int host, uint64_t n, struct outcome *outcome)
{
	struct sim_pair_config config = scene_config(1);
	struct memory *memory;
	uint64_t failures;

	scene_begin(&scene, &config);
	memory = &scene.world->host[host]->engine->memory;
	scenario->set_up();
	failures = memory->failures;
	memory_fail_at(memory, n);
	scene_finish(&scene, 4000);
	memory_fail_at(memory, 0);
	assert_true(scene.world->user_count <= USERS_MAX);
	outcome->users = scene.world->user_count;
	for (uint32_t i = 0; i < scene.world->user_count; i++) {
		const struct sim_user *user = scene.world->user[i];

		outcome->user[i].error = user->error;
		outcome->user[i].received = user->received;
		outcome->user[i].eof = user->eof;
	}
	return memory->failures != failures;
}

/*
 * A SEND was refused; or an OPEN or ACCEPT, and the calls behind it then as well, without a
 * connection that could have told of an error.
 */
static bool was_refused(const struct sim_user *user)
{
	if (user->error == PARLEY_ENOMEM || user->error == PARLEY_ENOBUFS)
		return true;
	return user->refusals && !user->error && !user->connected && !user->dead;
}

static bool anybody_was_refused(void)
{
	for (uint32_t i = 0; i < scene.world->user_count; i++)
		if (was_refused(scene.world->user[i]))
			return true;
	return false;
}

/* With one call refused, what the others are told is the end of their connection, no more. */
static bool is_clean(int error)
{
	return error == 0 || error == PARLEY_ENOMEM || error == PARLEY_ENOBUFS ||
	       error == PARLEY_ECONNREFUSED || error == PARLEY_ECONNRESET ||
	       error == PARLEY_ETIMEDOUT;
}

static void compare(const struct scenario *scenario, int host, uint64_t n, const struct outcome *is,
		    const struct outcome *was)
{
	bool refused_one = anybody_was_refused();

	for (uint32_t i = 0; i < is->users; i++) {
		bool same = i < was->users && is->user[i].error == was->user[i].error &&
			    is->user[i].eof == was->user[i].eof &&
			    is->user[i].received == was->user[i].received;

		if (refused_one ? !is_clean(is->user[i].error) : !same)
			fail_msg("%s, host %d, allocation %llu: user %u read %llu bytes, %s",
				 scenario->name, host, (unsigned long long)n, i,
				 (unsigned long long)is->user[i].received,
				 parley_error_name(is->user[i].error));
	}
	if (!refused_one)
		assert_int_equal(is->users, was->users);
}

static void is_what_it_says(const struct scenario *s)
{
	const struct sim_world *world = scene.world;
	uint64_t n = parley_counter(world->host[SIM_CLIENT]->engine, s->counter) +
		     parley_counter(world->host[SIM_SERVER]->engine, s->counter);

	if (n == 0 || world->coverage.edge[s->from][s->to] == 0)
		fail_msg("%s did not happen", s->name);
}

/* Answers how many failed. */
static uint64_t try_all(const struct scenario *scenario, int host)
{
	struct outcome was, is;
	uint64_t n = 1, runs = 0, refusals = 0;

	assert_false(run(scenario, host, 0, &was));
	assert_false(anybody_was_refused());
	is_what_it_says(scenario);
	while (run(scenario, host, n, &is)) {
		compare(scenario, host, n, &is, &was);
		refusals += anybody_was_refused();
		runs++;
		n++;
	}
	compare(scenario, host, n, &is, &was);
	printf("%s, host %d: %llu allocations failed, %llu refused a call\n", scenario->name, host,
	       (unsigned long long)runs, (unsigned long long)refusals);
	return runs;
}

static void each_allocation_fails_once(void **state)
{
	(void)state;
	/* A host that only refuses allocates nothing. */
	for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
		assert_true(try_all(&scenarios[i], SIM_CLIENT) +
				    try_all(&scenarios[i], SIM_SERVER) >
			    0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_fails_once),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
