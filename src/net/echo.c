/* SPDX-License-Identifier: MIT */
#include "net/echo.h"

#include "base/checksum.h"
#include "net/host.h"
#include "tcp/observe.h"
#include "tcp/secret.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"

enum { CHECKSUM_AT = 2, REPLY_TTL = 64 };

/* A whole reply fits a frame's spans however its blocks lie. */
_Static_assert(IPV4_MAX_LEN / BLOCK_PAGE_BYTES + 2 <= PARLEY_FRAME_SPANS, "spans");

static void owe(struct parley_host *host, struct interface *interface,
		const struct ip_packet *packet, const struct icmp_message *message,
		struct eth_addr from)
{
	struct echoes *owed = &interface->echoes;
	struct echo *echo = &owed->ring[(owed->first + owed->count) % ECHOES];

	if (owed->count == ECHOES ||
	    packet->payload_len + IPV4_HEADER_LEN > interface->egress.mtu) {
		host_drop(host, interface->index, packet, PARLEY_DROP_REPLY_RING_FULL);
		return;
	}
	stream_init(&echo->data);
	if (message->data_len && !stream_write(&echo->data, &host->memory, 0, message->data,
					       message->data_len, NULL, NULL)) {
		host_drop(host, interface->index, packet, PARLEY_DROP_MEMORY);
		return;
	}
	echo->ours = packet->dst;
	echo->asker = packet->src;
	echo->back = from;
	echo->tos = packet->tos & (uint8_t)~IP_ECN_MASK;
	echo->df = packet->df;
	echo->id = message->id;
	echo->number = message->number;
	echo->len = (uint32_t)message->data_len;
	owed->count++;
}

void echo_arrives(struct parley_host *host, struct interface *interface,
		  const struct ip_packet *packet, struct eth_addr from)
{
	struct icmp_message message;

	if (icmp_parse(&message, packet->payload, packet->payload_len) != WIRE_OK)
		host_drop(host, interface->index, packet, PARLEY_DROP_ICMP_MALFORMED);
	else if (message.type == ICMP_ECHO)
		owe(host, interface, packet, &message, from);
	else
		host_drop(host, interface->index, packet, PARLEY_DROP_ICMP_IGNORED);
}

/* A packet that may be fragmented on its way needs an identification (RFC 6864 4). */
static uint16_t draw_id(struct parley_host *host, const struct echo *echo)
{
	struct tuple tuple = {.local = echo->ours, .remote = echo->asker};

	return echo->df ? 0 : (uint16_t)secret_draw(&host->tcp, SECRET_NET, &tuple, host->ids++);
}

static size_t put_ip(struct parley_host *host, const struct echo *echo, uint8_t *out)
{
	struct ip_packet packet = {
		.src = echo->ours,
		.dst = echo->asker,
		.protocol = IP_ICMP,
		.ttl = REPLY_TTL,
		.tos = echo->tos,
		.df = echo->df,
		.id = draw_id(host, echo),
		.payload_len = ICMP_HEADER_LEN + echo->len,
	};

	return ipv4_emit(out, &packet);
}

/* The spans of the data, with a reference each to their blocks; returns the data's sum. */
static uint64_t attach(const struct parley_host *host, const struct echo *echo,
		       struct parley_frame *frame)
{
	struct stream_span spans[PARLEY_FRAME_SPANS];
	uint64_t sum = 0;
	size_t at = 0;

	if (echo->len)
		frame->span_count = stream_block_spans(&echo->data, 0, echo->len, spans,
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

bool echo_output(struct parley_host *host, struct interface *interface, struct parley_frame *frame)
{
	struct echoes *owed = &interface->echoes;
	struct echo *echo = &owed->ring[owed->first];
	struct icmp_message message = {.type = ICMP_ECHO_REPLY};
	uint8_t *icmp;
	uint64_t sum;
	size_t len;

	if (!owed->count)
		return false;
	len = interface_frame(interface, frame, echo->back, ETH_IPV4);
	len += put_ip(host, echo, frame->header + len);
	icmp = frame->header + len;
	message.id = echo->id;
	message.number = echo->number;
	message.data = icmp; /* no data here: it stays in its blocks */
	len += icmp_emit_echo(icmp, &message);
	sum = attach(host, echo, frame);
	put_be16(icmp + CHECKSUM_AT, 0);
	put_be16(icmp + CHECKSUM_AT, checksum_fold(checksum_add(sum, icmp, ICMP_HEADER_LEN)));
	frame->header_len = (uint32_t)len;
	frame->len = (uint32_t)len + echo->len;
	stream_free(&echo->data, &host->memory);
	owed->first = (owed->first + 1) % ECHOES;
	owed->count--;
	count(&host->tcp, PARLEY_COUNTER_ECHO_REPLIES);
	return true;
}

void echo_clear(struct parley_host *host, struct interface *interface)
{
	struct echoes *owed = &interface->echoes;

	for (; owed->count; owed->count--) {
		stream_free(&owed->ring[owed->first].data, &host->memory);
		owed->first = (owed->first + 1) % ECHOES;
	}
}
