/* SPDX-License-Identifier: MIT */
#include "drill/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 16384u
#define ALIGN 16u

struct drill_chunk {
	struct drill_chunk *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

bool drill_error_set(struct drill_error *error, struct drill_place at, const char *format, ...)
{
	va_list arguments;

	error->at = at;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof error->text, format, arguments);
	va_end(arguments);
	return false;
}

void *drill_alloc(struct drill_script *script, size_t size)
{
	struct drill_chunk *chunk = script->chunks;
	void *at;

	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;

		chunk = calloc(1, sizeof *chunk + room);
		if (!chunk) {
			fprintf(stderr, "parley drill: out of memory\n");
			exit(1);
		}
		chunk->size = room;
		chunk->next = script->chunks;
		script->chunks = chunk;
	}
	at = chunk->bytes + chunk->used;
	chunk->used += size;
	return at;
}

char *drill_copy(struct drill_script *script, const char *text, size_t len)
{
	char *copy = drill_alloc(script, len + 1);

	memcpy(copy, text, len);
	return copy;
}

struct drill_script *drill_script_new(const char *path, const char *text, size_t len)
{
	struct drill_script *script = calloc(1, sizeof *script);

	if (!script)
		return NULL;
	script->path = drill_copy(script, path, strlen(path));
	script->text = drill_copy(script, text, len);
	return script;
}

void drill_script_free(struct drill_script *script)
{
	if (!script)
		return;
	while (script->chunks) {
		struct drill_chunk *next = script->chunks->next;

		free(script->chunks);
		script->chunks = next;
	}
	free(script);
}

const char *drill_line(const struct drill_script *script, int line, size_t *len)
{
	const char *at = script->text;

	while (--line > 0 && *at) {
		at += strcspn(at, "\n");
		if (*at)
			at++;
	}
	*len = strcspn(at, "\n");
	return at;
}
