/* SPDX-License-Identifier: MIT */
#include "drill/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

#define NS_PER_US 1000
#define NS_PER_MS 1000000
#define NS_PER_S  1000000000

struct choice {
	enum parley_setting setting;
	int64_t value;
};

/* Where Linux differs from what the RFCs say by the letter, scripts expect Linux. */
static const struct choice as_linux[] = {
	{PARLEY_SET_QUICK_ACKS, 16},
	{PARLEY_SET_SLOW_START_LIMIT, 1000},
	{PARLEY_SET_TIMEOUT_LIMIT, 1000},
	{PARLEY_SET_MIN_RTO_SPREAD, 200 * NS_PER_MS},
	{PARLEY_SET_EMPTY_PROBES, 1},
	{PARLEY_SET_SEND_BUFFER, 4 << 20},
	{PARLEY_SET_UPDATE_WHEN_DOUBLED, 1},
	{PARLEY_SET_STEADY_RECOVERY, 1},
	{PARLEY_SET_DEFLATE_TO_SSTHRESH, 1},
	{PARLEY_SET_DELAY_FIN_ACK, 0},	/* unless the script wants it: dialect.c */
	{PARLEY_SET_ANSWER_SYN_ACK, 0}, /* the same */
};

/* FreeBSD: net.inet.tcp.rexmit_min and rexmit_slop together, and abc_l_var. */
static const struct choice as_bsd[] = {
	{PARLEY_SET_MIN_RTO, 230 * NS_PER_MS}, {PARLEY_SET_MIN_RTO_SPREAD, 200 * NS_PER_MS},
	{PARLEY_SET_SLOW_START_LIMIT, 2},      {PARLEY_SET_SYN_TEXT, 1},
	{PARLEY_SET_RST_KILLS_TIME_WAIT, 0},   {PARLEY_SET_STEADY_RECOVERY, 1},
};

static void choose(struct drill_personality *personality, const struct choice *choices, size_t n,
		   bool given)
{
	for (size_t i = 0; i < n; i++) {
		personality->given[choices[i].setting] = given;
		personality->setting[choices[i].setting] = choices[i].value;
	}
}

/* Takes back what one of them chose, then chooses as this one does. */
static void become(struct drill_personality *personality, enum drill_order stack)
{
	choose(personality, as_linux, sizeof as_linux / sizeof *as_linux, false);
	choose(personality, as_bsd, sizeof as_bsd / sizeof *as_bsd, false);
	if (stack == DRILL_ORDER_LINUX)
		choose(personality, as_linux, sizeof as_linux / sizeof *as_linux, true);
	if (stack == DRILL_ORDER_BSD)
		choose(personality, as_bsd, sizeof as_bsd / sizeof *as_bsd, true);
	personality->bsd = stack == DRILL_ORDER_BSD;
	personality->order = stack;
}

void drill_config_init(struct drill_config *config)
{
	*config = (struct drill_config){
		.bind_port = 8080,
		.connect_port = 8080,
		.mtu = 1500,
		.tolerance = 4 * NS_PER_MS,
		.tolerance_ppm = 125000,
		.personality.wscale = DRILL_WSCALE_AUTO,
	};
	become(&config->personality, DRILL_ORDER_LINUX);
}

static bool refuse(char why[static DRILL_WHY_MAX], const char *format, const char *one,
		   const char *two) __attribute__((format(printf, 2, 0)));

/* `format` has two %s. Always false. */
static bool refuse(char why[static DRILL_WHY_MAX], const char *format, const char *one,
		   const char *two)
{
	snprintf(why, DRILL_WHY_MAX, format, one, two);
	return false;
}

/* A whole decimal number from low to high, and nothing behind it. */
static bool read_whole(const char *text, uint64_t low, uint64_t high, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*number = strtoull(text, &end, 10);
	return !*end && *number >= low && *number <= high;
}

/* "12.5" times 10^places, exactly; *end is what follows. */
static bool read_decimal(const char *text, unsigned places, int64_t *number, const char **end)
{
	int64_t value = 0;
	bool point = false, any = false;

	for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
		if (*text == '.') {
			point = true;
			continue;
		}
		if (point && places == 0)
			return false;
		places -= point;
		any = true;
		if (value > INT64_MAX / 10 - 1)
			return false;
		value = value * 10 + (*text - '0');
	}
	for (; places > 0; places--) {
		if (value > INT64_MAX / 10)
			return false;
		value *= 10;
	}
	*number = value;
	*end = text;
	return any;
}

