/* SPDX-License-Identifier: MIT */
/* Connections as parley ss prints them, and the way there: report, reader, text, table. */
#include "spoken.h"

#include <unistd.h>

#include "tool/hosts.h"
#include "tool/ss_table.h"
#include "tool/ss_why.h"
#include "wire/text.h"

#define SECOND UINT64_C(1000000000)

static struct host_report host = {.run = 77, .program = 78, .name = (char *)"server"};

static struct report_conn conn_of(enum parley_state state, const char *local, const char *remote)
{
	struct report_conn conn = {.status = {.state = state, .owned = true}};

	assert_true(text_read_endpoint(&conn.status.local, local));
	assert_true(text_read_endpoint(&conn.status.remote, remote));
	return conn;
}

static struct report_conn busy(void)
{
	struct report_conn conn = conn_of(PARLEY_ESTABLISHED, "10.0.0.1:80", "10.0.0.2:40000");

	conn.status.receive_queue = 1200;
	conn.status.send_queue = 345678;
	conn.status.timer = PARLEY_TIMER_RETRANSMIT;
	conn.status.timer_due = 1500 * 1000000;
	conn.status.retransmits = 2;
	conn.status.iss = 4294967290;
	conn.status.snd_una = 5;
	conn.status.snd_nxt = 1465;
	conn.status.snd_wnd = 65535;
	conn.status.snd_wl1 = 1001;
	conn.status.snd_wl2 = 5;
	conn.status.snd_up = 5;
	conn.status.irs = 1000;
	conn.status.rcv_nxt = 2201;
	conn.status.rcv_wnd = 60000;
	conn.status.rcv_up = 2201;
	conn.has_info = true;
	snprintf(conn.congestion, sizeof conn.congestion, "reno");
	conn.receive_buffer = 65536;
	conn.send_buffer = 87380;
	conn.inode = 42;
	conn.info = (struct parley_tcp_info){
		.has_timestamps = true,
		.has_sack = true,
		.has_wscale = true,
		.snd_wscale = 7,
		.rcv_wscale = 5,
		.rto = 204 * 1000000,
		.backoff = 2,
		.rtt = 40123456,
		.rttvar = 2500000,
		.ato = 40 * 1000000,
		.snd_mss = 1460,
		.pmtu = 1500,
		.rcv_mss = 536,
		.advmss = 1460,
		.snd_cwnd = 14600,
		.snd_ssthresh = 7300,
		.bytes_sent = 4380,
		.bytes_retrans = 2920,
		.bytes_acked = 10,
		.bytes_received = 1200,
		.segs_out = 9,
		.segs_in = 7,
		.data_segs_out = 5,
		.data_segs_in = 2,
		.last_data_sent = 1250 * 1000000,
		.last_data_recv = 2 * SECOND,
		.unacked = 1,
		.retrans = 1,
		.total_retrans = 2,
		.lost = 1,
		.sacked = 3,
		.rcv_space = 65536,
		.notsent = 344218,
		.min_rtt = 38000000,
		.snd_wnd = 65535,
	};
	return conn;
}

/* What the table looks like with these. */
static const char *table_of(const struct report_conn *conns, size_t n, const struct ss_view *view,
			    int width)
{
	static char text[65536];
	struct ss_row rows[16];
	FILE *out = fmemopen(text, sizeof text, "w");

	for (size_t i = 0; i < n; i++)
		rows[i] = (struct ss_row){&host, &conns[i]};
	ss_table(out, width, true, view, rows, n);
	assert_int_equal(fclose(out), 0);
	return text;
}

static size_t five(struct report_conn conns[static 5])
{
	conns[0] = conn_of(PARLEY_LISTEN, "0.0.0.0:80", "[::]:0");
	conns[0].status.receive_queue = 1;
	conns[0].status.send_queue = 128;
	conns[1] = busy();
	conns[2] = conn_of(PARLEY_TIME_WAIT, "10.0.0.1:80", "10.0.0.2:50000");
	conns[2].status.timer = PARLEY_TIMER_TIME_WAIT;
	conns[2].status.timer_due = 59 * SECOND + 999999999;
	conns[3] = conn_of(PARLEY_SYN_SENT, "10.0.0.1:33000", "192.168.100.200:65535");
	conns[4] = conn_of(PARLEY_LAST_ACK, "10.0.0.1:80", "10.0.0.2:7");
	return 5;
}

