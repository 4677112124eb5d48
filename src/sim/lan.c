/* SPDX-License-Identifier: MIT */
#include "sim/lan.h"

#include "base/mem.h"
#include "sim/fault.h"
#include "sim/flow.h"
#include "sim/forge.h"
#include "sim/host.h"
#include "sim/mix.h"
#include "sim/oracle.h"
#include "sim/packet.h"
#include "sim/world.h"
#include "wire/icmpv6.h"
#include "wire/ipv6.h"

#include <stdalign.h>

#define MTU_DEFAULT 1500
/* The path's copies and the faults' duplicates. */
#define COPIES_MAX 4

/* A frame while it is decided what becomes of it. */
struct sending {
	struct sim_port *port;
	const uint8_t *bytes;
	size_t len;
	uint64_t number;
	uint32_t incarnation;
	struct eth_addr dst;
	bool has_fcs; /* damage would be noticed by the device */
	unsigned copies;
	struct path_copy copy[COPIES_MAX];
};

int sim_lan_add(struct sim_world *world, const struct sim_lan_config *config)
{
	struct sim_lan *lan;

	if (world->lan_count == SIM_LANS_MAX)
		return -PARLEY_ENOBUFS;
	lan = sim_zalloc(world->arena, sizeof *lan);
	if (!lan)
		return -PARLEY_ENOMEM;
	lan->world = world;
	lan->config = *config;
	lan->number = world->lan_count;
	if (!lan->config.mtu)
		lan->config.mtu = MTU_DEFAULT;
	world->lan[world->lan_count++] = lan;
	return (int)lan->number;
}

struct sim_port *sim_lan_join(struct sim_lan *lan, struct sim_host *host,
			      const struct path_config *path)
{
	struct sim_world *world = lan->world;
	struct path_config config = *path;
	size_t leaves_size = config.queue * sizeof(uint64_t);
	struct sim_port *port;
	uint64_t *leaves = NULL;

	if (lan->port_count == SIM_LAN_PORTS_MAX)
		return NULL;
	port = sim_zalloc(world->arena, sizeof *port);
	if (leaves_size)
		leaves = sim_alloc(world->arena, leaves_size, alignof(uint64_t));
	if (!port || (leaves_size && !leaves))
		return NULL;
	port->host = host;
	port->lan = lan;
	port->number = lan->port_count;
	port->mac = (struct eth_addr){
		{0x02, 0, 0, (uint8_t)lan->number, (uint8_t)host->number, (uint8_t)port->number}};
	config.seed = mix64(mix_word(mix_word(world->config.seed, lan->number), port->number));
	path_init(&port->path, &config, leaves);
	lan->port[lan->port_count++] = port;
	return port;
}

void sim_port_narrow(struct sim_port *port, uint32_t mtu, bool mute)
{
	port->narrow = mtu;
	port->mute = mute;
}

void sim_path_set(struct sim_port *port, const struct path_config *path)
{
	path_set(&port->path, path);
}

static unsigned header_len(const struct sim_lan *lan)
{
	return lan->config.link == PARLEY_LINK_ETHERNET ? ETH_HEADER_LEN : 0;
}

static bool is_cut(const struct sim_port *port, uint64_t now)
{
	const struct sim_outage *o;

	for (o = port->lan->outages; o; o = o->next)
		if (o->port == port->number && now >= o->since && now < o->until)
			return true;
	return false;
}

static void tell(struct sim_world *world, const struct sim_sight *sight)
{
	uint64_t what = (uint64_t)sight->fate << 32 | sight->copy << 1 | sight->corrupted;

	world->coverage.fate[sight->fate]++;
	world->digest = mix_word(mix_word(world->digest, sight->at), sight->number);
	world->digest = mix_word(world->digest, what);
	if (sight->fate == SIM_SENT || sight->fate == SIM_DELIVERED)
		world->digest = mix_bytes(world->digest, sight->bytes, sight->len);
	if (world->config.hooks.frame)
		world->config.hooks.frame(world->config.hooks.context, sight);
}

static void tell_sending(const struct sending *s, enum sim_fate fate)
{
	struct sim_world *world = s->port->lan->world;

	tell(world, &(struct sim_sight){
			    .at = world->now,
			    .fate = fate,
			    .from = (int)s->port->host->number,
			    .to = -1,
			    .number = s->number,
			    .bytes = s->bytes,
			    .len = s->len,
		    });
}

