/* SPDX-License-Identifier: MIT */
/*
 * STATUS (RFC 9293 3.10.6) and tcp_info: every field of both, for each kind of entry and for
 * connections that have gone through something. Fields that are 0 are left out.
 */
#include "peer.h"

#include "tcp/held.h"
#include "tcp/icmp.h"
#include "tcp/status.h"
#include "wire/ip.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct field {
	const char *name;
	size_t at, size;
};

#define FIELD(type, f)                                                      \
	{                                                                   \
#f, offsetof(struct type, f), sizeof(((struct type *)0)->f) \
	}
#define STATUS(f) FIELD(parley_status, f)
#define INFO(f)	  FIELD(parley_tcp_info, f)

static const struct field status_fields[] = {
	STATUS(user),	     STATUS(entry),	   STATUS(state),   STATUS(ifindex),
	STATUS(iss),	     STATUS(snd_una),	   STATUS(snd_nxt), STATUS(snd_wnd),
	STATUS(snd_wl1),     STATUS(snd_wl2),	   STATUS(snd_up),  STATUS(irs),
	STATUS(rcv_nxt),     STATUS(rcv_wnd),	   STATUS(rcv_up),  STATUS(receive_queue),
	STATUS(send_queue),  STATUS(out_of_order), STATUS(timer),   STATUS(timer_due),
	STATUS(retransmits), STATUS(error),	   STATUS(owned),   {NULL, 0, 0},
};

static const struct field info_fields[] = {
	INFO(state),
	INFO(snd_wscale),
	INFO(rcv_wscale),
	INFO(has_wscale),
	INFO(has_timestamps),
	INFO(has_sack),
	INFO(retransmits),
	INFO(probes),
	INFO(backoff),
	INFO(rto),
	INFO(ato),
	INFO(rtt),
	INFO(rttvar),
	INFO(min_rtt),
	INFO(rcv_rtt),
	INFO(last_data_sent),
	INFO(last_ack_sent),
	INFO(last_data_recv),
	INFO(last_ack_recv),
	INFO(snd_mss),
	INFO(rcv_mss),
	INFO(advmss),
	INFO(pmtu),
	INFO(snd_cwnd),
	INFO(snd_ssthresh),
	INFO(snd_wnd),
	INFO(rcv_wnd),
	INFO(rcv_space),
	INFO(unacked),
	INFO(lost),
	INFO(retrans),
	INFO(sacked),
	INFO(total_retrans),
	INFO(segs_out),
	INFO(segs_in),
	INFO(data_segs_out),
	INFO(data_segs_in),
	INFO(bytes_sent),
	INFO(bytes_retrans),
	INFO(bytes_acked),
	INFO(bytes_received),
	INFO(notsent),
	INFO(send_queue),
	INFO(receive_queue),
	INFO(out_of_order),
	INFO(send_buffer),
	INFO(receive_buffer),
	INFO(recovery),
	{NULL, 0, 0},
};

static uint64_t value_of(const void *object, const struct field *field)
{
	const uint8_t *at = (const uint8_t *)object + field->at;
	uint64_t value = 0;

	/* As all targets that run tests are: the lowest byte first. */
	memcpy(&value, at, field->size);
	return value;
}

/* Into `out`; deadlines count from `now`. */
static void write_fields(char *out, size_t room, const void *object, const struct field *fields,
			 uint64_t now)
{
	size_t used = 0;

	out[0] = '\0';
	for (; fields->name; fields++) {
		uint64_t value = value_of(object, fields);

		if (!value)
			continue;
		if (!strcmp(fields->name, "state"))
			used += (size_t)snprintf(out + used, room - used, "state %s, ",
						 parley_state_name((int)value));
		else if (!strcmp(fields->name, "timer"))
			used += (size_t)snprintf(out + used, room - used, "timer %s, ",
						 parley_timer_name((int)value));
		else if (!strcmp(fields->name, "timer_due") && value != UINT64_MAX)
			used += (size_t)snprintf(out + used, room - used, "due in %" PRIu64 ", ",
						 value - now);
		else if (value == UINT64_MAX)
			used += (size_t)snprintf(out + used, room - used, "%s never, ",
						 fields->name);
		else
			used += (size_t)snprintf(out + used, room - used, "%s %" PRIu64 ", ",
						 fields->name, value);
		assert_true(used < room);
	}
	assert_true(used > 2);
	out[used - 2] = '\0'; /* the last comma */
}

