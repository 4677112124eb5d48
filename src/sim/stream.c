/* SPDX-License-Identifier: MIT */
#include "sim/stream.h"

#include "sim/mix.h"
#include "sim/world.h"

#define GOLDEN 0x9e3779b97f4a7c15u

struct sim_stream *sim_stream_get(struct sim_world *world, const struct parley_endpoint *src,
				  const struct parley_endpoint *dst, uint32_t iss)
{
	uint64_t ends = mix_endpoint(mix_endpoint(world->config.seed, src), dst);
	uint64_t key = mix64(mix_word(ends, iss));
	struct sim_stream **bucket = &world->stream[key % SIM_FLOW_BUCKETS];
	struct sim_stream *stream;

	for (stream = *bucket; stream; stream = stream->next)
		if (stream->key == key)
			return stream;
	stream = sim_zalloc(world->arena, sizeof *stream);
	if (!stream) {
		sim_fail(world, NULL, SIM_RULE_WORLD, "for a stream", world->arena->used, 0);
		return NULL;
	}
	stream->key = key;
	stream->next = *bucket;
	*bucket = stream;
	return stream;
}

/* Eight bytes of a stream at once, the first in the lowest bits. */
static uint64_t word_at(uint64_t key, uint64_t index)
{
	return mix64(key + index * GOLDEN);
}

void sim_stream_fill(uint64_t key, uint64_t offset, uint8_t *buf, size_t len)
{
	uint64_t word = word_at(key, offset / 8) >> offset % 8 * 8;

	for (size_t i = 0; i < len; i++, offset++, word >>= 8) {
		if (offset % 8 == 0)
			word = word_at(key, offset / 8);
		buf[i] = (uint8_t)word;
	}
}

void sim_stream_deliver(struct sim_stream *stream, const struct sim_host *host,
			const uint8_t *bytes, size_t len)
{
	uint64_t offset = stream->received;
	uint64_t word = word_at(stream->key, offset / 8) >> offset % 8 * 8;

	if (stream->ended)
		sim_fail(host->world, host, SIM_RULE_EOF_AGAIN, NULL, offset, len);
	if (offset + len > stream->sent)
		sim_fail(host->world, host, SIM_RULE_UNSENT, NULL, offset + len, stream->sent);
	for (size_t i = 0; i < len; i++, offset++, word >>= 8) {
		if (offset % 8 == 0)
			word = word_at(stream->key, offset / 8);
		if (bytes[i] == (uint8_t)word)
			continue;
		sim_fail(host->world, host, SIM_RULE_BYTES, "at this offset, of so many", offset,
			 stream->sent);
		break;
	}
	stream->received += len;
}

void sim_stream_urgent(struct sim_stream *stream, const struct sim_host *host, int64_t left)
{
	uint64_t mark = stream->received + (left > 0 ? (uint64_t)left : 0);

	if (left <= 0)
		return;
	if (mark < stream->told || mark > stream->urgent)
		sim_fail(host->world, host, SIM_RULE_URGENT, "up to this offset, of so many", mark,
			 stream->urgent);
	stream->told = mark;
}

void sim_stream_end(struct sim_stream *stream, const struct sim_host *host)
{
	stream->ended = true;
	if (!stream->finished || stream->received != stream->sent)
		sim_fail(host->world, host, SIM_RULE_EOF, "after so many bytes, of so many",
			 stream->received, stream->sent);
	if (stream->told != stream->urgent)
		sim_fail(host->world, host, SIM_RULE_URGENT, "up to this offset, of so many",
			 stream->told, stream->urgent);
}
