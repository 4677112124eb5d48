/* SPDX-License-Identifier: MIT */
#include "play.h"

#include <dirent.h>
#include <inttypes.h>
#include <unistd.h>

static char directory[64];

void play_directory(void)
{
	snprintf(directory, sizeof directory, "/tmp/parley-test-XXXXXX");
	assert_non_null(mkdtemp(directory));
}

const char *play_path(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", directory, name);
	return path;
}

void play_clean(void)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlink(play_path(entry->d_name));
	if (dir)
		closedir(dir);
	assert_int_equal(rmdir(directory), 0);
}

void play_write(const char *name, const void *bytes, size_t len)
{
	FILE *file = fopen(play_path(name), "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* The next word of the line, or "". */
static const char *word(char **line)
{
	char *at = *line + strspn(*line, " ");
	size_t len = strcspn(at, " ");

	*line = at + len + (at[len] != 0);
	at[len] = 0;
	return at;
}

static uint64_t milliseconds(const char *text)
{
	return (uint64_t)(strtod(text, NULL) * 1000 + 0.5) * 1000;
}

static void put_numbers(FILE *file, char **line)
{
	fprintf(file, ",\"flags\":\"%s\"", word(line));
	fprintf(file, ",\"seq\":%s", word(line));
	fprintf(file, ",\"ack\":%s", word(line));
	fprintf(file, ",\"len\":%s,\"wnd\":65535,\"up\":0", word(line));
}

static void put_mss(FILE *file, char **line)
{
	const char *mss = word(line);

	if (*mss)
		fprintf(file, ",\"mss\":%s", mss);
}

static void put_event(FILE *file, const char *kind, char **line)
{
	if (!strcmp(kind, "state")) {
		fprintf(file, ",\"from\":\"%s\"", word(line));
		fprintf(file, ",\"to\":\"%s\"", word(line));
		fprintf(file, ",\"cause\":\"%s\"", word(line));
	} else if (!strcmp(kind, "segment_out")) {
		put_numbers(file, line);
		fprintf(file, ",\"why\":\"%s\"", word(line));
		put_mss(file, line);
	} else if (!strcmp(kind, "segment_in")) {
		put_numbers(file, line);
		put_mss(file, line);
	} else if (!strcmp(kind, "drop")) {
		fprintf(file, ",\"reason\":\"%s\"", word(line));
		put_numbers(file, line);
	} else if (!strcmp(kind, "timer")) {
		fprintf(file, ",\"timer\":\"retransmit\",\"count\":1,\"rto\":%" PRIu64,
			milliseconds(word(line)));
	} else if (!strcmp(kind, "rtt")) {
		fprintf(file, ",\"sample\":%" PRIu64, milliseconds(word(line)));
	} else {
		fail_msg("no such event: %s", kind);
	}
}

void play_perform(const char *text)
{
	static const char *const names[2] = {"client", "server"};
	static const char *const ends[2] = {"10.0.0.1:40000", "10.0.0.2:80"};
	FILE *files[2];

	for (int i = 0; i < 2; i++) {
		char name[32];

		snprintf(name, sizeof name, "%s.trace", names[i]);
		files[i] = fopen(play_path(name), "wb");
		assert_non_null(files[i]);
		fprintf(files[i], "\x1e{\"parley\":\"0\",\"trace\":1,\"host\":\"%s\"}\n", names[i]);
	}
	while (*text) {
		size_t len = strcspn(text, "\n");
		char copy[256], *line = copy;
		const char *host, *time, *kind;
		int end;

		snprintf(copy, sizeof copy, "%.*s", (int)len, text);
		text += len + (text[len] != 0);
		host = word(&line);
		if (!*host || *host == '#')
			continue;
		end = *host == 's';
		time = word(&line);
		kind = word(&line);
		if (!strcmp(kind, "out") || !strcmp(kind, "in"))
			kind = *kind == 'o' ? "segment_out" : "segment_in";
		fprintf(files[end],
			"\x1e{\"t\":%" PRIu64 ",\"event\":\"%s\",\"conn\":1,\"if\":1,"
			"\"local\":\"%s\",\"remote\":\"%s\"",
			milliseconds(time), kind, ends[end], ends[!end]);
		put_event(files[end], kind, &line);
		fprintf(files[end], "}\n");
	}
	assert_int_equal(fclose(files[0]) | fclose(files[1]), 0);
}

static struct witness *read_file(const char *name)
{
	char error[WITNESS_ERROR_MAX];
	struct witness *witness = witness_read(play_path(name), error);

	if (!witness)
		fail_msg("%s", error);
	return witness;
}

void play_read(struct play_stories *read, const char *first, const char *second)
{
	char error[WITNESS_ERROR_MAX];

	read->witness[0] = read_file(first);
	read->witness[1] = second ? read_file(second) : NULL;
	if (!stories_make(&read->stories, read->witness[0], read->witness[1], error))
		fail_msg("%s", error);
}

void play_forget(struct play_stories *read)
{
	stories_free(&read->stories);
	witness_free(read->witness[0]);
	witness_free(read->witness[1]);
}
