/* SPDX-License-Identifier: MIT */
/* Parley: the whole of TCP outside the kernel. All of its interface. */
#ifndef PARLEY_PARLEY_H
#define PARLEY_PARLEY_H

#include <parley/conn.h>
#include <parley/frame.h>
#include <parley/host.h>
#include <parley/memory.h>
#include <parley/setting.h>
#include <parley/trace.h>
#include <parley/types.h>

#endif
