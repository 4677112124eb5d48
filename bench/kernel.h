/* SPDX-License-Identifier: MIT */
/* Sockets of the kernel, as the benchmarks need them; what fails ends the program. */
#ifndef BENCH_KERNEL_H
#define BENCH_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* A network namespace for this process alone, loopback up; false if that is not allowed. */
bool kernel_own_network(void);

/* A TCP socket: cubic, no delay. */
int kernel_socket(void);

/* Addresses and ports in host order; port 0: any. */
int kernel_listen(uint32_t addr, uint16_t port);
int kernel_connect(uint32_t addr, uint16_t port);

#endif
