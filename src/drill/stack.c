/* SPDX-License-Identifier: MIT */
#include "drill/stack.h"

#include <stdlib.h>
#include <string.h>

#include "drill/order.h"

#define BATCH	   16
#define PACKET_MAX 65535
/* The host does not come to rest at one time: it goes round for ever. */
#define ROUNDS_MAX 100000

static void *slab_alloc(void *context, size_t size, size_t align)
{
	(void)context;
	return aligned_alloc(align, (size + align - 1) / align * align);
}

static void slab_free(void *context, void *slab, size_t size)
{
	(void)context;
	(void)size;
	free(slab);
}

static const struct parley_allocator allocator = {slab_alloc, slab_free, NULL};

static void on_event(void *context, const struct parley_trace_event *event)
{
	const struct drill_stack *stack = context;

	if (stack->watcher.event)
		stack->watcher.event(stack->watcher.context, event);
}

static int make_host(struct drill_stack *stack)
{
	struct parley_config config = {
		.size = sizeof config,
		.secret = "parley drill 01",
		.allocator = allocator,
		.trace = stack->watcher.event ? on_event : NULL,
		.trace_context = stack,
	};

	return parley_host_new(&config, stack->now, &stack->host);
}

static int make_sockets(struct drill_stack *stack)
{
	struct sock_config config = {
		.host = stack->host,
		.allocator = allocator,
		.seed = 1,
		.bsd = stack->bsd,
	};

	return sock_layer_new(&config, stack->now, &stack->layer);
}

static int make_interface(struct drill_stack *stack, const struct drill_stack_config *config)
{
	struct parley_interface interface = {
		.size = sizeof interface,
		.name = "drill",
		.link = PARLEY_LINK_IP,
		.mtu = config->mtu,
	};

	stack->ifindex = parley_interface_add(stack->host, stack->now, &interface);
	return stack->ifindex < 0 ? stack->ifindex : 0;
}

static int add_default_route(struct drill_stack *stack, const struct parley_addr *local)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct parley_addr any = {{0}};

	if (!memcmp(local->b, mapped, sizeof mapped))
		memcpy(any.b, mapped, sizeof mapped);
	return parley_route_add(stack->host, stack->now, stack->ifindex, &any, 0, NULL);
}

static int apply_settings(struct drill_stack *stack, const struct drill_stack_config *config,
			  const char **what)
{
	for (int i = 0; i < PARLEY_SETTING_COUNT; i++) {
		int error = 0;

		if (config->given[i])
			error = parley_set(stack->host, stack->now, PARLEY_NO_CONN,
					   (enum parley_setting)i, config->setting[i]);
		if (error < 0) {
			*what = parley_setting_name(i);
			return error;
		}
	}
	return 0;
}

int drill_stack_begin(struct drill_stack *stack, const struct drill_stack_config *config,
		      const char **what)
{
	int error;

	*stack = (struct drill_stack){
		.now = DRILL_EPOCH,
		.order = config->order,
		.bsd = config->bsd,
		.mss = config->mss,
		.watcher = config->watcher,
	};
	stack->sent_tail = &stack->sent;
	*what = "a host";
	error = make_host(stack);
	if (!error) {
		*what = "sockets";
		error = make_sockets(stack);
	}
	if (!error)
		error = apply_settings(stack, config, what);
	if (!error) {
		*what = "an interface with this MTU";
		error = make_interface(stack, config);
	}
	if (!error) {
		*what = "the local address";
		error = parley_address_add(stack->host, stack->now, stack->ifindex, &config->local,
					   config->prefix);
	}
	if (!error) {
		*what = "a route";
		error = add_default_route(stack, &config->local);
	}
	return error;
}

void drill_stack_end(struct drill_stack *stack)
{
	if (stack->layer)
		sock_layer_free(stack->layer);
	if (stack->host)
		parley_host_free(stack->host);
	while (stack->sent)
		free(drill_stack_take(stack, &stack->sent));
	*stack = (struct drill_stack){0};
}

struct drill_sent *drill_stack_take(struct drill_stack *stack, struct drill_sent **at)
{
	struct drill_sent *sent = *at;

	*at = sent->next;
	if (!*at)
		stack->sent_tail = at;
	sent->next = NULL;
	return sent;
}

