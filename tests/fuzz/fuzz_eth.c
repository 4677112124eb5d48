/* SPDX-License-Identifier: MIT */
/* Ethernet frames: what is read is written back the same. */
#include "fuzz.h"

#include "wire/eth.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eth_frame frame;
	uint8_t out[ETH_HEADER_LEN];

	if (eth_parse(&frame, data, size) != WIRE_OK) {
		demand(size < ETH_HEADER_LEN);
		return 0;
	}
	demand(frame.payload_len == size - ETH_HEADER_LEN);
	demand(eth_emit(out, &frame) == sizeof out);
	demand(memcmp(out, data, sizeof out) == 0);
	demand(!eth_is_unicast(frame.dst) || !eth_is_multicast(frame.dst));
	demand(!eth_is_broadcast(frame.dst) || eth_is_multicast(frame.dst));
	demand(eth_equal(frame.dst, frame.src) == !memcmp(data, data + 6, 6));
	return 0;
}
