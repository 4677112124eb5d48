/* SPDX-License-Identifier: MIT */
/*
 * Names: bind(), getsockname(), getpeername(), struct sockaddr, and who holds which port.
 *
 * The host knows only ports of listeners and connections; a port that is bound and not yet used
 * is reserved here. So both are asked: the sockets of the layer, and the host's connections that no
 * socket has any more.
 */
#include <string.h>

#include "sock/layer.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool sock_addr_is_v4(const struct parley_addr *addr)
{
	return memcmp(addr->b, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool sock_addr_is_any(const struct parley_addr *addr)
{
	static const uint8_t zero[16];
	size_t from = sock_addr_is_v4(addr) ? sizeof(mapped_prefix) : 0;

	return memcmp(addr->b + from, zero, sizeof(zero) - from) == 0;
}

void sock_name_any(int domain, struct parley_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (domain == SOCK_AF_INET)
		memcpy(addr->b, mapped_prefix, sizeof(mapped_prefix));
}

/* Do two local addresses have any packet in common? */
static bool addr_overlap(const struct parley_addr *a, bool a_v6only, const struct parley_addr *b,
			 bool b_v6only)
{
	bool a_any = sock_addr_is_any(a), b_any = sock_addr_is_any(b);
	bool a_v4 = sock_addr_is_v4(a), b_v4 = sock_addr_is_v4(b);

	if (!a_any && !b_any)
		return memcmp(a, b, sizeof(*a)) == 0;
	if (a_v4 == b_v4)
		return true;
	/* One is IPv4: the other must be :: and take IPv4 too. */
	return a_v4 ? b_any && !b_v6only : a_any && !a_v6only;
}

static bool socket_in_the_way(const struct sock *s, const struct parley_endpoint *local,
			      const struct sock *other)
{
	if (other == s || other->slot == SOCK_SLOT_FREE || !other->port_held)
		return false;
	if (other->local.port != local->port)
		return false;
	if (!addr_overlap(&local->addr, sock_value(s, SOCK_VALUE_V6ONLY), &other->local.addr,
			  sock_value(other, SOCK_VALUE_V6ONLY)))
		return false;
	if (sock_value(s, SOCK_VALUE_REUSEPORT) && sock_value(other, SOCK_VALUE_REUSEPORT))
		return false;
	return !sock_value(s, SOCK_VALUE_REUSEADDR) || !sock_value(other, SOCK_VALUE_REUSEADDR) ||
	       other->state == SOCK_STATE_LISTENING;
}

/*
 * A connection whose socket was closed, or that waits for accept(). Its owner counts as having set
 * SO_REUSEADDR and SO_REUSEPORT.
 */
static bool orphan_in_the_way(struct sock_layer *layer, const struct sock *s,
			      const struct parley_endpoint *local)
{
	struct parley_status status;
	uint64_t cursor = 0;

	if (sock_value(s, SOCK_VALUE_REUSEADDR) || sock_value(s, SOCK_VALUE_REUSEPORT))
		return false;
	memset(&status, 0, sizeof(status));
	status.size = sizeof(status);
	while (parley_each(layer->host, &cursor, &status) > 0) {
		if (!status.owned && status.local.port == local->port &&
		    addr_overlap(&local->addr, sock_value(s, SOCK_VALUE_V6ONLY), &status.local.addr,
				 false))
			return true;
	}
	return false;
}

bool sock_name_taken(struct sock_layer *layer, const struct sock *s,
		     const struct parley_endpoint *local)
{
	uint32_t fd;

	for (fd = 0; fd < layer->page_count * SOCK_PAGE_SOCKETS; fd++) {
		if (socket_in_the_way(s, local, sock_slot(layer, (int)fd)))
			return true;
	}
	return orphan_in_the_way(layer, s, local);
}

static void bit_set(uint8_t *bits, uint16_t port)
{
	bits[port / 8] |= (uint8_t)(1u << (port % 8));
}

/* Every port that anybody uses at any address. */
static void ports_used(struct sock_layer *layer)
{
	struct parley_status status;
	uint64_t cursor = 0;
	uint32_t fd;

	memset(layer->ports, 0, sizeof(layer->ports));
	for (fd = 0; fd < layer->page_count * SOCK_PAGE_SOCKETS; fd++) {
		const struct sock *s = sock_slot(layer, (int)fd);

		if (s->slot != SOCK_SLOT_FREE && s->port_held)
			bit_set(layer->ports, s->local.port);
	}
	memset(&status, 0, sizeof(status));
	status.size = sizeof(status);
	while (parley_each(layer->host, &cursor, &status) > 0)
		bit_set(layer->ports, status.local.port);
}

/* A draw from the seed: the finisher of splitmix64 over a counter. */
static uint64_t draw(struct sock_layer *layer)
{
	uint64_t x = layer->seed + ++layer->draws * 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

int sock_name_auto(struct sock_layer *layer, struct sock *s)
{
	int64_t first = 32768, last = 60999;
	uint32_t range, i, at;

	(void)parley_get(layer->host, PARLEY_NO_CONN, PARLEY_SET_PORT_FIRST, &first);
	(void)parley_get(layer->host, PARLEY_NO_CONN, PARLEY_SET_PORT_LAST, &last);
	if (last < first)
		return -PARLEY_EADDRINUSE;
	ports_used(layer);
	range = (uint32_t)(last - first + 1);
	at = (uint32_t)(draw(layer) % range);
	for (i = 0; i < range; i++, at = at + 1 == range ? 0 : at + 1) {
		uint32_t port = (uint32_t)first + at;

		if (!(layer->ports[port / 8] >> (port % 8) & 1)) {
			s->local.port = (uint16_t)port;
			s->port_held = true;
			return 0;
		}
	}
	return -PARLEY_EADDRINUSE;
}

void sock_name_release(struct sock *s, bool address_too)
{
	if (!s->port_locked)
		s->port_held = false;
	if (!address_too)
		return;
	/* Linux goes on showing the port, though it is free for others. */
	if (!s->addr_locked)
		sock_name_any(s->domain, &s->local.addr);
	sock_name_any(s->domain, &s->remote.addr);
	s->remote.port = 0;
}

/* Any will do; to have the host choose one would fail when all of those are in use. */
#define PROBE_PORT 1

/*
 * Is it an address of the host? The host tells by whether it would listen there; the listener
 * ends before anything can reach it.
 */
static bool addr_is_local(struct sock_layer *layer, const struct parley_addr *addr)
{
	struct parley_open open;
	parley_conn probe;

	if (sock_addr_is_any(addr))
		return true;
	memset(&open, 0, sizeof(open));
	open.size = sizeof(open);
	open.local.addr = *addr;
	open.local.port = PROBE_PORT;
	open.backlog = 1;
	switch (parley_listen(layer->host, layer->now, &open, &probe)) {
	case 0:
		(void)parley_release_conn(layer->host, layer->now, probe);
		return true;
	case -PARLEY_EADDRNOTAVAIL:
	case -PARLEY_EAFNOSUPPORT:
		return false;
	default:
		return true;
	}
}

int sock_bind(struct sock_layer *layer, int fd, const struct parley_endpoint *local)
{
	struct sock *s = sock_enter(layer, fd);
	struct parley_endpoint want = *local;
	bool any = sock_addr_is_any(&want.addr);
	int error = 0;

	if (!s)
		return -PARLEY_EBADF;
	if (s->domain == SOCK_AF_INET && any)
		sock_name_any(SOCK_AF_INET, &want.addr);
	if (s->domain == SOCK_AF_INET && !sock_addr_is_v4(&want.addr))
		return -PARLEY_EAFNOSUPPORT;
	if (sock_value(s, SOCK_VALUE_V6ONLY) && sock_addr_is_v4(&want.addr))
		return -PARLEY_EINVAL;
	if (!addr_is_local(layer, &want.addr))
		return -PARLEY_EADDRNOTAVAIL;
	if (s->state != SOCK_STATE_CLOSED || s->port_held)
		return -PARLEY_EINVAL;
	if (want.port && sock_name_taken(layer, s, &want))
		return -PARLEY_EADDRINUSE;
	if (!want.port && !sock_value(s, SOCK_VALUE_BIND_NO_PORT))
		error = sock_name_auto(layer, s);
	if (error)
		return error;
	if (want.port) {
		s->local.port = want.port;
		s->port_held = true;
		s->port_locked = true;
	}
	s->local.addr = want.addr;
	s->addr_locked = !any;
	return 0;
}

int sock_getsockname(struct sock_layer *layer, int fd, struct parley_endpoint *local)
{
	struct sock *s = sock_enter(layer, fd);

	if (!s)
		return -PARLEY_EBADF;
	*local = s->local;
	return 0;
}

int sock_getpeername(struct sock_layer *layer, int fd, struct parley_endpoint *remote)
{
	struct sock *s = sock_enter(layer, fd);

	if (!s)
		return -PARLEY_EBADF;
	if (s->state != SOCK_STATE_CONNECTED)
		return -PARLEY_ENOTCONN;
	*remote = s->remote;
	return 0;
}

static uint16_t port_read(const uint8_t *port)
{
	return (uint16_t)(port[0] << 8 | port[1]);
}

static int name_read_in(const void *addr, size_t len, bool connecting, struct parley_endpoint *out)
{
	struct sock_sockaddr_in in;

	if (len < sizeof(in))
		return -PARLEY_EINVAL;
	memcpy(&in, addr, sizeof(in));
	sock_name_any(SOCK_AF_INET, &out->addr);
	memcpy(out->addr.b + sizeof(mapped_prefix), in.addr, sizeof(in.addr));
	out->port = port_read(in.port);
	/* bind() takes an old mistake: no family, and any address. */
	if (in.family != SOCK_AF_INET &&
	    (connecting || in.family != SOCK_AF_UNSPEC || !sock_addr_is_any(&out->addr)))
		return -PARLEY_EAFNOSUPPORT;
	return SOCK_AF_INET;
}

static int name_read_in6(const void *addr, size_t len, struct parley_endpoint *out)
{
	struct sock_sockaddr_in6 in6 = {0};

	/* RFC 2133's form, without a scope, is enough. */
	if (len < offsetof(struct sock_sockaddr_in6, scope_id))
		return -PARLEY_EINVAL;
	memcpy(&in6, addr, len < sizeof(in6) ? len : sizeof(in6));
	if (in6.family != SOCK_AF_INET6)
		return -PARLEY_EAFNOSUPPORT;
	memcpy(out->addr.b, in6.addr, sizeof(in6.addr));
	out->port = port_read(in6.port);
	return SOCK_AF_INET6;
}

int sock_name_read(const struct sock_layer *layer, int fd, const void *addr, size_t len,
		   bool connecting, struct parley_endpoint *out)
{
	const struct sock *s = sock_get(layer, fd);
	uint16_t family;

	if (!s)
		return -PARLEY_EBADF;
	memset(out, 0, sizeof(*out));
	if (len < sizeof(family))
		return -PARLEY_EINVAL;
	memcpy(&family, addr, sizeof(family));
	if (connecting && family == SOCK_AF_UNSPEC)
		return SOCK_AF_UNSPEC;
	return s->domain == SOCK_AF_INET ? name_read_in(addr, len, connecting, out)
					 : name_read_in6(addr, len, out);
}

int sock_name_write(const struct sock_layer *layer, int fd, const struct parley_endpoint *end,
		    void *addr, size_t capacity)
{
	const struct sock *s = sock_get(layer, fd);
	struct sock_sockaddr_in in = {.family = SOCK_AF_INET};
	struct sock_sockaddr_in6 in6 = {.family = SOCK_AF_INET6};
	uint8_t port[2] = {(uint8_t)(end->port >> 8), (uint8_t)end->port};

	if (!s)
		return -PARLEY_EBADF;
	if (s->domain == SOCK_AF_INET) {
		memcpy(in.port, port, sizeof(port));
		memcpy(in.addr, end->addr.b + sizeof(mapped_prefix), sizeof(in.addr));
		memcpy(addr, &in, capacity < sizeof(in) ? capacity : sizeof(in));
		return (int)sizeof(in);
	}
	memcpy(in6.port, port, sizeof(port));
	memcpy(in6.addr, end->addr.b, sizeof(in6.addr));
	memcpy(addr, &in6, capacity < sizeof(in6) ? capacity : sizeof(in6));
	return (int)sizeof(in6);
}
