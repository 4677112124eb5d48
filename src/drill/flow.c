/* SPDX-License-Identifier: MIT */
#include "drill/flow.h"

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
