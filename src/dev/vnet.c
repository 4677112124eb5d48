/* SPDX-License-Identifier: MIT */
#include "dev/vnet.h"

#include <stdint.h>

/* The kernel gives segments of a run without checksums. */
void vnet_read(const struct virtio_net_hdr *vnet, struct parley_rx *frame)
{
	frame->checksum_verified = vnet->flags &
				   (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID);
	if (vnet->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		frame->segment_size = vnet->gso_size;
}

void vnet_write(const struct parley_frame *frame, size_t link_len, struct virtio_net_hdr *vnet)
{
	*vnet = (struct virtio_net_hdr){.gso_type = VIRTIO_NET_HDR_GSO_NONE};
	if (frame->checksum_partial) {
		vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		vnet->csum_start = frame->checksum_start;
		vnet->csum_offset = frame->checksum_offset;
	}
	if (frame->segment_size) {
		vnet->gso_type = frame->header[link_len] >> 4 == 6 ? VIRTIO_NET_HDR_GSO_TCPV6
								   : VIRTIO_NET_HDR_GSO_TCPV4;
		vnet->hdr_len = (uint16_t)frame->header_len;
		vnet->gso_size = frame->segment_size;
	}
}

int vnet_gather(struct parley_frame *frame, struct virtio_net_hdr *vnet,
		struct iovec pieces[static VNET_PIECES])
{
	int n = 0;

	if (vnet)
		pieces[n++] = (struct iovec){vnet, sizeof *vnet};
	pieces[n++] = (struct iovec){frame->header, frame->header_len};
	for (uint32_t i = 0; i < frame->span_count; i++)
		pieces[n++] = (struct iovec){(void *)(uintptr_t)frame->spans[i].data,
					     frame->spans[i].len};
	return n;
}
