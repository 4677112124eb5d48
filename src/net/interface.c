/* SPDX-License-Identifier: MIT */
/* Interfaces, their addresses, and the public calls that change these and the routes. */
#include "net/interface.h"

#include "base/mem.h"
#include "net/host.h"
#include "wire/ip.h"
#include "wire/ipv4.h"

_Static_assert(sizeof(struct interface) <= MEMORY_ARRAY_MAX, "an interface takes one slab");
_Static_assert(ROUTES_CONNECTED == (EGRESS_MAX - 1) * INTERFACE_ADDRESSES, "connected routes");

enum { OFFLOADS = PARLEY_OFFLOAD_CHECKSUM | PARLEY_OFFLOAD_SEGMENT };

struct interface *interface_at(const struct parley_host *host, int ifindex)
{
	return ifindex > 0 && ifindex < EGRESS_MAX ? host->interfaces[ifindex] : NULL;
}

/* The place of an address among those of an interface, or address_count. */
static uint32_t place_of(const struct interface *interface, const struct parley_addr *addr)
{
	uint32_t i = 0;

	while (i < interface->address_count && !ip_equal(&interface->address[i].addr, addr))
		i++;
	return i;
}

static bool has_address(const struct interface *interface, const struct parley_addr *addr)
{
	return place_of(interface, addr) < interface->address_count;
}

struct interface *interface_of_address(const struct parley_host *host, struct interface *first,
				       const struct parley_addr *addr)
{
	if (first && has_address(first, addr))
		return first;
	for (int i = 1; i < EGRESS_MAX; i++)
		if (host->interfaces[i] && has_address(host->interfaces[i], addr))
			return host->interfaces[i];
	return NULL;
}

const struct parley_addr *interface_source(const struct interface *interface,
					   const struct parley_addr *hop)
{
	const struct interface_address *best = NULL;

	for (uint32_t i = 0; i < interface->address_count; i++) {
		const struct interface_address *address = &interface->address[i];

		if (ip_in_prefix(hop, &address->addr, address->prefix) &&
		    (!best || address->prefix > best->prefix))
			best = address;
	}
	for (uint32_t i = 0; !best && i < interface->address_count; i++)
		if (ip_is_v4(&interface->address[i].addr) == ip_is_v4(hop))
			best = &interface->address[i];
	return best ? &best->addr : NULL;
}

bool interface_is_broadcast(const struct interface *interface, const struct parley_addr *addr)
{
	for (uint32_t i = 0; i < interface->address_count; i++)
		if (ip_is_subnet_broadcast(addr, &interface->address[i].addr,
					   interface->address[i].prefix))
			return true;
	return false;
}

size_t interface_frame(const struct interface *interface, struct parley_frame *frame,
		       struct eth_addr to, uint16_t type)
{
	struct eth_frame eth = {.dst = to, .src = interface->mac, .type = type};

	frame->span_count = 0;
	frame->ifindex = interface->index;
	frame->conn = PARLEY_NO_CONN;
	frame->segment_size = 0;
	frame->checksum_partial = false;
	frame->checksum_start = 0;
	frame->checksum_offset = 0;
	return interface->link == PARLEY_LINK_ETHERNET ? eth_emit(frame->header, &eth) : 0;
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
	interface->egress.mtu = config->mtu;
	interface->egress.offload_checksum = config->offload != 0;
	interface->egress.offload_segment = config->offload & PARLEY_OFFLOAD_SEGMENT;
}

static int free_index(const struct parley_host *host)
{
	int i = 1;

	while (i < EGRESS_MAX && host->interfaces[i])
		i++;
	return i;
}

