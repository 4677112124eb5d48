/* SPDX-License-Identifier: MIT */
/*
 * The values of all settings, in one block that connections share: a block is never changed while
 * more than one holds it. A connection with a setting of its own has a block of its own.
 */
#ifndef TCP_SETTINGS_H
#define TCP_SETTINGS_H

#include "base/pool.h"

#include <parley/setting.h>

struct settings {
	uint32_t refs;
	int64_t v[PARLEY_SETTING_COUNT];
};

/* A block with the values of a profile and one reference; NULL without memory. */
struct settings *settings_new(struct pool *pool, enum parley_profile profile);

/* One more reference; one less, which may free it. NULL is allowed for settings_put. */
struct settings *settings_ref(const struct settings *settings);
void settings_put(struct pool *pool, const struct settings *settings);

/*
 * Changes one value for the holder of *settings alone, copying the block if others hold it too.
 * Errors: -PARLEY_ENOPROTOOPT (no such setting), -PARLEY_EINVAL (out of range), -PARLEY_ENOBUFS.
 */
int settings_set(struct pool *pool, const struct settings **settings, int setting, int64_t value);

#endif
