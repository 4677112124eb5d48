/* SPDX-License-Identifier: MIT */
/*
 * What one place has seen of connections: a file read into memory, in the order in which it was
 * written. The place is a host (its trace, or a capture that says which packets are its own) or
 * somewhere between hosts (any other capture). tool/story.h makes connections of it.
 *
 * Understood are traces (docs/trace.md), pcapng, and pcap in both byte orders and resolutions;
 * in captures, TCP over IPv4 on Ethernet (also with VLAN tags), raw IP, BSD loopback or Linux's
 * "cooked" headers. Other packets are skipped and counted.
 */
#ifndef TOOL_WITNESS_H
#define TOOL_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <parley/trace.h>
#include <parley/types.h>

#include "wire/tcp.h"

enum sighting_kind {
	SIGHTING_OUT,	/* a segment was sent by this host */
	SIGHTING_IN,	/* a segment arrived at this host */
	SIGHTING_PASS,	/* a segment passed */
	SIGHTING_STATE, /* a connection of this host changed its state */
	SIGHTING_TIMER, /* a timer of it fired */
	SIGHTING_DROP,	/* a segment that arrived was dropped by this host */
	SIGHTING_RTT,	/* a round trip was measured */
};

struct sighting {
	enum sighting_kind kind;
	uint64_t time; /* ns, on the witness's clock */
	/* Of a segment: who sent it to whom. Of anything else: the host's own end and the other. */
	struct parley_endpoint src, dst;
	struct segment segment;	 /* without text; OUT, IN, PASS, DROP */
	enum parley_state from;	 /* STATE */
	enum parley_state state; /* STATE: the new one; OUT, PASS: the sender's, if state_known */
	bool state_known;	 /* the sender itself has said so */
	bool lost;		 /* PASS: it is known not to arrive */
	bool damaged;		 /* PASS: one bit was inverted; DROP: the checksum was wrong */
	int why;		 /* OUT: enum parley_why, or -1 */
	int cause;		 /* STATE: enum parley_cause, or -1 */
	int reason;  /* DROP: enum parley_drop, or -1; TIMER: enum parley_timer, or -1 */
	uint64_t ns; /* TIMER: the timeout; RTT: the sample */
};

struct witness {
	const char *path; /* the caller's */
	bool is_trace;
	bool at_host;  /* it knows directions; otherwise there is only PASS */
	char host[64]; /* what the host is called; "" when nobody says */
	/*
	 * What to add to a sighting's time for nanoseconds since 1970; 0 on a virtual clock. Two
	 * witnesses with nearly the same number have used the same clock.
	 */
	uint64_t epoch;
	struct sighting *sightings;
	size_t n, room;
	size_t skipped; /* packets that are not TCP over IPv4, or damaged */
};

#define WITNESS_ERROR_MAX 256

/*
 * Reads the file. NULL when that is not possible; `error` then says why and where, naming the
 * file and the record or offset.
 */
struct witness *witness_read(const char *path, char error[static WITNESS_ERROR_MAX]);

void witness_free(struct witness *witness);

/* For the readers of each format. */

/* A zeroed one at the end, to be filled in; NULL when memory is out. */
struct sighting *witness_add(struct witness *witness);

/* They return false with error set. `data` is the whole file. */
bool witness_read_trace(struct witness *witness, const char *data, size_t len,
			char error[static WITNESS_ERROR_MAX]);
bool witness_read_pcapng(struct witness *witness, const uint8_t *data, size_t len,
			 char error[static WITNESS_ERROR_MAX]);
bool witness_read_pcap(struct witness *witness, const uint8_t *data, size_t len,
		       char error[static WITNESS_ERROR_MAX]);

#endif
