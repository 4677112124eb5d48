/* SPDX-License-Identifier: MIT */
/* Ethernet addresses for devices that nobody has given one. */
#ifndef DEV_MAC_H
#define DEV_MAC_H

#include <stdint.h>

/*
 * Draws a unicast address, locally administered, from the 16 bytes of `secret`: the same from the
 * same secret and purpose, and telling nothing of them.
 */
void mac_draw(uint8_t mac[6], const uint8_t secret[16], const char *purpose);

#endif
