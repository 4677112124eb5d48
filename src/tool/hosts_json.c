/* SPDX-License-Identifier: MIT */
#include "tool/hosts_json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>

#include "wire/text.h"

static void print_string(FILE *out, const char *text)
{
	cJSON *string = cJSON_CreateString(text ? text : "");
	char *quoted = cJSON_PrintUnformatted(string);

	fputs(quoted ? quoted : "\"\"", out);
	free(quoted);
	cJSON_Delete(string);
}

static void print_host(FILE *out, const struct host_report *host)
{
	fprintf(out, "\"host\":%d,\"pid\":%d,\"program\":", (int)host->run, (int)host->program);
	print_string(out, host->name);
}

static void print_users(FILE *out, const struct users *users, uint64_t inode)
{
	size_t count;
	const struct user *user = users_of(users, inode, &count);

	fprintf(out, ",\"users\":[");
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "%s{\"pid\":%d,\"fd\":%d,\"name\":", i ? "," : "", (int)user[i].pid,
			user[i].fd);
		print_string(out, user[i].name);
		fputc('}', out);
	}
	fputc(']', out);
}

static void print_field(FILE *out, const struct report_conn *conn, const struct report_field *field)
{
	uint64_t value = report_field_get(conn, field);

	if (field->info && !conn->has_info)
		return;
	if (field->flag)
		fprintf(out, ",\"%s\":%s", field->name, value ? "true" : "false");
	else
		fprintf(out, ",\"%s\":%" PRIu64, field->name, value);
}

static void print_conn(FILE *out, const struct ss_row *row, const struct users *users)
{
	const struct report_conn *conn = row->conn;
	char text[TEXT_ENDPOINT_MAX];

	fprintf(out, "{\"state\":\"%s\"", parley_state_name(conn->status.state));
	fprintf(out, ",\"local\":\"%s\"", text_endpoint(text, &conn->status.local));
	fprintf(out, ",\"remote\":\"%s\",", text_endpoint(text, &conn->status.remote));
	print_host(out, row->host);
	print_users(out, users, conn->inode);
	fprintf(out, ",\"entry\":\"%s\"", report_entry_name(conn->status.entry));
	fprintf(out, ",\"timer\":\"%s\",\"congestion\":", parley_timer_name(conn->status.timer));
	print_string(out, conn->congestion);
	for (const struct report_field *field = report_fields; field->name; field++)
		print_field(out, conn, field);
	fputc('}', out);
}

void hosts_json_conns(FILE *out, const struct ss_row *rows, size_t n, const struct users *users)
{
	fprintf(out, "{\"connections\":[");
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s\n", i ? "," : "");
		print_conn(out, &rows[i], users);
	}
	fprintf(out, "\n]}\n");
}

static void print_counters(FILE *out, const struct host_report *host)
{
	fprintf(out, "\"counters\":{");
	for (int i = 0; i < PARLEY_COUNTER_COUNT; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", parley_counter_name(i),
			host->counters[i]);
	fprintf(out, "},\"drops\":{");
	for (int i = 0; i < PARLEY_DROP_COUNT; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", parley_drop_name(i),
			host->drops[i]);
	fprintf(out, "}");
}

void hosts_json_counters(FILE *out, const struct hosts *hosts, const struct host_report *total)
{
	fprintf(out, "{\"hosts\":[");
	for (size_t i = 0; i < hosts->count; i++) {
		const struct host_report *host = &hosts->host[i];

		fprintf(out, "%s\n{", i ? "," : "");
		print_host(out, host);
		fprintf(out, ",\"argv\":");
		print_string(out, host->argv);
		fprintf(out, ",\"addresses\":");
		print_string(out, host->addresses);
		fprintf(out, ",\"device\":");
		print_string(out, host->device);
		fprintf(out, ",\"version\":");
		print_string(out, host->version);
		fprintf(out, ",\"uptime\":%" PRIu64 ",\"memory\":%" PRIu64 ",", host->uptime,
			host->memory);
		print_counters(out, host);
		fputc('}', out);
	}
	fprintf(out, "\n],\"total\":{");
	print_counters(out, total);
	fprintf(out, "}}\n");
}
