/* SPDX-License-Identifier: MIT */
/*
 * Frames of every kind at a host with a listener, a connection and an echo: on Ethernet or a raw IP
 * link, in either family. A frame is the input's bytes as they are, or laid over a template of what
 * the link really carries (ARP, neighbour discovery, echo, errors, segments), so that a few bytes
 * are enough to be nearly right. Checksums are put right unless the input wants them as they are.
 */
#include "rig.h"

#include "wire/arp.h"
#include "wire/icmpv6.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/nd.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS = 60, FRAME_MAX = 2048 };

static const struct eth_addr our_mac = {{2, 0, 0, 0, 0, 1}}, peer_mac = {{2, 0, 0, 0, 0, 2}};

static struct parley_addr address(const char *text)
{
	struct parley_addr addr;

	demand(text_read_addr(&addr, text));
	return addr;
}

static size_t make_arp(const struct rig *rig, uint8_t *out, uint8_t which)
{
	struct arp_packet packet = {
		.operation = which & 1 ? ARP_REPLY : ARP_REQUEST,
		.sender_hw = peer_mac,
		.target_hw = our_mac,
		.sender = which & 2 ? rig->us : rig->peer,
		.target = which & 4 ? rig->peer : rig->us,
	};

	if (!ip_is_v4(&rig->us))
		packet.sender = packet.target = address("192.0.2.9");
	return arp_emit(out, &packet);
}

static size_t make_nd(const struct rig *rig, uint8_t *out, uint8_t which)
{
	struct nd_message message = {
		.type = (uint8_t)(ICMPV6_ROUTER_SOLICITATION + which % 4),
		.has_mac = true,
		.mac = peer_mac,
		.target = which & 4 ? rig->peer : rig->us,
		.solicited = which & 8,
		.override = which & 16,
		.lifetime = 1800,
	};
	bool router = message.type == ICMPV6_ROUTER_ADVERTISEMENT;
	struct parley_addr src = router ? address("fe80::2") : address("2001:db8::2");
	struct parley_addr dst = which & 32 ? rig->us : ip_all_nodes;
	struct ip_packet ip = {.dst = dst, .protocol = IP_ICMPV6, .ttl = ND_HOP_LIMIT};

	if (message.type == ICMPV6_NEIGHBOUR_SOLICITATION && !(which & 32))
		dst = ip_solicited_node(&message.target);
	if (router) {
		message.prefix_count = 1;
		message.prefix[0] = (struct nd_prefix){
			address("2001:db8:1::"), 64, true, true, 3600, 1800,
		};
	}
	ip.src = src;
	ip.dst = dst;
	ip.payload_len = nd_emit(out + IPV6_HEADER_LEN, &message, &src, &dst);
	return ipv6_emit(out, &ip) + ip.payload_len;
}

/* An IP packet from the peer around a payload. */
static size_t wrap(const struct rig *rig, uint8_t *out, uint8_t protocol, const uint8_t *payload,
		   size_t len)
{
	struct ip_packet ip = {
		.src = rig->peer,
		.dst = rig->us,
		.protocol = protocol,
		.ttl = 64,
		.payload_len = len,
	};
	size_t at = ip_is_v4(&rig->us) ? ipv4_emit(out, &ip) : ipv6_emit(out, &ip);

	memcpy(out + at, payload, len);
	return at + len;
}

static size_t make_echo(const struct rig *rig, uint8_t *out, uint8_t which)
{
	bool v4 = ip_is_v4(&rig->us);
	uint8_t echo[8 + 255] = {v4 ? ICMP_ECHO : ICMPV6_ECHO};

	return wrap(rig, out, v4 ? IP_ICMP : IP_ICMPV6, echo, 8u + which);
}

/* An error about a segment of the connection. */
static size_t make_error(const struct rig *rig, uint8_t *out, uint8_t which)
{
	bool v4 = ip_is_v4(&rig->us);
	uint8_t error[8 + 40 + 20] = {v4 ? ICMP_UNREACHABLE : ICMPV6_UNREACHABLE, which};
	struct ip_packet ip = {
		.src = rig->us,
		.dst = rig->peer,
		.protocol = IP_TCP,
		.ttl = 60,
		.payload_len = 20,
	};
	struct parley_status status;
	size_t at = 8;

	at += v4 ? ipv4_emit(error + at, &ip) : ipv6_emit(error + at, &ip);
	put_be16(error + at, 80);
	put_be16(error + at + 2, 40000);
	if (rig_find(rig, 80, 40000, &status))
		put_be32(error + at + 4, status.snd_una);
	return wrap(rig, out, v4 ? IP_ICMP : IP_ICMPV6, error, at + 8);
}

static size_t make_segment(const struct rig *rig, uint8_t *out, uint8_t which)
{
	static const uint16_t flags[] = {
		TCP_SYN,	   TCP_ACK,	      TCP_SYN | TCP_ACK, TCP_FIN | TCP_ACK,
		TCP_ACK | TCP_PSH, TCP_RST | TCP_ACK, TCP_RST,		 TCP_SYN};
	struct parley_status status;
	struct segment seg = {
		.src_port = (uint16_t)(40000 + (which >> 3 & 1)),
		.dst_port = which & 16 ? 443 : 80,
		.seq = seq(7000),
		.flags = flags[which & 7],
		.wnd = 30000,
	};
	uint8_t bytes[TCP_HEADER_MAX + 64];
	size_t len, text = which & 32 ? 40 : 0;

	if (rig_find(rig, seg.dst_port, seg.src_port, &status)) {
		seg.seq = seq(status.rcv_nxt);
		seg.ack = seq(status.snd_nxt);
	}
	if (seg.flags & TCP_SYN) {
		seg.options.present = TCP_HAS_MSS | TCP_HAS_WSCALE;
		seg.options.mss = 1000;
		seg.options.wscale = 3;
	}
	len = tcp_emit(bytes, &seg);
	for (size_t i = 0; i < text; i++)
		bytes[len + i] = rig_peers(seg.seq.v + (uint32_t)i);
	return wrap(rig, out, IP_TCP, bytes, len + text);
}

