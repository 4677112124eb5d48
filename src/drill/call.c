/* SPDX-License-Identifier: MIT */
#include "drill/call.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/symbol.h"
#include "wire/text.h"

#define NS_PER_S   UINT64_C(1000000000)
#define STEPS_MAX  1000000
#define RESULT_MAX 64

#define WAITS_ALONE "; nothing else happens while it waits, unless its time has an end (+0...0.1)"

/* ---- arguments ---- */

int64_t drill_call_fail(struct drill_call *call, const char *format, ...)
{
	struct drill_verdict *verdict = call->run->verdict;
	char text[DRILL_WHAT_MAX - 64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	drill_verdict_fail(verdict, call->event->at, "%s(): %s", call->syscall->name, text);
	return DRILL_CALL_FAILED;
}

const struct drill_expr *drill_argument(const struct drill_call *call, int n)
{
	const struct drill_expr *expr = call->syscall->arguments;

	while (expr && n-- > 0)
		expr = expr->next;
	return expr;
}

static bool or_values(struct drill_call *call, const struct drill_expr *expr, int64_t *value)
{
	int64_t part, all = 0;

	for (const struct drill_expr *e = expr->list; e; e = e->next) {
		if (!drill_value(call, e, &part))
			return false;
		all |= part;
	}
	*value = all;
	return true;
}

bool drill_value(struct drill_call *call, const struct drill_expr *expr, int64_t *value)
{
	char text[128];
	struct drill_text out;

	switch (expr->kind) {
	case DRILL_NUMBER:
		*value = expr->number;
		return true;
	case DRILL_OR:
		return or_values(call, expr, value);
	case DRILL_WORD:
		if (drill_symbol(expr->text, value))
			return true;
		drill_call_fail(call, "no symbol '%s'", expr->text);
		return false;
	case DRILL_CALL:
		if (!strcmp(expr->text, "htons") && expr->list)
			return drill_value(call, expr->list, value);
		break;
	default:
		break;
	}
	drill_text_begin(&out, text, sizeof text);
	drill_expr_text(&out, expr);
	drill_call_fail(call, "'%s' stands where a number is wanted", text);
	return false;
}

bool drill_argument_value(struct drill_call *call, int n, int64_t *value)
{
	return drill_value(call, drill_argument(call, n), value);
}

const struct drill_expr *drill_field_of(const struct drill_expr *expr, const char *name)
{
	if (expr->kind != DRILL_STRUCT)
		return NULL;
	for (const struct drill_expr *e = expr->list; e; e = e->next)
		if (e->kind == DRILL_FIELD && !strcmp(e->text, name))
			return e->list;
	return NULL;
}

/* inet_addr("192.0.2.1") */
static bool address_text(const struct drill_expr *expr, struct parley_addr *addr)
{
	if (!expr || expr->kind != DRILL_CALL || !expr->list || expr->list->kind != DRILL_STRING)
		return false;
	if (text_read_addr(addr, expr->list->text))
		return true;
	return !strcmp(expr->list->text, "0.0.0.0") && text_read_addr(addr, "::ffff:0.0.0.0");
}

bool drill_address(struct drill_call *call, const struct drill_expr *expr,
		   struct parley_endpoint *end)
{
	const struct drill_expr *port = drill_field_of(expr, "sin_port");
	const struct drill_expr *addr = drill_field_of(expr, "sin_addr");
	int64_t number;

	if (!port)
		port = drill_field_of(expr, "sin6_port");
	if (!addr)
		addr = drill_field_of(expr, "sin6_addr");
	if (!port || !address_text(addr, &end->addr)) {
		drill_call_fail(call, "no address that can be read: {sa_family=, sin_port=htons(), "
				      "sin_addr=inet_addr(\"\")} is wanted");
		return false;
	}
	if (!drill_value(call, port, &number))
		return false;
	end->port = (uint16_t)number;
	return true;
}

/* The result that the script expects; false and no failure when any will do. */
static bool expected_result(struct drill_call *call, int64_t *value)
{
	const struct drill_expr *expr = call->syscall->result;

	return expr->kind != DRILL_ELLIPSIS && drill_value(call, expr, value);
}

struct drill_fd *drill_fd_new(struct drill_call *call, int live)
{
	struct drill_fd *fd = calloc(1, sizeof *fd);
	int64_t script;

	if (!fd)
		abort();
	fd->script = expected_result(call, &script) && script >= 0 ? (int)script : -1;
	fd->live = live;
	fd->next = call->run->fds;
	call->run->fds = fd;
	return fd;
}

/* ---- the tables ---- */

static const struct drill_call_kind *const tables[] = {
	drill_calls_open,
	drill_calls_data,
	drill_calls_option,
	drill_calls_poll,
};

static const struct drill_call_kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct drill_call_kind *kind = tables[i]; kind->name; kind++)
			if (!strcmp(kind->name, name))
				return kind;
	return NULL;
}

