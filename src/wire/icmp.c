/* SPDX-License-Identifier: MIT */
#include "wire/icmp.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mem.h"
#include "wire/ipv4.h"

/* Of a quoted transport header: the ports, and the four bytes behind them. */
enum { QUOTED_TRANSPORT = 8 };

static bool quotes(uint8_t type)
{
	switch (type) {
	case ICMP_UNREACHABLE:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETER_PROBLEM:
		return true;
	default:
		return false;
	}
}

static enum icmp_kind kind_of_unreachable(uint8_t code)
{
	switch (code) {
	case ICMP_NET_UNREACHABLE:
	case ICMP_SOURCE_ROUTE_FAILED:
	case 6:	 /* network unknown */
	case 11: /* for this type of service */
		return ICMP_KIND_NET_UNREACHABLE;
	case ICMP_PROTOCOL_UNREACHABLE:
		return ICMP_KIND_PROTOCOL_UNREACHABLE;
	case ICMP_PORT_UNREACHABLE:
		return ICMP_KIND_PORT_UNREACHABLE;
	case ICMP_FRAGMENTATION_NEEDED:
		return ICMP_KIND_TOO_BIG;
	case 9:	 /* network prohibited */
	case 10: /* host prohibited */
	case ICMP_ADMIN_PROHIBITED:
	case 14: /* precedence violation */
	case 15: /* precedence cut off */
		return ICMP_KIND_PROHIBITED;
	default:
		return ICMP_KIND_HOST_UNREACHABLE;
	}
}

static enum icmp_kind kind_of(uint8_t type, uint8_t code)
{
	switch (type) {
	case ICMP_ECHO:
		return ICMP_KIND_ECHO;
	case ICMP_ECHO_REPLY:
		return ICMP_KIND_ECHO_REPLY;
	case ICMP_UNREACHABLE:
		return kind_of_unreachable(code);
	case ICMP_TIME_EXCEEDED:
		return ICMP_KIND_TIME_EXCEEDED;
	case ICMP_PARAMETER_PROBLEM:
		return ICMP_KIND_PARAMETER_PROBLEM;
	default:
		return ICMP_KIND_OTHER; /* MUST-55 */
	}
}

/*
 * Nearly a parser of IPv4, but of a packet cut short and altered by the routers on its way: only
 * what cannot be missing is demanded, and the checksum says nothing.
 */
static bool read_quote(struct ip_quote *quote, const uint8_t *bytes, size_t len)
{
	size_t header_len;
	const uint8_t *transport;

	if (len < IPV4_HEADER_LEN || bytes[0] >> 4 != 4)
		return false;
	header_len = (size_t)(bytes[0] & 0x0f) * 4;
	if (header_len < IPV4_HEADER_LEN || header_len > len)
		return false;
	quote->packet_len = get_be16(bytes + 2);
	quote->protocol = bytes[9];
	quote->src = ip_from_v4(get_be32(bytes + 12));
	quote->dst = ip_from_v4(get_be32(bytes + 16));
	/* Behind any fragment but the first stands no transport header. */
	quote->has_ports = len - header_len >= QUOTED_TRANSPORT &&
			   (get_be16(bytes + 6) & 0x1fff) == 0;
	if (!quote->has_ports)
		return true;
	transport = bytes + header_len;
	quote->src_port = get_be16(transport);
	quote->dst_port = get_be16(transport + 2);
	quote->seq = get_be32(transport + 4);
	return true;
}

enum wire_error icmp_parse(struct icmp_message *message, const uint8_t *bytes, size_t len)
{
	if (len < ICMP_HEADER_LEN)
		return WIRE_TRUNCATED;
	if (checksum_fold(checksum_sum(bytes, len)) != 0)
		return WIRE_BAD_CHECKSUM;
	*message = (struct icmp_message){
		.kind = kind_of(bytes[0], bytes[1]),
		.type = bytes[0],
		.code = bytes[1],
		.is_error = quotes(bytes[0]),
		.data = bytes + ICMP_HEADER_LEN,
		.data_len = len - ICMP_HEADER_LEN,
	};
	if (message->is_error) {
		message->has_quote = read_quote(&message->quote, message->data, message->data_len);
		if (bytes[0] == ICMP_UNREACHABLE && bytes[1] == ICMP_FRAGMENTATION_NEEDED)
			message->mtu = get_be16(bytes + 6);
	} else if (bytes[0] == ICMP_ECHO || bytes[0] == ICMP_ECHO_REPLY) {
		message->id = get_be16(bytes + 4);
		message->number = get_be16(bytes + 6);
	}
	return WIRE_OK;
}

static void finish(uint8_t *out, size_t len)
{
	put_be16(out + 2, 0);
	put_be16(out + 2, checksum_fold(checksum_sum(out, len)));
}

size_t icmp_emit_echo(uint8_t *out, const struct icmp_message *message)
{
	out[0] = message->type;
	out[1] = 0;
	put_be16(out + 4, message->id);
	put_be16(out + 6, message->number);
	if (message->data_len > 0)
		memmove(out + ICMP_HEADER_LEN, message->data, message->data_len);
	finish(out, ICMP_HEADER_LEN + message->data_len);
	return ICMP_HEADER_LEN + message->data_len;
}

size_t icmp_emit_error(uint8_t *out, uint8_t type, uint8_t code, uint32_t rest,
		       const struct ip_packet *cause)
{
	size_t len = cause->header_len + cause->payload_len;

	if (len > ICMP_ERROR_MAX - ICMP_HEADER_LEN)
		len = ICMP_ERROR_MAX - ICMP_HEADER_LEN;

	out[0] = type;
	out[1] = code;
	put_be32(out + 4, rest);
	/* The payload lies right behind its header. */
	memcpy(out + ICMP_HEADER_LEN, cause->header, len);
	finish(out, ICMP_HEADER_LEN + len);
	return ICMP_HEADER_LEN + len;
}

bool icmp_may_report(const struct ip_packet *cause)
{
	if (!ip_is_unicast(&cause->src) || !ip_is_unicast(&cause->dst))
		return false;
	if (cause->protocol != IP_ICMP)
		return true;
	return cause->payload_len >= ICMP_HEADER_LEN &&
	       (cause->payload[0] == ICMP_ECHO || cause->payload[0] == ICMP_ECHO_REPLY);
}
