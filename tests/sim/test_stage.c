/* SPDX-License-Identifier: MIT */
/*
 * Scenarios staged: what they say happens, once and in each run alike; and those that once found
 * something, kept as files, end well.
 */
#include "net/host.h"
#include "sim/draw.h"
#include "sim/host.h"
#include "sim/lan.h"
#include "sim/scenario_text.h"
#include "sim/stage.h"
#include "sim/user.h"
#include "wire/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARENA ((size_t)64 << 20)
#define HOSTS "seed 1\nheal 100s\nlimit 1000s\ncheck 1\nhost ann\nhost bob\n"
#define HEAD  HOSTS "lan\n"
#define PORTS "port ann 1 delay=10ms\nport bob 1 delay=10ms\n"

static void *base;
static struct sim_scenario scenario;

static int set_up(void **state)
{
	(void)state;
	base = aligned_alloc(SIM_ARENA_ALIGN, ARENA);
	return base ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(base);
	return 0;
}

static struct sim_world *stage(const char *text)
{
	struct sim_complaint complaint;
	struct sim_world *world;
	const char *wrong;

	if (!sim_scenario_read(&scenario, text, strlen(text), &complaint))
		fail_msg("line %u: %s", complaint.line, complaint.text);
	world = sim_stage_new(base, ARENA, &scenario, NULL, &wrong);
	if (!world)
		fail_msg("%s", wrong);
	return world;
}

static struct sim_world *run(const char *text)
{
	struct sim_world *world = stage(text);

	if (sim_stage_run(world) != SIM_SETTLED)
		fail_msg("%s", world->failure.text);
	return world;
}

static void the_same_scenario_is_the_same_world(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		uint64_t digest[2], events[2];

		sim_draw(&scenario, seed);
		for (int i = 0; i < 2; i++) {
			const char *wrong;
			struct sim_world *world = sim_stage_new(base, ARENA, &scenario, NULL,
								&wrong);

			assert_non_null(world);
			assert_int_equal(sim_stage_run(world), SIM_SETTLED);
			digest[i] = world->digest;
			events[i] = world->events;
		}
		assert_true(digest[0] == digest[1]);
		assert_true(events[0] == events[1]);
	}
}

static void another_seed_is_another_world(void **state)
{
	uint64_t one, other;

	(void)state;
	one = run(HEAD PORTS "work download ann bob port=1 bytes=1000\n")->digest;
	other = run("seed 2\nheal 100s\nlimit 1000s\ncheck 1\nhost ann\nhost bob\nlan\n" PORTS
		    "work download ann bob port=1 bytes=1000\n")
			->digest;
	assert_true(one != other);
}

static void a_setting_that_is_refused_is_told(void **state)
{
	const char *text = "limit 1s\nhost ann memory=1\n", *wrong;
	struct sim_complaint complaint;

	(void)state;
	assert_true(sim_scenario_read(&scenario, text, strlen(text), &complaint));
	assert_null(sim_stage_new(base, ARENA, &scenario, NULL, &wrong));
	assert_string_equal(wrong, "a host, LAN or port cannot be made");
	assert_null(sim_stage_new(base, SIM_ARENA_ALIGN, &scenario, NULL, &wrong));
	assert_string_equal(wrong, "there is not enough room");
}

/* The clock of one host, and the path of another, change while bytes are under way. */
static void changes_come_at_their_time(void **state)
{
	struct sim_world *world = stage(HEAD PORTS "work download ann bob port=1 bytes=300000\n"
						   "route bob 1 at=50ms delay=70ms\n"
						   "narrow bob 1 at=60ms mtu=900\n"
						   "jump ann at=70ms by=3s\n");

	(void)state;
	assert_int_equal(sim_run_until(world, 49000000), SIM_RAN);
	assert_true(world->host[1]->port[0]->path.config.delay_ns == 10000000);
	assert_int_equal(sim_run_until(world, 69000000), SIM_RAN);
	assert_true(world->host[1]->port[0]->path.config.delay_ns == 70000000);
	assert_int_equal(world->host[1]->port[0]->narrow, 900);
	assert_true(world->host[0]->clock_ahead == 0);
	assert_int_equal(sim_stage_run(world), SIM_SETTLED);
	assert_true(world->host[0]->clock_ahead == 3000000000);
	assert_int_equal(world->coverage.mishap[SIM_MISHAP_ROUTE], 1);
	assert_int_equal(world->coverage.mishap[SIM_MISHAP_NARROWED], 1);
	assert_int_equal(world->coverage.mishap[SIM_MISHAP_CLOCK_JUMP], 1);
	assert_true(world->coverage.fate[SIM_TOO_BIG] > 0);
	assert_true(parley_counter(world->host[1]->engine, PARLEY_COUNTER_PATH_MTU_LOWERED) > 0);
}

