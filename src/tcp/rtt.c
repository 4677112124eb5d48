/* SPDX-License-Identifier: MIT */
#include "tcp/rtt.h"

#include "tcp/observe.h"

/* The clock's granularity G: ours is a nanosecond, what drives us may be as coarse as this. */
#define GRANULARITY 1000000u

#define AFTER_LOST_SYN UINT64_C(3000000000)

static uint64_t clamp(const struct tcb *tcb, uint64_t rto)
{
	uint64_t least = (uint64_t)tcb_setting(tcb, PARLEY_SET_MIN_RTO);
	uint64_t most = (uint64_t)tcb_setting(tcb, PARLEY_SET_MAX_RTO);

	if (rto < least)
		rto = least;
	return rto < most ? rto : most;
}

void rtt_sample(struct tcp *tcp, struct tcb *tcb, uint64_t sample)
{
	uint64_t least = (uint64_t)tcb_setting(tcb, PARLEY_SET_MIN_RTO_SPREAD);
	uint64_t spread;

	if (!sample)
		sample = 1;
	if (!tcb->srtt) {
		tcb->srtt = sample;
		tcb->rttvar = sample / 2;
	} else {
		uint64_t off = tcb->srtt > sample ? tcb->srtt - sample : sample - tcb->srtt;

		tcb->rttvar += off / 4;
		tcb->rttvar -= (tcb->rttvar - off / 4) / 4;
		tcb->srtt = tcb->srtt - tcb->srtt / 8 + sample / 8;
		if (!tcb->srtt)
			tcb->srtt = 1;
	}
	if (sample < tcb->min_rtt)
		tcb->min_rtt = sample;
	spread = 4 * tcb->rttvar;
	if (least < GRANULARITY)
		least = GRANULARITY;
	if (spread < least)
		spread = least;
	tcb->rto = clamp(tcb, tcb->srtt + spread); /* MUST-18 */
	OBSERVE(tcp, tcb, PARLEY_TRACE_RTT, (int64_t)sample, (int64_t)tcb->srtt,
		(int64_t)tcb->rttvar, (int64_t)tcb->rto);
}

void rtt_after_lost_syn(struct tcb *tcb)
{
	uint64_t initial = (uint64_t)tcb_setting(tcb, PARLEY_SET_INITIAL_RTO);

	tcb->rto = clamp(tcb, initial > AFTER_LOST_SYN ? initial : AFTER_LOST_SYN);
}

static uint64_t doubled(const struct settings *settings, uint64_t rto, unsigned times)
{
	uint64_t most = (uint64_t)settings->v[PARLEY_SET_MAX_RTO];

	while (times-- && rto < most)
		rto *= 2; /* MUST-19 */
	return rto < most ? rto : most;
}

uint64_t rtt_backed_off(const struct tcb *tcb, unsigned times)
{
	return doubled(tcb->settings, tcb->rto, times);
}

uint64_t rtt_syn_waits(const struct settings *settings, unsigned times)
{
	return doubled(settings, (uint64_t)settings->v[PARLEY_SET_INITIAL_RTO], times);
}

uint64_t rtt_syn_waited(const struct settings *settings, unsigned times)
{
	uint64_t rto = rtt_syn_waits(settings, 0), sum = 0;

	while (times--) {
		sum += rto;
		rto = doubled(settings, rto, 1);
	}
	return sum;
}

void rtt_backoff(struct tcb *tcb)
{
	tcb->rto = rtt_backed_off(tcb, 1);
}
