/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include "base/checksum.h"
#include "net/host.h"
#include "tcp/canonical.h"
#include "tcp/tcb.h"
#include "wire/eth.h"
#include "wire/icmpv6.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

static void *get(void *context, size_t size, size_t align)
{
	struct rig *rig = context;
	void *slab;

	if (rig->slabs >= rig->slabs_max)
		return NULL;
	rig->slabs++;
	slab = aligned_alloc(align, size);
	demand(slab);
	memset(slab, 0xa5, size);
	return slab;
}

static void put(void *context, void *slab, size_t size)
{
	struct rig *rig = context;

	demand(size == PARLEY_SLAB && rig->slabs > 0);
	rig->slabs--;
	free(slab);
}

static struct rig_handle *handle_of(struct rig *rig, parley_conn conn)
{
	for (int i = 0; conn && i < RIG_HANDLES; i++)
		if (rig->handles[i].conn == conn)
			return &rig->handles[i];
	return NULL;
}

/*
 * A connection is in LISTEN, for the first time or again: a handshake that broke off took with it
 * what the user had sent for it, and the next one begins another stream.
 */
static void begin_anew(struct rig *rig, parley_conn conn)
{
	struct rig_handle *handle = handle_of(rig, conn);

	if (!handle)
		return;
	handle->written = 0;
	handle->read = 0;
}

static void watch(void *context, const struct parley_trace_event *event)
{
	char json[1024];

	demand(parley_trace_json(event, json, sizeof json) > 0);
	if (event->kind != PARLEY_TRACE_STATE)
		return;
	demand(tcb_edge((enum parley_state)event->value[0], (enum parley_state)event->value[1]));
	if (event->value[1] == PARLEY_LISTEN)
		begin_anew(context, event->conn);
}

static struct parley_addr address(const char *text)
{
	struct parley_addr addr;

	demand(text_read_addr(&addr, text));
	return addr;
}

void rig_init(struct rig *rig, enum parley_link link, bool v6, uint32_t mtu, uint32_t offload)
{
	struct parley_config config = {
		.size = sizeof config,
		.secret = "a fuzzed secret",
		.allocator = {get, put, rig},
		.memory_limit = RIG_MEMORY,
		.trace = watch,
		.trace_context = rig,
	};

	memset(rig, 0, sizeof *rig);
	rig->slabs_max = UINT32_MAX;
	rig->now = RIG_MS(1000000);
	rig->us = address(v6 ? "2001:db8::1" : "192.0.2.1");
	rig->peer = address(v6 ? "2001:db8::2" : "192.0.2.2");
	rig->interface = (struct parley_interface){
		.size = sizeof rig->interface,
		.name = "eth0",
		.link = link,
		.mac = {2, 0, 0, 0, 0, 1},
		.mtu = mtu,
		.offload = offload,
	};
	demand(parley_host_new(&config, rig->now, &rig->host) == 0);
	rig->ifindex = parley_interface_add(rig->host, rig->now, &rig->interface);
	demand(rig->ifindex == 1);
	demand(parley_set(rig->host, rig->now, PARLEY_NO_CONN, PARLEY_SET_DAD, 0) == 0);
	demand(parley_address_add(rig->host, rig->now, 1, &rig->us, v6 ? 64 : 24) == 0);
}

uint8_t rig_users(uint64_t offset)
{
	return (uint8_t)((uint32_t)offset * 2654435761u >> 11 ^ (uint32_t)offset);
}

uint8_t rig_peers(uint32_t seq)
{
	return (uint8_t)(seq * 2246822519u >> 13 ^ seq >> 8 ^ seq);
}

bool rig_find(const struct rig *rig, uint16_t local_port, uint16_t remote_port,
	      struct parley_status *status)
{
	uint64_t cursor = 0;

	status->size = sizeof *status;
	while (parley_each(rig->host, &cursor, status) > 0)
		if (status->local.port == local_port && status->remote.port == remote_port)
			return true;
	return false;
}

static struct rig_flow *flow_of(struct rig *rig, uint16_t local_port, uint16_t remote_port)
{
	for (int i = 0; i < RIG_FLOWS; i++) {
		struct rig_flow *flow = &rig->flows[i];

		if (flow->used && flow->local_port == local_port &&
		    flow->remote_port == remote_port)
			return flow;
		if (!flow->used) {
			flow->used = true;
			flow->local_port = local_port;
			flow->remote_port = remote_port;
			return flow;
		}
	}
	return NULL;
}

