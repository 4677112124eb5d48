/* SPDX-License-Identifier: MIT */
#include "net/host.h"

#include "base/checksum.h"
#include "base/mem.h"
#include "net/loopback.h"
#include "tcp/notice.h"
#include "tcp/observe.h"
#include "tcp/status.h"
#include "wire/ip.h"

#define MEMORY_LIMIT (UINT64_C(64) << 20)

_Static_assert(sizeof(struct parley_host) <= PARLEY_SLAB, "a host takes one slab");

static bool is_valid(const struct parley_config *config)
{
	return config && config->size >= sizeof *config && config->allocator.alloc &&
	       config->allocator.free;
}

/* The host's own slab is part of what it may use. */
static uint64_t limit_of(const struct parley_config *config)
{
	uint64_t limit = config->memory_limit ? config->memory_limit : MEMORY_LIMIT;

	return limit > PARLEY_SLAB ? limit - PARLEY_SLAB : 0;
}

int parley_host_new(const struct parley_config *config, uint64_t now, struct parley_host **out)
{
	struct parley_host *host;
	struct tcp_config tcp;

	if (!is_valid(config))
		return -PARLEY_EINVAL;
	host = config->allocator.alloc(config->allocator.ctx, PARLEY_SLAB, PARLEY_SLAB);
	if (!host)
		return -PARLEY_ENOMEM;
	memset(host, 0, sizeof *host);
	memory_init(&host->memory, &config->allocator, limit_of(config));
	tcp = (struct tcp_config){
		.secret = config->secret,
		.memory = &host->memory,
		.checksum = config->checksum ? config->checksum : checksum_sum,
		.trace = config->trace,
		.trace_context = config->trace_context,
	};
	if (!tcp_init(&host->tcp, &tcp, now)) {
		memory_close(&host->memory);
		config->allocator.free(config->allocator.ctx, host, PARLEY_SLAB);
		return -PARLEY_ENOMEM;
	}
	*out = host;
	return 0;
}

void parley_host_free(struct parley_host *host)
{
	struct parley_allocator allocator;

	if (!host)
		return;
	allocator = host->memory.allocator;
	tcp_close(&host->tcp);
	loopback_close(host);
	while (host->present_count)
		interface_free(host, host->present[host->present_count - 1]);
	memory_close(&host->memory);
	allocator.free(allocator.ctx, host, PARLEY_SLAB);
}

int parley_expire(struct parley_host *host, uint64_t now)
{
	int fired;

	tcp_set_now(&host->tcp, now);
	fired = tcp_expire(&host->tcp);
	for (uint32_t i = 0; i < host->present_count; i++)
		fired += neighbour_expire(host, host->present[i]) +
			 autoconf_expire(host, host->present[i]);
	return fired + loopback_expire(host);
}

uint64_t parley_deadline(const struct parley_host *host)
{
	uint64_t deadline = tcp_deadline(&host->tcp);

	if (loopback_pending(host))
		return host->tcp.now;
	for (uint32_t i = 0; i < host->present_count; i++) {
		const struct interface *interface = host->present[i];

		if (interface->autoconf.next < deadline)
			deadline = interface->autoconf.next;
		if (neighbour_deadline(interface) < deadline)
			deadline = neighbour_deadline(interface);
	}
	return deadline;
}

int parley_events(struct parley_host *host, struct parley_event *events, int n)
{
	return n > 0 ? notice_drain(&host->tcp, events, n) : 0;
}

uint64_t parley_counter(const struct parley_host *host, enum parley_counter counter)
{
	return (unsigned)counter < PARLEY_COUNTER_COUNT ? host->tcp.counters[counter] : 0;
}

uint64_t parley_drops(const struct parley_host *host, enum parley_drop reason)
{
	return (unsigned)reason < PARLEY_DROP_COUNT ? host->tcp.drops[reason] : 0;
}

uint64_t parley_memory_charged(const struct parley_host *host)
{
	return host->memory.charged + PARLEY_SLAB;
}

const char *parley_check(const struct parley_host *host)
{
	const char *broken = tcp_check((struct tcp *)&host->tcp);

	if (broken)
		return broken;
	if (!memory_check(&host->memory))
		return "the books of the memory do not balance";
	if (!routes_check(&host->routes))
		return "the routes are out of order";
	for (int i = 1; i < EGRESS_MAX; i++) {
		const struct interface *interface = host->interfaces[i];

		if (host->tcp.egress[i] != (interface ? &interface->egress : NULL))
			return "an interface and its egress belong together";
		if (interface && !neighbours_check(&interface->neighbours))
			return "the neighbours of an interface are in disorder";
	}
	return NULL;
}

const char *parley_version(void)
{
	return "0.1.0";
}

void host_drop(struct parley_host *host, int ifindex, const struct ip_packet *packet,
	       enum parley_drop reason)
{
	struct arrival arrival = {.ifindex = ifindex, .at = host->tcp.now};
	struct segment segment = {.flags = 0};

	if (packet) {
		arrival.tuple.local = packet->dst;
		arrival.tuple.remote = packet->src;
		segment.text_len = (uint32_t)packet->payload_len;
	}
	observe_drop(&host->tcp, &arrival, &segment, PARLEY_NO_CONN, reason);
}

void host_drop_reply(struct parley_host *host, const struct interface *interface,
		     const struct reply *reply, enum parley_drop reason)
{
	struct arrival arrival = {
		.tuple = reply->tuple,
		.ifindex = interface->index,
		.at = host->tcp.now,
	};
	struct segment segment;

	reply_segment(reply, &segment);
	observe_drop(&host->tcp, &arrival, &segment, reply->conn, reason);
}
