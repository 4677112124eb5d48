/* SPDX-License-Identifier: MIT */
/* Traces: JSON text sequences (RFC 7464) as docs/trace.md describes them. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tool/option.h"
#include "tool/witness.h"
#include "wire/ip.h"
#include "wire/text.h"

#define RECORD_BEGIN 0x1e

typedef const char *name_fn(int number);

/* The number that a field's name stands for in the table behind `name`; -1 for none. */
static int number_of(const cJSON *record, const char *field, name_fn *name, int count)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(record, field);

	for (int i = 0; cJSON_IsString(item) && i < count; i++)
		if (!strcmp(name(i), item->valuestring))
			return i;
	return -1;
}

static bool read_number(const cJSON *record, const char *field, uint64_t *number)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(record, field);

	/* Below 2^64 as a double, so that the cast is defined. */
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > 1.8e19)
		return false;
	*number = (uint64_t)item->valuedouble;
	return true;
}

static bool read_endpoint(const cJSON *record, const char *field, struct parley_endpoint *endpoint)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(record, field);

	if (!item || cJSON_IsNull(item)) {
		memset(endpoint, 0, sizeof *endpoint);
		return true;
	}
	return cJSON_IsString(item) && text_read_endpoint(endpoint, item->valuestring);
}

/* The bits of "S.", "P." and so on, the notation of tcp_flags_text(). */
static bool read_flags(const cJSON *record, uint16_t *flags)
{
	static const char letters[] = "FSRP.UEWe";
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(record, "flags");
	const char *text = cJSON_IsString(item) ? item->valuestring : NULL;

	*flags = 0;
	if (!text)
		return false;
	if (!strcmp(text, "none"))
		return true;
	for (; *text; text++) {
		const char *letter = strchr(letters, *text);

		if (!letter)
			return false;
		*flags |= (uint16_t)(1u << (letter - letters));
	}
	return true;
}

static bool read_segment(const cJSON *record, struct sighting *s)
{
	struct segment *g = &s->segment;
	uint64_t seq_number, ack = 0, len, wnd = 0, mss = 0;

	if (!read_flags(record, &g->flags) || !read_number(record, "seq", &seq_number) ||
	    !read_number(record, "len", &len))
		return false;
	read_number(record, "ack", &ack);
	read_number(record, "wnd", &wnd);
	read_number(record, "mss", &mss);
	g->seq = seq((uint32_t)seq_number);
	g->ack = seq((uint32_t)ack);
	g->text_len = (uint32_t)len;
	g->len = g->text_len + !!(g->flags & TCP_SYN) + !!(g->flags & TCP_FIN);
	/* Only whether it is 0 and whether it changes matters here. */
	g->wnd = (uint16_t)(wnd > UINT16_MAX ? UINT16_MAX : wnd);
	if (mss && g->flags & TCP_SYN) {
		g->options.present = TCP_HAS_MSS;
		g->options.mss = (uint16_t)mss;
	}
	return true;
}

static void turn_round(struct sighting *s)
{
	struct parley_endpoint src = s->src;

	s->src = s->dst;
	s->dst = src;
}

static bool read_out(const cJSON *record, struct sighting *s)
{
	int state = number_of(record, "state", parley_state_name, PARLEY_STATES);

	s->kind = SIGHTING_OUT;
	s->why = number_of(record, "why", parley_why_name, PARLEY_WHY_COUNT);
	s->state_known = state >= 0;
	s->state = state >= 0 ? (enum parley_state)state : PARLEY_CLOSED;
	return read_segment(record, s);
}

static bool read_in(const cJSON *record, struct sighting *s)
{
	s->kind = SIGHTING_IN;
	turn_round(s);
	return read_segment(record, s);
}

static bool read_drop(const cJSON *record, struct sighting *s)
{
	s->kind = SIGHTING_DROP;
	s->reason = number_of(record, "reason", parley_drop_name, PARLEY_DROP_COUNT);
	s->damaged = s->reason == PARLEY_DROP_TCP_CHECKSUM || s->reason == PARLEY_DROP_IP_CHECKSUM;
	turn_round(s);
	return read_segment(record, s);
}

static bool read_state(const cJSON *record, struct sighting *s)
{
	int from = number_of(record, "from", parley_state_name, PARLEY_STATES);
	int to = number_of(record, "to", parley_state_name, PARLEY_STATES);

	s->kind = SIGHTING_STATE;
	s->from = (enum parley_state)from;
	s->state = (enum parley_state)to;
	s->state_known = true;
	s->cause = number_of(record, "cause", parley_cause_name, PARLEY_CAUSE_COUNT);
	return from >= 0 && to >= 0;
}

