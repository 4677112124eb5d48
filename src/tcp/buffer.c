/* SPDX-License-Identifier: MIT */
#include "tcp/buffer.h"

#include "tcp/observe.h"

/* Of the memory's cap, the part that a buffer which grows may come to. */
#define SHARE 8

/* Rounds are measured in ticks of 2^14 ns in 32 bits; a pause of 19 hours may distort one. */
#define TICK 14

/* A round lasts so long at least: bytes arrive by the batch, and users are not always scheduled. */
#define ROUND_MIN (1000000u >> TICK)

/* What a window is taken for that nothing was measured of: RFC 6928's, of full segments. */
#define FIRST_ROUND 10u

/* Receive buffers that grow are counted in these. */
#define UNIT ((uint64_t)PARLEY_BUFFER_INITIAL)

/* While memory is all but gone: enough for ACKs of every second segment. */
#define SCARCE_SEGMENTS 4u

static uint64_t least_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* To what a buffer may grow. */
static uint64_t limit_of(const struct tcp *tcp, const struct tcb *tcb, enum parley_setting setting)
{
	uint64_t most = least_of((uint64_t)tcb_setting(tcb, setting), tcp->memory->cap / SHARE);

	return most < PARLEY_BUFFER_INITIAL ? PARLEY_BUFFER_INITIAL : most;
}

uint64_t buffer_receive_size(const struct tcb *tcb)
{
	uint64_t fixed = (uint64_t)tcb_setting(tcb, PARLEY_SET_RECEIVE_BUFFER);

	return fixed ? fixed : tcb->rcv_units * UNIT;
}

uint64_t buffer_scarce(const struct tcb *tcb)
{
	return SCARCE_SEGMENTS * (uint64_t)tcb->local_mss;
}

uint64_t buffer_receive(const struct tcp *tcp, const struct tcb *tcb)
{
	uint64_t size = buffer_receive_size(tcb);

	if (pressure_of(tcp->memory) < PRESSURE_WINDOWS)
		return size;
	return least_of(size, buffer_scarce(tcb));
}

uint64_t buffer_send(const struct tcp *tcp, const struct tcb *tcb)
{
	uint64_t fixed = (uint64_t)tcb_setting(tcb, PARLEY_SET_SEND_BUFFER);
	uint64_t wanted = 2 * (uint64_t)tcb->cwnd;

	if (fixed)
		return fixed;
	if (wanted <= PARLEY_BUFFER_INITIAL || pressure_of(tcp->memory) >= PRESSURE_GROWTH)
		return PARLEY_BUFFER_INITIAL;
	return least_of(wanted, limit_of(tcp, tcb, PARLEY_SET_SEND_BUFFER_MAX));
}

uint64_t buffer_receive_most(const struct tcb *tcb)
{
	uint64_t fixed = (uint64_t)tcb_setting(tcb, PARLEY_SET_RECEIVE_BUFFER);

	return fixed ? fixed : (uint64_t)tcb_setting(tcb, PARLEY_SET_RECEIVE_BUFFER_MAX);
}

void buffer_prepare(struct tcb *tcb)
{
	tcb->rcv_units = 1;
	tcb->rcv_space = FIRST_ROUND * tcb->local_mss;
	tcb->rcv_rtt = 0;
}

static uint32_t ticks(uint64_t ns)
{
	return (uint32_t)(ns >> TICK);
}

static void begin_round(const struct tcp *tcp, struct tcb *tcb)
{
	tcb->round.at = ticks(tcp->now);
	tcb->round.off = (uint32_t)tcb->read_off;
}

uint32_t buffer_round_age(const struct tcp *tcp, const struct tcb *tcb)
{
	return ticks(tcp->now) - tcb->round.at;
}

void buffer_established(const struct tcp *tcp, struct tcb *tcb)
{
	begin_round(tcp, tcb);
}

/* In ticks; 0: none yet. */
static uint64_t round_trip(const struct tcb *tcb)
{
	uint64_t srtt = tcb->srtt >> TICK;

	if (!tcb->srtt)
		return tcb->rcv_rtt;
	return tcb->rcv_rtt && tcb->rcv_rtt < srtt ? tcb->rcv_rtt : srtt;
}

uint64_t buffer_round_trip(const struct tcb *tcb)
{
	uint64_t measured = (uint64_t)tcb->rcv_rtt << TICK;

	if (!tcb->srtt)
		return measured;
	return measured && measured < tcb->srtt ? measured : tcb->srtt;
}

/*
 * The round has brought more than the buffer holds, so the peer sent what it was not yet allowed to
 * send when the round began: a round trip has passed.
 */
static void sample(struct tcb *tcb, uint32_t elapsed)
{
	uint64_t came = (uint32_t)((uint32_t)tcb->rcv_off - tcb->round.off);

	if (came > buffer_receive_size(tcb) + ((uint64_t)1 << tcb->rcv_shift) &&
	    (!tcb->rcv_rtt || elapsed < tcb->rcv_rtt))
		tcb->rcv_rtt = elapsed + 1;
}

/* `consumed` bytes went to the user in a round trip. */
static void grow(struct tcp *tcp, struct tcb *tcb, uint64_t consumed)
{
	uint64_t window = (uint64_t)UINT16_MAX << tcb->rcv_shift, space = tcb->rcv_space;
	uint64_t wanted = 2 * consumed, limit;

	if (consumed > space) {
		/* As much more as it is more than the last time. */
		wanted += wanted * least_of(consumed - space, space) / space;
		tcb->rcv_space = (uint32_t)least_of(consumed, UINT32_MAX);
	}
	if (pressure_of(tcp->memory) >= PRESSURE_GROWTH)
		return;
	limit = least_of(limit_of(tcp, tcb, PARLEY_SET_RECEIVE_BUFFER_MAX), window + 1);
	wanted = least_of((wanted + UNIT - 1) / UNIT, limit / UNIT);
	if (wanted <= tcb->rcv_units)
		return;
	tcb->rcv_units = (uint16_t)wanted;
	OBSERVE(tcp, tcb, PARLEY_TRACE_BUFFER, (int64_t)(wanted * UNIT), (int64_t)consumed,
		(int64_t)buffer_round_trip(tcb));
}

void buffer_consumed(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t elapsed = ticks(tcp->now) - tcb->round.at;
	uint64_t consumed = (uint32_t)((uint32_t)tcb->read_off - tcb->round.off);
	uint64_t round;

	/* With the FIN in sight nothing more will be asked for. */
	if (!tcb_synchronized(tcb) || tcb->flags & TCB_FIN_SEEN)
		return;
	sample(tcb, elapsed);
	round = round_trip(tcb);
	if (!round && !tcb->srtt)
		return;
	if (round < ROUND_MIN)
		round = ROUND_MIN;
	if (elapsed < round)
		return;
	grow(tcp, tcb, consumed * round / elapsed);
	begin_round(tcp, tcb);
}
