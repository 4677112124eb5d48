/* SPDX-License-Identifier: MIT */
#include "wire/ip.h"

#include "base/checksum.h"
#include "base/mem.h"

bool ip_is_link_local(const struct parley_addr *addr)
{
	if (ip_is_v4(addr))
		return ip_to_v4(addr) >> 16 == 0xa9fe;
	return addr->b[0] == 0xfe && addr->b[1] >> 6 == 2;
}

const struct parley_addr ip_all_nodes = {{0xff, 2, [15] = 1}};
const struct parley_addr ip_all_routers = {{0xff, 2, [15] = 2}};

struct parley_addr ip_solicited_node(const struct parley_addr *addr)
{
	struct parley_addr group = {{0xff, 2, [11] = 1, 0xff}};

	put_be24(group.b + 13, get_be24(addr->b + 13));
	return group;
}

unsigned ip_common_prefix(const struct parley_addr *a, const struct parley_addr *b)
{
	unsigned from = ip_is_v4(a) && ip_is_v4(b) ? 96 : 0;
	unsigned bits = from;

	while (bits < 128 && !((a->b[bits / 8] ^ b->b[bits / 8]) >> (7 - bits % 8) & 1))
		bits++;
	return bits - from;
}

uint64_t ip_pseudo_sum(const struct parley_addr *src, const struct parley_addr *dst,
		       uint8_t protocol, uint32_t len)
{
	/* So few words of 32 bits cannot overflow 64. */
	uint64_t sum = checksum_word16(protocol) + checksum_word32(len);

	if (ip_is_v4(src))
		return sum + get_ne32(ip_v4_bytes(src)) + get_ne32(ip_v4_bytes(dst));
	for (size_t i = 0; i < sizeof src->b; i += 4)
		sum += (uint64_t)get_ne32(src->b + i) + get_ne32(dst->b + i);
	return sum;
}
