/* SPDX-License-Identifier: MIT */
/*
 * Waits: continuations of operations that could not complete. A wait stands in its socket's list
 * or, once its cause has come, in the layer's list of those to be resumed; and, when it has a
 * deadline, in the list of deadlines, which is kept in order.
 */
#include "sock/layer.h"

static void list_add(struct sock_wait **head, struct sock_wait **tail, struct sock_wait *wait)
{
	wait->next = NULL;
	wait->prev = *tail;
	if (*tail)
		(*tail)->next = wait;
	else
		*head = wait;
	*tail = wait;
}

static void list_remove(struct sock_wait **head, struct sock_wait **tail, struct sock_wait *wait)
{
	if (wait->prev)
		wait->prev->next = wait->next;
	else
		*head = wait->next;
	if (wait->next)
		wait->next->prev = wait->prev;
	else
		*tail = wait->prev;
}

/* Mostly all have the same time-out, so the place is near the end. */
static void due_add(struct sock_layer *layer, struct sock_wait *wait)
{
	struct sock_wait *before = layer->due_tail;

	while (before && before->deadline > wait->deadline)
		before = before->due_prev;
	wait->due_prev = before;
	wait->due_next = before ? before->due_next : layer->due;
	if (before)
		before->due_next = wait;
	else
		layer->due = wait;
	if (wait->due_next)
		wait->due_next->due_prev = wait;
	else
		layer->due_tail = wait;
}

static void due_remove(struct sock_layer *layer, struct sock_wait *wait)
{
	if (wait->deadline == SOCK_NEVER)
		return;
	if (wait->due_prev)
		wait->due_prev->due_next = wait->due_next;
	else
		layer->due = wait->due_next;
	if (wait->due_next)
		wait->due_next->due_prev = wait->due_prev;
	else
		layer->due_tail = wait->due_prev;
}

/* Out of all lists; the caller's again. */
static void forget(struct sock_layer *layer, struct sock_wait *wait)
{
	struct sock *s = sock_slot(layer, wait->fd);

	if (wait->firing)
		list_remove(&layer->firing, &layer->firing_tail, wait);
	else
		list_remove(&s->waits, &s->waits_tail, wait);
	due_remove(layer, wait);
	wait->layer = NULL;
	wait->firing = false;
}

static void fire(struct sock_layer *layer, struct sock *s, struct sock_wait *wait,
		 enum sock_why why)
{
	list_remove(&s->waits, &s->waits_tail, wait);
	list_add(&layer->firing, &layer->firing_tail, wait);
	wait->firing = true;
	wait->why = why;
}

static bool satisfied(const struct sock_layer *layer, const struct sock *s,
		      const struct sock_wait *wait)
{
	uint32_t levels;

	if (s->slot == SOCK_SLOT_LINGERING)
		return !sock_fin_pending(layer, s);
	levels = sock_levels(layer, s, wait->least);
	return (levels & (wait->wanted | SOCK_POLLERR | SOCK_POLLHUP)) != 0;
}

static int enlist(struct sock_layer *layer, struct sock *s, struct sock_wait *wait)
{
	if (wait->layer)
		return -PARLEY_EALREADY;
	wait->layer = layer;
	wait->fd = s->fd;
	wait->firing = false;
	if (!wait->deadline)
		wait->deadline = SOCK_NEVER;
	list_add(&s->waits, &s->waits_tail, wait);
	if (wait->deadline != SOCK_NEVER)
		due_add(layer, wait);
	if (satisfied(layer, s, wait))
		sock_mark(layer, s);
	return 0;
}

int sock_wait_add(struct sock_layer *layer, int fd, struct sock_wait *wait)
{
	struct sock *s = sock_enter(layer, fd);

	return s ? enlist(layer, s, wait) : -PARLEY_EBADF;
}

static uint64_t deadline_after(const struct sock_layer *layer, uint64_t timeout)
{
	return timeout < SOCK_NEVER - layer->now ? layer->now + timeout : SOCK_NEVER;
}

int sock_wait_for(struct sock_layer *layer, int fd, enum sock_op op, struct sock_wait *wait)
{
	struct sock *s;
	uint64_t deadline = SOCK_NEVER;

	sock_sync(layer);
	s = op == SOCK_OP_CLOSE ? sock_slot(layer, fd) : sock_get(layer, fd);
	if (!s || (op == SOCK_OP_CLOSE && s->slot != SOCK_SLOT_LINGERING))
		return -PARLEY_EBADF;
	if (wait->layer)
		return -PARLEY_EALREADY;
	wait->least = 0;
	switch (op) {
	case SOCK_OP_ACCEPT:
		wait->wanted = SOCK_POLLIN;
		deadline = deadline_after(layer, s->options.rcv_timeout);
		break;
	case SOCK_OP_RECV:
		wait->wanted = SOCK_POLLIN;
		wait->least = s->least;
		deadline = deadline_after(layer, s->options.rcv_timeout);
		break;
	case SOCK_OP_CONNECT:
	case SOCK_OP_SEND:
		wait->wanted = SOCK_POLLOUT;
		deadline = deadline_after(layer, s->options.snd_timeout);
		break;
	case SOCK_OP_CLOSE:
		wait->wanted = 0;
		deadline = s->linger_until;
		break;
	}
	if (!wait->deadline)
		wait->deadline = deadline;
	return enlist(layer, s, wait);
}

int64_t sock_timeout_result(enum sock_op op, size_t done)
{
	if (done)
		return (int64_t)done;
	switch (op) {
	case SOCK_OP_CONNECT:
		return -PARLEY_EINPROGRESS;
	case SOCK_OP_ACCEPT:
	case SOCK_OP_RECV:
	case SOCK_OP_SEND:
		return -PARLEY_EAGAIN;
	case SOCK_OP_CLOSE:
		break;
	}
	return 0;
}

void sock_wait_cancel(struct sock_wait *wait)
{
	if (wait->layer)
		forget(wait->layer, wait);
}

void sock_wait_collect(struct sock_layer *layer, struct sock *s)
{
	struct sock_wait *wait = s->waits;

	while (wait) {
		struct sock_wait *next = wait->next;

		if (satisfied(layer, s, wait))
			fire(layer, s, wait, SOCK_READY);
		wait = next;
	}
}

void sock_wait_close(struct sock_layer *layer, struct sock *s)
{
	while (s->waits)
		fire(layer, s, s->waits, SOCK_CLOSED);
}

void sock_wait_expire(struct sock_layer *layer)
{
	struct sock_wait *wait = layer->due;

	while (wait && wait->deadline <= layer->now) {
		if (!wait->firing)
			fire(layer, sock_slot(layer, wait->fd), wait, SOCK_TIMEOUT);
		wait = wait->due_next;
	}
}

int sock_wait_fire(struct sock_layer *layer)
{
	struct sock_wait *wait;
	int called = 0;

	while ((wait = layer->firing)) {
		forget(layer, wait);
		called++;
		wait->resume(wait, wait->context);
	}
	return called;
}
