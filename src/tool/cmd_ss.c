/* SPDX-License-Identifier: MIT */
/* `parley ss`: the connections of all hosts that run, as ss(8) would show them. See docs/ss.md. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool/commands.h"
#include "tool/hosts.h"
#include "tool/hosts_json.h"
#include "tool/ss_filter.h"
#include "tool/ss_table.h"
#include "tool/ss_why.h"
#include "tool/words.h"
#include "wire/ip.h"

struct line {
	bool tcp, all, listening, v4, v6, summary, no_header, json;
	struct ss_view view;
	struct option_list hosts;
};

#define PLACE(member) offsetof(struct line, member), 0, 0
#define VIEW(member)  offsetof(struct line, view.member), 0, 0

/* clang-format off */
static const struct option options[] = {
	{"tcp", 't', NULL, OPTION_FLAG, PLACE(tcp), "connections of TCP: there are no others"},
	{"all", 'a', NULL, OPTION_FLAG, PLACE(all),
	 "also listeners, half-open connections and TIME-WAIT"},
	{"listening", 'l', NULL, OPTION_FLAG, PLACE(listening), "listeners alone"},
	{"numeric", 'n', NULL, OPTION_FLAG, VIEW(numeric), "ports and rates as plain numbers"},
	{"options", 'o', NULL, OPTION_FLAG, VIEW(timer),
	 "timer:(NAME,EXPIRES,RETRANSMISSIONS), when one runs"},
	{"extended", 'e', NULL, OPTION_FLAG, VIEW(extended),
	 "also user, inode, handle, and the process that is the host"},
	{"memory", 'm', NULL, OPTION_FLAG, VIEW(memory), "skmem:(...): buffers and their limits"},
	{"processes", 'p', NULL, OPTION_FLAG, VIEW(processes), "which processes have it open"},
	{"info", 'i', NULL, OPTION_FLAG, VIEW(info),
	 "what TCP knows of the way: rto, rtt, cwnd ..."},
	{"summary", 's', NULL, OPTION_FLAG, PLACE(summary), "only how many there are, by state"},
	{"ipv4", '4', NULL, OPTION_FLAG, PLACE(v4), "IPv4 alone"},
	{"ipv6", '6', NULL, OPTION_FLAG, PLACE(v6), "IPv6 alone"},
	{"no-header", 'H', NULL, OPTION_FLAG, PLACE(no_header), "without the line of headers"},
	{"rfc", 0, NULL, OPTION_FLAG, VIEW(rfc),
	 "the variables of RFC 9293 3.3.1, each with its distance from the initial number"},
	{"why", 0, NULL, OPTION_FLAG, VIEW(why),
	 "say what it means when a connection stays as it is, and when many do"},
	{"host", 0, "PID", OPTION_LIST, PLACE(hosts),
	 "only the host of this 'parley run' or its program; may be given again"},
	{"json", 0, NULL, OPTION_FLAG, PLACE(json), "all that is known, as JSON"},
	{0},
};
/* clang-format on */

static void more_help(void)
{
	printf("\nFilter: [ state STATE | exclude STATE ]... [ EXPRESSION ]\n");
	words_fill("STATE is all, connected, synchronized, bucket, big, or one of established, "
		   "syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, closed, close-wait, "
		   "last-ack, listening, closing.",
		   0, 2, 80);
	words_fill("EXPRESSION compares src and dst with [ADDRESS[/BITS]][:PORT], sport and dport "
		   "with :PORT (=, !=, <, >, <=, >=), and joins with and, or, not, ( and ), such "
		   "as: state established '( dport = :80 or dst 10.0.0.0/24 )'",
		   0, 2, 80);
}

/* Columns of the terminal; 0: there is none. */
static int terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

static bool is_of_family(const struct line *line, const struct parley_status *status)
{
	bool v4 = ip_is_v4(&status->local.addr);

	return line->v4 == line->v6 || (v4 ? line->v4 : line->v6);
}

/* The connections that are to be shown: listeners first, as in ss. Returns NULL without memory. */
static struct ss_row *select_rows(const struct hosts *hosts, const struct line *line,
				  const struct ss_filter *filter, size_t *n)
{
	size_t room = 1;
	struct ss_row *rows;

	for (size_t i = 0; i < hosts->count; i++)
		room += hosts->host[i].count;
	rows = calloc(room, sizeof *rows);
	*n = 0;
	for (int listeners = 1; rows && listeners >= 0; listeners--) {
		for (size_t i = 0; i < hosts->count; i++) {
			const struct host_report *host = &hosts->host[i];

			for (size_t k = 0; k < host->count; k++) {
				const struct parley_status *status = &host->conns[k].status;

				if ((status->state == PARLEY_LISTEN) == listeners &&
				    is_of_family(line, status) && ss_filter_match(filter, status))
					rows[(*n)++] = (struct ss_row){host, &host->conns[k]};
			}
		}
	}
	return rows;
}