/* ---- the personality ---- */

/* "200ms", "1.5s", "0" */
static bool read_time(const char *text, int64_t *value)
{
	static const struct {
		const char *unit;
		unsigned places;
	} units[] = {{"ns", 0}, {"us", 3}, {"ms", 6}, {"s", 9}};
	const char *end;

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (read_decimal(text, units[i].places, value, &end) &&
		    (!strcmp(end, units[i].unit) || (!*end && !*value)))
			return true;
	return false;
}

/* "4096", "64K" */
static bool read_bytes(const char *text, int64_t *value)
{
	const char *end;

	if (!read_decimal(text, 0, value, &end))
		return false;
	if ((*end == 'K' || *end == 'M') && *value < 1 << 30)
		*value <<= *end++ == 'K' ? 10 : 20;
	return !*end;
}

static bool read_switch(const char *text, int64_t *value)
{
	static const char *const words[] = {"off", "on", "0", "1", "no", "yes", "false", "true"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		*value = i & 1;
		if (!strcmp(text, words[i]))
			return true;
	}
	return false;
}

static bool is_off(const char *value)
{
	int64_t on;

	return read_switch(value, &on) && !on;
}

static bool read_setting(const char *text, const struct parley_setting_info *info, int64_t *value)
{
	switch (info->type) {
	case PARLEY_TYPE_BOOL:
		return read_switch(text, value);
	case PARLEY_TYPE_NS:
		return read_time(text, value);
	case PARLEY_TYPE_BYTES:
	case PARLEY_TYPE_COUNT:
		break;
	}
	return read_bytes(text, value);
}

static int find_setting(const char *key)
{
	for (int i = 0; i < PARLEY_SETTING_COUNT; i++)
		if (!strcmp(parley_setting_name(i), key))
			return i;
	return -1;
}

static bool set_setting(struct drill_config *config, int setting, const char *value,
			char why[static DRILL_WHY_MAX])
{
	const struct parley_setting_info *info = parley_setting_info(setting);
	static const char *const examples[] = {
		[PARLEY_TYPE_BOOL] = "on or off",
		[PARLEY_TYPE_BYTES] = "a number of bytes",
		[PARLEY_TYPE_COUNT] = "a number",
		[PARLEY_TYPE_NS] = "a time such as 200ms",
	};
	int64_t number;

	if (!read_setting(value, info, &number))
		return refuse(why, "'%s' is not %s", value, examples[info->type]);
	if (number < info->minimum || number > info->maximum)
		return refuse(why, "%s: '%s' is out of range", info->key, value);
	config->personality.given[setting] = true;
	config->personality.asked[setting] = true;
	config->personality.setting[setting] = number;
	return true;
}

static bool set_wscale(struct drill_config *config, const char *value,
		       char why[static DRILL_WHY_MAX])
{
	uint64_t shift;

	if (!strcmp(value, "auto"))
		config->personality.wscale = DRILL_WSCALE_AUTO;
	else if (!strcmp(value, "engine"))
		config->personality.wscale = DRILL_WSCALE_ENGINE;
	else if (!strcmp(value, "off"))
		return drill_config_set(config, "window-scale", "off", why);
	else if (read_whole(value, 0, 14, &shift))
		config->personality.wscale = (int)shift;
	else
		return refuse(why, "%s: '%s' is not 0..14, auto, engine or off", "wscale", value);
	return true;
}

/* One of the stacks whose ways there are. */
static bool read_stack(const char *value, enum drill_order *stack)
{
	static const char *const names[] = {
		[DRILL_ORDER_PARLEY] = "parley",
		[DRILL_ORDER_LINUX] = "linux",
		[DRILL_ORDER_BSD] = "bsd",
	};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		*stack = (enum drill_order)i;
		if (!strcmp(value, names[i]))
			return true;
	}
	return false;
}

static bool set_order(struct drill_config *config, const char *value,
		      char why[static DRILL_WHY_MAX])
{
	return read_stack(value, &config->personality.order) ||
	       refuse(why, "%s: '%s' is not linux, bsd or parley", "synopt", value);
}