/* ---- the result ---- */

static char *result_text(char out[static RESULT_MAX], int64_t result)
{
	char name[DRILL_SYMBOL_MAX];

	if (result >= 0)
		snprintf(out, RESULT_MAX, "%" PRId64, result);
	else
		snprintf(out, RESULT_MAX, "-1 %s", drill_errno_name(name, (int)-result));
	return out;
}

static void log_call(const struct drill_call *call)
{
	char text[DRILL_NOTATION_MAX], result[RESULT_MAX];
	char *equals;

	drill_syscall_text(text, call->syscall);
	equals = strstr(text, ") = ");
	if (equals)
		equals[4] = 0;
	/* A new descriptor is the script's number, not the stack's. */
	result_text(result, call->kind->makes_fd && call->result >= 0 && call->run->fds
				    ? call->run->fds->script
				    : call->result);
	strncat(text, result, sizeof text - strlen(text) - 1);
	drill_verdict_log(call->run->verdict, call->ended, text);
}

/* A script whose other events were to happen meanwhile has no end of the call in its time. */
static const char *waited_alone(const struct drill_call *call)
{
	return call->ended > call->began && !call->syscall->blocking ? WAITS_ALONE : "";
}

static bool fail_result(struct drill_call *call, const char *expected)
{
	char result[RESULT_MAX];

	if (call->run->config->forgive_syscalls) {
		drill_verdict_note(call->run->verdict, call->event->at.line,
				   "%s() returned %s; --non_fatal=syscall goes on",
				   call->syscall->name, result_text(result, call->result));
		return true;
	}
	drill_call_fail(call, "expected %s, but it returned %s%s", expected,
			result_text(result, call->result), waited_alone(call));
	return false;
}

static bool check_errno(struct drill_call *call, const char *expected)
{
	int64_t number;

	if (!call->syscall->error)
		return true;
	if (!drill_symbol(call->syscall->error, &number)) {
		drill_call_fail(call, "no error '%s'", call->syscall->error);
		return false;
	}
	return -call->result == number || fail_result(call, expected);
}

static bool check_result(struct drill_call *call)
{
	struct drill_verdict *verdict = call->run->verdict;
	int64_t actual = call->result < 0 ? -1 : call->result, expected = 0;
	char text[RESULT_MAX];
	struct drill_text out;
	bool any = !expected_result(call, &expected);

	if (verdict->outcome != DRILL_PASSED)
		return false;
	drill_text_begin(&out, text, sizeof text);
	drill_expr_text(&out, call->syscall->result);
	if (call->syscall->error)
		drill_text_add(&out, " %s", call->syscall->error);
	if (any)
		return true;
	if (call->kind->makes_fd && expected >= 0) {
		if (actual < 0)
			return fail_result(call, text);
	} else if (actual != expected) {
		return fail_result(call, text);
	}
	return check_errno(call, text);
}

static bool check_end(struct drill_call *call)
{
	char ended[DRILL_TIME_MAX], until[DRILL_TIME_MAX];

	if (!call->syscall->blocking || drill_on_time(call->run, DRILL_ABSOLUTE, call->until,
						      call->until, call->last, call->ended))
		return true;
	drill_call_fail(call, "it was to return at %s, but returned at %s",
			drill_time_text(until, call->until), drill_time_text(ended, call->ended));
	return false;
}

static void release(struct drill_call *call)
{
	free(call->buffer);
	call->buffer = NULL;
	call->active = false;
}

/* The call has returned. */
static bool complete(struct drill_call *call)
{
	bool fine;

	call->ended = drill_now(call->run);
	if (call->result != DRILL_CALL_FAILED)
		log_call(call);
	fine = check_result(call) && check_end(call) &&
	       (!call->kind->check || call->kind->check(call));
	release(call);
	return fine;
}

