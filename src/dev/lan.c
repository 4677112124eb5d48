/* SPDX-License-Identifier: MIT */
#include "dev/lan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dev/clock.h"
#include "dev/mac.h"
#include "wire/eth.h"

/* Frames that one receive() gives at most; longer ones than fit a slot are none of this LAN. */
#define BATCH	 32
#define SLOT_LEN (ETH_HEADER_LEN + LAN_MTU + 4)

struct lan {
	struct device device;
	bool gone; /* the hub has hung up */
	struct mmsghdr messages[BATCH];
	struct iovec pieces[BATCH];
	uint8_t slots[BATCH][SLOT_LEN];
};

static int lan_receive(struct device *device, struct parley_rx *frames, int n)
{
	struct lan *lan = (struct lan *)device;
	uint64_t now = clock_now();
	int got, used = 0;

	if (lan->gone)
		return -EPIPE;
	if (n > BATCH)
		n = BATCH;
	for (int i = 0; i < n; i++) {
		lan->pieces[i] = (struct iovec){lan->slots[i], SLOT_LEN};
		lan->messages[i].msg_hdr = (struct msghdr){
			.msg_iov = &lan->pieces[i],
			.msg_iovlen = 1,
		};
	}
	got = recvmmsg(device->fd, lan->messages, (unsigned)n, MSG_DONTWAIT, NULL);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < got; i++) {
		if (!lan->messages[i].msg_len) {
			lan->gone = true;
			break;
		}
		if (lan->messages[i].msg_hdr.msg_flags & MSG_TRUNC)
			continue;
		frames[used++] = (struct parley_rx){
			.data = lan->slots[i],
			.len = lan->messages[i].msg_len,
			.arrival = now,
		};
	}
	return lan->gone && !used ? -EPIPE : used;
}

static int lan_transmit(struct device *device, struct parley_frame *frames, int n)
{
	uint8_t packet[SLOT_LEN];

	device->want_write = false;
	for (int i = 0; i < n; i++) {
		int len = parley_frame_flatten(&frames[i], 0, packet, sizeof packet);

		if (len <= 0)
			continue; /* not a frame for this MTU: as lost as on a real cable */
		if (send(device->fd, packet, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			continue;
		if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
			device->want_write = true;
			return i;
		}
		return i ? i : errno == ECONNRESET ? -EPIPE : -errno;
	}
	return n;
}

static void lan_close(struct device *device)
{
	close(device->fd);
	free(device);
}

static const struct device_ops lan_ops = {
	.receive = lan_receive,
	.transmit = lan_transmit,
	.close = lan_close,
};

static int join(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd, error;

	if (!len)
		return -ENOENT;
	if (len >= sizeof name.sun_path)
		return -ENAMETOOLONG;
	memcpy(name.sun_path, path, len + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&name, sizeof name) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

int lan_open(struct device **out, const char *path, const uint8_t secret[16])
{
	int fd = join(path);
	struct lan *lan;

	if (fd < 0)
		return fd;
	lan = calloc(1, sizeof *lan);
	if (!lan) {
		close(fd);
		return -ENOMEM;
	}
	lan->device = (struct device){
		.ops = &lan_ops,
		.fd = fd,
		.deadline = DEVICE_NEVER,
		.link = PARLEY_LINK_ETHERNET,
		.mtu = LAN_MTU,
		.name = "lan0",
	};
	mac_draw(lan->device.mac, secret, "lan mac");
	*out = &lan->device;
	return 0;
}

void lan_explain(char *text, size_t size, const char *path, int error)
{
	switch (error < 0 ? -error : error) {
	case ENOENT:
		snprintf(text, size, "no hub at '%s': start one with 'parley lan %s'", path, path);
		break;
	case ECONNREFUSED:
		snprintf(text, size,
			 "the hub at '%s' is not running: start it with 'parley lan %s'", path,
			 path);
		break;
	case EPROTOTYPE:
		snprintf(text, size, "'%s' is a socket, but not one of 'parley lan'", path);
		break;
	case ENAMETOOLONG:
		snprintf(text, size, "'%s' is too long for a socket's path (107 bytes)", path);
		break;
	default:
		snprintf(text, size, "'%s': %s", path, strerror(error < 0 ? -error : error));
		break;
	}
}
