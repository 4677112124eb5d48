/* SPDX-License-Identifier: MIT */
/* Handles: stale ones are known, slots come round first-in-first-out, spent ones never. */
#include "peer.h"

#include <string.h>

#include "base/rng.h"

static int objects[8];

static void test_handles(void **unused)
{
	struct peer p;
	struct slots *slots = &p.tcp.slots;
	parley_conn first, second;
	uint32_t index;

	(void)unused;
	peer_init(&p);
	assert_int_equal(slot_find(slots, PARLEY_NO_CONN), SLOT_NONE);
	index = slot_take(slots, ENTRY_REMNANT, &objects[0]);
	first = slot_handle(slots, index);
	assert_int_not_equal(first, PARLEY_NO_CONN);
	assert_true(first < (uint64_t)1 << 53);
	assert_int_equal(slot_find(slots, first), index);
	assert_ptr_equal(slot_object(slots, first, ENTRY_REMNANT), &objects[0]);
	assert_null(slot_object(slots, first, ENTRY_TCB));
	slot_change(slots, index, ENTRY_SYN, &objects[1]);
	assert_ptr_equal(slot_object(slots, first, ENTRY_SYN), &objects[1]);
	slot_give(slots, index);
	assert_int_equal(slot_find(slots, first), SLOT_NONE);
	assert_int_equal(slot_take(slots, ENTRY_SYN, &objects[2]), index);
	second = slot_handle(slots, index);
	assert_int_not_equal(first, second);
	assert_int_equal(slot_find(slots, first), SLOT_NONE);
	assert_int_equal(slot_find(slots, second), index);
	/* Handles that were never given out. */
	assert_int_equal(slot_find(slots, second + 1), SLOT_NONE);
	assert_int_equal(slot_find(slots, UINT64_MAX), SLOT_NONE);
	assert_int_equal(slot_find(slots, second | (uint64_t)1 << 53), SLOT_NONE);
	slot_give(slots, index);
	peer_done(&p);
}

static void test_first_in_first_out(void **unused)
{
	struct peer p;
	struct slots *slots = &p.tcp.slots;

	(void)unused;
	peer_init(&p);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(slot_take(slots, ENTRY_REMNANT, &objects[i]), i);
	for (uint32_t i = 0; i < 8; i++)
		slot_give(slots, i * 3 % 8);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(slot_take(slots, ENTRY_REMNANT, &objects[i]), i * 3 % 8);
	for (uint32_t i = 0; i < 8; i++)
		slot_give(slots, i);
	assert_int_equal(slots->used, 0);
	peer_done(&p);
}

static void test_spent_generations(void **unused)
{
	struct peer p;
	struct slots *slots = &p.tcp.slots;
	parley_conn last;

	(void)unused;
	peer_init(&p);
	assert_int_equal(slot_take(slots, ENTRY_REMNANT, &objects[0]), 0);
	slot_at(slots, 0)->generation = SLOT_GENERATION;
	last = slot_handle(slots, 0);
	assert_int_equal(last >> 24, SLOT_GENERATION);
	assert_int_equal(slot_find(slots, last), 0);
	slot_give(slots, 0);
	assert_int_equal(slot_find(slots, last), SLOT_NONE);
	assert_int_equal(slot_take(slots, ENTRY_REMNANT, &objects[0]), 1);
	slot_give(slots, 1);
	peer_done(&p);
}

/* Many of them, against an array of what is in use; memory may fail when leaves are added. */
static void test_many(void **unused)
{
	enum { MANY = 70000 };
	static parley_conn handles[MANY];
	struct peer p;
	struct slots *slots = &p.tcp.slots;
	struct rng r = rng(1, 1);
	uint64_t others;
	uint32_t n = 0;

	(void)unused;
	peer_init(&p);
	others = p.memory.charged - slots_charge(slots);
	while (n < MANY) {
		uint32_t index;

		memory_fail_at(&p.memory, rng_chance(&r, 10000));
		index = slot_take(slots, ENTRY_REMNANT, &objects[n % 8]);
		if (index != SLOT_NONE)
			handles[n++] = slot_handle(slots, index);
	}
	memory_fail_at(&p.memory, 0);
	assert_int_equal(slots->used, MANY);
	assert_int_equal(slots_charge(slots), p.memory.charged - others);
	for (uint32_t i = 0; i < MANY; i += 2)
		slot_give(slots, slot_find(slots, handles[i]));
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(slot_find(slots, handles[i]) != SLOT_NONE, i % 2);
	for (uint32_t i = 1; i < MANY; i += 2)
		slot_give(slots, slot_find(slots, handles[i]));
	peer_done(&p);
}

