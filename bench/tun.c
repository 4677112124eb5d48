/* SPDX-License-Identifier: MIT */
/*
 * Over a TUN device, MTU 1500, without offloads, in a network namespace of its own, against the
 * kernel's TCP: how much text comes in, and how much goes out, with Parley on the device and with
 * bare.c, which does next to nothing. The kernel's end has the second core to itself, the device's
 * end polls on the first one.
 */
#include "bare.h"
#include "bench.h"
#include "kernel.h"
#include "take.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <parley/parley.h>

#include "dev/fastsum.h"
#include "dev/linuxif.h"
#include "dev/tun.h"

#define KERNEL_ADDR 0x0a090001u
#define OUR_ADDR    0x0a090002u
#define PORT	    5001
#define CHUNK	    (256 * 1024)
#define BUFFER	    (512 * 1024)
#define FRAMES	    32

static struct parley_addr address(uint32_t v4)
{
	return (struct parley_addr){{[10] = 255,
				     255,
				     (uint8_t)(v4 >> 24),
				     (uint8_t)(v4 >> 16),
				     (uint8_t)(v4 >> 8),
				     (uint8_t)v4}};
}

/* The device, with the kernel's address on it; NULL where that is not allowed. */
static struct device *open_device(void)
{
	struct tun_config config = {.name = "bench%d", .link = PARLEY_LINK_IP, .plain = true};
	struct parley_addr kernel = address(KERNEL_ADDR);
	struct device *device;

	if (!kernel_own_network() || tun_open(&device, &config))
		return NULL;
	if (linuxif_set_address(device->name, &kernel, 24) || linuxif_up(device->name)) {
		device_close(device);
		return NULL;
	}
	return device;
}

static char chunk[CHUNK];
static atomic_bool over;
static _Atomic uint64_t heard; /* bytes that the kernel's end has received */

static void *kernel_sends(void *unused)
{
	int fd;

	(void)unused;
	pin(1);
	fd = kernel_connect(OUR_ADDR, PORT);
	while (send(fd, chunk, sizeof chunk, MSG_NOSIGNAL) > 0)
		;
	close(fd);
	return NULL;
}

static void *kernel_receives(void *listener)
{
	ssize_t n;
	int fd;

	pin(1);
	fd = accept(*(int *)listener, NULL, NULL);
	while (!over && (n = recv(fd, chunk, sizeof chunk, 0)) > 0)
		heard += (uint64_t)n;
	close(fd);
	return NULL;
}

/* A device's user: works off what there is, and tells how many bytes it has taken in all. */
struct station {
	void *(*kernel)(void *argument);
	uint64_t (*work)(void *station);
	void *state;
};

/* Gbit/s of text, after a while to get going. Ends the process' network, too. */
static double rate(const struct station *station)
{
	uint64_t warm = few(200000000, 20000000), full = few(600000000, 50000000);
	bool outward = station->kernel == kernel_receives;
	int listener = outward ? kernel_listen(KERNEL_ADDR, PORT) : -1;
	uint64_t start = clock_now(), from = 0, bytes = 0, begun = 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, station->kernel, &listener))
		die("thread", errno);
	for (;;) {
		uint64_t now = clock_now();

		for (int i = 0; i < 16; i++)
			bytes = station->work(station->state);
		if (outward)
			bytes = heard;
		if (!begun && now - start >= warm && bytes) {
			begun = now;
			from = bytes;
		}
		if (begun && now - begun >= full)
			return (double)(bytes - from) * 8 / (double)(now - begun);
		if (now - start > 10000000000)
			die("traffic over the TUN device", 0);
	}
}

/* Parley on the device. */
struct guest {
	struct device *device;
	struct parley_host *host;
	parley_conn listener, conn;
	struct parley_frame out[FRAMES];
	struct parley_rx in[FRAMES];
	int waiting; /* frames that the device did not take yet */
	uint64_t received;
};

static void *slab_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return aligned_alloc(align, size);
}

static void slab_free(void *ctx, void *slab, size_t size)
{
	(void)ctx;
	(void)size;
	free(slab);
}

static void transmit(struct guest *guest, uint64_t now)
{
	for (;;) {
		int sent, n = guest->waiting;

		if (!n)
			n = parley_output(guest->host, 1, now, guest->out, FRAMES);
		if (n <= 0)
			return;
		sent = device_transmit(guest->device, guest->out, n);
		if (sent < 0)
			die("device any more", -sent);
		parley_release(guest->host, guest->out, sent);
		guest->waiting = n - sent;
		memmove(guest->out, guest->out + sent,
			(size_t)guest->waiting * sizeof guest->out[0]);
		if (guest->waiting || n < FRAMES)
			return;
	}
}

static void fill_up(struct guest *guest, uint64_t now)
{
	struct parley_span span = {chunk, sizeof chunk};

	while (parley_send(guest->host, now, guest->conn, &span, 1, 0) > 0)
		;
}

