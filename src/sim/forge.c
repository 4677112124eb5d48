/* SPDX-License-Identifier: MIT */
#include "sim/forge.h"

#include "base/checksum.h"
#include "base/mem.h"
#include "sim/host.h"
#include "sim/stream.h"
#include "sim/world.h"
#include "wire/icmpv6.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

#define HOLES	   1100
#define BURST	   300
#define FAR	   1000000000u
#define NEAR	   100000u
#define ROOM	   256
#define ICMP_ASK   13  /* a timestamp request: RFC 792 */
#define ICMPV6_ASK 200 /* for experiments: RFC 4443 2.1 */

/* Addresses that are no host's of a LAN, in both families. */
enum place_of_nobody { NOBODY, GROUP, ALL, NOWHERE };

static const uint32_t nobody_v4[] = {
	[NOBODY] = 0xc61200fe, /* 198.18.0.254 */
	[GROUP] = 0xe0000001,  /* 224.0.0.1 */
	[ALL] = 0xffffffff,
	[NOWHERE] = 0xcb007107, /* 203.0.113.7 */
};

/* The first half; the second is ::1. */
static const uint64_t nobody_v6[] = {
	[NOBODY] = 0x20010db800000000u, /* 2001:db8::1 */
	[GROUP] = 0xff02000000000000u,	/* ff02::1 */
	[ALL] = 0xff02000000000000u,
	[NOWHERE] = 0x20010db8ffff0000u, /* 2001:db8:ffff::1 */
};

/* Whence a forgery's sequence number, or acknowledgement, is taken. */
enum place {
	MODEL, /* as in the model */
	ZERO,
	NEXT,	     /* what its receiver expects next */
	INSIDE,	     /* one behind that */
	JUST_BEFORE, /* and one before */
	LONG_AGO,    /* far before that */
	EDGE,	     /* the first number beyond the window */
	BEYOND,	     /* far beyond it */
	FIN_AFTER,
};

/* A segment that differs from its model. */
struct recipe {
	bool stranger; /* from another port */
	uint16_t flags;
	enum place seq, ack;
	uint32_t text; /* bytes */
};

static const struct recipe recipes[SIM_FORGERY_COUNT] = {
	[SIM_FORGE_NOT_OURS] = {.flags = TCP_ACK},
	[SIM_FORGE_STRANGER_ACK] = {.stranger = true, .flags = TCP_ACK},
	[SIM_FORGE_STRANGER_RST] = {.stranger = true, .flags = TCP_RST},
	[SIM_FORGE_STRANGER_SYN] = {.stranger = true, .flags = TCP_SYN},
	[SIM_FORGE_STRANGER_SYN_FIN] = {.stranger = true, .flags = TCP_SYN | TCP_FIN},
	[SIM_FORGE_STRANGER_NONE] = {.stranger = true},
	[SIM_FORGE_STRANGER_BURST] = {.stranger = true, .flags = TCP_ACK},
	[SIM_FORGE_FAR_AWAY] = {.stranger = true, .flags = TCP_ACK},
	[SIM_FORGE_NO_FLAGS] = {.seq = NEXT},
	[SIM_FORGE_NO_ACK] = {.flags = TCP_SYN, .seq = JUST_BEFORE, .text = 1},
	[SIM_FORGE_BEFORE_WINDOW] = {.flags = TCP_ACK, .seq = LONG_AGO, .text = 1},
	[SIM_FORGE_BEYOND_WINDOW] = {.flags = TCP_ACK, .seq = BEYOND, .text = 1},
	[SIM_FORGE_AT_EDGE] = {.flags = TCP_ACK, .seq = EDGE, .text = 1},
	[SIM_FORGE_TEXT_AFTER_FIN] = {.flags = TCP_ACK, .seq = FIN_AFTER, .text = 1},
	[SIM_FORGE_RST_BEYOND] = {.flags = TCP_RST, .seq = BEYOND},
	[SIM_FORGE_RST_INSIDE] = {.flags = TCP_RST, .seq = INSIDE},
	[SIM_FORGE_RST_EXACT] = {.flags = TCP_RST, .seq = NEXT},
	[SIM_FORGE_SYN_INSIDE] = {.flags = TCP_SYN, .seq = INSIDE},
	[SIM_FORGE_SYN_BEYOND] = {.flags = TCP_SYN, .seq = BEYOND},
	[SIM_FORGE_ACK_UNSENT] = {.flags = TCP_ACK, .seq = NEXT, .ack = BEYOND},
	[SIM_FORGE_ACK_OLD] = {.flags = TCP_ACK, .seq = NEXT, .ack = LONG_AGO},
	[SIM_FORGE_HOLES] = {.flags = TCP_ACK, .seq = INSIDE, .text = 1},
	[SIM_FORGE_OPTIONS] = {.flags = TCP_ACK, .seq = NEXT},
	[SIM_FORGE_BACK_ACK] = {.flags = TCP_ACK, .ack = BEYOND},
	[SIM_FORGE_BACK_RST] = {.flags = TCP_RST},
	[SIM_FORGE_BACK_OTHER] = {.flags = TCP_ACK, .ack = NEXT},
};

