/* SPDX-License-Identifier: MIT */
/*
 * The way from a host to itself: an interface of its own, behind those of the user, to which
 * 127.0.0.0/8, ::1 and all our addresses lead. It is made when something first wants to go there.
 *
 * What it sends is pulled like everything else, but by parley_expire(), which hands it straight to
 * input, a bounded number of packets a call; parley_deadline() answers `now` while any wait. They
 * never leave the host, their transport checksum is not computed, and one may be 65535 bytes.
 */
#ifndef NET_LOOPBACK_H
#define NET_LOOPBACK_H

#include "tcp/egress.h"

#include <parley/types.h>

enum { LOOPBACK_INDEX = EGRESS_MAX - 1, LOOPBACK_MTU = 65535 };

struct parley_host;
struct interface;

/* Makes it, if it is not there; false without memory. */
bool loopback_open(struct parley_host *host);

/* Frees it. */
void loopback_close(struct parley_host *host);

/* Is this address the host's own, also 127.0.0.0/8 and ::1? */
bool loopback_leads_to(const struct parley_host *host, const struct parley_addr *addr);

/* Where a packet to `dst` by way of the host itself comes from. */
const struct parley_addr *loopback_source(const struct parley_addr *dst);

/* Hands on what waits, in portions; returns how many packets that were. */
int loopback_expire(struct parley_host *host);
bool loopback_pending(const struct parley_host *host);

#endif
