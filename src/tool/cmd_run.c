/* SPDX-License-Identifier: MIT */
/* `parley run`: an unmodified program over Parley's TCP (run/run.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "dev/capture.h"
#include "dev/lan.h"
#include "dev/linuxif.h"
#include "dev/netem.h"
#include "dev/packet.h"
#include "dev/tracefile.h"
#include "dev/tun.h"
#include "run/run.h"
#include "tool/commands.h"
#include "tool/network.h"
#include "tool/setting.h"
#include "wire/ip.h"
#include "wire/text.h"

struct run_line {
	const char *dev, *gateway, *mac, *peer_addr, *trace, *pcap, *profile;
	struct option_list addresses, settings;
	uint64_t linger;
	struct network_options network;
};

static const struct option options[] = {
	{"dev", 0, "KIND:NAME", OPTION_TEXT, offsetof(struct run_line, dev), 0, 0,
	 "the device: lan:PATH is the hub of 'parley lan PATH'; tun:NAME and tap:NAME are an "
	 "interface of Linux, through which the kernel is reached; it is made if there is none; "
	 "packet:NAME is the cable at an Ethernet interface, such as eth0; as root"},
	{"addr", 0, "CIDR", OPTION_LIST, offsetof(struct run_line, addresses), 0, 0,
	 "an address of the host with its network, such as 10.0.0.1/24; may be given again"},
	{"gateway", 0, "IP", OPTION_TEXT, offsetof(struct run_line, gateway), 0, 0,
	 "where packets for other networks go"},
	{"mac", 0, "MAC", OPTION_TEXT, offsetof(struct run_line, mac), 0, 0,
	 "with packet:, the host's hardware address, such as 02:00:5e:10:00:01, else it is drawn "
	 "from "
	 "the first --addr; that of the interface itself where no other is let through"},
	{"peer-addr", 0, "CIDR", OPTION_TEXT, offsetof(struct run_line, peer_addr), 0, 0,
	 "with tun: and tap:, give the kernel this address on the interface, and bring it up; "
	 "as root"},
	{"trace", 0, "FILE", OPTION_TEXT, offsetof(struct run_line, trace), 0, 0,
	 "write every event to FILE (docs/trace.md), for 'parley ladder'"},
	{"pcap", 0, "FILE", OPTION_TEXT, offsetof(struct run_line, pcap), 0, 0,
	 "write every packet to FILE (pcapng), with comments that say which step it is"},
	{"profile", 0, "NAME", OPTION_TEXT, offsetof(struct run_line, profile), 0, 0,
	 "what the settings below begin with: default, a host of today, or rfc, the letter of RFC "
	 "9293"},
	{"option", 'o', "KEY=VALUE", OPTION_LIST, offsetof(struct run_line, settings), 0, 0,
	 "a setting of the host, see below; may be given again"},
	{"linger", 0, "S", OPTION_S, offsetof(struct run_line, linger), 0, 86400000000000,
	 "how long to stay at most when the program has ended, until all that it sent is "
	 "acknowledged (seconds); 10 by default"},
	NETWORK_OPTIONS(struct run_line, network),
	{0},
};

/* What a run is made of, each NULL until it is there. */
struct run {
	struct device *device;
	struct device *capture; /* the device itself, when it is one */
	struct tracefile *trace;
	struct run_address addresses[OPTION_LIST_MAX];
	enum parley_profile profile;
	struct run_setting settings[OPTION_LIST_MAX];
	struct parley_addr gateway;
	struct eth_addr mac;
	uint8_t secret[16]; /* of the host */
};

static int read_addresses(struct run *run, const struct run_line *line)
{
	const struct option_list *list = &line->addresses;

	if (!list->n)
		return option_refuse(&command_run, "--addr is missing, such as --addr 10.0.0.1/24");
	for (size_t i = 0; i < list->n; i++) {
		struct run_address *a = &run->addresses[i];

		if (!text_read_prefix(&a->addr, &a->prefix, list->text[i]))
			return option_refuse(&command_run,
					     "--addr: '%s' is not an address with its network, "
					     "such as 10.0.0.1/24",
					     list->text[i]);
		if (!ip_is_unicast(&a->addr) ||
		    ip_is_subnet_broadcast(&a->addr, &a->addr, a->prefix))
			return option_refuse(&command_run, "--addr: no host can have '%s'",
					     list->text[i]);
	}
	if (line->gateway && !text_read_addr(&run->gateway, line->gateway))
		return option_refuse(&command_run, "--gateway: '%s' is not an address",
				     line->gateway);
	return OPTION_GO_ON;
}

