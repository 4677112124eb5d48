/* SPDX-License-Identifier: MIT */
/*
 * An echo server on a TUN interface. As root:
 *
 *	ip tuntap add parley0 mode tun
 *	ip address add 10.9.0.1/24 dev parley0 && ip link set parley0 up
 *	./echo_tun parley0 10.9.0.2/24 &
 *	nc 10.9.0.2 7
 *
 * It remembers nothing of its connections: bytes wait in the engine's receive buffer until there
 * is room in the send buffer, and a peer that does not read finds the window closed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <parley/parley.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static struct parley_host *host;
static int tun, ifindex;
static uint8_t packet[1500];
static uint64_t now; /* ns */

/* Errors of the system are -1 and errno, those of Parley negated values of errno. */
static int check(int result, const char *what)
{
	if (result < -1)
		errno = -result;
	if (result < 0)
		err(1, "%s", what);
	return result;
}

static void *slab_alloc(void *ctx, size_t size, size_t align)
{
	return (void)ctx, aligned_alloc(align, size);
}

static void slab_free(void *ctx, void *slab, size_t size)
{
	(void)ctx, (void)size, free(slab);
}

static void set_up(const char *name, const char *address)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	struct parley_config config = {sizeof config, .allocator = {slab_alloc, slab_free, NULL}};
	struct parley_interface wire = {.size = sizeof wire, .link = PARLEY_LINK_IP, .mtu = 1500};
	struct parley_open open_echo = {.size = sizeof open_echo, .local.port = 7, .backlog = 128};
	struct parley_addr addr;
	parley_conn listener;
	unsigned prefix;

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	tun = check(open("/dev/net/tun", O_RDWR | O_NONBLOCK), "/dev/net/tun");
	check(ioctl(tun, TUNSETIFF, &request), name);
	check(getentropy(config.secret, sizeof config.secret), "getentropy");
	check(parley_host_new(&config, now, &host), "parley_host_new");
	ifindex = check(parley_interface_add(host, now, &wire), "parley_interface_add");
	check(parley_prefix_read(&addr, &prefix, address), address);
	check(parley_address_add(host, now, ifindex, &addr, prefix), address);
	check(parley_listen(host, now, &open_echo, &listener), "parley_listen");
}

/* Sends back what has arrived, as far as there is room; closes when there will be no more. */
static void echo(parley_conn conn, uint32_t bits)
{
	struct parley_span span;
	int64_t sent = 0;
	int n;

	while ((n = parley_peek(host, conn, &span, 1)) == 1 && sent >= 0) {
		sent = parley_send(host, now, conn, &span, 1, 0); /* EAGAIN: WRITABLE follows */
		if (sent > 0)
			parley_consume(host, now, conn, (size_t)sent);
	}
	if (bits & PARLEY_DEAD || n == 0) /* all is sent back, and there will be no more */
		parley_release_conn(host, now, conn); /* what was sent, and a FIN, still go out */
}

/* What the host has to say to the network, and then to us; returns how much that was. */
static int settle(void)
{
	struct parley_event event;
	struct parley_frame frame;
	parley_conn conn;
	int n = 0;

	for (; parley_output(host, ifindex, now, &frame, 1) == 1; n++) {
		int len = parley_frame_flatten(&frame, 0, packet, sizeof packet);

		if (write(tun, packet, (size_t)len) < 0)
			warn("write"); /* lost, as on any wire: TCP sends it again */
		parley_release(host, &frame, 1);
	}
	/* Last, for output may find a connection lost. */
	for (; parley_events(host, &event, 1) == 1; n++) {
		if (!(event.bits & PARLEY_ACCEPT))
			echo(event.conn, event.bits);
		else
			while (parley_accept(host, now, event.conn, 0, &conn) == 0)
				; /* what the new ones have to say follows as events */
	}
	return n;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: echo_tun INTERFACE ADDRESS/PREFIX");
	set_up(argv[1], argv[2]);
	warnx("ready");
	for (;;) {
		struct pollfd ready = {.fd = tun, .events = POLLIN};
		struct parley_rx rx = {.data = packet, .ifindex = ifindex};
		struct timespec t;
		uint64_t deadline = parley_deadline(host);
		uint64_t ms = deadline > now ? (deadline - now) / 1000000 + 1 : 0;
		ssize_t len;

		poll(&ready, 1, ms < 60000 ? (int)ms : 60000); /* to wake early does no harm */
		clock_gettime(CLOCK_MONOTONIC, &t);
		now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
		len = read(tun, packet, sizeof packet);
		check(len < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0, "read");
		rx.len = (size_t)len;
		parley_input(host, now, &rx, len > 0); /* one frame or none */
		parley_expire(host, now);
		while (settle() > 0)
			;
	}
}