/* The offered window's right edge. */
static void judge_edge(struct rig *rig, struct rig_flow *flow, const struct segment *seg,
		       parley_conn conn)
{
	struct parley_tcp_info info = {.size = sizeof info};
	struct seq edge;
	uint8_t shift;

	if (!conn || !(seg->flags & TCP_ACK) || seg->flags & TCP_RST ||
	    parley_tcp_info(rig->host, conn, &info) != 0)
		return;
	shift = seg->flags & TCP_SYN || !info.has_wscale ? 0 : info.rcv_wscale;
	edge = seq_add(seg->ack, (uint32_t)seg->wnd << shift);
	if (flow->edge_known && flow->conn == conn)
		demand(seq_diff(edge, flow->edge) > -(int32_t)(1u << shift));
	if (!flow->edge_known || flow->conn != conn || seq_gt(edge, flow->edge))
		flow->edge = edge;
	flow->edge_known = true;
	flow->conn = conn;
}

/* Text is what the user has written there, and no more than that. */
static void judge_text(struct rig *rig, const struct rig_flow *flow, const struct segment *seg,
		       parley_conn conn)
{
	const struct rig_handle *handle = handle_of(rig, conn);
	uint32_t at = seg->seq.v - flow->iss.v - 1;

	if (!flow->iss_known || !seg->text_len)
		return;
	for (uint32_t i = 0; i < seg->text_len; i++)
		demand(seg->text[i] == rig_users(at + i));
	demand(!handle || at + seg->text_len <= handle->written);
}

static void judge_segment(struct rig *rig, const struct ip_packet *packet, parley_conn conn)
{
	struct segment seg;
	struct rig_flow *flow;

	demand(tcp_verify_checksum(&packet->src, &packet->dst, packet->payload, packet->payload_len,
				   checksum_sum) == WIRE_OK);
	demand(tcp_parse(&seg, packet->payload, packet->payload_len) == WIRE_OK);
	demand(!seg.options.malformed);
	demand(!(rig->answering_rst && seg.flags & TCP_RST));
	flow = flow_of(rig, seg.src_port, seg.dst_port);
	if (!flow)
		return;
	if (seg.flags & TCP_SYN) {
		flow->iss_known = true;
		flow->iss = seg.seq;
		flow->edge_known = false;
	}
	judge_text(rig, flow, &seg, conn);
	judge_edge(rig, flow, &seg, conn);
}

static void judge_ip(struct rig *rig, const uint8_t *bytes, size_t len, parley_conn conn)
{
	struct ip_packet packet;
	struct icmp_message message;
	bool v4 = len && bytes[0] >> 4 == 4;

	demand(len <= rig->interface.mtu);
	demand((v4 ? ipv4_parse(&packet, bytes, len) : ipv6_parse(&packet, bytes, len)) == WIRE_OK);
	demand(packet.header_len + packet.payload_len == len);
	if (packet.protocol == IP_TCP)
		judge_segment(rig, &packet, conn);
	else if (packet.protocol == IP_ICMP)
		demand(icmp_parse(&message, packet.payload, packet.payload_len) == WIRE_OK);
	else
		demand(packet.protocol == IP_ICMPV6 && icmpv6_parse(&message, &packet) == WIRE_OK);
}

static void judge_frame(struct rig *rig, const struct parley_frame *frame)
{
	struct eth_frame eth;
	int n;

	for (unsigned i = 0; (n = parley_frame_flatten(frame, i, rig->out, sizeof rig->out)); i++) {
		demand(n > 0);
		if (rig->interface.link == PARLEY_LINK_IP) {
			judge_ip(rig, rig->out, (size_t)n, frame->conn);
			continue;
		}
		demand(eth_parse(&eth, rig->out, (size_t)n) == WIRE_OK);
		demand(!memcmp(eth.src.b, rig->interface.mac, sizeof eth.src.b));
		if (eth.type != ETH_ARP)
			judge_ip(rig, eth.payload, eth.payload_len, frame->conn);
	}
}

static void drain(struct rig *rig)
{
	struct parley_frame frames[4];
	struct parley_event events[4];
	int n;

	for (unsigned rounds = 0;; rounds++) {
		demand(rounds < 20000); /* output without end */
		while ((n = parley_events(rig->host, events, 4)) > 0)
			;
		n = parley_output(rig->host, rig->ifindex, rig->now, frames, 4);
		demand(n >= 0 && n <= 4);
		if (!n)
			return;
		for (int i = 0; i < n; i++)
			judge_frame(rig, &frames[i]);
		parley_release(rig->host, frames, n);
	}
}

void rig_step(struct rig *rig)
{
	const char *broken;

	drain(rig);
	broken = parley_check(rig->host);
	if (broken)
		fuzz_fail(__FILE__, __LINE__, broken);
	demand(parley_memory_charged(rig->host) <= RIG_MEMORY);
	demand(parley_counter(rig->host, PARLEY_COUNTER_MUST_FAILED) == 0);
}

void rig_input(struct rig *rig, const uint8_t *frame, size_t len, uint16_t segment_size,
	       bool is_rst)
{
	uint8_t *copy = exact(frame, len);
	struct parley_rx rx = {
		.data = copy,
		.len = len,
		.ifindex = rig->ifindex,
		.segment_size = segment_size,
	};

	demand(parley_input(rig->host, rig->now, &rx, 1) == 0);
	free(copy);
	rig->answering_rst = is_rst;
	rig_step(rig);
	rig->answering_rst = false;
}