/* As ss itself lays out such rows, but for spaces at the ends of lines. */
static void test_columns(void **state)
{
	const struct ss_view view = {.numeric = true, .state = true, .timer = true};
	struct report_conn conns[5];
	size_t n = five(conns);

	(void)state;
	assert_string_equal(
		table_of(conns, n, &view, 0),
		"State     Recv-Q Send-Q Local Address:Port     Peer Address:Port Process\n"
		"LISTEN    1      128          0.0.0.0:80            0.0.0.0:*\n"
		"ESTAB     1200   345678      10.0.0.1:80           10.0.0.2:40000 "
		"timer:(on,1.500ms,2)\n"
		"TIME-WAIT 0      0           10.0.0.1:80           10.0.0.2:50000 "
		"timer:(timewait,59sec,0)\n"
		"SYN-SENT  0      1           10.0.0.1:33000 192.168.100.200:65535\n"
		"LAST-ACK  0      1           10.0.0.1:80           10.0.0.2:7\n");
}

/* A terminal with room: it is spread. Without: the last column gets lines of its own. */
static void test_terminals(void **state)
{
	struct ss_view view = {.numeric = true, .state = true, .timer = true};
	struct report_conn conns[5];
	size_t n = five(conns);

	(void)state;
	assert_string_equal(
		table_of(conns, n, &view, 110),
		"State       Recv-Q   Send-Q     Local Address:Port           Peer Address:Port    "
		"Process\n"
		"LISTEN      1        128              0.0.0.0:80                  0.0.0.0:*\n"
		"ESTAB       1200     345678          10.0.0.1:80                 10.0.0.2:40000   "
		" "
		"timer:(on,1.500ms,2)\n"
		"TIME-WAIT   0        0               10.0.0.1:80                 10.0.0.2:50000   "
		" "
		"timer:(timewait,59sec,0)\n"
		"SYN-SENT    0        1               10.0.0.1:33000       192.168.100.200:65535\n"
		"LAST-ACK    0        1               10.0.0.1:80                 10.0.0.2:7\n");
	view.state = false;
	assert_string_equal(table_of(conns, n, &view, 60),
			    "Recv-Q Send-Q   Local Address:Port       Peer Address:Port\n"
			    "1      128            0.0.0.0:80              0.0.0.0:*\n"
			    "1200   345678        10.0.0.1:80             10.0.0.2:40000\n"
			    "\t timer:(on,1.500ms,2)\n"
			    "0      0             10.0.0.1:80             10.0.0.2:50000\n"
			    "\t timer:(timewait,59sec,0)\n"
			    "0      1             10.0.0.1:33000   192.168.100.200:65535\n"
			    "0      1             10.0.0.1:80             10.0.0.2:7\n");
}

static void test_addresses(void **state)
{
	static const struct {
		enum parley_state state;
		const char *local, *remote;
		bool v6_only;
		const char *cells[4];
	} cases[] = {
		{PARLEY_LISTEN, "0.0.0.0:80", "[::]:0", false, {"0.0.0.0:", "80", "0.0.0.0:", "*"}},
		{PARLEY_LISTEN, "[::]:80", "[::]:0", false, {"*:", "80", "*:", "*"}},
		{PARLEY_LISTEN, "[::]:80", "[::]:0", true, {"[::]:", "80", "[::]:", "*"}},
		{PARLEY_LISTEN, "[::1]:80", "[::]:0", true, {"[::1]:", "80", "[::]:", "*"}},
		{PARLEY_ESTABLISHED,
		 "[fd00::1]:80",
		 "[fd00::2]:50000",
		 false,
		 {"[fd00::1]:", "80", "[fd00::2]:", "50000"}},
	};
	const struct ss_view view = {.numeric = true, .state = true};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct report_conn conn = conn_of(cases[i].state, cases[i].local, cases[i].remote);
		struct ss_row row = {&host, &conn};
		struct ss_cells cells;

		conn.v6_only = cases[i].v6_only;
		ss_cells(&cells, &row, &view);
		for (int k = 0; k < 4; k++)
			assert_string_equal(cells.text[SS_LOCAL + k], cases[i].cells[k]);
	}
}

/* With the words of ss -tanoiem, and in their order. */
static void test_below(void **state)
{
	struct ss_view view = {.state = true, .memory = true, .info = true, .rfc = true};
	struct report_conn conn = busy();
	const char *text = table_of(&conn, 1, &view, 0);

	(void)state;
	text = strchr(strchr(text, '\n') + 1, '\n') + 1;
	assert_string_equal(
		text,
		"\t skmem:(r1200,rb65536,t0,tb87380,f0,w345678,o0,bl0,d0) ts sack reno wscale:7,5 "
		"rto:204 backoff:2 rtt:40.123/2.5 ato:40 mss:1460 pmtu:1500 rcvmss:536 advmss:1460 "
		"cwnd:10 ssthresh:5 bytes_sent:4380 bytes_retrans:2920 bytes_acked:10 "
		"bytes_received:1200 segs_out:9 segs_in:7 data_segs_out:5 data_segs_in:2 "
		"send 2.91Mbps lastsnd:1250 lastrcv:2000 unacked:1 retrans:1/2 lost:1 sacked:3 "
		"rcv_space:65536 notsent:344218 minrtt:38 snd_wnd:65535\n"
		"\t ISS:4294967290 SND.UNA:5(+11) SND.NXT:1465(+1471) SND.WND:65535 "
		"SND.WL1:1001(+1) SND.WL2:5(+11) SND.UP:5(+11)\n"
		"\t IRS:1000 RCV.NXT:2201(+1201) RCV.WND:60000 RCV.UP:2201(+1201)\n");
	view = (struct ss_view){.state = true, .rfc = true};
	text = strchr(strchr(table_of(&conn, 1, &view, 60), '\n') + 1, '\n') + 1;
	assert_string_equal(text, "\t ISS:4294967290 SND.UNA:5(+11) SND.NXT:1465(+1471)\n"
				  "\t  SND.WND:65535 SND.WL1:1001(+1) SND.WL2:5(+11)\n"
				  "\t  SND.UP:5(+11)\n"
				  "\t IRS:1000 RCV.NXT:2201(+1201) RCV.WND:60000\n"
				  "\t  RCV.UP:2201(+1201)\n");
}

