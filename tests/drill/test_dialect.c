/* SPDX-License-Identifier: MIT */
/* For which stack a script was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "drill/dialect.h"
#include "drill/parser.h"

static struct drill_script *parse(const char *text)
{
	struct drill_script *script = drill_script_new("test.pkt", text, strlen(text));
	struct drill_error error;

	if (!drill_parse(script, NULL, &error))
		fail_msg("%d:%d: %s", error.at.line, error.at.column, error.text);
	return script;
}

/* What a script chooses where nobody said anything. */
static struct drill_personality choose(const char *text)
{
	struct drill_script *script = parse(text);
	struct drill_config config;

	drill_config_init(&config);
	drill_dialect_choose(&config, script);
	drill_script_free(script);
	return config.personality;
}

static void test_stack(void **unused)
{
	static const struct {
		const char *text;
		bool bsd;
	} cases[] = {
		{"0 `sysctl -w net.inet.tcp.rfc1323=1`", true},
		{"0 `sysctl -q net.ipv4.tcp_sack=1`", false},
		{"0 `sysctl -w kern.ipc.maxsockbuf=2097152`", true},
		{"0 > S 0:0(0) <mss 1460,nop,wscale 6,sackOK,TS val 100 ecr 0>", true},
		{"0 > S. 0:0(0) ack 1 <mss 1460,nop,wscale 6,sackOK,eol,eol>", true},
		{"0 > S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 8>", false},
		/* Neither has anything to order here. */
		{"0 > S. 0:0(0) ack 1 <mss 1460,nop,wscale 8>", false},
		/* What arrives is another's. */
		{"0 < S 0:0(0) win 9 <mss 1460,nop,wscale 6,sackOK,eol,eol>", false},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct drill_personality chosen = choose(cases[i].text);

		if (chosen.bsd != cases[i].bsd)
			fail_msg("%s", cases[i].text);
	}
}

static void test_pushes(void **unused)
{
	struct drill_script *script = parse("0 > . 1:3001(3000) ack 1\n"
					    "+0 > P. 3001:5001(2000) ack 1\n"
					    "+0 < P. 1:101(100) ack 1 win 9\n"
					    "+0 > FP. 5001:5501(500) ack 101\n");

	(void)unused;
	assert_false(drill_dialect_pushes(script, 3001));
	assert_true(drill_dialect_pushes(script, 5001));
	assert_false(drill_dialect_pushes(script, 4001));
	assert_false(drill_dialect_pushes(script, 101));
	assert_true(drill_dialect_pushes(script, 5501));
	assert_false(drill_dialect_pushes(NULL, 5001));
	drill_script_free(script);
}

static void test_delayed_fin_ack(void **unused)
{
	static const struct {
		const char *text;
		bool delays;
	} cases[] = {
		{"0 < F. 1:1(0) ack 1 win 9\n+.04 > . 1:1(0) ack 2", true},
		{"0 < F. 1:101(100) ack 1 win 9\n+.04 > . 1:1(0) ack 102", true},
		{"0 < F. 1:1(0) ack 1 win 9\n+0 > . 1:1(0) ack 2", false},
		{"0 < F. 1:1(0) ack 1 win 9\n+.001 > . 1:1(0) ack 2", false},
		/* Of something else. */
		{"0 < F. 1:1(0) ack 1 win 9\n+.04 > . 1:1(0) ack 1", false},
		{"0 < F. 1:1(0) ack 1 win 9\n+.04 > F. 1:1(0) ack 2", false},
		{"0 < . 1:2(1) ack 1 win 9\n+.04 > . 1:1(0) ack 2", false},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct drill_personality chosen = choose(cases[i].text);

		if (chosen.setting[PARLEY_SET_DELAY_FIN_ACK] != cases[i].delays)
			fail_msg("%s", cases[i].text);
	}
}

