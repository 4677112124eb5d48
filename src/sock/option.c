/* SPDX-License-Identifier: MIT */
/*
 * Socket options: one table of level, name, what is kept, which setting of the host it is, its
 * range, and how it is read and written. Ranges, doublings and defaults are Linux's.
 *
 * Most options are one int that is kept with the socket. Where a setting of the host stands
 * behind one, it is handed on at once when there is a connection or listener, and otherwise
 * when there will be one. What was never set is answered from the host. The host knows nothing of
 * priority, broadcast and deferred accepting: these are kept and told, and change nothing. Urgent
 * data in line is this layer's own affair (urgent.c).
 */
#include <assert.h>
#include <limits.h>
#include <string.h>

#include "sock/layer.h"

#define NS_PER_US  1000
#define NS_PER_MS  1000000
#define NS_PER_S   1000000000
#define USEC_PER_S 1000000

/* No setting of the host stands behind it. */
#define NO_SETTING (-1)
/* No value of it means the host's default. */
#define NO_DEFAULT INT_MIN

/* Linux's least buffers, before doubling. */
#define SNDBUF_MIN 2304
#define RCVBUF_MIN 1152

/* Linux's MSS of a socket without a connection (RFC 9293 3.7.1's default). */
#define MSS_DEFAULT 536
#define MSS_MIN	    88
#define MSS_MAX	    32767

#define CONGESTION_NAME_MAX 16

struct option {
	int level, name;
	enum sock_value value;
	/* enum parley_setting or NO_SETTING. */
	int setting;
	/* What one of the option is in the setting. */
	int64_t unit;
	int min, max;
	/* The value that stands for the host's default, or NO_DEFAULT. */
	int unset;
	/* The value of a fresh socket, where the host has none. */
	int initial;
	/* The least length that setsockopt() takes. */
	size_t size;
	/* Bytes to socket; 0 or an error. NULL: cannot be set. */
	int (*set)(struct sock_layer *layer, struct sock *s, const struct option *o,
		   const void *value, size_t len);
	/* Socket to bytes, at most OPTION_MAX; their length or an error. NULL: cannot be asked. */
	int (*get)(struct sock_layer *layer, struct sock *s, const struct option *o, void *value);
};

#define OPTION_MAX 256

static_assert(sizeof(struct sock_tcp_info) <= OPTION_MAX, "the largest option fits");
static_assert(SOCK_VALUES <= 32, "one bit for each");

/* ---- int options ---- */

static int put_int(void *value, int number)
{
	memcpy(value, &number, sizeof(number));
	return (int)sizeof(number);
}

/* IPPROTO_IP takes a single byte as well. */
static int take_int(const void *value, size_t len)
{
	int number;

	if (len < sizeof(number))
		return *(const uint8_t *)value;
	memcpy(&number, value, sizeof(number));
	return number;
}

/* The host's own value, for those who set none. */
static int64_t host_default(const struct sock_layer *layer, int setting)
{
	int64_t value = 0;

	(void)parley_get(layer->host, PARLEY_NO_CONN, (enum parley_setting)setting, &value);
	return value;
}

/* The kept value as the host's setting wants it, inside the setting's range. */
static int64_t to_setting(const struct sock_layer *layer, const struct sock *s,
			  const struct option *o)
{
	const struct parley_setting_info *info = parley_setting_info(o->setting);
	int64_t number = sock_value(s, o->value);

	if (number == o->unset)
		return host_default(layer, o->setting);
	/* TCP_LINGER2 below 0: do not stay in FIN-WAIT-2 at all; 0 would be for ever. */
	number = number < 0 ? 1 : number * o->unit;
	if (number < info->minimum)
		return info->minimum;
	return number > info->maximum ? info->maximum : number;
}

static void hand_on(struct sock_layer *layer, struct sock *s, const struct option *o)
{
	if (o->setting == NO_SETTING || s->conn == PARLEY_NO_CONN)
		return;
	(void)parley_set(layer->host, layer->now, s->conn, (enum parley_setting)o->setting,
			 to_setting(layer, s, o));
	/* TCP_QUICKACK off: those at the beginning wait, too. */
	if (o->value == SOCK_VALUE_QUICKACK)
		(void)parley_set(
			layer->host, layer->now, s->conn, PARLEY_SET_QUICK_ACKS,
			sock_value(s, o->value) ? host_default(layer, PARLEY_SET_QUICK_ACKS) : 0);
}