/* Without ICMP nothing that is too long arrives before the links are whole. */
static void a_mute_way_is_a_black_hole(void **state)
{
	struct sim_world *world = run(HEAD PORTS "work download ann bob port=1 bytes=30000\n"
						 "set bob r2 0s\nset ann keepalive 1\n"
						 "narrow bob 1 at=0s mtu=900 mute=1\n");

	(void)state;
	assert_true(world->now > 100000000000);
	assert_true(parley_counter(world->host[1]->engine, PARLEY_COUNTER_PATH_MTU_LOWERED) == 0);
}

static void an_act_comes_when_its_state_does(void **state)
{
	struct sim_world *world = run(HEAD PORTS "work download ann bob port=1 bytes=30000\n"
						 "act abort bob in=LAST-ACK\n"
						 "act abort ann in=FIN-WAIT-2\n");

	(void)state;
	/* Bob, who closes first, never comes to the first state, nor ann to the second. */
	assert_int_equal(world->coverage.mishap[SIM_MISHAP_ACT], 0);
	world = run(HEAD PORTS "work download ann bob port=1 bytes=30000\n"
			       "act abort bob in=FIN-WAIT-1\n");
	assert_int_equal(world->coverage.mishap[SIM_MISHAP_ACT], 1);
	assert_true(world->coverage.edge[PARLEY_FIN_WAIT_1][PARLEY_CLOSED] > 0);
}

static int64_t setting_of(const struct sim_world *world, uint32_t user, enum parley_setting setting)
{
	int64_t value = -1;

	assert_int_equal(parley_get(world->user[user]->host->engine, world->user[user]->conn,
				    setting, &value),
			 0);
	return value;
}

/* The listener is user 0, and the client is user 1. */
static void a_setting_changes_midway_and_back(void **state)
{
	struct sim_world *world = stage(HEAD PORTS
					"work idle ann bob port=1 pause=1s\nset ann ttl 70\n"
					"tune ann ttl 80 in=ESTABLISHED after=50ms lasts=100ms\n"
					"tune bob backlog 3 in=LISTEN after=30ms\n"
					"tune bob somaxconn 5 after=40ms\n"
					"tune bob ttl 90 in=CLOSE-WAIT\n");
	int64_t value = 0;

	(void)state;
	assert_int_equal(sim_run_until(world, PARLEY_MS(35)), SIM_RAN);
	assert_int_equal(setting_of(world, 0, PARLEY_SET_BACKLOG), 3);
	/* Connected after the round trip of ARP and that of the SYN. */
	assert_int_equal(sim_run_until(world, PARLEY_MS(80)), SIM_RAN);
	assert_true(world->user[1]->connected);
	assert_int_equal(setting_of(world, 1, PARLEY_SET_TTL), 70);
	assert_int_equal(
		parley_get(world->host[1]->engine, PARLEY_NO_CONN, PARLEY_SET_SOMAXCONN, &value),
		0);
	assert_int_equal(value, 5);
	assert_int_equal(sim_run_until(world, PARLEY_MS(120)), SIM_RAN);
	assert_int_equal(setting_of(world, 1, PARLEY_SET_TTL), 80);
	assert_int_equal(sim_run_until(world, PARLEY_MS(220)), SIM_RAN);
	assert_int_equal(setting_of(world, 1, PARLEY_SET_TTL), 70);
	assert_int_equal(world->coverage.mishap[SIM_MISHAP_TUNE], 4);
	assert_int_equal(sim_stage_run(world), SIM_SETTLED);
	/* Bob's connection came to CLOSE-WAIT. */
	assert_int_equal(world->coverage.mishap[SIM_MISHAP_TUNE], 5);
}

static void an_interface_gets_another_mtu(void **state)
{
	struct sim_world *world = stage(HEAD PORTS "work download ann bob port=1 bytes=300000\n"
						   "resize bob 1 at=100ms mtu=700\n");
	struct parley_tcp_info info = {.size = sizeof info};

	(void)state;
	assert_int_equal(sim_run_until(world, PARLEY_MS(110)), SIM_RAN);
	assert_int_equal(world->host[1]->port[0]->mtu, 700);
	assert_int_equal(parley_tcp_info(world->host[1]->engine, world->user[2]->conn, &info), 0);
	assert_int_equal(info.pmtu, 700);
	assert_int_equal(sim_stage_run(world), SIM_SETTLED);
	assert_int_equal(world->user[1]->received, 300000);
}

