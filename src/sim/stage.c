/* SPDX-License-Identifier: MIT */
#include "sim/stage.h"

#include "base/mem.h"
#include "net/host.h"
#include "sim/host.h"
#include "sim/lan.h"
#include "sim/user.h"
#include "wire/ip.h"
#include "wire/ipv6.h"

#define NET	    0xc6120000u /* 198.18.0.0/15: RFC 2544 */
#define PREFIX	    24
#define NET_V6	    0x20010db8u /* 2001:db8::/32: RFC 3849 */
#define PREFIX_V6   64
#define MTU	    1500
#define WHOLE_DELAY PARLEY_MS(1)
#define LONG_ENOUGH PARLEY_S(1000)

struct sim_stage {
	struct sim_world *world;
	struct sim_hooks hooks; /* whose looking on goes on behind ours */
	struct sim_scenario scenario;
	uint32_t seen[sizeof((struct sim_scenario){0}.acts) / sizeof(struct sim_of_act)];
};

struct parley_addr sim_stage_address(const struct sim_scenario *scenario,
				     const struct sim_of_port *port, unsigned *prefix)
{
	bool v6 = scenario->lans[port->lan].v6;
	struct parley_addr addr;

	*prefix = v6 ? PREFIX_V6 : PREFIX;
	if (!v6)
		return ip_from_v4(NET + ((port->lan + 1) << 8 | (port->host + 1)));
	put_be64(addr.b, (uint64_t)NET_V6 << 32 | (port->lan + 1));
	put_be64(addr.b + 8, port->host + 1);
	return addr;
}

static struct sim_port *port_of(const struct sim_stage *stage, uint32_t host, uint32_t lan)
{
	const struct sim_host *h = stage->world->host[host];

	for (uint32_t i = 0; i < h->port_count; i++)
		if (h->port[i]->lan->number == lan)
			return h->port[i];
	return NULL;
}

static bool schedule_as(struct sim_stage *stage, uint64_t at, const struct sim_change *as)
{
	struct sim_world *world = stage->world;
	struct sim_change *change = sim_zalloc(world->arena, sizeof *change);

	if (!change)
		return false;
	*change = *as;
	change->stage = stage;
	change->event = (struct sim_event){.kind = SIM_EVENT_CHANGE, .owner = change};
	return sim_queue_put(&world->queue, &change->event, at);
}

static bool schedule(struct sim_stage *stage, enum sim_list list, uint32_t number, uint64_t at,
		     parley_conn conn)
{
	return schedule_as(stage, at,
			   &(struct sim_change){.list = list, .number = number, .conn = conn});
}

/* A connection that comes to a state in which something is to be done to it. */
static void look_for_acts(struct sim_stage *stage, int host, const struct parley_trace_event *event)
{
	const struct sim_scenario *s = &stage->scenario;
	struct sim_world *world = stage->world;

	for (uint32_t i = 0; i < s->count[SIM_LIST_acts]; i++) {
		const struct sim_of_act *act = &s->acts[i];

		if (act->host != (uint32_t)host || act->state != (uint32_t)event->value[1])
			continue;
		if (++stage->seen[i] != (act->nth ? act->nth : 1))
			continue;
		if (!schedule(stage, SIM_LIST_acts, i, world->now + act->after, event->conn))
			sim_fail(world, NULL, SIM_RULE_WORLD, "for an act", world->arena->used, 0);
	}
}

/* A connection or listener that comes to a state in which a setting of it is to be changed. */
static void look_for_tunes(struct sim_stage *stage, int host,
			   const struct parley_trace_event *event)
{
	const struct sim_scenario *s = &stage->scenario;
	struct sim_world *world = stage->world;

	for (uint32_t i = 0; i < s->count[SIM_LIST_tunes]; i++) {
		const struct sim_of_tune *tune = &s->tunes[i];

		if (tune->set.host != (uint32_t)host || tune->state == PARLEY_CLOSED ||
		    tune->state != (uint32_t)event->value[1])
			continue;
		if (!schedule(stage, SIM_LIST_tunes, i, world->now + tune->after, event->conn))
			sim_fail(world, NULL, SIM_RULE_WORLD, "for a tune", world->arena->used, 0);
	}
}

static void on_trace(void *context, int host, const struct parley_trace_event *event)
{
	struct sim_stage *stage = context;

	if (event->kind == PARLEY_TRACE_STATE) {
		look_for_acts(stage, host, event);
		look_for_tunes(stage, host, event);
	}
	if (stage->hooks.trace)
		stage->hooks.trace(stage->hooks.context, host, event);
}

