/* SPDX-License-Identifier: MIT */
/*
 * Listeners that share a port (SO_REUSEPORT). The host has one listener for an endpoint; sockets
 * that listen there together have the same handle and stand in a ring. Connections that wait are
 * dealt out one by one, to whoever has had the fewest turns: only counted, not told apart, because
 * the queue is one. What a socket that stops was dealt goes to the others, where Linux resets it.
 */
#include <string.h>

#include "sock/layer.h"

static bool same_place(const struct sock *a, const struct sock *b)
{
	return a->domain == b->domain && a->local.port == b->local.port &&
	       memcmp(&a->local.addr, &b->local.addr, sizeof(a->local.addr)) == 0 &&
	       sock_value(a, SOCK_VALUE_V6ONLY) == sock_value(b, SOCK_VALUE_V6ONLY);
}

/* A socket that listens where `s` wants to, and lets it; or NULL. */
static struct sock *find_sharer(const struct sock_layer *layer, const struct sock *s)
{
	uint32_t fd;

	if (!s->port_held || !sock_value(s, SOCK_VALUE_REUSEPORT))
		return NULL;
	for (fd = 0; fd < layer->page_count * SOCK_PAGE_SOCKETS; fd++) {
		struct sock *other = sock_slot(layer, (int)fd);

		if (other->slot == SOCK_SLOT_OPEN && other->state == SOCK_STATE_LISTENING &&
		    sock_value(other, SOCK_VALUE_REUSEPORT) && same_place(s, other))
			return other;
	}
	return NULL;
}

/* Connections in the host's queue, dealt or not. */
static uint32_t count_waiting(const struct sock_layer *layer, parley_conn listener)
{
	struct parley_status status;

	if (!sock_status(layer, listener, &status))
		return 0;
	return (uint32_t)status.receive_queue;
}

static struct sock *next_in_turn(struct sock *s)
{
	struct sock *chosen = s;

	for (struct sock *at = s->sharer; at != s; at = at->sharer) {
		if (at->turns < chosen->turns)
			chosen = at;
	}
	return chosen;
}

void sock_share_deal(struct sock_layer *layer, struct sock *s)
{
	uint32_t waiting = count_waiting(layer, s->conn), dealt = 0;
	struct sock *at = s;

	do {
		dealt += at->dealt;
		at = at->sharer;
	} while (at != s);
	for (; dealt < waiting; dealt++) {
		at = next_in_turn(s);
		at->turns++;
		at->dealt++;
		sock_touch(layer, at);
	}
}

bool sock_share_join(struct sock_layer *layer, struct sock *s)
{
	struct sock *other = find_sharer(layer, s);

	if (!other)
		return false;
	if (!other->sharer) {
		other->sharer = other;
		other->turns = 0;
		other->dealt = count_waiting(layer, other->conn);
	}
	/* No newcomer has to catch up with what the others had. */
	s->turns = next_in_turn(other)->turns;
	s->dealt = 0;
	s->sharer = other->sharer;
	other->sharer = s;
	s->has_shared = true;
	other->has_shared = true;
	s->conn = other->conn;
	return true;
}

bool sock_share_leave(struct sock_layer *layer, struct sock *s)
{
	struct sock *before = s->sharer;

	if (!before)
		return false;
	while (before->sharer != s)
		before = before->sharer;
	before->sharer = s->sharer;
	s->sharer = NULL;
	s->has_shared = false;
	s->dealt = 0;
	if (before->sharer == before) {
		before->sharer = NULL;
		sock_options_replace(layer, before);
		sock_touch(layer, before);
	} else {
		sock_share_deal(layer, before);
	}
	return true;
}

struct sock *sock_share_heir(const struct sock_layer *layer, parley_conn listener)
{
	uint32_t fd;

	for (fd = 0; fd < layer->page_count * SOCK_PAGE_SOCKETS; fd++) {
		struct sock *s = sock_slot(layer, (int)fd);

		if (s->slot == SOCK_SLOT_OPEN && s->state == SOCK_STATE_LISTENING &&
		    s->conn == listener)
			return s;
	}
	return NULL;
}
