/* SPDX-License-Identifier: MIT */
/*
 * The header of VIRTIO 1.2 section 5.1.6, which a TUN (IFF_VNET_HDR) and a packet socket
 * (PACKET_VNET_HDR) put in front of each packet: what one side of the kernel's edge leaves to the
 * other, transport checksums and the cutting of long runs of segments.
 */
#ifndef DEV_VNET_H
#define DEV_VNET_H

#include <stddef.h>
#include <sys/uio.h>

#include <linux/virtio_net.h>

#include <parley/frame.h>

#define VNET_LEN sizeof(struct virtio_net_hdr)

/* Pieces of a frame, at most: its header and its spans, and what a device puts in front. */
#define VNET_PIECES (PARLEY_FRAME_SPANS + 2)

/* What the kernel tells of a packet that came: whether it is verified, and a run's segments. */
void vnet_read(const struct virtio_net_hdr *vnet, struct parley_rx *frame);

/* What the kernel has to do with a packet, whose link header has so many bytes. */
void vnet_write(const struct parley_frame *frame, size_t link_len, struct virtio_net_hdr *vnet);

/* Where the frame's bytes lie; `vnet` stands in front unless NULL. Returns how many pieces. */
int vnet_gather(struct parley_frame *frame, struct virtio_net_hdr *vnet,
		struct iovec pieces[static VNET_PIECES]);

#endif
