/* SPDX-License-Identifier: MIT */
#include "sim/visited.h"

#include <stdlib.h>

#define FIRST 1024

void visited_free(struct visited *visited)
{
	free(visited->visit);
	free(visited->table);
	*visited = (struct visited){0};
}

/* The place of a digest in the table, or the free one where it belongs. */
static uint32_t place_of(const struct visited *visited, struct small_digest digest)
{
	uint32_t mask = visited->size - 1;
	uint32_t i = (uint32_t)digest.a & mask;

	while (visited->table[i]) {
		const struct small_digest *d = &visited->visit[visited->table[i] - 1].digest;

		if (d->a == digest.a && d->b == digest.b)
			break;
		i = (i + 1) & mask;
	}
	return i;
}

/* Twice the room in both, and everybody at their place. */
static bool grow(struct visited *visited)
{
	uint32_t cap = visited->cap ? 2 * visited->cap : FIRST;
	struct visit *visit = realloc(visited->visit, cap * sizeof *visit);
	uint32_t *table;

	if (!visit)
		return false;
	visited->visit = visit;
	table = calloc(2 * (size_t)cap, sizeof *table);
	if (!table)
		return false;
	free(visited->table);
	visited->table = table;
	visited->cap = cap;
	visited->size = 2 * cap;
	for (uint32_t i = 0; i < visited->n; i++)
		table[place_of(visited, visit[i].digest)] = i + 1;
	return true;
}

uint32_t visited_add(struct visited *visited, struct small_digest digest, bool *fresh)
{
	uint32_t i;

	*fresh = false;
	if (visited->n == visited->cap && !grow(visited))
		return VISITED_NONE;
	i = place_of(visited, digest);
	if (visited->table[i])
		return visited->table[i] - 1;
	*fresh = true;
	visited->visit[visited->n] = (struct visit){.digest = digest, .parent = VISITED_NONE};
	visited->table[i] = ++visited->n;
	return visited->n - 1;
}
