/* SPDX-License-Identifier: MIT */
#include "net/address.h"

#include "base/mem.h"
#include "net/autoconf.h"
#include "net/host.h"
#include "tcp/observe.h"
#include "wire/ip.h"

struct address *address_find(struct interface *interface, const struct parley_addr *addr)
{
	struct addresses *addresses = &interface->addresses;

	for (uint32_t i = 0; i < addresses->count; i++)
		if (ip_equal(&addresses->entry[i].addr, addr))
			return &addresses->entry[i];
	return NULL;
}

bool address_is_usable(const struct interface *interface, const struct parley_addr *addr)
{
	const struct address *address = address_find((struct interface *)interface, addr);

	return address && address->state == ADDRESS_USABLE;
}

static struct route route_of(const struct interface *interface, const struct address *address)
{
	return (struct route){
		.dst = address->addr,
		.prefix = address->prefix,
		.ifindex = (uint8_t)interface->index,
		.kind = ROUTE_CONNECTED,
	};
}

void address_turns(struct parley_host *host, struct address *address, enum address_state state)
{
	address->state = (uint8_t)state;
	host->addressing++;
}

/* Begins to be used, or to be probed for. */
static void begin(struct parley_host *host, const struct interface *interface,
		  struct address *address)
{
	bool detect = !ip_is_v4(&address->addr) && interface->link == PARLEY_LINK_ETHERNET &&
		      host->tcp.settings->v[PARLEY_SET_DAD];

	address_turns(host, address, detect ? ADDRESS_TENTATIVE : ADDRESS_USABLE);
	address->probes_owed = detect ? ADDRESS_PROBES : 0;
	address->usable_at = UINT64_MAX;
}

int address_add(struct parley_host *host, struct interface *interface,
		const struct address *address, bool connected)
{
	struct addresses *addresses = &interface->addresses;
	struct address *entry = &addresses->entry[addresses->count];
	struct route route = route_of(interface, address);
	int error = 0;

	if (addresses->count == ADDRESSES)
		return -PARLEY_ENOBUFS;
	if (connected)
		error = routes_add(&host->routes, &route);
	if (error)
		return error;
	*entry = *address;
	begin(host, interface, entry);
	addresses->count++;
	autoconf_plan(host, interface);
	return 0;
}

void address_remove(struct parley_host *host, struct interface *interface, struct address *address)
{
	struct addresses *addresses = &interface->addresses;
	struct route route = route_of(interface, address);
	size_t place = (size_t)(address - addresses->entry);

	/* An advertised one has no connected route: then this finds none. */
	if (address->origin != ADDRESS_ADVERTISED)
		routes_remove(&host->routes, &route);
	host->addressing++;
	addresses->count--;
	memmove(address, address + 1, (addresses->count - place) * sizeof *address);
	autoconf_plan(host, interface);
}

void address_conflicts(struct parley_host *host, struct interface *interface,
		       struct address *address)
{
	count(&host->tcp, PARLEY_COUNTER_DUPLICATE_ADDRESSES);
	address_turns(host, address, ADDRESS_DUPLICATE);
	address->probes_owed = 0;
	if (address->origin != ADDRESS_USER && autoconf_choose_again(host, interface, address))
		begin(host, interface, address);
	autoconf_plan(host, interface);
}

bool address_has_group(const struct interface *interface, const struct parley_addr *group)
{
	if (ip_equal(group, &ip_all_nodes))
		return address_any_v6(interface);
	for (uint32_t i = 0; i < interface->addresses.count; i++) {
		const struct address *address = &interface->addresses.entry[i];
		struct parley_addr own = ip_solicited_node(&address->addr);

		if (!ip_is_v4(&address->addr) && address->state != ADDRESS_DUPLICATE &&
		    ip_equal(group, &own))
			return true;
	}
	return false;
}

bool address_any_v6(const struct interface *interface)
{
	for (uint32_t i = 0; i < interface->addresses.count; i++)
		if (!ip_is_v4(&interface->addresses.entry[i].addr))
			return true;
	return false;
}

/* How well an address suits as a source; larger is better, 0: not at all. */
static unsigned suits(const struct parley_host *host, const struct address *address,
		      const struct parley_addr *dst, const struct parley_addr *hop)
{
	unsigned score = 1;

	if (address->state != ADDRESS_USABLE || ip_is_v4(&address->addr) != ip_is_v4(dst))
		return 0;
	if (ip_is_v4(dst))
		return ip_in_prefix(hop, &address->addr, address->prefix) ? 2u + address->prefix
									  : 1;
	if (ip_is_link_local(&address->addr) == ip_is_link_local(dst))
		score += 512;
	if (host->tcp.now < address->preferred_until)
		score += 256;
	return score + ip_common_prefix(&address->addr, dst);
}

const struct parley_addr *address_source(const struct parley_host *host,
					 const struct interface *interface,
					 const struct parley_addr *dst,
					 const struct parley_addr *hop)
{
	const struct address *best = NULL;
	unsigned most = 0;

	for (uint32_t i = 0; i < interface->addresses.count; i++) {
		const struct address *address = &interface->addresses.entry[i];
		unsigned score = suits(host, address, dst, hop);

		if (score > most) {
			most = score;
			best = address;
		}
	}
	return best ? &best->addr : NULL;
}
