/* SPDX-License-Identifier: MIT */
/*
 * A host: interfaces, addresses, routes, and every connection that they carry.
 *
 * Nothing here blocks, reads a clock, or calls the system. Time comes in with each call as `now`:
 * nanoseconds, unsigned, never going back (a smaller value counts as the last one). A host belongs
 * to one thread at a time; different hosts share nothing.
 *
 * The loop of a program around it:
 *
 *	frames arrived:      parley_input(host, now, frames, n);
 *	deadline reached:    parley_expire(host, now);
 *	then, in turn:       while ((n = parley_output(host, ifindex, now, out, 32)) > 0)
 *				     transmit them, parley_release(host, out, n);
 *	                     while ((n = parley_events(host, events, 32)) > 0) ...
 *	sleep until:         parley_deadline(host)
 *
 * An event may make the user send, and output may find a connection lost, which is an event, even
 * when there is no frame: so the two are asked in turn until both have nothing, events last. The
 * deadline is that of timers; it does not speak of frames and events that are waiting already.
 */
#ifndef PARLEY_HOST_H
#define PARLEY_HOST_H

#include <parley/frame.h>
#include <parley/memory.h>
#include <parley/setting.h>
#include <parley/trace.h>
#include <parley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct parley_host;

/* All that a host is made from. Zero every field that you do not set. */
struct parley_config {
	/* sizeof(struct parley_config), so that fields can be appended later. */
	size_t size;
	/*
	 * The root of everything random: initial sequence numbers, ports, hash keys. Draw it from a
	 * good source, keep it secret; the same secret and inputs give the same bytes out.
	 */
	uint8_t secret[16];
	/* Where slabs come from; required. It must outlive the host. */
	struct parley_allocator allocator;
	/* Cap on charged memory, bytes; 0 means 64 MiB. */
	uint64_t memory_limit;
	/* Observation; may be NULL. It may not call back into the host. */
	parley_trace_fn trace;
	void *trace_context;
	/*
	 * A faster routine; NULL means the portable one. It returns a 64-bit sum of the bytes taken
	 * as 16-bit words in memory order, to be folded by the engine (RFC 1071).
	 */
	uint64_t (*checksum)(const void *data, size_t len);
};

/*
 * Makes a host. *out is set only on success. Errors: -PARLEY_EINVAL (size, allocator),
 * -PARLEY_ENOMEM.
 */
int parley_host_new(const struct parley_config *config, uint64_t now, struct parley_host **out);

/*
 * Frees the host and all it holds, silently: no segment is sent. Frames that are still unreleased
 * die with it.
 */
void parley_host_free(struct parley_host *host);

/* What carries an interface's frames. */
enum parley_link {
	PARLEY_LINK_ETHERNET,
	PARLEY_LINK_IP,
};

/* The device computes transport checksums (struct parley_frame, checksum_partial). */
#define PARLEY_OFFLOAD_CHECKSUM 1u
/* The device cuts super-segments; implies PARLEY_OFFLOAD_CHECKSUM. */
#define PARLEY_OFFLOAD_SEGMENT 2u

struct parley_interface {
	size_t size;
	char name[16];
	enum parley_link link;
	/* Ethernet only; must be a unicast address. */
	uint8_t mac[6];
	/* The largest IP packet, bytes, 68..65535. */
	uint32_t mtu;
	uint32_t offload;
};

/*
 * Adds an interface; returns its index, > 0. Errors: -PARLEY_EINVAL, -PARLEY_ENOMEM,
 * -PARLEY_ENOBUFS (more than 64).
 */
int parley_interface_add(struct parley_host *host, uint64_t now,
			 const struct parley_interface *interface);

/*
 * Changes MTU and offloads of an interface; name, link and MAC stay. Connections keep to a smaller
 * MTU from now on; a larger one is for those to come. -PARLEY_ENODEV.
 */
int parley_interface_set(struct parley_host *host, uint64_t now, int ifindex,
			 const struct parley_interface *interface);

/* Takes it away with its addresses and routes; its connections end with ENETUNREACH. */
int parley_interface_remove(struct parley_host *host, uint64_t now, int ifindex);

/*
 * Gives the interface an address and, through `prefix`, a connected route. Errors:
 * -PARLEY_ENODEV, -PARLEY_EEXIST, -PARLEY_EINVAL (not unicast, prefix too long, or IPv6
 * on an MTU below 1280), -PARLEY_ENOBUFS.
 *
 * An IPv6 address on an Ethernet cannot be used before a second has passed in which nobody else
 * claimed it, unless the setting "dad" is off; with the first one come a link-local address and an
 * ear for routers, unless the setting "autoconf" is 0.
 */
int parley_address_add(struct parley_host *host, uint64_t now, int ifindex,
		       const struct parley_addr *addr, unsigned prefix);
int parley_address_remove(struct parley_host *host, uint64_t now, int ifindex,
			  const struct parley_addr *addr);

/*
 * Adds a route to dst/prefix through an interface; `gateway` NULL means that the destination is on
 * the link. The longest prefix wins. Prefixes count bits of the address's own family (0..32 for an
 * IPv4 address). Errors as for addresses.
 */
int parley_route_add(struct parley_host *host, uint64_t now, int ifindex,
		     const struct parley_addr *dst, unsigned prefix,
		     const struct parley_addr *gateway);
int parley_route_remove(struct parley_host *host, uint64_t now, int ifindex,
			const struct parley_addr *dst, unsigned prefix);

/*
 * Door 1: a batch of frames arrived. Malformed and unwanted ones are dropped, counted and traced.
 * Returns 0, or -PARLEY_EINVAL without having looked at any (negative n).
 */
int parley_input(struct parley_host *host, uint64_t now, const struct parley_rx *frames, int n);

/*
 * Door 2: time has passed. Handles what is due, in bounded portions: when more is left,
 * parley_deadline() answers `now`. Returns how many timers fired. What the host sends to itself
 * (127.0.0.0/8, ::1, its own addresses) waits for this call, too, and comes out of no interface of
 * the user's: events tell it under an ifindex above 64.
 */
int parley_expire(struct parley_host *host, uint64_t now);

/* When parley_expire() is to be called next, ns; may be early, never late; UINT64_MAX: never. */
uint64_t parley_deadline(const struct parley_host *host);

/*
 * The door out: fills up to `n` frames for one interface with what is owed now. Returns how many;
 * fewer than n means that nothing more may be sent now. -PARLEY_ENODEV.
 */
int parley_output(struct parley_host *host, int ifindex, uint64_t now, struct parley_frame *frames,
		  int n);

/* Gives back what the frames hold on to. */
void parley_release(struct parley_host *host, struct parley_frame *frames, int n);

/*
 * True when parley_output() for this interface might have something: cheap, for loops over many
 * hosts.
 */
bool parley_output_pending(const struct parley_host *host, int ifindex);

/* The counter's value, or 0 for an unknown one. */
uint64_t parley_counter(const struct parley_host *host, enum parley_counter counter);

/* How many segments and frames were dropped for this reason. */
uint64_t parley_drops(const struct parley_host *host, enum parley_drop reason);

/* Bytes charged now; with all connections gone and frames released, what an empty host costs. */
uint64_t parley_memory_charged(const struct parley_host *host);

/*
 * Checks every invariant of the host and of all its connections: slow, for tests, fuzzers and
 * simulators. NULL when all hold, otherwise a static text naming the first that does not.
 */
const char *parley_check(const struct parley_host *host);

/* "0.1.0" */
const char *parley_version(void);

#ifdef __cplusplus
}
#endif

#endif
