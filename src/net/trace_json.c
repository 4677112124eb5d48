/* SPDX-License-Identifier: MIT */
/* Trace events as JSON objects (RFC 8259). No name in our tables needs an escape. */
#include "base/mem.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/text.h"

#include <parley/trace.h>

/* Text that is being written; `full` once something did not fit. */
struct text {
	char *at, *end;
	bool full;
};

static void put(struct text *text, const char *s)
{
	for (; *s; s++) {
		if (text->at == text->end) {
			text->full = true;
			return;
		}
		*text->at++ = *s;
	}
}

static void put_number(struct text *text, uint64_t v)
{
	char digits[21];
	char *at = digits + sizeof digits - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	put(text, at);
}

static void put_signed(struct text *text, int64_t v)
{
	if (v < 0)
		put(text, "-");
	put_number(text, v < 0 ? ~(uint64_t)v + 1 : (uint64_t)v);
}

/* The key of a member that is not the first. */
static void put_key(struct text *text, const char *key)
{
	put(text, ",\"");
	put(text, key);
	put(text, "\":");
}

static void put_string(struct text *text, const char *s)
{
	put(text, "\"");
	put(text, s);
	put(text, "\"");
}

static void put_endpoint(struct text *text, const char *key, const struct parley_endpoint *endpoint)
{
	char s[TEXT_ENDPOINT_MAX];

	if (ip_is_unspecified(&endpoint->addr) && !endpoint->port)
		return;
	put_key(text, key);
	put_string(text, text_endpoint(s, endpoint));
}

/* What a type of names calls a value; NULL for the types that are shown otherwise. */
static const char *name_of(enum parley_field_type type, int v)
{
	switch (type) {
	case PARLEY_FIELD_STATE:
		return parley_state_name(v);
	case PARLEY_FIELD_DROP:
		return parley_drop_name(v);
	case PARLEY_FIELD_TIMER:
		return parley_timer_name(v);
	case PARLEY_FIELD_WHY:
		return parley_why_name(v);
	case PARLEY_FIELD_CAUSE:
		return parley_cause_name(v);
	case PARLEY_FIELD_CALL:
		return parley_call_name(v);
	case PARLEY_FIELD_ERROR:
		return parley_error_name(v);
	case PARLEY_FIELD_NUMBER:
	case PARLEY_FIELD_SEQ:
	case PARLEY_FIELD_NS:
	case PARLEY_FIELD_FLAGS:
		break;
	}
	return NULL;
}

static void put_value(struct text *text, enum parley_field_type type, int64_t v)
{
	const char *name = name_of(type, (int)v);
	char flags[TCP_FLAGS_TEXT_MAX];

	if (name)
		put_string(text, name);
	else if (type == PARLEY_FIELD_FLAGS)
		put_string(text, tcp_flags_text(flags, (uint16_t)v));
	else if (type == PARLEY_FIELD_SEQ)
		put_number(text, (uint32_t)v);
	else if (type == PARLEY_FIELD_NS)
		put_number(text, (uint64_t)v);
	else
		put_signed(text, v);
}

static bool is_called(const struct parley_field *field, const char *name)
{
	const char *a = field->name;

	for (; *a && *a == *name; a++)
		name++;
	return *a == *name;
}

/* The value by which a segment event says that there was no such option. */
static bool is_absent(const struct parley_field *field, int64_t v)
{
	return (v == 0 && is_called(field, "mss")) || (v == -1 && is_called(field, "wscale"));
}

size_t parley_trace_json(const struct parley_trace_event *event, char *buf, size_t capacity)
{
	const struct parley_field *field = parley_event_fields((int)event->kind);
	struct text text = {.at = buf, .end = buf + capacity};

	put(&text, "{\"t\":");
	put_number(&text, event->now);
	put_key(&text, "event");
	put_string(&text, parley_event_name((int)event->kind));
	put_key(&text, "conn");
	put_number(&text, event->conn);
	put_key(&text, "if");
	put_signed(&text, event->ifindex);
	put_endpoint(&text, "local", &event->local);
	put_endpoint(&text, "remote", &event->remote);
	for (int i = 0; i < PARLEY_TRACE_FIELDS && field[i].name; i++) {
		if (is_absent(&field[i], event->value[i]))
			continue;
		put_key(&text, field[i].name);
		put_value(&text, field[i].type, event->value[i]);
	}
	put(&text, "}");
	return text.full ? 0 : (size_t)(text.at - buf);
}