/* The status of a handle, whose ends are the peer's four-tuple or, of what listens, one of them. */
static void status_is(struct peer *p, parley_conn conn, const char *expected)
{
	struct parley_status status = {.size = sizeof status};
	char text[1024];

	assert_int_equal(status_get(&p->tcp, conn, &status), 0);
	assert_int_equal(status.size, sizeof status);
	assert_true(status.conn == conn);
	assert_true(ip_equal(&status.local.addr, &p->tuple.local));
	assert_int_equal(status.local.port, p->tuple.local_port);
	if (status.entry == PARLEY_ENTRY_LISTENER) {
		assert_true(ip_is_unspecified(&status.remote.addr));
		assert_int_equal(status.remote.port, 0);
	} else {
		assert_true(ip_equal(&status.remote.addr, &p->tuple.remote));
		assert_int_equal(status.remote.port, p->tuple.remote_port);
	}
	write_fields(text, sizeof text, &status, status_fields, p->tcp.now);
	assert_string_equal(text, expected);
}

static void info_is(struct peer *p, const char *expected)
{
	struct parley_tcp_info info = {.size = sizeof info};
	char text[1024];

	assert_int_equal(status_info(&p->tcp, p->conn, &info), 0);
	assert_int_equal(info.size, sizeof info);
	write_fields(text, sizeof text, &info, info_fields, p->tcp.now);
	assert_string_equal(text, expected);
}

/* The SYN is under way, and bytes wait behind it. */
static void test_syn_sent(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	peer_connect(&p);
	user_sends(&p, 300);
	status_is(&p, p.conn,
		  "user 7, state SYN-SENT, ifindex 1, iss 1000, snd_una 1000, snd_nxt 1001, snd_up "
		  "1000, rcv_wnd 65535, send_queue 300, timer retransmit, due in 1000000000, owned "
		  "1");
	info_is(&p,
		"state SYN-SENT, rcv_wscale 9, rto 1000000000, ato 40000000, snd_mss 1460, rcv_mss "
		"536, advmss 1460, pmtu 1500, snd_ssthresh 4294967295, rcv_wnd 65535, rcv_space "
		"14600, segs_out 1, notsent 300, send_buffer 65536, receive_buffer 65536");
	peer_wait(&p, SEC(1));
	status_is(&p, p.conn,
		  "user 7, state SYN-SENT, ifindex 1, iss 1000, snd_una 1000, snd_nxt 1001, snd_up "
		  "1000, rcv_wnd 65535, send_queue 300, timer retransmit, due in 2000000000, "
		  "retransmits 1, owned 1");
	info_is(&p, "state SYN-SENT, rcv_wscale 9, retransmits 1, backoff 1, rto 2000000000, ato "
		    "40000000, last_data_sent 1000000000, last_data_recv 1000000000, snd_mss 1460, "
		    "rcv_mss 536, advmss 1460, pmtu 1500, snd_ssthresh 4294967295, rcv_wnd 65535, "
		    "rcv_space 14600, total_retrans 1, segs_out 2, notsent 300, send_buffer 65536, "
		    "receive_buffer 65536");
	peer_forget(&p);
	peer_done(&p);
}