static bool read_timer(const cJSON *record, struct sighting *s)
{
	s->kind = SIGHTING_TIMER;
	s->reason = number_of(record, "timer", parley_timer_name, PARLEY_TIMER_COUNT);
	return read_number(record, "rto", &s->ns);
}

static bool read_rtt(const cJSON *record, struct sighting *s)
{
	s->kind = SIGHTING_RTT;
	return read_number(record, "sample", &s->ns);
}

static const struct {
	enum parley_trace_kind kind;
	bool (*read)(const cJSON *record, struct sighting *sighting);
} readers[] = {
	{PARLEY_TRACE_SEGMENT_OUT, read_out}, {PARLEY_TRACE_SEGMENT_IN, read_in},
	{PARLEY_TRACE_STATE, read_state},     {PARLEY_TRACE_DROP, read_drop},
	{PARLEY_TRACE_TIMER, read_timer},     {PARLEY_TRACE_RTT, read_rtt},
};

/* One event. What is none of the ladder's business is passed over. */
static bool read_event(struct witness *witness, const cJSON *record, const char **what)
{
	int kind = number_of(record, "event", parley_event_name, PARLEY_TRACE_COUNT);
	struct sighting *s;
	uint64_t time;

	*what = "no time 't'";
	if (!read_number(record, "t", &time))
		return false;
	for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
		if ((int)readers[i].kind != kind)
			continue;
		*what = "out of memory";
		s = witness_add(witness);
		if (!s)
			return false;
		s->time = time;
		*what = "bad address";
		if (!read_endpoint(record, "local", &s->src) ||
		    !read_endpoint(record, "remote", &s->dst))
			return false;
		*what = "a field is missing, or none of its values";
		return readers[i].read(record, s);
	}
	return true;
}

/* Nanoseconds since 1970 of "2025-01-31T12:34:56.123456789Z"; 0 for anything else. */
static uint64_t read_date(const char *text)
{
	struct tm date = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &date);
	uint64_t fraction = 0;
	time_t seconds;

	if (!rest)
		return 0;
	/* The fraction with a 0 before it is a number of up to nine decimals. */
	if (*rest == '.' && !option_decimal(rest, 9, &fraction, &rest))
		return 0;
	seconds = timegm(&date);
	return seconds < 0 || strcmp(rest, "Z") ? 0 : (uint64_t)seconds * 1000000000 + fraction;
}

/* The first record says whose trace it is. */
static bool read_head(struct witness *witness, const cJSON *record, const char **what)
{
	const cJSON *host = cJSON_GetObjectItemCaseSensitive(record, "host");
	const cJSON *zero = cJSON_GetObjectItemCaseSensitive(record, "zero");
	uint64_t version;

	*what = "not a trace of parley";
	if (!cJSON_GetObjectItemCaseSensitive(record, "parley") ||
	    !read_number(record, "trace", &version))
		return false;
	*what = "a trace in a form unknown to this version";
	if (version != 1)
		return false;
	witness->is_trace = witness->at_host = true;
	if (cJSON_IsString(host))
		snprintf(witness->host, sizeof witness->host, "%s", host->valuestring);
	if (cJSON_IsString(zero))
		witness->epoch = read_date(zero->valuestring);
	return true;
}

bool witness_read_trace(struct witness *witness, const char *data, size_t len,
			char error[static WITNESS_ERROR_MAX])
{
	const char *end = data + len, *at = data;

	for (size_t number = 1; at < end; number++) {
		const char *text = at + 1, *next, *what = "not a JSON text";
		cJSON *record;
		bool good;

		next = memchr(text, RECORD_BEGIN, (size_t)(end - text));
		if (!next)
			next = end;
		record = cJSON_ParseWithLength(text, (size_t)(next - text));
		/* RFC 7464 2.3: a last text without its line end may have been cut. */
		if (!record && next == end && end[-1] != '\n' && number > 1)
			return true;
		good = record && (number == 1 ? read_head(witness, record, &what)
					      : read_event(witness, record, &what));
		cJSON_Delete(record);
		if (!good) {
			snprintf(error, WITNESS_ERROR_MAX, "%s: record %zu (at byte %zu): %s",
				 witness->path, number, (size_t)(at - data), what);
			return false;
		}
		at = next;
	}
	return true;
}
