/* SPDX-License-Identifier: MIT */
/*
 * Looking ahead changes nothing: of two equal hosts one is given frames by the batch and one each
 * by itself, among them cut, damaged and foreign ones; what they say and count is the same.
 */
#include "../base/slabs.h"

#include "net/lookahead.h"

#include "base/rng.h"
#include "wire/ip.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"

#include <parley/parley.h>
#include <string.h>

enum { PEERS = 700, ROOM = 128, FRAMES = 4096 };

static const uint64_t start = 1000000000;

static struct parley_addr host_address(bool v6)
{
	struct parley_addr addr = {{0x20, 1, 0xd, 0xb8, [15] = 1}};

	return v6 ? addr : ip_from_v4(0xc0000201);
}

static struct parley_host *make(struct slabs *slabs)
{
	struct parley_config config = {
		.size = sizeof config, .secret = {7}, .allocator = slabs_allocator(slabs)};
	struct parley_interface interface = {
		.size = sizeof interface, .name = "wire", .link = PARLEY_LINK_IP, .mtu = 1500};
	struct parley_open open = {.size = sizeof open, .local = {.port = 80}, .backlog = 4096};
	struct parley_addr v4 = host_address(false), v6 = host_address(true);
	struct parley_host *host;
	parley_conn listener;

	assert_int_equal(parley_host_new(&config, start, &host), 0);
	assert_int_equal(parley_interface_add(host, start, &interface), 1);
	assert_int_equal(parley_address_add(host, start, 1, &v4, 16), 0);
	assert_int_equal(parley_address_add(host, start, 1, &v6, 64), 0);
	assert_int_equal(parley_listen(host, start, &open, &listener), 0);
	return host;
}

/* A segment of peer k, over the family that its number says. */
static size_t segment_of(uint32_t k, const struct segment *segment, uint8_t *out)
{
	bool v6 = k & 1;
	struct ip_packet packet = {
		.src = host_address(v6), .dst = host_address(v6), .protocol = IP_TCP, .ttl = 64};
	size_t at;

	put_be16(packet.src.b + 14, (uint16_t)(0x300 + k));
	packet.payload_len = TCP_HEADER_LEN;
	at = v6 ? ipv6_emit(out, &packet) : ipv4_emit(out, &packet);
	tcp_emit(out + at, segment);
	tcp_finish_checksum(out + at, TCP_HEADER_LEN,
			    ip_pseudo_sum(&packet.src, &packet.dst, IP_TCP, TCP_HEADER_LEN), 0);
	return at + TCP_HEADER_LEN;
}

/* Any segment of any peer, now and then cut short or with a byte changed. */
static size_t random_frame(struct rng *r, uint8_t *out)
{
	static const uint16_t flags[] = {TCP_SYN, TCP_SYN, TCP_ACK, TCP_RST, TCP_FIN | TCP_ACK, 0};
	struct segment segment = {
		.src_port = (uint16_t)(1000 + rng_below(r, 2)),
		.dst_port = (uint16_t)(80 + rng_below(r, 20) / 19),
		.seq = seq((uint32_t)rng_below(r, 3)),
		.ack = seq((uint32_t)rng_below(r, 3)),
		.flags = flags[rng_below(r, sizeof flags / sizeof flags[0])],
		.wnd = 1000,
	};
	size_t len = segment_of((uint32_t)rng_below(r, PEERS), &segment, out);

	if (rng_below(r, 8) == 0)
		len = rng_below(r, len + 1);
	if (len && rng_below(r, 8) == 0)
		out[rng_below(r, len)] ^= (uint8_t)(1u << rng_below(r, 8));
	return len;
}

/* What the host has to say goes into `said`, headers only: it has no text. Returns how much. */
static size_t drain(struct parley_host *host, uint8_t *said)
{
	static struct parley_frame frames[LOOKAHEAD];
	size_t len = 0;
	int n;

	while ((n = parley_output(host, 1, start, frames, LOOKAHEAD)) > 0) {
		for (int i = 0; i < n; i++) {
			memcpy(said + len, frames[i].header, frames[i].header_len);
			len += frames[i].header_len;
		}
		parley_release(host, frames, n);
	}
	return len;
}

static void same_counts(const struct parley_host *a, const struct parley_host *b)
{
	for (int i = 0; i < PARLEY_COUNTER_COUNT; i++)
		assert_int_equal(parley_counter(a, (enum parley_counter)i),
				 parley_counter(b, (enum parley_counter)i));
	for (int i = 0; i < PARLEY_DROP_COUNT; i++)
		assert_int_equal(parley_drops(a, (enum parley_drop)i),
				 parley_drops(b, (enum parley_drop)i));
	assert_int_equal(parley_memory_charged(a), parley_memory_charged(b));
}

static void test_changes_nothing(void **state)
{
	static uint8_t bytes[LOOKAHEAD + 5][ROOM], said[2][65536];
	struct slabs slabs[2];
	struct parley_host *host[2];
	struct rng draws;

	(void)state;
	draws = rng(41, 0);
	for (int i = 0; i < 2; i++)
		host[i] = make(&slabs[i]);
	for (int done = 0; done < FRAMES;) {
		int n = 1 + (int)rng_below(&draws, LOOKAHEAD + 5);
		struct parley_rx rx[LOOKAHEAD + 5];
		size_t len;

		for (int i = 0; i < n; i++)
			rx[i] = (struct parley_rx){.data = bytes[i],
						   .len = random_frame(&draws, bytes[i]),
						   .ifindex = 1 + !rng_below(&draws, 100)};
		assert_int_equal(parley_input(host[0], start, rx, n), 0);
		for (int i = 0; i < n; i++)
			assert_int_equal(parley_input(host[1], start, &rx[i], 1), 0);
		len = drain(host[0], said[0]);
		assert_int_equal(drain(host[1], said[1]), len);
		assert_memory_equal(said[0], said[1], len);
		done += n;
	}
	same_counts(host[0], host[1]);
	assert_true(parley_counter(host[0], PARLEY_COUNTER_PASSIVE_OPENS) > 600);
	for (int i = 0; i < 2; i++) {
		assert_null(parley_check(host[i]));
		parley_host_free(host[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
