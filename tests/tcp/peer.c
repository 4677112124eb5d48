/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include "base/checksum.h"
#include "tcp/demux.h"
#include "tcp/observe.h"
#include "tcp/secret.h"
#include "tcp/status.h"
#include "wire/ip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory as it is elsewhere: full of what was there before. */
static void *get(void *context, size_t size, size_t align)
{
	void *memory = aligned_alloc(align < 16 ? 16 : align, (size + align - 1) / align * align);

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

uint8_t pattern(uint64_t n)
{
	return (uint8_t)((n * 2654435761u) >> 11 ^ n);
}

static void watch(void *context, const struct parley_trace_event *event)
{
	struct peer *p = context;

	if (p->also)
		p->also(p->also_context, event);
	if (event->kind == PARLEY_TRACE_SEGMENT_OUT)
		p->why = (enum parley_why)event->value[9];
	if (event->kind != PARLEY_TRACE_STATE)
		return;
	/* Every edge is in the table, and STATE events form a chain. */
	assert_true(
		tcb_edge((enum parley_state)event->value[0], (enum parley_state)event->value[1]));
	p->edges[event->value[0]] |= 1u << event->value[1];
}

static void start(struct peer *p, uint64_t now)
{
	static const uint8_t secret[16] = "a tcp under test";
	const struct parley_allocator allocator = {get, put, NULL};
	const struct tcp_config config = {
		secret, &p->memory, checksum_sum, watch, p,
	};

	memset(p, 0, sizeof *p);
	memory_init(&p->memory, &allocator, PEER_LIMIT);
	assert_true(tcp_init(&p->tcp, &config, now));
	memset(&p->egress, 0xa5, sizeof p->egress);
	egress_init(&p->egress, 1500);
	tcp_attach(&p->tcp, 1, &p->egress);
	p->tuple = (struct tuple){
		.local = ip_from_v4(0xc0000201),
		.remote = ip_from_v4(0xc0000202),
		.local_port = 80,
		.remote_port = 40000,
	};
	p->where = "peer";
	p->mss = PEER_MSS;
	p->wscale = -1;
	p->wnd = 50000;
	p->irs = seq(300000);
	p->how = PEER_ACTIVE;
}

void peer_init(struct peer *p)
{
	start(p, SEC(1));
	p->iss = secret_isn(&p->tcp, &p->tuple);
}

void peer_init_at(struct peer *p, uint32_t iss, uint32_t irs)
{
	uint32_t ticks;

	start(p, 0);
	ticks = iss - secret_isn(&p->tcp, &p->tuple).v;
	tcp_set_now(&p->tcp, (uint64_t)ticks * 4000);
	p->iss = secret_isn(&p->tcp, &p->tuple);
	p->irs = seq(irs);
	assert_int_equal(p->iss.v, iss);
}

void peer_done(struct peer *p)
{
	memory_fail_at(&p->memory, 0);
	tcp_close(&p->tcp);
	assert_true(memory_is_empty(&p->memory));
	memory_close(&p->memory);
}

uint16_t peer_flags(const char *text)
{
	static const struct {
		char letter;
		uint16_t flag;
	} letters[] = {
		{'S', TCP_SYN}, {'F', TCP_FIN}, {'R', TCP_RST}, {'P', TCP_PSH},
		{'.', TCP_ACK}, {'U', TCP_URG}, {'-', 0},
	};
	uint16_t flags = 0;

	for (; *text; text++)
		for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
			if (letters[i].letter == *text)
				flags |= letters[i].flag;
	return flags;
}

const char *peer_flags_text(uint16_t flags)
{
	static char text[TCP_FLAGS_TEXT_MAX];

	return tcp_flags_text(text, flags);
}

/* Is the text the pattern's, from the relative sequence number on? */
static void check_text(const struct peer *p, const struct tcp_out *out)
{
	uint64_t at = out->segment.seq.v - p->iss.v - 1;
	uint32_t len = 0;

	for (uint32_t i = 0; i < out->span_count; i++) {
		for (uint32_t k = 0; k < out->spans[i].len && !p->plain; k++)
			assert_int_equal(out->spans[i].data[k], pattern(at + len + k));
		len += out->spans[i].len;
	}
	assert_int_equal(len, out->segment.text_len);
}

/* The right edge of the window never moves left, but for what scaling rounds (RFC 7323 2.4). */
static void check_edge(struct peer *p, const struct segment *seg, uint32_t wnd)
{
	uint32_t unit = 1u << p->rcv_shift;
	struct seq edge = seq_add(seg->ack, wnd);

	if (!(seg->flags & TCP_ACK) || seg->flags & TCP_RST || p->edge_free)
		return;
	if (p->edge_known)
		assert_true(seq_diff(edge, p->edge) > -(int32_t)unit);
	if (!p->edge_known || seq_gt(edge, p->edge))
		p->edge = edge;
	p->edge_known = true;
}

static void note(struct peer *p, const struct tuple *tuple, const struct segment *seg,
		 enum parley_why why)
{
	uint32_t wnd = seg->wnd;
	bool has_wscale = seg->options.present & TCP_HAS_WSCALE;

	if (seg->flags & TCP_SYN)
		p->rcv_shift = has_wscale && p->wscale >= 0 ? seg->options.wscale : 0;
	else
		wnd <<= p->rcv_shift;
	check_edge(p, seg, wnd);
	assert_true(p->sent_count < PEER_SENT);
	p->sent[(p->sent_first + p->sent_count++) % PEER_SENT] = (struct sent){
		.flags = seg->flags,
		.seq = seg->seq.v - p->iss.v,
		.ack = seg->flags & TCP_ACK ? seg->ack.v - p->irs.v : 0,
		.len = seg->text_len,
		.wnd = wnd,
		.up = seg->up,
		.mss = seg->options.present & TCP_HAS_MSS ? seg->options.mss : 0,
		.wscale = has_wscale ? seg->options.wscale : -1,
		.options = seg->options.present,
		.why = why,
		.at = p->tcp.now,
		.tuple = *tuple,
	};
}

void peer_step(struct peer *p)
{
	struct reply reply;
	struct tcb *tcb;

	while (egress_pop_reply(&p->egress, &reply)) {
		struct segment seg;

		reply_segment(&reply, &seg);
		assert_true(seg.flags & TCP_SYN || !seg.options.present);
		/* As the net layer does it. */
		observe_departure(&p->tcp, reply.conn, &reply.tuple, 1, &seg,
				  (enum parley_state)reply.state, (enum parley_why)reply.why);
		note(p, &reply.tuple, &seg, reply.why);
	}
	while ((tcb = egress_pop(&p->egress))) {
		struct tcp_out out;

		while (tcp_output(&p->tcp, tcb, &out)) {
			check_text(p, &out);
			note(p, &out.tuple, &out.segment, p->why);
			for (uint32_t i = 0; i < out.span_count; i++)
				tcp_release_block(out.spans[i].block);
		}
	}
	if (tcp_check(&p->tcp))
		fail_msg("%s", tcp_check(&p->tcp));
}

void peer_recv(struct peer *p, const char *flags, uint32_t seq, uint32_t ack, uint32_t len,
	       const struct extra *extra)
{
	uint8_t *text = malloc(len ? len : 1);
	uint64_t first;
	struct arrival arrival = {
		.tuple = extra && extra->tuple ? *extra->tuple : p->tuple,
		.ifindex = 1,
		.at = p->tcp.now,
	};
	struct segment seg = {
		.src_port = arrival.tuple.remote_port,
		.dst_port = arrival.tuple.local_port,
		.seq = seq_add(p->irs, seq),
		.flags = peer_flags(flags),
		.text = text,
		.text_len = len,
		.up = extra ? extra->up : 0,
		.header_len = TCP_HEADER_LEN,
	};

	assert_non_null(text);
	first = (uint64_t)seq + !!(seg.flags & TCP_SYN) - 1;
	for (uint32_t i = 0; i < len; i++)
		text[i] = extra && extra->text ? ((const uint8_t *)extra->text)[i]
					       : pattern(first + i);
	if (seg.flags & TCP_ACK)
		seg.ack = seq_add(p->iss, ack);
	if (seg.flags & TCP_SYN || (extra && extra->syn_options)) {
		seg.options.present = (uint8_t)((p->mss ? TCP_HAS_MSS : 0) |
						(p->wscale >= 0 ? TCP_HAS_WSCALE : 0));
		seg.options.mss = p->mss;
		seg.options.wscale = (uint8_t)(p->wscale < 0 ? 0 : p->wscale);
	}
	if (extra && extra->options)
		seg.options = *extra->options;
	seg.wnd = (uint16_t)(seg.flags & TCP_SYN ? p->wnd : p->wnd >> p->snd_shift);
	seg.len = len + !!(seg.flags & TCP_SYN) + !!(seg.flags & TCP_FIN);
	tcp_arrives(&p->tcp, &arrival, &seg);
	free(text);
	peer_step(p);
}

struct sent peer_next(struct peer *p, const char *file, int line)
{
	struct sent sent;

	if (!p->sent_count) {
		print_error("%s: a segment was expected, and none was sent\n", p->where);
		_fail(file, line);
	}
	sent = p->sent[p->sent_first];
	p->sent_first = (p->sent_first + 1) % PEER_SENT;
	p->sent_count--;
	return sent;
}

struct sent peer_expect(struct peer *p, const char *flags, uint32_t seq, uint32_t ack, uint32_t len,
			const char *file, int line)
{
	struct sent sent = peer_next(p, file, line);

	if (sent.flags != peer_flags(flags) || sent.seq != seq || sent.len != len ||
	    (sent.flags & TCP_ACK && sent.ack != ack)) {
		print_error("%s: expected [%s] seq %u ack %u len %u\n", p->where, flags, seq, ack,
			    len);
		print_error("but sent [%s] seq %u ack %u len %u\n", peer_flags_text(sent.flags),
			    sent.seq, sent.ack, sent.len);
		_fail(file, line);
	}
	return sent;
}

void peer_expect_none(struct peer *p, const char *file, int line)
{
	struct sent sent;

	if (!p->sent_count)
		return;
	sent = peer_next(p, file, line);
	print_error("%s: unexpected: sent [%s] seq %u ack %u len %u\n", p->where,
		    peer_flags_text(sent.flags), sent.seq, sent.ack, sent.len);
	_fail(file, line);
}

void peer_forget(struct peer *p)
{
	p->sent_count = 0;
}

void peer_wait(struct peer *p, uint64_t ns)
{
	uint64_t until = p->tcp.now + ns;

	for (int i = 0; tcp_deadline(&p->tcp) <= until; i++) {
		assert_true(i < 100000); /* a timer that fires without end */
		tcp_set_now(&p->tcp, tcp_deadline(&p->tcp));
		tcp_expire(&p->tcp);
		peer_step(p);
	}
	tcp_set_now(&p->tcp, until);
}

static struct parley_open open_of(const struct peer *p, bool remote)
{
	struct parley_open open = {
		.size = sizeof open,
		.local = {p->tuple.local, p->tuple.local_port},
		.user = 7,
		.backlog = 8,
	};

	if (remote)
		open.remote = (struct parley_endpoint){p->tuple.remote, p->tuple.remote_port};
	return open;
}

void peer_connect(struct peer *p)
{
	struct parley_open open = open_of(p, true);

	assert_int_equal(user_connect(&p->tcp, &open, 1, &p->conn), 0);
	peer_step(p);
}

void peer_listen(struct peer *p, uint32_t backlog)
{
	struct parley_open open = open_of(p, false);

	open.backlog = backlog;
	assert_int_equal(user_listen(&p->tcp, &open, &p->listener), 0);
	peer_step(p);
}

void peer_open_passive(struct peer *p)
{
	struct parley_open open = open_of(p, false);

	assert_int_equal(user_open_passive(&p->tcp, &open, &p->conn), 0);
	peer_step(p);
}

void peer_profile(struct peer *p, enum parley_profile profile)
{
	assert_int_equal(user_profile(&p->tcp, profile), 0);
}

void peer_under(struct peer *p, int profile, enum peer_how how, enum parley_state state)
{
	peer_init(p);
	p->where = parley_profile_name(profile);
	peer_profile(p, (enum parley_profile)profile);
	peer_reach(p, how, state);
}

void peer_set(struct peer *p, enum parley_setting setting, int64_t value)
{
	assert_int_equal(user_set(&p->tcp, p->conn, setting, value), 0);
	peer_step(p);
}

parley_conn peer_find(struct peer *p)
{
	uint32_t index = demux_find(&p->tcp, &p->tuple);

	return index == SLOT_NONE ? PARLEY_NO_CONN : slot_handle(&p->tcp.slots, index);
}

enum parley_state peer_state(struct peer *p)
{
	const parley_conn conns[] = {peer_find(p), p->conn, p->listener};
	struct parley_status status = {.size = sizeof status};

	for (size_t i = 0; i < sizeof conns / sizeof *conns; i++)
		if (conns[i] && !status_get(&p->tcp, conns[i], &status))
			return status.state;
	return PARLEY_CLOSED;
}

struct tcb *peer_tcb(struct peer *p)
{
	struct tcb *tcb = slot_object(&p->tcp.slots, p->conn, ENTRY_TCB);

	assert_non_null(tcb);
	return tcb;
}

void user_sends(struct peer *p, uint32_t n)
{
	uint8_t *bytes = malloc(n);
	struct parley_span span = {bytes, n};

	assert_non_null(bytes);
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = pattern(p->written + i);
	assert_int_equal(user_send(&p->tcp, p->conn, &span, 1, 0), n);
	p->written += n;
	free(bytes);
	peer_step(p);
}

void user_receives(struct peer *p, uint32_t n)
{
	uint8_t *bytes = malloc(n);

	assert_non_null(bytes);
	assert_int_equal(user_receive(&p->tcp, p->conn, bytes, n), n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(bytes[i], pattern(p->read + i));
	p->read += n;
	free(bytes);
	peer_step(p);
}

uint32_t peer_events(struct peer *p, parley_conn conn, int *error)
{
	struct parley_event event;
	uint32_t bits = 0;

	if (error)
		*error = 0;
	while (notice_drain(&p->tcp, &event, 1)) {
		if (event.conn != conn)
			continue;
		bits |= event.bits;
		if (error)
			*error = event.error;
	}
	return bits;
}

/* The handshake, to SYN-RECEIVED or ESTABLISHED. */
static void handshake(struct peer *p, bool whole)
{
	uint8_t shift = (uint8_t)(p->wscale < 0 ? 0 : p->wscale);

	if (p->how == PEER_ACTIVE) {
		peer_connect(p);
		expect(p, "S", 0, 0, 0);
		recv(p, whole ? "S." : "S", 0, whole ? 1 : 0, 0);
		whole ? expect(p, ".", 1, 1, 0) : expect(p, "S.", 0, 1, 0);
		p->snd_shift = shift;
		return;
	}
	if (p->how == PEER_PASSIVE)
		peer_open_passive(p);
	else if (!p->listener)
		peer_listen(p, 8);
	recv(p, "S", 0, 0, 0);
	expect(p, "S.", 0, 1, 0);
	p->snd_shift = shift;
	if (whole)
		recv(p, ".", 1, 1, 0);
	if (whole && p->how == PEER_LISTENER)
		assert_int_equal(user_accept(&p->tcp, p->listener, 7, &p->conn), 0);
}

static void shut(struct peer *p, uint32_t ack)
{
	assert_int_equal(user_shutdown(&p->tcp, p->conn, PARLEY_SHUT_WR), 0);
	peer_step(p);
	expect(p, "F.", 1, ack, 0);
}

static void peer_fin(struct peer *p, uint32_t ack, uint32_t nxt)
{
	recv(p, "F.", 1, ack, 0);
	expect(p, ".", nxt, 2, 0);
}

static void reach_closing(struct peer *p, enum parley_state state)
{
	if (state == PARLEY_CLOSE_WAIT || state == PARLEY_LAST_ACK) {
		peer_fin(p, 1, 1);
		if (state == PARLEY_LAST_ACK)
			shut(p, 2);
		return;
	}
	shut(p, 1);
	if (state == PARLEY_CLOSING)
		peer_fin(p, 1, 2);
	if (state == PARLEY_FIN_WAIT_2 || state == PARLEY_TIME_WAIT)
		recv(p, ".", 1, 2, 0);
	if (state == PARLEY_TIME_WAIT)
		peer_fin(p, 2, 2);
}

void peer_reach(struct peer *p, enum peer_how how, enum parley_state state)
{
	p->how = how;
	switch (state) {
	case PARLEY_CLOSED:
		break;
	case PARLEY_LISTEN:
		how == PEER_PASSIVE ? peer_open_passive(p) : peer_listen(p, 8);
		break;
	case PARLEY_SYN_SENT:
		peer_connect(p);
		expect(p, "S", 0, 0, 0);
		break;
	case PARLEY_SYN_RECEIVED:
		handshake(p, false);
		break;
	case PARLEY_ESTABLISHED:
		handshake(p, true);
		break;
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
	case PARLEY_CLOSE_WAIT:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
	case PARLEY_TIME_WAIT:
		handshake(p, true);
		reach_closing(p, state);
		break;
	}
	expect_none(p);
	assert_string_equal(parley_state_name((int)peer_state(p)), parley_state_name((int)state));
}
