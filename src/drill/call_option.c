/* SPDX-License-Identifier: MIT */
/* setsockopt(), getsockopt(), fcntl(), ioctl(). */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#include "drill/call.h"

#define VALUE_MAX 256

/* An option's value, as the call passes it. */
struct value {
	uint8_t bytes[VALUE_MAX];
	size_t len;
};

/* [1], [1, 0]: numbers; of 8 bytes for times, otherwise of 4. */
static bool read_numbers(struct drill_call *call, const struct drill_expr *list, bool wide,
			 struct value *value)
{
	for (const struct drill_expr *e = list; e; e = e->next) {
		int64_t number;
		int32_t narrow;

		if (!drill_value(call, e, &number))
			return false;
		narrow = (int32_t)number;
		if (value->len + sizeof number > VALUE_MAX) {
			drill_call_fail(call, "the value is too long");
			return false;
		}
		if (wide)
			memcpy(value->bytes + value->len, &number, sizeof number);
		else
			memcpy(value->bytes + value->len, &narrow, sizeof narrow);
		value->len += wide ? sizeof number : sizeof narrow;
	}
	return true;
}

static bool is_time(int64_t level, int64_t name)
{
	return level == SOCK_SOL_SOCKET && (name == SOCK_SO_RCVTIMEO || name == SOCK_SO_SNDTIMEO);
}

/* {FIRST=, SECOND=}: the two numbers. */
static bool read_pair(struct drill_call *call, const struct drill_expr *expr, const char *first,
		      const char *second, int64_t numbers[2])
{
	const struct drill_expr *one = drill_field_of(expr, first);
	const struct drill_expr *two = drill_field_of(expr, second);

	if (!one || !two) {
		drill_call_fail(call, "{%s=, %s=} is wanted", first, second);
		return false;
	}
	return drill_value(call, one, &numbers[0]) && drill_value(call, two, &numbers[1]);
}

static bool read_linger(struct drill_call *call, const struct drill_expr *expr, struct value *value)
{
	struct sock_linger linger;
	int64_t numbers[2];

	if (!read_pair(call, expr, "onoff", "linger", numbers))
		return false;
	linger = (struct sock_linger){(int32_t)numbers[0], (int32_t)numbers[1]};
	memcpy(value->bytes, &linger, sizeof linger);
	value->len = sizeof linger;
	return true;
}

static bool read_time(struct drill_call *call, const struct drill_expr *expr, struct value *value)
{
	int64_t numbers[2];

	if (!read_pair(call, expr, "tv_sec", "tv_usec", numbers))
		return false;
	memcpy(value->bytes, numbers, sizeof numbers);
	value->len = sizeof numbers;
	return true;
}

static bool read_struct(struct drill_call *call, const struct drill_expr *expr, bool time,
			struct value *value)
{
	int64_t level, name;

	if (time)
		return read_time(call, expr, value);
	if (!drill_argument_value(call, 1, &level) || !drill_argument_value(call, 2, &name))
		return false;
	if (level == SOCK_SOL_SOCKET && name == SOCK_SO_LINGER)
		return read_linger(call, expr, value);
	if (level == SOCK_IPPROTO_TCP && name == SOCK_TCP_INFO)
		drill_call_fail(call,
				"struct tcp_info is compared by code: %%{ assert tcpi_... }%%");
	else
		drill_call_fail(call, "this option has no struct: [VALUE] is wanted");
	return false;
}

static bool read_value(struct drill_call *call, const struct drill_expr *expr, bool wide,
		       struct value *value)
{
	value->len = 0;
	switch (expr->kind) {
	case DRILL_ARRAY:
		return read_numbers(call, expr->list, wide, value);
	case DRILL_STRUCT:
		return read_struct(call, expr, wide, value);
	case DRILL_STRING:
		value->len = strnlen(expr->text, VALUE_MAX - 1);
		memcpy(value->bytes, expr->text, value->len);
		value->bytes[value->len] = 0;
		return true;
	case DRILL_NUMBER:
	case DRILL_WORD:
		/* A bare number stands for a pointer: only NULL makes sense. */
		return true;
	default:
		drill_call_fail(call, "[VALUE], {onoff=, linger=} or \"NAME\" is wanted");
		return false;
	}
}

