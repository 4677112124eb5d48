/* SPDX-License-Identifier: MIT */
#include "wire/icmpv6.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "wire/ipv6.h"

enum { FIRST_INFORMATIONAL = 128, QUOTED_TRANSPORT = 8 };

static enum icmp_kind kind_of_unreachable(uint8_t code)
{
	switch (code) {
	case ICMPV6_NO_ROUTE:
		return ICMP_KIND_NET_UNREACHABLE;
	case ICMPV6_PROHIBITED:
	case ICMPV6_FAILED_POLICY:
	case ICMPV6_REJECT_ROUTE:
		return ICMP_KIND_PROHIBITED;
	case ICMPV6_PORT_UNREACHABLE:
		return ICMP_KIND_PORT_UNREACHABLE;
	default:
		return ICMP_KIND_HOST_UNREACHABLE;
	}
}

static enum icmp_kind kind_of(uint8_t type, uint8_t code)
{
	switch (type) {
	case ICMPV6_UNREACHABLE:
		return kind_of_unreachable(code);
	case ICMPV6_TOO_BIG:
		return ICMP_KIND_TOO_BIG;
	case ICMPV6_TIME_EXCEEDED:
		return ICMP_KIND_TIME_EXCEEDED;
	case ICMPV6_PARAMETER_PROBLEM:
		return code == IPV6_UNKNOWN_NEXT_HEADER ? ICMP_KIND_PROTOCOL_UNREACHABLE
							: ICMP_KIND_PARAMETER_PROBLEM;
	case ICMPV6_ECHO:
		return ICMP_KIND_ECHO;
	case ICMPV6_ECHO_REPLY:
		return ICMP_KIND_ECHO_REPLY;
	case ICMPV6_ROUTER_SOLICITATION:
	case ICMPV6_ROUTER_ADVERTISEMENT:
	case ICMPV6_NEIGHBOUR_SOLICITATION:
	case ICMPV6_NEIGHBOUR_ADVERTISEMENT:
	case ICMPV6_REDIRECT:
		return ICMP_KIND_DISCOVERY;
	default:
		return ICMP_KIND_OTHER;
	}
}

/* The transport header of a quoted packet may be missing, or its packet be cut anywhere. */
static bool read_quote(struct ip_quote *quote, const uint8_t *bytes, size_t len)
{
	struct ip_packet packet;
	enum wire_error error = ipv6_parse_quote(&packet, bytes, len);

	if (error != WIRE_OK && error != WIRE_FRAGMENT && error != WIRE_BAD_HEADER_LENGTH)
		return false;
	quote->packet_len = IPV6_HEADER_LEN + get_be16(bytes + 4);
	quote->protocol = packet.protocol;
	quote->src = packet.src;
	quote->dst = packet.dst;
	quote->has_ports = error == WIRE_OK && packet.payload_len >= QUOTED_TRANSPORT;
	if (!quote->has_ports)
		return true;
	quote->src_port = get_be16(packet.payload);
	quote->dst_port = get_be16(packet.payload + 2);
	quote->seq = get_be32(packet.payload + 4);
	return true;
}

enum wire_error icmpv6_parse(struct icmp_message *message, const struct ip_packet *packet)
{
	const uint8_t *bytes = packet->payload;
	size_t len = packet->payload_len;
	uint64_t pseudo = ip_pseudo_sum(&packet->src, &packet->dst, IP_ICMPV6, (uint32_t)len);

	if (len < ICMP_HEADER_LEN)
		return WIRE_TRUNCATED;
	if (checksum_fold(checksum_add(pseudo, bytes, len)) != 0)
		return WIRE_BAD_CHECKSUM;
	*message = (struct icmp_message){
		.kind = kind_of(bytes[0], bytes[1]),
		.type = bytes[0],
		.code = bytes[1],
		.is_error = bytes[0] < FIRST_INFORMATIONAL,
		.data = bytes + ICMP_HEADER_LEN,
		.data_len = len - ICMP_HEADER_LEN,
	};
	if (message->is_error) {
		message->has_quote = read_quote(&message->quote, message->data, message->data_len);
		if (message->kind == ICMP_KIND_TOO_BIG)
			message->mtu = get_be32(bytes + 4);
	} else if (bytes[0] == ICMPV6_ECHO || bytes[0] == ICMPV6_ECHO_REPLY) {
		message->id = get_be16(bytes + 4);
		message->number = get_be16(bytes + 6);
	}
	return WIRE_OK;
}

void icmpv6_finish(uint8_t *message, size_t len, const struct parley_addr *src,
		   const struct parley_addr *dst)
{
	uint64_t pseudo = ip_pseudo_sum(src, dst, IP_ICMPV6, (uint32_t)len);

	put_be16(message + ICMPV6_CHECKSUM_AT, 0);
	put_be16(message + ICMPV6_CHECKSUM_AT, checksum_fold(checksum_add(pseudo, message, len)));
}

bool icmpv6_may_report(const struct ip_packet *cause, bool to_group)
{
	if (!ip_is_unicast(&cause->src) || (ip_is_multicast(&cause->dst) && !to_group))
		return false;
	if (cause->protocol != IP_ICMPV6)
		return true;
	return cause->payload_len >= ICMP_HEADER_LEN && cause->payload[0] >= FIRST_INFORMATIONAL &&
	       cause->payload[0] != ICMPV6_REDIRECT;
}
