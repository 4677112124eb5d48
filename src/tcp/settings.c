/* SPDX-License-Identifier: MIT */
#include "tcp/settings.h"

#include "base/mem.h"

static const struct parley_setting_info table[PARLEY_SETTING_COUNT] = {
#define PARLEY_X(name, key, type, scope, min, max, def, rfc, text) \
	[PARLEY_SET_##                                             \
		name] = {key, text, PARLEY_TYPE_##type, PARLEY_SCOPE_##scope, min, max, def, rfc},
	PARLEY_SETTINGS(PARLEY_X)
#undef PARLEY_X
};

const struct parley_setting_info *parley_setting_info(int setting)
{
	if (setting < 0 || setting >= PARLEY_SETTING_COUNT)
		return NULL;
	return &table[setting];
}

const char *parley_setting_name(int setting)
{
	const struct parley_setting_info *info = parley_setting_info(setting);

	return info ? info->key : "?";
}

const char *parley_profile_name(int profile)
{
	static const char *const names[PARLEY_PROFILE_COUNT] = {"default", "rfc"};

	return profile >= 0 && profile < PARLEY_PROFILE_COUNT ? names[profile] : "?";
}

struct settings *settings_new(struct pool *pool, enum parley_profile profile)
{
	struct settings *settings = pool_get(pool);

	if (!settings)
		return NULL;
	settings->refs = 1;
	for (int i = 0; i < PARLEY_SETTING_COUNT; i++)
		settings->v[i] = profile == PARLEY_PROFILE_RFC ? table[i].rfc : table[i].initial;
	return settings;
}

struct settings *settings_ref(const struct settings *settings)
{
	struct settings *shared = (struct settings *)settings;

	shared->refs++;
	return shared;
}

void settings_put(struct pool *pool, const struct settings *settings)
{
	struct settings *shared = (struct settings *)settings;

	if (shared && --shared->refs == 0)
		pool_put(pool, shared);
}

int settings_set(struct pool *pool, const struct settings **settings, int setting, int64_t value)
{
	const struct parley_setting_info *info = parley_setting_info(setting);
	struct settings *own = (struct settings *)*settings;

	if (!info)
		return -PARLEY_ENOPROTOOPT;
	if (value < info->minimum || value > info->maximum)
		return -PARLEY_EINVAL;
	if (own->refs > 1) {
		struct settings *copy = pool_get(pool);

		if (!copy)
			return -PARLEY_ENOBUFS;
		memcpy(copy, own, sizeof *copy);
		copy->refs = 1;
		own->refs--;
		own = copy;
	}
	own->v[setting] = value;
	*settings = own;
	return 0;
}