static int64_t issue_setsockopt(struct drill_call *call)
{
	const struct drill_expr *expr = drill_argument(call, 3);
	int64_t level, name, len;
	struct value value;

	if (!drill_argument_value(call, 1, &level) || !drill_argument_value(call, 2, &name) ||
	    !read_value(call, expr, is_time(level, name), &value))
		return DRILL_CALL_FAILED;
	if (is_time(level, name))
		len = (int64_t)value.len;
	else if (!drill_argument_value(call, 4, &len))
		return DRILL_CALL_FAILED;
	if (len < 0 || len > VALUE_MAX)
		return -PARLEY_EINVAL;
	return sock_setsockopt(call->run->stack.layer, call->fd->live, (int)level, (int)name,
			       value.bytes, (size_t)len);
}

/* The fourth argument says what is expected, the fifth how much room there is. */
static int64_t issue_getsockopt(struct drill_call *call)
{
	uint8_t got[512];
	const struct drill_expr *expr = drill_argument(call, 3), *room = drill_argument(call, 4);
	int64_t level, name, result, capacity = 0;
	struct value value = {.len = 0};
	size_t len;

	if (!drill_argument_value(call, 1, &level) || !drill_argument_value(call, 2, &name))
		return DRILL_CALL_FAILED;
	if (expr->kind != DRILL_ELLIPSIS && !read_value(call, expr, is_time(level, name), &value))
		return DRILL_CALL_FAILED;
	if (room->kind != DRILL_ARRAY || !room->list)
		return drill_call_fail(call, "[LENGTH] is wanted as the last argument");
	if (!drill_value(call, room->list, &capacity))
		return DRILL_CALL_FAILED;
	len = capacity > 0 && (size_t)capacity < sizeof got ? (size_t)capacity : sizeof got;
	result = sock_getsockopt(call->run->stack.layer, call->fd->live, (int)level, (int)name, got,
				 &len);
	if (result < 0 || expr->kind == DRILL_ELLIPSIS)
		return result;
	if (len < value.len || memcmp(got, value.bytes, value.len)) {
		int32_t number = 0;

		memcpy(&number, got, len < sizeof number ? len : sizeof number);
		if (expr->kind == DRILL_STRING)
			return drill_call_fail(call, "expected \"%s\", but it is \"%.*s\"",
					       expr->text, (int)strnlen((char *)got, len), got);
		return drill_call_fail(call, "another value than expected: it is %" PRId32, number);
	}
	return result;
}

static int64_t issue_fcntl(struct drill_call *call)
{
	struct sock_layer *layer = call->run->stack.layer;
	int64_t command, flags = 0;

	if (!drill_argument_value(call, 1, &command))
		return DRILL_CALL_FAILED;
	if (drill_argument(call, 2) && !drill_argument_value(call, 2, &flags))
		return DRILL_CALL_FAILED;
	switch (command) {
	case F_SETFL:
		call->fd->nonblock = (flags & O_NONBLOCK) != 0;
		return sock_set_nonblock(layer, call->fd->live, call->fd->nonblock);
	case F_GETFL:
		return O_RDWR |
		       (sock_get_nonblock(layer, call->fd->live) > 0 ? (int64_t)O_NONBLOCK : 0);
	case F_SETFD:
	case F_GETFD:
		return 0;
	default:
		return drill_call_fail(call, "this command is not supported");
	}
}

static int64_t issue_ioctl(struct drill_call *call)
{
	struct sock_layer *layer = call->run->stack.layer;
	const struct drill_expr *expr = drill_argument(call, 2);
	int64_t request, result, expected = 0;

	if (!drill_argument_value(call, 1, &request))
		return DRILL_CALL_FAILED;
	if (!expr)
		return drill_call_fail(call, "[VALUE] is wanted");
	if (expr->kind == DRILL_ARRAY && expr->list && !drill_value(call, expr->list, &expected))
		return DRILL_CALL_FAILED;
	if (request == FIONBIO) {
		call->fd->nonblock = expected != 0;
		return sock_set_nonblock(layer, call->fd->live, call->fd->nonblock);
	}
	if (request == SIOCINQ)
		result = sock_inq(layer, call->fd->live);
	else if (request == SIOCOUTQ)
		result = sock_outq(layer, call->fd->live);
	else
		return drill_call_fail(call, "this request is not supported");
	if (result < 0)
		return result;
	if (expr->kind == DRILL_ARRAY && result != expected)
		return drill_call_fail(call, "expected [%" PRId64 "], but it is [%" PRId64 "]",
				       expected, result);
	return 0;
}

const struct drill_call_kind drill_calls_option[] = {
	{"setsockopt", 5, 5, true, false, issue_setsockopt, false, 0, NULL},
	{"getsockopt", 5, 5, true, false, issue_getsockopt, false, 0, NULL},
	{"fcntl", 2, 3, true, false, issue_fcntl, false, 0, NULL},
	{"ioctl", 2, 3, true, false, issue_ioctl, false, 0, NULL},
	{0},
};