/* Scaling, urgent data both ways, a gap, an ACK that is owed, a text that is acknowledged. */
static void test_established(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	p.wscale = 2;
	peer_connect(&p);
	peer_wait(&p, MS(10));
	recv(&p, "S.", 0, 1, 0);
	p.snd_shift = 2;
	user_sends(&p, 1000);
	peer_wait(&p, MS(20));
	recv(&p, ".", 1, 1001, 1200);
	peer_recv(&p, ".U", 2001, 1001, 500, &(struct extra){.up = 200});
	recv(&p, ".", 1201, 1001, 100);
	peer_wait(&p, MS(5));
	status_is(&p, p.conn,
		  "user 7, state ESTABLISHED, ifindex 1, iss 1000, snd_una 2001, snd_nxt 2001, "
		  "snd_wnd 50000, snd_wl1 4001, snd_wl2 2001, snd_up 2001, irs 2000, rcv_nxt 3301, "
		  "rcv_wnd 64512, rcv_up 4201, receive_queue 1300, out_of_order 500, timer_due "
		  "never, owned 1");
	info_is(&p,
		"state ESTABLISHED, snd_wscale 2, rcv_wscale 9, has_wscale 1, rto 200000000, ato "
		"40000000, rtt 11250000, rttvar 6250000, min_rtt 10000000, rcv_rtt 11250000, "
		"last_data_sent 25000000, last_data_recv 5000000, snd_mss 1000, rcv_mss 1200, "
		"advmss 1460, pmtu 1500, snd_cwnd 10000, snd_ssthresh 4294967295, snd_wnd 50000, "
		"rcv_wnd 64512, rcv_space 14600, segs_out 5, segs_in 4, data_segs_out 1, "
		"data_segs_in 3, bytes_sent 1000, bytes_acked 1000, bytes_received 1300, "
		"receive_queue 1300, out_of_order 500, send_buffer 65536, receive_buffer 65536");
	recv(&p, ".", 1301, 1001, 10);
	status_is(&p, p.conn,
		  "user 7, state ESTABLISHED, ifindex 1, iss 1000, snd_una 2001, snd_nxt 2001, "
		  "snd_wnd 50000, snd_wl1 4001, snd_wl2 2001, snd_up 2001, irs 2000, rcv_nxt 3311, "
		  "rcv_wnd 64512, rcv_up 4201, receive_queue 1310, out_of_order 500, timer_due "
		  "never, owned 1");
	peer_forget(&p);
	peer_done(&p);
}

/* Text of which some is lost, some sent again, some not sent at all. */
static void test_recovery(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 20000);
	peer_wait(&p, MS(10));
	for (int i = 0; i < 4; i++)
		recv(&p, ".", 1, 1, 0);
	status_is(&p, p.conn,
		  "user 7, state ESTABLISHED, ifindex 1, iss 1000, snd_una 1001, snd_nxt 13001, "
		  "snd_wnd 50000, snd_wl1 2001, snd_wl2 1001, snd_up 1000, irs 2000, rcv_nxt 2001, "
		  "rcv_wnd 65535, rcv_up 2001, send_queue 20000, timer retransmit, due in "
		  "190000000, owned 1");
	info_is(&p, "state ESTABLISHED, rto 200000000, ato 40000000, rtt 1, min_rtt 1, rcv_rtt 1, "
		    "snd_mss 1000, rcv_mss 536, advmss 1460, pmtu 1500, snd_cwnd 5000, "
		    "snd_ssthresh 5000, snd_wnd 50000, rcv_wnd 65535, rcv_space 14600, unacked 12, "
		    "retrans 1, sacked 4, total_retrans 1, segs_out 15, segs_in 5, data_segs_out "
		    "13, bytes_sent 13000, bytes_retrans 1000, notsent 8000, send_queue 20000, "
		    "send_buffer 65536, receive_buffer 65536, recovery 3");
	peer_wait(&p, MS(300));
	status_is(&p, p.conn,
		  "user 7, state ESTABLISHED, ifindex 1, iss 1000, snd_una 1001, snd_nxt 13001, "
		  "snd_wnd 50000, snd_wl1 2001, snd_wl2 1001, snd_up 1000, irs 2000, rcv_nxt 2001, "
		  "rcv_wnd 65535, rcv_up 2001, send_queue 20000, timer retransmit, due in "
		  "290000000, retransmits 1, owned 1");
	info_is(&p, "state ESTABLISHED, retransmits 1, backoff 1, rto 400000000, ato 40000000, rtt "
		    "1, min_rtt 1, rcv_rtt 1, last_data_sent 300000000, last_data_recv 300000000, "
		    "snd_mss 1000, rcv_mss 536, advmss 1460, pmtu 1500, snd_cwnd 1000, "
		    "snd_ssthresh 6000, snd_wnd 50000, rcv_wnd 65535, rcv_space 14600, unacked 12, "
		    "lost 11, retrans 1, total_retrans 2, segs_out 16, segs_in 5, data_segs_out "
		    "14, bytes_sent 14000, bytes_retrans 2000, notsent 8000, send_queue 20000, "
		    "send_buffer 65536, receive_buffer 65536, recovery 4");
	peer_forget(&p);
	peer_done(&p);
}

