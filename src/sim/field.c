/* SPDX-License-Identifier: MIT */
#include "sim/field.h"

#include "base/mem.h"

static const char *link_word(int n)
{
	static const char *const words[] = {"ethernet", "ip"};

	return words[n];
}

static const char *deed_word(int n)
{
	static const char *const words[] = {"abort", "close", "shutdown", "release"};

	return words[n];
}

static const char *action_word(int n)
{
	static const char *const words[] = {"drop", "delay", "duplicate", "corrupt"};

	return words[n];
}

static const char *again_word(int n)
{
	static const char *const words[] = {"any", "first", "again"};

	return words[n];
}

_Static_assert(sizeof(enum sim_workload_kind) == 4 && sizeof(int) == 4, "fields of four bytes");

/* clang-format off */
#define AT(type, kind, key, member) {SIM_FIELD_##kind, key, offsetof(struct type, member), NULL, 0}
#define WORD(type, key, member, of, n) \
	{SIM_FIELD_WORD, key, offsetof(struct type, member), of, n}
#define PATH(type, path) \
	AT(type, TIME, "delay", path.delay_ns), AT(type, TIME, "jitter", path.jitter_ns), \
	AT(type, COUNT64, "rate", path.rate_bps), AT(type, COUNT, "queue", path.queue), \
	AT(type, CHANCE, "loss", path.loss), AT(type, CHANCE, "dup", path.duplicate), \
	AT(type, CHANCE, "reorder", path.reorder), AT(type, TIME, "behind", path.reorder_ns), \
	AT(type, CHANCE, "corrupt", path.corrupt)
#define END {SIM_FIELD_END, NULL, 0, NULL, 0}

static const struct sim_field of_host[] = {
	AT(sim_of_host, NAME, NULL, name), AT(sim_of_host, COUNT64, "memory", memory),
	WORD(sim_of_host, "profile", profile, parley_profile_name, PARLEY_PROFILE_COUNT),
	AT(sim_of_host, TIME, "turn", turns.every_ns), AT(sim_of_host, COUNT, "batch", turns.batch),
	AT(sim_of_host, COUNT, "takes", turns.takes), AT(sim_of_host, BOOL, "ring", turns.ring),
	AT(sim_of_host, BOOL, "late-timers", turns.timers), END,
};

static const struct sim_field of_lan[] = {
	WORD(sim_of_lan, "link", link, link_word, 2), AT(sim_of_lan, TIME, "hold", hold_ns),
	AT(sim_of_lan, BOOL, "v6", v6), END,
};

static const struct sim_field of_port[] = {
	AT(sim_of_port, HOST, NULL, host), AT(sim_of_port, LAN, NULL, lan),
	AT(sim_of_port, COUNT, "mtu", mtu), PATH(sim_of_port, path), END,
};

static const struct sim_field of_set[] = {
	AT(sim_of_set, HOST, NULL, host), AT(sim_of_set, SETTING, NULL, setting),
	AT(sim_of_set, VALUE, NULL, value), END,
};

static const struct sim_field of_work[] = {
	WORD(sim_workload, NULL, kind, sim_workload_name, SIM_WORKLOADS),
	AT(sim_workload, HOST, NULL, client), AT(sim_workload, HOST, NULL, server),
	AT(sim_workload, COUNT16, "port", port), AT(sim_workload, COUNT64, "bytes", bytes),
	AT(sim_workload, COUNT, "count", count), AT(sim_workload, COUNT, "backlog", backlog),
	AT(sim_workload, COUNT, "retries", retries), AT(sim_workload, TIME, "start", start),
	AT(sim_workload, TIME, "pause", pause), AT(sim_workload, LIMIT, "patience", patience),
	AT(sim_workload, COUNT, "urgent", urgent), AT(sim_workload, BOOL, "in-place", in_place),
	AT(sim_workload, BOOL, "ask", ask), END,
};

static const struct sim_field of_cut[] = {
	AT(sim_of_cut, HOST, NULL, host), AT(sim_of_cut, LAN, NULL, lan),
	AT(sim_of_cut, TIME, "since", since), AT(sim_of_cut, TIME, "until", until), END,
};

static const struct sim_field of_route[] = {
	AT(sim_of_route, HOST, NULL, host), AT(sim_of_route, LAN, NULL, lan),
	AT(sim_of_route, TIME, "at", at), PATH(sim_of_route, path), END,
};

static const struct sim_field of_narrow[] = {
	AT(sim_of_narrow, HOST, NULL, host), AT(sim_of_narrow, LAN, NULL, lan),
	AT(sim_of_narrow, TIME, "at", at), AT(sim_of_narrow, COUNT, "mtu", mtu),
	AT(sim_of_narrow, BOOL, "mute", mute), END,
};

static const struct sim_field of_jump[] = {
	AT(sim_of_jump, HOST, NULL, host), AT(sim_of_jump, TIME, "at", at),
	AT(sim_of_jump, TIME, "by", by), END,
};

static const struct sim_field of_fail[] = {
	AT(sim_of_fail, HOST, NULL, host), AT(sim_of_fail, COUNT64, "nth", nth), END,
};

static const struct sim_field of_act[] = {
	WORD(sim_of_act, NULL, deed, deed_word, 4), AT(sim_of_act, HOST, NULL, host),
	WORD(sim_of_act, "in", state, parley_state_name, PARLEY_STATES),
	AT(sim_of_act, COUNT, "nth", nth), AT(sim_of_act, TIME, "after", after), END,
};

static const struct sim_field of_tune[] = {
	AT(sim_of_tune, HOST, NULL, set.host), AT(sim_of_tune, SETTING, NULL, set.setting),
	AT(sim_of_tune, VALUE, NULL, set.value),
	WORD(sim_of_tune, "in", state, parley_state_name, PARLEY_STATES),
	AT(sim_of_tune, TIME, "after", after), AT(sim_of_tune, LIMIT, "lasts", lasts), END,
};

