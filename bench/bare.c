/* SPDX-License-Identifier: MIT */
#include "bare.h"
#include "bench.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "dev/fastsum.h"

enum {
	IP_LEN = 20,
	TCP_LEN = 20,
	HEADERS = IP_LEN + TCP_LEN,
	MSS = 1460,
	FIN = 1,
	SYN = 2,
	ACK = 16,
	PSH = 8,
	SHIFT = 7,
	BATCH = 32,
};

#define WINDOW	(512 * 1024)
#define APP	(64 * 1024)
#define STALLED 200000000 /* ns without progress: begin again at snd_una */

struct bare {
	int fd;
	enum bare_role role;
	const struct fastsum *fast;
	uint32_t peer, own;
	uint16_t peer_port, own_port;
	uint32_t snd_una, snd_nxt, snd_wnd, rcv_nxt;
	unsigned peer_shift;
	bool open;
	bool owes_ack;
	uint64_t taken, moved_at;
	uint8_t packet[2048];
	uint8_t app[APP + MSS];
};

/* Writes a packet whose text lies behind the headers already, with this sum. */
static bool put(struct bare *bare, uint8_t flags, uint32_t seq, size_t options, size_t text,
		uint64_t text_sum)
{
	uint8_t *ip = bare->packet, *tcp = ip + IP_LEN;
	size_t tcp_len = TCP_LEN + options, len = IP_LEN + tcp_len + text;
	uint64_t sum;

	memset(ip, 0, HEADERS);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)len);
	put_be16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = 6;
	put_be32(ip + 12, bare->own);
	put_be32(ip + 16, bare->peer);
	put_be16(ip + 10, checksum_fold(checksum_sum(ip, IP_LEN)));
	put_be16(tcp, bare->own_port);
	put_be16(tcp + 2, bare->peer_port);
	put_be32(tcp + 4, seq);
	put_be32(tcp + 8, bare->rcv_nxt);
	tcp[12] = (uint8_t)(tcp_len / 4 << 4);
	tcp[13] = flags;
	put_be16(tcp + 14, flags & SYN ? 65535 : WINDOW >> SHIFT);
	sum = checksum_add(checksum_sum(ip + 12, 8), tcp, tcp_len);
	sum = checksum_combine(sum, checksum_word16((uint16_t)(tcp_len + text)));
	sum = checksum_combine(sum, checksum_word16(6));
	put_be16(tcp + 16, checksum_fold(checksum_combine(sum, text_sum)));
	return write(bare->fd, bare->packet, len) == (ssize_t)len;
}

/* With the options that a window of more than 64 KiB needs. */
static void put_syn(struct bare *bare, uint8_t flags)
{
	static const uint8_t options[] = {2, 4, MSS >> 8, MSS & 255, 1, 3, 3, SHIFT};

	memcpy(bare->packet + HEADERS, options, sizeof options);
	put(bare, flags, bare->snd_una, sizeof options, 0, 0);
}

static unsigned find_shift(const uint8_t *option, const uint8_t *end)
{
	while (option < end && *option) {
		if (*option == 1) {
			option++;
			continue;
		}
		if (option + 2 >= end || option[1] < 2)
			break;
		if (*option == 3)
			return option[2];
		option += option[1];
	}
	return 0;
}

static void syn_arrives(struct bare *bare, const uint8_t *tcp, size_t header)
{
	bare->rcv_nxt = get_be32(tcp + 4) + 1;
	bare->peer_shift = find_shift(tcp + TCP_LEN, tcp + header);
	bare->snd_wnd = get_be16(tcp + 14);
	bare->peer_port = get_be16(tcp);
	bare->open = true;
	bare->moved_at = clock_now();
	if (bare->role == BARE_SINK) {
		put_syn(bare, SYN | ACK);
		bare->snd_una++;
	} else {
		bare->snd_una = get_be32(tcp + 8);
	}
	bare->snd_nxt = bare->snd_una;
	bare->owes_ack = bare->role == BARE_SOURCE;
}

static void text_arrives(struct bare *bare, const uint8_t *tcp, size_t header, size_t len)
{
	size_t text = len - header;

	bare->owes_ack = true;
	if (get_be32(tcp + 4) != bare->rcv_nxt || text > MSS)
		return;
	memcpy(bare->app + bare->taken % APP, tcp + header, text);
	bare->rcv_nxt += (uint32_t)text;
	bare->taken += text;
}

static void packet_arrives(struct bare *bare, const uint8_t *ip, size_t len)
{
	const uint8_t *tcp = ip + IP_LEN;
	size_t header = (size_t)(tcp[12] >> 4) * 4;
	uint64_t sum;

	if (len < HEADERS || ip[0] != 0x45 || ip[9] != 6 || IP_LEN + header > len)
		return;
	len -= IP_LEN;
	sum = checksum_combine(bare->fast->sum(tcp, len), checksum_sum(ip + 12, 8));
	sum = checksum_combine(sum, checksum_word32((uint32_t)len + 6));
	if (checksum_fold(sum))
		return;
	if (tcp[13] & SYN) {
		syn_arrives(bare, tcp, header);
		return;
	}
	if ((int32_t)(get_be32(tcp + 8) - bare->snd_una) > 0) {
		bare->snd_una = get_be32(tcp + 8);
		bare->moved_at = clock_now();
	}
	bare->snd_wnd = (uint32_t)get_be16(tcp + 14) << bare->peer_shift;
	if (len > header)
		text_arrives(bare, tcp, header, len);
}

static void read_batch(struct bare *bare)
{
	static uint8_t packet[2048];

	for (int i = 0; i < BATCH; i++) {
		ssize_t len = read(bare->fd, packet, sizeof packet);

		if (len <= 0)
			return;
		packet_arrives(bare, packet, (size_t)len);
	}
}

static void send_batch(struct bare *bare)
{
	if (bare->snd_nxt != bare->snd_una && clock_now() - bare->moved_at > STALLED) {
		bare->snd_nxt = bare->snd_una;
		bare->moved_at = clock_now();
	}
	for (int i = 0; i < BATCH; i++) {
		uint64_t sum;

		if (bare->snd_nxt + MSS - bare->snd_una > bare->snd_wnd)
			return;
		sum = bare->fast->copy_sum(bare->packet + HEADERS, bare->app + bare->snd_nxt % APP,
					   MSS);
		if (!put(bare, ACK | PSH, bare->snd_nxt, 0, MSS, sum))
			return;
		bare->snd_nxt += MSS;
		bare->owes_ack = false;
	}
}

uint64_t bare_work(void *opaque)
{
	struct bare *bare = opaque;

	read_batch(bare);
	if (!bare->open && bare->role == BARE_SOURCE && !bare->moved_at) {
		put_syn(bare, SYN);
		bare->moved_at = clock_now();
	}
	if (bare->open && bare->role == BARE_SOURCE)
		send_batch(bare);
	if (bare->owes_ack)
		put(bare, ACK, bare->snd_nxt, 0, 0, 0);
	bare->owes_ack = false;
	return bare->taken;
}

void *bare_open(int fd, enum bare_role role, uint32_t peer, uint32_t own, uint16_t port)
{
	static struct bare bare;

	bare = (struct bare){
		.fd = fd,
		.role = role,
		.fast = fastsum_best(),
		.peer = peer,
		.own = own,
		.own_port = role == BARE_SINK ? port : 40000,
		.peer_port = port,
		.snd_una = 1000,
	};
	return &bare;
}
