/* SPDX-License-Identifier: MIT */
#include "tool/ss_why.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "tool/words.h"
#include "wire/text.h"

#define SECOND UINT64_C(1000000000)

struct sentence {
	char *out;
	size_t used;
};

static void say(struct sentence *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct sentence *s, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(s->out + s->used, WHY_MAX - s->used, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < WHY_MAX - s->used)
		s->used += (size_t)n;
}

/* " 312 s", where it is known. */
static void say_quiet(struct sentence *s, const struct report_conn *conn)
{
	if (conn->has_info)
		say(s, " %" PRIu64 " s", conn->info.last_data_recv / SECOND);
}

static uint64_t seconds_left(const struct parley_status *status)
{
	return (status->timer_due + SECOND - 1) / SECOND;
}

static void why_listen(struct sentence *s, const struct parley_status *status)
{
	if (status->receive_queue > status->send_queue)
		say(s,
		    "the accept queue is full (%" PRIu64 " wait, backlog %" PRIu64 "): the program "
		    "calls accept() too seldom, and new connections are dropped",
		    status->receive_queue, status->send_queue);
	else if (status->receive_queue)
		say(s, "%" PRIu64 " of at most %" PRIu64 " wait for accept()",
		    status->receive_queue, status->send_queue + 1);
}

static void why_syn_sent(struct sentence *s, const struct parley_status *status)
{
	char peer[TEXT_ENDPOINT_MAX];

	text_endpoint(peer, &status->remote);
	if (status->timer != PARLEY_TIMER_RETRANSMIT)
		say(s, "the SYN to %s has not left: the next hop does not answer", peer);
	else if (status->retransmits)
		say(s,
		    "%" PRIu32 " SYNs without an answer: nobody is at %s, or SYNs or answers are "
		    "lost; the next in %" PRIu64 " s",
		    status->retransmits + 1, peer, seconds_left(status));
	else
		say(s, "the SYN is on its way to %s", peer);
}

/* Data that is not taken: by the peer, or by the program here. */
static void why_data(struct sentence *s, const struct report_conn *conn)
{
	const struct parley_status *status = &conn->status;

	if (status->timer == PARLEY_TIMER_PERSIST)
		say(s,
		    "the peer's window is closed: its program does not read; %" PRIu64
		    " bytes wait here",
		    status->send_queue);
	else if (status->timer == PARLEY_TIMER_RETRANSMIT && status->retransmits)
		say(s, "sent %" PRIu32 " times without an acknowledgement; again in %" PRIu64 " s",
		    status->retransmits + 1, seconds_left(status));
	else if (status->timer == PARLEY_TIMER_KEEPALIVE && conn->info.probes)
		say(s, "%u keep-alive probes without an answer", (unsigned)conn->info.probes);
	if (status->receive_queue)
		say(s, "%s%" PRIu64 " bytes came that the program has not read",
		    s->used ? "; " : "", status->receive_queue);
}

static void why_close_wait(struct sentence *s, const struct ss_row *row)
{
	say(s, "CLOSE-WAIT");
	say_quiet(s, row->conn);
	say(s, ": the peer has closed; this program (%s) has not called close()", row->host->name);
	if (row->conn->status.receive_queue)
		say(s, ", and has %" PRIu64 " bytes to read", row->conn->status.receive_queue);
}

static void why_fin_wait_2(struct sentence *s, const struct report_conn *conn)
{
	say(s, "FIN-WAIT-2");
	say_quiet(s, conn);
	say(s, ": closed here, and the peer knows; the peer has not closed");
	if (conn->status.timer == PARLEY_TIMER_FIN_WAIT_2)
		say(s, "; nobody reads here any more: given up in %" PRIu64 " s",
		    seconds_left(&conn->status));
}

static void why_fin(struct sentence *s, const struct parley_status *status, const char *what)
{
	say(s, "%s: %s", parley_state_name(status->state), what);
	if (status->send_queue)
		say(s, ", after %" PRIu64 " bytes that are not, either", status->send_queue);
	if (status->timer == PARLEY_TIMER_RETRANSMIT && status->retransmits)
		say(s, "; sent %" PRIu32 " times, again in %" PRIu64 " s", status->retransmits + 1,
		    seconds_left(status));
}

