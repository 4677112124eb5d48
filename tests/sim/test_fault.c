/* SPDX-License-Identifier: MIT */
#include "sim/fault.h"

#include "forged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIZE ((size_t)1 << 20)

static void *base;
static struct sim_world *world;

static int set_up(void **state)
{
	(void)state;
	base = aligned_alloc(SIM_ARENA_ALIGN, SIZE);
	world = sim_world_new(base, SIZE, &(struct sim_config){.seed = 1});
	return world ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(base);
	return 0;
}

/* Sends it past the faults, and lets the flow know. */
static struct sim_verdict judge(struct forged f)
{
	struct sim_packet packet = forge(f);
	struct sim_verdict verdict = {0};
	unsigned way;
	struct sim_flow *flow = sim_flow_get(world, &packet.src, &packet.dst, &way);

	assert_non_null(flow);
	sim_flow_begin(flow, way, &packet.segment);
	sim_fault_judge(world, f.from, flow, way, &packet, &verdict);
	sim_flow_sent(flow, way, &packet.segment);
	return verdict;
}

static struct sim_fault_state *add(struct sim_fault fault)
{
	struct sim_fault_state *state = sim_fault_add(world, &fault);

	assert_non_null(state);
	return state;
}

static const struct forged syn = {0, TCP_SYN, 0, 0, 0, 1000, 0};
static const struct forged syn_ack = {1, TCP_SYN | TCP_ACK, 0, 1, 0, 1000, 0};
static const struct forged client_ack = {0, TCP_ACK, 1, 1, 0, 1000, 0};
static const struct forged client_fin = {0, TCP_FIN | TCP_ACK, 1, 1, 0, 1000, 0};
static const struct forged server_fin = {1, TCP_FIN | TCP_ACK, 1, 2, 0, 1000, 0};

static void drops_the_second_fin_from_the_client(void **state)
{
	struct sim_fault_state *fault = add(
		(struct sim_fault){.from = 1, .set = TCP_FIN, .nth = {2}, .action = SIM_DROP});

	(void)state;
	assert_false(judge(syn).drop);
	assert_false(judge(syn_ack).drop);
	assert_false(judge(client_fin).drop);
	assert_false(judge(server_fin).drop);
	assert_false(judge(server_fin).drop);
	assert_true(judge(client_fin).drop);
	assert_false(judge(client_fin).drop);
	assert_int_equal(fault->seen, 3);
	assert_int_equal(fault->acted, 1);
}

static void tells_syn_from_syn_ack(void **state)
{
	(void)state;
	add((struct sim_fault){.set = TCP_SYN | TCP_ACK, .nth = {1}, .action = SIM_DROP});
	add((struct sim_fault){
		.set = TCP_SYN, .clear = TCP_ACK, .nth = {2}, .action = SIM_DUPLICATE, .ns = 5});
	assert_int_equal(judge(syn).duplicates, 0);
	assert_true(judge(syn_ack).drop);
	assert_int_equal(judge(syn).duplicates, 1);
	assert_false(judge(syn_ack).drop);
}

/* Offset 5000 lies behind 2^32 as a sequence number: CLIENT_ISS + 5001 wraps. */
static void finds_an_offset_of_the_stream(void **state)
{
	struct sim_fault_state *fault = add(
		(struct sim_fault){.from = 1, .covers = true, .offset = 5000, .nth = {1, 3}});

	(void)state;
	judge(syn);
	judge(syn_ack);
	assert_false(judge((struct forged){0, TCP_ACK, 1, 1, 5000, 1000, 0}).drop);
	assert_int_equal(fault->seen, 0);
	assert_true(judge((struct forged){0, TCP_ACK, 5001, 1, 1, 1000, 0}).drop);
	assert_false(judge((struct forged){0, TCP_ACK, 4001, 1, 1001, 1000, 0}).drop);
	assert_true(judge((struct forged){0, TCP_ACK, 5001, 1, 1000, 1000, 0}).drop);
	assert_false(judge((struct forged){0, TCP_ACK, 5002, 1, 1000, 1000, 0}).drop);
	assert_false(judge((struct forged){1, TCP_ACK, 5001, 1, 1000, 1000, 0}).drop);
	assert_int_equal(fault->seen, 3);
}

static void knows_what_was_sent_before(void **state)
{
	struct sim_fault_state *again = add(
		(struct sim_fault){.text = true, .again = SIM_SENT_AGAIN, .action = SIM_DELAY});
	struct sim_fault_state *first = add(
		(struct sim_fault){.text = true, .again = SIM_FIRST_TIME, .action = SIM_DELAY});

	(void)state;
	judge(syn);
	judge(syn_ack);
	judge((struct forged){0, TCP_ACK, 1, 1, 100, 1000, 0});
	judge((struct forged){0, TCP_ACK, 101, 1, 100, 1000, 0});
	judge((struct forged){0, TCP_ACK, 1, 1, 200, 1000, 0});
	judge((struct forged){0, TCP_ACK, 101, 1, 101, 1000, 0});
	assert_int_equal(again->seen, 1);
	assert_int_equal(first->seen, 3);
}

static void sees_empty_segments_and_ports(void **state)
{
	struct sim_fault_state *empty = add((struct sim_fault){.empty = true});
	struct sim_fault_state *port = add((struct sim_fault){.port = 4000, .set = TCP_SYN});
	struct sim_fault_state *other = add((struct sim_fault){.port = 81});

	(void)state;
	judge(syn);
	judge(syn_ack);
	judge(client_ack);
	judge((struct forged){0, TCP_ACK, 1, 1, 1, 1000, 0});
	judge(client_fin);
	assert_int_equal(empty->seen, 1);
	assert_int_equal(port->seen, 2);
	assert_int_equal(other->seen, 0);
}

static void holds_between_its_times(void **state)
{
	struct sim_fault_state *fault = add((struct sim_fault){.since = 10, .until = 20});

	(void)state;
	for (world->now = 0; world->now < 30; world->now++)
		assert_int_equal(judge(client_ack).drop, world->now >= 10 && world->now < 20);
	assert_int_equal(fault->acted, 10);
}

static void several_faults_add_up(void **state)
{
	struct sim_verdict v;

	(void)state;
	add((struct sim_fault){.action = SIM_DELAY, .ns = 3});
	add((struct sim_fault){.action = SIM_DELAY, .ns = 4});
	add((struct sim_fault){.action = SIM_DUPLICATE, .ns = 9});
	add((struct sim_fault){.action = SIM_CORRUPT, .bit = 17});
	v = judge(client_ack);
	assert_int_equal(v.delay_ns, 7);
	assert_int_equal(v.duplicates, 1);
	assert_int_equal(v.behind_ns[0], 9);
	assert_true(v.corrupt);
	assert_int_equal(v.bit, 17);
	assert_false(v.drop);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(drops_the_second_fin_from_the_client),
		TEST(tells_syn_from_syn_ack),
		TEST(finds_an_offset_of_the_stream),
		TEST(knows_what_was_sent_before),
		TEST(sees_empty_segments_and_ports),
		TEST(holds_between_its_times),
		TEST(several_faults_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
