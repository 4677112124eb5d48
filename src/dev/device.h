/* SPDX-License-Identifier: MIT */
/*
 * A device: what carries frames between a host and the world. A kind of device fills in the table
 * of functions; its own type begins with a struct device. A wrapper (dev/netem, dev/capture) is a
 * device around another one, which it owns.
 *
 * Nothing here blocks. A loop polls `fd` for reading always, and for writing while `want_write`.
 * It calls receive() when `fd` is readable, at `deadline`, and after a receive() that filled all
 * the frames it was given; and transmit() when it has frames and want_write is not set, and when
 * `fd` has become writable, then also with no frames at all. It looks at `fd`, `want_write` and
 * `deadline` afresh before each poll.
 */
#ifndef DEV_DEVICE_H
#define DEV_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <parley/host.h>

struct device;

struct device_ops {
	/*
	 * Fills up to n frames with what has come, oldest first, and returns how many: 0 when there
	 * is nothing now. Sets data, len, arrival, and what it knows of checksum and segment size;
	 * ifindex is the caller's affair. The bytes are the device's, until its next
	 * receive() or close(). A negative errno when there is no more to be had: -EPIPE when the
	 * other side is gone.
	 */
	int (*receive)(struct device *device, struct parley_rx *frames, int n);
	/*
	 * Takes frames, from the first on, and returns how many. Of those taken everything that
	 * will be needed has been copied: the caller may release them at once. Fewer than n when
	 * the device is full: it then sets want_write, and clears it when there is room again. A
	 * negative errno as in receive().
	 */
	int (*transmit)(struct device *device, struct parley_frame *frames, int n);
	/* Gives everything back, the memory of the device as well. */
	void (*close)(struct device *device);
};

/* No deadline. */
#define DEVICE_NEVER UINT64_MAX

struct device {
	const struct device_ops *ops;
	int fd;		   /* to poll; -1: nothing to poll */
	bool want_write;   /* poll for writing too, and transmit again when it is writable */
	uint64_t deadline; /* CLOCK_MONOTONIC, ns: call receive() then at the latest */
	enum parley_link link;
	uint32_t mtu; /* what one packet may carry behind the link header, bytes */
	uint8_t mac[6];
	uint32_t offload; /* PARLEY_OFFLOAD_... bits that it can do */
	char name[16];
};

static inline int device_receive(struct device *device, struct parley_rx *frames, int n)
{
	return device->ops->receive(device, frames, n);
}

static inline int device_transmit(struct device *device, struct parley_frame *frames, int n)
{
	return device->ops->transmit(device, frames, n);
}

/* NULL is no device, and nothing to close. */
static inline void device_close(struct device *device)
{
	if (device)
		device->ops->close(device);
}

#endif
