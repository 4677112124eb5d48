/* SPDX-License-Identifier: MIT */
/* `parley check`: small worlds, exhaustively (sim/explore.h). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/explore.h"
#include "sim/packet.h"
#include "tool/commands.h"
#include "tool/watch.h"

struct check_options {
	const char *scenario, *replay;
	uint64_t faults, depth, transit;
	bool json;
};

#define AT(field) offsetof(struct check_options, field)

static const struct option options[] = {
	{"scenario", 0, "NAME", OPTION_TEXT, AT(scenario), 0, 0,
	 "only this one: open-send-close, simultaneous-open, simultaneous-close, half-close or "
	 "abort"},
	{"faults", 0, "N", OPTION_COUNT, AT(faults), 0, SMALL_FAULTS_MAX,
	 "up to N segments are lost, doubled or held back; 2 without this option"},
	{"transit", 0, "MS", OPTION_MS, AT(transit), 0, UINT64_C(1000000000),
	 "time may also pass over segments that arrive in order, for so many milliseconds each; 0 "
	 "without this option: only over those that are held back"},
	{"depth", 0, "N", OPTION_COUNT, AT(depth), 0, EXPLORE_DEPTH_MAX,
	 "no way is longer than N actions; 0, as without this option: as long as it takes"},
	{"replay", 0, "PATH", OPTION_TEXT, AT(replay), 0, 0,
	 "go one way only, and tell what happens: PATH is what a violation gave"},
	{"json", 0, NULL, OPTION_FLAG, AT(json), 0, 0, "one JSON object a line and scenario"},
	{0},
};

static const char *const host_names[] = {"client", "server"};

/* The letters of actions in a path, by enum small_kind. */
static const char letters[] = "dlbhsutx";

static int find_scenario(const char *name)
{
	for (int i = 0; i < SMALL_SCENARIOS; i++)
		if (!strcmp(name, small_scenario_name(i)))
			return i;
	return -1;
}

static void print_segment(const struct sim_packet *packet)
{
	static const struct {
		uint16_t flag;
		const char *name;
	} flags[] = {
		{TCP_SYN, "SYN"}, {TCP_FIN, "FIN"}, {TCP_RST, "RST"},
		{TCP_PSH, "PSH"}, {TCP_ACK, "ACK"},
	};
	const struct segment *s = &packet->segment;
	const char *comma = "";

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (!(s->flags & flags[i].flag))
			continue;
		printf("%s%s", comma, flags[i].name);
		comma = ",";
	}
	printf(" seq %" PRIu32 " ack %" PRIu32 " len %" PRIu32, s->seq.v,
	       s->flags & TCP_ACK ? s->ack.v : 0, s->text_len);
}

static void on_frame(void *context, const struct sim_sight *sight)
{
	struct sim_packet packet;

	(void)context;
	if (sight->fate != SIM_SENT && sight->fate != SIM_DELIVERED)
		return;
	sim_packet_read(&packet, PARLEY_LINK_IP, sight->bytes, sight->len);
	printf("    %s %s ", host_names[sight->fate == SIM_SENT ? sight->from : sight->to],
	       sight->fate == SIM_SENT ? "sends" : "gets");
	print_segment(&packet);
	printf("\n");
}

static void on_trace(void *context, int host, const struct parley_trace_event *event)
{
	(void)context;
	if (event->kind == PARLEY_TRACE_STATE)
		printf("    %s: %s -> %s\n", host_names[host],
		       parley_state_name((int)event->value[0]),
		       parley_state_name((int)event->value[1]));
}

/* Without a word while all goes on as it should. */
static const char *result_text(enum explore_result result, const struct explore *explore)
{
	switch (result) {
	case EXPLORE_DONE:
		return NULL;
	case EXPLORE_BROKEN:
		return explore->text;
	case EXPLORE_STUCK:
		return "nothing can happen any more, and it is not over";
	case EXPLORE_NO_END:
		return "no end can be reached from here";
	case EXPLORE_NO_MEMORY:
		break;
	}
	return "not enough memory";
}