static void tell_arriving(const struct sim_frame *frame, enum sim_fate fate)
{
	struct sim_world *world = frame->to->lan->world;

	tell(world, &(struct sim_sight){
			    .at = world->now,
			    .fate = fate,
			    .from = frame->from,
			    .to = (int)frame->to->host->number,
			    .number = frame->number,
			    .copy = frame->copy,
			    .corrupted = frame->corrupted,
			    .bytes = frame->bytes,
			    .len = frame->len,
		    });
}

static struct sim_frame *frame_new(struct sim_port *to, const uint8_t *bytes, size_t len)
{
	struct sim_world *world = to->lan->world;
	struct sim_frame *frame = sim_alloc(world->arena, sizeof *frame + len,
					    alignof(struct sim_frame));

	if (!frame)
		return NULL;
	*frame = (struct sim_frame){.to = to, .len = (uint32_t)len, .times = 1};
	frame->event = (struct sim_event){.kind = SIM_EVENT_FRAME, .owner = frame};
	memcpy(frame->bytes, bytes, len);
	return frame;
}

/* Puts a frame under way; it is freed when there is no room. */
static bool launch(struct sim_frame *frame, uint64_t at)
{
	struct sim_world *world = frame->to->lan->world;

	if (!sim_queue_put(&world->queue, &frame->event, at)) {
		sim_free(world->arena, frame, sizeof *frame + frame->len);
		return false;
	}
	world->frames_under_way++;
	return true;
}

static void send_copy_to(const struct sending *s, unsigned copy, struct sim_port *to)
{
	const struct path_copy *c = &s->copy[copy];
	struct sim_world *world = to->lan->world;
	struct sim_frame *frame = frame_new(to, s->bytes, s->len);

	if (!frame) {
		sim_fail(world, NULL, SIM_RULE_WORLD, "for a frame", world->arena->used, 0);
		return;
	}
	frame->from = (int)s->port->host->number;
	frame->number = s->number;
	frame->copy = copy;
	frame->incarnation = s->incarnation;
	frame->corrupted = c->corrupted;
	if (c->corrupted)
		path_flip(frame->bytes, c->bit);
	if (!launch(frame, c->at))
		sim_fail(world, NULL, SIM_RULE_WORLD, "for an event", world->arena->used, 0);
}

/* To the port that has the address, or else to all but the sender's. */
static void send_copy(const struct sending *s, unsigned copy)
{
	struct sim_lan *lan = s->port->lan;

	if (s->copy[copy].corrupted && s->has_fcs) {
		tell_sending(s, SIM_BAD_FCS);
		return;
	}
	for (uint32_t i = 0; header_len(lan) && i < lan->port_count; i++) {
		if (eth_equal(lan->port[i]->mac, s->dst)) {
			send_copy_to(s, copy, lan->port[i]);
			return;
		}
	}
	for (uint32_t i = 0; i < lan->port_count; i++)
		if (lan->port[i] != s->port)
			send_copy_to(s, copy, lan->port[i]);
}

static void take_path(struct sending *s, const struct path_verdict *path)
{
	s->copies = path->copies;
	for (unsigned i = 0; i < path->copies; i++)
		s->copy[i] = path->copy[i];
}

static void take_faults(struct sending *s, const struct sim_verdict *verdict)
{
	struct sim_world *world = s->port->lan->world;
	uint32_t first = header_len(s->port->lan) * 8;

	for (unsigned i = 0; i < s->copies; i++)
		s->copy[i].at += verdict->delay_ns;
	world->coverage.mishap[SIM_MISHAP_DELAYED] += verdict->delay_ns > 0;
	if (verdict->corrupt && s->len * 8 > first) {
		s->copy[0].corrupted = true;
		s->copy[0].bit = first + verdict->bit % ((uint32_t)s->len * 8 - first);
	}
	for (unsigned i = 0; i < verdict->duplicates && s->copies < COPIES_MAX; i++)
		s->copy[s->copies++] = (struct path_copy){.at = s->copy[0].at +
								verdict->behind_ns[i]};
}

/* The flow, the oracles and the faults look at a segment. */
static void look_at(struct sending *s, const struct sim_packet *packet, struct sim_verdict *verdict)
{
	struct sim_host *host = s->port->host;
	unsigned way;
	struct sim_flow *flow = sim_flow_get(host->world, &packet->src, &packet->dst, &way);

	if (!flow)
		return;
	sim_flow_begin(flow, way, &packet->segment);
	sim_oracle_sent(host, flow, way, packet);
	sim_fault_judge(host->world, (int)host->number, flow, way, packet, verdict);
	sim_flow_sent(flow, way, &packet->segment);
	sim_forge_look(s->port, flow, way, packet);
	if (!sim_flow_answers_forgery(flow, way, &packet->segment))
		s->incarnation = flow->incarnation;
}

