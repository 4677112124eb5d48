/* SPDX-License-Identifier: MIT */
#include "dev/mac.h"

#include <string.h>

#include "base/bytes.h"
#include "base/siphash.h"

/* Of the first byte's low bits 1 is "group" and 2 "locally administered". */
void mac_draw(uint8_t mac[6], const uint8_t secret[16], const char *purpose)
{
	struct siphash_key key = siphash_key(secret);
	uint8_t draw[8];

	put_be64(draw, siphash(&key, purpose, strlen(purpose)));
	memcpy(mac, draw, 6);
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
}
