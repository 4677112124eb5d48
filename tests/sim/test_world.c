/* SPDX-License-Identifier: MIT */
/* The world itself: when it ends, how it fails, who gets which frame, and that it repeats. */
#include "scene.h"

#include "base/rng.h"
#include "net/host.h"
#include "sim/packet.h"
#include "wire/ipv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct scene scene;

static int set_up(void **state)
{
	struct sim_pair_config config = scene_config(1);

	(void)state;
	scene_begin(&scene, &config);
	return 0;
}

static struct sim_workload download(uint64_t bytes)
{
	return (struct sim_workload){.kind = SIM_DOWNLOAD,
				     .client = SIM_CLIENT,
				     .server = SIM_SERVER,
				     .port = 80,
				     .bytes = bytes};
}

static void nothing_to_do_is_settled(void **state)
{
	(void)state;
	assert_true(sim_settled(scene.world));
	scene_finish(&scene, 1);
	assert_int_equal(scene.world->events, 0);
}

static void each_step_is_one_event(void **state)
{
	struct sim_workload w = download(1000);
	struct sim_workload_users users;
	uint64_t now = 0;

	(void)state;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	for (uint64_t n = 1; !sim_settled(scene.world); n++) {
		assert_int_equal(sim_step(scene.world), SIM_RAN);
		assert_int_equal(scene.world->events, n);
		assert_true(scene.world->now >= now);
		now = scene.world->now;
	}
	assert_true(scene.world->user[users.client]->over);
	assert_true(scene.world->user[users.client]->eof);
}

static void runs_to_a_time_and_not_beyond(void **state)
{
	struct sim_workload w = download(1000);
	struct sim_workload_users users;

	(void)state;
	w.start = 2 * S;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	assert_int_equal(sim_run_until(scene.world, 2 * S - 1), SIM_RAN);
	assert_int_equal(scene.world->now, 2 * S - 1);
	assert_int_equal(scene.world->frames_sent, 0);
	assert_int_equal(sim_run_until(scene.world, 2 * S), SIM_RAN);
	assert_int_equal(scene.world->frames_sent, 1);
}

static void who_waits_too_long_is_late(void **state)
{
	const struct sim_op ops[] = {SIM_SLEEP(100 * S)};

	(void)state;
	SCENE_USER(&scene, SIM_CLIENT, ops);
	scene_fails(&scene, 10, SIM_RULE_LATE);
}

static void who_waits_for_nothing_is_stuck(void **state)
{
	const struct sim_op ops[] = {SIM_LISTEN(80, 1), SIM_ACCEPT(0)};

	(void)state;
	SCENE_USER(&scene, SIM_CLIENT, ops);
	scene_fails(&scene, 100000, SIM_RULE_STUCK);
}

/* A connection that nobody ends is one too, users or not. */
static void an_open_connection_is_not_settled(void **state)
{
	const struct sim_op accepted[] = {SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(80, 5),
					SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted))};
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_WAIT(SIM_UNTIL_DEAD)};

	(void)state;
	SCENE_USER(&scene, SIM_SERVER, server);
	SCENE_USER(&scene, SIM_CLIENT, client);
	assert_int_not_equal(sim_finish(scene.world, 100 * S), SIM_SETTLED);
}

static void memory_that_stays_is_a_leak(void **state)
{
	struct sim_workload w = download(1000);
	struct sim_workload_users users;

	(void)state;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	scene.world->host[SIM_SERVER]->empty_charge--;
	scene_fails(&scene, 200, SIM_RULE_LEAK);
	assert_int_equal(scene.world->failure.host, SIM_SERVER);
}

/* A frame whose bytes are not those that were sent. */
static void a_frame_that_changes_is_found(void **state)
{
	struct sim_pair_config config = scene_config(1);
	struct sim_workload w = download(1000);
	struct sim_workload_users users;
	struct sim_event *first;

	(void)state;
	config.lan.hold_ns = MS;
	scene_begin(&scene, &config);
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	while (!scene.world->frames_held)
		assert_int_equal(sim_step(scene.world), SIM_RAN);
	first = sim_queue_first(&scene.world->queue);
	assert_int_equal(first->kind, SIM_EVENT_DONE);
	((struct sim_held *)first->owner)->frame.header[0] ^= 1;
	scene_fails(&scene, 1, SIM_RULE_HELD_FRAME);
}

