/* SPDX-License-Identifier: MIT */
#include "sim/draw.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/slab.h"
#include "sim/mix.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"

#define MS	PARLEY_MS(1)
#define S	PARLEY_S(1)
#define PERCENT 10000u

#define STREAM	   11
#define TURNS	   12
#define TUNES	   13
#define INTERFACES 14
#define HEALED_AT  (300 * S)
#define LIMIT	   (4500 * S)
#define PATIENCE   (600 * S)
#define SEGMENTS   160u /* that a work may need, one way */
#define PORT_FIRST 1000
#define RETRIES	   20
/* Half slabs: with less, a host may not be able to hold what one connection sends. */
#define HALVES_LEAST 8
#define LARGE	     (1 << 20)
#define MSS_LEAST    48
#define MSS_USUAL    1460
#define HEADERS	     40
#define HEADERS_V6   60
/* Of so many worlds one is a crowd. */
#define CROWDS	  24
#define CROWD_MTU 3000

/* A scenario that is being drawn. */
struct drawing {
	struct sim_scenario *s;
	struct rng r;
	uint64_t buffer;  /* the smallest of all buffers, bytes */
	uint64_t segment; /* and the shortest of all full segments */
	bool hungry;	  /* a host may run out of memory: there is more to send */
	bool crowd;	  /* the first host will: of what others send it, it reads little at once */
};

static bool one_in(struct drawing *d, uint64_t n)
{
	return rng_below(&d->r, n) == 0;
}

static uint32_t below(struct drawing *d, uint64_t n)
{
	return (uint32_t)rng_below(&d->r, n);
}

/* From low to high, each size of number as likely as any other. */
static uint64_t spread(struct drawing *d, uint64_t low, uint64_t high)
{
	unsigned bits = 0;
	uint64_t room;

	/* A switch is one way or the other. */
	if (high - low == 1)
		return low + rng_below(&d->r, 2);
	while (bits < 63 && (high - low) >> bits)
		bits++;
	room = ((uint64_t)1 << rng_below(&d->r, bits + 1)) - 1;
	if (room > high - low)
		room = high - low;
	return low + rng_below(&d->r, room + 1);
}

static struct path_config draw_path(struct drawing *d)
{
	struct path_config path = {
		.delay_ns = rng_below(&d->r, 100 * MS),
		.jitter_ns = one_in(d, 2) ? rng_below(&d->r, 20 * MS) : 0,
		.rate_bps = one_in(d, 3) ? 100000 + rng_below(&d->r, 10000000) : 0,
		.queue = one_in(d, 2) ? 2 + below(d, 50) : 0,
	};

	if (one_in(d, 4))
		return path;
	path.loss = below(d, 25 * PERCENT);
	path.duplicate = one_in(d, 2) ? below(d, 20 * PERCENT) : 0;
	path.reorder = one_in(d, 2) ? below(d, 30 * PERCENT) : 0;
	path.corrupt = one_in(d, 2) ? below(d, 10 * PERCENT) : 0;
	return path;
}

/* A path with a queue has its place for it from the start; other routes have the same queue. */
static void draw_ports(struct drawing *d, uint32_t lan, uint32_t from, uint32_t n)
{
	bool narrow = one_in(d, 4);
	uint32_t mtu = one_in(d, 4) ? 576 + below(d, 8000) : 0;
	bool v6 = d->s->lans[lan].v6;
	uint32_t headers = v6 ? HEADERS_V6 : HEADERS;

	if (d->crowd) {
		narrow = false;
		mtu = CROWD_MTU + below(d, 2 * CROWD_MTU);
	}
	for (uint32_t host = from; host < from + n; host++) {
		struct sim_of_port *port = sim_list_add(d->s, SIM_LIST_ports);

		*port = (struct sim_of_port){.host = host, .lan = lan, .path = draw_path(d)};
		port->mtu = narrow && one_in(d, 2) ? 300 + below(d, 1200) : mtu;
		if (v6 && port->mtu && port->mtu < IPV6_MIN_MTU)
			port->mtu = IPV6_MIN_MTU;
		if (port->mtu && port->mtu - headers < d->segment)
			d->segment = port->mtu - headers;
	}
}