static void test_process(void **state)
{
	struct user list[] = {{42, 100, 3, "nginx"}, {42, 101, 3, "nginx"}, {43, 7, 1, "other"}};
	struct users users = {.user = list, .count = 3};
	struct ss_view view = {.processes = true, .timer = true, .users = &users};
	struct report_conn conn = busy();
	struct ss_row row = {&host, &conn};
	struct ss_cells cells;
	char expected[128] = " timer:(on,1.500ms,2)", uid[32] = "";
	size_t count;

	(void)state;
	ss_cells(&cells, &row, &view);
	assert_string_equal(cells.process, " users:((\"nginx\",pid=100,fd=3),(\"nginx\",pid=101,"
					   "fd=3)) timer:(on,1.500ms,2)");
	assert_ptr_equal(users_of(&users, 43, &count), &list[2]);
	assert_int_equal(count, 1);
	assert_null(users_of(&users, 44, &count));
	assert_null(users_of(&users, 0, &count));
	view = (struct ss_view){.extended = true};
	conn.status.conn = 0x2000001;
	if (geteuid())
		snprintf(uid, sizeof uid, " uid:%u", (unsigned)geteuid());
	snprintf(expected + strlen(expected), 64, "%s ino:42 sk:2000001 host:77", uid);
	ss_cells(&cells, &row, &view);
	assert_string_equal(cells.process, expected);
}

static void test_durations(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
		{0, ""},
		{1, "001ms"},
		{200, "200ms"},
		{1000, "1sec"},
		{1500, "1.500ms"},
		{9999, "9.999ms"},
		{10000, "10sec"},
		{10999, "10sec"},
		{60000, "1min"},
		{61500, "1min1sec"},
		{599999, "9min59sec"},
		{600000, "10min"},
		{7200000, "120min"},
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ss_duration(text, sizeof text, cases[i].ms * 1000000 + 999999);
		assert_string_equal(text, cases[i].text);
	}
}

static const char *why_of(const struct report_conn *conn)
{
	static char text[WHY_MAX];
	struct ss_row row = {&host, conn};

	return ss_why(text, &row) ? text : "";
}

static void test_why(void **state)
{
	struct report_conn conn = conn_of(PARLEY_CLOSE_WAIT, "10.0.0.1:80", "10.0.0.2:1");

	(void)state;
	conn.has_info = true;
	conn.info.last_data_recv = 312 * SECOND + 5;
	assert_string_equal(why_of(&conn), "CLOSE-WAIT 312 s: the peer has closed; this program "
					   "(server) has not called close()");
	conn.status.state = PARLEY_ESTABLISHED;
	assert_string_equal(why_of(&conn), "");
	conn.status.timer = PARLEY_TIMER_PERSIST;
	conn.status.send_queue = 5;
	conn.status.receive_queue = 9;
	assert_string_equal(why_of(&conn),
			    "the peer's window is closed: its program does not read; 5 bytes wait "
			    "here; 9 bytes came that the program has not read");
	conn = conn_of(PARLEY_LISTEN, "0.0.0.0:80", "[::]:0");
	conn.status.send_queue = 5;
	assert_string_equal(why_of(&conn), "");
	conn.status.receive_queue = 6;
	assert_string_equal(why_of(&conn),
			    "the accept queue is full (6 wait, backlog 5): the program calls "
			    "accept() too seldom, and new connections are dropped");
	conn = conn_of(PARLEY_SYN_SENT, "10.0.0.1:80", "10.0.0.2:81");
	conn.status.timer = PARLEY_TIMER_RETRANSMIT;
	conn.status.timer_due = 1500 * 1000000;
	conn.status.retransmits = 3;
	assert_string_equal(why_of(&conn),
			    "4 SYNs without an answer: nobody is at 10.0.0.2:81, or SYNs or "
			    "answers are lost; the next in 2 s");
	/* Every other state has something to say. */
	for (int i = PARLEY_SYN_SENT; i < PARLEY_STATES; i++) {
		conn.status.state = (enum parley_state)i;
		assert_true(*why_of(&conn) != 0);
	}
}

