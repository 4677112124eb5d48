/* SPDX-License-Identifier: MIT */
#include "net/discovery.h"

#include "base/mem.h"
#include "net/autoconf.h"
#include "net/host.h"
#include "wire/icmpv6.h"
#include "wire/ipv6.h"

/* RFC 2464 7 */
static struct eth_addr group_mac(const struct parley_addr *group)
{
	struct eth_addr mac = {{0x33, 0x33}};

	put_be32(mac.b + 2, get_be32(group->b + 12));
	return mac;
}

static void fill(const struct interface *interface, struct parley_frame *frame, struct eth_addr to,
		 const struct parley_addr *src, const struct parley_addr *dst,
		 const struct nd_message *message)
{
	uint8_t bytes[ND_MAX];
	struct ip_packet packet = {
		.src = *src,
		.dst = *dst,
		.protocol = IP_ICMPV6,
		.ttl = ND_HOP_LIMIT,
		.payload_len = nd_emit(bytes, message, src, dst),
	};
	size_t len = interface_packet(interface, frame, to, &packet);

	memcpy(frame->header + len, bytes, packet.payload_len);
	frame->header_len = (uint32_t)(len + packet.payload_len);
	frame->len = frame->header_len;
}

void discovery_fill(const struct interface *interface, struct parley_frame *frame,
		    const struct parley_addr *src, const struct parley_addr *dst,
		    const struct nd_message *message)
{
	fill(interface, frame, group_mac(dst), src, dst, message);
}

/* RFC 4861 7.2.2: to the group of the neighbour's address; to itself while PROBE. */
void discovery_fill_request(const struct parley_host *host, const struct interface *interface,
			    struct parley_frame *frame, const struct neighbour *neighbour)
{
	const struct parley_addr *target = &neighbour->addr;
	const struct parley_addr *source = address_source(host, interface, target, target);
	const struct parley_addr nobody = {{0}}, group = ip_solicited_node(target);
	struct nd_message message = {
		.type = ICMPV6_NEIGHBOUR_SOLICITATION,
		.has_mac = source,
		.mac = interface->mac,
		.target = *target,
	};

	if (!source)
		source = &nobody;
	if (neighbour->state == NEIGHBOUR_PROBE)
		fill(interface, frame, neighbour->mac, source, target, &message);
	else
		discovery_fill(interface, frame, source, &group, &message);
}

/* RFC 4861 7.2.4: who asked from nowhere is told with all others. */
void discovery_fill_reply(const struct interface *interface, struct parley_frame *frame,
			  const struct resolution *reply)
{
	struct nd_message message = {
		.type = ICMPV6_NEIGHBOUR_ADVERTISEMENT,
		.has_mac = true,
		.mac = interface->mac,
		.target = reply->ours,
		.solicited = !ip_is_unspecified(&reply->asker),
		.override = true,
	};

	if (message.solicited)
		fill(interface, frame, reply->asker_mac, &reply->ours, &reply->asker, &message);
	else
		discovery_fill(interface, frame, &reply->ours, &ip_all_nodes, &message);
}

static void drop(struct parley_host *host, const struct interface *interface,
		 const struct ip_packet *packet, enum parley_drop reason)
{
	host_drop(host, interface->index, packet, reason);
}

/* RFC 4861 7.2.3, RFC 4862 5.4.3 */
static void solicited(struct parley_host *host, struct interface *interface,
		      const struct ip_packet *packet, const struct nd_message *message,
		      struct eth_addr from)
{
	struct address *address = address_find(interface, &message->target);
	bool probe = ip_is_unspecified(&packet->src);
	struct neighbour *known;
	struct resolution reply = {.ours = message->target, .asker = packet->src};

	if (!address || address->state == ADDRESS_DUPLICATE) {
		drop(host, interface, packet, PARLEY_DROP_NOT_OURS);
		return;
	}
	if (address->state == ADDRESS_TENTATIVE) {
		/* Another one probes for it: neither may have it. Who only asks must wait. */
		if (probe)
			address_conflicts(host, interface, address);
		else
			drop(host, interface, packet, PARLEY_DROP_NOT_OURS);
		return;
	}
	if (!probe && message->has_mac)
		neighbour_learn(host, interface, &packet->src, message->mac);
	known = probe ? NULL : neighbour_find(host, interface, &packet->src);
	reply.asker_mac = known && neighbour_is_known(known) ? known->mac : from;
	resolution_owe(host, interface, &reply);
}

/* RFC 4861 7.2.5 */
static void advertised(struct parley_host *host, struct interface *interface,
		       struct neighbour *neighbour, const struct nd_message *message)
{
	bool known = neighbour_is_known(neighbour);
	bool differs = message->has_mac && !(known && eth_equal(neighbour->mac, message->mac));

	if (!known && !message->has_mac)
		return;
	if (known && differs && !message->override) {
		neighbour_doubt(interface, neighbour);
		return;
	}
	if (!message->from_router)
		autoconf_router_stopped(host, interface, &message->target);
	if (message->solicited)
		neighbour_answered(host, interface, neighbour,
				   message->has_mac ? message->mac : neighbour->mac);
	else if (differs)
		neighbour_heard(host, interface, neighbour, message->mac);
}

static void advertisement_arrives(struct parley_host *host, struct interface *interface,
				  const struct ip_packet *packet, const struct nd_message *message)
{
	struct address *address = address_find(interface, &message->target);
	struct neighbour *neighbour;

	if (address && address->state == ADDRESS_TENTATIVE) {
		address_conflicts(host, interface, address);
		return;
	}
	neighbour = address ? NULL : neighbour_find(host, interface, &message->target);
	if (neighbour)
		advertised(host, interface, neighbour, message);
	else
		drop(host, interface, packet,
		     address ? PARLEY_DROP_IP_SOURCE : PARLEY_DROP_NOT_OURS);
}

void discovery_arrives(struct parley_host *host, struct interface *interface,
		       const struct ip_packet *packet, struct eth_addr from)
{
	struct nd_message message;
	enum wire_error error = nd_parse(&message, packet);

	if (error == WIRE_BAD_TYPE || interface->link != PARLEY_LINK_ETHERNET) {
		drop(host, interface, packet, PARLEY_DROP_ICMP_IGNORED); /* a redirect */
	} else if (error) {
		drop(host, interface, packet, PARLEY_DROP_ICMP_MALFORMED);
	} else if (message.type == ICMPV6_NEIGHBOUR_SOLICITATION) {
		solicited(host, interface, packet, &message, from);
	} else if (message.type == ICMPV6_NEIGHBOUR_ADVERTISEMENT) {
		advertisement_arrives(host, interface, packet, &message);
	} else if (message.type == ICMPV6_ROUTER_ADVERTISEMENT) {
		autoconf_advertised(host, interface, packet, &message);
	} else {
		drop(host, interface, packet, PARLEY_DROP_ICMP_IGNORED); /* we are no router */
	}
}
