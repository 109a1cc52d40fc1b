/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When a datastore will be full, at the pace of the last week. Pure: from a few samples of how much of it was in use. The pace is
 * the median of the slopes between any two samples (Theil and Sen), so that one large import is no trend.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORECAST_APART_MS (INT64_C(3) * 3600 * 1000)
#define FORECAST_WEEK_MS (INT64_C(7) * 24 * 3600 * 1000)
#define FORECAST_SAMPLES_MAX 56 /* of a week */
#define FORECAST_ALARM_S (INT64_C(3) * 24 * 3600) /* full sooner than that is an alarm */
#define FORECAST_CALM_S (INT64_C(5) * 24 * 3600)  /* and its end */
#define FORECAST_WORDS_SIZE 96

struct forecast_sample {
	int64_t at_ms, used; /* wall clock; bytes */
};

struct forecast {
	struct forecast_sample samples[FORECAST_SAMPLES_MAX]; /* the oldest first */
	size_t n;
};

/* True when it was taken: the one before is old enough. Those of more than a week ago, and of a clock that was ahead, are dropped. */
bool forecast_add(struct forecast *f, int64_t at_ms, int64_t used);
/* Seconds from the last sample on; -1: nothing is known of a whole day yet, it does not grow, or not within a year. */
int64_t forecast_full_s(const struct forecast *f, int64_t free);
/* Is it an alarm, when it was one before or was not? */
bool forecast_is_alarm(int64_t full_s, bool was);
/* "Full in about 3 days at the pace of the last week."; "" when it is farther than a month, or not known. */
void forecast_words(int64_t full_s, char ret_en[FORECAST_WORDS_SIZE], char ret_es[FORECAST_WORDS_SIZE]);
