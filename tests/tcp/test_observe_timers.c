/* SPDX-License-Identifier: MIT */
/*
 * What a TCP tells of losses, timers and want of room: the trace field by field, and what was
 * counted meanwhile. The expectations were read line by line beside the RFCs and docs/trace.md;
 * whatever changes one of them changes what users of the trace see.
 */
#include "account.h"

#include "tcp/secret.h"

static struct account account;

/* The SYN goes twice, then the user learns of it. */
static void test_syn_without_answer(void **unused)
{
	static const char *const told[] = {
		"0 a1t call connect size 0 result 0",
		"0 a1t state CLOSED SYN-SENT call",
		"0 a1t segment_out S seq 0 ack 0 len 0 wnd 65535 mss 1460 wscale 9 SYN-SENT new",
		"1000 a1t timer retransmit count 1 rto 1000",
		"1000 a1t segment_out S seq 0 ack 0 len 0 wnd 65535 mss 1460 wscale 9 SYN-SENT rto",
		"3000 a1t timer retransmit count 2 rto 2000",
		"3000 a1t state SYN-SENT CLOSED timeout",
		"3000 a1t error ETIMEDOUT",
		"3000 a1t call release size 0 result 0",
		"OutSegs 1",
		"RetransSegs 1",
		"ActiveOpens 1",
		"AttemptFails 1",
		"TCPTimeouts 2",
		"TCPAbortOnTimeout 1",
	};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	peer_set(&p, PARLEY_SET_SYN_RETRIES, 1);
	peer_connect(&p);
	peer_wait(&p, SEC(3));
	account_release(&p);
	account_is(&account, told);
	account_end(&p);
}

static void test_syn_ack_without_answer(void **unused)
{
	static const char *const told[] = {
		"0 a0l state CLOSED LISTEN call",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 b1t state LISTEN SYN-RECEIVED segment",
		"0 b1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"1000 b1t timer retransmit count 1 rto 1000",
		"1000 b1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED rto",
		"3000 b1t timer retransmit count 2 rto 2000",
		"3000 b1t state SYN-RECEIVED LISTEN timeout",
		"InSegs 1",
		"PassiveOpens 1",
		"AttemptFails 1",
		"TCPTimeouts 2",
	};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	peer_set(&p, PARLEY_SET_SYNACK_RETRIES, 1);
	peer_listen(&p, 8);
	recv(&p, "S", 0, 0, 0);
	peer_wait(&p, SEC(3));
	account_is(&account, told);
	account_end(&p);
}

/* Two of six segments are lost: recovery, a partial ACK, the end. */
static void test_fast_recovery(void **unused)
{
	static const char *const told[] = {
		"0 a1t call send size 6000 result 6000",
		"0 a1t segment_out . seq 1 ack 1 len 1000 wnd 65535 ESTABLISHED new",
		"0 a1t segment_out . seq 1001 ack 1 len 1000 wnd 65535 ESTABLISHED new",
		"0 a1t segment_out . seq 2001 ack 1 len 1000 wnd 65535 ESTABLISHED new",
		"0 a1t segment_out . seq 3001 ack 1 len 1000 wnd 65535 ESTABLISHED new",
		"0 a1t segment_out . seq 4001 ack 1 len 1000 wnd 65535 ESTABLISHED new",
		"0 a1t segment_out P. seq 5001 ack 1 len 1000 wnd 65535 ESTABLISHED new",
		"10 a1t segment_in . seq 1 ack 1 len 0 wnd 50000 ESTABLISHED",
		"10 a1t segment_in . seq 1 ack 1 len 0 wnd 50000 ESTABLISHED",
		"10 a1t segment_in . seq 1 ack 1 len 0 wnd 50000 ESTABLISHED",
		"10 a1t cwnd recovery cwnd 3000 ssthresh 3000 flight 6000",
		"10 a1t segment_out . seq 1 ack 1 len 1000 wnd 65535 ESTABLISHED fast",
		"20 a1t segment_in . seq 1 ack 3001 len 0 wnd 50000 ESTABLISHED",
		"20 a1t segment_out . seq 3001 ack 1 len 1000 wnd 65535 ESTABLISHED partial",
		"30 a1t segment_in . seq 1 ack 6001 len 0 wnd 50000 ESTABLISHED",
		"30 a1t cwnd recovered cwnd 2000 ssthresh 3000 flight 0",
		"InSegs 5",
		"OutSegs 6",
		"RetransSegs 2",
		"TCPFastRetrans 1",
		"TCPRenoRecovery 1",
		"TCPDupAcksIn 3",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 6000);
	peer_wait(&p, MS(10));
	for (int i = 0; i < 3; i++)
		recv(&p, ".", 1, 1, 0);
	peer_wait(&p, MS(10));
	recv(&p, ".", 1, 3001, 0);
	peer_wait(&p, MS(10));
	recv(&p, ".", 1, 6001, 0);
	account_is(&account, told);
	account_end(&p);
}

