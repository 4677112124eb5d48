/* SPDX-License-Identifier: MIT */
/*
 * One host whose network the test plays by hand, frame by frame: it is 192.0.2.1/24 with hardware
 * address 02:00:00:00:00:01; the usual peer is 192.0.2.2, 02:00:00:00:00:02.
 */
#ifndef TESTS_NET_STATION_H
#define TESTS_NET_STATION_H

#include "../base/slabs.h"

#include "wire/arp.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"

#include <parley/parley.h>

#define STATION_S(n) ((uint64_t)(n)*1000000000)

enum { STATION_FRAME_MAX = 65535 + 14 };

static const struct eth_addr station_mac = {{2, 0, 0, 0, 0, 1}};
static const struct eth_addr station_peer = {{2, 0, 0, 0, 0, 2}};
static const struct eth_addr station_all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

struct station {
	struct slabs slabs;
	struct parley_host *host;
	int ifindex;
	uint64_t now;
	/* The last frame that came out, flattened. */
	uint8_t out[STATION_FRAME_MAX];
	size_t out_len;
	/* The last drop that was traced, and how many were. */
	struct parley_trace_event drop;
	unsigned dropped;
};

void station_init(struct station *s, enum parley_link link, uint32_t mtu);
/* Gives it 2001:db8::1/64 too, at once and nothing else of IPv6. */
void station_add_v6(struct station *s);

void station_free(struct station *s);

struct parley_addr station_addr(const char *text);

/* A frame arrives; the invariants must hold after it. */
void station_in(struct station *s, const void *bytes, size_t len);

/* Fills s->out with the next frame that is owed; false when there is none. */
bool station_out(struct station *s);

/* Nothing is owed. */
void station_expect_nothing(struct station *s);

/* The next frame is an ARP packet, from us to this station. */
struct arp_packet station_expect_arp(struct station *s, struct eth_addr to, unsigned operation);

/* The next frame is a packet of either family, from us to this station. */
struct ip_packet station_expect_ip(struct station *s, struct eth_addr to);

/* The next frame is a segment from us to this station. */
struct segment station_expect_tcp(struct station *s, struct eth_addr to);

/* Time passes, and timers fire. */
void station_wait(struct station *s, uint64_t duration);

/* Frames to us; each writes into `out` and returns the length. */
size_t station_arp(uint8_t *out, struct eth_addr to, const struct arp_packet *packet);
size_t station_ip(uint8_t *out, const char *src, const char *dst, uint8_t protocol,
		  const void *payload, size_t len);
size_t station_tcp(uint8_t *out, const char *src, const char *dst, const struct segment *segment,
		   const void *text);

/* An ARP packet from a sender, about a target, arrives by broadcast (request) or for us (reply). */
void station_hear_arp(struct station *s, unsigned operation, const char *sender,
		      struct eth_addr mac, const char *target);

/* A SYN arrives. */
void station_hear_syn(struct station *s, const char *src, uint16_t src_port, uint16_t dst_port);

/* Opens a connection. */
parley_conn station_connect(struct station *s, const char *remote, uint16_t port);

/* Expects that a drop for this reason has been counted and traced since the last call. */
void station_expect_drop(struct station *s, enum parley_drop reason);

#endif
