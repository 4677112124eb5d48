/* SPDX-License-Identifier: MIT */
#include "dev/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "dev/clock.h"
#include "dev/linuxif.h"
#include "dev/mac.h"
#include "dev/vnet.h"
#include "wire/eth.h"

#define TUN_PATH "/dev/net/tun"

/*
 * What one receive() gives lies in one piece of memory, each packet right behind the one before:
 * many small ones stay near each other, and a few of the largest have room.
 */
#define BATCH	    32
#define BATCH_LARGE 8

/* Packets on the way from the kernel to us. */
#define QUEUE 4096

#define VLAN_TAG_LEN 4
#define LARGEST	     (65535 + ETH_HEADER_LEN + VLAN_TAG_LEN)
#define CACHE_LINE   64
/* So that with or without headers in front the IP header is aligned to 4 bytes. */
#define LEAD 64

/*
 * Up to this many bytes a packet is put together here: the kernel takes several pieces more slowly
 * than one, by more than the copy costs.
 */
#define FLAT 2048

struct tun {
	struct device device;
	bool vnet;	   /* a struct virtio_net_hdr stands in front of each packet */
	size_t link_len;   /* of the link header */
	size_t packet_max; /* bytes that a packet with its headers can have */
	size_t room;	   /* bytes at `packets` */
	uint8_t *packets;
};

static bool is_gone(int error)
{
	return error == EBADFD || error == ENODEV || error == EIO;
}

/* Reads one packet to `at`. Its length with the header in front, or 0: none; negative errno. */
static ssize_t read_packet(const struct tun *tun, uint8_t *at, struct parley_rx *frame)
{
	size_t lead = tun->vnet ? VNET_LEN : 0;
	struct virtio_net_hdr vnet;
	ssize_t len;

	do
		len = read(tun->device.fd, at, tun->packet_max + 1);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == EAGAIN ? 0 : is_gone(errno) ? -ENODEV : -errno;
	*frame = (struct parley_rx){.data = at + lead};
	/* One that fills even the byte too many was cut off: it is lost. */
	if ((size_t)len <= lead || (size_t)len > tun->packet_max)
		return len ? len : 1;
	frame->len = (size_t)len - lead;
	if (tun->vnet) {
		memcpy(&vnet, at, sizeof vnet);
		vnet_read(&vnet, frame);
	}
	return len;
}

static int tun_receive(struct device *device, struct parley_rx *frames, int n)
{
	struct tun *tun = (struct tun *)device;
	uint64_t now = clock_now();
	size_t lead = LEAD - (tun->vnet ? VNET_LEN : 0) - tun->link_len % 4;
	size_t used = 0;
	int filled = 0;

	while (filled < n && tun->room - used > tun->packet_max + LEAD) {
		ssize_t len = read_packet(tun, tun->packets + used + lead, &frames[filled]);

		if (len < 0)
			return filled ? filled : (int)len;
		if (len == 0)
			break;
		if (!frames[filled].len)
			continue;
		frames[filled++].arrival = now;
		used += (lead + (size_t)len + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	}
	return filled;
}

static size_t flatten(const struct iovec *pieces, int n, uint8_t to[static FLAT])
{
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		memcpy(to + len, pieces[i].iov_base, pieces[i].iov_len);
		len += pieces[i].iov_len;
	}
	return len;
}

/* Writes one packet; 0, or a positive errno. */
static int write_packet(const struct tun *tun, struct parley_frame *frame)
{
	struct iovec pieces[VNET_PIECES];
	struct virtio_net_hdr vnet;
	uint8_t flat[FLAT];
	ssize_t len;
	int n;

	if (tun->vnet)
		vnet_write(frame, tun->link_len, &vnet);
	n = vnet_gather(frame, tun->vnet ? &vnet : NULL, pieces);
	if (n > 1 && frame->len + sizeof vnet <= FLAT) {
		pieces[0] = (struct iovec){flat, flatten(pieces, n, flat)};
		n = 1;
	}
	do
		len = n == 1 ? write(tun->device.fd, pieces[0].iov_base, pieces[0].iov_len)
			     : writev(tun->device.fd, pieces, n);
	while (len < 0 && errno == EINTR);
	return len < 0 ? errno : 0;
}

static int tun_transmit(struct device *device, struct parley_frame *frames, int n)
{
	struct tun *tun = (struct tun *)device;

	device->want_write = false;
	for (int i = 0; i < n; i++) {
		int error = write_packet(tun, &frames[i]);

		if (error == EAGAIN || error == ENOBUFS) {
			device->want_write = true;
			return i;
		}
		/* An interface that is down (EIO) may come up again; all else is a lost packet. */
		if (error == EBADFD || error == ENODEV)
			return i ? i : -ENODEV;
	}
	return n;
}

static void tun_close(struct device *device)
{
	struct tun *tun = (struct tun *)device;

	close(device->fd);
	free(tun->packets);
	free(tun);
}

static const struct device_ops tun_ops = {
	.receive = tun_receive,
	.transmit = tun_transmit,
	.close = tun_close,
};