static void an_address_is_away_for_a_while(void **state)
{
	struct sim_world *world = run(HEAD PORTS "work download ann bob port=1 bytes=300000\n"
						 "absent bob 1 since=100ms until=4s\n");

	(void)state;
	assert_int_equal(world->user[1]->received, 300000);
	assert_true(world->now > PARLEY_S(4) && world->now < PARLEY_S(100));
}

/* Its connections end with it, and another is made when it is there again. */
static void an_interface_is_away_for_a_while(void **state)
{
	struct sim_world *world = run(HEAD PORTS
				      "work short ann bob port=1 bytes=300000 patience=50s\n"
				      "set bob keepalive 1\nset bob keepalive-idle 10s\n"
				      "absent ann 1 since=100ms until=4s interface=1\n"
				      "absent ann 1 since=2s until=3s\n");

	(void)state;
	assert_true(world->user[1]->failed > 0 || world->user[1]->error == PARLEY_ENETUNREACH);
	assert_true(world->now > PARLEY_S(4));
	assert_int_equal(world->coverage.mishap[SIM_MISHAP_ABSENCE], 1);
	assert_true(world->host[0]->port[0]->ifindex > 0);
}

/* The same over IPv6, where the link tells of itself by ICMPv6, and nobody has one address. */
static void a_lan_can_be_of_ipv6(void **state)
{
	struct sim_world *world = run(HOSTS "lan v6=1\n" PORTS
					    "work download ann bob port=1 bytes=300000\n"
					    "work nobody ann bob port=2\n"
					    "narrow bob 1 at=60ms mtu=1300\n");

	(void)state;
	assert_false(ip_is_v4(&world->host[0]->port[0]->addr));
	assert_int_equal(world->user[1]->received, 300000);
	assert_int_equal(world->user[2]->error, PARLEY_EHOSTUNREACH);
	assert_true(world->coverage.fate[SIM_TOO_BIG] > 0);
	assert_true(parley_counter(world->host[1]->engine, PARLEY_COUNTER_PATH_MTU_LOWERED) > 0);
	assert_true(world->now < 100000000000);
}

