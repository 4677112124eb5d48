/* SPDX-License-Identifier: MIT */
/* `parley drill`: packetdrill scripts against the stack, in virtual time. */
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dev/pcapfile.h"
#include "drill/dialect.h"
#include "drill/parser.h"
#include "tool/commands.h"
#include "tool/drill_report.h"

#define SCRIPT_MAX (16 << 20)
#define PATH_BYTES 4096

struct line {
	bool strict, trace, json, quiet, dry_run;
	const char *pcap;
	struct option_list defines, settings;
	/* Packetdrill's own, by their names. */
	const char *ip_version, *local_ip, *remote_ip, *mtu, *mss, *bind_port, *connect_port;
	const char *tolerance_usecs, *tolerance_percent, *non_fatal, *so_flags;
	const char *gateway_ip, *netmask_ip;
};

#define PLACE(member) offsetof(struct line, member), 0, 0
#define THEIRS(name, value, help)                               \
	{                                                       \
#name, 0, value, OPTION_TEXT, PLACE(name), help \
	}

static const struct option options[] = {
	{"strict", 0, NULL, OPTION_FLAG, PLACE(strict),
	 "compare segment by segment, all options and every PSH, and allow nothing beside"},
	{"trace", 't', NULL, OPTION_FLAG, PLACE(trace), "print each event as it happens"},
	{"pcap", 0, "FILE", OPTION_TEXT, PLACE(pcap),
	 "write a capture of all packets; of several scripts into the folder FILE"},
	{"json", 0, NULL, OPTION_FLAG, PLACE(json), "the results as JSON"},
	{"quiet", 'q', NULL, OPTION_FLAG, PLACE(quiet), "no notes, only failures and the summary"},
	{"option", 'o', "KEY=VALUE", OPTION_LIST, PLACE(settings),
	 "the stack's personality: wscale, synopt, or any setting of 'parley run -o'"},
	{"define", 'D', "NAME=VALUE", OPTION_LIST, PLACE(defines),
	 "what a word of the scripts stands for"},
	{"dry_run", 0, NULL, OPTION_FLAG, PLACE(dry_run), "only read the scripts"},
	{"strict_segments", 0, NULL, OPTION_FLAG, PLACE(strict), "the same as --strict"},
	THEIRS(ip_version, "FAMILY", "ipv4, ipv4-mapped-ipv6 or ipv6"),
	THEIRS(local_ip, "ADDRESS", "the stack's address"),
	THEIRS(remote_ip, "ADDRESS", "the script's address"),
	THEIRS(bind_port, "PORT", "where the stack listens; 8080 by default"),
	THEIRS(connect_port, "PORT", "where it connects to; 8080 by default"),
	THEIRS(mtu, "BYTES", "of the interface; 1500 by default"),
	THEIRS(mss, "BYTES", "what is injected and longer is a run of such segments"),
	THEIRS(tolerance_usecs, "US", "how far times may be off; 4000 by default"),
	THEIRS(tolerance_percent, "PERCENT", "the same, of the time since the event before; 12.5"),
	THEIRS(non_fatal, "LIST", "go on after differences of: packet, syscall"),
	THEIRS(so_flags, "LIST", "KEY=VALUE,...: as -o"),
	THEIRS(gateway_ip, "ADDRESS", "accepted, without effect"),
	THEIRS(netmask_ip, "ADDRESS", "accepted, without effect"),
	{0},
};

static struct drill_case *cases, **cases_tail = &cases;

/* ---- finding scripts ---- */

