/* SPDX-License-Identifier: MIT */
#include "net/autoconf.h"

#include "base/mem.h"
#include "net/discovery.h"
#include "net/host.h"
#include "tcp/observe.h"
#include "tcp/secret.h"
#include "wire/icmpv6.h"
#include "wire/ipv6.h"

#define SECOND	  UINT64_C(1000000000)
#define TWO_HOURS (7200 * SECOND)

enum { INTERFACE_ID_BITS = 64 };

static const struct parley_addr link_local = {{0xfe, 0x80}};

void autoconf_init(struct autoconf *autoconf)
{
	*autoconf = (struct autoconf){.solicit_at = UINT64_MAX, .next = UINT64_MAX};
}

static void earlier(uint64_t *at, uint64_t other)
{
	if (other < *at)
		*at = other;
}

void autoconf_plan(struct parley_host *host, struct interface *interface)
{
	struct autoconf *autoconf = &interface->autoconf;
	uint64_t next = autoconf->solicit_at;

	(void)host;
	for (uint32_t i = 0; i < interface->addresses.count; i++) {
		const struct address *address = &interface->addresses.entry[i];

		if (address->state == ADDRESS_TENTATIVE)
			earlier(&next, address->usable_at);
		earlier(&next, address->valid_until);
	}
	for (uint32_t i = 0; i < autoconf->router_count; i++)
		earlier(&next, autoconf->router[i].until);
	for (uint32_t i = 0; i < autoconf->prefix_count; i++)
		earlier(&next, autoconf->prefix[i].until);
	autoconf->next = next;
}

/* RFC 7217 5: prefix and an interface identifier that says nothing about anybody. */
static struct parley_addr make_address(const struct parley_host *host,
				       const struct interface *interface,
				       const struct parley_addr *prefix, unsigned conflicts)
{
	struct tuple tuple = {.local = *prefix, .local_port = 7217};
	uint64_t counter = (uint64_t)interface->index << 8 | conflicts;
	struct parley_addr addr = *prefix;
	uint64_t id;

	memcpy(tuple.remote.b, interface->mac.b, sizeof interface->mac.b);
	id = secret_draw(&host->tcp, SECRET_NET, &tuple, counter);
	put_be64(addr.b + 8, id ? id : 1); /* 0 is the routers' anycast address */
	return addr;
}

bool autoconf_choose_again(struct parley_host *host, struct interface *interface,
			   struct address *address)
{
	struct parley_addr prefix = address->addr;

	if (address->conflicts == AUTOCONF_CONFLICTS)
		return false;
	memset(prefix.b + 8, 0, 8);
	address->conflicts++;
	address->addr = make_address(host, interface, &prefix, address->conflicts);
	return true;
}

static bool has_link_local(const struct interface *interface)
{
	for (uint32_t i = 0; i < interface->addresses.count; i++) {
		const struct address *address = &interface->addresses.entry[i];

		if (!ip_is_v4(&address->addr) && ip_is_link_local(&address->addr))
			return true;
	}
	return false;
}

static const struct parley_addr *usable_link_local(const struct parley_host *host,
						   const struct interface *interface)
{
	const struct parley_addr *source = address_source(host, interface, &link_local,
							  &link_local);

	return source && ip_is_link_local(source) ? source : NULL;
}

/* Routers are asked for from the link-local address, as soon as that may be used. */
static void solicit_routers(const struct parley_host *host, struct interface *interface)
{
	struct autoconf *autoconf = &interface->autoconf;

	if (autoconf->solicitations == AUTOCONF_SOLICITATIONS && usable_link_local(host, interface))
		autoconf->solicit_at = host->tcp.now;
}

void autoconf_begin(struct parley_host *host, struct interface *interface, enum autoconf_mode mode)
{
	struct address address = {
		.prefix = INTERFACE_ID_BITS,
		.origin = ADDRESS_LINK_LOCAL,
		.preferred_until = UINT64_MAX,
		.valid_until = UINT64_MAX,
	};

	if (interface->autoconf.running || interface->link != PARLEY_LINK_ETHERNET ||
	    host->tcp.settings->v[PARLEY_SET_AUTOCONF] < (int64_t)mode ||
	    interface->egress.mtu < IPV6_MIN_MTU)
		return;
	interface->autoconf.running = true;
	address.addr = make_address(host, interface, &link_local, 0);
	if (!has_link_local(interface))
		(void)address_add(host, interface, &address, true);
	interface->autoconf.solicitations = AUTOCONF_SOLICITATIONS;
	solicit_routers(host, interface);
	autoconf_plan(host, interface);
}

