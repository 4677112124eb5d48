/* SPDX-License-Identifier: MIT */
/*
 * The door out: frames with what is owed, in this order: probes for duplicate addresses, address
 * resolution, ICMP, the reply ring, then connections, round robin, up to 64 KiB a turn.
 */
#include "base/checksum.h"
#include "base/mem.h"
#include "net/host.h"
#include "net/loopback.h"
#include "tcp/icmp.h"
#include "tcp/observe.h"
#include "wire/eth.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

enum { TURN = 65536, CHECKSUM_AT = 16, LOWER_MAX = 64 };

_Static_assert(ETH_HEADER_LEN + IPV6_HEADER_LEN <= LOWER_MAX, "the headers below TCP's");

enum reach { REACHED, WAITING, UNREACHABLE };

/* How a packet gets to its next hop. */
struct way {
	enum reach reach;
	struct eth_addr to;	     /* REACHED, on Ethernet */
	struct neighbour *neighbour; /* on Ethernet, unless UNREACHABLE */
	enum parley_drop reason;     /* UNREACHABLE */
};

static struct way find_way(struct parley_host *host, struct interface *interface,
			   const struct parley_addr *dst, bool for_reply)
{
	const struct route *route = routes_find(&host->routes, interface->index, dst);
	struct way way = {.reach = UNREACHABLE, .reason = PARLEY_DROP_NO_ROUTE};
	struct parley_addr hop;

	if (interface->index == LOOPBACK_INDEX) {
		way.reach = REACHED;
		return way;
	}
	if (!route)
		return way;
	way.reach = REACHED;
	if (interface->link != PARLEY_LINK_ETHERNET)
		return way;
	hop = route_next_hop(route, dst);
	way.neighbour = neighbour_use(host, interface, &hop, for_reply);
	if (!way.neighbour) {
		way.reach = UNREACHABLE;
		way.reason = PARLEY_DROP_NEIGHBOUR_FAILED;
	} else if (!neighbour_is_known(way.neighbour)) {
		way.reach = WAITING;
	} else {
		way.to = way.neighbour->mac;
	}
	return way;
}

/* A TCP segment on its way down. */
struct departure {
	const struct tuple *tuple;
	const struct segment *segment;
	uint8_t ttl, diffserv;
};

/* The frame before in a turn, if any, and how long its headers below TCP's are. */
struct before {
	const struct parley_frame *frame;
	size_t lower;
};

/* The headers below TCP's say nothing that differs between segments of one length. */
static void repeat_lower(const struct interface *interface, struct parley_frame *frame,
			 const struct parley_frame *before)
{
	interface_blank(interface, frame);
	memcpy(frame->header, before->header, LOWER_MAX);
}

static size_t put_lower(const struct interface *interface, struct parley_frame *frame,
			const struct departure *departure, struct eth_addr to, size_t payload_len)
{
	/* RFC 6864 4.1: whole and not to be fragmented, so the identification says nothing. */
	struct ip_packet packet = {
		.src = departure->tuple->local,
		.dst = departure->tuple->remote,
		.protocol = IP_TCP,
		.ttl = departure->ttl,
		.tos = departure->diffserv & (uint8_t)~IP_ECN_MASK, /* SHLD-22 */
		.df = true,					    /* MAY-4 */
		.payload_len = payload_len,
	};

	return interface_packet(interface, frame, to, &packet);
}

/* Writes all headers, the TCP checksum left 0. Returns where the TCP header begins. */
static size_t put_headers(const struct interface *interface, struct parley_frame *frame,
			  const struct departure *departure, struct eth_addr to,
			  struct before *before)
{
	const struct segment *segment = departure->segment;
	size_t tcp_len = TCP_HEADER_LEN + tcp_options_len(&segment->options);
	size_t payload_len = tcp_len + segment->text_len;

	if (before->frame && before->frame->len == before->lower + payload_len)
		repeat_lower(interface, frame, before->frame);
	else
		before->lower = put_lower(interface, frame, departure, to, payload_len);
	before->frame = frame;
	tcp_emit(frame->header + before->lower, segment);
	frame->header_len = (uint32_t)(before->lower + tcp_len);
	frame->len = frame->header_len + segment->text_len;
	return before->lower;
}

