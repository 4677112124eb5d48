/* SPDX-License-Identifier: MIT */
#include "net/neighbour.h"

#include "base/must.h"
#include "net/autoconf.h"
#include "net/host.h"
#include "tcp/observe.h"
#include "tcp/secret.h"
#include "wire/ip.h"

/* What one call of neighbour_expire() does at most: entries, and connections told. */
enum { EXPIRE_ENTRIES = 64, EXPIRE_PARKED = 256 };

_Static_assert(NEIGHBOURS < UINT16_MAX, "indices plus one fit 16 bits");

void neighbours_init(struct parley_host *host, struct interface *interface)
{
	struct neighbours *neighbours = &interface->neighbours;

	neighbours_tune(host, interface, NEIGHBOUR_REACHABLE_TIME, NEIGHBOUR_ASK_AGAIN);
	list_init(&neighbours->unused);
	list_init(&neighbours->known);
	list_init(&neighbours->delayed);
	list_init(&neighbours->wanted);
	list_init(&neighbours->asked);
	neighbours->asking = 0;
	neighbours->last = 0;
	for (uint32_t i = 0; i < NEIGHBOURS; i++) {
		struct neighbour *neighbour = &neighbours->entry[i];

		neighbours->bucket[i] = 0;
		neighbour->state = NEIGHBOUR_FREE;
		neighbour->has_reply = false;
		neighbour->addr = (struct parley_addr){{0}};
		list_init(&neighbour->parked);
		list_link_init(&neighbour->link);
		list_push_back(&neighbours->unused, &neighbour->link);
	}
}

void neighbours_tune(struct parley_host *host, struct interface *interface, uint64_t reachable,
		     uint64_t ask_again)
{
	const struct tuple none = {.local_port = 4861};
	uint64_t draw = secret_draw(&host->tcp, SECRET_NET, &none, (uint64_t)interface->index);

	/* Times 0.5 to 1.5, so that not all neighbours ask at once (RFC 4861 6.3.2). */
	if (reachable)
		interface->neighbours.reachable = reachable / 2 + reachable / 1024 * (draw % 1024);
	if (ask_again)
		interface->neighbours.ask_again = ask_again;
}

static struct neighbour *of_link(struct list_link *link)
{
	return link ? list_entry(link, struct neighbour, link) : NULL;
}

static uint16_t number_of(const struct neighbours *neighbours, const struct neighbour *neighbour)
{
	return (uint16_t)(neighbour - neighbours->entry + 1);
}

static uint16_t *bucket_of(struct parley_host *host, struct interface *interface,
			   const struct parley_addr *addr)
{
	struct tuple tuple = {.remote = *addr};
	uint64_t hash = secret_draw(&host->tcp, SECRET_NET, &tuple, (uint64_t)interface->index);

	return &interface->neighbours.bucket[hash % NEIGHBOURS];
}

struct neighbour *neighbour_find(struct parley_host *host, struct interface *interface,
				 const struct parley_addr *addr)
{
	struct neighbours *neighbours = &interface->neighbours;
	struct neighbour *neighbour = &neighbours->entry[neighbours->last];
	uint16_t number;

	if (neighbour->state != NEIGHBOUR_FREE && ip_equal(&neighbour->addr, addr))
		return neighbour;
	number = *bucket_of(host, interface, addr);
	while (number) {
		neighbour = &neighbours->entry[number - 1];
		if (ip_equal(&neighbour->addr, addr)) {
			neighbours->last = (uint16_t)(number - 1);
			return neighbour;
		}
		number = neighbour->next;
	}
	return NULL;
}

/* Moves an entry to the end of the list that its new state belongs to. */
static void move(struct neighbour *neighbour, struct list *list)
{
	list_remove(&neighbour->link);
	list_push_back(list, &neighbour->link);
}

