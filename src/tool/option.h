/* SPDX-License-Identifier: MIT */
/*
 * The command line, by one table a command: parsing, checking, --help and error messages all come
 * from it.
 *
 * Options are long, with their value behind a space or '='; some have a letter too, and flags may
 * share a dash ("-tan"). They may stand before, between and behind the operands; "--" ends them. A
 * command that runs a program takes everything from the first operand on as it is.
 */
#ifndef TOOL_OPTION_H
#define TOOL_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How a value is written, and what is stored at the option's place. Numbers are decimal fractions
 * in the unit that people use; they are stored exactly, as a uint64_t of the smallest unit.
 */
enum option_type {
	OPTION_FLAG,	/* no value; bool */
	OPTION_TEXT,	/* const char * */
	OPTION_LIST,	/* may be given many times; struct option_list */
	OPTION_COUNT,	/* a whole number; uint64_t */
	OPTION_PERCENT, /* parts per million; uint64_t */
	OPTION_MS,	/* milliseconds; uint64_t of ns */
	OPTION_S,	/* seconds; uint64_t of ns */
	OPTION_MBIT,	/* Mbit a second; uint64_t of bits a second */
	OPTION_BYTES,	/* bytes, also with K, M, G (of 1024); uint64_t */
};

#define OPTION_LIST_MAX 64

struct option_list {
	const char *text[OPTION_LIST_MAX];
	size_t n;
};

struct option {
	const char *name;  /* without the dashes; NULL ends a table */
	char letter;	   /* 0: none */
	const char *value; /* what the value is called in the help, NULL for a flag */
	enum option_type type;
	size_t offset;		   /* of the place in the command's struct */
	uint64_t minimum, maximum; /* as stored; both 0: no limits */
	const char *help;
};

struct command {
	const char *name;     /* "lan" */
	const char *operands; /* "PATH" */
	const char *summary;  /* one line, for the list of commands */
	const char *about;    /* what it does, paragraphs; filled to 80 columns by the help */
	const struct option *options;
	int operands_min, operands_max; /* max -1: no limit */
	bool program; /* options end with the first operand, as a program follows */
	/* What the help says below the options; NULL: nothing. */
	void (*more_help)(void);
	/* Runs it; the exit status. */
	int (*run)(int argc, char **argv);
};

/* Exit statuses of every command. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* option_parse() answers this when all is well and the command shall go on. */
#define OPTION_GO_ON (-1)

/*
 * Reads argv[1..argc-1] into `into`, which holds the defaults, and puts the operands to the front
 * of argv, from argv[0] on; *operands says how many. Returns OPTION_GO_ON, or the exit status with
 * which to end: EXIT_OK after --help, EXIT_USAGE after a message on standard error.
 */
int option_parse(const struct command *command, int argc, char **argv, void *into, int *operands);

/*
 * "parley lan: " + the message + a line end, on standard error. Returns EXIT_USAGE, for the
 * message to stand in a return.
 */
int option_refuse(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, but returns EXIT_FAILED. */
int option_fail(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A decimal number such as "12.5" times 10^scale, exactly. False when it is not a number, when it
 * has more decimals than scale, or does not fit; `end` is set to what follows it.
 */
bool option_decimal(const char *text, unsigned scale, uint64_t *number, const char **end);

#endif