/* Two hosts, or several on one switch, or a row of them with a link between each two. */
static void draw_network(struct drawing *d)
{
	static const char *const names[] = {"ann", "bob", "cid", "dan"};
	uint32_t n = one_in(d, 3) ? 3 + below(d, 2) : 2;
	uint32_t lans = n > 2 && one_in(d, 2) ? n - 1 : 1;

	for (uint32_t i = 0; i < n; i++) {
		struct sim_of_host *host = sim_list_add(d->s, SIM_LIST_hosts);

		memcpy(host->name, names[i], 4);
		host->profile = one_in(d, 4) ? PARLEY_PROFILE_RFC : PARLEY_PROFILE_DEFAULT;
		if (d->crowd ? i == 0 : one_in(d, 3))
			host->memory = PARLEY_SLAB / 2 * (HALVES_LEAST + below(d, 5));
	}
	for (uint32_t i = 0; i < lans; i++) {
		struct sim_of_lan *lan = sim_list_add(d->s, SIM_LIST_lans);

		lan->hold_ns = one_in(d, 3) ? rng_below(&d->r, 5 * MS) : 0;
		lan->link = n - lans == 1 && one_in(d, 5) ? PARLEY_LINK_IP : PARLEY_LINK_ETHERNET;
		lan->v6 = one_in(d, 6);
		draw_ports(d, i, lans > 1 ? i : 0, lans > 1 ? 2 : n);
	}
}

/* Settings that are not drawn like all others: never, or between bounds. */
static const struct bounds {
	enum parley_setting setting;
	unsigned one_in; /* how often; 0: never */
	int64_t low, high;
} bounds[] = {
	{PARLEY_SET_MSS, 4, MSS_LEAST, MSS_USUAL},
	{PARLEY_SET_SEND_BUFFER, 3, 1, 1 << 20},
	{PARLEY_SET_RECEIVE_BUFFER, 3, 1, 1 << 20},
	/* Nobody takes the cork out. */
	{PARLEY_SET_CORK, 0, 0, 0},
	{PARLEY_SET_DELAYED_ACK, 3, 0, PARLEY_MS(499)},
	{PARLEY_SET_QUICK_ACKS, 4, 1, 20},
	{PARLEY_SET_INITIAL_RTO, 6, PARLEY_MS(50), PARLEY_S(3)},
	{PARLEY_SET_MIN_RTO, 6, PARLEY_MS(1), PARLEY_S(1)},
	{PARLEY_SET_MIN_RTO_SPREAD, 6, 1, PARLEY_S(1)},
	{PARLEY_SET_MAX_RTO, 6, PARLEY_S(1), PARLEY_S(120)},
	/* Off for most, below. */
	{PARLEY_SET_R2, 0, 0, 0},
	/* For ever is longer than the world. */
	{PARLEY_SET_FIN_WAIT_2, 4, PARLEY_S(1), PARLEY_S(120)},
	{PARLEY_SET_MSL, 3, 0, PARLEY_S(30)},
	{PARLEY_SET_TIME_WAIT_LIMIT, 8, 0, 3},
	{PARLEY_SET_SYN_BACKLOG, 4, 1, 4},
	{PARLEY_SET_SOMAXCONN, 8, 1, 4},
	{PARLEY_SET_DEFER_ACCEPT, 6, 1, PARLEY_S(60)},
	{PARLEY_SET_PORT_FIRST, 0, 0, 0},
	{PARLEY_SET_PORT_LAST, 0, 0, 0},
	{PARLEY_SET_KEEPALIVE, 0, 0, 0},
	{PARLEY_SET_KEEPALIVE_IDLE, 0, 0, 0},
	{PARLEY_SET_KEEPALIVE_INTERVAL, 6, PARLEY_S(1), PARLEY_S(75)},
};

/* How much users may send without making the world last for ever. */
static void bear_in_mind(struct drawing *d, enum parley_setting setting, int64_t value)
{
	if ((setting == PARLEY_SET_SEND_BUFFER || setting == PARLEY_SET_RECEIVE_BUFFER) &&
	    (uint64_t)value < d->buffer)
		d->buffer = (uint64_t)value;
	if (setting == PARLEY_SET_MSS && (uint64_t)value < d->segment)
		d->segment = (uint64_t)value;
}

static void set(struct drawing *d, uint32_t host, enum parley_setting setting, int64_t value)
{
	struct sim_of_set *element = sim_list_add(d->s, SIM_LIST_sets);

	if (element)
		*element = (struct sim_of_set){host, setting, value};
	bear_in_mind(d, setting, value);
}

