/* SPDX-License-Identifier: MIT */
/*
 * What the two families of IP have in common: the parsed packet, questions about addresses, and
 * the pseudo-header of the transport checksums. Addresses are the 16 bytes of struct parley_addr,
 * IPv4 mapped, so that callers are written once.
 *
 * Prefix lengths count in the address's own family: 24 for 192.0.2.0/24, 64 for 2001:db8::/64.
 */
#ifndef WIRE_IP_H
#define WIRE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <parley/types.h>

#include "base/bytes.h"

enum ip_protocol { IP_ICMP = 1, IP_TCP = 6, IP_UDP = 17, IP_ICMPV6 = 58, IP_NO_NEXT = 59 };

/* ECN field of RFC 3168: the two low bits of tos. */
enum ip_ecn { IP_NOT_ECT = 0, IP_ECT_1 = 1, IP_ECT_0 = 2, IP_CE = 3, IP_ECN_MASK = 3 };

/*
 * What an IPv6 Parameter Problem is to say about a packet (RFC 8200 4, RFC 4443 3.4): the code, and
 * where in the packet the problem lies.
 */
struct ip_problem {
	bool owed;
	bool to_group; /* also about a packet to a multicast address */
	uint8_t code;
	uint32_t at;
};

/* A packet of either family, in host order. Pointers lead into the parsed bytes. */
struct ip_packet {
	struct parley_addr src, dst;
	uint8_t version;    /* 4 or 6 */
	uint8_t protocol;   /* of the payload, behind any extension headers */
	uint8_t ttl;	    /* or hop limit */
	uint8_t tos;	    /* or traffic class: DSCP in the upper six bits, ECN in the lower two */
	uint16_t id;	    /* IPv4 only */
	bool df;	    /* don't fragment; always true for IPv6 */
	bool source_routed; /* has a source route that is not at its end */
	struct ip_problem problem; /* IPv6 only: owed when it was refused for something to tell */
	uint32_t protocol_at;	   /* IPv6 only: where the byte stands that gave protocol */
	const uint8_t *header;
	size_t header_len; /* with options or extension headers */
	const uint8_t *payload;
	size_t payload_len; /* by the length field: no link padding */
};

/*
 * What an ICMP error tells about the packet that caused it. Quotations are short and anybody can
 * forge them: the transport must check seq against its window (RFC 5927).
 */
struct ip_quote {
	struct parley_addr src, dst; /* of the quoted packet: src is its sender, so usually us */
	uint8_t protocol;
	uint32_t packet_len; /* total length that the quoted header claims */
	bool has_ports;	     /* the quotation reaches over the ports and the next four bytes */
	uint16_t src_port, dst_port;
	uint32_t seq; /* TCP's sequence number; without meaning for another protocol */
};

/* The four bytes of an IPv4 address as on the wire; they lie inside addr. */
static inline const uint8_t *ip_v4_bytes(const struct parley_addr *addr)
{
	return addr->b + 12;
}

static inline bool ip_is_v4(const struct parley_addr *addr)
{
	return get_ne64(addr->b) == 0 && get_be32(addr->b + 8) == 0xffff;
}

static inline bool ip_equal(const struct parley_addr *a, const struct parley_addr *b)
{
	return get_ne64(a->b) == get_ne64(b->b) && get_ne64(a->b + 8) == get_ne64(b->b + 8);
}

/* 192.0.2.1 is ip_from_v4(0xc0000201). */
static inline struct parley_addr ip_from_v4(uint32_t v4)
{
	struct parley_addr addr;

	put_ne64(addr.b, 0);
	put_be32(addr.b + 8, 0xffff);
	put_be32(addr.b + 12, v4);
	return addr;
}

/* The reverse; addr must be IPv4. */
static inline uint32_t ip_to_v4(const struct parley_addr *addr)
{
	return get_be32(ip_v4_bytes(addr));
}

/* All zero, or 0.0.0.0. */
static inline bool ip_is_unspecified(const struct parley_addr *addr)
{
	if (ip_is_v4(addr))
		return ip_to_v4(addr) == 0;
	return get_ne64(addr->b) == 0 && get_ne64(addr->b + 8) == 0;
}

/* 127.0.0.0/8 or ::1. */
static inline bool ip_is_loopback(const struct parley_addr *addr)
{
	if (ip_is_v4(addr))
		return ip_to_v4(addr) >> 24 == 127;
	return get_ne64(addr->b) == 0 && get_be64(addr->b + 8) == 1;
}

/* 224.0.0.0/4 or ff00::/8. */
static inline bool ip_is_multicast(const struct parley_addr *addr)
{
	return ip_is_v4(addr) ? ip_to_v4(addr) >> 28 == 0xe : addr->b[0] == 0xff;
}

/* The limited broadcast address 255.255.255.255. A subnet's own needs ip_is_subnet_broadcast. */
static inline bool ip_is_broadcast(const struct parley_addr *addr)
{
	return ip_is_v4(addr) && ip_to_v4(addr) == 0xffffffff;
}

/* 169.254.0.0/16 or fe80::/10. */
bool ip_is_link_local(const struct parley_addr *addr);

/* ff02::1:ff00:0/104 with the low 24 bits of an IPv6 address (RFC 4291 2.7.1). */
struct parley_addr ip_solicited_node(const struct parley_addr *addr);

/* ff02::1 and ff02::2 (RFC 4291 2.7.1). */
extern const struct parley_addr ip_all_nodes, ip_all_routers;

/* How many leading bits two addresses of one family have in common. */
unsigned ip_common_prefix(const struct parley_addr *a, const struct parley_addr *b);

/* May be a source and the address of a TCP connection: none of unspecified, group, broadcast. */
static inline bool ip_is_unicast(const struct parley_addr *addr)
{
	return !ip_is_unspecified(addr) && !ip_is_multicast(addr) && !ip_is_broadcast(addr);
}

/* Does addr lie in net/bits? False when the families differ. bits is at most 32 or 128. */
static inline bool ip_in_prefix(const struct parley_addr *addr, const struct parley_addr *net,
				unsigned bits)
{
	uint64_t differ;

	if (ip_is_v4(net)) {
		differ = ip_is_v4(addr) ? ip_to_v4(addr) ^ ip_to_v4(net) : UINT64_MAX;
		return differ >> (32 - bits) == 0;
	}
	if (ip_is_v4(addr))
		return false;
	differ = get_be64(addr->b) ^ get_be64(net->b);
	if (bits < 64)
		return bits == 0 || differ >> (64 - bits) == 0;
	if (differ || bits == 64)
		return !differ;
	return (get_be64(addr->b + 8) ^ get_be64(net->b + 8)) >> (128 - bits) == 0;
}

/*
 * Is addr the broadcast address (all host bits set) of net/bits? False for IPv6 and for prefixes
 * of 31 and 32 bits, which have none (RFC 3021).
 */
static inline bool ip_is_subnet_broadcast(const struct parley_addr *addr,
					  const struct parley_addr *net, unsigned bits)
{
	uint32_t host;

	if (!ip_is_v4(net) || bits > 30 || !ip_in_prefix(addr, net, bits))
		return false;
	host = UINT32_MAX >> bits;
	return (ip_to_v4(addr) & host) == host;
}

/*
 * Partial sum (as base/checksum.h) of the pseudo-header before a transport header and payload of
 * len bytes: RFC 9293 3.1 for two IPv4 addresses, RFC 8200 8.1 for two IPv6 ones.
 */
uint64_t ip_pseudo_sum(const struct parley_addr *src, const struct parley_addr *dst,
		       uint8_t protocol, uint32_t len);

#endif