static void test_answered_syn_ack(void **unused)
{
	static const struct {
		const char *text;
		bool answers;
	} cases[] = {
		{"0 > S. 0:0(0) ack 1\n+0 < S. 0:0(0) ack 1 win 9\n+0 > . 1:1(0) ack 1", true},
		{"0 > S. 0:0(0) ack 8\n+0 < S. 7:7(0) ack 1 win 9\n+0 %{ print(1) }%\n"
		 "+0 > . 1:1(0) ack 8",
		 true},
		{"0 > S. 0:0(0) ack 1\n+0 < S. 0:0(0) ack 1 win 9\n+0 > P. 1:11(10) ack 1", false},
		{"0 > S. 0:0(0) ack 1\n+0 < S. 0:0(0) ack 1 win 9\n+0 < . 1:1(0) ack 1 win 9",
		 false},
		{"0 > S. 0:0(0) ack 1\n+0 < S. 0:0(0) ack 1 win 9", false},
		/* Not simultaneous. */
		{"0 > S 0:0(0)\n+0 < S. 0:0(0) ack 1 win 9\n+0 > . 1:1(0) ack 1", false},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct drill_personality chosen = choose(cases[i].text);

		if (chosen.setting[PARLEY_SET_ANSWER_SYN_ACK] != cases[i].answers)
			fail_msg("%s", cases[i].text);
	}
}

/* What is chosen for a script: one setting, and its value. */
struct choice {
	const char *text;
	enum parley_setting setting;
	int64_t value;
};

static void expect_choices(const struct choice *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct drill_personality chosen = choose(cases[i].text);

		if (chosen.setting[cases[i].setting] != cases[i].value)
			fail_msg("%s: %d", cases[i].text, (int)chosen.setting[cases[i].setting]);
	}
}

static void test_probes(void **unused)
{
	static const struct choice cases[] = {
		{"0 < . 1:1(0) ack 7 win 0\n+.3 > . 7:8(1) ack 1", PARLEY_SET_EMPTY_PROBES, 0},
		{"0 < . 1:1(0) ack 7 win 0\n+.3 > . 6:6(0) ack 1", PARLEY_SET_EMPTY_PROBES, 1},
		{"0 < . 1:1(0) ack 7 win 9\n+.3 > . 7:8(1) ack 1", PARLEY_SET_EMPTY_PROBES, 1},
		/* It opens first. */
		{"0 < . 1:1(0) ack 7 win 0\n+0 < . 1:1(0) ack 7 win 9\n+.3 > . 7:8(1) ack 1",
		 PARLEY_SET_EMPTY_PROBES, 1},
	};

	(void)unused;
	expect_choices(cases, sizeof cases / sizeof *cases);
}

#define TEXT "0 < P. 1:11(10) ack 1 win 9\n"

static void test_first_ack(void **unused)
{
	static const struct choice cases[] = {
		{TEXT "+0 > . 1:1(0) ack 11", PARLEY_SET_QUICK_ACKS, 16},
		{TEXT "+.04 > . 1:1(0) ack 11", PARLEY_SET_QUICK_ACKS, 0},
		{TEXT "+.03~+.05 > . 1:1(0) ack 11", PARLEY_SET_QUICK_ACKS, 0},
		{TEXT "+.02 read(4, ..., 10) = 10\n+.02 > . 1:1(0) ack 11", PARLEY_SET_QUICK_ACKS,
		 0},
		{TEXT "* > . 1:1(0) ack 11", PARLEY_SET_QUICK_ACKS, 16},
		/* Of both at once, on text, or each by itself. */
		{TEXT "+0 < P. 11:21(10) ack 1 win 9\n"
		      "+0 > . 1:1(0) ack 21",
		 PARLEY_SET_QUICK_ACKS, 0},
		{TEXT "+0 > P. 1:6(5) ack 11", PARLEY_SET_QUICK_ACKS, 0},
		{TEXT "+.02 < P. 11:21(10) ack 1 win 9\n+0 > . 1:1(0) ack 11\n"
		      "+0 > . 1:1(0) ack 21",
		 PARLEY_SET_QUICK_ACKS, 16},
		/* Only the first is looked at, and it is in order. */
		{TEXT "+0 > . 1:1(0) ack 11\n+0 < P. 11:21(10) ack 1 win 9\n"
		      "+.04 > . 1:1(0) ack 21",
		 PARLEY_SET_QUICK_ACKS, 16},
		{"0 < P. 5:11(6) ack 1 win 9\n+.04 > . 1:1(0) ack 11", PARLEY_SET_QUICK_ACKS, 16},
	};

	(void)unused;
	expect_choices(cases, sizeof cases / sizeof *cases);
}

#define SHAKE(rtt)                                                                    \
	"0 < S 0:0(0) win 9\n+0 > S. 0:0(0) ack 1\n+" rtt " < . 1:1(0) ack 1 win 9\n" \
	"+0 > P. 1:11(10) ack 1\n"