static void print_path(const struct explore *explore)
{
	for (uint32_t i = 0; i < explore->path_len; i++)
		printf("%c%u", letters[explore->path[i].kind], explore->path[i].which);
}

static void print_violation(const struct check_options *o, const struct small_config *config,
			    const struct explore *explore, const char *text)
{
	printf("  %s\n  parley check --scenario %s --faults %" PRIu64, text,
	       small_scenario_name(config->scenario), o->faults);
	if (o->transit)
		printf(" --transit %g", (double)o->transit / 1e6);
	printf(" --replay ");
	print_path(explore);
	printf("\n");
}

static void print_pairs(const struct explore *explore)
{
	for (int a = 0; a < PARLEY_STATES; a++)
		for (int b = 0; b < PARLEY_STATES; b++)
			if (explore->pair[a][b])
				printf("%12" PRIu32 "  %-12s  %s\n", explore->pair[a][b],
				       parley_state_name(a), parley_state_name(b));
}

static void print_text(const struct check_options *o, const struct small_config *config,
		       const struct explore *explore, const char *violation)
{
	printf("%s: %" PRIu32 " states, %" PRIu64 " edges, %" PRIu32
	       " ends, the longest way %" PRIu32 " actions",
	       small_scenario_name(config->scenario), explore->visited.n, explore->edges,
	       explore->ends, explore->deepest);
	if (explore->cut)
		printf(", %" PRIu32 " states too deep to go on from", explore->cut);
	printf("\n");
	if (violation)
		print_violation(o, config, explore, violation);
	else
		print_pairs(explore);
	fflush(stdout);
}

static void print_json(const struct check_options *o, const struct small_config *config,
		       const struct explore *explore, const char *violation)
{
	const char *comma = "";

	printf("{\"scenario\":\"%s\",\"faults\":%" PRIu64 ",\"states\":%" PRIu32
	       ",\"edges\":%" PRIu64 ",\"ends\":%" PRIu32 ",\"deepest\":%" PRIu32
	       ",\"cut\":%" PRIu32 ",\"pairs\":[",
	       small_scenario_name(config->scenario), o->faults, explore->visited.n, explore->edges,
	       explore->ends, explore->deepest, explore->cut);
	for (int a = 0; a < PARLEY_STATES; a++) {
		for (int b = 0; b < PARLEY_STATES; b++) {
			if (!explore->pair[a][b])
				continue;
			printf("%s[\"%s\",\"%s\",%" PRIu32 "]", comma, parley_state_name(a),
			       parley_state_name(b), explore->pair[a][b]);
			comma = ",";
		}
	}
	printf("]");
	if (violation) {
		printf(",\"violation\":\"%s\",\"path\":\"", violation);
		print_path(explore);
		printf("\"");
	}
	printf("}\n");
	fflush(stdout);
}

static int visit_all(const struct check_options *o, struct small_config *config, void *base)
{
	struct small *small = small_new(base, config);
	struct explore explore;
	enum explore_result result = EXPLORE_NO_MEMORY;
	const char *violation;

	if (!small)
		return option_fail(&command_check, "%s", strerror(ENOMEM));
	if (explore_begin(&explore, small)) {
		watch_begin(&explore.delta);
		result = explore_run(&explore, (uint32_t)o->depth);
		watch_end();
	}
	violation = result_text(result, &explore);
	if (o->json)
		print_json(o, config, &explore, violation);
	else
		print_text(o, config, &explore, violation);
	explore_free(&explore);
	return violation ? EXIT_FAILED : EXIT_OK;
}

/* Is it one of those that may happen? */
static bool is_possible(const struct small *small, struct small_action action)
{
	struct small_action actions[SMALL_ACTIONS_MAX];
	unsigned n = small_actions(small, actions);

	for (unsigned i = 0; i < n; i++)
		if (actions[i].kind == action.kind && actions[i].which == action.which)
			return true;
	return false;
}

