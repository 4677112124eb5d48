/* SPDX-License-Identifier: MIT */
/* The demo between two simulated hosts, in virtual time: the same seed gives the same run. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/pcapfile.h"
#include "dev/tracefile.h"
#include "sim/pair.h"
#include "tool/commands.h"
#include "tool/demo.h"

#define ARENA	((size_t)64 << 20)
#define PORT	80
#define REQUEST 78 /* bytes that the client asks with */
/* A virtual day: nothing that ends at all takes so long. */
#define LIMIT (UINT64_C(86400) * 1000000000)
/* What captures show as the beginning of virtual time: 2000-01-01. */
#define EPOCH (UINT64_C(946684800) * 1000000000)

struct stage {
	const struct demo *demo;
	struct sim_world *world;
	struct tracefile *trace[2];
	struct pcapfile *pcap[2];
};

static void on_trace(void *context, int host, const struct parley_trace_event *event)
{
	struct stage *stage = context;

	pcapfile_event(stage->pcap[host], event);
	tracefile_event(stage->trace[host], event);
}

static void on_frame(void *context, const struct sim_sight *sight)
{
	struct stage *stage = context;

	if (sight->fate == SIM_SENT && sight->from >= 0)
		pcapfile_frame(stage->pcap[sight->from], sight->at, PCAPNG_OUTBOUND, sight->bytes,
			       sight->len);
	if (sight->fate == SIM_DELIVERED && sight->to >= 0)
		pcapfile_frame(stage->pcap[sight->to], sight->at, PCAPNG_INBOUND, sight->bytes,
			       sight->len);
}

static int open_files(struct stage *stage)
{
	static const struct {
		const char *host, *trace, *pcap;
	} names[2] = {
		[SIM_CLIENT] = {"client", "client.trace", "client.pcapng"},
		[SIM_SERVER] = {"server", "server.trace", "server.pcapng"},
	};
	char path[DEMO_PATH_MAX];

	for (int i = 0; i < 2; i++) {
		struct tracefile_about about = {
			.host = names[i].host,
			.prefix = 24,
			.virtual_clock = true,
		};
		int error;

		/* The pair's addresses: 192.0.2.1 and .2, IPv4 mapped. */
		about.address.b[10] = about.address.b[11] = 0xff;
		about.address.b[12] = 192;
		about.address.b[14] = 2;
		about.address.b[15] = (uint8_t)(i + 1);
		error = tracefile_open(&stage->trace[i],
				       demo_path(path, stage->demo, names[i].trace), &about);
		if (!error)
			error = pcapfile_open(
				&stage->pcap[i], demo_path(path, stage->demo, names[i].pcap),
				"simulated", names[i].host, PARLEY_LINK_ETHERNET, EPOCH);
		if (error)
			return option_fail(&command_demo, "'%s': %s", path, strerror(-error));
	}
	return EXIT_OK;
}

static void close_files(struct stage *stage)
{
	for (int i = 0; i < 2; i++) {
		if (stage->trace[i])
			tracefile_close(stage->trace[i]);
		if (stage->pcap[i])
			pcapfile_close(stage->pcap[i]);
	}
}

/* A client that asks, a server that answers and closes, as with HTTP/1.0. The client's number. */
static int add_users(const struct stage *stage)
{
	const struct sim_op serve[] = {
		SIM_READ(REQUEST),
		SIM_WAIT(SIM_UNTIL_READ),
		SIM_SEND(stage->demo->size),
		SIM_WAIT(SIM_UNTIL_SENT),
		SIM_CLOSE(),
		SIM_WAIT(SIM_UNTIL_DEAD),
	};
	int server = sim_program_add(stage->world, serve, sizeof serve / sizeof *serve);
	const struct sim_op listener[] = {SIM_LISTEN(PORT, 16), SIM_ACCEPT(server)};
	const struct sim_op ask[] = {
		SIM_CONNECT(SIM_SERVER, PORT), SIM_SEND(REQUEST), SIM_READ(SIM_ALL),
		SIM_WAIT(SIM_UNTIL_EOF),       SIM_CLOSE(),	  SIM_WAIT(SIM_UNTIL_DEAD),
	};
	int listen = sim_program_add(stage->world, listener, sizeof listener / sizeof *listener);
	int client = sim_program_add(stage->world, ask, sizeof ask / sizeof *ask);

	if (server < 0 || listen < 0 || client < 0 ||
	    sim_user_add(stage->world, SIM_SERVER, listen) < 0)
		return -ENOMEM;
	return sim_user_add(stage->world, SIM_CLIENT, client);
}

static int play(struct stage *stage)
{
	int client = add_users(stage);
	const struct sim_world *world = stage->world;

	if (client < 0)
		return option_fail(&command_demo, "%s", strerror(ENOMEM));
	if (sim_finish(stage->world, LIMIT) != SIM_SETTLED)
		return option_fail(&command_demo, "the simulation has failed: %s",
				   world->failure.text);
	if (world->user[client]->received != stage->demo->size)
		return option_fail(&command_demo, "only %" PRIu64 " bytes arrived",
				   world->user[client]->received);
	printf("%" PRIu64 " bytes arrived intact: each was compared with the one sent\n",
	       stage->demo->size);
	return EXIT_OK;
}

static int perform(struct stage *stage, void *arena)
{
	struct path_config path;
	struct sim_pair_config config = {.lan = {.link = PARLEY_LINK_ETHERNET}};
	char seed[32] = "";

	network_path(&stage->demo->network, &path);
	config.world.seed = path.seed;
	config.world.hooks = (struct sim_hooks){stage, on_trace, on_frame};
	config.to_server = config.to_client = path;
	config.profile[SIM_CLIENT] = config.profile[SIM_SERVER] = stage->demo->profile;
	stage->world = sim_pair_new(arena, ARENA, &config);
	if (!stage->world)
		return option_fail(&command_demo, "%s", strerror(ENOMEM));
	if (stage->demo->network.seed == UINT64_MAX)
		snprintf(seed, sizeof seed, "%" PRIu64, path.seed);
	printf("two simulated hosts%s%s\n", *seed ? "; again with --seed " : "", seed);
	return play(stage);
}

int demo_simulated(const struct demo *demo)
{
	struct stage stage = {.demo = demo};
	void *arena = aligned_alloc(SIM_ARENA_ALIGN, ARENA);
	int status;

	if (!arena)
		return option_fail(&command_demo, "%s", strerror(ENOMEM));
	status = open_files(&stage);
	if (status == EXIT_OK)
		status = perform(&stage, arena);
	close_files(&stage);
	free(arena);
	return status;
}
