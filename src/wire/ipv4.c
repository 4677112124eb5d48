/* SPDX-License-Identifier: MIT */
#include "wire/ipv4.h"

#include "base/bytes.h"
#include "base/checksum.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LSRR = 131, OPTION_SSRR = 137 };

enum { DONT_FRAGMENT = 0x4000, MORE_FRAGMENTS = 0x2000, FRAGMENT_OFFSET = 0x1fff };

/* False when an option's length leads nowhere. */
static bool walk_options(const uint8_t *at, const uint8_t *end, bool *source_routed)
{
	while (at < end && at[0] != OPTION_END) {
		if (at[0] == OPTION_NOP) {
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at[1] > end - at)
			return false;
		if (at[0] == OPTION_LSRR || at[0] == OPTION_SSRR)
			*source_routed = true;
		at += at[1]; /* MUST-50 */
	}
	return true;
}

static void load(struct ip_packet *packet, const uint8_t *bytes, size_t header_len,
		 size_t total_len)
{
	packet->version = 4;
	packet->tos = bytes[1];
	packet->id = get_be16(bytes + 4);
	packet->df = (get_be16(bytes + 6) & DONT_FRAGMENT) != 0;
	packet->ttl = bytes[8];
	packet->protocol = bytes[9];
	packet->src = ip_from_v4(get_be32(bytes + 12));
	packet->dst = ip_from_v4(get_be32(bytes + 16));
	packet->source_routed = false;
	packet->problem = (struct ip_problem){.owed = false};
	packet->protocol_at = 9;
	packet->header = bytes;
	packet->header_len = header_len;
	packet->payload = bytes + header_len;
	packet->payload_len = total_len - header_len;
}

enum wire_error ipv4_parse(struct ip_packet *packet, const uint8_t *bytes, size_t len)
{
	size_t header_len, total_len;

	if (len < IPV4_HEADER_LEN)
		return WIRE_TRUNCATED;
	if (bytes[0] >> 4 != 4)
		return WIRE_BAD_VERSION;
	header_len = (size_t)(bytes[0] & 0x0f) * 4;
	if (header_len < IPV4_HEADER_LEN || header_len > len)
		return WIRE_BAD_HEADER_LENGTH;
	total_len = get_be16(bytes + 2);
	if (total_len < header_len || total_len > len)
		return WIRE_BAD_TOTAL_LENGTH;
	load(packet, bytes, header_len, total_len);
	if (checksum_fold(checksum_header(bytes, header_len)) != 0)
		return WIRE_BAD_CHECKSUM;
	if (!walk_options(bytes + IPV4_HEADER_LEN, bytes + header_len, &packet->source_routed))
		return WIRE_BAD_OPTION;
	if ((get_be16(bytes + 6) & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) != 0)
		return WIRE_FRAGMENT;
	return ip_is_unicast(&packet->src) ? WIRE_OK : WIRE_BAD_SOURCE;
}

size_t ipv4_emit(uint8_t *out, const struct ip_packet *packet)
{
	const uint32_t first = 4u << 28 | IPV4_HEADER_LEN / 4 << 24 | (uint32_t)packet->tos << 16;

	/* Four bytes at a time, as the checksum reads them again. */
	put_be32(out, first | (uint16_t)(IPV4_HEADER_LEN + packet->payload_len));
	put_be32(out + 4, (uint32_t)packet->id << 16 | (packet->df ? DONT_FRAGMENT : 0));
	put_be32(out + 8, (uint32_t)packet->ttl << 24 | (uint32_t)packet->protocol << 16);
	put_be32(out + 12, ip_to_v4(&packet->src));
	put_be32(out + 16, ip_to_v4(&packet->dst));
	put_be16(out + 10, checksum_fold(checksum_header(out, IPV4_HEADER_LEN)));
	return IPV4_HEADER_LEN;
}
