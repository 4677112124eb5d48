/* SPDX-License-Identifier: MIT */
/* A world put back goes on exactly as it would have. */
#include "scene.h"

#include "sim/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES 300000

static struct scene scene;

static int set_up(void **state)
{
	struct sim_pair_config config = scene_config(5);
	struct sim_workload w = {.kind = SIM_BOTH_WAYS,
				 .client = SIM_CLIENT,
				 .server = SIM_SERVER,
				 .port = 80,
				 .bytes = BYTES};
	struct sim_workload_users users;

	(void)state;
	config.world.check_every = 8;
	config.to_server.loss = 50000;
	config.to_client.loss = 50000;
	config.lan.hold_ns = 3 * MS;
	scene_begin(&scene, &config);
	/* The transcript lies outside the arena. */
	scene.world->config.hooks = (struct sim_hooks){0};
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	return 0;
}

static void step(unsigned n)
{
	while (n--)
		assert_int_equal(sim_step(scene.world), SIM_RAN);
}

static void *take(size_t *size)
{
	void *copy;

	*size = sim_snapshot_size(scene.world);
	copy = malloc(*size);
	assert_non_null(copy);
	assert_int_equal(sim_snapshot(scene.world, copy, *size), *size);
	return copy;
}

static void goes_on_as_it_would_have(void **state)
{
	uint64_t digest, events;
	size_t size;
	void *copy;

	(void)state;
	step(300);
	copy = take(&size);
	scene_finish(&scene, 1000);
	digest = scene.world->digest;
	events = scene.world->events;
	assert_true(sim_restore(scene.world, copy, size));
	assert_int_equal(scene.world->events, 300);
	assert_true(scene.world->digest != digest);
	scene_finish(&scene, 1000);
	assert_true(scene.world->digest == digest);
	assert_int_equal(scene.world->events, events);
	free(copy);
}

/* From each of many points, in the order of time and back again. */
static void any_point_will_do(void **state)
{
	enum { POINTS = 10, APART = 60 };
	void *copy[POINTS];
	size_t size[POINTS];
	uint64_t digest;

	(void)state;
	for (int i = 0; i < POINTS; i++) {
		copy[i] = take(&size[i]);
		step(APART);
	}
	scene_finish(&scene, 1000);
	digest = scene.world->digest;
	for (int i = POINTS - 1; i >= 0; i--) {
		assert_true(sim_restore(scene.world, copy[i], size[i]));
		assert_int_equal(scene.world->events, i * APART);
		scene_finish(&scene, 1000);
		assert_true(scene.world->digest == digest);
		free(copy[i]);
	}
}

/* What comes after may also differ: a fault added after the restore has its effect. */
static void another_future_is_possible(void **state)
{
	uint64_t digest;
	size_t size;
	void *copy;

	(void)state;
	step(200);
	copy = take(&size);
	scene_finish(&scene, 1000);
	digest = scene.world->digest;
	assert_true(sim_restore(scene.world, copy, size));
	scene_fault(&scene, (struct sim_fault){.text = true, .nth = {1}});
	scene_finish(&scene, 1000);
	assert_true(scene.world->digest != digest);
	free(copy);
}

static void refuses_what_is_none(void **state)
{
	size_t size;
	void *copy, *bad;

	(void)state;
	step(10);
	copy = take(&size);
	assert_int_equal(sim_snapshot(scene.world, copy, size - 1), 0);
	assert_false(sim_restore(scene.world, copy, size - 1));
	assert_false(sim_restore(scene.world, copy, 3));
	bad = calloc(1, size);
	assert_non_null(bad);
	assert_false(sim_restore(scene.world, bad, size));
	step(10);
	free(bad);
	free(copy);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(goes_on_as_it_would_have),
		TEST(any_point_will_do),
		TEST(another_future_is_possible),
		TEST(refuses_what_is_none),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