/* What the path did, beside losing it. */
static void count_path(struct sim_world *world, const struct path_verdict *path)
{
	uint32_t *mishap = world->coverage.mishap;

	mishap[SIM_MISHAP_DUPLICATED] += path->copies > 1;
	for (unsigned i = 0; i < path->copies; i++) {
		mishap[SIM_MISHAP_REORDERED] += path->copy[i].reordered;
		mishap[SIM_MISHAP_CORRUPTED] += path->copy[i].corrupted;
	}
}

/* The error behind the place of its IP header. */
static void write_too_big(uint8_t *out, struct ip_packet *ip, uint32_t mtu,
			  const struct ip_packet *cause)
{
	if (ip_is_v4(&ip->src)) {
		ip->payload_len = icmp_emit_error(out, ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED,
						  mtu, cause);
		return;
	}
	ip->protocol = IP_ICMPV6;
	ip->payload_len = icmp_emit_error(out, ICMPV6_TOO_BIG, 0, mtu, cause);
	icmpv6_finish(out, ip->payload_len, &ip->src, &ip->dst);
}

/* Fragmentation needed (RFC 1191 4) or packet too big (RFC 4443 3.2), back to a port. */
static void tell_too_big(struct sim_port *port, const struct sim_packet *packet)
{
	struct sim_world *world = port->lan->world;
	uint8_t bytes[ETH_HEADER_LEN + IPV6_HEADER_LEN + ICMP_ERROR_MAX];
	struct ip_packet ip = {
		.src = packet->ip.dst, .dst = packet->ip.src, .protocol = IP_ICMP, .ttl = 64};
	struct eth_frame eth = {
		.dst = packet->link_src, .src = packet->link_dst, .type = sim_ip_type(&ip)};
	size_t at = header_len(port->lan) ? eth_emit(bytes, &eth) : 0;

	write_too_big(bytes + at + sim_ip_header_len(&ip), &ip, port->narrow, &packet->ip);
	at += sim_ip_emit(bytes + at, &ip);
	if (sim_inject(port, world->now + PARLEY_MS(1), bytes, at + ip.payload_len))
		sim_fail(world, NULL, SIM_RULE_WORLD, "for a frame", world->arena->used, 0);
}

/* True when a segment is longer than the way behind the port carries. */
static bool is_too_big(struct sim_port *port, const struct sim_packet *packet, size_t len)
{
	if (!port->narrow || packet->kind != SIM_PACKET_TCP ||
	    len - header_len(port->lan) <= port->narrow)
		return false;
	if (!port->mute)
		tell_too_big(port, packet);
	return true;
}

void sim_lan_send(struct sim_port *port, const uint8_t *bytes, size_t len)
{
	struct sim_world *world = port->lan->world;
	struct sending s = {.port = port, .bytes = bytes, .len = len};
	struct sim_verdict verdict = {0};
	struct path_verdict path;
	struct sim_packet packet;

	s.number = ++world->frames_sent;
	path_offer(&port->path, world->now, len, header_len(port->lan), &path);
	sim_packet_read(&packet, port->lan->config.link, bytes, len);
	s.dst = packet.link_dst;
	s.has_fcs = packet.kind == SIM_PACKET_ARP;
	tell_sending(&s, SIM_SENT);
	if (packet.kind == SIM_PACKET_TCP)
		look_at(&s, &packet, &verdict);
	if (path.fate != PATH_DELIVERED) {
		tell_sending(&s, path.fate == PATH_LOST ? SIM_LOST : SIM_QUEUE_FULL);
		return;
	}
	if (is_too_big(port, &packet, len)) {
		tell_sending(&s, SIM_TOO_BIG);
		return;
	}
	if (verdict.drop || is_cut(port, world->now)) {
		tell_sending(&s, verdict.drop ? SIM_FAULTED : SIM_CUT);
		return;
	}
	count_path(world, &path);
	take_path(&s, &path);
	take_faults(&s, &verdict);
	for (unsigned i = 0; i < s.copies; i++)
		send_copy(&s, i);
}

