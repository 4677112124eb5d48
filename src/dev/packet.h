/* SPDX-License-Identifier: MIT */
/*
 * A packet socket on an Ethernet interface of the Linux kernel (packet(7)): a device on the same
 * cable as the kernel, with a hardware address of its own. Needs CAP_NET_RAW.
 *
 * The kernel does not answer for us: it drops what goes to a hardware address that is not the
 * interface's. Only a device that is given the interface's own address shares it with the kernel,
 * and the kernel must then have no IP address there. In either case the two cannot reach each
 * other through that interface, as what one of them sends goes out to the cable.
 *
 * Frames of a VLAN are not ours, and reach the host with their tag, as an EtherType of which it
 * knows nothing; a tag that names no VLAN, only a priority, is taken off.
 *
 * Unless `plain`, work is left to the kernel and to the other end as on a TUN (dev/tun.h): sums
 * that the card, or the other end of a veth, has not computed, and runs of segments in one piece.
 * A plain device gives and takes frames as on a wire: runs that the kernel has made are cut again.
 *
 * While the interface is down what is transmitted is lost. receive() and transmit() answer -ENODEV
 * when it has been taken away.
 */
#ifndef DEV_PACKET_H
#define DEV_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/device.h"

struct packet_config {
	/* Of the interface, which must be there; it may be down. */
	const char *name;
	/* The hardware address to have; NULL: draw one from the 16 bytes of `secret`. */
	const uint8_t *mac;
	const uint8_t *secret;
	/* Every frame by itself, with its checksum. */
	bool plain;
};

/*
 * Opens it; 0 and *out. Else a negative errno: -EPERM, -ENODEV (no such interface), -EINVAL (it is
 * no Ethernet).
 */
int packet_open(struct device **out, const struct packet_config *config);

/* Says in words what that error means, and what to do, for an error message. */
void packet_explain(char *text, size_t size, const char *name, int error);

#endif
