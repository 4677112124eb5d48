/* SPDX-License-Identifier: MIT */
#include "dev/tracefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <parley/host.h>

#include "dev/clock.h"
#include "dev/outfile.h"
#include "wire/text.h"

/* RFC 7464 2.2: each text stands between these two. */
#define RECORD_BEGIN 0x1e
#define RECORD_END   '\n'
#define RECORD_MAX   1024

struct tracefile {
	struct outfile out;
};

/* Copies text as the inside of a JSON string (RFC 8259 7). */
static void quote(char *out, size_t cap, const char *text)
{
	char *end = out + cap - 7;

	for (; *text && out < end; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20) {
			out += snprintf(out, 7, "\\u%04x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			*out++ = '\\';
		*out++ = (char)c;
	}
	*out = 0;
}

/* The moment at which t was 0, as RFC 3339 writes it; "" on a virtual clock. */
static void date_of_zero(char *out, size_t cap, bool virtual_clock)
{
	uint64_t epoch = clock_epoch();
	time_t seconds = (time_t)(epoch / 1000000000);
	struct tm utc;
	size_t used;

	*out = 0;
	if (virtual_clock || !gmtime_r(&seconds, &utc))
		return;
	used = strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out + used, cap - used, ".%09uZ", (unsigned)(epoch % 1000000000));
}

static void write_record(struct tracefile *file, uint64_t now, const char *text, size_t len)
{
	uint8_t *room = outfile_reserve(&file->out, len + 2);

	if (!room || !len)
		return;
	room[0] = RECORD_BEGIN;
	memcpy(room + 1, text, len);
	room[len + 1] = RECORD_END;
	outfile_commit(&file->out, now, len + 2);
}

int tracefile_open(struct tracefile **out, const char *path, const struct tracefile_about *about)
{
	struct tracefile *file = calloc(1, sizeof *file);
	char record[RECORD_MAX], host[256], zero[64], address[TEXT_PREFIX_MAX];
	int error, len;

	if (!file)
		return -ENOMEM;
	error = outfile_open(&file->out, path);
	if (error) {
		free(file);
		return error;
	}
	quote(host, sizeof host, about->host);
	date_of_zero(zero, sizeof zero, about->virtual_clock);
	len = snprintf(record, sizeof record,
		       "{\"parley\":\"%s\",\"trace\":1,\"host\":\"%s\",\"address\":\"%s\","
		       "\"clock\":\"%s\"%s%s%s}",
		       parley_version(), host, text_prefix(address, &about->address, about->prefix),
		       about->virtual_clock ? "virtual" : "monotonic", *zero ? ",\"zero\":\"" : "",
		       zero, *zero ? "\"" : "");
	write_record(file, 0, record, (size_t)len);
	outfile_flush(&file->out);
	if (file->out.error)
		return tracefile_close(file);
	*out = file;
	return 0;
}

void tracefile_event(void *context, const struct parley_trace_event *event)
{
	struct tracefile *file = context;
	char record[RECORD_MAX];

	write_record(file, event->now, record, parley_trace_json(event, record, sizeof record));
	if (event->kind == PARLEY_TRACE_STATE)
		outfile_flush(&file->out);
}

int tracefile_close(struct tracefile *file)
{
	int error = outfile_close(&file->out);

	free(file);
	return error;
}