static void on_frame(void *context, const struct sim_sight *sight)
{
	struct sim_stage *stage = context;

	if (stage->hooks.frame)
		stage->hooks.frame(stage->hooks.context, sight);
}

static bool make_hosts(struct sim_stage *stage)
{
	const struct sim_scenario *s = &stage->scenario;

	for (uint32_t i = 0; i < s->count[SIM_LIST_lans]; i++) {
		struct sim_lan_config lan = {.link = (enum parley_link)s->lans[i].link,
					     .hold_ns = s->lans[i].hold_ns};

		if (sim_lan_add(stage->world, &lan) < 0)
			return false;
	}
	for (uint32_t i = 0; i < s->count[SIM_LIST_hosts]; i++)
		if (sim_host_add(stage->world, s->hosts[i].name, s->hosts[i].memory) < 0)
			return false;
	for (uint32_t i = 0; i < s->count[SIM_LIST_hosts]; i++)
		sim_host_turns(stage->world, (int)i, &s->hosts[i].turns);
	return true;
}

/*
 * The address of an interface is there when its host is: nobody is asked first whether it is free.
 * What IPv6 does by itself begins when the settings are made.
 */
static bool is_quiet(struct sim_host *host)
{
	uint64_t now = sim_host_now(host);

	return !parley_set(host->engine, now, PARLEY_NO_CONN, PARLEY_SET_DAD, 0) &&
	       !parley_set(host->engine, now, PARLEY_NO_CONN, PARLEY_SET_AUTOCONF, 0);
}

static bool make_ports(struct sim_stage *stage)
{
	const struct sim_scenario *s = &stage->scenario;

	for (uint32_t i = 0; i < s->count[SIM_LIST_ports]; i++) {
		const struct sim_of_port *p = &s->ports[i];
		unsigned prefix;
		struct parley_addr addr = sim_stage_address(s, p, &prefix);

		if (s->lans[p->lan].v6 && !is_quiet(stage->world->host[p->host]))
			return false;
		if (sim_host_join(stage->world, (int)p->host, (int)p->lan, &addr, prefix,
				  &p->path) < 0)
			return false;
		if (p->mtu && sim_host_mtu(port_of(stage, p->host, p->lan), p->mtu))
			return false;
	}
	return true;
}

static bool make_settings(struct sim_stage *stage)
{
	const struct sim_scenario *s = &stage->scenario;

	for (uint32_t i = 0; i < s->count[SIM_LIST_hosts]; i++)
		if (sim_host_profile(stage->world, (int)i,
				     (enum parley_profile)s->hosts[i].profile))
			return false;
	for (uint32_t i = 0; i < s->count[SIM_LIST_sets]; i++) {
		const struct sim_of_set *set = &s->sets[i];
		struct sim_host *host = stage->world->host[set->host];

		if (parley_set(host->engine, sim_host_now(host), PARLEY_NO_CONN,
			       (enum parley_setting)set->setting, set->value))
			return false;
	}
	return true;
}

static bool make_users(struct sim_stage *stage)
{
	const struct sim_scenario *s = &stage->scenario;
	struct sim_workload_users users;

	for (uint32_t i = 0; i < s->count[SIM_LIST_works]; i++) {
		if (sim_workload_add(stage->world, &s->works[i], &users))
			return false;
		stage->world->coverage.work[s->works[i].kind]++;
	}
	return true;
}

static bool make_faults(struct sim_stage *stage)
{
	const struct sim_scenario *s = &stage->scenario;

	for (uint32_t i = 0; i < s->count[SIM_LIST_faults]; i++)
		if (!sim_fault_add(stage->world, &s->faults[i]))
			return false;
	for (uint32_t i = 0; i < s->count[SIM_LIST_forges]; i++)
		if (!sim_forge_add(stage->world, &s->forges[i]))
			return false;
	for (uint32_t i = 0; i < s->count[SIM_LIST_cuts]; i++)
		if (sim_cut(port_of(stage, s->cuts[i].host, s->cuts[i].lan), s->cuts[i].since,
			    s->cuts[i].until))
			return false;
	for (uint32_t i = 0; i < s->count[SIM_LIST_fails]; i++)
		memory_fail_at(&stage->world->host[s->fails[i].host]->engine->memory,
			       s->fails[i].nth);
	return true;
}

