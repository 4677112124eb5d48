/* SPDX-License-Identifier: MIT */
#include "sim/host.h"

#include "base/mem.h"
#include "net/host.h"
#include "sim/mix.h"
#include "sim/oracle.h"
#include "sim/user.h"
#include "sim/world.h"

/* What new and freed memory is filled with, so that nothing depends on what was there. */
#define FRESH 0xa5
#define STALE 0xde

#define OUTPUT_BATCH 8
#define EVENT_BATCH  8
/* A host that wakes so often at one time, or goes round so often, will not end. */
#define WAKES_MAX  100000
#define ROUNDS_MAX 100000

static void *slab_alloc(void *context, size_t size, size_t align)
{
	const struct sim_host *host = context;
	void *ptr = sim_alloc(host->world->arena, size, align);

	if (ptr && !host->world->config.unfilled)
		memset(ptr, FRESH, size);
	return ptr;
}

static void slab_free(void *context, void *ptr, size_t size)
{
	const struct sim_host *host = context;

	if (!ptr)
		return;
	if (!host->world->config.unfilled)
		memset(ptr, STALE, size);
	sim_free(host->world->arena, ptr, size);
}

static uint64_t digest_trace(uint64_t digest, const struct parley_trace_event *event)
{
	const struct parley_field *fields = parley_event_fields((int)event->kind);

	digest = mix_word(mix_word(digest, event->now), (uint64_t)event->kind);
	digest = mix_word(mix_word(digest, event->conn), (uint64_t)event->ifindex);
	digest = mix_endpoint(mix_endpoint(digest, &event->local), &event->remote);
	for (int i = 0; i < PARLEY_TRACE_FIELDS && fields[i].name; i++)
		digest = mix_word(digest, (uint64_t)event->value[i]);
	return digest;
}

static void on_trace(void *context, const struct parley_trace_event *event)
{
	struct sim_host *host = context;
	struct sim_world *world = host->world;

	world->digest = digest_trace(mix_word(world->digest, host->number), event);
	sim_oracle_trace(host, event);
	if (world->config.hooks.trace)
		world->config.hooks.trace(world->config.hooks.context, (int)host->number, event);
}

static void set_name(struct sim_host *host, const char *name)
{
	for (size_t i = 0; name[i] && i < sizeof host->name - 1; i++)
		host->name[i] = name[i];
}

int sim_host_add(struct sim_world *world, const char *name, uint64_t memory_limit)
{
	struct parley_config config = {.size = sizeof config, .memory_limit = memory_limit};
	uint64_t draw = mix_word(world->config.seed, world->host_count);
	struct sim_host *host;
	int error;

	if (world->host_count == SIM_HOSTS_MAX)
		return -PARLEY_ENOBUFS;
	host = sim_zalloc(world->arena, sizeof *host);
	if (!host)
		return -PARLEY_ENOMEM;
	host->world = world;
	host->number = world->host_count;
	host->shortest_wait = UINT64_MAX;
	host->wake = (struct sim_event){.kind = SIM_EVENT_WAKE, .owner = host};
	host->turn = (struct sim_event){.kind = SIM_EVENT_TURN, .owner = host};
	host->ring_end = &host->ring;
	set_name(host, name);
	put_be64(config.secret, mix64(draw));
	put_be64(config.secret + 8, mix64(~draw));
	config.allocator = (struct parley_allocator){slab_alloc, slab_free, host};
	config.trace = on_trace;
	config.trace_context = host;
	error = parley_host_new(&config, world->now, &host->engine);
	if (error)
		return error;
	host->empty_charge = sim_host_charge(host);
	world->host[world->host_count++] = host;
	return (int)host->number;
}

uint64_t sim_host_charge(const struct sim_host *host)
{
	return parley_memory_charged(host->engine) - slots_charge(&host->engine->tcp.slots);
}

static struct parley_interface interface_of(const struct sim_port *port)
{
	struct parley_interface interface = {
		.size = sizeof interface,
		.name = "eth0",
		.link = port->lan->config.link,
		.mtu = port->mtu,
	};

	while (port->host->port[interface.name[3] - '0'] != port)
		interface.name[3]++;
	memcpy(interface.mac, port->mac.b, sizeof interface.mac);
	return interface;
}

