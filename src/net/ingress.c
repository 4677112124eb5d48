/* SPDX-License-Identifier: MIT */
/*
 * Door 1: frames arrive. Each goes through the layers from the bottom up, and at each of them is
 * either passed on or dropped with a reason; nothing is answered here, only recorded.
 *
 *	frame_arrives	Ethernet	for us, or for all?
 *	ip_arrives	IPv4, IPv6	well formed, from a host, to one of our addresses?
 *	tcp_in, icmp.c, resolution.c
 */
#include "net/host.h"
#include "net/lookahead.h"
#include "net/loopback.h"
#include "tcp/observe.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"

/* A frame on its way up. */
struct ingress {
	struct parley_host *host;
	struct interface *interface;
	const struct parley_rx *rx;
	struct eth_addr from; /* the station that sent it */
	bool to_group;	      /* the frame went to more stations than us */
};

static void drop(const struct ingress *in, const struct ip_packet *packet, enum parley_drop reason)
{
	host_drop(in->host, in->rx->ifindex, packet, reason);
}

static uint64_t arrival_time(const struct ingress *in)
{
	uint64_t now = in->host->tcp.now;

	return in->rx->arrival && in->rx->arrival < now ? in->rx->arrival : now;
}

/* tcp_arrives() counts only what it sees. */
static void drop_segment(const struct ingress *in, const struct arrival *arrival,
			 const struct segment *segment, enum parley_drop reason)
{
	count(&in->host->tcp, PARLEY_COUNTER_IN_SEGS);
	count(&in->host->tcp, PARLEY_COUNTER_IN_ERRS);
	observe_drop(&in->host->tcp, arrival, segment, PARLEY_NO_CONN, reason);
}

static void tcp_in(const struct ingress *in, const struct ip_packet *packet)
{
	struct tcp *tcp = &in->host->tcp;
	struct segment segment = {.flags = 0};
	struct arrival arrival = {
		.tuple = {.local = packet->dst, .remote = packet->src},
		.ifindex = in->interface->index,
		.segment_size = in->rx->segment_size,
		.at = arrival_time(in),
	};
	enum wire_error bad = tcp_parse(&segment, packet->payload, packet->payload_len);
	enum wire_error sum = WIRE_OK;

	/* MUST-3: until the checksum has been found right, nothing is believed, only told. */
	if (!in->rx->checksum_verified)
		sum = tcp_verify_checksum(&packet->src, &packet->dst, packet->payload,
					  packet->payload_len, tcp->checksum);
	arrival.tuple.local_port = segment.dst_port;
	arrival.tuple.remote_port = segment.src_port;
	if (sum == WIRE_BAD_CHECKSUM) {
		drop_segment(in, &arrival, &segment, PARLEY_DROP_TCP_CHECKSUM);
		return;
	}
	if (bad) {
		drop_segment(in, &arrival, &segment, PARLEY_DROP_TCP_HEADER);
		return;
	}
	tcp_arrives(tcp, &arrival, &segment);
}

static enum parley_drop reason_of(enum wire_error error)
{
	switch (error) {
	case WIRE_TRUNCATED:
	case WIRE_BAD_TOTAL_LENGTH:
		return PARLEY_DROP_TRUNCATED;
	case WIRE_BAD_CHECKSUM:
		return PARLEY_DROP_IP_CHECKSUM;
	case WIRE_FRAGMENT:
		return PARLEY_DROP_IP_FRAGMENT;
	case WIRE_BAD_SOURCE:
		return PARLEY_DROP_IP_SOURCE;
	case WIRE_OK:
	case WIRE_BAD_VERSION:
	case WIRE_BAD_HEADER_LENGTH:
	case WIRE_BAD_OPTION:
	case WIRE_BAD_TYPE:
		break;
	}
	return PARLEY_DROP_IP_HEADER;
}

static bool on_loopback(const struct ingress *in)
{
	return in->interface->index == LOOPBACK_INDEX;
}

/*
 * MUST-63, RFC 1122 3.2.1.3, RFC 4291 2.5.3: can this packet really come from another host on the
 * wire? Who has no address yet may ask for neighbours, and nothing else.
 */
static bool is_credible_source(const struct ingress *in, const struct ip_packet *packet)
{
	const struct parley_addr *src = &packet->src;

	if (on_loopback(in))
		return true;
	if (ip_is_unspecified(src))
		return packet->protocol == IP_ICMPV6 && ip_is_multicast(&packet->dst);
	return !ip_is_loopback(src) && !interface_is_broadcast(in->interface, src) &&
	       !interface_of_address(in->host, in->interface, src);
}

static bool is_for_many(const struct ingress *in, const struct parley_addr *dst)
{
	return ip_is_broadcast(dst) || ip_is_multicast(dst) ||
	       interface_is_broadcast(in->interface, dst);
}

/* To one of our addresses; those of the host itself only from itself. */
static bool is_for_us(const struct ingress *in, const struct parley_addr *dst)
{
	return interface_of_address(in->host, in->interface, dst) ||
	       (on_loopback(in) && ip_is_loopback(dst));
}

/* RFC 1122 3.3.6: nor is a link broadcast of a packet to one host to be believed. */
static void to_many(const struct ingress *in, const struct ip_packet *packet)
{
	if (packet->protocol == IP_ICMPV6 && packet->version == 6 &&
	    address_has_group(in->interface, &packet->dst))
		icmp_arrives(in->host, in->interface, packet, in->from);
	else
		drop(in, packet,
		     packet->protocol == IP_TCP ? PARLEY_DROP_TCP_DESTINATION /* MUST-57 */
						: PARLEY_DROP_NOT_OURS);
}