static void keep(struct sock_layer *layer, struct sock *s, const struct option *o, int number)
{
	s->options.value[o->value] = number;
	s->options.given |= 1u << o->value;
	hand_on(layer, s, o);
}

static int set_int(struct sock_layer *layer, struct sock *s, const struct option *o,
		   const void *value, size_t len)
{
	int number = take_int(value, len);

	if (number != o->unset && (number < o->min || number > o->max))
		return -PARLEY_EINVAL;
	keep(layer, s, o, number);
	return 0;
}

static int set_bool(struct sock_layer *layer, struct sock *s, const struct option *o,
		    const void *value, size_t len)
{
	keep(layer, s, o, take_int(value, len) != 0);
	return 0;
}

static int get_int(struct sock_layer *layer, struct sock *s, const struct option *o, void *value)
{
	int number = sock_value(s, o->value);

	if (o->setting != NO_SETTING && o->unit &&
	    (!sock_is_given(s, o->value) || number == o->unset)) {
		int64_t there = host_default(layer, o->setting) / o->unit;

		number = there > INT_MAX ? INT_MAX : (int)there;
	}
	return put_int(value, number);
}

/* As set; no default shines through. */
static int get_kept(struct sock_layer *layer, struct sock *s, const struct option *o, void *value)
{
	(void)layer;
	return put_int(value, sock_value(s, o->value));
}

/* ---- SOL_SOCKET ---- */

static int get_constant(struct sock_layer *layer, struct sock *s, const struct option *o,
			void *value)
{
	(void)layer;
	(void)s;
	return put_int(value, o->initial);
}

static int get_domain(struct sock_layer *layer, struct sock *s, const struct option *o, void *value)
{
	(void)layer;
	(void)o;
	return put_int(value, s->domain);
}

static int get_error(struct sock_layer *layer, struct sock *s, const struct option *o, void *value)
{
	(void)o;
	return put_int(value, sock_error(layer, s->fd));
}

static int get_acceptconn(struct sock_layer *layer, struct sock *s, const struct option *o,
			  void *value)
{
	(void)layer;
	(void)o;
	return put_int(value, s->state == SOCK_STATE_LISTENING);
}

/* No name of a device: it is bound to none. */
static int get_nothing(struct sock_layer *layer, struct sock *s, const struct option *o,
		       void *value)
{
	(void)layer;
	(void)s;
	(void)o;
	(void)value;
	return 0;
}

static int set_buffer(struct sock_layer *layer, struct sock *s, const struct option *o,
		      const void *value, size_t len)
{
	uint32_t most = layer->buffer_max < INT_MAX / 2 ? layer->buffer_max : INT_MAX / 2;
	/* A negative size is a very large one. */
	uint32_t size = (uint32_t)take_int(value, len);

	if (size > most)
		size = most;
	if (size < (uint32_t)o->min)
		size = (uint32_t)o->min;
	keep(layer, s, o, (int)size);
	return 0;
}

/* What the host gives to those who do not ask: a fixed size, or one that grows, as it is now. */
static int64_t default_buffer(const struct sock_layer *layer, const struct sock *s, int setting)
{
	struct parley_tcp_info info = {.size = sizeof(info)};
	int64_t fixed = host_default(layer, setting);

	if (fixed)
		return fixed;
	if (s->conn == PARLEY_NO_CONN || parley_tcp_info(layer->host, s->conn, &info) < 0)
		return PARLEY_BUFFER_INITIAL;
	return (int64_t)(setting == PARLEY_SET_SEND_BUFFER ? info.send_buffer
							   : info.receive_buffer);
}

/* Linux grants twice what was asked for, for its own overhead, and says so. */
static int get_buffer(struct sock_layer *layer, struct sock *s, const struct option *o, void *value)
{
	if (sock_is_given(s, o->value))
		return put_int(value, (layer->bsd ? 1 : 2) * sock_value(s, o->value));
	return put_int(value, (int)default_buffer(layer, s, o->setting));
}

static int set_lowat(struct sock_layer *layer, struct sock *s, const struct option *o,
		     const void *value, size_t len)
{
	int number = take_int(value, len);
	int most = sock_value(s, SOCK_VALUE_RCVBUF);

	/* More than the buffer holds would never come. */
	if (!sock_is_given(s, SOCK_VALUE_RCVBUF))
		most = (int)(default_buffer(layer, s, PARLEY_SET_RECEIVE_BUFFER) / 2);
	if (number < 0 || number > most)
		number = most;
	keep(layer, s, o, number ? number : 1);
	sock_mark(layer, s);
	return 0;
}

