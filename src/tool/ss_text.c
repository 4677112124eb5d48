/* SPDX-License-Identifier: MIT */
#include "tool/ss_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "tool/ss_why.h"
#include "wire/ip.h"
#include "wire/text.h"

/* Beyond it ss shows no threshold. */
#define SSTHRESH_SHOWN 0xffffu

/* Ports that programs get without asking, of which no service is the owner. */
#define PORT_FIRST 32768
#define PORT_LAST  60999

const char *ss_state_name(enum parley_state state)
{
	static const char *const names[PARLEY_STATES] = {
		[PARLEY_CLOSED] = "UNCONN",	    [PARLEY_LISTEN] = "LISTEN",
		[PARLEY_SYN_SENT] = "SYN-SENT",	    [PARLEY_SYN_RECEIVED] = "SYN-RECV",
		[PARLEY_ESTABLISHED] = "ESTAB",	    [PARLEY_FIN_WAIT_1] = "FIN-WAIT-1",
		[PARLEY_FIN_WAIT_2] = "FIN-WAIT-2", [PARLEY_CLOSE_WAIT] = "CLOSE-WAIT",
		[PARLEY_CLOSING] = "CLOSING",	    [PARLEY_LAST_ACK] = "LAST-ACK",
		[PARLEY_TIME_WAIT] = "TIME-WAIT",
	};

	return names[state];
}

/* The queues as Linux counts them: a SYN or FIN on its way is a byte. */
static uint64_t recv_q(const struct report_conn *conn)
{
	return conn->status.receive_queue;
}

static uint64_t send_q(const struct report_conn *conn)
{
	switch (conn->status.state) {
	case PARLEY_SYN_SENT:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
		return conn->status.send_queue + 1;
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
	case PARLEY_SYN_RECEIVED:
	case PARLEY_ESTABLISHED:
	case PARLEY_FIN_WAIT_2:
	case PARLEY_CLOSE_WAIT:
	case PARLEY_TIME_WAIT:
		return conn->status.send_queue;
	}
	return 0;
}

void ss_duration(char *out, size_t cap, uint64_t ns)
{
	uint64_t ms = ns / 1000000, seconds = ms / 1000, minutes = seconds / 60;
	size_t used = 0;

	seconds %= 60;
	ms = minutes || seconds > 9 ? 0 : ms % 1000;
	if (minutes > 9)
		seconds = 0;
	*out = 0;
	if (minutes)
		used = (size_t)snprintf(out, cap, "%" PRIu64 "min", minutes);
	if (seconds)
		used += (size_t)snprintf(out + used, cap - used, "%" PRIu64 "%s", seconds,
					 ms ? "." : "sec");
	if (ms)
		snprintf(out + used, cap - used, "%03" PRIu64 "ms", ms);
}

/* ---- the columns ---- */

/* An address with its colon: "10.0.0.1:", "[::1]:", "*:". */
static void write_address(char out[static SS_CELL], const struct parley_addr *addr, bool v6_only)
{
	char text[TEXT_ADDR_MAX];

	text_addr(text, addr);
	if (ip_is_v4(addr))
		snprintf(out, SS_CELL, "%s:", text);
	else if (ip_is_unspecified(addr) && !v6_only)
		snprintf(out, SS_CELL, "*:");
	else
		snprintf(out, SS_CELL, "[%s]:", text);
}

static void write_port(char out[static SS_CELL], uint16_t port, bool numeric)
{
	const struct servent *service = NULL;

	if (!numeric && port && (port < PORT_FIRST || port > PORT_LAST))
		service = getservbyport(htons(port), "tcp");
	if (!port)
		snprintf(out, SS_CELL, "*");
	else if (service)
		snprintf(out, SS_CELL, "%s", service->s_name);
	else
		snprintf(out, SS_CELL, "%u", (unsigned)port);
}

/* Text that grows; what does not fit is left out. */
struct text {
	char *buf;
	size_t cap, used;
};

static void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->buf + text->used, text->cap - text->used, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < text->cap - text->used)
		text->used += (size_t)n;
	else
		text->buf[text->used] = 0;
}

static void put_users(struct text *text, const struct ss_row *row, const struct users *users)
{
	size_t count;
	const struct user *user = users_of(users, row->conn->inode, &count);

	if (!user)
		return;
	put(text, " users:(");
	for (size_t i = 0; i < count; i++)
		put(text, "%s(\"%s\",pid=%d,fd=%d)", i ? "," : "", user[i].name, (int)user[i].pid,
		    user[i].fd);
	put(text, ")");
}

/* The timers of ours that Linux's table of connections has names for. */
static const char *timer_name(enum parley_timer timer)
{
	switch ((int)timer) {
	case PARLEY_TIMER_RETRANSMIT:
		return "on";
	case PARLEY_TIMER_PERSIST:
		return "persist";
	case PARLEY_TIMER_KEEPALIVE:
		return "keepalive";
	case PARLEY_TIMER_FIN_WAIT_2:
	case PARLEY_TIMER_TIME_WAIT:
		return "timewait";
	default:
		return NULL;
	}
}