/* A walk meets each slot in use, in order, whatever comes and goes between the walks. */
static void test_next_used(void **unused)
{
	enum { MANY = 5000 };
	static bool in_use[MANY];
	struct peer p;
	struct slots *slots = &p.tcp.slots;
	struct rng r = rng(2, 1);

	(void)unused;
	peer_init(&p);
	memset(in_use, 0, sizeof in_use);
	assert_int_equal(slot_next_used(slots, 0), SLOT_NONE);
	for (uint32_t i = 0; i < MANY; i++)
		in_use[slot_take(slots, ENTRY_REMNANT, &objects[0])] = true;
	for (uint32_t round = 0; round < 200; round++) {
		uint32_t at = 0;

		for (uint32_t i = 0; i < MANY; i++) {
			if (in_use[i])
				assert_int_equal(slot_next_used(slots, at), i);
			at = in_use[i] ? i + 1 : at;
		}
		assert_int_equal(slot_next_used(slots, at), SLOT_NONE);
		/* Whole leaves become empty, and single ones full again. */
		for (uint32_t i = 0; i < MANY; i++)
			if (in_use[i] && (rng_chance(&r, 500000) || i / 256 % 20 == round % 20)) {
				slot_give(slots, i);
				in_use[i] = false;
			}
		for (uint32_t i = (uint32_t)rng_next(&r) % 300; i > 0; i--)
			in_use[slot_take(slots, ENTRY_REMNANT, &objects[0])] = true;
	}
	assert_int_equal(slot_next_used(slots, SLOT_MAX), SLOT_NONE);
	for (uint32_t i = 0; i < MANY; i++)
		if (in_use[i])
			slot_give(slots, i);
	peer_done(&p);
}

/* Without memory for the first of it a TCP does not begin, and nothing is left. */
static void test_no_memory_to_begin(void **unused)
{
	(void)unused;
	for (uint64_t nth = 1;; nth++) {
		struct memory memory;
		struct slots slots;
		bool begun;
		struct peer p;

		peer_init(&p); /* for its allocator */
		memory = p.memory;
		memory_fail_at(&p.memory, nth);
		memset(&slots, 0xa5, sizeof slots);
		begun = slots_init(&slots, &p.memory);
		memory_fail_at(&p.memory, 0);
		if (begun) {
			assert_true(nth > 2);
			slots_free(&slots);
		}
		assert_int_equal(p.memory.charged, memory.charged);
		peer_done(&p);
		if (begun)
			return;
	}
}

/* A TCP ends with each of its slots in use, up to the last of a leaf, and not one beyond it. */
static void test_ends_with_a_full_leaf(void **unused)
{
	struct peer p;

	(void)unused;
	peer_init(&p);
	for (uint32_t i = 0; i < 1u << SLOT_LEAF_BITS; i++) {
		if (i % 2)
			peer_connect(&p);
		else
			peer_listen(&p, 1);
		p.tuple.remote_port++;
		p.tuple.local_port++;
		peer_forget(&p);
	}
	assert_int_equal(p.tcp.slots.used, 1u << SLOT_LEAF_BITS);
	assert_int_equal(p.tcp.slots.cut, 1u << SLOT_LEAF_BITS);
	peer_done(&p);
}

/* However often the line of free slots was empty, what is given back is taken again. */
static void test_the_only_slot_comes_round(void **unused)
{
	struct peer p;
	struct slots *slots = &p.tcp.slots;

	(void)unused;
	peer_init(&p);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(slot_take(slots, ENTRY_REMNANT, &objects[0]), 0);
		assert_int_equal(slot_take(slots, ENTRY_REMNANT, &objects[1]), 1);
		slot_give(slots, 0);
		assert_int_equal(slot_take(slots, ENTRY_REMNANT, &objects[0]), 0);
		slot_give(slots, 0);
		slot_give(slots, 1);
	}
	assert_int_equal(slots->cut, 2);
	peer_done(&p);
}

/* A walk finds what is in use at the end of a leaf, however few there are, and however long. */
static void test_walk_finds_the_last_of_a_leaf(void **unused)
{
	enum { LEAF = 1 << SLOT_LEAF_BITS };
	struct peer p;
	struct slots *slots = &p.tcp.slots;

	(void)unused;
	peer_init(&p);
	for (uint32_t i = 0; i < LEAF + 1; i++)
		assert_int_equal(slot_take(slots, ENTRY_REMNANT, &objects[0]), i);
	for (uint32_t i = 0; i < LEAF - 1; i++) {
		assert_int_equal(slot_next_used(slots, 0), i);
		slot_give(slots, i);
	}
	for (uint32_t i = 0; i < 64 * LEAF; i++) {
		assert_int_equal(slot_next_used(slots, 0), LEAF - 1);
		slot_give(slots, slot_take(slots, ENTRY_REMNANT, &objects[0]));
	}
	slot_give(slots, LEAF - 1);
	assert_int_equal(slot_next_used(slots, 0), LEAF);
	slot_give(slots, LEAF);
	assert_int_equal(slot_next_used(slots, 0), SLOT_NONE);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handles),
		cmocka_unit_test(test_first_in_first_out),
		cmocka_unit_test(test_spent_generations),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_next_used),
		cmocka_unit_test(test_no_memory_to_begin),
		cmocka_unit_test(test_ends_with_a_full_leaf),
		cmocka_unit_test(test_the_only_slot_comes_round),
		cmocka_unit_test(test_walk_finds_the_last_of_a_leaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
