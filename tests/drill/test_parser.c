/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "drill/notation.h"
#include "drill/parser.h"
#include "wire/tcp.h"

#define NS_PER_S  1000000000u
#define NS_PER_MS 1000000u

static struct drill_script *parse(const char *text)
{
	struct drill_script *script = drill_script_new("test.pkt", text, strlen(text));
	struct drill_error error;

	if (!drill_parse(script, NULL, &error))
		fail_msg("%d:%d: %s", error.at.line, error.at.column, error.text);
	return script;
}

/* What is wrong, where, and that the message says this. */
static const struct {
	const char *text;
	int line, column;
	const char *says;
} broken[] = {
	{"", 1, 1, "no event"},
	{"0 socket(", 1, 10, "expected a value, found the end"},
	{"0 socket() 3", 1, 12, "expected '=' and the result"},
	{"0 foo(1 2) = 0", 1, 9, "expected ',' or ')' behind a value, found '2'"},
	{"0 foo(1) = 0 EAGAIN (abc", 1, 21, "no closing ')'"},
	{"nonsense", 1, 1, "an event, which begins with its time"},
	{"-1 foo() = 0", 1, 1, "negative"},
	{"0 < S 0:0(0)", 1, 13, "'win' and a window"},
	{"0 < S 0:5(4) win 1", 1, 7, "does not add up"},
	{"0 < X 0:0(0) win 1", 1, 5, "'X' is no TCP flag"},
	{"0 < SQ. 0:0(0) win 1", 1, 6, "'Q' is no TCP flag"},
	{"0 < S 0:0(0) win 70000", 1, 18, "out of range"},
	{"0 < S 0:0(0) win 1 <mss>", 1, 24, "expected an MSS"},
	{"0 < S 0:0(0) win 1 <mss 1460", 1, 29, "behind the options"},
	{"0 < S 0:0(0) win 1 <wscale 7>", 1, 20, "no multiple of 4"},
	{"0 < S 0:0(0) win 1 <foo 7>", 1, 21, "a TCP option"},
	{"0 < S 0:0(0) win 1 <...>", 1, 20, "outbound packets only"},
	{"0 < S 0:0(0) win 1 <FO abc>", 1, 24, "half a byte"},
	{"0 < S5E 0:0(0) win 1", 1, 7, "given twice"},
	{"0 < [ect01] . 1:1(0) ack 1 win 1", 1, 11, "outbound packets only"},
	{"0 < [foo] . 1:1(0) ack 1 win 1", 1, 6, "a field of IP"},
	{"0 < gre: . 1:1(0) ack 1 win 1", 1, 5, "not supported"},
	{"* < . 1:1(0) ack 1 win 1", 1, 1, "the time '*' is for outbound"},
	{"0~1 foo() = 0", 1, 1, "a time range is for outbound"},
	{"2~1 > . 1:1(0) ack 1", 1, 1, "backwards"},
	{"1...0.5 foo() = 0", 1, 1, "ends before it begins"},
	{"+0~1 > . 1:1(0) ack 1", 1, 4, "'+'"},
	{"0 foo() = 0\n/* never", 2, 1, "the comment has no end"},
	{"0 foo(\"abc) = 0", 1, 7, "no closing '\"'"},
	{"0 `ls", 1, 3, "no closing '`'"},
	{"0 %{ assert 1", 1, 3, "no closing '}%'"},
	{"0 foo() = 0\n--mss=3", 2, 1, "options stand before"},
	{"--define=FOO\n0 foo() = 0", 1, 1, "NAME=VALUE"},
	{"0 foo() = 99999999999999999999", 1, 11, "too large"},
	{"0 > . 1:1(0) ack 1\n\n   0 bar(", 3, 10, "a value"},
	{"0 < icmp 7 foo", 1, 10, "an ICMP type"},
};

static void test_errors(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		struct drill_script *script = drill_script_new("x", broken[i].text,
							       strlen(broken[i].text));
		struct drill_error error = {.text = ""};

		if (drill_parse(script, NULL, &error))
			fail_msg("'%s' was read", broken[i].text);
		if (error.at.line != broken[i].line || error.at.column != broken[i].column ||
		    !strstr(error.text, broken[i].says))
			fail_msg("'%s': %d:%d: %s", broken[i].text, error.at.line, error.at.column,
				 error.text);
		drill_script_free(script);
	}
}

