/* SPDX-License-Identifier: MIT */
/* ICMP messages: data lies inside, and an echo is written back the same. */
#include "fuzz.h"

#include "base/checksum.h"
#include "wire/icmp.h"

#include <stdlib.h>
#include <string.h>

static void check_echo(const struct icmp_message *message, const uint8_t *bytes, size_t len)
{
	uint8_t *out = malloc(len);

	demand(out);
	demand(icmp_emit_echo(out, message) == len);
	demand(memcmp(out + 4, bytes + 4, len - 4) == 0);
	demand(checksum_fold(checksum_sum(out, len)) == 0);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	bool repair = take8(&in) & 1;
	uint8_t *bytes = exact(in.at, in.left);
	struct icmp_message message;

	if (repair && in.left >= ICMP_HEADER_LEN) {
		put_be16(bytes + 2, 0);
		put_be16(bytes + 2, checksum_fold(checksum_sum(bytes, in.left)));
	}
	if (icmp_parse(&message, bytes, in.left) == WIRE_OK) {
		demand(message.data == bytes + ICMP_HEADER_LEN);
		demand(message.data_len == in.left - ICMP_HEADER_LEN);
		demand(!message.has_quote || message.is_error);
		demand(!message.has_quote || message.data_len >= 20);
		if (message.kind == ICMP_KIND_ECHO || message.kind == ICMP_KIND_ECHO_REPLY)
			check_echo(&message, bytes, in.left);
	}
	free(bytes);
	return 0;
}