static void put_timer(struct text *text, const struct report_conn *conn)
{
	const struct parley_status *status = &conn->status;
	const char *name = timer_name(status->timer);
	uint32_t count = conn->info.probes;
	char left[64];

	if (!name)
		return;
	if (status->timer == PARLEY_TIMER_RETRANSMIT)
		count = status->retransmits;
	ss_duration(left, sizeof left, status->timer_due);
	put(text, " timer:(%s,%s,%" PRIu32 ")", name, left, count);
}

static void put_extended(struct text *text, const struct ss_row *row)
{
	if (geteuid())
		put(text, " uid:%u", (unsigned)geteuid());
	put(text, " ino:%" PRIu64 " sk:%" PRIx64 " host:%d", row->conn->inode,
	    row->conn->status.conn, (int)row->host->run);
}

void ss_cells(struct ss_cells *cells, const struct ss_row *row, const struct ss_view *view)
{
	const struct report_conn *conn = row->conn;
	const struct parley_status *status = &conn->status;
	struct text process = {.buf = cells->process, .cap = sizeof cells->process};
	struct parley_addr peer = status->remote.addr;

	/* Nobody yet, of the listener's own family. */
	if (status->state == PARLEY_LISTEN && ip_is_unspecified(&peer))
		peer = ip_is_v4(&status->local.addr) ? ip_from_v4(0) : (struct parley_addr){{0}};
	snprintf(cells->text[SS_STATE_COLUMN], SS_CELL, "%s",
		 view->state ? ss_state_name(status->state) : "");
	snprintf(cells->text[SS_RECV_Q], SS_CELL, "%-6" PRIu64, recv_q(conn));
	snprintf(cells->text[SS_SEND_Q], SS_CELL, "%-6" PRIu64, send_q(conn));
	write_address(cells->text[SS_LOCAL], &status->local.addr, conn->v6_only);
	write_port(cells->text[SS_LOCAL_PORT], status->local.port, view->numeric);
	write_address(cells->text[SS_PEER], &peer, conn->v6_only);
	write_port(cells->text[SS_PEER_PORT], status->remote.port, view->numeric);
	*cells->process = 0;
	if (view->processes)
		put_users(&process, row, view->users);
	if (view->timer || view->extended)
		put_timer(&process, conn);
	if (view->extended)
		put_extended(&process, row);
}

/* ---- the line of -i and -m ---- */

static double in_ms(uint64_t ns)
{
	return (double)(ns / 1000) / 1000;
}

static void print_number(FILE *out, const char *name, uint64_t value)
{
	if (value)
		fprintf(out, " %s:%" PRIu64, name, value);
}

static void print_rate(FILE *out, const char *name, double rate, bool numeric)
{
	static const char units[] = "\0kMGT";
	int unit = 0;

	for (; !numeric && unit < 4 && rate >= 1000; unit++)
		rate /= 1000;
	if (numeric)
		fprintf(out, " %s %.0fbps", name, rate);
	else if (unit)
		fprintf(out, " %s %.3g%cbps", name, rate, units[unit]);
	else
		fprintf(out, " %s %gbps", name, rate);
}

static void print_memory(FILE *out, const struct report_conn *conn)
{
	bool listens = conn->status.state == PARLEY_LISTEN;

	fprintf(out,
		" skmem:(r%" PRIu64 ",rb%" PRIu64 ",t0,tb%" PRIu64 ",f0,w%" PRIu64 ",o0,bl0,d0)",
		listens ? 0 : conn->status.receive_queue + conn->status.out_of_order,
		conn->receive_buffer, conn->send_buffer, listens ? 0 : conn->status.send_queue);
}

static void print_times(FILE *out, const struct parley_tcp_info *info)
{
	/* 3 s is what Linux starts with, and shows as nothing. */
	if (info->rto && info->rto != 3000000000)
		fprintf(out, " rto:%g", in_ms(info->rto));
	print_number(out, "backoff", info->backoff);
	if (info->rtt)
		fprintf(out, " rtt:%g/%g", in_ms(info->rtt), in_ms(info->rttvar));
	if (info->ato)
		fprintf(out, " ato:%g", in_ms(info->ato));
}