static int read_settings(struct run *run, const struct run_line *line)
{
	int status = setting_read_profile(&command_run, "--profile", line->profile, &run->profile);

	for (size_t i = 0; i < line->settings.n && status == OPTION_GO_ON; i++)
		status = setting_read(&command_run, "-o", line->settings.text[i],
				      &run->settings[i].setting, &run->settings[i].value);
	return status;
}

/* Was any of the options of a network given? */
static bool is_bad_network(const struct network_options *o)
{
	return o->delay || o->jitter || o->loss || o->duplicate || o->reorder || o->corrupt ||
	       o->rate;
}

/* Every packet by itself: what a bad network, and a capture, want. */
static bool is_plain(const struct run_line *line)
{
	return line->pcap || is_bad_network(&line->network);
}

/*
 * What the hardware address is drawn from: the host's first address, so that it has the same one
 * when it is started again, and neighbours that still know it find it at once.
 */
static const uint8_t *mac_key(const struct run *run)
{
	return run->addresses[0].addr.b;
}

/* The device of the name behind the kind; the kinds of --dev. */
static int open_lan(struct run *run, const struct run_line *line, const char *path)
{
	int error = lan_open(&run->device, path, mac_key(run));
	char why[256];

	(void)line;
	if (!error)
		return OPTION_GO_ON;
	lan_explain(why, sizeof why, path, error);
	return option_fail(&command_run, "%s", why);
}

/* The kernel's end of the cable. */
static int set_peer(const struct run *run, const struct run_line *line)
{
	const char *name = run->device->name;
	struct parley_addr addr;
	unsigned prefix;
	int error;

	if (!line->peer_addr)
		return OPTION_GO_ON;
	if (!text_read_prefix(&addr, &prefix, line->peer_addr))
		return option_refuse(&command_run,
				     "--peer-addr: '%s' is not an address with its network, such "
				     "as 10.0.0.254/24",
				     line->peer_addr);
	error = linuxif_set_address(name, &addr, prefix);
	if (!error)
		error = linuxif_up(name);
	return error ? option_fail(&command_run, "--peer-addr: '%s': %s", name, strerror(-error))
		     : OPTION_GO_ON;
}

static int open_tun(struct run *run, const struct run_line *line, const char *name,
		    enum parley_link link)
{
	struct tun_config config = {
		.name = name,
		.link = link,
		.plain = is_plain(line),
		.secret = mac_key(run),
	};
	int error = tun_open(&run->device, &config);
	char why[256];

	if (!error)
		return set_peer(run, line);
	tun_explain(why, sizeof why, name, error);
	return option_fail(&command_run, "%s", why);
}

static int open_tun_ip(struct run *run, const struct run_line *line, const char *name)
{
	return open_tun(run, line, name, PARLEY_LINK_IP);
}

static int open_tap(struct run *run, const struct run_line *line, const char *name)
{
	return open_tun(run, line, name, PARLEY_LINK_ETHERNET);
}

static int open_packet(struct run *run, const struct run_line *line, const char *name)
{
	struct packet_config config = {
		.name = name,
		.mac = line->mac ? run->mac.b : NULL,
		.secret = mac_key(run),
		.plain = is_plain(line),
	};
	char why[256];
	int error;

	if (line->mac && (!text_read_eth(&run->mac, line->mac) || !eth_is_unicast(run->mac)))
		return option_refuse(&command_run,
				     "--mac: '%s' is no address of a station, such as "
				     "02:00:5e:10:00:01",
				     line->mac);
	error = packet_open(&run->device, &config);
	if (!error)
		return OPTION_GO_ON;
	packet_explain(why, sizeof why, name, error);
	return option_fail(&command_run, "%s", why);
}

static const struct kind {
	const char *prefix;
	int (*open)(struct run *run, const struct run_line *line, const char *name);
	bool peer_addr, mac; /* whether these options mean something to it */
} kinds[] = {
	{"lan:", open_lan, false, false},
	{"tun:", open_tun_ip, true, false},
	{"tap:", open_tap, true, false},
	{"packet:", open_packet, false, true},
};

static const struct kind *find_kind(const char *dev)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (!strncmp(dev, kinds[i].prefix, strlen(kinds[i].prefix)))
			return &kinds[i];
	return NULL;
}

