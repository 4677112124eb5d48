/* SPDX-License-Identifier: MIT */
#include "tool/witness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define RECORD_BEGIN 0x1e

struct sighting *witness_add(struct witness *witness)
{
	struct sighting *added;

	if (witness->n == witness->room) {
		size_t room = witness->room ? witness->room * 2 : 256;

		added = reallocarray(witness->sightings, room, sizeof *added);
		if (!added)
			return NULL;
		witness->sightings = added;
		witness->room = room;
	}
	added = &witness->sightings[witness->n++];
	memset(added, 0, sizeof *added);
	added->why = added->cause = added->reason = -1;
	return added;
}

/* The whole file; NULL with error set. To be freed. */
static uint8_t *read_all(const char *path, size_t *len, char error[static WITNESS_ERROR_MAX])
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t room = 0, n;

	*len = 0;
	while (file) {
		if (*len == room) {
			uint8_t *more = realloc(data, room = room ? room * 2 : 1 << 16);

			if (!more)
				break;
			data = more;
		}
		n = fread(data + *len, 1, room - *len, file);
		*len += n;
		if (!n)
			break;
	}
	if (file && !ferror(file) && feof(file)) {
		fclose(file);
		return data;
	}
	snprintf(error, WITNESS_ERROR_MAX, "%s: %s", path, strerror(errno ? errno : ENOMEM));
	if (file)
		fclose(file);
	free(data);
	return NULL;
}

static bool is_pcap(uint32_t magic)
{
	return magic == 0xa1b2c3d4 || magic == 0xd4c3b2a1 || magic == 0xa1b23c4d ||
	       magic == 0x4d3cb2a1;
}

static bool read_format(struct witness *witness, const uint8_t *data, size_t len,
			char error[static WITNESS_ERROR_MAX])
{
	if (len && data[0] == RECORD_BEGIN)
		return witness_read_trace(witness, (const char *)data, len, error);
	if (len >= 4 && get_be32(data) == 0x0a0d0d0a)
		return witness_read_pcapng(witness, data, len, error);
	if (len >= 4 && is_pcap(get_be32(data)))
		return witness_read_pcap(witness, data, len, error);
	snprintf(error, WITNESS_ERROR_MAX, "%s: %s", witness->path,
		 len ? "neither a trace (JSON text sequence) nor a capture (pcapng, pcap)"
		     : "the file is empty");
	return false;
}

struct witness *witness_read(const char *path, char error[static WITNESS_ERROR_MAX])
{
	struct witness *witness;
	size_t len;
	uint8_t *data = read_all(path, &len, error);
	bool good;

	if (!data)
		return NULL;
	witness = calloc(1, sizeof *witness);
	if (witness) {
		witness->path = path;
		good = read_format(witness, data, len, error);
	} else {
		good = false;
		snprintf(error, WITNESS_ERROR_MAX, "%s: %s", path, strerror(ENOMEM));
	}
	free(data);
	if (good)
		return witness;
	witness_free(witness);
	return NULL;
}

void witness_free(struct witness *witness)
{
	if (!witness)
		return;
	free(witness->sightings);
	free(witness);
}
