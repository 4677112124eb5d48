/* SPDX-License-Identifier: MIT */
#include "tool/replay.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dev/pcapfile.h"
#include "dev/tracefile.h"
#include "sim/shrink.h"

#define TRIES_MAX 3000
/* Each world that does not end takes TRIAL_PATIENCE. */
#define TRIES_ENDLESS 60
#define PATH_ROOM     4096
#define HOSTS	      (sizeof((struct sim_scenario){0}.hosts) / sizeof(struct sim_of_host))
/* What captures show as the beginning of virtual time: 2000-01-01. */
#define EPOCH (UINT64_C(946684800) * 1000000000)

struct shrinking {
	const struct trial *failed;
	struct trial *last;
	bool broken; /* there was no process */
};

static bool fails(void *context, const struct sim_scenario *scenario)
{
	struct shrinking *s = context;
	static struct trial trial;

	if (s->broken || !trial_apart(scenario, &trial)) {
		s->broken = true;
		return false;
	}
	if (!trial_same(&trial, s->failed))
		return false;
	*s->last = trial;
	return true;
}

bool replay_shrink(struct sim_scenario *scenario, const struct trial *failed, struct trial *trial,
		   uint32_t *tries)
{
	struct shrinking s = {.failed = failed, .last = trial};
	struct sim_shrinking shrinking = {.fails = fails, .context = &s, .tries_max = TRIES_MAX};

	if (failed->signal == SIGVTALRM)
		shrinking.tries_max = TRIES_ENDLESS;
	if (!trial_open())
		return false;
	sim_shrink(&shrinking, scenario);
	*tries = shrinking.tries;
	return !s.broken;
}

void replay_print(const struct sim_scenario *scenario, FILE *out)
{
	static char buf[SIM_SCENARIO_TEXT_MAX];
	struct sim_text text;

	sim_text_init(&text, buf, sizeof buf);
	sim_scenario_write(scenario, &text);
	fputs(buf, out);
}

bool replay_save(const struct sim_scenario *scenario, const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return false;
	replay_print(scenario, file);
	return !fclose(file);
}

int replay_load(struct sim_scenario *scenario, const char *path, struct sim_complaint *complaint)
{
	static char text[SIM_SCENARIO_TEXT_MAX + 1];
	FILE *file = fopen(path, "re");
	size_t len;
	int error = 0;

	*complaint = (struct sim_complaint){0};
	if (!file)
		return -errno;
	len = fread(text, 1, sizeof text, file);
	if (ferror(file))
		error = -errno;
	else if (len > SIM_SCENARIO_TEXT_MAX)
		error = -EFBIG;
	fclose(file);
	if (!error)
		sim_scenario_read(scenario, text, len, complaint);
	return error;
}

/* The files of a world, by host. */
struct files {
	struct tracefile *trace[HOSTS];
	struct pcapfile *pcap[HOSTS];
};

static void on_trace(void *context, int host, const struct parley_trace_event *event)
{
	struct files *files = context;

	pcapfile_event(files->pcap[host], event);
	tracefile_event(files->trace[host], event);
}

static void on_frame(void *context, const struct sim_sight *sight)
{
	struct files *files = context;

	if (sight->fate == SIM_SENT && sight->from >= 0)
		pcapfile_frame(files->pcap[sight->from], sight->at, PCAPNG_OUTBOUND, sight->bytes,
			       sight->len);
	if (sight->fate == SIM_DELIVERED && sight->to >= 0)
		pcapfile_frame(files->pcap[sight->to], sight->at, PCAPNG_INBOUND, sight->bytes,
			       sight->len);
}

/* The first port of a host: what its files are about. */
static const struct sim_of_port *first_port(const struct sim_scenario *s, uint32_t host)
{
	for (uint32_t i = 0; i < s->count[SIM_LIST_ports]; i++)
		if (s->ports[i].host == host)
			return &s->ports[i];
	return NULL;
}

static int open_host(struct files *files, const struct sim_scenario *s, uint32_t host,
		     const char *dir, char path[static PATH_ROOM])
{
	const struct sim_of_port *port = first_port(s, host);
	const char *name = s->hosts[host].name;
	struct tracefile_about about = {.host = name, .virtual_clock = true};
	enum parley_link link = PARLEY_LINK_ETHERNET;
	int error;

	if (port) {
		about.address = sim_stage_address(s, port, &about.prefix);
		link = (enum parley_link)s->lans[port->lan].link;
	}
	snprintf(path, PATH_ROOM, "%s/%s.trace", dir, name);
	error = tracefile_open(&files->trace[host], path, &about);
	if (error)
		return error;
	snprintf(path, PATH_ROOM, "%s/%s.pcapng", dir, name);
	return pcapfile_open(&files->pcap[host], path, "simulated", name, link, EPOCH);
}

static int close_files(struct files *files)
{
	int error = 0;

	for (size_t i = 0; i < HOSTS; i++) {
		int one = files->trace[i] ? tracefile_close(files->trace[i]) : 0;
		int other = files->pcap[i] ? pcapfile_close(files->pcap[i]) : 0;

		error = error ? error : one ? one : other;
	}
	return error;
}

int replay_run(const struct sim_scenario *scenario, const char *dir, struct trial *trial,
	       const char **what)
{
	static char path[PATH_ROOM];
	struct files files = {0};
	const struct sim_hooks hooks = {&files, on_trace, on_frame};
	int error = 0, closed;

	*what = "the room for a world";
	if (!trial_open())
		return -errno;
	if (!dir) {
		trial_run(scenario, NULL, trial);
		return 0;
	}
	*what = dir;
	if (mkdir(dir, 0777) && errno != EEXIST)
		return -errno;
	*what = path;
	for (uint32_t i = 0; i < scenario->count[SIM_LIST_hosts] && !error; i++)
		error = open_host(&files, scenario, i, dir, path);
	if (!error)
		trial_run(scenario, &hooks, trial);
	closed = close_files(&files);
	return error ? error : closed;
}
