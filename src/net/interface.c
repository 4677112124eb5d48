/* SPDX-License-Identifier: MIT */
/* Interfaces, their addresses, and the public calls that change these and the routes. */
#include "net/interface.h"

#include "base/mem.h"
#include "net/host.h"
#include "net/loopback.h"
#include "wire/ip.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

_Static_assert(sizeof(struct interface) <= MEMORY_ARRAY_MAX, "an interface takes one slab");
_Static_assert(ROUTES_CONNECTED == (LOOPBACK_INDEX - 1) * ADDRESSES, "connected routes");

enum { OFFLOADS = PARLEY_OFFLOAD_CHECKSUM | PARLEY_OFFLOAD_SEGMENT };

struct interface *interface_at(const struct parley_host *host, int ifindex)
{
	return ifindex > 0 && ifindex < EGRESS_MAX ? host->interfaces[ifindex] : NULL;
}

struct interface *interface_of_address(const struct parley_host *host, struct interface *first,
				       const struct parley_addr *addr)
{
	if (first && address_is_usable(first, addr))
		return first;
	for (uint32_t i = 0; i < host->present_count; i++)
		if (host->present[i] != first && address_is_usable(host->present[i], addr))
			return host->present[i];
	return NULL;
}

bool interface_is_broadcast(const struct interface *interface, const struct parley_addr *addr)
{
	for (uint32_t i = 0; i < interface->addresses.count; i++) {
		const struct address *address = &interface->addresses.entry[i];

		if (ip_is_subnet_broadcast(addr, &address->addr, address->prefix))
			return true;
	}
	return false;
}

void interface_blank(const struct interface *interface, struct parley_frame *frame)
{
	frame->span_count = 0;
	frame->ifindex = interface->index;
	frame->conn = PARLEY_NO_CONN;
	frame->segment_size = 0;
	frame->checksum_partial = false;
	frame->checksum_start = 0;
	frame->checksum_offset = 0;
}

size_t interface_frame(const struct interface *interface, struct parley_frame *frame,
		       struct eth_addr to, uint16_t type)
{
	struct eth_frame eth = {.dst = to, .src = interface->mac, .type = type};

	interface_blank(interface, frame);
	return interface->link == PARLEY_LINK_ETHERNET ? eth_emit(frame->header, &eth) : 0;
}

size_t interface_packet(const struct interface *interface, struct parley_frame *frame,
			struct eth_addr to, const struct ip_packet *packet)
{
	bool v4 = ip_is_v4(&packet->src);
	size_t len = interface_frame(interface, frame, to, v4 ? ETH_IPV4 : ETH_IPV6);
	uint8_t *out = frame->header + len;

	return len + (v4 ? ipv4_emit(out, packet) : ipv6_emit(out, packet));
}

static bool is_valid(const struct parley_interface *config)
{
	struct eth_addr mac;

	if (!config || config->size < sizeof *config)
		return false;
	if (config->mtu < IPV4_MIN_MTU || config->mtu > IPV4_MAX_LEN)
		return false;
	if (config->offload & ~(uint32_t)OFFLOADS)
		return false;
	memcpy(mac.b, config->mac, sizeof mac.b);
	return config->link == PARLEY_LINK_IP ||
	       (config->link == PARLEY_LINK_ETHERNET && eth_is_unicast(mac));
}

static void set_offload(struct interface *interface, const struct parley_interface *config)
{
	/* What routers have said of the link holds until the link becomes another. */
	if (interface->egress.mtu != config->mtu)
		interface->egress.mtu_v6 = config->mtu;
	interface->egress.mtu = config->mtu;
	interface->egress.offload_checksum = config->offload != 0;
	interface->egress.offload_segment = config->offload & PARLEY_OFFLOAD_SEGMENT;
}

static int free_index(const struct parley_host *host)
{
	int i = 1;

	while (i < LOOPBACK_INDEX && host->interfaces[i])
		i++;
	return i;
}

struct interface *interface_new(struct parley_host *host, int index,
				const struct parley_interface *config)
{
	struct interface *interface = memory_alloc(&host->memory, sizeof *interface);

	if (!interface)
		return NULL;
	egress_init(&interface->egress, config->mtu);
	set_offload(interface, config);
	interface->index = index;
	interface->link = config->link;
	memcpy(interface->mac.b, config->mac, sizeof interface->mac.b);
	memcpy(interface->name, config->name, sizeof interface->name);
	interface->addresses.count = 0;
	interface->believed_as_of = host->addressing++;
	interface->turn_of = NULL;
	interface->turn_left = 0;
	autoconf_init(&interface->autoconf);
	neighbours_init(host, interface);
	interface->resolutions.first = interface->resolutions.count = 0;
	interface->icmp.first = interface->icmp.count = 0;
	host->interfaces[index] = interface;
	host->present[host->present_count++] = interface;
	tcp_attach(&host->tcp, index, &interface->egress);
	return interface;
}

