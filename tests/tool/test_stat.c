/* SPDX-License-Identifier: MIT */
/* Counters as parley stat prints them. */
#include "spoken.h"

#include "tool/stat_words.h"

static const char *said(const struct host_report *host, bool zeros)
{
	const char *out, *err;

	spoken_begin();
	stat_sections(host, zeros);
	stat_drops(host, zeros);
	stat_hints(host, 80);
	spoken_end(&out, &err);
	assert_string_equal(err, "");
	return out;
}

static void test_sections(void **state)
{
	struct host_report host = {0};

	(void)state;
	host.counters[PARLEY_COUNTER_FRAMES_IN] = 100;
	host.counters[PARLEY_COUNTER_OUT_SEGS] = 990;
	host.counters[PARLEY_COUNTER_RETRANS_SEGS] = 11;
	host.counters[PARLEY_COUNTER_LISTEN_OVERFLOWS] = 12;
	host.counters[PARLEY_COUNTER_TIMEOUTS] = 3;
	host.drops[PARLEY_DROP_IP_HEADER] = 2;
	host.drops[PARLEY_DROP_IP_CHECKSUM] = 5;
	assert_string_equal(
		said(&host, false),
		"Ip:\n"
		"    100 total packets received\n"
		"    7 with invalid headers\n"
		"    0 incoming packets discarded\n"
		"    0 requests sent out\n"
		"Icmp:\n"
		"    0 input ICMP message failed\n"
		"    0 echo replies sent\n"
		"Tcp:\n"
		"    0 active connection openings\n"
		"    0 passive connection openings\n"
		"    0 failed connection attempts\n"
		"    0 connection resets received\n"
		"    0 connections established\n"
		"    0 segments received\n"
		"    990 segments sent out\n"
		"    11 segments retransmitted\n"
		"    0 bad segments received\n"
		"    0 resets sent\n"
		"TcpExt:\n"
		"    12 times the listen queue of a socket overflowed\n"
		"    TCPTimeouts: 3\n"
		"Drops:\n"
		"    5 ip-checksum: IP header checksum is wrong\n"
		"    2 ip-header: malformed IP header\n"
		"Hints:\n"
		"    ListenOverflows 12: the accept queue was full: the program did not call\n"
		"        accept() in time. 'parley ss -l' shows the queue (Recv-Q) and the\n"
		"        backlog (Send-Q); the peer tries again, which it takes for a slow\n"
		"        connection.\n"
		"    ip-checksum 5: packets were damaged on the way.\n"
		"    RetransSegs 11: for 1.0 % of the segments: loss on the way, or peers that do\n"
		"        not answer.\n");
}

/* Nothing is left out, and nothing has happened. */
static void test_zeros(void **state)
{
	struct host_report host = {0};
	const char *out = said(&host, true);
	int lines = 0;

	(void)state;
	for (int i = 0; i < PARLEY_DROP_COUNT; i++) {
		char row[80];

		snprintf(row, sizeof row, "    0 %s: ", parley_drop_name(i));
		assert_non_null(strstr(out, row));
	}
	for (const char *line = out; *line; line += strcspn(line, "\n") + 1) {
		assert_true(strcspn(line, "\n") <= 80);
		lines++;
	}
	assert_true(lines > PARLEY_DROP_COUNT + 30);
	assert_null(strstr(out, "Hints:"));
	assert_string_equal(strstr(said(&host, false), "Drops:"), "Drops:\n");
}

/* Each counter shows, in words or by its name. */
static void test_each_counter(void **state)
{
	struct host_report none = {0};
	char before[8192];

	(void)state;
	snprintf(before, sizeof before, "%s", said(&none, false));
	for (int i = 0; i < PARLEY_COUNTER_COUNT; i++) {
		struct host_report host = {0};

		host.counters[i] = 123456789;
		assert_string_not_equal(said(&host, false), before);
		assert_non_null(strstr(said(&host, false), "123456789"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_zeros),
		cmocka_unit_test(test_each_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
