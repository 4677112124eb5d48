/* SPDX-License-Identifier: MIT */
/* The user of a host under a fuzzer: calls that the input chooses, and what they must answer. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

struct rig_handle *rig_place(struct rig *rig, uint8_t which)
{
	struct rig_handle *handle = &rig->handles[which % RIG_HANDLES];

	for (int i = 0; i < RIG_HANDLES; i++)
		if (!rig->handles[i].conn)
			handle = &rig->handles[i];
	if (handle->conn)
		parley_release_conn(rig->host, rig->now, handle->conn);
	memset(handle, 0, sizeof *handle);
	return handle;
}

void rig_send(struct rig *rig, struct rig_handle *handle, size_t n, unsigned flags)
{
	uint8_t *bytes = malloc(n ? n : 1);
	struct parley_span spans[2] = {{bytes, n / 3}, {bytes + n / 3, n - n / 3}};
	int64_t taken;

	demand(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = rig_users(handle->written + i);
	taken = parley_send(rig->host, rig->now, handle->conn, spans, 2, flags);
	demand(taken <= (int64_t)n);
	if (taken > 0)
		handle->written += (uint64_t)taken;
	free(bytes);
	rig_step(rig);
}

/* Where the handle's next byte stands in the peer's stream: behind its SYN and what was read. */
static bool next_seq(const struct rig *rig, const struct rig_handle *handle, uint32_t *seq)
{
	struct parley_status status = {.size = sizeof status};

	if (parley_status(rig->host, handle->conn, &status) != 0)
		return false;
	*seq = status.irs + 1 + (uint32_t)handle->read;
	return true;
}

void rig_receive(struct rig *rig, struct rig_handle *handle, size_t n)
{
	uint8_t *bytes = malloc(n ? n : 1);
	uint32_t seq = 0;
	bool known = next_seq(rig, handle, &seq);
	int64_t got;

	demand(bytes);
	got = parley_receive(rig->host, rig->now, handle->conn, bytes, n);
	demand(got <= (int64_t)n);
	demand(got <= 0 || known);
	for (int64_t i = 0; i < got && !rig->text_is_free; i++)
		demand(bytes[i] == rig_peers(seq + (uint32_t)i));
	if (got > 0)
		handle->read += (uint64_t)got;
	free(bytes);
	rig_step(rig);
}

static void peek_and_consume(struct rig *rig, struct rig_handle *handle, size_t n)
{
	struct parley_span spans[3];
	uint32_t seq = 0;
	bool known = next_seq(rig, handle, &seq);
	int count = parley_peek(rig->host, handle->conn, spans, 3);
	size_t there = 0;

	demand(count <= 3 && (count <= 0 || known));
	for (int i = 0; i < count; i++)
		for (size_t k = 0; k < spans[i].len; k++, there++)
			demand(rig->text_is_free || ((const uint8_t *)spans[i].data)[k] ==
							    rig_peers(seq + (uint32_t)there));
	if (n > there)
		n = there;
	if (n && parley_consume(rig->host, rig->now, handle->conn, n) == 0)
		handle->read += n;
}

static void reserve_and_commit(struct rig *rig, struct rig_handle *handle, size_t n, unsigned flags)
{
	struct parley_buffer buffers[3];
	int count = parley_reserve(rig->host, rig->now, handle->conn, n, buffers, 3);
	uint64_t at = handle->written;
	int64_t sent;

	for (int i = 0; i < count; i++)
		for (size_t k = 0; k < buffers[i].len; k++)
			((uint8_t *)buffers[i].data)[k] = rig_users(at++);
	if (count <= 0)
		return;
	n = (size_t)(at - handle->written);
	sent = parley_commit(rig->host, rig->now, handle->conn, n, flags);
	demand(sent <= (int64_t)n);
	if (sent > 0)
		handle->written += (uint64_t)sent;
}

static void accept_one(struct rig *rig, struct rig_handle *listener, uint8_t which)
{
	parley_conn conn;

	if (parley_accept(rig->host, rig->now, listener->conn, 5, &conn) == 0)
		rig_place(rig, which)->conn = conn;
}

static void decide(struct rig *rig, struct rig_handle *listener, uint8_t which)
{
	struct parley_syn syn = {.size = sizeof syn};

	if (parley_next_syn(rig->host, listener->conn, &syn) == 0)
		parley_decide(rig->host, rig->now, syn.conn, (enum parley_decision)(which % 5));
}

static void ask(const struct rig *rig, const struct rig_handle *handle, uint8_t which)
{
	struct parley_tcp_info info = {.size = sizeof info};
	struct parley_status status = {.size = sizeof status};
	struct parley_span spans[3];
	int64_t value;

	parley_ready(rig->host, handle->conn);
	parley_urgent(rig->host, handle->conn);
	parley_peek_at(rig->host, handle->conn, which, spans, 3);
	parley_get(rig->host, handle->conn, (enum parley_setting)which, &value);
	if (parley_tcp_info(rig->host, handle->conn, &info) == 0)
		demand(parley_status(rig->host, handle->conn, &status) == 0);
}

