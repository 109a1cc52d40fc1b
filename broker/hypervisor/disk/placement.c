/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chooses a datastore and says why. */
#include "broker/hypervisor/disk/placement.h"

#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

#define SPACE_WEIGHT 60 /* of 100; calm has the rest */
#define WARNING_PERCENT 50

static const char *const names[] = {
	[PLACEMENT_FITS] = "fits",
	[PLACEMENT_OFFLINE] = "offline",
	[PLACEMENT_MAINTENANCE] = "maintenance",
	[PLACEMENT_NOT_ALLOWED] = "not_allowed",
	[PLACEMENT_NO_IMAGE] = "no_image",
	[PLACEMENT_CRITICAL] = "critical",
	[PLACEMENT_NO_SPACE] = "no_space",
	[PLACEMENT_OVERCOMMITTED] = "overcommitted",
};

const char *placement_verdict_name(enum placement_verdict verdict)
{
	PRE((size_t)verdict < PST_ARRAY_LEN(names));
	return names[verdict];
}

/* a + b, or the largest number. */
static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t needs_of(const struct placement_request *r, const struct placement_candidate *c)
{
	return c->takes_whole ? PST_MAX(r->needs, r->promises) : r->needs;
}

static bool has_space(const struct placement_request *r, const struct placement_candidate *c)
{
	return sum(sum(c->reserved, needs_of(r, c)), r->keeps_free) <= c->free;
}

static bool is_overcommitted(const struct placement_request *r, const struct placement_candidate *c)
{
	uint64_t after = sum(c->promised, r->promises);

	return c->overcommit_percent != 0 && (long double)after * 100 > (long double)c->total * c->overcommit_percent;
}

static enum placement_verdict judge(const struct placement_request *r, const struct placement_candidate *c)
{
	if (!c->is_online)
		return PLACEMENT_OFFLINE;
	if (c->in_maintenance)
		return PLACEMENT_MAINTENANCE;
	if (!c->is_allowed)
		return PLACEMENT_NOT_ALLOWED;
	if (r->is_overlay && !c->has_image)
		return PLACEMENT_NO_IMAGE;
	if (c->level == LEVEL_CRITICAL)
		return PLACEMENT_CRITICAL;
	if (c->total == 0 || !has_space(r, c))
		return PLACEMENT_NO_SPACE;
	return is_overcommitted(r, c) ? PLACEMENT_OVERCOMMITTED : PLACEMENT_FITS;
}

static uint8_t share(uint64_t part, uint64_t whole)
{
	return part >= whole ? 100 : (uint8_t)((long double)part * 100 / (long double)whole);
}

static struct placement_score score(const struct placement_request *r, const struct placement_candidate *c)
{
	struct placement_score s = { .verdict = judge(r, c) };
	unsigned whole;

	if (s.verdict != PLACEMENT_FITS)
		return s;
	s.space = share(c->free - c->reserved - needs_of(r, c), c->total);
	s.calm = c->jobs >= c->jobs_max ? 0 : share(c->jobs_max - c->jobs, c->jobs_max);
	whole = ((unsigned)s.space * SPACE_WEIGHT + (unsigned)s.calm * (100 - SPACE_WEIGHT)) / 100;
	s.whole = (uint8_t)(c->level == LEVEL_WARNING ? whole * WARNING_PERCENT / 100 : whole);
	return s;
}

int placement_choose(const struct placement_request *request, const struct placement_candidate *candidates,
	struct placement_score *scores, size_t n)
{
	bool lacks_space = false;
	int best = -1;

	for (size_t i = 0; i < n; i++) {
		scores[i] = score(request, &candidates[i]);
		lacks_space |= scores[i].verdict >= PLACEMENT_CRITICAL;
		if (scores[i].verdict == PLACEMENT_FITS && (best < 0 || scores[i].whole > scores[best].whole))
			best = (int)i;
	}
	if (best >= 0)
		return best;
	return lacks_space ? PST_ENOSPC : PST_EBUSY;
}

static void put_fitting(struct pst_buf *b, const struct placement_candidate *c, const struct placement_score *s,
	const char *before)
{
	pst_buf_printf(b, "%s%.63s (%u: %u free, %u idle%s)", before, c->name, s->whole, s->space, s->calm,
		c->level == LEVEL_WARNING ? ", warning" : "");
}

/* Ends a cut text with "…", and not within a letter of several bytes. */
static void cut_mark(char *out, size_t len)
{
	const char *mark = "…";
	size_t at = len > strlen(mark) ? len - strlen(mark) : 0;

	while (at > 0 && ((unsigned char)out[at] & 0xc0) == 0x80)
		at--;
	memcpy(out + at, mark, strlen(mark) + 1);
}

void placement_explain(const struct placement_candidate *candidates, const struct placement_score *scores, size_t n,
	int best, char *out, size_t size)
{
	const char *before = " before ";
	struct pst_buf b;
	size_t len;

	PRE(size > 8);
	pst_buf_init(&b, 64 * 1024);
	if (best >= 0)
		put_fitting(&b, &candidates[best], &scores[best], "");
	for (size_t i = 0; i < n; i++) {
		if (scores[i].verdict != PLACEMENT_FITS || (int)i == best)
			continue;
		put_fitting(&b, &candidates[i], &scores[i], before);
		before = ", ";
	}
	for (size_t i = 0; i < n; i++)
		if (scores[i].verdict != PLACEMENT_FITS)
			pst_buf_printf(&b, "%s%.63s: %s", b.len ? "; " : "", candidates[i].name,
				placement_verdict_name(scores[i].verdict));
	len = PST_MIN(b.len, size - 1);
	if (len > 0)
		memcpy(out, b.data, len);
	out[len] = '\0';
	if (b.len > len || b.failed)
		cut_mark(out, len);
	pst_buf_finish(&b);
}
