/* SPDX-License-Identifier: MIT */
#include "drill/sysctl.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_US 1000
#define NS_PER_MS 1000000
#define NS_PER_S  1000000000

#define LINUX_RTO_MIN (INT64_C(200) * NS_PER_MS)
#define LINUX_RTO_MAX (INT64_C(120) * NS_PER_S)

enum rule {
	NUMBER,	    /* setting = value * unit */
	NOT,	    /* setting = !value */
	FEATURE,    /* 0 is met, anything else lacking */
	ALWAYS,	    /* it is so in any case: 1 is met, 0 lacking */
	RANGE,	    /* two settings */
	LARGEST,    /* tcp_rmem, tcp_wmem: the last of three */
	RETRIES,    /* tcp_retries2: the time that so many take */
	CONGESTION, /* by name */
	RTO_MIN,    /* also the least that is added to SRTT */
	NOTHING,
};

struct entry {
	const char *name;
	enum rule rule;
	enum parley_setting setting;
	int64_t unit;
};

/* clang-format off */
static const struct entry table[] = {
	{"tcp_window_scaling", NUMBER, PARLEY_SET_WINDOW_SCALE, 1},
	{"tcp_syn_retries", NUMBER, PARLEY_SET_SYN_RETRIES, 1},
	{"tcp_synack_retries", NUMBER, PARLEY_SET_SYNACK_RETRIES, 1},
	{"tcp_retries1", NUMBER, PARLEY_SET_R1, 1},
	{"tcp_retries2", RETRIES, PARLEY_SET_R2, 1},
	{"tcp_fin_timeout", NUMBER, PARLEY_SET_FIN_WAIT_2, NS_PER_S},
	{"tcp_slow_start_after_idle", NUMBER, PARLEY_SET_IDLE_RESTART, 1},
	{"tcp_keepalive_time", NUMBER, PARLEY_SET_KEEPALIVE_IDLE, NS_PER_S},
	{"tcp_keepalive_intvl", NUMBER, PARLEY_SET_KEEPALIVE_INTERVAL, NS_PER_S},
	{"tcp_keepalive_probes", NUMBER, PARLEY_SET_KEEPALIVE_COUNT, 1},
	{"tcp_rto_min_us", RTO_MIN, PARLEY_SET_MIN_RTO, NS_PER_US},
	{"tcp_rto_max_ms", NUMBER, PARLEY_SET_MAX_RTO, NS_PER_MS},
	{"tcp_max_tw_buckets", NUMBER, PARLEY_SET_TIME_WAIT_LIMIT, 1},
	{"tcp_abort_on_overflow", NUMBER, PARLEY_SET_ABORT_ON_OVERFLOW, 1},
	{"tcp_max_syn_backlog", NUMBER, PARLEY_SET_SYN_BACKLOG, 1},
	{"tcp_invalid_ratelimit", NUMBER, PARLEY_SET_CHALLENGE_INTERVAL, NS_PER_MS},
	{"somaxconn", NUMBER, PARLEY_SET_SOMAXCONN, 1},
	{"ip_default_ttl", NUMBER, PARLEY_SET_TTL, 1},
	{"tcp_rfc1337", NOT, PARLEY_SET_RST_KILLS_TIME_WAIT, 1},
	{"ip_local_port_range", RANGE, PARLEY_SET_PORT_FIRST, 1},
	{"tcp_rmem", LARGEST, PARLEY_SET_RECEIVE_BUFFER_MAX, 1},
	{"tcp_wmem", LARGEST, PARLEY_SET_SEND_BUFFER, 1},
	{"tcp_congestion_control", CONGESTION, PARLEY_SET_CONGESTION, 1},
	{"tcp_sack", FEATURE, 0, 0},
	{"tcp_dsack", FEATURE, 0, 0},
	{"tcp_fack", FEATURE, 0, 0},
	{"tcp_timestamps", FEATURE, 0, 0},
	{"tcp_ecn", FEATURE, 0, 0},
	{"tcp_fastopen", FEATURE, 0, 0},
	{"tcp_frto", FEATURE, 0, 0},
	{"tcp_early_retrans", FEATURE, 0, 0},
	{"tcp_recovery", FEATURE, 0, 0},
	{"tcp_mtu_probing", FEATURE, 0, 0},
	{"tcp_moderate_rcvbuf", FEATURE, 0, 0},
	{"tcp_thin_linear_timeouts", FEATURE, 0, 0},
	{"tcp_no_metrics_save", ALWAYS, 0, 0},
	{"tcp_reordering", NOTHING, 0, 0},
	{"tcp_orphan_retries", NOTHING, 0, 0},
	{"tcp_syncookies", NOTHING, 0, 0},
	{"tcp_tso_win_divisor", NOTHING, 0, 0},
	{"tcp_min_tso_segs", NOTHING, 0, 0},
	{"tcp_tso_rtt_log", NOTHING, 0, 0},
	{"tcp_pacing_ss_ratio", NOTHING, 0, 0},
	{"tcp_pacing_ca_ratio", NOTHING, 0, 0},
	{"tcp_notsent_lowat", NOTHING, 0, 0},
	{"tcp_fastopen_key", NOTHING, 0, 0},
	{"tcp_fastopen_blackhole_timeout_sec", NOTHING, 0, 0},
	{"tcp_tw_reuse", NOTHING, 0, 0},
	{"tcp_tw_recycle", NOTHING, 0, 0},
	{"tcp_challenge_ack_limit", NOTHING, 0, 0},
	{"tcp_adv_win_scale", NOTHING, 0, 0},
	{"tcp_app_win", NOTHING, 0, 0},
	{"tcp_limit_output_bytes", NOTHING, 0, 0},
	{"tcp_autocorking", NOTHING, 0, 0},
	{"tcp_workaround_signed_windows", NOTHING, 0, 0},
	{"tcp_shrink_window", NOTHING, 0, 0},
	{"tcp_comp_sack_nr", NOTHING, 0, 0},
	{"tcp_comp_sack_delay_ns", NOTHING, 0, 0},
	{"tcp_base_mss", NOTHING, 0, 0},
	{"tcp_min_snd_mss", NOTHING, 0, 0},
	{"tcp_low_latency", NOTHING, 0, 0},
	{"rmem_max", NOTHING, 0, 0},
	{"wmem_max", NOTHING, 0, 0},
	{"rmem_default", NOTHING, 0, 0},
	{"wmem_default", NOTHING, 0, 0},
	{"ip_no_pmtu_disc", NOTHING, 0, 0},
	{"default_qdisc", NOTHING, 0, 0},
	{"rp_filter", NOTHING, 0, 0},
};

