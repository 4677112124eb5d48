/* SPDX-License-Identifier: MIT */
#include "run/report_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/text.h"

#define WORDS_MAX     12  /* of the program's arguments that are told */
#define WORD_MAX      200 /* bytes of each, about; a byte can take six in JSON */
#define ADDRESSES_MAX 64

#define PLACE(member) \
	offsetof(struct report_conn, member), sizeof(((struct report_conn *)NULL)->member)
/* clang-format off */
#define FIELD(name, member) {name, PLACE(member), false, false}
#define FLAG(name, member)  {name, PLACE(member), true, false}
#define STATUS(name)	    {#name, PLACE(status.name), false, false}
#define INFO(name)	    {#name, PLACE(info.name), false, true}
#define INFO_FLAG(name)	    {#name, PLACE(info.name), true, true}

const struct report_field report_fields[] = {
	FIELD("conn", status.conn), FIELD("ifindex", status.ifindex),
	STATUS(receive_queue), STATUS(send_queue), STATUS(out_of_order),
	STATUS(timer_due), STATUS(retransmits), STATUS(error), FLAG("owned", status.owned),
	STATUS(iss), STATUS(snd_una), STATUS(snd_nxt), STATUS(snd_wnd), STATUS(snd_wl1),
	STATUS(snd_wl2), STATUS(snd_up), STATUS(irs), STATUS(rcv_nxt), STATUS(rcv_wnd),
	STATUS(rcv_up),
	FIELD("inode", inode), FLAG("v6_only", v6_only),
	FIELD("receive_buffer", receive_buffer), FIELD("send_buffer", send_buffer),
	FLAG("has_info", has_info),
	INFO(snd_wscale), INFO(rcv_wscale), INFO_FLAG(has_wscale), INFO_FLAG(has_timestamps),
	INFO_FLAG(has_sack), INFO(probes), INFO(backoff),
	INFO(rto), INFO(ato), INFO(rtt), INFO(rttvar), INFO(min_rtt), INFO(rcv_rtt),
	INFO(last_data_sent), INFO(last_ack_sent), INFO(last_data_recv), INFO(last_ack_recv),
	INFO(snd_mss), INFO(rcv_mss), INFO(advmss), INFO(pmtu), INFO(snd_cwnd),
	INFO(snd_ssthresh), INFO(rcv_space),
	INFO(unacked), INFO(lost), INFO(retrans), INFO(sacked), INFO(total_retrans),
	INFO(segs_out), INFO(segs_in), INFO(data_segs_out), INFO(data_segs_in),
	INFO(bytes_sent), INFO(bytes_retrans), INFO(bytes_acked), INFO(bytes_received),
	INFO(notsent),
	{NULL, 0, 0, false, false},
};
/* clang-format on */

uint64_t report_field_get(const struct report_conn *conn, const struct report_field *field)
{
	const char *place = (const char *)conn + field->offset;
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (field->size) {
	case 1:
		return *(const uint8_t *)place;
	case 2:
		memcpy(&two, place, sizeof(two));
		return two;
	case 4:
		memcpy(&four, place, sizeof(four));
		return four;
	default:
		memcpy(&eight, place, sizeof(eight));
		return eight;
	}
}

void report_field_set(struct report_conn *conn, const struct report_field *field, uint64_t value)
{
	char *place = (char *)conn + field->offset;
	uint16_t two = (uint16_t)value;
	uint32_t four = (uint32_t)value;

	switch (field->size) {
	case 1:
		*(uint8_t *)place = (uint8_t)value;
		return;
	case 2:
		memcpy(place, &two, sizeof(two));
		return;
	case 4:
		memcpy(place, &four, sizeof(four));
		return;
	default:
		memcpy(place, &value, sizeof(value));
	}
}

const char *report_entry_name(int entry)
{
	static const char *const names[] = {
		[PARLEY_ENTRY_TCB] = "tcb",
		[PARLEY_ENTRY_LISTENER] = "listener",
		[PARLEY_ENTRY_SYN] = "syn",
		[PARLEY_ENTRY_TIME_WAIT] = "time-wait",
	};

	return names[entry];
}

/* A line that is being written. What is put in is bounded so that it always fits. */
struct text {
	char *buf;
	size_t used;
};

static void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(text->buf + text->used, REPORT_LINE_MAX - text->used, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < REPORT_LINE_MAX - text->used)
		text->used += (size_t)n;
}

static unsigned continuations(unsigned char lead)
{
	if (lead >= 0xf0 && lead < 0xf5)
		return 3;
	if (lead >= 0xe0)
		return lead < 0xf0 ? 2 : 0;
	return lead >= 0xc2 ? 1 : 0;
}

