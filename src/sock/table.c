/* SPDX-License-Identifier: MIT */
/* The layer itself and its table of descriptors. */
#include <assert.h>
#include <string.h>

#include "sock/layer.h"

static_assert(sizeof(struct sock_layer) <= PARLEY_SLAB, "the layer fits its slab");
static_assert(sizeof(struct sock) * SOCK_PAGE_SOCKETS <= PARLEY_SLAB, "a page fits its slab");

int sock_layer_new(const struct sock_config *config, uint64_t now, struct sock_layer **out)
{
	const struct parley_allocator *allocator = &config->allocator;
	struct sock_layer *layer;

	if (!config->host || !allocator->alloc || !allocator->free)
		return -PARLEY_EINVAL;
	layer = allocator->alloc(allocator->ctx, PARLEY_SLAB, PARLEY_SLAB);
	if (!layer)
		return -PARLEY_ENOMEM;
	memset(layer, 0, sizeof(*layer));
	layer->host = config->host;
	layer->allocator = *allocator;
	layer->now = now;
	layer->seed = config->seed;
	layer->limit = config->limit && config->limit < SOCK_LIMIT ? config->limit : SOCK_LIMIT;
	layer->bsd = config->bsd;
	layer->buffer_max = config->buffer_max ? config->buffer_max : 212992;
	*out = layer;
	return 0;
}

static void slab_free(struct sock_layer *layer, void *slab)
{
	layer->allocator.free(layer->allocator.ctx, slab, PARLEY_SLAB);
}

void sock_layer_free(struct sock_layer *layer)
{
	uint32_t fd;

	sock_sync(layer);
	for (fd = 0; fd < layer->page_count * SOCK_PAGE_SOCKETS; fd++)
		sock_let_go(layer, sock_slot(layer, (int)fd), false);
	while (layer->page_count)
		slab_free(layer, layer->pages[--layer->page_count]);
	slab_free(layer, layer);
}

struct parley_host *sock_host(const struct sock_layer *layer)
{
	return layer->host;
}

void sock_set_now(struct sock_layer *layer, uint64_t now)
{
	if (now > layer->now)
		layer->now = now;
}

struct sock *sock_slot(const struct sock_layer *layer, int fd)
{
	uint32_t i = (uint32_t)fd;

	if (fd < 0 || i >= layer->page_count * SOCK_PAGE_SOCKETS)
		return NULL;
	return &layer->pages[i / SOCK_PAGE_SOCKETS][i % SOCK_PAGE_SOCKETS];
}

struct sock *sock_get(const struct sock_layer *layer, int fd)
{
	struct sock *s = sock_slot(layer, fd);

	return s && s->slot == SOCK_SLOT_OPEN ? s : NULL;
}

struct sock *sock_enter(struct sock_layer *layer, int fd)
{
	sock_sync(layer);
	return sock_get(layer, fd);
}

static bool page_add(struct sock_layer *layer)
{
	struct sock *page = layer->allocator.alloc(layer->allocator.ctx, PARLEY_SLAB, PARLEY_SLAB);
	uint32_t i;

	if (!page)
		return false;
	memset(page, 0, SOCK_PAGE_SOCKETS * sizeof(*page));
	for (i = 0; i < SOCK_PAGE_SOCKETS; i++)
		page[i].fd = (int)(layer->page_count * SOCK_PAGE_SOCKETS + i);
	layer->pages[layer->page_count++] = page;
	return true;
}

struct sock *sock_new(struct sock_layer *layer, int domain, int *error)
{
	struct sock *s;
	uint32_t fd = layer->lowest;

	while ((s = sock_slot(layer, (int)fd)) && s->slot != SOCK_SLOT_FREE)
		fd++;
	layer->lowest = fd;
	if (fd >= layer->limit) {
		*error = -SOCK_EMFILE;
		return NULL;
	}
	if (!s && !page_add(layer)) {
		*error = -PARLEY_ENOMEM;
		return NULL;
	}
	s = sock_slot(layer, (int)fd);
	s->slot = SOCK_SLOT_OPEN;
	s->generation++;
	s->domain = (uint8_t)domain;
	s->least = 1;
	sock_name_any(domain, &s->local.addr);
	sock_name_any(domain, &s->remote.addr);
	sock_options_init(s);
	layer->lowest = fd + 1;
	layer->count++;
	return s;
}

void sock_free(struct sock_layer *layer, struct sock *s)
{
	/* The next owner of the slot stays in the dirty list, which does no harm. */
	struct sock kept = {.fd = s->fd,
			    .dirty = s->dirty,
			    .dirty_next = s->dirty_next,
			    .generation = s->generation};

	sock_wait_close(layer, s);
	*s = kept;
	if ((uint32_t)s->fd < layer->lowest)
		layer->lowest = (uint32_t)s->fd;
	layer->count--;
}

int sock_socket(struct sock_layer *layer, int domain, bool nonblock)
{
	struct sock *s;
	int error;

	if (domain != SOCK_AF_INET && domain != SOCK_AF_INET6)
		return -PARLEY_EAFNOSUPPORT;
	s = sock_new(layer, domain, &error);
	if (!s)
		return error;
	s->nonblock = nonblock;
	return s->fd;
}

int sock_set_nonblock(struct sock_layer *layer, int fd, bool nonblock)
{
	struct sock *s = sock_get(layer, fd);

	if (!s)
		return -PARLEY_EBADF;
	s->nonblock = nonblock;
	return 0;
}

int sock_get_nonblock(const struct sock_layer *layer, int fd)
{
	const struct sock *s = sock_get(layer, fd);

	return s ? s->nonblock : -PARLEY_EBADF;
}

parley_conn sock_conn(const struct sock_layer *layer, int fd)
{
	const struct sock *s = sock_get(layer, fd);

	return s ? s->conn : PARLEY_NO_CONN;
}

uint32_t sock_count(const struct sock_layer *layer)
{
	return layer->count;
}
