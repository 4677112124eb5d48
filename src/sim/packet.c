/* SPDX-License-Identifier: MIT */
#include "sim/packet.h"

#include "base/checksum.h"
#include "base/mem.h"
#include "wire/ipv4.h"

static void read_tcp(struct sim_packet *packet)
{
	const struct ip_packet *ip = &packet->ip;

	if (tcp_verify_checksum(&ip->src, &ip->dst, ip->payload, ip->payload_len, checksum_sum))
		return;
	if (tcp_parse(&packet->segment, ip->payload, ip->payload_len))
		return;
	packet->kind = SIM_PACKET_TCP;
	packet->src = (struct parley_endpoint){ip->src, packet->segment.src_port};
	packet->dst = (struct parley_endpoint){ip->dst, packet->segment.dst_port};
}

static void read_ip(struct sim_packet *packet, const uint8_t *bytes, size_t len)
{
	if (ipv4_parse(&packet->ip, bytes, len))
		return;
	if (packet->ip.protocol == IP_TCP)
		read_tcp(packet);
}

void sim_packet_read(struct sim_packet *packet, enum parley_link link, const uint8_t *bytes,
		     size_t len)
{
	struct eth_frame eth;

	memset(packet, 0, sizeof *packet);
	if (link == PARLEY_LINK_IP) {
		read_ip(packet, bytes, len);
		return;
	}
	if (eth_parse(&eth, bytes, len))
		return;
	packet->link_dst = eth.dst;
	packet->link_src = eth.src;
	if (eth.type == ETH_IPV4)
		read_ip(packet, eth.payload, eth.payload_len);
	else if (eth.type == ETH_ARP && !arp_parse(&packet->arp, eth.payload, eth.payload_len))
		packet->kind = SIM_PACKET_ARP;
}
