/* SPDX-License-Identifier: MIT */
#include "spoken.h"

#include "tool/setting.h"

static const struct command command = {.name = "run", .options = (const struct option[]){{0}}};

static int read(const char *text, enum parley_setting *setting, int64_t *value, const char **err)
{
	const char *out;
	int status;

	spoken_begin();
	status = setting_read(&command, "-o", text, setting, value);
	spoken_end(&out, err);
	assert_string_equal(out, "");
	return status;
}

static void test_good(void **state)
{
	static const struct {
		const char *text;
		enum parley_setting setting;
		int64_t value;
	} cases[] = {
		{"nodelay=on", PARLEY_SET_NODELAY, 1},
		{"nodelay=off", PARLEY_SET_NODELAY, 0},
		{"nodelay=1", PARLEY_SET_NODELAY, 1},
		{"nodelay=false", PARLEY_SET_NODELAY, 0},
		{"min-rto=200ms", PARLEY_SET_MIN_RTO, PARLEY_MS(200)},
		{"min-rto=1.5s", PARLEY_SET_MIN_RTO, PARLEY_MS(1500)},
		{"delayed-ack=0", PARLEY_SET_DELAYED_ACK, 0},
		{"delayed-ack=250us", PARLEY_SET_DELAYED_ACK, 250000},
		{"r2=0s", PARLEY_SET_R2, 0},
		{"send-buffer=64K", PARLEY_SET_SEND_BUFFER, 65536},
		{"send-buffer=1000", PARLEY_SET_SEND_BUFFER, 1000},
		{"ttl=1", PARLEY_SET_TTL, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum parley_setting setting;
		int64_t value;
		const char *err;

		assert_int_equal(read(cases[i].text, &setting, &value, &err), OPTION_GO_ON);
		assert_string_equal(err, "");
		assert_int_equal(setting, cases[i].setting);
		assert_int_equal(value, cases[i].value);
	}
}

static void test_bad(void **state)
{
	static const char *const cases[][2] = {
		{"nodelay", "'nodelay' is not of the form KEY=VALUE"},
		{"nodelai=on", "no setting 'nodelai'; is it 'nodelay'?"},
		{"nothing-like-it=1",
		 "no setting 'nothing-like-it'; 'parley run --help' lists them"},
		{"nodelay=5", "'nodelay=5' is not on or off"},
		{"min-rto=200", "'min-rto=200' is not a time such as 200ms or 1.5s"},
		{"min-rto=200 ms", "'min-rto=200 ms' is not a time such as 200ms or 1.5s"},
		{"min-rto=-1s", "'min-rto=-1s' is not a time such as 200ms or 1.5s"},
		{"min-rto=0", "'min-rto=0' is not between 1ms and 60s"},
		{"min-rto=60.1s", "'min-rto=60.1s' is not between 1ms and 60s"},
		{"send-buffer=x", "'send-buffer=x' is not a number of bytes such as 4096 or 64K"},
		{"send-buffer=2G", "'send-buffer=2G' is not between 0 and 1024M"},
		{"ttl=0", "'ttl=0' is not between 1 and 255"},
		{"ttl=1K", "'ttl=1K' is not a number"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum parley_setting setting;
		int64_t value;
		const char *err;
		char expected[200];

		assert_int_equal(read(cases[i][0], &setting, &value, &err), EXIT_USAGE);
		snprintf(expected, sizeof expected, "parley run: -o: %s\n", cases[i][1]);
		assert_string_equal(err, expected);
	}
}

static void test_profile(void **state)
{
	enum parley_profile profile = PARLEY_PROFILE_DEFAULT;
	const char *out, *err;

	(void)state;
	assert_int_equal(setting_read_profile(&command, "--profile", "rfc", &profile),
			 OPTION_GO_ON);
	assert_int_equal(profile, PARLEY_PROFILE_RFC);
	assert_int_equal(setting_read_profile(&command, "--profile", NULL, &profile), OPTION_GO_ON);
	assert_int_equal(profile, PARLEY_PROFILE_RFC);
	assert_int_equal(setting_read_profile(&command, "--profile", "default", &profile),
			 OPTION_GO_ON);
	assert_int_equal(profile, PARLEY_PROFILE_DEFAULT);
	spoken_begin();
	assert_int_equal(setting_read_profile(&command, "--profile", "RFC", &profile), EXIT_USAGE);
	spoken_end(&out, &err);
	assert_string_equal(err,
			    "parley run: --profile: no profile 'RFC'; there are default and rfc\n");
}

/* What the help says can be said; where the profiles differ it says both. */
static void test_all(void **state)
{
	const char *out, *err;

	(void)state;
	for (int i = 0; i < PARLEY_SETTING_COUNT; i++) {
		const struct parley_setting_info *info = parley_setting_info(i);
		char line[80];

		spoken_begin();
		setting_help();
		spoken_end(&out, &err);
		snprintf(line, sizeof line, "\n  %s=", info->key);
		assert_non_null(strstr(out, line));
	}
	assert_non_null(strstr(out, "\n  msl=0..240s [30s; rfc: 120s]\n"));
	assert_non_null(strstr(out, "\n  syn-fin=on|off [off; rfc: on]\n"));
	assert_non_null(strstr(out, "\n  ttl=1..255 [64]\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
