/* SPDX-License-Identifier: MIT */
/* `parley lan`: an Ethernet hub with faults (dev/hub.h). */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "dev/hub.h"
#include "tool/commands.h"
#include "tool/network.h"

struct lan_options {
	struct network_options network;
	const char *pcap;
};

static const struct option options[] = {
	NETWORK_OPTIONS(struct lan_options, network),
	{"pcap", 0, "FILE", OPTION_TEXT, offsetof(struct lan_options, pcap), 0, 0,
	 "write what comes in to FILE (pcapng), with comments that say what it is and what "
	 "becomes of it"},
	{0},
};

static void print_counts(const struct hub_counts *counts)
{
	const struct path_counts *links = &counts->links;
	const struct {
		uint64_t n;
		const char *what;
	} rows[] = {
		{links->lost, "lost on the way"},
		{links->queue_full, "dropped: the queue was full"},
		{counts->memory, "dropped: too much under way"},
		{counts->gone, "dropped: the station had left"},
		{counts->malformed, "dropped: too short or too long for a frame"},
		{links->duplicated, "doubled"},
		{links->reordered, "held back, so that others overtook"},
		{links->corrupted, "with one bit inverted"},
	};

	printf("parley lan: %" PRIu64 " stations, %" PRIu64 " frames in, %" PRIu64 " out\n",
	       counts->stations, counts->in, counts->out);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].n)
			printf("%12" PRIu64 " %s\n", rows[i].n, rows[i].what);
}

static int refuse_hub(const char *culprit, int error)
{
	switch (-error) {
	case EADDRINUSE:
		return option_fail(&command_lan, "a hub is running at '%s' already", culprit);
	case ENOTSOCK:
		return option_fail(&command_lan, "'%s' is there already, and not a hub's socket",
				   culprit);
	case ENAMETOOLONG:
		return option_fail(&command_lan, "'%s' is too long for a socket's path (107 bytes)",
				   culprit);
	default:
		return option_fail(&command_lan, "'%s': %s", culprit, strerror(-error));
	}
}

/* SIGINT and SIGTERM, to be read instead of ending the process. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int serve(const struct hub_config *config)
{
	const char *culprit;
	struct hub_counts counts;
	struct hub *hub;
	int ended, error, signals = open_signals();

	if (signals < 0)
		return option_fail(&command_lan, "signals: %s", strerror(errno));
	error = hub_open(&hub, config, &culprit);
	if (error)
		return refuse_hub(culprit, error);
	printf("parley lan: ready at %s\n", config->path);
	fflush(stdout);
	ended = hub_run(hub, signals);
	hub_counts(hub, &counts);
	error = hub_close(hub);
	print_counts(&counts);
	if (ended < 0)
		return option_fail(&command_lan, "%s", strerror(-ended));
	if (error)
		return option_fail(&command_lan, "'%s': %s", config->pcap, strerror(-error));
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	struct lan_options o = {.network = NETWORK_DEFAULTS};
	struct hub_config config = {0};
	int operands;
	int status = option_parse(&command_lan, argc, argv, &o, &operands);

	if (status != OPTION_GO_ON)
		return status;
	network_path(&o.network, &config.link);
	config.path = argv[0];
	config.pcap = o.pcap;
	return serve(&config);
}

const struct command command_lan = {
	.name = "lan",
	.operands = "PATH",
	.summary = "an Ethernet hub for hosts, in real time, with delay and faults",
	.about = "An Ethernet hub: hosts join it at the socket PATH with 'parley run --dev "
		 "lan:PATH'. Frames go to the station that they are for, on a way with the delay "
		 "and the faults given here. Each chance is meant for each frame by itself, and "
		 "each direction has its own. Ends on SIGINT (Ctrl-C) and SIGTERM, and then says "
		 "what it has seen.",
	.options = options,
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
