/* SPDX-License-Identifier: MIT */
/*
 * parley-bench [--rounds N] [--only GROUP[,GROUP...]] [--quick] [--text FILE] [--json FILE]
 *
 * Takes all measures of all groups, N rounds, and tells the medians and what they are against each
 * other, at standard output (and in FILE). --quick does little of everything and proves only that
 * it works. Ends with 0, also when a goal is missed: 2 says that something could not be run.
 */
#include "bench.h"
#include "report.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <parley/types.h>

bool quick;

extern char **environ;

static const struct group *const groups[] = {
	&bulk_group, &trip_group, &connect_group, &idle_group, &many_group, &tun_group,
};

#define GROUPS (sizeof groups / sizeof groups[0])

static const struct child *const children[] = {kernel_children, idle_children, tun_children};

void die(const char *what, int error)
{
	fprintf(stderr, "parley-bench: no %s", what);
	if (error)
		fprintf(stderr, ": %s", parley_error_name(error));
	fputc('\n', stderr);
	exit(2);
}

static cpu_set_t allowed;

void pin(unsigned which)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (which-- == 0)
			break;
	}
	sched_setaffinity(0, sizeof set, &set);
}

/* A child may use all cores again, and decides itself. */
static double spawn_child(const char *name)
{
	const char *argv[] = {"parley-bench", "--child", name, quick ? "--quick" : NULL, NULL};
	posix_spawn_file_actions_t actions;
	double value = NAN;
	int ends[2], status = -1;
	FILE *said;
	pid_t pid;

	if (pipe(ends) < 0)
		die("pipe", errno);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	sched_setaffinity(0, sizeof allowed, &allowed);
	if (posix_spawn(&pid, "/proc/self/exe", &actions, NULL, (char *const *)(uintptr_t)argv,
			environ))
		die("process", EAGAIN);
	pin(0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	said = fdopen(ends[0], "r");
	if (!said || fscanf(said, "%lf", &value) != 1)
		value = NAN;
	if (said)
		fclose(said);
	waitpid(pid, &status, 0);
	if (status)
		die(name, 0);
	return value;
}

double run_child(const struct measure *measure)
{
	return spawn_child(measure->child);
}

static int be_child(const char *name)
{
	for (size_t i = 0; i < sizeof children / sizeof children[0]; i++)
		for (const struct child *child = children[i]; child->name; child++)
			if (!strcmp(child->name, name)) {
				pin(0);
				printf("%.9g\n", child->run());
				return 0;
			}
	fprintf(stderr, "parley-bench: no child is called '%s'\n", name);
	return 2;
}

static struct result run_group(const struct group *group, int rounds)
{
	struct result result = {.group = group, .rounds = rounds};

	result.samples = calloc(group->measure_count, sizeof *result.samples);
	if (!result.samples)
		die("memory", ENOMEM);
	if (group->begin && !group->begin())
		rounds = 0;
	for (size_t i = 0; i < group->measure_count; i++)
		result.samples[i].measure = &group->measures[i];
	for (int round = 0; round < result.rounds; round++)
		for (size_t i = 0; i < group->measure_count; i++) {
			const struct measure *measure = &group->measures[i];

			result.samples[i].value[round] = !rounds	? NAN
							 : measure->run ? measure->run(measure)
									: measure->arg;
		}
	if (group->end)
		group->end();
	return result;
}

static bool is_wanted(const char *only, const char *name)
{
	size_t len = strlen(name);

	if (!only || !*only)
		return true;
	for (const char *at = only; (at = strstr(at, name)); at += len)
		if ((at == only || at[-1] == ',') && (!at[len] || at[len] == ','))
			return true;
	return false;
}

struct options {
	int rounds;
	const char *only, *text, *json, *child;
};

static _Noreturn void usage(void)
{
	fputs("usage: parley-bench [--rounds N] [--only GROUP[,GROUP...]] [--quick] [--text FILE] "
	      "[--json FILE]\ngroups:\n",
	      stderr);
	for (size_t i = 0; i < GROUPS; i++)
		fprintf(stderr, "  %-8s %s\n", groups[i]->name, groups[i]->what);
	exit(2);
}

static struct options read_options(int argc, char **argv)
{
	struct options options = {.rounds = 5};

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		const char **string = !strcmp(argv[i], "--only")    ? &options.only
				      : !strcmp(argv[i], "--text")  ? &options.text
				      : !strcmp(argv[i], "--json")  ? &options.json
				      : !strcmp(argv[i], "--child") ? &options.child
								    : NULL;

		if (!strcmp(argv[i], "--quick")) {
			quick = true;
		} else if (!strcmp(argv[i], "--rounds") && value) {
			options.rounds = (int)strtol(value, NULL, 10);
			i++;
		} else if (string && value) {
			*string = value;
			i++;
		} else {
			usage();
		}
	}
	if (options.rounds < 1 || options.rounds > MAX_ROUNDS)
		usage();
	return options;
}

static void write_file(const char *path, const struct result *results, size_t n,
		       void (*write)(FILE *, const struct result *, size_t))
{
	FILE *file;

	if (!path || !*path)
		return;
	file = fopen(path, "w");
	if (!file)
		die(path, errno);
	write(file, results, n);
	if (fclose(file))
		die(path, errno);
}

int main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	struct result results[GROUPS];
	size_t n = 0;

	sched_getaffinity(0, sizeof allowed, &allowed);
	if (options.child)
		return be_child(options.child);
	pin(0);
	for (size_t i = 0; i < GROUPS; i++) {
		if (!is_wanted(options.only, groups[i]->name))
			continue;
		fprintf(stderr, "%s: %s\n", groups[i]->name, groups[i]->what);
		results[n++] = run_group(groups[i], options.rounds);
	}
	if (!n)
		usage();
	report_text(stdout, results, n);
	write_file(options.text, results, n, report_text);
	write_file(options.json, results, n, report_json);
	for (size_t i = 0; i < n; i++)
		free(results[i].samples);
	return 0;
}
