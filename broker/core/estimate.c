/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How long a place in a queue still takes, in seconds and in words.
 */
#include "broker/core/estimate.h"

#include <stdio.h>
#include <stdlib.h>

#define SECONDS_MAX 86400 /* more is not worth a number */

/* The oldest first: they are done first. */
static int longest_first(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x < y) - (x > y);
}

static int64_t left_of(int whole_ms, int32_t gone_ms)
{
	return gone_ms < whole_ms ? whole_ms - gone_ms : 0;
}

/* When the command with this number (1: the next one) is sent: those before it take the free places, then each place as it is left. */
static int64_t wait_for_place(const struct estimate_view *v, int number)
{
	int make_ms = v->make_ms > 0 ? v->make_ms : v->prepare_ms;
	int free = v->at_once - (int)v->busy_count;
	int turn = (number - 1) % v->at_once, rounds = (number - 1) / v->at_once;
	int64_t first = 0;

	if (free < 0)
		free = 0;
	if (turn >= free && (size_t)(turn - free) < v->busy_count)
		first = left_of(make_ms, v->busy[turn - free]);
	return first + (int64_t)rounds * make_ms;
}

/* Commands are spread: at_once / 2 in a second, after a reserve. */
static int64_t wait_for_pace(const struct estimate_view *v, int unmade)
{
	double lack = unmade - v->tokens;

	return lack > 0 ? (int64_t)(lack * 2000 / v->at_once) : 0;
}

int estimate_seconds(struct estimate_view *v)
{
	int64_t ms, pace;
	int unbegun = v->position - (int)v->begun_count;

	if (v->prepare_ms <= 0 || v->position < 1 || v->at_once < 1)
		return 0;
	qsort(v->begun, v->begun_count, sizeof(*v->begun), longest_first);
	qsort(v->busy, v->busy_count, sizeof(*v->busy), longest_first);
	if (unbegun <= 0) {
		ms = left_of(v->prepare_ms, v->begun[v->position - 1]);
	} else {
		pace = wait_for_pace(v, unbegun - v->pending);
		ms = wait_for_place(v, unbegun + v->ahead);
		ms = (ms > pace ? ms : pace) + v->prepare_ms;
	}
	ms = (ms + 999) / 1000;
	return ms < 1 ? 1 : ms < SECONDS_MAX ? (int)ms : SECONDS_MAX;
}

void estimate_words(int seconds, char ret_en[CORE_WORD_SIZE], char ret_es[CORE_WORD_SIZE])
{
	int minutes = (seconds + 30) / 60, hours = (seconds + 1800) / 3600, tens = (seconds + 9) / 10 * 10;
	const char *en = "", *es = "";
	int n = 0;

	if (seconds > 90 * 60)
		n = hours, en = "About %d hours.", es = "Unas %d horas.";
	else if (seconds > 50 * 60)
		en = "About an hour.", es = "Cerca de una hora.";
	else if (seconds > 90)
		n = minutes, en = "About %d minutes.", es = "Unos %d minutos.";
	else if (seconds > 50)
		en = "About a minute.", es = "Cerca de un minuto.";
	else if (seconds > 5)
		n = tens, en = "About %d seconds.", es = "Unos %d segundos.";
	else if (seconds > 0)
		en = "A few seconds.", es = "Unos segundos.";
	snprintf(ret_en, CORE_WORD_SIZE, en, n);
	snprintf(ret_es, CORE_WORD_SIZE, es, n);
}
