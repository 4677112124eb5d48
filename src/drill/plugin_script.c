/* SPDX-License-Identifier: MIT */
/*
 * What the tool does not tell a plug-in, it has on its own command line: the script, and options
 * such as --mtu and --local_ip.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/dialect.h"
#include "drill/parser.h"
#include "drill/plugin.h"

#define LINE_MAX_LEN 65536
#define SCRIPT_MAX   (1 << 20)

/* The process's arguments, one behind the other, each with its NUL; how many bytes. */
static size_t read_command_line(char out[LINE_MAX_LEN])
{
	FILE *file = fopen("/proc/self/cmdline", "r");
	size_t len = file ? fread(out, 1, LINE_MAX_LEN - 1, file) : 0;

	out[len] = 0;
	if (file)
		fclose(file);
	return len;
}

static bool is_script(const char *word)
{
	size_t len = strlen(word);

	return word[0] != '-' && len > 4 && !strcmp(word + len - 4, ".pkt");
}

static const char *find_script(const char *line, size_t len, unsigned instance)
{
	const char *last = NULL;

	for (const char *at = line; at < line + len; at += strlen(at) + 1) {
		if (!is_script(at))
			continue;
		last = at;
		if (instance-- == 0)
			break;
	}
	return last;
}

static struct drill_script *read_script(const char *path)
{
	struct drill_script *script;
	struct drill_error error;
	char *text;
	FILE *file;
	size_t len;

	file = path ? fopen(path, "r") : NULL;
	text = file ? malloc(SCRIPT_MAX) : NULL;
	if (!text) {
		if (file)
			fclose(file);
		return NULL;
	}
	len = fread(text, 1, SCRIPT_MAX, file);
	fclose(file);
	script = drill_script_new(path, text, len);
	free(text);
	/* What cannot be read here the tool may read all the same: then it is as if not found. */
	if (script && drill_parse(script, NULL, &error))
		return script;
	drill_script_free(script);
	return NULL;
}

/* "--mtu=1500"; options that mean nothing here are the tool's own affair. */
static void take_option(struct drill_config *config, const char *word)
{
	const char *equals = strchr(word, '=');
	char name[64], why[DRILL_WHY_MAX];

	if (strncmp(word, "--", 2) || !equals || !strncmp(word, "--so_flags", 10))
		return;
	snprintf(name, sizeof name, "%.*s", (int)(equals - word - 2), word + 2);
	drill_config_option(config, name, equals + 1, why);
}

struct drill_script *plugin_configure(struct drill_config *config, const char *flags,
				      unsigned instance)
{
	static char line[LINE_MAX_LEN];
	size_t len = read_command_line(line);
	struct drill_script *script = read_script(find_script(line, len, instance));
	char why[DRILL_WHY_MAX];

	drill_config_init(config);
	drill_dialect_choose(config, script);
	if (!script)
		drill_config_set(config, "wscale", "8", why);
	for (struct drill_setting *o = script ? script->options : NULL; o; o = o->next)
		drill_config_option(config, o->name, o->value, why);
	for (const char *at = line; at < line + len; at += strlen(at) + 1)
		take_option(config, at);
	if (flags && !drill_config_personality(config, flags, why)) {
		fprintf(stderr, "parley: --so_flags: %s\n", why);
		exit(1);
	}
	if (!drill_config_finish(config, why)) {
		fprintf(stderr, "parley: %s\n", why);
		exit(1);
	}
	return script;
}
