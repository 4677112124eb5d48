/* SPDX-License-Identifier: MIT */
/* Calls that read and write. What is written is a pattern, and what is read must be one. */
#include <stdlib.h>
#include <string.h>

#include "drill/call.h"

#define SPANS_MAX 64
#define BYTES_MAX (256 << 20)

/* What the system says of a buffer that is nowhere. */
#define BAD_ADDRESS (-14)

/* Where the lengths of a call's buffers come from, and its flags. */
struct shape {
	size_t len[SPANS_MAX];
	int count;
	size_t total;
	int64_t flags;
	bool nowhere; /* the buffer is NULL */
};

static bool add_length(struct drill_call *call, struct shape *shape, const struct drill_expr *expr)
{
	int64_t len;

	if (!drill_value(call, expr, &len))
		return false;
	if (len < 0 || len > BYTES_MAX || shape->count == SPANS_MAX) {
		drill_call_fail(call, "such a buffer is not possible");
		return false;
	}
	shape->len[shape->count++] = (size_t)len;
	shape->total += (size_t)len;
	return true;
}

/* [{..., 100}, {..., 200}] */
static bool add_vector(struct drill_call *call, struct shape *shape, const struct drill_expr *expr)
{
	if (!expr || expr->kind != DRILL_ARRAY) {
		drill_call_fail(call, "[{..., LENGTH}, ...] is wanted");
		return false;
	}
	for (const struct drill_expr *e = expr->list; e; e = e->next) {
		const struct drill_expr *len = drill_field_of(e, "iov_len");

		if (!len && e->kind == DRILL_STRUCT && e->list)
			len = e->list->next;
		if (!len) {
			drill_call_fail(call, "{..., LENGTH} is wanted");
			return false;
		}
		if (!add_length(call, shape, len))
			return false;
	}
	return true;
}

/* (fd, ..., LENGTH [, FLAGS]) */
static bool plain_shape(struct drill_call *call, struct shape *shape)
{
	const struct drill_expr *flags = drill_argument(call, 3);
	const struct drill_expr *buffer = drill_argument(call, 1);
	int64_t null;

	memset(shape, 0, sizeof *shape);
	if (buffer->kind != DRILL_ELLIPSIS && buffer->kind != DRILL_STRING) {
		if (!drill_value(call, buffer, &null))
			return false;
		shape->nowhere = null == 0;
	}
	return add_length(call, shape, drill_argument(call, 2)) &&
	       (!flags || drill_value(call, flags, &shape->flags));
}

/* (fd, [{..., LENGTH}], COUNT) */
static bool vector_shape(struct drill_call *call, struct shape *shape)
{
	memset(shape, 0, sizeof *shape);
	return add_vector(call, shape, drill_argument(call, 1));
}

/* (fd, {msg_name(...)=..., msg_iov(1)=[...], msg_flags=0}, FLAGS) */
static bool message_shape(struct drill_call *call, struct shape *shape)
{
	const struct drill_expr *control = drill_field_of(drill_argument(call, 1), "msg_control");

	memset(shape, 0, sizeof *shape);
	if (control && control->list) {
		drill_call_fail(call, "control messages are not supported");
		return false;
	}
	if (!add_vector(call, shape, drill_field_of(drill_argument(call, 1), "msg_iov")))
		return false;
	return drill_argument_value(call, 2, &shape->flags);
}

static void need_buffer(struct drill_call *call, size_t size)
{
	if (call->buffer)
		return;
	call->buffer = malloc(size ? size : 1);
	if (!call->buffer)
		abort();
	call->size = size;
}

static int64_t send_shape(struct drill_call *call, const struct shape *shape)
{
	struct parley_span spans[SPANS_MAX];
	size_t *done = &call->progress, at = 0;
	int64_t sent;

	if (shape->nowhere && shape->total)
		return BAD_ADDRESS;
	if (!call->buffer) {
		need_buffer(call, shape->total);
		for (size_t i = 0; i < shape->total; i++)
			call->buffer[i] = drill_pattern((uint32_t)(call->fd->written + 1 + i));
	}
	for (int i = 0; i < shape->count; i++) {
		spans[i] = (struct parley_span){call->buffer + at, shape->len[i]};
		at += shape->len[i];
	}
	sent = sock_send(call->run->stack.layer, call->fd->live, spans, shape->count,
			 (unsigned)shape->flags, done);
	if (sent > 0)
		call->fd->written += (uint64_t)sent;
	return sent;
}

