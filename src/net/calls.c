/* SPDX-License-Identifier: MIT */
/*
 * Door 3: the user's calls. What needs the network (which interface, which source address) is found
 * here; the rest is tcp/user.h.
 */
#include "net/host.h"
#include "net/loopback.h"
#include "tcp/held.h"
#include "tcp/observe.h"
#include "tcp/status.h"
#include "tcp/user.h"
#include "wire/ip.h"

static bool is_valid(const struct parley_open *open, uint32_t flags)
{
	return open && open->size >= sizeof *open && !(open->flags & ~flags);
}

/* MUST-46: a connection is between two single hosts. */
static bool is_group(const struct parley_host *host, const struct parley_addr *addr)
{
	if (ip_is_multicast(addr) || ip_is_broadcast(addr))
		return true;
	for (uint32_t i = 0; i < host->present_count; i++)
		if (interface_is_broadcast(host->present[i], addr))
			return true;
	return false;
}

/*
 * The route of an active OPEN: through the interface that has the local address if one was given
 * and it leads there, else the best of all (RFC 1122 3.3.4.2, the weak model).
 */
static const struct route *choose_route(const struct parley_host *host,
					const struct parley_open *open)
{
	const struct interface *owner = interface_of_address(host, NULL, &open->local.addr);
	const struct route *route = NULL;

	if (owner)
		route = routes_find(&host->routes, owner->index, &open->remote.addr);
	return route ? route : routes_find(&host->routes, 0, &open->remote.addr);
}

/* The same when the remote address is our own. */
static int choose_loopback(struct parley_host *host, struct parley_open *open)
{
	if (ip_is_unspecified(&open->local.addr))
		open->local.addr = *loopback_source(&open->remote.addr);
	return loopback_open(host) ? LOOPBACK_INDEX : -PARLEY_ENOBUFS;
}

/* Interface (returned) and local address of an active OPEN (MUST-43, MUST-44). */
static int choose_source(struct parley_host *host, struct parley_open *open)
{
	const struct parley_addr *remote = &open->remote.addr, *source;
	const struct route *route;
	struct parley_addr hop;

	if (ip_is_unspecified(remote) || is_group(host, remote))
		return -PARLEY_EINVAL;
	if (!ip_is_unspecified(&open->local.addr)) {
		if (ip_is_v4(&open->local.addr) != ip_is_v4(remote))
			return -PARLEY_EINVAL;
		if (!loopback_leads_to(host, &open->local.addr))
			return -PARLEY_EADDRNOTAVAIL;
	}
	if (loopback_leads_to(host, remote))
		return choose_loopback(host, open);
	if (ip_is_loopback(&open->local.addr))
		return -PARLEY_EINVAL;
	route = choose_route(host, open);
	if (!route)
		return -PARLEY_ENETUNREACH;
	if (!ip_is_unspecified(&open->local.addr))
		return route->ifindex; /* MUST-43 */
	hop = route_next_hop(route, remote);
	source = address_source(host, host->interfaces[route->ifindex], remote, &hop);
	if (!source)
		return -PARLEY_EADDRNOTAVAIL;
	open->local.addr = *source; /* MUST-44 */
	return route->ifindex;
}

int parley_connect(struct parley_host *host, uint64_t now, const struct parley_open *open,
		   parley_conn *out)
{
	struct parley_open chosen;
	int ifindex;

	tcp_set_now(&host->tcp, now);
	if (!is_valid(open, 0))
		return -PARLEY_EINVAL;
	chosen = *open;
	ifindex = choose_source(host, &chosen);
	if (ifindex < 0)
		return (int)observe_call(&host->tcp, NULL, PARLEY_CALL_CONNECT, 0, ifindex);
	return user_connect(&host->tcp, &chosen, ifindex, out);
}

/* A passive OPEN may name one of our addresses, or none. */
static int check_local(const struct parley_host *host, const struct parley_open *open,
		       uint32_t flags)
{
	if (!is_valid(open, flags))
		return -PARLEY_EINVAL;
	if (ip_is_unspecified(&open->local.addr) || loopback_leads_to(host, &open->local.addr))
		return 0;
	return -PARLEY_EADDRNOTAVAIL;
}

