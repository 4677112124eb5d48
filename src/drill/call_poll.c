/* SPDX-License-Identifier: MIT */
/* poll() and epoll: they wait for many sockets, so they are tried again when time has gone on. */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

#include "drill/call.h"
#include "drill/symbol.h"

#define NS_PER_MS 1000000

/* Sets the deadline at the first try; true when it has passed. */
static bool timed_out(struct drill_call *call, int64_t timeout)
{
	if (call->deadline == UINT64_MAX && timeout >= 0)
		call->deadline = call->run->stack.now + (uint64_t)timeout * NS_PER_MS;
	return call->deadline <= call->run->stack.now;
}

/* ---- poll ---- */

/* One struct pollfd: what is asked for, and whether something of it holds. */
static bool poll_one(struct drill_call *call, const struct drill_expr *expr, uint32_t *revents)
{
	const struct drill_expr *number = drill_field_of(expr, "fd");
	const struct drill_expr *wanted = drill_field_of(expr, "events");
	int64_t script, events;
	struct drill_fd *fd;

	if (!number || !wanted) {
		drill_call_fail(call, "{fd=, events=, revents=} is wanted");
		return false;
	}
	if (!drill_value(call, number, &script) || !drill_value(call, wanted, &events))
		return false;
	fd = drill_fd_find(call->run, script);
	if (!fd || fd->epoll)
		*revents = script < 0 ? 0 : POLLNVAL;
	else
		*revents = sock_ready(call->run->stack.layer, fd->live) &
			   ((uint32_t)events | POLLERR | POLLHUP);
	return true;
}

static int64_t issue_poll(struct drill_call *call)
{
	const struct drill_expr *list = drill_argument(call, 0);
	int64_t timeout, ready = 0;
	int n = 0;

	if (!drill_argument_value(call, 2, &timeout))
		return DRILL_CALL_FAILED;
	if (list->kind != DRILL_ARRAY)
		return drill_call_fail(call, "[{fd=, events=, revents=}] is wanted");
	for (const struct drill_expr *e = list->list; e && n < DRILL_EPOLL_MAX; e = e->next, n++) {
		if (!poll_one(call, e, &call->out.revents[n]))
			return DRILL_CALL_FAILED;
		ready += call->out.revents[n] != 0;
	}
	if (ready || timed_out(call, timeout))
		return ready;
	return SOCK_WAIT;
}

static bool check_poll(struct drill_call *call)
{
	char is[DRILL_EVENTS_MAX], wanted[DRILL_EVENTS_MAX];
	int n = 0;

	for (const struct drill_expr *e = drill_argument(call, 0)->list; e && n < DRILL_EPOLL_MAX;
	     e = e->next, n++) {
		const struct drill_expr *revents = drill_field_of(e, "revents");
		int64_t expected = 0;

		if (revents && revents->kind == DRILL_ELLIPSIS)
			continue;
		if (revents && !drill_value(call, revents, &expected))
			return false;
		if ((uint32_t)expected == call->out.revents[n])
			continue;
		drill_call_fail(call, "expected revents=%s, but it is %s",
				drill_events_text(wanted, (uint32_t)expected, false),
				drill_events_text(is, call->out.revents[n], false));
		return false;
	}
	return true;
}

/* ---- epoll ---- */

static int64_t issue_epoll_create(struct drill_call *call)
{
	struct drill_fd *fd = drill_fd_new(call, -1);

	fd->epoll = calloc(1, sizeof *fd->epoll);
	if (!fd->epoll)
		abort();
	return fd->script >= 0 ? fd->script : 0;
}

/* The user's word of a struct epoll_event, whichever member it is. */
static const struct drill_expr *event_data(const struct drill_expr *expr)
{
	static const char *const members[] = {"fd", "u32", "u64", "ptr"};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const struct drill_expr *data = drill_field_of(expr, members[i]);

		if (data)
			return data;
	}
	return NULL;
}

static int64_t issue_epoll_ctl(struct drill_call *call)
{
	const struct drill_expr *event = drill_argument(call, 3), *bits, *data;
	int64_t operation, script, events = 0, word = 0;
	struct drill_fd *fd;

	if (!call->fd->epoll)
		return -PARLEY_EINVAL;
	if (!drill_argument_value(call, 1, &operation) || !drill_argument_value(call, 2, &script))
		return DRILL_CALL_FAILED;
	bits = event ? drill_field_of(event, "events") : NULL;
	data = event ? event_data(event) : NULL;
	if ((bits && !drill_value(call, bits, &events)) ||
	    (data && !drill_value(call, data, &word)))
		return DRILL_CALL_FAILED;
	fd = drill_fd_find(call->run, script);
	if (!fd || fd->epoll)
		return -PARLEY_EBADF;
	return drill_epoll_ctl(call->fd->epoll, (int)operation, fd->live, (uint32_t)events,
			       (uint64_t)word);
}

static int64_t issue_epoll_wait(struct drill_call *call)
{
	int64_t most, timeout;
	int n;

	if (!call->fd->epoll)
		return -PARLEY_EINVAL;
	if (!drill_argument_value(call, 2, &most) || !drill_argument_value(call, 3, &timeout))
		return DRILL_CALL_FAILED;
	if (most <= 0)
		return -PARLEY_EINVAL;
	if (most > DRILL_EPOLL_MAX)
		most = DRILL_EPOLL_MAX;
	n = drill_epoll_collect(call->fd->epoll, call->run->stack.layer, call->out.events,
				(int)most);
	if (n || timed_out(call, timeout))
		return n;
	return SOCK_WAIT;
}

static bool check_event(struct drill_call *call, const struct drill_expr *expr,
			const struct drill_epoll_event *event)
{
	const struct drill_expr *bits = drill_field_of(expr, "events"), *data = event_data(expr);
	char is[DRILL_EVENTS_MAX], wanted[DRILL_EVENTS_MAX];
	int64_t expected, word;

	if (bits) {
		if (!drill_value(call, bits, &expected))
			return false;
		if ((uint32_t)expected != event->events) {
			drill_call_fail(call, "expected events=%s, but it is %s",
					drill_events_text(wanted, (uint32_t)expected, true),
					drill_events_text(is, event->events, true));
			return false;
		}
	}
	if (!data)
		return true;
	if (!drill_value(call, data, &word))
		return false;
	if ((uint64_t)word == event->data)
		return true;
	drill_call_fail(call, "expected the word %" PRId64 ", but it is %" PRId64, word,
			(int64_t)event->data);
	return false;
}

static bool check_epoll_wait(struct drill_call *call)
{
	const struct drill_expr *expr = drill_argument(call, 1);
	int n = 0;

	/* One event may stand without brackets. */
	if (expr->kind == DRILL_ARRAY)
		expr = expr->list;
	for (; expr && n < call->result; n++) {
		if (expr->kind == DRILL_STRUCT && !check_event(call, expr, &call->out.events[n]))
			return false;
		expr = drill_argument(call, 1)->kind == DRILL_ARRAY ? expr->next : NULL;
	}
	return true;
}

const struct drill_call_kind drill_calls_poll[] = {
	{"poll", 3, 3, false, false, issue_poll, false, 0, check_poll},
	{"epoll_create", 1, 1, false, true, issue_epoll_create, false, 0, NULL},
	{"epoll_create1", 1, 1, false, true, issue_epoll_create, false, 0, NULL},
	{"epoll_ctl", 4, 4, true, false, issue_epoll_ctl, false, 0, NULL},
	{"epoll_wait", 4, 4, true, false, issue_epoll_wait, false, 0, check_epoll_wait},
	{0},
};
