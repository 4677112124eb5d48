/* SPDX-License-Identifier: MIT */
#include "form.h"

#include <string.h>

void form_of(struct form *form, struct tcp *tcp)
{
	struct canonical out = {.word = form->word, .cap = FORM_WORDS};

	tcp_canonical(tcp, &out);
	assert_true(out.n <= FORM_WORDS);
	form->n = out.n;
}

bool form_same(const struct form *a, const struct form *b)
{
	return a->n == b->n && !memcmp(a->word, b->word, a->n * sizeof *a->word);
}

void form_new(struct form *forms, int *n, struct tcp *tcp)
{
	form_of(&forms[*n], tcp);
	for (int i = 0; i < *n; i++)
		assert_false(form_same(&forms[i], &forms[*n]));
	++*n;
}

void form_busy(struct peer *p, uint32_t iss, uint32_t irs)
{
	peer_init_at(p, iss, irs);
	peer_connect(p);
	recv(p, "S.", 0, 1, 0);
	user_sends(p, 1500);
	peer_wait(p, MS(10));
	recv(p, ".", 1, 1, 100);
	recv(p, ".", 301, 1, 200);
	peer_forget(p);
}
