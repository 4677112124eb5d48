/* SPDX-License-Identifier: MIT */
/*
 * The fields of a scenario's elements, as tables: from them come the text of a scenario, its
 * reading, and what can be made smaller in it.
 */
#ifndef SIM_FIELD_H
#define SIM_FIELD_H

#include "sim/scenario.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_field_type {
	SIM_FIELD_END,
	SIM_FIELD_NAME, /* char[SIM_SCENARIO_NAME] */
	SIM_FIELD_HOST, /* uint32_t, or an int or enum of that size, like all but the named */
	SIM_FIELD_FROM, /* a host's number plus 1; 0: any */
	SIM_FIELD_LAN,	/* written from 1 on */
	SIM_FIELD_COUNT,
	SIM_FIELD_COUNT16, /* uint16_t */
	SIM_FIELD_COUNT64, /* uint64_t */
	SIM_FIELD_TIME,	   /* uint64_t, ns */
	SIM_FIELD_LIMIT,   /* the same, of how long somebody waits: not to be made smaller */
	SIM_FIELD_CHANCE,  /* ppm */
	SIM_FIELD_BOOL,	   /* bool */
	SIM_FIELD_WORD,	   /* one of a list of names */
	SIM_FIELD_FLAGS,   /* uint16_t: TCP's flags, as letters of "FSRPAUEW" */
	SIM_FIELD_NTH,	   /* uint32_t[SIM_NTH_MAX]: "1,2,5" */
	SIM_FIELD_SETTING, /* enum parley_setting, by its key */
	SIM_FIELD_VALUE,   /* int64_t, in an element that begins with a struct sim_of_set */
};

struct sim_field {
	enum sim_field_type type;
	const char *key;	    /* NULL: written without one, in the order of the table */
	size_t offset;		    /* in its element */
	const char *(*word)(int n); /* SIM_FIELD_WORD: the names from 0 on */
	int words;		    /* and how many */
};

/* The fields of a list's elements, ended by one of type SIM_FIELD_END. */
const struct sim_field *sim_fields(enum sim_list list);

/* The number in a field of four bytes. */
uint32_t sim_field_u32(const void *element, const struct sim_field *field);
void sim_field_put_u32(void *element, const struct sim_field *field, uint32_t n);

/* The number in any field that holds one, by its own size; 0 for the others. */
uint64_t sim_field_get(const void *element, const struct sim_field *field);
void sim_field_put(void *element, const struct sim_field *field, uint64_t n);

#endif