/* Our FIN is acknowledged: it is no byte of the queue; then TIME-WAIT, held and let go of. */
static void test_closing(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	peer_set(&p, PARLEY_SET_KEEPALIVE, 1);
	peer_reach(&p, PEER_ACTIVE, PARLEY_FIN_WAIT_2);
	status_is(&p, p.conn,
		  "user 7, state FIN-WAIT-2, ifindex 1, iss 1000, snd_una 1002, snd_nxt 1002, "
		  "snd_wnd 50000, snd_wl1 2001, snd_wl2 1002, snd_up 1002, irs 2000, rcv_nxt 2001, "
		  "rcv_wnd 65535, rcv_up 2001, timer keepalive, due in 7200000000000, owned 1");
	info_is(&p, "state FIN-WAIT-2, rto 200000000, ato 40000000, rtt 1, min_rtt 1, rcv_rtt 1, "
		    "snd_mss 1000, rcv_mss 536, advmss 1460, pmtu 1500, snd_cwnd 10000, "
		    "snd_ssthresh 4294967295, snd_wnd 50000, rcv_wnd 65535, rcv_space 14600, "
		    "segs_out 3, segs_in 2, data_segs_out 1, bytes_sent 1, bytes_acked 1, "
		    "send_buffer 65536, receive_buffer 65536");
	recv(&p, "F.", 1, 2, 0);
	status_is(&p, p.conn,
		  "user 7, state TIME-WAIT, ifindex 1, iss 1000, snd_una 1002, snd_nxt 1002, "
		  "snd_wnd 50000, snd_wl1 2001, snd_wl2 1002, snd_up 1002, irs 2000, rcv_nxt 2002, "
		  "rcv_wnd 65535, rcv_up 2001, timer time-wait, due in 60000000000, owned 1");
	assert_int_equal(user_release(&p.tcp, p.conn), 0);
	status_is(&p, peer_find(&p),
		  "entry 3, state TIME-WAIT, ifindex 1, iss 1000, snd_una 1002, snd_nxt 1002, "
		  "rcv_nxt 2002, rcv_wnd 65535, timer time-wait, due in 60001024640");
	peer_forget(&p);
	peer_done(&p);
}

/* What a reset leaves, and a soft error. */
static void test_errors(void **unused)
{
	struct icmp_error error = {.ifindex = 1, .kind = ICMP_KIND_NET_UNREACHABLE};
	struct peer p;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 10);
	error.tuple = p.tuple;
	error.seq = seq_add(p.iss, 1);
	assert_true(tcp_icmp(&p.tcp, &error));
	status_is(&p, p.conn,
		  "user 7, state ESTABLISHED, ifindex 1, iss 1000, snd_una 1001, snd_nxt 1011, "
		  "snd_wnd 50000, snd_wl1 2000, snd_wl2 1001, snd_up 1000, irs 2000, rcv_nxt 2001, "
		  "rcv_wnd 65535, rcv_up 2001, send_queue 10, timer retransmit, due in 200000000, "
		  "error 101, owned 1");
	recv(&p, "R", 1, 0, 0);
	status_is(&p, p.conn,
		  "user 7, ifindex 1, iss 1000, snd_una 1001, snd_nxt 1011, snd_wnd 50000, snd_wl1 "
		  "2000, snd_wl2 1001, snd_up 1000, irs 2000, rcv_nxt 2001, rcv_wnd 65535, rcv_up "
		  "2001, send_queue 10, timer_due never, error 104, owned 1");
	info_is(&p,
		"rto 200000000, ato 40000000, rtt 1, min_rtt 1, rcv_rtt 1, snd_mss 1000, rcv_mss "
		"536, advmss 1460, pmtu 1500, snd_cwnd 10000, snd_ssthresh 4294967295, snd_wnd "
		"50000, rcv_wnd 65535, rcv_space 14600, segs_out 3, segs_in 2, data_segs_out 1, "
		"bytes_sent 10, send_queue 10, send_buffer 65536, receive_buffer 65536");
	peer_forget(&p);
	peer_done(&p);
}

