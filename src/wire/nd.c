/* SPDX-License-Identifier: MIT */
#include "wire/nd.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "wire/icmpv6.h"

enum {
	OPTION_SOURCE_MAC = 1,
	OPTION_TARGET_MAC = 2,
	OPTION_PREFIX = 3,
	OPTION_MTU = 5,
};

enum { MAC_LEN = 8, PREFIX_LEN = 32, MTU_LEN = 8 };

enum { PREFIX_ON_LINK = 0x80, PREFIX_AUTONOMOUS = 0x40 };

enum { NA_ROUTER = 0x80, NA_SOLICITED = 0x40, NA_OVERRIDE = 0x20 };

/* Bytes before the options. */
static size_t fixed_len(uint8_t type)
{
	switch (type) {
	case ICMPV6_ROUTER_SOLICITATION:
		return 8;
	case ICMPV6_ROUTER_ADVERTISEMENT:
		return 16;
	case ICMPV6_NEIGHBOUR_SOLICITATION:
	case ICMPV6_NEIGHBOUR_ADVERTISEMENT:
		return 24;
	default:
		return 0;
	}
}

/* The option with the hardware address that this type carries. */
static uint8_t mac_option(uint8_t type)
{
	return type == ICMPV6_NEIGHBOUR_ADVERTISEMENT ? OPTION_TARGET_MAC : OPTION_SOURCE_MAC;
}

static void read_prefix(struct nd_message *message, const uint8_t *option)
{
	struct nd_prefix *prefix = &message->prefix[message->prefix_count];

	if (message->prefix_count == ND_PREFIXES || option[2] > 128)
		return;
	prefix->len = option[2];
	prefix->on_link = option[3] & PREFIX_ON_LINK;
	prefix->autonomous = option[3] & PREFIX_AUTONOMOUS;
	prefix->valid = get_be32(option + 4);
	prefix->preferred = get_be32(option + 8);
	memcpy(prefix->prefix.b, option + 16, sizeof prefix->prefix.b);
	message->prefix_count++;
}

static void read_option(struct nd_message *message, const uint8_t *option, size_t len)
{
	bool from_router = message->type == ICMPV6_ROUTER_ADVERTISEMENT;

	if (option[0] == mac_option(message->type) && len == MAC_LEN) {
		memcpy(message->mac.b, option + 2, sizeof message->mac.b);
		message->has_mac = eth_is_unicast(message->mac);
	} else if (from_router && option[0] == OPTION_PREFIX && len == PREFIX_LEN) {
		read_prefix(message, option);
	} else if (from_router && option[0] == OPTION_MTU && len == MTU_LEN) {
		message->mtu = get_be32(option + 4);
	}
}

static enum wire_error read_options(struct nd_message *message, const uint8_t *at,
				    const uint8_t *end)
{
	while (at < end) {
		size_t len = end - at < 2 ? 0 : (size_t)at[1] * 8;

		if (len == 0 || len > (size_t)(end - at))
			return WIRE_BAD_OPTION;
		read_option(message, at, len);
		at += len;
	}
	return WIRE_OK;
}

static void read_fixed(struct nd_message *message, const uint8_t *bytes)
{
	if (message->type == ICMPV6_ROUTER_ADVERTISEMENT) {
		message->hop_limit = bytes[4];
		message->lifetime = get_be16(bytes + 6);
		message->reachable_ms = get_be32(bytes + 8);
		message->retransmit_ms = get_be32(bytes + 12);
	} else if (message->type != ICMPV6_ROUTER_SOLICITATION) {
		memcpy(message->target.b, bytes + 8, sizeof message->target.b);
	}
	if (message->type == ICMPV6_NEIGHBOUR_ADVERTISEMENT) {
		message->from_router = bytes[4] & NA_ROUTER;
		message->solicited = bytes[4] & NA_SOLICITED;
		message->override = bytes[4] & NA_OVERRIDE;
	}
}

static bool is_target(const struct parley_addr *addr)
{
	return ip_is_unicast(addr) && !ip_is_v4(addr);
}

