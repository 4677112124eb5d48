/* SPDX-License-Identifier: MIT */
#include "sim/explore.h"

#include "base/mem.h"

#include <stdlib.h>

/* A state on the way from the beginning, with those of its actions that are still to be taken. */
struct explore_level {
	uint32_t state;
	unsigned n, next;
	struct small_action action[SMALL_ACTIONS_MAX];
	/* Of the state, when more than one action is possible; the buffer stays for the next. */
	struct delta_copy copy;
};

static bool add_edge(struct explore *explore, uint32_t from, uint32_t to)
{
	if (explore->edges == explore->edges_cap) {
		uint64_t cap = explore->edges_cap ? 2 * explore->edges_cap : 1024;
		void *edge = realloc(explore->edge, cap * sizeof *explore->edge);

		if (!edge)
			return false;
		explore->edge = edge;
		explore->edges_cap = cap;
	}
	explore->edge[explore->edges][0] = from;
	explore->edge[explore->edges++][1] = to;
	return true;
}

static void note_state(struct explore *explore, uint32_t state)
{
	struct small_pair pair = small_pair(explore->small);
	struct visit *visit = &explore->visited.visit[state];

	visit->end[0] = (uint8_t)pair.end[0];
	visit->end[1] = (uint8_t)pair.end[1];
	explore->pair[pair.end[0]][pair.end[1]]++;
}

/* The way to where the search stands: an action of each level. */
static enum explore_result wrong(struct explore *explore, uint32_t depth,
				 enum explore_result result)
{
	for (uint32_t i = 0; i < depth; i++)
		explore->path[i] = explore->level[i].action[explore->level[i].next - 1];
	explore->path_len = depth;
	memcpy(explore->text, explore->small->world->failure.text, sizeof explore->text);
	return result;
}

/* Enters the state that the world is in, at a depth; *entered says whether it has a level now. */
static enum explore_result enter(struct explore *explore, uint32_t state, uint32_t depth,
				 bool *entered)
{
	struct explore_level *level = &explore->level[depth];

	*entered = false;
	if (depth > explore->deepest)
		explore->deepest = depth;
	if (small_is_over(explore->small)) {
		explore->ends += !explore->visited.visit[state].over;
		explore->visited.visit[state].over = true;
		return small_judge_end(explore->small) ? EXPLORE_DONE : EXPLORE_BROKEN;
	}
	if (depth == explore->depth_max) {
		explore->cut += !explore->visited.visit[state].open;
		explore->visited.visit[state].open = true;
		return EXPLORE_DONE;
	}
	level->state = state;
	level->next = 0;
	level->n = small_actions(explore->small, level->action);
	if (!level->n)
		return EXPLORE_STUCK;
	if (level->n > 1 && !delta_take(&explore->delta, &level->copy))
		return EXPLORE_NO_MEMORY;
	*entered = true;
	return EXPLORE_DONE;
}

/*
 * Has the state to be entered? When it is new; or when the depth is limited and the state was
 * reached by a shorter way than before, for then more lies within the limit.
 */
static bool is_wanted(struct explore *explore, uint32_t state, bool fresh, uint32_t depth)
{
	struct visit *visit = &explore->visited.visit[state];

	if (fresh)
		return true;
	if (explore->depth_max == EXPLORE_DEPTH_MAX || visit->depth <= depth)
		return false;
	explore->cut -= visit->open;
	visit->open = false;
	return true;
}

/* The world stands at the end of an action taken at `depth`; goes a level down if that is new. */
static enum explore_result arrive(struct explore *explore, uint32_t *depth)
{
	const struct explore_level *level = &explore->level[*depth];
	bool fresh, entered;
	uint32_t state = visited_add(&explore->visited, small_digest(explore->small), &fresh);
	enum explore_result result;
	struct visit *visit;

	if (state == VISITED_NONE || !add_edge(explore, level->state, state))
		return EXPLORE_NO_MEMORY;
	if (!is_wanted(explore, state, fresh, *depth + 1))
		return EXPLORE_DONE;
	if (fresh)
		note_state(explore, state);
	visit = &explore->visited.visit[state];
	visit->parent = level->state;
	visit->action = level->action[level->next - 1];
	visit->depth = *depth + 1;
	result = enter(explore, state, *depth + 1, &entered);
	if (result != EXPLORE_DONE)
		return wrong(explore, *depth + 1, result);
	*depth += entered;
	return EXPLORE_DONE;
}

static enum explore_result search(struct explore *explore)
{
	uint32_t depth = 0;

	for (;;) {
		struct explore_level *level = &explore->level[depth];
		enum explore_result result;

		if (level->next == level->n) {
			if (!depth)
				return EXPLORE_DONE;
			depth--;
			continue;
		}
		if (level->next)
			delta_restore(&explore->delta, &level->copy);
		if (!small_act(explore->small, level->action[level->next++]))
			return wrong(explore, depth + 1, EXPLORE_BROKEN);
		result = arrive(explore, &depth);
		if (result != EXPLORE_DONE)
			return result;
	}
}

