/* SPDX-License-Identifier: MIT */
/* Options, the personality, and sysctls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "drill/config.h"
#include "drill/sysctl.h"

static void test_options(void **unused)
{
	struct drill_config config;
	char why[DRILL_WHY_MAX];

	(void)unused;
	drill_config_init(&config);
	assert_true(drill_config_option(&config, "mtu", "1520", why));
	assert_int_equal(config.mtu, 1520);
	assert_true(drill_config_option(&config, "tolerance_usecs", "10000", why));
	assert_int_equal(config.tolerance, 10000000);
	assert_true(drill_config_option(&config, "tolerance_percent", "0.5", why));
	assert_int_equal(config.tolerance_ppm, 5000);
	assert_true(drill_config_option(&config, "non_fatal", "packet,syscall", why));
	assert_true(config.forgive_packets && config.forgive_syscalls);
	assert_true(drill_config_option(&config, "strict_segments", NULL, why));
	assert_true(config.strict);
	assert_true(drill_config_option(&config, "speed", "1000", why));
	assert_true(drill_config_option(&config, "remote_ip", "192.0.2.7/24", why));
	assert_false(drill_config_option(&config, "mtu", "abc", why));
	assert_string_equal(why, "--mtu: 'abc' is not right");
	assert_false(drill_config_option(&config, "tolerance_usecs", NULL, why));
	assert_false(drill_config_option(&config, "foo", "1", why));
	assert_string_equal(why, "no option --foo");
	assert_true(drill_config_finish(&config, why));
}

static void test_families(void **unused)
{
	struct drill_config config;
	char why[DRILL_WHY_MAX];

	(void)unused;
	drill_config_init(&config);
	assert_true(drill_config_option(&config, "ip_version", "ipv6", why));
	assert_true(drill_config_option(&config, "local_ip", "2001:db8::5", why));
	assert_true(drill_config_finish(&config, why));
	assert_false(ip_is_v4(&config.remote));
	assert_true(drill_config_option(&config, "ip_version", "ipv4", why));
	assert_false(drill_config_finish(&config, why));
	assert_non_null(strstr(why, "family"));
	assert_false(drill_config_option(&config, "ip_version", "ipv5", why));
}

static void test_personality(void **unused)
{
	struct drill_config config;
	char why[DRILL_WHY_MAX];

	(void)unused;
	drill_config_init(&config);
	assert_int_equal(config.personality.wscale, DRILL_WSCALE_AUTO);
	assert_true(config.personality.given[PARLEY_SET_QUICK_ACKS]);
	assert_true(drill_config_personality(&config,
					     "wscale=7,synopt=bsd,iw=3,rto_min=1.5s,cc=reno,"
					     "rcvbuf=64K,nodelay=on,sack=off",
					     why));
	assert_int_equal(config.personality.wscale, 7);
	assert_int_equal(config.personality.order, DRILL_ORDER_BSD);
	assert_int_equal(config.personality.setting[PARLEY_SET_INITIAL_WINDOW], 3);
	assert_int_equal(config.personality.setting[PARLEY_SET_MIN_RTO], PARLEY_MS(1500));
	assert_int_equal(config.personality.setting[PARLEY_SET_RECEIVE_BUFFER], 65536);
	assert_int_equal(config.personality.setting[PARLEY_SET_NODELAY], 1);
	assert_true(drill_config_personality(&config, "stack=parley", why));
	assert_false(config.personality.given[PARLEY_SET_QUICK_ACKS]);
	assert_true(config.personality.given[PARLEY_SET_INITIAL_WINDOW]);
}

static void test_stacks(void **unused)
{
	struct drill_config config;
	char why[DRILL_WHY_MAX];

	(void)unused;
	drill_config_init(&config);
	assert_true(drill_config_personality(&config, "stack=bsd,psh=burst", why));
	assert_int_equal(config.personality.order, DRILL_ORDER_BSD);
	assert_int_equal(config.personality.psh, DRILL_PSH_BURST);
	assert_true(config.personality.bsd);
	assert_false(config.personality.given[PARLEY_SET_QUICK_ACKS]);
	assert_int_equal(config.personality.setting[PARLEY_SET_SLOW_START_LIMIT], 2);
	assert_int_equal(config.personality.setting[PARLEY_SET_MIN_RTO], PARLEY_MS(230));
	/* Back again: nothing of it is left. */
	assert_true(drill_config_personality(&config, "stack=linux", why));
	assert_int_equal(config.personality.order, DRILL_ORDER_LINUX);
	assert_false(config.personality.bsd);
	assert_false(config.personality.given[PARLEY_SET_MIN_RTO]);
	assert_int_equal(config.personality.setting[PARLEY_SET_SLOW_START_LIMIT], 1000);
}

