/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When to ask for the path, and what to believe; see detect.h. */
#include "protocol/front/rdp/detect.h"

#include "base/mem.h"

#define AGAIN_NS 100000000ull /* between two frames that are measured: the questions stay below 1 kB a second */
#define MS_NS 1000000ull

/* 0 is no sequence. */
static uint16_t next_sequence(struct detect *d)
{
	d->sequence = d->sequence == UINT16_MAX ? 1 : d->sequence + 1;
	return d->sequence;
}

uint16_t detect_ask_trip(struct detect *d, bool is_idle, uint64_t now_ns)
{
	if (d->trip.is_open)
		return 0;
	d->trip = (struct detect_question){ .sequence = next_sequence(d), .is_open = true, .asked_ns = now_ns };
	d->was_idle = is_idle;
	return d->trip.sequence;
}

bool detect_answer_trip(struct detect *d, uint16_t sequence, uint64_t now_ns, uint64_t *ret_ns, bool *ret_was_idle)
{
	if (!d->trip.is_open || sequence != d->trip.sequence)
		return false;
	d->trip.is_open = false;
	*ret_ns = now_ns - d->trip.asked_ns;
	*ret_was_idle = d->was_idle;
	return true;
}

uint16_t detect_start(struct detect *d, uint64_t now_ns)
{
	if (d->rate.is_open || d->is_counting || (d->rate.sequence && now_ns - d->rate.asked_ns < AGAIN_NS))
		return 0;
	d->rate = (struct detect_question){ .sequence = next_sequence(d), .asked_ns = now_ns };
	d->is_counting = true;
	return d->rate.sequence;
}

uint16_t detect_stop(struct detect *d, uint64_t bytes)
{
	if (!d->is_counting)
		return 0;
	d->is_counting = false;
	d->rate.is_open = true;
	d->rate.bytes = bytes;
	return d->rate.sequence;
}

bool detect_answer_rate(struct detect *d, uint16_t sequence, uint32_t took_ms, uint32_t count, uint64_t now_ns, uint64_t *ret_bytes)
{
	if (!d->rate.is_open || sequence != d->rate.sequence)
		return false;
	d->rate.is_open = false;
	*ret_bytes = PST_MIN((uint64_t)count, d->rate.bytes);
	return took_ms <= (now_ns - d->rate.asked_ns) / MS_NS + 1;
}
