/* SPDX-License-Identifier: MIT */
/*
 * The stack under test: one host with one interface that carries bare IP packets, its sockets, and
 * a clock that only moves when it is told to. What it sends waits in a queue with the time of
 * sending, until somebody takes it.
 *
 * Same config, same calls: same packets, to the byte.
 */
#ifndef DRILL_STACK_H
#define DRILL_STACK_H

#include <parley/parley.h>

#include "drill/config.h"
#include "sock/sock.h"

/* A packet that the stack has sent. */
struct drill_sent {
	struct drill_sent *next;
	uint64_t time;
	/*
	 * TCP: where what the user has written ends, as a sequence number on the wire; when
	 * `write_end_known`. Whoever has more to send need not push.
	 */
	uint32_t write_end;
	bool write_end_known;
	size_t len;
	uint8_t bytes[];
};

/* Both may be NULL. */
struct drill_watcher {
	void *context;
	void (*packet)(void *context, uint64_t now, bool outbound, const uint8_t *bytes,
		       size_t len);
	void (*event)(void *context, const struct parley_trace_event *event);
};

struct drill_stack_config {
	/* The host's address, and how long its prefix is; everything else is reached too. */
	struct parley_addr local;
	unsigned prefix;
	uint32_t mtu;
	/* What is injected and longer is a run of segments of this many bytes; 0: is one. */
	uint16_t mss;
	/* Settings of the host where `given`. */
	bool given[PARLEY_SETTING_COUNT];
	int64_t setting[PARLEY_SETTING_COUNT];
	/* How the options of a SYN are ordered. */
	enum drill_order order;
	/*
	 * As FreeBSD has them: SO_RCVBUF and SO_SNDBUF say what they were set to; once the segment
	 * size is known, a receive buffer is rounded up to whole segments; and what comes behind
	 * shutdown(SHUT_RD) is thrown away.
	 */
	bool bsd;
	struct drill_watcher watcher;
};

struct drill_stack {
	struct parley_host *host;
	struct sock_layer *layer;
	uint64_t now;
	int ifindex;
	struct drill_sent *sent, **sent_tail;
	enum drill_order order;
	bool bsd;
	uint16_t mss;
	struct drill_watcher watcher;
};

/* Where the clock begins, ns. */
#define DRILL_EPOCH UINT64_C(10000000000)

/*
 * Makes it. Returns 0, or the negative error of the call that failed, whose name is put into
 * *what. To be ended with drill_stack_end() in both cases.
 */
int drill_stack_begin(struct drill_stack *stack, const struct drill_stack_config *config,
		      const char **what);
void drill_stack_end(struct drill_stack *stack);

/* A packet arrives now. */
void drill_stack_inject(struct drill_stack *stack, const uint8_t *bytes, size_t len);

/* Lets everything happen that is due now. To be called behind every call on the sockets. */
void drill_stack_settle(struct drill_stack *stack);

/*
 * Moves the clock to the next time at which something is due, but not beyond `until`, and lets it
 * happen. True when something was due; false when the clock is at `until` and nothing was left
 * before it. With `until` UINT64_MAX the clock rests when nothing is due at all.
 */
bool drill_stack_step(struct drill_stack *stack, uint64_t until);

/* Takes the packet that *at points to out of the queue; the caller frees it. */
struct drill_sent *drill_stack_take(struct drill_stack *stack, struct drill_sent **at);

#endif