static void add_case(const char *path)
{
	struct drill_case *one = calloc(1, sizeof *one);

	if (!one || !(one->path = strdup(path)))
		abort();
	drill_verdict_begin(&one->verdict);
	*cases_tail = one;
	cases_tail = &one->next;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_script(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && !strcmp(path + len - 4, ".pkt");
}

/* All *.pkt below a folder, in the order of their names. */
static int add_folder(char *path)
{
	char *const paths[] = {path, NULL};
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *entry;
	unsigned n = 0;

	while (tree && (entry = fts_read(tree))) {
		if (entry->fts_info != FTS_F || !is_script(entry->fts_path))
			continue;
		add_case(entry->fts_path);
		n++;
	}
	if (tree)
		fts_close(tree);
	return n ? OPTION_GO_ON
		 : option_refuse(&command_drill, "no script (*.pkt) below '%s'", path);
}

static int add_operand(char *path)
{
	struct stat about;

	if (stat(path, &about))
		return option_refuse(&command_drill, "'%s': %s", path, strerror(errno));
	if (S_ISDIR(about.st_mode))
		return add_folder(path);
	add_case(path);
	return OPTION_GO_ON;
}

/* ---- reading ---- */

static void break_case(struct drill_case *one, struct drill_place at, const char *what)
{
	drill_verdict_fail(&one->verdict, at, "%s", what);
	one->verdict.outcome = DRILL_BROKEN;
}

static bool read_case(struct drill_case *one)
{
	FILE *file = fopen(one->path, "r");
	char *text;
	size_t len;

	if (!file) {
		break_case(one, (struct drill_place){1, 1}, strerror(errno));
		return false;
	}
	text = malloc(SCRIPT_MAX);
	if (!text)
		abort();
	len = fread(text, 1, SCRIPT_MAX, file);
	fclose(file);
	one->script = drill_script_new(one->path, text, len);
	free(text);
	if (!one->script)
		abort();
	return true;
}

/* ---- configuration ---- */

static bool line_options(struct drill_config *config, const struct line *line,
			 char why[static DRILL_WHY_MAX])
{
	const struct {
		const char *name, *value;
	} theirs[] = {
		{"ip_version", line->ip_version},
		{"local_ip", line->local_ip},
		{"remote_ip", line->remote_ip},
		{"bind_port", line->bind_port},
		{"connect_port", line->connect_port},
		{"mtu", line->mtu},
		{"mss", line->mss},
		{"tolerance_usecs", line->tolerance_usecs},
		{"tolerance_percent", line->tolerance_percent},
		{"non_fatal", line->non_fatal},
		{"so_flags", line->so_flags},
	};

	for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
		if (theirs[i].value &&
		    !drill_config_option(config, theirs[i].name, theirs[i].value, why))
			return false;
	for (size_t i = 0; i < line->settings.n; i++)
		if (!drill_config_personality(config, line->settings.text[i], why))
			return false;
	config->strict |= line->strict;
	config->dry_run |= line->dry_run;
	return true;
}

/* The script's own options, then those of the command line. */
static bool configure(struct drill_case *one, const struct line *line, struct drill_config *config)
{
	char why[DRILL_WHY_MAX];

	drill_config_init(config);
	drill_dialect_choose(config, one->script);
	for (const struct drill_setting *o = one->script->options; o; o = o->next) {
		if (drill_config_option(config, o->name, o->value, why))
			continue;
		break_case(one, o->at, why);
		return false;
	}
	if (line_options(config, line, why) && drill_config_finish(config, why))
		return true;
	break_case(one, one->script->events->at, why);
	return false;
}

/* -D NAME=VALUE: a list that lives as long as the program. */
static int read_defines(const struct line *line, const struct drill_define **list)
{
	static struct drill_define defines[OPTION_LIST_MAX];

	for (size_t i = 0; i < line->defines.n; i++) {
		char *text = strdup(line->defines.text[i]);
		char *equals = text ? strchr(text, '=') : NULL;

		if (!equals)
			return option_refuse(&command_drill,
					     "-D: '%s' is not of the form NAME=VALUE",
					     line->defines.text[i]);
		*equals = 0;
		defines[i] = (struct drill_define){.name = text, .value = equals + 1};
		defines[i].next = (struct drill_define *)*list;
		*list = &defines[i];
	}
	return OPTION_GO_ON;
}

/* ---- captures ---- */

static void on_packet(void *context, uint64_t now, bool outbound, const uint8_t *bytes, size_t len)
{
	pcapfile_frame(context, now, outbound ? PCAPNG_OUTBOUND : PCAPNG_INBOUND, bytes, len);
}

static void on_event(void *context, const struct parley_trace_event *event)
{
	pcapfile_event(context, event);
}

/* FILE for one script; for several FILE/NAME.pcapng, slashes of the name becoming dashes. */
static void capture_path(char out[static PATH_BYTES], const struct line *line,
			 const struct drill_case *one)
{
	size_t from;

	if (!cases->next) {
		snprintf(out, PATH_BYTES, "%s", line->pcap);
		return;
	}
	from = strlen(line->pcap) + 1;
	snprintf(out, PATH_BYTES, "%s/%s.pcapng", line->pcap, one->path);
	for (char *at = out + (from < PATH_BYTES ? from : 0); *at; at++)
		if (*at == '/')
			*at = '-';
}

static struct pcapfile *open_capture(const struct line *line, const struct drill_case *one)
{
	char path[PATH_BYTES];
	struct pcapfile *file;
	int error;

	capture_path(path, line, one);
	error = pcapfile_open(&file, path, one->path, "drill", PARLEY_LINK_IP, 0);
	if (!error)
		return file;
	option_fail(&command_drill, "'%s': %s", path, strerror(-error));
	return NULL;
}

/* ---- running ---- */

static void on_trace(void *context, const char *text)
{
	fprintf(context, "%s\n", text);
}

/* False when its capture cannot be written: then it does not run. */
static bool run_case(struct drill_case *one, const struct line *line,
		     const struct drill_define *defines)
{
	struct drill_watcher watcher = {.packet = on_packet, .event = on_event};
	struct drill_verdict *verdict = &one->verdict;
	struct drill_config config;
	struct drill_error error;

	if (!read_case(one))
		return true;
	if (!drill_parse(one->script, defines, &error)) {
		break_case(one, error.at, error.text);
		return true;
	}
	if (!configure(one, line, &config) || config.dry_run)
		return true;
	if (line->trace) {
		printf("%s\n", one->path);
		verdict->trace = on_trace;
		verdict->trace_context = stdout;
	}
	if (line->pcap && !(watcher.context = open_capture(line, one)))
		return false;
	drill_run(one->script, &config, line->pcap ? &watcher : NULL, verdict);
	one->ran = true;
	return !line->pcap || pcapfile_close(watcher.context) == 0;
}

static void count(struct drill_totals *totals, const struct drill_case *one)
{
	totals->scripts++;
	totals->passed += one->verdict.outcome == DRILL_PASSED;
	totals->failed += one->verdict.outcome == DRILL_FAILED;
	totals->broken += one->verdict.outcome == DRILL_BROKEN;
	totals->forgiven_options += one->verdict.forgiven_options;
	totals->forgiven_pushes += one->verdict.forgiven_pushes;
}

static int run_cases(const struct line *line, const struct drill_define *defines)
{
	struct drill_totals totals = {0};

	for (struct drill_case *one = cases; one; one = one->next) {
		if (!run_case(one, line, defines))
			return EXIT_FAILED;
		count(&totals, one);
		if (line->json)
			continue;
		if (!line->quiet)
			drill_report_notes(stdout, one);
		if (one->verdict.outcome != DRILL_PASSED)
			drill_report_failure(stdout, one);
	}
	if (line->json)
		drill_report_json(stdout, cases, &totals);
	else
		drill_report_totals(stdout, &totals);
	return totals.broken ? EXIT_USAGE : totals.failed ? EXIT_FAILED : EXIT_OK;
}

static void free_cases(void)
{
	while (cases) {
		struct drill_case *next = cases->next;

		drill_verdict_end(&cases->verdict);
		drill_script_free(cases->script);
		free((char *)cases->path);
		free(cases);
		cases = next;
	}
}

static int run(int argc, char **argv)
{
	const struct drill_define *defines = NULL;
	struct line line = {0};
	int operands;
	int status = option_parse(&command_drill, argc, argv, &line, &operands);

	if (status == OPTION_GO_ON)
		status = read_defines(&line, &defines);
	for (int i = 0; i < operands && status == OPTION_GO_ON; i++)
		status = add_operand(argv[i]);
	if (status == OPTION_GO_ON && line.pcap && cases->next && mkdir(line.pcap, 0777) &&
	    errno != EEXIST)
		status = option_fail(&command_drill, "'%s': %s", line.pcap, strerror(errno));
	if (status == OPTION_GO_ON)
		status = run_cases(&line, defines);
	free_cases();
	return status;
}

const struct command command_drill = {
	.name = "drill",
	.operands = "SCRIPT|FOLDER...",
	.summary = "run packetdrill scripts against the stack, in virtual time",
	.about = "Runs scripts in the language of packetdrill: system calls, segments that arrive, "
		 "and segments that must then be sent, each at its time. The stack is driven "
		 "directly, on a clock of its own: a script takes milliseconds, needs no "
		 "privilege, and gives the same result each time.\n\n"
		 "Of a folder all scripts (*.pkt) are run. A failure shows the script's line, "
		 "what was expected and what was sent, and the last events.",
	.options = options,
	.operands_min = 1,
	.operands_max = -1,
	.run = run,
};