static int set_linger(struct sock_layer *layer, struct sock *s, const struct option *o,
		      const void *value, size_t len)
{
	struct sock_linger linger;

	(void)layer;
	(void)o;
	(void)len;
	memcpy(&linger, value, sizeof(linger));
	s->options.linger.onoff = linger.onoff != 0;
	if (!linger.onoff)
		return 0;
	s->options.linger.seconds = linger.seconds < 0 ? INT_MAX : linger.seconds;
	return 0;
}

static int get_linger(struct sock_layer *layer, struct sock *s, const struct option *o, void *value)
{
	(void)layer;
	(void)o;
	memcpy(value, &s->options.linger, sizeof(s->options.linger));
	return (int)sizeof(s->options.linger);
}

static uint64_t *timeout_of(struct sock *s, const struct option *o)
{
	if (o->name == SOCK_SO_RCVTIMEO || o->name == SOCK_SO_RCVTIMEO_NEW)
		return &s->options.rcv_timeout;
	return &s->options.snd_timeout;
}

static int set_timeout(struct sock_layer *layer, struct sock *s, const struct option *o,
		       const void *value, size_t len)
{
	uint64_t *timeout = timeout_of(s, o);
	struct sock_timeval tv;

	(void)layer;
	(void)len;
	memcpy(&tv, value, sizeof(tv));
	if (tv.usec < 0 || tv.usec >= USEC_PER_S)
		return -SOCK_EDOM;
	if (tv.sec < 0)
		*timeout = 0;
	else if ((tv.sec == 0 && tv.usec == 0) || tv.sec >= INT64_MAX / NS_PER_S)
		*timeout = SOCK_NEVER;
	else
		*timeout = (uint64_t)tv.sec * NS_PER_S + (uint64_t)tv.usec * NS_PER_US;
	return 0;
}

static int get_timeout(struct sock_layer *layer, struct sock *s, const struct option *o,
		       void *value)
{
	uint64_t timeout = *timeout_of(s, o);
	struct sock_timeval tv = {0};

	(void)layer;
	if (timeout != SOCK_NEVER) {
		tv.sec = (int64_t)(timeout / NS_PER_S);
		tv.usec = (int64_t)(timeout % NS_PER_S / NS_PER_US);
	}
	memcpy(value, &tv, sizeof(tv));
	return (int)sizeof(tv);
}

/* ---- IPPROTO_TCP ---- */

static int get_maxseg(struct sock_layer *layer, struct sock *s, const struct option *o, void *value)
{
	struct sock_tcp_info info;
	int mss = sock_value(s, o->value);

	if (s->state == SOCK_STATE_CLOSED || s->state == SOCK_STATE_LISTENING)
		return put_int(value, mss ? mss : MSS_DEFAULT);
	sock_tcp_info_fill(layer, s, &info);
	return put_int(value, info.snd_mss ? (int)info.snd_mss : MSS_DEFAULT);
}

static int set_linger2(struct sock_layer *layer, struct sock *s, const struct option *o,
		       const void *value, size_t len)
{
	int seconds = take_int(value, len);

	if (seconds < 0)
		seconds = -1;
	keep(layer, s, o, seconds > o->max ? o->max : seconds);
	return 0;
}

/*
 * TCP_DEFER_ACCEPT is kept as seconds, but Linux counts it in repetitions of the SYN,ACK, and
 * answers the time that these take: 1, 3, 7, ... s, by at most 120 s each.
 */
static int set_defer_accept(struct sock_layer *layer, struct sock *s, const struct option *o,
			    const void *value, size_t len)
{
	int seconds = take_int(value, len), taken = 0, step = 1, n;

	for (n = 0; n < 255 && taken < seconds; n++) {
		taken += step;
		step = step * 2 < 120 ? step * 2 : 120;
	}
	keep(layer, s, o, taken);
	return 0;
}

static int get_info(struct sock_layer *layer, struct sock *s, const struct option *o, void *value)
{
	struct sock_tcp_info info;

	(void)o;
	sock_tcp_info_fill(layer, s, &info);
	memcpy(value, &info, sizeof(info));
	return (int)sizeof(info);
}

/* The host's numbers of congestion controls by Linux's names. */
static const char congestion_names[][CONGESTION_NAME_MAX] = {"reno"};