static bool make_changes(struct sim_stage *stage)
{
	const struct sim_scenario *s = &stage->scenario;
	bool fits = true;

	for (uint32_t i = 0; i < s->count[SIM_LIST_routes]; i++)
		fits &= schedule(stage, SIM_LIST_routes, i, s->routes[i].at, PARLEY_NO_CONN);
	for (uint32_t i = 0; i < s->count[SIM_LIST_narrows]; i++)
		fits &= schedule(stage, SIM_LIST_narrows, i, s->narrows[i].at, PARLEY_NO_CONN);
	for (uint32_t i = 0; i < s->count[SIM_LIST_jumps]; i++)
		fits &= schedule(stage, SIM_LIST_jumps, i, s->jumps[i].at, PARLEY_NO_CONN);
	for (uint32_t i = 0; i < s->count[SIM_LIST_tunes]; i++)
		if (s->tunes[i].state == PARLEY_CLOSED)
			fits &= schedule(stage, SIM_LIST_tunes, i, s->tunes[i].after,
					 PARLEY_NO_CONN);
	for (uint32_t i = 0; i < s->count[SIM_LIST_resizes]; i++)
		fits &= schedule(stage, SIM_LIST_resizes, i, s->resizes[i].at, PARLEY_NO_CONN);
	for (uint32_t i = 0; i < s->count[SIM_LIST_absences]; i++)
		fits &= schedule(stage, SIM_LIST_absences, i, s->absences[i].since, PARLEY_NO_CONN);
	if (s->heal)
		fits &= schedule(stage, SIM_LISTS, 0, s->heal, PARLEY_NO_CONN);
	return fits;
}

struct sim_world *sim_stage_new(void *base, size_t size, const struct sim_scenario *scenario,
				const struct sim_hooks *hooks, const char **wrong)
{
	struct sim_config config = {.seed = scenario->seed, .check_every = scenario->check};
	struct sim_world *world = sim_world_new(base, size, &config);
	struct sim_stage *stage = world ? sim_zalloc(world->arena, sizeof *stage) : NULL;

	*wrong = "there is not enough room";
	if (!stage)
		return NULL;
	stage->world = world;
	stage->scenario = *scenario;
	if (hooks)
		stage->hooks = *hooks;
	world->stage = stage;
	world->config.hooks = (struct sim_hooks){stage, on_trace, on_frame};
	*wrong = "a host, LAN or port cannot be made";
	if (!make_hosts(stage) || !make_ports(stage))
		return NULL;
	*wrong = "a host refuses a setting";
	if (!make_settings(stage))
		return NULL;
	*wrong = "there are too many users, faults or changes";
	if (!make_users(stage) || !make_faults(stage) || !make_changes(stage))
		return NULL;
	return world;
}

static void heal(struct sim_stage *stage)
{
	const struct path_config whole = {.delay_ns = WHOLE_DELAY};
	struct sim_world *world = stage->world;

	for (uint32_t i = 0; i < world->host_count; i++) {
		for (uint32_t k = 0; k < world->host[i]->port_count; k++) {
			sim_path_set(world->host[i]->port[k], &whole);
			sim_port_narrow(world->host[i]->port[k], 0, false);
		}
	}
}

/* A user in the midst of its program does something else with its connection. */
static void act(struct sim_stage *stage, const struct sim_of_act *act, parley_conn conn)
{
	static const struct sim_op ops[] = {
		[SIM_DEED_ABORT] = {.kind = SIM_OP_ABORT},
		[SIM_DEED_CLOSE] = {.kind = SIM_OP_CLOSE},
		[SIM_DEED_SHUTDOWN] = {.kind = SIM_OP_SHUTDOWN, .a = PARLEY_SHUT_WR},
	};
	struct sim_world *world = stage->world;

	for (uint32_t i = 0; i < world->user_count; i++) {
		struct sim_user *user = world->user[i];

		if (user->over || user->host->number != act->host || user->conn != conn)
			continue;
		world->coverage.mishap[SIM_MISHAP_ACT]++;
		sim_program_interrupt(user, act->deed == SIM_DEED_RELEASE ? NULL : &ops[act->deed]);
		sim_host_settle(user->host);
		return;
	}
}

_Static_assert(PARLEY_SETTING_COUNT <= 64, "a bit for each setting");

