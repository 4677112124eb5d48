/* SPDX-License-Identifier: MIT */
/*
 * Frames: what goes in through parley_input() and comes out of parley_output().
 *
 * On an Ethernet interface a frame begins with the Ethernet header, on a raw IP interface with the
 * IP header. Frame check sequences are never part of it.
 */
#ifndef PARLEY_FRAME_H
#define PARLEY_FRAME_H

#include <parley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A frame as a device received it. The bytes are the caller's and are only read during the call. */
struct parley_rx {
	const void *data;
	size_t len;
	int ifindex;
	/* When it arrived, ns, on the clock of `now`; 0 means now. RTT samples use this. */
	uint64_t arrival;
	/* Not 0: the device coalesced a run of segments of this many payload bytes each. */
	uint16_t segment_size;
	/* The device has verified the transport checksum, or knows that it never left memory. */
	bool checksum_verified;
};

#define PARLEY_HEADER_MAX  128
#define PARLEY_FRAME_SPANS 18

/*
 * A frame to be sent: `header_len` bytes of headers that the engine wrote, then `span_count` spans
 * of payload that lie in the engine's send buffers. The spans stay valid until parley_release(),
 * whatever happens to the connection; every frame must be released exactly once, in any order.
 */
struct parley_frame {
	uint8_t header[PARLEY_HEADER_MAX];
	struct parley_span spans[PARLEY_FRAME_SPANS];
	/* What the spans hold on to; the engine's own, not to be touched. */
	void *holds[PARLEY_FRAME_SPANS];
	uint32_t header_len;
	uint32_t span_count;
	/* header_len plus all spans. */
	uint32_t len;
	int ifindex;
	/* The connection that it belongs to, or PARLEY_NO_CONN (ARP, echo, a RST from CLOSED). */
	parley_conn conn;
	/*
	 * Not 0: a super-segment, to be cut into segments of this many payload bytes each (only on
	 * an interface with PARLEY_OFFLOAD_SEGMENT).
	 */
	uint16_t segment_size;
	/*
	 * The transport checksum is still to be computed: over everything from `checksum_start`,
	 * stored at `checksum_start + checksum_offset`, where the pseudo-header's sum lies already
	 * (only on an interface with PARLEY_OFFLOAD_CHECKSUM).
	 */
	bool checksum_partial;
	uint16_t checksum_start;
	uint16_t checksum_offset;
};

struct parley_host;

/*
 * Writes the `index`-th packet of `frame` (0, 1, ... for a super-segment; only 0 otherwise) as one
 * run of bytes, with segmentation and checksums done in software where they are still owed.
 *
 * Returns its length, 0 when there is no such packet, or -PARLEY_EMSGSIZE when `capacity` is too
 * small (interface MTU + link header always suffices).
 */
int parley_frame_flatten(const struct parley_frame *frame, unsigned index, void *buf,
			 size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