static int add_interface(struct sim_port *port)
{
	struct parley_interface interface = interface_of(port);
	struct sim_host *host = port->host;
	int ifindex = parley_interface_add(host->engine, sim_host_now(host), &interface);

	port->ifindex = ifindex < 0 ? 0 : ifindex;
	return ifindex < 0 ? ifindex : 0;
}

static int add_address(struct sim_port *port)
{
	return parley_address_add(port->host->engine, sim_host_now(port->host), port->ifindex,
				  &port->addr, port->prefix);
}

int sim_host_join(struct sim_world *world, int host, int lan, const struct parley_addr *addr,
		  unsigned prefix, const struct path_config *path)
{
	struct sim_host *h = world->host[host];
	struct sim_port *port;
	int error;

	if (h->port_count == SIM_PORTS_MAX)
		return -PARLEY_ENOBUFS;
	port = sim_lan_join(world->lan[lan], h, path);
	if (!port)
		return -PARLEY_ENOMEM;
	port->addr = *addr;
	port->prefix = prefix;
	port->mtu = port->lan->config.mtu;
	h->port[h->port_count] = port;
	error = add_interface(port);
	if (!error)
		error = add_address(port);
	if (error)
		return error;
	h->empty_charge = sim_host_charge(h);
	return (int)h->port_count++;
}

int sim_host_profile(struct sim_world *world, int host, enum parley_profile profile)
{
	struct sim_host *h = world->host[host];

	return parley_profile(h->engine, sim_host_now(h), profile);
}

int sim_host_mtu(struct sim_port *port, uint32_t mtu)
{
	struct parley_interface interface = interface_of(port);
	int error;

	interface.mtu = mtu;
	error = parley_interface_set(port->host->engine, sim_host_now(port->host), port->ifindex,
				     &interface);
	if (!error)
		port->mtu = mtu;
	return error;
}

int sim_host_take(struct sim_port *port, bool interface)
{
	struct parley_host *engine = port->host->engine;
	uint64_t now = sim_host_now(port->host);
	int error;

	if (!interface)
		return parley_address_remove(engine, now, port->ifindex, &port->addr);
	error = parley_interface_remove(engine, now, port->ifindex);
	if (!error)
		port->ifindex = 0;
	return error;
}

int sim_host_give(struct sim_port *port, bool interface)
{
	int error = interface && !port->ifindex ? add_interface(port) : 0;

	return error ? error : add_address(port);
}

uint64_t sim_host_now(const struct sim_host *host)
{
	return host->world->now + host->clock_ahead;
}

void sim_host_turns(struct sim_world *world, int host, const struct sim_turns *turns)
{
	world->host[host]->turns = *turns;
}

void sim_clock_jump(struct sim_world *world, int host, uint64_t ns)
{
	world->host[host]->clock_ahead += ns;
	sim_host_settle(world->host[host]);
}

/* Tells the users what happened. True when anything had. */
static bool drain_events(struct sim_host *host)
{
	struct parley_event events[EVENT_BATCH];
	int n, rounds = 0;

	while ((n = parley_events(host->engine, events, EVENT_BATCH)) > 0) {
		for (int i = 0; i < n; i++)
			sim_user_told(host, &events[i]);
		if (++rounds > ROUNDS_MAX) {
			sim_fail(host->world, host, SIM_RULE_STALL, "events", 0, 0);
			break;
		}
	}
	return rounds > 0;
}

/* The bytes of all packets of a frame; each is sent when wanted. */
static uint64_t flatten(struct sim_host *host, const struct parley_frame *frame,
			struct sim_port *send)
{
	uint8_t *buf = host->world->scratch;
	uint64_t digest = 0;
	int len;

	for (unsigned i = 0; (len = parley_frame_flatten(frame, i, buf, SIM_FRAME_MAX)) > 0; i++) {
		digest = mix_bytes(digest, buf, (size_t)len);
		if (send)
			sim_lan_send(send, buf, (size_t)len);
	}
	if (len < 0)
		sim_fail(host->world, host, SIM_RULE_CALL, "flatten", (uint64_t)-len, 0);
	return digest;
}