/* Each kind of forgery is refused for the reason that it is named for. */
static void refused_for_their_reason(const char *lan, bool v6)
{
	static const struct {
		const char *line;
		enum parley_drop reason;
	} cases[] = {
		{"forge truncated ann nth=4", PARLEY_DROP_TRUNCATED},
		{"forge not-ours ann nth=4", PARLEY_DROP_NOT_OURS},
		{"forge protocol ann nth=4", PARLEY_DROP_UNKNOWN_PROTOCOL},
		{"forge ip-header ann nth=4", PARLEY_DROP_IP_HEADER},
		{"forge ip-checksum ann nth=4", PARLEY_DROP_IP_CHECKSUM},
		{"forge ip-source ann nth=4", PARLEY_DROP_IP_SOURCE},
		{"forge fragment ann nth=4", PARLEY_DROP_IP_FRAGMENT},
		{"forge source-route ann nth=4", PARLEY_DROP_IP_SOURCE_ROUTE},
		{"forge icmp-malformed ann nth=4", PARLEY_DROP_ICMP_MALFORMED},
		{"forge icmp-ignored ann nth=4", PARLEY_DROP_ICMP_IGNORED},
		{"forge arp-malformed ann nth=4", PARLEY_DROP_ARP_MALFORMED},
		{"forge tcp-header ann nth=4", PARLEY_DROP_TCP_HEADER},
		{"forge tcp-checksum ann nth=4", PARLEY_DROP_TCP_CHECKSUM},
		{"forge tcp-destination ann nth=4", PARLEY_DROP_TCP_DESTINATION},
		{"forge stranger-ack ann nth=4", PARLEY_DROP_NO_CONNECTION},
		{"forge stranger-ack ann set=S", PARLEY_DROP_LISTEN_ACK},
		{"forge stranger-rst ann set=S", PARLEY_DROP_LISTEN_RST},
		{"forge stranger-rst ann nth=4", PARLEY_DROP_RST_CLOSED},
		{"forge stranger-syn-fin ann set=S", PARLEY_DROP_LISTEN_SYN_FIN},
		{"forge stranger-none ann set=S", PARLEY_DROP_NO_FLAGS},
		{"forge stranger-burst ann nth=4", PARLEY_DROP_REPLY_RING_FULL},
		{"forge far-away ann nth=4", PARLEY_DROP_NO_ROUTE},
		{"forge no-flags ann nth=4", PARLEY_DROP_NO_FLAGS},
		{"forge no-ack ann nth=4", PARLEY_DROP_SYN_CHALLENGED},
		{"set bob bare-segments 1\nforge no-flags ann nth=4", PARLEY_DROP_NO_ACK},
		{"forge before-window ann nth=4", PARLEY_DROP_OUT_OF_WINDOW},
		{"forge beyond-window ann nth=4", PARLEY_DROP_OUT_OF_WINDOW},
		{"forge at-edge ann nth=4", PARLEY_DROP_OUT_OF_WINDOW},
		{"forge text-after-fin bob set=F after=15ms", PARLEY_DROP_TEXT_AFTER_FIN},
		{"forge rst-beyond ann nth=4", PARLEY_DROP_RST_OUT_OF_WINDOW},
		{"forge rst-inside ann nth=4", PARLEY_DROP_RST_CHALLENGED},
		{"forge syn-inside ann nth=4", PARLEY_DROP_SYN_CHALLENGED},
		{"forge syn-beyond ann nth=4", PARLEY_DROP_OUT_OF_WINDOW},
		{"forge ack-unsent ann nth=4", PARLEY_DROP_ACK_UNSENT},
		{"forge ack-old ann nth=4", PARLEY_DROP_ACK_TOO_OLD},
		{"forge back-ack ann set=S", PARLEY_DROP_SYN_SENT_ACK},
		{"forge back-ack bob set=S", PARLEY_DROP_SYN_RECEIVED_ACK},
		{"forge back-ack ann nth=4", PARLEY_DROP_ACK_UNSENT},
		{"forge back-rst ann set=S", PARLEY_DROP_SYN_SENT_RST},
		{"forge back-other ann set=S", PARLEY_DROP_SYN_SENT_OTHER},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		const struct sim_world *world;
		enum parley_drop reason = cases[i].reason;

		/* IPv6 has neither. */
		if (v6 &&
		    (reason == PARLEY_DROP_IP_CHECKSUM || reason == PARLEY_DROP_ARP_MALFORMED))
			continue;
		snprintf(text, sizeof text,
			 HOSTS "%s" PORTS "work ping-pong ann bob port=1 bytes=3000 count=3\n%s\n",
			 lan, cases[i].line);
		world = run(text);
		if (!world->coverage.drop[reason])
			fail_msg("%s: not %s", cases[i].line, parley_drop_name((int)reason));
	}
}

static void forgeries_are_refused_for_their_reason(void **state)
{
	(void)state;
	refused_for_their_reason("lan\n", false);
}

static void so_they_are_over_ipv6(void **state)
{
	(void)state;
	refused_for_their_reason("lan v6=1\n", true);
}

/* A RST that hits ends the connection, and nothing else. */
static void an_exact_forged_reset_ends_the_connection(void **state)
{
	struct sim_world *world = run(HEAD PORTS "work download ann bob port=1 bytes=300000\n"
						 "forge rst-exact ann nth=20\n");

	(void)state;
	assert_int_equal(world->user[0]->error, 0);
	assert_int_equal(world->coverage.edge[PARLEY_TIME_WAIT][PARLEY_CLOSED], 0);
}

static void single_bytes_with_holes_between_do_no_harm(void **state)
{
	struct sim_world *world = run(HEAD PORTS "work download ann bob port=1 bytes=300000\n"
						 "forge holes bob nth=30\n");

	(void)state;
	assert_true(world->coverage.drop[PARLEY_DROP_RANGES_FULL] > 0);
	assert_int_equal(world->coverage.edge[PARLEY_TIME_WAIT][PARLEY_CLOSED], 1);
}

/* The client is ESTABLISHED and says nothing; the listener takes him when its patience is over. */
static void a_listener_waits_for_text(void **state)
{
	struct sim_world *world = run(HEAD PORTS "set bob defer-accept 5s\n"
						 "work download ann bob port=1 bytes=1000\n");

	(void)state;
	assert_int_equal(world->coverage.drop[PARLEY_DROP_ACCEPT_DEFERRED], 1);
	assert_int_equal(world->coverage.edge[PARLEY_TIME_WAIT][PARLEY_CLOSED], 1);
}

/* Runs tests/sim/scenarios/NAME.scenario, which failed once. */
static const struct sim_world *ends_well(const char *name)
{
	static char text[SIM_SCENARIO_TEXT_MAX];
	const char *source = getenv("PARLEY_SOURCE");
	char path[4096];
	size_t len;
	FILE *file;

	snprintf(path, sizeof path, "%s/tests/sim/scenarios/%s.scenario", source ? source : ".",
		 name);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s cannot be read", path);
	len = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[len] = '\0';
	return run(text);
}

