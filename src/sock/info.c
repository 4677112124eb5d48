/* SPDX-License-Identifier: MIT */
/* TCP_INFO: what the host tells of a connection, in Linux's layout and units. */
#include <string.h>

#include "sock/layer.h"

#define NS_PER_US 1000u
#define NS_PER_MS 1000000u

/* The number that Linux shows while a threshold has not been set. */
#define SSTHRESH_NONE 0x7fffffffu

static uint8_t state_number(enum parley_state state)
{
	static const uint8_t number[PARLEY_STATES] = {
		[PARLEY_CLOSED] = SOCK_TCP_CLOSE,
		[PARLEY_LISTEN] = SOCK_TCP_LISTEN,
		[PARLEY_SYN_SENT] = SOCK_TCP_SYN_SENT,
		[PARLEY_SYN_RECEIVED] = SOCK_TCP_SYN_RECV,
		[PARLEY_ESTABLISHED] = SOCK_TCP_ESTABLISHED,
		[PARLEY_FIN_WAIT_1] = SOCK_TCP_FIN_WAIT1,
		[PARLEY_FIN_WAIT_2] = SOCK_TCP_FIN_WAIT2,
		[PARLEY_CLOSE_WAIT] = SOCK_TCP_CLOSE_WAIT,
		[PARLEY_CLOSING] = SOCK_TCP_CLOSING,
		[PARLEY_LAST_ACK] = SOCK_TCP_LAST_ACK,
		/* A socket that is still held shows the end as CLOSED; TIME-WAIT is nobody's. */
		[PARLEY_TIME_WAIT] = SOCK_TCP_CLOSE,
	};

	return number[state];
}

static uint32_t in_32(uint64_t value)
{
	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static uint32_t segments(uint64_t bytes, uint32_t mss)
{
	return mss ? in_32(bytes / mss) : 0;
}

static void fill_listener(const struct sock_layer *layer, const struct sock *s,
			  struct sock_tcp_info *info)
{
	struct parley_status status;

	info->state = SOCK_TCP_LISTEN;
	if (!sock_status(layer, s->conn, &status))
		return;
	info->unacked = in_32(status.receive_queue);
	/* The host counts one more than listen() was told. */
	info->sacked = status.send_queue ? in_32(status.send_queue - 1) : 0;
}

static void fill_header(const struct parley_tcp_info *from, struct sock_tcp_info *info)
{
	info->state = state_number(from->state);
	info->ca_state = (uint8_t)from->recovery;
	info->retransmits = from->retransmits;
	info->probes = from->probes;
	info->backoff = from->backoff;
	if (from->has_timestamps)
		info->options |= SOCK_TCPI_OPT_TIMESTAMPS;
	if (from->has_sack)
		info->options |= SOCK_TCPI_OPT_SACK;
	if (from->has_wscale)
		info->options |= SOCK_TCPI_OPT_WSCALE;
	info->wscale = (uint8_t)((from->snd_wscale & 15) | from->rcv_wscale << 4);
}

static void fill_times(const struct parley_tcp_info *from, struct sock_tcp_info *info)
{
	info->rto = in_32(from->rto / NS_PER_US);
	info->ato = in_32(from->ato / NS_PER_US);
	info->rtt = in_32(from->rtt / NS_PER_US);
	info->rttvar = in_32(from->rttvar / NS_PER_US);
	info->min_rtt = in_32(from->min_rtt / NS_PER_US);
	info->rcv_rtt = in_32(from->rcv_rtt / NS_PER_US);
	info->last_data_sent = in_32(from->last_data_sent / NS_PER_MS);
	info->last_ack_sent = in_32(from->last_ack_sent / NS_PER_MS);
	info->last_data_recv = in_32(from->last_data_recv / NS_PER_MS);
	info->last_ack_recv = in_32(from->last_ack_recv / NS_PER_MS);
}

static void fill_counts(const struct parley_tcp_info *from, struct sock_tcp_info *info)
{
	info->unacked = from->unacked;
	info->sacked = from->sacked;
	info->lost = from->lost;
	info->retrans = from->retrans;
	info->total_retrans = from->total_retrans;
	info->segs_out = in_32(from->segs_out);
	info->segs_in = in_32(from->segs_in);
	info->data_segs_out = in_32(from->data_segs_out);
	info->data_segs_in = in_32(from->data_segs_in);
	info->bytes_sent = from->bytes_sent;
	info->bytes_retrans = from->bytes_retrans;
	info->bytes_acked = from->bytes_acked;
	info->bytes_received = from->bytes_received;
	info->notsent_bytes = in_32(from->notsent);
}

static void fill_windows(const struct parley_tcp_info *from, struct sock_tcp_info *info)
{
	info->snd_mss = from->snd_mss;
	info->rcv_mss = from->rcv_mss;
	info->advmss = from->advmss;
	info->pmtu = from->pmtu;
	info->snd_cwnd = segments(from->snd_cwnd, from->snd_mss);
	info->snd_ssthresh = from->snd_ssthresh < SSTHRESH_NONE
				     ? segments(from->snd_ssthresh, from->snd_mss)
				     : SSTHRESH_NONE;
	info->snd_wnd = from->snd_wnd;
	info->rcv_ssthresh = from->rcv_wnd;
	info->rcv_space = from->rcv_space;
	/* Segments that may be out of order before loss is suspected: the fixed three. */
	info->reordering = 3;
	info->max_pacing_rate = UINT64_MAX;
}

void sock_tcp_info_fill(const struct sock_layer *layer, const struct sock *s,
			struct sock_tcp_info *info)
{
	struct parley_tcp_info from;

	memset(info, 0, sizeof(*info));
	info->state = SOCK_TCP_CLOSE;
	if (s->state == SOCK_STATE_LISTENING) {
		fill_listener(layer, s, info);
		return;
	}
	memset(&from, 0, sizeof(from));
	from.size = sizeof(from);
	if (s->conn == PARLEY_NO_CONN || parley_tcp_info(layer->host, s->conn, &from) < 0)
		return;
	fill_header(&from, info);
	fill_times(&from, info);
	fill_counts(&from, info);
	fill_windows(&from, info);
}