int parley_listen(struct parley_host *host, uint64_t now, const struct parley_open *open,
		  parley_conn *out)
{
	int error;

	tcp_set_now(&host->tcp, now);
	error = check_local(host, open, PARLEY_OPEN_DECIDE | PARLEY_OPEN_V6ONLY);
	if (error)
		return (int)observe_call(&host->tcp, NULL, PARLEY_CALL_LISTEN, 0, error);
	return user_listen(&host->tcp, open, out);
}

int parley_open_passive(struct parley_host *host, uint64_t now, const struct parley_open *open,
			parley_conn *out)
{
	int error;

	tcp_set_now(&host->tcp, now);
	error = check_local(host, open, PARLEY_OPEN_V6ONLY);
	if (error)
		return (int)observe_call(&host->tcp, NULL, PARLEY_CALL_OPEN_PASSIVE, 0, error);
	if (is_group(host, &open->remote.addr))
		return -PARLEY_EINVAL;
	return user_open_passive(&host->tcp, open, out);
}

/*
 * OPEN and SEND in LISTEN: the connection becomes active, if its remote end is whole and there is
 * a way to it.
 */
static int become_active(struct parley_host *host, parley_conn conn, struct parley_open *open)
{
	int ifindex;

	if (ip_is_unspecified(&open->remote.addr) || !open->remote.port)
		return -PARLEY_EDESTADDRREQ;
	ifindex = choose_source(host, open);
	return ifindex < 0 ? ifindex : user_open_active(&host->tcp, conn, open, ifindex);
}

/* The same with the peer that the passive OPEN has named, or with what `remote` says of it. */
static int open_active(struct parley_host *host, parley_conn conn,
		       const struct parley_endpoint *remote)
{
	struct parley_open open;
	int error = user_listening(&host->tcp, conn, &open);

	if (!error && remote && !ip_is_unspecified(&remote->addr))
		open.remote.addr = remote->addr;
	if (!error && remote && remote->port)
		open.remote.port = remote->port;
	if (!error)
		error = become_active(host, conn, &open);
	if (error)
		observe_call(&host->tcp, NULL, PARLEY_CALL_OPEN_ACTIVE, 0, error);
	return error;
}

int parley_open_active(struct parley_host *host, uint64_t now, parley_conn conn,
		       const struct parley_endpoint *remote)
{
	tcp_set_now(&host->tcp, now);
	return open_active(host, conn, remote);
}

int parley_accept(struct parley_host *host, uint64_t now, parley_conn listener, uint64_t user,
		  parley_conn *out)
{
	tcp_set_now(&host->tcp, now);
	return user_accept(&host->tcp, listener, user, out);
}

int parley_next_syn(struct parley_host *host, parley_conn listener, struct parley_syn *syn)
{
	if (!syn || syn->size < sizeof *syn)
		return -PARLEY_EINVAL;
	return held_next(&host->tcp, listener, syn);
}

int parley_decide(struct parley_host *host, uint64_t now, parley_conn conn,
		  enum parley_decision decision)
{
	tcp_set_now(&host->tcp, now);
	return held_decide(&host->tcp, conn, decision);
}

int64_t parley_send(struct parley_host *host, uint64_t now, parley_conn conn,
		    const struct parley_span *spans, int n, unsigned flags)
{
	int64_t taken;
	int error;

	tcp_set_now(&host->tcp, now);
	taken = user_send(&host->tcp, conn, spans, n, flags);
	if (taken != -PARLEY_EDESTADDRREQ)
		return taken;
	error = open_active(host, conn, NULL);
	return error ? error : user_send(&host->tcp, conn, spans, n, flags);
}

int parley_reserve(struct parley_host *host, uint64_t now, parley_conn conn, size_t len,
		   struct parley_buffer *buffers, int n)
{
	int count, error;

	tcp_set_now(&host->tcp, now);
	count = user_reserve(&host->tcp, conn, len, buffers, n);
	if (count != -PARLEY_EDESTADDRREQ)
		return count;
	error = open_active(host, conn, NULL);
	return error ? error : user_reserve(&host->tcp, conn, len, buffers, n);
}

