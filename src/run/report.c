/* SPDX-License-Identifier: MIT */
#include "run/report.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/pair.h"
#include "run/report_dir.h"
#include "run/report_text.h"

#define BUFFER (4 * REPORT_LINE_MAX) /* of one client */
#define TURNS  4		     /* buffers that one client gets in a turn of the loop */
#define TRIES  8		     /* to have a directory that others may just be removing */

/* Which descriptor of a program stands for a connection. */
struct holder {
	parley_conn conn;
	ino_t inode;
};

/* Where a client's report has got to. */
enum stage { STAGE_HOST, STAGE_CONNS, STAGE_END, STAGE_DONE };

struct client {
	struct report *report;
	struct loop_watch watch;
	uint64_t age; /* a later one is greater */
	enum stage stage;
	uint64_t cursor, count; /* of parley_each() */
	struct holder *holders; /* by connection */
	size_t holder_count;
	size_t begin, end; /* what of the buffer is to be sent */
	char buf[BUFFER];
};

struct report {
	struct supervisor *supervisor;
	struct parley_host *host;
	struct report_about about;
	struct parley_addr *addresses;
	unsigned *prefixes;
	struct loop_watch watch;
	struct sockaddr_un addr;
	char dir[REPORT_DIR_MAX];
	struct client *clients[REPORT_CLIENTS];
	uint64_t ages;
};

/* ---- what there is to tell ---- */

static int by_conn(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	return (x->conn > y->conn) - (x->conn < y->conn);
}

static void add_holders(struct client *client, const struct object_list *list)
{
	const struct supervisor *supervisor = client->report->supervisor;

	for (const struct object *object = list->first; object; object = object->later) {
		parley_conn conn = sock_conn(supervisor->layer, object->sock);
		if (conn != PARLEY_NO_CONN)
			client->holders[client->holder_count++] = (struct holder){conn,
										  object->inode};
	}
}

/* Without memory for them the report goes without. */
static void find_holders(struct client *client)
{
	const struct object_table *objects = &client->report->supervisor->objects;
	size_t most = objects->alive.count + objects->ended.count;

	client->holders = calloc(most + 1, sizeof(*client->holders));
	if (!client->holders)
		return;
	add_holders(client, &objects->alive);
	add_holders(client, &objects->ended);
	qsort(client->holders, client->holder_count, sizeof(*client->holders), by_conn);
}

/* The object of a connection, if it still is. */
static struct object *find_object(const struct client *client, parley_conn conn)
{
	const struct supervisor *supervisor = client->report->supervisor;
	struct holder key = {.conn = conn};
	const struct holder *holder = NULL;
	struct object *object = NULL;

	if (client->holder_count)
		holder = bsearch(&key, client->holders, client->holder_count, sizeof(key), by_conn);
	if (holder)
		object = object_find(&supervisor->objects, holder->inode);
	if (object && sock_conn(supervisor->layer, object->sock) != conn)
		object = NULL;
	return object;
}

static uint64_t waiting(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 && n > 0 ? (uint64_t)n : 0;
}

/* What lies between the program and its connection belongs to the queues, too. */
static void count_pair(struct report_conn *conn, struct object *object)
{
	if (object->phase != OBJECT_CONNECTED || object->ours < 0)
		return;
	if (!object->planted)
		conn->status.send_queue += waiting(object->ours);
	if (!pair_undelivered(object->ours))
		return;
	int theirs = object_duplicate(object);
	if (theirs >= 0) {
		conn->status.receive_queue += waiting(theirs);
		close(theirs);
	}
}

static void ask_socket(const struct supervisor *supervisor, struct report_conn *conn,
		       struct object *object)
{
	size_t len = sizeof(conn->congestion) - 1;
	int v6_only = 0;

	conn->inode = object->inode;
	if (sock_get_int(supervisor->layer, object->sock, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only) == 0)
		conn->v6_only = v6_only;
	if (sock_getsockopt(supervisor->layer, object->sock, IPPROTO_TCP, TCP_CONGESTION,
			    conn->congestion, &len) < 0)
		conn->congestion[0] = 0;
	/* The layer asks the host for one more than listen() was told, as Linux grants it. */
	if (conn->status.entry == PARLEY_ENTRY_LISTENER && conn->status.send_queue > 0)
		conn->status.send_queue--;
}

/* What a setting fixes, or what a buffer begins with that grows. */
static uint64_t size_at_first(const struct report *report, parley_conn conn,
			      enum parley_setting setting)
{
	int64_t value = 0;