/* A forgery in the making. */
struct forging {
	enum sim_forgery kind;
	const struct sim_packet *model;
	const struct sim_flow *flow;
	unsigned way; /* of the side that it pretends to be from */
	bool back;    /* it goes to the model's sender */
	bool v6;
	bool counts; /* its receiver may take its window for the sender's */
	struct sim_port *to;
	struct eth_addr link_src, link_dst;
	struct ip_packet ip;
	struct segment segment;
	uint8_t text[1];
	uint8_t bytes[ROOM];
	size_t ip_at, tcp_at, len;
};

static const char *const names[] = {
#define SIM_X(name, text, what) [SIM_FORGE_##name] = text,
	SIM_FORGERIES(SIM_X)
#undef SIM_X
};

const char *sim_forgery_name(int kind)
{
	return kind >= 0 && kind < SIM_FORGERY_COUNT ? names[kind] : "?";
}

bool sim_forge_add(struct sim_world *world, const struct sim_forge *forge)
{
	struct sim_forge_state *state = sim_zalloc(world->arena, sizeof *state);
	struct sim_forge_state **last = &world->forges;

	if (!state)
		return false;
	state->forge = *forge;
	while (*last)
		last = &(*last)->next;
	*last = state;
	return true;
}

/* A number of what `of` sends, by what the other side `by` has acknowledged and offered. */
static struct seq place(enum place place, const struct sim_way *of, const struct sim_way *by,
			uint32_t unit, struct seq model)
{
	struct seq next = by->offered ? by->acked : of->end;
	struct seq edge = by->offered ? by->edge : next;

	switch (place) {
	case MODEL:
		return model;
	case ZERO:
		return seq(0);
	case NEXT:
		return next;
	case INSIDE:
		return seq_add(next, 1);
	case JUST_BEFORE:
		return seq_sub(next, 1);
	case LONG_AGO:
		return seq_sub(next, FAR);
	case EDGE:
		return seq_add(edge, unit - 1);
	case BEYOND:
		return seq_add(seq_max(edge, of->end), FAR);
	case FIN_AFTER:
		return of->fin ? seq_add(of->fin_at, 1) : seq_sub(next, NEAR);
	}
	return model;
}

/* The text is what the sender's user would have sent there. */
static void write_text(struct forging *f)
{
	struct sim_world *world = f->to->lan->world;
	const struct sim_way *w = &f->flow->way[f->way];
	struct sim_stream *stream = sim_stream_get(world, &f->model->src, &f->model->dst, w->iss.v);
	uint32_t first = f->segment.seq.v + !!(f->segment.flags & TCP_SYN);
	uint32_t offset = first - w->iss.v - 1;

	if (stream)
		sim_stream_fill(stream->key, offset, f->text, sizeof f->text);
}

/* Fills ip and segment from the model and the recipe. */
static void compose(struct forging *f)
{
	const struct recipe *r = &recipes[f->kind];
	const struct sim_way *own = &f->flow->way[f->way], *other = &f->flow->way[!f->way];
	const struct segment *model = &f->model->segment;
	uint32_t unit = sim_flow_unit(f->flow, !f->way);
	bool mangled = f->kind <= SIM_FORGE_TCP_DESTINATION && f->kind != SIM_FORGE_NOT_OURS;

	f->ip = (struct ip_packet){.src = f->model->ip.src,
				   .dst = f->model->ip.dst,
				   .protocol = IP_TCP,
				   .ttl = 64,
				   .df = true};
	f->segment = (struct segment){
		.src_port = model->src_port,
		.dst_port = model->dst_port,
		.flags = mangled ? TCP_ACK : r->flags,
		.wnd = model->wnd,
		.text_len = r->text,
	};
	if (f->back) {
		f->ip.src = f->model->ip.dst;
		f->ip.dst = f->model->ip.src;
		f->segment.src_port = model->dst_port;
		f->segment.dst_port = model->src_port;
		f->segment.seq = seq(model->ack.v);
		f->segment.ack = seq_add(model->seq, r->ack == NEXT ? model->len : FAR);
		return;
	}
	f->segment.seq = place(r->seq, own, other, unit, model->seq);
	f->segment.ack = place(r->ack, other, own, 1, model->ack);
	f->counts = !r->stranger && !mangled && r->ack == MODEL && r->flags == TCP_ACK;
	if (r->stranger)
		f->segment.src_port = (uint16_t)(model->src_port ^ 0x1555);
	if (f->segment.text_len)
		write_text(f);
}

