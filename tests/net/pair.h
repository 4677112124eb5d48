/* SPDX-License-Identifier: MIT */
/*
 * Two hosts joined by a wire, in memory and on a virtual clock: host 0 is 192.0.2.1, host 1 is
 * 192.0.2.2, both /24; or 2001:db8::1 and 2001:db8::2, both /64. Frames take `delay`; a hook may
 * look at each, change it, or lose it. After every step parley_check() holds for both, or the test
 * fails.
 *
 *	pair_init(&pair, NULL);
 *	pair_connect(&pair, 80, &client, &server);
 *	pair_send(&pair, 0, client, "hello");
 *	pair_run(&pair, PAIR_MS(100));
 *	pair_expect(&pair, 1, server, "hello");
 *	pair_free(&pair);
 */
#ifndef TESTS_NET_PAIR_H
#define TESTS_NET_PAIR_H

#include "../base/slabs.h"

#include <parley/parley.h>

#define PAIR_MS(n) ((uint64_t)(n)*1000000)
#define PAIR_S(n)  ((uint64_t)(n)*1000000000)

enum { PAIR_FRAME_MAX = 65535 + 14 };

/* A frame from host `from` is about to cross: false loses it. */
typedef bool pair_hook(void *context, int from, uint8_t *bytes, size_t *len);

struct pair_config {
	enum parley_link link;
	bool v6;
	uint32_t mtu;	  /* 0: 1500 */
	uint32_t offload; /* of both; what the wire carries is flattened all the same */
	bool coalesced;	  /* super-segments cross the wire whole, as between TUN devices */
	uint64_t delay;	  /* one way, ns */
	uint64_t memory_limit;
	pair_hook *hook;
	parley_trace_fn trace[2];
	void *context; /* of hook and traces */
};

struct pair_frame {
	struct pair_frame *next;
	uint64_t due;
	size_t len;
	bool verified;
	uint16_t segment_size;
	uint8_t bytes[];
};

struct pair_end {
	struct parley_host *host;
	int ifindex;
	struct parley_addr addr;
	struct slabs slabs;
	/* Frames on their way to this end, the first to arrive in front. */
	struct pair_frame *first, **last;
	uint64_t sent, arrived; /* frames */
};

struct pair {
	struct pair_config config;
	uint64_t now;
	struct pair_end end[2];
};

/* Makes both hosts. `config` NULL is an Ethernet without delay. */
void pair_init(struct pair *pair, const struct pair_config *config);

/* Frees them; all memory must come back. */
void pair_free(struct pair *pair);

/* Time passes: frames arrive, timers fire. */
void pair_run(struct pair *pair, uint64_t duration);

/* Sends what both have to send, without time passing. */
void pair_flush(struct pair *pair);

/* Host 1 listens on this port. */
parley_conn pair_listen(struct pair *pair, uint16_t port);

/* Host 0 opens a connection to this port of host 1; nothing is sent yet. */
parley_conn pair_open(struct pair *pair, uint16_t port);

/* A listener, a connection through it, and the accepted other end, all ESTABLISHED. */
void pair_connect(struct pair *pair, uint16_t port, parley_conn *client, parley_conn *server);

/* Sends a text, which must be taken whole. */
void pair_send(struct pair *pair, int end, parley_conn conn, const char *text);

/* Receives, and expects exactly this text; "" stands for the end of the stream. */
void pair_expect(struct pair *pair, int end, parley_conn conn, const char *text);

/* The state of a connection; PARLEY_CLOSED for a stale handle. */
enum parley_state pair_state(const struct pair *pair, int end, parley_conn conn);

#endif