/* TIME-WAIT that was begun with a shorter MSL than what holds at its end. */
static void a_short_time_wait_is_found(void **state)
{
	struct sim_workload w = download(1000);
	struct sim_workload_users users;

	(void)state;
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_MSL, 10 * S), 0);
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	assert_int_equal(sim_run_until(scene.world, S), SIM_RAN);
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_MSL, 11 * S), 0);
	scene_fails(&scene, 100, SIM_RULE_TIME_WAIT);
}

/* Bytes that wait for a user who was never told of them, and so does not ask. */
static void an_event_that_is_not_told_is_found(void **state)
{
	struct sim_workload w = download(1000);
	struct sim_workload_users users;
	struct sim_user *reader;

	(void)state;
	w.kind = SIM_SLOW_READER;
	w.pause = 2 * S;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	assert_int_equal(sim_run_until(scene.world, S), SIM_RAN);
	reader = scene.world->user[users.client];
	assert_int_equal(sim_user_untold(reader), 0);
	reader->awaits = PARLEY_READABLE;
	assert_int_equal(sim_user_untold(reader), PARLEY_READABLE);
	scene_fails(&scene, 10, SIM_RULE_UNTOLD);
	assert_int_equal(reader->received, 0);
}

/* Room in a send buffer, likewise. */
static void a_user_does_not_send_before_it_is_told(void **state)
{
	struct sim_workload w = download(1000);
	struct sim_workload_users users;
	struct sim_user *sender;

	(void)state;
	w.kind = SIM_UPLOAD;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	assert_int_equal(sim_pair_set(scene.world, PARLEY_SET_SEND_BUFFER, 500), 0);
	sender = scene.world->user[users.client];
	while (!(sender->awaits & PARLEY_WRITABLE))
		assert_int_equal(sim_step(scene.world), SIM_RAN);
	assert_true(sender->sent > 0 && sender->sent < 1000);
	assert_int_equal(parley_ready(sender->host->engine, sender->conn) & PARLEY_WRITABLE, 0);
	scene_finish(&scene, 100);
	assert_int_equal(sender->sent, 1000);
}

/* Changes the text of a frame under way, and makes its checksum right again. */
static void forge_text(struct sim_frame *frame)
{
	struct sim_packet packet;
	size_t at;
	uint16_t word;

	sim_packet_read(&packet, PARLEY_LINK_ETHERNET, frame->bytes, frame->len);
	at = (size_t)(packet.segment.text - frame->bytes);
	/* Two words change places: the sum stays. */
	at += (at ^ ((size_t)(packet.ip.payload - frame->bytes))) & 1;
	memcpy(&word, frame->bytes + at, 2);
	memcpy(frame->bytes + at, frame->bytes + at + 2, 2);
	memcpy(frame->bytes + at + 2, &word, 2);
}

static bool carries_text(const struct sim_event *event)
{
	const struct sim_frame *frame = event->owner;
	struct sim_packet packet;

	if (event->kind != SIM_EVENT_FRAME)
		return false;
	sim_packet_read(&packet, PARLEY_LINK_ETHERNET, frame->bytes, frame->len);
	return packet.kind == SIM_PACKET_TCP && packet.segment.text_len >= 100;
}

static void forged_text_is_found(void **state)
{
	struct sim_workload w = download(1000);
	struct sim_workload_users users;

	(void)state;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	while (!carries_text(sim_queue_first(&scene.world->queue)))
		assert_int_equal(sim_step(scene.world), SIM_RAN);
	forge_text(sim_queue_first(&scene.world->queue)->owner);
	scene_fails(&scene, 10, SIM_RULE_BYTES);
	assert_int_equal(scene.world->failure.host, SIM_CLIENT);
	/* It stays where it stopped. */
	assert_int_equal(sim_step(scene.world), SIM_FAILED);
}

/* Both ends connected, nothing more to come before 20 s: somewhere to break things. */
static struct tcp *two_connected(void)
{
	const struct sim_op accepted[] = {SIM_WAIT(SIM_UNTIL_DEAD)};
	const struct sim_op server[] = {SIM_LISTEN(80, 5),
					SIM_ACCEPT(SCENE_PROGRAM(&scene, accepted))};
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_AT(20 * S), SIM_CLOSE(),
					SIM_WAIT(SIM_UNTIL_DEAD)};

	SCENE_USER(&scene, SIM_SERVER, server);
	SCENE_USER(&scene, SIM_CLIENT, client);
	assert_int_equal(sim_run_until(scene.world, S), SIM_RAN);
	return &scene.world->host[SIM_CLIENT]->engine->tcp;
}

