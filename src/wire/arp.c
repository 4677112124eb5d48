/* SPDX-License-Identifier: MIT */
#include "wire/arp.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "wire/ip.h"

enum { HARDWARE_ETHERNET = 1, IPV4_ADDR_LEN = 4 };

static bool sender_is_one_host(const struct arp_packet *packet)
{
	return eth_is_unicast(packet->sender_hw) && !ip_is_multicast(&packet->sender) &&
	       !ip_is_broadcast(&packet->sender);
}

enum wire_error arp_parse(struct arp_packet *packet, const uint8_t *bytes, size_t len)
{
	if (len < ARP_LEN)
		return WIRE_TRUNCATED;
	if (get_be16(bytes) != HARDWARE_ETHERNET || get_be16(bytes + 2) != ETH_IPV4)
		return WIRE_BAD_TYPE;
	if (bytes[4] != ETH_ADDR_LEN || bytes[5] != IPV4_ADDR_LEN)
		return WIRE_BAD_TYPE;
	packet->operation = get_be16(bytes + 6);
	if (packet->operation != ARP_REQUEST && packet->operation != ARP_REPLY)
		return WIRE_BAD_TYPE;
	memcpy(packet->sender_hw.b, bytes + 8, ETH_ADDR_LEN);
	packet->sender = ip_from_v4(get_be32(bytes + 14));
	memcpy(packet->target_hw.b, bytes + 18, ETH_ADDR_LEN);
	packet->target = ip_from_v4(get_be32(bytes + 24));
	return sender_is_one_host(packet) ? WIRE_OK : WIRE_BAD_SOURCE;
}

size_t arp_emit(uint8_t *out, const struct arp_packet *packet)
{
	put_be16(out, HARDWARE_ETHERNET);
	put_be16(out + 2, ETH_IPV4);
	out[4] = ETH_ADDR_LEN;
	out[5] = IPV4_ADDR_LEN;
	put_be16(out + 6, packet->operation);
	memcpy(out + 8, packet->sender_hw.b, ETH_ADDR_LEN);
	put_be32(out + 14, ip_to_v4(&packet->sender));
	memcpy(out + 18, packet->target_hw.b, ETH_ADDR_LEN);
	put_be32(out + 24, ip_to_v4(&packet->target));
	return ARP_LEN;
}
