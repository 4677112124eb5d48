/* SPDX-License-Identifier: MIT */
/*
 * What a TCP tells of openings, calls, text and ICMP: the trace field by field, and what was
 * counted meanwhile. The expectations were read line by line beside the RFCs and docs/trace.md;
 * whatever changes one of them changes what users of the trace see.
 */
#include "account.h"

#include "tcp/held.h"
#include "tcp/icmp.h"

#include <string.h>

static struct account account;

static void shut(struct peer *p, unsigned how)
{
	assert_int_equal(user_shutdown(&p->tcp, p->conn, how), 0);
	peer_step(p);
}

/* Active OPEN, text both ways, CLOSE first, 2 MSL, and the handle given back. */
static void test_active_life(void **unused)
{
	static const char *const told[] = {
		"0 a1t call connect size 0 result 0",
		"0 a1t state CLOSED SYN-SENT call",
		"0 a1t segment_out S seq 0 ack 0 len 0 wnd 65535 mss 1460 wscale 9 SYN-SENT new",
		"10 a1t segment_in S. seq 0 ack 1 len 0 wnd 50000 mss 1400 wscale 7 SYN-SENT",
		"10 a1t state SYN-SENT ESTABLISHED segment",
		"10 a1t rtt sample 10 srtt 10 rttvar 5 rto 200",
		"10 a1t segment_out . seq 1 ack 1 len 0 wnd 128 ESTABLISHED ack",
		"10 a1t call send size 2800 result 2800",
		"10 a1t segment_out . seq 1 ack 1 len 1400 wnd 128 ESTABLISHED new",
		"10 a1t segment_out P. seq 1401 ack 1 len 1400 wnd 128 ESTABLISHED new",
		"30 a1t segment_in P. seq 1 ack 2801 len 300 wnd 390 ESTABLISHED",
		"30 a1t rtt sample 20 srtt 11.25 rttvar 6.25 rto 200",
		"70 a1t timer delayed-ack count 1 rto 200",
		"70 a1t segment_out . seq 2801 ack 301 len 0 wnd 128 ESTABLISHED delayed",
		"130 a1t call receive size 300 result 300",
		"130 a1t call shutdown size 2 result 0",
		"130 a1t state ESTABLISHED FIN-WAIT-1 call",
		"130 a1t segment_out F. seq 2801 ack 301 len 0 wnd 128 FIN-WAIT-1 new",
		"150 a1t segment_in . seq 301 ack 2802 len 0 wnd 390 FIN-WAIT-1",
		"150 a1t rtt sample 20 srtt 12.34375 rttvar 6.875 rto 200",
		"150 a1t state FIN-WAIT-1 FIN-WAIT-2 segment",
		"150 a1t segment_in F. seq 301 ack 2802 len 0 wnd 390 FIN-WAIT-2",
		"150 a1t state FIN-WAIT-2 TIME-WAIT segment",
		"150 a1t segment_out . seq 2802 ack 302 len 0 wnd 128 TIME-WAIT ack",
		"60150 a1t timer time-wait count 1 rto 200",
		"60150 a1t state TIME-WAIT CLOSED timeout",
		"61150 a1t call release size 0 result 0",
		"InSegs 4",
		"OutSegs 7",
		"ActiveOpens 1",
		"DelayedACKs 1",
		"TW 1",
	};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	p.wscale = 7;
	p.mss = 1400;
	peer_connect(&p);
	peer_wait(&p, MS(10));
	recv(&p, "S.", 0, 1, 0);
	p.snd_shift = 7;
	user_sends(&p, 2800);
	peer_wait(&p, MS(20));
	recv(&p, "P.", 1, 2801, 300);
	peer_wait(&p, MS(100));
	user_receives(&p, 300);
	shut(&p, PARLEY_SHUT_WR);
	peer_wait(&p, MS(20));
	recv(&p, ".", 301, 2802, 0);
	recv(&p, "F.", 301, 2802, 0);
	peer_wait(&p, SEC(61));
	account_release(&p);
	account_is(&account, told);
	account_end(&p);
}