static bool is_asked(const struct neighbour *neighbour)
{
	return neighbour->state == NEIGHBOUR_INCOMPLETE || neighbour->state == NEIGHBOUR_PROBE;
}

static void want(struct neighbours *neighbours, struct neighbour *neighbour, uint8_t state)
{
	neighbours->asking++;
	neighbour->state = state;
	neighbour->tries = 0;
	move(neighbour, &neighbours->wanted);
}

static void forget(struct parley_host *host, struct interface *interface,
		   struct neighbour *neighbour)
{
	struct neighbours *neighbours = &interface->neighbours;
	uint16_t *at = bucket_of(host, interface, &neighbour->addr);

	must(list_is_empty(&neighbour->parked));
	while (*at && *at != number_of(neighbours, neighbour))
		at = &neighbours->entry[*at - 1].next;
	if (must_hold(*at != 0))
		*at = neighbour->next;
	neighbours->asking -= is_asked(neighbour);
	neighbour->state = NEIGHBOUR_FREE;
	neighbour->has_reply = false;
	move(neighbour, &neighbours->unused);
}

/* An entry for an address that has none; in no state yet. NULL when there is no room. */
static struct neighbour *make(struct parley_host *host, struct interface *interface,
			      const struct parley_addr *addr)
{
	struct neighbours *neighbours = &interface->neighbours;
	struct neighbour *neighbour;
	uint16_t *bucket;

	if (list_is_empty(&neighbours->unused)) {
		const struct list *list = list_is_empty(&neighbours->known) ? &neighbours->delayed
									    : &neighbours->known;

		if (!list_is_empty(list))
			forget(host, interface, of_link(list_first(list)));
	}
	neighbour = of_link(list_first(&neighbours->unused));
	if (!neighbour)
		return NULL;
	bucket = bucket_of(host, interface, addr);
	neighbour->addr = *addr;
	neighbour->next = *bucket;
	*bucket = number_of(neighbours, neighbour);
	return neighbour;
}

struct neighbour *neighbour_use(struct parley_host *host, struct interface *interface,
				const struct parley_addr *addr, bool for_reply)
{
	struct neighbours *neighbours = &interface->neighbours;
	struct neighbour *neighbour = neighbour_find(host, interface, addr);

	if (!neighbour) {
		if (for_reply && neighbours->asking >= NEIGHBOURS / 2)
			return NULL;
		neighbour = make(host, interface, addr);
		if (neighbour)
			want(neighbours, neighbour, NEIGHBOUR_INCOMPLETE);
		return neighbour;
	}
	if (neighbour->state == NEIGHBOUR_REACHABLE && neighbour->until <= host->tcp.now)
		neighbour->state = NEIGHBOUR_STALE;
	if (neighbour->state == NEIGHBOUR_REACHABLE) {
		move(neighbour, &neighbours->known);
	} else if (neighbour->state == NEIGHBOUR_STALE) {
		neighbour->state = NEIGHBOUR_DELAY;
		neighbour->until = host->tcp.now + NEIGHBOUR_DELAY_TIME;
		move(neighbour, &neighbours->delayed);
	}
	return neighbour;
}

void neighbour_park(struct neighbour *neighbour, struct tcb *tcb)
{
	list_push_back(&neighbour->parked, &tcb->ready);
}

static void drop_reply(struct parley_host *host, struct interface *interface,
		       struct neighbour *neighbour, enum parley_drop reason)
{
	if (neighbour->has_reply)
		host_drop_reply(host, interface, &neighbour->reply, reason);
	neighbour->has_reply = false;
}

void neighbour_keep(struct parley_host *host, struct interface *interface,
		    struct neighbour *neighbour, const struct reply *reply)
{
	drop_reply(host, interface, neighbour, PARLEY_DROP_REPLY_RING_FULL);
	neighbour->reply = *reply;
	neighbour->has_reply = true;
}