	(void)parley_get(report->host, conn, setting, &value);
	return value ? (uint64_t)value : PARLEY_BUFFER_INITIAL;
}

static void tell_buffers(const struct report *report, struct report_conn *conn)
{
	parley_conn handle = conn->status.conn;

	if (conn->has_info) {
		conn->receive_buffer = conn->info.receive_buffer;
		conn->send_buffer = conn->info.send_buffer;
		return;
	}
	conn->receive_buffer = size_at_first(report, handle, PARLEY_SET_RECEIVE_BUFFER);
	conn->send_buffer = size_at_first(report, handle, PARLEY_SET_SEND_BUFFER);
}

static void tell(struct client *client, struct report_conn *conn, uint64_t now)
{
	struct report *report = client->report;
	struct parley_status *status = &conn->status;
	struct object *object = find_object(client, status->conn);

	conn->info.size = sizeof(conn->info);
	conn->has_info = status->entry == PARLEY_ENTRY_TCB &&
			 parley_tcp_info(report->host, status->conn, &conn->info) == 0;
	tell_buffers(report, conn);
	if (status->timer_due == UINT64_MAX)
		status->timer = PARLEY_TIMER_NONE;
	if (status->timer == PARLEY_TIMER_NONE || status->timer_due < now)
		status->timer_due = 0;
	else
		status->timer_due -= now;
	if (object) {
		ask_socket(report->supervisor, conn, object);
		count_pair(conn, object);
	}
	client->end += report_conn_text(client->buf + client->end, conn);
	client->count++;
}

/* The next line of the report. */
static void write_line(struct client *client)
{
	struct report *report = client->report;
	struct report_conn conn = {.status.size = sizeof(conn.status)};
	uint64_t now = loop_now(report->supervisor->loop);

	switch (client->stage) {
	case STAGE_HOST:
		client->end += report_host_text(client->buf + client->end, &report->about,
						report->host, now);
		client->stage = STAGE_CONNS;
		return;
	case STAGE_CONNS:
		if (parley_each(report->host, &client->cursor, &conn.status) > 0)
			tell(client, &conn, now);
		else
			client->stage = STAGE_END;
		return;
	case STAGE_END:
		client->end += report_end_text(client->buf + client->end, client->count);
		client->stage = STAGE_DONE;
		return;
	case STAGE_DONE:
		return;
	}
}

/* ---- who is told ---- */

static void drop_client(struct client *client)
{
	struct report *report = client->report;

	for (int i = 0; i < REPORT_CLIENTS; i++) {
		if (report->clients[i] == client)
			report->clients[i] = NULL;
	}
	loop_remove(report->supervisor->loop, &client->watch);
	close(client->watch.fd);
	free(client->holders);
	free(client);
}

/* Sends what is ready. False when the client can take no more now, or not any more. */
static bool send_ready(struct client *client)
{
	ssize_t n = send(client->watch.fd, client->buf + client->begin, client->end - client->begin,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			drop_client(client);
		return false;
	}
	client->begin += (size_t)n;
	return client->begin == client->end;
}

static void client_ready(struct loop_watch *watch, uint32_t events)
{
	struct client *client = watch->context;

	if (events & (uint32_t)(EPOLLHUP | EPOLLERR)) {
		drop_client(client);
		return;
	}
	for (int i = 0; i < TURNS; i++) {
		if (client->begin == client->end) {
			client->begin = client->end = 0;
			while (client->stage != STAGE_DONE &&
			       BUFFER - client->end >= REPORT_LINE_MAX)
				write_line(client);
		}
		if (client->end > 0 && !send_ready(client))
			return;
		if (client->stage == STAGE_DONE) {
			drop_client(client);
			return;
		}
	}
}

/* Room for one more, if need be that of the oldest. */
static struct client **find_room(struct report *report)
{
	struct client **oldest = &report->clients[0];

	for (int i = 0; i < REPORT_CLIENTS; i++) {
		if (!report->clients[i])
			return &report->clients[i];
		if (report->clients[i]->age < (*oldest)->age)
			oldest = &report->clients[i];
	}
	drop_client(*oldest);
	return oldest;
}

