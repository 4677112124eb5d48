/* SPDX-License-Identifier: MIT */
/*
 * Intrusive doubly linked lists. A link is a member of what it links; the list owns nothing.
 *
 * A link that stands in no list points to itself, so that list_remove() may be called on it any
 * number of times. Links and heads must not move while linked.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_link {
	struct list_link *next;
	struct list_link *prev;
};

/* The head: next is the first, prev the last. */
struct list {
	struct list_link head;
};

/* The `type` whose member `member` is the link `link`. */
#define list_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void list_link_init(struct list_link *l)
{
	l->next = l;
	l->prev = l;
}

static inline void list_init(struct list *list)
{
	list_link_init(&list->head);
}

static inline bool list_is_empty(const struct list *list)
{
	return list->head.next == &list->head;
}

/* Whether `l` stands in some list. */
static inline bool list_is_linked(const struct list_link *l)
{
	return l->next != l;
}

/* Puts `l`, which is in no list, in front of `where`, a link or a head (then: at the end). */
static inline void list_insert_before(struct list_link *where, struct list_link *l)
{
	l->next = where;
	l->prev = where->prev;
	where->prev->next = l;
	where->prev = l;
}

static inline void list_push_back(struct list *list, struct list_link *l)
{
	list_insert_before(&list->head, l);
}

static inline void list_push_front(struct list *list, struct list_link *l)
{
	list_insert_before(list->head.next, l);
}

/* Takes `l` out of its list, if it is in one. */
static inline void list_remove(struct list_link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_link_init(l);
}

/* The first, last, next or previous link, or NULL. */
static inline struct list_link *list_first(const struct list *list)
{
	return list_is_empty(list) ? NULL : list->head.next;
}

static inline struct list_link *list_last(const struct list *list)
{
	return list_is_empty(list) ? NULL : list->head.prev;
}

static inline struct list_link *list_next(const struct list *list, const struct list_link *l)
{
	return l->next == &list->head ? NULL : l->next;
}

static inline struct list_link *list_prev(const struct list *list, const struct list_link *l)
{
	return l->prev == &list->head ? NULL : l->prev;
}

/* Takes the first link out and returns it, or NULL. */
static inline struct list_link *list_pop_front(struct list *list)
{
	struct list_link *l = list_first(list);

	if (l)
		list_remove(l);
	return l;
}

#endif
