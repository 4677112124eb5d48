/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "wire/eth.h"
#include "wire/icmpv6.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fuzz_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
	abort();
}

uint8_t take8(struct bytes *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

uint16_t take16(struct bytes *in)
{
	uint16_t high = take8(in);

	return (uint16_t)(high << 8 | take8(in));
}

uint32_t take32(struct bytes *in)
{
	uint32_t high = take16(in);

	return high << 16 | take16(in);
}

const uint8_t *take(struct bytes *in, size_t n, size_t *len)
{
	const uint8_t *at = in->at;

	*len = n < in->left ? n : in->left;
	in->at += *len;
	in->left -= *len;
	return at;
}

uint8_t *exact(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	demand(copy);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

/* The sum at `at` of the packet's payload, a pseudo-header before it or not. */
static void repair_payload(uint8_t *packet, const struct ip_packet *ip, size_t at, bool pseudo)
{
	uint8_t *payload = packet + (ip->payload - packet);
	uint32_t len = (uint32_t)ip->payload_len;
	uint64_t sum = pseudo ? ip_pseudo_sum(&ip->src, &ip->dst, ip->protocol, len) : 0;

	if (len < at + 2)
		return;
	put_be16(payload + at, 0);
	sum = checksum_combine(sum, checksum_sum(payload, len));
	put_be16(payload + at, checksum_fold(sum));
}

static enum wire_error read_v4(struct ip_packet *ip, uint8_t *packet, size_t len)
{
	size_t header_len = (size_t)(packet[0] & 0x0f) * 4;

	if (len < IPV4_HEADER_LEN || header_len < IPV4_HEADER_LEN || header_len > len)
		return WIRE_BAD_HEADER_LENGTH;
	put_be16(packet + 10, 0);
	put_be16(packet + 10, checksum_fold(checksum_sum(packet, header_len)));
	return ipv4_parse(ip, packet, len);
}

void repair_ip(uint8_t *packet, size_t len)
{
	struct ip_packet ip;
	bool v4 = len && packet[0] >> 4 == 4;

	if (!len || (v4 ? read_v4(&ip, packet, len) : ipv6_parse(&ip, packet, len)) != WIRE_OK)
		return;
	if (ip.protocol == IP_TCP)
		repair_payload(packet, &ip, 16, true);
	else if (ip.protocol == IP_ICMPV6)
		repair_payload(packet, &ip, ICMPV6_CHECKSUM_AT, true);
	else if (ip.protocol == IP_ICMP)
		repair_payload(packet, &ip, 2, false);
}

void repair_ethernet(uint8_t *frame, size_t len)
{
	if (len > ETH_HEADER_LEN)
		repair_ip(frame + ETH_HEADER_LEN, len - ETH_HEADER_LEN);
}
