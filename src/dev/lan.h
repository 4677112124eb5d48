/* SPDX-License-Identifier: MIT */
/*
 * A station on a `parley lan` hub: a device whose cable is a Unix socket of type SOCK_SEQPACKET,
 * one Ethernet frame a message.
 */
#ifndef DEV_LAN_H
#define DEV_LAN_H

#include "dev/device.h"

/* What the LAN carries, as common Ethernet does. */
#define LAN_MTU 1500

/*
 * Joins the hub that listens at `path`. The station's MAC address is drawn from `secret`, locally
 * administered: the same secret gives the same one. Returns 0 and sets *out, or a negative errno;
 * lan_explain() says in words what that means for this path.
 */
int lan_open(struct device **out, const char *path, const uint8_t secret[16]);

/* Such as "no hub at 'net': start one with 'parley lan net'", NUL-terminated, cut to `size`. */
void lan_explain(char *text, size_t size, const char *path, int error);

#endif
