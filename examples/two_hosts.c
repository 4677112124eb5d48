/* SPDX-License-Identifier: MIT */
/*
 * Two hosts in memory and in virtual time: handshake, a message, close. The trace hook prints each
 * change of state. Without device and clock, the minute of TIME-WAIT is over at once; a secret of
 * zeros makes every run the same.
 */
#include <parley/parley.h>
#include <stdio.h>
#include <stdlib.h>

static struct parley_host *hosts[2];
static uint64_t now; /* ns, virtual: time passes when we say so */

static void *take(void *ctx, size_t size, size_t align)
{
	return (void)ctx, aligned_alloc(align, size);
}

static void give(void *ctx, void *slab, size_t size)
{
	(void)ctx, (void)size, free(slab);
}

static void told(void *name, const struct parley_trace_event *e)
{
	if (e->kind == PARLEY_TRACE_STATE)
		printf("%7.3f s  %s: %s -> %s\n", (double)e->now / 1e9, (char *)name,
		       parley_state_name((int)e->value[0]), parley_state_name((int)e->value[1]));
}

/* The wire: takes packets across, a millisecond each, until neither host owes another. */
static int carry(void)
{
	uint8_t packet[1500];
	struct parley_rx rx = {.data = packet, .ifindex = 1};
	struct parley_frame frame;

	for (int i = 0, quiet = 0; quiet < 2; i = !i, quiet++)
		for (; parley_output(hosts[i], 1, now, &frame, 1) == 1; quiet = 0) {
			rx.len = (size_t)parley_frame_flatten(&frame, 0, packet, sizeof packet);
			parley_release(hosts[i], &frame, 1);
			parley_input(hosts[!i], now += PARLEY_MS(1), &rx, 1);
		}
	return 0;
}

int main(void)
{
	char names[2][8] = {"client", "server"}, text[6] = "";
	struct parley_config config = {sizeof config, .allocator = {take, give, 0}, .trace = told};
	struct parley_interface wire = {.size = sizeof wire, .link = PARLEY_LINK_IP, .mtu = 1500};
	struct parley_addr addr = {{[10] = 0xff, 0xff, 10, 0, 0, 0}}; /* 10.0.0.0 */
	struct parley_open passive = {.size = sizeof passive, .local.port = 7};
	struct parley_open active = {.size = sizeof active, .remote.port = 7};
	parley_conn client, server;

	for (int i = 0; i < 2; i++, active.remote.addr = addr) {
		addr.b[15]++; /* 10.0.0.1, 10.0.0.2 */
		config.trace_context = names[i];
		if (parley_host_new(&config, now, &hosts[i]) < 0 ||
		    parley_interface_add(hosts[i], now, &wire) != 1 ||
		    parley_address_add(hosts[i], now, 1, &addr, 24) < 0)
			return 1;
	}
	/* Each step in turn, until one fails. */
	if (parley_open_passive(hosts[1], now, &passive, &server) < 0 ||
	    parley_connect(hosts[0], now, &active, &client) < 0 || carry() ||
	    parley_send(hosts[0], now, client, &(struct parley_span){"hello", 5}, 1, 0) < 5 ||
	    carry() || parley_receive(hosts[1], now, server, text, 5) < 5 || puts(text) < 0 ||
	    parley_close(hosts[0], now, client) < 0 || carry() ||
	    parley_close(hosts[1], now, server) < 0 || carry() ||
	    parley_expire(hosts[0], now += PARLEY_S(60)) < 1)
		return 1;
	parley_host_free(hosts[0]);
	parley_host_free(hosts[1]);
}