static void test_times(void **unused)
{
	struct drill_script *script = parse("0 > . 1:1(0) ack 1\n"
					    "0.100 > . 1:1(0) ack 1\n"
					    "+.001 > . 1:1(0) ack 1\n"
					    "* > . 1:1(0) ack 1\n"
					    "1.5~2 > . 1:1(0) ack 1\n"
					    "+0~+.04 > . 1:1(0) ack 1\n"
					    "+.1...0.200 read(3, ..., 1) = 1\n"
					    "0.000001...3 read(3, ..., 1) = 1\n");
	static const struct {
		enum drill_time kind;
		uint64_t time, until;
	} times[] = {
		{DRILL_ABSOLUTE, 0, 0},
		{DRILL_ABSOLUTE, 100 * NS_PER_MS, 0},
		{DRILL_RELATIVE, NS_PER_MS, 0},
		{DRILL_ANY_TIME, 0, 0},
		{DRILL_ABSOLUTE_RANGE, 1500 * NS_PER_MS, 2ull * NS_PER_S},
		{DRILL_RELATIVE_RANGE, 0, 40 * NS_PER_MS},
		{DRILL_RELATIVE, 100 * NS_PER_MS, 0},
		{DRILL_ABSOLUTE, 1000, 0},
	};
	const struct drill_event *event = script->events;

	(void)unused;
	for (size_t i = 0; i < sizeof times / sizeof *times; i++, event = event->next) {
		assert_int_equal(event->time_kind, times[i].kind);
		assert_int_equal(event->time, times[i].time);
		assert_int_equal(event->until, times[i].until);
		assert_int_equal(event->at.line, (int)i + 1);
		if (event->kind == DRILL_SYSCALL)
			assert_int_equal(event->syscall->end,
					 i == 6 ? 200 * NS_PER_MS : 3ull * NS_PER_S);
	}
	assert_null(event);
	drill_script_free(script);
}

/* Packets come out as they went in. */
static const char *const packets[] = {
	"< S 0:0(0) win 32792 <mss 1460,sackOK,nop,nop,nop,wscale 7>",
	"> S. 0:0(0) ack 1 <...>",
	"> S. 0:0(0) ack 1 <mss 1460,...>",
	"< P. 1:1001(1000) ack 1 win 257",
	"> . 1:1(0) ack 1001 win 5",
	"< U. 1:1(0) ack 1 win 1 urg 17",
	"< - 0:0(0) win 1",
	"< SEWA 0:0(0) win 1",
	"> P.5 1:2(1) ack 1",
	"> F. 4294967295:4294967295(0) ack 4294967295",
	"< . 1:1(0) ack 1 win 1 <nop,nop,sack 1001:2001 3001:4001>",
	"< . 1:1(0) ack 1 win 1 <nop,nop,TS val 100 ecr 4294967295>",
	"< S 0:0(0) win 1 <FO 0011223344556677,nop,nop>",
	"< S 0:0(0) win 1 <FOEXP,nop,nop,nop,nop>",
	"< S 0:0(0) win 1 <md5 000102030405060708090a0b0c0d0e0f,nop,eol>",
	"< S 0:0(0) win 1 <kind 77 c0de,kind 78,eol,nop>",
	"> [ect0] P. 1:2(1) ack 1",
	"> [ect01] P. 1:2(1) ack 1",
	"> [tos 0x10] P. 1:2(1) ack 1",
	"< icmp unreachable frag_needed mtu 1234 [1:1461(1460)]",
	"< icmp echo_request id 7",
	"< udp (100)",
};

static void test_packets(void **unused)
{
	char text[DRILL_NOTATION_MAX], got[DRILL_NOTATION_MAX];

	(void)unused;
	for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
		struct drill_script *script;

		snprintf(text, sizeof text, "0 %s", packets[i]);
		script = parse(text);
		assert_string_equal(drill_packet_text(got, script->events->packet), packets[i]);
		drill_script_free(script);
	}
}

