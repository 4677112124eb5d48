/* SPDX-License-Identifier: MIT */
/* The public names of everything that stands in a table. */
#include <parley/trace.h>

#define ITEM(name, text, meaning) text,

static const char *const states[PARLEY_STATES] = {
	"CLOSED",     "LISTEN",	    "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
	"FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",	"LAST-ACK",	"TIME-WAIT",
};
static const char *const drops[] = {PARLEY_DROPS(ITEM)};
static const char *const counters[] = {PARLEY_COUNTERS(ITEM)};
static const char *const timers[] = {PARLEY_TIMERS(ITEM)};
static const char *const whys[] = {PARLEY_WHYS(ITEM)};
static const char *const causes[] = {PARLEY_CAUSES(ITEM)};
static const char *const calls[] = {PARLEY_CALLS(ITEM)};

#define FIELD(type, name)		   {name, PARLEY_FIELD_##type},
#define EVENT(kind, text, meaning, fields) {text, {fields{NULL, PARLEY_FIELD_NUMBER}}},

static const struct {
	const char *name;
	struct parley_field fields[PARLEY_TRACE_FIELDS + 1];
} events[] = {PARLEY_EVENTS_TABLE(EVENT, FIELD)};

static const struct {
	int error;
	const char *name;
} errors[] = {
	{PARLEY_OK, "OK"},
	{PARLEY_ENOENT, "ENOENT"},
	{PARLEY_EBADF, "EBADF"},
	{PARLEY_EAGAIN, "EAGAIN"},
	{PARLEY_ENOMEM, "ENOMEM"},
	{PARLEY_EACCES, "EACCES"},
	{PARLEY_EEXIST, "EEXIST"},
	{PARLEY_ENODEV, "ENODEV"},
	{PARLEY_EINVAL, "EINVAL"},
	{PARLEY_EPIPE, "EPIPE"},
	{PARLEY_EDESTADDRREQ, "EDESTADDRREQ"},
	{PARLEY_EMSGSIZE, "EMSGSIZE"},
	{PARLEY_ENOPROTOOPT, "ENOPROTOOPT"},
	{PARLEY_EOPNOTSUPP, "EOPNOTSUPP"},
	{PARLEY_EAFNOSUPPORT, "EAFNOSUPPORT"},
	{PARLEY_EADDRINUSE, "EADDRINUSE"},
	{PARLEY_EADDRNOTAVAIL, "EADDRNOTAVAIL"},
	{PARLEY_ENETUNREACH, "ENETUNREACH"},
	{PARLEY_ECONNABORTED, "ECONNABORTED"},
	{PARLEY_ECONNRESET, "ECONNRESET"},
	{PARLEY_ENOBUFS, "ENOBUFS"},
	{PARLEY_EISCONN, "EISCONN"},
	{PARLEY_ENOTCONN, "ENOTCONN"},
	{PARLEY_ETIMEDOUT, "ETIMEDOUT"},
	{PARLEY_ECONNREFUSED, "ECONNREFUSED"},
	{PARLEY_EHOSTUNREACH, "EHOSTUNREACH"},
	{PARLEY_EALREADY, "EALREADY"},
	{PARLEY_EINPROGRESS, "EINPROGRESS"},
};

static const char *pick(const char *const *table, int n, int i)
{
	return i >= 0 && i < n ? table[i] : "?";
}

const char *parley_error_name(int error)
{
	if (error < 0)
		error = -error;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (errors[i].error == error)
			return errors[i].name;
	return "?";
}

const char *parley_state_name(int state)
{
	return pick(states, PARLEY_STATES, state);
}

const char *parley_event_name(int kind)
{
	return kind >= 0 && kind < PARLEY_TRACE_COUNT ? events[kind].name : "?";
}

const struct parley_field *parley_event_fields(int kind)
{
	static const struct parley_field none = {NULL, PARLEY_FIELD_NUMBER};

	return kind >= 0 && kind < PARLEY_TRACE_COUNT ? events[kind].fields : &none;
}

const char *parley_drop_name(int drop)
{
	return pick(drops, PARLEY_DROP_COUNT, drop);
}

const char *parley_counter_name(int counter)
{
	return pick(counters, PARLEY_COUNTER_COUNT, counter);
}

const char *parley_timer_name(int timer)
{
	return pick(timers, PARLEY_TIMER_COUNT, timer);
}

const char *parley_why_name(int why)
{
	return pick(whys, PARLEY_WHY_COUNT, why);
}

const char *parley_cause_name(int cause)
{
	return pick(causes, PARLEY_CAUSE_COUNT, cause);
}

const char *parley_call_name(int call)
{
	return pick(calls, PARLEY_CALL_COUNT, call);
}