/* Only for want of memory, or when it is the host's alone, may a valid value be refused. */
static bool may_refuse(const struct sim_host *host, const struct sim_of_tune *tune, int error)
{
	const struct parley_setting_info *info = parley_setting_info((int)tune->set.setting);

	if (error == -PARLEY_ENOPROTOOPT)
		return tune->state != PARLEY_CLOSED && info->scope == PARLEY_SCOPE_HOST;
	return error == -PARLEY_ENOBUFS && host->engine->memory.failures;
}

/* Sets what the change says; the old value comes back when it has lasted long enough. */
static void tune(struct sim_stage *stage, const struct sim_change *change, struct sim_host *host)
{
	const struct sim_of_tune *tune = &stage->scenario.tunes[change->number];
	enum parley_setting setting = (enum parley_setting)tune->set.setting;
	struct sim_world *world = stage->world;
	struct sim_change back = *change;
	int error = parley_get(host->engine, change->conn, setting, &back.value);

	if (!error)
		error = parley_set(host->engine, sim_host_now(host), change->conn, setting,
				   change->back ? change->value : tune->set.value);
	if (error && !may_refuse(host, tune, error))
		sim_fail(world, host, SIM_RULE_CALL, parley_setting_name((int)setting),
			 (uint64_t)-error, change->conn);
	world->coverage.mishap[SIM_MISHAP_TUNE] += !error;
	host->tuned |= (uint64_t)1 << setting;
	if (!error && tune->lasts && !change->back) {
		back.back = true;
		if (!schedule_as(stage, world->now + tune->lasts, &back))
			sim_fail(world, NULL, SIM_RULE_WORLD, "for a tune", world->arena->used, 0);
	}
	sim_host_settle(host);
}

/* The same for who holds the connection still. */
static void tune_user(struct sim_stage *stage, const struct sim_change *change)
{
	struct sim_world *world = stage->world;
	struct sim_host *host = world->host[stage->scenario.tunes[change->number].set.host];

	if (change->conn == PARLEY_NO_CONN) {
		tune(stage, change, host);
		return;
	}
	for (uint32_t i = 0; i < world->user_count; i++) {
		const struct sim_user *user = world->user[i];

		if (user->over || user->host != host || user->conn != change->conn)
			continue;
		tune(stage, change, host);
		return;
	}
}

/* Nothing happens while the interface is away; one that speaks IPv6 refuses what is too small. */
static void resize(struct sim_stage *stage, const struct sim_of_resize *resize)
{
	struct sim_port *port = port_of(stage, resize->host, resize->lan);
	uint32_t mtu = resize->mtu ? resize->mtu : MTU;
	int error;

	if (!port->ifindex)
		return;
	stage->world->coverage.mishap[SIM_MISHAP_RESIZE]++;
	error = sim_host_mtu(port, mtu);
	if (error && !(error == -PARLEY_EINVAL && mtu < IPV6_MIN_MTU))
		sim_fail(stage->world, port->host, SIM_RULE_CALL, "interface-set", (uint64_t)-error,
			 mtu);
	sim_host_settle(port->host);
}

/* It is there again; for want of memory that can take a while. */
static void come_back(struct sim_stage *stage, const struct sim_change *change,
		      const struct sim_of_absence *absence)
{
	struct sim_port *port = port_of(stage, absence->host, absence->lan);
	struct sim_world *world = stage->world;
	int error = sim_host_give(port, absence->interface);

	if ((error == -PARLEY_ENOMEM || error == -PARLEY_ENOBUFS) &&
	    port->host->engine->memory.failures &&
	    schedule_as(stage, world->now + PARLEY_S(1), change))
		error = 0;
	else
		port->absent = false;
	if (error)
		sim_fail(world, port->host, SIM_RULE_CALL, "address-add", (uint64_t)-error,
			 absence->interface);
	sim_host_settle(port->host);
}

/* Of two absences of one port the first counts. */
static void go_away(struct sim_stage *stage, const struct sim_change *change,
		    const struct sim_of_absence *absence)
{
	struct sim_port *port = port_of(stage, absence->host, absence->lan);
	struct sim_world *world = stage->world;
	struct sim_change back = *change;
	int error;

	if (port->absent)
		return;
	port->absent = true;
	world->coverage.mishap[SIM_MISHAP_ABSENCE]++;
	error = sim_host_take(port, absence->interface);
	back.back = true;
	if (error)
		sim_fail(world, port->host, SIM_RULE_CALL, "address-remove", (uint64_t)-error,
			 absence->interface);
	if (!schedule_as(stage, absence->until, &back))
		sim_fail(world, NULL, SIM_RULE_WORLD, "for an absence", world->arena->used, 0);
	sim_host_settle(port->host);
}

