/* SPDX-License-Identifier: MIT */
#include "tcp/tcp.h"

#include "base/mem.h"
#include "tcp/half_open.h"
#include "tcp/listener.h"
#include "tcp/remnant.h"
#include "tcp/sent.h"
#include "tcp/user.h"

/*
 * What one of each costs, charged: the same on all targets. Pointers are smaller on some, so these
 * are the sizes where they are 8 bytes, rounded up.
 */
enum charge {
	CHARGE_TCB = 448,
	CHARGE_SYN = 96,
	CHARGE_REMNANT = 64,
	CHARGE_LISTENER = 192,
	CHARGE_RECORD = 64,
	CHARGE_SENDING = 96,
	CHARGE_RECEIVING = 160,
	CHARGE_SETTINGS = 512,
};

_Static_assert(sizeof(struct tcb) <= CHARGE_TCB, "charge of a TCB");
_Static_assert(sizeof(struct syn_entry) <= CHARGE_SYN, "charge of a SYN entry");
_Static_assert(sizeof(struct remnant) <= CHARGE_REMNANT, "charge of a remnant");
_Static_assert(sizeof(struct listener) <= CHARGE_LISTENER, "charge of a listener");
_Static_assert(sizeof(struct record) <= CHARGE_RECORD, "charge of a record");
_Static_assert(sizeof(struct sending) <= CHARGE_SENDING, "charge of a sending part");
_Static_assert(sizeof(struct receiving) <= CHARGE_RECEIVING, "charge of a receiving part");
_Static_assert(sizeof(struct settings) <= CHARGE_SETTINGS, "charge of settings");

static void init_pools(struct tcp *tcp)
{
	const struct {
		struct pool *pool;
		struct pool_kind kind;
	} pools[] = {
		{&tcp->tcbs, {sizeof(struct tcb), 64, CHARGE_TCB, 0}},
		{&tcp->syns, {sizeof(struct syn_entry), 32, CHARGE_SYN, 0}},
		{&tcp->remnants, {sizeof(struct remnant), 64, CHARGE_REMNANT, 0}},
		{&tcp->listeners, {sizeof(struct listener), 8, CHARGE_LISTENER, 0}},
		{&tcp->records, {sizeof(struct record), 64, CHARGE_RECORD, 0}},
		{&tcp->sendings, {sizeof(struct sending), 8, CHARGE_SENDING, 0}},
		{&tcp->receivings, {sizeof(struct receiving), 8, CHARGE_RECEIVING, 0}},
		{&tcp->settings_blocks, {sizeof(struct settings), 8, CHARGE_SETTINGS, 0}},
	};

	for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
		pool_init(pools[i].pool, tcp->memory, &pools[i].kind);
}

bool tcp_init(struct tcp *tcp, const struct tcp_config *config, uint64_t now)
{
	tcp->now = now;
	tcp->key = siphash_key(config->secret);
	tcp->memory = config->memory;
	tcp->checksum = config->checksum;
	tcp->trace = config->trace;
	tcp->trace_context = config->trace_context;
	init_pools(tcp);
	table_init(&tcp->table, tcp->memory);
	wheel_init(&tcp->wheel, now);
	list_init(&tcp->events);
	tcp->time_wait.first = SLOT_NONE;
	tcp->time_wait.last = SLOT_NONE;
	for (int i = 0; i < TCP_LISTENER_BUCKETS; i++)
		list_init(&tcp->listening[i]);
	if (!slots_init(&tcp->slots, tcp->memory))
		return false;
	tcp->settings = settings_new(&tcp->settings_blocks, PARLEY_PROFILE_DEFAULT);
	if (!tcp->settings)
		slots_free(&tcp->slots);
	return tcp->settings;
}

/* Frees whatever stands in a slot, silently. */
static void destroy(struct tcp *tcp, uint32_t index)
{
	struct slot *slot = slot_at(&tcp->slots, index);
	struct tcb *tcb = slot->object;

	switch ((enum entry_kind)slot->kind) {
	case ENTRY_FREE:
	case ENTRY_LISTENER:
		break;
	case ENTRY_SYN:
		half_open_free(tcp, slot->object);
		break;
	case ENTRY_REMNANT:
		remnant_free(tcp, slot->object);
		break;
	case ENTRY_TCB:
		tcb->flags &= ~(uint32_t)TCB_OWNED;
		if (tcb->flags & TCB_QUEUED)
			break; /* its listener frees it */
		if (tcb->state == PARLEY_CLOSED)
			tcb_free(tcp, tcb);
		else
			tcb_end(tcp, tcb, 0, PARLEY_CAUSE_ABORT);
		break;
	}
}

void tcp_close(struct tcp *tcp)
{
	struct pool *pools[] = {&tcp->tcbs,	  &tcp->syns,		&tcp->remnants,
				&tcp->listeners,  &tcp->records,	&tcp->sendings,
				&tcp->receivings, &tcp->settings_blocks};

	tcp->trace = NULL;
	for (uint32_t i = 0; i < tcp->slots.cut; i++)
		destroy(tcp, i);
	for (uint32_t i = 0; i < tcp->slots.cut; i++)
		if (slot_at(&tcp->slots, i)->kind == ENTRY_LISTENER)
			listener_free(tcp, slot_at(&tcp->slots, i)->object);
	settings_put(&tcp->settings_blocks, tcp->settings);
	table_free(&tcp->table);
	slots_free(&tcp->slots);
	for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
		pool_close(pools[i]);
}

void tcp_set_now(struct tcp *tcp, uint64_t now)
{
	if (now <= tcp->now)
		return;
	tcp->now = now;
	wheel_advance(&tcp->wheel, now);
}

void tcp_attach(struct tcp *tcp, int ifindex, struct egress *egress)
{
	tcp->egress[ifindex] = egress;
}

void tcp_detach(struct tcp *tcp, int ifindex)
{
	for (uint32_t i = 0; i < tcp->slots.cut; i++) {
		struct slot *slot = slot_at(&tcp->slots, i);
		struct tcb *tcb = slot->object;

		if (slot->kind == ENTRY_SYN &&
		    ((struct syn_entry *)slot->object)->ifindex == ifindex)
			half_open_abort(tcp, slot->object);
		else if (slot->kind == ENTRY_REMNANT &&
			 ((struct remnant *)slot->object)->ifindex == ifindex)
			remnant_end(tcp, slot->object, PARLEY_CAUSE_ABORT);
		else if (slot->kind != ENTRY_TCB || tcb->ifindex != ifindex)
			continue;
		else if (tcb->state == PARLEY_SYN_RECEIVED && tcb->listening)
			user_relisten(tcp, tcb, PARLEY_CAUSE_ABORT);
		else if (tcb->state > PARLEY_LISTEN)
			tcb_end(tcp, tcb, PARLEY_ENETUNREACH, PARLEY_CAUSE_ABORT);
	}
	tcp->egress[ifindex] = NULL;
}
