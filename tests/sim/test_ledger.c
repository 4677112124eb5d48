/* SPDX-License-Identifier: MIT */
/* What a host says without being asked, and what it leaves unsaid: the rules are broken by hand. */
#include "sim/ledger.h"

#include "forged.h"
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct scene scene;
static struct sim_host *host;

static int set_up(void **state)
{
	struct sim_pair_config config = scene_config(1);

	(void)state;
	scene_begin(&scene, &config);
	host = scene.world->host[SIM_CLIENT];
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scene_end(&scene);
	return 0;
}

static void trace(enum parley_trace_kind kind, const int64_t value[static PARLEY_TRACE_FIELDS])
{
	struct parley_trace_event event = {
		.kind = kind, .local = forged_endpoint(0), .remote = forged_endpoint(1)};

	memcpy(event.value, value, sizeof event.value);
	sim_ledger_trace(host, &event);
}

static void in(unsigned flags, uint32_t seq, uint32_t ack, int len)
{
	trace(PARLEY_TRACE_SEGMENT_IN, (int64_t[PARLEY_TRACE_FIELDS]){flags, seq, ack, len, 1000, 0,
								      0, -1, PARLEY_ESTABLISHED});
}

static void out(unsigned flags, uint32_t seq, uint32_t ack, int len, int wnd, enum parley_why why)
{
	trace(PARLEY_TRACE_SEGMENT_OUT,
	      (int64_t[PARLEY_TRACE_FIELDS]){flags, seq, ack, len, wnd, 0, 0, -1,
					     PARLEY_ESTABLISHED, why});
}

/* A connection whose next number is 1 both ways, and whose ACK of the SYN has gone. */
static void connected(void)
{
	trace(PARLEY_TRACE_STATE,
	      (int64_t[PARLEY_TRACE_FIELDS]){PARLEY_CLOSED, PARLEY_SYN_SENT, PARLEY_CAUSE_CALL});
	out(TCP_SYN, 0, 0, 0, 1000, PARLEY_WHY_NEW);
	out(TCP_ACK, 1, 1, 0, 1000, PARLEY_WHY_ACK);
}

static void again(enum parley_why why)
{
	out(TCP_ACK, 1, 1, 0, 1000, why);
}

static void holds(void)
{
	if (scene.world->failure.failed)
		fail_msg("%s", scene.world->failure.text);
}

static void breaks(enum sim_rule rule)
{
	assert_true(scene.world->failure.failed);
	assert_int_equal(scene.world->failure.rule, rule);
}

static void an_ack_that_nothing_asked_for(void **state)
{
	(void)state;
	connected();
	/* An ACK in its place asks for nothing. */
	in(TCP_ACK, 1, 1, 0);
	holds();
	again(PARLEY_WHY_ACK);
	breaks(SIM_RULE_ACK_UNASKED);
}

/* Each of them gets one, and no more. */
static void what_asks_for_an_ack(void **state)
{
	static const struct {
		unsigned flags;
		uint32_t seq, ack;
		int len;
	} asks[] = {
		{TCP_ACK, 101, 1, 10},		/* text out of order */
		{TCP_ACK, 0, 1, 1},		/* text of long ago */
		{TCP_ACK, 1, 1, 10},		/* text in order that was not taken */
		{TCP_ACK, 0, 1, 0},		/* a probe from before the window */
		{TCP_ACK, 1, 2, 0},		/* an ACK of what was not sent */
		{TCP_ACK | TCP_SYN, 1, 1, 0},	/* challenged */
		{TCP_RST, 1, 0, 0},		/* likewise */
		{TCP_ACK | TCP_FIN, 100, 1, 0}, /* a FIN out of order */
	};

	(void)state;
	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
		scene.world->failure.failed = false;
		connected();
		in(asks[i].flags, asks[i].seq, asks[i].ack, asks[i].len);
		again(PARLEY_WHY_DUPLICATE);
		holds();
		again(PARLEY_WHY_DUPLICATE);
		breaks(SIM_RULE_ACK_UNASKED);
	}
}

/* What a connection still owed when a RST ended it waits for a turn of output. */
static void answers_of_a_connection_that_is_gone(void **state)
{
	(void)state;
	connected();
	in(TCP_ACK, 0, 1, 1);
	in(TCP_ACK, 0, 1, 1);
	trace(PARLEY_TRACE_STATE,
	      (int64_t[PARLEY_TRACE_FIELDS]){PARLEY_TIME_WAIT, PARLEY_CLOSED, PARLEY_CAUSE_RESET});
	again(PARLEY_WHY_DUPLICATE);
	again(PARLEY_WHY_DUPLICATE);
	holds();
}