static void transmit(struct sim_port *port, struct parley_frame *frame)
{
	uint64_t digest = flatten(port->host, frame, port);

	if (!sim_lan_hold(port, frame, digest))
		parley_release(port->host->engine, frame, 1);
}

/* What one port takes; *takes is what it may take still. False: it does not end. */
static bool drain_port(struct sim_port *port, uint32_t *takes, bool *any)
{
	struct parley_host *engine = port->host->engine;
	struct parley_frame frames[OUTPUT_BATCH];
	uint64_t now = sim_host_now(port->host);
	int n, rounds = 0;

	while (*takes && port->ifindex) {
		int want = *takes < OUTPUT_BATCH ? (int)*takes : OUTPUT_BATCH;

		n = parley_output(engine, port->ifindex, now, frames, want);
		if (n <= 0)
			break;
		for (int k = 0; k < n; k++)
			transmit(port, &frames[k]);
		*any = true;
		*takes -= (uint32_t)n;
		if (++rounds > ROUNDS_MAX) {
			sim_fail(port->host->world, port->host, SIM_RULE_STALL, "output", 0, 0);
			return false;
		}
	}
	return true;
}

/* Sends what is owed, as far as devices take it. True when anything was. */
static bool drain_output(struct sim_host *host, uint32_t takes[SIM_PORTS_MAX])
{
	bool any = false;

	for (uint32_t i = 0; i < host->port_count; i++)
		if (!drain_port(host->port[i], &takes[i], &any))
			return false;
	return any;
}

static void must_fit(struct sim_host *host, bool fits)
{
	struct sim_world *world = host->world;

	if (!fits)
		sim_fail(world, host, SIM_RULE_WORLD, "for an event", world->arena->used, 0);
}

static void set_alarm(struct sim_host *host)
{
	struct sim_world *world = host->world;
	uint64_t due = parley_deadline(host->engine);
	uint64_t at = due > sim_host_now(host) ? due - host->clock_ahead : world->now;
	bool waits = host->turns.timers && host->turn.place && at <= host->turn.at;

	if (due == UINT64_MAX || waits)
		sim_queue_remove(&world->queue, &host->wake);
	else
		must_fit(host, sim_queue_put(&world->queue, &host->wake, at));
}

/* Its next turn is the one that its grid has. */
static void await_turn(struct sim_host *host)
{
	struct sim_world *world = host->world;
	uint64_t every = host->turns.every_ns;

	if (!host->turn.place)
		must_fit(host, sim_queue_put(&world->queue, &host->turn,
					     world->now - world->now % every + every));
}

/* A port that has taken all that it could, with more to come. */
static bool is_choked(const struct sim_host *host, const uint32_t takes[SIM_PORTS_MAX])
{
	for (uint32_t i = 0; i < host->port_count; i++)
		if (!takes[i] && host->port[i]->ifindex &&
		    parley_output_pending(host->engine, host->port[i]->ifindex))
			return true;
	return false;
}

/* All that follows from what happened up to now. */
static void take_turn(struct sim_host *host)
{
	uint32_t most = host->turns.every_ns && host->turns.takes ? host->turns.takes : UINT32_MAX;
	uint32_t takes[SIM_PORTS_MAX];
	bool more = true;

	host->world->coverage.mishap[SIM_MISHAP_LATE_TURN] += host->stirred > 1;
	host->stirred = 0;
	for (uint32_t i = 0; i < SIM_PORTS_MAX; i++)
		takes[i] = most;
	for (int rounds = 0; more && !host->world->failure.failed; rounds++) {
		more = drain_events(host);
		/* It may have found a connection lost, and have no frame. */
		more |= drain_output(host, takes) || drain_events(host);
		if (rounds > ROUNDS_MAX)
			sim_fail(host->world, host, SIM_RULE_STALL, "rounds", 0, 0);
	}
	if (is_choked(host, takes)) {
		host->world->coverage.mishap[SIM_MISHAP_CHOKED]++;
		await_turn(host);
	}
	sim_oracle_turn(host);
	sim_oracle_host(host);
	set_alarm(host);
}