int parley_interface_add(struct parley_host *host, uint64_t now,
			 const struct parley_interface *config)
{
	int index = free_index(host);
	struct interface *interface;

	tcp_set_now(&host->tcp, now);
	if (!is_valid(config))
		return -PARLEY_EINVAL;
	if (index == LOOPBACK_INDEX)
		return -PARLEY_ENOBUFS;
	interface = interface_new(host, index, config);
	if (!interface)
		return -PARLEY_ENOMEM;
	autoconf_begin(host, interface, AUTOCONF_ALWAYS);
	return index;
}

int parley_interface_set(struct parley_host *host, uint64_t now, int ifindex,
			 const struct parley_interface *config)
{
	struct interface *interface = interface_at(host, ifindex);

	tcp_set_now(&host->tcp, now);
	if (!interface)
		return -PARLEY_ENODEV;
	if (!is_valid(config) || ifindex == LOOPBACK_INDEX ||
	    (address_any_v6(interface) && config->mtu < IPV6_MIN_MTU))
		return -PARLEY_EINVAL;
	set_offload(interface, config);
	autoconf_begin(host, interface, AUTOCONF_ALWAYS);
	return 0;
}

static void forget(struct parley_host *host, const struct interface *interface)
{
	uint32_t i = 0;

	host->addressing++;
	host->interfaces[interface->index] = NULL;
	while (host->present[i] != interface)
		i++;
	for (host->present_count--; i < host->present_count; i++)
		host->present[i] = host->present[i + 1];
}

void interface_free(struct parley_host *host, struct interface *interface)
{
	icmp_clear(host, interface);
	routes_forget(&host->routes, interface->index);
	forget(host, interface);
	memory_free(&host->memory, interface, sizeof *interface);
}

int parley_interface_remove(struct parley_host *host, uint64_t now, int ifindex)
{
	struct interface *interface = interface_at(host, ifindex);

	tcp_set_now(&host->tcp, now);
	if (!interface || ifindex == LOOPBACK_INDEX)
		return -PARLEY_ENODEV;
	tcp_detach(&host->tcp, ifindex);
	interface_free(host, interface);
	return 0;
}

static bool may_be_ours(const struct interface *interface, const struct parley_addr *addr,
			unsigned prefix)
{
	if (!ip_is_unicast(addr) || ip_is_loopback(addr) || !route_prefix_fits(addr, prefix) ||
	    ip_is_subnet_broadcast(addr, addr, prefix))
		return false;
	return ip_is_v4(addr) || interface->egress.mtu >= IPV6_MIN_MTU;
}

int parley_address_add(struct parley_host *host, uint64_t now, int ifindex,
		       const struct parley_addr *addr, unsigned prefix)
{
	struct interface *interface = interface_at(host, ifindex);
	struct address address = {
		.addr = *addr,
		.prefix = (uint8_t)prefix,
		.preferred_until = UINT64_MAX,
		.valid_until = UINT64_MAX,
	};
	int error;

	tcp_set_now(&host->tcp, now);
	if (!interface || ifindex == LOOPBACK_INDEX)
		return -PARLEY_ENODEV;
	if (!may_be_ours(interface, addr, prefix))
		return -PARLEY_EINVAL;
	if (interface_of_address(host, interface, addr) || address_find(interface, addr))
		return -PARLEY_EEXIST;
	error = address_add(host, interface, &address, true);
	if (!error && !ip_is_v4(addr))
		autoconf_begin(host, interface, AUTOCONF_WITH_ADDRESS);
	return error;
}

int parley_address_remove(struct parley_host *host, uint64_t now, int ifindex,
			  const struct parley_addr *addr)
{
	struct interface *interface = interface_at(host, ifindex);
	struct address *address;

	tcp_set_now(&host->tcp, now);
	if (!interface)
		return -PARLEY_ENODEV;
	address = address_find(interface, addr);
	if (!address)
		return -PARLEY_ENOENT;
	address_remove(host, interface, address);
	return 0;
}

int parley_route_add(struct parley_host *host, uint64_t now, int ifindex,
		     const struct parley_addr *dst, unsigned prefix,
		     const struct parley_addr *gateway)
{
	struct interface *interface = interface_at(host, ifindex);
	struct route route = {.dst = *dst, .ifindex = (uint8_t)ifindex};

	tcp_set_now(&host->tcp, now);
	if (!interface || ifindex == LOOPBACK_INDEX)
		return -PARLEY_ENODEV;
	if (!route_prefix_fits(dst, prefix))
		return -PARLEY_EINVAL;
	if (gateway && (!ip_is_unicast(gateway) || ip_is_v4(gateway) != ip_is_v4(dst) ||
			interface_of_address(host, interface, gateway)))
		return -PARLEY_EINVAL;
	route.prefix = (uint8_t)prefix;
	if (gateway)
		route.gateway = *gateway;
	return routes_add(&host->routes, &route);
}

int parley_route_remove(struct parley_host *host, uint64_t now, int ifindex,
			const struct parley_addr *dst, unsigned prefix)
{
	struct route route = {.dst = *dst, .ifindex = (uint8_t)ifindex};

	tcp_set_now(&host->tcp, now);
	if (!interface_at(host, ifindex))
		return -PARLEY_ENODEV;
	if (!route_prefix_fits(dst, prefix))
		return -PARLEY_EINVAL;
	route.prefix = (uint8_t)prefix;
	return routes_remove(&host->routes, &route);
}
