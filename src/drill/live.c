/* SPDX-License-Identifier: MIT */
#include "drill/live.h"

#include <stdio.h>
#include <string.h>

#include "base/checksum.h"
#include "drill/icmp.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

#define TTL	       255
#define UDP_HEADER_LEN 8
#define QUOTED_BYTES   8

/* ---- building ---- */

static size_t emit_ip(uint8_t *out, const struct ip_packet *ip, uint32_t flow_label)
{
	if (ip->version == 4)
		return ipv4_emit(out, ip);
	ipv6_emit(out, ip);
	put_be32(out, get_be32(out) | flow_label);
	return IPV6_HEADER_LEN;
}

static struct ip_packet inbound_ip(const struct drill_packet *packet, const struct drill_flow *flow,
				   bool ipv6, uint8_t protocol, size_t len)
{
	return (struct ip_packet){
		.src = flow->remote.addr,
		.dst = flow->local.addr,
		.version = ipv6 ? 6 : 4,
		.protocol = protocol,
		.ttl = packet->ttl ? packet->ttl : TTL,
		.tos = packet->tos_check == DRILL_TOS_ANY ? 0 : packet->tos,
		.df = true,
		.payload_len = len,
	};
}

static size_t ip_header_len(bool ipv6)
{
	return ipv6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN;
}

/* Puts the checksum over pseudo-header and the `len` bytes at `out` to out + at. */
static void finish(uint8_t *out, size_t len, size_t at, const struct ip_packet *ip)
{
	uint64_t sum = ip_pseudo_sum(&ip->src, &ip->dst, ip->protocol, (uint32_t)len);

	put_be16(out + at, 0);
	put_be16(out + at, checksum_fold(checksum_add(sum, out, len)));
}

/* An option with its numbers as on the wire. */
static void put_option(uint8_t *out, const struct drill_option *option,
		       const struct drill_packet *packet, const struct drill_flow *flow)
{
	bool syn = (packet->flags & TCP_SYN) != 0;

	memcpy(out, option->bytes, option->len);
	if (option->bytes[0] == TCP_OPTION_SACK)
		for (unsigned i = 2; i + 4 <= option->len; i += 4)
			put_be32(out + i,
				 drill_local_to_live(flow, get_be32(option->bytes + i), syn));
	if (option->bytes[0] == TCP_OPTION_TIMESTAMPS && packet->flags & TCP_ACK)
		put_be32(out + 6, drill_stamp_to_live(flow, get_be32(option->bytes + 6)));
}

static size_t put_tcp(uint8_t *out, const struct drill_packet *packet,
		      const struct drill_flow *flow)
{
	bool syn = (packet->flags & TCP_SYN) != 0;
	size_t header = TCP_HEADER_LEN;
	uint32_t first = packet->seq + syn - (syn ? flow->remote_script : 0) - flow->remote_base;

	for (unsigned i = 0; i < packet->option_count; i++) {
		put_option(out + header, &packet->option[i], packet, flow);
		header += packet->option[i].len;
	}
	put_be16(out, packet->src_port ? packet->src_port : flow->remote.port);
	put_be16(out + 2, packet->dst_port ? packet->dst_port : flow->local.port);
	put_be32(out + 4, drill_remote_to_live(flow, packet->seq, syn));
	put_be32(out + 8, packet->flags & TCP_ACK ? drill_local_to_live(flow, packet->ack, syn)
						  : packet->ack);
	put_be16(out + 12, (uint16_t)(header / 4 << 12 | packet->flags));
	put_be16(out + 14, (uint16_t)packet->window);
	put_be16(out + 18, packet->up);
	for (uint32_t i = 0; i < packet->len; i++)
		out[header + i] = drill_pattern(first + i);
	return header + packet->len;
}

static size_t build_tcp(uint8_t *out, const struct drill_packet *packet,
			const struct drill_flow *flow, bool ipv6)
{
	size_t before = ip_header_len(ipv6), len;
	struct ip_packet ip;

	if (before + TCP_HEADER_MAX + packet->len > DRILL_PACKET_MAX)
		return 0;
	len = put_tcp(out + before, packet, flow);
	ip = inbound_ip(packet, flow, ipv6, IP_TCP, len);
	emit_ip(out, &ip, packet->flow_label);
	finish(out + before, len, 16, &ip);
	return before + len;
}

static size_t build_udp(uint8_t *out, const struct drill_packet *packet,
			const struct drill_flow *flow, bool ipv6)
{
	size_t before = ip_header_len(ipv6), len = UDP_HEADER_LEN + packet->len;
	uint8_t *udp = out + before;
	struct ip_packet ip;

	if (before + len > DRILL_PACKET_MAX)
		return 0;
	memset(udp, 0, len);
	put_be16(udp, packet->src_port ? packet->src_port : flow->remote.port);
	put_be16(udp + 2, packet->dst_port ? packet->dst_port : flow->local.port);
	put_be16(udp + 4, (uint16_t)len);
	ip = inbound_ip(packet, flow, ipv6, IP_UDP, len);
	emit_ip(out, &ip, packet->flow_label);
	finish(udp, len, 6, &ip);
	return before + len;
}