/* What a setting is drawn from. */
static struct bounds bounds_of(enum parley_setting setting)
{
	const struct parley_setting_info *info = parley_setting_info((int)setting);
	struct bounds b = {setting, info->type == PARLEY_TYPE_BOOL ? 2 : 6, info->minimum,
			   info->maximum};

	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
		if (bounds[i].setting == setting)
			return bounds[i];
	if (info->type != PARLEY_TYPE_BOOL && 2 * info->initial < b.high)
		b.high = 2 * info->initial > b.low ? 2 * info->initial : b.low;
	return b;
}

/* The draws for a setting are its own: another one in the table does not shift them. */
static void draw_settings(struct drawing *d, uint32_t host)
{
	struct rng saved = d->r;

	for (int i = 0; i < PARLEY_SETTING_COUNT; i++) {
		struct bounds b = bounds_of((enum parley_setting)i);
		uint64_t key = 0;

		for (const char *c = parley_setting_name(i); *c; c++)
			key = mix_word(key, (uint8_t)*c);
		d->r = rng(mix_word(d->s->seed, host), key);
		if (b.one_in && one_in(d, b.one_in))
			set(d, host, b.setting,
			    (int64_t)spread(d, (uint64_t)b.low, (uint64_t)b.high));
	}
	d->r = saved;
	/* More than there may be memory for. */
	if (d->s->hosts[host].memory && (one_in(d, 2) || d->crowd)) {
		set(d, host, PARLEY_SET_SEND_BUFFER, LARGE);
		set(d, host, PARLEY_SET_RECEIVE_BUFFER, LARGE);
		d->hungry = true;
	}
	/* So that who only waits learns that the other is gone. */
	set(d, host, PARLEY_SET_KEEPALIVE, 1);
	set(d, host, PARLEY_SET_KEEPALIVE_IDLE,
	    one_in(d, 8) ? S * (int64_t)(1 + below(d, 60)) : 1000 * S);
	set(d, host, PARLEY_SET_R2, one_in(d, 6) ? S * (int64_t)(1 + below(d, 200)) : 0);
}

/* What a setting may be changed to in the midst of things; false: it is left alone. */
static bool bounds_of_tune(struct drawing *d, enum parley_setting setting, bool whole,
			   struct bounds *b)
{
	*b = bounds_of(setting);
	switch (setting) {
	/* What IPv6 does by itself, TIME-WAIT as it is judged, and the ports that users choose. */
	case PARLEY_SET_DAD:
	case PARLEY_SET_AUTOCONF:
	case PARLEY_SET_MSL:
	case PARLEY_SET_PORT_FIRST:
	case PARLEY_SET_PORT_LAST:
		return false;
	case PARLEY_SET_CORK:
	case PARLEY_SET_KEEPALIVE:
		*b = (struct bounds){setting, 1, 1, 1};
		return !whole;
	case PARLEY_SET_KEEPALIVE_IDLE:
		*b = (struct bounds){setting, 1, S, 1000 * S};
		break;
	case PARLEY_SET_R2:
		*b = (struct bounds){setting, 1, 0, 200 * S};
		break;
	case PARLEY_SET_SEND_BUFFER:
	case PARLEY_SET_RECEIVE_BUFFER:
		b->low = one_in(d, 4) ? 1 : MSS_USUAL;
		break;
	default:
		break;
	}
	return parley_setting_info((int)setting)->scope == PARLEY_SCOPE_CONN || whole;
}

static void draw_tune(struct drawing *d, uint32_t host)
{
	struct sim_of_tune *tune = sim_list_add(d->s, SIM_LIST_tunes);
	enum parley_state state = PARLEY_ESTABLISHED;
	struct bounds b;

	if (!tune)
		return;
	if (one_in(d, 2))
		state = (enum parley_state)below(d, PARLEY_TIME_WAIT);
	do
		tune->set.setting = below(d, PARLEY_SETTING_COUNT);
	while (!bounds_of_tune(d, (enum parley_setting)tune->set.setting, state <= PARLEY_LISTEN,
			       &b));
	/* A listener has no settings of the host. */
	if (parley_setting_info((int)tune->set.setting)->scope == PARLEY_SCOPE_HOST)
		state = PARLEY_CLOSED;
	tune->set.host = host;
	tune->set.value = (int64_t)spread(d, (uint64_t)b.low, (uint64_t)b.high);
	tune->state = state;
	tune->after = one_in(d, 2) ? rng_below(&d->r, 200 * MS) : rng_below(&d->r, 10 * S);
	if (one_in(d, 2) || tune->set.setting == PARLEY_SET_CORK)
		tune->lasts = 1 + spread(d, MS, 20 * S);
	bear_in_mind(d, (enum parley_setting)tune->set.setting, tune->set.value);
}

