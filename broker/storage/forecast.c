/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples, their pace, and words. */
#include "broker/storage/forecast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S (24 * 3600)
#define SPAN_MS (INT64_C(24) * 3600 * 1000) /* less tells nothing: days have their nights */
#define YEAR_S (INT64_C(365) * DAY_S)
#define WORDS_S (INT64_C(30) * DAY_S)
#define PAIRS_MAX (FORECAST_SAMPLES_MAX * (FORECAST_SAMPLES_MAX - 1) / 2)

static void forget(struct forecast *f, int64_t now_ms)
{
	size_t old = 0;

	while (f->n && f->samples[f->n - 1].at_ms >= now_ms)
		f->n--;
	while (old < f->n && f->samples[old].at_ms < now_ms - FORECAST_WEEK_MS)
		old++;
	if (old == 0 && f->n == FORECAST_SAMPLES_MAX)
		old = 1;
	f->n -= old;
	memmove(f->samples, f->samples + old, f->n * sizeof(f->samples[0]));
}

bool forecast_add(struct forecast *f, int64_t at_ms, int64_t used)
{
	if (f->n && f->samples[f->n - 1].at_ms <= at_ms && at_ms - f->samples[f->n - 1].at_ms < FORECAST_APART_MS)
		return false;
	forget(f, at_ms);
	f->samples[f->n++] = (struct forecast_sample){at_ms, used};
	return true;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Bytes in a second. */
static double pace(const struct forecast *f)
{
	static double slopes[PAIRS_MAX]; /* loop thread only */
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		for (size_t k = i + 1; k < f->n; k++) {
			const struct forecast_sample *a = &f->samples[i], *b = &f->samples[k];

			if (b->at_ms > a->at_ms)
				slopes[n++] = (double)(b->used - a->used) * 1000 / (double)(b->at_ms - a->at_ms);
		}
	}
	if (n == 0)
		return 0;
	qsort(slopes, n, sizeof(slopes[0]), by_size);
	return n % 2 ? slopes[n / 2] : (slopes[n / 2 - 1] + slopes[n / 2]) / 2;
}

int64_t forecast_full_s(const struct forecast *f, int64_t free)
{
	double grows, seconds;

	if (f->n < 2 || f->samples[f->n - 1].at_ms - f->samples[0].at_ms < SPAN_MS || free < 0)
		return -1;
	grows = pace(f);
	if (grows <= 0)
		return -1;
	seconds = (double)free / grows;
	return seconds < (double)YEAR_S ? (int64_t)seconds : -1;
}

bool forecast_is_alarm(int64_t full_s, bool was)
{
	return full_s >= 0 && full_s < (was ? FORECAST_CALM_S : FORECAST_ALARM_S);
}

void forecast_words(int64_t full_s, char ret_en[FORECAST_WORDS_SIZE], char ret_es[FORECAST_WORDS_SIZE])
{
	int days = (int)((full_s + DAY_S / 2) / DAY_S), hours = (int)((full_s + 1800) / 3600);

	ret_en[0] = ret_es[0] = '\0';
	if (full_s < 0 || full_s > WORDS_S)
		return;
	if (full_s < 7200) {
		snprintf(ret_en, FORECAST_WORDS_SIZE, "Full within two hours at the pace of the last week.");
		snprintf(ret_es, FORECAST_WORDS_SIZE, "Lleno en menos de dos horas al ritmo de la última semana.");
	} else if (full_s < INT64_C(2) * DAY_S) {
		snprintf(ret_en, FORECAST_WORDS_SIZE, "Full in about %d hours at the pace of the last week.", hours);
		snprintf(ret_es, FORECAST_WORDS_SIZE, "Lleno en unas %d horas al ritmo de la última semana.", hours);
	} else {
		snprintf(ret_en, FORECAST_WORDS_SIZE, "Full in about %d days at the pace of the last week.", days);
		snprintf(ret_es, FORECAST_WORDS_SIZE, "Lleno en unos %d días al ritmo de la última semana.", days);
	}
}
