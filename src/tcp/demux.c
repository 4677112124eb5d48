/* SPDX-License-Identifier: MIT */
#include "tcp/demux.h"

#include "base/bytes.h"
#include "tcp/half_open.h"
#include "tcp/listener.h"
#include "tcp/remnant.h"
#include "tcp/secret.h"
#include "wire/ip.h"

/* The keyed hash of a four-tuple, for the table. */
static uint32_t hash_of(const struct tcp *tcp, const struct tuple *tuple)
{
	const uint64_t ports = (uint64_t)tuple->local_port << 16 | tuple->remote_port;
	const uint64_t purpose = (uint64_t)SECRET_TABLE << 32;

	if (ip_is_v4(&tuple->local)) {
		const uint64_t four[] = {
			(uint64_t)ip_to_v4(&tuple->local) << 32 | ip_to_v4(&tuple->remote),
			ports | purpose,
		};

		return (uint32_t)siphash13_words(&tcp->key, four, 2);
	}
	const uint64_t six[] = {
		get_le64(tuple->local.b),  get_le64(tuple->local.b + 8),
		get_le64(tuple->remote.b), get_le64(tuple->remote.b + 8),
		ports | purpose,
	};

	return (uint32_t)siphash13_words(&tcp->key, six, 5);
}

static const struct tuple *tuple_of(const struct slot *slot)
{
	switch ((enum entry_kind)slot->kind) {
	case ENTRY_TCB:
		return &((const struct tcb *)slot->object)->tuple;
	case ENTRY_SYN:
		return &((const struct syn_entry *)slot->object)->tuple;
	case ENTRY_REMNANT:
		return &((const struct remnant *)slot->object)->tuple;
	case ENTRY_LISTENER:
	case ENTRY_FREE:
		break;
	}
	return NULL;
}

uint32_t demux_find(const struct tcp *tcp, const struct tuple *tuple)
{
	uint32_t hash = hash_of(tcp, tuple);
	struct table_cursor cursor = {0};
	uint32_t ref;

	while ((ref = table_find(&tcp->table, hash, &cursor))) {
		const struct slot *slot = slot_at(&tcp->slots, ref - 1);
		const struct tuple *found;

		slot_prefetch(slot);
		found = tuple_of(slot);
		if (found && tuple_equal(found, tuple))
			return ref - 1;
	}
	return SLOT_NONE;
}

bool demux_is_taken(const struct tcp *tcp, const struct tuple *tuple)
{
	struct table_cursor cursor = {0};

	return table_find(&tcp->table, hash_of(tcp, tuple), &cursor) != 0;
}

uint32_t demux_arrived(struct tcp *tcp, const struct tuple *tuple)
{
	const struct slot *recent = slot_at(&tcp->slots, tcp->recent);
	const struct tcb *tcb = recent->object;
	uint32_t index;

	if (recent->kind == ENTRY_TCB && tcb->flags & TCB_IN_TABLE &&
	    tuple_equal(&tcb->tuple, tuple))
		return tcp->recent;
	index = demux_find(tcp, tuple);
	if (index != SLOT_NONE)
		tcp->recent = index;
	return index;
}

void demux_ahead_begin(const struct tcp *tcp, const struct tuple *tuple, struct demux_ahead *ahead)
{
	ahead->hash = hash_of(tcp, tuple);
	table_prefetch(&tcp->table, ahead->hash);
}

void demux_ahead_slot(const struct tcp *tcp, struct demux_ahead *ahead)
{
	struct table_cursor cursor = {0};

	/* The first with this hash: rarely another one's. */
	ahead->slot = table_find(&tcp->table, ahead->hash, &cursor);
	if (ahead->slot)
		__builtin_prefetch(slot_at(&tcp->slots, ahead->slot - 1));
}

void demux_ahead_entry(const struct tcp *tcp, const struct demux_ahead *ahead)
{
	if (ahead->slot)
		slot_prefetch(slot_at(&tcp->slots, ahead->slot - 1));
}

bool demux_insert(struct tcp *tcp, const struct tuple *tuple, uint32_t slot)
{
	return table_insert(&tcp->table, hash_of(tcp, tuple), slot + 1);
}

void demux_forget(struct tcp *tcp, const struct tuple *tuple, uint32_t slot)
{
	table_remove(&tcp->table, hash_of(tcp, tuple), slot + 1);
}

bool demux_add(struct tcp *tcp, struct tcb *tcb)
{
	if (!demux_insert(tcp, &tcb->tuple, tcb->slot))
		return false;
	tcb->flags |= TCB_IN_TABLE;
	return true;
}

void demux_remove(struct tcp *tcp, struct tcb *tcb)
{
	if (tcb->flags & TCB_IN_TABLE)
		demux_forget(tcp, &tcb->tuple, tcb->slot);
	tcb->flags &= ~(uint32_t)TCB_IN_TABLE;
}

struct list *demux_port(struct tcp *tcp, uint16_t port)
{
	return &tcp->listening[port % TCP_LISTENER_BUCKETS];
}

/* Is the address one of those that an unspecified one, `any`, stands for? */
static bool is_one_of(const struct parley_addr *addr, const struct parley_addr *any, bool v6_only)
{
	return ip_is_v4(any) ? ip_is_v4(addr) : !v6_only || !ip_is_v4(addr);
}

/* How well what listens fits: 0 not at all, 2 bound to the address, 1 to any. */
static int fits(const struct listening *listening, const struct tuple *tuple)
{
	if (listening->local.port != tuple->local_port)
		return 0;
	if (listening->remote.port && listening->remote.port != tuple->remote_port)
		return 0;
	if (!ip_is_unspecified(&listening->remote.addr) &&
	    !ip_equal(&listening->remote.addr, &tuple->remote))
		return 0;
	if (ip_is_unspecified(&listening->local.addr))
		return is_one_of(&tuple->local, &listening->local.addr, listening->v6_only);
	return ip_equal(&listening->local.addr, &tuple->local) ? 2 : 0;
}

struct slot *demux_listening(struct tcp *tcp, const struct tuple *tuple)
{
	struct list *port = demux_port(tcp, tuple->local_port);
	struct slot *best = NULL;
	int best_fit = 0;

	for (struct list_link *link = list_first(port); link; link = list_next(port, link)) {
		struct listening *listening = list_entry(link, struct listening, link);
		int fit = fits(listening, tuple);

		if (fit > best_fit) {
			best_fit = fit;
			best = slot_at(&tcp->slots, listening->slot);
		}
	}
	return best;
}

/* Is there an address that is meant by both? */
static bool overlap(const struct listening *listening, const struct parley_addr *addr, bool v6_only)
{
	const struct parley_addr *other = &listening->local.addr;

	if (ip_is_unspecified(other) && is_one_of(addr, other, listening->v6_only))
		return true;
	if (ip_is_unspecified(addr) && is_one_of(other, addr, v6_only))
		return true;
	return ip_equal(other, addr);
}

bool demux_is_listening(struct tcp *tcp, const struct parley_endpoint *local, bool v6_only)
{
	struct list *port = demux_port(tcp, local->port);

	for (struct list_link *link = list_first(port); link; link = list_next(port, link)) {
		const struct listening *other = list_entry(link, struct listening, link);

		if (other->local.port == local->port && overlap(other, &local->addr, v6_only))
			return true;
	}
	return false;
}