static uint64_t pseudo_sum(const struct parley_frame *frame, const struct departure *departure,
			   size_t at)
{
	return ip_pseudo_sum(&departure->tuple->local, &departure->tuple->remote, IP_TCP,
			     frame->len - (uint32_t)at);
}

static void count_segment(struct tcp *tcp, const struct reply *reply)
{
	bool again = reply->why == PARLEY_WHY_RTO;

	count(tcp, again ? PARLEY_COUNTER_RETRANS_SEGS : PARLEY_COUNTER_OUT_SEGS);
	if (reply->flags & TCP_RST)
		count(tcp, PARLEY_COUNTER_OUT_RSTS);
}

static void fill_reply(struct parley_host *host, struct interface *interface,
		       struct parley_frame *frame, const struct reply *reply, struct eth_addr to)
{
	struct segment segment;
	struct before none = {NULL, 0};
	struct departure departure = {&reply->tuple, &segment, reply->ttl, reply->diffserv};
	size_t at;

	reply_segment(reply, &segment);
	at = put_headers(interface, frame, &departure, to, &none);
	tcp_finish_checksum(frame->header + at, frame->header_len - at,
			    pseudo_sum(frame, &departure, at), 0);
	frame->conn = reply->conn;
	count_segment(&host->tcp, reply);
	observe_departure(&host->tcp, reply->conn, &reply->tuple, interface->index, &segment,
			  (enum parley_state)reply->state, (enum parley_why)reply->why);
}

static bool reply_output(struct parley_host *host, struct interface *interface,
			 struct parley_frame *frame)
{
	struct reply reply;

	while (egress_pop_reply(&interface->egress, &reply)) {
		struct way way = find_way(host, interface, &reply.tuple.remote, true);

		if (way.reach == REACHED) {
			fill_reply(host, interface, frame, &reply, way.to);
			return true;
		}
		if (way.reach == WAITING)
			neighbour_keep(host, interface, way.neighbour, &reply);
		else
			host_drop_reply(host, interface, &reply, way.reason);
	}
	return false;
}

/* Hands the text's spans on, with the references that tcp_output() took; returns their sum. */
static uint64_t attach_text(const struct parley_host *host, const struct interface *interface,
			    struct parley_frame *frame, const struct tcp_out *out)
{
	bool offload = interface->egress.offload_checksum;
	uint64_t sum = 0;
	size_t at = 0;

	frame->span_count = out->span_count;
	for (uint32_t i = 0; i < out->span_count; i++) {
		const struct stream_span *span = &out->spans[i];

		frame->spans[i] = (struct parley_span){span->data, span->len};
		frame->holds[i] = span->block;
		if (!offload)
			sum = checksum_combine_at(sum, host->tcp.checksum(span->data, span->len),
						  at);
		at += span->len;
	}
	return sum;
}

static void fill_segment(struct parley_host *host, struct interface *interface,
			 struct parley_frame *frame, const struct tcp_out *out, struct eth_addr to,
			 struct before *before)
{
	struct departure departure = {&out->tuple, &out->segment, out->ttl, out->diffserv};
	size_t at = put_headers(interface, frame, &departure, to, before);
	uint64_t pseudo = pseudo_sum(frame, &departure, at);
	uint64_t text = attach_text(host, interface, frame, out);
	uint8_t *header = frame->header + at;

	frame->conn = out->conn;
	frame->segment_size = out->segment_size;
	if (interface->egress.offload_checksum) {
		frame->checksum_partial = true;
		frame->checksum_start = (uint16_t)at;
		frame->checksum_offset = CHECKSUM_AT;
		put_be16(header + CHECKSUM_AT, (uint16_t)~checksum_fold(pseudo));
	} else {
		tcp_finish_checksum(header, frame->header_len - at, pseudo, text);
	}
}

static void begin_turn(struct interface *interface, const struct tcb *tcb)
{
	if (interface->turn_of == tcb)
		return;
	interface->turn_of = tcb;
	interface->turn_left = TURN;
}

/*
 * RFC 4861 7.3.1: what the peer acknowledged has come through this neighbour. RFC 1122 3.3.1.4:
 * what was sent R1 times in vain perhaps has not.
 */