static bool set_psh(struct drill_config *config, const char *value, char why[static DRILL_WHY_MAX])
{
	static const char *const names[] = {
		[DRILL_PSH_AUTO] = "auto",
		[DRILL_PSH_WRITE] = "write",
		[DRILL_PSH_BURST] = "burst",
	};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		config->personality.psh = (enum drill_psh)i;
		if (!strcmp(value, names[i]))
			return true;
	}
	return refuse(why, "%s: '%s' is not auto, write or burst", "psh", value);
}

/* The whole personality at once: Linux, FreeBSD, or the engine as it is. */
static bool set_stack(struct drill_config *config, const char *value,
		      char why[static DRILL_WHY_MAX])
{
	enum drill_order stack;

	if (!read_stack(value, &stack))
		return refuse(why, "%s: '%s' is not linux, bsd or parley", "stack", value);
	become(&config->personality, stack);
	return true;
}

/* Short names of settings, as users of packetdrill's plug-ins write them. */
static const struct {
	const char *alias, *key;
} aliases[] = {
	{"iw", "initial-window"},     {"rto_min", "min-rto"},	  {"rto_init", "initial-rto"},
	{"delack", "delayed-ack"},    {"cc", "congestion"},	  {"sndbuf", "send-buffer"},
	{"rcvbuf", "receive-buffer"}, {"quickack", "quick-acks"}, {"ts", "timestamps"},
	{"tcp_ecn", "ecn"},
};

/* What others have: on, when the engine has a setting of that name by now. */
static const char *const features[] = {"sack", "timestamps", "ecn", "fastopen", "quick-acks"};

static const char *unalias(const char *key)
{
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (!strcmp(aliases[i].alias, key))
			return aliases[i].key;
	return key;
}

bool drill_config_set(struct drill_config *config, const char *key, const char *value,
		      char why[static DRILL_WHY_MAX])
{
	int setting;

	key = unalias(key);
	if (!strcmp(key, "wscale"))
		return set_wscale(config, value, why);
	if (!strcmp(key, "synopt"))
		return set_order(config, value, why);
	if (!strcmp(key, "stack"))
		return set_stack(config, value, why);
	if (!strcmp(key, "psh"))
		return set_psh(config, value, why);
	if (!strcmp(key, "mtu"))
		return drill_config_option(config, key, value, why);
	/* The one congestion control by its names. */
	if (!strcmp(key, "congestion") && (!strcmp(value, "reno") || !strcmp(value, "newreno")))
		value = "0";
	setting = find_setting(key);
	if (setting >= 0)
		return set_setting(config, setting, value, why);
	for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
		if (strcmp(features[i], key))
			continue;
		return is_off(value) ||
		       refuse(why, "%s: the stack has no such thing yet; only '%s=off' is possible",
			      key, key);
	}
	return refuse(why, "no setting '%s'%s", key, "");
}

bool drill_config_personality(struct drill_config *config, const char *text,
			      char why[static DRILL_WHY_MAX])
{
	char pair[96];

	while (*text) {
		size_t len = strcspn(text, ",");
		char *equals;

		snprintf(pair, sizeof pair, "%.*s", (int)len, text);
		equals = strchr(pair, '=');
		if (!equals || len >= sizeof pair)
			return refuse(why, "'%s' is not of the form KEY=VALUE%s", pair, "");
		*equals = 0;
		if (!drill_config_set(config, pair, equals + 1, why))
			return false;
		text += len;
		text += *text == ',';
	}
	return true;
}

/* ---- packetdrill's options ---- */

static bool set_family(struct drill_config *config, const char *value)
{
	static const char *const names[] = {
		[DRILL_IPV4] = "ipv4",
		[DRILL_IPV4_MAPPED] = "ipv4-mapped-ipv6",
		[DRILL_IPV6] = "ipv6",
	};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		config->family = (enum drill_family)i;
		if (!strcmp(value, names[i]))
			return true;
	}
	return false;
}

