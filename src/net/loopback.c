/* SPDX-License-Identifier: MIT */
#include "net/loopback.h"

#include "base/mem.h"
#include "net/host.h"
#include "wire/ip.h"

/* Packets in one call. */
enum { BUDGET = 64 };

static const struct parley_addr ours_4 = {{[10] = 0xff, 0xff, 127, 0, 0, 1}};

static struct interface *loopback_of(const struct parley_host *host)
{
	return host->interfaces[LOOPBACK_INDEX];
}

bool loopback_open(struct parley_host *host)
{
	static const struct parley_interface config = {
		.size = sizeof config,
		.name = "lo",
		.link = PARLEY_LINK_IP,
		.mtu = LOOPBACK_MTU,
		.offload = PARLEY_OFFLOAD_CHECKSUM,
	};

	if (loopback_of(host))
		return true;
	host->loopback = memory_alloc(&host->memory, LOOPBACK_MTU);
	if (!host->loopback)
		return false;
	if (interface_new(host, LOOPBACK_INDEX, &config))
		return true;
	memory_free(&host->memory, host->loopback, LOOPBACK_MTU);
	host->loopback = NULL;
	return false;
}

void loopback_close(struct parley_host *host)
{
	if (!loopback_of(host))
		return;
	interface_free(host, loopback_of(host));
	memory_free(&host->memory, host->loopback, LOOPBACK_MTU);
	host->loopback = NULL;
}

bool loopback_leads_to(const struct parley_host *host, const struct parley_addr *addr)
{
	return ip_is_loopback(addr) || interface_of_address(host, NULL, addr);
}

const struct parley_addr *loopback_source(const struct parley_addr *dst)
{
	return ip_is_v4(dst) && ip_is_loopback(dst) ? &ours_4 : dst;
}

bool loopback_pending(const struct parley_host *host)
{
	return loopback_of(host) && parley_output_pending(host, LOOPBACK_INDEX);
}

/* The frame as one run of bytes, for the parsers. */
static size_t gather(struct parley_host *host, const struct parley_frame *frame)
{
	size_t len = frame->header_len;

	memcpy(host->loopback, frame->header, len);
	for (uint32_t i = 0; i < frame->span_count; i++) {
		memcpy(host->loopback + len, frame->spans[i].data, frame->spans[i].len);
		len += frame->spans[i].len;
	}
	return len;
}

int loopback_expire(struct parley_host *host)
{
	struct parley_frame frame;
	int n = 0;

	if (!loopback_of(host))
		return 0;
	while (n < BUDGET && parley_output(host, LOOPBACK_INDEX, host->tcp.now, &frame, 1) > 0) {
		struct parley_rx rx = {
			.data = host->loopback,
			.len = gather(host, &frame),
			.ifindex = LOOPBACK_INDEX,
			.checksum_verified = true,
		};

		parley_release(host, &frame, 1);
		parley_input(host, host->tcp.now, &rx, 1);
		n++;
	}
	return n;
}