static int open_kind(struct run *run, const struct run_line *line)
{
	const struct kind *kind;

	if (!line->dev)
		return option_refuse(&command_run, "--dev is missing, such as --dev lan:PATH");
	kind = find_kind(line->dev);
	if (!kind)
		return option_refuse(&command_run,
				     "--dev: '%s' is no device; there are lan:PATH, tun:NAME, "
				     "tap:NAME and packet:NAME",
				     line->dev);
	if (line->peer_addr && !kind->peer_addr)
		return option_refuse(&command_run, "--peer-addr is for --dev tun: and tap:");
	if (line->mac && !kind->mac)
		return option_refuse(&command_run, "--mac is for --dev packet:");
	return kind->open(run, line, line->dev + strlen(kind->prefix));
}

static int open_device(struct run *run, const struct run_line *line)
{
	struct path_config out, in;
	int status = open_kind(run, line);
	int error;

	if (status != OPTION_GO_ON || !is_bad_network(&line->network))
		return status;
	network_path(&line->network, &out);
	in = out;
	in.seed = ~out.seed;
	error = netem_open(&run->device, run->device, &out, &in);
	return error ? option_fail(&command_run, "%s", strerror(-error)) : OPTION_GO_ON;
}

static const char *program_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static int open_files(struct run *run, const struct run_line *line, const char *program)
{
	struct tracefile_about about = {
		.host = program_name(program),
		.address = run->addresses[0].addr,
		.prefix = run->addresses[0].prefix,
	};
	int error;

	if (line->pcap) {
		error = capture_open(&run->capture, run->device, line->pcap, about.host);
		if (error)
			return option_fail(&command_run, "--pcap: '%s': %s", line->pcap,
					   strerror(-error));
		run->device = run->capture;
	}
	if (line->trace) {
		error = tracefile_open(&run->trace, line->trace, &about);
		if (error)
			return option_fail(&command_run, "--trace: '%s': %s", line->trace,
					   strerror(-error));
	}
	return OPTION_GO_ON;
}

static void observe(void *context, const struct parley_trace_event *event)
{
	struct run *run = context;

	if (run->capture)
		capture_event(run->capture, event);
	if (run->trace)
		tracefile_event(run->trace, event);
}

static void end(struct run *run, const struct run_line *line)
{
	int error = run->capture ? capture_error(run->capture) : 0;

	if (error)
		option_fail(&command_run, "--pcap: '%s': %s", line->pcap, strerror(-error));
	device_close(run->device);
	error = run->trace ? tracefile_close(run->trace) : 0;
	if (error)
		option_fail(&command_run, "--trace: '%s': %s", line->trace, strerror(-error));
}

static int start(struct run *run, const struct run_line *line, char *const *program)
{
	struct run_options run_options = {
		.argv = program,
		.device = run->device,
		.addresses = run->addresses,
		.address_count = line->addresses.n,
		.gateway = line->gateway ? &run->gateway : NULL,
		.profile = run->profile,
		.settings = run->settings,
		.setting_count = line->settings.n,
		.secret = run->secret,
		.trace = run->trace || run->capture ? observe : NULL,
		.trace_context = run,
		.linger = line->linger,
	};

	return run_program(&run_options);
}

static int run(int argc, char **argv)
{
	struct run_line line = {.linger = RUN_LINGER, .network = NETWORK_DEFAULTS};
	struct run run = {0};
	int operands;
	int status = option_parse(&command_run, argc, argv, &line, &operands);

	if (status == OPTION_GO_ON)
		status = read_addresses(&run, &line);
	if (status == OPTION_GO_ON)
		status = read_settings(&run, &line);
	if (status != OPTION_GO_ON)
		return status;
	if (getrandom(run.secret, sizeof run.secret, 0) != (ssize_t)sizeof run.secret)
		return option_fail(&command_run, "random numbers: %s", strerror(errno));
	status = open_device(&run, &line);
	if (status == OPTION_GO_ON)
		status = open_files(&run, &line, argv[0]);
	if (status == OPTION_GO_ON)
		status = start(&run, &line, argv);
	end(&run, &line);
	return status;
}

const struct command command_run = {
	.name = "run",
	.operands = "PROGRAM [ARG]...",
	.summary = "run an unmodified program over Parley's TCP",
	.about =
		"Runs PROGRAM, unmodified and without privilege, on a host of its own whose TCP is "
		"Parley's. Ends with the program's exit status when the program has ended and its "
		"connections are closed.\n\n"
		"With --delay, --loss and the like, the network between host and device is a bad "
		"one, in both directions.",
	.options = options,
	.operands_min = 1,
	.operands_max = -1,
	.program = true,
	.more_help = setting_help,
	.run = run,
};