static void test_what_is_not_there(void **unused)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"fastopen=on", "no such thing yet"},
		{"foo=1", "no setting 'foo'"},
		{"wscale=15", "0..14"},
		{"synopt=qnx", "linux, bsd or parley"},
		{"iw", "KEY=VALUE"},
		{"iw=many", "a number"},
		{"iw=5000", "out of range"},
		{"min-rto=5", "a time such as"},
		{"stack=qnx", "linux, bsd or parley"},
		{"psh=never", "auto, write or burst"},
		{"nodelay=perhaps", "on or off"},
	};
	struct drill_config config;
	char why[DRILL_WHY_MAX];

	(void)unused;
	drill_config_init(&config);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (drill_config_personality(&config, cases[i].text, why) ||
		    !strstr(why, cases[i].says))
			fail_msg("'%s': %s", cases[i].text, why);
}

static void test_sysctls(void **unused)
{
	static const struct {
		const char *name, *value;
		enum drill_sysctl_result result;
		enum parley_setting setting;
		int64_t number;
	} cases[] = {
		{"net.ipv4.tcp_syn_retries", "5", DRILL_SYSCTL_SET, PARLEY_SET_SYN_RETRIES, 5},
		{"/proc/sys/net/ipv4/tcp_fin_timeout", "30", DRILL_SYSCTL_SET,
		 PARLEY_SET_FIN_WAIT_2, PARLEY_S(30)},
		{"net.ipv4.tcp_rmem", "4096 540000 15728640", DRILL_SYSCTL_SET,
		 PARLEY_SET_RECEIVE_BUFFER_MAX, 15728640},
		{"net.ipv4.tcp_rfc1337", "1", DRILL_SYSCTL_SET, PARLEY_SET_RST_KILLS_TIME_WAIT, 0},
		{"net.ipv4.tcp_rto_min_us", "300000", DRILL_SYSCTL_SET, PARLEY_SET_MIN_RTO,
		 PARLEY_MS(300)},
		/* Ten doublings from 200 ms on, then two minutes each. */
		{"net.ipv4.tcp_retries2", "3", DRILL_SYSCTL_SET, PARLEY_SET_R2, PARLEY_S(3)},
		{"net.ipv4.tcp_retries2", "10", DRILL_SYSCTL_SET, PARLEY_SET_R2, PARLEY_MS(324600)},
		{"net.ipv4.tcp_abort_on_overflow", "1", DRILL_SYSCTL_SET,
		 PARLEY_SET_ABORT_ON_OVERFLOW, 1},
		/* Out of range here is as near as can be. */
		{"net.ipv4.tcp_syn_retries", "9999", DRILL_SYSCTL_SET, PARLEY_SET_SYN_RETRIES, 255},
		{"net.ipv4.tcp_fastopen", "0", DRILL_SYSCTL_MET, 0, 0},
		{"net.ipv4.tcp_fastopen", "3", DRILL_SYSCTL_LACKING, 0, 0},
		{"net.ipv4.tcp_congestion_control", "reno", DRILL_SYSCTL_MET, 0, 0},
		{"net.ipv4.tcp_congestion_control", "cubic", DRILL_SYSCTL_LACKING, 0, 0},
		{"net.ipv4.tcp_min_tso_segs", "10", DRILL_SYSCTL_NO_EFFECT, 0, 0},
		{"net.ipv4.tcp_of_tomorrow", "1", DRILL_SYSCTL_UNKNOWN, 0, 0},
		{"net.ipv4.tcp_syn_retries", "some", DRILL_SYSCTL_BAD_VALUE, 0, 0},
		{"net.ipv4.tcp_slow_start_after_idle", "0", DRILL_SYSCTL_SET,
		 PARLEY_SET_IDLE_RESTART, 0},
		{"net.inet.tcp.rexmit_initial", "3000", DRILL_SYSCTL_SET, PARLEY_SET_INITIAL_RTO,
		 PARLEY_S(3)},
		{"net.inet.tcp.drop_synfin", "1", DRILL_SYSCTL_SET, PARLEY_SET_SYN_FIN, 0},
		{"net.inet.tcp.sack.enable", "0", DRILL_SYSCTL_MET, 0, 0},
		{"net.inet.tcp.ecn.enable", "2", DRILL_SYSCTL_LACKING, 0, 0},
		{"net.inet.tcp.insecure_rst", "1", DRILL_SYSCTL_LACKING, 0, 0},
		{"net.inet.tcp.cc.algorithm", "newreno", DRILL_SYSCTL_MET, 0, 0},
		{"net.inet.tcp.hostcache.purgenow", "1", DRILL_SYSCTL_NO_EFFECT, 0, 0},
		{"net.inet.tcp.tcp_syn_retries", "1", DRILL_SYSCTL_UNKNOWN, 0, 0},
		{"net.inet.tcp.of_tomorrow", "1", DRILL_SYSCTL_UNKNOWN, 0, 0},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct drill_sysctl_change change;

		assert_int_equal(drill_sysctl(cases[i].name, cases[i].value, &change),
				 cases[i].result);
		if (cases[i].result != DRILL_SYSCTL_SET)
			continue;
		assert_int_equal(change.setting[0], cases[i].setting);
		assert_int_equal(change.value[0], cases[i].number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),		  cmocka_unit_test(test_families),
		cmocka_unit_test(test_personality),	  cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_what_is_not_there), cmocka_unit_test(test_sysctls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
