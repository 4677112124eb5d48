/* SPDX-License-Identifier: MIT */
#include "dev/switch.h"

#include <stddef.h>

#include "base/bytes.h"

/* A station stands in one of this many slots behind its own. */
#define REACH 8

static size_t own_slot(struct eth_addr mac)
{
	uint64_t word = (uint64_t)get_be16(mac.b) << 32 | get_be32(mac.b + 2);

	/* Fibonacci hashing: the upper bits of the product depend on all of the word. */
	return (size_t)(word * 0x9e3779b97f4a7c15u >> 32) % SWITCH_STATIONS;
}

static size_t place(struct eth_addr mac, size_t i)
{
	return (own_slot(mac) + i) % SWITCH_STATIONS;
}

/* Where mac stands, or SWITCH_STATIONS. */
static size_t find(const struct switch_table *table, struct eth_addr mac)
{
	for (size_t i = 0; i < REACH; i++) {
		const struct switch_station *s = &table->stations[place(mac, i)];

		if (s->heard && eth_equal(s->mac, mac))
			return place(mac, i);
	}
	return SWITCH_STATIONS;
}

/* Where mac may stand: a free slot, or that of the station heard longest ago. */
static size_t make_room(const struct switch_table *table, struct eth_addr mac)
{
	size_t best = place(mac, 0);

	for (size_t i = 1; i < REACH; i++)
		if (table->stations[place(mac, i)].heard < table->stations[best].heard)
			best = place(mac, i);
	return best;
}

void switch_learn(struct switch_table *table, struct eth_addr mac, int port)
{
	size_t slot = find(table, mac);

	if (!eth_is_unicast(mac))
		return;
	if (slot == SWITCH_STATIONS)
		slot = make_room(table, mac);
	table->stations[slot] = (struct switch_station){mac, port, ++table->clock};
}

int switch_port(const struct switch_table *table, struct eth_addr mac)
{
	size_t slot = find(table, mac);

	return slot == SWITCH_STATIONS ? SWITCH_FLOOD : table->stations[slot].port;
}

void switch_forget(struct switch_table *table, int port)
{
	for (size_t i = 0; i < SWITCH_STATIONS; i++)
		if (table->stations[i].port == port)
			table->stations[i].heard = 0;
}
