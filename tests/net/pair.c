/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include "wire/text.h"

enum { BATCH = 8 };

static struct parley_addr address(const char *text)
{
	struct parley_addr addr;

	assert_true(text_read_addr(&addr, text));
	return addr;
}

static void make_end(struct pair *pair, int i)
{
	static const char *const addresses[2][2] = {
		{"192.0.2.1", "192.0.2.2"},
		{"2001:db8::1", "2001:db8::2"},
	};
	struct pair_end *end = &pair->end[i];
	struct parley_config config = {
		.size = sizeof config,
		.memory_limit = pair->config.memory_limit,
		.trace = pair->config.trace[i],
		.trace_context = pair->config.context,
	};
	struct parley_interface interface = {
		.size = sizeof interface,
		.name = "wire",
		.link = pair->config.link,
		.mac = {2, 0, 0, 0, 0, (uint8_t)(i + 1)},
		.mtu = pair->config.mtu,
		.offload = pair->config.offload,
	};

	memset(config.secret, 0x51 + i, sizeof config.secret);
	config.allocator = slabs_allocator(&end->slabs);
	end->last = &end->first;
	end->addr = address(addresses[pair->config.v6][i]);
	assert_int_equal(parley_host_new(&config, pair->now, &end->host), 0);
	end->ifindex = parley_interface_add(end->host, pair->now, &interface);
	assert_true(end->ifindex > 0);
	/* Nothing but what the tests send. */
	parley_set(end->host, pair->now, PARLEY_NO_CONN, PARLEY_SET_DAD, 0);
	parley_set(end->host, pair->now, PARLEY_NO_CONN, PARLEY_SET_AUTOCONF, 0);
	assert_int_equal(parley_address_add(end->host, pair->now, end->ifindex, &end->addr,
					    pair->config.v6 ? 64 : 24),
			 0);
}

void pair_init(struct pair *pair, const struct pair_config *config)
{
	*pair = (struct pair){.now = PAIR_S(1)};
	if (config)
		pair->config = *config;
	if (!pair->config.mtu)
		pair->config.mtu = 1500;
	make_end(pair, 0);
	make_end(pair, 1);
}

void pair_free(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		struct pair_end *end = &pair->end[i];

		while (end->first) {
			struct pair_frame *frame = end->first;

			end->first = frame->next;
			free(frame);
		}
		parley_host_free(end->host);
		assert_int_equal(end->slabs.out, 0);
	}
}

static void check(const struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		const char *broken = parley_check(pair->end[i].host);

		if (broken)
			fail_msg("host %d: %s", i, broken);
	}
}

/* Puts bytes on the wire from host `from`. */
static void carry(struct pair *pair, int from, uint8_t *bytes, size_t len,
		  const struct parley_frame *whole)
{
	struct pair_end *to = &pair->end[!from];
	struct pair_frame *frame;

	pair->end[from].sent++;
	if (pair->config.hook && !pair->config.hook(pair->config.context, from, bytes, &len))
		return;
	frame = malloc(sizeof *frame + len);
	assert_non_null(frame);
	*frame = (struct pair_frame){.due = pair->now + pair->config.delay, .len = len};
	frame->verified = whole;
	frame->segment_size = whole ? whole->segment_size : 0;
	memcpy(frame->bytes, bytes, len);
	*to->last = frame;
	to->last = &frame->next;
}

/* A frame as a device that can do everything would take it: in one piece, sums left undone. */
static size_t copy_whole(const struct parley_frame *frame, uint8_t *bytes)
{
	size_t len = frame->header_len;

	memcpy(bytes, frame->header, len);
	for (uint32_t i = 0; i < frame->span_count; i++) {
		memcpy(bytes + len, frame->spans[i].data, frame->spans[i].len);
		len += frame->spans[i].len;
	}
	assert_int_equal(len, frame->len);
	return len;
}

static void transmit(struct pair *pair, int from, const struct parley_frame *frame)
{
	static uint8_t bytes[PAIR_FRAME_MAX];
	int len;

	if (pair->config.coalesced && frame->checksum_partial) {
		carry(pair, from, bytes, copy_whole(frame, bytes), frame);
		return;
	}
	for (unsigned i = 0; (len = parley_frame_flatten(frame, i, bytes, sizeof bytes)) > 0; i++)
		carry(pair, from, bytes, (size_t)len, NULL);
	assert_int_equal(len, 0);
}