/* FreeBSD's, by their whole names: "enable" alone may be several. */
static const struct entry bsd_table[] = {
	{"net.inet.tcp.rexmit_initial", NUMBER, PARLEY_SET_INITIAL_RTO, NS_PER_MS},
	{"net.inet.tcp.rexmit_min", NUMBER, PARLEY_SET_MIN_RTO, NS_PER_MS},
	{"net.inet.tcp.rexmit_slop", NUMBER, PARLEY_SET_MIN_RTO_SPREAD, NS_PER_MS},
	{"net.inet.tcp.delacktime", NUMBER, PARLEY_SET_DELAYED_ACK, NS_PER_MS},
	{"net.inet.tcp.keepidle", NUMBER, PARLEY_SET_KEEPALIVE_IDLE, NS_PER_MS},
	{"net.inet.tcp.keepintvl", NUMBER, PARLEY_SET_KEEPALIVE_INTERVAL, NS_PER_MS},
	{"net.inet.tcp.keepcnt", NUMBER, PARLEY_SET_KEEPALIVE_COUNT, 1},
	{"net.inet.tcp.finwait2_timeout", NUMBER, PARLEY_SET_FIN_WAIT_2, NS_PER_MS},
	{"net.inet.tcp.msl", NUMBER, PARLEY_SET_MSL, NS_PER_MS},
	{"net.inet.tcp.initcwnd_segments", NUMBER, PARLEY_SET_INITIAL_WINDOW, 1},
	{"net.inet.tcp.abc_l_var", NUMBER, PARLEY_SET_SLOW_START_LIMIT, 1},
	{"net.inet.tcp.rfc3042", NUMBER, PARLEY_SET_LIMITED_TRANSMIT, 1},
	{"net.inet.tcp.syncache.rexmtlimit", NUMBER, PARLEY_SET_SYNACK_RETRIES, 1},
	{"net.inet.tcp.drop_synfin", NOT, PARLEY_SET_SYN_FIN, 1},
	{"net.inet.tcp.cc.algorithm", CONGESTION, PARLEY_SET_CONGESTION, 1},
	{"net.inet.ip.ttl", NUMBER, PARLEY_SET_TTL, 1},
	{"net.inet.ip.portrange.first", NUMBER, PARLEY_SET_PORT_FIRST, 1},
	{"net.inet.ip.portrange.last", NUMBER, PARLEY_SET_PORT_LAST, 1},
	{"kern.ipc.maxsockbuf", NUMBER, PARLEY_SET_RECEIVE_BUFFER_MAX, 1},
	{"kern.ipc.somaxconn", NUMBER, PARLEY_SET_SOMAXCONN, 1},
	/* Window scale and timestamps at once. */
	{"net.inet.tcp.rfc1323", NUMBER, PARLEY_SET_WINDOW_SCALE, 1},
	{"net.inet.tcp.sack.enable", FEATURE, 0, 0},
	{"net.inet.tcp.ecn.enable", FEATURE, 0, 0},
	{"net.inet.tcp.fastopen.client_enable", FEATURE, 0, 0},
	{"net.inet.tcp.fastopen.server_enable", FEATURE, 0, 0},
	{"net.inet.tcp.insecure_rst", FEATURE, 0, 0},
	{"net.inet.tcp.insecure_syn", FEATURE, 0, 0},
	{"net.inet.tcp.insecure_ack", FEATURE, 0, 0},
	{"net.inet.tcp.blackhole", FEATURE, 0, 0},
	{"net.inet.tcp.always_keepalive", FEATURE, 0, 0},
	{"net.inet.tcp.rexmit_drop_options", FEATURE, 0, 0},
	{"net.inet.tcp.path_mtu_discovery", ALWAYS, 0, 0},
	{"net.inet.tcp.icmp_may_rst", ALWAYS, 0, 0},
	{"net.inet.tcp.delayed_ack", ALWAYS, 0, 0},
	{"net.inet.tcp.recvspace", NOTHING, 0, 0},
	{"net.inet.tcp.sendspace", NOTHING, 0, 0},
	{"net.inet.tcp.keepinit", NOTHING, 0, 0},
	{"net.inet.tcp.syncookies", NOTHING, 0, 0},
	{"net.inet.tcp.hostcache.purgenow", NOTHING, 0, 0},
	{"net.inet.tcp.hostcache.enable", NOTHING, 0, 0},
	{"net.inet.tcp.functions_default", NOTHING, 0, 0},
	{"net.inet.tcp.tolerate_missing_ts", NOTHING, 0, 0},
	{"net.inet.tcp.ts_offset_per_conn", NOTHING, 0, 0},
	{"net.inet.icmp.icmplim", NOTHING, 0, 0},
	{"net.inet6.icmp6.errppslimit", NOTHING, 0, 0},
};
/* clang-format on */

