/* SPDX-License-Identifier: MIT */
/* The oracles must be able to fail: each rule is broken here on purpose, by hand. */
#include "sim/oracle.h"

#include "forged.h"
#include "sim/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE ((size_t)1 << 20)

static void *base;
static struct sim_world *world;
static struct sim_host hosts[2];

static int set_up(void **state)
{
	(void)state;
	base = aligned_alloc(SIM_ARENA_ALIGN, SIZE);
	world = sim_world_new(base, SIZE, &(struct sim_config){.seed = 42, .start = 7});
	if (!world)
		return -1;
	memset(hosts, 0, sizeof hosts);
	for (int i = 0; i < 2; i++) {
		hosts[i].world = world;
		hosts[i].number = (uint32_t)i;
		memcpy(hosts[i].name, i ? "server" : "client", 7);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(base);
	return 0;
}

/* The segment is sent, judged, and, if wanted, arrives. */
static void send(struct forged f, bool arrives)
{
	struct sim_packet packet = forge(f);
	unsigned way;
	struct sim_flow *flow = sim_flow_get(world, &packet.src, &packet.dst, &way);

	sim_flow_begin(flow, way, &packet.segment);
	sim_oracle_sent(&hosts[f.from], flow, way, &packet);
	sim_flow_sent(flow, way, &packet.segment);
	if (arrives)
		sim_flow_arrived(flow, way, &packet.segment);
}

/* A forgery arrives, as from that side. */
static void arrive(struct forged f)
{
	struct sim_packet packet = forge(f);
	unsigned way;
	struct sim_flow *flow = sim_flow_get(world, &packet.src, &packet.dst, &way);

	sim_flow_forged(world, flow, way, &packet.segment);
}

static void handshake(int wscale)
{
	send((struct forged){0, TCP_SYN, 0, 0, 0, 1000, wscale}, true);
	send((struct forged){1, TCP_SYN | TCP_ACK, 0, 1, 0, 1000, wscale}, true);
	send((struct forged){0, TCP_ACK, 1, 1, 0, 1000, 0}, true);
}

static void holds(void)
{
	if (world->failure.failed)
		fail_msg("%s", world->failure.text);
}

static void breaks(enum sim_rule rule)
{
	assert_true(world->failure.failed);
	assert_int_equal(world->failure.rule, rule);
}

static void a_whole_connection_breaks_nothing(void **state)
{
	(void)state;
	handshake(0);
	send((struct forged){1, TCP_ACK, 1, 1, 600, 1000, 0}, false);
	send((struct forged){1, TCP_ACK, 601, 1, 400, 1000, 0}, true);
	send((struct forged){0, TCP_ACK, 1, 1, 0, 1000, 0}, true);
	send((struct forged){1, TCP_ACK, 1, 1, 600, 1000, 0}, true);
	send((struct forged){0, TCP_ACK, 1, 1001, 0, 0, 0}, true);
	send((struct forged){1, TCP_ACK, 1001, 1, 1, 1000, 0}, true);
	send((struct forged){0, TCP_ACK, 1, 1001, 0, 0, 0}, true);
	send((struct forged){0, TCP_ACK, 1, 1001, 0, 500, 0}, true);
	send((struct forged){1, TCP_ACK | TCP_FIN, 1001, 1, 500, 1000, 0}, true);
	send((struct forged){0, TCP_ACK | TCP_FIN, 1, 1502, 0, 500, 0}, true);
	send((struct forged){1, TCP_ACK | TCP_FIN, 1001, 1, 500, 1000, 0}, true);
	send((struct forged){1, TCP_ACK, 1502, 2, 0, 1000, 0}, true);
	holds();
	/* And once more between the same endpoints, with new numbers. */
	send((struct forged){0, TCP_SYN, 70000, 0, 0, 100, 0}, true);
	send((struct forged){1, TCP_SYN | TCP_ACK, 90000, 70001, 0, 100, 0}, true);
	send((struct forged){0, TCP_ACK, 70001, 90001, 0, 100, 0}, true);
	holds();
}

static void the_window_must_not_shrink(void **state)
{
	(void)state;
	handshake(0);
	send((struct forged){1, TCP_ACK, 1, 1, 100, 1000, 0}, true);
	send((struct forged){0, TCP_ACK, 1, 101, 0, 900, 0}, true);
	holds();
	send((struct forged){0, TCP_ACK, 1, 101, 0, 899, 0}, true);
	breaks(SIM_RULE_WINDOW_SHRANK);
}

/* 1000 << 7 behind the handshake; on the SYN itself 1000 is 1000. */
static void windows_are_scaled(void **state)
{
	(void)state;
	handshake(7);
	send((struct forged){1, TCP_ACK, 1, 1, 128000, 1000, 0}, true);
	holds();
	/* An edge that was rounded up and then down is back by a whole unit, but no more. */
	send((struct forged){0, TCP_ACK, 1, 128, 0, 999, 0}, true);
	holds();
	send((struct forged){0, TCP_ACK, 1, 1, 0, 999, 0}, true);
	holds();
	send((struct forged){0, TCP_ACK, 1, 1, 0, 998, 0}, true);
	breaks(SIM_RULE_WINDOW_SHRANK);
}

static void text_must_not_pass_the_window(void **state)
{
	(void)state;
	handshake(0);
	send((struct forged){1, TCP_ACK, 1, 1, 1000, 1000, 0}, true);
	/* A probe, and then more than a probe. */
	send((struct forged){1, TCP_ACK, 1001, 1, 1, 1000, 0}, true);
	holds();
	send((struct forged){1, TCP_ACK, 1001, 1, 2, 1000, 0}, true);
	breaks(SIM_RULE_BEYOND_WINDOW);
}

/* A window that was offered but lost gives no right to send. */
static void the_window_counts_when_it_arrives(void **state)
{
	(void)state;
	handshake(0);
	send((struct forged){0, TCP_ACK, 1, 1, 0, 2000, 0}, false);
	send((struct forged){1, TCP_ACK, 1, 1, 1500, 1000, 0}, true);
	breaks(SIM_RULE_BEYOND_WINDOW);
}

static void only_what_was_sent_is_acknowledged(void **state)
{
	(void)state;
	handshake(0);
	send((struct forged){1, TCP_ACK, 1, 1, 100, 1000, 0}, true);
	send((struct forged){0, TCP_ACK, 1, 101, 0, 1000, 0}, true);
	holds();
	send((struct forged){0, TCP_ACK, 1, 102, 0, 1000, 0}, true);
	breaks(SIM_RULE_ACK_UNSENT);
}

/* Not even to a peer who has not said a word. */
static void nothing_is_acknowledged_to_the_silent(void **state)
{
	(void)state;
	send((struct forged){1, TCP_SYN | TCP_ACK, 0, 1, 0, 1000, 0}, true);
	breaks(SIM_RULE_ACK_UNSENT);
}

/* What only a forgery said may be acknowledged, but not the number behind it. */
static void a_forgery_that_arrived_may_be_acknowledged(void **state)
{
	(void)state;
	handshake(0);
	arrive((struct forged){1, TCP_SYN, 5000, 0, 0, 1000, 0});
	send((struct forged){0, TCP_SYN | TCP_ACK, 70000, 5001, 0, 1000, 0}, true);
	holds();
	send((struct forged){0, TCP_SYN | TCP_ACK, 70000, 5002, 0, 1000, 0}, true);
	breaks(SIM_RULE_ACK_UNSENT);
}

static void what_lies_between_sender_and_forgery_may_not(void **state)
{
	(void)state;
	handshake(0);
	arrive((struct forged){1, TCP_SYN, 500, 0, 0, 1000, 0});
	send((struct forged){0, TCP_ACK, 1, 500, 0, 1000, 0}, true);
	breaks(SIM_RULE_ACK_UNSENT);
}

static void a_forgery_excuses_only_who_got_it(void **state)
{
	(void)state;
	handshake(0);
	arrive((struct forged){1, TCP_SYN, 500, 0, 0, 1000, 0});
	send((struct forged){1, TCP_ACK, 1, 501, 0, 1000, 0}, true);
	breaks(SIM_RULE_ACK_UNSENT);
}

/* A RST takes no number, and a forgery that was forgotten excuses nobody. */
static void forgeries_are_forgotten_in_their_order(void **state)
{
	(void)state;
	handshake(0);
	arrive((struct forged){1, TCP_SYN, 5000, 0, 0, 1000, 0});
	for (uint32_t i = 1; i < SIM_FORGED_MAX; i++)
		arrive((struct forged){1, TCP_SYN, 6000 + i, 0, 0, 1000, 0});
	arrive((struct forged){1, TCP_RST, 8000, 0, 0, 1000, 0});
	send((struct forged){0, TCP_SYN | TCP_ACK, 70000, 5001, 0, 1000, 0}, true);
	send((struct forged){0, TCP_SYN | TCP_ACK, 70000, 6002, 0, 1000, 0}, true);
	holds();
	arrive((struct forged){1, TCP_SYN, 7000, 0, 0, 1000, 0});
	send((struct forged){0, TCP_SYN | TCP_ACK, 70000, 6002, 0, 1000, 0}, true);
	holds();
	send((struct forged){0, TCP_SYN | TCP_ACK, 70000, 5001, 0, 1000, 0}, true);
	breaks(SIM_RULE_ACK_UNSENT);
}

/* Who answers a forgery offers the other side nothing, and does not end what was between them. */
static void a_forgery_leaves_the_connection_as_it_was(void **state)
{
	(void)state;
	handshake(7);
	send((struct forged){1, TCP_ACK, 1, 1, 100, 1000, 0}, true);
	arrive((struct forged){1, TCP_SYN, 5000, 0, 0, 1000, 0});
	send((struct forged){0, TCP_SYN | TCP_ACK, 70000, 5001, 0, 65535, 0}, true);
	/* Scaled as before, and no further than before. */
	send((struct forged){1, TCP_ACK, 101, 1, 127900, 1000, 0}, true);
	holds();
	send((struct forged){1, TCP_ACK, 101, 1, 127902, 1000, 0}, true);
	breaks(SIM_RULE_BEYOND_WINDOW);
}

/*
 * A forged SYN may have the number of the real one; who answers it begins a connection without
 * scaled windows. That changes nothing for the other side, who still has the old one.
 */
static void a_peer_who_begins_anew_unscales_no_window(void **state)
{
	(void)state;
	handshake(7);
	send((struct forged){1, TCP_SYN | TCP_ACK, 90000, 1, 0, 1000, 0}, true);
	send((struct forged){0, TCP_ACK, 1, 1, 0, 999, 0}, true);
	holds();
	send((struct forged){0, TCP_ACK, 1, 1, 0, 998, 0}, true);
	breaks(SIM_RULE_WINDOW_SHRANK);
}

/* A SYN,ACK that was lost inside its host was not seen: what comes after it is a beginning. */
static void a_connection_can_begin_without_a_syn_on_the_wire(void **state)
{
	(void)state;
	handshake(0);
	send((struct forged){0, TCP_SYN, 70000, 0, 0, 1000, 0}, true);
	send((struct forged){1, TCP_ACK, 1, 1, 0, 1000, 0}, true);
	send((struct forged){1, TCP_ACK, 90001, 70001, 0, 1000, 0}, true);
	holds();
	send((struct forged){1, TCP_ACK, 90001, 70002, 0, 1000, 0}, true);
	breaks(SIM_RULE_ACK_UNSENT);
}

/* The peer's probe byte lies beyond a closed window: it may come, but not be taken. */
static void only_what_was_offered_is_taken(void **state)
{
	(void)state;
	handshake(0);
	send((struct forged){1, TCP_ACK, 1, 1, 1000, 1000, 0}, true);
	send((struct forged){0, TCP_ACK, 1, 1001, 0, 0, 0}, true);
	send((struct forged){1, TCP_ACK, 1001, 1, 1, 1000, 0}, true);
	send((struct forged){0, TCP_ACK, 1, 1001, 0, 0, 0}, true);
	holds();
	send((struct forged){0, TCP_ACK, 1, 1002, 0, 0, 0}, true);
	breaks(SIM_RULE_TAKEN_BEYOND);
}

/* A FIN needs no room. */
static void a_fin_may_be_taken_beyond_the_window(void **state)
{
	(void)state;
	handshake(0);
	send((struct forged){1, TCP_ACK, 1, 1, 1000, 1000, 0}, true);
	send((struct forged){0, TCP_ACK, 1, 1001, 0, 0, 0}, true);
	send((struct forged){1, TCP_ACK | TCP_FIN, 1001, 1, 0, 1000, 0}, true);
	send((struct forged){0, TCP_ACK, 1, 1002, 0, 0, 0}, true);
	holds();
}

static void a_fin_has_one_number(void **state)
{
	(void)state;
	handshake(0);
	send((struct forged){1, TCP_ACK | TCP_FIN, 1, 1, 100, 1000, 0}, true);
	/* The same FIN in a shorter segment is no other FIN. */
	send((struct forged){1, TCP_ACK | TCP_FIN, 51, 1, 50, 1000, 0}, true);
	holds();
	send((struct forged){1, TCP_ACK | TCP_FIN, 1, 1, 101, 1000, 0}, true);
	breaks(SIM_RULE_FIN_MOVED);
}

static void nothing_comes_behind_a_fin(void **state)
{
	(void)state;
	handshake(0);
	send((struct forged){1, TCP_ACK | TCP_FIN, 1, 1, 100, 1000, 0}, true);
	send((struct forged){1, TCP_ACK, 1, 1, 101, 1000, 0}, true);
	breaks(SIM_RULE_BEYOND_FIN);
}

static void a_rst_is_not_answered_with_a_rst(void **state)
{
	(void)state;
	hosts[1].after_rst = true;
	hosts[1].rst_src = forged_endpoint(0);
	hosts[1].rst_dst = forged_endpoint(1);
	hosts[0].after_rst = true;
	hosts[0].rst_src = forged_endpoint(0);
	hosts[0].rst_dst = forged_endpoint(1);
	/* To somebody else it may be sent. */
	send((struct forged){0, TCP_RST, 1, 0, 0, 0, 0}, true);
	holds();
	send((struct forged){1, TCP_RST, 1, 0, 0, 0, 0}, true);
	breaks(SIM_RULE_RST_FOR_RST);
}

static struct parley_trace_event change(enum parley_state from, enum parley_state to)
{
	return (struct parley_trace_event){
		.kind = PARLEY_TRACE_STATE,
		.local = forged_endpoint(0),
		.remote = forged_endpoint(1),
		.value = {from, to},
	};
}

static void tell(enum parley_state from, enum parley_state to)
{
	struct parley_trace_event event = change(from, to);

	sim_oracle_trace(&hosts[0], &event);
}

/* RFC 9293 figure 5 and 3.10, written out once more: a letter for each edge. */
static void knows_the_edges(void **state)
{
	static const char *const table[PARLEY_STATES] = {
		/* to:		     C L s r E 1 2 W c A T */
		[PARLEY_CLOSED] = ". x x . . . . . . . .",
		[PARLEY_LISTEN] = "x . x x . . . . . . .",
		[PARLEY_SYN_SENT] = "x . . x x . . . . . .",
		[PARLEY_SYN_RECEIVED] = "x x . . x x . x . . .",
		[PARLEY_ESTABLISHED] = "x . . . . x . x . . .",
		[PARLEY_FIN_WAIT_1] = "x . . . . . x . x . x",
		[PARLEY_FIN_WAIT_2] = "x . . . . . . . . . x",
		[PARLEY_CLOSE_WAIT] = "x . . . . . . . . x .",
		[PARLEY_CLOSING] = "x . . . . . . . . . x",
		[PARLEY_LAST_ACK] = "x . . . . . . . . . .",
		[PARLEY_TIME_WAIT] = "x . . x . . . . . . .",
	};

	(void)state;
	for (int from = 0; from < PARLEY_STATES; from++)
		for (int to = 0; to < PARLEY_STATES; to++)
			assert_int_equal(
				sim_edge_is_legal((enum parley_state)from, (enum parley_state)to),
				table[from][2 * to] == 'x');
	assert_false(sim_edge_is_legal((enum parley_state)PARLEY_STATES, PARLEY_CLOSED));
}

static void an_edge_must_exist(void **state)
{
	(void)state;
	tell(PARLEY_CLOSED, PARLEY_SYN_SENT);
	tell(PARLEY_SYN_SENT, PARLEY_ESTABLISHED);
	holds();
	assert_int_equal(world->coverage.edge[PARLEY_SYN_SENT][PARLEY_ESTABLISHED], 1);
	tell(PARLEY_ESTABLISHED, PARLEY_TIME_WAIT);
	breaks(SIM_RULE_EDGE);
}

static void a_state_is_left_from_where_it_was(void **state)
{
	(void)state;
	tell(PARLEY_LISTEN, PARLEY_SYN_RECEIVED);
	tell(PARLEY_SYN_RECEIVED, PARLEY_ESTABLISHED);
	holds();
	tell(PARLEY_FIN_WAIT_1, PARLEY_FIN_WAIT_2);
	breaks(SIM_RULE_CONTINUITY);
}

static struct sim_stream *new_stream(uint64_t sent)
{
	struct parley_endpoint a = forged_endpoint(0), b = forged_endpoint(1);
	struct sim_stream *stream = sim_stream_get(world, &a, &b, 1000);

	assert_non_null(stream);
	stream->sent = sent;
	return stream;
}

static void the_right_bytes_are_right(void **state)
{
	struct sim_stream *stream = new_stream(1000);
	uint8_t bytes[1000];
	size_t at = 0;

	(void)state;
	sim_stream_fill(stream->key, 0, bytes, sizeof bytes);
	for (size_t len = 1; at < sizeof bytes; at += len, len = len % 13 + 1) {
		if (len > sizeof bytes - at)
			len = sizeof bytes - at;
		sim_stream_deliver(stream, &hosts[1], bytes + at, len);
	}
	stream->finished = true;
	sim_stream_end(stream, &hosts[1]);
	holds();
}

/* Pieces are the same bytes as the whole, wherever they begin; other streams have others. */
static void bytes_depend_on_stream_and_offset(void **state)
{
	struct parley_endpoint a = forged_endpoint(0), b = forged_endpoint(1);
	struct sim_stream *stream = new_stream(0);
	uint8_t whole[300], part[300];

	(void)state;
	sim_stream_fill(stream->key, 0, whole, sizeof whole);
	for (size_t at = 0; at < 40; at++) {
		sim_stream_fill(stream->key, at, part, sizeof part - at);
		assert_memory_equal(part, whole + at, sizeof part - at);
	}
	sim_stream_fill(stream->key, 1, part, sizeof part);
	assert_memory_not_equal(part, whole, sizeof part);
	assert_ptr_equal(sim_stream_get(world, &a, &b, 1000), stream);
	sim_stream_fill(sim_stream_get(world, &a, &b, 1001)->key, 0, part, sizeof part);
	assert_memory_not_equal(part, whole, sizeof part);
	sim_stream_fill(sim_stream_get(world, &b, &a, 1000)->key, 0, part, sizeof part);
	assert_memory_not_equal(part, whole, sizeof part);
}

static void each_bit_of_a_byte_counts(void **state)
{
	uint8_t bytes[64];

	(void)state;
	for (unsigned bit = 0; bit < sizeof bytes * 8; bit++) {
		struct sim_stream *stream = new_stream(sizeof bytes);

		sim_stream_fill(stream->key, 0, bytes, sizeof bytes);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		sim_stream_deliver(stream, &hosts[1], bytes, sizeof bytes);
		breaks(SIM_RULE_BYTES);
		world->failure.failed = false;
		stream->received = 0;
	}
}

static void a_byte_twice_is_found(void **state)
{
	struct sim_stream *stream = new_stream(64);
	uint8_t bytes[64];

	(void)state;
	sim_stream_fill(stream->key, 0, bytes, sizeof bytes);
	sim_stream_deliver(stream, &hosts[1], bytes, 32);
	sim_stream_deliver(stream, &hosts[1], bytes + 31, 32);
	breaks(SIM_RULE_BYTES);
}

static void more_than_was_sent_is_found(void **state)
{
	struct sim_stream *stream = new_stream(10);
	uint8_t bytes[11];

	(void)state;
	sim_stream_fill(stream->key, 0, bytes, sizeof bytes);
	sim_stream_deliver(stream, &hosts[1], bytes, sizeof bytes);
	breaks(SIM_RULE_UNSENT);
}

static void an_early_end_is_found(void **state)
{
	struct sim_stream *stream = new_stream(10);
	uint8_t bytes[9];

	(void)state;
	stream->finished = true;
	sim_stream_fill(stream->key, 0, bytes, sizeof bytes);
	sim_stream_deliver(stream, &hosts[1], bytes, sizeof bytes);
	holds();
	sim_stream_end(stream, &hosts[1]);
	breaks(SIM_RULE_EOF);
}

static void an_end_that_nobody_sent_is_found(void **state)
{
	(void)state;
	sim_stream_end(new_stream(0), &hosts[1]);
	breaks(SIM_RULE_EOF);
}

static void bytes_after_the_end_are_found(void **state)
{
	struct sim_stream *stream = new_stream(0);
	uint8_t byte = 0;

	(void)state;
	stream->finished = true;
	sim_stream_end(stream, &hosts[1]);
	holds();
	sim_stream_deliver(stream, &hosts[1], &byte, 1);
	breaks(SIM_RULE_EOF_AGAIN);
}

static void the_first_failure_is_told_in_full(void **state)
{
	(void)state;
	world->events = 12;
	sim_fail(world, &hosts[0], SIM_RULE_FIN_MOVED, NULL, 1001, 0);
	sim_fail(world, &hosts[1], SIM_RULE_STALL, "again", 1, 2);
	breaks(SIM_RULE_FIN_MOVED);
	assert_string_equal(world->failure.text,
			    "client: a second FIN with another sequence number (1001, 0)");
	assert_int_equal(world->failure.seed, 42);
	assert_int_equal(world->failure.event, 12);
	assert_int_equal(world->failure.now, 7);
	assert_int_equal(world->failure.host, 0);
}

static void an_excused_rule_may_be_broken(void **state)
{
	(void)state;
	world->config.excused = 1u << SIM_RULE_FIN_MOVED;
	sim_fail(world, NULL, SIM_RULE_FIN_MOVED, NULL, 0, 0);
	holds();
	sim_fail(world, NULL, SIM_RULE_STALL, "more", 1, UINT64_MAX);
	breaks(SIM_RULE_STALL);
	assert_string_equal(world->failure.text,
			    "a host does not come to rest: more (1, 18446744073709551615)");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_connection_breaks_nothing),
		TEST(the_window_must_not_shrink),
		TEST(windows_are_scaled),
		TEST(text_must_not_pass_the_window),
		TEST(the_window_counts_when_it_arrives),
		TEST(only_what_was_sent_is_acknowledged),
		TEST(nothing_is_acknowledged_to_the_silent),
		TEST(a_forgery_that_arrived_may_be_acknowledged),
		TEST(what_lies_between_sender_and_forgery_may_not),
		TEST(a_forgery_excuses_only_who_got_it),
		TEST(forgeries_are_forgotten_in_their_order),
		TEST(a_forgery_leaves_the_connection_as_it_was),
		TEST(a_peer_who_begins_anew_unscales_no_window),
		TEST(a_connection_can_begin_without_a_syn_on_the_wire),
		TEST(only_what_was_offered_is_taken),
		TEST(a_fin_may_be_taken_beyond_the_window),
		TEST(a_fin_has_one_number),
		TEST(nothing_comes_behind_a_fin),
		TEST(a_rst_is_not_answered_with_a_rst),
		TEST(knows_the_edges),
		TEST(an_edge_must_exist),
		TEST(a_state_is_left_from_where_it_was),
		TEST(the_right_bytes_are_right),
		TEST(bytes_depend_on_stream_and_offset),
		TEST(each_bit_of_a_byte_counts),
		TEST(a_byte_twice_is_found),
		TEST(more_than_was_sent_is_found),
		TEST(an_early_end_is_found),
		TEST(an_end_that_nobody_sent_is_found),
		TEST(bytes_after_the_end_are_found),
		TEST(the_first_failure_is_told_in_full),
		TEST(an_excused_rule_may_be_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