/* What listens, what is half open, what is queued; and a SYN that is held. */
static void test_listening(void **unused)
{
	struct parley_open open = {
		.size = sizeof open, .backlog = 3, .user = 5, .flags = PARLEY_OPEN_DECIDE};
	struct peer p;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	p.wscale = 1;
	peer_listen(&p, 8);
	recv(&p, "S", 0, 0, 0);
	status_is(&p, p.listener,
		  "user 7, entry 1, state LISTEN, send_queue 8, timer_due never, owned 1");
	status_is(&p, peer_find(&p),
		  "entry 2, state SYN-RECEIVED, ifindex 1, iss 1000, snd_una 1000, snd_nxt 1001, "
		  "snd_wnd 50000, snd_wl1 2000, snd_wl2 1000, snd_up 1000, irs 2000, rcv_nxt 2001, "
		  "rcv_wnd 65535, rcv_up 2001, timer retransmit, due in 1000000000");
	peer_wait(&p, SEC(1));
	status_is(&p, peer_find(&p),
		  "entry 2, state SYN-RECEIVED, ifindex 1, iss 1000, snd_una 1000, snd_nxt 1001, "
		  "snd_wnd 50000, snd_wl1 2000, snd_wl2 1000, snd_up 1000, irs 2000, rcv_nxt 2001, "
		  "rcv_wnd 65535, rcv_up 2001, timer retransmit, due in 2000000000, retransmits 1");
	p.snd_shift = 1;
	recv(&p, ".", 1, 1, 0);
	status_is(&p, p.listener,
		  "user 7, entry 1, state LISTEN, receive_queue 1, send_queue 8, timer_due never, "
		  "owned 1");
	status_is(&p, peer_find(&p),
		  "state ESTABLISHED, ifindex 1, iss 1000, snd_una 1001, snd_nxt 1001, snd_wnd "
		  "50000, snd_wl1 2001, snd_wl2 1001, snd_up 1001, irs 2000, rcv_nxt 2001, rcv_wnd "
		  "65535, rcv_up 2001, timer_due never");
	assert_int_equal(user_close(&p.tcp, p.listener), 0);
	p.snd_shift = 0;
	open.local = (struct parley_endpoint){p.tuple.local, p.tuple.local_port};
	assert_int_equal(user_listen(&p.tcp, &open, &p.listener), 0);
	recv(&p, "S", 0, 0, 0);
	status_is(&p, p.listener,
		  "user 5, entry 1, state LISTEN, send_queue 3, timer_due never, owned 1");
	status_is(&p, peer_find(&p),
		  "entry 2, state LISTEN, ifindex 1, iss 251000, snd_una 251000, snd_nxt 251001, "
		  "snd_wnd 50000, snd_wl1 2000, snd_wl2 251000, snd_up 251000, irs 2000, rcv_nxt "
		  "2001, rcv_wnd 65535, rcv_up 2001, timer decide, due in 30000000000");
	peer_forget(&p);
	peer_done(&p);
}

