/* SPDX-License-Identifier: MIT */
#include "net/route.h"

#include "base/mem.h"
#include "wire/ip.h"

static const uint32_t most[ROUTE_KINDS] = {
	[ROUTE_ADDED] = ROUTES_ADDED,
	[ROUTE_CONNECTED] = ROUTES_CONNECTED,
	[ROUTE_ADVERTISED] = ROUTES_ADVERTISED,
};

bool route_prefix_fits(const struct parley_addr *addr, unsigned prefix)
{
	return prefix <= (ip_is_v4(addr) ? 32u : 128u);
}

/* The address with the bits behind the prefix cleared. */
static struct parley_addr network(const struct parley_addr *addr, unsigned prefix)
{
	struct parley_addr net = *addr;
	unsigned bits = ip_is_v4(addr) ? prefix + 96 : prefix;

	for (unsigned i = bits / 8; i < sizeof net.b; i++)
		net.b[i] = (uint8_t)(i == bits / 8 ? net.b[i] & 0xff00 >> bits % 8 : 0);
	return net;
}

static bool same(const struct route *a, const struct route *b)
{
	return a->prefix == b->prefix && a->ifindex == b->ifindex && a->kind == b->kind &&
	       ip_equal(&a->dst, &b->dst);
}

/* The index of a route like this one, or routes->count. */
static uint32_t index_of(const struct routes *routes, const struct route *route)
{
	uint32_t i = 0;

	while (i < routes->count && !same(&routes->route[i], route))
		i++;
	return i;
}

static void remove_at(struct routes *routes, uint32_t i)
{
	routes->of_kind[routes->route[i].kind]--;
	routes->count--;
	memmove(&routes->route[i], &routes->route[i + 1],
		(routes->count - i) * sizeof routes->route[0]);
}

int routes_add(struct routes *routes, const struct route *route)
{
	struct route entry = *route;
	uint32_t i = 0;

	entry.dst = network(&route->dst, route->prefix);
	if (entry.kind != ROUTE_CONNECTED && index_of(routes, &entry) < routes->count)
		return -PARLEY_EEXIST;
	if (routes->of_kind[entry.kind] == most[entry.kind])
		return -PARLEY_ENOBUFS;
	while (i < routes->count && routes->route[i].prefix >= entry.prefix)
		i++;
	memmove(&routes->route[i + 1], &routes->route[i],
		(routes->count - i) * sizeof routes->route[0]);
	routes->route[i] = entry;
	routes->count++;
	routes->of_kind[entry.kind]++;
	return 0;
}

int routes_remove(struct routes *routes, const struct route *route)
{
	struct route wanted = *route;
	uint32_t i;

	wanted.dst = network(&route->dst, route->prefix);
	i = index_of(routes, &wanted);
	if (i == routes->count)
		return -PARLEY_ENOENT;
	remove_at(routes, i);
	return 0;
}

void routes_forget(struct routes *routes, int ifindex)
{
	for (uint32_t i = routes->count; i-- > 0;)
		if (routes->route[i].ifindex == ifindex)
			remove_at(routes, i);
}

const struct route *routes_find(const struct routes *routes, int ifindex,
				const struct parley_addr *dst)
{
	for (uint32_t i = 0; i < routes->count; i++) {
		const struct route *route = &routes->route[i];

		if ((!ifindex || route->ifindex == ifindex) &&
		    ip_in_prefix(dst, &route->dst, route->prefix))
			return route;
	}
	return NULL;
}

struct parley_addr route_next_hop(const struct route *route, const struct parley_addr *dst)
{
	return ip_is_unspecified(&route->gateway) ? *dst : route->gateway;
}

bool routes_check(const struct routes *routes)
{
	uint32_t of_kind[ROUTE_KINDS] = {0};

	for (uint32_t i = 0; i < routes->count; i++) {
		const struct route *route = &routes->route[i];
		struct parley_addr net = network(&route->dst, route->prefix);

		if (i > 0 && routes->route[i - 1].prefix < route->prefix)
			return false;
		if (!ip_equal(&net, &route->dst))
			return false;
		of_kind[route->kind]++;
	}
	return memcmp(of_kind, routes->of_kind, sizeof of_kind) == 0;
}