/* A listener, a SYN,ACK that is lost, text nobody reads, and a CLOSE that resets. */
static void test_passive_life(void **unused)
{
	static const char *const told[] = {
		"0 a0l state CLOSED LISTEN call",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 b1t state LISTEN SYN-RECEIVED segment",
		"0 b1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"1000 b1t timer retransmit count 1 rto 1000",
		"1000 b1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED rto",
		"1000 b1t segment_in . seq 1 ack 1 len 0 wnd 50000 SYN-RECEIVED",
		"1000 b1t state SYN-RECEIVED ESTABLISHED segment",
		"1000 b1t call accept size 0 result 0",
		"1000 b1t segment_in P. seq 1 ack 1 len 20 wnd 50000 ESTABLISHED",
		"1000 b1t call close size 0 result 0",
		"1000 b1t state ESTABLISHED CLOSED abort",
		"1000 b1t error ECONNRESET",
		"1000 b1t segment_out R. seq 1 ack 21 len 0 wnd 0 ESTABLISHED reset",
		"1000 b1t call release size 0 result 0",
		"1000 a0l state LISTEN CLOSED call",
		"InSegs 3",
		"PassiveOpens 1",
		"EstabResets 1",
		"TCPTimeouts 1",
		"TCPAbortOnClose 1",
	};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	peer_listen(&p, 8);
	recv(&p, "S", 0, 0, 0);
	peer_wait(&p, SEC(1));
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(user_accept(&p.tcp, p.listener, 7, &p.conn), 0);
	recv(&p, "P.", 1, 1, 20);
	assert_int_equal(user_close(&p.tcp, p.conn), 0);
	peer_step(&p);
	account_release(&p);
	assert_int_equal(user_close(&p.tcp, p.listener), 0);
	account_is(&account, told);
	account_end(&p);
}

/* A passive OPEN without a listener; the peer closes first. */
static void test_passive_open_closes_last(void **unused)
{
	static const char *const told[] = {
		"0 a0l call open size 0 result 0",
		"0 a0l state CLOSED LISTEN call",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 a1t state LISTEN SYN-RECEIVED segment",
		"0 a1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"0 a1t segment_in . seq 1 ack 1 len 0 wnd 50000 SYN-RECEIVED",
		"0 a1t state SYN-RECEIVED ESTABLISHED segment",
		"0 a1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 a1t segment_in F. seq 1 ack 1 len 0 wnd 50000 ESTABLISHED",
		"0 a1t state ESTABLISHED CLOSE-WAIT segment",
		"0 a1t segment_out . seq 1 ack 2 len 0 wnd 65535 CLOSE-WAIT ack",
		"0 a1t call shutdown size 2 result 0",
		"0 a1t state CLOSE-WAIT LAST-ACK call",
		"0 a1t segment_out F. seq 1 ack 2 len 0 wnd 65535 LAST-ACK new",
		"0 a1t segment_in . seq 2 ack 2 len 0 wnd 50000 LAST-ACK",
		"0 a1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 a1t state LAST-ACK CLOSED segment",
		"0 a1t call release size 0 result 0",
		"InSegs 4",
		"OutSegs 3",
		"PassiveOpens 1",
	};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	peer_open_passive(&p);
	recv(&p, "S", 0, 0, 0);
	recv(&p, ".", 1, 1, 0);
	recv(&p, "F.", 1, 1, 0);
	shut(&p, PARLEY_SHUT_WR);
	recv(&p, ".", 2, 2, 0);
	account_release(&p);
	account_is(&account, told);
	account_end(&p);
}