static void print_sizes(FILE *out, const struct parley_tcp_info *info)
{
	uint32_t mss = info->snd_mss ? info->snd_mss : 1;

	print_number(out, "mss", info->snd_mss);
	print_number(out, "pmtu", info->pmtu);
	print_number(out, "rcvmss", info->rcv_mss);
	print_number(out, "advmss", info->advmss);
	print_number(out, "cwnd", info->snd_cwnd / mss);
	if (info->snd_ssthresh / mss < SSTHRESH_SHOWN)
		print_number(out, "ssthresh", info->snd_ssthresh / mss);
	print_number(out, "bytes_sent", info->bytes_sent);
	print_number(out, "bytes_retrans", info->bytes_retrans);
	print_number(out, "bytes_acked", info->bytes_acked);
	print_number(out, "bytes_received", info->bytes_received);
	print_number(out, "segs_out", info->segs_out);
	print_number(out, "segs_in", info->segs_in);
	print_number(out, "data_segs_out", info->data_segs_out);
	print_number(out, "data_segs_in", info->data_segs_in);
}

static void print_counts(FILE *out, const struct parley_tcp_info *info)
{
	print_number(out, "unacked", info->unacked);
	if (info->retrans || info->total_retrans)
		fprintf(out, " retrans:%" PRIu32 "/%" PRIu32, info->retrans, info->total_retrans);
	print_number(out, "lost", info->lost);
	print_number(out, "sacked", info->sacked);
	if (info->rcv_rtt)
		fprintf(out, " rcv_rtt:%g", in_ms(info->rcv_rtt));
	print_number(out, "rcv_space", info->rcv_space);
	print_number(out, "notsent", info->notsent);
	if (info->min_rtt)
		fprintf(out, " minrtt:%g", in_ms(info->min_rtt));
	print_number(out, "snd_wnd", info->snd_wnd);
}

static void print_info(FILE *out, const struct report_conn *conn, const struct ss_view *view)
{
	const struct parley_tcp_info *info = &conn->info;

	if (info->has_timestamps)
		fprintf(out, " ts");
	if (info->has_sack)
		fprintf(out, " sack");
	if (*conn->congestion)
		fprintf(out, " %s", conn->congestion);
	if (!conn->has_info)
		return;
	if (info->has_wscale)
		fprintf(out, " wscale:%u,%u", info->snd_wscale, info->rcv_wscale);
	print_times(out, info);
	print_sizes(out, info);
	if (info->rtt && info->snd_mss && info->snd_cwnd)
		print_rate(out, "send", (double)info->snd_cwnd * 8e9 / (double)info->rtt,
			   view->numeric);
	print_number(out, "lastsnd", info->last_data_sent / 1000000);
	print_number(out, "lastrcv", info->last_data_recv / 1000000);
	print_number(out, "lastack", info->last_ack_recv / 1000000);
	print_counts(out, info);
}

/* ---- the RFC's variables ---- */

/* A sequence number, and how far behind the initial one it is. */
static void print_seq(FILE *out, const char *name, uint32_t value, uint32_t initial)
{
	fprintf(out, " %s:%" PRIu32 "(%+" PRId32 ")", name, value, (int32_t)(value - initial));
}

static void print_rfc(FILE *out, const struct parley_status *s)
{
	if (s->state == PARLEY_LISTEN || s->state == PARLEY_CLOSED)
		return;
	/* What is over is known by little. */
	if (s->entry == PARLEY_ENTRY_TIME_WAIT) {
		fprintf(out, "\t SND.NXT:%" PRIu32 " RCV.NXT:%" PRIu32 " RCV.WND:%" PRIu32 "\n",
			s->snd_nxt, s->rcv_nxt, s->rcv_wnd);
		return;
	}
	fprintf(out, "\t ISS:%" PRIu32, s->iss);
	print_seq(out, "SND.UNA", s->snd_una, s->iss);
	print_seq(out, "SND.NXT", s->snd_nxt, s->iss);
	fprintf(out, " SND.WND:%" PRIu32, s->snd_wnd);
	if (s->state == PARLEY_SYN_SENT) {
		fputc('\n', out);
		return;
	}
	print_seq(out, "SND.WL1", s->snd_wl1, s->irs);
	print_seq(out, "SND.WL2", s->snd_wl2, s->iss);
	print_seq(out, "SND.UP", s->snd_up, s->iss);
	fprintf(out, "\n\t IRS:%" PRIu32, s->irs);
	print_seq(out, "RCV.NXT", s->rcv_nxt, s->irs);
	fprintf(out, " RCV.WND:%" PRIu32, s->rcv_wnd);
	print_seq(out, "RCV.UP", s->rcv_up, s->irs);
	fputc('\n', out);
}

void ss_print_below(FILE *out, const struct ss_row *row, const struct ss_view *view)
{
	const struct report_conn *conn = row->conn;
	char why[WHY_MAX];

	if (view->memory || (view->info && (conn->has_info || *conn->congestion))) {
		fputc('\t', out);
		if (view->memory)
			print_memory(out, conn);
		if (view->info)
			print_info(out, conn, view);
		fputc('\n', out);
	}
	if (view->rfc)
		print_rfc(out, &conn->status);
	if (view->why && ss_why(why, row))
		fprintf(out, "\t %s\n", why);
}