static int set_congestion(struct sock_layer *layer, struct sock *s, const struct option *o,
			  const void *value, size_t len)
{
	char name[CONGESTION_NAME_MAX] = {0};
	size_t i;

	memcpy(name, value, len < sizeof(name) - 1 ? len : sizeof(name) - 1);
	for (i = 0; i < sizeof(congestion_names) / sizeof(congestion_names[0]); i++) {
		if (strcmp(name, congestion_names[i]) == 0) {
			keep(layer, s, o, (int)i);
			return 0;
		}
	}
	return -PARLEY_ENOENT;
}

static int get_congestion(struct sock_layer *layer, struct sock *s, const struct option *o,
			  void *value)
{
	int number;

	(void)get_int(layer, s, o, &number);
	memcpy(value, congestion_names[number], CONGESTION_NAME_MAX);
	return CONGESTION_NAME_MAX;
}

/* ---- IPPROTO_IP and IPPROTO_IPV6 ---- */

static int set_tos(struct sock_layer *layer, struct sock *s, const struct option *o,
		   const void *value, size_t len)
{
	/* The ECN bits are TCP's own. */
	keep(layer, s, o, take_int(value, len) & 0xfc);
	return 0;
}

static int set_tclass(struct sock_layer *layer, struct sock *s, const struct option *o,
		      const void *value, size_t len)
{
	int number = take_int(value, len);

	if (number < -1 || number > o->max)
		return -PARLEY_EINVAL;
	/* -1 is the default, 0; the ECN bits are TCP's own. */
	keep(layer, s, o, number < 0 ? 0 : number & 0xfc);
	return 0;
}

static int set_v6only(struct sock_layer *layer, struct sock *s, const struct option *o,
		      const void *value, size_t len)
{
	if (s->port_held || s->state != SOCK_STATE_CLOSED)
		return -PARLEY_EINVAL;
	return set_bool(layer, s, o, value, len);
}

static int get_mtu(struct sock_layer *layer, struct sock *s, const struct option *o, void *value)
{
	struct sock_tcp_info info;

	(void)o;
	sock_tcp_info_fill(layer, s, &info);
	return info.pmtu ? put_int(value, (int)info.pmtu) : -PARLEY_ENOTCONN;
}

/* ---- the table ---- */

#define SO(n) SOCK_SOL_SOCKET, SOCK_SO_##n
#define T(n)  SOCK_IPPROTO_TCP, SOCK_TCP_##n
#define IP(n) SOCK_IPPROTO_IP, SOCK_IP_##n
#define V6(n) SOCK_IPPROTO_IPV6, SOCK_IPV6_##n
#define V(n)  SOCK_VALUE_##n
#define S(n)  PARLEY_SET_##n
#define INT   sizeof(int)
#define TIME  sizeof(struct sock_timeval)

/* clang-format off */
/* Only asked: name, constant, get */
#define ASKED(what, initial, get) \
	{what, V(NONE), NO_SETTING, 1, 0, 0, NO_DEFAULT, initial, 0, NULL, get}
/* Not an int: name, size, set, get */
#define OTHER(what, size, set, get) \
	{what, V(NONE), NO_SETTING, 1, 0, 0, NO_DEFAULT, 0, size, set, get}
/* 0 or 1, kept only: name, value, size, set */
#define FLAG(what, value, size, set) \
	{what, V(value), NO_SETTING, 1, 0, 1, NO_DEFAULT, 0, size, set, get_kept}
/* 0 or 1: name, value, setting */
#define SWITCH(what, value, setting) \
	{what, V(value), setting, 1, 0, 1, NO_DEFAULT, 0, INT, set_bool, get_int}
/* A number, kept only: name, value, min, max, unset, initial, size, set */
#define KEPT(what, value, min, max, unset, initial, size, set) \
	{what, V(value), NO_SETTING, 1, min, max, unset, initial, size, set, get_kept}
/* A number: name, value, setting, unit, min, max, unset, size, set, get */
#define NUMBER(what, value, setting, unit, min, max, unset, size, set, get) \
	{what, V(value), setting, unit, min, max, unset, 0, size, set, get}

