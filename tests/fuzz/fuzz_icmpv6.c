/* SPDX-License-Identifier: MIT */
/*
 * ICMPv6 messages, neighbour discovery among them, between two addresses that the input chooses.
 * Checksums are put right, for the parser would refuse nearly everything.
 */
#include "fuzz.h"

#include "wire/icmpv6.h"
#include "wire/ipv6.h"
#include "wire/text.h"

#include <stdlib.h>

/* Addresses of every kind that makes a difference. */
static struct parley_addr choose(uint8_t which)
{
	static const char *const texts[] = {
		"2001:db8::1", "fe80::1", "::",		 "ff02::1",
		"ff02::2",     "::1",	  "2001:db8::2", "ff02::1:ff00:1"};
	struct parley_addr addr;

	demand(text_read_addr(&addr, texts[which % 8]));
	return addr;
}

static void check_message(const struct icmp_message *message, const struct ip_packet *packet)
{
	demand(message->data_len == packet->payload_len - ICMP_HEADER_LEN);
	demand(message->is_error == (message->type < 128));
	demand(!message->has_quote || message->is_error);
	if (message->has_quote)
		demand(message->data_len >= IPV6_HEADER_LEN);
	demand(!(icmpv6_may_report(packet, true) && message->is_error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	uint8_t which = take8(&in), repair = take8(&in);
	struct ip_packet packet = {
		.version = 6,
		.protocol = IP_ICMPV6,
		.ttl = 255,
		.src = choose(which & 7),
		.dst = choose(which >> 3 & 7),
		.header_len = IPV6_HEADER_LEN,
	};
	uint8_t *bytes = exact(in.at, in.left);
	struct icmp_message message;

	packet.payload = bytes;
	packet.payload_len = in.left;
	if (repair & 1 && in.left >= ICMP_HEADER_LEN)
		icmpv6_finish(bytes, in.left, &packet.src, &packet.dst);
	if (icmpv6_parse(&message, &packet) == WIRE_OK)
		check_message(&message, &packet);
	free(bytes);
	return 0;
}
