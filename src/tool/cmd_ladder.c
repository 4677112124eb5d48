/* SPDX-License-Identifier: MIT */
/* `parley ladder`: traces and captures as sequence ladders. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tool/commands.h"
#include "tool/ladder.h"
#include "tool/witness.h"
#include "wire/text.h"

struct ladder_options {
	uint64_t width, fold, conn;
	bool ascii, all;
};

static const struct option options[] = {
	{"width", 0, "COLUMNS", OPTION_COUNT, offsetof(struct ladder_options, width),
	 LADDER_WIDTH_MIN, LADDER_WIDTH_MAX, "how wide it may be; 80 by default"},
	{"ascii", 0, NULL, OPTION_FLAG, offsetof(struct ladder_options, ascii), 0, 0,
	 "draw with ASCII characters alone, as is done anyway where the locale is not UTF-8"},
	{"conn", 0, "N", OPTION_COUNT, offsetof(struct ladder_options, conn), 1, 1000000000,
	 "only the N-th connection"},
	{"fold", 0, "ROWS", OPTION_COUNT, offsetof(struct ladder_options, fold), 3, 1000000000,
	 "at most so many rows between handshake and close, 40 by default if all rows would be "
	 "more than 200; losses and retransmissions are the last to be folded away"},
	{"all", 0, NULL, OPTION_FLAG, offsetof(struct ladder_options, all), 0, 0, "fold nothing"},
	{0},
};

static void print_title(const struct stories *stories, size_t i)
{
	const struct story *story = stories->v[i];
	char left[TEXT_ENDPOINT_MAX], right[TEXT_ENDPOINT_MAX];

	if (stories->n > 1)
		printf("%sconnection %zu of %zu: %s, %s\n\n", i ? "\n" : "", i + 1, stories->n,
		       text_endpoint(left, &story->end[0].endpoint),
		       text_endpoint(right, &story->end[1].endpoint));
}

static int draw(const struct ladder_options *o, const struct stories *stories)
{
	struct term term = term_for(stdout);

	term.width = (int)o->width;
	term.ascii |= o->ascii;
	for (size_t i = 0; i < stories->n; i++) {
		size_t data = o->fold, rows = stories->v[i]->n;

		if (o->conn && o->conn != i + 1)
			continue;
		if (o->all || (!data && rows <= ROWS_LONG))
			data = ROWS_ALL;
		else if (!data)
			data = ROWS_DEFAULT;
		if (!o->conn)
			print_title(stories, i);
		if (!ladder_draw(&term, stories->v[i], data))
			return option_fail(&command_ladder, "out of memory");
	}
	return EXIT_OK;
}

static int tell(const struct ladder_options *o, const struct witness *first,
		const struct witness *second)
{
	char error[WITNESS_ERROR_MAX];
	struct stories stories;
	int status;

	if (!stories_make(&stories, first, second, error))
		return option_fail(&command_ladder, "%s", error);
	if (!stories.n)
		status = option_fail(&command_ladder, "%s: no TCP over IPv4 in it", first->path);
	else if (o->conn > stories.n)
		status = option_fail(&command_ladder, "--conn %" PRIu64 ": there %s only %zu",
				     o->conn, stories.n == 1 ? "is" : "are", stories.n);
	else
		status = draw(o, &stories);
	stories_free(&stories);
	return status;
}

static int run(int argc, char **argv)
{
	struct ladder_options o = {.width = 80};
	struct witness *witness[2] = {NULL, NULL};
	char error[WITNESS_ERROR_MAX];
	int n;
	int status = option_parse(&command_ladder, argc, argv, &o, &n);

	if (status != OPTION_GO_ON)
		return status;
	for (int i = 0; i < n; i++) {
		witness[i] = witness_read(argv[i], error);
		if (!witness[i]) {
			witness_free(witness[0]);
			return option_fail(&command_ladder, "%s", error);
		}
	}
	status = tell(&o, witness[0], witness[1]);
	witness_free(witness[0]);
	witness_free(witness[1]);
	return status;
}

const struct command command_ladder = {
	.name = "ladder",
	.operands = "FILE [FILE]",
	.summary = "draw a trace or a capture as a sequence ladder",
	.about =
		"Draws each connection as a ladder: time, the state of each end where it changes, "
		"the segments as arrows with flags and relative numbers in tcpdump's notation, "
		"and beside them the steps of handshake and close, and why something was sent "
		"again.\n\n"
		"FILE is a trace (parley run --trace) or a capture (pcapng or pcap). From one file "
		"the state of an end that has not written it is inferred, and marked with '?'. "
		"From the traces of both ends the states of both are known, and which segments "
		"were lost.",
	.options = options,
	.operands_min = 1,
	.operands_max = 2,
	.run = run,
};