/* The packet of a template; *type is its EtherType. */
static size_t make(const struct rig *rig, uint8_t *out, uint8_t kind, uint8_t which, uint16_t *type)
{
	*type = ip_is_v4(&rig->us) ? ETH_IPV4 : ETH_IPV6;
	switch (kind) {
	case 0:
		*type = ETH_ARP;
		return make_arp(rig, out, which);
	case 1:
		*type = ETH_IPV6;
		return make_nd(rig, out, which);
	case 2:
		return make_echo(rig, out, which);
	case 3:
		return make_error(rig, out, which);
	default:
		return make_segment(rig, out, which);
	}
}

static bool is_rst(const uint8_t *packet, size_t len)
{
	struct ip_packet ip;
	bool v4 = len && packet[0] >> 4 == 4;

	if (!len || (v4 ? ipv4_parse(&ip, packet, len) : ipv6_parse(&ip, packet, len)) != WIRE_OK)
		return false;
	return ip.protocol == IP_TCP && ip.payload_len >= TCP_HEADER_LEN &&
	       ip.payload[13] & TCP_RST;
}

/* A frame: template, then up to four pieces of the input laid over it, then its length changed. */
static void frame(struct rig *rig, struct bytes *in)
{
	static uint8_t bytes[FRAME_MAX + 256];
	uint8_t kind = take8(in), which = take8(in), lays = take8(in);
	bool ethernet = rig->interface.link == PARLEY_LINK_ETHERNET;
	size_t head = ethernet ? ETH_HEADER_LEN : 0, len, n;
	struct eth_frame eth = {.dst = our_mac, .src = peer_mac};
	const uint8_t *at;

	memset(bytes, 0, sizeof bytes);
	if (lays & 32 && ethernet)
		memset(&eth.dst, 0xff, sizeof eth.dst);
	len = head + make(rig, bytes + head, kind % 8, which, &eth.type);
	if (eth.type == ETH_IPV6 && bytes[head + 24] == 0xff)
		eth.dst = (struct eth_addr){{0x33, 0x33, 0, 0, 0, 1}};
	if (ethernet)
		eth_emit(bytes, &eth);
	for (unsigned i = lays & 3; i > 0; i--) {
		size_t where = take8(in);

		at = take(in, take8(in) % 40, &n);
		memcpy(bytes + where % len, at, n);
	}
	if (lays & 4)
		len = take8(in) % (len + 1);
	if (lays & 8)
		len += take8(in);
	if (!(lays & 16))
		repair_ip(bytes + (len > head ? head : 0), len > head ? len - head : 0);
	rig_input(rig, bytes, len, 0, len > head && is_rst(bytes + head, len - head));
}

/* The input's bytes as they are. */
static void raw_frame(struct rig *rig, struct bytes *in)
{
	uint8_t what = take8(in);
	bool ethernet = rig->interface.link == PARLEY_LINK_ETHERNET;
	size_t len, head = ethernet ? ETH_HEADER_LEN : 0;
	const uint8_t *at = take(in, take8(in), &len);
	uint8_t *copy = exact(at, len);

	if (ethernet && what & 1)
		repair_ethernet(copy, len);
	else if (what & 1)
		repair_ip(copy, len);
	rig_input(rig, copy, len, 0, len > head && is_rst(copy + head, len - head));
	free(copy);
}

static void step(struct rig *rig, struct bytes *in)
{
	uint8_t kind = take8(in);

	switch (kind % 8) {
	case 0:
		raw_frame(rig, in);
		break;
	case 1:
		kind & 16 ? rig_wait_timer(rig) : rig_wait(rig, RIG_MS(take16(in)));
		break;
	case 2:
		rig_open(rig, in);
		break;
	case 3:
		kind & 16 ? rig_call(rig, &rig->handles[(kind >> 5) % RIG_HANDLES], in)
			  : rig_change(rig, in);
		break;
	default:
		frame(rig, in);
	}
}

/* The first byte says which host it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig rig;
	struct bytes in = {data, size};
	uint8_t what = take8(&in);
	uint8_t listen[] = {1, 1};
	struct bytes opening = {listen, sizeof listen};

	rig_init(&rig, what & 1 ? PARLEY_LINK_ETHERNET : PARLEY_LINK_IP, what & 2,
		 what & 4 ? 1280 : 1500, what & 8 ? PARLEY_OFFLOAD_CHECKSUM : 0);
	rig.text_is_free = true;
	if (what & 16)
		parley_profile(rig.host, rig.now, PARLEY_PROFILE_RFC);
	rig_open(&rig, &opening);
	for (int i = 0; in.left && i < STEPS; i++)
		step(&rig, &in);
	rig_done(&rig);
	return 0;
}
