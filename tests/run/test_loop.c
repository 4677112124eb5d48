/* SPDX-License-Identifier: MIT */
/*
 * The loop with a host, over a device that is a pair of sockets and a table of what it was asked.
 * Time is real here: a lower bound is exact, an upper one counts turns instead of nanoseconds: a
 * loop that does not sleep takes thousands of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "dev/clock.h"
#include "run/loop.h"
#include "wire/ip.h"

#define MS	    UINT64_C(1000000)
#define FRAMES	    100
#define SYN_PORT_AT 22 /* the destination port in a frame: an IPv4 header comes before */

struct fake {
	struct device device;
	int far;	   /* the other end of device.fd */
	int room;	   /* frames that it takes before it is full; -1: any number */
	int failure;	   /* what receive() and transmit() answer, if it is not 0 */
	uint64_t asked_at; /* when receive() was called last */
	int receives, transmits;
	int taken; /* frames, by their ports: */
	unsigned ports[FRAMES];
};

struct world {
	struct parley_host *host;
	struct sock_layer *layer;
	struct loop *loop;
	struct loop_hook hook;
	struct fake fake;
	int ifindex;
	int turns;
	uint64_t until; /* the loop stops then; 0: not by time */
	bool stop_when_quiet;
};

static void *allocate(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return aligned_alloc(align, size);
}