static void pass_on_advice(struct parley_host *host, struct interface *interface,
			   const struct way *way, struct tcb *tcb)
{
	uint32_t advice = tcb->flags & (TCB_PROGRESS | TCB_PAST_R1);

	if (!advice)
		return;
	tcb->flags &= ~advice;
	if (!way->neighbour)
		return;
	if (advice & TCB_PROGRESS) {
		neighbour_confirm(host, interface, way->neighbour);
	} else {
		neighbour_doubt(interface, way->neighbour);
		neighbour_use(host, interface, &way->neighbour->addr, false);
	}
}

/*
 * Fills frames with one connection's segments: until it has none, its turn is over, or there is no
 * frame left, when its turn goes on with the next call. Returns how many.
 */
static int take_turn(struct parley_host *host, struct interface *interface, struct tcb *tcb,
		     const struct way *way, struct parley_frame *frames, int n)
{
	struct before before = {NULL, 0};
	struct tcp_out out;
	int filled = 0;

	icmp_interface_mtu(&host->tcp, tcb);
	while (filled < n) {
		struct parley_frame *frame = &frames[filled];

		if (!tcp_output(&host->tcp, tcb, &out)) {
			interface->turn_of = NULL;
			return filled;
		}
		fill_segment(host, interface, frame, &out, way->to, &before);
		filled++;
		if (frame->len >= interface->turn_left) {
			interface->turn_of = NULL;
			egress_push(&interface->egress, tcb);
			return filled;
		}
		interface->turn_left -= frame->len;
	}
	if (!list_is_linked(&tcb->ready))
		list_push_front(&interface->egress.ready, &tcb->ready);
	return filled;
}

static int connections_output(struct parley_host *host, struct interface *interface,
			      struct parley_frame *frames, int n)
{
	struct tcb *tcb;
	int filled = 0;

	while (filled < n && (tcb = egress_pop(&interface->egress))) {
		struct way way = find_way(host, interface, &tcb->tuple.remote, false);

		begin_turn(interface, tcb);
		pass_on_advice(host, interface, &way, tcb);
		if (way.reach == WAITING)
			neighbour_park(way.neighbour, tcb);
		else if (way.reach == UNREACHABLE)
			tcp_unreachable(&host->tcp, tcb);
		else
			filled += take_turn(host, interface, tcb, &way, frames + filled,
					    n - filled);
	}
	return filled;
}

/* What goes before the segments of connections. */
static bool other_output(struct parley_host *host, struct interface *interface,
			 struct parley_frame *frame)
{
	return autoconf_output(host, interface, frame) ||
	       resolution_output(host, interface, frame) || icmp_output(host, interface, frame) ||
	       reply_output(host, interface, frame);
}

int parley_output(struct parley_host *host, int ifindex, uint64_t now, struct parley_frame *frames,
		  int n)
{
	struct interface *interface = interface_at(host, ifindex);
	int filled = 0;

	tcp_set_now(&host->tcp, now);
	if (!interface)
		return -PARLEY_ENODEV;
	while (filled < n && other_output(host, interface, &frames[filled]))
		filled++;
	filled += connections_output(host, interface, frames + filled, n - filled);
	/* What waits for its next hop makes a question of it, which goes out at once. */
	while (filled < n && resolution_output(host, interface, &frames[filled]))
		filled++;
	host->tcp.counters[PARLEY_COUNTER_FRAMES_OUT] += (uint64_t)filled;
	return filled;
}

bool parley_output_pending(const struct parley_host *host, int ifindex)
{
	const struct interface *interface = interface_at(host, ifindex);

	return interface && (interface->egress.count || !list_is_empty(&interface->egress.ready) ||
			     interface->icmp.count || resolution_pending(interface) ||
			     autoconf_pending(interface));
}

void parley_release(struct parley_host *host, struct parley_frame *frames, int n)
{
	(void)host;
	for (int i = 0; i < n; i++) {
		for (uint32_t k = 0; k < frames[i].span_count; k++)
			tcp_release_block(frames[i].holds[k]);
		frames[i].span_count = 0;
	}
}