int parley_interface_add(struct parley_host *host, uint64_t now,
			 const struct parley_interface *config)
{
	int index = free_index(host);
	struct interface *interface;

	tcp_set_now(&host->tcp, now);
	if (!is_valid(config))
		return -PARLEY_EINVAL;
	if (index == EGRESS_MAX)
		return -PARLEY_ENOBUFS;
	interface = memory_alloc(&host->memory, sizeof *interface);
	if (!interface)
		return -PARLEY_ENOMEM;
	egress_init(&interface->egress, config->mtu);
	set_offload(interface, config);
	interface->index = index;
	interface->link = config->link;
	memcpy(interface->mac.b, config->mac, sizeof interface->mac.b);
	memcpy(interface->name, config->name, sizeof interface->name);
	interface->address_count = 0;
	interface->turn_of = NULL;
	interface->turn_left = 0;
	neighbours_init(&interface->neighbours);
	interface->resolutions.first = interface->resolutions.count = 0;
	interface->echoes.first = interface->echoes.count = 0;
	host->interfaces[index] = interface;
	tcp_attach(&host->tcp, index, &interface->egress);
	return index;
}

int parley_interface_set(struct parley_host *host, uint64_t now, int ifindex,
			 const struct parley_interface *config)
{
	struct interface *interface = interface_at(host, ifindex);

	tcp_set_now(&host->tcp, now);
	if (!interface)
		return -PARLEY_ENODEV;
	if (!is_valid(config))
		return -PARLEY_EINVAL;
	set_offload(interface, config);
	return 0;
}

void interface_free(struct parley_host *host, struct interface *interface)
{
	echo_clear(host, interface);
	routes_forget(&host->routes, interface->index);
	host->interfaces[interface->index] = NULL;
	memory_free(&host->memory, interface, sizeof *interface);
}

int parley_interface_remove(struct parley_host *host, uint64_t now, int ifindex)
{
	struct interface *interface = interface_at(host, ifindex);

	tcp_set_now(&host->tcp, now);
	if (!interface)
		return -PARLEY_ENODEV;
	tcp_detach(&host->tcp, ifindex);
	interface_free(host, interface);
	return 0;
}

int parley_address_add(struct parley_host *host, uint64_t now, int ifindex,
		       const struct parley_addr *addr, unsigned prefix)
{
	struct interface *interface = interface_at(host, ifindex);
	struct route route = {.connected = true, .ifindex = (uint8_t)ifindex};

	tcp_set_now(&host->tcp, now);
	if (!interface)
		return -PARLEY_ENODEV;
	if (!ip_is_v4(addr))
		return -PARLEY_EAFNOSUPPORT;
	if (!ip_is_unicast(addr) || ip_is_loopback(addr) || !route_prefix_fits(addr, prefix) ||
	    ip_is_subnet_broadcast(addr, addr, prefix))
		return -PARLEY_EINVAL;
	if (interface_of_address(host, interface, addr))
		return -PARLEY_EEXIST;
	if (interface->address_count == INTERFACE_ADDRESSES)
		return -PARLEY_ENOBUFS;
	route.dst = *addr;
	route.prefix = (uint8_t)prefix;
	interface->address[interface->address_count].addr = *addr;
	interface->address[interface->address_count].prefix = (uint8_t)prefix;
	interface->address_count++;
	return routes_add(&host->routes, &route);
}

int parley_address_remove(struct parley_host *host, uint64_t now, int ifindex,
			  const struct parley_addr *addr)
{
	struct interface *interface = interface_at(host, ifindex);
	struct route route = {.connected = true, .ifindex = (uint8_t)ifindex};
	uint32_t place;

	tcp_set_now(&host->tcp, now);
	if (!interface)
		return -PARLEY_ENODEV;
	place = place_of(interface, addr);
	if (place == interface->address_count)
		return -PARLEY_ENOENT;
	route.dst = *addr;
	route.prefix = interface->address[place].prefix;
	interface->address_count--;
	memmove(&interface->address[place], &interface->address[place + 1],
		(interface->address_count - place) * sizeof interface->address[0]);
	return routes_remove(&host->routes, &route);
}

int parley_route_add(struct parley_host *host, uint64_t now, int ifindex,
		     const struct parley_addr *dst, unsigned prefix,
		     const struct parley_addr *gateway)
{
	struct interface *interface = interface_at(host, ifindex);
	struct route route = {.dst = *dst, .ifindex = (uint8_t)ifindex};

	tcp_set_now(&host->tcp, now);
	if (!interface)
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