/* Each of them once, the lowest place first, and then no more. */
static void test_walk(void **unused)
{
	struct parley_status status = {.size = sizeof status};
	const enum parley_entry entries[] = {PARLEY_ENTRY_LISTENER, PARLEY_ENTRY_TCB,
					     PARLEY_ENTRY_SYN};
	uint64_t cursor = 0;
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_LISTENER, PARLEY_ESTABLISHED);
	p.tuple.remote_port++;
	recv(&p, "S", 0, 0, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(status_each(&p.tcp, &cursor, &status), 1);
		assert_int_equal(status.entry, entries[i]);
		assert_int_equal(status.size, sizeof status);
	}
	assert_int_equal(status_each(&p.tcp, &cursor, &status), 0);
	cursor = UINT64_MAX;
	assert_int_equal(status_each(&p.tcp, &cursor, &status), 0);
	assert_int_equal(status_get(&p.tcp, p.conn + 1000, &status), -PARLEY_EBADF);
	peer_forget(&p);
	peer_done(&p);
}

/* In LISTEN nothing is known of segments yet. */
static void test_passive_open(void **unused)
{
	struct parley_tcp_info info = {.size = sizeof info};
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_open_passive(&p);
	assert_int_equal(peer_tcb(&p)->notice.user, 7);
	assert_int_equal(status_info(&p.tcp, p.conn, &info), 0);
	assert_int_equal(info.state, PARLEY_LISTEN);
	assert_int_equal(info.snd_mss, 0);
	assert_int_equal(info.sacked, 0);
	assert_int_equal(status_info(&p.tcp, p.conn + 1000, &info), -PARLEY_EBADF);
	peer_done(&p);
}

/* Without scaling there is no scale to tell of, from the beginning. */
static void test_no_scaling(void **unused)
{
	struct parley_tcp_info info = {.size = sizeof info};
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_set(&p, PARLEY_SET_WINDOW_SCALE, 0);
	peer_connect(&p);
	assert_int_equal(status_info(&p.tcp, p.conn, &info), 0);
	assert_int_equal(info.rcv_wscale, 0);
	assert_false(info.has_wscale);
	peer_forget(&p);
	peer_done(&p);
}

/* How the search for loss is told of, from the first duplicate ACK to the last of it. */
static void test_recovery_by_step(void **unused)
{
	static const struct {
		uint32_t ack;
		enum parley_recovery recovery;
	} steps[] = {
		{1, PARLEY_RECOVERY_DOUBT},   {1, PARLEY_RECOVERY_DOUBT},
		{1, PARLEY_RECOVERY_FAST},    {1001, PARLEY_RECOVERY_FAST},
		{8001, PARLEY_RECOVERY_NONE},
	};
	struct parley_tcp_info info = {.size = sizeof info};
	struct peer p;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	user_sends(&p, 8000);
	assert_int_equal(status_info(&p.tcp, p.conn, &info), 0);
	assert_int_equal(info.recovery, PARLEY_RECOVERY_NONE);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		recv(&p, ".", 1, steps[i].ack, 0);
		assert_int_equal(status_info(&p.tcp, p.conn, &info), 0);
		assert_int_equal(info.recovery, steps[i].recovery);
	}
	user_sends(&p, 1000);
	peer_wait(&p, SEC(1));
	assert_int_equal(status_info(&p.tcp, p.conn, &info), 0);
	assert_int_equal(info.recovery, PARLEY_RECOVERY_TIMEOUT);
	recv(&p, ".", 1, 9001, 0);
	assert_int_equal(status_info(&p.tcp, p.conn, &info), 0);
	assert_int_equal(info.recovery, PARLEY_RECOVERY_NONE);
	peer_forget(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syn_sent),   cmocka_unit_test(test_established),
		cmocka_unit_test(test_recovery),   cmocka_unit_test(test_closing),
		cmocka_unit_test(test_errors),	   cmocka_unit_test(test_listening),
		cmocka_unit_test(test_walk),	   cmocka_unit_test(test_passive_open),
		cmocka_unit_test(test_no_scaling), cmocka_unit_test(test_recovery_by_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
