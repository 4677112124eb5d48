/* SPDX-License-Identifier: MIT */
#include "tool/setting.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tool/words.h"

#define WIDTH	   80
#define VALUE_TEXT 32

static const struct {
	const char *name;
	unsigned scale; /* a unit is 10^scale ns */
} units[] = {{"ns", 0}, {"us", 3}, {"ms", 6}, {"s", 9}};

static bool read_time(const char *text, int64_t *value)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		uint64_t number;
		const char *end;

		if (!option_decimal(text, units[i].scale, &number, &end) || number > INT64_MAX)
			continue;
		/* 0 is 0 in every unit. */
		if (!strcmp(end, units[i].name) || (!number && !*end)) {
			*value = (int64_t)number;
			return true;
		}
	}
	return false;
}

static bool read_count(const char *text, enum parley_setting_type type, int64_t *value)
{
	static const char letters[] = "KMG";
	const char *end, *letter;
	uint64_t number;
	unsigned shift = 0;

	if (!option_decimal(text, 0, &number, &end))
		return false;
	letter = *end && type == PARLEY_TYPE_BYTES ? strchr(letters, *end & ~0x20) : NULL;
	if (letter) {
		shift = 10 * (unsigned)(letter - letters + 1);
		end++;
	}
	if (*end || number > (uint64_t)INT64_MAX >> shift)
		return false;
	*value = (int64_t)(number << shift);
	return true;
}

static bool read_switch(const char *text, int64_t *value)
{
	static const char *const words[] = {"off", "on", "0", "1", "no", "yes", "false", "true"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(text, words[i]))
			continue;
		*value = i & 1;
		return true;
	}
	return false;
}

static bool read_value(const char *text, enum parley_setting_type type, int64_t *value)
{
	switch (type) {
	case PARLEY_TYPE_BOOL:
		return read_switch(text, value);
	case PARLEY_TYPE_NS:
		return read_time(text, value);
	case PARLEY_TYPE_BYTES:
	case PARLEY_TYPE_COUNT:
		return read_count(text, type, value);
	}
	return false;
}

int setting_read_profile(const struct command *command, const char *option, const char *text,
			 enum parley_profile *profile)
{
	if (!text)
		return OPTION_GO_ON;
	for (int i = 0; i < PARLEY_PROFILE_COUNT; i++) {
		if (strcmp(text, parley_profile_name(i)))
			continue;
		*profile = (enum parley_profile)i;
		return OPTION_GO_ON;
	}
	return option_refuse(command, "%s: no profile '%s'; there are default and rfc", option,
			     text);
}

static char *value_text(char out[static VALUE_TEXT], int64_t value, enum parley_setting_type type)
{
	size_t unit = 3;
	int64_t size = 1000000000;

	switch (type) {
	case PARLEY_TYPE_BOOL:
		snprintf(out, VALUE_TEXT, "%s", value ? "on" : "off");
		break;
	case PARLEY_TYPE_NS:
		for (; unit > 0 && value % size; size /= 1000)
			unit--;
		snprintf(out, VALUE_TEXT, "%" PRId64 "%s", value / size,
			 value ? units[unit].name : "");
		break;
	case PARLEY_TYPE_BYTES:
		if (value >= 1 << 20 && value % (1 << 20) == 0)
			snprintf(out, VALUE_TEXT, "%" PRId64 "M", value >> 20);
		else
			snprintf(out, VALUE_TEXT, "%" PRId64, value);
		break;
	case PARLEY_TYPE_COUNT:
		snprintf(out, VALUE_TEXT, "%" PRId64, value);
		break;
	}
	return out;
}

static int refuse_key(const struct command *command, const char *option, const char *text,
		      size_t len)
{
	char key[64];
	const char *best = NULL;
	unsigned least = 4;

	snprintf(key, sizeof key, "%.*s", (int)len, text);
	for (int i = 0; i < PARLEY_SETTING_COUNT; i++) {
		unsigned distance = words_distance(key, parley_setting_name(i));

		if (distance < least) {
			least = distance;
			best = parley_setting_name(i);
		}
	}
	if (best)
		return option_refuse(command, "%s: no setting '%s'; is it '%s'?", option, key,
				     best);
	return option_refuse(command, "%s: no setting '%s'; 'parley %s --help' lists them", option,
			     key, command->name);
}

static const char *example(enum parley_setting_type type)
{
	switch (type) {
	case PARLEY_TYPE_BOOL:
		return "on or off";
	case PARLEY_TYPE_NS:
		return "a time such as 200ms or 1.5s";
	case PARLEY_TYPE_BYTES:
		return "a number of bytes such as 4096 or 64K";
	case PARLEY_TYPE_COUNT:
		break;
	}
	return "a number";
}

int setting_read(const struct command *command, const char *option, const char *text,
		 enum parley_setting *setting, int64_t *value)
{
	size_t len = strcspn(text, "=");
	const struct parley_setting_info *info;
	char low[VALUE_TEXT], high[VALUE_TEXT];
	int i = 0;

	if (!text[len])
		return option_refuse(command, "%s: '%s' is not of the form KEY=VALUE", option,
				     text);
	while (i < PARLEY_SETTING_COUNT && (strlen(parley_setting_name(i)) != len ||
					    strncmp(parley_setting_name(i), text, len)))
		i++;
	info = parley_setting_info(i);
	if (!info)
		return refuse_key(command, option, text, len);
	if (!read_value(text + len + 1, info->type, value))
		return option_refuse(command, "%s: '%s' is not %s", option, text,
				     example(info->type));
	if (*value < info->minimum || *value > info->maximum)
		return option_refuse(command, "%s: '%s' is not between %s and %s", option, text,
				     value_text(low, info->minimum, info->type),
				     value_text(high, info->maximum, info->type));
	*setting = (enum parley_setting)i;
	return OPTION_GO_ON;
}

void setting_help(void)
{
	printf("\nSettings for -o, with range and default, and the value under --profile rfc where "
	       "it is\nanother:\n");
	for (int i = 0; i < PARLEY_SETTING_COUNT; i++) {
		const struct parley_setting_info *info = parley_setting_info(i);
		char low[VALUE_TEXT], high[VALUE_TEXT], value[VALUE_TEXT];

		if (info->type == PARLEY_TYPE_BOOL)
			printf("  %s=on|off", info->key);
		else
			printf("  %s=%s..%s", info->key, value_text(low, info->minimum, info->type),
			       value_text(high, info->maximum, info->type));
		printf(" [%s", value_text(value, info->initial, info->type));
		if (info->rfc != info->initial)
			printf("; rfc: %s", value_text(value, info->rfc, info->type));
		printf("]\n");
		words_fill(info->meaning, 0, 6, WIDTH);
	}
}