static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void add_client(struct report *report, int fd)
{
	struct client *client = NULL;

	if (may_ask(fd))
		client = malloc(sizeof(*client));
	if (!client) {
		close(fd);
		return;
	}
	memset(client, 0, offsetof(struct client, buf));
	client->report = report;
	client->age = report->ages++;
	client->watch = (struct loop_watch){.fd = fd, .ready = client_ready, .context = client};
	if (loop_add(report->supervisor->loop, &client->watch, EPOLLOUT)) {
		close(fd);
		free(client);
		return;
	}
	find_holders(client);
	*find_room(report) = client;
}

/* Edge-triggered: without descriptors to accept with, it waits for the next client. */
static void report_ready(struct loop_watch *watch, uint32_t events)
{
	struct report *report = watch->context;

	(void)events;
	for (int i = 0; i < REPORT_CLIENTS; i++) {
		int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		add_client(report, fd);
	}
}

/* ---- where it is asked ---- */

/* Nobody is to find the socket before it answers: it gets its name when it does. */
static int listen_at(struct report *report, const char *dir)
{
	struct sockaddr_un hidden;
	int fd = report->watch.fd;

	report_dir_address(&hidden, dir, report->about.run, true);
	report_dir_address(&report->addr, dir, report->about.run, false);
	unlink(hidden.sun_path);
	if (bind(fd, (const struct sockaddr *)&hidden, sizeof(hidden)))
		return -errno;
	/* Left by a process that had our number; unless it lives, and only sees other numbers. */
	int other = report_dir_connect(&report->addr);
	if (other >= 0)
		close(other);
	bool free_for_us = other == -ECONNREFUSED || other == -ENOENT;
	if (free_for_us && listen(fd, REPORT_CLIENTS) == 0 &&
	    rename(hidden.sun_path, report->addr.sun_path) == 0)
		return 0;
	int err = free_for_us ? -errno : -EADDRINUSE;
	unlink(hidden.sun_path);
	report->addr.sun_path[0] = 0;
	return err;
}

static int open_socket(struct report *report)
{
	int err = 0;

	report->watch = (struct loop_watch){
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
		.ready = report_ready,
		.context = report,
	};
	if (report->watch.fd < 0)
		return -errno;
	/* Whoever leaves last removes the directory, maybe just now. */
	for (int i = 0; i < TRIES; i++) {
		err = report_dir_make(report->dir);
		if (!err)
			err = listen_at(report, report->dir);
		if (err != -ENOENT)
			break;
	}
	if (err)
		return err;
	return loop_add(report->supervisor->loop, &report->watch, EPOLLIN | (uint32_t)EPOLLET);
}

static int copy_addresses(struct report *report, const struct run_options *options)
{
	size_t n = options->address_count;

	report->addresses = calloc(n + 1, sizeof(*report->addresses));
	report->prefixes = calloc(n + 1, sizeof(*report->prefixes));
	if (!report->addresses || !report->prefixes)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		report->addresses[i] = options->addresses[i].addr;
		report->prefixes[i] = options->addresses[i].prefix;
	}
	report->about.addresses = report->addresses;
	report->about.prefixes = report->prefixes;
	report->about.address_count = n;
	return 0;
}

struct report *report_open(struct supervisor *supervisor, const struct run_options *options,
			   pid_t pid)
{
	struct report *report = calloc(1, sizeof(*report));
	int err = -ENOMEM;

	if (report) {
		report->supervisor = supervisor;
		report->host = sock_host(supervisor->layer);
		report->watch.fd = -1;
		report->about = (struct report_about){
			.run = getpid(),
			.program = pid,
			.argv = options->argv,
			.device = options->device->name,
			.started = loop_now(supervisor->loop),
		};
		err = copy_addresses(report, options);
		if (!err)
			err = open_socket(report);
	}
	if (!err)
		return report;
	fprintf(stderr, "parley run: 'parley ss' will not see this host: %s\n", strerror(-err));
	report_close(report);
	return NULL;
}

void report_close(struct report *report)
{
	if (!report)
		return;
	/* First of all, so that whose report is cut short now can tell why. */
	if (report->addr.sun_path[0]) {
		unlink(report->addr.sun_path);
		rmdir(report->dir); /* unless others are there */
		loop_remove(report->supervisor->loop, &report->watch);
	}
	for (int i = 0; i < REPORT_CLIENTS; i++) {
		if (report->clients[i])
			drop_client(report->clients[i]);
	}
	if (report->watch.fd >= 0)
		close(report->watch.fd);
	free(report->addresses);
	free(report->prefixes);
	free(report);
}