static void test_timeouts(void **unused)
{
	static const struct choice cases[] = {
		{SHAKE(".05") "+.25 > P. 1:11(10) ack 1", PARLEY_SET_MIN_RTO_SPREAD,
		 PARLEY_MS(200)},
		{SHAKE(".05") "+.2 > P. 1:11(10) ack 1", PARLEY_SET_MIN_RTO_SPREAD, 0},
		{SHAKE(".1") "+.3 > P. 1:11(10) ack 1", PARLEY_SET_MIN_RTO_SPREAD, PARLEY_MS(200)},
		{SHAKE(".1") "+1 > P. 1:11(10) ack 1", PARLEY_SET_MIN_RTO, PARLEY_MS(1000)},
		{SHAKE(".1") "+.8~+1.1 > P. 1:11(10) ack 1", PARLEY_SET_MIN_RTO, PARLEY_MS(1000)},
		/* What none explains, an ACK in between, no sample, no retransmission. */
		{SHAKE(".1") "+.6 > P. 1:11(10) ack 1", PARLEY_SET_MIN_RTO_SPREAD, PARLEY_MS(200)},
		{SHAKE(".05") "+0 < . 1:1(0) ack 1 win 9\n+.2 > P. 1:11(10) ack 1",
		 PARLEY_SET_MIN_RTO_SPREAD, PARLEY_MS(200)},
		{"0 > S 0:0(0)\n+1 > S 0:0(0)\n+.05 < S. 0:0(0) ack 1 win 9\n+0 > P. 1:2(1) ack 1\n"
		 "+.2 > P. 1:2(1) ack 1",
		 PARLEY_SET_MIN_RTO_SPREAD, PARLEY_MS(200)},
		{SHAKE(".05") "+.2 > P. 11:21(10) ack 1", PARLEY_SET_MIN_RTO_SPREAD,
		 PARLEY_MS(200)},
	};

	(void)unused;
	expect_choices(cases, sizeof cases / sizeof *cases);
}

#define TIMEOUT SHAKE(".1") "+.3 > P. 1:11(10) ack 1\n"

static void test_growth_after_timeout(void **unused)
{
	static const struct choice cases[] = {
		{TIMEOUT "+0 < . 1:1(0) ack 51 win 9\n+0 > . 51:71(20) ack 1",
		 PARLEY_SET_TIMEOUT_LIMIT, 1},
		{TIMEOUT
		 "+0 < . 1:1(0) ack 51 win 9\n+0 > . 51:61(10) ack 1\n+0 > . 61:71(10) ack 1",
		 PARLEY_SET_TIMEOUT_LIMIT, 1},
		{TIMEOUT "+0 < . 1:1(0) ack 51 win 9\n+0 > . 51:101(50) ack 1",
		 PARLEY_SET_TIMEOUT_LIMIT, 1000},
		{TIMEOUT "+0 < . 1:1(0) ack 11 win 9\n+0 > . 11:31(20) ack 1\n"
			 "+0 < . 1:1(0) ack 31 win 9\n+0 > . 31:61(30) ack 1",
		 PARLEY_SET_TIMEOUT_LIMIT, 1},
		{TIMEOUT "+0 < . 1:1(0) ack 11 win 9\n+0 > . 11:31(20) ack 1\n"
			 "+0 < . 1:1(0) ack 31 win 9\n+0 > . 31:71(40) ack 1",
		 PARLEY_SET_TIMEOUT_LIMIT, 1000},
		/* Less than either lets go, or nothing. */
		{TIMEOUT "+0 < . 1:1(0) ack 51 win 9\n+0 > P. 51:61(10) ack 1",
		 PARLEY_SET_TIMEOUT_LIMIT, 1000},
		{TIMEOUT "+0 < . 1:1(0) ack 11 win 9", PARLEY_SET_TIMEOUT_LIMIT, 1000},
	};

	(void)unused;
	expect_choices(cases, sizeof cases / sizeof *cases);
}

#define SYN "+1 > S 0:0(0)\n"

static void test_syns(void **unused)
{
	static const struct choice cases[] = {
		{SYN SYN SYN SYN SYN SYN SYN, PARLEY_SET_SYN_RETRIES, 6},
		{SYN SYN SYN SYN SYN SYN, PARLEY_SET_SYN_RETRIES, 0}, /* none chosen */
		{SYN SYN SYN SYN SYN SYN SYN SYN, PARLEY_SET_SYN_RETRIES, 0},
	};

	(void)unused;
	expect_choices(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_pushes),
		cmocka_unit_test(test_delayed_fin_ack),
		cmocka_unit_test(test_answered_syn_ack),
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_first_ack),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_syns),
		cmocka_unit_test(test_growth_after_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