/* The header and first bytes of a packet that the stack might have sent. */
static size_t put_quote(uint8_t *out, const struct drill_packet *packet,
			const struct drill_flow *flow, bool ipv6)
{
	bool udp = packet->quote == DRILL_QUOTE_UDP;
	size_t header = udp ? UDP_HEADER_LEN : TCP_HEADER_LEN;
	struct ip_packet ip = {
		.src = flow->local.addr,
		.dst = flow->remote.addr,
		.version = ipv6 ? 6 : 4,
		.protocol = udp ? IP_UDP : IP_TCP,
		.ttl = TTL - 1,
		.df = true,
		.payload_len = header + packet->len,
	};
	uint8_t *quoted = out + emit_ip(out, &ip, 0);

	put_be16(quoted, flow->local.port);
	put_be16(quoted + 2, flow->remote.port);
	if (udp)
		put_be32(quoted + 4, (uint32_t)ip.payload_len << 16);
	else
		put_be32(quoted + 4, drill_local_to_live(flow, packet->seq, false));
	return ip_header_len(ipv6) + QUOTED_BYTES;
}

static size_t build_icmp(uint8_t *out, const struct drill_packet *packet,
			 const struct drill_flow *flow, bool ipv6)
{
	size_t before = ip_header_len(ipv6), len = ICMP_HEADER_LEN;
	uint8_t *icmp = out + before;
	uint8_t numbers[2];
	struct ip_packet ip;
	const char *bad;

	if (!drill_icmp_numbers(ipv6, packet->icmp_type, packet->icmp_code, numbers, &bad))
		return 0;
	memset(icmp, 0, len);
	memcpy(icmp, numbers, sizeof numbers);
	if (packet->icmp_mtu >= 0)
		put_be32(icmp + 4, (uint32_t)packet->icmp_mtu);
	if (packet->icmp_id >= 0)
		put_be16(icmp + 4, (uint16_t)packet->icmp_id);
	if (packet->quote == DRILL_QUOTE_RAW) {
		memset(icmp + len, 0, packet->len);
		len = packet->len > len ? packet->len : len;
	} else {
		len += put_quote(icmp + len, packet, flow, ipv6);
	}
	if (before + len > DRILL_PACKET_MAX)
		return 0;
	ip = inbound_ip(packet, flow, ipv6, ipv6 ? IP_ICMPV6 : IP_ICMP, len);
	emit_ip(out, &ip, packet->flow_label);
	if (ipv6)
		finish(icmp, len, 2, &ip);
	else
		put_be16(icmp + 2, checksum_fold(checksum_sum(icmp, len)));
	return before + len;
}

size_t drill_live_build(uint8_t out[static DRILL_PACKET_MAX], const struct drill_packet *packet,
			const struct drill_flow *flow, bool ipv6)
{
	switch (packet->protocol) {
	case DRILL_TCP:
		return build_tcp(out, packet, flow, ipv6);
	case DRILL_ICMP:
		return build_icmp(out, packet, flow, ipv6);
	case DRILL_UDP:
		break;
	}
	return build_udp(out, packet, flow, ipv6);
}

/* ---- reading ---- */

static void read_tcp(struct drill_live *live)
{
	const struct ip_packet *ip = &live->ip;

	if (tcp_parse(&live->segment, ip->payload, ip->payload_len) != WIRE_OK) {
		live->damage = "a malformed TCP header";
		return;
	}
	live->is_tcp = true;
	live->option = ip->payload + TCP_HEADER_LEN;
	live->option_len = live->segment.header_len - (size_t)TCP_HEADER_LEN;
	if (tcp_verify_checksum(&ip->src, &ip->dst, ip->payload, ip->payload_len, checksum_sum) !=
	    WIRE_OK)
		live->damage = "a wrong TCP checksum";
}

static void read_icmp(struct drill_live *live)
{
	const struct ip_packet *ip = &live->ip;
	uint64_t sum = 0;

	if (ip->payload_len < ICMP_HEADER_LEN) {
		live->damage = "a truncated ICMP message";
		return;
	}
	live->is_icmp = true;
	live->icmp_type = ip->payload[0];
	live->icmp_code = ip->payload[1];
	live->icmp_rest = get_be32(ip->payload + 4);
	if (ip->version == 6)
		sum = ip_pseudo_sum(&ip->src, &ip->dst, IP_ICMPV6, (uint32_t)ip->payload_len);
	if (checksum_fold(checksum_add(sum, ip->payload, ip->payload_len)))
		live->damage = "a wrong ICMP checksum";
}

