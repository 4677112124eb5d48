/* SPDX-License-Identifier: MIT */
/*
 * IPv6 packets, whole and as a quotation: the payload lies inside, a problem to tell of points
 * into the packet, and what is written is read back the same.
 */
#include "fuzz.h"

#include "wire/icmpv6.h"
#include "wire/ipv6.h"

#include <stdlib.h>

static void check_inside(const struct ip_packet *packet, const uint8_t *bytes, size_t len)
{
	demand(packet->version == 6 && packet->header == bytes);
	demand(packet->header_len >= IPV6_HEADER_LEN);
	demand(packet->payload == bytes + packet->header_len);
	demand(packet->header_len + packet->payload_len <= len);
	demand(packet->protocol_at < len);
	demand(!packet->problem.owed || packet->problem.at < len);
}

static void check_written(const struct ip_packet *packet)
{
	struct ip_packet again;
	uint8_t *out = malloc(IPV6_HEADER_LEN + packet->payload_len);

	demand(out);
	demand(ipv6_emit(out, packet) == IPV6_HEADER_LEN);
	demand(get_be16(out + 4) == packet->payload_len);
	/* Some payload might be taken for more extension headers: only for these it is the same. */
	if (packet->protocol == IP_TCP || packet->protocol == IP_ICMPV6) {
		demand(ipv6_parse(&again, out, IPV6_HEADER_LEN + packet->payload_len) == WIRE_OK);
		demand(ip_equal(&again.src, &packet->src) && ip_equal(&again.dst, &packet->dst));
		demand(again.protocol == packet->protocol && again.ttl == packet->ttl);
		demand(again.tos == packet->tos && again.payload_len == packet->payload_len);
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	bool quote = take8(&in) & 1;
	uint8_t *bytes = exact(in.at, in.left);
	struct ip_packet packet;
	enum wire_error bad = quote ? ipv6_parse_quote(&packet, bytes, in.left)
				    : ipv6_parse(&packet, bytes, in.left);

	if (bad == WIRE_OK) {
		check_inside(&packet, bytes, in.left);
		demand(!ip_is_multicast(&packet.src));
		check_written(&packet);
	} else if (bad == WIRE_BAD_OPTION || bad == WIRE_FRAGMENT) {
		check_inside(&packet, bytes, in.left);
		demand(!packet.problem.owed || !packet.problem.to_group ||
		       packet.problem.code == IPV6_UNKNOWN_OPTION);
	}
	if (bad == WIRE_OK && icmpv6_may_report(&packet, false))
		demand(ip_is_unicast(&packet.src) && icmpv6_may_report(&packet, true));
	free(bytes);
	return 0;
}
