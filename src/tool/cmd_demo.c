/* SPDX-License-Identifier: MIT */
/* `parley demo`: options, and the directory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/commands.h"
#include "tool/demo.h"
#include "tool/ladder.h"
#include "tool/setting.h"

struct demo_line {
	struct demo demo;
	const char *keep, *profile;
};

static const struct option options[] = {
	{"sim", 0, NULL, OPTION_FLAG, offsetof(struct demo_line, demo.simulated), 0, 0,
	 "two simulated hosts in virtual time, instead of programs in real time"},
	{"size", 0, "BYTES", OPTION_BYTES, offsetof(struct demo_line, demo.size), 1, 1 << 30,
	 "size of the file, also with K, M, G; 1M by default"},
	NETWORK_OPTIONS(struct demo_line, demo.network),
	{"profile", 0, "NAME", OPTION_TEXT, offsetof(struct demo_line, profile), 0, 0,
	 "the settings of both hosts: default, a host of today, or rfc, the letter of RFC 9293"},
	{"keep", 0, "DIR", OPTION_TEXT, offsetof(struct demo_line, keep), 0, 0,
	 "put traces and captures into DIR, instead of a new directory below /tmp"},
	{"width", 0, "COLUMNS", OPTION_COUNT, offsetof(struct demo_line, demo.width),
	 LADDER_WIDTH_MIN, LADDER_WIDTH_MAX, "how wide the ladder may be; 80 by default"},
	{"ascii", 0, NULL, OPTION_FLAG, offsetof(struct demo_line, demo.ascii), 0, 0,
	 "draw it with ASCII characters alone"},
	{0},
};

char *demo_path(char out[static DEMO_PATH_MAX], const struct demo *demo, const char *name)
{
	snprintf(out, DEMO_PATH_MAX, "%s/%s", demo->dir, name);
	return out;
}

/* Makes the directory; its name is absolute, as children may work elsewhere. */
static int make_directory(char dir[static DEMO_PATH_MAX], const char *keep)
{
	const char *base = getenv("TMPDIR");
	char *absolute;

	if (!keep) {
		snprintf(dir, DEMO_PATH_MAX, "%s/parley-demo-XXXXXX",
			 base && *base ? base : "/tmp");
		if (mkdtemp(dir))
			return OPTION_GO_ON;
		return option_fail(&command_demo, "'%s': %s", dir, strerror(errno));
	}
	if (mkdir(keep, 0777) && errno != EEXIST)
		return option_fail(&command_demo, "--keep: '%s': %s", keep, strerror(errno));
	absolute = realpath(keep, NULL);
	if (!absolute)
		return option_fail(&command_demo, "--keep: '%s': %s", keep, strerror(errno));
	snprintf(dir, DEMO_PATH_MAX, "%s", absolute);
	free(absolute);
	return OPTION_GO_ON;
}

static int run(int argc, char **argv)
{
	static const struct network_options network = NETWORK_DEFAULTS;
	struct demo_line o = {.demo = {.network = network, .size = 1 << 20, .width = 80}};
	char dir[DEMO_PATH_MAX];
	int operands, status;

	o.demo.network.delay = 20000000;
	o.demo.network.loss = 10000;
	status = option_parse(&command_demo, argc, argv, &o, &operands);
	if (status == OPTION_GO_ON)
		status = setting_read_profile(&command_demo, "--profile", o.profile,
					      &o.demo.profile);
	if (status == OPTION_GO_ON)
		status = make_directory(dir, o.keep);
	if (status != OPTION_GO_ON)
		return status;
	o.demo.dir = dir;
	status = o.demo.simulated ? demo_simulated(&o.demo) : demo_real(&o.demo);
	if (status == EXIT_OK)
		status = demo_report(&o.demo);
	if (status != EXIT_OK)
		fprintf(stderr, "parley demo: what there is to see lies in %s\n", dir);
	return status;
}

const struct command command_demo = {
	.name = "demo",
	.operands = "",
	.summary = "watch curl fetch a file over a bad network: every step, every state",
	.about =
		"Starts a LAN with 20 ms delay and 1 % loss, a web server (python3 -m http.server) "
		"and curl, both unmodified, each on a host whose TCP is Parley's. A file is "
		"downloaded and compared. Then comes the connection's ladder, from handshake to "
		"close, the states that each end went through, and where the captures lie.",
	.options = options,
	.operands_min = 0,
	.operands_max = 0,
	.run = run,
};
