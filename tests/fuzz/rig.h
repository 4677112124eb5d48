/* SPDX-License-Identifier: MIT */
/*
 * A host under a fuzzer, at one interface, and the rules that must hold for all that comes out of
 * it, whatever goes in:
 *
 *	- parley_check() holds after each step, and each change of state is an edge of the table;
 *	- what is sent is well formed and fits the MTU, with the right checksums;
 *	- text that is sent is the user's, byte for byte, and no more than was given to this very
 *	  connection; text that the user reads is the peer's;
 *	- the right edge of the window never moves left (but by what scaling rounds);
 *	- nothing answers a RST by a RST;
 *	- timers do not fire without end, memory keeps to its cap, and in the end none is used.
 *
 * The user's bytes are a pattern of their offset in the stream, the peer's one of their sequence
 * number, so that both can be judged without remembering them.
 */
#ifndef TESTS_FUZZ_RIG_H
#define TESTS_FUZZ_RIG_H

#include "fuzz.h"

#include "wire/tcp.h"

#include <parley/parley.h>

#define RIG_MS(n) ((uint64_t)(n)*1000000)

enum {
	RIG_HANDLES = 6,
	RIG_FLOWS = 8,
	RIG_FRAME_MAX = 65535 + 14,
	RIG_MEMORY = 2 << 20,
};

/*
 * A handle of the user's; conn is PARLEY_NO_CONN in a free place. What was written and read counts
 * from the last time that the connection was in LISTEN: each handshake begins a stream of its own.
 */
struct rig_handle {
	parley_conn conn;
	uint64_t written, read;
};

/* What was seen of one pair of ports. */
struct rig_flow {
	uint16_t local_port, remote_port;
	bool used, iss_known, edge_known;
	struct seq iss, edge;
	parley_conn conn; /* whose edge it is */
};

struct rig {
	struct parley_host *host;
	struct parley_interface interface;
	int ifindex;
	uint64_t now;
	uint32_t slabs, slabs_max;
	struct parley_addr us, peer;
	struct rig_handle handles[RIG_HANDLES];
	struct rig_flow flows[RIG_FLOWS];
	bool answering_rst; /* a RST has just come: no RST may go out */
	uint8_t out[RIG_FRAME_MAX];
	bool text_is_free; /* the peer's text is whatever the input says: it is not judged */
};

/* Makes a host: 192.0.2.1/24, or with v6 2001:db8::1/64, whose peer has the number 2. */
void rig_init(struct rig *rig, enum parley_link link, bool v6, uint32_t mtu, uint32_t offload);

/* Ends everything and demands that nothing is left. */
void rig_done(struct rig *rig);

/* A frame arrives. is_rst: it is a RST, so that none may answer it. */
void rig_input(struct rig *rig, const uint8_t *frame, size_t len, uint16_t segment_size,
	       bool is_rst);

/* Takes all that is owed, judges it, and checks the invariants. After each call of the user. */
void rig_step(struct rig *rig);

/* Time passes; what is due fires. */
void rig_wait(struct rig *rig, uint64_t ns);

/* Time passes until the next timer, at most an hour. */
void rig_wait_timer(struct rig *rig);

uint8_t rig_users(uint64_t offset);
uint8_t rig_peers(uint32_t seq);

/* What stands for a pair of ports, or false. */
bool rig_find(const struct rig *rig, uint16_t local_port, uint16_t remote_port,
	      struct parley_status *status);

/* A place for a new handle: a free one, or one whose handle is given back. */
struct rig_handle *rig_place(struct rig *rig, uint8_t which);

/* The user sends and receives up to n bytes. */
void rig_send(struct rig *rig, struct rig_handle *handle, size_t n, unsigned flags);
void rig_receive(struct rig *rig, struct rig_handle *handle, size_t n);

/* The user does something else to a handle, chosen by the input. */
void rig_call(struct rig *rig, struct rig_handle *handle, struct bytes *in);

/* The user opens something: connect, listen or passive OPEN, chosen by the input. */
void rig_open(struct rig *rig, struct bytes *in);

/* Something about the host changes: a setting, the MTU, how much memory there is. */
void rig_change(struct rig *rig, struct bytes *in);

#endif
