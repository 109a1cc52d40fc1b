/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a datastore will be full. */
#include "broker/storage/forecast.h"

#include <criterion/criterion.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define GB (INT64_C(1) << 30)
#define DAY INT64_C(86400)

static int64_t used_at(int hour, const int *by_day)
{
	return (by_day[hour / 24] * 100 + (by_day[hour / 24 + 1] - by_day[hour / 24]) * 100 * (hour % 24) / 24) * GB / 100;
}

Test(forecast, the_pace_of_a_week_and_not_of_one_import)
{
	static const struct {
		const char *what;
		int hours, by_day[9], free;
		int64_t low, high; /* days; -1: nobody knows */
	} cases[] = {
		{ "10 GB a day", 168, { 0, 10, 20, 30, 40, 50, 60, 70, 80 }, 30, 3, 3 },
		{ "a day is enough", 27, { 0, 10, 20, 30, 40, 50, 60, 70, 80 }, 30, 3, 3 },
		{ "half a day is not", 12, { 0, 10, 20, 30, 40, 50, 60, 70, 80 }, 30, -1, -1 },
		{ "as full as ever", 168, { 50, 50, 50, 50, 50, 50, 50, 50, 50 }, 1, -1, -1 },
		{ "emptier every day", 168, { 80, 70, 60, 50, 40, 30, 20, 10, 0 }, 1, -1, -1 },
		{ "one import of 400 GB, the day before yesterday", 168, { 10, 10, 10, 10, 10, 10, 410, 410, 410 }, 100, -1, -1 },
		{ "1 GB a day, and one import", 168, { 10, 11, 12, 13, 14, 15, 416, 417, 418 }, 100, 60, 101 },
		{ "not within a year", 168, { 0, 1, 2, 3, 4, 5, 6, 7, 8 }, 400, -1, -1 },
		{ "full already", 168, { 0, 10, 20, 30, 40, 50, 60, 70, 80 }, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct forecast f = { .n = 0 };
		int64_t full;

		for (int h = 0; h <= cases[i].hours; h++)
			forecast_add(&f, h * HOUR_MS, used_at(h, cases[i].by_day));
		full = forecast_full_s(&f, cases[i].free * GB);
		if (cases[i].low < 0) {
			cr_expect_eq(full, -1, "%s: %ld", cases[i].what, (long)full);
			continue;
		}
		cr_expect_geq(full, cases[i].low * DAY - DAY / 20, "%s: %ld", cases[i].what, (long)full);
		cr_expect_leq(full, cases[i].high * DAY + DAY / 20, "%s: %ld", cases[i].what, (long)full);
	}
}

Test(forecast, a_week_is_kept_and_no_more)
{
	struct forecast f = { .n = 0 };

	for (int h = 0; h < 1000; h++)
		forecast_add(&f, h * HOUR_MS, h * GB);
	cr_expect_leq(f.n, FORECAST_SAMPLES_MAX);
	cr_expect_geq(f.samples[0].at_ms, 999 * HOUR_MS - FORECAST_WEEK_MS - FORECAST_APART_MS);
	cr_expect(!forecast_add(&f, 999 * HOUR_MS, 0), "too soon");
	cr_expect(forecast_add(&f, 900 * HOUR_MS, GB), "a clock that was ahead");
	cr_expect_eq(f.samples[f.n - 1].at_ms, 900 * HOUR_MS);
	for (size_t i = 1; i < f.n; i++)
		cr_expect_lt(f.samples[i - 1].at_ms, f.samples[i].at_ms);
}

Test(forecast, the_alarm_does_not_flutter)
{
	cr_expect(forecast_is_alarm(2 * DAY, false));
	cr_expect(!forecast_is_alarm(4 * DAY, false));
	cr_expect(forecast_is_alarm(4 * DAY, true));
	cr_expect(!forecast_is_alarm(6 * DAY, true));
	cr_expect(!forecast_is_alarm(-1, true));
	cr_expect(forecast_is_alarm(0, false));
}

Test(forecast, it_is_told_in_round_words)
{
	static const struct {
		int64_t s;
		const char *en, *es;
	} cases[] = {
		{ -1, "", "" },
		{ 600, "Full within two hours", "Lleno en menos de dos horas" },
		{ 5 * 3600 + 100, "Full in about 5 hours", "Lleno en unas 5 horas" },
		{ 3 * DAY + 3600, "Full in about 3 days", "Lleno en unos 3 días" },
		{ 31 * DAY, "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char en[FORECAST_WORDS_SIZE], es[FORECAST_WORDS_SIZE];

		forecast_words(cases[i].s, en, es);
		cr_expect_eq(strncmp(en, cases[i].en, strlen(cases[i].en)), 0, "%s", en);
		cr_expect_eq(strncmp(es, cases[i].es, strlen(cases[i].es)), 0, "%s", es);
		cr_expect_eq(!en[0], !cases[i].en[0]);
	}
}
