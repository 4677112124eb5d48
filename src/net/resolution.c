/* SPDX-License-Identifier: MIT */
#include "net/resolution.h"

#include "net/discovery.h"
#include "net/host.h"
#include "wire/ip.h"

static const struct eth_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* Whether the sender can be a station on this link: RFC 826 knows no routers in between. */
static bool is_on_link(const struct parley_host *host, const struct interface *interface,
		       const struct parley_addr *addr)
{
	const struct route *route = routes_find(&host->routes, interface->index, addr);

	return route && ip_is_unspecified(&route->gateway) &&
	       !interface_is_broadcast(interface, addr);
}

void resolution_owe(struct parley_host *host, struct interface *interface,
		    const struct resolution *reply)
{
	struct resolutions *owed = &interface->resolutions;

	if (owed->count == RESOLUTIONS) {
		host_drop(host, interface->index, NULL, PARLEY_DROP_REPLY_RING_FULL);
		return;
	}
	owed->ring[(owed->first + owed->count++) % RESOLUTIONS] = *reply;
}

/* What a packet says about its sender: an answer to us is worth more than what we overhear. */
static void learn(struct parley_host *host, struct interface *interface,
		  struct neighbour *neighbour, const struct arp_packet *packet)
{
	bool asked = neighbour->state == NEIGHBOUR_INCOMPLETE ||
		     neighbour->state == NEIGHBOUR_PROBE;

	if (packet->operation == ARP_REPLY && asked)
		neighbour_answered(host, interface, neighbour, packet->sender_hw);
	else
		neighbour_heard(host, interface, neighbour, packet->sender_hw);
}

void resolution_arrives(struct parley_host *host, struct interface *interface, const uint8_t *bytes,
			size_t len)
{
	struct arp_packet packet;
	struct neighbour *neighbour;
	enum wire_error error = arp_parse(&packet, bytes, len);
	bool asks;

	if (error) {
		host_drop(host, interface->index, NULL,
			  error == WIRE_TRUNCATED ? PARLEY_DROP_TRUNCATED
						  : PARLEY_DROP_ARP_MALFORMED);
		return;
	}
	if (interface_of_address(host, interface, &packet.sender)) {
		/* Somebody else has our address, or our own frame came back. */
		host_drop(host, interface->index, NULL, PARLEY_DROP_IP_SOURCE);
		return;
	}
	asks = packet.operation == ARP_REQUEST && address_is_usable(interface, &packet.target);
	neighbour = neighbour_find(host, interface, &packet.sender);
	if (neighbour)
		learn(host, interface, neighbour, &packet);
	else if (asks && is_on_link(host, interface, &packet.sender))
		neighbour_learn(host, interface, &packet.sender, packet.sender_hw);
	if (asks)
		resolution_owe(
			host, interface,
			&(struct resolution){packet.target, packet.sender, packet.sender_hw});
	else if (!neighbour)
		host_drop(host, interface->index, NULL, PARLEY_DROP_NOT_OURS);
}

bool resolution_pending(const struct interface *interface)
{
	return interface->resolutions.count || !list_is_empty(&interface->neighbours.wanted);
}

static void fill(const struct interface *interface, struct parley_frame *frame, struct eth_addr to,
		 const struct arp_packet *packet)
{
	size_t len = interface_frame(interface, frame, to, ETH_ARP);

	len += arp_emit(frame->header + len, packet);
	frame->header_len = (uint32_t)len;
	frame->len = (uint32_t)len;
}

static void fill_request(const struct parley_host *host, const struct interface *interface,
			 struct parley_frame *frame, const struct neighbour *neighbour)
{
	const struct parley_addr *source = address_source(host, interface, &neighbour->addr,
							  &neighbour->addr);
	bool probe = neighbour->state == NEIGHBOUR_PROBE;
	struct arp_packet packet = {
		.operation = ARP_REQUEST,
		.sender_hw = interface->mac,
		.sender = source ? *source : ip_from_v4(0),
		.target = neighbour->addr,
	};

	if (!ip_is_v4(&neighbour->addr)) {
		discovery_fill_request(host, interface, frame, neighbour);
		return;
	}
	if (probe)
		packet.target_hw = neighbour->mac;
	fill(interface, frame, probe ? neighbour->mac : broadcast, &packet);
}

static void fill_reply(const struct interface *interface, struct parley_frame *frame,
		       const struct resolution *reply)
{
	struct arp_packet packet = {
		.operation = ARP_REPLY,
		.sender_hw = interface->mac,
		.sender = reply->ours,
		.target_hw = reply->asker_mac,
		.target = reply->asker,
	};

	if (ip_is_v4(&reply->ours))
		fill(interface, frame, reply->asker_mac, &packet);
	else
		discovery_fill_reply(interface, frame, reply);
}

bool resolution_output(struct parley_host *host, struct interface *interface,
		       struct parley_frame *frame)
{
	struct resolutions *owed = &interface->resolutions;
	struct neighbour *neighbour;

	while (owed->count) {
		const struct resolution *reply = &owed->ring[owed->first];

		owed->first = (owed->first + 1) % RESOLUTIONS;
		owed->count--;
		/* The address may have been taken away meanwhile. */
		if (!address_is_usable(interface, &reply->ours))
			continue;
		fill_reply(interface, frame, reply);
		return true;
	}
	neighbour = neighbour_ask(host, interface);
	if (!neighbour)
		return false;
	fill_request(host, interface, frame, neighbour);
	return true;
}
