/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include "wire/tcp.h"

struct list {
	struct difference *out;
	size_t count;
};

static void check(struct list *list, enum field field, uint32_t answer, int64_t kernel,
		  int64_t parley)
{
	if (kernel != parley && list->count < DIFFERENCES_MAX)
		list->out[list->count++] = (struct difference){field, answer, kernel, parley};
}

static void compare_answers(struct list *list, uint32_t i, const struct answer *k,
			    const struct answer *p)
{
	bool window = !(k->flags & TCP_RST);

	check(list, FIELD_FLAGS, i, k->flags, p->flags);
	check(list, FIELD_SEQ, i, k->seq, p->seq);
	check(list, FIELD_ACK, i, k->ack, p->ack);
	check(list, FIELD_LEN, i, k->len, p->len);
	check(list, FIELD_TEXT, i, k->text, p->text);
	check(list, FIELD_SHUT, i, window && !k->wnd, window && !p->wnd);
	check(list, FIELD_EDGE, i, k->edge, p->edge);
	check(list, FIELD_UP, i, k->up, p->up);
	check(list, FIELD_MSS, i, k->mss, p->mss);
	check(list, FIELD_WSCALE, i, k->wscale, p->wscale);
	check(list, FIELD_OPTIONS, i, k->options, p->options);
	check(list, FIELD_SOUND, i, k->sound, p->sound);
}

static bool is_lone_ack(const struct answer *answer)
{
	return answer->flags == TCP_ACK && !answer->len;
}

/* How many ACKs of Parley's stand alone where the kernel's come with text only: one, or none. */
static uint32_t lone_acks(const struct outcome *k, const struct outcome *p)
{
	return k->count && p->count > k->count && is_lone_ack(&p->answers[0]) &&
	       k->answers[0].len && !(k->answers[0].flags & TCP_RST);
}

size_t compare(const struct context *context, struct difference out[static DIFFERENCES_MAX])
{
	const struct outcome *k = context->kernel, *p = context->parley;
	struct list list = {out, 0};
	uint32_t both, lone = lone_acks(k, p);

	check(&list, FIELD_RESULT, 0, k->result, p->result);
	check(&list, FIELD_BYTES, 0, k->bytes, p->bytes);
	check(&list, FIELD_AGAIN, 0, k->again, p->again);
	check(&list, FIELD_LONE, 0, 0, lone);
	check(&list, FIELD_COUNT, 0, k->count, p->count - lone);
	both = k->count < p->count - lone ? k->count : p->count - lone;
	for (uint32_t i = 0; i < both && i + lone < ANSWERS_MAX; i++)
		compare_answers(&list, i, &k->answers[i], &p->answers[i + lone]);
	check(&list, FIELD_STATE, 0, k->state, p->state);
	check(&list, FIELD_READY, 0, k->ready, p->ready);
	check(&list, FIELD_WAITING, 0, k->waiting, p->waiting);
	return list.count;
}

const char *field_name(enum field field)
{
	static const char *const names[FIELDS] = {
		"result", "bytes",   "SYNs again", "answers",	  "lone ACKs", "flags",	  "seq",
		"ack",	  "len",     "text",	   "zero window", "edge",      "up",	  "mss",
		"wscale", "options", "sound",	   "state",	  "ready",     "waiting",
	};

	return names[field];
}

int accepted_find(const struct context *context, const struct difference *difference)
{
	for (size_t i = 0; i < accepted_count; i++)
		if (accepted[i].is(context, difference))
			return (int)i;
	return -1;
}
