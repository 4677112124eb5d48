/* SPDX-License-Identifier: MIT */
/*
 * Which arrival at one end was which departure at the other. Segments are told apart by what is in
 * them; where several are equal, such as retransmissions, by when they can have been under way.
 */
#ifndef TOOL_PAIRING_H
#define TOOL_PAIRING_H

#include "tool/story.h"

/*
 * Joins the arrivals and departures of a story that was watched at both ends: each segment then
 * stands there once. Departures without an arrival are lost, as long as somebody was there to see.
 * Where the clocks of the two ends disagree so much that effects come before their causes, end
 * 1's times are shifted. False when memory is out.
 */
bool pairing_join(struct story *story);

#endif