/* An address of nobody's, in the family of the model. */
static struct parley_addr nobody(const struct forging *f, enum place_of_nobody place)
{
	struct parley_addr addr;

	if (!f->v6)
		return ip_from_v4(nobody_v4[place]);
	put_be64(addr.b, nobody_v6[place]);
	put_be64(addr.b + 8, 1);
	return addr;
}

static void readdress(struct forging *f)
{
	switch (f->kind) {
	case SIM_FORGE_NOT_OURS:
		f->ip.dst = nobody(f, NOBODY);
		break;
	case SIM_FORGE_IP_SOURCE:
		f->ip.src = nobody(f, GROUP);
		break;
	case SIM_FORGE_TCP_DESTINATION:
		f->ip.dst = nobody(f, ALL);
		break;
	case SIM_FORGE_FAR_AWAY:
		f->ip.src = nobody(f, NOWHERE);
		break;
	case SIM_FORGE_PROTOCOL:
		f->ip.protocol = 253; /* for experiments: RFC 3692 */
		break;
	case SIM_FORGE_ICMP_MALFORMED:
	case SIM_FORGE_ICMP_IGNORED:
		f->ip.protocol = f->v6 ? IP_ICMPV6 : IP_ICMP;
		break;
	default:
		break;
	}
}

/* Writes the segment behind the place of the IP header. */
static size_t write_segment(struct forging *f, uint8_t *out)
{
	size_t header = tcp_emit(out, &f->segment);
	size_t text = f->segment.text_len;
	uint64_t pseudo;

	if (f->kind == SIM_FORGE_OPTIONS) {
		/* A window scale option whose length is missing. */
		const uint8_t rest[4] = {1, 1, 1, TCP_OPTION_WSCALE};

		memcpy(out + header, rest, sizeof rest);
		header += sizeof rest;
		out[12] = (uint8_t)(header / 4 << 4);
	}
	memcpy(out + header, f->text, text);
	pseudo = ip_pseudo_sum(&f->ip.src, &f->ip.dst, IP_TCP, (uint32_t)(header + text));
	tcp_finish_checksum(out, header, pseudo, checksum_sum(f->text, text));
	return header + text;
}

/* Twenty bytes of an ICMP message; one kind keeps a wrong checksum. */
static size_t write_icmp(const struct forging *f, uint8_t *out)
{
	memset(out, 0, 20);
	out[0] = f->v6 ? ICMPV6_ASK : ICMP_ASK;
	if (f->v6)
		icmpv6_finish(out, 20, &f->ip.src, &f->ip.dst);
	else
		put_be16(out + 2, checksum_fold(checksum_sum(out, 20)));
	if (f->kind == SIM_FORGE_ICMP_MALFORMED)
		out[2] ^= 1;
	return 20;
}

/* A source route with one hop to go (RFC 791 3.1), between header and segment. */
static void insert_route(struct forging *f)
{
	const uint8_t route[8] = {131, 7, 4, 192, 0, 2, 99, 0};
	uint8_t *ip = f->bytes + f->ip_at;

	memmove(ip + IPV4_HEADER_LEN + sizeof route, ip + IPV4_HEADER_LEN,
		f->len - f->ip_at - IPV4_HEADER_LEN);
	memcpy(ip + IPV4_HEADER_LEN, route, sizeof route);
	f->len += sizeof route;
	ip[0] = 0x47;
	put_be16(ip + 2, (uint16_t)(f->len - f->ip_at));
}

static void sum_ip(uint8_t *ip, size_t header)
{
	put_be16(ip + 10, 0);
	put_be16(ip + 10, checksum_fold(checksum_sum(ip, header)));
}

