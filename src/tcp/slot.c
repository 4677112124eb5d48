/* SPDX-License-Identifier: MIT */
#include "tcp/slot.h"

#include "base/mem.h"
#include "base/must.h"

enum {
	LEAF = 1 << SLOT_LEAF_BITS,
	MID = 1 << SLOT_MID_BITS,
};

void slots_free(struct slots *slots)
{
	for (uint32_t i = 0; i < 1u << SLOT_TOP_BITS; i++) {
		struct slot **mid = slots->top[i];

		for (uint32_t k = 0; mid && k < MID; k++)
			memory_free(slots->memory, mid[k], LEAF * sizeof(struct slot));
		memory_free(slots->memory, mid, MID * sizeof(struct slot *));
	}
	memset(slots->top, 0, sizeof slots->top);
	slots->cut = 0;
}

uint64_t slots_charge(const struct slots *slots)
{
	uint64_t charge = 0;

	for (uint32_t i = 0; i < 1u << SLOT_TOP_BITS && slots->top[i]; i++) {
		charge += memory_array_charge(MID * sizeof(struct slot *));
		for (uint32_t k = 0; k < MID && slots->top[i][k]; k++)
			charge += memory_array_charge(LEAF * sizeof(struct slot));
	}
	return charge;
}

/* Makes the leaf of the first slot that was never used, if it is not there. */
static bool grow(struct slots *slots)
{
	uint32_t index = slots->cut;
	struct slot ***mid = &slots->top[index >> (SLOT_MID_BITS + SLOT_LEAF_BITS)];
	struct slot **leaf;

	if (!*mid) {
		*mid = memory_alloc(slots->memory, MID * sizeof(struct slot *));
		if (!*mid)
			return false;
		memset(*mid, 0, MID * sizeof(struct slot *));
	}
	leaf = &(*mid)[index >> SLOT_LEAF_BITS & (MID - 1)];
	if (!*leaf) {
		*leaf = memory_alloc(slots->memory, LEAF * sizeof(struct slot));
		if (!*leaf)
			return false;
		memset(*leaf, 0, LEAF * sizeof(struct slot));
	}
	return true;
}

bool slots_init(struct slots *slots, struct memory *memory)
{
	memset(slots, 0, sizeof *slots);
	slots->memory = memory;
	slots->first_free = SLOT_NONE;
	slots->last_free = SLOT_NONE;
	if (grow(slots))
		return true;
	slots_free(slots);
	return false;
}

/* How many of a leaf are used, from 0 to all. */
static uint32_t leaf_used(const struct slot *leaf)
{
	return leaf[0].share | (uint32_t)leaf[1].share << 7;
}

static void leaf_count(struct slots *slots, uint32_t index, uint32_t by)
{
	struct slot *leaf = slot_at(slots, index & ~(uint32_t)(LEAF - 1));
	uint32_t used = leaf_used(leaf) + by;

	leaf[0].share = used & 0x7f;
	leaf[1].share = used >> 7 & 0x7f;
	slots->used += by;
}

uint32_t slot_next_used(const struct slots *slots, uint32_t index)
{
	while (index < slots->cut) {
		const struct slot *slot = slot_at(slots, index);

		if (slot->object)
			return index;
		if (index % LEAF == 0 && !leaf_used(slot))
			index += LEAF;
		else
			index++;
	}
	return SLOT_NONE;
}

uint32_t slot_take(struct slots *slots, enum entry_kind kind, void *object)
{
	uint32_t index = slots->first_free;
	struct slot *slot;

	if (index != SLOT_NONE) {
		slot = slot_at(slots, index);
		slots->first_free = slot->next;
		if (slots->first_free == SLOT_NONE)
			slots->last_free = SLOT_NONE;
	} else {
		if (slots->cut == SLOT_MAX || !grow(slots))
			return SLOT_NONE;
		index = slots->cut++;
		slot = slot_at(slots, index);
		slot->generation = 1;
	}
	slot->object = object;
	slot->kind = (uint32_t)kind & 7;
	leaf_count(slots, index, 1);
	return index;
}

void slot_give(struct slots *slots, uint32_t index)
{
	struct slot *slot = slot_at(slots, index);

	must(slot->object);
	slot->object = NULL;
	slot->kind = ENTRY_FREE;
	leaf_count(slots, index, UINT32_MAX);
	if (slot->generation == SLOT_GENERATION)
		return;
	slot->generation++;
	slot->next = SLOT_NONE;
	if (slots->last_free == SLOT_NONE)
		slots->first_free = index;
	else
		slot_at(slots, slots->last_free)->next = index & (SLOT_MAX - 1);
	slots->last_free = index;
}

void slot_change(struct slots *slots, uint32_t index, enum entry_kind kind, void *object)
{
	struct slot *slot = slot_at(slots, index);

	slot->object = object;
	slot->kind = (uint32_t)kind & 7;
}

parley_conn slot_handle(const struct slots *slots, uint32_t index)
{
	return (parley_conn)slot_at(slots, index)->generation << 24 | index;
}

uint32_t slot_find(const struct slots *slots, parley_conn handle)
{
	uint32_t index = (uint32_t)(handle & (SLOT_MAX - 1));
	const struct slot *slot;

	if (index >= slots->cut)
		return SLOT_NONE;
	slot = slot_at(slots, index);
	if (!slot->object || slot->generation != handle >> 24)
		return SLOT_NONE;
	return index;
}

void *slot_object(const struct slots *slots, parley_conn handle, enum entry_kind kind)
{
	uint32_t index = slot_find(slots, handle);
	const struct slot *slot;

	if (index == SLOT_NONE)
		return NULL;
	slot = slot_at(slots, index);
	return slot->kind == (uint32_t)kind ? slot->object : NULL;
}