/* Edges by where they lead to: `first` of each state, and behind the last one the number of all. */
static uint32_t *sort_edges(const struct explore *explore, uint64_t *first)
{
	uint32_t *from = malloc((explore->edges + 1) * sizeof *from);
	uint32_t n = explore->visited.n;

	if (!from)
		return NULL;
	for (uint64_t i = 0; i < explore->edges; i++)
		first[explore->edge[i][1] + 1]++;
	for (uint32_t i = 0; i < n; i++)
		first[i + 1] += first[i];
	for (uint64_t i = 0; i < explore->edges; i++)
		from[--first[explore->edge[i][1] + 1]] = explore->edge[i][0];
	/* Now first[i + 1] is where the edges to i begin. */
	for (uint32_t i = 0; i < n; i++)
		first[i] = first[i + 1];
	first[n] = explore->edges;
	return from;
}

/* Marks all from which an end, or a state that was left open, can be reached. */
static void look_back(const struct explore *explore, const uint64_t *first, const uint32_t *from,
		      uint8_t *good, uint32_t *todo)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < explore->visited.n; i++) {
		good[i] = explore->visited.visit[i].over || explore->visited.visit[i].open;
		if (good[i])
			todo[n++] = i;
	}
	while (n) {
		uint32_t state = todo[--n];

		for (uint64_t i = first[state]; i < first[state + 1]; i++) {
			if (good[from[i]])
				continue;
			good[from[i]] = 1;
			todo[n++] = from[i];
		}
	}
}

/* The way by which a state was reached first. */
static void tell_path(struct explore *explore, uint32_t state)
{
	const struct visit *visit = explore->visited.visit;
	uint32_t len = 0;

	for (uint32_t s = state; visit[s].parent != VISITED_NONE; s = visit[s].parent)
		len++;
	explore->path_len = len;
	for (uint32_t s = state; visit[s].parent != VISITED_NONE; s = visit[s].parent)
		explore->path[--len] = visit[s].action;
}

/* Of those that reach no end, the one with the shortest way to it. */
static enum explore_result find_end(struct explore *explore, const uint8_t *good)
{
	const struct visit *visit = explore->visited.visit;
	uint32_t worst = VISITED_NONE;

	for (uint32_t i = 0; i < explore->visited.n; i++)
		if (!good[i] && (worst == VISITED_NONE || visit[i].depth < visit[worst].depth))
			worst = i;
	if (worst == VISITED_NONE)
		return EXPLORE_DONE;
	tell_path(explore, worst);
	return EXPLORE_NO_END;
}

static enum explore_result judge_ends(struct explore *explore)
{
	uint32_t n = explore->visited.n;
	uint64_t *first = calloc((size_t)n + 2, sizeof *first);
	uint8_t *good = calloc(n, 1);
	uint32_t *todo = calloc(n, sizeof *todo);
	uint32_t *from = first ? sort_edges(explore, first) : NULL;
	enum explore_result result = EXPLORE_NO_MEMORY;

	if (from && good && todo) {
		look_back(explore, first, from, good, todo);
		result = find_end(explore, good);
	}
	free(first);
	free(good);
	free(todo);
	free(from);
	return result;
}

bool explore_begin(struct explore *explore, struct small *small)
{
	*explore = (struct explore){.small = small};
	explore->level = calloc(EXPLORE_DEPTH_MAX + 1, sizeof *explore->level);
	return explore->level && delta_begin(&explore->delta, small->world);
}

enum explore_result explore_run(struct explore *explore, uint32_t depth_max)
{
	bool fresh, entered;
	uint32_t state;
	enum explore_result result;

	explore->depth_max = depth_max;
	if (!depth_max || depth_max > EXPLORE_DEPTH_MAX)
		explore->depth_max = EXPLORE_DEPTH_MAX;
	state = visited_add(&explore->visited, small_digest(explore->small), &fresh);
	if (state == VISITED_NONE)
		return EXPLORE_NO_MEMORY;
	note_state(explore, state);
	result = enter(explore, state, 0, &entered);
	if (result != EXPLORE_DONE || !entered)
		return wrong(explore, 0, result);
	result = search(explore);
	return result == EXPLORE_DONE ? judge_ends(explore) : result;
}

void explore_free(struct explore *explore)
{
	for (uint32_t i = 0; explore->level && i <= EXPLORE_DEPTH_MAX; i++)
		free(explore->level[i].copy.bytes);
	free(explore->level);
	free(explore->edge);
	visited_free(&explore->visited);
	delta_end(&explore->delta);
	*explore = (struct explore){0};
}
