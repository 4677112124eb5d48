/* SPDX-License-Identifier: MIT */
#include "tool/hosts.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/report_dir.h"
#include "wire/text.h"

#define PATIENCE 2000 /* ms without a byte */

/* Memory for one more of something; it ends the program when there is none. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 16;
	array = realloc(array, *room * size);
	if (!array) {
		fprintf(stderr, "parley: out of memory\n");
		exit(EXIT_FAILED);
	}
	return array;
}

/* ---- a report ---- */

static double number(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (cJSON_IsTrue(item))
		return 1;
	return cJSON_IsNumber(item) && item->valuedouble > 0 ? item->valuedouble : 0;
}

static const char *string(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text ? text : "";
}

/* The strings of an array, with spaces between. */
static char *joined(const cJSON *object, const char *name)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, name), *item;
	size_t size = 1;
	char *text;

	cJSON_ArrayForEach(item, array)
		size += strlen(cJSON_IsString(item) ? item->valuestring : "") + 1;
	text = calloc(1, size);
	if (!text)
		return NULL;
	cJSON_ArrayForEach(item, array)
	{
		size_t used = strlen(text);

		snprintf(text + used, size - used, "%s%s", used ? " " : "",
			 cJSON_IsString(item) ? item->valuestring : "");
	}
	return text;
}

static char *program_name(const cJSON *object)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, "argv");
	const char *path = cJSON_GetStringValue(cJSON_GetArrayItem(array, 0));
	const char *slash = path ? strrchr(path, '/') : NULL;

	return strdup(slash ? slash + 1 : path ? path : "");
}

static void read_host(struct hosts *hosts, const cJSON *object)
{
	const cJSON *counters = cJSON_GetObjectItemCaseSensitive(object, "counters");
	const cJSON *drops = cJSON_GetObjectItemCaseSensitive(object, "drops");
	struct host_report *host;

	hosts->host = grow(hosts->host, hosts->count, &hosts->room, sizeof *host);
	host = &hosts->host[hosts->count++];
	*host = (struct host_report){
		.run = (pid_t)number(object, "run"),
		.program = (pid_t)number(object, "pid"),
		.name = program_name(object),
		.argv = joined(object, "argv"),
		.addresses = joined(object, "addresses"),
		.device = strdup(string(object, "device")),
		.version = strdup(string(object, "parley")),
		.uptime = (uint64_t)number(object, "uptime"),
		.memory = (uint64_t)number(object, "memory"),
	};
	for (int i = 0; i < PARLEY_COUNTER_COUNT; i++)
		host->counters[i] = (uint64_t)number(counters, parley_counter_name(i));
	for (int i = 0; i < PARLEY_DROP_COUNT; i++)
		host->drops[i] = (uint64_t)number(drops, parley_drop_name(i));
}

/* The number of a name, or -1. */
static int named(const char *name, const char *(*name_of)(int), int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(name, name_of(i)))
			return i;
	return -1;
}

static bool read_conn(struct hosts *hosts, const cJSON *object)
{
	struct host_report *host = &hosts->host[hosts->count - 1];
	int state = named(string(object, "state"), parley_state_name, PARLEY_STATES);
	int timer = named(string(object, "timer"), parley_timer_name, PARLEY_TIMER_COUNT);
	int entry = named(string(object, "entry"), report_entry_name, REPORT_ENTRIES);
	struct report_conn conn = {.status.size = sizeof conn.status};

	if (state < 0 || !text_read_endpoint(&conn.status.local, string(object, "local")) ||
	    !text_read_endpoint(&conn.status.remote, string(object, "remote")))
		return false;
	conn.status.state = (enum parley_state)state;
	conn.status.entry = entry < 0 ? PARLEY_ENTRY_TCB : (enum parley_entry)entry;
	conn.status.timer = timer < 0 ? PARLEY_TIMER_NONE : (enum parley_timer)timer;
	for (const struct report_field *field = report_fields; field->name; field++)
		report_field_set(&conn, field, (uint64_t)number(object, field->name));
	snprintf(conn.congestion, sizeof conn.congestion, "%s", string(object, "congestion"));
	host->conns = grow(host->conns, host->count, &host->room, sizeof conn);
	host->conns[host->count++] = conn;
	return true;
}

bool hosts_add_line(struct hosts *hosts, const char *line, bool *ended)
{
	cJSON *object = cJSON_Parse(line);
	bool good = cJSON_IsObject(object);

	if (good && cJSON_HasObjectItem(object, "report"))
		read_host(hosts, object);
	else if (good && cJSON_HasObjectItem(object, "end"))
		*ended = true;
	else if (good && hosts->count)
		good = read_conn(hosts, object);
	else
		good = false;
	cJSON_Delete(object);
	return good;
}

static void free_host(struct host_report *host)
{
	free(host->name);
	free(host->argv);
	free(host->addresses);
	free(host->device);
	free(host->version);
	free(host->conns);
}

