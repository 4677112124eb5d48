/* SPDX-License-Identifier: MIT */
/*
 * Links: a LAN joins two hosts or, as a switch, many. Each port has a path (base/path.h) for what
 * its host sends; so in a LAN of two each direction draws by itself. Delivery is to the port that
 * has the destination's hardware address, or to all others.
 *
 * What becomes of a frame is decided when it is sent: first by the path's chances, then by faults
 * (fault.h), then by whether the link is down. A damaged frame without TCP in it (ARP) is dropped,
 * as a device does that checks the FCS: only TCP promises to catch damage itself.
 */
#ifndef SIM_LAN_H
#define SIM_LAN_H

#include "base/path.h"
#include "sim/queue.h"
#include "wire/eth.h"

#include <parley/host.h>

#include <stdbool.h>
#include <stdint.h>

#define SIM_LAN_PORTS_MAX 64

/* Frames of the largest MTU fit. */
#define SIM_FRAME_MAX (65535 + ETH_HEADER_LEN)

struct sim_host;
struct sim_world;

struct sim_lan_config {
	enum parley_link link;
	uint32_t mtu; /* 0: 1500 */
	/*
	 * Not 0: devices keep the engine's frames for so long (ns) before they release them, and
	 * the bytes must not change meanwhile.
	 */
	uint64_t hold_ns;
};

struct sim_port {
	struct sim_host *host;
	struct sim_lan *lan;
	uint32_t number; /* in the LAN */
	int ifindex;	 /* in the host; 0: it has taken its interface away */
	uint32_t mtu;	 /* of the interface */
	bool absent;	 /* its address or interface is away for a while */
	struct eth_addr mac;
	struct parley_addr addr;
	unsigned prefix; /* of the address, bits */
	struct path path;
	/* What the way behind it carries, 0: all; and whether nobody tells when it is too much. */
	uint32_t narrow;
	bool mute;
};

/* Frames that a port sends or would get are lost from `since` on and before `until`. */
struct sim_outage {
	struct sim_outage *next;
	uint32_t port;
	uint64_t since, until;
};

struct sim_lan {
	struct sim_world *world;
	struct sim_lan_config config;
	uint32_t number;
	uint32_t port_count;
	struct sim_port *port[SIM_LAN_PORTS_MAX];
	struct sim_outage *outages;
};

/* A copy of a frame under way to one port. */
struct sim_frame {
	struct sim_event event;
	struct sim_frame *next; /* in its host's ring */
	struct sim_port *to;
	int from; /* host's number, -1: injected */
	uint64_t number;
	unsigned copy;
	bool corrupted;
	uint32_t incarnation; /* of its flow, 0: none (flow.h) */
	uint32_t len;
	uint32_t times; /* that it arrives, all at once */
	bool beyond;	/* forged beyond the window: lost when that has moved over it */
	uint8_t bytes[];
};

/* An output frame that the device has not given back yet. */
struct sim_held {
	struct sim_event event;
	struct sim_host *host;
	uint64_t digest; /* of its bytes when it was sent */
	struct parley_frame frame;
};

/* Returns the LAN's number, or -PARLEY_ENOMEM, -PARLEY_ENOBUFS (more than SIM_LANS_MAX). */
int sim_lan_add(struct sim_world *world, const struct sim_lan_config *config);

/*
 * Gives a host a port; its path's seed comes from the world's. NULL when the arena or the LAN is
 * full. Called by sim_host_join().
 */
struct sim_port *sim_lan_join(struct sim_lan *lan, struct sim_host *host,
			      const struct path_config *path);

/*
 * The way behind a port carries IP packets of at most mtu bytes from now on, 0: of any length. A
 * longer one is lost, and ICMP tells its sender (RFC 1191), as from the other end, unless `mute`.
 */
void sim_port_narrow(struct sim_port *port, uint32_t mtu, bool mute);

/* Changes a path from the next frame on; queue and seed stay. */
void sim_path_set(struct sim_port *port, const struct path_config *path);

/* A host sends: called for each packet that its engine hands out. */
void sim_lan_send(struct sim_port *port, const uint8_t *bytes, size_t len);

/* Keeps an output frame that was sent, to release it later. False: the caller releases it. */
bool sim_lan_hold(struct sim_port *port, const struct parley_frame *frame, uint64_t digest);

/*
 * Forged bytes arrive at a host's port at a time not before now, as if sent by nobody: oracles do
 * not look at them. -PARLEY_ENOMEM.
 */
int sim_inject(struct sim_port *port, uint64_t at, const uint8_t *bytes, size_t len);

/* How forged bytes arrive, beside where and when. */
struct sim_injection {
	uint32_t times;	      /* so often, all at once: at most SIM_INPUT_MAX (host.h) */
	uint32_t incarnation; /* not 0: what they offer counts as this flow's (flow.h) */
	bool beyond;	      /* they are lost when the receiver's window has moved over them */
};

int sim_inject_as(struct sim_port *port, uint64_t at, const uint8_t *bytes, size_t len,
		  const struct sim_injection *how);

/* The link of a port is down from `since` on and before `until`. -PARLEY_ENOMEM. */
int sim_cut(struct sim_port *port, uint64_t since, uint64_t until);

/*
 * A frame is about to go into the engine of its receiver: tells who looks on, the flow and the
 * oracles. False: it is lost before that.
 */
bool sim_lan_admit(const struct sim_frame *frame);

/* It is there, or lost: its memory comes back. */
void sim_lan_done(struct sim_world *world, struct sim_frame *frame);

#endif
