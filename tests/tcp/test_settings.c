/* SPDX-License-Identifier: MIT */
/* Settings: shared until somebody changes one, checked against their table. */
#include "peer.h"

static int64_t value(struct peer *p, parley_conn conn, enum parley_setting setting)
{
	int64_t v = -1;

	assert_int_equal(user_get(&p->tcp, conn, setting, &v), 0);
	return v;
}

/* Defaults lie in their ranges, keys differ, and both ends of a range can be set, no more. */
static void test_table(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	for (int i = 0; i < PARLEY_SETTING_COUNT; i++) {
		const struct parley_setting_info *info = parley_setting_info(i);
		enum parley_setting s = (enum parley_setting)i;

		assert_true(info->minimum <= info->initial && info->initial <= info->maximum);
		assert_true(info->minimum <= info->rfc && info->rfc <= info->maximum);
		assert_int_equal(value(&p, PARLEY_NO_CONN, s), info->initial);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(info->key, parley_setting_info(k)->key);
		assert_int_equal(user_set(&p.tcp, PARLEY_NO_CONN, s, info->maximum), 0);
		assert_int_equal(value(&p, PARLEY_NO_CONN, s), info->maximum);
		assert_int_equal(user_set(&p.tcp, PARLEY_NO_CONN, s, info->maximum + 1),
				 -PARLEY_EINVAL);
		assert_int_equal(user_set(&p.tcp, PARLEY_NO_CONN, s, info->minimum - 1),
				 -PARLEY_EINVAL);
		assert_int_equal(user_set(&p.tcp, PARLEY_NO_CONN, s, info->minimum), 0);
		assert_int_equal(value(&p, PARLEY_NO_CONN, s), info->minimum);
	}
	assert_null(parley_setting_info(-1));
	assert_null(parley_setting_info(PARLEY_SETTING_COUNT));
	assert_string_equal(parley_setting_name(PARLEY_SETTING_COUNT), "?");
	assert_int_equal(user_set(&p.tcp, PARLEY_NO_CONN, PARLEY_SETTING_COUNT, 0),
			 -PARLEY_ENOPROTOOPT);
	peer_done(&p);
}

/* A change copies the block, once; nobody else sees it. */
static void test_copy_on_write(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 1);
	peer_reach(&p, PEER_LISTENER, PARLEY_ESTABLISHED);
	assert_int_equal(p.tcp.settings_blocks.used, 1);
	assert_int_equal(user_set(&p.tcp, p.listener, PARLEY_SET_TTL, 9), 0);
	assert_int_equal(p.tcp.settings_blocks.used, 2);
	assert_int_equal(value(&p, p.conn, PARLEY_SET_TTL), 64);
	peer_set(&p, PARLEY_SET_TTL, 10);
	peer_set(&p, PARLEY_SET_TTL, 11);
	assert_int_equal(p.tcp.settings_blocks.used, 3);
	assert_int_equal(user_set(&p.tcp, PARLEY_NO_CONN, PARLEY_SET_TTL, 12), 0);
	assert_int_equal(p.tcp.settings_blocks.used, 3);
	assert_int_equal(value(&p, p.listener, PARLEY_SET_TTL), 9);
	assert_int_equal(value(&p, p.conn, PARLEY_SET_TTL), 11);
	assert_int_equal(value(&p, PARLEY_NO_CONN, PARLEY_SET_TTL), 12);
	assert_int_equal(user_abort(&p.tcp, p.conn), 0);
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	assert_int_equal(p.tcp.settings_blocks.used, 2);
	peer_done(&p);
}

/* What a listener makes has the listener's settings. */
static void test_inherited(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 1);
	assert_int_equal(user_set(&p.tcp, p.listener, PARLEY_SET_NODELAY, 1), 0);
	assert_int_equal(user_set(&p.tcp, p.listener, PARLEY_SET_RECEIVE_BUFFER, 3000), 0);
	recv(&p, "S", 0, 0, 0);
	assert_int_equal(expect(&p, "S.", 0, 1, 0).wnd, 3000);
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
	assert_int_equal(value(&p, p.conn, PARLEY_SET_NODELAY), 1);
	peer_done(&p);
}