void hosts_free(struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		free_host(&hosts->host[i]);
	free(hosts->host);
}

/* ---- asking ---- */

/* The lines of a report that have come so far: all whole ones are taken. */
struct lines {
	char buf[2 * REPORT_LINE_MAX];
	size_t used;
};

static bool take_lines(struct lines *lines, struct hosts *hosts, bool *ended)
{
	char *at = lines->buf, *end;

	while ((end = memchr(at, '\n', lines->used - (size_t)(at - lines->buf)))) {
		*end = 0;
		if (!hosts_add_line(hosts, at, ended))
			return false;
		at = end + 1;
	}
	lines->used -= (size_t)(at - lines->buf);
	memmove(lines->buf, at, lines->used);
	return lines->used < sizeof lines->buf;
}

/* Reads a whole report. Returns 0 or a negative errno. */
static int read_report(int fd, struct hosts *hosts)
{
	struct pollfd poll_for = {.fd = fd, .events = POLLIN};
	struct lines lines = {.used = 0};
	bool ended = false;

	for (;;) {
		ssize_t n;

		if (poll(&poll_for, 1, PATIENCE) == 0)
			return -ETIMEDOUT;
		n = read(fd, lines.buf + lines.used, sizeof lines.buf - lines.used);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n == 0)
			return ended ? 0 : -EPIPE;
		if (n > 0)
			lines.used += (size_t)n;
		if (!take_lines(&lines, hosts, &ended))
			return -EPROTO;
	}
}

static void ask(struct hosts *hosts, const struct command *command, const char *dir, pid_t pid)
{
	size_t before = hosts->count;
	struct sockaddr_un addr;
	int fd, error;

	report_dir_address(&addr, dir, pid, false);
	fd = report_dir_connect(&addr);
	if (fd == -ECONNREFUSED)
		unlink(addr.sun_path);
	if (fd == -ECONNREFUSED || fd == -ENOENT)
		return;
	error = fd < 0 ? fd : read_report(fd, hosts);
	if (fd >= 0)
		close(fd);
	/* What ends while it is asked is gone, as if it had not been there. */
	if (error && (error != -EPIPE || access(addr.sun_path, F_OK) == 0))
		fprintf(stderr, "parley %s: the host of process %d does not answer: %s\n",
			command->name, (int)pid,
			error == -EPIPE ? "its report was cut short" : strerror(-error));
	while (error && hosts->count > before)
		free_host(&hosts->host[--hosts->count]);
}

static bool read_pid(const char *text, pid_t *pid)
{
	const char *end;
	uint64_t value;

	if (!option_decimal(text, 0, &value, &end) || *end || !value || value > 1 << 30)
		return false;
	*pid = (pid_t)value;
	return true;
}

static void ask_place(struct hosts *hosts, const struct command *command, unsigned i)
{
	char path[REPORT_DIR_MAX];
	struct dirent *entry;
	pid_t pid;
	DIR *dir;

	if (!report_dir_place(i, path) || !report_dir_is_safe(path))
		return;
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (read_pid(entry->d_name, &pid))
			ask(hosts, command, path, pid);
	closedir(dir);
}

static bool is_meant(const struct host_report *host, const char *text)
{
	pid_t pid = 0;

	read_pid(text, &pid);
	return pid == host->run || pid == host->program;
}

/* Keeps those that are wanted. */
static int select_hosts(struct hosts *hosts, const struct command *command,
			const struct option_list *only)
{
	bool found[OPTION_LIST_MAX] = {false};
	size_t kept = 0;

	for (size_t i = 0; i < hosts->count; i++) {
		bool wanted = !only->n;

		for (size_t k = 0; k < only->n; k++) {
			bool meant = is_meant(&hosts->host[i], only->text[k]);

			wanted |= meant;
			found[k] |= meant;
		}
		if (wanted)
			hosts->host[kept++] = hosts->host[i];
		else
			free_host(&hosts->host[i]);
	}
	hosts->count = kept;
	for (size_t k = 0; k < only->n; k++)
		if (!found[k])
			return option_fail(command, "process %s runs no host of Parley's",
					   only->text[k]);
	return EXIT_OK;
}

static int by_process(const void *a, const void *b)
{
	const struct host_report *x = a, *y = b;

	return (x->run > y->run) - (x->run < y->run);
}

int hosts_read(struct hosts *hosts, const struct command *command, const struct option_list *only)
{
	*hosts = (struct hosts){0};
	for (size_t k = 0; k < only->n; k++) {
		pid_t pid;

		if (!read_pid(only->text[k], &pid))
			return option_refuse(command, "--host: '%s' is not a process",
					     only->text[k]);
	}
	for (unsigned i = 0; i < REPORT_PLACES; i++)
		ask_place(hosts, command, i);
	if (hosts->count)
		qsort(hosts->host, hosts->count, sizeof *hosts->host, by_process);
	return select_hosts(hosts, command, only);
}
