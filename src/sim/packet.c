/* SPDX-License-Identifier: MIT */
#include "sim/packet.h"

#include "base/checksum.h"
#include "base/mem.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

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
	bool v6 = len > 0 && bytes[0] >> 4 == 6;

	if (v6 ? ipv6_parse(&packet->ip, bytes, len) : ipv4_parse(&packet->ip, bytes, len))
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
	if (eth.type == ETH_IPV4 || eth.type == ETH_IPV6)
		read_ip(packet, eth.payload, eth.payload_len);
	else if (eth.type == ETH_ARP && !arp_parse(&packet->arp, eth.payload, eth.payload_len))
		packet->kind = SIM_PACKET_ARP;
}

size_t sim_ip_header_len(const struct ip_packet *ip)
{
	return ip_is_v4(&ip->src) ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
}

size_t sim_ip_emit(uint8_t *out, const struct ip_packet *ip)
{
	return ip_is_v4(&ip->src) ? ipv4_emit(out, ip) : ipv6_emit(out, ip);
}
