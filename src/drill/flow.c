/* SPDX-License-Identifier: MIT */
#include "drill/flow.h"

void drill_flow_begin_local(struct drill_flow *flow, uint32_t script, uint32_t live, bool goes_on)
{
	flow->local_base = goes_on ? script : 0;
	flow->local_script = script - flow->local_base;
	flow->local_live = live - flow->local_base;
}

/* The script's end has on the wire the number that the script gives to its SYN. */
void drill_flow_begin_remote(struct drill_flow *flow, uint32_t seq, bool goes_on)
{
	flow->remote_base = goes_on ? seq - flow->remote_live : 0;
	if (!goes_on)
		flow->remote_script = flow->remote_live = seq;
}

uint32_t drill_stamp_to_live(const struct drill_flow *flow, uint32_t script)
{
	/* The newest first: a value can come again. */
	for (unsigned i = flow->stamp_count; i-- > 0;)
		if (flow->stamp[i].script == script)
			return flow->stamp[i].live;
	return flow->stamp_known ? script - flow->stamp_script + flow->stamp_live : script;
}

void drill_stamp_learn(struct drill_flow *flow, uint32_t script, uint32_t live)
{
	unsigned at = flow->stamp_count;

	if (!flow->stamp_known) {
		flow->stamp_known = true;
		flow->stamp_script = script;
		flow->stamp_live = live;
	}
	if (at == DRILL_STAMPS) {
		for (at = 0; at + 1 < DRILL_STAMPS; at++)
			flow->stamp[at] = flow->stamp[at + 1];
		flow->stamp_count--;
	}
	flow->stamp[at].script = script;
	flow->stamp[at].live = live;
	flow->stamp_count++;
}
