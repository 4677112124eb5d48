/* SPDX-License-Identifier: MIT */
#include "dev/netem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/clock.h"
#include "dev/flight.h"
#include "wire/eth.h"

/* Frames that one receive() gives at most. */
#define BATCH  32
#define MEMORY ((size_t)16 << 20)

struct direction {
	struct path path;
	uint64_t *leaves;
	struct flight flight;
};

struct netem {
	struct device device;
	struct device *inner;
	struct direction out, in;
	struct flight_frame *lent[BATCH]; /* what the last receive() gave */
	int lent_n;
	int failed; /* the inner device's last word, once all that came before is delivered */
	uint8_t packet[ETH_HEADER_LEN + 65535];
};

static unsigned link_header(const struct netem *netem)
{
	return netem->device.link == PARLEY_LINK_ETHERNET ? ETH_HEADER_LEN : 0;
}

static void offer(const struct netem *netem, struct direction *way, uint64_t now, const void *bytes,
		  size_t len)
{
	struct path_verdict verdict;

	path_offer(&way->path, now, len, link_header(netem), &verdict);
	for (unsigned i = 0; i < verdict.copies; i++) {
		const struct path_copy *copy = &verdict.copy[i];
		struct flight_frame *frame = flight_push(&way->flight, copy->at, bytes, len);

		if (frame && copy->corrupted)
			path_flip(frame->bytes, copy->bit);
	}
}

/* What the loop has to look at: the inner device's, and what is on its way here. */
static void set_wishes(struct netem *netem)
{
	const struct flight_frame *out = flight_first(&netem->out.flight);
	const struct flight_frame *in = flight_first(&netem->in.flight);
	uint64_t at = netem->inner->deadline;

	/* A full inner device is waited for, not asked again and again. */
	if (out && !netem->inner->want_write && out->at < at)
		at = out->at;
	if (in && in->at < at)
		at = in->at;
	netem->device.fd = netem->inner->fd;
	netem->device.deadline = at;
	netem->device.want_write = netem->inner->want_write;
}

/* Sends on what has come to the end of its path. */
static int release(struct netem *netem, uint64_t now)
{
	struct flight_frame *first;

	while ((first = flight_first(&netem->out.flight)) && first->at <= now) {
		struct parley_frame frame = {
			.spans = {{first->bytes, first->len}},
			.span_count = 1,
			.len = (uint32_t)first->len,
		};
		int n = device_transmit(netem->inner, &frame, 1);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		free(flight_pop(&netem->out.flight));
	}
	return 0;
}

static int netem_transmit(struct device *device, struct parley_frame *frames, int n)
{
	struct netem *netem = (struct netem *)device;
	uint64_t now = clock_now();
	int error;

	for (int i = 0; i < n; i++) {
		int len = parley_frame_flatten(&frames[i], 0, netem->packet, sizeof netem->packet);

		if (len > 0)
			offer(netem, &netem->out, now, netem->packet, (size_t)len);
	}
	error = release(netem, now);
	set_wishes(netem);
	return error ? error : n;
}

static void give_back(struct netem *netem)
{
	while (netem->lent_n)
		free(netem->lent[--netem->lent_n]);
}

/* Takes in what the inner device has. */
static void collect(struct netem *netem, uint64_t now)
{
	struct parley_rx frames[BATCH];
	int n = BATCH;

	while (n == BATCH && !netem->failed) {
		n = device_receive(netem->inner, frames, BATCH);
		if (n < 0)
			netem->failed = n;
		for (int i = 0; i < n; i++)
			offer(netem, &netem->in, now, frames[i].data, frames[i].len);
	}
}

static int netem_receive(struct device *device, struct parley_rx *frames, int n)
{
	struct netem *netem = (struct netem *)device;
	uint64_t now = clock_now();
	struct flight_frame *first;
	int error;

	give_back(netem);
	collect(netem, now);
	error = release(netem, now);
	while (netem->lent_n < n && netem->lent_n < BATCH &&
	       (first = flight_first(&netem->in.flight)) && first->at <= now) {
		frames[netem->lent_n] = (struct parley_rx){
			.data = first->bytes,
			.len = first->len,
			.arrival = first->at,
		};
		netem->lent[netem->lent_n++] = flight_pop(&netem->in.flight);
	}
	set_wishes(netem);
	if (netem->lent_n)
		return netem->lent_n;
	if (error)
		return error;
	return netem->in.flight.n ? 0 : netem->failed;
}

static void end(struct direction *way)
{
	flight_clear(&way->flight);
	free(way->leaves);
}

static void netem_close(struct device *device)
{
	struct netem *netem = (struct netem *)device;

	give_back(netem);
	end(&netem->out);
	end(&netem->in);
	device_close(netem->inner);
	free(netem);
}

static const struct device_ops netem_ops = {
	.receive = netem_receive,
	.transmit = netem_transmit,
	.close = netem_close,
};

static bool begin(struct direction *way, const struct path_config *config)
{
	way->leaves = config->queue ? calloc(config->queue, sizeof *way->leaves) : NULL;
	if (config->queue && !way->leaves)
		return false;
	path_init(&way->path, config, way->leaves);
	flight_init(&way->flight, MEMORY);
	return true;
}

int netem_open(struct device **wrapper, struct device *inner, const struct path_config *out,
	       const struct path_config *in)
{
	struct netem *netem;

	if (inner->offload)
		return -EOPNOTSUPP;
	netem = calloc(1, sizeof *netem);
	if (!netem)
		return -ENOMEM;
	if (!begin(&netem->out, out) || !begin(&netem->in, in)) {
		free(netem->out.leaves);
		free(netem);
		return -ENOMEM;
	}
	netem->inner = inner;
	netem->device = *inner;
	netem->device.ops = &netem_ops;
	*wrapper = &netem->device;
	return 0;
}

void netem_set(struct device *wrapper, const struct path_config *out, const struct path_config *in)
{
	struct netem *netem = (struct netem *)wrapper;

	path_set(&netem->out.path, out);
	path_set(&netem->in.path, in);
}