/* ---- -s ---- */

struct sums {
	size_t all, v4, orphaned;
	size_t states[PARLEY_STATES];
};

static void count(struct sums *sums, const struct ss_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct parley_status *status = &rows[i].conn->status;
		bool closing = status->state == PARLEY_FIN_WAIT_1 ||
			       status->state == PARLEY_FIN_WAIT_2 ||
			       status->state == PARLEY_CLOSING || status->state == PARLEY_LAST_ACK;

		sums->all++;
		sums->v4 += ip_is_v4(&status->local.addr);
		sums->orphaned += closing && !status->owned;
		sums->states[status->state]++;
	}
}

static void print_summary(const struct hosts *hosts, const struct sums *sums)
{
	size_t ended = sums->states[PARLEY_TIME_WAIT];

	printf("Hosts: %zu\nTotal: %zu\n", hosts->count, sums->all);
	printf("TCP:   %zu (estab %zu, closed %zu, orphaned %zu, timewait %zu)\n\n", sums->all,
	       sums->states[PARLEY_ESTABLISHED], sums->states[PARLEY_CLOSED] + ended,
	       sums->orphaned, ended);
	printf("Transport Total     IP        IPv6\n");
	printf("TCP\t  %-9zu %-9zu %zu\n\n", sums->all, sums->v4, sums->all - sums->v4);
	printf("State      Total\n");
	for (int i = 0; i < PARLEY_STATES; i++) {
		if (sums->states[i])
			printf("%-10s %zu\n", ss_state_name((enum parley_state)i), sums->states[i]);
	}
}

/* ---- */

static bool is_one_state(unsigned states)
{
	return !(states & (states - 1));
}

static void print_rows(const struct hosts *hosts, struct line *line, const struct ss_filter *filter,
		       const struct ss_row *rows, size_t n)
{
	struct sums sums = {0};
	struct users users = {0};
	int width = terminal_width();

	count(&sums, rows, n);
	if (line->view.processes || line->json)
		users_read(&users);
	line->view.users = &users;
	line->view.state = !is_one_state(filter->states);
	if (line->json)
		hosts_json_conns(stdout, rows, n, &users);
	else if (line->summary)
		print_summary(hosts, &sums);
	else
		ss_table(stdout, width, !line->no_header, &line->view, rows, n);
	if (line->view.why && !line->json)
		ss_why_piles(sums.states, width ? width : 80);
	users_free(&users);
}

static unsigned default_states(const struct line *line)
{
	if (line->all || line->summary)
		return SS_ALL;
	return line->listening ? SS_LISTENING : SS_OPEN;
}

static int run(int argc, char **argv)
{
	struct line line = {0};
	struct ss_filter filter = {.root = -1};
	struct ss_row *rows;
	struct hosts hosts;
	char why[256];
	size_t n;
	int words;
	int status = option_parse(&command_ss, argc, argv, &line, &words);

	if (status != OPTION_GO_ON)
		return status;
	filter.states = default_states(&line);
	if (!ss_filter_read(&filter, argv, words, why, sizeof why))
		return option_refuse(&command_ss, "%s", why);
	status = hosts_read(&hosts, &command_ss, &line.hosts);
	if (status == EXIT_OK) {
		rows = select_rows(&hosts, &line, &filter, &n);
		if (rows)
			print_rows(&hosts, &line, &filter, rows, n);
		else
			status = option_fail(&command_ss, "out of memory");
		free(rows);
	}
	hosts_free(&hosts);
	return status;
}

const struct command command_ss = {
	.name = "ss",
	.operands = "[FILTER]",
	.summary = "the connections of all hosts that run, as ss shows the kernel's",
	.about =
		"Shows the connections of every 'parley run' of this user, in the columns and "
		"words of ss(8), with its options and filters. Without -a or -l, or a state in the "
		"filter: those that are open.",
	.options = options,
	.operands_min = 0,
	.operands_max = -1,
	.more_help = more_help,
	.run = run,
};
