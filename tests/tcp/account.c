/* SPDX-License-Identifier: MIT */
#include "account.h"

#include "wire/ip.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void write_line(struct account *account, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* To the line begun last. */
static void write_line(struct account *account, const char *format, ...)
{
	char *line = account->lines[account->count];
	size_t used = strlen(line);
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line + used, ACCOUNT_LINE - used, format, args);
	va_end(args);
	assert_true(n >= 0 && used + (size_t)n < ACCOUNT_LINE);
}

static void end_line(struct account *account)
{
	account->count++;
	assert_true(account->count < ACCOUNT_LINES);
}

/* Milliseconds, with as many decimals as it takes. */
static void write_ms(struct account *account, uint64_t ns)
{
	char text[32];
	size_t n = (size_t)snprintf(text, sizeof text, "%" PRIu64 ".%06u", ns / MS(1),
				    (unsigned)(ns % MS(1)));

	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	write_line(account, "%.*s", (int)n, text);
}

static char letter_of(struct account *account, parley_conn conn)
{
	if (conn == PARLEY_NO_CONN)
		return '-';
	for (int i = 0; i < account->known; i++)
		if (account->handles[i] == conn)
			return (char)('a' + i);
	assert_true(account->known < ACCOUNT_HANDLES);
	account->handles[account->known++] = conn;
	return (char)('a' + account->known - 1);
}

static bool is_nothing(const struct parley_endpoint *end)
{
	return ip_is_unspecified(&end->addr) && !end->port;
}

static char ends_of(const struct peer *p, const struct parley_trace_event *event)
{
	bool local = ip_equal(&event->local.addr, &p->tuple.local) &&
		     event->local.port == p->tuple.local_port;
	bool remote = ip_equal(&event->remote.addr, &p->tuple.remote) &&
		      event->remote.port == p->tuple.remote_port;

	if (local)
		return remote ? 't' : is_nothing(&event->remote) ? 'l' : '?';
	return is_nothing(&event->local) && is_nothing(&event->remote) ? '-' : '?';
}

/* Of what goes out SEG.SEQ is the TCP's and SEG.ACK the peer's; elsewhere it is the other way. */
static void write_seq(struct account *account, const struct parley_trace_event *event, int i)
{
	const struct peer *p = account->peer;
	bool is_ack = i == (event->kind == PARLEY_TRACE_DROP ? 3 : 2);
	bool ours = (event->kind == PARLEY_TRACE_SEGMENT_OUT || event->kind == PARLEY_TRACE_ICMP) !=
		    is_ack;
	int64_t flags = event->value[event->kind == PARLEY_TRACE_DROP ? 1 : 0];

	if (is_ack && event->kind != PARLEY_TRACE_ICMP && !(flags & TCP_ACK))
		write_line(account, "%" PRId64, event->value[i]);
	else if (event->value[i] == 0) /* of a RST that answers what has no ACK */
		write_line(account, "absolute 0");
	else
		write_line(account, "%u", (uint32_t)event->value[i] - (ours ? p->iss.v : p->irs.v));
}

/* What a segment mostly has not is left out: "up 0", "mss 0", "wscale -1". */
static bool is_usual(const struct parley_field *field, int64_t value)
{
	return (!strcmp(field->name, "wscale") && value == -1) ||
	       ((!strcmp(field->name, "up") || !strcmp(field->name, "mss")) && value == 0);
}