/* In every other world users change their minds. These draws, too, are their own. */
static void draw_tunes(struct drawing *d)
{
	struct rng saved = d->r;

	d->r = rng(d->s->seed, TUNES);
	for (uint32_t n = one_in(d, 2) ? 1 + below(d, 6) : 0; n; n--)
		draw_tune(d, below(d, d->s->count[SIM_LIST_hosts]));
	d->r = saved;
}

/*
 * One host in three puts its turns off, by up to some 20 ms. The draws are its own: they shift no
 * others.
 */
static void draw_turns(struct drawing *d, uint32_t host)
{
	struct sim_turns *turns = &d->s->hosts[host].turns;
	struct rng saved = d->r;

	d->r = rng(mix_word(d->s->seed, host), TURNS);
	if (one_in(d, 3)) {
		turns->every_ns = spread(d, MS / 1000, 20 * MS);
		turns->batch = one_in(d, 2) ? 2 + below(d, 15) : 0;
		turns->takes = one_in(d, 3) ? 1 + below(d, 8) : 0;
		turns->ring = one_in(d, 2);
		turns->timers = one_in(d, 2);
	}
	d->r = saved;
}

/*
 * Many connections to one host with little memory, long segments, and nobody there who reads for a
 * while. What the host grants each of them then, a few segments, is more than it has in all, so
 * that it has to take back what it holds out of order.
 */
static void draw_waiting(struct drawing *d, struct sim_workload *w)
{
	static const enum sim_workload_kind kinds[] = {SIM_NOT_ACCEPTED, SIM_NOT_ACCEPTED,
						       SIM_SLOW_READER, SIM_NOT_READ, SIM_UPLOAD};
	uint32_t other = d->s->count[SIM_LIST_lans] > 1
				 ? 1
				 : 1 + below(d, d->s->count[SIM_LIST_hosts] - 1);

	w->kind = kinds[below(d, sizeof kinds / sizeof *kinds)];
	w->client = w->server = 0;
	if (w->kind == SIM_SLOW_READER || w->kind == SIM_NOT_READ)
		w->server = (int)other;
	else
		w->client = (int)other;
	w->count = 2 + below(d, 10);
	w->backlog = 0;
	w->start = rng_below(&d->r, 2 * S);
	w->pause = 10 * S + rng_below(&d->r, 20 * S);
}

static void draw_work(struct drawing *d, uint32_t n)
{
	uint64_t most = (d->buffer < d->segment ? d->buffer : d->segment) * SEGMENTS;
	uint32_t hosts = d->s->count[SIM_LIST_hosts];
	bool row = d->s->count[SIM_LIST_lans] > 1;
	struct sim_workload *w = sim_list_add(d->s, SIM_LIST_works);
	uint32_t one = below(d, row ? hosts - 1 : hosts);
	uint32_t other = row ? one + 1 : (one + 1 + below(d, hosts - 1)) % hosts;
	bool swap = one_in(d, 2);

	w->kind = (enum sim_workload_kind)below(d, SIM_WORKLOADS);
	w->client = (int)(swap ? other : one);
	w->server = (int)(swap ? one : other);
	w->port = (uint16_t)(PORT_FIRST + n);
	w->in_place = one_in(d, 2);
	w->ask = one_in(d, 8);
	w->urgent = one_in(d, 6) ? 1 + below(d, 4) : 0;
	w->bytes = one_in(d, 3) ? spread(d, 0, most) : most / 4 + rng_below(&d->r, most);
	if (d->hungry)
		w->bytes *= 2;
	w->count = 1 + below(d, 6);
	w->backlog = one_in(d, 2) ? 1 + below(d, 3) : 0;
	w->retries = one_in(d, 8) ? 0 : RETRIES;
	w->start = one_in(d, 2) ? rng_below(&d->r, 20 * S) : 0;
	w->pause = rng_below(&d->r, 20 * S);
	w->patience = PATIENCE;
	if (d->crowd)
		draw_waiting(d, w);
	if (w->kind == SIM_PING_PONG || w->kind == SIM_SHORT || w->kind == SIM_REUSE ||
	    w->kind == SIM_NOT_ACCEPTED)
		w->bytes /= w->count;
	if (w->kind == SIM_PACED) {
		/* At most a thousand portions. */
		w->count = 1 + (uint32_t)(w->bytes / 1000) + below(d, 1000);
		w->pause = 1 + rng_below(&d->r, 100 * MS);
	}
	if (w->kind == SIM_IDLE && one_in(d, 2))
		w->pause = rng_below(&d->r, 200 * S);
}

