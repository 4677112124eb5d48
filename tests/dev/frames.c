/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/ipv4.h"

static char directory[64];

void frames_directory(void)
{
	snprintf(directory, sizeof directory, "/tmp/parley-test-XXXXXX");
	assert_non_null(mkdtemp(directory));
}

const char *frames_path(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

void frames_clean(void)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlink(frames_path(entry->d_name));
	if (dir)
		closedir(dir);
	assert_int_equal(rmdir(directory), 0);
}

static struct eth_addr station(uint8_t number)
{
	struct eth_addr addr = {{2, 0, 0, 0, 0, number}};

	if (!number)
		memset(&addr, 0xff, sizeof addr);
	return addr;
}

size_t frames_plain(uint8_t *out, uint8_t to, uint8_t from, const char *text)
{
	struct eth_frame eth = {.dst = station(to), .src = station(from), .type = 0x88b5};
	size_t len = eth_emit(out, &eth);

	memcpy(out + len, text, strlen(text));
	return len + strlen(text);
}

size_t frames_segment(uint8_t *out, const struct frames_tcp *tcp)
{
	struct eth_frame eth = {
		.dst = station(tcp->to), .src = station(tcp->from), .type = ETH_IPV4};
	struct segment segment = {
		.src_port = tcp->src_port,
		.dst_port = tcp->dst_port,
		.seq = seq(tcp->seq),
		.ack = seq(tcp->ack),
		.flags = tcp->flags,
		.wnd = 65535,
	};
	size_t text_len = tcp->text ? strlen(tcp->text) : 0;
	struct ip_packet packet = {
		.src = ip_from_v4(0x0a000000u + tcp->from),
		.dst = ip_from_v4(0x0a000000u + tcp->to),
		.protocol = IP_TCP,
		.ttl = 64,
		.payload_len = TCP_HEADER_LEN + text_len,
	};
	size_t at = eth_emit(out, &eth);

	at += ipv4_emit(out + at, &packet);
	at += tcp_emit(out + at, &segment);
	if (text_len)
		memcpy(out + at, tcp->text, text_len);
	return at + text_len;
}

struct parley_frame frames_out(const void *bytes, size_t len)
{
	return (struct parley_frame){
		.spans = {{bytes, len}}, .span_count = 1, .len = (uint32_t)len};
}

static int fake_receive(struct device *device, struct parley_rx *frames, int n)
{
	struct fake *fake = (struct fake *)device;
	int got = fake->incoming_n < n ? fake->incoming_n : n;

	for (int i = 0; i < got; i++)
		frames[i] = (struct parley_rx){.data = fake->incoming[i].bytes,
					       .len = fake->incoming[i].len};
	fake->incoming_n = 0;
	return got ? got : fake->failure;
}

static int fake_transmit(struct device *device, struct parley_frame *frames, int n)
{
	struct fake *fake = (struct fake *)device;
	int taken = 0;

	while (taken < n && fake->sent_n < fake->room) {
		struct fake_frame *f = &fake->sent[fake->sent_n++];

		f->len = (size_t)parley_frame_flatten(&frames[taken++], 0, f->bytes,
						      sizeof f->bytes);
	}
	device->want_write = taken < n;
	return taken;
}

static void fake_close(struct device *device)
{
	*((struct fake *)device)->closed = true;
	free(device);
}

struct fake *fake_new(bool *closed)
{
	static const struct device_ops ops = {fake_receive, fake_transmit, fake_close};
	struct fake *fake = calloc(1, sizeof *fake);

	assert_non_null(fake);
	fake->device = (struct device){
		.ops = &ops,
		.fd = -1,
		.deadline = DEVICE_NEVER,
		.link = PARLEY_LINK_ETHERNET,
		.mtu = 1500,
		.name = "fake0",
	};
	fake->room = FAKE_FRAMES;
	fake->closed = closed;
	*closed = false;
	return fake;
}

void fake_put(struct fake *fake, const void *bytes, size_t len)
{
	struct fake_frame *f = &fake->incoming[fake->incoming_n++];

	f->len = len;
	memcpy(f->bytes, bytes, len);
}
