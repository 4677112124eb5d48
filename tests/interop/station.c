/* SPDX-License-Identifier: MIT */
#include "station.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dev/clock.h"
#include "pattern.h"

/* Handshakes that a swarm has under way at once, and rounds of one turn. */
#define OPENING_MAX 256
#define ROUNDS	    16
#define EVENTS	    64

static void *allocate_slab(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return aligned_alloc(align, size);
}

static void free_slab(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static int add_interface(struct station *station, const struct station_config *config)
{
	const struct device *device = config->device;
	struct parley_interface interface = {
		.size = sizeof interface,
		.link = device->link,
		.mtu = device->mtu,
		.offload = device->offload,
	};

	memcpy(interface.name, device->name, sizeof interface.name);
	memcpy(interface.mac, device->mac, sizeof interface.mac);
	station->ifindex = parley_interface_add(station->host, station->now, &interface);
	if (station->ifindex < 0)
		return station->ifindex;
	return parley_address_add(station->host, station->now, station->ifindex, &config->addr,
				  config->prefix);
}

int station_init(struct station *station, const struct station_config *config)
{
	struct parley_config host = {
		.size = sizeof host,
		.allocator = {.alloc = allocate_slab, .free = free_slab},
		.memory_limit = UINT64_C(1) << 30,
	};
	int error;

	*station = (struct station){
		.device = config->device,
		.netem = config->netem,
		.now = clock_now(),
	};
	if (getrandom(host.secret, sizeof host.secret, 0) != (ssize_t)sizeof host.secret)
		return -PARLEY_ENOMEM;
	error = parley_host_new(&host, station->now, &station->host);
	/* There is nobody else whose address it could be, and no second to be spent on asking. */
	if (!error)
		error = parley_set(station->host, station->now, PARLEY_NO_CONN, PARLEY_SET_DAD, 0);
	return error ? error : add_interface(station, config);
}

void station_free(struct station *station)
{
	if (station->host) {
		parley_release(station->host, station->kept, station->kept_count);
		parley_host_free(station->host);
	}
	device_close(station->device);
	free(station->ends);
}

uint32_t station_add(struct station *station)
{
	if (station->count == station->room) {
		uint32_t room = station->room ? 2 * station->room : 64;
		struct end *ends = realloc(station->ends, room * sizeof *ends);

		if (!ends)
			return 0;
		station->ends = ends;
		station->room = room;
	}
	station->ends[station->count] = (struct end){.conn = PARLEY_NO_CONN};
	return ++station->count;
}

struct end *station_end(struct station *station, uint32_t number)
{
	return number > 0 && number <= station->count ? &station->ends[number - 1] : NULL;
}

static void send_pattern(struct station *station, struct end *end)
{
	while (end->to_send > 0) {
		struct parley_span span = pattern_at(end->sent, end->to_send);
		int64_t n = parley_send(station->host, station->now, end->conn, &span, 1,
					end->flags);

		if (n == -PARLEY_EAGAIN || n == -PARLEY_ENOTCONN)
			return;
		if (n < 0) {
			end->error = (int)-n;
			end->to_send = 0;
			return;
		}
		end->sent += (uint64_t)n;
		end->to_send -= (uint64_t)n;
	}
}

/* Takes one run of bytes; how many of them, 0 when it can take none now. */
static size_t take(struct station *station, struct end *end, const struct parley_span *span)
{
	int64_t n = (int64_t)span->len;

	if (end->mode == MODE_ECHO) {
		n = parley_send(station->host, station->now, end->conn, span, 1, 0);
		if (n <= 0)
			return 0;
		end->sent += (uint64_t)n;
	} else {
		end->wrong += pattern_wrong(end->received, span->data, span->len);
	}
	end->received += (uint64_t)n;
	parley_consume(station->host, station->now, end->conn, (size_t)n);
	return (size_t)n;
}

static void receive(struct station *station, struct end *end)
{
	struct parley_span span;
	uint8_t none;

	if (end->mode == MODE_HOLD || end->eof)
		return;
	while (parley_peek(station->host, end->conn, &span, 1) > 0) {
		if (!take(station, end, &span))
			return;
	}
	/* Nothing lies there: what it is that can be received, if not bytes? */
	int64_t n = parley_receive(station->host, station->now, end->conn, &none, 1);
	if (n == 0) {
		end->eof = true;
		end->closing |= end->mode == MODE_ECHO;
	} else if (n < 0 && n != -PARLEY_EAGAIN && n != -PARLEY_ENOTCONN && !end->error) {
		end->error = (int)-n;
	}
}

static void finish(struct station *station, struct end *end)
{
	if (end->to_send)
		return;
	if (end->shutting)
		parley_shutdown(station->host, station->now, end->conn, PARLEY_SHUT_WR);
	if (end->closing)
		parley_close(station->host, station->now, end->conn);
	end->shutting = end->closing = false;
}

void station_pump(struct station *station, struct end *end)
{
	if (end->conn == PARLEY_NO_CONN || end->listener)
		return;
	send_pattern(station, end);
	receive(station, end);
	finish(station, end);
}

int station_accept(struct station *station, uint32_t listener)
{
	uint32_t number = station_add(station);
	struct end *from = station_end(station, listener);
	struct end *end = station_end(station, number);
	int error;

	if (!end)
		return -PARLEY_ENOMEM;
	error = parley_accept(station->host, station->now, from->conn, number, &end->conn);
	if (error) {
		station->count--;
		return error;
	}
	end->mode = from->mode;
	end->connected = true;
	station_pump(station, end);
	return (int)number;
}

static void note(struct station *station, const struct parley_event *event)
{
	uint32_t number = (uint32_t)event->user;
	struct end *end = station_end(station, number);

	if (!end)
		return;
	if (end->listener) {
		while (!end->manual && station_accept(station, number) > 0)
			end = station_end(station, number);
		return;
	}
	if (end->open.size && !end->connected && event->bits & (PARLEY_CONNECTED | PARLEY_DEAD) &&
	    station->opening)
		station->opening--;
	end->connected |= (event->bits & PARLEY_CONNECTED) != 0;
	end->urgent |= (event->bits & PARLEY_URGENT) != 0;
	if (event->error)
		end->error = event->error;
	station_pump(station, end);
	end->dead |= (event->bits & PARLEY_DEAD) != 0;
}

static int take_events(struct station *station)
{
	struct parley_event events[EVENTS];
	int n = parley_events(station->host, events, EVENTS);

	for (int i = 0; i < n; i++)
		note(station, &events[i]);
	return n;
}

static void open_end(struct station *station, struct end *end)
{
	int error;

	/* Those between them that came another way are open already. */
	if (!end->open.size || end->conn != PARLEY_NO_CONN || end->dead)
		return;
	error = parley_connect(station->host, station->now, &end->open, &end->conn);
	end->error = -error;
	end->dead = error != 0;
	station->opening += error == 0;
}

/* Opens the next ones of a swarm. */
static void open_more(struct station *station)
{
	while (station->unopened && station->opening < OPENING_MAX) {
		struct end *end = station_end(station, station->unopened);

		station->unopened = end ? station->unopened + 1 : 0;
		if (end)
			open_end(station, end);
	}
}

static void take_in(struct station *station)
{
	struct parley_rx frames[STATION_FRAMES];
	int n = STATION_FRAMES;

	for (int i = 0; i < ROUNDS && n == STATION_FRAMES; i++) {
		memset(frames, 0, sizeof frames);
		n = device_receive(station->device, frames, STATION_FRAMES);
		if (n < 0) {
			station->gone = true;
			return;
		}
		for (int k = 0; k < n; k++)
			frames[k].ifindex = station->ifindex;
		parley_input(station->host, station->now, frames, n);
	}
}

/* False when there is nothing more to send, or no room for it. */
static bool put_out(struct station *station)
{
	struct parley_frame *kept = station->kept;
	int n;

	if (!station->kept_count)
		station->kept_count = parley_output(station->host, station->ifindex, station->now,
						    kept, STATION_FRAMES);
	if (!station->kept_count)
		return false;
	n = device_transmit(station->device, kept, station->kept_count);
	if (n < 0) {
		station->gone = true;
		return false;
	}
	parley_release(station->host, kept, n);
	station->kept_count -= n;
	memmove(kept, kept + n, (size_t)station->kept_count * sizeof *kept);
	return !station->kept_count;
}

void station_turn(struct station *station)
{
	station->now = clock_now();
	take_in(station);
	if (parley_deadline(station->host) <= station->now)
		parley_expire(station->host, station->now);
	for (int i = 0; i < ROUNDS; i++) {
		open_more(station);
		if (!take_events(station))
			break;
	}
	for (int i = 0; i < ROUNDS && put_out(station); i++)
		;
}

uint64_t station_deadline(const struct station *station)
{
	uint64_t deadline = parley_deadline(station->host);

	if (station->device->deadline < deadline)
		deadline = station->device->deadline;
	if (!station->kept_count && parley_output_pending(station->host, station->ifindex))
		deadline = 0;
	return deadline;
}
