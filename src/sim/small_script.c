/* SPDX-License-Identifier: MIT */
/* What the users of small worlds do. */
#include "sim/small.h"

#define PORT	   80
#define OTHER_PORT 4000
#define OPS_MAX	   12

struct script {
	struct sim_op op[OPS_MAX];
	uint32_t n;
};

static void add(struct script *s, struct sim_op op)
{
	s->op[s->n++] = op;
}

/* A call that is made when it is chosen: a sleep, whose end is chosen. */
static void add_call(struct script *s, struct sim_op op)
{
	add(s, SIM_SLEEP(1));
	add(s, op);
}

static void add_connect(struct script *s, int host, uint16_t from, uint16_t to)
{
	add(s, SIM_CONNECT_FROM(host, to, from));
	add(s, SIM_READ(SIM_ALL));
}

/* A byte, and the end of the stream: RFC 9293's CLOSE, which goes on receiving. */
static void add_talk(struct script *s)
{
	add_call(s, SIM_SEND(1));
	add_call(s, SIM_SHUTDOWN(PARLEY_SHUT_WR));
}

static void client(struct script *s, enum small_scenario scenario)
{
	add_connect(s, SIM_SERVER, OTHER_PORT, PORT);
	if (scenario == SMALL_ABORT) {
		add_call(s, SIM_SEND(1));
		add_call(s, SIM_ABORT());
		return;
	}
	add(s, SIM_WAIT(SIM_UNTIL_CONNECTED));
	add_talk(s);
	/* Until then the handle is held: TIME-WAIT with an owner, and without one. */
	add(s, SIM_WAIT(scenario == SMALL_SIMULTANEOUS_CLOSE ? SIM_UNTIL_DEAD : SIM_UNTIL_EOF));
}

/*
 * The peer of one who aborts closes whole in the end: behind a lost RST it would wait in FIN-WAIT-2
 * for ever otherwise, but for keep-alive.
 */
static void server(struct script *s, enum small_scenario scenario)
{
	if (scenario == SMALL_SIMULTANEOUS_OPEN) {
		add_connect(s, SIM_CLIENT, PORT, OTHER_PORT);
		add(s, SIM_WAIT(SIM_UNTIL_CONNECTED));
	} else {
		add(s, SIM_READ(SIM_ALL));
	}
	if (scenario == SMALL_HALF_CLOSE)
		add(s, SIM_WAIT(SIM_UNTIL_EOF));
	add_talk(s);
	if (scenario == SMALL_ABORT)
		add_call(s, SIM_CLOSE());
	else if (scenario == SMALL_HALF_CLOSE || scenario == SMALL_SIMULTANEOUS_CLOSE)
		add(s, SIM_WAIT(SIM_UNTIL_DEAD));
	else
		add(s, SIM_WAIT(SIM_UNTIL_EOF));
}

bool small_script(struct sim_world *world, enum small_scenario scenario)
{
	struct script connecting = {.n = 0}, serving = {.n = 0};
	struct sim_op listen[] = {SIM_LISTEN(PORT, 1), SIM_ACCEPT(0)};
	int program;

	client(&connecting, scenario);
	server(&serving, scenario);
	program = sim_program_add(world, serving.op, serving.n);
	if (program >= 0 && scenario != SMALL_SIMULTANEOUS_OPEN) {
		listen[1].a = program;
		program = sim_program_add(world, listen, 2);
	}
	if (program < 0 || sim_user_add(world, SIM_SERVER, program) < 0)
		return false;
	program = sim_program_add(world, connecting.op, connecting.n);
	return program >= 0 && sim_user_add(world, SIM_CLIENT, program) >= 0;
}
