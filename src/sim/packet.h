/* SPDX-License-Identifier: MIT */
/* What a frame on a simulated link says, for those who look on: faults, oracles, observers. */
#ifndef SIM_PACKET_H
#define SIM_PACKET_H

#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/tcp.h"

#include <parley/host.h>

#include <stdbool.h>

enum sim_packet_kind {
	SIM_PACKET_OTHER, /* nothing of the below, or damaged */
	SIM_PACKET_ARP,
	SIM_PACKET_TCP,
};

struct sim_packet {
	enum sim_packet_kind kind;
	struct eth_addr link_dst, link_src; /* Ethernet only */
	struct arp_packet arp;
	struct ip_packet ip;
	struct parley_endpoint src, dst; /* TCP only */
	struct segment segment;		 /* TCP only; its checksum was right */
};

/* The packet's pointers lead into bytes and live as long as they do. */
void sim_packet_read(struct sim_packet *packet, enum parley_link link, const uint8_t *bytes,
		     size_t len);

/* The length of an IP header without options, by the family of the packet's addresses. */
size_t sim_ip_header_len(const struct ip_packet *ip);

/* Writes such a header in front of a payload of ip->payload_len bytes; returns its length. */
size_t sim_ip_emit(uint8_t *out, const struct ip_packet *ip);

/* The Ethernet type of such a packet. */
static inline uint16_t sim_ip_type(const struct ip_packet *ip)
{
	return ip_is_v4(&ip->src) ? ETH_IPV4 : ETH_IPV6;
}

/* The sequence number behind the last that the segment occupies. */
static inline struct seq sim_packet_end(const struct sim_packet *packet)
{
	return seq_add(packet->segment.seq, packet->segment.len);
}

#endif
