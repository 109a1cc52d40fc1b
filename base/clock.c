/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clocks and their text. */
#include "base/clock.h"

#include "base/err.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)

uint64_t pst_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t pst_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t pst_mono_us(void)
{
	return pst_mono_ns() / 1000;
}

uint64_t pst_mono_ms(void)
{
	return pst_mono_ns() / 1000000;
}

int64_t pst_wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void pst_rfc3339(int64_t wall_ms, char out[PST_RFC3339_SIZE])
{
	int64_t ms = ((wall_ms % 1000) + 1000) % 1000;
	time_t seconds = (time_t)((wall_ms - ms) / 1000);
	struct tm tm;

	out[0] = '\0';
	if (!gmtime_r(&seconds, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return;

	char text[80];
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
	memcpy(out, text, PST_RFC3339_SIZE - 1);
	out[PST_RFC3339_SIZE - 1] = '\0';
}

/* n digits at *s as a number; -1 when one is missing. */
static int digits(const char **s, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + (**s - '0');
	}
	return v;
}

static bool expect(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static int fraction_ms(const char **s)
{
	int ms = 0, n = 0;

	if (**s != '.')
		return 0;
	for ((*s)++; **s >= '0' && **s <= '9'; (*s)++, n++)
		if (n < 3)
			ms = ms * 10 + (**s - '0');
	if (n == 0)
		return -1;
	for (; n < 3; n++)
		ms *= 10;
	return ms;
}

/* Z, z or +hh:mm up to the end; in ret minutes east of Greenwich. */
static bool zone(const char *s, int *ret_minutes)
{
	*ret_minutes = 0;
	if (*s == 'Z' || *s == 'z')
		return s[1] == '\0';
	if (*s != '+' && *s != '-')
		return false;

	int sign = *s++ == '-' ? -1 : 1;
	int h = digits(&s, 2);
	if (h < 0 || h > 23 || !expect(&s, ':'))
		return false;
	int m = digits(&s, 2);
	*ret_minutes = sign * (h * 60 + m);
	return m >= 0 && m <= 59 && *s == '\0';
}

/* Days since 1970-01-01 of a Gregorian date (H. Hinnant, days_from_civil). */
static int64_t days_of(int y, int m, int d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int month_days(int y, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap ? 1 : 0);
}

static bool date(const char **s, int64_t *ret_days)
{
	int y = digits(s, 4);
	if (y < 0 || !expect(s, '-'))
		return false;
	int m = digits(s, 2);
	if (m < 1 || m > 12 || !expect(s, '-'))
		return false;
	int d = digits(s, 2);
	if (d < 1 || d > month_days(y, m))
		return false;

	*ret_days = days_of(y, m, d);
	return true;
}

static bool time_of_day(const char **s, int64_t *ret_ms)
{
	int h = digits(s, 2);
	if (h < 0 || h > 23 || !expect(s, ':'))
		return false;
	int m = digits(s, 2);
	if (m < 0 || m > 59 || !expect(s, ':'))
		return false;
	int sec = digits(s, 2);
	int ms = sec < 0 ? -1 : fraction_ms(s);
	if (sec > 60 || ms < 0) /* 60 is a leap second */
		return false;

	*ret_ms = ((int64_t)h * 3600 + m * 60 + sec) * 1000 + ms;
	return true;
}

int pst_rfc3339_parse(const char *s, int64_t *ret_wall_ms)
{
	int64_t days, ms;
	int minutes;

	if (!s || !date(&s, &days) || (*s != 'T' && *s != 't'))
		return PST_EINVAL;
	s++;
	if (!time_of_day(&s, &ms) || !zone(s, &minutes))
		return PST_EINVAL;

	*ret_wall_ms = days * DAY_MS + ms - (int64_t)minutes * 60000;
	return 0;
}