static void give_back(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static int fake_receive(struct device *device, struct parley_rx *frames, int n)
{
	struct fake *fake = (struct fake *)device;
	char bytes[16];

	(void)frames;
	(void)n;
	fake->receives++;
	fake->asked_at = clock_now();
	if (device->deadline <= fake->asked_at)
		device->deadline = DEVICE_NEVER;
	while (device->fd >= 0 && recv(device->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	return fake->failure;
}

static int fake_transmit(struct device *device, struct parley_frame *frames, int n)
{
	struct fake *fake = (struct fake *)device;
	uint8_t bytes[2048];
	int i = 0;

	fake->transmits++;
	if (fake->failure)
		return fake->failure;
	for (; i < n && fake->room != 0 && fake->taken < FRAMES; i++) {
		assert_true(parley_frame_flatten(&frames[i], 0, bytes, sizeof(bytes)) >
			    SYN_PORT_AT);
		fake->ports[fake->taken++] = get_be16(bytes + SYN_PORT_AT);
		if (fake->room > 0)
			fake->room--;
	}
	device->want_write = i < n;
	return i;
}

static const struct device_ops fake_ops = {.receive = fake_receive, .transmit = fake_transmit};

static void open_fake(struct fake *fake)
{
	int ends[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), errno);
	*fake = (struct fake){
		.device = {.ops = &fake_ops,
			   .fd = ends[0],
			   .deadline = DEVICE_NEVER,
			   .link = PARLEY_LINK_IP,
			   .mtu = 1500,
			   .name = "fake0"},
		.far = ends[1],
		.room = -1,
	};
}

static void turned(struct loop_hook *hook, uint64_t now)
{
	struct world *world = hook->context;

	world->turns++;
	if (world->until && now >= world->until)
		loop_stop(world->loop);
	if (world->stop_when_quiet && loop_quiet(world->loop))
		loop_stop(world->loop);
}

static int open_world(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	struct parley_config config = {.size = sizeof(config),
				       .secret = "secret",
				       .allocator = {.alloc = allocate, .free = give_back}};
	struct sock_config sock_config = {.allocator = config.allocator};
	struct parley_interface interface = {
		.size = sizeof(interface), .name = "fake0", .link = PARLEY_LINK_IP, .mtu = 1500};
	struct parley_addr addr = ip_from_v4(0x0a000001);

	open_fake(&world->fake);
	assert_int_equal(parley_host_new(&config, clock_now(), &world->host), 0);
	world->ifindex = parley_interface_add(world->host, clock_now(), &interface);
	assert_int_equal(parley_address_add(world->host, clock_now(), world->ifindex, &addr, 24),
			 0);
	sock_config.host = world->host;
	assert_int_equal(sock_layer_new(&sock_config, clock_now(), &world->layer), 0);
	world->hook = (struct loop_hook){
		.turned = turned, .context = world, .deadline = LOOP_NEVER};
	assert_int_equal(loop_new(&world->loop, world->layer, &world->hook), 0);
	assert_int_equal(loop_attach(world->loop, &world->fake.device, world->ifindex), 0);
	*state = world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	loop_free(world->loop);
	sock_layer_free(world->layer);
	parley_host_free(world->host);
	if (world->fake.device.fd >= 0)
		close(world->fake.device.fd);
	close(world->fake.far);
	test_free(world);
	return 0;
}

static void run_until(struct world *world, uint64_t until)
{
	world->turns = 0;
	world->until = until;
	world->hook.deadline = until ? until : LOOP_NEVER;
	assert_int_equal(loop_run(world->loop), 0);
}

/* Makes the host owe a SYN for each port from `first` on. */
static void connect_some(struct world *world, unsigned first, unsigned n)
{
	struct parley_endpoint remote = {.addr = ip_from_v4(0x0a000002)};

	for (unsigned port = first; port < first + n; port++) {
		int sock = sock_socket(world->layer, SOCK_AF_INET, true);
		remote.port = (uint16_t)port;
		assert_int_equal(sock_connect(world->layer, sock, &remote), -PARLEY_EINPROGRESS);
	}
}

static void expect_frames(const struct world *world, unsigned first, int n)
{
	assert_int_equal(world->fake.taken, n);
	for (int i = 0; i < n; i++)
		assert_int_equal(world->fake.ports[i], first + (unsigned)i);
}

/* ---- time ---- */

static void test_hook_deadline(void **state)
{
	struct world *world = *state;
	uint64_t until = clock_now() + 30 * MS;

	run_until(world, until);
	assert_true(clock_now() >= until);
	assert_in_range(world->turns, 1, 5);
}

static void test_device_deadline(void **state)
{
	struct world *world = *state;
	uint64_t now = clock_now();

	world->fake.device.deadline = now + 100 * MS;
	run_until(world, now + 130 * MS);
	/* Once at the beginning, since nobody knows what lies there already. */
	assert_int_equal(world->fake.receives, 2);
	assert_true(world->fake.asked_at >= now + 100 * MS);
	assert_in_range(world->turns, 2, 8);
}

/* The host's own: SYNs are repeated, and nothing else keeps the loop awake. */
static void test_host_deadline(void **state)
{
	struct world *world = *state;
	uint64_t now = clock_now();

	connect_some(world, 1000, 1);
	run_until(world, now + 1100 * MS);
	assert_int_equal(world->fake.taken, 2);
	assert_in_range(world->turns, 3, 30);
}

static void stop(struct sock_wait *wait, void *context)
{
	struct world *world = context;

	assert_int_equal(wait->why, SOCK_READY);
	loop_stop(world->loop);
}

/* Output finds a connection lost, without a frame: who waits is told before the next SYN is due. */
static void test_output_loses_a_connection(void **state)
{
	struct world *world = *state;
	struct parley_addr addr = ip_from_v4(0x0a000001);
	uint64_t now = clock_now();
	struct sock_wait wait = {.resume = stop, .context = world};

	connect_some(world, 1000, 1);
	assert_int_equal(sock_wait_for(world->layer, 0, SOCK_OP_CONNECT, &wait), 0);
	assert_int_equal(parley_address_remove(world->host, now, world->ifindex, &addr), 0);
	run_until(world, now + 2000 * MS);
	assert_int_equal(world->fake.taken, 0);
	assert_true(clock_now() < now + 900 * MS);
	assert_true(sock_error(world->layer, 0) > 0);
}

static void test_past_deadline(void **state)
{
	struct world *world = *state;

	run_until(world, clock_now() - 1);
	assert_in_range(world->turns, 1, 2);
}

/* ---- devices ---- */

static void test_frames_go_out(void **state)
{
	struct world *world = *state;

	connect_some(world, 1000, 80);
	world->stop_when_quiet = true;
	run_until(world, 0);
	expect_frames(world, 1000, 80);
}

/* A socket that is full: the pair's own end, as full as its buffer. */
static void choke(struct world *world)
{
	while (send(world->fake.device.fd, "", 1, MSG_DONTWAIT) == 1)
		;
}

static void relieve(struct world *world)
{
	char bytes[16];

	while (recv(world->fake.far, bytes, sizeof(bytes), MSG_DONTWAIT) == 1)
		;
}

static void test_full_device(void **state)
{
	struct world *world = *state;

	world->fake.room = 10;
	choke(world);
	connect_some(world, 1000, 80);
	run_until(world, clock_now() + 30 * MS);
	expect_frames(world, 1000, 10);
	assert_in_range(world->turns, 1, 8);
	assert_false(loop_quiet(world->loop));
	world->fake.room = -1;
	world->stop_when_quiet = true;
	relieve(world);
	run_until(world, 0);
	expect_frames(world, 1000, 80);
}

/* A device that wants to write what it holds itself is called when it can, with no frames. */
static void test_device_with_own_frames(void **state)
{
	struct world *world = *state;

	world->fake.device.want_write = true;
	run_until(world, clock_now() + 30 * MS);
	assert_int_equal(world->fake.transmits, 1);
	assert_false(world->fake.device.want_write);
	assert_in_range(world->turns, 1, 8);
}

static void test_device_without_descriptor(void **state)
{
	struct world *world = *state;
	uint64_t now = clock_now();

	close(world->fake.device.fd);
	world->fake.device.fd = -1;
	world->fake.device.deadline = now + 100 * MS;
	run_until(world, now + 130 * MS);
	assert_int_equal(world->fake.receives, 2);
}

static void test_device_on_its_way(void **state)
{
	struct world *world = *state;

	assert_true(loop_quiet(world->loop));
	world->fake.device.deadline = clock_now() + 10 * MS;
	assert_false(loop_quiet(world->loop));
	world->stop_when_quiet = true;
	run_until(world, 0);
	assert_int_equal(world->fake.device.deadline, DEVICE_NEVER);
}

/* A device may change its descriptor: the new one is watched. */
static void test_device_changes_descriptor(void **state)
{
	struct world *world = *state;
	int ends[2];

	run_until(world, clock_now() - 1);
	assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), errno);
	close(world->fake.device.fd);
	close(world->fake.far);
	world->fake.device.fd = ends[0];
	world->fake.far = ends[1];
	run_until(world, clock_now() - 1);
	int before = world->fake.receives;
	assert_int_equal(send(world->fake.far, "x", 1, 0), 1);
	run_until(world, clock_now() + 20 * MS);
	assert_int_equal(world->fake.receives, before + 1);
}