/* How far the user has written, for what is sent on a connection. */
static void note_write_end(struct drill_stack *stack, const struct parley_frame *frame,
			   struct drill_sent *sent)
{
	struct parley_status status = {.size = sizeof status};

	if (frame->conn == PARLEY_NO_CONN || parley_status(stack->host, frame->conn, &status) < 0)
		return;
	sent->write_end = status.snd_una + (uint32_t)status.send_queue;
	sent->write_end_known = true;
}

static void keep(struct drill_stack *stack, const struct parley_frame *frame)
{
	uint8_t bytes[PACKET_MAX];
	int len = parley_frame_flatten(frame, 0, bytes, sizeof bytes);
	struct drill_sent *sent = len > 0 ? malloc(sizeof *sent + (size_t)len) : NULL;

	if (!sent)
		return;
	*sent = (struct drill_sent){.time = stack->now, .len = (size_t)len};
	drill_order(bytes, (size_t)len, stack->order);
	memcpy(sent->bytes, bytes, (size_t)len);
	note_write_end(stack, frame, sent);
	*stack->sent_tail = sent;
	stack->sent_tail = &sent->next;
	if (stack->watcher.packet)
		stack->watcher.packet(stack->watcher.context, stack->now, true, bytes, (size_t)len);
}

/* Everything that may be sent now; how many packets. */
static int drain(struct drill_stack *stack)
{
	struct parley_frame frames[BATCH];
	int total = 0, n;

	while ((n = parley_output(stack->host, stack->ifindex, stack->now, frames, BATCH)) > 0) {
		for (int i = 0; i < n; i++)
			keep(stack, &frames[i]);
		parley_release(stack->host, frames, n);
		total += n;
	}
	return total;
}

static uint64_t deadline(const struct drill_stack *stack)
{
	uint64_t host = parley_deadline(stack->host), sockets = sock_deadline(stack->layer);

	return host < sockets ? host : sockets;
}

void drill_stack_settle(struct drill_stack *stack)
{
	bool busy = true;

	for (int rounds = 0; busy && rounds < ROUNDS_MAX; rounds++) {
		busy = false;
		if (parley_deadline(stack->host) <= stack->now)
			busy = parley_expire(stack->host, stack->now) > 0 ||
			       parley_deadline(stack->host) <= stack->now;
		busy |= sock_poll(stack->layer, stack->now) > 0;
		busy |= drain(stack) > 0;
		busy |= sock_deadline(stack->layer) <= stack->now;
	}
}

static void round_buffer(struct drill_stack *stack, parley_conn conn)
{
	struct parley_tcp_info info = {.size = sizeof info};
	uint64_t odd;

	if (parley_tcp_info(stack->host, conn, &info) < 0 || !info.snd_mss ||
	    info.receive_buffer < info.snd_mss)
		return;
	odd = info.receive_buffer % info.snd_mss;
	if (odd)
		parley_set(stack->host, stack->now, conn, PARLEY_SET_RECEIVE_BUFFER,
			   (int64_t)(info.receive_buffer + info.snd_mss - odd));
}

/* FreeBSD's receive buffers hold whole segments, once it is known how long those are. */
static void round_buffers(struct drill_stack *stack)
{
	struct parley_status status = {.size = sizeof status};
	uint64_t cursor = 0;

	while (parley_each(stack->host, &cursor, &status) > 0)
		if (status.state == PARLEY_SYN_RECEIVED || status.state == PARLEY_ESTABLISHED)
			round_buffer(stack, status.conn);
}

void drill_stack_inject(struct drill_stack *stack, const uint8_t *bytes, size_t len)
{
	struct parley_rx rx = {
		.data = bytes,
		.len = len,
		.ifindex = stack->ifindex,
		.segment_size = stack->mss,
	};

	if (stack->watcher.packet)
		stack->watcher.packet(stack->watcher.context, stack->now, false, bytes, len);
	parley_input(stack->host, stack->now, &rx, 1);
	if (stack->bsd)
		round_buffers(stack);
	drill_stack_settle(stack);
}

bool drill_stack_step(struct drill_stack *stack, uint64_t until)
{
	uint64_t next = deadline(stack);
	bool due = next != UINT64_MAX && next <= until;

	if (due)
		until = next;
	if (until != UINT64_MAX && until > stack->now)
		stack->now = until;
	sock_set_now(stack->layer, stack->now);
	drill_stack_settle(stack);
	return due;
}
