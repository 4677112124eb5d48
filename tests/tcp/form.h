/* SPDX-License-Identifier: MIT */
/* Canonical forms to compare (tcp/canonical.h), and a connection that has much to tell of. */
#ifndef TESTS_TCP_FORM_H
#define TESTS_TCP_FORM_H

#include "peer.h"

#include "tcp/canonical.h"

#define FORM_WORDS 512

struct form {
	uint64_t word[FORM_WORDS];
	uint32_t n;
};

void form_of(struct form *form, struct tcp *tcp);
bool form_same(const struct form *a, const struct form *b);

/* One form more, which looks like none of those before it. */
void form_new(struct form *forms, int *n, struct tcp *tcp);

/* The form with one field of `object` changed is new; then the object is as it was. */
#define FORM_CHANGED(forms, n, tcp, object, field, other) \
	do {                                              \
		__typeof__(*(object)) old_ = *(object);   \
		(object)->field = (other);                \
		form_new(forms, n, tcp);                  \
		*(object) = old_;                         \
	} while (0)

/*
 * A connection with text under way in one direction and a gap in the other, begun at numbers of
 * the test's choice. The text is the pattern of its offset, so it is the same at each.
 */
void form_busy(struct peer *p, uint32_t iss, uint32_t irs);

#endif
