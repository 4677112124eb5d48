/* SPDX-License-Identifier: MIT */
/* %{ }% in a script: the names of struct tcp_info, of symbols, and of what was assigned before. */
#include <stdlib.h>
#include <string.h>

#include "drill/code.h"
#include "drill/run.h"
#include "drill/symbol.h"

#define VARIABLE_MAX 64

struct variable {
	struct variable *next;
	char name[VARIABLE_MAX];
	struct drill_number value;
};

/* All that the code of a script leaves behind, and what it looks at now. */
struct drill_code {
	struct variable *variables;
	struct sock_tcp_info info;
	bool has_info;
};

#define FIELD(name)                                             \
	{                                                       \
#name, offsetof(struct sock_tcp_info, name),    \
			sizeof((struct sock_tcp_info *)0)->name \
	}

/* clang-format off */
static const struct {
	const char *name;
	size_t offset, size;
} fields[] = {
	FIELD(state), FIELD(ca_state), FIELD(retransmits), FIELD(probes), FIELD(backoff),
	FIELD(options), FIELD(rto), FIELD(ato), FIELD(snd_mss), FIELD(rcv_mss), FIELD(unacked),
	FIELD(sacked), FIELD(lost), FIELD(retrans), FIELD(fackets), FIELD(last_data_sent),
	FIELD(last_ack_sent), FIELD(last_data_recv), FIELD(last_ack_recv), FIELD(pmtu),
	FIELD(rcv_ssthresh), FIELD(rtt), FIELD(rttvar), FIELD(snd_ssthresh), FIELD(snd_cwnd),
	FIELD(advmss), FIELD(reordering), FIELD(rcv_rtt), FIELD(rcv_space), FIELD(total_retrans),
	FIELD(pacing_rate), FIELD(max_pacing_rate), FIELD(bytes_acked), FIELD(bytes_received),
	FIELD(segs_out), FIELD(segs_in), FIELD(notsent_bytes), FIELD(min_rtt), FIELD(data_segs_in),
	FIELD(data_segs_out), FIELD(delivery_rate), FIELD(busy_time), FIELD(rwnd_limited),
	FIELD(sndbuf_limited), FIELD(delivered), FIELD(delivered_ce), FIELD(bytes_sent),
	FIELD(bytes_retrans), FIELD(dsack_dups), FIELD(reord_seen), FIELD(rcv_ooopack),
	FIELD(snd_wnd),
};
/* clang-format on */

/* Those of them that are 0, since nobody counts them. */
static const char *const uncounted[] = {
	"tcpi_fackets",	     "tcpi_pacing_rate",    "tcpi_delivery_rate", "tcpi_busy_time",
	"tcpi_rwnd_limited", "tcpi_sndbuf_limited", "tcpi_delivered",	  "tcpi_dsack_dups",
	"tcpi_reord_seen",   "tcpi_rcv_ooopack",
};

/* The first of them in the code of a script, or NULL. */
static const char *find_uncounted(const char *code)
{
	for (size_t i = 0; i < sizeof uncounted / sizeof *uncounted; i++)
		if (strstr(code, uncounted[i]))
			return uncounted[i];
	return NULL;
}

static int64_t field_value(const struct sock_tcp_info *info, size_t offset, size_t size)
{
	const uint8_t *at = (const uint8_t *)info + offset;
	uint64_t value = 0;

	/* Numbers of 1, 4 and 8 bytes, in the machine's order. */
	if (size == 1) {
		value = *at;
	} else if (size == 4) {
		uint32_t narrow;

		memcpy(&narrow, at, sizeof narrow);
		value = narrow;
	} else {
		memcpy(&value, at, sizeof value);
	}
	return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

/* "tcpi_rto" */
static bool info_field(const struct sock_tcp_info *info, const char *name, int64_t *value)
{
	if (!strcmp(name, "snd_wscale") || !strcmp(name, "rcv_wscale")) {
		*value = name[0] == 's' ? info->wscale & 15 : info->wscale >> 4;
		return true;
	}
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (strcmp(fields[i].name, name))
			continue;
		*value = field_value(info, fields[i].offset, fields[i].size);
		return true;
	}
	return false;
}

static bool look_up(void *context, const char *name, struct drill_number *value)
{
	struct drill_code *code = context;
	bool found;

	for (const struct variable *v = code->variables; v; v = v->next) {
		if (strcmp(v->name, name))
			continue;
		*value = v->value;
		return true;
	}
	*value = (struct drill_number){0};
	found = code->has_info && !strncmp(name, "tcpi_", 5) &&
		info_field(&code->info, name + 5, &value->whole);
	return found || drill_symbol(name, &value->whole);
}

static void assign(void *context, const char *name, const struct drill_number *value)
{
	struct drill_code *code = context;
	struct variable *v = code->variables;

	while (v && strcmp(v->name, name))
		v = v->next;
	if (!v) {
		v = calloc(1, sizeof *v);
		if (!v)
			abort();
		v->next = code->variables;
		code->variables = v;
		strncpy(v->name, name, sizeof v->name - 1);
	}
	v->value = *value;
}

/* The socket that the script speaks of: the last one with a connection of the current flow. */
static const struct drill_fd *find_socket(const struct drill_run *run)
{
	const struct drill_fd *any = NULL;

	for (const struct drill_fd *fd = run->fds; fd; fd = fd->next) {
		if (fd->epoll)
			continue;
		if (fd->flow == run->current)
			return fd;
		if (!any)
			any = fd;
	}
	return any;
}

static void read_info(struct drill_run *run, struct drill_code *code)
{
	const struct drill_fd *fd = find_socket(run);
	size_t len = sizeof code->info;

	code->has_info = fd && sock_getsockopt(run->stack.layer, fd->live, SOCK_IPPROTO_TCP,
					       SOCK_TCP_INFO, &code->info, &len) == 0;
}

bool drill_code_run(struct drill_run *run, const struct drill_event *event)
{
	struct drill_names names = {.look_up = look_up, .assign = assign};
	/* The text begins behind "%{". */
	struct drill_place at = {event->text_at.line, event->text_at.column + 2};
	struct drill_error error;
	enum drill_code_result result;
	const char *missing;

	if (!run->code)
		run->code = calloc(1, sizeof *run->code);
	if (!run->code)
		abort();
	names.context = run->code;
	read_info(run, run->code);
	result = drill_code_eval(event->text, at, &names, &error);
	drill_verdict_log(run->verdict, drill_now(run),
			  result == DRILL_CODE_FINE ? "%{ ... }%" : "%{ ... }% failed");
	if (result == DRILL_CODE_FINE)
		return true;
	if (result == DRILL_CODE_ERROR)
		return drill_verdict_fail(run->verdict, error.at, "the code is not understood: %s",
					  error.text);
	missing = find_uncounted(event->text);
	return drill_verdict_fail(run->verdict, error.at, "%s%s%s", error.text,
				  missing ? "; the stack does not count " : "",
				  missing ? missing : "");
}

void drill_code_free(struct drill_run *run)
{
	if (!run->code)
		return;
	while (run->code->variables) {
		struct variable *next = run->code->variables->next;

		free(run->code->variables);
		run->code->variables = next;
	}
	free(run->code);
	run->code = NULL;
}
