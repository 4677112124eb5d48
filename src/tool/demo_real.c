/* SPDX-License-Identifier: MIT */
/* The demo with programs in real time: each step waits for an event, none for a duration. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dev/clock.h"
#include "tool/child.h"
#include "tool/commands.h"
#include "tool/demo.h"
#include "tool/witness.h"

#define SECOND	 UINT64_C(1000000000)
#define PATIENCE (60 * SECOND)

#define SELF	    "/proc/self/exe"
#define CLIENT_ADDR "192.0.2.1"
#define SERVER_ADDR "192.0.2.2"
#define PORT	    "8000"
#define FILE_NAME   "file.bin"
/* 2 MSL are two minutes or four; this is to be watched. */
#define SHORT_MSL "msl=1s"

struct scene {
	const struct demo *demo;
	struct child lan, server, client;
	char log[DEMO_PATH_MAX];
	char net[DEMO_PATH_MAX]; /* lan:DIR/net */
	char sent[DEMO_PATH_MAX], got[DEMO_PATH_MAX];
	char server_trace[DEMO_PATH_MAX], server_pcap[DEMO_PATH_MAX];
	char client_trace[DEMO_PATH_MAX], client_pcap[DEMO_PATH_MAX];
};

static int write_random_file(const char *path, uint64_t size)
{
	FILE *file = fopen(path, "wb");
	unsigned char block[256]; /* getrandom() gives so much without interruption */
	bool good = file != NULL;

	while (good && size) {
		size_t n = size < sizeof block ? (size_t)size : sizeof block;

		good = getrandom(block, n, 0) == (ssize_t)n && fwrite(block, 1, n, file) == n;
		size -= n;
	}
	if (file && fclose(file))
		good = false;
	return good ? EXIT_OK : option_fail(&command_demo, "'%s': %s", path, strerror(errno));
}

static bool shows(const char *trace, enum parley_state state)
{
	char error[WITNESS_ERROR_MAX];
	struct witness *witness = witness_read(trace, error);
	bool found = false;

	for (size_t i = 0; witness && i < witness->n; i++) {
		const struct sighting *s = &witness->sightings[i];

		/* A listener's way back to CLOSED is none of what is waited for. */
		found |= s->kind == SIGHTING_STATE && s->state == state && s->dst.port;
	}
	witness_free(witness);
	return found;
}

/* Waits until a trace shows some connection in a state; for as long as its writer lives. */
static bool wait_for(const char *trace, enum parley_state state, const struct child *writer)
{
	int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	uint64_t deadline = clock_now() + PATIENCE;
	struct pollfd fds[2] = {{.fd = notify, .events = POLLIN},
				{.fd = writer->pidfd, .events = POLLIN}};
	int watch = -1;
	bool found;

	for (;;) {
		char events[4096];
		uint64_t now;

		/* The file comes into being some time after its writer. */
		if (watch < 0)
			watch = inotify_add_watch(notify, trace, IN_MODIFY);
		found = shows(trace, state);
		now = clock_now();
		if (found || now >= deadline || fds[1].revents)
			break;
		poll(fds, 2, watch < 0 ? 20 : (int)((deadline - now) / 1000000) + 1);
		while (read(notify, events, sizeof events) > 0)
			;
	}
	close(notify);
	return found;
}

/* The end of what the children have said. */
static void print_log(const struct scene *scene)
{
	FILE *file = fopen(scene->log, "r");
	char line[256];

	if (!file)
		return;
	if (!fseek(file, -1000, SEEK_END) && !fgets(line, sizeof line, file))
		line[0] = 0;
	while (fgets(line, sizeof line, file))
		fprintf(stderr, "  | %s", line);
	fclose(file);
}

static int fail(const struct scene *scene, const char *what)
{
	option_fail(&command_demo, "%s", what);
	print_log(scene);
	return EXIT_FAILED;
}

/* value / unit, with as many decimals as it has. */
static void print_decimal(char out[static 32], uint64_t value, int decimals, uint64_t unit)
{
	size_t used = (size_t)snprintf(out, 32, "%" PRIu64 ".%0*" PRIu64, value / unit, decimals,
				       value % unit);

	while (out[used - 1] == '0')
		used--;
	out[out[used - 1] == '.' ? used - 1 : used] = 0;
}

static int start_lan(struct scene *scene)
{
	const struct network_options *n = &scene->demo->network;
	char pcap[DEMO_PATH_MAX], line[256], seed[32], text[7][32];
	const char *argv[40] = {SELF, "lan", scene->net + strlen("lan:"), "--pcap", pcap};
	const struct {
		const char *name;
		uint64_t value;
		int decimals;
		uint64_t unit;
	} numbers[] = {
		{"--delay", n->delay, 6, 1000000},   {"--jitter", n->jitter, 6, 1000000},
		{"--loss", n->loss, 4, 10000},	     {"--dup", n->duplicate, 4, 10000},
		{"--reorder", n->reorder, 4, 10000}, {"--corrupt", n->corrupt, 4, 10000},
		{"--rate", n->rate, 6, 1000000},
	};
	size_t argc = 5;

	demo_path(pcap, scene->demo, "lan.pcapng");
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		if (!numbers[i].value)
			continue;
		print_decimal(text[i], numbers[i].value, numbers[i].decimals, numbers[i].unit);
		argv[argc++] = numbers[i].name;
		argv[argc++] = text[i];
	}
	if (n->seed != UINT64_MAX) {
		snprintf(seed, sizeof seed, "%" PRIu64, n->seed);
		argv[argc++] = "--seed";
		argv[argc++] = seed;
	}
	if (child_start(&scene->lan, argv, scene->log, true) ||
	    !child_line(&scene->lan, clock_now() + PATIENCE, line, sizeof line))
		return fail(scene, "the LAN does not start");
	return EXIT_OK;
}

