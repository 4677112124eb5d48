/* SPDX-License-Identifier: MIT */
/* The naive model is an array of the members' numbers in order. */
#include "slabs.h"

#include "base/list.h"
#include "base/rng.h"

#define ITEMS 24

struct item {
	uint32_t number;
	struct list_link link;
};

struct model {
	uint32_t v[ITEMS];
	uint32_t n;
};

static void naive_insert(struct model *m, uint32_t at, uint32_t number)
{
	memmove(&m->v[at + 1], &m->v[at], (m->n - at) * sizeof(m->v[0]));
	m->v[at] = number;
	m->n++;
}

static void naive_remove(struct model *m, uint32_t at)
{
	m->n--;
	memmove(&m->v[at], &m->v[at + 1], (m->n - at) * sizeof(m->v[0]));
}

static uint32_t naive_find(const struct model *m, uint32_t number)
{
	uint32_t i = 0;

	while (i < m->n && m->v[i] != number)
		i++;
	return i;
}

static void compare(const struct list *list, const struct model *m)
{
	const struct list_link *l = list_first(list);
	const struct list_link *back = list_last(list);

	assert_int_equal(list_is_empty(list), m->n == 0);
	for (uint32_t i = 0; i < m->n; i++) {
		assert_non_null(l);
		assert_non_null(back);
		assert_int_equal(list_entry(l, const struct item, link)->number, m->v[i]);
		assert_int_equal(list_entry(back, const struct item, link)->number,
				 m->v[m->n - 1 - i]);
		l = list_next(list, l);
		back = list_prev(list, back);
	}
	assert_null(l);
	assert_null(back);
}

static void insert(struct list *list, struct model *m, struct item *items, uint32_t k,
		   struct rng *r)
{
	uint32_t at = (uint32_t)rng_below(r, m->n + 1);

	if (at == 0 && rng_chance(r, 500000)) {
		list_push_front(list, &items[k].link);
	} else if (at == m->n) {
		list_push_back(list, &items[k].link);
	} else {
		list_insert_before(&items[m->v[at]].link, &items[k].link);
	}
	naive_insert(m, at, k);
}

static void test_against_model(void **state)
{
	struct rng r = rng(1, 0);
	struct item items[ITEMS];
	struct model m = {.n = 0};
	struct list list;

	(void)state;
	list_init(&list);
	for (uint32_t i = 0; i < ITEMS; i++) {
		items[i].number = i;
		list_link_init(&items[i].link);
	}
	for (uint32_t round = 0; round < 20000; round++) {
		uint32_t k = (uint32_t)rng_below(&r, ITEMS);
		bool in = naive_find(&m, k) < m.n;

		assert_int_equal(list_is_linked(&items[k].link), in);
		if (rng_chance(&r, 100000)) {
			struct list_link *l = list_pop_front(&list);

			assert_int_equal(l != NULL, m.n > 0);
			if (l) {
				assert_int_equal(list_entry(l, struct item, link)->number, m.v[0]);
				naive_remove(&m, 0);
			}
		} else if (in) {
			list_remove(&items[k].link);
			naive_remove(&m, naive_find(&m, k));
		} else if (rng_chance(&r, 800000)) {
			insert(&list, &m, items, k, &r);
		} else {
			list_remove(&items[k].link);
		}
		compare(&list, &m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
