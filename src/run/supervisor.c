/* SPDX-License-Identifier: MIT */
#include "run/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/calls.h"
#include "run/filter.h"
#include "run/remote.h"

/* The calls; `op` is what a held one waits for. */
struct entry {
	int nr;
	int64_t (*answer)(struct request *request);
	enum sock_op op;
};

static const struct entry entries[] = {
	{SYS_socket, call_socket, SOCK_OP_CONNECT},
	{SYS_connect, call_connect, SOCK_OP_CONNECT},
	{SYS_bind, call_bind, SOCK_OP_CONNECT},
	{SYS_listen, call_listen, SOCK_OP_ACCEPT},
	{SYS_accept, call_accept, SOCK_OP_ACCEPT},
	{SYS_accept4, call_accept4, SOCK_OP_ACCEPT},
	{SYS_getsockname, call_getsockname, SOCK_OP_CONNECT},
	{SYS_getpeername, call_getpeername, SOCK_OP_CONNECT},
	{SYS_setsockopt, call_setsockopt, SOCK_OP_CONNECT},
	{SYS_getsockopt, call_getsockopt, SOCK_OP_CONNECT},
	{SYS_shutdown, call_shutdown, SOCK_OP_CONNECT},
};

static const struct entry *find_entry(int nr)
{
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		if (entries[i].nr == nr)
			return &entries[i];
	}
	return NULL;
}

static bool same_call(const struct call *a, const struct call *b)
{
	return a->tid == b->tid && a->nr == b->nr && memcmp(a->args, b->args, sizeof(a->args)) == 0;
}

/* A call that a signal has cut short after it was done: its result is kept for its repetition. */
static void keep_result(struct request *request, int64_t result)
{
	request->object->undelivered = (struct undelivered){
		.is = true,
		.call = request->call,
		.result = result,
	};
}

static void hold(struct request *request);

/* Does what the answering function decided. */
static void conclude(struct request *request, int64_t result)
{
	struct supervisor *supervisor = request->supervisor;
	uint64_t id = request->call.id;

	if (result == CALL_DONE)
		return;
	if (result == SOCK_WAIT)
		hold(request);
	else if (result == CALL_CONTINUE)
		notify_continue(supervisor->notify, id);
	else if (notify_answer(supervisor->notify, id, result) == -ENOENT && request->object)
		keep_result(request, result);
}

static void release_theirs(struct request *request)
{
	if (request->theirs >= 0)
		close(request->theirs);
	request->theirs = -1;
}

static void unlink_held(struct request *request)
{
	struct request **link = &request->object->held;

	while (*link != request)
		link = &(*link)->next;
	*link = request->next;
}

static void drop_held(struct request *request)
{
	sock_wait_cancel(&request->wait);
	unlink_held(request);
	free(request);
}

/* What a call returns whose time is over. */
static int64_t timed_out(const struct request *request, const struct entry *entry)
{
	return request->again ? -EALREADY : sock_timeout_result(entry->op, 0);
}

/* The socket is ready for a held call, or its time is over. */
static void resume(struct sock_wait *wait, void *context)
{
	struct request *held = context;
	struct request request = *held;
	const struct entry *entry = find_entry(held->call.nr);
	int64_t result;

	(void)wait;
	unlink_held(held);
	if (request.wait.why == SOCK_TIMEOUT)
		result = timed_out(&request, entry);
	else if (!notify_valid(request.supervisor->notify, request.call.id))
		result = CALL_DONE;
	else
		result = entry->answer(&request);
	release_theirs(&request);
	/* The deadline holds over repeated waits: it stays in the copy. */
	conclude(&request, result);
	free(held);
	/* It may not have been needed any more: then the connection is for those who poll. */
	if (request.object->phase == OBJECT_LISTENING)
		call_signal_listener(request.object);
}

static void hold(struct request *request)
{
	struct request *held = malloc(sizeof(*held));
	struct request **link = &request->object->held;
	int err = -ENOMEM;

	if (held) {
		*held = *request;
		held->held = true;
		held->theirs = -1;
		held->next = NULL;
		held->wait = (struct sock_wait){
			.resume = resume,
			.context = held,
			.deadline = request->wait.deadline,
		};
		err = sock_wait_for(request->supervisor->layer, request->object->sock,
				    find_entry(request->call.nr)->op, &held->wait);
	}
	if (err) {
		free(held);
		notify_answer(request->supervisor->notify, request->call.id, err);
		return;
	}
	while (*link)
		link = &(*link)->next;
	*link = held;
}