/* The window of a SYN,ACK that crossed another was scaled, and more than fits was sent. */
static void the_window_of_a_crossing_syn_is_not_scaled(void **state)
{
	(void)state;
	ends_well("window-of-a-crossing-syn");
}

/* A loss had left one short segment of cwnd when the path became wide again. */
static void cwnd_is_a_segment_when_segments_grow(void **state)
{
	(void)state;
	ends_well("cwnd-when-segments-grow");
}

/* An ACK from SYN-RECEIVED offered more than the SYN entry remembered when it became a TCB. */
static void a_half_open_connection_offers_what_it_remembers(void **state)
{
	(void)state;
	ends_well("window-of-a-half-open-connection");
}

/*
 * A user who asked for memory again and again kept the timer from which text is sent in spite of a
 * small window from being armed; all memory was taken by that text.
 */
static void who_waits_for_memory_does_not_keep_text_back(void **state)
{
	(void)state;
	ends_well("text-kept-back-by-memory");
}

/*
 * So many clients asked a listener again and again over a slow link that its host needed a second
 * leaf of slots. It stays, with the generations in it, and is no leak.
 */
static void a_leaf_of_slots_stays(void **state)
{
	const struct sim_world *world = ends_well("a-leaf-of-slots-more");

	(void)state;
	assert_true(world->host[0]->engine->tcp.slots.cut > 1u << SLOT_LEAF_BITS);
}

/*
 * A forged SYN met TIME-WAIT and opened a connection (MAY-2), whose SYN,ACK acknowledged what only
 * the forgery had sent: right, but the oracle did not know of it.
 */
static void a_forged_syn_that_ends_time_wait_is_acknowledged(void **state)
{
	const struct sim_world *world = ends_well("acknowledged-forged-syn");

	(void)state;
	/* Two that the users made, and the forged one, which never came to stand. */
	assert_int_equal(world->coverage.forged[SIM_FORGE_SYN_INSIDE], 1);
	assert_int_equal(world->coverage.edge[PARLEY_LISTEN][PARLEY_SYN_RECEIVED], 3);
	assert_int_equal(world->coverage.edge[PARLEY_SYN_RECEIVED][PARLEY_ESTABLISHED], 2);
}

/*
 * A forged SYN with the real one's number, but without a window scale, met a listener who had given
 * the connection up; the oracle took the windows of the side that still had it for unscaled.
 */
static void a_forged_syn_unscales_no_window(void **state)
{
	const struct sim_world *world = ends_well("forged-syn-without-scale");

	(void)state;
	assert_int_equal(world->coverage.forged[SIM_FORGE_NO_ACK], 1);
}

/*
 * A SYN,ACK waited for its neighbour's address, and a challenge ACK took its place: the oracle took
 * that for an answer in the connection before, which had offered less.
 */
static void a_challenge_ack_overtakes_its_syn_ack(void **state)
{
	const struct sim_world *world = ends_well("syn-ack-lost-inside");

	(void)state;
	assert_true(world->coverage.drop[PARLEY_DROP_REPLY_RING_FULL] > 0);
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_scenario_is_the_same_world),
		TEST(another_seed_is_another_world),
		TEST(a_setting_that_is_refused_is_told),
		TEST(changes_come_at_their_time),
		TEST(a_mute_way_is_a_black_hole),
		TEST(an_act_comes_when_its_state_does),
		TEST(a_setting_changes_midway_and_back),
		TEST(an_interface_gets_another_mtu),
		TEST(an_address_is_away_for_a_while),
		TEST(an_interface_is_away_for_a_while),
		TEST(a_lan_can_be_of_ipv6),
		TEST(forgeries_are_refused_for_their_reason),
		TEST(so_they_are_over_ipv6),
		TEST(an_exact_forged_reset_ends_the_connection),
		TEST(single_bytes_with_holes_between_do_no_harm),
		TEST(a_listener_waits_for_text),
		TEST(the_window_of_a_crossing_syn_is_not_scaled),
		TEST(cwnd_is_a_segment_when_segments_grow),
		TEST(a_half_open_connection_offers_what_it_remembers),
		TEST(who_waits_for_memory_does_not_keep_text_back),
		TEST(a_leaf_of_slots_stays),
		TEST(a_forged_syn_that_ends_time_wait_is_acknowledged),
		TEST(a_forged_syn_unscales_no_window),
		TEST(a_challenge_ack_overtakes_its_syn_ack),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