/* The timer twice, then the answer; at last R2. */
static void test_timeouts(void **unused)
{
	static const char *const told[] = {
		"0 a1t call send size 3000 result 3000",
		"0 a1t segment_out . seq 1 ack 1 len 1000 wnd 65535 ESTABLISHED new",
		"0 a1t segment_out . seq 1001 ack 1 len 1000 wnd 65535 ESTABLISHED new",
		"0 a1t segment_out P. seq 2001 ack 1 len 1000 wnd 65535 ESTABLISHED new",
		"200 a1t timer retransmit count 1 rto 200",
		"200 a1t cwnd timeout cwnd 1000 ssthresh 2000 flight 3000",
		"200 a1t segment_out . seq 1 ack 1 len 1000 wnd 65535 ESTABLISHED rto",
		"600 a1t timer retransmit count 2 rto 400",
		"600 a1t cwnd timeout cwnd 1000 ssthresh 2000 flight 3000",
		"600 a1t segment_out . seq 1 ack 1 len 1000 wnd 65535 ESTABLISHED rto",
		"700 a1t segment_in . seq 1 ack 3001 len 0 wnd 50000 ESTABLISHED",
		"700 a1t call send size 10 result 10",
		"700 a1t segment_out P. seq 3001 ack 1 len 10 wnd 65535 ESTABLISHED new",
		"1500 a1t timer retransmit count 1 rto 800",
		"1500 a1t cwnd timeout cwnd 1000 ssthresh 2000 flight 10",
		"1500 a1t segment_out P. seq 3001 ack 1 len 10 wnd 65535 ESTABLISHED rto",
		"1700 a1t timer retransmit count 2 rto 1600",
		"1700 a1t state ESTABLISHED CLOSED timeout",
		"1700 a1t error ETIMEDOUT",
		"5700 a1t call release size 0 result 0",
		"InSegs 1",
		"OutSegs 4",
		"RetransSegs 3",
		"EstabResets 1",
		"CurrEstab -1",
		"TCPTimeouts 4",
		"TCPAbortOnTimeout 1",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_set(&p, PARLEY_SET_R2, (int64_t)SEC(1));
	user_sends(&p, 3000);
	peer_wait(&p, MS(700));
	recv(&p, ".", 1, 3001, 0);
	user_sends(&p, 10);
	peer_wait(&p, SEC(5));
	account_release(&p);
	account_is(&account, told);
	account_end(&p);
}

/* A window that stays shut over two probes, and opens. */
static void test_persist(void **unused)
{
	static const char *const told[] = {
		"0 a1t segment_in . seq 1 ack 1 len 0 wnd 0 ESTABLISHED",
		"0 a1t call send size 100 result 100",
		"200 a1t timer persist count 1 rto 200",
		"200 a1t segment_out . seq 1 ack 1 len 1 wnd 65535 ESTABLISHED probe",
		"200 a1t segment_in . seq 1 ack 1 len 0 wnd 0 ESTABLISHED",
		"600 a1t timer persist count 2 rto 200",
		"600 a1t segment_out . seq 1 ack 1 len 1 wnd 65535 ESTABLISHED probe",
		"600 a1t segment_in . seq 1 ack 1 len 0 wnd 50000 ESTABLISHED",
		"600 a1t segment_out . seq 1 ack 1 len 1 wnd 65535 ESTABLISHED probe",
		"InSegs 3",
		"OutSegs 3",
		"TCPWinProbe 2",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	p.wnd = 0;
	recv(&p, ".", 1, 1, 0);
	user_sends(&p, 100);
	peer_wait(&p, MS(200));
	recv(&p, ".", 1, 1, 0);
	peer_wait(&p, MS(400));
	p.wnd = 50000;
	recv(&p, ".", 1, 1, 0);
	account_is(&account, told);
	account_end(&p);
}

/* The silly-window rule holds text back until its timer fires. */
static void test_override(void **unused)
{
	static const char *const told[] = {
		"0 a1t segment_in . seq 1 ack 1 len 0 wnd 300 ESTABLISHED",
		"0 a1t call send size 900 result 900",
		"200 a1t timer override count 1 rto 200",
		"200 a1t segment_out . seq 1 ack 1 len 300 wnd 65535 ESTABLISHED new",
		"400 a1t timer retransmit count 1 rto 200",
		"400 a1t cwnd timeout cwnd 1000 ssthresh 2000 flight 300",
		"400 a1t segment_out . seq 1 ack 1 len 300 wnd 65535 ESTABLISHED rto",
		"800 a1t timer retransmit count 2 rto 400",
		"800 a1t cwnd timeout cwnd 1000 ssthresh 2000 flight 300",
		"800 a1t segment_out . seq 1 ack 1 len 300 wnd 65535 ESTABLISHED rto",
		"InSegs 1",
		"OutSegs 1",
		"RetransSegs 2",
		"TCPTimeouts 2",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	p.wnd = 300;
	recv(&p, ".", 1, 1, 0);
	user_sends(&p, 900);
	peer_wait(&p, SEC(1));
	account_is(&account, told);
	account_end(&p);
}

/* Two probes without an answer. */
static void test_keepalive(void **unused)
{
	static const char *const told[] = {
		"10000 a1t timer keepalive count 1 rto 200",
		"10000 a1t segment_out . seq 0 ack 1 len 0 wnd 65535 ESTABLISHED keepalive",
		"11000 a1t timer keepalive count 2 rto 200",
		"11000 a1t segment_out . seq 0 ack 1 len 0 wnd 65535 ESTABLISHED keepalive",
		"12000 a1t timer keepalive count 3 rto 200",
		"12000 a1t state ESTABLISHED CLOSED timeout",
		"12000 a1t error ETIMEDOUT",
		"12000 a1t segment_out R. seq 1 ack 1 len 0 wnd 0 ESTABLISHED reset",
		"20000 a1t call release size 0 result 0",
		"OutSegs 2",
		"EstabResets 1",
		"CurrEstab -1",
		"TCPKeepAlive 2",
		"TCPAbortOnTimeout 1",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	peer_set(&p, PARLEY_SET_KEEPALIVE_IDLE, (int64_t)SEC(10));
	peer_set(&p, PARLEY_SET_KEEPALIVE_INTERVAL, (int64_t)SEC(1));
	peer_set(&p, PARLEY_SET_KEEPALIVE_COUNT, 2);
	peer_set(&p, PARLEY_SET_KEEPALIVE, 1);
	peer_wait(&p, SEC(20));
	account_release(&p);
	account_is(&account, told);
	account_end(&p);
}

/* Nobody holds it any more, and the peer does not close. */
static void test_fin_wait_2(void **unused)
{
	static const char *const told[] = {
		"0 a1t call release size 0 result 0",
		"0 a1t state ESTABLISHED FIN-WAIT-1 call",
		"0 a1t segment_out F. seq 1 ack 1 len 0 wnd 65535 FIN-WAIT-1 new",
		"0 a1t segment_in . seq 1 ack 2 len 0 wnd 50000 FIN-WAIT-1",
		"0 a1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 a1t state FIN-WAIT-1 FIN-WAIT-2 segment",
		"60000 a1t timer fin-wait-2 count 1 rto 200",
		"60000 a1t state FIN-WAIT-2 CLOSED timeout",
		"InSegs 1",
		"OutSegs 1",
		"CurrEstab -1",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	account_release(&p);
	recv(&p, ".", 1, 2, 0);
	peer_wait(&p, SEC(60));
	account_is(&account, told);
	account_end(&p);
}

/* Let go of in TIME-WAIT; the FIN comes again half-way. */
static void test_time_wait_of_a_remnant(void **unused)
{
	static const char *const told[] = {
		"0 a1t call release size 0 result 0",
		"30000 a1t segment_in F. seq 1 ack 2 len 0 wnd 50000 TIME-WAIT",
		"30000 a1t drop out-of-window F. seq 1 ack 2 len 0",
		"30000 a1t segment_out . seq 2 ack 2 len 0 wnd 65535 TIME-WAIT ack",
		"90000.66816 a1t timer time-wait count 1 rto 0",
		"90000.66816 a1t state TIME-WAIT CLOSED timeout",
		"InSegs 1",
		"dropped out-of-window 1",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_TIME_WAIT);
	account_release(&p);
	peer_wait(&p, SEC(30));
	recv(&p, "F.", 1, 2, 0);
	peer_wait(&p, SEC(61));
	account_is(&account, told);
	account_end(&p);
}

/* A listener is there for it. */
static void test_time_wait_ends_for_a_syn(void **unused)
{
	static const char *const told[] = {
		"0 a0l state CLOSED LISTEN call",
		"0 b1t segment_in S seq 100 ack 0 len 0 wnd 50000 mss 1000 TIME-WAIT",
		"0 b1t state TIME-WAIT CLOSED segment",
		"0 c1t state LISTEN SYN-RECEIVED segment",
		"0 c1t segment_out S. seq 65539 ack 101 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"InSegs 1",
		"PassiveOpens 1",
		"TWRecycled 1",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_TIME_WAIT);
	peer_listen(&p, 8);
	recv(&p, "S", 100, 0, 0);
	account_is(&account, told);
	account_end(&p);
}

static void test_time_wait_limit(void **unused)
{
	static const char *const told[] = {
		"0 a1t call release size 0 result 0",
		"0 a1t state TIME-WAIT CLOSED abort",
		"TCPTimeWaitOverflow 1",
	};
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_TIME_WAIT_LIMIT, 0);
	peer_reach(&p, PEER_ACTIVE, PARLEY_TIME_WAIT);
	account_begin(&account, &p);
	account_release(&p);
	account_is(&account, told);
	account_end(&p);
}

/* No memory for text: the timer brings the user another try. */
static void test_memory(void **unused)
{
	static const char *const told[] = {
		"0 a1t call send size 1 result -11",
		"200 a1t timer memory count 1 rto 200",
	};
	uint8_t byte = 0;
	struct parley_span span = {&byte, 1};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	memory_fail_at(&p.memory, 1);
	assert_int_equal(user_send(&p.tcp, p.conn, &span, 1, 0), -PARLEY_EAGAIN);
	peer_wait(&p, SEC(1));
	account_is(&account, told);
	account_end(&p);
}

/* Text for a connection that nobody holds any more; its segment acknowledges our FIN, too. */
static void test_text_after_close(void **unused)
{
	static const char *const told[] = {
		"0 a1t call release size 0 result 0",
		"0 a1t state ESTABLISHED FIN-WAIT-1 call",
		"0 a1t segment_out F. seq 1 ack 1 len 0 wnd 65535 FIN-WAIT-1 new",
		"0 a1t segment_in P. seq 1 ack 2 len 10 wnd 50000 FIN-WAIT-1",
		"0 a1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 a1t state FIN-WAIT-1 FIN-WAIT-2 segment",
		"0 a1t drop text-after-close P. seq 1 ack 2 len 10",
		"0 a1t state FIN-WAIT-2 CLOSED abort",
		"0 a1t error ECONNRESET",
		"0 -1t segment_out R seq 2 ack 0 len 0 wnd 0 CLOSED reset",
		"InSegs 1",
		"OutSegs 1",
		"CurrEstab -1",
		"TCPAbortOnData 1",
		"dropped text-after-close 1",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	account_release(&p);
	recv(&p, "P.", 1, 2, 10);
	account_is(&account, told);
	account_end(&p);
}

/* A RST ring that is full, a TCB that finds no memory: nothing is told to the peer. */
static void test_no_room(void **unused)
{
	static const char *const told[] = {
		"0 -1t segment_in . seq 1 ack 1 len 0 wnd 50000 CLOSED",
		"0 -1t drop no-connection . seq 1 ack 1 len 0",
		"0 a0l state CLOSED LISTEN call",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 -1t drop memory S seq 0 ack 0 len 0",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 b1t state LISTEN SYN-RECEIVED segment",
		"0 b1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"0 b1t segment_in . seq 1 ack 1 len 0 wnd 50000 SYN-RECEIVED",
		"0 b1t drop memory . seq 1 ack 1 len 0",
		"InSegs 4",
		"PassiveOpens 1",
		"ListenDrops 1",
		"dropped no-connection 1",
		"dropped reply-ring-full 1",
		"dropped memory 2",
	};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	tcp_detach(&p.tcp, 1);
	recv(&p, ".", 1, 1, 0);
	tcp_attach(&p.tcp, 1, &p.egress);
	peer_listen(&p, 8);
	memory_fail_at(&p.memory, 1);
	recv(&p, "S", 0, 0, 0);
	memory_fail_at(&p.memory, 0);
	recv(&p, "S", 0, 0, 0);
	memory_fail_at(&p.memory, 1);
	recv(&p, ".", 1, 1, 0);
	account_is(&account, told);
	account_end(&p);
}

/* What an interface takes with it when it goes: a half-open connection, and one in TIME-WAIT. */
static void test_interface_gone(void **unused)
{
	static const char *const told_half_open[] = {
		"0 a1t state SYN-RECEIVED CLOSED abort",
		"AttemptFails 1",
	};
	static const char *const told_remnant[] = {
		"0 a1t call release size 0 result 0",
		"0 a1t state TIME-WAIT CLOSED abort",
	};
	struct peer p;

	(void)unused;
	account_open_in(&account, &p, PEER_LISTENER, PARLEY_SYN_RECEIVED);
	tcp_detach(&p.tcp, 1);
	account_is(&account, told_half_open);
	account_end(&p);
	account_open_in(&account, &p, PEER_ACTIVE, PARLEY_TIME_WAIT);
	account_release(&p);
	tcp_detach(&p.tcp, 1);
	account_is(&account, told_remnant);
	account_end(&p);
}

/* Both queues of a listener full: SYNs are dropped, and so is a last ACK. */
static void test_full_queues(void **unused)
{
	static const char *const told[] = {
		"0 a0l state CLOSED LISTEN call",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 b1t state LISTEN SYN-RECEIVED segment",
		"0 b1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 c1t state LISTEN SYN-RECEIVED segment",
		"0 c1t segment_out S. seq 0 ack 1 len 0 wnd 65535 mss 1460 SYN-RECEIVED new",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 -1t drop syn-queue-full S seq 0 ack 0 len 0",
		"0 b1t segment_in . seq 1 ack 1 len 0 wnd 50000 SYN-RECEIVED",
		"0 b1t state SYN-RECEIVED ESTABLISHED segment",
		"0 b1t rtt sample 0.000001 srtt 0.000001 rttvar 0 rto 200",
		"0 c1t segment_in . seq 1 ack 1 len 0 wnd 50000 SYN-RECEIVED",
		"0 c1t drop accept-queue-full . seq 1 ack 1 len 0",
		"0 -1t segment_in S seq 0 ack 0 len 0 wnd 50000 mss 1000 LISTEN",
		"0 -1t drop accept-queue-full S seq 0 ack 0 len 0",
		"InSegs 6",
		"PassiveOpens 2",
		"CurrEstab 1",
		"ListenOverflows 2",
		"ListenDrops 3",
		"TCPReqQFullDrop 1",
		"dropped syn-queue-full 1",
		"dropped accept-queue-full 2",
	};
	struct peer p;

	(void)unused;
	account_open(&account, &p);
	peer_set(&p, PARLEY_SET_SYN_BACKLOG, 2);
	peer_listen(&p, 1);
	for (int i = 0; i < 3; i++) {
		p.tuple.remote_port = (uint16_t)(40000 + i);
		p.iss = secret_isn(&p.tcp, &p.tuple);
		recv(&p, "S", 0, 0, 0);
	}
	for (int i = 0; i < 2; i++) {
		p.tuple.remote_port = (uint16_t)(40000 + i);
		p.iss = secret_isn(&p.tcp, &p.tuple);
		recv(&p, ".", 1, 1, 0);
	}
	p.tuple.remote_port = 40002;
	recv(&p, "S", 0, 0, 0);
	account_is(&account, told);
	account_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syn_without_answer),
		cmocka_unit_test(test_syn_ack_without_answer),
		cmocka_unit_test(test_fast_recovery),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_persist),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_fin_wait_2),
		cmocka_unit_test(test_time_wait_of_a_remnant),
		cmocka_unit_test(test_time_wait_ends_for_a_syn),
		cmocka_unit_test(test_time_wait_limit),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_text_after_close),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_interface_gone),
		cmocka_unit_test(test_full_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