static void write_field(struct account *account, const struct parley_trace_event *event, int i)
{
	const struct parley_field *field = &parley_event_fields((int)event->kind)[i];
	int64_t value = event->value[i];

	if (is_usual(field, value))
		return;
	write_line(account, " ");
	switch (field->type) {
	case PARLEY_FIELD_NUMBER:
		write_line(account, "%s %" PRId64, field->name, value);
		break;
	case PARLEY_FIELD_SEQ:
		write_line(account, "%s ", field->name);
		write_seq(account, event, i);
		break;
	case PARLEY_FIELD_NS:
		write_line(account, "%s ", field->name);
		write_ms(account, (uint64_t)value);
		break;
	case PARLEY_FIELD_FLAGS:
		write_line(account, "%s", peer_flags_text((uint16_t)value));
		break;
	case PARLEY_FIELD_STATE:
		write_line(account, "%s", parley_state_name((int)value));
		break;
	case PARLEY_FIELD_DROP:
		write_line(account, "%s", parley_drop_name((int)value));
		break;
	case PARLEY_FIELD_TIMER:
		write_line(account, "%s", parley_timer_name((int)value));
		break;
	case PARLEY_FIELD_WHY:
		write_line(account, "%s", parley_why_name((int)value));
		break;
	case PARLEY_FIELD_CAUSE:
		write_line(account, "%s", parley_cause_name((int)value));
		break;
	case PARLEY_FIELD_CALL:
		write_line(account, "%s", parley_call_name((int)value));
		break;
	case PARLEY_FIELD_ERROR:
		write_line(account, "%s", parley_error_name((int)value));
		break;
	}
}

static void tell(void *context, const struct parley_trace_event *event)
{
	struct account *account = context;
	const struct parley_field *fields = parley_event_fields((int)event->kind);

	assert_int_equal(event->now, account->peer->tcp.now);
	write_ms(account, event->now - account->began);
	write_line(account, " %c%d%c %s", letter_of(account, event->conn), event->ifindex,
		   ends_of(account->peer, event), parley_event_name((int)event->kind));
	for (int i = 0; i < PARLEY_TRACE_FIELDS; i++) {
		if (!fields->name) {
			assert_int_equal(event->value[i], 0);
			continue;
		}
		write_field(account, event, i);
		fields++;
	}
	end_line(account);
}

void account_begin(struct account *account, struct peer *peer)
{
	memset(account, 0, sizeof *account);
	account->peer = peer;
	memset(peer->tcp.counters, 0, sizeof peer->tcp.counters);
	memset(peer->tcp.drops, 0, sizeof peer->tcp.drops);
	account->began = peer->tcp.now;
	peer->also = tell;
	peer->also_context = account;
}

static void write_counters(struct account *account)
{
	const struct tcp *tcp = &account->peer->tcp;

	for (int i = 0; i < PARLEY_COUNTER_COUNT; i++)
		if (tcp->counters[i]) {
			write_line(account, "%s %" PRId64, parley_counter_name(i),
				   (int64_t)tcp->counters[i]);
			end_line(account);
		}
	for (int i = 0; i < PARLEY_DROP_COUNT; i++)
		if (tcp->drops[i]) {
			write_line(account, "dropped %s %" PRIu64, parley_drop_name(i),
				   tcp->drops[i]);
			end_line(account);
		}
}

void account_compare(struct account *account, const char *const *lines, int n, const char *file,
		     int line)
{
	bool same = true;

	write_counters(account);
	account->peer->also = NULL;
	for (int i = 0; i < n || i < account->count; i++) {
		const char *told = i < account->count ? account->lines[i] : NULL;
		const char *wanted = i < n ? lines[i] : NULL;

		if (told && wanted && !strcmp(told, wanted))
			continue;
		same = false;
		if (wanted)
			print_error("- %s\n", wanted);
		if (told)
			print_error("+ %s\n", told);
	}
	if (!same) {
		print_error("%s: - was expected, + was told\n", account->peer->where);
		_fail(file, line);
	}
}

void account_open(struct account *account, struct peer *peer)
{
	peer_init(peer);
	account_begin(account, peer);
}

void account_open_in(struct account *account, struct peer *peer, enum peer_how how,
		     enum parley_state state)
{
	peer_init(peer);
	peer_reach(peer, how, state);
	account_begin(account, peer);
}

void account_release(struct peer *peer)
{
	assert_int_equal(user_release(&peer->tcp, peer->conn), 0);
	peer_step(peer);
}

void account_end(struct peer *peer)
{
	peer_forget(peer);
	peer_done(peer);
}