static struct route default_route(const struct interface *interface)
{
	return (struct route){
		.ifindex = (uint8_t)interface->index,
		.kind = ROUTE_ADVERTISED,
	};
}

/* The route to everywhere leads to the first router, or there is none. */
static void renew_default_route(struct parley_host *host, struct interface *interface)
{
	const struct autoconf *autoconf = &interface->autoconf;
	struct route route = default_route(interface);

	(void)routes_remove(&host->routes, &route);
	if (!autoconf->router_count)
		return;
	route.gateway = autoconf->router[0].addr;
	(void)routes_add(&host->routes, &route);
}

/* The router's place, or router_count. */
static uint32_t find_router(const struct autoconf *autoconf, const struct parley_addr *addr)
{
	uint32_t i = 0;

	while (i < autoconf->router_count && !ip_equal(&autoconf->router[i].addr, addr))
		i++;
	return i;
}

static void remove_router(struct autoconf *autoconf, uint32_t i)
{
	autoconf->router_count--;
	memmove(&autoconf->router[i], &autoconf->router[i + 1],
		(autoconf->router_count - i) * sizeof autoconf->router[0]);
}

void autoconf_router_failed(struct parley_host *host, struct interface *interface,
			    const struct parley_addr *addr)
{
	struct autoconf *autoconf = &interface->autoconf;
	struct autoconf_router router = autoconf->router[0];

	if (autoconf->router_count < 2 || !ip_equal(&router.addr, addr))
		return;
	remove_router(autoconf, 0);
	autoconf->router[autoconf->router_count++] = router;
	renew_default_route(host, interface);
}

void autoconf_router_stopped(struct parley_host *host, struct interface *interface,
			     const struct parley_addr *addr)
{
	struct autoconf *autoconf = &interface->autoconf;
	uint32_t i = find_router(autoconf, addr);

	if (i == autoconf->router_count)
		return;
	remove_router(autoconf, i);
	renew_default_route(host, interface);
	autoconf_plan(host, interface);
}

static uint64_t ends(const struct parley_host *host, uint32_t seconds)
{
	return seconds == UINT32_MAX ? UINT64_MAX : host->tcp.now + seconds * SECOND;
}

static void learn_router(struct parley_host *host, struct interface *interface,
			 const struct parley_addr *addr, uint16_t lifetime)
{
	struct autoconf *autoconf = &interface->autoconf;
	uint32_t i = find_router(autoconf, addr);

	if (i < autoconf->router_count && !lifetime) {
		remove_router(autoconf, i);
	} else if (lifetime && i < AUTOCONF_ROUTERS) {
		autoconf->router[i] = (struct autoconf_router){*addr, ends(host, lifetime)};
		if (i == autoconf->router_count)
			autoconf->router_count++;
	}
	renew_default_route(host, interface);
}

static struct route route_of(const struct interface *interface,
			     const struct autoconf_prefix *prefix)
{
	return (struct route){
		.dst = prefix->prefix,
		.prefix = prefix->len,
		.ifindex = (uint8_t)interface->index,
		.kind = ROUTE_ADVERTISED,
	};
}

static void remove_prefix(struct parley_host *host, struct interface *interface, uint32_t i)
{
	struct autoconf *autoconf = &interface->autoconf;
	struct route route = route_of(interface, &autoconf->prefix[i]);

	(void)routes_remove(&host->routes, &route);
	autoconf->prefix_count--;
	memmove(&autoconf->prefix[i], &autoconf->prefix[i + 1],
		(autoconf->prefix_count - i) * sizeof autoconf->prefix[0]);
}

