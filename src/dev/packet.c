/* SPDX-License-Identifier: MIT */
#include "dev/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "dev/clock.h"
#include "dev/linuxif.h"
#include "dev/mac.h"
#include "dev/vnet.h"
#include "wire/eth.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"

/* In the TCP header. */
#define TCP_OFFSET_AT	12
#define TCP_CHECKSUM_AT 16

#define BATCH	     32
#define VLAN_TAG_LEN 4
#define VLAN_ID	     0x0fff
#define LARGEST	     (65535 + ETH_HEADER_LEN + VLAN_TAG_LEN)

/*
 * Where a frame begins in its slot: with room for a VLAN tag in front, and so that its IP header is
 * aligned to 16 bytes.
 */
#define LEAD	 (32 - ETH_HEADER_LEN)
#define SLOT_LEN ((LEAD + LARGEST + 63) / 64 * 64)

/* Bytes of frames that may wait, with the kernel's own of each; it doubles them. */
#define BUFFER (4 << 20)

#define NOTE_LEN CMSG_SPACE(sizeof(struct tpacket_auxdata))

struct packet {
	struct device device;
	int fd;	     /* the packet socket: device.fd while the interface is up */
	int changes; /* what device.fd is while it is down */
	int ifindex;
	bool plain;
	/* Frames that came at once, the first of them not yet handed on, and a run's next piece. */
	unsigned got, next, piece;
	struct mmsghdr messages[BATCH];
	struct iovec pieces[BATCH][2];
	struct virtio_net_hdr vnets[BATCH];
	/* What the kernel says of each beside its bytes. */
	alignas(struct cmsghdr) uint8_t notes[BATCH][NOTE_LEN];
	uint8_t *slots; /* BATCH of SLOT_LEN */
	/* If plain: frames made of runs, BATCH of cut_len. */
	uint8_t *cuts;
	size_t cut_len;
};

static bool is_down(const struct packet *packet)
{
	return packet->device.fd == packet->changes;
}

/*
 * Looks whether the interface is up. If not its changes are what is waited for from now on: then
 * this is called again. 0, -ENODEV when it has gone, or another negative errno.
 */
static int look(struct packet *packet)
{
	bool up = false;
	int error = linuxif_listen(packet->changes, true);

	if (!error)
		error = linuxif_is_up(packet->ifindex, &up);
	packet->device.want_write = false;
	packet->device.fd = packet->changes;
	if (up) {
		linuxif_listen(packet->changes, false);
		packet->device.fd = packet->fd;
	}
	return error;
}

/* Takes from the kernel what it has. How many; 0 when there is nothing, or a negative errno. */
static int refill(struct packet *packet)
{
	int n;

	for (int i = 0; i < BATCH; i++) {
		packet->messages[i].msg_hdr = (struct msghdr){
			.msg_iov = packet->pieces[i],
			.msg_iovlen = 2,
			.msg_control = packet->notes[i],
			.msg_controllen = NOTE_LEN,
		};
	}
	packet->next = packet->got = packet->piece = 0;
	n = recvmmsg(packet->fd, packet->messages, BATCH, MSG_DONTWAIT, NULL);
	if (n >= 0) {
		packet->got = (unsigned)n;
		return n;
	}
	switch (errno) {
	case ENETDOWN:
		return look(packet);
	case EAGAIN:
	case EINTR:
	case EINVAL: /* a frame that no such header can describe; it is lost */
	case ENOBUFS:
	case ENOMEM:
		return 0;
	default:
		return -errno;
	}
}

/* The tag that the kernel took out of the frame; 0 when there was none, or none of a VLAN. */
static uint32_t find_tag(struct msghdr *message)
{
	struct tpacket_auxdata aux;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof aux);
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID) || !(aux.tp_vlan_tci & VLAN_ID))
			return 0;
		return (uint32_t)(aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid
									    : ETH_P_8021Q)
			       << 16 |
		       aux.tp_vlan_tci;
	}
	return 0;
}