static int start_server(struct scene *scene)
{
	char line[256];
	const char *const argv[] = {
		SELF,
		"run",
		"--dev",
		scene->net,
		"--addr",
		SERVER_ADDR "/24",
		"--profile",
		parley_profile_name((int)scene->demo->profile),
		"-o",
		SHORT_MSL,
		"--trace",
		scene->server_trace,
		"--pcap",
		scene->server_pcap,
		"--",
		"python3",
		"-u",
		"-m",
		"http.server",
		"--bind",
		SERVER_ADDR,
		"--directory",
		scene->demo->dir,
		PORT,
		NULL,
	};

	/* It says "Serving HTTP on ..." once it listens. */
	if (child_start(&scene->server, argv, scene->log, true) ||
	    !child_line(&scene->server, clock_now() + PATIENCE, line, sizeof line))
		return fail(scene, "the web server does not start");
	return EXIT_OK;
}

static int fetch(struct scene *scene)
{
	const char *const argv[] = {
		SELF,	     "run",
		"--dev",     scene->net,
		"--addr",    CLIENT_ADDR "/24",
		"--profile", parley_profile_name((int)scene->demo->profile),
		"-o",	     SHORT_MSL,
		"--trace",   scene->client_trace,
		"--pcap",    scene->client_pcap,
		"--",	     "curl",
		"-sS",	     "--noproxy",
		"*",	     "-o",
		scene->got,  "http://" SERVER_ADDR ":" PORT "/" FILE_NAME,
		NULL,
	};
	/* At 1 % loss a megabyte takes seconds; large files on bad networks take what they need. */
	uint64_t patience = PATIENCE + scene->demo->size * 100000;
	int status;

	if (child_start(&scene->client, argv, scene->log, false))
		return fail(scene, "curl does not start");
	status = child_wait(&scene->client, clock_now() + patience);
	if (status == CHILD_RUNNING)
		return fail(scene, "curl does not come to an end");
	if (status)
		return fail(scene, "curl has failed");
	return EXIT_OK;
}

/* The first 64 letters of what sha256sum says. */
static bool sum(struct scene *scene, const char *path, char out[static 65])
{
	const char *const argv[] = {"sha256sum", "--", path, NULL};
	struct child child;
	char line[DEMO_PATH_MAX + 128];
	bool good;

	if (child_start(&child, argv, scene->log, true))
		return false;
	good = child_line(&child, clock_now() + PATIENCE, line, sizeof line) && strlen(line) > 64;
	good &= child_wait(&child, clock_now() + PATIENCE) == 0;
	child_end(&child, SECOND);
	snprintf(out, 65, "%.64s", good ? line : "");
	return good;
}

static int compare(struct scene *scene)
{
	char sent[65], got[65];

	if (!sum(scene, scene->sent, sent) || !sum(scene, scene->got, got))
		return fail(scene, "sha256sum has failed");
	if (strcmp(sent, got))
		return fail(scene, "the file that arrived is not the file that was sent");
	printf("%" PRIu64 " bytes arrived intact: SHA-256 %.16s... at both ends\n",
	       scene->demo->size, got);
	return EXIT_OK;
}

static int play(struct scene *scene)
{
	int status = write_random_file(scene->sent, scene->demo->size);

	if (status == EXIT_OK)
		status = start_lan(scene);
	if (status == EXIT_OK)
		status = start_server(scene);
	if (status == EXIT_OK)
		status = fetch(scene);
	if (status == EXIT_OK)
		status = compare(scene);
	/* The end that closed first waits for 2 MSL in TIME-WAIT. */
	if (status == EXIT_OK && !wait_for(scene->server_trace, PARLEY_CLOSED, &scene->server))
		status = fail(scene, "the server's connection does not come to an end");
	return status;
}

static void announce(const struct demo *demo)
{
	char delay[32], loss[32];

	print_decimal(delay, demo->network.delay, 6, 1000000);
	print_decimal(loss, demo->network.loss, 4, 10000);
	printf("curl at " CLIENT_ADDR ", python3 -m http.server at " SERVER_ADDR ",\n"
	       "between them a LAN with %s ms delay each way and %s %% loss; MSL is 1 s, so that\n"
	       "the end of TIME-WAIT can be waited for\n",
	       delay, loss);
	fflush(stdout);
}

int demo_real(const struct demo *demo)
{
	struct scene *scene = calloc(1, sizeof *scene);
	int status;

	if (!scene)
		return option_fail(&command_demo, "%s", strerror(ENOMEM));
	scene->demo = demo;
	demo_path(scene->log, demo, "log");
	demo_path(scene->sent, demo, FILE_NAME);
	demo_path(scene->got, demo, "downloaded");
	demo_path(scene->server_trace, demo, "server.trace");
	demo_path(scene->server_pcap, demo, "server.pcapng");
	demo_path(scene->client_trace, demo, "client.trace");
	demo_path(scene->client_pcap, demo, "client.pcapng");
	snprintf(scene->net, sizeof scene->net, "lan:%.4000s/net", demo->dir);
	unlink(scene->log);
	unlink(scene->got);
	unlink(scene->server_trace);
	announce(demo);
	status = play(scene);
	child_end(&scene->client, 5 * SECOND);
	child_end(&scene->server, 15 * SECOND);
	child_end(&scene->lan, 5 * SECOND);
	if (status == EXIT_OK) {
		unlink(scene->sent);
		unlink(scene->got);
	}
	free(scene);
	return status;
}