/* RFC 4861 6.3.4: which addresses are on the link. */
static void learn_prefix(struct parley_host *host, struct interface *interface,
			 const struct nd_prefix *advertised)
{
	struct autoconf *autoconf = &interface->autoconf;
	struct autoconf_prefix prefix = {advertised->prefix, advertised->len,
					 ends(host, advertised->valid)};
	struct route route = route_of(interface, &prefix);
	uint32_t i = 0;

	while (i < autoconf->prefix_count &&
	       (autoconf->prefix[i].len != prefix.len ||
		!ip_in_prefix(&prefix.prefix, &autoconf->prefix[i].prefix, prefix.len)))
		i++;
	if (i < autoconf->prefix_count) {
		autoconf->prefix[i].until = prefix.until;
		if (!advertised->valid)
			remove_prefix(host, interface, i);
	} else if (advertised->valid && i < AUTOCONF_PREFIXES && prefix.len &&
		   routes_add(&host->routes, &route) == 0) {
		autoconf->prefix[autoconf->prefix_count++] = prefix;
	}
}

/*
 * RFC 4862 5.5.3 e: what was believed once is not taken back in less than two hours, since anybody
 * could send this.
 */
static void refresh(const struct parley_host *host, struct address *address,
		    const struct nd_prefix *advertised)
{
	uint64_t now = host->tcp.now, valid = ends(host, advertised->valid);

	address->preferred_until = ends(host, advertised->preferred);
	if (advertised->valid > 7200 || valid > address->valid_until)
		address->valid_until = valid;
	else if (address->valid_until - now > TWO_HOURS)
		address->valid_until = now + TWO_HOURS;
}

/* RFC 4862 5.5.3: an address of ours in an advertised prefix. */
static void learn_address(struct parley_host *host, struct interface *interface,
			  const struct nd_prefix *advertised)
{
	struct address address = {
		.prefix = advertised->len,
		.origin = ADDRESS_ADVERTISED,
		.preferred_until = ends(host, advertised->preferred),
		.valid_until = ends(host, advertised->valid),
	};

	if (advertised->preferred > advertised->valid || advertised->len != INTERFACE_ID_BITS)
		return;
	for (uint32_t i = 0; i < interface->addresses.count; i++) {
		struct address *known = &interface->addresses.entry[i];

		if (known->origin == ADDRESS_ADVERTISED &&
		    ip_in_prefix(&known->addr, &advertised->prefix, INTERFACE_ID_BITS)) {
			refresh(host, known, advertised);
			return;
		}
	}
	if (!advertised->valid)
		return;
	memcpy(address.addr.b, advertised->prefix.b, 8);
	address.addr = make_address(host, interface, &address.addr, 0);
	if (!address_find(interface, &address.addr))
		(void)address_add(host, interface, &address, false);
}

static void learn_mtu(struct interface *interface, uint32_t mtu)
{
	if (mtu >= IPV6_MIN_MTU && mtu <= interface->egress.mtu)
		interface->egress.mtu_v6 = mtu;
}

/*
 * There is a router: none is asked for any more, if one has been asked for. Otherwise once, since
 * an answer may say more than what came by itself (RFC 4861 6.3.7).
 */
static void solicited(struct autoconf *autoconf)
{
	if (autoconf->solicitations + autoconf->solicit_owed == AUTOCONF_SOLICITATIONS)
		return;
	autoconf->solicitations = 0;
	autoconf->solicit_at = UINT64_MAX;
	autoconf->solicit_owed = false;
}

void autoconf_advertised(struct parley_host *host, struct interface *interface,
			 const struct ip_packet *packet, const struct nd_message *message)
{
	struct autoconf *autoconf = &interface->autoconf;

	if (!autoconf->running) {
		host_drop(host, interface->index, packet, PARLEY_DROP_ICMP_IGNORED);
		return;
	}
	if (message->lifetime)
		solicited(autoconf);
	if (message->has_mac)
		neighbour_learn(host, interface, &packet->src, message->mac);
	learn_router(host, interface, &packet->src, message->lifetime);
	/* RFC 4861 6.3.4, within limits that leave the table working. */
	neighbours_tune(host, interface,
			message->reachable_ms <= 3600000 ? message->reachable_ms * (SECOND / 1000)
							 : 0,
			message->retransmit_ms >= 100 && message->retransmit_ms <= 60000
				? message->retransmit_ms * (SECOND / 1000)
				: 0);
	learn_mtu(interface, message->mtu);
	for (uint32_t i = 0; i < message->prefix_count; i++) {
		const struct nd_prefix *prefix = &message->prefix[i];

		if (ip_is_v4(&prefix->prefix) || ip_is_link_local(&prefix->prefix) ||
		    ip_is_multicast(&prefix->prefix) || ip_is_loopback(&prefix->prefix))
			continue;
		if (prefix->on_link)
			learn_prefix(host, interface, prefix);
		if (prefix->autonomous)
			learn_address(host, interface, prefix);
	}
	autoconf_plan(host, interface);
}