/* The length of the character of UTF-8 at `s`, or 0 when it is none. */
static unsigned character(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned more = continuations(u[0]);

	if (u[0] < 0x80)
		return 1;
	/* Overlong forms, surrogates, and what is beyond the last character. */
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	for (unsigned i = 1; i <= more; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	}
	return more ? more + 1 : 0;
}

/* A string of JSON, cut off behind WORD_MAX bytes. */
static void put_string(struct text *text, const char *s)
{
	const char *begin = s;

	put(text, "\"");
	while (*s && s - begin < WORD_MAX) {
		unsigned n = character(s);

		if (!n)
			put(text, "\\ufffd");
		else if ((unsigned char)*s < 0x20 || *s == '"' || *s == '\\' || *s == 0x7f)
			put(text, "\\u%04x", (unsigned)(unsigned char)*s);
		else
			put(text, "%.*s", (int)n, s);
		s += n ? n : 1;
	}
	put(text, "\"");
}

static void put_argv(struct text *text, char *const *argv)
{
	put(text, ",\"argv\":[");
	for (int i = 0; argv[i] && i < WORDS_MAX; i++) {
		put(text, "%s", i ? "," : "");
		put_string(text, argv[i]);
	}
	put(text, "]");
}

static void put_addresses(struct text *text, const struct report_about *about)
{
	char prefix[TEXT_PREFIX_MAX];

	put(text, ",\"addresses\":[");
	for (size_t i = 0; i < about->address_count && i < ADDRESSES_MAX; i++)
		put(text, "%s\"%s\"", i ? "," : "",
		    text_prefix(prefix, &about->addresses[i], about->prefixes[i]));
	put(text, "]");
}

static void put_counters(struct text *text, const struct parley_host *host)
{
	const char *comma = "";

	put(text, ",\"counters\":{");
	for (int i = 0; i < PARLEY_COUNTER_COUNT; i++) {
		uint64_t n = parley_counter(host, (enum parley_counter)i);
		if (!n)
			continue;
		put(text, "%s\"%s\":%" PRIu64, comma, parley_counter_name(i), n);
		comma = ",";
	}
	put(text, "},\"drops\":{");
	comma = "";
	for (int i = 0; i < PARLEY_DROP_COUNT; i++) {
		uint64_t n = parley_drops(host, (enum parley_drop)i);
		if (!n)
			continue;
		put(text, "%s\"%s\":%" PRIu64, comma, parley_drop_name(i), n);
		comma = ",";
	}
	put(text, "}");
}

size_t report_host_text(char buf[static REPORT_LINE_MAX], const struct report_about *about,
			const struct parley_host *host, uint64_t now)
{
	struct text text = {.buf = buf};

	put(&text, "{\"report\":%d,\"parley\":\"%s\",\"pid\":%d,\"run\":%d", REPORT_VERSION,
	    parley_version(), (int)about->program, (int)about->run);
	put_counters(&text, host);
	put(&text, ",\"uptime\":%" PRIu64 ",\"memory\":%" PRIu64, now - about->started,
	    parley_memory_charged(host));
	put(&text, ",\"device\":");
	put_string(&text, about->device);
	put_addresses(&text, about);
	put_argv(&text, about->argv);
	put(&text, "}\n");
	return text.used;
}

size_t report_conn_text(char buf[static REPORT_LINE_MAX], const struct report_conn *conn)
{
	char local[TEXT_ENDPOINT_MAX], remote[TEXT_ENDPOINT_MAX];
	struct text text = {.buf = buf};

	put(&text, "{\"state\":\"%s\",\"local\":\"%s\",\"remote\":\"%s\"",
	    parley_state_name(conn->status.state), text_endpoint(local, &conn->status.local),
	    text_endpoint(remote, &conn->status.remote));
	put(&text, ",\"entry\":\"%s\"", report_entry_name(conn->status.entry));
	if (conn->status.timer != PARLEY_TIMER_NONE)
		put(&text, ",\"timer\":\"%s\"", parley_timer_name(conn->status.timer));
	if (*conn->congestion) {
		put(&text, ",\"congestion\":");
		put_string(&text, conn->congestion);
	}
	for (const struct report_field *field = report_fields; field->name; field++) {
		uint64_t value = report_field_get(conn, field);
		if (value && field->flag)
			put(&text, ",\"%s\":true", field->name);
		else if (value)
			put(&text, ",\"%s\":%" PRIu64, field->name, value);
	}
	put(&text, "}\n");
	return text.used;
}

size_t report_end_text(char buf[static REPORT_LINE_MAX], uint64_t count)
{
	struct text text = {.buf = buf};

	put(&text, "{\"end\":%" PRIu64 "}\n", count);
	return text.used;
}