/* Puts all of `from` behind all of `to`, however many there are. */
static void append(struct list *to, struct list *from)
{
	struct list_link *first = list_first(from), *last = list_last(from);

	if (!first)
		return;
	first->prev = to->head.prev;
	to->head.prev->next = first;
	last->next = &to->head;
	to->head.prev = last;
	list_init(from);
}

/* To REACHABLE or STALE; whatever waited can go. */
static void know(struct parley_host *host, struct interface *interface, struct neighbour *neighbour,
		 enum neighbour_state state)
{
	struct neighbours *neighbours = &interface->neighbours;

	neighbours->asking -= is_asked(neighbour);
	neighbour->state = (uint8_t)state;
	neighbour->until = host->tcp.now + neighbours->reachable;
	move(neighbour, &neighbours->known);
	append(&interface->egress.ready, &neighbour->parked);
	if (neighbour->has_reply && egress_reply(&interface->egress, &neighbour->reply))
		neighbour->has_reply = false;
	drop_reply(host, interface, neighbour, PARLEY_DROP_REPLY_RING_FULL);
}

void neighbour_answered(struct parley_host *host, struct interface *interface,
			struct neighbour *neighbour, struct eth_addr mac)
{
	neighbour->mac = mac;
	know(host, interface, neighbour, NEIGHBOUR_REACHABLE);
}

void neighbour_heard(struct parley_host *host, struct interface *interface,
		     struct neighbour *neighbour, struct eth_addr mac)
{
	if (neighbour_is_known(neighbour) && eth_equal(neighbour->mac, mac))
		return;
	neighbour->mac = mac;
	know(host, interface, neighbour, NEIGHBOUR_STALE);
}

void neighbour_confirm(struct parley_host *host, struct interface *interface,
		       struct neighbour *neighbour)
{
	if (neighbour_is_known(neighbour))
		know(host, interface, neighbour, NEIGHBOUR_REACHABLE);
}

void neighbour_doubt(struct interface *interface, struct neighbour *neighbour)
{
	if (neighbour->state != NEIGHBOUR_REACHABLE)
		return;
	neighbour->state = NEIGHBOUR_STALE;
	move(neighbour, &interface->neighbours.known);
}

void neighbour_learn(struct parley_host *host, struct interface *interface,
		     const struct parley_addr *addr, struct eth_addr mac)
{
	struct neighbour *neighbour = neighbour_find(host, interface, addr);

	if (neighbour) {
		neighbour_heard(host, interface, neighbour, mac);
		return;
	}
	neighbour = make(host, interface, addr);
	if (!neighbour)
		return;
	neighbour->mac = mac;
	know(host, interface, neighbour, NEIGHBOUR_STALE);
}

/* Among those asked in the order in which they are due; nearly always that is the end. */
static void insert_asked(struct neighbours *neighbours, struct neighbour *neighbour)
{
	struct list_link *before = neighbours->asked.head.prev;

	list_remove(&neighbour->link);
	while (before != &neighbours->asked.head && of_link(before)->until > neighbour->until)
		before = before->prev;
	list_insert_before(before->next, &neighbour->link);
}

struct neighbour *neighbour_ask(struct parley_host *host, struct interface *interface)
{
	struct neighbours *neighbours = &interface->neighbours;
	struct neighbour *neighbour = of_link(list_first(&neighbours->wanted));

	if (!neighbour)
		return NULL;
	neighbour->tries++;
	neighbour->until = host->tcp.now + neighbours->ask_again;
	insert_asked(neighbours, neighbour);
	return neighbour;
}

/* Nobody answers. False when more connections are to be told than one call may tell. */
static bool give_up(struct parley_host *host, struct interface *interface,
		    struct neighbour *neighbour)
{
	drop_reply(host, interface, neighbour, PARLEY_DROP_NEIGHBOUR_FAILED);
	autoconf_router_failed(host, interface, &neighbour->addr);
	for (int i = 0; i < EXPIRE_PARKED; i++) {
		struct list_link *link = list_pop_front(&neighbour->parked);

		if (!link) {
			forget(host, interface, neighbour);
			return true;
		}
		tcp_unreachable(&host->tcp, list_entry(link, struct tcb, ready));
	}
	return false;
}