bool autoconf_pending(const struct interface *interface)
{
	for (uint32_t i = 0; i < interface->addresses.count; i++)
		if (interface->addresses.entry[i].probes_owed)
			return true;
	return interface->autoconf.solicit_owed;
}

/* RFC 4862 5.4.2: is anybody there who has this address? */
static void fill_probe(struct parley_host *host, struct interface *interface,
		       struct parley_frame *frame, struct address *address)
{
	const struct parley_addr nobody = {{0}}, group = ip_solicited_node(&address->addr);
	struct nd_message message = {
		.type = ICMPV6_NEIGHBOUR_SOLICITATION,
		.target = address->addr,
	};

	address->probes_owed--;
	address->usable_at = host->tcp.now + AUTOCONF_DETECT;
	autoconf_plan(host, interface);
	discovery_fill(interface, frame, &nobody, &group, &message);
}

static bool fill_solicitation(struct parley_host *host, struct interface *interface,
			      struct parley_frame *frame)
{
	const struct parley_addr *source = address_source(host, interface, &link_local,
							  &link_local);
	struct nd_message message = {.type = ICMPV6_ROUTER_SOLICITATION};

	interface->autoconf.solicit_owed = false;
	if (!source || !ip_is_link_local(source))
		return false;
	message.has_mac = true;
	message.mac = interface->mac;
	discovery_fill(interface, frame, source, &ip_all_routers, &message);
	return true;
}

bool autoconf_output(struct parley_host *host, struct interface *interface,
		     struct parley_frame *frame)
{
	for (uint32_t i = 0; i < interface->addresses.count; i++) {
		struct address *address = &interface->addresses.entry[i];

		if (!address->probes_owed)
			continue;
		fill_probe(host, interface, frame, address);
		return true;
	}
	return interface->autoconf.solicit_owed && fill_solicitation(host, interface, frame);
}

static int expire_addresses(struct parley_host *host, struct interface *interface)
{
	uint64_t now = host->tcp.now;
	int due = 0;

	for (uint32_t i = interface->addresses.count; i-- > 0;) {
		struct address *address = &interface->addresses.entry[i];

		if (address->state == ADDRESS_TENTATIVE && address->usable_at <= now) {
			address_turns(host, address, ADDRESS_USABLE);
			solicit_routers(host, interface);
			due++;
		}
		if (address->valid_until <= now) {
			address_remove(host, interface, address);
			due++;
		}
	}
	return due;
}

static int expire_advertised(struct parley_host *host, struct interface *interface)
{
	struct autoconf *autoconf = &interface->autoconf;
	uint64_t now = host->tcp.now;
	int due = 0;

	for (uint32_t i = autoconf->router_count; i-- > 0;) {
		if (autoconf->router[i].until > now)
			continue;
		remove_router(autoconf, i);
		renew_default_route(host, interface);
		due++;
	}
	for (uint32_t i = autoconf->prefix_count; i-- > 0;) {
		if (autoconf->prefix[i].until > now)
			continue;
		remove_prefix(host, interface, i);
		due++;
	}
	return due;
}

int autoconf_expire(struct parley_host *host, struct interface *interface)
{
	struct autoconf *autoconf = &interface->autoconf;
	int due;

	if (autoconf->next > host->tcp.now)
		return 0;
	due = expire_addresses(host, interface) + expire_advertised(host, interface);
	if (autoconf->solicit_at <= host->tcp.now) {
		autoconf->solicit_owed = true;
		autoconf->solicitations--;
		autoconf->solicit_at = autoconf->solicitations
					       ? host->tcp.now + AUTOCONF_SOLICIT_AGAIN
					       : UINT64_MAX;
		due++;
	}
	autoconf_plan(host, interface);
	return due;
}
