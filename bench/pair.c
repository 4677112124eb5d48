/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

/* One call maps this much: large enough for huge pages. */
#define MAP_SIZE ((size_t)32 << 20)
#define HUGE	 ((size_t)2 << 20)

struct map {
	struct map *next;
	void *at;
	size_t size;
};

static bool map_more(struct arena *arena)
{
	struct map *map = malloc(sizeof *map);
	void *at = mmap(NULL, MAP_SIZE + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	if (!map || at == MAP_FAILED) {
		free(map);
		return false;
	}
	*map = (struct map){arena->maps, at, MAP_SIZE + HUGE};
	arena->maps = map;
	arena->next = (char *)(((uintptr_t)at + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
	arena->end = arena->next + MAP_SIZE;
	if (!arena->small_pages)
		madvise(arena->next, MAP_SIZE, MADV_HUGEPAGE);
	return true;
}

static void *slab_alloc(void *ctx, size_t size, size_t align)
{
	struct arena *arena = ctx;
	void *slab = arena->returned;

	(void)align;
	if (slab) {
		arena->returned = *(void **)slab;
		return slab;
	}
	if (arena->next == arena->end && !map_more(arena))
		return NULL;
	slab = arena->next;
	arena->next += size;
	return slab;
}

static void slab_free(void *ctx, void *slab, size_t size)
{
	struct arena *arena = ctx;

	(void)size;
	*(void **)slab = arena->returned;
	arena->returned = slab;
}

static void arena_close(struct arena *arena)
{
	while (arena->maps) {
		struct map *map = arena->maps;

		arena->maps = map->next;
		munmap(map->at, map->size);
		free(map);
	}
}

struct parley_addr pair_address(int host)
{
	return (struct parley_addr){{[10] = 255, 255, 10, 0, 0, (uint8_t)(host + 1)}};
}

static void open_host(struct pair *pair, int i, const struct pair_config *config)
{
	struct arena *arena = &pair->arena[i];
	struct parley_config parley = {
		.size = sizeof parley,
		.secret = {1, (uint8_t)i},
		.allocator = {slab_alloc, slab_free, arena},
		.memory_limit = config->memory_limit,
	};
	struct parley_interface interface = {
		.size = sizeof interface, .name = "cable", .link = PARLEY_LINK_IP, .mtu = 1500};
	struct parley_addr addr = pair_address(i);
	int error;

	arena->small_pages = config->small_pages;
	if (config->fastsum)
		parley.checksum = config->fastsum->sum;
	error = parley_host_new(&parley, pair->now, &pair->host[i]);
	if (!error && parley_interface_add(pair->host[i], pair->now, &interface) != 1)
		error = -PARLEY_ENODEV;
	if (!error)
		error = parley_address_add(pair->host[i], pair->now, 1, &addr, 24);
	if (error)
		die("a host", error);
	if (!config->window)
		return;
	parley_set(pair->host[i], pair->now, PARLEY_NO_CONN, PARLEY_SET_RECEIVE_BUFFER,
		   config->window);
	if (config->fixed)
		parley_set(pair->host[i], pair->now, PARLEY_NO_CONN, PARLEY_SET_SEND_BUFFER,
			   config->window);
}

struct pair *pair_open(const struct pair_config *config)
{
	struct pair *pair = aligned_alloc(64, (sizeof *pair + 63) / 64 * 64);

	if (!pair)
		die("a pair of hosts", -PARLEY_ENOMEM);
	memset(pair, 0, sizeof *pair);
	pair->now = 1000000000;
	for (int i = 0; i < 2; i++)
		open_host(pair, i, config);
	return pair;
}

void pair_close(struct pair *pair)
{
	if (!pair)
		return;
	for (int i = 0; i < 2; i++) {
		parley_host_free(pair->host[i]);
		arena_close(&pair->arena[i]);
	}
	free(pair);
}

/* The copy that the cable makes. */
static size_t gather(uint8_t *to, const struct parley_frame *frame)
{
	uint8_t *at = to + frame->header_len;

	memcpy(to, frame->header, frame->header_len);
	for (uint32_t i = 0; i < frame->span_count; i++) {
		memcpy(at, frame->spans[i].data, frame->spans[i].len);
		at += frame->spans[i].len;
	}
	return (size_t)(at - to);
}

int pair_carry(struct pair *pair, int from)
{
	int n = parley_output(pair->host[from], 1, pair->now, pair->out, BATCH);

	if (n <= 0)
		return 0;
	for (int i = 0; i < n; i++) {
		size_t len = gather(pair->wire[i], &pair->out[i]);

		pair->in[i] = (struct parley_rx){.data = pair->wire[i], .len = len, .ifindex = 1};
	}
	parley_release(pair->host[from], pair->out, n);
	parley_input(pair->host[!from], pair->now, pair->in, n);
	pair->frames += (uint64_t)n;
	return n;
}

void pair_settle(struct pair *pair)
{
	while (pair_carry(pair, 0) + pair_carry(pair, 1) > 0)
		;
}

void pair_wait(struct pair *pair, uint64_t ns)
{
	pair->now += ns;
	for (int i = 0; i < 2; i++)
		while (parley_deadline(pair->host[i]) <= pair->now)
			parley_expire(pair->host[i], pair->now);
}

parley_conn pair_listen(struct pair *pair, uint16_t port)
{
	struct parley_open open = {
		.size = sizeof open, .local = {pair_address(1), port}, .backlog = 4096};
	parley_conn listener;
	int error = parley_listen(pair->host[1], pair->now, &open, &listener);

	if (error)
		die("a listener", error);
	return listener;
}

parley_conn pair_connect(struct pair *pair, uint16_t port, uint64_t user)
{
	struct parley_open open = {
		.size = sizeof open, .remote = {pair_address(1), port}, .user = user};
	parley_conn conn;
	int error = parley_connect(pair->host[0], pair->now, &open, &conn);

	if (error)
		die("a connection", error);
	return conn;
}

void pair_establish(struct pair *pair, uint16_t port, parley_conn listener, parley_conn ends[2])
{
	int error;

	ends[0] = pair_connect(pair, port, 0);
	pair_settle(pair);
	error = parley_accept(pair->host[1], pair->now, listener, 0, &ends[1]);
	if (error)
		die("an accept", error);
	for (int i = 0; i < 2; i++)
		parley_set(pair->host[i], pair->now, ends[i], PARLEY_SET_NODELAY, 1);
}
