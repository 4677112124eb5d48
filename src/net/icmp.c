/* SPDX-License-Identifier: MIT */
#include "net/icmp.h"

#include "base/checksum.h"
#include "net/discovery.h"
#include "net/host.h"
#include "tcp/icmp.h"
#include "tcp/observe.h"
#include "tcp/secret.h"
#include "wire/icmpv6.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

enum { CHECKSUM_AT = 2, REPLY_TTL = 64 };

/* A whole reply fits a frame's spans however its blocks lie. */
_Static_assert(IPV4_MAX_LEN / BLOCK_PAGE_BYTES + 2 <= PARLEY_FRAME_SPANS, "spans");

/* Owes a message with this data; addresses, station and header are in *owed. */
static void owe(struct parley_host *host, struct interface *interface,
		const struct ip_packet *packet, const struct icmp_owed *owed, const uint8_t *data)
{
	struct icmp_ring *ring = &interface->icmp;
	struct icmp_owed *entry = &ring->ring[(ring->first + ring->count) % ECHOES];
	size_t header = ip_is_v4(&owed->ours) ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;

	if (ring->count == ECHOES ||
	    header + ICMP_HEADER_LEN + owed->len > egress_mtu(&interface->egress, &owed->ours)) {
		host_drop(host, interface->index, packet, PARLEY_DROP_REPLY_RING_FULL);
		return;
	}
	*entry = *owed;
	stream_init(&entry->data);
	if (owed->len && !stream_write(&entry->data, &host->memory, 0, data, owed->len)) {
		host_drop(host, interface->index, packet, PARLEY_DROP_MEMORY);
		return;
	}
	ring->count++;
}

static void answer_echo(struct parley_host *host, struct interface *interface,
			const struct ip_packet *packet, const struct icmp_message *message,
			struct eth_addr from)
{
	struct icmp_owed owed = {
		.ours = packet->dst,
		.asker = packet->src,
		.back = from,
		.tos = packet->tos & (uint8_t)~IP_ECN_MASK,
		.df = packet->df,
		.type = packet->version == 6 ? ICMPV6_ECHO_REPLY : ICMP_ECHO_REPLY,
		.rest = (uint32_t)message->id << 16 | message->number,
		.len = (uint32_t)message->data_len,
	};

	owe(host, interface, packet, &owed, message->data);
}

/* An error about something that we sent: TCP looks whether it can be believed. */
static void error_arrives(struct parley_host *host, struct interface *interface,
			  const struct ip_packet *packet, const struct icmp_message *message)
{
	const struct ip_quote *quote = &message->quote;
	struct icmp_error error = {
		.tuple = {.local = quote->src,
			  .remote = quote->dst,
			  .local_port = quote->src_port,
			  .remote_port = quote->dst_port},
		.ifindex = interface->index,
		.kind = message->kind,
		.type = message->type,
		.code = message->code,
		.mtu = message->mtu,
		.packet_len = quote->packet_len,
		.seq = seq(quote->seq),
	};

	if (!message->has_quote || !quote->has_ports || quote->protocol != IP_TCP ||
	    !tcp_icmp(&host->tcp, &error))
		host_drop(host, interface->index, packet, PARLEY_DROP_ICMP_IGNORED);
}

void icmp_arrives(struct parley_host *host, struct interface *interface,
		  const struct ip_packet *packet, struct eth_addr from)
{
	struct icmp_message message;
	enum wire_error error;

	if (packet->version == 6)
		error = icmpv6_parse(&message, packet);
	else
		error = icmp_parse(&message, packet->payload, packet->payload_len);
	if (error)
		host_drop(host, interface->index, packet, PARLEY_DROP_ICMP_MALFORMED);
	else if (message.kind == ICMP_KIND_DISCOVERY)
		discovery_arrives(host, interface, packet, from);
	else if (message.kind == ICMP_KIND_ECHO && !ip_is_multicast(&packet->dst))
		answer_echo(host, interface, packet, &message, from);
	else if (message.is_error)
		error_arrives(host, interface, packet, &message);
	else
		host_drop(host, interface->index, packet, PARLEY_DROP_ICMP_IGNORED);
}

/* Type, code and second word of the error. */
static void set_header(struct icmp_owed *owed, const struct ip_packet *cause,
		       enum icmp_report report)
{
	bool v6 = cause->version == 6;

	owed->type = v6 ? ICMPV6_UNREACHABLE : ICMP_UNREACHABLE;
	switch (report) {
	case REPORT_PORT:
		owed->code = v6 ? ICMPV6_PORT_UNREACHABLE : ICMP_PORT_UNREACHABLE;
		break;
	case REPORT_PROTOCOL:
		owed->code = v6 ? IPV6_UNKNOWN_NEXT_HEADER : ICMP_PROTOCOL_UNREACHABLE;
		if (!v6)
			break;
		owed->type = ICMPV6_PARAMETER_PROBLEM;
		owed->rest = cause->protocol_at;
		break;
	case REPORT_PROBLEM:
		owed->type = ICMPV6_PARAMETER_PROBLEM;
		owed->code = cause->problem.code;
		owed->rest = cause->problem.at;
		break;
	}
}