/* Attaches the descriptor to the interface, with or without virtio headers. */
static int attach(struct tun *tun, const struct tun_config *config, bool vnet)
{
	struct ifreq ifr = {.ifr_flags = IFF_NO_PI};
	int len = VNET_LEN;

	ifr.ifr_flags |= config->link == PARLEY_LINK_IP ? IFF_TUN : IFF_TAP;
	if (vnet)
		ifr.ifr_flags |= IFF_VNET_HDR;
	memcpy(ifr.ifr_name, config->name, strlen(config->name));
	if (ioctl(tun->device.fd, TUNSETIFF, &ifr) < 0)
		return -errno;
	tun->vnet = vnet;
	memcpy(tun->device.name, ifr.ifr_name, sizeof tun->device.name);
	tun->device.name[sizeof tun->device.name - 1] = 0;
	/* Whoever had a persistent interface before may have left another length. */
	return vnet && ioctl(tun->device.fd, TUNSETVNETHDRSZ, &len) < 0 ? -errno : 0;
}

/* Which of the two the kernel has. */
static bool knows_vnet(int fd)
{
	unsigned features = 0;

	return ioctl(fd, TUNGETFEATURES, &features) == 0 && features & IFF_VNET_HDR;
}

/* Tells the kernel what it may leave to us; a persistent interface remembers it, so always. */
static void set_offload(struct tun *tun)
{
	unsigned long most = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	if (!tun->vnet || ioctl(tun->device.fd, TUNSETOFFLOAD, most) < 0)
		ioctl(tun->device.fd, TUNSETOFFLOAD, 0UL);
	if (tun->vnet)
		tun->device.offload = PARLEY_OFFLOAD_CHECKSUM | PARLEY_OFFLOAD_SEGMENT;
}

/*
 * The kernel's usual queue of 500 packets is shorter than a window of 1 MiB: each time that a
 * sender fills its window much would be lost at once. An administrator's interface is left alone.
 */
static void set_queue(const struct tun *tun)
{
	struct ifreq ifr = {.ifr_flags = 0};

	if (ioctl(tun->device.fd, TUNGETIFF, &ifr) == 0 && !(ifr.ifr_flags & IFF_PERSIST))
		linuxif_set_queue(tun->device.name, QUEUE);
}

static int make_room(struct tun *tun)
{
	size_t head = tun->link_len ? ETH_HEADER_LEN + VLAN_TAG_LEN : 0;

	tun->packet_max = tun->vnet ? LARGEST + VNET_LEN : tun->device.mtu + head;
	tun->room = (tun->vnet ? BATCH_LARGE : BATCH) * (tun->packet_max + LEAD + CACHE_LINE) + 1;
	tun->packets = malloc(tun->room);
	return tun->packets ? 0 : -ENOMEM;
}

static int set_up(struct tun *tun, const struct tun_config *config)
{
	int error;

	tun->device.fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tun->device.fd < 0)
		return -errno;
	error = attach(tun, config, !config->plain && knows_vnet(tun->device.fd));
	if (error)
		return error;
	set_offload(tun);
	set_queue(tun);
	error = linuxif_mtu(tun->device.name, &tun->device.mtu);
	return error ? error : make_room(tun);
}

int tun_open(struct device **out, const struct tun_config *config)
{
	size_t len = strlen(config->name);
	struct tun *tun;
	int error;

	if (!len || len >= IFNAMSIZ)
		return -ENODEV;
	tun = calloc(1, sizeof *tun);
	if (!tun)
		return -ENOMEM;
	tun->device = (struct device){
		.ops = &tun_ops,
		.fd = -1,
		.deadline = DEVICE_NEVER,
		.link = config->link,
	};
	if (config->link == PARLEY_LINK_ETHERNET) {
		tun->link_len = ETH_HEADER_LEN;
		mac_draw(tun->device.mac, config->secret, "tap mac");
	}
	error = set_up(tun, config);
	if (error) {
		if (tun->device.fd >= 0)
			close(tun->device.fd);
		free(tun);
		return error;
	}
	*out = &tun->device;
	return 0;
}

void tun_explain(char *text, size_t size, const char *name, int error)
{
	switch (error < 0 ? -error : error) {
	case ENODEV:
		snprintf(text, size, "'%s' is no name for an interface (1 to 15 bytes)", name);
		break;
	case ENOENT:
	case ENXIO:
		snprintf(text, size, "there is no " TUN_PATH ": 'modprobe tun' as root");
		break;
	case EACCES:
		snprintf(text, size, "no permission to open " TUN_PATH);
		break;
	case EPERM:
		snprintf(text, size,
			 "there is no interface '%s' of yours, and making one needs root: "
			 "'ip tuntap add %s mode tun user USER' as root gives you one "
			 "(mode tap for a TAP)",
			 name, name);
		break;
	case EBUSY:
		snprintf(text, size, "somebody else has the interface '%s'", name);
		break;
	case EINVAL:
		snprintf(text, size, "'%s' is an interface of another kind", name);
		break;
	default:
		snprintf(text, size, "'%s': %s", name, strerror(error < 0 ? -error : error));
		break;
	}
}