static void heed(struct guest *guest, const struct parley_event *event, uint64_t now)
{
	if (event->bits & PARLEY_ACCEPT)
		parley_accept(guest->host, now, guest->listener, 0, &guest->conn);
	if (event->bits & PARLEY_DEAD)
		die("connection over the TUN device", event->error);
	/* In place: the text has been copied once, as bare.c does. */
	if (event->bits & PARLEY_READABLE)
		guest->received += take_in_place(guest->host, now, guest->conn);
	if (!guest->listener && event->bits & (PARLEY_CONNECTED | PARLEY_WRITABLE))
		fill_up(guest, now);
}

static uint64_t guest_work(void *state)
{
	struct guest *guest = state;
	uint64_t now = clock_now();
	int n = device_receive(guest->device, guest->in, FRAMES);
	struct parley_event event;

	for (int i = 0; i < n; i++)
		guest->in[i].ifindex = 1;
	if (n > 0)
		parley_input(guest->host, now, guest->in, n);
	if (parley_deadline(guest->host) <= now)
		parley_expire(guest->host, now);
	while (parley_events(guest->host, &event, 1) > 0)
		heed(guest, &event, now);
	transmit(guest, now);
	return guest->received;
}

static void set_up(struct guest *guest, struct device *device)
{
	struct parley_config config = {
		.size = sizeof config,
		.secret = {7},
		.allocator = {slab_alloc, slab_free, NULL},
		.checksum = fastsum_best()->sum,
	};
	struct parley_interface interface = {
		.size = sizeof interface, .name = "tun", .link = PARLEY_LINK_IP, .mtu = 1500};
	struct parley_addr addr = address(OUR_ADDR);
	uint64_t now = clock_now();

	guest->device = device;
	if (parley_host_new(&config, now, &guest->host) ||
	    parley_interface_add(guest->host, now, &interface) != 1 ||
	    parley_address_add(guest->host, now, 1, &addr, 24))
		die("host", 0);
	parley_set(guest->host, now, PARLEY_NO_CONN, PARLEY_SET_RECEIVE_BUFFER, BUFFER);
	parley_set(guest->host, now, PARLEY_NO_CONN, PARLEY_SET_SEND_BUFFER, 2 * BUFFER);
}

static double parley_in(void)
{
	static struct guest guest;
	struct parley_open open = {.size = sizeof open, .local = {{{0}}, PORT}, .backlog = 1};
	struct station station = {kernel_sends, guest_work, &guest};
	struct device *device = open_device();

	if (!device)
		return NAN;
	set_up(&guest, device);
	if (parley_listen(guest.host, clock_now(), &open, &guest.listener))
		die("listener", 0);
	return rate(&station);
}

static double parley_out(void)
{
	static struct guest guest;
	struct parley_open open = {.size = sizeof open, .remote = {address(KERNEL_ADDR), PORT}};
	struct station station = {kernel_receives, guest_work, &guest};
	struct device *device = open_device();

	if (!device)
		return NAN;
	set_up(&guest, device);
	if (parley_connect(guest.host, clock_now(), &open, &guest.conn))
		die("connection", 0);
	return rate(&station);
}

static double bare(void *(*kernel)(void *), enum bare_role role)
{
	struct device *device = open_device();
	struct station station = {kernel, bare_work, NULL};

	if (!device)
		return NAN;
	station.state = bare_open(device->fd, role, KERNEL_ADDR, OUR_ADDR, PORT);
	return rate(&station);
}

static double bare_in(void)
{
	return bare(kernel_sends, BARE_SINK);
}

static double bare_out(void)
{
	return bare(kernel_receives, BARE_SOURCE);
}

const struct child tun_children[] = {
	{"tun-parley-in", parley_in},
	{"tun-parley-out", parley_out},
	{"tun-bare-in", bare_in},
	{"tun-bare-out", bare_out},
	{NULL, NULL},
};

/*
 * One run differs from the next by a tenth and more, with how long it takes to wake the other core,
 * so that a round's number is the mean of some.
 */
static double run_some(const struct measure *measure)
{
	size_t times = few(4, 1);
	double sum = 0;

	for (size_t i = 0; i < times; i++)
		sum += run_child(measure);
	return sum / (double)times;
}

static const struct measure measures[] = {
	{"in, bare", "Gb/s", run_some, 0, "tun-bare-in"},
	{"in", "Gb/s", run_some, 0, "tun-parley-in"},
	{"out, bare", "Gb/s", run_some, 0, "tun-bare-out"},
	{"out", "Gb/s", run_some, 0, "tun-parley-out"},
};

static const struct figure figures[] = {
	{"from the kernel to Parley", "in", "in, bare", "bare", AT_LEAST, 0.75},
	{"from Parley to the kernel", "out", "out, bare", "bare", AT_LEAST, 0.75},
};

const struct group tun_group = {
	.name = "tun",
	.what = "over TUN, MTU 1500, against a bare reader and writer",
	.measures = measures,
	.measure_count = sizeof measures / sizeof measures[0],
	.figures = figures,
	.figure_count = sizeof figures / sizeof figures[0],
};