/* Both open at once, and close at once. */
static void test_simultaneous_life(void **unused)
{
	static const char *const told[] = {
		"0 a1t call connect size 0 result 0",
		"0 a1t state CLOSED SYN-SENT call",
		"0 a1t segment_out S seq 0 ack 0 len 0 wnd 65535 mss 1460 wscale 9 SYN-SENT new",
		"0 a1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 SYN-SENT",
		"0 a1t state SYN-SENT SYN-RECEIVED segment",
		"0 a1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"0 a1t segment_in S. seq 0 ack 1 len 0 wnd 50000 mss 1000 SYN-RECEIVED",
		"0 a1t state SYN-RECEIVED ESTABLISHED segment",
		"0 a1t call shutdown size 2 result 0",
		"0 a1t state ESTABLISHED FIN-WAIT-1 call",
		"0 a1t segment_out F. seq 1 ack 1 len 0 wnd 65535 FIN-WAIT-1 new",
		"0 a1t segment_in F. seq 1 ack 1 len 0 wnd 50000 FIN-WAIT-1",
		"0 a1t state FIN-WAIT-1 CLOSING segment",
		"0 a1t segment_out . seq 2 ack 2 len 0 wnd 65535 CLOSING ack",
		"0 a1t segment_in . seq 2 ack 2 len 0 wnd 50000 CLOSING",
		"0 a1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 a1t state CLOSING TIME-WAIT segment",
		"0 a1t call release size 0 result 0",
		"InSegs 4",
		"OutSegs 4",
		"ActiveOpens 1",
		"TW 1",
	};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	peer_connect(&p);
	recv(&p, "S", 0, 0, 0);
	recv(&p, "S.", 0, 1, 0);
	shut(&p, PARLEY_SHUT_WR);
	recv(&p, "F.", 1, 1, 0);
	recv(&p, ".", 2, 2, 0);
	account_release(&p);
	peer_wait(&p, SEC(60));
	account_is(&account, told);
	account_end(&p);
}

/* LISTEN to SYN-SENT, and over a connection in TIME-WAIT. */
static void test_listen_then_connect(void **unused)
{
	static const char *const told[] = {
		"0 a0l call open size 0 result 0",
		"0 a0l state CLOSED LISTEN call",
		"0 a1t call open-active size 0 result 0",
		"0 a1t state LISTEN SYN-SENT call",
		"0 a1t segment_out S seq 0 ack 0 len 0 wnd 65535 mss 1460 wscale 9 SYN-SENT new",
		"0 a1t segment_in S. seq 0 ack 1 len 0 wnd 50000 mss 1000 SYN-SENT",
		"0 a1t state SYN-SENT ESTABLISHED segment",
		"0 a1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 a1t segment_out . seq 1 ack 1 len 0 wnd 65535 ESTABLISHED ack",
		"0 a1t call shutdown size 2 result 0",
		"0 a1t state ESTABLISHED FIN-WAIT-1 call",
		"0 a1t segment_out F. seq 1 ack 1 len 0 wnd 65535 FIN-WAIT-1 new",
		"0 a1t segment_in F. seq 1 ack 2 len 0 wnd 50000 FIN-WAIT-1",
		"0 a1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 a1t state FIN-WAIT-1 TIME-WAIT segment",
		"0 a1t segment_out . seq 2 ack 2 len 0 wnd 65535 TIME-WAIT ack",
		"0 a1t state TIME-WAIT CLOSED call",
		"0 b1t call connect size 0 result 0",
		"0 b1t state CLOSED SYN-SENT call",
		"0 b1t segment_out S seq 0 ack 0 len 0 wnd 65535 mss 1460 wscale 9 SYN-SENT new",
		"InSegs 2",
		"OutSegs 5",
		"ActiveOpens 1",
		"TW 1",
		"TWRecycled 1",
	};
	struct parley_open open = {.size = sizeof open};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	peer_open_passive(&p);
	open.local = (struct parley_endpoint){p.tuple.local, p.tuple.local_port};
	open.remote = (struct parley_endpoint){p.tuple.remote, p.tuple.remote_port};
	assert_int_equal(user_open_active(&p.tcp, p.conn, &open, 1), 0);
	peer_step(&p);
	recv(&p, "S.", 0, 1, 0);
	shut(&p, PARLEY_SHUT_WR);
	recv(&p, "F.", 1, 2, 0);
	p.iss = seq_add(p.iss, 2 + 65537);
	peer_connect(&p);
	account_is(&account, told);
	account_end(&p);
}

