/* SPDX-License-Identifier: MIT */
/*
 * The least that can talk to the kernel's TCP over a TUN device: no TCP, only its motions. As a
 * sink it answers a SYN, checks the checksum of what comes, copies its text once and acknowledges;
 * as a source it connects and sends the same text for ever, as far as the window allows. What it
 * reaches bounds what anything on that device can.
 */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <stdint.h>

enum bare_role { BARE_SINK, BARE_SOURCE };

/* Addresses in host order. A source sends its SYN when it is first called. There is one only. */
void *bare_open(int fd, enum bare_role role, uint32_t peer, uint32_t own, uint16_t port);

/* Works off a batch; the bytes of text taken so far. */
uint64_t bare_work(void *bare);

#endif