bool sim_lan_hold(struct sim_port *port, const struct parley_frame *frame, uint64_t digest)
{
	struct sim_world *world = port->lan->world;
	uint64_t ns = port->lan->config.hold_ns;
	struct sim_held *held;

	if (!ns)
		return false;
	held = sim_alloc(world->arena, sizeof *held, alignof(struct sim_held));
	if (!held)
		return false;
	*held = (struct sim_held){.host = port->host, .digest = digest, .frame = *frame};
	held->event = (struct sim_event){.kind = SIM_EVENT_DONE, .owner = held};
	if (!sim_queue_put(&world->queue, &held->event, world->now + ns)) {
		sim_free(world->arena, held, sizeof *held);
		return false;
	}
	world->frames_held++;
	return true;
}

int sim_inject_as(struct sim_port *port, uint64_t at, const uint8_t *bytes, size_t len,
		  const struct sim_injection *how)
{
	struct sim_frame *frame = frame_new(port, bytes, len);

	if (!frame)
		return -PARLEY_ENOMEM;
	frame->from = -1;
	frame->times = how->times;
	frame->incarnation = how->incarnation;
	frame->beyond = how->beyond;
	frame->number = ++port->lan->world->frames_sent;
	return launch(frame, at) ? 0 : -PARLEY_ENOMEM;
}

int sim_inject(struct sim_port *port, uint64_t at, const uint8_t *bytes, size_t len)
{
	return sim_inject_as(port, at, bytes, len, &(struct sim_injection){.times = 1});
}

int sim_cut(struct sim_port *port, uint64_t since, uint64_t until)
{
	struct sim_lan *lan = port->lan;
	struct sim_outage *outage = sim_zalloc(lan->world->arena, sizeof *outage);

	if (!outage)
		return -PARLEY_ENOMEM;
	*outage = (struct sim_outage){lan->outages, port->number, since, until};
	lan->outages = outage;
	return 0;
}

/* The flow learns what reached the other side, if it is still the same connection. */
static void note_arrival(const struct sim_frame *frame, const struct sim_packet *packet)
{
	struct sim_flow *flow;
	unsigned way;

	if (!frame->incarnation)
		return;
	flow = sim_flow_get(frame->to->lan->world, &packet->src, &packet->dst, &way);
	if (flow && flow->incarnation == frame->incarnation)
		sim_flow_arrived(flow, way, &packet->segment);
}

/* The window of its receiver has moved over a frame that was to lie beyond it. */
static bool is_overtaken(const struct sim_frame *frame, const struct sim_packet *packet)
{
	const struct sim_way *receiver;
	struct sim_flow *flow;
	unsigned way;

	if (!frame->beyond)
		return false;
	flow = sim_flow_get(frame->to->lan->world, &packet->src, &packet->dst, &way);
	if (!flow)
		return true;
	receiver = &flow->way[!way];
	return !receiver->offered || seq_lt(packet->segment.seq, receiver->edge);
}

/* The flow learns what a forgery covered, for it may be believed. */
static void note_forgery(const struct sim_frame *frame, const struct sim_packet *packet)
{
	struct sim_world *world = frame->to->lan->world;
	struct sim_flow *flow;
	unsigned way;

	if (frame->from >= 0)
		return;
	flow = sim_flow_get(world, &packet->src, &packet->dst, &way);
	if (flow)
		sim_flow_forged(world, flow, way, &packet->segment);
}

/* The flow learns of a TCP segment that arrives, and the oracles of whose RST it is. */
static void look_at_arrival(const struct sim_frame *frame, const struct sim_packet *packet)
{
	struct sim_host *host = frame->to->host;

	host->world->coverage.segments++;
	note_arrival(frame, packet);
	note_forgery(frame, packet);
	host->after_rst = packet->segment.flags & TCP_RST;
	host->rst_src = packet->src;
	host->rst_dst = packet->dst;
}

bool sim_lan_admit(const struct sim_frame *frame)
{
	struct sim_packet packet;

	sim_packet_read(&packet, frame->to->lan->config.link, frame->bytes, frame->len);
	if (!frame->to->ifindex || is_cut(frame->to, frame->to->lan->world->now) ||
	    is_overtaken(frame, &packet)) {
		tell_arriving(frame, SIM_CUT);
		return false;
	}
	tell_arriving(frame, SIM_DELIVERED);
	if (packet.kind == SIM_PACKET_TCP)
		look_at_arrival(frame, &packet);
	return true;
}

void sim_lan_done(struct sim_world *world, struct sim_frame *frame)
{
	world->frames_under_way--;
	sim_free(world->arena, frame, sizeof *frame + frame->len);
}