/* A SYN refused, one dropped, one that waits longer and is taken, one that nobody decides on. */
static void test_decisions(void **unused)
{
	static const char *const told[] = {
		"0 a0l state CLOSED LISTEN call",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 b1t call decide size 1 result 0",
		"0 b1t drop syn-refused S seq 0 ack 0 len 0",
		"0 -1t segment_out R. seq absolute 0 ack 1 len 0 wnd 0 CLOSED reset",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 c1t call decide size 2 result 0",
		"0 c1t drop syn-unwanted S seq 0 ack 0 len 0",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 d1t call decide size 3 result 0",
		"0 d1t call decide size 0 result 0",
		"0 d1t state LISTEN SYN-RECEIVED segment",
		"0 d1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"0 d1t segment_in R seq 1 ack 0 len 0 wnd 50000 SYN-RECEIVED",
		"0 d1t state SYN-RECEIVED LISTEN reset",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 e1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 e1t drop syn-held S seq 0 ack 0 len 0",
		"30000 e1t timer decide count 1 rto 0",
		"30000 e1t drop syn-undecided S seq 0 ack 0 len 0",
		"InSegs 6",
		"PassiveOpens 1",
		"AttemptFails 1",
		"ListenDrops 2",
		"dropped syn-held 1",
		"dropped syn-refused 1",
		"dropped syn-unwanted 1",
		"dropped syn-undecided 1",
	};
	const enum parley_decision decisions[] = {PARLEY_DECIDE_REFUSE, PARLEY_DECIDE_DROP,
						  PARLEY_DECIDE_LATER};
	struct parley_open open = {
		.size = sizeof open,
		.backlog = 8,
		.flags = PARLEY_OPEN_DECIDE,
	};
	struct parley_syn syn = {.size = sizeof syn};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	open.local = (struct parley_endpoint){p.tuple.local, p.tuple.local_port};
	assert_int_equal(user_listen(&p.tcp, &open, &p.listener), 0);
	for (int i = 0; i < 3; i++) {
		recv(&p, "S", 0, 0, 0);
		assert_int_equal(held_next(&p.tcp, p.listener, &syn), 0);
		assert_int_equal(held_decide(&p.tcp, syn.conn, decisions[i]), 0);
		peer_step(&p);
	}
	assert_int_equal(held_decide(&p.tcp, syn.conn, PARLEY_DECIDE_ACCEPT), 0);
	peer_step(&p);
	recv(&p, "R", 1, 0, 0);
	recv(&p, "S", 0, 0, 0);
	recv(&p, "S", 0, 0, 0);
	peer_wait(&p, SEC(30));
	account_is(&account, told);
	account_end(&p);
}

