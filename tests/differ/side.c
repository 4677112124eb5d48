/* SPDX-License-Identifier: MIT */
#include "side.h"

void side_take(struct side *side, struct outcome *outcome, const uint8_t *bytes, size_t len)
{
	struct answer answer;

	if (!view_answer(&side->view, bytes, len, &answer))
		return;
	if (answer.again) {
		outcome->again++;
		return;
	}
	if (outcome->count < ANSWERS_MAX)
		outcome->answers[outcome->count] = answer;
	outcome->count++;
}

void side_text(const struct side *side, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = view_byte(side->written + (uint32_t)i, 0);
}