static bool set_port(uint16_t *port, const char *value)
{
	uint64_t number;

	if (!read_whole(value, 1, UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* An address, perhaps with a prefix, which here means nothing. */
static bool set_address(struct parley_addr *addr, const char *value)
{
	char text[TEXT_PREFIX_MAX];
	size_t len = strcspn(value, "/");

	if (len >= sizeof text)
		return false;
	memcpy(text, value, len);
	text[len] = 0;
	return text_read_addr(addr, text);
}

static bool set_tolerance_percent(struct drill_config *config, const char *value)
{
	const char *end;
	int64_t ppm;

	if (!read_decimal(value, 4, &ppm, &end) || *end || ppm > 1000000)
		return false;
	config->tolerance_ppm = (uint32_t)ppm;
	return true;
}

static bool set_forgiven(struct drill_config *config, const char *value)
{
	while (*value) {
		size_t len = strcspn(value, ", ");

		if (len == 6 && !strncmp(value, "packet", len))
			config->forgive_packets = true;
		else if (len == 7 && !strncmp(value, "syscall", len))
			config->forgive_syscalls = true;
		else
			return false;
		value += len;
		value += strspn(value, ", ");
	}
	return true;
}

static bool set_number(struct drill_config *config, const char *name, const char *value)
{
	uint64_t number;

	if (!strcmp(name, "mtu")) {
		if (!read_whole(value, 68, 65535, &number))
			return false;
		config->mtu = (uint32_t)number;
	} else if (!strcmp(name, "tolerance_usecs")) {
		if (!read_whole(value, 0, 1000000000, &number))
			return false;
		config->tolerance = number * NS_PER_US;
	} else if (!strcmp(name, "tcp_ts_tick_usecs")) {
		if (!read_whole(value, 0, 1000000, &number))
			return false;
		config->ts_tick = number * NS_PER_US;
	} else {
		if (!read_whole(value, 1, UINT16_MAX, &number))
			return false;
		config->mss = (uint16_t)number;
	}
	return true;
}

/* Options that concern a real device, another machine or the language of %{ }%. */
static bool is_meaningless(const char *name)
{
	static const char *const names[] = {
		"speed",	"gateway_ip",	   "netmask_ip",      "init_scripts",
		"code_command", "code_format",	   "code_sockopt",    "tcp_ts_ecr_scaled",
		"is_anyip",	"send_omit_free",  "debug",	      "verbose",
		"so_filename",	"wire_client_dev", "wire_server_dev", "define",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* Options without a value; true when `name` is one. */
static bool set_flag(struct drill_config *config, const char *name)
{
	if (!strcmp(name, "strict_segments"))
		config->strict = true;
	else if (!strcmp(name, "dry_run"))
		config->dry_run = true;
	else
		return is_meaningless(name);
	return true;
}

bool drill_config_option(struct drill_config *config, const char *name, const char *value,
			 char why[static DRILL_WHY_MAX])
{
	bool fine;

	if (set_flag(config, name))
		return true;
	if (!value)
		value = "";
	if (!strcmp(name, "so_flags"))
		return drill_config_personality(config, value, why);
	if (!strcmp(name, "ip_version"))
		fine = set_family(config, value);
	else if (!strcmp(name, "bind_port"))
		fine = set_port(&config->bind_port, value);
	else if (!strcmp(name, "connect_port"))
		fine = set_port(&config->connect_port, value);
	else if (!strcmp(name, "local_ip"))
		fine = set_address(&config->local, value);
	else if (!strcmp(name, "remote_ip"))
		fine = set_address(&config->remote, value);
	else if (!strcmp(name, "tolerance_percent"))
		fine = set_tolerance_percent(config, value);
	else if (!strcmp(name, "non_fatal"))
		fine = set_forgiven(config, value);
	else if (!strcmp(name, "mtu") || !strcmp(name, "mss") || !strcmp(name, "tolerance_usecs") ||
		 !strcmp(name, "tcp_ts_tick_usecs"))
		fine = set_number(config, name, value);
	else
		return refuse(why, "no option --%s%s", name, "");
	return fine || refuse(why, "--%s: '%s' is not right", name, value);
}

static bool is_unset(const struct parley_addr *addr)
{
	static const struct parley_addr none;

	return !memcmp(addr, &none, sizeof none);
}

bool drill_config_finish(struct drill_config *config, char why[static DRILL_WHY_MAX])
{
	bool ipv6 = config->family == DRILL_IPV6;

	if (is_unset(&config->local))
		text_read_addr(&config->local, ipv6 ? "fd3d:fa7b:d17d::1" : "192.168.0.1");
	if (is_unset(&config->remote))
		text_read_addr(&config->remote, ipv6 ? "2001:db8::1" : "192.0.2.1");
	config->prefix = ipv6 ? 48 : 16;
	if (ip_is_v4(&config->local) == ipv6 || ip_is_v4(&config->remote) == ipv6)
		return refuse(why, "an address is not of the family %s%s", ipv6 ? "IPv6" : "IPv4",
			      "");
	return true;
}