/* ABORT of a connection, and what was queued at a listener when that is closed. */
static void test_aborts(void **unused)
{
	static const char *const told[] = {
		"0 a1t call abort size 0 result 0",
		"0 a1t state ESTABLISHED CLOSED abort",
		"0 a1t error ECONNABORTED",
		"0 a1t segment_out R. seq 1 ack 1 len 0 wnd 0 ESTABLISHED reset",
		"0 a1t call release size 0 result 0",
		"0 b0l state CLOSED LISTEN call",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 c1t state LISTEN SYN-RECEIVED segment",
		"0 c1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"0 c1t segment_in . seq 1 ack 1 len 0 wnd 50000 SYN-RECEIVED",
		"0 c1t state SYN-RECEIVED ESTABLISHED segment",
		"0 c1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 c1t state ESTABLISHED CLOSED abort",
		"0 c1t error ECONNABORTED",
		"0 b0l state LISTEN CLOSED call",
		"0 c1t segment_out R. seq 1 ack 1 len 0 wnd 0 ESTABLISHED reset",
		"InSegs 2",
		"PassiveOpens 1",
		"EstabResets 2",
		"CurrEstab -1",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	assert_int_equal(user_abort(&p.tcp, p.conn), 0);
	peer_step(&p);
	account_release(&p);
	peer_listen(&p, 8);
	recv(&p, "S", 0, 0, 0);
	recv(&p, ".", 1, 1, 0);
	assert_int_equal(user_close(&p.tcp, p.listener), 0);
	peer_step(&p);
	account_is(&account, told);
	account_end(&p);
}

/* From the peer: of an attempt, of a connection, after its FIN. */
static void test_resets(void **unused)
{
	static const char *const told[] = {
		"0 a1t call connect size 0 result 0",
		"0 a1t state CLOSED SYN-SENT call",
		"0 a1t segment_out S seq 0 ack 0 len 0 wnd 65535 mss 1460 wscale 9 SYN-SENT new",
		"0 a1t segment_in R. seq 0 ack 1 len 0 wnd 50000 SYN-SENT",
		"0 a1t state SYN-SENT CLOSED reset",
		"0 a1t error ECONNREFUSED",
		"0 a1t call release size 0 result 0",
		"0 b0l state CLOSED LISTEN call",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 c1t state LISTEN SYN-RECEIVED segment",
		"0 c1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"0 c1t segment_in . seq 1 ack 1 len 0 wnd 50000 SYN-RECEIVED",
		"0 c1t state SYN-RECEIVED ESTABLISHED segment",
		"0 c1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 c1t call accept size 0 result 0",
		"0 c1t segment_in R seq 1 ack 0 len 0 wnd 50000 ESTABLISHED",
		"0 c1t state ESTABLISHED CLOSED reset",
		"0 c1t error ECONNRESET",
		"0 c1t call release size 0 result 0",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 d1t state LISTEN SYN-RECEIVED segment",
		"0 d1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"0 d1t segment_in . seq 1 ack 1 len 0 wnd 50000 SYN-RECEIVED",
		"0 d1t state SYN-RECEIVED ESTABLISHED segment",
		"0 d1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 d1t call accept size 0 result 0",
		"0 d1t segment_in F. seq 1 ack 1 len 0 wnd 50000 ESTABLISHED",
		"0 d1t state ESTABLISHED CLOSE-WAIT segment",
		"0 d1t segment_out . seq 1 ack 2 len 0 wnd 65535 CLOSE-WAIT ack",
		"0 d1t segment_in R seq 2 ack 0 len 0 wnd 50000 CLOSE-WAIT",
		"0 d1t state CLOSE-WAIT CLOSED reset",
		"0 d1t error EPIPE",
		"0 d1t call release size 0 result 0",
		"InSegs 8",
		"OutSegs 2",
		"ActiveOpens 1",
		"PassiveOpens 2",
		"AttemptFails 1",
		"EstabResets 2",
	};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	peer_connect(&p);
	recv(&p, "R.", 0, 1, 0);
	account_release(&p);
	peer_forget(&p);
	peer_reach(&p, PEER_LISTENER, PARLEY_ESTABLISHED);
	recv(&p, "R", 1, 0, 0);
	account_release(&p);
	peer_forget(&p);
	peer_reach(&p, PEER_LISTENER, PARLEY_CLOSE_WAIT);
	recv(&p, "R", 2, 0, 0);
	account_release(&p);
	account_is(&account, told);
	account_end(&p);
}

/* Calls that move text, and those that are refused. */
static void test_calls(void **unused)
{
	static const char *const told[] = {
		"0 a1t call connect size 0 result 0",
		"0 a1t state CLOSED SYN-SENT call",
		"0 a1t segment_out S seq 0 ack 0 len 0 wnd 65535 mss 1460 wscale 9 SYN-SENT new",
		"0 a1t call shutdown size 2 result -107",
		"0 a1t segment_in S. seq 0 ack 1 len 0 wnd 50000 mss 1000 SYN-SENT",
		"0 a1t state SYN-SENT ESTABLISHED segment",
		"0 a1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 a1t segment_out . seq 1 ack 1 len 0 wnd 65535 ESTABLISHED ack",
		"0 a1t call send size 300 result 250",
		"0 a1t call send size 300 result -11",
		"0 a1t segment_out P. seq 1 ack 1 len 250 wnd 65535 ESTABLISHED new",
		"0 a1t segment_in . seq 1 ack 251 len 50 wnd 50000 ESTABLISHED",
		"0 a1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 a1t call send size 30 result 30",
		"0 a1t segment_out P.U seq 251 ack 51 len 30 wnd 65485 up 30 ESTABLISHED new",
		"0 a1t call receive size 20 result 20",
		"0 a1t call receive size 30 result 30",
		"0 a1t call shutdown size 1 result 0",
		"0 a1t call shutdown size 3 result 0",
		"0 a1t state ESTABLISHED FIN-WAIT-1 call",
		"0 a1t segment_out F. seq 281 ack 51 len 0 wnd 65485 FIN-WAIT-1 new",
		"InSegs 2",
		"OutSegs 5",
		"ActiveOpens 1",
	};
	uint8_t bytes[300] = {0};
	struct parley_span spans[] = {{bytes, 200}, {bytes, 100}};
	struct parley_buffer buffer;
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	p.plain = true;
	peer_connect(&p);
	assert_int_equal(user_shutdown(&p.tcp, p.conn, PARLEY_SHUT_WR), -PARLEY_ENOTCONN);
	recv(&p, "S.", 0, 1, 0);
	peer_set(&p, PARLEY_SET_SEND_BUFFER, 250);
	assert_int_equal(user_send(&p.tcp, p.conn, spans, 2, 0), 250);
	assert_int_equal(user_send(&p.tcp, p.conn, spans, 2, 0), -PARLEY_EAGAIN);
	peer_step(&p);
	recv(&p, ".", 1, 251, 50);
	assert_int_equal(user_reserve(&p.tcp, p.conn, 40, &buffer, 1), 1);
	memset(buffer.data, 0, buffer.len);
	assert_int_equal(user_commit(&p.tcp, p.conn, 30, PARLEY_SEND_URGENT), 30);
	peer_step(&p);
	assert_int_equal(user_consume(&p.tcp, p.conn, 20), 0);
	assert_int_equal(user_receive(&p.tcp, p.conn, bytes, sizeof bytes), 30);
	shut(&p, PARLEY_SHUT_RD);
	shut(&p, PARLEY_SHUT_RD | PARLEY_SHUT_WR);
	account_is(&account, told);
	account_end(&p);
}

/* Behind a gap, the same again, and the gap filled. */
static void test_out_of_order(void **unused)
{
	static const char *const told[] = {
		"0 a1t segment_in . seq 101 ack 1 len 100 wnd 50000 ESTABLISHED",
		"0 a1t segment_out . seq 1 ack 1 len 0 wnd 65535 ESTABLISHED duplicate",
		"0 a1t segment_in . seq 101 ack 1 len 100 wnd 50000 ESTABLISHED",
		"0 a1t drop duplicate-text . seq 101 ack 1 len 100",
		"0 a1t segment_out . seq 1 ack 1 len 0 wnd 65535 ESTABLISHED duplicate",
		"0 a1t segment_in . seq 1 ack 1 len 100 wnd 50000 ESTABLISHED",
		"0 a1t segment_out . seq 1 ack 201 len 0 wnd 65335 ESTABLISHED ack",
		"0 a1t segment_in . seq 1 ack 1 len 100 wnd 50000 ESTABLISHED",
		"0 a1t drop out-of-window . seq 1 ack 1 len 100",
		"0 a1t segment_out . seq 1 ack 201 len 0 wnd 65335 ESTABLISHED ack",
		"0 a1t call receive size 200 result 200",
		"InSegs 4",
		"OutSegs 4",
		"TCPOFOQueue 1",
		"dropped out-of-window 1",
		"dropped duplicate-text 1",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	recv(&p, ".", 101, 1, 100);
	recv(&p, ".", 101, 1, 100);
	recv(&p, ".", 1, 1, 100);
	recv(&p, ".", 1, 1, 100);
	user_receives(&p, 200);
	account_is(&account, told);
	account_end(&p);
}

/* A user who reads fast gets a larger buffer. */
static void test_buffer_grows(void **unused)
{
	static const char *const told[] = {
		"0 a1t buffer size 262144 consumed 60000 rtt 0.000001",
		"0 a1t call receive size 60000 result 60000",
		"0 a1t segment_out . seq 1 ack 60001 len 0 wnd 512 ESTABLISHED window",
		"OutSegs 1",
	};
	struct peer p;

	(void)unused;
	peer_init(&p);
	p.wscale = 0;
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_wait(&p, MS(1));
	for (uint32_t i = 0; i < 60; i++)
		recv(&p, ".", 1 + 1000 * i, 1, 1000);
	account_begin(&account, &p);
	user_receives(&p, 60000);
	account_is(&account, told);
	account_end(&p);
}

/* A soft error, one that is not about what is under way, and a smaller path MTU. */
static void test_icmp(void **unused)
{
	static const char *const told[] = {
		"0 a1t call send size 1000 result 1000",
		"0 a1t segment_out P. seq 1 ack 1 len 1000 wnd 65535 ESTABLISHED new",
		"0 a1t icmp type 3 code 1 mtu 0 seq 1 EHOSTUNREACH",
		"0 a1t icmp type 3 code 4 mtu 840 seq 1 OK",
		"0 a1t segment_out . seq 1 ack 1 len 800 wnd 65535 ESTABLISHED path-mtu",
		"0 a1t segment_out P. seq 801 ack 1 len 200 wnd 65535 ESTABLISHED path-mtu",
		"OutSegs 1",
		"RetransSegs 2",
		"IcmpInErrs 2",
		"OutOfWindowIcmps 1",
		"PathMtuLowered 1",
	};
	struct icmp_error error;
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 1000);
	error = (struct icmp_error){
		.tuple = p.tuple,
		.ifindex = 1,
		.kind = ICMP_KIND_HOST_UNREACHABLE,
		.type = 3,
		.code = 1,
		.seq = seq_add(p.iss, 1),
	};
	assert_true(tcp_icmp(&p.tcp, &error));
	error.seq = seq_add(p.iss, 1001);
	assert_true(tcp_icmp(&p.tcp, &error));
	error.seq = seq_add(p.iss, 1);
	error.kind = ICMP_KIND_TOO_BIG;
	error.code = 4;
	error.mtu = 840;
	error.packet_len = 1040;
	assert_true(tcp_icmp(&p.tcp, &error));
	peer_step(&p);
	account_is(&account, told);
	account_end(&p);
}

/* A hard error for a SYN,ACK. */
static void test_icmp_to_a_half_open_one(void **unused)
{
	static const char *const told[] = {
		"0 a1t icmp type 3 code 3 mtu 0 seq 0 ECONNREFUSED",
		"0 a1t state SYN-RECEIVED LISTEN icmp",
		"AttemptFails 1",
		"IcmpInErrs 1",
	};
	struct icmp_error error;
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
	error = (struct icmp_error){
		.tuple = p.tuple,
		.ifindex = 1,
		.kind = ICMP_KIND_PORT_UNREACHABLE,
		.type = 3,
		.code = 3,
		.seq = p.iss,
	};
	assert_true(tcp_icmp(&p.tcp, &error));
	peer_step(&p);
	account_is(&account, told);
	account_end(&p);
}

/* The next hop does not answer: it ends an attempt, and costs a connection a segment. */
static void test_unreachable(void **unused)
{
	static const char *const told[] = {
		"0 a1t call connect size 0 result 0",
		"0 a1t state CLOSED SYN-SENT call",
		"0 a1t segment_out S seq 0 ack 0 len 0 wnd 65535 mss 1460 wscale 9 SYN-SENT new",
		"0 a1t state SYN-SENT CLOSED timeout",
		"0 a1t error EHOSTUNREACH",
		"0 a1t call release size 0 result 0",
		"0 b0l state CLOSED LISTEN call",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 c1t state LISTEN SYN-RECEIVED segment",
		"0 c1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"0 c1t segment_in . seq 1 ack 1 len 0 wnd 50000 SYN-RECEIVED",
		"0 c1t state SYN-RECEIVED ESTABLISHED segment",
		"0 c1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 c1t call accept size 0 result 0",
		"0 c1t call send size 3 result 3",
		"200 c1t timer retransmit count 1 rto 200",
		"200 c1t cwnd timeout cwnd 1000 ssthresh 2000 flight 3",
		"200 c1t segment_out P. seq 1 ack 1 len 3 wnd 65535 ESTABLISHED rto",
		"InSegs 2",
		"OutSegs 1",
		"RetransSegs 1",
		"ActiveOpens 1",
		"PassiveOpens 1",
		"AttemptFails 1",
		"CurrEstab 1",
		"TCPTimeouts 1",
		"dropped neighbour-failed 1",
	};
	uint8_t text[] = {1, 2, 3};
	struct parley_span span = {text, sizeof text};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	peer_connect(&p);
	tcp_unreachable(&p.tcp, peer_tcb(&p));
	account_release(&p);
	peer_forget(&p);
	peer_reach(&p, PEER_LISTENER, PARLEY_ESTABLISHED);
	p.plain = true;
	assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), 3);
	tcp_unreachable(&p.tcp, peer_tcb(&p));
	peer_wait(&p, MS(300));
	account_is(&account, told);
	account_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_active_life),
		cmocka_unit_test(test_passive_life),
		cmocka_unit_test(test_passive_open_closes_last),
		cmocka_unit_test(test_simultaneous_life),
		cmocka_unit_test(test_listen_then_connect),
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_aborts),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_buffer_grows),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_icmp_to_a_half_open_one),
		cmocka_unit_test(test_unreachable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
