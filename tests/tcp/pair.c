/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include "base/checksum.h"
#include "tcp/observe.h"
#include "tcp/status.h"
#include "wire/ip.h"

#include <stdlib.h>
#include <string.h>

#define PORT 80

/* Memory as it is elsewhere: full of what was there before. */
static void *get(void *context, size_t size, size_t align)
{
	void *memory = aligned_alloc(align, (size + align - 1) / align * align);

	(void)context;
	if (memory)
		memset(memory, 0xa5, size);
	return memory;
}

static void put(void *context, void *memory, size_t size)
{
	(void)context;
	(void)size;
	free(memory);
}

static void watch(void *context, const struct parley_trace_event *event)
{
	struct pair *pair = context;

	if (event->kind != PARLEY_TRACE_STATE)
		return;
	assert_true(
		tcb_edge((enum parley_state)event->value[0], (enum parley_state)event->value[1]));
	pair->edges[event->value[0]] |= 1u << event->value[1];
}

void pair_init(struct pair *pair)
{
	const struct parley_allocator allocator = {get, put, NULL};

	memset(pair, 0, sizeof *pair);
	pair->last = &pair->first;
	pair->now = SEC(1);
	pair->cap = 16u << 20;
	for (int i = 0; i < 2; i++) {
		const uint8_t secret[16] = {(uint8_t)i, 5};
		const struct tcp_config config = {
			secret, &pair->memory[i], checksum_sum, watch, pair,
		};

		memory_init(&pair->memory[i], &allocator, pair->cap);
		assert_true(tcp_init(&pair->tcp[i], &config, pair->now));
		egress_init(&pair->egress[i], 1500);
		tcp_attach(&pair->tcp[i], 1, &pair->egress[i]);
	}
}

static struct parley_endpoint end(const struct pair *pair, int i)
{
	uint16_t port = i == 0 && !pair->both_connect && !pair->loop ? 40000 : PORT;

	return (struct parley_endpoint){ip_from_v4(0x0a000001u + (pair->loop ? 0 : (uint32_t)i)),
					port};
}

static void fly(struct pair *pair, int from, const struct tuple *tuple,
		const struct segment *segment, const struct tcp_out *out)
{
	struct flying *f = malloc(sizeof *f + segment->text_len);
	uint32_t at = 0;

	assert_non_null(f);
	f->next = NULL;
	f->at = pair->now + PAIR_DELAY;
	f->to = pair->loop ? from : !from;
	f->tuple = (struct tuple){tuple->remote, tuple->local, tuple->remote_port,
				  tuple->local_port};
	f->segment = *segment;
	for (uint32_t i = 0; out && i < out->span_count; i++) {
		memcpy(f->text + at, out->spans[i].data, out->spans[i].len);
		at += out->spans[i].len;
		tcp_release_block(out->spans[i].block);
	}
	assert_int_equal(at, segment->text_len);
	*pair->last = f;
	pair->last = &f->next;
}

static void output(struct pair *pair, int i)
{
	struct reply reply;
	struct tcb *tcb;

	while (egress_pop_reply(&pair->egress[i], &reply)) {
		struct segment segment;

		reply_segment(&reply, &segment);
		fly(pair, i, &reply.tuple, &segment, NULL);
	}
	while ((tcb = egress_pop(&pair->egress[i]))) {
		struct tcp_out out;

		while (tcp_output(&pair->tcp[i], tcb, &out))
			fly(pair, i, &out.tuple, &out.segment, &out);
	}
}

/* Opens, again if there was no memory. */
static void user_opens(struct pair *pair, int i)
{
	struct parley_open open = {.size = sizeof open, .local = end(pair, i), .backlog = 4};
	struct user *user = &pair->user[i];
	int error = 0;

	if (user->listens && !user->listener)
		error = user_listen(&pair->tcp[i], &open, &user->listener);
	if (user->connects && !user->opened) {
		open.remote = end(pair, !i);
		error = user_connect(&pair->tcp[i], &open, 1, &user->conn);
		user->opened = !error;
	}
	assert_true(error == 0 || error == -PARLEY_ENOBUFS);
	if (user->listener && !user->opened)
		user->opened = !user_accept(&pair->tcp[i], user->listener, 0, &user->conn);
}

static void user_sends_some(struct pair *pair, int i)
{
	struct user *user = &pair->user[i];
	uint8_t bytes[3000];
	int64_t n = 1;

	while (user->sent < user->total && n > 0) {
		struct parley_span span = {bytes, user->total - user->sent};

		if (span.len > sizeof bytes)
			span.len = sizeof bytes;
		for (size_t k = 0; k < span.len; k++)
			bytes[k] = pattern(user->sent + k);
		n = user_send(&pair->tcp[i], user->conn, &span, 1,
			      user->urgent && user->sends++ % 3 == 0 ? PARLEY_SEND_URGENT : 0);
		if (n > 0)
			user->sent += (uint32_t)n;
		if (n > 0 && user->urgent && user->sends % 3 == 1)
			user->mark = user->sent;
	}
}

