/* SPDX-License-Identifier: MIT */
#include "tcp/secret.h"

#include "base/bytes.h"
#include "tcp/demux.h"

uint64_t secret_draw(const struct tcp *tcp, enum secret_purpose purpose, const struct tuple *tuple,
		     uint64_t counter)
{
	const uint64_t words[] = {
		get_le64(tuple->local.b),
		get_le64(tuple->local.b + 8),
		get_le64(tuple->remote.b),
		get_le64(tuple->remote.b + 8),
		(uint64_t)tuple->local_port << 16 | tuple->remote_port | (uint64_t)purpose << 32,
		counter,
	};

	return siphash_words(&tcp->key, words, sizeof words / sizeof *words);
}

/* MUST-8, MUST-9, SHLD-1 */
struct seq secret_isn(const struct tcp *tcp, const struct tuple *tuple)
{
	uint32_t clock = (uint32_t)(tcp->now / 4000);

	return seq(clock + (uint32_t)secret_draw(tcp, SECRET_ISN, tuple, 0));
}

uint16_t secret_port(struct tcp *tcp, const struct tuple *tuple)
{
	uint32_t first = (uint32_t)tcp->settings->v[PARLEY_SET_PORT_FIRST];
	uint32_t last = (uint32_t)tcp->settings->v[PARLEY_SET_PORT_LAST];
	uint32_t n = last >= first ? last - first + 1 : 1;
	uint32_t at = (uint32_t)(secret_draw(tcp, SECRET_PORT, tuple, tcp->draws++) % n);
	struct tuple candidate = *tuple;

	for (uint32_t i = 0; i < n; i++) {
		struct parley_endpoint local = {tuple->local, (uint16_t)(first + (at + i) % n)};

		candidate.local_port = local.port;
		if (!demux_is_taken(tcp, &candidate) && !demux_is_listening(tcp, &local, false))
			return candidate.local_port;
	}
	return 0;
}