static const struct sim_of_port *draw_port(struct drawing *d)
{
	return &d->s->ports[below(d, d->s->count[SIM_LIST_ports])];
}

static uint32_t draw_host(struct drawing *d)
{
	return below(d, d->s->count[SIM_LIST_hosts]);
}

/* A time when much is going on, as likely as not. */
static uint64_t draw_time(struct drawing *d)
{
	return one_in(d, 2) ? rng_below(&d->r, 2 * S) : rng_below(&d->r, 60 * S);
}

/* A link that breaks, or a whole LAN. */
static void draw_cut(struct drawing *d)
{
	const struct sim_of_port *port = draw_port(d);
	uint64_t since = draw_time(d);
	uint64_t until = since + rng_below(&d->r, 30 * S);
	bool whole = one_in(d, 3);

	for (uint32_t i = 0; i < d->s->count[SIM_LIST_ports]; i++) {
		const struct sim_of_port *p = &d->s->ports[i];
		struct sim_of_cut *cut;

		if (p != port && !(whole && p->lan == port->lan))
			continue;
		cut = sim_list_add(d->s, SIM_LIST_cuts);
		if (cut)
			*cut = (struct sim_of_cut){p->host, p->lan, since, until};
	}
}

static void draw_changes(struct drawing *d)
{
	if (one_in(d, 3))
		for (uint32_t n = 1 + below(d, 3); n; n--)
			draw_cut(d);
	if (one_in(d, 3)) {
		const struct sim_of_port *p = draw_port(d);
		struct sim_of_route *route = sim_list_add(d->s, SIM_LIST_routes);

		*route = (struct sim_of_route){p->host, p->lan, draw_time(d), draw_path(d)};
	}
	if (one_in(d, 4)) {
		const struct sim_of_port *p = draw_port(d);
		struct sim_of_narrow *narrow = sim_list_add(d->s, SIM_LIST_narrows);

		*narrow = (struct sim_of_narrow){p->host, p->lan, draw_time(d), 576 + below(d, 900),
						 one_in(d, 6)};
		if (d->s->lans[p->lan].v6 && narrow->mtu < IPV6_MIN_MTU)
			narrow->mtu = IPV6_MIN_MTU;
	}
	if (one_in(d, 5)) {
		struct sim_of_jump *jump = sim_list_add(d->s, SIM_LIST_jumps);

		*jump = (struct sim_of_jump){draw_host(d), draw_time(d), spread(d, 1, 100 * S)};
	}
	if (one_in(d, 8)) {
		struct sim_of_fail *fail = sim_list_add(d->s, SIM_LIST_fails);

		*fail = (struct sim_of_fail){draw_host(d), spread(d, 1, 500)};
	}
}

/*
 * What a host does to its own interfaces. An IPv6 interface has its address alone from the start,
 * before the settings are made, and so leaves it alone.
 */
static void draw_interfaces(struct drawing *d)
{
	struct rng saved = d->r;

	d->r = rng(d->s->seed, INTERFACES);
	if (one_in(d, 6)) {
		const struct sim_of_port *p = draw_port(d);
		struct sim_of_resize *resize = sim_list_add(d->s, SIM_LIST_resizes);
		uint32_t least = d->s->lans[p->lan].v6 ? IPV6_MIN_MTU : 576;

		*resize = (struct sim_of_resize){p->host, p->lan, draw_time(d),
						 least + (uint32_t)spread(d, 0, 8000)};
	}
	if (one_in(d, 8)) {
		const struct sim_of_port *p = draw_port(d);
		struct sim_of_absence *absence = sim_list_add(d->s, SIM_LIST_absences);
		uint64_t since = draw_time(d);

		*absence = (struct sim_of_absence){p->host, p->lan, since,
						   since + 1 + spread(d, MS, 60 * S), one_in(d, 3)};
	}
	d->r = saved;
}

static void draw_act(struct drawing *d)
{
	struct sim_of_act *act = sim_list_add(d->s, SIM_LIST_acts);

	act->deed = one_in(d, 2) ? SIM_DEED_ABORT : below(d, SIM_DEED_RELEASE + 1);
	act->host = draw_host(d);
	act->state = PARLEY_SYN_SENT + below(d, PARLEY_STATES - PARLEY_SYN_SENT);
	act->nth = below(d, 3);
	act->after = one_in(d, 2) ? 0 : rng_below(&d->r, 200 * MS);
}