static void mangle_v4(struct forging *f)
{
	uint8_t *ip = f->bytes + f->ip_at;

	switch (f->kind) {
	case SIM_FORGE_IP_HEADER:
		ip[0] = 0x44;
		break;
	case SIM_FORGE_IP_CHECKSUM:
		ip[10] ^= 0x10;
		break;
	case SIM_FORGE_FRAGMENT:
		ip[6] = 0x20;
		sum_ip(ip, IPV4_HEADER_LEN);
		break;
	case SIM_FORGE_SOURCE_ROUTE:
		insert_route(f);
		sum_ip(ip, IPV4_HEADER_LEN + 8);
		break;
	default:
		break;
	}
}

/* An extension header of eight bytes in front of what there is (RFC 8200 4). */
static void extend(struct forging *f, uint8_t header, uint8_t second, uint8_t third, uint8_t fourth)
{
	const uint8_t bytes[8] = {IP_TCP, second, third, fourth};
	uint8_t *ip = f->bytes + f->ip_at;

	memmove(ip + IPV6_HEADER_LEN + sizeof bytes, ip + IPV6_HEADER_LEN,
		f->len - f->ip_at - IPV6_HEADER_LEN);
	memcpy(ip + IPV6_HEADER_LEN, bytes, sizeof bytes);
	f->len += sizeof bytes;
	ip[6] = header;
	put_be16(ip + 4, (uint16_t)(f->len - f->ip_at - IPV6_HEADER_LEN));
}

static void mangle_v6(struct forging *f)
{
	switch (f->kind) {
	case SIM_FORGE_IP_HEADER:
		/* Hop-by-hop options that would be longer than the packet. */
		extend(f, 0, 255, 0, 0);
		break;
	case SIM_FORGE_FRAGMENT:
		/* The first, and more of it to come. */
		extend(f, 44, 0, 0, 1);
		break;
	case SIM_FORGE_SOURCE_ROUTE:
		/* Of a type for experiments, with one segment left. */
		extend(f, 43, 0, 253, 1);
		break;
	default:
		break;
	}
}

/* What is done to the bytes at last. */
static void mangle(struct forging *f)
{
	uint8_t *tcp = f->bytes + f->tcp_at;

	switch (f->kind) {
	case SIM_FORGE_TRUNCATED:
		f->len = f->tcp_at + 4;
		break;
	case SIM_FORGE_TCP_CHECKSUM:
		tcp[17] ^= 0x10;
		break;
	case SIM_FORGE_TCP_HEADER:
		tcp[12] = 0x40;
		put_be16(tcp + 16, 0);
		tcp_finish_checksum(tcp, TCP_HEADER_LEN,
				    ip_pseudo_sum(&f->ip.src, &f->ip.dst, IP_TCP, TCP_HEADER_LEN),
				    0);
		break;
	default:
		if (f->v6)
			mangle_v6(f);
		else
			mangle_v4(f);
		break;
	}
}

static void write_arp(struct forging *f)
{
	struct arp_packet arp = {.operation = ARP_REQUEST,
				 .sender_hw = f->link_src,
				 .sender = f->ip.src,
				 .target = f->ip.dst};
	uint8_t *out = f->bytes + f->ip_at;

	put_be16(f->bytes + f->ip_at - 2, ETH_ARP);
	f->len = f->ip_at + arp_emit(out, &arp);
	out[1] = 7; /* ARCnet */
}

static bool is_icmp(const struct forging *f)
{
	return f->kind == SIM_FORGE_ICMP_MALFORMED || f->kind == SIM_FORGE_ICMP_IGNORED;
}

static void write_frame(struct forging *f)
{
	struct eth_frame eth = {
		.dst = f->link_dst, .src = f->link_src, .type = sim_ip_type(&f->ip)};
	bool ethernet = f->to->lan->config.link == PARLEY_LINK_ETHERNET;

	f->ip_at = ethernet ? eth_emit(f->bytes, &eth) : 0;
	f->tcp_at = f->ip_at + sim_ip_header_len(&f->ip);
	if (f->kind == SIM_FORGE_ARP_MALFORMED) {
		write_arp(f);
		return;
	}
	f->ip.payload_len = is_icmp(f) ? write_icmp(f, f->bytes + f->tcp_at)
				       : write_segment(f, f->bytes + f->tcp_at);
	sim_ip_emit(f->bytes + f->ip_at, &f->ip);
	f->len = f->tcp_at + f->ip.payload_len;
	mangle(f);
}

