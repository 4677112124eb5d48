/* SPDX-License-Identifier: MIT */
/*
 * A TUN or TAP interface of the Linux kernel: a device whose other side is the kernel's own
 * network, as if a cable led to it. TUN carries IP packets, TAP Ethernet frames (the kernel's
 * documentation, networking/tuntap).
 *
 * An interface that exists already (`ip tuntap add NAME mode tun user USER`) is attached to, for
 * which its owner needs no privilege; otherwise one is made, which needs CAP_NET_ADMIN and ends
 * with the device. Its addresses on the kernel's side, and that it is up, are the administrator's
 * affair, or that of dev/linuxif. While it is down, what is transmitted is lost.
 *
 * Unless `plain`, both sides leave work to each other, by the header of VIRTIO 1.2 section 5.1.6
 * in front of each packet: transport checksums are not computed, and runs of segments cross in
 * one piece, up to 64 KiB. Where the kernel cannot do that, the device is plain.
 *
 * receive() and transmit() answer -ENODEV when the interface has been taken away.
 */
#ifndef DEV_TUN_H
#define DEV_TUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/device.h"

struct tun_config {
	/* Of the interface, at most 15 bytes; with "%d" in it the kernel chooses the number. */
	const char *name;
	/* PARLEY_LINK_IP: TUN, PARLEY_LINK_ETHERNET: TAP. */
	enum parley_link link;
	/* Every packet whole and by itself, as it would be on a wire. */
	bool plain;
	/* Where the MAC of our side of a TAP is drawn from. */
	const uint8_t *secret;
};

/*
 * Opens it; 0 and *out, whose name says which interface it is. Else a negative errno: -ENODEV
 * (no name, or too long a one), -ENOENT (no /dev/net/tun), -EPERM and -EACCES, -EBUSY (somebody
 * has it), -EINVAL (it is something else).
 */
int tun_open(struct device **out, const struct tun_config *config);

/* Says in words what that error means, and what to do, for an error message. */
void tun_explain(char *text, size_t size, const char *name, int error);

#endif