static void absent(struct sim_stage *stage, const struct sim_change *change)
{
	const struct sim_of_absence *absence = &stage->scenario.absences[change->number];

	if (change->back)
		come_back(stage, change, absence);
	else
		go_away(stage, change, absence);
}

void sim_stage_change(struct sim_change *change)
{
	struct sim_stage *stage = change->stage;
	const struct sim_scenario *s = &stage->scenario;
	uint32_t *mishap = stage->world->coverage.mishap;
	uint32_t i = change->number;

	switch (change->list) {
	case SIM_LIST_routes:
		sim_path_set(port_of(stage, s->routes[i].host, s->routes[i].lan),
			     &s->routes[i].path);
		mishap[SIM_MISHAP_ROUTE]++;
		break;
	case SIM_LIST_narrows:
		sim_port_narrow(port_of(stage, s->narrows[i].host, s->narrows[i].lan),
				s->narrows[i].mtu, s->narrows[i].mute);
		mishap[SIM_MISHAP_NARROWED]++;
		break;
	case SIM_LIST_jumps:
		mishap[SIM_MISHAP_CLOCK_JUMP]++;
		sim_clock_jump(stage->world, (int)s->jumps[i].host, s->jumps[i].by);
		break;
	case SIM_LIST_acts:
		act(stage, &s->acts[i], change->conn);
		break;
	case SIM_LIST_tunes:
		tune_user(stage, change);
		break;
	case SIM_LIST_resizes:
		resize(stage, &s->resizes[i]);
		break;
	case SIM_LIST_absences:
		absent(stage, change);
		break;
	default:
		heal(stage);
		break;
	}
	sim_free(stage->world->arena, change, sizeof *change);
}

/* Whether somebody may sit still long enough for his peer to ask whether he lives. */
static bool may_be_probed(const struct sim_stage *stage)
{
	const struct sim_scenario *s = &stage->scenario;
	const struct sim_world *world = stage->world;

	for (uint32_t i = 0; i < s->count[SIM_LIST_works]; i++)
		if (s->works[i].pause > LONG_ENOUGH / 2 || s->works[i].start > LONG_ENOUGH / 2)
			return true;
	for (uint32_t i = 0; i < s->count[SIM_LIST_tunes]; i++)
		if (s->tunes[i].set.setting == PARLEY_SET_KEEPALIVE_IDLE)
			return true;
	for (uint32_t i = 0; i < world->host_count; i++) {
		int64_t idle = 0;

		parley_get(world->host[i]->engine, PARLEY_NO_CONN, PARLEY_SET_KEEPALIVE_IDLE,
			   &idle);
		if (idle < LONG_ENOUGH || world->host[i]->clock_ahead > LONG_ENOUGH / 2)
			return true;
	}
	return false;
}

/* A keep-alive probe may end what is half dead; it must not be needed to bring anything to life. */
static void judge_probes(struct sim_stage *stage)
{
	struct sim_world *world = stage->world;
	uint32_t probes = world->coverage.timer[PARLEY_TIMER_KEEPALIVE];

	if (!probes || may_be_probed(stage))
		return;
	for (uint32_t i = 0; i < world->user_count; i++)
		if (world->user[i]->error || world->user[i]->failed || world->user[i]->refusals)
			return;
	sim_fail(world, NULL, SIM_RULE_REVIVED, NULL, probes, 0);
}

/* What the hosts counted themselves. */
static void cover(struct sim_world *world)
{
	struct sim_coverage *coverage = &world->coverage;

	for (uint32_t i = 0; i < world->host_count; i++) {
		const struct parley_host *engine = world->host[i]->engine;

		for (int k = 0; k < PARLEY_DROP_COUNT; k++)
			coverage->drop[k] += (uint32_t)parley_drops(engine, (enum parley_drop)k);
		coverage->mishap[SIM_MISHAP_ALLOCATION] += (uint32_t)engine->memory.failures;
	}
}

enum sim_result sim_stage_run(struct sim_world *world)
{
	enum sim_result result = sim_finish(world, world->stage->scenario.limit);

	if (result == SIM_SETTLED)
		judge_probes(world->stage);
	cover(world);
	return world->failure.failed ? SIM_FAILED : result;
}