static void print_action(const struct small *small, struct small_action action)
{
	const struct sim_world *world = small->world;
	const char *whose = action.kind == SMALL_CALL ? world->user[action.which]->host->name
			    : action.kind == SMALL_STRAY || action.kind == SMALL_EXPIRE
				    ? host_names[small->stray[action.which]->from]
				    : host_names[action.which];

	printf("%10.6f s  %s (%s)\n", (double)world->now / 1e9, small_kind_name(action.kind),
	       whose);
}

static void print_now(const struct small *small)
{
	struct small_pair pair = small_pair(small);

	printf("%10.6f s  client %s, server %s\n", (double)small->world->now / 1e9,
	       parley_state_name(pair.end[0]), parley_state_name(pair.end[1]));
}

/* One action of the path; the exit status, or OPTION_GO_ON. */
static int replay_one(struct small *small, const char *at)
{
	const char *letter = strchr(letters, at[0]);
	struct small_action action;

	if (!letter || at[1] < '0' || at[1] > '9')
		return option_refuse(&command_check, "'%s' is no path", at);
	action = (struct small_action){(uint8_t)(letter - letters), (uint8_t)(at[1] - '0')};
	if (!is_possible(small, action))
		return option_refuse(&command_check, "at '%s' of the path that cannot happen", at);
	print_action(small, action);
	if (small_act(small, action))
		return OPTION_GO_ON;
	printf("%s\n", small->world->failure.text);
	return EXIT_FAILED;
}

static int replay(const struct check_options *o, struct small_config *config, void *base)
{
	struct small_action actions[SMALL_ACTIONS_MAX];
	struct small *small;

	config->hooks.frame = on_frame;
	config->hooks.trace = on_trace;
	small = small_new(base, config);
	if (!small)
		return option_fail(&command_check, "%s", strerror(ENOMEM));
	for (const char *at = o->replay; *at; at += 2) {
		int status = replay_one(small, at);

		if (status != OPTION_GO_ON)
			return status;
	}
	print_now(small);
	if (small_is_over(small)) {
		if (small_judge_end(small))
			return EXIT_OK;
		printf("%s\n", small->world->failure.text);
		return EXIT_FAILED;
	}
	return small_actions(small, actions) ? EXIT_OK : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
	struct check_options o = {.faults = 2};
	struct small_config config = {0};
	int operands, one, only = -1;
	int status = option_parse(&command_check, argc, argv, &o, &operands);
	void *base;

	if (status != OPTION_GO_ON)
		return status;
	if (o.scenario && (only = find_scenario(o.scenario)) < 0)
		return option_refuse(&command_check, "no scenario '%s'", o.scenario);
	if (o.replay && only < 0)
		return option_refuse(&command_check, "--replay needs --scenario");
	base = watch_alloc(SMALL_ARENA);
	if (!base)
		return option_fail(&command_check, "%s", strerror(errno));
	config.faults = (unsigned)o.faults;
	config.transit = o.transit;
	status = EXIT_OK;
	for (int i = 0; i < SMALL_SCENARIOS; i++) {
		if (only >= 0 && i != only)
			continue;
		config.scenario = (enum small_scenario)i;
		one = (o.replay ? replay : visit_all)(&o, &config, base);
		if (one != EXIT_OK)
			status = one;
	}
	watch_free(base, SMALL_ARENA);
	return status;
}

const struct command command_check = {
	.name = "check",
	.operands = "",
	.summary = "visits all that can happen to two hosts that open, send a byte and close",
	.about = "Visits every state that two hosts can come to which open a connection, send a "
		 "byte each and close it, whatever becomes of their segments and in whichever "
		 "order timers fire and users call: a world of the real engine on virtual time, in "
		 "which every choice is tried. Says how many states and edges there are and which "
		 "pairs of states the two ends were in. No rule may be broken, every byte must "
		 "arrive, and from everywhere an end must be within reach; otherwise it tells the "
		 "way there, and the exit status is 1.",
	.options = options,
	.run = run,
};