static const struct option options[] = {
	FLAG(SO(REUSEADDR), REUSEADDR, INT, set_bool),
	FLAG(SO(REUSEPORT), REUSEPORT, INT, set_bool),
	FLAG(SO(BROADCAST), BROADCAST, INT, set_bool),
	FLAG(SO(OOBINLINE), OOBINLINE, INT, set_bool),
	SWITCH(SO(KEEPALIVE), KEEPALIVE, S(KEEPALIVE)),
	KEPT(SO(PRIORITY), PRIORITY, INT_MIN, INT_MAX, NO_DEFAULT, 0, INT, set_int),
	KEPT(SO(RCVLOWAT), RCVLOWAT, 0, 0, NO_DEFAULT, 1, INT, set_lowat),
	ASKED(SO(SNDLOWAT), 1, get_constant),
	ASKED(SO(TYPE), SOCK_TYPE_STREAM, get_constant),
	ASKED(SO(PROTOCOL), SOCK_PROTOCOL_TCP, get_constant),
	ASKED(SO(DOMAIN), 0, get_domain),
	ASKED(SO(ERROR), 0, get_error),
	ASKED(SO(ACCEPTCONN), 0, get_acceptconn),
	ASKED(SO(BINDTODEVICE), 0, get_nothing),
	NUMBER(SO(SNDBUF), SNDBUF, S(SEND_BUFFER), 1, SNDBUF_MIN, INT_MAX / 2, NO_DEFAULT, INT,
	       set_buffer, get_buffer),
	NUMBER(SO(RCVBUF), RCVBUF, S(RECEIVE_BUFFER), 1, RCVBUF_MIN, INT_MAX / 2, NO_DEFAULT, INT,
	       set_buffer, get_buffer),
	OTHER(SO(LINGER), sizeof(struct sock_linger), set_linger, get_linger),
	OTHER(SO(RCVTIMEO), TIME, set_timeout, get_timeout),
	OTHER(SO(SNDTIMEO), TIME, set_timeout, get_timeout),
	OTHER(SO(RCVTIMEO_NEW), TIME, set_timeout, get_timeout),
	OTHER(SO(SNDTIMEO_NEW), TIME, set_timeout, get_timeout),

	SWITCH(T(NODELAY), NODELAY, S(NODELAY)),
	SWITCH(T(CORK), CORK, S(CORK)),
	NUMBER(T(MAXSEG), MAXSEG, S(MSS), 1, MSS_MIN, MSS_MAX, 0, INT, set_int, get_maxseg),
	NUMBER(T(KEEPIDLE), KEEPIDLE, S(KEEPALIVE_IDLE), NS_PER_S, 1, 32767, NO_DEFAULT, INT,
	       set_int, get_int),
	NUMBER(T(KEEPINTVL), KEEPINTVL, S(KEEPALIVE_INTERVAL), NS_PER_S, 1, 32767, NO_DEFAULT, INT,
	       set_int, get_int),
	NUMBER(T(KEEPCNT), KEEPCNT, S(KEEPALIVE_COUNT), 1, 1, 127, NO_DEFAULT, INT, set_int,
	       get_int),
	NUMBER(T(SYNCNT), SYNCNT, S(SYN_RETRIES), 1, 1, 127, NO_DEFAULT, INT, set_int, get_int),
	NUMBER(T(LINGER2), LINGER2, S(FIN_WAIT_2), NS_PER_S, -1, 120, 0, INT, set_linger2, get_int),
	NUMBER(T(USER_TIMEOUT), USER_TIMEOUT, S(R2), NS_PER_MS, 0, INT_MAX, 0, INT, set_int,
	       get_kept),
	NUMBER(T(DEFER_ACCEPT), DEFER_ACCEPT, S(DEFER_ACCEPT), NS_PER_S, 0, INT_MAX, NO_DEFAULT,
	       INT, set_defer_accept, get_kept),
	/* On: no delay at all (unit 0). Off: the host's delay. */
	{T(QUICKACK), V(QUICKACK), S(DELAYED_ACK), 0, 0, 1, 0, 1, INT, set_bool, get_kept},
	NUMBER(T(CONGESTION), CONGESTION, S(CONGESTION), 1, 0, 0, NO_DEFAULT, 1, set_congestion,
	       get_congestion),
	OTHER(T(INFO), 0, NULL, get_info),

	FLAG(IP(BIND_ADDRESS_NO_PORT), BIND_NO_PORT, 1, set_bool),
	NUMBER(IP(TOS), TOS, S(DIFFSERV), 1, 0, 255, NO_DEFAULT, 1, set_tos, get_kept),
	NUMBER(IP(TTL), TTL, S(TTL), 1, 1, 255, -1, 1, set_int, get_int),
	ASKED(IP(MTU), 0, get_mtu),

	FLAG(V6(V6ONLY), V6ONLY, INT, set_v6only),
	NUMBER(V6(TCLASS), TCLASS, S(DIFFSERV), 1, 0, 255, NO_DEFAULT, INT, set_tclass, get_kept),
	NUMBER(V6(UNICAST_HOPS), HOPS, S(TTL), 1, 0, 255, -1, INT, set_int, get_int),
	ASKED(V6(MTU), 0, get_mtu),
};
/* clang-format on */