static void flush_end(struct pair *pair, int i)
{
	struct pair_end *end = &pair->end[i];
	struct parley_frame frames[BATCH];
	int n;

	do {
		n = parley_output(end->host, end->ifindex, pair->now, frames, BATCH);
		assert_in_range(n, 0, BATCH);
		for (int k = 0; k < n; k++)
			transmit(pair, i, &frames[k]);
		parley_release(end->host, frames, n);
	} while (n == BATCH);
	assert_false(parley_output_pending(end->host, end->ifindex));
}

void pair_flush(struct pair *pair)
{
	flush_end(pair, 0);
	flush_end(pair, 1);
	check(pair);
}

/* Delivers what is due at one end; whether there was anything. */
static bool deliver(struct pair *pair, int i)
{
	struct pair_end *end = &pair->end[i];
	bool any = false;

	while (end->first && end->first->due <= pair->now) {
		struct pair_frame *frame = end->first;
		struct parley_rx rx = {
			.data = frame->bytes,
			.len = frame->len,
			.ifindex = end->ifindex,
			.arrival = pair->now,
			.segment_size = frame->segment_size,
			.checksum_verified = frame->verified,
		};

		end->first = frame->next;
		if (!end->first)
			end->last = &end->first;
		assert_int_equal(parley_input(end->host, pair->now, &rx, 1), 0);
		end->arrived++;
		free(frame);
		any = true;
	}
	return any;
}

static uint64_t next_time(const struct pair *pair)
{
	uint64_t at = UINT64_MAX;

	for (int i = 0; i < 2; i++) {
		const struct pair_end *end = &pair->end[i];
		uint64_t deadline = parley_deadline(end->host);

		if (deadline < at)
			at = deadline;
		if (end->first && end->first->due < at)
			at = end->first->due;
	}
	return at;
}

void pair_run(struct pair *pair, uint64_t duration)
{
	uint64_t end = pair->now + duration;

	for (;;) {
		uint64_t next;

		pair_flush(pair);
		if (deliver(pair, 0) || deliver(pair, 1))
			continue;
		next = next_time(pair);
		if (next > end)
			break;
		if (next > pair->now)
			pair->now = next;
		parley_expire(pair->end[0].host, pair->now);
		parley_expire(pair->end[1].host, pair->now);
	}
	pair->now = end;
}

parley_conn pair_listen(struct pair *pair, uint16_t port)
{
	struct parley_open open = {.size = sizeof open, .local.port = port, .backlog = 128};
	parley_conn listener = PARLEY_NO_CONN;

	assert_int_equal(parley_listen(pair->end[1].host, pair->now, &open, &listener), 0);
	return listener;
}

parley_conn pair_open(struct pair *pair, uint16_t port)
{
	struct parley_open open = {
		.size = sizeof open,
		.remote = {.addr = pair->end[1].addr, .port = port},
	};
	parley_conn conn = PARLEY_NO_CONN;

	assert_int_equal(parley_connect(pair->end[0].host, pair->now, &open, &conn), 0);
	return conn;
}

void pair_connect(struct pair *pair, uint16_t port, parley_conn *client, parley_conn *server)
{
	parley_conn listener = pair_listen(pair, port);

	*client = pair_open(pair, port);
	pair_run(pair, 8 * pair->config.delay + PAIR_MS(1));
	assert_int_equal(parley_accept(pair->end[1].host, pair->now, listener, 0, server), 0);
	assert_int_equal(pair_state(pair, 0, *client), PARLEY_ESTABLISHED);
	assert_int_equal(pair_state(pair, 1, *server), PARLEY_ESTABLISHED);
}

void pair_send(struct pair *pair, int end, parley_conn conn, const char *text)
{
	struct parley_span span = {text, strlen(text)};

	assert_int_equal(parley_send(pair->end[end].host, pair->now, conn, &span, 1, 0), span.len);
}

void pair_expect(struct pair *pair, int end, parley_conn conn, const char *text)
{
	char bytes[4096];
	int64_t n = parley_receive(pair->end[end].host, pair->now, conn, bytes, sizeof bytes);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(bytes, text, strlen(text));
}

enum parley_state pair_state(const struct pair *pair, int end, parley_conn conn)
{
	struct parley_status status = {.size = sizeof status};

	if (parley_status(pair->end[end].host, conn, &status))
		return PARLEY_CLOSED;
	return status.state;
}