/* No memory for a copy: nothing has changed. */
static void test_no_memory(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	memory_fail_at(&p.memory, 1);
	assert_int_equal(user_set(&p.tcp, p.conn, PARLEY_SET_TTL, 5), -PARLEY_ENOBUFS);
	assert_int_equal(value(&p, p.conn, PARLEY_SET_TTL), 64);
	assert_int_equal(user_set(&p.tcp, p.conn, PARLEY_SET_TTL, 5), 0);
	assert_int_equal(value(&p, p.conn, PARLEY_SET_TTL), 5);
	peer_done(&p);
}

/* A profile is a value for every setting; who is there already keeps what is theirs. */
static void test_profile(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_listen(&p, 1);
	assert_int_equal(user_set(&p.tcp, PARLEY_NO_CONN, PARLEY_SET_TTL, 5), 0);
	peer_profile(&p, PARLEY_PROFILE_RFC);
	for (int i = 0; i < PARLEY_SETTING_COUNT; i++)
		assert_int_equal(value(&p, PARLEY_NO_CONN, (enum parley_setting)i),
				 parley_setting_info(i)->rfc);
	assert_int_equal(value(&p, PARLEY_NO_CONN, PARLEY_SET_MSL), PARLEY_S(120));
	assert_int_equal(value(&p, p.listener, PARLEY_SET_FIN_WAIT_2), PARLEY_S(60));
	assert_int_equal(p.tcp.settings_blocks.used, 2);
	peer_profile(&p, PARLEY_PROFILE_DEFAULT);
	for (int i = 0; i < PARLEY_SETTING_COUNT; i++)
		assert_int_equal(value(&p, PARLEY_NO_CONN, (enum parley_setting)i),
				 parley_setting_info(i)->initial);
	assert_int_equal(user_profile(&p.tcp, PARLEY_PROFILE_COUNT), -PARLEY_EINVAL);
	assert_string_equal(parley_profile_name(PARLEY_PROFILE_DEFAULT), "default");
	assert_string_equal(parley_profile_name(PARLEY_PROFILE_RFC), "rfc");
	assert_string_equal(parley_profile_name(PARLEY_PROFILE_COUNT), "?");
	assert_string_equal(parley_profile_name(-1), "?");
	peer_done(&p);
}

/* No memory for it: nothing has changed. */
static void test_no_memory_for_a_profile(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	memory_fail_at(&p.memory, 1);
	assert_int_equal(user_profile(&p.tcp, PARLEY_PROFILE_RFC), -PARLEY_ENOBUFS);
	assert_int_equal(value(&p, PARLEY_NO_CONN, PARLEY_SET_MSL), PARLEY_S(30));
	peer_profile(&p, PARLEY_PROFILE_RFC);
	assert_int_equal(value(&p, PARLEY_NO_CONN, PARLEY_SET_MSL), PARLEY_S(120));
	peer_done(&p);
}

static void test_whose(void **unused)
{
	struct peer p;
	int64_t v;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	assert_int_equal(user_set(&p.tcp, p.conn, PARLEY_SET_MSL, 0), -PARLEY_ENOPROTOOPT);
	assert_int_equal(user_set(&p.tcp, p.conn + 1, PARLEY_SET_TTL, 1), -PARLEY_EBADF);
	assert_int_equal(user_get(&p.tcp, p.conn + 1, PARLEY_SET_TTL, &v), -PARLEY_EBADF);
	peer_done(&p);
}

/* Switching Nagle off sends what waits behind a cork, once; what comes later waits again. */
static void test_nodelay_takes_out_a_cork(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_set(&p, PARLEY_SET_CORK, 1);
	peer_set(&p, PARLEY_SET_NODELAY, 1); /* nothing waits */
	user_sends(&p, 100);
	expect_none(&p);
	peer_set(&p, PARLEY_SET_NODELAY, 0);
	expect_none(&p);
	peer_set(&p, PARLEY_SET_NODELAY, 1);
	expect(&p, "P.", 1, 1, 100);
	recv(&p, ".", 1, 101, 0);
	user_sends(&p, 100);
	expect_none(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	  cmocka_unit_test(test_copy_on_write),
		cmocka_unit_test(test_inherited), cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_profile),	  cmocka_unit_test(test_no_memory_for_a_profile),
		cmocka_unit_test(test_whose),	  cmocka_unit_test(test_nodelay_takes_out_a_cork),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