/* ---- a device that is lost ---- */

static void expect_lost(struct world *world)
{
	struct parley_endpoint remote = {.addr = ip_from_v4(0x0a000002), .port = 80};
	int sock = sock_socket(world->layer, SOCK_AF_INET, true);
	int before = world->fake.receives + world->fake.transmits;

	assert_int_equal(sock_connect(world->layer, sock, &remote), -PARLEY_ENETUNREACH);
	assert_true(loop_quiet(world->loop));
	assert_int_equal(send(world->fake.far, "x", 1, 0), 1);
	world->fake.device.deadline = 0;
	run_until(world, clock_now() + 20 * MS);
	assert_in_range(world->turns, 1, 5);
	assert_int_equal(world->fake.receives + world->fake.transmits, before);
}

static void test_lost_receiving(void **state)
{
	struct world *world = *state;

	connect_some(world, 1000, 3);
	world->fake.failure = -EPIPE;
	run_until(world, clock_now() + 10 * MS);
	assert_int_equal(sock_error(world->layer, 0), PARLEY_ENETUNREACH);
	expect_lost(world);
}

static void test_lost_transmitting(void **state)
{
	struct world *world = *state;

	run_until(world, clock_now() - 1);
	world->fake.failure = -EIO;
	connect_some(world, 1000, 80);
	run_until(world, clock_now() + 10 * MS);
	assert_int_equal(world->fake.transmits, 1);
	expect_lost(world);
}

/* With frames kept for it: the host gets them back. */
static void test_lost_while_full(void **state)
{
	struct world *world = *state;

	world->fake.room = 10;
	choke(world);
	connect_some(world, 1000, 80);
	run_until(world, clock_now() + 10 * MS);
	world->fake.failure = -EPIPE;
	relieve(world);
	run_until(world, clock_now() + 10 * MS);
	assert_null(parley_check(world->host));
	expect_lost(world);
}

/* ---- watches ---- */

struct pipe_watch {
	struct loop_watch watch;
	struct world *world;
	struct pipe_watch *rival; /* removed when this one is called */
	int called;
	int write_end;
};

static void pipe_ready(struct loop_watch *watch, uint32_t events)
{
	struct pipe_watch *mine = watch->context;

	assert_true(events & EPOLLIN);
	mine->called++;
	if (mine->rival)
		loop_remove(mine->world->loop, &mine->rival->watch);
	loop_stop(mine->world->loop);
}

static void open_pipe_watch(struct pipe_watch *mine, struct world *world, struct pipe_watch *rival)
{
	int ends[2];

	assert_return_code(pipe(ends), errno);
	*mine = (struct pipe_watch){
		.watch = {.fd = ends[0], .ready = pipe_ready, .context = mine},
		.world = world,
		.rival = rival,
		.write_end = ends[1],
	};
	assert_int_equal(loop_add(world->loop, &mine->watch, EPOLLIN), 0);
	assert_int_equal(write(mine->write_end, "x", 1), 1);
}

static void close_pipe_watch(struct pipe_watch *mine)
{
	close(mine->watch.fd);
	close(mine->write_end);
}

/* Both are ready in the same turn: the first that is told takes the other away. */
static void test_removed_while_ready(void **state)
{
	struct world *world = *state;
	struct pipe_watch first, second;

	open_pipe_watch(&first, world, &second);
	open_pipe_watch(&second, world, &first);
	run_until(world, 0);
	assert_int_equal(first.called + second.called, 1);
	/* The one that is left is told again: what lies there was not taken. */
	run_until(world, 0);
	assert_int_equal(first.called + second.called, 2);
	assert_true(first.called == 0 || second.called == 0);
	close_pipe_watch(&first);
	close_pipe_watch(&second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hook_deadline, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_device_deadline, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_host_deadline, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_output_loses_a_connection, open_world,
						close_world),
		cmocka_unit_test_setup_teardown(test_past_deadline, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_frames_go_out, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_full_device, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_device_with_own_frames, open_world,
						close_world),
		cmocka_unit_test_setup_teardown(test_device_without_descriptor, open_world,
						close_world),
		cmocka_unit_test_setup_teardown(test_device_on_its_way, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_device_changes_descriptor, open_world,
						close_world),
		cmocka_unit_test_setup_teardown(test_lost_receiving, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_lost_transmitting, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_lost_while_full, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_removed_while_ready, open_world, close_world),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
