/* SPDX-License-Identifier: MIT */
/*
 * IPv4 packets: the payload lies inside, what is written is read back the same, and an error may
 * be built about whatever was read. The first byte says whether checksums are put right.
 */
#include "fuzz.h"

#include "wire/icmp.h"
#include "wire/ipv4.h"

#include <stdlib.h>

static void check_written(const struct ip_packet *packet)
{
	struct ip_packet again;
	uint8_t *out = malloc(IPV4_HEADER_LEN + packet->payload_len);

	demand(out);
	if (packet->payload_len <= IPV4_MAX_LEN - IPV4_HEADER_LEN) {
		demand(ipv4_emit(out, packet) == IPV4_HEADER_LEN);
		demand(ipv4_parse(&again, out, IPV4_HEADER_LEN + packet->payload_len) == WIRE_OK);
		demand(ip_equal(&again.src, &packet->src) && ip_equal(&again.dst, &packet->dst));
		demand(again.protocol == packet->protocol && again.ttl == packet->ttl);
		demand(again.tos == packet->tos && again.id == packet->id);
		demand(again.df == packet->df && again.payload_len == packet->payload_len);
	}
	free(out);
}

static void check_error(const struct ip_packet *packet)
{
	struct icmp_message message;
	uint8_t out[ICMP_ERROR_MAX];
	size_t len;

	if (!icmp_may_report(packet))
		return;
	len = icmp_emit_error(out, ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, 1400, packet);
	demand(len <= sizeof out);
	demand(icmp_parse(&message, out, len) == WIRE_OK);
	demand(message.is_error && message.mtu == 1400 && message.has_quote);
	demand(ip_equal(&message.quote.src, &packet->src));
	demand(ip_equal(&message.quote.dst, &packet->dst));
	demand(message.quote.protocol == packet->protocol);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	bool repair = take8(&in) & 1;
	uint8_t *bytes = exact(in.at, in.left);
	struct ip_packet packet;

	if (repair)
		repair_ip(bytes, in.left);
	if (ipv4_parse(&packet, bytes, in.left) == WIRE_OK) {
		demand(packet.version == 4 && packet.header == bytes);
		demand(packet.payload == bytes + packet.header_len);
		demand(packet.header_len >= IPV4_HEADER_LEN);
		demand(packet.header_len + packet.payload_len <= in.left);
		check_written(&packet);
		check_error(&packet);
	}
	free(bytes);
	return 0;
}
