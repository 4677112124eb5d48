/* SPDX-License-Identifier: MIT */
/* `parley COMMAND ...`: finds the command. */
#include <stdio.h>
#include <string.h>

#include <parley/host.h>

#include "tool/commands.h"
#include "tool/words.h"

static const struct command *const commands[] = {
	&command_demo,	 &command_run,	 &command_lan, &command_ss,    &command_stat,
	&command_ladder, &command_drill, &command_sim, &command_check,
};

#define COMMANDS (sizeof commands / sizeof *commands)

static void usage(FILE *out)
{
	fprintf(out,
		"Usage: parley COMMAND [OPTION]... [ARG]...\n"
		"\n"
		"TCP outside the kernel: run unmodified programs over it, and see every segment.\n"
		"\n"
		"Commands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s  %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\n"
		     "'parley COMMAND --help' tells more; 'parley --version' which one this is.\n"
		     "To begin: parley demo\n");
}

static int unknown(const char *word)
{
	const char *best = NULL;
	unsigned least = 3;

	for (size_t i = 0; i < COMMANDS; i++) {
		unsigned distance = words_distance(word, commands[i]->name);

		if (distance < least) {
			least = distance;
			best = commands[i]->name;
		}
	}
	fprintf(stderr, "parley: no %s '%s'", *word == '-' ? "option" : "command", word);
	if (best)
		fprintf(stderr, "; is it '%s'?\n", best);
	else
		fprintf(stderr, "; 'parley --help' lists what there is\n");
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("parley %s\n", parley_version());
		return EXIT_OK;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i]->name))
			return commands[i]->run(argc - 1, argv + 1);
	return unknown(argv[1]);
}