/* Text in order that is acknowledged asks for nothing more, but what was not taken of it does. */
static void what_was_acknowledged_asks_no_more(void **state)
{
	(void)state;
	connected();
	in(TCP_ACK, 1, 1, 10);
	in(TCP_ACK, 11, 1, 10);
	in(TCP_ACK, 21, 1, 10);
	out(TCP_ACK, 1, 21, 0, 1000, PARLEY_WHY_ACK);
	out(TCP_ACK, 1, 21, 0, 1000, PARLEY_WHY_DUPLICATE);
	holds();
	connected();
	in(TCP_ACK, 1, 1, 10);
	in(TCP_ACK, 11, 1, 10);
	out(TCP_ACK, 1, 21, 0, 1000, PARLEY_WHY_ACK);
	holds();
	out(TCP_ACK, 1, 21, 0, 1000, PARLEY_WHY_ACK);
	breaks(SIM_RULE_ACK_UNASKED);
}

/* A new window, text, probes and words of urgent data are no repetition. */
static void what_says_something(void **state)
{
	(void)state;
	connected();
	out(TCP_ACK, 1, 1, 0, 1001, PARLEY_WHY_WINDOW);
	out(TCP_ACK, 1, 1, 5, 1001, PARLEY_WHY_NEW);
	out(TCP_ACK, 0, 1, 0, 1001, PARLEY_WHY_KEEPALIVE);
	out(TCP_ACK | TCP_URG, 6, 1, 0, 1001, PARLEY_WHY_URGENT);
	holds();
	out(TCP_ACK, 6, 1, 0, 1001, PARLEY_WHY_WINDOW);
	breaks(SIM_RULE_ACK_UNASKED);
}

/* The client's deadline is taken away while it delays an ACK; its user looks again later. */
static void an_ack_that_is_put_off_for_too_long(void **state)
{
	const struct sim_op sender[] = {SIM_CONNECT(SIM_CLIENT, 81), SIM_SEND(100),
					SIM_WAIT(SIM_UNTIL_SENT), SIM_SLEEP(2 * S)};
	const struct sim_op sleeper[] = {SIM_SLEEP(100 * MS)};
	const struct sim_op reader[] = {SIM_READ(SIM_ALL), SIM_WAIT(SIM_UNTIL_EOF)};
	const struct sim_op listener[] = {SIM_LISTEN(81, 1),
					  SIM_ACCEPT(SCENE_PROGRAM(&scene, reader))};

	(void)state;
	SCENE_USER(&scene, SIM_CLIENT, listener);
	SCENE_USER(&scene, SIM_SERVER, sender);
	assert_int_equal(sim_run_until(scene.world, 80 * MS), SIM_RAN);
	assert_int_equal(scene.world->user[scene.world->user_count - 1]->received, 100);
	sim_queue_remove(&scene.world->queue, &host->wake);
	SCENE_USER(&scene, SIM_CLIENT, sleeper);
	assert_int_equal(sim_step(scene.world), SIM_RAN);
	sim_queue_remove(&scene.world->queue, &host->wake);
	scene_fails(&scene, 2, SIM_RULE_ACK_LATE);
}

/* A connection over which 100 bytes came that the client does not read. Its STATUS is filled in. */
static struct sim_user *unread(struct parley_status *status)
{
	const struct sim_op sender[] = {SIM_CONNECT(SIM_CLIENT, 81), SIM_SEND(100),
					SIM_WAIT(SIM_UNTIL_SENT), SIM_SLEEP(200 * S)};
	const struct sim_op idler[] = {SIM_SLEEP(200 * S)};
	const struct sim_op listener[] = {SIM_LISTEN(81, 1),
					  SIM_ACCEPT(SCENE_PROGRAM(&scene, idler))};
	struct sim_user *user;

	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_WINDOW_SCALE, 0), 0);
	SCENE_USER(&scene, SIM_CLIENT, listener);
	SCENE_USER(&scene, SIM_SERVER, sender);
	assert_int_equal(sim_run_until(scene.world, 1 * S), SIM_RAN);
	user = scene.world->user[scene.world->user_count - 1];
	*status = (struct parley_status){.size = sizeof *status};
	assert_int_equal(parley_status(host->engine, user->conn, status), 0);
	assert_int_equal(status->receive_queue, 100);
	return user;
}

/* As if the client had handed out one more segment. */
static void hand_out(const struct parley_status *status, uint32_t seq, int len, uint32_t wnd,
		     enum parley_why why)
{
	struct parley_trace_event event = {
		.kind = PARLEY_TRACE_SEGMENT_OUT,
		.local = status->local,
		.remote = status->remote,
		.value = {TCP_ACK, seq, status->rcv_nxt, len, wnd, 0, 0, -1, status->state, why},
	};

	sim_ledger_trace(host, &event);
}

static void a_window_that_opens_by_a_silly_step(void **state)
{
	struct parley_status s;

	(void)state;
	unread(&s);
	/* As much as came in one segment. */
	hand_out(&s, s.snd_nxt, 0, s.rcv_wnd + 100, PARLEY_WHY_WINDOW);
	sim_ledger_turn(host, &s);
	holds();
	hand_out(&s, s.snd_nxt, 0, s.rcv_wnd + 199, PARLEY_WHY_WINDOW);
	sim_ledger_turn(host, &s);
	breaks(SIM_RULE_SMALL_STEP);
}

