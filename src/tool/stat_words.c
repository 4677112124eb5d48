/* SPDX-License-Identifier: MIT */
#include "tool/stat_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool/words.h"

enum section { SECTION_IP, SECTION_ICMP, SECTION_TCP, SECTION_TCP_EXT, SECTIONS };

static const char *const section_names[SECTIONS] = {"Ip", "Icmp", "Tcp", "TcpExt"};

#define ENDS -1

#define COUNTER(name) PARLEY_COUNTER_##name
#define DROP(name)    (PARLEY_COUNTER_COUNT + PARLEY_DROP_##name)

/* A row: the sum of counters and drops, ended by ENDS, and what netstat calls it. */
static const struct row {
	enum section section;
	bool always; /* also when it is 0 */
	int of[10];
	const char *words; /* behind the number */
} rows[] = {
	/* clang-format off */
	{SECTION_IP, true, {COUNTER(FRAMES_IN), ENDS}, "total packets received"},
	{SECTION_IP, false, {DROP(TRUNCATED), DROP(IP_HEADER), DROP(IP_CHECKSUM), ENDS},
	 "with invalid headers"},
	{SECTION_IP, false, {DROP(NOT_OURS), DROP(IP_SOURCE), ENDS}, "with invalid addresses"},
	{SECTION_IP, false, {DROP(UNKNOWN_PROTOCOL), ENDS}, "with unknown protocol"},
	{SECTION_IP, true, {DROP(IP_FRAGMENT), DROP(IP_SOURCE_ROUTE), DROP(ARP_MALFORMED), ENDS},
	 "incoming packets discarded"},
	{SECTION_IP, true, {COUNTER(FRAMES_OUT), ENDS}, "requests sent out"},
	{SECTION_IP, false, {DROP(NEIGHBOUR_FAILED), DROP(REPLY_RING_FULL), ENDS},
	 "outgoing packets dropped"},
	{SECTION_IP, false, {DROP(NO_ROUTE), ENDS}, "dropped because of missing route"},
	{SECTION_ICMP, true, {DROP(ICMP_MALFORMED), ENDS}, "input ICMP message failed"},
	{SECTION_ICMP, false, {DROP(ICMP_IGNORED), ENDS}, "ICMP messages that ask for nothing"},
	{SECTION_ICMP, true, {COUNTER(ECHO_REPLIES), ENDS}, "echo replies sent"},
	{SECTION_TCP, true, {COUNTER(ACTIVE_OPENS), ENDS}, "active connection openings"},
	{SECTION_TCP, true, {COUNTER(PASSIVE_OPENS), ENDS}, "passive connection openings"},
	{SECTION_TCP, true, {COUNTER(ATTEMPT_FAILS), ENDS}, "failed connection attempts"},
	{SECTION_TCP, true, {COUNTER(ESTAB_RESETS), ENDS}, "connection resets received"},
	{SECTION_TCP, true, {COUNTER(CURR_ESTAB), ENDS}, "connections established"},
	{SECTION_TCP, true, {COUNTER(IN_SEGS), ENDS}, "segments received"},
	{SECTION_TCP, true, {COUNTER(OUT_SEGS), ENDS}, "segments sent out"},
	{SECTION_TCP, true, {COUNTER(RETRANS_SEGS), ENDS}, "segments retransmitted"},
	{SECTION_TCP, true, {COUNTER(IN_ERRS), ENDS}, "bad segments received"},
	{SECTION_TCP, true, {COUNTER(OUT_RSTS), ENDS}, "resets sent"},
	{SECTION_TCP_EXT, false, {COUNTER(TIME_WAITS), ENDS}, "TCP sockets began time wait"},
	{SECTION_TCP_EXT, false, {COUNTER(TIME_WAIT_RECYCLED), ENDS},
	 "time wait sockets recycled by a newer SYN"},
	{SECTION_TCP_EXT, false, {COUNTER(DELAYED_ACKS), ENDS}, "delayed acks sent"},
	{SECTION_TCP_EXT, false, {COUNTER(LISTEN_OVERFLOWS), ENDS},
	 "times the listen queue of a socket overflowed"},
	{SECTION_TCP_EXT, false, {COUNTER(LISTEN_DROPS), ENDS}, "SYNs to LISTEN sockets dropped"},
	{SECTION_TCP_EXT, false, {COUNTER(RENO_RECOVERY), ENDS},
	 "times recovered from packet loss due to fast retransmit"},
	{SECTION_TCP_EXT, false, {COUNTER(FAST_RETRANS), ENDS}, "fast retransmits"},
	{SECTION_TCP_EXT, false, {COUNTER(ABORT_ON_DATA), ENDS},
	 "connections reset due to unexpected data"},
	{SECTION_TCP_EXT, false, {COUNTER(ABORT_ON_CLOSE), ENDS},
	 "connections reset due to early user close"},
	{SECTION_TCP_EXT, false, {COUNTER(ABORT_ON_MEMORY), ENDS},
	 "connections aborted due to memory pressure"},
	{SECTION_TCP_EXT, false, {COUNTER(ABORT_ON_TIMEOUT), ENDS},
	 "connections aborted due to timeout"},
	/* clang-format on */
};

#define ROWS (sizeof rows / sizeof *rows)

static uint64_t value(const struct host_report *host, int of)
{
	return of < PARLEY_COUNTER_COUNT ? host->counters[of]
					 : host->drops[of - PARLEY_COUNTER_COUNT];
}

static bool has_words(int counter)
{
	for (size_t i = 0; i < ROWS; i++)
		for (const int *of = rows[i].of; *of != ENDS; of++)
			if (*of == counter)
				return true;
	return false;
}

