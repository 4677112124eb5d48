/* SPDX-License-Identifier: MIT */
/*
 * Neighbour discovery: what is believed keeps to RFC 4861, and what is written of it is read back.
 */
#include "fuzz.h"

#include "wire/icmpv6.h"
#include "wire/nd.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

static struct parley_addr choose(uint8_t which)
{
	static const char *const texts[] = {
		"fe80::1", "2001:db8::1", "::", "ff02::1", "ff02::2", "ff02::1:ff00:1"};
	struct parley_addr addr;

	demand(text_read_addr(&addr, texts[which % 6]));
	return addr;
}

static void check_written(const struct nd_message *message, const struct ip_packet *packet)
{
	struct nd_message once = *message, again;
	struct ip_packet copy = *packet;
	uint8_t out[ND_MAX];

	if (once.prefix_count > 1)
		once.prefix_count = 1;
	copy.payload_len = nd_emit(out, &once, &packet->src, &packet->dst);
	copy.payload = out;
	demand(copy.payload_len <= sizeof out);
	demand(nd_parse(&again, &copy) == WIRE_OK);
	demand(again.type == once.type && again.has_mac == once.has_mac);
	demand(!once.has_mac || eth_equal(again.mac, once.mac));
	demand(memcmp(&again.target, &once.target, sizeof again.target) == 0);
	demand(again.from_router == once.from_router && again.solicited == once.solicited);
	demand(again.override == once.override && again.lifetime == once.lifetime);
	demand(again.mtu == once.mtu && again.prefix_count == once.prefix_count);
	demand(again.reachable_ms == once.reachable_ms);
	demand(again.retransmit_ms == once.retransmit_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	uint8_t which = take8(&in), hop_limit = take8(&in);
	struct ip_packet packet = {
		.version = 6,
		.protocol = IP_ICMPV6,
		.ttl = hop_limit & 7 ? ND_HOP_LIMIT : hop_limit,
		.src = choose(which & 7),
		.dst = choose(which >> 3 & 7),
	};
	uint8_t *bytes = exact(in.at, in.left);
	struct nd_message message;

	packet.payload = bytes;
	packet.payload_len = in.left;
	if (nd_parse(&message, &packet) == WIRE_OK) {
		demand(packet.ttl == ND_HOP_LIMIT);
		demand(message.prefix_count <= ND_PREFIXES);
		for (uint32_t i = 0; i < message.prefix_count; i++)
			demand(message.prefix[i].len <= 128);
		demand(!ip_is_multicast(&message.target));
		check_written(&message, &packet);
	}
	free(bytes);
	return 0;
}