int64_t parley_commit(struct parley_host *host, uint64_t now, parley_conn conn, size_t len,
		      unsigned flags)
{
	tcp_set_now(&host->tcp, now);
	return user_commit(&host->tcp, conn, len, flags);
}

int64_t parley_receive(struct parley_host *host, uint64_t now, parley_conn conn, void *buf,
		       size_t len)
{
	tcp_set_now(&host->tcp, now);
	return user_receive(&host->tcp, conn, buf, len);
}

int parley_peek(const struct parley_host *host, parley_conn conn, struct parley_span *spans, int n)
{
	return user_peek(&host->tcp, conn, 0, spans, n);
}

int parley_peek_at(const struct parley_host *host, parley_conn conn, uint64_t skip,
		   struct parley_span *spans, int n)
{
	return user_peek(&host->tcp, conn, skip, spans, n);
}

int parley_consume(struct parley_host *host, uint64_t now, parley_conn conn, size_t len)
{
	tcp_set_now(&host->tcp, now);
	return user_consume(&host->tcp, conn, len);
}

int64_t parley_urgent(const struct parley_host *host, parley_conn conn)
{
	return user_urgent(&host->tcp, conn);
}

int parley_shutdown(struct parley_host *host, uint64_t now, parley_conn conn, unsigned how)
{
	tcp_set_now(&host->tcp, now);
	return user_shutdown(&host->tcp, conn, how);
}

int parley_close(struct parley_host *host, uint64_t now, parley_conn conn)
{
	tcp_set_now(&host->tcp, now);
	return user_close(&host->tcp, conn);
}

int parley_abort(struct parley_host *host, uint64_t now, parley_conn conn)
{
	tcp_set_now(&host->tcp, now);
	return user_abort(&host->tcp, conn);
}

int parley_destroy(struct parley_host *host, uint64_t now, parley_conn conn)
{
	tcp_set_now(&host->tcp, now);
	return user_destroy(&host->tcp, conn);
}

int parley_release_conn(struct parley_host *host, uint64_t now, parley_conn conn)
{
	tcp_set_now(&host->tcp, now);
	return user_release(&host->tcp, conn);
}

uint32_t parley_ready(const struct parley_host *host, parley_conn conn)
{
	return user_ready(&host->tcp, conn);
}

/* The setting "autoconf" has changed: on each interface it begins, or rests. */
static void apply_autoconf(struct parley_host *host)
{
	for (int i = 1; i < LOOPBACK_INDEX; i++)
		if (host->interfaces[i])
			autoconf_begin(host, host->interfaces[i],
				       address_any_v6(host->interfaces[i]) ? AUTOCONF_WITH_ADDRESS
									   : AUTOCONF_ALWAYS);
}

int parley_set(struct parley_host *host, uint64_t now, parley_conn conn,
	       enum parley_setting setting, int64_t value)
{
	int error;

	tcp_set_now(&host->tcp, now);
	error = user_set(&host->tcp, conn, setting, value);
	if (!error && setting == PARLEY_SET_AUTOCONF)
		apply_autoconf(host);
	return error;
}

int parley_profile(struct parley_host *host, uint64_t now, enum parley_profile profile)
{
	int error;

	tcp_set_now(&host->tcp, now);
	error = user_profile(&host->tcp, profile);
	if (!error)
		apply_autoconf(host);
	return error;
}

int parley_get(const struct parley_host *host, parley_conn conn, enum parley_setting setting,
	       int64_t *value)
{
	return user_get(&host->tcp, conn, setting, value);
}

int parley_status(const struct parley_host *host, parley_conn conn, struct parley_status *status)
{
	if (!status || status->size < sizeof *status)
		return -PARLEY_EINVAL;
	return status_get((struct tcp *)&host->tcp, conn, status);
}

int parley_tcp_info(const struct parley_host *host, parley_conn conn, struct parley_tcp_info *info)
{
	if (!info || info->size < sizeof *info)
		return -PARLEY_EINVAL;
	return status_info(&host->tcp, conn, info);
}

int parley_each(const struct parley_host *host, uint64_t *cursor, struct parley_status *status)
{
	if (!cursor || !status || status->size < sizeof *status)
		return -PARLEY_EINVAL;
	return status_each((struct tcp *)&host->tcp, cursor, status);
}