static void print_row(const struct row *row, const struct host_report *host, bool zeros)
{
	uint64_t sum = 0;

	for (const int *of = row->of; *of != ENDS; of++)
		sum += value(host, *of);
	if (sum || row->always || zeros)
		printf("    %" PRIu64 " %s\n", sum, row->words);
}

void stat_sections(const struct host_report *host, bool zeros)
{
	for (int section = 0; section < SECTIONS; section++) {
		printf("%s:\n", section_names[section]);
		for (size_t i = 0; i < ROWS; i++) {
			if ((int)rows[i].section == section)
				print_row(&rows[i], host, zeros);
		}
	}
	for (int i = 0; i < PARLEY_COUNTER_COUNT; i++) {
		if ((host->counters[i] || zeros) && !has_words(i))
			printf("    %s: %" PRIu64 "\n", parley_counter_name(i), host->counters[i]);
	}
}

/* ---- drops ---- */

static const char *const meanings[] = {
#define PARLEY_X(name, text, meaning) [PARLEY_DROP_##name] = meaning,
	PARLEY_DROPS(PARLEY_X)
#undef PARLEY_X
};

struct reason {
	int drop;
	uint64_t n;
};

static int by_number(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return (x->drop > y->drop) - (x->drop < y->drop);
}

void stat_drops(const struct host_report *host, bool zeros)
{
	struct reason reasons[PARLEY_DROP_COUNT];
	int n = 0;

	for (int i = 0; i < PARLEY_DROP_COUNT; i++) {
		if (host->drops[i] || zeros)
			reasons[n++] = (struct reason){i, host->drops[i]};
	}
	qsort(reasons, (size_t)n, sizeof *reasons, by_number);
	printf("Drops:\n");
	for (int i = 0; i < n; i++)
		words_fill(meanings[reasons[i].drop],
			   printf("    %" PRIu64 " %s: ", reasons[i].n,
				  parley_drop_name(reasons[i].drop)),
			   8, 80);
}

/* ---- hints ---- */

/* What it means that a counter or a drop reason is not 0, and what to do. */
static const struct {
	int of;
	const char *meaning;
} hints[] = {
	{COUNTER(MUST_FAILED),
	 "something that cannot be in Parley was, and the connection was reset. Please report it."},
	{COUNTER(LISTEN_OVERFLOWS),
	 "the accept queue was full: the program did not call accept() in time. 'parley ss -l' "
	 "shows the queue (Recv-Q) and the backlog (Send-Q); the peer tries again, which it takes "
	 "for a slow connection."},
	{COUNTER(REQ_Q_FULL_DROP),
	 "the SYN queue was full: more handshakes at once than 'syn-backlog', or a SYN flood."},
	{COUNTER(ATTEMPT_FAILS),
	 "handshakes were refused (nobody listened there), or never answered."},
	{COUNTER(ABORT_ON_TIMEOUT),
	 "connections were given up: the peer did not answer any more. Their users got ETIMEDOUT."},
	{COUNTER(ABORT_ON_CLOSE),
	 "the program called close() with bytes unread: the peer got a RST, and may lose data that "
	 "it had not read."},
	{COUNTER(ABORT_ON_DATA),
	 "the peer went on sending to a program that had closed, and got a RST."},
	{COUNTER(ABORT_ON_MEMORY),
	 "memory was short. 'memory' in --json says how much the host uses."},
	{DROP(MEMORY), "no memory for a connection: the peer tries again."},
	{DROP(RECEIVE_MEMORY), "no memory for what arrived: the peer sends it again."},
	{COUNTER(RENEGING),
	 "out-of-order bytes were given up for want of memory; the peer sends them again."},
	{COUNTER(TIME_WAIT_OVERFLOW),
	 "more connections in TIME-WAIT than 'time-wait-limit': the oldest ended early, without "
	 "protection from old duplicates."},
	{DROP(TCP_CHECKSUM), "segments were damaged on the way; the peer sends them again."},
	{DROP(IP_CHECKSUM), "packets were damaged on the way."},
	{DROP(NEIGHBOUR_FAILED),
	 "the next hop did not answer ARP or neighbour discovery: is the address right, and is the "
	 "host there?"},
	{DROP(NO_ROUTE), "no route: --gateway is missing, or the address is wrong."},
	{DROP(NO_CONNECTION),
	 "segments for which there was no connection and no listener were answered by a RST."},
	{DROP(CHALLENGE_LIMIT),
	 "many segments that do not fit their connections: an attack, or a peer that has lost its "
	 "state."},
	{COUNTER(WINDOW_PROBES), "peers closed their window: the programs there do not read."},
};

static void hint(const char *name, uint64_t n, const char *meaning, bool *said, int width)
{
	int at;

	if (!*said)
		printf("Hints:\n");
	*said = true;
	at = printf("    %s %" PRIu64 ": ", name, n);
	words_fill(meaning, at, 8, width);
}

void stat_hints(const struct host_report *host, int width)
{
	uint64_t sent = host->counters[COUNTER(OUT_SEGS)];
	uint64_t again = host->counters[COUNTER(RETRANS_SEGS)];
	bool said = false;
	char text[160];

	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
		int of = hints[i].of;
		uint64_t n = value(host, of);

		if (n)
			hint(of < PARLEY_COUNTER_COUNT
				     ? parley_counter_name(of)
				     : parley_drop_name(of - PARLEY_COUNTER_COUNT),
			     n, hints[i].meaning, &said, width);
	}
	/* Under one in a hundred is what networks are like. */
	if (again * 100 <= sent)
		return;
	snprintf(text, sizeof text,
		 "for %" PRIu64 ".%" PRIu64
		 " %% of the segments: loss on the way, or peers that do "
		 "not answer.",
		 again * 100 / (sent + again), again * 1000 / (sent + again) % 10);
	hint("RetransSegs", again, text, &said, width);
}