static void a_short_segment_behind_another(void **state)
{
	struct parley_status s;

	(void)state;
	unread(&s);
	hand_out(&s, s.snd_nxt, 1460, s.rcv_wnd, PARLEY_WHY_NEW);
	hand_out(&s, s.snd_nxt, 10, s.rcv_wnd, PARLEY_WHY_RTO);
	sim_ledger_turn(host, &s);
	holds();
	hand_out(&s, s.snd_nxt + 1460, 10, s.rcv_wnd, PARLEY_WHY_NEW);
	sim_ledger_turn(host, &s);
	breaks(SIM_RULE_SMALL_SEGMENT);
}

static void who_asked_for_no_delay_may_send_it(void **state)
{
	struct parley_status s;
	const struct sim_user *user = unread(&s);

	(void)state;
	assert_int_equal(
		parley_set(host->engine, sim_host_now(host), user->conn, PARLEY_SET_NODELAY, 1), 0);
	hand_out(&s, s.snd_nxt, 1460, s.rcv_wnd, PARLEY_WHY_NEW);
	hand_out(&s, s.snd_nxt + 1460, 10, s.rcv_wnd, PARLEY_WHY_NEW);
	sim_ledger_turn(host, &s);
	holds();
}

static void more_than_the_buffer_holds(void **state)
{
	struct parley_status s;

	(void)state;
	unread(&s);
	s.receive_queue = 60000;
	s.out_of_order = 5536;
	sim_ledger_turn(host, &s);
	holds();
	s.out_of_order += 2;
	sim_ledger_turn(host, &s);
	breaks(SIM_RULE_OVERFULL);
}

/* The segment that came had 100 bytes, and the least of a full one is 536. */
static void more_than_two_segments_without_an_ack(void **state)
{
	struct parley_status s;

	(void)state;
	unread(&s);
	s.rcv_nxt += 2 * 536;
	sim_ledger_turn(host, &s);
	holds();
	s.rcv_nxt++;
	sim_ledger_turn(host, &s);
	breaks(SIM_RULE_ACK_SPARSE);
}

static void text_that_no_timer_sees_to(void **state)
{
	static const enum parley_timer timers[] = {PARLEY_TIMER_PERSIST, PARLEY_TIMER_OVERRIDE,
						   PARLEY_TIMER_RETRANSMIT, PARLEY_TIMER_MEMORY};
	struct parley_status s;

	(void)state;
	unread(&s);
	s.send_queue = 1;
	for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
		s.timer = timers[i];
		sim_ledger_turn(host, &s);
		holds();
	}
	s.timer = PARLEY_TIMER_KEEPALIVE;
	sim_ledger_turn(host, &s);
	breaks(SIM_RULE_NO_TIMER);
}

static void sent_again_for_longer_than_r2(void **state)
{
	struct parley_status s;
	const struct sim_user *user = unread(&s);
	uint64_t now = scene.world->now;

	(void)state;
	assert_int_equal(parley_set(host->engine, now, user->conn, PARLEY_SET_R2, 5 * S), 0);
	assert_int_equal(parley_set(host->engine, now, user->conn, PARLEY_SET_MAX_RTO, 2 * S), 0);
	s.timer = PARLEY_TIMER_RETRANSMIT;
	s.retransmits = 1;
	sim_ledger_turn(host, &s);
	scene.world->now = now + 7 * S;
	sim_ledger_turn(host, &s);
	holds();
	/* An answer in between begins it anew. */
	s.retransmits = 0;
	sim_ledger_turn(host, &s);
	s.retransmits = 1;
	sim_ledger_turn(host, &s);
	scene.world->now = now + 14 * S;
	sim_ledger_turn(host, &s);
	holds();
	/* And so does another R2: only the timer looks at it. */
	assert_int_equal(parley_set(host->engine, now, user->conn, PARLEY_SET_R2, 1), 0);
	sim_ledger_turn(host, &s);
	holds();
	scene.world->now = now + 16 * S + 1;
	sim_ledger_turn(host, &s);
	holds();
	scene.world->now++;
	sim_ledger_turn(host, &s);
	breaks(SIM_RULE_R2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_ack_that_nothing_asked_for),
		TEST(what_asks_for_an_ack),
		TEST(answers_of_a_connection_that_is_gone),
		TEST(what_was_acknowledged_asks_no_more),
		TEST(what_says_something),
		TEST(an_ack_that_is_put_off_for_too_long),
		TEST(a_window_that_opens_by_a_silly_step),
		TEST(a_short_segment_behind_another),
		TEST(who_asked_for_no_delay_may_send_it),
		TEST(more_than_the_buffer_holds),
		TEST(more_than_two_segments_without_an_ack),
		TEST(text_that_no_timer_sees_to),
		TEST(sent_again_for_longer_than_r2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