#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const struct option *find(const struct sock *s, int level, int name)
{
	size_t i;

	if (level == SOCK_IPPROTO_IPV6 && s->domain != SOCK_AF_INET6)
		return NULL;
	for (i = 0; i < OPTIONS; i++) {
		if (options[i].level == level && options[i].name == name)
			return &options[i];
	}
	return NULL;
}

void sock_options_init(struct sock *s)
{
	size_t i;

	memset(&s->options, 0, sizeof(s->options));
	s->options.rcv_timeout = SOCK_NEVER;
	s->options.snd_timeout = SOCK_NEVER;
	for (i = 0; i < OPTIONS; i++) {
		if (options[i].value != SOCK_VALUE_NONE)
			s->options.value[options[i].value] = options[i].initial;
	}
}

void sock_options_apply(struct sock_layer *layer, struct sock *s)
{
	size_t i;

	for (i = 0; i < OPTIONS; i++) {
		if (options[i].value != SOCK_VALUE_NONE && sock_is_given(s, options[i].value))
			hand_on(layer, s, &options[i]);
	}
}

void sock_options_replace(struct sock_layer *layer, struct sock *s)
{
	int64_t there, wanted;
	size_t i;

	for (i = 0; i < OPTIONS; i++) {
		if (options[i].value == SOCK_VALUE_NONE || options[i].setting == NO_SETTING)
			continue;
		wanted = host_default(layer, options[i].setting);
		if (parley_get(layer->host, s->conn, (enum parley_setting)options[i].setting,
			       &there) == 0 &&
		    there != wanted)
			(void)parley_set(layer->host, layer->now, s->conn,
					 (enum parley_setting)options[i].setting, wanted);
	}
	sock_options_apply(layer, s);
}

int sock_setsockopt(struct sock_layer *layer, int fd, int level, int name, const void *value,
		    size_t len)
{
	struct sock *s = sock_enter(layer, fd);
	const struct option *o;

	if (!s)
		return -PARLEY_EBADF;
	o = find(s, level, name);
	if (!o || !o->set)
		return -PARLEY_ENOPROTOOPT;
	if (len < o->size)
		return -PARLEY_EINVAL;
	return o->set(layer, s, o, value, len);
}

int sock_getsockopt(struct sock_layer *layer, int fd, int level, int name, void *value, size_t *len)
{
	struct sock *s = sock_enter(layer, fd);
	uint8_t bytes[OPTION_MAX];
	const struct option *o;
	size_t size;
	int result;

	if (!s)
		return -PARLEY_EBADF;
	o = find(s, level, name);
	if (!o && s->domain == SOCK_AF_INET && level != SOCK_SOL_SOCKET &&
	    level != SOCK_IPPROTO_TCP && level != SOCK_IPPROTO_IP)
		return -PARLEY_EOPNOTSUPP;
	if (!o || !o->get)
		return -PARLEY_ENOPROTOOPT;
	result = o->get(layer, s, o, bytes);
	if (result < 0)
		return result;
	size = (size_t)result;
	/* IPPROTO_IP answers a short question with one byte, where that holds the value. */
	if (level == SOCK_IPPROTO_IP && *len > 0 && *len < INT &&
	    (unsigned)take_int(bytes, INT) <= 255) {
		bytes[0] = (uint8_t)take_int(bytes, INT);
		size = 1;
	}
	if (*len > size)
		*len = size;
	memcpy(value, bytes, *len);
	return 0;
}

int sock_set_int(struct sock_layer *layer, int fd, int level, int name, int value)
{
	return sock_setsockopt(layer, fd, level, name, &value, sizeof(value));
}

int sock_get_int(struct sock_layer *layer, int fd, int level, int name, int *value)
{
	size_t len = sizeof(*value);

	*value = 0;
	return sock_getsockopt(layer, fd, level, name, value, &len);
}