static void test_piles(void **state)
{
	size_t counts[PARLEY_STATES] = {[PARLEY_CLOSE_WAIT] = 2, [PARLEY_TIME_WAIT] = 99};
	const char *out, *err;

	(void)state;
	spoken_begin();
	ss_why_piles(counts, 80);
	spoken_end(&out, &err);
	assert_string_equal(out, "");
	counts[PARLEY_CLOSE_WAIT] = 3;
	counts[PARLEY_TIME_WAIT] = 100;
	spoken_begin();
	ss_why_piles(counts, 80);
	spoken_end(&out, &err);
	assert_non_null(strstr(out, "3 in CLOSE-WAIT: the peers have closed"));
	assert_non_null(strstr(out, "\n100 in TIME-WAIT: normal for the end"));
	for (const char *line = out; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
}

/* What a host reports is what is read of it, to the last member. */
static void test_report(void **state)
{
	char line[REPORT_LINE_MAX];
	struct report_conn conn = busy();
	struct hosts hosts = {0};
	bool ended = false;

	(void)state;
	conn.status.conn = (UINT64_C(1) << 53) - 1;
	conn.status.entry = PARLEY_ENTRY_TCB;
	assert_true(
		hosts_add_line(&hosts,
			       "{\"report\":1,\"pid\":5,\"run\":4,\"argv\":[\"/bin/nc\",\"-l\"],"
			       "\"counters\":{\"InSegs\":7,\"unheard-of\":1},"
			       "\"drops\":{\"no-route\":3}}",
			       &ended));
	assert_true(report_conn_text(line, &conn) < REPORT_LINE_MAX);
	assert_true(hosts_add_line(&hosts, line, &ended));
	assert_false(ended);
	report_end_text(line, 1);
	assert_true(hosts_add_line(&hosts, line, &ended));
	assert_true(ended);
	assert_int_equal(hosts.count, 1);
	assert_string_equal(hosts.host[0].name, "nc");
	assert_string_equal(hosts.host[0].argv, "/bin/nc -l");
	assert_int_equal(hosts.host[0].counters[PARLEY_COUNTER_IN_SEGS], 7);
	assert_int_equal(hosts.host[0].drops[PARLEY_DROP_NO_ROUTE], 3);
	assert_int_equal(hosts.host[0].count, 1);
	for (const struct report_field *field = report_fields; field->name; field++)
		assert_true(report_field_get(&hosts.host[0].conns[0], field) ==
			    report_field_get(&conn, field));
	assert_int_equal(hosts.host[0].conns[0].status.state, PARLEY_ESTABLISHED);
	assert_int_equal(hosts.host[0].conns[0].status.timer, PARLEY_TIMER_RETRANSMIT);
	assert_memory_equal(&hosts.host[0].conns[0].status.remote, &conn.status.remote,
			    sizeof conn.status.remote);
	assert_string_equal(hosts.host[0].conns[0].congestion, "reno");
	hosts_free(&hosts);
}

static void test_bad_reports(void **state)
{
	static const char *const lines[] = {
		"",
		"x",
		"[]",
		"{",
		"{}",
		"{\"state\":\"ESTABLISHED\"}",
		"{\"state\":\"NONE\",\"local\":\"1.2.3.4:5\",\"remote\":\"1.2.3.4:5\"}",
		"{\"state\":\"LISTEN\",\"local\":\"1.2.3.4\",\"remote\":\"1.2.3.4:5\"}",
		"{\"state\":5,\"local\":6,\"remote\":7}",
	};
	struct hosts hosts = {0};
	bool ended = false;

	(void)state;
	/* A connection before its host. */
	assert_false(hosts_add_line(&hosts,
				    "{\"state\":\"LISTEN\",\"local\":\"1.2.3.4:5\",\"remote\":"
				    "\"1.2.3.4:5\"}",
				    &ended));
	assert_true(hosts_add_line(&hosts, "{\"report\":1,\"argv\":7,\"counters\":[]}", &ended));
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_false(hosts_add_line(&hosts, lines[i], &ended));
	assert_false(ended);
	assert_string_equal(hosts.host[0].name, "");
	hosts_free(&hosts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),	  cmocka_unit_test(test_terminals),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_below),
		cmocka_unit_test(test_process),	  cmocka_unit_test(test_durations),
		cmocka_unit_test(test_why),	  cmocka_unit_test(test_piles),
		cmocka_unit_test(test_report),	  cmocka_unit_test(test_bad_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
