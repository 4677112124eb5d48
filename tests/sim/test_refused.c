/* SPDX-License-Identifier: MIT */
/* Connecting where nobody listens or where no way leads. */
#include "scene.h"

#include "wire/tcp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct scene scene;

static int set_up(void **state)
{
	struct sim_pair_config config = scene_config(1);

	(void)state;
	scene_begin(&scene, &config);
	return 0;
}

static struct sim_user *connect_to(struct sim_op connect)
{
	const struct sim_op program[] = {connect, SIM_WAIT(SIM_UNTIL_DEAD)};
	int user = SCENE_USER(&scene, SIM_CLIENT, program);

	return scene.world->user[user];
}

static void nobody_listens(void **state)
{
	struct sim_user *user = connect_to(SIM_CONNECT(SIM_SERVER, 80));

	(void)state;
	scene_finish(&scene, 200);
	assert_string_equal(scene.text, "client [S] seq 0\n"
					"server [R.] seq 0 ack 1\n");
	assert_int_equal(user->error, PARLEY_ECONNREFUSED);
	assert_false(user->connected);
	/* One round trip for ARP and one for the answer. */
	assert_int_equal(user->dead_at, 40 * MS);
}

/* The number of a RST for a SYN without ACK is 0 on the wire, not relative to anything. */
static void refusal_has_number_zero(void **state)
{
	(void)state;
	connect_to(SIM_CONNECT(SIM_SERVER, 80));
	scene_finish(&scene, 200);
	assert_int_equal(scene_count(&scene, "server [R.] seq 0 "), 1);
	assert_false(scene.has_iss[SIM_SERVER]);
}

static void no_route(void **state)
{
	struct sim_user *user = connect_to(SIM_CONNECT_V4(0x08080808, 80));

	(void)state;
	scene_finish(&scene, 10);
	assert_int_equal(user->refusal, -PARLEY_ENETUNREACH);
	assert_int_equal(scene_count(&scene, "["), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_listens),
		TEST(refusal_has_number_zero),
		TEST(no_route),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