/* RFC 4861 6.1 and 7.1, where they speak of addresses and flags. */
static bool is_proper(const struct nd_message *message, const struct ip_packet *packet)
{
	bool unspecified = ip_is_unspecified(&packet->src);
	struct parley_addr group;

	switch (message->type) {
	case ICMPV6_ROUTER_SOLICITATION:
		return !unspecified || !message->has_mac;
	case ICMPV6_ROUTER_ADVERTISEMENT:
		return ip_is_link_local(&packet->src);
	case ICMPV6_NEIGHBOUR_SOLICITATION:
		if (!is_target(&message->target))
			return false;
		group = ip_solicited_node(&message->target);
		return !unspecified || (!message->has_mac && ip_equal(&packet->dst, &group));
	default:
		return !unspecified && is_target(&message->target) &&
		       !(message->solicited && ip_is_multicast(&packet->dst));
	}
}

enum wire_error nd_parse(struct nd_message *message, const struct ip_packet *packet)
{
	const uint8_t *bytes = packet->payload;
	size_t fixed = packet->payload_len ? fixed_len(bytes[0]) : 0;
	enum wire_error error;

	if (!fixed)
		return WIRE_BAD_TYPE;
	if (packet->payload_len < fixed)
		return WIRE_TRUNCATED;
	*message = (struct nd_message){.type = bytes[0]};
	read_fixed(message, bytes);
	error = read_options(message, bytes + fixed, bytes + packet->payload_len);
	if (error)
		return error;
	if (packet->ttl != ND_HOP_LIMIT || bytes[1] != 0 || !is_proper(message, packet))
		return WIRE_BAD_SOURCE;
	return WIRE_OK;
}

static void put_fixed(uint8_t *out, const struct nd_message *message)
{
	if (message->type == ICMPV6_ROUTER_ADVERTISEMENT) {
		out[4] = message->hop_limit;
		put_be16(out + 6, message->lifetime);
		put_be32(out + 8, message->reachable_ms);
		put_be32(out + 12, message->retransmit_ms);
	} else if (message->type != ICMPV6_ROUTER_SOLICITATION) {
		memcpy(out + 8, message->target.b, sizeof message->target.b);
	}
	if (message->type == ICMPV6_NEIGHBOUR_ADVERTISEMENT)
		out[4] = (uint8_t)((message->from_router ? NA_ROUTER : 0) |
				   (message->solicited ? NA_SOLICITED : 0) |
				   (message->override ? NA_OVERRIDE : 0));
}

static size_t put_prefix(uint8_t *out, const struct nd_prefix *prefix)
{
	out[0] = OPTION_PREFIX;
	out[1] = PREFIX_LEN / 8;
	out[2] = prefix->len;
	out[3] = (uint8_t)((prefix->on_link ? PREFIX_ON_LINK : 0) |
			   (prefix->autonomous ? PREFIX_AUTONOMOUS : 0));
	put_be32(out + 4, prefix->valid);
	put_be32(out + 8, prefix->preferred);
	put_be32(out + 12, 0);
	memcpy(out + 16, prefix->prefix.b, sizeof prefix->prefix.b);
	return PREFIX_LEN;
}

static size_t put_options(uint8_t *out, const struct nd_message *message)
{
	size_t len = 0;

	if (message->has_mac) {
		out[0] = mac_option(message->type);
		out[1] = MAC_LEN / 8;
		memcpy(out + 2, message->mac.b, sizeof message->mac.b);
		len += MAC_LEN;
	}
	if (message->mtu) {
		out[len] = OPTION_MTU;
		out[len + 1] = MTU_LEN / 8;
		put_be16(out + len + 2, 0);
		put_be32(out + len + 4, message->mtu);
		len += MTU_LEN;
	}
	if (message->prefix_count)
		len += put_prefix(out + len, &message->prefix[0]);
	return len;
}

size_t nd_emit(uint8_t *out, const struct nd_message *message, const struct parley_addr *src,
	       const struct parley_addr *dst)
{
	size_t len = fixed_len(message->type);

	memset(out, 0, len);
	out[0] = message->type;
	put_fixed(out, message);
	len += put_options(out + len, message);
	icmpv6_finish(out, len, src, dst);
	return len;
}