void sim_host_settle(struct sim_host *host)
{
	host->stirred++;
	if (!host->turns.every_ns) {
		take_turn(host);
		return;
	}
	if (host->turns.batch && host->stirred >= host->turns.batch) {
		sim_queue_remove(&host->world->queue, &host->turn);
		sim_host_turn(host);
		return;
	}
	await_turn(host);
	sim_oracle_host(host);
	set_alarm(host);
}

static void expire(struct sim_host *host)
{
	uint64_t now = sim_host_now(host);

	if (host->rested_at != now) {
		host->rested_at = now;
		host->woken = 0;
	}
	if (++host->woken > WAKES_MAX)
		sim_fail(host->world, host, SIM_RULE_STALL, "deadline", now,
			 parley_deadline(host->engine));
	parley_expire(host->engine, now);
}

void sim_host_wake(struct sim_host *host)
{
	if (!host->turns.every_ns || !host->turns.timers)
		expire(host);
	sim_host_settle(host);
}

/* Frames that go into the engine together. */
struct batch {
	struct parley_rx rx[SIM_INPUT_MAX];
	uint32_t n;
};

static void input(struct sim_host *host, const struct batch *batch)
{
	int error = parley_input(host->engine, sim_host_now(host), batch->rx, (int)batch->n);

	if (error)
		sim_fail(host->world, host, SIM_RULE_CALL, "input", (uint64_t)-error, batch->n);
}

/* Adds a frame as often as it arrives, if nothing keeps it from doing so. */
static void gather(struct batch *batch, const struct sim_frame *frame, uint64_t arrival)
{
	if (!sim_lan_admit(frame))
		return;
	for (uint32_t i = 0; i < frame->times && batch->n < SIM_INPUT_MAX; i++)
		batch->rx[batch->n++] = (struct parley_rx){.data = frame->bytes,
							   .len = frame->len,
							   .ifindex = frame->to->ifindex,
							   .arrival = arrival};
}

static void arrive_now(struct sim_frame *frame)
{
	struct sim_host *host = frame->to->host;
	struct batch batch;

	batch.n = 0;
	gather(&batch, frame, sim_host_now(host));
	/* Of what follows later nobody can say which RST caused it. */
	host->after_rst &= !host->turns.every_ns;
	if (batch.n) {
		input(host, &batch);
		sim_host_settle(host);
	}
	host->after_rst = false;
	sim_lan_done(host->world, frame);
}

void sim_host_arrival(struct sim_frame *frame)
{
	struct sim_host *host = frame->to->host;

	if (!host->turns.every_ns || !host->turns.ring) {
		arrive_now(frame);
		return;
	}
	frame->next = NULL;
	*host->ring_end = frame;
	host->ring_end = &frame->next;
	sim_host_settle(host);
}

/* The frames that the device has, up to now. */
static void empty_ring(struct sim_host *host)
{
	struct sim_frame *frame = host->ring;
	struct batch batch;

	host->ring = NULL;
	host->ring_end = &host->ring;
	while (frame) {
		struct sim_frame *first = frame;

		for (batch.n = 0; frame && batch.n + frame->times <= SIM_INPUT_MAX;
		     frame = frame->next)
			gather(&batch, frame, frame->event.at + host->clock_ahead);
		host->world->coverage.mishap[SIM_MISHAP_BATCH] += batch.n > 1;
		if (batch.n)
			input(host, &batch);
		while (first != frame) {
			struct sim_frame *next = first->next;

			sim_lan_done(host->world, first);
			first = next;
		}
	}
	host->after_rst = false;
}

void sim_host_turn(struct sim_host *host)
{
	if (host->ring)
		empty_ring(host);
	if (parley_deadline(host->engine) <= sim_host_now(host))
		expire(host);
	take_turn(host);
}

void sim_host_release(struct sim_held *held)
{
	struct sim_host *host = held->host;
	struct sim_world *world = host->world;
	uint64_t digest = flatten(host, &held->frame, NULL);

	if (digest != held->digest)
		sim_fail(world, host, SIM_RULE_HELD_FRAME, NULL, held->digest, digest);
	parley_release(host->engine, &held->frame, 1);
	sim_free(world->arena, held, sizeof *held);
	world->frames_held--;
	sim_host_settle(host);
}
