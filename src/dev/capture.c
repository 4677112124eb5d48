/* SPDX-License-Identifier: MIT */
#include "dev/capture.h"

#include <errno.h>
#include <stdlib.h>

#include "dev/clock.h"
#include "dev/pcapfile.h"
#include "wire/eth.h"
#include "wire/ip.h"

/* Segments that the host has announced and that have not passed yet; a power of two. */
#define ANNOUNCED 512

/* What segment_out tells, by its order of fields in the table of events. */
enum { OUT_FLAGS = 0, OUT_SEQ = 1, OUT_STATE = 8, OUT_WHY = 9 };

struct announced {
	struct parley_endpoint local, remote;
	uint32_t seq;
	uint16_t flags;
	uint8_t state, why;
};

struct capture {
	struct device device;
	struct device *inner;
	struct pcapfile *file;
	struct announced announced[ANNOUNCED];
	uint32_t head, tail; /* counted from 0 without end: tail - head are in use */
	uint8_t packet[ETH_HEADER_LEN + 65535];
};

void capture_event(struct device *wrapper, const struct parley_trace_event *event)
{
	struct capture *capture = (struct capture *)wrapper;

	if (event->kind != PARLEY_TRACE_SEGMENT_OUT)
		return;
	if (capture->tail - capture->head == ANNOUNCED)
		capture->head++;
	capture->announced[capture->tail++ % ANNOUNCED] = (struct announced){
		.local = event->local,
		.remote = event->remote,
		.seq = (uint32_t)event->value[OUT_SEQ],
		.flags = (uint16_t)event->value[OUT_FLAGS],
		.state = (uint8_t)event->value[OUT_STATE],
		.why = (uint8_t)event->value[OUT_WHY],
	};
}

static bool same(const struct parley_endpoint *a, const struct parley_endpoint *b)
{
	return a->port == b->port && ip_equal(&a->addr, &b->addr);
}

/*
 * What the host said of a segment that passes now. Both come in the same order, so what was
 * announced before it has been lost on the way and will not come.
 */
static const struct announced *recall(struct capture *capture, const struct pcapfile_tcp *tcp)
{
	for (uint32_t i = capture->head; i != capture->tail; i++) {
		const struct announced *a = &capture->announced[i % ANNOUNCED];

		if (a->seq == tcp->segment.seq.v && a->flags == tcp->segment.flags &&
		    same(&a->local, &tcp->src) && same(&a->remote, &tcp->dst)) {
			capture->head = i + 1;
			return a;
		}
	}
	return NULL;
}

static void record(struct capture *capture, uint64_t now, enum pcapng_direction direction,
		   const uint8_t *bytes, size_t len)
{
	char comment[NARRATION_COMMENT_MAX] = "";
	struct pcapfile_tcp tcp;
	struct narration narration;

	if (pcapfile_tcp(&tcp, capture->device.link, bytes, len)) {
		const struct announced *a = NULL;

		pcapfile_narrate(capture->file, &tcp, false, &narration);
		if (direction == PCAPNG_OUTBOUND)
			a = recall(capture, &tcp);
		if (a) {
			narration.sender = (enum parley_state)a->state;
			narration.sender_sure = true;
			narration.why = a->why;
		}
		narration_comment(comment, &narration);
	}
	pcapfile_packet(capture->file, now, direction, bytes, len, comment);
}

static int capture_receive(struct device *device, struct parley_rx *frames, int n)
{
	struct capture *capture = (struct capture *)device;
	int got = device_receive(capture->inner, frames, n);
	uint64_t now = clock_now();

	for (int i = 0; i < got; i++)
		record(capture, frames[i].arrival ? frames[i].arrival : now, PCAPNG_INBOUND,
		       frames[i].data, frames[i].len);
	device->fd = capture->inner->fd;
	device->deadline = capture->inner->deadline;
	device->want_write = capture->inner->want_write;
	return got;
}

static int capture_transmit(struct device *device, struct parley_frame *frames, int n)
{
	struct capture *capture = (struct capture *)device;
	int taken = device_transmit(capture->inner, frames, n);
	uint64_t now = clock_now();

	for (int i = 0; i < taken; i++) {
		unsigned index = 0;
		int len;

		while ((len = parley_frame_flatten(&frames[i], index++, capture->packet,
						   sizeof capture->packet)) > 0)
			record(capture, now, PCAPNG_OUTBOUND, capture->packet, (size_t)len);
	}
	device->fd = capture->inner->fd;
	device->deadline = capture->inner->deadline;
	device->want_write = capture->inner->want_write;
	return taken;
}

static void capture_close(struct device *device)
{
	struct capture *capture = (struct capture *)device;

	pcapfile_close(capture->file);
	device_close(capture->inner);
	free(capture);
}

static const struct device_ops capture_ops = {
	.receive = capture_receive,
	.transmit = capture_transmit,
	.close = capture_close,
};

int capture_open(struct device **wrapper, struct device *inner, const char *path, const char *about)
{
	struct capture *capture = calloc(1, sizeof *capture);
	int error;

	if (!capture)
		return -ENOMEM;
	error = pcapfile_open(&capture->file, path, about, inner->name, inner->link);
	if (error) {
		free(capture);
		return error;
	}
	capture->inner = inner;
	capture->device = *inner;
	capture->device.ops = &capture_ops;
	*wrapper = &capture->device;
	return 0;
}

int capture_error(const struct device *wrapper)
{
	return pcapfile_error(((const struct capture *)wrapper)->file);
}
