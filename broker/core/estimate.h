/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How long a place in a queue still takes. Pure: from how long desktops took lately, what is
 * being made, and how many may be made at once; nothing is remembered here.
 *
 *	a desktop is being made for this place     what is left of its time
 *	none is yet                                until a place at the provider is free for it,
 *	                                           and the provider's pace allows it; then all of its time
 */
#pragma once

#include "broker/core/axes.h"

#include <stddef.h>
#include <stdint.h>

#define ESTIMATE_BEGUN_MAX 512 /* desktops in the making that are looked at */

struct estimate_view {
	int position;     /* 1: the next desktop of the pool */
	int prepare_ms;   /* from the command to a desktop that shows a picture; <= 0: not known */
	int make_ms;      /* how much of it the provider is busy with it; <= 0: all of it */
	int at_once;      /* that the provider may be busy with; >= 1 */
	int ahead;        /* commands that wait for the provider and come before */
	int pending;      /* of the pool's desktops, those whose command waits: their pace is paid for */
	int resumes;      /* suspended ones whose command waits; counted by whoever fills begun */
	double tokens;    /* new desktops that the pace allows now; at_once / 2 more with each second */
	int32_t begun[ESTIMATE_BEGUN_MAX]; /* ms since the commands for the pool's desktops */
	int32_t busy[ESTIMATE_BEGUN_MAX];  /* ms since the commands that the provider is busy with */
	size_t begun_count, busy_count;
};

/* In seconds, 1 or more; 0: nothing is known. Sorts the arrays of v. */
int estimate_seconds(struct estimate_view *v);

/* "About 3 minutes.", in round numbers; "" for 0. */
void estimate_words(int seconds, char ret_en[CORE_WORD_SIZE], char ret_es[CORE_WORD_SIZE]);
