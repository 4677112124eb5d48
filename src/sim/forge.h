/* SPDX-License-Identifier: MIT */
/*
 * Forgeries: frames that nobody sent, made after the model of a segment that somebody did, as from
 * a blind attacker, a broken router or a host that has lost its memory. Each kind is built to be
 * refused, for the reason that its name says; none carries text that is not the sender's. A RST may
 * hit and end a connection, as RSTs may, and a SYN may begin one, with nobody.
 */
#ifndef SIM_FORGE_H
#define SIM_FORGE_H

#include "sim/flow.h"
#include "sim/packet.h"

#include <stdint.h>

struct sim_port;
struct sim_world;

/* clang-format off */
/* X(NAME, "name", "what arrives"). Up to OPTIONS at the model's receiver, then at its sender. */
#define SIM_FORGERIES(X) \
	X(TRUNCATED, "truncated", "half of the frame") \
	X(NOT_OURS, "not-ours", "to an address of nobody") \
	X(PROTOCOL, "protocol", "of a transport protocol without a number") \
	X(IP_HEADER, "ip-header", "with an IP header of no possible length") \
	X(IP_CHECKSUM, "ip-checksum", "with a wrong IP checksum") \
	X(IP_SOURCE, "ip-source", "from a multicast address") \
	X(FRAGMENT, "fragment", "as the first fragment") \
	X(SOURCE_ROUTE, "source-route", "with a source route") \
	X(ICMP_MALFORMED, "icmp-malformed", "an ICMP message with a wrong checksum") \
	X(ICMP_IGNORED, "icmp-ignored", "an ICMP timestamp request, or an ICMPv6 experiment") \
	X(ARP_MALFORMED, "arp-malformed", "an ARP packet for another kind of hardware") \
	X(TCP_HEADER, "tcp-header", "with a TCP header of four words") \
	X(TCP_CHECKSUM, "tcp-checksum", "with a wrong TCP checksum") \
	X(TCP_DESTINATION, "tcp-destination", "to everybody") \
	X(STRANGER_ACK, "stranger-ack", "an ACK from another port") \
	X(STRANGER_RST, "stranger-rst", "a RST from another port") \
	X(STRANGER_SYN, "stranger-syn", "a SYN from another port") \
	X(STRANGER_SYN_FIN, "stranger-syn-fin", "SYN and FIN from another port") \
	X(STRANGER_NONE, "stranger-none", "no flag at all from another port") \
	X(STRANGER_BURST, "stranger-burst", "300 ACKs from another port at once") \
	X(FAR_AWAY, "far-away", "an ACK from an address to which no route leads") \
	X(NO_FLAGS, "no-flags", "no flag at all") \
	X(NO_ACK, "no-ack", "a SYN long known, with the byte that is next, without ACK") \
	X(BEFORE_WINDOW, "before-window", "a byte that was acknowledged long ago") \
	X(BEYOND_WINDOW, "beyond-window", "a byte far beyond the window") \
	X(AT_EDGE, "at-edge", "the first byte beyond the window") \
	X(TEXT_AFTER_FIN, "text-after-fin", "a byte behind the FIN") \
	X(RST_BEYOND, "rst-beyond", "a RST beyond the window") \
	X(RST_INSIDE, "rst-inside", "a RST inside the window") \
	X(RST_EXACT, "rst-exact", "a RST with the number that is next") \
	X(SYN_INSIDE, "syn-inside", "a SYN inside the window") \
	X(SYN_BEYOND, "syn-beyond", "a SYN far beyond the window") \
	X(ACK_UNSENT, "ack-unsent", "an ACK of what is yet to be sent") \
	X(ACK_OLD, "ack-old", "an ACK of what is long past") \
	X(HOLES, "holes", "single bytes of what is under way, with holes between them") \
	X(OPTIONS, "options", "an ACK whose options end in the middle") \
	X(BACK_ACK, "back-ack", "back: an ACK of what was not sent") \
	X(BACK_RST, "back-rst", "back: a RST without ACK") \
	X(BACK_OTHER, "back-other", "back: an ACK of the SYN, without a SYN")
/* clang-format on */

enum sim_forgery {
#define SIM_X(name, text, what) SIM_FORGE_##name,
	SIM_FORGERIES(SIM_X)
#undef SIM_X
		SIM_FORGERY_COUNT
};

/* The n-th TCP segment that a host sends, of those with these flags, is the model. */
struct sim_forge {
	uint32_t kind;	/* enum sim_forgery */
	uint32_t from;	/* the sender's number */
	uint16_t set;	/* flags that the model must have */
	uint16_t clear; /* and must not have */
	uint32_t nth;	/* 0 is 1 */
	uint64_t after; /* ns from when the model was sent */
};

struct sim_forge_state {
	struct sim_forge_state *next;
	struct sim_forge forge;
	uint32_t seen;
};

/* Adds one, which is copied. False when the arena is full. */
bool sim_forge_add(struct sim_world *world, const struct sim_forge *forge);

/* A TCP segment is being sent, and its flow knows of it. */
void sim_forge_look(struct sim_port *port, const struct sim_flow *flow, unsigned way,
		    const struct sim_packet *packet);

/* The name of a kind; "?" outside the table. */
const char *sim_forgery_name(int kind);

#endif