static const struct sim_field of_resize[] = {
	AT(sim_of_resize, HOST, NULL, host), AT(sim_of_resize, LAN, NULL, lan),
	AT(sim_of_resize, TIME, "at", at), AT(sim_of_resize, COUNT, "mtu", mtu), END,
};

static const struct sim_field of_absence[] = {
	AT(sim_of_absence, HOST, NULL, host), AT(sim_of_absence, LAN, NULL, lan),
	AT(sim_of_absence, TIME, "since", since), AT(sim_of_absence, TIME, "until", until),
	AT(sim_of_absence, BOOL, "interface", interface), END,
};

static const struct sim_field of_fault[] = {
	WORD(sim_fault, NULL, action, action_word, 4), AT(sim_fault, FROM, "from", from),
	AT(sim_fault, FLAGS, "set", set), AT(sim_fault, FLAGS, "clear", clear),
	AT(sim_fault, BOOL, "text", text), AT(sim_fault, BOOL, "empty", empty),
	AT(sim_fault, BOOL, "covers", covers), AT(sim_fault, COUNT64, "offset", offset),
	AT(sim_fault, COUNT16, "port", port), WORD(sim_fault, "sent", again, again_word, 3),
	AT(sim_fault, COUNT, "every", every), AT(sim_fault, NTH, "nth", nth),
	AT(sim_fault, TIME, "since", since), AT(sim_fault, TIME, "until", until),
	AT(sim_fault, TIME, "by", ns), AT(sim_fault, COUNT, "bit", bit), END,
};

static const struct sim_field of_forge[] = {
	WORD(sim_forge, NULL, kind, sim_forgery_name, SIM_FORGERY_COUNT),
	AT(sim_forge, HOST, NULL, from), AT(sim_forge, FLAGS, "set", set),
	AT(sim_forge, FLAGS, "clear", clear), AT(sim_forge, COUNT, "nth", nth),
	AT(sim_forge, TIME, "after", after), END,
};
/* clang-format on */

static const struct sim_field *const tables[SIM_LISTS] = {
	[SIM_LIST_hosts] = of_host,	[SIM_LIST_lans] = of_lan,
	[SIM_LIST_ports] = of_port,	[SIM_LIST_sets] = of_set,
	[SIM_LIST_works] = of_work,	[SIM_LIST_cuts] = of_cut,
	[SIM_LIST_routes] = of_route,	[SIM_LIST_narrows] = of_narrow,
	[SIM_LIST_jumps] = of_jump,	[SIM_LIST_fails] = of_fail,
	[SIM_LIST_acts] = of_act,	[SIM_LIST_faults] = of_fault,
	[SIM_LIST_forges] = of_forge,	[SIM_LIST_tunes] = of_tune,
	[SIM_LIST_resizes] = of_resize, [SIM_LIST_absences] = of_absence,

};

const struct sim_field *sim_fields(enum sim_list list)
{
	return tables[list];
}

uint32_t sim_field_u32(const void *element, const struct sim_field *field)
{
	uint32_t n;

	memcpy(&n, (const uint8_t *)element + field->offset, sizeof n);
	return n;
}

void sim_field_put_u32(void *element, const struct sim_field *field, uint32_t n)
{
	memcpy((uint8_t *)element + field->offset, &n, sizeof n);
}

/* Bytes of a number, 0 for what is none. */
static size_t size_of(const struct sim_field *field)
{
	switch (field->type) {
	case SIM_FIELD_COUNT64:
	case SIM_FIELD_TIME:
	case SIM_FIELD_LIMIT:
	case SIM_FIELD_VALUE:
		return sizeof(uint64_t);
	case SIM_FIELD_COUNT16:
	case SIM_FIELD_FLAGS:
		return sizeof(uint16_t);
	case SIM_FIELD_BOOL:
		return sizeof(bool);
	case SIM_FIELD_END:
	case SIM_FIELD_NAME:
	case SIM_FIELD_NTH:
		return 0;
	case SIM_FIELD_HOST:
	case SIM_FIELD_FROM:
	case SIM_FIELD_LAN:
	case SIM_FIELD_COUNT:
	case SIM_FIELD_CHANCE:
	case SIM_FIELD_WORD:
	case SIM_FIELD_SETTING:
		break;
	}
	return sizeof(uint32_t);
}

uint64_t sim_field_get(const void *element, const struct sim_field *field)
{
	const uint8_t *at = (const uint8_t *)element + field->offset;
	uint64_t n = 0;
	uint32_t n32;
	uint16_t n16;

	switch (size_of(field)) {
	case sizeof n:
		memcpy(&n, at, sizeof n);
		return n;
	case sizeof n32:
		memcpy(&n32, at, sizeof n32);
		return n32;
	case sizeof n16:
		memcpy(&n16, at, sizeof n16);
		return n16;
	case sizeof(bool):
		return *(const bool *)at;
	default:
		return 0;
	}
}

void sim_field_put(void *element, const struct sim_field *field, uint64_t n)
{
	uint8_t *at = (uint8_t *)element + field->offset;
	uint32_t n32 = (uint32_t)n;
	uint16_t n16 = (uint16_t)n;

	switch (size_of(field)) {
	case sizeof n:
		memcpy(at, &n, sizeof n);
		break;
	case sizeof n32:
		memcpy(at, &n32, sizeof n32);
		break;
	case sizeof n16:
		memcpy(at, &n16, sizeof n16);
		break;
	case sizeof(bool):
		*(bool *)at = n != 0;
		break;
	default:
		break;
	}
}