static int64_t receive_shape(struct drill_call *call, const struct shape *shape)
{
	struct parley_buffer buffers[SPANS_MAX];
	size_t at = 0;

	if (shape->nowhere && shape->total)
		return BAD_ADDRESS;
	need_buffer(call, shape->total);
	for (int i = 0; i < shape->count; i++) {
		buffers[i] = (struct parley_buffer){call->buffer + at, shape->len[i]};
		at += shape->len[i];
	}
	call->out.number = (int)shape->flags;
	return sock_recv(call->run->stack.layer, call->fd->live, buffers, shape->count,
			 (unsigned)shape->flags, &call->progress);
}

static int64_t issue_send(struct drill_call *call)
{
	struct shape shape;

	return plain_shape(call, &shape) ? send_shape(call, &shape) : DRILL_CALL_FAILED;
}

static int64_t issue_writev(struct drill_call *call)
{
	struct shape shape;

	return vector_shape(call, &shape) ? send_shape(call, &shape) : DRILL_CALL_FAILED;
}

static int64_t issue_sendmsg(struct drill_call *call)
{
	struct shape shape;

	return message_shape(call, &shape) ? send_shape(call, &shape) : DRILL_CALL_FAILED;
}

static int64_t issue_recv(struct drill_call *call)
{
	struct shape shape;

	return plain_shape(call, &shape) ? receive_shape(call, &shape) : DRILL_CALL_FAILED;
}

static int64_t issue_readv(struct drill_call *call)
{
	struct shape shape;

	return vector_shape(call, &shape) ? receive_shape(call, &shape) : DRILL_CALL_FAILED;
}

static int64_t issue_recvmsg(struct drill_call *call)
{
	struct shape shape;

	return message_shape(call, &shape) ? receive_shape(call, &shape) : DRILL_CALL_FAILED;
}

/* The bytes are those that the script's end has sent at this place of the stream. */
static bool check_received(struct drill_call *call)
{
	struct drill_fd *fd = call->fd;
	const unsigned other = SOCK_MSG_TRUNC | SOCK_MSG_OOB;
	unsigned flags = (unsigned)call->out.number;
	size_t len = call->result > 0 ? (size_t)call->result : 0;

	for (size_t i = 0; i < len && !(flags & other); i++) {
		if (fd->flow && fd->flow->urgent)
			break;
		if (call->buffer[i] == drill_pattern((uint32_t)(fd->read + 1 + i)))
			continue;
		drill_call_fail(call, "byte %llu of the stream is not the one that was injected",
				(unsigned long long)(fd->read + i));
		return false;
	}
	if (!(flags & (SOCK_MSG_PEEK | SOCK_MSG_OOB)))
		fd->read += len;
	return true;
}

const struct drill_call_kind drill_calls_data[] = {
	{"read", 3, 3, true, false, issue_recv, true, SOCK_OP_RECV, check_received},
	{"recv", 4, 4, true, false, issue_recv, true, SOCK_OP_RECV, check_received},
	{"recvfrom", 6, 6, true, false, issue_recv, true, SOCK_OP_RECV, check_received},
	{"readv", 3, 3, true, false, issue_readv, true, SOCK_OP_RECV, check_received},
	{"recvmsg", 3, 3, true, false, issue_recvmsg, true, SOCK_OP_RECV, check_received},
	{"write", 3, 3, true, false, issue_send, true, SOCK_OP_SEND, NULL},
	{"send", 4, 4, true, false, issue_send, true, SOCK_OP_SEND, NULL},
	{"sendto", 6, 6, true, false, issue_send, true, SOCK_OP_SEND, NULL},
	{"writev", 3, 3, true, false, issue_writev, true, SOCK_OP_SEND, NULL},
	{"sendmsg", 3, 3, true, false, issue_sendmsg, true, SOCK_OP_SEND, NULL},
	{0},
};