/* Values that settings have limits at, and any other. */
static int64_t value_of(struct bytes *in)
{
	uint8_t kind = take8(in);
	uint32_t value = take32(in);

	switch (kind % 4) {
	case 0:
		return value & 1;
	case 1:
		return value & 0xffff;
	case 2:
		return value;
	default:
		return (int64_t)value * 1000;
	}
}

void rig_call(struct rig *rig, struct rig_handle *handle, struct bytes *in)
{
	uint8_t call = take8(in), argument = take8(in);
	static const unsigned flags[] = {0, PARLEY_SEND_MORE, PARLEY_SEND_URGENT,
					 PARLEY_SEND_MORE | PARLEY_SEND_URGENT};

	switch (call % 13) {
	case 0:
		rig_send(rig, handle, take16(in), flags[argument % 4]);
		break;
	case 1:
		rig_receive(rig, handle, take16(in));
		break;
	case 2:
		peek_and_consume(rig, handle, take16(in));
		break;
	case 3:
		reserve_and_commit(rig, handle, take16(in), flags[argument % 4]);
		break;
	case 4:
		parley_shutdown(rig->host, rig->now, handle->conn, argument & 3);
		break;
	case 5:
		parley_close(rig->host, rig->now, handle->conn);
		break;
	case 6:
		parley_abort(rig->host, rig->now, handle->conn);
		break;
	case 7:
		parley_release_conn(rig->host, rig->now, handle->conn);
		handle->conn = argument & 1 ? PARLEY_NO_CONN : handle->conn; /* else stale */
		break;
	case 8:
		accept_one(rig, handle, argument);
		break;
	case 9:
		decide(rig, handle, argument);
		break;
	case 10: {
		struct parley_endpoint remote = {rig->peer, 40000};

		parley_open_active(rig->host, rig->now, handle->conn, argument & 1 ? &remote : 0);
		break;
	}
	case 11:
		parley_set(rig->host, rig->now, handle->conn, (enum parley_setting)argument,
			   value_of(in));
		break;
	default:
		ask(rig, handle, argument);
	}
	rig_step(rig);
}

void rig_open(struct rig *rig, struct bytes *in)
{
	uint8_t how = take8(in), ports = take8(in);
	struct parley_open open = {
		.size = sizeof open,
		.local = {rig->us, ports & 1 ? 80 : 81},
		.backlog = ports >> 6,
	};
	struct rig_handle *handle = rig_place(rig, ports >> 4);

	if (how & 16)
		memset(&open.local.addr, 0, sizeof open.local.addr);
	if (how % 3 == 0 || how & 32)
		open.remote = (struct parley_endpoint){rig->peer,
						       (uint16_t)(40000 + (ports >> 1 & 1))};
	open.flags = how % 3 == 1 ? how >> 6 : 0;
	if (how % 3 == 0)
		parley_connect(rig->host, rig->now, &open, &handle->conn);
	else if (how % 3 == 1)
		parley_listen(rig->host, rig->now, &open, &handle->conn);
	else
		parley_open_passive(rig->host, rig->now, &open, &handle->conn);
	rig_step(rig);
}

/* The interface goes with everything on it, and comes again. */
static void replug(struct rig *rig)
{
	demand(parley_interface_remove(rig->host, rig->now, rig->ifindex) == 0);
	rig->ifindex = parley_interface_add(rig->host, rig->now, &rig->interface);
	demand(rig->ifindex > 0);
	parley_address_add(rig->host, rig->now, rig->ifindex, &rig->us, rig->us.b[0] ? 64 : 24);
}

void rig_change(struct rig *rig, struct bytes *in)
{
	uint8_t what = take8(in), argument = take8(in);

	switch (what % 6) {
	case 0:
		parley_set(rig->host, rig->now, PARLEY_NO_CONN, (enum parley_setting)argument,
			   value_of(in));
		break;
	case 1: /* as many slabs as there are, or few more */
		rig->slabs_max = argument & 128 ? UINT32_MAX : rig->slabs + (argument & 3);
		break;
	case 2:
		rig->interface.mtu = 1280 + take8(in);
		parley_interface_set(rig->host, rig->now, rig->ifindex, &rig->interface);
		break;
	case 3:
		parley_address_remove(rig->host, rig->now, rig->ifindex, &rig->us);
		rig_step(rig);
		parley_address_add(rig->host, rig->now, rig->ifindex, &rig->us,
				   rig->us.b[0] ? 64 : 24);
		break;
	case 4:
		replug(rig);
		break;
	default:
		parley_profile(rig->host, rig->now, (enum parley_profile)(argument % 3));
	}
	rig_step(rig);
}