/* Those whose program was called away by a signal would otherwise pile up. */
static void drop_vanished(struct object *object)
{
	struct request *next;

	for (struct request *held = object->held; held; held = next) {
		next = held->next;
		if (!notify_valid(held->supervisor->notify, held->call.id))
			drop_held(held);
	}
}

bool supervisor_awaited(struct object *object)
{
	drop_vanished(object);
	return object->held != NULL;
}

void supervisor_forget(struct object *object, int error)
{
	while (object->held) {
		notify_answer(object->supervisor->notify, object->held->call.id, error);
		drop_held(object->held);
	}
}

static void warn_hidden(struct supervisor *supervisor, pid_t tid)
{
	if (!supervisor->warned)
		fprintf(stderr,
			"parley run: process %d does not let itself be looked at; its sockets will "
			"not work\n",
			(int)tid);
	supervisor->warned = true;
}

/* Finds the object that the call is about; false when it is none of ours. */
static bool find_object(struct request *request)
{
	struct supervisor *supervisor = request->supervisor;
	const struct call *call = &request->call;

	request->theirs = remote_duplicate(call->tid, (int)call->args[0]);
	if (request->theirs == -EPERM)
		warn_hidden(supervisor, call->tid);
	if (request->theirs < 0)
		return false;
	request->object = object_find(&supervisor->objects, pair_inode(request->theirs));
	if (!request->object || !notify_valid(supervisor->notify, call->id))
		return false;
	pid_t process = remote_process(call->tid);
	request->object->holder = process > 0 ? process : call->tid;
	request->object->holder_fd = (int)call->args[0];
	return true;
}

static int64_t answer(struct request *request, const struct entry *entry)
{
	if (entry->nr == SYS_socket)
		return entry->answer(request);
	if (!find_object(request))
		return CALL_CONTINUE;
	struct undelivered *undelivered = &request->object->undelivered;
	bool repeated = undelivered->is && same_call(&undelivered->call, &request->call);
	undelivered->is = false;
	if (repeated)
		return undelivered->result;
	drop_vanished(request->object);
	return entry->answer(request);
}

/* What comes by another ABI has other numbers and layouts. */
static void refuse(struct supervisor *supervisor, const struct call *call)
{
	pid_t process = remote_process(call->tid);

	if (process < 0 || !notify_valid(supervisor->notify, call->id))
		return;
	fprintf(stderr, "parley run: process %d makes 32-bit system calls: not supported\n",
		(int)process);
	supervisor->refused = process;
	kill(process, SIGKILL);
}

static void calls_ready(struct loop_watch *watch, uint32_t events)
{
	struct supervisor *supervisor = watch->context;
	struct request request = {.supervisor = supervisor, .theirs = -1};

	if (!(events & EPOLLIN)) {
		supervisor->gone = true;
		loop_remove(supervisor->loop, watch);
		return;
	}
	if (notify_receive(supervisor->notify, &request.call))
		return;
	if (!filter_native(request.call.arch, request.call.nr)) {
		refuse(supervisor, &request.call);
		return;
	}
	const struct entry *entry = find_entry(request.call.nr);
	int64_t result = entry ? answer(&request, entry) : CALL_CONTINUE;
	release_theirs(&request);
	conclude(&request, result);
}

int supervisor_open(struct supervisor *supervisor, struct loop *loop, struct sock_layer *layer,
		    int notify)
{
	*supervisor = (struct supervisor){.loop = loop, .layer = layer, .notify = notify};
	int err = object_table_init(&supervisor->objects);
	if (err)
		return err;
	supervisor->watch = (struct loop_watch){
		.fd = notify,
		.ready = calls_ready,
		.context = supervisor,
	};
	err = loop_add(loop, &supervisor->watch, EPOLLIN);
	if (err)
		object_table_clear(&supervisor->objects);
	return err;
}

void supervisor_close(struct supervisor *supervisor)
{
	object_table_clear(&supervisor->objects);
	if (!supervisor->gone)
		loop_remove(supervisor->loop, &supervisor->watch);
}

bool supervisor_done(const struct supervisor *supervisor)
{
	return supervisor->gone && supervisor->objects.alive.count == 0;
}