bool ss_why(char out[static WHY_MAX], const struct ss_row *row)
{
	const struct report_conn *conn = row->conn;
	const struct parley_status *status = &conn->status;
	struct sentence s = {.out = out};

	*out = 0;
	switch (status->state) {
	case PARLEY_CLOSED:
		if (status->error)
			say(&s, "ended by %s, and the program has not closed it",
			    parley_error_name(status->error));
		break;
	case PARLEY_LISTEN:
		why_listen(&s, status);
		break;
	case PARLEY_SYN_SENT:
		why_syn_sent(&s, status);
		break;
	case PARLEY_SYN_RECEIVED:
		if (status->retransmits)
			say(&s,
			    "%" PRIu32 " SYN,ACKs without an answer: they are lost, or the SYN "
			    "came from a forged address",
			    status->retransmits + 1);
		else
			say(&s, "the third segment of the handshake is awaited");
		break;
	case PARLEY_ESTABLISHED:
		why_data(&s, conn);
		break;
	case PARLEY_FIN_WAIT_1:
		why_fin(&s, status, "closed here; the FIN is not acknowledged yet");
		break;
	case PARLEY_FIN_WAIT_2:
		why_fin_wait_2(&s, conn);
		break;
	case PARLEY_CLOSE_WAIT:
		why_close_wait(&s, row);
		break;
	case PARLEY_CLOSING:
		why_fin(&s, status, "both closed at once; our FIN is not acknowledged yet");
		break;
	case PARLEY_LAST_ACK:
		why_fin(&s, status, "both have closed; our FIN is not acknowledged yet");
		break;
	case PARLEY_TIME_WAIT:
		say(&s, "both have closed, this end first: 2 MSL, of which %" PRIu64 " s are left",
		    seconds_left(status));
		break;
	}
	return s.used > 0;
}

/* From how many on it is a pile, and what that means. */
static const struct {
	size_t many;
	const char *meaning;
} piles[PARLEY_STATES] = {
	[PARLEY_SYN_SENT] = {3, "connections are tried that nobody answers: a wrong address, a "
				"host that is down, or a filter that drops SYNs in silence."},
	[PARLEY_SYN_RECEIVED] = {10, "handshakes without their third segment: a slow or lossy "
				     "network, or a SYN flood from forged addresses."},
	[PARLEY_FIN_WAIT_1] = {10, "closed here, and no acknowledgement of the FIN: the peers are "
				   "gone, or their windows are closed. Each ends when its "
				   "retransmissions are given up."},
	[PARLEY_FIN_WAIT_2] = {10, "closed here, and the peers do not close: they leak "
				   "descriptors (CLOSE-WAIT over there), or still have "
				   "something to send. Those that nobody here reads end by "
				   "'fin-wait-2'."},
	[PARLEY_CLOSE_WAIT] = {3, "the peers have closed and a program here has not: it leaks "
				  "descriptors. No timer ends this; only close() does, or the "
				  "end of the program. -p shows which program."},
	[PARLEY_LAST_ACK] = {10, "closed by both, and the last FIN is not acknowledged: the peers "
				 "are gone. Each ends when its retransmissions are given up."},
	[PARLEY_TIME_WAIT] = {100, "normal for the end that closes first, and each costs less "
				   "than 64 bytes. A client can run out of ports this way (28,232 "
				   "to one address by default); then keep connections open and use "
				   "them again, or let the other end close first. Do not shorten "
				   "it: it keeps old segments out of new connections."},
};

void ss_why_piles(const size_t counts[static PARLEY_STATES], int width)
{
	for (int i = 0; i < PARLEY_STATES; i++) {
		int at;

		if (!piles[i].meaning || counts[i] < piles[i].many)
			continue;
		at = printf("%zu in %s:", counts[i], ss_state_name((enum parley_state)i));
		at += printf(" ");
		words_fill(piles[i].meaning, at, 4, width);
	}
}