bool drill_live_read(struct drill_live *live, const uint8_t *bytes, size_t len)
{
	enum wire_error error;
	bool ipv6 = len > 0 && bytes[0] >> 4 == 6;

	*live = (struct drill_live){0};
	error = ipv6 ? ipv6_parse(&live->ip, bytes, len) : ipv4_parse(&live->ip, bytes, len);
	if (error == WIRE_BAD_CHECKSUM)
		live->damage = "a wrong IP checksum";
	else if (error != WIRE_OK)
		return false;
	if (ipv6)
		live->flow_label = get_be32(bytes) & 0xfffff;
	if (live->ip.protocol == IP_TCP)
		read_tcp(live);
	else if (live->ip.protocol == IP_ICMP || live->ip.protocol == IP_ICMPV6)
		read_icmp(live);
	return true;
}

bool drill_live_is_from(const struct drill_live *live, const struct drill_flow *flow)
{
	if (!ip_equal(&live->ip.src, &flow->local.addr) ||
	    !ip_equal(&live->ip.dst, &flow->remote.addr))
		return false;
	return live->is_icmp || (live->is_tcp && live->segment.src_port == flow->local.port &&
				 live->segment.dst_port == flow->remote.port);
}

/* The options one by one; what is malformed becomes one that fills the rest. */
static void split_options(struct drill_actual *actual, const struct drill_live *live,
			  const struct drill_flow *flow)
{
	struct drill_packet *packet = &actual->packet;
	bool syn = (live->segment.flags & TCP_SYN) != 0;
	size_t at = 0;

	packet->option = actual->option;
	while (at < live->option_len && packet->option_count < DRILL_OPTIONS_MAX) {
		struct drill_option *option = &actual->option[packet->option_count++];
		size_t left = live->option_len - at;
		uint8_t kind = live->option[at];
		size_t len = kind <= TCP_OPTION_NOP ? 1 : left > 1 ? live->option[at + 1] : 0;

		if (len == 0 || len > left || (kind > TCP_OPTION_NOP && len < 2))
			len = left;
		option->len = (uint8_t)len;
		memcpy(option->bytes, live->option + at, len);
		if (kind == TCP_OPTION_SACK)
			for (size_t i = 2; i + 4 <= len; i += 4)
				put_be32(option->bytes + i,
					 drill_remote_to_script(flow, get_be32(option->bytes + i),
								syn));
		at += len;
	}
}

static void translate_icmp(struct drill_actual *actual, const struct drill_live *live)
{
	struct drill_packet *packet = &actual->packet;
	bool ipv6 = live->ip.version == 6;
	const char *type = drill_icmp_type_name(ipv6, live->icmp_type);
	const char *code = drill_icmp_code_name(ipv6, live->icmp_type, live->icmp_code);

	packet->protocol = DRILL_ICMP;
	packet->icmp_mtu = packet->icmp_id = -1;
	snprintf(actual->icmp_type, sizeof actual->icmp_type, "type_%u", live->icmp_type);
	snprintf(actual->icmp_code, sizeof actual->icmp_code, "code_%u", live->icmp_code);
	packet->icmp_type = type ? type : actual->icmp_type;
	packet->icmp_code = code ? code : live->icmp_code ? actual->icmp_code : NULL;
	if (packet->icmp_code && !strcmp(packet->icmp_code, "frag_needed"))
		packet->icmp_mtu = live->icmp_rest & 0xffff;
	else if (!strcmp(packet->icmp_type, "packet_too_big"))
		packet->icmp_mtu = live->icmp_rest;
	else if (!strncmp(packet->icmp_type, "echo", 4))
		packet->icmp_id = live->icmp_rest >> 16;
}

void drill_live_translate(struct drill_actual *actual, const struct drill_live *live,
			  const struct drill_flow *flow)
{
	struct drill_packet *packet = &actual->packet;
	const struct segment *segment = &live->segment;
	bool syn = (segment->flags & TCP_SYN) != 0;

	memset(actual, 0, sizeof *actual);
	packet->outbound = true;
	packet->tos_check = DRILL_TOS_ALL;
	packet->tos = live->ip.tos;
	packet->ttl = live->ip.ttl;
	packet->flow_label = live->flow_label;
	if (!live->is_tcp) {
		translate_icmp(actual, live);
		return;
	}
	packet->protocol = DRILL_TCP;
	packet->src_port = segment->src_port;
	packet->dst_port = segment->dst_port;
	packet->flags = segment->flags;
	packet->seq = drill_local_to_script(flow, segment->seq.v, syn);
	packet->len = segment->text_len;
	packet->ack = segment->flags & TCP_ACK ? drill_remote_to_script(flow, segment->ack.v, syn)
					       : segment->ack.v;
	packet->window = segment->wnd;
	packet->up = segment->up;
	split_options(actual, live, flow);
}

bool drill_live_has_pattern(const struct drill_live *live, const struct drill_flow *flow)
{
	const struct segment *segment = &live->segment;
	uint32_t first = segment->seq.v - flow->local_live - flow->local_base;

	first += (segment->flags & TCP_SYN) != 0;
	for (uint32_t i = 0; i < segment->text_len; i++)
		if (segment->text[i] != drill_pattern(first + i))
			return false;
	return true;
}
