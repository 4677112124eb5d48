/* SPDX-License-Identifier: MIT */
#include "run/object.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "run/pump.h"
#include "run/remote.h"
#include "run/supervisor.h"

#define FIRST_SIZE 64

static struct object **bucket_of(const struct object_table *table, ino_t inode)
{
	/* Inodes of sockets are counted up, but in strides that differ by CPU. */
	uint64_t hash = (uint64_t)inode * UINT64_C(0x9e3779b97f4a7c15);

	return &table->buckets[(hash >> 32) & (table->size - 1)];
}

static void list_append(struct object_list *list, struct object *object)
{
	object->earlier = list->last;
	object->later = NULL;
	*(list->last ? &list->last->later : &list->first) = object;
	list->last = object;
	list->count++;
}

static void list_remove(struct object_list *list, struct object *object)
{
	*(object->earlier ? &object->earlier->later : &list->first) = object->later;
	*(object->later ? &object->later->earlier : &list->last) = object->earlier;
	list->count--;
}

static struct object_list *list_of(struct object *object)
{
	struct object_table *table = &object->supervisor->objects;

	return object->phase == OBJECT_ENDED ? &table->ended : &table->alive;
}

static size_t most_alive(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return SIZE_MAX;
	return limit.rlim_cur > OBJECT_SPARE ? limit.rlim_cur - OBJECT_SPARE : 0;
}

int object_table_init(struct object_table *table)
{
	*table = (struct object_table){.size = FIRST_SIZE, .most_alive = most_alive()};
	table->buckets = calloc(table->size, sizeof(table->buckets[0]));
	return table->buckets ? 0 : -ENOMEM;
}

void object_table_clear(struct object_table *table)
{
	while (table->alive.first)
		object_free(table->alive.first);
	while (table->ended.first)
		object_free(table->ended.first);
	free(table->buckets);
	table->buckets = NULL;
}

struct object *object_find(const struct object_table *table, ino_t inode)
{
	struct object *object = *bucket_of(table, inode);

	while (object && object->inode != inode)
		object = object->chain;
	return object;
}

static void insert(struct object_table *table, struct object *object)
{
	struct object **bucket = bucket_of(table, object->inode);

	object->chain = *bucket;
	*bucket = object;
}

/* Without memory the chains just grow longer. */
static void grow(struct object_table *table)
{
	struct object_table larger = *table;

	if (table->alive.count + table->ended.count < table->size)
		return;
	larger.size *= 2;
	larger.buckets = calloc(larger.size, sizeof(larger.buckets[0]));
	if (!larger.buckets)
		return;
	for (size_t i = 0; i < table->size; i++) {
		while (table->buckets[i]) {
			struct object *object = table->buckets[i];
			table->buckets[i] = object->chain;
			insert(&larger, object);
		}
	}
	free(table->buckets);
	*table = larger;
}

static void take_out(struct object_table *table, struct object *object)
{
	struct object **link = bucket_of(table, object->inode);

	while (*link != object)
		link = &(*link)->chain;
	*link = object->chain;
}

static int open_pair(const struct object_table *table, struct pair *pair, bool nonblock)
{
	return table->alive.count < table->most_alive ? pair_open(pair, nonblock) : -EMFILE;
}

struct object *object_new(struct supervisor *supervisor, bool nonblock, int *theirs)
{
	struct object *object = calloc(1, sizeof(*object));
	struct pair pair;

	*theirs = object ? open_pair(&supervisor->objects, &pair, nonblock) : -ENOMEM;
	if (*theirs) {
		free(object);
		return NULL;
	}
	object->supervisor = supervisor;
	object->inode = pair.inode;
	object->ours = pair.ours;
	object->sock = -1;
	object->watch = (struct loop_watch){
		.fd = pair.ours,
		.ready = pump_pair_ready,
		.context = object,
	};
	object->sock_watch = (struct sock_watch){.event = pump_sock_event, .context = object};
	int err = loop_add(supervisor->loop, &object->watch,
			   EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	if (err) {
		close(pair.ours);
		close(pair.theirs);
		free(object);
		*theirs = err;
		return NULL;
	}
	grow(&supervisor->objects);
	insert(&supervisor->objects, object);
	list_append(&supervisor->objects.alive, object);
	*theirs = pair.theirs;
	return object;
}

void object_adopt(struct object *object, int sock, pid_t holder, int holder_fd)
{
	object->sock = sock;
	object->holder = holder;
	object->holder_fd = holder_fd;
	sock_watch_set(object->supervisor->layer, sock, &object->sock_watch);
}

int object_duplicate(struct object *object)
{
	int theirs = remote_duplicate(object->holder, object->holder_fd);

	if (theirs >= 0 && pair_inode(theirs) == object->inode)
		return theirs;
	if (theirs >= 0)
		close(theirs);
	return remote_find(object->inode);
}

static void close_ours(struct object *object)
{
	if (object->ours < 0)
		return;
	loop_remove(object->supervisor->loop, &object->watch);
	close(object->ours);
	object->ours = -1;
}

void object_end(struct object *object)
{
	struct object_table *table = &object->supervisor->objects;

	close_ours(object);
	list_remove(list_of(object), object);
	object->phase = OBJECT_ENDED;
	list_append(list_of(object), object);
	if (table->ended.count > OBJECT_ENDED_MAX)
		object_free(table->ended.first);
}

void object_free(struct object *object)
{
	struct object_table *table = &object->supervisor->objects;

	supervisor_forget(object, -EBADF);
	close_ours(object);
	if (object->sock >= 0) {
		sock_watch_set(object->supervisor->layer, object->sock, NULL);
		sock_close_now(object->supervisor->layer, object->sock);
	}
	list_remove(list_of(object), object);
	take_out(table, object);
	free(object);
}