static void test_spellings(void **unused)
{
	struct drill_script *script = parse("0 < (ttl 5) 40000 > 80 .5 1:1001 (1000) ack 1 win 1");
	const struct drill_packet *packet = script->events->packet;

	(void)unused;
	assert_int_equal(packet->ttl, 5);
	assert_int_equal(packet->src_port, 40000);
	assert_int_equal(packet->dst_port, 80);
	assert_int_equal(packet->flags, TCP_ACK | TCP_ECE | TCP_AE);
	assert_true(packet->ace);
	assert_int_equal(packet->len, 1000);
	drill_script_free(script);
}

static void test_quote_before_icmp(void **unused)
{
	struct drill_script *script = parse(
		"0 < [1:1461(1460)] icmp unreachable frag_needed mtu 9");
	char got[DRILL_NOTATION_MAX];

	(void)unused;
	assert_string_equal(drill_packet_text(got, script->events->packet),
			    "< icmp unreachable frag_needed mtu 9 [1:1461(1460)]");
	drill_script_free(script);
}

static const char *const calls[] = {
	"socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
	"fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
	"connect(3, ..., ...) = -1 EINPROGRESS",
	"setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0",
	"getsockopt(3, SOL_TCP, TCP_CONGESTION, \"reno\", [16]) = 0",
	"poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1",
	"writev(3, [{..., 100}, {..., 200}], 2) = 300",
	("bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"1.2.3.4\")}, ...) = "
	 "0"),
	"epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, u64=77}) = 0",
	"foo([], {}, [[1], 2]) = ...",
};

static void test_calls(void **unused)
{
	char text[DRILL_NOTATION_MAX], got[DRILL_NOTATION_MAX];

	(void)unused;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct drill_script *script;

		snprintf(text, sizeof text, "+0 %s (a note (with another) in it)\n+1 %s", calls[i],
			 calls[i]);
		script = parse(text);
		assert_int_equal(script->event_count, 2);
		assert_string_equal(drill_syscall_text(got, script->events->next->syscall),
				    calls[i]);
		drill_script_free(script);
	}
}

static void test_message_header(void **unused)
{
	struct drill_script *script = parse(
		"0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 10}], msg_flags=0,\n"
		"  msg_control=[{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ,\n"
		"    cmsg_data=0}]}, 0) = 10");

	(void)unused;
	assert_string_equal(script->events->syscall->name, "recvmsg");
	assert_int_equal(script->events->last_line, 3);
	drill_script_free(script);
}

static void test_options_and_comments(void **unused)
{
	struct drill_script *script = parse("// a comment\n"
					    "--tolerance_usecs=10000\n"
					    "--so_flags=\"wscale=7,synopt=bsd\"\n"
					    "--define=CC=\"reno\" --define=N=5\n"
					    "--dry_run\n"
					    "`./defaults.sh\n"
					    "  other`\n"
					    "/* one\n more */ 0 setsockopt(3, N, CC, N) = N\n"
					    "`cleanup`\n");
	const struct drill_setting *o = script->options;
	const struct drill_event *event = script->events;
	char got[DRILL_NOTATION_MAX];

	(void)unused;
	assert_string_equal(o->name, "tolerance_usecs");
	assert_string_equal(o->value, "10000");
	assert_string_equal(o->next->value, "wscale=7,synopt=bsd");
	assert_null(o->next->next->next->next->value);
	assert_int_equal(event->kind, DRILL_COMMAND);
	assert_string_equal(event->text, "./defaults.sh\n  other");
	/* A definition without quotes is a word, one with quotes a string. */
	assert_string_equal(drill_syscall_text(got, event->next->syscall),
			    "setsockopt(3, 5, \"reno\", 5) = 5");
	assert_int_equal(event->next->next->kind, DRILL_COMMAND);
	drill_script_free(script);
}

static void test_code(void **unused)
{
	struct drill_script *script = parse("0 %{\nassert tcpi_snd_cwnd == 10 // 1\n}%\n"
					    "+0 %{ print(1) }%");

	(void)unused;
	assert_int_equal(script->events->kind, DRILL_CODE);
	assert_string_equal(script->events->text, "\nassert tcpi_snd_cwnd == 10 // 1\n");
	drill_script_free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_quote_before_icmp),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_message_header),
		cmocka_unit_test(test_options_and_comments),
		cmocka_unit_test(test_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