static void a_broken_invariant_is_found(void **state)
{
	(void)state;
	two_connected()->time_wait.count++;
	scene_fails(&scene, 100, SIM_RULE_INVARIANT);
}

static void a_failed_assertion_is_found(void **state)
{
	(void)state;
	two_connected()->counters[PARLEY_COUNTER_MUST_FAILED]++;
	scene_fails(&scene, 100, SIM_RULE_INTERNAL);
}

/* With the engine's own check excused, what STATUS says is judged all the same. */
static void a_wrong_order_is_found(void **state)
{
	struct tcp *tcp = two_connected();
	struct tcb *tcb = slot_object(&tcp->slots, scene.world->user[1]->conn, ENTRY_TCB);

	(void)state;
	assert_non_null(tcb);
	scene.world->config.excused = 1u << SIM_RULE_INVARIANT;
	tcb->snd.una = seq_add(tcb->snd.nxt, 1);
	sim_host_settle(scene.world->host[SIM_CLIENT]);
	scene_fails(&scene, 1, SIM_RULE_SEND_ORDER);
}

static void a_stray_event_is_found(void **state)
{
	(void)state;
	two_connected();
	scene.world->user[1]->conn++;
	assert_int_equal(
		parley_abort(scene.world->host[SIM_SERVER]->engine, S, scene.world->user[2]->conn),
		0);
	sim_host_settle(scene.world->host[SIM_SERVER]);
	scene_fails(&scene, 100, SIM_RULE_EVENT);
}

/* The same in any place of memory: no address has a say in anything. */
static void the_base_does_not_matter(void **state)
{
	struct sim_pair_config config = scene_config(9);
	size_t size = SCENE_ARENA / 2;
	uint8_t *base = aligned_alloc(SIM_ARENA_ALIGN, SCENE_ARENA);
	struct sim_workload w = download(200000);
	uint64_t digest[3];

	(void)state;
	assert_non_null(base);
	config.to_server.loss = config.to_client.loss = 30000;
	for (size_t i = 0; i < 3; i++) {
		struct sim_workload_users users;
		struct sim_world *world;

		memset(base, (int)i, SCENE_ARENA);
		world = sim_pair_new(base + i * 3 * SIM_ARENA_ALIGN, size, &config);
		assert_non_null(world);
		assert_int_equal(sim_workload_add(world, &w, &users), 0);
		assert_int_equal(sim_finish(world, 300 * S), SIM_SETTLED);
		digest[i] = world->digest;
	}
	assert_true(digest[0] == digest[1] && digest[1] == digest[2]);
	free(base);
}

/* Time may begin anywhere. */
static void the_start_does_not_matter(void **state)
{
	struct sim_pair_config config = scene_config(1);
	struct sim_workload w = download(100000);
	struct sim_workload_users users;
	uint64_t frames = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		config.world.start = i ? (uint64_t)1 << 62 : 0;
		scene_begin(&scene, &config);
		assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
		scene_finish(&scene, 200);
		assert_true(!frames || frames == scene.world->frames_sent);
		frames = scene.world->frames_sent;
	}
}

/* Which hosts got a TCP segment that was not meant for them. */
struct strays {
	unsigned tcp[3];
	unsigned other[3];
};

static void count_strays(void *context, const struct sim_sight *sight)
{
	struct strays *strays = context;
	struct sim_packet packet;

	if (sight->fate != SIM_DELIVERED)
		return;
	sim_packet_read(&packet, PARLEY_LINK_ETHERNET, sight->bytes, sight->len);
	if (packet.kind == SIM_PACKET_TCP)
		strays->tcp[sight->to]++;
	else
		strays->other[sight->to]++;
}