static void user_reads_some(struct pair *pair, int i)
{
	struct user *user = &pair->user[i];
	uint8_t bytes[3000];
	int64_t n;

	n = user_urgent(&pair->tcp[i], user->conn);
	if (n > 0) {
		assert_true(user->read + (uint64_t)n >= user->told);
		user->told = user->read + (uint32_t)n;
	}
	while ((n = user_receive(&pair->tcp[i], user->conn, bytes, sizeof bytes)) > 0)
		for (int64_t k = 0; k < n; k++)
			assert_int_equal(bytes[k], pattern(user->read++));
	if (!n)
		user->ended = true;
	if (n < 0 && n != -PARLEY_EAGAIN) {
		user->error = (int)-n;
		user->ended = true;
	}
}

static void user_acts(struct pair *pair, int i)
{
	struct user *user = &pair->user[i];
	struct tcp *tcp = &pair->tcp[i];
	struct parley_status status = {.size = sizeof status};

	user_opens(pair, i);
	if (!user->opened || user->released)
		return;
	assert_int_equal(status_get(tcp, user->conn, &status), 0);
	if (status.error == PARLEY_ECONNREFUSED) { /* nobody listened yet: once more */
		assert_int_equal(user_release(tcp, user->conn), 0);
		user->opened = false;
		user->error = 0;
		return;
	}
	if (status.state == PARLEY_SYN_SENT || status.state == PARLEY_SYN_RECEIVED)
		return;
	user_sends_some(pair, i);
	user_reads_some(pair, i);
	if (!user->shut && user->sent == user->total && (user->eager || user->ended)) {
		user_shutdown(tcp, user->conn, PARLEY_SHUT_WR);
		user->shut = true;
	}
	if (user->error || (user->ended && user->shut)) {
		assert_int_equal(user_release(tcp, user->conn), 0);
		user->released = true;
	}
	if (user->released && user->listener) {
		assert_int_equal(user_close(tcp, user->listener), 0);
		user->listener = PARLEY_NO_CONN;
		user->listens = false;
	}
}

static void settle(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		struct parley_event event;

		if (pair->loop && i)
			continue;
		user_acts(pair, i);
		output(pair, i);
		while (notice_drain(&pair->tcp[i], &event, 1))
			if (event.error && event.conn == pair->user[i].conn)
				pair->user[i].error = event.error;
		if (tcp_check(&pair->tcp[i]))
			fail_msg("%s", tcp_check(&pair->tcp[i]));
	}
	if (pair->each_step)
		pair->each_step(pair);
}

static void advance(struct pair *pair, uint64_t to)
{
	if (to > pair->now)
		pair->now = to;
	for (int i = 0; i < 2; i++)
		tcp_set_now(&pair->tcp[i], pair->now);
}

static bool step(struct pair *pair)
{
	uint64_t at = pair->first ? pair->first->at : UINT64_MAX;

	/* A user who could not open tries again. */
	for (int i = 0; i < 2; i++)
		if ((pair->user[i].connects && !pair->user[i].opened) ||
		    (pair->user[i].listens && !pair->user[i].listener))
			at = at < pair->now + MS(100) ? at : pair->now + MS(100);
	for (int i = 0; i < 2; i++)
		if (tcp_deadline(&pair->tcp[i]) < at)
			at = tcp_deadline(&pair->tcp[i]);
	if (at == UINT64_MAX)
		return false;
	advance(pair, at);
	while (pair->first && pair->first->at <= pair->now) {
		struct flying *f = pair->first;
		struct arrival arrival = {.tuple = f->tuple, .ifindex = 1, .at = pair->now};

		pair->first = f->next;
		if (!pair->first)
			pair->last = &pair->first;
		f->segment.text = f->text;
		tcp_arrives(&pair->tcp[f->to], &arrival, &f->segment);
		free(f);
	}
	for (int i = 0; i < 2; i++)
		tcp_expire(&pair->tcp[i]);
	return true;
}

void pair_run(struct pair *pair)
{
	uint64_t begin = pair->now;

	do {
		settle(pair);
		if (pair->now - begin > SEC(3600))
			fail_msg("it does not end: sent %u and %u, read %u and %u",
				 pair->user[0].sent, pair->user[1].sent, pair->user[0].read,
				 pair->user[1].read);
	} while (step(pair));
}

void pair_done(struct pair *pair)
{
	assert_null(pair->first);
	for (int i = 0; i < 2; i++) {
		memory_fail_at(&pair->memory[i], 0);
		assert_int_equal(pair->tcp[i].slots.used, 0);
		tcp_close(&pair->tcp[i]);
		assert_true(memory_is_empty(&pair->memory[i]));
		memory_close(&pair->memory[i]);
	}
}