static bool may_tell(struct parley_host *host, const struct ip_packet *cause,
		     enum icmp_report report)
{
	uint64_t now = host->tcp.now;
	bool allowed = cause->version == 6
			       ? icmpv6_may_report(cause, report == REPORT_PROBLEM &&
								  cause->problem.to_group)
			       : icmp_may_report(cause);

	if (!allowed || host->icmp_busy_until > now + ICMP_BURST)
		return false;
	if (host->icmp_busy_until < now)
		host->icmp_busy_until = now;
	host->icmp_busy_until += ICMP_INTERVAL;
	return true;
}

void icmp_tell(struct parley_host *host, struct interface *interface, const struct ip_packet *cause,
	       struct eth_addr from, enum icmp_report report)
{
	size_t most = (cause->version == 6 ? ICMPV6_ERROR_MAX : ICMP_ERROR_MAX) - ICMP_HEADER_LEN;
	size_t len = (size_t)(cause->payload - cause->header) + cause->payload_len;
	const struct parley_addr *ours = &cause->dst;
	struct icmp_owed owed = {.asker = cause->src, .back = from};

	if (ip_is_multicast(ours))
		ours = address_source(host, interface, &cause->src, &cause->src);
	if (!ours || !may_tell(host, cause, report))
		return;
	owed.ours = *ours;
	owed.len = (uint32_t)(len < most ? len : most);
	set_header(&owed, cause, report);
	owe(host, interface, cause, &owed, cause->header);
}

/* A packet that may be fragmented on its way needs an identification (RFC 6864 4). */
static uint16_t draw_id(struct parley_host *host, const struct icmp_owed *owed)
{
	struct tuple tuple = {.local = owed->ours, .remote = owed->asker};

	return owed->df ? 0 : (uint16_t)secret_draw(&host->tcp, SECRET_NET, &tuple, host->ids++);
}

static size_t put_ip(struct parley_host *host, const struct interface *interface,
		     struct parley_frame *frame, const struct icmp_owed *owed)
{
	struct ip_packet packet = {
		.src = owed->ours,
		.dst = owed->asker,
		.protocol = ip_is_v4(&owed->ours) ? IP_ICMP : IP_ICMPV6,
		.ttl = REPLY_TTL,
		.tos = owed->tos,
		.df = owed->df,
		.id = draw_id(host, owed),
		.payload_len = ICMP_HEADER_LEN + owed->len,
	};

	return interface_packet(interface, frame, owed->back, &packet);
}

/* The spans of the data, with a reference each to their blocks; returns the data's sum. */
static uint64_t attach(const struct parley_host *host, const struct icmp_owed *owed,
		       struct parley_frame *frame)
{
	struct stream_span spans[PARLEY_FRAME_SPANS];
	uint64_t sum = 0;
	size_t at = 0;

	if (owed->len)
		frame->span_count = stream_block_spans(&owed->data, 0, owed->len, spans,
						       PARLEY_FRAME_SPANS);
	for (uint32_t i = 0; i < frame->span_count; i++) {
		const struct stream_span *span = &spans[i];

		block_ref(span->block);
		frame->holds[i] = span->block;
		frame->spans[i] = (struct parley_span){span->data, span->len};
		sum = checksum_combine_at(sum, host->tcp.checksum(span->data, span->len), at);
		at += span->len;
	}
	return sum;
}

static void put_icmp(const struct icmp_owed *owed, uint8_t *icmp, uint64_t data_sum)
{
	uint64_t sum = data_sum;

	icmp[0] = owed->type;
	icmp[1] = owed->code;
	put_be16(icmp + CHECKSUM_AT, 0);
	put_be32(icmp + 4, owed->rest);
	if (!ip_is_v4(&owed->ours))
		sum = checksum_combine(sum, ip_pseudo_sum(&owed->ours, &owed->asker, IP_ICMPV6,
							  ICMP_HEADER_LEN + owed->len));
	put_be16(icmp + CHECKSUM_AT, checksum_fold(checksum_add(sum, icmp, ICMP_HEADER_LEN)));
}

static bool is_reply(const struct icmp_owed *owed)
{
	return owed->type == (ip_is_v4(&owed->ours) ? ICMP_ECHO_REPLY : ICMPV6_ECHO_REPLY);
}

bool icmp_output(struct parley_host *host, struct interface *interface, struct parley_frame *frame)
{
	struct icmp_ring *ring = &interface->icmp;
	struct icmp_owed *owed = &ring->ring[ring->first];
	size_t len;

	if (!ring->count)
		return false;
	len = put_ip(host, interface, frame, owed);
	put_icmp(owed, frame->header + len, attach(host, owed, frame));
	len += ICMP_HEADER_LEN;
	frame->header_len = (uint32_t)len;
	frame->len = (uint32_t)len + owed->len;
	stream_free(&owed->data, &host->memory);
	ring->first = (ring->first + 1) % ECHOES;
	ring->count--;
	count(&host->tcp, is_reply(owed) ? PARLEY_COUNTER_ECHO_REPLIES : PARLEY_COUNTER_ICMP_OUT);
	return true;
}

void icmp_clear(struct parley_host *host, struct interface *interface)
{
	struct icmp_ring *ring = &interface->icmp;

	for (; ring->count; ring->count--) {
		stream_free(&ring->ring[ring->first].data, &host->memory);
		ring->first = (ring->first + 1) % ECHOES;
	}
}