/* Three hosts on one LAN: ARP requests go to all, segments only to whom they are for. */
static void a_switch_sends_where_it_should(void **state)
{
	struct strays strays = {0};
	struct sim_pair_config config = scene_config(1);
	struct parley_addr addr = ip_from_v4(0xc0000203);
	struct path_config path = {.delay_ns = 10 * MS};
	struct sim_workload w = download(20000);
	struct sim_workload_users users;
	int third;

	(void)state;
	scene_begin(&scene, &config);
	scene.world->config.hooks = (struct sim_hooks){.context = &strays, .frame = count_strays};
	third = sim_host_add(scene.world, "third", 0);
	assert_int_equal(third, 2);
	assert_int_equal(sim_host_join(scene.world, third, 0, &addr, 24, &path), 0);
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	scene_finish(&scene, 200);
	assert_int_equal(strays.tcp[2], 0);
	assert_true(strays.tcp[0] > 10 && strays.tcp[1] > 5);
	assert_true(strays.other[2] >= 1);
	assert_true(strays.other[2] < strays.other[0] + strays.other[1]);
	/* And the third may connect, too. */
	w.client = third;
	w.port = 81;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	scene_finish(&scene, 200);
	assert_int_equal(scene.world->user[users.client]->received, 20000);
}

/* A damaged ARP frame never arrives: its device would have seen it. */
static void damaged_arp_is_dropped(void **state)
{
	struct sim_pair_config config = scene_config(1);
	const struct sim_op client[] = {SIM_CONNECT(SIM_SERVER, 80), SIM_WAIT(SIM_UNTIL_DEAD)};

	(void)state;
	config.to_server.corrupt = RNG_PPM;
	scene_begin(&scene, &config);
	SCENE_USER(&scene, SIM_CLIENT, client);
	scene_finish(&scene, 600);
	assert_true(scene.world->coverage.fate[SIM_BAD_FCS] > 0);
	assert_int_equal(scene.world->coverage.fate[SIM_DELIVERED], 0);
	assert_int_equal(
		parley_counter(scene.world->host[SIM_SERVER]->engine, PARLEY_COUNTER_FRAMES_IN), 0);
}

/* A clock that jumps ends what waits for its time, and harms nothing else. */
static void a_clock_may_jump(void **state)
{
	struct sim_workload w = download(100000);
	struct sim_workload_users users;

	(void)state;
	w.start = 0;
	assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
	assert_int_equal(sim_run_until(scene.world, 100 * MS), SIM_RAN);
	sim_clock_jump(scene.world, SIM_CLIENT, 5 * S);
	sim_clock_jump(scene.world, SIM_SERVER, 77 * MS);
	scene_finish(&scene, 200);
	assert_int_equal(scene.world->user[users.client]->received, 100000);
	assert_true(scene.world->now < 65 * S);
}

static void every_workload_ends_well(void **state)
{
	(void)state;
	for (int kind = 0; kind < SIM_WORKLOADS; kind++) {
		struct sim_pair_config config = scene_config(1);
		struct sim_workload w = download(30000);
		struct sim_workload_users users;

		w.kind = (enum sim_workload_kind)kind;
		w.count = 20;
		w.start = S;
		w.pause = kind == SIM_PACED ? MS : 5 * S;
		w.in_place = kind & 1;
		scene_begin(&scene, &config);
		assert_int_equal(sim_workload_add(scene.world, &w, &users), 0);
		scene_finish(&scene, 400);
		assert_int_equal(scene.world->user[users.client]->failed, 0);
		if (kind == SIM_SHORT)
			assert_int_equal(scene.world->user[users.client]->opened, 20);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_to_do_is_settled),
		TEST(each_step_is_one_event),
		TEST(runs_to_a_time_and_not_beyond),
		TEST(who_waits_too_long_is_late),
		TEST(who_waits_for_nothing_is_stuck),
		TEST(an_open_connection_is_not_settled),
		TEST(memory_that_stays_is_a_leak),
		TEST(a_frame_that_changes_is_found),
		TEST(a_short_time_wait_is_found),
		TEST(an_event_that_is_not_told_is_found),
		TEST(a_user_does_not_send_before_it_is_told),
		TEST(forged_text_is_found),
		TEST(a_broken_invariant_is_found),
		TEST(a_failed_assertion_is_found),
		TEST(a_wrong_order_is_found),
		TEST(a_stray_event_is_found),
		TEST(the_base_does_not_matter),
		TEST(the_start_does_not_matter),
		TEST(a_switch_sends_where_it_should),
		TEST(damaged_arp_is_dropped),
		TEST(a_clock_may_jump),
		TEST(every_workload_ends_well),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scene_end(&scene);
	return failed;
}
