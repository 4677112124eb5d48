/* SPDX-License-Identifier: MIT */
#include "wire/eth.h"

#include "base/bytes.h"
#include "base/mem.h"

/* As two numbers: an address is too short to be worth a call of memcpy. */
static void copy_addr(uint8_t *to, const uint8_t *from)
{
	put_be32(to, get_be32(from));
	put_be16(to + 4, get_be16(from + 4));
}

enum wire_error eth_parse(struct eth_frame *frame, const uint8_t *bytes, size_t len)
{
	if (len < ETH_HEADER_LEN)
		return WIRE_TRUNCATED;
	copy_addr(frame->dst.b, bytes);
	copy_addr(frame->src.b, bytes + 6);
	frame->type = get_be16(bytes + 12);
	frame->payload = bytes + ETH_HEADER_LEN;
	frame->payload_len = len - ETH_HEADER_LEN;
	return WIRE_OK;
}

size_t eth_emit(uint8_t *out, const struct eth_frame *frame)
{
	copy_addr(out, frame->dst.b);
	copy_addr(out + 6, frame->src.b);
	put_be16(out + 12, frame->type);
	return ETH_HEADER_LEN;
}

bool eth_equal(struct eth_addr a, struct eth_addr b)
{
	return memcmp(a.b, b.b, ETH_ADDR_LEN) == 0;
}

bool eth_is_broadcast(struct eth_addr addr)
{
	return eth_equal(addr, (struct eth_addr){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}});
}

bool eth_is_multicast(struct eth_addr addr)
{
	return (addr.b[0] & 1) != 0;
}

bool eth_is_unicast(struct eth_addr addr)
{
	return !eth_is_multicast(addr) && !eth_equal(addr, (struct eth_addr){{0}});
}
