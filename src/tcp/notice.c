/* SPDX-License-Identifier: MIT */
#include "tcp/notice.h"

#include "tcp/tcp.h"

void notice_init(struct notice *notice, uint32_t slot, uint64_t user)
{
	list_link_init(&notice->link);
	notice->user = user;
	notice->bits = 0;
	notice->slot = slot;
	notice->error = 0;
	notice->soft = 0;
}

void notice_raise(struct tcp *tcp, struct notice *notice, uint32_t bits)
{
	notice->bits |= bits;
	if (!list_is_linked(&notice->link))
		list_push_back(&tcp->events, &notice->link);
}

void notice_drop(struct notice *notice)
{
	list_remove(&notice->link);
	notice->bits = 0;
}

int notice_drain(struct tcp *tcp, struct parley_event *events, int n)
{
	int filled = 0;

	while (filled < n) {
		struct list_link *link = list_pop_front(&tcp->events);
		struct notice *notice;

		if (!link)
			break;
		notice = list_entry(link, struct notice, link);
		events[filled++] = (struct parley_event){
			.conn = slot_handle(&tcp->slots, notice->slot),
			.user = notice->user,
			.bits = notice->bits,
			.error = notice->error ? notice->error : notice->soft,
		};
		notice->bits = 0;
	}
	return filled;
}