static void change_one(struct drill_sysctl_change *change, enum parley_setting setting,
		       int64_t value)
{
	const struct parley_setting_info *info = parley_setting_info(setting);

	if (value < info->minimum)
		value = info->minimum;
	if (value > info->maximum)
		value = info->maximum;
	change->setting[change->count] = setting;
	change->value[change->count++] = value;
}

/*
 * Linux makes a time of the number: what so many retransmissions take from the smallest RTO on, ns.
 * It ends the connection at the first expiry behind it, we at that time.
 */
static int64_t retries_time(int64_t retries)
{
	const int64_t doublings = 9; /* then the RTO is at its largest */
	int64_t doubled = retries < 0 ? 0 : retries < doublings ? retries : doublings;
	int64_t rest = retries > doublings ? retries - doublings : 0;

	if (rest > INT16_MAX)
		rest = INT16_MAX;
	return ((INT64_C(2) << doubled) - 1) * LINUX_RTO_MIN + rest * LINUX_RTO_MAX;
}

/* Up to three numbers; how many there are. */
static int read_numbers(const char *value, int64_t numbers[3])
{
	int n = 0;
	char *end;

	while (n < 3) {
		numbers[n] = strtoll(value, &end, 0);
		if (end == value)
			break;
		value = end;
		n++;
	}
	return n;
}

/* The last component of a name with dots or slashes. */
static const char *last_part(const char *name)
{
	const char *dot = strrchr(name, '.'), *slash = strrchr(name, '/');

	if (slash && (!dot || slash > dot))
		return slash + 1;
	return dot ? dot + 1 : name;
}

static const struct entry *find(const struct entry *entries, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(entries[i].name, name))
			return &entries[i];
	return NULL;
}

static const struct entry *find_any(const char *name)
{
	if (!strncmp(name, "net.inet", 8) || !strncmp(name, "kern.ipc.", 9))
		return find(bsd_table, sizeof bsd_table / sizeof *bsd_table, name);
	return find(table, sizeof table / sizeof *table, last_part(name));
}

enum drill_sysctl_result drill_sysctl(const char *name, const char *value,
				      struct drill_sysctl_change *change)
{
	int64_t numbers[3] = {0};
	int n = read_numbers(value, numbers);
	const struct entry *entry = find_any(name);

	change->count = 0;
	if (!entry)
		return DRILL_SYSCTL_UNKNOWN;
	if (entry->rule == NOTHING)
		return DRILL_SYSCTL_NO_EFFECT;
	if (entry->rule == CONGESTION)
		return strcmp(value, "reno") && strcmp(value, "newreno") ? DRILL_SYSCTL_LACKING
									 : DRILL_SYSCTL_MET;
	if (!n || (entry->rule == RANGE && n < 2))
		return DRILL_SYSCTL_BAD_VALUE;
	switch (entry->rule) {
	case FEATURE:
		return numbers[0] ? DRILL_SYSCTL_LACKING : DRILL_SYSCTL_MET;
	case ALWAYS:
		return numbers[0] ? DRILL_SYSCTL_MET : DRILL_SYSCTL_LACKING;
	case NOT:
		change_one(change, entry->setting, !numbers[0]);
		break;
	case RANGE:
		change_one(change, PARLEY_SET_PORT_FIRST, numbers[0]);
		change_one(change, PARLEY_SET_PORT_LAST, numbers[1]);
		break;
	case RETRIES:
		change_one(change, entry->setting, retries_time(numbers[0]));
		break;
	case RTO_MIN:
		change_one(change, entry->setting, numbers[0] * entry->unit);
		change_one(change, PARLEY_SET_MIN_RTO_SPREAD, numbers[0] * entry->unit);
		break;
	case LARGEST:
		change_one(change, entry->setting, numbers[n - 1]);
		break;
	default:
		change_one(change, entry->setting, numbers[0] * entry->unit);
		break;
	}
	return DRILL_SYSCTL_SET;
}