/* The port that the model goes to; NULL when it goes to several. */
static struct sim_port *receiver(const struct sim_port *port, const struct sim_packet *packet)
{
	struct sim_lan *lan = port->lan;

	for (uint32_t i = 0; i < lan->port_count; i++) {
		struct sim_port *to = lan->port[i];

		if (to != port && ip_equal(&to->addr, &packet->ip.dst))
			return to;
	}
	return NULL;
}

/*
 * IPv6 has no ARP and no checksum of its header. Some numbers are known only when the receiver has
 * said what it expects. An acknowledgement that goes back answers the SYN of an active OPEN, and
 * nothing else: what is acknowledged there might have been lost.
 */
static bool can_be(const struct sim_forge *what, const struct sim_packet *packet,
		   const struct sim_way *receiver, bool on_ethernet)
{
	uint16_t flags = packet->segment.flags;
	bool v4 = ip_is_v4(&packet->ip.src);

	if (what->kind == SIM_FORGE_ARP_MALFORMED)
		return v4 && on_ethernet;
	if (what->kind == SIM_FORGE_IP_CHECKSUM)
		return v4;
	if (what->kind == SIM_FORGE_BACK_OTHER)
		return flags & TCP_SYN && !(flags & TCP_ACK);
	return recipes[what->kind].seq == MODEL || receiver->offered;
}

/* Each second byte of what is under way and not acknowledged comes by itself, ahead of it. */
static void forge_holes(struct forging *f)
{
	const struct sim_way *own = &f->flow->way[f->way], *other = &f->flow->way[!f->way];
	const struct sim_injection how = {.times = 1, .incarnation = f->flow->incarnation};
	struct sim_world *world = f->to->lan->world;

	for (uint32_t i = 0; i < HOLES; i++) {
		compose(f);
		f->segment.seq = seq_add(other->acked, 1 + 2 * i);
		/* The last number may be a FIN's. */
		if (seq_geq(seq_add(f->segment.seq, 1), own->end))
			break;
		write_text(f);
		write_frame(f);
		if (sim_inject_as(f->to, world->now, f->bytes, f->len, &how))
			sim_fail(world, NULL, SIM_RULE_WORLD, "for a frame", world->arena->used, 0);
	}
}

static void forge(const struct sim_forge *what, struct sim_port *port, const struct sim_flow *flow,
		  unsigned way, const struct sim_packet *packet)
{
	bool back = what->kind > SIM_FORGE_OPTIONS;
	bool ethernet = port->lan->config.link == PARLEY_LINK_ETHERNET;
	struct sim_world *world = port->lan->world;
	struct forging f = {.kind = (enum sim_forgery)what->kind,
			    .model = packet,
			    .flow = flow,
			    .way = back ? !way : way,
			    .back = back,
			    .v6 = !ip_is_v4(&packet->ip.src),
			    .to = back ? port : receiver(port, packet),
			    .link_src = back ? packet->link_dst : packet->link_src,
			    .link_dst = back ? packet->link_src : packet->link_dst};
	struct sim_injection how = {
		.times = what->kind == SIM_FORGE_STRANGER_BURST ? BURST : 1,
		.beyond = what->kind == SIM_FORGE_AT_EDGE,
	};

	if (!f.to || !can_be(what, packet, &flow->way[!way], ethernet))
		return;
	world->coverage.forged[what->kind]++;
	if (what->kind == SIM_FORGE_HOLES) {
		forge_holes(&f);
		return;
	}
	compose(&f);
	readdress(&f);
	write_frame(&f);
	how.incarnation = f.counts ? flow->incarnation : 0;
	if (sim_inject_as(f.to, world->now + what->after, f.bytes, f.len, &how))
		sim_fail(world, NULL, SIM_RULE_WORLD, "for a frame", world->arena->used, 0);
}

void sim_forge_look(struct sim_port *port, const struct sim_flow *flow, unsigned way,
		    const struct sim_packet *packet)
{
	struct sim_forge_state *s;

	for (s = port->lan->world->forges; s; s = s->next) {
		const struct sim_forge *what = &s->forge;
		uint16_t flags = packet->segment.flags;

		if (what->from != port->host->number || (flags & what->set) != what->set ||
		    flags & what->clear)
			continue;
		if (++s->seen == (what->nth ? what->nth : 1))
			forge(what, port, flow, way, packet);
	}
}