void rig_wait(struct rig *rig, uint64_t ns)
{
	uint64_t until = rig->now + ns, at;

	for (unsigned fired = 0; (at = parley_deadline(rig->host)) <= until; fired++) {
		if (fired == 200) /* probes and keep-alives go on for ever: leap over them */
			break;
		if (at > rig->now)
			rig->now = at;
		parley_expire(rig->host, rig->now);
		drain(rig);
	}
	rig->now = until;
	for (unsigned fired = 0; parley_deadline(rig->host) <= rig->now; fired++) {
		demand(fired < 2000); /* a timer that fires without end */
		parley_expire(rig->host, rig->now);
		drain(rig);
	}
	rig_step(rig);
}

void rig_wait_timer(struct rig *rig)
{
	uint64_t at = parley_deadline(rig->host), hour = RIG_MS(3600000);

	if (at < rig->now || at > rig->now + hour)
		at = rig->now + (at < rig->now ? 0 : hour);
	rig_wait(rig, at - rig->now);
}

/* The peer ends what the user has given back and only it can end, such as FIN-WAIT-2. */
static void reset(struct rig *rig, const struct parley_status *status)
{
	static const struct eth_addr peer_mac = {{2, 0, 0, 0, 0, 2}};
	struct eth_frame eth = {.src = peer_mac, .type = ETH_IPV6};
	struct segment seg = {
		.src_port = status->remote.port,
		.dst_port = status->local.port,
		.seq = seq(status->rcv_nxt),
		.flags = TCP_RST,
	};
	struct ip_packet ip = {
		.src = status->remote.addr,
		.dst = status->local.addr,
		.protocol = IP_TCP,
		.ttl = 64,
		.payload_len = TCP_HEADER_LEN,
	};
	uint8_t frame[ETH_HEADER_LEN + IPV6_HEADER_LEN + TCP_HEADER_LEN];
	bool v4 = ip_is_v4(&ip.dst);
	size_t head = 0, at;

	if (rig->interface.link == PARLEY_LINK_ETHERNET) {
		memcpy(eth.dst.b, rig->interface.mac, sizeof eth.dst.b);
		eth.type = v4 ? ETH_IPV4 : ETH_IPV6;
		head = eth_emit(frame, &eth);
	}
	at = head + (v4 ? ipv4_emit(frame + head, &ip) : ipv6_emit(frame + head, &ip));
	at += tcp_emit(frame + at, &seg);
	repair_ip(frame + head, at - head);
	rig_input(rig, frame, at, 0, true);
}

static void form_of(const struct rig *rig, struct canonical *form)
{
	form->n = 0;
	tcp_canonical(&rig->host->tcp, form);
}

/* A host at rest stays as it is, in all that decides what comes, whoever looks and asks. */
static void judge_rest(struct rig *rig)
{
	enum { WORDS = 4096 };
	static uint64_t words[2][WORDS];
	struct canonical before = {.word = words[0], .cap = WORDS};
	struct canonical after = {.word = words[1], .cap = WORDS};
	struct parley_status status = {.size = sizeof status};
	struct parley_frame frame;
	uint64_t cursor = 0;

	rig_wait(rig, 0);
	form_of(rig, &before);
	parley_expire(rig->host, rig->now);
	demand(parley_output(rig->host, rig->ifindex, rig->now, &frame, 1) == 0);
	while (parley_each(rig->host, &cursor, &status) > 0)
		;
	demand(parley_check(rig->host) == NULL);
	form_of(rig, &after);
	demand(before.n == after.n);
	demand(!memcmp(words[0], words[1],
		       (before.n < WORDS ? before.n : WORDS) * sizeof words[0][0]));
}

/* Nothing may be left: not a connection, not a byte. */
void rig_done(struct rig *rig)
{
	struct parley_status status = {.size = sizeof status};
	uint64_t cursor = 0;

	judge_rest(rig);
	rig->slabs_max = UINT32_MAX;
	for (int i = 0; i < RIG_HANDLES; i++) {
		if (!rig->handles[i].conn)
			continue;
		rig_receive(rig, &rig->handles[i], 1 << 20);
		parley_abort(rig->host, rig->now, rig->handles[i].conn);
		parley_release_conn(rig->host, rig->now, rig->handles[i].conn);
		rig_step(rig);
	}
	for (int i = 0; i < 100 && parley_each(rig->host, &cursor, &status) > 0; i++) {
		if (i >= 20)
			reset(rig, &status);
		rig_wait_timer(rig);
		cursor = 0;
	}
	cursor = 0;
	if (parley_each(rig->host, &cursor, &status) > 0)
		fuzz_fail(__FILE__, __LINE__, parley_state_name((int)status.state));
	parley_host_free(rig->host);
	demand(rig->slabs == 0);
}
