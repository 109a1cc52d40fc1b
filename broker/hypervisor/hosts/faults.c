/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seats that did not answer lately: they are tried last, and people are told. */
#include "broker/hypervisor/hosts/hosts_priv.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define LAST_MS 60000 /* for so long others are tried first */
#define TOLD 3        /* at once */

/* With the lock. */
static struct hosts_fault *find(struct hosts *h, const char *seat)
{
	for (size_t i = 0; i < h->faults_n; i++) {
		if (strcmp(h->faults[i].seat, seat) == 0)
			return &h->faults[i];
	}
	return NULL;
}

void hosts_fault_set(struct hosts *h, const char *seat, const char *reason)
{
	struct hosts_fault *f;

	pthread_mutex_lock(&h->lock);
	f = find(h, seat);
	/* A full table forgets its first: all it costs is another try. */
	if (!f)
		f = &h->faults[h->faults_n < HOSTS_FAULTS_MAX ? h->faults_n++ : 0];
	pst_strlcpy(f->seat, sizeof(f->seat), seat);
	pst_strlcpy(f->reason, sizeof(f->reason), reason);
	f->until_ms = pst_mono_ms() + LAST_MS;
	pthread_mutex_unlock(&h->lock);
}

void hosts_fault_clear(struct hosts *h, const char *seat)
{
	struct hosts_fault *f;

	pthread_mutex_lock(&h->lock);
	f = find(h, seat);
	if (f)
		*f = h->faults[--h->faults_n];
	pthread_mutex_unlock(&h->lock);
}

bool hosts_fault_is(struct hosts *h, const char *seat, uint64_t now_ms)
{
	const struct hosts_fault *f;
	bool is;

	pthread_mutex_lock(&h->lock);
	f = find(h, seat);
	is = f && now_ms < f->until_ms;
	pthread_mutex_unlock(&h->lock);
	return is;
}

void hosts_faults_text(struct hosts *h, const struct seats *seats, char *out, size_t size)
{
	size_t at = 0, told = 0, more = 0;

	out[0] = '\0';
	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < h->faults_n; i++) {
		const struct hosts_fault *f = &h->faults[i];

		if (!seats_find(seats, f->seat))
			continue;
		if (told == TOLD) {
			more++;
			continue;
		}
		at += (size_t)snprintf(out + at, size - at, "%s%s: %.100s", told++ ? "; " : "", f->seat, f->reason);
		at = at < size ? at : size - 1;
	}
	pthread_mutex_unlock(&h->lock);
	if (more)
		snprintf(out + at, size - at, "; and %zu more", more);
}
