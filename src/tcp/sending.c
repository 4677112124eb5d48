/* SPDX-License-Identifier: MIT */
#include "tcp/sending.h"

#include "tcp/sent.h"

struct sending *sending_get(struct tcp *tcp, struct tcb *tcb)
{
	struct sending *sending = tcb->sending;

	if (sending)
		return sending;
	sending = pool_get(&tcp->sendings);
	if (!sending)
		return NULL;
	stream_init(&sending->stream);
	list_init(&sending->by_seq);
	list_init(&sending->by_time);
	sending->lost_hint = NULL;
	sending->reserved = 0;
	sending->flight_max = 0;
	sending->flight_end = tcb->snd.una;
	tcb->sending = sending;
	return sending;
}

uint32_t sending_reserved(const struct tcb *tcb)
{
	return tcb->sending ? tcb->sending->reserved : 0;
}

static void drop(struct tcp *tcp, struct tcb *tcb)
{
	stream_free(&tcb->sending->stream, tcp->memory);
	pool_put(&tcp->sendings, tcb->sending);
	tcb->sending = NULL;
}

void sending_settle(struct tcp *tcp, struct tcb *tcb)
{
	bool waiting = tcb->snd_off == UINT64_MAX ? tcb->snd_end > 0 : tcb->snd_end > tcb->snd_off;
	struct sending *sending = tcb->sending;

	if (!sending)
		return;
	if (waiting || sending->reserved || !list_is_empty(&sending->by_seq))
		stream_drop_below(&sending->stream, tcp->memory,
				  tcb->snd_off == UINT64_MAX ? 0 : tcb->snd_off);
	else
		drop(tcp, tcb);
}

void sending_free(struct tcp *tcp, struct tcb *tcb)
{
	sent_clear(tcp, tcb);
	if (tcb->sending)
		drop(tcp, tcb);
}
