/* SPDX-License-Identifier: MIT */
/*
 * `Commands` of a script. None is run: those that set sysctls are understood, also inside shell
 * scripts that they name, and everything else is told in a note.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/command.h"
#include "drill/run.h"
#include "drill/sysctl.h"

#define LINE_MAX_LEN 1024
#define WORD_MAX_LEN 512
#define WORDS_MAX    32
#define FILE_MAX_LEN 65536
#define SLEEP_MAX    1e6 /* seconds */

struct words {
	char word[WORDS_MAX][WORD_MAX_LEN];
	int count;
};

/* What the defaults.sh beside Google's and Linux's scripts sets, when it is not there itself. */
static const char defaults[] = "sysctl -q net.ipv4.tcp_rmem=\"4096 540000 15728640\"\n"
			       "sysctl -q net.ipv4.tcp_wmem=\"4096 262144 4194304\"\n"
			       "sysctl -q net.ipv4.tcp_syn_retries=5\n"
			       "sysctl -q net.ipv4.tcp_synack_retries=5\n";

static void run_text(struct drill_run *run, const char *text, int line, int depth);

/* ---- words ---- */

/* "$((15*1024*1024))" becomes its value; text behind *at. */
static bool expand_product(const char **at, char *out, size_t *len)
{
	const char *text = *at + 3;
	uint64_t product = 1;

	if (strncmp(*at, "$((", 3))
		return false;
	for (;;) {
		char *end;

		text += strspn(text, " ");
		product *= strtoull(text, &end, 0);
		if (end == text)
			return false;
		text = end + strspn(end, " ");
		if (*text != '*')
			break;
		text++;
	}
	if (strncmp(text, "))", 2))
		return false;
	*len += (size_t)snprintf(out + *len, WORD_MAX_LEN - *len, "%" PRIu64, product);
	*at = text + 2;
	return true;
}

/* One word from *at on, its quotes taken away. */
static void read_word(const char **at, char *out)
{
	size_t len = 0;
	char quote = 0;

	while (**at && (quote || !isspace((unsigned char)**at)) && len < WORD_MAX_LEN - 24) {
		if (expand_product(at, out, &len))
			continue;
		if (quote ? **at == quote : **at == '"' || **at == '\'')
			quote = quote ? 0 : **at;
		else
			out[len++] = **at;
		(*at)++;
	}
	out[len] = 0;
}

static void split(struct words *words, const char *line)
{
	words->count = 0;
	while (words->count < WORDS_MAX) {
		line += strspn(line, " \t\r");
		if (!*line || *line == '#')
			return;
		read_word(&line, words->word[words->count++]);
	}
}

/* ---- sysctls ---- */

static void apply(struct drill_run *run, const struct drill_sysctl_change *change)
{
	for (int i = 0; i < change->count; i++) {
		enum parley_setting setting = change->setting[i];

		/* What was asked for on the command line or by --so_flags wins. */
		if (run->config->personality.asked[setting] ||
		    (setting == PARLEY_SET_RECEIVE_BUFFER_MAX && run->wscale_fixed))
			continue;
		parley_set(run->stack.host, run->stack.now, PARLEY_NO_CONN, setting,
			   change->value[i]);
	}
}

static void set_sysctl(struct drill_run *run, const char *name, const char *value, int line)
{
	struct drill_sysctl_change change;

	switch (drill_sysctl(name, value, &change)) {
	case DRILL_SYSCTL_SET:
		apply(run, &change);
		break;
	case DRILL_SYSCTL_MET:
		break;
	case DRILL_SYSCTL_LACKING:
		drill_verdict_note(run->verdict, line, "%s=%s: the stack has no such thing yet",
				   name, value);
		break;
	case DRILL_SYSCTL_NO_EFFECT:
		drill_verdict_note(run->verdict, line, "%s=%s has no effect here", name, value);
		break;
	case DRILL_SYSCTL_UNKNOWN:
		drill_verdict_note(run->verdict, line, "sysctl %s is not known: ignored", name);
		break;
	case DRILL_SYSCTL_BAD_VALUE:
		drill_verdict_note(run->verdict, line,
				   "%s=%s: the value is not understood: ignored", name, value);
		break;
	}
}

/* "net.ipv4.tcp_ecn=0"; also "name = value" in three words. */
static void set_pairs(struct drill_run *run, const struct words *words, int line)
{
	for (int i = 1; i < words->count; i++) {
		char name[WORD_MAX_LEN];
		const char *value;
		char *equals;

		if (words->word[i][0] == '-' || words->word[i][0] == '>')
			continue;
		memcpy(name, words->word[i], sizeof name);
		equals = strchr(name, '=');
		if (equals) {
			*equals = 0;
			value = equals + 1;
		} else if (i + 2 < words->count && !strcmp(words->word[i + 1], "=")) {
			value = words->word[i + 2];
			i += 2;
		} else {
			continue;
		}
		set_sysctl(run, name, value, line);
	}
}