/* ---- issuing ---- */

static void on_wake(struct sock_wait *wait, void *context);

/* True when the call has returned, in call->result. */
static bool issue(struct drill_call *call)
{
	struct drill_run *run = call->run;
	int64_t result = call->kind->issue(call);

	if (result != SOCK_WAIT) {
		call->result = result;
		return true;
	}
	call->active = true;
	if (!call->kind->waits_for_socket)
		return false;
	call->wait.resume = on_wake;
	call->wait.context = call;
	sock_wait_for(run->stack.layer, call->fd->live, call->kind->operation, &call->wait);
	return false;
}

/* A wait has ended. */
static void on_wake(struct sock_wait *wait, void *context)
{
	struct drill_call *call = context;

	if (wait->why == SOCK_TIMEOUT && call->kind->operation != SOCK_OP_CLOSE) {
		call->result = sock_timeout_result(call->kind->operation, call->progress);
		complete(call);
	} else if (wait->why == SOCK_CLOSED) {
		call->result = -PARLEY_EBADF;
		complete(call);
	} else if (issue(call)) {
		complete(call);
	}
}

void drill_call_retry(struct drill_call *call)
{
	if (call->kind->waits_for_socket || !issue(call))
		return;
	complete(call);
}

void drill_call_forget(struct drill_call *call)
{
	if (!call->active)
		return;
	sock_wait_cancel(&call->wait);
	release(call);
}

bool drill_call_finish(struct drill_run *run, uint64_t time)
{
	struct drill_call *call = &run->pending;
	char began[DRILL_TIME_MAX];
	uint64_t limit = time < UINT64_MAX - NS_PER_S ? time + NS_PER_S : UINT64_MAX;

	for (int steps = 0; call->active && steps < STEPS_MAX; steps++)
		if (!drill_step(run, limit))
			break;
	if (!call->active)
		return run->verdict->outcome == DRILL_PASSED;
	drill_call_fail(call, "called at %s, it has not returned and never will%s",
			drill_time_text(began, call->began),
			call->syscall->blocking ? "" : WAITS_ALONE);
	return false;
}

/* ---- the event ---- */

static int count_arguments(const struct drill_syscall *syscall)
{
	int n = 0;

	for (const struct drill_expr *e = syscall->arguments; e; e = e->next)
		n++;
	return n;
}

static bool prepare(struct drill_call *call)
{
	const struct drill_call_kind *kind = find_kind(call->syscall->name);
	int n = count_arguments(call->syscall);
	int64_t number;

	call->kind = kind;
	if (!kind)
		return drill_call_fail(call, "this call is not supported") == 0;
	if (n < kind->arguments_min || n > kind->arguments_max)
		return drill_call_fail(call, "%d arguments are given, %d to %d are possible", n,
				       kind->arguments_min, kind->arguments_max) == 0;
	if (!kind->on_fd)
		return true;
	if (!drill_argument_value(call, 0, &number))
		return false;
	call->fd = drill_fd_find(call->run, number);
	if (call->fd)
		return true;
	return drill_call_fail(call, "descriptor %" PRId64 " is not open in the script", number) ==
	       0;
}

/* A call that returns at once, or for which everything waits. */
static bool run_here(struct drill_call *call)
{
	if (issue(call))
		return complete(call);
	/* It blocks: nothing else happens in the script, but time goes on. */
	return drill_call_finish(call->run, UINT64_MAX);
}

bool drill_call(struct drill_run *run, const struct drill_event *event)
{
	struct drill_call call = {
		.run = run,
		.event = event,
		.syscall = event->syscall,
		.deadline = UINT64_MAX,
		.began = run->time,
		.last = run->last_time,
		.until = event->syscall->end,
	};
	bool fine;

	if (event->time_kind == DRILL_RELATIVE)
		call.until += run->time - event->time;
	/* One at a time: the one before must have returned by now. */
	if (run->pending.active && !drill_call_finish(run, run->pending.until))
		return false;
	memset(&run->pending, 0, sizeof run->pending);
	if (!prepare(&call))
		return false;
	/* Where it stays while it waits: its continuation lies in it. */
	run->pending = call;
	fine = call.syscall->blocking ? !issue(&run->pending) || complete(&run->pending)
				      : run_here(&run->pending);
	drill_stack_settle(&run->stack);
	return fine && run->verdict->outcome == DRILL_PASSED;
}