/* Nothing has confirmed it since it was used: it is to be asked. */
static int end_delays(struct parley_host *host, struct neighbours *neighbours, int budget)
{
	int due = 0;

	for (; due < budget; due++) {
		struct neighbour *neighbour = of_link(list_first(&neighbours->delayed));

		if (!neighbour || neighbour->until > host->tcp.now)
			break;
		want(neighbours, neighbour, NEIGHBOUR_PROBE);
	}
	return due;
}

int neighbour_expire(struct parley_host *host, struct interface *interface)
{
	struct neighbours *neighbours = &interface->neighbours;
	int due = end_delays(host, neighbours, EXPIRE_ENTRIES / 2);

	for (; due < EXPIRE_ENTRIES; due++) {
		struct neighbour *neighbour = of_link(list_first(&neighbours->asked));

		if (!neighbour || neighbour->until > host->tcp.now)
			break;
		if (neighbour->tries < NEIGHBOUR_TRIES)
			move(neighbour, &neighbours->wanted);
		else if (!give_up(host, interface, neighbour))
			return due + 1;
	}
	return due;
}

uint64_t neighbour_deadline(const struct interface *interface)
{
	const struct list *lists[] = {&interface->neighbours.asked, &interface->neighbours.delayed};
	uint64_t deadline = UINT64_MAX;

	for (int i = 0; i < 2; i++) {
		struct neighbour *neighbour = of_link(list_first(lists[i]));

		if (neighbour && neighbour->until < deadline)
			deadline = neighbour->until;
	}
	return deadline;
}

/* Counts a list whose entries are in one of two states; UINT32_MAX if one is not. */
static uint32_t count_list(const struct list *list, unsigned state, unsigned or_state)
{
	uint32_t n = 0;

	for (struct list_link *link = list_first(list); link; link = list_next(list, link)) {
		const struct neighbour *neighbour = list_entry(link, struct neighbour, link);

		if (neighbour->state != state && neighbour->state != or_state)
			return UINT32_MAX;
		if (neighbour->state != NEIGHBOUR_INCOMPLETE &&
		    (neighbour->has_reply || !list_is_empty(&neighbour->parked)))
			return UINT32_MAX;
		n++;
	}
	return n;
}

bool neighbours_check(const struct neighbours *neighbours)
{
	uint32_t unused = count_list(&neighbours->unused, NEIGHBOUR_FREE, NEIGHBOUR_FREE);
	uint32_t known = count_list(&neighbours->known, NEIGHBOUR_REACHABLE, NEIGHBOUR_STALE);
	uint32_t delayed = count_list(&neighbours->delayed, NEIGHBOUR_DELAY, NEIGHBOUR_DELAY);
	uint32_t wanted = count_list(&neighbours->wanted, NEIGHBOUR_INCOMPLETE, NEIGHBOUR_PROBE);
	uint32_t asked = count_list(&neighbours->asked, NEIGHBOUR_INCOMPLETE, NEIGHBOUR_PROBE);
	uint32_t chained = 0;

	for (uint32_t i = 0; i < NEIGHBOURS; i++)
		for (uint16_t n = neighbours->bucket[i]; n; n = neighbours->entry[n - 1].next)
			if (++chained > NEIGHBOURS)
				return false;
	if (unused > NEIGHBOURS || known > NEIGHBOURS || delayed > NEIGHBOURS ||
	    wanted > NEIGHBOURS || asked > NEIGHBOURS)
		return false;
	return wanted + asked == neighbours->asking && unused + chained == NEIGHBOURS &&
	       unused + known + delayed + wanted + asked == NEIGHBOURS;
}
