/* SPDX-License-Identifier: MIT */
/* Calls that make connections and end them. */
#include <stdlib.h>
#include <string.h>

#include "drill/call.h"
#include "wire/ip.h"

static int64_t issue_socket(struct drill_call *call)
{
	struct drill_run *run = call->run;
	int64_t domain = run->config->family == DRILL_IPV4 ? SOCK_AF_INET : SOCK_AF_INET6;
	int64_t type, protocol;
	bool nonblock;
	int live;

	if (drill_argument(call, 0)->kind != DRILL_ELLIPSIS &&
	    !drill_argument_value(call, 0, &domain))
		return DRILL_CALL_FAILED;
	if (!drill_argument_value(call, 1, &type) || !drill_argument_value(call, 2, &protocol))
		return DRILL_CALL_FAILED;
	nonblock = (type & 04000) != 0; /* SOCK_NONBLOCK */
	if ((type & 0xf) != SOCK_TYPE_STREAM || (protocol && protocol != SOCK_PROTOCOL_TCP))
		return drill_call_fail(call, "only TCP sockets are supported");
	live = sock_socket(run->stack.layer, (int)domain, nonblock);
	if (live >= 0) {
		struct drill_fd *fd = drill_fd_new(call, live);

		fd->flow = run->current = drill_flow_new(run);
		/* A port is taken only when a connection comes. */
		run->next_port--;
	}
	return live;
}

static int64_t issue_bind(struct drill_call *call)
{
	struct parley_endpoint end = {call->run->config->local, call->run->config->bind_port};
	const struct drill_expr *addr = drill_argument(call, 1);

	if (addr->kind != DRILL_ELLIPSIS && !drill_address(call, addr, &end))
		return DRILL_CALL_FAILED;
	if (call->fd->flow)
		call->fd->flow->local.port = end.port;
	return sock_bind(call->run->stack.layer, call->fd->live, &end);
}

static int64_t issue_listen(struct drill_call *call)
{
	int64_t backlog, result;

	if (!drill_argument_value(call, 1, &backlog))
		return DRILL_CALL_FAILED;
	result = sock_listen(call->run->stack.layer, call->fd->live, (int)backlog);
	if (result == 0 && call->fd->flow)
		call->fd->flow->state = DRILL_FLOW_LISTENING;
	return result;
}

/* The connection that has been accepted, by its peer's end. */
static struct drill_flow *find_peer(const struct drill_run *run,
				    const struct parley_endpoint *remote)
{
	for (struct drill_flow *flow = run->flows; flow; flow = flow->next)
		if (flow->state >= DRILL_FLOW_SYN_INJECTED && flow->remote.port == remote->port &&
		    ip_equal(&flow->remote.addr, &remote->addr))
			return flow;
	return NULL;
}

static int64_t accept_with(struct drill_call *call, bool nonblock)
{
	struct drill_run *run = call->run;
	struct parley_endpoint remote;
	int live = sock_accept(run->stack.layer, call->fd->live, nonblock, &remote);

	if (live >= 0) {
		struct drill_fd *fd = drill_fd_new(call, live);

		fd->flow = find_peer(run, &remote);
		fd->nonblock = nonblock;
	}
	return live;
}

static int64_t issue_accept(struct drill_call *call)
{
	return accept_with(call, false);
}

static int64_t issue_accept4(struct drill_call *call)
{
	int64_t flags;

	if (!drill_argument_value(call, 3, &flags))
		return DRILL_CALL_FAILED;
	return accept_with(call, (flags & 04000) != 0);
}

/* The connection's own end, which connect() has chosen. */
static void learn_local(struct drill_call *call)
{
	struct drill_flow *flow = call->fd->flow;
	struct parley_endpoint local;

	if (sock_getsockname(call->run->stack.layer, call->fd->live, &local) == 0 && local.port)
		flow->local = local;
}

static int64_t issue_connect(struct drill_call *call)
{
	struct drill_run *run = call->run;
	const struct drill_expr *addr = drill_argument(call, 1);
	struct parley_endpoint end = {run->config->remote, run->config->connect_port};
	struct drill_flow *flow = call->fd->flow;
	int64_t result, family;

	if (addr->kind == DRILL_WORD) {
		if (!drill_value(call, addr, &family))
			return DRILL_CALL_FAILED;
		if (family != SOCK_AF_UNSPEC)
			return drill_call_fail(call, "AF_UNSPEC or an address is wanted");
		flow->state = DRILL_FLOW_NEW;
		return sock_disconnect(run->stack.layer, call->fd->live);
	}
	if (addr->kind != DRILL_ELLIPSIS && !drill_address(call, addr, &end))
		return DRILL_CALL_FAILED;
	result = sock_connect(run->stack.layer, call->fd->live, &end);
	/* The first time, or again after a failure. */
	if ((flow->state == DRILL_FLOW_NEW || flow->over) &&
	    (result == 0 || result == SOCK_WAIT || result == -PARLEY_EINPROGRESS)) {
		flow->state = DRILL_FLOW_CONNECTING;
		flow->over = false;
		flow->remote = end;
		run->current = flow;
		learn_local(call);
	}
	return result;
}

static void forget_fd(struct drill_run *run, struct drill_fd *gone)
{
	for (struct drill_fd **at = &run->fds; *at; at = &(*at)->next) {
		if ((*at)->epoll)
			drill_epoll_forget((*at)->epoll, gone->live);
	}
	for (struct drill_fd **at = &run->fds; *at; at = &(*at)->next) {
		if (*at != gone)
			continue;
		*at = gone->next;
		free(gone->epoll);
		free(gone);
		return;
	}
}

static int64_t issue_close(struct drill_call *call)
{
	int64_t result = 0;

	if (!call->fd->epoll)
		result = sock_close(call->run->stack.layer, call->fd->live);
	if (result == 0) {
		forget_fd(call->run, call->fd);
		call->fd = NULL;
	}
	return result;
}

static int64_t issue_shutdown(struct drill_call *call)
{
	int64_t how;

	if (!drill_argument_value(call, 1, &how))
		return DRILL_CALL_FAILED;
	return sock_shutdown(call->run->stack.layer, call->fd->live, (int)how);
}

const struct drill_call_kind drill_calls_open[] = {
	{"socket", 3, 3, false, true, issue_socket, false, 0, NULL},
	{"bind", 3, 3, true, false, issue_bind, false, 0, NULL},
	{"listen", 2, 2, true, false, issue_listen, false, 0, NULL},
	{"accept", 3, 3, true, true, issue_accept, true, SOCK_OP_ACCEPT, NULL},
	{"accept4", 4, 4, true, true, issue_accept4, true, SOCK_OP_ACCEPT, NULL},
	{"connect", 3, 3, true, false, issue_connect, true, SOCK_OP_CONNECT, NULL},
	{"close", 1, 1, true, false, issue_close, true, SOCK_OP_CLOSE, NULL},
	{"shutdown", 2, 2, true, false, issue_shutdown, false, 0, NULL},
	{0},
};