/* Puts the tag back to where it was, behind the addresses. */
static void put_tag(struct parley_rx *frame, uint8_t *bytes, uint32_t tag)
{
	memmove(bytes - VLAN_TAG_LEN, bytes, 2 * ETH_ADDR_LEN);
	put_be32(bytes - VLAN_TAG_LEN + 2 * ETH_ADDR_LEN, tag);
	frame->data = bytes - VLAN_TAG_LEN;
	frame->len += VLAN_TAG_LEN;
}

/*
 * Whether parley_frame_flatten() can cut this run: TCP behind a bare IP header, whose length and
 * that of TCP's own header go to *header_len.
 */
static bool is_run(const struct virtio_net_hdr *vnet, const struct parley_rx *frame,
		   size_t *header_len)
{
	const uint8_t *bytes = frame->data;
	size_t at = vnet->csum_start;

	if (vnet->gso_type == VIRTIO_NET_HDR_GSO_NONE || !vnet->gso_size ||
	    !(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || vnet->csum_offset != TCP_CHECKSUM_AT)
		return false;
	if ((at != ETH_HEADER_LEN + IPV4_HEADER_LEN && at != ETH_HEADER_LEN + IPV6_HEADER_LEN) ||
	    frame->len < at + TCP_HEADER_LEN)
		return false;
	*header_len = at + 4 * (size_t)(bytes[at + TCP_OFFSET_AT] >> 4);
	return frame->len >= *header_len;
}

/* Makes the next frame of a run at `out`; its length, or 0: there is no other. */
static size_t cut(const struct packet *packet, const struct virtio_net_hdr *vnet,
		  const struct parley_rx *run, size_t header_len, uint8_t *out)
{
	struct parley_frame frame = {
		.spans = {{(const uint8_t *)run->data + header_len, run->len - header_len}},
		.span_count = 1,
		.header_len = (uint32_t)header_len,
		.len = (uint32_t)run->len,
		.segment_size = vnet->gso_size,
		.checksum_partial = true,
		.checksum_start = vnet->csum_start,
		.checksum_offset = vnet->csum_offset,
	};
	int len;

	memcpy(frame.header, run->data, header_len);
	len = parley_frame_flatten(&frame, packet->piece, out, packet->cut_len);
	return len > 0 ? (size_t)len : 0;
}

/* Computes the sum that the kernel has not: the pseudo-header's lies where it belongs. */
static void complete(const struct virtio_net_hdr *vnet, uint8_t *bytes, size_t len)
{
	size_t at = vnet->csum_start, field = at + vnet->csum_offset;

	if (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM && field + 2 <= len)
		put_be16(bytes + field, checksum_fold(checksum_sum(bytes + at, len - at)));
}

/* Frame `i` of those that came; false when not all of it is there. */
static bool read_frame(struct packet *packet, unsigned i, struct parley_rx *frame)
{
	const struct mmsghdr *message = &packet->messages[i];

	if (message->msg_hdr.msg_flags & MSG_TRUNC || message->msg_len <= VNET_LEN)
		return false;
	*frame = (struct parley_rx){
		.data = packet->slots + i * SLOT_LEN + LEAD,
		.len = message->msg_len - VNET_LEN,
	};
	if (!packet->plain)
		vnet_read(&packet->vnets[i], frame);
	return true;
}

/* Hands on the next frame; false when there is none to be had of this one. */
static bool hand_on(struct packet *packet, struct parley_rx *frame, uint8_t *room)
{
	unsigned i = packet->next;
	const struct virtio_net_hdr *vnet = &packet->vnets[i];
	uint32_t tag = find_tag(&packet->messages[i].msg_hdr);
	uint8_t *bytes = packet->slots + i * SLOT_LEN + LEAD;
	bool whole = read_frame(packet, i, frame);
	size_t header_len;

	if (whole && !tag && packet->plain && is_run(vnet, frame, &header_len)) {
		frame->len = cut(packet, vnet, frame, header_len, room);
		frame->data = room;
		packet->piece++;
		if (frame->len)
			return true;
		whole = false;
	}
	packet->next++;
	packet->piece = 0;
	if (!whole)
		return false;
	if (packet->plain)
		complete(vnet, bytes, frame->len);
	if (tag)
		put_tag(frame, bytes, tag);
	return true;
}

static int packet_receive(struct device *device, struct parley_rx *frames, int n)
{
	struct packet *packet = (struct packet *)device;
	uint64_t now = clock_now();
	int filled = 0, error = 0;

	if (is_down(packet))
		error = look(packet);
	/* What was handed on last time is not needed any more; what was not yet, is. */
	if (!error && !is_down(packet) && packet->next == packet->got)
		error = refill(packet);
	if (error < 0)
		return error;
	while (filled < n && filled < BATCH && packet->next < packet->got) {
		uint8_t *room = packet->cuts + (size_t)filled * packet->cut_len;

		if (hand_on(packet, &frames[filled], room))
			frames[filled++].arrival = now;
	}
	/* Nothing but this call can tell that there is more. */
	device->deadline = packet->next < packet->got ? now : DEVICE_NEVER;
	return filled;
}

/* What could not be sent first, and why. How many frames are done with, or -ENODEV. */
static int give_up(struct packet *packet, int error, int rest)
{
	switch (error) {
	case EINTR:
		return 0;
	case EAGAIN:
		packet->device.want_write = true;
		return 0;
	case ENETDOWN:
		error = look(packet);
		return error == -ENODEV ? error : rest;
	case ENODEV:
	case ENXIO:
		return -ENODEV;
	default:
		return 1; /* the interface's queue is full, for example: this frame is lost */
	}
}

/* Sends at most BATCH frames. How many are done with, or -ENODEV. */
static int send_some(struct packet *packet, struct parley_frame *frames, int n)
{
	struct mmsghdr messages[BATCH];
	struct iovec pieces[BATCH][VNET_PIECES];
	struct virtio_net_hdr vnets[BATCH];
	int sent;

	for (int i = 0; i < n; i++) {
		vnet_write(&frames[i], ETH_HEADER_LEN, &vnets[i]);
		messages[i].msg_hdr = (struct msghdr){
			.msg_iov = pieces[i],
			.msg_iovlen = (size_t)vnet_gather(&frames[i], &vnets[i], pieces[i]),
		};
	}
	sent = sendmmsg(packet->fd, messages, (unsigned)n, MSG_DONTWAIT);
	return sent >= 0 ? sent : give_up(packet, errno, n);
}

static int packet_transmit(struct device *device, struct parley_frame *frames, int n)
{
	struct packet *packet = (struct packet *)device;
	int done = 0;

	device->want_write = false;
	while (done < n && !device->want_write) {
		int some = n - done < BATCH ? n - done : BATCH;
		int sent = is_down(packet) ? some : send_some(packet, frames + done, some);

		if (sent < 0)
			return done ? done : sent;
		done += sent;
	}
	return done;
}

static void packet_close(struct device *device)
{
	struct packet *packet = (struct packet *)device;

	if (packet->fd >= 0)
		close(packet->fd);
	if (packet->changes >= 0)
		close(packet->changes);
	free(packet->slots);
	free(packet->cuts);
	free(packet);
}

static const struct device_ops packet_ops = {
	.receive = packet_receive,
	.transmit = packet_transmit,
	.close = packet_close,
};

/* Lets only frames through that are for our address, or for a group of stations. */
static int set_filter(const struct packet *packet)
{
	const uint8_t *mac = packet->device.mac;
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 4, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, get_be32(mac), 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, get_be16(mac + 4), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = {sizeof program / sizeof program[0], program};

	return setsockopt(packet->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) ? -errno
											    : 0;
}

static int set_option(const struct packet *packet, int option)
{
	int on = 1;

	return setsockopt(packet->fd, SOL_PACKET, option, &on, sizeof on) ? -errno : 0;
}

/* Lets the card take frames for our address and for groups; ends with the socket. */
static int join(const struct packet *packet)
{
	struct packet_mreq ours = {
		.mr_ifindex = packet->ifindex,
		.mr_type = PACKET_MR_UNICAST,
		.mr_alen = ETH_ADDR_LEN,
	};
	struct packet_mreq groups = {.mr_ifindex = packet->ifindex, .mr_type = PACKET_MR_ALLMULTI};
	const int option = PACKET_ADD_MEMBERSHIP;

	memcpy(ours.mr_address, packet->device.mac, ETH_ADDR_LEN);
	if (setsockopt(packet->fd, SOL_PACKET, option, &ours, sizeof ours) ||
	    setsockopt(packet->fd, SOL_PACKET, option, &groups, sizeof groups))
		return -errno;
	return 0;
}

/* As much as root may have, else as much as anybody. */
static void set_buffers(const struct packet *packet)
{
	const int size = BUFFER;

	if (setsockopt(packet->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		setsockopt(packet->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (setsockopt(packet->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
		setsockopt(packet->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* The socket hears nothing before it is bound, so all else comes first. */
static int listen_on(const struct packet *packet)
{
	struct sockaddr_ll name = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = packet->ifindex,
	};
	int error = set_filter(packet);

	if (!error)
		error = set_option(packet, PACKET_VNET_HDR);
	if (!error)
		error = set_option(packet, PACKET_AUXDATA);
	if (!error)
		error = set_option(packet, PACKET_IGNORE_OUTGOING);
	if (!error)
		error = join(packet);
	set_buffers(packet);
	if (!error && bind(packet->fd, (struct sockaddr *)&name, sizeof name))
		error = -errno;
	return error;
}

static int make_room(struct packet *packet)
{
	packet->cut_len = packet->device.mtu + ETH_HEADER_LEN;
	packet->slots = malloc(BATCH * SLOT_LEN);
	packet->cuts = packet->plain ? malloc(BATCH * packet->cut_len) : NULL;
	if (!packet->slots || (packet->plain && !packet->cuts))
		return -ENOMEM;
	for (int i = 0; i < BATCH; i++) {
		packet->pieces[i][0] = (struct iovec){&packet->vnets[i], VNET_LEN};
		packet->pieces[i][1] = (struct iovec){packet->slots + i * SLOT_LEN + LEAD, LARGEST};
	}
	return 0;
}

static int set_up(struct packet *packet, const struct packet_config *config)
{
	struct device *device = &packet->device;
	uint8_t card[ETH_ADDR_LEN];
	int error = linuxif_mac(config->name, card);

	if (!error)
		error = linuxif_mtu(config->name, &device->mtu);
	if (error)
		return error;
	memcpy(device->name, config->name, strlen(config->name) + 1);
	if (config->mac)
		memcpy(device->mac, config->mac, sizeof device->mac);
	else
		mac_draw(device->mac, config->secret, "packet mac");
	packet->ifindex = (int)if_nametoindex(config->name);
	packet->changes = linuxif_changes();
	if (packet->changes < 0)
		return packet->changes;
	packet->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (packet->fd < 0)
		return -errno;
	device->fd = packet->fd;
	error = make_room(packet);
	return error ? error : listen_on(packet);
}

int packet_open(struct device **out, const struct packet_config *config)
{
	struct packet *packet = calloc(1, sizeof *packet);
	int error;

	if (!packet)
		return -ENOMEM;
	packet->device = (struct device){
		.ops = &packet_ops,
		.fd = -1,
		.deadline = DEVICE_NEVER,
		.link = PARLEY_LINK_ETHERNET,
		.offload = config->plain ? 0 : PARLEY_OFFLOAD_CHECKSUM | PARLEY_OFFLOAD_SEGMENT,
	};
	packet->fd = packet->changes = -1;
	packet->plain = config->plain;
	error = set_up(packet, config);
	if (error)
		packet_close(&packet->device);
	else
		*out = &packet->device;
	return error;
}

void packet_explain(char *text, size_t size, const char *name, int error)
{
	switch (error < 0 ? -error : error) {
	case ENODEV:
		snprintf(text, size, "there is no interface '%s'", name);
		break;
	case EPERM:
	case EACCES:
		snprintf(text, size, "a packet socket needs root (CAP_NET_RAW)");
		break;
	case EINVAL:
		snprintf(text, size, "'%s' is no Ethernet interface", name);
		break;
	default:
		snprintf(text, size, "'%s': %s", name, strerror(error < 0 ? -error : error));
		break;
	}
}
