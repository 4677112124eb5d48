/* SPDX-License-Identifier: MIT */
#include "drill/epoll.h"

#include <sys/epoll.h>

#define ALWAYS (EPOLLERR | EPOLLHUP)

static struct drill_epoll_item *find(struct drill_epoll *epoll, int fd)
{
	for (int i = 0; i < epoll->count; i++)
		if (epoll->item[i].fd == fd)
			return &epoll->item[i];
	return NULL;
}

void drill_epoll_forget(struct drill_epoll *epoll, int fd)
{
	struct drill_epoll_item *item = find(epoll, fd);

	if (!item)
		return;
	epoll->count--;
	for (; item < epoll->item + epoll->count; item++)
		item[0] = item[1];
}

static int add(struct drill_epoll *epoll, int fd)
{
	if (find(epoll, fd))
		return -PARLEY_EEXIST;
	if (epoll->count == DRILL_EPOLL_MAX)
		return -PARLEY_ENOMEM;
	epoll->item[epoll->count++] = (struct drill_epoll_item){
		.fd = fd,
	};
	return 0;
}

int drill_epoll_ctl(struct drill_epoll *epoll, int operation, int fd, uint32_t events,
		    uint64_t data)
{
	struct drill_epoll_item *item;
	int error = 0;

	if (operation == EPOLL_CTL_ADD)
		error = add(epoll, fd);
	item = find(epoll, fd);
	if (error)
		return error;
	if (!item)
		return -PARLEY_ENOENT;
	if (operation == EPOLL_CTL_DEL) {
		drill_epoll_forget(epoll, fd);
		return 0;
	}
	if (operation != EPOLL_CTL_ADD && operation != EPOLL_CTL_MOD)
		return -PARLEY_EINVAL;
	item->events = events;
	item->data = data;
	/* A change tells anew what holds. */
	item->disarmed = item->told = false;
	return 0;
}

/* The bits to tell of an item; 0: none. */
static uint32_t ready(struct drill_epoll_item *item, struct sock_layer *layer)
{
	uint32_t levels = sock_ready(layer, item->fd) & (item->events | ALWAYS);
	uint64_t generation = sock_generation(layer, item->fd);

	if (!levels || item->disarmed)
		return 0;
	if (item->events & EPOLLET && item->told && item->generation == generation)
		return 0;
	item->told = true;
	item->generation = generation;
	item->disarmed = (item->events & EPOLLONESHOT) != 0;
	return levels;
}

int drill_epoll_collect(struct drill_epoll *epoll, struct sock_layer *layer,
			struct drill_epoll_event *events, int max)
{
	int n = 0;

	for (int i = 0; i < epoll->count && n < max; i++) {
		struct drill_epoll_item *item = &epoll->item[(epoll->next + i) % epoll->count];
		uint32_t levels = ready(item, layer);

		if (levels)
			events[n++] = (struct drill_epoll_event){levels, item->data, item->fd};
	}
	if (n == max && epoll->count)
		epoll->next = (epoll->next + 1) % epoll->count;
	return n;
}
