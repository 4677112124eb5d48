/* SPDX-License-Identifier: MIT */
/* ARP packets: what is read is written back the same. */
#include "fuzz.h"

#include "wire/arp.h"
#include "wire/ip.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arp_packet packet;
	uint8_t out[ARP_LEN];

	if (arp_parse(&packet, data, size) != WIRE_OK)
		return 0;
	demand(size >= ARP_LEN);
	demand(!eth_is_multicast(packet.sender_hw) && !ip_is_multicast(&packet.sender));
	demand(arp_emit(out, &packet) == sizeof out);
	demand(memcmp(out, data, sizeof out) == 0);
	return 0;
}