/* ---- commands ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

/* A file named relative to the script's folder, as a string; NULL when it cannot be read. */
static char *read_beside(const struct drill_run *run, const char *name)
{
	const char *slash = strrchr(run->script->path, '/');
	char path[LINE_MAX_LEN];
	char *text = NULL;
	FILE *file;
	size_t len;

	if (name[0] == '/' || !slash)
		snprintf(path, sizeof path, "%s", name);
	else
		snprintf(path, sizeof path, "%.*s/%s", (int)(slash - run->script->path),
			 run->script->path, name);
	file = fopen(path, "r");
	if (!file)
		return NULL;
	text = malloc(FILE_MAX_LEN + 1);
	if (!text)
		abort();
	len = fread(text, 1, FILE_MAX_LEN, file);
	text[len] = 0;
	fclose(file);
	return text;
}

static void run_shell_script(struct drill_run *run, const char *name, int line, int depth)
{
	char *text = read_beside(run, name);

	if (text)
		run_text(run, text, line, depth + 1);
	else if (!strcmp(base_name(name), "defaults.sh"))
		run_text(run, defaults, line, depth + 1);
	else
		drill_verdict_note(run->verdict, line, "'%s' cannot be read: ignored", name);
	free(text);
}

/* echo VALUE > /proc/sys/... */
static bool is_echo(const struct words *words)
{
	return words->count == 4 && !strcmp(words->word[0], "echo") &&
	       !strcmp(words->word[2], ">") && !strncmp(words->word[3], "/proc/sys/", 10);
}

/*
 * What needs no word: it undoes settings, which end with the script, or is for a real device and
 * stands in a file that all scripts share.
 */
static bool is_needless(const struct words *words, int depth)
{
	const char *name = base_name(words->word[0]);

	return !strncmp(name, "sysctl_restore", 14) || !strcmp(name, "true") ||
	       !strcmp(name, ":") || (depth > 0 && (!strcmp(name, "tc") || !strcmp(name, "ip")));
}

/* "sleep 0.5": time goes on, but not before the first event, where none runs. */
static bool run_sleep(struct drill_run *run, const struct words *words)
{
	char *end;
	double seconds;

	if (words->count != 2 || strcmp(base_name(words->word[0]), "sleep"))
		return false;
	seconds = strtod(words->word[1], &end);
	if (end == words->word[1] || *end || !(seconds >= 0 && seconds <= SLEEP_MAX))
		return false;
	if (run->event)
		drill_advance(run, drill_now(run) + (uint64_t)(seconds * 1e9));
	return true;
}

static void run_line(struct drill_run *run, const char *text, int line, int depth)
{
	struct words words;
	const char *name;

	split(&words, text);
	if (!words.count || is_needless(&words, depth))
		return;
	name = base_name(words.word[0]);
	if (!strcmp(name, "sysctl") || ends_with(name, "set_sysctls.py"))
		set_pairs(run, &words, line);
	else if (is_echo(&words))
		set_sysctl(run, words.word[3], words.word[1], line);
	else if (run_sleep(run, &words))
		return;
	else if (ends_with(name, ".sh") && depth < 4)
		run_shell_script(run, words.word[0], line, depth);
	else
		drill_verdict_note(run->verdict, line,
				   "command '%.100s' is not understood: ignored",
				   text + strspn(text, " \t"));
}

/* Line by line; ';' and "&&" end one too. */
static void run_text(struct drill_run *run, const char *text, int line, int depth)
{
	while (*text) {
		char one[LINE_MAX_LEN];
		size_t len = 0;
		char quote = 0;

		for (; text[len] && text[len] != '\n'; len++) {
			if (quote ? text[len] == quote : text[len] == '"' || text[len] == '\'')
				quote = quote ? 0 : text[len];
			else if (!quote && (text[len] == ';' || !strncmp(text + len, "&&", 2)))
				break;
		}
		snprintf(one, sizeof one, "%.*s", (int)len, text);
		run_line(run, one, line, depth);
		text += len;
		text += strspn(text, "\n;&");
	}
}

bool drill_command(struct drill_run *run, const struct drill_event *event)
{
	char text[DRILL_LOG_WIDTH];

	snprintf(text, sizeof text, "`%.200s`", event->text);
	drill_verdict_log(run->verdict, drill_now(run), text);
	run_text(run, event->text, event->at.line, 0);
	return true;
}

void drill_command_first(const struct drill_script *script, const struct drill_config *config,
			 struct drill_stack *stack, bool wscale_fixed)
{
	struct drill_verdict verdict;
	struct drill_run run = {
		.script = script,
		.config = config,
		.verdict = &verdict,
		.stack = *stack,
		.wscale_fixed = wscale_fixed,
	};

	drill_verdict_begin(&verdict);
	for (const struct drill_event *event = script->events;
	     event && event->kind == DRILL_COMMAND; event = event->next)
		run_text(&run, event->text, event->at.line, 0);
	for (const struct drill_note *note = verdict.notes; note; note = note->next)
		fprintf(stderr, "parley: %s:%d: note: %s\n", script->path, note->line, note->text);
	drill_verdict_end(&verdict);
}