/* By what a segment means, the n-th of its kind. */
static void draw_fault(struct drawing *d)
{
	static const uint16_t flags[] = {0, 0, TCP_SYN, TCP_FIN, TCP_RST, TCP_SYN | TCP_ACK};
	struct sim_fault *f = sim_list_add(d->s, SIM_LIST_faults);
	uint32_t n = below(d, 3);

	f->action = (enum sim_action)below(d, SIM_CORRUPT + 1);
	f->from = (int)below(d, d->s->count[SIM_LIST_hosts] + 1);
	f->set = flags[below(d, sizeof flags / sizeof *flags)];
	f->text = !f->set && one_in(d, 3);
	f->empty = !f->set && !f->text && one_in(d, 2);
	f->again = one_in(d, 4) ? (enum sim_again)below(d, SIM_SENT_AGAIN + 1) : SIM_ANY_TIME;
	for (uint32_t i = 0; i <= n; i++)
		f->nth[i] = 1 + (i ? f->nth[i - 1] : 0) + (uint32_t)spread(d, 0, f->set ? 4 : 100);
	if (one_in(d, 12)) {
		f->nth[0] = 0;
		f->every = 2 + below(d, 20);
		f->until = HEALED_AT;
	}
	if (f->action == SIM_DELAY || f->action == SIM_DUPLICATE)
		f->ns = spread(d, 0, 10 * S);
	if (f->action == SIM_CORRUPT)
		f->bit = below(d, 12000);
}

/* Flags of the models from which a kind of forgery learns most; the rest take any. */
static void draw_forge(struct drawing *d)
{
	struct sim_forge *f = sim_list_add(d->s, SIM_LIST_forges);
	bool stranger, back;

	f->kind = below(d, SIM_FORGERY_COUNT);
	f->from = draw_host(d);
	f->after = one_in(d, 2) ? 0 : rng_below(&d->r, 100 * MS);
	back = f->kind > SIM_FORGE_OPTIONS;
	stranger = f->kind >= SIM_FORGE_STRANGER_ACK && f->kind <= SIM_FORGE_FAR_AWAY;
	if (f->kind == SIM_FORGE_BACK_OTHER || (back && one_in(d, 2)) ||
	    (stranger && one_in(d, 2)) || (f->kind == SIM_FORGE_ACK_UNSENT && one_in(d, 2))) {
		/* At a listener, or at who has just connected. */
		f->set = TCP_SYN;
		f->clear = one_in(d, 8) ? 0 : TCP_ACK;
		f->nth = 1 + below(d, 3);
		return;
	}
	if (f->kind == SIM_FORGE_TEXT_AFTER_FIN ||
	    (f->kind == SIM_FORGE_RST_EXACT && one_in(d, 2))) {
		f->set = TCP_FIN;
		f->nth = 1 + below(d, 2);
		return;
	}
	f->nth = 1 + (uint32_t)spread(d, 0, 200);
}

void sim_draw(struct sim_scenario *scenario, uint64_t seed)
{
	struct drawing d = {
		.s = scenario, .r = rng(seed, STREAM), .buffer = UINT32_MAX, .segment = MSS_USUAL};

	memset(scenario, 0, sizeof *scenario);
	scenario->seed = seed;
	scenario->heal = HEALED_AT;
	scenario->limit = LIMIT;
	scenario->check = 1;
	d.crowd = one_in(&d, CROWDS);
	draw_network(&d);
	for (uint32_t host = 0; host < scenario->count[SIM_LIST_hosts]; host++)
		draw_settings(&d, host);
	for (uint32_t host = 0; host < scenario->count[SIM_LIST_hosts]; host++)
		draw_turns(&d, host);
	draw_tunes(&d);
	for (uint32_t n = 0, works = 2 + below(&d, 4) + 2 * d.crowd; n < works; n++)
		draw_work(&d, n);
	draw_changes(&d);
	draw_interfaces(&d);
	for (uint32_t n = one_in(&d, 4) ? 1 + below(&d, 3) : 0; n; n--)
		draw_act(&d);
	for (uint32_t n = one_in(&d, 2) ? 1 + below(&d, 4) : 0; n; n--)
		draw_fault(&d);
	for (uint32_t n = one_in(&d, 2) ? 1 + below(&d, 6) : 0; n; n--)
		draw_forge(&d);
}