static void tell(const struct ingress *in, const struct ip_packet *packet, enum icmp_report report)
{
	icmp_tell(in->host, in->interface, packet, in->from, report);
}

/* A packet to us for a protocol that we may speak. */
static void to_us(const struct ingress *in, const struct ip_packet *packet)
{
	if (packet->protocol == IP_TCP) {
		tcp_in(in, packet);
	} else if (packet->protocol == (packet->version == 6 ? IP_ICMPV6 : IP_ICMP)) {
		icmp_arrives(in->host, in->interface, packet, in->from);
	} else {
		drop(in, packet, PARLEY_DROP_UNKNOWN_PROTOCOL);
		if (packet->protocol == IP_UDP)
			tell(in, packet, REPORT_PORT);
		else if (packet->version == 4 || packet->protocol != IP_NO_NEXT)
			tell(in, packet, REPORT_PROTOCOL);
	}
}

static bool was_believed(const struct ingress *in, const struct ip_packet *packet)
{
	const struct interface *interface = in->interface;

	return interface->believed_as_of == in->host->addressing && !in->to_group &&
	       ip_equal(&packet->src, &interface->believed_src) &&
	       ip_equal(&packet->dst, &interface->believed_dst);
}

static void believe(const struct ingress *in, const struct ip_packet *packet)
{
	in->interface->believed_src = packet->src;
	in->interface->believed_dst = packet->dst;
	in->interface->believed_as_of = in->host->addressing;
}

/* A packet from a host: to one of our addresses? */
static void packet_arrives(const struct ingress *in, const struct ip_packet *packet)
{
	bool ours = is_for_us(in, &packet->dst);

	if (ours && !in->to_group) {
		believe(in, packet);
		to_us(in, packet);
	} else if (ours || is_for_many(in, &packet->dst)) {
		to_many(in, packet);
	} else {
		drop(in, packet, PARLEY_DROP_NOT_OURS);
	}
}

/* What is wrong with it may be for its sender to know (RFC 8200 4). */
static void refused(const struct ingress *in, const struct ip_packet *packet)
{
	bool ours = is_for_many(in, &packet->dst) ? address_has_group(in->interface, &packet->dst)
						  : is_for_us(in, &packet->dst);

	if (packet->problem.owed && ours && is_credible_source(in, packet))
		tell(in, packet, REPORT_PROBLEM);
}

static void ip_arrives(const struct ingress *in, const uint8_t *bytes, size_t len, int version)
{
	struct ip_packet packet;
	enum wire_error error = version == 6 ? ipv6_parse(&packet, bytes, len)
					     : ipv4_parse(&packet, bytes, len);
	/* What was read before that cannot be shown. */
	bool readable = error == WIRE_OK || error == WIRE_BAD_CHECKSUM ||
			error == WIRE_BAD_OPTION || error == WIRE_FRAGMENT ||
			error == WIRE_BAD_SOURCE;

	if (error)
		drop(in, readable ? &packet : NULL, reason_of(error));
	else if (packet.source_routed)
		drop(in, &packet, PARLEY_DROP_IP_SOURCE_ROUTE);
	else if (was_believed(in, &packet))
		to_us(in, &packet);
	else if (!is_credible_source(in, &packet))
		drop(in, &packet, PARLEY_DROP_IP_SOURCE);
	else
		packet_arrives(in, &packet);
	if (error == WIRE_BAD_OPTION || (!error && packet.source_routed))
		refused(in, &packet);
}

static void ethernet_arrives(struct ingress *in)
{
	struct eth_frame eth;

	if (eth_parse(&eth, in->rx->data, in->rx->len) != WIRE_OK) {
		drop(in, NULL, PARLEY_DROP_TRUNCATED);
		return;
	}
	in->from = eth.src;
	in->to_group = eth_is_multicast(eth.dst);
	if (!in->to_group && !eth_equal(eth.dst, in->interface->mac))
		drop(in, NULL, PARLEY_DROP_NOT_OURS);
	else if (eth.type == ETH_ARP)
		resolution_arrives(in->host, in->interface, eth.payload, eth.payload_len);
	else if (eth.type == ETH_IPV4)
		ip_arrives(in, eth.payload, eth.payload_len, 4);
	else if (eth.type == ETH_IPV6)
		ip_arrives(in, eth.payload, eth.payload_len, 6);
	else
		drop(in, NULL, PARLEY_DROP_UNKNOWN_PROTOCOL);
}

static void frame_arrives(struct parley_host *host, const struct parley_rx *rx)
{
	struct ingress in = {.host = host, .rx = rx};
	const uint8_t *bytes = rx->data;

	in.interface = interface_at(host, rx->ifindex);
	count(&host->tcp, PARLEY_COUNTER_FRAMES_IN);
	if (!in.interface)
		drop(&in, NULL, PARLEY_DROP_NOT_OURS);
	else if (in.interface->link == PARLEY_LINK_ETHERNET)
		ethernet_arrives(&in);
	else
		ip_arrives(&in, bytes, rx->len, rx->len && bytes[0] >> 4 == 6 ? 6 : 4);
}

int parley_input(struct parley_host *host, uint64_t now, const struct parley_rx *frames, int n)
{
	tcp_set_now(&host->tcp, now);
	if (n < 0)
		return -PARLEY_EINVAL;
	for (int i = 0; i < n; i++) {
		if (i % LOOKAHEAD == 0)
			lookahead(host, &frames[i], n - i < LOOKAHEAD ? n - i : LOOKAHEAD);
		frame_arrives(host, &frames[i]);
	}
	return 0;
}
