/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own side of a network interface, by its name, in the network namespace of the
 * caller: what `ip link` and `ip addr` do, as far as a device needs it (netdevice(7)).
 *
 * Results are 0 or a negative errno: -ENODEV when there is no such interface; changes need
 * CAP_NET_ADMIN, else -EPERM.
 */
#ifndef DEV_LINUXIF_H
#define DEV_LINUXIF_H

#include <stdbool.h>
#include <stdint.h>

#include <parley/types.h>

/* What one packet may carry, bytes. */
int linuxif_mtu(const char *name, uint32_t *mtu);

/* Its Ethernet address; -EINVAL when it is no Ethernet. */
int linuxif_mac(const char *name, uint8_t mac[static 6]);

/* Whether the interface of this index (if_nametoindex(3)) is up. */
int linuxif_is_up(int ifindex, bool *up);

/*
 * A descriptor that becomes readable whenever some interface changes (rtnetlink(7)), once it
 * listens; linuxif_listen() empties it as well. Its caller closes it. -EMFILE and the like.
 */
int linuxif_changes(void);
int linuxif_listen(int changes, bool listen);

/* Gives the kernel this address there; `prefix` counts bits of the address's own family. */
int linuxif_set_address(const char *name, const struct parley_addr *addr, unsigned prefix);

/* How many packets may wait there to be sent: `ip link set NAME txqueuelen PACKETS` */
int linuxif_set_queue(const char *name, uint32_t packets);

/* `ip link set NAME up` */
int linuxif_up(const char *name);

#endif
