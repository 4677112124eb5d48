/* SPDX-License-Identifier: MIT */
#include "dev/capture.h"

#include <errno.h>
#include <stdlib.h>

#include "dev/clock.h"
#include "dev/pcapfile.h"
#include "wire/eth.h"

struct capture {
	struct device device;
	struct device *inner;
	struct pcapfile *file;
	uint8_t packet[ETH_HEADER_LEN + 65535];
};

void capture_event(struct device *wrapper, const struct parley_trace_event *event)
{
	pcapfile_event(((struct capture *)wrapper)->file, event);
}

static int capture_receive(struct device *device, struct parley_rx *frames, int n)
{
	struct capture *capture = (struct capture *)device;
	int got = device_receive(capture->inner, frames, n);
	uint64_t now = clock_now();

	for (int i = 0; i < got; i++)
		pcapfile_frame(capture->file, frames[i].arrival ? frames[i].arrival : now,
			       PCAPNG_INBOUND, frames[i].data, frames[i].len);
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
			pcapfile_frame(capture->file, now, PCAPNG_OUTBOUND, capture->packet,
				       (size_t)len);
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
	error = pcapfile_open(&capture->file, path, about, inner->name, inner->link, clock_epoch());
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
