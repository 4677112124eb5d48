/* SPDX-License-Identifier: MIT */
#include "wire/ipv6.h"

#include "base/bytes.h"
#include "base/mem.h"

enum {
	HOP_BY_HOP = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	DESTINATION = 60,
};

enum { NEXT_HEADER_AT = 6, FRAGMENT_LEN = 8, FRAGMENT_OFFSET_AND_MORE = 0xfff9 };

enum { OPTION_PAD1 = 0, OPTION_PADN = 1 };

/* The two upper bits of an unknown option's type: what becomes of the packet (RFC 8200 4.2). */
enum { ACTION_SKIP = 0, ACTION_DISCARD = 1, ACTION_TELL = 2, ACTION_TELL_UNLESS_GROUP = 3 };

static void set_problem(struct ip_packet *packet, uint8_t code, const uint8_t *at)
{
	packet->problem.owed = true;
	packet->problem.code = code;
	packet->problem.at = (uint32_t)(at - packet->header);
}

static enum wire_error refuse_option(struct ip_packet *packet, const uint8_t *option)
{
	unsigned action = option[0] >> 6;

	if (action >= ACTION_TELL)
		set_problem(packet, IPV6_UNKNOWN_OPTION, option);
	packet->problem.to_group = action == ACTION_TELL;
	return WIRE_BAD_OPTION;
}

/* The options of a hop-by-hop or destination options header of `len` bytes. */
static enum wire_error walk_options(struct ip_packet *packet, const uint8_t *header, size_t len)
{
	size_t at = 2;

	while (at < len) {
		const uint8_t *option = header + at;

		if (option[0] == OPTION_PAD1) {
			at++;
			continue;
		}
		if (len - at < 2 || len - at - 2 < option[1])
			return WIRE_BAD_OPTION;
		if (option[0] != OPTION_PADN && option[0] >> 6 != ACTION_SKIP)
			return refuse_option(packet, option);
		at += 2u + option[1];
	}
	return WIRE_OK;
}

/* Steps over a header of `len` bytes at the payload's begin. */
static void step_over(struct ip_packet *packet, size_t len)
{
	packet->protocol_at = (uint32_t)packet->header_len;
	packet->protocol = packet->payload[0];
	packet->header_len += len;
	packet->payload += len;
	packet->payload_len -= len;
}

static enum wire_error walk_fragment(struct ip_packet *packet)
{
	if (packet->payload_len < FRAGMENT_LEN)
		return WIRE_BAD_HEADER_LENGTH;
	if (get_be16(packet->payload + 2) & FRAGMENT_OFFSET_AND_MORE)
		return WIRE_FRAGMENT;
	step_over(packet, FRAGMENT_LEN);
	return WIRE_OK;
}

/* A header that begins with the next one's type and its own length. */
static enum wire_error walk_header(struct ip_packet *packet)
{
	const uint8_t *header = packet->payload;
	enum wire_error error = WIRE_OK;
	size_t len;

	if (packet->payload_len < 8)
		return WIRE_BAD_HEADER_LENGTH;
	len = 8u + (size_t)header[1] * 8;
	if (len > packet->payload_len)
		return WIRE_BAD_HEADER_LENGTH;
	if (packet->protocol != ROUTING)
		error = walk_options(packet, header, len);
	if (!error)
		step_over(packet, len);
	return error;
}

static bool has_segments_left(const struct ip_packet *packet)
{
	return packet->protocol == ROUTING && packet->payload_len >= 4 && packet->payload[3];
}

static enum wire_error walk(struct ip_packet *packet)
{
	for (int i = 0; i <= IPV6_EXTENSIONS_MAX; i++) {
		enum wire_error error = WIRE_OK;

		switch (packet->protocol) {
		case HOP_BY_HOP:
			if (i > 0) {
				set_problem(packet, IPV6_UNKNOWN_NEXT_HEADER,
					    packet->header + packet->protocol_at);
				return WIRE_BAD_OPTION;
			}
			error = walk_header(packet);
			break;
		case ROUTING:
			if (has_segments_left(packet)) {
				packet->source_routed = true;
				set_problem(packet, IPV6_ERRONEOUS_FIELD, packet->payload + 2);
				return WIRE_OK;
			}
			error = walk_header(packet);
			break;
		case DESTINATION:
			error = walk_header(packet);
			break;
		case FRAGMENT:
			error = walk_fragment(packet);
			break;
		default:
			return WIRE_OK;
		}
		if (error)
			return error;
	}
	return WIRE_BAD_HEADER_LENGTH;
}

static void load(struct ip_packet *packet, const uint8_t *bytes, size_t payload_len)
{
	packet->version = 6;
	packet->tos = (uint8_t)(get_be16(bytes) >> 4);
	packet->id = 0;
	packet->df = true;
	packet->ttl = bytes[7];
	packet->protocol = bytes[NEXT_HEADER_AT];
	packet->protocol_at = NEXT_HEADER_AT;
	memcpy(packet->src.b, bytes + 8, sizeof packet->src.b);
	memcpy(packet->dst.b, bytes + 24, sizeof packet->dst.b);
	packet->source_routed = false;
	packet->problem = (struct ip_problem){.owed = false};
	packet->header = bytes;
	packet->header_len = IPV6_HEADER_LEN;
	packet->payload = bytes + IPV6_HEADER_LEN;
	packet->payload_len = payload_len;
}

static enum wire_error parse(struct ip_packet *packet, const uint8_t *bytes, size_t len,
			     bool cut_short)
{
	size_t payload_len, rest = len - IPV6_HEADER_LEN;

	if (len < IPV6_HEADER_LEN)
		return WIRE_TRUNCATED;
	if (bytes[0] >> 4 != 6)
		return WIRE_BAD_VERSION;
	payload_len = get_be16(bytes + 4);
	if (payload_len > rest) {
		if (!cut_short)
			return WIRE_BAD_TOTAL_LENGTH;
		payload_len = rest;
	}
	load(packet, bytes, payload_len);
	/* Mapped addresses mean IPv4 inside this host: none may come from a wire (RFC 4942 2.2). */
	if (ip_is_v4(&packet->src) || ip_is_v4(&packet->dst) || ip_is_multicast(&packet->src))
		return WIRE_BAD_SOURCE;
	return walk(packet);
}

enum wire_error ipv6_parse(struct ip_packet *packet, const uint8_t *bytes, size_t len)
{
	return parse(packet, bytes, len, false);
}

enum wire_error ipv6_parse_quote(struct ip_packet *packet, const uint8_t *bytes, size_t len)
{
	return parse(packet, bytes, len, true);
}

size_t ipv6_emit(uint8_t *out, const struct ip_packet *packet)
{
	put_be32(out, 6u << 28 | (uint32_t)packet->tos << 20);
	put_be16(out + 4, (uint16_t)packet->payload_len);
	out[NEXT_HEADER_AT] = packet->protocol;
	out[7] = packet->ttl;
	memcpy(out + 8, packet->src.b, sizeof packet->src.b);
	memcpy(out + 24, packet->dst.b, sizeof packet->dst.b);
	return IPV6_HEADER_LEN;
}
